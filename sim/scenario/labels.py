"""What levers are called by people, on the live page and in pictures, tables and sentences."""

from __future__ import annotations

LABELS = {  # each once, as two levers of one name are mistaken for each other
    "controls.mode": "mode of controls",
    "controls.severity": "severity of controls",
    "controls.alignment": "alignment of allies",
    "controls.doctrine": "doctrine of the lead",
    "subsidy.mode": "mode of the subsidy",
    "subsidy.annual": "subsidy",
    "subsidy.allocation": "allocation of the subsidy",
    "subsidy.research_share": "research part of the subsidy",
    "investment.annual": "equity raised by firms",
    "controller_subsidy.annual": "controllers' subsidies",
    "mandate.domestic": "buy-domestic mandate",
    "mandate.tools": "tool mandate",
    "retaliation.severity": "severity of retaliation",
    "security.caused_by_controls": "part of the push that controls cause",
}


def label(key: str) -> str:
    """What a lever is called, in a word or a few; no two have the same."""
    table, _, name = key.partition(".")
    return LABELS.get(key, f"{name} of {table}".replace("_", " "))
