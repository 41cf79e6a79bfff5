"""The page's address: it holds config, seed, levers, what was done on which date, and the quarter that is shown.

config, seed, KEY=VALUE     the race, with levers that hold from the start
event                       what was done, the table of an [[event]] as JSON; once for each
at                          the last quarter that has been run
branch, event_b, show       the quarter in which two futures part, what was done in B, and the one that is looked at
own                         a config of one's own that the address carries itself
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name, quarter_start, quarters_until
from sim.errors import BadInput
from sim.futures.levers import LEFT_OUT
from sim.futures.policy import FROM
from sim.live import own
from sim.live.events import Entry
from sim.live.race import Race
from sim.scenario.events import Event
from sim.scenario.loading import known_configs, load_config
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value

LONGEST_QUERY = 20_000  # characters of a query that are read, and that are written
SEED_DIGITS = 18  # every whole number of so many digits is a seed
QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
OF_DATES = {"date", "announced", "until"}
KNOWN = ("config", "seed", "own", "event", "at", "branch", "event_b", "show")
MOST_TOLD = 8  # faults of the page as a whole
Faults = dict[str, str]  # sentences by the field they belong to, a line each; "" is the page


@dataclass(frozen=True)
class Moment:
    """What an address holds: a race, what was done to it, and where it stands.

    `scenario` is the config `opened` with the levers that are set from the start. `done` are the events of future A
    and, where the two part in the quarter `branched`, of future B. `quarter` is the number of quarters run. `own` is
    the text of `opened` in an address, where that is no config that every server knows.
    """

    opened: Scenario
    scenario: Scenario
    seed: int
    done: tuple[tuple[Event, ...], ...] = ((),)
    quarter: int = 0
    branched: int | None = None
    shown: str = "A"
    own: str = ""

    @property
    def policy(self) -> tuple[Any, ...]:
        """All but the quarter, and which future is looked at."""
        return self.opened, self.scenario, self.seed, self.done, self.branched

    def races(self) -> dict[str, Race]:
        """The futures from the start, with all that was done put in; none has run."""
        names = ("A", "B")[: len(self.done)]
        return {
            name: Race(self.opened, self.scenario, self.seed, done) for name, done in zip(names, self.done, strict=True)
        }


def tell(faults: Faults, field: str, text: str) -> None:
    """Add a sentence to a field's."""
    told = faults[field].split("\n") if field in faults else []
    if len(told) < MOST_TOLD and text not in told:
        faults[field] = "\n".join([*told, text])


def address(moment: Moment) -> str | None:
    """The query that opens a page at this moment; None where it would be too long to be read again."""
    query: list[tuple[str, Any]] = [("config", moment.opened.name), ("seed", moment.seed)]
    if moment.own:
        query.append(("own", moment.own))
    query += [(key, _written(value)) for key, value in changed(moment.opened, moment.scenario).items()]
    for name, done in zip(("event", "event_b"), moment.done, strict=False):
        query += [(name, json.dumps(event.as_table("json"), separators=(",", ":"))) for event in done]
    if moment.quarter:
        query.append(("at", quarter_name(moment.quarter - 1)))
    if moment.branched is not None:
        query += [("branch", quarter_name(moment.branched)), ("show", moment.shown)]
    text = "?" + urlencode(query)
    return text if len(text) <= LONGEST_QUERY else None


def futures(moment: Moment) -> str | None:
    """The query of the first screen for the same policy: from the year of what was done first, all of it at once.

    None for a config that the address carries, which that screen does not know.
    """
    if moment.own:
        return None
    done = moment.done[min("AB".index(moment.shown), len(moment.done) - 1)]
    query: list[tuple[str, Any]] = [("config", moment.opened.name), ("seed", moment.seed)]
    if done:
        first = min(event.announced_quarter for event in done)
        query.append(("from", quarter_name(max((each for each in FROM if each <= first), default=FROM[0]))))
    held = changed(moment.opened, moment.scenario)
    for event in done:
        held |= event.levers() if event.kind == "lever" else {}
    query += [(key, _written(value)) for key, value in held.items() if key not in LEFT_OUT]
    acts = [event.as_table("json") for event in done if event.kind != "lever"]
    query += [("act", json.dumps({key: act[key] for key in act.keys() - OF_DATES}, sort_keys=True)) for act in acts]
    return "?" + urlencode(query)


def opened(search: str, default: str) -> tuple[Moment, Faults]:
    """The moment that a query asks for, and a sentence for each part of it that could not be used."""
    faults: Faults = {}
    if len(search.removeprefix("?")) > LONGEST_QUERY:
        tell(faults, "", f"The link is longer than {LONGEST_QUERY} characters, so it was not read.")
        search = ""
    query = parse_qs(search.removeprefix("?"), keep_blank_values=True, errors="replace")
    base, carried = _config(query, default, faults)
    seed = check_seed(query["seed"][-1], 1, faults) if "seed" in query else 1
    levers = {name for name, parameter in base.world.parameters.items() if parameter.role == "lever"}
    for key in query.keys() - levers - set(KNOWN):
        tell(faults, "", f"{key[:40]}: is not known; a link holds {', '.join(KNOWN)} and levers")
    given = {key: _read(base, key, query[key][-1]) for key in base.values if key in levers & query.keys()}
    scenario = with_levers(base, given, faults)
    done = tuple(_events(query.get(name, []), name, scenario, faults) for name in ("event", "event_b"))
    branched = _branch(query, done, faults)
    quarter = _last_quarter(query["at"][-1], faults) if "at" in query else 0
    shown = "B" if query.get("show") == ["B"] else "A"
    if branched is None:
        done, shown = done[:1], "A"
    return Moment(base, scenario, seed, done, max(quarter, branched or 0), branched, shown, carried), faults


def _config(query: Mapping[str, list[str]], default: str, faults: Faults) -> tuple[Scenario, str]:
    """The config that is asked for, and its text where the address carries it."""
    name = query["config"][-1] if "config" in query else default
    if "own" in query:
        try:
            return own.load(name, own.text_of(query["own"][-1])), query["own"][-1]
        except BadInput as fault:
            tell(faults, "", f"own: {fault.problems[0]}"[:400])
            return load_config(default), ""
    return load_config(check_config(name, default, default, faults)), ""


def check_config(name: object, default: str, fallback: str, faults: Faults) -> str:
    """A config that the page may open: one of the project's, or the one that the server was started with."""
    if isinstance(name, str) and (name in known_configs() or name == default or name == load_config(default).name):
        return default if name == load_config(default).name else name
    tell(faults, "config", f"config = {str(name)[:40]}: must be one of {', '.join(known_configs())}")
    return fallback


def check_seed(text: object, fallback: int, faults: Faults) -> int:
    """A seed as somebody types it."""
    text = str(text)
    if text.isascii() and text.isdigit() and len(text) <= SEED_DIGITS:
        return int(text)
    tell(faults, "seed", f"seed = {text[:40]}: must be a whole number from 0, of at most {SEED_DIGITS} digits")
    return fallback


def changed(opened: Scenario, scenario: Scenario) -> dict[str, Value]:
    """The levers that are set from the start on."""
    return {key: value for key, value in scenario.values.items() if opened.values[key] != value}


def with_levers(scenario: Scenario, given: Mapping[str, object], faults: Faults) -> Scenario:
    """The scenario with levers set from the start; each that does not fit is told at its field."""
    for key, value in given.items():
        try:
            scenario = scenario.with_values({key: value})
        except BadInput as fault:
            tell(faults, key, fault.problems[0].removeprefix("--set: ")[:300])
    return scenario


def with_events(scenario: Scenario, entries: Iterable[Entry], faults: Faults, what: str) -> tuple[Event, ...]:
    """What was done, as events of this scenario's world; each that does not fit is told."""
    events = []
    for entry in entries:
        try:
            after = scenario.with_event(entry)
        except BadInput as fault:
            tell(faults, "", f"{what}{fault.problems[0].removeprefix('event 1: ')}"[:300])
        except (ValueError, TypeError, AttributeError):
            tell(faults, "", f"{what}{str(entry)[:80]}: must be the table of an event, written as JSON")
        else:
            known = {id(event) for event in scenario.events}
            events += [event for event in after.events if id(event) not in known]
    return tuple(events)


def _events(texts: Sequence[str], name: str, scenario: Scenario, faults: Faults) -> tuple[Event, ...]:
    entries = []
    for text in texts:
        try:
            entries.append(json.loads(text))
        except (ValueError, RecursionError):
            tell(faults, "", f"{name} = {text[:80]}: must be the table of an event, written as JSON")
    return with_events(scenario, entries, faults, f"{name}: ")


def _branch(query: Mapping[str, list[str]], done: tuple[tuple[Event, ...], ...], faults: Faults) -> int | None:
    """The quarter in which two futures part, if the query asks for two and they have one past."""
    if "branch" not in query:
        return None
    text = query["branch"][-1]
    if (quarter := _quarter(text)) is None:
        tell(faults, "", f"branch = {text[:40]}: must be a quarter from {FIRST_YEAR}-Q1 to {LAST_YEAR}-Q4")
        return None
    until = quarter_start(quarter)
    past = [tuple(event for event in events if (event.announced or event.date) < until) for events in done]
    if past[0] != past[1]:
        tell(faults, "", f"event_b: what was done before {quarter_name(quarter)} must be the same in both futures")
        return None
    return quarter


def _last_quarter(text: str, faults: Faults) -> int:
    quarter = _quarter(text)
    if quarter is None:
        tell(faults, "", f"at = {text[:40]}: must be a quarter from {FIRST_YEAR}-Q1 to {LAST_YEAR}-Q4")
        return 0
    return quarter + 1


def _quarter(text: str) -> int | None:
    match = QUARTER.fullmatch(text)
    if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        return None
    return quarters_until(int(match[1]) - 1) + int(match[2]) - 1


def _read(scenario: Scenario, key: str, text: str) -> object:
    """A lever's value as it is written in an address."""
    if scenario.world.parameters[key].is_number:
        try:
            return float(text)
        except ValueError:
            return text[:40]
    return {"true": True, "false": False}.get(text, text)


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else value


def at_quarter(moment: Moment, quarter: int) -> Moment:
    """The same with another number of quarters run, not before two futures part."""
    return replace(moment, quarter=max(quarter, moment.branched or 0))
