"""What is read by people: sections of lines and tables as plain text, Markdown, or one HTML page."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.results import escape
from sim.results.escape import visible

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
h1, h2, p, li { overflow-wrap: anywhere; }
td, th { overflow-wrap: break-word; }
p, li { max-width: 48rem; }
nav { font-size: 13px; margin: 1.5rem 0; }
nav ul { columns: 22rem; padding-left: 1.2rem; }
.answer { font-size: 1.15rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: right; font-variant-numeric: tabular-nums; }
th { vertical-align: bottom; }
td { vertical-align: top; }
th.word, td.word { text-align: left; }
.brief td:last-child { white-space: nowrap; }
figure { margin: 1rem 0; overflow-x: auto; }
figcaption { font-size: 13px; }
svg { max-width: 100%; height: auto; }
@media screen and (max-width: 40rem) {
  figure svg { min-width: 34rem; }
  table, tbody, tr, td { display: block; }
  thead, td:empty { display: none; }
  tr { border-bottom: 1px solid #bbb; padding: .4rem 0; }
  td, td.word, .brief td:last-child { white-space: normal; border: 0; padding: .1rem 0; text-align: left; }
  td:first-child { font-weight: 600; }
  td + td::before { content: attr(data-label) ": "; color: #666; }
}
@media print {
  @page { margin: 12mm; }
  body { font-size: 10pt; margin: 0; padding: 0; max-width: none; }
  table { font-size: 8pt; }
  nav, figcaption { display: none; }
  h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; }
  svg { max-height: 23cm; }
  .brief { font-size: 8.5pt; line-height: 1.3; }
  .brief h1 { font-size: 14pt; margin: 0; }
  .brief h2 { font-size: 10pt; margin: .6em 0 .2em; }
  .brief .answer { font-size: 10pt; }
  .brief :is(p, ul, figure) { margin: .5em 0; max-width: none; }
  .brief li { max-width: none; }
  .brief svg { max-height: 7cm; }
}
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


def html_section(section: Section, of: str = "") -> str:
    """A section; `of` tells its link from that of one with the same title."""
    text = f'<h2 id="{anchor(of + section.title)}">{html_text(section.title)}</h2>\n'
    if section.lines:
        text += f"<ul>{''.join(f'<li>{html_text(line)}</li>' for line in section.lines)}</ul>\n"
    return text + html_table(section) if section.rows else text


def html_table(section: Section) -> str:
    """The table of a section. On a narrow screen each row becomes a block, in which a cell says its column's name."""
    classes = [' class="word"' if left else "" for left in section.flush_left]
    heads = [html_text(name) for name in section.header]
    head = "".join(f"<th{kind}>{name}</th>" for kind, name in zip(classes, heads, strict=True))
    body = ""
    for row in section.rows:
        cells = zip(row, classes, heads, strict=True)
        told = (f'<td{kind} data-label="{name}">{html_text(cell)}</td>' for cell, kind, name in cells)
        body += f"<tr>{''.join(told)}</tr>\n"
    table = f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>\n'


def anchor(title: str) -> str:
    """What a link to a section ends in."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def contents(sections: Sequence[Section], of: str = "") -> str:
    """The list of a page's sections, with links."""
    links = (f'<li><a href="#{anchor(of + each.title)}">{html_text(each.title)}</a></li>' for each in sections)
    return f"<nav><strong>On this page</strong>\n<ul>{''.join(links)}</ul></nav>\n"


def whole_page(title: str, body: str) -> str:
    """A page of its own around a body that is HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html_text(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>{body}</body></html>\n"
    )
