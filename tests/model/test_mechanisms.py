"""Each mechanism alone: switched off it is its neutral values, and nothing of it acts; switched on it moves something.

The switches are those that the evidence declares, so a new one is tried without being named here.
"""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from support.models import series_of

from sim.model import DecouplingModel
from sim.scenario.loading import load_config
from sim.world.world import load_world

SWITCHES = [
    name.removeprefix("mechanisms.") for name in load_world("china-2020").parameters if name.startswith("mechanisms.")
]
# Under these every mechanism has something to act on: dated controls, allies that follow them, answers to both, money
# on both sides, a mandate and experts called home.
CHANGES = {
    "controls.alignment": 0.6,
    "subsidy.annual": 400,
    "controller_subsidy.annual": 50,
    "investment.annual": 300,
    "mandate.domestic": 0.2,
    "retaliation.severity": 0.8,
}
EXPERTS = {"date": date(2024, 1, 1), "by": "USA", "kind": "control", "scope": ["experts"], "severity": 1.0}


def own(mechanism):
    """The parameters that a mechanism has for itself: {name: parameter}."""
    return {
        name: parameter
        for name, parameter in load_world("china-2020").parameters.items()
        if parameter.mechanism == mechanism
    }


def stirred(scenario, mechanism):
    """The scenario in which no parameter of a mechanism is neutral: those that are go to the far end of their range."""
    neutral = {name: each for name, each in own(mechanism).items() if scenario.values[name] == each.neutral}
    ends = {name: max(each.low, each.high, key=lambda end: abs(end - each.neutral)) for name, each in neutral.items()}
    return scenario.with_values(ends)


def cases():
    """Each mechanism switched on, switched off, at its neutral values, and off with its parameters moved."""
    acting = load_config("historic", CHANGES).with_event(EXPERTS)
    # What is given as observed is no parameter of a mechanism, and a lever that moves on a date is not at one value.
    acting = replace(acting, given={}, events=tuple(event for event in acting.events if event.kind != "lever"))
    found = {}
    for mechanism in SWITCHES:
        found["on", mechanism] = stirred(acting, mechanism)
        off = acting.with_values({f"mechanisms.{mechanism}": False})
        found["off", mechanism] = off
        found["neutral", mechanism] = acting.with_values({name: each.neutral for name, each in own(mechanism).items()})
        for name, parameter in own(mechanism).items():
            for value in parameter.choices or (parameter.low, parameter.high):
                found["moved", mechanism, name, value] = off.with_values({name: value})
    return found


@pytest.fixture(scope="module")
def results():
    """All recorded quarters of each case on the same luck, (quarters, measures); what may share a block does."""
    scenarios, found = cases(), {}
    for frame in {scenario.frame for scenario in scenarios.values()}:
        names = [name for name, scenario in scenarios.items() if scenario.frame == frame]
        block = DecouplingModel.block([scenarios[name] for name in names], [3] * len(names), record="all")
        found |= dict(zip(names, series_of(block), strict=True))
    return found


def test_there_are_switches_to_try():
    assert len(SWITCHES) >= 22
    assert all(own(mechanism) for mechanism in SWITCHES)


@pytest.mark.parametrize("mechanism", SWITCHES)
def test_a_mechanism_switched_off_is_its_neutral_values(results, mechanism):
    off, neutral = results["off", mechanism], results["neutral", mechanism]
    if mechanism == "entry":  # decides who is in the tables: without the firms sums are added in another order
        np.testing.assert_allclose(off, neutral, rtol=1e-9, atol=1e-12)
    else:
        assert off.tobytes() == neutral.tobytes()


@pytest.mark.parametrize("mechanism", SWITCHES)
def test_a_mechanism_switched_on_moves_something(results, mechanism):
    dead = np.allclose(results["on", mechanism], results["off", mechanism], rtol=1e-6, equal_nan=True)
    assert not dead


@pytest.mark.parametrize("mechanism", SWITCHES)
def test_the_parameters_of_a_mechanism_that_is_off_move_nothing(results, mechanism):
    moved = {name: values for name, values in results.items() if name[:2] == ("moved", mechanism)}
    assert len(moved) >= 2 * len(own(mechanism))
    off = results["off", mechanism].tobytes()
    assert [name for name, values in moved.items() if values.tobytes() != off] == []


@pytest.mark.parametrize("mechanism", ["alliance", "stockpiling", "retaliation", "automotive"])
def test_a_mechanism_without_a_cause_moves_nothing(mechanism):
    """Verification: without controls nobody follows, hoards or retaliates, to the last bit."""
    on = series_of(DecouplingModel("published-2020", rng=4))
    off = series_of(DecouplingModel("published-2020", rng=4, set={f"mechanisms.{mechanism}": False}))
    assert on.tobytes() == off.tobytes()
