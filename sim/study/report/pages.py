"""An answer as a page: the answer beside its experiment, and reports in Markdown and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.results import escape
from sim.results.page import Section, html_section, html_text, markdown, whole_page
from sim.study.report import tables
from sim.study.report.answer import Answer
from sim.study.report.words import design, findings, opening, overturning, uncertain

GALLERY = "# Answers\n\nEach is one experiment with a prediction written before it was run.\n"


def answer_page(answer: Answer, figure: str) -> str:
    """The answer that stands beside an experiment: what does not depend on the program's own hash or on the day."""
    head = f"# {escape.markdown(answer.experiment.question)}\n\n"
    if prediction := answer.experiment.prediction:
        head += f"*Predicted before running:* {escape.markdown(prediction)}\n\n"
    picture = f"![{answer.main.replace('_', ' ')}]({figure})"
    return f"{head}{escape.markdown(opening(answer))}\n\n{picture}\n\n{made_by(answer)}\n\n" + "\n".join(
        map(markdown, sections(answer))
    )


def made_by(answer: Answer) -> str:
    """The line of an answer's page that says how it was made, and that this program made it."""
    return f"`decoupling batch {answer.name}`, then `decoupling study report {answer.name}`."


def gallery(answers: Mapping[str, str]) -> str:
    """The page that shows every answer: question, picture and paragraph, from the answers' own pages by name."""
    shown = [GALLERY]
    for name, page in answers.items():
        question = page.partition("\n")[0].removeprefix("# ")
        paragraph = page.partition("![")[0].strip().rpartition("\n")[2]
        shown.append(f"## [{question}]({name}.md)\n\n{paragraph}\n\n![{question}]({name}.svg)\n")
    return "\n".join(shown)


def markdown_report(answers: Sequence[Answer]) -> str:
    """Every answer one after another, with the whole provenance; the figures stand beside."""
    return "\n".join(
        answer_page(answer, f"{answer.name}.svg") + "\n" + markdown(whole_provenance(answer)) for answer in answers
    )


def html_report(answers: Sequence[Answer], figures: Sequence[str]) -> str:
    """One page that needs no other file."""
    body = ""
    for answer, figure in zip(answers, figures, strict=True):
        body += f"<h1>{html_text(answer.experiment.question)}</h1>\n"
        if prediction := answer.experiment.prediction:
            body += f"<p><em>Predicted before running:</em> {html_text(prediction)}</p>\n"
        body += f"<p>{html_text(opening(answer))}</p>\n"
        body += f"<figure>{figure}</figure>\n"
        body += "".join(html_section(section) for section in [*sections(answer), whole_provenance(answer)])
    return whole_page(" / ".join(answer.experiment.question for answer in answers), body)


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
        *(tables.boxes(discovery) for discovery in answer.discoveries),
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
