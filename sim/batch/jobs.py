"""Jobs and their answers: blocks of a batch, parameter sets of a calibration; whoever runs them, none is lost.

A job is some work that can be pickled and knows its scenario; an engine runs it in this process, in a worker process
(`sim.batch.workers`) or on a cluster (`sim.batch.cluster`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from importlib import import_module
from typing import Protocol

from sim.batch.progress import say
from sim.errors import BadInput
from sim.scenario.scenario import Scenario

DEATHS_IN_A_ROW = 3  # workers that die this often, with no job finished in between, will die again
PATIENCE = 30.0  # seconds without an answer before the engine is asked what is wrong


class WorkersDied(Exception):
    """The workers could not be kept alive; says why."""


class Job(Protocol):
    """Work of one scenario that can be sent to another process."""

    @property
    def scenario(self) -> Scenario: ...


class Engine(Protocol):
    """What runs jobs, behind the futures of the standard library."""

    lost: tuple[type[BaseException], ...]
    """What a future or `submit` raises when a worker was lost and not the job's own fault."""
    unfit: tuple[type[BaseException], ...]
    """What a future raises when a machine cannot read a job at all."""

    def capacity(self) -> int:
        """How many jobs may be under way."""
        ...

    def submit[J: Job, A](self, run: Callable[[J], A], job: J) -> Future[A]: ...

    def renew(self) -> bool:
        """After a loss: replace what is broken; true if the other jobs under way are lost as well.

        Raises WorkersDied if it cannot be replaced.
        """
        ...

    def trouble(self) -> str | None:
        """A sentence on why nothing may be coming, or None."""
        ...

    def close(self) -> None: ...


def finished_jobs[J: Job, A](jobs: Iterable[J], run: Callable[[J], A], engine: Engine) -> Generator[tuple[J, A]]:
    """Every job with its answer, as they finish. Jobs of lost workers are run again.

    Raises WorkersDied when they are lost again and again, or what leads them is lost.
    """
    return _Queue(jobs, run, engine).finished()


class _Queue[J: Job, A]:
    """Jobs that wait, are under way, or are to be run again."""

    def __init__(self, jobs: Iterable[J], run: Callable[[J], A], engine: Engine) -> None:
        self._waiting, self._run, self._engine = iter(jobs), run, engine
        self._again: list[J] = []
        self._under_way: dict[Future[A], J] = {}
        self._lost = False  # whether a worker was lost that has not been replaced
        self._deaths = 0  # in a row

    def finished(self) -> Generator[tuple[J, A]]:
        while self._submit() or self._lost:
            yield from self._answers()
            if self._lost:
                self._recover()

    def _submit(self) -> bool:
        """Hand out as many jobs as the engine takes; whether any are under way."""
        while not self._lost and len(self._under_way) < self._engine.capacity():
            job = self._again.pop() if self._again else next(self._waiting, None)
            if job is None:
                break
            try:
                self._under_way[self._engine.submit(self._run, job)] = job
            except self._engine.lost:
                self._lose(job)
        return bool(self._under_way)

    def _answers(self) -> Generator[tuple[J, A]]:
        """What has finished since, once there is something, or after a while."""
        done = wait(self._under_way, timeout=PATIENCE, return_when=FIRST_COMPLETED).done
        if not done and (sentence := self._engine.trouble()):
            say(sentence)
        for future in done:
            job = self._under_way.pop(future)
            try:
                answer = future.result()
            except self._engine.lost:
                self._lose(job)
            except self._engine.unfit as fault:
                raise BadInput(
                    f"--cluster: a machine of it cannot read a job ({fault.__cause__ or fault}); install the "
                    "same version of this program and its dependencies there, and where the scheduler runs"
                ) from None
            else:
                self._deaths = 0
                yield job, answer

    def _lose(self, job: J) -> None:
        self._again.append(job)
        self._lost = True

    def _recover(self) -> None:
        self._deaths += 1
        if self._deaths == DEATHS_IN_A_ROW:
            raise WorkersDied(
                f"Workers died {self._deaths} times in a row, perhaps for lack of memory; fewer workers need less"
            )
        if self._engine.renew():
            self._again += self._under_way.values()
            self._under_way.clear()
        self._lost = False
        say("A worker died; its job is run again.")


def run_and_collect[J: Job, A](run: Callable[[J], A], job: J) -> A:
    """Models hold circles of references: without collecting them a process grows for hundreds of jobs."""
    answer = run(job)
    gc.collect()
    return answer


def keep_imports() -> None:
    """What has been imported stays: collecting after each job then looks at the job alone."""
    if not gc.get_freeze_count():
        gc.freeze()


def import_model() -> None:
    """Import the model and what it stands on, all of which stays.

    The large libraries come first, one after another: from within each other's imports they take a tenth longer. And
    looking meanwhile for what may be thrown away, of which there is nothing, would take another tenth.
    """
    gc.disable()
    try:
        for name in ("scipy.special", "pandas", "mesa", "sim.model"):
            import_module(name)
    finally:
        gc.enable()
        keep_imports()
