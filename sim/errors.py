"""The error for what users get wrong, and how a message names what would be right."""

import difflib
from collections.abc import Iterable, Sequence
from datetime import date


class BadInput(Exception):
    """Something the user gave cannot be used.

    `problems` holds one sentence each, naming file, key, value and what would be right; none of them twice.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(dict.fromkeys(problems))
        super().__init__("\n".join(self.problems))


def nearest(word: object, known: Iterable[str]) -> str:
    """A hint such as " (did you mean 'controls.mode'?)", or nothing when no known word is near."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def none_such(what: str, name: object, known: Sequence[str], places: Iterable[object]) -> str:
    """The end of a sentence about an unknown name: "there is no such config; known configs are …"."""
    if not known:
        return f"there is no such {what}, nor any other in {', '.join(map(str, places))}"
    return f"there is no such {what}{nearest(name, known)}; known {what}s are {', '.join(known)}"


def with_article(word: str) -> str:
    """For example 'a truce' and 'an outage'."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def written(value: object) -> str:
    """A value as its TOML file would have it, for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    try:
        return repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of thousands of digits"
