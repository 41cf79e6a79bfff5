"""One tab: a thread that owns the run, obeys commands and publishes what the page shows.

Nothing here knows the page's library. The page sends commands, tables such as {"do": "play"}; the session answers
with frames, each one JSON string. A frame holds the parts of the page that have changed since the last frame that
the page said it had drawn, so nothing is lost with a frame.
"""

from __future__ import annotations

import json
import queue
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name, quarters_until
from sim.errors import BadInput
from sim.futures.levers import levers
from sim.live import background, events, link, picture
from sim.live.link import Faults
from sim.live.race import Race
from sim.live.turn import Turn
from sim.scenario.loading import known_configs, load_config
from sim.world.world import World

SPEEDS = (1, 2, 5, 10, 20, 40)  # quarters a second, at most
DEFAULT_SPEED = 5
PATIENCE = 2.0  # seconds to wait for a page to say that it has drawn the last frame
AGENTS_SECONDS = 1.0  # between tables of agents while the run goes
SOON = 0.03  # seconds between a frame and one that answers an order
TURN = Turn()

FramePart = tuple[Hashable, Callable[[], Any]]  # a version, and what makes that part of a frame


class Session:
    """A run that can be played, stopped, stepped into and branched.

    `search` is the query of the page's address, `default` the config of a page whose address names none. `publish` is
    called from the session's thread with each frame.
    """

    frames_a_second = 8  # at most

    def __init__(self, search: str, default: str, publish: Callable[[str], None]) -> None:
        self._default, self._publish = default, publish
        self._commands: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="live session", daemon=True)
        self._speed = DEFAULT_SPEED
        self._number = self._acknowledged = 0
        self._published = 0.0
        self._ordered = False  # whether an order waits for its answer
        self._sent: tuple[int, dict[str, Hashable]] = (0, {})
        self._drawn: dict[str, Hashable] = {}  # the version of each part that the page shows
        self._band: dict[str, Any] | None = None
        self._file: dict[str, Any] | None = None
        self._files = 0
        self._agents_at = 0.0
        race, self._faults = link.opened(search, default)
        self._begin(race)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end after the quarter it is in."""
        self.send({"do": "stop"})

    def send(self, command: Mapping[str, Any]) -> None:
        """Put a command into the queue; it is checked when its turn comes."""
        self._commands.put(command)

    @property
    def world(self) -> World:
        """The world that the page opened with; a config of another one gets a page of its own."""
        return self._races["A"].scenario.world

    # -- in the thread

    def _begin(self, race: Race) -> None:
        self._races = {"A": race}
        self._shown = "A"
        self._branched_at: int | None = None
        self._agent: str | None = None
        self._playing = False
        self._past = getattr(self, "_past", 0) + 1  # changes whenever the past that the page holds is void
        self._agents_version: Hashable = None
        self._batches = list(background.batches())
        self._changed = True

    @property
    def _race(self) -> Race:
        return self._races[self._shown]

    def _work(self) -> None:
        try:
            self._go_on()
        finally:
            TURN.plays(id(self), False)

    def _go_on(self) -> None:
        next_quarter = next_frame = 0.0
        while True:
            now = time.monotonic()
            if self._playing and now >= next_quarter:
                took = self._advance()
                # after a delay the run goes on at its speed and does not hurry to catch up
                next_quarter = max(next_quarter + 1 / self._speed, now + TURN.rest(took))
            may_publish = self._may_publish(next_frame)
            if self._changed and now >= may_publish:
                took = self._publish_frame(now)
                self._published = now
                next_frame = now + TURN.rest(took)
            TURN.plays(id(self), self._playing)
            waits = [next_quarter] if self._playing else []
            waits += [self._may_publish(next_frame)] if self._changed else []
            try:
                command = self._commands.get(timeout=max(0.0, min(waits) - time.monotonic()) if waits else None)
            except queue.Empty:
                continue
            if not isinstance(command, Mapping):
                command = {}
            if command.get("do") == "stop":
                return
            self._obey(command)

    def _may_publish(self, next_frame: float) -> float:
        """When the next frame may go out: soon after an order, else at a pace that the page and the others bear."""
        if self._sent[0] != self._acknowledged:
            return self._published + PATIENCE
        if self._ordered:
            return self._published + SOON
        return max(next_frame, self._published + 1 / self.frames_a_second)

    def _publish_frame(self, now: float) -> float:
        frames: list[str] = []
        took = TURN.take(lambda: frames.append(self._frame(now)))
        self._changed = self._ordered = False
        self._publish(frames[0])
        return took

    def _obey(self, command: Mapping[str, Any]) -> None:
        do = command.get("do")
        if do == "drawn":
            self._note_drawn(command.get("value"))
            return
        field = str(command.get("key") or do)[:80]
        # messages at other fields stay until those are corrected
        self._faults = {name: text for name, text in self._faults.items() if name not in ("", field)}
        self._changed = self._ordered = True
        obey = self._ORDERS.get(do) if isinstance(do, str) else None
        if obey is None:
            self._faults[""] = "The page sent something that is not a command."
            return
        self._attempt(partial(obey, self, command), field)

    def _attempt(self, act: Callable[[], None], field: str) -> float:
        """Do something with the run; faults are shown at a field of the page. Returns the seconds that it took."""
        try:
            return TURN.take(act)
        except BadInput as fault:
            self._faults[field] = fault.problems[0].removeprefix("event 1: ").removeprefix("set ")[:400]
        except Exception as fault:  # a fault of the program must not leave a page that says nothing
            traceback.print_exc()
            self._playing = False
            self._faults[""] = f"The run stopped: {fault or type(fault).__name__}. Restart it."[:400]
        return 0.0

    def _note_drawn(self, number: object) -> None:
        if number == 0:  # the page was built again and holds nothing
            self._drawn, self._changed = {}, True
        elif number == self._sent[0]:
            self._drawn = dict(self._sent[1])
            if "file" in self._drawn:
                self._file = None
        else:
            return
        self._acknowledged = self._sent[0]

    def _advance(self) -> float:
        self._changed = True
        took = self._attempt(self._step, "")
        self._playing = self._playing and self._race.model.running
        return took

    def _step(self) -> None:
        for race in self._races.values():
            race.step()

    # -- orders

    def _play(self, command: Mapping[str, Any]) -> None:
        self._playing = self._race.model.running

    def _pause(self, command: Mapping[str, Any]) -> None:
        self._playing = False

    def _quarter(self, command: Mapping[str, Any]) -> None:
        self._playing = False
        self._step()

    def _restart(self, command: Mapping[str, Any]) -> None:
        """The same config, seed and levers from the start, without what was done later."""
        first = self._races["A"]
        self._faults = {}
        self._begin(Race(first.opened, first.scenario, first.seed))

    def _set_speed(self, command: Mapping[str, Any]) -> None:
        if command.get("value") not in SPEEDS or isinstance(command["value"], bool):
            raise BadInput(f"speed: must be one of {', '.join(map(str, SPEEDS))} quarters a second")
        self._speed = int(command["value"])

    def _jump(self, command: Mapping[str, Any]) -> None:
        """To the start of a year: on by running, back by running again from the start."""
        year = command.get("value")
        if isinstance(year, bool) or not isinstance(year, int) or not FIRST_YEAR <= year <= LAST_YEAR + 1:
            raise BadInput(f"jump to: must be a year from {FIRST_YEAR} to {LAST_YEAR + 1}")
        quarter = quarters_until(year - 1)
        self._playing = False
        if self._branched_at is not None and quarter < self._branched_at:
            raise BadInput(f"jump to: the two futures begin in {quarter_name(self._branched_at)}; end the branch first")
        if quarter < self._race.model.quarter:
            self._races = {name: race.back_to(quarter) for name, race in self._races.items()}
            self._past += 1
        while self._race.model.quarter < quarter:
            self._step()

    def _open(self, command: Mapping[str, Any]) -> None:
        """Another config or seed, from the start."""
        first = self._races["A"]
        faults: Faults = {}
        config = link.check_config(command.get("config", first.opened.name), self._default, first.opened.name, faults)
        seed = link.check_seed(command.get("seed", first.seed), first.seed, faults)
        self._faults = faults
        if faults:
            return
        base = load_config(config)
        self._begin(Race(base, base if base.hash != first.opened.hash else first.scenario, seed))

    def _lever(self, command: Mapping[str, Any]) -> None:
        race, key = self._running(), str(command.get("key"))[:80]
        race.intervene(events.lever_set(race.model, race.levers(), key, command.get("value")))

    def _announce(self, command: Mapping[str, Any]) -> None:
        race = self._running()
        by, item = str(command.get("by"))[:80], str(command.get("item"))[:80]
        race.intervene(events.control_announced(race.model, race.levers(), by, item, command.get("severity")))

    def _cut_off(self, command: Mapping[str, Any]) -> None:
        race = self._running()
        race.intervene(events.cut_off(race.model, race.levers()))

    def _truce(self, command: Mapping[str, Any]) -> None:
        race = self._running()
        race.intervene(events.truce(race.model, race.levers()))

    def _lose_fab(self, command: Mapping[str, Any]) -> None:
        race = self._running()
        race.intervene(events.fab_lost(race.model, str(command.get("firm"))[:80]))

    def _branch(self, command: Mapping[str, Any]) -> None:
        """Hold the moment: from here on there are two futures."""
        race = self._running()
        if self._branched_at is not None:
            raise BadInput("There are two futures already; keep one of them first.")
        self._playing = False
        self._races = {"A": race, "B": race.branch()}
        self._branched_at, self._shown = race.model.quarter, "B"
        self._agents_version = None

    def _show(self, command: Mapping[str, Any]) -> None:
        self._shown = self._future(command.get("value"))
        self._agents_version = None

    def _keep(self, command: Mapping[str, Any]) -> None:
        """End the branch and go on with one of the two futures."""
        kept = self._races[self._future(command.get("value"))]
        self._races, self._shown, self._branched_at = {"A": kept}, "A", None
        self._past += 1
        self._agents_version = None

    def _background(self, command: Mapping[str, Any]) -> None:
        name = command.get("value")
        self._band = background.band(str(name), self._race.measures) if name else None

    def _write(self, command: Mapping[str, Any]) -> None:
        """Hand the page a file to save."""
        race, what = self._race, command.get("value")
        if what == "series" and race.model.quarter:
            name, text = f"{race.name}-{race.seed}-series.csv", race.series_csv()
        elif what == "series":
            raise BadInput("No quarter has been run yet, so there is no series.")
        elif what == "config" and race.name != race.opened.name:
            name, text = f"{race.name}.toml", race.config_toml()
        elif what == "config":
            raise BadInput(f"Nothing was changed: this is {race.opened.name} with seed {race.seed}.")
        else:
            raise BadInput("what to keep: must be series or config")
        self._files += 1
        self._file = {"number": self._files, "name": name, "text": text}

    def _watch_agent(self, command: Mapping[str, Any]) -> None:
        id = command.get("value")
        if id is not None and (not isinstance(id, str) or picture.kind_of(self._race.model, id) is None):
            raise BadInput(f"agent: there is none with the id {str(id)[:80]!r}")
        self._agent = id

    _ORDERS: Mapping[str, Callable[[Session, Mapping[str, Any]], None]] = {
        "play": _play,
        "pause": _pause,
        "quarter": _quarter,
        "restart": _restart,
        "speed": _set_speed,
        "jump": _jump,
        "open": _open,
        "lever": _lever,
        "announce": _announce,
        "cut off": _cut_off,
        "truce": _truce,
        "lose fab": _lose_fab,
        "branch": _branch,
        "show": _show,
        "keep": _keep,
        "background": _background,
        "write": _write,
        "agent": _watch_agent,
    }

    def _running(self) -> Race:
        if not self._race.model.running:
            raise BadInput("The run has ended. Restart it, or jump back, to change something.")
        return self._race

    def _future(self, name: object) -> str:
        if not isinstance(name, str) or name not in self._races:
            raise BadInput(f"future: must be one of {', '.join(self._races)}")
        return name

    # -- frames

    def _frame(self, now: float) -> str:
        self._number += 1
        parts = self._parts(now)
        frame: dict[str, Any] = {"number": self._number, "head": self._head()}
        frame["parts"] = {name: make() for name, (version, make) in parts.items() if self._drawn.get(name) != version}
        frame["parts"] |= {name: None for name in self._drawn if name not in parts}
        self._sent = (self._number, {name: version for name, (version, _) in parts.items()})
        return json.dumps(frame, allow_nan=False)

    def _head(self) -> dict[str, Any]:
        race = self._race
        model, held = race.model, race.levers()
        keys = [lever.name for lever in levers(race.scenario.world)]
        return {
            "config": race.opened.name,
            "seed": race.seed,
            "world": race.scenario.world.id,
            "goods": race.scenario.world.goods,
            "state": "ended" if not model.running else "running" if self._playing else "paused",
            "quarter": quarter_name(model.quarter - 1) if model.quarter else "",
            "next": quarter_name(model.quarter),
            "done": model.quarter,
            "horizon": model.horizon,
            "speed": self._speed,
            "shown": self._shown,
            "branched": None if self._branched_at is None else quarter_name(self._branched_at),
            "faults": self._faults,
            "levers": {key: held[key] for key in keys},
            "config_levers": {key: race.opened.values[key] for key in keys},
            "link": link.address(race),
        }

    def _parts(self, now: float) -> dict[str, FramePart]:
        race, quarter = self._race, self._race.model.quarter
        moment = (self._past, self._shown, self._branched_at, quarter)
        parts: dict[str, FramePart] = {
            "done": ((self._past, self._shown, len(race.done)), lambda: _as_texts(race.entries())),
            "choices": ((tuple(known_configs()), tuple(self._batches)), self._choices),
        }
        for name, future in self._races.items():
            version = (self._past, future.model.quarter)
            parts[f"log {name}"] = ((self._past, len(future.deeds)), partial(list, future.deeds))
            parts[f"series {name}"] = (version, partial(self._series, name, future))
        if quarter:
            parts["chain"] = (moment, race.chain)
            parts["spots"] = (moment, lambda: picture.empty_spots(race.model))
            parts["gaps"] = (moment, lambda: picture.gaps(race.model))
            if not self._playing or self._agents_version is None or now >= self._agents_at + AGENTS_SECONDS:
                self._agents_version, self._agents_at = moment, now
            parts["agents"] = (self._agents_version, lambda: picture.agents(race.model))
            if (agent := self._agent) is not None:
                parts["agent"] = ((self._agents_version, agent), lambda: race.history(agent))
        if self._band is not None:
            parts["band"] = (self._band["name"], lambda: self._band)
        if self._file is not None:
            parts["file"] = (self._file["number"], lambda: self._file)
        return parts

    def _series(self, name: str, race: Race) -> dict[str, Any]:
        """The quarters that the page does not hold yet."""
        drawn = self._drawn.get(f"series {name}")
        held = drawn[1] if isinstance(drawn, tuple) and drawn[0] == self._past else 0
        return {"from": held, "values": {key: values[held:] for key, values in race.series.items()}}

    def _choices(self) -> dict[str, Any]:
        return {"configs": sorted({*known_configs(), self._race.opened.name}), "batches": self._batches}


def _as_texts(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What was done, for the list of it on the page; the same act of several states is one line."""
    by_act: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        words = [
            f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}"
            for key, value in entry.get("set", {}).items()
        ]
        if "severity" in entry:
            words.append(f"{100 * entry['severity']:g} % of {', '.join(entry['scope'])}".replace("_", " "))
        by_act.setdefault((str(entry["date"]), entry["kind"], ", ".join(words)), []).append(entry["by"])
    return [{"date": date, "by": " ".join(by), "kind": kind, "text": text} for (date, kind, text), by in by_act.items()]
