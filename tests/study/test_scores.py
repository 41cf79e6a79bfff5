"""Scores and rival forecasts, against hand-worked cases and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.study.files import csv_text
from sim.study.validation.groups import Group
from sim.study.validation.observations import Observation
from sim.study.validation.pages import rolling_origins
from sim.study.validation.rivals import Rivals, autoregression, drift, last_value, linear_trend
from sim.study.validation.scores import (
    LEVELS,
    Forecast,
    coverage_interval,
    crps,
    interval_score,
    pool,
    weighted_quantiles,
)
from sim.study.validation.scoring import (
    LEFT_OUT,
    SCORE_COLUMNS,
    Scored,
    Summary,
    cells_of,
    duels,
    read_scores,
    rolling,
    scores_of,
)

FLOWS = Group("flows", ("equipment_spending", "equipment_spending.*"), "log", 0.1, 0.1, 0.03)


def normal(mean=0.0, spread=1.0):
    return Forecast(mean + spread * stats.norm.ppf(LEVELS))


# Scores.


def test_interval_score_by_hand():
    assert interval_score(2.0, 5.0, 4.0) == 3.0  # inside: the width
    assert interval_score(2.0, 5.0, 1.5) == pytest.approx(3.0 + 20 * 0.5)  # 2 / 0.1 times the miss
    assert interval_score(2.0, 5.0, 6.0, level=0.5) == pytest.approx(3.0 + 4 * 1.0)


@pytest.mark.parametrize("seen", [0.0, 0.7, -2.0, 5.0])
def test_crps_of_a_normal_forecast(seen):
    """Gneiting and Raftery 2007, section 4.2."""
    known = seen * (2 * stats.norm.cdf(seen) - 1) + 2 * stats.norm.pdf(seen) - 1 / np.sqrt(np.pi)
    assert crps(normal(), seen) == pytest.approx(known, rel=0.02)
    assert crps(normal(3.0, 2.0), 3.0 + 2 * seen) == pytest.approx(2 * known, rel=0.02)


def test_quantiles_by_level():
    found = normal()
    assert (found.low, found.median, found.high) == pytest.approx((-1.645, 0.0, 1.645), abs=1e-3)
    assert found.shown == pytest.approx([-1.645, -0.674, 0, 0.674, 1.645], abs=1e-3)
    assert found.holds(0.67, 0.5) and not found.holds(0.68, 0.5) and found.holds(-1.28, 0.8)


def test_a_pool_is_the_equal_mixture():
    found = pool([normal(-10.0), normal(10.0)])
    assert found.at(0.25) == pytest.approx(-10.0, abs=0.05) and found.at(0.75) == pytest.approx(10.0, abs=0.05)
    assert pool([normal()]).quantiles == pytest.approx(normal().quantiles)


def test_coverage_has_its_own_interval():
    low, high = coverage_interval(9, 10)
    assert (low, high) == pytest.approx(tuple(stats.beta(9.5, 1.5).ppf([0.025, 0.975])))
    assert coverage_interval(0, 5)[0] == 0.0 and coverage_interval(5, 5)[1] == 1.0


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 5)), min_size=3, max_size=30))
def test_a_weight_counts_as_so_many_draws(draws):
    values, weights = [value for value, _ in draws], [weight for _, weight in draws]
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    repeated = np.repeat(values, weights)
    found = weighted_quantiles(values, [float(weight) for weight in weights], levels)
    for level, quantile in zip(levels, found, strict=True):  # at least so many lie at or below, and fewer below
        assert (repeated <= quantile).mean() >= level - 1e-9
        assert (repeated < quantile).mean() <= level + 1e-9


# Of single figures and of many.


def figure(series, year, value, unit="bn yuan a year"):
    return Observation(series, f"{year}-12-31", value, 1.0, unit, "", "fit", 1.0)


def scored(value, year=2022, origin=2021, rivals=None, group=FLOWS, series="equipment_spending"):
    forecast = Forecast(100.0 * np.exp(0.1 * stats.norm.ppf(LEVELS)))
    return Scored(f"rolling origin {origin}", origin, group, figure(series, year, value), forecast, rivals or {})


def test_a_score_is_taken_on_the_scale():
    [one] = scores_of([scored(100.0 * np.exp(0.2))])
    assert one.error == pytest.approx(-0.2) and one.q50 == pytest.approx(100.0)
    assert one.interval_score == pytest.approx(2 * 0.16449 + 20 * (0.2 - 0.16449), rel=1e-3)
    assert (one.inside_50, one.inside_80, one.inside_90) == (0, 0, 0)
    assert (one.test, one.ahead, one.group) == ("rolling origin 2021", 1, "flows")


def test_a_printed_zero_is_scored_as_up_to_half_a_percent():
    shares = Group("shares", (), "log-odds", 0.5, 0.3, 0.005)
    errors = []
    for share in (0.003, 0.035):
        forecast = Forecast(np.full(199, share))
        [one] = scores_of([Scored("a test", 0, shares, figure("s", 2024, 0.0, "percent"), forecast, {})])
        errors.append(one.error)
    # With the floor of half a point: odds of 4 to 97 against those of 1 to 100.
    assert errors == [0.0, pytest.approx(np.log(4 / 97) - np.log(1 / 100))]


def test_duels_are_on_the_figures_that_both_forecast():
    low = Forecast(50.0 * np.exp(0.1 * stats.norm.ppf(LEVELS)))
    rows = scores_of([scored(100.0, rivals={"drift": low}), scored(60.0, series="equipment_spending.KOR")])
    [drifting, pooled] = duels(rows)
    assert (drifting.rival, pooled.rival) == ("drift", "pool of all")
    assert drifting.model.figures == 1 and drifting.losses == []
    assert drifting.other.error == pytest.approx(np.log(2)) and drifting.model.inside == (1, 1, 1)
    worse = scores_of([scored(50.0, rivals={"drift": low})])
    assert [text.split()[0] for text in duels(worse)[0].losses] == ["mean", "CRPS", "interval"]


def test_scores_read_back_as_they_were_written(tmp_path):
    rows = scores_of([scored(100.0), scored(90.0, year=2023)])
    (tmp_path / LEFT_OUT).write_text(csv_text(SCORE_COLUMNS, cells_of(rows)))
    found = read_scores(tmp_path / LEFT_OUT)
    assert [one.crps for one in found] == pytest.approx([one.crps for one in rows], rel=1e-4)
    assert found[0].series == "equipment_spending" and found[0].inside_90 == 1
    assert len(rolling(found, 1)) == len(rolling(found, 2)) == 1
    assert Summary.of(found).coverage[2].startswith("2 of 2: 100% (")
    assert read_scores(tmp_path / "none.csv") == []


def test_a_page_names_the_better_rival_first():
    near = Forecast(60.0 * np.exp(0.1 * stats.norm.ppf(LEVELS)))
    page = rolling_origins(scores_of([scored(60.0, rivals={"last value": near})]))
    assert page[2].startswith("- One year ahead, all groups: the model is worse than last value in mean error 0.511")
    far = Forecast(200.0 * np.exp(0.1 * stats.norm.ppf(LEVELS)))
    better = rolling_origins(scores_of([scored(100.0, rivals={"last value": far})]))
    assert better[2].startswith("- No rival is better")
    assert rolling_origins([]) == []


# Rivals.

HISTORY = {2017.0: 10.0, 2018.0: 13.0, 2019.0: 12.0, 2020.0: 16.0}


def test_where_rivals_see_a_figure():
    assert last_value(HISTORY, 2022.0) == 16.0
    assert drift(HISTORY, 2022.0) == pytest.approx(16 + 2 * 2)
    assert drift({2020.0: 1.0}, 2021.0) is None
    fit = stats.linregress(list(HISTORY), list(HISTORY.values()))
    assert linear_trend(HISTORY, 2021.0) == pytest.approx(fit.intercept + fit.slope * 2021)
    assert linear_trend({2019.0: 1.0, 2020.0: 2.0}, 2021.0) is None


def test_autoregression_of_an_exact_series():
    values = [8.0]
    for _ in range(5):
        values.append(1.0 + 0.5 * values[-1])
    history = {2015.0 + year: value for year, value in enumerate(values)}
    assert autoregression(history, 2022.0) == pytest.approx(1.0 + 0.5 * (1.0 + 0.5 * values[-1]))
    assert autoregression({2010.0: 1.0, 2015.0: 2.0, 2020.0: 3.0}, 2021.0) is None  # no neighbours


def panel(last=100.0):
    """Two series that stand still and one that ends at `last` in 2024."""
    figures = [figure(f"equipment_spending.{who}", year, 100.0) for who in ("A", "B") for year in range(2018, 2025)]
    moving = [figure("equipment_spending", year, 100.0) for year in range(2018, 2024)]
    return [*figures, *moving, figure("equipment_spending", 2024, last)]


def test_a_rivals_width_comes_from_what_it_missed_elsewhere():
    calm, wild = Rivals(panel(), [FLOWS]), Rivals(panel(300.0), [FLOWS])

    def width(rivals, series):
        said = rivals.forecasts(figure(series, 2024, np.nan), FLOWS, 2023)["last value"]
        assert said.median == pytest.approx(100.0, rel=0.02)
        return np.log(said.high / said.low)

    assert width(wild, "equipment_spending") == pytest.approx(width(calm, "equipment_spending"))  # not from its own
    assert width(wild, "equipment_spending.A") > 2 * width(calm, "equipment_spending.A")


def test_rivals_know_nothing_after_the_origin():
    moved = Rivals(panel(300.0), [FLOWS])
    at_2023 = moved.forecasts(figure("equipment_spending", 2024, np.nan), FLOWS, 2023)
    assert set(at_2023) == {"last value", "drift", "linear trend", "AR(1)"}
    assert all(one.median == pytest.approx(100.0, rel=0.03) for one in at_2023.values())
    assert Rivals(panel(), [FLOWS]).forecasts(figure("equipment_spending", 2019, np.nan), FLOWS, 2017) == {}
