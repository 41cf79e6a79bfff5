"""Intervals against simulated truth, and flags where they fail."""

import math

import numpy as np
import pytest
from scipy import stats

from sim.compare import intervals

TRIALS, PAIRS = 3000, 30


def trials(draw, truth, level=0.95, count=TRIALS):
    """How often the interval over 30 pairs holds the truth, and how often the skewness is flagged."""
    generator = np.random.default_rng(20)
    held = flagged = 0
    for _ in range(count):
        differences = draw(generator)
        found = intervals.student(differences, level)
        held += found.low <= truth <= found.high
        flagged += intervals.is_skewed(differences)
    return held / count, flagged / count


NEAR_NORMAL = {
    "normal": (lambda g: g.normal(1, 2, PAIRS), 1.0),
    "uniform": (lambda g: g.uniform(0, 1, PAIRS), 0.5),
    "logistic": (lambda g: g.logistic(3, 1, PAIRS), 3.0),
    "mildly skewed": (lambda g: g.gamma(16, 1, PAIRS), 16.0),
}


@pytest.mark.parametrize("name", NEAR_NORMAL)
def test_intervals_cover_the_truth_near_the_normal(name):
    # With 3000 trials the share's own error is 0.4 %.
    covered, flagged = trials(*NEAR_NORMAL[name])
    assert 0.93 <= covered <= 0.97
    assert flagged < 0.2


@pytest.mark.parametrize("sigma", [1.5, 2.0])
def test_the_flag_rises_where_skewness_makes_intervals_fail(sigma):
    covered, flagged = trials(lambda g: g.lognormal(0, sigma, PAIRS), math.exp(sigma**2 / 2))
    assert covered < 0.9
    assert flagged > 0.9


@pytest.mark.long
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("name", NEAR_NORMAL)
def test_intervals_cover_the_truth_at_every_level(name, level):
    draw, truth = NEAR_NORMAL[name]
    covered, _ = trials(draw, truth, level, 40_000)
    assert abs(covered - level) <= 0.02


@pytest.mark.long
def test_bootstrap_covers_the_truth():
    generator = np.random.default_rng(21)
    found = [intervals.bootstrap(generator.normal(1, 2, PAIRS), 0.95) for _ in range(1000)]
    assert 0.91 <= np.mean([one.low <= 1 <= one.high for one in found]) <= 0.97


@pytest.mark.long
def test_an_ensemble_that_shares_seeds_covers_the_mean_of_its_sets():
    """Sets respond to the same luck, so their errors are not independent: the interval must know."""
    generator = np.random.default_rng(22)
    sets, seeds = np.repeat(np.arange(8), PAIRS), np.tile(np.arange(PAIRS), 8)
    effects = np.arange(8.0)
    held = 0
    for _ in range(20_000):
        luck = generator.normal(size=PAIRS)
        found = intervals.over_seeds(effects[sets] + luck[seeds] + 0.3 * generator.normal(size=240), sets, seeds, 0.95)
        held += found.low <= 3.5 <= found.high
    assert 0.94 <= held / 20_000 <= 0.96


# A sample of ones and zeros, of which p are ones, has skewness squared (1 - 2p)^2 / (p (1 - p)): 4/3 for
# p = 1/4, and 25 x 4/3 = 33.3 lies between 32 and 36.
@pytest.mark.parametrize(
    ("ones", "zeros", "skewed"),
    [(8, 24, True), (9, 27, False), (6, 6, False), (1, 11, True), (1, 8, False), (0, 12, False)],
)
def test_skewness_counts_by_the_number_of_pairs(ones, zeros, skewed):
    assert intervals.is_skewed(np.array([1.0] * ones + [0.0] * zeros)) is skewed


def test_verdict_of_an_interval_that_touches_its_margin():
    assert intervals.verdict(0.0, 2.0, "higher") == "inconclusive"
    assert intervals.verdict(-1e-300, 1e-300, "higher") == "inconclusive"
    assert intervals.verdict(1.0, 1.0, "lower") == "worse"
    assert intervals.verdict(0.0, 0.0, "lower") == "equivalent"
    assert intervals.verdict(-0.5, 0.5, "none", 0.5) == "equivalent"
    assert intervals.verdict(0.5, 0.7, "none", 0.5) == "inconclusive"
    assert intervals.verdict(-0.7, -0.6, "none", 0.5) == "changed"
    assert intervals.verdict(-0.7, -0.6, "higher", 0.5) == "worse"
    assert intervals.verdict(None, None, "higher", 0.5) == "inconclusive"


def test_welch_of_constants_and_of_single_runs():
    found = intervals.welch(np.ones(3), np.full(4, 3.0), 0.95)
    assert (found.mean, found.low, found.high) == (2.0, None, None)
    assert "nearly all runs of each side are equal" in found.flags[1]
    assert intervals.welch(np.ones(1), np.ones(5), 0.95).low is None


def test_correlation_is_within_parameter_sets():
    # Between the sets the two sides move together, within them against each other.
    sets = np.repeat([0, 1], 4)
    luck = np.tile([1.0, 2, 3, 4], 2)
    found = intervals.correlation(100 * sets + luck, 100 * sets - luck, sets)
    assert found == pytest.approx(-1)
    assert intervals.correlation(np.ones(5), luck[:5], np.zeros(5, int)) is None


def test_quantiles_are_those_of_scipy():
    values = np.random.default_rng(1).normal(size=37)
    expected = stats.mstats.mquantiles(values, [0.05, 0.5, 0.95], alphap=1, betap=1)
    assert intervals.quantiles(values) == pytest.approx(tuple(expected))


def one_set(differences):
    count = len(differences)
    return intervals.over_seeds(np.asarray(differences, float), np.zeros(count, int), np.arange(count), 0.95)


# 0.05^(1/10) is 0.741, 0.05^(1/20) is 0.861.
@pytest.mark.parametrize(("count", "others"), [(10, "26%"), (20, "14%")])
@pytest.mark.parametrize("value", [0.0, 0.1, -3.0])
def test_pairs_that_are_all_the_same_have_no_interval(count, others, value):
    found = one_set([value] * count)
    assert (found.mean, found.low, found.high) == (value, None, None)
    assert found.flags == (f"no interval: the same in all {count} pairs; up to {others} of pairs may be others",)


@pytest.mark.parametrize(("off", "given"), [(1, False), (4, False), (5, True)])
@pytest.mark.parametrize("usual", [0.0, 2.5])
def test_few_pairs_that_differ_among_equal_ones(off, given, usual):
    found = one_set([usual] * (30 - off) + [usual + 1 + place for place in range(off)])
    assert (found.low is not None) == given
    if not given:
        assert found.flags == (f"no interval: only {off} of 30 pairs differ from the others",)


def test_sets_that_differ_in_nothing_but_noise_have_no_interval():
    sets, seeds = np.divmod(np.arange(36), 12)
    found = intervals.over_seeds(np.array([0.1, 0.2, 0.7])[sets] + 1e-17 * seeds, sets, seeds, 0.95)
    assert found.mean == pytest.approx(1 / 3) and found.low is None


def test_noise_of_arithmetic_is_no_difference():
    sizes = np.full(4, 1000.0)
    assert intervals.without_noise(np.array([-9.5e-14, 1e-10, 3e-13, 0.0]), sizes, 0.0).tolist() == [0.0] * 4
    # 1e-12 of 1000 is the noise: 2e-9 is a difference, and so is 1e-13 of values that are no larger
    assert intervals.without_noise(np.array([2e-9, 0.0, 0.0, 0.0]), sizes, 0.0)[0] == 2e-9
    assert intervals.without_noise(np.array([1e-13, 0.0, 0.0]), np.full(3, 1e-13), 0.0)[0] == 1e-13
    assert intervals.without_noise(np.array([1e-13, 0.0, 0.0]), np.full(3, 1e-13), intervals.NOISE)[0] == 0.0
    # a policy that adds 200 to every run, but for the last digit
    added = intervals.without_noise(np.array([200.0, 200.0 + 3e-14, 200.0 - 3e-14]), sizes[:3], 0.0)
    assert np.ptp(added) == 0


def test_verdict_of_what_is_the_same_in_all_pairs():
    assert intervals.verdict_of_same(0.0, 10, "higher") == "same"
    assert intervals.verdict_of_same(0.0, 9, "higher") == "inconclusive"
    assert intervals.verdict_of_same(0.1, 10, "lower") == "worse"
    assert intervals.verdict_of_same(0.1, 10, "lower", 0.2) == "same"


# Of ones and zeros the skewness of the difference of means is worked out as for the sample of one: both sides alike
# cancel it, and one side alone has 1.155 / sqrt(12), above a fifth.
def test_skewness_of_an_unpaired_difference():
    skewed, even = np.array([1.0] * 3 + [0.0] * 9), np.array([0.0, 1e-9] * 6)
    assert intervals.is_skewed_between(even, skewed) and intervals.is_skewed_between(skewed, even)
    assert not intervals.is_skewed_between(skewed, skewed)
    assert not intervals.is_skewed_between(even[:8], skewed)  # few runs are flagged anyway
