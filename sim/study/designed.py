"""The indices of Sobol and Morris designs, SALib's, of means over seeds and less the luck that is left in these.

Both give (factor, index, value, low, high, flags) of the means over seeds at each point of the design, shape (points,).
`luck` is the variance that luck leaves in a mean, `seeds` their number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.compare.intervals import FEW, LEVEL, NOISE, student, without_noise
from sim.experiment.designs import Sample
from sim.study.luck import luck_flags

RESAMPLES = 1000
FEW_SAMPLES = 64  # base points of a Sobol design


def sobol(sample: Sample, means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
    """SALib's indices of the means, corrected for their luck.

    With independent luck of variance e in every point, the variance V that both indices are parts of holds e, and so
    does the total index's numerator: first x V / (V - e), and (total x V - e) / (V - e).
    """
    from SALib.analyze import sobol

    keep: dict[str, Any] = {"num_resamples": RESAMPLES, "conf_level": LEVEL, "seed": 1}
    indices = sobol.analyze(sample.problem, means, calc_second_order=False, **keep)
    blocks = means.reshape(sample.size, -1)
    whole = float(blocks[:, [0, -1]].var())  # of the two base samples, as SALib takes it
    part = luck / whole
    flags = luck_flags(part, seeds)
    if sample.size < FEW_SAMPLES:
        flags.append(f"few samples: the interval is unsure below {FEW_SAMPLES}")
    for place, factor in enumerate(sample.factors):
        for index, key in (("first order", "S1"), ("total", "ST")):
            if part >= 1:
                continue
            value = (float(indices[key][place]) - (part if key == "ST" else 0.0)) / (1 - part)
            width = float(indices[f"{key}_conf"][place]) / (1 - part)
            still = abs(width) < NOISE  # at no sampled point, which a rare effect can be as well
            between = (None, None) if still else (value - width, value + width)
            more = ["no interval: moves nothing at the sampled points"] if still else []
            if not -0.01 <= value <= 1.01:
                more.append("beyond 0 to 1, which no index is: run more samples")
            yield factor, index, value, *between, "; ".join([*flags, *more])


def morris(sample: Sample, means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
    """SALib's effects of the means, with Student's intervals over trajectories."""
    from SALib.analyze import morris

    keep: dict[str, Any] = {"num_resamples": 2, "conf_level": LEVEL, "seed": 1}
    indices = morris.analyze(sample.problem, sample.units, means, num_levels=sample.levels, **keep)
    steps = elementary_effects(sample, means)
    noise = math.sqrt(2 * luck) / _step(sample.levels)  # of one effect, the difference of two points
    for place, factor in enumerate(sample.factors):
        flags = ["one seed: holds its luck"] if seeds == 1 else []
        for index, key, effects in (
            ("mean absolute effect", "mu_star", abs(steps[:, place])),
            ("mean effect", "mu", steps[:, place]),
        ):
            over = student(without_noise(effects, np.full(len(effects), abs(means).max()), 0.0), LEVEL)
            value = float(indices[key][place])
            # the mean absolute value of normal luck alone is sqrt(2 / pi) of its deviation
            lucky = key == "mu_star" and 0 < value < 2 * math.sqrt(2 / math.pi) * noise
            more = ["luck alone makes half of this or more: run more seeds"] if lucky else []
            few = [] if sample.size >= FEW else ["few trajectories"]
            yield factor, index, value, over.low, over.high, "; ".join([*flags, *more, *few, *_words(over.flags)])
        spread = math.sqrt(max(0.0, float(indices["sigma"][place]) ** 2 - noise**2))
        yield factor, "spread of effects", spread, None, None, "; ".join([*flags, *_luck_of_spread(noise)])


def _luck_of_spread(noise: float) -> list[str]:
    return ["corrected for luck"] if noise else []


def _words(flags: Sequence[str]) -> list[str]:
    return [flag.replace("pairs", "trajectories").replace("differences", "effects") for flag in flags]


def _step(levels: int) -> float:
    """How far a factor moves in a trajectory, as a part of its range (Morris 1991)."""
    return levels / (2 * (levels - 1))


def elementary_effects(sample: Sample, means: Array) -> Array:
    """The effect of each factor in each trajectory of a Morris design, shape (trajectories, factors)."""
    count = len(sample.factors)
    units = sample.units.reshape(sample.size, count + 1, count)
    moves = np.diff(units, axis=1)
    changes = np.diff(means.reshape(sample.size, count + 1), axis=1)
    moved = np.argmax(abs(moves), axis=2)
    effects = np.empty((sample.size, count))
    sizes = np.take_along_axis(moves, moved[:, :, None], axis=2)[:, :, 0]
    np.put_along_axis(effects, moved, changes / sizes, axis=1)
    return effects
