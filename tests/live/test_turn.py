"""Whose turn it is to compute: in order of asking, an answer to a visitor before a run that goes on."""

import threading
import time
from functools import partial

import pytest

from sim.live.turn import Turn


def test_turns_are_taken_in_order_and_answers_come_first():
    turn, order, held = Turn(), [], threading.Event()
    first = threading.Thread(target=lambda: turn.take(held.wait))
    first.start()
    waiting = []
    for name, urgent in (("run 1", False), ("run 2", False), ("answer", True), ("run 3", False)):
        note = partial(order.append, name)
        waiting.append(threading.Thread(target=partial(turn.take, note, first=urgent)))
        waiting[-1].start()
        time.sleep(0.05)  # so that it asks before the next
    held.set()
    for thread in (first, *waiting):
        thread.join(5)
    assert order == ["answer", "run 1", "run 2", "run 3"]


def test_a_turn_that_fails_is_passed_on():
    turn = Turn()
    with pytest.raises(ZeroDivisionError):
        turn.take(lambda: 1 / 0)
    done = []
    turn.take(lambda: done.append(True))
    assert done == [True]


def test_a_run_that_is_taken_up_again_and_again_keeps_nobody_waiting():
    """As of twenty visitors who jump to the end: each slice of one is followed by a slice of another."""
    turn, order = Turn(), []

    def jump(name):
        for _ in range(10):
            turn.take(lambda: (order.append(name), time.sleep(0.005)))

    jumps = [threading.Thread(target=jump, args=(name,)) for name in range(4)]
    for each in jumps:
        each.start()
    for each in jumps:
        each.join(10)
    middle = order[8:-8]
    assert all(len(set(middle[place : place + 4])) == 4 for place in range(0, len(middle) - 4, 4))
