"""Whether the scenarios of an experiment make a base year, so that no run finds out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sim.errors import BadInput
from sim.experiment.designs import Grid, LeftOut, Point, Sample, total
from sim.experiment.experiment import Experiment
from sim.scenario.scenario import Scenario
from sim.start.keys import BASE_YEAR_KEYS, has_known_base_year

GOLDEN = (math.sqrt(5) - 1) / 2  # multiples of it lie evenly between 0 and 1, wherever one stops
TOGETHER = 256  # scenarios that are tried at once
MOST = 1024  # corners of a part, and as many others of its combinations, that are tried: half a second each


def refuse_without_base_year(experiment: Experiment, where: str) -> None:
    """BadInput, a sentence for every part in which some config has no base year at some combination of its values.

    Corners are tried first, then what lies between them; of more than `MOST` of either some, spread over all.
    `where` begins a message.
    """
    problems: list[str] = []
    sets: Mapping[int, Point] = experiment.ensemble.sets if experiment.ensemble else {0: {}}
    for part in experiment.parts:
        place = f"{where}: parts.{part.name}." if part.name else f"{where}: "
        pools = _combinations(part.points)
        for scenario in experiment.scenarios:
            if any(key in BASE_YEAR_KEYS for key in part.swept) or not has_known_base_year(scenario):
                tries = (
                    (f"{place}config {scenario.name!r}{_shown(point, number)}", {**sets[number], **point})
                    for pool in pools
                    for point, number in _spread(pool, tuple(sets))
                )
                problems += _first_fault(scenario, tries)
    if problems:
        raise BadInput(problems)


def _combinations(points: Sequence[Point]) -> tuple[Sequence[Point], ...]:
    """What a design sets of the base year: at the ends of every factor, then at all its points."""
    if isinstance(points, LeftOut):  # switches are none of it
        points = points.points
    if isinstance(points, Grid):
        levels = {key: values for key, values in points.levels.items() if key in BASE_YEAR_KEYS}
        return _corners(levels), Grid(levels)
    if isinstance(points, Sample):
        ends = {key: factor.ends for key, factor in points.factors.items() if key in BASE_YEAR_KEYS}
        return _corners(ends), _Of(_begun(points) if ends else (), tuple(ends))
    return (_Of(points, BASE_YEAR_KEYS),)


def _corners(values: Mapping[str, Sequence[Any]]) -> Grid:
    return Grid({key: tuple(dict.fromkeys((min(held), max(held)))) for key, held in values.items()})


def _begun(sample: Sample) -> Sample:
    """A sample, or one that a large one begins with, so that the whole of it need not be drawn."""
    size = sample.size
    if sample.kind == "morris":
        size = min(size, MOST)
    while size > MOST and size % 2 == 0:
        size //= 2
    return Sample(sample.kind, sample.factors, size, sample.seed, sample.levels)


class _Of(Sequence[Point]):
    """Points with some of their keys alone."""

    def __init__(self, points: Sequence[Point], keys: Sequence[str]) -> None:
        self.points, self.keys = points, keys

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, number: Any) -> Any:
        point = self.points[number]
        return {key: point[key] for key in self.keys if key in point}


def _spread(points: Sequence[Point], sets: Sequence[int]) -> Iterator[tuple[Point, int]]:
    """Every point with every parameter set, or `MOST` of these pairs that lie evenly among all."""
    count = total(points) * len(sets)
    step = 1
    if count > MOST:
        step = next(step for step in range(int(GOLDEN * count), count) if math.gcd(step, count) == 1)
    for number in range(min(count, MOST)):
        place, own = divmod(number * step % count, len(sets))
        yield points[place], sets[own]


def _shown(point: Point, number: int) -> str:
    changes = [f"{key} = {value:g}" for key, value in point.items()] + [f"parameter set {number}"] * bool(number)
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
