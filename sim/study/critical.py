"""Who is critical: each firm, each state's suppliers of an input and each state is taken away in turn.

Each removal is an outage of all of its makers in runs that are paired with runs without it: the same parameter sets,
seeds and past. Beside what it costs stand the score of the chain review and an index of power.

The index is the loss of welfare that a buyer with constant elasticity of substitution bears when sellers with a share w
of an item disappear. Its price index rises by the factor (1 - w) ** (-1 / (elasticity - 1)) (Feenstra 1994, *American
Economic Review* 84(1)), so to the first order it loses

    spending x ln(1 / (1 - w)) / (elasticity - 1)

which is the sense in which power grows out of proportion as a state comes to control all of an input (Clayton, Maggiori
and Schreger 2025, *A Theory of Economic Coercion and Fragmentation*, NBER w33309). It is summed over the
items that the makers sell, with elasticity - 1 taken as one: that scales all alike and moves no rank.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Array, Flags
from sim.batch.blocks import BLOCK_SIZE
from sim.batch.pasts import Future, run_all
from sim.calendar import FIRST_YEAR, LAST_YEAR, QUARTERS_PER_YEAR, year_of
from sim.compare.intervals import student
from sim.compare.words import counted
from sim.engine.groups import ratio, total
from sim.errors import BadInput
from sim.experiment.cost import duration
from sim.experiment.ensemble import evenly, parameter_sets
from sim.model import DecouplingModel
from sim.policy.review import review_inputs, review_segments
from sim.results.files import write_aside
from sim.scenario.makers import meant
from sim.scenario.scenario import Scenario
from sim.scenario.values import WORLD_SALES
from sim.study.files import csv_text, open_folder
from sim.study.plot.figure import draw
from sim.study.plot.picture import Panel, Picture
from sim.study.plot.picture import row as drawn_row
from sim.world.evidence import Value
from sim.world.world import World

YEAR = 2027  # every dated control of `historic` is in force, and nothing of the world's sales is given
YEARS = 3  # lines that are not built are missed after a year
SETS, SEEDS = 16, 2
A_QUARTER, A_MAKER = 2.5e-3, 1.2e-6  # seconds of one processor: a quarter of a block, and each maker of each run in it
ALL_BUT_ALL = 0.999  # of an item's sales; who sells more counts as this, since the index has no end
MEASURES = ("chip_production_located_real", "home_sales", "chip_market", "unmet_demand", "buyer_cost")
DRAWN = 20  # rows in the figure
COLUMNS = {
    "rank": "by what buyers lose, 1 is the most",
    "kind": "firm (all lines of a company), supplier (a state's suppliers of an input) or state (all that is "
    "headquartered there)",
    "who": "in words",
    "buyers_lose": "bn yuan a year that the target's buyers pay more or can no longer spend: more_unmet + more_paid",
    "low": "5 % of the parameter sets; of one set, the lower end of the 95 % interval over its seeds",
    "high": "95 % of the parameter sets, or the upper end",
    "more_unmet": "bn yuan a year of demand in the target that is unmet beyond what is without the removal",
    "more_paid": "bn yuan a year that its buyers pay more than at the prices of 2020, beyond the same",
    "output_lost": "bn yuan a year at 2020 prices of chips made in the target by anybody",
    "share_lost": "0 to 1, of the domestic supply share; below zero where it rises, as imports fail",
    "score": "of the chain review when it begins: of the input; of a firm, the highest of its segments",
    "power": "bn yuan a year: spending on the item x ln(1 / (1 - share of it)), summed over items",
    "sum_of_parts": "of a state: buyers_lose of its firms and suppliers, each away alone",
    "scope": "the makers, as the scope of an outage names them",
}
MEASURED = ("buyers_lose", "more_unmet", "more_paid", "output_lost", "share_lost")
LESS_IS_LOST = np.array([1.0, 1.0, 1.0, -1.0, -1.0])  # of output and share what is missing, of the others what is more
ENDS = ("low", "high")
FULL = [  # with the ends of every interval
    *(name for name in COLUMNS if name not in ENDS),
    *(f"{name}_{end}" for name in MEASURED for end in ENDS),
]


@dataclass(frozen=True)
class Removal:
    """Makers that are taken away together: `scope` as an outage names them, `seat` the state of their headquarters."""

    kind: str
    who: str
    scope: tuple[str, ...]
    seat: str


@dataclass(frozen=True)
class Critical:
    """One removal and what it costs: the fields are `COLUMNS`, `ends` has the interval of each of `MEASURED`."""

    rank: int
    kind: str
    who: str
    buyers_lose: float
    more_unmet: float
    more_paid: float
    output_lost: float
    share_lost: float
    score: float | None
    power: float
    sum_of_parts: float | None
    scope: str
    ends: Mapping[str, tuple[float | None, float | None]]

    @property
    def low(self) -> float | None:
        return self.ends["buyers_lose"][0]

    @property
    def high(self) -> float | None:
        return self.ends["buyers_lose"][1]

    def cells(self, names: Iterable[str]) -> list[Any]:
        """Its cells of `COLUMNS` or `FULL`."""
        ends = {f"{name}_{end}": held for name, both in self.ends.items() for end, held in zip(ENDS, both, strict=True)}
        return [ends[name] if name in ends else getattr(self, name) for name in names]


@dataclass(frozen=True)
class Study:
    """What was asked, and the rows, most critical first."""

    scenario: Scenario
    year: int
    years: int
    sets: int
    seeds: int
    rows: Sequence[Critical]

    def of_kind(self, kind: str) -> list[Critical]:
        return [row for row in self.rows if row.kind == kind]

    def notes(self) -> list[str]:
        """What a reader of the table should know."""
        return [self._design(), *self._most(), *agreements(self), *self._joint(), *self._given()]

    @property
    def span(self) -> str:
        last = self.year + self.years - 1
        return f"in {self.year}" if self.years == 1 else f"from {self.year} to {last}"

    @property
    def runs(self) -> str:
        return f"{counted(self.sets, 'parameter set')} with {counted(self.seeds, 'seed')} each"

    @property
    def of(self) -> str:
        """What the intervals are over."""
        return (
            f"5 to 95 % of {self.sets} parameter sets"
            if self.sets > 1
            else f"95 % interval over {counted(self.seeds, 'seed')}"
        )

    def _design(self) -> str:
        return (
            f"Each is away {self.span} for every buyer in the world, and what is lost is the mean of those years, in "
            f"pairs of runs: {self.runs}. low to high: {self.of}."
        )

    def _most(self) -> list[str]:
        named = (("firm", "Firms"), ("supplier", "Suppliers"))
        return [
            f"{word} whose loss costs buyers most: "
            + "; ".join(f"{row.who} ({_short(row.buyers_lose)})" for row in self.of_kind(kind)[:3])
            + "; bn yuan a year."
            for kind, word in named
            if self.of_kind(kind)
        ]

    def _joint(self) -> list[str]:
        states = [row for row in self.of_kind("state") if row.sum_of_parts]
        if not states:
            return []
        told = "; ".join(
            f"{row.who} {_short(row.buyers_lose)} and {_short(row.sum_of_parts or 0.0)}" for row in states[:3]
        )
        return [f"A whole state away, and the sum of its makers away one by one, bn yuan a year: {told}."]

    def _given(self) -> list[str]:
        away = range(max(self.year, FIRST_YEAR + 1), self.year + self.years)
        given = [year for year in self.scenario.observed(WORLD_SALES) if int(year) in away]
        if not given or not self.scenario.values["mechanisms.growth"]:
            return []
        return [
            f"The world's sales of {', '.join(given)} are given in {self.scenario.name}, so they are the same whoever "
            "is away: what is lost is understated; a later --year tells more."
        ]


@dataclass(frozen=True)
class Plan:
    """What is to be run: every removal from the start of `year` on, in each of `sets` with the seeds 1 to `seeds`."""

    scenario: Scenario
    year: int
    years: int
    sets: Sequence[Mapping[str, Value]]
    seeds: int
    removals: Sequence[Removal]

    @property
    def pairs(self) -> int:
        return len(self.sets) * self.seeds

    @property
    def runs(self) -> int:
        """How many runs go on from `year`, those without a removal left out."""
        return len(self.removals) * self.pairs

    @property
    def cost(self) -> str:
        """What it takes, in a sentence."""
        rows = self.scenario.world.rows
        makers = len(rows["chip_firms"]) + len(rows["suppliers"])
        blocks = math.ceil(self.pairs / BLOCK_SIZE) * len(self.removals)
        seconds = self.years * QUARTERS_PER_YEAR * (A_QUARTER * blocks + A_MAKER * makers * self.runs)
        return (
            f"{self.scenario.name}: {len(self.removals)} taken away in turn in {counted(self.pairs, 'run')} each, "
            f"about {duration(seconds)} on one processor"
        )


def planned(
    scenario: Scenario, year: int = YEAR, years: int = YEARS, sets: int | None = None, seeds: int = SEEDS
) -> Plan:
    """What `critical` will run. Raises BadInput."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadInput(f"--year = {year}: must be a year from {FIRST_YEAR} to {LAST_YEAR}")
    if not 1 <= years <= LAST_YEAR - year + 1:
        raise BadInput(f"--years = {years}: must be from 1 to {LAST_YEAR - year + 1}, as runs end with {LAST_YEAR}")
    if seeds < 1:
        raise BadInput(f"--seeds = {seeds}: must be 1 or more")
    return Plan(scenario, year, years, some_sets(scenario.world, sets), seeds, removals(scenario.world))


def critical(
    scenario: Scenario, year: int = YEAR, years: int = YEARS, sets: int | None = None, seeds: int = SEEDS
) -> Study:
    """Take everybody away in turn from the start of `year` on, for `years`, and see what it costs the target.

    `sets` is how many parameter sets of the world's ensemble are used, the first ones, and 0 the config's own
    parameters; None is 16, or the config's own where the world has none. Each has the seeds 1 to `seeds`. Raises
    BadInput.
    """
    return run(planned(scenario, year, years, sets, seeds))


def run(plan: Plan, done: Callable[[int], None] = lambda runs: None) -> Study:
    """Run what is planned; `done` is called with the numbers of runs with a removal that are done."""
    blocks = batched(_futures(plan, plan.scenario), BLOCK_SIZE, strict=False)
    standing = [_standing(plan, block) for block in blocks]
    score, power = (np.concatenate(parts, axis=1) for parts in zip(*standing, strict=True))
    rows = _rows(plan.removals, _losses(plan, done), score.mean(axis=1), power.mean(axis=1))
    return Study(plan.scenario, plan.year, plan.years, len(plan.sets), plan.seeds, rows)


def some_sets(world: World, sets: int | None) -> list[Mapping[str, Value]]:
    """The values of some parameter sets of a world's ensemble, evenly spread; of its config's own parameters, none."""
    if sets == 0:
        return [{}]
    if sets is not None and sets < 0:
        raise BadInput(f"--sets = {sets}: must be 0, for the config's own parameters, or more")
    known = parameter_sets(world)
    if sets is None:
        return [known[number] for number in evenly(list(known))[:SETS]] or [{}]
    if not known:
        raise BadInput(f"--sets = {sets}: the world {world.id} has no parameter sets; leave it out")
    if sets > len(known):
        raise BadInput(f"--sets = {sets}: must be from 0 to {len(known)}; the world {world.id} has no more")
    return [known[number] for number in evenly(list(known))[:sets]]


def removals(world: World) -> list[Removal]:
    """Every company, every state's suppliers of an input, and every state but the target."""
    names = world.names
    firms: dict[tuple[str, str], list[str]] = {}
    for row in world.rows["chip_firms"]:
        firms.setdefault((row["name"], row["headquarters"]), []).append(row["id"])
    suppliers: dict[tuple[str, str], list[str]] = {}
    for row in world.rows["suppliers"]:
        suppliers.setdefault((row["headquarters"], row["input"]), []).append(row["id"])
    shared = {name for name, _ in firms if sum(other == name for other, _ in firms) > 1}
    companies = {frozenset(lines): company for company, lines in world.companies.items()}

    def scope_of(lines: Sequence[str]) -> tuple[str, ...]:
        company = companies.get(frozenset(lines))
        return (company,) if company else tuple(lines)

    return [
        *(
            Removal("firm", f"{name}, {names[seat]}" if name in shared else name, scope_of(lines), seat)
            for (name, seat), lines in firms.items()
        ),
        *(
            Removal("supplier", f"{names[item]}, {names[seat]}", tuple(ids), seat)
            for (seat, item), ids in suppliers.items()
        ),
        *(
            Removal("state", f"{names[state]}, all makers", (state,), state)
            for state in world.states
            if state != world.target
        ),
    ]


# Runs.


def _losses(plan: Plan, done: Callable[[int], None]) -> Array:
    """What is lost by each removal in each pair of runs, (removals, sets, seeds, MEASURED)."""
    removed = [plan.scenario.with_event(outage(each, plan.year, plan.years)) for each in plan.removals]
    futures = [future for scenario in (plan.scenario, *removed) for future in _futures(plan, scenario)]
    found = np.empty((len(futures), len(MEASURED)))
    for numbers, model in run_all(futures, lambda some: _begun(some, plan.year + plan.years - 1), BLOCK_SIZE):
        found[list(numbers)] = _outcomes(model, plan.years)
        done(sum(number >= plan.pairs for number in numbers))
    by_removal = found.reshape(-1, len(plan.sets), plan.seeds, len(MEASURED))
    losses: Array = (by_removal[1:] - by_removal[0]) * LESS_IS_LOST
    return losses


def _futures(plan: Plan, scenario: Scenario) -> list[Future]:
    """A run of the scenario with each parameter set and seed."""
    scenarios = [scenario.with_values(values) for values in plan.sets]
    return [Future(each, seed) for each in scenarios for seed in range(1, plan.seeds + 1)]


def _begun(futures: Sequence[Future], until: int) -> DecouplingModel:
    scenarios, seeds = [each.scenario for each in futures], [each.seed for each in futures]
    return DecouplingModel.block(scenarios, seeds, record=list(MEASURES), until=until)


def outage(removal: Removal, year: int, years: int) -> dict[str, Any]:
    """The event that takes makers away, as an [[event]] has it."""
    return {
        "date": datetime.date(year, 1, 1),
        "until": datetime.date(year + years, 1, 1),
        "by": removal.seat,
        "kind": "outage",
        "scope": list(removal.scope),
        "severity": 1.0,
    }


def _outcomes(model: DecouplingModel, years: int) -> Array:
    """What came of the last years, (runs, MEASURED): means over them, the share of their sums."""
    _, values = model.recorder.values("year")
    of = {name: values[:, -years:, place] for place, name in enumerate(MEASURES)}
    mean = {name: held.mean(axis=-1) for name, held in of.items()}
    share = of["home_sales"].sum(axis=-1) / of["chip_market"].sum(axis=-1)
    unmet, paid = mean["unmet_demand"], mean["buyer_cost"]
    return np.stack([unmet + paid, unmet, paid, mean["chip_production_located_real"], share], axis=-1)


def _standing(plan: Plan, futures: Sequence[Future]) -> tuple[Array, Array]:
    """The review's score and the power of each removal when it begins, (removals, runs); score NaN for states."""
    model = _begun(futures, plan.year)
    while year_of(model.quarter) < plan.year:
        model.step()
    roster, market, chips = model.roster, model.input_market, model.chip_market
    sold = market.of_suppliers(market.need, roster.of_groups(market.choice)[:, roster.home])
    bought = roster.by_segment.spread(chips.demand[:, roster.target]) * chips.choice
    of_inputs, of_segments = review_inputs(model).score, review_segments(model).score
    scores, powers = [], []
    for removal in plan.removals:
        ids = [*out_of(removal, model.world)]
        suppliers, lines = np.isin(roster.suppliers, ids), np.isin(roster.chip_firms, ids)
        powers.append(_power(sold, suppliers, roster.by_input.sum) + _power(bought, lines, roster.by_segment.sum))
        items = of_inputs[:, np.unique(roster.supplier_input[suppliers])]
        segments = of_segments[:, np.unique(roster.firm_segment[lines])]
        both = np.concatenate([items, segments], axis=-1).max(axis=-1)
        scores.append(np.full_like(both, np.nan) if removal.kind == "state" else both)
    return np.stack(scores), np.stack(powers)


def out_of(removal: Removal, world: World) -> set[str]:
    """The ids of a removal's lines and suppliers."""
    return {id for name in removal.scope for id in meant(name, world)}


def _power(sales: Array, taken: Flags, by_market: Callable[[Array], Array]) -> Array:
    """Spending x ln(1 / (1 - share)) over all markets, bn yuan a year, (runs,)."""
    spending = by_market(sales)
    share = np.minimum(ALL_BUT_ALL, ratio(by_market(sales * taken), spending, 0.0))
    index: Array = total(spending * -np.log1p(-share))[:, 0] * QUARTERS_PER_YEAR
    return index


# Rows.


def _rows(who: Sequence[Removal], losses: Array, score: Array, power: Array) -> list[Critical]:
    """The rows in order, from losses of shape (removals, sets, seeds, MEASURED)."""
    means = losses.mean(axis=(1, 2))
    first = means[:, 0]
    places = {place: rank for rank, place in enumerate(np.argsort(-first, kind="stable").tolist(), start=1)}
    rows = []
    for place, removal in enumerate(who):
        ends = {name: _ends(losses[place, :, :, column]) for column, name in enumerate(MEASURED)}
        parts = [
            float(first[other])
            for other, each in enumerate(who)
            if removal.kind == "state" and each.seat == removal.seat and each.kind != "state"
        ]
        rows.append(
            Critical(
                rank=places[place],
                kind=removal.kind,
                who=removal.who,
                score=None if np.isnan(score[place]) else float(score[place]),
                power=float(power[place]),
                sum_of_parts=sum(parts) if parts else None,
                scope=" ".join(removal.scope),
                ends=ends,
                **{name: float(means[place, column]) for column, name in enumerate(MEASURED)},
            )
        )
    return sorted(rows, key=lambda row: row.rank)


def _ends(losses: Array) -> tuple[float | None, float | None]:
    """5 and 95 % of the sets' means over seeds, (sets, seeds); of one set the interval over its seeds, if any holds."""
    if len(losses) > 1:
        low, high = np.quantile(losses.mean(axis=1), (0.05, 0.95)).tolist()
        return low, high
    found = student(losses[0], 0.95)
    return found.low, found.high


def _short(amount: float) -> str:
    return f"{amount:,.0f}" if abs(amount) >= 100 else f"{amount:.3g}"


def agreements(study: Study) -> list[str]:
    """Rank correlations (Spearman) of what buyers lose with score and power, kind by kind, in words."""
    from scipy.stats import spearmanr

    told = []
    for kind, word in (("firm", "firms"), ("supplier", "suppliers"), ("state", "states")):
        rows = study.of_kind(kind)
        losses = [row.buyers_lose for row in rows]
        by = {"score": [row.score for row in rows if row.score is not None], "power": [row.power for row in rows]}
        known = {name: held for name, held in by.items() if len(held) == len(rows) and len(set(held)) > 1}
        if len(set(losses)) > 1 and known:
            found = (f"{name} {float(spearmanr(held, losses).statistic):.2f}" for name, held in known.items())
            told.append(f"{len(rows)} {word}: {', '.join(found)}")
    return [f"Rank correlation of what buyers lose with the review's score and with power. {'; '.join(told)}."] * bool(
        told
    )


# What is written.


def write(study: Study, out: Path) -> None:
    """critical.csv and critical.svg in a folder, each written aside and moved into place."""
    open_folder(out, "decoupling study critical")
    table = csv_text(FULL, [row.cells(FULL) for row in study.rows])
    write_aside(out / "critical.csv", [table.encode()])
    write_aside(out / "critical.svg", [draw(picture(study), "svg")])


def picture(study: Study) -> Picture:
    """The removals that cost most, most at the top, each with its interval."""
    world = study.scenario.world
    shown = [row for row in study.rows if row.buyers_lose > 0][:DRAWN] or study.rows[:DRAWN]
    lines = []
    for held in shown:
        low, high = (held.buyers_lose if end is None else end for end in (held.low, held.high))
        lines.append(drawn_row(held.who, low, held.buyers_lose, high))
    target = world.names[world.target]
    return Picture(
        kind="cases",
        title=f"What buyers in {target} lose while makers are away",
        subtitle=f"Each away alone {study.span}; the {len(shown)} of {len(study.rows)} that cost most",
        panels=(Panel("", tuple(lines), x_label="bn yuan a year, unmet demand and higher prices"),),
        unit="bn yuan a year",
        source=f"{study.scenario.name}, {study.runs}; point: mean, bar: {study.of}",
        notes=(),
    )
