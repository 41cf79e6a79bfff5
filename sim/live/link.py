"""The page's address: it holds config, seed, levers, what was done on which date, and the quarter that is shown."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name
from sim.errors import BadInput
from sim.live.race import Race
from sim.scenario.loading import known_configs, load_config
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value

LONGEST_QUERY = 20_000  # characters of a query that are read
SEED_DIGITS = 18  # every whole number of so many digits is a seed
QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
Faults = dict[str, str]  # a sentence by the field it belongs to; "" is the page


def address(race: Race) -> str:
    """The query that opens a page on this race at this quarter."""
    query: list[tuple[str, Any]] = [("config", race.opened.name), ("seed", race.seed)]
    query += [(key, _written(value)) for key, value in race.changes().items()]
    query += [("event", json.dumps(entry, separators=(",", ":"), default=str)) for entry in race.entries()]
    if race.model.quarter:
        query.append(("at", quarter_name(race.model.quarter - 1)))
    return "?" + urlencode(query)


def opened(search: str, default: str) -> tuple[Race, Faults]:
    """The race that a query asks for, and a sentence for each part of it that could not be used."""
    faults: Faults = {}
    if len(search) > LONGEST_QUERY:
        faults[""] = f"The link is longer than {LONGEST_QUERY} characters, so it was not read."
        search = ""
    query = parse_qs(search, keep_blank_values=True, errors="replace")
    config, seed = default, 1
    if "config" in query:
        config = check_config(query["config"][-1], default, config, faults)
    if "seed" in query:
        seed = check_seed(query["seed"][-1], seed, faults)
    base = load_config(config)
    levers = {name for name, parameter in base.world.parameters.items() if parameter.role == "lever"}
    for key in query.keys() - levers - {"config", "seed", "event", "at"}:
        faults[""] = f"{key[:40]}: is not known; a link holds config, seed, levers, event and at"
    scenario = base
    for key in levers & query.keys():
        scenario = _with_lever(scenario, key, query[key][-1], faults)
    race = Race(base, scenario, seed)
    for text in query.get("event", []):
        try:
            race.intervene([json.loads(text)])
        except (ValueError, TypeError, AttributeError, RecursionError):
            faults[""] = f"event = {text[:80]}: must be the table of an event, written as JSON"
        except BadInput as fault:
            faults[""] = fault.problems[0][:300]
    if "at" in query:
        _go_to(race, query["at"][-1], faults)
    return race, faults


def check_config(name: object, default: str, fallback: str, faults: Faults) -> str:
    """A config that the page may open: one of the project's, or the one that the server was started with."""
    if isinstance(name, str) and (name in known_configs() or name == default or name == load_config(default).name):
        return default if name == load_config(default).name else name
    faults["config"] = f"config = {str(name)[:40]}: must be one of {', '.join(known_configs())}"
    return fallback


def check_seed(text: object, fallback: int, faults: Faults) -> int:
    """A seed as somebody types it."""
    text = str(text)
    if text.isascii() and text.isdigit() and len(text) <= SEED_DIGITS:
        return int(text)
    faults["seed"] = f"seed = {text[:40]}: must be a whole number from 0, of at most {SEED_DIGITS} digits"
    return fallback


def _with_lever(scenario: Scenario, key: str, text: str, faults: Faults) -> Scenario:
    value: object = {"true": True, "false": False}.get(text, text)
    if scenario.world.parameters[key].is_number:
        try:
            value = float(text)
        except ValueError:
            value = text[:40]
    try:
        return scenario.with_values({key: value})
    except BadInput as fault:
        faults[key] = fault.problems[0].removeprefix("--set: ")[:300]
        return scenario


def _go_to(race: Race, text: str, faults: Faults) -> None:
    match = QUARTER.fullmatch(text)
    if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        faults[""] = f"at = {text[:40]}: must be a quarter from {FIRST_YEAR}-Q1 to {LAST_YEAR}-Q4"
        return
    while race.model.running and quarter_name(race.model.quarter) <= text:
        race.step()


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else value
