"""What is read by people: sections of lines and tables as plain text, Markdown, or one HTML page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.results import escape
from sim.results.escape import visible

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
p, li { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; white-space: nowrap; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums; }
th { white-space: normal; vertical-align: bottom; }
th.word, td.word { text-align: left; }
td.word { white-space: normal; min-width: 8rem; max-width: 24rem; }
.answer { font-size: 1.15rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
figure { margin: 1rem 0; }
svg { max-width: 100%; height: auto; }
"""


@dataclass
class Section:
    """A part of what is told: a title, lines, and a table whose columns in `words` are flush left."""

    title: str
    lines: Sequence[str] = ()
    header: Sequence[str] = ()
    rows: list[list[str]] = field(default_factory=list)
    words: frozenset[str] = frozenset()

    @property
    def flush_left(self) -> list[bool]:
        """Whether a column holds words: the first always does."""
        return [place == 0 or name in self.words for place, name in enumerate(self.header)]


def plain(section: Section) -> str:
    """A section for the terminal, in columns."""
    text = f"{visible(section.title)}\n" + "".join(f"  {visible(line)}\n" for line in section.lines)
    if not section.rows:
        return text
    table = [[visible(cell) for cell in row] for row in (section.header, *section.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        aligned = (
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(cells, widths, section.flush_left, strict=True)
        )
        text += f"  {'  '.join(aligned).rstrip()}\n"
    return text


def markdown(section: Section) -> str:
    text = f"## {escape.markdown(section.title)}\n\n" + "".join(f"- {escape.markdown(x)}\n" for x in section.lines)
    if not section.rows:
        return text
    header, *rows = ([escape.markdown(cell) for cell in cells] for cells in (section.header, *section.rows))
    table = [header, [":--" if left else "--:" for left in section.flush_left], *rows]
    return text + ("\n" if section.lines else "") + "".join(f"| {' | '.join(cells)} |\n" for cells in table)


def html_text(text: str) -> str:
    """Text in an HTML page; a page holds no control characters, however written."""
    return html.escape(visible(text))


def html_section(section: Section) -> str:
    text = f"<h2>{html_text(section.title)}</h2>\n"
    if section.lines:
        text += f"<ul>{''.join(f'<li>{html_text(line)}</li>' for line in section.lines)}</ul>\n"
    if not section.rows:
        return text
    classes = [' class="word"' if left else "" for left in section.flush_left]

    def cells(tag: str, row: Sequence[str]) -> str:
        made = (f"<{tag}{kind}>{html_text(cell)}</{tag}>" for cell, kind in zip(row, classes, strict=True))
        return f"<tr>{''.join(made)}</tr>\n"

    table = cells("th", section.header) + "".join(cells("td", row) for row in section.rows)
    return f'{text}<div class="scroll"><table>{table}</table></div>\n'


def whole_page(title: str, body: str) -> str:
    """A page of its own around a body that is HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html_text(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>{body}</body></html>\n"
    )
