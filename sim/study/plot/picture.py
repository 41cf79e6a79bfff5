"""What a picture is made of, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sim.arrays import Array
from sim.study.plot.cases import Band
from sim.study.plot.dates import Row

Kind = Literal["series", "lines", "heat", "dots", "cases", "front"]


@dataclass(frozen=True)
class Line:
    """One line of a panel over `x`: years, or the levels of a factor; of cases a row, whose `x` is not read.

    `inner` are the ends of a narrower band of a row. Rows of several groups are told apart, and the legend has them.
    """

    label: str
    x: Array
    band: Band
    inner: tuple[float, float] | None = None
    group: str = ""


def row(label: str, low: float, middle: float, high: float, group: str = "") -> Line:
    """A row of cases side by side; nothing is drawn of what is NaN."""
    low_end, spot, high_end = (np.array([value]) for value in (low, middle, high))
    return Line(label, np.zeros(1), Band(low_end, spot, high_end, ""), group=group)


@dataclass(frozen=True)
class Panel:
    """What is drawn in one frame: lines; or cells of shape (levels of y, levels of x); or dots with their trend.

    `mark` is a value that rows are read against; `whole` are the ends of a grey bar behind each row, such as the range
    of a factor. Dots over lines are hollow: what was seen. The places of `ratios` are parts of something, drawn on a
    scale of doublings; what is below its left end goes on beyond the edge.
    A front is dots in grey, and over them those that nothing beats, with the band of each along both axes.
    """

    title: str
    lines: tuple[Line, ...] = ()
    cells: Array | None = None
    dots: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)  # x and y by config
    colours: Array | None = None  # of the dots of two factors, or of a front
    colour_label: str = ""  # of a panel that has a scale of its own
    front: tuple[Band, Band] | None = None  # along x and y
    trends: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    x_label: str = ""
    y_label: str = ""
    x_levels: tuple[str, ...] = ()  # the names of places on an axis that has no numbers
    y_levels: tuple[str, ...] = ()
    mark: float | None = None
    whole: tuple[float, float] | None = None
    ratios: bool = False

    def rows(self) -> list[str]:
        """The labels of the rows: those of several groups share one."""
        labels = [line.label for line in self.lines]
        shared = len({line.group for line in self.lines}) > 1
        return list(dict.fromkeys(labels)) if shared else labels


@dataclass(frozen=True)
class Style:
    """How a line is told from the others: the number of its colour, out of how many, whether in order; its dashes."""

    colour: int
    of: int
    ordered: bool
    dash: int


@dataclass(frozen=True)
class Picture:
    """All that is drawn; `notes` say what is not.

    `unit` is that of what is coloured, `styles` go by label. `shared` panels have one axis, so that they compare.
    """

    kind: Kind
    title: str
    subtitle: str
    panels: tuple[Panel, ...]
    unit: str
    source: str
    notes: tuple[str, ...]
    meanings: tuple[str, ...] = ()
    legend: str = ""
    styles: Mapping[str, Style] = field(default_factory=dict)
    shared: bool = True
    dates: tuple[Row, ...] = ()

    def labels(self) -> list[str]:
        """What the legend tells; nothing where there is one line, or one group of rows."""
        if self.kind == "cases":
            found = [line.group for panel in self.panels for line in panel.lines]
        else:
            found = [label for panel in self.panels for label in (*(line.label for line in panel.lines), *panel.dots)]
        labels = list(dict.fromkeys(found))
        return labels if len(labels) > 1 else []
