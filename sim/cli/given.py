"""The verbs about what is given: check, show, list."""

# Without the usual import from __future__: typer would compile the text of every annotation at each start.

from pathlib import Path
from typing import Annotated

import typer

from sim.errors import BadInput
from sim.results.escape import visible
from sim.terminal import Format, FormatOption, emit, note, out_option, refuse_unnamed

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command()
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


@verbs.command()
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


@verbs.command("list")
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
