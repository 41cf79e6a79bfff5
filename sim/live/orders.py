"""What the page can order: each order by its name, with what it does to what is watched.

An order is a table such as {"do": "jump", "value": 2026}. What cannot be done raises BadInput.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR, quarter_name, quarter_start, quarters_until
from sim.errors import BadInput
from sim.live import background, events, link, picture, reopen
from sim.live.link import Faults, Moment
from sim.live.race import Race
from sim.live.steps import Step
from sim.live.watched import SPEEDS, Watched
from sim.scenario.loading import load_config

Order = Mapping[str, Any]


# -- running


def play(watched: Watched, order: Order) -> None:
    watched.playing = watched.race.model.running


def pause(watched: Watched, order: Order) -> None:
    watched.playing = False
    watched.going_to = None


def quarter(watched: Watched, order: Order) -> None:
    watched.playing = False
    watched.step()


def restart(watched: Watched, order: Order) -> None:
    """From the start, with what was done: it acts again when its date comes."""
    watched.faults = {}
    watched.stand_at(link.at_quarter(watched.moment(), 0))


def set_speed(watched: Watched, order: Order) -> None:
    if order.get("value") not in SPEEDS or isinstance(order["value"], bool):
        raise BadInput(f"speed: must be one of {', '.join(map(str, SPEEDS))} quarters a second")
    watched.speed = int(order["value"])


def jump(watched: Watched, order: Order) -> None:
    """To the start of a year: on by running, back by running again from the start."""
    quarter = _first_quarter(order.get("value"), "jump to", LAST_YEAR + 1)
    if watched.branched_at is not None and quarter < watched.branched_at:
        raise BadInput(f"jump to: the two futures begin in {quarter_name(watched.branched_at)}; end the branch first")
    if quarter < watched.race.model.quarter:
        watched.stand_at(link.at_quarter(watched.moment(), quarter))
    else:
        watched.go_to(quarter)


def open_race(watched: Watched, order: Order) -> None:
    """Another config, seed or kept file, from the start, with all that was done that it can take."""
    moment = watched.moment()
    if "text" in order:
        opened, watched.faults = reopen.kept(str(order.get("name"))[:80], order["text"], moment.seed), {}
        watched.stand_at(opened)
        return
    faults: Faults = {}
    name, own_name = order.get("config", moment.opened.name), moment.opened.name
    seed = link.check_seed(order.get("seed", moment.seed), moment.seed, faults)
    config = own_name if name == own_name else link.check_config(name, watched.default, own_name, faults)
    if not faults and config != own_name:
        moment, faults = reopen.carried_over(moment, load_config(config), seed)
    watched.faults = faults
    if "config" not in faults and "seed" not in faults:
        watched.stand_at(replace(moment, seed=seed, quarter=moment.branched or 0))


# -- stepping in


def lever(watched: Watched, order: Order) -> None:
    key, value = str(order.get("key"))[:80], order.get("value")
    _intervene(watched, order, lambda race: events.lever_set(race.model, race.levers(), key, value))


def announce(watched: Watched, order: Order) -> None:
    by, item, part = str(order.get("by"))[:80], str(order.get("item"))[:80], order.get("severity")
    _intervene(watched, order, lambda race: events.control_announced(race.model, race.levers(), by, item, part))


def cut_off(watched: Watched, order: Order) -> None:
    _intervene(watched, order, lambda race: events.cut_off(race.model, race.levers()))


def truce(watched: Watched, order: Order) -> None:
    _intervene(watched, order, lambda race: events.truce(race.model, race.levers()))


def lose_fab(watched: Watched, order: Order) -> None:
    firm = str(order.get("firm"))[:80]
    _intervene(watched, order, lambda race: events.fab_lost(race.model, firm))


def _intervene(watched: Watched, order: Order, entries: Callable[[Race], list[events.Entry]]) -> None:
    """Do something from the next quarter on. Where the run has ended, go back to the year that is said, and on."""
    race = watched.race
    if race.model.running:
        race.intervene(entries(race))
        return
    quarter = _first_quarter(order.get("since"), "since", LAST_YEAR)
    if quarter < (watched.branched_at or 0):
        raise BadInput(f"since: the two futures begin in {quarter_name(watched.branched_at or 0)}")
    earlier = watched.moment().races()[watched.shown]
    while earlier.model.quarter < quarter:
        earlier.step()
    earlier.intervene(entries(earlier))
    done = tuple(earlier.done if name == watched.shown else each.done for name, each in watched.races.items())
    watched.stand_at(replace(watched.moment(), done=done))


# -- taking back


def undo(watched: Watched, order: Order) -> None:
    step = watched.steps.undo()
    _return_to(watched, step, step.before)


def redo(watched: Watched, order: Order) -> None:
    step = watched.steps.redo()
    _return_to(watched, step, step.after)


def _return_to(watched: Watched, step: Step, moment: Moment) -> None:
    """Stand at a moment; what has been run since stays run, unless the step was only to another quarter."""
    watched.faults = {}
    if not step.only_moved:
        moment = link.at_quarter(moment, max(moment.quarter, watched.moment().quarter))
    watched.stand_at(moment)


def clear(watched: Watched, order: Order) -> None:
    """Take back all that was done on the page."""
    watched.stand_at(replace(watched.moment(), done=((),), branched=None, shown="A"))


def take_back(watched: Watched, order: Order) -> None:
    """Take back one act, by the places of its events in what was done in the future that is shown."""
    places, race = order.get("value"), watched.race
    known = range(len(race.done))
    if not isinstance(places, list) or not places or not all(type(each) is int and each in known for each in places):
        raise BadInput("take back: must be the places of something that was done")
    parted = quarter_start(watched.branched_at or 0)
    if any((race.done[place].announced or race.done[place].date) < parted for place in places):
        raise BadInput("It was done before the two futures parted; go on with one of them first.")
    rest = tuple(event for place, event in enumerate(race.done) if place not in places)
    done = tuple(rest if name == watched.shown else each.done for name, each in watched.races.items())
    watched.stand_at(replace(watched.moment(), done=done))


# -- two futures


def branch(watched: Watched, order: Order) -> None:
    """Hold the moment: from here on there are two futures."""
    race = watched.race
    if not race.model.running:
        raise BadInput("The run has ended. Jump back to hold an earlier moment.")
    if watched.branched_at is not None:
        raise BadInput("There are two futures already; keep one of them first.")
    watched.playing = False
    watched.races = {"A": race, "B": race.branch()}
    watched.branched_at, watched.shown = race.model.quarter, "B"


def show(watched: Watched, order: Order) -> None:
    watched.shown = _future(watched, order.get("value"))


def keep(watched: Watched, order: Order) -> None:
    """End the branch and go on with one of the two futures."""
    kept = watched.races[_future(watched, order.get("value"))]
    watched.races, watched.shown, watched.branched_at = {"A": kept}, "A", None
    watched.past += 1


def _future(watched: Watched, name: object) -> str:
    if not isinstance(name, str) or name not in watched.races:
        raise BadInput(f"future: must be one of {', '.join(watched.races)}")
    return name


# -- what is shown and kept


def lay_behind(watched: Watched, order: Order) -> None:
    """The band of a batch behind the charts, or none."""
    name = order.get("value")
    watched.band = background.band(str(name), watched.race.measures) if name else None


def watch_agent(watched: Watched, order: Order) -> None:
    id = order.get("value")
    if id is not None and (not isinstance(id, str) or picture.kind_of(watched.race.model, id) is None):
        raise BadInput(f"agent: there is none with the id {str(id)[:80]!r}")
    watched.agent = id


def write(watched: Watched, order: Order) -> None:
    """Hand the page a file to save."""
    race, what = watched.race, order.get("value")
    if what == "series" and race.model.quarter:
        name, text = f"{race.name}-{race.seed}-series.csv", race.series_csv()
    elif what == "series":
        raise BadInput("No quarter has been run yet, so there is no series.")
    elif what == "config" and race.name != race.opened.name:
        name, text = f"{race.name}.toml", race.config_toml()
    elif what == "config":
        raise BadInput(f"Nothing was changed: this is {race.opened.name} with seed {race.seed}.")
    else:
        raise BadInput("what to keep: must be series or config")
    watched.files += 1
    watched.file = {"number": watched.files, "name": name, "text": text}


def _first_quarter(year: object, what: str, last: int) -> int:
    """The first quarter of a year that a page names."""
    if isinstance(year, bool) or not isinstance(year, int) or not FIRST_YEAR <= year <= last:
        raise BadInput(f"{what}: must be a year from {FIRST_YEAR} to {last}")
    return quarters_until(year - 1)


ORDERS: Mapping[str, Callable[[Watched, Order], None]] = {
    "play": play,
    "pause": pause,
    "quarter": quarter,
    "restart": restart,
    "speed": set_speed,
    "jump": jump,
    "open": open_race,
    "lever": lever,
    "announce": announce,
    "cut off": cut_off,
    "truce": truce,
    "lose fab": lose_fab,
    "undo": undo,
    "redo": redo,
    "clear": clear,
    "take back": take_back,
    "branch": branch,
    "show": show,
    "keep": keep,
    "background": lay_behind,
    "agent": watch_agent,
    "write": write,
}
