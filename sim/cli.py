"""The command line: arguments only. Answers go to standard output, progress and notes to standard error."""

# Without the usual import from __future__: typer would compile the text of every annotation at each start.

import io
import os
import shlex
import sys
import tomllib
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.errors import BadInput
from sim.folders import result_path, results_folder
from sim.results.escape import visible
from sim.study.commands import study
from sim.terminal import Format, FormatOption, emit, note, out_option

if TYPE_CHECKING:
    from sim.model import DecouplingModel

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A laboratory of the technology-decoupling race in chips: run, batch, compare, view.",
)


app.add_typer(study, name="study")
NOBODY_READS = 128 + 13  # SIGPIPE, which not every system has


class Every(StrEnum):
    quarter = "quarter"
    year = "year"


@app.command()
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


@app.command()
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


@app.command()
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


class By(StrEnum):
    segment = "segment"
    input = "input"
    state = "state"


class Gate(StrEnum):
    worse = "worse"
    any = "any"
    inconclusive = "inconclusive"


class Parameters(StrEnum):
    ensemble = "ensemble"


class Report(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    md = "md"
    html = "html"


@app.command()
def compare(
    base: Annotated[
        str,
        typer.Argument(help="A result folder, a CSV, or a config (run with 20 seeds first; twice if controls differ)."),
    ],
    candidates: Annotated[list[str], typer.Argument(help="The same; each is compared with BASE.")],
    at: Annotated[
        list[str] | None,
        typer.Option(help="A year, a recorded date, final, peak, mean or sum; many times. [default: final]"),
    ] = None,
    by: Annotated[By | None, typer.Option(help="The slices of the measures.")] = None,
    measure: Annotated[
        list[str] | None, typer.Option(help="A measure; may be given many times. [default: headline]")
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            help="What does not matter: 0.01, 5% (of the base), MEASURE=0.01 or TARGET=0.05; many times. [default: 0]"
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Studentised bootstrap intervals instead of Student's t.")
    ] = False,
    unpaired: Annotated[bool, typer.Option("--unpaired", help="Do not pair runs by seed.")] = False,
    points: Annotated[bool, typer.Option("--points", help="The table per design point of a sweep too.")] = False,
    reach: Annotated[
        list[str] | None, typer.Option(help="Whether and when runs get there, such as 'domestic_supply_share>=0.7'.")
    ] = None,
    parameters: Annotated[
        Parameters | None,
        typer.Option(help="Run configs with 2 seeds of each calibrated parameter set, and not with 20 of their own."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="A key column of a CSV from elsewhere: COLUMN (seed), or parameter_set=, config=, point=, date=COLUMN."
        ),
    ] = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Compare what is there of incomplete results.")
    ] = False,
    fail_on: Annotated[
        list[Gate] | None,
        typer.Option(
            help="Exit 1 if a verdict is worse, any difference, or inconclusive; 3 if that cannot be judged. "
            "Of controls, bite and total are both judged."
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Whether the results are the same, cell by cell; exit 1 if not.")
    ] = False,
    rtol: Annotated[float | None, typer.Option(help="With --exact: tolerance as a part of BASE's value.")] = None,
    atol: Annotated[float | None, typer.Option(help="With --exact: absolute tolerance.")] = None,
    format: Annotated[Report, typer.Option("--format", help="How the answer is printed.")] = Report.table,
    out: Annotated[Path | None, out_option("A folder for all tables, figures and the page.")] = None,
) -> None:
    """The mean difference between results, paired by seed, with its interval and a verdict."""
    from sim.batch.of_config import RunsFailed, results_of
    from sim.compare import question as comparison
    from sim.compare import rendering
    from sim.compare.differences import Settings, margins_of
    from sim.experiment.idle import idle_in_results

    if not exact and (rtol is not None or atol is not None):
        raise BadInput("--rtol and --atol belong to --exact; a difference that does not matter is a --margin")
    question = comparison.Question(
        at=at or ["final"],
        by=by.value if by else None,
        measures=measure,
        reach=reach or [],
        settings=Settings(level, margins_of(margin or []), bootstrap),
        paired=not unpaired,
        points=points,
        partial=allow_partial,
        keys=key or [],
    )
    try:
        paths = results_of([base, *candidates], apart=not exact, sets=parameters is not None)
        if exact:
            differing = comparison.identical(paths, rtol or 0.0, atol or 0.0, key or [])
            typer.echo(rendering.render_identity(differing, format.value), nl=False)
            raise typer.Exit(1 if differing else 0)
        found = comparison.compare(paths, question)
        found.notes = list(dict.fromkeys([*found.notes, *idle_in_results(paths)]))
    except RunsFailed:
        raise typer.Exit(1) from None
    except comparison.Incomplete as fault:
        for problem in fault.problems:
            note(problem)
        raise typer.Exit(3) from None
    written = rendering.write_out(found, out) if out else []
    typer.echo(rendering.render(found, format.value), nl=False)
    if format is Report.csv:
        for text in (*found.agreement, *found.coverage, *found.notes, *found.sentences):
            note(text)
    if out:
        note(f"{out}: {', '.join(written)}")
    gates = [gate.value for gate in fail_on or []]
    tripped, open_ = comparison.trips(found, gates), comparison.unjudged(found, gates)
    for text in (*tripped, *open_):
        note(text)
    if tripped or open_:
        raise typer.Exit(1 if tripped else 3)


@app.command()
def plot(
    results: Annotated[list[str], typer.Argument(metavar="RESULT…", help="Result folders, or names in results/.")],
    measure: Annotated[
        list[str] | None,
        typer.Option(help="A measure over time, or M@Y: in a year, at the end, peak or sum; many times."),
    ] = None,
    x: Annotated[str | None, typer.Option(help="The factor along the axis.")] = None,
    y: Annotated[str | None, typer.Option(help="The other factor of a heat map, or of a sample's dots.")] = None,
    by: Annotated[
        str | None, typer.Option(metavar="segment|input|state|KEY", help="A panel for each part or value.")
    ] = None,
    out: Annotated[
        Path | None, out_option("The file, FILE.svg or FILE.png. [default: RESULT.svg beside the first]")
    ] = None,
) -> None:
    """A picture of any result: series with bands, a heat map of a grid, the dots of a sample."""
    from sim.compare.results import Incomplete
    from sim.study.plot.choice import picture_of
    from sim.study.plot.files import beside, format_of, write

    format = format_of(out) if out else "svg"
    try:
        picture = picture_of(results, measure or [], x, y, by)
    except Incomplete as fault:
        for problem in fault.problems:
            note(problem)
        raise typer.Exit(3) from None
    from sim.study.plot.figure import draw

    path = out or beside(result_path(results[0]))
    write(path, draw(picture, format))
    for text in picture.notes:
        note(text)
    note(f"{path}: {picture.title}")


@app.command()
def export(
    result: Annotated[str, typer.Argument(help="A result folder, or its name in results/.")],
    out: Annotated[Path | None, out_option("A folder. [default: that which holds the result]")] = None,
) -> None:
    """The tables of a result as Parquet, with types, units and meanings, for R, pandas and databases."""
    from sim.results.reading import open_result
    from sim.results.tables import write_parquet

    folder = open_result(result_path(result))
    for path in write_parquet(folder, out or folder.path.resolve().parent):
        typer.echo(visible(str(path)))


@app.command()
def view(
    config: Annotated[str, typer.Argument(help="A name in configs/ or the path of a TOML file.")] = "historic",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.")] = 8765,
    host: Annotated[
        str, typer.Option(help="Another address of this machine to serve at, open to whoever reaches it.")
    ] = "127.0.0.1",
    allow: Annotated[
        list[str] | None, typer.Option(help="A name that visitors ask for, as behind a proxy; may be given often.")
    ] = None,
    root_path: Annotated[str, typer.Option(help="What paths begin with behind a proxy, such as /race.")] = "",
    get_assets: Annotated[
        bool, typer.Option("--get-assets", help="Get the page's front-end files once, and stop.")
    ] = False,
    export: Annotated[
        Path | None, out_option("Write a page of prepared futures into this folder, which needs no server, and stop.")
    ] = None,
) -> None:
    """The live page: move levers, watch a run and step in."""
    refuse_unnamed(export, "--export")
    if get_assets:
        from sim.live.assets import get_assets as fetch

        typer.echo(fetch())
        return
    from sim.scenario.loading import load_config

    load_config(config)
    if export:
        from sim.live.export import export as write

        note(write(config, export))
        return
    from sim.live.server import serve

    serve(config, port, host, allow or (), root_path)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Configs, experiments or folders of worlds.")],
    effect: Annotated[bool, typer.Option("--effect", help="What each dated event of configs denies or stops.")] = False,
    format: FormatOption = Format.table,
) -> None:
    """Find what is wrong with a config, an experiment or a world before running it."""
    from sim.checking import checked

    say = note if effect else typer.echo
    problems: list[str] = []
    for name in files:
        try:
            say(f"{visible(name)}: {checked(name)}")
        except BadInput as fault:
            problems += fault.problems
    if problems:
        raise BadInput(problems)
    if effect:
        from sim.checking import denied

        header, rows, words = denied(files)
        emit(header, rows, format)
        note(words)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="CONFIG|EXPERIMENT|WORLD", help="A name, or the path of a TOML file or a folder.")
    ],
    resolved: Annotated[
        bool, typer.Option("--resolved", help="A config with all that it extends, every value and every event.")
    ] = False,
    out: Annotated[
        Path | None, out_option("A new file for it instead; of a world, a new folder for its tables.")
    ] = None,
) -> None:
    """The file as it is, or a world's tables, to start one's own from: decoupling show historic > mine.toml."""
    from sim.checking import copied, shown

    refuse_unnamed(out)
    if out:
        copied(name, resolved, out)
        note(f"{out}: a copy of {name}")
    else:
        typer.echo(shown(name, resolved), nl=False)


@app.command("list")
def list_(
    what: Annotated[
        str,
        typer.Argument(
            help="configs, experiments, parameters, measures, states, segments, inputs, firms, suppliers or events."
        ),
    ] = "configs",
    word: Annotated[str | None, typer.Argument(metavar="[WORD]", help="Only what has this word in it.")] = None,
    config: Annotated[
        str | None,
        typer.Option(help="Whose world's, or whose events. [default: the world of 2020; events of historic]"),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """What there is, with units, ranges and sources."""
    from sim.study.listing import FEW, hints, listing

    found = listing(what, config)
    if word is not None:
        found = found.with_word(word, what)
    if format is not Format.table:
        emit(found.header, found.rows, format)
    elif found.long and len(found.rows) <= FEW:
        typer.echo(found.whole())
    else:
        shown = found.narrow()
        emit(shown.header, shown.rows, format)
        for text in hints(found, what):
            note(text)


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
            parsed = tomllib.loads(f"value = {value}")
        except (ValueError, RecursionError):
            parsed = {"value": value.strip()}
        if len(parsed) > 1:
            raise BadInput(f"--set {text!r}: holds more than one line; give one --set for each key")
        for name, one in flatten({key.strip(): parsed["value"]}).items():
            if name in values:
                raise BadInput(f"--set {name}: is given twice; give it once")
            values[name] = one
    return values


def refuse_unnamed(out: Path | None, option: str = "--out") -> None:
    """BadInput for --out "" and ".", which would mean the folder that one stands in."""
    if out == Path():
        raise BadInput(f"{option} = '': must be a folder's name, such as results/mine")


def _plain(fault: typer.TyperException) -> str | None:
    """A sentence about an argument that is of the wrong kind, which the library says in the words of a validator."""
    if not isinstance(fault, typer.BadParameter) or not fault.param:
        return None
    for error in getattr(fault.__cause__, "errors", list)():
        words = error["msg"].rpartition(" is not one of ")[2].rstrip(".").replace("'", "")
        right = {"int": "a whole number", "float": "a number"}.get(error["type"].partition("_")[0], f"one of {words}")
        return f"{fault.param.get_error_hint().strip(chr(39))} = {error['input']!r}: must be {right}"
    return None


def main() -> None:
    """Run a verb. Exit codes: 0 done, 1 a gate tripped or some runs failed, 2 bad use or input, 3 incomplete input.

    70 for a fault of the program, 130 if interrupted, 143 if the system asks it to end (`sim.__main__`); 141 where
    nobody reads on, as a shell gives for it.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # half a character in a path, or a terminal without UTF-8
    try:
        if any("\0" in argument for argument in sys.argv):  # which no path can hold
            raise BadInput(f"{' '.join(sys.argv[1:])}: holds a null character; leave it out")
        sys.exit(app(standalone_mode=False) or 0)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # which typer ends with 1, the code of a gate
            sys.exit(NOBODY_READS)
        raise
    except typer.TyperException as fault:
        note(_plain(fault) or fault.format_message())
        sys.exit(2)
    except BadInput as fault:
        for problem in fault.problems:
            note(problem)
        sys.exit(2)
    except OSError as fault:
        note(f"{str(fault.filename)[:200]}: {fault.strerror}" if fault.filename else f"{fault.strerror or fault}")
        sys.exit(2)
