"""Run a config with many parameter sets and seeds, and read off the model's values of observed figures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.batch.jobs import Engine, finished_jobs
from sim.batch.progress import Progress, say
from sim.calendar import FIRST_YEAR
from sim.results.files import write_aside, writing
from sim.scenario.scenario import Scenario
from sim.study.validation.observations import Observation
from sim.world.evidence import Value

Values = Mapping[str, Value]
RUNS_AT_ONCE = 64


@dataclass(frozen=True)
class SetsOfParameters:
    """Some parameter sets of one config, each with the same seeds, run together; `first` is the place of the first."""

    scenario: Scenario
    first: int
    sets: Sequence[Values]
    seeds: Sequence[int]
    observations: Sequence[Observation]


@dataclass(frozen=True)
class Runner:
    """Runs the stages of a study by an engine, and keeps what is finished of them in a folder, if there is one.

    identity: what everything that is kept depends on, as the beginning of its file's name.
    """

    engine: Engine
    folder: Path | None = None
    identity: str = ""

    def values_at(
        self,
        stage: str,
        scenario: Scenario,
        sets: Sequence[Values],
        seeds: Sequence[int],
        observations: Sequence[Observation],
    ) -> Array:
        """The model's values of the observed figures in the model's units: (sets, seeds, observations).

        A set's values do not depend on the others, on the workers, on how the sets are cut into jobs, nor on how often
        the stage was interrupted.
        """
        whole = self._file(stage)
        if whole and whole.exists():
            say(f"{stage}: is done already")
            return _read(whole)
        jobs = _jobs(scenario, sets, seeds, observations)
        values = np.concatenate(self._finished(stage, jobs))
        if whole:
            with writing(whole.parent):
                write_aside(whole, [_npy(values)])
                for part in (self._file(stage, job.first) for job in jobs):
                    if part:
                        part.unlink(missing_ok=True)
        return values

    def _finished(self, stage: str, jobs: Sequence[SetsOfParameters]) -> list[Array]:
        """Each job's values; those that are kept are not run again."""
        kept = {job.first: path for job in jobs if (path := self._file(stage, job.first)) and path.exists()}
        values = {first: _read(path) for first, path in kept.items()}
        runs = {job.first: len(job.sets) * len(job.seeds) for job in jobs}
        say(f"{stage}: {sum(runs.values())} runs")
        with Progress(stage, sum(runs.values()), sum(runs[first] for first in kept)) as progress:
            missing = [job for job in jobs if job.first not in kept]
            for job, part in finished_jobs(missing, run_job, self.engine):
                values[job.first] = part
                if path := self._file(stage, job.first):
                    with writing(path.parent):
                        write_aside(path, [_npy(part)])
                progress.add(runs[job.first])
        return [values[job.first] for job in jobs]

    def _file(self, stage: str, first: int | None = None) -> Path | None:
        """Where a stage is kept, or the job of it that begins with the set `first`."""
        if self.folder is None:
            return None
        part = "" if first is None else f"-{first}"
        return self.folder / f"{self.identity}-{stage.replace(' ', '-')}{part}.npy"


def values_at(
    scenario: Scenario, sets: Sequence[Values], seeds: Sequence[int], observations: Sequence[Observation]
) -> Array:
    """The same in this process, and nothing is printed or kept: (sets, seeds, observations)."""
    return np.concatenate([run_job(job) for job in _jobs(scenario, sets, seeds, observations)])


def _jobs(
    scenario: Scenario, sets: Sequence[Values], seeds: Sequence[int], observations: Sequence[Observation]
) -> list[SetsOfParameters]:
    size = max(1, RUNS_AT_ONCE // len(seeds))
    starts = range(0, len(sets), size)
    return [SetsOfParameters(scenario, start, sets[start : start + size], seeds, observations) for start in starts]


def run_job(job: SetsOfParameters) -> Array:
    """One job's values, (sets, seeds, observations)."""
    from sim.model import DecouplingModel

    measures = list(dict.fromkeys(o.measure for o in job.observations))
    scenarios = [job.scenario.with_values(values) for values in job.sets]
    model = DecouplingModel.block(
        [scenario for scenario in scenarios for _ in job.seeds],
        list(job.seeds) * len(scenarios),
        record=measures,
        until=max(o.year for o in job.observations),
    )
    while model.running:
        model.step()
    values = read_off(model.recorder, measures, job.observations)
    return values.reshape(len(job.sets), len(job.seeds), len(job.observations))


def read_off(recorder: Any, measures: Sequence[str], observations: Sequence[Observation]) -> Array:
    """The values of the observed figures in every run of a recorder, (runs, observations)."""
    recorded = {every: recorder.values(every) for every in ("year", "quarter")}
    columns = []
    for observation in observations:
        dates, values = recorded["quarter" if observation.is_quarter else "year"]
        column = values[:, dates.index(observation.date), measures.index(observation.measure)]
        if observation.is_relative:
            column = column / values[:, dates.index(f"{FIRST_YEAR}-12-31"), measures.index(observation.measure)]
        columns.append(column)
    return np.stack(columns, axis=-1)


def _npy(values: Array) -> bytes:
    text = io.BytesIO()
    np.save(text, values)
    return text.getvalue()


def _read(path: Path) -> Array:
    values: Array = np.load(path)
    return values
