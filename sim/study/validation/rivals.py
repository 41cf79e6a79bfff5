"""Simple forecasts that a model must beat, made from a series' own past up to the same origin.

Each says where a figure will be. How wide its interval is comes from its own misses, treated as the model's are: a
scale for each group of series, estimated from the years that follow the rolling origins, the scored series left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from sim.arrays import Array
from sim.calendar import FIRST_YEAR
from sim.study.validation.error_model import FEWEST_DRAWS, PRIOR_FREEDOM, STEPS
from sim.study.validation.groups import Group, group_of
from sim.study.validation.observations import Observation
from sim.study.validation.scores import Forecast
from sim.study.validation.series import error_on_scale, from_scale, to_scale

History = Mapping[float, float]  # value by time in years
Rival = Callable[[History, float], float | None]
ORIGINS = (2021, 2022, 2023)
AHEAD = (1, 2)


def last_value(history: History, at: float) -> float | None:
    """The last value for ever."""
    return history[max(history)]


def drift(history: History, at: float) -> float | None:
    """The last value, moving on by the mean yearly change so far."""
    first, last = min(history), max(history)
    if first == last:
        return None
    return history[last] + (history[last] - history[first]) / (last - first) * (at - last)


def linear_trend(history: History, at: float) -> float | None:
    """A straight line by least squares."""
    if len(history) < 3:
        return None
    fit = stats.linregress(list(history), list(history.values()))
    return float(fit.intercept + fit.slope * at)


def autoregression(history: History, at: float) -> float | None:
    """AR(1) with a mean, by least squares on neighbouring years; the coefficient is held in 0 to 1."""
    times = np.array(sorted(history))
    values = np.array([history[time] for time in times])
    neighbours = np.flatnonzero(np.diff(times) == 1.0)
    if len(neighbours) < 3:
        return None
    before, after = values[neighbours], values[neighbours + 1]
    variation = float(np.square(before - before.mean()).sum())
    slope = float(((before - before.mean()) * (after - after.mean())).sum()) / variation if variation > 0 else 0.0
    slope = min(max(slope, 0.0), 1.0)
    constant = after.mean() - slope * before.mean()
    middle = values[-1]
    for _ in range(round(at - times[-1])):
        middle = constant + slope * middle
    return float(middle)


RIVALS: dict[str, Rival] = {
    "last value": last_value,
    "drift": drift,
    "linear trend": linear_trend,
    "AR(1)": autoregression,
}


def histories(observations: Sequence[Observation]) -> dict[str, dict[float, float]]:
    """Each yearly series by year. Growth is 1 in the base year."""
    series: dict[str, dict[float, float]] = {}
    for o in observations:
        if not o.is_quarter:
            history = series.setdefault(o.series, {float(FIRST_YEAR): 1.0} if o.is_relative else {})
            history[float(o.year)] = o.value
    return series


@dataclass(frozen=True)
class _Miss:
    series: str
    group: str
    year: float
    ahead: float  # years from the last known value
    residual: float  # on the group's scale
    figure: float  # published error on it


class Rivals:
    """The rivals, with what they missed at the rolling origins."""

    def __init__(self, observations: Sequence[Observation], groups: Sequence[Group]) -> None:
        self.past = histories(observations)
        self.groups = groups
        self.misses: dict[str, list[_Miss]] = {name: [] for name in RIVALS}
        for series, history in self.past.items():
            group = group_of(series, groups)
            if group is None:
                continue
            for origin in ORIGINS:
                for year in [float(origin + ahead) for ahead in AHEAD if origin + ahead in history]:
                    for name, (middle, ahead) in self._middles(series, group, year, origin).items():
                        residual = float(to_scale(history[year], group.on)) - middle
                        figure = group.figure
                        if group.on == "log-odds":
                            figure = error_on_scale(history[year], figure, group.on)
                        self.misses[name].append(_Miss(series, group.name, year, ahead, residual, figure))

    def forecasts(self, observation: Observation, group: Group, origin: int) -> dict[str, Forecast]:
        """What each rival that has enough of a past says of a figure, from what was known at the end of the origin."""
        said = {}
        for name, (middle, ahead) in self._middles(observation.series, group, float(observation.year), origin).items():
            spread = self._innovation(name, group, observation.series) * np.sqrt(ahead)
            said[name] = _forecast(middle, spread, group)
        return said

    def _middles(self, series: str, group: Group, year: float, origin: int) -> dict[str, tuple[float, float]]:
        """Where each rival sees a figure, on the scale, and how many years that is from the last known value."""
        known = {time: value for time, value in self.past.get(series, {}).items() if time <= origin}
        found = {}
        for name, rival in RIVALS.items() if known else ():
            middle = rival(known, year)
            if middle is not None:
                found[name] = (float(to_scale(max(middle, 0.0), group.on)), year - max(known))
        return found

    def _innovation(self, name: str, group: Group, without: str) -> float:
        """The geometric mean of what the misses of the group's other series leave of a rival's error in a year.

        A half-t prior with the group's own innovation as its scale, as for the model.
        """
        innovations = group.innovation * STEPS
        logs = stats.t.logpdf(STEPS, PRIOR_FREEDOM) + np.log(STEPS)
        others = [miss for miss in self.misses[name] if miss.group == group.name and miss.series != without]
        for miss in others:
            spread = np.sqrt(np.square(innovations) * miss.ahead + 2 * miss.figure**2)
            logs = logs + _logpdf(miss.residual, spread, group.freedom) * _once(others, miss)
        return float(np.exp(np.exp(logs - logsumexp(logs)) @ np.log(innovations)))


def _once(misses: Sequence[_Miss], one: _Miss) -> float:
    """What a miss counts: a figure that several origins forecast counts once all together."""
    years = [miss.year for miss in misses if miss.series == one.series]
    return len(set(years)) / len(years)


def _logpdf(residual: float, spread: Array, freedom: float) -> Array:
    density = stats.norm.logpdf if np.isinf(freedom) else lambda x: stats.t.logpdf(x, freedom)
    logs: Array = density(residual / spread) - np.log(spread)
    return logs


def _forecast(middle: float, spread: float, group: Group) -> Forecast:
    """A rival's forecast in the model's units, with the error of the last figure and of the one to come."""
    random = np.random.default_rng(1)
    noise = random.standard_normal(FEWEST_DRAWS)
    if not np.isinf(group.freedom):
        noise = noise * np.sqrt(group.freedom / random.chisquare(group.freedom, FEWEST_DRAWS))
    figure = random.standard_normal(FEWEST_DRAWS) * group.figure * np.sqrt(2.0)
    if group.on == "log-odds":
        return Forecast.of(np.clip(from_scale(middle + spread * noise, group.on) + figure, 0.0, 1.0))
    return Forecast.of(from_scale(middle + spread * noise + figure, group.on))
