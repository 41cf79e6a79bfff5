"""Trials that take minutes; run by a line of their own: pytest -m long."""

import contextlib
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.processes import children, started, wait_until

from sim import DecouplingModel
from sim.scenario.loading import load_config

pytestmark = pytest.mark.long

EXPERIMENT = """
question = "Does killing it leave a trace?"
configs = ["historic", "published-2020"]
replications = 150
[factors]
"controls.severity" = [0.2, 0.8]
"subsidy.annual" = [0, 200]
"""


def batch(experiment, out, workers):
    command = [sys.executable, "-m", "sim", "batch", str(experiment), "--out", str(out), "--workers", str(workers)]
    return started(command, stderr=subprocess.DEVNULL, start_new_session=True)


def test_thirty_kills_leave_no_trace(tmp_path):
    """The parent alone, all processes, or any one of the others, at random moments of batches that are fast to start.

    A finished block is never lost: the files of blocks only become more, until the result takes their place.
    """
    experiment = tmp_path / "kills.toml"
    experiment.write_text(EXPERIMENT)
    assert batch(experiment, tmp_path / "undisturbed", 1).wait() == 0
    out = tmp_path / "killed"
    chance = random.Random(7)
    kills, kept, done = 0, set(), False
    while kills < 30:
        if done:  # one more beside it
            assert same_bytes(out, tmp_path / "undisturbed")
            shutil.rmtree(out)
            kept = set()
        running = batch(experiment, out, 1 + kills % 3)
        time.sleep(chance.uniform(0.5, 6.0))
        victim = chance.choice(["parent", "all", "another"])
        others = set(children(running.pid)) - {running.pid}
        if victim == "another" and others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(sorted(others)), signal.SIGKILL)
            kills += 1
            time.sleep(chance.uniform(0.0, 2.0))
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if victim == "all" else os.kill)(running.pid, signal.SIGKILL)
        done = running.wait() == 0
        kills += 1
        wait_until(lambda pid=running.pid: not children(pid), 60)
        now = {path.name for path in out.glob(".blocks-*/*.block")}
        assert done or (out / "manifest.json").exists() or kept <= now
        kept = now
    assert batch(experiment, out, 2).wait() == 0
    assert same_bytes(out, tmp_path / "undisturbed")


def same_bytes(ours, theirs):
    return all((ours / name).read_bytes() == (theirs / name).read_bytes() for name in ("runs.csv", "series.csv"))


def test_ten_thousand_runs_are_all_there(tmp_path):
    experiment = tmp_path / "many.toml"
    experiment.write_text('question = "Are all there?"\nconfigs = ["historic"]\nreplications = 10000\n')
    assert batch(experiment, tmp_path / "out", 2).wait() == 0
    with (tmp_path / "out/runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["seed"]) for row in rows] == list(range(1, 10001))
    assert {row["status"] for row in rows} == {"done"}


def test_runs_keep_their_bits_in_blocks_of_any_size():
    names = ["historic", "published-2020"]
    for name in names:
        scenario = load_config(name, {"controls.severity": 0.7, "subsidy.annual": 150})
        alone = [DecouplingModel(scenario, seed, record="all").run().to_numpy() for seed in range(1, 9)]
        for size in (2, 3, 8, 64, 200):
            model = DecouplingModel.block([scenario] * size, range(1, size + 1), record="all")
            while model.running:
                model.step()
            _, values = model.recorder.values("quarter")
            for run in range(min(size, 8)):
                assert np.array_equal(values[run], alone[run], equal_nan=True)
