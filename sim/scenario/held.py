"""Levers that take a value on a date and keep it, as events of a config say it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from sim.calendar import quarters_until
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value
from sim.world.world import World

Entry = Mapping[str, Any]  # the table of an [[event]]


def values_at(scenario: Scenario, quarter: int) -> dict[str, Value]:
    """The value of every key in a quarter, with what events have set by then."""
    held = dict(scenario.values)
    for event in scenario.events:
        if event.quarter <= quarter:
            held.update(event.levers())
    return held


def value_from(scenario: Scenario, key: str, year: int | None) -> Value:
    """The value that a key has when a year begins; None is the start, and what events set then."""
    return scenario.values[key] if year is None else values_at(scenario, quarters_until(year - 1))[key]


def setting(world: World, day: datetime.date, values: Mapping[str, Value]) -> Entry:
    """The event that gives levers these values on a day."""
    return {"date": day, "by": world.target, "kind": "lever", "set": dict(values)}


def kept(scenario: Scenario, day: datetime.date, values: Mapping[str, Value]) -> list[Entry]:
    """What keeps levers at these values when events of the day or of later ones would move them."""
    later = [event for event in scenario.events if event.date >= day]
    again = [(event.date, {key: values[key] for key in event.levers() if key in values}) for event in later]
    return [setting(scenario.world, date, levers) for date, levers in again if levers]


def holding(scenario: Scenario, values: Mapping[str, Value], since: Mapping[str, int]) -> Scenario:
    """The scenario with these values; those of the keys in `since` hold from the beginning of that year to the end.

    A key that is left out goes on as the scenario has it. Raises BadInput for an unknown key, a value that does not
    fit, and a date of what is no lever.
    """
    for year in sorted(set(since.values())):
        day = datetime.date(year, 1, 1)
        levers = {key: value for key, value in values.items() if since.get(key) == year}
        for event in [setting(scenario.world, day, levers), *kept(scenario, day, levers)] if levers else ():
            scenario = scenario.with_event(event)
    return scenario.with_values({key: value for key, value in values.items() if key not in since})
