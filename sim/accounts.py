"""What must balance every quarter. A leak stops the run with its name."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.arrays import Array
from sim.engine.groups import total, total_over_rows
from sim.errors import BadInput

TOLERANCE = 1e-8  # of the flow


class Leak(BadInput):
    """Money or goods appeared or vanished: tables that no world can have, or a fault of the program."""


def balance(name: str, left: Array, right: Array, quarter: str) -> None:
    """Refuse when two sides of an account differ by more than `TOLERANCE` of the larger flow, or are not finite."""
    size = np.maximum(np.maximum(np.abs(left), np.abs(right)), 1e-6)
    gap = np.abs(left - right) / size
    if not (gap <= TOLERANCE).all():
        raise Leak(
            f"{quarter}: the account {name!r} does not balance: off by {np.nanmax(gap):.3g} of the flow"
            if np.isfinite(gap).any()
            else f"{quarter}: the account {name!r} is not finite"
        )


class Ledger:
    """Takes stock when a quarter opens and checks every account when it closes."""

    def __init__(self, model: Any) -> None:
        makers = model.makers
        self.capacity = makers.capacity
        self.pipeline = sum(makers.pipeline[1:], start=makers.pipeline[0])
        self.stock = model.inputs.stock

    def close(self, model: Any, quarter: str) -> None:
        """Every identity of the quarter, in the order of the phases."""
        makers, suppliers, states, roster = model.makers, model.suppliers, model.states, model.roster
        chips, inputs, p = model.chips, model.inputs, model.parameters
        by_segment, by_input = roster.by_segment, roster.by_input

        def check(name: str, left: Array, right: Array) -> None:
            balance(name, left, right, quarter)

        bought = by_segment.sum(chips.sales)
        check("chips: wanted = bought + unmet", chips.demand, bought + chips.unmet)
        check("chips: made = bought", by_segment.sum(makers.output), total_over_rows(bought))
        check(
            "chips: makers' revenue = buyers' spending",
            total(makers.revenue),
            total(total_over_rows(bought) * chips.paid),
        )
        able = self.capacity * (1.0 - makers.outage)
        check("chips: made within capacity", np.maximum(makers.output, able), able)
        check("inputs: delivered = sold", inputs.delivered, by_input.sum(inputs.sales))
        check(
            "inputs: suppliers' revenue = buyers' spending",
            total(suppliers.revenue),
            total(total_over_rows(inputs.delivered)),
        )
        check(
            "tools: received by makers = delivered by suppliers and taken from store",
            roster.by_group.sum(makers.tools_received),
            np.ascontiguousarray(np.where(roster.is_equipment, inputs.delivered - inputs.stored, 0.0)).sum(axis=-1),
        )
        check(
            "materials: stock = stock before + delivered - used",
            inputs.stock,
            np.where(roster.is_material, self.stock + inputs.delivered - inputs.used, 0.0),
        )
        pipeline = sum(makers.pipeline[1:], start=makers.pipeline[0])
        check(
            "lines: building = building before + begun - arrived - abandoned",
            pipeline,
            self.pipeline + makers.new_lines - makers.arrivals - makers.abandoned,
        )
        wear = p["investment.depreciation"] / 4
        check(
            "lines: capacity = capacity before - worn out + arrived",
            makers.capacity,
            self.capacity - wear * self.capacity + makers.arrivals,
        )
        check(
            "money for tools: equity and grants = tools ordered on them + lost to haste",
            total(makers.extra_money),
            total(makers.absorbed) + total(makers.lost_to_haste),
        )
        check(
            "money for tools: grants are part of it",
            total(np.minimum(makers.capacity_grant, makers.extra_money + makers.base_investment)),
            total(makers.capacity_grant),
        )
        spent = states.subsidy_spent
        arrived = spent * (1.0 - p["subsidy.leakage"])
        check(
            "subsidy: spent = granted + leaked",
            total(spent),
            total(states.capacity_grants) + total(states.research_grants) + total(spent - arrived),
        )
        check(
            "subsidy: granted = received",
            total(states.capacity_grants) + total(states.research_grants),
            total(makers.capacity_grant) + total(makers.research_grant) + total(suppliers.research_grant),
        )
