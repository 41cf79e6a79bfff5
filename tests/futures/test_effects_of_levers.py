"""Every lever at either end, and every preset, changes a run or is marked as without effect: held against runs."""

import numpy as np
import pytest

from sim.futures.about import first_start, states
from sim.futures.levers import levers
from sim.futures.past import Job, Moments, run
from sim.futures.policy import Policy
from sim.futures.presets import presets
from sim.futures.sets import pairs
from sim.futures.shown import recorded
from sim.futures.tries import tries, without_effect_of
from sim.measures import HEADLINE
from sim.scenario.loading import known_configs, load_config

FEW = ("historic", "crop-seeds")  # crop-seeds: half of what is used is made at home already
ALL = [pytest.param(name, marks=() if name in FEW else pytest.mark.long) for name in known_configs()]


def job(policy, measures):
    world = policy.scenario.world
    return Job(policy.scenario, policy.scenario.hash, tuple(pairs(world, 1)), measures, policy.events)


def told(scenario, start, moments):
    """What is said to do nothing: by what the levers need, and by what has been tried."""
    still = states(scenario, start)
    by_need = {lever.name for lever, state in zip(levers(scenario.world), still, strict=True) if not state["effect"]}
    assert all(bool(state["why_not"]) == (not state["effect"]) for state in still)
    measures, tried = recorded(scenario.world), tries(scenario, start)
    base = run(job(Policy(scenario, start), measures), moments)[0]
    results = [run(job(each.policy, measures), moments)[0] for each in tried]
    return by_need, set(without_effect_of(tried, base, results))


@pytest.mark.parametrize("config", ALL)
def test_what_is_moved_changes_a_run_or_is_marked(config):
    scenario, moments = load_config(config), Moments()
    start = first_start(scenario)
    by_need, by_trying = told(scenario, start, moments)

    def every_quarter(policy):
        asked = job(policy, HEADLINE)
        model = moments.at(asked) if policy.events else moments.unchanged(asked)
        while model.running:
            model.step()
        return model.recorder.values("quarter")[1]

    base = every_quarter(Policy(scenario, start))
    for lever in levers(scenario.world):
        ends = lever.choices or (lever.low, lever.high)
        policies = [policy for end in ends if (policy := Policy(scenario, start, {lever.name: end})).events]
        moved = any(not np.array_equal(every_quarter(policy), base, equal_nan=True) for policy in policies)
        assert moved == (lever.name not in by_need | by_trying), lever.name
    nothing, *others = presets(scenario, start)
    assert nothing.set == {} and nothing.acts == () and len(others) >= 5
    for preset in others:
        policy = Policy(scenario, start, preset.set, preset.acts)
        moved = not np.array_equal(every_quarter(policy), base, equal_nan=True)
        assert moved == (preset.id not in by_trying), preset.id
