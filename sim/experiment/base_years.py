"""Whether the scenarios of an experiment make a base year, so that no run finds out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.errors import BadInput
from sim.experiment.designs import Grid, Part, Point, Sample
from sim.experiment.ensemble import Ensemble
from sim.scenario.scenario import Scenario
from sim.start.keys import BASE_YEAR_KEYS, has_known_base_year

TOGETHER = 256  # scenarios that are tried at once


def try_parts(
    scenarios: Sequence[Scenario], parts: Sequence[Part], ensemble: Ensemble | None, path: Path, problems: list[str]
) -> None:
    """A sentence for every part in which some config has no base year at some corner of what is varied."""
    sets: Mapping[int, Point] = ensemble.sets if ensemble else {0: {}}
    for part in parts:
        where = f"{path}: parts.{part.name}." if part.name else f"{path}: "
        corners = _corners(part)
        for scenario in scenarios:
            if any(corners) or not has_known_base_year(scenario):
                tries = (
                    (f"{where}config {scenario.name!r}{_shown(corner, number)}", {**sets[number], **corner})
                    for corner, number in itertools.product(corners, sets)
                )
                problems += _first_fault(scenario, tries)


def _corners(part: Part) -> list[Point]:
    """What a part sets of the base year, at the ends of every factor; one empty point if it sets nothing of it."""
    if isinstance(part.points, Grid):
        values: Mapping[str, Sequence[Any]] = part.points.levels
    elif isinstance(part.points, Sample):
        values = {key: factor.ends for key, factor in part.points.factors.items()}
    else:
        return [{key: value for key, value in point.items() if key in BASE_YEAR_KEYS} for point in part.points]
    ends = {key: (min(x), max(x)) for key, x in values.items() if key in BASE_YEAR_KEYS}
    return [dict(zip(ends, corner, strict=True)) for corner in itertools.product(*ends.values())]


def _shown(corner: Point, number: int) -> str:
    changes = [f"{key} = {value:g}" for key, value in corner.items()] + [f"parameter set {number}"] * bool(number)
    return f" with {', '.join(changes)}" if changes else ""


def _first_fault(scenario: Scenario, tries: Iterable[tuple[str, Point]]) -> list[str]:
    """What is wrong with the first of the points, each with its name, at which there is no base year; or nothing."""
    for some in itertools.batched(tries, TOGETHER):
        if faults := _halved([(name, scenario.with_values(point)) for name, point in some]):
            return faults
    return []


def _halved(named: Sequence[tuple[str, Scenario]]) -> list[str]:
    from sim.start.base_year import try_base_year  # takes seconds to import

    try:
        try_base_year([scenario for _, scenario in named])
        return []
    except BadInput as fault:
        if len(named) == 1:
            return [f"{named[0][0]}: {text}" for text in fault.problems]
    half = len(named) // 2
    return _halved(named[:half]) or _halved(named[half:])
