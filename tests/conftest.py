import numpy as np
import pytest

from sim.model import DecouplingModel
from sim.scenario import load_config


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


def year(values, which):
    """The runs' values of one year, (runs,)."""
    return values[:, which - 2020]


def series_of(model):
    """All recorded quarters as one array, (runs, quarters, measures)."""
    while model.running:
        model.step()
    return np.asarray(model.recorder.values("quarter")[1])
