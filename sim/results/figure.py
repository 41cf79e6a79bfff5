"""Figures as SVG: equal figures are equal bytes, whatever a user's matplotlib is set to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Drawing:
    """A figure as SVG, which a notebook shows."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<a drawing, {len(self.svg)} characters of SVG>"

    def save(self, path: str | Path) -> None:
        """Write it as FILE.svg."""
        Path(path).write_text(self.svg, encoding="utf-8")


@contextmanager
def drawing(salt: str, font_size: float = 9) -> Iterator[None]:
    """Draw with matplotlib's own settings but these: text stays text, also between $ signs; ids come from `salt`."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {"svg.fonttype": "none", "text.parse_math": False, "svg.hashsalt": salt, "font.size": font_size}
        )
        yield


def open_frame(*axes: Axes) -> None:
    """No lines above and to the right of a panel."""
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)


def settle(figure: Figure) -> None:
    """Lay a figure out once for all: the last digits of the layout differ from one draw to the next."""
    if figure.get_layout_engine() is None:
        return
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for panel in figure.axes:
        x, y, width, height = (round(each, 6) for each in panel.get_position(original=True).bounds)
        panel.set_position((x, y, width, height))


def svg_text(figure: Figure) -> str:
    """A figure that was made while `drawing`, as an <svg> that can stand in a page."""
    settle(figure)
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def png_bytes(figure: Figure) -> bytes:
    """The same as the bytes of a PNG."""
    settle(figure)
    written = BytesIO()
    figure.savefig(written, format="png", dpi=160, metadata={"Software": None})
    return written.getvalue()


def stacked(figures: Sequence[str]) -> str:
    """Figures that `svg_text` made, under each other in one; of a single one its own text."""
    if len(figures) == 1:
        return figures[0]
    sizes, parts = [], []
    for text in figures:
        box = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', text)
        assert box  # as matplotlib writes it
        sizes.append((float(box[1]), float(box[2])))
        parts.append(text[text.index(">") + 1 : text.rindex("</svg>")])
    width, height = max(size[0] for size in sizes), sum(size[1] for size in sizes)
    places = [sum(size[1] for size in sizes[:number]) for number in range(len(sizes))]
    body = "".join(
        f'<g transform="translate(0 {place:g})">{part}</g>\n' for place, part in zip(places, parts, strict=True)
    )
    head = 'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg" version="1.1"'
    return f'<svg {head} width="{width:g}pt" height="{height:g}pt" viewBox="0 0 {width:g} {height:g}">\n{body}</svg>\n'
