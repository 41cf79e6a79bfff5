"""Which makers an event means: who is out, who closes, and who goes on where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sim.errors import nearest, with_article
from sim.world.world import World

if TYPE_CHECKING:
    from sim.scenario.events import Event

LEAVING = ("closure", "move", "withdrawal")


@lru_cache(maxsize=1024)
def meant(name: str, world: World) -> tuple[str, ...]:
    """The ids of the lines and suppliers that a name means; none if it is unknown.

    A chip firm's lines or a supplier by id; a company by its name in small letters, as in `World.companies`; a state,
    which stands for all that is headquartered there, as it does where it controls.
    """
    tables = (world.rows["chip_firms"], world.rows["entrants"], world.rows["suppliers"])
    rows = [row for table in tables for row in table]
    if own := tuple(row["id"] for row in rows if row["id"] == name):
        return own
    if company := world.companies.get(name):
        return tuple(company)
    return tuple(row["id"] for row in rows if row["headquarters"] == name)


def out(event: Event, world: World) -> set[str]:
    """The ids of the lines and suppliers that an outage hits."""
    return {id for name in event.scope for id in meant(name, world)}


def leaving(event: Event, world: World) -> dict[str, tuple[str, ...]]:
    """By the id of each line that closes for good, the ids of the lines that take it over; none where nobody does.

    A move to a state goes to the lines that makers with the same headquarters have of the same segment there.
    Designers, who have no lines, may close; they do not withdraw.
    """
    if event.kind == "withdrawal":
        place, designers = event.target or world.target, world.column("designers", "id")
        lines = [
            row
            for row in world.rows["chip_firms"]
            if (row["headquarters"], row["site"]) == (event.by, place) and row["id"] not in designers
        ]
    else:
        named = out(event, world)
        lines = [row for row in world.rows["chip_firms"] if row["id"] in named]
    if event.to is None:
        return {row["id"]: () for row in lines}
    return {row["id"]: _takers(row, event.to, world) for row in lines}


def _takers(line: Mapping[str, Any], to: str, world: World) -> tuple[str, ...]:
    """Who takes a line over: the line of that id, or those of the same owner state and segment in that state."""
    if line["id"] in world.column("designers", "id"):
        return ()
    kept = line["headquarters"], line["segment"]
    return tuple(
        row["id"]
        for row in world.rows["chip_firms"]
        if row["segment"] == line["segment"]
        and row["site"] != line["site"]
        and (row["id"] == to or ((row["headquarters"], row["segment"]) == kept and row["site"] == to))
    )


def check_makers(event: Event, place: str, world: World, problems: list[str]) -> None:
    """A sentence for each name in scope that nobody bears, and for what leaves and has nowhere to go."""
    before = len(problems)
    if event.kind == "outage":
        _check_scope(event, place, "chip firms, companies, suppliers or states", _known(world), problems)
    elif event.kind in ("closure", "move"):
        lines = [*world.column("chip_firms", "id"), *world.companies]
        _check_scope(event, place, "chip firms or companies", lines, problems)
    elif event.by == (event.target or world.target):
        problems.append(f"{place}: by = {event.by!r}: must be another state than {event.by}, which its firms leave")
    if event.kind in LEAVING and len(problems) == before:
        _check_places(event, place, world, problems)


def _known(world: World) -> list[str]:
    tables = ("chip_firms", "entrants", "suppliers", "states")
    return [*(id for table in tables for id in world.column(table, "id")), *world.companies]


def _check_scope(event: Event, place: str, what: str, known: Sequence[str], problems: list[str]) -> None:
    kind = with_article(event.kind)
    if event.scope == ("all",):
        problems.append(f"{place}: scope is missing; {kind} names {what}")
        return
    problems += [
        f"{place}: scope = {name!r}: {kind} names {what}{nearest(name, known)}"
        for name in event.scope
        if name not in known
    ]


def _check_places(event: Event, place: str, world: World, problems: list[str]) -> None:
    """Whether there is somebody who leaves, and somebody who takes each line over where it moves."""
    lines = {row["id"]: row for row in world.rows["chip_firms"]}
    if event.kind == "move" and event.to is None:
        problems.append(f"{place}: to is missing; a move needs a state, or the chip firm that takes the lines over")
        return
    places = [*world.states, *lines]
    if event.to is not None and event.to not in places:
        problems.append(f"{place}: to = {event.to!r}: is neither a state nor a chip firm{nearest(event.to, places)}")
        return
    found = leaving(event, world)
    if not found:
        where = event.target or world.target
        problems.append(f"{place}: by = {event.by!r}: no chip firm headquartered there has lines in {where}")
    for id, takers in found.items():
        if event.to is not None and not takers:
            problems.append(f"{place}: to = {event.to!r}: {_why_not(lines[id], event.to, lines, world)}")


def _why_not(line: Mapping[str, Any], to: str, lines: Mapping[str, Mapping[str, Any]], world: World) -> str:
    """Why nobody takes a line over."""
    if line["id"] in world.column("designers", "id"):
        return f"{line['id']} has its chips made by others; it has no lines that could move"
    if to in (line["site"], line["id"]) or (to in lines and lines[to]["site"] == line["site"]):
        return f"{line['id']} is in {line['site']} already; name another place"
    if to in lines:
        return f"makes {lines[to]['segment']}, and {line['id']} makes {line['segment']}; name lines of the same segment"
    return (
        f"no firm headquartered in {line['headquarters']} makes {line['segment']} there; name the chip firm that takes "
        f"{line['id']} over, or leave to out where lines close"
    )
