"""Parts of pages that a calibration and a validation share: what was left out, against rivals."""

from __future__ import annotations

from collections.abc import Sequence

from sim.study.validation.rivals import AHEAD, ORIGINS
from sim.study.validation.scoring import (
    ALL,
    MODEL,
    SERIES_LEFT_OUT,
    Score,
    Summary,
    by_group,
    duels,
    of_model,
    rolling,
)

YEARS = {1: "one year ahead", 2: "two years ahead"}


def rolling_origins(scores: Sequence[Score]) -> list[str]:
    """What was forecast from the ends of earlier years, beginning with the rivals that were better."""
    if not any(rolling(scores, ahead) for ahead in AHEAD):
        return []
    lines = ["## Forecasts from the ends of earlier years", ""]
    lines += [*_losses(scores), ""]
    lines += [
        f"Origins {', '.join(map(str, ORIGINS))}: the figures and the world's chip sales are known to the end of that "
        "year, the dates of the controls throughout, and luck is drawn from then on. Errors and scores are in logs or "
        "log-odds (0.1 is about 10 %), less is better. Model and rival are compared on the figures that the rival can "
        "forecast; a rival's interval comes from its own misses, as the model's does, the scored series left out.",
        "",
        "| ahead | figures | rival | mean error: model | rival | CRPS: model | rival | interval score: model | rival |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for ahead in AHEAD:
        for group, rows in by_group(rolling(scores, ahead)).items():
            for duel in duels(rows):
                mine, theirs = duel.model, duel.other
                lines.append(
                    f"| {YEARS[ahead]} | {mine.figures}, {_words(group)} | {duel.rival} | {mine.error:.3f} | "
                    f"{theirs.error:.3f} | {mine.crps:.3f} | {theirs.crps:.3f} | {mine.interval_score:.2f} | "
                    f"{theirs.interval_score:.2f} |"
                )
    lines += ["", "How many figures lay inside the intervals; in brackets where the true part lies with 95 %:", ""]
    lines += ["| ahead | forecaster | group | inside 50 % | inside 80 % | inside 90 % |", "|---|---|---|---|---|---|"]
    for ahead in AHEAD:
        rows = rolling(scores, ahead)
        for group, of_group in by_group(of_model(rows)).items():
            lines.append(_coverage(YEARS[ahead], MODEL, group, of_group))
        for rival in dict.fromkeys(one.forecaster for one in rows if one.forecaster != MODEL):
            lines.append(_coverage(YEARS[ahead], rival, ALL, [one for one in rows if one.forecaster == rival]))
    return [*lines, ""]


def _coverage(ahead: str, forecaster: str, group: str, scores: Sequence[Score]) -> str:
    return f"| {ahead} | {forecaster} | {_words(group)} | {' | '.join(Summary.of(scores).coverage)} |"


def _losses(scores: Sequence[Score]) -> list[str]:
    """Where a rival is better than the model: all groups together with figures, single groups by name."""
    lines = []
    for ahead in AHEAD:
        for group, rows in by_group(rolling(scores, ahead)).items():
            lost = [duel for duel in duels(rows) if duel.losses]
            where = f"- {YEARS[ahead].capitalize()}, {_words(group)}: the model is worse than"
            if lost and group == ALL:
                lines += [f"{where} {duel.rival} in {', '.join(duel.losses)}." for duel in lost]
            elif lost:
                lines.append(f"{where} {', '.join(duel.rival for duel in lost)} in one or more of the scores below.")
    return lines or ["- No rival is better than the model in any group, one or two years ahead."]


def series_left_out(scores: Sequence[Score]) -> list[str]:
    """What was said of whole series by a fit that had never seen them."""
    rows = [one for one in of_model(scores) if one.test == SERIES_LEFT_OUT]
    if not rows:
        return []
    lines = ["## Series left out", ""]
    lines += [
        "Each series forecast from 2020 to 2024 by sets that never saw it, from the other series alone.",
        "",
        "| group | mean error | CRPS | interval score | inside 50 % | inside 80 % | inside 90 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for group, of_group in by_group(rows).items():
        summary = Summary.of(of_group)
        lines.append(
            f"| {_words(group)} | {summary.error:.3f} | {summary.crps:.3f} | {summary.interval_score:.2f} | "
            f"{' | '.join(summary.coverage)} |"
        )
    return [*lines, ""]


def _words(group: str) -> str:
    return group.replace("_", " ")
