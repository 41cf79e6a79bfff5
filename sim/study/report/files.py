"""The files of a report: a page beside the result, and the answer beside the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.errors import BadInput
from sim.experiment.experiment import load_experiment
from sim.folders import CHECKOUT, EXPERIMENTS, SHIPPED, find
from sim.results.files import write_aside, write_ours, writing
from sim.study.report.answer import Answer
from sim.study.report.figure import figure
from sim.study.report.pages import GALLERY, answer_page, gallery, html_report, made_by, markdown_report
from sim.terminal import note
from sim.world.evidence import read_toml


def write(answers: Sequence[Answer], folder: Path) -> None:
    """Write report.html, which needs no other file, and report.md with its figures."""
    figures = [figure(answer) for answer in answers]
    texts = {"report.html": html_report(answers, figures), "report.md": markdown_report(answers)}
    texts |= {f"{answer.name}.svg": drawn for answer, drawn in zip(answers, figures, strict=True)}
    write_ours(folder, texts)


def write_answer(answer: Answer) -> Path | None:
    """Write the answer beside its experiment, if that is one of a project, unchanged and with claims; its path.

    What an installed program ships is no place to write to.

    The gallery of all answers, README.md beside them, follows.
    """
    experiment = project_experiment(answer)
    if experiment is None or (CHECKOUT is None and experiment.is_relative_to(SHIPPED)):
        return None
    page, picture, all_answers = (experiment.with_suffix(".md"), experiment.with_suffix(".svg"), experiment.parent)
    if _is_foreign(page, made_by(answer)) or (picture.exists() and not page.exists()):
        note(f"{page}: is there already and is no answer of this program; it is left alone")
        return None
    _write(experiment.parent, {page.name: answer_page(answer, picture.name), picture.name: figure(answer)})
    if _is_foreign(all_answers / "README.md", GALLERY):
        note(f"{all_answers / 'README.md'}: is not the page of all answers; it is left alone")
        return page
    asked = [path for path in sorted(all_answers.glob("*.toml")) if _is_asked(path)]
    pages = {path.stem: path.with_suffix(".md") for path in asked}
    texts = {name: one.read_text() for name, one in pages.items() if one.exists()}
    _write(all_answers, {"README.md": gallery(texts)})
    return page


def _is_foreign(page: Path, sign: str) -> bool:
    """Whether a page is there that lacks the words which this program writes into it."""
    return page.exists() and sign not in page.read_text(encoding="utf-8", errors="replace")


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
