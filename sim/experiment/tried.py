"""Whether configs take what an experiment's points give them, so that no run finds out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from sim.errors import BadInput
from sim.experiment.designs import Grid, Part, Point, Sample
from sim.scenario.scenario import Scenario


def refused_values(scenarios: Sequence[Scenario], part: Part, where: str) -> Iterator[str]:
    """A sentence for every value of a part that some config does not take; `where` begins each."""
    for change, scenario in itertools.product(_changes(part.points), scenarios):
        try:
            scenario.with_values(change)
        except BadInput as fault:
            yield from (f"{where}config {scenario.name!r}: {problem}" for problem in fault.problems)


def _changes(points: Sequence[Point]) -> Sequence[Point]:
    """What has to be admissible for all points to be."""
    if isinstance(points, Grid):
        return [{key: level} for key, levels in points.levels.items() for level in levels]
    if isinstance(points, Sample):
        return [{key: value} for key, factor in points.factors.items() for value in factor.ends]
    return points
