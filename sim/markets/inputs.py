"""The markets of inputs: chip firms buy equipment, materials and design software from the world's suppliers.

Buyers come in groups that hold the same permits, of three kinds that choose alike (`Roster`). Amounts are bn yuan a
quarter at 2020 prices. Shapes: K buyer groups, B kinds of buyer, I inputs, U suppliers.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from sim.agents import ChipFirm, State, Supplier
from sim.arrays import Array
from sim.calendar import QUARTERS_PER_YEAR, is_first_of_year
from sim.engine.groups import at, divisor, ratio, total, total_over_rows
from sim.engine.kept import Kept
from sim.engine.parameters import Parameters
from sim.engine.runs import ByRun, Pick
from sim.engine.streams import Luck, agent_keys
from sim.markets.denial import Alike, GroupDenial, Severity, by_licence, decided, part_met, supplied
from sim.start.base_year import BaseYear
from sim.start.roster import Roster

OWN, _, ELSEWHERE = range(3)  # kinds of buyer: the target's own firms, foreign-owned ones there, and all others
NEWTON_STEPS = 4  # to find the odds that a mandate asks for, from those of the quarter before


class InputMarket(ByRun):
    """Needs, choice of suppliers, permits, deliveries and the stocks of materials, for all runs at once."""

    SAME = ("_weights", "_buyers_at_home", "_alike", "_apart")

    def __init__(self, roster: Roster, base: BaseYear, parameters: Parameters, luck: Luck) -> None:
        self.roster = roster
        self.base = base
        self._luck = luck
        first = roster.buyer_at_home[:, None] & roster.target_supplier & ~roster.sells
        self._newcomers = np.flatnonzero(first.any(axis=0))  # suppliers that may enter
        shares = parameters["research.entry_share"][..., None] * first
        self._entry_share = at(shares, self._newcomers)  # (runs, B, newcomers)
        self._keys = agent_keys(roster.suppliers)
        self._quality_bound = roster.group_at_home & roster.is_quality_bound[roster.group_segment]
        self._weights = np.where(self._quality_bound[:, None] & roster.is_quality_critical, 0.0, base.tool_mix)
        self._weights = self._weights / self._weights.sum(axis=-1, keepdims=True)
        self._base_share = roster.of_groups(base.input_share)  # (runs, K, U) of suppliers
        self.denied = np.zeros_like(self._base_share[:, roster.home])  # (runs, K at home, U) of base sales, by controls
        self.denied_share = self.denied  # of base purchases
        self.base_denied = total_over_rows(self.denied_share)  # (runs, U) of it in 2020, bn yuan a quarter
        self._bars: Array | None = None  # (runs, K abroad, the target's suppliers) part of base sales, by the target
        self.left = np.ones_like(self._base_share)  # (runs, K, U) of base sales, after controls, bars and outages
        self._is_out = False  # whether an outage takes a part of some supplier's sales
        self._buyers_at_home = tuple(roster.buyer_of_group[roster.home].tolist())
        self._alike = Alike.of(self._buyers_at_home, (0,) * len(self._buyers_at_home))  # all at home are denied alike
        self._apart = Alike.of(self._buyers_at_home, tuple(range(len(self._buyers_at_home))))  # or each by itself
        self._keep_answers()
        self._licence = np.full((len(luck.seeds), len(roster.suppliers)), 0.5)  # the year's draw
        nothing = Severity.nothing(len(luck.seeds), len(roster.states), len(roster.items))
        self.by_controls = self.denial(parameters, nothing, self._licence)
        self.at_home = self.by_controls  # of groups in the target, by whomever
        self._in_force: Severity | None = None
        self._expected: GroupDenial | None = None  # by what is in force, at expected licences
        self.need = base.input_need
        self.delivered = base.input_need  # (runs, K, I)
        self.sales = roster.by_input.spread(base.input_need) * self._base_share  # (runs, K, U)
        self.wanted = self.used = np.zeros_like(base.input_need)  # by the output of the quarter
        need = base.input_need * roster.is_material
        self.stock = need * parameters["materials.stock_quarters"][..., None]  # (runs, K, I)
        self.availability = np.ones_like(base.input_need)  # part of an order that is delivered
        self.choice = base.input_share  # (runs, B, U) what buyers would choose if free
        groups = (len(luck.seeds), len(roster.group_names), 1)
        self.covered = np.ones(groups)  # part of capacity that materials in stock allow, or of each of what is used up
        self._parts = np.flatnonzero(roster.is_part[roster.materials])  # where they are among the materials
        self._has_parts = bool(len(self._parts))
        self._usual_share = base.input_share  # with the first share of who has entered
        self._entered = np.zeros((len(luck.seeds), len(roster.suppliers)))
        self._raised = np.zeros((len(luck.seeds), 1))  # odds of home suppliers, by a mandate so far, log points
        self.store = np.zeros_like(base.input_need)  # (runs, K, I) tools bought ahead, not yet installed
        self.stored = self.store  # change of it this quarter
        self.feared = self.store  # part of an input's supply that may be cut off and is not yet

    def _keep_answers(self) -> None:
        self._barring: Kept[Array | None] = Kept()
        self._leaving: Kept[Array] = Kept()
        # By whether licences are as expected, and whether what denies is in force.
        self._denied_for_lines: dict[tuple[bool, bool], Kept[tuple[Array, Alike]]] = defaultdict(Kept)

    def picked(self, pick: Pick) -> InputMarket:
        """The same state of the runs that are picked."""
        twin = super().picked(pick)
        twin._keep_answers()
        return twin

    def permit(self, parameters: Parameters, in_force: Severity, feared: Severity, barred: Array, quarter: int) -> None:
        """What controls leave of each supplier's base sales to each group in the target, and what is feared.

        `barred` (runs, states, inputs) is what the target denies groups elsewhere of its own.
        """
        p, home = parameters, self.roster.home
        new_year = is_first_of_year(quarter)
        if new_year:
            self._licence = self._luck.draw("licence outcome", quarter, self._keys)
        if new_year or in_force is not self._in_force:
            self._in_force = in_force
            self.by_controls = self.denial(p, in_force, self._licence)
            self.denied = self.by_controls.of_sales
            self.denied_share = self._base_share[:, home] * self.denied
            self.base_denied = self.of_suppliers(self.base.input_need, self.denied_share)
            self._expected = None
        self._bars = self._barring.answer(lambda: self._barred(p, barred), barred, p["retaliation.bite"])
        self.left = self._leaving.answer(self._what_is_left, self.denied, self._bars)
        if p["stockpiling.quarters"].any() or (self._has_parts and p["stockpiling.parts_quarters"].any()):
            self.feared = self._to_come(p, in_force, feared)

    def go_without(self, suppliers: Supplier) -> None:
        """What outages take of suppliers' sales fails for every buyer; who still sells fills in as under a control."""
        self.at_home = self.by_controls
        lost = suppliers.outage[:, None]
        self._is_out = bool(lost.any())
        if self._is_out:
            now, left = self._by_group(self.by_controls), 1.0 - lost
            above, below = (1.0 - left * (1.0 - now.reach * part) for part in (now.above, now.below))
            self.at_home = GroupDenial(above, below, np.ones_like(now.reach), now.exposure, self._apart)  # it hits all
            self.left = self.left * left

    def _barred(self, parameters: Parameters, barred: Array) -> Array | None:
        """The part that groups elsewhere may not buy of the target's suppliers, (runs, K abroad, of the target)."""
        if not barred.any():
            return None
        roster = self.roster
        of_group = np.take(barred, roster.group_state[roster.abroad], axis=1)
        of_group = at(of_group, roster.supplier_input[roster.home_suppliers])
        bars: Array = parameters["retaliation.bite"][..., None] * of_group
        return bars

    def _what_is_left(self) -> Array:
        """What controls and bars leave of base sales, (runs, K, U)."""
        left = np.ones_like(self._base_share)
        left[:, self.roster.home] -= self.denied
        if self._bars is not None:
            left[:, self.roster.abroad, self.roster.home_suppliers] -= self._bars
        return left

    def _to_come(self, parameters: Parameters, in_force: Severity, feared: Severity) -> Array:
        """The part of base supply that may be cut off and is not yet, (runs, K, I), at expected licences."""
        to_come = np.zeros_like(self.base.input_need)
        if feared is in_force:
            return to_come
        if self._expected is None:
            self._expected = self.denial(parameters, in_force)
        worse, now = self.denial(parameters, feared), self._expected
        if worse.alike is not now.alike:  # other lines are named
            worse, now = self._by_group(worse), self._by_group(now)
        home = self.roster.home
        for part, more, less in (
            (worse.exposure, worse.above, now.above),
            (1.0 - worse.exposure, worse.below, now.below),
        ):
            step = more - less
            np.maximum(0.0, step, out=step)
            to_come[:, home] += part * self._lost(self.base.input_share, step, worse.alike)
        to_come[:, home] *= worse.reach
        return to_come

    def _by_group(self, denial: GroupDenial) -> GroupDenial:
        """The same with a row for each group at home."""
        above, below = map(denial.alike.by_group, (denial.above, denial.below))
        return replace(denial, above=above, below=below, alike=self._apart)

    def _lost(self, share: Array, denied: Array, alike: Alike) -> Array:
        """What groups at home choose of who is denied, (runs, K at home, I): shares (runs, B, U), denied by row."""
        lost = self.roster.by_input.sum(share.take(alike.buyer, axis=1) * denied.take(alike.row, axis=1))
        return lost.take(alike.place, axis=1)

    def denial(self, parameters: Parameters, severity: Severity, licence: Array | None = None) -> GroupDenial:
        """The part of each supplier's base sales to each group at home that a severity denies, or is expected to.

        Lines owned by foreigners are reached in part (licences for named plants). What is denied for the lines of a
        segment is denied above the thresholds and below them.
        """
        p, roster = parameters, self.roster
        above, below = decided(p, severity, roster.supplier_state, roster.supplier_input, licence)
        foreign = ~roster.target_supplier
        denied, alike = ((above * foreign)[:, None], (below * foreign)[:, None]), self._alike
        if severity.for_lines.any():
            made_of = severity.for_lines, severity.lines, licence, p["controls.licence_spread"]
            for_lines, alike = self._denied_for_lines[licence is None, severity is self._in_force].answer(
                lambda: self._for_lines(p, severity, licence), *made_of, p["controls.over_compliance"]
            )
            denied = np.maximum(denied[0], for_lines), np.maximum(denied[1], for_lines)
        owned = roster.group_target_owned[self.roster.home][:, None]
        reach = np.where(owned, 1.0, p["controls.foreign_owned_part"][..., None])
        exposure = self.roster.line_exposure[self.roster.home][:, None]
        return GroupDenial(*denied, reach, exposure, alike)

    def _for_lines(self, parameters: Parameters, severity: Severity, licence: Array | None) -> tuple[Array, Alike]:
        """What is denied of each supplier's sales for the lines of some segments, (runs, rows, U).

        The first row is of groups with other lines, the next ones are of the segments that are named.
        """
        roster = self.roster
        columns = [column for column in range(len(severity.lines)) if severity.for_lines[..., column].any()]
        named = sorted({severity.lines[column][1] for column in columns})
        denied = np.zeros((len(severity.for_lines), 1 + len(named), len(roster.suppliers)))
        for column in columns:
            item, segment = severity.lines[column]
            sellers = roster.suppliers_of[item]
            of_sellers = at(severity.for_lines[..., column], roster.supplier_state[sellers])
            for_line = by_licence(parameters, of_sellers, None if licence is None else licence[:, sellers])
            denied[:, 1 + named.index(segment), sellers] = for_line
        rows = [1 + named.index(segment) if segment in named else 0 for segment in roster.group_segment[roster.home]]
        return denied, Alike.of(self._buyers_at_home, tuple(rows))

    def cover(self, firms: ChipFirm) -> None:
        """The part of a group's capacity that its scarcest material in stock allows to run.

        A part of output does without some materials (`dispensable`).
        """
        roster, materials = self.roster, self.roster.materials
        planned = roster.needed(firms.capacity, self.base.material_need, materials)
        in_stock = ratio(at(self.stock, materials), planned, 1.0)
        part = np.minimum(1.0, in_stock)
        part = part + roster.dispensable[materials] * (1.0 - part)
        common = part if not self._has_parts else np.delete(part, self._parts, axis=-1)
        self.covered = common.min(axis=-1, initial=1.0, keepdims=True)
        firms.material_cover = np.where(firms.has_lines > 0, roster.by_group.spread(self.covered[..., 0]), 1.0)
        if self._has_parts:
            self._cover_by_parts(firms, in_stock, part)

    def _cover_by_parts(self, firms: ChipFirm, in_stock: Array, part: Array) -> None:
        """A lack of a part stops its segment alone. (runs, K, materials): stock by what is planned, and at most 1."""
        roster = self.roster
        cover, allow = firms.material_cover, np.full(firms.capacity.shape, np.inf)
        covered = np.repeat(self.covered, len(roster.inputs), axis=-1)
        for place in self._parts:
            item = roster.materials[place]
            covered[..., item] = part[..., place]
            needs = roster.firm_segment == roster.part_of[item]
            cover = np.minimum(cover, np.where(needs, roster.by_group.spread(part[..., place]), 1.0))
            allowed = roster.by_group.spread(in_stock[..., place]) * firms.capacity
            allow = np.minimum(allow, np.where(needs, allowed, np.inf))
        self.covered = at(covered, roster.used_up)
        firms.material_cover, firms.parts_allow = cover, allow

    def use_materials(self, firms: ChipFirm) -> None:
        """Output uses up materials and design software in fixed proportion, as far as there are materials in stock."""
        self.wanted = self.roster.needed(firms.made, self.base.material_need)
        self.used = np.where(self.roster.is_material, np.minimum(self.wanted, self.stock), self.wanted)
        self.stock = self.stock - self.used * self.roster.is_material

    def trade(self, parameters: Parameters, firms: ChipFirm, suppliers: Supplier, states: State) -> None:
        """Order, choose, deliver."""
        p, roster, by_input = parameters, self.roster, self.roster.by_input
        ahead = p["stockpiling.quarters"][..., None] * self.feared  # quarters of need
        if self._has_parts:
            ahead = np.where(roster.is_part, p["stockpiling.parts_quarters"][..., None] * self.feared, ahead)
        tools = roster.by_group.sum(firms.investment)[..., None] * self.base.tool_mix
        hoard, released = self._bought_ahead(p["stockpiling.speed"][..., None], ahead * tools, tools)
        self.choice = self._chosen(p, suppliers, states.expected_cutoff)
        self._mandate(p, self.choice)
        self.availability = self.part_met(p, self.choice, self.at_home)
        need = (tools - released) + hoard
        need[..., roster.used_up] = self._materials_ordered(p, firms, ahead)
        self.need = need
        allowed = roster.of_groups(self.choice)
        allowed *= self.left
        permitted = by_input.sum(allowed)
        self.delivered = self.need * self.availability
        self.sales = by_input.spread(self.delivered / divisor(permitted))
        self.sales *= allowed
        self.stock = self.stock + self.delivered * roster.is_material
        suppliers.revenue = total_over_rows(self.sales)
        suppliers.world_growth = total(suppliers.revenue) / total(suppliers.base_revenue)
        at_hand = self._install(tools, hoard, released)
        self._hand_over(p["production.yield_without_critical_inputs"], at_hand, firms)

    def _materials_ordered(self, parameters: Parameters, firms: ChipFirm, ahead: Array) -> Array:
        """What is used, and what refills the stock a part of the way each quarter, of what is used up, (runs, K, …)."""
        p, roster, which = parameters, self.roster, self.roster.used_up
        wanted, stock = at(self.wanted, which), at(self.stock, which)
        to_come = roster.needed(firms.capacity, self.base.material_need, which)
        without_shortage = wanted / divisor(self.covered)
        use = np.where(wanted > 0, without_shortage, to_come)  # a new fab stocks up before it runs
        kept = use * roster.is_material[which]
        wanted_stock = kept * (p["materials.stock_quarters"][..., None] + at(ahead, which))
        missing = wanted_stock - stock - kept
        refill = missing * p["materials.refill_speed"][..., None]
        if self._has_parts:  # bought at once, within a month of notice too, but not where some are denied
            all_come = at(self.availability, which) > 1.0 - 1e-9
            refill = np.where(roster.is_part[which], missing * all_come, refill)
        ordered: Array = np.maximum(0.0, use + refill)
        return ordered

    def _chosen(self, parameters: Parameters, suppliers: Supplier, expected_cutoff: Array) -> Array:
        """Shares of suppliers by kind of buyer: the base share times quality and cost, (runs, B, U).

        The target's own firms shun who may be cut off.
        """
        p, roster, by_input = parameters, self.roster, self.roster.by_input
        appeal = suppliers.quality * np.exp(-p["buyers.price_elasticity"] * np.log(suppliers.unit_cost))
        risk = at(expected_cutoff, roster.supplier_state)
        shunned = np.where(roster.target_supplier, 1.0, np.exp(-p["buyers.caution"] * risk))
        if not np.array_equal(suppliers.entered, self._entered):
            self._entered = suppliers.entered
            first = self._entry_share * at(suppliers.entered, self._newcomers)[:, None, :]
            self._usual_share = self._usual_share.copy()
            self._usual_share[..., self._newcomers] = self.base.input_share[..., self._newcomers] + first
        share = self._usual_share * appeal[:, None, :]
        share[:, OWN] *= shunned
        share /= by_input.spread(by_input.sum(share))
        return share

    def _mandate(self, parameters: Parameters, choice: Array) -> None:
        """Let a least part of the own firms' tools come from home suppliers: moves their choice, (runs, B, U).

        The odds of every kind of tool that home suppliers sell rise alike, as fast as these can expand, until a line's
        tools meet the mandate by value. What a line loses by tools that it would not have chosen is not in the model.
        """
        least = parameters["mandate.tools"]
        if not least.any():
            self._raised = np.zeros_like(self._raised)
            return
        roster = self.roster
        at_home = roster.of_home_suppliers(choice[:, OWN])
        most = self._raised + parameters["mandate.tools_pace"] / QUARTERS_PER_YEAR
        raised = self._raised
        for _ in range(NEWTON_STEPS):  # towards the odds at which the line's tools just meet the mandate
            asked = raised_odds(at_home, raised)
            short = least - (asked * self.base.tool_mix).sum(axis=-1, keepdims=True)
            slope = (asked * (1.0 - asked) * self.base.tool_mix).sum(axis=-1, keepdims=True)
            raised = np.clip(raised + short / divisor(slope), 0.0, most)
        self._raised = raised
        asked = np.where(roster.is_equipment, raised_odds(at_home, self._raised), at_home)
        by = roster.by_input.spread((1.0 - asked) / divisor(1.0 - at_home))
        by[..., roster.home_suppliers] = at(asked / divisor(at_home), roster.supplier_input[roster.home_suppliers])
        choice[:, OWN] *= by

    def part_met(self, parameters: Parameters, share: Array, denial: GroupDenial) -> Array:
        """What part of its needs each group gets when buyers choose by these shares (runs, B, U), (runs, K, I)."""
        backfill, alike = parameters["controls.backfill"][..., None], denial.alike
        met = np.ones(self.base.input_need.shape)
        met[:, self.roster.home] = part_met(
            denial, denial.exposure, backfill, lambda denied: self._lost(share, denied, alike)
        )
        if (barred := self._barred_abroad(share)) is not None:
            met[:, self.roster.abroad] = supplied(1.0 - barred, backfill)
        return met

    def _barred_abroad(self, share: Array) -> Array | None:
        """The part of their needs that groups elsewhere may not or cannot have, (runs, K abroad, I)."""
        roster, elsewhere = self.roster, share[:, [ELSEWHERE]]
        if self._is_out:
            return roster.by_input.sum(elsewhere * (1.0 - self.left[:, roster.abroad]))
        if self._bars is None:
            return None
        return roster.home_suppliers_by_input.sum(at(elsewhere, roster.home_suppliers) * self._bars)

    def sales_lost(self, denial: GroupDenial) -> Array:
        """What suppliers would not sell to the target under a denial, at its needs and free choice, (runs, U)."""
        return self.of_suppliers(self.need, self.roster.of_groups(self.choice)[:, self.roster.home] * denial.of_sales)

    def denied_now(self) -> Array:
        """What controls deny suppliers of this quarter's needs, at base shares, (runs, U)."""
        return self.of_suppliers(self.need, self.denied_share)

    def of_suppliers(self, need: Array, share: Array) -> Array:
        """Each supplier's part of what the groups at home need, (runs, U)."""
        return total_over_rows(self.roster.by_input.spread(need[:, self.roster.home]) * share)

    def _bought_ahead(self, speed: Array, wanted_store: Array, tools: Array) -> tuple[Array, Array]:
        """Tools ordered ahead of a cut-off, and tools taken from store because fewer are feared to be cut off."""
        gap = wanted_store - self.store
        return np.maximum(0.0, gap) * speed, np.minimum(np.minimum(self.store, tools), np.maximum(0.0, -gap) * speed)

    def _install(self, tools: Array, hoard: Array, released: Array) -> Array:
        """The part of the tools wanted this quarter that is at hand; the store makes up for what is denied."""
        denied = (tools - released) * np.maximum(0.0, 1.0 - self.availability)
        drawn = released + np.minimum(self.store - released, denied)
        self.stored = hoard * self.availability - drawn
        self.store = self.store + self.stored
        from_store = (drawn - released * self.availability) / divisor(tools)
        return self.availability + from_store

    def _hand_over(self, least_yield: Array, at_hand: Array, firms: ChipFirm) -> None:
        """What firms receive of the tools they ordered, what lines these make, and what software is at hand."""
        roster = self.roster
        spread = roster.by_group.spread
        firms.tools_received = firms.investment * spread((at_hand * self.base.tool_mix).sum(axis=-1))
        firms.line_completeness = spread(self.assembled(at_hand, least_yield))
        software = at(self.availability, roster.software)
        firms.design_access = spread(software.min(axis=-1, initial=1.0))
        self._divert(firms)

    def _divert(self, firms: ChipFirm) -> None:
        """Money of the target's firms for tools that were denied goes to who is led by the state and may still buy."""
        owned = self.roster.target_owned
        unspent = total((firms.investment - firms.tools_received) * owned)
        part = firms.tools_received / divisor(firms.investment)
        weight = firms.programme_investment * part * owned
        whole = total(weight)
        firms.diverted = np.maximum(0.0, unspent) * weight / divisor(whole)

    def assembled(self, at_hand: Array, least_yield: Array) -> Array:
        """What a line is worth that is assembled from the tools at hand, (runs, K), 1 with all of them.

        A line is assembled with an elasticity of substitution of one half: the weighted harmonic mean of what part
        of each tool is at hand. In segments whose quality is bound, the critical inputs (in the world of chips
        lithography, for leading and advanced logic) decide the yield instead: a third of it without the best
        (Financial Times 2024), all with them.
        """
        roster = self.roster
        complete = 1.0 / (self._weights / np.maximum(at_hand, 1e-9)).sum(axis=-1)
        critical = at(at_hand, roster.quality_critical).min(axis=-1, initial=1.0)
        return complete * np.where(self._quality_bound, least_yield + (1.0 - least_yield) * critical, 1.0)


def raised_odds(share: Array, by: Array) -> Array:
    """A share whose odds are raised by so many log points; none stays none, and all stays all."""
    lifted = share * np.exp(by)
    raised: Array = lifted / (1.0 - share + lifted)
    return raised
