"""Export controls: which part of which supply to the target each state denies, and has announced to deny.

A control reaches what lies above a technical threshold: the severity on an input counts by the segment that the
line is for (`control_exposure`), on chips by `chip_exposure`. The scope "all" reaches everything. A control that names
`lines` reaches its inputs for lines of these segments, whatever the threshold. "experts" are nationals of the
controlling state who may no longer help.

A control binds whoever is headquartered in the state that decides it and, `through` other states, their sellers too:
their chips and inputs in its scope are made with the state's tools and software, or hold its parts (the foreign direct
product rules, 15 CFR 734.9: on Huawei's chips since 2020, on chips for computing since 2022-10, on tools since
2024-12). Experts are never reached through another state. What is denied is booked where the seller has its seat; the
tension, the target's answer and the help of experts go by the state that decides.

The lead controller's controls are fixed, dated or decided by a doctrine (`State.decide_controls`); the allies follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from sim.agents import State
from sim.arrays import Array, Flags, Indices
from sim.calendar import FIRST_YEAR, QUARTERS_PER_YEAR
from sim.engine.groups import total
from sim.engine.kept import Kept
from sim.engine.parameters import Parameters
from sim.engine.runs import ByRun, Pick
from sim.engine.streams import Luck, agent_keys
from sim.markets.denial import Severity
from sim.scenario.events import Event
from sim.start.roster import Roster
from sim.start.state import BaseSupplies
from sim.world.world import EXPERTS

ANNOUNCED_AHEAD = QUARTERS_PER_YEAR  # a fixed control is announced a year before it is in force


class ExportControls(ByRun):
    """What each state denies the target, in force and announced; remembers what the lead did, for allies to follow.

    `in_force`, `announced` and `feared` are by the state whose sellers obey, `decided` by the state that decides.
    """

    def __init__(self, roster: Roster, supplies: BaseSupplies, luck: Luck) -> None:
        self.roster = roster
        self.supplies = supplies
        self.listed = np.concatenate([roster.is_controlled, np.ones(len(roster.segments), dtype=bool), [False]])
        self.in_force = Severity.nothing(len(luck.seeds), len(roster.states), len(roster.items))
        self.decided = self.announced = self.feared = self.in_force
        self.embargo = np.zeros(len(roster.items), dtype=bool)  # nobody abroad sells any of these: for asking what if
        self.allies = [state for state, role in enumerate(roster.roles) if role == "ally"]
        self._timing = luck.draw("alliance timing", 0, agent_keys(roster.states))
        self._through: list[tuple[int, int]] = []  # a state that decides, and one whose sellers obey it too
        self._lines: list[tuple[int, int]] = []  # an input and a segment for whose lines alone some event is on it
        self._dates: dict[tuple[int, ...], tuple[Array, ...]] = {}  # by the events in force: what they deny
        self._kept = self.in_force  # by row: last quarter's, for a lead that never eases
        self._of_lead: list[tuple[Array, ...]] = []  # by quarter: the parts of its severity, (runs, columns)
        self._led = False  # whether there has been anything to follow
        self._keep_answers()

    def _keep_answers(self) -> None:
        # Most quarters nothing changes: then what was found stays.
        self._dated_events: Kept[list[tuple[Event, int, int, int]]] = Kept()
        self._statements: tuple[Kept[Severity], Kept[Severity]] = (Kept(), Kept())  # of now, and of what is ahead
        self._following: Kept[tuple[Severity, Severity]] = Kept()
        self._obeying: tuple[Kept[Severity], Kept[Severity]] = (Kept(), Kept())
        self._seen: Kept[tuple[Array, Array]] = Kept()

    def picked(self, pick: Pick) -> ExportControls:
        """The same memory of the runs that are picked."""
        twin = super().picked(pick)
        twin._keep_answers()
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
        ahead = self._stated(parameters, events, quarter, states.foreseen_severity, ahead=True)
        if (ratchet := ratchets(parameters)).any():
            own = self._never_less(ratchet, own, self._kept)
            ahead = self._never_less(ratchet, ahead, own)
        is_new = own is not self._kept
        self._kept = own
        self._of_lead.append(tuple(part[:, lead] for part in own.parts) if is_new else self._of_lead[-1])

        strength = states.follow_strength[:, self.allies]
        self._led = self._led or any(part[:, lead].any() for part in ahead.parts)
        if self._led and strength.any():
            own, ahead = self._followed(parameters, strength, quarter, own, ahead)
        if self.embargo.any():
            foreign = np.arange(own.of_everything.shape[1]) != self.roster.target
            everything = np.maximum(own.of_everything, foreign[:, None] & self.embargo)
            own = replace(own, of_everything=everything)
        now, then = self._obeying
        self.in_force = now.answer(lambda: self._obeyed(own).unless_like(self.in_force), own)
        self.announced = then.answer(lambda: self._obeyed(ahead).unless_like(self.announced), ahead)
        self.decided = own.of_first(len(self.roster.states))

    def _never_less(self, ratchet: Flags, severity: Severity, before: Severity) -> Severity:
        """The lead's controls, never below what they were, in the runs where it never eases."""
        deciding = [*range(len(self.roster.states)), *(by for by, _ in self._through)]
        kept = ratchet[..., None] & (np.array(deciding) == self.roster.lead)[:, None]
        parts = []
        for part, last in zip(severity.parts, before.parts, strict=True):
            least = np.zeros_like(part)
            least[:, : last.shape[1], : last.shape[2]] = last  # an event of a live run may have added rows and columns
            parts.append(np.where(kept, np.maximum(part, least), part))
        return severity.with_parts(parts)

    def _obeyed(self, severity: Severity) -> Severity:
        """By the state whose sellers obey, of what is by row: each state's own, then what it reaches through others."""
        if not self._through:
            return severity
        count = len(self.roster.states)
        parts = [part[:, :count].copy() for part in severity.parts]
        for obeyed, part in zip(parts, severity.parts, strict=True):
            for row, (_, seller) in enumerate(self._through, start=count):
                obeyed[:, seller] = np.maximum(obeyed[:, seller], part[:, row])
        return severity.with_parts(parts)

    def _followed(
        self, parameters: Parameters, strength: Array, quarter: int, in_force: Severity, announced: Severity
    ) -> tuple[Severity, Severity]:
        """With what the allies take over: of what the lead had in force a lag ago, and of what it has announced."""
        lags = np.floor(parameters["alliance.lag"] + self._timing)[:, self.allies]  # (runs, allies) quarters
        before = {lag: self._of_lead[quarter - lag] for lag in np.unique(lags).astype(int) if lag <= quarter}

        def follow() -> tuple[Severity, Severity]:
            now = [part[:, self.roster.lead] for part in announced.parts]
            copies = [[part.copy() for part in severity.parts] for severity in (in_force, announced)]
            for place, ally in enumerate(self.allies):
                then = self._lagged(lags[:, [place]], before)
                for parts, of_lead in zip(copies, (then, now), strict=True):
                    for kept, followed in zip(parts, of_lead, strict=True):
                        kept[:, ally] = np.maximum(kept[:, ally], strength[:, [place]] * followed)
            return in_force.with_parts(copies[0]), announced.with_parts(copies[1])

        return self._following.answer(follow, in_force, announced, strength, lags, *before.values())

    def fear(self, parameters: Parameters, states: State) -> None:
        """What firms reckon with: what is announced or, by a state's record, that it goes further on listed items.

        It may go further above thresholds, and in part (`stockpiling.reach`) beyond them: a list of firms, or a ban on
        service, stops all supplies.
        """
        further = parameters["stockpiling.record"] * states.tension
        worse = np.minimum(1.0, self.in_force.above_threshold + np.where(self.listed, further[..., None], 0.0))
        wider = np.minimum(1.0, parameters["stockpiling.reach"] * states.tension)
        everything = np.maximum(self.announced.of_everything, np.where(self.listed, wider[..., None], 0.0))
        above = np.maximum(self.announced.above_threshold, worse)
        feared = replace(self.announced, above_threshold=above, of_everything=everything)
        self.feared = feared.unless_like(self.in_force)

    def inform(self, states: State) -> None:
        """What states see of each other's controls: what they decide and, by value, what their sellers will obey."""
        harshest = self.decided.harshest
        states.harshest_now = harshest
        states.faced_control = harshest[:, [self.roster.lead]] * states.is_target
        states.experts_denied = self.decided.on_experts.max(axis=-1, keepdims=True) * states.is_target
        tools, by_value = self._seen.answer(lambda: (self._tools_denied(), self._announced_by_value()), self.announced)
        states.tools_denied = tools * states.is_target
        states.announced_severity = by_value

    def _tools_denied(self) -> Array:
        """The part of the target's foreign tools for lines above thresholds that is or will be denied, (runs, 1)."""
        harsher = np.maximum(self.announced.above_threshold, self.announced.of_everything)
        harsher = harsher[..., : len(self.roster.inputs)]
        denied = (harsher * self.roster.foreign_tools).sum(axis=(-1, -2))[:, None]
        if self.announced.for_lines.any():
            denied = denied + self._tools_denied_for_lines(harsher)
        return denied

    def _tools_denied_for_lines(self, harsher: Array) -> Array:
        """What controls for some lines add to that, by the part of each tool that they buy above thresholds."""
        order, inputs, segments = self._named_lines()
        sold = self.supplies.for_lines * self.supplies.of_state[..., None, None]  # (runs, S, inputs, segments)
        above = total(np.moveaxis(sold, 1, -1))[..., 0] * self._exposures()  # (runs, inputs, segments)
        whole = total(above)
        parts = above / np.where(whole > 0, whole, 1.0)
        further = np.maximum(0.0, self.announced.for_lines[..., order] - harsher[..., inputs])
        added = further * self.roster.foreign_tools[..., inputs] * parts[:, None, inputs, segments]
        return total(added.reshape(len(added), -1))

    def _announced_by_value(self) -> Array:
        """Each state's announced severity over its base sales to the target, (runs, states); experts have no price."""
        above = self.announced.above_threshold[..., :-1] * self.supplies.above_threshold
        everything = self.announced.of_everything[..., :-1] * self.supplies.of_item
        by_value: Array = np.maximum(above, everything).sum(axis=-1)
        if self.announced.for_lines.any():
            by_value = by_value + self._added_for_lines()
        return by_value

    def _added_for_lines(self) -> Array:
        """What announced controls for some lines add to the others, by value as above, (runs, states)."""
        announced, (order, inputs, segments) = self.announced, self._named_lines()
        others = np.maximum(
            announced.above_threshold[..., inputs] * self._exposures()[segments], announced.of_everything[..., inputs]
        )
        added: Array = (
            np.maximum(0.0, announced.for_lines[..., order] - others) * self.supplies.for_lines[..., inputs, segments]
        )
        return total(added)[..., 0]

    def _named_lines(self) -> tuple[Indices, Indices, Indices]:
        """The columns of announced controls for lines by input and segment, whatever order events name them in."""
        lines = np.array(self.announced.lines)
        order = np.lexsort(lines.T[::-1])
        inputs, segments = lines[order].T
        return order, inputs, segments

    def _exposures(self) -> Array:
        """What part of the tools for lines of each segment lies above thresholds, (segments,)."""
        return np.array(self.roster.world.column("segments", "control_exposure"))

    def _lagged(self, lag: Array, before: Mapping[int, tuple[Array, ...]]) -> list[Array]:
        """What the lead had in force `lag` quarters ago, (runs, columns), nothing before the first quarter."""
        lagged = [np.zeros_like(part) for part in self._of_lead[-1]]
        for quarters, in_force in before.items():
            for part, then in zip(lagged, in_force, strict=True):
                known = part[:, : then.shape[1]]  # an event of a live run may have added columns since
                known[:] = np.where(lag == quarters, then, known)
        return lagged

    def _stated(
        self, parameters: Parameters, events: Sequence[Event], quarter: int, decided: Array, ahead: bool = False
    ) -> Severity:
        """What states do by themselves in a quarter or, with `ahead`, have announced by then.

        (runs, rows, columns): a row for each state, then one for each state that is reached through.
        """
        p, lead, dated = parameters, self.roster.lead, self._dated(events, quarter, ahead)
        scale, reactive = p["controls.severity"], p.is_set("controls.mode", "reactive")
        day = FIRST_YEAR + (quarter + (ANNOUNCED_AHEAD if ahead else 0)) / QUARTERS_PER_YEAR
        begun = p["controls.start"] <= day

        def state() -> Severity:
            counts = np.where(by_date(p), scale, 0.0)[..., None]
            threshold, everything, for_lines = (counts * part for part in dated)
            fixed = p.is_set("controls.mode", "fixed") & begun
            threshold[:, lead] = np.where(fixed & self.listed, scale, threshold[:, lead])
            decides = reactive & ~ratchets(p)
            threshold[:, lead] = np.where(decides & self.listed, decided[:, [lead]], threshold[:, lead])
            return Severity(threshold, everything, for_lines, tuple(self._lines))

        made_of = (dated, scale, begun, p.words("controls.mode"), p.words("controls.doctrine"))
        return self._statements[ahead].answer(state, *made_of, decided if reactive.any() else None)

    def _dated(self, events: Sequence[Event], quarter: int, ahead: bool) -> tuple[Array, ...]:
        """What dated events deny before `controls.severity` scales it, (rows, columns) of each part of a severity."""
        dated = self._dated_events.answer(lambda: self._with_room(events), *events)
        begun = tuple(place for place, (_, *first, end) in enumerate(dated) if first[ahead] <= quarter < end)
        if begun not in self._dates:
            in_force = [dated[place][0] for place in begun]
            self._dates[begun] = denied_on_dates(in_force, self.roster, self._through, self._lines)
        return self._dates[begun]

    def _with_room(self, events: Sequence[Event]) -> list[tuple[Event, int, int, int]]:
        """The events that deny or give up something, once there is room for what each of them is on.

        With the quarters in which each begins, is announced and has ended.
        """
        self._dates = {}
        dated = [event for event in events if event.kind in ("control", "truce")]
        for event in dated:
            self._make_room(event)
        return [(event, event.quarter, event.announced_quarter, event.ended_quarter) for event in dated]

    def _make_room(self, event: Event) -> None:
        """A row for each state that an event reaches through, and a column for each input and lines that it names."""
        roster = self.roster
        for state in event.through or ():
            pair = (roster.states.index(event.by), roster.states.index(state))
            self._through += [pair] if pair not in self._through else []
        for segment in event.lines or ():
            of_segment = roster.segments.index(segment)
            covers = reached(event.scope, roster.items)
            named = [(item, of_segment) for item in range(len(roster.inputs)) if covers[item]]
            self._lines += [pair for pair in named if pair not in self._lines]


def denied_on_dates(
    events: Sequence[Event],
    roster: Roster,
    through: Sequence[tuple[int, int]],
    lines: Sequence[tuple[int, int]],
) -> tuple[Array, Array, Array]:
    """What events deny in their order, (rows, columns): above thresholds, of everything, and for some lines.

    Of a state's events on an item the strictest holds; a truce takes back a part of all that came before it. The rows
    are the states, and then those that one of them reaches `through` another.
    """
    states = roster.states
    deciding = np.array([*range(len(states)), *(by for by, _ in through)])
    threshold = np.zeros((len(deciding), len(roster.items)))
    everything, for_lines = np.zeros_like(threshold), np.zeros((len(deciding), len(lines)))
    experts = np.array([item == EXPERTS for item in roster.items])
    for event in events:
        by, severity = states.index(event.by), float(event.severity or 0.0)
        covers = reached(event.scope, roster.items)
        named = [roster.segments[segment] in (event.lines or roster.segments) for _, segment in lines]
        covers_lines = np.array([covers[item] for item, _ in lines], dtype=bool) & np.array(named, dtype=bool)
        if event.kind == "truce":
            for part, which in ((threshold, covers), (everything, covers), (for_lines, covers_lines)):
                part[deciding == by] *= np.where(which, 1.0 - severity, 1.0)
            continue
        kept, which = (everything if "all" in event.scope else threshold), covers
        if event.lines:
            kept, which = for_lines, covers_lines
        kept[by] = np.maximum(kept[by], severity * which)
        for state in event.through or ():
            row = len(states) + through.index((by, states.index(state)))
            abroad = which if event.lines else which & ~experts
            kept[row] = np.maximum(kept[row], severity * abroad)
    return threshold, everything, for_lines


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
