"""The folder that a result is written to: prepared, locked, replaced."""

from __future__ import annotations

import errno
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from sim.errors import BadInput
from sim.results.files import keep_folder, write_aside, writing
from sim.results.manifest import MANIFEST, OtherVersion, read_manifest
from sim.results.records import RUNS, SERIES

RESULT_FILES = (RUNS, SERIES, MANIFEST)
UNFINISHED = ".blocks-"  # the folder of an unfinished batch's blocks begins so
LOCK = ".lock"  # held by the batch that writes into a result folder
MARKER = ".writing"  # the same where the file system knows no locks
LEAVING = 0.2  # seconds: a holder may be just about to leave
NO_LOCKS = {getattr(errno, name, None) for name in ("ENOSYS", "ENOLCK", "ENOTSUP", "EOPNOTSUPP", "EINVAL")}


def is_result(folder: Path) -> bool:
    """Whether a folder holds a result of this program, finished or not."""
    return _of_batch(folder) is not None or any(unfinished(folder))


def _of_batch(folder: Path) -> bool | None:
    """Whether a folder's manifest, of whatever version, is that of a batch; None where there is none."""
    try:
        return read_manifest(folder).experiment is not None
    except OtherVersion as fault:
        return fault.of_batch
    except BadInput:
        return None


def unfinished(folder: Path) -> list[Path]:
    """The folders with blocks of an unfinished batch."""
    return sorted(path for path in folder.glob(f"{UNFINISHED}*") if path.is_dir() and not path.is_symlink())


def prepare_out(path: Path) -> None:
    """Make the output folder, or see that it may be used. Raises BadInput and changes nothing otherwise."""
    if path.exists() and not path.is_dir():
        raise BadInput(f"--out = {str(path)!r}: is a file; give a new folder, an empty one, or a result folder")
    with writing(path):
        held = (
            sorted(entry.name for entry in path.iterdir() if entry.name not in (LOCK, MARKER)) if path.is_dir() else []
        )
        if held and not is_result(path):
            raise BadInput(
                f"--out = {str(path)!r}: holds {held[0]!r} and is no result folder; "
                "give a new folder, an empty one, or a result folder"
            )
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.unlink(missing_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()


@contextmanager
def none_left_empty(path: Path) -> Iterator[None]:
    """Remove a folder that was made on the way and holds nothing in the end, as after a refusal."""
    there = path.exists()
    try:
        yield
    finally:
        if not there:
            with suppress(OSError):
                path.rmdir()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a result folder for this process alone; BadInput if another one writes there.

    The system ends the lock with the process, however it ends: a file that was left behind means nothing.
    Where the file system knows no locks, a file says who writes there; it ends with its process where that ran here.
    """
    for name in (LOCK, MARKER):
        if (folder / name).is_symlink():
            raise BadInput(
                f"{folder / name}: is a symbolic link, which is not followed; remove it, or give another --out"
            )
    lock = _acquired(folder)
    try:
        yield
    finally:
        if os.name == "posix":  # elsewhere a file that is open cannot be removed, and the lock's release removes it
            (folder / LOCK).unlink(missing_ok=True)
        lock.release()


def _acquired(folder: Path) -> BaseFileLock:
    with writing(folder):
        try:
            lock = FileLock(folder / LOCK, timeout=LEAVING, fallback_to_soft=False, on_acquired=_sign)
            lock.acquire()
            return lock
        except Timeout:
            raise BadInput(_taken(folder, folder / LOCK, "wait for its end, or give another --out")) from None
        except OSError as fault:
            if fault.errno not in NO_LOCKS:
                raise
        try:
            marker = SoftFileLock(folder / MARKER, timeout=LEAVING)
            marker.acquire()
            return marker
        except Timeout:
            advice = f"wait for its end, or, if it runs no more, remove {folder / MARKER}"
            raise BadInput(_taken(folder, folder / MARKER, advice)) from None


def _taken(folder: Path, lock: Path, advice: str) -> str:
    return f"{folder}: another batch is writing there ({_holder(lock)}); {advice}"


def _sign(descriptor: int) -> None:
    """Say in the lock's own file who holds it."""
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} on {platform.node()}\n".encode())


def _holder(path: Path) -> str:
    try:
        said = path.read_text(encoding="utf-8", errors="replace").strip() or "just started"
    except OSError:  # gone by now, or of a system where a held file cannot be read
        return "it does not say which"
    number, *rest = said.splitlines()  # a marker holds the process and the machine in lines of their own
    return f"process {number} on {rest[0]}" if rest else number


def replace_result(out: Path, files: Mapping[str, Iterable[bytes]]) -> None:
    """Put a whole result folder in the place of an old one (or none): written beside it, then swapped."""
    prepare_out(out)
    out = out.resolve()
    held = sorted(entry.name for entry in out.iterdir() if entry.name not in (*RESULT_FILES, LOCK, MARKER))
    of_batch = _of_batch(out) or bool(unfinished(out))
    if held or of_batch:
        what = "a batch" if of_batch else repr(held[0])
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
        for name in (LOCK, MARKER):
            (beside / name).unlink(missing_ok=True)
    return beside
