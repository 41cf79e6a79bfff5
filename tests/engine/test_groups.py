"""Ratios, sums and answers that are kept are what the plain way gives, to the bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim.engine.groups import Groups, divisor, ratio, total_over_rows
from sim.engine.kept import Kept

NUMBERS = st.just(0.0) | st.floats(1e-9, 4.0) | st.floats(-4.0, -1e-9)  # by less a ratio may be too large to write


@given(arrays(np.float64, (3, 4), elements=NUMBERS), arrays(np.float64, (3, 4), elements=NUMBERS))
def test_a_ratio_is_taken_where_there_is_something_under_it(over, under):
    plain = [
        [a / b if b > 0 else 7.0 for a, b in zip(*row, strict=True)]
        for row in zip(over.tolist(), under.tolist(), strict=True)
    ]
    assert ratio(over, under, 7.0).tolist() == plain
    assert divisor(under).tolist() == [[value if value > 0 else 1.0 for value in row] for row in under.tolist()]


def test_a_ratio_broadcasts_and_passes_by_what_is_no_number():
    assert ratio(np.array([[6.0], [8.0]]), np.array([[2.0, 0.0, np.nan]]), 1.0).tolist() == [[3, 1, 1], [4, 1, 1]]
    assert ratio(np.array([[6.0]]), np.array([[0.0]]), np.array([[1.0, 2.0]])).tolist() == [[1.0, 2.0]]


@given(st.integers(1, 3), st.integers(1, 20), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_rows_are_added_one_after_another_in_any_memory(runs, rows, agents, seed):
    values = np.random.default_rng(seed).normal(size=(runs, rows, agents))
    expected = values[:, 0].copy()
    for row in range(1, rows):
        expected = expected + values[:, row]
    for laid_out in (values, np.asfortranarray(values), np.repeat(values, 2, axis=1)[:, ::2]):
        assert np.array_equal(total_over_rows(laid_out), expected)


def test_neighbours_and_strangers_get_their_own_groups_value():
    values = np.array([[[1.0, 2.0, 3.0]]])
    assert Groups(np.array([0, 0, 2]), 3).spread(values).tolist() == [[[1.0, 1.0, 3.0]]]
    assert Groups(np.array([2, 0, 2]), 3).spread(values).tolist() == [[[3.0, 1.0, 3.0]]]


def test_an_answer_is_kept_until_what_it_is_made_of_changes():
    kept, made = Kept[int](), []

    def answer(*made_of):
        return kept.answer(lambda: made.append(made_of) or len(made), *made_of)

    first = np.array([1.0, 2.0])
    assert [answer(first, "a"), answer(first.copy(), "a")] == [1, 1]
    assert answer(np.array([1.0, 3.0]), "a") == 2
    assert answer(np.array([1.0, 3.0]), None) == 3
    assert answer(np.array([1.0, 3.0])) == 4
    assert answer(first, "a") == 5, "only the last answer is kept"
