"""Comparing results: numbers by hand or from scipy, pairs by seed, and a sentence for every fault."""

import ast
import csv
import io
import json
import math
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

from sim import compare as module
from sim.compare import agreement, compare, is_skewed, read_result, read_results, render, sentence, verdict
from sim.vocabulary import BadInput

SHARE, MARKET, IMPORTS = "domestic_supply_share@end", "chip_market@end", "chip_imports@end"
HEAD = "run_id,config,parameter_set,seed,status,chip_market@end\n"
NAN = float("nan")
T_2 = 4.302652729911275  # Student's t with 2 degrees of freedom at 97.5 %; printed tables have 4.303
COLUMNS = {
    SHARE: {"unit": "0 to 1"},
    "domestic_supply_share": {"unit": "0 to 1", "direction": "higher"},
    MARKET: {"unit": "bn yuan a year"},
    "chip_market": {"unit": "bn yuan a year", "direction": "none"},
    IMPORTS: {"unit": "bn yuan a year"},
    "chip_imports": {"unit": "bn yuan a year", "direction": "lower"},
    "chip_market@sum": {"unit": "bn yuan"},
}


def table(runs, swept=(), config="historic"):
    """The text of a runs.csv; a run is (seed, swept values, {column: value}), no values if it failed."""
    columns = list(next(values for _, _, values in runs if values))
    lines = [["run_id", "config", "parameter_set", "seed", *swept, "status", *columns]]
    for number, (seed, keys, values) in enumerate(runs):
        cells = [values[column] if values and not math.isnan(values[column]) else "" for column in columns]
        lines.append([f"run{number}", config, 0, seed, *keys, "done" if values else "failed", *cells])
    return "".join(",".join(map(str, cells)) + "\n" for cells in lines)


def write(folder, text, config="historic", **changes):
    folder.mkdir()
    (folder / "runs.csv").write_text(text)
    scenario = {"values": {"controls.mode": "events", "subsidy.annual": 0.0}, "events": [], "world": "chips"}
    manifest = {
        "schema_version": 1,
        "experiment": None,
        "scenarios": {config: scenario},
        "seeds": [1],
        "world": {"name": "chips", "hash": "aa"},
        "horizon": {"first": 2020, "last": 2035},
        "program_hash": "bb",
        "arithmetic": "cc",
        "dependencies": {"numpy": "2.5.5"},
        "columns": COLUMNS,
        **changes,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def results(tmp_path):
    """Base and candidate of one column, each given as {seed: value} or as a list for seeds 1, 2, 3."""

    def make(base, candidate, column=SHARE):
        made = []
        for name, values in (("base", base), ("candidate", candidate)):
            values = values if isinstance(values, dict) else dict(enumerate(values, start=1))
            runs = [(seed, (), {column: float(value)}) for seed, value in values.items()]
            folder = tmp_path / f"{name}{len(list(tmp_path.iterdir()))}"
            made.append(read_result(write(folder, table(runs))))
        return made

    return make


# Numbers.


def test_three_seeds_by_hand(results):
    base, candidate = results([10, 12, 14], [11, 14, 17], MARKET)
    [row] = compare(base, candidate)
    # Differences 1, 2, 3: mean 2, standard deviation 1: the interval reaches 4.303 / sqrt(3) = 2.484.
    reach = T_2 / 3**0.5
    assert (row.measure, row.at, row.unit, row.direction) == ("chip_market", "end", "bn yuan a year", "none")
    assert (row.n_base, row.n_cand, row.n_pairs, row.ci_level) == (3, 3, 3, 0.95)
    assert (row.base_mean, row.cand_mean, row.diff) == (12.0, 14.0, 2.0)
    assert (row.diff_lo, row.diff_hi) == pytest.approx((2 - reach, 2 + reach), rel=1e-9)
    assert (row.rel_diff, row.corr_pairs) == pytest.approx((1 / 6, 1.0))
    assert (row.verdict, row.flags) == ("inconclusive", "few pairs")


@pytest.mark.parametrize(
    ("column", "up", "down"), [(SHARE, "better", "worse"), (IMPORTS, "worse", "better"), (MARKET, "changed", "changed")]
)
def test_verdict_follows_the_direction(results, column, up, down):
    # Differences 2, 3, 4: 3 - 2.484 is above 0.
    base, candidate = results([10, 12, 14], [12, 15, 18], column)
    assert [row.verdict for row in compare(base, candidate)] == [up]
    assert [row.verdict for row in compare(candidate, base)] == [down]


def test_verdict_of_an_interval_that_touches_zero():
    assert verdict(1.0, 0.0, 2.0, "higher") == "inconclusive"
    assert verdict(0.0, -1e-300, 1e-300, "higher") == "inconclusive"
    assert verdict(1.0, 1.0, 1.0, "lower") == "worse"


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_agrees_with_scipy(results, level):
    generator = np.random.default_rng(5)
    luck = generator.normal(size=25)
    ours, theirs = 3 + luck, 3.4 + 0.9 * luck + generator.normal(size=25, scale=0.3)
    base, candidate = results(ours, theirs)
    [row] = compare(base, candidate, level=level)
    known = stats.ttest_rel(theirs, ours)
    interval = known.confidence_interval(level)
    assert (row.diff_lo, row.diff_hi) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert row.corr_pairs == pytest.approx(stats.pearsonr(ours, theirs).statistic)
    assert (row.verdict == "inconclusive") == (known.pvalue >= 1 - level)
    assert row.ci_level == level and row.flags == ""


def test_a_result_against_itself_is_exactly_equal(results):
    base, _ = results([0.1, 0.3, 0.2], [0.1])
    [row] = compare(base, base)
    assert (row.diff, row.diff_lo, row.diff_hi, row.verdict) == (0.0, 0.0, 0.0, "equivalent")
    assert "is exactly the same" in sentence([row])


def test_equal_differences_give_an_interval_without_width(results):
    # Three times 0.1 does not sum to 0.3 in floats; a mean by summing would be off in the last digit.
    base, candidate = results([0.0] * 3, [0.1] * 3)
    [row] = compare(base, candidate)
    assert (row.diff, row.diff_lo, row.diff_hi, row.verdict) == (0.1, 0.1, 0.1, "better")
    assert row.rel_diff is None and row.corr_pairs is None
    assert "10.00 points higher in every pair" in sentence([row])


values = st.floats(-1e6, 1e6) | st.just(NAN)


@given(st.lists(st.tuples(values, values, values, values), min_size=2, max_size=12))
def test_swapping_flips_every_sign(quadruples):
    count = len(quadruples)
    keys = {
        "config": ["a"] * 2 * count,
        "parameter_set": [0.0] * 2 * count,
        "seed": [*range(count)] * 2,
        "controls.severity": [0.0] * count + [1.0] * count,
    }
    flat = np.array(quadruples)

    def one(name, first, second):
        outcomes = {SHARE: np.concatenate([flat[:, first], flat[:, second]])}
        return module.Result(
            name, name, ("a",), ("controls.severity",), keys, np.ones(2 * count, bool), outcomes, {"columns": COLUMNS}
        )

    base, candidate = one("base", 0, 1), one("candidate", 2, 3)
    [there], [back] = compare(base, candidate), compare(candidate, base)
    flipped = {"better": "worse", "worse": "better"}
    assert back.verdict == flipped.get(there.verdict, there.verdict)
    assert (back.base_mean, back.cand_mean) == (there.cand_mean, there.base_mean)
    assert (back.n_pairs, back.flags) == (there.n_pairs, there.flags)
    mirrored = (there.diff, back.diff), (there.diff_lo, back.diff_hi), (there.diff_hi, back.diff_lo)
    for ours, theirs in mirrored:
        assert (ours is None and theirs is None) or ours == -theirs


# A sample of ones and zeros, of which p are ones, has skewness squared (1 - 2p)^2 / (p (1 - p)): 4/3 for
# p = 1/4, and 25 x 4/3 = 33.3 lies between 32 and 36.
@pytest.mark.parametrize(
    ("ones", "zeros", "skewed"),
    [(8, 24, True), (9, 27, False), (6, 6, False), (1, 11, True), (1, 8, False), (0, 12, False)],
)
def test_skewness_counts_by_the_number_of_pairs(ones, zeros, skewed):
    assert is_skewed(np.array([1.0] * ones + [0.0] * zeros)) is skewed


def test_skewed_differences_are_flagged(results):
    [row] = compare(*results([0.0] * 12, [0.0] * 11 + [1.0]))
    assert row.flags == "skewed differences: the interval is unsure"


# Pairs.


def test_pairs_are_made_by_seed_not_by_order(results, tmp_path):
    seeds = list(range(1, 21))
    luck = {seed: random.Random(seed).random() for seed in seeds}
    base, candidate = results(luck, {seed: value + 0.001 * seed for seed, value in luck.items()})
    backwards = replace(
        read_result(
            write(
                tmp_path / "backwards",
                table([(seed, (), {SHARE: luck[seed] + 0.001 * seed}) for seed in reversed(seeds)]),
            )
        ),
        name=candidate.name,
    )
    assert compare(base, backwards) == compare(base, candidate)
    [row] = compare(base, candidate)
    assert row.diff == pytest.approx(0.001 * 10.5)  # the mean of 1 to 20 is 10.5
    assert row.corr_pairs > 0.99


def test_the_order_of_the_files_changes_no_digit(results):
    # In floats 1e16 + 1 is 1e16: summed from the front these give 1, from the back 0.
    ours, theirs = {1: 1e16, 2: 1.0, 3: -1e16, 4: 1.0}, dict.fromkeys((4, 3, 2, 1), 0.0)
    base, candidate = results(ours, theirs)
    [there], [back] = compare(base, candidate), compare(candidate, base)
    assert (there.diff, back.diff) == (-0.25, 0.25)
    assert (there.diff_lo, there.diff_hi) == (-back.diff_hi, -back.diff_lo)


def test_seeds_of_one_side_only_do_not_count(results):
    base, candidate = results({1: 1, 2: 2, 3: 3, 9: 100}, {3: 5, 2: 3, 8: -100, 1: 1})
    [row] = compare(base, candidate)
    assert (row.n_base, row.n_cand, row.n_pairs) == (4, 4, 3)
    assert (row.base_mean, row.cand_mean, row.diff) == (2.0, 3.0, 1.0)
    assert (
        "pairs in common: 3, only in base: 1, only in candidate: 1"
        in agreement(replace(base, name="base"), replace(candidate, name="candidate"))[-1]
    )


def test_no_pairs_are_incomparable(results):
    base, candidate = results({1: 1, 2: 2}, {3: 1, 4: 2})
    [row] = compare(base, candidate)
    assert (row.n_base, row.n_cand, row.n_pairs, row.verdict) == (2, 2, 0, "incomparable")
    assert (row.base_mean, row.cand_mean, row.diff, row.diff_lo, row.diff_hi, row.rel_diff) == (None,) * 6
    assert row.flags == "no pair in common; few pairs"
    assert sentence([row]).endswith("over 0 pairs; the domestic supply share at the end cannot be compared.")
    assert "by chance" not in render([row], [])


def test_one_pair_has_no_interval(results):
    [row] = compare(*results([0.5], [0.75]))
    assert (row.diff, row.diff_lo, row.diff_hi, row.verdict) == (0.25, None, None, "inconclusive")
    assert row.flags == "one pair: no interval; few pairs"
    assert "25.00 points higher in the one pair, which gives no interval" in sentence([row])


def test_few_pairs_are_fewer_than_ten(results):
    assert compare(*results(range(9), range(9)))[0].flags == "few pairs"
    assert compare(*results(range(10), range(10)))[0].flags == ""


def test_missing_values_are_never_no_change(results):
    base, candidate = results([1, NAN, 3, 4, NAN], [2, 2, NAN, 6, NAN])
    [row] = compare(base, candidate)
    assert (row.n_base, row.n_cand, row.n_pairs) == (3, 3, 2)
    assert (row.base_mean, row.cand_mean, row.diff) == (2.5, 4.0, 1.5)  # seeds 1 and 4: differences 1 and 2
    assert row.flags == "3 of 5 pairs dropped: a value is missing; few pairs"
    base, candidate = results([NAN, NAN], [NAN, NAN])
    for other in (candidate, base):
        [row] = compare(base, other)
        assert row.verdict == "incomparable" and row.diff is None and "2 of 2 pairs dropped" in row.flags


def test_infinite_values_are_missing(results):
    infinite = float("inf")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [row] = compare(*results([1, 2, 3, infinite], [1, infinite, 3, infinite]))
    assert (row.n_base, row.n_cand, row.n_pairs) == (3, 2, 2)


def test_values_of_a_failed_run_do_not_count(tmp_path):
    (tmp_path / "runs.csv").write_text(HEAD + "a,x,0,1,done,1.0\nb,x,0,2,failed,7.0\n")
    result = read_result(tmp_path / "runs.csv")
    [row] = compare(result, result)
    assert (row.n_base, row.n_pairs, row.base_mean) == (1, 1, 1.0)


def test_failed_runs_drop_their_pair_and_are_counted(tmp_path):
    base = read_result(write(tmp_path / "base", table([(1, (), {SHARE: 1.0}), (2, (), {SHARE: 2.0})])))
    text = table([(1, (), None), (2, (), {SHARE: 2.5})])
    candidate = read_result(write(tmp_path / "candidate", text))
    [row] = compare(base, candidate)
    assert (row.n_base, row.n_cand, row.n_pairs, row.diff) == (2, 1, 1, 0.5)
    assert "1 of 2 pairs dropped" in row.flags
    coverage = agreement(base, candidate)[-1]
    assert "runs of historic: 2 done, 0 failed; runs of historic: 1 done, 1 failed" in coverage


# Sweeps.


def sweep(folder, name, values, key="controls.severity"):
    """A result of one swept key; `values` is {(seed, level): value}, None for a run that failed."""
    runs = [(seed, (level,), None if value is None else {SHARE: value}) for (seed, level), value in values.items()]
    return replace(read_result(write(folder / name, table(runs, (key,)))), name=name)


def test_sweeps_are_averaged_within_each_pair(tmp_path):
    base = sweep(tmp_path, "base", {(1, 0.0): 1.0, (1, 1.0): 10.0, (2, 0.0): 2.0, (2, 1.0): 20.0, (1, 0.5): 99.0})
    candidate = sweep(tmp_path, "candidate", {(1, "0"): 2.0, (1, "1"): 13.0, (2, "0"): 4.0, (2, "1"): 26.0})
    [row] = compare(base, candidate)
    # Seed 1: differences 1 and 3, mean 2. Seed 2: 2 and 6, mean 4. Two pairs: mean 3, standard deviation
    # sqrt(2), and the mean's error is sqrt(2) / sqrt(2) = 1; t with one degree of freedom is 12.706.
    assert (row.n_base, row.n_cand, row.n_pairs) == (5, 4, 2)
    assert (row.diff, row.base_mean, row.cand_mean) == (3.0, 8.25, 11.25)
    assert (row.diff_lo, row.diff_hi) == pytest.approx((3 - 12.706204736, 3 + 12.706204736))
    coverage = agreement(base, candidate)[-1]
    assert "design points in common: 2, only in base: 1, only in candidate: 0" in coverage


def test_a_pair_without_all_design_points_is_dropped(tmp_path):
    base = sweep(tmp_path, "base", {(seed, level): 1.0 for seed in (1, 2, 3) for level in (0.0, 1.0)})
    candidate = sweep(
        tmp_path, "candidate", {(1, 0.0): 2.0, (1, 1.0): 4.0, (2, 0.0): 5.0, (3, 0.0): 9.0, (3, 1.0): None}
    )
    [row] = compare(base, candidate)
    assert (row.n_pairs, row.diff) == (1, 2.0)  # seed 1: differences 1 and 3
    assert "2 of 3 pairs dropped" in row.flags


def test_a_key_that_one_side_sweeps_is_averaged_and_said(tmp_path, results):
    base, _ = results([1.0, 2.0], [0.0])
    candidate = sweep(tmp_path, "candidate", {(1, 0.0): 2.0, (1, 1.0): 4.0, (2, 0.0): 3.0, (2, 1.0): 5.0})
    [row] = compare(base, candidate)
    assert (row.n_pairs, row.diff, row.diff_lo, row.diff_hi) == (2, 2.0, 2.0, 2.0)  # 3 - 1 and 4 - 2
    assert row.flags.startswith("mean over controls.severity, which only candidate sweeps")
    short = sweep(tmp_path, "short", {(1, 0.0): 2.0, (1, 1.0): 4.0, (2, 0.0): 3.0})
    [row] = compare(base, short)
    assert row.n_pairs == 1 and "1 of 2 pairs dropped" in row.flags


def test_sweeps_without_a_common_point_are_incomparable(tmp_path):
    base = sweep(tmp_path, "base", {(1, 0.0): 1.0, (2, 0.0): 1.0})
    candidate = sweep(tmp_path, "candidate", {(1, 0.5): 1.0, (2, 0.5): 1.0})
    [row] = compare(base, candidate)
    assert row.verdict == "incomparable" and "no design point in common" in row.flags


def test_parameter_sets_make_pairs_and_are_said(tmp_path, results):
    text = "run_id,config,parameter_set,seed,status,chip_market@end\na,x,1,1,done,1.0\nb,x,2,1,done,{}\n"
    for name, value in (("base", 2.0), ("candidate", 5.0)):
        (tmp_path / f"{name}.csv").write_text(text.format(value))
    [row] = compare(read_result(tmp_path / "base.csv"), read_result(tmp_path / "candidate.csv"))
    assert (row.n_pairs, row.diff) == (2, 1.5)
    assert "the interval mixes seeds with 2 parameter sets" in row.flags


def test_several_configs_pair_with_themselves_only(tmp_path):
    text = "run_id,config,parameter_set,seed,status,chip_market@end\na,x,0,1,done,1.0\nb,{},0,1,done,{}\n"
    for name, config, value in (("base", "y", 2.0), ("candidate", "y", 5.0), ("other", "z", 5.0)):
        (tmp_path / f"{name}.csv").write_text(text.format(config, value))
    names = ("base.csv", "candidate.csv", "other.csv")
    base, candidate, other = read_results([tmp_path / name for name in names])
    assert compare(base, candidate)[0].diff == 1.5
    assert "design points in common: 2" in agreement(base, candidate)[-1]
    with pytest.raises(BadInput, match=r"base\.csv holds x, y; .*other\.csv holds x, z: give results of one"):
        compare(base, other)


# What is compared.


def test_headline_measures_are_the_default(tmp_path):
    row = {SHARE: 1.0, "chip_market.memory@end": 1.0, MARKET: 1.0, "chip_market@sum": 5.0, "chip_market@2025": 2.0}
    result = read_result(write(tmp_path / "r", table([(1, (), row)])))
    assert [row.measure for row in compare(result, result)] == ["domestic_supply_share", "chip_market"]
    assert [row.measure for row in compare(result, result, ["chip_market.memory"])] == ["chip_market.memory"]
    [total] = compare(result, result, at="sum")
    assert (total.measure, total.base_mean, total.unit) == ("chip_market", 5.0, "bn yuan")
    with pytest.raises(BadInput, match="--at = 'final': .* have end, 2025, sum in common"):
        compare(result, result, at="final")
    with pytest.raises(BadInput) as fault:
        compare(result, result, ["chip_markt", "nothing"])
    first, _ = fault.value.problems
    assert "no chip_markt@end" in first and "did you mean 'chip_market'?" in first
    for level in (0, 1, 95):
        with pytest.raises(BadInput, match="--level"):
            compare(result, result, level=level)


def test_without_headline_measures_all_are_compared(results):
    base, candidate = results([1, 2], [1, 2], "chip_market.memory@end")
    assert [row.measure for row in compare(base, candidate)] == ["chip_market.memory"]


def test_units_that_differ_are_refused(tmp_path):
    text = table([(1, (), {MARKET: 1.0})])
    base = read_result(write(tmp_path / "base", text))
    dollars = read_result(write(tmp_path / "dollars", text, columns={MARKET: {"unit": "bn dollars"}}))
    with pytest.raises(BadInput, match="chip_market@end: its unit is 'bn yuan a year' in .*'bn dollars' in"):
        compare(base, dollars)
    bare = read_result(tmp_path / "base" / "runs.csv")
    for pair in ((bare, base), (base, bare)):
        assert [(row.unit, row.direction) for row in compare(*pair)] == [("bn yuan a year", "none")]
    assert (compare(bare, bare)[0].unit, compare(bare, bare)[0].direction) == ("", "")


def test_agreement_lists_every_difference(tmp_path):
    text = table([(1, (), {SHARE: 1.0})])
    base = read_result(write(tmp_path / "base", text))
    values = {"controls.mode": "none", "subsidy.annual": 0.0, "new.key": 2}
    candidate = read_result(
        write(
            tmp_path / "candidate",
            table([(1, (), {SHARE: 1.0})], config="no-controls"),
            scenarios={"no-controls": {"values": values, "events": [{}]}},
            arithmetic="dd",
            program_hash="ee",
            horizon={"first": 2020, "last": 2030},
            world={"name": "chips", "hash": "ff"},
        )
    )
    assert agreement(base, candidate) == [
        ('world differs: {"name": "chips", "hash": "aa"} in historic, {"name": "chips", "hash": "ff"} in no-controls'),
        'program_hash differs: "bb" in historic, "ee" in no-controls',
        ('horizon differs: {"first": 2020, "last": 2035} in historic, {"first": 2020, "last": 2030} in no-controls'),
        'arithmetic differs: "cc" in historic, "dd" in no-controls',
        "the same in both: dependencies",
        'controls.mode: "events" in historic, "none" in no-controls',
        "new.key: not there in historic, 2 in no-controls",
        "events differ: 0 in historic, 1 in no-controls",
        (
            "runs of historic: 1 done, 0 failed; runs of no-controls: 1 done, 0 failed; "
            "pairs in common: 1, only in historic: 0, only in no-controls: 0; "
            "design points in common: 1, only in historic: 0, only in no-controls: 0"
        ),
    ]
    assert "horizons differ" in compare(base, candidate)[0].flags
    same, _ = agreement(base, base)
    assert same == "the same in both: world, program_hash, horizon, arithmetic, dependencies"
    bare = read_result(tmp_path / "base" / "runs.csv")
    assert "a bare table; its program, world, scenario and units are unknown" in agreement(base, bare)[0]


def test_a_swept_value_is_called_swept(tmp_path):
    base = read_result(write(tmp_path / "base", table([(1, (), {SHARE: 1.0})])))
    candidate = sweep(tmp_path, "sweep", {(1, 100): 1.0}, "subsidy.annual")
    assert "subsidy.annual: 0.0 in historic, swept in sweep" in agreement(base, candidate)


def test_names_tell_results_apart(tmp_path):
    text = table([(1, (), {SHARE: 1.0})])
    (tmp_path / "deep").mkdir()
    one, two = write(tmp_path / "one", text), write(tmp_path / "two", text)
    again = write(tmp_path / "deep" / "one", text)
    other = write(tmp_path / "three", table([(1, (), {SHARE: 1.0})], config="no-controls"))
    assert [result.name for result in read_results([one, other])] == ["historic", "no-controls"]
    assert [result.name for result in read_results([one, two, other])] == ["one", "two", "three"]
    assert [result.name for result in read_results([one, again])] == [str(one), str(again)]
    assert [result.name for result in read_results([one, one])] == ["historic", "historic"]


# Faults.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no runs"),
        (HEAD, "holds no runs"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,do", "line 3 has 5 cells; the header has 6"),
        ("run_id,config,parameter_set,status\na,x,0,done\n", "column 'seed' is missing"),
        (HEAD + "a,x,0,1,failed,\nb,x,0,2,failed,\n", "none of its 2 runs has status done"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,running,1.0\n", "line 3: status = 'running': must be done or failed"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,done,many\n", "line 3: chip_market@end = 'many': must be a number or empty"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,,done,1.0\n", "line 3: seed is empty"),
        (HEAD + "a,x,0,1,done,1.0\nb,x,0,2,done,1.0\nc,x,0,01,done,2.0\n", "line 4: has the same config, .* as line 2"),
    ],
)
def test_bad_tables(tmp_path, text, words):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    with pytest.raises(BadInput, match=words) as fault:
        read_result(path)
    assert fault.value.problems[0].startswith(str(path))


def test_every_missing_column_is_named(tmp_path):
    (tmp_path / "runs.csv").write_text("config,status\nx,done\n")
    with pytest.raises(BadInput) as fault:
        read_result(tmp_path / "runs.csv")
    assert [problem.split("column ")[1].split(" ")[0] for problem in fault.value.problems] == [
        "'run_id'",
        "'parameter_set'",
        "'seed'",
    ]


def test_bad_folders(tmp_path):
    text = HEAD + "a,x,0,1,done,1.0\n"
    empty, unfinished, bare = tmp_path / "empty", tmp_path / "unfinished", tmp_path / "bare"
    for folder in (empty, unfinished / ".blocks-0", bare):
        folder.mkdir(parents=True)
    (bare / "runs.csv").write_text(text)
    later = write(tmp_path / "later", text, schema_version=2)
    cut = write(tmp_path / "cut", text, files={"runs.csv": {"bytes": len(text) + 20}})
    broken = write(tmp_path / "broken", text)
    (broken / "manifest.json").write_text('{"schema_version": 1, "exp')
    whole = write(tmp_path / "whole", text, files={"runs.csv": {"bytes": len(text)}})
    assert read_result(whole).outcomes[MARKET].tolist() == [1.0]
    for path, words in (
        (tmp_path / "nowhere", "does not exist"),
        (empty, "holds no runs.csv; give a result folder"),
        (unfinished, "holds no runs.csv; finish the batch first"),
        (bare, r"bare/manifest\.json: is missing or no manifest"),
        (later, r"later/manifest\.json: schema_version = 2: must be 1"),
        (broken, r"broken/manifest\.json: is missing or no manifest"),
        (cut, r"cut/runs\.csv: has \d+ bytes, and \d+ were written"),
    ):
        with pytest.raises(BadInput, match=words):
            read_result(path)
    with pytest.raises(BadInput) as fault:
        read_results([empty, whole, later])
    assert len(fault.value.problems) == 2


# Output.


def two_rows(results):
    generator = np.random.default_rng(1)
    luck = generator.normal(size=20, scale=0.01)
    base, candidate = results(0.2 + luck, 0.212 + luck + generator.normal(size=20, scale=0.002))
    base, candidate = replace(base, name="historic"), replace(candidate, name="no-controls")
    [row] = compare(base, candidate)
    missing = replace(
        row,
        measure="subsidy_per_point",
        diff=None,
        diff_lo=None,
        diff_hi=None,
        base_mean=None,
        cand_mean=None,
        rel_diff=None,
        corr_pairs=None,
        n_pairs=0,
        verdict="incomparable",
        flags='20 of 20 pairs dropped: a "value" is missing, really',
    )
    return [row, missing]


def test_csv_and_json_keep_every_digit(results):
    rows = two_rows(results)
    text = render(rows, ["a note"], "csv")
    read = list(csv.DictReader(io.StringIO(text)))
    assert text.splitlines()[0] == (
        "baseline,candidate,measure,unit,direction,at,n_base,n_cand,n_pairs,base_mean,cand_mean,diff,diff_lo,"
        "diff_hi,ci_level,rel_diff,corr_pairs,verdict,flags"
    )
    assert float(read[0]["diff_lo"]) == rows[0].diff_lo and float(read[0]["diff"]) == rows[0].diff
    assert read[1]["diff"] == "" and read[1]["flags"] == rows[1].flags
    content = json.loads(render(rows, ["a note"], "json"))
    assert content["notes"] == ["a note"]
    assert content["rows"][0]["diff_hi"] == rows[0].diff_hi and content["rows"][1]["diff"] is None
    assert list(content["rows"][0]) == text.splitlines()[0].split(",")
    assert render([], [], "csv") == text.splitlines()[0] + "\n"
    assert json.loads(render([], [], "json")) == {"notes": [], "rows": []}
    with pytest.raises(BadInput, match="--format = 'xml': must be one of table, csv, json"):
        render(rows, [], "xml")


def test_table_is_rounded_to_the_interval_and_never_cut(results):
    rows = two_rows(results)
    rows[0] = replace(
        rows[0],
        base_mean=0.2012345,
        cand_mean=0.2134567,
        diff=0.0122222,
        diff_lo=0.0091111,
        diff_hi=0.0153333,
        rel_diff=0.0607361,
        flags="long flag " * 40,
    )
    text = render(rows, ["a note"])
    lines = text.splitlines()
    assert lines[0] == "a note"
    # The interval is 0.0062 wide: two digits of that are four decimals.
    assert " ".join(lines[3].split()).startswith(
        "domestic_supply_share@end 0 to 1 0.2012 0.2135 0.0122 0.0091 to 0.0153 +6.1 % 20 better long flag"
    )
    assert lines[3].endswith("long flag") and "…" not in text
    assert lines[2].index("no-controls") + len("no-controls") == lines[3].index("0.2135") + len("0.2135")
    assert lines[-1] == (
        "no-controls against historic: of 2 measures 1 differs (1 better), 1 incomparable, over 20 "
        "pairs; the domestic supply share at the end is 1.22 points higher (95 % interval 0.91 to 1.53)."
    )


def test_sentence_for_lower_and_for_open_signs(results):
    [row, _] = two_rows(results)
    lower = replace(row, diff=-0.012, diff_lo=-0.015, diff_hi=-0.009, verdict="worse", at="2025")
    assert "over 18 to 20 pairs;" in sentence([lower, replace(row, n_pairs=18)])
    assert sentence([lower]).endswith(
        "over 20 pairs; the domestic supply share in 2025 is 1.20 points lower (95 % interval 0.90 to 1.50)."
    )
    unsure = replace(row, diff=-0.002, diff_lo=-0.015, diff_hi=0.011, verdict="inconclusive", ci_level=0.9)
    assert sentence([unsure]) == (
        "no-controls against historic: of 1 measure none is shown to differ, 1 inconclusive, over 20 pairs; "
        "the domestic supply share at the end differs by -0.2 points, but the sign is open "
        "(90 % interval -1.5 to 1.1)."
    )


def test_every_candidate_has_its_table_and_sentence(results):
    rows = two_rows(results)
    text = render([*rows, *(replace(row, candidate="allies-only") for row in rows)], [])
    assert "about one in 20 excludes 0 by chance" in text
    assert text.count("95 % interval  relative") == 2
    assert text.splitlines()[-2].startswith("no-controls against historic:")
    assert text.splitlines()[-1].startswith("allies-only against historic:")


def test_numbers_of_any_size_are_written(results):
    for base, candidate in (
        ([1e9, 2e9], [1.5e9, 1e9]),
        ([0, 0], [1e-12, 3e-12]),
        ([5, 6], [5, 6]),
        ([0, 0], [0, 0]),
        ([1e6, 1e6 + 1], [1e6, 1e6 + 1 + 1e-9]),
        ([-1, 1], [2, 3]),
    ):
        text = render(compare(*results(base, candidate, MARKET)), [])
        assert "e+" not in text and "nan" not in text and "-0 " not in text


# Files only.


def test_imports_nothing_of_the_model():
    allowed = {"sim.vocabulary", "sim.records", "sim.measures", "sim.evidence"}
    imported = set()
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name is from"
            whole = node.module == "sim"
            imported |= {f"sim.{alias.name}" for alias in node.names} if whole else {str(node.module)}
    ours = {name for name in imported if name.split(".")[0] == "sim"}
    assert ours and ours <= allowed


def test_importing_it_loads_nothing_heavy():
    code = "import sys, sim.compare; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(answer.stdout.split())
    assert "sim.compare" in loaded
    assert not {"mesa", "pandas", "scipy", "rich", "sim.model", "sim.batch"} & loaded
