"""What does nothing in a config, found by trying: each lever alone at its ends, and each preset, in one future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.arrays import Array
from sim.futures.levers import levers
from sim.futures.policy import Policy
from sim.futures.presets import presets
from sim.scenario.scenario import Scenario
from sim.world.evidence import Parameter, Value

LEVER_ALONE = "Without effect here: moved alone, to either end, it changes nothing in this config from this date on."
PRESET_ALONE = "This changes nothing in this config from this date on."


@dataclass(frozen=True)
class Try:
    """A policy of one lever, by its key, or of a preset, by its id."""

    name: str
    is_lever: bool
    policy: Policy


def tries(scenario: Scenario, start: int) -> list[Try]:
    """Every lever at each end but the one that it has, every preset that is offered."""
    found = [
        Try(lever.name, True, Policy(scenario, start, {lever.name: end}))
        for lever in levers(scenario.world)
        for end in _ends(lever)
    ]
    found += [
        Try(preset.id, False, Policy(scenario, start, preset.set, preset.acts))
        for preset in presets(scenario, start)[1:]
    ]
    return [each for each in found if each.policy.events]


def without_effect_of(tried: Sequence[Try], base: Array, results: Sequence[Array | None]) -> dict[str, str]:
    """A sentence by lever or preset that moved no measure of the future `base`; None is a try that failed."""
    moving = {
        each.name
        for each, result in zip(tried, results, strict=True)
        if result is None or not np.array_equal(result, base, equal_nan=True)
    }
    return {each.name: LEVER_ALONE if each.is_lever else PRESET_ALONE for each in tried if each.name not in moving}


def _ends(lever: Parameter) -> tuple[Value, ...]:
    """Its words, or the ends of what is plausible."""
    if lever.choices:
        return lever.choices
    ends = (lever.minimum if lever.low is None else lever.low, lever.maximum if lever.high is None else lever.high)
    return tuple(end for end in ends if end is not None)
