"""Retaliation: what the target restricts of the materials that it dominates, and whose chips it does not let in.

On dates by events, or in answer to the lead's controls (`State.retaliate`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.agents import State
from sim.arrays import Array
from sim.engine.parameters import Parameters
from sim.policy.controls import by_date, reached
from sim.scenario.events import Event
from sim.start.roster import Roster


def restrictions(
    parameters: Parameters, events: Sequence[Event], quarter: int, states: State, roster: Roster
) -> tuple[Array, Array]:
    """What is denied of materials to each state, (runs, states, inputs), and of chips by it, (runs, states, segments).

    What the target's answer to controls adds is for whoever controls.
    """
    materials, chips = _on_dates(parameters, events, quarter, roster)
    answer = states.retaliation[:, [roster.target]] * (states.harshest_now > 0)
    return np.maximum(materials, answer[..., None] * roster.is_dominated), chips


def _on_dates(parameters: Parameters, events: Sequence[Event], quarter: int, roster: Roster) -> tuple[Array, Array]:
    """What events restrict. Without a `target` one is against every controller; the latest severity on an item holds.

    Dated answers belong to dated controls: where states decide for themselves, `State.retaliate` answers.
    """
    materials = np.zeros((len(roster.states), len(roster.inputs)))
    chips = np.zeros((len(roster.states), len(roster.segments)))
    for event in events:
        if event.kind == "retaliation" and event.quarter <= quarter:
            named = np.array([state == event.target for state in roster.states])
            against = (roster.is_controller if event.target is None else named)[:, None]
            items = reached(event.scope, roster.items)
            severity = float(event.severity or 0.0)
            materials = np.where(against & items[: len(roster.inputs)] & roster.is_dominated, severity, materials)
            if "all" not in event.scope:
                chips = np.where(against & items[len(roster.inputs) : -1], severity, chips)
    counts = by_date(parameters)[..., None]
    return counts * materials, counts * chips
