"""The walk through adding a mechanism, applied to a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
WALK = TEXT[TEXT.index("## A mechanism in four files") : TEXT.index("## An answer")]


def block(language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", WALK, re.DOTALL)
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with the example's own text put in; and the files that it touched."""
    root = tmp_path_factory.mktemp("copy") / "project"
    for folder in ("sim", "configs", "experiments", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    before = contents(root)
    evidence, rule = root / "configs/evidence/parameters.toml", root / "sim/agents/supplier.py"
    evidence.write_text(f"{evidence.read_text()}\n{block('toml')}")
    text = rule.read_text()
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", block("diff"), re.MULTILINE):
        removed, added = (re.sub("^.", "", part, flags=re.MULTILINE) for part in (old, new))
        assert text.count(removed) == 1, removed
        text = text.replace(removed, added)
    rule.write_text(text)
    (root / "tests/test_forgetting.py").write_text(block("python"))
    return root, before


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(root, *words):
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "DECOUPLING_HOME": str(root)}
    return subprocess.run([sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True)


def test_the_example_works_as_it_is_written(copy):
    root, before = copy
    for command in [line for line in block("sh").splitlines() if line]:
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
        "sim/ODD.md",
    }


def test_the_example_is_not_in_the_project_already():
    assert "forgetting" not in (ROOT / "configs/evidence/parameters.toml").read_text()
