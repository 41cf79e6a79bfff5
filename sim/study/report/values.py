"""The numbers that an author's sentences name, and how they are said: rounded, with their unit in words."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.compare import push
from sim.compare.words import behind
from sim.compare.words import told_in as differences_in
from sim.experiment.answer import SIGNS, Condition, Operand, Value
from sim.experiment.designs import SAMPLED
from sim.measures import SHARE
from sim.scenario.values import CAUSED
from sim.study.report.answer import Answer
from sim.study.report.cases import designs

POINTS, PERCENT = "points", "%"
SPOKEN = {
    "bn yuan": "billion yuan",
    "bn yuan a year": "billion yuan a year",
    "thousand H100e a year": "thousand chips’ worth",
}
ALL = 10  # of which odds are told
RESAMPLES = 1000
MOST_DECIMALS = 2
EFFECTS: Mapping[str, str] = {"bite": push.HELD, "total": push.ANSWERS}


@dataclass(frozen=True)
class Number:
    """A value in a result: its 5, 50 and 95 % points over the parameter sets, or over the seeds of one.

    In the units of the measure; `scale` and `unit` are what it is told in. `above` is the part above zero.
    """

    low: float
    middle: float
    high: float
    above: float
    scale: float
    unit: str
    is_difference: bool

    @property
    def digits(self) -> int:
        """Decimals by the width of the interval: its fourth part is the last digit that is told."""
        width = self.scale * (self.high - self.low)
        size = width / 4 if width > 0 else abs(self.scale * self.middle) / 10
        least = 0 if self.unit in (POINTS, PERCENT) else -math.inf  # 7 % is not told as 10
        return int(max(least, min(-math.floor(math.log10(size)), MOST_DECIMALS))) if size > 0 else 0

    def said(self, end: str) -> str:
        """The size of the middle or of an end, without its sign."""
        size = abs(round(self.scale * getattr(self, end), self.digits))
        return f"{size:,.{max(self.digits, 0)}f}" if size else "0"

    def with_unit(self, text: str) -> str:
        unit = self.unit[:-1] if text in ("1", "−1") and self.unit in (POINTS, "years") else self.unit
        return f"{text} {unit}".strip()

    def direction(self, end: str) -> str:
        return "lower" if getattr(self, end) < 0 else "higher"

    @property
    def range(self) -> str:
        """Both ends: sizes where they have one sign, else how far below and above."""
        low, high = self.said("low"), self.said("high")
        if self.low < 0 < self.high and self.is_difference:
            return f"{low} lower to {high} higher"
        low, high = (high, low) if self.high <= 0 else (low, high)
        return low if low == high else f"{low} to {high}"

    def form(self, form: str) -> str:
        """What stands in a sentence for a placeholder with this form."""
        if form == "range":
            return self.range
        if form == "change":
            return f"{self.with_unit(self.said('middle'))} {self.direction('middle')}"
        if form in ("low", "high"):
            return self.said(form)
        if form == "number":
            return self.said("middle")
        if form == "odds":
            return f"{round(ALL * self.above)} in {ALL}"
        return self.with_unit(self.said("middle"))

    @property
    def whole(self) -> str:
        """The middle and both ends with their signs and the unit, for tables."""
        middle, *_ = self._signed()
        return self.with_unit(middle) + self.bare.removeprefix(middle)

    @property
    def bare(self) -> str:
        """The same without the unit."""
        middle, low, high = self._signed()
        return middle if low == high else f"{middle} ({low} to {high})"

    def _signed(self) -> Iterator[str]:
        for end in ("middle", "low", "high"):
            sign = "−" if round(self.scale * getattr(self, end), self.digits) < 0 else ""
            yield f"{sign}{self.said(end)}"


def number(answer: Answer, value: Value, cases: Mapping[str, Mapping[str, Any]]) -> Number:
    """The number of a value in an answer's result; `cases` are those that it may name."""
    unit_of = answer.unit_of(value.outcome)
    if value.index:
        return _index(answer, value)
    if value.variance_in:
        return _of_variance(answer, value, cases)
    if value.of is None or value.reaches is not None:
        return _of_runs(answer, value, cases, unit_of)
    values = by_set(answer, value, cases)
    scale, unit = told_in(unit_of, bool(value.less))
    low, middle, high = (float(q) for q in np.nanquantile(values, (0.05, 0.5, 0.95)))
    return Number(low, middle, high, float((values > 0).mean()), scale, unit, bool(value.less))


def told_in(unit: str, is_difference: bool) -> tuple[float, str]:
    """What numbers of a unit are multiplied by, and their unit in words."""
    if unit == SHARE:
        return 100.0, POINTS if is_difference else PERCENT
    return 1.0, SPOKEN.get(unit) or (differences_in(unit)[1] if is_difference else behind(unit))


def by_set(answer: Answer, value: Value, cases: Mapping[str, Mapping[str, Any]]) -> Array:
    """A level or a difference in each parameter set, or for each seed of one; shape (sets,) or (seeds,)."""
    if value.effect == "answer":
        total, bite = (by_set(answer, value.model_copy(update={"effect": each}), cases) for each in ("total", "bite"))
        return total - bite
    own = {CAUSED: push.LEVELS[push.HELD]} if value.effect == "bite" else {}
    parts = []
    for name in (value.of, value.less):
        if name is not None:
            (case,) = answer.named_by({**cases[name], **own})
            parts.append(answer.by_set(case, value.measure, value.at))
    return parts[0] - parts[1] if len(parts) > 1 else parts[0]


def _of_runs(answer: Answer, value: Value, cases: Mapping[str, Mapping[str, Any]], unit: str) -> Number:
    """The part of some runs that reach a level, or the most that one of them came to."""
    if value.of is not None:
        (case,) = answer.named_by(cases[value.of])
        values = case.result.outcomes[value.outcome]
    else:
        kept = np.array(answer.result.done)
        for switch in answer.left_out:
            kept &= np.array([held not in (False, "false") for held in answer.result.keys[switch]])
        if value.reaches is not None and (
            sampled := [p for p, kind in designs(answer.experiment).items() if kind in SAMPLED]
        ):
            kept &= np.array([part in sampled for part in answer.result.keys.get("part", sampled * len(kept))])
        for text in value.where:
            key, sign, level = text.split(" ")
            held = np.array([float(each) if each not in ("", None) else np.nan for each in answer.result.keys[key]])
            kept &= SIGNS[sign](held, float(level))  # type: ignore[arg-type]
        values = answer.result.outcomes[value.outcome][kept]
    if value.reaches is None:
        scale, told = told_in(unit, False)
        most = float(np.nanmax(values))
        return Number(most, most, most, 1.0, scale, told, False)
    share = float((values >= value.reaches).mean())
    return Number(share, share, share, share, 100.0, PERCENT, False)


def _of_variance(answer: Answer, value: Value, cases: Mapping[str, Mapping[str, Any]]) -> Number:
    """The part that a case's variance over seeds has in another's; its ends by resampling the seeds of both at once."""
    (case,), (whole,) = (answer.named_by(cases[name]) for name in (value.of, value.variance_in) if name)
    own, all_of = (answer.by_set(each, value.measure, value.at) for each in (case, whole))
    draws = np.random.default_rng(1).integers(0, len(own), (RESAMPLES, len(own)))
    low, high = np.quantile(own[draws].var(axis=1) / all_of[draws].var(axis=1), (0.05, 0.95))
    share = float(own.var() / all_of.var())
    return Number(float(low), share, float(high), 1.0, 100.0, PERCENT, False)


def _index(answer: Answer, value: Value) -> Number:
    """A factor's part of the variance, with all that it does together with others."""
    totals = answer.totals(str(value.of), value.outcome)
    found = totals[0] if value.index == "largest" else next(each for each in totals if each.factor == value.index)
    low, high = (found.value if end is None else end for end in (found.low, found.high))
    return Number(low, found.value, high, 1.0, 100.0, PERCENT, False)


def holds(found: Condition, numbers: Mapping[str, Number]) -> bool:
    """Whether a condition is so."""
    left, right = (_side(side, numbers) for side in (found.left, found.right))
    return SIGNS[found.sign](left, right)


def _side(side: Operand, numbers: Mapping[str, Number]) -> float:
    return float(side.number) if side.number is not None else float(operator.attrgetter(side.end)(numbers[side.name]))


def joined(words: Sequence[str]) -> str:
    """For example "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
