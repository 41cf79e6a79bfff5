"""One model of the model's error, for matching it to figures and for forecasting them.

On a scale where errors are alike (logs of flows, log-odds of shares),

    figure = model(parameters, seed) + the series' intercept + a random walk + published error

(Kennedy and O'Hagan 2001, "Bayesian calibration of computer models"; as a forecaster's intercept correction, Clements
and Hendry 1998, ch. 8). Series are pooled in groups, which share the standard deviations of intercept and walk. The
walk starts in the base year. Figures of one series are therefore not independent, and a later figure is forecast given
the residuals of the earlier ones: in a group with a large intercept that comes near the model's change from the last
figure, in one with a small intercept the last residuals are shrunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.arrays import Array, Flags
from sim.calendar import FIRST_YEAR
from sim.study.validation.groups import Group
from sim.study.validation.scores import Forecast, weighted_quantiles
from sim.study.validation.series import Series, from_scale, is_printed_zero

MOST_DRAWS = 512  # of the model for the estimate of a scale
FEWEST_DRAWS = 4000  # of a forecast: few runs are repeated with other errors

# The distribution of a series' residuals.


def covariance(group: Group, years: Array) -> Array:
    """Of intercept and random walk at some dates in years, (dates, dates)."""
    since = years - FIRST_YEAR
    walk = np.minimum(since[:, None], since[None, :])
    held: Array = np.square(group.intercept) + np.square(group.innovation) * walk
    return held


def squared_distance(residuals: Array, spread: Array) -> Array:
    """The squared Mahalanobis distance of residuals (..., figures) with a covariance (figures, figures)."""
    if not spread.size:
        return np.zeros(residuals.shape[:-1])
    root = np.linalg.cholesky(spread)
    scaled = np.linalg.solve(root, residuals.reshape(-1, residuals.shape[-1]).T)
    squares: Array = np.square(scaled).sum(axis=0).reshape(residuals.shape[:-1])
    return squares


def log_density(residuals: Array, spread: Array, freedom: float) -> Array:
    """Of the normal or Student distribution around 0 at residuals (..., figures), (...)."""
    count = residuals.shape[-1]
    squares = squared_distance(residuals, spread)
    log_root = 0.5 * np.linalg.slogdet(spread)[1] if count else 0.0
    if np.isinf(freedom):
        normal: Array = -0.5 * squares - log_root - 0.5 * count * np.log(2 * np.pi)
        return normal
    from scipy.special import gammaln

    constant = gammaln(0.5 * (freedom + count)) - gammaln(0.5 * freedom) - 0.5 * count * np.log(freedom * np.pi)
    student: Array = constant - log_root - 0.5 * (freedom + count) * np.log1p(squares / freedom)
    return student


def conditional(group: Group, years: Array, errors: Array, residuals: Array, year: float) -> tuple[Array, Array, float]:
    """Of a later residual without published error, given earlier ones (..., figures): mean, scale (...), and freedom.

    For a normal group the scale is the standard deviation and the freedom infinite.
    """
    known = covariance(group, years) + np.diag(np.square(errors))
    both = covariance(group, np.append(years, year))
    across, own = both[:-1, -1], both[-1, -1]
    gain = np.linalg.solve(known, across) if len(years) else across
    mean: Array = residuals @ gain
    variance = own - across @ gain
    freedom = group.freedom + len(years)
    surprise = np.ones(residuals.shape[:-1])
    if not np.isinf(group.freedom):
        surprise = (group.freedom + squared_distance(residuals, known)) / freedom
    return mean, np.sqrt(np.maximum(variance * surprise, 0.0)), freedom


def predicted(group: Group, known: Series | None, before: Array, year: float, model: Array, weights: Array) -> Forecast:
    """The forecast of a published figure, in the model's units, from the model's draws on the scale.

    known: the series' figures that are known, or None; before: the model's values of them, (draws, figures).
    model: its values of the figure that is forecast, (draws,), with their weights. The figure itself is not used.
    """
    nothing = np.zeros(0)
    residuals = known.residuals(before) if known else np.zeros((len(model), 0))
    years, errors = (known.years, known.errors) if known else (nothing, nothing)
    mean, scale, freedom = conditional(group, years, errors, residuals, year)
    copies = -(-FEWEST_DRAWS // len(model))
    random = np.random.default_rng(1)
    noise = random.standard_normal((copies, len(model)))
    if not np.isinf(freedom):
        noise *= np.sqrt(freedom / random.chisquare(freedom, noise.shape))
    figure = random.standard_normal(noise.shape) * group.figure
    scaled = model + mean + scale * noise
    if group.on == "log-odds":
        draws = np.clip(from_scale(scaled, group.on) + figure, 0.0, 1.0)  # nobody publishes a share beyond them
    else:
        draws = from_scale(scaled + figure, group.on)
    return Forecast.of(draws.ravel(), np.broadcast_to(weights, noise.shape).ravel())


# The scales, from what was left out of the fit.


@dataclass(frozen=True)
class LeftOut:
    """A series as a model that did not know its later figures has it: draws (draws, figures) on the scale, weights."""

    test: str
    origin: int
    series: Series
    known: Flags  # (figures,) the figures that were known
    model: Array
    weights: Array  # (draws,)
    later: Flags  # (figures,) those that are to be forecast

    def forecast(self, place: int, group: Group) -> Forecast:
        """Of one figure, in the model's units, by these scales."""
        known = self.series.some(self.known)
        year = float(self.series.years[place])
        return predicted(group, known, self.model[:, self.known], year, self.model[:, place], self.weights)

    def log_density(self, group: Group) -> float:
        """Of the later figures given the known ones, over some of the model's draws; printed zeros tell no scale."""
        from scipy.special import logsumexp

        some = slice(None, None, max(1, len(self.model) // MOST_DRAWS))
        zero = np.array([is_printed_zero(o, self.series.group) for o in self.series.figures])
        told = self.known | (self.later & ~zero)
        series = self.series.some(told)
        residuals = series.residuals(self.model[some][:, told])
        weights = self.weights[some]
        known = self.known[told]
        spread = covariance(group, series.years) + np.diag(np.square(series.errors))
        each = log_density(residuals, spread, group.freedom)
        each = each - log_density(residuals[:, known], spread[np.ix_(known, known)], group.freedom)
        with np.errstate(divide="ignore"):
            return float(logsumexp(each + np.log(weights)) - np.log(weights.sum()))


STEPS = np.geomspace(0.1, 6.0, 13)  # of the scales that are tried, by the stated ones
PRIOR_FREEDOM = 3.0


@dataclass(frozen=True)
class Scales:
    """What left-out residuals say of one group: log densities of its series at pairs of scales, and their prior."""

    stated: Group
    intercepts: Array  # (pairs,)
    innovations: Array
    prior: Array  # (pairs,) log
    by_series: Mapping[str, Array]

    def weights(self, without: str = "") -> Array:
        """Of the pairs, with a series left out: its own residuals must not say how wide its intervals are."""
        from scipy.special import logsumexp

        logs = self.prior + sum((logs for name, logs in self.by_series.items() if name != without), np.zeros(1))
        held: Array = np.exp(logs - logsumexp(logs))
        return held

    def group(self, without: str = "") -> Group:
        """The group with the geometric mean of what is left of its scales: the steps are even in logs."""
        weights = self.weights(without)
        return replace(
            self.stated,
            intercept=float(np.exp(weights @ np.log(self.intercepts))),
            innovation=float(np.exp(weights @ np.log(self.innovations))),
        )

    def quantiles(self, of: Array) -> list[float]:
        """5 and 95 % of what is left of the intercepts or the innovations."""
        return [float(value) for value in weighted_quantiles(of, self.weights(), (0.05, 0.95))]


def estimate(group: Group, tests: Sequence[LeftOut]) -> Scales:
    """The scales of a group from left-out residuals, each with a half-t prior of the stated scale.

    A figure that several tests leave out counts once all together.
    """
    intercepts, innovations = (
        pairs.ravel() for pairs in np.meshgrid(group.intercept * STEPS, group.innovation * STEPS, indexing="ij")
    )
    from scipy import stats

    prior = np.zeros(len(intercepts))
    for scales, stated in ((intercepts, group.intercept), (innovations, group.innovation)):
        prior += stats.t.logpdf(scales / stated, PRIOR_FREEDOM) + np.log(scales)  # the steps are even in logs
    by_series: dict[str, Array] = {}
    for name in dict.fromkeys(test.series.name for test in tests if test.series.group.name == group.name):
        own = [test for test in tests if test.series.name == name]
        distinct = np.any([test.later for test in own], axis=0).sum()
        part = float(distinct) / sum(int(test.later.sum()) for test in own)
        pairs = [
            replace(group, intercept=float(intercept), innovation=float(innovation))
            for intercept, innovation in zip(intercepts, innovations, strict=True)
        ]
        by_series[name] = part * np.array([sum(test.log_density(pair) for test in own) for pair in pairs])
    return Scales(group, intercepts, innovations, prior, by_series)
