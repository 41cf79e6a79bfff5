"""The levers that can be moved, as the evidence declares them, with a choice to make, and which do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sim.futures.shown import of_target
from sim.measures import SHARE
from sim.scenario.held import values_at
from sim.scenario.idle import EVENTS, MODE, SEVERITY, Needs, lacking, possible
from sim.scenario.labels import label
from sim.scenario.scenario import Scenario
from sim.world.evidence import Parameter, Value
from sim.world.world import World

GROUPS = {  # TARGET becomes the name of the state that the race is about
    "controls": "Export controls",
    "alliance": "Allies",
    "controller_subsidy": "Controllers' subsidies",
    "subsidy": "TARGET's subsidy",
    "investment": "TARGET's investment",
    "mandate": "TARGET's purchases",
    "retaliation": "TARGET's retaliation",
    "plan": "TARGET's plan",
}
EXAMPLES = {  # TARGET becomes the name of the state that the race is about
    "controls.mode": "events puts the dated controls in force, none is a world without any",
    "controls.severity": "at 50 % every dated control denies half of what it says",
    "controls.alignment": "at 100 % an ally that loses nothing by it denies as much as the lead",
    "controls.doctrine": "cost-benefit leaves a target alone that can hit back, preventive tightens as the gap closes",
    "controls.quality_cap": "15 % is the H20 beside the best of 2023, and nothing better may be sold; 100 % is no cap",
    "controls.foundry": "at 90 % a foundry abroad makes a tenth of what TARGET's designers want from it",
    "subsidy.mode": "plan spends more in years in which the share is behind its goal",
    "subsidy.annual": "at 200 TARGET spends about as much every year as the national fund of 2019 had in all",
    "subsidy.allocation": "bottleneck pays first for what is most bought abroad",
    "subsidy.research_share": "at 30 % seven of ten yuan go into capacity",
    "investment.annual": "TARGET's firms raised about 30 in 2019 and 140 in 2020",
    "controller_subsidy.annual": "the CHIPS Act of 2022 is about 73 a year",
    "mandate.domestic": "at 30 % three of ten yuan go to makers at home, as far as they have capacity",
    "mandate.tools": "at 50 % half of a new line's tools come from home suppliers, as TARGET asked in 2025",
    "mandate.refusal": "at 60 % three of five that would have been bought from makers of other states are not",
    "leakage.dies": "about 10 a year, for five quarters, is what was got through fronts until October 2024",
    "leakage.offshore": "at 30 % three of ten yuan are spent on chips that others run abroad",
    "retaliation.severity": "at 100 % a full control is answered by withholding all of these materials",
}
# A year of start means nothing on a page where a change acts at once, and mechanisms are part of the model's form.
LEFT_OUT = ("controls.start",)
# Where the levers that limit what is sold to the target limit nothing.
UNLIMITED: Mapping[str, Value] = {"controls.quality_cap": 1.0, "controls.foundry": 0.0}
STEPS = 100  # on a slider
# What a lever takes to change a run, where its key is always read.
ALSO: Mapping[str, tuple[Needs, ...]] = {MODE: ({SEVERITY: ()}, {EVENTS: ("retaliation",)})}
# What acts only through what a doctrine decides to deny.
OF_DOCTRINE = ("controls.severity", "controls.alignment", "retaliation.severity")
MOST_KEPT = 64
_alike: dict[str, list[str]] = {}  # by the hash of a scenario


def unlimited(held: Mapping[str, Value]) -> dict[str, Value]:
    """What lifts the limits that are in force by levers of their own; nothing where there are none."""
    return {key: value for key, value in UNLIMITED.items() if held.get(key, value) != value}


def levers(world: World) -> list[Parameter]:
    """Every lever that can be moved during a run and leaves a choice, those on some segments alone last."""
    movable = [
        parameter
        for name, parameter in world.parameters.items()
        if parameter.role == "lever"
        and not name.startswith("mechanisms.")
        and name not in LEFT_OUT
        and (len(parameter.choices or ()) > 1 or (parameter.is_number and parameter.minimum != parameter.maximum))
    ]
    return sorted(movable, key=lambda lever: lever.table is not None)


def described(world: World) -> list[dict[str, Any]]:
    """What the page writes beside each lever. A slider spans the plausible range, a field the admissible one."""
    return [
        {
            "key": lever.name,
            "group": _group(lever, world),
            "label": label(lever.name),
            "choices": list(lever.choices or ()),
            "percent": lever.unit == SHARE,
            "unit": lever.unit,
            "minimum": lever.minimum,
            "maximum": lever.maximum,
            "low": lever.minimum if lever.low is None else lever.low,
            "high": lever.maximum if lever.high is None else lever.high,
            "step": _step(lever),
            "meaning": of_target(lever.meaning, world),
            "source": lever.source,
            "grade": lever.grade,
            "example": EXAMPLES.get(lever.name, "").replace("TARGET", world.names[world.target]),
        }
        for lever in levers(world)
    ]


def without_effect(scenario: Scenario, quarter: int = 0) -> dict[str, str]:
    """The levers that change nothing when they alone are moved from a quarter on: by key, a sentence that says why.

    It follows from what each key needs. Where a doctrine decides, `decided_alike` tells the rest.
    """
    ahead = _ahead(scenario, quarter)
    said = {}
    for lever in levers(scenario.world):
        values = possible(ahead, {lever.name: _ends(lever)})
        if ways := lacking(ahead, lever.name, values, ALSO.get(lever.name)):
            worded = (" and ".join(_worded(*need) for need in way) for way in ways)
            said[lever.name] = f"Without effect here: it takes {', or '.join(dict.fromkeys(worded))}."
    return said


def decided_alike(scenario: Scenario) -> dict[str, str]:
    """The levers that change nothing because a doctrine decides alike at their ends: by key, a sentence.

    What the lead wants follows from runs: where it is reactive they are made, about a second's worth, and kept.
    """
    if "reactive" not in possible(scenario)[MODE]:
        return {}
    if scenario.hash not in _alike:
        if len(_alike) >= MOST_KEPT:
            _alike.clear()
        _alike[scenario.hash] = _moving_nothing(scenario, [scenario.world.parameters[key] for key in OF_DOCTRINE])
    text = "Without effect here: whatever it is, the lead's doctrine comes to the same decisions."
    return dict.fromkeys(_alike[scenario.hash], text)


def _ahead(scenario: Scenario, quarter: int) -> Scenario:
    """The scenario from a quarter on: levers as they are then, without what set them before."""
    events = (event for event in scenario.events if event.quarter > quarter or not event.levers())
    return replace(scenario, values=values_at(scenario, quarter), events=tuple(events))


def _ends(lever: Parameter) -> tuple[Value, ...]:
    """Its words, or the ends of its range."""
    if lever.choices:
        return lever.choices
    assert lever.minimum is not None and lever.maximum is not None
    return lever.minimum, lever.maximum


def _moving_nothing(scenario: Scenario, tried: list[Parameter]) -> list[str]:
    """The levers that at either end leave every headline measure of a run as it is."""
    from sim.model import DecouplingModel

    cases = [(lever.name, end) for lever in tried for end in _ends(lever)]
    scenarios = [scenario, *(scenario.with_values({key: end}) for key, end in cases)]
    model = DecouplingModel.block(scenarios, [1] * len(scenarios))
    while model.running:
        model.step()
    _, values = model.recorder.values("quarter")
    moving = {
        key
        for (key, _), run in zip(cases, values[1:], strict=True)
        if not np.array_equal(run, values[0], equal_nan=True)
    }
    return [lever.name for lever in tried if lever.name not in moving]


def _worded(key: str, wanted: tuple[Value, ...]) -> str:
    """A need as a sentence says it."""
    if key == EVENTS:
        return "a control on experts on a date" if "experts" in wanted else f"a {wanted[0]} on a date"
    if key.startswith("mechanisms."):
        return f"a config in which {key.partition('.')[2].replace('_', ' ')} is not switched off"
    return f"{label(key)} {' or '.join(map(str, wanted))}" if wanted else f"{label(key)} above 0"


def _group(lever: Parameter, world: World) -> str:
    """Whose lever it is; of those that are on some segments alone, these segments."""
    on = {"quality": world.column("quality", "segment"), "designers": world.designed}.get(lever.table or "")
    if on:
        return ", ".join(world.names[segment] for segment in on)
    head = lever.name.partition(".")[0]
    return GROUPS.get(head, head.replace("_", " ").capitalize()).replace("TARGET", world.names[world.target])


def _step(lever: Parameter) -> float | None:
    if not lever.is_number:
        return None
    low = lever.minimum if lever.low is None else lever.low
    high = lever.maximum if lever.high is None else lever.high
    assert low is not None and high is not None
    width = high - low
    fine = (step for step in (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 50.0) if width / step <= STEPS)
    return next(fine, 100.0)
