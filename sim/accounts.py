"""What must balance every quarter. A leak stops the run and names the account."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.arrays import Array
from sim.engine.groups import at, total, total_over_rows
from sim.errors import BadInput

if TYPE_CHECKING:
    from sim.model import DecouplingModel

TOLERANCE = 1e-8  # of the flow
SMALLEST = 1e-4  # bn yuan a quarter: what is left of a supply that is all but denied is right to its rounding alone
FEW = 4096  # numbers: an account that small costs more to begin with than to compare


class Leak(BadInput):
    """Money or goods appeared or vanished: tables that no world can have, or a fault of the program."""


def balance(name: str, left: Array, right: Array, quarter: str) -> None:
    """Refuse when two sides of an account differ by more than `TOLERANCE` of the larger flow, or are not finite."""
    gap = _gap(left, right)
    if not (gap <= TOLERANCE).all():
        raise Leak(
            f"{quarter}: the account {name!r} does not balance: off by {np.nanmax(gap):.3g} of the flow"
            if np.isfinite(gap).any()
            else f"{quarter}: the account {name!r} is not finite"
        )


def _gap(left: Array, right: Array) -> Array:
    """What two sides differ by, relative to the larger flow."""
    gap: Array = np.abs(left - right) / np.maximum(np.maximum(np.abs(left), np.abs(right)), SMALLEST)
    return gap


Account = tuple[str, Array, Array]  # its name and its two sides


def all_balance(accounts: Sequence[Account]) -> bool:
    """Whether all accounts surely balance; small ones are looked at together. If not, `balance` judges each."""
    small = [account for account in accounts if account[1].size <= FEW]
    sides = [tuple(np.concatenate([np.ravel(account[side]) for account in small]) for side in (1, 2))]
    sides += [(left, right) for _, left, right in accounts if left.size > FEW]
    return all(itertools.starmap(_agree, sides))


def _agree(one: Array, other: Array) -> bool:
    """Whether no two numbers differ by more than is allowed; most sides differ by less than the smallest flow may."""
    gap = one - other
    if max(gap.max(), -gap.min()) <= TOLERANCE * SMALLEST:
        return True
    return bool((np.abs(gap) < TOLERANCE * np.maximum(np.abs(one), SMALLEST)).all())


class Ledger:
    """Takes stock when a quarter opens and checks every account when it closes."""

    def __init__(self, model: DecouplingModel) -> None:
        firms = model.chip_firms
        self.capacity = firms.capacity
        self.being_built = firms.being_built
        self.stock = model.input_market.stock
        self.dies = model.chip_market.designers.stock

    def close(self, model: DecouplingModel, quarter: str) -> None:
        """Every identity of the quarter, in the order of the phases."""
        firms, suppliers, states, roster = model.chip_firms, model.suppliers, model.states, model.roster
        chip_market, input_market, p = model.chip_market, model.input_market, model.parameters
        by_segment, by_input = roster.by_segment, roster.by_input

        accounts: list[Account] = []

        def check(name: str, left: Array, right: Array) -> None:
            accounts.append((name, left, right))

        bought = by_segment.sum(chip_market.sales)
        for_designers = firms.made - firms.output
        designers = chip_market.designers
        if designers.any:
            from_lines = at(firms.output, designers.own) - designers.from_stock
            check(
                "dies: made for designers = in their chips and got through fronts",
                total(for_designers),
                total(from_lines * designers.claims) + designers.through_fronts,
            )
            stock = self.dies + designers.to_stock - total(designers.from_stock)
            check("dies: stock = stock before + got - used", designers.stock, stock)
        check("chips: wanted = bought + unmet", chip_market.demand, bought + chip_market.unmet)
        bought_by_all = total_over_rows(bought)
        check("chips: made = bought", by_segment.sum(firms.output), bought_by_all)
        check(
            "chips: firms' revenue = buyers' spending, and designers' on dies",
            total(firms.revenue),
            total(bought_by_all * chip_market.paid) + total(for_designers * by_segment.spread(chip_market.paid)),
        )
        capacity = np.where(firms.has_lines > 0, self.capacity - firms.closing, chip_market.capacity)
        able = capacity * (1.0 - firms.outage * firms.has_lines)  # of designers' it is in what they could book
        check("chips: made within capacity", np.maximum(firms.made, able), able)
        check("inputs: delivered = sold", input_market.delivered, by_input.sum(input_market.sales))
        check(
            "inputs: suppliers' revenue = buyers' spending",
            total(suppliers.revenue),
            total(total_over_rows(input_market.delivered)),
        )
        check(
            "tools: received by firms = delivered by suppliers and taken from store",
            roster.by_group.sum(firms.tools_received),
            ((input_market.delivered - input_market.stored) * roster.is_equipment).sum(axis=-1),
        )
        check(
            "materials: stock = stock before + delivered - used",
            input_market.stock,
            (self.stock + input_market.delivered - input_market.used) * roster.is_material,
        )
        check(
            "lines: building = building before + begun + moved in - arrived - abandoned - called off",
            firms.being_built,
            self.being_built + firms.new_lines + firms.moved_in - firms.arrivals - firms.abandoned - firms.called_off,
        )
        check("lines: moved in = moved out", total(firms.moved_in), total(firms.moved_out))
        wear = p["investment.depreciation"] / 4
        check(
            "lines: capacity = capacity before - closed - worn out + arrived + run in",
            firms.capacity,
            capacity - wear * capacity * firms.has_lines + firms.arrivals + firms.run_in,
        )
        check(
            "money for tools: equity and grants = tools ordered on them + lost to haste",
            total(firms.extra_money),
            total(firms.absorbed) + total(firms.lost_to_haste),
        )
        check(
            "money for tools: grants are part of it",
            total(np.minimum(firms.capacity_grant, firms.extra_money + firms.base_investment)),
            total(firms.capacity_grant),
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
            total(firms.capacity_grant) + total(firms.research_grant) + total(suppliers.research_grant),
        )
        if not all_balance(accounts):
            for account in accounts:
                balance(*account, quarter)
