"""How-to pages, followed as a reader would. `python -m sim.description.how_to [PAGE…]` writes what they quote again.

A page is a list of blocks. What comes after "Save this as `FILE`" is put into that file, a `diff` after "In `FILE`"
is applied to it, `sh` is typed line by line, and `text` quotes what was printed last, as whole lines, some left out.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sim.folders import CHECKOUT

ROOT = CHECKOUT or Path.cwd()  # the installed program is tested in a clone's folder
WANT = "**You want**"  # how a page begins that can be followed from an empty folder
CHANGES_THE_PROGRAM = "mechanism"  # but this one, which takes a copy of the project
PAGES = sorted(
    path
    for path in (ROOT / "docs/how-to").glob("*.md")
    if WANT in path.read_text(encoding="utf-8") and path.stem != CHANGES_THE_PROGRAM
)
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_HERE = re.compile(r"tcp://HOST")  # a machine of the reader's
PROGRAMS = Path(sys.executable).parent
UV = '#!/bin/sh\nshift\nwhile [ "$1" = --extra ]; do shift 2; done\nexec "$@"\n'  # `uv run` in a prepared environment


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    before: str  # the paragraph before it

    @property
    def file(self) -> str | None:
        """The file that it is saved as or changes."""
        found = re.search(r"(?:Save this as|In) `([\w./-]+)`", self.before)
        return found[1] if found else None

    @property
    def is_refused(self) -> bool:
        """Whether the page says that the program refuses it."""
        return "is refused" in self.before


@dataclass(frozen=True)
class Quote:
    """What a page says that its commands print, and what they printed."""

    said: list[str]
    printed: list[str]

    @property
    def wrong(self) -> list[str]:
        """Lines that were not printed, or not in this order."""
        rest = iter(self.printed)
        return [line for line in self.said if line not in rest]

    def again(self) -> str:
        """The lines that were printed instead: of all, those most like the ones that are quoted."""
        likest = [difflib.get_close_matches(line, self.printed, n=1, cutoff=0.0)[0] for line in self.said]
        return "".join(f"{line}\n" for line in likest)


def blocks(page: str) -> list[Block]:
    """The blocks of a page in order."""
    found = list(BLOCK.finditer(page))
    starts = [0, *(match.end() for match in found)]
    return [
        Block(match["language"], match["text"], page[start : match.start()].strip().rpartition("\n\n")[2])
        for start, match in zip(starts, found, strict=False)
    ]


def changed(text: str, diff: str) -> str:
    """A text in which the lines of a diff with "-" are replaced by those with "+".

    Raises ValueError if what is to be replaced is not there once.
    """
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", diff, re.MULTILINE):
        removed, added = (re.sub("^.", "", part, flags=re.MULTILINE) for part in (old, new))
        if text.count(removed) != 1:
            raise ValueError(f"not there once: {removed}")
        text = text.replace(removed, added)
    return text


def follow(
    page: str, folder: Path, left_out: re.Pattern[str] = NOT_HERE, programs: Path = PROGRAMS
) -> Iterator[tuple[Block, Quote]]:
    """Do in an empty folder what a page says, with these programs, and give each quotation with what was printed.

    Lines in which `left_out` is found are not typed, and what is quoted of them alone is passed over. Raises
    RuntimeError with what was printed when a line fails of which the page does not say that it is refused.
    """
    printed: list[str] = []
    for block in blocks(page):
        if block.language == "sh":
            lines = [line for line in block.text.splitlines() if line and not left_out.search(line)]
            printed = [line for command in lines for line in typed(command, folder, block.is_refused, programs)]
        elif block.language == "text":
            if printed:
                yield block, Quote(block.text.splitlines(), printed)
        elif block.language == "diff" and block.file:
            path = folder / block.file
            path.write_text(changed(path.read_text(encoding="utf-8"), block.text))
        elif block.file:
            (folder / block.file).write_text(block.text)


def typed(command: str, folder: Path, refused: bool, programs: Path) -> list[str]:
    """What a line prints to standard output, or to standard error if it is to be refused."""
    with tempfile.TemporaryDirectory() as tools:
        (Path(tools) / "uv").write_text(UV)
        (Path(tools) / "uv").chmod(0o755)
        path = os.pathsep.join([tools, str(programs), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
    if done.returncode != (2 if refused else 0):
        raise RuntimeError(f"{command}\n{done.stdout}{done.stderr}")
    return [line.rstrip() for line in (done.stderr if refused else done.stdout).splitlines()]


def write(*names: str) -> None:
    """Write every quotation again, or those of some pages."""
    for path in [path for path in PAGES if path.stem in names or not names]:
        page = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            for block, quote in follow(page, Path(folder)):
                page = page.replace(f"```text\n{block.text}```", f"```text\n{quote.again()}```")
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write(*sys.argv[1:])
