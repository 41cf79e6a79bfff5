"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sim.errors import BadInput

WRITTEN = ".written"  # the names of the files that studies and comparisons have put into a folder
FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
NO_FOLDER_SYNC = {errno.EINVAL, errno.EBADF, getattr(errno, "ENOTSUP", errno.EINVAL)}  # of some network file systems


def write_aside(path: Path, content: Iterable[bytes]) -> None:
    """Write a file beside its place, make sure that it is on the disk, and only then move it there."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.aside")
    try:
        aside.unlink(missing_ok=True)  # never written through, should it be a link
        with aside.open("xb") as file:
            for piece in content:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    keep_folder(path.parent)


def write_ours(folder: Path, texts: Mapping[str, str | bytes]) -> None:
    """Write files into a folder, each aside and then moved into place; a hidden list there says which are ours.

    Raises BadInput and writes nothing where one of them is there already and not on that list.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        listed = folder / WRITTEN
        is_ours = listed.is_file() and not listed.is_symlink()
        known = set(listed.read_text(encoding="utf-8", errors="replace").splitlines()) if is_ours else set()
        if foreign := sorted(name for name in texts if name not in known and os.path.lexists(folder / name)):
            raise BadInput(
                f"{folder / foreign[0]}: is there already and was not written by this program; "
                "move it away, or give another --out"
            )
        write_aside(listed, [f"{name}\n".encode() for name in sorted(known | texts.keys())])
        for name, text in texts.items():
            write_aside(folder / name, [text if isinstance(text, bytes) else text.encode()])


def keep_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk (a file may be, while its name is not)."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


@contextmanager
def writing(path: Path, advice: str = "give another --out") -> Iterator[None]:
    """No permission, no space: what the system refuses becomes a sentence."""
    try:
        yield
    except OSError as fault:
        reason = "there is no space left" if fault.errno in FULL else fault.strerror or fault
        raise BadInput(f"{fault.filename or path}: cannot be written: {reason}; {advice}") from None
