"""Processes that tests start, watch and interrupt."""

import contextlib
import signal
import subprocess
import time
from pathlib import Path


def started(command, stderr=subprocess.PIPE, **options):
    """A process of its own that Ctrl-C ends, also where the tests ignore it, as they do after `nohup … &`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # exec makes a handler the default again
    try:
        return subprocess.Popen(command, stderr=stderr, text=True, **options)
    finally:
        signal.signal(signal.SIGINT, before)


def children(session):
    """The processes of a session that are still there."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def wait_until(what, seconds=90.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)
