"""What the states did in a quarter, and why: read from the events of its date and from what states decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.calendar import quarter_name
from sim.model import DecouplingModel
from sim.scenario.events import Event
from sim.scenario.labels import label, of_unit
from sim.scenario.makers import LEAVING, leaving
from sim.world.world import World

LEAST_CHANGE = {  # smaller moves are passed over, and a reactive lead moves a little in every quarter
    "announced_severity": 0.01,  # of a state's sales to the target
    "retaliation": 0.05,  # of the materials that the target dominates
    "plan_budget": 10.0,  # bn yuan a year
}
Deed = dict[str, Any]
Stance = dict[str, list[float]]


def stance(model: DecouplingModel) -> Stance:
    """What each state has decided, to be compared with later."""
    return {name: getattr(model.states, name)[0].tolist() for name in LEAST_CHANGE}


def deeds_of_quarter(model: DecouplingModel, before: Stance, yours: Sequence[Event]) -> list[Deed]:
    """The deeds of the quarter that has just passed; states that do the same are listed together.

    `before` is each state's stance when it was last reported; it takes over what is reported now. `yours` are the
    events that were set on the page.
    """
    quarter = model.quarter - 1
    deeds: dict[tuple[str, str], Deed] = {}

    def report(who: str, what: str, why: str, own: bool = False, on: Sequence[str] = ()) -> None:
        deed = deeds.setdefault((what, why), {"quarter": quarter_name(quarter), "who": [], "what": what, "why": why})
        deed["who"].append(who)
        deed["yours"], deed["on"] = own, on

    acted = set()
    for event in model.events:
        own = event in yours
        for text in _of_event(event, quarter, model.world):
            report(event.by, text, "You set it." if own else _why(event), own, [*(event.levers() or event.scope)])
            acted.add(event.by)
    now = stance(model)
    for name, least in LEAST_CHANGE.items():
        for state, (who, was, level) in enumerate(zip(model.roster.states, before[name], now[name], strict=True)):
            if abs(level - was) < least:
                continue
            before[name][state] = level
            if name != "announced_severity" or who not in acted:
                report(who, *_DECISIONS[name](model, state, was, level))
    return list(deeds.values())


def _of_event(event: Event, quarter: int, world: World) -> list[str]:
    scope = "everything" if "all" in event.scope else ", ".join(world.spoken(item) for item in event.scope)
    severity = _percent(event.severity or 0.0)
    if event.kind == "control":
        texts = []
        if event.lines:
            scope += f" for lines of {', '.join(world.spoken(segment) for segment in event.lines)}"
        if event.through:
            scope += f", through {', '.join(event.through)} too"
        if event.announced_quarter == quarter < event.quarter:
            texts.append(f"Announces to deny {severity} of {scope} from {quarter_name(event.quarter)} on.")
        if event.quarter == quarter:
            texts.append(f"Denies {severity} of {scope}.")
        if event.ended_quarter == quarter:
            texts.append(f"Ends its control of {event.date} on {scope}.")
        return texts
    if event.quarter != quarter:
        return []
    if event.kind == "truce":
        return [f"Lifts {severity} of its controls on {scope}."]
    if event.kind == "outage":
        until = quarter_name(event.ended_quarter)
        return [f"Loses {severity} of {', '.join(event.scope)} until {until}."]
    if event.kind in LEAVING:
        lines = ", ".join(leaving(event, world))
        return [f"Closes {lines} for good." if event.to is None else f"Moves {lines} to {event.to}."]
    if event.kind == "retaliation":
        return [f"Retaliates: denies {severity} of {scope}."]
    return [
        f"Sets {label(key)} to {of_unit(value, world.parameters[key].unit)}." for key, value in event.levers().items()
    ]


def _controls(model: DecouplingModel, state: int, was: float, now: float) -> tuple[str, str]:
    target = model.roster.states[model.roster.target]
    what = f"{_percent(now)} of its sales to {target} denied or announced, after {_percent(was)}."
    return f"{'Tightens' if now > was else 'Loosens'}: {what}", _why_it_controls(model, state)


def _why_it_controls(model: DecouplingModel, state: int) -> str:
    value, states, roster = model.parameters.value, model.states, model.roster
    if roster.roles[state] == "ally" and value("controls.alignment"):
        strength, stake = states.follow_strength[0, state], states.exposed_revenue[0, state]
        return (
            f"Takes over {_percent(strength)} of {roster.states[roster.lead]}'s severity: an alignment of "
            f"{_percent(value('controls.alignment'))}, and {_percent(stake)} of its suppliers' sales at stake."
        )
    mode = value("controls.mode")
    if mode == "fixed":
        severity, start = value("controls.severity"), value("controls.start")
        return f"A fixed severity of {_percent(severity)} from {start:g} on, announced a year ahead."
    if mode == "reactive" and value("controls.doctrine") == "preventive":
        closed = states.gap_closed[0, state]
        return f"Preventive: the target has closed {_percent(closed)} of its technology gap of 2020."
    if mode == "reactive":
        harm, loss = states.harm_expected[0, state], states.loss_expected[0, state]
        answer, wanted = states.retaliation_expected[0, state], states.wanted_severity[0, state]
        return (
            f"Doctrine {value('controls.doctrine')}: harm to the target {harm:.0f}, own firms' lost sales {loss:.0f}, "
            f"expected retaliation {answer:.0f} bn yuan a year, so it wants a severity of {_percent(wanted)}."
        )
    return f"Controls are in mode {mode}."


def _retaliation(model: DecouplingModel, state: int, was: float, now: float) -> tuple[str, str]:
    faced = model.states.faced_control[0, state]
    what = f"{_percent(now)} of the materials that it dominates, after {_percent(was)}."
    return (
        f"{'Retaliates: denies' if now > was else 'Eases its retaliation: denies'} {what}",
        f"It faces controls of a severity of {_percent(faced)}.",
    )


def _plan(model: DecouplingModel, state: int, was: float, now: float) -> tuple[str, str]:
    share, exposure = model.states.domestic_share[0, state], model.states.exposure[0, state]
    return (
        f"Plans {now:.0f} bn yuan a year of subsidies, after {was:.0f}.",
        f"Its domestic share is {_percent(share)}, and it expects to lose {_percent(exposure)} of its supplies.",
    )


_DECISIONS = {"announced_severity": _controls, "retaliation": _retaliation, "plan_budget": _plan}


def _why(event: Event) -> str:
    """Its reason as a sentence."""
    reason = event.reason or "on the config's list of dates"
    return reason[0].upper() + reason[1:].removesuffix(".") + "."


def _percent(part: Any) -> str:
    return f"{100 * part:.3g} %"
