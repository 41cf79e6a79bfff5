"""Whole batches of the real model: workers, clusters, writing, start-up, memory.

uv run python tests/bench/batches.py [short]

Every mark is a ratio from one run on this machine, of repeats made in turns, so that a busy machine misleads less;
two free cores are needed. `short` takes fewer runs and repeats. Exit 1 when a mark is missed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import wraps
from pathlib import Path
from statistics import median
from unittest.mock import patch

import mesa
import psutil
from machine import caches

from sim import DecouplingModel
from sim.batch import blocks, pasts
from sim.batch.blocks import BLOCK_SIZE, Family, run_family
from sim.batch.cluster import DaskCluster
from sim.batch.identity import batch_identity
from sim.batch.jobs import Engine, finished_jobs
from sim.batch.run import run_batch
from sim.batch.store import Store
from sim.batch.workers import WorkerProcesses
from sim.experiment.file import load_experiment
from sim.measures import kinds_of

SHORT = "short" in sys.argv[1:]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def experiment_file(folder: Path, runs: int) -> Path:
    path = folder / f"runs-{runs}.toml"
    path.write_text(f'question = "How fast?"\nconfigs = ["historic"]\nreplications = {runs}\n')
    return path


@contextmanager
def blocks_of(runs: int) -> Iterator[list[Family]]:
    with tempfile.TemporaryDirectory() as name:
        experiment = load_experiment(experiment_file(Path(name), runs))
        kinds = kinds_of(experiment.measures, experiment.scenarios[0].world)
        identity = batch_identity(experiment, kinds)
        store = Store(experiment, Path(name) / "out", identity, kinds)
        yield [Family((store.block(*piece),)) for piece in store.missing(BLOCK_SIZE)]


def pace(engine: Engine, held: list[Family]) -> float:
    """Seconds for the blocks once every worker has run some: start-up is not counted."""
    warm = held[:8]
    with closing(engine), closing(finished_jobs([*warm, *held], run_family, engine)) as texts:
        for _ in warm:
            next(texts)
        return seconds(lambda: [None for _ in texts])


def gain_of_two_workers() -> float:
    """Two worker processes against one, median of interleaved pairs."""
    with blocks_of(640 if SHORT else 2560) as held:
        pairs = [(pace(WorkerProcesses(1), held), pace(WorkerProcesses(2), held)) for _ in range(3 if SHORT else 5)]
    return median(one / two for one, two in pairs)


def cluster_by_pool() -> float:
    """A local Dask cluster of two against the process pool of two; median of interleaved pairs."""
    with blocks_of(1000 if SHORT else 10_000) as held:
        pairs = [(pace(WorkerProcesses(2), held), pace(DaskCluster("local:2"), held)) for _ in range(3)]
    return median(pool / cluster for pool, cluster in pairs)


def gain_over_batch_run() -> tuple[float, float]:
    """Mesa's batch_run over the model, one run at a time on one process, and `batch` on one: ms a run each."""
    few, many = (8, 256) if SHORT else (24, 1024)
    keep = {"data_collection_period": -1, "number_processes": 1, "display_progress": False}
    by_mesa = seconds(lambda: mesa.batch_run(OneRun, {}, rng=list(range(1, few + 1)), **keep)) / few
    with tempfile.TemporaryDirectory() as name:
        path = experiment_file(Path(name), many)
        own = seconds(lambda: run_batch(path, workers=1, out=Path(name) / "out")) / many
    return 1000 * by_mesa, 1000 * own


class OneRun(DecouplingModel):
    """What batch_run asks of a model: it is built by keywords, stops by `running` and has a DataCollector."""

    def __init__(self, rng: int | None = None) -> None:
        super().__init__("historic", rng or 1)
        self.datacollector = mesa.DataCollector(
            model_reporters={"domestic_supply_share": lambda model: float(model.recorder.values("year")[1][0, -1, 0])}
        )

    def step(self) -> None:
        super().step()
        if not self.running:
            self.datacollector.collect(self)


def part_of_writing() -> float:
    """The part of a batch's time with yearly records that goes into text, files and the join, in one process."""
    spent = 0.0

    def timed(work: Callable[..., object]) -> Callable[..., object]:
        @wraps(work)
        def measured(*arguments: object) -> object:
            nonlocal spent
            start = time.perf_counter()
            answer = work(*arguments)
            spent += time.perf_counter() - start
            return answer

        return measured

    with tempfile.TemporaryDirectory() as name, ExitStack() as patches:
        path = experiment_file(Path(name), 256 if SHORT else 2048)
        run_batch(path, workers=1, out=Path(name) / "warm")
        for owner, function in ((blocks, "result_texts"), (Store, "keep"), (Store, "join")):
            patches.enter_context(patch.object(owner, function, timed(getattr(owner, function))))
        whole = seconds(lambda: run_batch(path, workers=1, out=Path(name) / "out"))
    return spent / whole


def processor_time(*arguments: str) -> float:
    """Seconds of a new Python, of its threads and of what it starts; it keeps byte code, as that of a user does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start_up() -> dict[str, float]:
    """Seconds of commands, and of the imports that they cannot do without: processor time, medians, in turns."""
    spent: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        one = str(experiment_file(Path(name), 1))
        commands = {
            "bare": ("-c", "import pydantic, typer"),
            "check": ("-m", "sim", "check", "historic"),
            "list": ("-m", "sim", "list"),
            "mesa": ("-c", "import mesa"),
            "batch": ("-m", "sim", "batch", one, "--out", f"{name}/out", "--fresh"),
        }
        for _ in range(6 if SHORT else 16):
            for what, arguments in commands.items():
                spent.setdefault(what, []).append(processor_time(*arguments))
    return {what: median(times[1:]) for what, times in spent.items()}  # in the first round byte code is written


DATED = """question = "How fast?"
configs = ["historic"]
replications = {seeds}
[factors]
"subsidy.annual" = {{ levels = [0, 100, 200, 400, 600, 800], from = 2027 }}
"controls.severity" = {{ low = 0.0, high = 1.0, levels = 4, from = 2027 }}
"""


def part_with_shared_pasts() -> float:
    """Processor time of 24 policies from 2027 on by that of the same without shared pasts, median of pairs."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "dated.toml"
        path.write_text(DATED.format(seeds=12 if SHORT else 40))

        def spent(number: int) -> float:
            start = time.process_time()
            run_batch(path, workers=1, out=Path(name) / str(number), quietly=True)
            return time.process_time() - start

        def apart(number: int) -> float:
            with patch.object(pasts, "_begun_with", lambda scenario: object()):
                return spent(number)

        spent(0)
        pairs = [(spent(2 * number), apart(2 * number + 1)) for number in range(1, 4)]
    return median(shared / alone for shared, alone in pairs)


def memory(runs: int, workers: int = 2) -> float:
    """The largest resident size of a batch, MB: of any of its processes."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "sim", "batch", str(experiment_file(Path(name), runs))]
        command += ["--workers", str(workers)]
        batch = subprocess.Popen([*command, "--out", f"{name}/out"], stderr=subprocess.DEVNULL)
        largest = 0
        while batch.poll() is None:
            try:
                processes = [psutil.Process(batch.pid), *psutil.Process(batch.pid).children(recursive=True)]
                largest = max(largest, *(process.memory_info().rss for process in processes))
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.1)
        assert batch.returncode == 0
    return largest / 1e6


def main() -> int:
    rows: list[tuple[str, float, str, bool]] = []

    def report(what: str, measured: float, mark: str = "", met: bool = True) -> None:
        rows.append((what, measured, mark, met))
        print(f"{what:56} {measured:10.3g}   {mark:18} {'' if not mark else 'met' if met else 'MISSED'}", flush=True)

    print(caches(), flush=True)
    took = start_up()
    report("check by import pydantic, typer", found := took["check"] / took["bare"], "below 2", found < 2)
    report("list by import pydantic, typer", found := took["list"] / took["bare"], "below 2", found < 2)
    report("a batch of one run by import mesa", found := took["batch"] / took["mesa"], "below 1.3", found < 1.3)
    report("part of a batch's time that is writing", found := part_of_writing(), "below 0.1", found < 0.1)
    by_mesa, own = gain_over_batch_run()
    report("Mesa's batch_run, one process, ms a run", by_mesa)
    report("batch, one process, start-up included, ms a run", own)
    report("speed of batch by batch_run", by_mesa / own)
    report("two workers by one", found := gain_of_two_workers(), "at least 1.85", found >= 1.85)
    report("Dask cluster of two by worker processes", found := cluster_by_pool(), "at least 0.85", found >= 0.85)
    report(
        "24 policies from 2027 on by the same apart", found := part_with_shared_pasts(), "at most 0.65", found <= 0.65
    )
    few, many = (400, 2000) if SHORT else (1000, 20_000)
    small, large = memory(few, 1), memory(many, 1)
    report(f"one process at {few} runs, MB", small)
    report(f"one process at {many} runs, MB", large, "within 10 %", large < 1.1 * small)
    few, many = (1000, 4000) if SHORT else (1000, 100_000)
    small, large = memory(few), memory(many)
    report(f"largest process at {few} runs, MB", small)
    report(f"largest process at {many} runs, MB", large, "within 10 %", large < 1.1 * small)
    return 0 if all(met for *_, met in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
