"""What a scenario sets and no run reads: one table of what each key needs, for `check`, `run`, `batch` and `compare`.

A parameter whose mechanism is switched off is idle by the evidence (`mechanism`, `neutral`). What else a key needs
stands here; a test changes every idle key and sees that no measure moves, and that keys which are not idle move some.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sim.errors import with_article, written
from sim.scenario.empty import Possible, empty
from sim.scenario.events import Event
from sim.scenario.makers import out
from sim.scenario.scenario import Scenario
from sim.scenario.values import WORLD_SALES
from sim.world.evidence import Value

Need = tuple[str, tuple[Value, ...]]
Needs = Mapping[str, tuple[Value, ...]]  # by key, the values of which it takes one; none named: a number above 0
ABOVE_0: tuple[Value, ...] = ()
BELOW_1: tuple[Value, ...] = ("below 1",)
NOT_GIVEN = "not given"  # of a table of what was observed
EVENTS = "[[event]]"  # stands for a key whose values are the kinds of events, and of some of them what they are on
MODE, SEVERITY, DOCTRINE = "controls.mode", "controls.severity", "controls.doctrine"
FIXED: Needs = {MODE: ("fixed",)}
DECIDED: Needs = {MODE: ("reactive",), DOCTRINE: ("cost-benefit", "preventive")}
DATED: tuple[Needs, ...] = ({MODE: ("events",)}, {MODE: ("reactive",), DOCTRINE: ("ratchet",)})


def _each(ways: Iterable[Needs], **also: tuple[Value, ...]) -> tuple[Needs, ...]:
    """Every way with further needs; a dot in a key is written as two underscores."""
    return tuple({**way, **{key.replace("__", "."): values for key, values in also.items()}} for way in ways)


IN_FORCE = ({MODE: ("fixed", "reactive")}, {MODE: ("events",), SEVERITY: ABOVE_0})  # controls by a lever of their own
BY_EVENT = tuple({**way, EVENTS: ("control",)} for way in DATED)
SCALED: tuple[Needs, ...] = (FIXED, *BY_EVENT, DECIDED)  # controls that their severity scales
LEVERS = ({"controls.quality_cap": BELOW_1}, {"controls.foundry": ABOVE_0})  # and levers that it scales with the dates
CONTROLS = _each(SCALED, controls__severity=ABOVE_0)  # some control comes into force
RESTRICTED = tuple({**way, EVENTS: ("retaliation",)} for way in DATED)
DENIED = (*CONTROLS, *RESTRICTED)  # somebody denies something
LACKING: tuple[Needs, ...] = (*DENIED, {EVENTS: ("suppliers",)})  # some of it cannot be had, whatever the reason
HINDERED: tuple[Needs, ...] = (*CONTROLS, {"controls.quality_cap": BELOW_1})  # chips with a quality are not all sold
OF_TARGET: tuple[Needs, ...] = ({"subsidy.annual": ABOVE_0}, {"subsidy.mode": ("plan",)})
GRANTS: tuple[Needs, ...] = (*OF_TARGET, {"controller_subsidy.annual": ABOVE_0})
ANSWERED = _each(CONTROLS, retaliation__severity=ABOVE_0)

# A key is read if all of one of its ways is met.
READ: Mapping[str, tuple[Needs, ...]] = {
    SEVERITY: (*SCALED, *({MODE: ("events",), **lever} for lever in LEVERS)),
    "mandate.tools_pace": ({"mandate.tools": ABOVE_0},),
    "demand.surge": ({WORLD_SALES: (NOT_GIVEN,)},),
    "investment.diversion": LACKING,
    "stockpiling.reach": DENIED,
    **dict.fromkeys(("controls.foundry", "controls.quality_cap"), IN_FORCE),
    "controls.start": _each([FIXED], controls__severity=ABOVE_0),
    "controls.alignment": CONTROLS,
    DOCTRINE: ({MODE: ("reactive",)},),
    "doctrine.harm_weight": ({MODE: ("reactive",), DOCTRINE: ("cost-benefit",)},),
    "doctrine.horizon": ({MODE: ("reactive",), DOCTRINE: ("cost-benefit",)},),
    "doctrine.prevention": ({MODE: ("reactive",), DOCTRINE: ("preventive",)},),
    "doctrine.speed": (DECIDED,),
    "alliance.lag": _each(CONTROLS, controls__alignment=ABOVE_0),
    "alliance.reluctance": _each(CONTROLS, controls__alignment=ABOVE_0),
    **dict.fromkeys(("controls.foreign_owned_part", "controls.licence_spread"), CONTROLS),
    "controls.backfill": (*LACKING, {"mandate.refusal": ABOVE_0}),
    **dict.fromkeys(("leakage.smuggled", "leakage.offshore"), HINDERED),
    "leakage.years": _each(HINDERED, leakage__smuggled=ABOVE_0),
    "controls.over_compliance": DENIED,
    **dict.fromkeys(("buyers.caution", "buyers.expectation_speed"), CONTROLS),
    **dict.fromkeys((f"stockpiling.{key}" for key in ("quarters", "speed", "record", "fading")), DENIED),
    "production.yield_without_critical_inputs": LACKING,
    "research.tool_dependence": LACKING,
    "talent.foreign_part": tuple({**way, SEVERITY: ABOVE_0, EVENTS: ("experts",)} for way in DATED),
    "retaliation.severity": CONTROLS,
    "retaliation.lag": ANSWERED,
    "retaliation.shrinking": ANSWERED,
    "retaliation.bite": (*ANSWERED, *RESTRICTED),
    "subsidy.allocation": OF_TARGET,
    "review.horizon": _each(OF_TARGET, subsidy__allocation=("bottleneck",)),
    **dict.fromkeys(("subsidy.leakage", "subsidy.research_share", "subsidy.research_to_suppliers"), GRANTS),
    **dict.fromkeys(
        (f"plan.{key}" for key in ("goal", "years", "base", "trend", "gap_response", "exposure_response", "cap")),
        ({"subsidy.mode": ("plan",)},),
    ),
    **dict.fromkeys(("entry.grant_part", "entry.rate", "entry.failure"), OF_TARGET),
}
# The dated events that a mode may leave out of force.
DATES: Mapping[str, tuple[Needs, ...]] = {"control": DATED, "retaliation": DATED, "truce": (*DATED, DECIDED)}
# What a switch takes along beyond the parameters that name it as their mechanism.
SWITCHED: Mapping[str, tuple[str, ...]] = {
    "luck": ("demand.drawn_from", "demand.shock_common"),
    "prices": (
        "chip_market.price_return",
        "demand.elasticity_short_run",
        "demand.elasticity_slow",
        "demand.slow_speed",
    ),
    "caution": ("buyers.expectation_speed",),
    "investment_response": ("investment.own_orders",),
    "equity": ("investment.external_share",),
    "learning": ("learning.past_years", "learning.spillover"),
    "research": (
        "research.concentration_weight",
        "research.entry_share",
        "research.intensity_weight",
        "research.leaders_elasticity",
        "research.price_weight",
        "subsidy.research_to_suppliers",
    ),
    "stockpiling": ("stockpiling.fading", "stockpiling.speed"),
    "leakage": ("leakage.years",),
    "retaliation": ("retaliation.severity", "retaliation.lag", "retaliation.shrinking"),
    "entry": ("entry.grant_part", "entry.failure"),
    "security": ("security.years", "security.state_part"),
}


def idle(scenario: Scenario, varied: Mapping[str, Collection[Value]] | None = None) -> list[str]:
    """What has no effect, a sentence each: dated events that are not in force or deny nothing, and keys not read.

    `varied` are the values of keys that an experiment varies; of these keys nothing is said.
    """
    values = possible(scenario, varied)
    given = {key: value for key, value in scenario.values.items() if value != scenario.world.parameters[key].value}
    for event in scenario.events:
        given |= event.levers()
    reasons = idle_keys(scenario, [key for key in given if key not in (varied or {})], values)
    said = [
        f"{scenario.file}: {key} = {written(given[key])}: has no effect; it needs {needs}"
        for key, needs in reasons.items()
    ]
    counted = in_force(scenario, values)
    ids = set(map(id, counted))  # equal events take long to be told apart
    kinds: list[str] = [event.kind for event in scenario.events if id(event) not in ids]
    return [*_not_in_force(scenario, kinds, values), *empty(scenario, counted, values), *said]


def in_force(scenario: Scenario, values: Possible) -> list[Event]:
    """The dated events that the modes among the possible values let count."""
    return [event for event in scenario.events if _is_read(values, DATES.get(event.kind, ({},)))]


def _not_in_force(scenario: Scenario, kinds: list[str], values: Possible) -> list[str]:
    """One sentence for the kinds of dated events that the mode leaves out of force."""
    if not kinds:
        return []
    named = " and ".join(f"{kind} ({kinds.count(kind)})" for kind in dict.fromkeys(kinds))
    modes = " or ".join(sorted(str(mode) for mode in values[MODE]))
    return [
        f"{scenario.file}: dated events are not in force: {named}; controls.mode is {modes}, and they need "
        "controls.mode = 'events', or 'reactive' with controls.doctrine = 'ratchet'"
    ]


def possible(scenario: Scenario, varied: Mapping[str, Collection[Value]] | None = None) -> Possible:
    """The values that each key has in some run or at some date; `varied` are those of an experiment."""
    values: dict[str, set[Value]] = {key: {value} for key, value in scenario.values.items()}
    values |= {key: set(given) for key, given in (varied or {}).items()}
    values[EVENTS] = {event.kind for event in scenario.events}
    for event in scenario.events:
        if event.kind == "control" and {"experts", "all"} & set(event.scope):
            values[EVENTS].add("experts")
        if event.kind == "outage" and out(event, scenario.world) & {*scenario.world.column("suppliers", "id")}:
            values[EVENTS].add("suppliers")
        for key, value in event.levers().items():
            values[key].add(value)
    values[WORLD_SALES] = {"given" if scenario.observed(WORLD_SALES) else NOT_GIVEN}
    for key, parameter in scenario.world.parameters.items():
        if parameter.mechanism and parameter.neutral is not None and _is_off(parameter.mechanism, values):
            values[key] = {parameter.neutral}
    return values


def idle_keys(scenario: Scenario, keys: Iterable[str], values: Possible) -> dict[str, str]:
    """Those of the keys that no run reads, each with what it needs."""
    reasons = {key: _lacking(scenario, key, values) for key in keys}
    return {key: reason for key, reason in reasons.items() if reason}


def _lacking(scenario: Scenario, key: str, values: Possible) -> str:
    """What a key needs to be read and has not, in words; nothing if it is read."""
    ways = lacking(scenario, key, values)
    return " or ".join(dict.fromkeys(" and ".join(_worded(*need) for need in way) for way in ways))


def lacking(scenario: Scenario, key: str, values: Possible, read: tuple[Needs, ...] | None = None) -> list[list[Need]]:
    """What a key needs to be read and has not, by the ways that lack least; nothing if it is read.

    `read` are the ways in which it is read, where they are not those of the table.
    """
    mechanism = scenario.world.parameters[key].mechanism
    switches = [mechanism] if mechanism else []
    switches += [switch for switch, along in SWITCHED.items() if key in along]
    off = [switch for switch in switches if _is_off(switch, values)]
    if off:
        return [[(f"mechanisms.{off[0]}", (True,))]]
    known = [way for way in read or READ.get(key, ({},)) if way.keys() <= values.keys()]  # a world may lack a lever
    ways = [[need for need in way.items() if not _is_met(*need, values)] for way in known]
    least = min(map(len, ways))
    return [way for way in ways if least and len(way) == least]


def _is_read(values: Possible, ways: Iterable[Needs]) -> bool:
    return any(all(_is_met(*need, values) for need in way.items()) for way in ways)


def _is_off(mechanism: str, values: Possible) -> bool:
    return True not in values[f"mechanisms.{mechanism}"]


def _is_met(key: str, wanted: tuple[Value, ...], values: Possible) -> bool:
    held: Any = values[key]
    if wanted == BELOW_1:
        return any(value < 1 for value in held)
    return bool(set(wanted) & set(held)) if wanted else any(value > 0 for value in held)


def _worded(key: str, wanted: tuple[Value, ...]) -> str:
    if key == EVENTS:
        what = {"experts": "control on experts", "suppliers": "outage of suppliers"}.get(str(wanted[0]), str(wanted[0]))
        return f"an event that is {with_article(what)}"
    if key == WORLD_SALES:
        return f"a config without [{key}], which says what the cycle was"
    if wanted in (ABOVE_0, BELOW_1):
        return f"{key} {'above 0' if wanted == ABOVE_0 else 'below 1'}"
    return f"{key} = {' or '.join(written(value) for value in wanted)}"
