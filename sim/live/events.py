"""One-click events, as tables of the event grammar: what the page's buttons put on a date.

Controls of the grammar act in mode "events", and under the ratchet. A button that needs another mode than is set
changes it, and keeps what the lead denies at that moment as an event of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.calendar import FIRST_YEAR, QUARTERS_PER_YEAR, quarter_start, quarters_until
from sim.errors import BadInput, nearest, written
from sim.futures.levers import unlimited
from sim.model import DecouplingModel
from sim.world.evidence import Value

Entry = dict[str, Any]
Held = Mapping[str, Value]  # the values of all keys in the next quarter to be run


def lever_set(model: DecouplingModel, held: Held, key: str, value: object) -> list[Entry]:
    """A lever takes a value from the next quarter on. BadInput for a value that does not fit."""
    fault = model.world.parameters[key].check(value) if key in model.world.parameters else None
    if fault:
        raise BadInput(f"{key} = {written(value)[:60]}: {fault}")
    changed = {key: value}
    mode = value if key == "controls.mode" else held["controls.mode"]
    if key in ("controls.mode", "controls.severity") and mode == "fixed":
        changed["controls.start"] = FIRST_YEAR  # in force at once, not from a later year on
    return [_lever(model, changed)]


def control_announced(model: DecouplingModel, held: Held, by: str, item: str, severity: object) -> list[Entry]:
    """A control on an input or a segment is announced now and in force in a year."""
    in_force = model.quarter + QUARTERS_PER_YEAR
    if in_force >= model.horizon:
        raise BadInput("a control announced now would be in force after the run's last quarter")
    return [
        *_dated(model, held),
        {
            "date": quarter_start(in_force),
            "announced": quarter_start(model.quarter),
            **_against(model, by),
            "kind": "control",
            "scope": [item],
            "severity": severity,
        },
    ]


def cut_off(model: DecouplingModel, held: Held) -> list[Entry]:
    """The lead controller and its allies deny everything at once."""
    return [
        *_dated(model, held),
        *(
            {
                "date": quarter_start(model.quarter),
                **_against(model, state),
                "kind": "control",
                "scope": ["all"],
                "severity": 1.0,
            }
            for state in model.world.controllers
        ),
    ]


def truce(model: DecouplingModel, held: Held) -> list[Entry]:
    """Every controller lifts what is in force; controls on later dates still come, and a reactive lead may return."""
    fixed = {"controls.severity": 0.0} if held["controls.mode"] == "fixed" else {}
    lifted = fixed | unlimited(held)
    return [
        *([{**_lever(model, lifted), "by": model.world.lead}] if lifted else []),
        *(
            {"date": quarter_start(model.quarter), **_against(model, state), "kind": "truce", "severity": 1.0}
            for state in model.world.controllers
        ),
    ]


def fab_lost(model: DecouplingModel, firm: str) -> list[Entry]:
    """A chip firm's lines at a site stop for a year."""
    sites = {row["id"]: row["site"] for row in model.world.rows["chip_firms"]}
    if firm not in sites:
        raise BadInput(f"{firm!r}: is no chip firm at a site{nearest(firm, sites)}")
    return [
        {"date": quarter_start(model.quarter), "by": sites[firm], "kind": "outage", "scope": [firm], "severity": 1.0},
    ]


def _target(model: DecouplingModel) -> str:
    return model.world.target


def _against(model: DecouplingModel, by: str) -> Entry:
    return {"by": by, "target": _target(model)}


def _lever(model: DecouplingModel, values: dict[str, Any]) -> Entry:
    return {"date": quarter_start(model.quarter), "by": _target(model), "kind": "lever", "set": values}


def _dated(model: DecouplingModel, held: Held) -> list[Entry]:
    """What it takes for dated controls to count: nothing where they do already."""
    roster, mode = model.roster, held["controls.mode"]
    if mode == "events" or (mode == "reactive" and held["controls.doctrine"] == "ratchet"):
        return []
    entries = [_lever(model, {"controls.mode": "events", "controls.severity": 1.0})]
    severity, first = 0.0, model.quarter
    if mode == "fixed":
        severity = float(held["controls.severity"])
        first = max(first, quarters_until(int(float(held["controls.start"])) - 1))
    elif mode == "reactive":
        severity = float(model.states.enacted_severity[0, roster.lead])
    if severity > 0 and first < model.horizon:
        listed = [item for item, controlled in zip(roster.inputs, roster.is_controlled, strict=True) if controlled]
        entries.append(
            {
                "date": quarter_start(first),
                "announced": quarter_start(max(model.quarter, first - QUARTERS_PER_YEAR)),
                **_against(model, roster.states[roster.lead]),
                "kind": "control",
                "scope": [*listed, *roster.segments],
                "severity": severity,
            }
        )
    return entries
