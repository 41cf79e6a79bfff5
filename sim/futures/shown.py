"""What is shown of a future: measures, with the words for them."""

from __future__ import annotations

import re
from functools import lru_cache

from sim.measures import SHARE, Measure, catalogue
from sim.scenario.labels import SPELT_OUT
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
}
OF_QUALITY = {  # of chips with a quality, where a world has some; SEGMENT and PART become names of the world's own
    "compute_added.TARGET": "Computing power added",
    "compute_price.TARGET": "Price of computing power",
    "compute_leaked": "Computing power smuggled in",
    "design_share.SEGMENT": "SEGMENT of TARGET's designers",
    "domestic_supply_share.SEGMENT": "SEGMENT made in TARGET",
    "unmet_demand.SEGMENT": "SEGMENT not to be had",
    "part_stock.PART": "Stock of PART",
}
LOGARITHMIC = ("compute_added", "compute_price", "compute_leaked")  # what grows a thousandfold


@lru_cache(maxsize=16)
def shown(world: World) -> dict[Measure, str]:
    """The measures that are drawn, the main one first, each with its label; what a world does not have is left out."""
    known = catalogue(world)
    labels = {**LABELS, **_of_quality(world)}
    return {known[name]: in_words(label, world) for name, label in labels.items() if name in known}


def of_quality(world: World) -> dict[Measure, str]:
    """Those of them that are of chips with a quality."""
    names = _of_quality(world)
    return {measure: label for measure, label in shown(world).items() if measure.name in names}


def _of_quality(world: World) -> dict[str, str]:
    """By name: the label of each measure that a world has if it has chips with a quality."""
    ids = {"SEGMENT": world.column("quality", "segment"), "PART": world.column("parts", "input")}
    labels = {}
    for name, label in OF_QUALITY.items():
        head, dot, slot = name.partition(".")
        for id in ids.get(slot, [world.target]):
            said = world.spoken(id)
            first = said[:1].upper() + said[1:]
            labels[f"{head}.{id}" if dot else head] = label.replace("SEGMENT", first).replace("PART", said)
    return labels


@lru_cache(maxsize=16)
def recorded(world: World) -> tuple[str, ...]:
    """The measures that are recorded: those that are drawn, and the market that demand is measured by."""
    return tuple(dict.fromkeys([*(measure.name for measure in shown(world)), MARKET]))


def apart(world: World) -> list[str]:
    """What an event is on if it is on chips with a quality: those segments, their parts, everything, or a lever."""
    levers = [name for name, parameter in world.parameters.items() if parameter.table and parameter.role == "lever"]
    return [*world.column("quality", "segment"), *world.column("parts", "input"), "all", *levers]


def in_words(text: str, world: World) -> str:
    """The text with the names of the world's target, its goods and the segments that have a quality."""
    segments = ", ".join(world.spoken(segment) for segment in world.column("quality", "segment"))
    said = text.replace("TARGET", world.names[world.target]).replace("GOODS", world.goods).replace("SEGMENT", segments)
    return said[:1].upper() + said[1:]


def meaning(measure: Measure, world: World) -> str:
    """What a measure means, with names for ids, and what its unit stands for where not every reader knows."""
    said = {"chips": world.goods} | {id: world.spoken(id) for id in (*world.segments, *world.inputs)}
    said |= {id: world.names[id] for id in world.states}
    text = re.sub(r"\w+", lambda word: said.get(word[0], word[0].replace("_", " ")), measure.meaning)
    units = (f"; {unit}: {what}" for unit, what in world.stands_for.items() if unit in measure.unit)
    return of_target(text, world) + "".join(units)


def of_target(text: str, world: World) -> str:
    """A text of the evidence with the names of the target and of what has a quality."""
    segments = ", ".join(world.spoken(segment) for segment in world.column("quality", "segment"))
    named = re.sub(r"\b[Tt]he target\b", world.names[world.target], text)
    return named.replace("chips with a quality", segments or "chips with a quality")


def called(measure: Measure, world: World) -> str:
    """A measure in words: its label, or that of the whole with the segment, the input or the state behind it."""
    if measure in shown(world):
        return shown(world)[measure]
    head, _, id = measure.name.partition(".")
    words = " ".join(SPELT_OUT.get(word, word) for word in head.split("_"))
    labels = {**LABELS, **_of_quality(world)}
    whole = labels.get(head) or labels.get(f"{head}.{world.target}") or words
    return in_words(whole, world) + (f": {world.names[id] if id in world.states else world.spoken(id)}" if id else "")


def is_logarithmic(measure: Measure) -> bool:
    """Whether a measure is drawn on a logarithmic scale."""
    return measure.name.partition(".")[0] in LOGARITHMIC


def unit_of_difference(measure: Measure) -> str:
    return "points" if measure.unit == SHARE else measure.unit
