"""What the page says of a world comes from the world: its goods, its goal, what was published of it."""

import pytest

from sim import load_config
from sim.live.page import _charts, _levers, _tiles

WORDS = {
    "historic": ("chips", "China", 44, "70 %, the target for 2025"),
    "lumped": ("chips", "China", 44, "70 %, the target for 2025"),
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
