"""What was done on the page, opened again: from a file that was kept, or under another config."""

from __future__ import annotations

from dataclasses import replace

from sim.errors import BadInput
from sim.live import link, own
from sim.live.link import Faults, Moment
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.world.evidence import flatten


def kept(name: str, text: object, seed: int) -> Moment:
    """The race of a kept file, with its seed or else `seed`. BadInput for what is no config, or too long to keep.

    What was done is so again where the file extends a config of this server; else the address carries the file.
    """
    if not isinstance(text, str):
        raise BadInput(f"{name}: must be the text of a config")
    scenario, noted = own.load(name, text), own.seed_of(text)
    moment = Moment(scenario, scenario, seed if noted is None else noted, own=own.as_address(text))
    if (again := _done_again(moment, name, text)) is not None:
        return again
    if link.address(moment) is None:
        raise BadInput(f"{name}: is too long for an address, so the page could not be opened again")
    return moment


def _done_again(moment: Moment, name: str, text: str) -> Moment | None:
    """The race of the config that a file extends with its levers and events as what was done, if that is all of it."""
    content = own.content_of(name, text)
    if "extends" not in content:
        return None
    faults: Faults = {}
    opened = load_config(content.pop("extends"))
    entries = content.pop("event", [])
    levers = {key for key, each in opened.world.parameters.items() if each.role == "lever"}
    given = {key: value for key, value in flatten(content, name).items() if key in levers}
    scenario = link.with_levers(opened, given, faults)
    done = link.with_events(scenario, entries, faults, "")
    again = replace(moment, opened=opened, scenario=scenario, done=(done,), own="")
    is_all = not faults and again.races()["A"].model.scenarios[0].hash == moment.opened.hash
    return again if is_all else None


def carried_over(moment: Moment, opened: Scenario, seed: int) -> tuple[Moment, Faults]:
    """What was done under one config, from the start under another, and what that cannot take."""
    cannot: Faults = {}
    given = link.changed(moment.opened, moment.scenario)
    for key in given.keys() - opened.values.keys():
        link.tell(cannot, "", f"{key}: is no lever there")
    scenario = link.with_levers(opened, {key: given[key] for key in given if key in opened.values}, cannot)
    tables = [[event.as_table("json") for event in each] for each in moment.done]
    done = tuple(link.with_events(scenario, each, cannot, "") for each in tables)
    faults: Faults = {}
    for text in "\n".join(cannot.values()).splitlines():
        link.tell(faults, "", f"Not taken over to {opened.name}: {text}"[:400])
    return Moment(opened, scenario, seed, done, moment.branched or 0, moment.branched, moment.shown), faults
