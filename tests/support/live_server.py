"""A server of the live page, as a user starts and ends it."""

import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from support.processes import started

from sim.live.assets import missing_assets


def view(*arguments, env=None):
    command = [sys.executable, "-m", "sim", "view", *arguments]
    return started(command, stdout=subprocess.PIPE, env=env)


@contextmanager
def served(*arguments, env=None):
    """A server and its address; ended as a user does, by an interrupt."""
    server = view("--port", "0", *arguments, env=env)
    lines = []
    for line in server.stderr:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    address = re.search(r"http://[^/]+:\d+/", lines[-1]) if lines else None
    assert address, "".join(lines)
    try:
        yield address.group(), "".join(lines)
    finally:
        server.send_signal(signal.SIGINT)
        _, error = server.communicate(timeout=30)
    assert server.returncode == 130, error
    assert "Traceback" not in error and "Error" not in error and "Warning" not in error, error


def get_missing_assets():
    """The page's front-end files are got once, through npm; without it what needs them is skipped."""
    if missing_assets() and shutil.which("npm") is None:
        pytest.skip("the page's front-end files are missing, and so is npm to get them")
    if missing_assets():
        subprocess.run([sys.executable, "-m", "sim", "view", "--get-assets"], check=True, capture_output=True)
