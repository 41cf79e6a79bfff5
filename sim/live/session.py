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
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name, quarter_start, quarters_until, year_of
from sim.errors import BadInput
from sim.futures.levers import decided_alike, levers, without_effect
from sim.live import background, events, link, own, picture, reopen
from sim.live.link import Faults, Moment
from sim.live.race import Race
from sim.live.turn import Turn
from sim.scenario.events import Event
from sim.scenario.held import values_at
from sim.scenario.labels import label, of_unit
from sim.scenario.loading import known_configs, load_config
from sim.scenario.scenario import Scenario
from sim.world.world import World

SPEEDS = (1, 2, 5, 10, 20, 40)  # quarters a second, at most
DEFAULT_SPEED = 5
PATIENCE = 2.0  # seconds to wait for a page to say that it has drawn the last frame
AGENTS_SECONDS = 1.0  # between tables of agents while the run goes
SOON = 0.03  # seconds between a frame and one that answers an order
SLICE = 0.03  # seconds of a turn of a run on its way to a quarter
ON_THE_WAY_SECONDS = 0.5  # between frames that say so
ON_THE_WAY = ("drawn", "stop", "pause", "alike")  # orders that are obeyed then; others wait until it is there
TOO_LONG = (
    f"More was done than an address of {link.LONGEST_QUERY} characters holds, so the page's address stays as it was: "
    "keep config.toml, which can be opened again."
)
MOST_STEPS = 100  # that can be undone
TURN = Turn()

FramePart = tuple[Hashable, Callable[[], Any]]  # a version, and what makes that part of a frame


@dataclass(frozen=True)
class Step:
    """What an order changed; `field` is the lever that it moved, or what it did."""

    field: str
    before: Moment
    after: Moment


class Session:
    """A run that can be played, stopped, stepped into and branched, and everything that was done, undone.

    `search` is the query of the page's address, `default` the config of a page whose address names none. `publish` is
    called from the session's thread with each frame.
    """

    frames_a_second = 8  # at most

    def __init__(self, search: str, default: str, publish: Callable[[str], None]) -> None:
        self._default, self._publish = default, publish
        self._commands: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._later: deque[Mapping[str, Any]] = deque()  # orders that wait until the run is where it goes to
        self._thread = threading.Thread(target=self._work, name="live session", daemon=True)
        self._speed = DEFAULT_SPEED
        self._number = self._acknowledged = 0
        self._published = 0.0
        self._ordered = False  # whether an order waits for its answer
        self._sent: tuple[int, dict[str, Hashable]] = (0, {})
        self._drawn: dict[str, Hashable] = {}  # the version of each part that the page shows
        self._band: dict[str, Any] | None = None
        self._file: dict[str, Any] | None = None
        self._files = self._past = 0
        self._agents_at = 0.0
        self._undone: list[Step] = []
        self._steps: list[Step] = []
        self._alike: dict[str, str] = {}  # the levers that a doctrine makes idle,
        self._alike_of: Scenario | None = None  # under this config
        moment, self._faults = link.opened(search, default)
        self._stand_at(moment)

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

    # -- where the run stands

    def _stand_at(self, moment: Moment) -> None:
        """Begin the races of a moment from the start; they go to its quarter step by step."""
        self._races = moment.races()
        self._opened, self._own = moment.opened, moment.own
        self._branched_at, self._shown = moment.branched, moment.shown
        self._agent: str | None = None
        self._playing = False
        self._past += 1  # changes whenever the past that the page holds is void
        self._agents_version: Hashable = None
        self._batches = list(background.batches())
        self._changed = True
        self._going_to: int | None = None
        self._go_to(moment.quarter)
        if self._alike_of is not self._opened:
            self._alike, self._alike_of = {}, self._opened
            threading.Thread(target=self._find_alike, args=(self._opened,), daemon=True).start()

    def _moment(self) -> Moment:
        first = self._races["A"]
        return Moment(
            self._opened,
            first.scenario,
            first.seed,
            tuple(race.done for race in self._races.values()),
            first.model.quarter if self._going_to is None else self._going_to,
            self._branched_at,
            self._shown,
            self._own,
        )

    def _go_to(self, quarter: int) -> None:
        self._playing = False
        self._going_to = quarter if quarter > self._race.model.quarter else None
        self._going_since = time.monotonic()

    def _find_alike(self, opened: Scenario) -> None:
        if alike := decided_alike(opened):
            self.send({"do": "alike", "found": (opened.hash, alike)})

    @property
    def _race(self) -> Race:
        return self._races[self._shown]

    # -- in the thread

    def _work(self) -> None:
        try:
            self._go_on()
        finally:
            TURN.plays(id(self), False)

    def _go_on(self) -> None:
        next_quarter = next_frame = 0.0
        while True:
            now = time.monotonic()
            if self._going_to is not None:
                self._approach()
            elif self._playing and now >= next_quarter:
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
            waits += [0.0] if self._going_to is not None or self._later else []
            command = self._next_command(max(0.0, min(waits) - time.monotonic()) if waits else None)
            if command is None:
                continue
            if command.get("do") == "stop":
                return
            self._obey(command)

    def _next_command(self, seconds: float | None) -> Mapping[str, Any] | None:
        """The next order, if one comes in time. On the way to a quarter only a few are obeyed, and others wait."""
        if self._later and self._going_to is None:
            return self._later.popleft()
        try:
            command = self._commands.get(timeout=seconds)
        except queue.Empty:
            return None
        if not isinstance(command, Mapping):
            command = {}
        if self._going_to is not None and command.get("do") not in ON_THE_WAY:
            self._later.append(command)
            return None
        return command

    def _approach(self) -> None:
        """Run on for a moment to the quarter that the run goes to."""
        self._attempt(self._run_for_a_moment, "", first=False)
        quarter, running = self._race.model.quarter, self._race.model.running
        if self._going_to is not None and (quarter >= self._going_to or not running):
            self._going_to = None
            self._ordered = True
        self._changed = True

    def _run_for_a_moment(self) -> None:
        until = time.monotonic() + SLICE
        try:
            while self._going_to is not None and self._race.model.quarter < self._going_to:
                self._step()
                if time.monotonic() >= until:
                    return
        except Exception:
            self._going_to = None
            raise

    def _may_publish(self, next_frame: float) -> float:
        """When the next frame may go out: soon after an order, else at a pace that the page and the others bear."""
        if self._sent[0] != self._acknowledged:
            return self._published + PATIENCE
        if self._going_to is not None:  # the past is about to be drawn whole
            return max(self._published, self._going_since) + ON_THE_WAY_SECONDS
        if self._ordered:
            return self._published + SOON
        return max(next_frame, self._published + 1 / self.frames_a_second)

    def _publish_frame(self, now: float) -> float:
        frames: list[str] = []
        took = TURN.take(lambda: frames.append(self._frame(now)), first=self._ordered)
        self._changed = self._ordered = False
        self._publish(frames[0])
        return took

    def _obey(self, command: Mapping[str, Any]) -> None:
        do = command.get("do")
        if do == "drawn":
            self._note_drawn(command.get("value"))
            return
        if do == "alike":  # from this session's own thread; a page sends no tuples
            self._note_alike(command.get("found"))
            return
        field = str(command.get("key") or do)[:80]
        # messages at other fields stay until those are corrected
        self._faults = {name: text for name, text in self._faults.items() if name not in ("", field)}
        self._changed = self._ordered = True
        obey = self._ORDERS.get(do) if isinstance(do, str) else None
        if obey is None:
            self._faults[""] = "The page sent something that is not a command."
            return
        before = self._moment()
        self._attempt(partial(obey, self, command), field)
        if do not in ("undo", "redo", "pause"):
            self._note_step(field, before)

    def _attempt(self, act: Callable[[], None], field: str, *, first: bool = True) -> float:
        """Do something with the run; faults are shown at a field of the page. Returns the seconds that it took."""
        try:
            return TURN.take(act, first=first)
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

    def _note_alike(self, found: object) -> None:
        if isinstance(found, tuple) and found[0] == self._opened.hash:
            self._alike, self._changed = found[1], True

    def _note_step(self, field: str, before: Moment) -> None:
        """Keep what the last order changed, so that it can be undone; moves of a lever in one quarter are one step."""
        after = self._moment()
        if before.policy == after.policy and after.quarter >= before.quarter:
            return
        last = self._steps[-1] if self._steps else None
        if last and field in before.opened.values and (last.field, last.after) == (field, before):
            self._steps[-1] = Step(field, last.before, after)
        else:
            self._steps = [*self._steps[1 - MOST_STEPS :], Step(field, before, after)]
        self._undone = []

    def _advance(self) -> float:
        self._changed = True
        took = self._attempt(self._step, "", first=False)
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
        self._going_to = None

    def _quarter(self, command: Mapping[str, Any]) -> None:
        self._playing = False
        self._step()

    def _restart(self, command: Mapping[str, Any]) -> None:
        """From the start, with what was done: it acts again when its date comes."""
        self._faults = {}
        self._stand_at(link.at_quarter(self._moment(), 0))

    def _undo(self, command: Mapping[str, Any]) -> None:
        if not self._steps:
            raise BadInput("There is nothing to undo.")
        step = self._steps.pop()
        self._undone.append(step)
        self._return_to(step.before, step)

    def _redo(self, command: Mapping[str, Any]) -> None:
        if not self._undone:
            raise BadInput("There is nothing to do again.")
        step = self._undone.pop()
        self._steps.append(step)
        self._return_to(step.after, step)

    def _return_to(self, moment: Moment, step: Step) -> None:
        """Stand at a moment; what has been run since stays run, unless the step was only to another quarter."""
        self._faults = {}
        moved = step.before.policy == step.after.policy
        self._stand_at(moment if moved else link.at_quarter(moment, max(moment.quarter, self._moment().quarter)))

    def _clear(self, command: Mapping[str, Any]) -> None:
        """Take back all that was done on the page."""
        moment = self._moment()
        self._stand_at(replace(moment, done=((),), branched=None, shown="A"))

    def _take_back(self, command: Mapping[str, Any]) -> None:
        """Take back one act, by the places of its events in what was done in the future that is shown."""
        places, race = command.get("value"), self._race
        known = range(len(race.done))
        if (
            not isinstance(places, list)
            or not places
            or not all(type(each) is int and each in known for each in places)
        ):
            raise BadInput("take back: must be the places of something that was done")
        parted = quarter_start(self._branched_at or 0)
        if any((race.done[place].announced or race.done[place].date) < parted for place in places):
            raise BadInput("It was done before the two futures parted; go on with one of them first.")
        rest = tuple(event for place, event in enumerate(race.done) if place not in places)
        done = tuple(rest if name == self._shown else each.done for name, each in self._races.items())
        self._stand_at(replace(self._moment(), done=done))

    def _set_speed(self, command: Mapping[str, Any]) -> None:
        if command.get("value") not in SPEEDS or isinstance(command["value"], bool):
            raise BadInput(f"speed: must be one of {', '.join(map(str, SPEEDS))} quarters a second")
        self._speed = int(command["value"])

    def _jump(self, command: Mapping[str, Any]) -> None:
        """To the start of a year: on by running, back by running again from the start."""
        quarter = _first_quarter(command.get("value"), "jump to", LAST_YEAR + 1)
        if self._branched_at is not None and quarter < self._branched_at:
            raise BadInput(f"jump to: the two futures begin in {quarter_name(self._branched_at)}; end the branch first")
        if quarter < self._race.model.quarter:
            self._stand_at(link.at_quarter(self._moment(), quarter))
        else:
            self._go_to(quarter)

    def _open(self, command: Mapping[str, Any]) -> None:
        """Another config, seed or kept file, from the start, with all that was done that it can take."""
        moment = self._moment()
        if "text" in command:
            opened, self._faults = reopen.kept(str(command.get("name"))[:80], command["text"], moment.seed), {}
            self._stand_at(opened)
            return
        faults: Faults = {}
        name, own_name = command.get("config", moment.opened.name), moment.opened.name
        seed = link.check_seed(command.get("seed", moment.seed), moment.seed, faults)
        config = own_name if name == own_name else link.check_config(name, self._default, own_name, faults)
        if not faults and config != own_name:
            moment, faults = reopen.carried_over(moment, load_config(config), seed)
        self._faults = faults
        if "config" not in faults and "seed" not in faults:
            self._stand_at(replace(moment, seed=seed, quarter=moment.branched or 0))

    def _lever(self, command: Mapping[str, Any]) -> None:
        key, value = str(command.get("key"))[:80], command.get("value")
        self._intervene(command, lambda race: events.lever_set(race.model, race.levers(), key, value))

    def _announce(self, command: Mapping[str, Any]) -> None:
        by, item, part = str(command.get("by"))[:80], str(command.get("item"))[:80], command.get("severity")
        self._intervene(command, lambda race: events.control_announced(race.model, race.levers(), by, item, part))

    def _cut_off(self, command: Mapping[str, Any]) -> None:
        self._intervene(command, lambda race: events.cut_off(race.model, race.levers()))

    def _truce(self, command: Mapping[str, Any]) -> None:
        self._intervene(command, lambda race: events.truce(race.model, race.levers()))

    def _lose_fab(self, command: Mapping[str, Any]) -> None:
        firm = str(command.get("firm"))[:80]
        self._intervene(command, lambda race: events.fab_lost(race.model, firm))

    def _intervene(self, command: Mapping[str, Any], entries: Callable[[Race], list[events.Entry]]) -> None:
        """Do something from the next quarter on. Where the run has ended, go back to the year that is said, and on."""
        race = self._race
        if race.model.running:
            race.intervene(entries(race))
            return
        quarter = _first_quarter(command.get("since"), "since", LAST_YEAR)
        if quarter < (self._branched_at or 0):
            raise BadInput(f"since: the two futures begin in {quarter_name(self._branched_at or 0)}")
        earlier = self._moment().races()[self._shown]
        while earlier.model.quarter < quarter:
            earlier.step()
        earlier.intervene(entries(earlier))
        done = tuple(earlier.done if name == self._shown else each.done for name, each in self._races.items())
        self._stand_at(replace(self._moment(), done=done))

    def _branch(self, command: Mapping[str, Any]) -> None:
        """Hold the moment: from here on there are two futures."""
        race = self._race
        if not race.model.running:
            raise BadInput("The run has ended. Jump back to hold an earlier moment.")
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
        "undo": _undo,
        "redo": _redo,
        "clear": _clear,
        "take back": _take_back,
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
        own_values = values_at(race.opened, model.quarter)
        keys = [lever.name for lever in levers(race.scenario.world)]
        address = link.address(self._moment())
        faults = {**self._faults, **({} if address else {"link": TOO_LONG})}
        return {
            "config": race.opened.name,
            "seed": race.seed,
            "world": race.scenario.world.id,
            "goods": race.scenario.world.goods,
            "purpose": race.opened.purpose.rstrip("."),
            "invented": race.scenario.world.is_assumed,
            "state": self._state(),
            "quarter": quarter_name(model.quarter - 1) if model.quarter else "",
            "next": quarter_name(model.quarter),
            "done": model.quarter,
            "horizon": model.horizon,
            "speed": self._speed,
            "shown": self._shown,
            "branched": None if self._branched_at is None else quarter_name(self._branched_at),
            "faults": faults,
            "levers": {key: held[key] for key in keys},
            "config_levers": {key: own_values[key] for key in keys},
            "to": None if self._going_to is None else quarter_name(self._going_to - 1),
            "since": max(year_of(race.done[-1].quarter) if race.done else FIRST_YEAR, year_of(self._branched_at or 0)),
            "futures": link.futures(self._moment()),
            "undo": bool(self._steps),
            "redo": bool(self._undone),
            "link": address,
        }

    def _state(self) -> str:
        if self._going_to is not None:
            return "going"
        return "ended" if not self._race.model.running else "running" if self._playing else "paused"

    def _parts(self, now: float) -> dict[str, FramePart]:
        race, quarter = self._race, self._race.model.quarter
        moment = (self._past, self._shown, self._branched_at, quarter)
        parts: dict[str, FramePart] = {
            "done": (
                (self._past, self._shown, race.done),
                lambda: _as_texts(race.done, self.world),
            ),
            "spoken": ("", lambda: self.world.spoken_words),
            "idle": (self._idle_version(), self._idle),
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

    def _idle_version(self) -> Hashable:
        held = self._race.levers()
        now = tuple(held[lever.name] for lever in levers(self.world))
        return self._past, self._shown, self._race.done, now, tuple(self._alike)

    def _idle(self) -> dict[str, str]:
        """The levers that change nothing as the run stands, and why."""
        race = self._race
        found = {} if race.done else self._alike
        return {**found, **without_effect(race.model.scenarios[0], race.model.quarter)}

    def _series(self, name: str, race: Race) -> dict[str, Any]:
        """The quarters that the page does not hold yet."""
        drawn = self._drawn.get(f"series {name}")
        held = drawn[1] if isinstance(drawn, tuple) and drawn[0] == self._past else 0
        return {"from": held, "values": {key: values[held:] for key, values in race.series.items()}}

    def _choices(self) -> dict[str, Any]:
        purposes = {**own.purposes(), self._race.opened.name: self._race.opened.purpose.rstrip(".")}
        configs = [{"name": name, "purpose": purposes[name]} for name in sorted(purposes)]
        return {"configs": configs, "batches": self._batches}


def _first_quarter(year: object, what: str, last: int) -> int:
    """The first quarter of a year that a page names."""
    if isinstance(year, bool) or not isinstance(year, int) or not FIRST_YEAR <= year <= last:
        raise BadInput(f"{what}: must be a year from {FIRST_YEAR} to {last}")
    return quarters_until(year - 1)


def _as_texts(done: Iterable[Event], world: World) -> list[dict[str, Any]]:
    """What was done, for the list of it on the page; the same act of several states is one line."""
    acts: dict[tuple[str, str, str], dict[str, Any]] = {}
    for place, event in enumerate(done):
        words = [f"{label(key)} {of_unit(value, world.parameters[key].unit)}" for key, value in event.levers().items()]
        if event.severity is not None:
            scope = "everything" if "all" in event.scope else ", ".join(world.spoken(item) for item in event.scope)
            words.append(f"{100 * event.severity:g} % of {scope}")
        date, text = quarter_name(event.quarter), ", ".join(words)
        act = acts.setdefault((date, event.kind, text), {"date": date, "kind": event.kind, "text": text})
        act.setdefault("by", []).append(event.by)
        act.setdefault("places", []).append(place)
    return [{**act, "by": " ".join(act["by"])} for act in acts.values()]
