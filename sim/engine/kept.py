"""Answers that are kept until what they are made of changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


class Kept[Answer]:
    """The last answer of a piece of work, given again as long as all that it is made of is the same.

    `made_of` must be all that the work reads and that may change; arrays are the same when their values are.
    """

    def __init__(self) -> None:
        self._last: tuple[tuple[object, ...], Answer] | None = None

    def answer(self, work: Callable[[], Answer], *made_of: object) -> Answer:
        last = self._last
        if last is None or len(last[0]) != len(made_of) or not all(map(_same, made_of, last[0])):
            self._last = last = (made_of, work())
        return last[1]


def _same(new: object, old: object) -> bool:
    if new is old:
        return True
    if isinstance(new, np.ndarray) and isinstance(old, np.ndarray):
        return np.array_equal(new, old)
    return False
