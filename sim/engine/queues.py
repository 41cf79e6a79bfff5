"""What is on its way: a queue holds one array for each quarter ahead (`Queue` in `sim/engine/columns.py`).

Where nothing is added or lost the same arrays are given back, since most quarters change few places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.arrays import Array


def on_its_way(queue: Sequence[Array]) -> Array:
    """All that is in a queue, whenever it is due."""
    return sum(queue[1:], start=queue[0])


def joined(queue: Sequence[Array], amount: Array, due: Array, first: int) -> list[Array]:
    """The queue with an amount in the place that is `due`; `first` is the number of the next one to be due."""
    if not amount.any():
        return list(queue)
    places = []
    for place, values in enumerate(queue, start=first):
        here = due == place
        places.append(values + np.where(here, amount, 0.0) if here.any() else values)
    return places


def kept(queue: Sequence[Array], part: Array) -> list[Array]:
    """The queue when only a part of all that is in it stays."""
    return list(queue) if (part == 1.0).all() else [values * part for values in queue]
