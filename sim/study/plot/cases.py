"""The cases of results, and what their runs say: the middle and the band of each."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.arrays import Array, Indices
from sim.compare.results import Incomplete, Result, read_result
from sim.compare.tables import Key
from sim.compare.words import counted
from sim.errors import BadInput
from sim.folders import result_path
from sim.results.manifest import Held, KeptScenario, KeptWorld, Manifest
from sim.results.reading import Unfinished, open_result

FIXED = ("result", "config", "part")  # what tells cases apart besides the swept keys


@dataclass(frozen=True)
class Case:
    """The runs of one config at one point of the design.

    `keys` are FIXED and the swept keys; `runs` are their places and `sets` their parameter sets, each of shape (runs,).
    """

    keys: Mapping[str, Key]
    result: Result
    runs: Indices
    sets: Indices

    @property
    def manifest(self) -> Manifest:
        return manifest_of(self.result)

    @property
    def scenario(self) -> KeptScenario:
        return self.manifest.scenarios[str(self.keys["config"])]

    @property
    def world(self) -> KeptWorld:
        return self.manifest.worlds[self.scenario.world]


@dataclass(frozen=True)
class Band:
    """The 5, 50 and 95 % points of some cases' runs, or of their parameter sets where there are several.

    Each has the shape of one run's values: nothing for an outcome, (dates,) for a series. `of` says of how many what.
    """

    low: Array
    middle: Array
    high: Array
    of: str

    def scaled(self, scale: float) -> Band:
        """The same in another unit."""
        return Band(scale * self.low, scale * self.middle, scale * self.high, self.of)


def read(names: Sequence[str]) -> list[Result]:
    """Result folders by path or by their name in results/. Raises BadInput, or Incomplete for an unfinished one."""
    results: list[Result] = []
    for path in map(result_path, names):
        if path.is_file():
            raise BadInput(f"{path}: is a file; give the folder of a result, whose manifest has the units and names")
        try:
            open_result(path)
        except Unfinished as fault:
            raise Incomplete(fault.problems) from None
        if str(path) not in [result.path for result in results]:
            results.append(read_result(path))
    return results


def manifest_of(result: Result) -> Manifest:
    assert result.manifest is not None  # every folder that could be read has one
    return result.manifest


def cases_of(results: Sequence[Result]) -> list[Case]:
    """Every case in the order of the files, of runs that are done."""
    cases = []
    apart = _apart(results)
    for result in results:
        sets = np.array(result.keys["parameter_set"], dtype=np.intp)
        name = Path(result.path).resolve().name
        names = ["config", *(["part"] if "part" in result.keys else []), *(k for k in result.swept if k != "part")]
        places: dict[tuple[Key, ...], list[int]] = {}
        for place, key in enumerate(result.groups(names)):
            if result.done[place]:
                places.setdefault(key, []).append(place)
        for key, runs in places.items():
            own = dict(zip(names, key, strict=True))
            keys = {"result": name, "part": "", **apart[result.path, str(own["config"])], **own}
            places_of = np.array(runs, dtype=np.intp)
            cases.append(Case(keys, result, places_of, sets[places_of]))
    return cases


def _apart(results: Sequence[Result]) -> dict[tuple[str, str], dict[str, Key]]:
    """By result and config, in what it differs from one of its name in another result; nothing where in much."""
    found = {}
    for result in results:
        for config, scenario in manifest_of(result).scenarios.items():
            kept = [manifest_of(each).scenarios.get(config) for each in results]
            others = [each.values for each in kept if each]
            keys = [key for key, held in scenario.values.items() if any(each.get(key) != held for each in others)]
            told = keys if len(keys) <= 3 else []
            found[result.path, config] = {key: _as_read(scenario.values[key]) for key in told}
    return found


def _as_read(held: Held) -> Key:
    """A value as it is read from a table."""
    return {True: "true", False: "false"}[held] if isinstance(held, bool) else held


def kind_of(case: Case) -> str:
    """The kind of design that a case is a point of; of one run, a list."""
    experiment = case.manifest.experiment
    return experiment.plans[str(case.keys["part"])].design.kind if experiment else "list"


def varying(cases: Sequence[Case]) -> list[str]:
    """The keys of which the cases have more than one value; a key that only some of them have varies too."""
    keys = dict.fromkeys(key for case in cases for key in (*FIXED, *case.keys))
    return [key for key in keys if len({case.keys.get(key) for case in cases}) > 1]


def levels(cases: Sequence[Case], key: str) -> list[Key]:
    """The values of a key: numbers in their order, words as the design lists them, else as they come."""
    found = list(dict.fromkeys(case.keys[key] for case in cases if key in case.keys))
    if is_ordered(found):
        return sorted(found)
    listed = [
        _as_read(held)
        for manifest in {id(c.manifest): c.manifest for c in cases}.values()
        for held in _listed(manifest, key)
    ]
    return [held for held in dict.fromkeys([*listed, *found]) if held in found]


def _listed(manifest: Manifest, key: str) -> Iterable[Held]:
    """The levels of a factor in the designs of a result."""
    for plan in manifest.experiment.plans.values() if manifest.experiment else ():
        factor = plan.factors.get(key)
        if isinstance(factor, list):
            yield from factor


def is_ordered(held: Iterable[Key]) -> bool:
    return all(isinstance(each, int | float) for each in held)


def grouped(cases: Sequence[Case], keys: Sequence[str]) -> dict[tuple[Key | None, ...], list[Case]]:
    """The cases by the values of some keys, in the order of the levels of each."""
    places = {key: {level: place for place, level in enumerate(levels(cases, key))} for key in keys}
    groups: dict[tuple[Key | None, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(tuple(case.keys.get(key) for key in keys), []).append(case)

    def place_of(group: tuple[Key | None, ...]) -> list[int]:
        return [places[key].get(held, -1) if held is not None else -1 for key, held in zip(keys, group, strict=True)]

    return {group: groups[group] for group in sorted(groups, key=place_of)}


def outcome(case: Case, column: str, at: str) -> Array:
    """A measure of each run at "end", "peak", "sum" or in a year, shape (runs,); what it has been checked to have."""
    if (name := f"{column}@{at}") in case.result.outcomes:
        return case.result.outcomes[name][case.runs]
    series = case.result.series
    place = next(place for place, date in enumerate(series.dates) if date.startswith(at))
    values: Array = series.values[column][case.runs, place]
    return values


def over_time(case: Case, column: str) -> Array:
    """A measure of each run at each date, shape (runs, dates)."""
    return case.result.series.values[column][case.runs]


def band(cases: Sequence[Case], values: Sequence[Array]) -> Band:
    """The band of some cases' runs together. Where nothing has a value, it is NaN.

    With several parameter sets the seeds of each are meant first, so that the band is what is not known and not luck.
    """
    runs = np.concatenate(values)
    sets = np.concatenate([case.sets for case in cases])
    numbers = np.unique(sets)
    if len(numbers) > 1:
        runs = np.array([_mean(runs[sets == number]) for number in numbers])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of what has no value anywhere
        points = np.nanquantile(runs, (0.05, 0.5, 0.95), axis=0)
    what = "parameter set" if len(numbers) > 1 else "run"
    return Band(points[0], points[1], points[2], counted(len(runs), what))


def _mean(runs: Array) -> Array:
    count = (~np.isnan(runs)).sum(axis=0)
    mean: Array = np.where(count > 0, np.nansum(runs, axis=0) / np.maximum(count, 1), np.nan)
    return mean
