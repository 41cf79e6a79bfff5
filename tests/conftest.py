import pytest

from sim.model import DecouplingModel
from sim.scenario.scenario import load_config


@pytest.fixture(scope="session")
def paired():
    """Yearly means over 20 paired seeds of `published-2020` with keys changed: {measure: (years,)}; kept by keys."""
    known = {}

    def run(changes=(), config="published-2020", seeds=20):
        key = (config, tuple(sorted(dict(changes).items())), seeds)
        if key not in known:
            scenario = load_config(config).with_values(dict(changes))
            model = DecouplingModel.block([scenario] * seeds, range(1, seeds + 1), record="all")
            while model.running:
                model.step()
            _, values = model.recorder.values("year")
            known[key] = {name: values[:, :, column] for column, name in enumerate(model.recorder.names)}
        return known[key]

    return run
