"""What the README tells a newcomer to do."""

import re
from pathlib import Path

import pytest

from sim.cli import app
from sim.experiment import known_experiments
from sim.scenario import known_configs, load_config

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


def test_the_python_example_runs(capsys):
    (example,) = blocks("python")
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert len(names["series"]) == 64
    assert names["series"].index[[0, -1]].tolist() == ["2020-03-31", "2035-12-31"]
    # The world's sales of integrated circuits in 2020 were 361 bn dollars at 6.9 yuan; a quarter of it, and some room.
    assert 623 < names["capacity"] < 800
    assert re.fullmatch(r"0\.1\d\d in 2020-Q1, 0\.\d{3} in 2035-Q4\n", capsys.readouterr().out)


def test_the_config_example_is_one(tmp_path):
    (example,) = blocks("toml")
    path = tmp_path / "truce.toml"
    path.write_text(example)
    assert load_config(path).events[-1].kind == "truce"


@pytest.mark.parametrize("command", [line for line in COMMANDS if "decoupling" in line])
def test_commands_name_what_there_is(command):
    verb, *words = command.partition("decoupling ")[2].split()
    verbs = {entry.name or entry.callback.__name__ for entry in app.registered_commands}
    assert verb in verbs
    known = {*known_configs(), *known_experiments(), "FILE"}
    for word in words:
        assert word.startswith("--") or "=" in word or word in known


def test_ci_runs_the_line_that_the_readme_gives():
    (line,) = [line for line in COMMANDS if line.endswith("&& uv run pytest -q")]
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == line


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
