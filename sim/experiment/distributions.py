"""How likely the values of a factor are between its low and its high: quantiles of what is cut off there."""

from __future__ import annotations

import math
from collections.abc import Mapping

ENDLESS = ("normal", "lognormal")  # without low or high of their own they are cut off where the key admits no more


def quantile(kind: str, shape: Mapping[str, float], low: float, high: float, unit: float) -> float:
    """The value below which a part `unit` (0 to 1) of the distribution lies, once it is cut off at low and high."""
    if kind == "triangular":
        mode = shape["mode"]
        below = (mode - low) / (high - low)
        if unit < below:
            return low + math.sqrt(unit * (high - low) * (mode - low))
        return high - math.sqrt((1 - unit) * (high - low) * (high - mode))
    if kind == "normal":
        mean, sd = shape["mean"], shape["sd"]
        return mean + sd * _normal((low - mean) / sd, (high - mean) / sd, unit)
    median, sigma = shape["median"], shape["sigma"]
    return median * math.exp(sigma * _normal(*_logs(low, high, median, sigma), unit))


def part_inside(kind: str, shape: Mapping[str, float], low: float, high: float) -> float:
    """How much of a normal or lognormal distribution lies between low and high."""
    if kind == "normal":
        return _between((low - shape["mean"]) / shape["sd"], (high - shape["mean"]) / shape["sd"])
    return _between(*_logs(low, high, shape["median"], shape["sigma"]))


def _logs(low: float, high: float, median: float, sigma: float) -> tuple[float, float]:
    """The ends in standard deviations of the logarithm from that of the median; no value is zero or below."""
    first, last = ((math.log(end) - math.log(median)) / sigma if end > 0 else -math.inf for end in (low, high))
    return first, last


def _between(first: float, last: float) -> float:
    from scipy.special import ndtr

    first, last = (-last, -first) if first > 0 else (first, last)
    return float(ndtr(last) - ndtr(first))


def _normal(first: float, last: float, unit: float) -> float:
    """The quantile of a standard normal distribution cut off at both ends; the far tail is taken from its own side."""
    from scipy.special import ndtr, ndtri

    if first > 0:
        return -_normal(-last, -first, 1 - unit)
    return float(ndtri(ndtr(first) + unit * (ndtr(last) - ndtr(first))))
