"""Effects that take two runs, and what carries a difference: by hand, on made-up results, and on real runs."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from support.made_results import NAN, table, write

from sim.batch.run import run_batch
from sim.compare.effects import fieller
from sim.compare.question import Question, compare
from sim.experiment.file import load_experiment
from sim.measures import catalogue
from sim.world.world import load_world

EXPERIMENT = """
question = "What does a control do?"
configs = ["{config}"]
replications = 3
[record]
measures = "all"
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Three seeds of `no-controls` and of `historic` with all measures."""
    folder = tmp_path_factory.mktemp("real")
    made = []
    for config in ("no-controls", "historic"):
        (folder / f"{config}.toml").write_text(EXPERIMENT.format(config=config))
        assert run_batch(load_experiment(folder / f"{config}.toml"), workers=1, out=folder / config) == 0
        made.append(folder / config)
    return made


def test_pairing_shows_its_worth(tmp_path):
    """On the real model a paired interval is half as wide as an unpaired one, or less."""
    made = []
    for config in ("no-controls", "historic"):
        text = EXPERIMENT.format(config=config).replace("= 3", "= 30").replace('"all"', '"headline"')
        (tmp_path / f"{config}.toml").write_text(text)
        assert run_batch(load_experiment(tmp_path / f"{config}.toml"), workers=1, out=tmp_path / config) == 0
        made.append(tmp_path / config)
    asked = Question(measures=["domestic_supply_share", "chip_market"], at=["2025", "2030"])
    paired, unpaired = (compare(made, replace(asked, paired=paired)).rows for paired in (True, False))
    for row, other in zip(paired, unpaired, strict=True):
        assert row.n_pairs == 30 and row.diff == pytest.approx(other.diff)
        assert row.diff_hi - row.diff_lo <= 0.5 * (other.diff_hi - other.diff_lo)


def result(folder, name, runs):
    """A result folder of outcomes: {seed or (set, seed): {column: value}}."""
    return write(folder / name, table([(drawn, (), values) for drawn, values in runs.items()]))


def effects(base, candidate):
    return {(row.effect, row.slice): row for row in compare([base, candidate], Question()).effects}


def money(spent, share):
    return {"subsidy_spent@sum": spent, "domestic_supply_share@end": share}


def test_cost_per_point_by_hand(tmp_path):
    base = result(tmp_path, "base", {1: money(0.0, 0.10), 2: money(0.0, 0.12), 3: money(0.0, 0.14)})
    candidate = result(tmp_path, "candidate", {1: money(100.0, 0.12), 2: money(110.0, 0.15), 3: money(120.0, 0.18)})
    row = effects(base, candidate)["cost_per_point", "all"]
    # 330 bn yuan for 2 + 3 + 4 points.
    assert (row.value, row.unit, row.n_pairs) == (pytest.approx(330 / 9), "bn yuan a point", 3)
    # Fieller: all ratios r for which the mean of money - r x points does not differ from 0 by the t test.
    for limit in (row.lo, row.hi):
        left = np.array([100, 110, 120]) - limit * np.array([2, 3, 4])
        assert stats.ttest_1samp(left, 0).pvalue == pytest.approx(0.05)


def test_fieller_holds_the_truth():
    generator = np.random.default_rng(9)
    held = 0
    for _ in range(2000):
        points = generator.normal(4, 1, 30)
        found = fieller(3 * points + generator.normal(0, 2, 30), points, 0.95)
        held += found.low <= 3 <= found.high
    assert 0.93 <= held / 2000 <= 0.97


def test_fieller_without_an_answer():
    assert fieller(np.array([1.0]), np.array([2.0]), 0.95).low is None
    found = fieller(np.array([1.0, 2, 3]), np.array([-3.0, 0, 4]), 0.95)
    assert found.low is None and found.flags == ("few pairs", "the gain is not told from none: no interval")
    found = fieller(np.array([2.0, 2, 2]), np.array([1.0, 1, 1]), 0.95)
    assert (found.mean, found.low, found.high) == (2.0, None, None)


@pytest.mark.parametrize(
    ("spent", "share", "words"),
    [(0.0, 0.2, "subsidies are the same in both"), (50.0, 0.09, "no gain in share"), (NAN, 0.2, "no pair has a value")],
)
def test_no_cost_per_point(tmp_path, spent, share, words):
    base = result(tmp_path, "base", {1: money(0.0, 0.1), 2: money(0.0, 0.1)})
    candidate = result(tmp_path, "candidate", {1: money(spent, share), 2: money(spent, share)})
    row = effects(base, candidate)["cost_per_point", "all"]
    assert row.value is None and words in row.flags


def test_cost_per_point_over_parameter_sets(tmp_path):
    drawn = [(number, seed) for number in (1, 2, 3) for seed in (1, 2)]
    base = result(tmp_path, "base", {pair: money(0.0, 0.1) for pair in drawn})
    gains = {1: 0.02, 2: 0.05, 3: -0.01}
    candidate = result(tmp_path, "candidate", {pair: money(100.0, 0.1 + gains[pair[0]]) for pair in drawn})
    row = effects(base, candidate)["cost_per_point", "all"]
    # Mean gain 2 points for 100; the two sets that gain pay 50 and 20 a point.
    assert (row.value, row.n_sets) == (pytest.approx(50), 3)
    assert (row.q05, row.q50, row.q95) == pytest.approx((21.5, 35, 48.5))
    assert "1 of 3 parameter sets gain nothing" in row.flags


def test_lost_revenue_and_buyers_cost_by_hand(tmp_path):
    def year(usa, twn, cost):
        return {
            "sales_to_target.USA@sum": usa,
            "sales_to_target.TWN@sum": twn,
            "buyer_cost@sum": cost,
            "buyer_cost@end": 1.0,
        }

    base = result(tmp_path, "base", {1: year(100.0, 50.0, 10.0), 2: year(120.0, 60.0, 12.0)})
    candidate = result(tmp_path, "candidate", {1: year(80.0, 55.0, 13.0), 2: year(90.0, 65.0, 17.0)})
    found = effects(base, candidate)
    lost = {part: row.value for (effect, part), row in found.items() if effect == "controllers_lost_revenue"}
    assert lost == {"USA": 25.0, "TWN": -5.0, "all": 20.0}
    known = stats.t.interval(0.95, 1, 20, stats.sem([15, 25]))
    row = found["controllers_lost_revenue", "all"]
    assert (row.lo, row.hi) == pytest.approx(known)
    assert found["buyers_cost", "all"].value == 4.0
    assert all(row.value == 0 for row in effects(base, base).values())


def test_what_was_not_recorded_is_said(tmp_path):
    base = result(tmp_path, "base", {1: {"domestic_supply_share@end": 0.1}})
    notes = compare([base, base], Question()).notes
    assert any("lost revenue needs sales_to_target" in note for note in notes)
    assert any('that carry a difference need measures = "all"' in note for note in notes)


def test_sales_to_the_target_add_up(real):
    """Everybody's sales to the target are the chips and the inputs that it buys."""
    for folder in real:
        found = compare([folder, folder], Question(by="state", measures=["sales_to_target"], at=["2030"]))
        sold = sum(row.base_mean for row in found.rows)
        [market] = compare([folder, folder], Question(measures=["chip_market"], at=["2030"])).rows
        inputs = [name for name in catalogue(load_world("china-2020")) if name.startswith("supplier_sales_to_target.")]
        bought = compare([folder, folder], Question(measures=inputs, at=["2030"])).rows
        assert len(found.rows) == 8 and len(bought) == 18 * 8
        assert sold == pytest.approx(market.base_mean + sum(row.base_mean for row in bought))


@pytest.mark.parametrize(
    "measure", ["domestic_supply_share", "production_share_hq", "chip_market", "chip_production_hq"]
)
@pytest.mark.parametrize("at", ["final", "2027"])
def test_segments_carry_the_whole_difference(real, measure, at):
    found = compare(real, Question(measures=[measure], at=[at]))
    parts = [carrier for carrier in found.carriers if carrier.by == "segment"]
    assert [len(parts), {carrier.at for carrier in parts}] == [6, {at}]
    assert math.fsum(carrier.part for carrier in parts) == pytest.approx(found.rows[0].diff, rel=1e-9)
    low, high = found.rows[0].spread
    if low < 0 < high:  # of a difference that may be none nothing is a part
        assert {carrier.share_of_diff for carrier in parts} == {None}
    else:
        assert math.fsum(carrier.share_of_diff for carrier in parts) == pytest.approx(1)
    assert [abs(carrier.part) for carrier in parts] == sorted((abs(c.part) for c in parts), reverse=True)


def test_inputs_stand_with_their_own_differences(real):
    found = compare(real, Question())
    severity = [c for c in found.carriers if (c.by, c.measure) == ("input", "controls_severity")]
    rows = compare(real, Question(by="input", measures=["controls_severity"])).rows
    largest = sorted((row for row in rows if row.diff), key=lambda row: -abs(row.diff))[:5]
    assert [(c.slice, c.part) for c in severity] == [(row.slice, row.diff) for row in largest]


def test_slices_of_a_real_result(real):
    segments = compare(real, Question(by="segment")).rows
    assert {row.slice for row in segments} == {
        "all",
        "leading_logic",
        "advanced_logic",
        "mature_logic",
        "memory",
        "analog_power",
        "ai_accelerators",
    }
    assert {row.measure for row in segments} > {"domestic_supply_share", "chip_market", "price_index"}
    assert segments[0].column == "domestic_supply_share"  # each as a whole first
    by_state = compare(real, Question(by="state", measures=["input_world_share"])).rows
    assert len(by_state) == 18 * 8 and "lithography.NLD" in {row.slice for row in by_state}
