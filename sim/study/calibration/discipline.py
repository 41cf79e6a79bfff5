"""Tests inside the fit: series, years and mechanisms left out, against simple rivals with the same information.

Nothing is run anew where the waves will do: their sets are filtered and weighted again without what is left out, as if
it had never been seen. A forecast is of the figure that would be published: the model's values
over sets and seeds, with the observation's error and the model's stated discrepancy added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from sim.arrays import Array
from sim.calendar import FIRST_YEAR
from sim.scenario.scenario import Scenario, load_config
from sim.study.calibration.file import Calibration
from sim.study.calibration.matching import Waves, counted, credibility, standard_distances
from sim.study.validation.hindcast import Progress, values_at
from sim.study.validation.observations import Observation, world_observations
from sim.study.validation.rivals import RIVALS, History, typical_change
from sim.study.validation.scores import Forecast, Pooled, pooled
from sim.terminal import note
from sim.world.evidence import Value
from sim.world.world import World

ORIGIN_SETS, ORIGIN_SEEDS = 128, 16  # of a rolling origin: luck matters as much as parameters there
MECHANISM_SETS = 1024  # of each mechanism that is left out
MECHANISM_SEEDS = 2
REACTIONS_OFF = "reactions off"
FEWEST_DRAWS = 2000  # of a forecast: few runs are repeated with other observation errors
NOTHING_KNOWN: dict[str, Value] = {"demand.surge": 0.0, "demand.drawn_from": 2021.0}  # of 2021, at the end of 2020
# What moves the model by itself; every other mechanism is an answer of somebody to something.
MOTORS = ("growth", "luck", "state_programme", "learning", "research", "controls")


@dataclass(frozen=True)
class Scored:
    """One figure that a test left out, with the model's forecast and its rivals' from the same origin."""

    test: str
    origin: int
    observation: Observation
    model: Forecast
    rivals: Mapping[str, Forecast | None]


def predicted(values: Array, observation: Observation, discrepancy: float, weights: Array) -> Forecast:
    """The forecast of a published figure from values (sets, seeds) and weights of sets."""
    spread = np.sqrt(np.square(observation.error) + np.square(np.nan_to_num(discrepancy)))
    copies = -(-FEWEST_DRAWS // values.size)
    noise = np.random.default_rng(1).standard_normal((copies, *values.shape))
    each = np.broadcast_to(weights[:, None], noise.shape)
    draws = values + spread * noise
    if observation.unit in ("percent", "0 to 1"):
        draws = np.clip(draws, 0.0, 1.0)  # nobody publishes a share beyond them
    return Forecast.of(draws.ravel(), each.ravel())


def histories(observations: Sequence[Observation]) -> dict[str, dict[float, float]]:
    """Each series by time in years: the middle of a year or quarter. Growth is 1 in the base year."""
    found: dict[str, dict[float, float]] = {}
    for o in observations:
        history = found.setdefault(o.series, {FIRST_YEAR + 0.5: 1.0} if o.is_relative else {})
        history[time_of(o)] = o.value
    return found


def time_of(observation: Observation) -> float:
    month = int(observation.date[5:7])
    return observation.year + ((month - 1.5) / 12 if observation.is_quarter else 0.5)


def rival_forecasts(observation: Observation, past: Mapping[str, History], origin: int) -> dict[str, Forecast | None]:
    """What each rival says of a figure from its series' values up to the end of the origin's year."""
    known = {series: _until(history, origin) for series, history in past.items()}
    typical = typical_change([history for history in known.values() if history])
    own = known.get(observation.series, {})
    return {name: rival(own, time_of(observation), typical) if own else None for name, rival in RIVALS.items()}


def _until(history: History, origin: int) -> dict[float, float]:
    return {time: value for time, value in history.items() if time < origin + 1}


def is_scored(observation: Observation) -> bool:
    """Regions other than the target are left out: the tables spread capital there by output, not by region."""
    return not observation.is_quarter and not (
        observation.measure.startswith("equipment_spending.") and observation.measure != "equipment_spending.world"
    )


def not_scored_and_outside(outside: Sequence[Observation]) -> list[str]:
    """Sentences that name, with the reason, the figures outside their interval that are not scored."""
    regions = [f"{o.measure[-3:]} {o.year}" for o in outside if not is_scored(o) and not o.is_quarter]
    quarters: dict[str, list[str]] = {}
    for o in outside:
        if o.is_quarter:
            quarters.setdefault(o.measure.partition(".")[2] or "the target", []).append(o.date)
    found = []
    if regions:
        found.append(
            f"Tool spending of single regions is outside its interval for {', '.join(regions)}: the tables spread "
            "capital outside the target by output and not by region, so only the world's sum is matched."
        )
    if quarters:
        named = "; ".join(f"{who} {', '.join(days)}" for who, days in quarters.items())
        found.append(
            f"Tool spending of single quarters is outside its interval for {named}: deliveries are lumpy and the model "
            "spreads them, so only years are matched, and regions are not met for the reason above."
        )
    return found


# The tests.


def run_tests(calibration: Calibration, waves: Waves, pool: ProcessPoolExecutor | None) -> list[Scored]:
    """Leave one series out, and origins 2020, 2021 and 2022."""
    world = calibration.scenario.world
    past = histories(world_observations(world))
    still = _with_reactions_off(calibration, pool)
    found = []

    def score(test: str, origin: int, place: int, values: Array, weights: Array) -> None:
        observation = calibration.observations[place]
        model = predicted(values, observation, float(calibration.discrepancy[place]), weights)
        rivals = rival_forecasts(observation, past, origin)
        rivals[REACTIONS_OFF] = predicted(still[:, :, place], observation, 0.0, np.ones(len(still)))
        found.append(Scored(test, origin, observation, model, rivals))

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
        sets, values = _origin_runs(calibration, waves, origin, pool)
        for place, observation in enumerate(calibration.observations):
            if is_scored(observation) and origin < observation.year <= 2022:
                score(f"origin {origin}", origin, place, values[:, :, place], np.ones(len(sets)))
    weights = waves.weights * credibility(calibration, waves.values, counted(calibration, until=2022))
    for place, observation in enumerate(calibration.observations):
        if is_scored(observation) and observation.year > 2022:
            score("origin 2022", 2022, place, waves.values[:, :, place], weights)
    return found


def _origin_runs(
    calibration: Calibration, waves: Waves, origin: int, pool: ProcessPoolExecutor | None
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
        markets = {
            o.year: o.published(o.value)
            for o in calibration.observations
            if o.series == "chip_market" and o.year <= origin
        }
        scenario = scenario.with_values({f"demand.market_bn_usd.{year}": market for year, market in markets.items()})
    seeds = range(1, ORIGIN_SEEDS + 1)
    progress = Progress(f"origin {origin}", len(sets) * len(seeds))
    return sets, values_at(scenario, sets, seeds, calibration.observations, pool, progress)


def reactions(world: World) -> list[str]:
    """The mechanisms that are somebody's answer to something."""
    names = [name.removeprefix("mechanisms.") for name in world.parameters if name.startswith("mechanisms.")]
    return [name for name in names if name not in MOTORS]


def _with_reactions_off(calibration: Calibration, pool: ProcessPoolExecutor | None) -> Array:
    """The model without any reaction, with its own parameters and no surge, (1, seeds, observations)."""
    off: dict[str, Value] = {f"mechanisms.{name}": False for name in reactions(calibration.scenario.world)}
    scenario = load_config(calibration.content["config"])
    return values_at(scenario, [{**off, **NOTHING_KNOWN}], range(1, 65), calibration.observations, pool)


# Pooled over what was left out, against each rival on the figures that it can forecast.


@dataclass(frozen=True)
class Duel:
    """Model and rival on the same figures."""

    rival: str
    model: Pooled
    other: Pooled

    @property
    def losses(self) -> list[str]:
        """In what the model is worse."""
        found = []
        if self.model.error > self.other.error:
            found.append(f"mean absolute error {self.model.error:.2f} against {self.other.error:.2f}")
        if self.model.score > self.other.score:
            found.append(f"mean interval score {self.model.score:.2f} against {self.other.score:.2f}")
        return found


def duels(rows: Sequence[Scored]) -> list[Duel]:
    """The model against every rival, pooled in units of the observation errors."""
    found = []
    for rival in [*RIVALS, REACTIONS_OFF]:
        both = [(row, other) for row in rows if (other := row.rivals.get(rival))]
        if both:
            values = [row.observation.value for row, _ in both]
            errors = [row.observation.error for row, _ in both]
            model = pooled([row.model for row, _ in both], values, errors)
            found.append(Duel(rival, model, pooled([other for _, other in both], values, errors)))
    return found


# Mechanisms.


@dataclass(frozen=True)
class WithoutMechanism:
    """Scores of the series left out, by a model without one mechanism; `fit` is its best distance from all figures."""

    mechanism: str
    scores: Pooled
    fit: float


def without_mechanisms(
    calibration: Calibration, waves: Waves, pool: ProcessPoolExecutor | None
) -> list[WithoutMechanism]:
    """Leave each mechanism out in turn and forecast the series left out from the others.

    The first wave's sets are weighted by the figures that are not left out, with everything on and with one mechanism
    off; by likelihood alone where none is good enough.
    """
    sets = calibration.values(waves.units[waves.wave == 0][:MECHANISM_SETS])
    seeds = range(1, MECHANISM_SEEDS + 1)
    found = []
    for mechanism in ["", *(name for name in (*MOTORS, *reactions(calibration.scenario.world)) if name != "luck")]:
        off = {f"mechanisms.{mechanism}": False} if mechanism else {}
        scenario: Scenario = calibration.scenario.with_values(off)
        progress = Progress(f"without {mechanism or 'nothing'}", len(sets) * len(seeds))
        values = values_at(scenario, sets, seeds, calibration.observations, pool, progress)
        found.append(_scored_without(calibration, values, mechanism or "all on"))
    return found


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
