"""Requests of many visitors, answered by a few processes: the newest of each counts, what is known is not run again.

A request takes stages: the futures as they are, one future under the policy, all of them, both ends of what controls
do, what does nothing, and more futures. Visitors take turns, and nothing of a later stage begins while somebody waits
for an earlier one; but one future and all of them are of one kind, so that on a busy machine everybody gets both.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from sim.arrays import Array
from sim.batch.workers import WorkerProcesses
from sim.compare import push
from sim.errors import BadInput
from sim.futures.answers import Asked, Ends, made, nearest_the_middle, read_request, refused, with_finer
from sim.futures.past import Job, run_here
from sim.futures.tries import Try, tries, without_effect_of
from sim.scenario.scenario import Scenario

KNOWN = 600  # results of jobs that are kept, of some 40 kB each
NOTED = 200  # of what else is noted by job
PATIENCE = 3.0  # seconds that somebody who keeps moving is shown single futures alone
DEATHS = 3  # of workers over one job, which will then die over it again


class Stage(IntEnum):
    """How far a request has been answered."""

    NOTHING = 0
    BASE = 1  # the futures as they are
    LINE = 2  # one future under the policy
    BAND = 3  # all of them
    ENDS = 4  # with the push held, and answering
    TRIED = 5  # what does nothing here
    FINER = 6  # more futures


class Visitor:
    """Somebody who asks. `publish` is called with each answer, from the desk's thread."""

    def __init__(self, desk: Desk, publish: Callable[[dict[str, Any]], None]) -> None:
        self._desk, self.publish = desk, publish
        self.asked: Asked | None = None
        self.reached = Stage.NOTHING
        self.turn = 0
        self.waits_since = 0.0  # the time of the first request since all futures of one were shown

    def ask(self, request: Mapping[str, Any], scenario: Scenario | None = None) -> None:
        """Ask something; what was asked before is dropped. `scenario` is what the config means, if it is no name."""
        self._desk.take(self, request, scenario)

    def leave(self) -> None:
        self._desk.forget(self)


@dataclass
class _Worker:
    """A process of its own, so that it is known which pasts it holds."""

    process: WorkerProcesses
    job: Job | None = None
    stage: Stage = Stage.NOTHING
    pasts: set[Hashable] = field(default_factory=set)


class Desk:
    """What answers. Its processes start with the first request and end with `close`.

    workers: how many, one for each processor that may be used if left out. process: what makes one.
    """

    def __init__(self, workers: int | None = None, process: Callable[[], WorkerProcesses] | None = None) -> None:
        self._process = process or (lambda: WorkerProcesses(1))
        self._count = workers or os.process_cpu_count() or 1
        self._workers: list[_Worker] = []
        self._visitors: list[Visitor] = []
        self._known: OrderedDict[Hashable, Array] = OrderedDict()
        self._failed: dict[Hashable, str] = {}
        self._deaths: dict[Hashable, int] = {}
        self._middles: dict[Hashable, int] = {}
        self._tried: dict[Hashable, list[tuple[Try, Job]]] = {}
        self._turns = itertools.count(1)
        self._changed = threading.Condition()
        self._done: list[tuple[_Worker, Future[Array]]] = []
        self._thread: threading.Thread | None = None
        self._news = self._closed = False

    def visitor(self, publish: Callable[[dict[str, Any]], None]) -> Visitor:
        visitor = Visitor(self, publish)
        with self._changed:
            self._visitors.append(visitor)
        return visitor

    def take(self, visitor: Visitor, request: Mapping[str, Any], scenario: Scenario | None = None) -> None:
        """The newest request of a visitor, in place of the one before."""
        try:
            asked = read_request(request, scenario)
        except BadInput as fault:
            with self._changed:
                visitor.asked = None
            visitor.publish(refused(request.get("number"), fault))
            return
        with self._changed:
            if visitor.reached >= Stage.BAND or visitor.asked is None:
                visitor.waits_since = time.monotonic()
            visitor.asked, visitor.reached = asked, Stage.NOTHING
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="futures desk", daemon=True)
                self._thread.start()
            self._wake()

    def forget(self, visitor: Visitor) -> None:
        with self._changed:
            if visitor in self._visitors:
                self._visitors.remove(visitor)

    def close(self) -> None:
        """End the processes, those at work as soon as they have finished their futures."""
        with self._changed:
            self._closed = True
            self._wake()
        if self._thread is not None:
            self._thread.join()

    def _wake(self) -> None:
        self._news = True
        self._changed.notify()

    # -- in the thread

    def _work(self) -> None:
        self._workers = [_Worker(self._process()) for _ in range(self._count)]
        try:
            while not self._closed:
                self._collect()
                self._answer_all()
                while self._hand_out():
                    pass
                with self._changed:
                    self._changed.wait_for(lambda: self._news)
                    self._news = False
        finally:
            for worker in self._workers:
                worker.process.close()

    def _collect(self) -> None:
        """Take what the processes have finished, and put new ones in the place of those that died."""
        with self._changed:
            done, self._done = self._done, []
        for worker, future in done:
            job, worker.job = worker.job, None
            assert job is not None
            try:
                self._keep(job.key, future.result())
            except worker.process.lost:
                self._replace(worker)
                _make_room(self._deaths)
                self._deaths[job.key] = self._deaths.get(job.key, 0) + 1
                if self._deaths[job.key] == DEATHS:
                    self._failed[job.key] = f"{DEATHS} processes died over this, perhaps for lack of memory."
            except Exception as fault:
                if not isinstance(fault, BadInput):
                    traceback.print_exception(fault)
                _make_room(self._failed)
                self._failed[job.key] = f"This world could not be run: {str(fault) or type(fault).__name__}."

    def _keep(self, key: Hashable, values: Array) -> None:
        _make_room(self._known, KNOWN)
        self._known[key] = values

    def _hand_out(self) -> bool:
        """Give a process that is free the job that is most wanted; whether there was one."""
        free = [worker for worker in self._workers if worker.job is None]
        chosen = self._most_wanted() if free else None
        if chosen is None:
            return False
        stage, visitor, job = chosen
        idle_work = sum(worker.job is not None and worker.stage >= Stage.TRIED for worker in self._workers)
        if stage >= Stage.TRIED and idle_work >= max(1, self._count - 1):
            return False  # one is left for who asks next
        worker = next((each for each in free if job.past in each.pasts), free[0])
        try:
            future = worker.process.submit(run_here, job)
        except worker.process.lost:  # it died while it had nothing to do
            self._replace(worker)
            return True
        worker.job, worker.stage, visitor.turn = job, stage, next(self._turns)
        worker.pasts.add(job.past)
        future.add_done_callback(lambda done: self._note(worker, done))
        return True

    def _replace(self, worker: _Worker) -> None:
        worker.process.renew()
        worker.pasts.clear()

    def _note(self, worker: _Worker, future: Future[Array]) -> None:
        with self._changed:
            self._done.append((worker, future))
            self._wake()

    def _most_wanted(self) -> tuple[Stage, Visitor, Job] | None:
        with self._changed:
            asking = [(visitor, visitor.asked) for visitor in self._visitors if visitor.asked is not None]
        late = time.monotonic() - PATIENCE
        wanted = [
            (*first, visitor)
            for visitor, asked in asking
            if (first := self._next_of(asked, in_short=visitor.waits_since < late))
        ]
        if not wanted:
            return None
        stage, job, visitor = min(wanted, key=lambda each: (max(each[0], Stage.BAND), each[2].turn))
        return stage, visitor, job

    def _next_of(self, asked: Asked, in_short: bool) -> tuple[Stage, Job] | None:
        """The first job of a request that nobody has done or is at; `in_short` without one future before all."""
        under_way = {worker.job.key for worker in self._workers if worker.job is not None}
        for stage, jobs in self._stages(asked):
            if in_short and stage == Stage.LINE:
                continue
            missing = [job for job in jobs if job.key not in self._known and job.key not in self._failed]
            if free := [job for job in missing if job.key not in under_way]:
                return stage, free[0]
            if missing and stage != Stage.LINE:
                return None  # what comes later waits
        return None

    def _stages(self, asked: Asked) -> Iterator[tuple[Stage, Sequence[Job]]]:
        """What a request takes, in order. One future and all of them may be run at once."""
        yield Stage.BASE, [asked.base]
        if asked.policy.events and asked.base.key in self._known:
            if asked.band.key not in self._known:
                yield Stage.LINE, [asked.line(self._middle(asked))]
            yield Stage.BAND, [asked.band]
            if asked.ends:
                yield Stage.ENDS, [job for pair in asked.ends.values() for job in pair]
        if asked.base.key in self._known:
            yield Stage.TRIED, [job for _, job in self._tries(asked)]
        yield Stage.FINER, [job for jobs in asked.finer for job in jobs]

    def _tries(self, asked: Asked) -> list[tuple[Try, Job]]:
        """What is tried in the config and from the date of a request, each with its job."""
        key = asked.base.key, asked.policy.start
        if key not in self._tried:
            _make_room(self._tried)
            middle = self._middle(asked)
            found = tries(asked.scenario, asked.policy.start)
            self._tried[key] = [(each, asked.tried(middle, each.policy)) for each in found]
        return self._tried[key]

    def _middle(self, asked: Asked) -> int:
        key = asked.base.key
        if key not in self._middles:
            _make_room(self._middles)
            self._middles[key] = nearest_the_middle(asked, self._known[key])
        return self._middles[key]

    # -- answers

    def _answer_all(self) -> None:
        with self._changed:
            waiting = [(visitor, visitor.asked) for visitor in self._visitors if visitor.asked is not None]
        for visitor, asked in waiting:
            self._answer(visitor, asked)

    def _answer(self, visitor: Visitor, asked: Asked) -> None:
        """Publish the best answer that there is, if it is better than the last one."""
        stage, fault = self._reached(asked)
        if fault:
            with self._changed:
                if visitor.asked is not asked:
                    return
                visitor.asked = None
            visitor.publish(refused(asked.number, BadInput(fault)))
            return
        with self._changed:
            if visitor.asked is not asked or stage <= visitor.reached:
                return
            visitor.reached = stage
        try:
            answer = self._made(asked, stage)
        except Exception as bug:  # it must not leave everybody without answers
            traceback.print_exception(bug)
            answer = refused(asked.number, BadInput(f"The answer could not be made: {bug or type(bug).__name__}."))
        visitor.publish(answer)

    def _reached(self, asked: Asked) -> tuple[Stage, str]:
        """How far a request can be answered, or why it cannot."""
        reached = Stage.NOTHING
        for stage, jobs in self._stages(asked):
            faults = [self._failed[job.key] for job in jobs if job.key in self._failed]
            if faults and stage in (Stage.BASE, Stage.BAND):
                return stage, faults[0]
            unknown = [job for job in jobs if job.key not in self._known and job.key not in self._failed]
            if not unknown and (stage == Stage.TRIED or not faults):
                reached = stage
            elif unknown and stage != Stage.LINE:
                break
        if reached == Stage.BASE and asked.policy.events:
            reached = Stage.NOTHING  # the futures as they are would look as if nothing were changed
        return reached, ""

    def _made(self, asked: Asked, stage: Stage) -> dict[str, Any]:
        base, middle = self._use(asked.base), self._middle(asked)
        policy, ends = None, None
        if stage == Stage.LINE:
            policy = self._use(asked.line(middle))
        elif asked.policy.events and stage >= Stage.BAND:
            policy = self._use(asked.band)
        if (
            stage >= Stage.ENDS
            and asked.ends
            and all(job.key in self._known for pair in asked.ends.values() for job in pair)
        ):
            held, answers = ([self._use(job) for job in asked.ends[end]] for end in (push.HELD, push.ANSWERS))
            ends = Ends((held[0], held[1]), (answers[0], answers[1]))
        idle = self._idle(asked, base[middle]) if stage >= Stage.TRIED else {}
        if stage == Stage.FINER:
            base, policy = with_finer(base, policy, [[self._use(job) for job in jobs] for jobs in asked.finer])
        return made(asked, middle, base, policy, ends, idle, more=stage < Stage.FINER)

    def _idle(self, asked: Asked, base: Array) -> dict[str, str]:
        found = self._tries(asked)
        results = [self._use(job)[0] if job.key in self._known else None for _, job in found]
        return without_effect_of([each for each, _ in found], base, results)

    def _use(self, job: Job) -> Array:
        self._known.move_to_end(job.key)
        return self._known[job.key]


def _make_room(table: dict[Any, Any], most: int = NOTED) -> None:
    """Let the oldest entry go where there are too many for another one."""
    if len(table) >= most:
        del table[next(iter(table))]
