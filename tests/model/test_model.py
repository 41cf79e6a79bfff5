"""The model as a Mesa user meets it."""

from datetime import date

import numpy as np
import pandas
import pytest

from sim import DecouplingModel
from sim.agents import ChipFirm, State, Supplier
from sim.errors import BadInput
from sim.scenario.loading import load_config


def test_as_a_mesa_user_expects():
    model = DecouplingModel("historic", rng=42)
    assert model.running and model.time == 0
    model.step()
    assert model.time == 1 and model.quarter == 1
    assert set(model.agents_by_type) == {State, ChipFirm, Supplier}
    assert model.agents_by_type[ChipFirm].agg("capacity", sum) > 0
    frame = model.run()
    assert not model.running and model.time == 64
    assert len(frame) == 64 and frame.index[0] == "2020-03-31" and frame.index[-1] == "2035-12-31"
    model.step()
    assert len(model.series()) == 64  # nothing happens after the last quarter


def test_the_data_collector_works_on_one_run():
    from mesa import DataCollector

    model = DecouplingModel("published-2020", until=2020)
    collector = DataCollector(
        model_reporters={"quarter": "quarter"}, agenttype_reporters={ChipFirm: {"output": "output"}}
    )
    while model.running:
        model.step()
        collector.collect(model)
    frame = collector.get_agenttype_vars_dataframe(ChipFirm)
    assert len(frame) == 4 * len(model.roster.chip_firms) and (frame["output"] >= 0).all()
    assert (frame["output"] == 0).sum() == 4 * model.roster.is_entrant.sum()


def test_the_same_seed_gives_the_same_run_and_another_another():
    first, again, other = (DecouplingModel("published-2020", rng=seed, until=2024).run() for seed in (3, 3, 4))
    assert first.to_numpy().tobytes() == again.to_numpy().tobytes()
    assert not np.array_equal(first.to_numpy(), other.to_numpy())


def test_a_horizon_includes_all_of_its_last_year():
    frame = DecouplingModel("published-2020", until=2022).run()
    assert frame.index[-1] == "2022-12-31" and len(frame) == 12


@pytest.mark.parametrize("seed", [-1, 1.5, "one", True])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(BadInput, match="whole number from 0"):
        DecouplingModel("published-2020", rng=seed)


def test_a_block_must_share_its_events():
    from sim.scenario.loading import load_config

    with pytest.raises(BadInput, match="share"):
        DecouplingModel.block([load_config("historic"), load_config("published-2020")], [1, 2])


def test_a_branch_goes_on_as_the_model_itself_does_and_neither_moves_the_other():
    model = DecouplingModel("historic", rng=3)
    for _ in range(9):
        model.step()
    other = model.branch()
    assert (other.time, other.quarter, len(other.agents)) == (model.time, 9, len(model.agents))
    other.intervene({"date": date(2022, 4, 1), "by": "CHN", "kind": "subsidy", "amount": 500})
    for _ in range(12):
        other.step()
    alone = DecouplingModel("historic", rng=3).run()
    pandas.testing.assert_frame_equal(model.run(), alone, check_exact=True)
    for _ in range(43):
        other.step()
    changed = other.series()
    pandas.testing.assert_frame_equal(changed.iloc[:9], alone.iloc[:9], check_exact=True)
    assert changed["production_share_hq"].iloc[-1] > alone["production_share_hq"].iloc[-1]


def test_a_branch_of_a_block_has_its_bits():
    scenario = load_config("published-2020")
    model = DecouplingModel.block([scenario] * 3, [1, 2, 3])
    model.step()
    other = model.branch()
    other.step()
    model.step()
    assert np.array_equal(other.chip_firms.capacity, model.chip_firms.capacity)
    with pytest.raises(AttributeError, match="block of many runs"):
        _ = other.agents


def test_the_clock_stops_with_the_last_quarter():
    model = DecouplingModel("published-2020", until=2020)
    model.run()
    model.step()
    assert (model.steps, model.time, model.quarter) == (4, 4, 4)
    other = DecouplingModel("published-2020", until=2020)
    other.run_for(100)
    assert (other.steps, other.time, other.quarter) == (4, 4, 4)
    twin = other.branch()
    assert (twin.steps, twin.time, twin.running) == (4, 4, False)


def test_agents_have_the_names_of_their_tables():
    model = DecouplingModel("published-2020", until=2020)
    for table, kind in (("states", State), ("chip_firms", ChipFirm), ("suppliers", Supplier)):
        named = {row["id"]: row["name"] for row in model.world.rows[table]}
        found = {agent.id: agent.name for agent in model.branch().agents_by_type[kind]}
        assert {key: found[key] for key in named} == named


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: DecouplingModel.block(["published-2020"], [1]), "each must be a Scenario"),
        (lambda: DecouplingModel("published-2020").intervene(5), "event = 5: must be a table"),
        (lambda: DecouplingModel("published-2020", set={1: 2}), "1: is not a known key"),
    ],
    ids=["block", "event", "key"],
)
def test_wrong_use_from_python_gets_a_sentence(wrong, said):
    with pytest.raises(BadInput, match=said):
        wrong()
