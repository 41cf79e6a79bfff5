"""What a config or an event may set: keys and values, checked against the parameters of a world."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from numbers import Real
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.errors import nearest, written
from sim.world.evidence import Value
from sim.world.lumped import LUMPED
from sim.world.synthetic import SYNTHETIC
from sim.world.world import World

WORLD_KEYS = ("world", LUMPED, SYNTHETIC)  # which world: its name, whether its firms are merged, how it is generated
TOP_LEVEL = ("purpose", "extends", "event", *WORLD_KEYS)
# Tables of what was observed, which a run takes as given instead of working it out.
MARKET = "demand.market_bn_usd"  # the target's chip market by year, at current prices
WORLD_SALES = "demand.world_sales"  # the world's chip sales by year, at current prices; growth since 2020 counts
RECORDED = "security.recorded"  # by date: the part of the target's foreign tools that controls denied from then on
GIVEN = (MARKET, WORLD_SALES, RECORDED)
CAUSED = "security.caused_by_controls"  # the part of the push that controls cause; the rest goes by what was recorded


def check_values(given: Mapping[str, Any], where: str, world: World, problems: list[str]) -> dict[str, Value]:
    """Those of the given values that the world's parameters take, numbers as floats; a sentence for each other one."""
    declared = world.parameters
    good: dict[str, Value] = {}
    for key, value in given.items():
        if key.partition(".")[0] in WORLD_KEYS:
            problems.append(f"{where}: {key}: chooses the world, which is chosen when a config is loaded")
            continue
        if key in TOP_LEVEL:
            problems.append(f"{where}: {key}: belongs in a config's file; make a config for it")
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


def split_given(given: Mapping[str, Any], where: str, problems: list[str]) -> tuple[dict[str, float], dict[str, Any]]:
    """The rows of the tables of what was observed, checked, and all other keys."""
    observed: dict[str, float] = {}
    others = dict(given)
    for key, value in given.items():
        table, _, when = key.rpartition(".")
        if table not in GIVEN:
            continue
        del others[key]
        by_date = table == RECORDED
        low, high, unit = (0, 1, "0 to 1") if by_date else (1, 10_000, "bn USD a year")
        first = FIRST_YEAR + (table == MARKET)  # the market of the base year is a parameter
        if by_date and not _is_date(when):
            problems.append(f"{where}: {key}: must be a date such as 2022-10-07, from {FIRST_YEAR} to {LAST_YEAR}")
        elif not by_date and when not in map(str, range(first, LAST_YEAR + 1)):
            problems.append(f"{where}: {key}: must be a year from {first} to {LAST_YEAR}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            problems.append(f"{where}: {key} = {written(value)}: must be a number from {low} to {high} ({unit})")
        else:
            observed[key] = float(value)
    return observed, others


def _is_date(text: str) -> bool:
    try:
        return FIRST_YEAR <= datetime.date.fromisoformat(text).year <= LAST_YEAR and len(text) == len("2022-10-07")
    except ValueError:
        return False
