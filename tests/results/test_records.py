"""CSV and manifest: exact text, and whole files or none."""

import errno
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import BadInput
from sim.results import provenance, records
from sim.results.files import write_aside, writing
from sim.results.manifest import manifest_text, read_manifest, write_manifest
from sim.results.output import prepare_out, replace_result

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (7.0, "7.0"),
        (7, "7"),
        (-0.0, "-0.0"),
        (1e-05, "1e-05"),
        (1e16, "1e+16"),
        (0.1 + 0.2, "0.30000000000000004"),
        (np.float64(0.5), "0.5"),
        (NAN, ""),
        (None, ""),
        (True, "true"),
        ("none", "none"),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        ("two\nlines", '"two\nlines"'),
    ],
)
def test_cell(value, text):
    assert records.cell(value) == text


@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_floats_come_back_as_they_were(values):
    texts = records.float_cells(np.array(values)).split(",")
    for value, text in zip(values, texts, strict=True):
        if math.isnan(value):
            assert text == ""
        else:
            assert text == repr(value) and float(text) == value


def test_series_lines():
    rows = records.series_rows(
        ["no-controls-2-0-7", "no-controls", 0, 7, 0.5, "market"],
        ["2020-12-31", "2021-12-31"],
        np.array([[0.25, 3.0], [NAN, 1e-7]]),
    )
    assert rows == (
        "no-controls-2-0-7,no-controls,0,7,0.5,market,2020-12-31,0.25,3.0\n"
        "no-controls-2-0-7,no-controls,0,7,0.5,market,2021-12-31,,1e-07\n"
    )
    assert records.series_columns(["controls.severity"], ["chip_market"]) == [
        "run_id",
        "config",
        "parameter_set",
        "seed",
        "controls.severity",
        "date",
        "chip_market",
    ]


def test_outcomes_by_hand():
    kinds = {"chip_market": "flow", "domestic_supply_share": "ratio"}
    years = ["2024-12-31", "2025-12-31", "2026-12-31"]
    yearly = np.array([[[10.0, 0.1], [30.0, 0.75], [20.0, 0.7]], [[1.0, 0.2], [NAN, 0.3], [3.0, NAN]]])
    assert records.outcome_columns(kinds) == [
        "chip_market@end",
        "chip_market@2025",
        "chip_market@2030",
        "chip_market@peak",
        "chip_market@sum",
        "domestic_supply_share@end",
        "domestic_supply_share@2025",
        "domestic_supply_share@2030",
        "domestic_supply_share@peak",
        "domestic_supply_share@first_70",
    ]
    first, second = records.outcomes(kinds, years, yearly, ["2025-03-31", ""], np.array([3, 3]))
    assert records.runs_row(["a"], "done", first) == "a,done,20.0,30.0,,30.0,60.0,0.7,0.75,,0.75,2025-03-31\n"
    assert records.runs_row(["b"], "done", second) == "b,done,3.0,,,3.0,,,0.3,,0.3,\n"


def test_outcomes_of_a_run_that_stops_by_hand():
    """The first run has two of three years, the second all, the third one; what comes later does not count."""
    kinds = {"chip_market": "flow"}
    years = ["2024-12-31", "2025-12-31", "2026-12-31"]
    yearly = np.array([[[10.0], [30.0], [90.0]]] * 3)
    reached = ["2026-03-31", "2026-03-31", "2024-06-30"]
    first, second, third = records.outcomes(kinds, years, yearly, reached, np.array([2, 3, 1]))
    assert records.runs_row(["a"], "done", first) == "a,done,30.0,30.0,,30.0,40.0,\n"
    assert records.runs_row(["b"], "done", second) == "b,done,90.0,30.0,,90.0,130.0,2026-03-31\n"
    assert records.runs_row(["c"], "done", third) == "c,done,10.0,,,10.0,10.0,2024-06-30\n"


def test_sums_do_not_depend_on_how_many_runs_are_held():
    kinds = {f"measure{number}": "flow" for number in range(5)}
    yearly = np.random.default_rng(3).lognormal(size=(33, 16, 5), sigma=9)
    years = [f"{2020 + number}-12-31" for number in range(16)]
    reached = years + years + [""]
    lengths = np.arange(33) % 16 + 1
    together = records.outcomes(kinds, years, yearly, reached, lengths)
    alone = [records.outcomes(kinds, years, yearly[[run]], [reached[run]], lengths[[run]])[0] for run in range(33)]
    assert repr(together) == repr(alone)


def test_rows_are_read_as_written(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text('run_id,note,x\na,"one, two",\nb,,0.5\n')
    assert list(records.read_rows(path)) == [
        {"run_id": "a", "note": "one, two", "x": ""},
        {"run_id": "b", "note": "", "x": "0.5"},
    ]
    path.write_text("run_id,x\na,1\nb\n")
    with pytest.raises(BadInput, match="line 3 has 1 cells; the header has 2"):
        list(records.read_rows(path))
    with pytest.raises(BadInput, match=r"nothing\.csv"):
        list(records.read_rows(tmp_path / "nothing.csv"))


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"old")

    def half():
        yield b"new"
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_aside(path, half())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["runs.csv"]
    with path.open("rb") as reader:
        write_aside(path, [b"new", b"er"])
        assert reader.read() == b"old"  # whoever reads the old file keeps it whole
    assert path.read_bytes() == b"newer"
    assert os.listdir(tmp_path) == ["runs.csv"]


def test_a_full_disk_is_a_sentence_and_overwrites_nothing(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="no space left; give another --out"), writing(path):
        write_aside(path, [b"new"])
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["runs.csv"]


def test_output_folder_that_is_something_else_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("mine")
    (foreign / "manifest.json").write_text('{"name": "a web page", "icons": []}')
    for out, words in (
        (file, "is a file"),
        (foreign, "holds 'manifest.json' and is no result folder"),
        (file / "below", "cannot be written"),
    ):
        with pytest.raises(BadInput, match=words) as fault:
            prepare_out(out)
        assert str(out) in str(fault.value)
    assert file.read_text() == "mine"
    assert sorted(os.listdir(foreign)) == ["manifest.json", "thesis.tex"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder where nobody may write")
def test_output_folder_without_permission_is_refused():
    with pytest.raises(BadInput, match="/proc/results.*cannot be written"):
        prepare_out(Path("/proc/results/here"))


def test_output_folder_is_made_and_left_empty(tmp_path):
    prepare_out(tmp_path / "a" / "b")
    prepare_out(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == []


def result(text, experiment=None):
    manifest = {"schema_version": 1, "experiment": experiment, "seeds": [1], "files": {}, "run_info": {}}
    return {"runs.csv": [text], "series.csv": [text], "manifest.json": [manifest_text(manifest)]}


def test_a_run_replaces_a_run_as_a_whole(tmp_path):
    out = tmp_path / "out"
    replace_result(out, result(b"first"))
    replace_result(out, result(b"second"))
    assert (out / "runs.csv").read_bytes() == (out / "series.csv").read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["out"]

    def broken():
        yield b"th"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BadInput, match="no space left"):
        replace_result(out, {**result(b"third"), "series.csv": broken()})
    assert (out / "runs.csv").read_bytes() == (out / "series.csv").read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["out"]


def test_the_old_run_comes_back_if_the_new_one_cannot_be_moved_into_place(tmp_path, monkeypatch):
    out = tmp_path / "out"
    replace_result(out, result(b"first"))
    rename = os.rename

    def refusing(source, target):
        if str(source).endswith(".aside"):
            raise PermissionError(errno.EACCES, "Permission denied", str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refusing)
    with pytest.raises(BadInput, match="cannot be written: Permission denied"):
        replace_result(out, result(b"second"))
    assert (out / "runs.csv").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["out"]


def test_a_run_replaces_neither_a_batch_nor_somebody_elses_file(tmp_path):
    batch, unfinished, noted = tmp_path / "batch", tmp_path / "unfinished", tmp_path / "noted"
    replace_result(batch, result(b"of a batch", experiment={"name": "grid"}))
    (unfinished / ".blocks-0123").mkdir(parents=True)
    replace_result(noted, result(b"of a run"))
    (noted / "notes.txt").write_text("mine")
    for out, words in ((batch, "holds a batch"), (unfinished, "holds a batch"), (noted, "holds 'notes.txt'")):
        before = sorted(out.rglob("*"))
        with pytest.raises(BadInput, match=words):
            replace_result(out, result(b"new"))
        assert sorted(out.rglob("*")) == before
    assert (batch / "runs.csv").read_bytes() == b"of a batch"


def test_manifest_is_plain_json(tmp_path):
    write_manifest(tmp_path / "manifest.json", {"b": 1, "a": {"z": 0.5, "y": "Ünits"}})
    assert (tmp_path / "manifest.json").read_text(
        encoding="utf-8"
    ) == '{\n "a": {\n  "y": "Ünits",\n  "z": 0.5\n },\n "b": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        manifest_text({"a": NAN})
    assert read_manifest(tmp_path) is None  # JSON, but no manifest of ours
    (tmp_path / "manifest.json").write_text('{"schema_version": 1, "exp')
    assert read_manifest(tmp_path) is None


def test_program_hash_sees_every_byte_and_every_name(tmp_path, monkeypatch):
    package = tmp_path / "sim"
    (package / "agents").mkdir(parents=True)
    (package / "results").mkdir()
    (package / "results" / "records.py").write_text("a = 1\n")
    (package / "agents" / "state.py").write_text("b = 2\n")
    monkeypatch.setattr(provenance, "__file__", str(package / "results" / "provenance.py"))
    seen = set()

    def note():
        provenance.program_files.cache_clear()
        seen.add(provenance.program_hash())

    try:
        note()
        (package / "ODD.md").write_text("no source")
        note()
        assert len(seen) == 1
        (package / "agents" / "state.py").write_text("b = 3\n")
        note()
        (package / "agents" / "state.py").rename(package / "agents" / "firm.py")
        note()
        assert len(seen) == 3
        assert all(len(value) == 64 for value in seen)
    finally:
        provenance.program_files.cache_clear()


def test_arithmetic_fingerprint_sees_the_last_bit(monkeypatch):
    provenance.arithmetic_fingerprint.cache_clear()
    here = provenance.arithmetic_fingerprint()
    exact = np.exp
    with monkeypatch.context() as patch:
        patch.setattr(np, "exp", lambda values: np.nextafter(exact(values), np.inf))
        provenance.arithmetic_fingerprint.cache_clear()
        assert provenance.arithmetic_fingerprint() != here
    provenance.arithmetic_fingerprint.cache_clear()
    assert provenance.arithmetic_fingerprint() == here


def test_versions_and_run_info_fit_into_json():
    assert {"python", "mesa", "numpy", "scipy"} <= provenance.dependencies().keys()
    info = json.loads(json.dumps(provenance.run_info(1.23456, 2), allow_nan=False))
    assert info["seconds"] == 1.235 and info["workers"] == 2
