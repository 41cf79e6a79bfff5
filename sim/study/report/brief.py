"""A brief: one page for people who read nothing else. Question, answer, figure, three numbers, how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.compare.words import counted
from sim.errors import BadInput
from sim.results import escape
from sim.results.page import Section, anchor, html_table, html_text, markdown, whole_page
from sim.scenario.scenario import Scenario
from sim.study.report.answer import Answer
from sim.study.report.head import Head

# Of the model's rules, so the same for every result.
NOT_IN_IT = (
    "Prices of tools and materials, interest, exchange rates and finance, and stocks and re-exports of GOODS are not "
    "in it. What cannot be bought shows as demand that goes unmet, not as a higher price.",
    "War, elections and bargaining between states are not in it: states act on dates that are given, or by a rule.",
    "New firms are TARGET's own alone, and no firm that runs closes unless an event says so.",
)
COUNTS = ("numbers", "one number", "two numbers", "three numbers")
MOST_TRUST = 5  # sentences, so that it stays one page


@dataclass(frozen=True)
class Brief:
    """What stands on the page. `figure` is an SVG's text, `picture` the name of its file, `terms` what words mean."""

    question: str
    paragraph: str
    figure: str
    picture: str
    numbers: Section
    terms: Sequence[str]
    trust: Sequence[str]
    lacking: Sequence[str]
    made_by: str

    @property
    def lists(self) -> dict[str, Sequence[str]]:
        """What follows the numbers, by title."""
        lists = {
            "What the words mean": self.terms,
            "How far to trust it": self.trust,
            "What is not in the model": self.lacking,
        }
        return {title: lines for title, lines in lists.items() if lines}

    def markdown(self) -> str:
        parts = [
            f"# {escape.markdown(self.question)}\n",
            f"{escape.markdown(self.paragraph)}\n",
            f"![{escape.markdown(self.question)}]({self.picture})\n",
            markdown(self.numbers),
            *(markdown(Section(title, lines)) for title, lines in self.lists.items()),
            f"{escape.markdown(self.made_by)}\n",
        ]
        return "\n".join(parts)

    def html(self) -> str:
        """The same, as a page that needs no other file."""
        lists = "".join(
            f"<h2>{title}</h2>\n<ul>{''.join(f'<li>{html_text(line)}</li>' for line in lines)}</ul>\n"
            for title, lines in self.lists.items()
        )
        body = (
            f"<h1>{html_text(self.question)}</h1>\n"
            f'<p class="answer">{html_text(self.paragraph)}</p>\n'
            f"<figure>{self.figure}</figure>\n"
            f'<h2 id="{anchor(self.numbers.title)}">{html_text(self.numbers.title)}</h2>\n{html_table(self.numbers)}'
            f"{lists}<p><small>{html_text(self.made_by)}</small></p>\n"
        )
        return whole_page(self.question, f'<main class="brief">{body}</main>')


def brief_of(answer: Answer, head: Head) -> Brief:
    """The brief of a result."""
    world = answer.manifest.world
    return Brief(
        answer.experiment.question,
        head.paragraph,
        head.svg,
        f"{head.figure}.svg",
        Section(f"In {COUNTS[len(head.numbers)]}", (), ["what", "how much"], [[*each] for each in head.numbers]),
        [f"{term}: {meaning}." for term, meaning in head.terms.items()],
        [_spread(answer), *_trust(answer)[:MOST_TRUST]],
        [line.replace("TARGET", world.target_name).replace("GOODS", world.goods) for line in NOT_IN_IT],
        f"Made by decoupling study report {answer.name} --brief, from {counted(len(answer.result.done), 'run')} of the "
        f"batch; report.html has every table.",
    )


def _spread(answer: Answer) -> str:
    """What the brackets hold, and what they do not."""
    if answer.indices and not answer.cases:
        return (
            "Brackets hold 95 of 100 if the sample is drawn again. Its points fill their ranges evenly, also where "
            "published figures would rule a combination out, so a wider range makes a larger share."
        )
    if answer.sets > 1:
        return f"Brackets hold {answer.of_levels}: what the record leaves open of the parameters, and not of the rules."
    if answer.is_single:
        return (
            "Each case is one run, with one set of parameters: nothing here tells what is luck, or what is not known."
        )
    return (
        f"Brackets hold {answer.of_levels}, and behind a difference its {answer.of_differences}: luck alone, with one "
        'set of parameters. An experiment with parameters = "ensemble" says what the parameters leave open.'
    )


def _trust(answer: Answer) -> Sequence[str]:
    """What its world says of itself, if that is still the world of the result."""
    kept = answer.manifest.scenarios[answer.experiment.configs[0]]
    try:
        world = Scenario.from_dict(kept.model_dump(), str(answer.batch.folder)).world
    except BadInput:
        return []
    return world.trust if world.hash == answer.manifest.world.hash else []
