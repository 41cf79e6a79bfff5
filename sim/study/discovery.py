"""Where a target is reached: boxes in the space of the factors by PRIM.

The patient rule induction method (Friedman and Fisher 1999; Bryant and Lempert 2010 for scenarios) peels thin slices
off the space as long as the part of runs that reach the target grows. It is the ema-workbench's.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
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
HEADER = ["box", "coverage", "density", "runs", "factor", "low", "high", "values"]


@dataclass(frozen=True)
class Limit:
    """A factor that a box restricts: to a range, or to some words."""

    factor: str
    low: float | None
    high: float | None
    values: tuple[str, ...] = ()

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


def discover(folder: Path, target: str) -> Discovery:
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
    boxes = _boxes(factors, reached) if 0 < reached.sum() < len(reached) else ()
    return Discovery(condition, int(reached.sum()), len(reached), float(values.max()), float(values.min()), boxes)


def _factors(runs: Outcomes, parts: Sequence[Part]) -> dict[str, np.ndarray[Any, Any]]:
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


def _boxes(factors: dict[str, np.ndarray[Any, Any]], reached: np.ndarray[Any, Any]) -> tuple[Box, ...]:
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

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = prim.Prim(pandas.DataFrame(factors), reached)
        boxes: list[Box] = []
        while (peeled := search.find_box()) is not None:
            place = _chosen(peeled.peeling_trajectory)
            peeled.select(place)
            stage = peeled.peeling_trajectory.iloc[place]
            enough = stage["density"] >= LEAST_DENSITY and stage["coverage"] >= LEAST_COVERAGE
            if stage["density"] <= reached.mean() or (boxes and not enough):
                break
            limits = _limits(peeled.box_lims[0], peeled.box_lims[place], factors)
            boxes.append(Box(float(stage["coverage"]), float(stage["density"]), int(stage["n"]), limits))
            if not enough:
                break
    return tuple(boxes)


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
