"""The document on use from Python: its examples run from top to bottom, and the names it lists are there."""

import importlib
import re

import matplotlib
import numpy as np
import pytest
from support.paths import ROOT

TEXT = (ROOT / "docs/reference/python.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def names():
    """What the examples leave behind."""
    matplotlib.use("svg")
    held = {}
    for number, block in enumerate(BLOCKS, start=1):
        exec(compile(block, f"python.md, block {number}", "exec"), held)
    return held


def test_a_run_is_a_table_of_quarters(names):
    assert names["series"].shape[0] == 64
    assert names["series"].index[[0, -1]].tolist() == ["2020-03-31", "2035-12-31"]


def test_agents_are_chosen_and_added_up(names):
    assert {firm.site.id for firm in names["at_home"]} == {"CHN"}
    # China's production in 2020 was about 23 bn dollars a year at 6.9 yuan; two years on, and foreign-owned plants.
    assert 23 * 6.9 / 4 < names["made_at_home"] < 4 * 23 * 6.9 / 4


def test_two_futures_part_with_the_truce(names):
    gain = names["gain"]
    assert (gain[:"2024-12-31"] == 0).all() and (gain["2026-03-31":] != 0).any()


def test_a_block_has_the_bits_of_its_runs(names):
    alone = names["DecouplingModel"]("published-2020", rng=7, set={"controls.severity": 0.8}, until=2025)
    alone.run()
    assert np.array_equal(alone.series("year").to_numpy(), names["yearly"].loc[1].to_numpy(), equal_nan=True)


def test_a_batch_is_a_table_of_runs(names):
    assert names["ends"].shape == (4, 2) and names["ends"].notna().all(axis=None)


def test_a_comparison_is_the_mean_of_the_pairs(names):
    """With the push held and with it answering, against the runs of both results."""
    comparison, folder = names["comparison"], names["folder"]
    tables = [names["pandas"].read_csv(folder / config / "runs.csv") for config in ("no-controls", "us-alone")]
    free, strict = (
        table.pivot(index="seed", columns="security.caused_by_controls", values="domestic_supply_share@end")
        for table in tables
    )
    for rows, level in ((comparison.held.rows, 0.0), (comparison.rows, 1.0)):
        at_end = next(r for r in rows if (r.measure, r.at) == ("domestic_supply_share", "final"))
        assert at_end.n_pairs == 4
        assert at_end.diff == pytest.approx((strict - free)[level].mean(), abs=1e-9)


def test_what_a_number_rests_on(names):
    learning = names["learning"]
    assert learning.low < learning.value < learning.high and learning.source


@pytest.mark.parametrize("name", re.findall(r"`(sim\.[\w.]+)", TEXT))
def test_public_names_are_there_and_say_what_they_are(name):
    module, _, attribute = name.rpartition(".")
    assert getattr(importlib.import_module(module), attribute).__doc__
