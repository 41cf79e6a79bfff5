"""How sure a difference is: intervals over seeds, points across parameter sets, and the verdict from them.

Two kinds of uncertainty are kept apart. Over the seeds of a parameter set a mean has a *numerical error*, which
more seeds shrink. Across parameter sets the differences have a spread, *what is not known*, which they do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array

LEVEL = 0.95  # confidence of an interval where none is asked for
FEW = 10  # pairs, or parameter sets
FEWEST_OFF = 5  # pairs that differ, where most are equal
RESAMPLES = 9999
NOISE = 1e-12  # of a value, and in the unit of a known measure: what the order of a sum can make of equal runs
POINTS = (0.05, 0.5, 0.95)
SKEWED = "skewed differences: the interval is unsure"


@dataclass(frozen=True)
class Estimate:
    """A mean with the interval of its numerical error, None where none holds; `flags` say why.

    `spread` is one seed's deviation.
    """

    mean: float
    low: float | None
    high: float | None
    spread: float | None
    flags: tuple[str, ...] = ()


def student(differences: Array, level: float) -> Estimate:
    """The mean of at least one difference with Student's t interval.

    There is none for one pair, nor where most pairs are equal and fewer than five are not: how often and by how much
    a rare pair differs is then not in the sample, and t covers 0.4 instead of 0.95 (docs/reference/intervals.md).
    """
    count = len(differences)
    mean = middle_of(differences)
    if count == 1:
        return Estimate(mean, None, None, None)
    spread = float(differences.std(ddof=1)) if np.ptp(differences) else 0.0
    if reason := too_equal(differences):
        return Estimate(mean, None, None, None, (reason,))
    reach = t_quantile(count - 1, level) * spread / math.sqrt(count)
    return Estimate(mean, mean - reach, mean + reach, spread, (SKEWED,) if is_skewed(differences) else ())


def middle_of(values: Array) -> float:
    """The mean; of equal numbers exactly theirs, which a sum over them need not give."""
    return float(values.mean() if np.ptp(values) else values[0])


def too_equal(differences: Array) -> str:
    """Why there can be no interval where most of at least two pairs are equal; nothing where there can."""
    count = len(differences)
    off = count - int((differences == np.median(differences)).sum())  # a value that most have is the median
    if off >= min(FEWEST_OFF, count / 2):
        return ""
    if off:
        return f"no interval: only {off} of {count} pairs differ from the others"
    # None of n is off with the chance (1 - p)^n, which is 5 % for this p.
    return f"no interval: the same in all {count} pairs; up to {1 - 0.05 ** (1 / count):.0%} of pairs may be others"


def t_quantile(freedom: float, level: float) -> float:
    """Where Student's t leaves (1 - level) / 2 above it."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


def bootstrap(differences: Array, level: float) -> Estimate:
    """The mean with a studentised bootstrap interval, which follows the skewness of the differences.

    Efron (1982), Hall (1988): the means of resamples in units of their own errors stand in for Student's t. The
    resampling starts from a fixed seed, so that the same files give the same interval. With fewer than five pairs
    resamples are too often without spread, and the interval is Student's.
    """
    plain = student(differences, level)
    count = len(differences)
    if plain.low is None or plain.spread is None or count < FEWEST_OFF:
        return plain
    generator = np.random.default_rng(1)
    batch = max(1, 2_000_000 // count)
    ratios = []
    for size in [batch] * (RESAMPLES // batch) + [RESAMPLES % batch]:
        drawn = differences[generator.integers(count, size=(size, count))]
        errors = drawn.std(axis=1, ddof=1) / math.sqrt(count)
        drawn_means = drawn.mean(axis=1)
        ratios.append((drawn_means - plain.mean)[errors > 0] / errors[errors > 0])
    below, above = np.quantile(np.concatenate(ratios), [(1 - level) / 2, (1 + level) / 2]).tolist()
    error = plain.spread / math.sqrt(count)
    flags = ("bootstrap interval", *plain.flags)
    return Estimate(plain.mean, plain.mean - above * error, plain.mean - below * error, plain.spread, flags)


def over_seeds(
    differences: Array, sets: NDArray[Any], seeds: NDArray[Any], level: float, resample: bool = False
) -> Estimate:
    """The mean over parameter sets of their means over seeds, with its numerical error.

    Where every set has the same seeds, luck is shared: the sets are averaged within each seed, and the interval is
    over seeds. Else the sets' errors are taken as independent, with degrees of freedom after Welch and Satterthwaite.
    """
    interval = bootstrap if resample else student
    set_count, seed_count = sets.max() + 1, seeds.max() + 1
    if set_count == 1:
        one = ("one pair: no interval",) if len(differences) == 1 else ()
        return _with_flags(interval(differences, level), _few(len(differences), 1) + one)
    fewest = int(np.bincount(sets).min())
    few = _few(fewest, set_count)
    if len(differences) == set_count * seed_count:
        table = np.empty((set_count, seed_count))
        table[sets, seeds] = differences
        one = ("one seed a parameter set: the numerical error is unknown",) if seed_count == 1 else ()
        sizes: Array = np.abs(table).mean(axis=0)
        over_sets = without_noise(table.mean(axis=0), sizes, 0.0)
        return _with_flags(interval(over_sets, level), few + one)
    means, counts = set_means(differences, sets)
    mean = float(means.mean())
    if (counts < 2).any():
        one = ("a parameter set with one seed: the numerical error is unknown",)
        return Estimate(mean, None, None, None, few + one)
    squares = np.bincount(sets, np.square(differences - means[sets])) / (counts - 1) / counts
    flags = (*few, "seeds differ between parameter sets: their errors are taken as independent")
    error = math.sqrt(squares.sum()) / set_count
    rest = without_noise(differences - means[sets], abs(differences) + abs(means[sets]), 0.0)
    if reason := too_equal(rest):
        return Estimate(mean, None, None, None, (*flags, reason))
    freedom = squares.sum() ** 2 / (np.square(squares) / (counts - 1)).sum()
    reach = t_quantile(freedom, level) * error
    return Estimate(mean, mean - reach, mean + reach, None, flags)


def _few(count: int, sets: int) -> tuple[str, ...]:
    if count >= FEW:
        return ()
    return ("few pairs",) if sets == 1 else (f"few pairs: {count} in a parameter set",)


def _with_flags(estimate: Estimate, before: tuple[str, ...]) -> Estimate:
    return replace(estimate, flags=before + estimate.flags)


def without_noise(differences: Array, sizes: Array, floor: float) -> Array:
    """Differences in which those that arithmetic alone can make count as none, from 0 and from the middle one.

    `sizes` are those of the values that were subtracted, shape (pairs,). Else a policy that adds the same to every run
    would have an interval as wide as the last digits, and one that changes nothing would be better or worse.
    """
    if not len(differences):
        return differences
    noise = NOISE * sizes + floor
    differences = np.where(abs(differences) <= noise, 0.0, differences)
    middle = float(np.median(differences))
    return np.where(abs(differences - middle) <= noise, middle, differences)


def set_means(values: Array, sets: NDArray[Any]) -> tuple[Array, NDArray[Any]]:
    """Each parameter set's mean, and its number of values."""
    counts = np.bincount(sets)
    return np.bincount(sets, values) / counts, counts


def welch(ours: Array, theirs: Array, level: float) -> Estimate:
    """The difference of two unpaired means, theirs less ours, with Welch's interval; none where most runs are equal."""
    mean = middle_of(theirs) - middle_of(ours)
    few = ("few runs",) if min(len(ours), len(theirs)) < FEW else ()
    if len(ours) < 2 or len(theirs) < 2:
        return Estimate(mean, None, None, None, (*few, "one run: no interval"))
    squares = [float(values.var(ddof=1)) if np.ptp(values) else 0.0 for values in (ours, theirs)]
    if all(too_equal(values) for values in (ours, theirs)):
        why = "no interval: nearly all runs of each side are equal"
        return Estimate(mean, None, None, None, (*few, why))
    parts = [square / len(values) for square, values in zip(squares, (ours, theirs), strict=True)]
    below = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (ours, theirs), strict=True))
    reach = t_quantile(sum(parts) ** 2 / below, level) * math.sqrt(sum(parts))
    flags = (*few, SKEWED) if is_skewed_between(ours, theirs) else few
    return Estimate(mean, mean - reach, mean + reach, math.sqrt(sum(squares)), flags)


def quantiles(values: Array) -> tuple[float | None, ...]:
    """The 5, 50 and 95 % points, interpolated."""
    if not len(values):
        return (None,) * len(POINTS)
    return tuple(map(float, np.quantile(values, POINTS)))


def share_above(ours: Array, theirs: Array, paired: bool) -> float:
    """How often theirs is greater: over the pairs, or over all combinations where unpaired; equals count half."""
    if paired:
        return float(((theirs > ours) + 0.5 * (theirs == ours)).mean())
    ordered = np.sort(ours)
    below, upto = np.searchsorted(ordered, theirs, "left"), np.searchsorted(ordered, theirs, "right")
    return float((below + 0.5 * (upto - below)).mean() / len(ours))


def correlation(ours: Array, theirs: Array, sets: NDArray[Any]) -> float | None:
    """The correlation of the two sides over seeds, within parameter sets; None for fewer than three pairs."""
    if len(ours) < 3:
        return None
    if sets.max():  # one set's mean is taken off anyway
        ours, theirs = (values - set_means(values, sets)[0][sets] for values in (ours, theirs))
    if np.ptp(ours) == 0 or np.ptp(theirs) == 0:
        return None
    coefficient = float(np.corrcoef(ours, theirs)[0, 1])
    return coefficient if math.isfinite(coefficient) else None


def is_skewed(differences: Array) -> bool:
    """Whether the differences are too skewed for their number: pairs < 25 x skewness squared.

    That is Cochran's rule of thumb (Sampling Techniques, 1977); the skewness is the sample's, g1. Below ten pairs it
    says too little, and few pairs are flagged anyway.
    """
    if len(differences) < FEW or np.ptp(differences) == 0:
        return False
    deviations = differences - differences.mean()
    squares = deviations * deviations  # a power of 3 takes ten times as long
    skewness = (squares * deviations).mean() / squares.mean() ** 1.5
    return bool(len(differences) < 25 * skewness**2)


def is_skewed_between(ours: Array, theirs: Array) -> bool:
    """Cochran's rule for the difference of two means: whether its own skewness is more than a fifth.

    Of one mean that skewness is g1 / sqrt(n), so that the rule is the same.
    """
    if min(len(ours), len(theirs)) < FEW:
        return False
    centred = [values - values.mean() for values in (ours, theirs)]
    second = sum((values**2).mean() / len(values) for values in centred)
    third = [(values**3).mean() / len(values) ** 2 for values in centred]
    return bool(abs(third[1] - third[0]) > second**1.5 / 5)


def seeds_needed(spread: float | None, reach: float, level: float) -> int | None:
    """How many seeds make the interval reach no further than `reach` from its mean; None where none can be told."""
    if spread is None or reach <= 0:
        return None
    low, high = 1, 2
    while t_quantile(high - 1, level) * spread / math.sqrt(high) > reach:
        low, high = high, 2 * high
        if high > 1e12:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = t_quantile(middle - 1, level) * spread / math.sqrt(middle) <= reach
        low, high = (low, middle) if enough else (middle, high)
    return high


def verdict(low: float | None, high: float | None, direction: str, margin: float = 0.0) -> str:
    """What a spread from `low` to `high` says against a margin; better and worse need a direction."""
    if low is None or high is None:
        return "inconclusive"
    if -margin <= low and high <= margin:
        return "equivalent"
    if low <= margin and high >= -margin:
        return "inconclusive"
    if direction not in ("higher", "lower"):
        return "changed"
    return "better" if (low > 0) == (direction == "higher") else "worse"


def verdict_of_same(difference: float, count: int, direction: str, margin: float = 0.0) -> str:
    """What `count` pairs say that all have the same difference, which leaves no interval.

    Fewer than ten are too few to say anything. A difference within the margin is "same", which is not "equivalent":
    that is said of an interval.
    """
    if count < FEW:
        return "inconclusive"
    return "same" if abs(difference) <= margin else verdict(difference, difference, direction, margin)


def codes(values: Sequence[Any]) -> NDArray[np.intp]:
    """Numbers from 0 for distinct values, in order of appearance."""
    places: dict[Any, int] = {}
    return np.array([places.setdefault(value, len(places)) for value in values], dtype=np.intp)
