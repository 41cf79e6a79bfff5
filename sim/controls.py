"""Export controls: which part of which supply to the target each state denies, and has announced to deny.

A control reaches what lies above a technical threshold: the severity on an input counts by the segment that the
line is for (`control_exposure`), on chips by `chip_exposure`. The scope "all" reaches everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.base_year import Layout
from sim.parameters import Parameters
from sim.scenario import Event
from sim.vocabulary import FIRST_YEAR, QUARTERS_PER_YEAR

Array = NDArray[np.float64]
ANNOUNCED_AHEAD = QUARTERS_PER_YEAR  # a fixed control is announced a year before it is in force


@dataclass(frozen=True)
class Severity:
    """Part denied by state and item, (runs, states, inputs then segments): above thresholds, and of everything."""

    above_threshold: Array
    of_everything: Array


def severity(
    layout: Layout, parameters: Parameters, events: Sequence[Event], quarter: int, ahead: bool = False
) -> Severity:
    """What is in force in a quarter or, with `ahead`, what has been announced by then."""
    items = [*layout.inputs, *layout.segments]
    runs = len(parameters["controls.severity"])
    threshold = np.zeros((runs, len(layout.states), len(items)))
    everything = np.zeros_like(threshold)
    scale = parameters["controls.severity"]

    day = FIRST_YEAR + (quarter + (ANNOUNCED_AHEAD if ahead else 0)) / QUARTERS_PER_YEAR
    fixed = parameters.is_set("controls.mode", "fixed") & (parameters["controls.start"] <= day)
    listed = np.concatenate([layout.is_controlled, np.ones(len(layout.segments), dtype=bool)])
    threshold[:, layout.lead] = np.where(fixed & listed, scale, 0.0)

    dated = np.where(parameters.is_set("controls.mode", "events"), scale, 0.0)
    for event in events:
        if event.kind not in ("control", "truce") or (event.announced_quarter if ahead else event.quarter) > quarter:
            continue
        by = layout.states.index(event.by)
        reached = _reached(event.scope, tuple(items))
        if event.kind == "truce":
            remains = np.where(reached & (dated > 0), 1.0 - float(event.severity or 0.0), 1.0)
            threshold[:, by] = threshold[:, by] * remains
            everything[:, by] = everything[:, by] * remains
        else:
            kept = everything if "all" in event.scope else threshold
            kept[:, by] = np.maximum(kept[:, by], np.where(reached, dated * float(event.severity or 0.0), 0.0))

    # Allies follow the lead at once, by their alignment.
    for ally in (state for state, role in enumerate(layout.roles) if role == "ally"):
        for kept in (threshold, everything):
            kept[:, ally] = np.maximum(kept[:, ally], parameters["controls.alignment"] * kept[:, layout.lead])
    return Severity(threshold, everything)


@cache
def _reached(scope: tuple[str, ...], items: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([item in scope or "all" in scope for item in items])


def at_items(severities: Array, states: NDArray[np.int64], items: NDArray[np.int64]) -> Array:
    """The severity that each seller's state puts on its item: (runs, states, items) to (runs, sellers)."""
    flat = severities.reshape(len(severities), -1)
    return np.take(flat, states * severities.shape[-1] + items, axis=-1)


def over_complied(denied: Array, over_compliance: Array) -> Array:
    """Suppliers give up a part of the sales that remain permitted as well, the more the stricter the control.

    Without controls nothing is given up; with a full denial nothing remains to be.
    """
    return 1.0 - (1.0 - denied) * (1.0 - over_compliance * denied)


def licensed(expected: Array, draw: Array, spread: Array) -> Array:
    """The part denied by a year's licence decisions: uniform around what is expected, sure at 0 and at 1."""
    return expected + spread * expected * (1.0 - expected) * (2.0 * draw - 1.0)


def supplied(permitted: Array, backfill: Array) -> Array:
    """What part of a need is met when only `permitted` of its base supply still may come.

    Those who may still sell replace a part of the rest, the more the larger they are: with p permitted and d = 1 - p
    denied, p + d (1 - exp(-m p / d)). So a control by one state leaks and one by all bites.
    """
    denied = np.maximum(1.0 - permitted, 1e-12)
    return permitted + denied * -np.expm1(-backfill * permitted / denied)
