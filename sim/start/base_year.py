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

from sim.arrays import Array, Flags, Indices
from sim.calendar import QUARTERS_PER_YEAR
from sim.engine.groups import Groups, total, total_over_rows
from sim.engine.parameters import Parameters
from sim.errors import BadInput
from sim.scenario.scenario import Scenario
from sim.start.keys import BASE_YEAR_KEYS
from sim.world.world import World

FITTING_ROUNDS = 60  # the largest residual of the fitted flows is below 1e-9 of a flow after 40


class Layout:
    """Who is who in a world: index arrays that never differ between runs.

    Buyer groups of inputs are the makers owned by the target at home, those foreign-owned there (both by segment),
    and one group for every other state: firms within a group hold the same permits. With `entry` the makers of the
    target that may enter on subsidies are there too; in 2020 they make nothing.
    """

    def __init__(self, world: World, entry: bool = False) -> None:
        def index(ids: list[str], names: list[str]) -> Indices:
            return np.array([ids.index(name) for name in names], dtype=np.int64)

        self.world = world
        self.states: list[str] = world.column("states", "id")
        self.segments: list[str] = world.column("segments", "id")
        self.inputs: list[str] = world.column("inputs", "id")
        self.roles: list[str] = world.column("states", "role")
        self.target = self.roles.index("target")
        self.lead = self.roles.index("lead")
        # Makers stand segment by segment and suppliers input by input, so that sums by market run over neighbours.
        entrants = world.rows["entrants"] if entry else []
        firm_rows = [*world.rows["chip_firms"], *entrants]
        self.firm_rows = sorted(firm_rows, key=lambda row: self.segments.index(row["segment"]))
        self.is_entrant = np.array([row in entrants for row in self.firm_rows])
        self.supplier_rows = sorted(world.rows["suppliers"], key=lambda row: self.inputs.index(row["input"]))
        self.firms = [row["id"] for row in self.firm_rows]
        self.suppliers = [row["id"] for row in self.supplier_rows]
        self.firm_headquarters = index(self.states, [row["headquarters"] for row in self.firm_rows])
        self.firm_site = index(self.states, [row["site"] for row in self.firm_rows])
        self.firm_segment = index(self.segments, [row["segment"] for row in self.firm_rows])
        self.supplier_state = index(self.states, [row["headquarters"] for row in self.supplier_rows])
        self.supplier_input = index(self.inputs, [row["input"] for row in self.supplier_rows])
        self.at_home = self.firm_site == self.target
        self.target_owned = self.firm_headquarters == self.target
        self.target_supplier = self.supplier_state == self.target
        self.sells = np.array([row["share"] > 0 for row in self.supplier_rows])  # sold anything in 2019
        kinds = world.column("inputs", "kind")
        self.is_equipment = np.array([kind == "equipment" for kind in kinds])
        self.is_material = np.array([kind == "material" for kind in kinds])
        self.is_software = np.array([kind == "software" for kind in kinds])
        self.is_quality_critical = np.array([word == "yes" for word in world.column("inputs", "quality_critical")])
        self.is_quality_bound = np.array([word == "yes" for word in world.column("segments", "quality_bound")])
        self.dispensable = np.array(world.column("inputs", "dispensable"))
        self.is_controlled = np.array([word == "yes" for word in world.column("inputs", "controlled")])
        self.by_segment = Groups(self.firm_segment, len(self.segments))
        self.by_input = Groups(self.supplier_input, len(self.inputs))
        self.by_supplier_state = Groups(self.supplier_state, len(self.states))
        self.by_maker_state = Groups(self.firm_headquarters, len(self.states))
        self.is_controller = np.array([role in ("lead", "ally") for role in self.roles])
        cells = self.supplier_input * len(self.states) + self.supplier_state
        self.by_input_and_state = Groups(cells, len(self.inputs) * len(self.states))
        self.is_dominated = self.is_material & self._largest_seller()
        self.automotive_share = np.array([share or 0.0 for share in world.column("segments", "automotive_share")])
        self._name_groups()

    def _largest_seller(self) -> Flags:
        """Inputs of which the target sold more than any other state in the base year."""
        shares = np.array([row["share"] for row in self.supplier_rows])
        by_state = self.by_input_and_state.sum(shares).reshape(len(self.inputs), len(self.states))
        return by_state.argmax(axis=-1) == self.target

    def _name_groups(self) -> None:
        keys = []
        for site, headquarters, segment in zip(self.firm_site, self.firm_headquarters, self.firm_segment, strict=True):
            if site != self.target:
                keys.append((1, int(site), 0))
            else:
                keys.append((0, int(headquarters != self.target), int(segment)))
        order = sorted(set(keys))
        self.group_of_firm = np.array([order.index(key) for key in keys])
        self.group_state = np.array([self.target if key[0] == 0 else key[1] for key in order])
        self.group_at_home = np.array([key[0] == 0 for key in order])
        self.group_target_owned = np.array([key[0] == 0 and key[1] == 0 for key in order])
        self.group_segment = np.array([key[2] for key in order])  # has a meaning for groups at home only
        self.by_group = Groups(self.group_of_firm, len(order))
        self.group_names = [
            f"{self.states[self.target]} {'owned' if key[1] == 0 else 'foreign-owned'} {self.segments[key[2]]}"
            if key[0] == 0
            else self.states[key[1]]
            for key in order
        ]

    def total(self, name: str) -> float:
        return next(row["value"] for row in self.world.rows["totals"] if row["id"] == name)


@dataclass(frozen=True)
class BaseYear:
    """The base year of every run. G segments, S states, M makers, K groups, I inputs, U suppliers; units as above."""

    demand: Array  # (runs, S, G) chips used
    chip_share: Array  # (runs, S, M) each buyer's shares of makers, sum to 1 within a segment
    output: Array  # (runs, M); of an entrant, of the fab it plans
    capital: Array  # (runs, M) tools in place, bn yuan; of an entrant, what its fab takes
    private_investment: Array  # (runs, M) tools bought a quarter out of firms' own decision
    programme_investment: Array  # (runs, M) tools bought a quarter by the state-led programme that 2020 contains
    material_need: Array  # (runs, 1, I) materials and software per unit of chips; zero for equipment
    tool_mix: Array  # (I,) parts of a line's cost, sum to 1; zero for what is not equipment
    input_need: Array  # (runs, K, I) purchases of inputs
    input_share: Array  # (runs, K, U) each group's shares of suppliers, sum to 1 within an input
    supplier_revenue: Array  # (runs, U)
    supplier_gap: Array  # (runs, U) log distance of quality from parity, 0 for all but the target's suppliers


def base_year(layout: Layout, parameters: Parameters) -> BaseYear:
    """The base year of every run; computed once for runs that share the parameters it depends on."""
    rows = np.concatenate([parameters[key] for key in BASE_YEAR_KEYS], axis=-1)
    distinct, place = np.unique(rows, axis=0, return_inverse=True)
    given = {key: np.ascontiguousarray(distinct[:, [column]]) for column, key in enumerate(BASE_YEAR_KEYS)}
    found = _construct(layout, given)
    if len(distinct) == len(rows) == 1:
        return found
    return BaseYear(
        **{
            name: value if name == "tool_mix" else np.take(value, place.ravel(), axis=0)
            for name, value in vars(found).items()
        }
    )


def try_base_year(scenarios: Sequence[Scenario]) -> None:
    """BadInput where one of the scenarios, all of one world, makes no base year."""
    base_year(Layout(scenarios[0].world), Parameters(scenarios))


def _construct(layout: Layout, given: dict[str, Array]) -> BaseYear:
    to_yuan = given["base.exchange_rate"] / QUARTERS_PER_YEAR  # bn USD a year to bn yuan a quarter
    planned = to_yuan * np.array([row["output"] for row in layout.firm_rows])
    output = np.where(layout.is_entrant, 0.0, planned)
    demand = _demand(layout, given, output)
    chip_flow = _chip_flows(layout, given, demand, output)
    chip_share = chip_flow / layout.by_segment.spread(layout.by_segment.sum(chip_flow))
    output = total_over_rows(layout.by_segment.spread(demand) * chip_share)
    capital, private, programme = _investment(layout, given, output)
    if layout.is_entrant.any():
        chip_share = _with_entrants(layout, chip_share, demand, planned)
        output = np.where(layout.is_entrant, planned, output)
    mix = np.where(layout.is_equipment, layout.world.column("inputs", "market"), 0.0)
    mix = mix / mix.sum()
    per_chip = to_yuan * np.where(layout.is_equipment, 0.0, layout.world.column("inputs", "market"))
    made = output * ~layout.is_entrant
    material_need = (per_chip / total(made))[:, None, :]
    tools = layout.by_group.sum(private + programme)[..., None] * mix
    need = tools + layout.by_group.sum(made)[..., None] * material_need
    flow = _input_flows(layout, given, need)
    input_share = flow / layout.by_input.spread(layout.by_input.sum(flow))
    sales = layout.by_input.spread(need) * input_share
    return BaseYear(
        demand,
        chip_share,
        output,
        capital,
        private,
        programme,
        material_need,
        mix,
        need,
        input_share,
        total_over_rows(sales),
        _supplier_gaps(layout, sales),
    )


def _demand(layout: Layout, given: dict[str, Array], output: Array) -> Array:
    """Chips used by state and segment. The target's market is given; the others share what is left."""
    world = layout.world
    table = np.zeros((len(layout.states), len(layout.segments)))
    for row in world.rows["demand"]:
        table[layout.states.index(row["state"]), layout.segments.index(row["segment"])] = row["demand"]
    scale = given["base.chip_market"] / QUARTERS_PER_YEAR / table[layout.target].sum()
    of_target = scale * table[layout.target]
    left = layout.by_segment.sum(output) - of_target
    if (left <= 0).any():
        segment = layout.segments[int(np.argmax((left <= 0).any(axis=0)))]
        raise BadInput(
            f"base.chip_market = {float(given['base.chip_market'].max()):g}: the target would use more "
            f"{segment} than the world makes; take a smaller market"
        )
    others = table.copy()
    others[layout.target] = 0.0
    others = others / others.sum(axis=0)
    demand = left[:, None, :] * others
    demand[:, layout.target, :] = of_target
    return demand


def _chip_flows(layout: Layout, given: dict[str, Array], demand: Array, output: Array) -> Array:
    """Who buys whose chips: the home sales of makers in the target are given, the rest is fitted with a home bias."""
    own = np.arange(len(layout.states))[:, None] == layout.firm_site
    home_sales = given["base.domestic_supply_share"] * given["base.chip_market"] / QUARTERS_PER_YEAR
    made_at_home = output * layout.at_home
    part_sold_at_home = home_sales / total(made_at_home)
    kept = part_sold_at_home * made_at_home
    if (part_sold_at_home >= 1).any() or (layout.by_segment.sum(kept) >= demand[:, layout.target]).any():
        raise BadInput(
            f"base.domestic_supply_share = {float(given['base.domestic_supply_share'].max()):g} of base.chip_market = "
            f"{float(given['base.chip_market'].max()):g}: more would be sold at home than is made there; "
            "take a smaller share or a smaller market"
        )
    fixed = np.zeros((*demand.shape[:2], output.shape[-1]))
    fixed[:, layout.target] = kept
    prior = np.where(own, given["base.home_bias"][..., None], 1.0)
    prior[:, layout.target] = np.where(layout.at_home, 0.0, 1.0)
    to_buyers = demand.copy()
    to_buyers[:, layout.target] = demand[:, layout.target] - layout.by_segment.sum(kept)
    return fixed + _fit(prior, to_buyers, output - kept, layout.by_segment)


def _with_entrants(layout: Layout, chip_share: Array, demand: Array, planned: Array) -> Array:
    """The same shares with those that entrants would have with their planned fab at full work; they sell at home."""
    share = chip_share.copy()
    at_home = planned / layout.by_segment.spread(demand[:, layout.target])
    share[:, layout.target] = np.where(layout.is_entrant, at_home, share[:, layout.target])
    return share


def _fit(flow: Array, to_rows: Array, from_columns: Array, by_market: Groups) -> Array:
    """Iterative proportional fitting of flows (runs, buyers, sellers) to what buyers take and sellers give."""
    for _ in range(FITTING_ROUNDS):
        bought = by_market.sum(flow)
        flow = flow * by_market.spread(to_rows / np.where(bought > 0, bought, 1.0))
        sold = total_over_rows(flow)
        flow = flow * (from_columns / np.where(sold > 0, sold, 1.0))[:, None, :]
    return flow


def _investment(layout: Layout, given: dict[str, Array], output: Array) -> tuple[Array, Array, Array]:
    """Capital and yearly tools of each firm: from the accounts of the target's firms, elsewhere from one coefficient.

    What a young firm's accounts hold beyond the cost of lines for its capacity is still being run in; it is not what
    its next line costs, and is left out.

    What the target's spending exceeds private investment there by is led by the state, in proportion to capital.
    """
    to_yuan = given["base.exchange_rate"]
    rate = given["investment.depreciation"] + given["demand.growth"]
    tools_target = to_yuan * layout.total("equipment_spending_target")
    tools_elsewhere = to_yuan * layout.total("equipment_spending_world") - tools_target
    output_elsewhere = total(output * ~layout.at_home)
    accounts = np.array([row["capital"] or 0.0 for row in layout.firm_rows])
    in_place = ~layout.is_entrant
    scale = given["base.target_capital"]
    line_cost = given["base.line_cost"] * output * QUARTERS_PER_YEAR / given["investment.normal_utilisation"]
    capital = np.where(
        layout.target_owned,
        np.where(layout.is_entrant, to_yuan * accounts, np.minimum(to_yuan * accounts, line_cost)) * scale,
        output * tools_elsewhere / rate / output_elsewhere,
    )
    private = capital * in_place * rate / QUARTERS_PER_YEAR
    led_by_state = tools_target / QUARTERS_PER_YEAR - total(private * layout.at_home)
    if (led_by_state < 0).any():
        raise BadInput(
            f"base.target_capital = {float(given['base.target_capital'].max()):g}: private upkeep alone would exceed "
            "the published equipment spending; take a smaller value"
        )
    owned = capital * layout.target_owned * in_place
    return capital, private, given["state_programme.scale"] * led_by_state * owned / total(owned)


def _input_flows(layout: Layout, given: dict[str, Array], need: Array) -> Array:
    """Who buys whose inputs: published world shares of the suppliers, with the target's bias to its own."""
    shares = np.array([row["share"] for row in layout.supplier_rows])
    shares = shares / layout.by_input.spread(layout.by_input.sum(shares))
    sales = layout.by_input.spread(total_over_rows(need)) * shares
    at_home = layout.group_at_home[:, None] & layout.target_supplier
    prior = np.where(at_home, given["base.target_home_bias"][..., None], 1.0)
    # makers that buy nothing yet will choose as the others at home do
    return _fit(prior, np.maximum(need, 1e-12), sales, layout.by_input)


def _supplier_gaps(layout: Layout, sales: Array) -> Array:
    """How far the target's suppliers are from parity, half of the home market: minus the log-odds of their share."""
    at_home = total_over_rows(sales * layout.group_at_home[:, None])
    share = at_home / layout.by_input.spread(layout.by_input.sum(at_home))
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    return np.where(layout.target_supplier, np.maximum(0.0, np.log((1 - inside) / inside)), 0.0)
