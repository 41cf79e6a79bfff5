"""History matching: which parameter values are not ruled out by what was observed, and how likely the others are.

Craig, Goldstein, Seheult and Smith 1997; Vernon, Goldstein and Bower 2010. Runs are cheap, so the model itself is
matched and no emulator. The first wave is a space-filling sample of the whole space. A set is ruled out when some
series of figures lies too far from the model's mean over seeds, or all of them together do; distances are those of the
error model (`sim.study.validation.error_model`) with luck. Later waves sample where the likelihood is, until the part
of the space that is not ruled out is settled and the sets are worth an ensemble (population Monte Carlo: Cappé,
Guillin, Marin and Robert 2004). What is left is weighted by likelihood, to a power below 1 if the series left out of
the fit ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import chi2, f, qmc

from sim.arrays import Array, Indices
from sim.batch.progress import say
from sim.calendar import LAST_YEAR
from sim.errors import BadInput
from sim.results import records
from sim.study.calibration.file import Calibration
from sim.study.validation.error_model import covariance, log_density, squared_distance
from sim.study.validation.groups import Group
from sim.study.validation.hindcast import Runner
from sim.study.validation.series import Series, series_of, to_scale
from sim.world.evidence import Value

SETTLED = 0.1  # a wave that changes the volume that is left by less than this part may end the matching
TOGETHER = 0.95  # of true sets lie within the joint distance
NARROWED = 0.9  # of the cube's spread: coordinates in which the likely sets are narrower are drawn around them
WIDER = 1.25  # by which the variance of the next wave is larger than that of the likely sets
FEWEST = 4  # sets for each parameter that the next wave is drawn around, at least
DIGITS = 6  # of a parameter value


def values_at_points(calibration: Calibration, units: Array) -> list[dict[str, Value]]:
    """Parameter sets from points of the unit cube, (sets, keys), rounded to six digits."""
    low, high = np.array(calibration.low), np.array(calibration.high)
    points = low + units * (high - low)
    keys = calibration.keys
    return [{key: float(f"{value:.{DIGITS}g}") for key, value in zip(keys, row, strict=True)} for row in points]


# What the waves are drawn from.


@dataclass(frozen=True)
class Region:
    """A density over the unit cube: normal in the `narrowed` coordinates, cut at the cube, and even in the others.

    The first region is the cube: nothing is narrowed.
    """

    narrowed: Indices
    centre: Array  # (narrowed,)
    root: Array  # (narrowed, narrowed), lower triangular root of the covariance
    inside: float  # part of the normal distribution that lies in the cube

    def density(self, points: Array) -> Array:
        """At points (n, keys), (n,)."""
        scaled = np.linalg.solve(self.root, (points[:, self.narrowed] - self.centre).T)
        logs = -0.5 * np.square(scaled).sum(axis=0) - np.log(np.diag(self.root)).sum()
        held: Array = np.exp(logs - 0.5 * len(self.narrowed) * np.log(2 * np.pi)) / self.inside
        return held


CUBE = Region(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, 0)), 1.0)


def sample(
    dimensions: int, count: int, seed: int, around: Array | None = None, weights: Array | None = None
) -> tuple[Array, Region]:
    """A space-filling sample (count, dimensions) of the cube, or one drawn around weighted points, and its region.

    Scrambled Sobol points. Only the coordinates in which the points are narrower than the cube are drawn around them.
    """
    if around is None or weights is None:
        return qmc.Sobol(dimensions, rng=seed).random(1 << (count - 1).bit_length())[:count], CUBE
    middle = np.average(around, axis=0, weights=weights)
    spread = np.sqrt(np.average(np.square(around - middle), axis=0, weights=weights))
    narrowed = np.flatnonzero(spread < NARROWED * np.sqrt(1 / 12))
    if not len(narrowed):
        return sample(dimensions, count, seed)
    covariance = np.cov(around[:, narrowed].T, aweights=weights).reshape(len(narrowed), len(narrowed))
    root = np.linalg.cholesky(WIDER * covariance + 1e-8 * np.eye(len(narrowed)))
    engine = qmc.Sobol(dimensions, rng=seed)
    kept: list[Array] = []
    drawn = 0
    while sum(map(len, kept)) < count:
        points = engine.random(1 << (2 * count - 1).bit_length())
        normal = ndtri(np.clip(points[:, narrowed], 1e-12, 1 - 1e-12))
        points[:, narrowed] = middle[narrowed] + normal @ root.T
        kept.append(points[((points >= 0) & (points <= 1)).all(axis=1)])
        drawn += len(points)
    return np.concatenate(kept)[:count], Region(narrowed, middle[narrowed], root, sum(map(len, kept)) / drawn)


# Waves.


@dataclass(frozen=True)
class Waves:
    """All sets that were run: unit coordinates (n, keys), values (n, seeds, figures), which wave, the regions."""

    units: Array
    values: Array
    wave: Indices
    regions: tuple[Region, ...]

    @property
    def weights(self) -> Array:
        """Weights that make the sets of all waves together an even sample of the whole cube.

        A set counts as one over the sum of (sets of each wave times its density there): the balance heuristic of
        Veach and Guibas 1995. Weights of sets sum to the part of the prior volume that they represent.
        """
        density = np.zeros(len(self.units))
        for number, region in enumerate(self.regions):
            density += (self.wave == number).sum() * region.density(self.units)
        weights: Array = 1.0 / density
        return weights


# The distance of sets from figures.


@dataclass(frozen=True)
class Fit:
    """How far each set is from each series of figures."""

    series: tuple[str, ...]
    squares: Array  # (sets, series) squared distances as they would be of normal figures
    logs: Array  # (sets, series) log densities
    figures: Indices  # (series,) how many each has

    def without(self, *names: str) -> Fit:
        """Without some series, as if they had never been seen."""
        kept = np.array([name not in names for name in self.series], dtype=bool)
        held = tuple(name for name in self.series if name not in names)
        return Fit(held, self.squares[:, kept], self.logs[:, kept], self.figures[kept])


def _matched(calibration: Calibration) -> list[Series]:
    """The series that are matched, with the figures whose use is fit."""
    series = series_of(calibration.observations, calibration.groups)
    found = [one.some(np.array([o.use == "fit" for o in one.figures])) for one in series]
    return [one for one in found if one.figures]


def fit_of(calibration: Calibration, values: Array, groups: Sequence[Group], until: int = LAST_YEAR) -> Fit:
    """The distance of sets from the matched figures to a year, by these scales; values (sets, seeds, figures).

    The figures of a series are not independent: their covariance is that of intercept and random walk, of the published
    errors, and of luck. That of luck is the mean over sets of the covariance over seeds: that of one run, since the
    world ran once.
    """
    names, squares, logs, counts = [], [], [], []
    for one in _matched(calibration):
        one = one.some(one.years <= until)
        if not one.figures:
            continue
        group = next(group for group in groups if group.name == one.group.name)
        residuals = one.residuals(to_scale(values[:, :, one.places], group.on))
        deviation = residuals - residuals.mean(axis=1, keepdims=True)
        luck = np.einsum("sri,srj->ij", deviation, deviation) / (len(values) * (values.shape[1] - 1))
        spread = covariance(group, one.years) + np.diag(np.square(one.errors)) + luck
        mean = residuals.mean(axis=1)
        names.append(one.name)
        squares.append(squared_distance(mean, spread) * _as_normal(len(one.figures), group.freedom, calibration))
        logs.append(log_density(mean, spread, group.freedom))
        counts.append(len(one.figures))
    return Fit(tuple(names), np.stack(squares, axis=1), np.stack(logs, axis=1), np.array(counts, dtype=np.int64))


def _as_normal(figures: int, freedom: float, calibration: Calibration) -> float:
    """A squared Student distance times this is ruled out by the cut as often, for true sets, as a normal one."""
    if np.isinf(freedom):
        return 1.0
    part = chi2.cdf(calibration.waves.cut**2, 1)
    return float(chi2.ppf(part, figures) / (figures * f.ppf(part, figures, freedom)))


def implausibility(calibration: Calibration, fit: Fit) -> Array:
    """How far each set is from the figures; above 1 it is ruled out, (sets,).

    The larger of two: the farthest series by what a true set stays within as often as one figure within `cut` standard
    deviations, and all series together by what it stays within in 95 of 100 cases (chi-square).
    """
    if not fit.series:
        return np.zeros(len(fit.squares))
    part = chi2.cdf(calibration.waves.cut**2, 1)
    farthest = np.sqrt(fit.squares / chi2.ppf(part, fit.figures)).max(axis=1)
    together = np.sqrt(fit.squares.sum(axis=1) / chi2.ppf(TOGETHER, fit.figures.sum()))
    worst: Array = np.maximum(farthest, together)
    return worst


def likelihood(fit: Fit, temper: float) -> Array:
    """The likelihood of each set to a power, at most 1, (sets,)."""
    logs = fit.logs.sum(axis=1)
    tempered: Array = np.exp(temper * (logs - logs.max()))
    return tempered


def credibility(calibration: Calibration, fit: Fit, temper: float) -> Array:
    """The weight of each set by the figures: 0 where it is ruled out, else its tempered likelihood, (sets,)."""
    return np.where(implausibility(calibration, fit) <= 1.0, likelihood(fit, temper), 0.0)


# Waves of runs.


def match(calibration: Calibration, runner: Runner) -> Waves:
    """Run waves until the volume that is left is settled and an ensemble can be drawn from it."""
    plan = calibration.waves
    seeds = range(1, plan.seeds + 1)
    waves: Waves | None = None
    left_before = 1.0
    for number in range(plan.most):
        around = None if waves is None else waves.units
        weights = None if waves is None else _likely(calibration, waves)
        units, region = sample(len(calibration.keys), plan.samples, plan.design_seed + number, around, weights)
        sets = values_at_points(calibration, units)
        stage = f"wave {number + 1}"
        values = runner.values_at(stage, calibration.scenario, sets, seeds, calibration.observations)
        waves = _joined(waves, units, values, region)
        fit = fit_of(calibration, waves.values, calibration.groups)
        plausible = implausibility(calibration, fit) <= 1.0
        left = float(waves.weights[plausible].sum())
        newest = int(plausible[waves.wave == number].sum())
        sets_worth = worth(waves.weights * credibility(calibration, fit, 1.0))
        say(
            f"{stage}: {newest} of {len(sets)} sets not implausible; {left:.2g} of the prior volume is left; "
            f"weighted by likelihood all are worth {sets_worth:.0f} sets"
        )
        if number and abs(left - left_before) <= SETTLED * left_before and sets_worth >= calibration.ensemble:
            break
        left_before = left
    assert waves is not None
    return waves


def _likely(calibration: Calibration, waves: Waves) -> Array:
    """The weights that the next wave is drawn around: the likelihood, so far tempered that enough sets count."""
    fit = fit_of(calibration, waves.values, calibration.groups)
    temper = 1.0
    while worth(weights := waves.weights * likelihood(fit, temper)) < FEWEST * len(calibration.keys):
        temper /= 2
    return weights


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


def choose_ensemble(calibration: Calibration, weights: Array) -> Indices:
    """The places of the sets to keep, drawn without replacement by their weight. BadInput if there are too few.

    A weight is the part of the prior that a set represents times its tempered likelihood. Drawn as by Efraimidis and
    Spirakis 2006, "Weighted random sampling with a reservoir".
    """
    plausible = np.flatnonzero(weights > 0)
    if len(plausible) < calibration.ensemble:
        raise BadInput(
            f"{calibration.name}: only {len(plausible)} sets are not implausible and ensemble = "
            f"{calibration.ensemble}; raise waves.samples, waves.most or the scales of errors, or widen a range"
        )
    draws = np.random.default_rng(calibration.waves.design_seed).random(len(plausible))
    order = np.argsort(np.log(draws) / weights[plausible], kind="stable")
    return plausible[np.sort(order[-calibration.ensemble :])]


def spread_evenly(weights: Array, count: int) -> Indices:
    """Places of sets, each as often as its weight says: systematic sampling."""
    passed = np.cumsum(weights)
    places: Indices = np.searchsorted(passed, (np.arange(count) + 0.5) / count * passed[-1])
    return places


def worth(weights: Array) -> float:
    """How many equally weighted sets the weighted ones are worth (Kish)."""
    return float(weights.sum() ** 2 / np.square(weights).sum()) if weights.any() else 0.0


def ensemble_text(calibration: Calibration, waves: Waves, chosen: Indices) -> str:
    """The table of parameter sets that `experiment.ensemble` reads: parameter_set from 1, then one column per key."""
    rows = values_at_points(calibration, waves.units[chosen])
    lines = [records.line(["parameter_set", *calibration.keys])]
    lines += [records.line([number, *row.values()]) for number, row in enumerate(rows, start=1)]
    return "".join(lines)
