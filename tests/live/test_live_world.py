"""What the page says of a world comes from the world: its goods, its goal, what was published of it."""

import pytest

from sim import load_config
from sim.futures.about import settings
from sim.live.page import LOOKS, _charts, _levers, _tiles
from sim.live.race import shown_measures

WORDS = {
    "historic": ("chips", "China", 47, "70 %, the target for 2025"),
    "lumped": ("chips", "China", 47, "70 %, the target for 2025"),
}
WORDS |= {"crop-seeds": ("seeds", "China", 0, None), "synthetic": ("goods", "China", 0, None)}


@pytest.mark.parametrize("config", WORDS)
def test_the_first_chart_speaks_of_its_own_world(config):
    goods, target, published, goal = WORDS[config]
    chart = _charts(load_config(config).world)[0]
    assert chart["title"] == f"Three shares of the {goods} that {target} uses"
    assert len(chart["published"]) == published
    assert chart.get("goal", {}).get("label") == goal


def test_tiles_and_levers_name_the_target():
    world = load_config("crop-seeds").world
    assert _tiles(world)[0]["label"] == "Made and sold in China"
    assert {"China's subsidy", "China's investment"} <= {lever["group"] for lever in _levers(world)["levers"]}
    assert _levers(world)["controllers"] == world.controllers


OF_ACCELERATORS = {  # on Watch: title, what is drawn
    "Computing power that China buys": ["compute_added.CHN", "compute_leaked"],
    "What computing power costs": ["compute_price.CHN", "compute_price.USA"],
    "AI accelerators of China's own": ["design_share.ai_accelerators", "domestic_supply_share.ai_accelerators"],
    "Stock of high-bandwidth memory in China": ["part_stock.hbm"],
}


def test_accelerators_are_drawn_where_a_world_has_them():
    world = load_config("historic").world
    charts = {chart["title"]: chart for chart in _charts(world)}
    assert {title: [line["name"] for line in charts[title]["lines"]] for title in OF_ACCELERATORS} == OF_ACCELERATORS
    known = shown_measures(world)
    assert {name for names in OF_ACCELERATORS.values() for name in names} <= known.keys()
    assert [line["label"] for line in charts["By segment"]["lines"]][-2:] == ["analog power", "AI accelerators"]
    assert len({colour for colour, _ in LOOKS}) == len(world.segments) == 6


@pytest.mark.parametrize("config", ["crop-seeds", "synthetic"])
def test_a_world_without_them_has_nothing_of_them(config):
    world = load_config(config).world
    assert not {chart["title"] for chart in _charts(world)} & OF_ACCELERATORS.keys()
    assert not [name for name in shown_measures(world) if "compute" in name or "part_stock" in name]
    told = settings(config)
    assert {measure["of"] for measure in told["measures"]} == {mark["of"] for mark in told["marks"]} | {""} == {""}
    assert not {"stopped", "allowed"} & {preset["id"] for preset in told["presets"]}
    assert "AI accelerators" not in {lever["group"] for lever in told["levers"]}


def test_differences_are_chosen_by_names_that_people_say():
    (difference,) = (chart for chart in _charts(load_config("historic").world) if chart["future"] == "difference")
    labels = {measure["name"]: measure["label"] for measure in difference["measures"]}
    assert labels["unmet_demand.memory"] == "Demand not met: memory"
    assert labels["unmet_demand.ai_accelerators"] == "AI accelerators not to be had"
    assert labels["compute_price.USA"] == "Price of computing power: United States"
    assert labels["chip_production_hq"] == "Chip production of own firms"
    assert not [label for label in labels.values() if "_" in label or "." in label]
    assert len(set(labels.values())) == len(labels)
