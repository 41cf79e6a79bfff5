"""Agents over columns: two faces, one text."""

import numpy as np
import pytest

from sim import DecouplingModel
from sim.agents import ChipFirm, State, Supplier
from sim.engine.groups import Groups, total, total_over_rows


@pytest.fixture(scope="module")
def model():
    model = DecouplingModel("published-2020", rng=3, until=2020)
    model.step()
    return model


def firm(model, name):
    return next(iter(model.agents_by_type[ChipFirm].select(lambda each: each.id == name)))


def test_a_person_sees_floats_members_and_agents(model):
    smic = firm(model, "smic-chn-mature")
    assert isinstance(smic.capacity, float)
    assert smic.segment.value == "mature_logic"
    assert isinstance(smic.headquarters, State) and smic.headquarters.id == "CHN"
    assert smic.site is smic.headquarters
    assert firm(model, "samsung-chn-memory").headquarters.id == "KOR"
    assert all(isinstance(place, float) for place in smic.pipeline)


def test_mesa_tools_work(model):
    firms = model.agents_by_type[ChipFirm]
    assert firms.agg("capacity", sum) == pytest.approx(float(model.chip_firms.capacity.sum()), rel=1e-12)
    assert len(firms.select(lambda each: each.site.id == "CHN")) == len(
        [row for name in ("chip_firms", "entrants") for row in model.world.rows[name] if row["site"] == "CHN"]
    )
    by_segment = firms.groupby("segment").agg("output", sum)
    assert len(by_segment) == 6
    largest = firms.sort("output", ascending=False).to_list()[0]
    assert largest.output == model.chip_firms.output.max()
    assert len(model.agents_by_type[Supplier]) == len(model.world.rows["suppliers"])


def test_undeclared_names_are_refused_with_the_nearest(model):
    smic = firm(model, "smic-chn-mature")
    with pytest.raises(AttributeError, match="did you mean 'capacity'"):
        smic.capacitty = 1.0
    with pytest.raises(AttributeError, match="did you mean 'capacity'"):
        _ = smic.capacitty
    with pytest.raises(AttributeError, match="did you mean 'subsidy_spent'"):
        _ = model.chip_firms.headquarters.subsidy_spnt


def test_columns_are_values():
    model = DecouplingModel("published-2020", rng=3, until=2020)
    before = model.chip_firms.capacity
    with pytest.raises(ValueError, match="read-only"):
        before[0, 0] = 1.0
    smic = firm(model, "smic-chn-mature")
    was = before.copy()
    smic.capacity = 2 * smic.capacity
    assert np.array_equal(before, was)
    changed = np.flatnonzero(model.chip_firms.capacity[0] != was[0])
    assert [model.roster.chip_firms[index] for index in changed] == ["smic-chn-mature"]


def test_a_block_says_why_it_has_no_agents(model):
    block = DecouplingModel.block([model.scenarios[0]] * 2, [1, 2], until=2020)
    with pytest.raises(AttributeError, match="DecouplingModel of one run"):
        block.agents_by_type[ChipFirm]
    assert block.chip_firms.capacity.shape == (2, len(block.roster.chip_firms))


def test_sums_by_group_keep_empty_groups_at_zero():
    groups = Groups(np.array([2, 0, 2, 0]), 4)
    assert groups.sum(np.array([[1.0, 2.0, 3.0, 4.0]])).tolist() == [[6.0, 0.0, 4.0, 0.0]]
    assert groups.spread(np.array([[10.0, 11.0, 12.0, 13.0]])).tolist() == [[12.0, 10.0, 12.0, 10.0]]
    assert total(np.array([[1.0, 2.0, 3.0]])).tolist() == [[6.0]]
    assert total_over_rows(np.array([[[1.0, 2.0], [3.0, 4.0]]])).tolist() == [[4.0, 6.0]]
