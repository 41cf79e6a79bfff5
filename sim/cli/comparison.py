"""The verb compare."""

# Without the usual import from __future__: typer would compile the text of every annotation at each start.

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.errors import BadInput
from sim.terminal import note, out_option

verbs = typer.Typer(rich_markup_mode=None)


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


@verbs.command()
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
