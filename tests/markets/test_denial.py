"""What a control leaves, after back-filling, over-compliance and licences; expected values are worked out by hand."""

import numpy as np
import pytest

from sim.engine.groups import Groups
from sim.markets.denial import Denial, licensed, over_complied, part_met, supplied


def one(value):
    return np.array([[value]])


def test_back_fill_leaks_for_one_state_and_hardly_for_all():
    # p = 0.5: 0.5 + 0.5 (1 - exp(-0.5)) = 0.6967; p = 0.1: 0.1 + 0.9 (1 - exp(-0.05 / 0.9)) = 0.14863
    assert supplied(one(0.5), one(0.5))[0, 0] == pytest.approx(0.69673467, abs=1e-8)
    assert supplied(one(0.1), one(0.5))[0, 0] == pytest.approx(0.14863644, abs=1e-7)
    assert supplied(one(1.0), one(0.5))[0, 0] == pytest.approx(1.0, abs=1e-11)
    assert supplied(one(0.0), one(0.5))[0, 0] == 0.0
    assert supplied(one(0.3), one(0.0))[0, 0] == pytest.approx(0.3)


def test_over_compliance_and_licences_are_sure_at_the_ends():
    # 1 - (1 - 0.5) (1 - 0.2 x 0.5) = 0.55
    assert over_complied(one(0.5), one(0.2))[0, 0] == pytest.approx(0.55)
    assert over_complied(one(0.0), one(0.2))[0, 0] == 0.0
    assert over_complied(one(1.0), one(0.2))[0, 0] == 1.0
    # 0.6 + 1 x 0.24 x (2 x 0.75 - 1) = 0.72
    assert licensed(one(0.6), one(0.75), one(1.0))[0, 0] == pytest.approx(0.72)
    assert licensed(one(0.0), one(0.99), one(1.0))[0, 0] == 0.0
    assert licensed(one(1.0), one(0.01), one(1.0))[0, 0] == 1.0


def test_what_lies_above_a_threshold_is_back_filled_by_itself():
    """Half of the need lies above, and one of two equal sellers denies its half of that: worked by hand.

    Above: 0.5 permitted, 0.5 x (1 - exp(-0.5 x 0.5 / 0.5)) back-filled = 0.69673; below: all of it.
    """
    one_market = Groups(np.array([0, 0]), 1)
    denial = Denial(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]), np.ones(1), np.array([0.5, 0.5]))
    met = part_met(denial, np.array([0.5]), one(0.5), lambda denied: one_market.sum(0.5 * denied))
    assert met[0, 0] == pytest.approx(0.5 * 0.69673 + 0.5, abs=1e-5)
    assert denial.of_sales.tolist() == [[0.5, 0.0]]
