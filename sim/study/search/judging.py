"""How policies do by what a search is after.

A policy is run over many parameter sets (over seeds, where there is one set), and is judged by what it comes to in most
of them. Values here have the shape (policies, sets).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sim.arrays import Array, Flags
from sim.study.search.aims import Aims, Constraint


def robust_values(aims: Aims, values: Mapping[str, Array]) -> Array:
    """What each policy comes to by each objective, in the outcome's own unit, shape (policies, objectives).

    A quantile that so many sets reach, the mean, the worst; of "regret", the most in any set by which the best of
    these policies does better there (Savage 1951). Infinite where too many runs have no value.
    """
    columns = [_robust(aims.robust, values[each.outcome], each.higher) for each in aims.objectives]
    return np.stack(columns, axis=-1)


def _robust(robust: float | str, values: Array, higher: bool) -> Array:
    if robust == "mean":
        return _worse_if_missing(values, higher).mean(axis=1)
    if robust == "regret":
        good = _worse_if_missing(values, higher) * (1 if higher else -1)
        best = good.max(axis=0)
        most: Array = (np.where(np.isfinite(best), best, 0.0) - good).max(axis=1)
        return most
    return reached_in(1.0 if robust == "worst" else float(robust), values, higher)


def costs_of(aims: Aims, robust: Array) -> Array:
    """Robust values turned so that less is better."""
    if aims.robust == "regret":
        return robust
    signs: Array = np.array([-1.0 if each.higher else 1.0 for each in aims.objectives])
    return robust * signs


def violations(aims: Aims, values: Mapping[str, Array]) -> Array:
    """By how much each policy misses the constraints together, shape (policies,)."""
    missed = [_violated(each, values[each.condition.name]) for each in aims.constraints]
    return np.sum(missed, axis=0) if missed else np.zeros(len(next(iter(values.values()))))


def _violated(constraint: Constraint, values: Array) -> Array:
    """By how much each policy misses it, as a part of the level, shape (policies,); 0 where it is met."""
    condition = constraint.condition
    higher = condition.sense == ">="
    reached = reached_in(constraint.part, values, higher)
    short = condition.level - reached if higher else reached - condition.level
    missed: Array = np.where(short > 0, short / (abs(condition.level) or 1.0), 0.0)
    return missed


def _worse_if_missing(values: Array, higher: bool) -> Array:
    return np.where(np.isnan(values), -np.inf if higher else np.inf, values)


def reached_in(part: float, values: Array, higher: bool) -> Array:
    """What each policy reaches, or better, in a part of the sets, shape (policies,): of ten sets and 0.9 the ninth."""
    ordered = np.sort(_worse_if_missing(values, higher), axis=1)
    place = math.ceil(part * values.shape[1] - 1e-9) - 1
    reached: Array = ordered[:, -1 - place] if higher else ordered[:, place]
    return reached


def beaten_by_none(costs: Array, met: Flags) -> list[int]:
    """The places of the policies that meet the constraints and that no such policy beats, in order of the first cost.

    One beats another if it costs no more by any objective and less by one. Of equal ones the first stays.
    """
    able = [int(place) for place in np.flatnonzero(met & np.isfinite(costs).all(axis=1))]
    kept: list[int] = []
    for place in sorted(able, key=lambda place: (*costs[place], place)):  # who comes later beats none before
        if not any((costs[other] <= costs[place]).all() for other in kept):
            kept.append(place)
    return kept
