"""Policies with a name: what an analyst would try first, for any config; those that do nothing are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.calendar import quarter_start
from sim.errors import BadInput
from sim.futures.levers import UNLIMITED, unlimited, without_effect
from sim.futures.policy import Policy
from sim.futures.shown import in_words
from sim.scenario.empty import faults
from sim.scenario.held import Entry, values_at
from sim.scenario.idle import in_force, possible
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value


@dataclass(frozen=True)
class Preset:
    """Levers to set and events to put on the date that is chosen. `set` holds none that has its value already."""

    id: str
    label: str
    meaning: str
    set: Mapping[str, Value] = field(default_factory=dict)
    acts: tuple[Entry, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "set": dict(self.set), "acts": [dict(act) for act in self.acts]}


Held = Mapping[str, Value]
Means = tuple[dict[str, Value], list[Entry]]  # levers to set, and acts


def presets(scenario: Scenario, start: int) -> list[Preset]:
    """The policies that change something in this config from this quarter on; the first changes nothing."""
    nothing = Preset("as-it-is", "As it is", "Nothing is changed: the config goes on as it says.")
    return [nothing, *(preset for id in _PRESETS if (preset := _preset(id, scenario, start)))]


def act_of(scenario: Scenario, start: int, id: object) -> tuple[Entry, ...]:
    """The acts of a preset. BadInput for an id that is none."""
    if id == "as-it-is":
        return ()
    if not isinstance(id, str) or id not in _PRESETS:
        raise BadInput(f"act = {str(id)[:40]!r}: is no preset; they are {', '.join(_PRESETS)}")
    preset = _preset(id, scenario, start)
    return preset.acts if preset else ()


def _preset(id: str, scenario: Scenario, start: int) -> Preset | None:
    """A preset in a config, with those of its acts that do something; None if nothing of it does."""
    label, meaning, means = _PRESETS[id]
    world, held = scenario.world, values_at(scenario, start)
    levers, acts = means(scenario, held)
    levers = {key: value for key, value in levers.items() if value != held[key]}
    money = next((f"{value:g}" for key, value in levers.items() if key.endswith(".annual")), "")
    meaning = in_words(meaning, world).replace("MONEY", money)
    changed = Policy(scenario, start, levers, acts).changed
    still = without_effect(changed, start)
    acting = tuple(act for act in acts if _does_something(act, changed, start))
    if not acting and all(key in still for key in levers):
        return None
    return Preset(id, in_words(label, world), meaning, levers, acting)


def _does_something(act: Entry, changed: Scenario, start: int) -> bool:
    values = possible(changed)
    counted = in_force(changed, values)
    same = {**act, "date": quarter_start(start)}
    event = next(each for each in changed.events if same.items() <= each.as_table().items())
    return event in counted and not faults(event, counted, changed.world, values)


def _lifted(scenario: Scenario, held: Held) -> Means:
    return {"controls.severity": 0.0}, []


def _allies_leave(scenario: Scenario, held: Held) -> Means:
    world = scenario.world
    return {"controls.alignment": 0.0}, _truces(scenario, [each for each in world.controllers if each != world.lead])


def _cut_off(scenario: Scenario, held: Held) -> Means:
    by_date: dict[str, Value] = {"controls.mode": "events", "controls.severity": 1.0}
    world = scenario.world
    acts: list[Entry] = [
        {"by": state, "target": world.target, "kind": "control", "scope": ["all"], "severity": 1.0}
        for state in world.controllers
    ]
    return by_date, acts


def _truce(scenario: Scenario, held: Held) -> Means:
    """Controls of a fixed severity are on no date, and only the severity ends them."""
    fixed: dict[str, Value] = {"controls.severity": 0.0} if held["controls.mode"] == "fixed" else {}
    answers = [event for event in scenario.events if event.kind == "retaliation" and event.severity]
    ended: list[Entry] = [
        {
            "by": scenario.world.target,
            **({"target": target} if target else {}),
            "kind": "retaliation",
            "scope": list(scope),
            "severity": 0.0,
        }
        for target, scope in sorted({(event.target, event.scope) for event in answers}, key=str)
    ]
    limits = unlimited(held)
    lifted: list[Entry] = [{"by": scenario.world.lead, "kind": "lever", "set": limits}] if limits else []
    truces = _truces(scenario, scenario.world.controllers)
    return {**fixed, "retaliation.severity": 0.0}, [*lifted, *truces, *ended]


def _truces(scenario: Scenario, states: Sequence[str], scope: Sequence[str] = ("all",)) -> list[Entry]:
    return [
        {"by": state, "target": scenario.world.target, "kind": "truce", "scope": list(scope), "severity": 1.0}
        for state in states
    ]


def _stopped(scenario: Scenario, held: Held) -> Means:
    world = scenario.world
    segments = world.column("quality", "segment")
    stop = {"by": world.lead, "target": world.target, "kind": "control", "scope": segments, "severity": 1.0}
    return {}, [stop] if segments else []


def _allowed(scenario: Scenario, held: Held) -> Means:
    world = scenario.world
    scope = [*world.column("quality", "segment"), *world.column("parts", "input")]
    limits = {key: value for key, value in UNLIMITED.items() if key in held}
    return limits, _truces(scenario, world.controllers, scope) if scope else []


def _raised(key: str, part: float) -> Callable[[Scenario, Held], Means]:
    """A lever goes up by a part of its plausible range, and no further than that goes."""

    def means(scenario: Scenario, held: Held) -> Means:
        lever = scenario.world.parameters[key]
        most = lever.maximum if lever.high is None else lever.high
        assert most is not None
        return {key: max(float(held[key]), min(most, float(held[key]) + part * most))}, []

    return means


def _set(**levers: Value) -> Callable[[Scenario, Held], Means]:
    """Levers take these values, numbers where they are not higher already; a dot in a key is written __."""

    def means(scenario: Scenario, held: Held) -> Means:
        wanted = {key.replace("__", "."): value for key, value in levers.items()}
        return {key: held[key] if _is_more(held[key], value) else value for key, value in wanted.items()}, []

    return means


def _is_more(held: Value, wanted: Value) -> bool:
    return not isinstance(held, str) and not isinstance(wanted, str) and held > wanted


def _together(*all_of: Callable[[Scenario, Held], Means]) -> Callable[[Scenario, Held], Means]:
    def means(scenario: Scenario, held: Held) -> Means:
        levers: dict[str, Value] = {}
        acts: list[Entry] = []
        for each in all_of:
            more, further = each(scenario, held)
            levers |= more
            acts += further
        return levers, acts

    return means


_FUND = _raised("subsidy.annual", 0.5)
_BUY = _set(mandate__domestic=0.3)
_TOOLS = _set(mandate__tools=0.6)
# By id: label, meaning, and what it takes in a config. TARGET, GOODS, SEGMENT (those with a quality) and
# MONEY (of the lever it sets) are filled in.
_PRESETS: Mapping[str, tuple[str, str, Callable[[Scenario, Held], Means]]] = {
    "controls-lifted": (
        "Controls lifted",
        "All export controls end, and those of later dates never come.",
        _lifted,
    ),
    "allies-leave": (
        "Allies leave",
        "The allies take back their own controls and follow the lead no more; makers whom its rules reach still obey.",
        _allies_leave,
    ),
    "full-cutoff": (
        "Full cut-off",
        "All who control sell TARGET nothing any more, from one day to the next: the extreme case, no forecast.",
        _cut_off,
    ),
    "truce": (
        "Truce",
        "Everybody takes back what is in force, TARGET its answers too; what later dates bring still comes.",
        _truce,
    ),
    "stopped": (
        "SEGMENT stopped",
        "The lead sells TARGET no SEGMENT, however weak. By the model's rule smuggling grows with what is denied.",
        _stopped,
    ),
    "allowed": (
        "SEGMENT allowed",
        "TARGET may buy all SEGMENT and their parts, and have its own made abroad; the other controls stay.",
        _allowed,
    ),
    "retaliation": (
        "TARGET hits back",
        "TARGET withholds the materials that it dominates, as strictly as it is controlled itself.",
        _set(retaliation__severity=1.0),
    ),
    "big-fund": (
        "Big fund",
        "TARGET raises its subsidy to MONEY bn yuan a year, on top of the programme that 2020 already contains.",
        _FUND,
    ),
    "buy-domestic": (
        "Buy domestic",
        "At least 30 % of purchases go to makers of TARGET's own, as far as they have capacity.",
        _BUY,
    ),
    "tool-mandate": (
        "Tool mandate",
        "At least 60 % of the tools of new lines come from suppliers at home, where these sell any.",
        _TOOLS,
    ),
    "all-at-home": (
        "All of it at home",
        "The big fund, buying domestic and the tool mandate together.",
        _together(_FUND, _BUY, _TOOLS),
    ),
    "plan": (
        "A plan",
        "TARGET's subsidy follows a plan that is corrected every year, by the gap to the goal and by what it may lose.",
        _set(subsidy__mode="plan"),
    ),
    "controllers-subsidise": (
        "Controllers subsidise",
        "The lead and its allies spend MONEY bn yuan a year on fabs and research of their own; the CHIPS Act is 73.",
        _raised("controller_subsidy.annual", 0.5),
    ),
}
