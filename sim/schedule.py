"""A quarter, phase by phase. The order is part of the model; each phase says why it stands where it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.calendar import QUARTERS_PER_YEAR
from sim.policy.controls import truce
from sim.policy.stakes import weigh_stakes
from sim.policy.subsidy import allocate_subsidies


def calendar(model: Any) -> None:
    """The date comes first: luck begins after the base year, and levers take the values that events give them."""
    if model.quarter == QUARTERS_PER_YEAR:
        model.parameters.start_luck()
    for event in model.events:
        if event.quarter == model.quarter and event.levers():
            model.parameters.change(event.levers())
    model.chip_firms.outage = model.lost_capacity()


def controls(model: Any) -> None:
    """States decide, announce, enforce and answer; firms form expectations before they choose."""
    if model.quarter % QUARTERS_PER_YEAR == 0:
        weigh_stakes(model)
    parameters, states = model.parameters, model.states
    model.everybody("states", "weigh_following")
    states.enacted_severity = states.enacted_severity * (1.0 - truce(model.events, model.quarter, model.roster))
    model.everybody("states", "decide_controls")
    model.controls.impose(parameters, model.events, model.quarter, states)
    in_force, announced = model.controls.in_force, model.controls.announced
    states.harshest_now = in_force.harshest
    states.faced_control = in_force.harshest[:, [model.roster.lead]] * states.is_target
    states.experts_denied = in_force.on_experts.max(axis=-1, keepdims=True) * states.is_target
    model.everybody("states", "remember_controls")
    model.everybody("states", "retaliate")
    materials, firms = model.controls.barred(parameters, model.events, model.quarter)
    model.controls.fear(parameters, states)
    model.chip_market.permit(parameters, in_force, firms, model.quarter)
    model.input_market.permit(
        parameters, in_force, model.controls.feared, model.denied_materials(materials), model.quarter
    )
    states.announced_severity = model.announced_by_value(announced)
    model.everybody("states", "form_expectations")


def plans(model: Any) -> None:
    """Once a year the target revises its plan; every quarter states spend, and engineers are trained."""
    if model.quarter % QUARTERS_PER_YEAR == 0:
        model.everybody("states", "revise_plan")
    model.everybody("states", "set_budget")
    model.everybody("states", "train_engineers")


def chip_market(model: Any) -> None:
    """Chips are ordered at last quarter's prices, made within capacity and materials, and bought."""
    model.chip_market.form_demand(model.parameters, model.quarter)
    model.input_market.cover(model.chip_firms)
    model.chip_market.trade(model.parameters, model.chip_firms, model.states.expected_cutoff)
    model.input_market.use_materials(model.chip_firms)


def prices(model: Any) -> None:
    """Prices move after production, so that they answer to the orders of this quarter and are paid in the next."""
    model.chip_market.form_prices(model.parameters, model.chip_firms)
    model.take_note_of_the_share()


def investment(model: Any) -> None:
    """Grants are shared out by this quarter's sales, new firms enter on them, then firms decide what to order."""
    allocate_subsidies(
        model.parameters,
        model.roster,
        model.states,
        model.chip_firms,
        model.suppliers,
        model.chip_market,
        model.input_market,
    )
    if model.roster.is_entrant.any():
        model.everybody("chip_firms", "enter_or_fail")
    model.everybody("chip_firms", "decide_investment")


def input_market(model: Any) -> None:
    """Tools, materials and software are ordered, permitted or denied, back-filled and delivered."""
    model.input_market.trade(model.parameters, model.chip_firms, model.suppliers, model.states.expected_cutoff)


def lines(model: Any) -> None:
    """Delivered tools become lines; lines that are due make chips from the next quarter on."""
    model.everybody("chip_firms", "start_lines")
    model.everybody("chip_firms", "complete_lines")


def learning(model: Any) -> None:
    """Learning and research come last: they count from the next quarter on."""
    model.everybody("chip_firms", "learn_by_doing")
    model.everybody("suppliers", "enter")
    model.everybody("suppliers", "learn_by_doing")
    model.everybody("chip_firms", "do_research")
    model.everybody("suppliers", "do_research")


PHASES: tuple[Callable[[Any], None], ...] = (
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
