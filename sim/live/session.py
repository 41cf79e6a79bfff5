"""One tab's run: a thread that owns the model, obeys commands and publishes what the page shows.

Nothing here knows the page's library. The page sends commands, tables such as {"do": "play"}; the session answers
with frames, each one JSON string that holds all the page needs to draw itself.
"""

from __future__ import annotations

import json
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from sim.model import DecouplingModel
from sim.scenario import Scenario
from sim.vocabulary import BadInput, quarter_name, quarter_start

SHOWN = (
    "domestic_supply_share",
    "production_share_located",
    "production_share_hq",
    "technology_gap",
    "equipment_self_supply",
    "unmet_demand",
    "controls_severity",
    "subsidy_spent",
)
LEVERS = (
    "controls.mode",
    "controls.severity",
    "controls.alignment",
    "subsidy.annual",
    "investment.annual",
    "mandate.domestic",
)
SPEEDS = (1, 2, 5, 10, 20)  # quarters a second
DEFAULT_SPEED = 5
FRAMES_A_SECOND = 8
PATIENCE = 2.0  # seconds to wait for a page to say that it has drawn the last frame


class Session:
    """A run that can be played, stopped and stepped into.

    `publish` is called from the session's thread with each frame.
    """

    def __init__(self, scenario: Scenario, seed: int, publish: Callable[[str], None]) -> None:
        self._scenario, self._seed, self._publish = scenario, seed, publish
        self._commands: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="live session", daemon=True)
        self._speed = DEFAULT_SPEED
        self._number = 0
        self._acknowledged = 0
        self._begin()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end after the quarter it is in."""
        self.send({"do": "stop"})

    def send(self, command: Mapping[str, Any]) -> None:
        """Put a command into the queue; it is checked when its turn comes."""
        self._commands.put(command)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    # -- in the thread

    def _begin(self) -> None:
        self._model = DecouplingModel(self._scenario, self._seed, record=SHOWN)
        self._levers = dict(self._scenario.values)
        self._log: list[dict[str, str]] = []
        self._message = ""
        self._playing = False
        self._changed = True

    def _work(self) -> None:
        next_quarter = last_frame = 0.0
        while True:
            now = time.monotonic()
            if self._playing and now >= next_quarter:
                self._advance()
                # after a delay the run goes on at its speed and does not hurry to catch up
                next_quarter = max(next_quarter + 1 / self._speed, now)
            may_publish = last_frame + (1 / FRAMES_A_SECOND if self._acknowledged >= self._number else PATIENCE)
            if self._changed and now >= may_publish:
                self._number += 1
                self._publish(self._frame())
                self._changed, last_frame = False, now
            waits = [next_quarter] if self._playing else []
            waits += [may_publish] if self._changed else []
            try:
                command = self._commands.get(timeout=max(0.0, min(waits) - time.monotonic()) if waits else None)
            except queue.Empty:
                continue
            if command.get("do") == "stop":
                return
            self._obey(command)

    def _obey(self, command: Mapping[str, Any]) -> None:
        do, value = command.get("do"), command.get("value")
        if do == "drawn":
            self._acknowledged = value if isinstance(value, int) else self._acknowledged
            return
        self._message, self._changed = "", True
        if do == "play":
            self._playing = self._model.running
        elif do == "pause":
            self._playing = False
        elif do == "quarter":
            self._playing = False
            self._advance()
        elif do == "restart":
            self._begin()
        elif do == "speed" and value in SPEEDS:
            self._speed = int(value)
        elif do == "lever":
            self._set_lever(str(command.get("key")), value)
        else:
            self._message = "The page sent something that is not a command."

    def _advance(self) -> None:
        self._model.step()
        self._playing = self._playing and self._model.running
        self._changed = True

    def _set_lever(self, key: str, value: object) -> None:
        if not self._model.running:
            self._message = "The run has ended. Restart it to change something."
            return
        levers: dict[str, Any] = {key: value}
        if key == "controls.severity" and self._levers["controls.mode"] != "fixed":
            # the slider stands for one control on every controlled item, in place of dated ones or none
            levers["controls.mode"] = "fixed"
        if key == "controls.severity":
            levers["controls.start"] = float(quarter_start(0).year)  # in force at once, not from a later year on
        date = quarter_start(self._model.quarter)
        target = self._model.layout.states[self._model.layout.target]
        try:
            self._model.intervene({"date": date, "by": target, "kind": "lever", "set": levers})
        except BadInput as fault:
            self._message = fault.problems[0]
            return
        self._levers.update(levers)
        self._log.append({"quarter": quarter_name(self._model.quarter), "text": f"{key} = {value}"})

    def _frame(self) -> str:
        _, values = self._model.recorder.values("quarter") if self._model.quarter else ([], None)
        series = {
            name: [] if values is None else [_finite(number) for number in values[0, :, column]]
            for column, name in enumerate(self._model.recorder.names)
        }
        content = {
            "number": self._number,
            "config": self._scenario.name,
            "seed": self._seed,
            "state": "ended" if not self._model.running else "running" if self._playing else "paused",
            "quarter": quarter_name(self._model.quarter - 1) if self._model.quarter else "",
            "done": self._model.quarter,
            "horizon": self._model.horizon,
            "speed": self._speed,
            "series": series,
            "levers": {key: self._levers[key] for key in LEVERS},
            "log": self._log,
            "message": self._message,
        }
        return json.dumps(content, allow_nan=False)


def _finite(number: float) -> float | None:
    return round(float(number), 6) if math.isfinite(number) else None
