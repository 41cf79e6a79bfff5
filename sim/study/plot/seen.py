"""Rows of a picture that hold the model against what was seen: medians and intervals as parts of the figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sim.study.plot.picture import Line, row
from sim.study.plot.words import Words

BY_SEEN = "dot: median, thick: 50 %, thin: 90 % of the model's forecast; broken line: the figure itself"
BELOW = "A row that reaches the left edge goes on below a tenth of the figure."
X_BY_SEEN = "model by figure, on a scale of doublings"


def against_seen(label: str, seen: float, quantiles: Sequence[float], group: str = "") -> Line:
    """A row from the 5, 25, 50, 75 and 95 % points of a forecast, in the unit of what was seen."""
    lowest, low, middle, high, highest = (value / seen for value in quantiles)
    return replace(row(label, lowest, middle, highest, group), inner=(low, high))


def series_in_words(series: str, names: Mapping[str, str]) -> str:
    """A series such as "equipment_spending.STATE (growth)", with the names of its world."""
    measure, _, kind = series.partition(" (")
    return Words([], names).measure(measure) + (f" ({kind}" if kind else "")
