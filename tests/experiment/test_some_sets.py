"""Some of an ensemble's sets stand for all of them."""

from hypothesis import given
from hypothesis import strategies as st

from sim.experiment.ensemble import Ensemble, evenly


def test_every_beginning_of_the_order_is_spread_over_the_table():
    # By hand: the halves, the quarters between, the eighths between these.
    assert evenly(list(range(1, 9))) == [1, 5, 3, 7, 2, 6, 4, 8]
    assert evenly([0]) == [0] and evenly([]) == []


@given(st.integers(1, 400), st.data())
def test_of_any_table_each_set_comes_once_and_the_parts_are_alike(total, data):
    order = evenly(list(range(total)))
    assert sorted(order) == list(range(total))
    count = data.draw(st.integers(1, total))
    halves = [sum(number < total / 2 for number in order[:count]), sum(number >= total / 2 for number in order[:count])]
    assert abs(halves[0] - halves[1]) <= 0.25 * total + 1  # a table that is no power of 2 is filled to its end last


def test_some_keep_the_numbers_that_they_have_among_all():
    ensemble = Ensemble({number: {"demand.growth": number / 100} for number in range(1, 9)}, "hash")
    assert ensemble.some(3).sets == {number: {"demand.growth": number / 100} for number in (1, 3, 5)}
    assert ensemble.some(8).sets == ensemble.sets
