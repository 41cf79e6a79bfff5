"""Points that somebody wrote down: in the experiment's file, in a CSV beside it, or in a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.errors import nearest
from sim.experiment.designs import Point
from sim.world.evidence import Parameter, flatten, value_of

Declared = Mapping[str, Parameter]
TOLD = 12  # faults of a table, the others by their number
SHOWN = "`decoupling list parameters` shows all"


def listed_points(
    given: Sequence[Mapping[str, Any]], declared: Declared, where: str, problems: list[str]
) -> tuple[Point, ...]:
    """The points of a list design, whose messages begin with `where`."""
    places = [(f"point {number}", entry) for number, entry in enumerate(given, start=1)]
    return _checked([(name, flatten(entry, f"{where}, {name}")) for name, entry in places], declared, where, problems)


def table_points(table: Path, declared: Declared, problems: list[str]) -> tuple[Point, ...]:
    """The points of a CSV file: a column for each key, a line for each point; an empty cell leaves the config's own.

    Raises BadInput where it cannot be read as CSV.
    """
    from sim.results.records import header_of, numbered_rows  # brings numpy, which other designs do not wait for

    faults: list[str] = []
    keys = _known(header_of(table), declared, f"{table}: line 1", faults)
    lines = [
        (f"line {number}", {key: value_of(row[key].strip(), declared[key].value) for key in keys if row[key].strip()})
        for number, row in numbered_rows(table)
    ]
    points = _checked(lines, declared, str(table), faults, ": ")
    problems += _told(faults, str(table))
    if not lines:
        problems.append(f"{table}: holds no points; give a line for each")
    return points


def frame_points(given: Any, declared: Declared, problems: list[str]) -> tuple[Point, ...]:
    """The points of a pandas data frame, or of mappings by key; None and NaN leave the config's own value."""
    rows: list[Mapping[Any, Any]] = list(given.to_dict("records") if hasattr(given, "to_dict") else given)
    faults: list[str] = []
    entries = [(f"row {number}", _plain(row)) for number, row in enumerate(rows)]
    columns = dict.fromkeys(key for row in rows for key in row)
    keys = _known(list(map(str, columns)), declared, "points", faults)
    kept = [(name, {key: value for key, value in row.items() if key in keys}) for name, row in entries]
    points = _checked(kept, declared, "points", faults)
    problems += _told(faults, "points")
    if not entries:
        problems.append("points: are none; give at least one row")
    return points


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row's values as Python has them, without those that are missing."""
    plain = {str(key): value.item() if hasattr(value, "item") else value for key, value in row.items()}
    return {key: value for key, value in plain.items() if value is not None and value == value}


def _known(columns: Sequence[str], declared: Declared, where: str, faults: list[str]) -> list[str]:
    """The columns that are keys; a sentence for each other one."""
    for column in columns:
        if not column:
            faults.append(f"{where}: a column has no name; give each a key (a data frame is saved with index=False)")
        elif column not in declared:
            faults.append(f"{where}: column {column!r}: is not a known key{nearest(column, declared)}; {SHOWN}")
    return [column for column in columns if column in declared]


def _told(faults: Sequence[str], where: str) -> list[str]:
    more = [f"{where}: and {len(faults) - TOLD} more faults like these"] if len(faults) > TOLD else []
    return [*faults[:TOLD], *more]


def _checked(
    entries: Sequence[tuple[str, Point]], declared: Declared, where: str, problems: list[str], sign: str = ", "
) -> tuple[Point, ...]:
    """The points of what was written; `entries` name each place, such as "point 3", after `where` and the sign."""
    first: dict[frozenset[tuple[str, Any]], str] = {}
    for name, point in entries:
        place = f"{where}{sign}{name}"
        faulty = False
        for key, value in point.items():
            if key not in declared:
                problems.append(f"{place}: {key}: is not a known key{nearest(key, declared)}; {SHOWN}")
                faulty = True
            elif fault := declared[key].check(value):
                problems.append(f"{place}: {key} = {value!r}: {fault}")
                faulty = True
        if not faulty and (before := first.setdefault(frozenset(point.items()), name)) != name:
            problems.append(f"{place}: is the same as {before}; points must differ")
    return tuple(point for _, point in entries)
