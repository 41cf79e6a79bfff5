"""Every command of README and docs/, in order, in a clean clone, as a newcomer would type it.

Those of docs/how-to/ are followed by a test of their own, with what they say that comes out.
"""

import csv
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from support.pages import FOLLOWED, INSTEAD, LINES, MAY_END_WITH_1, OBSERVATIONS, SERVERS, saved
from support.paths import ROOT

pytestmark = pytest.mark.long
LIMIT = 1500  # seconds for a command
# What a command leaves behind, and what it says, by a pattern of the command.
LEAVES = {
    "batch policy-grid": ["results/policy-grid/runs.csv", "results/policy-grid/series.csv"],
    "study report two-by-two": ["results/two-by-two/report.html", "experiments/two-by-two.md"],
    "run historic": ["results/historic-2-*/series.csv"],
    "rerun policy-grid": ["results/policy-grid-published-2020-80-0-3/series.csv"],
    "study review historic": ["results/review/review.csv"],
    "view --export": ["page/index.html", "page/learn.html"],
    "study sensitivity": ["results/drivers/sensitivity.csv", "results/drivers/sensitivity.svg"],
    "study search": ["results/least-cost/front.csv", "results/least-cost/front/runs.csv"],
    "study validate": ["results/validation/figures.csv", "results/validation/validation.md"],
}
SAYS = {
    "compare no-controls historic$": "the domestic supply share at the end is",
    "rerun policy-grid": "the same to the last bit",
    "study discover": "runs reach domestic_supply_share@2030 >= 0.25",
    "study search": "that nothing beats",
    "view --get-assets": "front-end files",
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newcomer") / "decoupling-race"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    for page in FOLLOWED:
        for file, text in saved(page).items():
            (folder / file).write_text(text)
    shutil.copyfile(ROOT / OBSERVATIONS, folder / "FILE")  # the reader's
    return folder


def environment():
    """Nothing of the environment that this test runs in."""
    return {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}


def serves(line: str, folder: Path) -> None:
    """A server answers on localhost until it is ended."""
    server = subprocess.Popen(
        ["bash", "-c", line], cwd=folder, env=environment(), start_new_session=True, stderr=subprocess.PIPE
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen("http://127.0.0.1:8765/", timeout=10) as page:
                    assert page.status == 200 and b"<html" in page.read()
                    return
            except OSError:
                assert time.monotonic() < until and server.poll() is None, f"{line}: does not answer"
                time.sleep(0.5)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=30)


@pytest.mark.parametrize("line", LINES)
def test_a_command_does_what_is_said(line, clone):
    line, _ = INSTEAD.get(line, (line, ""))
    if any(server in line for server in SERVERS):
        serves(line, clone)
        return
    done = subprocess.run(
        ["bash", "-c", line], cwd=clone, env=environment(), capture_output=True, text=True, timeout=LIMIT
    )
    allowed = (0, 1) if any(word in line for word in MAY_END_WITH_1) else (0,)
    assert done.returncode in allowed, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "Traceback" not in done.stderr
    for part, files in LEAVES.items():
        if re.search(f"decoupling {part}", line):
            assert [name for name in files if not list(clone.glob(name))] == []
    for part, words in SAYS.items():
        if re.search(f"decoupling {part}", line):
            assert words in done.stdout + done.stderr


def test_the_first_command_ran_800_runs(clone):
    with (clone / "results/policy-grid/runs.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done"] * 800


def test_the_answer_came_out_as_it_is_committed(clone):
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no"], cwd=clone, capture_output=True, text=True, check=True
    )
    assert changed.stdout == ""


def test_what_is_run_instead_is_asked_for():
    assert [line for line in INSTEAD if line not in LINES] == []
    assert all(any(re.search(f"decoupling {part}", line) for line in LINES) for part in (*LEAVES, *SAYS))
    assert all(any(server in line for line in LINES) for server in SERVERS)
