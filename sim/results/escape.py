"""Text is never markup: what a user wrote (names, purposes, questions, paths) goes through one escape a medium.

HTML has `html.escape`; figures read no mathematics in their text (`sim.results.figure.drawing`).
"""

from __future__ import annotations

import re
import unicodedata

BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
HIDDEN = {"Cc", "Cf", "Cs"}  # control characters, marks that turn the direction of writing, halves of characters
MARKDOWN = re.compile(r"[\\`*<\[|$]|~(?=~)|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|^[#+>=-]|(?<=^\d)[.)](?=\s)")
FORMULA = ("=", "+", "-", "@")  # a spreadsheet reads a cell that begins so as a formula


def visible(text: str) -> str:
    """Text on one line in which nothing commands a terminal: what cannot be seen is written as \\x1b is here."""
    text = BREAKS.sub(" ", text)
    if text.isprintable():
        return text
    return "".join(
        sign.encode("unicode_escape").decode() if unicodedata.category(sign) in HIDDEN else sign for sign in text
    )


def markdown(text: str) -> str:
    """Text that a reader of Markdown sees as it was written."""
    return MARKDOWN.sub(r"\\\g<0>", visible(text))


def spreadsheet(value: object) -> object:
    """A cell for a table that people open: words that would be read as a formula begin with an apostrophe."""
    if not isinstance(value, str) or not value.lstrip().startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
