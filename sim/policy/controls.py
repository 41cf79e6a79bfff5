"""Export controls: which part of which supply to the target each state denies, and has announced to deny.

A control reaches what lies above a technical threshold: the severity on an input counts by the segment that the
line is for (`control_exposure`), on chips by `chip_exposure`. The scope "all" reaches everything. "experts" are
nationals of the controlling state who may no longer help.

The lead controller's controls are fixed, dated or decided by a doctrine (`State.decide_controls`); the allies follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.engine.columns import Groups
from sim.engine.parameters import Parameters
from sim.engine.streams import agent_keys, uniform
from sim.scenario.events import EXPERTS, Event
from sim.start.base_year import Layout
from sim.vocabulary import FIRST_YEAR, QUARTERS_PER_YEAR

Array = NDArray[np.float64]
ANNOUNCED_AHEAD = QUARTERS_PER_YEAR  # a fixed control is announced a year before it is in force


@dataclass(frozen=True)
class Severity:
    """Part denied by state and item, (runs, states, inputs, segments, experts): above thresholds, and of everything."""

    above_threshold: Array
    of_everything: Array

    def of_state(self, state: int) -> Array:
        """All that one state denies, (runs, items)."""
        return np.maximum(self.above_threshold[:, state], self.of_everything[:, state])

    def unless_like(self, other: Severity) -> Severity:
        """The other one where they are equal, so that who depends on it sees that nothing is new."""
        same = np.array_equal(self.above_threshold, other.above_threshold)
        return other if same and np.array_equal(self.of_everything, other.of_everything) else self

    @property
    def harshest(self) -> Array:
        """Each state's harshest control of any item, (runs, states)."""
        return np.maximum(self.above_threshold.max(axis=-1), self.of_everything.max(axis=-1))

    @property
    def on_experts(self) -> Array:
        """The part of its nationals' help that each state forbids, (runs, states)."""
        return np.maximum(self.above_threshold[..., -1], self.of_everything[..., -1])


class ExportControls:
    """What each state denies the target, in force and announced; remembers what the lead did, for allies to follow."""

    def __init__(self, layout: Layout, seeds: NDArray[np.uint64]) -> None:
        self.layout = layout
        self.items = (*layout.inputs, *layout.segments, EXPERTS)
        self.listed = np.concatenate([layout.is_controlled, np.ones(len(layout.segments), dtype=bool), [False]])
        nothing = np.zeros((len(seeds), len(layout.states), len(self.items)))
        self.in_force = self.announced = self.feared = Severity(nothing, nothing)
        self.embargo = np.zeros(
            len(self.items), dtype=bool
        )  # items of which nobody abroad sells anything, to ask what if
        self.allies = [state for state, role in enumerate(layout.roles) if role == "ally"]
        self._timing = uniform(seeds, "alliance timing", 0, agent_keys(layout.states))
        self._of_lead: list[tuple[Array, Array]] = []  # by quarter: above thresholds and of everything, (runs, items)
        self._led = False  # whether there has been anything to follow

    def copy(self) -> ExportControls:
        """The same memory, for a second future to go on with."""
        twin = copy(self)
        twin._of_lead = list(self._of_lead)
        return twin

    def impose(self, parameters: Parameters, events: Sequence[Event], quarter: int, states: Any) -> None:
        """Put in force and announce what the lead decides, and what the allies make of it."""
        lead = self.layout.lead
        own = self._stated(parameters, events, quarter, states.enacted_severity)
        before = self._of_lead[-1] if self._of_lead else (own.above_threshold[:, lead], own.of_everything[:, lead])
        for kept, last in zip((own.above_threshold, own.of_everything), before, strict=True):
            kept[:, lead] = np.where(_ratchets(parameters), np.maximum(kept[:, lead], last), kept[:, lead])
        self._of_lead.append((own.above_threshold[:, lead].copy(), own.of_everything[:, lead].copy()))
        ahead = self._stated(parameters, events, quarter, states.foreseen_severity, ahead=True)
        for kept, now in zip((ahead.above_threshold, ahead.of_everything), self._of_lead[-1], strict=True):
            kept[:, lead] = np.where(_ratchets(parameters), np.maximum(kept[:, lead], now), kept[:, lead])

        strength = states.follow_strength[:, self.allies]
        self._led = self._led or bool(ahead.of_state(lead).any())
        if self._led and strength.any():
            self._follow(parameters, strength, quarter, own, ahead)
        foreign = np.arange(len(self.layout.states)) != self.layout.target
        everything = np.maximum(own.of_everything, foreign[:, None] & self.embargo)
        self.in_force = Severity(own.above_threshold, everything).unless_like(self.in_force)
        self.announced = ahead.unless_like(self.announced)

    def _follow(
        self, parameters: Parameters, strength: Array, quarter: int, in_force: Severity, announced: Severity
    ) -> None:
        """Add what the allies take over: of what the lead had in force a lag ago, and of what it has announced."""
        lead = self.layout.lead
        lags = np.floor(parameters["alliance.lag"] + self._timing)  # (runs, states) quarters
        now = (announced.above_threshold[:, lead].copy(), announced.of_everything[:, lead].copy())
        for place, ally in enumerate(self.allies):
            part = strength[:, [place]]
            then = self._lagged(lags[:, [ally]], quarter)
            for severity, of_lead in ((in_force, then), (announced, now)):
                for kept, followed in zip((severity.above_threshold, severity.of_everything), of_lead, strict=True):
                    kept[:, ally] = np.maximum(kept[:, ally], part * followed)

    def fear(self, parameters: Parameters, states: Any) -> None:
        """What firms reckon with: what is announced or, by a state's record, that it goes further on listed items."""
        further = parameters["stockpiling.record"] * states.tension
        worse = np.minimum(1.0, self.in_force.above_threshold + np.where(self.listed, further[..., None], 0.0))
        feared = Severity(np.maximum(self.announced.above_threshold, worse), self.announced.of_everything)
        self.feared = feared.unless_like(self.in_force)

    def barred(self, parameters: Parameters, events: Sequence[Event], quarter: int) -> tuple[Array, Array]:
        """What the target restricts on dates: materials to each state (runs, states, inputs), and makers of each
        state (runs, states, segments).

        A retaliation without a `target` is against every controller; the latest severity on an item holds. Dated
        answers belong to dated controls: where states decide for themselves, `State.retaliate` answers.
        """
        layout = self.layout
        materials = np.zeros((len(layout.states), len(layout.inputs)))
        makers = np.zeros((len(layout.states), len(layout.segments)))
        for event in events:
            if event.kind == "retaliation" and event.quarter <= quarter:
                named = np.array([state == event.target for state in layout.states])
                against = (layout.is_controller if event.target is None else named)[:, None]
                items = _reached(event.scope, self.items)
                severity = float(event.severity or 0.0)
                materials = np.where(against & items[: len(layout.inputs)] & layout.is_dominated, severity, materials)
                if "all" not in event.scope:
                    makers = np.where(against & items[len(layout.inputs) : -1], severity, makers)
        by_date = _by_date(parameters)[..., None]
        return by_date * materials, by_date * makers

    def _lagged(self, lag: Array, quarter: int) -> tuple[Array, Array]:
        """What the lead had in force `lag` quarters ago, (runs, items), nothing before the first quarter."""
        above, everything = (np.zeros_like(kept) for kept in self._of_lead[-1])
        for quarters in np.unique(lag).astype(int):
            if quarters <= quarter:
                then = self._of_lead[quarter - quarters]
                above = np.where(lag == quarters, then[0], above)
                everything = np.where(lag == quarters, then[1], everything)
        return above, everything

    def _stated(
        self, parameters: Parameters, events: Sequence[Event], quarter: int, decided: Array, ahead: bool = False
    ) -> Severity:
        """What states do by themselves in a quarter or, with `ahead`, have announced by then."""
        layout, items = self.layout, self.items
        threshold = np.zeros((len(decided), len(layout.states), len(items)))
        everything = np.zeros_like(threshold)
        scale = parameters["controls.severity"]
        day = FIRST_YEAR + (quarter + (ANNOUNCED_AHEAD if ahead else 0)) / QUARTERS_PER_YEAR
        fixed = parameters.is_set("controls.mode", "fixed") & (parameters["controls.start"] <= day)
        threshold[:, layout.lead] = np.where(fixed & self.listed, scale, 0.0)
        decides = parameters.is_set("controls.mode", "reactive") & ~_ratchets(parameters)
        threshold[:, layout.lead] = np.where(
            decides & self.listed, decided[:, [layout.lead]], threshold[:, layout.lead]
        )

        dated = np.where(_by_date(parameters), scale, 0.0)
        for event in events:
            if event.kind not in ("control", "truce"):
                continue
            if (event.announced_quarter if ahead else event.quarter) > quarter:
                continue
            by = layout.states.index(event.by)
            reached = _reached(event.scope, items)
            if event.kind == "truce":
                remains = np.where(reached & (dated > 0), 1.0 - float(event.severity or 0.0), 1.0)
                threshold[:, by] = threshold[:, by] * remains
                everything[:, by] = everything[:, by] * remains
            else:
                kept = everything if "all" in event.scope else threshold
                kept[:, by] = np.maximum(kept[:, by], np.where(reached, dated * float(event.severity or 0.0), 0.0))
        return Severity(threshold, everything)


def _ratchets(parameters: Parameters) -> NDArray[np.bool_]:
    """Whether the lead goes by events only and never back, (runs, 1)."""
    return parameters.is_set("controls.mode", "reactive") & parameters.is_set("controls.doctrine", "ratchet")


def _by_date(parameters: Parameters) -> NDArray[np.bool_]:
    """Whether what happens on dates is in force, (runs, 1)."""
    return parameters.is_set("controls.mode", "events") | _ratchets(parameters)


def truce(events: Sequence[Event], quarter: int, layout: Layout) -> float:
    """The part of its controls that the lead gives up by a truce in this very quarter, 0 without one."""
    given_up = [
        float(event.severity or 0.0)
        for event in events
        if event.kind == "truce" and event.quarter == quarter and event.by == layout.states[layout.lead]
    ]
    return max(given_up, default=0.0)


@cache
def _reached(scope: tuple[str, ...], items: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([item in scope or "all" in scope for item in items])


def at_items(severities: Array, states: NDArray[np.int64], items: NDArray[np.int64]) -> Array:
    """The severity that each seller's state puts on its item: (runs, states, items) to (runs, sellers)."""
    flat = severities.reshape(len(severities), -1)
    return np.take(flat, states * severities.shape[-1] + items, axis=-1)


@dataclass(frozen=True)
class Denial:
    """The part of each seller's base sales that is denied, above a technical threshold and below it.

    `above` and `below` are the sellers', (runs, …, sellers). `reach` is what part of that hits a buyer, and `exposure`
    what part of its purchases lies above; both broadcast against buyers and sellers.
    """

    above: Array
    below: Array
    reach: Array
    exposure: Array

    @property
    def of_sales(self) -> Array:
        return self.reach * (self.exposure * self.above + (1.0 - self.exposure) * self.below)


def decided(
    parameters: Parameters,
    severity: Severity,
    states: NDArray[np.int64],
    items: NDArray[np.int64],
    licence: Array,
) -> tuple[Array, Array]:
    """What a severity denies of each seller's sales above thresholds and below them, (runs, sellers).

    `states` and `items` are the sellers'; `licence` (runs, sellers) is the year's draw.
    """

    def by_licence(expected: Array) -> Array:
        if not expected.any():
            return expected  # licensing and over-compliance add nothing to nothing
        part = licensed(expected, licence, parameters["controls.licence_spread"])
        return over_complied(part, parameters["controls.over_compliance"])

    everything = by_licence(at_items(severity.of_everything, states, items))
    return np.maximum(by_licence(at_items(severity.above_threshold, states, items)), everything), everything


def part_met(share: Array, denial: Denial, exposure: Array, by_market: Groups, backfill: Array) -> Array:
    """What part of buyers' needs is met, (runs, …, markets), when sellers have these `share` of it (summing to 1).

    What lies above a threshold cannot be replaced by what lies below: each is back-filled by itself.
    """

    def met(denied: Array) -> Array | float:
        if not denied.any():
            return 1.0  # exactly what the formula gives, in blocks with denials too
        return supplied(1.0 - denial.reach * by_market.sum(share * denied), backfill)

    return exposure * met(denial.above) + (1.0 - exposure) * met(denial.below)


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
    return np.minimum(1.0, permitted + denied * -np.expm1(-backfill * permitted / denied))
