import sys
from typing import NamedTuple

import pytest

from sim import cli
from sim.model import DecouplingModel
from sim.scenario.loading import load_config


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


class Answer(NamedTuple):
    """What the program ended with and said on standard output and standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def answer(monkeypatch, capsys):
    """Run the program in this process with the arguments of a command line."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["decoupling", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return Answer(end.value.code, *capsys.readouterr())

    return run
