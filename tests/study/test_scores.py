"""Scores and rival forecasts, against hand-worked cases and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.study.validation.rivals import autoregression, drift, last_value, linear_trend, typical_change
from sim.study.validation.scores import Forecast, interval_score, pooled, weighted_quantiles


def test_interval_score_by_hand():
    assert interval_score(2.0, 5.0, 4.0) == 3.0  # inside: the width
    assert interval_score(2.0, 5.0, 1.5) == pytest.approx(3.0 + 20 * 0.5)  # 2 / 0.1 times the miss
    assert interval_score(2.0, 5.0, 6.0, level=0.5) == pytest.approx(3.0 + 4 * 1.0)


def test_pooled_scores_by_hand():
    forecasts = [Forecast(0, 1, 2, 3, 4), Forecast(10, 20, 30, 40, 50)]
    found = pooled(forecasts, [3.5, 60.0], [0.5, 10.0])
    assert found.count == 2
    assert found.error == pytest.approx((1.5 / 0.5 + 30 / 10) / 2)
    assert found.score == pytest.approx((4 / 0.5 + (40 + 20 * 10) / 10) / 2)
    assert (found.inside_50, found.inside_90) == (0, 1)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 5)), min_size=3, max_size=30))
def test_a_weight_counts_as_so_many_draws(draws):
    values, weights = [value for value, _ in draws], [weight for _, weight in draws]
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    repeated = np.repeat(values, weights)
    found = weighted_quantiles(values, [float(weight) for weight in weights], levels)
    for level, quantile in zip(levels, found, strict=True):  # at least so many lie at or below, and fewer below
        assert (repeated <= quantile).mean() >= level - 1e-9
        assert (repeated < quantile).mean() <= level + 1e-9


HISTORY = {2017.5: 10.0, 2018.5: 13.0, 2019.5: 12.0, 2020.5: 16.0}


def test_last_value_by_hand():
    found = last_value(HISTORY, 2022.5, 0.1)
    spread = np.sqrt((3**2 + 1**2 + 4**2) / 3) * np.sqrt(2)
    assert found.median == 16.0
    assert found.high == pytest.approx(16 + 1.6448536 * spread)


def test_drift_by_hand():
    found = drift(HISTORY, 2022.5, 0.1)
    assert found.median == pytest.approx(16 + 2 * 2)
    spread = np.sqrt((1**2 + 3**2 + 2**2) / 2 * 2 * (1 + 2 / 3))  # changes less the mean of 2, two years ahead
    assert found.low == pytest.approx(20 - 1.6448536 * spread)
    assert drift({2020.5: 1.0}, 2021.5, 0.1) is None


def test_linear_trend_is_that_of_least_squares():
    found = linear_trend(HISTORY, 2021.5, 0.1)
    fit = stats.linregress(list(HISTORY), list(HISTORY.values()))
    assert found.median == pytest.approx(fit.intercept + fit.slope * 2021.5)
    rest = [value - fit.intercept - fit.slope * time for time, value in HISTORY.items()]
    deviation = np.sqrt(np.square(rest).sum() / 2 * (1 + 1 / 4 + 2.5**2 / 5))
    assert found.high == pytest.approx(found.median + stats.t.ppf(0.95, 2) * deviation)


def test_autoregression_of_an_exact_series():
    values = [8.0]
    for _ in range(5):
        values.append(1.0 + 0.5 * values[-1])
    history = {2015.5 + year: value for year, value in enumerate(values)}
    found = autoregression(history, 2022.5, 0.1)
    assert found.median == pytest.approx(1.0 + 0.5 * (1.0 + 0.5 * values[-1]))
    assert found.high - found.low == pytest.approx(0.0, abs=1e-6)
    assert autoregression({2010.5: 1.0, 2015.5: 2.0, 2020.5: 3.0}, 2021.5, 0.1) is None  # no neighbours


def test_a_short_series_takes_the_usual_change():
    usual = typical_change([{2019.5: 1.0, 2020.5: np.exp(0.2)}, {2019.5: 2.0, 2020.5: 2.0 * np.exp(-0.4)}])
    assert usual == pytest.approx(np.sqrt((0.2**2 + 0.4**2) / 2))
    assert last_value({2020.5: 10.0}, 2021.5, usual).high == pytest.approx(10 + 1.6448536 * 10 * usual)
