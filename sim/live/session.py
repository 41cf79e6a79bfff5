"""One tab: a thread that owns the run, obeys orders and publishes frames when the page and other tabs can bear them.

Nothing here knows the page's library. What can be ordered is in `orders`, what is told in `frames`.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from sim.errors import BadInput
from sim.futures.levers import decided_alike
from sim.live import link
from sim.live.frames import Frames
from sim.live.orders import ORDERS, Order
from sim.live.turn import Turn
from sim.live.watched import Watched
from sim.scenario.scenario import Scenario
from sim.world.world import World

PATIENCE = 2.0  # seconds to wait for a page to say that it has drawn the last frame
SOON = 0.03  # seconds between a frame and one that answers an order
SLICE = 0.03  # seconds of a turn of a run on its way to a quarter
ON_THE_WAY_SECONDS = 0.5  # between frames that say so
ON_THE_WAY = ("drawn", "stop", "pause", "alike")  # orders that are obeyed then; others wait until it is there
TURN = Turn()


class Session:
    """A run that can be played, stopped, stepped into and branched, and everything that was done, undone.

    `search` is the query of the page's address, `default` the config of a page whose address names none. `publish` is
    called from the session's thread with each frame.
    """

    frames_a_second = 8  # at most

    def __init__(self, search: str, default: str, publish: Callable[[str], None]) -> None:
        self._publish = publish
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._later: deque[Order] = deque()  # orders that wait until the run is where it goes to
        self._thread = threading.Thread(target=self._work, name="live session", daemon=True)
        self._watched = Watched(*link.opened(search, default), default)
        self._frames = Frames(self._watched)
        self._published = 0.0
        self._changed = True
        self._ordered = False  # whether an order waits for its answer
        self._alike_of: Scenario | None = None
        self._look_for_alike()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end after the quarter it is in."""
        self.send({"do": "stop"})

    def send(self, order: Order) -> None:
        """Put an order into the queue; it is checked when its turn comes."""
        self._orders.put(order)

    @property
    def world(self) -> World:
        """The world that the page opened with; a config of another one gets a page of its own."""
        return self._watched.world

    # -- in the thread

    def _work(self) -> None:
        try:
            self._go_on()
        finally:
            TURN.plays(id(self), False)

    def _go_on(self) -> None:
        watched = self._watched
        next_quarter = next_frame = 0.0
        while True:
            now = time.monotonic()
            if watched.going_to is not None:
                self._approach()
            elif watched.playing and now >= next_quarter:
                took = self._advance()
                # after a delay the run goes on at its speed and does not hurry to catch up
                next_quarter = max(next_quarter + 1 / watched.speed, now + TURN.rest(took))
            may_publish = self._may_publish(next_frame)
            if self._changed and now >= may_publish:
                took = self._publish_frame(now)
                self._published = now
                next_frame = now + TURN.rest(took)
            TURN.plays(id(self), watched.playing)
            waits = [next_quarter] if watched.playing else []
            waits += [self._may_publish(next_frame)] if self._changed else []
            waits += [0.0] if watched.going_to is not None or self._later else []
            order = self._next_order(max(0.0, min(waits) - time.monotonic()) if waits else None)
            if order is None:
                continue
            if order.get("do") == "stop":
                return
            self._obey(order)

    # -- running

    def _advance(self) -> float:
        """Play one quarter; returns the seconds that it took."""
        watched = self._watched
        self._changed = True
        took = self._attempt(watched.step, "", first=False)
        watched.playing = watched.playing and watched.race.model.running
        return took

    def _approach(self) -> None:
        """Run on for a moment to the quarter that the run goes to."""
        watched = self._watched
        self._attempt(self._run_for_a_moment, "", first=False)
        model = watched.race.model
        if watched.going_to is not None and (model.quarter >= watched.going_to or not model.running):
            watched.going_to = None
            self._ordered = True
        self._changed = True

    def _run_for_a_moment(self) -> None:
        watched, until = self._watched, time.monotonic() + SLICE
        try:
            while watched.going_to is not None and watched.race.model.quarter < watched.going_to:
                watched.step()
                if time.monotonic() >= until:
                    return
        except Exception:
            watched.going_to = None
            raise

    def _attempt(self, act: Callable[[], None], field: str, *, first: bool = True) -> float:
        """Do something with the run; faults are shown at a field of the page. Returns the seconds that it took."""
        watched = self._watched
        try:
            return TURN.take(act, first=first)
        except BadInput as fault:
            watched.faults[field] = fault.problems[0].removeprefix("event 1: ").removeprefix("set ")[:400]
        except Exception as fault:  # a fault of the program must not leave a page that says nothing
            traceback.print_exc()
            watched.playing = False
            watched.faults[""] = f"The run stopped: {fault or type(fault).__name__}. Restart it."[:400]
        return 0.0

    # -- orders

    def _next_order(self, seconds: float | None) -> Order | None:
        """The next order, if one comes in time. On the way to a quarter only a few are obeyed, and others wait."""
        is_going = self._watched.going_to is not None
        if self._later and not is_going:
            return self._later.popleft()
        try:
            order = self._orders.get(timeout=seconds)
        except queue.Empty:
            return None
        if not isinstance(order, Mapping):
            order = {}
        if is_going and order.get("do") not in ON_THE_WAY:
            self._later.append(order)
            return None
        return order

    def _obey(self, order: Order) -> None:
        do, watched = order.get("do"), self._watched
        if do == "drawn":
            self._changed |= self._frames.note_drawn(order.get("value"))
            return
        if do == "alike":  # from this session's own thread; a page sends no tuples
            self._note_alike(order.get("found"))
            return
        field = str(order.get("key") or do)[:80]
        # messages at other fields stay until those are corrected
        watched.faults = {name: text for name, text in watched.faults.items() if name not in ("", field)}
        self._changed = self._ordered = True
        obey = ORDERS.get(do) if isinstance(do, str) else None
        if obey is None:
            watched.faults[""] = "The page sent something that is not a command."
            return
        before = watched.moment()
        self._attempt(partial(obey, watched, order), field)
        if do not in ("undo", "redo", "pause"):
            watched.steps.note(field, before, watched.moment())
        self._look_for_alike()

    def _look_for_alike(self) -> None:
        """Find the levers that the config's doctrine makes idle, beside the run: it takes some runs."""
        opened = self._watched.opened
        if self._alike_of is not opened:
            self._watched.alike, self._alike_of = {}, opened
            threading.Thread(target=self._find_alike, args=(opened,), daemon=True).start()

    def _find_alike(self, opened: Scenario) -> None:
        if alike := decided_alike(opened):
            self.send({"do": "alike", "found": (opened.hash, alike)})

    def _note_alike(self, found: object) -> None:
        if isinstance(found, tuple) and found[0] == self._watched.opened.hash:
            self._watched.alike, self._changed = found[1], True

    # -- frames

    def _may_publish(self, next_frame: float) -> float:
        """When the next frame may go out: soon after an order, else at a pace that the page and the others bear."""
        watched = self._watched
        if not self._frames.is_drawn:
            return self._published + PATIENCE
        if watched.going_to is not None:  # the past is about to be drawn whole
            return max(self._published, watched.going_since) + ON_THE_WAY_SECONDS
        if self._ordered:
            return self._published + SOON
        return max(next_frame, self._published + 1 / self.frames_a_second)

    def _publish_frame(self, now: float) -> float:
        """Publish a frame; returns the seconds that it took to make."""
        frames: list[str] = []
        took = TURN.take(lambda: frames.append(self._frames.next(now)), first=self._ordered)
        self._changed = self._ordered = False
        self._publish(frames[0])
        return took
