"""What studies write: a folder of their own, tables of six digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import BadInput
from sim.results.escape import spreadsheet
from sim.results.files import writing
from sim.results.records import line

MARK = "study.txt"  # says which study made a folder


def open_folder(out: Path, made_by: str) -> None:
    """Make the folder of a study, or see that it holds one of the same kind. BadInput otherwise."""
    with writing(out):
        if out.exists() and not out.is_dir():
            raise BadInput(f"--out = {str(out)!r}: is a file; give a folder")
        held = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
        mark = out / MARK
        if held and not (mark.exists() and mark.read_text() == made_by):
            raise BadInput(f"--out = {str(out)!r}: holds {held[0]!r} and no {made_by}; give a new or an empty folder")
        out.mkdir(parents=True, exist_ok=True)
        mark.write_text(made_by)


def csv_text(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table with numbers of six digits, empty for missing."""
    return "".join([line(header), *(line(map(_cell, map(spreadsheet, row))) for row in rows)])


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    return int(value) if isinstance(value, bool | np.bool_) else value
