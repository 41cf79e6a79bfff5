"""How lines, dots and labels look, so that they are told apart in grey too and by the colour-blind."""

from __future__ import annotations

import textwrap
from typing import Any

from sim.study.plot.picture import Style

# Okabe and Ito (2008), dark ones first; with dashes, so that they are told apart in grey too.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7F7F7F")
DASHES = ("-", "--", "-.", ":", (0, (6, 2)), (0, (1, 1)), (0, (4, 1, 1, 1, 1, 1)), (0, (2, 3)))
SCALE = "viridis"  # ordered in lightness as well
LIGHTEST = 0.85  # of the scale, for lines on white
SMALL = 8  # points


def short(label: str) -> str:
    """A label in lines that have room beside what they are of."""
    return "\n".join(textwrap.wrap(label, 56))


def fill_of(style: Style) -> str:
    """The filling of a row's dot: those of a second group are hollow, so that they are told apart in grey too."""
    return "white" if style.dash else COLOURS[style.colour % len(COLOURS)]


def style_of(style: Style) -> tuple[Any, Any]:
    """Colour and dashes of a line: ordered factors in an ordered scale, from dark to light."""
    dash = DASHES[style.dash % len(DASHES)]
    if style.ordered:
        from matplotlib import colormaps

        return colormaps[SCALE](LIGHTEST * style.colour / max(1, style.of - 1)), dash
    return COLOURS[style.colour % len(COLOURS)], dash
