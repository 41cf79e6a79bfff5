"""Benchmarks run on the program as it is: each finds all that it imports."""

import subprocess
import sys

import pytest
from support.paths import ROOT

BENCHMARKS = sorted((ROOT / "tests/bench").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_finds_what_it_imports(path):
    assert len(BENCHMARKS) >= 4
    folders = [str(path.parent), str(ROOT / "tests")]
    code = f"import runpy, sys; sys.path[:0] = {folders}; runpy.run_path({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
