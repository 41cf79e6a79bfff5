"""The files of a report: a page beside the result, and the answer beside the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sim.experiment.file import load_experiment
from sim.folders import CHECKOUT, SHIPPED
from sim.results.escape import spreadsheet
from sim.results.files import write_aside, write_ours, writing
from sim.results.manifest import KeptWorld
from sim.results.records import line
from sim.study.plot.figure import draw
from sim.study.plot.numbers import numbers
from sim.study.report.answer import HEADER, Answer
from sim.study.report.brief import brief_of
from sim.study.report.figure import figure, kept_pictures
from sim.study.report.head import Head, head_of
from sim.study.report.kept import is_asked, project_experiment
from sim.study.report.one_effect import NAME, SIGN, one_effect
from sim.study.report.pages import GALLERY, Drawn, answer_page, gallery, html_report, made_by, markdown_report
from sim.study.report.plain import overturned, page_of
from sim.study.report.tables import not_told
from sim.study.sensitivity import HEADER as INDICES
from sim.terminal import note


def write(answers: Sequence[Answer], folder: Path) -> list[str]:
    """Write report.html, which needs no other file, report.md, and all numbers as report.csv; returns files' names.

    Each figure is beside them as SVG and PNG, and what it draws as CSV.
    """
    pages = [Drawn(answer, head_of(answer), _svgs(answer)) for answer in answers]
    files: dict[str, str | bytes] = {"report.html": html_report(pages), "report.md": markdown_report(pages)}
    header, rows = table_of(answers)
    files["report.csv"] = "".join([line(header), *(line(map(spreadsheet, row)) for row in rows)])
    for page in pages:
        files |= _of_head(page.answer, page.head) | _of_pictures(page)
    write_ours(folder, files)
    for sentence in [sentence for answer in answers for sentence in not_told(answer)]:
        note(sentence)
    return list(files)


def table_of(answers: Sequence[Answer]) -> tuple[list[str], list[list[Any]]]:
    """Every case and measure of the answers; of samples alone, which have no cases, their indices."""
    if any(answer.cases for answer in answers):
        return HEADER, [row for answer in answers for row in answer.rows()]
    return list(INDICES), [index.row() for answer in answers for index in answer.indices]


def write_briefs(answers: Sequence[Answer], folder: Path) -> list[str]:
    """Write the brief of each answer as HTML, which needs no other file, and as Markdown with its figure."""
    several = len(answers) > 1
    files: dict[str, str | bytes] = {}
    for answer in answers:
        head = head_of(answer)
        brief = brief_of(answer, head)
        name = f"{answer.name}-brief" if several else "brief"
        files |= {f"{name}.html": brief.html(), f"{name}.md": brief.markdown(), **_of_head(answer, head)}
    write_ours(folder, files)
    return list(files)


def _svgs(answer: Answer) -> dict[str, str]:
    return {name: draw(picture, "svg").decode() for name, picture in kept_pictures(answer).items()}


def _of_head(answer: Answer, head: Head) -> dict[str, str | bytes]:
    """The first figure as SVG and PNG, and its numbers, by the names of the files."""
    table = head.table or numbers(kept_pictures(answer)[head.figure])
    return {f"{head.figure}.svg": head.svg, f"{head.figure}.png": head.png, f"{head.figure}.csv": table}


def _of_pictures(page: Drawn) -> dict[str, str | bytes]:
    """The same of what `plot` draws, where that is not the first figure already."""
    files: dict[str, str | bytes] = {}
    for name, picture in kept_pictures(page.answer).items():
        if name != page.head.figure:
            files |= {f"{name}.svg": page.svgs[name], f"{name}.png": draw(picture, "png")}
            files[f"{name}.csv"] = numbers(picture)
    return files


def write_answer(answer: Answer) -> Path | None:
    """Write the answer beside its experiment, if that is one of a project, unchanged and with claims; its path.

    What an installed program ships is no place to write to.

    The gallery of all answers, README.md beside them, follows.
    """
    experiment, _ = project_experiment(answer)
    if experiment is None or (CHECKOUT is None and experiment.is_relative_to(SHIPPED)):
        return None
    page, picture, folder = (experiment.with_suffix(".md"), experiment.with_suffix(".svg"), experiment.parent)
    if _is_foreign(page, made_by(answer)) or (picture.exists() and not page.exists()):
        note(f"{page}: is there already and is no answer of this program; it is left alone")
        return None
    asked = load_experiment(experiment)
    plain = {page.name: answer_page(answer, picture.name), picture.name: figure(answer)} if asked.answer is None else {}
    files = plain or page_of(answer, asked).files()
    _write(folder, files)
    if (tornado := overturned(page.stem)) not in files:
        (folder / tornado).unlink(missing_ok=True)  # of an answer that had one before
    _write_of_all(folder, answer.manifest.world)
    return page


def _write_of_all(folder: Path, world: KeptWorld) -> None:
    """The gallery of a folder's answers, and the numbers of what several of them tell."""
    pages = {path.stem: path.with_suffix(".md") for path in sorted(folder.glob("*.toml")) if is_asked(path)}
    texts = {name: one.read_text() for name, one in pages.items() if one.exists()}
    titles = {name: text.partition("\n")[0].removeprefix("# ") for name, text in texts.items()}
    for name, sign, text in (("README.md", GALLERY, gallery(texts)), (NAME, SIGN, one_effect(folder, titles, world))):
        if text and _is_foreign(folder / name, sign):
            note(f"{folder / name}: is not the page of all answers; it is left alone")
        elif text:
            if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text:
                note(f"{folder / name}: the page of all answers follows")
            _write(folder, {name: text})


def _is_foreign(page: Path, sign: str) -> bool:
    """Whether a page is there that lacks the words which this program writes into it."""
    return page.exists() and sign not in page.read_text(encoding="utf-8", errors="replace")


def _write(folder: Path, texts: dict[str, str]) -> None:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_aside(folder / name, [text.encode()])
