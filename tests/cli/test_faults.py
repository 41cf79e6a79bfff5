"""Exit codes: a fault of the program has one of its own, and says where its trace is and how to report it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sim import __main__, checking, cli
from sim.model import DecouplingModel


@pytest.fixture
def ended(monkeypatch, capsys, tmp_path):
    """Run the program by its own door, with the temporary folder in the test's own: (code, out, err)."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["decoupling", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            __main__.main()
        return end.value.code, *capsys.readouterr()

    return run


def fault_in(*_):
    raise ZeroDivisionError("one by\nnothing \x1b[2J")


@pytest.mark.parametrize("verb", [["run", "published-2020"], ["check", "historic"], ["study", "review"]])
def test_a_fault_is_one_sentence_with_the_place_of_its_trace(ended, monkeypatch, tmp_path, verb):
    monkeypatch.setattr(DecouplingModel, "step", fault_in)
    monkeypatch.setattr(checking, "checked", fault_in)
    code, out, err = ended(*verb, *(["--out", tmp_path / "out"] if verb[0] == "run" else []))
    assert (code, out) == (70, "") and len(err.splitlines()) == 1
    assert "ZeroDivisionError: one by nothing \\x1b[2J" in err and "open an issue" in err
    [trace] = tmp_path.glob("decoupling-fault-*.txt")
    assert str(trace) in err
    assert "fault_in" in trace.read_text() and str(verb[0]) in trace.read_text() and "Python" in trace.read_text()


def test_a_fault_is_told_where_no_trace_can_be_written(ended, monkeypatch, tmp_path):
    monkeypatch.setattr(checking, "checked", fault_in)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    code, _, err = ended("check", "historic")
    assert code == 70 and len(err.splitlines()) == 1 and "cannot be written" in err


@pytest.mark.parametrize(("fault", "code"), [(KeyboardInterrupt, 130), (MemoryError, 70), (RecursionError, 70)])
def test_other_ends_keep_their_codes(ended, monkeypatch, fault, code):
    def end(*_):
        raise fault

    monkeypatch.setattr(checking, "checked", end)
    assert ended("check", "historic")[0] == code


def test_a_reader_that_leaves_is_no_gate():
    # More than a pipe holds, so that the writer is still writing when nobody reads any more.
    command = f"{sys.executable} -m sim list measures | head -c 10; echo :${{PIPESTATUS[0]}}"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert said.stdout.endswith(f":{cli.NOBODY_READS}\n") and said.stderr == ""


def test_a_terminal_without_utf_8_shows_what_it_can():
    command = [sys.executable, "-m", "sim", "list", "parameters"]
    given = {"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"}
    said = subprocess.run(command, capture_output=True, env=given, cwd=Path(cli.__file__).parents[1], timeout=60)
    assert said.returncode == 0 and said.stdout.isascii() and said.stdout


def test_a_fault_leaves_no_empty_folder(ended, monkeypatch, tmp_path):
    monkeypatch.setattr(DecouplingModel, "step", fault_in)
    assert ended("run", "published-2020", "--out", tmp_path / "out")[0] == 70
    assert ended("batch", "policy-grid", "--cluster", "", "--out", tmp_path / "out")[0] == 2
    assert not (tmp_path / "out").exists()
