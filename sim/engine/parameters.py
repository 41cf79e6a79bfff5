"""The values that the runs of a block hold at this moment: levers, uncertainties and constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array, Flags, Indices
from sim.calendar import FIRST_YEAR, LAST_YEAR, QUARTERS_PER_YEAR, quarter_of, quarters_until
from sim.engine.runs import Pick
from sim.errors import nearest
from sim.scenario.events import Event, levers_by_quarter
from sim.scenario.scenario import Scenario
from sim.scenario.values import MARKET, RECORDED, WORLD_SALES
from sim.world.evidence import Value


class Parameters:
    """`parameters["demand.growth"]` is an array of shape (runs, 1), in one run too.

    A switched-off mechanism gives its parameters their neutral values. `luck` is off in the base year, which is
    observed and not drawn.
    """

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self._scenarios = list(scenarios)
        self._luck = False
        self._dated: dict[int, tuple[Sequence[Event], Mapping[int, Mapping[str, Value]]]] = {}  # by the events' id
        self._words: dict[str, Flags] = {}
        self._choices: dict[str, tuple[Flags, ...]] = {}
        self._numbers: dict[str, Array] = {}
        self._observe()
        self._resolve(self._scenarios[0].world.parameters)

    def picked(self, pick: Pick) -> Parameters:
        """What the runs that are picked hold."""
        twin = copy(self)
        twin._scenarios, twin._dated = pick.each(self._scenarios), dict(self._dated)
        for name in ("_observed", "_numbers", "_words", "_choices"):
            setattr(twin, name, {key: pick(held) for key, held in getattr(self, name).items()})
        return twin

    def _observe(self) -> None:
        distinct, place = _distinct(self._scenarios), _places(self._scenarios)
        self._observed = {
            table: _frozen(np.array([by_quarter(scenario) for scenario in distinct])[place])
            for table, by_quarter in _OBSERVED.items()
        }

    def _resolve(self, names: Iterable[str]) -> None:
        off = {} if self._luck else {"mechanisms.luck": False}
        settings = [
            (scenario.with_values(off) if off else scenario).effective() for scenario in _distinct(self._scenarios)
        ]
        place = _places(self._scenarios)
        for name in names:
            parameter = self._scenarios[0].world.parameters[name]
            held = [setting[name] for setting in settings]
            if parameter.choices:
                for choice in parameter.choices:
                    flags = np.array([word == choice for word in held])
                    self._words[f"{name}={choice}"] = _frozen(flags[place][:, None])
                self._choices[name] = tuple(self._words[f"{name}={choice}"] for choice in parameter.choices)
            else:
                self._numbers[name] = _frozen(np.array(held, dtype=np.float64)[place][:, None])

    def __getitem__(self, name: str) -> Array:
        try:
            return self._numbers[name]
        except KeyError:
            raise KeyError(f"no parameter {name!r}{nearest(name, self._numbers)}") from None

    def observed(self, table: str, quarter: int) -> Array:
        """What configs give of a quarter as observed, (runs, 1); NaN where nothing is given.

        The target's market is in bn yuan, the world's sales 2020 = 1, both at current prices. After the last year what
        was recorded stays, and nothing else is given.
        """
        rows = self._observed[table]
        if quarter < rows.shape[1]:
            return rows[:, [quarter]]
        return rows[:, [-1]] if table == RECORDED else np.full((len(rows), 1), np.nan)

    def is_set(self, name: str, choice: str) -> Flags:
        """Whether a word has this value, (runs, 1) of booleans."""
        return self._words[f"{name}={choice}"]

    def words(self, name: str) -> tuple[Flags, ...]:
        """For each choice of a word whether it has that value: the same arrays until the word may have changed."""
        return self._choices[name]

    def value(self, name: str, run: int = 0) -> Value:
        """What one run holds, as its config would write it."""
        return self._scenarios[run].values[name]

    def turn_to(self, quarter: int, events: Sequence[Sequence[Event]]) -> None:
        """Luck begins after the base year; each run's events of the quarter set its levers."""
        if quarter == QUARTERS_PER_YEAR:
            self._luck = True
            self._resolve(self._scenarios[0].world.parameters)
        levers = [self._levers_of(each).get(quarter, {}) for each in events]
        if any(levers):
            self._change(levers)

    def _levers_of(self, events: Sequence[Event]) -> Mapping[int, Mapping[str, Value]]:
        if id(events) not in self._dated:
            self._dated[id(events)] = events, levers_by_quarter(events)
        return self._dated[id(events)][1]

    def _change(self, levers: Sequence[Mapping[str, Value]]) -> None:
        """Let each run's levers take new values; no lever is a switch, or moves what is observed."""
        changed: dict[tuple[int, int], Scenario] = {}
        places = [(id(scenario), id(given)) for scenario, given in zip(self._scenarios, levers, strict=True)]
        for place, scenario, given in zip(places, self._scenarios, levers, strict=True):
            if place not in changed:
                changed[place] = scenario.with_values(given)
        self._scenarios = [changed[place] for place in places]
        self._resolve(dict.fromkeys(key for given in levers for key in given))


def _market(scenario: Scenario) -> Array:
    """The target's market that a config gives, bn yuan in each quarter. Dollars become yuan at the fixed rate."""
    to_yuan = float(scenario.values["base.exchange_rate"])
    given = {int(year): market * to_yuan for year, market in scenario.observed(MARKET).items()}
    return _by_quarter({FIRST_YEAR: float(scenario.values["base.chip_market"]), **given})


def _world_sales(scenario: Scenario) -> Array:
    """The world's chip sales that a config gives, each quarter by the mean quarter of 2020; none without growth."""
    if not scenario.values["mechanisms.growth"]:
        return np.full(quarters_until(LAST_YEAR), np.nan)
    given = {int(year): sales for year, sales in scenario.observed(WORLD_SALES).items()}
    return _by_quarter(given) / (given.get(FIRST_YEAR, np.nan) / QUARTERS_PER_YEAR)


def _recorded(scenario: Scenario) -> Array:
    """What controls denied by the record that a config gives, from each date on; 0 before the first."""
    quarters = np.zeros(quarters_until(LAST_YEAR))
    for day, denied in scenario.observed(RECORDED).items():
        quarters[quarter_of(date.fromisoformat(day)) :] = denied
    return quarters


_OBSERVED = {MARKET: _market, WORLD_SALES: _world_sales, RECORDED: _recorded}


def _by_quarter(known: Mapping[int, float]) -> Array:
    """Years after the base year spread over their quarters; NaN for what is not known."""
    quarters = over_quarters(known)
    quarters[:QUARTERS_PER_YEAR] = np.nan
    return quarters


def over_quarters(known: Mapping[int, float]) -> Array:
    """Years spread over their quarters; NaN for what is not known.

    Along the straight line in logs between the middles of the known years, then scaled so that quarters sum to a year.
    """
    quarters = np.full(quarters_until(LAST_YEAR), np.nan)
    for year in known:
        middles = year + (np.arange(QUARTERS_PER_YEAR) + 0.5) / QUARTERS_PER_YEAR
        path = np.exp(np.interp(middles, [known_year + 0.5 for known_year in known], np.log(list(known.values()))))
        first = (year - FIRST_YEAR) * QUARTERS_PER_YEAR
        quarters[first : first + QUARTERS_PER_YEAR] = path / path.sum() * known[year]
    return quarters


def _distinct(scenarios: Sequence[Scenario]) -> list[Scenario]:
    return list({id(scenario): scenario for scenario in scenarios}.values())


def _places(scenarios: Sequence[Scenario]) -> Indices:
    order = {id(scenario): place for place, scenario in enumerate(_distinct(scenarios))}
    return np.array([order[id(scenario)] for scenario in scenarios], dtype=np.int64)


def _frozen[Kind: np.generic](array: NDArray[Kind]) -> NDArray[Kind]:
    array.flags.writeable = False
    return array
