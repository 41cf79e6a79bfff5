"""Agents over columns: a rule is written once, for one agent or for everybody.

A quantity of a kind of agent is declared as a `Column` and held as one array for all agents and all runs at once,
shape (runs, agents). The agent classes have two faces:

* an agent that a person holds: `firm.capacity` is a float (an array over runs in a block of many runs),
  `firm.segment` an enum member, `firm.headquarters` a State;
* inside a method marked `@rule`, the same names are always arrays whose last axis is agents: all of them when
  everybody acts at once, one of them when Mesa's `AgentSet.do` calls agent by agent. Both give equal bits.

Columns are values. Reading gives a read-only array, assigning puts a new one in its place: write
`self.cash = self.cash - cost`, never `-=`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.engine.streams import agent_keys, uniform
from sim.errors import nearest

Values = NDArray[Any]  # numbers of any kind
EVERYONE = slice(None)


class Table:
    """The columns of one kind of agent.

    `values[name]` is (runs, agents), or (agents,) for what never differs between runs.
    """

    def __init__(self, ids: Sequence[str], seeds: NDArray[np.uint64], parameters: Any) -> None:
        self.ids = list(ids)
        self.names = self.ids
        self.seeds = seeds
        self.runs = len(seeds)
        self.keys = agent_keys(ids)
        self.parameters = parameters
        self.quarter = 0
        self.values: dict[str, Values] = {}
        self.agents: list[ColumnAgent] = []
        self.links: dict[str, Table] = {}
        self.categories: dict[str, list[enum.Enum]] = {}

    def copy(self, parameters: Any) -> Table:
        """The same columns for a second future; columns are values, so only their dictionary is copied."""
        twin = Table(self.ids, self.seeds, parameters)
        twin.quarter, twin.values, twin.categories = self.quarter, dict(self.values), self.categories
        twin.names = self.names
        return twin

    def put(self, name: str, value: Any, where: slice, fixed: bool) -> None:
        """Replace a column, or one agent's part of it, by new values."""
        shape = (len(self.ids),) if fixed else (self.runs, len(self.ids))
        value = np.asarray(value)
        if where != EVERYONE:
            whole = self.values[name].copy()
            whole[..., where] = value
            value = whole
        elif value.shape != shape or not value.flags.c_contiguous:
            value = np.array(np.broadcast_to(value, shape), order="C")
        value.flags.writeable = False
        self.values[name] = value


class Column:
    """A quantity of an agent, with its unit and meaning; `fixed` ones are the same in every run."""

    def __init__(self, unit: str, meaning: str, *, fixed: bool = False) -> None:
        self.unit = unit
        self.meaning = meaning
        self.fixed = fixed
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, agent: Any, owner: type | None = None) -> Any:
        if agent is None:
            return self
        try:
            values = agent._table.values[self.name]
        except KeyError:
            raise AttributeError(f"{type(agent).__name__}.{self.name} has no value yet") from None
        if agent._where is EVERYONE:
            return values
        if agent._where is not None:
            return values[..., agent._where]
        return self.for_person(values[..., agent._index])

    def for_person(self, value: Values) -> Any:
        return value.item() if value.size == 1 else value

    def __set__(self, agent: Any, value: Any) -> None:
        where = agent._where
        agent._table.put(
            self.name, value, slice(agent._index, agent._index + 1) if where is None else where, self.fixed
        )


class Category(Column):
    """One of a fixed list of words: an enum member for a person, its index in rules."""

    def __init__(self, meaning: str) -> None:
        super().__init__("category", meaning, fixed=True)

    def __get__(self, agent: Any, owner: type | None = None) -> Any:
        value = super().__get__(agent, owner)
        if agent is None or agent._where is not None:
            return value
        return agent._table.categories[self.name][value]


class Link(Column):
    """Another agent. In rules, `self.site.subsidy` gathers each agent's own; for a person it is that agent."""

    def __init__(self, meaning: str) -> None:
        super().__init__("link", meaning, fixed=True)

    def __get__(self, agent: Any, owner: type | None = None) -> Any:
        if agent is None:
            return self
        target: Table = agent._table.links[self.name]
        index = agent._table.values[self.name]
        if agent._where is None:
            return target.agents[int(index[agent._index])]
        return _Gathered(target, index[agent._where])


class _Gathered:
    """The columns of linked agents, read only: shape (runs, agents that look)."""

    def __init__(self, table: Table, index: Values) -> None:
        self._table = table
        self._index = index

    def __getattr__(self, name: str) -> Values:
        values = self._table.values
        if name not in values:
            raise AttributeError(f"no column {name!r}{nearest(name, values)}")
        return np.take(values[name], self._index, axis=-1)


class Queue(Column):
    """A row of columns, one per quarter ahead; turning it moves no numbers."""

    def __init__(self, unit: str, meaning: str, length: int) -> None:
        super().__init__(unit, meaning)
        self.length = length

    def __get__(self, agent: Any, owner: type | None = None) -> Any:
        if agent is None:
            return self
        values = agent._table.values
        places = [values[f"{self.name}[{ahead}]"] for ahead in range(self.length)]
        if agent._where is None:
            return tuple(self.for_person(place[..., agent._index]) for place in places)
        return tuple(place[..., agent._where] for place in places)

    def __set__(self, agent: Any, value: Sequence[Any]) -> None:
        where = slice(agent._index, agent._index + 1) if agent._where is None else agent._where
        for ahead, place in enumerate(value):
            agent._table.put(f"{self.name}[{ahead}]", place, where, fixed=False)


def rule(method: Callable[[Any], None]) -> Callable[[Any], None]:
    """Mark a method as a rule: inside it, columns are arrays whose last axis is agents."""

    @wraps(method)
    def act(self: Any) -> None:
        method(self if self._where is not None else self._own_arrays)

    act.is_rule = True  # type: ignore[attr-defined]
    return act


_MESA_NAMES = frozenset({"model", "unique_id", "pos"})


class ColumnAgent(mesa.Agent):
    """A Mesa agent whose quantities live in a `Table`. Undeclared names are refused on reading and writing."""

    _where: slice | None = None

    def __init__(self, model: mesa.Model, table: Table, index: int) -> None:
        self._table = table
        self._index = index
        self._own_arrays = self.view(table, slice(index, index + 1), index)
        super().__init__(model)
        table.agents.append(self)

    @classmethod
    def view(cls, table: Table, where: slice = EVERYONE, index: int = 0) -> Any:
        """The array face of this kind of agent; not registered with Mesa."""
        arrays = object.__new__(cls)
        arrays._table = table
        arrays._where = where
        arrays._index = index
        return arrays

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """Every declared column by name, in order of declaration."""
        return {
            name: value
            for kind in reversed(cls.__mro__)
            for name, value in vars(kind).items()
            if isinstance(value, Column)
        }

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MESA_NAMES or name.startswith("_") or isinstance(getattr(type(self), name, None), Column)):
            raise AttributeError(f"{type(self).__name__} has no column {name!r}{nearest(name, self.columns())}")
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__} has no column {name!r}{nearest(name, self.columns())}")

    @property
    def id(self) -> str:
        """The agent's id in the world's table."""
        return self._table.ids[self._index]

    @property
    def name(self) -> str:
        """The agent's name in the world's table."""
        return self._table.names[self._index]

    def remove(self) -> None:
        """Refused: a world's agents are rows of its tables."""
        raise AttributeError(
            f"{self.id} cannot be removed: what it holds is a place in columns; take its row out of the world"
        )

    @property
    def parameters(self) -> Any:
        """Parameters and levers: `self.parameters["demand.growth"]` has shape (runs, 1)."""
        return self._table.parameters

    @property
    def quarter(self) -> int:
        """The quarter that is being run, counted from 2020-Q1 = 0."""
        return self._table.quarter

    def draw(self, decision: str, among: Values | None = None) -> Values:
        """A uniform draw between 0 and 1 for this decision in this quarter, one for each agent and run.

        With `among`, a fixed column of 0 and 1, only for those: the others get 1, at which nothing happens.
        """
        where = slice(self._index, self._index + 1) if self._where is None else self._where
        keys = self._table.keys[where]
        if among is None:
            return uniform(self._table.seeds, decision, self._table.quarter, keys)
        chosen = np.flatnonzero(among)
        draws = np.ones((self._table.runs, len(keys)))
        draws[:, chosen] = uniform(self._table.seeds, decision, self._table.quarter, keys[chosen])
        return draws

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


def categories(name: str, ids: Sequence[str]) -> list[enum.Enum]:
    """The enum members of a world's ids, in order."""
    kind: Any = enum.Enum(name, {word: word for word in ids})  # type: ignore[misc]
    return list(kind)
