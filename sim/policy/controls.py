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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array, Flags
from sim.calendar import FIRST_YEAR, QUARTERS_PER_YEAR
from sim.engine.parameters import Parameters
from sim.engine.streams import agent_keys, uniform
from sim.markets.denial import Severity
from sim.scenario.events import EXPERTS, Event
from sim.start.roster import Roster

ANNOUNCED_AHEAD = QUARTERS_PER_YEAR  # a fixed control is announced a year before it is in force


class ExportControls:
    """What each state denies the target, in force and announced; remembers what the lead did, for allies to follow."""

    def __init__(self, roster: Roster, seeds: NDArray[np.uint64]) -> None:
        self.roster = roster
        self.items = (*roster.inputs, *roster.segments, EXPERTS)
        self.listed = np.concatenate([roster.is_controlled, np.ones(len(roster.segments), dtype=bool), [False]])
        nothing = np.zeros((len(seeds), len(roster.states), len(self.items)))
        self.in_force = self.announced = self.feared = Severity(nothing, nothing)
        self.embargo = np.zeros(
            len(self.items), dtype=bool
        )  # items of which nobody abroad sells anything, to ask what if
        self.allies = [state for state, role in enumerate(roster.roles) if role == "ally"]
        self._timing = uniform(seeds, "alliance timing", 0, agent_keys(roster.states))
        self._of_lead: list[tuple[Array, Array]] = []  # by quarter: above thresholds and of everything, (runs, items)
        self._led = False  # whether there has been anything to follow

    def copy(self) -> ExportControls:
        """The same memory, for a second future to go on with."""
        twin = copy(self)
        twin._of_lead = list(self._of_lead)
        return twin

    def impose(self, parameters: Parameters, events: Sequence[Event], quarter: int, states: Any) -> None:
        """Put in force and announce what the lead decides, and what the allies make of it."""
        lead = self.roster.lead
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

    def fear(self, parameters: Parameters, states: Any) -> None:
        """What firms reckon with: what is announced or, by a state's record, that it goes further on listed items."""
        further = parameters["stockpiling.record"] * states.tension
        worse = np.minimum(1.0, self.in_force.above_threshold + np.where(self.listed, further[..., None], 0.0))
        feared = Severity(np.maximum(self.announced.above_threshold, worse), self.announced.of_everything)
        self.feared = feared.unless_like(self.in_force)

    def barred(self, parameters: Parameters, events: Sequence[Event], quarter: int) -> tuple[Array, Array]:
        """What the target restricts on dates: materials to each state (runs, states, inputs), and firms of each
        state (runs, states, segments).

        A retaliation without a `target` is against every controller; the latest severity on an item holds. Dated
        answers belong to dated controls: where states decide for themselves, `State.retaliate` answers.
        """
        roster = self.roster
        materials = np.zeros((len(roster.states), len(roster.inputs)))
        firms = np.zeros((len(roster.states), len(roster.segments)))
        for event in events:
            if event.kind == "retaliation" and event.quarter <= quarter:
                named = np.array([state == event.target for state in roster.states])
                against = (roster.is_controller if event.target is None else named)[:, None]
                items = _reached(event.scope, self.items)
                severity = float(event.severity or 0.0)
                materials = np.where(against & items[: len(roster.inputs)] & roster.is_dominated, severity, materials)
                if "all" not in event.scope:
                    firms = np.where(against & items[len(roster.inputs) : -1], severity, firms)
        by_date = _by_date(parameters)[..., None]
        return by_date * materials, by_date * firms

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
        roster, items = self.roster, self.items
        threshold = np.zeros((len(decided), len(roster.states), len(items)))
        everything = np.zeros_like(threshold)
        scale = parameters["controls.severity"]
        day = FIRST_YEAR + (quarter + (ANNOUNCED_AHEAD if ahead else 0)) / QUARTERS_PER_YEAR
        fixed = parameters.is_set("controls.mode", "fixed") & (parameters["controls.start"] <= day)
        threshold[:, roster.lead] = np.where(fixed & self.listed, scale, 0.0)
        decides = parameters.is_set("controls.mode", "reactive") & ~_ratchets(parameters)
        threshold[:, roster.lead] = np.where(
            decides & self.listed, decided[:, [roster.lead]], threshold[:, roster.lead]
        )

        dated = np.where(_by_date(parameters), scale, 0.0)
        for event in events:
            if event.kind not in ("control", "truce"):
                continue
            if (event.announced_quarter if ahead else event.quarter) > quarter:
                continue
            by = roster.states.index(event.by)
            reached = _reached(event.scope, items)
            if event.kind == "truce":
                remains = np.where(reached & (dated > 0), 1.0 - float(event.severity or 0.0), 1.0)
                threshold[:, by] = threshold[:, by] * remains
                everything[:, by] = everything[:, by] * remains
            else:
                kept = everything if "all" in event.scope else threshold
                kept[:, by] = np.maximum(kept[:, by], np.where(reached, dated * float(event.severity or 0.0), 0.0))
        return Severity(threshold, everything)


def _ratchets(parameters: Parameters) -> Flags:
    """Whether the lead goes by events only and never back, (runs, 1)."""
    return parameters.is_set("controls.mode", "reactive") & parameters.is_set("controls.doctrine", "ratchet")


def _by_date(parameters: Parameters) -> Flags:
    """Whether what happens on dates is in force, (runs, 1)."""
    return parameters.is_set("controls.mode", "events") | _ratchets(parameters)


def truce(events: Sequence[Event], quarter: int, roster: Roster) -> float:
    """The part of its controls that the lead gives up by a truce in this very quarter, 0 without one."""
    given_up = [
        float(event.severity or 0.0)
        for event in events
        if event.kind == "truce" and event.quarter == quarter and event.by == roster.states[roster.lead]
    ]
    return max(given_up, default=0.0)


@cache
def _reached(scope: tuple[str, ...], items: tuple[str, ...]) -> Flags:
    return np.array([item in scope or "all" in scope for item in items])
