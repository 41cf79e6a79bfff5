"""Words that everything else shares: the calendar, the project's folders, and the error for bad input."""

import difflib
import os
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

FIRST_YEAR = 2020
LAST_YEAR = 2035
QUARTERS_PER_YEAR = 4
OUTCOME_YEARS = (2025, 2030)  # besides the last year, in runs.csv
DEFAULT_WORLD = "china-2020"  # of a config that names none
GRADES = ("measured", "estimated", "calibrated", "assumed")  # of a value's evidence, the surest first


class BadInput(Exception):
    """Something the user gave cannot be used.

    `problems` holds one sentence each, naming file, key, value and what would be right.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


def nearest(word: object, known: Iterable[str]) -> str:
    """A hint such as " (did you mean 'controls.mode'?)", or nothing when no known word is near."""
    close = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


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


def project_root() -> Path:
    """The folder that holds `configs/` and `experiments/`: $DECOUPLING_HOME, else the checkout."""
    home = os.environ.get("DECOUPLING_HOME")
    return Path(home) if home else Path(__file__).resolve().parent.parent


# Quarters are counted from 2020-Q1 = 0.


def quarters_until(year: int) -> int:
    """How many quarters a run has that includes all of `year`."""
    return (year - FIRST_YEAR + 1) * QUARTERS_PER_YEAR


def year_of(quarter: int) -> int:
    return FIRST_YEAR + quarter // QUARTERS_PER_YEAR


def quarter_name(quarter: int) -> str:
    """For example '2023-Q4'."""
    return f"{year_of(quarter)}-Q{quarter % QUARTERS_PER_YEAR + 1}"


def quarter_start(quarter: int) -> date:
    return date(year_of(quarter), 3 * (quarter % QUARTERS_PER_YEAR) + 1, 1)


def quarter_end(quarter: int) -> str:
    """The last day of a quarter, ISO, for example '2023-12-31'."""
    return (quarter_start(quarter + 1) - timedelta(days=1)).isoformat()


def quarter_of(day: date) -> int:
    """The quarter a day lies in; negative before 2020."""
    return (day.year - FIRST_YEAR) * QUARTERS_PER_YEAR + (day.month - 1) // 3
