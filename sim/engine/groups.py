"""Powers, ratios and sums whose bits do not depend on how many runs are held at once; sums by group."""

from __future__ import annotations

import numpy as np

from sim.arrays import Array, Indices


def power(base: Array, exponent: Array | float) -> Array:
    """base ** exponent, with bits that do not depend on how many runs are held.

    np.power itself takes shortcuts for some exponents (1/2, 2, -1) where it sees a single one, that is in one run.
    """
    result: Array = np.power(base, np.ones(base.shape) * exponent)
    return result


def ratio(over: Array, under: Array, otherwise: Array | float) -> Array:
    """over / under where there is something under it, and otherwise what is said; they broadcast."""
    if under.min() > 0:  # nothing to guard against
        whole: Array = over / under
        return whole
    shape = np.broadcast_shapes(np.shape(over), under.shape, np.shape(otherwise))
    guarded: Array = np.divide(over, under, out=np.full(shape, otherwise), where=under > 0)
    return guarded


def divisor(values: Array) -> Array:
    """The values, with 1 for those that are not above zero: where nothing is divided, by nothing."""
    return values if values.min() > 0 else np.where(values > 0, values, 1.0)


def at(values: Array, places: Indices) -> Array:
    """What these places of the last axis hold: (…, agents) to (…, places). They must be there; nobody looks."""
    return values.take(places, axis=-1, mode="clip")  # half the time of a look at each


_FROM_THE_FIRST = np.array([0])

# Sums whose bytes do not depend on how many runs are held at once (the order of addition never changes).


def total(values: Array) -> Array:
    """Sum over the last axis, one addition after another; keeps the axis with length 1."""
    return np.add.reduceat(values, _FROM_THE_FIRST, axis=-1)


def total_over_rows(values: Array) -> Array:
    """Sum over the last axis but one, row after row: (runs, rows, agents) to (runs, agents)."""
    if values.strides[-1] != values.itemsize:  # rows would be added in an order that goes by the memory
        values = np.ascontiguousarray(values)
    result: Array = np.add.reduce(values, axis=-2)
    return result


class Groups:
    """Sums of agents by group: (…, agents) to (…, groups). Empty groups sum to zero."""

    def __init__(self, group_of: Indices, count: int) -> None:
        self.group_of = np.asarray(group_of)
        self.count = count
        order = np.argsort(self.group_of, kind="stable")
        self._order = None if np.array_equal(order, np.arange(len(order))) else order
        self._sizes = np.bincount(self.group_of, minlength=count)
        present, starts = np.unique(self.group_of[order], return_index=True)
        self._starts = starts
        self._present = None if len(present) == count else present
        self._alone = bool((self._sizes == 1).all())  # each group is one agent

    def sum(self, values: Array) -> Array:
        if self._order is not None:
            values = at(values, self._order)
        if self._alone:
            return values.copy()
        sums = np.add.reduceat(values, self._starts, axis=-1)
        if self._present is None:
            return sums
        result = np.zeros((*values.shape[:-1], self.count))
        result[..., self._present] = sums
        return result

    def spread(self, values: Array) -> Array:
        """Each agent's own group's value: (…, groups) to (…, agents)."""
        if self._order is None:  # neighbours: several times as fast
            return values.repeat(self._sizes, axis=-1)
        return at(values, self.group_of)
