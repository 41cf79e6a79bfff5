"""A mandate for tools: by hand, and as fast as home suppliers can expand."""

import numpy as np
import pytest

from sim.markets.inputs import raised_odds
from sim.model import DecouplingModel
from sim.scenario.loading import load_config


def test_odds_are_raised_by_hand():
    # A fifth has odds of 1 to 4; three times that is 3 to 4, three sevenths.
    assert raised_odds(np.array([0.2]), np.log(3.0))[0] == pytest.approx(3 / 7)
    np.testing.assert_array_equal(raised_odds(np.array([0.0, 1.0]), np.array(5.0)), [0.0, 1.0])


def yearly(changes, measure="equipment_self_supply"):
    model = DecouplingModel(load_config("no-controls", changes), record=[measure])
    model.run()
    return model.series("year")[measure].to_numpy()


def test_a_mandate_is_reached_as_fast_as_suppliers_can_expand():
    pace = 0.2
    free = yearly({"mandate.tools_pace": 0.01})  # an event of the config asks for half from the end of 2025 on
    slow, fast = yearly({"mandate.tools_pace": pace}), yearly({"mandate.tools_pace": 10.0})
    assert (slow[:5] == free[:5]).all() and (fast[7:] > slow[7:]).all() and (slow[6:] > free[6:]).all()
    # With all the pace in the world the own firms' lines are at half at once; foreign-owned plants are not bound.
    assert fast[6] > 0.4

    def odds(share):
        return np.log(share / (1 - share))

    # In 2027 the mandate is in force for five to eight quarters: at most two years' pace in odds, and more than one's.
    gained = odds(slow[7]) - odds(free[7])
    assert 0.5 * pace < gained < 2 * pace


def test_without_a_mandate_its_pace_moves_nothing():
    none = {"mechanisms.mandate": False}
    assert (yearly({**none, "mandate.tools_pace": 5.0}) == yearly(none)).all()
