"""The numbers of a picture as CSV: what is drawn, for a figure of one's own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sim.results.escape import spreadsheet
from sim.results.records import line
from sim.study.plot.picture import Panel, Picture

COLUMNS = ("panel", "name", "group", "x", "y", "low", "middle", "high")


def numbers(picture: Picture) -> str:
    """A line for each point of a line, row, cell of a heat map or dot, in the units that are drawn.

    `low` to `high` is the band or the interval of `middle`; cells of a heat map have a `middle` alone, dots a `y`.
    """
    rows = [row for panel in picture.panels for row in _rows(panel, picture.kind == "cases")]
    return "".join([line(COLUMNS), *(line(_cell(row.get(name, "")) for name in COLUMNS) for row in rows)])


def _cell(held: Any) -> Any:
    return "" if isinstance(held, float) and math.isnan(held) else spreadsheet(held)


def _rows(panel: Panel, side_by_side: bool) -> Iterator[dict[str, Any]]:
    for each in panel.lines:
        own = {"panel": panel.title, "name": each.label, "group": each.group}
        for x, *band in zip(each.x, each.band.low, each.band.middle, each.band.high, strict=True):
            place = {} if side_by_side else {"x": float(x)}
            yield own | place | dict(zip(("low", "middle", "high"), map(float, band), strict=True))
    if panel.cells is not None:
        for (up, right), held in np.ndenumerate(panel.cells):
            levels = {"x": panel.x_levels[right], "y": panel.y_levels[up]}
            yield {"panel": panel.title, **levels, "middle": float(held)}
    for name, (along, up_to) in panel.dots.items():
        for x, y in zip(along, up_to, strict=True):
            yield {"panel": panel.title, "name": name, "x": float(x), "y": float(y)}
