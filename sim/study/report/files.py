"""The files of a report: a page beside the result, and the answer beside the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.errors import BadInput
from sim.experiment.experiment import load_experiment
from sim.folders import CHECKOUT, EXPERIMENTS, SHIPPED, find
from sim.results.files import write_aside, writing
from sim.study.report.answer import Answer
from sim.study.report.figure import figure
from sim.study.report.pages import answer_page, gallery, html_report, markdown_report
from sim.terminal import note
from sim.world.evidence import read_toml


def write(answers: Sequence[Answer], folder: Path) -> None:
    """Write report.html, which needs no other file, and report.md with its figures."""
    figures = [figure(answer) for answer in answers]
    texts = {"report.html": html_report(answers, figures), "report.md": markdown_report(answers)}
    texts |= {f"{answer.name}.svg": drawn for answer, drawn in zip(answers, figures, strict=True)}
    _write(folder, texts)


def write_answer(answer: Answer) -> Path | None:
    """Write the answer beside its experiment, if that is one of a project, unchanged and with claims; its path.

    What an installed program ships is no place to write to.

    The gallery of all answers, README.md beside them, follows.
    """
    experiment = project_experiment(answer)
    if experiment is None or (CHECKOUT is None and experiment.is_relative_to(SHIPPED)):
        return None
    picture = experiment.with_suffix(".svg")
    _write(experiment.parent, {f"{answer.name}.md": answer_page(answer, picture.name), picture.name: figure(answer)})
    asked = [path for path in sorted(experiment.parent.glob("*.toml")) if _is_asked(path)]
    pages = {path.stem: path.with_suffix(".md") for path in asked}
    texts = {name: page.read_text() for name, page in pages.items() if page.exists()}
    _write(experiment.parent, {"README.md": gallery(texts)})
    return experiment.with_suffix(".md")


def project_experiment(answer: Answer) -> Path | None:
    """The experiment of an `experiments/` that an answer is of, unchanged and with claims; None if it is another."""
    path = find(EXPERIMENTS, f"{answer.name}.toml")
    if path is None or not _is_asked(path):
        return None
    try:
        experiment = load_experiment(path)
    except BadInput:  # a world or a config that is not there any more
        return None
    if experiment.as_dict() != answer.experiment.model_dump(exclude_unset=True):
        return None
    if list(experiment.claims) != list(answer.claims):
        note(f"{path}: has other claims than the result; decoupling batch {answer.name} takes them over")
        return None
    return path


def _is_asked(experiment: Path) -> bool:
    """Whether an experiment says what is predicted, and so gets an answer."""
    return "claims" in read_toml(experiment)


def _write(folder: Path, texts: dict[str, str]) -> None:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_aside(folder / name, [text.encode()])
