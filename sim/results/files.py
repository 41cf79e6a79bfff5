"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.errors import BadInput

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
