"""Events: what happens on a date, as a config's [[event]] says it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_of
from sim.errors import nearest, written
from sim.scenario.values import check_values
from sim.world.evidence import Value, flatten
from sim.world.world import World

KINDS = ("control", "subsidy", "mandate", "truce", "retaliation", "outage", "lever")
EXPERTS = "experts"  # in a scope: nationals of the controlling state may not help
RIGHT = {  # with an example from the world at hand
    "date": "a date such as 2022-10-07",
    "announced": "a date such as 2022-10-07",
    "by": 'a state, such as "{lead}"',
    "target": 'a state, such as "{target}"',
    "kind": f"one of {', '.join(KINDS)}",
    "scope": 'a list of inputs and segments, such as ["{input}"], or ["all"]',
    "severity": "a number from 0 to 1",
    "low": "a number from 0 to 1",
    "high": "a number from 0 to 1",
    "amount": "a number from 0 to 2000, bn yuan a year",
    "set": 'a table such as {{ "subsidy.annual" = 200 }}',
    "reason": "a sentence",
}


_ALWAYS = {"date", "by", "target", "kind", "reason"}
_MEASURE = _ALWAYS | {"announced", "scope", "severity", "low", "high"}
TAKES: Mapping[Any, set[str]] = {  # the keys of each kind of event
    "control": _MEASURE,
    "truce": _MEASURE,
    "retaliation": _MEASURE,
    "outage": _MEASURE,
    "mandate": _ALWAYS | {"announced", "severity", "low", "high"},
    "subsidy": _ALWAYS | {"announced", "amount"},
    "lever": _ALWAYS | {"announced", "set"},
}
FIRST_ANNOUNCEMENT = datetime.date(2018, 1, 1)  # the timeline of controls begins in that year


class Event(BaseModel):
    """What happens on a date. `severity` is from 0 to 1, `amount` bn yuan a year.

    A control is in force from the quarter its date falls in. `low`, `high` and `reason` say how sure the severity is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: datetime.date
    announced: datetime.date | None = None
    by: str
    target: str | None = None
    kind: Literal["control", "subsidy", "mandate", "truce", "retaliation", "outage", "lever"]
    scope: tuple[str, ...] = ("all",)
    severity: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    low: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    high: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    amount: float | None = Field(default=None, ge=0, le=2000, allow_inf_nan=False)
    set: Mapping[str, Value] | None = None
    reason: str | None = None

    @property
    def quarter(self) -> int:
        """The first quarter in which it is in force, counted from 2020-Q1 = 0."""
        return quarter_of(self.date)

    @property
    def announced_quarter(self) -> int:
        return quarter_of(self.announced or self.date)

    def as_table(self) -> dict[str, Any]:
        """The event as its [[event]] in a config."""
        entry = self.model_dump(exclude_none=True)
        scope = list(entry.pop("scope"))
        if "scope" in TAKES[self.kind]:
            entry["scope"] = scope
        return entry

    def levers(self) -> Mapping[str, Value]:
        """The levers that this event sets from its date on."""
        if self.kind == "lever":
            return self.set or {}
        if self.kind == "subsidy":
            return {"subsidy.annual": self.amount or 0.0}
        if self.kind == "mandate":
            return {"mandate.domestic": self.severity or 0.0}
        return {}


def read_events(entries: Sequence[Mapping[str, Any]], where: str, world: World, problems: list[str]) -> list[Event]:
    events = []

    def right(key: str) -> str:
        return RIGHT[key].format(lead=world.lead, target=world.target, input=world.inputs[0])

    for number, entry in enumerate(entries, start=1):
        place = f"{where} {number}"
        entry = dict(entry)
        if isinstance(entry.get("scope"), str):
            entry["scope"] = [entry["scope"]]
        if isinstance(entry.get("set"), dict):
            entry["set"] = flatten(entry["set"], f"{place}: set")
        unknown = [key for key in entry if key not in Event.model_fields]
        if unknown:
            problems += [f"{place}: {key}: is not a known key{nearest(key, Event.model_fields)}" for key in unknown]
            continue
        wrong = [key for key, value in entry.items() if not _well_typed(key, value)]
        if wrong:
            problems += [f"{place}: {key} = {written(entry[key])}: must be {right(key)}" for key in wrong]
            continue
        taken = TAKES.get(entry.get("kind"))
        if taken is not None and (superfluous := [key for key in entry if key not in taken]):
            problems += [f"{place}: {key}: a {entry['kind']} takes no {key}; leave it out" for key in superfluous]
            continue
        try:
            event = Event(**entry)
        except ValidationError as fault:
            for error in fault.errors():
                key = str(error["loc"][0])
                if error["type"] == "missing":
                    problems.append(f"{place}: {key} is missing; it must be {right(key)}")
                else:
                    problems.append(f"{place}: {key} = {written(entry.get(key))}: must be {right(key)}")
            continue
        before = len(problems)
        _check_event(event, place, world, problems)
        if len(problems) == before:
            events.append(event)
    return events


def _well_typed(key: str, value: Any) -> bool:
    """Whether a value has the type that the grammar asks for, before pydantic converts it."""
    if key in ("date", "announced"):
        if isinstance(value, str):  # in JSON, and from a page
            return re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) is not None
        return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    if key in ("severity", "low", "high", "amount"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return key != "scope" or bool(value)


def _check_event(event: Event, place: str, world: World, problems: list[str]) -> None:
    states, target = world.states, world.target
    for key in ("by", "target"):
        state = getattr(event, key)
        if state is not None and state not in states:
            problems.append(
                f"{place}: {key} = {state!r}: is not a state of {world.name}{nearest(state, states)}; "
                f"states are {', '.join(states)}"
            )
    if not FIRST_YEAR <= event.date.year <= LAST_YEAR:
        problems.append(
            f"{place}: date = {event.date}: must lie in {FIRST_YEAR} to {LAST_YEAR}; "
            "what happened before is part of the world of 2020"
        )
    if event.announced and event.announced > event.date:
        problems.append(f"{place}: announced = {event.announced}: must not be later than date {event.date}")
    if event.kind in ("control", "truce", "mandate", "outage", "retaliation") and event.severity is None:
        problems.append(f"{place}: severity is missing; a {event.kind} needs one from 0 to 1")
    if event.announced and event.announced < FIRST_ANNOUNCEMENT:
        problems.append(f"{place}: announced = {event.announced}: must not be before {FIRST_ANNOUNCEMENT}")
    if (event.low is None) != (event.high is None):
        problems.append(f"{place}: low and high belong together; give both or none")
    if (
        event.severity is not None
        and event.low is not None
        and event.high is not None
        and not event.low <= event.severity <= event.high
    ):
        problems.append(f"{place}: severity = {event.severity}: must lie between low {event.low} and high {event.high}")
    if event.kind in ("control", "truce"):
        if event.by == target:
            problems.append(
                f"{place}: by = {event.by!r}: a {event.kind} comes from a state other than the target {target}"
            )
        if event.target not in (None, target) and event.target in states:
            problems.append(f"{place}: target = {event.target!r}: controls are against the target {target}")
    if event.kind in ("control", "truce", "retaliation"):
        known = ["all", *world.inputs, *world.segments]
        known += [] if event.kind == "retaliation" else [EXPERTS]
        for item in event.scope:
            if item not in known:
                problems.append(f"{place}: scope = {item!r}: is not an input or a segment{nearest(item, known)}")
    if event.kind == "retaliation" and event.target == target:
        problems.append(f"{place}: target = {event.target!r}: must be a state other than {target}, or left out")
    if event.kind in ("subsidy", "mandate", "retaliation") and event.by in states and event.by != target:
        problems.append(f"{place}: by = {event.by!r}: must be {target}; a {event.kind} is the target's")
    if event.kind == "subsidy" and event.amount is None:
        problems.append(f"{place}: amount is missing; a subsidy needs bn yuan a year")
    if event.kind == "outage":
        firms = world.column("chip_firms", "id")
        for item in event.scope:
            if item not in firms:
                problems.append(f"{place}: scope = {item!r}: an outage names chip firms by id{nearest(item, firms)}")
    if event.kind == "lever":
        if not event.set:
            problems.append(f'{place}: set is missing; a lever event needs set = {{ "subsidy.annual" = 200 }}')
        checked = check_values(event.set or {}, place, world, problems)
        for key in checked:
            if world.parameters[key].role != "lever":
                problems.append(f"{place}: set {key}: is not a lever; only levers can change during a run")
