"""Runs that are the same up to a date share their past: it is run once, and they branch there.

Runs of one seed and the same values differ by their events alone, and no run reads an event before its first quarter.
So which runs share a past, and until when, follows from their scenarios, and nobody says it. The bytes are those of
each run by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sim.scenario.events import Event
from sim.scenario.scenario import Scenario

NEVER = 1_000_000  # the quarter in which runs part that do not


class Branching(Protocol):
    """A model of several runs, some of which can go on under other scenarios."""

    running: bool

    def step(self) -> Any: ...

    def branch(self, scenarios: Sequence[Scenario], columns: Sequence[int]) -> Any: ...


@dataclass(frozen=True)
class Future:
    """A run that is asked for."""

    scenario: Scenario
    seed: int


Column = Sequence[int]  # the futures that one run of a model stands for, by their numbers


@dataclass(frozen=True)
class _Bough:
    """Futures to go on with: from the runs at `places` of a model that has come to `quarter`, or from the start."""

    model: Any
    quarter: int
    places: Sequence[int]
    columns: Sequence[Column]
    parting: int  # the first quarter in which futures of one column part


def run_all[M: Branching](
    futures: Sequence[Future], begin: Callable[[Sequence[Future]], M], most: int
) -> Iterator[tuple[Sequence[int], M]]:
    """Finished models of up to `most` runs, each with the numbers of its futures, until all are run.

    `begin` makes the model of some futures that have the same `Scenario.frame`.
    """
    plan = _Plan(futures, most)
    waiting = plan.boughs(None, 0, list(enumerate(plan.columns())))
    while waiting:
        bough = waiting.pop()
        first = [futures[column[0]] for column in bough.columns]
        if bough.model is None:
            model: M = begin(first)
        else:
            model = bough.model.branch([future.scenario for future in first], bough.places)
        quarter = bough.quarter
        while model.running and quarter < bough.parting:
            model.step()
            quarter += 1
        if model.running:
            waiting += plan.boughs(model, quarter, plan.parted(bough.columns, quarter))
            continue
        places, numbers = zip(*[(place, n) for place, column in enumerate(bough.columns) for n in column], strict=True)
        if len(numbers) > len(bough.columns):  # some are the same to the end
            model = model.branch([futures[number].scenario for number in numbers], places)
        yield numbers, model


def families(scenarios: Sequence[Scenario], quarters: int) -> list[list[int]]:
    """The numbers of scenarios that are the same for so many quarters at least."""
    plan = _Plan([Future(scenario, 0) for scenario in scenarios], most=1)
    return [list(part) for _, part in plan.parted(plan.columns(), quarters - 1)]


def parting(scenario: Scenario, other: Scenario) -> int:
    """The first quarter in which two scenarios with the same values have had other events; `NEVER` if in none."""
    return _Plan([Future(scenario, 0), Future(other, 0)], most=1).parting([0, 1])


class _Plan:
    """Which futures are the same until when, and are held together."""

    def __init__(self, futures: Sequence[Future], most: int) -> None:
        self._futures, self._most = futures, most
        self._names: dict[Event, int] = {}  # equal events have one number
        self._lines: dict[int, _Line] = {}  # by the id of a scenario's events
        self._partings: dict[frozenset[_Line], int] = {}

    def line(self, number: int) -> _Line:
        events = self._futures[number].scenario.events
        if id(events) not in self._lines:
            names = [self._names.setdefault(event, len(self._names)) for event in events]
            firsts = [event.first_quarter for event in events]
            shared = [name for event, name in zip(events, names, strict=True) if not event.levers()]
            self._lines[id(events)] = _Line(tuple(zip(firsts, names, strict=True)), tuple(shared))
        return self._lines[id(events)]

    def columns(self) -> list[Column]:
        """The futures by what they begin with."""
        columns: dict[Hashable, list[int]] = {}
        values = {id(each.scenario): _begun_with(each.scenario) for each in self._futures}
        for number, future in enumerate(self._futures):
            key = future.seed, values[id(future.scenario)], self.line(number).until(0)
            columns.setdefault(key, []).append(number)
        return list(columns.values())

    def parted(self, columns: Iterable[Column], quarter: int) -> list[tuple[int, Column]]:
        """The columns of a model as they part in a quarter, each with the place of the column that it was."""
        found: list[tuple[int, Column]] = []
        for place, column in enumerate(columns):
            parts: dict[Hashable, list[int]] = {}
            for number in column:
                parts.setdefault(self.line(number).until(quarter), []).append(number)
            found += [(place, part) for part in parts.values()]
        return found

    def boughs(self, model: Any, quarter: int, placed: Sequence[tuple[int, Column]]) -> list[_Bough]:
        """Columns that can be held together, as many at a time; the last part last, and are to be run first."""
        groups: dict[Hashable, list[tuple[int, Column]]] = {}
        for place, column in placed:
            scenario = self._futures[column[0]].scenario
            key = scenario.world.id, scenario.values["mechanisms.entry"], self.line(column[0]).shared
            groups.setdefault(key, []).append((place, column))
        boughs = []
        for group in groups.values():
            size = math.ceil(len(group) / math.ceil(len(group) / self._most))
            for first in range(0, len(group), size):
                places, columns = zip(*group[first : first + size], strict=True)
                boughs.append(_Bough(model, quarter, places, columns, min(map(self.parting, columns))))
        return sorted(boughs, key=lambda bough: bough.parting)

    def parting(self, column: Column) -> int:
        """The first quarter in which not all futures of a column have had the same events."""
        lines = frozenset(map(self.line, column))
        if lines not in self._partings:
            quarters = sorted({first for line in lines for first, _ in line.events}) if len(lines) > 1 else []
            apart = (quarter for quarter in quarters if len({line.until(quarter) for line in lines}) > 1)
            self._partings[lines] = next(apart, NEVER)
        return self._partings[lines]


@dataclass(frozen=True)
class _Line:
    """The events of a scenario in their order: the first quarter of each, and a number in place of it."""

    events: tuple[tuple[int, int], ...]
    shared: tuple[int, ...]  # those that all runs of a model have together

    def until(self, quarter: int) -> tuple[int, ...]:
        return tuple(number for first, number in self.events if first <= quarter)


def _begun_with(scenario: Scenario) -> Hashable:
    """All that a run depends on but its seed and its events."""
    return scenario.world.id, tuple(scenario.values.items()), tuple(scenario.given.items())
