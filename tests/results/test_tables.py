"""The tables of a result with types: what a data frame and Parquet hold is what the CSV says."""

import csv
import datetime
import math
import sys

import pyarrow.parquet
import pytest
from support.batches import MEASURES, small, unlucky

import sim
from sim.batch.run import run_batch
from sim.compare import Question, compare
from sim.errors import BadInput

EXPERIMENT = """
question = "Which types?"
configs = ["published-2020"]
replications = 2
[factors]
"controls.severity" = [0.0, 0.25]
"subsidy.allocation" = ["market", "leader"]
"mechanisms.entry" = [true, false]
[record]
measures = ["domestic_supply_share", "chip_market", "price_index"]
"""


@pytest.fixture
def result(tmp_path):
    """A batch of which two runs failed, with a number, a word and a truth value that are swept."""
    path = tmp_path / "typed.toml"
    path.write_text(EXPERIMENT)
    run_batch(path, workers=1, out=tmp_path / "typed", build=unlucky)
    return sim.open_result(tmp_path / "typed")


def expected(table):
    """The table by hand: each text as what it means."""

    def meant(name, text):
        if name in ("run_id", "config", "status", "subsidy.allocation"):
            return text
        if not text:
            return None
        if name in ("date", "domestic_supply_share@first_70"):
            return datetime.date.fromisoformat(text)
        return text == "true" if name == "mechanisms.entry" else float(text)

    with table.open() as file:
        return [{name: meant(name, text) for name, text in row.items()} for row in csv.DictReader(file)]


def test_parquet_holds_what_the_csv_says(result, tmp_path):
    from sim.results.tables import write_parquet

    paths = write_parquet(result, tmp_path / "out")
    assert [path.name for path in paths] == ["typed-runs.parquet", "typed-series.parquet"]
    for path, table in zip(paths, (result.runs, result.series), strict=True):
        assert pyarrow.parquet.read_table(path).to_pylist() == expected(table)
    field = pyarrow.parquet.read_schema(paths[1]).field("chip_market")
    assert field.metadata[b"unit"] == b"bn yuan a year" and b"chips used" in field.metadata[b"meaning"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [path.name for path in paths]


@pytest.mark.parametrize("table", ["runs", "series"])
def test_a_frame_holds_what_the_csv_says(result, table):
    frame = result.to_frame(table)
    rows = expected(getattr(result, table))
    assert len(frame) == len(rows) == {"runs": 16, "series": 12 * 16}[table]
    for row, held in zip(rows, frame.to_dict("records"), strict=True):
        for name, value in row.items():
            if value is None:
                assert held[name] != held[name], name  # NaN or no time
            elif isinstance(value, datetime.date):
                assert held[name].date() == value
            else:
                assert held[name] == value, name
    assert frame["seed"].dtype.kind == "i" and frame["mechanisms.entry"].dtype.kind == "b"
    assert frame["controls.severity"].dtype.kind == "f"


def test_what_is_not_there_is_said(result, tmp_path, monkeypatch):
    with pytest.raises(BadInput, match=r"to_frame\('points'\): .* has the table runs or series"):
        result.to_frame("points")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    from sim.results.tables import write_parquet

    with pytest.raises(BadInput, match="^export: needs the package pyarrow; install the extra: uv sync --extra parq"):
        write_parquet(result, tmp_path)


def test_what_python_shows_of_results_is_short(result, tmp_path):
    path = tmp_path / "typed.toml"
    run_batch(path, workers=1, out=tmp_path / "other", build=small)
    comparison = compare([result.path, tmp_path / "other"], Question(measures=MEASURES, partial=True))
    experiment = sim.load_experiment(path)
    for shown in (result, comparison, experiment, sim.load_config("historic"), sim.plot(result.path)):
        assert len(repr(shown)) < 200 and "\n" not in repr(shown), repr(shown)
    assert "16 runs: Which types?" in repr(experiment)


def test_a_comparison_as_frames_and_as_a_picture(result, tmp_path):
    run_batch(tmp_path / "typed.toml", workers=1, out=tmp_path / "other", build=small)
    comparison = compare([result.path, tmp_path / "other"], Question(measures=MEASURES, partial=True))
    frame = comparison.to_frame()
    assert frame["measure"].tolist() == [row.measure for row in comparison.rows] == MEASURES
    assert [None if math.isnan(held) else held for held in frame["diff"]] == [row.diff for row in comparison.rows]
    assert comparison.plot("chip_market")._repr_svg_().startswith("<svg")
    comparison.plot().save(tmp_path / "fans.svg")
    assert "domestic supply share" in (tmp_path / "fans.svg").read_text()
    with pytest.raises(BadInput, match=r"plot\('chip'\): measures over time are domestic_supply_share, chip_market"):
        comparison.plot("chip")
    with pytest.raises(BadInput, match=r"to_frame\('row'\): must be one of rows, .*did you mean 'rows'"):
        comparison.to_frame("row")
