"""The steps in which a page was used, to go back and forth between."""

from __future__ import annotations

from dataclasses import dataclass

from sim.errors import BadInput
from sim.live.link import Moment

MOST_STEPS = 100  # that can be undone


@dataclass(frozen=True)
class Step:
    """What an order changed; `field` is the lever that it moved, or what it did."""

    field: str
    before: Moment
    after: Moment

    @property
    def only_moved(self) -> bool:
        """Whether it went to another quarter and did nothing else."""
        return self.before.policy == self.after.policy


class Steps:
    """What can be undone, and what was undone and can be done again."""

    def __init__(self) -> None:
        self.done: list[Step] = []
        self.undone: list[Step] = []

    def note(self, field: str, before: Moment, after: Moment) -> None:
        """Keep what an order changed, if it did; moves of a lever in one quarter are one step."""
        step = Step(field, before, after)
        if step.only_moved and after.quarter >= before.quarter:
            return
        last = self.done[-1] if self.done else None
        if last and field in before.opened.values and (last.field, last.after) == (field, before):
            self.done[-1] = Step(field, last.before, after)
        else:
            self.done = [*self.done[1 - MOST_STEPS :], step]
        self.undone = []

    def undo(self) -> Step:
        """The last step, now undone. BadInput where there is none."""
        if not self.done:
            raise BadInput("There is nothing to undo.")
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def redo(self) -> Step:
        """The step that was undone last, now done again. BadInput where there is none."""
        if not self.undone:
            raise BadInput("There is nothing to do again.")
        self.done.append(self.undone.pop())
        return self.done[-1]
