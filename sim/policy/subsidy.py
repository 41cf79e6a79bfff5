"""Who gets a subsidy: the target's four rules of allocation, and the controllers' by sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.agents import ChipFirm
from sim.arrays import Array, Flags
from sim.engine.groups import Groups, divisor, total
from sim.engine.parameters import Parameters
from sim.markets.chips import ChipMarket
from sim.policy.review import review_inputs, review_segments
from sim.start.roster import Roster

if TYPE_CHECKING:
    from sim.model import DecouplingModel


def allocate_subsidies(model: DecouplingModel) -> None:
    """Share each state's grants among chip firms with lines (tools, research) and suppliers (research).

    The target's go to the firms it owns by its rule of allocation, and a part to entrants, where imports are large;
    the controllers' go by sales, for tools to chip firms there, for research to their own suppliers and firms.
    """
    firms, suppliers = model.chip_firms, model.suppliers
    if not model.states.subsidy_spent.any():
        firms.capacity_grant = firms.research_grant = firms.grant_offered = np.zeros_like(firms.revenue)
        suppliers.research_grant = np.zeros_like(suppliers.revenue)
        return
    _share_out_targets(model)
    if model.parameters["controller_subsidy.annual"].any():
        _add_controllers(model)


def _share_out_targets(model: DecouplingModel) -> None:
    """The target's grants, by its rule of allocation."""
    p, roster, states = model.parameters, model.roster, model.states
    firms, suppliers = model.chip_firms, model.suppliers
    by_score = p.is_set("subsidy.allocation", "bottleneck").any()
    unscored = np.zeros((len(firms.revenue), 1))
    firm_parts = _parts(
        p,
        firms.revenue * (roster.target_owned & ~roster.foundries.is_designer),
        _there(firms, roster),
        roster.by_segment,
        review_segments(model).score if by_score else unscored,
    )
    supplier_parts = _parts(
        p,
        suppliers.revenue * roster.target_supplier,
        roster.target_supplier,
        roster.by_input,
        review_inputs(model).score if by_score else unscored,
    )
    to_suppliers = p["subsidy.research_to_suppliers"]
    of_target = slice(roster.target, roster.target + 1)
    research, for_capacity = states.research_grants[:, of_target], states.capacity_grants[:, of_target]
    firms.grant_offered = _offered_to_entrants(model, for_capacity)
    to_entrants = firms.grant_offered * firms.entered
    firms.capacity_grant = (for_capacity - total(to_entrants)) * firm_parts + to_entrants
    firms.research_grant = research * (1.0 - to_suppliers) * firm_parts
    suppliers.research_grant = research * to_suppliers * supplier_parts


def _offered_to_entrants(model: DecouplingModel, for_capacity: Array) -> Array:
    """What each possible entrant would get for tools, more where the target imports more, (runs, F)."""
    roster = model.roster
    if not roster.is_entrant.any():
        return np.zeros_like(model.chip_firms.revenue)
    imports = _by_sales(chip_imports(roster, model.chip_market))
    part = for_capacity * model.parameters["entry.grant_part"]
    offered: Array = part * roster.by_segment.spread(imports) * roster.is_entrant
    return offered


def _add_controllers(model: DecouplingModel) -> None:
    """The controllers' grants, by sales."""
    p, roster, states = model.parameters, model.roster, model.states
    firms, suppliers = model.chip_firms, model.suppliers
    pays = roster.is_controller
    capacity, research = total(states.capacity_grants * pays), total(states.research_grants * pays)
    to_suppliers = p["subsidy.research_to_suppliers"]
    at_home, own = pays[roster.firm_site] & ~roster.foundries.is_designer, pays[roster.supplier_state]
    firms.capacity_grant = firms.capacity_grant + capacity * _by_sales(firms.revenue * at_home)
    for_firms = research * (1.0 - to_suppliers) * _by_sales(firms.revenue * pays[roster.firm_headquarters])
    firms.research_grant = firms.research_grant + for_firms
    for_suppliers = research * to_suppliers * _by_sales(suppliers.revenue * own)
    suppliers.research_grant = suppliers.research_grant + for_suppliers


def chip_imports(roster: Roster, chip_market: ChipMarket) -> Array:
    """Chips that the target uses and buys from abroad, (runs, G), bn yuan a quarter at 2020 prices."""
    return roster.by_segment.sum(chip_market.sales[:, roster.target] * ~roster.at_home)


def _by_sales(sales: Array) -> Array:
    """Parts by sales, summing to 1."""
    whole = total(sales)
    return sales / divisor(whole)


def _there(firms: ChipFirm, roster: Roster) -> Flags:
    """The target's own makers that have not closed, (runs, F); all of them in runs where every one has."""
    own = roster.target_owned & ~roster.is_entrant & ~roster.foundries.is_designer
    open_ones = own & (firms.closed == 0)
    there: Flags = np.where(open_ones.any(axis=-1, keepdims=True), open_ones, own)
    return there


def _parts(p: Parameters, sales: Array, eligible: Flags, by_market: Groups, score: Array) -> Array:
    """Each agent's part of the money, (runs, agents), summing to 1.

    uniform: the same to everybody. market: by sales. leader: to the largest of each market, markets by their sales.
    bottleneck: to markets by their score in the chain review, within a market by sales.
    """
    market_sales = by_market.sum(sales)
    of_market = by_market.spread(market_sales)
    within = sales / divisor(of_market)
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
    return chosen / divisor(whole)


def _largest(sales: Array, by_market: Groups) -> Array:
    """1 for the largest seller of each market, shared equally where several tie, else 0."""
    top = np.zeros_like(by_market.sum(sales))
    cells: Any = (slice(None), by_market.group_of)
    np.maximum.at(top, cells, sales)
    is_top = ((sales == by_market.spread(top)) & (sales > 0)).astype(np.float64)
    shared: Array = is_top / np.maximum(1.0, by_market.spread(by_market.sum(is_top)))
    return shared
