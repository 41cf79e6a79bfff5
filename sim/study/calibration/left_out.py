"""Tests inside the fit: series, years and mechanisms left out, against simple rivals with the same information.

Nothing is run again where the waves suffice: their sets are filtered and weighted again without what is left out, as if
it had never been seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.arrays import Array
from sim.calendar import FIRST_YEAR
from sim.scenario.loading import load_config
from sim.study.calibration.file import Calibration
from sim.study.calibration.matching import Waves, counted, credibility, standard_distances
from sim.study.validation.hindcast import Runner
from sim.study.validation.observations import published_markets, world_observations
from sim.study.validation.scores import Pooled, pooled
from sim.study.validation.scoring import (
    MOTORS,
    NOTHING_KNOWN,
    REACTIONS_OFF,
    Scored,
    histories,
    is_scored,
    predicted,
    reactions,
    rival_forecasts,
    with_reactions_off,
)
from sim.terminal import note
from sim.world.evidence import Value

ORIGIN_SETS, ORIGIN_SEEDS = 128, 16  # of a rolling origin: luck matters as much as parameters there
MECHANISM_SETS = 1024  # of each mechanism that is left out
MECHANISM_SEEDS = 2


def run_tests(calibration: Calibration, waves: Waves, runner: Runner) -> list[Scored]:
    """Leave one series out, and origins 2020, 2021 and 2022."""
    world = calibration.scenario.world
    past = histories(world_observations(world))
    config = load_config(calibration.content["config"])
    still = with_reactions_off(config, calibration.observations, runner)
    scored = []

    def score(test: str, origin: int, place: int, values: Array, weights: Array) -> None:
        observation = calibration.observations[place]
        model = predicted(values, observation, float(calibration.discrepancy[place]), weights)
        rivals = rival_forecasts(observation, past, origin)
        rivals[REACTIONS_OFF] = predicted(still[:, :, place], observation, 0.0, np.ones(len(still)))
        scored.append(Scored(test, origin, observation, model, rivals))

    for series in dict.fromkeys(
        o.series for o, m in zip(calibration.observations, calibration.matched, strict=True) if m
    ):
        weights = waves.weights * credibility(calibration, waves.values, counted(calibration, left_out=[series]))
        if not weights.any():
            note(f"without {series} no set is left; it cannot be tested by leaving it out")
            continue
        for place, observation in enumerate(calibration.observations):
            if observation.series == series:
                score("series left out", FIRST_YEAR, place, waves.values[:, :, place], weights)
    for origin in (2020, 2021):
        sets, values = _origin_runs(calibration, waves, origin, runner)
        for place, observation in enumerate(calibration.observations):
            if is_scored(observation) and origin < observation.year <= 2022:
                score(f"origin {origin}", origin, place, values[:, :, place], np.ones(len(sets)))
    weights = waves.weights * credibility(calibration, waves.values, counted(calibration, until=2022))
    for place, observation in enumerate(calibration.observations):
        if is_scored(observation) and observation.year > 2022:
            score("origin 2022", 2022, place, waves.values[:, :, place], weights)
    return scored


def _origin_runs(
    calibration: Calibration, waves: Waves, origin: int, runner: Runner
) -> tuple[list[dict[str, Value]], Array]:
    """Runs that know what was known at the end of `origin`, with luck from then on.

    At the end of 2020 that is the prior ranges and no surge. At the end of 2021 it is what the figures of 2021 leave,
    and the market of 2021.
    """
    scenario = load_config(calibration.content["config"])
    if origin == FIRST_YEAR:
        sets = calibration.values(waves.units[waves.wave == 0][:ORIGIN_SETS])
        sets = [{**values, **NOTHING_KNOWN} for values in sets]
    else:
        passed = np.cumsum(waves.weights * credibility(calibration, waves.values, counted(calibration, until=origin)))
        even = (np.arange(ORIGIN_SETS) + 0.5) / ORIGIN_SETS * passed[-1]
        sets = calibration.values(waves.units[np.searchsorted(passed, even)])
        known = [o for o in calibration.observations if o.year <= origin]
        scenario = scenario.with_values(published_markets(known, scenario.world))
    seeds = range(1, ORIGIN_SEEDS + 1)
    return sets, runner.values_at(f"origin {origin}", scenario, sets, seeds, calibration.observations)


# Mechanisms.


@dataclass(frozen=True)
class WithoutMechanism:
    """Scores of the series left out, by a model without one mechanism; `fit` is its best distance from all figures."""

    mechanism: str
    scores: Pooled
    fit: float


def without_mechanisms(calibration: Calibration, waves: Waves, runner: Runner) -> list[WithoutMechanism]:
    """Leave each mechanism out in turn and forecast the series left out from the others.

    The first wave's sets are weighted by the figures that are not left out, with everything on and with one mechanism
    off; by likelihood alone where none is good enough.
    """
    sets = calibration.values(waves.units[waves.wave == 0][:MECHANISM_SETS])
    seeds = range(1, MECHANISM_SEEDS + 1)
    world = calibration.scenario.world
    without = []
    for mechanism in ["", *(name for name in (*MOTORS, *reactions(world)) if name != "luck")]:
        off = {f"mechanisms.{mechanism}": False} if mechanism else {}
        scenario = calibration.scenario.with_values(off)
        stage = f"without {mechanism or 'nothing'}"
        values = runner.values_at(stage, scenario, sets, seeds, calibration.observations)
        without.append(_scored_without(calibration, values, mechanism or "all on"))
    return without


def _scored_without(calibration: Calibration, values: Array, mechanism: str) -> WithoutMechanism:
    squares = np.square(standard_distances(calibration, values))
    places = counted(calibration)
    forecasts = []
    for place in places:
        others = counted(calibration, left_out=[calibration.observations[place].series])
        weights = credibility(calibration, values, others)
        if not weights.any():
            distance = squares[:, others].sum(axis=1)
            weights = np.exp(-0.5 * (distance - distance.min()))
        discrepancy = float(calibration.discrepancy[place])
        forecasts.append(predicted(values[:, :, place], calibration.observations[place], discrepancy, weights))
    observed = [calibration.observations[place] for place in places]
    scores = pooled(forecasts, [o.value for o in observed], [o.error for o in observed])
    return WithoutMechanism(mechanism, scores, float(np.sqrt(squares[:, places].mean(axis=1)).min()))
