"""History matching: which parameter values are not ruled out by what was observed.

Craig, Goldstein, Seheult and Smith 1997; Vernon, Goldstein and Bower 2010. Runs are cheap, so the model itself is
matched and no emulator. A wave is a space-filling sample of a region of the parameter space. A set is ruled out when
some observed figure lies more than `cut` standard deviations from the model's mean over seeds, or all of them together
too far; the variance is that of the observation, of the model's stated discrepancy, and of luck. The next wave samples
an ellipsoid around what is left, until the volume that is left stops shrinking. What is left is weighted by likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtri
from scipy.stats import chi2, qmc

from sim.arrays import Array, Flags, Indices
from sim.batch.progress import say
from sim.calendar import LAST_YEAR
from sim.errors import BadInput
from sim.results import records
from sim.study.calibration.file import Calibration
from sim.study.validation.hindcast import Runner

SHRUNK = 0.9  # a wave that leaves more than this part of the volume before it ends the matching
TOGETHER = 0.95  # of true sets lie within the joint distance
MARGIN = 1.15  # by which the ellipsoid around what is left is larger than it, in each direction
FEWEST_TO_ENCLOSE = 60  # sets that the next region is drawn around; the nearest ones if fewer are left


# Regions of the unit cube that waves sample evenly.


@dataclass(frozen=True)
class Region:
    """The part of the unit cube inside an ellipsoid: centre + axes · u with |u| <= 1. The first one is the cube."""

    centre: Array | None
    axes: Array | None  # (keys, keys), lower triangular
    volume: float  # part of the cube

    def holds(self, points: Array) -> Flags:
        """Which points (n, keys) lie in it."""
        if self.centre is None or self.axes is None:
            return np.ones(len(points), dtype=bool)
        inside = np.linalg.solve(self.axes, (points - self.centre).T)
        return np.square(inside).sum(axis=0) <= 1.0 + 1e-9


def sample(dimensions: int, count: int, seed: int, around: Array | None = None) -> tuple[Array, Region]:
    """A space-filling sample (count, dimensions) of the cube, or of an ellipsoid around points, and its region.

    Scrambled Sobol points; in an ellipsoid one coordinate more gives the distance from the centre. What falls outside
    the cube is left out, and its share gives the volume of what is inside.
    """
    if around is None:
        points = qmc.Sobol(dimensions, rng=seed).random(1 << (count - 1).bit_length())[:count]
        return points, Region(None, None, 1.0)
    centre = around.mean(axis=0)
    spread = np.cov(around.T).reshape(dimensions, dimensions) + 1e-8 * np.eye(dimensions)
    axes = np.linalg.cholesky(spread)
    farthest = np.sqrt(np.square(np.linalg.solve(axes, (around - centre).T)).sum(axis=0).max())
    axes = axes * farthest * MARGIN
    log_volume = 0.5 * dimensions * np.log(np.pi) - gammaln(0.5 * dimensions + 1) + np.log(np.diag(axes)).sum()
    engine = qmc.Sobol(dimensions + 1, rng=seed)
    kept: list[Array] = []
    drawn = 0
    while sum(map(len, kept)) < count:
        draws = engine.random(1 << (2 * count - 1).bit_length())
        direction = ndtri(np.clip(draws[:, 1:], 1e-12, 1 - 1e-12))
        direction = direction / np.sqrt(np.square(direction).sum(axis=1, keepdims=True))
        points = centre + (np.power(draws[:, :1], 1 / dimensions) * direction) @ axes.T
        kept.append(points[((points >= 0) & (points <= 1)).all(axis=1)])
        drawn += len(draws)
    inside = sum(map(len, kept)) / drawn
    return np.concatenate(kept)[:count], Region(centre, axes, float(np.exp(log_volume)) * inside)


# Waves.


@dataclass(frozen=True)
class Waves:
    """All sets that were run: unit coordinates (n, keys), values (n, seeds, observations), which wave, the regions."""

    units: Array
    values: Array
    wave: Indices
    regions: tuple[Region, ...]

    @property
    def weights(self) -> Array:
        """Weights that make the sets of all waves together an even sample of the whole cube.

        A set found in regions k counts as one over the sum of (sets of k / volume of k): the balance heuristic of
        Veach and Guibas 1995. Weights of sets sum to the part of the prior volume that they represent.
        """
        density = np.zeros(len(self.units))
        for number, region in enumerate(self.regions):
            density += np.where(region.holds(self.units), (self.wave == number).sum() / region.volume, 0.0)
        weights: Array = 1.0 / density
        return weights


def counted(calibration: Calibration, left_out: Sequence[str] = (), until: int = LAST_YEAR) -> Indices:
    """The places of the matched figures, without the series `left_out` and what is later than `until`."""
    return np.array(
        [
            place
            for place, (o, matched) in enumerate(zip(calibration.observations, calibration.matched, strict=True))
            if matched and o.series not in left_out and o.year <= until
        ],
        dtype=np.int64,
    )


def implausibility(calibration: Calibration, values: Array, figures: Indices | None = None) -> Array:
    """How far each set is from the matched figures, or from some of them; above 1 it is ruled out, (sets,).

    The larger of two: the farthest figure by `cut` standard deviations, and the distance from all figures together by
    what a true set stays within in 95 of 100 cases (chi-square).
    """
    figures = counted(calibration) if figures is None else figures
    if not len(figures):
        return np.zeros(len(values))
    distances = standard_distances(calibration, values)[:, figures]
    farthest = np.abs(distances).max(axis=1) / calibration.waves.cut
    together = np.sqrt(np.square(distances).sum(axis=1) / chi2.ppf(TOGETHER, distances.shape[1]))
    worst: Array = np.maximum(farthest, together)
    return worst


def credibility(calibration: Calibration, values: Array, figures: Indices | None = None) -> Array:
    """The weight of each set by the figures: 0 where it is ruled out, else its likelihood, at most 1, (sets,)."""
    figures = counted(calibration) if figures is None else figures
    distance = np.square(standard_distances(calibration, values)[:, figures]).sum(axis=1)
    likelihood = np.exp(-0.5 * (distance - distance.min()))
    return np.where(implausibility(calibration, values, figures) <= 1.0, likelihood, 0.0)


def standard_distances(calibration: Calibration, values: Array) -> Array:
    """(model - observed) / standard deviation of each figure, (sets, observations); NaN for what is not matched.

    The variance of luck is the mean over sets of the variance over seeds: that of one run, since the world ran once.
    """
    observed = np.array([o.value for o in calibration.observations])
    error = np.array([o.error for o in calibration.observations])
    luck = values.var(axis=1, ddof=1).mean(axis=0)
    deviation = np.sqrt(np.square(error) + np.square(calibration.discrepancy) + luck)
    distances: Array = (values.mean(axis=1) - observed) / deviation
    return distances


def match(calibration: Calibration, runner: Runner) -> Waves:
    """Run waves until the volume that is left stops shrinking."""
    plan = calibration.waves
    seeds = range(1, plan.seeds + 1)
    waves: Waves | None = None
    left_before = 1.0
    for number in range(plan.most):
        around = None if waves is None else _to_enclose(calibration, waves)
        units, region = sample(len(calibration.keys), plan.samples, plan.design_seed + number, around)
        sets = calibration.values(units)
        stage = f"wave {number + 1}"
        values = runner.values_at(stage, calibration.scenario, sets, seeds, calibration.observations)
        waves = _joined(waves, units, values, region)
        plausible = implausibility(calibration, waves.values) <= 1.0
        left = float(waves.weights[plausible].sum())
        newest = int(plausible[waves.wave == number].sum())
        say(f"{stage}: {newest} of {len(sets)} sets not implausible; {left:.2g} of the prior volume is left")
        settled = left > SHRUNK * left_before and region.volume < 1.0
        if settled and plausible.sum() >= calibration.ensemble:
            break
        left_before = left if left > 0 else left_before
    assert waves is not None
    return waves


def _to_enclose(calibration: Calibration, waves: Waves) -> Array:
    """The sets that the next region is drawn around: what is not implausible, or the nearest to it."""
    distance = implausibility(calibration, waves.values)
    fewest = max(FEWEST_TO_ENCLOSE, 4 * len(calibration.keys))
    limit = max(1.0, float(np.sort(distance)[min(fewest, len(distance)) - 1]))
    return waves.units[distance <= limit]


def _joined(waves: Waves | None, units: Array, values: Array, region: Region) -> Waves:
    if waves is None:
        return Waves(units, values, np.zeros(len(units), dtype=np.int64), (region,))
    number = np.full(len(units), len(waves.regions), dtype=np.int64)
    return Waves(
        np.concatenate([waves.units, units]),
        np.concatenate([waves.values, values]),
        np.concatenate([waves.wave, number]),
        (*waves.regions, region),
    )


# The ensemble.


def choose_ensemble(calibration: Calibration, waves: Waves) -> Indices:
    """The places of the sets to keep, drawn without replacement by their weight. BadInput if there are too few.

    A weight is the part of the prior that a set represents times its likelihood. Drawn as by Efraimidis and Spirakis
    2006, "Weighted random sampling with a reservoir".
    """
    weights = waves.weights * credibility(calibration, waves.values)
    plausible = np.flatnonzero(weights > 0)
    if len(plausible) < calibration.ensemble:
        raise BadInput(
            f"{calibration.name}: only {len(plausible)} sets are not implausible and ensemble = "
            f"{calibration.ensemble}; raise waves.samples, waves.most or a discrepancy, or widen a range"
        )
    draws = np.random.default_rng(calibration.waves.design_seed).random(len(plausible))
    order = np.argsort(np.log(draws) / weights[plausible], kind="stable")
    return plausible[np.sort(order[-calibration.ensemble :])]


def ensemble_text(calibration: Calibration, waves: Waves, chosen: Indices) -> str:
    """The table of parameter sets that `experiment.ensemble` reads: parameter_set from 1, then one column per key."""
    rows = calibration.values(waves.units[chosen])
    lines = [records.line(["parameter_set", *calibration.keys])]
    lines += [records.line([number, *row.values()]) for number, row in enumerate(rows, start=1)]
    return "".join(lines)
