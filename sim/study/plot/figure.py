"""A picture is drawn: the same bytes of SVG for the same picture, readable in grey and by the colour-blind.

What stands where on the sheet is here, what is in its frames in `panels`.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.results.figure import drawing, png_bytes, svg_text
from sim.study.plot.looks import SMALL, fill_of, short, style_of
from sim.study.plot.panels import MOST_LEVELS, draw_dates, draw_panel
from sim.study.plot.picture import Panel, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

WIDTH = 8.0  # inches
LINE = 0.16  # inches of a line of small text
LETTERS = 114  # of a subtitle in the width of a picture
SMALL_LETTERS = 126  # of what stands below
MANY_ROWS = 20  # stand closer
LEFT = 0.15 / WIDTH


def draw(picture: Picture, format: str) -> bytes:
    """The picture as "svg" or "png"."""
    from matplotlib.figure import Figure

    with drawing(picture.title):
        sheet = _sheet(picture)
        figure = Figure(figsize=(WIDTH, sheet.height), layout="constrained")
        layout: Any = figure.get_layout_engine()
        around = sheet.foot + sheet.keys, sheet.head + sheet.foot + sheet.keys
        layout.set(rect=(0.005, around[0] / sheet.height, 0.98, 1 - around[1] / sheet.height))
        axes = _frames(figure, picture, sheet)
        for place, frame in enumerate(axes):
            draw_panel(picture, place, frame, sheet.columns, sheet.rows[place // sheet.columns])
        for panel, frame in zip(picture.panels, axes, strict=True):
            if panel.lines and picture.kind != "cases" and _is_positive(picture, panel):
                frame.set_ylim(bottom=0)  # only now: frames that share an axis must all have been drawn
        _write(figure, picture, sheet)
        if labels := picture.labels():
            _draw_legend(figure, picture, sheet, labels)
        return svg_text(figure).encode() if format == "svg" else png_bytes(figure)


def _is_positive(picture: Picture, panel: Panel) -> bool:
    """Whether nothing in the panels of an axis lies below zero, so that it can begin there."""
    together = picture.panels if picture.shared else [panel]
    shown = [line.band.low for each in together for line in each.lines]
    return not any(bool((low < 0).any()) for low in shown)


# Sizes and places.


@dataclass(frozen=True)
class _Sheet:
    """What stands above each other, in inches: the head, the strip of dates, rows of panels, the legend, the foot."""

    columns: int  # of panels
    head: float
    strip: float
    rows: tuple[float, ...]
    keys: float
    foot: float
    beside: int  # labels of the legend
    below: tuple[str, ...]  # the lines of the foot

    @property
    def body(self) -> float:
        return sum(self.rows)

    @property
    def height(self) -> float:
        return self.head + self.body + self.strip + self.keys + self.foot


def _sheet(picture: Picture) -> _Sheet:
    columns = _columns(picture)
    labels = picture.labels()
    below = _wrapped([*picture.meanings, picture.source], SMALL_LETTERS)
    beside = _legend_columns(labels)
    tall = max((label.count("\n") + 1 for label in map(short, labels)), default=1)
    keys = (0.06 + LINE * tall) * math.ceil(len(labels) / beside) + (0.2 if picture.legend else 0) + 0.08
    strip = 0.2 + LINE * sum(short(row.label).count("\n") + 1 for row in picture.dates)
    return _Sheet(
        columns,
        0.62 + LINE * (len(_wrapped([picture.subtitle])) - 1) + 0.2 * (len(_title(picture)) - 1),
        strip if picture.dates and columns == 1 else 0.0,
        tuple(_heights(picture, columns, math.ceil(len(picture.panels) / columns))),
        keys if labels else 0.0,
        0.14 * len(below) + 0.12,
        beside,
        tuple(below),
    )


def _columns(picture: Picture) -> int:
    count = len(picture.panels)
    if picture.kind == "front":
        return 1
    if picture.kind == "cases":
        return 2 if count > 1 and _are_alike(picture.panels) else 1
    return 1 if count == 1 else 2 if count in (2, 4) else 3


def _are_alike(panels: Sequence[Panel]) -> bool:
    """Whether panels that would stand beside each other have the same rows, so that one set of labels does."""
    return all(left.rows() == right.rows() for left, right in zip(panels[::2], panels[1::2], strict=False))


def _heights(picture: Picture, columns: int, rows: int) -> list[float]:
    """Inches of each row of panels."""
    if picture.kind == "cases":
        return [_height_of_cases(picture.panels[row * columns :][:columns]) for row in range(rows)]
    if picture.kind == "heat":
        up = max(len(panel.y_levels) for panel in picture.panels)
        return [1.1 + max(min(max(0.42 * up, 1.2), 3.6), 0.2 * min(up, MOST_LEVELS["y"]))] * rows
    return [{1: 3.6, 2: 2.9, 3: 2.3}[columns]] * rows


def _height_of_cases(panels: Sequence[Panel]) -> float:
    tall = max(short(line.label).count("\n") + 1 for panel in panels for line in panel.lines)
    rows = max(len(panel.rows()) for panel in panels)
    return 0.75 + ((0.12 if rows <= MANY_ROWS else 0.07) + 0.12 * tall) * rows


def _frames(figure: Figure, picture: Picture, sheet: _Sheet) -> list[Axes]:
    if sheet.strip:
        strip = sheet.strip / max(sheet.body, 1e-9)
        over, frame = figure.subplots(2, 1, sharex=True, height_ratios=(strip, 1))
        draw_dates(over, picture)
        return [frame]
    outcome_is_up = picture.kind in ("series", "lines") or (
        picture.kind == "dots" and picture.panels[0].colours is None
    )
    grid = figure.subplots(
        len(sheet.rows),
        sheet.columns,
        squeeze=False,
        height_ratios=sheet.rows,
        sharey=picture.shared and outcome_is_up,
        sharex=picture.kind == "series" or (picture.shared and picture.kind == "cases"),
    )
    frames = list(grid.ravel())
    for empty in frames[len(picture.panels) :]:
        empty.set_axis_off()
    for number in range(len(picture.panels) - sheet.columns, len(picture.panels)):
        if number >= 0:
            frames[number].xaxis.set_tick_params(labelbottom=True)  # of a column that ends above an empty place
    return frames[: len(picture.panels)]


def _title(picture: Picture) -> list[str]:
    return textwrap.wrap(picture.title, 66) or [""]


def _wrapped(texts: Iterable[str], letters: int = LETTERS) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, letters) or [""]]


def _legend_columns(labels: Sequence[str]) -> int:
    """How many labels have room beside each other: a letter takes about a fifteenth of an inch, a line half an inch."""
    longest = max((len(line) for label in labels for line in short(label).splitlines()), default=0)
    return max(1, min(len(labels), int((WIDTH - 0.3) / (0.6 + 0.075 * longest))))


def _write(figure: Figure, picture: Picture, sheet: _Sheet) -> None:
    """Title, subtitle and what is below."""
    title = "\n".join(_title(picture))
    figure.text(LEFT, 1 - 0.1 / sheet.height, title, fontsize=11.5, fontweight="bold", va="top", in_layout=False)
    subtitle = "\n".join(_wrapped([picture.subtitle]))
    place = 1 - (sheet.head - 0.12) / sheet.height
    figure.text(LEFT, place, subtitle, fontsize=SMALL + 0.5, va="bottom", in_layout=False)
    figure.text(
        LEFT,
        0.06 / sheet.height,
        "\n".join(sheet.below),
        fontsize=SMALL - 0.5,
        color="#444444",
        va="bottom",
        linespacing=1.3,
        in_layout=False,
    )


def _draw_legend(figure: Figure, picture: Picture, sheet: _Sheet, labels: Sequence[str]) -> None:
    legend = figure.legend(
        handles=[_handle(picture, label) for label in labels],
        loc="upper left",
        bbox_to_anchor=(LEFT / 2, (sheet.foot + sheet.keys) / sheet.height),
        ncols=sheet.beside,
        frameon=False,
        fontsize=SMALL + 0.5,
        title=picture.legend or None,
        alignment="left",
        handlelength=2.6,
        borderaxespad=0.2,
    )
    legend.set_in_layout(False)


def _handle(picture: Picture, label: str) -> Line2D:
    """What stands before a label of the legend."""
    from matplotlib.lines import Line2D

    style = picture.styles[label]
    colour, dash = style_of(style)
    looks: dict[str, Any] = {"color": colour, "linestyle": dash}
    if picture.kind == "cases":
        looks = {"color": colour, "marker": "o", "markerfacecolor": fill_of(style), "linewidth": 2.2}
    elif picture.kind == "dots":
        looks = {"color": colour, "marker": "o", "linestyle": ""}
    elif any(label in panel.dots for panel in picture.panels):
        looks |= {"marker": "o", "markerfacecolor": "white"}
        is_line = any(line.label == label for panel in picture.panels for line in panel.lines)
        looks |= {} if is_line else {"linestyle": ""}
    return Line2D([], [], label=short(label), **looks)
