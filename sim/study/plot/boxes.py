"""The picture of a discovery: to which part of its range each box restricts a factor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.compare.words import behind
from sim.study.plot.picture import Line, Panel, Picture, row
from sim.study.plot.words import NO_UNIT, Words, source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.study.discovery import Discovery, Limit
    from sim.study.outcomes import Batch


def picture_of_boxes(discovery: Discovery, batch: Batch) -> Picture | None:
    """A panel for each box; None where there is no box."""
    if not discovery.boxes:
        return None
    words = Words([batch])
    panels = []
    for number, box in enumerate(discovery.boxes, start=1):
        lines = [_row(limit, discovery.span[limit.factor], words) for limit in box.limits]
        title = f"box {number}: {_percent(box.density)} of its {box.runs} runs, {_percent(box.coverage)} of all that do"
        panels.append(Panel(title, tuple(lines), x_label="part of the factor's range", whole=(0.0, 1.0)))
    return Picture(
        "cases",
        f"Where {', and where '.join(target_in_words(goal.condition, words) for goal in discovery.goals)}",
        f"blue: what the box leaves of a factor, grey: all; {discovery.reached} of {discovery.runs} runs get there",
        tuple(panels),
        "",
        f"Source: {source(batch.folder.resolve().name, batch.manifest, batch.experiment.configs, discovery.runs)}.",
        (),
    )


def target_in_words(condition: Any, words: Words) -> str:
    """A condition in words, such as "Domestic supply share in 2030 is at least 30 %"."""
    column, _, at = condition.name.partition("@")
    at = at or "end"
    unit, level = words.unit(column, at), condition.level * words.scale(column, at)
    sense = "at least" if condition.sense == ">=" else "at most"
    return f"“{words.measure(column)}” {words.when(at)} is {sense} {level:.6g}" + (f" {behind(unit)}" if unit else "")


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def _row(limit: Limit, span: Sequence[Any], words: Words) -> Line:
    """A limit in words, and as a part of what the runs have of the factor."""
    if limit.values:
        kept = " or ".join(words.value(limit.factor, value) for value in limit.values)
        return row(f"{words.key(limit.factor)}: {kept}", math.nan, math.nan, math.nan)
    low, high = span
    ends = [(low if limit.low is None else limit.low), (high if limit.high is None else limit.high)]
    parts = [(end - low) / (high - low) for end in ends]
    unit = words.unit(limit.factor)
    shown = "" if unit in ("%", *NO_UNIT) else f" {unit}"
    label = f"{words.key(limit.factor)}: {limit} (of {low:.3g} to {high:.3g}{shown})"
    return row(label, parts[0], math.nan, parts[1])
