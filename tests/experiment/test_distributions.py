"""Distributions of factors, against values worked out by hand and against scipy.stats."""

import math

import numpy as np
import pytest
from scipy import stats
from support.batches import files, small

from sim.batch.run import run_batch
from sim.experiment.designs import Factor
from sim.experiment.distributions import part_inside, quantile
from sim.experiment.experiment import Experiment
from sim.experiment.file import load_experiment
from sim.results.manifest import read_manifest

UNITS = np.array([0.0, 1e-9, 0.01, 0.2, 0.5, 0.77, 0.999, 1 - 1e-9, 1.0])
CASES = [
    ("triangular", {"mode": 1.0}, 0.0, 4.0, stats.triang(0.25, 0, 4)),
    ("triangular", {"mode": 0.0}, 0.0, 4.0, stats.triang(0.0, 0, 4)),
    ("triangular", {"mode": 4.0}, -1.0, 4.0, stats.triang(1.0, -1, 5)),
    ("normal", {"mean": 3.0, "sd": 2.0}, 0.0, 4.0, stats.truncnorm(-1.5, 0.5, 3, 2)),
    ("normal", {"mean": 0.0, "sd": 1.0}, 10.0, 12.0, stats.truncnorm(10, 12)),
    ("normal", {"mean": 0.0, "sd": 1.0}, -12.0, -10.0, stats.truncnorm(-12, -10)),
    ("normal", {"mean": 5.0, "sd": 0.1}, 0.0, 2000.0, stats.norm(5, 0.1)),
]


@pytest.mark.parametrize(("kind", "shape", "low", "high", "known"), CASES, ids=lambda value: str(value)[:30])
def test_quantiles_are_those_of_scipy(kind, shape, low, high, known):
    factor = Factor(low=low, high=high, distribution=kind, shape=tuple(shape.items()))
    expected = np.clip(known.ppf(UNITS), low, high)
    assert [factor.value(unit) for unit in UNITS] == pytest.approx(expected.tolist(), rel=1e-7, abs=1e-7)


def test_by_hand():
    """The median of a triangle from 0 over 1 to 4 leaves half of its area above: (4 - x)^2 / 12 = 1/2."""
    assert quantile("triangular", {"mode": 1.0}, 0.0, 4.0, 0.5) == pytest.approx(4 - math.sqrt(6))
    # Half of a normal distribution is cut off: half of the rest lies below the upper quartile of the whole.
    assert quantile("normal", {"mean": 0.0, "sd": 1.0}, 0.0, 50.0, 0.5) == pytest.approx(0.674490)
    # A standard deviation of the logarithm above the median, 2; of the upper half alone, 2 x 0.841 - 1 lies below it.
    one = 0.8413447460685429
    assert quantile("lognormal", {"median": 2.0, "sigma": 0.5}, 0.0, 1e9, one) == pytest.approx(2 * math.exp(0.5))
    assert quantile("lognormal", {"median": 2.0, "sigma": 0.5}, 2.0, 1e9, 2 * one - 1) == pytest.approx(
        2 * math.exp(0.5)
    )
    assert part_inside("normal", {"mean": 1.0, "sd": 2.0}, -1.0, 3.0) == pytest.approx(0.682689)
    assert part_inside("lognormal", {"median": 1.0, "sigma": 1.0}, -5.0, 1.0) == pytest.approx(0.5)
    assert part_inside("lognormal", {"median": 1.0, "sigma": 1.0}, -5.0, 0.0) == 0


def test_a_large_sample_has_the_moments(tmp_path):
    """In a Latin hypercube each part of a thousandth holds a point, so that means are near: 0.3 % and better."""
    path = tmp_path / "asked.toml"
    path.write_text(
        'question = "?"\nconfigs = ["published-2020"]\nreplications = 1\n'
        '[design]\nkind = "latin-hypercube"\nsamples = 1000\n[factors]\n'
        '"subsidy.annual" = { distribution = "triangular", low = 0, mode = 50, high = 400 }\n'
        '"controls.severity" = { distribution = "normal", mean = 0.5, sd = 0.1 }\n'
        '"investment.annual" = { distribution = "lognormal", median = 140, sigma = 0.2 }\n'
        '"demand.growth" = { distribution = "uniform", low = 0.02, high = 0.05 }\n'
    )
    experiment = load_experiment(path)
    drawn = {key: np.array([point[key] for point in experiment.points]) for key in experiment.swept}
    assert drawn["subsidy.annual"].mean() == pytest.approx((0 + 50 + 400) / 3, rel=3e-3)
    assert drawn["controls.severity"].std() == pytest.approx(0.1, rel=1e-2)
    assert drawn["investment.annual"].mean() == pytest.approx(140 * math.exp(0.02), rel=3e-3)
    assert np.log(drawn["investment.annual"]).std() == pytest.approx(0.2, rel=1e-2)
    assert drawn["demand.growth"].mean() == pytest.approx(0.035, rel=3e-3)
    assert experiment.as_dict()["factors"]["demand.growth"] == {"low": 0.02, "high": 0.05}
    assert experiment.as_dict()["factors"]["controls.severity"] == {
        "distribution": "normal",
        "mean": 0.5,
        "sd": 0.1,
        "low": 0.0,
        "high": 1.0,
    }


def test_a_batch_grows_and_is_run_again_from_its_manifest(tmp_path):
    path = tmp_path / "asked.toml"
    for samples in (4, 8):
        path.write_text(
            'question = "?"\nconfigs = ["published-2020"]\nreplications = 1\n'
            '[record]\nmeasures = ["domestic_supply_share", "chip_market", "price_index"]\n'
            f'[design]\nkind = "sobol"\nsamples = {samples}\n[factors]\n'
            '"subsidy.annual" = { distribution = "triangular", low = 0, mode = 50, high = 400 }\n'
            '"controls.severity" = { distribution = "normal", mean = 0.2, sd = 0.3, high = 0.9 }\n'
        )
        assert run_batch(path, workers=1, out=tmp_path / "out", build=small) == 0
    assert run_batch(path, workers=1, out=tmp_path / "anew", build=small) == 0
    kept = Experiment.from_manifest(read_manifest(tmp_path / "out"), "out")
    assert run_batch(kept, workers=1, out=tmp_path / "kept", build=small) == 0
    assert files(tmp_path / "out") == files(tmp_path / "anew") == files(tmp_path / "kept")
