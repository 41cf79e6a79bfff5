"""Who is answered when: processes in the tests' hands show which job is started, and finish it when told."""

import os
import signal
import threading
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

from sim.errors import BadInput
from sim.futures.desk import DEATHS, Desk
from sim.scenario.loading import load_config

HISTORIC = load_config("historic")
SECONDS = 60


class Process:
    """Does what it is told: it holds one job until `finish`, `fail` or `die`."""

    lost = (BrokenProcessPool,)

    def __init__(self):
        self.job = self.future = None
        self.done, self.renewed, self.closed = [], 0, False

    def submit(self, run, job):
        assert self.job is None, "one at a time"
        self.job, self.future = job, Future()
        self.done.append(job)
        return self.future

    def renew(self):
        self.renewed += 1
        return True

    def close(self):
        self.closed = True

    def _end(self, act):
        future, self.job, self.future = self.future, None, None
        act(future)

    def finish(self):
        job = self.job
        values = np.full((len(job.pairs), 16, len(job.measures)), 0.2 + 0.01 * len(job.events))
        values += np.arange(len(job.pairs))[:, None, None] / 1000
        self._end(lambda future: future.set_result(values))

    def fail(self, fault):
        self._end(lambda future: future.set_exception(fault))

    def die(self):
        self.fail(BrokenProcessPool("gone"))


class Visit:
    def __init__(self, desk):
        self.answers, self._news = [], threading.Condition()
        self.visitor = desk.visitor(self._take)

    def _take(self, answer):
        with self._news:
            self.answers.append(answer)
            self._news.notify()

    def ask(self, number, **request):
        self.visitor.ask({"number": number, "config": "historic", "from": "2027-Q1", **request}, HISTORIC)

    def until(self, wanted):
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.answers)), SECONDS), self.answers[-3:]
        return next(filter(wanted, self.answers))


def soon(wanted):
    end = time.monotonic() + SECONDS
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture
def held():
    """A desk of one process, and the process."""
    processes = []

    def make():
        processes.append(Process())
        return processes[-1]

    desk = Desk(1, make)
    yield desk, processes
    desk.close()
    assert all(process.closed for process in processes)


def subsidy(job):
    return [event["set"]["subsidy.annual"] for event in job.events if event["kind"] == "lever"]


def started(processes):
    soon(lambda: processes and processes[0].job is not None)
    return processes[0].job


def finish_base(processes):
    job = started(processes)
    assert len(job.pairs) == 32 and job.events == ()
    processes[0].finish()


def test_no_process_is_made_before_somebody_asks(held):
    desk, processes = held
    Visit(desk)
    assert processes == []


def test_one_future_comes_first_then_all_then_more(held):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1, set={"subsidy.annual": 100})
    finish_base(processes)
    seen = []
    while len(seen) < 80 and not any(answer["more"] is False for answer in visit.answers):
        job = started(processes)
        seen.append((len(job.pairs), len(job.events)))
        processes[0].finish()
        soon(lambda: processes[0].job is not None or any(answer["more"] is False for answer in visit.answers))
    assert seen[:2] == [(1, 1), (32, 1)] and seen[-6:] == [(32, 0), (32, 1)] * 3
    assert {size for size, _ in seen[2:-6]} == {1}, "what does nothing is tried in between"
    assert [answer["runs"] for answer in visit.answers] == [1, 32, 32, 128]
    assert [answer["more"] for answer in visit.answers] == [True, True, True, False]
    assert visit.answers[0]["policy"]["price_index"]["median"] is None


def test_the_newest_request_counts_and_older_ones_that_wait_are_dropped(held):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1)
    finish_base(processes)
    visit.until(lambda answer: answer["number"] == 1)
    started(processes)  # something that nobody waits for
    for number in range(2, 32):
        visit.ask(number, set={"subsidy.annual": 10 * number})
    processes[0].finish()
    visited = [subsidy(started(processes))]
    processes[0].finish()
    soon(lambda: processes[0].job is not None)
    visited.append(subsidy(processes[0].job))
    assert visited == [[310.0], [310.0]], "no queue"
    processes[0].finish()
    assert visit.until(lambda answer: answer["number"] == 31 and answer["runs"] == 32)
    assert {answer["number"] for answer in visit.answers} == {1, 31}


def test_visitors_take_turns_and_all_have_a_line_before_anybody_has_all_futures(held):
    desk, processes = held
    visits = [Visit(desk) for _ in range(3)]
    visits[0].ask(1)
    finish_base(processes)
    started(processes)
    for place, visit in enumerate(visits, start=1):
        visit.ask(2, set={"subsidy.annual": 100 * place})
    processes[0].finish()
    order = []
    for _ in range(6):
        job = started(processes)
        order.append((len(job.pairs), *subsidy(job)))
        processes[0].finish()
        soon(lambda: processes[0].job is not None)
    assert [size for size, _ in order] == [1, 1, 1, 32, 32, 32]
    assert {level for _, level in order[:3]} == {level for _, level in order[3:]} == {100.0, 200.0, 300.0}


def test_who_keeps_moving_on_a_busy_machine_is_shown_all_futures_too(held, monkeypatch):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1)
    finish_base(processes)
    visit.until(lambda answer: answer["number"] == 1)
    started(processes)
    monkeypatch.setattr("sim.futures.desk.PATIENCE", 1e9)
    sizes = []
    for number in range(2, 6):
        visit.ask(number, set={"subsidy.annual": 10.0 * number})
        processes[0].finish()
        sizes.append(len(started(processes).pairs))
        if number == 4:
            monkeypatch.setattr("sim.futures.desk.PATIENCE", 0.0)
    assert sizes == [1, 1, 1, 32]


def test_what_is_known_is_answered_at_once_to_everybody(held):
    desk, processes = held
    one, other = Visit(desk), Visit(desk)
    one.ask(1, set={"subsidy.annual": 100})
    finish_base(processes)
    for _ in range(2):
        started(processes)
        processes[0].finish()
    one.until(lambda answer: answer["runs"] == 32)
    started(processes)
    runs = len(processes[0].done)
    other.ask(7, set={"subsidy.annual": 100})
    assert other.until(lambda answer: True)["runs"] == 32
    assert len(processes[0].done) == runs


def test_a_process_that_dies_is_replaced_and_the_request_answered(held):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1)
    started(processes)
    processes[0].die()
    finish_base(processes)
    assert visit.until(lambda answer: answer["number"] == 1)["fault"] == ""
    assert processes[0].renewed == 1


def test_a_request_over_which_processes_die_gets_a_sentence(held):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1)
    for _ in range(DEATHS):
        started(processes)
        processes[0].die()
    assert "3 processes died over this" in visit.until(lambda answer: answer["fault"])["fault"]
    assert processes[0].renewed == DEATHS


def test_a_policy_that_fails_gets_one_sentence_and_the_desk_goes_on(held):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1, set={"subsidy.annual": 100})
    finish_base(processes)
    started(processes)
    processes[0].fail(BadInput("an account does not balance"))  # the line alone: the others may do
    started(processes)
    processes[0].fail(BadInput("an account does not balance"))
    told = visit.until(lambda answer: answer["fault"])
    assert told["fault"] == "This world could not be run: an account does not balance." and told["number"] == 1
    visit.ask(2, set={"subsidy.annual": -1})
    assert visit.answers[-1]["field"] == "subsidy.annual" and "from 0 to 2000" in visit.answers[-1]["fault"]
    visit.ask(3)
    assert visit.until(lambda answer: answer["number"] == 3)["fault"] == ""


def test_what_does_nothing_is_marked_once_it_has_been_tried(held):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1)
    finish_base(processes)
    base = np.full((32, 16, 16), 0.2) + np.arange(32)[:, None, None] / 1000
    while not any("tool-mandate" in answer["presets"] for answer in visit.answers):
        job = started(processes)
        acts = [event.get("set", {}) for event in job.events]
        if acts == [{"mandate.tools": 0.6}] or acts == [{"mandate.tools": 0.0}]:
            values = base[[seed - 1 for _, seed in job.pairs]]
            processes[0]._end(lambda future, values=values: future.set_result(values))
        else:
            processes[0].finish()
        soon(lambda: processes[0].job is not None or visit.answers[-1]["presets"])
    told = visit.answers[-1]
    assert list(told["presets"]) == ["tool-mandate"]
    assert (
        told["levers"]["mandate.tools"]["effect"] is False
        and "moved alone" in told["levers"]["mandate.tools"]["why_not"]
    )
    assert told["levers"]["subsidy.annual"]["effect"] is True


def test_who_has_left_is_worked_for_no_more(held):
    desk, processes = held
    visit = Visit(desk)
    visit.ask(1)
    finish_base(processes)
    started(processes)
    visit.visitor.leave()
    processes[0].finish()
    time.sleep(0.1)
    assert processes[0].job is None


def test_real_processes_answer_survive_a_kill_and_end():
    desk = Desk(1)
    visit = Visit(desk)
    visit.ask(1, set={"subsidy.annual": 100})
    visit.until(lambda answer: answer["runs"] == 32)
    (pid,) = desk._workers[0].process._pool._processes
    os.kill(pid, signal.SIGKILL)
    visit.ask(2, set={"subsidy.annual": 150})
    assert visit.until(lambda answer: answer["number"] == 2 and answer["runs"] == 32)["fault"] == ""
    desk.close()
    assert not os.path.exists(f"/proc/{pid}")
