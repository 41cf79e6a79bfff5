"""The files of a report: a page beside the result, and the answer beside the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.folders import CHECKOUT, SHIPPED
from sim.results.files import write_aside, writing
from sim.study.report.figure import figure
from sim.study.report.pages import answer_page, gallery, html_report, markdown_report
from sim.study.report.study import Study, project_experiment
from sim.world.evidence import read_toml


def write(studies: Sequence[Study], folder: Path) -> None:
    """Write report.html, which needs no other file, and report.md with its figures."""
    figures = [figure(study) for study in studies]
    texts = {"report.html": html_report(studies, figures), "report.md": markdown_report(studies)}
    texts |= {f"{study.name}.svg": drawn for study, drawn in zip(studies, figures, strict=True)}
    _write(folder, texts)


def write_answer(study: Study) -> Path | None:
    """Write the answer beside its experiment, if that is one of a project, unchanged and with claims; its path.

    What an installed program ships is no place to write to.

    The gallery of all answers, README.md beside them, follows.
    """
    experiment = project_experiment(study.manifest)
    is_installed = CHECKOUT is None and experiment is not None and experiment.is_relative_to(SHIPPED)
    if experiment is None or is_installed or not _is_asked(experiment):
        return None
    picture = experiment.with_suffix(".svg")
    _write(experiment.parent, {f"{study.name}.md": answer_page(study, picture.name), picture.name: figure(study)})
    asked = [path for path in sorted(experiment.parent.glob("*.toml")) if _is_asked(path)]
    pages = {path.stem: path.with_suffix(".md") for path in asked}
    texts = {name: page.read_text() for name, page in pages.items() if page.exists()}
    _write(experiment.parent, {"README.md": gallery(texts)})
    return experiment.with_suffix(".md")


def _is_asked(experiment: Path) -> bool:
    """Whether an experiment says what is predicted, and so gets an answer."""
    return "claims" in read_toml(experiment)


def _write(folder: Path, texts: dict[str, str]) -> None:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_aside(folder / name, [text.encode()])
