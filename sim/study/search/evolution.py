"""Policies chosen generation by generation: NSGA-II (Deb et al. 2002), which is pymoo's.

What is tried next depends on the space, the seed and on how the policies before did; so the same search, begun anew
over results that are kept, tries the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mixed import MixedVariableMating
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.core.variable import Choice, Integer, Real
from pymoo.operators.selection.tournament import TournamentSelection

from sim.arrays import Array
from sim.experiment.designs import Factor, Point
from sim.world.evidence import Value

Judge = Callable[[Sequence[Point]], tuple[Array, Array]]
"""The costs (policies, objectives) and the violations (policies,) of all policies so far, those of the last too."""
STEPS = 1000  # of a range: finer than any policy is made


def evolve(
    factors: Mapping[str, Factor], first: Array, judge: Judge, generations: int, seed: int
) -> tuple[list[Point], list[int]]:
    """Every policy that a search tries, in order, each once; fewer where there are no others.

    Then the places of those that are left in the end: as many as a generation, the best and far apart.

    first: places between 0 and 1, shape (policies, factors): the first generation, and how large one is.
    """
    space = _Space(factors)
    policies: list[Point] = []
    untried = _Untried(space, policies)
    algorithm = NSGA2(
        pop_size=len(first),
        sampling=Population.new(X=[space.genes(units) for units in first]),
        mating=MixedVariableMating(
            selection=TournamentSelection(func_comp=binary_tournament), eliminate_duplicates=untried
        ),
        eliminate_duplicates=untried,
    )
    problem = Problem(vars=space.variables, n_ieq_constr=1)
    algorithm.setup(problem, termination=NoTermination(), seed=seed)
    for _ in range(generations):
        asked = algorithm.ask()
        if asked is None:  # all have been tried
            break
        asked.set("place", np.arange(len(policies), len(policies) + len(asked)))
        policies += [space.policy(genes) for genes in asked.get("X")]
        costs, violations = judge(tuple(policies))
        for population in filter(len, (algorithm.pop, asked)):  # regrets of the older ones may have grown
            places = population.get("place").astype(int)
            missed = violations[places, None]
            population.set("F", costs[places], "G", missed, "CV", missed)
        algorithm.tell(infills=asked)
    return policies, sorted(map(int, algorithm.pop.get("place")))


class _Space:
    """The factors as pymoo's variables: a place in a range, the number of a level, the number of a word."""

    def __init__(self, factors: Mapping[str, Factor]) -> None:
        self.factors = factors
        self.variables = {key: _variable(factor) for key, factor in factors.items()}

    def genes(self, units: Array) -> dict[str, float]:
        """A policy's variables from its places between 0 and 1."""
        found: dict[str, float] = {}
        for (key, factor), unit in zip(self.factors.items(), units.tolist(), strict=True):
            count = len(factor.levels)
            found[key] = min(int(unit * count), count - 1) if count else unit
        return found

    def policy(self, genes: Mapping[str, float]) -> dict[str, Value]:
        return {key: _value(factor, genes[key]) for key, factor in self.factors.items()}


def _variable(factor: Factor) -> Any:
    count = len(factor.levels)
    if not count:
        return Real(bounds=(0.0, 1.0))
    if count > 1 and all(isinstance(level, int | float) and not isinstance(level, bool) for level in factor.levels):
        return Integer(bounds=(0, count - 1))
    return Choice(options=list(range(count)))


def _value(factor: Factor, gene: float) -> Value:
    """The value of a variable; in a range, one of about `STEPS` that are short to write."""
    if factor.levels:
        return factor.levels[int(gene)]
    digits = math.ceil(-math.log10((factor.high - factor.low) / STEPS))
    return min(max(round(float(factor.value(float(gene))), digits), factor.low), factor.high)


class _Untried(DuplicateElimination):  # type: ignore[misc]  # pymoo has no types
    """Drops the policies that have been tried already, or that stand before in the same generation."""

    def __init__(self, space: _Space, tried: Sequence[Point]) -> None:
        super().__init__()
        self.space, self.tried = space, tried

    def _do(self, pop: Any, other: Any, is_duplicate: Any) -> Any:
        seen = set(map(_key, self.tried)) if other is None else set(self._keys(other))
        for place, key in enumerate(self._keys(pop)):
            is_duplicate[place] = key in seen
            seen.add(key)
        return is_duplicate

    def _keys(self, population: Any) -> list[tuple[Value, ...]]:
        return [_key(self.space.policy(genes)) for genes in population.get("X")]


def _key(policy: Point) -> tuple[Value, ...]:
    return tuple(policy.values())
