"""Powers and sums whose bits do not depend on how many runs are held at once; sums by group."""

from __future__ import annotations

import numpy as np

from sim.arrays import Array, Indices


def power(base: Array, exponent: Array | float) -> Array:
    """base ** exponent, with bits that do not depend on how many runs are held.

    np.power itself takes shortcuts for some exponents (1/2, 2, -1) where it sees a single one, that is in one run.
    """
    result: Array = np.power(base, np.ones_like(base) * exponent)
    return result


# Sums whose bytes do not depend on how many runs are held at once (the order of addition never changes).


def total(values: Array) -> Array:
    """Sum over the last axis, one addition after another; keeps the axis with length 1."""
    return np.add.reduceat(values, np.array([0]), axis=-1)


def total_over_rows(values: Array) -> Array:
    """Sum over the last axis but one: (runs, rows, agents) to (runs, agents)."""
    result = values[..., 0, :].copy()
    for row in range(1, values.shape[-2]):
        result += values[..., row, :]
    return result


class Groups:
    """Sums of agents by group: (…, agents) to (…, groups). Empty groups sum to zero."""

    def __init__(self, group_of: Indices, count: int) -> None:
        self.group_of = np.asarray(group_of)
        self.count = count
        order = np.argsort(self.group_of, kind="stable")
        self._order = None if np.array_equal(order, np.arange(len(order))) else order
        present, starts = np.unique(self.group_of[order], return_index=True)
        self._starts = starts
        self._present = None if len(present) == count else present

    def sum(self, values: Array) -> Array:
        if self._order is not None:
            values = np.take(values, self._order, axis=-1)
        sums = np.add.reduceat(values, self._starts, axis=-1)
        if self._present is None:
            return sums
        result = np.zeros((*values.shape[:-1], self.count))
        result[..., self._present] = sums
        return result

    def spread(self, values: Array) -> Array:
        """Each agent's own group's value: (…, groups) to (…, agents)."""
        return np.take(values, self.group_of, axis=-1)
