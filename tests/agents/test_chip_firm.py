"""Investment, building and entry of chip firms, by hand in a world in which nothing else moves."""

import numpy as np
import pytest
from support.models import advance, quiet

from sim.model import DecouplingModel
from sim.scenario.loading import load_config


def test_lines_make_chips_after_their_build_time_and_not_before():
    model = quiet({"mechanisms.subsidy": True, "subsidy.annual": 100, "subsidy.research_share": 0.0})
    untouched = quiet()
    segments = np.array(model.roster.segments)[model.roster.firm_segment]
    owned = model.roster.target_owned & ~model.roster.is_entrant
    for quarter in range(8):
        model.step()
        untouched.step()
        grown = model.chip_firms.capacity[0] > untouched.chip_firms.capacity[0] * (1 + 1e-9)
        # Ordered and delivered in quarter 0: ready for quarter 4 where building takes a year, 6 where 1.5.
        assert grown[owned & (segments == "mature_logic")].all() == (quarter + 1 >= 4)
        assert grown[owned & (segments == "advanced_logic")].all() == (quarter + 1 >= 6)
        assert not grown[~owned & ~model.roster.is_entrant].any()


def test_extra_money_is_absorbed_with_falling_returns():
    def first_orders(subsidy):
        model = quiet(
            {
                "subsidy.annual": subsidy,
                "subsidy.research_share": 0.0,
                "subsidy.leakage": 0.2,
                "subsidy.allocation": "market",
            }
        )
        model.step()
        at = model.roster.chip_firms.index("smic-chn-mature")
        return (
            float(model.chip_firms.investment[0, at] - model.chip_firms.private_investment[0, at]),
            float(model.chip_firms.capacity_grant[0, at]),
            float(model.chip_firms.base_capacity[0, at] * model.chip_firms.capital_per_capacity[0, at]),
        )

    for subsidy in (40.0, 400.0):
        bought, grant, capital = first_orders(subsidy)
        assert bought == pytest.approx(grant / (1 + grant / (1.2 * capital / 4)), rel=1e-9)
    # SMIC's mature lines sell 3.45 of 8.3 bn USD, and 0.01 x 0.1 / 0.35 of dies for accelerators: their part of
    # 400 x 0.8 / 4 bn yuan a quarter.
    assert grant == pytest.approx(80 * 3.45 / (8.3 + 0.01 * 0.1 / 0.35), rel=1e-6)
    scale = float(load_config("neutral").values["base.target_capital"])
    assert capital == pytest.approx(8.6 * 6.9 * scale, rel=1e-9)


def test_less_equity_cuts_the_part_that_outsiders_paid():
    model = quiet({"investment.annual": 70})
    model.step()
    owned = model.roster.target_owned & ~model.roster.is_entrant
    spent, before = model.chip_firms.investment[0], model.chip_firms.base_investment[0]
    assert spent[owned] == pytest.approx(before[owned] * (1 - 0.5 * 0.68), rel=1e-9)
    assert spent[~owned] == pytest.approx(before[~owned], rel=1e-12)


def test_nobody_enters_without_subsidy_and_a_failed_fab_leaves_no_lines():
    model = advance(DecouplingModel("published-2020", rng=3), 64)
    entrants = model.roster.is_entrant
    assert model.chip_firms.entered[0, entrants].max() == model.chip_firms.output[0, entrants].max() == 0.0

    scenario = load_config("published-2020").with_values({"subsidy.annual": 400, "entry.failure": 0.9})
    model = DecouplingModel.block([scenario] * 20, range(20))
    abandoned = 0.0
    while model.running:
        model.step()
        gone = model.chip_firms.abandoned > 0
        abandoned += float(model.chip_firms.abandoned.sum())
        assert not gone[:, ~entrants].any()
        assert (model.chip_firms.entered[gone] == 0).all()
    assert abandoned > 0 and model.chip_firms.output[:, entrants].sum() > 0
