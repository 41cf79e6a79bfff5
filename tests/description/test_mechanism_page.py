"""The walk through adding a mechanism, applied to a copy of the project."""

import os
import shutil
import subprocess
import sys

import pytest
from support.paths import ROOT

from sim.description.how_to import blocks, changed

PAGE = {block.language: block for block in blocks((ROOT / "docs/how-to/mechanism.md").read_text())}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with the example's own text put in; and the files that it touched."""
    root = tmp_path_factory.mktemp("copy") / "project"
    for folder in ("sim", "configs", "docs", "experiments", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    before = contents(root)
    evidence, rule = root / "configs/evidence/parameters.toml", root / PAGE["diff"].file
    evidence.write_text(f"{evidence.read_text()}\n{PAGE['toml'].text}")
    rule.write_text(changed(rule.read_text(), PAGE["diff"].text))
    (root / PAGE["python"].file).write_text(PAGE["python"].text)
    return root, before


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(root, *words, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "DECOUPLING_HOME": str(root)}
    return subprocess.run([sys.executable, *words], cwd=cwd or root, env=environment, capture_output=True, text=True)


def test_the_example_works_as_it_is_written(copy):
    root, before = copy
    for command in [line for line in PAGE["sh"].text.splitlines() if line]:
        words = command.removeprefix("uv run ").split()
        words = words[1:] if words[0] == "python" else ["-m", *words, "-p", "no:cacheprovider"]
        done = run(root, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    after = contents(root)
    touched = {str(path) for path in after if after[path] != before.get(path)}
    assert touched == {
        "configs/evidence/parameters.toml",
        "sim/agents/supplier.py",
        "tests/test_forgetting.py",
        "docs/model/odd.md",
    }


def test_the_example_is_not_in_the_project_already():
    assert "forgetting" not in (ROOT / "configs/evidence/parameters.toml").read_text()
