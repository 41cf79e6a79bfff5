"""What controls do near both ends of the push, in a sample of which it is a factor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.arrays import Array
from sim.compare.push import can_answer, controls_of
from sim.experiment.designs import Sample
from sim.scenario.values import CAUSED
from sim.study.outcomes import Batch, read_outcomes

TENTH = 0.1
Points = tuple[float, float, float]


def near_ends(batch: Batch, outcome: str) -> Iterator[tuple[str, Points, Points]]:
    """Of every difference to the baseline that is about controls: its name, and its 5, 50 and 95 % points.

    First where the push is most held, then where it most answers: over the points of the sample in which
    `security.caused_by_controls` lies in the lowest and in the highest tenth of its range.
    """
    baseline = batch.experiment.baseline
    if baseline is None:
        return
    runs = read_outcomes(batch, [outcome])
    for part in runs.sampled:
        if not isinstance(part.points, Sample) or CAUSED not in part.swept:
            continue
        factor = part.points.factors[CAUSED]
        place = np.array([float(point[CAUSED]) for point in part.points])
        place = (place - factor.low) / (factor.high - factor.low)
        first = runs.of_part(outcome, runs.configs.index(baseline), part).mean(axis=1)
        for number, config in enumerate(runs.configs):
            if _about_controls(batch, config, baseline):
                difference = runs.of_part(outcome, number, part).mean(axis=1) - first
                held, answering = (_points(difference[chosen]) for chosen in (place <= TENTH, place >= 1 - TENTH))
                yield f"{config} less {baseline}", held, answering


def _about_controls(batch: Batch, *configs: str) -> bool:
    ours, theirs = (batch.manifest.scenarios[config] for config in configs)
    differ = controls_of(ours.values, ours.events) != controls_of(theirs.values, theirs.events)
    return differ and (can_answer(ours.values) or can_answer(theirs.values))


def _points(values: Array) -> Points:
    low, middle, high = (float(q) for q in np.quantile(values, (0.05, 0.5, 0.95)))
    return low, middle, high
