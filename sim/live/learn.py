"""The tour of the screen Learn: the project's answers, as the gallery of experiments/ tells them, and their futures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from sim.folders import EXPERIMENTS, find

GALLERY = "README.md"
ENTRY = re.compile(r"^## \[(?P<question>.+?)\]\((?P<name>[\w-]+)\.md\)\n\n(?P<answer>.+?)$", re.MULTILINE)
KEY = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
VALUE = re.compile(f"({KEY.pattern}) = ")
BRACKETS = re.compile(r", with 90 % of \d+ parameter sets in brackets")  # said once, above all answers
TOTAL = "This is the total"  # how the sentence about bite and answer begins
# What opens the futures of an answer, as a query of the first screen.
OPENED: Mapping[str, Mapping[str, str | float]] = {
    "alignment": {"config": "allied", "from": "2023-Q1", "controls.alignment": 0},
    "bottleneck": {"from": "2021-Q1", "subsidy.annual": 200, "subsidy.allocation": "bottleneck"},
    "chain-holds": {"config": "allied"},
    "deterrence": {"config": "reactive", "from": "2021-Q1", "subsidy.annual": 400},
    "returns": {"from": "2021-Q1", "subsidy.annual": 300},
    "seventy-percent": {"from": "2021-Q1", "subsidy.annual": 1200, "mandate.domestic": 0.75},
    "strictness": {"config": "published-2020", "from": "2023-Q1", "controls.severity": 0.8},
    "two-by-two": {"from": "2021-Q1", "controls.mode": "none"},
    "unknowns": {"config": "historic"},
}


def tour(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Every answer of the gallery: question, one sentence, and the query of its futures, "" where it has none.

    `labels` are the words for levers by key; the gallery's sentences name keys.
    """
    gallery = find(EXPERIMENTS, GALLERY)
    if gallery is None:
        return []
    return [
        {
            "question": entry["question"],
            "sentence": _in_words(_first(entry["answer"]), labels),
            "query": _query(OPENED.get(entry["name"])),
        }
        for entry in ENTRY.finditer(gallery.read_text(encoding="utf-8"))
    ]


def _first(answer: str) -> str:
    """The first sentence, and the one about bite and answer where there is one."""
    answer = BRACKETS.sub("", answer)
    sentences = re.split(r"(?<=\.) (?=[A-Z])", answer)
    return " ".join(sentences[:2] if len(sentences) > 1 and sentences[1].startswith(TOTAL) else sentences[:1])


def _in_words(text: str, labels: Mapping[str, str]) -> str:
    """The text with words for keys, and with minus signs."""
    text = VALUE.sub(r"\1 at ", text)
    text = KEY.sub(lambda key: labels.get(key[0]) or key[0].replace(".", " ").replace("_", " "), text)
    return re.sub(r"(?<=[ (])-(?=\d)", "−", text)


def _query(opened: Mapping[str, str | float] | None) -> str:
    return "?" + urlencode(opened) if opened else ""
