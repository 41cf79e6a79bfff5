"""What a tab watches: a run or two futures of one, where they stand, and what was chosen to be shown of them."""

from __future__ import annotations

import time
from typing import Any

from sim.live import background
from sim.live.link import Faults, Moment
from sim.live.race import Race
from sim.live.steps import Steps
from sim.world.world import World

SPEEDS = (1, 2, 5, 10, 20, 40)  # quarters a second, at most
DEFAULT_SPEED = 5


class Watched:
    """The futures of a moment, which go on from there or back to another.

    `default` is the config of a page whose address names none, `faults` are sentences by the field of the page that
    they belong to. `past` changes whenever the quarters that the page holds are void.
    """

    def __init__(self, moment: Moment, faults: Faults, default: str) -> None:
        self.default, self.faults = default, faults
        self.speed = DEFAULT_SPEED
        self.steps = Steps()
        self.alike: dict[str, str] = {}  # the levers that a doctrine makes idle, and why
        self.band: dict[str, Any] | None = None
        self.file: dict[str, Any] | None = None  # handed to the page to save
        self.files = self.past = 0
        self.stand_at(moment)

    def stand_at(self, moment: Moment) -> None:
        """Begin the races of a moment from the start; they go to its quarter step by step."""
        self.races = moment.races()
        self.opened, self.own = moment.opened, moment.own
        self.branched_at, self.shown = moment.branched, moment.shown
        self.agent: str | None = None
        self.past += 1
        self.batches = list(background.batches())
        self.go_to(moment.quarter)

    def go_to(self, quarter: int) -> None:
        self.playing = False
        self.going_to = quarter if quarter > self.race.model.quarter else None
        self.going_since = time.monotonic()

    def step(self) -> None:
        for race in self.races.values():
            race.step()

    def moment(self) -> Moment:
        """Where it stands, or the quarter that it goes to."""
        first = self.races["A"]
        return Moment(
            self.opened,
            first.scenario,
            first.seed,
            tuple(race.done for race in self.races.values()),
            first.model.quarter if self.going_to is None else self.going_to,
            self.branched_at,
            self.shown,
            self.own,
        )

    @property
    def race(self) -> Race:
        """The future that is shown."""
        return self.races[self.shown]

    @property
    def world(self) -> World:
        """The world that the page opened with; a config of another one gets a page of its own."""
        return self.races["A"].scenario.world

    @property
    def state(self) -> str:
        if self.going_to is not None:
            return "going"
        return "ended" if not self.race.model.running else "running" if self.playing else "paused"
