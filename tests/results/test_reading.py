"""The one reader of results: what it says of a result that another program or another world made."""

import json

import pytest
from support.made_results import manifest, signed
from typer.testing import CliRunner

from sim.cli import app
from sim.results.manifest import Manifest
from sim.results.provenance import program_files, program_hash
from sim.results.reading import ResultFolder
from sim.study.outcomes import say_changes
from sim.world.world import load_world


def made_by(files, tmp_path):
    """A result of a program with these files besides or instead of ours."""
    changes = {"program": {**program_files(), **files}, "program_hash": "bb" if files else program_hash()}
    return ResultFolder(tmp_path, Manifest.model_validate(manifest(**changes)))


def test_this_program_is_no_other(tmp_path):
    assert made_by({}, tmp_path).other_program == ""


def test_another_program_is_told_by_the_files_that_differ(tmp_path):
    one = made_by({"model.py": "00"}, tmp_path)
    assert one.other_program == f"{tmp_path}: was made by another state of the program (model.py differs)"
    files = dict.fromkeys(("model.py", "cli.py", "gone.py", "schedule.py", "accounts.py"), "00")
    assert made_by(files, tmp_path).other_program.endswith(
        "another state of the program (accounts.py, cli.py, gone.py and 2 more differ)"
    )


@pytest.mark.parametrize(("hash", "said"), [("own", []), ("aa", ["{}: its world china-2020 has changed since"])])
def test_a_world_that_has_changed_is_told(tmp_path, capsys, hash, said):
    world = load_world("china-2020")
    kept = {**manifest()["worlds"]["chips"], "hash": world.hash if hash == "own" else hash}
    content = manifest(worlds={"china-2020": kept}, program_hash=program_hash(), program=dict(program_files()))
    content["scenarios"]["historic"]["world"] = "china-2020"
    say_changes(ResultFolder(tmp_path, Manifest.model_validate(content)), world)
    assert capsys.readouterr().err.splitlines() == [sentence.format(tmp_path) for sentence in said]


def test_a_verb_that_runs_a_result_again_tells_it(tmp_path):
    """study review of a run by another program: noted, and done all the same."""
    out = tmp_path / "run"
    run = ["run", "no-controls", "--until", "2020", "--out", str(out)]
    assert CliRunner().invoke(app, run).exit_code == 0
    said = CliRunner().invoke(app, ["study", "review", str(out), "--format", "csv"])
    assert said.exit_code == 0 and "another state" not in said.stderr and "has changed" not in said.stderr
    content = json.loads((out / "manifest.json").read_text())
    content["program_hash"], content["program"]["model.py"] = "bb", "00"
    content["worlds"]["china-2020"]["hash"] = "aa"
    (out / "manifest.json").write_text(signed(content))
    again = CliRunner().invoke(app, ["study", "review", str(out), "--format", "csv"])
    assert again.exit_code == 0 and again.stdout == said.stdout
    assert f"{out}: was made by another state of the program (model.py differs)" in again.stderr
    assert f"{out}: its world china-2020 has changed since" in again.stderr
