"""What is shown of a future: measures, with the words for them."""

from __future__ import annotations

from functools import lru_cache

from sim.measures import SHARE, Measure, catalogue
from sim.world.world import World

MAIN = "domestic_supply_share"  # the one that the question is about
UNMET, MARKET = "unmet_demand", "chip_market"
LABELS = {  # TARGET becomes the name of the state that the race is about, GOODS what the race is over
    MAIN: "GOODS made in TARGET and sold there",
    "technology_gap": "Technology gap",
    UNMET: "Demand not met",
    "controller_sales_denied": "Sales lost by controllers",
    "subsidy_spent": "State money",
    "equipment_self_supply": "Tools bought at home",
    "production_share_hq": "Made by TARGET's own firms",
    "price_index": "Price of GOODS",
    "compute_added.TARGET": "Compute added",
}


@lru_cache(maxsize=16)
def shown(world: World) -> dict[Measure, str]:
    """The measures that are drawn, the main one first, each with its label; what a world does not have is left out."""
    known = catalogue(world)
    names = {name.replace("TARGET", world.target): label for name, label in LABELS.items()}
    return {known[name]: in_words(label, world) for name, label in names.items() if name in known}


@lru_cache(maxsize=16)
def recorded(world: World) -> tuple[str, ...]:
    """The measures that are recorded: those that are drawn, and the market that demand is measured by."""
    return tuple(dict.fromkeys([*(measure.name for measure in shown(world)), MARKET]))


def in_words(text: str, world: World) -> str:
    """The text with the names of the world's target and goods."""
    text = text.replace("TARGET", world.names[world.target])
    return text.replace("GOODS", world.goods.capitalize() if text.startswith("GOODS") else world.goods)


def unit_of_difference(measure: Measure) -> str:
    return "points" if measure.unit == SHARE else measure.unit
