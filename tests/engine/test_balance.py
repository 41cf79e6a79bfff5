"""Which two sides of an account agree: the quick look may let nothing through that the slow one would refuse."""

import numpy as np
import pytest

from sim.accounts import FEW, SMALLEST, TOLERANCE, all_balance


@pytest.mark.parametrize("size", [3, FEW + 1])
@pytest.mark.parametrize(
    ("one", "other", "agrees"),
    [
        (1e6, 1e6 * (1 + TOLERANCE / 2), True),
        (1e6, 1e6 * (1 + TOLERANCE * 2), False),
        (0.0, TOLERANCE * SMALLEST / 2, True),  # less than rounding may leave of next to nothing
        (0.0, TOLERANCE * SMALLEST * 2, False),
        (np.inf, 1.0, False),
        (1.0, -np.inf, False),
        (np.inf, np.inf, False),
        (np.nan, 1.0, False),
    ],
)
def test_sides_agree_within_the_tolerance_alone(size, one, other, agrees):
    left, right = np.ones(size), np.ones(size)
    left[1], right[1] = one, other
    with np.errstate(invalid="ignore"):
        assert all_balance([("even", np.ones(1), np.ones(1)), ("a name", left, right)]) is agrees
