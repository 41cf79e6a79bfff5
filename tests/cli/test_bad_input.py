"""What a user can get wrong: one clear sentence, exit 2, nothing written. One malformed file for each fault."""

import errno
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

from sim import cli
from sim.errors import BadInput
from sim.results import output

HERE = Path(__file__).parent / "bad_input"
WORLD = ROOT / "configs/worlds/china-2020"

# What the sentence must name: key, value, what would be right. The file's own name always.
CONFIGS = {
    "config-unknown-key": ["controls.severety", "'controls.severity'"],
    "config-out-of-range": ["controls.severity = 1.5", "from 0 to 1"],
    "config-not-finite": ["controls.severity = nan", "finite"],
    "config-wrong-type": ["subsidy.annual = 'much'", "a number from 0 to 2000 (bn yuan a year)"],
    "config-truth-for-number": ["subsidy.annual = true", "a number"],
    "config-unknown-word": ["controls.mode = 'evnts'", "none, fixed, events", "'events'"],
    "config-value-for-table": ["controls = 5", "a table [controls]"],
    "config-no-purpose": ["purpose is missing"],
    "config-unknown-world": ["world = 'moon'", "china-2020"],
    "config-world-without-name": ["world = '.'", "no such world", "china-2020"],
    "config-synthetic-too-few-firms": ["synthetic.firms = 100", "at least 328"],
    "config-synthetic-of-another-world": ["synthetic.firms", 'world = "synthetic"', "'china-2020'"],
    "config-lumped-no-truth": ["lumped = 'firms'", "true or false"],
    "config-unknown-base": ["extends = 'publishd-2020'", "'published-2020'"],
    "config-extends-itself": ["extends = 'config-extends-itself'", "extends itself"],
    "config-circle-b": ["config-circle-a.toml: extends = 'config-circle-b'", "extends itself"],
    "config-broken": ["not valid TOML", "line 5"],
    "config-key-in-two-ways": ["subsidy.annual = 300", "given twice", "200"],
    "config-key-twice": ["not valid TOML", "line 7"],
    "config-not-utf-8": ["not UTF-8"],
    "event-not-a-table": ["event", "[[event]]"],
    "event-unknown-key": ["event 1: severty", "'severity'"],
    "event-no-date": ["event 1: date is missing", "2022-10-07"],
    "event-bad-date": ["event 1: date = '2022-13-07'", "a date such as"],
    "event-too-early": ["event 1: date = 2019-05-16", "2020 to 2035"],
    "event-announced-late": ["event 1: announced = 2023-01-01", "not be later than date 2022-10-07"],
    "event-unknown-state": ["event 1: by = 'UAS'", "'USA'"],
    "event-unknown-kind": ["event 1: kind = 'contrl'", "one of control"],
    "event-unknown-scope": ["event 1: scope = 'litography'", "'lithography'"],
    "event-everyday-word": ["event 1: scope = 'gallium'", "'critical_minerals'"],
    "event-all-and-more": ['event 1: scope: "all" stands alone', "leave out deposition"],
    "event-through-unknown": ["event 1: through = 'TWM'", "'TWN'"],
    "event-lines-of-chips": ["event 1: lines: are for inputs", "memory in scope"],
    "event-until-too-soon": ["event 1: until = 2027-03-31", "later quarter than date 2027-01-01"],
    "event-severity-out-of-range": ["event 1: severity = 1.5", "from 0 to 1"],
    "event-severity-missing": ["event 1: severity is missing", "from 0 to 1"],
    "event-control-by-target": ["event 1: by = 'CHN'", "other than the target"],
    "event-subsidy-without-amount": ["event 1: amount is missing", "bn yuan a year"],
    "event-lever-unknown": ["event 1: subsidy.anual", "'subsidy.annual'"],
    "event-lever-not-a-lever": ["event 1: set demand.growth", "not a lever"],
}
EXPERIMENTS = {
    "experiment-no-question": ["question is missing", "a sentence"],
    "experiment-unknown-config": ["configs: publishd-2020", "'published-2020'"],
    "experiment-no-replications": ["replications = 0", "a whole number from 1"],
    "experiment-unknown-factor": ["factors.controls.severety", "'controls.severity'"],
    "experiment-factor-out-of-range": ["factors.controls.severity = 1.5", "from 0 to 1"],
    "experiment-factor-in-two-ways": ["factors: subsidy.annual", "given twice"],
    "experiment-level-twice": ["factors.controls.severity = 0.5", "twice"],
    "experiment-no-levels": ["factors.controls.severity = []", "at least one level"],
    "experiment-low-above-high": ["factors.controls.severity", "low must be below high"],
    "experiment-unknown-design": ["design.kind = 'gird'", "'grid'"],
    "experiment-unknown-measure": ["record.measures: 'domestic_supply_shar'", "'domestic_supply_share'"],
    "experiment-no-base-year": [
        "base.chip_market = 1700",
        "config 'published-2020' with",
        "base.domestic_supply_share",
    ],
    "experiment-depreciation-no-base-year": [
        "config 'published-2020' with investment.depreciation = 0.6",
        "exceed the published equipment spending",
    ],
    "experiment-config-no-base-year": [
        "config 'config-no-base-year': base.domestic_supply_share = 0.15 of base.chip_market = 1700",
    ],
    "experiment-seed-twice": ["seeds: 3 appears twice", "distinct"],
    "experiment-seeds-and-replications": ["replications = 2", "seeds are listed too", "keep one"],
    "experiment-no-table": ["design.file = 'nowhere.csv': there is no file", "a CSV beside the experiment"],
    "experiment-table": ["experiment-table.csv: line 3: subsidy.annual = 'much'", "a number from 0 to 2000"],
    "experiment-unknown-distribution": ["distribution = 'gaussian'", "uniform, triangular, normal, lognormal"],
    "experiment-unknown-rhythm": ["record.every = 'month'", "quarter, year, end"],
}
WORLDS = {
    "world-hole": ["chip_firms.csv: line 4: output = ''", "a finite number (bn USD a year)"],
    "world-duplicate-id": ["chip_firms.csv: line 3: tsmc-twn-leading", "line 2 already"],
    "world-shares-do-not-sum": ["suppliers.csv: share", "design_software sum to 0.559", "sum to 1"],
    "world-unknown-state": ["suppliers.csv: line 2: headquarters = 'UAS'", "'USA'"],
    "world-out-of-range": ["segments.csv: line 2: build_time = 9", "from 0.25 to 2 (years)"],
    "world-not-finite": ["inputs.csv: line 2: market = 'inf'", "a finite number"],
    "world-no-source": ["inputs.csv: line 2: market_source is empty", "source"],
    "world-no-range": ["segments.csv: line 2: build_time_low", "finite numbers for an assumed value"],
    "world-unknown-grade": ["totals.csv: line 2: value_grade = 'sure'", "measured, estimated, calibrated, assumed"],
    "world-unknown-role": ["states.csv: line 2: role = 'boss'", "target, lead, ally, neutral"],
    "world-two-targets": ["states.csv: role: exactly one state must be target"],
    "world-unknown-column": ["states.csv: the header lacks name"],
    "world-missing-row": ["demand.csv: has no row for EUR, leading_logic"],
    "world-open-world": ["demand.csv: demand: leading_logic is used for 43.225 but made for 42.225", "equal"],
    "world-line-too-short": ["totals.csv: line 3: has 6 fields; the header has 7"],
    "world-baseline-hole": ["baseline.toml: base.home_bias is missing", "(odds)"],
    "world-baseline-unknown-key": ["baseline.toml: base.chip_markt", "'base.chip_market'"],
    "world-baseline-wrong-unit": ["base.chip_market.unit = 'bn USD a year'", "must be 'bn yuan a year'"],
    "world-baseline-no-source": ["baseline.toml: base.chip_market.source is missing", "grade and source"],
    "world-no-equipment": ["inputs.csv: kind: at least one input must be equipment"],
    "world-no-material": ["inputs.csv: kind: at least one input must be material"],
    "world-unknown-total": ["totals.csv: id 'equipment_spending': is not a known total", "equipment_spending_target"],
    "world-unit-twice": ["columns.csv: line", "segments.build_time: appears twice; keep one"],
    "world-no-unit": ["columns.csv: line 2: segments.build_time: unit is empty"],
}


@pytest.fixture
def refused(tmp_path, monkeypatch, answer):
    """Run the program with arguments that it must refuse; what it says."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        before = sorted(tmp_path.rglob("*"))
        said = answer(*arguments)
        assert said.code == 2 and said.out == "" and "Traceback" not in said.err
        assert sorted(tmp_path.rglob("*")) == before
        return said.err

    return run


def test_every_fault_has_its_file():
    found = {path.stem for path in HERE.iterdir()}
    assert found == {*CONFIGS, *EXPERIMENTS, *WORLDS, "config-circle-a", "config-no-base-year"}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_faulty_config_is_refused(refused, tmp_path, name):
    path = HERE / f"{name}.toml"
    for verb in (["run", path, "--out", tmp_path / "out"], ["check", path]):
        said = refused(*verb)
        assert all(part in said for part in [name.removesuffix("-b"), *CONFIGS[name]]), said
        assert len(said.splitlines()) == 1


def test_a_config_without_a_base_year_is_found(refused):
    said = refused("check", HERE / "config-no-base-year.toml")
    assert "config-no-base-year.toml: base.domestic_supply_share = 0.15 of base.chip_market = 1700" in said


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_faulty_experiment_is_refused(refused, tmp_path, name):
    path = HERE / f"{name}.toml"
    for verb in (["batch", path, "--out", tmp_path / "out"], ["check", path]):
        said = refused(*verb)
        assert all(part in said for part in [name, *EXPERIMENTS[name]]), said


@pytest.mark.parametrize("name", WORLDS)
def test_a_faulty_world_is_refused(refused, tmp_path, name):
    folder = tmp_path / "world"
    shutil.copytree(WORLD, folder)
    shutil.copytree(HERE / name, folder, dirs_exist_ok=True)
    config = tmp_path / "config.toml"
    config.write_text(f'purpose = "A faulty world"\nworld = "{folder}"\n')
    for verb in (["check", folder], ["run", config, "--out", tmp_path / "out"]):
        said = refused(*verb)
        assert all(part in said for part in [str(folder), *WORLDS[name]]), said


def test_a_fault_of_a_world_is_said_once(refused, tmp_path):
    shutil.copytree(WORLD, tmp_path / "world")
    shutil.copytree(HERE / "world-hole", tmp_path / "world", dirs_exist_ok=True)
    paths = [tmp_path / "a.toml", tmp_path / "b.toml"]
    for path in paths:
        path.write_text(f'purpose = "A faulty world"\nworld = "{tmp_path / "world"}"\n')
    said = refused("check", tmp_path / "world", *paths)
    assert len(said.splitlines()) == 1 and "chip_firms.csv: line 4" in said


@pytest.mark.parametrize("file", ["states.csv", "columns.csv", "baseline.toml"])
def test_a_world_without_a_file_is_refused(refused, tmp_path, file):
    shutil.copytree(WORLD, tmp_path / "world")
    (tmp_path / "world" / file).unlink()
    assert f"{file}: there is no such file" in refused("check", tmp_path / "world")


def test_many_faults_are_said_at_once(refused, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[controls]\nseverity = 2\nmode = "x"\n[subsidy]\nanual = 5\n')
    said = refused("run", path)
    assert len(said.splitlines()) == 4  # and the purpose is missing
    assert all(part in said for part in ["controls.severity = 2", "controls.mode = 'x'", "subsidy.anual", "purpose"])


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "histric"], ["histric", "'historic'"]),
        (["run", "nothing.toml"], ["nothing.toml", "no such file"]),
        (["run", "historic", "--set", "x"], ["--set x", "KEY=VALUE"]),
        (["run", "historic", "--set", "controls.severity=2"], ["--set: controls.severity = 2", "from 0 to 1"]),
        (["run", "historic", "--set", "subsidy.mode=plann"], ["--set: subsidy.mode = 'plann'", "fixed"]),
        (["run", ""], ["config = ''", "a name in configs/"]),
        (["run", "historic", "--out", ""], ["--out = ''", "a folder's name"]),
        (["batch", "policy-grid", "--out", ""], ["--out = ''", "a folder's name"]),
        (["run", "historic", "--seed", "-1"], ["--seed = -1", "a whole number from 0"]),
        (["run", "historic", "--until", "2019"], ["--until = 2019", "2020 to 2035"]),
        (
            ["run", "--set", "base.chip_market=1600", "--set", "base.domestic_supply_share=0.15", "--out", "new"],
            ["base.domestic_supply_share", "smaller"],
        ),
        (["run", "--set", "extends=neutral"], ["--set: extends", "a config's file"]),
        (["run", "--seed", "1.5"], ["--seed = '1.5': must be a whole number"]),
        (["run", "--every", "month"], ["--every = 'month': must be one of quarter, year"]),
        (["compare", "a", "b", "--level", "x"], ["--level = 'x': must be a number"]),
        (["compare", "/dev/zero", "/dev/zero"], ["/dev/zero", "no regular file"]),
        (["check", ""], ["check = ''", "a config, an experiment or a world's folder"]),
        (["batch", "policy-gird"], ["policy-gird", "'policy-grid'"]),
        (["batch", "policy-grid", "--workers", "0"], ["--workers = 0", "a whole number from 1"]),
        (["check", "nothing"], ["nothing", "no such file, config, experiment or world"]),
        (["show", "histric"], ["histric", "'historic'"]),
        (["show", "china-2020"], ["a folder of tables", "--out FOLDER"]),
        (["show", "china-2020", "--resolved", "--out", "new"], ["a folder of tables", "without --resolved"]),
        (["show", "historic", "--out", "."], ["--out = ''", "a folder's name"]),
        (["show", "policy-grid", "--resolved"], ["--resolved", "belongs to a config"]),
        (["list", "confgs"], ["confgs", "'configs'"]),
        (["compare", "nothing", "historic"], ["nothing", "no such result"]),
        (["view", "histric"], ["histric", "'historic'"]),
        (["view", "--port", "70000"], ["--port = 70000", "0 to 65535"]),
        (["frobnicate"], ["No such command"]),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else None,
)
def test_wrong_arguments_are_refused(refused, arguments, parts):
    said = refused(*arguments)
    assert all(part in said for part in parts), said


@pytest.mark.parametrize("verb", [["run", "published-2020", "--until", "2020"], ["batch", "dated-controls"]])
def test_an_output_folder_that_holds_something_else_is_refused(refused, tmp_path, verb):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear")
    said = refused(*verb, "--out", tmp_path / "mine")
    assert "--out" in said and "letter.txt" in said and "an empty one" in said
    assert (tmp_path / "mine/letter.txt").read_text() == "dear"
    assert "is a file" in refused(*verb, "--out", tmp_path / "mine/letter.txt")
    assert "cannot be written" in refused(*verb, "--out", tmp_path / "mine/letter.txt/below")


@pytest.mark.parametrize(
    ("number", "part"), [(errno.ENOSPC, "no space left"), (errno.EACCES, "Permission denied")], ids=["space", "access"]
)
def test_a_full_or_closed_disk_leaves_the_old_result(tmp_path, monkeypatch, capsys, number, part):
    arguments = ["decoupling", "run", "published-2020", "--until", "2020", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()

    def full(path, content):
        raise OSError(
            number, {errno.ENOSPC: "No space left on device", errno.EACCES: "Permission denied"}[number], path
        )

    monkeypatch.setattr(output, "write_aside", full)
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert end.value.code == 2 and part in said.err and said.out == "" and len(said.err.splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_real_process_says_the_same():
    command = [sys.executable, "-m", "sim", "run", str(HERE / "config-unknown-key.toml")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 2 and answer.stdout == ""
    assert answer.stderr.endswith("controls.severety: is not a known key (did you mean 'controls.severity'?)\n")


NINES = "9" * 400


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "subsidy", "by": "CHN", "amount": 5, "scope": ["memory"]}, "scope: a subsidy takes no scope"),
        ({"kind": "control", "by": "USA", "severity": 0.5, "amount": 5}, "amount: a control takes no amount"),
        ({"kind": "control", "by": "USA", "severity": 0.5, "scope": []}, "scope = []: must be a list"),
        ({"kind": "control", "by": "USA", "severity": True}, "severity = true: must be a number from 0 to 1"),
        ({"kind": "control", "by": "USA", "severity": "0.5"}, "severity = '0.5': must be a number from 0 to 1"),
        ({"kind": "control", "by": "USA", "severity": 0.5, "low": 0.4}, "low and high belong together"),
        ({"kind": "control", "by": "USA", "severity": 0.5, "announced": "1900-01-01"}, "must not be before 2018-01-01"),
        ({"kind": "control", "by": "USA", "severity": 0.5, "date": 1735689600}, "date = 1735689600: must be a date"),
        (
            {"kind": "control", "by": "USA", "severity": 0.5, "date": "1735689600"},
            "date = '1735689600': must be a date",
        ),
        ({"kind": "control", "by": "USA", "severity": 0.5, "date": "2024-01-01T00:00"}, "must be a date such as"),
        ({"kind": "lever", "by": "CHN", "set": {"mechanisms.growth": False}}, "mechanisms.growth: is not a lever"),
        ({"kind": "retaliation", "by": "CHN", "target": "CHN", "severity": 0.5}, "must be a state other than CHN"),
        ({"kind": "retaliation", "by": "USA", "severity": 0.5}, "by = 'USA': must be CHN"),
    ],
)
def test_events_that_would_be_ignored_or_misread_are_refused(entry, said):
    from sim.scenario.loading import load_config

    with pytest.raises(BadInput) as fault:
        load_config("published-2020").with_event({"date": "2024-01-01", **entry})
    assert said in str(fault.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "historic", "--set", f"subsidy.annual={NINES}"], "is out of range"),
        (["run", "historic", "--set", "controls.start=2023.5"], "must be a whole year"),
        (["run", "historic", "--set", "subsidy={annual=1}", "--set", "subsidy.annual=2"], "is given twice"),
        (["run", "historic", "--set", "subsidy.annual=1\nx=2"], "more than one line"),
        (["run", "historic", "--seed", str(2**63)], "below 2**63"),
        (["run", "historic", "--out", "/tmp/" + "a" * 300], "File name too long"),
        (["check", "/dev/zero"], "is not a regular file"),
    ],
)
def test_arguments_that_nobody_means_get_a_sentence(arguments, said, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["decoupling", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    shown = capsys.readouterr().err
    assert said in shown and "Traceback" not in shown


def test_dated_controls_that_are_not_in_force_are_said(capsys, monkeypatch, tmp_path):
    path = tmp_path / "idle.toml"
    path.write_text(
        'purpose = "Idle"\nextends = "published-2020"\n[[event]]\ndate = 2024-01-01\nby = "USA"\n'
        'kind = "control"\nscope = ["lithography"]\nseverity = 0.5\n'
    )
    monkeypatch.setattr("sys.argv", ["decoupling", "check", str(path)])
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err
    assert "dated events are not in force: control (1); controls.mode is fixed, and they need controls.mode" in said


@pytest.mark.parametrize(
    "broken",
    [
        {"config": None},
        {"set": ["subsidy.annual"]},
        {"set": {"subsidy.annual": 10**400}},
        {"until": 2019},
        {"until": "2025"},
        {"rng": None},
        {"record": []},
        {"record": 5},
        {"set": {"subsidy.annual": 10**5000}},
        {"config": ""},
    ],
    ids=lambda broken: next(iter(broken)),
)
def test_the_model_refuses_what_python_users_get_wrong(broken):
    from sim import DecouplingModel

    with pytest.raises(BadInput):
        DecouplingModel(**{"config": "historic", **broken})
    with pytest.raises(BadInput):
        DecouplingModel.block([], [])


def test_a_model_says_that_it_cannot_be_pickled():
    from sim import DecouplingModel

    with pytest.raises(BadInput, match="cannot be pickled"):
        pickle.dumps(DecouplingModel(until=2020))


DEEP = "a." * 3000


@pytest.mark.parametrize(
    "text",
    [
        f'purpose = "Deep"\n{DEEP}x = 1\n',
        f'purpose = "Deep"\n[[event]]\ndate = 2024-01-01\nby = "CHN"\nkind = "lever"\nset.{DEEP}x = 1\n',
        f'question = "Deep?"\nconfigs = ["published-2020"]\nreplications = 1\nfactors.{DEEP}x = [1]\n',
    ],
    ids=["config", "event", "experiment"],
)
def test_a_key_of_thousands_of_dots_is_refused_in_a_sentence(refused, tmp_path, text):
    path = tmp_path / "deep.toml"
    path.write_text(text)
    assert "key has more than the allowed 1000 parts" in refused("check", path)


def test_a_value_of_two_shapes_gets_one_sentence(refused, tmp_path):
    path = tmp_path / "measures.toml"
    path.write_text('question = "Q?"\nconfigs = ["published-2020"]\nreplications = 1\n[record]\nmeasures = [1]\n')
    said = refused("check", path)
    assert said.splitlines() == [
        f'{path}: record.measures = [1]: must be "headline", "all", or a list of measure names'
    ]
