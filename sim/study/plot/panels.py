"""The insides of a picture's frames: lines, cells, dots, fronts and rows, and the marks of dates above them."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from sim.results.figure import open_frame
from sim.study.plot.dates import place_of
from sim.study.plot.looks import COLOURS, SCALE, SMALL, fill_of, short, style_of
from sim.study.plot.picture import Panel, Picture, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UPWARDS = 13  # letters of an axis in an inch
MOST_LEVELS = {"x": 16, "y": 40}  # of a heat map that are named
MOST_NUMBERS = 130  # cells that have their numbers in them
ROW = Style(1, 1, False, 0)  # of rows that are one group
LEAST_RATIO = 0.1
MANY_DOTS = 400  # drawn as an image inside the SVG


def draw_panel(picture: Picture, place: int, axes: Axes, columns: int, height: float) -> None:
    """Draw the panel in that place, with so many beside each other, in a row of so many inches."""
    panel = picture.panels[place]
    axes.set_title("\n".join(textwrap.wrap(panel.title, 92 // columns)), loc="left", fontsize=9)
    first = place % columns == 0
    apart = not picture.shared
    if picture.kind == "heat":
        _draw_cells(picture, panel, axes, columns)
    elif picture.kind == "cases":
        _draw_cases(panel, axes, picture, columns)
        left = picture.panels[place - 1] if not first else None
        if left and [line.label for line in left.lines] == [line.label for line in panel.lines]:
            axes.tick_params(axis="y", labelleft=False)
    elif picture.kind == "front":
        _draw_front(panel, axes)
    else:
        if picture.kind == "dots":
            _draw_dots(picture, panel, axes)
        else:
            _draw_lines(picture, panel, axes)
        if picture.kind == "series":
            for row in picture.dates:
                for date in row.begins:
                    axes.axvline(place_of(date), color="#cccccc", linewidth=0.6, zorder=0)
        open_frame(axes)
    if picture.kind != "cases":
        axes.set_xlabel("\n".join(textwrap.wrap(panel.x_label, 84 // columns)), fontsize=SMALL + 0.5)
        if first or apart:
            up = round(UPWARDS * (height - 0.3)) if picture.kind == "heat" else 42
            axes.set_ylabel("\n".join(textwrap.wrap(panel.y_label, min(up, 42))), fontsize=SMALL + 0.5)
    if panel.x_levels and picture.kind != "heat":
        axes.set_xticks(range(len(panel.x_levels)), panel.x_levels, rotation=0 if columns == 1 else 25)
    if panel.y_levels and picture.kind != "heat":
        axes.set_yticks(range(len(panel.y_levels)), panel.y_levels)
    axes.tick_params(labelsize=SMALL)


def _draw_lines(picture: Picture, panel: Panel, axes: Axes) -> None:
    for line in panel.lines:
        colour, dash = style_of(picture.styles[line.label])
        if np.any(line.band.low != line.band.high):
            axes.fill_between(line.x, line.band.low, line.band.high, color=colour, alpha=0.15, linewidth=0)
        mark = "o" if picture.kind == "lines" and len(line.x) <= 30 else ""
        axes.plot(line.x, line.band.middle, color=colour, linestyle=dash, marker=mark, markersize=3)
    for label, (x, y) in panel.dots.items():
        axes.plot(x, y, "o", color=style_of(picture.styles[label])[0], markerfacecolor="white", markersize=4.5)
    if picture.kind == "series":
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True, min_n_ticks=2))


def draw_dates(axes: Axes, picture: Picture) -> None:
    """A row of marks for each state and kind of event, its words where there is room beside them."""
    ends_too = any(row.ends for row in picture.dates)
    told = "comes into force (filled) or ends (hollow)" if ends_too else "comes into force"
    axes.set_title(told, loc="left", fontsize=SMALL)
    x = np.concatenate([line.x for line in picture.panels[0].lines])
    middle = (float(x.min()) + float(x.max())) / 2
    height = 0
    for row in picture.dates:
        begins, ends = [*map(place_of, row.begins)], [*map(place_of, row.ends)]
        axes.plot(begins, [-height] * len(begins), "v", color="#444444", markersize=4)
        axes.plot(ends, [-height] * len(ends), "v", color="#444444", markersize=4, markerfacecolor="white")
        dates = [*begins, *ends]
        after = max(dates) <= middle or x.max() - max(dates) > min(dates) - x.min()
        spot, shift = (max(dates), 6) if after else (min(dates), -6)
        axes.annotate(
            short(row.label),
            (spot, -height),
            (shift, 0),
            textcoords="offset points",
            ha="left" if after else "right",
            va="center",
            fontsize=SMALL - 0.5,
            linespacing=1.0,
        )
        height += short(row.label).count("\n") + 1
    axes.set_ylim(0.6 - height, 0.6)
    axes.set_axis_off()
    axes.title.set_visible(True)


def _draw_cells(picture: Picture, panel: Panel, axes: Axes, columns: int) -> None:
    cells = panel.cells
    assert cells is not None
    known = np.concatenate([each.cells.ravel() for each in picture.panels if each.cells is not None])
    known = known[~np.isnan(known)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    image = axes.pcolormesh(cells, cmap=SCALE, vmin=low, vmax=high, edgecolors="white", linewidth=0.6)
    axes.set_facecolor("#dddddd")
    digits = 0 if high == low else min(3, max(0, 2 - math.ceil(math.log10(high - low))))
    if cells.size <= MOST_NUMBERS:
        for (row, column), held in np.ndenumerate(cells):
            dark = math.isnan(held) or (held - low) / ((high - low) or 1) > 0.6
            text = "none" if math.isnan(held) else f"{held:.{digits}f}"
            axes.text(
                column + 0.5,
                row + 0.5,
                text,
                ha="center",
                va="center",
                fontsize=SMALL,
                color="black" if dark else "white",
            )
    letters = max(6, 84 // (columns * len(panel.x_levels)))
    across = ["\n".join(textwrap.wrap(name, letters)) for name in panel.x_levels]
    for axis, names, most in ((axes.xaxis, across, "x"), (axes.yaxis, list(panel.y_levels), "y")):
        every = math.ceil(len(names) / MOST_LEVELS[most])  # more do not have room
        axis.set_ticks(np.arange(0.5, len(names), every), names[::every])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if panel is picture.panels[-1]:
        frames = [each for each in axes.figure.axes if each.axison]
        bar = axes.figure.colorbar(image, ax=frames, shrink=0.9, aspect=30, pad=0.015)
        bar.set_label(picture.unit, fontsize=SMALL + 0.5)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=SMALL)


def _draw_dots(picture: Picture, panel: Panel, axes: Axes) -> None:
    if panel.colours is not None:
        x, y = panel.dots[""]
        together = np.concatenate([each.colours for each in picture.panels if each.colours is not None])
        ends = float(np.nanmin(together)), float(np.nanmax(together))
        dots = axes.scatter(x, y, c=panel.colours, cmap=SCALE, vmin=ends[0], vmax=ends[1], s=14, linewidths=0)
        dots.set_rasterized(len(x) > MANY_DOTS)
        if panel is picture.panels[-1]:
            frames = [each for each in axes.figure.axes if each.axison]
            bar = axes.figure.colorbar(dots, ax=frames, shrink=0.9, aspect=30, pad=0.015)
            bar.set_label(picture.unit, fontsize=SMALL + 0.5)
            bar.ax.tick_params(labelsize=SMALL)
        return
    alone = not picture.labels()
    for label, (x, y) in panel.dots.items():
        colour = COLOURS[1] if alone else style_of(picture.styles[label])[0]
        few = len(x) <= MANY_DOTS
        dots = axes.scatter(x, y, color=colour, s=16 if few else 7, alpha=0.45 if few else 0.3, linewidths=0)
        dots.set_rasterized(len(x) > MANY_DOTS)
    for label, (x, y) in panel.trends.items():
        colour = COLOURS[2] if alone else style_of(picture.styles[label])[0]
        axes.plot(x, y, color=colour, linewidth=1.6, marker="o", markersize=3)


def _draw_front(panel: Panel, axes: Axes) -> None:
    """What was tried in grey, the front in colours of a further objective if there is one, with bands as thin lines."""
    assert panel.front is not None
    for x, y in panel.dots.values():
        tried = axes.scatter(x, y, color="#c8c8c8", s=7, linewidths=0, zorder=1)
        tried.set_rasterized(len(x) > MANY_DOTS)
    across, up = panel.front
    lengths = [np.stack([band.middle - band.low, band.high - band.middle]) for band in (across, up)]
    axes.errorbar(
        across.middle,
        up.middle,
        yerr=lengths[1],
        xerr=lengths[0],
        fmt="none",
        ecolor="#9a9a9a",
        elinewidth=0.6,
        zorder=2,
    )
    if panel.colours is None:
        axes.scatter(across.middle, up.middle, color=COLOURS[1], s=24, edgecolors="white", linewidths=0.4, zorder=3)
    else:
        dots = axes.scatter(
            across.middle, up.middle, c=panel.colours, cmap=SCALE, s=30, edgecolors="black", linewidths=0.4, zorder=3
        )
        bar = axes.figure.colorbar(dots, ax=axes, shrink=0.9, aspect=30, pad=0.015)
        bar.set_label("\n".join(textwrap.wrap(panel.colour_label, 42)), fontsize=SMALL + 0.5)
        bar.ax.tick_params(labelsize=SMALL)
    open_frame(axes)


def _draw_cases(panel: Panel, axes: Axes, picture: Picture, columns: int) -> None:
    """A row for each line: its band, its narrower band, its middle; rows of one label share a place."""
    rows = panel.rows()
    groups = list(dict.fromkeys(line.group for line in panel.lines))
    beside = 0.28 if len(rows) < len(panel.lines) else 0.0
    for number, line in enumerate(panel.lines):
        place = rows.index(line.label) if beside else number
        height = -place - beside * (groups.index(line.group) - (len(groups) - 1) / 2)
        style = picture.styles.get(line.group, ROW)
        colour = style_of(style)[0]
        least = LEAST_RATIO if panel.ratios else -math.inf
        ends = (line.band.low, line.band.middle, line.band.high)
        low, middle, high = (float(np.maximum(least, each[0])) for each in ends)  # NaN stays
        if panel.whole:
            axes.plot(panel.whole, [height, height], color="#dddddd", linewidth=6, solid_capstyle="butt")
        axes.plot([low, high], [height, height], color=colour, linewidth=2.2, alpha=0.6)
        if line.inner:
            axes.plot(
                [max(least, end) for end in line.inner],
                [height, height],
                color=colour,
                linewidth=5,
                alpha=0.75,
                solid_capstyle="butt",
            )
        axes.plot([middle], [height], "o", color=colour, markersize=5, markerfacecolor=fill_of(style))
    axes.set_yticks([-place for place in range(len(rows))], [short(label) for label in rows])
    axes.set_ylim(0.6 - len(rows), 0.6)
    if panel.ratios:
        _double(axes, max(float(line.band.high[0]) for line in panel.lines))
    if panel.mark is not None:
        axes.axvline(panel.mark, color="#444444", linewidth=0.9, linestyle=(0, (4, 2)), zorder=0.5)
        if panel.mark >= 0 and not panel.ratios and all(line.band.low[0] >= 0 for line in panel.lines):
            axes.set_xlim(left=0)
    axes.set_xlabel("\n".join(textwrap.wrap(panel.x_label, 66 // columns)), fontsize=SMALL + 0.5)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_tick_params(labelbottom=True)  # also where panels share the axis: they are long
    open_frame(axes)


def _double(axes: Axes, most: float) -> None:
    """A scale on which each step doubles, from a tenth to beyond the largest value."""
    steps = [2.0**power for power in range(-3, max(1, math.ceil(math.log2(max(most, 1.0)))) + 1)]
    axes.set_xscale("log", base=2)
    axes.set_xlim(LEAST_RATIO, max(steps[-1], 1.05 * most))
    axes.set_xticks(steps, [f"{step:g}" for step in steps])
