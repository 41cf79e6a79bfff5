"""The chain review: how exposed the target is in every input and every segment of chips.

The score was fixed before anybody saw its ranking. It follows the supply risk by which the European Commission draws
up its list of critical raw materials (Blengini et al. 2017, Assessment of the methodology for establishing the EU list
of critical raw materials, JRC): reliance on imports x concentration of the states they come from x how hard it is to
do without. The first is what is bought abroad, the
second a Herfindahl index over states, since it is states that deny, the third grows with the years to substitute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.arrays import Array
from sim.engine.groups import Groups, divisor, ratio
from sim.engine.parameters import Parameters
from sim.start.roster import Roster

if TYPE_CHECKING:
    from sim.model import DecouplingModel

LONGEST = 50.0  # years; what takes longer counts as this


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


def review_inputs(model: DecouplingModel) -> Review:
    """The review of every input, from what buyers in the target would choose if free."""
    p, roster, input_market, suppliers = model.parameters, model.roster, model.input_market, model.suppliers
    by_state = np.zeros((len(input_market.choice), len(roster.inputs) * len(roster.states)))
    purchases = np.zeros((len(input_market.choice), len(roster.inputs)))
    for group in np.flatnonzero(roster.group_at_home):
        choice = input_market.choice[:, roster.buyer_of_group[group]]
        chosen = roster.by_input.spread(input_market.need[:, group]) * choice
        by_state = by_state + roster.by_input_and_state.sum(chosen)
        purchases = purchases + input_market.need[:, group]
    waits = suppliers.may_enter * (1.0 - suppliers.entered)
    years = waits * _over(1.0, p["research.entry_rate"] * suppliers.ease)
    years = years + _over(np.log(np.maximum(1.0, suppliers.gap)), p["research.supplier_catch_up"] * suppliers.ease)
    fastest = np.full((len(years), len(roster.inputs)), LONGEST)
    for supplier in np.flatnonzero(roster.target_supplier):
        item = roster.supplier_input[supplier]
        fastest[:, item] = np.minimum(fastest[:, item], years[:, supplier])
    return _review(p, roster, purchases, by_state.reshape(len(by_state), len(roster.inputs), -1), fastest)


def review_segments(model: DecouplingModel) -> Review:
    """The review of every segment of chips; chips made in the target by anybody are home supplies."""
    p, roster, chip_market, firms = model.parameters, model.roster, model.chip_market, model.chip_firms
    wanted = chip_market.demand[:, roster.target]
    bought = roster.by_segment.spread(wanted) * chip_market.choice
    seller = np.where(roster.at_home, roster.target, roster.firm_headquarters)
    cells = Groups(roster.firm_segment * len(roster.states) + seller, len(roster.segments) * len(roster.states))
    by_state = cells.sum(bought).reshape(len(bought), len(roster.segments), -1)
    lag = roster.by_segment.sum(firms.lag * firms.base_output * roster.target_owned)
    owned = roster.by_segment.sum(firms.base_output * roster.target_owned)
    lag = ratio(lag, owned, LONGEST)
    home = by_state[..., roster.target]
    short = np.where(home > 0, np.log(np.maximum(1.0, 0.5 * wanted / divisor(home))), LONGEST)
    building = p["investment.depreciation"] + p["demand.growth"]
    years = np.minimum(LONGEST, lag + short / building)
    return _review(p, roster, wanted, by_state, years)


def _over(distance: Array | float, speed: Array) -> Array:
    """Years to go a distance at a speed; a quality gap counts until it is within one log point of parity."""
    years: Array = np.minimum(LONGEST, np.where(speed > 0, distance / np.where(speed > 0, speed, 1.0), LONGEST))
    return years


def _review(p: Parameters, roster: Roster, purchases: Array, by_state: Array, years: Array) -> Review:
    """The score of items from purchases by seller's state, (runs, items, states), and years to substitute."""
    whole = by_state.sum(axis=-1)
    foreign = by_state.copy()
    foreign[..., roster.target] = 0.0
    abroad = foreign.sum(axis=-1)
    safe = divisor(whole)
    parts = foreign / divisor(abroad)[..., None]
    dependence, concentration = abroad / safe, np.square(parts).sum(axis=-1)
    return Review(
        purchases,
        dependence,
        concentration,
        foreign[..., roster.lead] / safe,
        (foreign * roster.is_controller).sum(axis=-1) / safe,
        years,
        dependence * concentration * years / (years + p["review.horizon"]),
    )
