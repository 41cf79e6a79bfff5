"""Run a config with many parameter sets and seeds, and read off the model's values of observed figures."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.batch.workers import forkserver_context
from sim.calendar import FIRST_YEAR
from sim.scenario.scenario import Scenario
from sim.study.validation.observations import Observation
from sim.terminal import note
from sim.world.evidence import Value

Values = Mapping[str, Value]
RUNS_AT_ONCE = 64


@dataclass(frozen=True)
class Job:
    """Some parameter sets of one config, each with the same seeds, run together."""

    scenario: Scenario
    sets: Sequence[Values]
    seeds: Sequence[int]
    observations: Sequence[Observation]


def values_at(
    scenario: Scenario,
    sets: Sequence[Values],
    seeds: Sequence[int],
    observations: Sequence[Observation],
    pool: ProcessPoolExecutor | None,
    progress: Progress | None = None,
) -> Array:
    """The model's values of the observed figures in the model's units: (sets, seeds, observations).

    A set's values do not depend on the others, on the workers or on how the sets are cut into jobs.
    """
    scenario = replace(scenario, values=dict(scenario.values))  # a plain dictionary can be sent to a worker
    size = max(1, RUNS_AT_ONCE // len(seeds))
    jobs = [Job(scenario, sets[start : start + size], seeds, observations) for start in range(0, len(sets), size)]
    parts = []
    for job, part in zip(jobs, pool.map(run_job, jobs) if pool else map(run_job, jobs), strict=True):
        parts.append(part)
        if progress:
            progress.add(len(job.sets) * len(seeds))
    return np.concatenate(parts)


def run_job(job: Job) -> Array:
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
    found = read_off(model.recorder, measures, job.observations)
    del model
    gc.collect()  # models hold circles of references
    return found.reshape(len(job.sets), len(job.seeds), len(job.observations))


def read_off(recorder: Any, measures: Sequence[str], observations: Sequence[Observation]) -> Array:
    """The values of the observed figures in every run of a recorder, (runs, observations)."""
    records = {every: recorder.values(every) for every in ("year", "quarter")}
    columns = []
    for observation in observations:
        dates, values = records["quarter" if observation.is_quarter else "year"]
        column = values[:, dates.index(observation.date), measures.index(observation.measure)]
        if observation.is_relative:
            column = column / values[:, dates.index(f"{FIRST_YEAR}-12-31"), measures.index(observation.measure)]
        columns.append(column)
    return np.stack(columns, axis=-1)


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """Local processes, or None for one worker: then everything runs in this process."""
    if workers == 1:
        yield None
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the workers' processes inherit it
    context = forkserver_context(["sim.model", "sim.study.validation.hindcast"])
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts_to_the_parent) as pool:
        yield pool


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Progress:
    """How far a stage is, a line on standard error every few seconds."""

    SECONDS = 5.0

    def __init__(self, stage: str, total: int) -> None:
        self.stage, self.total, self.done = stage, total, 0
        self.started = self.said = time.monotonic()
        note(f"{stage}: {total} runs")

    def add(self, runs: int) -> None:
        self.done += runs
        now = time.monotonic()
        if now - self.said >= self.SECONDS and self.done < self.total:
            self.said = now
            left = (now - self.started) / self.done * (self.total - self.done)
            note(f"{self.stage}: {self.done} of {self.total} runs, about {left:.0f} s left")
