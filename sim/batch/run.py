"""Experiments over many workers, and no finished block lost.

The runs of an experiment are cut into blocks, each of one config, all points with seed 1 before all with
seed 2: a batch that is cut off is balanced, and more replications only add blocks at the end. Workers simulate
blocks and write them as text; this process alone stores and joins them (`sim.batch.store`).
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from sim.batch.blocks import BLOCK_SIZE, Build, Family, Model, build_model, keys_of, result_texts, run_family
from sim.batch.engines import open_engine, worker_count
from sim.batch.identity import batch_identity, column_notes, kept_world, run_identity
from sim.batch.jobs import WorkersDied, finished_jobs
from sim.batch.pasts import families
from sim.batch.progress import KEEPING, Progress, say
from sim.batch.store import Store, refuse_changes, words_of
from sim.errors import BadInput
from sim.experiment.base_years import refuse_without_base_year
from sim.experiment.cost import MEMORY_A_RUN, duration, long_or_large, size, size_on_disk
from sim.experiment.designs import Point
from sim.experiment.experiment import Experiment, Run
from sim.experiment.file import experiment_path, load_experiment
from sim.experiment.idle import idle_in
from sim.folders import results_folder
from sim.measures import kinds_of
from sim.results import provenance, records
from sim.results.files import write_aside, writing
from sim.results.manifest import MANIFEST, Manifest, manifest_in
from sim.results.output import is_result, locked, move_beside, none_left_empty, prepare_out, replace_result
from sim.results.reading import open_result
from sim.scenario.scenario import Scenario

WORTH = 8  # as many futures of a past are run together: more would spare little, and be lost when they are cut off
WORTH_QUARTERS = 8  # that configs have in common at least if they are run together


def even_size(runs: int, workers: int, most: int, neighbours: int = 1, configs: int = 1) -> int:
    """The size of blocks that gives every worker as many, where there is work for several rounds.

    Blocks of so many `configs` are run together. They have at most `most` runs, or several times that where runs share
    a past: those of the configs, and as many `neighbours` of one config, which a block then has together.
    """
    sharing = neighbours * configs
    most *= min(sharing, WORTH)
    rounds = math.ceil(runs / (workers * most))
    size = most if sharing == 1 and rounds < 2 else math.ceil(runs / (workers * rounds))
    return min(math.ceil(most / configs), math.ceil(size / sharing) * neighbours)


Piece = tuple[str, int, int]  # a config, and its runs from the first number to before the end


def _jobs(store: Store, left: int, workers: int, most: int) -> list[list[Piece]]:
    """What is yet to be run, in pieces that are run together: the same runs of all configs that share a past."""
    experiment = store.experiment
    related = families(experiment.scenarios, WORTH_QUARTERS)
    neighbours = experiment.points.total if experiment.since else 1
    size = even_size(left, workers, most, neighbours, max(map(len, related)))
    family_of = {experiment.scenarios[place].name: number for number, family in enumerate(related) for place in family}
    jobs: dict[tuple[int, int, int], list[Piece]] = {}
    for config, first, end in store.missing(size):
        jobs.setdefault((family_of[config], first, end), []).append((config, first, end))
    return list(jobs.values())


def run_batch(
    experiment: Experiment | str | Path,
    workers: int | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    build: Build = build_model,
    block_size: int = BLOCK_SIZE,
    cluster: str | None = None,
    quietly: bool = False,
) -> int:
    """Run an experiment, or what is left of it, and write its result folder. Notes go to standard error.

    cluster: the address of a Dask scheduler, or "local:N"; then `workers` is left out.
    quietly: nothing is said of what is run and how long it took, nor of failed runs, by who says it of many batches.
    Returns 0, or 1 if some runs failed or the workers could not be kept alive.
    Raises BadInput for what cannot be done, and KeyboardInterrupt on Ctrl-C;
    what was finished is kept, and the same call goes on from there.
    """
    where = ""
    if not isinstance(experiment, Experiment):
        where = str(experiment_path(experiment))
        experiment = load_experiment(where)
    workers = worker_count(workers, cluster)
    out = results_folder() / experiment.name if out is None else Path(out)
    _refuse_too_many(experiment, workers, out)
    if not fresh and (finished := _finished(experiment, out)):
        say(f"{out} is finished: {len(experiment)} runs; nothing to do.")
        return _end(finished.failures)
    refuse_without_base_year(experiment, where or experiment.name)
    with none_left_empty(out):
        prepare_out(out)
        if fresh and is_result(out):
            with locked(out):
                say(f"The old result is kept in {move_beside(out)}.")
            prepare_out(out)
        with locked(out):
            return _run_locked(experiment, workers, out, build, block_size, cluster, quietly)


def _refuse_too_many(experiment: Experiment, workers: int, out: Path) -> None:
    """BadInput for runs that this machine's memory has no room to keep the places of, or its disk for the result.

    It is reckoned from counts alone, before anything is made.
    """
    folder = next(path for path in (out.absolute(), *out.absolute().parents) if path.is_dir())
    limits = {
        "of memory": (MEMORY_A_RUN * experiment.run_count, _memory()),
        "of disk": (size_on_disk(experiment, len(experiment.measures)), shutil.disk_usage(folder).total),
    }
    for what, (needed, there) in limits.items():
        if needed > there:
            raise BadInput(
                f"{experiment.name}: has {experiment.run_count} runs, {long_or_large(experiment, workers)}, and needs "
                f"{size(needed)} {what}, of which this machine has {size(there)}; "
                "give fewer levels, samples or replications"
            )


def _memory() -> float:
    """The machine's memory in bytes; without end where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _run_locked(
    experiment: Experiment, workers: int, out: Path, build: Build, block_size: int, cluster: str | None, quietly: bool
) -> int:
    """The batch in a folder that no other batch writes into."""
    started = time.monotonic()
    kinds = kinds_of(experiment.measures, experiment.scenarios[0].world)
    identity = batch_identity(experiment, kinds)
    refuse_changes(out, identity, experiment)
    store = Store(experiment, out, identity, kinds)
    with writing(out, KEEPING):
        for note in (*store.open(), *([] if quietly else idle_in(experiment))):
            say(note)
        finished = store.done
        if finished == len(experiment) and not store.is_open and (manifest := manifest_in(out)):
            write_aside(out / MANIFEST, [_reworded(experiment, manifest).text()])
            say(f"{out} is finished: {finished} runs; nothing to do but to keep today's words.")
            return _end(store.failures)
        jobs = _jobs(store, len(experiment) - finished, workers, block_size)
        where = f"workers {workers}" if cluster is None else f"cluster {cluster}"
        _refuse_too_full(store, out)
        if not quietly:
            _say_plan(store, where, out, workers if cluster is None else None)

    asked = (Family(tuple(store.block(*piece) for piece in pieces)) for pieces in jobs)
    few = len(jobs) <= 2 and len(experiment) - finished <= 2 * BLOCK_SIZE  # too few for workers
    try:
        with (
            closing(open_engine(1 if few else workers, cluster if jobs else None)) as engine,
            Progress(experiment.name, len(experiment), finished) as progress,
        ):
            with writing(out, KEEPING):
                store.start()
            for family, texts in finished_jobs(asked, partial(run_family, build=build), engine):
                for block, text in zip(family.blocks, texts, strict=True):
                    with writing(out, KEEPING):
                        store.keep(block, text)
                    progress.add(len(block.runs))
    except WorkersDied as fault:
        say(f"{fault}; {KEEPING}.")
        return 1
    with writing(out, KEEPING):
        store.join(provenance.run_info(time.monotonic() - started, workers))
    if quietly:
        return 1 if store.failures else 0
    say(f"{out}: {len(experiment)} runs in {duration(time.monotonic() - started)}.")
    return _end(store.failures)


def _finished(experiment: Experiment, out: Path) -> Manifest | None:
    """The manifest of a result to which nothing is to be done, so that it may lie where nothing can be written."""
    try:
        result = open_result(out)
    except BadInput:
        return None
    kinds = kinds_of(experiment.measures, experiment.scenarios[0].world)
    refuse_changes(out, batch_identity(experiment, kinds), experiment)
    if len(result.manifest.seeds) < len(experiment.seeds) or result.unfinished:
        return None
    return result.manifest if _reworded(experiment, result.manifest) == result.manifest else None


def _reworded(experiment: Experiment, manifest: Manifest) -> Manifest:
    """Questions, claims, labels, purposes and sources may be worded anew after the runs: a result keeps today's."""
    purposes = {scenario.name: scenario.purpose for scenario in experiment.scenarios}
    content = {key: held for key, held in manifest.as_dict().items() if key not in ("labels", "answer", "foretold")}
    for name, kept in content["scenarios"].items():
        kept["purpose"] = purposes.get(name, kept["purpose"])
    worlds = {each.world.id: kept_world(each.world).model_dump() for each in experiment.scenarios}
    kinds = kinds_of(experiment.measures, experiment.scenarios[0].world)
    columns = column_notes(experiment.key_columns, kinds, experiment.scenarios[0].world, experiment.since)
    return Manifest.model_validate({**content, **words_of(experiment, manifest), "worlds": worlds, "columns": columns})


def _say_plan(store: Store, where: str, out: Path, processors: int | None) -> None:
    experiment = store.experiment
    needed = size_on_disk(experiment, len(store.kinds))
    sets = f"parameter sets {len(experiment.parameter_sets)}, " if experiment.ensemble else ""
    say(
        f"{experiment.name}: {len(experiment)} runs (configs {len(experiment.scenarios)}, "
        f"points {len(experiment.points)}, {sets}seeds {len(experiment.seeds)}; {where}), "
        f"about {size(needed)} in {out}"
    )
    if processors and (takes := long_or_large(experiment, processors)):
        say(f"That takes {takes}.")
    if store.done:
        say(f"{store.done} of them are done; the other {len(experiment) - store.done} are run now.")


def _refuse_too_full(store: Store, out: Path) -> None:
    needed = size_on_disk(store.experiment, len(store.kinds))
    free = shutil.disk_usage(out).free
    if free < 2 * needed:  # while joining, the blocks and the result are both there
        raise BadInput(
            f"{out}: needs about {size(2 * needed)} while it joins the result, and {size(free)} are free; "
            "make room or give another --out"
        )


def _end(failures: Mapping[str, str]) -> int:
    for run_id, fault in itertools.islice(failures.items(), 5):
        say(f"Run {run_id} failed: {fault}")
    if len(failures) > 5:
        say(f"{len(failures)} runs failed; manifest.json names all of them.")
    return 1 if failures else 0


def write_run(
    model: Model, scenario: Scenario, run: Run, out: str | Path, every: str = "quarter", drawn: Point | None = None
) -> None:
    """Write one finished run as a result folder of the same format, in the place of an older run's.

    All that the run changes is in its scenario; `drawn` says what is from its parameter set.
    Raises BadInput if the folder holds anything else.
    """
    recorder = model.recorder
    kinds = kinds_of(recorder.names, scenario.world)
    [(row, series)] = result_texts(recorder, [keys_of(run)], every, kinds)
    years, _ = recorder.values("year")
    files = {
        records.RUNS: records.line(records.runs_columns([], kinds)).encode() + row,
        records.SERIES: records.line(records.series_columns([], list(kinds))).encode() + series,
    }
    manifest = Manifest.model_validate(
        {
            **run_identity([scenario], int(years[-1][:4]), every, list(kinds)),
            "experiment": None,
            "seeds": [run.seed],
            **({"parameter_sets": {str(run.parameter_set): dict(drawn)}} if drawn else {}),
            "columns": column_notes([], kinds, scenario.world),
            "failures": {},
            "files": {
                name: {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()} for name, text in files.items()
            },
            "run_info": provenance.run_info(0.0, 1),
        }
    )
    replace_result(
        Path(out),
        {**{name: [text] for name, text in files.items()}, MANIFEST: [manifest.text()]},
    )
