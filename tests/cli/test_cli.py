"""The verbs as a user meets them: what goes to which stream, which files appear, how an interrupt ends."""

import csv
import json
import signal
import subprocess
import sys
import time
import tomllib
from io import StringIO

import pytest
from support.paths import ROOT
from support.processes import started

from sim.experiment.file import known_experiments
from sim.measures import HEADLINE
from sim.scenario.loading import known_configs, load_config
from sim.world.world import load_world


def test_a_run_prints_a_yearly_table_and_leaves_three_files(answer, tmp_path):
    code, out, err = answer("run", "published-2020", "--until", 2022, "--out", tmp_path / "run")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["year", "2020", "2021", "2022"]
    assert [line.split()[0] for line in lines[1:]] == list(HEADLINE)
    assert err == f"{tmp_path / 'run'}: runs.csv, series.csv, manifest.json\n"
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["manifest.json", "runs.csv", "series.csv"]
    with (tmp_path / "run/series.csv").open() as file:
        assert [row["date"] for row in csv.DictReader(file)][::4] == ["2020-03-31", "2021-03-31", "2022-03-31"]


def test_the_home_folder_is_meant_where_the_shell_leaves_it_alone(answer, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    code, _, err = answer("run", "published-2020", "--until", 2020, "--out=~/mine")
    assert code == 0 and err.startswith(f"{tmp_path / 'mine'}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    code, _, err = answer("run", "published-2020", "--until", 2020, "--out=~nobody-of-this-name/mine")
    assert code == 2 and "no such home folder is known" in err


def test_the_same_run_again_has_the_same_bytes(answer, tmp_path):
    kept = []
    for every in ("year", "quarter", "year"):
        code, *_ = answer("run", "historic", "--seed", 3, "--until", 2021, "--every", every, "--out", tmp_path / "run")
        assert code == 0
        kept.append([(tmp_path / "run" / name).read_bytes() for name in ("runs.csv", "series.csv")])
    assert kept[0] == kept[2] and kept[0][1] != kept[1][1] and kept[0][0] == kept[1][0]


def test_tables_as_csv_and_json_hold_the_same(answer, tmp_path):
    run = ["run", "published-2020", "--until", 2021, "--out", tmp_path / "run", "--format"]
    _, as_csv, _ = answer(*run, "csv")
    _, as_json, _ = answer(*run, "json")
    rows = list(csv.DictReader(StringIO(as_csv)))
    objects = json.loads(as_json)
    assert [row["year"] for row in rows] == [entry["year"] for entry in objects] == ["2020", "2021"]
    for row, entry in zip(rows, objects, strict=True):
        for name in HEADLINE:
            assert (float(row[name]) if row[name] else None) == entry[name]
    assert objects[0]["subsidy_per_point"] is None  # nothing was spent


def test_set_changes_what_is_run(answer, tmp_path):
    spent = "subsidy_spent"
    arguments = ["run", "historic", "--set", "subsidy.annual=200", "--set", "subsidy.allocation=leader"]
    code, out, _ = answer(*arguments, "--until", 2020, "--format", "json", "--out", tmp_path / "run")
    assert code == 0 and json.loads(out)[0][spent] == pytest.approx(200)
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert '"leader"' in json.dumps(manifest)


@pytest.mark.parametrize(
    ("what", "first"),
    [
        ("configs", known_configs()),
        ("parameters", list(load_world("china-2020").parameters)),
        ("measures", None),
        ("experiments", known_experiments()),
    ],
)
def test_list_shows_all_there_is(answer, what, first):
    code, out, err = answer("list", what, "--format", "csv")
    rows = list(csv.reader(StringIO(out)))[1:]
    assert code == 0 and err == ""
    assert first is None or [row[0] for row in rows] == first
    assert all(len(row) == len(rows[0]) for row in rows)
    table = answer("list", what)[1].splitlines()
    assert len(table) == len(rows) + 1


def test_check_says_what_a_thing_is(answer):
    code, out, err = answer("check", "historic", "policy-grid", "china-2020")
    assert code == 0 and err == ""
    assert out.splitlines() == [
        "historic: a config without faults",
        "policy-grid: an experiment without faults, 800 runs",
        "china-2020: a world without faults",
    ]


@pytest.mark.parametrize("verb", ["run", "rerun", "batch", "compare", "view", "check", "show", "list"])
def test_every_verb_has_help(answer, verb):
    code, out, _ = answer(verb, "--help")
    assert code == 0 and f"decoupling {verb}" in out and verb in answer("--help")[1]


def test_a_closed_pipe_leaves_no_traceback():
    command = f"{sys.executable} -m sim list measures | head -1"  # more than a pipe holds
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert said.stderr == "" and said.stdout.startswith("measure")


def interrupted(arguments, begun):
    """Start the program, interrupt it as Ctrl-C does once `begun` is true; exit code and standard error."""
    program = started([sys.executable, "-m", "sim", *arguments])
    end = time.monotonic() + 60
    while not begun() and program.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    program.send_signal(signal.SIGINT)
    said = program.communicate(timeout=60)[1]
    return program.returncode, said


def test_an_interrupted_batch_keeps_what_was_finished_and_goes_on(tmp_path, answer):
    experiment = tmp_path / "long.toml"
    experiment.write_text('question = "Is it kept?"\nconfigs = ["historic"]\nreplications = 2000\n')
    out = tmp_path / "out"
    arguments = ["batch", str(experiment), "--out", str(out), "--workers", "1"]
    code, said = interrupted(arguments, lambda: len(list(out.glob(".blocks-*/*"))) > 3)
    assert code == 130 and "Traceback" not in said and "what is finished is kept" in said
    assert not (out / "runs.csv").exists()
    kept = len(list(out.glob(".blocks-*/*")))
    assert kept >= 3
    shorter = experiment.read_text().replace("2000", "1999")
    experiment.write_text(shorter)
    code, _, err = answer(*arguments)
    assert code == 2 and "replications" in err
    assert len(list(out.glob(".blocks-*/*"))) == kept


def test_an_interrupted_run_leaves_nothing_behind(tmp_path):
    run = ["run", "synthetic", "--set", "synthetic.firms=10000", "--out", str(tmp_path / "out")]  # takes ten seconds
    started = time.monotonic()
    code, said = interrupted(run, lambda: time.monotonic() > started + 1.2)
    assert code == 130 and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("verb", "late"),
    [
        ("check historic", {"numpy"}),
        ("check policy-grid", {"numpy"}),
        ("list", {"numpy"}),
        ("list parameters", {"numpy"}),
        ("list events", {"numpy"}),
        ("list experiments", set()),
    ],
)
def test_an_answer_does_not_wait_for_large_libraries(verb, late, tmp_path):
    """In a folder without configs/: what ships is known to be sound, and what lies nearer is tried."""
    large = {"mesa", "pandas", "scipy", "SALib", "matplotlib", "solara"} | late
    work = f"""
import sys
from sim.cli import app
app({verb.split()!r}, standalone_mode=False)
print(*{large!r}.intersection(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", work], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == []


def test_a_batch_of_one_run_waits_for_what_it_needs_alone(tmp_path):
    """Not for what compares results, draws them or draws samples."""
    (tmp_path / "one.toml").write_text('question = "?"\nconfigs = ["historic"]\nreplications = 1\n')
    needless = {"SALib", "matplotlib", "solara", "sim.compare.results", "sim.experiment.answer"}
    work = f"""
import sys
from sim.cli import app
app(["batch", "one.toml"], standalone_mode=False)
print(*{needless!r}.intersection(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", work], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == []


@pytest.mark.parametrize("name", ["historic", "policy-grid", "calibration"])
def test_show_prints_the_file_as_it_is(answer, name):
    folder = ROOT / ("configs" if name == "historic" else "experiments")
    code, out, err = answer("show", name)
    assert (code, out, err) == (0, (folder / f"{name}.toml").read_text(encoding="utf-8"), "")


def test_show_copies_a_world_or_a_file_and_writes_nothing_over(answer, tmp_path):
    world, config = tmp_path / "new/my-world", tmp_path / "mine.toml"
    assert answer("show", "china-2020", "--out", world) == (0, "", f"{world}: a copy of china-2020\n")
    given = ROOT / "configs/worlds/china-2020"
    assert {p.name: p.read_bytes() for p in world.iterdir()} == {p.name: p.read_bytes() for p in given.iterdir()}
    assert answer("show", "historic", "--out", config)[:2] == (0, "")
    assert config.read_bytes() == (ROOT / "configs/historic.toml").read_bytes()
    for name, out in (("china-2020", world), ("historic", config), ("historic", world), ("china-2020", config)):
        code, said, err = answer("show", name, "--out", out)
        assert (code, said) == (2, "") and "is there already" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml", "new"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["my-world"]


@pytest.mark.parametrize("name", known_configs())
def test_a_resolved_config_extends_nothing_and_is_the_same_scenario(answer, tmp_path, name):
    code, out, err = answer("show", name, "--resolved")
    path = tmp_path / "mine.toml"
    path.write_text(out)
    assert code == 0 and err == "" and "extends" not in tomllib.loads(out)
    whole, given = load_config(path), load_config(name)
    assert (whole.hash, whole.events, whole.purpose) == (given.hash, given.events, given.purpose)


def test_a_resolved_config_holds_a_given_market(answer, tmp_path):
    given = 'purpose = "Given"\nextends = "historic"\n[demand.market_bn_usd]\n2021 = 186.5\n'
    (tmp_path / "given.toml").write_text(given)
    (tmp_path / "whole.toml").write_text(answer("show", tmp_path / "given.toml", "--resolved")[1])
    assert load_config(tmp_path / "whole.toml").observed("demand.market_bn_usd") == {"2021": 186.5}
    assert load_config(tmp_path / "whole.toml").hash == load_config(tmp_path / "given.toml").hash
