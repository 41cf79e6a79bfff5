"""The Mesa model: one run, or a block of many runs at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import mesa
import numpy as np

from sim.accounts import Ledger
from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name, quarters_until
from sim.engine.columns import ColumnAgent
from sim.engine.parameters import Parameters
from sim.engine.runs import Pick
from sim.engine.streams import Luck
from sim.errors import BadInput
from sim.markets import ChipMarket, InputMarket
from sim.policy.controls import ExportControls
from sim.recorder import Recorder
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.schedule import PHASES
from sim.start.base_year import base_year
from sim.start.roster import Roster
from sim.start.state import base_supplies, everybody_in, starting_tables

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class _Runs:
    """What a model runs: a scenario and a seed for each run."""

    scenarios: Sequence[Scenario]
    seeds: Sequence[int]


class DecouplingModel(mesa.Model[ColumnAgent, Any]):
    """States, chip firms and suppliers over quarters from 2020-Q1 on.

    config: the name of a config, a path, or a Scenario.
    rng: the seed, a whole number from 0; the same seed draws the same luck under every policy.
    set: changes by key, for example {"controls.severity": 0.6}.
    record: "headline", "all" or names of measures. until: the last year, included.
    one_by_one: call rules agent by agent through Mesa's AgentSet.do; a hundred times slower, the same bits.

    Raises BadInput for a config or key that cannot be used.
    """

    running: bool

    def __init__(
        self,
        config: str | Path | Scenario | _Runs = "historic",
        rng: int = 1,
        set: Mapping[str, object] | None = None,
        *,
        record: str | Sequence[str] = "headline",
        until: int = LAST_YEAR,
        one_by_one: bool = False,
    ) -> None:
        runs = config if isinstance(config, _Runs) else _one_run(config, rng, set)
        if not isinstance(record, str | Sequence) or not all(isinstance(name, str) for name in record):
            raise BadInput(f'record = {record!r}: must be "headline", "all" or a list of names')
        if isinstance(until, bool) or not isinstance(until, int | np.integer) or not FIRST_YEAR <= until <= LAST_YEAR:
            raise BadInput(f"until = {until!r}: must be a year from {FIRST_YEAR} to {LAST_YEAR}")
        first = runs.scenarios[0]
        super().__init__(rng=runs.seeds[0])
        self.scenarios = list(runs.scenarios)
        self.seeds = np.array(runs.seeds, dtype=np.uint64)
        self.luck = Luck(self.seeds)
        self.quarter = 0
        self.horizon = quarters_until(int(until))
        self.events = list(first.events)
        self.world = first.world
        self.roster = Roster(self.world, bool(first.values["mechanisms.entry"]))
        self.parameters = Parameters(runs.scenarios)
        base = base_year(self.roster, self.parameters)
        self.tables = starting_tables(self.roster, base, self.parameters, self.luck)
        self.states, self.chip_firms, self.suppliers = everybody_in(self.tables)
        self.controls = ExportControls(self.roster, base_supplies(self.roster, base), self.luck)
        self.chip_market = ChipMarket(self.roster, base, self.luck)
        self.input_market = InputMarket(self.roster, base, self.parameters, self.luck)
        self.recorder = Recorder(self.world, record)
        self._one_by_one = one_by_one
        self._make_agents()

    @classmethod
    def block(
        cls,
        scenarios: Sequence[Scenario],
        seeds: Sequence[int],
        *,
        record: str | Sequence[str] = "headline",
        until: int = LAST_YEAR,
    ) -> DecouplingModel:
        """Many runs at once, one for each scenario and seed; all with the same `Scenario.frame`.

        A block has no single agents: Mesa's AgentSet and DataCollector work on a model of one run.
        """
        if not all(isinstance(scenario, Scenario) for scenario in scenarios):
            raise BadInput("scenarios: each must be a Scenario, such as load_config gives")
        if not scenarios or len(scenarios) != len(seeds):
            raise BadInput(
                f"scenarios, seeds: {len(scenarios)} and {len(seeds)} of them; a block needs one seed for each scenario"
            )
        if any(scenario.frame != scenarios[0].frame for scenario in scenarios):
            raise BadInput("scenarios: the runs of a block must share world, events and mechanisms.entry")
        return _Block(_Runs(scenarios, [_seed(seed) for seed in seeds]), record=record, until=until)

    def _make_agents(self) -> None:
        for kind, table in self.tables.items():
            for index in range(len(table.ids)):
                kind(self, table, index)

    def everybody[Kind: ColumnAgent](self, agents: Kind, act: Callable[[Kind], None]) -> None:
        """Let all agents of a kind act by one of their rules: all at once, or one by one through Mesa."""
        if self._one_by_one:
            self.agents_by_type[type(agents)].do(act)
        else:
            act(agents)

    def step(self) -> None:
        """One quarter: its phases, then the accounts, then the record. Nothing happens after the last quarter."""
        if not self.running:
            return
        for table in self.tables.values():
            table.quarter = self.quarter
        ledger = Ledger(self)
        for phase in PHASES:
            phase(self)
        ledger.close(self, quarter_name(self.quarter))
        self.recorder.record(self)
        self.quarter += 1
        if self.quarter == self.horizon:
            self.running = False

    def _advance_time(self, until: float) -> None:
        """Mesa's clock, which step, run_for and run_until move, stops with the last quarter."""
        if self.time < self.horizon:
            super()._advance_time(min(until, self.horizon))

    def run(self) -> pandas.DataFrame:
        """Run to the end of the horizon; the quarterly record of the run."""
        while self.running:
            self.step()
        return self.series("quarter")

    def series(self, every: str = "quarter") -> pandas.DataFrame:
        """The record so far, one row per run and period; `every` is "quarter", "year" or "end"."""
        import pandas

        dates, values = self.recorder.values(every)
        frames = [
            pandas.DataFrame(values[run], columns=self.recorder.names, index=pandas.Index(dates, name="date"))
            for run in range(len(self.seeds))
        ]
        if len(frames) == 1:
            return frames[0]
        return pandas.concat(dict(enumerate(frames)), names=["run"])

    def branch(
        self, scenarios: Sequence[Scenario] | None = None, columns: Sequence[int] | None = None
    ) -> DecouplingModel:
        """A second future from this moment: a model in the same state with the same luck ahead.

        columns: the runs of this model that go on, each as often as it is named; all of them if left out.
        scenarios: what they run from now on, which must have been the same until now (`Event.first_quarter`).

        Neither future moves the other. Columns are values, so a branch of all runs costs copies of dictionaries.
        """
        pick = Pick(None if columns is None else np.asarray(columns))
        scenarios = pick.each(self.scenarios) if scenarios is None else list(scenarios)
        kind = type(self) if columns is None else _Block
        twin = kind.__new__(kind)
        seeds = pick.rows(self.seeds)
        mesa.Model.__init__(twin, rng=int(seeds[0]))
        twin.seeds, twin.horizon = seeds, self.horizon
        twin.running = False  # Mesa's clock is brought to this quarter while steps do nothing
        for _ in range(self.quarter):
            twin.step()
        twin.running = self.running
        twin.scenarios, twin.events = scenarios, list(scenarios[0].events)
        twin.tables = {kind: pick(table) for kind, table in self.tables.items()}
        twin.states, twin.chip_firms, twin.suppliers = everybody_in(twin.tables)
        for name, held in vars(self).items():
            if name not in vars(twin):
                setattr(twin, name, pick(held))
        twin._make_agents()
        return twin

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise BadInput("a model cannot be pickled; send its scenario and seed, or take model.branch() here")

    def __deepcopy__(self, memo: dict[int, object]) -> DecouplingModel:
        return self.branch()

    def intervene(self, event: Mapping[str, object]) -> None:
        """Add an event, given as the table of an [[event]]; it acts from the next quarter to be run on."""
        if not isinstance(event, Mapping):
            raise BadInput(f"event = {event!r}: must be a table of an event, with date, by and kind")
        scenarios = [each.with_event(event) for each in self.scenarios]
        known = self.scenarios[0].events
        added = next(each for each in scenarios[0].events if not any(each is old for old in known))
        if added.quarter < self.quarter:
            raise BadInput(
                f"event: date = {added.date}: is before {quarter_name(self.quarter)}, the next quarter to run"
            )
        self.scenarios, self.events = scenarios, list(scenarios[0].events)


_NO_SINGLE_AGENTS = "a block of many runs has no single agents; make a DecouplingModel of one run for Mesa's tools"


class _Block(DecouplingModel):
    """Many runs at once. Mesa's tools for single agents do not work here and say so."""

    def _make_agents(self) -> None:
        """None: a single agent of many runs would hold arrays."""

    @property  # type: ignore[misc]
    def agents(self) -> NoReturn:  # type: ignore[override]
        raise AttributeError(_NO_SINGLE_AGENTS)

    @property
    def agents_by_type(self) -> NoReturn:
        raise AttributeError(_NO_SINGLE_AGENTS)


def _one_run(config: str | Path | Scenario, rng: int, set: Mapping[str, object] | None) -> _Runs:
    if not isinstance(config, str | Path | Scenario):
        raise BadInput(f"config = {config!r}: must be the name of a config, a path or a Scenario")
    if set is not None and not isinstance(set, Mapping):
        raise BadInput(f'set = {set!r}: must be a mapping, such as {{"subsidy.annual": 200}}')
    scenario = config.with_values(set or {}) if isinstance(config, Scenario) else load_config(config, set)
    return _Runs([scenario], [_seed(rng)])


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 63:
        raise BadInput(f"rng = {seed!r}: must be the run's seed, a whole number from 0 and below 2**63")
    return int(seed)
