"""The push for security: what the target wants its own firms to be able to make, and has them build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.groups import divisor, total

if TYPE_CHECKING:
    from sim.model import DecouplingModel


def push_for_security(model: DecouplingModel) -> None:
    """Set the tools that each of the target's firms is asked to order for security, and what of it the state pays.

    In each segment the target wants its own firms to be able to make the part of home demand of 2020 and, at full
    alarm, `security.goal` more; what its designers want of dies made at home is home demand too. What is missing of
    that beside what is built and being built is ordered over `security.years`, by firms in proportion to the state's
    programme; never more than alarm adds to the goal, so that without alarm nothing is ordered. A stock goal comes to
    rest by itself, as a flow of money would not.
    """
    p, roster, firms, states = model.parameters, model.roster, model.chip_firms, model.states
    chip_market, by_segment, own = model.chip_market, roster.by_segment, roster.target_owned & ~roster.is_entrant
    demand = chip_market.demand[:, roster.target] + chip_market.designers.wanted_at_home
    part_in_2020 = by_segment.sum(firms.base_capacity * own) / chip_market.base_demand[:, roster.target]
    alarmed = p["security.goal"] * states.alarm[:, [roster.target]] * demand
    lines = firms.capacity + firms.being_built
    missing = np.clip(part_in_2020 * demand + alarmed - by_segment.sum(lines * own), 0.0, alarmed)
    led = firms.programme_investment * own * (1.0 - firms.closed)
    of_segment = by_segment.spread(by_segment.sum(led))
    part = led / divisor(of_segment)
    quarters = p["security.years"] * QUARTERS_PER_YEAR
    firms.push = by_segment.spread(missing) * part * firms.capital_per_capacity / quarters
    states.push_paid = p["security.state_part"] * total(firms.push) * states.is_target
