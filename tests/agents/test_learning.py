"""The laws of learning and research by hand."""

import numpy as np
import pytest

from sim.agents.learning import research_effort, successes, times_at_first, wright_cost
from sim.model import DecouplingModel


def one(value):
    return np.array([[value]])


def test_who_began_without_experience_keeps_its_cost():
    """6 / 2 = 3 times; nothing in 2020 and nothing, or something, now: no law, so 1."""
    multiples = times_at_first(np.array([[6.0, 0.0, 4.0]]), np.array([[2.0, 0.0, 0.0]]))
    assert multiples.tolist() == [[3.0, 1.0, 1.0]]


@pytest.mark.filterwarnings("ignore:divide by zero")  # fabs that do not exist yet have made nothing: cost without end
def test_a_world_in_which_nothing_spills_over_runs():
    model = DecouplingModel("historic", set={"learning.spillover": 0.0}, until=2021)
    model.run()
    assert np.isfinite(model.suppliers.unit_cost).all()


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
