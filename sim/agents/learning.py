"""Laws of learning that chip firms and suppliers share."""

import numpy as np

from sim.arrays import Array
from sim.engine.groups import divisor, power, ratio


def wright_cost(experience: Array, learning_rate: Array) -> Array:
    """Unit cost relative to the base by Wright's law.

    Cost falls by `learning_rate` with each doubling of cumulative output. `experience` is cumulative output over its
    base, 1 or more. Wright 1936; the rate for chips from Irwin and Klenow 1994.
    """
    exponent = np.log1p(-learning_rate) / np.log(2.0)
    return power(experience, exponent)


def times_at_first(known: Array, at_first: Array) -> Array:
    """Experience as a multiple of that of 2020; 1 for who began without any, as a newcomer to whom nothing spills over.

    The law has no word on who begins at nothing: such a one keeps its cost.
    """
    return ratio(known, at_first, 1.0)


def research_effort(
    spending: Array, base_spending: Array, elasticity: Array, scarcity: Array, engineers: Array
) -> Array:
    """How much faster research goes on `spending` than on `base_spending`, with `engineers` (2020 = 1) to do it.

    Returns diminish at elasticity < 1. Engineers are scarce: of more money a part only raises their pay, at first
    scarcity / (1 + scarcity) of it (Goolsbee 1998), and with ever more money all of it. With scarcity 0 they abound.
    """
    money = spending / divisor(base_spending)
    at_work = money * ((1.0 + scarcity) / (1.0 + scarcity * money / engineers))
    return np.where(base_spending > 0, power(at_work, elasticity), 1.0)


def successes(draw: Array, probability: Array) -> Array:
    """Research advances in steps: none in most quarters, 1 / probability in the others, so that the mean is 1."""
    return np.where(draw < probability, 1.0 / probability, 0.0)
