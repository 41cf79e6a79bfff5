"""The verbs of `decoupling study`."""

# Without the usual import from __future__: typer would compile the text of every annotation at each start.

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.errors import BadInput
from sim.folders import result_path, results_folder
from sim.terminal import Format, FormatOption, emit, note, out_option, refuse_unnamed

verbs = typer.Typer(rich_markup_mode=None)
study = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Studies of results and of the model.")
verbs.add_typer(study, name="study")
Workers = Annotated[int | None, typer.Option(help="Processes. [default: one for each processor]")]
Cluster = Annotated[
    str | None, typer.Option(help="A Dask scheduler's address, or local:N for a cluster of N processes here.")
]
Result = Annotated[str, typer.Argument(help="The folder of a finished batch, or its name in results/.")]


@study.callback()
def studies() -> None:
    """Studies of results and of the model."""


@study.command()
def review(
    what: Annotated[
        str, typer.Argument(metavar="[CONFIG|RESULT]", help="A config, or the result folder of one run.")
    ] = "published-2020",
    year: Annotated[int, typer.Option(help="The year at whose end the chain is reviewed.")] = FIRST_YEAR,
    seed: Annotated[int | None, typer.Option(help="Of a config; a result has its own. [default: 1]")] = None,
    out: Annotated[Path | None, out_option("Write review.csv and review.svg into this folder.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """The chain review: the map of empty spots, most exposed first."""
    from sim.study import review as chain

    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadInput(f"--year = {year}: must be a year from {FIRST_YEAR} to {LAST_YEAR}")
    scenario, chosen = chain.reviewed(what, seed)
    spots = chain.review(scenario, chosen, year)
    header, rows = list(chain.COLUMNS), [list(vars(spot).values()) for spot in spots]
    if out is not None:
        chain.write(spots, chain.picture(spots, scenario, year, chosen), out)
        note(f"{out}: review.csv, review.svg")
    emit(header, rows, format)
    for text in chain.notes(spots):
        note(text)


@study.command()
def critical(
    config: Annotated[str, typer.Argument(metavar="[CONFIG]", help="A config.")] = "historic",
    year: Annotated[int, typer.Option(help="The year from whose start on each is away.")] = 2027,
    years: Annotated[int, typer.Option(help="For how many years; what is lost is the mean over them.")] = 3,
    sets: Annotated[
        int | None,
        typer.Option(help="Parameter sets of the ensemble, evenly spread; 0: the config's own. [default: 16]"),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds of each parameter set.")] = 2,
    out: Annotated[Path | None, out_option("Write critical.csv and critical.svg into this folder.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """Each firm, each state's suppliers of an input and each state taken away in turn: what is lost, most first."""
    from sim.batch.progress import Progress
    from sim.scenario.loading import load_config
    from sim.study import critical as criticality

    plan = criticality.planned(load_config(config), year, years, sets, seeds)
    note(plan.cost)
    with Progress(plan.scenario.name, plan.runs) as progress:
        found = criticality.run(plan, progress.add)
    if out is not None:
        criticality.write(found, out)
        note(f"{out}: critical.csv, critical.svg")
    columns = list(criticality.COLUMNS) if format is Format.table else criticality.FULL
    emit(columns, [row.cells(columns) for row in found.rows], format)
    for text in found.notes():
        note(text)


@study.command()
def calibrate(
    experiment: Annotated[str, typer.Argument(help="A calibration's name in experiments/ or the path of its file.")],
    workers: Workers = None,
    cluster: Cluster = None,
    out: Annotated[Path | None, out_option("Folder; results/NAME if left out.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """History matching: what observed figures leave of the parameters' ranges. The same command again goes on."""
    from sim.batch.progress import KEEPING, resumable
    from sim.study.calibration.report import LEARNT_COLUMNS, learnt_rows
    from sim.study.calibration.run import calibrate as run

    with resumable(), workers_may_die(f"; {KEEPING}"):
        learnt, _ = run(experiment, workers, out, cluster)
    emit(LEARNT_COLUMNS, learnt_rows(learnt), format)


@study.command()
def search(
    experiment: Annotated[str, typer.Argument(help="A search's name in experiments/ or the path of its file.")],
    workers: Workers = None,
    cluster: Cluster = None,
    out: Annotated[Path | None, out_option("The result folder. [default: results/EXPERIMENT]")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew; an old result is kept beside.")] = False,
    format: FormatOption = Format.table,
) -> None:
    """Policies that nothing beats in several objectives, over the parameter sets. The same command again goes on."""
    from sim.batch.of_config import RunsFailed
    from sim.batch.progress import resumable
    from sim.study.search.run import search as run

    refuse_unnamed(out)
    try:
        with resumable():
            found = run(experiment, workers, out, fresh, cluster=cluster)
    except RunsFailed:
        raise typer.Exit(1) from None
    emit(*found.table(whole=format is not Format.table), format)
    for text in found.sentences():
        note(text)
    note(f"{found.whole.path}: runs.csv, series.csv, manifest.json, front.csv, front.svg")
    note(f"To see it: decoupling plot {shlex.quote(str(out or found.whole.path.name))}")
    if found.searched:
        note(f"The runs that the table names are those of {found.path}.")
    if failures := len(found.whole.manifest.failures):
        note(f"{failures} runs failed, which count as worse than all others; manifest.json names them.")
        raise typer.Exit(1)


@study.command()
def validate(
    what: Annotated[str, typer.Argument(metavar="[CONFIG|RESULT]", help="A config or a result folder.")] = "historic",
    observations: Annotated[Path | None, typer.Option(help="New figures: a CSV file like observations.csv.")] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    sets: Annotated[int | None, typer.Option(min=1, help="Parameter sets; all of the ensemble if left out.")] = None,
    out: Annotated[Path | None, out_option("Folder; results/validation if left out.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """The model against observed figures, simple rivals and forecasts published at the time."""
    from sim.study.files import open_folder
    from sim.study.validation.validation import DUEL_COLUMNS, score_rows, write
    from sim.study.validation.validation import validate as run

    out = out or results_folder() / "validation"
    with workers_may_die():
        validation = run(what, observations, workers, sets, cluster)
    open_folder(out, "decoupling study validate")
    write(validation, out)
    note(f"{out}: every figure in figures.csv, the page in validation.md.")
    emit(DUEL_COLUMNS, score_rows(validation), format)


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
        Path | None,
        out_option("Where sensitivity.csv and sensitivity.svg go. [default: the result]"),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Which factors and unknowns move an outcome: indices with 95 % intervals, and the share that is due to seeds."""
    from sim.study import sensitivity as indices

    folder = result_path(result)
    with incomplete_input():
        results, notes = indices.sensitivity(folder, measure or ["domestic_supply_share"])
    if results:
        notes += indices.write(results, folder, out or folder)
        note(f"{out or folder}: sensitivity.csv, sensitivity.svg")
    emit(indices.HEADER, [index.row() for index in indices.told(results, format is Format.table)], format)
    for sentence in notes:
        note(sentence)


@study.command()
def discover(
    result: Result,
    target: Annotated[
        list[str],
        typer.Option(
            help="What is to be reached, such as 'domestic_supply_share@2030 >= 0.3'; given again, all in the same run."
        ),
    ],
    out: Annotated[
        Path | None,
        out_option("Where discovery.csv and discovery.svg go. [default: the result]"),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """The corner of the factors' space where targets are reached: PRIM boxes with coverage and density."""
    from sim.study import discovery

    folder = result_path(result)
    with incomplete_input():
        boxes = discovery.discover(folder, target)
    names = discovery.write(boxes, folder, out or folder)
    note(f"{out or folder}: {', '.join(names)}")
    emit(discovery.HEADER, boxes.rows(), format)
    note(boxes.sentence())


@study.command()
def report(
    results: Annotated[list[str], typer.Argument(metavar="RESULT…", help="Folders of finished batches, or names.")],
    out: Annotated[
        Path | None,
        out_option("Folder of the page, its tables and figures. [default: the first result]"),
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="One page for people who read nothing else: brief.html and brief.md.")
    ] = False,
    format: FormatOption = Format.table,
) -> None:
    """The answer of experiments: question, prediction, tables, figures, what is uncertain; on one page."""
    from sim.study.report.answer import read_answer
    from sim.study.report.files import table_of, write, write_answer, write_briefs

    with incomplete_input():
        read = [read_answer(result_path(name)) for name in results]
    folder = out or read[0].batch.folder
    names = write_briefs(read, folder) if brief else write(read, folder)
    note(f"{folder}: {', '.join(names)}")
    for each in [] if brief else read:
        if path := write_answer(each):
            note(f"{path}: the answer that is kept with the experiment")
    emit(*table_of(read), format)


@contextmanager
def workers_may_die(advice: str = "") -> Iterator[None]:
    """Workers that could not be kept alive end the verb with exit code 1."""
    from sim.batch.jobs import WorkersDied

    try:
        yield
    except WorkersDied as fault:
        note(f"{fault}{advice}.")
        raise typer.Exit(1) from None


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
