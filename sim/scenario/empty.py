"""Dated events that deny nothing, or nothing of a part of their scope, by the world's tables and without a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sim.scenario.events import Event
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value
from sim.world.world import EXPERTS, World

Possible = Mapping[str, Collection[Value]]  # by key, the values that it has in some run or at some date


def empty(scenario: Scenario, in_force: Sequence[Event], values: Possible) -> list[str]:
    """A sentence for each event, or part of its scope, that denies nothing. `in_force` are those that count."""
    return [
        f"{scenario.file}: event {event.date}, {event.kind} by {event.by}: {fault}"
        for event in in_force
        for fault in faults(event, in_force, scenario.world, values)
    ]


def faults(event: Event, events: Sequence[Event], world: World, values: Possible) -> list[str]:
    """Why an event, or a part of its scope, does nothing among those in force; none where all of it acts."""
    if event.severity == 0 and not _ends_an_answer(event, events):
        return ["has no effect: its severity is 0"]
    if event.kind == "control":
        return _of_control(event, world, values) or _under_another(event, events)
    if event.kind == "retaliation":
        return _of_scope(event, {item: _not_withheld(item, event, world) for item in _items(event, world)})
    if event.kind == "truce" and not _takes_back(event, events, values):
        return [f"takes back nothing: no control by {event.by} on its scope is in force"]
    return []


def _items(event: Event, world: World) -> Sequence[str]:
    """What is in scope, item by item."""
    return (
        event.scope if "all" not in event.scope else world.inputs if event.lines else [*world.inputs, *world.segments]
    )


def _of_scope(event: Event, lacking: Mapping[str, str]) -> list[str]:
    """What is said of items by what they lack: one sentence for all with the same; of "all", if it is empty alone."""
    if "all" in event.scope and not all(lacking.values()):
        return []
    items: dict[str, list[str]] = {}
    for item, reason in lacking.items():
        items.setdefault(reason, []).append(item)
    return [f"denies nothing of {', '.join(each)}: {reason}" for reason, each in items.items() if reason]


# Controls.


def _of_control(event: Event, world: World, values: Possible) -> list[str]:
    """By who sells what is in scope, by what of it lies above a threshold, and by the lines that there are."""
    if not any(values["controls.severity"]):
        return ["denies nothing: controls.severity is 0"]
    bound = [event.by, *(event.through or ())]
    if event.by == world.lead and any(values["controls.alignment"]):
        bound += [state for state in world.controllers if state not in bound]  # the allies follow
    lines = _lines(world, values)
    faults = {item: _not_reached(item, event, bound, lines, world, values) for item in _items(event, world)}
    missing = [segment for segment in event.lines or () if segment not in lines]
    return [
        *_of_scope(event, faults),
        *(f"denies nothing for lines of {segment}: nobody in {world.target} makes it" for segment in missing),
    ]


def _not_reached(
    item: str, event: Event, bound: Sequence[str], lines: Collection[str], world: World, values: Possible
) -> str:
    """Why a control reaches nothing of an item; nothing if it does."""
    if item == EXPERTS:
        return "" if any(values["talent.foreign_part"]) else "talent.foreign_part is 0"
    if item in world.inputs:
        sold = any(row["headquarters"] in bound and row["share"] for row in _rows(world, "suppliers", "input", item))
        exposed = bool(event.lines) or any(_exposure(world, segment, "control_exposure") for segment in lines)
    else:
        sold = bool(_makers(world, item, bound))
        exposed = _exposure(world, item, "chip_exposure") > 0
    if not sold:
        return f"nobody of {', '.join(bound)} sells it to {world.target}; through = [...] binds sellers elsewhere"
    return "" if exposed or "all" in event.scope else "none of it lies above the technical threshold"


def _under_another(event: Event, events: Sequence[Event]) -> list[str]:
    """Whether one other control is at least as strict on all of it, from no later on and for as long."""
    for other in events[: _place(event, events)]:
        if other.kind == "control" and _covers(other, event) and not _truce_between(other, event, events):
            return [f"adds nothing to the control of {other.date}, which is as strict on all of it"]
    return []


def _place(event: Event, events: Sequence[Event]) -> int:
    """Where this very event stands; comparing what events say takes long."""
    return next(place for place, each in enumerate(events) if each is event)


def _covers(other: Event, event: Event) -> bool:
    everything = "all" in other.scope
    return (
        other.by == event.by
        and float(other.severity or 0.0) >= float(event.severity or 0.0)
        and other.announced_quarter <= event.announced_quarter
        and other.ended_quarter >= event.ended_quarter
        and (everything or {*event.scope} <= {*other.scope})
        and {*(event.through or ())} <= {*(other.through or ())}
        and ({*(event.lines or ())} <= {*other.lines} if other.lines else everything or not event.lines)
        and bool(event.lines or not other.lines)
    )


def _truce_between(other: Event, event: Event, events: Sequence[Event]) -> bool:
    between = events[_place(other, events) : _place(event, events)]
    return any(each.kind == "truce" and each.by == event.by for each in between)


def _takes_back(truce: Event, events: Sequence[Event], values: Possible) -> bool:
    """Whether there may be something to take back: a control on a date, or what a reactive state has decided."""
    return "reactive" in values["controls.mode"] or any(
        event.kind == "control"
        and event.by == truce.by
        and event.quarter <= truce.quarter < event.ended_quarter
        and bool({"all"} & {*event.scope, *truce.scope} or {*event.scope} & {*truce.scope})
        for event in events
    )


# Answers to them.


def _ends_an_answer(event: Event, events: Sequence[Event]) -> bool:
    """Whether a retaliation of severity 0 takes back an earlier one: of those on an item the latest holds."""
    return event.kind == "retaliation" and any(
        other.kind == "retaliation"
        and other.severity
        and other.quarter <= event.quarter
        and events.index(other) < events.index(event)
        and other.target in (event.target, None)
        and bool({*other.scope} & {*event.scope})
        for other in events
    )


def _not_withheld(item: str, event: Event, world: World) -> str:
    """Why an answer of the target denies nothing of an item; nothing if it does."""
    against = [event.target] if event.target else world.controllers
    if item in world.segments:
        if "all" in event.scope:
            return "makers are barred by segment"
        return "" if _makers(world, item, against) else f"nobody of {', '.join(against)} sells it to {world.target}"
    shares = {row["headquarters"]: row["share"] for row in _rows(world, "suppliers", "input", item)}
    dominated = item in world.kinds["material"] and max(shares, key=lambda state: shares[state]) == world.target
    return "" if dominated else f"it is no material of which {world.target} sells most"


# What the tables hold.


def _rows(world: World, table: str, column: str, value: str) -> list[Mapping[str, float | str]]:
    return [row for row in world.rows[table] if row[column] == value]


def _exposure(world: World, segment: str, column: str) -> float:
    (row,) = _rows(world, "segments", "id", segment)
    return float(row[column])


def _makers(world: World, segment: str, states: Collection[str | None]) -> bool:
    """Whether firms headquartered in some of the states sell a segment to the target from elsewhere."""
    rows = _rows(world, "chip_firms", "segment", segment)
    return any(row["headquarters"] in states and row["site"] != world.target for row in rows)


def _lines(world: World, values: Possible) -> set[str]:
    """The segments of which there are lines in the target, or may come to be."""
    rows = [*world.rows["chip_firms"], *(world.rows["entrants"] if any(values["mechanisms.entry"]) else ())]
    return {row["segment"] for row in rows if row["site"] == world.target}
