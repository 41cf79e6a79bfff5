"""What passes between agents without being bought, worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.engine.groups import Groups
from sim.markets.spillovers import move_frontier, pass_on_experience


def row(*values):
    return np.array([values])


def test_experience_of_others_is_that_of_the_market_without_ones_own():
    firms = SimpleNamespace(experience=row(10.0, 20.0, 40.0), made=row(1.0, 2.0, 4.0))
    suppliers = SimpleNamespace(experience=row(5.0, 7.0), revenue=row(0.5, 0.25))
    roster = SimpleNamespace(by_segment=Groups(np.array([0, 0, 1]), 2), by_input=Groups(np.array([0, 0]), 1))
    pass_on_experience(firms, suppliers, roster)
    assert firms.experience_of_others.tolist() == [[22.0, 11.0, 0.0]]
    assert suppliers.experience_of_others.tolist() == [[7.25, 5.5]]


@pytest.mark.parametrize(
    ("revenue", "granted", "elasticity", "speed"),
    [
        # All sales doubled, the leader's with them: the usual.
        ((6.0, 2.0, 4.0), 0.0, 0.5, (1.0, 1.0, 1.0)),
        # The leader of the first segment sells as in 2020 while the world doubles: half the usual research.
        ((3.0, 5.0, 4.0), 0.0, 1.0, (0.5, 0.5, 1.0)),
        # A grant of 0.3 makes up for the other half: 0.1 x 3 + 0.3 is twice 0.1 x 3.
        ((3.0, 5.0, 4.0), 0.3, 1.0, (1.0, 1.0, 1.0)),
        ((3.0, 5.0, 4.0), 0.0, 2.0, (0.25, 0.25, 1.0)),
    ],
)
def test_the_leaders_sales_and_grants_move_the_frontier(revenue, granted, elasticity, speed):
    """Two segments: a leader that made 3 beside the target's firm that made 1, and the target's alone that made 2."""
    firms = SimpleNamespace(
        base_output=row(3.0, 1.0, 2.0), revenue=row(*revenue), research_grant=row(granted, 9.0, 9.0)
    )
    roster = SimpleNamespace(
        has_quality=np.zeros(2, dtype=bool),
        target_owned=np.array([False, True, True]),
        is_entrant=np.array([False, False, False]),
        by_segment=Groups(np.array([0, 0, 1]), 2),
    )
    parameters = {
        "research.intensity_chip_firms": row(0.1),
        "research.frontier_elasticity": row(elasticity),
    }
    move_frontier(parameters, firms, roster)
    assert firms.frontier_speed[0] == pytest.approx(speed)
