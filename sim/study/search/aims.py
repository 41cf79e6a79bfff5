"""What a search is after: objectives, constraints and how sure they must be, as its file words them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.calendar import FIRST_YEAR, LAST_YEAR, OUTCOME_YEARS
from sim.errors import BadInput, nearest
from sim.experiment.conditions import Condition, read_condition

OBJECTIVE = re.compile(r"\s*(?P<better>raise|lower)\s+(?P<outcome>\S+)\s*")
IN_SETS = re.compile(r"(?P<condition>.*?)(?:\s+in\s+(?P<part>\S+)\s+of\s+the\s+sets\s*)?", re.DOTALL)
ROBUST = ("mean", "worst", "regret")
RIGHT_OBJECTIVE = '"raise" or "lower" and an outcome, such as "lower subsidy_spent@sum"'
RIGHT_ROBUST = f"a part of the parameter sets above 0 and up to 1, such as 0.9, or one of {', '.join(ROBUST)}"


@dataclass(frozen=True)
class Objective:
    """An outcome, such as "subsidy_spent@sum", that is better the higher or the lower it is."""

    outcome: str
    higher: bool

    def __str__(self) -> str:
        return f"{'raise' if self.higher else 'lower'} {self.outcome}"


@dataclass(frozen=True)
class Constraint:
    """A condition on an outcome that must be met in a part of the parameter sets, 1 for all of them."""

    condition: Condition
    part: float

    def __str__(self) -> str:
        return f"{self.condition} in {self.part:g} of the sets"


@dataclass(frozen=True)
class Aims:
    """All that a search is after. `robust` is a part of the sets, or a word of ROBUST."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    robust: float | str

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Every outcome that is looked at, each once."""
        named = (*(each.outcome for each in self.objectives), *(each.condition.name for each in self.constraints))
        return tuple(dict.fromkeys(named))


def read_aims(
    objectives: Sequence[str],
    constraints: Sequence[str],
    robust: float | str,
    kinds: Mapping[str, str],
    every: str,
    where: str,
    problems: list[str],
) -> Aims | None:
    """Aims as a file words them; None, with a sentence for each fault, where there are any.

    `kinds` are those of the measures that are recorded, `every` says how often, `where` begins a message.
    """
    known = outcomes_of(kinds, every)
    before = len(problems)
    found = [_objective(text, known, kinds, every, f"{where}.objectives", problems) for text in objectives]
    named = [each.outcome for each in found if each]
    problems += [
        f"{where}.objectives: {name!r} is named twice; each outcome is one objective"
        for place, name in enumerate(named)
        if name in named[:place]
    ]
    kept = [_constraint(text, known, kinds, every, f"{where}.constraints", problems) for text in constraints]
    fine = robust in ROBUST if isinstance(robust, str) else 0 < robust <= 1
    if not fine:
        problems.append(f"{where}.robust = {robust!r}: must be {RIGHT_ROBUST}")
    if len(problems) > before:
        return None
    return Aims(tuple(filter(None, found)), tuple(filter(None, kept)), robust)


def outcomes_of(kinds: Mapping[str, str], every: str) -> list[str]:
    """The outcomes of the measures that are recorded; with yearly records those of every year."""
    years = range(FIRST_YEAR, LAST_YEAR + 1) if every == "year" else OUTCOME_YEARS
    times = ("end", *map(str, years), "peak")
    return [f"{name}@{at}" for name, kind in kinds.items() for at in (*times, *(("sum",) if kind == "flow" else ()))]


def _objective(
    text: str, known: Sequence[str], kinds: Mapping[str, str], every: str, where: str, problems: list[str]
) -> Objective | None:
    form = OBJECTIVE.fullmatch(text)
    if form is None:
        problems.append(f"{where} = {text!r}: must be {RIGHT_OBJECTIVE}")
        return None
    outcome = _whole(form["outcome"])
    if outcome not in known:
        problems.append(f"{where} = {text!r}: {_unknown(outcome, kinds, every)}")
        return None
    return Objective(outcome, form["better"] == "raise")


def _constraint(
    text: str, known: Sequence[str], kinds: Mapping[str, str], every: str, where: str, problems: list[str]
) -> Constraint | None:
    form = IN_SETS.fullmatch(text)
    assert form is not None  # whatever is there is a condition
    part = 1.0
    try:
        part = float(form["part"] or 1)
        fault = "" if 0 < part <= 1 else "part"
    except ValueError:
        fault = "part"
    if fault:
        problems.append(f'{where} = {text!r}: {form["part"]} must be a part of the sets, such as "in 0.9 of the sets"')
        return None
    try:
        condition = read_condition(form["condition"], where, re.findall(r"^\s*([^\s<>=]+)", form["condition"]))
    except BadInput as wrong:
        problems += wrong.problems
        return None
    outcome = _whole(condition.name)
    if outcome not in known:
        problems.append(f"{where} = {text!r}: {_unknown(outcome, kinds, every)}")
        return None
    return Constraint(Condition(outcome, condition.sense, condition.level), part)


def _whole(outcome: str) -> str:
    """A measure without a time stands for its end."""
    return outcome if "@" in outcome else f"{outcome}@end"


def _unknown(outcome: str, kinds: Mapping[str, str], every: str) -> str:
    """Why an outcome is not recorded."""
    name, _, at = outcome.partition("@")
    if name not in kinds:
        return f"{name!r} is not recorded{nearest(name, kinds)}; recorded are {', '.join(kinds)}"
    if at == "sum":
        return f"{name} is no flow, and only flows have a sum"
    if at.isdigit() and FIRST_YEAR <= int(at) <= LAST_YEAR and every != "year":
        years = " and ".join(map(str, OUTCOME_YEARS))
        return f'{at} is not recorded; give [record] every = "year", or one of end, {years} and peak'
    return f"after @ must stand end, peak, sum (of flows) or a year from {FIRST_YEAR} to {LAST_YEAR}"
