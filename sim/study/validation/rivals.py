"""Simple forecasts that a model must beat, made from a series' own past up to the same origin.

Each gives a normal or Student distribution as five quantiles. A series with fewer than three values before the
origin has too few changes to measure its spread by: it takes the typical yearly change of all series, in logs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import stats

from sim.study.validation.scores import LEVELS, Forecast

History = Mapping[float, float]  # value by time in years
Rival = Callable[[History, float, float], Forecast | None]


def last_value(history: History, at: float, typical: float) -> Forecast | None:
    """The last value for ever; its spread grows with the square root of the time ahead."""
    times, values = _arrays(history)
    ahead = at - times[-1]
    return _normal(values[-1], _yearly_spread(times, values, typical, 0.0) * np.sqrt(ahead))


def drift(history: History, at: float, typical: float) -> Forecast | None:
    """The last value, moving on by the mean yearly change so far."""
    times, values = _arrays(history)
    if len(values) < 2:
        return None
    ahead, long = at - times[-1], times[-1] - times[0]
    slope = (values[-1] - values[0]) / long
    spread = _yearly_spread(times, values, typical, slope)
    return _normal(values[-1] + slope * ahead, spread * np.sqrt(ahead * (1.0 + ahead / long)))


def linear_trend(history: History, at: float, typical: float) -> Forecast | None:
    """A straight line by least squares, with its prediction interval (Student)."""
    times, values = _arrays(history)
    if len(values) < 3:
        return None
    fit = stats.linregress(times, values)
    freedom = len(values) - 2
    residual = values - (fit.intercept + fit.slope * times)
    variance = float(np.square(residual).sum()) / freedom
    far = (at - times.mean()) ** 2 / float(np.square(times - times.mean()).sum())
    return _student(fit.intercept + fit.slope * at, np.sqrt(variance * (1.0 + 1.0 / len(values) + far)), freedom)


def autoregression(history: History, at: float, typical: float) -> Forecast | None:
    """AR(1) with a mean, by least squares on neighbouring years; the coefficient is held in 0 to 1."""
    times, values = _arrays(history)
    neighbours = np.flatnonzero(np.diff(times) == 1.0)
    if len(neighbours) < 3:
        return None
    before, after = values[neighbours], values[neighbours + 1]
    variation = float(np.square(before - before.mean()).sum())
    slope = float(((before - before.mean()) * (after - after.mean())).sum()) / variation if variation > 0 else 0.0
    slope = min(max(slope, 0.0), 1.0)
    constant = after.mean() - slope * before.mean()
    freedom = max(1, len(neighbours) - 2)
    variance = float(np.square(after - constant - slope * before).sum()) / freedom
    middle, spread = values[-1], 0.0
    for _ in range(round(at - times[-1])):
        middle, spread = constant + slope * middle, variance + slope**2 * spread
    return _student(middle, np.sqrt(spread), freedom)


RIVALS: dict[str, Rival] = {
    "last value": last_value,
    "drift": drift,
    "linear trend": linear_trend,
    "AR(1)": autoregression,
}


def typical_change(histories: Sequence[History]) -> float:
    """The root mean square of yearly changes in logs over all series: how much a figure of this kind moves."""
    changes: list[float] = []
    for history in histories:
        times, values = _arrays(history)
        if len(values) > 1 and (values > 0).all():
            changes += list(np.diff(np.log(values)) / np.sqrt(np.diff(times)))
    return float(np.sqrt(np.mean(np.square(changes)))) if changes else 0.1


def _arrays(history: History) -> tuple[np.ndarray, np.ndarray]:
    times = np.array(sorted(history))
    return times, np.array([history[time] for time in times])


def _yearly_spread(times: np.ndarray, values: np.ndarray, typical: float, slope: float) -> float:
    """Standard deviation of a year's change about its mean."""
    if len(values) < 3:
        return typical * abs(float(values[-1]))
    gaps = np.diff(times)
    changes = (np.diff(values) - slope * gaps) / np.sqrt(gaps)
    lost = 1 if slope else 0
    return float(np.sqrt(np.square(changes).sum() / (len(changes) - lost)))


def _normal(middle: float, spread: float) -> Forecast:
    return Forecast(*(float(middle + spread * stats.norm.ppf(level)) for level in LEVELS))


def _student(middle: float, spread: float, freedom: int) -> Forecast:
    return Forecast(*(float(middle + spread * stats.t.ppf(level, freedom)) for level in LEVELS))
