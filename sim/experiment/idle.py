"""What an experiment varies or its configs set, and none of its runs reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import BadInput
from sim.experiment.designs import Grid, LeftOut, Part, Point, Sample
from sim.experiment.experiment import Experiment
from sim.experiment.kept import planned
from sim.scenario.idle import idle, idle_keys, possible
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value

if TYPE_CHECKING:
    from sim.results.manifest import Manifest

Varied = Mapping[str, Collection[Value]]


def idle_in(experiment: Experiment) -> list[str]:
    """Sentences about what has no effect: events and keys of a config, and factors that no config reads."""
    sets = experiment.ensemble.sets.values() if experiment.ensemble else ()
    return _idle(experiment.name, experiment.scenarios, experiment.parts, sets)


def idle_in_results(paths: Iterable[Path]) -> list[str]:
    """The same of finished results; nothing of those whose world is not here as it was, and of bare tables."""
    from sim.results.manifest import manifest_in  # which a check does not wait for

    manifests = {path: manifest for path in paths if (manifest := manifest_in(path))}
    return [text for path, manifest in manifests.items() for text in _idle_in_result(manifest, str(path))]


def _idle_in_result(manifest: Manifest, where: str) -> list[str]:
    several = len(manifest.scenarios) > 1
    try:
        scenarios = [
            Scenario.from_dict(kept.model_dump(), f"{where}: {name}" if several else where)
            for name, kept in manifest.scenarios.items()
        ]
    except BadInput:
        return []
    if any(scenario.world.hash != manifest.worlds[scenario.world.id].hash for scenario in scenarios):
        return []
    if (kept := manifest.experiment) is None:
        return [text for scenario in scenarios for text in idle(scenario)]
    parts = planned(kept)
    if any(key not in scenario.values for scenario in scenarios for part in parts for key in part.swept):
        return []  # nothing can be said of a key that a config does not have
    return _idle(where, scenarios, parts, manifest.parameter_sets.values())


def _idle(name: str, scenarios: Sequence[Scenario], parts: Sequence[Part], sets: Iterable[Point]) -> list[str]:
    of_sets = _of_sets(sets)
    said = [text for scenario in scenarios for text in idle(scenario, _together(parts, scenario, of_sets))]
    read: set[str] = set()
    lacking: dict[str, str] = {}
    for part in parts:
        for scenario in scenarios:
            varied = {**of_sets, **_of_part(part, scenario)}
            varied |= {key: {scenario.values[key], *varied[key]} for key in part.since}  # what it was before
            reasons = idle_keys(scenario, part.swept, possible(scenario, varied))
            lacking |= reasons
            read |= set(part.swept) - reasons.keys()
    return [
        *said,
        *(f"{name}: {key} is varied without effect; it needs {lacking[key]}" for key in lacking if key not in read),
    ]


def _together(parts: Sequence[Part], scenario: Scenario, of_sets: Varied) -> Varied:
    """The values of everything that is varied in some part."""
    varied: dict[str, set[Value]] = {key: set(values) for key, values in of_sets.items()}
    for part in parts:
        own = [key for key in part.swept if key not in part.since] if len(parts) == 1 else ()
        for key, values in _of_part(part, scenario).items():
            varied.setdefault(key, set() if key in own else {scenario.values[key]}).update(values)
    return varied


def _of_sets(sets: Iterable[Point]) -> dict[str, set[Value]]:
    """The values of what parameter sets vary, of numbers the least and the most."""
    held = list(sets)  # all of which have the same keys
    columns = {key: {values[key] for values in held} for key in (held[0] if held else ())}
    return {key: _ends(column) if isinstance(held[0][key], float) else column for key, column in columns.items()}


def _ends(numbers: set[Any]) -> set[Value]:
    return {min(numbers), max(numbers)}


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
