"""How far the two markets are from one compiled loop: the chip market and the input market of the model as they are.

uv run python tests/bench/limit.py

A block of `historic`, with a purchase rule besides, is stepped to two quarters in which between them everything is on,
and each market trades from there: as the model writes it, and as one loop over runs compiled by numba. Both must agree
to 1e-9. Medians of repeats made in turns, in processor time. Exit 1 when they disagree.

What the loops do bears the names that it has in `sim/markets`. K groups, I inputs, U suppliers; S states, G segments,
F firms, D designers, B books.
"""

from __future__ import annotations

import math
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from functools import cache
from statistics import median
from typing import Any

import numba
import numpy as np
from machine import caches

from sim.batch.blocks import BLOCK_SIZE
from sim.calendar import QUARTERS_PER_YEAR
from sim.markets.denial import by_lever
from sim.markets.designers import ALL
from sim.markets.inputs import NEWTON_STEPS
from sim.markets.quality import MIDDLE_OF_BASE_YEAR
from sim.model import DecouplingModel
from sim.scenario.loading import load_config
from sim.schedule import calendar, controls, investment, plans, prices

QUARTERS = {
    "2024": 16,  # chips of dies got through fronts and in stock
    "2031": 44,  # controls on lines, bars and a tool mandate; dies and a part are short
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
def ratio(over: Any, under: Any, otherwise: Any) -> Any:
    return over / under if under > 0 else otherwise


# The chip market


@numba.njit
def weigh_makers(run: Any, p: Any, market: Any, firms: Any, appeal: Any) -> Any:
    """Fills in each firm's appeal (F,) by capacity, by technology or quality, and by cost."""
    weight, by_quality = p.buyers_technology_weight[run], p.buyers_quality_weight[run]
    elasticity = p.buyers_price_elasticity[run]
    for f in range(len(appeal)):
        g, gap = market.segment[f], firms.base_lag[run, f] - firms.lag[run, f]
        size = firms.capacity[run, f] / firms.base_capacity[run, f] if market.has_lines[f] else 1 - firms.closed[run, f]
        gained = by_quality * market.growth[g] * gap if market.has_quality[g] else weight * gap
        appeal[f] = size * math.exp(gained - elasticity * math.log(firms.unit_cost[run, f]))


@numba.njit
def weigh_for_target(run: Any, p: Any, market: Any, firms: Any, states: Any, appeal: Any, liked: Any) -> Any:
    """The same for the target's buyers, `liked`.

    They shun who may be cut off, prefer their own, come to know young ones, and get no better than the cap.
    """
    liking = p.buyers_localisation[run] * states.alarm[run, market.target]
    caution, by_quality = p.buyers_caution[run], p.buyers_quality_weight[run]
    for f in range(len(appeal)):
        more = liking * market.target_owned[f]
        if not market.at_home[f]:
            more -= caution * states.expected_cutoff[run, market.headquarters[f]]
        if market.capped[f]:
            g = market.segment[f]
            frontier = p.research_quality_growth[run] * market.growth[g] * market.years
            behind = -market.growth[g] * firms.lag[run, f]
            more += by_quality * (min(behind, market.cap[run, g] - frontier) - behind)
        liked[f] = appeal[f] * math.exp(more) * firms.adoption[run, f]


@numba.njit
def choose(share: Any, appeal: Any, market: Any, wish: Any, whole: Any) -> Any:
    """Fills `wish` with a buyer's shares of sellers, which sum to 1 in each market; `whole` has room for sums."""
    whole[:] = 0.0
    for f in range(len(wish)):
        wish[f] = share[f] * appeal[f]
        whole[market[f]] += wish[f]
    for f in range(len(wish)):
        wish[f] /= or_one(whole[market[f]])


@numba.njit
def permit(run: Any, p: Any, market: Any, share: Any, open_part: Any) -> Any:
    """Takes from the target's `share` (F,) what is denied and not replaced; `open_part` is what is not denied."""
    above, below, kept, home = np.zeros((4, market.growth.size))
    for f in range(len(share)):
        g = market.segment[f]
        exposure = market.exposure[g]
        above[g] += share[f] * market.above[run, f]
        below[g] += share[f] * market.below[run, f]
        open_part[f] = 1.0 - (exposure * market.above[run, f] + (1.0 - exposure) * market.below[run, f])
        share[f] *= open_part[f]
        kept[g] += share[f]
    for f in range(len(share)):
        g = market.segment[f]
        share[f] /= or_one(kept[g])
        home[g] += share[f] * market.target_owned[f]
    least, backfill = p.mandate_domestic[run], p.controls_backfill[run]
    for g in range(len(kept)):
        met = market.exposure[g] * supplied(1.0 - above[g], backfill)
        met += (1.0 - market.exposure[g]) * supplied(1.0 - below[g], backfill)
        wanted = max(home[g], least) if home[g] > 0 else home[g]
        above[g], below[g] = met * wanted / or_one(home[g]), met * (1.0 - wanted) / or_one(1.0 - home[g])
    for f in range(len(share)):
        share[f] *= above[market.segment[f]] if market.target_owned[f] else below[market.segment[f]]


@numba.njit
def filled_first(placed: Any, able: Any, fill: Any, slack: Any) -> Any:
    for f in range(len(placed)):
        fill[f] = min(1.0, able[f] / or_one(placed[f]))
        slack[f] = max(0.0, able[f] - placed[f] * fill[f])


@numba.njit
def asked_twice(
    orders: Any, fill: Any, slack: Any, open_part: Any, segment: Any, backfill: float, more: Any, asked: Any
) -> Any:
    """Leaves of `orders` what buyers get at first, and tells what they ask of firms with slack instead.

    `slack` is by buyer, or one row for all. `more` is what is asked by buyer and firm, and is added to `asked` by firm.
    """
    by_segment = np.zeros((3, segment.max() + 1))
    short, open_to, whole = by_segment
    for b in range(len(orders)):
        by_segment[:] = 0.0
        for f in range(len(fill)):
            bought = orders[b, f] * fill[f]
            short[segment[f]] += orders[b, f] - bought
            orders[b, f] = bought
            free = slack[min(b, len(slack) - 1), f]
            more[b, f] = free * open_part[b, f]
            open_to[segment[f]] += more[b, f]
            whole[segment[f]] += free
        for g in range(len(short)):
            met = supplied(open_to[g] / whole[g] if whole[g] > 0.0 else 1.0, backfill)
            short[g] *= met / or_one(open_to[g])
        for f in range(len(fill)):
            more[b, f] *= short[segment[f]]
            asked[f] += more[b, f]


@numba.njit
def could_offer(run: Any, p: Any, designers: Any, firms: Any, capacity: Any, placed: Any) -> Any:
    """What designers can book, by dies and parts that they think they can get, foundries and outages, (D,)."""
    room = np.zeros(len(designers.own))
    for d, f in enumerate(designers.own):
        b = designers.book[d]
        most = p.designers_booking[run] * capacity[f]
        room[d] = min(most, firms.parts_allow[run, f], designers.allow[run, d])
        denied = designers.foundry[run] if designers.of_target[b] and not designers.dies_at_home[b] else 0.0
        left = (1.0 - denied) * (1.0 - firms.outage[run, f])
        if left < 1.0:
            room[d] = min(room[d], placed[f] * left)
    return room


@numba.njit
def offer(designers: Any, room: Any, placed: Any, orders: Any, open_part: Any, backfill: float) -> Any:
    """What buyers would get of designers' chips if there were dies for all, (S, D)."""
    own = designers.own
    chips, opened, more = orders[:, own], open_part[:, own], np.empty((len(orders), len(own)))
    fill, slack, asked = np.zeros((3, len(own)))
    filled_first(placed[own], room, fill, slack)
    asked_twice(chips, fill, np.expand_dims(slack, 0), opened, designers.segment, backfill, more, asked)
    for d in range(len(own)):
        part = min(1.0, slack[d] / or_one(asked[d]))
        for s in range(len(orders)):
            chips[s, d] += more[s, d] * part
    return chips


@numba.njit
def spread_over_makers(designers: Any, able: Any) -> Any:
    """What part of its dies each book orders with each maker, by what these can make, (B, makers)."""
    spread = np.zeros(designers.serves.shape)
    for b in range(len(spread)):
        whole = 0.0
        for m, f in enumerate(designers.makers):
            spread[b, m] = able[f] * designers.serves[b, m]
            whole += spread[b, m]
        for m in range(len(designers.makers)):
            spread[b, m] /= or_one(whole)
    return spread


@numba.njit
def claims_of(run: Any, designers: Any, spread: Any, unit_cost: Any) -> Any:
    """Dies by value of each designer's chips, (D,)."""
    learnt, claims = np.ones(len(spread)), np.zeros(len(designers.own))
    for b in range(len(spread)):
        if spread[b].sum() > 0:
            learnt[b] = 0.0
            for m, f in enumerate(designers.makers):
                if spread[b, m] > 0:
                    learnt[b] += spread[b, m] * unit_cost[run, f]
    for d in range(len(claims)):
        claims[d] = designers.claim[d] * max(1.0, designers.young[d] * learnt[designers.book[d]])
    return claims


@numba.njit
def from_stock_of(run: Any, designers: Any, offered: Any) -> Any:
    """What the target's designers make of dies in stock, (D,)."""
    from_stock = offered * designers.stocks
    whole = from_stock.sum()
    return from_stock * ratio(min(designers.stock[run], whole), whole, 0.0)


@numba.njit
def serve_first(run: Any, p: Any, designers: Any, able: Any, dies: Any) -> Any:
    """The part of the orders for dies that the target's own makers fill before others, taken from these."""
    first = np.zeros(dies.shape)
    for b in range(len(dies)):
        if designers.dies_at_home[b]:
            for m, f in enumerate(designers.makers):
                first[b, m] = min(dies[b, m], p.designers_priority[run] * able[f])
                dies[b, m] -= first[b, m]
    return first


@numba.njit
def ration(
    designers: Any,
    market: Any,
    able: Any,
    orders: Any,
    open_part: Any,
    backfill: float,
    dies: Any,
    first: Any,
    placed: Any,
    more: Any,
) -> Any:
    """Leaves of orders and dies what makers can make. `placed` becomes the orders with each maker, of both kinds."""
    made_first = np.zeros(len(able))
    for m, f in enumerate(designers.makers):
        placed[f] += dies[:, m].sum()
        made_first[f] = first[:, m].sum()
    fill, slack, asked = np.zeros((3, len(able)))
    filled_first(placed, able - made_first, fill, slack)
    placed += made_first
    asked_twice(orders, fill, np.expand_dims(slack, 0), open_part, market.segment, backfill, more, asked)
    makers = designers.makers
    more_dies, asked_of_makers = np.zeros(dies.shape), asked[makers]
    all_open, of_makers = np.ones(dies.shape), market.segment[makers]
    served = slack[makers] * designers.serves
    asked_twice(dies, fill[makers], served, all_open, of_makers, backfill, more_dies, asked_of_makers)
    asked[makers] = asked_of_makers
    for f in range(len(able)):
        asked[f] = min(1.0, slack[f] / or_one(asked[f]))
    for s in range(len(orders)):
        for f in range(len(able)):
            orders[s, f] += more[s, f] * asked[f]
    for b in range(len(dies)):
        for m, f in enumerate(makers):
            dies[b, m] += first[b, m] + more_dies[b, m] * asked[f]


@numba.njit
def receive(
    run: Any, p: Any, designers: Any, dies: Any, needed: Any, fronts: Any, offered: Any, from_stock: Any, stock: Any
) -> Any:
    """What part of the chips offered there are dies for, (D,); what came through fronts is laid in stock."""
    filled, of_books = np.zeros(len(offered)), np.zeros(len(dies))
    stock[run] = designers.stock[run] - from_stock.sum()
    for b in range(len(dies)):
        got = dies[b].sum()
        bought = got * ratio(fronts[b], needed[b] + fronts[b], 0.0)
        stock[run] += bought / designers.claim_of_book[b]
        of_books[b] = min(1.0, ratio(got - bought, needed[b], 1.0))
    for d in range(len(offered)):
        chips = from_stock[d] + (offered[d] - from_stock[d]) * of_books[designers.book[d]]
        filled[d] = ratio(chips, offered[d], 1.0)
    return filled


@numba.njit
def add_up(market: Any, sales: Any, placed: Any, room: Any, sold: Any, unmet: Any, tightness: Any) -> Any:
    """Fills in what each firm sold, what of demand is unmet, and orders by what could be made, by segment."""
    wanted, could = np.zeros((2, len(tightness)))
    for f in range(len(placed)):
        g = market.segment[f]
        wanted[g] += placed[f]
        could[g] += room[f]
        for s in range(len(sales)):
            sold[f] += sales[s, f]
            unmet[s, g] -= sales[s, f]
    for g in range(len(tightness)):
        tightness[g] = ratio(wanted[g], could[g], 1.0)
        for s in range(len(sales)):
            unmet[s, g] = max(0.0, unmet[s, g])


@numba.njit
def trade_chips(p: Any, market: Any, firms: Any, states: Any, designers: Any) -> Any:
    """What is told at its end, as the model holds it after a trade."""
    runs, buyers, makers = market.base_share.shape
    segments, own = market.demand.shape[2], designers.own
    sales, placed, made = np.zeros((runs, buyers, makers)), np.zeros((runs, makers)), np.zeros((runs, makers))
    capacity, home = firms.capacity.copy(), np.zeros((runs, makers))
    unmet, tightness, at_home = market.demand.copy(), np.zeros((runs, segments)), np.zeros((runs, segments))
    stock, allow = designers.stock.copy(), designers.allow.copy()
    more, open_part, whole = np.zeros((buyers, makers)), np.ones((buyers, makers)), np.zeros(segments)
    appeal, liked, able = np.zeros(makers), np.zeros(makers), np.zeros(makers)
    for run in range(runs):
        orders = sales[run]
        weigh_makers(run, p, market, firms, appeal)
        weigh_for_target(run, p, market, firms, states, appeal, liked)
        for s in range(buyers):
            choose(market.base_share[run, s], liked if s == market.target else appeal, market.segment, orders[s], whole)
        permit(run, p, market, orders[market.target], open_part[market.target])
        normal = p.investment_normal_utilisation[run]
        for f in range(makers):
            for s in range(buyers):
                orders[s, f] *= market.demand[run, s, market.segment[f]]
                placed[run, f] += orders[s, f]
            if not market.has_lines[f]:
                capacity[run, f] = placed[run, f] / normal
            able[f] = capacity[run, f] * firms.material_cover[run, f] * (1.0 - firms.outage[run, f])
            home[run, f] = market.at_home[f]
        room = could_offer(run, p, designers, firms, capacity[run], placed[run])
        chips = offer(designers, room, placed[run], orders, open_part, p.controls_backfill[run])
        spread = spread_over_makers(designers, able)
        claims = claims_of(run, designers, spread, firms.unit_cost)
        offered = chips.sum(axis=0)
        from_stock = from_stock_of(run, designers, offered)
        needed = np.zeros(len(spread))
        for d, f in enumerate(own):
            needed[designers.book[d]] += (offered[d] - from_stock[d]) * claims[d]
            at_home[run, designers.line[d]] += placed[run, f] * claims[d] * designers.stocks[d]
        fronts = p.leakage_dies[run] / QUARTERS_PER_YEAR * designers.fronts
        dies = spread * (needed + fronts).reshape(len(spread), 1)
        first = serve_first(run, p, designers, able, dies)
        backfill = p.controls_backfill[run]
        ration(designers, market, able, orders, open_part, backfill, dies, first, placed[run], more)
        filled = receive(run, p, designers, dies, needed, fronts, offered, from_stock, stock)
        for d, f in enumerate(own):
            again = p.designers_asked_when_not[run] * allow[run, d]
            sold = offered[d] * filled[d]
            allow[run, d] = p.designers_asked_when_short[run] * sold if filled[d] < ALL else again
            home[run, f] *= 1.0 - min(1.0, ratio(from_stock[d], sold, 0.0))
            orders[:, f] = chips[:, d] * filled[d]
            able[f] = max(min(able[f], room[d]) * filled[d], sold)
            capacity[run, f] = max(capacity[run, f], able[f])
        add_up(market, orders, placed[run], able * normal, made[run], unmet[run], tightness[run])
        for m, f in enumerate(designers.makers):
            made[run, f] += dies[:, m].sum()
    return sales, placed, made, capacity, home, market.demand - unmet, tightness, at_home, stock, allow


# The input market


@numba.njit
def needed(run: Any, made: Any, base: Any, groups: Any) -> Any:
    """What groups need of what is used up, for what their firms make, (K, I)."""
    need, of_lines = np.zeros((groups, len(base.tool_mix))), np.zeros(groups)
    for f in range(len(made)):
        of_lines[base.group[f]] += made[f] * base.has_lines[f]
    for i in range(len(base.tool_mix)):
        if base.part_of[i] < 0:
            need[:, i] = of_lines * base.material_need[run, i]
        else:
            for f in range(len(made)):
                if base.segment[f] == base.part_of[i]:
                    need[base.group[f], i] += made[f] * base.material_need[run, i]
    return need


@numba.njit
def weigh_suppliers(run: Any, p: Any, suppliers: Any, base: Any, appeal: Any, shunned: Any) -> Any:
    """Fills in each supplier's appeal, and that to the target's own firms, (U,)."""
    for u in range(len(appeal)):
        cost = suppliers.unit_cost[run, u]
        appeal[u] = suppliers.quality[run, u] * math.exp(-p.buyers_price_elasticity[run] * math.log(cost))
        risk = suppliers.expected_cutoff[run, base.supplier_state[u]]
        shunned[u] = appeal[u] * (1.0 if base.target_supplier[u] else math.exp(-p.buyers_caution[run] * risk))


@numba.njit
def raised_odds(share: Any, odds: Any) -> Any:
    return share * odds / (1.0 - share + share * odds)


@numba.njit
def mandate(least: Any, before: Any, pace: Any, base: Any, bought: Any, at_home: Any) -> Any:
    """Raises a group's shares of home suppliers of tools towards the mandate, from where it was before."""
    at_home[:] = 0.0
    for u in base.home_suppliers:
        at_home[base.supplier_input[u]] += bought[u]
    raised = before
    for _ in range(NEWTON_STEPS):
        short, slope, odds = least, 0.0, math.exp(raised)
        for i in range(len(at_home)):
            asked = raised_odds(at_home[i], odds)
            short -= asked * base.tool_mix[i]
            slope += asked * (1.0 - asked) * base.tool_mix[i]
        raised = min(max(raised + short / or_one(slope), 0.0), before + pace / QUARTERS_PER_YEAR)
    odds = math.exp(raised)
    for u in range(len(bought)):
        i = base.supplier_input[u]
        if base.is_equipment[i]:
            share, asked = at_home[i], raised_odds(at_home[i], odds)
            bought[u] *= asked / or_one(share) if base.target_supplier[u] else (1.0 - asked) / or_one(1.0 - share)


@numba.njit
def denied_of(bought: Any, denied: Any, market: Any, by_market: Any) -> Any:
    """Fills in what part of its needs a group would buy from who is denied it, by input."""
    by_market[:] = 0.0
    for u in range(len(bought)):
        by_market[market[u]] += bought[u] * denied[u]


@numba.njit
def meet(run: Any, k: Any, p: Any, market: Any, supplier_input: Any, bought: Any, denied: Any, met: Any) -> Any:
    """Fills in what part of a group's needs is met, (I,); `denied` has room for what is not."""
    backfill = p.controls_backfill[run]
    if k >= market.exposure.size:
        denied_of(bought, 1.0 - market.left[run, k], supplier_input, denied)
        for i in range(len(met)):
            met[i] = supplied(1.0 - denied[i], backfill)
        return
    row = market.row[k]
    exposure, reach = market.exposure[k], market.reach[run, k]
    denied_of(bought, market.above[run, row], supplier_input, denied)
    for i in range(len(met)):
        met[i] = exposure * supplied(1.0 - reach * denied[i], backfill)
    denied_of(bought, market.below[run, row], supplier_input, denied)
    for i in range(len(met)):
        met[i] += (1.0 - exposure) * supplied(1.0 - reach * denied[i], backfill)


@numba.njit
def order_used_up(run: Any, k: Any, p: Any, market: Any, base: Any, to_come: Any, met: Any, need: Any) -> Any:
    """Fills in what is ordered of materials, parts and software: what is used, and what refills the stock."""
    for i in range(len(need)):
        if not base.is_equipment[i]:
            is_part, wanted = base.part_of[i] >= 0, market.wanted[run, k, i]
            use = wanted / or_one(market.covered[run, k, i]) if wanted > 0 else to_come[i]
            kept = use * base.is_material[i]
            quarters = p.stockpiling_parts_quarters[run] if is_part else p.stockpiling_quarters[run]
            wanted_stock = kept * (p.materials_stock_quarters[run] + quarters * market.feared[run, k, i])
            missing = wanted_stock - market.stock[run, k, i] - kept
            speed = (met[i] > 1.0 - 1e-9) * 1.0 if is_part else p.materials_refill_speed[run]
            need[i] = max(0.0, use + missing * speed)


@numba.njit
def install(
    run: Any, k: Any, p: Any, market: Any, base: Any, tools: Any, met: Any, need: Any, at_hand: Any, store: Any
) -> Any:
    """Fills in the tools ordered and the part of those wanted that is at hand, by input; the store is drawn on."""
    quarters, speed = p.stockpiling_quarters[run], p.stockpiling_speed[run]
    for i in range(len(need)):
        if base.is_equipment[i]:
            wanted, held = tools * base.tool_mix[i], market.store[run, k, i]
            gap = quarters * market.feared[run, k, i] * wanted - held
            hoard, released = max(0.0, gap) * speed, min(held, wanted, max(0.0, -gap) * speed)
            need[i] = wanted - released + hoard
            drawn = released + min(held - released, (wanted - released) * max(0.0, 1.0 - met[i]))
            store[i] = held + hoard * met[i] - drawn
            at_hand[i] = met[i] + (drawn - released * met[i]) / or_one(wanted)
        else:
            at_hand[i] = met[i]


@numba.njit
def hand_over(run: Any, p: Any, firms: Any, base: Any, at_hand: Any, met: Any, got: Any) -> Any:
    """Fills `got` (4, F): tools received, what lines these make, software at hand, money diverted."""
    groups, inputs = at_hand.shape
    tools, line, software = np.zeros(groups), np.zeros(groups), np.ones(groups)
    least = p.production_yield_without_critical_inputs[run]
    for k in range(groups):
        lacking, critical = 0.0, 1.0
        for i in range(inputs):
            tools[k] += at_hand[k, i] * base.tool_mix[i]
            lacking += base.weights[k, i] / max(at_hand[k, i], 1e-9)
            if base.is_quality_critical[i]:
                critical = min(critical, at_hand[k, i])
            if base.is_software[i]:
                software[k] = min(software[k], met[k, i])
        line[k] = (least + (1.0 - least) * critical if base.quality_bound[k] else 1.0) / lacking
    unspent, whole = 0.0, 0.0
    for f in range(got.shape[1]):
        k, ordered = base.group[f], firms.investment[run, f]
        got[0, f], got[1, f], got[2, f] = ordered * tools[k], line[k], software[k]
        if base.target_owned[f]:
            unspent += ordered - got[0, f]
            got[3, f] = firms.programme_investment[run, f] * got[0, f] / or_one(ordered)
            whole += got[3, f]
    got[3] *= max(0.0, unspent) / or_one(whole)


@numba.njit
def trade_inputs(p: Any, market: Any, firms: Any, suppliers: Any, base: Any) -> Any:
    """Sales, deliveries, stocks, stores, revenue, and what firms are handed."""
    runs, kinds, sellers = market.share.shape
    groups = len(base.buyer_of_group)
    inputs, makers = len(base.tool_mix), firms.investment.shape[1]
    sales, delivered = np.zeros((runs, groups, sellers)), np.zeros((runs, groups, inputs))
    stock, store = market.stock.copy(), market.store.copy()
    revenue, got = np.zeros((runs, sellers)), np.zeros((runs, 4, makers))
    appeal, shunned, chosen = np.zeros(sellers), np.zeros(sellers), np.zeros((kinds, sellers))
    room, need, permitted = np.zeros(inputs), np.zeros(inputs), np.zeros(inputs)
    at_hand, met = np.zeros((groups, inputs)), np.zeros((groups, inputs))
    for run in range(runs):
        weigh_suppliers(run, p, suppliers, base, appeal, shunned)
        to_come = needed(run, firms.capacity[run], base, groups)
        tools = np.zeros(groups)
        for f in range(makers):
            tools[base.group[f]] += firms.investment[run, f]
        for b in range(kinds):
            choose(market.share[run, b], shunned if b == 0 else appeal, base.supplier_input, chosen[b], room)
        if p.mandate_tools[run] > 0:
            mandate(p.mandate_tools[run], market.raised[run, 0], p.mandate_tools_pace[run], base, chosen[0], room)
        for k in range(groups):
            bought = sales[run, k]
            bought[:] = chosen[base.buyer_of_group[k]]
            meet(run, k, p, market, base.supplier_input, bought, room, met[k])
            install(run, k, p, market, base, tools[k], met[k], need, at_hand[k], store[run, k])
            order_used_up(run, k, p, market, base, to_come[k], met[k], need)
            permitted[:] = 0.0
            for u in range(sellers):
                bought[u] *= market.left[run, k, u]
                permitted[base.supplier_input[u]] += bought[u]
            for i in range(inputs):
                delivered[run, k, i] = need[i] * met[k, i]
                stock[run, k, i] += delivered[run, k, i] * base.is_material[i]
                room[i] = delivered[run, k, i] / or_one(permitted[i])
            for u in range(sellers):
                bought[u] *= room[base.supplier_input[u]]
                revenue[run, u] += bought[u]
        hand_over(run, p, firms, base, at_hand, met, got[run])
    return sales, delivered, stock, store, revenue, got[:, 0], got[:, 1], got[:, 2], got[:, 3]


# Both beside the model's


@cache
def kind_of(names: tuple[str, ...]) -> Any:
    return namedtuple("Held", names)


def held(**values: Any) -> Any:
    """These values under their names, as compiled code reads them; arrays are copies of one layout."""
    copies = (value if np.isscalar(value) else np.array(value, order="C") for value in values.values())
    return kind_of(tuple(values))(*copies)


def of(owner: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(owner, name) for name in names}


def parameters_of(model: DecouplingModel, *names: str) -> Any:
    return held(**{name.replace(".", "_"): model.parameters[name][:, 0] for name in names})


def chips_as_they_are(model: DecouplingModel) -> Callable[[], Any]:
    """The trade of a model; what it gives is what `trade_chips` gives."""

    def trade() -> Any:
        market, firms = model.chip_market, model.chip_firms
        market.trade(model.parameters, firms, model.states)
        designers = market.designers
        traded = market.sales, firms.orders, firms.made, firms.capacity, market.made_at_home
        met = market.demand - market.unmet  # which can be next to nothing
        return *traded, met, market.tightness, designers.wanted_at_home, designers.stock[:, 0], designers._allow

    return trade


def chips_compiled(model: DecouplingModel) -> Callable[[], Any]:
    market, firms, roster = model.chip_market, model.chip_firms, model.roster
    foundries, way = roster.foundries, market.in_the_way
    arguments = (
        parameters_of(
            model,
            "buyers.technology_weight",
            "buyers.quality_weight",
            "buyers.price_elasticity",
            "buyers.caution",
            "buyers.localisation",
            "controls.backfill",
            "mandate.domestic",
            "research.quality_growth",
            "investment.normal_utilisation",
            "designers.booking",
            "designers.priority",
            "designers.asked_when_short",
            "designers.asked_when_not",
            "leakage.dies",
        ),
        held(
            **of(market, "base_share", "demand"),
            **of(market.quality, "growth", "capped"),
            **of(roster, "has_quality", "at_home", "target_owned", "target"),
            **of(way, "above", "below"),
            exposure=roster.chip_exposure,
            segment=roster.firm_segment,
            headquarters=roster.firm_headquarters,
            has_lines=foundries.has_lines > 0,
            cap=market.cap[1],
            years=(model.quarter - MIDDLE_OF_BASE_YEAR) / QUARTERS_PER_YEAR,
        ),
        held(
            **of(firms, "capacity", "base_capacity", "closed", "lag", "base_lag", "unit_cost", "adoption"),
            **of(firms, "material_cover", "parts_allow", "outage"),
        ),
        held(**of(model.states, "expected_cutoff", "alarm")),
        held(
            **of(foundries, "claim", "young", "of_target", "stocks", "fronts", "claim_of_book", "makers"),
            own=foundries.designers,
            segment=roster.firm_segment[foundries.designers],
            book=foundries.by_book.group_of,
            line=foundries.by_line.group_of,
            dies_at_home=foundries.at_home,
            serves=foundries.serves_of_makers,
            stock=market.designers.stock[:, 0],
            allow=market.designers._allow,
            foundry=by_lever(model.parameters, model.parameters["controls.foundry"])[:, 0],
        ),
    )
    return lambda: trade_chips(*arguments)


def inputs_as_they_are(model: DecouplingModel) -> Callable[[], Any]:
    """The trade of a model; what it gives is what `trade_inputs` gives."""

    def trade() -> Any:
        market, firms, suppliers = model.input_market, model.chip_firms, model.suppliers
        market.trade(model.parameters, firms, suppliers, model.states)
        handed = firms.tools_received, firms.line_completeness, firms.design_access, firms.diverted
        return market.sales, market.delivered, market.stock, market.store, suppliers.revenue, *handed

    return trade


def inputs_compiled(model: DecouplingModel) -> Callable[[], Any]:
    market, firms, suppliers = model.input_market, model.chip_firms, model.suppliers
    roster, base, way = model.roster, market.base, market.at_home
    trial = model.branch()
    inputs_as_they_are(trial)()  # so that who has entered is counted
    covered = np.ones(market.stock.shape)
    covered[..., roster.used_up] = market.covered
    arguments = (
        parameters_of(
            model,
            "buyers.price_elasticity",
            "buyers.caution",
            "controls.backfill",
            "stockpiling.quarters",
            "stockpiling.parts_quarters",
            "stockpiling.speed",
            "materials.stock_quarters",
            "materials.refill_speed",
            "mandate.tools",
            "mandate.tools_pace",
            "production.yield_without_critical_inputs",
        ),
        held(
            **of(market, "wanted", "stock", "store", "feared", "left"),
            **of(way, "above", "below"),
            row=way.alike.row[way.alike.place],
            share=trial.input_market._usual_share,
            raised=market._raised,
            covered=covered,
            reach=np.broadcast_to(way.reach, (BLOCK_SIZE, len(way.exposure), 1))[..., 0],
            exposure=way.exposure[:, 0],
        ),
        held(**of(firms, "capacity", "investment", "programme_investment")),
        held(**of(suppliers, "quality", "unit_cost"), expected_cutoff=model.states.expected_cutoff),
        held(
            **of(
                roster,
                "supplier_state",
                "supplier_input",
                "target_supplier",
                "home_suppliers",
                "buyer_of_group",
                "part_of",
                "target_owned",
            ),
            **of(roster, "is_equipment", "is_material", "is_software", "is_quality_critical"),
            tool_mix=base.tool_mix,
            material_need=base.material_need[:, 0],
            has_lines=roster.foundries.has_lines,
            segment=roster.firm_segment,
            group=roster.group_of_firm,
            weights=market._weights,
            quality_bound=market._quality_bound,
        ),
    )
    return lambda: trade_inputs(*arguments)


def apart(left: Any, right: Any) -> float:
    """The largest difference, relative to the largest finite value of each quantity."""
    return max(
        float(np.abs(np.subtract(one, other, out=np.zeros(one.shape), where=one != other)).max())
        / float(np.abs(one[np.isfinite(one)]).max())
        for one, other in zip(left, right, strict=True)
        if one.any() or other.any()
    )


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def compared(
    name: str, model: DecouplingModel, as_it_is: Callable[[DecouplingModel], Callable[[], Any]], compiled: Any
) -> bool:
    """Trade from where the model is, both ways, again and again; the model stays where it is."""
    off = apart(as_it_is(model.branch())(), compiled())
    times = [(seconds(as_it_is(model.branch())), seconds(compiled)) for _ in range(REPEATS)]
    own, fast = (1e6 * median(column) / BLOCK_SIZE for column in zip(*times, strict=True))
    part = median(quick / slow for slow, quick in times)
    print(f"{name:20}{own:12.1f}{fast:14.1f}{part:18.2f}{off:14.1e}", flush=True)
    return off <= 1e-9


def both_markets(model: DecouplingModel, year: str) -> bool:
    """Compare them in the quarter that the model has come to."""
    for table in model.tables.values():
        table.quarter = model.quarter
    for phase in (calendar, controls, plans):
        phase(model)
    model.chip_market.form_demand(model.parameters, model.quarter)
    model.input_market.cover(model.chip_firms)
    met = compared(f"chip market, {year}", model, chips_as_they_are, chips_compiled(model))
    chips_as_they_are(model)()
    model.input_market.use_materials(model.chip_firms)
    for phase in (prices, investment):
        phase(model)
    return compared(f"input market, {year}", model, inputs_as_they_are, inputs_compiled(model)) and met


def main() -> int:
    scenario = load_config("historic", {"mandate.domestic": 0.3})
    print(f"{'a quarter':20}{'model, µs':>12}{'compiled, µs':>14}{'compiled/model':>18}{'largest gap':>14}")
    met = []
    for year, quarter in QUARTERS.items():
        model = DecouplingModel.block([scenario] * BLOCK_SIZE, range(1, BLOCK_SIZE + 1))
        while model.quarter < quarter:
            model.step()
        met.append(both_markets(model, year))
    print(caches())
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
