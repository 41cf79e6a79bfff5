"""What each dated event denies or stops, at what was bought in 2020."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.groups import total
from sim.errors import written
from sim.model import DecouplingModel
from sim.policy.controls import ExportControls
from sim.policy.retaliation import restrictions
from sim.scenario.events import LISTS, Event
from sim.scenario.makers import LEAVING, leaving, out
from sim.scenario.scenario import Scenario

DENYING = ("control", "truce", "retaliation")
STOPPING = ("outage", *LEAVING)
HEADER = ["config", "date", "until", "kind", "by", "target", *LISTS, "to", "severity", "denies", "adds", "stops"]
WORDS = (
    "denies: bn yuan a year at 2020 prices, by the event alone; adds: beyond what is in force when it begins. Of what "
    "was bought in 2020 at the shares of 2020, with expected licences and over-compliance; what others fill in is not "
    "taken off, and what allies deny who follow is not in it. stops: what the makers that are out, close or leave sold "
    "in the world in 2020, for as long as the event says; what they make elsewhere later is not taken off."
)
AS_EXPECTED = 1  # a quarter that opens no year: no licences are drawn, each is as expected


def effects(scenario: Scenario) -> list[list[object]]:
    """A row of `HEADER` for each event that denies, takes back or stops something, in the order of their dates."""
    model = DecouplingModel(scenario)
    rows: list[list[object]] = []
    for quarter in range(model.horizon):
        model.parameters.turn_to(quarter, [model.events])
        begun = [event for event in model.events if event.quarter <= quarter]
        for place, event in enumerate(begun):
            if event.quarter == quarter and event.kind in DENYING:
                alone = _denied(model, [event], quarter) - _denied(model, [], quarter)
                added = _denied(model, begun[: place + 1], quarter) - _denied(model, begun[:place], quarter)
                rows.append([*_named(scenario, event), alone, added, None])
            elif event.quarter == quarter and event.kind in STOPPING:
                rows.append([*_named(scenario, event), None, None, _stopped(model, event)])
    return rows


def _named(scenario: Scenario, event: Event) -> list[object]:
    entry = event.as_table()
    lists = (" ".join(entry.get(key, ())) for key in LISTS)
    until = written(event.until) if event.until else ""
    names = [scenario.name, written(event.date), until, event.kind, event.by, event.target or ""]
    return [*names, *lists, event.to or "", event.severity]


def _stopped(model: DecouplingModel, event: Event) -> float:
    """What the makers that an event stops sold in 2020, of an outage the part that is lost: bn yuan a year."""
    ids = out(event, model.world) if event.kind == "outage" else leaving(event, model.world)
    part = float(event.severity or 0.0) if event.kind == "outage" else 1.0
    firms, suppliers, roster = model.chip_firms, model.suppliers, model.roster
    lines = firms.base_output * (1.0 - firms.is_entrant) * np.isin(roster.chip_firms, [*ids])
    sales = suppliers.base_revenue * np.isin(roster.suppliers, [*ids])
    return float((total(lines) + total(sales))[0, 0]) * QUARTERS_PER_YEAR * part


def _denied(model: DecouplingModel, events: Sequence[Event], quarter: int) -> float:
    """What is denied of the purchases of 2020 while events are in force: bn yuan a year, by anybody to anybody."""
    p, roster, chip_market, input_market = model.parameters, model.roster, model.chip_market, model.input_market
    controls = ExportControls(roster, model.controls.supplies, model.luck)
    controls.impose(p, events, quarter, model.states)
    materials, chips = restrictions(p, events, quarter, model.states, roster)
    chip_market.permit(p, controls.in_force, chips, AS_EXPECTED)
    input_market.permit(p, controls.in_force, controls.in_force, materials, AS_EXPECTED)
    base = input_market.base
    bought = roster.by_input.spread(base.input_need) * roster.of_groups(base.input_share)
    inputs = bought * (1.0 - input_market.left)
    wanted = roster.by_segment.spread(base.demand[:, roster.target]) * base.chip_share[:, roster.target]
    quarterly = total(total(inputs)[..., 0]) + total(wanted * chip_market.in_the_way.of_sales)
    return float(quarterly[0, 0]) * QUARTERS_PER_YEAR
