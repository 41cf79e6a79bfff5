"""What an experiment varies or its configs set, and none of its runs reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sim.experiment.designs import Grid, LeftOut, Part, Sample
from sim.experiment.experiment import Experiment
from sim.scenario.idle import idle, idle_keys, possible
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value

Varied = Mapping[str, Collection[Value]]


def idle_in(experiment: Experiment) -> list[str]:
    """Sentences about what has no effect: events and keys of a config, and factors that no config reads."""
    said = [text for each in experiment.scenarios for text in idle(each, _together(experiment, each))]
    read: set[str] = set()
    lacking: dict[str, str] = {}
    for part in experiment.parts:
        for scenario in experiment.scenarios:
            varied = {**_of_sets(experiment), **_of_part(part, scenario)}
            reasons = idle_keys(scenario, part.swept, possible(scenario, varied))
            lacking |= reasons
            read |= set(part.swept) - reasons.keys()
    factors = (
        f"{key} is varied without effect; it needs {lacking[key]}" for key in experiment.swept if key not in read
    )
    return [*said, *(f"{experiment.name}: {text}" for text in factors)]


def _together(experiment: Experiment, scenario: Scenario) -> Varied:
    """The values of everything that is varied in some part."""
    varied: dict[str, set[Value]] = {key: set(values) for key, values in _of_sets(experiment).items()}
    for part in experiment.parts:
        own = part.swept if len(experiment.parts) == 1 else ()
        for key, values in _of_part(part, scenario).items():
            varied.setdefault(key, set() if key in own else {scenario.values[key]}).update(values)
    return varied


def _of_sets(experiment: Experiment) -> dict[str, set[Value]]:
    varied: dict[str, set[Value]] = {}
    for values in experiment.ensemble.sets.values() if experiment.ensemble else ():
        for key, value in values.items():
            varied.setdefault(key, set()).add(value)
    return varied


def _of_part(part: Part, scenario: Scenario) -> dict[str, Collection[Value]]:
    """The values of what a part varies, the ends of a range standing for it; a point may leave a key to the config."""
    points = part.points
    if isinstance(points, LeftOut):
        switches = {key: {True, False} for change in points.changes for key in change}
        return {**_of_part(Part(part.name, part.kind, part.swept, points.points), scenario), **switches}
    if isinstance(points, Grid):
        return dict(points.levels)
    if isinstance(points, Sample):
        return {key: factor.ends for key, factor in points.factors.items()}
    swept = {key for point in points for key in point}
    return {key: {point.get(key, scenario.values[key]) for point in points} for key in swept}
