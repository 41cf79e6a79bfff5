"""What is recorded: every measure with its unit, kind, formula and meaning, in one place.

A measure is made of parts, which are observed each quarter. How a period of several quarters is formed depends on the
kind: flows are bn yuan a year (a quarter's times four, a year's four summed), ratios are ratios of sums, prices are
means, stocks are values at the period's end. All are about the target state unless said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.evidence import World
from sim.vocabulary import BadInput, nearest, quarter_end

Array = NDArray[np.float64]
Part = tuple[str, int | None]  # a part's name, and which of its columns; None is their sum


@dataclass(frozen=True)
class Measure:
    """`direction` says which way is better for the target: higher, lower or none."""

    name: str
    unit: str
    kind: str  # flow | ratio | mean | stock
    formula: str
    meaning: str
    direction: str
    over: Part
    under: Part | None = None


YEARLY = "bn yuan a year"
SHARE = "0 to 1"

_HEADLINE = (
    Measure(
        "domestic_supply_share",
        SHARE,
        "ratio",
        "home_sales / chip_market",
        "chips made in the target by anybody and sold there, by chips used there",
        "higher",
        ("home_sales", None),
        ("market", None),
    ),
    Measure(
        "domestic_supply_share_real",
        SHARE,
        "ratio",
        "home_sales / chip_market, both at 2020 prices",
        "the same at constant prices",
        "higher",
        ("home_sales_real", None),
        ("market_real", None),
    ),
    Measure(
        "production_share_located",
        SHARE,
        "ratio",
        "chip_production_located / chip_market",
        "chips made in the target by anybody, exports not netted, by chips used there",
        "higher",
        ("located", None),
        ("market", None),
    ),
    Measure(
        "production_share_hq",
        SHARE,
        "ratio",
        "chip_production_hq / chip_market",
        "chips made by firms headquartered in the target, by chips used there",
        "higher",
        ("hq", None),
        ("market", None),
    ),
    Measure(
        "chip_market",
        YEARLY,
        "flow",
        "sum of purchases at current prices",
        "chips used in the target",
        "none",
        ("market", None),
    ),
    Measure(
        "chip_production_located",
        YEARLY,
        "flow",
        "sum of output at the site at current prices",
        "chips made in the target by anybody",
        "higher",
        ("located", None),
    ),
    Measure(
        "chip_production_hq",
        YEARLY,
        "flow",
        "sum of output of firms headquartered there at current prices",
        "chips made by firms headquartered in the target",
        "higher",
        ("hq", None),
    ),
    Measure(
        "chip_imports",
        YEARLY,
        "flow",
        "chip_market - home_sales",
        "chips used in the target and made elsewhere",
        "lower",
        ("imports", None),
    ),
    Measure(
        "home_sales",
        YEARLY,
        "flow",
        "sum of purchases from makers at the site at current prices",
        "chips made in the target by anybody and sold there",
        "higher",
        ("home_sales", None),
    ),
    Measure(
        "unmet_demand",
        YEARLY,
        "flow",
        "demand - purchases, after re-routing, at current prices",
        "chips that buyers in the target wanted and did not get",
        "lower",
        ("unmet", None),
    ),
    Measure(
        "price_index",
        "2020 = 1",
        "mean",
        "purchases at current prices / the same at 2020 prices",
        "price of the chips that the target buys",
        "lower",
        ("price_index", None),
    ),
    Measure(
        "buyer_cost",
        YEARLY,
        "flow",
        "purchases at current prices - the same at 2020 prices",
        "what the target's buyers pay above the prices of 2020",
        "lower",
        ("buyer_cost", None),
    ),
    Measure(
        "output_at_risk",
        "bn yuan",
        "stock",
        "four quarters' output x (1 - part that stocks and home supply of materials allow x part of lines kept up)",
        "loss of output over four quarters of a full cut-off of inputs, a first-order estimate from stocks and home "
        "shares, at 2020 prices",
        "lower",
        ("output_at_risk", None),
    ),
    Measure(
        "equipment_spending",
        YEARLY,
        "flow",
        "sum of deliveries of equipment at the site, at 2020 prices",
        "all tools delivered in the target to anybody, installed or not, back-end tools included",
        "none",
        ("tools", None),
    ),
    Measure(
        "equipment_self_supply",
        SHARE,
        "ratio",
        "tools from suppliers headquartered there / equipment_spending",
        "part of equipment spending that goes to suppliers headquartered in the target",
        "higher",
        ("tools_home", None),
        ("tools", None),
    ),
    Measure(
        "technology_gap",
        "years",
        "ratio",
        "sum of lag x output / sum of output, firms headquartered there",
        "years behind the frontier of their segments, weighted by output",
        "lower",
        ("lag_output", None),
        ("owned_output", None),
    ),
    Measure(
        "controls_severity",
        SHARE,
        "ratio",
        "base purchases denied / base purchases, inputs and chips",
        "part of the target's base purchases of inputs and chips that controls deny, by value",
        "lower",
        ("base_denied", None),
        ("base_bought", None),
    ),
    Measure(
        "controller_sales_denied",
        YEARLY,
        "flow",
        "sum over controllers of need x base share x part denied",
        "sales of the controllers that controls deny, at base shares and 2020 prices",
        "none",
        ("sales_denied", None),
    ),
    Measure(
        "subsidy_spent",
        YEARLY,
        "flow",
        "capacity grants + research grants + leakage",
        "state money above the programme that 2020 contains",
        "none",
        ("subsidy", None),
    ),
    Measure(
        "subsidy_per_point",
        "bn yuan a point",
        "stock",
        "subsidy_spent so far / points of domestic_supply_share gained since 2020",
        "what a percentage point of share has taken; missing without subsidy or without a gain",
        "lower",
        ("subsidy", None),
    ),
)
HEADLINE = tuple(measure.name for measure in _HEADLINE)
_BY_SEGMENT = (
    "domestic_supply_share",
    "domestic_supply_share_real",
    "production_share_located",
    "production_share_hq",
    "chip_market",
    "chip_production_located",
    "chip_production_hq",
    "price_index",
    "unmet_demand",
)


def catalogue(world: World) -> dict[str, Measure]:
    """Every measure of a world by name: the headline, then those by segment, input and state."""
    found = {measure.name: measure for measure in _HEADLINE}
    segments, inputs, states = (world.column(table, "id") for table in ("segments", "inputs", "states"))

    def add(base: Measure, suffix: str, meaning: str, over: Part, under: Part | None = None) -> None:
        name = f"{base.name}.{suffix}"
        found[name] = Measure(name, base.unit, base.kind, base.formula, meaning, base.direction, over, under)

    for name in _BY_SEGMENT:
        base = found[name]
        for column, segment in enumerate(segments):
            under = (base.under[0], column) if base.under else None
            over = ("price", column) if name == "price_index" else (base.over[0], column)
            add(base, segment, f"{base.meaning}: {segment}", over, under)
    add(found["unmet_demand"], "automotive", "the automotive part of it", ("unmet_automotive", None))
    for column, item in enumerate(inputs):
        add(
            found["equipment_self_supply"],
            item,
            f"part of the target's purchases of {item} from its own suppliers",
            ("inputs_home", column),
            ("inputs", column),
        )
        add(
            found["controls_severity"],
            item,
            f"part of the target's base purchases of {item} that controls deny",
            ("base_inputs_denied", column),
            ("base_inputs", column),
        )
    for column, item in enumerate(inputs):
        for row, state in enumerate(states):
            name = f"input_world_share.{item}.{state}"
            found[name] = Measure(
                name,
                SHARE,
                "ratio",
                "sales of the state's suppliers / sales of all suppliers",
                f"share of {state} in the world's sales of {item}",
                "none",
                ("world_sales", column * len(states) + row),
                ("world_sales_by_input", column),
            )
    for row, state in enumerate(states):
        name = f"sales_denied.{state}"
        found[name] = Measure(
            name,
            YEARLY,
            "flow",
            "need x base share x part denied",
            f"sales of {state} to the target that controls deny, at base shares and 2020 prices",
            "none",
            ("sales_denied", row),
        )
    return found


def measure_names(selection: str | Sequence[str], world: World) -> list[str]:
    """The measures that "headline", "all" or a list of names stands for; BadInput for an unknown name."""
    known = catalogue(world)
    if selection == "headline":
        return list(HEADLINE)
    if selection == "all":
        return list(known)
    if isinstance(selection, str):
        raise BadInput(f'measures = {selection!r}: must be "headline", "all" or a list of names')
    unknown = [name for name in selection if name not in known]
    if unknown:
        raise BadInput([f"measures: {name!r} is not a measure{nearest(name, known)}" for name in unknown])
    return list(selection)


def describe(name: str, world: World) -> Measure:
    return catalogue(world)[name]


def observe(model: Any) -> dict[str, Array]:
    """The parts of every measure in the quarter that has just passed: (runs, columns), bn yuan a quarter."""
    layout, chips, makers = model.layout, model.chips, model.makers
    target, by_segment = layout.target, layout.by_segment
    price = chips.paid
    bought = chips.sales[:, target]
    market_real = by_segment.sum(bought)
    home_real = by_segment.sum(bought * layout.at_home)
    owned_output = makers.output * layout.target_owned
    unmet = chips.unmet[:, target] * price
    market = market_real * price
    home = home_real * price
    parts = {
        "market": market,
        "market_real": market_real,
        "home_sales": home,
        "home_sales_real": home_real,
        "imports": market - home,
        "located": by_segment.sum(makers.output * layout.at_home) * price,
        "hq": by_segment.sum(owned_output) * price,
        "unmet": unmet,
        "unmet_automotive": unmet * layout.automotive_share,
        "buyer_cost": market - market_real,
        "price": price,
        "price_index": market.sum(axis=-1, keepdims=True) / market_real.sum(axis=-1, keepdims=True),
        "lag_output": owned_output * makers.lag,
        "owned_output": owned_output,
        "subsidy": model.states.subsidy_spent,
    }
    parts.update(_input_parts(model))
    parts["output_at_risk"] = _output_at_risk(model, parts)
    return parts


def _input_parts(model: Any) -> dict[str, Array]:
    layout, inputs, chips = model.layout, model.inputs, model.chips
    target = layout.target
    delivered = _sum_of_groups(inputs.delivered, layout.group_at_home)
    from_home = layout.by_input.sum(_sum_of_groups(inputs.sales, layout.group_at_home) * layout.target_supplier)

    base = inputs.base
    denied_share = base.input_share * inputs.denied
    base_denied = _sum_of_groups(layout.by_input.spread(base.input_need) * denied_share, layout.group_at_home)
    now_denied = _sum_of_groups(layout.by_input.spread(inputs.need) * denied_share, layout.group_at_home)
    base_inputs = _sum_of_groups(base.input_need, layout.group_at_home)
    chips_denied_share = base.chip_share[:, target] * (1.0 - chips.permitted)
    spread = layout.by_segment.spread
    base_chips_denied = spread(base.demand[:, target]) * chips_denied_share
    now_chips_denied = spread(chips.demand[:, target]) * chips_denied_share
    base_inputs_denied = layout.by_input.sum(base_denied)
    return {
        "tools": delivered * layout.is_equipment,
        "tools_home": from_home * layout.is_equipment,
        "inputs": delivered,
        "inputs_home": from_home,
        "base_inputs": base_inputs,
        "base_inputs_denied": base_inputs_denied,
        "base_bought": np.concatenate([base_inputs, base.demand[:, target]], axis=-1),
        "base_denied": np.concatenate([base_inputs_denied, layout.by_segment.sum(base_chips_denied)], axis=-1),
        "sales_denied": layout.by_supplier_state.sum(now_denied) + layout.by_maker_state.sum(now_chips_denied),
        "world_sales": layout.by_input_and_state.sum(model.suppliers.revenue),
        "world_sales_by_input": layout.by_input.sum(model.suppliers.revenue),
    }


def _output_at_risk(model: Any, parts: dict[str, Array]) -> Array:
    """Loss over four quarters without any foreign input: bn yuan at 2020 prices, (runs, 1)."""
    layout, inputs, p = model.layout, model.inputs, model.parameters
    output = layout.by_group.sum(model.makers.output)
    yearly_use = 4.0 * output[..., None] * inputs.base.material_need * layout.is_material
    at_home = layout.by_input.sum(inputs.sales * layout.target_supplier)
    supply = np.where(inputs.delivered > 0, at_home / np.where(inputs.delivered > 0, inputs.delivered, 1.0), 1.0)
    stocks = np.where(yearly_use > 0, inputs.stock / np.where(yearly_use > 0, yearly_use, 1.0), 1.0)
    cover = np.minimum(1.0, stocks + supply).min(axis=-1)
    tools = (supply * inputs.base.tool_mix).sum(axis=-1)
    kept_up = 1.0 - 0.5 * p["investment.depreciation"] * (
        1.0 - tools
    )  # wear is even over the year: half of it on average
    loss = 4.0 * output * (1.0 - cover * kept_up) * layout.group_at_home
    return np.ascontiguousarray(loss).sum(axis=-1, keepdims=True)


def _sum_of_groups(values: Array, which: NDArray[np.bool_]) -> Array:
    result = np.zeros_like(values[:, 0])
    for group in np.flatnonzero(which):
        result = result + values[:, group]
    return result


class Recorder:
    """Collects the parts each quarter; makes measures of them by quarter, by year or at the end."""

    def __init__(self, world: World, selection: str | Sequence[str], first_quarter: int = 0) -> None:
        known = catalogue(world)
        self.names = measure_names(selection, world)
        self.measures = [known[name] for name in self.names]
        self._share = known["domestic_supply_share"]
        self._needed = {
            part for measure in (*self.measures, self._share) for part in (measure.over, measure.under) if part
        }
        self._parts: dict[Part, list[Array]] = {part: [] for part in self._needed}
        self._first = first_quarter

    def record(self, model: Any) -> None:
        """Take down the quarter that has just passed."""
        observed = observe(model)
        for (name, column), kept in self._parts.items():
            values = observed[name]
            kept.append(values.sum(axis=-1) if column is None else values[:, column])

    def quarters(self) -> int:
        return len(next(iter(self._parts.values())))

    def values(self, every: str) -> tuple[list[str], Array]:
        """Dates (ISO, last day of the period) and the measures: (runs, periods, measures), NaN where missing.

        `every` is "quarter", "year" (whole years only) or "end" (the last year).
        """
        length = 1 if every == "quarter" else 4
        periods = range(0, self.quarters() - length + 1, length)
        if every == "end":
            periods = periods[-1:]
        dates = [quarter_end(self._first + start + length - 1) for start in periods]
        columns = [self._periods(measure, periods, length) for measure in self.measures]
        return dates, np.stack(columns, axis=-1)

    def first_reaching(self, level: float) -> list[str]:
        """For each run the date of the first quarter with that domestic supply share, empty if never."""
        share = self._periods(self._share, range(self.quarters()), 1)
        reached = share >= level
        return [quarter_end(self._first + int(np.argmax(row))) if row.any() else "" for row in reached]

    def _part(self, part: Part) -> Array:
        return np.ascontiguousarray(np.stack(self._parts[part], axis=-1))

    def _periods(self, measure: Measure, periods: Iterable[int], length: int) -> Array:
        if measure.name == "subsidy_per_point":
            return self._subsidy_per_point(measure, periods, length)
        over = self._part(measure.over)
        if measure.kind == "flow":
            return _stack([_sum_of(over, start, length) * (4 / length) for start in periods])
        if measure.kind == "mean":
            return _stack([_sum_of(over, start, length) / length for start in periods])
        if measure.kind == "stock":
            return _stack([over[:, start + length - 1] for start in periods])
        assert measure.under is not None
        under = self._part(measure.under)
        return _stack([_ratio(_sum_of(over, start, length), _sum_of(under, start, length)) for start in periods])

    def _subsidy_per_point(self, measure: Measure, periods: Iterable[int], length: int) -> Array:
        spent = np.cumsum(self._part(measure.over), axis=-1)
        share = self._periods(self._share, periods, length)
        first_year = min(4, self.quarters())
        base = self._periods(self._share, [0], first_year)
        points = 100.0 * (share - base)
        so_far = _stack([spent[:, start + length - 1] for start in periods])
        after_base = np.array([start >= 4 for start in periods])
        known = (points > 0) & (so_far > 0) & after_base
        return np.where(known, so_far / np.where(known, points, 1.0), np.nan)


def _sum_of(values: Array, start: int, length: int) -> Array:
    result = values[:, start]
    for quarter in range(start + 1, start + length):
        result = result + values[:, quarter]
    return result


def _ratio(over: Array, under: Array) -> Array:
    return np.where(under > 0, over / np.where(under > 0, under, 1.0), np.nan)


def _stack(periods: list[Array]) -> Array:
    return np.stack(periods, axis=-1)
