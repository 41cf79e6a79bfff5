"""What the page draws of one quarter: the chain, its empty spots, the gaps in technology and the agents.

Amounts are bn yuan a year at 2020 prices. All functions read a model of one run and change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.agents import ChipFirm, State, Supplier
from sim.arrays import Array
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.columns import Category, ColumnAgent, Link, Queue
from sim.engine.groups import ratio
from sim.model import DecouplingModel
from sim.policy.review import Review, review_inputs, review_segments

Columns = dict[str, dict[str, Array]]  # by kind of agent, then by name: (runs, agents)
KINDS: dict[str, type[ColumnAgent]] = {"state": State, "chip firm": ChipFirm, "supplier": Supplier}
LEAST_FLOW = 0.05  # bn yuan a year; thinner links are not drawn


@dataclass(frozen=True)
class Flows:
    """A quarter's deliveries to lines in the target, bn yuan: (suppliers,) and (segments, inputs)."""

    from_suppliers: Array
    to_segments: Array


def flows(model: DecouplingModel) -> Flows:
    """What lines in the target were sold in the quarter that has just passed."""
    roster, home = model.roster, model.roster.group_at_home
    delivered = np.zeros((len(roster.segments), len(roster.inputs)))
    np.add.at(delivered, roster.group_segment[home], model.input_market.delivered[0, home])
    return Flows(model.input_market.sales[0, home].sum(axis=0), delivered)


def chain(model: DecouplingModel, year: Iterable[Flows]) -> dict[str, Any]:
    """Who supplied which input to whom in the target over the last four quarters, and what is denied.

    `supplies`: [state, input, bn yuan a year, part of base sales denied]; `uses`: [input, segment, bn yuan a year].
    A supplier that sold next to nothing in the base year and now is left out.
    """
    roster, quarters = model.roster, list(year)
    sold = QUARTERS_PER_YEAR * np.mean([quarter.from_suppliers for quarter in quarters], axis=0)
    used = QUARTERS_PER_YEAR * np.mean([quarter.to_segments for quarter in quarters], axis=0)
    base, denied = _denied(model)
    return {
        "supplies": [
            [roster.states[state], roster.inputs[item], round(float(sold[cell]), 3), round(float(denied[cell]), 3)]
            for cell, (state, item) in enumerate(zip(roster.supplier_state, roster.supplier_input, strict=True))
            if sold[cell] >= LEAST_FLOW or (denied[cell] > 0 and QUARTERS_PER_YEAR * base[cell] >= LEAST_FLOW)
        ],
        "uses": [
            [roster.inputs[item], roster.segments[segment], round(float(used[segment, item]), 3)]
            for segment, item in np.argwhere(used >= LEAST_FLOW)
        ],
    }


def empty_spots(model: DecouplingModel) -> dict[str, Any]:
    """The map of empty spots, 0 to 1, of every input and every segment of chips; None: nothing is bought.

    The first columns are for inputs: what part lines of each segment in the target buy abroad. Then come, from the
    chain review, the part bought abroad, what the lead alone and with its allies could deny, the concentration of
    the states it comes from, and the score.
    """
    roster, home = model.roster, model.roster.group_at_home
    bought = np.zeros((len(roster.segments), len(roster.suppliers)))
    np.add.at(bought, roster.group_segment[home], model.input_market.sales[0, home])
    whole, abroad = roster.by_input.sum(bought), roster.by_input.sum(bought * ~roster.target_supplier)
    lines = [_parts(abroad[:, item], whole[:, item]) for item in range(len(roster.inputs))]
    of_inputs = review_inputs(model)
    of_chips = review_segments(model)
    nothing: list[list[float | None]] = [[None] * len(roster.segments) for _ in roster.segments]
    return {
        "rows": [*roster.inputs, *roster.segments],
        "columns": [*roster.segments, "all", "lead alone", "with allies", "concentration", "score"],
        "values": [*_with_review(lines, of_inputs), *_with_review(nothing, of_chips)],
    }


def _with_review(lines: list[list[float | None]], review: Review) -> list[list[float | None]]:
    shown = (
        review.dependence,
        review.deniable_alone,
        review.deniable_allied,
        review.concentration,
        review.score,
    )
    return [[*cells, *(_finite(column[0, item]) for column in shown)] for item, cells in enumerate(lines)]


def gaps(model: DecouplingModel) -> dict[str, Any]:
    """How far the target's suppliers are behind the leaders, log points of quality: [input, in 2020, now].

    None: the target has no supplier of it.
    """
    roster, suppliers = model.roster, model.suppliers
    now = {
        roster.inputs[roster.supplier_input[cell]]: [
            _finite(suppliers.base_gap[0, cell]),
            _finite(suppliers.gap[0, cell]),
        ]
        for cell in np.flatnonzero(roster.target_supplier)
    }
    return {"rows": [[item, *now.get(item, [None, None])] for item in roster.inputs]}


def segment_gaps(model: DecouplingModel) -> dict[str, float | None]:
    """Years behind the frontier of each segment, of firms headquartered in the target, weighted by output."""
    roster, firms = model.roster, model.chip_firms
    output = firms.output[0] * roster.target_owned
    made, lag = roster.by_segment.sum(output), roster.by_segment.sum(output * firms.lag[0])
    return dict(zip(roster.segments, _parts(lag, made), strict=True))


def agents(model: DecouplingModel) -> list[list[Any]]:
    """A row for each agent: id, name, kind, state, what it makes, sales, share, growth and gap.

    Sales are bn yuan a year (a state's: chips made there), the share is of the world's sales of the same thing, growth
    is by 2020 = 1, the gap is years behind the frontier for a firm and log points of quality for a supplier.
    """
    roster, firms, suppliers = model.roster, model.chip_firms, model.suppliers
    names = {row["id"]: row["name"] for table in model.world.rows.values() for row in table if "name" in row}
    made, sold = firms.output[0], suppliers.revenue[0]
    of_segment = ratio(made, roster.by_segment.spread(roster.by_segment.sum(made)), np.nan)
    of_input = ratio(sold, roster.by_input.spread(roster.by_input.sum(sold)), np.nan)
    at_site = np.bincount(roster.firm_site, made, len(roster.states))
    base_at_site = np.bincount(roster.firm_site, firms.base_output[0], len(roster.states))

    def numbers(flow: float, share: float, base: float, gap: float | None) -> list[float | None]:
        growth = flow / base if base > 0 else None
        return [_finite(number) for number in (QUARTERS_PER_YEAR * flow, share, growth, gap)]

    rows: list[list[Any]] = []
    for state, id in enumerate(roster.states):
        row = numbers(at_site[state], at_site[state] / made.sum(), base_at_site[state], None)
        rows.append([id, names[id], "state", id, roster.roles[state], *row])
    for cell, id in enumerate(roster.chip_firms):
        home, what = roster.states[roster.firm_headquarters[cell]], roster.segments[roster.firm_segment[cell]]
        row = numbers(made[cell], of_segment[cell], firms.base_output[0, cell], firms.lag[0, cell])
        rows.append([id, names[id], "chip firm", home, what, *row])
    for cell, id in enumerate(roster.suppliers):
        home, what = roster.states[roster.supplier_state[cell]], roster.inputs[roster.supplier_input[cell]]
        row = numbers(sold[cell], of_input[cell], suppliers.base_revenue[0, cell], suppliers.gap[0, cell])
        rows.append([id, names[id], "supplier", home, what, *row])
    return rows


def columns(model: DecouplingModel) -> Columns:
    """The columns of every agent at this moment, by kind. They are values, so keeping them copies nothing."""
    return {kind: dict(model.tables[agent].values) for kind, agent in KINDS.items()}


def kind_of(model: DecouplingModel, id: str) -> str | None:
    """Which kind of agent has this id; None for an unknown one."""
    return next((kind for kind, agent in KINDS.items() if id in model.tables[agent].ids), None)


def history(model: DecouplingModel, kind: str, id: str, quarters: Iterable[Columns]) -> dict[str, Any]:
    """Every quantity of one agent over the quarters run, with its unit and meaning."""
    agent = KINDS[kind]
    place = model.tables[agent].ids.index(id)
    past = [quarter[kind] for quarter in quarters]
    return {
        "id": id,
        "kind": kind,
        "quantities": [
            {
                "name": name,
                "unit": column.unit,
                "meaning": column.meaning,
                "values": [_finite(values[name][0, place]) for values in past],
            }
            for name, column in agent.columns().items()
            if not column.fixed and not isinstance(column, Category | Link | Queue)
        ],
    }


def _denied(model: DecouplingModel) -> tuple[Array, Array]:
    """Each supplier's base sales to lines in the target, bn yuan a quarter, and the part denied now: (suppliers,)."""
    roster, base, home = model.roster, model.input_market.base, model.roster.group_at_home
    sold = (roster.by_input.spread(base.input_need) * roster.of_groups(base.input_share))[0, home]
    whole = sold.sum(axis=0)
    denied = (sold * model.input_market.denied[0]).sum(axis=0)
    return whole, denied / np.where(whole > 0, whole, 1.0)


def _parts(over: Any, under: Any) -> list[float | None]:
    return [_finite(part / whole) if whole > 0 else None for part, whole in zip(over, under, strict=True)]


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else round(float(number), 4)
