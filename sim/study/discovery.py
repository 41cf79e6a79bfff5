"""Where a target is reached: boxes in the space of the factors by PRIM.

The patient rule induction method (Friedman and Fisher 1999; Bryant and Lempert 2010 for scenarios) peels thin slices
off the space as long as the part of runs that reach the target grows. It is the ema-workbench's; but of what a box
restricts only that is kept which chance would hardly do, by the quasi-p value of Bryant and Lempert.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import BadInput
from sim.experiment.conditions import Condition, read_condition
from sim.experiment.designs import Part
from sim.results.manifest import Held
from sim.study.outcomes import Outcomes, read_batch, read_outcomes

# A further box must hold this part of the runs that reach the target, and consist of them to this part.
LEAST_COVERAGE, LEAST_DENSITY = 0.05, 0.5
# A restriction is kept below this quasi-p value, over the number of factors that could have been restricted.
LARGEST_QUASI_P = 0.05
HEADER = ["box", "coverage", "density", "runs", "factor", "low", "high", "values", "quasi_p"]
Values = np.ndarray[Any, Any]
Factors = dict[str, Values]


@dataclass(frozen=True)
class Limit:
    """A factor that a box restricts: to a range, or to some words.

    quasi_p: the chance that so many of the box's points reach the target if this factor's restriction does nothing.
    """

    factor: str
    low: float | None
    high: float | None
    values: tuple[str, ...] = ()
    quasi_p: float = 0.0

    def __str__(self) -> str:
        """The limit in words, such as "at least 300 and at most 400", or the words that are inside."""
        ends = (("at least", self.low), ("at most", self.high))
        return " and ".join(f"{word} {end:.4g}" for word, end in ends if end is not None) or " or ".join(self.values)


@dataclass(frozen=True)
class Box:
    """coverage: of the runs that reach the target, the part inside. density: of the runs inside, the part that does."""

    coverage: float
    density: float
    runs: int
    limits: tuple[Limit, ...]

    def __str__(self) -> str:
        """Where it lies and what it holds; of a box in which few runs reach the target only the latter."""
        if self.density < LEAST_DENSITY:
            return f"holds {self.coverage:.0%} of these, but no more than {self.density:.0%} of its {self.runs} runs do"
        limits = ", ".join(f"{limit.factor} {limit}" for limit in self.limits)
        return f"({limits}) holds {self.coverage:.0%} of these, and {self.density:.0%} of its {self.runs} runs reach it"


@dataclass(frozen=True)
class Discovery:
    condition: Condition
    reached: int
    runs: int
    largest: float
    smallest: float
    boxes: tuple[Box, ...]

    def rows(self) -> list[list[Any]]:
        return [
            [
                number,
                box.coverage,
                box.density,
                box.runs,
                limit.factor,
                limit.low,
                limit.high,
                " ".join(limit.values),
                limit.quasi_p,
            ]
            for number, box in enumerate(self.boxes, start=1)
            for limit in box.limits
        ]

    def sentence(self) -> str:
        """What was found, in words."""
        start = f"{self.reached} of {self.runs} runs reach {self.condition}"
        if not self.reached or self.reached == self.runs:
            return f"{start}; values go from {self.smallest:.4g} to {self.largest:.4g}, so there is no corner to find."
        if not self.boxes:
            return f"{start}; no box holds a larger part of them than all runs do."
        boxes = "; ".join(f"box {number} {box}" for number, box in enumerate(self.boxes, start=1))
        return f"{start}; {boxes}."


def discover(folder: str | Path, target: str) -> Discovery:
    """The boxes of a batch's factors in which a target such as "domestic_supply_share@2030 >= 0.3" is reached.

    Where parts of the experiment are samples of the factors' space, the others do not count.
    Raises BadInput for a result without factors, IncompleteInput for one that lacks runs or values.
    """
    batch = read_batch(folder)
    columns = [column for column in batch.manifest.columns if not column.startswith("run_id")]
    names = [*columns, *(column.removesuffix("@end") for column in columns if column.endswith("@end"))]
    condition = read_condition(target, "--target", names)
    outcome = batch.outcome_name(condition.name, "--target")
    runs = read_outcomes(batch, [outcome])
    parts = runs.sampled or runs.parts
    configs = range(len(runs.configs))
    values = np.concatenate([runs.of_part(outcome, c, part).ravel() for c in configs for part in parts])
    reached = condition.met(values)
    factors = _factors(runs, parts)
    if not factors:
        raise BadInput(
            f"{folder}: nothing is varied between its runs; discovery needs [factors], configs or an ensemble"
        )
    alike = len(runs.seeds)
    boxes = _boxes(factors, reached, alike) if 0 < reached.sum() < len(reached) else ()
    return Discovery(condition, int(reached.sum()), len(reached), float(values.max()), float(values.min()), boxes)


def _factors(runs: Outcomes, parts: Sequence[Part]) -> Factors:
    """What was varied, by name: an array over the parts' runs in the order (config, point, parameter set, seed)."""
    sets = runs.batch.manifest.parameter_sets
    columns: dict[str, list[Held]] = {}
    for config in runs.configs:
        for part in parts:
            for point in range(len(part.points)):
                values = runs.point_values(part, point, config)
                for parameter_set in runs.sets:
                    varied = {"config": config, **sets.get(str(parameter_set), {}), **values}
                    for key, value in varied.items():
                        columns.setdefault(key, []).extend([value] * len(runs.seeds))
    arrays = {key: np.array(column, dtype=_kind_of(column)) for key, column in columns.items()}
    return {key: array for key, array in arrays.items() if len(set(array.tolist())) > 1}


def _kind_of(column: Sequence[Held]) -> type[Any]:
    """Numbers are compared by size; truth values and words are told apart."""
    return object if any(isinstance(value, bool | str) for value in column) else np.float64


def _boxes(factors: Factors, reached: Values, alike: int) -> tuple[Box, ...]:
    """The boxes; `alike` runs of every point differ by their seed alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on extras that it does not find, and on its own use of pandas
            from ema_workbench.analysis import prim
    except ImportError:
        raise BadInput(
            "study discover: needs the package ema-workbench; "
            "install the extra: uv sync --extra discovery, or pip install 'decoupling-race[discovery]'"
        ) from None
    import pandas

    boxes: list[Box] = []
    left = np.ones(len(reached), bool)  # not in a box before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = prim.Prim(pandas.DataFrame(factors), reached)
        while (peeled := search.find_box()) is not None:
            place = _chosen(peeled.peeling_trajectory)
            peeled.select(place)
            limits = _limits(peeled.box_lims[0], peeled.box_lims[place], factors)
            limits = significant(limits, factors, reached, left, alike)
            held = left & inside(limits, factors)
            density = float(reached[held].mean()) if held.any() else 0.0
            coverage = float(reached[held].sum() / reached.sum())
            enough = density >= LEAST_DENSITY and coverage >= LEAST_COVERAGE
            if not limits or density <= reached.mean() or (boxes and not enough):
                break
            boxes.append(Box(coverage, density, int(held.sum()), limits))
            left &= ~held
            if not enough:
                break
    return tuple(boxes)


def inside(limits: Sequence[Limit], factors: Factors) -> Values:
    """Which runs lie within limits, shape (runs,)."""
    held = np.ones(len(next(iter(factors.values()))), bool)
    for limit in limits:
        values = factors[limit.factor]
        if limit.values:
            held &= np.isin([_word(value) for value in values.tolist()], limit.values)
        if limit.low is not None:
            held &= values >= limit.low
        if limit.high is not None:
            held &= values <= limit.high
    return held


def significant(
    limits: Sequence[Limit], factors: Factors, reached: Values, left: Values, alike: int
) -> tuple[Limit, ...]:
    """The limits that chance would hardly make, with their quasi-p values; the least significant goes first."""
    kept = list(limits)
    while kept:
        kept = [replace(limit, quasi_p=quasi_p(limit, kept, factors, reached, left, alike)) for limit in kept]
        worst = max(kept, key=lambda limit: limit.quasi_p)
        if worst.quasi_p < LARGEST_QUASI_P / len(factors):
            break
        kept.remove(worst)
    return tuple(kept)


def quasi_p(
    limit: Limit, limits: Sequence[Limit], factors: Factors, reached: Values, left: Values, alike: int
) -> float:
    """The chance that as many of a box's points reach the target if one limit does nothing, Bryant and Lempert (2010).

    A binomial test with the part that reaches it in the box without the limit. Runs that differ by their seed alone
    are one point, which reaches it in part: they do not make the test surer.
    """
    from scipy.stats import binom

    held = left & inside(limits, factors)
    wider = left & inside([other for other in limits if other is not limit], factors)
    points, hits = held.sum() // alike, reached[held].sum() // alike
    return float(binom.sf(hits - 1, points, reached[wider].mean()))


def _chosen(trajectory: Any) -> int:
    """The place on a trajectory of peels with the largest harmonic mean of coverage and density."""
    coverage, density = trajectory["coverage"].to_numpy(), trajectory["density"].to_numpy()
    return int(np.argmax(2 * coverage * density / np.maximum(coverage + density, 1e-12)))


def _limits(whole: Any, box: Any, factors: Sequence[str] | dict[str, Any]) -> tuple[Limit, ...]:
    """The factors that a box restricts, compared with the whole space; a limit at the space's end is None."""
    limits = []
    for factor in factors:
        before, after = whole[factor].tolist(), box[factor].tolist()
        if before == after:
            continue
        if isinstance(after[0], set):
            limits.append(Limit(factor, None, None, tuple(sorted(map(_word, after[0])))))
        else:
            low, high = (end if end != old else None for old, end in zip(before, after, strict=True))
            limits.append(Limit(factor, low, high))
    return tuple(limits)


def _word(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value))
