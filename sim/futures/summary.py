"""What many futures say together: lines, bands, and paired differences with their spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.arrays import Array

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
SPREAD = ("q05", "q95")  # nine of ten futures lie between


def middle(share: Array) -> int:
    """Which future stays nearest to the middle of all, (futures, years): the least sum of distances from the median."""
    distance = np.abs(share - np.nanmedian(share, axis=0)).sum(axis=1)
    return int(np.where(np.isfinite(distance), distance, np.inf).argmin())


def bands(values: Array, names: Sequence[str], line: Array) -> dict[str, Any]:
    """Each measure's quantiles by year over the futures, (futures, years, measures), and one future's `line`."""
    return {
        name: {"line": _finite(line[:, place]), **_quantiles(values[:, :, place])} for place, name in enumerate(names)
    }


def line_alone(line: Array, names: Sequence[str]) -> dict[str, Any]:
    nothing = dict.fromkeys(QUANTILES)
    return {name: {"line": _finite(line[:, place]), **nothing} for place, name in enumerate(names)}


def differences(base: Array, policy: Array, names: Sequence[str], years: dict[str, int]) -> dict[str, Any]:
    """Of each measure in each of the `years`, by their place: policy less base, future by future."""
    return {
        name: {year: spread(policy[:, place, column] - base[:, place, column]) for year, place in years.items()}
        for column, name in enumerate(names)
    }


def spread(differences: Array) -> dict[str, float | int | None]:
    """The median of paired differences, and what nine of ten of them lie between; of one pair no spread."""
    pairs = differences[np.isfinite(differences)]
    if not len(pairs):
        return {"median": None, "low": None, "high": None, "pairs": 0}
    low, median, high = np.quantile(pairs, [QUANTILES[SPREAD[0]], 0.5, QUANTILES[SPREAD[1]]]).tolist()
    alone = len(pairs) == 1
    return {
        "median": median,
        "low": None if alone else low,
        "high": None if alone else high,
        "pairs": len(pairs),
    }


def _quantiles(values: Array) -> dict[str, list[float | None]]:
    """By year over the futures in which the measure has a value, (futures, years)."""
    known = np.isfinite(values).any(axis=0)
    filled = np.where(np.isfinite(values), values, np.nan)
    quantiles = np.full((len(QUANTILES), values.shape[1]), np.nan)
    if known.any():
        quantiles[:, known] = np.nanquantile(filled[:, known], list(QUANTILES.values()), axis=0)
    return {name: _finite(row) for name, row in zip(QUANTILES, quantiles, strict=True)}


def _finite(values: Array) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
