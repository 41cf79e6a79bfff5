"""Queues by hand: two runs, two agents, three quarters ahead."""

import numpy as np

from sim.engine.queues import joined, kept, on_its_way

QUEUE = (np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((2, 2)), np.array([[0.5, 0.0], [0.0, 0.25]]))


def test_all_that_is_on_its_way_is_summed():
    assert on_its_way(QUEUE).tolist() == [[1.5, 2.0], [3.0, 4.25]]


def test_an_amount_joins_the_place_in_which_it_is_due():
    """The first agent's is due in the third quarter, the second's in the first; counted from 1."""
    places = joined(QUEUE, np.array([[10.0, 20.0], [0.0, 40.0]]), np.array([3.0, 1.0]), first=1)
    assert [place.tolist() for place in places] == [
        [[1.0, 22.0], [3.0, 44.0]],
        [[0.0, 0.0], [0.0, 0.0]],
        [[10.5, 0.0], [0.0, 0.25]],
    ]


def test_each_run_may_have_a_date_of_its_own():
    """Counted from 0: the first run's amount is due at once, the second's a quarter later."""
    due = np.array([[0.0, 0.0], [1.0, 1.0]])
    first, second, third = joined(QUEUE, np.ones((2, 2)), due, first=0)
    assert first.tolist() == [[2.0, 3.0], [3.0, 4.0]]
    assert second.tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert third.tolist() == QUEUE[2].tolist()


def test_what_is_lost_is_lost_in_every_place():
    places = kept(QUEUE, np.array([[1.0, 0.0], [0.5, 1.0]]))
    assert [place.tolist() for place in places] == [
        [[1.0, 0.0], [1.5, 4.0]],
        [[0.0, 0.0], [0.0, 0.0]],
        [[0.5, 0.0], [0.0, 0.25]],
    ]
