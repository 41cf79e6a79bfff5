"""Who gets the target's subsidy: four rules of allocation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.base_year import Layout
from sim.columns import Groups, total
from sim.markets.chips import ChipMarket
from sim.markets.inputs import InputMarket
from sim.parameters import Parameters

Array = NDArray[np.float64]


def allocate_subsidies(
    parameters: Parameters,
    layout: Layout,
    states: Any,
    makers: Any,
    suppliers: Any,
    chips: ChipMarket,
    inputs: InputMarket,
) -> None:
    """Share the target's grants among its makers (tools, research) and its suppliers (research)."""
    p = parameters
    if not states.subsidy_spent.any():
        makers.capacity_grant = makers.research_grant = np.zeros_like(makers.revenue)
        suppliers.research_grant = np.zeros_like(suppliers.revenue)
        return
    of_target = slice(layout.target, layout.target + 1)
    maker_parts = _parts(
        p, makers.revenue * layout.target_owned, layout.target_owned, layout.by_segment, chip_exposure(layout, chips)
    )
    supplier_parts = _parts(
        p,
        suppliers.revenue * layout.target_supplier,
        layout.target_supplier,
        layout.by_input,
        input_exposure(layout, inputs),
    )
    to_suppliers = p["subsidy.research_to_suppliers"]
    research = states.research_grants[:, of_target]
    makers.capacity_grant = states.capacity_grants[:, of_target] * maker_parts
    makers.research_grant = research * (1.0 - to_suppliers) * maker_parts
    suppliers.research_grant = research * to_suppliers * supplier_parts


def chip_exposure(layout: Layout, chips: ChipMarket) -> Array:
    """The target's purchases of chips from makers of other states, (runs, G), bn yuan a quarter."""
    bought = chips.sales[:, layout.target]
    return layout.by_segment.sum(bought * ~layout.target_owned)


def input_exposure(layout: Layout, inputs: InputMarket) -> Array:
    """What the target's own firms buy of inputs from suppliers of other states, (runs, I), bn yuan a quarter."""
    bought = np.zeros_like(inputs.sales[:, 0])
    for group in np.flatnonzero(layout.group_target_owned):
        bought = bought + inputs.sales[:, group]
    return layout.by_input.sum(bought * ~layout.target_supplier)


def _parts(p: Parameters, sales: Array, eligible: NDArray[np.bool_], by_market: Groups, exposure: Array) -> Array:
    """Each agent's part of the money, (runs, agents), summing to 1.

    uniform: the same to everybody. market: by sales. leader: to the largest of each market, markets by their sales.
    bottleneck: to markets by what is bought abroad there, within a market by sales.
    """
    market_sales = by_market.sum(sales)
    of_market = by_market.spread(market_sales)
    within = sales / np.where(of_market > 0, of_market, 1.0)
    largest = _largest(sales, by_market)
    reachable = exposure * (market_sales > 0)
    rules = {
        "uniform": np.broadcast_to(eligible.astype(np.float64), sales.shape),
        "market": sales,
        "leader": largest * of_market,
        "bottleneck": by_market.spread(reachable) * within,
    }
    chosen = np.zeros_like(sales)
    for name, weight in rules.items():
        chosen = np.where(p.is_set("subsidy.allocation", name), weight, chosen)
    whole = total(chosen)
    return chosen / np.where(whole > 0, whole, 1.0)


def _largest(sales: Array, by_market: Groups) -> Array:
    """1 for the largest seller of each market, shared equally where several tie, else 0."""
    top = np.zeros_like(by_market.sum(sales))
    cells: Any = (slice(None), by_market.group_of)
    np.maximum.at(top, cells, sales)
    is_top = ((sales == by_market.spread(top)) & (sales > 0)).astype(np.float64)
    return is_top / np.maximum(1.0, by_market.spread(by_market.sum(is_top)))
