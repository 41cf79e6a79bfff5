"""The cells, lines and columns of the two tables of a result, in and out.

There is one writer, with a fixed column order, floats as `repr` writes them, `\\n` at the end of a line, and empty
cells for what is missing, so that equal results are equal bytes.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from sim.arrays import Array, Indices
from sim.calendar import OUTCOME_YEARS
from sim.errors import BadInput

RUNS: Final = "runs.csv"
SERIES: Final = "series.csv"
KEYS = ("run_id", "config", "parameter_set", "seed")
FIRST_70 = "domestic_supply_share@first_70"
TARGET = 0.7  # the share that China's plan named for 2025


# One cell, one line.


def cell(value: object) -> str:
    """A word, a number or a truth value as a CSV cell: quoted where needed, empty for None and NaN."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    text = str(value)
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def line(values: Iterable[object]) -> str:
    """Cells joined to a line, with its end."""
    return ",".join(map(cell, values)) + "\n"


def float_cells(values: Array) -> str:
    """A row of floats, shape (columns,), as cells."""
    texts = map(repr, values.tolist())
    if np.isnan(values).any():
        return ",".join("" if text == "nan" else text for text in texts)
    return ",".join(texts)


# Columns and rows of the two tables.


def series_columns(swept: Sequence[str], measures: Sequence[str]) -> list[str]:
    return [*KEYS, *swept, "date", *measures]


def runs_columns(swept: Sequence[str], kinds: Mapping[str, str]) -> list[str]:
    """The columns of `runs.csv`; `kinds` gives each measure's kind, such as "flow"."""
    return [*KEYS, *swept, "status", *outcome_columns(kinds)]


def series_rows(keys: Sequence[object], dates: Sequence[str], values: Array) -> str:
    """The lines of one run. `keys` are the cells before the date, `values` has shape (dates, measures)."""
    start = ",".join(map(cell, keys))
    return "".join(f"{start},{date},{float_cells(row)}\n" for date, row in zip(dates, values, strict=True))


def runs_row(keys: Sequence[object], status: str, outcome_values: Sequence[object]) -> str:
    return line([*keys, status, *outcome_values])


def outcome_columns(kinds: Mapping[str, str]) -> list[str]:
    """The outcomes of each measure, measure after measure; the date of the first 70 % comes last."""
    names = []
    for measure, kind in kinds.items():
        names += [f"{measure}@end", *(f"{measure}@{year}" for year in OUTCOME_YEARS), f"{measure}@peak"]
        if kind == "flow":
            names.append(f"{measure}@sum")
    return [*names, FIRST_70]


def outcomes(
    kinds: Mapping[str, str], years: Sequence[str], yearly: Array, first_70: Sequence[str], lengths: Indices
) -> list[list[object]]:
    """What became of each run, in the order of `outcome_columns`.

    `yearly` has shape (runs, years, measures), `years` are its ISO dates, `first_70` one date (or nothing) a run,
    `lengths` says how many of the years each run has, at least one. A sum over years of bn yuan a year is bn yuan.
    NaN where a year lies outside the run.
    """
    inside = np.arange(len(years)) < lengths[:, None]
    yearly = np.where(inside[..., None], yearly, np.nan)
    by_year = {date[:4]: yearly[:, place] for place, date in enumerate(years)}
    outside = np.full(yearly[:, 0].shape, np.nan)
    end = yearly[np.arange(len(lengths)), lengths - 1]
    peak = np.fmax.reduce(yearly, axis=1)
    total = np.zeros_like(outside)
    for place in range(len(years)):  # one addition after another: the same bytes for any number of runs
        total = np.where(inside[:, place, None], total + yearly[:, place], total)
    kept = [end, *(by_year.get(str(year), outside) for year in OUTCOME_YEARS), peak, total]
    columns: list[Sequence[object]] = []
    for place, kind in enumerate(kinds.values()):
        columns += [values[:, place].tolist() for values in (kept if kind == "flow" else kept[:-1])]
    reached = [
        date if date <= years[length - 1] else "" for date, length in zip(first_70, lengths.tolist(), strict=True)
    ]
    return [list(row) for row in zip(*columns, reached, strict=True)]


def header_of(table: str | Path) -> list[str]:
    """The names of a CSV file's columns; a column without a name has an empty one. Raises BadInput, as `read_rows`."""
    with _reading(table) as file:
        return _header(table, csv.reader(file))


def read_rows(path: str | Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, one after another, each cell as text (empty where it is missing).

    Raises BadInput that says what is not as this program reads it: UTF-8, commas, a header, as many cells in each line.
    """
    return (row for _, row in numbered_rows(path))


def numbered_rows(path: str | Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The same, each with the number of its line, or of its last one."""
    with _reading(path) as file:
        reader = csv.reader(file)
        header = _header(path, reader)
        for cells in reader:
            if not cells:  # an empty line, as some write at the end
                continue
            if len(cells) != len(header):
                raise BadInput(f"{path}: line {reader.line_num} has {len(cells)} cells; the header has {len(header)}")
            yield reader.line_num, dict(zip(header, cells, strict=True))


NOT_TEXT = {
    b"\xff\xfe": "is in UTF-16; save it as CSV in UTF-8",
    b"\xfe\xff": "is in UTF-16; save it as CSV in UTF-8",
    b"PK\x03\x04": "is a workbook or an archive; save it as CSV in UTF-8",
    b"\xd0\xcf\x11\xe0": "is a workbook; save it as CSV in UTF-8",
    b"\x1f\x8b": "is compressed; unpack it first",
}
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@contextmanager
def _reading(path: str | Path) -> Iterator[TextIO]:
    """A CSV file open for reading; what makes it unreadable becomes a sentence that names the cause."""
    try:
        with open(path, "rb") as raw:
            start = raw.read(4096)
        for sign, cause in NOT_TEXT.items():
            if start.startswith(sign):
                raise BadInput(f"{path}: {cause}")
        if b"\0" in start:
            raise BadInput(f"{path}: holds zero bytes, as UTF-16 or a binary file does; save it as CSV in UTF-8")
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as fault:
        wrong = f"byte {fault.object[fault.start]:#04x}"
        raise BadInput(f"{path}: is not in UTF-8 ({wrong} is no character of it); save it as CSV in UTF-8") from None
    except (OSError, csv.Error) as fault:
        raise BadInput(f"{path}: cannot be read as CSV ({getattr(fault, 'strerror', None) or fault})") from None


def _header(path: str | Path, reader: Iterator[list[str]]) -> list[str]:
    header = [name.strip() for name in next(reader, [])]
    first = ",".join(header)
    for sign, named in SEPARATORS.items():
        if first.count(sign) > first.count(","):
            raise BadInput(f"{path}: line 1: the cells are parted by {named}; save it with commas, and decimal points")
    if re.fullmatch("sep=.?,?", first):
        raise BadInput(f"{path}: line 1: {first!r} is a spreadsheet's own line; remove it, so that the header is first")
    if twice := [name for place, name in enumerate(header) if name and name in header[:place]]:
        raise BadInput(f"{path}: line 1: column {twice[0]!r} appears twice; keep one")
    return header
