"""What a calibration found, as tables, a page in Markdown and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.results.figure import stacked
from sim.study.calibration.file import Calibration
from sim.study.calibration.left_out import Tests, WithoutMechanism
from sim.study.calibration.matching import Waves, fit_of, implausibility, worth
from sim.study.plot.picture import Panel, Picture, row
from sim.study.plot.seen import BELOW, BY_SEEN, X_BY_SEEN, against_seen, series_in_words
from sim.study.plot.words import Words
from sim.study.validation.error_model import covariance, predicted
from sim.study.validation.groups import Group
from sim.study.validation.observations import Observation
from sim.study.validation.pages import rolling_origins, series_left_out
from sim.study.validation.scores import Forecast, weighted_quantiles
from sim.study.validation.scoring import Score
from sim.study.validation.series import series_of, to_scale

UNIDENTIFIED = 0.9  # of the prior's spread that is left
CORRELATED = 0.3
BOUND = 0.1  # of a range: a median so near to an end of it asks for a mechanism
CHANCE = 1.36  # times one over the root of the number of points: Kolmogorov and Smirnov's distance at 5 %
CONFLICT = 1.0  # mean distance, in standard deviations, of what is left from a figure


@dataclass(frozen=True)
class Learnt:
    """What is left of a parameter's range: quantiles, and its spread by that of the prior."""

    key: str
    low: float
    high: float
    left: Sequence[float]  # 5, 50 and 95 %
    spread: float
    tied_to: str  # the parameter it is most correlated with among what is left
    correlation: float
    drawn: bool  # whether no figure was thought to tell it
    from_prior: float  # the largest distance between the distributions of what is left and of the prior

    @property
    def at_bound(self) -> bool:
        """Whether the median of a learnt parameter lies within a tenth of its range from a bound."""
        place = (self.left[1] - self.low) / (self.high - self.low)
        return not self.drawn and not BOUND <= place <= 1.0 - BOUND


def what_was_learnt(calibration: Calibration, waves: Waves, credible: Array) -> list[Learnt]:
    """Each parameter's marginal among the sets that are not ruled out, by their weights (sets,)."""
    units, weights = waves.units[credible > 0], credible[credible > 0]
    order = _correlations(units, weights)
    learnt = []
    for place, key in enumerate(calibration.keys):
        low, high = calibration.low[place], calibration.high[place]
        left = low + weighted_quantiles(units[:, place], weights, (0.05, 0.5, 0.95)) * (high - low)
        middle = np.average(units[:, place], weights=weights)
        spread = np.sqrt(np.average(np.square(units[:, place] - middle), weights=weights) * 12.0)
        others = np.abs(order[place]) * (np.arange(len(calibration.keys)) != place)
        nearest = int(np.argmax(others))
        learnt.append(
            Learnt(
                *(key, low, high, [float(x) for x in left], float(spread)),
                *(calibration.keys[nearest], float(order[place, nearest])),
                *(key in calibration.drawn, distance_from_even(units[:, place], weights)),
            )
        )
    return learnt


def distance_from_even(points: Array, weights: Array) -> float:
    """Kolmogorov and Smirnov's distance of weighted points (n,) from an even spread over 0 to 1."""
    order = np.argsort(points)
    passed = np.cumsum(weights[order]) / weights.sum()
    before = np.append(0.0, passed[:-1])
    return float(np.max(np.maximum(passed - points[order], points[order] - before)))


def _correlations(units: Array, weights: Array) -> Array:
    """Weighted rank correlations between parameters, (keys, keys)."""
    ranks = np.argsort(np.argsort(units, axis=0, kind="stable"), axis=0, kind="stable").astype(np.float64)
    covariance = np.cov(ranks.T, aweights=weights).reshape(units.shape[1], units.shape[1])
    deviation = np.sqrt(np.diag(covariance))
    correlations: Array = covariance / np.outer(deviation, deviation)
    return correlations


@dataclass(frozen=True)
class Met:
    """How the sets that are left meet a figure, if nothing but the error model's scales is known of its series."""

    of: Observation
    group: str
    matched: bool
    forecast: Forecast
    distance: float  # of the model's mean from the figure, in standard deviations

    @property
    def inside(self) -> bool:
        return self.forecast.holds(self.of.value, 0.9)


def how_figures_are_met(calibration: Calibration, waves: Waves, credible: Array, groups: Sequence[Group]) -> list[Met]:
    """Every figure of a series with a group, matched or not."""
    held = credible > 0
    weights = np.repeat(credible[held], waves.values.shape[1])
    named = {group.name: group for group in groups}
    met = []
    for one in series_of(calibration.observations, calibration.groups):
        group = named[one.group.name]
        scaled = to_scale(waves.values[held][:, :, one.places], group.on)
        scaled = scaled.reshape(-1, len(one.figures))
        spread = np.sqrt(np.diag(covariance(group, one.years)) + np.square(one.errors))
        distance = np.average(one.residuals(scaled) / spread, axis=0, weights=weights)
        for place, o in enumerate(one.figures):
            forecast = predicted(group, None, np.zeros(0), float(o.year), scaled[:, place], weights)
            met.append(Met(o, group.name, o.use == "fit", forecast, -float(distance[place])))
    return met


# Tables.

LEARNT_COLUMNS = ["parameter", "low", "high", "left_05", "left_50", "left_95", "spread_left", "tied_to", "correlation"]
LEARNT_COLUMNS += ["drawn", "distance_from_prior", "at_bound"]
MET_COLUMNS = ["group", "series", "date", "unit", "observed", "matched", "q05", "q25", "q50", "q75", "q95", "inside_90"]
MET_COLUMNS += ["distance"]
MECHANISM_COLUMNS = ["left_out", "figures", "error", "crps", "interval_score", "inside_50", "inside_80", "inside_90"]
MECHANISM_COLUMNS += ["best_distance"]


def learnt_rows(learnt: Sequence[Learnt]) -> list[list[Any]]:
    return [
        [
            *(one.key, one.low, one.high, *one.left, one.spread, one.tied_to, one.correlation),
            *(one.drawn, one.from_prior, one.at_bound),
        ]
        for one in learnt
    ]


def met_rows(met: Sequence[Met]) -> list[list[Any]]:
    """One row per figure, in its own unit."""
    rows: list[list[Any]] = []
    for one in met:
        o = one.of
        quantiles = [o.published(value) for value in one.forecast.shown]
        rows.append([one.group, o.series, o.date, o.unit, o.published(o.value), one.matched, *quantiles])
        rows[-1] += [one.inside, one.distance]
    return rows


def mechanism_rows(mechanisms: Sequence[WithoutMechanism]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for one in mechanisms:
        scores = one.scores
        rows.append([one.mechanism, scores.figures, scores.error, scores.crps, scores.interval_score])
        rows[-1] += [*scores.inside, one.fit]
    return rows


# The page.


def page(
    calibration: Calibration,
    waves: Waves,
    tests: Tests,
    credible: Array,
    learnt: Sequence[Learnt],
    met: Sequence[Met],
    scores: Sequence[Score],
    mechanisms: Sequence[WithoutMechanism],
) -> str:
    """The report in Markdown. What goes against the model comes first."""
    lines = [f"# {calibration.question}", ""]
    lines += [f"Made by `decoupling study calibrate {calibration.name}`; config `{calibration.content['config']}`.", ""]
    lines += ["![Above: what is left of each prior range. Below: the figures that were matched.](calibration.svg)", ""]
    lines += _failures(calibration, learnt, met)
    lines += rolling_origins(scores)
    lines += series_left_out(scores)
    lines += _matching(calibration, waves, tests, credible)
    lines += _learnt(calibration, learnt, worth(credible))
    lines += _errors(tests)
    lines += _figures(met)
    lines += _mechanisms(mechanisms)
    return "\n".join(lines) + "\n"


def _failures(calibration: Calibration, learnt: Sequence[Learnt], met: Sequence[Met]) -> list[str]:
    """Where the model fails, in plain sentences; where rivals are better is said with the rolling origins."""
    lines = ["## Where the model fails", ""]
    failures = [
        f"- {one.of.series} {one.of.date[:4]}: seen {one.of.published(one.of.value):.4g}, outside the 90 % interval "
        f"{one.of.published(one.forecast.low):.4g} to {one.of.published(one.forecast.high):.4g} ({one.of.unit})."
        for one in met
        if not one.inside
    ]
    failures += [
        f"- `{one.key}` lies at a bound of its range (median {one.left[1]:.3g} in {one.low:g} to {one.high:g}): a "
        "parameter at its bound is a missing mechanism."
        for one in learnt
        if one.at_bound
    ]
    return [*lines, *(failures or ["- No figure lies outside its interval and no learnt parameter at a bound."]), ""]


def _matching(calibration: Calibration, waves: Waves, tests: Tests, credible: Array) -> list[str]:
    fit = fit_of(calibration, waves.values, tests.groups)
    kept = implausibility(calibration, fit) <= 1.0
    lines = ["## The matching", ""]
    lines += ["| wave | parameters drawn near the likely sets | sets | not ruled out |", "|---|---|---|---|"]
    for number, region in enumerate(waves.regions):
        inside = waves.wave == number
        narrowed = f"{len(region.narrowed)} of {len(calibration.keys)}"
        lines.append(f"| {number + 1} | {narrowed} | {inside.sum()} | {kept[inside].sum()} |")
    left = float(waves.weights[kept].sum())
    lines += [
        "",
        f"{left:.2g} of the prior volume is not ruled out: each series within what a true set keeps to as often as one "
        f"figure to {calibration.waves.cut:g} standard deviations, and all of them together within what holds for 95 "
        f"of 100 true sets. {fit.figures.sum()} figures of {len(fit.series)} series; {calibration.waves.seeds} seeds a "
        "set. The figures of one series are not taken as independent: their errors share a standing part and a random "
        "walk (below).",
        "",
        f"What is left is weighted by its likelihood to the power {tests.temper:g}: the highest of those tried by "
        "which the coverage of what was left out is as near to nominal as it gets, and the sets that were run are "
        "worth an ensemble. So weighted they are worth "
        f"{worth(credible):.0f} equal ones. The ensemble is drawn by these weights, without repetition.",
        "",
    ]
    return lines


def _learnt(calibration: Calibration, learnt: Sequence[Learnt], sets: float) -> list[str]:
    lines = ["## What was learnt about each parameter", ""]
    lines += [
        "| parameter | unit | prior | left: 5 / 50 / 95 % | spread left | distance from the prior | most tied to |"
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    for one in learnt:
        quantiles = " / ".join(f"{value:.3g}" for value in one.left)
        tie = f"`{one.tied_to}` ({one.correlation:+.2f})" if abs(one.correlation) >= CORRELATED else ""
        unit = calibration.scenario.world.parameters[one.key].unit
        name = f"`{one.key}`" + (", drawn" if one.drawn else "")
        lines.append(
            f"| {name} | {unit} | {one.low:g} to {one.high:g} | {quantiles} | {one.spread:.2f} | "
            f"{one.from_prior:.2f} | {tie} |"
        )
    unknown = [f"`{one.key}`" for one in learnt if one.spread >= UNIDENTIFIED and not one.drawn]
    limit = CHANCE / np.sqrt(sets)
    told = [f"`{one.key}`" for one in learnt if one.drawn and one.from_prior > limit]
    lines += [
        "",
        "Spread left: the standard deviation of what is left by that of the prior; 1 is nothing learnt. Distance from "
        "the prior: the largest difference of the two distribution functions (Kolmogorov and Smirnov); up to "
        f"{limit:.2f} is chance in so many sets.",
        f"Not identified (spread left of 0.9 or more): {', '.join(unknown) or 'none'}. They stay as uncertainty.",
    ]
    if any(one.drawn for one in learnt):
        lines += [
            "Drawn: what no figure was thought to tell; it is varied with the rest and stays with its set, so that "
            "every set meets the figures as a whole. "
            + (f"Figures do tell something of {', '.join(told)}." if told else "All are still spread as their priors.")
        ]
    return [*lines, ""]


def _errors(tests: Tests) -> list[str]:
    lines = ["## The model's error", ""]
    lines += [
        "figure = model + standing error of the series + random walk + published error, in logs for flows and log-odds "
        "for shares (0.1 is about 10 %). Standard deviations: geometric mean and 5 to 95 % of what the residuals of "
        "left-out series and years leave; the scales a priori are in the calibration's file.",
        "",
        "| group | scale | standing error | change in a year | published error | Student's freedom | series |",
        "|---|---|---|---|---|---|---|",
    ]
    for scales in tests.scales.values():
        group = scales.group()
        cells = [
            group.name.replace("_", " "),
            group.on,
            _with_range(group.intercept, scales.quantiles(scales.intercepts)),
            _with_range(group.innovation, scales.quantiles(scales.innovations)),
            f"{group.figure:g}",
            "normal" if np.isinf(group.freedom) else f"{group.freedom:g}",
            str(len(scales.by_series)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _with_range(value: float, ends: Sequence[float]) -> str:
    return f"{value:.2f} ({ends[0]:.2f} to {ends[1]:.2f})"


def _figures(met: Sequence[Met]) -> list[str]:
    lines = ["## How the figures are met, and which conflict", ""]
    lines += ["| series | year | unit | seen | 5 / 50 / 95 % | inside | distance |", "|---|---|---|---|---|---|---|"]
    for one in met:
        o, f = one.of, one.forecast
        quantiles = " / ".join(f"{o.published(value):.4g}" for value in (f.low, f.median, f.high))
        lines.append(
            f"| {o.series} | {o.date[:4]} | {o.unit} | {o.published(o.value):.4g} | {quantiles} | "
            f"{'yes' if one.inside else 'no'} | {one.distance:+.2f}{'' if one.matched else ', not matched'} |"
        )
    lines += [
        "",
        "Distance: of the model's mean from the figure, in standard deviations of the error model; figures pull apart "
        "where it is far from 0.",
    ]
    above = [f"{one.of.series} {one.of.date[:4]}" for one in met if one.matched and one.distance > CONFLICT]
    below = [f"{one.of.series} {one.of.date[:4]}" for one in met if one.matched and one.distance < -CONFLICT]
    lines += [f"The model is high for {', '.join(above)}."] if above else []
    lines += [f"The model is low for {', '.join(below)}."] if below else []
    lines += [] if above or below else ["No figure stands more than one standard deviation from the rest."]
    return [*lines, ""]


def _mechanisms(mechanisms: Sequence[WithoutMechanism]) -> list[str]:
    lines = [
        "## Each mechanism left out",
        "",
        "Each series is forecast from the others, with sets of the first wave weighted by likelihood. Best distance: "
        "root mean square over all matched figures, in standard deviations, of the best set.",
        "",
        "| left out | mean error | CRPS | interval score | inside 90 % | best distance |",
        "|---|---|---|---|---|---|",
    ]
    for one in mechanisms:
        scores = one.scores
        inside = f"{scores.inside[2]} of {scores.figures}"
        lines.append(
            f"| {one.mechanism} | {scores.error:.3f} | {scores.crps:.3f} | {scores.interval_score:.2f} | {inside} | "
            f"{one.fit:.2f} |"
        )
    return lines


def figure(calibration: Calibration, learnt: Sequence[Learnt], met: Sequence[Met]) -> str:
    """What is left of each prior range; below it the figures and the model's intervals, seen = 1. An SVG's text."""
    from sim.study.plot.figure import draw

    pictures = (_picture_of_learnt(calibration, learnt), _picture_of_figures(calibration, met))
    return stacked([draw(picture, "svg").decode() for picture in pictures])


def _picture_of_learnt(calibration: Calibration, learnt: Sequence[Learnt]) -> Picture:
    """Each parameter in parts of its prior range: those of which figures tell something, and those that are drawn."""
    panels = []
    words = Words([], calibration.scenario.world.names)
    kinds = {"told by the figures": False, "drawn: no figure was thought to tell it": True}
    for title, is_drawn in kinds.items():
        lines = []
        for one in learnt:
            if one.drawn is is_drawn:
                low, middle, high = ((value - one.low) / (one.high - one.low) for value in one.left)
                lines.append(row(words.key(one.key), low, middle, high))
        if lines:
            panels.append(Panel(title, tuple(lines), x_label="part of the prior range", whole=(0.0, 1.0)))
    return Picture(
        "cases",
        "What the figures leave of each prior range",
        "grey: the prior range; blue: median and 5 to 95 % of what is left",
        tuple(panels),
        "",
        _source(calibration),
        (),
    )


def _picture_of_figures(calibration: Calibration, met: Sequence[Met]) -> Picture:
    """Every figure that was matched: the model's forecast by what was seen."""
    shown = [one for one in met if one.matched and one.of.value > 0]
    names = calibration.scenario.world.names
    lines = [
        against_seen(f"{series_in_words(one.of.series, names)}, {one.of.date[:4]}", one.of.value, one.forecast.shown)
        for one in shown
    ]
    return Picture(
        "cases",
        "The figures that were matched",
        BY_SEEN,
        (Panel("", tuple(lines), x_label=X_BY_SEEN, mark=1.0, ratios=True),),
        "",
        _source(calibration),
        (),
        meanings=(BELOW,),
    )


def _source(calibration: Calibration) -> str:
    return f"Source: decoupling study calibrate {calibration.name}; config {calibration.content['config']}."
