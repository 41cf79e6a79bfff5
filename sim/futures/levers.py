"""The levers of the page, as the evidence declares them: only those that leave a choice."""

from __future__ import annotations

from typing import Any

from sim.world.evidence import Parameter
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
LABELS = {
    "subsidy.annual": "subsidy",
    "investment.annual": "equity for chip firms",
    "mandate.domestic": "buy-domestic mandate",
    "controls.alignment": "alignment of allies",
    "controller_subsidy.annual": "subsidy",
}
# A year of start means nothing on a page where a change acts at once, and mechanisms are part of the model's form.
LEFT_OUT = ("controls.start",)
STEPS = 100  # on a slider


def levers(world: World) -> list[Parameter]:
    """Every lever that can be moved during a run and whose range or words leave a choice."""
    return [
        parameter
        for name, parameter in world.parameters.items()
        if parameter.role == "lever"
        and not name.startswith("mechanisms.")
        and name not in LEFT_OUT
        and (len(parameter.choices or ()) > 1 or (parameter.is_number and parameter.minimum != parameter.maximum))
    ]


def described(world: World) -> list[dict[str, Any]]:
    """What the page writes beside each lever. A slider spans the plausible range, a field the admissible one."""
    return [
        {
            "key": lever.name,
            "group": _group(lever, world),
            "label": LABELS.get(lever.name, lever.name.split(".")[1].replace("_", " ")),
            "choices": list(lever.choices or ()),
            "percent": lever.unit == "0 to 1",
            "unit": lever.unit,
            "minimum": lever.minimum,
            "maximum": lever.maximum,
            "low": lever.minimum if lever.low is None else lever.low,
            "high": lever.maximum if lever.high is None else lever.high,
            "step": _step(lever),
            "meaning": lever.meaning,
            "source": lever.source,
            "grade": lever.grade,
        }
        for lever in levers(world)
    ]


def _group(lever: Parameter, world: World) -> str:
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
