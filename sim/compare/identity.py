"""Whether two results are the same, cell by cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from sim.compare.results import Result
from sim.compare.tables import Key, read_keys, read_table
from sim.errors import BadInput
from sim.results.records import RUNS, SERIES, header_of

AT_ONCE = 50  # columns held in memory together


@dataclass(frozen=True)
class Unlike:
    """One column that is not the same: in how many cells, by how much at most, and where first."""

    baseline: str
    candidate: str
    file: str
    column: str
    cells: int
    largest_difference: float | None
    first: str


UNLIKE_COLUMNS = tuple(column.name for column in fields(Unlike))


def unlike(base: Result, candidate: Result, rtol: float = 0.0, atol: float = 0.0) -> list[Unlike]:
    """The columns in which two results differ by more than atol + rtol x |base|; none if they are identical.

    A value that only one of them has is a difference; one that both lack is not. Raises BadInput.
    """
    if wrong := [(name, size) for name, size in (("--rtol", rtol), ("--atol", atol)) if not 0 <= size < math.inf]:
        raise BadInput([f"{name} = {size}: must be a number from 0" for name, size in wrong])
    differing = []
    ours, theirs = _files(base), _files(candidate)
    for name in dict.fromkeys([*ours, *theirs]):
        if name not in ours or name not in theirs:
            there = base if name in ours else candidate
            differing.append(Unlike(base.name, candidate.name, name, "", 0, None, f"only {there.name} has this file"))
        elif not _same_bytes(ours[name], theirs[name]):
            differing += _unlike_tables(base, candidate, name, ours[name], theirs[name], rtol, atol)
    return differing


def _files(result: Result) -> dict[str, Path]:
    path = Path(result.path)
    if path.is_dir():
        return {name: path / name for name in (RUNS, SERIES) if (path / name).exists()}
    return {"table": path}


def _same_bytes(ours: Path, theirs: Path) -> bool:
    if ours.stat().st_size != theirs.stat().st_size:
        return False
    with ours.open("rb") as first, theirs.open("rb") as second:
        while piece := first.read(1 << 20):
            if piece != second.read(len(piece)):
                return False
    return True


def _unlike_tables(
    base: Result, candidate: Result, name: str, ours: Path, theirs: Path, rtol: float, atol: float
) -> list[Unlike]:
    def report(column: str, cells: int, largest: float | None, first: str) -> None:
        differing.append(Unlike(base.name, candidate.name, name, column, cells, largest, first))

    differing: list[Unlike] = []
    headers = header_of(ours), header_of(theirs)
    for column in dict.fromkeys([*headers[0], *headers[1]]):
        for there, absent in ((base, headers[1]), (candidate, headers[0])):
            if column not in absent:
                report(column, 0, None, f"only {there.name} has this column")
    columns = [column for column in headers[0] if column in headers[1]]
    # A run is told by its keys. Its id carries the config's name, which may differ where the results are the same.
    several = len(base.configs) > 1 or len(candidate.configs) > 1
    keys = [c for c in columns if c in base.key_columns and c not in ("run_id", *(() if several else ("config",)))]
    words = [c for c in columns if c not in (*keys, "run_id", "config") and not _is_measure(base, c)]
    numbers = [c for c in columns if c not in (*keys, *words, "run_id", "config")]
    rows = [_rows(table, keys) for table in (ours, theirs)]
    common = [key for key in rows[0] if key in rows[1]]
    for (there, own), other in zip(((base, rows[0]), (candidate, rows[1])), reversed(rows), strict=True):
        if only := [key for key in own if key not in other]:
            report("", len(only), None, f"only {there.name} has {_named(keys, only[0])}")
    places = [[held[key] for key in common] for held in rows]
    for start in range(0, len(numbers) + 1, AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        tables = [read_table(table, words if start == 0 else [], some, infinite=True) for table in (ours, theirs)]
        for column in (*(words if start == 0 else []), *some):
            first, second = (table[column].to_numpy()[place] for table, place in zip(tables, places, strict=True))
            if column in some:
                differ = ~(np.isclose(second, first, rtol=rtol, atol=atol, equal_nan=True))
                with np.errstate(invalid="ignore"):  # of two infinities
                    known = np.abs(second - first)[differ]
                largest = float(known[np.isfinite(known)].max()) if np.isfinite(known).any() else None
            else:
                differ, largest = np.array([str(a) != str(b) for a, b in zip(first, second, strict=True)], bool), None
            if differ.any():
                place = int(np.argmax(differ))
                values = f"{_shown(first[place])} and {_shown(second[place])}"
                report(column, int(differ.sum()), largest, f"{_named(keys, common[place])}: {values}")
    return differing


def _is_measure(result: Result, column: str) -> bool:
    return (
        column in result.outcomes
        or f"{column}@end" in result.outcomes
        or column in (result.source.measures if result.source else ())
    )


def _rows(table: Path, keys: Sequence[str]) -> dict[tuple[Key, ...], int]:
    """The place of each row by its keys."""
    held = read_keys(read_table(table, keys, []), {key: key for key in keys}, table)
    return {row: place for place, row in enumerate(zip(*held.values(), strict=True))}


def _named(keys: Sequence[str], values: Sequence[Key]) -> str:
    return ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))


def _shown(value: object) -> str:
    return "nothing" if value != value else str(value)
