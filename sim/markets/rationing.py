"""Rationing by capacity: who gets how much when more is ordered than can be made.

Shapes: F firms.
"""

from __future__ import annotations

import numpy as np

from sim.arrays import Array
from sim.engine.groups import Groups, divisor, ratio, total_over_rows
from sim.markets.denial import supplied


def rationed(orders: Array, placed: Array, able: Array, open_part: Array, by_market: Groups, backfill: Array) -> Array:
    """What buyers get of their orders, with one round of re-routing to firms with slack, (runs, buyers, F).

    `placed` are the firms' orders, `open_part` what part of its sales each firm may make to each buyer.
    """
    fill, slack = filled_first(placed, able)
    bought, wanted = asked_twice(orders, fill, slack[:, None, :], by_market, open_part, backfill)
    asked = total_over_rows(wanted)
    return bought + wanted * np.minimum(1.0, slack / divisor(asked))[:, None, :]


def filled_first(placed: Array, able: Array) -> tuple[Array, Array]:
    """The part of the orders placed with it that each firm can fill, and what it could make beyond them, (runs, F)."""
    fill = np.minimum(1.0, able / divisor(placed))
    return fill, np.maximum(0.0, able - placed * fill)


def asked_twice(
    orders: Array,
    fill: Array,
    slack: Array,
    by_market: Groups,
    open_part: Array | None = None,
    backfill: Array | float = 0.0,
) -> tuple[Array, Array]:
    """What buyers get at first of their orders, and what they ask of firms with slack instead, (runs, buyers, F).

    `slack` is (runs, buyers or 1, F). What a control denies of an order it denies of one that is re-routed too, and
    who may still sell replaces a part of it as of any other; nothing is denied without an `open_part`.
    """
    bought = orders * fill[:, None, :]
    short = by_market.sum(orders - bought)
    open_to, still = slack, by_market.sum(slack)
    if open_part is not None:
        whole, open_to = still, slack * open_part
        still = by_market.sum(open_to)
        short = short * supplied(ratio(still, whole, 1.0), backfill)
    return bought, open_to * by_market.spread(short / divisor(still))
