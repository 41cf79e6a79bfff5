"""Runs of futures: blocks that are held at the quarters from which policies go on, so that a move costs no past."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.batch.pasts import parting
from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.futures.policy import FROM
from sim.futures.sets import Pair, scenarios
from sim.model import DecouplingModel
from sim.scenario.held import Entry
from sim.scenario.scenario import Scenario

YEARS = LAST_YEAR - FIRST_YEAR + 1
HELD_BYTES = 150e6  # of moments that are held, in one process


@dataclass(frozen=True)
class Job:
    """Futures of a config under a policy, which is dated `events`, or as they are.

    `caused` is the part of the push that controls cause, None for each parameter set's own. `measures` are recorded.
    `hash` is the scenario's, which takes a while to work out.
    """

    scenario: Scenario
    hash: str
    pairs: tuple[Pair, ...]
    measures: tuple[str, ...]
    events: tuple[Entry, ...] = ()
    caused: float | None = None

    @cached_property
    def changed(self) -> Scenario:
        """The config with the policy among its events."""
        changed = self.scenario
        for event in self.events:
            changed = changed.with_event(event)
        return changed

    @cached_property
    def past(self) -> Hashable:
        """The same for jobs that go on from the same past."""
        return self.hash, self.pairs, self.caused, self.measures

    @cached_property
    def key(self) -> Hashable:
        """The same for jobs with the same answer."""
        return self.past, json.dumps([dict(event) for event in self.events], sort_keys=True, default=str)


class Moments:
    """Models that are held at first quarters of years, the least used let go first when they take too much memory."""

    def __init__(self, most: float = HELD_BYTES) -> None:
        self._most = most
        self._held: OrderedDict[tuple[Hashable, int], tuple[DecouplingModel, int]] = OrderedDict()
        self.bytes = 0

    def at(self, job: Job) -> DecouplingModel:
        """A model of the job's futures in the quarter in which they part from those without the policy."""
        quarter = parting(job.scenario, job.changed)
        key = (job.past, quarter)
        if key not in self._held:
            self._run_up(job, quarter, [quarter])
        self._held.move_to_end(key)
        return self._held[key][0].branch(scenarios(job.changed, job.pairs, job.caused))

    def unchanged(self, job: Job) -> DecouplingModel:
        """The job's futures without a policy, run to their end; held on the way at each quarter of choice."""
        return self._run_up(job, None, FROM)

    def _run_up(self, job: Job, until: int | None, held: Sequence[int]) -> DecouplingModel:
        model, size = self._latest(job, until), 0
        while model.running and model.quarter != until:
            model.step()
            if model.quarter in held:
                size = size or _bytes(model, {})
                self._hold((job.past, model.quarter), model.branch(), size)
        return model

    def _latest(self, job: Job, until: int | None) -> DecouplingModel:
        """The futures at the latest moment that is held before `until`, else at their beginning."""
        held = [quarter for past, quarter in self._held if past == job.past and until is not None and quarter < until]
        if held:
            return self._held[job.past, max(held)][0].branch()
        seeds = [seed for _, seed in job.pairs]
        chosen = scenarios(job.scenario, job.pairs, job.caused)
        return DecouplingModel.block(chosen, seeds, record=list(job.measures))

    def _hold(self, key: tuple[Hashable, int], model: DecouplingModel, size: int) -> None:
        if key in self._held:
            return
        self._held[key] = model, size
        self.bytes += size
        while self.bytes > self._most and len(self._held) > 1:
            _, (_, freed) = self._held.popitem(last=False)
            self.bytes -= freed


def run(job: Job, moments: Moments) -> Array:
    """The measures of each future by year, (futures, years, measures), NaN where missing.

    Where futures that are held together fail, they are run one by one, as in a batch, and those that fail are NaN.
    Raises what stopped the last of them where none can be run.
    """
    try:
        return _together(job, moments)
    except Exception:
        if len(job.pairs) == 1:
            raise
    alone, fault = [], None
    for pair in job.pairs:
        try:
            alone.append(_together(replace(job, pairs=(pair,)), Moments(0)))
        except Exception as stopped:
            fault = stopped
            alone.append(np.full((1, YEARS, len(job.measures)), np.nan))
    if fault and np.isnan(alone).all():
        raise fault
    return np.concatenate(alone)


def _together(job: Job, moments: Moments) -> Array:
    if not job.events:
        model = moments.unchanged(job)
    else:
        model = moments.at(job)
        while model.running:
            model.step()
    values: Array = model.recorder.values("year")[1]
    return values


_HERE = Moments()


def run_here(job: Job) -> Array:
    """`run`, with the moments that this process holds."""
    return run(job, _HERE)


def _bytes(held: Any, seen: dict[int, Any]) -> int:
    """About how much memory the arrays of a model take."""
    if id(held) in seen:
        return 0
    seen[id(held)] = held
    if isinstance(held, np.ndarray):
        return int(held.nbytes) if held.base is None else _bytes(held.base, seen)
    if isinstance(held, dict):
        return sum(_bytes(each, seen) for each in held.values())
    if isinstance(held, list | tuple):
        return sum(_bytes(each, seen) for each in held)
    ours = type(held).__module__.startswith("sim.") and hasattr(held, "__dict__")
    return _bytes(vars(held), seen) if ours else 0
