"""The tour of the screen Learn: the project's answers, as the gallery of experiments/ tells them, and their futures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from sim.folders import EXPERIMENTS, find

GALLERY = "README.md"
ENTRY = re.compile(r"^## \[(?P<question>.+?)\]\((?P<name>[\w-]+)\.md\)\n\n(?P<answer>.+?)$", re.MULTILINE)
ESCAPED = re.compile(r"\\(?=[^\w\s]|_)")  # how Markdown keeps a sign from being markup
# What opens the futures of an answer, as a query of the first screen.
OPENED: Mapping[str, Mapping[str, str | float]] = {
    "alignment": {"config": "allied", "from": "2023-Q1", "controls.alignment": 0},
    "bottleneck": {"from": "2021-Q1", "subsidy.annual": 200, "subsidy.allocation": "bottleneck"},
    "chain-holds": {"config": "allied"},
    "compute": {"from": "2024-Q1", "controls.quality_cap": 1},
    "deterrence": {"config": "reactive", "from": "2021-Q1", "subsidy.annual": 400},
    "outlook": {"from": "2027-Q1", "controls.severity": 0},
    "returns": {"from": "2021-Q1", "subsidy.annual": 300},
    "seventy-percent": {"from": "2021-Q1", "subsidy.annual": 1200, "mandate.domestic": 0.75},
    "strictness": {"config": "published-2020", "from": "2023-Q1", "controls.severity": 0.8},
    "two-by-two": {"from": "2021-Q1", "controls.mode": "none"},
    "unknowns": {"config": "historic"},
}


def tour() -> list[dict[str, str]]:
    """Every answer of the gallery: question, what is said of it, and the query of its futures, "" where it has none."""
    gallery = find(EXPERIMENTS, GALLERY)
    if gallery is None:
        return []
    return [
        {
            "question": ESCAPED.sub("", entry["question"]),
            "sentence": ESCAPED.sub("", entry["answer"]),
            "query": _query(OPENED.get(entry["name"])),
        }
        for entry in ENTRY.finditer(gallery.read_text(encoding="utf-8"))
    ]


def _query(opened: Mapping[str, str | float] | None) -> str:
    return "?" + urlencode(opened) if opened else ""
