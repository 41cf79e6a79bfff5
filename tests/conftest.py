import os
import sys
import tempfile
from typing import NamedTuple

import pytest
from support.browsing import CHROMIUM, browsing

from sim import cli
from sim.model import DecouplingModel
from sim.scenario.loading import load_config

# Tests start the program a hundred times. Where nothing compiled may stand beside its source, each start would compile
# all that it imports, which takes longer than most tests; so it is kept in a folder of this session.
if sys.dont_write_bytecode:
    COMPILED = tempfile.TemporaryDirectory(prefix="compiled-", ignore_cleanup_errors=True)
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = COMPILED.name
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


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


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with browsing() as browser:
        yield browser
