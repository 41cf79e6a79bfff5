"""A scenario: all that a run depends on but its seed, checked, frozen and hashed."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from sim.calendar import FIRST_YEAR
from sim.errors import BadInput
from sim.scenario.events import DATES, Event, read_events
from sim.scenario.values import WORLD_SALES, check_values, split_given
from sim.world.evidence import Value, flatten
from sim.world.world import World, load_world


@dataclass(frozen=True, repr=False)
class Scenario:
    """All that a run needs but its seed. `values` holds every key of the evidence.

    `given` is what was observed and is not worked out: rows such as "demand.world_sales.2021", in order of key.
    """

    name: str
    purpose: str
    world: World
    values: Mapping[str, Value]
    events: tuple[Event, ...]
    file: str
    given: Mapping[str, float] = MappingProxyType({})

    def __post_init__(self) -> None:
        for name in ("values", "given"):  # read only, and nobody else's
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        if (sales := self.observed(WORLD_SALES)) and str(FIRST_YEAR) not in sales:
            raise BadInput(f"{self.file}: {WORLD_SALES}.{FIRST_YEAR} is missing; growth is counted from that year")

    def __reduce__(self) -> tuple[Any, ...]:
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return Scenario, tuple({**held, "values": dict(self.values), "given": dict(self.given)}.values())

    def with_values(self, changes: Mapping[str, object]) -> Scenario:
        """The same scenario with some keys changed; BadInput for an unknown key or a value that does not fit."""
        if not changes:
            return self
        problems: list[str] = []
        given, others = split_given(flatten(changes, "--set"), "--set", problems)
        checked = check_values(others, "--set", self.world, problems)
        if problems:
            raise BadInput(problems)
        return replace(
            self,
            values={**self.values, **checked},
            given=dict(sorted({**self.given, **given}.items())),
        )

    def observed(self, table: str) -> dict[str, float]:
        """The rows of a table of what was observed, by their year or date."""
        return {key.rpartition(".")[2]: value for key, value in self.given.items() if key.startswith(f"{table}.")}

    def with_event(self, entry: Mapping[str, Any]) -> Scenario:
        """The same scenario with one more event, given as the table of an [[event]]; in order of date, as in a file."""
        problems: list[str] = []
        events = read_events([dict(entry)], "event", self.world, problems)
        if problems:
            raise BadInput(problems)
        return replace(self, events=tuple(sorted((*self.events, *events), key=lambda event: event.date)))

    @property
    def frame(self) -> tuple[str, tuple[Event, ...], bool]:
        """What the runs of a block must share: the world, the events but for levers, and whether firms may enter."""
        shared = tuple(event for event in self.events if not event.levers())
        return self.world.id, shared, bool(self.values["mechanisms.entry"])

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
            "events": [event.as_table("json") for event in self.events],
            "given": dict(self.given),
        }

    def __repr__(self) -> str:
        return f"<config {self.name}: {self.purpose}>"

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], file: str) -> Scenario:
        """The scenario that a manifest keeps; BadInput where it does not fit this version."""
        problems: list[str] = []
        world = load_world(kept["world"])
        values = check_values(kept["values"], file, world, problems)
        if lacking := [key for key in world.parameters if key not in kept["values"]]:
            problems.append(f"{file}: values: {lacking[0]} is missing; another version made this, so run it again")
        entries = [
            {key: _as_date(value) if key in DATES else value for key, value in event.items()}
            for event in kept["events"]
        ]
        events = read_events(entries, f"{file}: event", world, problems)
        given, _ = split_given(kept["given"], file, problems)
        if problems:
            raise BadInput(problems)
        return cls(kept["name"], kept["purpose"], world, values, tuple(events), file, given)

    @property
    def hash(self) -> str:
        """What the results depend on: the values, the events and the world's tables (not name or purpose)."""
        content = self.as_dict()
        del content["name"], content["purpose"]
        content["world"] = self.world.hash
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _as_date(kept: Any) -> Any:
    """A date from its text; what is none is left for the reader of events to refuse."""
    try:
        return datetime.date.fromisoformat(kept)
    except (TypeError, ValueError):
        return kept
