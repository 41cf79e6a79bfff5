"""The outcomes of a finished and complete result, by config, part, point and pair of parameter set and seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.arrays import Array
from sim.errors import BadInput, nearest
from sim.experiment.designs import Part, Point, Sample
from sim.experiment.kept import parts_of
from sim.results.manifest import KeptExperiment, Manifest
from sim.results.reading import ResultFolder, Unfinished, open_result
from sim.results.records import FIRST_70, RUNS, read_rows
from sim.terminal import note
from sim.world.world import World

TOLD = 5  # faults in full, the others by their number


class IncompleteInput(BadInput):
    """A result that lacks runs or values which the study needs."""


@dataclass(frozen=True)
class Batch:
    """A finished batch: its folder, its manifest and what was asked."""

    folder: Path
    manifest: Manifest
    experiment: KeptExperiment

    def outcome_name(self, text: str, where: str) -> str:
        """A column of `runs.csv` from a measure, whose end is meant, or from an outcome like `chip_market@2030`."""
        name = text if "@" in text else f"{text}@end"
        known = [column for column in self.manifest.columns if "@" in column and column != FIRST_70]
        if name not in known:
            measures = list(dict.fromkeys(column.partition("@")[0] for column in known))
            raise BadInput(
                f"{where} = {text!r}: is no outcome of the result{nearest(name, known)}; "
                f"measures are {', '.join(measures[:20])}, "
                "and outcomes are MEASURE@end, @2025, @2030, @peak and @sum (of flows)"
            )
        return name


@dataclass(frozen=True)
class Outcomes:
    """The runs of a batch. `values[outcome]` has shape (configs, points, pairs), all finite."""

    batch: Batch
    parts: Sequence[Part]
    sets: Sequence[int]
    values: Mapping[str, Array]

    @property
    def configs(self) -> Sequence[str]:
        return self.batch.experiment.configs

    @property
    def seeds(self) -> Sequence[int]:
        return self.batch.manifest.seeds

    def of_part(self, outcome: str, config: int, part: Part) -> Array:
        """The outcome at the points of one part, shape (points, pairs)."""
        first = sum(len(other.points) for other in self.parts[: self.parts.index(part)])
        return self.values[outcome][config, first : first + len(part.points)]

    def point_values(self, part: Part, point: int, config: str) -> Point:
        """The values of every swept key at a point (from 0) of a part."""
        changes = part.points[point]
        own = self.batch.manifest.scenarios[config].values
        return {key: changes.get(key, own[key]) for key in self.swept}

    @property
    def sampled(self) -> list[Part]:
        """The parts that are samples of the factors' space."""
        return [part for part in self.parts if isinstance(part.points, Sample)]

    @property
    def swept(self) -> list[str]:
        return list(dict.fromkeys(key for part in self.parts for key in part.swept))


def read_batch(folder: str | Path) -> Batch:
    """A finished batch; BadInput if there is none."""
    folder = Path(folder)
    try:
        manifest = open_result(folder).manifest
    except Unfinished as fault:
        raise IncompleteInput(fault.problems) from None
    if manifest.experiment is None:
        raise BadInput(f"{folder}: holds one run; give the folder of a batch")
    return Batch(folder, manifest, manifest.experiment)


def say_changes(result: ResultFolder, world: World) -> None:
    """Note that the program or the world of a result is another one than today's: what is run again may differ."""
    for change in filter(None, (result.other_program, result.other_world(world.id, world.hash))):
        note(change)


def read_outcomes(batch: Batch, outcomes: Sequence[str]) -> Outcomes:
    """The outcomes of every run, complete and finite; IncompleteInput otherwise."""
    table, experiment, seeds = batch.folder / RUNS, batch.experiment, batch.manifest.seeds
    parts = parts_of(experiment, str(batch.folder))
    sets = sorted(map(int, batch.manifest.parameter_sets)) or [0]
    points = sum(len(part.points) for part in parts)
    places = {
        f"{config}-{point + 1}-{parameter_set}-{seed}": (row, point, pair * len(seeds) + luck)
        for row, config in enumerate(experiment.configs)
        for point in range(points)
        for pair, parameter_set in enumerate(sets)
        for luck, seed in enumerate(seeds)
    }
    values = {
        outcome: np.full((len(experiment.configs), points, len(sets) * len(seeds)), np.nan) for outcome in outcomes
    }
    faults: list[str] = []
    for number, row in enumerate(read_rows(table), start=2):
        if lacking := [name for name in ("run_id", "status", *outcomes) if name not in row]:
            raise BadInput(f"{table}: column {lacking[0]!r} is missing; run the batch again")
        if (place := places.pop(row["run_id"], None)) is None:
            raise BadInput(f"{table}: line {number}: run {row['run_id']!r} is not of this batch, or appears twice")
        faults += _read_run(row, place, values, table)
    if faults:
        more = [f"{batch.folder}: and {len(faults) - TOLD} more like these"] if len(faults) > TOLD else []
        raise IncompleteInput([*faults[:TOLD], *more, f"{batch.folder}: this study needs a finite value of every run"])
    if places:
        whole = len(experiment.configs) * points * len(sets) * len(seeds)
        raise IncompleteInput(f"{batch.folder}: {RUNS} has {whole - len(places)} of {whole} runs; run the batch again")
    return Outcomes(batch, parts, sets, values)


def _read_run(
    row: Mapping[str, str], place: tuple[int, int, int], values: Mapping[str, Array], table: Path
) -> Iterator[str]:
    """Put a run's outcomes into their place; a sentence for each that is not there."""
    if row["status"] != "done":
        yield f"{table.parent}: run {row['run_id']} has status {row['status']}"
        return
    for outcome, held in values.items():
        try:
            held[place] = float(row[outcome] or "nan")
        except ValueError:
            raise BadInput(f"{table}: run {row['run_id']}: {outcome} = {row[outcome]!r}: must be a number") from None
        if not np.isfinite(held[place]):
            cell = row[outcome] or "no value"
            yield f"{table.parent}: run {row['run_id']} has {cell} of {outcome}"
