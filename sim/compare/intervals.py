"""How sure a difference is: intervals over seeds, points across parameter sets, and the verdict from them.

Two kinds of uncertainty are kept apart. Over the seeds of a parameter set a mean has a *numerical error*, which
more seeds shrink. Across parameter sets the differences have a spread, *what is not known*, which they do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array

FEW = 10  # pairs, or parameter sets
RESAMPLES = 9999
POINTS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Estimate:
    """A mean with the interval of its numerical error, None where it has none. `spread` is one seed's deviation."""

    mean: float
    low: float | None
    high: float | None
    spread: float | None
    flags: tuple[str, ...] = ()


def student(differences: Array, level: float) -> Estimate:
    """The mean of at least one difference with Student's t interval; with one pair there is none."""
    count = len(differences)
    if np.ptp(differences) == 0:  # exactly, which a sum over equal numbers need not give
        mean = float(differences[0])
        return Estimate(mean, mean, mean, 0.0) if count > 1 else Estimate(mean, None, None, None)
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    reach = t_quantile(count - 1, level) * spread / math.sqrt(count)
    return Estimate(mean, mean - reach, mean + reach, spread)


def t_quantile(freedom: float, level: float) -> float:
    """Where Student's t leaves (1 - level) / 2 above it."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


def bootstrap(differences: Array, level: float) -> Estimate:
    """The mean with a bootstrap interval: BCa, or percentiles where that has no answer.

    Efron (1987); the resampling starts from a fixed seed, so that the same files give the same interval.
    """
    from scipy import stats

    plain = student(differences, level)
    if not plain.spread:
        return plain
    batch = max(1, 2_000_000 // len(differences))
    for method, words in (("BCa", "bootstrap interval"), ("percentile", "bootstrap interval by percentiles")):
        with np.errstate(all="ignore"):
            resampled = stats.bootstrap(
                (differences,),
                np.mean,
                n_resamples=RESAMPLES,
                batch=batch,
                confidence_level=level,
                method=method,
                rng=np.random.default_rng(1),
            ).confidence_interval
        if math.isfinite(resampled.low) and math.isfinite(resampled.high):
            return Estimate(plain.mean, float(resampled.low), float(resampled.high), plain.spread, (words,))
    return plain


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
        return interval(differences, level)
    if len(differences) == set_count * seed_count:
        table = np.empty((set_count, seed_count))
        table[sets, seeds] = differences
        flags = ("one seed a parameter set: the numerical error is unknown",) if seed_count == 1 else ()
        over_means = interval(table.mean(axis=0), level)
        return Estimate(over_means.mean, over_means.low, over_means.high, over_means.spread, over_means.flags + flags)
    means, counts = set_means(differences, sets)
    mean = float(means.mean())
    if (counts < 2).any():
        return Estimate(mean, None, None, None, ("a parameter set with one seed: the numerical error is unknown",))
    squares = np.bincount(sets, np.square(differences - means[sets])) / (counts - 1) / counts
    flag = ("seeds differ between parameter sets: their errors are taken as independent",)
    error = math.sqrt(squares.sum()) / set_count
    if error == 0:
        return Estimate(mean, mean, mean, None, flag)
    freedom = squares.sum() ** 2 / (np.square(squares) / (counts - 1)).sum()
    reach = t_quantile(freedom, level) * error
    return Estimate(mean, mean - reach, mean + reach, None, flag)


def set_means(values: Array, sets: NDArray[Any]) -> tuple[Array, NDArray[Any]]:
    """Each parameter set's mean, and its number of values."""
    counts = np.bincount(sets)
    return np.bincount(sets, values) / counts, counts


def welch(ours: Array, theirs: Array, level: float) -> Estimate:
    """The difference of two unpaired means, theirs less ours, with Welch's interval."""
    mean = float(theirs.mean() - ours.mean())
    if len(ours) < 2 or len(theirs) < 2:
        return Estimate(mean, None, None, None)
    squares = [float(values.var(ddof=1)) for values in (ours, theirs)]
    parts = [square / len(values) for square, values in zip(squares, (ours, theirs), strict=True)]
    if sum(parts) == 0:
        return Estimate(mean, mean, mean, 0.0)
    below = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (ours, theirs), strict=True))
    reach = t_quantile(sum(parts) ** 2 / below, level) * math.sqrt(sum(parts))
    return Estimate(mean, mean - reach, mean + reach, math.sqrt(sum(squares)))


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
    skewness = (deviations**3).mean() / (deviations**2).mean() ** 1.5
    return bool(len(differences) < 25 * skewness**2)


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


def codes(values: Sequence[Any]) -> NDArray[np.intp]:
    """Numbers from 0 for distinct values, in order of appearance."""
    places: dict[Any, int] = {}
    return np.array([places.setdefault(value, len(places)) for value in values], dtype=np.intp)
