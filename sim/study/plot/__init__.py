"""A picture of any result: what is drawn, in which words, with which dates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.results.figure import Drawing


def plot(
    *results: str | Path,
    measures: Sequence[str] = (),
    x: str | None = None,
    y: str | None = None,
    by: str | None = None,
) -> Drawing:
    """What `decoupling plot` draws of result folders or their names in results/, for a notebook or to be saved.

    measures: over time, such as "unmet_demand", or at one, such as "unmet_demand@2030". x, y, by: factors, as the verb
    has them. Raises BadInput for what cannot be drawn, Incomplete for an unfinished result.
    """
    from sim.results.figure import Drawing
    from sim.study.plot.choice import picture_of
    from sim.study.plot.figure import draw

    return Drawing(draw(picture_of([*map(str, results)], measures, x, y, by), "svg").decode())
