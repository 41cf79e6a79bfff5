"""The laws of learning and research by hand."""

import numpy as np
import pytest

from sim.agents.learning import research_effort, successes, wright_cost


def one(value):
    return np.array([[value]])


def test_wright_and_research():
    assert wright_cost(one(2.0), one(0.2))[0, 0] == pytest.approx(0.8)
    assert wright_cost(one(4.0), one(0.2))[0, 0] == pytest.approx(0.64)
    assert wright_cost(one(7.0), one(0.0))[0, 0] == 1.0
    abound = (one(0.0), one(1.0))
    assert research_effort(one(32.0), one(1.0), one(0.2), *abound)[0, 0] == pytest.approx(2.0)
    assert research_effort(one(3.0), one(0.0), one(0.2), *abound)[0, 0] == 1.0
    # scarcity 1: twice the money is 2 x 2 / (1 + 2) = 4/3 of the work; with twice the engineers 2 x 2 / (1 + 1) = 2
    assert research_effort(one(2.0), one(1.0), one(1.0), one(1.0), one(1.0))[0, 0] == pytest.approx(4 / 3)
    assert research_effort(one(2.0), one(1.0), one(1.0), one(1.0), one(2.0))[0, 0] == pytest.approx(2.0)
    assert successes(one(0.09), one(0.1))[0, 0] == pytest.approx(10.0)
    assert successes(one(0.11), one(0.1))[0, 0] == 0.0
