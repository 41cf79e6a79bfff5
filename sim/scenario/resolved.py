"""A scenario as one config that extends nothing."""

from __future__ import annotations

from typing import Any

import tomli_w

from sim.scenario.scenario import Scenario
from sim.world.lumped import LUMPED
from sim.world.synthetic import SYNTHETIC, synthetic_options


def resolved(scenario: Scenario) -> str:
    """The TOML of a config with every value that the scenario has; it loads to a scenario of the same hash."""
    content: dict[str, Any] = {"purpose": scenario.purpose, **_world(scenario.world.id)}
    for key, value in scenario.values.items():
        _set(content, key, value)
    for key, value in scenario.given.items():
        _set(content, key, value)
    if scenario.events:
        content["event"] = [event.as_table() for event in scenario.events]
    return tomli_w.dumps(content)


def _world(name: str) -> dict[str, Any]:
    """The keys that choose a world."""
    whole, _, ending = name.rpartition(":")
    if ending == LUMPED:
        return {**_world(whole), LUMPED: True}
    if name.partition(":")[0] == SYNTHETIC:
        return {"world": SYNTHETIC, SYNTHETIC: synthetic_options(name)}
    return {"world": name}


def _set(content: dict[str, Any], key: str, value: object) -> None:
    """Put a value under a dotted key into nested tables."""
    *tables, name = key.split(".")
    for table in tables:
        content = content.setdefault(table, {})
    content[name] = value
