"""What is observed is taken down each quarter, and measures are made of it by quarter, by year or at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from sim.arrays import Array
from sim.calendar import quarter_end
from sim.engine.groups import ratio
from sim.engine.runs import Pick
from sim.measures import Measure, Observable, catalogue, measure_names
from sim.observed import Observed
from sim.world.world import World

if TYPE_CHECKING:
    from sim.model import DecouplingModel


class Recorder:
    """Collects what is observed each quarter; makes measures of it by quarter, by year or at the end."""

    def __init__(self, world: World, selection: str | Sequence[str], first_quarter: int = 0) -> None:
        known = catalogue(world)
        self.names = measure_names(selection, world)
        self.measures = [known[name] for name in self.names]
        self._share = known["domestic_supply_share"]
        self._needed = {
            observable
            for measure in (*self.measures, self._share)
            for observable in (measure.over, measure.under)
            if observable
        }
        self._taken: dict[Observable, list[Array]] = {observable: [] for observable in self._needed}
        self._first = first_quarter

    def record(self, model: DecouplingModel) -> None:
        """Take down the quarter that has just passed."""
        observed = Observed(model)
        for (name, column), kept in self._taken.items():
            values = observed[name]
            kept.append(values.sum(axis=-1) if column is None else values[:, column])

    def picked(self, pick: Pick) -> Recorder:
        """The record so far of the runs that are picked."""
        twin = copy(self)
        twin._taken = {observable: [*map(pick.rows, quarters)] for observable, quarters in self._taken.items()}
        return twin

    def quarters(self) -> int:
        return len(next(iter(self._taken.values())))

    def values(self, every: str) -> tuple[list[str], Array]:
        """Dates (ISO, last day of the period) and the measures: (runs, periods, measures), NaN where missing.

        `every` is "quarter", "year" (whole years only) or "end" (the last year).
        """
        length = 1 if every == "quarter" else 4
        periods = range(0, self.quarters() - length + 1, length)
        if every == "end":
            periods = periods[-1:]
        dates = [quarter_end(self._first + start + length - 1) for start in periods]
        columns = [self._periods(measure, periods, length) for measure in self.measures]
        return dates, np.stack(columns, axis=-1)

    def last(self, measure: Measure) -> Array:
        """A measure of the quarter that has just passed, (runs,); not `subsidy_per_point`, which looks back."""
        over = self._taken[measure.over][-1]
        if measure.kind == "flow":
            return over * 4.0
        return over if measure.under is None else ratio(over, self._taken[measure.under][-1], np.nan)

    def first_reaching(self, level: float) -> list[str]:
        """For each run the date of the first quarter with that domestic supply share, empty if never."""
        share = self._periods(self._share, range(self.quarters()), 1)
        reached = share >= level
        return [quarter_end(self._first + int(np.argmax(row))) if row.any() else "" for row in reached]

    def _history(self, observable: Observable) -> Array:
        return np.ascontiguousarray(np.stack(self._taken[observable], axis=-1))

    def _periods(self, measure: Measure, periods: Iterable[int], length: int) -> Array:
        if measure.name == "subsidy_per_point":
            return self._subsidy_per_point(measure, periods, length)
        over = self._history(measure.over)
        if measure.kind == "flow":
            return _stack([_sum_of(over, start, length) * (4 / length) for start in periods])
        if measure.kind == "mean":
            return _stack([_sum_of(over, start, length) / length for start in periods])
        if measure.kind == "stock":
            return _stack([over[:, start + length - 1] for start in periods])
        assert measure.under is not None
        under = self._history(measure.under)
        return _stack([ratio(_sum_of(over, start, length), _sum_of(under, start, length), np.nan) for start in periods])

    def _subsidy_per_point(self, measure: Measure, periods: Iterable[int], length: int) -> Array:
        spent = np.cumsum(self._history(measure.over), axis=-1)
        share = self._periods(self._share, periods, length)
        first_year = min(4, self.quarters())
        base = self._periods(self._share, [0], first_year)
        points = 100.0 * (share - base)
        so_far = _stack([spent[:, start + length - 1] for start in periods])
        after_base = np.array([start >= 4 for start in periods])
        known = (points > 0) & (so_far > 0) & after_base
        return np.where(known, so_far / np.where(known, points, 1.0), np.nan)


def _sum_of(values: Array, start: int, length: int) -> Array:
    result = values[:, start]
    for quarter in range(start + 1, start + length):
        result = result + values[:, quarter]
    return result


def _stack(periods: list[Array]) -> Array:
    return np.stack(periods, axis=-1)
