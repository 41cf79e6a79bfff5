"""Which factor moves an outcome, from the runs that there are: shares of variance and PAWN of any sample.

A sample is cut into slices of each factor, of numbers in equal parts by their size, of few levels or of words one for
each. The share of variance is the part that lies between the slices (Pearson's correlation ratio; Plischke, Borgonovo
and Smith 2013, European Journal of Operational Research 226), less what as many slices of a factor that does nothing
would show (Kelley 1935, PNAS 21) and less luck. PAWN is the median over the slices of the largest distance between the
outcome's distribution there and everywhere (Pianosi and Wagener 2018, Environmental Modelling & Software 108).

SALib's PAWN leaves out the largest value of a factor, and of a factor with levels those at which two of its quantiles
fall together, of two levels one; and none of its given-data indices takes words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array
from sim.compare.intervals import LEVEL, t_quantile

SHARE, PAWN = "share of variance", "PAWN"
DUMMY = "(dummy)"  # stands where a factor's name would
SLICES = {SHARE: (50, 8), PAWN: (10, 15)}  # the most, and how many units each has at least
FEWEST = 30  # units, below which there are no indices
FEW = 64  # units, below which intervals are unsure (docs/reference/intervals.md)
UNEVEN = "a jump within one slice: the share is too small"
GROUPS = 20  # of units, for the jackknife
SHUFFLES = 200


@dataclass(frozen=True)
class Sliced:
    """The units of a sample in the slices of its factors.

    `inside` is 1 where a unit lies in a slice, shape (units, slices of all factors); `starts` are the first slices of
    the factors.
    """

    inside: Array
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, factors: Sequence[Sequence[Any]], index: str) -> Sliced:
        """The slices for an index of SLICES of factors, each given by its value in every unit, two or more."""
        cut = [_slices(values, *SLICES[index]) for values in factors]
        starts = np.cumsum([0, *(part.shape[1] for part in cut[:-1])])
        return cls(np.concatenate(cut, axis=1), starts)

    def shares(self, values: Array, luck: float = 0.0) -> Array:
        """The share of variance of each factor, shape (..., factors); `values` have shape (..., units).

        `luck` is the variance of a unit's own luck, which no factor moves.
        """
        return self._shares(values, np.ones_like(values), luck)

    def _shares(self, values: Array, kept: Array, luck: float) -> Array:
        """The shares over the units of which `kept` is 1."""
        count = kept.sum(axis=-1, keepdims=True)
        centred = (values - (values * kept).sum(axis=-1, keepdims=True) / count) * kept
        held = kept @ self.inside
        sums = centred @ self.inside
        between = np.add.reduceat(np.square(sums) / np.maximum(held, 1), self.starts, axis=-1)
        filled = np.add.reduceat((held > 0).astype(float), self.starts, axis=-1)
        whole = np.square(centred).sum(axis=-1, keepdims=True)
        within = (whole - between) / (count - filled)
        shares: Array = (between - (filled - 1) * within) / (whole - (count - 1) * luck)
        return shares

    def errors(self, values: Array, luck: float = 0.0) -> tuple[Array, int]:
        """The standard error of each share by the jackknife over groups of units, and the number of groups."""
        units = len(values)
        order = np.random.default_rng(1).permutation(units)
        groups = np.array_split(order, min(units, GROUPS))
        kept = np.ones((len(groups), units))
        for place, group in enumerate(groups):
            kept[place, group] = 0.0
        without = self._shares(np.broadcast_to(values, kept.shape), kept, luck)
        errors: Array = np.sqrt((len(groups) - 1) * without.var(axis=0))
        return errors, len(groups)

    def uneven(self, values: Array) -> NDArray[np.bool_]:
        """Of each factor, whether one of its slices holds more of the variance within slices than all others together.

        There may be a jump in it, of which the share of variance misses what is on either side within the slice.
        """
        held = self.inside.sum(axis=0)
        within = np.square(values) @ self.inside - np.square(values @ self.inside) / held
        largest = np.maximum.reduceat(within, self.starts)
        several = np.diff(np.append(self.starts, len(held))) > 2
        found: NDArray[np.bool_] = several & (largest > 0.5 * np.add.reduceat(within, self.starts))
        return found

    def pawn(self, values: Array) -> Array:
        """PAWN of each factor, shape (factors,); `values` have shape (units,)."""
        order = np.argsort(values, kind="stable")
        last = np.append(np.diff(values[order]) != 0, True)  # of equal values
        passed = np.cumsum(self.inside[order], axis=0)[last]
        everywhere = (np.flatnonzero(last) + 1) / len(values)
        distance = abs(passed / passed[-1] - everywhere[:, None]).max(axis=0)
        return np.array([np.median(part) for part in np.split(distance, self.starts[1:])])


def noise(of: Callable[[Array], Array], values: Array) -> float:
    """What the largest index of the factors stays below 95 times in 100 if none of them does anything.

    `of` gives the index of each factor. The outcomes are dealt out to the units anew, so that all factors are dummies
    at once (Westfall and Young 1993, Resampling-Based Multiple Testing).
    """
    random = np.random.default_rng(2)
    largest = [of(random.permutation(values)).max() for _ in range(SHUFFLES)]
    return float(np.quantile(largest, 0.95))


def _slices(values: Sequence[Any], most: int, least: int) -> Array:
    """A factor's slices, at most so many, of numbers with so many units at least, shape (units, slices)."""
    most = max(2, min(most, len(values) // least))
    levels = list(dict.fromkeys(values))
    if len(levels) > most and all(_is_number(level) for level in levels):
        numbers = np.array(values, dtype=np.float64)
        edges = np.unique(np.quantile(numbers, np.arange(1, most) / most))
        codes = np.searchsorted(edges, numbers, side="right")
        codes = np.unique(codes, return_inverse=True)[1]
    else:
        places = {level: place for place, level in enumerate(levels)}
        codes = np.array([places[value] for value in values])
    inside: Array = (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float64)
    return inside


def of_sample(
    factors: Mapping[str, Sequence[Any]], means: Array, luck: float, flags: Sequence[str] = ()
) -> Iterator[tuple[Any, ...]]:
    """(factor, index, value, low, high, flags) of any sample, of a dummy last; `means` have shape (units,).

    `luck` is the variance that luck leaves in each of them. PAWN has no interval: it is too large in small samples, and
    percentiles of a bootstrap mostly miss the truth (docs/reference/intervals.md).
    """
    values = list(factors.values())
    fine, coarse = Sliced.of(values, SHARE), Sliced.of(values, PAWN)
    shares, distances = fine.shares(means, luck), coarse.pawn(means)
    errors, groups = fine.errors(means, luck)
    reach = t_quantile(groups - 1, LEVEL) * errors
    floors = {SHARE: noise(lambda dealt: fine.shares(dealt, luck), means), PAWN: noise(coarse.pawn, means)}
    few = [f"few points: the interval is unsure below {FEW}"] if len(means) < FEW else []
    uneven = fine.uneven(means)
    held = ["holds the luck that is left in the means"] if flags else []
    for place, factor in enumerate(factors):
        ends = (float(shares[place] - reach[place]), float(shares[place] + reach[place]))
        for index, value, between in ((SHARE, shares[place], ends), (PAWN, distances[place], (None, None))):
            told = [*flags, *few, *([UNEVEN] if uneven[place] else [])] if index == SHARE else held
            dull = ["no more than a dummy's"] if value <= floors[index] else []
            yield factor, index, float(value), *between, "; ".join([*told, *dull])
    meaning = f"what the largest index of {len(factors)} factors that do nothing stays below 95 times in 100"
    for index, floor in floors.items():
        yield DUMMY, index, floor, None, None, meaning


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def too_many_words(values: Sequence[Any]) -> bool:
    """Whether a factor has words of which most stand alone, so that no slice holds two units."""
    levels = set(values)
    return not all(map(_is_number, levels)) and 2 * len(levels) > len(values)
