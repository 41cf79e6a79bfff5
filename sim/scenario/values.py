"""What a config or an event may set: keys and values, checked against the parameters of a world."""

from __future__ import annotations

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
MARKET = "demand.market_bn_usd."  # a row gives a year's actual market, and the run is conditional on it


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


def split_market(given: Mapping[str, Any], where: str, problems: list[str]) -> tuple[dict[int, float], dict[str, Any]]:
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


def by_year(market: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
    """A given market as a scenario holds it, in order of year."""
    return tuple(sorted(market.items()))
