"""The outcomes of a finished and complete result, by config, part, point and pair of parameter set and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.errors import BadInput, nearest
from sim.experiment.designs import Part, Sample
from sim.experiment.factors import PartTable, read_part
from sim.results import records
from sim.results.manifest import read_manifest as manifest_in
from sim.results.output import unfinished
from sim.world.evidence import Parameter, Value
from sim.world.world import load_world


class IncompleteInput(BadInput):
    """A result that lacks runs or values which the study needs."""


@dataclass(frozen=True)
class Outcomes:
    """The runs of a batch. `values[outcome]` has shape (configs, points, pairs), all finite."""

    folder: Path
    manifest: Mapping[str, Any]
    configs: Sequence[str]
    parts: Sequence[Part]
    sets: Sequence[int]
    seeds: Sequence[int]
    values: Mapping[str, Array]

    def of_part(self, outcome: str, config: int, part: Part) -> Array:
        """The outcome at the points of one part, shape (points, pairs)."""
        first = sum(len(other.points) for other in self.parts[: self.parts.index(part)])
        return self.values[outcome][config, first : first + len(part.points)]

    def point_values(self, part: Part, point: int, config: str) -> dict[str, Value]:
        """The values of every swept key at a point (from 0) of a part."""
        changes = part.points[point]
        own = self.manifest["scenarios"][config]["values"]
        return {key: changes.get(key, own[key]) for key in self.swept}

    @property
    def sampled(self) -> list[Part]:
        """The parts that are samples of the factors' space."""
        return [part for part in self.parts if isinstance(part.points, Sample)]

    @property
    def swept(self) -> list[str]:
        return list(dict.fromkeys(key for part in self.parts for key in part.swept))


def outcome_name(text: str, manifest: Mapping[str, Any], where: str) -> str:
    """A column of `runs.csv` from a measure, whose end is meant, or from an outcome such as `chip_market@2030`."""
    name = text if "@" in text else f"{text}@end"
    known = [column for column in manifest["columns"] if "@" in column and column != records.FIRST_70]
    if name not in known:
        measures = list(dict.fromkeys(column.partition("@")[0] for column in known))
        raise BadInput(
            f"{where} = {text!r}: is no outcome of the result{nearest(name, known)}; "
            f"measures are {', '.join(measures[:20])}, "
            "and outcomes are MEASURE@end, @2025, @2030, @peak and @sum (of flows)"
        )
    return name


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished batch; BadInput if there is none."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such result folder; run the experiment first with decoupling batch")
    manifest = manifest_in(folder)
    if manifest is None:
        if unfinished(folder):
            raise IncompleteInput(f"{folder}: is not finished; the same batch command goes on with it")
        raise BadInput(f"{folder}: holds no manifest.json of ours; give the folder of a batch")
    if not manifest["experiment"]:
        raise BadInput(f"{folder}: holds one run; give the folder of a batch")
    return manifest


def read_outcomes(folder: Path, manifest: Mapping[str, Any], outcomes: Sequence[str]) -> Outcomes:
    """The outcomes of every run, complete and finite; IncompleteInput otherwise."""
    experiment = manifest["experiment"]
    parts = _parts(experiment, _parameters(manifest), folder)
    configs = experiment["configs"]
    count = experiment.get("parameters", {}).get("ensemble", 0)
    sets, seeds = list(range(1, count + 1)) or [0], manifest["seeds"]
    points = sum(len(part.points) for part in parts)
    shape = (len(configs), points, len(sets) * len(seeds))
    values = {outcome: np.full(shape, np.nan) for outcome in outcomes}
    seen, faults = 0, []
    for row in records.read_rows(folder / records.RUNS):
        seen += 1
        if row["status"] != "done":
            faults.append(f"{folder}: run {row['run_id']} has status {row['status']}")
            continue
        config, point, parameter_set, seed = row["run_id"].rsplit("-", 3)
        pair = sets.index(int(parameter_set)) * len(seeds) + seeds.index(int(seed))
        for outcome in outcomes:
            text = row[outcome]
            values[outcome][configs.index(config), int(point) - 1, pair] = float(text or "nan")
            if not text:
                faults.append(f"{folder}: run {row['run_id']} has no value of {outcome}")
    if faults:
        more = [f"{folder}: and {len(faults) - 5} more like these"] if len(faults) > 5 else []
        raise IncompleteInput([*faults[:5], *more, f"{folder}: this study needs a finite value of every run"])
    if seen != np.prod(shape):
        raise IncompleteInput(f"{folder}: {records.RUNS} has {seen} of {int(np.prod(shape))} runs; run the batch again")
    return Outcomes(folder, manifest, configs, parts, sets, seeds, values)


def _parts(experiment: Mapping[str, Any], declared: Mapping[str, Parameter], folder: Path) -> list[Part]:
    """The parts of the experiment with their points, as they were when the batch was run."""
    plans = experiment.get("parts") or {"": experiment}
    found = []
    for name in experiment.get("order", [""]):
        plan, problems = plans[name], list[str]()
        factors = {key: plan["factors"][key] for key in plan["swept"] if key in plan["factors"]}
        table = PartTable.model_validate({"design": plan["design"], "factors": factors})
        part, _ = read_part(name, table, declared, f"{folder}: ", problems)
        drawn = experiment.get("drawn", {}).get(name)
        if not problems and drawn and drawn != part.points.digest():  # type: ignore[attr-defined]
            problems.append(
                f"{folder}: this version of SALib or scipy draws other points than the batch had; run the batch again"
            )
        if problems:
            raise BadInput(problems)
        found.append(part.leaving_out(experiment.get("leave_out", [])))
    return found


def _parameters(manifest: Mapping[str, Any]) -> Mapping[str, Parameter]:
    """The parameters of the batch's world."""
    return load_world(next(iter(manifest["scenarios"].values()))["world"]).parameters


def is_number(manifest: Mapping[str, Any], key: str) -> bool:
    return _parameters(manifest)[key].is_number
