"""An answer as a page: the answer beside its experiment, and reports in Markdown and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sim.results import escape
from sim.results.page import Section, contents, html_section, html_text, markdown, whole_page
from sim.study.report import tables
from sim.study.report.answer import Answer
from sim.study.report.head import Head
from sim.study.report.words import design, findings, opening, overturning, uncertain

GALLERY = "# Answers\n\nEach is one experiment"
PREDICTED = ". Where a prediction was written before it was run, its page says how that fared.\n"


def answer_page(answer: Answer, figure: str) -> str:
    """The answer that stands beside an experiment: what does not depend on the program's own hash or on the day."""
    head = f"# {escape.markdown(answer.experiment.question)}\n\n"
    if prediction := answer.experiment.prediction:
        head += f"*Predicted before running:* {escape.markdown(prediction)}\n\n"
    picture = f"![{escape.markdown(answer.words.measure(answer.main))}]({figure})"
    return f"{head}{escape.markdown(opening(answer))}\n\n{picture}\n\n{made_by(answer)}\n\n" + "\n".join(
        map(markdown, sections(answer))
    )


def made_by(answer: Answer) -> str:
    """The line of an answer's page that says how it was made, and that this program made it."""
    return f"`decoupling batch {answer.name}`, then `decoupling study report {answer.name}`."


def gallery(answers: Mapping[str, str]) -> str:
    """The page that shows every answer: question, picture and paragraph, from the answers' own pages by name."""
    shown = [GALLERY + PREDICTED]
    for name, page in answers.items():
        question = page.partition("\n")[0].removeprefix("# ")
        paragraph = page.partition("![")[0].strip().rpartition("\n")[2]
        shown.append(f"## [{question}]({name}.md)\n\n{paragraph}\n\n![{question}]({name}.svg)\n")
    return "\n".join(shown)


@dataclass(frozen=True)
class Drawn:
    """An answer, what its page begins with, and what `plot` draws of it: the text of each SVG by its file's name."""

    answer: Answer
    head: Head
    svgs: Mapping[str, str]

    @property
    def figures(self) -> Mapping[str, str]:
        """All figures in their order."""
        return {self.head.figure: self.head.svg, **self.svgs}


def markdown_report(pages: Sequence[Drawn]) -> str:
    """Every answer one after another, with the whole provenance; the figures stand beside."""
    return "\n".join(map(_markdown_of, pages))


def _markdown_of(page: Drawn) -> str:
    answer = page.answer
    figures = (f"![{name.replace('-', ' ')}]({name}.svg)\n" for name in page.figures)
    parts = [
        f"# {escape.markdown(answer.experiment.question)}\n",
        f"{escape.markdown(page.head.paragraph)}\n",
        *figures,
        f"{made_by(answer)}\n",
        *map(markdown, _whole(page)),
    ]
    return "\n".join(parts)


def html_report(pages: Sequence[Drawn]) -> str:
    """One page that needs no other file; the figures are beside it for other uses."""
    several = len(pages) > 1
    body = "".join(_html_of(page, f"{page.answer.name} " if several else "") for page in pages)
    return whole_page(" / ".join(page.answer.experiment.question for page in pages), body)


def _html_of(page: Drawn, of: str) -> str:
    answer = page.answer
    parts = _whole(page)
    return (
        f"<h1>{html_text(answer.experiment.question)}</h1>\n"
        f'<p class="answer">{html_text(page.head.paragraph)}</p>\n'
        f"{''.join(_figure(name, svg) for name, svg in page.figures.items())}"
        f"{contents(parts, of)}{''.join(html_section(part, of) for part in parts)}"
    )


def _figure(name: str, svg: str) -> str:
    links = ", ".join(f'<a href="{quote(name)}.{kind}">{kind.upper()}</a>' for kind in ("svg", "png", "csv"))
    return f"<figure>{svg}<figcaption>Beside this page: {links}</figcaption></figure>\n"


def _whole(page: Drawn) -> list[Section]:
    """All sections of a report: what words mean and what was predicted, the tables, and by which program."""
    answer, prediction = page.answer, page.answer.experiment.prediction
    meant = [f"{term}: {meaning}." for term, meaning in page.head.terms.items()]
    terms = [Section("What the words mean", meant)] if meant else []
    predicted = [Section("What was predicted before running", [prediction])] if prediction else []
    return [*terms, *predicted, *sections(answer), whole_provenance(answer)]


def sections(answer: Answer) -> list[Section]:
    """The parts of an answer in their order."""
    is_apart = answer.held and answer.of_controls
    parts = [
        *([tables.apart(answer)] if is_apart else []),
        Section("Step by step", findings(answer)),
        Section("What would overturn it", overturning(answer)),
        tables.verdicts(answer),
        *(_of_cases(answer) if answer.cases else []),
        *(tables.totals(answer, outcome) for outcome in dict.fromkeys(index.outcome for index in answer.indices)),
        *(tables.boxes(discovery, answer) for discovery in answer.discoveries),
        Section("What is uncertain", uncertain(answer)),
        Section("Design and provenance", design(answer)),
    ]
    return [part for part in parts if part.lines or part.rows]


def _of_cases(answer: Answer) -> list[Section]:
    told = [tables.over_years(answer), tables.steps(answer), tables.slices(answer)]
    others = [tables.others_apart(answer)] if answer.held and answer.of_controls else []
    return [*told, tables.turns(answer), tables.left_out(answer), tables.measures(answer), *others]


def whole_provenance(answer: Answer) -> Section:
    """The program and what it ran on."""
    manifest = answer.manifest
    versions = ", ".join(f"{name} {version}" for name, version in manifest.dependencies.items())
    lines = [
        f"Program {manifest.program_hash}, arithmetic {manifest.arithmetic}.",
        f"Versions: {versions}.",
    ]
    return Section("Made with", lines)
