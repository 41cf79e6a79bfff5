"""One page that puts every number of one effect side by side: what controls do to the domestic share in the last year.

It is made from the numbers that answers keep beside their pages, so it needs no result.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.calendar import LAST_YEAR
from sim.compare.words import MAIN_MEASURE, counted
from sim.experiment.answer import EFFECTS
from sim.results import escape
from sim.results.manifest import KeptWorld
from sim.results.page import Section, markdown
from sim.study.report.plain import IN_WORDS, OVER
from sim.study.report.values import Number, target_of, told_in

NAME = "one-effect.md"
SIGN = "# Why one effect has several numbers\n"
WHY = f"""
What do export controls do to the part of the GOODS used in TARGET that is made there, in {LAST_YEAR}? Several pages say
something about that, and their numbers differ. All of them are below. They differ for four reasons, and each column
or row of the table is one of them.

- **Which end of the push.** TARGET pushes for GOODS of its own, and nobody knows how much of that push the controls
  caused. If none, what they do is called the *bite*; if all of it, the *total*. This alone can change the sign, and
  no amount of runs settles it.
- **Which controls.** The controls as they came were aimed at the best GOODS, on many dates and by several states. Other
  questions take one severity from 2023 on, or allies who follow or do not.
- **What is varied.** Luck alone gives a narrow range and says nothing about what is not known. Parameters that fit
  the record give a wider one. All unknowns drawn at once give the widest, as it holds combinations that the record
  rules out.
- **What else happens.** The controls do a little more or less where TARGET also runs a plan with a budget of its own.

So a number without these four is none. The narrowest range is the least honest one: `decoupling compare no-controls
historic` with the model’s own parameters tells luck alone.
"""
FIRST = 2  # of the columns that are words
WRAPPED = re.compile(r"(?<!\n)\n *(?![\n-])")  # the end of a line within a paragraph


def one_effect(folder: Path, pages: Mapping[str, str], world: KeptWorld) -> str:
    """The page, from the numbers of the answers in a folder; `pages` are their titles by name. Empty without any."""
    rows = []
    for name, title in pages.items():
        path = folder / f"{name}-numbers.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rows += _rows(list(csv.DictReader(file)), f"[{title}]({name}.md)")
    if not rows:
        return ""
    header = ["question", "what is varied", "bite", "what the push adds", "total"]
    told = ["", *(row[1] for row in rows)]
    cells = [["" if row[1] == before else row[1], *row[2:]] for before, row in zip(told, rows, strict=False)]
    table = markdown(Section("The numbers", (), header, cells, frozenset(header[1:FIRST])))
    for link, what, *_ in rows:  # links are put in last, as a table's text is no markup
        table = table.replace(f"| {escape.markdown(what)} |", f"| {link}: {escape.markdown(what)} |", 1)
    below = f"Points of the share in {LAST_YEAR}; in brackets lie 90 of 100."
    why = WRAPPED.sub(" ", WHY.strip()).replace("TARGET", target_of(world)).replace("GOODS", world.goods)
    return f"{SIGN}\n{why}\n\n{table}\n{below}\n"


def _rows(numbers: Sequence[Mapping[str, str]], link: str) -> list[list[str]]:
    """A row for each reading of a headline about controls and the domestic share in the last year."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in numbers:
        asked = (row["value"], row["measure"], row["year"])
        if asked != ("headline", MAIN_MEASURE, str(LAST_YEAR)) or not row["less"]:
            continue
        what = f"{row['of']}, against {row['less']}"
        varied = f"{IN_WORDS[row['reading']]} ({counted(int(row['over']), OVER[row['reading']])})"
        found.setdefault((what, varied, row["reading"]), {})[row["effect"]] = _number(row).whole
    return [
        [link, what, varied, *(cells[effect] for effect in EFFECTS)]
        for (what, varied, _), cells in found.items()
        if all(effect in cells for effect in EFFECTS)
    ]


def _number(row: Mapping[str, str]) -> Number:
    low, middle, high = (float(row[end]) for end in ("low", "middle", "high"))
    scale, unit = told_in(row["unit"], True)
    return Number(low, middle, high, 0.0, scale, unit, True)
