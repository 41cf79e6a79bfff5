"""Figures as SVG: the fans of two results over time, and the paired difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.arrays import Array
from sim.compare.differences import Row
from sim.results.figure import drawing, open_frame, svg_text

COLOURS = ("#4477aa", "#cc6677")  # base and candidate: told apart by most colour-blind readers too
DIFFERENCE = "#444444"


def fans(rows: Sequence[Row], opens: str | None = None, how: str = "") -> str:
    """Both sides of one measure over time, and the difference below, as the text of an SVG.

    `rows` are one measure's rows of a candidate, one a date. The bands hold 90 % of the runs, or of the parameter
    sets where there are several; around the difference they show what the verdict is from. `how` stands behind
    the names.
    """
    from matplotlib.figure import Figure

    first = rows[0]
    dates = np.array([year_of_date(row.at) for row in rows])
    with drawing(first.column):
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for side, name, colour in (("base", first.baseline, COLOURS[0]), ("cand", first.candidate, COLOURS[1])):
            low, middle, high = (values_of(rows, f"{side}_{point}") for point in ("q05", "q50", "q95"))
            above.fill_between(dates, low, high, color=colour, alpha=0.25, linewidth=0)
            above.plot(dates, middle, color=colour, label=name)
        of = f"{first.n_sets} parameter sets" if first.n_sets > 1 else "runs"
        above.set_ylabel(first.unit)
        above.set_title(f"{first.column.replace('_', ' ')}: median and 90 % of {of}", loc="left", fontsize=10)
        above.legend(frameon=False, loc="best")
        low, high = (
            np.array([np.nan if row.spread[end] is None else row.spread[end] for row in rows]) for end in (0, 1)
        )
        below.fill_between(dates, low, high, color=DIFFERENCE, alpha=0.25, linewidth=0)
        below.plot(dates, values_of(rows, "diff"), color=DIFFERENCE)
        below.axhline(0, color="black", linewidth=0.6)
        if any(row.margin for row in rows):
            for sign in (-1, 1):
                below.plot(dates, sign * values_of(rows, "margin"), color="black", linewidth=0.6, linestyle=":")
        if opens:
            below.axvline(year_of_date(opens), color="black", linewidth=0.6, linestyle="--")
            below.annotate(
                f" opens {opens[:4]}", (year_of_date(opens), 1), xycoords=("data", "axes fraction"), va="top"
            )
        spread = "5 to 95 % of parameter sets" if first.n_sets > 1 else f"{100 * first.ci_level:g} % interval"
        below.set_title(
            f"{first.candidate} less {first.baseline}{how}, {first.pairing}, with the {spread}",
            loc="left",
            fontsize=10,
        )
        below.set_ylabel(first.unit)
        open_frame(above, below)
        return svg_text(figure)


def values_of(rows: Sequence[Row], name: str) -> Array:
    return np.array([np.nan if getattr(row, name) is None else getattr(row, name) for row in rows])


def year_of_date(date: str) -> float:
    """A date as a number: the year of a whole year, else its part."""
    return int(date[:4]) + (int(date[5:7]) / 12 - 1 if len(date) > 4 else 0.0)
