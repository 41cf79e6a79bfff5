"""CSV files, fast: pandas reads them, and what it would let pass is looked for; faults are told with their line."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import BadInput
from sim.results.records import read_rows

if TYPE_CHECKING:
    import pandas as pd

Key = float | str


def header_of(table: Path) -> list[str]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise BadInput(f"{table}: cannot be read as CSV ({getattr(fault, 'strerror', None) or fault})") from None
    if twice := [name for place, name in enumerate(header) if name in header[:place]]:
        raise BadInput(f"{table}: line 1: column {twice[0]!r} appears twice; keep one")
    return header


def read_table(table: Path, words: Sequence[str], numbers: Sequence[str], whole: bool = False) -> pd.DataFrame:
    """Some columns of a CSV file, `words` as text and `numbers` as floats; empty cells and infinities are NaN.

    `whole` is a file that a manifest vouches for. Raises BadInput that names the line of the first fault.
    """
    import pandas as pd

    if not whole:
        _check_cells(table)
    try:
        frame = (
            pd.read_csv(
                table,
                usecols=lambda name: name in wanted,
                dtype=dict.fromkeys(words, str),
                keep_default_na=False,
                na_values=[""],
                encoding="utf-8-sig",
            )
            if (wanted := {*words, *numbers})
            else pd.DataFrame()
        )
    except (OSError, ValueError, UnicodeDecodeError) as fault:
        _find_fault(table, numbers)
        raise BadInput(f"{table}: cannot be read as CSV ({fault})") from None
    for name in numbers:
        if frame[name].dtype.kind not in "fiu":
            _find_fault(table, [name])
            frame[name] = frame[name].astype("float64")
    values = frame[list(numbers)].to_numpy(np.float64, copy=True)
    values[~np.isfinite(values)] = np.nan
    made = pd.DataFrame(values, columns=list(numbers))
    for name in words:
        made[name] = frame[name]
    return made


def _check_cells(table: Path) -> None:
    """Refuse a line with too few or too many cells; pandas would fill a short line up without a word."""
    try:
        with table.open("rb") as file:
            expected = file.readline().count(b",")
            counts = {line.count(b",") for line in file}
    except OSError as fault:
        raise BadInput(f"{table}: cannot be read as CSV ({fault.strerror})") from None
    if not counts <= {expected}:
        for _ in read_rows(table):  # counts cells, quoted commas or not
            pass


def _find_fault(table: Path, numbers: Sequence[str]) -> None:
    """Go through a table that could not be read fast, to name the line that is to blame."""
    for number, row in enumerate(read_rows(table), start=2):
        for name in numbers:
            text = row[name]
            try:
                float(text or "nan")
            except ValueError:
                raise BadInput(f"{table}: line {number}: {name} = {text!r}: must be a number or empty") from None


def read_keys(frame: pd.DataFrame, columns: Mapping[str, str], table: Path) -> dict[str, list[Key]]:
    """The values of key columns, by the name that each has here; equal numbers are equal however they are written."""
    import pandas as pd

    keys: dict[str, list[Key]] = {}
    for name, column in columns.items():
        texts = frame[column]
        if texts.isna().any():
            line = int(np.flatnonzero(texts.isna())[0]) + 2
            raise BadInput(f"{table}: line {line}: {column} is empty; without it a run has no pair")
        codes, uniques = pd.factorize(texts)
        values = [str(text) if name == "config" else key_of(str(text)) for text in uniques]
        keys[name] = [values[code] for code in codes]
    return keys


def key_of(text: str) -> Key:
    """A number where it is one, a whole one where it can be: seeds may be too large for a float."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
