"""What an experiment takes of time and space, reckoned from its counts before any of its runs is made."""

from __future__ import annotations

from sim.calendar import LAST_YEAR, QUARTERS_PER_YEAR, quarters_until
from sim.experiment.experiment import Experiment

SECONDS_A_RUN = (
    0.01  # of one processor, in blocks, the headline measures of `historic` by year (`tests/bench/batches.py`)
)
MEMORY_A_RUN = 64  # bytes, for the place of each run's rows and the list of what is missing
LONG = 3600.0  # seconds that are worth a word before they begin
LARGE = 10e9  # bytes
MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 31_557_600


def size_on_disk(experiment: Experiment, measures: int) -> int:
    """About how many bytes the result will have: 19 a number, and the keys in front of each line."""
    quarters = quarters_until(LAST_YEAR)
    dates = {"quarter": quarters, "year": quarters // QUARTERS_PER_YEAR, "end": 1}[experiment.every]
    keys = 60 + 12 * len(experiment.key_columns)
    return experiment.run_count * (dates * (keys + 19 * measures) + keys + 5 * 19 * measures)


def long_or_large(experiment: Experiment, processors: int = 1) -> str:
    """A clause on time and space where an experiment takes much of either, else nothing."""
    seconds = experiment.run_count * SECONDS_A_RUN / processors
    needed = size_on_disk(experiment, len(experiment.measures))
    if seconds < LONG and needed < LARGE:
        return ""
    where = "one processor" if processors == 1 else f"{processors} processors"
    return f"about {duration(seconds)} on {where} and {size(needed)} on disk"


def duration(seconds: float) -> str:
    """'1 h 5 min'; of what takes days, days."""
    if seconds >= 2 * YEAR:
        return f"{seconds / YEAR:,.0f} years"
    if seconds >= 2 * DAY:
        return f"{seconds / DAY:.0f} days"
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, HOUR // MINUTE)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    for unit in ("GB", "TB", "PB"):
        if count < 1000:
            return f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.0f} EB"
