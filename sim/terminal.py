"""What a person at a terminal sees: one table on standard output, notes on standard error."""

from __future__ import annotations

import json
import math
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sim.errors import BadInput
from sim.results.escape import spreadsheet, visible

ENDLESS = re.compile(r"\S{600,}")


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How the table is printed.")]


def out_option(help: str) -> Any:
    """The option --out. A shell leaves the ~ of --out=~/mine alone; it means the home folder all the same."""
    return typer.Option(parser=_expanded, metavar="PATH", help=help)


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise typer.BadParameter(f"{text!r}: no such home folder is known; write the folder in full") from None


def refuse_unnamed(out: Path | None, option: str = "--out") -> None:
    """BadInput for --out "" and ".", which would mean the folder that one stands in."""
    if out == Path():
        raise BadInput(f"{option} = '': must be a folder's name, such as results/mine")


def emit(header: list[str], rows: Sequence[Sequence[Any]], format: Format, turned: bool = False) -> None:
    """Print one table to standard output, never cut to a width. `turned` shows rows as columns in the terminal."""
    if format is Format.csv:
        from sim.results.records import line as csv_line  # brings numpy, which other verbs do not wait for

        # A truth value stands as it always has here; a result's tables say true and false.
        texts: Iterable[Sequence[Any]] = (
            [str(cell) if isinstance(cell, bool) else spreadsheet(cell) for cell in row] for row in rows
        )
        typer.echo("".join(map(csv_line, [header, *texts])), nl=False)
    elif format is Format.json:
        content = [dict(zip(header, (None if _missing(cell) else cell for cell in row), strict=True)) for row in rows]
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        lines = [header, *([_shown(cell) for cell in row] for row in rows)]
        lines = [list(line) for line in zip(*lines, strict=True)] if turned else lines
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        for line in lines:
            cells = [
                cell.ljust(width) if column == 0 or not turned else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            typer.echo("  ".join(cells).rstrip())


def _missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _shown(cell: Any) -> str:
    if _missing(cell):
        return ""
    if not isinstance(cell, float):
        return visible(str(cell))
    return f"{cell:.3f}" if abs(cell) < 10 else f"{cell:.1f}" if abs(cell) < 1000 else f"{cell:.0f}"


def note(text: str) -> None:
    """One line on standard error, whatever the text holds; of words without end, the beginning and the end."""
    typer.echo(ENDLESS.sub(lambda word: f"{word[0][:200]}…{word[0][-50:]}", visible(text)), err=True)


def note_fault(fault: Exception) -> None:
    """Write the trace of a fault of the program into the temporary folder, and say in a sentence what happened."""
    from sim import __version__  # takes a moment, and is seldom needed

    made_by = f"decoupling {__version__}, Python {platform.python_version()}, {platform.platform()}"
    trace = f"{made_by}\n{sys.argv[1:]}\n\n{''.join(traceback.format_exception(fault))}"
    try:
        with tempfile.NamedTemporaryFile("wb", prefix="decoupling-fault-", suffix=".txt", delete=False) as file:
            file.write(trace.encode(errors="backslashreplace"))
        where = f"The trace is in {file.name}; please open an issue with that file where you got this program."
    except OSError as refusal:
        where = f"The trace cannot be written ({refusal}); please open an issue where you got this program."
    what = f"{type(fault).__name__}: {fault}".removesuffix(": ")
    note(f"This is a fault of the program and not of your input ({what[:500]}). {where}")
