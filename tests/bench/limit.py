"""How far the two markets are from one compiled loop: the chip market and the input market of the model as they are.

uv run python tests/bench/limit.py

A block is stepped to a quarter in which controls and both mandates are in force, and each market trades from there: as
the model writes it, and as one loop over runs compiled by numba. Both must agree to 1e-9. Medians of repeats made in
turns, in processor time. Exit 1 when they disagree. The world has about as many firms as that of 2020, and no
designers, whose dies the loop does not know.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from copy import copy
from statistics import median
from typing import Any

import numba
import numpy as np

from sim.batch.blocks import BLOCK_SIZE
from sim.markets.inputs import NEWTON_STEPS
from sim.model import DecouplingModel
from sim.scenario.loading import load_config
from sim.schedule import calendar, controls, investment, plans, prices

QUARTER = 44  # 2031
IN_FORCE = {
    "synthetic.sectors": 6,
    "synthetic.firms": 60,
    "controls.mode": "fixed",
    "controls.severity": 0.6,
    "mandate.domestic": 0.3,
    "mandate.tools": 0.3,
}
REPEATS = 15


@numba.njit
def supplied(permitted: Any, backfill: Any) -> Any:
    denied = max(1.0 - permitted, 1e-12)
    return min(1.0, permitted + denied * -math.expm1(-backfill * permitted / denied))


@numba.njit
def or_one(value: Any) -> Any:
    return value if value > 0 else 1.0


@numba.njit
def trade_chips(
    p: Any, share: Any, demand: Any, firm: Any, denied: Any, segment: Any, at_home: Any, owned: Any, target: Any
) -> Any:
    """Sales, orders and unmet demand. `firm` has rows of what firms have; `denied` is above, below and exposure."""
    runs, states, firms = share.shape
    segments = demand.shape[2]
    sales, placed_by = np.zeros((runs, states, firms)), np.zeros((runs, firms))
    unmet = np.zeros((runs, states, segments))
    appeal, slack, fill, asked = np.zeros(firms), np.zeros(firms), np.zeros(firms), np.zeros(firms)
    whole, home, part = np.zeros(segments), np.zeros(segments), np.zeros(segments)
    above, below, kept = np.zeros(segments), np.zeros(segments), np.zeros(segments)
    for run in range(runs):
        weight, elasticity, caution, liking, backfill, least = p[run]
        capacity, base_capacity, lag, base_lag, cost, cover, outage, risk, alarm = firm[run]
        orders = sales[run]
        for f in range(firms):
            appeal[f] = capacity[f] / base_capacity[f] * math.exp(weight * (base_lag[f] - lag[f]))
            appeal[f] *= math.exp(-elasticity * math.log(cost[f]))
        for s in range(states):
            whole[:] = 0.0
            for f in range(firms):
                wish = share[run, s, f] * appeal[f]
                if s == target:
                    wish *= (1.0 if at_home[f] else math.exp(-caution * risk[f])) * math.exp(
                        liking * alarm[f] * owned[f]
                    )
                orders[s, f] = wish
                whole[segment[f]] += wish
            for f in range(firms):
                orders[s, f] /= whole[segment[f]]
            if s == target:
                above[:], below[:], kept[:], home[:] = 0.0, 0.0, 0.0, 0.0
                for f in range(firms):
                    g = segment[f]
                    above[g] += orders[s, f] * denied[run, 0, f]
                    below[g] += orders[s, f] * denied[run, 1, f]
                    exposure = denied[run, 2, f]
                    orders[s, f] *= 1.0 - (exposure * denied[run, 0, f] + (1.0 - exposure) * denied[run, 1, f])
                    kept[g] += orders[s, f]
                    part[g] = exposure
                for f in range(firms):
                    orders[s, f] /= or_one(kept[segment[f]])
                    home[segment[f]] += orders[s, f] * owned[f]
                for f in range(firms):
                    g = segment[f]
                    met = part[g] * supplied(1.0 - above[g], backfill)
                    met += (1.0 - part[g]) * supplied(1.0 - below[g], backfill)
                    wanted = max(home[g], least) if home[g] > 0 else home[g]
                    up, down = wanted / or_one(home[g]), (1.0 - wanted) / or_one(1.0 - home[g])
                    orders[s, f] *= met * (up if owned[f] else down)
            for f in range(firms):
                orders[s, f] *= demand[run, s, segment[f]]
                placed_by[run, f] += orders[s, f]
        whole[:], home[:] = 0.0, 0.0
        for f in range(firms):
            able = capacity[f] * cover[f] * (1.0 - outage[f])
            fill[f] = min(1.0, able / or_one(placed_by[run, f]))
            slack[f] = max(0.0, able - placed_by[run, f] * fill[f])
            exposure = denied[run, 2, f]
            appeal[f] = slack[f] * (1.0 - (exposure * denied[run, 0, f] + (1.0 - exposure) * denied[run, 1, f]))
            whole[segment[f]] += slack[f]
            home[segment[f]] += appeal[f]
        asked[:] = 0.0
        for s in range(states):
            unmet[run, s] = demand[run, s]
            part[:] = 0.0
            for f in range(firms):
                part[segment[f]] += orders[s, f] * (1.0 - fill[f])
            for f in range(firms):
                g = segment[f]
                if s == target:
                    asked[f] += appeal[f] * part[g] / or_one(home[g])
                else:
                    asked[f] += slack[f] * part[g] / or_one(whole[g])
        for s in range(states):
            part[:] = 0.0
            for f in range(firms):
                part[segment[f]] += orders[s, f] * (1.0 - fill[f])
            for f in range(firms):
                g = segment[f]
                wanted = appeal[f] * part[g] / or_one(home[g]) if s == target else slack[f] * part[g] / or_one(whole[g])
                orders[s, f] = orders[s, f] * fill[f] + wanted * min(1.0, slack[f] / or_one(asked[f]))
                unmet[run, s, g] -= orders[s, f]
            for g in range(segments):
                unmet[run, s, g] = max(0.0, unmet[run, s, g])
    return sales, placed_by, unmet


@numba.njit
def trade_inputs(
    p: Any,
    share: Any,
    seller: Any,
    group: Any,
    item: Any,
    need_of: Any,
    above: Any,
    below: Any,
    reach: Any,
    exposure: Any,
    bars: Any,
    kinds: Any,
    input_of: Any,
    ours: Any,
    owned: Any,
) -> Any:
    """Sales, deliveries, stocks and stores. `kinds` marks inputs that are tools, and those that are materials.

    `seller` has quality, cost and fear of each; `group` investment, capacity and cover of each and the odds that a
    mandate has raised; `item` what of each input is feared for, in store, in stock and used up; `need_of` the tools of
    a line, and the materials of a chip in each run.
    """
    runs, groups, sellers = share.shape
    inputs, home = item.shape[3], len(exposure)
    tool_mix = need_of[0, 0]
    sales = np.zeros((runs, groups, sellers))
    delivered, stock, store = np.zeros((runs, groups, inputs)), item[:, 2].copy(), item[:, 1].copy()
    revenue, at_hand = np.zeros((runs, sellers)), np.zeros((runs, groups, inputs))
    whole, denied_above, denied_below = np.zeros(inputs), np.zeros(inputs), np.zeros(inputs)
    kept, at_home, met = np.zeros(inputs), np.zeros(inputs), np.zeros(inputs)
    shy, bold = np.zeros(sellers), np.zeros(sellers)
    for run in range(runs):
        elasticity, caution, backfill, quarters, speed, stock_quarters, refill, least, pace = p[run]
        for u in range(sellers):
            bold[u] = seller[run, 0, u] * math.exp(-elasticity * math.log(seller[run, 1, u]))
            shy[u] = bold[u] * (1.0 if ours[u] else math.exp(-caution * seller[run, 2, u]))
        for k in range(groups):
            bought = sales[run, k]
            whole[:], at_home[:] = 0.0, 0.0
            for u in range(sellers):
                bought[u] = share[run, k, u] * (shy[u] if k < owned else bold[u])
                whole[input_of[u]] += bought[u]
            for u in range(sellers):
                bought[u] /= whole[input_of[u]]
                if ours[u]:
                    at_home[input_of[u]] += bought[u]
            if k < owned and least > 0:
                raised, most = group[run, 3, k], group[run, 3, k] + pace / 4.0
                for _ in range(NEWTON_STEPS):
                    short, slope, odds = least, 0.0, math.exp(raised)
                    for i in range(inputs):
                        asked = at_home[i] * odds / (1.0 - at_home[i] + at_home[i] * odds)
                        short -= asked * tool_mix[i]
                        slope += asked * (1.0 - asked) * tool_mix[i]
                    raised = min(max(raised + short / or_one(slope), 0.0), most)
                odds = math.exp(raised)
                for u in range(sellers):
                    i = input_of[u]
                    if kinds[0, i]:
                        asked = at_home[i] * odds / (1.0 - at_home[i] + at_home[i] * odds)
                        bought[u] *= asked / or_one(at_home[i]) if ours[u] else (1.0 - asked) / or_one(1.0 - at_home[i])
            denied_above[:], denied_below[:], kept[:] = 0.0, 0.0, 0.0
            for u in range(sellers):
                i = input_of[u]
                if k < home:
                    row = k if above.shape[1] > 1 else 0
                    denied_above[i] += bought[u] * above[run, row, u]
                    denied_below[i] += bought[u] * below[run, row, u]
                    hit = exposure[k] * above[run, row, u] + (1.0 - exposure[k]) * below[run, row, u]
                    bought[u] *= 1.0 - reach[run, k] * hit
                else:
                    denied_above[i] += bought[u] * bars[run, k - home, u]
                    bought[u] *= 1.0 - bars[run, k - home, u]
                kept[i] += bought[u]
            investment, capacity, cover = group[run, 0, k], group[run, 1, k], group[run, 2, k]
            for i in range(inputs):
                if k < home:
                    met[i] = exposure[k] * supplied(1.0 - reach[run, k] * denied_above[i], backfill)
                    met[i] += (1.0 - exposure[k]) * supplied(1.0 - reach[run, k] * denied_below[i], backfill)
                else:
                    met[i] = supplied(1.0 - denied_above[i], backfill)
                ahead, tools = quarters * item[run, 0, k, i], investment * tool_mix[i]
                gap = ahead * tools - store[run, k, i]
                hoard = max(0.0, gap) * speed
                released = min(min(store[run, k, i], tools), max(0.0, -gap) * speed)
                need = tools - released + hoard
                if not kinds[0, i]:
                    wanted = item[run, 3, k, i]
                    use = wanted / or_one(cover) if wanted > 0 else capacity * need_of[run, 1, i]
                    held = use * kinds[1, i]
                    need += max(0.0, use + (held * (stock_quarters + ahead) - stock[run, k, i] - held) * refill)
                delivered[run, k, i] = need * met[i]
                stock[run, k, i] += delivered[run, k, i] * kinds[1, i]
                denied = (tools - released) * max(0.0, 1.0 - met[i])
                drawn = released + min(store[run, k, i] - released, denied)
                store[run, k, i] += hoard * met[i] - drawn
                at_hand[run, k, i] = met[i] + (drawn - released * met[i]) / or_one(tools)
            for u in range(sellers):
                bought[u] *= delivered[run, k, input_of[u]] / or_one(kept[input_of[u]])
                revenue[run, u] += bought[u]
    return sales, delivered, stock, store, at_hand, revenue


def rows(*values: Any) -> np.ndarray:
    """Arrays of the same shape as one, behind the runs."""
    return np.ascontiguousarray(np.stack(np.broadcast_arrays(*values), axis=1))


def parameters_of(model: DecouplingModel, *names: str) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate([model.parameters[name] for name in names], axis=-1))


def chips_of(model: DecouplingModel) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The chip market's trade as it is, and compiled: each gives sales, orders and unmet demand."""
    market, firms, states, roster = model.chip_market, model.chip_firms, model.states, model.roster
    risk = states.expected_cutoff[:, roster.firm_headquarters]
    held = (firms.capacity, firms.base_capacity, firms.lag, firms.base_lag, firms.unit_cost, firms.material_cover)
    way = market.in_the_way
    arguments = (
        parameters_of(
            model,
            "buyers.technology_weight",
            "buyers.price_elasticity",
            "buyers.caution",
            "buyers.localisation",
            "controls.backfill",
            "mandate.domestic",
        ),
        market.base_share,
        market.demand,
        rows(*held, firms.outage, risk, states.alarm[:, [roster.target]]),
        rows(way.above, way.below, way.exposure),
        roster.firm_segment,
        roster.at_home,
        roster.target_owned,
        roster.target,
    )

    def as_it_is() -> Any:
        market.trade(model.parameters, firms, states)
        return market.sales, firms.orders, market.unmet

    return as_it_is, lambda: trade_chips(*arguments)


def inputs_of(model: DecouplingModel) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The input market's trade as it is, and compiled: each gives sales, deliveries, stock, store and revenue."""
    before, firms, suppliers, states = model.input_market, model.chip_firms, model.suppliers, model.states
    roster, base = model.roster, model.input_market.base

    def as_it_is() -> Any:
        market = copy(before)  # its values are replaced, never changed: the next repeat begins where this one did
        market.trade(model.parameters, firms, suppliers, states)
        return market.sales, market.delivered, market.stock, market.store, suppliers.revenue

    trial = copy(before)
    trial.trade(model.parameters, firms, suppliers, states)  # so that who has entered is counted
    risk = states.expected_cutoff[:, roster.supplier_state]
    covered = before.covered[..., 0]
    raised = np.zeros_like(covered)
    raised[:, roster.owned] = before._raised
    by_group = roster.by_group.sum
    arguments = (
        parameters_of(
            model,
            "buyers.price_elasticity",
            "buyers.caution",
            "controls.backfill",
            "stockpiling.quarters",
            "stockpiling.speed",
            "materials.stock_quarters",
            "materials.refill_speed",
            "mandate.tools",
            "mandate.tools_pace",
        ),
        trial._usual_share,
        rows(suppliers.quality, suppliers.unit_cost, risk),
        rows(by_group(firms.investment), by_group(firms.capacity), covered, raised),
        rows(before.feared, before.store, before.stock, before.wanted),
        rows(base.tool_mix, base.material_need[:, 0]),
        np.ascontiguousarray(before.by_controls.above),
        np.ascontiguousarray(before.by_controls.below),
        np.ascontiguousarray(before.by_controls.reach[..., 0]),
        np.ascontiguousarray(before.by_controls.exposure[:, 0]),
        np.ascontiguousarray(before.in_the_way[:, roster.abroad]),
        np.stack([roster.is_equipment, roster.is_material]),
        roster.supplier_input,
        roster.target_supplier,
        roster.owned.stop,
    )

    def compiled() -> Any:
        sales, delivered, stock, store, _, revenue = trade_inputs(*arguments)
        return sales, delivered, stock, store, revenue

    return as_it_is, compiled


def apart(left: Any, right: Any) -> float:
    """The largest difference, relative to the largest value of each quantity."""
    return max(
        float(np.abs(one - other).max() / np.abs(one).max())
        for one, other in zip(left, right, strict=True)
        if one.any()
    )


def compared(name: str, as_it_is: Callable[[], Any], compiled: Callable[[], Any]) -> bool:
    off = apart(as_it_is(), compiled())
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for kept, work in zip(times, (as_it_is, compiled), strict=True):
            start = time.process_time()
            work()
            kept.append(time.process_time() - start)
    own, fast = (1e6 * median(kept) / BLOCK_SIZE for kept in times)
    part = median(quick / slow for slow, quick in zip(*times, strict=True))
    print(f"{name:14}{own:12.1f}{fast:14.1f}{part:18.2f}{off:14.1e}")
    return off <= 1e-9


def main() -> int:
    model = DecouplingModel.block([load_config("synthetic", IN_FORCE)] * BLOCK_SIZE, range(1, BLOCK_SIZE + 1))
    while model.quarter < QUARTER:
        model.step()
    for table in model.tables.values():
        table.quarter = model.quarter
    for phase in (calendar, controls, plans):
        phase(model)
    model.chip_market.form_demand(model.parameters, model.quarter)
    model.input_market.cover(model.chip_firms)
    print(f"{'a quarter':14}{'model, µs':>12}{'compiled, µs':>14}{'compiled/model':>18}{'largest gap':>14}")
    met = compared("chip market", *chips_of(model))
    model.input_market.use_materials(model.chip_firms)
    for phase in (prices, investment):
        phase(model)
    return 0 if compared("input market", *inputs_of(model)) and met else 1


if __name__ == "__main__":
    sys.exit(main())
