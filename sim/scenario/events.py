"""Events: what happens on a date, as a config's [[event]] says it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.calendar import FIRST_YEAR, LAST_YEAR, QUARTERS_PER_YEAR, quarter_name, quarter_of, quarters_until
from sim.errors import nearest, with_article, written
from sim.scenario.makers import LEAVING, check_makers
from sim.scenario.values import check_values
from sim.world.evidence import Value, flatten
from sim.world.world import EXPERTS, World

KINDS = ("control", "subsidy", "mandate", "truce", "retaliation", "outage", *LEAVING, "lever")
RIGHT = {  # with an example from the world at hand
    "date": "a date such as 2022-10-07",
    "announced": "a date such as 2022-10-07",
    "until": "a date such as 2022-10-07",
    "by": 'a state, such as "{lead}"',
    "target": 'a state, such as "{target}"',
    "kind": f"one of {', '.join(KINDS)}",
    "scope": 'a list of inputs and segments, such as ["{input}"], or ["all"]',
    "through": 'a list of other states, such as ["{other}"]',
    "lines": 'a list of segments, such as ["{segment}"]',
    "to": 'a state, such as "{other}", or a chip firm',
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
    "control": _MEASURE | {"until", "through", "lines"},
    "truce": _MEASURE,
    "retaliation": _MEASURE,
    "outage": _MEASURE | {"until"},
    "closure": {"date", "by", "kind", "reason", "scope"},
    "move": {"date", "by", "kind", "reason", "scope", "to"},
    "withdrawal": _ALWAYS | {"to"},
    "mandate": _ALWAYS | {"announced", "severity", "low", "high"},
    "subsidy": _ALWAYS | {"announced", "amount"},
    "lever": _ALWAYS | {"announced", "set"},
}
DATES = ("date", "announced", "until")
LISTS = ("scope", "through", "lines")
OUTAGE_QUARTERS = QUARTERS_PER_YEAR  # of an outage that does not say how long it lasts
FIRST_ANNOUNCEMENT = datetime.date(2018, 1, 1)  # the timeline of controls begins in that year


class Event(BaseModel):
    """What happens on a date. `severity` is from 0 to 1, `amount` bn yuan a year.

    A control is in force from the quarter its date falls in, and if it ends, to the one before that of `until`. It
    binds sellers of the state it is by and of those it reaches `through`; with `lines` it is on inputs for the lines
    of these segments alone, whatever the threshold. `low`, `high` and `reason` say how sure the severity is.

    An outage hits the makers in its scope (`sim.scenario.makers`) for a year, or to the quarter before that of `until`.
    Chip firms in scope of a closure close for good, those of a move go on with their lines at `to`. In a withdrawal it
    is the firms headquartered in the state it is by that leave the `target`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: datetime.date
    announced: datetime.date | None = None
    until: datetime.date | None = None
    by: str
    target: str | None = None
    kind: Literal[
        "control",
        "subsidy",
        "mandate",
        "truce",
        "retaliation",
        "outage",
        "closure",
        "move",
        "withdrawal",
        "lever",
    ]
    scope: tuple[str, ...] = ("all",)
    through: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = None
    to: str | None = None
    severity: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    low: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    high: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    amount: float | None = Field(default=None, ge=0, le=2000, allow_inf_nan=False)
    set: Mapping[str, Value] | None = None
    reason: str | None = None

    def __hash__(self) -> int:
        return hash((self.date, self.by, self.kind, self.scope))  # `set` is a table and has none

    @property
    def quarter(self) -> int:
        """The first quarter in which it is in force, counted from 2020-Q1 = 0."""
        return quarter_of(self.date)

    @property
    def announced_quarter(self) -> int:
        return quarter_of(self.announced or self.date)

    @property
    def first_quarter(self) -> int:
        """The first quarter that may be another one for it: no run reads an event before it is announced."""
        return min(self.quarter, self.announced_quarter)

    @property
    def ended_quarter(self) -> int:
        """The first quarter in which it is in force no more; one after every run's last if it does not end."""
        if self.kind == "outage" and self.until is None:
            return self.quarter + OUTAGE_QUARTERS
        return quarter_of(self.until) if self.until else quarters_until(LAST_YEAR)

    def as_table(self, mode: Literal["python", "json"] = "python") -> dict[str, Any]:
        """The event as its [[event]] in a config, in JSON with dates as text."""
        entry = self.model_dump(mode=mode, exclude_none=True)
        given = {key: list(entry.pop(key)) for key in LISTS if key in entry}
        return entry | {key: names for key, names in given.items() if key in TAKES[self.kind]}

    def levers(self) -> Mapping[str, Value]:
        """The levers that this event sets from its date on."""
        if self.kind == "lever":
            return self.set or {}
        if self.kind == "subsidy":
            return {"subsidy.annual": self.amount or 0.0}
        if self.kind == "mandate":
            return {"mandate.domestic": self.severity or 0.0}
        return {}


def levers_by_quarter(events: Sequence[Event]) -> dict[int, dict[str, Value]]:
    """The levers that events set, by the quarter in which they do; of one quarter the later event holds."""
    found: dict[int, dict[str, Value]] = {}
    for event in events:
        if levers := event.levers():
            found.setdefault(event.quarter, {}).update(levers)
    return found


def read_events(entries: Sequence[Mapping[str, Any]], where: str, world: World, problems: list[str]) -> list[Event]:
    events = []
    known = Event.model_fields

    def right(key: str) -> str:
        other = next((state for state in world.states if state not in (world.lead, world.target)), world.lead)
        named = {"lead": world.lead, "target": world.target, "other": other}
        return RIGHT[key].format(**named, input=world.inputs[0], segment=world.segments[0])

    for number, entry in enumerate(entries, start=1):
        place = f"{where} {number}"
        entry = dict(entry)
        alone: dict[str, Any] = {key: [entry[key]] for key in LISTS if isinstance(entry.get(key), str)}
        entry |= alone
        if isinstance(entry.get("set"), dict):
            entry["set"] = flatten(entry["set"], f"{place}: set")
        unknown = [key for key in entry if key not in known]
        if unknown:
            problems += [f"{place}: {key}: is not a known key{nearest(key, known)}" for key in unknown]
            continue
        wrong = [key for key, value in entry.items() if not _well_typed(key, value)]
        if wrong:
            problems += [f"{place}: {key} = {written(entry[key])}: must be {right(key)}" for key in wrong]
            continue
        kind = entry.get("kind")
        taken = TAKES.get(kind) if isinstance(kind, str) else None
        if taken is not None and (superfluous := [key for key in entry if key not in taken]):
            kind = with_article(entry["kind"])
            problems += [f"{place}: {key}: {kind} takes no {key}; leave it out" for key in superfluous]
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
    if key in DATES:
        if isinstance(value, str):  # in JSON, and from a page
            return re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) is not None
        return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    if key in ("severity", "low", "high", "amount"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return key not in LISTS or bool(value)


def _check_event(event: Event, place: str, world: World, problems: list[str]) -> None:
    _check_states(event, place, world, problems)
    _check_dates(event, place, problems)
    _check_severity(event, place, problems)
    if event.kind in ("control", "truce", "retaliation"):
        _check_scope(event, place, world, problems)
    if event.kind in ("outage", *LEAVING) and event.by in world.states:
        check_makers(event, place, world, problems)
    if event.kind == "lever":
        if not event.set:
            problems.append(f'{place}: set is missing; a lever event needs set = {{ "subsidy.annual" = 200 }}')
        checked = check_values(event.set or {}, place, world, problems)
        for key in checked:
            if world.parameters[key].role != "lever":
                problems.append(f"{place}: set {key}: is not a lever; only levers can change during a run")


def _check_states(event: Event, place: str, world: World, problems: list[str]) -> None:
    states, target = world.states, world.target
    named = [("by", event.by), ("target", event.target), *(("through", state) for state in event.through or ())]
    for key, state in named:
        if state is not None and state not in states:
            problems.append(
                f"{place}: {key} = {state!r}: is not a state of {world.name}{nearest(state, states)}; "
                f"states are {', '.join(states)}"
            )
        elif key == "through" and state in (event.by, target):
            problems.append(
                f"{place}: through = {state!r}: must be a state other than the target {target} and the one that "
                f"decides, {event.by}"
            )
    if event.kind in ("control", "truce"):
        if event.by == target:
            problems.append(
                f"{place}: by = {event.by!r}: a {event.kind} comes from a state other than the target {target}"
            )
        if event.target not in (None, target) and event.target in states:
            problems.append(f"{place}: target = {event.target!r}: controls are against the target {target}")
    if event.kind == "retaliation" and event.target == target:
        problems.append(f"{place}: target = {event.target!r}: must be a state other than {target}, or left out")
    if event.kind in ("subsidy", "mandate", "retaliation") and event.by in states and event.by != target:
        problems.append(f"{place}: by = {event.by!r}: must be {target}; a {event.kind} is the target's")


def _check_dates(event: Event, place: str, problems: list[str]) -> None:
    if not FIRST_YEAR <= event.date.year <= LAST_YEAR:
        problems.append(
            f"{place}: date = {event.date}: must lie in {FIRST_YEAR} to {LAST_YEAR}; "
            "what happened before is part of the world of 2020"
        )
    if event.announced and event.announced > event.date:
        problems.append(f"{place}: announced = {event.announced}: must not be later than date {event.date}")
    if event.announced and event.announced < FIRST_ANNOUNCEMENT:
        problems.append(f"{place}: announced = {event.announced}: must not be before {FIRST_ANNOUNCEMENT}")
    if event.until and event.ended_quarter <= event.quarter:
        problems.append(
            f"{place}: until = {event.until}: must lie in a later quarter than date {event.date}, "
            f"{quarter_name(event.quarter)}; a run counts in quarters, so what ends in its first one is left out"
        )


def _check_severity(event: Event, place: str, problems: list[str]) -> None:
    if event.kind in ("control", "truce", "mandate", "outage", "retaliation") and event.severity is None:
        problems.append(f"{place}: severity is missing; {with_article(event.kind)} needs one from 0 to 1")
    if event.kind == "subsidy" and event.amount is None:
        problems.append(f"{place}: amount is missing; a subsidy needs bn yuan a year")
    if (event.low is None) != (event.high is None):
        problems.append(f"{place}: low and high belong together; give both or none")
    elif (
        event.severity is not None
        and event.low is not None
        and event.high is not None
        and not event.low <= event.severity <= event.high
    ):
        problems.append(f"{place}: severity = {event.severity}: must lie between low {event.low} and high {event.high}")


def _check_scope(event: Event, place: str, world: World, problems: list[str]) -> None:
    experts = [] if event.kind == "retaliation" else [EXPERTS]
    known = [*world.inputs, *world.segments, *experts]
    for item in event.scope:
        if item not in ("all", *known):
            problems.append(f"{place}: scope = {item!r}: is not an input or a segment{_meant(item, known, world)}")
    if "all" in event.scope and len(event.scope) > 1:
        others = ", ".join(item for item in event.scope if item != "all")
        problems.append(f'{place}: scope: "all" stands alone; leave it out, or leave out {others}')
    for segment in event.lines or ():
        if segment not in world.segments:
            hint = _meant(segment, world.segments, world)
            problems.append(f"{place}: lines = {segment!r}: is not a segment{hint}")
    if event.lines and (beside := [item for item in event.scope if item in (*world.segments, *experts)]):
        problems.append(
            f"{place}: lines: are for inputs, which lines are built and run with; {', '.join(beside)} in scope needs "
            "an event of its own"
        )


def _meant(word: str, known: Sequence[str], world: World) -> str:
    """A hint at the item that a word stands for, an everyday one too. Everything is never meant by a slip."""
    words = {plain: item for item in known for plain in (_plain(item), _plain(world.names.get(item, item)))}
    kinds = {kind: inputs for kind, inputs in world.kinds.items() if {*inputs} <= {*known}}
    words |= {_plain(each): item for each, item in world.words.items() if item in known or item in kinds}
    words |= {kind: kind for kind in kinds}
    near = get_close_matches(_plain(word), words, n=1, cutoff=0.7)
    meant = "all" if _plain(word) == "all" else words[near[0]] if near else None
    if meant in kinds:
        return f"; name what is meant: {', '.join(kinds[meant])}"
    return f" (did you mean {meant!r}?)" if meant else ""


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", " ", word).strip().lower()
