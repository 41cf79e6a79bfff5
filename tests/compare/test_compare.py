"""Comparing results: numbers by hand or from scipy, pairs by seed, and what is said of them."""

import ast
import random
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from support.made_results import (
    COLUMNS,
    HEAD,
    IMPORTS,
    MARKET,
    NAN,
    SHARE,
    WORLD,
    Maker,
    manifest,
    rows,
    scenario,
    series_table,
    table,
    write,
)

from sim.compare import question as module
from sim.compare.differences import Margin, Settings, compare_column, margins_of
from sim.compare.pairing import pair_runs
from sim.compare.question import Question, compare, trips, unjudged
from sim.compare.results import Result, read_results
from sim.errors import BadInput
from sim.results.manifest import Manifest

T_2 = 4.302652729911275  # Student's t with 2 degrees of freedom at 97.5 %; printed tables have 4.303


MANIFEST = Manifest.model_validate(manifest())


@pytest.fixture
def made(tmp_path):
    return Maker(tmp_path)


# Numbers.


def test_three_seeds_by_hand(made):
    [row] = rows(*made.pair([10, 12, 14], [11, 14, 17], MARKET))
    # Differences 1, 2, 3: mean 2, standard deviation 1: the interval reaches 4.303 / sqrt(3) = 2.484.
    reach = T_2 / 3**0.5
    assert (row.measure, row.slice, row.at, row.unit) == ("chip_market", "all", "final", "bn yuan a year")
    assert (row.direction, row.pairing, row.schema_version) == ("none", "paired", 1)
    assert (row.n_base, row.n_cand, row.n_pairs, row.n_sets, row.ci_level) == (3, 3, 3, 1, 0.95)
    assert (row.base_mean, row.cand_mean, row.diff) == (12.0, 14.0, 2.0)
    assert (row.diff_lo, row.diff_hi) == pytest.approx((2 - reach, 2 + reach), rel=1e-9)
    # Of 10, 12, 14 the 5 % point lies a tenth of the way from the first to the second.
    assert (row.base_q05, row.base_q50, row.base_q95) == pytest.approx((10.2, 12, 13.8))
    assert (row.cand_q05, row.cand_q50, row.cand_q95) == pytest.approx((11.3, 14, 16.7))
    assert (row.rel_diff, row.corr_pairs, row.p_cand_gt_base) == pytest.approx((1 / 6, 1.0, 1.0))
    assert (row.diff_q05, row.diff_q50, row.diff_q95, row.share_same_sign, row.regret) == (None,) * 5
    # Printed tables: t / sqrt(n) is 3.182 / 2 = 1.59 for 4, 2.776 / sqrt(5) = 1.24 for 5, and within 2 first for 4.
    assert (row.seeds_for_margin, row.margin) == (4, 0.0)
    assert (row.verdict, row.flags) == ("inconclusive", "few pairs")


@pytest.mark.parametrize(
    ("column", "up", "down"), [(SHARE, "better", "worse"), (IMPORTS, "worse", "better"), (MARKET, "changed", "changed")]
)
def test_verdict_follows_the_direction(made, column, up, down):
    # Differences 2, 3, 4: 3 - 2.484 is above 0.
    base, candidate = made.pair([10, 12, 14], [12, 15, 18], column)
    assert [row.verdict for row in rows(base, candidate)] == [up]
    assert [row.verdict for row in rows(candidate, base)] == [down]


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_agrees_with_scipy(made, level):
    generator = np.random.default_rng(5)
    luck = generator.normal(size=25)
    ours, theirs = 3 + luck, 3.4 + 0.9 * luck + generator.normal(size=25, scale=0.3)
    [row] = rows(*made.pair(ours, theirs), level=level)
    known = stats.ttest_rel(theirs, ours)
    interval = known.confidence_interval(level)
    assert (row.diff_lo, row.diff_hi) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert row.corr_pairs == pytest.approx(stats.pearsonr(ours, theirs).statistic)
    assert row.p_cand_gt_base == np.mean(theirs > ours)
    assert (row.verdict == "inconclusive") == (known.pvalue >= 1 - level)
    assert row.ci_level == level and row.flags == ""


def test_unpaired_only_when_asked_and_said(made):
    generator = np.random.default_rng(3)
    ours, theirs = generator.normal(size=12), generator.normal(size=15, loc=0.4, scale=2)
    base, candidate = made.pair(ours, {seed + 100: value for seed, value in enumerate(theirs)}, IMPORTS)
    with pytest.raises(BadInput, match="have no pair in common .*--unpaired"):
        rows(base, candidate)
    [row] = rows(base, candidate, paired=False)
    known = stats.ttest_ind(theirs, ours, equal_var=False).confidence_interval(0.95)
    assert (row.diff_lo, row.diff_hi) == pytest.approx((known.low, known.high), rel=1e-9)
    assert (row.pairing, row.n_pairs, row.n_base, row.n_cand) == ("unpaired", 0, 12, 15)
    greater = stats.mannwhitneyu(theirs, ours).statistic / (12 * 15)
    assert row.p_cand_gt_base == pytest.approx(greater)
    assert "unpaired: the luck of the two sides is taken as independent" in row.flags
    found = compare([base, candidate], Question(paired=False))
    assert "unpaired, over 12 and 15 runs" in found.sentences[0]


def test_bootstrap_on_request(made):
    generator = np.random.default_rng(8)
    ours = generator.normal(size=20)
    theirs = ours + generator.gamma(1.0, size=20)
    base, candidate = made.pair(ours, theirs)
    [row], [plain] = rows(base, candidate, resample=True), rows(base, candidate)
    # The bootstrap of the t statistic, which scipy takes for any statistic.
    differences = theirs - ours

    def ratio(drawn, axis):
        return (drawn.mean(axis) - differences.mean()) / (drawn.std(axis, ddof=1) / 20**0.5)

    known = stats.bootstrap(
        (differences,), ratio, n_resamples=20000, method="percentile", rng=np.random.default_rng(77)
    ).confidence_interval
    error = differences.std(ddof=1) / 20**0.5
    expected = differences.mean() - known.high * error, differences.mean() - known.low * error
    assert (row.diff_lo, row.diff_hi) == pytest.approx(expected, rel=0.05)
    assert "bootstrap interval" in row.flags and row.diff == plain.diff and row.diff_hi != plain.diff_hi
    [again] = rows(base, candidate, resample=True)
    assert again == row
    [same] = rows(base, base, resample=True)
    assert (same.diff_lo, same.diff_hi, same.verdict) == (None, None, "same")


def test_a_result_against_itself_is_exactly_equal(made, tmp_path):
    values = {seed: [0.1 * seed, 0.2, 0.1 * seed + 0.3] for seed in range(1, 12)}
    dates = ["2020-12-31", "2021-12-31", "2022-12-31"]
    base = made.over_time("base", values, dates)
    asked = Question(at=["final", "mean", "peak", "2021"], reach=["domestic_supply_share>=0.8"])
    found = compare([base, base], asked)
    assert len(found.rows) == 4 and len(found.reach) == 1 and len(found.over_time) == 3
    for row in (*found.rows, *found.over_time):
        assert (row.diff, row.diff_lo, row.diff_hi, row.verdict) == (0.0, None, None, "same")
        # 0.95^11 leaves 5 % for a pair in 1 - 0.05^(1/11) = 0.238
        assert row.p_cand_gt_base == 0.5 and "the same in all 11 pairs; up to 24% of pairs" in row.flags
    [row] = found.reach
    # Bonett and Price with 1 and 1 of 13: sqrt(2/13 / 13) x 1.96 = 0.213
    assert (row.diff_share, row.diff_lo, row.diff_hi) == pytest.approx((0.0, -0.2132, 0.2132), abs=1e-4)
    assert row.verdict == "inconclusive"
    assert (row.diff_restricted_mean, row.restricted_lo, row.restricted_hi) == (0.0, None, None)
    assert "is exactly the same in all 11 pairs" in found.sentences[0]
    assert trips(found, ["worse", "any"]) == [] == unjudged(found, ["worse", "any", "inconclusive"])


def test_one_run_against_itself_says_nothing(made):
    alone = made.over_time("alone", {7: [0.1, 0.8]}, DATES[:2])
    found = compare([alone, alone], Question(reach=["domestic_supply_share>=0.8"]))
    assert [row.verdict for row in (*found.rows, *found.reach)] == ["inconclusive"] * 2
    assert "domestic_supply_share@final of historic has no interval" in unjudged(found, ["worse"])[0]
    assert (found.rows[0].diff, found.rows[0].diff_lo, found.openings) == (0.0, None, [])
    assert "is the same in the one pair, which gives no interval" in found.sentences[0]


def test_equal_differences_give_no_interval(made):
    # Three times 0.1 does not sum to 0.3 in floats; a mean by summing would be off in the last digit.
    found = compare(made.pair([0.0] * 12, [0.1] * 12), Question())
    [row] = found.rows
    assert (row.diff, row.diff_lo, row.diff_hi, row.verdict) == (0.1, None, None, "better")
    assert [row.verdict for row in rows(*made.pair([0.0] * 9, [0.1] * 9))] == ["inconclusive"]
    assert row.rel_diff is None and row.corr_pairs is None
    assert "10.00 points higher in every pair" in found.sentences[0]


values = st.floats(-1e6, 1e6) | st.just(NAN)


@given(st.lists(st.tuples(values, values, values, values), min_size=2, max_size=12), st.integers(1, 3))
def test_swapping_flips_every_sign(quadruples, sets):
    count = len(quadruples)
    keys = {
        "config": ["a"] * 2 * count,
        "parameter_set": [seed % sets for seed in range(count)] * 2,
        "seed": [*range(count)] * 2,
        "controls.severity": [0.0] * count + [1.0] * count,
    }
    flat = np.array(quadruples)

    def one(name, first, second):
        outcomes = {SHARE: np.concatenate([flat[:, first], flat[:, second]])}
        return Result(name, name, ("a",), ("controls.severity",), keys, np.ones(2 * count, bool), outcomes, MANIFEST)

    base, candidate = one("base", 0, 1), one("candidate", 2, 3)
    there, back = (
        compare_column(pair_runs(*pair), "domestic_supply_share", "final", Settings())
        for pair in ((base, candidate), (candidate, base))
    )
    flipped = {"better": "worse", "worse": "better"}
    assert back.verdict == flipped.get(there.verdict, there.verdict)
    assert (back.base_mean, back.cand_mean) == (there.cand_mean, there.base_mean)
    assert (back.n_pairs, back.flags, back.share_same_sign) == (there.n_pairs, there.flags, there.share_same_sign)
    mirrored = (there.diff, back.diff), (there.diff_lo, back.diff_hi), (there.diff_hi, back.diff_lo)
    for ours, theirs in mirrored:
        assert (ours is None and theirs is None) or ours == -theirs
    for ours, theirs in ((there.diff_q05, back.diff_q95), (there.diff_q50, back.diff_q50)):
        assert (ours is None and theirs is None) or ours == pytest.approx(-theirs, rel=1e-12, abs=1e-9)
    if there.p_cand_gt_base is not None:
        assert there.p_cand_gt_base == pytest.approx(1 - back.p_cand_gt_base)


# Margins.


@pytest.mark.parametrize(
    ("size", "word"),
    # Differences 2, 3, 4: the interval is 3 - 2.484 = 0.516 to 5.484.
    [(0.5, "better"), (0.6, "inconclusive"), (5.4, "inconclusive"), (5.5, "equivalent")],
)
def test_verdict_against_a_margin(made, size, word):
    base, candidate = made.pair([10, 12, 14], [12, 15, 18])
    [row] = rows(base, candidate, margins={"": Margin(size)})
    assert (row.verdict, row.margin) == (word, size)
    [row] = rows(base, candidate, margins={"domestic_supply_share": Margin(size / 12, True), "": Margin(9)})
    assert row.margin == pytest.approx(size)  # a part of the base's mean of 12


def test_seeds_for_a_margin(made):
    generator = np.random.default_rng(2)
    ours = generator.normal(size=16)
    theirs = ours + generator.normal(size=16)
    [row] = rows(*made.pair(ours, theirs), margins={"": Margin(0.2)})
    spread = np.std(theirs - ours, ddof=1)
    needed = next(n for n in range(2, 10000) if stats.t.ppf(0.975, n - 1) * spread / n**0.5 <= 0.2)
    assert row.seeds_for_margin == needed > 50


def test_margins_as_they_are_written():
    assert margins_of(["0.01", "price_index=5%", "chip_market.memory = 3"]) == {
        "": Margin(0.01),
        "price_index": Margin(0.05, True),
        "chip_market.memory": Margin(3.0),
    }
    for text in ("much", "-1", "5%%", "x=", "nan", "inf"):
        with pytest.raises(BadInput, match=r"--margin = .*must be a number from 0 such as 0.01"):
            margins_of([text])


# Two kinds of uncertainty.


def ensemble(folder, values, name):
    """A result of several parameter sets: {(set, seed): value}."""
    return write(folder / name, table([(drawn, (), {SHARE: value}) for drawn, value in values.items()]))


def test_parameter_sets_by_hand(tmp_path):
    # Differences: set 1 has 1 and 3, set 2 has 2 and 6, set 3 has -1 and 0; means 2, 4 and -0.5.
    differences = {(1, 1): 1, (1, 2): 3, (2, 1): 2, (2, 2): 6, (3, 1): -1, (3, 2): 0}
    luck = {drawn: 10.0 * drawn[0] + drawn[1] for drawn in differences}
    base = ensemble(tmp_path, luck, "base")
    candidate = ensemble(tmp_path, {drawn: luck[drawn] + d for drawn, d in differences.items()}, "candidate")
    found = compare([base, candidate], Question())
    [row] = found.rows
    assert (row.n_pairs, row.n_sets) == (6, 3)
    assert row.diff == pytest.approx(5.5 / 3)
    # Of -0.5, 2, 4 the 5 % point lies a tenth of the way from the first to the second, the 95 % point likewise.
    assert (row.diff_q05, row.diff_q50, row.diff_q95) == pytest.approx((-0.25, 2, 3.8))
    assert (row.share_same_sign, row.regret) == pytest.approx((2 / 3, 0.5))
    # Sets share their seeds: over them the means are (1 + 2 - 1) / 3 and (3 + 6 + 0) / 3, that is 2/3 and 3, whose
    # mean has an error of (3 - 2/3) / 2; t with one degree of freedom is 12.706.
    reach = 12.706204736 * (3 - 2 / 3) / 2
    assert (row.diff_lo, row.diff_hi) == pytest.approx((5.5 / 3 - reach, 5.5 / 3 + reach))
    assert row.verdict == "inconclusive"
    assert (row.base_mean, row.base_q50) == pytest.approx((21.5, 21.5))  # means of the sets 11.5, 21.5, 31.5
    assert "few parameter sets: 3" in row.flags and "few pairs: 2 in a parameter set" in row.flags
    assert "over 6 pairs of 3 parameter sets" in found.sentences[0]


def test_the_verdict_of_an_ensemble_is_from_the_sets(tmp_path):
    # Over seeds nothing varies, so that the mean is sure; but 10 of 40 sets have the other sign.
    luck = {(number, seed): 0.01 * seed for number in range(1, 41) for seed in range(1, 4)}
    shift = {number: 0.02 if number > 10 else -0.02 for number in range(1, 41)}
    base = ensemble(tmp_path, luck, "base")
    candidate = ensemble(tmp_path, {drawn: v + shift[drawn[0]] for drawn, v in luck.items()}, "candidate")
    [row] = rows(base, candidate)
    assert row.diff == pytest.approx(0.01) and row.diff_lo is None
    assert (row.diff_q05, row.diff_q95, row.share_same_sign) == pytest.approx((-0.02, 0.02, 0.75))
    assert (row.regret, row.verdict) == (pytest.approx(0.02), "inconclusive")
    [up] = rows(base, ensemble(tmp_path, {drawn: v + drawn[0] for drawn, v in luck.items()}, "up"))
    assert (up.verdict, up.share_same_sign, up.regret) == ("better", 1.0, 0.0)
    [wide] = rows(base, candidate, margins={"": Margin(0.03)})
    assert wide.verdict == "equivalent"


def test_sets_with_other_seeds_have_independent_errors(tmp_path):
    generator = np.random.default_rng(4)
    drawn = [(number, 100 * number + seed) for number in (1, 2, 3) for seed in range(3 + number)]
    luck = {pair: generator.normal() for pair in drawn}
    differences = {pair: pair[0] + generator.normal(scale=pair[0]) for pair in drawn}
    base = ensemble(tmp_path, luck, "base")
    candidate = ensemble(tmp_path, {pair: luck[pair] + differences[pair] for pair in drawn}, "candidate")
    [row] = rows(base, candidate)
    groups = [[differences[pair] for pair in drawn if pair[0] == number] for number in (1, 2, 3)]
    errors = [np.var(group, ddof=1) / len(group) for group in groups]
    freedom = sum(errors) ** 2 / sum(e**2 / (len(g) - 1) for e, g in zip(errors, groups, strict=True))
    reach = stats.t.ppf(0.975, freedom) * sum(errors) ** 0.5 / 3
    mean = np.mean([np.mean(group) for group in groups])
    assert (row.diff, row.diff_lo, row.diff_hi) == pytest.approx((mean, mean - reach, mean + reach))
    assert "seeds differ between parameter sets" in row.flags


def test_luck_that_passes_for_a_spread_is_said(tmp_path):
    generator = np.random.default_rng(6)
    drawn = [(number, seed) for number in range(1, 201) for seed in (1, 2)]
    base = ensemble(tmp_path, dict.fromkeys(drawn, 1.0), "base")
    noisy = ensemble(tmp_path, {pair: 1 + generator.normal() for pair in drawn}, "noisy")
    told = ensemble(tmp_path, {pair: 1 + pair[0] + 0.1 * generator.normal() for pair in drawn}, "told")
    words = "half of the spread across parameter sets or more is luck"
    assert words in rows(base, noisy)[0].flags and words not in rows(base, told)[0].flags
    alone = {pair: 1.0 for pair in drawn if pair[1] == 1}
    [row] = rows(ensemble(tmp_path, alone, "alone"), base)
    assert row.diff_lo is None and "one seed a parameter set: the numerical error is unknown" in row.flags


def test_an_ensemble_is_not_compared_unpaired(tmp_path):
    luck = {(number, seed): 1.0 for number in (1, 2) for seed in (1, 2)}
    base, other = (ensemble(tmp_path, luck, name) for name in ("base", "other"))
    with pytest.raises(BadInput, match="--unpaired: compares single parameter sets, and base holds 2"):
        rows(base, other, paired=False)


# Pairs.


def test_pairs_are_made_by_seed_not_by_order(made):
    seeds = list(range(1, 21))
    luck = {seed: random.Random(seed).random() for seed in seeds}
    moved = {seed: value + 0.001 * seed for seed, value in luck.items()}
    base, candidate = made.pair(luck, moved)
    backwards = made.one("backwards", {seed: moved[seed] for seed in reversed(seeds)})
    [row], [other] = rows(base, candidate), rows(base, backwards)
    assert replace(other, candidate=row.candidate, baseline=row.baseline) == row
    assert row.diff == pytest.approx(0.001 * 10.5)  # the mean of 1 to 20 is 10.5
    assert row.corr_pairs > 0.99


def test_the_order_of_the_files_changes_no_digit(made):
    # In floats 1e16 + 1 is 1e16: summed from the front these give 1, from the back 0.
    base, candidate = made.pair({1: 1e16, 2: 1.0, 3: -1e16, 4: 1.0}, dict.fromkeys((4, 3, 2, 1), 0.0))
    [there], [back] = rows(base, candidate), rows(candidate, base)
    assert (there.diff, back.diff) == (-0.25, 0.25)
    assert (there.diff_lo, there.diff_hi) == (-back.diff_hi, -back.diff_lo)


def test_seeds_of_one_side_only_do_not_count(made):
    found = compare(made.pair({1: 1, 2: 2, 3: 3, 9: 100}, {3: 5, 2: 3, 8: -100, 1: 1}), Question())
    [row] = found.rows
    assert (row.n_base, row.n_cand, row.n_pairs) == (4, 4, 3)
    assert (row.base_mean, row.cand_mean, row.diff) == (2.0, 3.0, 1.0)
    assert "pairs in common: 3, only in base0: 1, only in candidate1: 1" in found.coverage


def test_large_seeds_are_not_rounded_together(made):
    # As floats these two are equal.
    [row] = rows(*made.pair({2**60: 1, 2**60 + 1: 2}, {2**60 + 1: 5, 2**60: 2}))
    assert (row.n_pairs, row.diff) == (2, 2.0)


def test_one_pair_has_no_interval(made):
    found = compare(made.pair([0.5], [0.75]), Question())
    [row] = found.rows
    assert (row.diff, row.diff_lo, row.diff_hi, row.verdict) == (0.25, None, None, "inconclusive")
    assert row.flags == "few pairs; one pair: no interval"
    assert "25.00 points higher in the one pair, which gives no interval" in found.sentences[0]


def test_few_pairs_are_fewer_than_ten(made):
    differences = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    assert rows(*made.pair([0.0] * 9, differences[:9]))[0].flags == "few pairs"
    assert rows(*made.pair([0.0] * 10, differences))[0].flags == ""


def test_missing_values_are_never_no_change(made):
    [row] = rows(*made.pair([1, NAN, 3, 4, NAN], [2, 2, NAN, 6, NAN]))
    assert (row.n_base, row.n_cand, row.n_pairs) == (3, 3, 2)
    assert (row.base_mean, row.cand_mean, row.diff) == (2.5, 4.0, 1.5)  # seeds 1 and 4: differences 1 and 2
    assert row.flags == "3 of 5 pairs dropped: a value is missing; few pairs"
    [row] = rows(*made.pair([NAN, NAN], [1, 2]))
    assert (row.verdict, row.diff, row.n_pairs) == ("incomparable", None, 0) and "2 of 2 pairs dropped" in row.flags


def test_what_no_run_has_is_left_out_and_said_or_incomparable_if_asked_for(made):
    base, candidate = made.pair([NAN, NAN], [NAN, NAN])
    for other in (base, candidate):
        found = compare([base, other], Question())
        assert found.rows == [] and "domestic_supply_share has no value in any run of" in found.notes[0]
        [row] = rows(base, other, measures=["domestic_supply_share"])
        assert row.verdict == "incomparable" and row.diff is None


def test_infinite_values_are_missing(made):
    infinite = float("inf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [row] = rows(*made.pair([1, 2, 3, infinite], [1, infinite, 3, infinite]))
    assert (row.n_base, row.n_cand, row.n_pairs) == (3, 2, 2)


def test_failed_runs_are_refused_or_drop_their_pair_and_are_counted(tmp_path):
    base = write(tmp_path / "base", table([(1, (), {SHARE: 1.0}), (2, (), {SHARE: 2.0})]))
    candidate = write(tmp_path / "candidate", table([(1, (), None), (2, (), {SHARE: 2.5})]))
    with pytest.raises(module.Incomplete, match=r"candidate/runs\.csv: 1 of its 2 runs failed; --allow-partial"):
        rows(base, candidate)
    found = compare([base, candidate], Question(partial=True))
    [row] = found.rows
    assert (row.n_base, row.n_cand, row.n_pairs, row.diff) == (2, 1, 1, 0.5)
    assert "1 of 2 pairs dropped" in row.flags
    assert "runs of candidate: 1 done, 1 failed" in found.coverage
    assert any("1 of its 2 runs failed" in note for note in found.notes)


def test_values_of_a_failed_run_do_not_count(tmp_path):
    (tmp_path / "runs.csv").write_text(HEAD + "a,x,0,1,done,1.0\nb,x,0,2,failed,7.0\n")
    [row] = rows(tmp_path / "runs.csv", tmp_path / "runs.csv", partial=True)
    assert (row.n_base, row.n_pairs, row.base_mean) == (1, 1, 1.0)


# Sweeps.


def test_sweeps_are_averaged_within_each_pair(made):
    base = made.sweep("base", {(1, 0.0): 1.0, (1, 1.0): 10.0, (2, 0.0): 2.0, (2, 1.0): 20.0, (1, 0.5): 99.0})
    candidate = made.sweep("candidate", {(1, "0"): 2.0, (1, "1"): 13.0, (2, "0"): 4.0, (2, "1"): 26.0})
    found = compare([base, candidate], Question(points=True))
    [row] = found.rows
    # Seed 1: differences 1 and 3, mean 2. Seed 2: 2 and 6, mean 4. Two pairs: mean 3, standard deviation
    # sqrt(2), and the mean's error is sqrt(2) / sqrt(2) = 1; t with one degree of freedom is 12.706.
    assert (row.n_base, row.n_cand, row.n_pairs) == (5, 4, 2)
    assert (row.diff, row.base_mean, row.cand_mean) == (3.0, 8.25, 11.25)
    assert (row.diff_lo, row.diff_hi) == pytest.approx((3 - 12.706204736, 3 + 12.706204736))
    assert "design points in common: 2, only in base: 1, only in candidate: 0" in found.coverage
    assert [(p.point, p.row.diff, p.row.n_base, p.row.n_cand) for p in found.points] == [
        ("controls.severity=0", 1.5, 2, 2),
        ("controls.severity=1", 4.5, 2, 2),
    ]


def test_a_pair_without_all_design_points_is_dropped(made):
    base = made.sweep("base", {(seed, level): 1.0 for seed in (1, 2, 3) for level in (0.0, 1.0)})
    candidate = made.sweep("candidate", {(1, 0.0): 2.0, (1, 1.0): 4.0, (2, 0.0): 5.0, (3, 0.0): 9.0, (3, 1.0): None})
    [row] = rows(base, candidate, partial=True)
    assert (row.n_pairs, row.diff) == (1, 2.0)  # seed 1: differences 1 and 3
    assert "2 of 3 pairs dropped" in row.flags


def test_a_key_that_one_side_sweeps_is_averaged_and_said(made):
    base = made.one("base", [1.0, 2.0])
    candidate = made.sweep("candidate", {(1, 0.0): 2.0, (1, 1.0): 4.0, (2, 0.0): 3.0, (2, 1.0): 5.0})
    [row] = rows(base, candidate)
    assert (row.n_pairs, row.diff, row.diff_lo) == (2, 2.0, None)  # 3 - 1 and 4 - 2
    assert row.flags.startswith("mean over controls.severity, which only candidate sweeps")
    short = made.sweep("short", {(1, 0.0): 2.0, (1, 1.0): 4.0, (2, 0.0): 3.0})
    [row] = rows(base, short)
    assert row.n_pairs == 1 and "1 of 2 pairs dropped" in row.flags


def test_several_configs_pair_with_themselves_only(tmp_path):
    text = "run_id,config,parameter_set,seed,status,chip_market@end\na,x,0,1,done,1.0\nb,{},0,1,done,{}\n"
    for name, config, value in (("base", "y", 2.0), ("candidate", "y", 5.0), ("other", "z", 5.0)):
        (tmp_path / f"{name}.csv").write_text(text.format(config, value))
    base, candidate, other = (tmp_path / f"{name}.csv" for name in ("base", "candidate", "other"))
    found = compare([base, candidate], Question())
    assert found.rows[0].diff == 1.5
    assert any(line.startswith("design points in common: 2") for line in found.coverage)
    with pytest.raises(BadInput, match=r"base\.csv holds x, y; .*other\.csv holds x, z: give results of one"):
        compare([base, other], Question())


# What is compared.


def test_headline_measures_are_the_default(tmp_path):
    row = {SHARE: 1.0, "chip_market.memory@end": 1.0, MARKET: 1.0, "chip_market@sum": 5.0, "chip_market@2025": 2.0}
    result = write(tmp_path / "r", table([(1, (), row)]))
    assert [row.measure for row in rows(result, result)] == ["domestic_supply_share", "chip_market"]
    [part] = rows(result, result, measures=["chip_market.memory"])
    assert (part.measure, part.slice) == ("chip_market", "memory")
    [whole, part] = rows(result, result, by="segment")
    assert (whole.measure, whole.slice, part.measure, part.slice) == ("chip_market", "all", "chip_market", "memory")
    [total, year] = rows(result, result, at=["sum", "2025"])
    assert (total.measure, total.base_mean, total.unit, year.at) == ("chip_market", 5.0, "bn yuan", "2025")
    assert rows(result, result, at=["end"]) == rows(result, result)
    with pytest.raises(BadInput, match="--at = 'someday': must be final, peak, mean, sum, a year or a recorded date"):
        rows(result, result, at=["someday"])
    with pytest.raises(BadInput, match=r"--at = '2027': .* have no measure at that date; .* has no series\.csv"):
        rows(result, result, at=["2027"])
    with pytest.raises(BadInput) as fault:
        rows(result, result, measures=["chip_markt", "nothing"])
    first, _ = fault.value.problems
    assert "no chip_markt in" in first and "did you mean 'chip_market'?" in first
    for level in (0, 1, 95):
        with pytest.raises(BadInput, match="--level"):
            rows(result, result, level=level)


def test_slices_that_were_not_recorded_are_asked_for_in_vain(made):
    base, candidate = made.pair([1, 2], [2, 3])
    for asked, words in (
        ({"by": "segment"}, "do not have any measure by segment"),
        ({"by": "input", "measures": ["domestic_supply_share"]}, "do not have domestic_supply_share by input"),
        ({"measures": ["domestic_supply_share.memory"]}, "there is no domestic_supply_share.memory in"),
    ):
        with pytest.raises(BadInput, match=f'{words}.*; slices are recorded with measures = "all" in .record., and '):
            rows(base, candidate, **asked)
    with pytest.raises(BadInput, match="is a measure and a date; give --measure domestic_supply_share --at 2030"):
        rows(base, candidate, measures=["domestic_supply_share@2030"])
    with pytest.raises(BadInput, match="runs.csv does not say which slices are a state; give a result folder"):
        rows(base / "runs.csv", candidate / "runs.csv", by="state")


def test_without_headline_measures_all_are_compared(made):
    [row] = rows(*made.pair([1, 2], [1, 2], "chip_market.memory@end"))
    assert (row.measure, row.slice) == ("chip_market", "memory")


def test_units_that_differ_are_refused(tmp_path):
    text = table([(1, (), {MARKET: 1.0})])
    base = write(tmp_path / "base", text)
    dollars = write(tmp_path / "dollars", text, columns={MARKET: {"unit": "bn dollars", "meaning": "made up"}})
    with pytest.raises(BadInput, match="chip_market@end: its unit is 'bn yuan a year' in .*'bn dollars' in"):
        rows(base, dollars)
    bare = tmp_path / "base" / "runs.csv"
    for pair in ((bare, base), (base, bare)):
        assert [(row.unit, row.direction) for row in rows(*pair)] == [("bn yuan a year", "none")]
    [row] = rows(bare, bare)
    assert (row.unit, row.direction) == ("", "")


# Over time.

DATES = [f"{year}-12-31" for year in range(2020, 2025)]


def test_dates_are_read_from_the_series(made):
    base = made.over_time("base", {1: [1, 2, 3, 4, 5], 2: [2, 3, 4, 5, 6]}, DATES, "chip_market")
    candidate = made.over_time("candidate", {1: [1, 2, 6, 7, 8], 2: [2, 3, 9, 10, 13]}, DATES, "chip_market")
    found = compare([base, candidate], Question(at=["2022", "2023-12-31", "mean", "peak", "final"]))
    # In 2022: 3 and 5. In 2023: 3 and 5. Means: 4.8 - 3 and 7.4 - 4. Peaks and ends: 3 and 7.
    assert [row.diff for row in found.rows] == pytest.approx([4.0, 4.0, 2.6, 5.0, 5.0])
    assert [row.diff for row in found.over_time] == [0, 0, 4, 4, 5]
    with pytest.raises(BadInput, match="--at = '2031': .*base has the dates 2020-12-31 to 2024-12-31"):
        rows(base, candidate, at=["2031"])


def test_where_the_difference_opens(made):
    luck = {seed: random.Random(seed).random() for seed in range(1, 13)}
    base = made.over_time("base", {seed: [value] * 5 for seed, value in luck.items()}, DATES)
    paths = {seed: [v, v, v + 0.01, v + 0.02 + 0.001 * seed, v + 0.05] for seed, v in luck.items()}
    candidate = made.over_time("candidate", paths, DATES)
    for margin, year in ((0.0, "2022-12-31"), (0.015, "2023-12-31"), (0.03, "2024-12-31"), (0.06, "")):
        settings = Settings(margins={"": Margin(margin)})
        [opening] = compare([base, candidate], Question(settings=settings)).openings
        assert opening.opens == year


def test_quarters_of_a_ratio_make_no_year(made):
    dates = [f"2020-{end}" for end in ("03-31", "06-30", "09-30", "12-31")]
    flow = made.over_time("flow", {1: [1, 2, 3, 6], 2: [2, 3, 4, 7]}, dates, "chip_market")
    assert rows(flow, flow, at=["2020"])[0].base_mean == 3.5  # 3 and 4: a year's flow is the mean of its quarters'
    ratio = made.over_time("ratio", {1: [1, 2, 3, 6]}, dates)
    with pytest.raises(BadInput, match="records domestic_supply_share 4 times in that year, and a ratio of a year"):
        rows(ratio, ratio, at=["2020"])
    assert rows(ratio, ratio, at=["2020-06-30"])[0].base_mean == 2.0


def test_other_dates_are_refused_or_said(made):
    values = {1: [1, 2, 3, 4, 5], 2: [2, 3, 4, 5, 6]}
    base = made.over_time("base", values, DATES)
    later = made.over_time("later", values, [f"{year}-12-31" for year in range(2021, 2026)])
    for at in ("final", "peak", "mean"):
        with pytest.raises(BadInput, match=rf"--at = '{at}': dates differ: .*base goes from 2020-12-31 to 2024-12-31"):
            rows(base, later, at=[at])
    found = compare([base, later], Question(at=["2022"]))
    assert [row.diff for row in found.rows] == [-1.0]  # 2 less 3, and 3 less 4
    assert any("are recorded on different dates: where a difference opens is not told" in n for n in found.notes)
    with pytest.raises(BadInput, match="--reach = 'domestic_supply_share>=0.3': dates differ"):
        compare([base, later], Question(at=["2022"], reach=["domestic_supply_share>=0.3"]))
    short = write(made.folder / "short", table([(1, (), {SHARE: 1.0})]), horizon={"first": 2020, "last": 2030})
    whole = write(made.folder / "whole", table([(1, (), {SHARE: 1.0})]))
    with pytest.raises(BadInput, match="goes from 2020 to 2030.* goes from 2020 to 2035; give --at YEAR"):
        rows(short, whole)
    text = table([(1, (), {SHARE: 1.0, "domestic_supply_share@2030": NAN})])
    early = write(made.folder / "early", text, horizon={"first": 2020, "last": 2025})
    with pytest.raises(BadInput, match="--at = '2030': .*early goes from 2020 to 2025"):
        rows(early, early, at=["2030"])


# More than two.


def test_how_often_each_is_best(made):
    base = made.one("base", [5, 5, 5, 5])
    one, two = made.one("one", [6, 4, 5, 1]), made.one("two", [7, 4, 5, 9])
    found = compare([base, one, two], Question())
    # Seed 1: two. Seed 2: base. Seed 3: all three alike. Seed 4: two.
    assert [(b.result[:4], b.share_best, b.n_pairs) for b in found.best] == [
        ("base", pytest.approx((1 + 1 / 3) / 4), 4),
        ("one1", pytest.approx((1 / 3) / 4), 4),
        ("two2", pytest.approx((2 + 1 / 3) / 4), 4),
    ]
    assert len(found.sentences) == 2 and compare([base, one], Question()).best == []


def test_lower_is_best_where_it_is_better(made):
    values = ([5, 5], [4, 6], [3, 7])
    base, one, two = (made.one(n, v, IMPORTS) for n, v in zip(("base", "one", "two"), values, strict=True))
    assert [b.share_best for b in compare([base, one, two], Question()).best] == [0.5, 0.0, 0.5]


# Agreement.


def test_agreement_lists_every_difference(tmp_path):
    text = table([(1, (), {SHARE: 1.0})])
    base = write(tmp_path / "base", text)
    values = {"controls.mode": "none", "subsidy.annual": 0.0, "new.key": 2}
    candidate = write(
        tmp_path / "candidate",
        table([(1, (), {SHARE: 1.0})], config="no-controls"),
        scenarios=scenario("no-controls", values=values, events=[{}]),
        arithmetic="dd",
        program_hash="ee",
        worlds={"chips": {**WORLD, "hash": "ff"}},
        columns={SHARE: COLUMNS[SHARE]},
    )
    found = compare([base, candidate], Question())
    assert found.agreement == [
        "the program differs: bb in historic, ee in no-controls",
        "the world differs: chips (aa) in historic, chips (ff) in no-controls",
        "the arithmetic differs: cc in historic, dd in no-controls",
        "unit of domestic_supply_share differs: '0 to 1' in historic, '' in no-controls",
        "the same in historic and no-controls: horizon, versions",
    ]
    assert found.parameters == [
        ["controls.mode", '"events"', '"none"'],
        ["new.key", "not there", "2"],
        ["events", "0", "1"],
    ]
    assert found.coverage == [
        "runs of historic: 1 done, 0 failed",
        "runs of no-controls: 1 done, 0 failed",
        "pairs in common: 1, only in historic: 0, only in no-controls: 0",
        "design points in common: 1, only in historic: 0, only in no-controls: 0",
    ]
    bare = tmp_path / "base" / "runs.csv"
    assert (
        "a bare table; its program, world, scenario and units are unknown"
        in compare([base, bare], Question()).agreement[0]
    )


def test_a_swept_value_is_called_swept(made):
    base = made.one("base", [1.0])
    candidate = made.sweep("sweep", {(1, 100): 1.0}, "subsidy.annual")
    assert ["subsidy.annual", "0.0", "swept"] in compare([base, candidate], Question()).parameters


def test_names_tell_results_apart(tmp_path):
    text = table([(1, (), {SHARE: 1.0})])
    (tmp_path / "deep").mkdir()
    one, two = write(tmp_path / "one", text), write(tmp_path / "two", text)
    again = write(tmp_path / "deep" / "one", text)
    other = write(tmp_path / "three", table([(1, (), {SHARE: 1.0})], config="no-controls"))
    richer = write(tmp_path / "four", text, scenarios=scenario(values={"subsidy.annual": 200.0}))
    poorer = write(tmp_path / "five", text, scenarios=scenario(values={"subsidy.annual": 0.0}))
    for paths, names in (
        ([one, other], ["historic", "no-controls"]),
        ([poorer, richer], ["subsidy.annual=0.0", "subsidy.annual=200.0"]),
        ([one, two, other], ["one", "two", "three"]),
        ([one, again], [str(one), str(again)]),
        ([one, one], ["historic", "historic"]),
    ):
        assert [result.name for result in read_results(paths)] == names


# Gates.


@pytest.mark.parametrize(
    ("gate", "tripping"),
    [
        ("worse", {"worse"}),
        ("any", {"better", "worse", "changed", "incomparable"}),
        ("inconclusive", {"inconclusive", "incomparable"}),
    ],
)
def test_gates_trip_on_their_verdicts(made, gate, tripping):
    cases = {
        "better": ([1, 2], [2, 3.01], SHARE),
        "worse": ([2, 3.01], [1, 2], SHARE),
        "changed": ([2, 3.01], [1, 2], MARKET),
        "inconclusive": ([1, 2], [2, 1], SHARE),
        "same": ([1, 2] * 5, [1, 2] * 5, SHARE),
        "incomparable": ([1, 2], [NAN, NAN], SHARE),
    }
    for word, (base, candidate, column) in cases.items():
        found = compare(made.pair(base, candidate, column), Question())
        assert [row.verdict for row in found.rows] == [word]
        assert bool(trips(found, [gate])) == (word in tripping)


def test_unknown_gate(made):
    with pytest.raises(BadInput, match="--fail-on = 'all': must be one of worse, any, inconclusive"):
        trips(compare(made.pair([1], [1]), Question()), ["all"])


# Files only.

PARTS = sorted(Path(module.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_imports_nothing_of_the_model(path):
    allowed = {
        "sim.arrays",
        "sim.calendar",
        "sim.errors",
        "sim.results",
        "sim.measures",
        "sim.world",
        "sim.scenario",  # how keys are called
        "sim.compare",
    }
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        imported = set()
        if isinstance(node, ast.Import):
            imported = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name is from"
            imported = {f"sim.{a.name}" for a in node.names} if node.module == "sim" else {str(node.module)}
        ours = {".".join(name.split(".")[:2]) for name in imported if name.split(".")[0] == "sim"}
        assert ours <= allowed


def test_comparing_loads_nothing_of_the_model(tmp_path):
    values = {seed: [0.1 * seed, 0.2] for seed in range(1, 4)}
    base = Maker(tmp_path).over_time("base", values, DATES[:2])
    code = (
        "import sys; import sim.compare.question as q; early = set(sys.modules)\n"
        "from sim.compare.rendering import render\n"
        f"found = q.compare([{str(base)!r}] * 2, q.Question(reach=['domestic_supply_share>1']))\n"
        "assert '<svg' in render(found, 'html')\n"
        "print(*sorted(early)); print(*sorted(sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    early, late = (set(line.split()) for line in answer.stdout.splitlines())
    assert "sim.compare.question" in early and not {"pandas", "scipy", "matplotlib", "rich"} & early
    assert not {"mesa", "sim.model", "sim.batch.run", "sim.schedule", "sim.agents", "sim.recorder"} & late


def test_series_table_is_as_ours():
    text = series_table([(1, {"x": [1.0, NAN]})], DATES[:2])
    assert text == "run_id,config,parameter_set,seed,date,x\nrun0,historic,0,1,2020-12-31,1.0\n"
