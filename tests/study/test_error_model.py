"""The error model: covariances, conditional forecasts and densities against hand-worked cases and scipy."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from sim.errors import BadInput
from sim.results.records import line
from sim.study.validation.error_model import LeftOut, conditional, covariance, estimate, log_density, predicted
from sim.study.validation.groups import ERRORS, GROUP_COLUMNS, Group, group_of, group_rows, world_groups
from sim.study.validation.observations import Observation
from sim.study.validation.series import Series, error_on_scale, from_scale, is_printed_zero, series_of, to_scale

FLOWS = Group("flows", ("equipment_spending", "equipment_spending.*"), "log", 0.3, 0.4, 0.05)
SHARES = Group("shares", ("input_world_share.*.CHN",), "log-odds", 0.5, 0.35, 0.005)


def figure(measure, year, value, error=0.0, unit="bn yuan a year", use="fit"):
    return Observation(measure, f"{year}-12-31", value, error, unit, "", use, 1.0)


def series(group, values, error=0.0, measure="equipment_spending"):
    return Series.of(group, list(enumerate(figure(measure, year, value, error) for year, value in values.items())))


# The scale.


def test_scales_go_there_and_back():
    assert to_scale(np.e, "log") == pytest.approx(1.0)
    # 4.5 % and the floor of half a point are 5 of 101 points: odds of 5 to 96.
    assert to_scale(0.045, "log-odds") == pytest.approx(np.log(5 / 96))
    shares = np.array([0.0, 0.002, 0.3, 1.0])
    np.testing.assert_allclose(from_scale(to_scale(shares, "log-odds"), "log-odds"), shares, atol=1e-12)
    assert np.isfinite(to_scale(0.0, "log")) and np.isfinite(to_scale(0.0, "log-odds"))


def test_a_published_error_on_the_scale_is_its_slope():
    assert error_on_scale(50.0, 2.0, "log") == pytest.approx(0.04)
    step = 1e-6
    slope = (to_scale(0.03 + step, "log-odds") - to_scale(0.03 - step, "log-odds")) / (2 * step)
    assert error_on_scale(0.03, 0.005, "log-odds") == pytest.approx(0.005 * slope, rel=1e-6)


# Covariance and what follows of it.


def test_covariance_by_hand():
    group = replace(FLOWS, intercept=3.0, innovation=2.0)
    held = covariance(group, np.array([2020.0, 2021.0, 2023.0]))
    np.testing.assert_allclose(held, [[9, 9, 9], [9, 13, 13], [9, 13, 21]])


def test_without_published_error_the_last_residual_goes_on():
    """A random walk: the next error is the last one, with one year's innovation."""
    years = np.array([2021.0, 2022.0])
    mean, scale, freedom = conditional(FLOWS, years, np.zeros(2), np.array([[0.5, 0.2]]), 2023.0)
    np.testing.assert_allclose(mean, [0.2])
    np.testing.assert_allclose(scale, [0.4])
    assert np.isinf(freedom)


def test_with_an_intercept_alone_the_mean_residual_is_shrunk():
    """Variance 9 of the intercept and 16 of each figure: the mean of two is shrunk by 9 / (9 + 16 / 2)."""
    group = replace(FLOWS, intercept=3.0, innovation=1e-9)
    mean, scale, _ = conditional(group, np.array([2021.0, 2022.0]), np.full(2, 4.0), np.array([[2.0, 6.0]]), 2024.0)
    np.testing.assert_allclose(mean, [4.0 * 9 / 17])
    np.testing.assert_allclose(scale, [np.sqrt(9 - 9 * 9 / 17)])


def test_a_student_group_is_wider_after_a_surprise():
    """One residual at 2 standard deviations with 3 degrees: the variance grows by (3 + 4) / (3 + 1)."""
    group = replace(FLOWS, innovation=1e-9, intercept=0.3, freedom=3.0)
    _, calm, freedom = conditional(group, np.array([2021.0]), np.array([0.4]), np.array([[0.5]]), 2022.0)
    _, scale, _ = conditional(group, np.array([2021.0]), np.array([0.4]), np.array([[1.0]]), 2022.0)
    own = np.sqrt(0.09 - 0.09 * 0.09 / 0.25)
    assert freedom == 4.0
    np.testing.assert_allclose(calm, [own])  # one standard deviation is no surprise
    np.testing.assert_allclose(scale, [own * np.sqrt(7 / 4)])


@pytest.mark.parametrize("freedom", [3.0, np.inf])
def test_densities_are_those_of_scipy(freedom):
    spread = covariance(FLOWS, np.array([2021.0, 2022.0, 2024.0])) + 0.01 * np.eye(3)
    residuals = np.array([[0.1, -0.4, 0.9], [0.0, 0.0, 0.0]])
    known = (
        stats.multivariate_normal(np.zeros(3), spread)
        if np.isinf(freedom)
        else stats.multivariate_t(np.zeros(3), spread, df=freedom)
    )
    np.testing.assert_allclose(log_density(residuals, spread, freedom), known.logpdf(residuals))


# Forecasts.


def test_an_unseen_series_has_the_spread_of_its_group():
    group = replace(FLOWS, intercept=0.3, innovation=0.4, figure=0.5)
    found = predicted(group, None, np.zeros(0), 2021.0, np.full(40_000, np.log(100.0)), np.ones(40_000))
    spread = np.sqrt(0.09 + 0.16 + 0.25)
    assert found.median == pytest.approx(100.0, rel=0.02)
    assert np.log(found.high / 100) == pytest.approx(1.645 * spread, rel=0.03)


def test_a_known_series_is_corrected_by_its_residual():
    """Seen 20 % above the model in 2021: so much above it in 2022, but for the error of the next figure."""
    known = series(FLOWS, {2021: 120.0}, error=1e-6)
    draws = np.log(np.full((20_000, 1), 100.0))
    found = predicted(FLOWS, known, draws, 2022.0, np.log(np.full(20_000, 200.0)), np.ones(20_000))
    assert found.median == pytest.approx(240.0, rel=0.02)
    assert np.log(found.high / 240) == pytest.approx(1.645 * np.sqrt(0.16 + 0.05**2), rel=0.03)


def test_an_interval_never_uses_the_figure_that_is_forecast():
    draws = np.log(np.random.default_rng(1).uniform(80, 120, size=(500, 2)))
    known = np.array([True, False])

    def forecast(later):
        one = series(FLOWS, {2021: 110.0, 2022: later}, error=0.03 * later)
        one = replace(one, errors=np.array([0.03, one.errors[1]]))
        return LeftOut("a test", 2021, one, known, draws, np.ones(500), ~known).forecast(1, FLOWS)

    assert (forecast(50.0).quantiles == forecast(500.0).quantiles).all()


def test_a_share_stays_a_share():
    found = predicted(SHARES, None, np.zeros(0), 2024.0, to_scale(np.full(4000, 0.001), "log-odds"), np.ones(4000))
    assert found.quantiles.min() == 0.0 and found.low == 0.0 and 0 < found.high < 0.05


def test_a_printed_zero_is_met_by_half_a_percent_and_less():
    measure = "input_world_share.lithography.CHN"
    one = Series.of(SHARES, [(0, figure(measure, 2024, 0.0025, 0.0025, "percent"))])
    assert is_printed_zero(figure(measure, 2024, 0.0, 0.001), SHARES)
    assert not is_printed_zero(figure(measure, 2024, 0.002, 0.0015), SHARES)
    scaled = to_scale(np.array([[0.0], [0.004], [0.03]]), "log-odds")
    expected = to_scale(0.005, "log-odds") - to_scale(0.03, "log-odds")
    np.testing.assert_allclose(one.residuals(scaled)[:, 0], [0.0, 0.0, expected])


def test_series_are_yearly_figures_of_the_first_group_that_names_them():
    figures = [
        figure("equipment_spending.KOR", 2022, 2.0),
        figure("chip_market", 2021, 1.0),
        figure("equipment_spending.KOR", 2019, 1.0),
        figure("equipment_spending.KOR", 2021, 1.5),
        replace(figure("equipment_spending.KOR", 2021, 1.5), unit="bn USD a quarter"),
    ]
    [one] = series_of(figures, [FLOWS, SHARES])
    assert one.name == "equipment_spending.KOR" and one.places.tolist() == [3, 0] and one.years.tolist() == [2021, 2022]
    first = replace(FLOWS, name="first")
    assert group_of("equipment_spending.KOR", [first, FLOWS]) is first and group_of("chip_market", [FLOWS]) is None


# Scales.


def left_out_series(count, intercept, innovation, seed=1):
    """Series of a model that is right but for intercept and walk: figures of 2021 to 2024 around 1."""
    random = np.random.default_rng(seed)
    tests = []
    for number in range(count):
        walk = np.cumsum(random.normal(0, innovation, 4))
        values = np.exp(random.normal(0, intercept) + walk)
        one = series(FLOWS, dict(zip(range(2021, 2025), values, strict=True)), error=0.001)
        one = replace(one, name=f"series {number}")
        nothing = np.zeros(4, dtype=bool)
        tests.append(LeftOut("series left out", 0, one, nothing, np.zeros((1, 4)), np.ones(1), ~nothing))
    return tests


def test_scales_are_found_again():
    found = estimate(replace(FLOWS, intercept=0.2, innovation=0.2), left_out_series(80, 0.5, 0.1)).group()
    assert found.intercept == pytest.approx(0.5, rel=0.25) and found.innovation == pytest.approx(0.1, rel=0.25)


def test_without_residuals_the_prior_is_left():
    scales = estimate(FLOWS, [])
    assert scales.weights().sum() == pytest.approx(1.0)
    assert 0.5 * FLOWS.intercept < scales.group().intercept < 1.5 * FLOWS.intercept


def test_a_series_does_not_tell_its_own_width():
    tests = left_out_series(6, 0.1, 0.1)
    wild = replace(tests[0], series=replace(tests[0].series, seen=np.array([3.0, -3.0, 3.0, -3.0])))
    calm, upset = estimate(FLOWS, tests), estimate(FLOWS, [wild, *tests[1:]])
    assert upset.group().innovation > 1.5 * calm.group().innovation
    assert upset.group(without="series 0") == calm.group(without="series 0")


def test_a_figure_that_two_tests_leave_out_counts_once():
    once = left_out_series(4, 0.3, 0.2)
    np.testing.assert_allclose(estimate(FLOWS, [*once, *once]).weights(), estimate(FLOWS, once).weights())


# The table of a world.


def test_a_world_keeps_its_groups(tmp_path):
    scales = [estimate(FLOWS, left_out_series(3, 0.2, 0.2)), estimate(replace(SHARES, freedom=3.0), [])]
    text = "".join([line(GROUP_COLUMNS), *map(line, group_rows(scales))])
    (tmp_path / ERRORS).write_text(text)
    assert world_groups(SimpleNamespace(folder=tmp_path)) == [one.group() for one in scales]
    (tmp_path / ERRORS).write_text(text.replace("0.05", "much", 1))
    with pytest.raises(BadInput, match="must be as study calibrate writes it"):
        world_groups(SimpleNamespace(folder=tmp_path))
    assert world_groups(SimpleNamespace(folder=tmp_path / "none")) == []
