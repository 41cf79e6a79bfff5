"""Which factors move an outcome: Sobol and Morris indices of a sampled design, and the share of luck.

Indices are of the mean over parameter sets and seeds at each point, less the luck that is left in that mean. They are
SALib's; the share that is due to seeds comes from the crossed analysis of variance of points by seeds, each the mean
over parameter sets. How far the intervals hold is in docs/INTERVALS.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.arrays import Array
from sim.compare.intervals import FEW, NOISE, student, t_quantile, without_noise
from sim.errors import BadInput
from sim.experiment.designs import Part, Sample
from sim.results import records
from sim.results.figure import drawing, open_frame, svg_text
from sim.results.files import write_ours
from sim.study.outcomes import Outcomes, read_batch, read_outcomes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.95
RESAMPLES = 1000
SEEDS, POINTS = "(seeds)", "(points)"  # stand where a factor's name would
MEDIAN = "median, 5 to 95 % of points"
SHOWN_FACTORS = 12
FEW_SEEDS = 10
FEW_SAMPLES = 64  # base points of a Sobol design
GROUPS = 20  # of points, for the jackknife
HEADER = ["config", "part", "outcome", "factor", "index", "value", "low", "high", "flags"]
NORMAL_SEEDS = "the interval takes the seeds' effects as near normal"


@dataclass(frozen=True)
class Index:
    """One index of one factor with its 95 % interval, None where none holds; `flags` say why, and what is unsure.

    Under `POINTS` stands the outcome itself: its median over the points, between their 5 and 95 % points.
    """

    config: str
    part: str
    outcome: str
    factor: str
    index: str
    value: float
    low: float | None = None
    high: float | None = None
    flags: str = ""

    def row(self) -> list[Any]:
        return [getattr(self, name) for name in HEADER]


def sensitivity(folder: str | Path, measures: Sequence[str]) -> tuple[list[Index], list[str]]:
    """The indices of every config, sampled part and measure, and sentences on what cannot be told.

    Where the experiment names a baseline, also those of every other config's difference to it, point by point and
    seed by seed, as "CONFIG less BASELINE".
    A measure stands for its end, or names an outcome such as `chip_market@2030`. Raises BadInput for a result
    without a Sobol or Morris design, IncompleteInput for one that lacks runs or values.
    """
    batch = read_batch(folder)
    outcomes = [batch.outcome_name(measure, "--measure") for measure in dict.fromkeys(measures)]
    runs = read_outcomes(batch, outcomes)
    sampled = [part for part in runs.parts if part.kind in ("sobol", "morris")]
    if not sampled:
        kinds = ", ".join(dict.fromkeys(part.kind for part in runs.parts))
        raise BadInput(f'{folder}: has the design {kinds}; indices need kind = "sobol" or "morris" in [design]')
    indices: list[Index] = []
    notes: list[str] = []
    for outcome in outcomes:
        for part in sampled:
            for config, values in _answers(runs, outcome, part):
                start = (config, part.name, outcome)
                means = values.mean(axis=1)
                luck = luck_of_means(values)
                if np.ptp(means) == 0:
                    notes.append(f"{outcome} of {' '.join(start[:2]).strip()} is the same at every point: no indices")
                elif luck >= means.var():
                    of = " ".join(start[:2]).strip()
                    notes.append(f"{outcome} of {of} differs between points by luck alone: no indices; run more seeds")
                else:
                    indices += [Index(*start, *rest) for rest in _of_factors(part, means, luck, values.shape[1])]
                    indices.append(Index(*start, POINTS, MEDIAN, *_middle(means)))
                indices += [Index(*start, SEEDS, *rest) for rest in _of_seeds(values)]
    if len(runs.sets) * len(runs.seeds) == 1:
        notes.append("One seed: what is due to luck cannot be told; give replications = 2 or more")
    return indices, notes


def _answers(runs: Outcomes, outcome: str, part: Part) -> Iterator[tuple[str, Array]]:
    """The outcome of every config and of every difference to the baseline, shape (points, seeds): means over sets."""
    shape = (len(part.points), len(runs.sets), len(runs.seeds))
    held = {
        config: runs.of_part(outcome, number, part).reshape(shape).mean(axis=1)
        for number, config in enumerate(runs.configs)
    }
    yield from held.items()
    if baseline := runs.batch.experiment.baseline:
        others = {config: values for config, values in held.items() if config != baseline}
        yield from ((f"{config} less {baseline}", values - held[baseline]) for config, values in others.items())


def _middle(means: Array) -> tuple[float, float, float]:
    """The median over the points, and their 5 and 95 % points."""
    low, middle, high = (float(q) for q in np.quantile(means, (0.05, 0.5, 0.95)))
    return middle, low, high


def luck_of_means(values: Array) -> float:
    """The variance between points that luck alone makes in their means over seeds; `values` are (points, seeds).

    Seeds that act alike at all points move no index: it is the mean square of the rest, over the number of seeds.
    """
    points, seeds = values.shape
    luck = 0.0 if min(points, seeds) < 2 else mean_squares(values)[2] / seeds
    return luck if luck > NOISE**2 * np.square(values).max() else 0.0


def _of_factors(part: Part, means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
    """(factor, index, value, low, high, flags) of a Sobol or Morris design; `means` has shape (points,)."""
    sample = part.points
    assert isinstance(sample, Sample)
    yield from (_sobol if part.kind == "sobol" else _morris)(sample, means, luck, seeds)


def _sobol(sample: Sample, means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
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
    flags = _luck_flags(part, seeds)
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


def _luck_flags(part: float, seeds: int) -> list[str]:
    if seeds == 1:
        return ["one seed: holds its luck"]
    if part > 0.5:
        return [f"corrected for luck, which is {part:.0%} of the variance between points: run more seeds"]
    return [f"corrected for luck, {part:.1%} of the variance between points"] if part >= 0.001 else []


def _morris(sample: Sample, means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
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


def _of_seeds(values: Array) -> list[tuple[Any, ...]]:
    """(index, value, low, high, flags) for the shares of variance due to seeds; `values` has shape (points, seeds).

    Intervals are of the jackknife on the logit, over seeds and over groups of points (Shao and Tu 1995), with
    Student's t on the seeds; below ten seeds there is none. That of the first share covers less where the effects that
    all points have in common are far from normal, which so few seeds do not show: it is always flagged.
    """
    points, seeds = values.shape
    if seeds < 2 or points < 2 or np.ptp(values) == 0:
        return []
    shares = seed_shares(values)
    names = ("share of variance", "share of variance, differing between points")
    if seeds < FEW_SEEDS:
        return [
            (name, share, None, None, f"{seeds} seeds: no interval below {FEW_SEEDS}")
            for name, share in zip(names, shares, strict=True)
        ]
    groups = np.array_split(np.arange(points), min(points, GROUPS))
    without_seed = np.array([seed_shares(np.delete(values, seed, axis=1)) for seed in range(seeds)])
    without_group = np.array([seed_shares(np.delete(values, group, axis=0)) for group in groups if points > 2])
    rows: list[tuple[Any, ...]] = []
    for place, (name, share) in enumerate(zip(names, shares, strict=True)):
        kept = [drawn[:, place] for drawn in (without_seed, without_group) if len(drawn)]
        everything = np.concatenate([[share], *kept])
        if ((everything > 0) & (everything < 1)).all():
            variance = sum((len(drawn) - 1) * np.log(drawn / (1 - drawn)).var() for drawn in kept)
            reach = t_quantile(seeds - 1, LEVEL) * math.sqrt(variance)
            rows.append((name, share, _moved(share, -reach), _moved(share, reach), NORMAL_SEEDS if place == 0 else ""))
        else:
            rows.append((name, share, None, None, "no interval: at the end of its range"))
    return rows


def _moved(share: float, by: float) -> float:
    """A share moved on the logit scale."""
    return 1 / (1 + (1 - share) / share * math.exp(-by))


def seed_shares(values: Array) -> tuple[float, float]:
    """The parts of the variance of (points, seeds) that are due to seeds at all, and to seeds differently by point.

    Variance components of the crossed design without repeats (Searle, Casella and McCulloch 1992, ch. 4): points a,
    seeds b, rest e, from the mean squares; negative estimates count as zero.
    """
    of_points, of_seeds, of_rest = mean_squares(values)
    points, seeds = values.shape
    between_points = max(0.0, (of_points - of_rest) / seeds)
    between_seeds = max(0.0, (of_seeds - of_rest) / points)
    whole = between_points + between_seeds + of_rest
    return ((between_seeds + of_rest) / whole, of_rest / whole) if whole > 0 else (0.0, 0.0)


def mean_squares(values: Array) -> tuple[float, float, float]:
    """The mean squares of points, of seeds and of the rest; `values` has shape (points, seeds), two of each or more."""
    points, seeds = values.shape
    by_point, by_seed, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    rest = values - by_point[:, None] - by_seed + mean
    of_rest = float(np.square(rest).sum() / ((points - 1) * (seeds - 1)))
    of_points = float(seeds * np.square(by_point - mean).sum() / (points - 1))
    of_seeds = float(points * np.square(by_seed - mean).sum() / (seeds - 1))
    return of_points, of_seeds, of_rest


def write(indices: Sequence[Index], out: Path) -> None:
    """`sensitivity.csv` and `sensitivity.svg` in a folder."""
    lines = [records.line(HEADER), *(records.line(index.row()) for index in indices)]
    write_ours(out, {"sensitivity.csv": "".join(lines), "sensitivity.svg": figure(indices)})


# What each design's panel shows: the index that ranks the factors, then its companion.
SHOWN = {"total": "first order", "mean absolute effect": "spread of effects"}
COLOURS = ("#1f5a92", "#9cc3e5")


def figure(indices: Sequence[Index]) -> str:
    """One panel for each config, part and outcome: the first factors by rank, with intervals. An SVG's text."""
    from matplotlib.figure import Figure

    panels: dict[tuple[str, str, str], list[Index]] = {}
    for index in indices:
        panels.setdefault((index.outcome, index.config, index.part), []).append(index)
    most = min(SHOWN_FACTORS, max(len({index.factor for index in panel}) for panel in panels.values()))
    with drawing("sensitivity", font_size=10):
        drawn = Figure(figsize=(8, (1.5 + 0.5 * most) * len(panels)), layout="constrained")
        axes = drawn.subplots(len(panels), 1, squeeze=False)
        for axis, ((outcome, config, part), panel) in zip(axes[:, 0], panels.items(), strict=True):
            _draw(axis, panel)
            axis.set_title(f"{outcome}, {' '.join([config, part]).strip()}{_luck(panel)}", loc="left", fontsize=10)
        return svg_text(drawn)


def _draw(axis: Axes, panel: Sequence[Index]) -> None:
    ranked = next((index.index for index in panel if index.index in SHOWN), None)
    if ranked is None:
        axis.text(0.0, 0.5, "the same at every point")
        axis.set_axis_off()
        return
    order = sorted((index for index in panel if index.index == ranked), key=lambda index: index.value)
    order = order[-SHOWN_FACTORS:]
    factors = [index.factor for index in order]
    for shift, name, colour in ((0.2, ranked, COLOURS[0]), (-0.2, SHOWN[ranked], COLOURS[1])):
        by_factor = {index.factor: index for index in panel if index.index == name}
        bars = [by_factor[factor] for factor in factors]
        errors = [0.0 if bar.high is None else bar.high - bar.value for bar in bars]
        axis.barh(
            [place + shift for place in range(len(bars))],
            [bar.value for bar in bars],
            height=0.36,
            color=colour,
            label=name,
            xerr=errors if any(errors) else None,
            error_kw={"elinewidth": 1, "ecolor": "#444444"},
        )
    axis.set_yticks(range(len(factors)), factors)
    axis.axvline(0, color="#444444", linewidth=0.8)
    axis.legend(frameon=False, loc="best")
    open_frame(axis)
    axis.set_xlabel("part of the variance" if ranked == "total" else "change of the outcome over a factor's range")


def _luck(panel: Sequence[Index]) -> str:
    share = next((index.value for index in panel if index.factor == SEEDS), None)
    return "" if share is None else f"; seeds make {share:.0%} of the variance"
