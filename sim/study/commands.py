"""The verbs of `decoupling study`: arguments only, like `sim.cli`."""

from __future__ import annotations

import typer

study = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Studies of results and of the model.")


@study.callback()
def studies() -> None:
    """Studies of results and of the model."""
