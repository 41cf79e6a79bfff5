"""The kinds of picture: series, lines over a factor, a heat map, dots of a sample, cases side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sim.arrays import Array
from sim.compare.tables import Key
from sim.compare.words import counted
from sim.errors import BadInput
from sim.study.plot.cases import (
    FIXED,
    Band,
    Case,
    band,
    grouped,
    levels,
    over_time,
)
from sim.study.plot.dates import dates_of, middle_of
from sim.study.plot.layout import Layout
from sim.study.plot.picture import Line, Panel, Picture

MOST_LINES = 8  # in a panel: more cannot be told apart
MOST_CELLS = 9  # panels of cells that nobody asked for
MOST_CASES = 40  # side by side in a panel
MOST_FACTORS = 6  # of a sample, each in its panel
BINS = 10


def series(layout: Layout) -> Picture:
    """Lines over time, with the dates on which something comes into force."""
    columns = [column for column, _ in layout.asked.columns]
    panels = []
    of = dict[str, None]()
    for column in columns:
        for place, cases in layout.panels():
            lines = []
            for group, own in grouped(cases, layout.free).items():
                found = band(own, [over_time(case, column) for case in own]).scaled(layout.words.scale(column))
                every = own[0].result.dates_a_year
                dates = np.array([middle_of(date, every) for date in own[0].result.series.dates])
                lines.append(Line(layout.label(group, cases), dates, found))
                of[found.of] = None
            panels.append(Panel(layout.title(column, place), tuple(lines), y_label=layout.words.unit(column)))
    last = max(case.result.series.dates[-1] for case in layout.cases)
    _say_stopped(layout, columns[0])
    return layout.made(
        "series",
        panels,
        _told(of),
        dates=tuple(dates_of(layout.cases, layout.words, last)),
    )


def lines(layout: Layout, x: str) -> Picture:
    """Lines over a factor."""
    layout.free = [key for key in layout.free if key != x]
    if layout.lines_each() > MOST_LINES and layout.asked.by is None:
        layout.panel_by(layout.free[-1])
    if layout.lines_each() > MOST_LINES:
        raise BadInput(
            f"--x = {x!r}: leaves {layout.lines_each()} lines in a panel, and {MOST_LINES} can be told apart; "
            f"give --y {layout.free[0]} too for a heat map, or --by KEY"
        )
    names = layout.level_names(x)
    panels, of = [], dict[str, None]()
    for column, at in layout.asked.columns:
        for place, cases in layout.panels():
            lines = []
            for group, own in grouped(cases, layout.free).items():
                by_level = {level: each for (level,), each in grouped(own, [x]).items() if level is not None}
                if not by_level:
                    continue
                bands = [layout.band(each, column, at) for each in by_level.values()]
                spots = [layout.spot(x, level) for level in by_level]
                lines.append(Line(layout.label(group, cases), np.array(spots), _joined(bands)))
                of |= dict.fromkeys(each.of for each in bands)
            panel = Panel(layout.title(column, place), tuple(lines), y_label=layout.words.unit(column, at or "end"))
            panels.append(replace(panel, x_label=layout.words.key_with_unit(x), x_levels=names))
    return layout.made("lines", panels, _told(of), factors=[x])


def heat(layout: Layout, x: str, y: str) -> Picture:
    """The cells of two factors."""
    layout.refuse_several("a heat map")
    rest = []
    for key in [key for key in layout.free if key not in (x, y)]:
        if layout.asked.by is None and len(grouped(layout.cases, [*layout.panel_keys, key])) <= MOST_CELLS:
            layout.panel_keys.append(key)
        else:
            rest.append(key)
    layout.free = []
    if rest:
        named = ", ".join(map(layout.words.key, rest))
        layout.notes.append(f"not told apart: {', '.join(rest)}; each cell is over all of their values")
    pooled = f"; over all values of {named}" if rest else ""
    across, up = levels(layout.cases, x), levels(layout.cases, y)
    panels, of = [], dict[str, None]()
    for column, at in layout.asked.columns:
        for place, cases in layout.panels():
            cells = np.full((len(up), len(across)), np.nan)
            for (column_level, row_level), own in grouped(cases, [x, y]).items():
                if column_level is None or row_level is None:
                    continue
                found = layout.band(own, column, at)
                cells[up.index(row_level), across.index(column_level)] = found.middle
                of[found.of] = None
            panel = Panel(layout.title(column, place), cells=cells)
            names = layout.names(x), layout.names(y)
            keys = layout.words.key_with_unit(x), layout.words.key_with_unit(y)
            panels.append(replace(panel, x_levels=names[0], y_levels=names[1], x_label=keys[0], y_label=keys[1]))
    told = "one run in each cell" if list(of) == ["1 run"] else f"median of {' or '.join(of)} in each cell"
    return layout.made("heat", panels, told + pooled, factors=[x, y])


def dots(layout: Layout) -> Picture:
    """Each point of a sample: the outcome by every factor, those first that move it most."""
    factors = [layout.asked.x] if layout.asked.x else [k for k in layout.free if k not in FIXED]
    if not layout.asked.x:
        layout.refuse_several("a picture of all factors of a sample")
    found: list[tuple[float, str, Panel]] = []
    for column, at in layout.asked.columns:
        for place, cases in layout.panels():
            y = layout.middles(cases, column, at)
            for key in factors:
                panel, moved = _against(layout, key, cases, y)
                told = replace(panel, title=layout.title(column, place), y_label=layout.words.unit(column, at or "end"))
                found.append((moved, key, told))
    drawn = found
    if not layout.asked.x:
        found.sort(key=lambda each: -each[0])
        drawn = found[:MOST_FACTORS]
        if left := list(dict.fromkeys(key for _, key, _ in found[MOST_FACTORS:])):
            less = f"{counted(len(left), 'factor')} that move{'s' * (len(left) == 1)} the measure less"
            layout.notes.append(f"not drawn: {less} ({', '.join(left)}); --x KEY draws one")
    said = f"{layout.points()} points, a dot each (median of its runs); line: median of tenths of the dots"
    order = "" if layout.asked.x else "; the factors that move it most come first"
    return layout.made("dots", [panel for _, _, panel in drawn], said + order, factors=[key for _, key, _ in drawn])


def _against(layout: Layout, key: str, cases: Sequence[Case], outcomes: Array) -> tuple[Panel, float]:
    """The dots of one factor, and how far the medians of tenths of them lie apart."""
    there = np.array([key in case.keys for case in cases])
    x, y = np.array([layout.spot(key, case.keys[key]) for case in cases if key in case.keys]), outcomes[there]
    configs = np.array([str(case.keys["config"]) for case in cases])[there]
    names = layout.level_names(key)
    shown = x if not names else x + 0.5 * (np.arange(len(x)) * 0.618034 % 1) - 0.25  # apart, so that all are seen
    dots, trends = {}, {}
    for config in dict.fromkeys(configs.tolist()):
        own, label = configs == config, layout.words.value("config", config)
        dots[label], trends[label] = (shown[own], y[own]), _trend(x[own], y[own])
    panel = Panel("", dots=dots, trends=trends, x_label=layout.words.key_with_unit(key), x_levels=names)
    return panel, max((float(np.ptp(middle)) for _, middle in trends.values() if len(middle)), default=0.0)


def cloud(layout: Layout) -> Picture:
    """Two factors of a sample, the outcome as colour."""
    x, y = str(layout.asked.x), str(layout.asked.y)
    layout.refuse_several("a picture with colours for a measure")
    if layout.asked.by is None and "config" in layout.free:
        layout.panel_by("config")
    panels = []
    for column, at in layout.asked.columns:
        for place, cases in layout.panels():
            spots = [np.array([layout.spot(key, case.keys[key]) for case in cases]) for key in (x, y)]
            found = layout.middles(cases, column, at)
            panel = Panel(layout.title(column, place), dots={"": (spots[0], spots[1])}, colours=found)
            names = layout.level_names(x), layout.level_names(y)
            keys = layout.words.key_with_unit(x), layout.words.key_with_unit(y)
            panels.append(replace(panel, x_levels=names[0], y_levels=names[1], x_label=keys[0], y_label=keys[1]))
    for panel in panels:
        places = np.column_stack(panel.dots[""])
        if hidden := len(places) - len(np.unique(places, axis=0)):
            layout.notes.append(f"{hidden} of {len(places)} dots lie on others, which differ in other factors")
    return layout.made("dots", panels, f"{layout.points()} points, a dot each (median of its runs)", factors=[x, y])


def side_by_side(layout: Layout) -> Picture:
    """A row for each case, with its band."""
    panels, of = [], dict[str, None]()
    for column, at in layout.asked.columns:
        for place, cases in layout.panels():
            groups: dict[tuple[Key | None, ...], list[Case]] = {}  # in the order of the design
            for case in cases:
                groups.setdefault(tuple(case.keys.get(key) for key in layout.free), []).append(case)
            if len(groups) > MOST_CASES:
                layout.notes.append(
                    f"not drawn: {len(groups) - MOST_CASES} of {len(groups)} cases; --x KEY, --y KEY or --by KEY "
                    "draws all"
                )
            lines = []
            for group, own in list(groups.items())[:MOST_CASES]:
                found = layout.band(own, column, at)
                lines.append(Line(layout.label(group, cases, whole=True), np.zeros(1), _joined([found])))
                of[found.of] = None
            panels.append(
                Panel(layout.title(column, place), tuple(lines), x_label=layout.words.unit(column, at or "end"))
            )
    return layout.made("cases", panels, _told(of))


def _say_stopped(layout: Layout, column: str) -> None:
    """A run that was stopped has no values afterwards, and the band is that of the others."""
    stopped = sum(int(np.isnan(over_time(case, column)[:, -1]).sum()) for case in layout.cases)
    if stopped and any(case.manifest.experiment and case.manifest.experiment.stop for case in layout.cases):
        layout.notes.append(f"{stopped} runs stopped before the last date; from then on lines are over the others")


def _trend(x: Array, y: Array) -> tuple[Array, Array]:
    """The median of the dots at each place, or of tenths of them where there are more places."""
    parts = [np.flatnonzero(x == spot) for spot in np.unique(x)]
    if len(parts) > BINS:
        parts = np.array_split(np.argsort(x, kind="stable"), BINS)
    parts = [part for part in parts if not np.isnan(y[part]).all()]
    return np.array([np.median(x[part]) for part in parts]), np.array([np.nanmedian(y[part]) for part in parts])


def _joined(bands: Sequence[Band]) -> Band:
    """Bands of outcomes, one after another."""
    low, middle, high = (np.array([getattr(each, end) for each in bands]) for end in ("low", "middle", "high"))
    return Band(low, middle, high, bands[0].of)


def _told(of: Mapping[str, None]) -> str:
    """What lines and bands are: of so many runs, or of several numbers of them."""
    told = " or ".join(of)
    return "one run" if told == "1 run" else f"median and 5 to 95 % of {told}"
