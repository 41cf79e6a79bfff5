"""One future of a run: a model, what was done to it on the page, and what the page shows of it quarter by quarter."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomli
import tomli_w

from sim.batch.blocks import keys_of
from sim.calendar import QUARTERS_PER_YEAR, quarter_name
from sim.errors import BadInput
from sim.experiment.experiment import Run
from sim.folders import CONFIGS, SHIPPED
from sim.futures.shown import of_quality
from sim.live import deeds, picture
from sim.measures import HEADLINE, Measure, catalogue
from sim.model import DecouplingModel
from sim.results.records import line, series_columns, series_rows
from sim.scenario.events import Event
from sim.scenario.held import values_at
from sim.scenario.resolved import resolved
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value
from sim.world.world import World

LOOKS_BACK = "subsidy_per_point"  # over all quarters, so it is not shown as they pass


def shown_measures(world: World) -> dict[str, Measure]:
    """What the page draws: the headline, shares, prices and unmet demand by segment, and of chips with a quality."""
    known = catalogue(world)
    segments = world.segments
    names = ("domestic_supply_share", "price_index", "unmet_demand")
    by_segment = [f"{name}.{segment}" for name in names for segment in segments]
    quality = [*(measure.name for measure in of_quality(world)), f"compute_price.{world.lead}"]
    shown = dict.fromkeys((*HEADLINE, *by_segment, *quality))
    return {name: known[name] for name in shown if name in known and name != LOOKS_BACK}


class Race:
    """A run that goes quarter by quarter and can be stepped into.

    `opened` is the config as the link names it, `scenario` the same with the levers that the link sets from the start.
    `done` are the events of the page, which act when their date comes.
    """

    def __init__(self, opened: Scenario, scenario: Scenario, seed: int, done: Iterable[Event] = ()) -> None:
        self.opened, self.scenario, self.seed = opened, scenario, seed
        self.done: tuple[Event, ...] = tuple(done)
        self.measures = shown_measures(scenario.world)
        extra = [name for name in self.measures if name not in HEADLINE]
        self.model = DecouplingModel(self._with(self.done), seed, record=[*HEADLINE, *extra])
        self.series: dict[str, list[float | None]] = {}
        self.deeds: list[deeds.Deed] = []
        self._year: deque[picture.Flows] = deque(maxlen=QUARTERS_PER_YEAR)
        self._columns: list[dict[str, Any]] = []
        self._stance = deeds.stance(self.model)

    def branch(self) -> Race:
        """Another future from this moment on, with the same past and the same luck."""
        other = copy.copy(self)
        other.model = self.model.branch()
        other.deeds, other._columns = list(self.deeds), list(self._columns)
        other.series = {name: list(values) for name, values in self.series.items()}
        other._year, other._stance = copy.copy(self._year), copy.deepcopy(self._stance)
        return other

    def step(self) -> None:
        """Run one quarter and take down what the page shows of it."""
        model = self.model
        if not model.running:
            return
        quarter = model.quarter
        model.step()
        if model.quarter == quarter:  # Mesa's clock stops after a failure
            raise RuntimeError("it failed before and cannot go on")
        for name, measure in self.measures.items():
            self.series.setdefault(name, []).append(_finite(model.recorder.last(measure)[0]))
        for segment, gap in picture.segment_gaps(model).items():
            self.series.setdefault(f"technology_gap.{segment}", []).append(gap)
        self._year.append(picture.flows(model))
        self._columns.append(picture.columns(model))
        self.deeds += deeds.deeds_of_quarter(model, self._stance, self.done)

    def intervene(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Put events into the run, all or none of them. BadInput for what cannot be used.

        Of what is done again on the same date, only the last is kept: a lever that is moved often is one event.
        """
        scenario, added = self.model.scenarios[0], []
        for entry in entries:
            known = {id(event) for event in scenario.events}
            scenario = scenario.with_event(entry)
            added += [event for event in scenario.events if id(event) not in known]
        done = self.done
        for event in added:
            if event.quarter < self.model.quarter:
                raise BadInput(
                    f"date = {event.date}: is before {quarter_name(self.model.quarter)}, the next quarter to run"
                )
            done = _with_event(done, event)
        scenario = self._with(done)
        self.done = done
        self.model.scenarios, self.model.events = [scenario], list(scenario.events)

    def _with(self, done: Iterable[Event]) -> Scenario:
        """The scenario with what was done, in order of date as in a file."""
        events = sorted((*self.scenario.events, *done), key=lambda event: event.date)
        return replace(self.scenario, events=tuple(events))

    def levers(self) -> dict[str, Value]:
        """The value of every key in the next quarter to be run."""
        return values_at(self.model.scenarios[0], self.model.quarter)

    # -- what the page draws of this moment

    def chain(self) -> dict[str, Any] | None:
        return picture.chain(self.model, self._year) if self._year else None

    def history(self, id: str) -> dict[str, Any] | None:
        kind = picture.kind_of(self.model, id)
        return picture.history(self.model, kind, id, self._columns) if kind else None

    # -- what can be kept

    @property
    def name(self) -> str:
        """The config's name, or that of the file that `config` writes when something was changed."""
        after = self.model.scenarios[0]
        return self.opened.name if after.hash == self.opened.hash else f"{self.opened.name}-live-{after.hash[:8]}"

    def series_csv(self) -> str:
        """The quarters so far, as `series.csv` of `decoupling run` has them."""
        dates, values = self.model.recorder.values("quarter")
        keys = keys_of(Run(self.name, 1, {}, 0, self.seed))
        return line(series_columns([], HEADLINE)) + series_rows(keys, dates, values[0, :, : len(HEADLINE)])

    def config_toml(self) -> str:
        """The config with what was done, which replays in any folder: it extends what ships, or nothing."""
        purpose = f"{self.opened.name} with what was done on the live page"
        first = f"# decoupling run {self.name}.toml --seed {self.seed}\n\n"
        if not _ships(self.opened):
            return first + _complete(replace(self.model.scenarios[0], purpose=purpose))
        content: dict[str, Any] = {"purpose": purpose, "extends": self.opened.name}
        for key, value in self.scenario.values.items():
            if self.opened.values[key] != value:
                table, _, name = key.partition(".")
                content.setdefault(table, {})[name] = value
        content["event"] = [event.as_table() for event in self.done]
        return first + tomli_w.dumps(content)


def _with_event(done: tuple[Event, ...], event: Event) -> tuple[Event, ...]:
    """What was done with one event more, in the place of one that differs in its strength or its levers alone."""
    kept = []
    for old in done:
        if old.model_copy(update={"severity": event.severity, "set": event.set}) != event:
            kept.append(old)
        elif event.kind == "lever":
            event = event.model_copy(update={"set": {**(old.set or {}), **(event.set or {})}})
    return (*kept, event)


def _ships(opened: Scenario) -> bool:
    """Whether a config is one of the program's own, which is there wherever it is installed."""
    shipped = SHIPPED / CONFIGS / f"{opened.name}.toml"
    return shipped.exists() and Path(opened.file).resolve() == shipped.resolve()


def _complete(scenario: Scenario) -> str:
    """The text of a config that extends nothing; a world that does not ship is named by its folder."""
    content = tomli.loads(resolved(scenario))
    folder = Path(scenario.world.folder)
    if folder.is_dir() and SHIPPED not in folder.resolve().parents:
        content["world"] = str(folder.resolve())
    return tomli_w.dumps(content)


def _finite(number: float) -> float | None:
    return round(float(number), 6) if math.isfinite(number) else None
