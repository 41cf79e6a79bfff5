"""What a screen must know of a config before it asks: levers, presets, measures, dates, published figures."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name, quarters_until, year_of
from sim.futures.levers import described, without_effect
from sim.futures.policy import FROM
from sim.futures.presets import presets
from sim.futures.sentence import question
from sim.futures.sets import how_chosen
from sim.futures.shown import apart, is_logarithmic, meaning, of_quality, shown, unit_of_difference
from sim.measures import SHARE
from sim.scenario.events import Event
from sim.scenario.held import values_at
from sim.scenario.labels import label, of_unit
from sim.scenario.loading import known_configs, load_config
from sim.scenario.scenario import Scenario
from sim.world.world import World

LAST_PUBLISHED = "2024-12-31"  # figures of later years judge the model and are shown nowhere


def settings(config: str) -> dict[str, Any]:
    """All that the screen of a config shows beside its answers. Raises BadInput for what is no config."""
    scenario = load_config(config)
    world, start = scenario.world, first_start(scenario)
    return {
        "question": question(world),
        "config": config,
        "purpose": scenario.purpose,
        "invented": world.is_assumed,
        "world": world.id,
        "configs": _configs(tuple(known_configs())),
        "target": world.names[world.target],
        "goods": world.goods,
        "goal": world.goal.model_dump() if world.goal else None,
        "dates": {
            "first": FIRST_YEAR,
            "last": LAST_YEAR,
            "from": [quarter_name(quarter) for quarter in FROM],
            "default_from": quarter_name(start),
        },
        "levers": levers_of(scenario, start),
        "presets": [preset.as_dict() for preset in presets(scenario, start)],
        "measures": _measures(world),
        "published": published(world),
        "marks": _marks(scenario),
        "trust": list(world.trust),
        "futures": how_chosen(world),
    }


def first_start(scenario: Scenario) -> int:
    """The first quarter of the year after the last date that the config gives; the earliest if it gives none."""
    dated = [event.quarter for event in scenario.events]
    dated += [quarters_until(int(key.rpartition(".")[2][:4])) - 1 for key in scenario.given]
    after = quarters_until(year_of(max(dated, default=0)))
    return min(max(after, FROM[0]), FROM[-1])


def levers_of(scenario: Scenario, start: int) -> list[dict[str, Any]]:
    """The levers as they are described, each with the config's own value in a quarter and whether it does anything."""
    return [{**lever, **state} for lever, state in zip(described(scenario.world), states(scenario, start), strict=True)]


def states(scenario: Scenario, start: int, changed: Scenario | None = None) -> list[dict[str, Any]]:
    """By lever: the value that the config has in a quarter, and whether moving it does anything, else why not.

    `changed` is the config with a policy among its events, which may give a lever its effect or take it away.
    """
    own, still = values_at(scenario, start), without_effect(changed or scenario, start)
    return [
        {"value": own[lever["key"]], "effect": lever["key"] not in still, "why_not": still.get(lever["key"], "")}
        for lever in described(scenario.world)
    ]


@lru_cache(maxsize=4)
def _configs(names: tuple[str, ...]) -> list[dict[str, Any]]:
    scenarios = [load_config(name) for name in names]
    return [
        {"name": name, "purpose": scenario.purpose, "invented": scenario.world.is_assumed}
        for name, scenario in zip(names, scenarios, strict=True)
    ]


def _measures(world: World) -> list[dict[str, Any]]:
    segments = _with_a_quality(world)
    return [
        {
            "name": measure.name,
            "label": label,
            "of": segments if measure in of_quality(world) else "",
            "unit": measure.unit,
            "percent": measure.unit == SHARE,
            "meaning": meaning(measure, world),
            "logarithmic": is_logarithmic(measure),
            "direction": measure.direction,
            "difference_unit": unit_of_difference(measure),
        }
        for measure, label in shown(world).items()
    ]


def _with_a_quality(world: World) -> str:
    """The names of the segments with a quality, which have charts of their own."""
    return ", ".join(world.names[segment] for segment in world.column("quality", "segment"))


def published(world: World) -> dict[str, list[dict[str, Any]]]:
    """Published figures up to 2024 by measure, of shares and of what is drawn in its unit: date, value and source.

    Shares are 0 to 1. Nothing where a world has no such figures.
    """
    units = {measure.name: measure.unit for measure in shown(world)}
    figures: dict[str, list[dict[str, Any]]] = {}
    for row in world.published:
        is_share = row["unit"] == "percent"
        if row["date"] <= LAST_PUBLISHED and (is_share or row["unit"] == units.get(row["measure"])):
            value = float(row["value"]) / (100 if is_share else 1)
            figures.setdefault(row["measure"], []).append(
                {"date": row["date"], "value": value, "source": row["source"]}
            )
    return figures


def _marks(scenario: Scenario) -> list[dict[str, str]]:
    """The dated controls of a config, and its dated levers, in words."""
    world = scenario.world
    segments = _with_a_quality(world)
    return [
        {
            "date": event.date.isoformat(),
            "by": world.names[event.by],
            "label": f"{world.names[event.by]} {_done(event, world)}",
            "of": segments if {*(event.levers() or event.scope)} & {*apart(world)} else "",
        }
        for event in scenario.events
        if event.kind in ("control", "lever")
    ]


def _done(event: Event, world: World) -> str:
    """What a control or a lever does, in words."""
    if event.kind == "lever":
        moved = ((key, of_unit(value, world.parameters[key].unit)) for key, value in event.levers().items())
        return "sets " + ", ".join(f"{label(key)} to {value}" for key, value in moved)
    scope = "everything" if "all" in event.scope else ", ".join(world.spoken(item) for item in event.scope)
    return f"denies {100 * float(event.severity or 0.0):.0f} % of {scope}"
