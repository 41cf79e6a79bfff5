"""Who gets a subsidy: the target's four rules of allocation, and the controllers' by sales."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.arrays import Array, Flags
from sim.engine.groups import Groups, total
from sim.engine.parameters import Parameters
from sim.markets.chips import ChipMarket
from sim.markets.inputs import InputMarket
from sim.policy.review import review_inputs, review_segments
from sim.start.roster import Roster


def allocate_subsidies(
    parameters: Parameters,
    roster: Roster,
    states: Any,
    firms: Any,
    suppliers: Any,
    chip_market: ChipMarket,
    input_market: InputMarket,
) -> None:
    """Share each state's grants among firms (tools, research) and suppliers (research).

    The target's go to the firms it owns by its rule of allocation, and a part to who enters, where imports are large;
    the controllers' go by sales, for tools to who makes chips there, for research to their own suppliers and firms.
    """
    p = parameters
    if not states.subsidy_spent.any():
        firms.capacity_grant = firms.research_grant = firms.grant_offered = np.zeros_like(firms.revenue)
        suppliers.research_grant = np.zeros_like(suppliers.revenue)
        return
    by_score = p.is_set("subsidy.allocation", "bottleneck").any()
    unscored = np.zeros((len(firms.revenue), 1))
    of_target = slice(roster.target, roster.target + 1)
    firm_parts = _parts(
        p,
        firms.revenue * roster.target_owned,
        roster.target_owned & ~roster.is_entrant,
        roster.by_segment,
        review_segments(p, roster, chip_market, firms).score if by_score else unscored,
    )
    supplier_parts = _parts(
        p,
        suppliers.revenue * roster.target_supplier,
        roster.target_supplier,
        roster.by_input,
        review_inputs(p, roster, input_market, suppliers).score if by_score else unscored,
    )
    to_suppliers = p["subsidy.research_to_suppliers"]
    research = states.research_grants[:, of_target]
    for_capacity = states.capacity_grants[:, of_target]
    firms.grant_offered = np.zeros_like(firms.revenue)
    to_entrants = np.zeros_like(firms.revenue)
    if roster.is_entrant.any():
        imports = _by_sales(chip_imports(roster, chip_market))
        firms.grant_offered = (
            for_capacity * p["entry.grant_part"] * roster.by_segment.spread(imports) * roster.is_entrant
        )
        to_entrants = firms.grant_offered * firms.entered
    firms.capacity_grant = (for_capacity - total(to_entrants)) * firm_parts + to_entrants
    firms.research_grant = research * (1.0 - to_suppliers) * firm_parts
    suppliers.research_grant = research * to_suppliers * supplier_parts
    if p["controller_subsidy.annual"].any():
        paid = roster.is_controller
        capacity, research = total(states.capacity_grants * paid), total(states.research_grants * paid)
        at_home, own = paid[roster.firm_site], paid[roster.supplier_state]
        firms.capacity_grant = firms.capacity_grant + capacity * _by_sales(firms.revenue * at_home)
        for_firms = research * (1.0 - to_suppliers) * _by_sales(firms.revenue * paid[roster.firm_headquarters])
        firms.research_grant = firms.research_grant + for_firms
        for_suppliers = research * to_suppliers * _by_sales(suppliers.revenue * own)
        suppliers.research_grant = suppliers.research_grant + for_suppliers


def chip_imports(roster: Roster, chip_market: ChipMarket) -> Array:
    """Chips that the target uses and buys from abroad, (runs, G), bn yuan a quarter at 2020 prices."""
    return roster.by_segment.sum(chip_market.sales[:, roster.target] * ~roster.at_home)


def _by_sales(sales: Array) -> Array:
    """Parts by sales, summing to 1."""
    whole = total(sales)
    return sales / np.where(whole > 0, whole, 1.0)


def _parts(p: Parameters, sales: Array, eligible: Flags, by_market: Groups, score: Array) -> Array:
    """Each agent's part of the money, (runs, agents), summing to 1.

    uniform: the same to everybody. market: by sales. leader: to the largest of each market, markets by their sales.
    bottleneck: to markets by their score in the chain review, within a market by sales.
    """
    market_sales = by_market.sum(sales)
    of_market = by_market.spread(market_sales)
    within = sales / np.where(of_market > 0, of_market, 1.0)
    largest = _largest(sales, by_market)
    reachable = score * (market_sales > 0)
    rules = {
        "uniform": np.broadcast_to(eligible.astype(np.float64), sales.shape),
        "market": sales,
        "leader": largest * of_market,
        "bottleneck": by_market.spread(reachable) * within,
    }
    chosen = np.zeros_like(sales)
    for name, weight in rules.items():
        chosen = np.where(p.is_set("subsidy.allocation", name), weight, chosen)
    # Money that is spent arrives: where nobody sells anything, as after a full cut-off, all get the same.
    chosen = np.where(total(chosen) > 0, chosen, rules["uniform"])
    whole = total(chosen)
    return chosen / np.where(whole > 0, whole, 1.0)


def _largest(sales: Array, by_market: Groups) -> Array:
    """1 for the largest seller of each market, shared equally where several tie, else 0."""
    top = np.zeros_like(by_market.sum(sales))
    cells: Any = (slice(None), by_market.group_of)
    np.maximum.at(top, cells, sales)
    is_top = ((sales == by_market.spread(top)) & (sales > 0)).astype(np.float64)
    return is_top / np.maximum(1.0, by_market.spread(by_market.sum(is_top)))
