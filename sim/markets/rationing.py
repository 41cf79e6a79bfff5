"""Rationing by capacity: who gets how much when more is ordered than can be made.

Shapes: F firms.
"""

from __future__ import annotations

import numpy as np

from sim.arrays import Array
from sim.engine.groups import Groups, divisor, total_over_rows


def rationed(orders: Array, placed: Array, able: Array, open_part: Array, by_market: Groups) -> Array:
    """What buyers get of their orders, with one round of re-routing to firms with slack, (runs, buyers, F).

    `placed` are the firms' orders, `open_part` what part of its slack each firm may sell to each buyer.
    """
    fill, slack = filled_first(placed, able)
    bought, wanted = asked_twice(orders, fill, slack, open_part, by_market)
    asked = total_over_rows(wanted)
    return bought + wanted * np.minimum(1.0, slack / divisor(asked))[:, None, :]


def filled_first(placed: Array, able: Array) -> tuple[Array, Array]:
    """The part of the orders placed with it that each firm can fill, and what it could make beyond them, (runs, F)."""
    fill = np.minimum(1.0, able / divisor(placed))
    return fill, np.maximum(0.0, able - placed * fill)


def asked_twice(orders: Array, fill: Array, slack: Array, open_part: Array, by_market: Groups) -> tuple[Array, Array]:
    """What buyers get at first of their orders, and what they ask of firms with slack instead, (runs, buyers, F)."""
    bought = orders * fill[:, None, :]
    short = by_market.sum(orders - bought)
    open_to = slack[:, None, :] * open_part
    return bought, open_to * by_market.spread(short / divisor(by_market.sum(open_to)))
