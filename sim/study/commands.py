"""The verbs of `decoupling study`: arguments only, like `sim.cli`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sim.terminal import Format, FormatOption, emit, note

study = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Studies of results and of the model.")
Result = Annotated[str, typer.Argument(help="The folder of a finished batch, or its name in results/.")]


@study.callback()
def studies() -> None:
    """Studies of results and of the model."""


@study.command()
def sensitivity(
    result: Result,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help="A measure (its end), or an outcome such as chip_market@2030. [default: domestic_supply_share]"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where sensitivity.csv and sensitivity.svg go. [default: the result]")
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Sobol or Morris indices with 95 % intervals, and the share of variance that is due to seeds."""
    from sim.study import sensitivity as indices
    from sim.study.outcomes import result_folder

    folder = result_folder(result)
    with incomplete_input():
        found, notes = indices.sensitivity(folder, measure or ["domestic_supply_share"])
    for sentence in notes:
        note(sentence)
    if found:
        indices.write(found, out or folder)
        note(f"{out or folder}: sensitivity.csv, sensitivity.svg")
    emit(indices.HEADER, [index.row() for index in found], format)


@study.command()
def discover(
    result: Result,
    target: Annotated[str, typer.Option(help="What is to be reached, such as 'domestic_supply_share@2030 >= 0.3'.")],
    format: FormatOption = Format.table,
) -> None:
    """The corner of the factors' space where a target is reached: PRIM boxes with coverage and density."""
    from sim.study import discovery
    from sim.study.outcomes import result_folder

    with incomplete_input():
        found = discovery.discover(result_folder(result), target)
    emit(discovery.HEADER, found.rows(), format)
    note(found.sentence())


@contextmanager
def incomplete_input() -> Iterator[None]:
    """Runs or values that are missing end the verb with exit code 3."""
    from sim.study.outcomes import IncompleteInput

    try:
        yield
    except IncompleteInput as fault:
        for problem in fault.problems:
            note(problem)
        raise typer.Exit(3) from None
