"""Which runs of two results belong together: those with the same parameter set and the same seed.

Such runs have the same luck, so a difference is taken within each pair. In a sweep it is taken at each design point
and averaged over the points within the pair: more points do not make more pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array
from sim.compare.intervals import codes
from sim.compare.results import Result
from sim.compare.tables import Key
from sim.errors import BadInput

Pair = tuple[Key, ...]
ENDS_DIFFER = "runs end on different dates"


@dataclass(frozen=True)
class Side:
    """One result's runs in their places.

    `cells` has shape (runs,): pair x points + point, or -1 for a run whose pair or point does not count.
    """

    result: Result
    pairs: list[Pair]
    points: int
    cells: NDArray[np.intp]

    def values(self, column: Array) -> Array:
        """A column's values, shape (pairs, points); NaN where the value of any run of a cell is missing.

        A cell has several runs where only one of the results sweeps a key: their mean counts.
        """
        shape = (len(self.pairs), self.points)
        size, inside = shape[0] * shape[1], self.cells >= 0
        counts = np.bincount(self.cells[inside], minlength=size).reshape(shape)
        sums = np.bincount(self.cells[inside], column[inside], minlength=size).reshape(shape)
        full = (counts > 0) & (counts == counts.max(axis=0, initial=0))
        return np.where(full, sums / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True)
class Pairing:
    """The two sides. Where `paired`, they have the same pairs in the same order; else each has its own.

    `points` are the design points that both have, each a value for each name of `point_keys`.
    """

    base: Side
    cand: Side
    paired: bool
    point_keys: tuple[str, ...]
    points: list[Pair]
    coverage: tuple[str, ...]
    flags: tuple[str, ...]

    @cached_property
    def ends_differ(self) -> bool:
        """Whether runs that belong together end on different dates, as by a stop rule: their ends are no pair then."""
        ends = [side.values(known) for side in (self.base, self.cand) if (known := side.result.series.ends) is not None]
        if len(ends) < 2:
            return False
        if not self.paired:
            return len(np.unique(np.concatenate([each[np.isfinite(each)] for each in ends]))) > 1
        return bool((np.isfinite(ends[0]) & np.isfinite(ends[1]) & (ends[0] != ends[1])).any())

    @cached_property
    def set_codes(self) -> NDArray[np.intp]:
        """The parameter set of each pair as a number from 0, shape (pairs,)."""
        return codes([pair[0] for pair in self.base.pairs])

    @cached_property
    def seed_codes(self) -> NDArray[np.intp]:
        """The seed of each pair as a number from 0, shape (pairs,)."""
        return codes([pair[1] for pair in self.base.pairs])


def pair_runs(base: Result, candidate: Result, paired: bool = True) -> Pairing:
    """Pair two results; BadInput where they hold different configs, or no pair or design point in common."""
    shared = [key for key in base.swept if key in candidate.swept and base.since.get(key) == candidate.since.get(key)]
    if len(base.configs) > 1 or len(candidate.configs) > 1:
        if base.configs != candidate.configs:
            held = [f"{result.path} holds {', '.join(result.configs)}" for result in (base, candidate)]
            raise BadInput(f"{'; '.join(held)}: give results of one config each, or of the same configs")
        shared.insert(0, "config")
    flags = [
        f"mean over {key}, which only {result.name} sweeps"
        + (f" from {year}" if (year := result.since.get(key)) else "")
        for result in (base, candidate)
        for key in result.swept
        if key not in shared
    ]
    base_pairs, cand_pairs = (result.groups(["parameter_set", "seed"]) for result in (base, candidate))
    base_points, cand_points = (result.groups(shared) for result in (base, candidate))
    points = _in_common(base_points, cand_points)
    if not points:
        raise BadInput(
            f"{base.path} and {candidate.path}: have no design point in common ({_first(base_points, shared)} in one, "
            f"{_first(cand_points, shared)} in the other); give sweeps that share levels"
        )
    pairs = _in_common(base_pairs, cand_pairs)
    if paired and not pairs:
        keys = ["parameter_set", "seed"]
        raise BadInput(
            f"{base.path} and {candidate.path}: have no pair in common ({_first(base_pairs, keys)} in one, "
            f"{_first(cand_pairs, keys)} in the other); run them with the same seeds, or compare with --unpaired"
        )
    coverage = (
        *(f"runs of {r.name}: {r.done.sum()} done, {(~r.done).sum()} failed" for r in (base, candidate)),
        _shared_count("pairs", set(base_pairs), set(cand_pairs), base.name, candidate.name),
        _shared_count("design points", set(base_points), set(cand_points), base.name, candidate.name),
    )
    return Pairing(
        _side(base, base_pairs, base_points, pairs if paired else _sorted(set(base_pairs)), points),
        _side(candidate, cand_pairs, cand_points, pairs if paired else _sorted(set(cand_pairs)), points),
        paired,
        tuple(shared),
        points,
        coverage,
        tuple(flags),
    )


def _first(runs: Sequence[Pair], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(names, runs[0], strict=True))


def _in_common(ours: Sequence[Pair], theirs: Sequence[Pair]) -> list[Pair]:
    return _sorted(set(ours) & set(theirs))


def _sorted(pairs: set[Pair]) -> list[Pair]:
    # In an order that depends on neither file, so that swapping them changes no last digit: numbers before words.
    try:
        return sorted(pairs)
    except TypeError:  # a number and a word in one place
        return sorted(pairs, key=lambda values: [(isinstance(value, str), value) for value in values])


def _shared_count(what: str, ours: set[Any], theirs: set[Any], base: str, candidate: str) -> str:
    return (
        f"{what} in common: {len(ours & theirs)}, only in {base}: {len(ours - theirs)}, "
        f"only in {candidate}: {len(theirs - ours)}"
    )


def _side(
    result: Result, run_pairs: Sequence[Pair], run_points: Sequence[Pair], pairs: list[Pair], points: list[Pair]
) -> Side:
    pair_places = {pair: place for place, pair in enumerate(pairs)}
    point_places = {point: place for place, point in enumerate(points)}
    cells = [
        pair_places[pair] * len(points) + point_places[point] if pair in pair_places and point in point_places else -1
        for pair, point in zip(run_pairs, run_points, strict=True)
    ]
    return Side(result, pairs, len(points), np.array(cells, dtype=np.intp))
