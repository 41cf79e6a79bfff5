"""The verbs that hand on a result: plot, export."""

# Without the usual import from __future__: typer would compile the text of every annotation at each start.

from pathlib import Path
from typing import Annotated

import typer

from sim.folders import result_path
from sim.results.escape import visible
from sim.terminal import note, out_option

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command()
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


@verbs.command()
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
