"""What passes between agents without being bought: the experience of others, and a frontier that leaders move."""

from __future__ import annotations

import numpy as np

from sim.agents import ChipFirm, Supplier
from sim.arrays import Array
from sim.engine.groups import Groups, power, ratio, total
from sim.engine.parameters import Parameters
from sim.start.roster import Roster


def pass_on_experience(firms: ChipFirm, suppliers: Supplier, roster: Roster) -> None:
    """Chip firms see what the others of their segment have made so far, and suppliers those of their input."""
    firms.experience_of_others = _of_others(firms.experience, firms.made, roster.by_segment)
    suppliers.experience_of_others = _of_others(suppliers.experience, suppliers.revenue, roster.by_input)


def _of_others(before: Array, made: Array, by_market: Groups) -> Array:
    """Cumulative output of the market's others, with what was made this quarter."""
    return by_market.spread(by_market.sum(before + made)) - before - made


def move_frontier(parameters: Parameters, firms: ChipFirm, roster: Roster) -> None:
    """The leaders' research, paid by their sales and grants, moves a segment's frontier faster or slower than usual.

    The usual is research that grows as all chip firms' sales do. A segment without leaders moves with those sales.
    Where a segment has a quality its frontier moves as the world's table says.
    """
    p = parameters
    intensity = p["research.intensity_chip_firms"]
    spent = np.where(roster.target_owned, 0.0, intensity * firms.revenue + firms.research_grant)
    leading = roster.by_segment.sum(spent)
    in_2020 = roster.by_segment.sum(np.where(roster.target_owned, 0.0, intensity * firms.base_output))
    growth = total(firms.revenue) / total(firms.base_output * ~roster.is_entrant)
    relative = ratio(leading, in_2020, growth) / growth
    if roster.has_quality.any():
        relative = np.where(roster.has_quality, 1.0, relative)
    firms.frontier_speed = roster.by_segment.spread(power(relative, p["research.frontier_elasticity"]))
