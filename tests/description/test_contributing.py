"""The walk through adding a mechanism, applied to a copy of the project."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from support.paths import ROOT

from sim.scenario.events import KINDS

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
WALK = TEXT[TEXT.index("## A mechanism in four files") : TEXT.index("## An answer")]


POLICY = TEXT[TEXT.index("## A policy and an event") : TEXT.index("## A firm, a world, a chain")]
FIRM = TEXT[TEXT.index("## A firm, a world, a chain") : TEXT.index("## A mechanism in four files")]


def blocks(language, text):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def block(language):
    (found,) = blocks(language, WALK)
    return found


def changed(text, diff):
    """A text in which the lines of a diff with "-" are replaced by those with "+"."""
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", diff, re.MULTILINE):
        removed, added = (re.sub("^.", "", part, flags=re.MULTILINE) for part in (old, new))
        assert text.count(removed) == 1, removed
        text = text.replace(removed, added)
    return text


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project with the example's own text put in; and the files that it touched."""
    root = tmp_path_factory.mktemp("copy") / "project"
    for folder in ("sim", "configs", "docs", "experiments", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    before = contents(root)
    evidence, rule = root / "configs/evidence/parameters.toml", root / "sim/agents/supplier.py"
    evidence.write_text(f"{evidence.read_text()}\n{block('toml')}")
    rule.write_text(changed(rule.read_text(), block("diff")))
    (root / "tests/test_forgetting.py").write_text(block("python"))
    return root, before


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(root, *words, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "DECOUPLING_HOME": str(root)}
    return subprocess.run([sys.executable, *words], cwd=cwd or root, env=environment, capture_output=True, text=True)


def typed(lines, root, cwd):
    """The commands of a block, run in a folder."""
    for line in lines.splitlines():
        if line.startswith("uv run decoupling "):
            words = line.removeprefix("uv run decoupling ").split()
            done = run(root, "-m", "sim", *words, *(["--out", str(cwd / "out")] if words[0] == "run" else []), cwd=cwd)
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            subprocess.run(["bash", "-c", line], cwd=cwd, check=True)


def test_a_policy_and_an_event(tmp_path):
    names = ("mine.toml", "mature.toml", "makers.toml")
    for name, config, commands in zip(names, blocks("toml", POLICY), blocks("sh", POLICY), strict=True):
        assert name in POLICY
        (tmp_path / name).write_text(config)
        typed(commands, ROOT, tmp_path)
    kinds = re.findall(r"`(\w+)`", POLICY[POLICY.index("Kinds of events") :])
    assert set(KINDS) <= set(kinds)


def test_a_firm_in_a_world_of_ones_own(tmp_path):
    (config,), (diff,), (copy, commands) = blocks("toml", FIRM), blocks("diff", FIRM), blocks("sh", FIRM)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    typed(copy, ROOT, tmp_path)
    table = tmp_path / "my-world/chip_firms.csv"
    nexchip = next(line for line in table.read_text().splitlines() if line.startswith("nexchip"))
    (old,) = re.findall(r"^-(.*)$", diff, re.MULTILINE)
    short, new = re.findall(r"^\+(.*)$", diff, re.MULTILINE)
    assert nexchip.startswith(old)
    table.write_text(table.read_text().replace(nexchip, nexchip.replace(old, short) + "\n" + new))
    (tmp_path / "my-world.toml").write_text(config)
    typed(commands, ROOT, tmp_path)


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
        "docs/model/odd.md",
    }


def test_the_example_is_not_in_the_project_already():
    assert "forgetting" not in (ROOT / "configs/evidence/parameters.toml").read_text()
