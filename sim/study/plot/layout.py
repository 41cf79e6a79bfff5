"""How cases are laid out in a picture: what tells panels and lines apart, their titles, labels and styles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sim.arrays import Array
from sim.compare.outcomes import BY
from sim.compare.tables import Key
from sim.errors import BadInput
from sim.scenario.values import CAUSED
from sim.study.plot.asked import Asked
from sim.study.plot.cases import (
    FIXED,
    Band,
    Case,
    band,
    grouped,
    is_ordered,
    kind_of,
    levels,
    outcome,
    varying,
)
from sim.study.plot.dates import Row
from sim.study.plot.picture import Kind, Panel, Picture, Style
from sim.study.plot.words import Words, sentence, source

MOST_PANELS = 20
PUSHED = "held, what the target wants goes by the record, whatever is denied; answering, by what each run denies"


class Layout:
    """Cases by panels and, within these, by lines, dots or cells.

    `keys` are those by which the cases differ. `panel_keys` make a panel of each of their values; `free` are those that
    are neither on an axis nor apart by panels, and tell lines from each other. `notes` are said beside the picture.
    """

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
            self.panel_by(CAUSED)  # effects of controls are told with the push held and with it answering

    def panel_by(self, key: str) -> None:
        """Draw the values of a free key in panels of their own."""
        self.panel_keys.append(key)
        self.free.remove(key)

    def has_dates(self) -> bool:
        return all(len(case.result.series.dates) > 1 for case in self.cases)

    def lines_each(self) -> int:
        """How many lines there would be in the fullest panel."""
        return max(len(grouped(cases, self.free)) for cases in grouped(self.cases, self.panel_keys).values())

    def grid(self) -> tuple[str, str] | None:
        """The two factors of a whole grid that a heat map has by itself."""
        factors = [key for key in self.free if key not in FIXED]
        if "result" in self.free or len(factors) < 2:
            return None
        whole = np.prod([len(levels(self.cases, key)) for key in self.keys])
        return (factors[0], factors[1]) if whole == len(self.cases) else None

    def refuse_several(self, what: str) -> None:
        if len(self.asked.columns) > 1 and not self.asked.parts:
            raise BadInput(f"--measure: {what} takes one, and {len(self.asked.columns)} are given")

    def points(self) -> int:
        """How many points of the design there are."""
        return len(grouped(self.cases, [key for key in self.keys if key not in ("result", "config")]))

    def panels(self) -> list[tuple[str, Sequence[Case]]]:
        """The cases of each panel, and what its title says of them. BadInput for too many."""
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

    def title(self, column: str, place: str) -> str:
        """What a panel's title adds to the picture's."""
        several = len(self.asked.columns) > 1
        if self.asked.parts:
            return ", ".join([self.words.slices([self.asked.parts[column]]), *([place] if place else [])])
        parts = [self.words.measure(column)] if several else []
        if several and (at := dict(self.asked.columns)[column]):
            parts[0] += f" {self.words.when(at)}"
        return ", ".join([*parts, *([place] if place else [])])

    def label(self, group: Sequence[Key | None], cases: Sequence[Case], whole: bool = False) -> str:
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

    def band(self, cases: Sequence[Case], column: str, at: str) -> Band:
        """An outcome of some cases together, in the unit that is drawn."""
        at = at or "end"
        return band(cases, [outcome(case, column, at) for case in cases]).scaled(self.words.scale(column, at))

    def middles(self, cases: Sequence[Case], column: str, at: str) -> Array:
        """The median of each case alone, shape (cases,)."""
        return np.array([float(self.band([case], column, at).middle) for case in cases])

    def spot(self, key: str, held: Key) -> float:
        """Where a value lies on an axis: numbers where they are, words one after another."""
        if key not in self.spots:
            found = levels(self.cases, key)
            ordered = is_ordered(found)
            self.spots[key] = {each: float(each) if ordered else float(n) for n, each in enumerate(found)}
        return self.spots[key][held]

    def level_names(self, key: str) -> tuple[str, ...]:
        """What stands at an axis instead of numbers; nothing for a key of numbers."""
        return () if is_ordered(levels(self.cases, key)) else self.names(key)

    def names(self, key: str) -> tuple[str, ...]:
        return tuple(self.words.value(key, held) for held in levels(self.cases, key))

    def styles(self, kind: Kind) -> dict[str, Style]:
        """The style of every label. Of two keys one has the colours, an ordered one if any, the other the dashes."""
        if kind == "dots":
            labels = [self.words.value("config", held) for held in levels(self.cases, "config")]
            return {label: Style(place, len(labels), False, 0) for place, label in enumerate(labels)}
        groups = list(grouped(self.cases, self.free))
        told: dict[tuple[Key | None, ...], list[str]] = {group: [] for group in groups}  # not alike in all panels
        for _, cases in self.panels():
            for group in grouped(cases, self.free):
                told[group].append(self.label(group, cases))
        if len(self.free) != 2:
            found = list(dict.fromkeys(label for group in groups for label in told[group]))
            ordered = len(self.free) == 1 and self.in_order(self.free[0])
            return {
                label: Style(place, len(found), ordered, 0 if ordered else place) for place, label in enumerate(found)
            }
        first, second = sorted(range(2), key=lambda place: not self.in_order(self.free[place]))
        ordered = self.in_order(self.free[first])
        colours, dashes = (list(dict.fromkeys(group[place] for group in groups)) for place in (first, second))
        styles: dict[str, Style] = {}
        for group in groups:
            style = Style(colours.index(group[first]), len(colours), ordered, dashes.index(group[second]))
            styles = dict.fromkeys(told[group], style) | styles
        return styles

    def in_order(self, key: str) -> bool:
        """Whether the values of a key are in an order that colours can show."""
        found = levels(self.cases, key)
        return key not in FIXED and len(found) > 2 and is_ordered(found)

    def made(
        self,
        kind: Kind,
        panels: Sequence[Panel],
        told: str,
        dates: tuple[Row, ...] = (),
        factors: Sequence[str] = (),
    ) -> Picture:
        """The picture of some panels with its words; `told` says what is drawn, `factors` are on the axes."""
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
            styles=self.styles(kind),
            shared=not several or bool(self.asked.parts),
            dates=dates,
        )


def _without_value(panels: Sequence[Panel]) -> list[str]:
    """A sentence for dots that have no place, as their runs have no value."""
    held = [panel.colours if panel.colours is not None else y for panel in panels[:1] for _, y in panel.dots.values()]
    lost = sum(int(np.isnan(each).sum()) for each in held)
    return [f"not drawn: {lost} dots without a value"] if lost else []


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
