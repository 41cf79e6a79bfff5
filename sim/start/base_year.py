"""The base year: the published figures of 2020 turned into a consistent starting point.

Markets are written in hat form: a share is its base share times, for each driver, (present / base) to a power. So
the base year is met by construction; that is calibration, not evidence. What is not published (who buys from whom,
the tools of a firm without accounts) is filled in here, by iterative proportional fitting and by stated coefficients.

Amounts are bn yuan a quarter at 2020 prices, stocks bn yuan; the leading axis is runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.arrays import Array
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.groups import Groups, divisor, total, total_over_rows
from sim.engine.parameters import Parameters
from sim.engine.runs import ByRun, Pick
from sim.errors import BadInput
from sim.scenario.scenario import Scenario
from sim.start.keys import BASE_YEAR_KEYS
from sim.start.roster import Roster

FITTING_ROUNDS = 60  # the largest residual of the fitted flows is below 1e-9 of a flow after 40


@dataclass(frozen=True)
class BaseYear(ByRun):
    """The base year of every run. G segments, S states, F firms, K groups of B kinds of buyer, I inputs, U suppliers;
    units as above."""

    demand: Array  # (runs, S, G) chips used
    chip_share: Array  # (runs, S, F) each buyer's shares of firms, sum to 1 within a segment
    output: Array  # (runs, F) chips sold; of an entrant, of the fab it plans
    dies: Array  # (runs, F) made for designers
    capital: Array  # (runs, F) tools in place, bn yuan; of an entrant, what its fab takes
    young_capital: Array  # (runs, F) of the target's firms, tools in place that still had to be run in
    private_investment: Array  # (runs, F) tools bought a quarter out of firms' own decision
    programme_investment: Array  # (runs, F) tools bought a quarter by the state-led programme that 2020 contains
    material_need: Array  # (runs, 1, I) materials and software per unit of chips; zero for equipment
    tool_mix: Array  # (I,) parts of a line's cost, sum to 1; zero for what is not equipment
    input_need: Array  # (runs, K, I) purchases of inputs
    input_share: Array  # (runs, B, U) shares of suppliers by kind of buyer, sum to 1 within an input
    supplier_revenue: Array  # (runs, U)
    supplier_gap: Array  # (runs, U) log distance of quality from parity, 0 for all but the target's suppliers


def base_year(roster: Roster, parameters: Parameters) -> BaseYear:
    """The base year of every run; computed once for runs that share the parameters it depends on."""
    rows = np.concatenate([parameters[key] for key in BASE_YEAR_KEYS], axis=-1)
    distinct, place = np.unique(rows, axis=0, return_inverse=True)
    given = {key: np.ascontiguousarray(distinct[:, [column]]) for column, key in enumerate(BASE_YEAR_KEYS)}
    distinct_years = _construct(roster, given)
    if len(distinct) == len(rows) == 1:
        return distinct_years
    return distinct_years.picked(Pick(place.ravel()))


def try_base_year(scenarios: Sequence[Scenario]) -> None:
    """BadInput where one of the scenarios, all of one world, has no base year."""
    base_year(Roster(scenarios[0].world), Parameters(scenarios))


def _construct(roster: Roster, given: dict[str, Array]) -> BaseYear:
    to_yuan = given["base.exchange_rate"] / QUARTERS_PER_YEAR  # bn USD a year to bn yuan a quarter
    planned = to_yuan * np.array([row["output"] for row in roster.firm_rows])
    output = np.where(roster.is_entrant, 0.0, planned)
    demand = _demand(roster, given, output)
    chip_flow = _chip_flows(roster, given, demand, output)
    chip_share = chip_flow / roster.by_segment.spread(roster.by_segment.sum(chip_flow))
    output = total_over_rows(roster.by_segment.spread(demand) * chip_share)
    dies = _dies(roster, output)
    on_lines = (output + dies) * roster.foundries.has_lines
    capital, young, private, programme = _investment(roster, given, on_lines)
    if roster.is_entrant.any():
        chip_share = _with_entrants(roster, chip_share, demand, planned)
        output = np.where(roster.is_entrant, planned, output)
    mix = np.where(roster.is_equipment, roster.world.column("inputs", "market"), 0.0)
    mix = mix / mix.sum()
    per_chip = to_yuan * np.where(roster.is_equipment, 0.0, roster.world.column("inputs", "market"))
    made = (output + dies) * ~roster.is_entrant
    material_need = _material_need(roster, per_chip, made)
    tools = roster.by_group.sum(private + programme)[..., None] * mix
    need = tools + roster.needed(made, material_need)
    flow = _input_flows(roster, given, need)
    input_share = flow / roster.by_input.spread(roster.by_input.sum(flow))
    sales = roster.by_input.spread(need) * roster.of_groups(input_share)
    return BaseYear(
        demand,
        chip_share,
        output,
        dies,
        capital,
        young,
        private,
        programme,
        material_need,
        mix,
        need,
        input_share,
        total_over_rows(sales),
        _supplier_gaps(roster, sales),
    )


def _demand(roster: Roster, given: dict[str, Array], output: Array) -> Array:
    """Chips used by state and segment. The target's market is given; the others share what is left."""
    world = roster.world
    table = np.zeros((len(roster.states), len(roster.segments)))
    for row in world.rows["demand"]:
        table[roster.states.index(row["state"]), roster.segments.index(row["segment"])] = row["demand"]
    scale = given["base.chip_market"] / QUARTERS_PER_YEAR / table[roster.target].sum()
    of_target = scale * table[roster.target]
    left = roster.by_segment.sum(output) - of_target
    if (left <= 0).any():
        segment = roster.segments[int(np.argmax((left <= 0).any(axis=0)))]
        raise BadInput(
            f"base.chip_market = {float(given['base.chip_market'].max()):g}: the target would use more "
            f"{segment} than the world makes; take a smaller market"
        )
    others = table.copy()
    others[roster.target] = 0.0
    others = others / others.sum(axis=0)
    demand: Array = left[:, None, :] * others
    demand[:, roster.target, :] = of_target
    return demand


def _chip_flows(roster: Roster, given: dict[str, Array], demand: Array, output: Array) -> Array:
    """Who buys whose chips: the home sales of firms in the target are given, the rest is fitted with a home bias."""
    own = np.arange(len(roster.states))[:, None] == roster.firm_site
    home_sales = given["base.domestic_supply_share"] * given["base.chip_market"] / QUARTERS_PER_YEAR
    made_at_home = output * roster.at_home
    part_sold_at_home = home_sales / total(made_at_home)
    kept = part_sold_at_home * made_at_home
    if (part_sold_at_home >= 1).any() or (roster.by_segment.sum(kept) >= demand[:, roster.target]).any():
        raise BadInput(
            f"base.domestic_supply_share = {float(given['base.domestic_supply_share'].max()):g} of base.chip_market = "
            f"{float(given['base.chip_market'].max()):g}: more would be sold at home than is made there; "
            "take a smaller share or a smaller market"
        )
    fixed = np.zeros((*demand.shape[:2], output.shape[-1]))
    fixed[:, roster.target] = kept
    prior = np.where(own, given["base.home_bias"][..., None], 1.0)
    to_target = np.where(roster.foundries.is_designer & roster.target_owned, given["base.target_home_bias"], 1.0)
    prior[:, roster.target] = np.where(roster.at_home, 0.0, to_target)
    to_buyers = demand.copy()
    to_buyers[:, roster.target] = demand[:, roster.target] - roster.by_segment.sum(kept)
    return fixed + _fit(prior, to_buyers, output - kept, roster.by_segment)


def _material_need(roster: Roster, bought: Array, made: Array) -> Array:
    """Materials and software by what is made: all that lines make or, of parts, the chips of their segment."""
    need = bought / total(made * roster.foundries.has_lines)
    of_segment = roster.by_segment.sum(made)
    for item in np.flatnonzero(roster.is_part):
        need[:, item] = bought[:, item] / of_segment[:, roster.part_of[item]]
    return need[:, None, :]


def _dies(roster: Roster, output: Array) -> Array:
    """What lines make for designers at their site, in proportion to what else they make, (runs, F)."""
    foundries = roster.foundries
    if not foundries.any:
        return np.zeros_like(output)
    needed = foundries.by_book.sum(np.take(output, foundries.designers, axis=-1) * foundries.claim * foundries.young)
    dies = np.zeros_like(output)
    dies[:, foundries.makers] = total_over_rows(foundries.ordered(needed, np.take(output, foundries.makers, axis=-1)))
    return dies


def _with_entrants(roster: Roster, chip_share: Array, demand: Array, planned: Array) -> Array:
    """The same shares with those that entrants would have with their planned fab at full work; they sell at home."""
    share = chip_share.copy()
    at_home = planned / roster.by_segment.spread(demand[:, roster.target])
    share[:, roster.target] = np.where(roster.is_entrant, at_home, share[:, roster.target])
    return share


def _fit(flow: Array, to_rows: Array, from_columns: Array, by_market: Groups) -> Array:
    """Iterative proportional fitting of flows (runs, buyers, sellers) to what buyers take and sellers give."""
    for _ in range(FITTING_ROUNDS):
        bought = by_market.sum(flow)
        flow = flow * by_market.spread(to_rows / divisor(bought))
        sold = total_over_rows(flow)
        flow = flow * (from_columns / divisor(sold))[:, None, :]
    return flow


def _investment(roster: Roster, given: dict[str, Array], output: Array) -> tuple[Array, Array, Array, Array]:
    """Capital and yearly tools of each firm: from the accounts of the target's firms, elsewhere from one coefficient.

    What a young firm's accounts hold beyond the cost of lines for its capacity is not what its next line costs: a part
    of it is still being run in (`base.running_in`).

    Capital elsewhere is spread by what is made there and, in part, by the tools that each region bought.

    What the target's spending exceeds private investment there by is led by the state, in proportion to capital; a
    firm that pays by its own accounts is reached less (`programme` of its row).
    """
    to_yuan = given["base.exchange_rate"]
    rate = given["investment.depreciation"] + given["demand.growth"]
    tools_target = to_yuan * roster.total("equipment_spending_target")
    tools_elsewhere = to_yuan * roster.total("equipment_spending_world") - tools_target
    output_elsewhere = total(output * ~roster.at_home)
    accounts = np.array([row["capital"] or 0.0 for row in roster.firm_rows])
    in_place = ~roster.is_entrant
    scale = given["base.target_capital"]
    line_cost = given["base.line_cost"] * output * QUARTERS_PER_YEAR / given["investment.normal_utilisation"]
    capital = np.where(
        roster.target_owned,
        np.where(roster.is_entrant, to_yuan * accounts, np.minimum(to_yuan * accounts, line_cost)) * scale,
        output * tools_elsewhere / rate / output_elsewhere * _regional(roster, given, output),
    )
    private = capital * in_place * rate / QUARTERS_PER_YEAR
    led_by_state = tools_target / QUARTERS_PER_YEAR - total(private * roster.at_home)
    if (led_by_state < 0).any():
        raise BadInput(
            f"base.target_capital = {float(given['base.target_capital'].max()):g}: private upkeep alone would exceed "
            "the published equipment spending; take a smaller value"
        )
    reached = np.array([1.0 if row.get("programme") is None else row["programme"] for row in roster.firm_rows])
    owned = capital * roster.target_owned * in_place * reached
    beyond = np.maximum(0.0, to_yuan * accounts * scale - capital) * (roster.target_owned & in_place)
    young = given["base.running_in"] * beyond
    return capital, young, private, given["state_programme.scale"] * led_by_state * owned / total(owned)


def _regional(roster: Roster, given: dict[str, Array], output: Array) -> Array:
    """Tools bought in a maker's state by its output there, against the mean outside the target, (runs, F).

    In part by the table's tools (`base.regional`), in part the same everywhere; so also where the table gives none.
    """
    bought = np.array([np.nan if tools is None else tools for tools in roster.world.column("states", "equipment")])
    if np.isnan(bought).all():
        return np.ones_like(output)
    made = Groups(roster.firm_site, len(roster.states)).sum(output * ~roster.at_home)
    known = ~np.isnan(bought) & (made > 0)
    mean = total(np.where(known, bought, 0.0)) / total(made * known)
    relative = np.where(known, bought / np.where(known, made, 1.0) / mean, 1.0)
    factor: Array = 1.0 + given["base.regional"] * (np.take(relative, roster.firm_site, axis=-1) - 1.0)
    return factor


def _input_flows(roster: Roster, given: dict[str, Array], need: Array) -> Array:
    """Who buys whose inputs, by kind of buyer: published world shares, with the target's bias to its own suppliers."""
    shares = np.array([row["share"] for row in roster.supplier_rows])
    shares = shares / roster.by_input.spread(roster.by_input.sum(shares))
    sales = roster.by_input.spread(total_over_rows(need)) * shares
    by_buyer = np.stack([total_over_rows(need[:, groups]) for groups in roster.buyers], axis=1)
    at_home = roster.buyer_at_home[:, None] & roster.target_supplier
    prior = np.where(at_home, given["base.target_home_bias"][..., None], 1.0)
    # kinds that buy nothing, or nothing yet, choose as the others there do
    return _fit(prior, np.maximum(by_buyer, 1e-12), sales, roster.by_input)


def _supplier_gaps(roster: Roster, sales: Array) -> Array:
    """How far the target's suppliers are from parity, half of the home market: minus the log-odds of their share."""
    at_home = total_over_rows(sales * roster.group_at_home[:, None])
    share = at_home / roster.by_input.spread(roster.by_input.sum(at_home))
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    return np.where(roster.target_supplier, np.maximum(0.0, np.log((1 - inside) / inside)), 0.0)
