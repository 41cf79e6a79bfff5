"""Whether the indices of a ranking have settled, in one sentence: their widest interval, their order, their growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.compare.enough import SETTLED, samples_for

TOLD = 3  # factors by name
NOT_SETTLED = "not settled"


@dataclass(frozen=True)
class Bounds:
    """A factor's index with its interval, in parts of what a whole effect would be; no interval is None."""

    factor: str
    value: float
    low: float | None
    high: float | None


def verdict(
    ranked: Sequence[Bounds], others: Sequence[Bounds], count: int, units: str, moved: tuple[int, float] | None
) -> tuple[float, str]:
    """The width of the widest interval, and the sentence; `ranked` are of the index by which factors are ranked.

    `moved` is how far an index was from where it is now with so many fewer samples.
    """
    known = [each.high - each.low for each in (*ranked, *others) if each.low is not None and each.high is not None]
    if not known:
        return float("nan"), f"cannot be told with {count} {units}: no index has an interval"
    widest = max(known)
    if widest <= SETTLED:
        start = f"settled with {count} {units}: the widest 95 % interval is {widest:.2f}, and {SETTLED:g} is the rule"
    else:
        start = (
            f"{NOT_SETTLED} with {count} {units}: the widest 95 % interval is {widest:.2f}, and {SETTLED:g} is the "
            f"rule; some {samples_for(widest, count):,} would do"
        )
    grown = f"from {moved[0]} to {count} an index moved by up to {moved[1]:.2f}" if moved else ""
    return widest, "; ".join(part for part in (start, order(ranked), grown) if part)


def order(ranked: Sequence[Bounds]) -> str:
    """How far the order of the factors is beyond doubt, as far as intervals that do not overlap show it."""
    rest = sorted((each for each in ranked if each.low is not None), key=lambda each: -each.value)
    clear = []
    while len(rest) > 1 and (rest[0].low or 0.0) > max(each.high or 0.0 for each in rest[1:]):
        clear.append(rest.pop(0))
    if len(rest) == 1 and clear:
        return f"the order is beyond doubt, {', '.join(each.factor for each in [*clear, *rest])}"
    told = f"{_named(clear)} come{'s' * (len(clear) == 1)} first beyond doubt, " if clear else ""
    if not rest:
        return ""
    open_ = [each for each in rest if (each.high or 0.0) >= (rest[0].low or 0.0)]
    return f"{told}{'the next' if clear else 'the first'} place is open between {_named(open_)}"


def _named(factors: Sequence[Bounds]) -> str:
    names = [each.factor for each in factors]
    more = len(names) - TOLD
    if more > 0:
        return f"{', '.join(names[:TOLD])} and {more} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
