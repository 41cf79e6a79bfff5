"""Who gets a subsidy, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.engine.groups import Groups
from sim.model import DecouplingModel
from sim.policy.subsidy import _parts


def weights_of(rule):
    return SimpleNamespace(is_set=lambda name, choice: np.array([[choice == rule]]))


def test_the_four_rules_of_allocation():

    markets = Groups(np.array([0, 0, 1, 1, 2]), 3)
    sales = np.array([[3.0, 1.0, 2.0, 2.0, 0.0]])
    eligible = np.array([True, True, True, True, True])
    exposure = np.array([[1.0, 3.0, 100.0]])

    def parts(rule):
        return _parts(weights_of(rule), sales, eligible, markets, exposure)[0].tolist()

    assert parts("uniform") == [0.2] * 5
    assert parts("market") == [0.375, 0.125, 0.25, 0.25, 0.0]
    assert parts("leader") == [0.5, 0.0, 0.25, 0.25, 0.0]
    assert parts("bottleneck") == pytest.approx([0.25 * 0.75, 0.25 * 0.25, 0.375, 0.375, 0.0])


def test_controllers_subsidies_go_to_their_own_and_all_arrive():
    model = DecouplingModel("published-2020", set={"controller_subsidy.annual": 100, "subsidy.leakage": 0.2})
    model.step()
    roster = model.roster
    home = roster.is_controller[roster.firm_site]
    assert model.chip_firms.capacity_grant[0, ~home].sum() == 0.0
    assert model.chip_firms.capacity_grant[0, home].sum() == pytest.approx(100 / 4 * 0.8 * 0.7)
    own = roster.is_controller[roster.supplier_state]
    assert model.suppliers.research_grant[0, own].sum() == pytest.approx(100 / 4 * 0.8 * 0.3 * 0.5)
