"""Model and rivals on the same figures: what each forecasts, and how good that was.

Scores are taken on the scale of the figure's group, so that series of different size can be pooled: 0.1 is about 10 %
of a flow, or of a small share's odds.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.errors import BadInput
from sim.scenario.scenario import Scenario
from sim.study.validation.groups import Group
from sim.study.validation.hindcast import Runner
from sim.study.validation.observations import Observation
from sim.study.validation.rivals import RIVALS
from sim.study.validation.scores import Forecast, coverage_interval, crps, interval_score, pool
from sim.study.validation.series import PRINTED_ZERO, is_printed_zero, to_scale
from sim.world.evidence import Value
from sim.world.world import World

MODEL, REACTIONS_OFF, POOL = "model", "reactions off", "pool of all"
FORECASTERS = (MODEL, *RIVALS, REACTIONS_OFF, POOL)
STILL_SEEDS = range(1, 65)  # of the model with its reactions off
# What moves the model by itself; every other mechanism is an answer of somebody to something.
MOTORS = ("growth", "luck", "state_programme", "learning", "research", "controls")
ALL = "all groups"


@dataclass(frozen=True)
class Scored:
    """One figure that a test left out, with the model's forecast and its rivals' from the same origin."""

    test: str
    origin: int
    group: Group
    observation: Observation
    model: Forecast
    rivals: Mapping[str, Forecast]

    @property
    def forecasts(self) -> dict[str, Forecast]:
        """By forecaster; with rivals, the equal pool of all of them and the model is one more."""
        each = {MODEL: self.model, **self.rivals}
        return {**each, POOL: pool(list(each.values()))} if self.rivals else each


def reactions(world: World) -> list[str]:
    """The mechanisms that are somebody's answer to something."""
    names = [name.removeprefix("mechanisms.") for name in world.parameters if name.startswith("mechanisms.")]
    return [name for name in names if name not in MOTORS]


def with_reactions_off(stage: str, scenario: Scenario, observations: Sequence[Observation], runner: Runner) -> Array:
    """The model without any reaction, with its own parameters, (1, seeds, observations)."""
    off: dict[str, Value] = {f"mechanisms.{name}": False for name in reactions(scenario.world)}
    return runner.values_at(f"{stage}, {REACTIONS_OFF}", scenario, [off], STILL_SEEDS, observations)


# Scores of single figures.


@dataclass(frozen=True)
class Score:
    """How one forecaster did on one figure; errors and scores on the scale of the group, quantiles as published."""

    test: str
    origin: int
    ahead: int
    group: str
    series: str
    date: str
    unit: str
    observed: float
    forecaster: str
    q05: float
    q25: float
    q50: float
    q75: float
    q95: float
    error: float
    crps: float
    interval_score: float
    inside_50: int
    inside_80: int
    inside_90: int


def scores_of(scored: Sequence[Scored]) -> list[Score]:
    """One for each figure and forecaster."""
    return [_score(one, name, forecast) for one in scored for name, forecast in one.forecasts.items()]


def _score(one: Scored, name: str, forecast: Forecast) -> Score:
    o, group = one.observation, one.group
    value = o.value
    if is_printed_zero(o, group):  # a printed 0 is any share up to half a percent: the one next to the median
        value = min(max(forecast.median, 0.0), PRINTED_ZERO)
    unit = 1.0 if group.on != "level" else o.error
    scaled = forecast.through(lambda values: to_scale(values, group.on) / unit)
    seen = float(to_scale(value, group.on)) / unit
    quantiles = [o.published(quantile) for quantile in forecast.shown]
    inside = [int(forecast.holds(value, part)) for part in (0.5, 0.8, 0.9)]
    about = [one.test, one.origin, o.year - one.origin, group.name, o.series, o.date, o.unit, o.published(o.value)]
    scores = [scaled.median - seen, crps(scaled, seen), interval_score(scaled.low, scaled.high, seen)]
    cells: list[Any] = [*about, name, *quantiles, *scores, *inside]
    return Score(*cells)


SCORE_COLUMNS = list(Score.__dataclass_fields__)
LEFT_OUT = "left-out.csv"


def cells_of(scores: Sequence[Score]) -> list[list[Any]]:
    return [list(vars(one).values()) for one in scores]


def read_scores(path: Path) -> list[Score]:
    """A table of scores as `study calibrate` writes it; none if there is no such file."""
    if not path.exists():
        return []
    kinds = [field.type for field in Score.__dataclass_fields__.values()]
    make = {"int": int, "float": float, "str": str}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return [
                Score(*(make[str(kind)](row[name]) for name, kind in zip(SCORE_COLUMNS, kinds, strict=True)))
                for row in rows
            ]
    except (KeyError, ValueError, TypeError, csv.Error) as fault:
        raise BadInput(f"{path}: cannot be read ({fault}); it must be as study calibrate writes it") from None


# Scores of many figures.


@dataclass(frozen=True)
class Summary:
    """Means over some figures."""

    figures: int
    error: float  # absolute, of the medians
    crps: float
    interval_score: float  # of the 90 % intervals
    inside: tuple[int, int, int]  # of the 50, 80 and 90 % intervals

    @classmethod
    def of(cls, scores: Sequence[Score]) -> Summary:
        return cls(
            len(scores),
            float(np.mean([abs(one.error) for one in scores])),
            float(np.mean([one.crps for one in scores])),
            float(np.mean([one.interval_score for one in scores])),
            (
                sum(one.inside_50 for one in scores),
                sum(one.inside_80 for one in scores),
                sum(one.inside_90 for one in scores),
            ),
        )

    @property
    def coverage(self) -> list[str]:
        """Each as "11 of 12: 92 % (66 to 100)"."""
        texts = []
        for inside in self.inside:
            low, high = coverage_interval(inside, self.figures)
            texts.append(
                f"{inside} of {self.figures}: {inside / self.figures:.0%} ({100 * low:.0f} to {100 * high:.0f})"
            )
        return texts


@dataclass(frozen=True)
class Duel:
    """The model and a rival on the figures that both forecast."""

    rival: str
    model: Summary
    other: Summary

    @property
    def losses(self) -> list[str]:
        """In what the model is worse."""
        worse = []
        for name, what in (("error", "mean error"), ("crps", "CRPS"), ("interval_score", "interval score")):
            mine, theirs = getattr(self.model, name), getattr(self.other, name)
            if mine > theirs:
                worse.append(f"{what} {mine:.3f} against {theirs:.3f}")
        return worse


def duels(scores: Sequence[Score]) -> list[Duel]:
    """The model against every rival."""
    fought = []
    mine = {(one.test, one.series, one.date): one for one in scores if one.forecaster == MODEL}
    for rival in FORECASTERS[1:]:
        theirs = [one for one in scores if one.forecaster == rival]
        if theirs:
            both = [mine[one.test, one.series, one.date] for one in theirs]
            fought.append(Duel(rival, Summary.of(both), Summary.of(theirs)))
    return fought


def of_model(scores: Sequence[Score]) -> list[Score]:
    return [one for one in scores if one.forecaster == MODEL]


def by_group(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """All together, then each group."""
    groups = {ALL: list(scores)} if scores else {}
    for one in scores:
        groups.setdefault(one.group, []).append(one)
    return groups


ROLLING = "rolling origin"
SERIES_LEFT_OUT = "series left out"


def rolling(scores: Sequence[Score], ahead: int) -> list[Score]:
    """Those of rolling origins, so many years ahead."""
    return [one for one in scores if one.test.startswith(ROLLING) and one.ahead == ahead]
