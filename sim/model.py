"""The Mesa model: one run, or a block of many runs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from sim.accounts import Ledger
from sim.agents import ChipFirm, State, Supplier
from sim.agents.chip_firm import LONGEST_BUILD
from sim.arrays import Array
from sim.calendar import FIRST_YEAR, LAST_YEAR, QUARTERS_PER_YEAR, quarter_name, quarters_until
from sim.engine.columns import ColumnAgent, Queue, Table, categories
from sim.engine.groups import Groups, total
from sim.engine.parameters import Parameters
from sim.errors import BadInput
from sim.markets import ChipMarket, InputMarket
from sim.markets.denial import Severity
from sim.policy.controls import ExportControls
from sim.recorder import Recorder
from sim.scenario.scenario import Scenario, load_config
from sim.schedule import PHASES
from sim.start.base_year import BaseYear, base_year
from sim.start.roster import Roster

if TYPE_CHECKING:
    import pandas

OUTAGE_QUARTERS = 4


class DecouplingModel(mesa.Model):
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
        config: str | Path | Scenario = "historic",
        rng: int = 1,
        set: Mapping[str, object] | None = None,
        *,
        record: str | Sequence[str] = "headline",
        until: int = LAST_YEAR,
        one_by_one: bool = False,
    ) -> None:
        if not isinstance(record, str | Sequence) or not all(isinstance(name, str) for name in record):
            raise BadInput(f'record = {record!r}: must be "headline", "all" or a list of names')
        if not isinstance(config, str | Path | Scenario):
            raise BadInput(f"config = {config!r}: must be the name of a config, a path or a Scenario")
        if set is not None and not isinstance(set, Mapping):
            raise BadInput(f'set = {set!r}: must be a mapping, such as {{"subsidy.annual": 200}}')
        scenario = config.with_values(set or {}) if isinstance(config, Scenario) else load_config(config, set)
        super().__init__(rng=_seed(rng))
        self._set_up([scenario], [rng], record, until)
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
        model = cls.__new__(_Block)
        mesa.Model.__init__(model, rng=0)
        model._set_up(scenarios, seeds, record, until)
        model._one_by_one = False
        return model

    def _set_up(
        self, scenarios: Sequence[Scenario], seeds: Sequence[int], record: str | Sequence[str], until: int
    ) -> None:
        if isinstance(until, bool) or not isinstance(until, int | np.integer) or not FIRST_YEAR <= until <= LAST_YEAR:
            raise BadInput(f"until = {until!r}: must be a year from {FIRST_YEAR} to {LAST_YEAR}")
        first = scenarios[0]
        if any(scenario.frame != first.frame for scenario in scenarios):
            raise BadInput("scenarios: the runs of a block must share world, events and mechanisms.entry")
        self.scenarios = list(scenarios)
        self.quarter = 0
        self.horizon = quarters_until(int(until))
        self.events = list(first.events)
        self.world = first.world
        self.roster = Roster(self.world, bool(first.values["mechanisms.entry"]))
        self.parameters = Parameters(scenarios)
        self.seeds = np.array([_seed(seed) for seed in seeds], dtype=np.uint64)
        base = base_year(self.roster, self.parameters)
        self._make_tables(base)
        self.controls = ExportControls(self.roster, self.seeds)
        self.chip_market = ChipMarket(self.roster, base, self.seeds)
        self.input_market = InputMarket(self.roster, base, self.parameters, self.seeds)
        self._weigh_supplies(base)
        self.recorder = Recorder(self.world, record)

    # -- starting state

    def _make_agents(self) -> None:
        for kind, table in self._tables.items():
            for index in range(len(table.ids)):
                kind(self, table, index)

    def _adopt(self, tables: dict[type[ColumnAgent], Table]) -> None:
        """Link the tables and look at them: `states`, `chip_firms` and `suppliers` are everybody of a kind."""
        tables[ChipFirm].links = {"headquarters": tables[State], "site": tables[State]}
        tables[Supplier].links = {"headquarters": tables[State]}
        self._tables = tables
        self.states = State.view(tables[State])
        self.chip_firms = ChipFirm.view(tables[ChipFirm])
        self.suppliers = Supplier.view(tables[Supplier])

    def _make_tables(self, base: BaseYear) -> None:
        roster = self.roster
        kinds: tuple[tuple[type[ColumnAgent], list[str]], ...] = (
            (State, roster.states),
            (ChipFirm, roster.chip_firms),
            (Supplier, roster.suppliers),
        )
        tables = {kind: Table(ids, self.seeds, self.parameters) for kind, ids in kinds}
        tables[State].names = self.world.column("states", "name")
        tables[ChipFirm].names = [row["name"] for row in roster.firm_rows]
        tables[Supplier].names = [row["name"] for row in roster.supplier_rows]
        tables[State].categories = {"role": categories("Role", ["target", "lead", "ally", "neutral"])}
        tables[ChipFirm].categories = {"segment": categories("Segment", roster.segments)}
        tables[Supplier].categories = {"input": categories("Input", roster.inputs)}
        self._adopt(tables)
        for view, table in (
            (self.states, tables[State]),
            (self.chip_firms, tables[ChipFirm]),
            (self.suppliers, tables[Supplier]),
        ):
            for name, column in type(view).columns().items():
                if not column.fixed:
                    empty = np.zeros((len(self.seeds), len(table.ids)))
                    setattr(view, name, [empty] * column.length if isinstance(column, Queue) else empty)
        self._start_states(base)
        self._start_chip_firms(base)
        self._start_suppliers(base)

    def _start_states(self, base: BaseYear) -> None:
        roles = [member.value for member in self._tables[State].categories["role"]]
        self.states.role = np.array([roles.index(role) for role in self.roster.roles])
        self.states.is_target = np.array([float(role == "target") for role in self.roster.roles])
        self.states.is_lead = np.array([float(role == "lead") for role in self.roster.roles])
        made = Groups(self.roster.firm_site, len(self.roster.states)).sum(base.output) * self.roster.is_controller
        self.states.controller_part = made / total(made)
        self.states.trained = self.states.engineers = np.ones_like(made)
        self.states.domestic_share = np.broadcast_to(self.parameters["base.domestic_supply_share"], made.shape)

    def _start_chip_firms(self, base: BaseYear) -> None:
        """The base year is the mean of four quarters: firms that grow start below it, so that the mean meets it."""
        firms, roster, p = self.chip_firms, self.roster, self.parameters
        firms.headquarters, firms.site, firms.segment = (
            roster.firm_headquarters,
            roster.firm_site,
            roster.firm_segment,
        )
        years = np.array(self.world.column("segments", "build_time"))[roster.firm_segment]
        build = np.clip(np.round(years * QUARTERS_PER_YEAR), 1, LONGEST_BUILD)
        firms.build_quarters = build
        firms.has_programme = roster.target_owned.astype(np.float64)
        firms.is_entrant = roster.is_entrant.astype(np.float64)
        in_place = 1.0 - firms.is_entrant
        firms.base_output = base.output
        firms.output = firms.orders = firms.revenue = base.output * in_place
        firms.base_capacity = base.output / p["investment.normal_utilisation"]
        firms.capital_per_capacity = base.capital / firms.base_capacity
        firms.programme_investment = base.programme_investment
        firms.base_investment = base.private_investment + base.programme_investment
        firms.private_investment, firms.investment = base.private_investment, firms.base_investment
        begun = firms.base_investment / firms.capital_per_capacity
        firms.pipeline = [np.where(build - 1 > ahead, begun, 0.0) for ahead in range(LONGEST_BUILD)]
        gained = begun - p["investment.depreciation"] / QUARTERS_PER_YEAR * firms.base_capacity
        firms.capacity = (firms.base_capacity - 1.5 * gained) * in_place
        firms.material_cover = firms.return_on_lines = firms.line_completeness = np.ones_like(base.output)
        firms.design_access = firms.unit_cost = firms.frontier_speed = np.ones_like(base.output)
        firms.lag = firms.base_lag = np.array([row["lag"] for row in roster.firm_rows])
        usual = base.output * QUARTERS_PER_YEAR * p["learning.past_years"]
        firms.experience = usual * in_place
        others = roster.by_segment.spread(roster.by_segment.sum(firms.experience)) - firms.experience
        firms.base_experience = usual + p["learning.spillover"] * others
        firms.experience_of_others = others

    def _start_suppliers(self, base: BaseYear) -> None:
        suppliers, roster, p = self.suppliers, self.roster, self.parameters
        suppliers.headquarters, suppliers.input = roster.supplier_state, roster.supplier_input
        intensity = np.array(self.world.column("inputs", "research_intensity"))
        suppliers.research_intensity = intensity[roster.supplier_input]
        suppliers.has_programme = roster.target_supplier.astype(np.float64)
        suppliers.base_revenue = suppliers.revenue = base.supplier_revenue
        first = p["research.entry_share"]
        suppliers.may_enter = (roster.target_supplier & ~roster.sells).astype(np.float64)
        suppliers.base_gap = suppliers.gap = np.where(
            suppliers.may_enter > 0, np.log((1.0 - first) / first), base.supplier_gap
        )
        suppliers.quality = suppliers.unit_cost = suppliers.world_growth = np.ones_like(base.supplier_revenue)
        suppliers.ease = _ease(roster, p, intensity)
        suppliers.experience = base.supplier_revenue * QUARTERS_PER_YEAR * p["learning.past_years"]
        others = roster.by_input.spread(roster.by_input.sum(suppliers.experience)) - suppliers.experience
        suppliers.base_experience = suppliers.experience + p["learning.spillover"] * others
        suppliers.experience_of_others = others

    def _weigh_supplies(self, base: BaseYear) -> None:
        """What each state sold to the target in the base year, by item, as parts of its whole: (runs, states, items);
        experts have no price and no part.

        `_reach_above` counts of it what lies above technical thresholds. They weigh an announced severity.
        """
        roster = self.roster
        items = len(roster.inputs) + len(roster.segments)
        sold = np.zeros((len(self.seeds), len(roster.states), items))
        above = np.zeros_like(sold)
        needs = roster.by_input.spread(base.input_need) * base.input_share
        exposure = self.input_market.exposure
        suppliers: Any = (slice(None), roster.supplier_state, roster.supplier_input)
        for group in np.flatnonzero(roster.group_at_home):
            np.add.at(sold, suppliers, needs[:, group])
            np.add.at(above, suppliers, needs[:, group] * exposure[group])
        firms: Any = (slice(None), roster.firm_headquarters, len(roster.inputs) + roster.firm_segment)
        chips = roster.by_segment.spread(base.demand[:, roster.target]) * base.chip_share[:, roster.target]
        foreign = np.where(roster.at_home, 0.0, chips)
        np.add.at(sold, firms, foreign)
        np.add.at(above, firms, foreign * self.chip_market.exposure[roster.firm_segment])
        whole = sold.sum(axis=-1, keepdims=True)
        self._sold_by_state = whole[..., 0] / total(whole[..., 0])
        whole = np.where(whole > 0, whole, 1.0)
        self._reach_all, self._reach_above = sold / whole, above / whole

    # -- what the phases ask of the model

    def everybody(self, who: str, act: str) -> None:
        """Let every agent of a kind act by a rule: all at once, or one by one through Mesa."""
        view = getattr(self, who)
        if self._one_by_one:
            self.agents_by_type[type(view)].do(act)
        else:
            getattr(view, act)()

    def announced_by_value(self, announced: Severity) -> Array:
        """Each state's announced severity over its base sales to the target, (runs, states)."""
        above, everything = (
            announced.above_threshold[..., :-1],
            announced.of_everything[..., :-1],
        )  # experts have no price
        denied = np.maximum(above * self._reach_above, everything * self._reach_all)
        return denied.sum(axis=-1)

    def denied_materials(self, dated: Array) -> Array:
        """What the target denies each state of the materials it dominates, (runs, states, inputs).

        `dated` (runs, states, inputs) comes from events; what its answer to controls adds is for whoever controls.
        """
        answer = self.states.retaliation[:, [self.roster.target]] * (self.states.harshest_now > 0)
        return np.maximum(dated, answer[..., None] * self.roster.is_dominated)

    def take_note_of_the_share(self) -> None:
        """Planners see the domestic supply share of about the last year; and how exposed supplies from abroad are."""
        chips, roster, states = self.chip_market, self.roster, self.states
        bought = chips.sales[:, roster.target] * np.take(chips.paid, roster.firm_segment, axis=-1)
        share = total(bought * roster.at_home) / total(bought)
        seen = states.domestic_share + (share - states.domestic_share) / QUARTERS_PER_YEAR
        states.domestic_share = np.broadcast_to(seen, states.domestic_share.shape)
        states.exposure = np.broadcast_to(total(states.expected_cutoff * self._sold_by_state), states.exposure.shape)

    def lost_capacity(self) -> Array:
        """The part of each firm's capacity that outages take this quarter, (agents,)."""
        lost = np.zeros(len(self.roster.chip_firms))
        for event in self.events:
            if event.kind == "outage" and event.quarter <= self.quarter < event.quarter + OUTAGE_QUARTERS:
                lost = np.where(
                    np.isin(self.roster.chip_firms, event.scope), np.maximum(lost, event.severity or 0.0), lost
                )
        return lost

    # -- running

    def step(self) -> None:
        """One quarter: its phases, then the accounts, then the record. Nothing happens after the last quarter."""
        if not self.running:
            return
        for table in self._tables.values():
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

    def branch(self) -> DecouplingModel:
        """A second future from this moment: a model in the same state with the same luck ahead.

        Neither future moves the other. Columns are values, so a branch costs copies of dictionaries.
        """
        twin = type(self).__new__(type(self))
        mesa.Model.__init__(twin, rng=int(self.seeds[0]))
        twin.horizon = self.horizon
        twin.running = False  # Mesa's clock is brought to this quarter while steps do nothing
        for _ in range(self.quarter):
            twin.step()
        for name, value in vars(self).items():
            if name not in vars(twin):
                setattr(twin, name, value)
        twin.running = self.running
        twin.scenarios, twin.events = list(self.scenarios), list(self.events)
        twin.parameters, twin.chip_market, twin.input_market = (
            copy(self.parameters),
            copy(self.chip_market),
            copy(self.input_market),
        )
        twin.controls, twin.recorder = self.controls.copy(), self.recorder.copy()
        twin._adopt({kind: table.copy(twin.parameters) for kind, table in self._tables.items()})
        if any(table.agents for table in self._tables.values()):
            twin._make_agents()
        return twin

    def __reduce_ex__(self, protocol: object) -> Any:
        raise BadInput("a model cannot be pickled; send its scenario and seed, or take model.branch() here")

    def __deepcopy__(self, memo: dict[int, Any]) -> DecouplingModel:
        return self.branch()

    def intervene(self, event: Mapping[str, Any]) -> None:
        """Add an event, given as the table of an [[event]]; it acts from the next quarter to be run on."""
        if not isinstance(event, Mapping):
            raise BadInput(f"event = {event!r}: must be a table of an event, with date, by and kind")
        scenarios = [each.with_event(event) for each in self.scenarios]
        known = self.scenarios[0].events
        added = next(each for each in scenarios[0].events if not any(each is old for old in known))
        if added.quarter < self.quarter:
            raise BadInput(
                f"event: date = {added.date}: lies before {quarter_name(self.quarter)}, the next quarter to run"
            )
        self.scenarios, self.events = scenarios, list(scenarios[0].events)


class _Block(DecouplingModel):
    """Many runs at once. Mesa's tools for single agents do not work here and say so."""

    @property
    def agents(self) -> Any:
        raise AttributeError(
            "a block of many runs has no single agents; make a DecouplingModel of one run for Mesa's tools"
        )

    @property
    def agents_by_type(self) -> Any:
        return self.agents


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 63:
        raise BadInput(f"rng = {seed!r}: must be the run's seed, a whole number from 0 and below 2**63")
    return int(seed)


def _ease(roster: Roster, p: Parameters, intensity: Array) -> Array:
    """How fast an input can be caught up in, (runs, suppliers), 1 at the mean input, from what was known in 2019.

    Slower where few others master it (Herfindahl index of the other states' shares), where research is heavy, and
    where a tool is dear and so complex. What is no tool counts as a tool of mean price.
    """
    shares = np.where(roster.target_supplier, 0.0, [row["share"] for row in roster.supplier_rows])
    by_input = Groups(roster.supplier_input, len(roster.inputs))
    others = by_input.sum(shares)
    concentration = by_input.sum(np.square(shares)) / np.square(np.where(others > 0, others, 1.0))
    prices = np.array([row["tool_price"] or np.nan for row in roster.world.rows["inputs"]])
    priced = ~np.isnan(prices)
    log_price = np.log(np.where(priced, prices, 1.0))
    dearness = np.where(priced, log_price - log_price.sum() / max(1, priced.sum()), 0.0)
    log_speed = (
        -p["research.concentration_weight"] * (concentration - concentration.mean())
        - p["research.intensity_weight"] * (intensity - intensity.mean())
        - p["research.price_weight"] * dearness
    )
    return roster.by_input.spread(np.exp(log_speed))
