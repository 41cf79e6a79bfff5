"""History matching: samples and weights against known volumes, distances by hand, and a small calibration."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from sim.batch.workers import ThisProcess
from sim.errors import BadInput
from sim.experiment.ensemble import ENSEMBLE, read_ensemble
from sim.study.calibration import run as whole
from sim.study.calibration.file import load_calibration
from sim.study.calibration.matching import (
    Region,
    Waves,
    choose_ensemble,
    counted,
    credibility,
    ensemble_text,
    implausibility,
    match,
    sample,
    standard_distances,
)
from sim.study.files import open_folder
from sim.study.validation import hindcast
from sim.study.validation.hindcast import Runner, values_at
from sim.study.validation.observations import Observation

SMALL = """question = "Which growth and which answer of investment fit 2021?"
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
[discrepancy]
"chip_market" = 0.03
"equipment_spending.world" = 0.1
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return load_calibration(path)


# Samples.


def test_the_first_sample_fills_the_cube():
    points, region = sample(3, 64, 1)
    assert points.shape == (64, 3) and region.volume == 1.0
    counts = [np.histogram(points[:, place], bins=8, range=(0, 1))[0] for place in range(3)]
    assert (np.array(counts) == 8).all()  # Sobol points are even in every coordinate


def test_an_ellipsoid_has_the_volume_that_random_points_say():
    around = np.random.default_rng(3).normal([0.5, 0.9], [0.05, 0.1], size=(200, 2)).clip(0, 1)
    points, region = sample(2, 256, 1, around)
    assert ((points >= 0) & (points <= 1)).all() and region.holds(points).all() and region.holds(around).all()
    uniform = np.random.default_rng(4).random((200_000, 2))
    assert region.volume == pytest.approx(region.holds(uniform).mean(), rel=0.03)


def test_weights_of_all_waves_sum_to_the_cube():
    around = np.random.default_rng(3).normal(0.5, 0.08, size=(100, 3))
    first, cube = sample(3, 512, 1)
    second, inner = sample(3, 512, 2, around)
    units = np.concatenate([first, second])
    waves = Waves(units, np.zeros((1024, 2, 1)), np.repeat([0, 1], 512), (cube, inner))
    assert waves.weights.sum() == pytest.approx(1.0, rel=0.03)
    inside = inner.holds(units)
    assert waves.weights[inside].sum() == pytest.approx(inner.volume, rel=0.06)


# Distances.


def one_figure(small, value, error, discrepancy):
    observation = Observation("chip_market", "2021-12-31", value, error, "bn yuan a year", "", "fit", 1.0)
    return replace(small, observations=(observation,), discrepancy=np.array([discrepancy]))


def test_distances_by_hand(small):
    calibration = one_figure(small, 10.0, 3.0, 4.0)
    values = np.array([[[20.0], [20.0]], [[8.0], [12.0]]])  # means 20 and 10, variances 0 and 8: 4 on average
    distance = 10.0 / np.sqrt(9 + 16 + 4)
    np.testing.assert_allclose(standard_distances(calibration, values)[:, 0], [distance, 0.0])
    # One figure: 3 standard deviations by the cut, 1.96 by the joint distance, which is the stricter.
    np.testing.assert_allclose(implausibility(calibration, values), [distance / 1.9599640, 0.0])


def test_what_is_left_out_does_not_count(small):
    values = np.full((1, 2, len(small.observations)), 1e9)
    assert implausibility(small, values)[0] > 1e3
    nothing = counted(small, left_out=["chip_market", "equipment_spending.world"])
    assert len(nothing) == 0 and implausibility(small, values, nothing)[0] == 0.0
    assert {small.observations[place].year for place in counted(small, until=2021)} == {2021}


def test_credibility_is_likelihood_where_not_ruled_out(small):
    calibration = one_figure(small, 10.0, 1.0, 0.0)
    values = np.array([[[10.0], [10.0]], [[11.0], [11.0]], [[12.0], [12.0]]])  # 0, 1 and 2 standard deviations
    np.testing.assert_allclose(credibility(calibration, values), [1.0, np.exp(-0.5), 0.0])


# The ensemble.


def test_the_ensemble_spreads_evenly_and_has_no_set_twice(small):
    calibration = one_figure(small, 0.0, 1.0, 1.0)
    units = np.random.default_rng(1).random((200, 2))
    values = np.where(units[:, :1] < 0.5, 0.0, 100.0)[:, :, None].repeat(2, axis=1)
    waves = Waves(units, values, np.zeros(200, dtype=int), (Region(None, None, 1.0),))
    chosen = choose_ensemble(replace(calibration, ensemble=50), waves)
    assert len(set(chosen.tolist())) == 50 and (units[chosen, 0] < 0.5).all()
    with pytest.raises(BadInput, match="are not implausible and ensemble = 190"):
        choose_ensemble(replace(calibration, ensemble=190), waves)


def test_an_ensemble_reads_back_as_it_was_written(small, tmp_path):
    units = np.random.default_rng(1).random((5, 2))
    waves = Waves(units, np.zeros((5, 2, 1)), np.zeros(5, dtype=int), (Region(None, None, 1.0),))
    path = tmp_path / ENSEMBLE
    path.write_text(ensemble_text(small, waves, np.arange(5)))
    assert path.read_text().splitlines()[0] == "parameter_set,demand.surge,investment.response"
    problems = []
    ensemble = read_ensemble(
        SimpleNamespace(folder=tmp_path, parameters=small.scenario.world.parameters), set(), path, problems
    )
    assert not problems and list(ensemble.sets.values()) == small.values(units) and min(ensemble.sets) == 1


# Runs.


def test_a_set_has_the_same_values_alone_and_among_others(small):
    sets = small.values(sample(2, 5, 1)[0])
    observations = [o for o in small.observations if o.year == 2021]
    together = values_at(small.scenario, sets, [1, 2], observations)
    alone = values_at(small.scenario, sets[3:4], [1, 2], observations)
    assert (together[3] == alone[0]).all() and together.shape == (5, 2, len(observations))


def runner(calibration, folder):
    return Runner(ThisProcess(), folder, calibration.identity)


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
    sets = small.values(sample(2, 16, 1)[0])
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
    assert [path.name for path in kept.iterdir()] == [f"{small.identity}-wave-1.npy"]


@pytest.mark.long
def test_a_small_calibration_gives_the_same_bytes_again(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    for workers, name in ((1, "one"), (2, "two")):
        whole.calibrate(path, workers, tmp_path / name)
    for name in (
        "ensemble.csv",
        "calibration.md",
        "calibration.svg",
        "forecasts.csv",
        "left-out.csv",
        "mechanisms.csv",
    ):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


# Its file.


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('question = "Which growth and which answer of investment fit 2021?"\n', "", "question is missing"),
        ("samples = 32", "samples = 3", "waves.samples = 3: must be a whole number from 16"),
        ("cut = 3.0", "cuts = 3.0", "is not a known key"),
        ('"demand.surge"', '"demand.serge"', "did you mean 'demand.surge'?"),
        ('"demand.surge"', '"subsidy.annual"', "is not an uncertain number"),
        ("[0.5, 3.0]", "[3.0, 0.5]", "low must be below high"),
        ("[0.5, 3.0]", "[0.5, 30.0]", "is out of range"),
        ("[0.5, 3.0]", "2.0", 'must be "range" or [low, high]'),
        ('"chip_market" = 0.03', '"technology_gap" = 0.03', "has no observation of it after 2020"),
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
