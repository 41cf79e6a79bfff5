"""The state that a run starts from: everybody's columns as the first quarter of the base year opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.agents import ChipFirm, State, Supplier
from sim.agents.chip_firm import LONGEST_BUILD
from sim.arrays import Array
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.columns import ColumnAgent, Queue, Table, categories
from sim.engine.groups import Groups, divisor, total
from sim.engine.parameters import Parameters
from sim.engine.runs import ByRun
from sim.engine.streams import Luck
from sim.start.base_year import BaseYear
from sim.start.roster import Roster
from sim.world.world import EFFECT

ROLES = ("target", "lead", "ally", "neutral")
Tables = Mapping[type[ColumnAgent], Table]


def starting_tables(roster: Roster, base: BaseYear, parameters: Parameters, luck: Luck) -> Tables:
    """The tables of states, chip firms and suppliers, with what each starts from."""
    kinds: tuple[tuple[type[ColumnAgent], list[str]], ...] = (
        (State, roster.states),
        (ChipFirm, roster.chip_firms),
        (Supplier, roster.suppliers),
    )
    tables = {kind: Table(ids, luck, parameters) for kind, ids in kinds}
    tables[State].names = roster.world.column("states", "name")
    tables[ChipFirm].names = [row["name"] for row in roster.firm_rows]
    tables[Supplier].names = [row["name"] for row in roster.supplier_rows]
    tables[State].categories = {"role": categories("Role", ROLES)}
    tables[ChipFirm].categories = {"segment": categories("Segment", roster.segments)}
    tables[Supplier].categories = {"input": categories("Input", roster.inputs)}
    states, firms, suppliers = everybody_in(tables)
    for agents in (states, firms, suppliers):
        _start_at_zero(agents, np.zeros((len(luck.seeds), len(tables[type(agents)].ids))))
    _start_states(states, roster, base, parameters)
    _start_chip_firms(firms, roster, base, parameters)
    _start_suppliers(suppliers, roster, base, parameters)
    return tables


def everybody_in(tables: Tables) -> tuple[State, ChipFirm, Supplier]:
    """All states, all chip firms and all suppliers of linked tables."""
    tables[ChipFirm].links = {"headquarters": tables[State], "site": tables[State]}
    tables[Supplier].links = {"headquarters": tables[State]}
    return State.view(tables[State]), ChipFirm.view(tables[ChipFirm]), Supplier.view(tables[Supplier])


def _start_at_zero(agents: ColumnAgent, zeros: Array) -> None:
    for name, column in type(agents).columns().items():
        if not column.fixed:
            setattr(agents, name, [zeros] * column.length if isinstance(column, Queue) else zeros)


def _start_states(states: State, roster: Roster, base: BaseYear, p: Parameters) -> None:
    states.role = np.array([ROLES.index(role) for role in roster.roles])
    states.is_target = np.array([float(role == "target") for role in roster.roles])
    states.is_lead = np.array([float(role == "lead") for role in roster.roles])
    on_lines = base.output * roster.foundries.has_lines
    made = Groups(roster.firm_site, len(roster.states)).sum(on_lines) * roster.is_controller
    states.controller_part = made / total(made)
    states.trained = states.engineers = np.ones_like(made)
    states.domestic_share = np.broadcast_to(p["base.domestic_supply_share"], made.shape)


def _start_chip_firms(firms: ChipFirm, roster: Roster, base: BaseYear, p: Parameters) -> None:
    firms.headquarters, firms.site, firms.segment = roster.firm_headquarters, roster.firm_site, roster.firm_segment
    firms.has_programme = roster.target_owned.astype(np.float64)
    firms.is_entrant = roster.is_entrant.astype(np.float64)
    firms.has_lines, firms.ceiling = roster.foundries.has_lines, roster.foundries.ceiling
    firms.adoption = np.ones_like(base.output)
    firms.parts_allow = np.full_like(base.output, np.inf)
    firms.base_output = base.output + base.dies
    firms.output = base.output * (1.0 - firms.is_entrant)
    firms.orders = firms.revenue = firms.made = firms.base_output * (1.0 - firms.is_entrant)
    firms.material_cover = firms.return_on_lines = firms.line_completeness = np.ones_like(base.output)
    firms.design_access = firms.unit_cost = firms.frontier_speed = np.ones_like(base.output)
    firms.lag = firms.base_lag = np.array([row["lag"] for row in roster.firm_rows])
    _start_lines(firms, roster, base, p)
    usual = firms.base_output * QUARTERS_PER_YEAR * p["learning.past_years"]
    firms.experience = usual * (1.0 - firms.is_entrant)
    firms.experience_of_others = _of_others(firms.experience, roster.by_segment)
    firms.base_experience = usual + p["learning.spillover"] * firms.experience_of_others


def _start_lines(firms: ChipFirm, roster: Roster, base: BaseYear, p: Parameters) -> None:
    """The base year is the mean of four quarters: firms that grow start below it, so that the mean meets it."""
    years = np.array(roster.world.column("segments", "build_time"))[roster.firm_segment]
    build = np.clip(np.round(years * QUARTERS_PER_YEAR), 1, LONGEST_BUILD)
    firms.build_quarters = build
    firms.base_capacity = firms.base_output / p["investment.normal_utilisation"]
    firms.capital_per_capacity = base.capital / firms.base_capacity
    of_lines = divisor(firms.capital_per_capacity)
    firms.young_capacity = base.young_capital / of_lines
    firms.programme_investment = base.programme_investment
    firms.base_investment = base.private_investment + base.programme_investment
    firms.private_investment, firms.investment = base.private_investment, firms.base_investment
    begun = firms.base_investment / of_lines
    firms.pipeline = tuple(np.where(build - 1 > ahead, begun, 0.0) for ahead in range(LONGEST_BUILD))
    gained = begun - p["investment.depreciation"] / QUARTERS_PER_YEAR * firms.base_capacity * firms.has_lines
    firms.capacity = (firms.base_capacity - 1.5 * gained) * (1.0 - firms.is_entrant)


def _start_suppliers(suppliers: Supplier, roster: Roster, base: BaseYear, p: Parameters) -> None:
    suppliers.headquarters, suppliers.input = roster.supplier_state, roster.supplier_input
    intensity = np.array(roster.world.column("inputs", "research_intensity"))
    suppliers.research_intensity = intensity[roster.supplier_input]
    suppliers.has_programme = roster.target_supplier.astype(np.float64)
    suppliers.base_revenue = suppliers.revenue = base.supplier_revenue
    first = p["research.entry_share"]
    suppliers.may_enter = (roster.target_supplier & ~roster.sells).astype(np.float64)
    entrants_gap = np.log((1.0 - first) / first)
    suppliers.base_gap = suppliers.gap = np.where(suppliers.may_enter > 0, entrants_gap, base.supplier_gap)
    suppliers.quality = suppliers.unit_cost = suppliers.world_growth = np.ones_like(base.supplier_revenue)
    suppliers.ease = _ease(roster, p, intensity)
    suppliers.experience = base.supplier_revenue * QUARTERS_PER_YEAR * p["learning.past_years"]
    suppliers.experience_of_others = _of_others(suppliers.experience, roster.by_input)
    suppliers.base_experience = suppliers.experience + p["learning.spillover"] * suppliers.experience_of_others


def _of_others(experience: Array, by_market: Groups) -> Array:
    return by_market.spread(by_market.sum(experience)) - experience


def _ease(roster: Roster, p: Parameters, intensity: Array) -> Array:
    """How fast an input can be caught up in, (runs, suppliers), 1 at the mean input, from what was known in 2019.

    Slower where few others master it (Herfindahl index of the other states' shares), where research is heavy, and
    where a tool is dear and so complex. What is not a tool counts as a tool of mean price. What else makes an input
    easy or hard is its own effect, where the world's table has one.
    """
    shares = np.where(roster.target_supplier, 0.0, [row["share"] for row in roster.supplier_rows])
    others = roster.by_input.sum(shares)
    concentration = roster.by_input.sum(np.square(shares)) / np.square(np.where(others > 0, others, 1.0))
    prices = np.array([row["tool_price"] or np.nan for row in roster.world.rows["inputs"]])
    priced = ~np.isnan(prices)
    log_price = np.log(np.where(priced, prices, 1.0))
    dearness = np.where(priced, log_price - log_price.sum() / max(1, priced.sum()), 0.0)
    common = ~roster.is_part  # the mean input is one that all chips need
    log_speed = (
        -p["research.concentration_weight"] * (concentration - concentration[common].mean())
        - p["research.intensity_weight"] * (intensity - intensity[common].mean())
        - p["research.price_weight"] * dearness
        + _effects(roster, p)
    )
    return roster.by_input.spread(np.exp(log_speed))


def _effects(roster: Roster, p: Parameters) -> Array:
    """What else makes each input easy or hard to catch up in, log points, (runs, inputs); 0 where nothing is said."""
    names = [f"{EFFECT}.{item}" for item in roster.inputs]
    nothing = np.zeros_like(p["research.price_weight"])
    return np.concatenate([p[name] if name in roster.world.parameters else nothing for name in names], axis=-1)


@dataclass(frozen=True)
class BaseSupplies(ByRun):
    """What each state sold to the target in the base year. Experts have no price and no part.

    Items are inputs, then segments of chips; each state's parts of them sum to 1.
    """

    of_state: Array  # (runs, S) parts of what all states sold
    of_item: Array  # (runs, S, items) parts of what the state sold
    above_threshold: Array  # (runs, S, items) of these, what lies above technical thresholds
    for_lines: Array  # (runs, S, inputs, segments) parts of what the state sold, by the segment a line is for


def base_supplies(roster: Roster, base: BaseYear) -> BaseSupplies:
    """The supplies of every run."""
    sold = np.zeros((len(base.demand), len(roster.states), len(roster.inputs) + len(roster.segments)))
    above = np.zeros_like(sold)
    for_lines = np.zeros((*sold.shape[:2], len(roster.inputs), len(roster.segments)))
    needs = roster.by_input.spread(base.input_need) * roster.of_groups(base.input_share)
    of_suppliers: Any = (slice(None), roster.supplier_state, roster.supplier_input)
    for group in np.flatnonzero(roster.group_at_home):
        np.add.at(sold, of_suppliers, needs[:, group])
        np.add.at(above, of_suppliers, needs[:, group] * roster.line_exposure[group])
        np.add.at(for_lines, (*of_suppliers, roster.group_segment[group]), needs[:, group])
    of_firms: Any = (slice(None), roster.firm_headquarters, len(roster.inputs) + roster.firm_segment)
    chips = roster.by_segment.spread(base.demand[:, roster.target]) * base.chip_share[:, roster.target]
    foreign = np.where(roster.at_home, 0.0, chips)
    np.add.at(sold, of_firms, foreign)
    np.add.at(above, of_firms, foreign * roster.chip_exposure[roster.firm_segment])
    whole = sold.sum(axis=-1, keepdims=True)
    of_state = whole[..., 0] / total(whole[..., 0])
    whole = np.where(whole > 0, whole, 1.0)
    return BaseSupplies(of_state, sold / whole, above / whole, for_lines / whole[..., None])
