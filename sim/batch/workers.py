"""What runs jobs on this machine: this process, or worker processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import BaseContext
from types import ModuleType

from sim.batch.jobs import Job, keep_imports, run_and_collect


class ThisProcess:
    """One job after another, here."""

    lost: tuple[type[BaseException], ...] = ()
    unfit: tuple[type[BaseException], ...] = ()

    def capacity(self) -> int:
        return 1

    def submit[J: Job, A](self, run: Callable[[J], A], job: J) -> Future[A]:
        future: Future[A] = Future()
        future.set_result(run_and_collect(run, job))
        return future

    def renew(self) -> bool:
        return False

    def trouble(self) -> str | None:
        return None

    def close(self) -> None:
        gc.unfreeze()


class WorkerProcesses:
    """Processes of this machine. When one dies the pool is broken, and a new one takes its place."""

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)
    unfit: tuple[type[BaseException], ...] = ()

    def __init__(self, workers: int) -> None:
        self.workers = workers
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the workers' processes inherit it
        self._start()

    def _start(self) -> None:
        self._pool = ProcessPoolExecutor(self.workers, mp_context=process_context(), initializer=_start_worker)

    def capacity(self) -> int:
        return 2 * self.workers

    def submit[J: Job, A](self, run: Callable[[J], A], job: J) -> Future[A]:
        with without_main(run), _interrupts_held():  # this starts processes
            return self._pool.submit(run_and_collect, run, job)

    def renew(self) -> bool:
        self.close()
        self._start()
        return True

    def trouble(self) -> str | None:
        return None

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


PRELOADED = ["sim.model", "sim.batch.blocks"]


def process_context() -> BaseContext:
    """Where new processes are forked from a server that has imported the model; else they start from nothing.

    The latter on systems that have no such server, and where TMPDIR is too long for the name of its socket. Python's
    own choice on macOS is the latter as well.
    """
    if "forkserver" in multiprocessing.get_all_start_methods() and sys.platform != "darwin":
        try:
            return _server_context()
        except OSError:
            pass
    return multiprocessing.get_context("spawn")


def _server_context() -> BaseContext:
    """A server of processes that Ctrl-C does not reach. OSError if its socket cannot be made.

    The server ignores interrupts only once it has imported, so a first process is awaited with interrupts held; the
    resource tracker, whose start lets them through, comes before.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    resource_tracker.ensure_running()
    with without_main(), _interrupts_held():
        first = context.Process()  # does nothing
        first.start()
        first.join()
    return context


@contextmanager
def without_main(run: object = None) -> Iterator[None]:
    """Processes that start within do not import the caller's script again, unless `run` is defined in it.

    So a script needs no main guard, and standard input and notebooks, which cannot be imported, work too.
    """
    if b"__main__" in pickle.dumps(run):
        yield
        return
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started within do not receive Ctrl-C, where the system can hold signals back."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker() -> None:
    """Ctrl-C is the parent's business; and a worker whose parent was killed ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    keep_imports()
