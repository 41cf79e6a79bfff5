"""What is recorded: every measure with its unit, kind, formula and meaning, in one place.

A measure is made of observables, which are taken down each quarter. How several quarters become one value depends on
the kind: flows are bn yuan a year (a quarter's times four, a year's four summed), ratios are ratios of sums, prices are
means, stocks are values at the period's end. All are about the target state unless they say otherwise. They speak of
chips; in another world they mean that world's products.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from sim.errors import BadInput, nearest
from sim.world.world import World

Observable = tuple[str, int | None]  # its name, and which of its columns; None is their sum


@dataclass(frozen=True)
class Measure:
    """`direction` says which way is better for the target: higher, lower or none."""

    name: str
    unit: str
    kind: str  # flow | ratio | mean | stock
    formula: str
    meaning: str
    direction: str
    over: Observable
    under: Observable | None = None


YEARLY = "bn yuan a year"
SHARE = "0 to 1"
INDEX = "2020 = 1"

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
        "chips used in the target (here and below, in another world: that world's products)",
        "none",
        ("market", None),
    ),
    Measure(
        "chip_production_located",
        YEARLY,
        "flow",
        "sum of output at the site at current prices",
        "chips made in the target by anybody; of those for designers, what the makers are paid",
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
        "shares, at 2020 prices; lower also where less is made",
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
        "sum over sellers of need x base share x part denied",
        "sales that controls deny, of the controllers and of those whom a control reaches through another state, at "
        "base shares and 2020 prices",
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
_BY_NAME = {measure.name: measure for measure in _HEADLINE}
_DESIGN_SHARE = Measure(
    "design_share",
    SHARE,
    "ratio",
    "purchases from firms headquartered there / chip_market",
    "chips by firms headquartered in the target, wherever they are made, by chips used there",
    "higher",
    ("designed", None),
    ("market", None),
)
_AT_LARGE = (
    Measure(
        "chip_production_located_real",
        YEARLY,
        "flow",
        "sum of output at the site at 2020 prices",
        "chips made in the target by anybody, at constant prices",
        "higher",
        ("located_real", None),
    ),
    Measure(
        "chip_imports_real",
        YEARLY,
        "flow",
        "chip_market - home_sales, both at 2020 prices",
        "chips used in the target and made elsewhere, at constant prices",
        "lower",
        ("imports_real", None),
    ),
    Measure(
        "world_chip_sales",
        YEARLY,
        "flow",
        "sum of all firms' output at current prices",
        "chips sold in the world by anybody to anybody",
        "none",
        ("world_chips", None),
    ),
)
_OF_SUPPLIERS = (
    (
        "supplier_sales",
        "sum of sales at 2020 prices",
        "{item} that suppliers of {state} sell in the world",
        "world_sales",
    ),
    (
        "supplier_sales_to_target",
        "sum of sales to lines in the target, whoever owns them, at 2020 prices",
        "{item} that suppliers of {state} sell to the target",
        "sold_to_target",
    ),
)
# Name, unit, kind, formula, meaning, what it is made of.
_OF_FIRMS = (
    ("revenue", YEARLY, "flow", "sum of output at current prices", "chips that {firm} sells", "firm_revenue", None),
    (
        "equipment",
        YEARLY,
        "flow",
        "sum of tools received at 2020 prices",
        "tools delivered to {firm} and paid, those from store included",
        "firm_equipment",
        None,
    ),
    (
        "utilisation",
        SHARE,
        "ratio",
        "output / capacity, both at 2020 prices",
        "part of its capacity that {firm} uses",
        "firm_output",
        "firm_capacity",
    ),
    (
        "capacity",
        YEARLY,
        "flow",
        "sum of what its lines can make at 2020 prices",
        "what {firm} could make with all its lines at full work",
        "firm_capacity",
        None,
    ),
    (
        "home_share",
        SHARE,
        "ratio",
        "sales to buyers in the state of its headquarters / revenue",
        "part of the sales of {firm} that goes to buyers in its own state",
        "firm_home_sales",
        "firm_revenue",
    ),
)
# Name, unit if it is not that of the world's quality, formula, meaning, what it is made of.
_OF_QUALITY = (
    (
        "compute_added",
        "",
        "sum of purchases x what a yuan buys",
        "compute that {state} buys, leaks included",
        "compute",
    ),
    (
        "compute_price",
        "2020 = 1",
        "purchases / compute_added, by the same in 2020",
        "what {state} pays for compute",
        "compute_spent",
    ),
    (
        "compute_sold",
        "",
        "sum of open sales x what a yuan buys",
        "compute that makers of {state} openly sell to the target",
        "compute_sold",
    ),
    (
        "compute_sales",
        YEARLY,
        "sum of open sales at current prices",
        "what the target openly buys from makers of {state} of chips with a quality",
        "compute_sales",
    ),
)
_IN_SPITE = (
    (
        "compute_leaked",
        "",
        "sum of smuggled chips x what a yuan buys",
        "compute that comes to the target in spite of controls, a part of compute_added",
    ),
    ("leaked_sales", YEARLY, "sum of smuggled chips at current prices", "what the target pays for it"),
    (
        "compute_offshore",
        "",
        "demand placed abroad x what a yuan buys there",
        "compute that others run abroad for the target's buyers, a part of what those states add",
    ),
)
BY_FIRM = "firm_"
MOST_FIRMS = 200  # the made-up worlds have thousands, whose columns nobody reads
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


def share_fault(level: float, unit: str) -> str:
    """What is wrong with a level of a share, which every value meets or none; nothing of other units."""
    if unit != SHARE or 0 <= level <= 1:
        return ""
    return f"a share is from 0 to 1; {level:g} % would be {level / 100:g}"


def firms(world: World) -> dict[str, list[str]]:
    """Who has measures of its own, with the ids of its lines: each line by its id, and each company with several.

    Empty in a world of more than `MOST_FIRMS` lines.
    """
    lines = [*world.rows["chip_firms"], *world.rows["entrants"]]
    if len(lines) > MOST_FIRMS:
        return {}
    found = {line["id"]: [line["id"]] for line in lines}
    return found | {company: own for company, own in world.companies.items() if company not in found}


@lru_cache(maxsize=8)
def catalogue(world: World) -> Mapping[str, Measure]:
    """Every measure of a world by name: the headline, then those by segment, input, state, supplier and firm."""
    found = [
        *_HEADLINE,
        *_of_segments(world),
        *_of_inputs(world),
        *_of_states(world),
        *_of_parts(world),
        *_of_quality(world),
        *_AT_LARGE,
        *_of_suppliers(world),
        *_of_firms(world),
    ]
    return MappingProxyType({measure.name: measure for measure in found})


def _part_of(whole: str, name: str, meaning: str, over: Observable, under: Observable | None = None) -> Measure:
    """The same as a headline measure, of a segment, an input or a state alone."""
    return replace(_BY_NAME[whole], name=f"{whole}.{name}", meaning=meaning, over=over, under=under)


def _of_segments(world: World) -> Iterator[Measure]:
    for base in (_BY_NAME[name] for name in _BY_SEGMENT):
        for column, segment in enumerate(world.segments):
            under = (base.under[0], column) if base.under else None
            over = ("price" if base.name == "price_index" else base.over[0], column)
            yield _part_of(base.name, segment, f"{base.meaning}: {segment}", over, under)
    lines = {row["id"]: row["segment"] for row in world.rows["chip_firms"]}
    designed = {lines[row["id"]] for row in world.rows["designers"]}
    for column, segment in enumerate(world.segments):
        if segment in designed:
            name, meaning = f"design_share.{segment}", f"{_DESIGN_SHARE.meaning}: {segment}"
            yield replace(
                _DESIGN_SHARE, name=name, meaning=meaning, over=("designed", column), under=("market", column)
            )
    if any(share is not None for share in world.column("segments", "automotive_share")):
        yield _part_of("unmet_demand", "automotive", "the automotive part of it", ("unmet_automotive", None))


def _of_inputs(world: World) -> Iterator[Measure]:
    for column, item in enumerate(world.inputs):
        own = f"part of the target's purchases of {item} from its own suppliers"
        yield _part_of("equipment_self_supply", item, own, ("inputs_home", column), ("inputs", column))
        denied = f"part of the target's base purchases of {item} that controls deny"
        yield _part_of("controls_severity", item, denied, ("base_inputs_denied", column), ("base_inputs", column))
    for column, item in enumerate(world.inputs):
        for row, state in enumerate(world.states):
            yield Measure(
                f"input_world_share.{item}.{state}",
                SHARE,
                "ratio",
                "sales of the state's suppliers / sales of all suppliers",
                f"share of {state} in the world's sales of {item}",
                "none",
                ("world_sales", column * len(world.states) + row),
                ("world_sales_by_input", column),
            )


def _of_states(world: World) -> Iterator[Measure]:
    yield _part_of("equipment_spending", "world", "all tools delivered in the world", ("tools_by_state", None))
    for row, state in enumerate(world.states):
        yield _part_of("equipment_spending", state, f"all tools delivered in {state}", ("tools_by_state", row))
        yield Measure(
            f"sales_denied.{state}",
            YEARLY,
            "flow",
            "need x base share x part denied",
            f"sales of {state} to the target that controls deny, its own or another state's that reaches it, at base "
            "shares and 2020 prices",
            "none",
            ("sales_denied", row),
        )
        yield Measure(
            f"sales_to_target.{state}",
            YEARLY,
            "flow",
            "sum of purchases from the state's suppliers and makers, chips at current prices, inputs at 2020 prices",
            f"inputs and chips that {state} sells to the target",
            "none",
            ("sales_to_target", row),
        )


def _of_parts(world: World) -> Iterator[Measure]:
    for part in world.column("parts", "input"):
        yield Measure(
            f"part_stock.{part}",
            "bn yuan",
            "stock",
            "stock at the end of the period, at 2020 prices",
            f"{part} that lies in the target, bought and not yet built in",
            "none",
            ("part_stock", world.inputs.index(part)),
        )


def _of_suppliers(world: World) -> Iterator[Measure]:
    for base_name, formula, meaning, observed in _OF_SUPPLIERS:
        for column, item in enumerate(world.inputs):
            for row, state in enumerate(world.states):
                name, cell = f"{base_name}.{item}.{state}", column * len(world.states) + row
                said = meaning.format(item=item, state=state)
                yield Measure(name, YEARLY, "flow", formula, said, "none", (observed, cell))


def _of_firms(world: World) -> Iterator[Measure]:
    for base_name, unit, kind, formula, meaning, observed, by in _OF_FIRMS:
        for column, firm in enumerate(firms(world)):
            under = (by, column) if by else None
            name, said = f"{BY_FIRM}{base_name}.{firm}", meaning.format(firm=firm)
            yield Measure(name, unit, kind, formula, said, "none", (observed, column), under)


def _of_quality(world: World) -> Iterator[Measure]:
    """Measures of what is bought of a quality, in the unit that the world's table has for it."""
    if not world.rows["quality"]:
        return
    unit = world.units["quality", "amount"]["unit"].removesuffix(" per bn yuan") + " a year"
    for name, own_unit, formula, meaning, observed in _OF_QUALITY:
        for row, state in enumerate(world.states):
            better = {"compute_added": "higher", "compute_price": "lower"}.get(name, "none")
            yield Measure(
                f"{name}.{state}",
                own_unit or unit,
                "ratio" if name == "compute_price" else "flow",
                formula,
                meaning.format(state=state),
                better if state == world.target else "none",
                (observed, row),
                ("compute", row) if name == "compute_price" else None,
            )
    for name, own_unit, formula, meaning in _IN_SPITE:
        yield Measure(name, own_unit or unit, "flow", formula, meaning, "none", (name, None))


def measure_names(selection: str | Sequence[str], world: World) -> list[str]:
    """The measures that "headline", "all" or a list of names means; BadInput for an unknown name."""
    known = catalogue(world)
    if selection == "headline":
        return list(HEADLINE)
    if selection == "all":
        return list(known)
    if isinstance(selection, str):
        raise BadInput(f'measures = {selection!r}: must be "headline", "all" or a list of names')
    if not selection:
        raise BadInput('measures = []: must be "headline", "all" or a list of names')
    unknown = [name for name in selection if name not in known]
    if unknown:
        raise BadInput([f"measures: {name!r} is not a measure{nearest(name, known)}" for name in unknown])
    return list(selection)


def of_agents(agents: Sequence[str], known: Iterable[str], world: World) -> list[str]:
    """The measures among `known` of some firms, companies and states, by their ids; BadInput for another name.

    All that a firm records (`firm_*`), and of a state all that is told state by state, inputs included.
    """
    there = [*firms(world), *world.states]
    if unknown := [name for name in agents if name not in there]:
        raise BadInput([f"{name!r} is no firm, company or state{nearest(name, there)}" for name in unknown])
    return [name for name in known if "." in name and name.rpartition(".")[2] in agents]


def describe(name: str, world: World) -> Measure:
    return catalogue(world)[name]


def kinds_of(measures: Iterable[str], world: World) -> dict[str, str]:
    """Each measure's kind, which decides about its outcomes."""
    known = catalogue(world)
    return {name: known[name].kind for name in measures}
