"""The one way in which a result folder is read: finished, with its manifest, and with the tables as they were written.

Nothing is read through a symbolic link: what a result holds lies in its own folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import BadInput
from sim.results.manifest import MANIFEST, FileFacts, Manifest, read_manifest
from sim.results.output import unfinished
from sim.results.provenance import program_files, program_hash
from sim.results.records import RUNS, SERIES
from sim.results.tables import frame_of

if TYPE_CHECKING:
    import pandas

TOLD = 3  # files of the program by name, the others by their number


class Unfinished(BadInput):
    """A folder that holds blocks of a batch and no result yet."""


@dataclass(frozen=True, repr=False)
class ResultFolder:
    """A result as it was written. `unfinished` are the folders of a batch that goes on in it."""

    path: Path
    manifest: Manifest
    unfinished: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        asked = self.manifest.experiment
        what = f"{asked.name}: {asked.question}" if asked else f"one run of {', '.join(self.manifest.scenarios)}"
        return f"<result {self.path}, {what}>"

    def to_frame(self, table: str = "runs") -> pandas.DataFrame:
        """The table "runs" or "series" as a data frame, with numbers, words, truth values and dates."""
        found = {"runs": self.runs, "series": self.series}.get(table)
        if found is None:
            there = "runs or series" if self.series else "runs"
            raise BadInput(f"to_frame({table!r}): {self.path} has the table {there}")
        return frame_of(self, found)

    @property
    def runs(self) -> Path:
        return self.path / RUNS

    @property
    def series(self) -> Path | None:
        """The measures over time, if there are any."""
        return self.path / SERIES if SERIES in self.manifest.files else None

    @property
    def other_program(self) -> str:
        """A sentence where another state of the program made the result; empty where it was this one."""
        if self.manifest.program_hash == program_hash():
            return ""
        ours, theirs = program_files(), self.manifest.program
        differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
        more = f" and {len(differing) - TOLD} more" if len(differing) > TOLD else ""
        differ = f"{', '.join(differing[:TOLD])}{more} {'differs' if len(differing) == 1 else 'differ'}"
        return f"{self.path}: was made by another state of the program ({differ})"

    def other_world(self, id: str, hash: str) -> str:
        """A sentence where one of its worlds is today another one, with this hash; empty where it is as it was."""
        kept = self.manifest.worlds.get(id)
        return "" if kept and kept.hash == hash else f"{self.path}: its world {id} has changed since"


def open_result(folder: str | Path) -> ResultFolder:
    """A finished result, each of its tables checked against the size and hash in its manifest.

    Raises BadInput that says what is missing, damaged, altered or a link; Unfinished where there are blocks alone.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such result folder; run it first with decoupling run or batch")
    blocks = tuple(unfinished(folder))
    if blocks and not (folder / MANIFEST).exists():
        raise Unfinished(f"{folder}: is not finished; the same batch command goes on with it")
    if not (folder / MANIFEST).exists() and not (folder / RUNS).exists():
        raise BadInput(f"{folder}: holds no {RUNS}; give a result folder")
    manifest = read_manifest(folder)
    for name in (RUNS, SERIES):
        if name in manifest.files:
            if reason := altered(folder / name, manifest.files[name]):
                raise BadInput(f"{folder / name}: {reason}; run it again")
        elif name == RUNS or (folder / name).exists():
            raise BadInput(f"{folder / MANIFEST}: files does not say how {name} was written; run it again")
    return ResultFolder(folder, manifest, blocks)


def altered(table: Path, written: FileFacts) -> str:
    """In what a table is not as it was written; empty where it is."""
    if table.is_symlink():
        return "is a symbolic link, which is not followed"
    if not table.is_file():
        return "is missing"
    try:
        facts = table.stat()
        if facts.st_size != written.bytes:
            return f"has {facts.st_size} bytes, and {written.bytes} were written"
        digest = _digest(table.resolve(), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
    except OSError as fault:
        return f"cannot be read ({fault.strerror})"
    return "" if digest == written.sha256 else f"was altered: its sha256 is not the one in {MANIFEST}"


@lru_cache(maxsize=64)
def _digest(table: Path, *_unchanged: int) -> str:
    """A file's sha256, kept for as long as the file is the same to the system."""
    with table.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
