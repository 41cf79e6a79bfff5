"""Numbers and differences in words: rounded to the width of their interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from sim.compare.differences import Row
from sim.compare.pairing import ENDS_DIFFER
from sim.measures import INDEX, SHARE

MAIN_MEASURE = "domestic_supply_share"  # the one that the sentence tells, where it is compared
TIMES = {
    "final": "at the end",
    "peak": "at its peak",
    "sum": "summed over the years",
    "mean": "in the mean of all years",
}


def sentence(rows: Sequence[Row], how: str = "", luck_alone: bool = False) -> str:
    """What is to be said of one candidate; `how` is put behind the names.

    `luck_alone` adds what pairs of one parameter set tell, which those of a table from elsewhere may not.
    """
    first = rows[0]
    counts = Counter(row.verdict for row in rows)
    differing = {word: counts[word] for word in ("better", "worse", "changed") if counts[word]}
    total = sum(differing.values())
    shown = "none is shown to differ"
    if differing:
        words = ", ".join(f"{number} {word}" for word, number in differing.items())
        shown = f"{total} {'differs' if total == 1 else 'differ'} ({words})"
    what = "measure" if len({row.column for row in rows}) == len(rows) else "comparison"  # else of several dates
    parts = [f"of {counted(len(rows), what)} {shown}"]
    parts += [
        f"{counts[word]} {word}" for word in ("equivalent", "same", "inconclusive", "incomparable") if counts[word]
    ]
    main = main_row(rows)
    names = f"{first.candidate} against {first.baseline}{how}"
    return f"{names}: {', '.join(parts)}, {_over(rows, luck_alone)}; {difference_in_words(main)}."


def main_row(rows: Sequence[Row]) -> Row:
    """The row that stands for all: the domestic supply share where it is compared, else the first."""
    return next((row for row in rows if row.column == MAIN_MEASURE), rows[0])


def _over(rows: Sequence[Row], luck_alone: bool) -> str:
    if any(row.pairing == "unpaired" for row in rows):
        return f"unpaired, over {min(row.n_base for row in rows)} and {min(row.n_cand for row in rows)} runs"
    pairs = [row.n_pairs for row in rows if row.n_pairs] or [0]
    fewest, most = min(pairs), max(pairs)
    over = f"over {counted(most, 'pair') if fewest == most else f'{fewest} to {counted(most, "pair")}'}"
    sets = max(row.n_sets for row in rows)
    if sets > 1:
        return f"{over} of {sets} parameter sets"
    return f"{over} of one parameter set (intervals hold luck alone)" if luck_alone else over


def difference_in_words(row: Row) -> str:
    """For example "the chip market in 2030 is 1.2 bn yuan a year higher (95 % interval 0.9 to 1.5)"."""
    name = name_of(row)
    if row.diff is None:
        return f"{name} cannot be compared"
    scale, unit = told_in(row.unit)
    digits = decimals(row, scale)
    sets = row.n_sets > 1
    middle = row.diff_q50 if sets and row.diff_q50 is not None else row.diff
    difference, low, high = (
        rounded(None if value is None else scale * value, digits) for value in (middle, *row.spread)
    )
    if row.diff == 0 and (row.verdict == "same" or row.spread == (0.0, 0.0)):
        return f"{name} is exactly the same in all {row.n_pairs} pairs"
    of = f"90 % of {row.n_sets} parameter sets" if sets else f"{percent(row.ci_level)} interval"
    if low and row.verdict in ("inconclusive", "equivalent"):
        size = " ".join(word for word in (difference, unit) if word)
        margin = f"the margin of {rounded(scale * (row.margin or 0.0), digits)}"
        if row.verdict == "equivalent":
            return f"{name} differs by {size}, which is within {margin} ({of} {low} to {high})"
        opened = f"whether that is beyond {margin} is open" if row.margin else "the sign is open"
        return f"{name} differs by {size}, but {opened} ({of} {low} to {high})"
    direction = "higher"
    if middle < 0:
        direction = "lower"
        difference, low, high = (_turned(text) for text in (difference, high, low))
    size = " ".join(word for word in (difference, unit, direction) if word)
    if not low:
        return _without_interval(row, f"{name} is {size if row.diff else 'the same'}")
    if row.spread[0] == row.spread[1]:
        return f"{name} is {size} in every parameter set"
    text = f"{name} is {size} ({of} {low} to {high}"
    if sets and row.diff_lo is not None and row.diff_hi is not None:
        error = two_digits(scale * (row.diff_hi - row.diff_lo) / 2)
        same = f"{100 * (row.share_same_sign or 0.0):.0f} %"
        text += f"; {same} with the sign of the mean; error from seeds {error}"
    return f"{text})"


def name_of(row: Row) -> str:
    """What a row is of, such as "the chip market in 2030"."""
    when = TIMES.get(row.at, f"in {row.at}")
    of = "" if row.slice == "all" else f" of {row.slice.replace('_', ' ')}"
    return f"the {row.measure.replace('_', ' ')}{of} {when}"


def told_in(unit: str) -> tuple[float, str]:
    """What differences in a unit are multiplied by, and what stands behind them in a sentence."""
    return (100.0, "points") if unit == SHARE else (1.0, "of its level in 2020" if unit == INDEX else unit)


def behind(unit: str) -> str:
    """A unit as it stands behind a level in a sentence: "1.2 times its level in 2020" for an index."""
    return "times its level in 2020" if unit == INDEX else unit


def _without_interval(row: Row, text: str) -> str:
    if ENDS_DIFFER in row.flags:
        return f"{text}, but {ENDS_DIFFER}, so that it may be the time alone"
    if row.n_pairs == 1:
        return f"{text} in the one pair, which gives no interval"
    if f"the same in all {row.n_pairs} pairs" in row.flags:
        return f"{text} in every pair, which gives no interval"
    return f"{text}, with too few pairs that differ for an interval" if row.n_pairs else f"{text}, without an interval"


def _turned(text: str) -> str:
    """A number without its minus, or with one that it had not."""
    if not text:
        return text
    return text.removeprefix("-") if text.startswith("-") else f"-{text}" if float(text) else text


def less_at_risk(rows: Sequence[Row]) -> str:
    """A sentence where less is at risk in the same pairs in which less is made, which is not better by itself."""
    by_column = {(row.column, row.at): row for row in rows}
    for (column, at), risk in by_column.items():
        made = by_column.get(("chip_production_located", at))
        if column == "output_at_risk" and risk.verdict == "better" and made and (made.diff or 0.0) < 0:
            when = TIMES.get(at, f"in {at}")
            return f"Less output is at risk {when} where less is made, and less is made here: that is no gain by itself"
    return ""


def counted(number: int, what: str, several: str = "") -> str:
    return f"{number} {what}" if number == 1 else f"{number} {several or f'{what}s'}"


def percent(level: float) -> str:
    return f"{100 * level:g} %"


def decimals(row: Row, scale: float) -> int:
    """How many decimals tell a row's numbers, times `scale`.

    Two digits of the width of what the verdict is from, else four of the difference; never more than a float holds.
    """
    low, high = row.spread
    return decimals_of(
        [scale * value for value in (row.diff, row.base_mean, row.cand_mean) if value],
        abs(scale) * ((high or 0.0) - (low or 0.0)),
    )


def decimals_of(values: Sequence[float], width: float) -> int:
    """Decimals for numbers, the difference first, whose interval is so wide."""
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return 0 if width == 0 else 1 - math.floor(math.log10(width))
    digits = 1 - math.floor(math.log10(width)) if width else 3 - math.floor(math.log10(sizes[0]))
    return min(digits, 14 - math.floor(math.log10(max(sizes))))


def two_digits(value: float) -> str:
    """A small number by its first two digits."""
    return rounded(value, decimals_of([value], abs(value)))


def rounded(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"
