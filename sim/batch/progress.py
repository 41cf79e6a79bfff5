"""What long work reports to standard error: how far it is and how long it takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from sim.experiment.cost import duration
from sim.results.escape import visible


def say(text: str) -> None:
    print(visible(text), file=sys.stderr, flush=True)


KEEPING = "what is finished is kept, and the same command goes on from there"


@contextmanager
def resumable() -> Iterator[None]:
    """Says, when work is interrupted or the system asks it to end, that the same command goes on from there."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        say(f"Interrupted: {KEEPING}.")
        raise


class Progress:
    """How far a batch or a stage of a study is and how long it will take: a bar in a terminal, else lines.

    The pause between lines grows with the time that has passed, so that ten hours are a page and not seven thousand.
    """

    SECONDS = 5.0  # the first pause
    PAUSES = 20  # so many lines in the time that has passed
    LONGEST = 300.0

    def __init__(self, name: str, total: int, done: int = 0) -> None:
        self.name, self.total, self.done = name, total, done
        self.done_before = done
        self.started = self.said = time.monotonic()
        self.bar: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            left = TextColumn("{task.fields[left]}")
            self.bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                left,
                console=Console(stderr=True),
            )
            self.bar.start()
            self.task = self.bar.add_task(visible(self.name), total=self.total, completed=self.done, left="")
        return self

    def __exit__(self, *fault: object) -> None:
        if self.bar:
            self.bar.stop()

    def add(self, runs: int) -> None:
        self.done += runs
        now = time.monotonic()
        pace = (now - self.started) / (self.done - self.done_before)
        left = f"{duration(pace * (self.total - self.done))} left"
        if self.bar:
            self.bar.update(self.task, completed=self.done, left=left)
        elif now - self.said >= max(self.SECONDS, min(self.LONGEST, (now - self.started) / self.PAUSES)):
            self.said = now
            say(f"{self.name}: {self.done} of {self.total} runs, {left}")
