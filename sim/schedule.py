"""A quarter, phase by phase. The order is part of the model; each phase says why it comes where it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.agents import ChipFirm, State, Supplier
from sim.calendar import is_first_of_year
from sim.markets.outages import close_and_move, stop_output
from sim.markets.spillovers import move_frontier, pass_on_experience
from sim.policy.retaliation import restrictions
from sim.policy.security import push_for_security
from sim.policy.stakes import take_note_of_supply, weigh_stakes
from sim.policy.subsidy import allocate_subsidies

if TYPE_CHECKING:
    from sim.model import DecouplingModel


def calendar(model: DecouplingModel) -> None:
    """The date comes first: luck begins after the base year, levers take the values that events give them, and makers
    are out or leave.
    """
    events, quarter = model.events, model.quarter
    model.parameters.turn_to(quarter, [scenario.events for scenario in model.scenarios])
    stop_output(model.chip_firms, model.suppliers, events, quarter, model.roster)
    close_and_move(model.chip_firms, events, quarter, model.roster)


def controls(model: DecouplingModel) -> None:
    """States decide, announce, enforce and answer; firms form expectations before they choose."""
    parameters, events, quarter, states = model.parameters, model.events, model.quarter, model.states
    if is_first_of_year(quarter):
        weigh_stakes(model)
    model.everybody(states, State.weigh_following)
    model.controls.keep_truce(events, quarter, states)
    model.everybody(states, State.decide_controls)
    model.controls.impose(parameters, events, quarter, states)
    model.controls.inform(states)
    model.everybody(states, State.remember_controls)
    model.everybody(states, State.take_alarm)
    model.everybody(states, State.retaliate)
    materials, chips = restrictions(parameters, events, quarter, states, model.roster)
    model.controls.fear(parameters, states)
    model.chip_market.permit(parameters, model.controls.in_force, chips, quarter)
    model.input_market.permit(parameters, model.controls.in_force, model.controls.feared, materials, quarter)
    model.input_market.go_without(model.suppliers)
    model.everybody(states, State.form_expectations)


def plans(model: DecouplingModel) -> None:
    """Once a year the target revises its plan; every quarter states spend, and engineers are trained."""
    if is_first_of_year(model.quarter):
        model.everybody(model.states, State.revise_plan)
    model.everybody(model.states, State.set_budget)
    model.everybody(model.states, State.train_engineers)


def chip_market(model: DecouplingModel) -> None:
    """Chips are ordered at last quarter's prices, made within capacity and materials, and bought."""
    model.chip_market.form_demand(model.parameters, model.quarter)
    model.input_market.cover(model.chip_firms)
    model.chip_market.trade(model.parameters, model.chip_firms, model.states)
    model.input_market.use_materials(model.chip_firms)


def prices(model: DecouplingModel) -> None:
    """Prices move after production, so that they answer to the orders of this quarter and are paid in the next.

    What was sold pays, with the grants of the last quarter, for the leaders' research.
    """
    model.chip_market.form_prices(model.parameters, model.chip_firms)
    move_frontier(model.parameters, model.chip_firms, model.roster)
    take_note_of_supply(model)


def investment(model: DecouplingModel) -> None:
    """Grants are shared out by this quarter's sales, the push is set, new firms enter, then firms order."""
    allocate_subsidies(model)
    push_for_security(model)
    if model.roster.is_entrant.any():
        model.everybody(model.chip_firms, ChipFirm.enter_or_fail)
    model.everybody(model.chip_firms, ChipFirm.decide_investment)


def input_market(model: DecouplingModel) -> None:
    """Tools, materials and software are ordered, permitted or denied, back-filled and delivered."""
    model.input_market.trade(model.parameters, model.chip_firms, model.suppliers, model.states)


def lines(model: DecouplingModel) -> None:
    """Delivered tools become lines; lines that are due make chips from the next quarter on."""
    model.everybody(model.chip_firms, ChipFirm.start_lines)
    model.everybody(model.chip_firms, ChipFirm.complete_lines)


def learning(model: DecouplingModel) -> None:
    """Learning and research come last: they count from the next quarter on."""
    if model.roster.foundries.any:
        model.everybody(model.chip_firms, ChipFirm.become_known)
    pass_on_experience(model.chip_firms, model.suppliers, model.roster)
    model.everybody(model.chip_firms, ChipFirm.learn_by_doing)
    model.everybody(model.suppliers, Supplier.enter)
    model.everybody(model.suppliers, Supplier.learn_by_doing)
    model.everybody(model.chip_firms, ChipFirm.do_research)
    model.everybody(model.suppliers, Supplier.do_research)


PHASES: tuple[Callable[[DecouplingModel], None], ...] = (
    calendar,
    controls,
    plans,
    chip_market,
    prices,
    investment,
    input_market,
    lines,
    learning,
)
