"""Model and rivals on the same figures: what each forecasts, and how good that was.

A forecast is of the figure that would be published: the model's values over sets and seeds, with the observation's
error and the model's stated discrepancy added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.arrays import Array
from sim.calendar import FIRST_YEAR
from sim.scenario.scenario import Scenario
from sim.study.validation.hindcast import Runner
from sim.study.validation.observations import Observation
from sim.study.validation.rivals import RIVALS, History, typical_change
from sim.study.validation.scores import Forecast, Pooled, pooled
from sim.world.evidence import Value
from sim.world.world import World

REACTIONS_OFF = "reactions off"
STILL_SEEDS = range(1, 65)  # of the model with its reactions off
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
    series: dict[str, dict[float, float]] = {}
    for o in observations:
        history = series.setdefault(o.series, {FIRST_YEAR + 0.5: 1.0} if o.is_relative else {})
        history[time_of(o)] = o.value
    return series


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
    sentences = []
    if regions:
        sentences.append(
            f"Tool spending of single regions is outside its interval for {', '.join(regions)}: the tables spread "
            "capital outside the target by output and not by region, so only the world's sum is matched."
        )
    if quarters:
        named = "; ".join(f"{who} {', '.join(days)}" for who, days in quarters.items())
        sentences.append(
            f"Tool spending of single quarters is outside its interval for {named}: deliveries are lumpy and the model "
            "spreads them, so only years are matched, and regions are not met for the reason above."
        )
    return sentences


def reactions(world: World) -> list[str]:
    """The mechanisms that are somebody's answer to something."""
    names = [name.removeprefix("mechanisms.") for name in world.parameters if name.startswith("mechanisms.")]
    return [name for name in names if name not in MOTORS]


def with_reactions_off(scenario: Scenario, observations: Sequence[Observation], runner: Runner) -> Array:
    """The model without any reaction, with its own parameters and no surge, (1, seeds, observations)."""
    off: dict[str, Value] = {f"mechanisms.{name}": False for name in reactions(scenario.world)}
    return runner.values_at(REACTIONS_OFF, scenario, [{**off, **NOTHING_KNOWN}], STILL_SEEDS, observations)


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
        worse = []
        if self.model.error > self.other.error:
            worse.append(f"mean absolute error {self.model.error:.2f} against {self.other.error:.2f}")
        if self.model.score > self.other.score:
            worse.append(f"mean interval score {self.model.score:.2f} against {self.other.score:.2f}")
        return worse


def duels(rows: Sequence[Scored]) -> list[Duel]:
    """The model against every rival, pooled in units of the observation errors."""
    fought = []
    for rival in [*RIVALS, REACTIONS_OFF]:
        both = [(row, other) for row in rows if (other := row.rivals.get(rival))]
        if both:
            values = [row.observation.value for row, _ in both]
            errors = [row.observation.error for row, _ in both]
            model = pooled([row.model for row, _ in both], values, errors)
            fought.append(Duel(rival, model, pooled([other for _, other in both], values, errors)))
    return fought
