"""A study as a page: the answer beside its experiment, and reports in Markdown and HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from sim.compare.rendering import Section, html_section, markdown, whole_page
from sim.study.report import tables
from sim.study.report.study import Study
from sim.study.report.words import design, findings, opening, overturning, uncertain


def answer_page(study: Study, figure: str) -> str:
    """The answer that stands beside an experiment: what does not depend on the program's own hash or on the day."""
    experiment = study.manifest["experiment"]
    head = f"# {experiment['question']}\n\n"
    if prediction := experiment.get("prediction"):
        head += f"*Predicted before running:* {prediction}\n\n"
    made = f"`decoupling batch {study.name}`, then `decoupling study report {study.name}`."
    picture = f"![{study.main.replace('_', ' ')}]({figure})"
    return f"{head}{opening(study)}\n\n{picture}\n\n{made}\n\n" + "\n".join(map(markdown, sections(study)))


def gallery(answers: Mapping[str, str]) -> str:
    """The page that shows every answer: question, picture and paragraph, from the answers' own pages by name."""
    shown = ["# Answers\n\nEach is one experiment with a prediction written before it was run.\n"]
    for name, page in answers.items():
        question = page.partition("\n")[0].removeprefix("# ")
        paragraph = page.partition("![")[0].strip().rpartition("\n")[2]
        shown.append(f"## [{question}]({name}.md)\n\n{paragraph}\n\n![{question}]({name}.svg)\n")
    return "\n".join(shown)


def markdown_report(studies: Sequence[Study]) -> str:
    """Every study one after another, with the whole provenance; the figures stand beside."""
    return "\n".join(
        answer_page(study, f"{study.name}.svg") + "\n" + markdown(whole_provenance(study)) for study in studies
    )


def html_report(studies: Sequence[Study], figures: Sequence[str]) -> str:
    """One page that needs no other file."""
    body = ""
    for study, figure in zip(studies, figures, strict=True):
        experiment = study.manifest["experiment"]
        body += f"<h1>{html.escape(experiment['question'])}</h1>\n"
        if prediction := experiment.get("prediction"):
            body += f"<p><em>Predicted before running:</em> {html.escape(prediction)}</p>\n"
        body += f"<p>{html.escape(opening(study))}</p>\n"
        body += f"<figure>{figure}</figure>\n"
        body += "".join(html_section(section) for section in [*sections(study), whole_provenance(study)])
    return whole_page(" / ".join(study.manifest["experiment"]["question"] for study in studies), body)


def sections(study: Study) -> list[Section]:
    """The parts of an answer in their order."""
    parts = [
        Section("Step by step", findings(study)),
        Section("What would overturn it", overturning(study)),
        tables.verdicts(study),
        *(_of_cases(study) if study.cases else []),
        *(tables.totals(study, outcome) for outcome in dict.fromkeys(index.outcome for index in study.indices)),
        *(tables.boxes(discovery) for discovery in study.discoveries),
        Section("What is uncertain", uncertain(study)),
        Section("Design and provenance", design(study)),
    ]
    return [part for part in parts if part.lines or part.rows]


def _of_cases(study: Study) -> list[Section]:
    found = [tables.over_years(study), tables.steps(study), tables.slices(study)]
    return [*found, tables.turns(study), tables.left_out(study), tables.measures(study)]


def whole_provenance(study: Study) -> Section:
    """The program and what it ran on."""
    manifest = study.manifest
    versions = ", ".join(f"{name} {version}" for name, version in manifest["dependencies"].items())
    lines = [
        f"Program {manifest['program_hash']}, arithmetic {manifest['arithmetic']}.",
        f"Versions: {versions}.",
    ]
    return Section("Made with", lines)
