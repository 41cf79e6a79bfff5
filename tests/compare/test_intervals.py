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
