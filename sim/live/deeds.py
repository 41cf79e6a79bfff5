"""What the states did in a quarter, and why: read from the events on its date and from what they announce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.model import DecouplingModel
from sim.scenario import Event
from sim.vocabulary import quarter_name

LEAST_CHANGE = 0.002  # of a state's sales to the target; smaller moves are not told
Deed = dict[str, Any]


def deeds(model: DecouplingModel, before: Sequence[float], yours: Sequence[Event]) -> list[Deed]:
    """The deeds of the quarter that has just passed; states that do the same stand together.

    `before` holds each state's announced severity a quarter ago, `yours` the events set on the page.
    """
    quarter = model.quarter - 1
    told: dict[tuple[str, str], Deed] = {}

    def tell(who: str, what: str, why: str, own: bool) -> None:
        deed = told.setdefault((what, why), {"quarter": quarter_name(quarter), "who": [], "what": what, "why": why})
        deed["who"].append(who)
        deed["yours"] = own

    acted = set()
    for event in model.events:
        own = event in yours
        for text in _told(event, quarter):
            tell(event.by, text, "You set it." if own else (event.reason or "On the config's list of dates."), own)
            acted.add(event.by)
    for state, (name, was, now) in enumerate(
        zip(model.layout.states, before, model.states.announced_severity[0], strict=True)
    ):
        if abs(now - was) >= LEAST_CHANGE and name not in acted:
            verb = "Tightens" if now > was else "Loosens"
            part = f"{_percent(now)} of its sales to {model.layout.states[model.layout.target]} denied or announced"
            tell(name, f"{verb}: {part}, after {_percent(was)}.", _reason(model, state), False)
    return list(told.values())


def _told(event: Event, quarter: int) -> list[str]:
    scope = "everything" if "all" in event.scope else ", ".join(word.replace("_", " ") for word in event.scope)
    severity = _percent(event.severity or 0.0)
    if event.kind == "control":
        told = []
        if event.announced_quarter == quarter < event.quarter:
            told.append(f"Announces to deny {severity} of {scope} from {quarter_name(event.quarter)} on.")
        if event.quarter == quarter:
            told.append(f"Denies {severity} of {scope}.")
        return told
    if event.quarter != quarter:
        return []
    if event.kind == "truce":
        return [f"Lifts {severity} of its controls on {scope}."]
    if event.kind == "outage":
        return [f"Loses {severity} of {', '.join(event.scope)} for a year."]
    if event.kind == "retaliation":
        return [f"Retaliates: denies {severity} of {scope}."]
    return [
        f"Sets {key} to {value:g}." if isinstance(value, float) else f"Sets {key} to {value}."
        for key, value in event.levers().items()
    ]


def _reason(model: DecouplingModel, state: int) -> str:
    value, layout = model.parameters.value, model.layout
    if layout.roles[state] == "ally" and value("controls.alignment"):
        return f"Follows {layout.states[layout.lead]} with an alignment of {value('controls.alignment'):g}."
    mode = value("controls.mode")
    if mode == "fixed":
        severity, start = value("controls.severity"), value("controls.start")
        return f"A fixed severity of {severity:g} from {start:g} on, announced a year ahead."
    if mode == "reactive":
        return f"Its doctrine: {value('controls.doctrine')}."
    return f"Controls are in mode {mode}."


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %"
