"""CSV files, fast: pandas reads them, and what it would let pass is looked for; faults are told with their line."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import BadInput
from sim.results.records import header_of, read_rows

if TYPE_CHECKING:
    import pandas as pd

Key = float | str
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}([,.'’\u00a0\u202f ][0-9]{3})+([.,][0-9]+)?")
NO_NUMBER = "must be a number or empty"
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


def read_table(
    table: Path, words: Sequence[str], numbers: Sequence[str], whole: bool = False, infinite: bool = False
) -> pd.DataFrame:
    """Some columns of a CSV file, `words` as text and `numbers` as floats; empty cells are NaN.

    So are infinities, unless `infinite` ones are kept. `whole` is a file that a manifest vouches for.
    Raises BadInput that names the line of the first fault.
    """
    import pandas as pd

    header = header_of(table)
    if lacking := [name for name in (*words, *numbers) if name not in header]:
        held = f"it has {', '.join(filter(None, header))}" if any(header) else "the file is empty"
        raise BadInput(f"{table}: column {lacking[0]!r} is missing; {held}")
    if not whole:
        _check_cells(table)
    asked = {*words, *numbers}
    wanted = [place for place, name in enumerate(header) if name in asked]
    try:
        frame = (
            pd.read_csv(
                table,
                header=0,
                names=[name or f"\0{place}" for place, name in enumerate(header)],  # a nameless one is never wanted
                index_col=False,
                usecols=wanted,
                dtype=dict.fromkeys(words, str),
                keep_default_na=False,
                na_values=[""],
                encoding="utf-8-sig",
                compression=None,
            )
            if wanted
            else pd.DataFrame()
        )
    except (OSError, ValueError, OverflowError) as fault:
        _find_fault(table, numbers)
        raise BadInput(f"{table}: cannot be read as CSV ({fault})") from None
    for name in numbers:
        if frame[name].dtype.kind not in "fiu":
            _find_fault(table, [name])
            frame[name] = frame[name].astype("float64")
    values = frame[list(numbers)].to_numpy(np.float64, copy=True)
    if not infinite:
        values[~np.isfinite(values)] = np.nan
    made = pd.DataFrame(values, columns=list(numbers))
    for name in words:
        made[name] = frame[name]
    return made


def _check_cells(table: Path) -> None:
    """Refuse a line with too few or too many cells; pandas would fill a short line up without a word."""
    try:
        with table.open("rb") as file:
            first = file.readline()
            expected, plain = first.count(b","), not any(sign in first.rstrip(b"\r\n") for sign in (b'"', b"\r"))
            plain = plain and all(line.count(b",") == expected and b'"' not in line for line in file)
    except OSError as fault:
        raise BadInput(f"{table}: cannot be read as CSV ({fault.strerror})") from None
    if not plain:
        for _ in read_rows(table):  # counts cells, quoted commas or not
            pass


def _find_fault(table: Path, numbers: Sequence[str]) -> None:
    """Go through a table that could not be read fast, to name the line that is to blame."""
    for number, row in enumerate(read_rows(table), start=2):
        for name in numbers:
            if reason := not_a_number(row[name]):
                raise BadInput(f"{table}: line {number}: {name} = {_short(row[name])}: {reason}")


def not_a_number(text: str) -> str:
    """What is wrong with a cell that must be a number or empty; nothing where it is one."""
    try:
        if text.strip().lower().lstrip("+-") in ("inf", "infinity") or math.isfinite(float(text or 0)):
            return ""
        return "" if text.strip().lower().lstrip("+-") == "nan" else "is too large for a number"
    except ValueError:
        pass
    if DECIMAL_COMMA.fullmatch(text.strip()) and not GROUPED.fullmatch(text.strip()):
        return "must be a number with a decimal point, or empty; it has a decimal comma"
    if GROUPED.fullmatch(text.strip()):
        return "must be a number without signs between thousands and with a decimal point, or empty"
    return NO_NUMBER


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:56]!r} …"


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
    """A number where it is written as one, a whole one where it can be: seeds may be too large for a float.

    Anything else is a label: inf, nan and 1_000 too.
    """
    if text.isascii() and text.isdigit() and len(text) <= 400:  # a seed as most are, at once
        return int(text)
    bare = text.strip()
    if not NUMBER.fullmatch(bare) or len(bare) > 400:
        return text
    if bare.lstrip("+-").isdecimal():
        return int(bare)
    number = float(bare)
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() else number
