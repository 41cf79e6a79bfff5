"""The command line: arguments only. Answers go to standard output, progress and notes to standard error."""

import io
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from sim.errors import BadInput
from sim.terminal import note

# The module of each verb, in the order of the help.
MODULES = {
    "run": "sim.cli.runs",
    "rerun": "sim.cli.runs",
    "batch": "sim.cli.runs",
    "compare": "sim.cli.comparison",
    "plot": "sim.cli.results",
    "export": "sim.cli.results",
    "view": "sim.cli.page",
    "check": "sim.cli.given",
    "show": "sim.cli.given",
    "list": "sim.cli.given",
    "study": "sim.cli.study",
}
NOBODY_READS = 128 + 13  # SIGPIPE, which not every system has


@cache
def verbs_of(module: str) -> Mapping[str, Any]:
    """The verbs of a module by name."""
    return get_group(import_module(module).verbs).commands


class Verbs(Mapping[str, Any]):
    """All verbs by name, each made when it is asked for: to make all would take a twentieth of every start."""

    def __getitem__(self, name: str) -> Any:
        return verbs_of(MODULES[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class Laboratory(TyperGroup):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"commands": Verbs()})


app = typer.Typer(
    cls=Laboratory,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def decoupling() -> None:
    """A laboratory of the technology-decoupling race in chips: run, batch, compare, view."""


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
