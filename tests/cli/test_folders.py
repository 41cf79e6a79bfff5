"""Where a name is looked up: the working folder, then $DECOUPLING_HOME, then what ships."""

import json
import subprocess
import sys

import pytest

from sim import BadInput, cli, load_config, load_experiment, load_world
from sim.description import document as documents
from sim.folders import CONFIGS, SHIPPED, find, known, places, result_path
from sim.results import provenance
from sim.scenario import loading
from sim.scenario.loading import known_configs


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """A working folder and a $DECOUPLING_HOME: each with a config of its own, and one called `shared` in both."""
    for home in ("here", "there"):
        (tmp_path / home / "configs").mkdir(parents=True)
        for name in (home, "shared"):
            text = f'purpose = "Of {home}"\nextends = "neutral"\n'
            (tmp_path / home / "configs" / f"{name}.toml").write_text(text)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("DECOUPLING_HOME", str(tmp_path / "there"))
    return tmp_path


def test_the_nearest_is_taken(homes):
    assert load_config("shared").purpose == "Of here"
    assert load_config("there").purpose == "Of there"
    assert load_config("historic").file == str(SHIPPED / "configs/historic.toml")
    assert places(CONFIGS) == [homes / "here/configs", homes / "there/configs", SHIPPED / "configs"]


def test_all_places_are_listed_without_doubles(homes):
    assert {"here", "there", "shared", "historic"} <= set(known_configs())
    assert known_configs() == sorted(set(known_configs()))
    assert find(CONFIGS, "nowhere.toml") is None


def test_a_world_of_the_working_folder_is_known_by_its_name(homes):
    (homes / "here/configs/worlds").mkdir()
    (homes / "here/configs/worlds/mine").symlink_to(SHIPPED / "configs/worlds/crop-seeds")
    assert {"mine", "china-2020"} <= set(known("configs/worlds"))
    assert load_config("neutral", {"world": "mine"}).world.hash == load_world("crop-seeds").hash


def test_an_unknown_name_lists_the_known_ones(homes):
    for load, known_one in ((load_config, "there"), (load_experiment, "policy-grid")):
        with pytest.raises(BadInput, match=rf"nothing: there is no such \w+.*known \w+ are .*{known_one}"):
            load("nothing")


def test_where_there_is_none_at_all_the_places_are_said(homes, monkeypatch):
    monkeypatch.setattr(loading, "known_configs", list)
    with pytest.raises(BadInput, match=f"nor any other in {homes}/here/configs, {homes}/there/configs, "):
        load_config("nothing")


def test_results_lie_in_the_working_folder(homes):
    assert result_path("old") == homes / "here/results/old"
    (homes / "here/old").mkdir()
    assert str(result_path("old")) == "old"


def test_the_commit_is_the_program_s_and_not_that_of_where_one_stands(homes, monkeypatch):
    subprocess.run(["git", "init", "-q"], check=True)
    identity = ["-c", "user.name=me", "-c", "user.email=me@here", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, "commit", "-qm", "mine", "--allow-empty"], check=True)
    mine = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert json.dumps(provenance.run_info(0.0, 1)).find(mine) == -1
    monkeypatch.setattr(provenance, "CHECKOUT", homes / "here")
    assert provenance.run_info(0.0, 1)["git_commit"] == mine
    monkeypatch.setattr(provenance, "CHECKOUT", None)  # installed
    assert provenance.run_info(0.0, 1)["git_commit"] is None


def test_documents_are_written_in_a_clone_alone(monkeypatch):
    monkeypatch.setattr(documents, "CHECKOUT", None)
    with pytest.raises(SystemExit, match="odd.md: belongs to a clone of the project"):
        documents.document("docs/model/odd.md")


def test_an_experiment_of_another_program_is_no_end_of_the_list(homes, monkeypatch, capsys):
    (homes / "here/experiments").mkdir()
    (homes / "here/experiments/theirs.toml").write_text('protocol = "another"\n')
    monkeypatch.setattr(sys, "argv", ["decoupling", "list", "experiments"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert end.value.code == 0 and "policy-grid" in said.out and "theirs.toml: question is missing" in said.err
