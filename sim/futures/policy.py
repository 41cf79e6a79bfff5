"""A policy: what is changed in a config from a quarter on, as dated events of the project's one grammar."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name, quarter_start, quarters_until, year_of
from sim.errors import BadInput, nearest, written
from sim.futures.levers import levers
from sim.scenario.held import Entry, kept, setting, values_at
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value

FROM = tuple(quarters_until(year - 1) for year in range(FIRST_YEAR + 1, LAST_YEAR))  # first quarters that may be chosen
_FROM_NAME = re.compile(r"(\d{4})-Q1", re.ASCII)
MOST_ACTS = 50


@dataclass(frozen=True)
class Policy:
    """Levers that take a value in the quarter `start` and keep it, and acts: events without a date, which happen then.

    Raises BadInput for what the config does not take.
    """

    scenario: Scenario
    start: int
    set: Mapping[str, Value] = field(default_factory=dict)
    acts: Sequence[Entry] = ()

    def __post_init__(self) -> None:
        self._changed  # noqa: B018  so that a bad policy is found when it is made

    @cached_property
    def events(self) -> tuple[Entry, ...]:
        """The policy as tables of [[event]]; none where it changes nothing."""
        own = values_at(self.scenario, self.start)
        moved = {key: value for key, value in sorted(self.set.items()) if value != own[key]}
        mode = moved.get("controls.mode", own["controls.mode"])
        is_moved = mode == "fixed" and not moved.keys().isdisjoint({"controls.mode", "controls.severity"})
        if is_moved and float(own["controls.start"]) > year_of(self.start):
            moved["controls.start"] = float(FIRST_YEAR)  # in force at once, not from a later year on
        day = quarter_start(self.start)
        levers = [setting(self.scenario.world, day, moved)] if moved else []
        acts = ({"date": day, **act} for act in self.acts)
        return (*levers, *acts, *kept(self.scenario, day, self.set))

    @cached_property
    def _changed(self) -> Scenario:
        for act in self.acts:
            if "date" in act or "announced" in act:
                raise BadInput("act: must be an event without a date; it happens in the quarter that is chosen")
        changed = self.scenario
        for event in self.events:
            changed = changed.with_event(event)
        return changed

    @property
    def changed(self) -> Scenario:
        """The config with the policy among its events."""
        return self._changed

    @property
    def key(self) -> str:
        """The same for policies that do the same: a hash of the config and the events."""
        dated = [{**event, "date": str(event["date"])} for event in self.events]
        content = json.dumps([self.scenario.hash, dated], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def read_start(text: object) -> int:
    """The quarter of a name such as "2027-Q1"; BadInput for one that no policy can begin in."""
    match = _FROM_NAME.fullmatch(text) if isinstance(text, str) else None
    quarter = quarters_until(int(match[1]) - 1) if match else -1
    if quarter not in FROM:
        first, last = quarter_name(FROM[0]), quarter_name(FROM[-1])
        raise BadInput(f"from = {written(text)[:40]}: must be the first quarter of a year, from {first} to {last}")
    return quarter


def read_levers(scenario: Scenario, given: Mapping[str, Any]) -> dict[str, Value]:
    """Values of levers, checked, in the order of the evidence. BadInput for other keys and for values out of range."""
    movable = {lever.name: lever for lever in levers(scenario.world)}
    problems = [f"{str(key)[:60]}: is not a lever{nearest(key, movable)}" for key in given if key not in movable]
    values: dict[str, Value] = {}
    for key, lever in movable.items():
        if key not in given:
            continue
        value = given[key]
        if fault := lever.check(value):
            problems.append(f"{key} = {written(value)[:60]}: {fault}")
        else:
            values[key] = float(value) if lever.is_number else value
    if problems:
        raise BadInput(problems)
    return values
