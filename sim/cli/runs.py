"""The verbs that run the model: run, rerun, batch."""

# Without the usual import from __future__: typer would compile the text of every annotation at each start.

import os
import shlex
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tomli
import typer

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.errors import BadInput
from sim.folders import result_path, results_folder
from sim.terminal import Format, FormatOption, emit, note, out_option, refuse_unnamed

if TYPE_CHECKING:
    from sim.model import DecouplingModel

verbs = typer.Typer(rich_markup_mode=None)


class Every(StrEnum):
    quarter = "quarter"
    year = "year"


@verbs.command()
def run(
    config: Annotated[str, typer.Argument(help="A name in configs/ or the path of a TOML file.")] = "historic",
    set: Annotated[list[str] | None, typer.Option(help="Change a key: KEY=VALUE. May be given many times.")] = None,
    seed: Annotated[int, typer.Option(help="A whole number from 0; the same seed draws the same luck.")] = 1,
    parameter_set: Annotated[
        int, typer.Option(metavar="N", help="A set of the world's calibrated parameters; 0 for the config's own.")
    ] = 0,
    until: Annotated[int, typer.Option(help="The last year, included.")] = LAST_YEAR,
    every: Annotated[Every, typer.Option(help="How often series.csv records.")] = Every.quarter,
    out: Annotated[Path | None, out_option("The result folder. [default: results/CONFIG-SEED-HASH]")] = None,
    format: FormatOption = Format.table,
) -> None:
    """One run: a yearly table of the headline measures, and a result folder."""
    simulate_in_one_thread()
    from sim.experiment.ensemble import parameter_set as drawn_set
    from sim.scenario.idle import idle
    from sim.scenario.loading import load_config

    if not FIRST_YEAR <= until <= LAST_YEAR:
        raise BadInput(f"--until = {until}: must be a year from {FIRST_YEAR} to {LAST_YEAR}")
    if seed < 0 or seed >= 2**63:
        raise BadInput(f"--seed = {seed}: must be a whole number from 0 and below 2**63")
    refuse_unnamed(out)
    changes = settings(set or [])
    scenario = load_config(config, changes)
    drawn = drawn_set(scenario.world, parameter_set, changes)
    scenario = scenario.with_values(drawn)
    for text in idle(scenario):
        note(text)
    folder = out or results_folder() / f"{scenario.name}-{seed}-{scenario.hash[:8]}"

    from sim.batch.jobs import import_model
    from sim.batch.run import write_run
    from sim.experiment.experiment import Run
    from sim.results.output import none_left_empty, prepare_out

    import_model()
    from sim.model import DecouplingModel

    if scenario.world.is_assumed:
        note(f"{scenario.world.name}: every figure of this world is assumed; read the results as an illustration.")
    model = DecouplingModel(scenario, seed, until=until)
    with none_left_empty(folder):
        prepare_out(folder)
        while model.running:
            model.step()
        write_run(model, scenario, Run(scenario.name, 1, {}, parameter_set, seed), folder, every.value, drawn)
    emit(*_yearly(model), format, turned=True)
    note(f"{folder}: runs.csv, series.csv, manifest.json")


@verbs.command()
def rerun(
    result: Annotated[str, typer.Argument(help="A result folder, or its name in results/.")],
    run_id: Annotated[str, typer.Argument(help="The run: a run_id of its runs.csv, such as historic-1-17-2.")],
    record: Annotated[
        list[str] | None, typer.Option(help="all, headline or a measure; may be given many times. [default: all]")
    ] = None,
    every: Annotated[Every, typer.Option(help="How often series.csv records.")] = Every.quarter,
    out: Annotated[Path | None, out_option("The result folder. [default: results/RESULT-RUN_ID]")] = None,
    format: FormatOption = Format.table,
) -> None:
    """One row of a result again with everything recorded, and with the same bits."""
    from sim.batch.rerun import row_of
    from sim.results.reading import open_result

    refuse_unnamed(out)
    found = open_result(result_path(result))
    row = row_of(found, run_id)
    names = row.measures(record or ["all"])
    folder = out or results_folder() / f"{found.path.resolve().name}-{run_id}"
    for text in row.changes:
        note(text)

    from sim.batch.run import write_run
    from sim.model import DecouplingModel
    from sim.results.output import none_left_empty, prepare_out
    from sim.results.records import RUNS, read_rows

    model = DecouplingModel(row.scenario, row.run.seed, record=names, until=row.until)
    with none_left_empty(folder):
        prepare_out(folder)
        row.run_to_end(model)
        write_run(model, row.scenario, row.run, folder, every.value, row.drawn)
    emit(*_yearly(model), format, turned=True)
    note(f"{folder}: runs.csv, series.csv, manifest.json")
    [again] = read_rows(folder / RUNS)
    same, words = row.agreement(again)
    note(words)
    if not same:
        raise typer.Exit(1)


@verbs.command()
def batch(
    experiment: Annotated[str, typer.Argument(help="A name in experiments/ or the path of a TOML file.")],
    workers: Annotated[int | None, typer.Option(help="Processes. [default: one for each processor]")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="A Dask scheduler's address, or local:N for a cluster of N processes here.")
    ] = None,
    out: Annotated[Path | None, out_option("The result folder. [default: results/EXPERIMENT]")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew; an old result is kept beside.")] = False,
) -> None:
    """The sweep of an experiment. The same command again continues what was interrupted."""
    simulate_in_one_thread()
    from sim.batch.progress import resumable
    from sim.batch.run import run_batch

    refuse_unnamed(out)
    with resumable():
        code = run_batch(experiment, workers, out, fresh, cluster=cluster)
    if code == 0:
        from sim.study.sure import how_sure

        if said := how_sure(out or results_folder() / Path(experiment).stem):
            note(said)
        note(f"To see it: decoupling plot {shlex.quote(str(out or Path(experiment).stem))}")
    raise typer.Exit(code)


def _yearly(model: "DecouplingModel") -> tuple[list[str], list[list[Any]]]:
    """The headline measures of a run by year; all that it records where none of these is among it."""
    from sim.measures import HEADLINE

    names = model.recorder.names
    shown = [name for name in HEADLINE if name in names] or names
    dates, values = model.recorder.values("year")
    rows = [
        [date[:4], *(float(row[names.index(name)]) for name in shown)]
        for date, row in zip(dates, values[0], strict=True)
    ]
    return ["year", *shown], rows


def simulate_in_one_thread() -> None:
    """To be called before numpy is imported, which starts threads for products of matrices: the model has none."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def settings(given: Sequence[str]) -> dict[str, Any]:
    """--set KEY=VALUE as a dictionary of dotted keys; a VALUE is TOML, and a bare word is a string."""
    from sim.world.evidence import flatten

    values: dict[str, Any] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise BadInput(f"--set {text}: must be KEY=VALUE, such as subsidy.annual=200")
        try:
            parsed = tomli.loads(f"value = {value}")
        except (ValueError, RecursionError):
            parsed = {"value": value.strip()}
        if len(parsed) > 1:
            raise BadInput(f"--set {text!r}: holds more than one line; give one --set for each key")
        for name, one in flatten({key.strip(): parsed["value"]}).items():
            if name in values:
                raise BadInput(f"--set {name}: is given twice; give it once")
            values[name] = one
    return values
