"""Who runs the blocks: this process, worker processes of this machine, or a Dask cluster."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import resource_tracker
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import ForkServerContext
from typing import Any, Protocol

from sim.batch.blocks import Block, Build, run_block
from sim.batch.progress import say
from sim.errors import BadInput
from sim.results import provenance

DEATHS_IN_A_ROW = 3  # workers that die so often, with no block finished in between, will die again
CONNECT = "10s"  # how long a scheduler may take to answer
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
PATIENCE = 30.0  # seconds without a block before the engine is asked what is the matter


class WorkersDied(Exception):
    """The workers could not be kept alive; says why."""


class Engine(Protocol):
    """What runs blocks elsewhere, behind the futures of the standard library."""

    lost: tuple[type[BaseException], ...]
    """What a future or `submit` raises when a worker was lost and not the block's own fault."""
    unfit: tuple[type[BaseException], ...]
    """What a future raises when a machine cannot read a block at all."""

    def capacity(self) -> int:
        """How many blocks may be under way."""
        ...

    def submit(self, block: Block, build: Build) -> Future[bytes]: ...

    def renew(self) -> bool:
        """After a loss: replace what is broken; true if the other blocks under way are lost as well.

        Raises WorkersDied if it cannot be replaced.
        """
        ...

    def trouble(self) -> str | None:
        """A sentence on why nothing may be coming, or None."""
        ...

    def close(self) -> None: ...


def finished_here(blocks: Iterable[Block], build: Build) -> Generator[tuple[Block, bytes]]:
    """Every block with its text, run in this process."""
    try:
        for number, block in enumerate(blocks):
            text = run_and_collect(block, build)
            if number == 0:
                gc.freeze()  # what was imported stays, so that collecting looks at the blocks alone
            yield block, text
    finally:
        gc.unfreeze()


def finished_blocks(blocks: Iterable[Block], engine: Engine, build: Build) -> Generator[tuple[Block, bytes]]:
    """Every block with its text, as they finish. Blocks of lost workers are run again.

    Raises WorkersDied when they are lost again and again, or what leads them is lost.
    """
    blocks = iter(blocks)
    again: list[Block] = []
    under_way: dict[Future[bytes], Block] = {}
    deaths = 0
    try:
        while True:
            lost = False
            while len(under_way) < engine.capacity() and not lost:
                following = again.pop() if again else next(blocks, None)
                if following is None:
                    break
                try:
                    under_way[engine.submit(following, build)] = following
                except engine.lost:
                    again.append(following)
                    lost = True
            if not under_way and not lost:
                return
            done = wait(under_way, timeout=PATIENCE, return_when=FIRST_COMPLETED).done
            if not done and (sentence := engine.trouble()):
                say(sentence)
            for future in done:
                block = under_way.pop(future)
                try:
                    text = future.result()
                except engine.lost:
                    again.append(block)
                    lost = True
                except engine.unfit as fault:
                    raise BadInput(
                        f"--cluster: a machine of it cannot read a block ({fault.__cause__ or fault}); install the "
                        "same version of this program and its dependencies there, and where the scheduler runs"
                    ) from None
                else:
                    deaths = 0
                    yield block, text
            if lost:
                deaths += 1
                if deaths == DEATHS_IN_A_ROW:
                    raise WorkersDied(
                        f"Workers died {deaths} times in a row, perhaps for want of memory, of which fewer need less"
                    )
                if engine.renew():
                    again += under_way.values()
                    under_way.clear()
                say("A worker died; its blocks are run again.")
    finally:
        engine.close()


def forkserver_context(preload: list[str]) -> ForkServerContext:
    """Where new processes are forked from a server that has imported `preload`, and that Ctrl-C does not reach.

    The server ignores interrupts only once it has imported, so a first process is awaited with interrupts blocked; the
    resource tracker, whose start unblocks them, comes before.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(preload)
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        first = context.Process()  # does nothing
        first.start()
        first.join()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


class WorkerProcesses:
    """Processes of this machine. When one dies the pool is broken, and a new one takes its place."""

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)
    unfit: tuple[type[BaseException], ...] = ()

    def __init__(self, workers: int) -> None:
        self.workers = workers
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the workers' processes inherit it
        self._start()

    def _start(self) -> None:
        context = forkserver_context(["sim.model", "sim.batch.workers"])
        self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_start_worker)

    def capacity(self) -> int:
        return 2 * self.workers

    def submit(self, block: Block, build: Build) -> Future[bytes]:
        return self._pool.submit(run_and_collect, block, build)

    def renew(self) -> bool:
        self.close()
        self._start()
        return True

    def trouble(self) -> str | None:
        return None

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Ctrl-C is the parent's business; and a worker whose parent was killed ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    _keep_imports()


def run_and_collect(block: Block, build: Build) -> bytes:
    """Models hold circles of references: without collecting them a process grows for hundreds of blocks."""
    text = run_block(block, build)
    gc.collect()
    return text


@cache
def _keep_imports() -> None:
    """What a worker has imported stays: collecting after each block then looks at the block alone."""
    gc.freeze()


@cache
def _keep_memory() -> None:
    """Dask has glibc give back what is freed at once (MALLOC_TRIM_THRESHOLD_), which doubles the time of a run.

    The thresholds become those that glibc comes to by itself where nothing is said (mallopt(3)).
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 64 << 20)


class DaskCluster:
    """The workers of a Dask cluster. They may come and go; Dask gives a lost worker's blocks to another.

    address: of the scheduler, such as "tcp://HOST:8786", or "local:N" for a cluster of N processes here.
    identity: what a machine must share with this one for its blocks to be taken.
    """

    unfit: tuple[type[BaseException], ...] = (ImportError, RuntimeError)

    def __init__(self, address: str, identity: Mapping[str, Any]) -> None:
        try:
            import dask
            import distributed
        except ImportError:
            raise BadInput(
                f"--cluster = {address!r}: needs the package distributed; "
                "install the extra: uv sync --extra cluster, or pip install 'decoupling-race[cluster]'"
            ) from None
        self.lost: tuple[type[BaseException], ...] = (distributed.scheduler.KilledWorker, CancelledError)
        for name in ("distributed", "distributed.client"):  # what it says of lost workers is said by this program
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._address = address
        self._must_share = {key: identity[key] for key in ("program_hash", "dependencies", "arithmetic")}
        self._must_share["world"] = {name: scenario["hash"] for name, scenario in identity["scenarios"].items()}
        self._stack = contextlib.ExitStack()
        local, _, count = address.partition(":")
        if local == "local":
            if not count.isdigit() or int(count) < 1:
                raise BadInput(f"--cluster = {address!r}: must be local:N with a number of processes, such as local:2")
            # Workers that look at their own stack a hundred times a second cost 6 % of a run.
            self._stack.enter_context(dask.config.set({"distributed.worker.profile.enabled": False}))
            cluster: Any = self._stack.enter_context(
                distributed.LocalCluster(
                    n_workers=int(count), threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
                )
            )
        else:
            cluster = address
        try:
            self._client = self._stack.enter_context(distributed.Client(cluster, timeout=CONNECT))
        except (OSError, ValueError) as fault:
            self._stack.close()
            raise BadInput(
                f"--cluster = {address!r}: no Dask scheduler answers there ({fault}); "
                "give an address such as tcp://HOST:8786, or local:N"
            ) from None

    def _threads(self) -> int:
        return sum(worker["nthreads"] for worker in self._client.scheduler_info(n_workers=-1)["workers"].values())

    def capacity(self) -> int:
        return 2 * max(1, self._threads())

    def submit(self, block: Block, build: Build) -> Future[bytes]:
        executor = self._client.get_executor(pure=False)
        return executor.submit(run_on_cluster, block, build, self._must_share)

    def renew(self) -> bool:
        if self._client.status != "running":
            raise WorkersDied(f"The Dask scheduler {self._address} no longer answers")
        return False

    def trouble(self) -> str | None:
        return None if self._threads() else "The cluster has no workers now; the batch goes on when some come."

    def close(self) -> None:
        self._stack.close()


def run_on_cluster(block: Block, build: Build, must_share: Mapping[str, Any]) -> bytes:
    """A block on another machine; BadInput if that machine would write other bytes."""
    scenario = block.scenario
    here = {
        "program_hash": provenance.program_hash(),
        "world": {**must_share["world"], scenario.name: scenario.hash},
        "dependencies": provenance.dependencies(),
        "arithmetic": provenance.arithmetic_fingerprint(),
    }
    refuse_another_machine(here, must_share, os.uname().nodename)
    _keep_memory()
    text = run_and_collect(block, build)
    _keep_imports()
    return text


ADVICE = {
    "program_hash": "install the same version of this program there",
    "world": "install the same tables there",
    "dependencies": "install the same versions there",
    "arithmetic": "its processor or libraries answer differently in the last digit: leave it out of the cluster, or "
    "start all machines of the batch with the same NPY_DISABLE_CPU_FEATURES",
}


def refuse_another_machine(here: Mapping[str, Any], must_share: Mapping[str, Any], name: str) -> None:
    """BadInput naming the first thing in which a machine differs from the batch's own."""
    for key, needed in must_share.items():
        if here[key] != needed:
            raise BadInput(
                f"--cluster: a block of {name} is refused: {key} is {here[key]} there and {needed} here; {ADVICE[key]}"
            )
