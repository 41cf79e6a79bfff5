"""Comparing results run by run. Reads files, never the model."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from sim.compare.question import Comparison, Incomplete, Question, Settings, compare, identical, trips

__all__ = ["Comparison", "Incomplete", "Question", "Settings", "compare", "identical", "trips"]


class _Callable(ModuleType):
    """`sim.compare` is this package, and `from sim import compare` is meant to be called."""

    def __call__(self, paths: Sequence[str | Path], question: Question) -> Comparison:
        return compare(paths, question)


sys.modules[__name__].__class__ = _Callable
