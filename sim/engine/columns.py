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
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Self, cast, overload

import mesa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.arrays import Array, Indices
from sim.engine.groups import at
from sim.engine.parameters import Parameters
from sim.engine.runs import Pick
from sim.engine.streams import Luck, agent_keys
from sim.errors import nearest

if TYPE_CHECKING:
    from sim.model import DecouplingModel

Values = NDArray[Any]  # numbers of any kind
EVERYONE = slice(None)


class Table:
    """The columns of one kind of agent.

    `values[name]` is (runs, agents), or (agents,) for what never differs between runs.
    """

    def __init__(self, ids: Sequence[str], luck: Luck, parameters: Parameters) -> None:
        self.ids = list(ids)
        self.names = self.ids
        self.luck = luck
        self.runs = len(luck.seeds)
        self.shape = (self.runs, len(self.ids))
        self.keys = agent_keys(ids)
        self.parameters = parameters
        self.quarter = 0
        self.values: dict[str, Values] = {}
        self.agents: list[ColumnAgent] = []
        self.links: dict[str, Table] = {}
        self.categories: dict[str, list[enum.Enum]] = {}

    def picked(self, pick: Pick) -> Table:
        """The same columns of the runs that are picked."""
        twin = Table(self.ids, pick(self.luck), pick(self.parameters))
        twin.quarter, twin.categories, twin.names = self.quarter, self.categories, self.names
        twin.values = {name: pick(column) for name, column in self.values.items()}
        return twin

    def put(self, name: str, value: ArrayLike, where: slice, fixed: bool) -> None:
        """Replace a column, or one agent's part of it, by new values."""
        array = np.asarray(value)
        if where is not EVERYONE:
            whole = self.values[name].copy()
            whole[..., where] = array
            array = whole
        elif array.shape != (shape := self.shape[-1:] if fixed else self.shape) or not array.flags.c_contiguous:
            array = np.array(np.broadcast_to(array, shape), order="C")
        array.setflags(write=False)
        self.values[name] = array


class Quantity[Seen]:
    """What an agent has, with its unit and meaning; `fixed` ones are the same in every run.

    `Seen` is what rules and markets read. A person who holds one agent reads floats, members and agents instead.
    """

    def __init__(self, unit: str, meaning: str, *, fixed: bool = False) -> None:
        self.unit = unit
        self.meaning = meaning
        self.fixed = fixed
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, agent: None, owner: type) -> Self: ...

    @overload
    def __get__(self, agent: ColumnAgent, owner: type) -> Seen: ...

    def __get__(self, agent: ColumnAgent | None, owner: type) -> Self | Seen:
        return self if agent is None else self.read(agent)

    def __set__(self, agent: ColumnAgent, value: ArrayLike) -> None:
        where = agent._where
        agent._table.put(self.name, value, agent._own_place() if where is None else where, self.fixed)

    def read(self, agent: ColumnAgent) -> Seen:
        """What this agent, or everybody of the view, has."""
        raise NotImplementedError


class Column(Quantity[Array]):
    """A number: an array for rules, a float for a person (an array over runs in a block)."""

    def read(self, agent: ColumnAgent) -> Array:
        try:
            values = agent._table.values[self.name]
        except KeyError:
            raise AttributeError(f"{type(agent).__name__}.{self.name} has no value yet") from None
        if agent._where is EVERYONE:
            return values
        if agent._where is None:
            return for_person(values[..., agent._index])
        return values[..., agent._where]


class Category(Quantity[Indices]):
    """One of a fixed list of words: its index for rules, an enum member for a person."""

    def __init__(self, meaning: str) -> None:
        super().__init__("category", meaning, fixed=True)

    def read(self, agent: ColumnAgent) -> Indices:
        values = agent._table.values[self.name]
        if agent._where is None:
            return cast(Indices, agent._table.categories[self.name][values[agent._index]])
        return cast(Indices, values[agent._where])


class Link(Quantity["Gathered"]):
    """Another agent: for rules `self.site.subsidy` gathers each agent's own; for a person it is that agent."""

    def __init__(self, meaning: str) -> None:
        super().__init__("link", meaning, fixed=True)

    def read(self, agent: ColumnAgent) -> Gathered:
        table = agent._table.links[self.name]
        index = agent._table.values[self.name]
        if agent._where is None:
            return cast(Gathered, table.agents[int(index[agent._index])])
        return Gathered(table, index[agent._where])


class Gathered:
    """The columns of linked agents, read only: shape (runs, agents that look)."""

    def __init__(self, table: Table, index: Indices) -> None:
        self._table = table
        self._index = index

    def __getattr__(self, name: str) -> Array:
        values = self._table.values
        if name not in values:
            raise AttributeError(f"no column {name!r}{nearest(name, values)}")
        return at(values[name], self._index)


class Queue(Quantity[tuple[Array, ...]]):
    """A row of columns, one per quarter ahead; turning it moves no numbers."""

    def __init__(self, unit: str, meaning: str, length: int) -> None:
        super().__init__(unit, meaning)
        self.length = length

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.places = [f"{name}[{ahead}]" for ahead in range(self.length)]

    def read(self, agent: ColumnAgent) -> tuple[Array, ...]:
        values = agent._table.values
        places = tuple(values[place] for place in self.places)
        if agent._where is EVERYONE:
            return places
        if agent._where is None:
            return tuple(for_person(place[..., agent._index]) for place in places)
        return tuple(place[..., agent._where] for place in places)

    def __set__(self, agent: ColumnAgent, value: Sequence[ArrayLike]) -> None:  # type: ignore[override]
        for place, quarter in zip(self.places, value, strict=True):
            agent._table.put(place, quarter, agent._own_place(), fixed=False)


def for_person(value: Array) -> Array:
    """A number where there is one run, an array over runs in a block."""
    return cast(Array, value.item()) if value.size == 1 else value


def rule[Agent: ColumnAgent](method: Callable[[Agent], None]) -> Callable[[Agent], None]:
    """Mark a method as a rule: inside it, columns are arrays whose last axis is agents."""

    @wraps(method)
    def act(self: Agent) -> None:
        method(self if self._where is not None else type(self).view(self._table, self._own_place(), self._index))

    act.is_rule = True  # type: ignore[attr-defined]
    return act


_MESA_NAMES = frozenset({"model", "unique_id", "pos"})


class ColumnAgent(mesa.Agent["DecouplingModel"]):
    """A Mesa agent whose quantities live in a `Table`. Undeclared names are refused on reading and writing."""

    _declared: Mapping[str, Quantity[object]] = {}
    _where: slice | None = None
    _table: Table
    _index: int

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()  # type: ignore[no-untyped-call]
        cls._declared = cls.columns()

    def __init__(self, model: DecouplingModel, table: Table, index: int) -> None:
        self._table = table
        self._index = index
        super().__init__(model)
        table.agents.append(self)

    @classmethod
    def view(cls, table: Table, where: slice = EVERYONE, index: int = 0) -> Self:
        """The array face of this kind of agent; not registered with Mesa."""
        arrays = object.__new__(cls)
        arrays._table = table
        arrays._where = where
        arrays._index = index
        return arrays

    @classmethod
    def columns(cls) -> dict[str, Quantity[object]]:
        """Every declared column by name, in order of declaration."""
        return {
            name: value
            for kind in reversed(cls.__mro__)
            for name, value in vars(kind).items()
            if isinstance(value, Quantity)
        }

    def __setattr__(self, name: str, value: object) -> None:
        if (quantity := self._declared.get(name)) is not None:
            quantity.__set__(self, value)  # type: ignore[arg-type]
        elif name in _MESA_NAMES or name.startswith("_"):
            super().__setattr__(name, value)
        else:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}{nearest(name, self.columns())}")

    if not TYPE_CHECKING:  # a name that is not declared is an error for the type checker too

        def __getattr__(self, name):
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
    def parameters(self) -> Parameters:
        """Parameters and levers: `self.parameters["demand.growth"]` has shape (runs, 1)."""
        return self._table.parameters

    @property
    def quarter(self) -> int:
        """The quarter that is being run, counted from 2020-Q1 = 0."""
        return self._table.quarter

    def draw(self, decision: str, among: Array | None = None) -> Array:
        """A uniform draw between 0 and 1 for this decision in this quarter, one for each agent and run.

        With `among`, a fixed column of 0 and 1, only for those: the others get 1, at which nothing happens.
        """
        keys = self._table.keys[self._own_place()]
        if among is None:
            return self._table.luck.draw(decision, self._table.quarter, keys)
        chosen = np.flatnonzero(among)
        draws = np.ones((self._table.runs, len(keys)))
        draws[:, chosen] = self._table.luck.draw(decision, self._table.quarter, keys[chosen])
        return draws

    def _own_place(self) -> slice:
        """Where its cells are in the columns."""
        return slice(self._index, self._index + 1) if self._where is None else self._where

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


def categories(name: str, ids: Sequence[str]) -> list[enum.Enum]:
    """The enum members of a world's ids, in order."""
    kind: Any = enum.Enum(name, {word: word for word in ids})  # type: ignore[misc]
    return list(kind)
