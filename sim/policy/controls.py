"""Export controls: which part of which supply to the target each state denies, and has announced to deny.

A control reaches what lies above a technical threshold: the severity on an input counts by the segment that the
line is for (`control_exposure`), on chips by `chip_exposure`. The scope "all" reaches everything. "experts" are
nationals of the controlling state who may no longer help.

The lead controller's controls are fixed, dated or decided by a doctrine (`State.decide_controls`); the allies follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.agents import State
from sim.arrays import Array, Flags
from sim.calendar import FIRST_YEAR, QUARTERS_PER_YEAR
from sim.engine.parameters import Parameters
from sim.engine.streams import agent_keys, uniform
from sim.markets.denial import Severity
from sim.scenario.events import Event
from sim.start.roster import Roster
from sim.start.state import BaseSupplies

ANNOUNCED_AHEAD = QUARTERS_PER_YEAR  # a fixed control is announced a year before it is in force


class ExportControls:
    """What each state denies the target, in force and announced; remembers what the lead did, for allies to follow."""

    def __init__(self, roster: Roster, supplies: BaseSupplies, seeds: NDArray[np.uint64]) -> None:
        self.roster = roster
        self.supplies = supplies
        self.listed = np.concatenate([roster.is_controlled, np.ones(len(roster.segments), dtype=bool), [False]])
        self.in_force = Severity.nothing(len(seeds), len(roster.states), len(roster.items))
        self.announced = self.feared = self.in_force
        self.embargo = np.zeros(len(roster.items), dtype=bool)  # nobody abroad sells any of these: for asking what if
        self.allies = [state for state, role in enumerate(roster.roles) if role == "ally"]
        self._timing = uniform(seeds, "alliance timing", 0, agent_keys(roster.states))
        self._of_lead: list[tuple[Array, Array]] = []  # by quarter: above thresholds and of everything, (runs, items)
        self._led = False  # whether there has been anything to follow

    def copy(self) -> ExportControls:
        """The same memory, for a second future to go on with."""
        twin = copy(self)
        twin._of_lead = list(self._of_lead)
        return twin

    def keep_truce(self, events: Sequence[Event], quarter: int, states: State) -> None:
        """By a truce in this very quarter the lead gives up a part of what it has decided to have in force."""
        lead = self.roster.states[self.roster.lead]
        given_up = [
            float(event.severity or 0.0)
            for event in events
            if event.kind == "truce" and event.quarter == quarter and event.by == lead
        ]
        states.enacted_severity = states.enacted_severity * (1.0 - max(given_up, default=0.0))

    def impose(self, parameters: Parameters, events: Sequence[Event], quarter: int, states: State) -> None:
        """Put in force and announce what the lead decides, and what the allies make of it."""
        lead = self.roster.lead
        own = self._stated(parameters, events, quarter, states.enacted_severity)
        before = self._of_lead[-1] if self._of_lead else (own.above_threshold[:, lead], own.of_everything[:, lead])
        for kept, last in zip((own.above_threshold, own.of_everything), before, strict=True):
            kept[:, lead] = np.where(ratchets(parameters), np.maximum(kept[:, lead], last), kept[:, lead])
        self._of_lead.append((own.above_threshold[:, lead].copy(), own.of_everything[:, lead].copy()))
        ahead = self._stated(parameters, events, quarter, states.foreseen_severity, ahead=True)
        for kept, now in zip((ahead.above_threshold, ahead.of_everything), self._of_lead[-1], strict=True):
            kept[:, lead] = np.where(ratchets(parameters), np.maximum(kept[:, lead], now), kept[:, lead])

        strength = states.follow_strength[:, self.allies]
        self._led = self._led or bool(ahead.of_state(lead).any())
        if self._led and strength.any():
            self._follow(parameters, strength, quarter, own, ahead)
        foreign = np.arange(len(self.roster.states)) != self.roster.target
        everything = np.maximum(own.of_everything, foreign[:, None] & self.embargo)
        self.in_force = Severity(own.above_threshold, everything).unless_like(self.in_force)
        self.announced = ahead.unless_like(self.announced)

    def _follow(
        self, parameters: Parameters, strength: Array, quarter: int, in_force: Severity, announced: Severity
    ) -> None:
        """Add what the allies take over: of what the lead had in force a lag ago, and of what it has announced."""
        lead = self.roster.lead
        lags = np.floor(parameters["alliance.lag"] + self._timing)  # (runs, states) quarters
        now = (announced.above_threshold[:, lead].copy(), announced.of_everything[:, lead].copy())
        for place, ally in enumerate(self.allies):
            part = strength[:, [place]]
            then = self._lagged(lags[:, [ally]], quarter)
            for severity, of_lead in ((in_force, then), (announced, now)):
                for kept, followed in zip((severity.above_threshold, severity.of_everything), of_lead, strict=True):
                    kept[:, ally] = np.maximum(kept[:, ally], part * followed)

    def fear(self, parameters: Parameters, states: State) -> None:
        """What firms reckon with: what is announced or, by a state's record, that it goes further on listed items.

        It may go further above thresholds, and in part (`stockpiling.reach`) beyond them: a list of firms, or a ban on
        service, stops all supplies.
        """
        further = parameters["stockpiling.record"] * states.tension
        worse = np.minimum(1.0, self.in_force.above_threshold + np.where(self.listed, further[..., None], 0.0))
        wider = np.minimum(1.0, parameters["stockpiling.reach"] * states.tension)
        everything = np.where(self.listed, wider[..., None], 0.0)
        feared = Severity(
            np.maximum(self.announced.above_threshold, worse), np.maximum(self.announced.of_everything, everything)
        )
        self.feared = feared.unless_like(self.in_force)

    def inform(self, states: State) -> None:
        """What states see of each other's controls: what is in force and, by value, what is announced."""
        states.harshest_now = self.in_force.harshest
        states.faced_control = self.in_force.harshest[:, [self.roster.lead]] * states.is_target
        states.tools_denied = self._tools_denied() * states.is_target
        states.experts_denied = self.in_force.on_experts.max(axis=-1, keepdims=True) * states.is_target
        states.announced_severity = self._announced_by_value()

    def _tools_denied(self) -> Array:
        """The part of the target's foreign tools for lines above thresholds that is or will be denied, (runs, 1)."""
        harsher = np.maximum(self.announced.above_threshold, self.announced.of_everything)
        denied = (harsher[..., : len(self.roster.inputs)] * self.roster.foreign_tools).sum(axis=(-1, -2))
        return denied[:, None]

    def _announced_by_value(self) -> Array:
        """Each state's announced severity over its base sales to the target, (runs, states); experts have no price."""
        above = self.announced.above_threshold[..., :-1] * self.supplies.above_threshold
        everything = self.announced.of_everything[..., :-1] * self.supplies.of_item
        by_value: Array = np.maximum(above, everything).sum(axis=-1)
        return by_value

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
        roster, items = self.roster, self.roster.items
        threshold = np.zeros((len(decided), len(roster.states), len(items)))
        everything = np.zeros_like(threshold)
        scale = parameters["controls.severity"]
        day = FIRST_YEAR + (quarter + (ANNOUNCED_AHEAD if ahead else 0)) / QUARTERS_PER_YEAR
        fixed = parameters.is_set("controls.mode", "fixed") & (parameters["controls.start"] <= day)
        threshold[:, roster.lead] = np.where(fixed & self.listed, scale, 0.0)
        decides = parameters.is_set("controls.mode", "reactive") & ~ratchets(parameters)
        threshold[:, roster.lead] = np.where(
            decides & self.listed, decided[:, [roster.lead]], threshold[:, roster.lead]
        )

        dated = np.where(by_date(parameters), scale, 0.0)
        for event in events:
            if event.kind not in ("control", "truce"):
                continue
            if (event.announced_quarter if ahead else event.quarter) > quarter:
                continue
            by = roster.states.index(event.by)
            covers = reached(event.scope, items)
            if event.kind == "truce":
                remains = np.where(covers & (dated > 0), 1.0 - float(event.severity or 0.0), 1.0)
                threshold[:, by] = threshold[:, by] * remains
                everything[:, by] = everything[:, by] * remains
            else:
                kept = everything if "all" in event.scope else threshold
                kept[:, by] = np.maximum(kept[:, by], np.where(covers, dated * float(event.severity or 0.0), 0.0))
        return Severity(threshold, everything)


def ratchets(parameters: Parameters) -> Flags:
    """Whether the lead goes by events only and never eases, (runs, 1)."""
    return parameters.is_set("controls.mode", "reactive") & parameters.is_set("controls.doctrine", "ratchet")


def by_date(parameters: Parameters) -> Flags:
    """Whether what happens on dates is in force, (runs, 1)."""
    return parameters.is_set("controls.mode", "events") | ratchets(parameters)


@cache
def reached(scope: tuple[str, ...], items: tuple[str, ...]) -> Flags:
    """Whether an event's scope covers each item, (items,)."""
    return np.array([item in scope or "all" in scope for item in items])
