"""What every measure is made of, as it stands in the model after a quarter."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sim.arrays import Array, Indices
from sim.engine.groups import Groups, at, divisor, ratio, total, total_over_rows
from sim.measures import firms

if TYPE_CHECKING:
    from sim.model import DecouplingModel
    from sim.start.roster import Roster

MADE_OF_QUALITY = {
    "compute",
    "compute_spent",
    "compute_sold",
    "compute_sales",
    "compute_leaked",
    "leaked_sales",
    "compute_offshore",
}


class Observed:
    """What measures are made of, in the quarter that has just passed: (runs, columns), bn yuan a quarter.

    Each is reckoned when it is asked for, by its name.
    """

    def __init__(self, model: DecouplingModel) -> None:
        self._model, self._roster, self._parameters = model, model.roster, model.parameters
        self._firms, self._suppliers = model.chip_firms, model.suppliers
        self._chips, self._inputs = model.chip_market, model.input_market

    def __getitem__(self, name: str) -> Array:
        values: Array = self._of_quality[name] if name in MADE_OF_QUALITY else getattr(self, name)
        return values

    @cached_property
    def price(self) -> Array:
        return self._chips.paid

    @cached_property
    def bought(self) -> Array:
        """By firm, at 2020 prices."""
        return self._chips.sales[:, self._roster.target]

    @cached_property
    def market_real(self) -> Array:
        return self._roster.by_segment.sum(self.bought)

    @cached_property
    def market(self) -> Array:
        return self.market_real * self.price

    @cached_property
    def home_sales_real(self) -> Array:
        return self._roster.by_segment.sum(self.bought * self._chips.made_at_home)

    @cached_property
    def home_sales(self) -> Array:
        return self.home_sales_real * self.price

    @cached_property
    def imports(self) -> Array:
        return self.market - self.home_sales

    @cached_property
    def imports_real(self) -> Array:
        return self.market_real - self.home_sales_real

    @cached_property
    def on_lines(self) -> Array:
        """What lines make counts at what it is paid, as it is published: dies for designers, and not their chips."""
        on_lines: Array = self._firms.made * self._firms.has_lines
        return on_lines

    @cached_property
    def located_real(self) -> Array:
        return self._roster.by_segment.sum(self.on_lines * self._roster.at_home)

    @cached_property
    def located(self) -> Array:
        return self.located_real * self.price

    @cached_property
    def owned_output(self) -> Array:
        owned: Array = self.on_lines * self._roster.target_owned
        return owned

    @cached_property
    def lag_output(self) -> Array:
        return self.owned_output * self._firms.lag

    @cached_property
    def hq(self) -> Array:
        return self._roster.by_segment.sum(self.owned_output) * self.price

    @cached_property
    def unmet(self) -> Array:
        return self._chips.unmet[:, self._roster.target] * self.price

    @cached_property
    def unmet_automotive(self) -> Array:
        return self._chips.unmet_of_car_makers(self._parameters)

    @cached_property
    def buyer_cost(self) -> Array:
        return self.market - self.market_real

    @cached_property
    def price_index(self) -> Array:
        return self.market.sum(axis=-1, keepdims=True) / self.market_real.sum(axis=-1, keepdims=True)

    @cached_property
    def world_chips(self) -> Array:
        return total(self._firms.output * self._roster.by_segment.spread(self.price))

    @cached_property
    def subsidy(self) -> Array:
        states = self._model.states
        return (states.subsidy_spent + states.push_paid) * states.is_target

    @cached_property
    def inputs(self) -> Array:
        """All that is delivered in the target, to whomever."""
        return total_over_rows(self._inputs.delivered[:, self._roster.home])

    @cached_property
    def inputs_sold(self) -> Array:
        """By each supplier to the target."""
        return total_over_rows(self._inputs.sales[:, self._roster.home])

    @cached_property
    def inputs_home(self) -> Array:
        return self._roster.of_home_suppliers(self.inputs_sold)

    @cached_property
    def tools(self) -> Array:
        tools: Array = self.inputs * self._roster.is_equipment
        return tools

    @cached_property
    def tools_home(self) -> Array:
        tools: Array = self.inputs_home * self._roster.is_equipment
        return tools

    @cached_property
    def tools_by_state(self) -> Array:
        tools = total(self._inputs.delivered * self._roster.is_equipment)[..., 0]
        return self._roster.by_group_state.sum(tools)

    @cached_property
    def base_inputs(self) -> Array:
        return total_over_rows(self._inputs.base.input_need[:, self._roster.home])

    @cached_property
    def base_inputs_denied(self) -> Array:
        return self._roster.by_input.sum(self._inputs.base_denied)

    @cached_property
    def chips_denied(self) -> Array:
        """The part of its demand that controls deny the target of each firm, at base shares."""
        return self._chips.base_share[:, self._roster.target] * self._chips.denied

    @cached_property
    def base_bought(self) -> Array:
        return np.concatenate([self.base_inputs, self._chips.base_demand[:, self._roster.target]], axis=-1)

    @cached_property
    def base_denied(self) -> Array:
        by_segment = self._roster.by_segment
        chips = by_segment.spread(self._chips.base_demand[:, self._roster.target]) * self.chips_denied
        return np.concatenate([self.base_inputs_denied, by_segment.sum(chips)], axis=-1)

    @cached_property
    def sales_denied(self) -> Array:
        roster = self._roster
        chips = roster.by_segment.spread(self._chips.demand[:, roster.target]) * self.chips_denied
        return roster.by_supplier_state.sum(self._inputs.denied_now()) + roster.by_firm_state.sum(chips)

    @cached_property
    def sales_to_target(self) -> Array:
        roster = self._roster
        chips = self.bought * roster.by_segment.spread(self.price)
        return roster.by_supplier_state.sum(self.inputs_sold) + roster.by_firm_state.sum(chips)

    @cached_property
    def sold_to_target(self) -> Array:
        return self._roster.by_input_and_state.sum(self.inputs_sold)

    @cached_property
    def world_sales(self) -> Array:
        return self._roster.by_input_and_state.sum(self._suppliers.revenue)

    @cached_property
    def world_sales_by_input(self) -> Array:
        return self._roster.by_input.sum(self._suppliers.revenue)

    @cached_property
    def output_at_risk(self) -> Array:
        """Loss over four quarters without any foreign input: bn yuan at 2020 prices, (runs, 1)."""
        roster, market, home = self._roster, self._inputs, self._roster.home
        output = roster.by_group.sum(self._firms.made * self._firms.has_lines)[:, home]
        yearly_use = 4.0 * market.wanted[:, home] * roster.is_material
        not_needed = np.where(market.need[:, home] > 0, 0.0, 1.0)  # where some is and none comes, none is from home
        supply = ratio(roster.of_home_suppliers(market.sales[:, home]), market.delivered[:, home], not_needed)
        stocks = ratio(market.stock[:, home], yearly_use, 1.0)
        cover = np.minimum(1.0, stocks + supply).min(axis=-1)
        tools = (supply * market.base.tool_mix).sum(axis=-1)
        wear = self._parameters["investment.depreciation"]
        kept_up = 1.0 - 0.5 * wear * (1.0 - tools)  # wear is even over the year: half of it on average
        loss = np.zeros((len(output), len(roster.group_names)))
        loss[:, home] = 4.0 * output * (1.0 - cover * kept_up)
        return loss.sum(axis=-1, keepdims=True)

    @cached_property
    def firm_revenue(self) -> Array:
        return self._by_firm(self._firms.revenue)

    @cached_property
    def firm_equipment(self) -> Array:
        return self._by_firm(self._firms.tools_received)

    @cached_property
    def firm_output(self) -> Array:
        return self._by_firm(self._firms.made)

    @cached_property
    def firm_capacity(self) -> Array:
        return self._by_firm(self._chips.capacity)

    @cached_property
    def firm_home_sales(self) -> Array:
        roster = self._roster
        at_headquarters = self._chips.sales[:, roster.firm_headquarters, np.arange(len(roster.chip_firms))]
        return self._by_firm(at_headquarters * roster.by_segment.spread(self.price))

    @cached_property
    def designed(self) -> Array:
        roster = self._roster
        return roster.by_segment.sum(self.bought * roster.by_segment.spread(self.price) * roster.target_owned)

    @cached_property
    def part_stock(self) -> Array:
        return total_over_rows(self._inputs.stock[:, self._roster.home])

    @cached_property
    def _of_quality(self) -> dict[str, Array]:
        return _of_quality(self._model)

    @cached_property
    def _lines(self) -> tuple[Indices, Groups]:
        return _lines_reported(self._roster)

    def _by_firm(self, values: Array) -> Array:
        lines, of_firm = self._lines
        return of_firm.sum(at(values, lines))


def _of_quality(model: DecouplingModel) -> dict[str, Array]:
    """What measures of quality are made of: (runs, states), or (runs, 1) for what comes in spite of controls."""
    roster, chip_market, p, target = model.roster, model.chip_market, model.parameters, model.roster.target
    quality, quarter = chip_market.quality, model.quarter
    best = quality.per_yuan(p, chip_market.behind, quarter)
    sold = quality.per_yuan(p, chip_market.sold_behind, quarter)
    price = roster.by_segment.spread(chip_market.paid)
    to_target = chip_market.sales[:, target]
    smuggled = to_target * chip_market.smuggled_part(p)
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
    return total(total_over_rows(others) * per_yuan) / divisor(whole)


def _lines_reported(roster: Roster) -> tuple[Indices, Groups]:
    """The lines of the firms that are reported, and their sums by firm; 0 for who cannot enter in these runs."""
    places = {line: place for place, line in enumerate(roster.chip_firms)}
    reported = firms(roster.world).values()
    lines = [(firm, places[line]) for firm, own in enumerate(reported) for line in own if line in places]
    firm_of, place_of = np.array(lines, dtype=np.int64).reshape(-1, 2).T
    return place_of, Groups(firm_of, len(reported))
