"""What the README asks a newcomer to do."""

import re
import shlex

import pytest
from support.paths import ROOT

from sim.cli import app
from sim.experiment.experiment import known_experiments, load_experiment
from sim.scenario.loading import known_configs, load_config
from sim.study.commands import study
from sim.study.search.file import load_search

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


def test_the_config_examples_are_some(tmp_path):
    given, truce = [block for block in blocks("toml") if "question" not in block]
    path = tmp_path / "mine.toml"
    path.write_text(truce)
    assert load_config(path).events[-1].kind == "truce"
    path.write_text(given)
    assert load_config(path).observed("demand.market_bn_usd") == {"2021": 186.5}


def test_the_experiment_example_is_one(tmp_path):
    example, _ = [block for block in blocks("toml") if "question" in block]
    path = tmp_path / "example.toml"
    path.write_text(example)
    experiment = load_experiment(path)
    assert len(experiment) == 200 * 10 * len(experiment.parameter_sets)


def test_the_example_of_a_search_is_one_of_ten_lines(tmp_path):
    _, example = [block for block in blocks("toml") if "question" in block]
    path = tmp_path / "example.toml"
    path.write_text(example)
    search = load_search(path)
    assert len(example.splitlines()) == 10 and search.runs == 12 * 20 * 24
    assert search.aims == load_search("least-cost").aims


def test_the_example_for_slurm_is_python():
    (example,) = blocks("py")
    compile(example, "README.md", "exec")


@pytest.mark.parametrize("command", [line for line in COMMANDS if "decoupling" in line])
def test_commands_name_what_there_is(command):
    verb, *words = shlex.split(command.partition("decoupling ")[2])
    commands = app.registered_commands
    if verb == "study":
        verb, *words = words
        commands = study.registered_commands
    assert verb in {entry.name or entry.callback.__name__ for entry in commands}
    known = {*known_configs(), *known_experiments(), "FILE"}
    if verb == "rerun":
        known |= {run.run_id for run in load_experiment(words[0]).runs()}
    for option, word in zip(["", *words], words, strict=False):
        if option in ("--measure", "--target", "--cluster", "--allow", "--root-path", "--export"):
            continue
        assert word.startswith("--") or "=" in word or word in known


def test_ci_runs_the_line_that_the_readme_gives():
    (line,) = [line for line in COMMANDS if line.endswith("uv run python tests/check.py")]
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == line


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
