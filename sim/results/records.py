"""Results as files: CSV and manifest, in and out.

There is one writer, with a fixed column order, floats as `repr` writes them, `\\n` at the end of a line, and empty
cells for what is missing, so that equal results are equal bytes. Every file appears whole or not at all.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Array, Indices
from sim.calendar import OUTCOME_YEARS
from sim.errors import BadInput
from sim.folders import project_root

SCHEMA_VERSION = 1
RUNS, SERIES, MANIFEST = "runs.csv", "series.csv", "manifest.json"
RESULT_FILES = (RUNS, SERIES, MANIFEST)
UNFINISHED = ".blocks-"  # the folder of an unfinished batch's blocks begins so
LOCK = ".lock"  # held by the batch that writes into a result folder
KEYS = ("run_id", "config", "parameter_set", "seed")
FIRST_70 = "domestic_supply_share@first_70"
TARGET = 0.7  # the share that China's plan named for 2025


# One cell, one line.


def cell(value: object) -> str:
    """A word, a number or a truth value as a CSV cell: quoted where needed, empty for None and NaN."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    text = str(value)
    if any(sign in text for sign in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def line(values: Iterable[object]) -> str:
    """Cells joined to a line, with its end."""
    return ",".join(map(cell, values)) + "\n"


def float_cells(values: Array) -> str:
    """A row of floats, shape (columns,), as cells."""
    texts = map(repr, values.tolist())
    if np.isnan(values).any():
        return ",".join("" if text == "nan" else text for text in texts)
    return ",".join(texts)


# Columns and rows of the two tables.


def series_columns(swept: Sequence[str], measures: Sequence[str]) -> list[str]:
    return [*KEYS, *swept, "date", *measures]


def runs_columns(swept: Sequence[str], kinds: Mapping[str, str]) -> list[str]:
    """The columns of `runs.csv`; `kinds` gives each measure's kind, such as "flow"."""
    return [*KEYS, *swept, "status", *outcome_columns(kinds)]


def series_rows(keys: Sequence[object], dates: Sequence[str], values: Array) -> str:
    """The lines of one run. `keys` are the cells before the date, `values` has shape (dates, measures)."""
    start = ",".join(map(cell, keys))
    return "".join(f"{start},{date},{float_cells(row)}\n" for date, row in zip(dates, values, strict=True))


def runs_row(keys: Sequence[object], status: str, outcome_values: Sequence[object]) -> str:
    return line([*keys, status, *outcome_values])


def outcome_columns(kinds: Mapping[str, str]) -> list[str]:
    """The outcomes of each measure, measure after measure; the date of the first 70 % comes last."""
    names = []
    for measure, kind in kinds.items():
        names += [f"{measure}@end", *(f"{measure}@{year}" for year in OUTCOME_YEARS), f"{measure}@peak"]
        if kind == "flow":
            names.append(f"{measure}@sum")
    return [*names, FIRST_70]


def outcomes(
    kinds: Mapping[str, str], years: Sequence[str], yearly: Array, first_70: Sequence[str], lengths: Indices
) -> list[list[object]]:
    """What became of each run, in the order of `outcome_columns`.

    `yearly` has shape (runs, years, measures), `years` are its ISO dates, `first_70` one date (or nothing) a run,
    `lengths` says how many of the years each run has, at least one. A sum over years of bn yuan a year is bn yuan.
    NaN where a year lies outside the run.
    """
    inside = np.arange(len(years)) < lengths[:, None]
    yearly = np.where(inside[..., None], yearly, np.nan)
    by_year = {date[:4]: yearly[:, place] for place, date in enumerate(years)}
    outside = np.full(yearly[:, 0].shape, np.nan)
    end = yearly[np.arange(len(lengths)), lengths - 1]
    peak = np.fmax.reduce(yearly, axis=1)
    total = np.zeros_like(outside)
    for place in range(len(years)):  # one addition after another: the same bytes for any number of runs
        total = np.where(inside[:, place, None], total + yearly[:, place], total)
    kept = [end, *(by_year.get(str(year), outside) for year in OUTCOME_YEARS), peak, total]
    columns: list[Sequence[object]] = []
    for place, kind in enumerate(kinds.values()):
        columns += [values[:, place].tolist() for values in (kept if kind == "flow" else kept[:-1])]
    reached = [
        date if date <= years[length - 1] else "" for date, length in zip(first_70, lengths.tolist(), strict=True)
    ]
    return [list(row) for row in zip(*columns, reached, strict=True)]


def read_rows(path: str | Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, one after another, each cell as text (empty where it is missing)."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            for cells in reader:
                if len(cells) != len(header):
                    raise BadInput(
                        f"{path}: line {reader.line_num} has {len(cells)} cells; the header has {len(header)}"
                    )
                yield dict(zip(header, cells, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise BadInput(f"{path}: cannot be read as CSV ({getattr(fault, 'strerror', None) or fault})") from None


# Whole files or none.


def write_aside(path: Path, content: Iterable[bytes]) -> None:
    """Write a file beside its place, make sure that it is on the disk, and only then move it there."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.aside")
    try:
        with aside.open("wb") as file:
            for piece in content:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    keep_folder(path.parent)


def keep_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk (a file may be, while its name is not)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(path: Path, advice: str = "give another --out") -> Iterator[None]:
    """No permission, no space: what the system refuses becomes a sentence."""
    try:
        yield
    except OSError as fault:
        reason = "there is no space left" if fault.errno in (errno.ENOSPC, errno.EDQUOT) else fault.strerror or fault
        raise BadInput(f"{fault.filename or path}: cannot be written: {reason}; {advice}") from None


def is_result(folder: Path) -> bool:
    """Whether a folder holds a result of ours, finished or not."""
    return bool(read_manifest(folder)) or any(unfinished(folder))


def unfinished(folder: Path) -> list[Path]:
    """The folders with blocks of an unfinished batch."""
    return sorted(path for path in folder.glob(f"{UNFINISHED}*") if path.is_dir())


def prepare_out(path: Path) -> None:
    """Make the output folder, or see that it may be used. Raises BadInput and changes nothing otherwise."""
    if path.exists() and not path.is_dir():
        raise BadInput(f"--out = {str(path)!r}: is a file; give a new folder, an empty one, or a result folder")
    with writing(path):
        held = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK) if path.is_dir() else []
        if held and not is_result(path):
            raise BadInput(
                f"--out = {str(path)!r}: holds {held[0]!r} and is no result folder; "
                "give a new folder, an empty one, or a result folder"
            )
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a result folder for this process alone; BadInput if another one writes there.

    The system ends the lock with the process, however it ends: a file that was left behind means nothing.
    Where the file system knows no locks, there is none.
    """
    import fcntl

    path = folder / LOCK
    while True:
        with writing(folder):
            file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "just started"
            file.close()
            raise BadInput(
                f"{folder}: another batch is writing there ({holder}); wait for its end, or give another --out"
            ) from None
        except OSError:
            break
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            break
        file.close()  # its holder has just finished and taken it away
    with file:
        with writing(folder):
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}\n")
            file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def replace_result(out: Path, files: Mapping[str, Iterable[bytes]]) -> None:
    """Put a whole result folder in the place of an old one (or none): written beside it, then swapped."""
    prepare_out(out)
    out = out.resolve()
    held = sorted(entry.name for entry in out.iterdir() if entry.name not in (*RESULT_FILES, LOCK))
    if held or (read_manifest(out) or {}).get("experiment"):
        what = "a batch" if (read_manifest(out) or {}).get("experiment") or unfinished(out) else repr(held[0])
        raise BadInput(f"--out = {str(out)!r}: holds {what}, which one run must not replace; give another folder")
    beside = out.with_name(f".{out.name}.{os.getpid()}.aside")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    with writing(out):
        try:
            beside.mkdir()
            for name, content in files.items():
                write_aside(beside / name, content)
            os.rename(out, old)
            os.rename(beside, out)
            keep_folder(out.parent)
        finally:
            if old.exists() and not out.exists():
                os.rename(old, out)
            for folder in (beside, old):
                shutil.rmtree(folder, ignore_errors=True)


def move_beside(path: Path) -> Path:
    """Rename a folder to the first free of NAME.1, NAME.2, …, and return that."""
    number = 1
    while (beside := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    with writing(path):
        os.rename(path, beside)
        (beside / LOCK).unlink(missing_ok=True)
    return beside


# The manifest.


def manifest_text(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    write_aside(path, [manifest_text(manifest)])


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a result folder, or None where there is none of ours."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or not {"schema_version", "experiment", "seeds", "files"} <= manifest.keys():
        return None
    return manifest


@lru_cache(maxsize=1)
def program_files() -> Mapping[str, str]:
    """A short hash of each of the package's source files, so that a difference has a name."""
    package = Path(__file__).parent.parent
    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    return {name: hashlib.sha256(files[name].read_bytes()).hexdigest()[:16] for name in sorted(files)}


def program_hash() -> str:
    """A hash over the package's source: every path and what it holds, in order of path."""
    return hashlib.sha256(
        "".join(f"{name} {digest}\n" for name, digest in program_files().items()).encode()
    ).hexdigest()


@lru_cache(maxsize=1)
def arithmetic_fingerprint() -> str:
    """A small hash of what this processor and these libraries answer where they may differ in the last bit."""
    from scipy.special import ndtri

    count = 4096
    parts = (np.arange(count, dtype=np.float64) + 0.5) / count
    spread = (parts - 0.5) * 40.0
    answers = [
        np.exp(spread),
        np.log(parts),
        np.log1p(parts),
        np.expm1(spread),
        np.tanh(spread),
        np.sqrt(parts),
        np.power(parts, 0.37),
        np.power(parts + 1.0, spread),
        ndtri(parts),
        np.cumsum(parts),
        np.add.reduce(np.exp(spread)),
        np.add.reduceat(spread, [0, 7, 1000]),
    ]
    digest = hashlib.blake2b(digest_size=8)
    for answer in answers:
        digest.update(np.ascontiguousarray(answer).tobytes())
    return digest.hexdigest()


def dependencies() -> dict[str, str]:
    """The versions of what computes and writes results."""
    found = {name: importlib.metadata.version(name) for name in ("mesa", "numpy", "scipy")}
    return {"python": platform.python_version(), **found}


def run_info(seconds: float, workers: int) -> dict[str, Any]:
    """What may differ from one identical run to the next."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "workers": workers,
        "machine": f"{platform.node()} {platform.system()} {platform.machine()}",
        "git_commit": _git_commit(),
        "command": sys.argv[1:],
    }


def _git_commit() -> str | None:
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=project_root(), capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
