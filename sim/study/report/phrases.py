"""Parts of an answer as phrases: numbers rounded to the width of their interval, shares in points or per cent."""

from __future__ import annotations

from sim.compare.differences import Row
from sim.compare.words import decimals, decimals_of, rounded, told_in, two_digits
from sim.measures import SHARE
from sim.study.report.answer import Answer, Step
from sim.study.sensitivity import Index

MOST_DECIMALS = 2  # of points and per cent: a smaller part of a share is none that matters
LEAST = 0.01  # points that are told


def difference(row: Row) -> str:
    """A difference with what the verdict is from, such as "-1.2 points (-1.6 to -0.8)"."""
    if row.diff is None:
        return "what cannot be told"
    scale, unit = told_in(row.unit)
    if row.diff == 0 and set(row.spread) <= {0.0, None}:
        return "0"
    digits = digits_of(row)
    middle = row.diff_q50 if row.diff_q50 is not None else row.diff
    number, low, high = (rounded(None if v is None else scale * v, digits) for v in (middle, *row.spread))
    if unit == "points" and not any(float(each or 0) for each in (number, low, high)):
        return f"less than {LEAST} points"
    unit = "point" if unit == "points" and number in ("1", "-1") else unit
    return f"{number} {unit}" + (f" ({low} to {high})" if low else "")


def digits_of(row: Row) -> int:
    """The decimals of a difference, by the width of its interval."""
    scale, unit = told_in(row.unit)
    digits = decimals(row, scale)
    return min(digits, MOST_DECIMALS) if unit == "points" else digits


def level(row: Row) -> str:
    """A case's own value: the median and the 5 to 95 % points over parameter sets, shares in per cent."""
    if row.cand_q50 is None or row.cand_q05 is None or row.cand_q95 is None:
        return ""
    scale = 100.0 if row.unit == SHARE else 1.0
    numbers = [scale * held for held in (row.cand_q50, row.cand_q05, row.cand_q95)]
    digits = decimals_of(numbers, numbers[2] - numbers[1])
    digits = min(digits, MOST_DECIMALS) if row.unit == SHARE else digits
    middle, low, high = (rounded(number, digits) for number in numbers)
    return middle if low == high else f"{middle} ({low} to {high})"


def deviation(seeds: float | None, row: Row) -> str:
    """What a seed adds to a row, empty where there is one seed."""
    if seeds is None:
        return ""
    scale, unit = told_in(row.unit)
    return "0" if seeds == 0 or (unit == "points" and scale * seeds < 0.005) else two_digits(scale * seeds)


def unit_of(row: Row) -> str:
    return "%" if row.unit == SHARE else row.unit


def where(answer: Answer, step: Step) -> str:
    """The other keys of a step where they are not the reference's."""
    reference = answer.cases[0].keys
    told = [step.case.words_of(key) for key, held in step.context.items() if held != reference[key]]
    return f" (at {', '.join(told)})" if told else ""


def scale_of(answer: Answer, outcome: str) -> tuple[float, str]:
    return told_in(answer.manifest.columns[outcome].unit)


def between(index: Index, scale: float = 1.0) -> str:
    """An index with its interval, such as "0.31 (0.25 to 0.37)"."""
    numbers = [scale * held for held in (index.value, index.low or 0.0, index.high or 0.0)]
    digits = decimals_of(numbers[:1], numbers[2] - numbers[1])
    middle, low, high = (rounded(number, digits) for number in numbers)
    return f"{middle} ({low} to {high})"


def with_interval(index: Index) -> str:
    if index.low is None or index.high is None:
        return f"{index.value:.2f}"
    return f"{index.value:.2f} ({index.low:.2f} to {index.high:.2f})"
