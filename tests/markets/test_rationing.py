"""Orders that are re-routed to who has slack, under controls, by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.engine.groups import Groups
from sim.markets.rationing import asked_twice, rationed

ONE_MARKET = Groups(np.zeros(3, dtype=int), 1)
FULL, OTHER, SMALL = range(3)  # who is ordered from and can make four of ten, and two with slack


def bought(open_part, able=(4.0, 100.0, 30.0), backfill=0.5):
    """What a buyer that orders ten of the first gets of each, when others may sell a part of their sales to it."""
    orders = np.array([[[10.0, 0.0, 0.0]]])
    placed = orders[:, 0]
    return rationed(orders, placed, np.array([able]), np.array([[open_part]]), ONE_MARKET, np.array([[[backfill]]]))[
        0, 0
    ]


def test_what_a_control_denies_of_an_order_it_denies_of_one_that_is_re_routed():
    got = bought((1.0, 0.4, 0.0), able=(4.0, 100.0, 0.0), backfill=0.0)
    assert got == pytest.approx([4.0, 0.4 * 6.0, 0.0])


def test_who_may_still_sell_replaces_a_part_of_what_is_denied():
    got = bought((1.0, 0.0, 1.0))  # 30 of the slack of 130 is open
    part = 30 / 130
    met = part + (1 - part) * (1 - math.exp(-0.5 * part / (1 - part)))
    assert got == pytest.approx([4.0, 0.0, 6.0 * met])


def test_where_nothing_is_denied_the_whole_comes_by_slack():
    assert bought((1.0, 1.0, 1.0)) == pytest.approx([4.0, 6.0 * 100 / 130, 6.0 * 30 / 130], rel=1e-15)


PARTS = st.just(0.0) | st.floats(1e-9, 1.0)


@given(PARTS, PARTS, st.floats(0.0, 5.0))
def test_a_stricter_denial_never_brings_more_and_a_full_one_ends_smoothly(one, two, backfill):
    looser, stricter = max(one, two), min(one, two)
    more, less = (bought((1.0, part, 1.0), backfill=backfill) for part in (looser, stricter))
    assert less[OTHER] <= more[OTHER] + 1e-12
    assert less.sum() <= more.sum() + 1e-9
    nearly, whole = (bought((1.0, part, 0.0), backfill=backfill)[OTHER] for part in (1e-6, 0.0))
    assert whole == 0.0 and nearly < 1e-4


def test_dies_of_who_may_make_for_a_book_are_not_denied():
    dies, fill = np.array([[[8.0, 0.0]]]), np.array([[0.5, 1.0]])
    served = np.array([[[0.0, 3.0]]])
    _, more = asked_twice(dies, fill, served, Groups(np.zeros(2, dtype=int), 1))
    assert more[0, 0] == pytest.approx([0.0, 4.0])
