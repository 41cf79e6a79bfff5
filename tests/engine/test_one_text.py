"""A rule is written once: agent by agent, all at once, alone or in a block, the bits are the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import series_of

from sim.model import DecouplingModel
from sim.scenario.loading import load_config

STRICT = {
    "controls.severity": 0.9,
    "controls.start": 2022,
    "subsidy.annual": 200,
    "subsidy.allocation": "bottleneck",
    "mandate.domestic": 0.2,
    "investment.annual": 300,
}


def columns_of(model):
    return {
        (kind.__name__, name): values for kind, table in model.tables.items() for name, values in table.values.items()
    }


def test_agent_by_agent_and_all_at_once_give_equal_bits():
    together = DecouplingModel("historic", rng=5, set=STRICT)
    one_by_one = DecouplingModel("historic", rng=5, set=STRICT, one_by_one=True)
    assert together.horizon == 64
    while together.running:
        together.step()
        one_by_one.step()
        left, right = columns_of(together), columns_of(one_by_one)
        unequal = [name for name in left if left[name].tobytes() != right[name].tobytes()]
        assert not unequal, f"quarter {together.quarter}: {unequal}"


@pytest.mark.parametrize("size", [3, 32, 33])
def test_a_run_alone_equals_the_run_in_a_block(size):
    base = load_config("historic")
    scenarios = [base.with_values({"subsidy.annual": 10.0 * n, "controls.severity": 1 - n / 40}) for n in range(size)]
    block = series_of(DecouplingModel.block(scenarios, range(size), record="all"))
    for place in {0, size // 2, size - 1}:
        alone = series_of(DecouplingModel.block([scenarios[place]], [place], record="all"))
        assert alone[0].tobytes() == block[place].tobytes()


changes = st.fixed_dictionaries(
    {
        "controls.severity": st.floats(0, 1),
        "controls.alignment": st.floats(0, 1),
        "subsidy.annual": st.floats(0, 2000),
        "subsidy.allocation": st.sampled_from(["uniform", "market", "leader", "bottleneck"]),
        "investment.annual": st.floats(0, 2000),
        "mandate.domestic": st.floats(0, 1),
        "demand.growth": st.floats(-0.05, 0.08),
        "base.target_capital": st.floats(0.7, 1.3),
        "learning.rate": st.floats(0, 0.4),
        "controls.backfill": st.floats(0, 2),
    }
)


@given(st.lists(st.tuples(changes, st.integers(0, 2**40)), min_size=2, max_size=5))
@settings(max_examples=15, deadline=None)
def test_any_run_is_the_same_alone_and_in_company_and_balances(runs):
    base = load_config("published-2020").with_values({"controls.start": 2021})
    scenarios = [base.with_values(change) for change, _ in runs]
    seeds = [seed for _, seed in runs]
    block = series_of(DecouplingModel.block(scenarios, seeds, until=2022))  # every quarter closes its accounts
    alone = series_of(DecouplingModel(scenarios[-1], seeds[-1], until=2022))
    assert alone[0].tobytes() == block[-1].tobytes()
    shares = block[:, :, :4]
    assert np.isfinite(shares).all() and (shares[:, :, :2] >= 0).all() and (shares[:, :, :2] <= 1).all()
