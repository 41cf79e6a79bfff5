"""Where a picture goes."""

from __future__ import annotations

from pathlib import Path

from sim.errors import BadInput
from sim.results.files import write_aside, writing

FORMATS = ("svg", "png")


def format_of(out: Path) -> str:
    """The format that a file's ending asks for."""
    ending = out.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise BadInput(f"--out = {str(out)!r}: must end in .svg or .png")
    if out.is_dir():
        raise BadInput(f"--out = {str(out)!r}: is a folder; give a file that ends in .svg or .png")
    return ending


def beside(result: Path) -> Path:
    """The file of a result's picture where none is named: beside it, as a run replaces its folder whole."""
    folder = result.resolve()
    return result.parent / f"{folder.name}.svg" if result.name else folder.with_name(f"{folder.name}.svg")


def write(out: Path, content: bytes) -> None:
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_aside(out, [content])
