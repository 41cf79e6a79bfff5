"""Every lever at either end, and every preset, changes a run or is marked as without effect: held against runs."""

import numpy as np
import pytest

from sim.futures.about import first_start, states
from sim.futures.levers import levers
from sim.futures.past import Job, Moments
from sim.futures.policy import Policy
from sim.futures.presets import presets
from sim.futures.sets import pairs
from sim.measures import HEADLINE
from sim.scenario.loading import known_configs, load_config

QUARTERS = 24  # after the date; a plan is revised once a year, an ally follows with its lag
FEW = ("historic", "no-controls", "crop-seeds")
ALL = [pytest.param(name, marks=() if name in FEW else pytest.mark.long) for name in known_configs()]


def after(policy, moments):
    """Every headline measure of each quarter from the date of a policy on, in one future."""
    job = Job(policy.scenario, policy.scenario.hash, tuple(pairs(policy.scenario.world, 1)), HEADLINE, policy.start, ())
    model = moments.at(job)
    for event in policy.events:
        model.intervene(event)
    for _ in range(QUARTERS):
        model.step()
    return model.recorder.values("quarter")[1]


def ends(lever):
    return lever.choices or (lever.low, lever.high)


@pytest.mark.parametrize("config", ALL)
def test_a_lever_at_either_end_changes_a_run_or_is_marked(config):
    scenario, moments = load_config(config), Moments()
    start = first_start(scenario)
    base = after(Policy(scenario, start), moments)
    told = {lever.name: state for lever, state in zip(levers(scenario.world), states(scenario, start), strict=True)}
    for lever in levers(scenario.world):
        moved = {}
        for end in ends(lever):
            policy = Policy(scenario, start, {lever.name: end})
            if policy.events:
                moved[end] = not np.array_equal(after(policy, moments), base, equal_nan=True)
        state = told[lever.name]
        assert any(moved.values()) == state["effect"], (lever.name, moved, state)
        assert bool(state["why_not"]) == (not state["effect"])


@pytest.mark.parametrize("config", ALL)
def test_every_preset_that_is_offered_changes_a_run(config):
    scenario, moments = load_config(config), Moments()
    start = first_start(scenario)
    base = after(Policy(scenario, start), moments)
    nothing, *others = presets(scenario, start)
    assert nothing.set == {} and nothing.acts == () and len(others) >= 5
    for preset in others:
        policy = Policy(scenario, start, preset.set, preset.acts)
        assert not np.array_equal(after(policy, moments), base, equal_nan=True), preset.id
        for act in preset.acts:
            rest = [each for each in preset.acts if each is not act]
            without = Policy(scenario, start, preset.set, rest)
            assert not np.array_equal(after(without, moments), after(policy, moments), equal_nan=True), (preset.id, act)
