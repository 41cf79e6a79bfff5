"""A search: batches over lists of policies, each of which goes on from the one before.

Every generation puts its policies behind those that were tried, and the batch runs what is new of that list. What is
tried next follows from the result on disk alone, so a search that was stopped is begun anew over what is there, and
ends with the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.arrays import Array
from sim.batch.blocks import Build, build_model
from sim.batch.engines import worker_count
from sim.batch.identity import batch_identity
from sim.batch.of_config import RunsFailed
from sim.batch.progress import say
from sim.batch.run import run_batch
from sim.batch.store import ADVICE, refuse_another
from sim.compare.results import read_result
from sim.compare.words import counted
from sim.errors import BadInput
from sim.experiment.base_years import refuse_without_base_year
from sim.experiment.cost import duration
from sim.experiment.designs import Point
from sim.experiment.experiment import Experiment
from sim.experiment.file import experiment_path
from sim.experiment.idle import idle_in
from sim.folders import results_folder
from sim.measures import kinds_of
from sim.results.files import write_ours
from sim.results.manifest import manifest_in
from sim.study.files import csv_text
from sim.study.search.file import Search, load_search
from sim.study.search.front import FINAL, Front, as_text, front_of, search_of, values_of
from sim.study.search.judging import costs_of, robust_values, violations


def search(
    experiment: str | Path,
    workers: int | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    build: Build = build_model,
    cluster: str | None = None,
) -> Front:
    """Run a search, or what is left of it, and write its result folder, with front.csv and front.svg besides.

    cluster: the address of a Dask scheduler, or "local:N"; then `workers` is left out.
    Raises BadInput, RunsFailed where the workers could not be kept alive, and KeyboardInterrupt on Ctrl-C;
    what was finished is kept, and the same call goes on from there.
    """
    try:
        from sim.study.search.evolution import evolve
    except ImportError:
        raise BadInput(
            "study search: needs the package pymoo; "
            "install the extra: uv sync --extra search, or pip install 'decoupling-race[search]'"
        ) from None
    workers = worker_count(workers, cluster)
    path = experiment_path(experiment)
    asked = load_search(path)
    out = results_folder() / asked.experiment.name if out is None else Path(out)
    refuse_without_base_year(asked.experiment, str(path))
    for note in idle_in(asked.experiment):
        say(note)
    runner = _Runner(asked, out, workers, fresh, build, cluster)
    policies, last = evolve(asked.factors, asked.first.units, runner.judged, asked.generations, asked.seed)
    found = front_of(out)
    if asked.ensemble and found.whole.best:
        runner.run_in_all_sets([policies[place] for place in found.whole.best if place in last])
        found = front_of(out)
    write(found, out)
    return found


@dataclass
class _Runner:
    """Runs what has not been run of the policies so far, and says how they do."""

    search: Search
    out: Path
    workers: int
    fresh: bool
    build: Build
    cluster: str | None
    generation: int = 0
    new: int = 0  # policies that were run now, in `seconds`
    seconds: float = 0.0

    def judged(self, policies: Sequence[Point]) -> tuple[Array, Array]:
        """The costs (policies, objectives) of all policies so far, and by how much they miss the constraints."""
        self.generation += 1
        held = () if self.fresh else self._held()
        if [*map(as_text, held[: len(policies)])] != [*map(as_text, policies)]:
            self._run(policies, len(policies) - len(held))
        result = read_result(self.out)
        values = values_of(result, self.search.aims.outcomes)
        values = {name: each[: len(policies)] for name, each in values.items()}
        aims = self.search.aims
        costs = costs_of(aims, robust_values(aims, values))
        known = np.isfinite(costs)
        missed = violations(aims, values)
        missed = np.where(np.isfinite(missed), missed, 1e6) + 1e6 * (~known).sum(axis=1)  # behind all others
        return np.where(known, costs, 0.0), missed

    def _held(self) -> Sequence[Point]:
        """The policies of the result that is there. BadInput where it is of something else than this search."""
        experiment = self.search.over([])
        kinds = kinds_of(experiment.measures, experiment.scenarios[0].world)
        refuse_another(self.out, batch_identity(experiment, kinds))
        manifest = manifest_in(self.out)
        if manifest is None or (kept := search_of(manifest)) is None:
            return ()
        if manifest.seeds != list(experiment.seeds):
            raise BadInput(f"{self.out}: the search there was made with other seeds; {ADVICE}")
        if (there := kept.generations) > self.search.generations:
            asked = f"search.generations = {self.search.generations}"
            raise BadInput(f"{self.out}: {asked}: the search there has {there}; give as many or more, or {ADVICE}")
        return listed_in(self.out)

    def _run(self, policies: Sequence[Point], new: int) -> None:
        runs = new * self.search.runs_of_policy
        left = self.search.generations - self.generation + 1
        time_left = f"; {duration(self.seconds / self.new * new * left)} left" if self.new else ""
        say(
            f"{self.search.experiment.name}: generation {self.generation} of {self.search.generations}, "
            f"{counted(new, 'policy', 'policies')}, {runs} runs{time_left}"
        )
        began = time.monotonic()
        self._batch(self.search.over(policies), self.out, self.fresh)
        self.fresh = False
        if len(self._held()) < len(policies):
            raise RunsFailed
        self.new += new
        self.seconds += time.monotonic() - began

    def run_in_all_sets(self, policies: Sequence[Point]) -> None:
        """The front of the search over all parameter sets; that of fewer generations is kept beside."""
        out, experiment = self.out / FINAL, self.search.in_all_sets(policies)
        there = [*map(as_text, listed_in(out))]
        if there == [*map(as_text, policies)]:
            return
        say(
            f"{experiment.name}: {counted(len(policies), 'policy', 'policies')} that nothing beats, in all "
            f"{len(experiment.parameter_sets)} parameter sets, {experiment.run_count} runs"
        )
        self._batch(experiment, out, fresh=bool(there))
        if manifest_in(out) is None:
            raise RunsFailed

    def _batch(self, experiment: Experiment, out: Path, fresh: bool) -> None:
        workers = None if self.cluster else self.workers
        run_batch(experiment, workers, out, fresh, self.build, cluster=self.cluster, quietly=True)


def listed_in(folder: Path) -> Sequence[Point]:
    """The policies of a finished result; none where there is none."""
    manifest = manifest_in(folder)
    asked = manifest.experiment if manifest else None
    return (asked.design.points or ()) if asked and asked.design else ()


def write(found: Front, out: Path) -> None:
    """`front.csv` and `front.svg` in the folder of the result."""
    from sim.study.plot.figure import draw
    from sim.study.plot.front import picture_of

    figure = draw(picture_of(found), "svg").decode()
    write_ours(out, {"front.csv": csv_text(*found.table()), "front.svg": figure})
