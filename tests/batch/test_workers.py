"""Where workers run: how many there are, and surroundings in which they are hard to start or are asked to end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.batches import EXPERIMENT
from support.processes import children, started, wait_until

from sim.batch import engines, progress, workers
from sim.batch.progress import Progress
from sim.batch.run import run_batch
from sim.errors import BadInput

SCRIPT = "from sim import run_batch\nraise SystemExit(run_batch({experiment!r}, workers=2, out={out!r}))\n"


@pytest.fixture
def question(tmp_path):
    """Three blocks of the model itself, one a config: enough for workers to be started."""
    path = tmp_path / "question.toml"
    path.write_text(EXPERIMENT.replace("REPLICATIONS", "1").replace("configs = [", 'configs = ["historic", '))
    return path


def answer(command, said=None, **surroundings):
    return subprocess.run(
        command, input=said, capture_output=True, text=True, timeout=120, env={**os.environ, **surroundings}
    )


def command(question, out, workers=2):
    return [sys.executable, "-m", "sim", "batch", str(question), "--out", str(out), "--workers", str(workers)]


# How many.


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs processors to be forbidden")
def test_the_processors_that_are_allowed_are_counted():
    one = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{one}}}); from sim.batch import engines; print(engines.processors())"
    assert answer([sys.executable, "-c", code]).stdout == "1\n"


@pytest.mark.parametrize(("text", "count"), [("150000 100000", 1), ("300000 100000", 3), ("50000 100000", 0)])
def test_a_container_may_have_a_part_of_the_processors(tmp_path, text, count, monkeypatch):
    quota = tmp_path / "cpu.max"
    quota.write_text(f"{text}\n")
    monkeypatch.setattr(engines, "QUOTA", quota)
    monkeypatch.setattr(os, "process_cpu_count" if sys.version_info >= (3, 13) else "cpu_count", lambda: 8)
    if sys.version_info < (3, 13):
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert engines.processors() == max(1, count)
    quota.write_text("max 100000\n")
    assert engines.processors() == 8
    quota.unlink()
    assert engines.processors() == 8


def test_the_count_is_checked_in_one_place():
    assert engines.worker_count(3) == 3
    assert engines.worker_count(None, "local:2") == engines.processors()
    with pytest.raises(BadInput, match="--workers = 0: must be a whole number from 1"):
        engines.worker_count(0)
    with pytest.raises(BadInput, match="--workers = 2: .* leave it out with --cluster"):
        engines.worker_count(2, "local:2")


# Surroundings.


def test_a_folder_for_temporary_files_with_a_long_name(question, tmp_path):
    """The server of processes has a socket there, whose name may have 107 letters."""
    deep = tmp_path / ("t" * 110)
    deep.mkdir()
    done = answer(command(question, tmp_path / "out"), TMPDIR=str(deep))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_server_of_processes_new_ones_are_started(question, tmp_path, monkeypatch):
    """As on Windows, where there is none, and on macOS."""
    monkeypatch.setattr(workers.multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    monkeypatch.setattr(workers, "signal", object())  # it holds no signals back
    assert workers.process_context().get_start_method() == "spawn"
    run_batch(question, workers=2, out=tmp_path / "spawned")
    monkeypatch.undo()
    assert workers.process_context().get_start_method() == "forkserver"
    run_batch(question, workers=1, out=tmp_path / "here")
    for name in ("runs.csv", "series.csv"):
        assert (tmp_path / "spawned" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_a_script_needs_no_main_guard(question, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(experiment=str(question), out=str(tmp_path / "out")))
    done = answer([sys.executable, str(script)])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("question: 18 runs") == 1 and "died" not in done.stderr


def test_a_script_may_come_from_standard_input(question, tmp_path):
    done = answer([sys.executable, "-"], SCRIPT.format(experiment=str(question), out=str(tmp_path / "out")))
    assert done.returncode == 0, done.stderr
    assert "died" not in done.stderr


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("whom", ["parent", "all"])
def test_a_batch_that_the_system_ends_keeps_what_is_finished(question, tmp_path, whom):
    path = tmp_path / "long.toml"
    path.write_text(EXPERIMENT.replace("REPLICATIONS", "200"))
    out = tmp_path / "out"
    running = started(command(path, out), start_new_session=True)
    wait_until(lambda: len(list(out.glob(".blocks-*/*.block"))) > 1)
    (os.killpg if whom == "all" else os.kill)(running.pid, signal.SIGTERM)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 143
    assert said.splitlines()[-1] == f"Interrupted: {progress.KEEPING}."
    assert "Traceback" not in said and "leaked" not in said
    wait_until(lambda: not children(running.pid))
    assert len(list(out.glob(".blocks-*/*.block"))) > 1


def test_the_home_folder_may_be_missing(question, tmp_path):
    done = answer(command(question, tmp_path / "out"), HOME="/nowhere", XDG_CACHE_HOME="/nowhere")
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(("question: ", f"{tmp_path}/out: ", "To see it: ")) for line in done.stderr.splitlines())


# Progress.


def test_ten_hours_are_not_thousands_of_lines(monkeypatch, capsys):
    """An answer each second for ten hours; a line each 5 s at first, and at the end one in five minutes."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    said = []
    with Progress("long", 36_000) as shown:
        for second in range(1, 36_001):
            clock[0] = float(second)
            shown.add(1)
            if capsys.readouterr().err:
                said.append(second)
    assert said[:3] == [5, 10, 15]
    assert {late - early for early, late in zip(said[-10:], said[-9:], strict=False)} == {300}
    assert 100 < len(said) < 250


def test_the_default_is_said_in_the_plan(question, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(engines, "processors", lambda: 1)
    run_batch(question, out=tmp_path / "out")
    assert "workers 1)" in capsys.readouterr().err
