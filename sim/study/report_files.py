"""The files of a report: a page beside the result, and the answer beside the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sim.records import write_aside, writing
from sim.study.report import Study, project_experiment
from sim.study.report_text import answer_page, figure, html_report, markdown_report


def write(studies: Sequence[Study], folder: Path) -> None:
    """Write report.html, which needs no other file, and report.md with its figures."""
    figures = [figure(study) for study in studies]
    texts = {"report.html": html_report(studies, figures), "report.md": markdown_report(studies)}
    texts |= {f"{study.name}.svg": drawn for study, drawn in zip(studies, figures, strict=True)}
    _write(folder, texts)


def write_answer(study: Study) -> Path | None:
    """Write the answer beside its experiment, if that is one of the project's and unchanged; its page's path."""
    experiment = project_experiment(study.manifest)
    if experiment is None:
        return None
    picture = experiment.with_suffix(".svg")
    _write(experiment.parent, {f"{study.name}.md": answer_page(study, picture.name), picture.name: figure(study)})
    return experiment.with_suffix(".md")


def _write(folder: Path, texts: dict[str, str]) -> None:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_aside(folder / name, [text.encode()])
