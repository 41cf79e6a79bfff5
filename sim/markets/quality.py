"""Quality in segments that have one: what a yuan buys, a cap on what may be sold, and what comes in spite of it.

A world's `quality.csv` says what a yuan bought at the frontier in 2020, and how fast the frontier grows: of
accelerators compute. The best chip of a maker is that of the frontier as many years ago as it lags. A worse chip is
cheaper too, but not by as much as it is worse (`chip_market.quality_discount`).

Shapes: S states, G segments, F firms. Qualities are in logs; the frontier of the middle of 2020 is 0.
"""

from __future__ import annotations

import numpy as np

from sim.arrays import Array, Flags
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.groups import at, ratio, total_over_rows
from sim.engine.parameters import Parameters
from sim.markets.denial import by_lever
from sim.start.roster import Roster

MIDDLE_OF_BASE_YEAR = 1.5  # in quarters from the first one


class Quality:
    """What is fixed about it in a world. What it does from quarter to quarter is kept by the chip market."""

    def __init__(self, roster: Roster) -> None:
        rows = {row["segment"]: row for row in roster.world.rows["quality"]}
        self.any = bool(rows)
        self.growth = np.array([rows[each]["growth"] if each in rows else 0.0 for each in roster.segments])
        self.amount = np.array([rows[each]["amount"] if each in rows else 0.0 for each in roster.segments])
        self.has_one: Flags = roster.has_quality
        self.of_firm: Flags = self.has_one[roster.firm_segment]
        self.growth_of_firm = self.growth[roster.firm_segment]
        self.amount_of_firm = self.amount[roster.firm_segment]
        self.segment_of_firm = roster.firm_segment
        self.capped: Flags = self.of_firm & ~roster.target_owned  # whom a cap by the controllers binds

    def frontier(self, parameters: Parameters, quarter: int) -> Array:
        """The frontier of each segment, which research moves, (runs, G)."""
        years = (quarter - MIDDLE_OF_BASE_YEAR) / QUARTERS_PER_YEAR
        moved: Array = parameters["research.quality_growth"] * self.growth * years
        return moved

    def behind(self, lag: Array) -> Array:
        """Each maker's best quality by the frontier of the day, (runs, F), 0 at the frontier and below it behind."""
        return -self.growth_of_firm * lag

    def sold_to_target(self, parameters: Parameters, behind: Array, cap: Array, quarter: int) -> Array:
        """The best that each maker may sell to the target, by the frontier of the day, (runs, F).

        `cap` (runs, G) is the best that may be sold at all. It stands still while the frontier moves on.
        """
        allowed = at(cap - self.frontier(parameters, quarter), self.segment_of_firm)
        return np.where(self.capped, np.minimum(behind, allowed), behind)

    def per_yuan(self, parameters: Parameters, behind: Array, quarter: int) -> Array:
        """What a yuan buys of a quality, (runs, F), in the unit of the table's amount by bn yuan."""
        kept = 1.0 - parameters["chip_market.quality_discount"]
        frontier = at(self.frontier(parameters, quarter), self.segment_of_firm)
        return self.amount_of_firm * np.exp(frontier + kept * behind)

    def bought(self, sales: Array, per_yuan: Array) -> Array:
        """What each state gets for what it buys of chips with a quality, (runs, S): of (runs, S, F) sales."""
        of_each = (sales * self.of_firm) * per_yuan[:, None, :]
        whole: Array = np.add.reduceat(of_each, np.array([0]), axis=-1)[..., 0]
        return whole


def new_cap(parameters: Parameters, quality: Quality, before: tuple[Array, Array], quarter: int) -> tuple[Array, Array]:
    """The cap by its lever, (runs, 1), and the best quality that it lets be sold, (runs, G).

    The lever says a part of the frontier on the day that it is set; the quality stays what that was. 1 is no cap.
    """
    lever = np.exp(by_lever(parameters, np.log(parameters["controls.quality_cap"])))
    cap = np.where(lever < 1.0, np.log(lever) + quality.frontier(parameters, quarter), np.inf)
    return lever, np.where(lever == before[0], before[1], cap)


def leaked(parameters: Parameters, before: Array, hindered: Flags) -> Array:
    """The part of what may not be sold that comes in spite of it, (runs, 1), built up and lost over some time."""
    p = parameters
    wanted = np.where(hindered, p["leakage.smuggled"], 0.0)
    return before + (wanted - before) / (QUARTERS_PER_YEAR * p["leakage.years"])


def smuggled_part(quality: Quality, leaking: Array, denied: Array, lost: Array) -> Array:
    """What part of each maker's sales to the target comes in spite of a denial or at more than the cap, (runs, F).

    `lost` is the part of what a yuan buys that a cap takes: the less it takes, the less is worth smuggling.
    """
    not_sold = denied + (1.0 - denied) * lost
    came: Array = ratio(leaking * not_sold, 1.0 - denied * (1.0 - leaking), 0.0)
    return came * quality.capped


def moved_offshore(demand: Array, target: int, part: Array) -> tuple[Array, Array]:
    """Demand when the target's buyers place a part of theirs with others, who run the chips for them, and that part.

    (runs, S, G) and (runs, G); `part` is (runs, G).
    """
    moved = demand[:, target] * part
    others = demand.copy()
    others[:, target] = 0.0
    weight = others / np.where(total_over_rows(others) > 0, total_over_rows(others), 1.0)[:, None, :]
    placed = demand + moved[:, None, :] * weight
    placed[:, target] = demand[:, target] - moved
    return placed, moved
