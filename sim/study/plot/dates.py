"""The dates that a picture marks: when what a config says comes into force, and when it ends.

On its axis a year's value stands at the year's number, and a date as far from there as it is from the year's middle.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.errors import BadInput
from sim.results.manifest import KeptScenario, KeptWorld
from sim.study.plot.cases import Case
from sim.study.plot.words import Words

SAID = {
    "control": "controls",
    "truce": "truce",
    "retaliation": "answers",
    "outage": "outage",
    "closure": "closure",
    "move": "lines moved away",
    "withdrawal": "withdrawal",
    "subsidy": "subsidy",
    "mandate": "buy-domestic rule",
    "lever": "other levers",
}


@dataclass(frozen=True)
class Row:
    """Dates of one kind by one state."""

    label: str
    begins: tuple[datetime.date, ...]
    ends: tuple[datetime.date, ...] = ()

    def sentence(self) -> str:
        """The dates in words, such as "controls, STATE: Jul 2023, Dec 2024 (end)"."""
        dates = sorted([(date, "") for date in self.begins] + [(date, " (end)") for date in self.ends])
        return f"{self.label}: {', '.join(dict.fromkeys(f'{date:%b %Y}{end}' for date, end in dates))}"


def dates_of(cases: Sequence[Case], words: Words, last: str) -> list[Row]:
    """A row for each kind of event and each state, of the cases' configs, up to the day `last`.

    Where some configs have a row and others have not, it names those that have.
    """
    marks: dict[str, dict[str, set[tuple[datetime.date, bool]]]] = {}  # by label and config
    for case in cases:
        try:
            read = list(_marks(case.scenario, case.keys, case.world))
        except (KeyError, TypeError, ValueError):
            where = f"{case.result.path}: scenarios.{case.scenario.name}"
            raise BadInput(f"{where}: its events and controls cannot be read; it is damaged: run it again") from None
        for label, date, ends in read:
            if date <= datetime.date.fromisoformat(last):
                marks.setdefault(label, {}).setdefault(str(case.keys["config"]), set()).add((date, ends))
    configs = {str(case.keys["config"]) for case in cases}
    rows = []
    for label, by_config in marks.items():
        if len(by_config) == len(configs) and len({frozenset(found) for found in by_config.values()}) == 1:
            by_config = {"": next(iter(by_config.values()))}
        for config, found in by_config.items():
            where = f" ({words.value('config', config)})" if config else ""
            dates = [tuple(sorted(date for date, end in found if end is which)) for which in (False, True)]
            rows.append(Row(f"{label}{where}", dates[0], dates[1]))
    return rows


def _marks(
    scenario: KeptScenario, keys: Mapping[str, Any], world: KeptWorld
) -> Iterable[tuple[str, datetime.date, bool]]:
    """Label, date and whether something ends there, of one case."""
    values = {**scenario.values, **{key: held for key, held in keys.items() if key in scenario.values}}
    mode = values.get("controls.mode")
    lead = next((world.names.get(state, state) for state in world.states if world.roles.get(state) == "lead"), "")
    if mode == "fixed" and float(values["controls.severity"]):
        yield f"controls, {lead} first", datetime.date(int(values["controls.start"]), 1, 1), False
    for event in scenario.events:
        if mode != "events" and event["kind"] in ("control", "truce"):
            continue  # other modes do not read them
        label = f"{SAID[event['kind']]}, {world.names.get(event['by'], event['by'])}"
        lifts = event["kind"] in ("control", "retaliation") and event.get("severity") == 0
        yield label, datetime.date.fromisoformat(event["date"]), lifts
        if event.get("until"):
            yield label, datetime.date.fromisoformat(event["until"]), True


def place_of(day: datetime.date) -> float:
    """Where a day lies on the axis: the middle of a year is at its number."""
    return day.year + (day.timetuple().tm_yday - 1) / 365 - 0.5


def middle_of(last: str, dates_a_year: int) -> float:
    """Where the middle of a period lies on the axis that ends on the day `last`."""
    return int(last[:4]) + (int(last[5:7]) - 6 / dates_a_year) / 12 - 0.5
