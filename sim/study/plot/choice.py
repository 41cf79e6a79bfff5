"""Which picture a result gets: series, lines over a factor, a heat map, dots of a sample, or cases side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sim.arrays import Array
from sim.compare.outcomes import BY
from sim.compare.results import with_series
from sim.compare.tables import Key
from sim.compare.words import counted
from sim.errors import BadInput
from sim.experiment.designs import SAMPLED
from sim.scenario.values import CAUSED
from sim.study.plot import front
from sim.study.plot.asked import Asked, columns_of, parts_of, pool, refuse_keys
from sim.study.plot.cases import (
    FIXED,
    Band,
    Case,
    band,
    cases_of,
    grouped,
    is_ordered,
    kind_of,
    levels,
    manifest_of,
    outcome,
    over_time,
    read,
    varying,
)
from sim.study.plot.dates import Row, dates_of, middle_of
from sim.study.plot.picture import Kind, Line, Panel, Picture, Style
from sim.study.plot.words import Words, sentence, source
from sim.study.search.front import front_of, search_of

MOST_LINES = 8  # in a panel: more cannot be told apart
MOST_PANELS = 20
MOST_CELLS = 9  # panels of cells that nobody asked for
MOST_CASES = 40  # side by side in a panel
MOST_FACTORS = 6  # of a sample, each in its panel
BINS = 10
PUSHED = "held, what the target wants goes by the record, whatever is denied; answering, by what each run denies"


def picture_of(names: Sequence[str], measures: Sequence[str], x: str | None, y: str | None, by: str | None) -> Picture:
    """The picture of some results. Raises BadInput for what cannot be drawn, Incomplete for an unfinished result."""
    results = read(names)
    if len(results) == 1 and not (measures or x or y or by) and search_of(manifest_of(results[0])):
        return front.picture_of(front_of(Path(results[0].path)))
    everything = cases_of(results)
    refuse_keys(everything, x, y, by)
    cases, notes = pool(everything, [key for key in (x, y, by) if key])
    notes = [*(text for result in results for text in result.lacking), *notes]
    scattered = len(cases) > MOST_CASES and all(kind_of(case) in ("list", "table") for case in cases)
    sampled = scattered or any(kind_of(case) in SAMPLED for case in cases)
    columns = columns_of(results, measures, len(cases) == 1 and not sampled, by)
    loaded = {result.path: with_series(result, [column for column, _ in columns]) for result in results}
    cases = [replace(case, result=loaded[case.result.path]) for case in cases]
    return _Drawer(
        cases, Words(results), Asked(tuple(columns), parts_of(columns, results, by), x, y, by), notes
    ).picture(sampled)


class _Drawer:
    """The way from cases to a picture: each kind is one method."""

    def __init__(self, cases: Sequence[Case], words: Words, asked: Asked, notes: list[str]) -> None:
        self.cases, self.words, self.asked, self.notes = cases, words, asked, notes
        self.spots: dict[str, dict[Key, float]] = {}
        self.keys = varying(cases)
        apart = [key for key in self.keys if key != "result"]
        if "result" not in (asked.x, asked.by) and len(grouped(cases, apart)) == len(cases):
            self.keys = apart  # the others tell the results apart too
        given = {asked.x, asked.y, asked.by}
        self.free = [key for key in self.keys if key not in given]
        self.panel_keys = [asked.by] if asked.by and asked.by not in BY else []
        if asked.by is None and CAUSED in self.free:
            self._panel_by(CAUSED)  # effects of controls are told with the push held and with it answering

    def _panel_by(self, key: str) -> None:
        self.panel_keys.append(key)
        self.free.remove(key)

    def picture(self, sampled: bool) -> Picture:
        asked = self.asked
        timed = all(not at for _, at in asked.columns)
        if sampled:
            return self._cloud() if asked.y else self._dots()
        if asked.y:
            return self._heat(str(asked.x), asked.y)
        if asked.x:
            return self._lines(asked.x)
        if timed and self._has_dates() and self._lines_each() <= MOST_LINES:
            return self._series()
        numbers = [key for key in self.free if is_ordered(levels(self.cases, key)) and key not in ("result", "config")]
        if len(numbers) == 1 and self._lines_each() == len(levels(self.cases, numbers[0])) > MOST_LINES:
            return self._lines(numbers[0])
        if factors := self._grid():
            return self._heat(*factors)
        return self._side_by_side()

    # What there is.

    def _has_dates(self) -> bool:
        return all(len(case.result.series.dates) > 1 for case in self.cases)

    def _lines_each(self) -> int:
        """How many lines there would be in the fullest panel."""
        return max(len(grouped(cases, self.free)) for cases in grouped(self.cases, self.panel_keys).values())

    def _grid(self) -> tuple[str, str] | None:
        """The two factors of a whole grid that a heat map has by itself."""
        factors = [key for key in self.free if key not in FIXED]
        if "result" in self.free or len(factors) < 2:
            return None
        whole = np.prod([len(levels(self.cases, key)) for key in self.keys])
        return (factors[0], factors[1]) if whole == len(self.cases) else None

    # The kinds.

    def _series(self) -> Picture:
        columns = [column for column, _ in self.asked.columns]
        panels = []
        of = dict[str, None]()
        for column in columns:
            for place, cases in self._panels():
                lines = []
                for group, own in grouped(cases, self.free).items():
                    found = _scaled(band(own, [over_time(case, column) for case in own]), self.words.scale(column))
                    every = own[0].result.dates_a_year
                    dates = np.array([middle_of(date, every) for date in own[0].result.series.dates])
                    lines.append(Line(self._label(group, cases), dates, found))
                    of[found.of] = None
                panels.append(Panel(self._title(column, place), tuple(lines), y_label=self.words.unit(column)))
        last = max(case.result.series.dates[-1] for case in self.cases)
        self._say_stopped(columns[0])
        return self._made(
            "series",
            panels,
            _told(of),
            dates=tuple(dates_of(self.cases, self.words, last)),
        )

    def _lines(self, x: str) -> Picture:
        self.free = [key for key in self.free if key != x]
        if self._lines_each() > MOST_LINES and self.asked.by is None:
            self._panel_by(self.free[-1])
        if self._lines_each() > MOST_LINES:
            raise BadInput(
                f"--x = {x!r}: leaves {self._lines_each()} lines in a panel, and {MOST_LINES} can be told apart; "
                f"give --y {self.free[0]} too for a heat map, or --by KEY"
            )
        names = self._level_names(x)
        panels, of = [], dict[str, None]()
        for column, at in self.asked.columns:
            for place, cases in self._panels():
                lines = []
                for group, own in grouped(cases, self.free).items():
                    by_level = {level: each for (level,), each in grouped(own, [x]).items() if level is not None}
                    if not by_level:
                        continue
                    bands = [self._outcome(each, column, at) for each in by_level.values()]
                    spots = [self._spot(x, level) for level in by_level]
                    lines.append(Line(self._label(group, cases), np.array(spots), _joined(bands)))
                    of |= dict.fromkeys(each.of for each in bands)
                panel = Panel(self._title(column, place), tuple(lines), y_label=self.words.unit(column, at or "end"))
                panels.append(replace(panel, x_label=self.words.key_with_unit(x), x_levels=names))
        return self._made("lines", panels, _told(of), factors=[x])

    def _heat(self, x: str, y: str) -> Picture:
        self._refuse_several("a heat map")
        rest = []
        for key in [key for key in self.free if key not in (x, y)]:
            if self.asked.by is None and len(grouped(self.cases, [*self.panel_keys, key])) <= MOST_CELLS:
                self.panel_keys.append(key)
            else:
                rest.append(key)
        self.free = []
        if rest:
            named = ", ".join(map(self.words.key, rest))
            self.notes.append(f"not told apart: {', '.join(rest)}; each cell is over all of their values")
        pooled = f"; over all values of {named}" if rest else ""
        across, up = levels(self.cases, x), levels(self.cases, y)
        panels, of = [], dict[str, None]()
        for column, at in self.asked.columns:
            for place, cases in self._panels():
                cells = np.full((len(up), len(across)), np.nan)
                for (column_level, row_level), own in grouped(cases, [x, y]).items():
                    if column_level is None or row_level is None:
                        continue
                    found = self._outcome(own, column, at)
                    cells[up.index(row_level), across.index(column_level)] = found.middle
                    of[found.of] = None
                panel = Panel(self._title(column, place), cells=cells)
                names = self._names(x), self._names(y)
                keys = self.words.key_with_unit(x), self.words.key_with_unit(y)
                panels.append(replace(panel, x_levels=names[0], y_levels=names[1], x_label=keys[0], y_label=keys[1]))
        told = "one run in each cell" if list(of) == ["1 run"] else f"median of {' or '.join(of)} in each cell"
        return self._made("heat", panels, told + pooled, factors=[x, y])

    def _dots(self) -> Picture:
        """Each point of a sample: the outcome by every factor, those first that move it most."""
        factors = [self.asked.x] if self.asked.x else [k for k in self.free if k not in FIXED]
        if not self.asked.x:
            self._refuse_several("a picture of all factors of a sample")
        found: list[tuple[float, str, Panel]] = []
        for column, at in self.asked.columns:
            for place, cases in self._panels():
                y = self._middles(cases, column, at)
                for key in factors:
                    panel, moved = self._against(key, cases, y)
                    told = replace(
                        panel, title=self._title(column, place), y_label=self.words.unit(column, at or "end")
                    )
                    found.append((moved, key, told))
        drawn = found
        if not self.asked.x:
            found.sort(key=lambda each: -each[0])
            drawn = found[:MOST_FACTORS]
            if left := list(dict.fromkeys(key for _, key, _ in found[MOST_FACTORS:])):
                less = f"{counted(len(left), 'factor')} that move{'s' * (len(left) == 1)} the measure less"
                self.notes.append(f"not drawn: {less} ({', '.join(left)}); --x KEY draws one")
        said = f"{self._points()} points, a dot each (median of its runs); line: median of tenths of the dots"
        order = "" if self.asked.x else "; the factors that move it most come first"
        return self._made("dots", [panel for _, _, panel in drawn], said + order, factors=[key for _, key, _ in drawn])

    def _against(self, key: str, cases: Sequence[Case], outcomes: Array) -> tuple[Panel, float]:
        """The dots of one factor, and how far the medians of tenths of them lie apart."""
        there = np.array([key in case.keys for case in cases])
        x, y = np.array([self._spot(key, case.keys[key]) for case in cases if key in case.keys]), outcomes[there]
        configs = np.array([str(case.keys["config"]) for case in cases])[there]
        names = self._level_names(key)
        shown = x if not names else x + 0.5 * (np.arange(len(x)) * 0.618034 % 1) - 0.25  # apart, so that all are seen
        dots, trends = {}, {}
        for config in dict.fromkeys(configs.tolist()):
            own, label = configs == config, self.words.value("config", config)
            dots[label], trends[label] = (shown[own], y[own]), _trend(x[own], y[own])
        panel = Panel("", dots=dots, trends=trends, x_label=self.words.key_with_unit(key), x_levels=names)
        return panel, max((float(np.ptp(middle)) for _, middle in trends.values() if len(middle)), default=0.0)

    def _cloud(self) -> Picture:
        """Two factors of a sample, the outcome as colour."""
        x, y = str(self.asked.x), str(self.asked.y)
        self._refuse_several("a picture with colours for a measure")
        if self.asked.by is None and "config" in self.free:
            self._panel_by("config")
        panels = []
        for column, at in self.asked.columns:
            for place, cases in self._panels():
                spots = [np.array([self._spot(key, case.keys[key]) for case in cases]) for key in (x, y)]
                found = self._middles(cases, column, at)
                panel = Panel(self._title(column, place), dots={"": (spots[0], spots[1])}, colours=found)
                names = self._level_names(x), self._level_names(y)
                keys = self.words.key_with_unit(x), self.words.key_with_unit(y)
                panels.append(replace(panel, x_levels=names[0], y_levels=names[1], x_label=keys[0], y_label=keys[1]))
        for panel in panels:
            places = np.column_stack(panel.dots[""])
            if hidden := len(places) - len(np.unique(places, axis=0)):
                self.notes.append(f"{hidden} of {len(places)} dots lie on others, which differ in other factors")
        return self._made("dots", panels, f"{self._points()} points, a dot each (median of its runs)", factors=[x, y])

    def _side_by_side(self) -> Picture:
        panels, of = [], dict[str, None]()
        for column, at in self.asked.columns:
            for place, cases in self._panels():
                groups: dict[tuple[Key | None, ...], list[Case]] = {}  # in the order of the design
                for case in cases:
                    groups.setdefault(tuple(case.keys.get(key) for key in self.free), []).append(case)
                if len(groups) > MOST_CASES:
                    self.notes.append(
                        f"not drawn: {len(groups) - MOST_CASES} of {len(groups)} cases; --x KEY, --y KEY or --by KEY "
                        "draws all"
                    )
                lines = []
                for group, own in list(groups.items())[:MOST_CASES]:
                    found = self._outcome(own, column, at)
                    lines.append(Line(self._label(group, cases, whole=True), np.zeros(1), _joined([found])))
                    of[found.of] = None
                panels.append(
                    Panel(self._title(column, place), tuple(lines), x_label=self.words.unit(column, at or "end"))
                )
        return self._made("cases", panels, _told(of))

    # What they share.

    def _refuse_several(self, what: str) -> None:
        if len(self.asked.columns) > 1 and not self.asked.parts:
            raise BadInput(f"--measure: {what} takes one, and {len(self.asked.columns)} are given")

    def _points(self) -> int:
        return len(grouped(self.cases, [key for key in self.keys if key not in ("result", "config")]))

    def _panels(self) -> list[tuple[str, Sequence[Case]]]:
        groups = grouped(self.cases, self.panel_keys)
        if (count := len(groups) * len(self.asked.columns)) > MOST_PANELS:
            raise BadInput(
                f"{' and '.join(self.panel_keys)}: would make {count} panels, and {MOST_PANELS} are the most; "
                "give --by another key, or fewer measures"
            )
        panels: list[tuple[str, Sequence[Case]]] = []
        for group, cases in groups.items():
            told = [(key, held) for key, held in zip(self.panel_keys, group, strict=True) if held not in (None, "")]
            panels.append((", ".join(self.words.pair(key, held, unit=True) for key, held in told), cases))
        return panels

    def _title(self, column: str, place: str) -> str:
        """What a panel's title adds to the picture's."""
        several = len(self.asked.columns) > 1
        if self.asked.parts:
            return ", ".join([self.words.slices([self.asked.parts[column]]), *([place] if place else [])])
        parts = [self.words.measure(column)] if several else []
        if several and (at := dict(self.asked.columns)[column]):
            parts[0] += f" {self.words.when(at)}"
        return ", ".join([*parts, *([place] if place else [])])

    def _label(self, group: Sequence[Key | None], cases: Sequence[Case], whole: bool = False) -> str:
        """What tells a line from the others: values alone where one key varies and the legend names it."""
        told = [(key, held) for key, held in zip(self.free, group, strict=True) if held not in (None, "")]
        if len(self.free) == 1 and not whole:
            return self.words.value(*told[0]) if told else "as in the config"
        if len(self.free) > 1 and any(kind_of(case) == "one-at-a-time" for case in cases):
            first = cases[0].keys
            told = [(key, held) for key, held in told if held != first.get(key)]
        pairs = [self.words.pair(key, held) for key, held in told]
        between = "; " if any("," in pair for pair in pairs) else ", "
        return between.join(pairs) or ("as in the config" if self.free else "")

    def _outcome(self, cases: Sequence[Case], column: str, at: str) -> Band:
        at = at or "end"
        scale = self.words.scale(column, at)
        return _scaled(band(cases, [outcome(case, column, at) for case in cases]), scale)

    def _middles(self, cases: Sequence[Case], column: str, at: str) -> Array:
        """The median of each case alone, shape (cases,)."""
        return np.array([float(self._outcome([case], column, at).middle) for case in cases])

    def _spot(self, key: str, held: Key) -> float:
        """Where a value lies on an axis: numbers where they are, words one after another."""
        if key not in self.spots:
            found = levels(self.cases, key)
            ordered = is_ordered(found)
            self.spots[key] = {each: float(each) if ordered else float(n) for n, each in enumerate(found)}
        return self.spots[key][held]

    def _level_names(self, key: str) -> tuple[str, ...]:
        return () if is_ordered(levels(self.cases, key)) else self._names(key)

    def _names(self, key: str) -> tuple[str, ...]:
        return tuple(self.words.value(key, held) for held in levels(self.cases, key))

    def _say_stopped(self, column: str) -> None:
        """A run that was stopped has no values afterwards, and the band is that of the others."""
        stopped = sum(int(np.isnan(over_time(case, column)[:, -1]).sum()) for case in self.cases)
        if stopped and any(case.manifest.experiment and case.manifest.experiment.stop for case in self.cases):
            self.notes.append(f"{stopped} runs stopped before the last date; from then on lines are over the others")

    def _styles(self, kind: Kind) -> dict[str, Style]:
        """The style of every label. Of two keys one has the colours, an ordered one if any, the other the dashes."""
        if kind == "dots":
            labels = [self.words.value("config", held) for held in levels(self.cases, "config")]
            return {label: Style(place, len(labels), False, 0) for place, label in enumerate(labels)}
        groups = grouped(self.cases, self.free)
        if len(self.free) != 2:
            ordered = len(self.free) == 1 and self._in_order(self.free[0])
            return {
                self._label(group, self.cases): Style(place, len(groups), ordered, 0 if ordered else place)
                for place, group in enumerate(groups)
            }
        coloured = max((0, 1), key=lambda place: self._in_order(self.free[place]))
        ordered = self._in_order(self.free[coloured])
        found = [list(dict.fromkeys(group[place] for group in groups)) for place in (coloured, 1 - coloured)]
        styles = {}
        for group in groups:
            colour, dash = found[0].index(group[coloured]), found[1].index(group[1 - coloured])
            styles[self._label(group, self.cases)] = Style(colour, len(found[0]), ordered, dash)
        return styles

    def _in_order(self, key: str) -> bool:
        """Whether the values of a key are in an order that colours can show."""
        found = levels(self.cases, key)
        return key not in FIXED and len(found) > 2 and is_ordered(found)

    def _made(
        self,
        kind: Kind,
        panels: Sequence[Panel],
        told: str,
        dates: tuple[Row, ...] = (),
        factors: Sequence[str] = (),
    ) -> Picture:
        column, at = self.asked.columns[0]
        bases = list(dict.fromkeys(column.partition(".")[0] for column, _ in self.asked.columns))
        several = len(self.asked.columns) > 1
        part = self.asked.parts.get(column)
        head = self.words.measure(".".join(name for name in column.split(".") if name != part))
        if kind != "series":
            head += f" {self.words.when(at or 'end')}"
        if several and not self.asked.parts:
            head = _names_of(self.cases, self.words)
        units = {panel.y_label for panel in panels} if kind in ("series", "lines", "dots") else set()
        unit = self.words.unit(column, "" if kind == "series" else at or "end")
        meanings = [f"{self.words.measure(base)}: {text}." for base in bases if (text := self.words.meaning(base))]
        if len(meanings) > 2:
            meanings = []  # a page of them; `decoupling list measures` has all
        for key in dict.fromkeys([*factors, *self.panel_keys, *(self.free if kind != "dots" else [])]):
            if text := PUSHED if key == CAUSED else self.words.meaning(key) if key not in FIXED else "":
                meanings.append(f"{'Push' if key == CAUSED else sentence(self.words.key(key))}: {text}.")
        if len(dates) and len(panels) > 1:
            meanings.append(f"Grey lines: {'; '.join(row.sentence() for row in dates)}.")
        own = [key for key in self.free if key not in FIXED]
        alone = self.free[0] if len(self.free) == 1 and own else ""
        if kind == "dots":
            self.notes += _without_value(panels)
        return Picture(
            kind,
            head,
            told if len(units) > 1 else f"{unit}; {told}" if told else unit,
            tuple(panels),
            unit,
            _source(self.cases),
            tuple(dict.fromkeys(self.notes)),
            tuple(meanings),
            legend=self.words.key_with_unit(alone) if alone else "",
            styles=self._styles(kind),
            shared=not several or bool(self.asked.parts),
            dates=dates,
        )


def _without_value(panels: Sequence[Panel]) -> list[str]:
    """A sentence for dots that have no place, as their runs have no value."""
    held = [panel.colours if panel.colours is not None else y for panel in panels[:1] for _, y in panel.dots.values()]
    lost = sum(int(np.isnan(each).sum()) for each in held)
    return [f"not drawn: {lost} dots without a value"] if lost else []


def _trend(x: Array, y: Array) -> tuple[Array, Array]:
    """The median of the dots at each place, or of tenths of them where there are more places."""
    parts = [np.flatnonzero(x == spot) for spot in np.unique(x)]
    if len(parts) > BINS:
        parts = np.array_split(np.argsort(x, kind="stable"), BINS)
    parts = [part for part in parts if not np.isnan(y[part]).all()]
    return np.array([np.median(x[part]) for part in parts]), np.array([np.nanmedian(y[part]) for part in parts])


def _scaled(found: Band, scale: float) -> Band:
    return Band(scale * found.low, scale * found.middle, scale * found.high, found.of)


def _joined(bands: Sequence[Band]) -> Band:
    """Bands of outcomes, one after another."""
    low, middle, high = (np.array([getattr(each, end) for each in bands]) for end in ("low", "middle", "high"))
    return Band(low, middle, high, bands[0].of)


def _told(of: Mapping[str, None]) -> str:
    """What lines and bands are: of so many runs, or of several numbers of them."""
    told = " or ".join(of)
    return "one run" if told == "1 run" else f"median and 5 to 95 % of {told}"


def _names_of(cases: Sequence[Case], words: Words) -> str:
    configs = dict.fromkeys(str(case.keys["config"]) for case in cases)
    return sentence(" and ".join(words.value("config", config) for config in configs))


def _source(cases: Sequence[Case]) -> str:
    """Where the figures come from, result by result."""
    told = []
    for path in dict.fromkeys(case.result.path for case in cases):
        own = [case for case in cases if case.result.path == path]
        configs = list(dict.fromkeys(str(case.keys["config"]) for case in own))
        runs = sum(len(case.runs) for case in own)
        told.append(source(Path(path).resolve().name, own[0].manifest, configs, runs))
    return f"Source: {'. '.join(told)}."
