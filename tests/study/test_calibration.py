"""History matching: samples and weights against known volumes, distances by hand, and a small calibration."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from sim.batch.workers import ThisProcess
from sim.errors import BadInput
from sim.experiment.ensemble import ENSEMBLE, read_ensemble
from sim.scenario.loading import load_config
from sim.study.calibration import run as whole
from sim.study.calibration.file import load_calibration
from sim.study.calibration.left_out import known_until
from sim.study.calibration.matching import (
    CUBE,
    Waves,
    choose_ensemble,
    credibility,
    ensemble_text,
    fit_of,
    implausibility,
    likelihood,
    match,
    sample,
    spread_evenly,
    values_at_points,
    worth,
)
from sim.study.calibration.report import distance_from_even, what_was_learnt
from sim.study.calibration.run import calibration_identity
from sim.study.files import open_folder
from sim.study.validation import hindcast
from sim.study.validation.groups import Group
from sim.study.validation.hindcast import Runner, values_at
from sim.study.validation.observations import Observation
from sim.study.validation.scoring import read_scores

SMALL = """question = "Which growth and which answer of investment fit?"
config = "historic"
ensemble = 8
[waves]
most = 2
samples = 32
seeds = 2
design_seed = 1
cut = 3.0
[set]
"demand.shock_sd" = 0.0
[parameters]
"demand.surge" = "range"
"investment.response" = [0.5, 3.0]
[drawn]
"research.price_weight" = "range"
[errors.chips]
series = ["chip_market"]
on = "log"
intercept = 0.1
innovation = 0.1
figure = 0.05
[errors.tools]
series = ["equipment_spending.world"]
on = "log"
intercept = 0.2
innovation = 0.2
figure = 0.03
freedom = 5.0
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return load_calibration(path)


# Samples.


def test_the_first_sample_fills_the_cube():
    points, region = sample(3, 64, 1)
    assert points.shape == (64, 3) and region is CUBE
    np.testing.assert_array_equal(region.density(points), 1.0)
    counts = [np.histogram(points[:, place], bins=8, range=(0, 1))[0] for place in range(3)]
    assert (np.array(counts) == 8).all()  # Sobol points are even in every coordinate


def likely(centre, spread):
    """Points of the cube and their weights by a normal density."""
    points = np.random.default_rng(3).random((20_000, len(centre)))
    weights = np.exp(-0.5 * np.square((points - centre) / spread).sum(axis=1))
    return points, weights


def test_a_wave_is_drawn_around_what_is_likely():
    around, weights = likely([0.5, 0.95], [0.05, 0.1])
    points, region = sample(2, 512, 1, around, weights)
    assert region.narrowed.tolist() == [0, 1] and ((points >= 0) & (points <= 1)).all()
    assert points[:, 0].std() == pytest.approx(0.05 * np.sqrt(1.25), rel=0.1)
    uniform = np.random.default_rng(4).random((200_000, 2))
    assert region.density(uniform).mean() == pytest.approx(1.0, rel=0.02)  # a density over the cube
    near = np.abs(points - [0.5, 0.9]).max(axis=1) < 0.05
    box = np.abs(uniform - [0.5, 0.9]).max(axis=1) < 0.05
    assert near.mean() == pytest.approx(region.density(uniform)[box].sum() / len(uniform), abs=0.03)


def test_only_what_is_narrower_is_drawn_around():
    around, weights = likely([0.5, 0.4, 0.5], [9.0, 0.05, 9.0])
    points, region = sample(3, 512, 1, around, weights)
    assert region.narrowed.tolist() == [1]
    assert np.ptp(points[:, 0]) > 0.98 and np.ptp(points[:, 1]) < 0.5
    assert sample(3, 64, 1, around, np.ones(len(around)))[1] is CUBE


def test_weights_of_all_waves_make_an_even_sample_of_the_cube():
    around, weights = likely([0.5, 0.5, 0.5], [0.1, 0.1, 0.1])
    first, cube = sample(3, 1024, 1)
    second, inner = sample(3, 1024, 2, around, weights)
    units = np.concatenate([first, second])
    waves = Waves(units, np.zeros((2048, 2, 1)), np.repeat([0, 1], 1024), (cube, inner))
    assert waves.weights.sum() == pytest.approx(1.0, rel=0.03)
    box = (np.abs(units - 0.5) < 0.15).all(axis=1)
    assert waves.weights[box].sum() == pytest.approx(0.3**3, rel=0.06)
    assert waves.weights.max() <= 1 / 1024  # the first wave is everywhere


# Distances.

CHIPS = Group("chips", ("chip_market",), "log", 0.3, 0.4, 0.05)


def one_series(small, group, *figures):
    """A calibration of one series, from (year, value, error)."""
    held = tuple(
        Observation("chip_market", f"{year}-12-31", value, error, "bn yuan a year", "", "fit", 1.0)
        for year, value, error in figures
    )
    return replace(small, observations=held, groups=(group,))


def logs(*values):
    """Values (sets, seeds, figures) whose logs are these."""
    return np.exp(np.array(values, dtype=np.float64))


def test_distances_by_hand(small):
    """Of two figures of one series: variance 0.09 in common, 0.16 of the first year's walk, and what each has."""
    calibration = one_series(small, CHIPS, (2021, 1.0, 0.1), (2022, 1.0, 0.2))
    values = logs(
        [[0.3, 0.5], [0.3, 0.5]], [[0.0, 0.2], [0.0, -0.2]]
    )  # luck: 0 and 0.08 of the second, 0.04 on average
    fit = fit_of(calibration, values, calibration.groups)
    spread = np.array([[0.25 + 0.01, 0.25], [0.25, 0.41 + 0.04 + 0.04]])
    far = np.array([0.3, 0.5])
    squares = far @ np.linalg.inv(spread) @ far
    np.testing.assert_allclose(fit.squares[:, 0], [squares, 0.0], atol=1e-12)
    np.testing.assert_allclose(fit.logs[0], stats.multivariate_normal(np.zeros(2), spread).logpdf(far))
    assert fit.series == ("chip_market",) and fit.figures.tolist() == [2]
    # Two figures: what 99.73 of 100 true sets keep to for the series, 95 of 100 for all together, which is stricter.
    np.testing.assert_allclose(implausibility(calibration, fit), [np.sqrt(squares / 5.9914645), 0.0], atol=1e-7)


def test_a_students_distance_is_ruled_out_as_often_as_a_normal_one(small):
    group = replace(CHIPS, freedom=3.0)
    calibration = one_series(small, group, (2021, 1.0, 0.1))
    limit = np.sqrt(0.26) * stats.t.ppf(1 - 0.0026998 / 2, 3)  # three standard deviations, had it been normal
    fit = fit_of(calibration, logs([[limit], [limit]], [[0.0], [0.0]]), calibration.groups)
    np.testing.assert_allclose(np.sqrt(fit.squares[0]), 3.0, rtol=1e-4)


def test_what_is_left_out_does_not_count(small):
    values = np.full((2, 2, len(small.observations)), 1e9)
    fit = fit_of(small, values, small.groups)
    assert fit.series == ("chip_market", "equipment_spending.world") and implausibility(small, fit)[0] > 10
    nothing = fit.without("chip_market", "equipment_spending.world")
    assert nothing.series == () and implausibility(small, nothing)[0] == 0.0
    years = [2020, 2021]
    counted = sum(o.year in years and o.use == "fit" for o in small.observations)
    assert fit_of(small, values, small.groups, until=2021).figures.sum() == counted
    assert {o.year for o in small.observations} >= {2020, 2021}  # the base year is a figure too


def test_credibility_is_tempered_likelihood_where_not_ruled_out(small):
    group = replace(CHIPS, intercept=1e-6, innovation=1.0)
    calibration = one_series(small, group, (2021, 1.0, 1e-6))
    fit = fit_of(calibration, logs([[0.0]] * 2, [[1.0]] * 2, [[2.0]] * 2), calibration.groups)  # 0, 1 and 2 deviations
    np.testing.assert_allclose(credibility(calibration, fit, 1.0), [1.0, np.exp(-0.5), 0.0])
    np.testing.assert_allclose(credibility(calibration, fit, 0.5), [1.0, np.exp(-0.25), 0.0])
    np.testing.assert_allclose(likelihood(fit, 1.0), [1.0, np.exp(-0.5), np.exp(-2.0)])


# Rolling origins.


def test_what_a_config_gives_is_cut_at_the_origin():
    given = load_config("historic", {"demand.market_bn_usd.2021": 186.5, "demand.market_bn_usd.2023": 135.0})
    cut = known_until(given, 2022)
    assert {key: value for key, value in cut.given.items() if key.startswith("demand.market")} == {
        "demand.market_bn_usd.2021": 186.5
    }
    assert max(key[-4:] for key in cut.given if key.startswith("demand.world_sales")) == "2022"
    assert cut.values["demand.drawn_from"] == 2023  # luck from then on
    assert cut.events == given.events  # the dates of controls are known throughout


# The ensemble.


def test_the_ensemble_spreads_evenly_and_has_no_set_twice(small):
    weights = np.where(np.arange(200) % 2, 1.0, 0.0)
    chosen = choose_ensemble(replace(small, ensemble=50), weights)
    assert len(set(chosen.tolist())) == 50 and (chosen % 2 == 1).all()
    with pytest.raises(BadInput, match="are not implausible and ensemble = 190"):
        choose_ensemble(replace(small, ensemble=190), weights)


def test_sets_are_drawn_as_often_as_they_weigh():
    assert np.bincount(spread_evenly(np.array([1.0, 0.0, 3.0]), 8)).tolist() == [2, 0, 6]
    assert worth(np.array([1.0, 1.0, 0.0])) == 2.0 and worth(np.zeros(3)) == 0.0


def test_an_ensemble_reads_back_as_it_was_written(small, tmp_path):
    units = np.random.default_rng(1).random((5, 3))
    waves = Waves(units, np.zeros((5, 2, 1)), np.zeros(5, dtype=int), (CUBE,))
    path = tmp_path / ENSEMBLE
    path.write_text(ensemble_text(small, waves, np.arange(5)))
    assert path.read_text().splitlines()[0] == "parameter_set,demand.surge,investment.response,research.price_weight"
    problems = []
    ensemble = read_ensemble(
        SimpleNamespace(folder=tmp_path, parameters=small.scenario.world.parameters), set(), path, problems
    )
    assert not problems and list(ensemble.sets.values()) == values_at_points(small, units) and min(ensemble.sets) == 1


# What was learnt.


def test_a_drawn_parameter_is_compared_with_its_prior(small):
    """Even points in two coordinates; the first one's upper half has no weight."""
    units = sample(3, 512, 1)[0]
    waves = Waves(units, np.zeros((512, 2, 1)), np.zeros(512, dtype=int), (CUBE,))
    surge, response, weight = what_was_learnt(small, waves, np.where(units[:, 0] < 0.5, 1.0, 0.0))
    assert (surge.drawn, response.drawn, weight.drawn) == (False, False, True)
    assert surge.from_prior == pytest.approx(0.5, abs=0.01) and weight.from_prior < 0.03
    assert surge.spread == pytest.approx(0.5, abs=0.01) and not surge.at_bound


def test_a_median_near_a_bound_is_named(small):
    units = sample(3, 512, 1)[0]
    waves = Waves(units, np.zeros((512, 2, 1)), np.zeros(512, dtype=int), (CUBE,))
    learnt = what_was_learnt(small, waves, np.where((units[:, 1] > 0.9) & (units[:, 2] > 0.5), 1.0, 0.0))
    assert [one.at_bound for one in learnt] == [False, True, False]
    drawn = what_was_learnt(small, waves, np.where(units[:, 2] > 0.9, 1.0, 0.0))
    assert not drawn[2].at_bound  # nobody says that it was learnt


def test_distance_from_an_even_spread_is_that_of_kolmogorov_and_smirnov():
    points = np.random.default_rng(1).random(40) ** 2
    assert distance_from_even(points, np.ones(40)) == pytest.approx(stats.kstest(points, "uniform").statistic)
    doubled = distance_from_even(np.append(points, points[:3]), np.ones(43))
    assert distance_from_even(points, np.where(np.arange(40) < 3, 2.0, 1.0)) == pytest.approx(doubled)


# Runs.


def test_a_set_has_the_same_values_alone_and_among_others(small):
    sets = values_at_points(small, sample(3, 5, 1)[0])
    observations = [o for o in small.observations if o.year == 2021]
    together = values_at(small.scenario, sets, [1, 2], observations)
    alone = values_at(small.scenario, sets[3:4], [1, 2], observations)
    assert (together[3] == alone[0]).all() and together.shape == (5, 2, len(observations))


def runner(calibration, folder):
    return Runner(ThisProcess(), folder, calibration_identity(calibration))


def test_waves_are_not_run_again(small, tmp_path, monkeypatch):
    first = match(small, runner(small, tmp_path))
    monkeypatch.setattr(hindcast, "run_job", lambda *_: pytest.fail("was run again"))
    second = match(small, runner(small, tmp_path))
    assert (first.units == second.units).all() and (first.values == second.values).all()
    changed = replace(small, content={**small.content, "question": "another"})
    with pytest.raises(pytest.fail.Exception):
        match(changed, runner(changed, tmp_path))


def test_a_killed_wave_loses_what_was_under_way_alone(small, tmp_path, monkeypatch):
    """16 sets of 2 seeds in jobs of 4 sets: the third job is cut off, so 8 sets are kept and 8 are run."""
    monkeypatch.setattr(hindcast, "RUNS_AT_ONCE", 8)
    sets = values_at_points(small, sample(3, 16, 1)[0])
    observations = [o for o in small.observations if o.year == 2021]
    asked = ("wave 1", small.scenario, sets, [1, 2], observations)
    undisturbed = hindcast.values_at(*asked[1:])
    kept = tmp_path / "stages"
    kept.mkdir()
    firsts = []
    simulate = hindcast.run_job

    def interrupted(job):
        firsts.append(job.first)
        if len(firsts) == 3:
            raise KeyboardInterrupt
        return simulate(job)

    monkeypatch.setattr(hindcast, "run_job", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner(small, kept).values_at(*asked)
    values = runner(small, kept).values_at(*asked)
    assert firsts == [0, 4, 8, 8, 12]
    assert (values == undisturbed).all()
    assert [path.name for path in kept.iterdir()] == [f"{calibration_identity(small)}-wave-1.npy"]


@pytest.mark.long
def test_a_small_calibration_gives_the_same_bytes_again(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    for workers, name in ((1, "one"), (2, "two")):
        whole.calibrate(path, workers, tmp_path / name)
    held = {path.name for path in (tmp_path / "one").iterdir() if path.is_file()} - {"study.txt"}
    assert held >= {"ensemble.csv", "errors.csv", "left-out.csv", "forecasts.csv", "calibration.md", "calibration.svg"}
    for name in held:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    scores = read_scores(tmp_path / "one" / "left-out.csv")
    assert {one.test for one in scores} >= {"series left out"}


# Its file.


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('question = "Which growth and which answer of investment fit?"\n', "", "question is missing"),
        ("samples = 32", "samples = 3", "waves.samples = 3: must be a whole number from 16"),
        ("cut = 3.0", "cuts = 3.0", "is not a known key"),
        ('"demand.surge"', '"demand.serge"', "did you mean 'demand.surge'?"),
        ('"demand.surge"', '"subsidy.annual"', "is not an uncertain number"),
        ("[0.5, 3.0]", "[3.0, 0.5]", "low must be below high"),
        ("[0.5, 3.0]", "[0.5, 30.0]", "is out of range"),
        ("[0.5, 3.0]", "2.0", 'must be "range" or [low, high]'),
        ("[drawn]", '[drawn]\n"demand.surge" = "range"', "drawn.demand.surge: is in [parameters] as well"),
        ('"research.price_weight"', '"research.prize_weight"', "did you mean 'research.price_weight'?"),
        ("intercept = 0.1\n", "intercept = 0.0\n", "errors.chips.intercept = 0.0: must be a number above 0"),
        ("intercept = 0.2\n", "", "errors.tools.intercept is missing"),
        ("freedom = 5.0", "freedom = 1.0", "errors.tools.freedom = 1.0: must be a number above 2"),
        ('["chip_market"]', '["chip_markt"]', "did you mean 'chip_market'?"),
        ('["equipment_spending.world"]', '["equipment.*"]', "'equipment.*': names no measure"),
    ],
)
def test_faults_of_the_file_are_named(tmp_path, old, new, says):
    path = tmp_path / "mine.toml"
    assert SMALL.count(old) == 1
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(BadInput) as fault:
        load_calibration(path)
    assert "mine.toml" in str(fault.value) and says in str(fault.value)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"holds 'mine.txt'"):
        open_folder(tmp_path, "decoupling study calibrate")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
