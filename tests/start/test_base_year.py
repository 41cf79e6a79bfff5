"""The year 2020 as the model itself produces it, against published figures, and a world in which nothing may move."""

from dataclasses import replace

import numpy as np
import pytest
from support.models import series_of, year

from sim.model import DecouplingModel
from sim.scenario.loading import load_config


def test_published_2020(paired):
    runs = paired()
    mean = {name: year(values, 2020).mean() for name, values in runs.items()}
    assert mean["chip_market"] == pytest.approx(990, rel=0.02)
    assert mean["production_share_located"] == pytest.approx(0.158, abs=0.003)  # IC Insights: 22.7 / 143.4
    assert mean["production_share_hq"] == pytest.approx(0.058, abs=0.003)  # IC Insights: 8.3 / 143.4
    assert 0.09 < mean["domestic_supply_share"] < 0.14
    assert mean["equipment_spending"] == pytest.approx(18.72 * 6.9, rel=0.03)  # SEMI
    assert mean["equipment_self_supply"] < 0.09  # the table of shares implies 7 to 9 %


def test_world_shares_of_every_input_are_those_of_the_table(paired):
    runs = paired({"research.frontier_drift": 0.0})  # by which the leaders gain a little within the year
    model = DecouplingModel("published-2020", until=2020)
    shares = {(row["input"], row["headquarters"]): row["share"] for row in model.world.rows["suppliers"]}
    for item in model.roster.inputs:
        for state in model.roster.states:
            found = year(runs[f"input_world_share.{item}.{state}"], 2020).mean()
            assert found == pytest.approx(shares.get((item, state), 0.0), abs=0.01), (item, state)


def test_article_2021(paired):
    runs = paired(config="article-2021")
    assert year(runs["chip_market"], 2020).mean() == pytest.approx(884.8, rel=0.02)
    assert year(runs["domestic_supply_share"], 2020).mean() == pytest.approx(0.10, abs=0.003)


def test_every_parameter_set_meets_2020():
    from sim.scenario.loading import load_config

    base = load_config("published-2020")
    extremes = [
        {"base.target_capital": 0.7},
        {"base.target_capital": 1.3},
        {"demand.growth": 0.03},
        {"demand.growth": 0.08},
        {"base.domestic_supply_share": 0.09},
        {"investment.depreciation": 0.14},
        {"base.home_bias": 6.0},
        {"base.target_home_bias": 30.0},
        {"investment.normal_utilisation": 0.92},
    ]
    model = DecouplingModel.block([base.with_values(change) for change in extremes], [1] * len(extremes), until=2020)
    series_of(model)
    _, values = model.recorder.values("year")
    column = model.recorder.names.index
    assert values[:, 0, column("production_share_hq")] == pytest.approx(np.full(len(extremes), 0.058), abs=0.003)
    assert values[:, 0, column("production_share_located")] == pytest.approx(np.full(len(extremes), 0.158), abs=0.003)
    assert values[:, 0, column("equipment_spending")] == pytest.approx(np.full(len(extremes), 129.2), rel=0.03)


def unmoved(changes):
    neutral = replace(load_config("neutral", changes), given={})  # what is given as observed moves any world
    model = DecouplingModel(neutral, record="all")
    values = series_of(model)[0]
    size = np.maximum(np.abs(values[0]), 1.0)
    moved = np.abs(values - values[0]) / size
    names = [name for column, name in enumerate(model.recorder.names) if (moved[:, column] > 1e-9).any()]
    assert not names, names


def test_nothing_moves_in_the_neutral_world():
    unmoved({})


def test_what_is_given_as_observed_does_not_move_the_neutral_config():
    model = DecouplingModel("neutral", record=["chip_market", "chip_production_hq"])
    values = model.run().to_numpy()
    np.testing.assert_allclose(values, np.broadcast_to(values[0], values.shape), rtol=1e-9)


STILL = [name for name, value in load_config("neutral").values.items() if name.startswith("mechanisms.") and value]


@pytest.mark.parametrize("mechanism", STILL)
def test_each_mechanism_alone_at_its_base_value_moves_nothing(mechanism):
    """Of those that the neutral config leaves on; the others are motors, which move a world by themselves."""
    assert len(STILL) >= 10
    unmoved({name: False for name in STILL if name != mechanism})


def test_motors_at_zero_move_nothing():
    unmoved(
        {
            "mechanisms.growth": True,
            "demand.growth": 0.0,
            "demand.surge": 0.0,
            "demand.target_drift": 0.0,
            "demand.path_weight": 0.0,
            "mechanisms.luck": True,
            "demand.shock_sd": 0.0,
            "demand.target_sd": 0.0,
            "build.slip_probability": 0.0,
            "research.success_probability": 1.0,
            "mechanisms.state_programme": True,
            "state_programme.scale": 0.0,
            "base.running_in": 0.0,
            "mechanisms.learning": True,
            "learning.rate": 0.0,
            "designers.speed": 0.0,
            "mechanisms.research": True,
            "research.quality_growth": 0.0,
            "research.supplier_catch_up": 0.0,
            "research.frontier_drift": 0.0,
            "research.chip_catch_up": 0.0,
            "research.entry_rate": 0.0,
        }
    )


def test_groups_of_a_kind_choose_as_if_each_were_fitted_by_itself():
    """Suppliers sell by their world shares; at home the target's have their bias. A group of each kind more or less
    does not matter, as a fit scales rows: so the sixty rounds are gone through here with a row for each group."""
    model = DecouplingModel("published-2020")
    roster, base = model.roster, model.input_market.base
    bias = float(model.parameters["base.target_home_bias"][0, 0])
    for item, input_id in enumerate(roster.inputs):
        sellers = [place for place, row in enumerate(roster.supplier_rows) if row["input"] == input_id]
        world = np.array([roster.supplier_rows[place]["share"] for place in sellers])
        need = np.maximum(base.input_need[0, :, item], 1e-12)
        flow = np.ones((len(need), len(sellers)))
        flow[np.ix_(roster.group_at_home, roster.target_supplier[sellers])] = bias
        for _ in range(60):
            flow *= (need / flow.sum(axis=1))[:, None]
            sold = flow.sum(axis=0)
            flow *= base.input_need[0, :, item].sum() * world / world.sum() / np.where(sold > 0, sold, 1.0)
        for group, bought in enumerate(flow):
            chosen = base.input_share[0, roster.buyer_of_group[group], sellers]
            assert chosen == pytest.approx(bought / bought.sum(), abs=1e-10)
