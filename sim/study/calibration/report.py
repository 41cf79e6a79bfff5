"""What a calibration found, as tables, a page in Markdown and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.results.figure import drawing, open_frame, svg_text
from sim.study.calibration.file import Calibration
from sim.study.calibration.left_out import WithoutMechanism
from sim.study.calibration.matching import Waves, counted, credibility, implausibility, standard_distances
from sim.study.validation.observations import Observation
from sim.study.validation.scores import Forecast, interval_score, weighted_quantiles
from sim.study.validation.scoring import Duel, Scored, duels, is_scored, not_scored_and_outside, predicted

UNIDENTIFIED = 0.9  # of the prior's spread that is left
CORRELATED = 0.3
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


def what_was_learnt(calibration: Calibration, waves: Waves) -> list[Learnt]:
    """Each parameter's marginal among the sets that are not ruled out, by their weights."""
    credible = waves.weights * credibility(calibration, waves.values)
    units, weights = waves.units[credible > 0], credible[credible > 0]
    order = _correlations(units, weights)
    learnt = []
    for place, key in enumerate(calibration.keys):
        low, high = float(calibration.low[place]), float(calibration.high[place])
        left = low + weighted_quantiles(units[:, place], weights, (0.05, 0.5, 0.95)) * (high - low)
        middle = np.average(units[:, place], weights=weights)
        spread = np.sqrt(np.average(np.square(units[:, place] - middle), weights=weights) * 12.0)
        others = np.abs(order[place]) * (np.arange(len(calibration.keys)) != place)
        nearest = int(np.argmax(others))
        tied = calibration.keys[nearest]
        learnt.append(
            Learnt(key, low, high, [float(x) for x in left], float(spread), tied, float(order[place, nearest]))
        )
    return learnt


def _correlations(units: Array, weights: Array) -> Array:
    """Weighted rank correlations between parameters, (keys, keys)."""
    ranks = np.argsort(np.argsort(units, axis=0, kind="stable"), axis=0, kind="stable").astype(np.float64)
    covariance = np.cov(ranks.T, aweights=weights).reshape(units.shape[1], units.shape[1])
    deviation = np.sqrt(np.diag(covariance))
    correlations: Array = covariance / np.outer(deviation, deviation)
    return correlations


@dataclass(frozen=True)
class Met:
    """How the sets that are left meet a figure: the forecast, the mean distance, and what the figure alone leaves."""

    of: Observation
    series: str
    date: str
    unit: str
    observed: float
    matched: bool
    forecast: Forecast  # in the observation's unit
    inside: bool
    distance: float
    left_by_it: float
    left_by_others: float


def how_figures_are_met(calibration: Calibration, waves: Waves) -> list[Met]:
    """Every figure after the base year, matched or not."""
    credible = waves.weights * credibility(calibration, waves.values)
    weights = waves.weights
    distances = standard_distances(calibration, waves.values)
    met = []
    for place, o in enumerate(calibration.observations):
        forecast = predicted(waves.values[:, :, place], o, float(calibration.discrepancy[place]), credible)
        inside = forecast.low <= o.value <= forecast.high
        matched = bool(calibration.matched[place])
        alone = np.abs(distances[:, place]) <= calibration.waves.cut
        others = implausibility(calibration, waves.values, counted(calibration, left_out=[o.series])) <= 1.0
        met.append(
            Met(
                o,
                o.series,
                o.date,
                o.unit,
                o.published(o.value),
                matched,
                Forecast(*(o.published(value) for value in vars(forecast).values())),
                inside,
                float(np.average(distances[:, place], weights=credible)) if matched else float("nan"),
                float(weights[alone].sum()) if matched else float("nan"),
                float(weights[others].sum()),
            )
        )
    return met


# Tables.

LEARNT_COLUMNS = ["parameter", "low", "high", "left_05", "left_50", "left_95", "spread_left", "tied_to", "correlation"]


def learnt_rows(learnt: Sequence[Learnt]) -> list[list[Any]]:
    return [[one.key, one.low, one.high, *one.left, one.spread, one.tied_to, one.correlation] for one in learnt]


SCORED_COLUMNS = ["test", "origin", "series", "date", "unit", "observed", "error", "forecaster"]
SCORED_COLUMNS += ["q05", "q25", "q50", "q75", "q95", "inside_90", "interval_score"]


def scored_rows(scored: Sequence[Scored]) -> list[list[Any]]:
    """One row per figure and forecaster, in the observation's unit."""
    rows: list[list[Any]] = []
    for row in scored:
        o = row.observation
        for name, forecast in {"model": row.model, **row.rivals}.items():
            if forecast is not None:
                quantiles = [o.published(value) for value in vars(forecast).values()]
                score = o.published(interval_score(forecast.low, forecast.high, o.value))
                inside = forecast.low <= o.value <= forecast.high
                about = [row.test, row.origin, o.series, o.date, o.unit, o.published(o.value), o.published(o.error)]
                rows.append([*about, name, *quantiles, inside, score])
    return rows


# The page.


def page(
    calibration: Calibration,
    waves: Waves,
    learnt: Sequence[Learnt],
    met: Sequence[Met],
    scored: Sequence[Scored],
    mechanisms: Sequence[WithoutMechanism],
) -> str:
    """The report in Markdown. What goes against the model comes first."""
    kept = implausibility(calibration, waves.values) <= 1.0
    lines = [f"# {calibration.question}", ""]
    lines += [f"Made by `decoupling study calibrate {calibration.name}`; config `{calibration.content['config']}`.", ""]
    lines += ["![Left: what is left of each prior range. Right: the figures that were matched.](calibration.svg)", ""]
    lines += _losses(met, scored)
    lines += ["## The matching", ""]
    lines += ["| wave | part of the prior volume it samples | sets | not ruled out |", "|---|---|---|---|"]
    for number, region in enumerate(waves.regions):
        inside = waves.wave == number
        lines.append(f"| {number + 1} | {region.volume:.3g} | {inside.sum()} | {kept[inside].sum()} |")
    left = float(waves.weights[kept].sum())
    lines += [
        "",
        f"{left:.2g} of the prior volume is not ruled out (cut {calibration.waves.cut:g}, and all figures together "
        f"within what holds for 95 of 100 true sets). {calibration.waves.seeds} seeds a set.",
        "",
        "What is left is weighted by its likelihood; the ensemble is drawn by these weights, without repetition.",
        "",
        "## What was learnt about each parameter",
        "",
        "| parameter | unit | prior | left: 5 / 50 / 95 % | spread left | most tied to |",
        "|---|---|---|---|---|---|",
    ]
    for one in learnt:
        quantiles = " / ".join(f"{value:.3g}" for value in one.left)
        tie = f"`{one.tied_to}` ({one.correlation:+.2f})" if abs(one.correlation) >= CORRELATED else ""
        unit = calibration.scenario.world.parameters[one.key].unit
        lines.append(f"| `{one.key}` | {unit} | {one.low:g} to {one.high:g} | {quantiles} | {one.spread:.2f} | {tie} |")
    unknown = [f"`{one.key}`" for one in learnt if one.spread >= UNIDENTIFIED]
    lines += ["", "Spread left: the standard deviation of what is left by that of the prior; 1 is nothing learnt."]
    lines += [f"Not identified (0.9 or more): {', '.join(unknown) or 'none'}. They are carried as uncertainty.", ""]
    lines += _figures(met)
    lines += _tests(scored)
    lines += _mechanisms(mechanisms)
    return "\n".join(lines) + "\n"


def _losses(met: Sequence[Met], scored: Sequence[Scored]) -> list[str]:
    """Where the model fails or loses, in plain sentences."""
    lines = ["## Where the model fails", ""]
    losses = [
        f"- {one.series} {one.date[:4]}: seen {one.observed:.4g}, outside the 90 % interval "
        f"{one.forecast.low:.4g} to {one.forecast.high:.4g} ({one.unit})."
        for one in met
        if not one.inside and is_scored(one.of)
    ]
    losses += [f"- {text}" for text in not_scored_and_outside([one.of for one in met if not one.inside])]
    for name, rows in by_test(scored).items():
        for duel in duels(rows):
            if duel.losses:
                losses.append(
                    f"- {name} ({duel.model.count} figures): worse than {duel.rival} in {' and '.join(duel.losses)}."
                )
    return [*lines, *(losses or ["- Nowhere among the figures and tests below."]), ""]


def by_test(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """All tests pooled, then each by itself."""
    tests = {"All left out": list(scored)}
    for row in scored:
        tests.setdefault(row.test[:1].upper() + row.test[1:], []).append(row)
    return tests


def _figures(met: Sequence[Met]) -> list[str]:
    lines = ["## How the figures are met, and which conflict", ""]
    lines += [
        "| series | year | unit | seen | 5 / 50 / 95 % | inside | mean distance | left by it | left by the others |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in met:
        if not is_scored(one.of):
            continue
        quantiles = f"{one.forecast.low:.4g} / {one.forecast.median:.4g} / {one.forecast.high:.4g}"
        distance = (
            f"{one.distance:+.2f} | {one.left_by_it:.2g} | {one.left_by_others:.2g}"
            if one.matched
            else "not matched | |"
        )
        lines.append(
            f"| {one.series} | {one.date[:4]} | {one.unit} | {one.observed:.4g} | {quantiles} | "
            f"{'yes' if one.inside else 'no'} | {distance} |"
        )
    against = [one for one in met if one.matched and abs(one.distance) > CONFLICT]
    lines += [
        "",
        "Mean distance: of the sets that are left, in standard deviations; figures pull apart where it is far from 0.",
    ]
    if against:
        above = ", ".join(f"{one.series} {one.date[:4]} (model too high)" for one in against if one.distance > 0)
        below = ", ".join(f"{one.series} {one.date[:4]} (model too low)" for one in against if one.distance < 0)
        lines.append(f"In conflict with the rest: {'; '.join(part for part in (above, below) if part)}.")
    else:
        lines.append("No figure stands more than one standard deviation from the rest.")
    return [*lines, ""]


def _tests(scored: Sequence[Scored]) -> list[str]:
    lines = [
        "## Series and years left out",
        "",
        "In units of each figure's observation error. Model and rival are compared on the figures that the rival can "
        "forecast, from the same origin. No announced capacity was found with an amount, so that rival is missing. "
        "Origin 2020 flatters the model: no surge of 2021 is in its runs, but some prior ranges were written by people "
        "who knew 2021 and 2022.",
        "",
        "| test | rival | figures | error: model | rival | interval score: model | rival | model inside 50 / 90 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in by_test(scored).items():
        for duel in duels(rows):
            lines.append(_duel_row(name, duel))
    return [*lines, ""]


def _duel_row(name: str, duel: Duel) -> str:
    model, other = duel.model, duel.other
    return (
        f"| {name} | {duel.rival} | {model.count} | {model.error:.2f} | {other.error:.2f} | {model.score:.2f} | "
        f"{other.score:.2f} | {model.inside_50} / {model.inside_90} |"
    )


def _mechanisms(mechanisms: Sequence[WithoutMechanism]) -> list[str]:
    lines = [
        "## Each mechanism left out",
        "",
        "Each series is forecast from the others, with sets of the first wave weighted by likelihood. Best distance: "
        "root mean square over all matched figures, in standard deviations, of the best set.",
        "",
        "| left out | error | interval score | inside 90 % | best distance |",
        "|---|---|---|---|---|",
    ]
    for one in mechanisms:
        scores = one.scores
        inside = f"{scores.inside_90} of {scores.count}"
        lines.append(f"| {one.mechanism} | {scores.error:.2f} | {scores.score:.2f} | {inside} | {one.fit:.2f} |")
    return lines


def figure(calibration: Calibration, learnt: Sequence[Learnt], met: Sequence[Met]) -> str:
    """Left: what is left of each prior range. Right: the figures and the model's intervals, seen = 1."""
    from matplotlib.figure import Figure

    with drawing("decoupling"):
        drawn = Figure(figsize=(11, 4.6))
        left, right = drawn.subplots(1, 2)
        for row, one in enumerate(reversed(learnt)):
            scaled = [(value - one.low) / (one.high - one.low) for value in one.left]
            left.plot([0, 1], [row, row], color="0.85", linewidth=6, solid_capstyle="butt")
            left.plot([scaled[0], scaled[2]], [row, row], color="#0072B2", linewidth=6, solid_capstyle="butt")
            left.plot(scaled[1], row, "o", color="white", markersize=3)
        left.set_yticks(range(len(learnt)), [one.key for one in reversed(learnt)])
        left.set(xlim=(0, 1), xlabel="prior range (grey) and 5 to 95 % of what is left")
        shown = [one for one in met if one.matched]
        for row, figure in enumerate(reversed(shown)):
            parts = [value / figure.observed for value in vars(figure.forecast).values()]
            right.plot([parts[0], parts[4]], [row, row], color="#0072B2", linewidth=1.5)
            right.plot([parts[1], parts[3]], [row, row], color="#0072B2", linewidth=5, solid_capstyle="butt")
            right.plot(parts[2], row, "o", color="white", markersize=3)
        right.axvline(1, color="black", linewidth=0.8)
        right.set_yticks(range(len(shown)), [f"{one.series} {one.date[:4]}" for one in reversed(shown)])
        right.set(xlim=(0, 2), xlabel="model by seen: median, 50 and 90 % intervals")
        open_frame(left, right)
        drawn.tight_layout()
        return svg_text(drawn)
