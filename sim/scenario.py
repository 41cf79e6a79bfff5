"""A scenario: the complete, sourced baseline with a sparse override, checked, frozen and hashed."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.evidence import Value, flatten, read_toml
from sim.lumped import LUMPED
from sim.synthetic import SYNTHETIC, check_options, synthetic_id
from sim.vocabulary import DEFAULT_WORLD, FIRST_YEAR, LAST_YEAR, BadInput, nearest, project_root, quarter_of, written
from sim.world import World, known_worlds, load_world, parameters, world_folder

KINDS = ("control", "subsidy", "mandate", "truce", "retaliation", "outage", "lever")
EXPERTS = "experts"  # in a scope: nationals of the controlling state may not help
WORLD_KEYS = ("world", LUMPED, SYNTHETIC)  # which world: its name, whether its firms are merged, how it is generated
TOP_LEVEL = ("purpose", "extends", "event", *WORLD_KEYS)
MARKET = "demand.market_bn_usd."  # a row gives a year's actual market, and the run is conditional on it
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
    """What happens on a date. `severity` is a part from 0 to 1, `amount` bn yuan a year.

    A control is in force from the quarter its date falls in. `low`, `high` and `reason`: how sure the severity is.
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

    def levers(self) -> Mapping[str, Value]:
        """The levers that this event sets from its date on."""
        if self.kind == "lever":
            return self.set or {}
        if self.kind == "subsidy":
            return {"subsidy.annual": self.amount or 0.0}
        if self.kind == "mandate":
            return {"mandate.domestic": self.severity or 0.0}
        return {}


@dataclass(frozen=True)
class Scenario:
    """All that a run needs but its seed. `values` holds every key of the evidence; `world` is for `load_world`."""

    name: str
    purpose: str
    world: str
    values: Mapping[str, Value]
    events: tuple[Event, ...]
    file: str
    given_market: tuple[tuple[int, float], ...] = ()  # (year, the target's chip market in bn USD at current prices)

    def with_values(self, changes: Mapping[str, object]) -> Scenario:
        """The same scenario with some keys changed; BadInput for an unknown key or a value that does not fit."""
        if not changes:
            return self
        problems: list[str] = []
        market, others = _split_market(flatten(changes, "--set"), "--set", problems)
        checked = _check_values(others, "--set", load_world(self.world), problems)
        if problems:
            raise BadInput(problems)
        return replace(
            self,
            values=MappingProxyType({**self.values, **checked}),
            given_market=_by_year({**dict(self.given_market), **market}),
        )

    def with_event(self, entry: Mapping[str, Any]) -> Scenario:
        """The same scenario with one more event, given as the table of an [[event]]; in order of date, as in a file."""
        problems: list[str] = []
        events = _read_events([dict(entry)], "event", load_world(self.world), problems)
        if problems:
            raise BadInput(problems)
        return replace(self, events=tuple(sorted((*self.events, *events), key=lambda event: event.date)))

    @property
    def frame(self) -> tuple[str, tuple[Event, ...], bool]:
        """What the runs of a block must share: the world, the events, and whether firms may enter."""
        return self.world, self.events, bool(self.values["mechanisms.entry"])

    @property
    def idle_events(self) -> str | None:
        """A sentence about dated controls that this scenario does not put in force, or None."""
        mode = self.values["controls.mode"]
        idle = sum(event.kind in ("control", "truce", "retaliation") for event in self.events)
        if not idle or mode in ("events", "reactive"):
            return None
        return (
            f"{self.file}: the dated controls, truces and retaliations (events: {idle}) are not in force: "
            f'controls.mode is "{mode}", and they need "events" (or "reactive")'
        )

    def effective(self) -> dict[str, Value]:
        """The values with every switched-off mechanism's parameters at their neutral value."""
        declared = parameters(self.world)
        values = dict(self.values)
        for name, parameter in declared.items():
            if (
                parameter.mechanism
                and parameter.neutral is not None
                and not values[f"mechanisms.{parameter.mechanism}"]
            ):
                values[name] = parameter.neutral
        return values

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "purpose": self.purpose,
            "world": self.world,
            "values": dict(self.values),
            "events": [event.model_dump(mode="json", exclude_none=True) for event in self.events],
            "given_market": {str(year): market for year, market in self.given_market},
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], file: str) -> Scenario:
        """The scenario that a manifest keeps; BadInput where it does not fit this version."""
        problems: list[str] = []
        world = load_world(kept["world"])
        values = _check_values(kept["values"], file, world, problems)
        dates = ("date", "announced")
        entries = [
            {key: datetime.date.fromisoformat(value) if key in dates else value for key, value in event.items()}
            for event in kept["events"]
        ]
        events = _read_events(entries, f"{file}: event", world, problems)
        if problems:
            raise BadInput(problems)
        market = _by_year({int(year): value for year, value in kept.get("given_market", {}).items()})
        return cls(kept["name"], kept["purpose"], kept["world"], MappingProxyType(values), tuple(events), file, market)

    @property
    def hash(self) -> str:
        """What the results depend on: the values, the events and the world's tables (not name or purpose)."""
        content = self.as_dict()
        del content["name"], content["purpose"]
        content["world"] = load_world(self.world).hash
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def config_path(name: str | Path) -> Path:
    """A config by path or by its name in `configs/`."""
    path = Path(name)
    if path.suffix == ".toml" or (path.exists() and not path.is_dir()):
        return path
    return project_root() / "configs" / f"{name}.toml"


def known_configs() -> list[str]:
    return sorted(path.stem for path in (project_root() / "configs").glob("*.toml"))


def load_config(name: str | Path, set: Mapping[str, object] | None = None) -> Scenario:
    """Read a config with all that it extends.

    `set` holds further changes by key, nested or dotted. Raises BadInput with every fault at once.
    """
    if not str(name).strip():
        raise BadInput(f"config = {str(name)!r}: must be a name in configs/ or a path")
    path = config_path(name)
    if not path.exists() and path.suffix == ".toml" and not str(name).endswith(".toml"):
        raise BadInput(
            f"{name}: there is no such config{nearest(name, known_configs())}; "
            f"known configs are {', '.join(known_configs())}"
        )
    chain = _chain(path)
    changes = flatten(set or {}, "--set")
    world_name = _chosen_world(
        [*((str(file), flatten(content, str(file))) for file, content in chain), ("--set", changes)]
    )
    world = load_world(world_name)
    problems: list[str] = []
    values: dict[str, Value] = {key: parameter.value for key, parameter in world.parameters.items()}
    market: dict[int, float] = {}
    for file, content in chain:
        keys = {key: value for key, value in content.items() if key not in TOP_LEVEL}
        given, others = _split_market(flatten(keys, str(file)), str(file), problems)
        market.update(given)
        values.update(_check_values(others, str(file), world, problems))
    keys = {key: value for key, value in changes.items() if key.partition(".")[0] not in WORLD_KEYS}
    given, others = _split_market(keys, "--set", problems)
    market.update(given)
    values.update(_check_values(others, "--set", world, problems))
    events: list[Event] = []
    for file, content in chain:
        entries = content.get("event", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            problems.append(f"{file}: event: must be tables written [[event]]")
            continue
        events += _read_events(entries, f"{file}: event", world, problems)
    purpose = chain[-1][1].get("purpose")
    if not isinstance(purpose, str) or not purpose.strip():
        problems.append(f"{path}: purpose is missing; say in a sentence what the config is for")
    if problems:
        raise BadInput(problems)
    events.sort(key=lambda event: event.date)
    return Scenario(
        path.stem,
        str(purpose),
        world_name,
        MappingProxyType(values),
        tuple(events),
        str(path),
        _by_year(market),
    )


def _chosen_world(given: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The world that the flat contents choose together, the later before the earlier, as `load_world` takes it."""
    chosen: dict[str, tuple[Any, str]] = {}
    for where, content in given:
        for key, value in content.items():
            if key.partition(".")[0] in WORLD_KEYS:
                chosen[key] = (value, where)
    name, where = chosen.pop("world", (DEFAULT_WORLD, ""))
    if not isinstance(name, str):
        raise BadInput(f"{where}: world = {written(name)}: must be the name of a folder in configs/worlds")
    is_named = Path(name).name not in ("", "..")  # a world is called as its folder is
    if name not in known_worlds() and not (is_named and world_folder(name).is_dir()):
        raise BadInput(
            f"{where}: world = {name!r}: there is no such world{nearest(name, known_worlds())}; "
            f"known worlds are {', '.join(known_worlds())}"
        )
    merged, where = chosen.pop(LUMPED, (False, ""))
    problems: list[str] = []
    if not isinstance(merged, bool):
        problems.append(f"{where}: {LUMPED} = {written(merged)}: must be true or false")
    if name == SYNTHETIC:
        options = check_options(chosen, problems)
    else:
        problems += [
            f'{where}: {key}: belongs to world = "{SYNTHETIC}"; the world is {name!r}'
            for key, (_, where) in chosen.items()
        ]
    if problems:
        raise BadInput(problems)
    if name == SYNTHETIC:
        name = synthetic_id(**options)
    return f"{name}:{LUMPED}" if merged else name


def _chain(path: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The config and what it extends, the most basic first."""
    chain: list[tuple[Path, dict[str, Any]]] = []
    seen: list[Path] = []
    following: Path | None = path
    while following is not None:
        if following.resolve() in seen:
            raise BadInput(f"{chain[-1][0]}: extends = {following.stem!r}: the config extends itself; name another one")
        seen.append(following.resolve())
        content = read_toml(following)
        chain.append((following, content))
        base = content.get("extends")
        if base is None:
            break
        if not isinstance(base, str):
            raise BadInput(f"{following}: extends = {base!r}: must be the name of a config")
        sibling = following.parent / f"{base}.toml"
        named = sibling if sibling.exists() else config_path(base)
        if not named.exists():
            raise BadInput(
                f"{following}: extends = {base!r}: there is no such config{nearest(base, known_configs())}; "
                f"known configs are {', '.join(known_configs())}"
            )
        following = named
    return chain[::-1]


def _by_year(market: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted(market.items()))


def _split_market(given: Mapping[str, Any], where: str, problems: list[str]) -> tuple[dict[int, float], dict[str, Any]]:
    """The rows of [demand.market_bn_usd], checked, and all other keys."""
    market: dict[int, float] = {}
    others = dict(given)
    for key, value in given.items():
        if not key.startswith(MARKET):
            continue
        del others[key]
        year = key.removeprefix(MARKET)
        if year not in map(str, range(FIRST_YEAR + 1, LAST_YEAR + 1)):
            problems.append(f"{where}: {key}: must be a year from {FIRST_YEAR + 1} to {LAST_YEAR}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 10_000:
            problems.append(f"{where}: {key} = {written(value)}: must be a number from 1 to 10000 (bn USD a year)")
        else:
            market[int(year)] = float(value)
    return market, others


def _check_values(given: Mapping[str, Any], where: str, world: World, problems: list[str]) -> dict[str, Value]:
    declared = world.parameters
    good: dict[str, Value] = {}
    for key, value in given.items():
        if key.partition(".")[0] in WORLD_KEYS:
            problems.append(f"{where}: {key}: chooses the world, which is chosen when a config is loaded")
            continue
        if key in TOP_LEVEL:
            problems.append(f"{where}: {key}: stands in a config's file and nowhere else; make a config for it")
            continue
        if key not in declared:
            inside = [name for name in declared if name.startswith(f"{key}.")]
            if inside:
                problems.append(
                    f"{where}: {key} = {written(value)}: must be a table [{key}] with keys such as {inside[0]}"
                )
            else:
                problems.append(f"{where}: {key}: is not a known key{nearest(key, [*declared, *TOP_LEVEL])}")
            continue
        fault = declared[key].check(value)
        if fault:
            problems.append(f"{where}: {key} = {written(value)}: {fault}")
            continue
        good[key] = float(value) if isinstance(value, Real) and not isinstance(value, bool) else value
    return good


def _read_events(entries: Sequence[Mapping[str, Any]], where: str, world: World, problems: list[str]) -> list[Event]:
    events = []

    def right(key: str) -> str:
        return RIGHT[key].format(
            lead=_state_of(world, "lead"), target=_state_of(world, "target"), input=world.rows["inputs"][0]["id"]
        )

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
    """Whether a value is of the kind that the grammar means, before pydantic reads more into it."""
    if key in ("date", "announced"):
        if isinstance(value, str):  # in JSON, and from a page
            return re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) is not None
        return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    if key in ("severity", "low", "high", "amount"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return key != "scope" or bool(value)


def _state_of(world: World, role: str) -> str:
    return next(row["id"] for row in world.rows["states"] if row["role"] == role)


def _check_event(event: Event, place: str, world: World, problems: list[str]) -> None:
    states = world.column("states", "id")
    roles = dict(zip(states, world.column("states", "role"), strict=True))
    target = _state_of(world, "target")
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
        if event.by in roles and roles[event.by] == "target":
            problems.append(
                f"{place}: by = {event.by!r}: a {event.kind} comes from a state other than the target {target}"
            )
        if event.target not in (None, target) and event.target in states:
            problems.append(f"{place}: target = {event.target!r}: controls are against the target {target}")
    if event.kind in ("control", "truce", "retaliation"):
        known = ["all", *world.column("inputs", "id"), *world.column("segments", "id")]
        known += [] if event.kind == "retaliation" else [EXPERTS]
        for item in event.scope:
            if item not in known:
                problems.append(f"{place}: scope = {item!r}: is no input or segment{nearest(item, known)}")
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
        checked = _check_values(event.set or {}, place, world, problems)
        for key in checked:
            if world.parameters[key].role != "lever":
                problems.append(f"{place}: set {key}: is not a lever; only levers can change during a run")
