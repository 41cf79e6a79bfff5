"""The score of the chain review by hand."""

import numpy as np
import pytest

from sim.model import DecouplingModel
from sim.policy.review import review_inputs


def test_the_score_by_hand():
    """From the model's own purchases of one input: reliance x Herfindahl index of foreign states x y / (y + 5)."""
    model = DecouplingModel("published-2020")
    found = review_inputs(model)
    roster, item = model.roster, model.roster.inputs.index("design_software")
    bought = dict.fromkeys(roster.states, 0.0)
    for group in np.flatnonzero(roster.group_at_home):
        for supplier in np.flatnonzero(roster.supplier_input == item):
            choice = model.input_market.choice[0, roster.buyer_of_group[group], supplier]
            value = model.input_market.need[0, group, item] * choice
            bought[roster.states[roster.supplier_state[supplier]]] += value
    whole, abroad = sum(bought.values()), sum(bought.values()) - bought["CHN"]
    concentration = sum((value / abroad) ** 2 for state, value in bought.items() if state != "CHN")
    years = found.years[0, item]
    assert found.dependence[0, item] == pytest.approx(abroad / whole)
    assert found.deniable_alone[0, item] == pytest.approx(bought["USA"] / whole)
    assert found.score[0, item] == pytest.approx(abroad / whole * concentration * years / (years + 5.0))
