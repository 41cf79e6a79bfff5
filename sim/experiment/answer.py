"""The words of an answer, as an experiment's file has them: an author writes sentences, results give their numbers.

    [answer.headline]                   # what the answer is about
    measure = "domestic_supply_share"
    year = 2035
    of = "the controls"
    less = "no controls"

    [answer.cases]                      # by plain names, as the terms of a claim name them
    "the controls" = { config = "historic" }
    "no controls" = { config = "no-controls" }

    [answer.values]                     # by names that sentences use
    bite = { measure = "domestic_supply_share", year = 2035, of = "the controls", less = "no controls" }

    [[answer.sentences]]
    says = "The controls take about {bite} off the share of 2035, anywhere from {bite range}."
    holds = ["bite high < 0"]           # else the sentence has fallen

They are written after the runs and no result depends on them; its manifest keeps them beside the claims, which say what
was predicted before.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from sim.calendar import FIRST_YEAR, LAST_YEAR, OUTCOME_YEARS
from sim.errors import nearest
from sim.experiment.designs import SAMPLED, Part
from sim.experiment.factors import Table
from sim.results.claims import Claim
from sim.scenario.values import CAUSED

MOST_WORDS = 120
YEARS = (*OUTCOME_YEARS, LAST_YEAR)  # that every result has
WHOLE = ("sum", "peak")  # of all years
SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
PLACE = re.compile(r"\{([^{}]*)\}")
FORMS = ("range", "change", "low", "high", "number", "odds")  # of a placeholder, behind the name
ENDS = ("low", "high")  # of a value in a condition, behind the name
EFFECTS = ("bite", "answer", "total")


class Value(Table):
    """A number of the result: a measure of a year in a case, or less another case; or what runs of a sample come to.

    `reaches` makes it the part of the runs that come to a level or more, those of a sample where there is one, of which
    `where` keeps those in which a factor is so, such as "mandate.domestic >= 0.75"; `most` is the largest of all runs.
    `variance_in` makes it the part that the variance of `of` over seeds has in that of another case. `index` is a
    factor's total Sobol index in the config, or the "CONFIG less BASELINE", of `of`; "largest" is that of the factor
    that has the largest.
    """

    measure: str = Field(min_length=1)
    year: Any
    of: str | None = Field(default=None, min_length=1)
    less: str | None = Field(default=None, min_length=1)
    effect: Literal["bite", "answer", "total"] = "total"
    reaches: float | None = None
    most: bool = False
    where: list[str] = Field(default_factory=list)
    variance_in: str | None = Field(default=None, min_length=1)
    index: str | None = Field(default=None, min_length=1)

    @property
    def at(self) -> str:
        """The date as comparisons name it."""
        return "final" if self.year == LAST_YEAR else str(self.year)

    @property
    def outcome(self) -> str:
        return f"{self.measure}@{'end' if self.year == LAST_YEAR else self.year}"


class Sentence(Table):
    """A sentence with placeholders, and the conditions that have to hold for it to be said."""

    says: str = Field(min_length=1)
    holds: list[str]


class Figure(Table):
    """What is drawn: cases as lines of a measure over time, or values as rows, each by its name."""

    title: str = Field(min_length=1)
    axis: str = Field(min_length=1)
    measure: str | None = Field(default=None, min_length=1)
    lines: list[str] = Field(default_factory=list)
    rows: list[str] = Field(default_factory=list)
    mark: float | None = None


class Words(Table):
    """The table [answer]."""

    headline: Value
    cases: dict[str, dict[str, Any]] = Field(default_factory=dict)
    values: dict[str, Value] = Field(default_factory=dict)
    sentences: list[Sentence] = Field(min_length=1)
    figure: Figure
    terms: dict[str, str] = Field(default_factory=dict)


RIGHT = {
    "headline": "a table with measure, year, of and less",
    "cases": 'tables such as "no controls" = { config = "no-controls" }',
    "values": 'tables such as bite = { measure = "domestic_supply_share", year = 2035, of = "A CASE" }',
    "sentences": "tables [[answer.sentences]] with says, a sentence, and holds, a list of conditions",
    "figure": "a table with title, axis, and measure with lines, or rows",
    "terms": 'a table of what words mean, such as bite = "what the controls take if …"',
}


@dataclass(frozen=True)
class Operand:
    """One side of a condition: a number, or a value's middle or one of its ends."""

    number: float | None = None
    name: str = ""
    end: str = "middle"


@dataclass(frozen=True)
class Condition:
    """An inequality such as "bite high < 0"."""

    text: str
    left: Operand
    sign: str
    right: Operand

    @property
    def names(self) -> list[str]:
        return [side.name for side in (self.left, self.right) if side.name]


def condition(text: str, names: Mapping[str, Any]) -> Condition | None:
    """The condition that a text states, or None where it states none."""
    match = re.fullmatch(r"\s*(.+?)\s*(<=|>=|<|>)\s*(.+?)\s*", text)
    if match is None:
        return None
    sides = [_operand(match[place], names) for place in (1, 3)]
    if sides[0] is None or sides[1] is None or not (sides[0].name or sides[1].name):
        return None
    return Condition(text.strip(), sides[0], match[2], sides[1])


def _operand(text: str, names: Mapping[str, Any]) -> Operand | None:
    if text in names:
        return Operand(name=text)
    name, _, end = text.rpartition(" ")
    if name in names and end in ENDS:
        return Operand(name=name, end=end)
    try:
        return Operand(number=float(text))
    except ValueError:
        return None


def placeholder(text: str, names: Mapping[str, Any]) -> tuple[str, str] | None:
    """The value and the form that stand between braces; the form is empty for the number with its unit."""
    if text in names:
        return text, ""
    name, _, form = text.rpartition(" ")
    return (name, form) if name in names and form in FORMS else None


@dataclass(frozen=True)
class Asked:
    """What an experiment has, against which the words of its answer are checked."""

    configs: Sequence[str]
    baseline: str | None
    measures: Sequence[str]
    parts: Sequence[Part]
    leave_out: Sequence[str]
    every: str = "year"

    @property
    def swept(self) -> list[str]:
        return list(dict.fromkeys(key for part in self.parts for key in part.swept))

    @property
    def is_apart(self) -> bool:
        """Whether everything is run with the push held and with it answering."""
        levels = {point.get(CAUSED) for part in self.listed for point in part.points} - {None}
        return levels == {0.0, 1.0}

    @property
    def listed(self) -> list[Part]:
        return [part for part in self.parts if part.kind not in SAMPLED]

    @property
    def indexed(self) -> list[str]:
        """What Sobol indices are told of."""
        baseline = self.baseline
        less = [f"{name} less {baseline}" for name in self.configs if name != baseline] if baseline else []
        return [*self.configs, *less] if any(part.kind == "sobol" for part in self.parts) else []

    def count(self, case: Mapping[str, Any]) -> int:
        """How many points of configs a case names; a switch that it leaves out is on, the push answers."""
        given = {**dict.fromkeys(self.leave_out, True), **({CAUSED: 1.0} if self.is_apart else {}), **case}
        config = given.pop("config", None)
        configs = [name for name in self.configs if config in (None, name)]
        fits = sum(
            all(point.get(key, True if key in self.leave_out else None) == held for key, held in given.items())
            for part in self.listed
            for point in part.points
        )
        return len(configs) * fits


def faults_of(words: Words, asked: Asked, file: str) -> Iterator[str]:
    """A sentence for everything in the words of an answer that the experiment has not, or that cannot be told."""
    for name, case in words.cases.items():
        yield from _faults_of_case(case, asked, f"{file}: answer.cases.{name}")
    for name, value in (("headline", words.headline), *words.values.items()):
        where = f"{file}: answer.{'headline' if value is words.headline else f'values.{name}'}"
        yield from _faults_of_value(value, words, asked, where)
    for number, sentence in enumerate(words.sentences, start=1):
        yield from _faults_of_sentence(sentence, words, f"{file}: answer.sentences {number}")
    yield from _faults_of_figure(words, asked, f"{file}: answer.figure")
    if (count := sum(len(PLACE.sub("1", sentence.says).split()) for sentence in words.sentences)) > MOST_WORDS:
        yield f"{file}: answer.sentences: have {count} words; an answer has at most {MOST_WORDS}"


def faults_of_claims(claims: Sequence[Claim], asked: Asked, file: str) -> Iterator[str]:
    """A sentence for everything in the claims of a prediction that the experiment has not."""
    for claim in claims:
        where = f"{file}: claims: {claim.says!r}"
        for term in claim.terms:
            case = {key: held for key, held in term.items() if key not in ("times", "measure")}
            yield from _faults_of_case(case, asked, f"{where}: term")
        for outcome in dict.fromkeys(
            [claim.measure, *(str(term.get("measure", claim.measure)) for term in claim.terms)]
        ):
            yield from _faults_of_outcome(outcome, asked, where)
        if claim.largest and claim.of not in asked.indexed:
            yield f"{where}: of = {claim.of!r}: must be one of {', '.join(asked.indexed) or 'a Sobol design'}"
        elif claim.largest and claim.largest not in asked.swept:
            yield f"{where}: largest = {claim.largest!r}: is no factor{nearest(claim.largest, asked.swept)}"


def _faults_of_outcome(outcome: str, asked: Asked, where: str) -> Iterator[str]:
    measure, _, at = outcome.partition("@")
    if measure not in asked.measures:
        yield (
            f"{where}: {measure!r} is not recorded{nearest(measure, asked.measures)}; recorded are "
            f"{', '.join(asked.measures)}"
        )
    years = OUTCOME_YEARS if asked.every == "end" else range(FIRST_YEAR, LAST_YEAR + 1)
    if at not in ("end", *WHOLE, *map(str, years)):
        yield f"{where}: {outcome!r}: after @ must stand end, peak, sum or a year that is recorded"


def _faults_of_case(case: Mapping[str, Any], asked: Asked, where: str) -> Iterator[str]:
    known = ["config", *asked.swept, *asked.leave_out]
    unknown = [key for key in case if key not in known]
    for key in unknown:
        yield f"{where}: {key}: is neither config nor a factor{nearest(key, known)}; keys are {', '.join(known)}"
    if (config := case.get("config")) is not None and config not in asked.configs:
        yield (
            f"{where}: config = {config!r}: must be one of the configs, {', '.join(asked.configs)}"
            f"{nearest(config, asked.configs)}"
        )
    elif not unknown and (count := asked.count(case)) != 1:
        yield f"{where} = {dict(case)}: is {count} cases of the design and must be one; name its config and its factors"


def _faults_of_value(value: Value, words: Words, asked: Asked, where: str) -> Iterator[str]:
    if value.measure not in asked.measures:
        yield (
            f"{where}.measure = {value.measure!r}: is not recorded{nearest(value.measure, asked.measures)}; "
            f"recorded are {', '.join(asked.measures)}"
        )
    of_runs = value.of is None or value.reaches is not None or value.index
    years = YEARS if of_runs or asked.every == "end" else range(FIRST_YEAR, LAST_YEAR + 1)
    if value.year not in (*years, *WHOLE):
        known = f"from {FIRST_YEAR} to {LAST_YEAR}" if isinstance(years, range) else f"{', '.join(map(str, years))}"
        yield f"{where}.year = {value.year!r}: must be {known}, or sum or peak of all years"
    if value.index:
        if value.of not in asked.indexed:
            yield f"{where}.of = {value.of!r}: must be one of {', '.join(asked.indexed) or 'a Sobol design'}"
        elif value.index != "largest" and value.index not in asked.swept:
            yield f"{where}.index = {value.index!r}: is no factor{nearest(value.index, asked.swept)}, nor largest"
        return
    for key in ("of", "less", "variance_in"):
        held = getattr(value, key)
        if held is not None and held not in words.cases:
            known = f"one of answer.cases, {', '.join(words.cases)}" if words.cases else "a name in answer.cases"
            yield f"{where}.{key} = {held!r}: must be {known}{nearest(held, words.cases)}"
    if value.of is None and value.reaches is None and not value.most:
        yield f"{where}.of is missing; give the name of a case, or reaches or most, which are of all runs"
    if value.less and value.of is None:
        yield f"{where}.less = {value.less!r}: needs of, the case that it is taken from"
    if value.effect != "total" and not (value.less and asked.is_apart):
        yield (
            f"{where}.effect = {value.effect!r}: is of two cases, of and less, in an experiment with "
            f'"{CAUSED}" = [0.0, 1.0] among its factors'
        )
    for text in value.where:
        match = re.fullmatch(r"(\S+) (<=|>=) (\S+)", text)
        if match is None or match[1] not in asked.swept or _operand(match[3], {}) is None:
            yield f'{where}.where = {text!r}: must be a factor, <= or >=, and a number, such as "subsidy.annual >= 600"'


def _faults_of_sentence(sentence: Sentence, words: Words, where: str) -> Iterator[str]:
    held: set[str] = set()
    for text in sentence.holds:
        found = condition(text, words.values)
        if found is None:
            yield (
                f"{where}: holds = {text!r}: must be two of answer.values or numbers with <, <=, > or >= between, such "
                f'as "{next(iter(words.values), "bite")} high < 0"; values are {", ".join(words.values)}'
            )
        else:
            held.update(found.names)
    said = PLACE.findall(sentence.says)
    for text in said:
        found_in = placeholder(text, words.values)
        if found_in is None:
            yield (
                f"{where}: {{{text}}}: must be one of answer.values, {', '.join(words.values)}, alone or with "
                f"{', '.join(FORMS)} behind it{nearest(text, words.values)}"
            )
        elif found_in[0] not in held:
            yield f"{where}: {{{text}}}: no condition in holds is about {found_in[0]}; give the one that it rests on"
    if re.search(r"[{}]", PLACE.sub("", sentence.says)):
        yield f"{where}: says = {sentence.says!r}: has a brace without its other; a placeholder is {{NAME}}"


def _faults_of_figure(words: Words, asked: Asked, where: str) -> Iterator[str]:
    figure = words.figure
    if bool(figure.lines) == bool(figure.rows):
        yield f"{where}: must have lines, names of cases, or rows, names of values, and not both"
    if figure.lines and figure.measure not in asked.measures:
        yield (
            f"{where}.measure = {figure.measure!r}: must be a recorded measure, {', '.join(asked.measures)}"
            f"{nearest(figure.measure, asked.measures)}"
        )
    for key, known in (("lines", words.cases), ("rows", words.values)):
        for name in getattr(figure, key):
            if name not in known:
                of = "answer.cases" if key == "lines" else "answer.values"
                yield f"{where}.{key}: {name!r}: must be one of {of}, {', '.join(known)}{nearest(name, known)}"
