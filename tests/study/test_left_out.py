"""What is left out of a fit, on runs made by hand: which figures are known, what they weigh, who is compared."""

from dataclasses import replace

import numpy as np
import pytest

from sim.study.calibration import left_out
from sim.study.calibration.file import load_calibration
from sim.study.calibration.left_out import OriginRuns, run_tests, scored_tests
from sim.study.calibration.matching import CUBE, Waves, sample
from sim.study.validation.observations import Observation
from sim.study.validation.scoring import duels, rolling, scores_of

FILE = """question = "What is left out?"
config = "historic"
ensemble = 8
[waves]
most = 1
samples = 64
seeds = 2
design_seed = 1
cut = 3.0
[parameters]
"investment.response" = "range"
[errors.flows]
series = ["equipment_spending", "equipment_spending.*", "chip_market", "chip_imports (growth)", "chip_imports"]
on = "log"
intercept = 0.1
innovation = 0.1
figure = 0.03
"""


def seen(measure, year, unit="bn yuan a year", use="fit"):
    return Observation(measure, f"{year}-12-31", 100.0, 3.0, unit, "", use, 1.0)


FIGURES = (
    *(seen("equipment_spending", year) for year in range(2020, 2025)),
    *(seen("equipment_spending.world", year) for year in range(2020, 2025)),
    *(seen("chip_imports", year) for year in (2021, 2022)),
    *(seen("chip_imports", year, "2020 = 1") for year in (2021, 2022)),
    seen("chip_market", 2024, use="test"),
)
SETS = 64


@pytest.fixture
def calibration(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    return replace(load_calibration(path), observations=FIGURES)


@pytest.fixture
def runs():
    """The model is off by a tenth in all figures alike at one end of the range, and right at the other."""
    units = sample(1, SETS, 1)[0]
    noise = np.random.default_rng(1).normal(0, 0.02, (SETS, 2, len(FIGURES)))
    values = 100.0 * np.exp(0.1 * units[:, :, None] + noise)
    waves = Waves(units, values, np.zeros(SETS, dtype=int), (CUBE,))
    places = np.arange(16)  # even in the range, as Sobol points are
    origins = [OriginRuns(year, places, values[places], values[:1]) for year in (2021, 2022, 2023)]
    return waves, origins


def test_a_rolling_origin_knows_its_years_and_forecasts_two(calibration, runs):
    tests = run_tests(calibration, *runs)
    at_2022 = {one.series.name: one for one in tests.left_out if one.origin == 2022}
    assert set(at_2022) == {"equipment_spending", "equipment_spending.world", "chip_market"}  # imports end in 2022
    tools = at_2022["equipment_spending"]
    assert tools.series.years[tools.known].tolist() == [2020, 2021, 2022]
    assert tools.series.years[tools.later].tolist() == [2023, 2024]
    assert tools.model.shape == (16 * 2, 5)
    whole = next(one for one in tests.left_out if one.test == "series left out")
    assert not whole.known.any() and whole.later.all()


def test_sets_at_an_origin_weigh_by_the_figures_to_that_year(calibration, runs, monkeypatch):
    waves, origins = runs
    monkeypatch.setattr(left_out, "TEMPERS", (1.0, 0.125))
    monkeypatch.setattr(left_out, "AS_NEAR", 1.0)  # so the first is taken
    one = next(one for one in run_tests(calibration, waves, origins).left_out if one.origin == 2021)
    weights, units = one.weights[::2], waves.units[origins[0].places, 0]
    assert one.weights[0] == one.weights[1]  # two seeds of a set
    assert weights[units < 0.2].mean() > 1.2 * weights[units > 0.8].mean()
    later = waves.values.copy()
    later[:, :, [place for place, o in enumerate(FIGURES) if o.year > 2021]] *= 1.1
    changed = run_tests(calibration, replace(waves, values=later), origins)
    same = next(other for other in changed.left_out if other.origin == 2021)
    np.testing.assert_allclose(same.weights, one.weights)


def test_a_series_is_left_out_with_all_of_its_measure(calibration, runs):
    """The growth of imports rules out the lower half of the range; with imports left out, that half is back."""
    waves, origins = runs
    far = waves.values.copy()
    far[:, :, 10:12] = 100.0 * np.exp(waves.units)[:, :, None]  # the level tells which set it is
    far[:, :, 12:14] = np.where(waves.units < 0.5, 300.0, 100.0)[:, :, None]
    tests = run_tests(calibration, replace(waves, values=far), origins)
    own = {one.series.name: one.model[:, 0] for one in tests.left_out if one.test == "series left out"}
    assert (own["chip_imports"] - np.log(100.0)).min() < 0.2
    assert own["chip_imports (growth)"].max() == pytest.approx(np.log(300.0))


def test_the_highest_power_that_covers_as_well_is_taken(calibration, runs, monkeypatch):
    chosen = run_tests(calibration, *runs).temper
    monkeypatch.setattr(left_out, "AS_NEAR", 1.0)  # of the figures: all powers cover as well then
    assert run_tests(calibration, *runs).temper == 1.0 >= chosen
    monkeypatch.setattr(left_out, "worth", lambda weights: 0.0)  # no power leaves enough
    assert run_tests(calibration, *runs).temper == left_out.TEMPERS[-1]


def test_rivals_are_asked_at_origins_alone(calibration, runs, monkeypatch):
    monkeypatch.setattr(left_out, "world_observations", lambda world: list(FIGURES))
    waves, origins = runs
    tests = run_tests(calibration, waves, origins)
    scores = scores_of(scored_tests(calibration, tests, origins))
    assert {one.forecaster for one in scores if one.test == "series left out"} == {"model"}
    one_year = rolling(scores, 1)
    assert {one.test for one in one_year} == {f"rolling origin {year}" for year in (2021, 2022, 2023)}
    assert len([one for one in one_year if one.forecaster == "model"]) == 3 * 2 + 2 + 1  # tools, imports 2022, market
    assert {duel.rival for duel in duels(one_year)} >= {"last value", "drift", "reactions off", "pool of all"}
    market = [one for one in one_year if one.series == "chip_market"]
    assert {one.forecaster for one in market} == {"model", "reactions off", "pool of all"}  # no past to go by
