"""The experiment of a project that an answer is of, whose words may be newer than the result."""

from __future__ import annotations

from pathlib import Path

from sim.errors import BadInput
from sim.experiment.file import load_experiment
from sim.folders import EXPERIMENTS, find
from sim.study.report.answer import Answer
from sim.world.evidence import read_toml


def project_experiment(answer: Answer) -> tuple[Path | None, str]:
    """The experiment of an `experiments/` that an answer is of, unchanged and with claims.

    None if it is another, with what is to be said of that: nothing where it asks something else.
    """
    path = find(EXPERIMENTS, f"{answer.name}.toml")
    if path is None or not is_asked(path):
        return None, ""
    try:
        experiment = load_experiment(path)
    except BadInput as fault:
        return None, f"{fault}; so the report is without its author's words"
    if experiment.as_dict() != answer.experiment.model_dump(exclude_unset=True):
        return None, ""
    if list(experiment.claims) != list(answer.claims):
        return None, f"{path}: has other claims than the result; decoupling batch {answer.name} takes them over"
    return path, ""


def is_asked(experiment: Path) -> bool:
    """Whether an experiment says what is predicted, or how it is answered, and so gets an answer."""
    return not {"claims", "answer"}.isdisjoint(read_toml(experiment))
