"""The verbs of `decoupling study`: arguments only, like `sim.cli`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from sim.terminal import Format, FormatOption, emit, note

study = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Studies of results and of the model.")


@study.callback()
def studies() -> None:
    """Studies of results and of the model."""


@study.command()
def calibrate(
    experiment: Annotated[str, typer.Argument(help="A calibration's name in experiments/ or the path of its file.")],
    workers: Annotated[int | None, typer.Option(help="Processes; all processors if left out.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; results/NAME if left out.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """History matching: what observed figures leave of the parameters' ranges. The same command again goes on."""
    from sim.study.calibrate import calibrate as run
    from sim.study.calibration_report import LEARNT_COLUMNS, learnt_rows

    learnt, _ = run(experiment, workers, out)
    emit(LEARNT_COLUMNS, learnt_rows(learnt), format)


@study.command()
def validate(
    what: Annotated[str, typer.Argument(metavar="[CONFIG|RESULT]", help="A config or a result folder.")] = "historic",
    observations: Annotated[Path | None, typer.Option(help="New figures: a CSV file like observations.csv.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; all processors if left out.")] = None,
    sets: Annotated[int | None, typer.Option(min=1, help="Parameter sets; all of the ensemble if left out.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; results/validation if left out.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """The model against observed figures, simple rivals and forecasts published at the time."""
    from sim.study.calibrate import open_folder
    from sim.study.validation import SCORE_COLUMNS, score_rows, write
    from sim.study.validation import validate as run
    from sim.vocabulary import BadInput, project_root

    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise BadInput(f"--workers = {workers}: must be a whole number from 1")
    out = out or project_root() / "results" / "validation"
    validation = run(what, observations, workers, sets)
    open_folder(out, "decoupling study validate")
    write(validation, out)
    note(f"{out}: every figure in figures.csv, the page in report.md.")
    emit(SCORE_COLUMNS, score_rows(validation), format)
