"""Whether configs take what an experiment's points give them, so that no run finds out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from sim.errors import BadInput
from sim.errors import written as as_written
from sim.experiment.designs import Grid, Part, Point, Sample
from sim.scenario.held import value_from
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value


def refused_values(scenarios: Sequence[Scenario], part: Part, where: str) -> Iterator[str]:
    """A sentence for every value of a part that some config does not take; `where` begins each."""
    for change, scenario in itertools.product(_changes(part.points), scenarios):
        try:
            scenario.with_values(change)
        except BadInput as fault:
            yield from (f"{where}config {scenario.name!r}: {problem}" for problem in fault.problems)


def alike(scenarios: Sequence[Scenario], part: Part, where: str) -> Iterator[str]:
    """A sentence for every config of which two rows would show the same values and be of different runs.

    One point gives a dated lever the value that the config has then; another leaves it to the config, which moves it
    later.
    """
    for scenario in scenarios if isinstance(part.points, tuple) else ():
        own = {key: value_from(scenario, key, part.since.get(key)) for key in part.swept}
        moved = {
            key: event.date
            for event in reversed(scenario.events)
            for key, value in event.levers().items()
            if key in part.since and event.date.year >= part.since[key] and value != own[key]
        }
        if not moved:
            continue
        rows: dict[tuple[Value, ...], Point] = {}
        for point in part.points:
            other = rows.setdefault(tuple({**own, **point}.values()), point)
            if key := next((key for key in moved if (key in point) != (key in other)), ""):
                yield (
                    f"{where}factors.{key}: a point gives it {as_written(own[key])}, which {scenario.name} has in "
                    f"{part.since[key]}, and another leaves it to {scenario.name}, which moves it on {moved[key]}; "
                    "their rows would look the same, so give another value, or a value in both"
                )
                break


def _changes(points: Sequence[Point]) -> Sequence[Point]:
    """What has to be admissible for all points to be."""
    if isinstance(points, Grid):
        return [{key: level} for key, levels in points.levels.items() for level in levels]
    if isinstance(points, Sample):
        return [{key: value} for key, factor in points.factors.items() for value in factor.ends]
    return points
