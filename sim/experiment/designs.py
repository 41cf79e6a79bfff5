"""Designs: which points of the factors' space an experiment visits.

A point holds only the values that it changes. Grids and samples are made when they are asked for, so that an
experiment can be checked, and its runs counted, at once.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.experiment.distributions import quantile
from sim.world.evidence import Value

if TYPE_CHECKING:
    from sim.arrays import Array

Point = Mapping[str, Value]
SAMPLED = ("latin-hypercube", "sobol", "morris")
KINDS = ("grid", "list", "table", "one-at-a-time", *SAMPLED)


@dataclass(frozen=True)
class Factor:
    """What is varied: between `low` and `high`, or over `levels` (numbers, words or truth values).

    All between the ends are equally likely, unless another `distribution` is named, with its `shape`.
    """

    levels: tuple[Value, ...] = ()
    low: float = math.nan
    high: float = math.nan
    distribution: str = "uniform"
    shape: tuple[tuple[str, float], ...] = ()

    def value(self, unit: float) -> Value:
        """The value at a place between 0 and 1, of a distribution its quantile; each level has an equal part."""
        if self.levels:
            return self.levels[min(int(unit * len(self.levels)), len(self.levels) - 1)]
        if self.shape:
            value = quantile(self.distribution, dict(self.shape), self.low, self.high, unit)
        else:
            value = self.low + (self.high - self.low) * unit
        return min(max(value, self.low), self.high)

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values that must be admissible for all to be."""
        return self.levels or (self.low, self.high)

    def as_written(self) -> list[Value] | dict[str, Value]:
        if self.levels:
            return list(self.levels)
        named: dict[str, Value] = {"distribution": self.distribution, **dict(self.shape)} if self.shape else {}
        return {**named, "low": self.low, "high": self.high}


def total(points: Sequence[Point]) -> int:
    """How many points there are: also more than `len` can tell."""
    return points.total if isinstance(points, Grid | LeftOut | Joined) else len(points)


class Grid(Sequence[Point]):
    """Every combination of the factors' levels, the last factor moving fastest."""

    def __init__(self, levels: Mapping[str, Sequence[Value]]) -> None:
        self.levels = levels
        self.total = math.prod(len(values) for values in levels.values())

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < self.total:
            raise IndexError(number)
        point: dict[str, Value] = {}
        for key, values in reversed(list(self.levels.items())):
            number, place = divmod(number, len(values))
            point[key] = values[place]
        return {key: point[key] for key in self.levels}


def one_at_a_time(levels: Mapping[str, Sequence[Value]]) -> tuple[Point, ...]:
    """The configs' own values, then each factor's levels alone."""
    alone = ({key: level} for key, values in levels.items() for level in values)
    return tuple(itertools.chain([{}], alone))


class Sample(Sequence[Point]):
    """A sample of the factors' space; the same kind, size and seed give the same points.

    A larger one begins with the points of a smaller one; a Latin hypercube if it is twice, four times, … as large.

    latin-hypercube: `size` points, each factor's range cut into as many parts with one point in each.
    sobol: `size` base points of a scrambled Sobol sequence, radially extended for first-order and total indices
    (Saltelli et al. 2010): size x (factors + 2) points (SALib).
    morris: `size` trajectories on `levels` levels, in which one factor moves at a time (Morris 1991):
    size x (factors + 1) points (SALib).
    """

    def __init__(self, kind: str, factors: Mapping[str, Factor], size: int, seed: int, levels: int = 4) -> None:
        self.kind = kind
        self.factors = factors
        self.size = size
        self.seed = seed
        self.levels = levels

    def __len__(self) -> int:
        return (
            self.size
            * {"latin-hypercube": 1, "sobol": len(self.factors) + 2, "morris": len(self.factors) + 1}[self.kind]
        )

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        units = self.units[number].tolist()
        return {key: factor.value(unit) for (key, factor), unit in zip(self.factors.items(), units, strict=True)}

    @property
    def problem(self) -> dict[str, Any]:
        """The factors as SALib wants them: all between 0 and 1."""
        names = list(self.factors)
        return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}

    @cached_property
    def units(self) -> Array:
        """Each factor's place between 0 and 1, shape (points, factors)."""
        if self.kind == "latin-hypercube":
            points: Array = latin_hypercube(len(self.factors), self.size, self.seed)
        elif self.kind == "sobol":
            from SALib.sample import sobol

            points = sobol.sample(self.problem, self.size, calc_second_order=False, seed=self.seed)
        else:
            from SALib.sample import morris

            points = morris.sample(self.problem, self.size, num_levels=self.levels, seed=self.seed)
        return points

    def digest(self, count: int | None = None) -> str:
        """A short hash of the first `count` points, or of all: another version of a library may draw others."""
        return hashlib.sha256(self.units[:count].tobytes()).hexdigest()[:16]


def latin_hypercube(factors: int, size: int, seed: int) -> Array:
    """Places between 0 and 1, shape (size, factors), one in each of `size` equal parts of every factor.

    It is drawn for the odd number that `size` is a multiple of by doubling, and then doubled: each part is halved, and
    new points are drawn for the halves that are empty (Sallaberry, Helton and Hora 2008).
    """
    import numpy as np

    random = np.random.default_rng(seed)
    odd = size // (size & -size)
    parts = random.permuted(np.tile(np.arange(odd), (factors, 1)), axis=1).T
    inside = random.random((odd, factors))
    while (count := len(parts)) < size:
        upper = inside >= 0.5
        parts, inside = 2 * parts + upper, 2 * inside - upper  # exact, so that no point moves
        free = [np.setdiff1d(np.arange(2 * count), parts[:, factor]) for factor in range(factors)]
        parts = np.concatenate([parts, np.stack([random.permutation(each) for each in free], axis=1)])
        inside = np.concatenate([inside, random.random((count, factors))])
    points: Array = (parts + inside) / size
    return points


class LeftOut(Sequence[Point]):
    """The points of a design, then all of them again with one switch off, switch by switch."""

    def __init__(self, points: Sequence[Point], switches: Sequence[str]) -> None:
        self.points = points
        self.changes: Sequence[Point] = [{}, *({switch: False} for switch in switches)]
        self.total = total(points) * len(self.changes)

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < self.total:
            raise IndexError(number)
        change, place = divmod(number, total(self.points))
        return {**self.points[place], **self.changes[change]}


@dataclass(frozen=True)
class Part:
    """One design of an experiment. The name is empty where the experiment has no parts.

    Of the keys in `since` the values hold from the beginning of that year on, of all others from the start.
    """

    name: str
    kind: str
    swept: tuple[str, ...]
    points: Sequence[Point] = field(repr=False)
    since: Mapping[str, int] = field(default_factory=dict)

    def leaving_out(self, switches: Sequence[str]) -> Part:
        """The part with each switch off in turn besides; a sample stays as it was drawn."""
        if not switches or isinstance(self.points, Sample):
            return self
        return replace(self, swept=(*self.swept, *switches), points=LeftOut(self.points, switches))


class Joined(Sequence[Point]):
    """The points of all parts, one part after another."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.ends = list(itertools.accumulate(total(part.points) for part in parts))
        self.total = self.ends[-1]

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < self.total:
            raise IndexError(number)
        place = bisect.bisect_right(self.ends, number)
        return self.parts[place].points[number - self.ends[place] + total(self.parts[place].points)]

    def part(self, number: int) -> Part:
        """The part that a point (from 0) belongs to."""
        return self.parts[bisect.bisect_right(self.ends, number)]
