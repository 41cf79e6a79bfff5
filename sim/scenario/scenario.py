"""A scenario: the complete, sourced baseline with a sparse override, checked, frozen and hashed."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.errors import BadInput, none_such, written
from sim.folders import CONFIGS, WORLDS, find, known, places
from sim.scenario.events import Event, read_events
from sim.scenario.values import TOP_LEVEL, WORLD_KEYS, check_values
from sim.world.evidence import Value, flatten, read_toml
from sim.world.lumped import LUMPED
from sim.world.synthetic import SYNTHETIC, check_options, synthetic_id
from sim.world.world import DEFAULT_WORLD, World, known_worlds, load_world, world_folder

BASELINE = "published-2020"  # the complete, sourced config that others differ from
MARKET = "demand.market_bn_usd."  # a row gives a year's actual market, and the run is conditional on it


@dataclass(frozen=True)
class Scenario:
    """All that a run needs but its seed. `values` holds every key of the evidence."""

    name: str
    purpose: str
    world: World
    values: Mapping[str, Value]
    events: tuple[Event, ...]
    file: str
    given_market: tuple[tuple[int, float], ...] = ()  # (year, the target's chip market in bn USD at current prices)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))  # read only, and nobody else's

    def __reduce__(self) -> tuple[Any, ...]:
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return Scenario, tuple({**held, "values": dict(self.values)}.values())

    def with_values(self, changes: Mapping[str, object]) -> Scenario:
        """The same scenario with some keys changed; BadInput for an unknown key or a value that does not fit."""
        if not changes:
            return self
        problems: list[str] = []
        market, others = _split_market(flatten(changes, "--set"), "--set", problems)
        checked = check_values(others, "--set", self.world, problems)
        if problems:
            raise BadInput(problems)
        return replace(
            self,
            values={**self.values, **checked},
            given_market=_by_year({**dict(self.given_market), **market}),
        )

    def with_event(self, entry: Mapping[str, Any]) -> Scenario:
        """The same scenario with one more event, given as the table of an [[event]]; in order of date, as in a file."""
        problems: list[str] = []
        events = read_events([dict(entry)], "event", self.world, problems)
        if problems:
            raise BadInput(problems)
        return replace(self, events=tuple(sorted((*self.events, *events), key=lambda event: event.date)))

    @property
    def frame(self) -> tuple[str, tuple[Event, ...], bool]:
        """What the runs of a block must share: the world, the events, and whether firms may enter."""
        return self.world.id, self.events, bool(self.values["mechanisms.entry"])

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
        values = dict(self.values)
        for name, parameter in self.world.parameters.items():
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
            "world": self.world.id,
            "values": dict(self.values),
            "events": [event.model_dump(mode="json", exclude_none=True) for event in self.events],
            "given_market": {str(year): market for year, market in self.given_market},
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], file: str) -> Scenario:
        """The scenario that a manifest keeps; BadInput where it does not fit this version."""
        problems: list[str] = []
        world = load_world(kept["world"])
        values = check_values(kept["values"], file, world, problems)
        dates = ("date", "announced")
        entries = [
            {key: datetime.date.fromisoformat(value) if key in dates else value for key, value in event.items()}
            for event in kept["events"]
        ]
        events = read_events(entries, f"{file}: event", world, problems)
        if problems:
            raise BadInput(problems)
        market = _by_year({int(year): value for year, value in kept.get("given_market", {}).items()})
        return cls(kept["name"], kept["purpose"], world, values, tuple(events), file, market)

    @property
    def hash(self) -> str:
        """What the results depend on: the values, the events and the world's tables (not name or purpose)."""
        content = self.as_dict()
        del content["name"], content["purpose"]
        content["world"] = self.world.hash
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def config_path(name: str | Path) -> Path:
    """A config by path or by its name in a `configs/`, the nearest first; BadInput if there is none."""
    path = Path(name)
    if path.suffix == ".toml" or (path.exists() and not path.is_dir()):
        return path
    named = find(CONFIGS, f"{name}.toml")
    if named is None:
        raise BadInput(f"{name}: {none_such('config', name, known_configs(), places(CONFIGS))}")
    return named


def known_configs() -> list[str]:
    return known(CONFIGS)


def load_config(name: str | Path, set: Mapping[str, object] | None = None) -> Scenario:
    """Read a config with all that it extends.

    `set` holds further changes by key, nested or dotted. Raises BadInput with every fault at once.
    """
    if not str(name).strip():
        raise BadInput(f"config = {str(name)!r}: must be a name in configs/ or a path")
    path = config_path(name)
    chain = _chain(path)
    changes = flatten(set or {}, "--set")
    world = load_world(
        _chosen_world([*((str(file), flatten(content, str(file))) for file, content in chain), ("--set", changes)])
    )
    problems: list[str] = []
    values: dict[str, Value] = {key: parameter.value for key, parameter in world.parameters.items()}
    market: dict[int, float] = {}
    for file, content in chain:
        keys = {key: value for key, value in content.items() if key not in TOP_LEVEL}
        given, others = _split_market(flatten(keys, str(file)), str(file), problems)
        market.update(given)
        values.update(check_values(others, str(file), world, problems))
    keys = {key: value for key, value in changes.items() if key.partition(".")[0] not in WORLD_KEYS}
    given, others = _split_market(keys, "--set", problems)
    market.update(given)
    values.update(check_values(others, "--set", world, problems))
    events: list[Event] = []
    for file, content in chain:
        entries = content.get("event", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            problems.append(f"{file}: event: must be tables written [[event]]")
            continue
        events += read_events(entries, f"{file}: event", world, problems)
    purpose = chain[-1][1].get("purpose")
    if not isinstance(purpose, str) or not purpose.strip():
        problems.append(f"{path}: purpose is missing; say in a sentence what the config is for")
    if problems:
        raise BadInput(problems)
    events.sort(key=lambda event: event.date)
    return Scenario(
        path.stem,
        str(purpose),
        world,
        values,
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
        raise BadInput(f"{where}: world = {name!r}: {none_such('world', name, known_worlds(), places(WORLDS))}")
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
        named = sibling if sibling.exists() else Path(base) if Path(base).is_file() else find(CONFIGS, f"{base}.toml")
        if named is None:
            none = none_such("config", base, known_configs(), places(CONFIGS))
            raise BadInput(f"{following}: extends = {base!r}: {none}")
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
