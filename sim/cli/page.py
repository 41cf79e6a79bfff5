"""The verb view."""

# Without the usual import from __future__: typer would compile the text of every annotation at each start.

from pathlib import Path
from typing import Annotated

import typer

from sim.terminal import note, out_option, refuse_unnamed

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command()
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
