"""Tests inside the fit: series, later years and mechanisms left out. They say how wide the model's errors are.

Nothing is run again where the waves suffice: their sets are filtered and weighted again without what is left out, as if
it had never been seen. At a rolling origin the figures and the world's chip sales are known to that year, and luck is
drawn from then on; the dates of controls are known throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.arrays import Array, Indices
from sim.batch.progress import say
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.scenario.values import RECORDED
from sim.study.calibration.file import Calibration
from sim.study.calibration.matching import (
    Fit,
    Waves,
    credibility,
    fit_of,
    likelihood,
    spread_evenly,
    values_at_points,
    worth,
)
from sim.study.validation.error_model import LeftOut, Scales, estimate
from sim.study.validation.groups import Group
from sim.study.validation.hindcast import Runner
from sim.study.validation.observations import world_observations
from sim.study.validation.rivals import AHEAD, ORIGINS, Rivals
from sim.study.validation.scores import Forecast
from sim.study.validation.scoring import (
    MOTORS,
    REACTIONS_OFF,
    ROLLING,
    SERIES_LEFT_OUT,
    Scored,
    Summary,
    of_model,
    reactions,
    scores_of,
    with_reactions_off,
)
from sim.study.validation.series import Series, series_of, to_scale

ORIGIN_SETS, ORIGIN_SEEDS = 256, 8  # of a rolling origin: luck matters as much as parameters there
SERIES_SETS = 256  # of a series left out, with the seeds of the waves
MECHANISM_SETS = 256  # of each mechanism that is left out
MECHANISM_SEEDS = 2
TEMPERS = (1.0, 0.5, 0.25, 0.125)  # powers of the likelihood that are tried
AS_NEAR = 0.02  # of the figures: differences of coverage up to it are chance


# Rolling origins.


@dataclass(frozen=True)
class OriginRuns:
    """Runs that know what was known at the end of a year: which sets of the waves, and values of all figures."""

    origin: int
    places: Indices
    values: Array  # (sets, seeds, figures)
    still: Array  # (1, seeds, figures) of the model with its reactions off


def known_until(scenario: Scenario, year: int) -> Scenario:
    """The scenario with what it gives by year (a market, the world's sales) cut off, and news drawn, after a year."""
    known = {key: value for key, value in scenario.given.items() if key.startswith(RECORDED) or int(key[-4:]) <= year}
    return replace(scenario.with_values({"demand.drawn_from": year + 1}), given=known)


def origin_runs(calibration: Calibration, waves: Waves, runner: Runner) -> list[OriginRuns]:
    """Runs from each origin, of sets drawn by the weakest likelihood that is tried: they are weighted by the rest."""
    config = load_config(calibration.content["config"])
    seeds = range(1, ORIGIN_SEEDS + 1)
    found = []
    for origin in ORIGINS:
        fit = fit_of(calibration, waves.values, calibration.groups, until=origin)
        places = spread_evenly(waves.weights * credibility(calibration, fit, TEMPERS[-1]), ORIGIN_SETS)
        scenario, sets = known_until(config, origin), values_at_points(calibration, waves.units[places])
        stage = f"{ROLLING} {origin}"
        values = runner.values_at(stage, scenario, sets, seeds, calibration.observations)
        still = with_reactions_off(stage, scenario, calibration.observations, runner)
        found.append(OriginRuns(origin, places, values, still))
    return found


# What is left out, and the scales of error that it shows.


@dataclass(frozen=True)
class Tests:
    """The tests with sets weighted by a power of the likelihood, and what they say of each group's scales."""

    temper: float
    left_out: Sequence[LeftOut]
    scales: Mapping[str, Scales]

    def scored(self, one: LeftOut, rivals: Mapping[int, Mapping[str, Forecast]]) -> list[Scored]:
        """The figures of one test; the scored series itself does not tell how wide its intervals are."""
        group = self.group_without(one.series)
        return [
            Scored(
                one.test,
                one.origin,
                group,
                one.series.figures[place],
                one.forecast(int(place), group),
                rivals.get(int(place), {}),
            )
            for place in np.flatnonzero(one.later)
        ]

    def group_without(self, series: Series) -> Group:
        return self.scales[series.group.name].group(without=series.name)

    @property
    def groups(self) -> list[Group]:
        return [one.group() for one in self.scales.values()]


def run_tests(calibration: Calibration, waves: Waves, origins: Sequence[OriginRuns]) -> Tests:
    """The tests with the highest power of the likelihood by which left-out coverage is nominal, as near as can be.

    Of the powers by which the sets that were run are worth an ensemble: the highest that is as near to 50, 80 and 90 %
    as the nearest, to within one figure in fifty.
    """
    fit = fit_of(calibration, waves.values, calibration.groups)
    until = [fit_of(calibration, waves.values, calibration.groups, until=one.origin) for one in origins]
    tried: list[tuple[float, Tests]] = []
    for temper in TEMPERS:
        weights = waves.weights * credibility(calibration, fit, temper)
        if worth(weights) < calibration.ensemble and temper != TEMPERS[-1]:
            continue

        def credible(others: Fit, temper: float = temper) -> Array:
            return waves.weights * credibility(calibration, others, temper)

        left_out = _series_left_out(calibration, waves.values, fit, credible)
        for runs, known in zip(origins, until, strict=True):
            left_out += _after(calibration, runs, known, temper)
        scales = {group.name: estimate(group, left_out) for group in calibration.groups}
        tests = Tests(temper, left_out, scales)
        summary = Summary.of(scores_of([one for test in left_out for one in tests.scored(test, {})]))
        say(f"likelihood to the power {temper:g}: {', '.join(summary.coverage)} inside 50, 80 and 90 %")
        parts = np.array(summary.inside) / summary.figures
        tried.append((float(np.abs(parts - [0.5, 0.8, 0.9]).mean()), tests))
    nearest = min(far for far, _ in tried)
    return next(tests for far, tests in tried if far <= nearest + AS_NEAR)


def _series_left_out(calibration: Calibration, values: Array, fit: Fit, weigh: Callable[[Fit], Array]) -> list[LeftOut]:
    """Every series, its whole measure left out of the fit."""
    found = []
    series = series_of(calibration.observations, calibration.groups)
    for one in series:
        measure = one.figures[0].measure
        same = [other.name for other in series if other.figures[0].measure == measure]
        weights = weigh(fit.without(*same))
        if not weights.any():
            say(f"without {measure} no set is left; it cannot be tested by leaving it out")
            continue
        places = spread_evenly(weights, SERIES_SETS)
        model = to_scale(values[places][:, :, one.places], one.group.on).reshape(-1, len(one.figures))
        nothing = np.zeros(len(one.figures), dtype=bool)
        found.append(LeftOut(SERIES_LEFT_OUT, 0, one, nothing, model, np.ones(len(model)), ~nothing))
    return found


def _after(calibration: Calibration, runs: OriginRuns, fit: Fit, temper: float) -> list[LeftOut]:
    """Every series that has figures one or two years after an origin."""
    logs = (temper - TEMPERS[-1]) * fit.logs.sum(axis=1)[runs.places]
    weights = np.repeat(np.exp(logs - logs.max()), runs.values.shape[1])
    return [
        _later(one, runs, runs.values, weights)
        for one in series_of(calibration.observations, calibration.groups)
        if np.isin(one.years - runs.origin, AHEAD).any()
    ]


def _later(one: Series, runs: OriginRuns, values: Array, weights: Array) -> LeftOut:
    model = to_scale(values[:, :, one.places], one.group.on).reshape(-1, len(one.figures))
    later = np.isin(one.years - runs.origin, AHEAD)
    return LeftOut(f"{ROLLING} {runs.origin}", runs.origin, one, one.years <= runs.origin, model, weights, later)


def scored_tests(calibration: Calibration, tests: Tests, origins: Sequence[OriginRuns]) -> list[Scored]:
    """Every figure left out, at rolling origins beside the rivals."""
    rivals = Rivals(world_observations(calibration.scenario.world), tests.groups)
    runs = {one.origin: one for one in origins}
    scored = []
    for test in tests.left_out:
        said: dict[int, dict[str, Forecast]] = {}
        if test.origin:
            group = tests.group_without(test.series)
            still = runs[test.origin].still
            same = _later(test.series, runs[test.origin], still, np.ones(still.shape[1]))
            for place in map(int, np.flatnonzero(test.later)):
                said[place] = rivals.forecasts(test.series.figures[place], group, test.origin)
                said[place][REACTIONS_OFF] = same.forecast(place, group)
        scored += tests.scored(test, said)
    return scored


# Mechanisms.


@dataclass(frozen=True)
class WithoutMechanism:
    """Scores of the series left out, by a model without one mechanism; `fit` is its best distance from all figures."""

    mechanism: str
    scores: Summary
    fit: float


def without_mechanisms(calibration: Calibration, waves: Waves, tests: Tests, runner: Runner) -> list[WithoutMechanism]:
    """Leave each mechanism out in turn and forecast the series left out from the others.

    The first wave's sets are weighted by the figures that are not left out, with everything on and with one mechanism
    off; by likelihood alone, since none may be good enough.
    """
    sets = values_at_points(calibration, waves.units[waves.wave == 0][:MECHANISM_SETS])
    seeds = range(1, MECHANISM_SEEDS + 1)
    world = calibration.scenario.world
    without = []
    for mechanism in ["", *(name for name in (*MOTORS, *reactions(world)) if name != "luck")]:
        off = {f"mechanisms.{mechanism}": False} if mechanism else {}
        scenario = calibration.scenario.with_values(off)
        stage = f"without {mechanism or 'nothing'}"
        values = runner.values_at(stage, scenario, sets, seeds, calibration.observations)
        without.append(_scored_without(calibration, tests, values, mechanism or "all on"))
    return without


def _scored_without(calibration: Calibration, tests: Tests, values: Array, mechanism: str) -> WithoutMechanism:
    fit = fit_of(calibration, values, tests.groups)
    left_out = _series_left_out(calibration, values, fit, lambda others: likelihood(others, tests.temper))
    scores = scores_of([one for test in left_out for one in tests.scored(test, {})])
    distance = np.sqrt(fit.squares.sum(axis=1) / fit.figures.sum()).min()
    return WithoutMechanism(mechanism, Summary.of(of_model(scores)), float(distance))
