"""What is at stake in a full control: for the target, for the controllers, and in what the target could deny them.

States reckon this once a year from what buyers would choose if free, with the markets' own rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.arrays import Array
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.groups import divisor, ratio, total
from sim.engine.parameters import Parameters
from sim.markets.denial import Severity, supplied
from sim.policy.controls import ExportControls
from sim.start.roster import Roster

if TYPE_CHECKING:
    from sim.markets import InputMarket
    from sim.model import DecouplingModel


def weigh_stakes(model: DecouplingModel) -> None:
    """Set what states expect of a full control by the lead, followed by the allies as far as they do; bn yuan a year.

    Harm: lines that would not be built in a year, at the value of their output over half the horizon (they are
    missing from the middle of it on average), and chips not replaced, as far as others could make them today. Loss:
    sales denied. Retaliation: output that the dominated materials carry, beyond what others can supply.
    """
    p, roster, states = model.parameters, model.roster, model.states
    chip_market, input_market, firms = model.chip_market, model.input_market, model.chip_firms
    full = _full_control(model.controls, states.follow_strength)
    denied = input_market.denial(p, full)
    met = input_market.part_met(p, input_market.choice, denied)
    line = input_market.assembled(met, p["production.yield_without_critical_inputs"]) * _tools(met, input_market)
    begun = firms.investment / divisor(firms.capital_per_capacity)
    price = roster.by_segment.spread(chip_market.price)
    lost_lines = begun * QUARTERS_PER_YEAR * price * roster.at_home * (1.0 - roster.by_group.spread(line))

    chips_denied = chip_market.denial(p, full)
    demand = chip_market.demand[:, roster.target]
    made = roster.by_segment.sum(chip_market.able * (1.0 - chips_denied.of_sales))
    chips_met = np.minimum(chip_market.part_met(p, chip_market.choice, chips_denied), ratio(made, demand, 1.0))
    wanted = demand * chip_market.price * QUARTERS_PER_YEAR
    harm = total(lost_lines) * p["doctrine.horizon"] / 2.0 + total(wanted * (1.0 - chips_met))

    inputs_lost = input_market.sales_lost(denied) * QUARTERS_PER_YEAR
    chips_lost = roster.by_segment.spread(wanted) * chip_market.choice * chips_denied.of_sales
    states.harm_expected = np.broadcast_to(harm, states.harm_expected.shape)
    states.loss_expected = roster.by_supplier_state.sum(inputs_lost) + roster.by_firm_state.sum(chips_lost)
    sold = roster.by_supplier_state.sum(model.suppliers.revenue) * QUARTERS_PER_YEAR
    reachable = input_market.denial(p, _full_control(model.controls, np.ones_like(states.follow_strength)))
    to_target = input_market.sales_lost(reachable) * QUARTERS_PER_YEAR
    states.exposed_revenue = roster.by_supplier_state.sum(to_target) / divisor(sold)
    answer = p["retaliation.severity"]
    states.retaliation_expected = answer * (_carried(p, roster, model) if answer.any() else 0.0)
    states.gap_closed = np.broadcast_to(_gap_closed(roster, model), states.gap_closed.shape)


def take_note_of_supply(model: DecouplingModel) -> None:
    """Planners see the domestic supply share of about the last year; and how exposed supplies from abroad are."""
    states = model.states
    seen = states.domestic_share + (model.chip_market.domestic_share() - states.domestic_share) / QUARTERS_PER_YEAR
    states.domestic_share = np.broadcast_to(seen, states.domestic_share.shape)
    exposed = total(states.expected_cutoff * model.controls.supplies.of_state)
    states.exposure = np.broadcast_to(exposed, states.exposure.shape)


def _full_control(controls: ExportControls, follow_strength: Array) -> Severity:
    """Everything listed denied by the lead, and by the allies as far as they follow."""
    by_state = np.zeros_like(follow_strength)
    by_state[:, controls.allies] = follow_strength[:, controls.allies]
    by_state[:, controls.roster.lead] = 1.0
    above = by_state[..., None] * controls.listed
    return Severity(above, np.zeros_like(above), above[..., :0])


def _tools(met: Array, input_market: InputMarket) -> Array:
    """The part of the tools ordered that would come, by value, (runs, K)."""
    part: Array = (met * input_market.base.tool_mix).sum(axis=-1)
    return part


def _carried(p: Parameters, roster: Roster, model: DecouplingModel) -> Array:
    """Yearly output of each state's firms that would stop without the materials the target dominates, (runs, S)."""
    kept = roster.by_input.sum(model.input_market.choice * ~roster.target_supplier)
    met = supplied(1.0 - p["retaliation.bite"][..., None] * (1.0 - kept), p["controls.backfill"][..., None])
    stops = np.where(roster.is_dominated, (1.0 - met) * (1.0 - roster.dispensable), 0.0).max(axis=-1, keepdims=True)
    value = model.chip_firms.revenue * QUARTERS_PER_YEAR * ~roster.at_home
    return roster.by_firm_state.sum(value * roster.by_group.spread(roster.of_groups(stops)[..., 0]))


def _gap_closed(roster: Roster, model: DecouplingModel) -> Array:
    """The part of the gap of 2020 that is closed, mean of tools (by their part of a line) and chips (by output)."""
    suppliers, firms = model.suppliers, model.chip_firms
    weight = np.where(roster.target_supplier, model.input_market.base.tool_mix[roster.supplier_input], 0.0)
    tools = total(weight * suppliers.gap) / total(weight * suppliers.base_gap)
    owned = firms.base_output * roster.target_owned * ~roster.is_entrant
    behind = total(owned * firms.base_lag)
    chips = total(owned * firms.lag) / divisor(behind)
    return np.clip(1.0 - 0.5 * (tools + chips), 0.0, 1.0)
