"""Which factors move an outcome: Sobol and Morris indices of a sampled design, and the share of luck.

Indices are of the mean over parameter sets and seeds at each point. They are SALib's; the share that is due to seeds
comes from the crossed analysis of variance of points by seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.arrays import Array
from sim.errors import BadInput
from sim.experiment.designs import Part, Sample
from sim.results import records
from sim.results.figure import drawing, open_frame, svg_text
from sim.results.files import write_aside, writing
from sim.study.outcomes import Outcomes, read_batch, read_outcomes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.95
RESAMPLES = 1000
SEEDS, POINTS = "(seeds)", "(points)"  # stand where a factor's name would
MEDIAN = "median, 5 to 95 % of points"
SHOWN_FACTORS = 12
HEADER = ["config", "part", "outcome", "factor", "index", "value", "low", "high"]


@dataclass(frozen=True)
class Index:
    """One index of one factor with its 95 % interval; None where it cannot be told.

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

    def row(self) -> list[Any]:
        return [getattr(self, name) for name in HEADER]


def sensitivity(folder: Path, measures: Sequence[str]) -> tuple[list[Index], list[str]]:
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
                if np.ptp(values.mean(axis=1)) == 0:
                    notes.append(f"{outcome} of {' '.join(start[:2]).strip()} is the same at every point: no indices")
                else:
                    indices += [Index(*start, *rest) for rest in _of_factors(part, values.mean(axis=1))]
                    indices.append(Index(*start, POINTS, MEDIAN, *_middle(values.mean(axis=1))))
                indices += [Index(*start, SEEDS, *rest) for rest in _of_seeds(values)]
    if len(runs.sets) * len(runs.seeds) == 1:
        notes.append("One seed: what is due to luck cannot be told; give replications = 2 or more")
    return indices, notes


def _answers(runs: Outcomes, outcome: str, part: Part) -> Iterator[tuple[str, Array]]:
    """The outcome of every config and of every difference to the baseline, shape (points, pairs)."""
    held = {config: runs.of_part(outcome, number, part) for number, config in enumerate(runs.configs)}
    yield from held.items()
    if baseline := runs.batch.experiment.baseline:
        others = {config: values for config, values in held.items() if config != baseline}
        yield from ((f"{config} less {baseline}", values - held[baseline]) for config, values in others.items())


def _middle(means: Array) -> tuple[float, float, float]:
    """The median over the points, and their 5 and 95 % points."""
    low, middle, high = (float(q) for q in np.quantile(means, (0.05, 0.5, 0.95)))
    return middle, low, high


def _of_factors(part: Part, means: Array) -> list[tuple[Any, ...]]:
    """(factor, index, value, low, high) of a Sobol or Morris design; `means` has shape (points,)."""
    sample = part.points
    assert isinstance(sample, Sample)
    keep: dict[str, Any] = {"num_resamples": RESAMPLES, "conf_level": LEVEL, "seed": 1}
    if part.kind == "sobol":
        from SALib.analyze import sobol

        indices = sobol.analyze(sample.problem, means, calc_second_order=False, **keep)
        wanted = {"first order": ("S1", "S1_conf"), "total": ("ST", "ST_conf")}
    else:
        from SALib.analyze import morris

        indices = morris.analyze(sample.problem, sample.units, means, num_levels=sample.levels, **keep)
        wanted = {
            "mean absolute effect": ("mu_star", "mu_star_conf"),
            "mean effect": ("mu", ""),
            "spread of effects": ("sigma", ""),
        }
    rows: list[tuple[Any, ...]] = []
    for place, factor in enumerate(sample.factors):
        for index, (key, conf) in wanted.items():
            value = float(indices[key][place])
            width = float(indices[conf][place]) if conf else None
            interval = (None, None) if width is None else (value - width, value + width)
            rows.append((factor, index, value, *interval))
    return rows


def _of_seeds(values: Array) -> list[tuple[Any, ...]]:
    """(index, value, low, high) for the share of variance that is due to seeds; `values` has shape (points, seeds).

    Intervals resample points.
    """
    if values.shape[1] < 2 or len(values) < 2 or np.ptp(values) == 0:
        return []
    chance = np.random.default_rng(1)
    drawn = np.array([seed_shares(values[chance.integers(len(values), size=len(values))]) for _ in range(RESAMPLES)])
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    names = ("share of variance", "share of variance, differing between points")
    shares = seed_shares(values)
    return [(name, shares[place], float(low[place]), float(high[place])) for place, name in enumerate(names)]


def seed_shares(values: Array) -> tuple[float, float]:
    """The parts of the variance of (points, seeds) that are due to seeds at all, and to seeds differently by point.

    Variance components of the crossed design without repeats (Searle, Casella and McCulloch 1992, ch. 4): points a,
    seeds b, rest e, from the mean squares; negative estimates count as zero.
    """
    points, seeds = values.shape
    by_point, by_seed, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    rest = values - by_point[:, None] - by_seed + mean
    of_rest = float(np.square(rest).sum() / ((points - 1) * (seeds - 1)))
    of_points = max(0.0, float(seeds * np.square(by_point - mean).sum() / (points - 1) - of_rest) / seeds)
    of_seeds = max(0.0, float(points * np.square(by_seed - mean).sum() / (seeds - 1) - of_rest) / points)
    whole = of_points + of_seeds + of_rest
    return ((of_seeds + of_rest) / whole, of_rest / whole) if whole > 0 else (0.0, 0.0)


def write(indices: Sequence[Index], out: Path) -> None:
    """`sensitivity.csv` and `sensitivity.svg` in a folder."""
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        lines = [records.line(HEADER), *(records.line(index.row()) for index in indices)]
        write_aside(out / "sensitivity.csv", [line.encode() for line in lines])
        write_aside(out / "sensitivity.svg", [figure(indices).encode()])


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
