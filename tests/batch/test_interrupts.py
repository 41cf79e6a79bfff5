"""Ctrl-C at any moment: the exit code of an interrupt, and no traceback from any process."""

import os
import signal
import subprocess
import sys
import time

import pytest
from support.processes import started

QUIET = (130, -signal.SIGINT)  # a shell calls both 130


def interrupted(arguments, seconds):
    """What a process and its children say when a terminal interrupts all of them after a while."""
    command = [sys.executable, "-m", "sim", *arguments]
    process = started(command, stdout=subprocess.DEVNULL, start_new_session=True)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    return process.returncode, said


def test_an_interrupt_while_the_program_imports_is_quiet():
    script = (
        "import sys, sim.__main__\n"
        "class Pressed:\n"
        "    def find_spec(self, name, *more):\n"
        "        if name == 'typer':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "sim.__main__.main()\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "")


@pytest.mark.parametrize("seconds", [1.5, 2.5])
def test_an_interrupted_batch_has_no_traceback_of_a_child(tmp_path, seconds):
    code, said = interrupted(["batch", "policy-grid", "--workers", "2", "--out", str(tmp_path / "out")], seconds)
    assert code in QUIET and "Traceback" not in said
