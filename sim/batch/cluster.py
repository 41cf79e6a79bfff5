"""The workers of a Dask cluster, on this machine or on many."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import platform
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from functools import cache
from typing import Any

from sim.batch.jobs import Job, WorkersDied, keep_imports, run_and_collect
from sim.batch.workers import without_main
from sim.errors import BadInput
from sim.results import provenance

CONNECT = "10s"  # how long a scheduler may take to answer
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


class DaskCluster:
    """The workers of a Dask cluster. They may come and go; Dask gives a lost worker's jobs to another.

    address: of the scheduler, such as "tcp://HOST:8786", or "local:N" for a cluster of N processes here.
    """

    unfit: tuple[type[BaseException], ...] = (ImportError, RuntimeError)

    def __init__(self, address: str) -> None:
        try:
            import dask
            import distributed
        except ImportError:
            raise BadInput(
                f"--cluster = {address!r}: needs the package distributed; "
                "install the extra: uv sync --extra cluster, or pip install 'decoupling-race[cluster]'"
            ) from None
        self.lost: tuple[type[BaseException], ...] = (distributed.scheduler.KilledWorker, CancelledError)
        for name in ("distributed", "distributed.client"):  # this program reports lost workers itself
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._address = address
        self._program = _program()
        self._stack = contextlib.ExitStack()
        local, _, count = address.partition(":")
        cluster: Any = address
        if local == "local":
            if not count.isdigit() or int(count) < 1:
                raise BadInput(f"--cluster = {address!r}: must be local:N with a number of processes, such as local:2")
            # Workers that sample their own stack a hundred times a second cost 6 % of a run.
            self._stack.enter_context(dask.config.set({"distributed.worker.profile.enabled": False}))
            with without_main():
                cluster = self._stack.enter_context(
                    distributed.LocalCluster(  # type: ignore[no-untyped-call]
                        n_workers=int(count), threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
                    )
                )
        try:
            client = distributed.Client(cluster, timeout=CONNECT)  # type: ignore[no-untyped-call]
            self._client = self._stack.enter_context(client)
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

    def submit[J: Job, A](self, run: Callable[[J], A], job: J) -> Future[A]:
        needed = {**self._program, "world": job.scenario.hash}
        future: Future[A] = self._client.get_executor(pure=False).submit(run_on_cluster, run, job, needed)
        return future

    def renew(self) -> bool:
        if self._client.status != "running":
            raise WorkersDied(f"The Dask scheduler {self._address} no longer answers")
        return False

    def trouble(self) -> str | None:
        return None if self._threads() else "The cluster has no workers now; work goes on when some join."

    def close(self) -> None:
        self._stack.close()


def run_on_cluster[J: Job, A](run: Callable[[J], A], job: J, needed: Mapping[str, Any]) -> A:
    """A job on another machine; BadInput if that machine would answer with other bytes."""
    refuse_another_machine({**_program(), "world": job.scenario.hash}, needed, platform.node())
    _keep_memory()
    answer = run_and_collect(run, job)
    keep_imports()
    return answer


def _program() -> dict[str, Any]:
    """What a machine must share with the others, beside the world."""
    return {
        "program_hash": provenance.program_hash(),
        "dependencies": provenance.dependencies(),
        "arithmetic": provenance.arithmetic_fingerprint(),
    }


ADVICE = {
    "program_hash": "install the same version of this program there",
    "world": "install the same tables there",
    "dependencies": "install the same versions there",
    "arithmetic": "its processor or libraries answer differently in the last digit: leave it out of the cluster, or "
    "start all machines with the same NPY_DISABLE_CPU_FEATURES",
}


def refuse_another_machine(here: Mapping[str, Any], needed: Mapping[str, Any], name: str) -> None:
    """BadInput naming the first thing in which a machine differs from the one that sends the jobs."""
    for key, right in needed.items():
        if here[key] != right:
            raise BadInput(f"--cluster: {name} is refused: {key} is {here[key]} there and {right} here; {ADVICE[key]}")


@cache
def _keep_memory() -> None:
    """Dask has glibc give back what is freed at once (MALLOC_TRIM_THRESHOLD_), which doubles the time of a run.

    The thresholds become those that glibc comes to by itself by default (mallopt(3)).
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, 64 << 20)
