"""The shares of variance over a grid, whose points are all combinations of some levels: an exact decomposition."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array
from sim.compare.intervals import LEVEL, NOISE, t_quantile
from sim.study.luck import FEW_SEEDS, luck_flags, luck_of_means


def grid_of(factors: Sequence[Sequence[Any]]) -> NDArray[np.intp] | None:
    """The level of each factor at every point, shape (points, factors), where all combinations are there once each."""
    codes = []
    for values in factors:
        places = {level: place for place, level in enumerate(dict.fromkeys(values))}
        codes.append([places[value] for value in values])
    table = np.array(codes, dtype=np.intp).T
    points = len(table)
    if math.prod(int(column.max()) + 1 for column in table.T) != points or len(np.unique(table, axis=0)) != points:
        return None
    return table


def of_grid(codes: NDArray[np.intp], means: Array, luck: float) -> tuple[Array, Array]:
    """First-order and total shares of the variance over a grid, each of shape (factors,).

    First order: of the means over all other factors. Total: all that is not in the means over the factor itself. Both
    less the luck that is left in each point's mean, by degrees of freedom (Searle, Casella and McCulloch 1992).
    """
    shape = codes.max(axis=0) + 1
    table = np.empty(shape)
    table[tuple(codes.T)] = means - means.mean()
    points, axes = table.size, range(table.ndim)
    whole = float(np.square(table).sum())
    left = whole - (points - 1) * luck
    first, total = [], []
    for axis in axes:
        levels = table.shape[axis]
        alone = table.mean(axis=tuple(other for other in axes if other != axis))
        others = table.mean(axis=axis)
        of_alone = points / levels * float(np.square(alone).sum())
        of_others = levels * float(np.square(others).sum())
        first.append((of_alone - (levels - 1) * luck) / left)
        total.append((whole - of_others - (points - points / levels) * luck) / left)
    return np.array(first), np.array(total)


def indices(
    factors: Sequence[str], codes: NDArray[np.intp], table: Array, means: Array, luck: float, seeds: int
) -> Iterator[tuple[Any, ...]]:
    """(factor, index, value, low, high, flags) of a grid, with intervals of the jackknife over seeds.

    `codes` are those of `grid_of`, `table` has every point and seed, shape (points, seeds), `means` are those over
    the seeds and `luck` the variance that luck leaves in each.
    """
    shares = np.array(of_grid(codes, means, luck))
    reach = None
    flags = luck_flags(luck / float(means.var()), seeds)
    if seeds >= FEW_SEEDS:
        without = [np.delete(table, seed, axis=1) for seed in range(seeds)]
        each = np.array([of_grid(codes, part.mean(axis=1), luck_of_means(part)) for part in without])
        reach = t_quantile(seeds - 1, LEVEL) * np.sqrt((seeds - 1) * each.var(axis=0))
    elif seeds > 1:
        flags.append(f"{seeds} seeds: no interval below {FEW_SEEDS}")
    for place, factor in enumerate(factors):
        for row, index in enumerate(("first order", "total")):
            value, still = float(shares[row, place]), reach is not None and reach[row, place] < NOISE
            if reach is None or still:
                exact = ["exact: luck moves nothing"] if still else []
                yield factor, index, value, None, None, "; ".join([*flags, *exact])
            else:
                ends = (value - float(reach[row, place]), value + float(reach[row, place]))
                yield factor, index, value, *ends, "; ".join(flags)
