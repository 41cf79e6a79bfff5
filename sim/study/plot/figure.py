"""A picture is drawn: the same bytes of SVG for the same picture, readable in grey and by the colour-blind."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.results.figure import drawing, open_frame, png_bytes, svg_text
from sim.study.plot.dates import place_of
from sim.study.plot.picture import Panel, Picture, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), dark ones first; with dashes, so that they are told apart in grey too.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7F7F7F")
DASHES = ("-", "--", "-.", ":", (0, (6, 2)), (0, (1, 1)), (0, (4, 1, 1, 1, 1, 1)), (0, (2, 3)))
SCALE = "viridis"  # ordered in lightness as well
LIGHTEST = 0.85  # of the scale, for lines on white
WIDTH = 8.0  # inches
LINE = 0.16  # inches of a line of small text
LETTERS = 114  # of a subtitle in the width of a picture
SMALL_LETTERS = 126  # of what stands below
SMALL = 8
UPWARDS = 13  # letters of an axis in an inch
MOST_LEVELS = {"x": 16, "y": 40}  # of a heat map that are named
MOST_NUMBERS = 130  # cells that have their numbers in them
ROW = Style(1, 1, False, 0)  # of rows that are one group
MANY_ROWS = 20  # stand closer
LEAST_RATIO = 0.1
MANY_DOTS = 400  # drawn as an image inside the SVG


def draw(picture: Picture, format: str) -> bytes:
    """The picture as "svg" or "png"."""
    from matplotlib.figure import Figure

    with drawing(picture.title):
        columns = _columns(picture)
        rows = math.ceil(len(picture.panels) / columns)
        labels = _labels(picture)
        below = _wrapped([*picture.meanings, picture.source], SMALL_LETTERS)
        entries = _legend_columns(labels)
        head = 0.62 + LINE * (len(_wrapped([picture.subtitle])) - 1) + 0.2 * (len(_title(picture)) - 1)
        tall = max((label.count("\n") + 1 for label in map(_short, labels)), default=1)
        keys = (
            ((0.06 + LINE * tall) * math.ceil(len(labels) / entries) + (0.2 if picture.legend else 0) + 0.08)
            if labels
            else 0.0
        )
        foot = 0.14 * len(below) + 0.12
        heights = _heights(picture, columns, rows)
        body = sum(heights)
        strip = (
            0.2 + LINE * sum(_short(row.label).count("\n") + 1 for row in picture.dates)
            if picture.dates and columns == 1
            else 0.0
        )
        height = head + body + strip + keys + foot
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        layout: Any = figure.get_layout_engine()
        layout.set(rect=(0.005, (foot + keys) / height, 0.98, 1 - (head + foot + keys) / height))
        axes = _frames(figure, picture, heights, columns, strip / max(body, 1e-9))
        for place, (panel, frame) in enumerate(zip(picture.panels, axes, strict=True)):
            _panel(picture, panel, frame, place, columns)
        for panel, frame in zip(picture.panels, axes, strict=True):
            if panel.lines and picture.kind != "cases" and _is_positive(picture, panel):
                frame.set_ylim(bottom=0)  # only now: frames that share an axis must all have been drawn
        _texts(figure, picture, height, head, keys, foot, below, labels, entries)
        return svg_text(figure).encode() if format == "svg" else png_bytes(figure)


def _is_positive(picture: Picture, panel: Panel) -> bool:
    """Whether nothing in the panels of an axis lies below zero, so that it can begin there."""
    together = picture.panels if picture.shared else [panel]
    shown = [line.band.low for each in together for line in each.lines]
    return not any(bool((low < 0).any()) for low in shown)


# Sizes and places.


def _columns(picture: Picture) -> int:
    count = len(picture.panels)
    if picture.kind == "front":
        return 1
    if picture.kind == "cases":
        return 2 if count > 1 and _are_alike(picture.panels) else 1
    return 1 if count == 1 else 2 if count in (2, 4) else 3


def _are_alike(panels: Sequence[Panel]) -> bool:
    """Whether panels that would stand beside each other have the same rows, so that one set of labels does."""
    return all(_rows(left) == _rows(right) for left, right in zip(panels[::2], panels[1::2], strict=False))


def _heights(picture: Picture, columns: int, rows: int) -> list[float]:
    """Inches of each row of panels."""
    if picture.kind == "cases":
        return [_height_of_cases(picture.panels[row * columns :][:columns]) for row in range(rows)]
    if picture.kind == "heat":
        up = max(len(panel.y_levels) for panel in picture.panels)
        return [1.1 + max(min(max(0.42 * up, 1.2), 3.6), 0.2 * min(up, MOST_LEVELS["y"]))] * rows
    return [{1: 3.6, 2: 2.9, 3: 2.3}[columns]] * rows


def _height_of_cases(panels: Sequence[Panel]) -> float:
    tall = max(_short(line.label).count("\n") + 1 for panel in panels for line in panel.lines)
    rows = max(len(_rows(panel)) for panel in panels)
    return 0.75 + ((0.12 if rows <= MANY_ROWS else 0.07) + 0.12 * tall) * rows


def _frames(figure: Figure, picture: Picture, heights: Sequence[float], columns: int, strip: float) -> list[Axes]:
    if strip:
        over, frame = figure.subplots(2, 1, sharex=True, height_ratios=(strip, 1))
        _draw_dates(over, picture)
        return [frame]
    outcome_is_up = picture.kind in ("series", "lines") or (
        picture.kind == "dots" and picture.panels[0].colours is None
    )
    grid = figure.subplots(
        len(heights),
        columns,
        squeeze=False,
        height_ratios=heights,
        sharey=picture.shared and outcome_is_up,
        sharex=picture.kind == "series" or (picture.shared and picture.kind == "cases"),
    )
    frames = list(grid.ravel())
    for empty in frames[len(picture.panels) :]:
        empty.set_axis_off()
    for number in range(len(picture.panels) - columns, len(picture.panels)):
        if number >= 0:
            frames[number].xaxis.set_tick_params(labelbottom=True)  # of a column that ends above an empty place
    return frames[: len(picture.panels)]


def _title(picture: Picture) -> list[str]:
    return textwrap.wrap(picture.title, 66) or [""]


def _wrapped(texts: Iterable[str], letters: int = LETTERS) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, letters) or [""]]


def _labels(picture: Picture) -> list[str]:
    """What the legend tells; nothing where there is one line, or one group of rows."""
    if picture.kind == "cases":
        found = [line.group for panel in picture.panels for line in panel.lines]
    else:
        found = [label for panel in picture.panels for label in (*(line.label for line in panel.lines), *panel.dots)]
    labels = list(dict.fromkeys(found))
    return labels if len(labels) > 1 else []


def _legend_columns(labels: Sequence[str]) -> int:
    """How many labels have room beside each other: a letter takes about a fifteenth of an inch, a line half an inch."""
    longest = max((len(line) for label in labels for line in _short(label).splitlines()), default=0)
    return max(1, min(len(labels), int((WIDTH - 0.3) / (0.6 + 0.075 * longest))))


def _texts(
    figure: Figure,
    picture: Picture,
    height: float,
    head: float,
    keys: float,
    foot: float,
    below: Sequence[str],
    labels: Sequence[str],
    entries: int,
) -> None:
    """Title, subtitle, legend and source, each in a place of its own."""
    left = 0.15 / WIDTH
    title = "\n".join(_title(picture))
    figure.text(left, 1 - 0.1 / height, title, fontsize=11.5, fontweight="bold", va="top", in_layout=False)
    subtitle = "\n".join(_wrapped([picture.subtitle]))
    figure.text(left, 1 - (head - 0.12) / height, subtitle, fontsize=SMALL + 0.5, va="bottom", in_layout=False)
    figure.text(
        left,
        0.06 / height,
        "\n".join(below),
        fontsize=SMALL - 0.5,
        color="#444444",
        va="bottom",
        linespacing=1.3,
        in_layout=False,
    )
    if labels:
        from matplotlib.lines import Line2D

        lines = {line.label for panel in picture.panels for line in panel.lines}
        dots = {label for panel in picture.panels for label in panel.dots}
        handles = []
        for label in labels:
            style = picture.styles[label]
            colour, dash = _style(style)
            looks: dict[str, Any] = {"color": colour, "linestyle": dash}
            if picture.kind == "cases":
                looks = {"color": colour, "marker": "o", "markerfacecolor": _fill(style), "linewidth": 2.2}
            elif picture.kind == "dots":
                looks = {"color": colour, "marker": "o", "linestyle": ""}
            elif label in dots:
                looks |= {"marker": "o", "markerfacecolor": "white"}
                looks |= {} if label in lines else {"linestyle": ""}
            handles.append(Line2D([], [], label=_short(label), **looks))
        legend = figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(left / 2, (foot + keys) / height),
            ncols=entries,
            frameon=False,
            fontsize=SMALL + 0.5,
            title=picture.legend or None,
            alignment="left",
            handlelength=2.6,
            borderaxespad=0.2,
        )
        legend.set_in_layout(False)


# Panels.


def _fill(style: Style) -> str:
    """The filling of a row's dot: those of a second group are hollow, so that they are told apart in grey too."""
    return "white" if style.dash else COLOURS[style.colour % len(COLOURS)]


def _style(style: Style) -> tuple[Any, Any]:
    """Colour and dashes of a line: ordered factors in an ordered scale, from dark to light."""
    dash = DASHES[style.dash % len(DASHES)]
    if style.ordered:
        from matplotlib import colormaps

        return colormaps[SCALE](LIGHTEST * style.colour / max(1, style.of - 1)), dash
    return COLOURS[style.colour % len(COLOURS)], dash


def _panel(picture: Picture, panel: Panel, axes: Axes, place: int, columns: int) -> None:
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
            up = round(UPWARDS * (_heights(picture, columns, 1)[0] - 0.3)) if picture.kind == "heat" else 42
            axes.set_ylabel("\n".join(textwrap.wrap(panel.y_label, min(up, 42))), fontsize=SMALL + 0.5)
    if panel.x_levels and picture.kind != "heat":
        axes.set_xticks(range(len(panel.x_levels)), panel.x_levels, rotation=0 if columns == 1 else 25)
    if panel.y_levels and picture.kind != "heat":
        axes.set_yticks(range(len(panel.y_levels)), panel.y_levels)
    axes.tick_params(labelsize=SMALL)


def _draw_lines(picture: Picture, panel: Panel, axes: Axes) -> None:
    for line in panel.lines:
        colour, dash = _style(picture.styles[line.label])
        if np.any(line.band.low != line.band.high):
            axes.fill_between(line.x, line.band.low, line.band.high, color=colour, alpha=0.15, linewidth=0)
        mark = "o" if picture.kind == "lines" and len(line.x) <= 30 else ""
        axes.plot(line.x, line.band.middle, color=colour, linestyle=dash, marker=mark, markersize=3)
    for label, (x, y) in panel.dots.items():
        axes.plot(x, y, "o", color=_style(picture.styles[label])[0], markerfacecolor="white", markersize=4.5)
    if picture.kind == "series":
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True, min_n_ticks=2))


def _draw_dates(axes: Axes, picture: Picture) -> None:
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
            _short(row.label),
            (spot, -height),
            (shift, 0),
            textcoords="offset points",
            ha="left" if after else "right",
            va="center",
            fontsize=SMALL - 0.5,
            linespacing=1.0,
        )
        height += _short(row.label).count("\n") + 1
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
    alone = not _labels(picture)
    for label, (x, y) in panel.dots.items():
        colour = COLOURS[1] if alone else _style(picture.styles[label])[0]
        few = len(x) <= MANY_DOTS
        dots = axes.scatter(x, y, color=colour, s=16 if few else 7, alpha=0.45 if few else 0.3, linewidths=0)
        dots.set_rasterized(len(x) > MANY_DOTS)
    for label, (x, y) in panel.trends.items():
        colour = COLOURS[2] if alone else _style(picture.styles[label])[0]
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
    rows = _rows(panel)
    groups = list(dict.fromkeys(line.group for line in panel.lines))
    beside = 0.28 if len(rows) < len(panel.lines) else 0.0
    for number, line in enumerate(panel.lines):
        place = rows.index(line.label) if beside else number
        height = -place - beside * (groups.index(line.group) - (len(groups) - 1) / 2)
        style = picture.styles.get(line.group, ROW)
        colour = _style(style)[0]
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
        axes.plot([middle], [height], "o", color=colour, markersize=5, markerfacecolor=_fill(style))
    axes.set_yticks([-place for place in range(len(rows))], [_short(label) for label in rows])
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


def _rows(panel: Panel) -> list[str]:
    """The labels of the rows: those of several groups share one."""
    labels = [line.label for line in panel.lines]
    shared = len({line.group for line in panel.lines}) > 1
    return list(dict.fromkeys(labels)) if shared else labels


def _short(label: str) -> str:
    """A label in lines that have room beside what they are of."""
    return "\n".join(textwrap.wrap(label, 56))
