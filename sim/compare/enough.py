"""How much is enough: how many more seeds or samples would make what was found as sure as is wanted.

A mean over n seeds is known to h = t s / sqrt(n), with Student's t and one seed's deviation s. The least n at which h
is no more than wanted, s taken as it was seen, is the absolute-error rule of Law (Simulation Modeling and Analysis,
5th ed. 2015, section 9.4.1). Indices of sensitivity count as settled when the widest of their 95 % intervals is no
wider than 0.05 (Sarrazin, Pianosi and Wagener 2016, Environmental Modelling & Software 79); widths shrink with the root
of the sample.
"""

from __future__ import annotations

import math

from sim.compare.intervals import t_quantile

SETTLED = 0.05
MOST = 10_000_000  # seeds: more is no advice


def seeds_for(half_width: float, seeds: int, wanted: float, level: float) -> int:
    """How many seeds would know a mean to `wanted` that so many (two or more) know to `half_width`."""
    deviation = half_width * math.sqrt(seeds) / t_quantile(seeds - 1, level)
    if half_width <= wanted:
        return seeds

    def known(count: int) -> float:
        return t_quantile(count - 1, level) * deviation / math.sqrt(count)

    below, enough = seeds, 2 * seeds
    while known(enough) > wanted and enough < MOST:
        below, enough = enough, 2 * enough
    while enough - below > 1:
        middle = (below + enough) // 2
        below, enough = (below, middle) if known(middle) <= wanted else (middle, enough)
    return enough


def samples_for(width: float, samples: int, wanted: float = SETTLED) -> int:
    """How many samples would make an interval of `width` as narrow as wanted, to two digits."""
    needed = samples * (width / wanted) ** 2
    step = int(10 ** max(0, math.floor(math.log10(needed)) - 1))
    return step * math.ceil(needed / step)
