"""The roster: who there is in a world, and in which groups."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sim.arrays import Array, Flags, Indices
from sim.engine.groups import Groups, at
from sim.start.foundries import Foundries
from sim.world.world import EXPERTS, World


class Roster:
    """Who is who in a world: index arrays that never differ between runs.

    Buyer groups of inputs are the firms owned by the target at home, those foreign-owned there (both by segment),
    and one group for every other state: firms within a group hold the same permits. These are the three kinds of
    buyer, and groups of a kind choose alike. With `entry` the firms of the
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
        # Chip firms are in order of segment, suppliers in order of input: sums by market run over neighbours.
        entrants = world.rows["entrants"] if entry else []
        firm_rows = [*world.rows["chip_firms"], *entrants]
        self.firm_rows = sorted(firm_rows, key=lambda row: self.segments.index(row["segment"]))
        self.is_entrant = np.array([row in entrants for row in self.firm_rows])
        self.supplier_rows = sorted(world.rows["suppliers"], key=lambda row: self.inputs.index(row["input"]))
        self.chip_firms = [row["id"] for row in self.firm_rows]
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
        self.materials, self.software = np.flatnonzero(self.is_material), np.flatnonzero(self.is_software)
        self.tools, self.used_up = np.flatnonzero(self.is_equipment), np.flatnonzero(~self.is_equipment)
        self.is_quality_critical = np.array([word == "yes" for word in world.column("inputs", "quality_critical")])
        self.quality_critical = np.flatnonzero(self.is_quality_critical)
        self.is_quality_bound = np.array([word == "yes" for word in world.column("segments", "quality_bound")])
        self.dispensable = np.array(world.column("inputs", "dispensable"))
        self.has_quality = np.isin(self.segments, world.column("quality", "segment"))
        self.foundries = Foundries(
            world.rows["designers"], self.firm_rows, self.segments, self.firm_site, self.target_owned
        )
        self.is_controlled = np.array([word == "yes" for word in world.column("inputs", "controlled")])
        ends = np.searchsorted(self.supplier_input, np.arange(len(self.inputs) + 1)).tolist()
        self.suppliers_of = [slice(first, end) for first, end in pairwise(ends)]  # of each input
        self.home_suppliers = np.flatnonzero(self.target_supplier)
        self.home_suppliers_by_input = Groups(self.supplier_input[self.home_suppliers], len(self.inputs))
        self.by_segment = Groups(self.firm_segment, len(self.segments))
        self.by_input = Groups(self.supplier_input, len(self.inputs))
        self.by_supplier_state = Groups(self.supplier_state, len(self.states))
        self.by_firm_state = Groups(self.firm_headquarters, len(self.states))
        self.is_controller = np.array([role in ("lead", "ally") for role in self.roles])
        cells = self.supplier_input * len(self.states) + self.supplier_state
        self.by_input_and_state = Groups(cells, len(self.inputs) * len(self.states))
        self.is_dominated = self.is_material & self._largest_seller()
        self.automotive_share = np.array([share or 0.0 for share in world.column("segments", "automotive_share")])
        self.items = (*self.inputs, *self.segments, EXPERTS)  # what a control can be on
        part_of = {row["input"]: self.segments.index(row["segment"]) for row in world.rows["parts"]}
        self.is_part = np.isin(self.inputs, list(part_of))  # materials that the chips of one segment alone need
        self.part_of = np.array([part_of.get(item, -1) for item in self.inputs])
        self._name_groups()
        self.chip_exposure = np.array(world.column("segments", "chip_exposure"))  # part above technical thresholds
        self.foreign_tools = self._foreign_tools()

    def of_groups(self, values: Array) -> Array:
        """What each group has of what is by kind of buyer, (runs, B, …) to (runs, K, …)."""
        return values.take(self.buyer_of_group, axis=1)

    def of_home_suppliers(self, values: Array) -> Array:
        """What the target's suppliers have of each input, (…, suppliers) to (…, inputs)."""
        return self.home_suppliers_by_input.sum(at(values, self.home_suppliers))

    def needed(self, made: Array, need: Array, inputs: Indices | None = None) -> Array:
        """What groups need of materials and software for what their firms make, (runs, F) to (runs, K, I), or of some.

        `need` is by what is made, (runs, 1, I). Materials and software are for lines; parts are for the chips of their
        segment, designers' too.
        """
        which = np.arange(len(self.inputs)) if inputs is None else inputs
        needed: Array = self.by_group.sum(made * self.foundries.has_lines)[..., None] * at(need, which)
        for place in np.flatnonzero(self.is_part[which]):
            of_segment = made * (self.firm_segment == self.part_of[which[place]])
            needed[..., place] = self.by_group.sum(of_segment) * need[..., which[place]]
        return needed

    def _foreign_tools(self) -> Array:
        """What each foreign state sells of each kind of tool by all that foreign states sell, (states, inputs)."""
        shares = np.where(self.target_supplier, 0.0, [row["share"] for row in self.supplier_rows])
        by_state = self.by_input_and_state.sum(shares).reshape(len(self.inputs), len(self.states)).T
        value = by_state * np.where(self.is_equipment, self.world.column("inputs", "market"), 0.0)
        part: Array = value / value.sum()
        return part

    def _largest_seller(self) -> Flags:
        """Inputs of which the target sold more than any other state in the base year."""
        shares = np.array([row["share"] for row in self.supplier_rows])
        by_state = self.by_input_and_state.sum(shares).reshape(len(self.inputs), len(self.states))
        largest: Flags = by_state.argmax(axis=-1) == self.target
        return largest

    def _line_exposures(self) -> Array:
        """What part of the tools for each firm's lines lies above the technical thresholds of controls, (firms,).

        As its segment has it, unless its row says otherwise: some makers are listed by name and others are not.
        """
        of_segment = np.array(self.world.column("segments", "control_exposure"))[self.firm_segment]
        stated = np.array(
            [np.nan if row.get("control_exposure") is None else row["control_exposure"] for row in self.firm_rows]
        )
        exposures: Array = np.where(np.isnan(stated), of_segment, stated)
        return exposures

    def _name_groups(self) -> None:
        keys: list[tuple[int, int, int, float]] = []
        exposures = self._line_exposures()
        for site, headquarters, segment, exposure in zip(
            self.firm_site, self.firm_headquarters, self.firm_segment, exposures, strict=True
        ):
            if site != self.target:
                keys.append((1, int(site), 0, 0.0))
            else:
                keys.append((0, int(headquarters != self.target), int(segment), float(exposure)))
        order = sorted(set(keys))
        self.group_of_firm = np.array([order.index(key) for key in keys])
        self.group_state = np.array([self.target if key[0] == 0 else key[1] for key in order])
        self.group_at_home = np.array([key[0] == 0 for key in order])
        self.group_target_owned = np.array([key[0] == 0 and key[1] == 0 for key in order])
        self.home = slice(0, int(self.group_at_home.sum()))  # the groups in the target, which come first
        self.owned = slice(0, int(self.group_target_owned.sum()))  # and before all those of its own firms
        self.abroad = slice(self.home.stop, len(order))
        self.buyers = self.owned, slice(self.owned.stop, self.home.stop), self.abroad  # the groups of each kind
        self.buyer_at_home = np.array([True, True, False])
        self.buyer_of_group = np.repeat(range(len(self.buyers)), [kind.stop - kind.start for kind in self.buyers])
        self.by_group_state = Groups(self.group_state, len(self.states))
        self.group_segment = np.array([key[2] for key in order])  # has a meaning for groups at home only
        self.line_exposure = np.array([key[3] for key in order])  # of the tools for its lines, as `_line_exposures`
        self.by_group = Groups(self.group_of_firm, len(order))
        self.group_names = [
            f"{self.states[self.target]} {'owned' if key[1] == 0 else 'foreign-owned'} {self.segments[key[2]]}"
            + (f" exposed {key[3]:g}" if sum(other[:3] == key[:3] for other in order) > 1 else "")
            if key[0] == 0
            else self.states[key[1]]
            for key in order
        ]

    def total(self, name: str) -> float:
        """A total of the world's industry, by its id."""
        return float(next(row["value"] for row in self.world.rows["totals"] if row["id"] == name))
