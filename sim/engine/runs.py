"""Some of a model's runs, each as often as it is named: what a second future goes on from."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Indices


class Pick:
    """Gives of what a model holds the part of some of its runs; what is one thing there is one thing here.

    An array of two axes or more has runs as its first one. Columns are values, so without `columns`, where all runs go
    on, arrays stay as they are.
    """

    def __init__(self, columns: Indices | None = None) -> None:
        self.columns = columns
        self._picked: dict[int, tuple[object, object]] = {}  # what it is of is held, so that its id is nobody else's

    def __call__[Kind](self, held: Kind) -> Kind:
        if id(held) not in self._picked:
            self._picked[id(held)] = held, self._pick(held)
        return cast(Kind, self._picked[id(held)][1])

    def _pick(self, held: object) -> object:
        if isinstance(held, np.ndarray):
            return held if held.ndim < 2 else self.rows(held)
        if isinstance(held, tuple | list):
            return type(held)(map(self, held))
        return held.picked(self) if hasattr(held, "picked") else held

    def rows[Kind: np.generic](self, array: NDArray[Kind]) -> NDArray[Kind]:
        """The rows of an array that has one for each run."""
        if self.columns is None:
            return array
        rows: NDArray[Kind] = array.take(self.columns, axis=0)
        rows.flags.writeable = array.flags.writeable
        return rows

    def each[Kind](self, by_run: Sequence[Kind]) -> list[Kind]:
        """Of a list that has an entry for each run."""
        return list(by_run) if self.columns is None else [by_run[column] for column in self.columns]


class ByRun:
    """Holds arrays by run, but for the arrays of `SAME`, which are the same in every run."""

    SAME: ClassVar[tuple[str, ...]] = ()

    def picked(self, pick: Pick) -> Self:
        """The same of the runs that are picked."""
        twin = copy(self)
        vars(twin).update({name: pick(held) for name, held in vars(self).items() if name not in self.SAME})
        return twin
