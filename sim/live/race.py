"""One future of a run: a model, what was done to it on the page, and what the page shows of it quarter by quarter."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import tomli_w

from sim.batch.blocks import keys_of
from sim.calendar import QUARTERS_PER_YEAR, quarter_start
from sim.experiment.experiment import Run
from sim.live import deeds, picture
from sim.live.events import Entry
from sim.measures import HEADLINE, Measure, catalogue
from sim.model import DecouplingModel
from sim.results.records import line, series_columns, series_rows
from sim.scenario.events import Event
from sim.scenario.loading import known_configs
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value
from sim.world.world import World

LOOKS_BACK = "subsidy_per_point"  # over all quarters, so it is not shown as they pass


def shown_measures(world: World) -> dict[str, Measure]:
    """What the page draws: the headline, and shares, prices and unmet demand by segment."""
    known = catalogue(world)
    segments = world.segments
    names = ("domestic_supply_share", "price_index", "unmet_demand")
    by_segment = [f"{name}.{segment}" for name in names for segment in segments]
    return {name: known[name] for name in (*HEADLINE, *by_segment) if name != LOOKS_BACK}


class Race:
    """A run that goes quarter by quarter and can be stepped into.

    `opened` is the config as the link names it, `scenario` the same with the levers that the link sets from the start.
    """

    def __init__(self, opened: Scenario, scenario: Scenario, seed: int) -> None:
        self.opened, self.scenario, self.seed = opened, scenario, seed
        self.measures = shown_measures(scenario.world)
        extra = [name for name in self.measures if name not in HEADLINE]
        self.model = DecouplingModel(scenario, seed, record=[*HEADLINE, *extra])
        self.done: list[Event] = []
        self.series: dict[str, list[float | None]] = {}
        self.deeds: list[deeds.Deed] = []
        self._year: deque[picture.Flows] = deque(maxlen=QUARTERS_PER_YEAR)
        self._columns: list[dict[str, Any]] = []
        self._stance = deeds.stance(self.model)

    def branch(self) -> Race:
        """Another future from this moment on, with the same past and the same luck."""
        other = copy.copy(self)
        other.model = self.model.branch()
        other.done, other.deeds, other._columns = list(self.done), list(self.deeds), list(self._columns)
        other.series = {name: list(values) for name, values in self.series.items()}
        other._year, other._stance = copy.copy(self._year), copy.deepcopy(self._stance)
        return other

    def back_to(self, quarter: int) -> Race:
        """The same race at an earlier quarter, without what was done on the page later."""
        earlier = Race(self.opened, self.scenario, self.seed)
        for event in self.done:
            if (event.announced or event.date) < quarter_start(quarter):
                earlier.intervene([event.as_table()])
        while earlier.model.quarter < quarter:
            earlier.step()
        return earlier

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
        """Put events into the run, all or none of them. BadInput for what cannot be used."""
        entries = list(entries)
        scenario = self.model.scenarios[0]
        for entry in entries:  # one that cannot be used is found before any acts
            scenario = scenario.with_event(entry)
        for entry in entries:
            known = {id(event) for event in self.model.scenarios[0].events}
            self.model.intervene(entry)
            self.done += [event for event in self.model.scenarios[0].events if id(event) not in known]

    def levers(self) -> dict[str, Value]:
        """The value of every key in the next quarter to be run."""
        held = dict(self.scenario.values)
        for event in self.model.events:
            if event.quarter <= self.model.quarter:
                held.update(event.levers())
        return held

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
        """What was changed, as a config that `decoupling run` replays."""
        known = self.opened.name in known_configs()
        content: dict[str, Any] = {
            "purpose": f"{self.opened.name} with what was done on the live page",
            "extends": self.opened.name if known else self.opened.file,
        }
        for key, value in self.changes().items():
            table, _, name = key.partition(".")
            content.setdefault(table, {})[name] = value
        content["event"] = self.entries()
        return f"# decoupling run {self.name}.toml --seed {self.seed}\n\n" + tomli_w.dumps(content)

    def entries(self) -> list[Entry]:
        """What was done on the page, as tables of the event grammar."""
        return [event.as_table() for event in self.done]

    def changes(self) -> dict[str, Value]:
        """The levers that the link sets from the start on."""
        return {key: value for key, value in self.scenario.values.items() if self.opened.values[key] != value}


def _finite(number: float) -> float | None:
    return round(float(number), 6) if math.isfinite(number) else None
