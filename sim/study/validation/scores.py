"""How good a forecast was: error, coverage and the interval score.

Interval score: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation", section 6.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim.arrays import Array

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Forecast:
    """Quantiles at 5, 25, 50, 75 and 95 %."""

    low: float
    lower: float
    median: float
    upper: float
    high: float

    @classmethod
    def of(cls, draws: ArrayLike, weights: ArrayLike | None = None) -> Forecast:
        """Quantiles of draws, which may have weights."""
        return cls(*(float(value) for value in weighted_quantiles(draws, weights, LEVELS)))


def weighted_quantiles(draws: ArrayLike, weights: ArrayLike | None, levels: Sequence[float]) -> Array:
    """Quantiles of draws by their distribution function; a weight counts as so many equal draws."""
    each = np.ones(np.shape(draws)) if weights is None else np.asarray(weights, dtype=np.float64)
    return np.quantile(np.asarray(draws, dtype=np.float64), levels, weights=each, method="inverted_cdf")


def interval_score(low: float, high: float, observed: float, level: float = 0.9) -> float:
    """Width of the central interval, and 2 / (1 - level) times how far the observation lies outside. Less is better."""
    miss = max(low - observed, observed - high, 0.0)
    return high - low + 2.0 / (1.0 - level) * miss


@dataclass(frozen=True)
class Pooled:
    """Scores over several observations, each in units of its observation error."""

    count: int
    error: float  # mean absolute error of the medians
    score: float  # mean interval score of the 90 % intervals
    inside_50: int
    inside_90: int


def pooled(forecasts: Sequence[Forecast], observed: Sequence[float], errors: Sequence[float]) -> Pooled:
    """Mean absolute error, mean interval score and coverage; NaN for nothing to score."""
    rows = list(zip(forecasts, observed, errors, strict=True))
    if not rows:
        return Pooled(0, float("nan"), float("nan"), 0, 0)
    return Pooled(
        len(rows),
        sum(abs(f.median - value) / error for f, value, error in rows) / len(rows),
        sum(interval_score(f.low, f.high, value) / error for f, value, error in rows) / len(rows),
        sum(f.lower <= value <= f.upper for f, value, _ in rows),
        sum(f.low <= value <= f.high for f, value, _ in rows),
    )
