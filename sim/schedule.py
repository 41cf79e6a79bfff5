"""A quarter, phase by phase. The order is part of the model; each phase says why it stands where it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.controls import severity
from sim.markets import allocate_subsidies
from sim.vocabulary import QUARTERS_PER_YEAR


def calendar(model: Any) -> None:
    """The date comes first: luck begins after the base year, and levers take the values that events give them."""
    if model.quarter == QUARTERS_PER_YEAR:
        model.parameters.start_luck()
    for event in model.events:
        if event.quarter == model.quarter and event.levers():
            model.parameters.change(event.levers())
    model.makers.outage = model.lost_capacity()


def controls(model: Any) -> None:
    """States announce and enforce controls; buyers form expectations before they choose."""
    announced = severity(model.layout, model.parameters, model.events, model.quarter, ahead=True)
    in_force = severity(model.layout, model.parameters, model.events, model.quarter)
    model.chips.permit(model.parameters, in_force, model.quarter)
    model.inputs.permit(model.parameters, in_force, model.quarter)
    model.states.announced_severity = model.announced_by_value(announced)
    model.everybody("states", "form_expectations")
    model.everybody("states", "set_budget")


def chip_market(model: Any) -> None:
    """Chips are ordered at last quarter's prices, made within capacity and materials, and bought."""
    model.chips.form_demand(model.parameters, model.quarter)
    model.inputs.cover(model.makers)
    model.chips.trade(model.parameters, model.makers, model.states.expected_cutoff)
    model.inputs.use_materials(model.makers)


def prices(model: Any) -> None:
    """Prices move after production, so that they answer to the orders of this quarter and are paid in the next."""
    model.chips.form_prices(model.parameters, model.makers)


def investment(model: Any) -> None:
    """Grants are shared out by this quarter's sales, then firms decide what tools to order."""
    allocate_subsidies(
        model.parameters, model.layout, model.states, model.makers, model.suppliers, model.chips, model.inputs
    )
    model.everybody("makers", "decide_investment")


def input_market(model: Any) -> None:
    """Tools, materials and software are ordered, permitted or denied, back-filled and delivered."""
    model.inputs.trade(model.parameters, model.makers, model.suppliers, model.states.expected_cutoff)


def lines(model: Any) -> None:
    """Delivered tools become lines; lines that are due make chips from the next quarter on."""
    model.everybody("makers", "start_lines")
    model.everybody("makers", "complete_lines")


def learning(model: Any) -> None:
    """Learning and research come last: they count from the next quarter on."""
    model.everybody("makers", "learn_by_doing")
    model.everybody("suppliers", "enter")
    model.everybody("suppliers", "learn_by_doing")
    model.everybody("makers", "do_research")
    model.everybody("suppliers", "do_research")


PHASES: tuple[Callable[[Any], None], ...] = (
    calendar,
    controls,
    chip_market,
    prices,
    investment,
    input_market,
    lines,
    learning,
)
