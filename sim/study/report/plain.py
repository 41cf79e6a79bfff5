"""The page of an answer for people who read nothing else of the project, and the page of its long tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sim.calendar import OUTCOME_YEARS
from sim.compare.words import counted
from sim.experiment.answer import Value, Words
from sim.experiment.experiment import Experiment
from sim.results import escape
from sim.results.page import Section, markdown
from sim.study.plot.words import sentence
from sim.study.report.answer import Answer, RankVerdict, Verdict
from sim.study.report.cases import Case
from sim.study.report.drawn import figure, tornado
from sim.study.report.overturning import Overturning, overturning, plain
from sim.study.report.readings import DRAWN, FITTED, OWN, Reading, effects, is_apart, readings
from sim.study.report.told import Told
from sim.study.report.values import joined

WORDS_ALONE = frozenset({"verdict", "found"})
HEADER = ["value", "measure", "unit", "year", "of", "less", "effect", "reading", "over", "low", "middle", "high"]
IN_WORDS = {
    OWN: "the model’s own parameters, luck alone",
    FITTED: "parameters that fit the record up to 2024",
    DRAWN: "all unknowns drawn at once, fitting or not",
}
OVER = {OWN: "run", FITTED: "parameter set", DRAWN: "draw"}
WHY = {
    OWN: "The first row moves luck alone: the cycle of demand, research that succeeds or not, factories that are late.",
    FITTED: "The row of what fits the record also moves what the published figures leave open.",
    DRAWN: (
        "The last lets every unknown be anything that its source allows, also together with others where the record "
        "rules that out, so its middle may lie elsewhere and its ends wider apart."
    ),
}

FARED = "What was predicted, and what came"
NOT_PREDICTED = "No prediction was written down before these runs."
OF_SAMPLE = (
    "Here all unknowns are drawn at once, each over its whole range: the last of the three readings that other answers "
    "have. The other two hold the unknowns still, or near the record, and cannot say which of them decides. A line in "
    "the figure is where 95 of 100 lie if the sample is drawn again."
)
OF_SAMPLE_TOO = (
    "The figure above is what stands here in other answers: which unknowns move a number, and how far. So this page "
    "has no other of that kind."
)
NO_SWINGS = "Nothing that was varied moves it far enough to be told."
POINTS = "percentage points: a rise from 20 % to 26 % is 6 points"
PARAMETER_SET = (
    "a value for everything that is not known, such that the model agrees with the published figures up to 2024"
)
WORDED_ANEW = "Worded anew after the runs, so that it predicts nothing"
CAME_OUT = "*Came out*: in 95 of 100 or more; *did not come out*: in 5 of 100 or fewer; *open*: in between."


@dataclass(frozen=True)
class Page:
    """An answer with the words of its author, and all that its page shows."""

    answer: Answer
    experiment: Experiment
    words: Words

    @cached_property
    def told(self) -> Told:
        return Told(self.words, self.answer)

    @cached_property
    def readings(self) -> list[Reading]:
        return readings(self.answer, self.words, self.experiment)

    @cached_property
    def overturning(self) -> Overturning:
        return overturning(self.answer, self.words, self.readings)

    @cached_property
    def is_apart(self) -> bool:
        return is_apart(self.answer, self.words.headline, self.words)

    @property
    def name(self) -> str:
        return self.answer.name

    def files(self) -> dict[str, str]:
        """Every file of the answer by its name."""
        made = {
            f"{self.name}.md": self.text(),
            f"{self.name}.svg": figure(self.told),
            f"{self.name}-tables.md": self.tables(),
            f"{self.name}-numbers.csv": self.numbers(),
        }
        if self.overturning.swings:
            made[overturned(self.name)] = tornado(self.overturning, "What would change it", self._headline())
        return made

    def text(self) -> str:
        """The page."""
        parts = [
            f"# {escape.markdown(self.experiment.question)}\n",
            f"{escape.markdown(' '.join(filter(None, (self.told.paragraph, self.told.fallen_in_short))))}\n",
            f"![{escape.markdown(self.words.figure.title)}]({self.name}.svg)\n",
            *(f"- {escape.markdown(text)}\n" for text in self.told.fallen),
        ]
        below = [*filter(None, [self._apart()]), self._sure(), self._overturned(), self._prediction()]
        parts += filter(None, [self._terms(" ".join([*parts, *below]))])
        return "\n".join([*parts, *below, self._more()])

    def _terms(self, page: str) -> str:
        """What words mean: those of the author, and those that the program puts on the page, where it has."""
        said = dict(self.words.terms)
        if " point" in page:
            said["points"] = POINTS
        if " parameter set" in page:
            said["parameter set"] = PARAMETER_SET
        if not said:
            return ""
        lines = [f"- *{escape.markdown(term)}*: {escape.markdown(meaning)}." for term, meaning in said.items()]
        return "## What the words mean\n\n" + "\n".join(lines) + "\n"

    def _headline(self) -> str:
        """What the headline is, such as "share of chips made at home in 2035: the controls, against none"."""
        headline = self.words.headline
        when = {"sum": "summed over all years", "peak": "at its peak"}.get(str(headline.year), f"in {headline.year}")
        of = f"{headline.of}, against {headline.less}" if headline.less else str(headline.of)
        return f"{sentence(self.answer.words.measure(headline.measure))} {when}: {of}"

    def _sure(self) -> str:
        """The readings of the headline beside each other, and why they differ."""
        if not self.readings:
            return f"## How sure is this?\n\n{OF_SAMPLE}\n"
        names = ["bite", "total"] if self.is_apart else ["total"]
        header = ["what is varied", *(names if self.is_apart else ("found",))]
        rows = [
            [f"{IN_WORDS[each.name]} ({counted(each.of, OVER[each.name])})", *(each.numbers[n].whole for n in names)]
            for each in self.readings
        ]
        why = " ".join(WHY[each.name] for each in self.readings)
        section = Section("How sure is this?", (), header, rows)
        first = f"{self._headline()}. In brackets: the range that holds 90 of 100."
        head, _, table = markdown(section).partition("\n\n")
        return f"{head}\n\n{escape.markdown(first)}\n\n{table}\n{escape.markdown(why)}\n"

    def _apart(self) -> str:
        """Bite and total in everyday words, by year."""
        if not self.is_apart:
            return ""
        world = self.answer.manifest.world
        target = world.target_name
        said = (
            f"{target} pushes for {world.goods} of its own, and did so before the controls. How much of that push they "
            "caused nobody can say, so there are two answers. The *bite* is what the controls do if they caused none "
            f"of it: without them {target} would push just as hard. The *total* is what they do if they caused all "
            "of it: without them there would be no more push than before. The truth lies at one of the two, or in "
            "between."
        )
        rows, adds = [], False
        for year in (*OUTCOME_YEARS, self.answer.manifest.horizon.last):
            found = effects(self.answer, self.words.headline.model_copy(update={"year": year}), self.words)
            rows.append([str(year), *(found[name].whole for name in ("bite", "answer", "total"))])
            adds |= any(found["answer"].said(end) != "0" for end in ("low", "high"))
        if not adds:
            said += " Here the push adds nothing, so that the two are one."
        header = ["year", "bite", "what the push adds", "total"]
        head, _, table = markdown(Section("If they caused the push, and if not", (), header, rows)).partition("\n\n")
        return f"{head}\n\n{said}\n\n{table}"

    def _overturned(self) -> str:
        title = "## What would overturn it"
        swings, headline = self.overturning.swings, self.overturning.headline
        if not swings:
            return f"{title}\n\n{NO_SWINGS if self.readings else OF_SAMPLE_TOO}\n"
        over = next(
            counted(each.of, OVER[each.name]) + (" of all unknowns" if each.name == DRAWN else "")
            for each in self.readings
            if each.name == (FITTED if self.answer.sets > 1 else DRAWN)
        )
        said = (
            f"{self._headline()}. Each bar goes from the middle of the third of the {over} in which something is "
            "lowest to that of the third in which it is highest"
        )
        said += "; a diamond is without a part of the model." if any(each.is_left_out for each in swings) else "."
        if headline.is_difference:
            turning = [swing.words for swing in swings if swing.turns(headline.middle)]
            said += (
                f" Its sign turns with these: {joined(turning)}." if turning else " None of them alone turns its sign."
            )
            said += self._of_other_sign(over)
        picture = f"![What would change it]({overturned(self.name)})"
        return f"{title}\n\n{escape.markdown(said)}\n\n{picture}\n"

    def _of_other_sign(self, over: str) -> str:
        """In how many of the parameter sets or draws the sign of a difference is not that of the middle."""
        others = self.overturning.others
        return f" In {others} of the {over} it has another sign." if others else f" It has the same sign in all {over}."

    def _prediction(self) -> str:
        """What was predicted, and how each part of it fared."""
        prediction = self.answer.experiment.prediction
        if not prediction:
            return f"## {FARED}\n\n{NOT_PREDICTED}\n"
        rows = [[verdict.claim.says, *self._fared(verdict)] for verdict in self.answer.verdicts]
        section = Section(FARED, (), ["predicted", "verdict", "found"], rows, WORDS_ALONE)
        head, _, table = markdown(section).partition("\n\n")
        when = "Written before anything was run" if self.answer.manifest.is_foretold else WORDED_ANEW
        written = f"{when}: *{escape.markdown(prediction)}*"
        said = [] if any(isinstance(verdict, RankVerdict) for verdict in self.answer.verdicts) else [CAME_OUT]
        return "\n\n".join([head, written, table.rstrip("\n"), *said]) + "\n"

    def _fared(self, verdict: Verdict | RankVerdict) -> list[str]:
        if isinstance(verdict, RankVerdict):
            return [verdict.word, f"the largest is {plain(self._first(verdict), self.answer)}"]
        of = "parameter sets" if self.answer.sets > 1 else "runs"
        return [verdict.word, f"so in {100 * verdict.share:.0f} of 100 {of}"]

    @staticmethod
    def _first(verdict: RankVerdict) -> str:
        return max((verdict.named, verdict.other), key=lambda index: index.value).factor

    def _more(self) -> str:
        return (
            "## More\n\n"
            f"[The long tables]({self.name}-tables.md) have every case, part and mechanism; [the numbers above]"
            f"({self.name}-numbers.csv) are in a file. These are results of a model: no number shows what its rules "
            f"leave out. These two commands make every file of this page again, byte for byte: {made_by(self.name)}\n"
        )

    def tables(self) -> str:
        """The long tables, on a page of their own."""
        from sim.study.report.pages import sections

        head = f"# Tables: {escape.markdown(self.experiment.question)}\n\n[The answer]({self.name}.md) in short. "
        return f"{head}{made_by(self.name)}\n\n" + "\n".join(map(markdown, sections(self.answer)))

    def numbers(self) -> str:
        """Every number of the page as CSV, shares from 0 to 1."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(self._numbers())
        return text.getvalue()

    def _numbers(self) -> Iterator[Sequence[object]]:
        for each in self.readings or []:
            for effect, found in each.numbers.items():
                value = self.words.headline.model_copy(update={"effect": effect})
                yield [*self._row("headline", value), each.name, each.of, found.low, found.middle, found.high]
        reading = FITTED if self.answer.sets > 1 else OWN
        of = self.answer.sets if self.answer.sets > 1 else len(self.answer.manifest.seeds)
        for name, value in self.words.values.items():
            found = self.told.numbers[name]
            yield [*self._row(name, value), reading, of, found.low, found.middle, found.high]

    def _row(self, name: str, value: Value) -> list[object]:
        unit = self.answer.unit_of(value.outcome)
        return [name, value.measure, unit, value.year, value.of or "", value.less or "", value.effect]


def overturned(name: str) -> str:
    """The file of an answer's tornado, which not every answer has."""
    return f"{name}-overturned.svg"


def made_by(name: str) -> str:
    """The words of an answer's page that say how it was made, and that this program made it."""
    return f"`decoupling batch {name}`, then `decoupling study report {name}`."


def page_of(answer: Answer, experiment: Experiment) -> Page:
    """The page of an answer by the words and labels of its experiment, which may be newer than its result."""
    assert experiment.answer
    manifest = answer.manifest.model_copy(update={"labels": dict(experiment.labels)})
    labelled = replace(answer, batch=replace(answer.batch, manifest=manifest), cases=_named(answer, experiment.answer))
    return Page(labelled, experiment, experiment.answer)


def _named(answer: Answer, words: Words) -> list[Case]:
    """The cases by the names that the author gave them; the others by what tells them apart."""
    names = {id(case): name for name, held in words.cases.items() for case in answer.named_by(held)}
    return [replace(case, label=names.get(id(case), case.label)) for case in answer.cases]
