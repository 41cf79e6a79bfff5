"""What levers and measures are called by people, and how values are written, on pages and in pictures and tables."""

from __future__ import annotations

from sim.world.evidence import Value

LABELS = {  # each once, as two levers of one name are mistaken for each other
    "controls.mode": "mode of controls",
    "controls.severity": "severity of controls",
    "controls.alignment": "alignment of allies",
    "controls.doctrine": "doctrine of the lead",
    "controls.quality_cap": "quality cap",
    "controls.foundry": "foundries closed to designers",
    "subsidy.mode": "mode of the subsidy",
    "subsidy.annual": "subsidy",
    "subsidy.allocation": "allocation of the subsidy",
    "subsidy.research_share": "research part of the subsidy",
    "investment.annual": "equity raised by firms",
    "controller_subsidy.annual": "controllers' subsidies",
    "mandate.domestic": "buy-domestic mandate",
    "mandate.tools": "tool mandate",
    "mandate.refusal": "refusal to buy abroad",
    "retaliation.severity": "severity of retaliation",
    "leakage.dies": "dies got through fronts",
    "leakage.offshore": "demand placed abroad",
    "security.caused_by_controls": "part of the push that controls cause",
}

SPELT_OUT = {"hq": "of own firms", "located": "located there"}  # in names of measures that have no label


def label(key: str) -> str:
    """What a lever is called, in a word or a few; no two have the same."""
    table, _, name = key.partition(".")
    return LABELS.get(key, f"{name} of {table}".replace("_", " "))


def of_unit(value: Value, unit: str) -> str:
    """A lever's value as people read it."""
    if not isinstance(value, float):
        return str(value)
    return f"{100 * value:.3g} %" if unit == "0 to 1" else f"{value:g} {unit}"
