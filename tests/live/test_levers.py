"""The levers of the page: each has a name of its own, and those that change nothing are marked."""

import numpy as np
import pytest

from sim import DecouplingModel
from sim.futures.levers import decided_alike, described, levers, without_effect
from sim.scenario.held import values_at
from sim.scenario.loading import known_configs, load_config

QUICK = ("historic", "no-controls", "reactive", "passive", "crop-seeds")
CONFIGS = [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in known_configs()]


@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in ("neutral", "synthetic")])
def test_a_lever_changes_a_run_at_either_end_or_is_marked(name):
    scenario = load_config(name)
    ends = [
        (lever.name, end) for lever in levers(scenario.world) for end in lever.choices or (lever.minimum, lever.maximum)
    ]
    scenarios = [scenario, *(scenario.with_values({key: end}) for key, end in ends)]
    model = DecouplingModel.block(scenarios, [1] * len(scenarios), record="all")
    while model.running:
        model.step()
    _, values = model.recorder.values("quarter")
    moving = {
        key
        for (key, _), run in zip(ends, values[1:], strict=True)
        if not np.array_equal(run, values[0], equal_nan=True)
    }
    marked = without_effect(scenario) | decided_alike(scenario)
    assert moving | marked.keys() == {lever.name for lever in levers(scenario.world)}
    assert not moving & marked.keys()


def test_a_mark_says_what_it_takes():
    marked = without_effect(load_config("no-controls"))
    assert marked["subsidy.allocation"] == (
        "Without effect here: it takes subsidy above 0, or mode of the subsidy plan."
    )
    assert "retaliation is not switched off" in without_effect(load_config("passive"))["retaliation.severity"]


def test_marks_are_of_what_is_ahead():
    """A lever that mattered in the past alone is marked, and one that an event will wake is not."""
    lever = {"date": "2023-01-01", "by": "CHN", "kind": "lever"}
    ended = load_config("historic", {"subsidy.annual": 100}).with_event({**lever, "set": {"subsidy.annual": 0.0}})
    assert "subsidy.allocation" not in without_effect(ended, 0)
    assert "subsidy.allocation" in without_effect(ended, 12)
    begun = load_config("historic").with_event({**lever, "set": {"subsidy.annual": 100.0}})
    assert "subsidy.allocation" not in without_effect(begun, 0)
    assert values_at(begun, 11)["subsidy.annual"] == 0 and values_at(begun, 12)["subsidy.annual"] == 100


@pytest.mark.parametrize("name", ["historic", "crop-seeds"])
def test_no_two_levers_have_one_name(name):
    names = [lever["label"] for lever in described(load_config(name).world)]
    assert len(set(names)) == len(names) > 10


def test_a_slider_spans_what_it_says():
    for lever in described(load_config("historic").world):
        if not lever["choices"]:
            assert lever["minimum"] <= lever["low"] < lever["high"] <= lever["maximum"]
            steps = (lever["high"] - lever["low"]) / lever["step"]
            assert steps == pytest.approx(round(steps)) and steps <= 100


def test_levers_on_accelerators_stand_together_in_words_and_percent():
    found = {
        lever["label"]: lever
        for lever in described(load_config("historic").world)
        if lever["group"] == "AI accelerators"
    }
    assert list(found) == [
        "quality cap",
        "foundries closed to designers",
        "refusal to buy abroad",
        "dies got through fronts",
        "demand placed abroad",
    ]
    assert [lever["group"] for lever in described(load_config("historic").world)][-6:] == [
        "China's retaliation",
        *["AI accelerators"] * 5,  # behind the levers on all chips
    ]
    assert [lever["percent"] for lever in found.values()] == [True, True, True, False, True]
    assert found["dies got through fronts"]["unit"] == "bn yuan a year"
    assert all(lever["example"] and "the target" not in lever["meaning"] for lever in found.values())
    assert "Part of the AI accelerators that China's buyers" in found["refusal to buy abroad"]["meaning"]
    assert "AI accelerators" not in {lever["group"] for lever in described(load_config("crop-seeds").world)}
