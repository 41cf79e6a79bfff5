"""What a page begins with: the answer in short, its figure and three numbers; an author's, or made by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sim.errors import BadInput
from sim.experiment.answer import Value
from sim.experiment.experiment import Experiment
from sim.experiment.file import load_experiment
from sim.results.escape import spreadsheet
from sim.results.records import line
from sim.study.plot.figure import draw
from sim.study.plot.words import sentence
from sim.study.report.answer import Answer
from sim.study.report.drawn import figure, figure_png
from sim.study.report.figure import kept_pictures
from sim.study.report.kept import project_experiment
from sim.study.report.plain import Page, page_of
from sim.study.report.readings import effects
from sim.study.report.short import Number, numbers, paragraph
from sim.study.report.values import number
from sim.terminal import note

HELD, CAUSED = "if the controls caused none of the push", "if they caused all of it"


@dataclass(frozen=True)
class Head:
    """The paragraph, three numbers, what words mean, and the first figure by the name of its files."""

    paragraph: str
    numbers: Sequence[Number]
    figure: str
    svg: str
    png: bytes
    table: str = ""  # the numbers of a figure that `plot` does not draw, as CSV
    terms: Mapping[str, str] = field(default_factory=dict)


def head_of(answer: Answer) -> Head:
    """The head in the words of its author, as the project's experiment or the result has them; else by rule."""
    path, otherwise = project_experiment(answer)
    if otherwise:
        note(otherwise)
    experiment = load_experiment(path) if path else _of_result(answer)
    if experiment is not None and experiment.answer:
        page = page_of(answer, experiment)
        said = " ".join(filter(None, [page.told.paragraph, *page.told.fallen]))
        for text in page.told.fallen:
            note(f"{answer.name}: {text}")
        drawn, image = figure(page.told), figure_png(page.told)
        name = f"{answer.name}-answer"
        return Head(said, _numbers(page), name, drawn, image, _table(page), page.words.terms)
    name, picture = next(iter(kept_pictures(answer).items()))
    svg, png = (draw(picture, kind) for kind in ("svg", "png"))
    return Head(paragraph(answer), numbers(answer), name, svg.decode(), png)


def _of_result(answer: Answer) -> Experiment | None:
    """The experiment as the result itself has it, with the words of its author as they were when it was made."""
    if not answer.manifest.answer:
        return None
    try:
        return Experiment.from_manifest(answer.manifest, str(answer.batch.folder))
    except BadInput as fault:
        note(f"{fault}; so the report is without its author's words")
        return None


def _numbers(page: Page) -> list[Number]:
    """The headline, of controls at both ends, and what it is made of; else the first that the figure shows."""
    return list(islice(_told(page), 3))


def _told(page: Page) -> Iterator[Number]:
    headline, words, answer = page.words.headline, page.words, page.answer
    if headline.less and _is_level(headline):
        told = effects(answer, headline, words)
        name = _named(headline, answer)
        if page.is_apart:
            yield f"{name}: what “{headline.of}” changes, {HELD}", told["bite"].whole
            yield f"The same, {CAUSED}", told["total"].whole
        else:
            yield f"{name}: {headline.of}, against {headline.less}", told["total"].whole
    levels = [headline.of, headline.less] if _is_level(headline) else []
    for case in dict.fromkeys(filter(None, [*levels, *words.figure.lines])):
        value = Value(measure=headline.measure, year=headline.year, of=case)
        yield f"{_named(value, answer)}: {case}", number(answer, value, words.cases).whole
    for name in words.figure.rows:
        yield f"{words.figure.title}: {name}", page.told.numbers[name].whole


def _is_level(value: Value) -> bool:
    """Whether a value is of a case or of two, and not of runs, variances or indices."""
    return bool(value.of) and not (value.index or value.variance_in or value.most) and value.reaches is None


def _table(page: Page) -> str:
    """Every number that the author names, as CSV, in the units of the measures."""
    rows = [(name, held.low, held.middle, held.high) for name, held in page.told.numbers.items()]
    return "".join(
        map(line, [("name", "low", "middle", "high"), *([spreadsheet(cell) for cell in row] for row in rows)])
    )


def _named(value: Value, answer: Answer) -> str:
    when = {"sum": "summed over all years", "peak": "at its peak"}.get(str(value.year), f"in {value.year}")
    return f"{sentence(answer.words.measure(value.measure))} {when}"
