"""One row of a result again: the batch itself says which bits it must have."""

import csv
import json
import shutil

import pytest
from support.made_results import signed, vouch
from support.paths import ROOT

from sim.batch.blocks import Family, read_header, run_family
from sim.batch.identity import batch_identity, column_notes, run_identity
from sim.batch.rerun import row_of
from sim.batch.run import run_batch, write_run
from sim.batch.store import Store
from sim.errors import BadInput
from sim.experiment.file import experiment_path, is_search, known_experiments, load_experiment
from sim.measures import kinds_of
from sim.model import DecouplingModel
from sim.results import provenance
from sim.results.reading import open_result
from sim.results.records import line, read_rows, runs_columns, series_columns
from sim.study.search.file import load_search
from sim.world.evidence import read_toml

WORLD = ROOT / "configs/worlds/china-2020"
DRAWN = """question = "?"
configs = ["two-rules", "historic"]
replications = 2
parameters = "ensemble"
[factors]
"subsidy.annual" = [0, 100.0]
"subsidy.allocation" = ["leader", "market"]
"mechanisms.entry" = [true, false]
[record]
measures = ["domestic_supply_share", "chip_market"]
[stop]
when = "domestic_supply_share >= 0.2"
"""
SAMPLED = """question = "?"
configs = ["historic"]
replications = 1
[parts.chosen.design]
kind = "list"
points = [{ "subsidy.annual" = 50.0 }, { "controls.severity" = 0.3 }]
[parts.drawn.design]
kind = "latin-hypercube"
samples = 2
[parts.drawn.factors]
"investment.annual" = { low = 100.0, high = 200.0 }
[record]
every = "quarter"
measures = ["subsidy_spent", "chip_imports"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A working folder with two finished batches; the world there has three parameter sets."""
    root = tmp_path_factory.mktemp("rerun")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        shutil.copytree(WORLD, root / "configs/worlds/china-2020")
        lines = (WORLD / "ensemble.csv").read_text().splitlines()
        (root / "configs/worlds/china-2020/ensemble.csv").write_text("\n".join(lines[:4]) + "\n")
        event = '[[event]]\ndate = 2022-03-01\nby = "CHN"\nkind = "lever"\nset = { "investment.annual" = 180 }\n'
        (root / "configs/two-rules.toml").write_text(f'purpose = "?"\nextends = "historic"\n{event}')
        for name, text in (("drawn", DRAWN), ("sampled", SAMPLED)):
            (root / f"{name}.toml").write_text(text)
            assert run_batch(root / f"{name}.toml", workers=1, out=root / "results" / name) == 0
    return root


def lines_of(folder, run_id, without=0):
    """A run's lines of series.csv, without its swept keys: cells of (parameter set, seed, date, measures)."""
    with (folder / "series.csv").open() as file:
        rows = [row for row in csv.reader(file) if row[0] == run_id]
    return [row[2:4] + row[4 + without :] for row in rows]


@pytest.mark.parametrize("run_id", ["historic-1-2-1", "historic-8-3-2", "two-rules-3-1-2", "two-rules-6-3-1"])
def test_a_row_of_an_ensemble_again_has_the_bits_of_the_batch(made, answer, monkeypatch, tmp_path, run_id):
    monkeypatch.chdir(made)
    said = answer(
        "rerun", "drawn", run_id, "--every", "year", "--out", tmp_path / "again",
        "--record", "domestic_supply_share", "--record", "chip_market",
    )  # fmt: skip
    assert said.code == 0
    before = lines_of(made / "results/drawn", run_id, without=3)
    assert before == lines_of(tmp_path / "again", run_id) and 0 < len(before) < 16  # it stopped
    [row] = read_rows(tmp_path / "again/runs.csv")
    [kept] = [row for row in read_rows(made / "results/drawn/runs.csv") if row["run_id"] == run_id]
    assert {**kept, **row} == kept


def test_everything_is_recorded_and_the_table_is_that_of_run(made, answer, monkeypatch):
    monkeypatch.chdir(made)
    said = answer("rerun", "drawn", "historic-5-2-1", "--format", "csv")
    assert said.code == 0 and said.out.startswith("year,domestic_supply_share,domestic_supply_share_real,")
    folder = made / "results/drawn-historic-5-2-1"
    assert said.err.splitlines() == [
        f"{folder}: runs.csv, series.csv, manifest.json",
        f"All 10 outcomes that {made / 'results/drawn'} has too are the same to the last bit",
    ]
    rows = list(read_rows(folder / "series.csv"))
    assert len(rows[0]) > 1000 and "firm_revenue.smic" in rows[0]
    assert len(rows) % 4 == 0 and rows[0]["date"] == "2020-03-31"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["experiment"] is None and manifest["seeds"] == [1]
    assert manifest["horizon"]["last"] == int(rows[-1]["date"][:4])
    assert manifest["parameter_sets"].keys() == {"2"}
    values = manifest["scenarios"]["historic"]["values"]
    assert values["subsidy.annual"] == 100 and values["subsidy.allocation"] == "leader" and values["mechanisms.entry"]
    # What was made again can be made again.
    assert answer("rerun", folder, "historic-5-2-1", "--out", made / "twice").code == 0
    for name in ("runs.csv", "series.csv"):
        assert (made / "twice" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("point", [1, 2, 3, 4])
def test_parts_and_samples(made, answer, monkeypatch, tmp_path, point):
    """A swept key that the run's part leaves alone has the config's own value in the row."""
    monkeypatch.chdir(made)
    asked = ("--record", "subsidy_spent", "--record", "chip_imports", "--out", tmp_path / "again")
    assert answer("rerun", "sampled", f"historic-{point}-0-1", *asked).code == 0
    before = lines_of(made / "results/sampled", f"historic-{point}-0-1", without=4)
    assert before == lines_of(tmp_path / "again", f"historic-{point}-0-1") and len(before) == 64


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_of_a_parameter_set_is_that_row_of_the_ensemble(made, answer, monkeypatch, tmp_path, seed):
    monkeypatch.chdir(made)
    asked = ("--set", "subsidy.annual=100", "--set", "subsidy.allocation=market", "--set", "mechanisms.entry=false")
    arguments = ("--parameter-set", 3, "--seed", seed, *asked, "--every", "year", "--out", tmp_path / "one")
    assert answer("run", "two-rules", *arguments).code == 0
    row = row_of(open_result(made / "results/drawn"), f"two-rules-8-3-{seed}")
    [one] = read_rows(tmp_path / "one/runs.csv")
    assert one["run_id"] == f"two-rules-1-3-{seed}" and one["parameter_set"] == "3"
    series = list(read_rows(tmp_path / "one/series.csv"))
    before = [line for line in read_rows(made / "results/drawn/series.csv") if line["run_id"] == row.run.run_id]
    for cells, kept in zip(series, before, strict=False):  # the batch stops
        assert [cells[name] for name in ("date", "domestic_supply_share", "chip_market")] == [
            kept[name] for name in ("date", "domestic_supply_share", "chip_market")
        ]
    assert row.scenario.values == row_of(open_result(tmp_path / "one"), one["run_id"]).scenario.values


def test_what_has_changed_since_is_said_and_another_value_ends_with_1(made, answer, monkeypatch, tmp_path):
    """The cell of one outcome is altered, as another program could have made it; the program is called another one."""
    monkeypatch.chdir(made)
    shutil.copytree(made / "results/sampled", tmp_path / "sampled")
    table = tmp_path / "sampled/runs.csv"
    [kept] = [row for row in read_rows(table) if row["run_id"] == "historic-1-0-1"]
    value = kept["chip_imports@2030"]
    table.write_text(table.read_text().replace(value, "1.5"))
    vouch(tmp_path / "sampled")
    path = tmp_path / "sampled/manifest.json"
    path.write_text(signed({**json.loads(path.read_text()), "program_hash": "0" * 64}))
    said = answer(
        "rerun", tmp_path / "sampled", "historic-1-0-1", "--record", "chip_imports", "--out", tmp_path / "new"
    )
    assert said.code == 1
    assert "was made by another state of the program" in said.err
    assert (
        f"1 of 6 outcomes that {tmp_path / 'sampled'} has too are others: chip_imports@2030 is {value} and was 1.5"
        in said.err
    )
    assert "world" not in said.err
    content = json.loads(path.read_text())
    content["worlds"]["china-2020"]["hash"] = "0" * 64
    path.write_text(signed({**content, "program_hash": provenance.program_hash()}))
    assert row_of(open_result(path.parent), "historic-1-0-1").changes == [
        f"{path.parent}: its world china-2020 has changed since"
    ]


def test_a_result_of_a_version_with_other_parameters_is_refused(made, tmp_path):
    shutil.copytree(made / "results/sampled", tmp_path / "older")
    path = tmp_path / "older/manifest.json"
    content = json.loads(path.read_text())
    del content["scenarios"]["historic"]["values"]["mechanisms.talent"]
    path.write_text(signed(content))
    with pytest.raises(BadInput, match=r"older: values: mechanisms.talent is missing; another version made this"):
        row_of(open_result(path.parent), "historic-1-0-1")


def test_a_failed_run_says_why_it_failed(made, tmp_path):
    shutil.copytree(made / "results/sampled", tmp_path / "failed")
    path = tmp_path / "failed/manifest.json"
    path.write_text(signed({**json.loads(path.read_text()), "failures": {"historic-1-0-1": "ValueError: x"}}))
    row = row_of(open_result(path.parent), "historic-1-0-1")
    assert row.changes == [f"{path.parent}: run historic-1-0-1 failed there: ValueError: x"]


def written(experiment, run, folder):
    """A result of one run of an experiment, written as a batch writes it."""
    kinds = kinds_of(experiment.measures, experiment.scenarios[0].world)
    store = Store(experiment, folder, batch_identity(experiment, kinds), kinds)
    scenario = next(each for each in experiment.scenarios if each.name == run.config)
    number = next(n for n in experiment.order() if experiment.run(scenario, n) == run)
    [text] = run_family(Family((store.block(run.config, number, number + 1),)))
    header, offset = read_header(text)
    assert not header.failures
    row, _ = header.sizes[0]
    columns = experiment.key_columns
    folder.mkdir()
    (folder / "runs.csv").write_bytes(line(runs_columns(columns, kinds)).encode() + text[offset : offset + row])
    (folder / "series.csv").write_bytes(line(series_columns(columns, list(kinds))).encode() + text[offset + row :])
    sets = experiment.ensemble.sets if experiment.ensemble else {}
    content = {
        **run_identity(experiment.scenarios, 2035, experiment.every, list(kinds)),
        "experiment": experiment.as_dict(),
        "seeds": list(experiment.seeds),
        "parameter_sets": {str(number): dict(values) for number, values in sets.items()},
        "columns": column_notes(columns, kinds, experiment.scenarios[0].world),
        "failures": {},
        "files": {},
        "run_info": {},
    }
    (folder / "manifest.json").write_text(signed(content))
    return vouch(folder)


@pytest.mark.parametrize("name", [name for name in known_experiments() if name != "calibration"])
def test_a_row_of_every_experiment_that_ships(name, tmp_path):
    """The last point with the seventh parameter set, where there are so many; of a search, of its first generation."""
    searched = is_search(read_toml(experiment_path(name)))
    experiment = load_search(name).experiment if searched else load_experiment(name)
    numbers = range(experiment.points.total * min(7, len(experiment.parameter_sets)))
    run = experiment.run(experiment.scenarios[-1], numbers[-1])
    row = row_of(open_result(written(experiment, run, tmp_path / "r")), run.run_id)
    model = DecouplingModel(row.scenario, row.run.seed, record=row.measures(experiment.measures), until=row.until)
    row.run_to_end(model)
    write_run(model, row.scenario, row.run, tmp_path / "again", "year", row.drawn)
    [again] = read_rows(tmp_path / "again/runs.csv")
    same, words = row.agreement(again)
    assert same and words.startswith(f"All {len([name for name in row.cells if '@' in name])} outcomes"), words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rerun", "drawn", "historic-9-2-1"], ["has no run 'historic-9-2-1' (did you mean 'historic-"]),
        (["rerun", "drawn", "x"], ["has no run 'x'; run ids are such as historic-1-1-1"]),
        (["rerun", "drawm", "historic-1-1-1"], ["drawm: there is no such result folder"]),
        (["rerun", "drawn", "historic-1-1-1", "--record", "chip_markt"], ["--record = 'chip_markt'", "'chip_market'"]),
        (["rerun", "drawn", "historic-1-1-1", "--out", "results/sampled"], ["holds a batch"]),
        (["run", "--parameter-set", "4"], ["--parameter-set = 4: must be from 1 to 3, or 0"]),
        (["run", "--parameter-set", "-1"], ["--parameter-set = -1: must be from 1 to 3, or 0"]),
        (["run", "neutral-crops.toml", "--parameter-set", "1"], ["the world crop-seeds has no parameter sets"]),
        (
            ["run", "--parameter-set", "2", "--set", "demand.growth=0.05"],
            ["--set demand.growth: is set by --parameter-set = 2; leave out one of the two"],
        ),
    ],
    ids=lambda value: " ".join(value),
)
def test_wrong_uses(made, answer, monkeypatch, arguments, words):
    monkeypatch.chdir(made)
    (made / "neutral-crops.toml").write_text('purpose = "?"\nworld = "crop-seeds"\n')
    before = set(made.rglob("*"))
    said = answer(*arguments)
    assert said.code == 2 and said.out == "" and len(said.err.splitlines()) == 1
    assert all(word in said.err for word in words)
    assert set(made.rglob("*")) == before
