"""Experiments over local workers, and no finished block lost.

The runs of an experiment are cut into blocks of up to 32, each of one config. A block is simulated and written as
text by a worker; the parent alone stores it, as one file that appears whole or not at all, in a folder named by the
experiment's hash inside the result folder. To continue, the parent lists what is stored and fills the gaps, so
neither the size of blocks nor the number of workers nor the moments of interruption leave a trace: at the end
it joins the runs in their order.

Blocks follow the seeds: all points with seed 1, then all with seed 2. A batch that is cut off is balanced, and more
replications only add blocks at the end.
"""

from __future__ import annotations

import gc
import hashlib
import heapq
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

import numpy as np

from sim import records
from sim.evidence import World, load_world, parameters
from sim.experiment import Experiment, Run, load_experiment
from sim.measures import catalogue
from sim.scenario import Scenario
from sim.vocabulary import FIRST_YEAR, LAST_YEAR, QUARTERS_PER_YEAR, BadInput, project_root, quarters_until

BLOCK_SIZE = 32
DEATHS_IN_A_ROW = 3  # workers that die so often, with no block finished in between, will die again
IDENTITY = "identity.json"
FILES_OPEN = 64


# What a worker does: a block of runs becomes text.


class Recorder(Protocol):
    names: Sequence[str]

    def values(self, every: str) -> tuple[Sequence[str], Any]: ...

    def first_reaching(self, level: float) -> Sequence[str]: ...


class Model(Protocol):
    """What a batch needs of a model that holds one run or many."""

    recorder: Any
    running: bool

    def step(self) -> Any: ...


Build = Callable[[Sequence[Scenario], Sequence[int], Sequence[str], int], Model]


def build_model(scenarios: Sequence[Scenario], seeds: Sequence[int], measures: Sequence[str], until: int) -> Model:
    from sim.model import DecouplingModel

    return DecouplingModel.block(scenarios, seeds, record=list(measures), until=until)


@dataclass(frozen=True)
class Block:
    """Runs of one config, to be simulated together; `first` and `last` are their numbers within that config."""

    scenario: Scenario
    runs: tuple[Run, ...]
    first: int
    last: int
    every: str
    kinds: Mapping[str, str]
    until: int
    identity: str


def run_block(block: Block, build: Build = build_model) -> bytes:
    """Simulate a block and write it as text, as it will be stored.

    If the block fails, its runs are repeated one by one, so that the one that fails is recorded as failed and its
    neighbours keep their bytes.
    """
    failures: dict[str, str] = {}
    try:
        texts = _run_together(block, block.runs, build)
    except Exception:
        texts = []
        for run in block.runs:
            try:
                texts += _run_together(block, [run], build)
            except Exception as fault:
                failures[run.run_id] = f"{type(fault).__name__}: {fault}"
                nothing = [None] * len(records.outcome_columns(block.kinds))
                texts.append((records.runs_row(keys_of(run), "failed", nothing).encode(), b""))
    header = {
        "identity": block.identity,
        "config": block.scenario.name,
        "first": block.first,
        "last": block.last,
        "sizes": [[len(row), len(series)] for row, series in texts],
        "failures": failures,
    }
    body = b"".join(itertools.chain([json.dumps(header).encode(), b"\n"], *texts))
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _run_together(block: Block, runs: Sequence[Run], build: Build) -> list[tuple[bytes, bytes]]:
    scenarios: dict[int, Scenario] = {}
    for run in runs:
        if run.point not in scenarios:
            scenarios[run.point] = block.scenario.with_values(run.values)
    measures = list(block.kinds)
    model = build([scenarios[run.point] for run in runs], [run.seed for run in runs], measures, block.until)
    while model.running:
        model.step()
    return result_texts(model.recorder, [keys_of(run) for run in runs], block.every, block.kinds)


def result_texts(
    recorder: Recorder, keys: Sequence[Sequence[object]], every: str, kinds: Mapping[str, str]
) -> list[tuple[bytes, bytes]]:
    """Each run's row of `runs.csv` and lines of `series.csv`."""
    if list(recorder.names) != list(kinds):
        raise RuntimeError(f"the model records {', '.join(recorder.names)}; asked for were {', '.join(kinds)}")
    years, yearly = recorder.values("year")
    dates, values = recorder.values(every)
    outcomes = records.outcomes(kinds, years, yearly, recorder.first_reaching(records.TARGET))
    return [
        (records.runs_row(key, "done", outcome).encode(), records.series_rows(key, dates, series).encode())
        for key, outcome, series in zip(keys, outcomes, values, strict=True)
    ]


def keys_of(run: Run) -> list[object]:
    """The cells that begin a run's lines."""
    return [run.run_id, run.config, run.parameter_set, run.seed, *run.values.values()]


# What is stored: blocks in the folder of the unfinished batch, and the files of a finished one.

PLACE = np.dtype(
    [
        ("row_file", "i4"),
        ("row", "i8"),
        ("row_size", "i4"),
        ("series_file", "i4"),
        ("series", "i8"),
        ("series_size", "i4"),
    ]
)


class Store:
    """The finished runs of a batch on disk, and where each of them stands.

    Within a config, run number (seed - 1) · points + point - 1 has its place at `places[config][number]`;
    file 0 means that it has not been run.
    """

    def __init__(
        self, experiment: Experiment, out: Path, identity: Mapping[str, Any], kinds: Mapping[str, str]
    ) -> None:
        self.experiment = experiment
        self.out = out
        self.kinds = kinds
        self.identity = identity
        self.hash = _hash(identity)
        self.folder = out / f"{records.UNFINISHED}{self.hash}"
        self.points = len(experiment.points)
        self.files: list[Path] = [out]  # number 0 stands for nothing
        self.failures: dict[str, str] = {}
        each = self.points * experiment.replications
        self.places = {scenario.name: np.zeros(each, PLACE) for scenario in experiment.scenarios}
        self.numbers = {scenario.name: place for place, scenario in enumerate(experiment.scenarios, start=1)}

    def open(self) -> list[str]:
        """Find what is there already. Returns sentences about what cannot be used."""
        notes: list[str] = []
        self._end_interrupted_join()
        self._find_finished(notes)
        self._find_blocks(notes)
        return notes

    @property
    def done(self) -> int:
        return sum(int(np.count_nonzero(places["row_file"])) for places in self.places.values())

    def missing(self, size: int) -> list[tuple[str, int, int]]:
        """What is yet to be run: (config, first, end) of up to `size` runs, the lowest seeds of all configs first."""

        def pieces(config: str) -> Iterator[tuple[int, int, int]]:
            gaps = np.flatnonzero(self.places[config]["row_file"] == 0)
            for gap in np.split(gaps, np.flatnonzero(np.diff(gaps) != 1) + 1):
                for start in range(0, len(gap), size):
                    piece = gap[start : start + size]
                    yield int(piece[0]), self.numbers[config], int(piece[-1]) + 1

        names = {number: config for config, number in self.numbers.items()}
        return [(names[number], first, end) for first, number, end in heapq.merge(*map(pieces, self.numbers))]

    def block(self, config: str, first: int, end: int) -> Block:
        """The block of a config's runs from number `first` to before `end`."""
        scenario = self.experiment.scenarios[self.numbers[config] - 1]
        scenario = replace(scenario, values=dict(scenario.values))  # a plain dictionary can be sent to a worker
        runs = tuple(
            self.experiment.run(scenario, number % self.points + 1, number // self.points + 1)
            for number in range(first, end)
        )
        return Block(scenario, runs, first + 1, end, self.experiment.every, self.kinds, LAST_YEAR, self.hash)

    def keep(self, block: Block, content: bytes) -> None:
        """Store a finished block and note its runs' places."""
        path = self.folder / f"{self.numbers[block.scenario.name]}-{block.first:07d}-{block.last:07d}.block"
        records.write_aside(path, [content])
        self._note_block(path, content)

    def start(self) -> None:
        """Make the folder for the blocks; it tells whose they are."""
        self.folder.mkdir(exist_ok=True)
        mark = {"identity": self.identity, "replications": self.experiment.replications}
        records.write_aside(self.folder / IDENTITY, [json.dumps(mark, sort_keys=True, indent=1).encode()])

    def _note_block(self, path: Path, content: bytes) -> bool:
        """Note the places of a block's runs; False if it is damaged or not a block of this batch."""
        digest, _, body = content.partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return False
        text, _, _ = body.partition(b"\n")
        header = json.loads(text)
        places = self.places.get(header["config"])
        if header["identity"] != self.hash or places is None or header["last"] > len(places):
            return False
        offset = len(digest) + 1 + len(text) + 1
        file = self._file(path)
        for number, (row, series) in enumerate(header["sizes"], start=header["first"] - 1):
            places[number] = (file, offset, row, file, offset + row, series)
            offset += row + series
        self.failures.update(header["failures"])
        return True

    def _file(self, path: Path) -> int:
        self.files.append(path)
        return len(self.files) - 1

    def _find_blocks(self, notes: list[str]) -> None:
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            if path.suffix == ".block":
                if not self._note_block(path, path.read_bytes()):
                    notes.append(f"{path}: is damaged or of another batch; its runs are done again")
                    path.unlink()
            elif path.suffix == ".aside":
                path.unlink()
            elif path.name not in (IDENTITY, *records.RESULT_FILES):
                notes.append(f"{path}: is no block of ours; it is not read")

    def _end_interrupted_join(self) -> None:
        """If the result was complete when the end came, only moving it into place is left."""
        if (self.folder / records.MANIFEST).exists():
            self._publish()

    def _publish(self) -> None:
        for name in records.RESULT_FILES:  # the manifest last: with it the result is finished
            if (self.folder / name).exists():
                os.replace(self.folder / name, self.out / name)
        records.keep_folder(self.out)
        shutil.rmtree(self.folder)

    def _find_finished(self, notes: list[str]) -> None:
        """Note the places of a finished result's runs, for a batch that is extended or run again."""
        manifest = records.read_manifest(self.out)
        if manifest is None:
            return
        for name, known in manifest["files"].items():
            if _file_facts(self.out / name) != known:
                notes.append(f"{self.out / name}: is missing or not as it was written; its runs are done again")
                return
        self.failures.update(manifest["failures"])
        row_file, series_file = (self._file(self.out / name) for name in (records.RUNS, records.SERIES))
        with (self.out / records.RUNS).open("rb") as rows, (self.out / records.SERIES).open("rb") as series:
            row_offset, series_offset = len(rows.readline()), len(series.readline())
            following = series.readline()
            for run in replace(self.experiment, replications=len(manifest["seeds"])).runs():
                row = rows.readline()
                start = (records.cell(run.run_id) + ",").encode()
                size = 0
                while following.startswith(start):
                    size += len(following)
                    following = series.readline()
                self.places[run.config][(run.seed - 1) * self.points + run.point - 1] = (
                    row_file,
                    row_offset,
                    len(row),
                    series_file,
                    series_offset,
                    size,
                )
                row_offset += len(row)
                series_offset += size

    def join(self, info: Mapping[str, Any]) -> None:
        """Write the result from what is stored, put it into place, and remove the blocks."""
        kinds, experiment = self.kinds, self.experiment
        for name, columns in (
            (records.SERIES, records.series_columns(experiment.swept, list(kinds))),
            (records.RUNS, records.runs_columns(experiment.swept, kinds)),
        ):
            records.write_aside(self.folder / name, self._texts(name, columns))
        manifest = {
            **self.identity,
            "experiment": experiment.as_dict(),
            "seeds": list(range(1, experiment.replications + 1)),
            "columns": column_notes(experiment.swept, kinds, load_world(experiment.scenarios[0].world)),
            "failures": self.failures,
            "files": {name: _file_facts(self.folder / name) for name in (records.RUNS, records.SERIES)},
            "run_info": info,
        }
        records.write_manifest(self.folder / records.MANIFEST, manifest)
        self._publish()

    def _texts(self, name: str, columns: Sequence[str]) -> Iterator[bytes]:
        """The lines of one of the two tables, in order."""
        yield records.line(columns).encode()
        part = "row" if name == records.RUNS else "series"

        opened: dict[int, BinaryIO] = {}
        try:
            for scenario in self.experiment.scenarios:
                places = self.places[scenario.name]
                for point in range(self.points):
                    for place in places[point :: self.points]:
                        number = int(place[f"{part}_file"])
                        if number not in opened:
                            if len(opened) == FILES_OPEN:
                                opened.pop(next(iter(opened))).close()
                            opened[number] = self.files[number].open("rb")
                        opened[number].seek(int(place[part]))
                        yield opened[number].read(int(place[f"{part}_size"]))
        finally:
            for file in opened.values():
                file.close()


def _file_facts(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError:
        return None


def _hash(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


# What a batch is: two batches with equal identity give equal bytes.


def batch_identity(experiment: Experiment, kinds: Mapping[str, str]) -> dict[str, Any]:
    """All that the results depend on but the number of replications, which may grow."""
    content = experiment.as_dict()
    del content["replications"]
    return {
        "experiment": content,
        **run_identity(experiment.scenarios, LAST_YEAR, experiment.every, list(kinds)),
    }


def run_identity(scenarios: Iterable[Scenario], last_year: int, every: str, measures: Sequence[str]) -> dict[str, Any]:
    scenarios = list(scenarios)
    world = load_world(scenarios[0].world)
    identity = {
        "schema_version": records.SCHEMA_VERSION,
        "scenarios": {scenario.name: {"hash": scenario.hash, **scenario.as_dict()} for scenario in scenarios},
        "world": {"name": world.name, "hash": world.hash},
        "horizon": {"first": FIRST_YEAR, "last": last_year},
        "record": {"every": every, "measures": list(measures)},
        "program_hash": records.program_hash(),
        "dependencies": records.dependencies(),
        "arithmetic": records.arithmetic_fingerprint(),
    }
    return json.loads(json.dumps(identity))


def refuse_changes(out: Path, identity: Mapping[str, Any], replications: int) -> None:
    """BadInput if the folder holds another batch than this one, or one with more replications."""
    held: list[tuple[Mapping[str, Any], int]] = []
    if manifest := records.read_manifest(out):
        earlier: dict[str, Any] = {key: manifest.get(key) for key in identity}
        earlier["experiment"] = {k: v for k, v in (manifest["experiment"] or {}).items() if k != "replications"}
        held.append((earlier, len(manifest["seeds"])))
    for folder in records.unfinished(out):
        try:
            mark = json.loads((folder / IDENTITY).read_bytes())
            held.append((mark["identity"], mark["replications"]))
        except (OSError, ValueError, KeyError):
            if folder.name != f"{records.UNFINISHED}{_hash(identity)}":
                held.append(({}, 0))
    advice = "--fresh starts anew beside the old, which is kept under another name"
    for other, count in held:
        changes = list(itertools.islice(_differences(other, identity), 12)) if other else ["it cannot be read"]
        if changes:
            raise BadInput(
                [
                    f"{out}: holds another batch, and a changed one is not continued; {advice}",
                    *(f"{out}: {change}" for change in changes),
                ]
            )
        if count > replications:
            raise BadInput(
                f"{out}: replications = {replications}: the batch there has {count}; give as many or more, or {advice}"
            )


def _differences(old: Any, new: Any, key: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
    elif old != new:
        yield f"{key} was {_short(old)} and is now {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:56]} …"


def column_notes(swept: Iterable[str], measures: Iterable[str], world: World) -> dict[str, dict[str, Any]]:
    """Unit, formula and meaning of every column of the two tables."""
    notes: dict[str, dict[str, Any]] = {
        "run_id": {"unit": "word", "meaning": "config-point-parameter_set-seed"},
        "config": {"unit": "word", "meaning": "the config's name"},
        "parameter_set": {"unit": "number", "meaning": "0 for the config's own parameters"},
        "seed": {"unit": "number", "meaning": "runs with equal seeds have equal luck"},
        "status": {"unit": "word", "meaning": "done or failed"},
        "date": {"unit": "date", "meaning": "the last day of the period"},
        records.FIRST_70: {
            "unit": "date",
            "formula": f"first quarter with domestic_supply_share >= {records.TARGET}",
            "meaning": "when the target of 70 % is reached; empty if never",
        },
    }
    for key in swept:
        notes[key] = {"unit": parameters()[key].unit, "meaning": parameters()[key].meaning}
    whens = {
        "end": "in the last year",
        **{str(year): f"in {year}" for year in records.OUTCOME_YEARS},
        "peak": "largest yearly value",
        "sum": "sum over the years",
    }
    known = catalogue(world)
    for name in measures:
        measure = known[name]
        notes[name] = {
            "unit": measure.unit,
            "formula": measure.formula,
            "meaning": measure.meaning,
            "kind": measure.kind,
            "direction": measure.direction,
        }
        for when, words in whens.items():
            if when != "sum" or measure.kind == "flow":
                unit = "bn yuan" if when == "sum" else measure.unit
                notes[f"{name}@{when}"] = {"unit": unit, "formula": f"{name}, {words}", "meaning": measure.meaning}
    return notes


def kinds_of(measures: Iterable[str], world: World) -> dict[str, str]:
    """Each measure's kind, which decides about its outcomes."""
    known = catalogue(world)
    return {name: known[name].kind for name in measures}


# Workers.


def finished_blocks(blocks: Iterable[Block], count: int, workers: int, build: Build) -> Generator[tuple[Block, bytes]]:
    """Every block with its text, as they finish; in this process when there is too little for workers."""
    if workers == 1 or count <= 2:
        for block in blocks:
            yield block, _run_and_collect(block, build)
        return
    blocks = iter(blocks)
    again: list[Block] = []
    under_way: dict[Future[bytes], Block] = {}
    deaths = 0
    while True:
        pool = _worker_pool(workers)
        try:
            while True:
                while len(under_way) < 2 * workers:
                    following = again.pop() if again else next(blocks, None)
                    if following is None:
                        break
                    again.append(following)  # until it is in the pool's hands
                    future = pool.submit(_run_and_collect, following, build)
                    under_way[future] = again.pop()
                if not under_way:
                    return
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    text = future.result()
                    deaths = 0
                    yield under_way.pop(future), text
        except BrokenProcessPool:
            deaths += 1
            if deaths == DEATHS_IN_A_ROW:
                raise
            again += under_way.values()
            under_way.clear()
            _say("A worker died; its blocks are run again.")
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _worker_pool(workers: int) -> ProcessPoolExecutor:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the workers' processes inherit it
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sim.model", "sim.batch"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)


def _start_worker() -> None:
    """Ctrl-C is the parent's business; and a worker whose parent was killed ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    gc.freeze()  # what is imported stays; so that collecting after each block looks at the block alone


def _run_and_collect(block: Block, build: Build) -> bytes:
    """Models hold circles of references: without collecting them a process grows for hundreds of blocks."""
    text = run_block(block, build)
    gc.collect()
    return text


# Progress, to standard error.


class Progress:
    """How far a batch is and how long it will take: a bar in a terminal, else a line every few seconds."""

    SECONDS = 5.0

    def __init__(self, name: str, total: int, done: int) -> None:
        self.name, self.total, self.done = name, total, done
        self.done_before = done
        self.started = self.said = time.monotonic()
        self.bar: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            left = TextColumn("{task.fields[left]}")
            self.bar = Bar(
                TextColumn(self.name),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                left,
                console=Console(stderr=True),
            )
            self.bar.start()
            self.task = self.bar.add_task("", total=self.total, completed=self.done, left="")
        return self

    def __exit__(self, *fault: object) -> None:
        if self.bar:
            self.bar.stop()

    def add(self, runs: int) -> None:
        self.done += runs
        now = time.monotonic()
        pace = (now - self.started) / (self.done - self.done_before)
        left = f"{_duration(pace * (self.total - self.done))} left"
        if self.bar:
            self.bar.update(self.task, completed=self.done, left=left)
        elif now - self.said >= self.SECONDS:
            self.said = now
            print(f"{self.name}: {self.done} of {self.total} runs, {left}", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def size_on_disk(experiment: Experiment, measures: int) -> int:
    """About how many bytes the result will have: 19 a number, and the keys in front of each line."""
    quarters = quarters_until(LAST_YEAR)
    dates = {"quarter": quarters, "year": quarters // QUARTERS_PER_YEAR, "end": 1}[experiment.every]
    keys = 60 + 8 * len(experiment.swept)
    return len(experiment) * (dates * (keys + 19 * measures) + keys + 5 * 19 * measures)


# The two verbs.


def run_batch(
    experiment: Experiment | str | Path,
    workers: int | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    build: Build = build_model,
    block_size: int = BLOCK_SIZE,
) -> int:
    """Run an experiment, or what is left of it, and write its result folder. Notes go to standard error.

    Returns 0, or 1 if some runs failed or the workers could not be kept alive.
    Raises BadInput for what cannot be done, and KeyboardInterrupt on Ctrl-C;
    what was finished is kept, and the same call goes on from there.
    """
    started = time.monotonic()
    if not isinstance(experiment, Experiment):
        experiment = load_experiment(experiment)
    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise BadInput(f"--workers = {workers}: must be a whole number from 1")
    out = project_root() / "results" / experiment.name if out is None else Path(out)
    records.prepare_out(out)
    if fresh and records.is_result(out):
        _say(f"The old result is kept in {records.move_beside(out)}.")
        records.prepare_out(out)

    kinds = kinds_of(experiment.measures, load_world(experiment.scenarios[0].world))
    identity = batch_identity(experiment, kinds)
    refuse_changes(out, identity, experiment.replications)
    store = Store(experiment, out, identity, kinds)
    keeping = "what is finished is kept, and the same command goes on from there"
    with records.writing(out, keeping):
        for note in store.open():
            _say(note)
        finished = store.done
        if finished == len(experiment) and records.read_manifest(out) and not store.folder.exists():
            _say(f"{out} is finished: {finished} runs; nothing to do.")
            return _end(store)
        missing = store.missing(block_size)
        _say_plan(store, missing, workers, out)
        store.start()

    blocks = (store.block(*piece) for piece in missing)
    try:
        with (
            Progress(experiment.name, len(experiment), finished) as progress,
            closing(finished_blocks(blocks, len(missing), workers, build)) as texts,
        ):
            for block, text in texts:
                with records.writing(out, keeping):
                    store.keep(block, text)
                progress.add(len(block.runs))
    except BrokenProcessPool:
        _say(
            f"Workers died {DEATHS_IN_A_ROW} times in a row, perhaps for want of memory; {keeping}. "
            "Fewer --workers need less memory."
        )
        return 1
    with records.writing(out, keeping):
        store.join(records.run_info(time.monotonic() - started, workers))
    _say(f"{out}: {len(experiment)} runs in {_duration(time.monotonic() - started)}.")
    return _end(store)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _say_plan(store: Store, missing: Sequence[object], workers: int, out: Path) -> None:
    experiment = store.experiment
    size = size_on_disk(experiment, len(store.kinds))
    _say(
        f"{experiment.name}: {len(experiment)} runs (configs {len(experiment.scenarios)}, points {store.points}, "
        f"seeds {experiment.replications}; workers {workers}), about {_size(size)} in {out}"
    )
    if store.done:
        _say(f"{store.done} of them are done; the other {len(experiment) - store.done} are run now.")
    free = shutil.disk_usage(out).free
    if free < 2 * size:  # while joining, the blocks and the result are both there
        raise BadInput(
            f"{out}: needs about {_size(2 * size)} while it joins the result, and {_size(free)} are free; "
            "make room or give another --out"
        )


def _end(store: Store) -> int:
    for run_id, fault in itertools.islice(store.failures.items(), 5):
        _say(f"Run {run_id} failed: {fault}")
    if len(store.failures) > 5:
        _say(f"{len(store.failures)} runs failed; manifest.json names all of them.")
    return 1 if store.failures else 0


def write_run(
    model: Model, scenario: Scenario, seed: int, out: str | Path, every: str = "quarter", seconds: float = 0.0
) -> None:
    """Write one finished run as a result folder of the same format, in the place of an older run's.

    Raises BadInput if the folder holds anything else.
    """
    recorder = model.recorder
    world = load_world(scenario.world)
    kinds = kinds_of(recorder.names, world)
    run = Run(scenario.name, 1, {}, 0, seed)
    [(row, series)] = result_texts(recorder, [keys_of(run)], every, kinds)
    years, _ = recorder.values("year")
    files = {
        records.RUNS: records.line(records.runs_columns([], kinds)).encode() + row,
        records.SERIES: records.line(records.series_columns([], list(kinds))).encode() + series,
    }
    manifest = {
        **run_identity([scenario], int(years[-1][:4]), every, list(kinds)),
        "experiment": None,
        "seeds": [seed],
        "columns": column_notes([], kinds, world),
        "failures": {},
        "files": {
            name: {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()} for name, text in files.items()
        },
        "run_info": records.run_info(seconds, 1),
    }
    records.replace_result(
        Path(out),
        {**{name: [text] for name, text in files.items()}, records.MANIFEST: [records.manifest_text(manifest)]},
    )
