"""How much is enough: how many more seeds or samples would make what was found as sure as is wanted.

A mean over n seeds is known to h = t s / sqrt(n), with Student's t and one seed's deviation s. The least n at which h
is no more than wanted, s taken as it was seen, is the absolute-error rule of Law (Simulation Modeling and Analysis,
5th ed. 2015, section 9.4.1). Indices of sensitivity count as settled when the widest of their 95 % intervals is no
wider than 0.05 (Sarrazin, Pianosi and Wagener 2016, Environmental Modelling & Software 79); widths shrink with the root
of the sample.
"""

from __future__ import annotations

import math

from sim.compare.differences import Row
from sim.compare.intervals import FEW, seeds_needed, t_quantile
from sim.compare.words import counted, name_of, told_in, two_digits

SETTLED = 0.05


def of_mean(what: str, half: float, seeds: int, level: float, unit: str) -> str:
    """How sure a mean over seeds is, such as "With 10 seeds WHAT is known to 0.2 points; 33 would halve that".

    `half` is half of its interval at `level`, in `unit`; one of 0 to 1 is told in points.
    """
    if half == 0:
        return f"With {counted(seeds, 'seed')} {what} is the same: luck moves nothing"
    deviation = half * math.sqrt(seeds) / t_quantile(seeds - 1, level)
    needed = seeds_needed(deviation, half / 2, level)
    scale, told = told_in(unit)
    size = f"{two_digits(scale * half)} {told}".strip()
    few = ", as far as so few seeds can tell" if seeds < FEW else ""
    return f"With {counted(seeds, 'seed')} {what} is known to {size}; {needed} would halve that{few}"


def of_difference(row: Row, how: str = "", measure: str = "") -> str:
    """How sure a difference is, and how many seeds would tell it; nothing where no interval holds.

    `how` stands behind the names of the two sides; `measure` is what the row is of and when, in other words.
    """
    seeds, rest = divmod(row.n_pairs, row.n_sets or 1)
    if row.diff_lo is None or row.diff_hi is None or rest or seeds < 2:
        return ""
    half = (row.diff_hi - row.diff_lo) / 2
    what = f"the difference of {measure or name_of(row)} between {row.candidate} and {row.baseline}{how}"
    text = of_mean(what, half, seeds, row.ci_level, row.unit)
    needed = row.seeds_for_margin
    if row.verdict == "inconclusive" and needed and needed > seeds and row.n_sets == 1:
        margin = "bring it within the margin" if row.margin else "tell its sign if it stays as large"
        text += f"; {needed} would {margin}"
    return f"{text}."


def samples_for(width: float, samples: int, wanted: float = SETTLED) -> int:
    """How many samples would make an interval of `width` as narrow as wanted, to two digits."""
    needed = samples * (width / wanted) ** 2
    step = int(10 ** max(0, math.floor(math.log10(needed)) - 1))
    return step * math.ceil(needed / step)
