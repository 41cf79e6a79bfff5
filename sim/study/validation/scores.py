"""How good a forecast was: error, coverage, CRPS and the interval score.

CRPS and interval score: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim.arrays import Array

LEVELS = np.arange(1, 200) / 200
SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Forecast:
    """A distribution by its quantiles at 0.5, 1, 1.5 ... 99.5 %, (199,)."""

    quantiles: Array

    @classmethod
    def of(cls, draws: ArrayLike, weights: ArrayLike | None = None) -> Forecast:
        """Quantiles of draws, which may have weights."""
        return cls(weighted_quantiles(draws, weights, LEVELS))

    def at(self, level: float) -> float:
        """The quantile at one of the levels."""
        return float(self.quantiles[round(200 * level) - 1])

    @property
    def low(self) -> float:
        return self.at(0.05)

    @property
    def median(self) -> float:
        return self.at(0.5)

    @property
    def high(self) -> float:
        return self.at(0.95)

    @property
    def shown(self) -> list[float]:
        """Quantiles at 5, 25, 50, 75 and 95 %."""
        return [self.at(level) for level in SHOWN]

    def holds(self, value: float, part: float) -> bool:
        """Whether the central interval of this part of the probability, such as 0.9, holds a value."""
        return self.at(0.5 - part / 2) <= value <= self.at(0.5 + part / 2)

    def through(self, change: Callable[[Array], Array]) -> Forecast:
        """The forecast of a rising function of the figure."""
        return Forecast(change(self.quantiles))


def pool(forecasts: Sequence[Forecast]) -> Forecast:
    """The equal mixture of some forecasts."""
    return Forecast.of(np.concatenate([one.quantiles for one in forecasts]))


def weighted_quantiles(draws: ArrayLike, weights: ArrayLike | None, levels: ArrayLike) -> Array:
    """Quantiles of draws by their distribution function; a weight counts as so many equal draws."""
    each = np.ones(np.shape(draws)) if weights is None else np.asarray(weights, dtype=np.float64)
    wanted = np.asarray(levels, dtype=np.float64)
    found: Array = np.quantile(np.asarray(draws, dtype=np.float64), wanted, weights=each, method="inverted_cdf")
    return found


def crps(forecast: Forecast, observed: float) -> float:
    """Continuous ranked probability score: twice the mean quantile loss over the levels. Less is better."""
    below = observed - forecast.quantiles
    return float(2.0 * np.mean(np.maximum(LEVELS * below, (LEVELS - 1.0) * below)))


def interval_score(low: float, high: float, observed: float, level: float = 0.9) -> float:
    """Width of the central interval, and 2 / (1 - level) times how far the observation lies outside. Less is better."""
    miss = max(low - observed, observed - high, 0.0)
    return high - low + 2.0 / (1.0 - level) * miss


def coverage_interval(inside: int, count: int) -> tuple[float, float]:
    """Where the true coverage lies with 95 %, if so many of so many figures were inside (Jeffreys)."""
    from scipy import stats

    low, high = stats.beta.ppf((0.025, 0.975), inside + 0.5, count - inside + 0.5)
    return (0.0 if inside == 0 else float(low), 1.0 if inside == count else float(high))
