"""Which picture a result gets: series, lines over a factor, a heat map, dots of a sample, or cases side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sim.compare.results import with_series
from sim.experiment.designs import SAMPLED
from sim.study.plot import front, kinds
from sim.study.plot.asked import Asked, columns_of, parts_of, pool, refuse_keys
from sim.study.plot.cases import (
    cases_of,
    is_ordered,
    kind_of,
    levels,
    manifest_of,
    read,
)
from sim.study.plot.kinds import MOST_CASES, MOST_LINES
from sim.study.plot.layout import Layout
from sim.study.plot.picture import Picture
from sim.study.plot.words import Words
from sim.study.search.front import front_of, search_of


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
    asked = Asked(tuple(columns), parts_of(columns, results, by), x, y, by)
    return _picture(Layout(cases, Words(results), asked, notes), sampled)


def _picture(layout: Layout, sampled: bool) -> Picture:
    """The kind that is asked for, or else fits what there is."""
    asked = layout.asked
    timed = all(not at for _, at in asked.columns)
    if sampled:
        return kinds.cloud(layout) if asked.y else kinds.dots(layout)
    if asked.y:
        return kinds.heat(layout, str(asked.x), asked.y)
    if asked.x:
        return kinds.lines(layout, asked.x)
    if timed and layout.has_dates() and layout.lines_each() <= MOST_LINES:
        return kinds.series(layout)
    numbers = [key for key in layout.free if is_ordered(levels(layout.cases, key)) and key not in ("result", "config")]
    if len(numbers) == 1 and layout.lines_each() == len(levels(layout.cases, numbers[0])) > MOST_LINES:
        return kinds.lines(layout, numbers[0])
    if factors := layout.grid():
        return kinds.heat(layout, *factors)
    return kinds.side_by_side(layout)
