"""Two rules and a market written three ways: what the project's way of writing costs and gains.

uv run python tests/bench/three_ways.py

Makers learn by doing and do research; buyers of eight states choose among the makers of five segments, capacity
rations, prices move: the shape and size of `sim.agents` and `sim.markets.chips` without controls. Written as Mesa's
tutorials would (agents that hold floats), as the project does (columns of many runs), and as one compiled loop. All
use the same draws and must agree to 1e-9. Ratios are medians of interleaved repeats; exit 1 when a mark is missed.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import mesa
import numba
import numpy as np
from machine import caches

from sim.batch.blocks import BLOCK_SIZE
from sim.engine.columns import Column, ColumnAgent, Table, rule
from sim.engine.groups import Groups, total_over_rows
from sim.engine.streams import Luck, agent_keys, uniform

STATES, SEGMENTS, MAKERS, QUARTERS = 8, 5, 60, 64
RUNS = BLOCK_SIZE
SPILLOVER, LEARNING_RATE = 0.3, 0.2
ELASTICITY, PROBABILITY, PACE = 0.4, 0.3, 0.02
PRICE_ELASTICITY, LAG_WEIGHT = 1.5, 0.2
GROWTH, DEMAND_ELASTICITY = 0.0125, -0.4
SPEED, RETURN, UTILISATION = 0.3, 0.5, 0.85

# The starting state: the same in every run; makers of a segment stand together.
_chance = np.random.default_rng(2020)
IDS = [f"maker-{number}" for number in range(MAKERS)]
SEGMENT = np.sort(_chance.integers(SEGMENTS, size=MAKERS))
DEMAND = _chance.uniform(5, 50, size=(STATES, SEGMENTS))
_weight = _chance.uniform(0.2, 1.0, size=(STATES, MAKERS))
SHARE = _weight / np.stack([np.bincount(SEGMENT, row, SEGMENTS)[SEGMENT] for row in _weight])
OUTPUT = (DEMAND[:, SEGMENT] * SHARE).sum(axis=0)
CAPACITY = OUTPUT / UTILISATION * _chance.uniform(0.9, 1.4, size=MAKERS)
LAG = _chance.uniform(0.0, 6.0, size=MAKERS)
EXPERIENCE = OUTPUT * 40


# The idiomatic way: a model of one run, agents that hold floats, loops.


class Maker(mesa.Agent):
    def __init__(self, model: Idiomatic, index: int) -> None:
        super().__init__(model)
        self.index = index
        self.segment = int(SEGMENT[index])
        self.capacity = float(CAPACITY[index])
        self.output = self.base_output = self.revenue = float(OUTPUT[index])
        self.lag = self.base_lag = float(LAG[index])
        self.experience = float(EXPERIENCE[index])
        self.unit_cost = 1.0
        self.share = [float(SHARE[state, index]) for state in range(STATES)]
        self.orders = 0.0

    def appeal(self) -> float:
        return math.exp(LAG_WEIGHT * (self.base_lag - self.lag)) * self.unit_cost**-PRICE_ELASTICITY

    def learn_by_doing(self) -> None:
        others = self.model.known[self.segment] - self.experience
        self.experience += self.output
        known = self.experience + SPILLOVER * others
        base = self.base_output * 40 + SPILLOVER * (self.model.base_known[self.segment] - self.base_output * 40)
        self.unit_cost = (known / base) ** (math.log1p(-LEARNING_RATE) / math.log(2))

    def do_research(self) -> None:
        effort = (self.revenue / self.base_output) ** ELASTICITY
        if self.model.draws[self.model.quarter][self.index] < PROBABILITY:
            self.lag *= math.exp(-PACE * effort / PROBABILITY)


class Idiomatic(mesa.Model):
    """One run. `draws[quarter][maker]` stand for what `model.random` would draw."""

    def __init__(self, draws: list[list[float]]) -> None:
        super().__init__(rng=1)
        self.draws = draws
        self.quarter = 0
        self.makers = [Maker(self, index) for index in range(MAKERS)]
        self.by_segment = [[maker for maker in self.makers if maker.segment == s] for s in range(SEGMENTS)]
        self.price = [1.0] * SEGMENTS
        self.base_known = self.known = self.experience_by_segment()

    def experience_by_segment(self) -> list[float]:
        return [sum(maker.experience for maker in makers) for makers in self.by_segment]

    def trade(self) -> None:
        for segment, makers in enumerate(self.by_segment):
            answer = math.exp(GROWTH * self.quarter + DEMAND_ELASTICITY * math.log(self.price[segment]))
            wanted = [float(DEMAND[state, segment]) * answer for state in range(STATES)]
            appeals = [maker.appeal() for maker in makers]
            orders = []
            for state in range(STATES):
                wishes = [maker.share[state] * appeal for maker, appeal in zip(makers, appeals, strict=True)]
                whole = sum(wishes)
                orders.append([wanted[state] * wish / whole for wish in wishes])
            for place, maker in enumerate(makers):
                maker.orders = sum(row[place] for row in orders)
            fills = [min(1.0, maker.capacity / maker.orders) for maker in makers]
            slack = [max(0.0, maker.capacity - maker.orders * fill) for maker, fill in zip(makers, fills, strict=True)]
            room = sum(slack)
            extra = [0.0] * len(makers)
            if room > 0:
                for row in orders:
                    short = sum(order * (1.0 - fill) for order, fill in zip(row, fills, strict=True))
                    for place, free in enumerate(slack):
                        extra[place] += free * short / room
            for place, maker in enumerate(makers):
                maker.output = maker.orders * fills[place] + min(extra[place], slack[place])
                maker.revenue = maker.output * self.price[segment]
            tightness = sum(maker.orders for maker in makers) / (sum(maker.capacity for maker in makers) * UTILISATION)
            log_price = math.log(self.price[segment])
            self.price[segment] = math.exp(log_price + SPEED * (math.log(tightness) - RETURN * log_price))

    def step(self) -> None:
        self.trade()
        self.known = self.experience_by_segment()
        self.agents.do("learn_by_doing")
        self.agents.do("do_research")
        self.quarter += 1


def idiomatic(seeds: list[int]) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    tables = [[row[0].tolist() for row in draws_of(seed)] for seed in seeds]

    def work() -> tuple[np.ndarray, np.ndarray]:
        prices, lags = [], []
        for draws in tables:
            model = Idiomatic(draws)
            for _ in range(QUARTERS):
                model.step()
            prices.append(model.price)
            lags.append([maker.lag for maker in model.makers])
        return np.array(prices), np.array(lags)

    return work


def draws_of(seed: int) -> list[np.ndarray]:
    keys = agent_keys(IDS)
    return [uniform(np.array([seed], dtype=np.uint64), "research success", q, keys) for q in range(QUARTERS)]


# The project's way: the same rules as plain arithmetic over columns of many runs.


class ColumnMaker(ColumnAgent):
    """A maker of chips of one segment."""

    base_output = Column("bn yuan a quarter", "output at the start")
    base_lag = Column("years", "distance behind the frontier at the start")
    base_known = Column("bn yuan", "cumulative output at the start, others' in part")
    capacity = Column("bn yuan a quarter", "what its lines can make")
    output = Column("bn yuan a quarter", "chips made and sold")
    revenue = Column("bn yuan a quarter", "chips sold at current prices")
    lag = Column("years", "distance behind the frontier")
    experience = Column("bn yuan", "cumulative output")
    experience_of_others = Column("bn yuan", "cumulative output of the segment's other makers")
    unit_cost = Column("1 at the start", "cost of a chip by Wright's law")

    @rule
    def learn_by_doing(self) -> None:
        """Unit cost falls with cumulative output, its own and in part that of others."""
        p = self.parameters
        self.experience = self.experience + self.output
        known = self.experience + p["spillover"] * self.experience_of_others
        exponent = np.log1p(-p["learning_rate"]) / np.log(2.0)
        self.unit_cost = np.power(known / self.base_known, exponent)

    @rule
    def do_research(self) -> None:
        """Research on a part of revenue closes the gap to the frontier, in steps of luck."""
        p = self.parameters
        effort = np.power(self.revenue / self.base_output, p["elasticity"])
        luck = np.where(self.draw("research success") < p["probability"], 1.0 / p["probability"], 0.0)
        self.lag = self.lag * np.exp(-p["pace"] * effort * luck)


class ColumnMarket:
    """Choice, rationing and price; shapes: (runs, states, makers), (runs, segments)."""

    def __init__(self, runs: int) -> None:
        self.by_segment = Groups(SEGMENT, SEGMENTS)
        self.price = np.ones((runs, SEGMENTS))

    def trade(self, makers: Any, quarter: int) -> None:
        by_segment = self.by_segment
        log_price = np.log(self.price)
        demand = DEMAND * np.exp(GROWTH * quarter + DEMAND_ELASTICITY * log_price)[:, None, :]
        quality = np.exp(LAG_WEIGHT * (makers.base_lag - makers.lag) - PRICE_ELASTICITY * np.log(makers.unit_cost))
        wish = SHARE * quality[:, None, :]
        orders = wish * by_segment.spread(demand / by_segment.sum(wish))
        placed = total_over_rows(orders)
        fill = np.minimum(1.0, makers.capacity / placed)
        slack = np.maximum(0.0, makers.capacity - placed * fill)
        # What is short is asked of makers with slack in proportion to it, whoever is short: its sum over states.
        short = by_segment.sum(placed * (1.0 - fill))
        room = by_segment.sum(slack)
        asked = slack * by_segment.spread(short / np.where(room > 0, room, 1.0))
        makers.output = placed * fill + np.minimum(asked, slack)
        makers.revenue = makers.output * by_segment.spread(self.price)
        tightness = by_segment.sum(placed) / (by_segment.sum(makers.capacity) * UTILISATION)
        self.price = np.exp(log_price + SPEED * (np.log(tightness) - RETURN * log_price))


def in_columns(seeds: list[int]) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    def work() -> tuple[np.ndarray, np.ndarray]:
        runs = len(seeds)
        values = {
            "spillover": SPILLOVER,
            "learning_rate": LEARNING_RATE,
            "elasticity": ELASTICITY,
            "probability": PROBABILITY,
            "pace": PACE,
        }
        parameters = {name: np.full((runs, 1), value) for name, value in values.items()}
        table = Table(IDS, Luck(np.array(seeds, dtype=np.uint64)), parameters)
        makers = ColumnMaker.view(table)
        market = ColumnMarket(runs)
        spread, total = market.by_segment.spread, market.by_segment.sum
        makers.base_output = makers.revenue = makers.output = OUTPUT
        makers.capacity, makers.base_lag, makers.lag = CAPACITY, LAG, LAG
        makers.experience = EXPERIENCE
        makers.unit_cost = np.ones(MAKERS)
        makers.base_known = EXPERIENCE + SPILLOVER * (spread(total(EXPERIENCE)) - EXPERIENCE)
        for quarter in range(QUARTERS):
            table.quarter = quarter
            market.trade(makers, quarter)
            makers.experience_of_others = spread(total(makers.experience)) - makers.experience
            makers.learn_by_doing()
            makers.do_research()
        return market.price, makers.lag

    return work


# One fused loop, compiled, with the draws made on the way.


@numba.njit
def _mix(bits: Any) -> Any:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@numba.njit
def _fused(seeds: Any, decision: Any, keys: Any, segment: Any, demand: Any, share: Any, start: Any) -> Any:
    golden = np.uint64(0x9E3779B97F4A7C15)
    runs, makers, states, segments = len(seeds), len(segment), demand.shape[0], demand.shape[1]
    prices, lags = np.ones((runs, segments)), np.zeros((runs, makers))
    exponent = math.log1p(-LEARNING_RATE) / math.log(2.0)
    base_output, capacity, base_lag, base_experience = start[0], start[1], start[2], start[3]
    base_sum = np.zeros(segments)
    for m in range(makers):
        base_sum[segment[m]] += base_experience[m]
    for run in range(runs):
        price, lag = prices[run], lags[run]
        lag[:] = base_lag
        experience, cost = base_experience.copy(), np.ones(makers)
        quality, placed, slack = np.zeros(makers), np.zeros(makers), np.zeros(makers)
        output, answer, wish = np.zeros(makers), np.zeros(segments), np.zeros(segments)
        for quarter in range(QUARTERS):
            for g in range(segments):
                answer[g] = math.exp(GROWTH * quarter + DEMAND_ELASTICITY * math.log(price[g]))
            for m in range(makers):
                quality[m] = math.exp(LAG_WEIGHT * (base_lag[m] - lag[m]) - PRICE_ELASTICITY * math.log(cost[m]))
                placed[m] = 0.0
            for s in range(states):
                wish[:] = 0.0
                for m in range(makers):
                    wish[segment[m]] += share[s, m] * quality[m]
                for g in range(segments):
                    wish[g] = demand[s, g] * answer[g] / wish[g]
                for m in range(makers):
                    placed[m] += share[s, m] * quality[m] * wish[segment[m]]
            orders, able = np.zeros(segments), np.zeros(segments)
            short, room, known = np.zeros(segments), np.zeros(segments), np.zeros(segments)
            for m in range(makers):
                g = segment[m]
                output[m] = min(placed[m], capacity[m])
                slack[m] = max(0.0, capacity[m] - output[m])
                orders[g] += placed[m]
                able[g] += capacity[m]
                short[g] += placed[m] - output[m]
                room[g] += slack[m]
                known[g] += experience[m]
            step = _mix(decision + np.uint64(quarter + 1) * golden)
            run_key = _mix(seeds[run] * golden + step)
            for m in range(makers):
                g = segment[m]
                if room[g] > 0:
                    output[m] += min(slack[m], slack[m] * short[g] / room[g])
                others = known[g] - experience[m]
                experience[m] += output[m]
                base = base_experience[m] + SPILLOVER * (base_sum[g] - base_experience[m])
                cost[m] = ((experience[m] + SPILLOVER * others) / base) ** exponent
                bits = _mix(_mix(run_key + keys[m] * golden) ^ keys[m])
                if (np.float64(bits >> np.uint64(12)) + 0.5) * 2.0**-52 < PROBABILITY:
                    effort = (output[m] * price[g] / base_output[m]) ** ELASTICITY
                    lag[m] *= math.exp(-PACE * effort / PROBABILITY)
            for g in range(segments):
                log_price = math.log(price[g])
                pressure = math.log(orders[g] / (able[g] * UTILISATION)) - RETURN * log_price
                price[g] = math.exp(log_price + SPEED * pressure)
    return prices, lags


def fused(seeds: list[int]) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    decision = agent_keys(["research success"])[0]
    keys, start = agent_keys(IDS), np.stack([OUTPUT, CAPACITY, LAG, EXPERIENCE])
    held = np.array(seeds, dtype=np.uint64)
    return lambda: _fused(held, decision, keys, SEGMENT, DEMAND, SHARE, start)


def largest_difference(ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray]) -> float:
    """Relative, over prices and lags of every run."""
    return max(float(np.max(np.abs(a / b - 1.0))) for a, b in zip(ours, theirs, strict=True))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    seeds = list(range(1, RUNS + 1))
    few = seeds[:2]
    one_by_one, together, compiled = idiomatic(few), in_columns(seeds), fused(seeds)
    ours = together()
    apart = max(largest_difference((ours[0][:2], ours[1][:2]), one_by_one()), largest_difference(ours, compiled()))
    times = [(seconds(one_by_one) / len(few), seconds(together) / RUNS, seconds(compiled) / RUNS) for _ in range(15)]
    slow, own, fast = (1000 * median(column) for column in zip(*times, strict=True))
    over_slow = median(row[0] / row[1] for row in times)
    over_fast = median(row[2] / row[1] for row in times)
    rows = [
        ("largest relative difference of the three", apart, "at most 1e-9", apart <= 1e-9),
        ("idiomatic Mesa, ms a run", slow, "", True),
        (f"the project's way in blocks of {RUNS}, ms a run", own, "", True),
        ("one compiled loop, ms a run", fast, "", True),
        ("speed of the project's by the idiomatic", over_slow, "at least 50", over_slow >= 50),
        ("speed of the project's by the compiled", over_fast, "at least 0.5", over_fast >= 0.5),
    ]
    for what, measured, mark, met in rows:
        print(f"{what:48} {measured:10.3g}   {mark:16} {'' if not mark else 'met' if met else 'MISSED'}")
    print(caches())
    return 0 if all(met for *_, met in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
