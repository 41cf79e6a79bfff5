"""The chain review: how exposed the target is in every input and every segment of chips.

The score was fixed before its ranking was looked at. It follows the supply risk by which the European Commission draws
up its list of critical raw materials (Blengini et al. 2017, Assessment of the methodology for establishing the EU list
of critical raw materials, JRC): reliance on imports x concentration of the states they come from x how hard it is to
do without. The first is what is bought abroad, the
second a Herfindahl index over states, since it is states that deny, the third grows with the years to substitute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.engine.groups import Groups
from sim.engine.parameters import Parameters
from sim.start.base_year import Layout

LONGEST = 50.0  # years; what takes longer is not told apart


@dataclass(frozen=True)
class Review:
    """What one review finds in each item (an input or a segment), all (runs, items)."""

    purchases: Array  # bn yuan a quarter bought in the target by everybody
    dependence: Array  # part of them from abroad
    concentration: Array  # Herfindahl index of the states they come from, over what comes from abroad
    deniable_alone: Array  # part of them from the lead controller
    deniable_allied: Array  # part of them from the lead and the allies
    years: Array  # until the target's own are near parity at today's pace
    score: Array


def review_inputs(p: Parameters, layout: Layout, inputs: Any, suppliers: Any) -> Review:
    """The review of every input, from what buyers in the target would choose if free."""
    by_state = np.zeros((len(inputs.choice), len(layout.inputs) * len(layout.states)))
    purchases = np.zeros((len(inputs.choice), len(layout.inputs)))
    for group in np.flatnonzero(layout.group_at_home):
        chosen = layout.by_input.spread(inputs.need[:, group]) * inputs.choice[:, group]
        by_state = by_state + layout.by_input_and_state.sum(chosen)
        purchases = purchases + inputs.need[:, group]
    waits = suppliers.may_enter * (1.0 - suppliers.entered)
    years = waits * _over(1.0, p["research.entry_rate"] * suppliers.ease)
    years = years + _over(np.log(np.maximum(1.0, suppliers.gap)), p["research.supplier_catch_up"] * suppliers.ease)
    fastest = np.full((len(years), len(layout.inputs)), LONGEST)
    for supplier in np.flatnonzero(layout.target_supplier):
        item = layout.supplier_input[supplier]
        fastest[:, item] = np.minimum(fastest[:, item], years[:, supplier])
    return _review(p, layout, purchases, by_state.reshape(len(by_state), len(layout.inputs), -1), fastest)


def review_segments(p: Parameters, layout: Layout, chips: Any, makers: Any) -> Review:
    """The review of every segment of chips; chips made in the target by anybody are home supplies."""
    wanted = chips.demand[:, layout.target]
    bought = layout.by_segment.spread(wanted) * chips.choice
    seller = np.where(layout.at_home, layout.target, layout.firm_headquarters)
    cells = Groups(layout.firm_segment * len(layout.states) + seller, len(layout.segments) * len(layout.states))
    by_state = cells.sum(bought).reshape(len(bought), len(layout.segments), -1)
    lag = layout.by_segment.sum(makers.lag * makers.base_output * layout.target_owned)
    owned = layout.by_segment.sum(makers.base_output * layout.target_owned)
    lag = np.where(owned > 0, lag / np.where(owned > 0, owned, 1.0), LONGEST)
    home = by_state[..., layout.target]
    short = np.where(home > 0, np.log(np.maximum(1.0, 0.5 * wanted / np.where(home > 0, home, 1.0))), LONGEST)
    building = p["investment.depreciation"] + p["demand.growth"]
    years = np.minimum(LONGEST, lag + short / building)
    return _review(p, layout, wanted, by_state, years)


def _over(distance: Any, speed: Array) -> Array:
    """Years to go a distance at a speed; a quality gap counts until it is within one log point of parity."""
    return np.minimum(LONGEST, np.where(speed > 0, distance / np.where(speed > 0, speed, 1.0), LONGEST))


def _review(p: Parameters, layout: Layout, purchases: Array, by_state: Array, years: Array) -> Review:
    """The score of items from purchases by seller's state, (runs, items, states), and years to substitute."""
    whole = by_state.sum(axis=-1)
    foreign = by_state.copy()
    foreign[..., layout.target] = 0.0
    abroad = foreign.sum(axis=-1)
    safe = np.where(whole > 0, whole, 1.0)
    parts = foreign / np.where(abroad > 0, abroad, 1.0)[..., None]
    allies = np.array([role in ("lead", "ally") for role in layout.roles])
    dependence, concentration = abroad / safe, np.square(parts).sum(axis=-1)
    return Review(
        purchases,
        dependence,
        concentration,
        foreign[..., layout.lead] / safe,
        (foreign * allies).sum(axis=-1) / safe,
        years,
        dependence * concentration * years / (years + p["review.horizon"]),
    )
