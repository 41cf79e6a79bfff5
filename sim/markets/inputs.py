"""The markets of inputs: chip firms buy equipment, materials and design software from the world's suppliers.

Buyers come in groups that hold the same permits (`Layout`). Amounts are bn yuan a quarter at 2020 prices. Shapes:
K buyer groups, I inputs, U suppliers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.base_year import BaseYear, Layout
from sim.columns import total, total_over_rows
from sim.controls import Severity, at_items, licensed, over_complied, supplied
from sim.parameters import Parameters
from sim.streams import agent_keys, uniform
from sim.vocabulary import QUARTERS_PER_YEAR

Array = NDArray[np.float64]


class InputMarket:
    """Needs, choice of suppliers, permits, deliveries and the stocks of materials, for all runs at once."""

    def __init__(self, layout: Layout, base: BaseYear, parameters: Parameters, seeds: NDArray[np.uint64]) -> None:
        self.layout = layout
        self.base = base
        self.seeds = seeds
        first = layout.group_at_home[:, None] & layout.target_supplier & ~layout.sells
        self.entry_share = parameters["research.entry_share"][..., None] * first  # (runs, K, U)
        self._keys = agent_keys(layout.suppliers)
        segments = layout.world.rows["segments"]
        exposure = np.array([row["control_exposure"] for row in segments])[layout.group_segment]
        self.exposure = np.where(layout.group_at_home, exposure, 0.0)  # (K,)
        self._foreign_owned = (layout.group_at_home & ~layout.group_target_owned)[:, None]
        self._quality_bound = layout.group_at_home & layout.is_quality_bound[layout.group_segment]
        self._weights = np.where(self._quality_bound[:, None] & layout.is_quality_critical, 0.0, base.tool_mix)
        self._weights = self._weights / self._weights.sum(axis=-1, keepdims=True)
        self.permitted = np.ones_like(base.input_share)  # (runs, K, U)
        self.denied = np.zeros_like(base.input_share)  # (runs, K, U) part of base sales
        self.need = base.input_need
        self.delivered = base.input_need  # (runs, K, I)
        self.sales = layout.by_input.spread(base.input_need) * base.input_share  # (runs, K, U)
        self.used = np.zeros_like(base.input_need)
        need = base.input_need * layout.is_material
        self.stock = need * parameters["materials.stock_quarters"][..., None]  # (runs, K, I)
        self.availability = np.ones_like(base.input_need)  # part of an order that is delivered

    def permit(self, parameters: Parameters, severity: Severity, quarter: int) -> None:
        """What controls leave of each supplier's base sales to each group in the target.

        Lines owned by foreigners are reached in part (licences for named plants).
        """
        p, layout = parameters, self.layout
        if quarter % QUARTERS_PER_YEAR == 0:
            self._licence = uniform(self.seeds, "licence outcome", quarter, self._keys)

        def decided(expected: Array) -> Array:
            part = licensed(expected, self._licence, p["controls.licence_spread"])
            return over_complied(part, p["controls.over_compliance"])

        above = decided(at_items(severity.above_threshold, layout.supplier_state, layout.supplier_input))
        everything = decided(at_items(severity.of_everything, layout.supplier_state, layout.supplier_input))
        above, everything = (
            above[:, None, :] * self.exposure[:, None],
            everything[:, None, :] * layout.group_at_home[:, None],
        )
        reached = np.where(self._foreign_owned, p["controls.foreign_owned_part"][..., None], 1.0)
        self.denied = np.where(layout.target_supplier, 0.0, np.maximum(above, everything) * reached)
        self.permitted = 1.0 - self.denied

    def cover(self, makers: Any) -> None:
        """The part of a group's capacity that its scarcest material in stock allows to run."""
        layout = self.layout
        planned = layout.by_group.sum(makers.capacity)[..., None] * self.base.material_need
        needed = layout.is_material & (planned > 0)
        part = np.where(needed, self.stock / np.where(needed, planned, 1.0), 1.0)
        makers.material_cover = layout.by_group.spread(np.minimum(1.0, part.min(axis=-1)))

    def use_materials(self, makers: Any) -> None:
        """Output uses up materials and design software in fixed proportion."""
        self.used = self.layout.by_group.sum(makers.output)[..., None] * self.base.material_need
        self.stock = np.maximum(0.0, self.stock - self.used * self.layout.is_material)

    def trade(self, parameters: Parameters, makers: Any, suppliers: Any, expected_cutoff: Array) -> None:
        """Order, choose, deliver. Stocks of materials are refilled a part of the way each quarter."""
        p, layout, by_input = parameters, self.layout, self.layout.by_input
        wanted_stock = self.used * layout.is_material * p["materials.stock_quarters"][..., None]
        refill = (wanted_stock - self.stock - self.used * layout.is_material) * p["materials.refill_speed"][..., None]
        tools = layout.by_group.sum(makers.investment)[..., None] * self.base.tool_mix
        self.need = tools + np.maximum(0.0, self.used + refill)

        appeal = suppliers.quality * np.exp(-p["buyers.price_elasticity"] * np.log(suppliers.unit_cost))
        risk = np.take(expected_cutoff, layout.supplier_state, axis=-1)
        shunned = np.where(layout.target_supplier, 1.0, np.exp(-p["buyers.caution"] * risk))
        first = self.entry_share * suppliers.entered[:, None, :]
        wish = (self.base.input_share + first) * np.where(
            layout.group_target_owned[:, None], (appeal * shunned)[:, None, :], appeal[:, None, :]
        )
        share = wish / by_input.spread(by_input.sum(wish))
        allowed = share * self.permitted
        permitted = by_input.sum(allowed)
        self.availability = supplied(permitted, p["controls.backfill"][..., None])
        self.delivered = self.need * self.availability
        self.sales = allowed * by_input.spread(self.delivered / np.where(permitted > 0, permitted, 1.0))
        self.stock = self.stock + self.delivered * layout.is_material
        suppliers.revenue = total_over_rows(self.sales)
        grown = by_input.sum(suppliers.experience + suppliers.revenue)
        suppliers.experience_of_others = by_input.spread(grown) - suppliers.experience - suppliers.revenue
        suppliers.world_growth = total(suppliers.revenue) / total(suppliers.base_revenue)
        self._hand_over(p["production.yield_without_lithography"], makers)

    def _hand_over(self, least_yield: Array, makers: Any) -> None:
        """What the delivered tools make of a line, and what software is at hand.

        A line is assembled from tools with an elasticity of substitution of one half: the weighted harmonic mean of
        what part of each is at hand. In leading and advanced logic lithography decides the yield instead: a third
        without the best tools (Financial Times 2024), all with them.
        """
        layout = self.layout
        at_hand = np.maximum(self.availability, 1e-9)
        complete = 1.0 / (self._weights / at_hand).sum(axis=-1)
        critical = np.where(layout.is_quality_critical, self.availability, 1.0).min(axis=-1)
        quality = np.where(self._quality_bound, least_yield + (1.0 - least_yield) * critical, 1.0)
        received = (self.availability * self.base.tool_mix).sum(axis=-1)
        software = np.where(layout.is_software, self.availability, 1.0).min(axis=-1)
        spread = layout.by_group.spread
        makers.tools_received = makers.investment * spread(received)
        makers.line_completeness = spread(complete * quality)
        makers.design_access = spread(software)
