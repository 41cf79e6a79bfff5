"""Reaching a level: shares, Kaplan-Meier medians and restricted means, by hand and against scipy."""

import numpy as np
import pytest
from scipy import stats
from support.made_results import NAN, Maker, series_table, table, write

from sim.compare.question import Question, compare, trips, unjudged
from sim.compare.reaching import (
    Target,
    median_year,
    paired_shares,
    pseudo_means,
    restricted_mean,
    share_there,
    survival,
    target_of,
    unpaired_shares,
)
from sim.errors import BadInput

DATES = [f"{year}-12-31" for year in range(2020, 2025)]


@pytest.fixture
def made(tmp_path):
    return Maker(tmp_path)


def reach(base, candidate, text="domestic_supply_share>=0.7", **asked):
    return compare([base, candidate], Question(reach=[text], **asked)).reach


def until(year):
    """A path that is at 0.8 from a year on, or never."""
    return [0.8 if year and 2020 + place >= year else 0.1 for place in range(5)]


def test_by_hand(made):
    base = made.over_time("base", {1: until(2022), 2: until(2023), 3: until(None), 4: until(2022)}, DATES)
    candidate = made.over_time("candidate", {1: until(2021), 2: until(None), 3: until(2024), 4: until(2020)}, DATES)
    [row] = reach(base, candidate)
    assert (row.target, row.unit, row.direction, row.horizon) == (
        "domestic_supply_share>=0.7",
        "0 to 1",
        "higher",
        "2024-12-31",
    )
    assert (row.n_pairs, row.base_share, row.cand_share, row.diff_share) == (4, 0.75, 0.75, 0.0)
    assert (row.base_n_censored, row.cand_n_censored) == (1, 1)
    # Base: half are there in 2022. Candidate: one in 2020, the second in 2021.
    assert (row.base_median_year, row.cand_median_year) == (2022, 2021)
    # Years from the beginning of 2020 until there, at most 5: 2, 3, 5, 2 and 1, 5, 4, 0.
    assert (row.base_restricted_mean, row.cand_restricted_mean) == pytest.approx((3.0, 2.5))
    known = stats.ttest_rel([1, 5, 4, 0], [2, 3, 5, 2]).confidence_interval(0.95)
    assert (row.diff_restricted_mean, row.restricted_lo, row.restricted_hi) == pytest.approx(
        (-0.5, known.low, known.high)
    )
    # One pair gained, one lost, of 4: with one added to each of them 2/6 and 2/6, whose difference has the variance
    # (4/6 - 0) / 6 = 1/9; 1.96 / 3 = 0.653.
    assert (row.diff_lo, row.diff_hi) == pytest.approx((-0.6533, 0.6533), abs=1e-4)
    assert (row.verdict, row.flags) == ("inconclusive", "few pairs")


def test_never_is_censored_not_dropped(made):
    base = made.over_time("base", {seed: until(None) for seed in range(1, 13)}, DATES)
    candidate = made.over_time("candidate", {seed: until(2023 if seed > 4 else None) for seed in range(1, 13)}, DATES)
    [row] = reach(base, candidate)
    assert (row.n_base, row.n_cand, row.base_n_censored, row.cand_n_censored) == (12, 12, 12, 4)
    assert (row.base_median_year, row.cand_median_year) == (None, 2023)
    assert (row.base_restricted_mean, row.cand_restricted_mean) == pytest.approx((5.0, (8 * 3 + 4 * 5) / 12))
    assert row.diff_share == pytest.approx(8 / 12) and row.verdict == "better"
    [row] = reach(base, candidate, "domestic_supply_share<0.5")
    assert row.direction == "lower" and row.base_share == row.cand_share == 1.0


def test_the_direction_turns_with_the_sign(made):
    base = made.over_time("base", {seed: until(None) for seed in range(1, 13)}, DATES)
    candidate = made.over_time("candidate", {seed: [0.1, 0.1, 0.05, 0.1, 0.1] for seed in range(1, 13)}, DATES)
    [row] = reach(base, candidate, "domestic_supply_share <= 0.06")
    assert (row.direction, row.diff_share, row.verdict) == ("lower", 1.0, "worse")


def test_paired_shares_by_hand():
    # Bonett and Price (2012): 7 gained, 2 lost, of 20: 8/22 and 3/22; (11/22 - (5/22)^2) / 22 = 0.020379;
    # 5/22 = 0.22727, 1.959964 x 0.142755 = 0.279795.
    found = paired_shares(7, 2, 20, 0.95)
    assert found.mean == pytest.approx(0.25)
    assert (found.low, found.high) == pytest.approx((0.22727 - 0.279795, 0.22727 + 0.279795), abs=1e-5)
    assert paired_shares(1, 0, 1, 0.95).low is None
    back = paired_shares(2, 7, 20, 0.95)
    assert (back.mean, back.low, back.high) == (-found.mean, -found.high, -found.low)


def test_no_differing_pair_is_not_certain():
    # 1 and 1 of 12: 1.959964 x sqrt(2/12 / 12) = 0.230983
    found = paired_shares(0, 0, 10, 0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((0.0, -0.230983, 0.230983), abs=1e-6)


def test_unpaired_shares_are_those_of_statsmodels():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for ours, theirs in (((2, 10), (7, 12)), ((0, 10), (0, 10)), ((15, 30), (29, 40))):
        found = unpaired_shares(ours, theirs, 0.95)
        known = proportion.confint_proportions_2indep(*theirs, *ours, method="agresti-caffo", compare="diff")
        assert (found.low, found.high) == pytest.approx(known)
    assert unpaired_shares((0, 1), (1, 5), 0.95).low is None


def test_paired_shares_cover_the_truth():
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(3000):
        kinds = generator.choice([1, -1, 0], p=[0.3, 0.1, 0.6], size=30)
        found = paired_shares(int((kinds == 1).sum()), int((kinds == -1).sum()), 30, 0.95)
        held += found.low <= 0.2 <= found.high
    assert 0.93 <= held / 3000 <= 0.98


def censored(count, seed):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 12, count), generator.random(count) < 0.6


@pytest.mark.parametrize("seed", range(5))
def test_survival_is_that_of_scipy(seed):
    steps, event = censored(40, seed)
    data = stats.CensoredData(uncensored=steps[event], right=steps[~event])
    known = stats.ecdf(data).sf
    assert survival(steps, event, 12) == pytest.approx(known.evaluate(np.arange(12)))
    years = np.arange(2020.0, 2033.0)
    # The area under the same curve, as scipy gives it, with the time counted from the period's beginning.
    assert restricted_mean(steps, event, years) == pytest.approx(known.evaluate(np.arange(12)).sum())
    half = next((year for year, left in zip(years, known.evaluate(np.arange(12)), strict=False) if left <= 0.5), None)
    assert median_year(steps, event, years) == half


def test_pseudo_values_are_the_jackknife():
    steps, event = censored(15, 9)
    steps[3], event[3] = -1, False
    years = np.arange(2020.0, 2033.0)
    found = pseudo_means(steps, event, years)
    assert np.isnan(found[3])
    kept = np.delete(np.arange(15), 3)
    whole = restricted_mean(steps[kept], event[kept], years)
    for run in kept:
        others = kept[kept != run]
        assert found[run] == pytest.approx(14 * whole - 13 * restricted_mean(steps[others], event[others], years))


def test_without_early_censoring_a_pseudo_value_is_the_own_time():
    steps, event = np.array([0, 3, 11, 11, 5]), np.array([True, True, False, True, True])
    assert pseudo_means(steps, event, np.arange(2020.0, 2033.0)) == pytest.approx([0, 3, 12, 11, 5])


def test_a_run_that_stops_early_is_censored_there(tmp_path):
    def stopped(name, paths):
        text = table([(seed, (), {"domestic_supply_share@end": 0.1}) for seed in paths])
        series = series_table([(seed, {"domestic_supply_share": path}) for seed, path in paths.items()], DATES)
        return write(tmp_path / name, text, series=series)

    base = stopped("base", {1: [0.1, 0.1, NAN, NAN, NAN], 2: until(2022), 3: until(2022), 4: until(None)})
    [row] = reach(base, base)
    # At risk in 2022 are three, of whom two get there: a third is left, to the end.
    assert (row.base_n_censored, row.base_share, row.n_pairs) == (2, pytest.approx(2 / 3), 4)
    assert (row.diff_share, row.diff_lo, row.restricted_lo, row.verdict) == (0.0, None, None, "inconclusive")
    assert "1 runs of historic stop before the horizon" in row.flags
    assert row.base_median_year == 2022
    assert row.base_restricted_mean == pytest.approx(2 + 3 / 3)


def test_stopped_is_not_never(tmp_path):
    """The same runs, those of the candidate ended by a rule before most of them get there: no verdict."""

    def stopped(name, paths):
        text = table([(seed, (), {"domestic_supply_share@end": 0.1}) for seed in paths])
        series = series_table([(seed, {"domestic_supply_share": path}) for seed, path in paths.items()], DATES)
        return write(tmp_path / name, text, series=series)

    whole = {seed: until(2021 if seed == 1 else 2023) for seed in range(1, 21)}
    cut = {seed: path if seed == 1 else [*path[:2], NAN, NAN, NAN] for seed, path in whole.items()}
    [row] = reach(stopped("base", whole), stopped("candidate", cut))
    assert (row.base_share, row.verdict) == (1.0, "inconclusive")
    # Nobody is watched to the end: one twentieth had got there, and of the others nothing is known.
    assert (row.cand_share, row.diff_share, row.diff_lo, row.restricted_lo) == (None, None, None, None)
    assert "19 runs of candidate stop before the horizon without getting there, which is not never" in row.flags
    # With half of them watched to the end, of whom all get there, the curve says all.
    half = {seed: whole[seed] if seed % 2 else cut[seed] for seed in whole}
    [row] = reach(stopped("again", whole), stopped("half", half))
    assert (row.cand_share, row.verdict) == (1.0, "inconclusive")


def test_the_share_at_the_end_of_a_curve():
    # Of 4, one gets there at once, one is lost at 1, one gets there at 2 of two at risk: 3/4 x 1/2 are left.
    steps, event = np.array([0, 1, 2, 3]), np.array([True, False, True, False])
    assert share_there(steps, event, 4) == pytest.approx(1 - 3 / 8)
    assert share_there(steps, event, 5) is None


def test_a_batch_whose_runs_all_stop_is_compared_to_the_horizon(made):
    """With a stop rule the base's file ends where its last run got there; the horizon is that of the manifest."""
    base = made.over_time("base", {1: [0.1, 0.8, NAN], 2: [0.1, 0.1, 0.8]}, DATES[:3])
    candidate = made.over_time("candidate", {1: until(2021), 2: until(None)}, DATES)
    found = compare([base, candidate], Question(reach=["domestic_supply_share>=0.7"]))
    [row] = found.reach
    assert (row.horizon, row.base_share, row.cand_share) == ("2024-12-31", 1.0, 0.5)
    assert (row.base_restricted_mean, row.cand_restricted_mean) == pytest.approx((1.5, 3.0))
    assert "runs end on different dates, as by a stop rule" in found.rows[0].flags
    [back] = reach(candidate, base)
    assert back.diff_restricted_mean == -row.diff_restricted_mean
    [same] = reach(base, base)
    assert same.verdict == "inconclusive" and "stop rule" not in compare([candidate] * 2, Question()).rows[0].flags


def test_ends_on_different_dates_are_no_difference(made):
    """The same runs, once stopped at 0.5: seed 1 in 2021, seed 2 in 2022. At the end they differ by the time alone."""
    whole = made.over_time("whole", {1: [0.1, 0.5, 0.9], 2: [0.2, 0.4, 0.6]}, DATES[:3])
    cut = made.over_time("cut", {1: [0.1, 0.5, NAN], 2: [0.2, 0.4, 0.6]}, DATES[:3])
    for at in ("final", "peak", "mean"):
        found = compare([whole, cut], Question(at=[at]))
        [row] = found.rows
        assert (row.verdict, row.spread, row.regret, row.p_cand_gt_base) == ("inconclusive", (None, None), None, None)
        assert "no interval: runs end on different dates, as by a stop rule" in row.flags
        assert unjudged(found, ["worse"]) and not trips(found, ["worse", "any"])
        assert found.sentences[0].endswith("but runs end on different dates, so that it may be the time alone.")
        assert any("effects over whole runs" in note for note in found.notes)
    [row] = compare([whole, cut], Question(at=["2021"])).rows
    assert row.diff == 0 and "different dates" not in row.flags
    assert compare([whole, cut, whole], Question()).best == []


def test_ends_on_the_same_dates_are_compared(made):
    """Both stop with seed 1 in 2021 and run on with seed 2: each pair ends on one date."""
    base = made.over_time("base", {1: [0.1, 0.5, NAN], 2: [0.2, 0.4, 0.6]}, DATES[:3])
    more = made.over_time("more", {1: [0.1, 0.6, NAN], 2: [0.2, 0.5, 0.9]}, DATES[:3])
    [row] = compare([base, more], Question()).rows
    assert row.spread != (None, None) and "different dates" not in row.flags
    assert "different dates" in compare([base, more], Question(paired=False)).rows[0].flags


def test_quarters(made):
    dates = [f"2020-{end}" for end in ("03-31", "06-30", "09-30", "12-31")]
    base = made.over_time("base", {1: [0.1, 0.1, 0.8, 0.8], 2: [0.1, 0.8, 0.8, 0.1]}, dates)
    [row] = reach(base, base)
    assert row.base_median_year == 2020.25
    assert row.base_restricted_mean == pytest.approx((0.5 + 0.25) / 2)


def test_parameter_sets(tmp_path):
    def make(name, years):
        runs = [(drawn, (), {"domestic_supply_share@end": 0.1}) for drawn in years]
        paths = [(drawn, {"domestic_supply_share": until(year)}) for drawn, year in years.items()]
        return write(tmp_path / name, table(runs), series=series_table(paths, DATES))

    base = make("base", {(s, seed): None for s in (1, 2, 3) for seed in (1, 2)})
    there = {(1, 1): 2021, (1, 2): None, (2, 1): 2021, (2, 2): 2021, (3, 1): None, (3, 2): None}
    [row] = reach(base, make("candidate", there))
    # The sets' shares are 1/2, 1 and 0.
    assert (row.n_sets, row.diff_share) == (3, pytest.approx(0.5))
    assert (row.diff_q05, row.diff_q50, row.diff_q95) == pytest.approx((0.05, 0.5, 0.95))
    assert row.verdict == "better"


def test_unpaired(made):
    base = made.over_time("base", {1: until(2022), 2: until(None), 3: until(2021)}, DATES)
    candidate = made.over_time("candidate", {7: until(2021), 8: until(2021), 9: until(2021), 10: until(None)}, DATES)
    [row] = reach(base, candidate, paired=False)
    known = stats.ttest_ind([1, 1, 1, 5], [2, 5, 1], equal_var=False).confidence_interval(0.95)
    assert (row.restricted_lo, row.restricted_hi) == pytest.approx((known.low, known.high))
    assert (row.pairing, row.base_share, row.cand_share) == ("unpaired", pytest.approx(2 / 3), 0.75)


def test_targets_as_they_are_written(made):
    assert target_of("domestic_supply_share>=0.7") == Target("domestic_supply_share", ">=", 0.7)
    assert target_of(" price_index < 1e0 ") == Target("price_index", "<", 1.0)
    for text in ("domestic_supply_share", "x>=", "x=>1", ">=1", "x>=high", "x>=nan"):
        with pytest.raises(BadInput, match="--reach = .*must be a measure, one of >=, <=, >, < and a number"):
            target_of(text)
    base = made.over_time("base", {1: until(2022)}, DATES)
    bare = made.one("bare", [1.0])
    with pytest.raises(BadInput, match=r"has no domestic_supply_shar over time .did you mean 'domestic_supply_share'"):
        reach(base, base, "domestic_supply_shar>1")
    with pytest.raises(BadInput, match="bare1 has no series over time; give a result folder"):
        reach(base, bare)
