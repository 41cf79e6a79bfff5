"""The figure of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.compare.figures import values_of, year_of_date
from sim.results.figure import drawing, open_frame, svg_text
from sim.study.report.answer import Answer
from sim.study.report.cases import Case
from sim.study.report.phrases import scaled, unit_of
from sim.study.sensitivity import figure as ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = 12  # with a label each


def figure(answer: Answer) -> str:
    """The main measure over time by case, and each case less the reference in the last year, as an SVG's text.

    Of an answer without cases: the factors by rank for the last year.
    """
    if not answer.cases:
        return ranking([index for index in answer.indices if index.outcome == f"{answer.main}@end"])
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    cases = answer.cases[:LINES]
    reference = cases[0]
    colours = [colormaps["turbo"](0.05 + 0.9 * place / max(1, len(cases) - 1)) for place in range(len(cases))]
    with drawing(answer.name):
        drawn = Figure(figsize=(9.0, 3.4 + 0.14 * len(cases)), layout="constrained")
        over, last = drawn.subplots(1, 2, width_ratios=(3, 2))
        scale = 1.0
        for case, colour in zip(cases, colours, strict=True):
            rows = answer.over_time(case)
            scale = scaled(rows[0])[0]
            dates = [year_of_date(row.at) for row in rows]
            low, middle, high = (scale * values_of(rows, f"cand_{point}") for point in ("q05", "q50", "q95"))
            if len(cases) <= 4 or case is reference:
                over.fill_between(dates, low, high, color=colour, alpha=0.15, linewidth=0)
            over.plot(dates, middle, color=colour, label=case.label)
        title = answer.main.replace("_", " ")
        unit = unit_of(rows[0])
        over.set_title(f"{title}, {unit}: median and 90 %", loc="left", fontsize=10)
        _dots(answer, last, reference, cases, colours)
        drawn.legend(*over.get_legend_handles_labels(), loc="outside lower left", frameon=False, fontsize=8, ncols=2)
        open_frame(over, last)
        return svg_text(drawn)


def _dots(
    answer: Answer, axes: Axes, reference: Case, cases: Sequence[Case], colours: Sequence[tuple[float, ...]]
) -> None:
    """Each case less the reference in the last year: the median and the 5 to 95 % points; an open dot, push held."""
    unit = ""
    for place, (case, colour) in enumerate(zip(cases[1:], colours[1:], strict=True)):
        rows = {-1.0 * place: answer.against(reference, case, answer.main)}
        if answer.held:
            held = answer.held.cases
            rows[-place - 0.3] = answer.against(held[0], held[answer.cases.index(case)], answer.main)
        for height, row in rows.items():
            scale, unit = scaled(row)
            low, high = row.spread
            middle = row.diff_q50 if row.diff_q50 is not None else row.diff
            if middle is None:
                continue
            if low is not None and high is not None:
                axes.plot([scale * low, scale * high], [height, height], color=colour, linewidth=2)
            filled = colour if height == -place else "white"
            axes.plot([scale * middle], [height], "o", color=colour, markerfacecolor=filled)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks([])
    apart = "\nfilled: the push answers, open: it is held" if answer.held else ""
    axes.set_title(f"in the last year less {reference.label}, {unit}{apart}", loc="left", fontsize=9)
