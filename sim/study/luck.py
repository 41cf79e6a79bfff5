"""What luck does to indices: the variance that it leaves in means over seeds, and the share that is due to seeds.

Both are from the crossed analysis of variance of points by seeds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.compare.intervals import LEVEL, NOISE, t_quantile

FEW_SEEDS = 10  # below which there is no interval
GROUPS = 20  # of points, for the jackknife
NORMAL_SEEDS = "the interval takes the seeds' effects as near normal"


def luck_of_means(values: Array) -> float:
    """The variance between points that luck alone makes in their means over seeds; `values` are (points, seeds).

    Seeds that act alike at all points move no index: it is the mean square of the rest, over the number of seeds.
    """
    points, seeds = values.shape
    luck = 0.0 if min(points, seeds) < 2 else mean_squares(values)[2] / seeds
    return luck if luck > NOISE**2 * np.square(values).max() else 0.0


def luck_flags(part: float, seeds: int) -> list[str]:
    """What is to be said of indices of means over so many seeds, of whose variance luck makes a part."""
    if seeds == 1:
        return ["one seed: holds its luck"]
    if part > 0.5:
        return [f"corrected for luck, which is {part:.0%} of the variance between points: run more seeds"]
    return [f"corrected for luck, {part:.1%} of the variance between points"] if part >= 0.001 else []


def shares_of_seeds(values: Array) -> list[tuple[Any, ...]]:
    """(index, value, low, high, flags) for the shares of variance due to seeds; `values` has shape (points, seeds).

    Intervals are of the jackknife on the logit, over seeds and over groups of points (Shao and Tu 1995), with
    Student's t on the seeds; below ten seeds there is none. That of the first share covers less where the effects that
    all points have in common are far from normal, which so few seeds do not show: it is always flagged.
    """
    points, seeds = values.shape
    if seeds < 2 or points < 2 or np.ptp(values) == 0:
        return []
    shares = seed_shares(values)
    names = ("share of variance", "share of variance, differing between points")
    if seeds < FEW_SEEDS:
        return [
            (name, share, None, None, f"{seeds} seeds: no interval below {FEW_SEEDS}")
            for name, share in zip(names, shares, strict=True)
        ]
    groups = np.array_split(np.arange(points), min(points, GROUPS))
    without_seed = np.array([seed_shares(np.delete(values, seed, axis=1)) for seed in range(seeds)])
    without_group = np.array([seed_shares(np.delete(values, group, axis=0)) for group in groups if points > 2])
    rows: list[tuple[Any, ...]] = []
    for place, (name, share) in enumerate(zip(names, shares, strict=True)):
        kept = [drawn[:, place] for drawn in (without_seed, without_group) if len(drawn)]
        everything = np.concatenate([[share], *kept])
        if ((everything > 0) & (everything < 1)).all():
            variance = sum((len(drawn) - 1) * np.log(drawn / (1 - drawn)).var() for drawn in kept)
            reach = t_quantile(seeds - 1, LEVEL) * math.sqrt(variance)
            rows.append((name, share, _moved(share, -reach), _moved(share, reach), NORMAL_SEEDS if place == 0 else ""))
        else:
            rows.append((name, share, None, None, "no interval: at the end of its range"))
    return rows


def _moved(share: float, by: float) -> float:
    """A share moved on the logit scale."""
    return 1 / (1 + (1 - share) / share * math.exp(-by))


def seed_shares(values: Array) -> tuple[float, float]:
    """The parts of the variance of (points, seeds) that are due to seeds at all, and to seeds differently by point.

    Variance components of the crossed design without repeats (Searle, Casella and McCulloch 1992, ch. 4): points a,
    seeds b, rest e, from the mean squares; negative estimates count as zero.
    """
    of_points, of_seeds, of_rest = mean_squares(values)
    points, seeds = values.shape
    between_points = max(0.0, (of_points - of_rest) / seeds)
    between_seeds = max(0.0, (of_seeds - of_rest) / points)
    whole = between_points + between_seeds + of_rest
    return ((between_seeds + of_rest) / whole, of_rest / whole) if whole > 0 else (0.0, 0.0)


def mean_squares(values: Array) -> tuple[float, float, float]:
    """The mean squares of points, of seeds and of the rest; `values` has shape (points, seeds), two of each or more."""
    points, seeds = values.shape
    by_point, by_seed, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    rest = values - by_point[:, None] - by_seed + mean
    of_rest = float(np.square(rest).sum() / ((points - 1) * (seeds - 1)))
    of_points = float(seeds * np.square(by_point - mean).sum() / (points - 1))
    of_seeds = float(points * np.square(by_seed - mean).sum() / (seeds - 1))
    return of_points, of_seeds, of_rest
