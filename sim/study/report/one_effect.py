"""One page that puts every number of one effect side by side: what controls do to the domestic share in the last year.

It is made from the numbers that answers keep beside their pages, so it needs no result.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sim.calendar import LAST_YEAR
from sim.compare.words import MAIN_MEASURE, counted
from sim.experiment.answer import EFFECTS
from sim.results import escape
from sim.results.manifest import KeptWorld
from sim.results.page import Section, markdown
from sim.study.report.plain import IN_WORDS, OVER
from sim.study.report.values import Number, told_in

NAME = "one-effect.md"
SIGN = "# Why one effect has several numbers\n"
WHY = f"""
What do export controls do to the part of the GOODS used in TARGET that is made there, in {LAST_YEAR}? Several pages say
something about that, and their numbers differ. Those that each page leads with are below. They differ for five reasons:
each is a column, a row or a table.

- **Which end of the push.** TARGET pushes for GOODS of its own, and nobody knows how much of that push the controls
  caused. If none, what they do is called the *bite*; if all of it, the *total*. This alone can change the sign, and
  no amount of runs settles it.
- **Which controls.** The controls as they came were aimed at the best GOODS, on many dates and by several states. Other
  questions take one severity from 2023 on, or allies who follow or do not.
- **What is varied.** Luck alone gives a narrow range and says nothing about what is not known. Parameters that fit
  the record give a wider one. All unknowns drawn at once give the widest, as it holds combinations that the record
  rules out.
- **What stands without them.** The rules that TARGET itself made in 2025 and 2026 against foreign GOODS and tools stand
  without the controls too where these are taken as they came, and not where they are of one severity.
- **What else happens.** The controls do a little more or less where TARGET also runs a plan with a budget of its own.

A number that is quoted without these five means little. The narrowest range is the least honest one: `decoupling
compare no-controls historic` with the model’s own parameters tells luck alone, and a mean where these are middles.
"""
WRAPPED = re.compile(r"(?<!\n)\n *(?![\n-])")  # the end of a line within a paragraph


def one_effect(folder: Path, pages: Mapping[str, str], world: KeptWorld) -> str:
    """The page, from the numbers of the answers in a folder; `pages` are their titles by name. Empty without any."""
    tables: list[str] = []
    for name, title in pages.items():
        path = folder / f"{name}-numbers.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                tables += _tables(list(csv.DictReader(file)), f"[{title}]({name}.md)")
    if not tables:
        return ""
    said = f"## The numbers\n\nPoints of the share in {LAST_YEAR}; in brackets: the range that holds 90 of 100."
    why = WRAPPED.sub(" ", WHY.strip()).replace("TARGET", world.target_name).replace("GOODS", world.goods)
    return "\n\n".join([SIGN.strip(), why, said, *tables]) + "\n"


def _tables(numbers: Sequence[Mapping[str, str]], link: str) -> Iterator[str]:
    """A table of its readings for each headline about controls and the domestic share in the last year."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in numbers:
        asked = (row["value"], row["measure"], row["year"])
        if asked != ("headline", MAIN_MEASURE, str(LAST_YEAR)) or not row["less"]:
            continue
        what = f"{row['of']}, against {row['less']}"
        varied = f"{IN_WORDS[row['reading']]} ({counted(int(row['over']), OVER[row['reading']])})"
        found.setdefault(what, {}).setdefault(varied, {})[row["effect"]] = _number(row).bare
    header = ["what is varied", "bite", "what the push adds", "total"]
    for what, readings in found.items():
        rows = [[each, *map(cells.__getitem__, EFFECTS)] for each, cells in readings.items() if {*EFFECTS} <= {*cells}]
        if rows:
            _, _, table = markdown(Section("", (), header, rows)).partition("\n\n")
            yield f"### {link}\n\n{what[:1].upper()}{escape.markdown(what[1:])}.\n\n{table.strip()}"


def _number(row: Mapping[str, str]) -> Number:
    low, middle, high = (float(row[end]) for end in ("low", "middle", "high"))
    scale, unit = told_in(row["unit"], True)
    return Number(low, middle, high, 0.0, scale, unit, True)
