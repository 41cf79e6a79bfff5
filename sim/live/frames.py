"""What the page is told: frames, each one JSON string with the parts of the page that have changed.

A part has a version. A frame holds the parts whose version is another than in the last frame that the page said it
had drawn, so nothing is lost with a frame.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any

from sim.calendar import FIRST_YEAR, quarter_name, year_of
from sim.futures.levers import levers, without_effect
from sim.live import link, own, picture
from sim.live.race import Race
from sim.live.watched import Watched
from sim.scenario.events import Event
from sim.scenario.held import values_at
from sim.scenario.labels import label, of_unit
from sim.scenario.loading import known_configs
from sim.world.world import World

AGENTS_SECONDS = 1.0  # between tables of agents while the run goes
TOO_LONG = (
    f"More was done than an address of {link.LONGEST_QUERY} characters holds, so the page's address stays as it was: "
    "keep config.toml, which can be opened again."
)

Part = tuple[Hashable, Callable[[], Any]]  # a version, and what makes that part of a frame


class Frames:
    """The frames of what a tab watches, and what of them the page has drawn."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._number = self._acknowledged = 0
        self._sent: tuple[int, dict[str, Hashable]] = (0, {})
        self._drawn: dict[str, Hashable] = {}  # the version of each part that the page shows
        self._agents_at = 0.0
        self._agents_version: tuple[Hashable, ...] = ()

    @property
    def is_drawn(self) -> bool:
        """Whether the page has said that it has drawn the last frame."""
        return self._sent[0] == self._acknowledged

    def next(self, now: float) -> str:
        """The next frame, at a time in seconds of `time.monotonic`."""
        self._number += 1
        parts = self._parts(now)
        frame: dict[str, Any] = {"number": self._number, "head": self._head()}
        frame["parts"] = {name: make() for name, (version, make) in parts.items() if self._drawn.get(name) != version}
        frame["parts"] |= {name: None for name in self._drawn if name not in parts}
        self._sent = (self._number, {name: version for name, (version, _) in parts.items()})
        return json.dumps(frame, allow_nan=False)

    def note_drawn(self, number: object) -> bool:
        """Take down that a frame has been drawn. Whether there is more to tell: 0 is a page that holds nothing."""
        if number == 0:
            self._drawn = {}
        elif number == self._sent[0]:
            self._drawn = dict(self._sent[1])
            if "file" in self._drawn:
                self._watched.file = None
        else:
            return False
        self._acknowledged = self._sent[0]
        return number == 0

    def _head(self) -> dict[str, Any]:
        watched = self._watched
        race, moment, branched = watched.race, watched.moment(), watched.branched_at
        model, world, held = race.model, race.scenario.world, race.levers()
        own_values = values_at(race.opened, model.quarter)
        keys = [lever.name for lever in levers(world)]
        address = link.address(moment)
        return {
            "config": race.opened.name,
            "seed": race.seed,
            "world": world.id,
            "goods": world.goods,
            "purpose": race.opened.purpose.rstrip("."),
            "invented": world.is_assumed,
            "state": watched.state,
            "quarter": quarter_name(model.quarter - 1) if model.quarter else "",
            "next": quarter_name(model.quarter),
            "done": model.quarter,
            "horizon": model.horizon,
            "speed": watched.speed,
            "shown": watched.shown,
            "branched": None if branched is None else quarter_name(branched),
            "faults": {**watched.faults, **({} if address else {"link": TOO_LONG})},
            "levers": {key: held[key] for key in keys},
            "config_levers": {key: own_values[key] for key in keys},
            "to": None if watched.going_to is None else quarter_name(watched.going_to - 1),
            "since": max(year_of(race.done[-1].quarter) if race.done else FIRST_YEAR, year_of(branched or 0)),
            "futures": link.futures(moment),
            "undo": bool(watched.steps.done),
            "redo": bool(watched.steps.undone),
            "link": address,
        }

    def _parts(self, now: float) -> dict[str, Part]:
        watched, race = self._watched, self._watched.race
        past, quarter = watched.past, race.model.quarter
        parts: dict[str, Part] = {
            "done": ((past, watched.shown, race.done), lambda: _as_texts(race.done, watched.world)),
            "spoken": ("", lambda: watched.world.spoken_words),
            "idle": (self._idle_version(), self._idle),
            "choices": ((tuple(known_configs()), tuple(watched.batches)), self._choices),
        }
        for name, future in watched.races.items():
            parts[f"log {name}"] = ((past, len(future.deeds)), partial(list, future.deeds))
            parts[f"series {name}"] = ((past, future.model.quarter), partial(self._series, name, future))
        if quarter:
            parts |= self._parts_of_quarter(now)
        if (band := watched.band) is not None:
            parts["band"] = (band["name"], lambda: band)
        if (file := watched.file) is not None:
            parts["file"] = (file["number"], lambda: file)
        return parts

    def _parts_of_quarter(self, now: float) -> dict[str, Part]:
        """What shows the quarter that has just passed. While the run goes on, agents follow more slowly."""
        watched, race = self._watched, self._watched.race
        future = (watched.past, watched.shown, watched.branched_at)
        version = (*future, race.model.quarter)
        is_other = self._agents_version[:-1] != future
        if not watched.playing or is_other or now >= self._agents_at + AGENTS_SECONDS:
            self._agents_version, self._agents_at = version, now
        parts: dict[str, Part] = {
            "chain": (version, race.chain),
            "spots": (version, lambda: picture.empty_spots(race.model)),
            "gaps": (version, lambda: picture.gaps(race.model)),
            "agents": (self._agents_version, lambda: picture.agents(race.model)),
        }
        if (agent := watched.agent) is not None:
            parts["agent"] = ((self._agents_version, agent), lambda: race.history(agent))
        return parts

    def _idle_version(self) -> Hashable:
        watched, race = self._watched, self._watched.race
        held = race.levers()
        now = tuple(held[lever.name] for lever in levers(watched.world))
        return watched.past, watched.shown, race.done, now, tuple(watched.alike)

    def _idle(self) -> dict[str, str]:
        """The levers that change nothing as the run stands, and why."""
        race = self._watched.race
        found = {} if race.done else self._watched.alike
        return {**found, **without_effect(race.model.scenarios[0], race.model.quarter)}

    def _series(self, name: str, race: Race) -> dict[str, Any]:
        """The quarters that the page does not hold yet."""
        drawn = self._drawn.get(f"series {name}")
        held = drawn[1] if isinstance(drawn, tuple) and drawn[0] == self._watched.past else 0
        return {"from": held, "values": {key: values[held:] for key, values in race.series.items()}}

    def _choices(self) -> dict[str, Any]:
        opened = self._watched.race.opened
        purposes = {**own.purposes(), opened.name: opened.purpose.rstrip(".")}
        configs = [{"name": name, "purpose": purposes[name]} for name in sorted(purposes)]
        return {"configs": configs, "batches": self._watched.batches}


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
