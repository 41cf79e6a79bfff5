"""Where a target is reached: boxes in the space of the factors by PRIM.

The patient rule induction method (Friedman and Fisher 1999; Bryant and Lempert 2010 for scenarios) peels thin slices
off the space as long as the part of runs that reach the target grows. It is the ema-workbench's; but of what a box
restricts only that is kept which chance would hardly do, by a quasi-p value.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import BadInput
from sim.experiment.conditions import Condition, read_condition
from sim.experiment.designs import Part
from sim.measures import share_fault
from sim.results import records
from sim.results.files import write_ours
from sim.results.manifest import Held
from sim.study.outcomes import Outcomes, read_batch, read_outcomes

if TYPE_CHECKING:
    import pandas

# A further box must hold this part of the runs that reach the target, and consist of them to this part.
LEAST_COVERAGE, LEAST_DENSITY = 0.05, 0.5
# A restriction is kept below this quasi-p value, over the number of factors that could have been restricted.
LARGEST_QUASI_P = 0.05
DRAWS = 9999
HEADER = ["box", "coverage", "density", "runs", "factor", "low", "high", "values", "quasi_p"]
Values = np.ndarray[Any, Any]
Factors = dict[str, Values]
Units = Mapping[str, Values]  # by factor which runs have its value from one draw


@dataclass(frozen=True)
class Limit:
    """A factor that a box restricts: to a range, or to some words.

    quasi_p: the chance that so many of the box's points, or of its parameter sets, reach the target if this factor's
    restriction does nothing.
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
        """Where it lies and what it holds."""
        limits = ", ".join(f"{limit.factor} {limit}" for limit in self.limits)
        but = "and" if self.density >= LEAST_DENSITY else "but no more than"
        return (
            f"({limits}) holds {self.coverage:.0%} of these, {but} {self.density:.0%} of its {self.runs} runs reach it"
        )


@dataclass(frozen=True)
class Goal:
    """One condition: how many runs meet it, and from where to where its outcome goes."""

    condition: Condition
    met: int
    smallest: float
    largest: float


@dataclass(frozen=True)
class Discovery:
    """The boxes in which all goals are reached together; `span` are the values that each factor has in the runs."""

    goals: tuple[Goal, ...]
    reached: int
    runs: int
    boxes: tuple[Box, ...]
    span: Mapping[str, tuple[Any, ...]]

    @property
    def target(self) -> str:
        return " and ".join(str(goal.condition) for goal in self.goals)

    def to_frame(self) -> pandas.DataFrame:
        """The restrictions of every box, a row for each."""
        import pandas

        return pandas.DataFrame(self.rows(), columns=HEADER)

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
        start = f"{self.reached} of {self.runs} runs reach {self.target}"
        if len(self.goals) > 1:
            start += f" ({', '.join(f'{goal.condition} alone {goal.met}' for goal in self.goals)})"
        if not self.reached or self.reached == self.runs:
            values = "; ".join(
                f"{'values go' if len(self.goals) == 1 else f'{goal.condition.name} goes'} from {goal.smallest:.4g} to "
                f"{goal.largest:.4g}"
                for goal in self.goals
            )
            return f"{start}; {values}, so there is no corner to find."
        if not self.boxes:
            return f"{start}; no box holds a larger part of them than all runs do, beyond what chance would make."
        boxes = "; ".join(f"box {number} {box}" for number, box in enumerate(self.boxes, start=1))
        return f"{start}; {boxes}."


def discover(folder: str | Path, target: str | Sequence[str]) -> Discovery:
    """The boxes of a batch's factors in which a target such as "domestic_supply_share@2030 >= 0.3" is reached.

    Of several targets, those in which all are reached in the same run.
    Where parts of the experiment are samples of the factors' space, the others do not count.
    Raises BadInput for a result without factors, IncompleteInput for one that lacks runs or values.
    """
    batch = read_batch(folder)
    columns = [column for column in batch.manifest.columns if not column.startswith("run_id")]
    names = [*columns, *(column.removesuffix("@end") for column in columns if column.endswith("@end"))]
    targets = dict.fromkeys([target] if isinstance(target, str) else target)
    conditions = [read_condition(each, "--target", names) for each in targets]
    outcomes = [batch.outcome_name(condition.name, "--target") for condition in conditions]
    for condition, outcome in zip(conditions, outcomes, strict=True):
        if fault := share_fault(condition.level, batch.manifest.columns[outcome].unit):
            raise BadInput(f"--target = {str(condition)!r}: {fault}")
    runs = read_outcomes(batch, list(dict.fromkeys(outcomes)))
    parts = runs.sampled or runs.parts
    configs = range(len(runs.configs))
    goals, reached = [], np.array(True)
    for condition, outcome in zip(conditions, outcomes, strict=True):
        values = np.concatenate([runs.of_part(outcome, c, part).ravel() for c in configs for part in parts])
        met = condition.met(values)
        goals.append(Goal(condition, int(met.sum()), float(values.min()), float(values.max())))
        reached = reached & met
    factors, units = _factors(runs, parts)
    if not factors:
        raise BadInput(
            f"{folder}: nothing is varied between its runs; discovery needs [factors], configs or an ensemble"
        )
    boxes = _boxes(factors, reached, units) if 0 < reached.sum() < len(reached) else ()
    span = {name: _span(values.tolist()) for name, values in factors.items()}
    return Discovery(tuple(goals), int(reached.sum()), len(reached), boxes, span)


def _span(values: Sequence[Any]) -> tuple[Any, ...]:
    """The ends of numbers, or all words."""
    if _kind_of(values) is object:
        return tuple(dict.fromkeys(map(_word, values)))
    return min(values), max(values)


def _factors(runs: Outcomes, parts: Sequence[Part]) -> tuple[Factors, Units]:
    """What was varied, by name, over the parts' runs in the order (config, point, parameter set, seed).

    The units of a factor of the design are its points, those of what the sets vary the sets, those of the configs the
    runs but for their seeds.
    """
    sets = runs.batch.manifest.parameter_sets
    columns: dict[str, list[Held]] = {}
    units: dict[str, list[int]] = {"config": [], "set": [], "point": []}
    for config in runs.configs:
        points = ((part, point) for part in parts for point in range(len(part.points)))
        for number, (part, point) in enumerate(points):
            values = runs.point_values(part, point, config)
            for parameter_set in runs.sets:
                varied = {"config": config, **sets.get(str(parameter_set), {}), **values}
                for key, value in varied.items():
                    columns.setdefault(key, []).extend([value] * len(runs.seeds))
                alone = len(units["set"]) // len(runs.seeds)
                for kind, unit in (("config", alone), ("set", parameter_set), ("point", number)):
                    units[kind].extend([unit] * len(runs.seeds))
    arrays = {key: np.array(column, dtype=_kind_of(column)) for key, column in columns.items()}
    factors = {key: array for key, array in arrays.items() if len(set(array.tolist())) > 1}
    drawn = {kind: np.array(numbers) for kind, numbers in units.items()}
    swept = {key for part in parts for key in part.swept}
    return factors, {key: drawn["config" if key == "config" else "point" if key in swept else "set"] for key in factors}


def _kind_of(column: Sequence[Held]) -> type[Any]:
    """Numbers are compared by size; truth values and words are told apart."""
    return object if any(isinstance(value, bool | str) for value in column) else np.float64


def _boxes(factors: Factors, reached: Values, units: Units) -> tuple[Box, ...]:
    """The boxes of what was varied."""
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
            limits = significant(limits, factors, reached, left, units)
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
    limits: Sequence[Limit], factors: Factors, reached: Values, left: Values, units: Units
) -> tuple[Limit, ...]:
    """The limits that chance would hardly make, with their quasi-p values; the least significant goes first."""
    kept = list(limits)
    while kept:
        kept = [replace(limit, quasi_p=quasi_p(limit, kept, factors, reached, left, units)) for limit in kept]
        worst = max(kept, key=lambda limit: limit.quasi_p)
        if worst.quasi_p < LARGEST_QUASI_P / len(factors):
            break
        kept.remove(worst)
    return tuple(kept)


def quasi_p(
    limit: Limit, limits: Sequence[Limit], factors: Factors, reached: Values, left: Values, units: Units
) -> float:
    """The chance that as many of a box's points reach the target if one limit does nothing: a quasi-p value.

    Bryant and Lempert (2010) take a binomial test for it, which is weak where the points are few. This is the exact one
    (Fisher 1935): if the limit does nothing, the points inside are any of those in the box without the limit. Runs that
    have the factor's value from one draw are one point, which reaches the target in a part of them: seeds do not make
    the test surer, nor parameter sets that of what the design varies, nor its points that of what the sets vary. Where
    points reach it in parts, the chance is that of 9,999 draws.
    """
    from scipy.stats import hypergeom

    held = left & inside(limits, factors)
    wider = left & inside([other for other in limits if other is not limit], factors)
    own = _rates(units[limit.factor][held], reached[held])
    others = _rates(units[limit.factor][wider], reached[wider])
    if np.isin(others, (0.0, 1.0)).all():
        return float(hypergeom.sf(own.sum() - 1, len(others), others.sum(), len(own)))
    random = np.random.default_rng(1)
    chunk = max(1, 2_000_000 // len(others))
    as_many = 0
    for size in [chunk] * (DRAWS // chunk) + [DRAWS % chunk]:
        dealt = random.permuted(np.tile(others, (size, 1)), axis=1)[:, : len(own)]
        as_many += int((dealt.sum(axis=1) >= own.sum() - 1e-9).sum())
    return (as_many + 1) / (DRAWS + 1)


def _rates(units: Values, reached: Values) -> Values:
    """Which part of each unit's runs reach the target."""
    _, place, counts = np.unique(units, return_inverse=True, return_counts=True)
    rates: Values = np.bincount(place, reached) / counts
    return rates


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


def write(discovery: Discovery, folder: str | Path, out: Path) -> list[str]:
    """`discovery.csv`, and `discovery.svg` where there is a box; their names."""
    from sim.study.plot.boxes import picture_of_boxes
    from sim.study.plot.figure import draw

    texts = {"discovery.csv": "".join(records.line(row) for row in [HEADER, *discovery.rows()])}
    if picture := picture_of_boxes(discovery, read_batch(folder)):
        texts["discovery.svg"] = draw(picture, "svg").decode()
    write_ours(out, texts)
    return list(texts)
