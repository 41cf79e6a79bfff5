"""The chip market: buyers of every state choose among chip firms, capacity rations, prices move.

Quantities are bn yuan a quarter at 2020 prices; a price is relative to 2020. Shapes: S states, G segments, F firms.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from sim.agents import ChipFirm, State
from sim.arrays import Array, Flags
from sim.calendar import QUARTERS_PER_YEAR, is_first_of_year, year_of
from sim.engine.groups import at, divisor, power, ratio, total, total_over_rows
from sim.engine.parameters import Parameters
from sim.engine.runs import ByRun
from sim.engine.streams import Luck, agent_keys
from sim.markets.denial import Denial, Severity, decided, part_met
from sim.markets.designers import Designers
from sim.markets.paths import DemandPaths
from sim.markets.quality import Quality, leaked, moved_offshore, new_cap, smuggled_part
from sim.markets.rationing import asked_twice, filled_first, rationed
from sim.scenario.values import MARKET, WORLD_SALES
from sim.start.base_year import BaseYear
from sim.start.roster import Roster

_EVERYWHERE = np.ones(1)  # controls on chips reach all that the target buys
MIDDLE_OF_BASE_YEAR = 1.5  # in quarters from the first one: the trend is 1 there
SURGE = range(4, 6)  # the first half of 2021
DRIFTS = 8  # the first quarter of 2022: until then the target's demand kept pace with the world's
EVERYBODY = slice(None)


class ChipMarket(ByRun):
    """Demand, choice, rationing and price of every segment, for all runs at once."""

    def __init__(self, roster: Roster, base: BaseYear, luck: Luck) -> None:
        runs = len(luck.seeds)
        self.roster = roster
        self.base_share = base.chip_share
        self.base_demand = base.demand
        self.paths = DemandPaths(roster)
        self.designers = Designers(roster, runs)
        self.made_at_home: Array = roster.at_home * 1.0  # part of each firm's chips
        self.quality = Quality(roster)
        self.cap = (np.ones((runs, 1)), np.full((runs, len(roster.segments)), np.inf))  # by lever, and as a quality
        self.leaking = np.zeros((runs, 1))  # part of what may not be sold to the target that comes in spite of it
        self.behind = self.sold_behind = np.zeros(
            (runs, len(roster.chip_firms))
        )  # quality of makers, and to the target
        self.offshore = np.zeros((runs, len(roster.segments)))  # what the target's buyers have others buy
        self._luck = luck
        self._shock_keys = agent_keys(roster.segments)
        self._world_key = agent_keys(["world"])
        self._firm_keys = agent_keys(roster.chip_firms)
        ones = np.ones((runs, len(roster.segments)))
        self.lasting = np.zeros_like(ones)  # what stays of the news, log points
        self.passing = np.zeros_like(ones)  # what fades of it, log points
        self.of_target = np.zeros((runs, 1))  # the target's demand beside the world's, log points
        self.given_market = np.full((runs, 1), np.nan)  # the target's market that the config gives for this quarter
        self.price = ones  # of the coming trade
        self.paid = ones  # of the last one
        self.slow_log_price = np.zeros_like(ones)
        share = np.where(roster.is_entrant, 0.0, base.chip_share)
        self.choice = share[:, roster.target]  # (runs, F) what buyers in the target would choose if free
        self.denied = np.zeros_like(self.choice)  # part of the base sales to the target, by controls
        self.by_controls = Denial(self.denied, self.denied, _EVERYWHERE, roster.chip_exposure[roster.firm_segment])
        self.in_the_way = self.by_controls  # by whomever
        self._licence = np.full_like(self.choice, 0.5)  # the year's draw
        self._in_force: Severity | None = None
        self.sales = roster.by_segment.spread(base.demand) * share  # (runs, S, F)
        self.able = total_over_rows(self.sales)  # (runs, F) what firms could make this quarter, at least what they did
        self.demand = base.demand  # (runs, S, G) wanted at present prices, whether it may be bought or not
        self.unmet = np.zeros_like(base.demand)  # (runs, S, G)
        self.tightness = ones  # orders over capacity at normal utilisation
        self.capacity = np.zeros_like(self.choice)  # (runs, F) of the lines that made this quarter's chips

    def form_demand(self, parameters: Parameters, quarter: int) -> None:
        """Demand grows on a trend, swings with the chip cycle and answers to price, at once and slowly.

        The cycle is news, in part common to all segments: a part of it lasts, the rest fades as a first-order
        autoregression. The surge of 2021 is known; news is drawn from the year on that follows what is known. Where a
        config gives the world's sales or the target's market of the year, the cycle is what makes them so. Where a
        segment has a path of its own (`DemandPaths`) it follows that, and the cycle is what the others have.
        """
        p, target = parameters, self.roster.target
        common = ndtri(self._luck.draw("demand shock", quarter, self._world_key))
        own = ndtri(self._luck.draw("demand shock", quarter, self._shock_keys))
        weight = p["demand.shock_common"]
        is_drawn = p["demand.drawn_from"] <= year_of(quarter)
        news = np.sqrt(weight) * common + np.sqrt(1.0 - weight) * own
        sales = p.observed(WORLD_SALES, quarter)
        surge = np.where(np.isnan(sales), p["demand.surge"], 0.0) if quarter in SURGE else 0.0
        self.passing = p["demand.shock_persistence"] * self.passing
        self._add_news(p, p["demand.shock_sd"] * is_drawn * news + surge)
        self._move_target(p, quarter, is_drawn)
        trend = p["demand.growth"] / QUARTERS_PER_YEAR * (quarter - MIDDLE_OF_BASE_YEAR)
        answer = (
            p["demand.elasticity_short_run"] * np.log(self.price) + p["demand.elasticity_slow"] * self.slow_log_price
        )

        def wanted() -> Array:
            level = np.exp(trend + (self.lasting + self.passing) + answer)
            everybody = self.base_demand * level[:, None, :]
            everybody[:, target] = everybody[:, target] * np.exp(self.of_target)
            return everybody if on_path is None else np.where(self.paths.given, on_path, everybody)

        on_path = None
        if self.paths.any:
            on_path = self.base_demand * self.paths.level(p, quarter) * np.exp(answer)[:, None, :]
        if np.isfinite(sales).any():
            known, now = self._on_paths_and_off(wanted())
            self._add_news(p, _to_given(sales * total(total_over_rows(self.base_demand)) - known, now))
        self.given_market = p.observed(MARKET, quarter)
        if np.isfinite(self.given_market).any():
            known, now = self._on_paths_and_off(wanted(), slice(target, target + 1))
            missing = _to_given(self.given_market - known, now)
            self.passing = self.passing + np.where(np.isnan(sales), missing, 0.0)
            self.of_target = self.of_target + np.where(np.isnan(sales), 0.0, missing)
        self.demand = wanted()
        if self.quality.any and p["leakage.offshore"].any():
            hindered = self._hindered() * self.quality.has_one
            self.demand, self.offshore = moved_offshore(self.demand, target, hindered * p["leakage.offshore"])

    def _hindered(self) -> Flags:
        """Whether anything that has a quality is capped or denied to the target, (runs, 1)."""
        denied = (self.by_controls.of_sales * self.quality.capped).any(axis=-1, keepdims=True)
        hindered: Flags = denied | (self.cap[0] < 1.0)
        return hindered

    def _on_paths_and_off(self, wanted: Array, states: slice = EVERYBODY) -> tuple[Array | float, Array]:
        """What some states want of segments with a path of their own, and of the others, at current prices, (runs, 1).

        The first is known and no cycle moves it.
        """
        whole = total(total_over_rows(wanted[:, states]) * self.price)
        if not self.paths.any:
            return 0.0, whole
        known = total(total_over_rows((wanted * self.paths.given)[:, states]) * self.price)
        return known, whole - known

    def _add_news(self, parameters: Parameters, news: Array) -> None:
        """News of the cycle, (runs, 1 or G): a part of it lasts."""
        lasts = parameters["demand.permanent"]
        self.lasting = self.lasting + lasts * news
        self.passing = self.passing + (1.0 - lasts) * news

    def _move_target(self, parameters: Parameters, quarter: int, is_drawn: Flags) -> None:
        """The target's demand beside the world's: a known drift from 2022 on, later a random walk."""
        p = parameters
        drift = p["demand.target_drift"] / QUARTERS_PER_YEAR * (quarter >= DRIFTS)
        luck = p["demand.target_sd"] * ndtri(self._luck.draw("target demand", quarter, self._world_key))
        self.of_target = self.of_target + np.where(is_drawn, luck, drift)

    def permit(self, parameters: Parameters, severity: Severity, barred: Array, quarter: int) -> None:
        """What controls leave of each firm's base sales to the target. What is made there may be sold there.

        `barred` (runs, states, segments) is what the target itself does not let in.
        """
        p, roster = parameters, self.roster
        new_year = is_first_of_year(quarter)
        if new_year:
            self._licence = self._luck.draw("licence outcome", quarter, self._firm_keys)
        if new_year or severity is not self._in_force:
            self._in_force = severity
            self.by_controls = self.denial(p, severity, self._licence)
            self.denied = self.by_controls.of_sales
        self.in_the_way = self.by_controls
        if self.quality.any:
            self.cap = new_cap(p, self.quality, self.cap, quarter)
            self.leaking = leaked(p, self.leaking, self._hindered())
            self._keep_out(self.leaking * self.quality.capped, p["mandate.refusal"] * self.quality.capped)
        if barred.any():
            kept_out = p["retaliation.bite"] * barred[:, roster.firm_headquarters, roster.firm_segment]
            self._keep_out(0.0, np.where(roster.at_home, 0.0, kept_out))

    def _keep_out(self, leaking: Array | float, kept_out: Array) -> None:
        """Add what the target itself keeps out to what is in the way, less the part of this that leaks, (runs, F)."""
        way = self.in_the_way
        above, below = (1.0 - (1.0 - part * (1.0 - leaking)) * (1.0 - kept_out) for part in (way.above, way.below))
        self.in_the_way = Denial(above, below, way.reach, way.exposure)

    def denial(self, parameters: Parameters, severity: Severity, licence: Array | None = None) -> Denial:
        """The part of each firm's base sales to the target that a severity denies, or is expected to, (runs, F)."""
        roster = self.roster
        items = len(roster.inputs) + roster.firm_segment
        above, below = decided(parameters, severity, roster.firm_headquarters, items, licence)
        abroad = ~roster.at_home
        return Denial(above * abroad, below * abroad, _EVERYWHERE, self.roster.chip_exposure[roster.firm_segment])

    def part_met(self, parameters: Parameters, share: Array, denial: Denial) -> Array:
        """What part of the target's wants is met when its buyers would choose by these shares, (runs, G)."""
        roster, backfill = self.roster, parameters["controls.backfill"]
        return part_met(denial, roster.chip_exposure, backfill, lambda denied: roster.by_segment.sum(share * denied))

    def trade(self, parameters: Parameters, firms: ChipFirm, states: State) -> None:
        """Orders by choice, permits and mandate; output by capacity and materials; the rest goes where slack is."""
        by_segment = self.roster.by_segment
        if self.quality.any:
            self.behind = self.quality.behind(firms.lag)
            self.sold_behind = self.quality.sold_to_target(parameters, self.behind, self.cap[1], firms.quarter)
        share = self._chosen(parameters, firms, states)
        self.choice = share[:, self.roster.target].copy()
        share[:, self.roster.target] = self._permitted(parameters, self.choice)
        orders = by_segment.spread(self.demand)
        orders *= share
        firms.orders = total_over_rows(orders)
        normal = parameters["investment.normal_utilisation"]
        if self.designers.any:  # a designer books with others what it has orders for
            firms.capacity = np.where(firms.has_lines > 0, firms.capacity, firms.orders / normal)
        self.capacity = firms.capacity
        able = firms.capacity * firms.material_cover * (1.0 - firms.outage)
        open_part = np.ones_like(orders)
        open_part[:, self.roster.target] = 1.0 - self.in_the_way.of_sales
        if self.designers.any:
            able = self._trade_with_designers(parameters, firms, orders, able, open_part)
        else:
            backfill = parameters["controls.backfill"][..., None]
            self.sales = rationed(orders, firms.orders, able, open_part, by_segment, backfill)
            firms.output = firms.made = total_over_rows(self.sales)
        self.able = able
        self.unmet = np.maximum(0.0, self.demand - by_segment.sum(self.sales))
        room = by_segment.sum(able) * normal
        # Where nobody can make anything there is no trade, and so no price that could move.
        self.tightness = ratio(by_segment.sum(firms.orders), room, 1.0)

    def _trade_with_designers(
        self, parameters: Parameters, firms: ChipFirm, orders: Array, able: Array, open_part: Array
    ) -> Array:
        """Trade where designers have their chips made by others; what firms were able to make in the end, (runs, F).

        The dies for what designers can offer are ordered with the makers at their site and rationed with the orders of
        all other buyers there, but for those that come first; what dies are short of is not sold.
        """
        p, designers, by_segment = parameters, self.designers, self.roster.by_segment
        chips = designers.offer(p, firms, orders, open_part)
        dies = designers.order_dies(p, total_over_rows(chips), firms, able)
        first = designers.served_first(p, dies, able)
        dies = dies - first
        asked = firms.orders + designers.of_makers(dies)
        made_first = designers.of_makers(first)
        fill, slack = filled_first(asked, able - made_first)
        backfill = p["controls.backfill"][..., None]
        got, more = asked_twice(orders, fill, slack[:, None, :], by_segment, open_part, backfill)
        dies, more_dies = designers.asked_twice(dies, fill, slack)
        part = np.minimum(1.0, slack / divisor(total_over_rows(more) + designers.of_makers(more_dies)))
        dies = first + dies + more_dies * at(part, designers.foundries.makers)[:, None, :]
        filled = designers.receive(p, dies)
        self.sales = got + more * part[:, None, :]
        self.sales[..., designers.own] = chips * filled[:, None, :]
        self.made_at_home = np.tile(self.roster.at_home * 1.0, (len(able), 1))
        self.made_at_home[:, designers.own] = designers.part_at_home(filled)
        firms.orders = asked + made_first
        firms.output = total_over_rows(self.sales)
        firms.made = firms.output + designers.of_makers(dies)
        able, self.capacity = able.copy(), self.capacity.copy()
        able[:, designers.own] = booked = designers.booked(firms, able, filled)
        self.capacity[:, designers.own] = np.maximum(at(self.capacity, designers.own), booked)
        firms.capacity = self.capacity
        return able

    def _chosen(self, parameters: Parameters, firms: ChipFirm, states: State) -> Array:
        """Each buyer's shares of firms: the base share times relative capacity, technology and cost, (runs, S, F).

        Buyers in the target shun who may be cut off, and prefer its own firms the more it is alarmed.
        """
        p, roster, by_segment = parameters, self.roster, self.roster.by_segment
        size = firms.capacity / firms.base_capacity
        if self.designers.any:
            size = np.where(firms.has_lines > 0, size, 1.0 - firms.closed)
        gained = p["buyers.technology_weight"] * (firms.base_lag - firms.lag)
        if self.quality.any:
            by_quality = p["buyers.quality_weight"] * (self.behind - self.quality.behind(firms.base_lag))
            gained = np.where(self.quality.of_firm, by_quality, gained)
        appeal = size * np.exp(gained) * np.exp(-p["buyers.price_elasticity"] * np.log(firms.unit_cost))
        wish = self.base_share * appeal[:, None, :]
        risk = at(states.expected_cutoff, roster.firm_headquarters)
        shunned = np.where(roster.at_home, 1.0, np.exp(-p["buyers.caution"] * risk))
        preferred = np.exp(p["buyers.localisation"] * states.alarm[:, [roster.target]] * roster.target_owned)
        wish[:, roster.target] = wish[:, roster.target] * shunned * preferred
        if self.designers.any:
            wish[:, roster.target] = wish[:, roster.target] * firms.adoption
        if self.quality.any:
            worse = np.exp(p["buyers.quality_weight"] * (self.sold_behind - self.behind))
            wish[:, roster.target] = wish[:, roster.target] * worse
        wish /= by_segment.spread(divisor(by_segment.sum(wish)))
        return wish

    def _permitted(self, parameters: Parameters, choice: Array) -> Array:
        """What the target's buyers may order of their choice: they lose what is denied and not replaced, (runs, F)."""
        by_segment = self.roster.by_segment
        met = self.part_met(parameters, choice, self.in_the_way)
        allowed = choice * (1.0 - self.in_the_way.of_sales)
        permitted = by_segment.sum(allowed)
        chosen = allowed / by_segment.spread(divisor(permitted))
        return by_segment.spread(met) * self._mandated(chosen, parameters["mandate.domestic"])

    def _mandated(self, chosen: Array, least: Array) -> Array:
        """Raise the part placed with firms headquartered in the target to what the mandate asks for."""
        owned = self.roster.target_owned
        part = self.roster.by_segment.sum(chosen * owned)
        wanted = np.where(part > 0, np.maximum(part, least), part)
        up = wanted / divisor(part)
        down = (1.0 - wanted) / divisor(1.0 - part)
        spread = self.roster.by_segment.spread
        return chosen * np.where(owned, spread(up), spread(down))

    def form_prices(self, parameters: Parameters, firms: ChipFirm) -> None:
        """Prices rise with orders over normal capacity and fall back; revenue is at this quarter's price.

        Where the market is given and not all of it could be bought, what there was cost as much more: it is known
        what was paid. That does not outlast the quarter; what is scarce grows dearer by the rule.
        """
        p, roster = parameters, self.roster
        bought = total(roster.by_segment.sum(self.sales[:, roster.target]) * self.price)
        self.paid = self.price * np.where(np.isnan(self.given_market), 1.0, self.given_market / bought)
        firms.revenue = firms.made * roster.by_segment.spread(self.paid)
        log_price = np.log(self.price)
        pressure = np.log(self.tightness) - p["chip_market.price_return"] * log_price
        log_price = log_price + p["chip_market.price_speed"] * pressure
        self.price = np.exp(log_price)
        self.slow_log_price = self.slow_log_price + (log_price - self.slow_log_price) * p["demand.slow_speed"]
        firms.return_on_lines = self._return_on_lines(p, firms)

    def _return_on_lines(self, parameters: Parameters, firms: ChipFirm) -> Array:
        """Price times utilisation, each firm's own and its segment's, (runs, F)."""
        p, spread = parameters, self.roster.by_segment.spread
        room = firms.capacity * p["investment.normal_utilisation"]
        own = ratio(firms.made, room, 1.0)
        weight = p["investment.own_orders"]
        market = spread(self.tightness)
        return spread(self.price) * power(own, weight) * power(market, 1.0 - weight)

    def smuggled_part(self, parameters: Parameters) -> Array:
        """What part of each maker's sales to the target comes in spite of controls, (runs, F)."""
        kept = 1.0 - parameters["chip_market.quality_discount"]
        lost = -np.expm1(kept * (self.sold_behind - self.behind))
        return smuggled_part(self.quality, self.leaking, self.by_controls.of_sales, lost)

    def domestic_share(self) -> Array:
        """The part of the target's purchases this quarter that was made there by anybody, (runs, 1)."""
        roster = self.roster
        bought = self.sales[:, roster.target] * roster.by_segment.spread(self.paid)
        return total(bought * self.made_at_home) / total(bought)

    def unmet_of_car_makers(self, parameters: Parameters) -> Array:
        """Their part of the target's unmet demand, bn yuan a quarter at this quarter's prices, (runs, G).

        Car makers order late and in small lots, so it is larger than their part of demand.
        """
        unmet = self.unmet[:, self.roster.target] * self.paid
        late: Array = np.minimum(unmet, unmet * self.roster.automotive_share * parameters["automotive.exposure"])
        return late


def _to_given(given: Array, now: Array) -> Array:
    """What the cycle must add to make of a market the one that the config gives, log points; 0 without one, (runs, 1).

    Both are nominal, at the prices of this quarter's trade.
    """
    return np.where(np.isnan(given), 0.0, np.log(given / now))
