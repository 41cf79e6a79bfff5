"""Demand that follows a path of its own: an index by year that a world's table gives for a segment."""

from __future__ import annotations

import numpy as np

from sim.arrays import Array, Flags
from sim.calendar import FIRST_YEAR, LAST_YEAR, QUARTERS_PER_YEAR, quarters_until
from sim.engine.parameters import Parameters, over_quarters
from sim.start.roster import Roster
from sim.world.tables import OTHERS


class DemandPaths:
    """The paths of a world's `paths.csv`, in which 2020 = 1.

    A path takes the place of the trend and the cycle, which are those of all chips together: what is known of a segment
    alone says more of it. After its last year a path grows on the trend. All run between their low and their high by
    one parameter, since what drives them is the same.
    """

    def __init__(self, roster: Roster) -> None:
        rows = roster.world.rows["paths"]
        shape = (len(roster.states), len(roster.segments))
        self.given: Flags = np.zeros(shape, dtype=bool)
        self.any = bool(rows)
        quarters = quarters_until(LAST_YEAR)
        self._index, self._low, self._high = (np.zeros((*shape, quarters)) for _ in range(3))  # in logs
        self._beyond = np.zeros((*shape, quarters))  # years after the middle of the last one
        own = {(row["state"], row["segment"]) for row in rows}
        for state, segment in sorted(own):
            followers = [state] if state != OTHERS else [each for each in roster.states if (each, segment) not in own]
            of_path = [row for row in rows if (row["state"], row["segment"]) == (state, segment)]
            states = [roster.states.index(each) for each in followers]
            self._follow(states, roster.segments.index(segment), of_path)

    def _follow(self, states: list[int], segment: int, rows: list[dict[str, object]]) -> None:
        """Some states' path of one segment."""
        by_year = {int(str(row["year"])): row for row in rows}
        last = max(by_year)
        ends = {}
        for end in ("index", "index_low", "index_high"):
            known = {year: float(str(by_year[year][end] or by_year[year]["index"])) for year in sorted(by_year)}
            ends[end] = np.log(QUARTERS_PER_YEAR * over_quarters({FIRST_YEAR: 1.0, **known}))
            after = quarters_until(last)
            ends[end][after:] = np.log(known[last])
        middle = quarters_until(last) - (QUARTERS_PER_YEAR + 1) / 2
        years = (np.arange(len(ends["index"])) - middle) / QUARTERS_PER_YEAR
        self.given[states, segment] = True
        self._index[states, segment] = ends["index"]
        self._low[states, segment] = ends["index_low"] - ends["index"]
        self._high[states, segment] = ends["index_high"] - ends["index"]
        self._beyond[states, segment] = np.where(np.arange(len(years)) < quarters_until(last), 0.0, years)

    def level(self, parameters: Parameters, quarter: int) -> Array:
        """Demand by that of 2020 where a path is given, (runs, S, G), at the prices of 2020; 1 elsewhere.

        A path is growth too, and stands still where nothing grows.
        """
        p = parameters
        last = self._index.shape[-1] - 1
        quarter, after = min(quarter, last), max(0, quarter - last)  # a review may look beyond the last year
        position = p["demand.path_position"][..., None]
        index = self._index[..., quarter]
        off = np.where(position < 0, -position * self._low[..., quarter], position * self._high[..., quarter])
        beyond = self._beyond[..., quarter] + after / QUARTERS_PER_YEAR
        weight = p["demand.path_weight"][..., None]
        level: Array = np.exp(weight * (index + off) + p["demand.growth"][..., None] * beyond)
        return level
