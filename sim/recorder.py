"""Taking down what every measure is made of each quarter, and making the measures of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from sim.arrays import Array, Flags, Indices
from sim.calendar import quarter_end
from sim.engine.groups import Groups, ratio, total, total_over_rows
from sim.measures import Measure, Observable, catalogue, firms, measure_names
from sim.world.world import World

if TYPE_CHECKING:
    from sim.model import DecouplingModel
    from sim.start.roster import Roster


def observe(model: DecouplingModel) -> dict[str, Array]:
    """What measures are made of, in the quarter that has just passed: (runs, columns), bn yuan a quarter.

    `observe_in_detail` has the rest.
    """
    roster, chip_market, makers = model.roster, model.chip_market, model.chip_firms
    target, by_segment = roster.target, roster.by_segment
    price = chip_market.paid
    bought = chip_market.sales[:, target]
    market_real = by_segment.sum(bought)
    home_real = by_segment.sum(bought * roster.at_home)
    # Dies that foundries abroad make for designers of the target are not made by these: fab-gate value, as published.
    owned_output = makers.output * (roster.target_owned & ~(roster.foundries.is_designer & ~roster.at_home))
    located_real = by_segment.sum(makers.output * roster.at_home)
    market = market_real * price
    home = home_real * price
    observed = {
        "market": market,
        "market_real": market_real,
        "home_sales": home,
        "home_sales_real": home_real,
        "imports": market - home,
        "imports_real": market_real - home_real,
        "located": located_real * price,
        "located_real": located_real,
        "hq": by_segment.sum(owned_output) * price,
        "unmet": chip_market.unmet[:, target] * price,
        "unmet_automotive": chip_market.unmet_of_car_makers(model.parameters),
        "buyer_cost": market - market_real,
        "price": price,
        "price_index": market.sum(axis=-1, keepdims=True) / market_real.sum(axis=-1, keepdims=True),
        "lag_output": owned_output * makers.lag,
        "owned_output": owned_output,
        "world_chips": total(makers.output * by_segment.spread(price)),
        "subsidy": (model.states.subsidy_spent + model.states.push_paid) * model.states.is_target,
    }
    observed.update(_of_inputs(model))
    inputs_sold = roster.by_supplier_state.sum(_sum_of_groups(model.input_market.sales, roster.group_at_home))
    observed["sales_to_target"] = inputs_sold + roster.by_firm_state.sum(bought * by_segment.spread(price))
    observed["output_at_risk"] = _output_at_risk(model)
    return observed


def _of_inputs(model: DecouplingModel) -> dict[str, Array]:
    roster, input_market, chip_market = model.roster, model.input_market, model.chip_market
    target = roster.target
    delivered = _sum_of_groups(input_market.delivered, roster.group_at_home)
    from_home = roster.by_input.sum(_sum_of_groups(input_market.sales, roster.group_at_home) * roster.target_supplier)

    base = input_market.base
    denied_share = base.input_share * input_market.denied
    base_denied = _sum_of_groups(roster.by_input.spread(base.input_need) * denied_share, roster.group_at_home)
    now_denied = _sum_of_groups(roster.by_input.spread(input_market.need) * denied_share, roster.group_at_home)
    base_inputs = _sum_of_groups(base.input_need, roster.group_at_home)
    chips_denied_share = base.chip_share[:, target] * chip_market.denied
    spread = roster.by_segment.spread
    base_chips_denied = spread(base.demand[:, target]) * chips_denied_share
    now_chips_denied = spread(chip_market.demand[:, target]) * chips_denied_share
    base_inputs_denied = roster.by_input.sum(base_denied)
    return {
        "tools": delivered * roster.is_equipment,
        "tools_home": from_home * roster.is_equipment,
        "tools_by_state": _by_state(input_market.delivered * roster.is_equipment, roster),
        "inputs": delivered,
        "inputs_home": from_home,
        "base_inputs": base_inputs,
        "base_inputs_denied": base_inputs_denied,
        "base_bought": np.concatenate([base_inputs, base.demand[:, target]], axis=-1),
        "base_denied": np.concatenate([base_inputs_denied, roster.by_segment.sum(base_chips_denied)], axis=-1),
        "sales_denied": roster.by_supplier_state.sum(now_denied) + roster.by_firm_state.sum(now_chips_denied),
        "world_sales": roster.by_input_and_state.sum(model.suppliers.revenue),
        "world_sales_by_input": roster.by_input.sum(model.suppliers.revenue),
    }


def observe_in_detail(model: DecouplingModel) -> dict[str, Array]:
    """What measures by supplier's state and by firm are made of: (runs, columns), bn yuan a quarter."""
    roster, chip_market, makers = model.roster, model.chip_market, model.chip_firms
    sold = _sum_of_groups(model.input_market.sales, roster.group_at_home)
    everybody = np.arange(len(roster.chip_firms))
    at_headquarters = chip_market.sales[:, roster.firm_headquarters, everybody]
    by_firm = {
        "firm_revenue": makers.revenue,
        "firm_equipment": makers.tools_received,
        "firm_output": makers.made,
        "firm_capacity": chip_market.capacity,
        "firm_home_sales": at_headquarters * np.take(chip_market.paid, roster.firm_segment, axis=-1),
    }
    lines, of_firm = _lines_reported(roster)
    observed = {name: of_firm.sum(np.take(values, lines, axis=-1)) for name, values in by_firm.items()}
    target = roster.target
    bought = chip_market.sales[:, target] * np.take(chip_market.paid, roster.firm_segment, axis=-1)
    observed["designed"] = roster.by_segment.sum(bought * roster.target_owned)
    if chip_market.quality.any:
        observed |= _of_quality(model)
    return observed | {"sold_to_target": roster.by_input_and_state.sum(sold)}


def _of_quality(model: DecouplingModel) -> dict[str, Array]:
    """What measures of quality are made of: (runs, states), or (runs, 1) for what comes in spite of controls."""
    roster, chip_market, p, target = model.roster, model.chip_market, model.parameters, model.roster.target
    quality, quarter = chip_market.quality, model.quarter
    best = quality.per_yuan(p, chip_market.behind, quarter)
    sold = quality.per_yuan(p, chip_market.sold_behind, quarter)
    price = roster.by_segment.spread(chip_market.paid)
    to_target = chip_market.sales[:, target]
    smuggled = to_target * chip_market.smuggled_part()
    openly = to_target - smuggled
    added = quality.bought(chip_market.sales, best)
    added[:, target] = total(smuggled * best)[:, 0] + total(openly * sold)[:, 0]
    spent = quality.bought(chip_market.sales, price)
    in_2020 = roster.by_segment.spread(chip_market.base_demand) * chip_market.base_share
    a_yuan = np.exp(-(1.0 - p["chip_market.quality_discount"]) * quality.growth_of_firm * model.chip_firms.base_lag)
    in_2020 = in_2020 * ~roster.is_entrant
    a_yuan = quality.bought(in_2020, quality.amount_of_firm * a_yuan) / quality.bought(in_2020, np.ones_like(a_yuan))
    abroad = _by_buyers_abroad(chip_market.sales * quality.of_firm, best, target)
    return {
        "compute": added,
        "compute_spent": spent * a_yuan,
        "compute_sold": roster.by_firm_state.sum(openly * sold),
        "compute_sales": roster.by_firm_state.sum(openly * price * quality.of_firm),
        "compute_leaked": total(smuggled * best),
        "leaked_sales": total(smuggled * price),
        "compute_offshore": total(chip_market.offshore) * abroad,
    }


def _by_buyers_abroad(sales: Array, per_yuan: Array, target: int) -> Array:
    """What a yuan buys of quality elsewhere than in the target, (runs, 1)."""
    others = sales.copy()
    others[:, target] = 0.0
    whole = total(total_over_rows(others))
    return total(total_over_rows(others) * per_yuan) / np.where(whole > 0, whole, 1.0)


def _lines_reported(roster: Roster) -> tuple[Indices, Groups]:
    """The lines of the firms that are reported, and their sums by firm; 0 for who cannot enter in these runs."""
    places = {line: place for place, line in enumerate(roster.chip_firms)}
    reported = firms(roster.world).values()
    lines = [(firm, places[line]) for firm, own in enumerate(reported) for line in own if line in places]
    firm_of, place_of = np.array(lines, dtype=np.int64).reshape(-1, 2).T
    return place_of, Groups(firm_of, len(reported))


def _output_at_risk(model: DecouplingModel) -> Array:
    """Loss over four quarters without any foreign input: bn yuan at 2020 prices, (runs, 1)."""
    roster, input_market, p = model.roster, model.input_market, model.parameters
    output = roster.by_group.sum(model.chip_firms.made * model.chip_firms.has_lines)
    yearly_use = 4.0 * output[..., None] * input_market.base.material_need * roster.is_material
    at_home = roster.by_input.sum(input_market.sales * roster.target_supplier)
    supply = ratio(at_home, input_market.delivered, 1.0)
    stocks = ratio(input_market.stock, yearly_use, 1.0)
    cover = np.minimum(1.0, stocks + supply).min(axis=-1)
    tools = (supply * input_market.base.tool_mix).sum(axis=-1)
    kept_up = 1.0 - 0.5 * p["investment.depreciation"] * (
        1.0 - tools
    )  # wear is even over the year: half of it on average
    loss = 4.0 * output * (1.0 - cover * kept_up) * roster.group_at_home
    return np.ascontiguousarray(loss).sum(axis=-1, keepdims=True)


def _by_state(values: Array, roster: Roster) -> Array:
    """Sum of all inputs by the state where the buyers are: (runs, K, I) to (runs, S)."""
    of_group = np.add.reduceat(values, np.array([0]), axis=-1)[..., 0]
    return Groups(roster.group_state, len(roster.states)).sum(np.ascontiguousarray(of_group))


def _sum_of_groups(values: Array, which: Flags) -> Array:
    result = np.zeros_like(values[:, 0])
    for group in np.flatnonzero(which):
        result = result + values[:, group]
    return result


class Recorder:
    """Collects what is observed each quarter; makes measures of it by quarter, by year or at the end."""

    def __init__(self, world: World, selection: str | Sequence[str], first_quarter: int = 0) -> None:
        known = catalogue(world)
        self.names = measure_names(selection, world)
        self.measures = [known[name] for name in self.names]
        self._share = known["domestic_supply_share"]
        self._needed = {
            observable
            for measure in (*self.measures, self._share)
            for observable in (measure.over, measure.under)
            if observable
        }
        self._names = {name for name, _ in self._needed}
        self._taken: dict[Observable, list[Array]] = {observable: [] for observable in self._needed}
        self._first = first_quarter

    def record(self, model: DecouplingModel) -> None:
        """Take down the quarter that has just passed."""
        observed = observe(model)
        if not self._names <= observed.keys():
            observed |= observe_in_detail(model)
        for (name, column), kept in self._taken.items():
            values = observed[name]
            kept.append(values.sum(axis=-1) if column is None else values[:, column])

    def copy(self) -> Recorder:
        """The record so far, for a second future to go on with."""
        twin = copy(self)
        twin._taken = {observable: list(quarters) for observable, quarters in self._taken.items()}
        return twin

    def quarters(self) -> int:
        return len(next(iter(self._taken.values())))

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

    def last(self, measure: Measure) -> Array:
        """A measure of the quarter that has just passed, (runs,); not `subsidy_per_point`, which looks back."""
        over = self._taken[measure.over][-1]
        if measure.kind == "flow":
            return over * 4.0
        return over if measure.under is None else ratio(over, self._taken[measure.under][-1], np.nan)

    def first_reaching(self, level: float) -> list[str]:
        """For each run the date of the first quarter with that domestic supply share, empty if never."""
        share = self._periods(self._share, range(self.quarters()), 1)
        reached = share >= level
        return [quarter_end(self._first + int(np.argmax(row))) if row.any() else "" for row in reached]

    def _history(self, observable: Observable) -> Array:
        return np.ascontiguousarray(np.stack(self._taken[observable], axis=-1))

    def _periods(self, measure: Measure, periods: Iterable[int], length: int) -> Array:
        if measure.name == "subsidy_per_point":
            return self._subsidy_per_point(measure, periods, length)
        over = self._history(measure.over)
        if measure.kind == "flow":
            return _stack([_sum_of(over, start, length) * (4 / length) for start in periods])
        if measure.kind == "mean":
            return _stack([_sum_of(over, start, length) / length for start in periods])
        if measure.kind == "stock":
            return _stack([over[:, start + length - 1] for start in periods])
        assert measure.under is not None
        under = self._history(measure.under)
        return _stack([ratio(_sum_of(over, start, length), _sum_of(under, start, length), np.nan) for start in periods])

    def _subsidy_per_point(self, measure: Measure, periods: Iterable[int], length: int) -> Array:
        spent = np.cumsum(self._history(measure.over), axis=-1)
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


def _stack(periods: list[Array]) -> Array:
    return np.stack(periods, axis=-1)
