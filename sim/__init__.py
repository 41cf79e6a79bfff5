"""Decoupling Race: an agent-based laboratory for the technology-decoupling race in chips."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim import compare
    from sim.agents import ChipFirm, State, Supplier
    from sim.batch import run_batch
    from sim.compare import Comparison, Incomplete, Question, Settings
    from sim.errors import BadInput
    from sim.experiment import Experiment, load_experiment
    from sim.model import DecouplingModel
    from sim.results.reading import open_result
    from sim.scenario import Scenario, load_config
    from sim.study.plot import plot
    from sim.world import World, load_world

__version__ = "0.1.0"

_HOMES = {
    "BadInput": "sim.errors",
    "ChipFirm": "sim.agents",
    "Comparison": "sim.compare",
    "DecouplingModel": "sim.model",
    "Experiment": "sim.experiment",
    "Incomplete": "sim.compare",
    "Question": "sim.compare",
    "Scenario": "sim.scenario",
    "Settings": "sim.compare",
    "State": "sim.agents",
    "Supplier": "sim.agents",
    "World": "sim.world",
    "load_config": "sim.scenario",
    "load_experiment": "sim.experiment",
    "load_world": "sim.world",
    "open_result": "sim.results.reading",
    "plot": "sim.study.plot",
    "run_batch": "sim.batch",
}
__all__ = [
    "BadInput",
    "ChipFirm",
    "Comparison",
    "DecouplingModel",
    "Experiment",
    "Incomplete",
    "Question",
    "Scenario",
    "Settings",
    "State",
    "Supplier",
    "World",
    "compare",
    "load_config",
    "load_experiment",
    "load_world",
    "open_result",
    "plot",
    "run_batch",
]


def __getattr__(name: str) -> Any:
    # Mesa takes seconds to import, so everything waits until it is asked for.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")
