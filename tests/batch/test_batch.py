"""Batches: equal bytes whatever the blocks, workers and interruptions, and nothing finished is lost.

A small model takes the place of the real one: its numbers depend on the values and the seed alone.
"""

import contextlib
import functools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.batches import (
    EXPERIMENT,
    MEASURES,
    SmallModel,
    deadly,
    deadly_now_and_then,
    deadly_once,
    files,
    forbidden,
    small,
    started_batch,
    stopping,
    unlucky,
)
from support.processes import children, wait_until

from sim.batch import progress
from sim.batch.blocks import read_header
from sim.batch.run import run_batch, write_run
from sim.errors import BadInput
from sim.experiment import cost
from sim.experiment.experiment import Run
from sim.experiment.file import load_experiment
from sim.measures import catalogue
from sim.results import provenance, records
from sim.results.output import LOCK, unfinished
from sim.scenario.loading import load_config
from sim.world.world import load_world


@pytest.fixture
def question(tmp_path):
    """Write the experiment with so many replications and some words replaced; the answer is its path."""

    def write(replications=6, old="", new=""):
        path = tmp_path / "question.toml"
        path.write_text(EXPERIMENT.replace("REPLICATIONS", str(replications)).replace(old, new))
        return path

    return write


@pytest.fixture
def undisturbed(question, tmp_path):
    def run(replications=6, build=small):
        out = tmp_path / "undisturbed"
        shutil.rmtree(out, ignore_errors=True)
        run_batch(question(replications), workers=1, out=out, build=build)
        return files(out)

    return run


def test_result_by_hand(question, tmp_path):
    out = tmp_path / "out"
    assert run_batch(question(2), workers=1, out=out, build=small) == 0
    rows = list(records.read_rows(out / "runs.csv"))
    assert [row["run_id"] for row in rows] == [
        f"{config}-{point}-0-{seed}"
        for config in ("no-controls", "published-2020")
        for point in range(1, 7)
        for seed in (1, 2)
    ]
    fourth = rows[12 + 2 * 3]
    assert fourth["run_id"] == "published-2020-4-0-1"
    assert (fourth["controls.severity"], fourth["subsidy.annual"], fourth["status"]) == ("0.25", "100.0", "done")
    luck = np.sin(1.0) + 0.25 - 100 / 700
    assert fourth["chip_market@end"] == fourth["chip_market@2025"] == repr(1e3 * float(np.exp(luck)))
    assert float(fourth["chip_market@sum"]) == pytest.approx(16 * 1e3 * np.exp(luck))
    # 0.5 + 0.4 tanh(luck + quarter / 20) reaches 0.7 where its argument is atanh(0.5) = 0.5493: in the first quarter
    assert luck > np.arctanh(0.5) and fourth["domestic_supply_share@first_70"] == "2020-03-31"
    series = list(records.read_rows(out / "series.csv"))
    assert len(series) == 24 * 16
    assert [row["date"] for row in series[:16]] == [f"{year}-12-31" for year in range(2020, 2036)]
    assert (out / "series.csv").read_text().splitlines()[0] == (
        "run_id,config,parameter_set,seed,controls.severity,subsidy.annual,date," + ",".join(MEASURES)
    )
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["seeds"] == [1, 2]
    assert manifest["experiment"]["replications"] == 2
    assert manifest["horizon"] == {"first": 2020, "last": 2035}
    assert manifest["record"] == {"every": "year", "measures": MEASURES}
    assert set(manifest["scenarios"]) == {"published-2020", "no-controls"}
    assert (
        manifest["columns"]["chip_market"]["unit"]
        == catalogue(load_world("china-2020"))["chip_market"].unit
        == "bn yuan a year"
    )
    assert set(manifest["columns"]) >= set(rows[0]) | set(series[0])


@pytest.mark.parametrize("block_size", [1, 3, 32, 33])
def test_block_size_leaves_no_trace(question, undisturbed, tmp_path, block_size):
    expected = undisturbed()
    run_batch(question(), workers=1, out=tmp_path / "out", build=small, block_size=block_size)
    assert files(tmp_path / "out") == expected


def test_workers_leave_no_trace(question, undisturbed, tmp_path):
    expected = undisturbed()
    run_batch(question(), workers=2, out=tmp_path / "out", build=small, block_size=5)
    assert files(tmp_path / "out") == expected


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    block_sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    stops=st.lists(st.integers(0, 60), max_size=3),
    replications=st.tuples(st.integers(1, 3), st.integers(0, 3)),
)
def test_interruptions_and_extensions_leave_no_trace(question, undisturbed, tmp_path, block_sizes, stops, replications):
    first, more = replications
    expected = undisturbed(first + more)
    out = tmp_path / "out"
    shutil.rmtree(out, ignore_errors=True)
    for number, stop in enumerate(stops):
        with contextlib.suppress(KeyboardInterrupt):
            run_batch(
                question(first),
                workers=1,
                out=out,
                build=stopping(stop),
                block_size=block_sizes[number % len(block_sizes)],
            )
    run_batch(question(first + more), workers=1, out=out, build=small, block_size=block_sizes[-1])
    assert files(out) == expected


def test_a_stopped_run_by_hand(question, tmp_path):
    """The small model's share is 0.5 + 0.4 tanh(luck + quarter / 20) and is taken at the year's last quarter."""
    path = question(2, '[record]\nevery = "year"\n', '[stop]\nwhen = "domestic_supply_share >= 0.7"\n[record]\n')
    out = tmp_path / "out"
    assert run_batch(path, workers=1, out=out, build=small, block_size=5) == 0
    for row in records.read_rows(out / "runs.csv"):
        luck = np.sin(float(row["seed"])) + float(row["controls.severity"]) - float(row["subsidy.annual"]) / 700
        years = 0
        while 0.5 + 0.4 * np.tanh(luck + (4 * years + 3) / 20) < 0.7:
            years += 1
        dates = [r["date"] for r in records.read_rows(out / "series.csv") if r["run_id"] == row["run_id"]]
        assert dates == [f"{year}-12-31" for year in range(2020, 2021 + years)]
        assert float(row["domestic_supply_share@end"]) == pytest.approx(
            0.5 + 0.4 * np.tanh(luck + (4 * years + 3) / 20)
        )
        assert float(row["chip_market@sum"]) == pytest.approx((years + 1) * 1e3 * np.exp(luck))
        assert row["chip_market@2030"] == ""
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["experiment"]["stop"] == {"when": "domestic_supply_share >= 0.7"}


@pytest.mark.parametrize("every", ["quarter", "end"])
def test_a_stop_does_not_depend_on_what_is_recorded(question, tmp_path, every):
    whole = tmp_path / "whole"
    stop = '[stop]\nwhen = "domestic_supply_share >= 0.8"\n[record]\n'
    run_batch(question(2, "[record]\n", stop), workers=1, out=whole, build=small)
    out = tmp_path / "out"
    path = question(2, '[record]\nevery = "year"\n', stop + f'every = "{every}"\n')
    run_batch(path, workers=1, out=out, build=small, block_size=7)
    assert (out / "runs.csv").read_bytes() == (whole / "runs.csv").read_bytes()
    last = {row["run_id"]: row for row in records.read_rows(whole / "series.csv")}
    assert {row["run_id"]: row["date"] for row in records.read_rows(out / "series.csv")} == {
        run: row["date"] for run, row in last.items()
    }
    if every == "end":
        assert list(records.read_rows(out / "series.csv")) == list(last.values())


def test_parts_and_an_ensemble_leave_no_trace_of_blocks_and_interruptions(tmp_path):
    world = tmp_path / "world"
    shutil.copytree(load_world("china-2020").folder, world)
    (world / "ensemble.csv").write_text("parameter_set,subsidy.annual\n1,70\n2,140\n3,0\n")
    (tmp_path / "copy.toml").write_text(f'purpose = "A copy"\nextends = "published-2020"\nworld = "{world}"\n')
    path = tmp_path / "question.toml"
    path.write_text(
        'question = "Does it?"\nconfigs = ["copy.toml"]\nreplications = 2\nparameters = "ensemble"\n'
        '[parts.steps.factors]\n"controls.severity" = [0.0, 0.5]\n'
        '[parts.random]\ndesign = { kind = "latin-hypercube", samples = 3 }\n'
        'factors = { "investment.annual" = { low = 100, high = 200 } }\n'
        '[record]\nmeasures = ["domestic_supply_share", "chip_market", "price_index"]\n'
    )
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run_batch(path, workers=1, out=whole, build=small) == 0
    rows = list(records.read_rows(whole / "runs.csv"))
    assert len(rows) == 5 * 3 * 2
    assert [row["run_id"] for row in rows[:7]] == [
        *(f"copy-1-{parameter_set}-{seed}" for parameter_set in (1, 2, 3) for seed in (1, 2)),
        "copy-2-1-1",
    ]
    for row in rows:
        money = {"1": 70, "2": 140, "3": 0}[row["parameter_set"]]
        luck = np.sin(float(row["seed"])) + float(row["controls.severity"]) - money / 700
        assert float(row["chip_market@end"]) == pytest.approx(1e3 * np.exp(luck))
        assert row["part"] == ("steps" if int(row["run_id"].split("-")[1]) <= 2 else "random")
    for stop in (4, 9):
        with pytest.raises(KeyboardInterrupt):
            run_batch(path, workers=1, out=cut, build=stopping(stop), block_size=4)
    run_batch(path, workers=1, out=cut, build=small, block_size=3)
    assert files(cut) == files(whole)
    (world / "ensemble.csv").write_text("parameter_set,subsidy.annual\n1,70\n2,140\n3,1\n")
    with pytest.raises(BadInput, match="experiment.parameters.hash was .* and is now"):
        run_batch(path, workers=1, out=cut, build=forbidden)


def test_a_cut_off_batch_is_balanced_over_points(question, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_batch(question(), workers=1, out=out, build=stopping(48), block_size=6)
    [folder] = unfinished(out)
    done = [
        tuple(getattr(read_header(path.read_bytes())[0], key) for key in ("config", "first", "last"))
        for path in folder.glob("*.block")
    ]
    # 6 points: runs 1 to 24 of each config are all points with seeds 1 to 4
    assert sorted(done) == [
        (config, first, first + 5) for config in ("no-controls", "published-2020") for first in (1, 7, 13, 19)
    ]


def test_block_size_and_workers_leave_no_trace_in_the_real_model(tmp_path):
    """33 runs over luck, controls and subsidy in blocks of 32 and 33; six of them one by one, and by two workers."""

    def result(replications, block_size, workers):
        path, out = tmp_path / "real.toml", tmp_path / f"{replications}-{block_size}"
        path.write_text(
            f'question = "Does it?"\nconfigs = ["historic"]\nreplications = {replications}\n'
            '[design]\nkind = "list"\npoints = [{}, { "controls.severity" = 0.5 }, { "subsidy.annual" = 200 }]\n'
            '[record]\nevery = "quarter"\nmeasures = "all"\n'
        )
        assert run_batch(path, workers=workers, out=out, block_size=block_size) == 0
        return files(out)

    all_but_one, together = result(11, 32, 1), result(11, 33, 1)
    alone, shared_out = result(2, 1, 1), result(2, 4, 2)
    assert together == all_but_one and shared_out == alone
    for few, many, rows in ((alone[0], together[0], 6), (alone[1], together[1], 6 * 64)):
        assert len(few.splitlines()) == 1 + rows
        assert set(few.splitlines()) < set(many.splitlines())


def test_finished_twice_redoes_nothing(question, tmp_path, capsys):
    out = tmp_path / "out"
    run_batch(question(), workers=1, out=out, build=small)
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.iterdir()}
    assert run_batch(question(), workers=1, out=out, build=forbidden) == 0
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.iterdir()} == before
    said = capsys.readouterr()
    assert "is finished: 72 runs; nothing to do" in said.err
    assert said.out == ""


def test_what_is_finished_is_not_run_again(question, undisturbed, tmp_path, capsys):
    expected = undisturbed()
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_batch(question(), workers=1, out=out, build=stopping(40), block_size=7)
    assert not (out / "manifest.json").exists()
    seen = []

    def counting(scenarios, seeds, measures, until):
        seen.append(seeds)
        return small(scenarios, seeds, measures, until)

    capsys.readouterr()
    run_batch(question(), workers=1, out=out, build=counting, block_size=4)
    assert sum(map(len, seen)) == 72 - 35
    first = [seeds[0] for seeds in seen]
    assert first == sorted(first)  # the lowest seeds first: a batch that is cut off is balanced
    assert "35 of them are done; the other 37 are run now." in capsys.readouterr().err
    assert files(out) == expected


def test_more_replications_run_only_what_is_new(question, undisturbed, tmp_path):
    expected = undisturbed(12)
    out = tmp_path / "out"
    run_batch(question(10), workers=1, out=out, build=small)
    seen = []

    def counting(scenarios, seeds, measures, until):
        seen.extend(seeds)
        return small(scenarios, seeds, measures, until)

    run_batch(question(12), workers=1, out=out, build=counting)
    assert sorted(set(seen)) == [11, 12] and len(seen) == 2 * 6 * 2
    assert files(out) == expected
    with pytest.raises(BadInput, match="replications = 10: the batch there has 12; give as many or more"):
        run_batch(question(10), workers=1, out=out, build=forbidden)
    assert files(out) == expected


def test_interrupted_extension_goes_on(question, undisturbed, tmp_path):
    expected = undisturbed(8)
    out = tmp_path / "out"
    run_batch(question(3), workers=1, out=out, build=small)
    finished = (out / "runs.csv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run_batch(question(8), workers=1, out=out, build=stopping(20), block_size=6)
    assert (out / "runs.csv").read_bytes() == finished
    with pytest.raises(BadInput, match="replications = 7: the batch there has 8"):
        run_batch(question(7), workers=1, out=out, build=forbidden)
    run_batch(question(8), workers=1, out=out, build=small)
    assert files(out) == expected


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_killed_while_the_result_is_moved_into_place(question, undisturbed, tmp_path, monkeypatch, moved):
    expected = undisturbed(5)
    out = tmp_path / "out"
    run_batch(question(3), workers=1, out=out, build=small)
    move = os.replace
    left = moved

    def killed(source, target):
        nonlocal left
        if Path(target).parent == out:
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
        move(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run_batch(question(5), workers=1, out=out, build=small)
    assert run_batch(question(5), workers=1, out=out, build=forbidden) == 0
    assert files(out) == expected


def interrupted(question, out, build=None):
    with pytest.raises(KeyboardInterrupt):
        run_batch(question(), workers=1, out=out, build=build or stopping(40), block_size=4)
    [folder] = unfinished(out)
    return sorted(folder.glob("*.block"))


def test_damaged_blocks_are_done_again_and_said(question, undisturbed, tmp_path, capsys):
    expected = undisturbed()
    out = tmp_path / "out"
    blocks = interrupted(question, out)
    assert len(blocks) == 10
    blocks[0].write_bytes(blocks[0].read_bytes()[:-20])
    blocks[1].write_bytes(b"")
    blocks[2].write_bytes(blocks[2].read_bytes().replace(b"0.", b"1.", 1))
    (blocks[0].parent / "4-0000001-0000002.block").write_bytes(b"not ours\n")
    (blocks[0].parent / f"{blocks[3].name}.123.aside").write_bytes(b"half")
    (blocks[0].parent / "notes.txt").write_text("a foreign file")
    capsys.readouterr()
    run_batch(question(), workers=1, out=out, build=small)
    said = capsys.readouterr().err
    for path in (*blocks[:3], "4-0000001-0000002.block"):
        assert f"{path}: is damaged or of another batch; its runs are done again" in said.replace(
            f"{blocks[0].parent}/4", "4"
        )
    assert "notes.txt: is not a block of this batch; it is neither read nor removed" in said
    assert "28 of them are done" in said
    shutil.rmtree(blocks[0].parent)  # the foreign file keeps it there
    assert files(out) == expected


def test_block_of_another_batch_is_not_joined(question, undisturbed, tmp_path):
    expected = undisturbed()
    other, out = tmp_path / "other", tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_batch(question(6, "100.0", "200.0"), workers=1, out=other, build=stopping(40), block_size=4)
    blocks = interrupted(question, out)
    [foreign] = unfinished(other)
    shutil.copy(foreign / blocks[0].name, blocks[0])
    run_batch(question(), workers=1, out=out, build=small)
    assert files(out) == expected


@pytest.mark.parametrize("name", ["runs.csv", "series.csv"])
def test_damaged_result_is_done_again_and_said(question, undisturbed, tmp_path, capsys, name):
    expected = undisturbed()
    out = tmp_path / "out"
    run_batch(question(), workers=1, out=out, build=small)
    (out / name).write_bytes((out / name).read_bytes()[:-1])
    run_batch(question(), workers=1, out=out, build=small)
    size = (out / name).stat().st_size
    said = f"{out / name}: has {size - 1} bytes, and {size} were written; its runs are done again"
    assert said in capsys.readouterr().err
    assert files(out) == expected


CHANGES = [
    ("[0, 0.25, 0.5]", "[0, 0.25, 0.75]", "experiment.factors.controls.severity"),
    ('every = "year"', 'every = "quarter"', 'record.every was "year" and is now "quarter"'),
    ('"no-controls"]', '"historic"]', "experiment.configs"),
    ('"chip_market", "price_index"', '"price_index", "chip_market"', "record.measures"),
    (
        '"controls.severity" = [0, 0.25, 0.5]\n"subsidy.annual" = [0.0, 100.0]',
        '"subsidy.annual" = [0.0, 100.0]\n"controls.severity" = [0, 0.25, 0.5]',
        "experiment.swept",
    ),
]


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "unfinished"])
@pytest.mark.parametrize(("old", "new", "words"), CHANGES, ids=[words for _, _, words in CHANGES])
def test_changed_experiment_is_refused(question, tmp_path, finished, old, new, words):
    out = tmp_path / "out"
    if finished:
        run_batch(question(), workers=1, out=out, build=small)
    else:
        interrupted(question, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(BadInput, match="--fresh starts over and keeps the old one") as fault:
        run_batch(question(6, old, new), workers=1, out=out, build=forbidden)
    assert words in str(fault.value)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_changed_config_program_and_arithmetic_are_refused(tmp_path, monkeypatch):
    config = tmp_path / "mine.toml"
    config.write_text('purpose = "Mine"\nextends = "published-2020"\n[subsidy]\nannual = 100\n')
    path = tmp_path / "question.toml"
    path.write_text(
        'question = "Does it?"\nconfigs = ["mine.toml"]\nreplications = 2\n'
        '[record]\nmeasures = ["domestic_supply_share", "chip_market", "price_index"]\n'
    )
    out = tmp_path / "out"
    run_batch(path, workers=1, out=out, build=small)
    run_batch(path, workers=1, out=out, build=forbidden)
    for name in ("program_hash", "arithmetic_fingerprint"):
        with monkeypatch.context() as patch:
            patch.setattr(provenance, name, lambda: "another")
            with pytest.raises(BadInput, match=f'{name.removesuffix("_fingerprint")} was .* and is now "another"'):
                run_batch(path, workers=1, out=out, build=forbidden)
    with monkeypatch.context() as patch:
        files = {**provenance.program_files(), "markets/chips.py": "another"}
        patch.setattr(provenance, "program_files", lambda: files)
        with pytest.raises(BadInput, match='program.markets/chips.py was .* and is now "another"'):
            run_batch(path, workers=1, out=out, build=forbidden)
    config.write_text('purpose = "Mine"\nextends = "published-2020"\n[subsidy]\nannual = 150\n')
    with pytest.raises(BadInput, match=r"scenarios.mine.values.subsidy.annual was 100.0 and is now 150.0"):
        run_batch(path, workers=1, out=out, build=forbidden)


def test_a_changed_world_is_refused_by_the_name_of_its_file(tmp_path):
    world = tmp_path / "world"
    shutil.copytree(load_world("china-2020").folder, world)
    (tmp_path / "copy.toml").write_text(f'purpose = "A copy"\nextends = "published-2020"\nworld = "{world}"\n')
    path = tmp_path / "question.toml"
    path.write_text('question = "Does it?"\nconfigs = ["copy.toml"]\nreplications = 1\n')
    out = tmp_path / "out"
    command = [sys.executable, "-m", "sim", "batch", str(path), "--out", str(out)]
    assert subprocess.run(command, capture_output=True).returncode == 0
    table = world / "states.csv"
    table.write_text(table.read_text().replace("NLD,Netherlands,ally", "NLD,Netherlands,neutral"))
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 2
    assert re.search(r"worlds\..*\.tables\.states\.csv was .* and is now", again.stderr)
    assert "chip_firms.csv" not in again.stderr


def test_fresh_starts_beside_the_old(question, undisturbed, tmp_path, capsys):
    expected = undisturbed()
    out = tmp_path / "out"
    run_batch(question(2), workers=1, out=out, build=small)
    old = files(out)
    run_batch(question(), workers=1, out=out, fresh=True, build=small)
    assert f"The old result is kept in {tmp_path / 'out.1'}." in capsys.readouterr().err
    assert (files(out), files(tmp_path / "out.1")) == (expected, old)
    run_batch(question(), workers=1, out=out, fresh=True, build=small)
    assert (files(out), files(tmp_path / "out.2")) == (expected, expected)


def test_foreign_folder_is_refused_also_when_fresh(question, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    for fresh in (False, True):
        with pytest.raises(BadInput, match="holds 'thesis.tex' and is no result folder"):
            run_batch(question(), workers=1, out=out, fresh=fresh, build=forbidden)
    assert sorted(os.listdir(tmp_path)) == ["out", "question.toml"]
    with pytest.raises(BadInput, match="--workers = 0"):
        run_batch(question(), workers=0, out=tmp_path / "other", build=forbidden)


def test_two_batches_on_the_same_folder(question, undisturbed, tmp_path):
    """The second is refused with a sentence, and the first is not disturbed."""
    expected = undisturbed(8)
    path, out = question(8), tmp_path / "out"
    first = started_batch(path, out, "slow", 1)
    wait_until(lambda: len(list(out.glob(".blocks-*/*.block"))) > 1)
    for fresh in (False, True):
        with pytest.raises(BadInput, match=f"out: another batch is writing there .process {first.pid} on .*; wait"):
            run_batch(path, workers=1, out=out, fresh=fresh, build=forbidden)
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert files(out) == expected


def test_a_lock_that_was_left_behind_means_nothing(question, undisturbed, tmp_path):
    expected = undisturbed()
    out = tmp_path / "out"
    out.mkdir()
    (out / LOCK).write_text("process 1 on another machine\n")
    run_batch(question(), workers=1, out=out, build=small)
    assert files(out) == expected


def test_foreign_files_are_neither_read_nor_removed(question, undisturbed, tmp_path, capsys):
    expected = undisturbed()
    out = tmp_path / "out"
    [block, *_] = interrupted(question, out)
    foreign = [out / "thesis.tex", block.parent / "notes.txt", block.parent / "9.block" / "deep.txt"]
    foreign[2].parent.mkdir()
    for path in foreign:
        path.write_text("mine")
    capsys.readouterr()
    assert run_batch(question(), workers=1, out=out, build=small) == 0
    assert (
        f"{block.parent / '9.block'}: is not a block of this batch; it is neither read nor removed"
        in capsys.readouterr().err
    )
    assert [path.read_text() for path in foreign] == ["mine"] * 3
    assert run_batch(question(), workers=1, out=out, build=forbidden) == 0
    foreign[0].unlink()
    shutil.rmtree(block.parent)
    assert files(out) == expected


def test_a_clock_that_jumps(question, undisturbed, tmp_path, monkeypatch):
    """No date decides what is done again: neither the clock's nor the files'."""
    expected = undisturbed()
    out = tmp_path / "out"
    blocks = interrupted(question, out)
    os.utime(blocks[0], (0, 0))
    os.utime(blocks[1], (2**32, 2**32))
    seen = []

    def counting(scenarios, seeds, measures, until):
        seen.extend(seeds)
        clock = time.time
        monkeypatch.setattr(time, "time", lambda: clock() + (-1) ** len(seen) * 10**7)
        return small(scenarios, seeds, measures, until)

    run_batch(question(), workers=1, out=out, build=counting, block_size=4)
    assert len(seen) == 72 - 40
    assert files(out) == expected


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a fixed size; the test is skipped where none can be mounted."""
    mounted = []

    def mount(size, *options):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            done = False
        if not done:
            pytest.skip("no file system can be mounted here")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_and_then_made_larger(question, undisturbed, small_disk, monkeypatch):
    expected = undisturbed(30)
    disk = small_disk("200k")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 0, 10**9))
    with pytest.raises(BadInput, match="there is no space left; what is finished is kept"):
        run_batch(question(30), workers=1, out=disk / "out", build=small, block_size=4)
    kept = len(list(disk.glob("out/.blocks-*/*.block")))
    assert kept > 3 and not list(disk.glob("out/.blocks-*/*.aside"))
    subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
    seen = []

    def counting(scenarios, seeds, measures, until):
        seen.extend(seeds)
        return small(scenarios, seeds, measures, until)

    assert run_batch(question(30), workers=1, out=disk / "out", build=counting, block_size=4) == 0
    assert len(seen) == 360 - 4 * kept
    assert files(disk / "out") == expected


def test_a_disk_that_cannot_be_written(question, undisturbed, small_disk):
    expected = undisturbed()
    disk = small_disk("10m")
    interrupted(question, disk / "out")
    before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(BadInput, match="cannot be written: Read-only file system; give another --out"):
        run_batch(question(), workers=1, out=disk / "out", build=forbidden)
    assert {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()} == before
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert run_batch(question(), workers=1, out=disk / "out", build=small) == 0
    assert files(disk / "out") == expected


def test_failing_run_is_recorded_and_its_neighbours_keep_their_bytes(question, undisturbed, tmp_path, capsys):
    whole_rows, whole_series, _ = undisturbed(3)
    out = tmp_path / "out"
    assert run_batch(question(3), workers=1, out=out, build=unlucky) == 1
    assert "Run published-2020-3-0-2 failed: RuntimeError: the accounts do not close, seed 2" in capsys.readouterr().err
    failed = [f"{config}-{point}-0-2" for config in ("no-controls", "published-2020") for point in (3, 4)]
    assert json.loads((out / "manifest.json").read_text())["failures"] == dict.fromkeys(
        failed, "RuntimeError: the accounts do not close, seed 2"
    )
    for row, whole in zip((out / "runs.csv").read_bytes().splitlines(), whole_rows.splitlines(), strict=True):
        run_id = row.split(b",")[0].decode()
        if run_id in failed:
            cells = row.split(b",")
            assert cells[6] == b"failed" and set(cells[7:]) == {b""} and len(cells) == len(whole.split(b","))
        else:
            assert row == whole
    assert (out / "series.csv").read_bytes().splitlines() == [
        line for line in whole_series.splitlines() if line.split(b",")[0].decode() not in failed
    ]
    assert run_batch(question(3), workers=1, out=out, build=forbidden) == 1


def test_a_sweep_over_which_firms_there_are_holds_runs_together(tmp_path):
    """Runs that cannot share a model are separated, and not run one by one."""
    held = []

    def counting(scenarios, seeds, measures, until):
        assert len({scenario.frame for scenario in scenarios}) == 1
        held.append(len(seeds))
        return SmallModel(scenarios, seeds, measures, until)

    path = tmp_path / "question.toml"
    path.write_text(
        'question = "Does it?"\nconfigs = ["published-2020"]\nreplications = 5\n'
        '[factors]\n"controls.severity" = [0.0, 0.5]\n"mechanisms.entry" = [true, false]\n'
        '[record]\nmeasures = ["domestic_supply_share", "chip_market", "price_index"]\n'
    )
    assert run_batch(path, workers=1, out=tmp_path / "out", build=counting) == 0
    assert held == [10, 10]
    rows = (tmp_path / "out" / "runs.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == [
        f"published-2020-{p}-0-{s}" for p in range(1, 5) for s in range(1, 6)
    ]


def test_failed_runs_stay_failed_in_an_extension(question, undisturbed, tmp_path):
    expected = undisturbed(4, build=unlucky)
    out = tmp_path / "out"
    assert run_batch(question(2), workers=1, out=out, build=unlucky) == 1
    assert run_batch(question(4), workers=1, out=out, build=unlucky) == 1
    assert files(out) == expected


def test_dead_worker_is_replaced(question, undisturbed, tmp_path, capsys):
    expected = undisturbed()
    build = functools.partial(deadly_once, tmp_path / "mark")
    assert run_batch(question(), workers=2, out=tmp_path / "out", build=build, block_size=4) == 0
    assert (tmp_path / "mark").exists()
    assert "A worker died; its job is run again." in capsys.readouterr().err
    assert files(tmp_path / "out") == expected


def test_workers_may_die_often_while_blocks_are_finished(question, undisturbed, tmp_path):
    expected = undisturbed()
    calls = tmp_path / "calls"
    calls.mkdir()
    build = functools.partial(deadly_now_and_then, calls)
    assert run_batch(question(), workers=2, out=tmp_path / "out", build=build, block_size=4) == 0
    assert files(tmp_path / "out") == expected


def test_workers_that_always_die_end_the_batch_and_lose_nothing(question, undisturbed, tmp_path, capsys):
    expected = undisturbed()
    out = tmp_path / "out"
    assert run_batch(question(), workers=2, out=out, build=deadly, block_size=4) == 1
    assert "Workers died 3 times in a row" in capsys.readouterr().err
    assert len(list(out.glob(".blocks-*/*.block"))) > 0
    run_batch(question(), workers=1, out=out, build=small)
    assert files(out) == expected


def test_full_disk_keeps_what_is_finished(question, undisturbed, tmp_path, monkeypatch):
    expected = undisturbed()
    out = tmp_path / "out"
    written = 0
    sync = os.fsync

    def filling(handle):
        nonlocal written
        written += 1
        if written > 11:
            raise OSError(28, "No space left on device")
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", filling)
        with pytest.raises(BadInput, match="no space left; what is finished is kept"):
            run_batch(question(), workers=1, out=out, build=small, block_size=4)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
        with pytest.raises(BadInput, match="needs about .* and 1 kB are free"):
            run_batch(question(), workers=1, out=out, build=forbidden)
    run_batch(question(), workers=1, out=out, build=small)
    assert files(out) == expected


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")


@needs_proc
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment_it_goes_on(question, undisturbed, tmp_path, workers):
    expected = undisturbed(8)
    path, out = question(8), tmp_path / "out"
    luck = random.Random(workers)
    done = 0
    for _ in range(2):
        process = started_batch(path, out, "slow", workers)
        wait_until(lambda done=done: len(list(out.glob(".blocks-*/*.block"))) > done)
        time.sleep(luck.uniform(0, 0.2))
        process.kill()
        process.communicate(timeout=90)
        wait_until(lambda process=process: not children(process.pid))  # no worker outlives its parent
        assert len(list(out.glob(".blocks-*/*.block"))) > done
        done = len(list(out.glob(".blocks-*/*.block")))
    run_batch(path, workers=1, out=out, build=small)
    assert files(out) == expected


@needs_proc
def test_ctrl_c_keeps_what_is_finished_and_ends_the_workers(question, undisturbed, tmp_path):
    expected = undisturbed(8)
    path, out = question(8), tmp_path / "out"
    process = started_batch(path, out, "slow", 2)
    wait_until(lambda: len(list(out.glob(".blocks-*/*.block"))) > 2)
    for worker in set(children(process.pid)) - {process.pid}:  # Ctrl-C is the parent's business
        os.kill(worker, signal.SIGINT)
    before = len(list(out.glob(".blocks-*/*.block")))
    wait_until(lambda: len(list(out.glob(".blocks-*/*.block"))) > before + 4)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=90)
    assert process.returncode == -signal.SIGINT and said.rstrip().endswith("KeyboardInterrupt")
    assert said.count("Traceback") == 1  # none from the workers
    wait_until(lambda: not children(process.pid))
    kept = len(list(out.glob(".blocks-*/*.block")))
    assert 2 < kept < 24
    run_batch(path, workers=1, out=out, build=small)
    assert files(out) == expected


def test_it_says_what_it_will_do_before_it_starts(question, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress.Progress, "SECONDS", 0.0)
    run_batch(question(), workers=1, out=tmp_path / "out", build=small, block_size=6)
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert lines[0].startswith("question: 72 runs (configs 2, points 6, seeds 6; workers 1), about 1")
    assert re.fullmatch(r"question: 6 of 72 runs, \d+ s left", lines[1])
    assert said.out == ""


@pytest.mark.parametrize("every", ["quarter", "year", "end"])
def test_the_size_said_is_about_the_size_written(question, tmp_path, every):
    path = question(6, 'every = "year"', f'every = "{every}"')
    run_batch(path, workers=1, out=tmp_path / "out", build=small)
    written = sum((tmp_path / "out" / name).stat().st_size for name in ("runs.csv", "series.csv"))
    assert cost.size_on_disk(load_experiment(path), 3) == pytest.approx(written, rel=0.5)


def test_duration():
    assert [cost.duration(seconds) for seconds in (0.4, 59.6, 61, 3600 + 119)] == [
        "0 s",
        "1 min 0 s",
        "1 min 1 s",
        "1 h 1 min",
    ]


def test_long_durations_and_large_sizes_are_in_units_of_their_own():
    """By hand: 10^14 runs at 5 ms are 5 x 10^11 s; a year has 31,557,600 s."""
    assert [cost.duration(3 * 86_400), cost.duration(5e11)] == ["3 days", "15,844 years"]
    assert [cost.size(2.5e12), cost.size(2e15), cost.size(3e21)] == ["2.5 TB", "2.0 PB", "3,000 EB"]


FACTORS = ("subsidy.annual", "controller_subsidy.annual", "investment.annual", "controls.severity", "mandate.domestic")


@pytest.mark.parametrize(("factors", "runs"), [(2, 10**14), (4, 10**22), (5, 10**26)])
def test_a_sweep_of_any_size_is_planned_from_its_counts(tmp_path, capsys, factors, runs):
    """Levels to the power of factors, times a million seeds; what no disk holds is refused before it begins."""
    path = tmp_path / "huge.toml"
    levels = "".join(f'"{key}" = {{ low = 0.0, high = 1.0, levels = 10000 }}\n' for key in FACTORS[:factors])
    path.write_text(
        f'question = "?"\nconfigs = ["published-2020"]\nreplications = 1000000\n[factors]\n{levels}'
        '[record]\nevery = "end"\n'
    )
    experiment = load_experiment(path)
    assert experiment.run_count == runs
    assert "years on one processor and" in cost.long_or_large(experiment)
    tracemalloc.start()
    with pytest.raises(BadInput, match=f"has {runs} runs, about .* years on 2 processors .* fewer levels"):
        run_batch(experiment, workers=2, out=tmp_path / "out")
    assert tracemalloc.get_traced_memory()[1] < 10e6 and not (tmp_path / "out").exists()
    tracemalloc.stop()


def test_a_sweep_of_days_says_so_before_it_starts(question, tmp_path, capsys, monkeypatch):
    """72 runs at 10^4 s each are 720,000 s, on two processors 360,000 s: 4 days."""
    monkeypatch.setattr(cost, "SECONDS_A_RUN", 1e4)
    run_batch(question(), workers=2, out=tmp_path / "out", build=small)
    assert capsys.readouterr().err.splitlines()[1].startswith("That takes about 4 days on 2 processors")


def test_one_run_has_the_format_of_a_batch(tmp_path, question):
    scenario = load_config("published-2020").with_values({"controls.severity": 0.25, "subsidy.annual": 100})
    model = SmallModel([scenario], [2], MEASURES, 2030)
    while model.running:
        model.step()
    out = tmp_path / "published-2020-2"
    write_run(model, scenario, Run("published-2020", 1, {}, 0, 2), out)
    write_run(model, scenario, Run("published-2020", 1, {}, 0, 2), out)
    files(out)
    [row] = records.read_rows(out / "runs.csv")
    assert row["run_id"] == "published-2020-1-0-2"
    assert row["chip_market@end"] == row["chip_market@2030"]
    assert len(list(records.read_rows(out / "series.csv"))) == 44
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["experiment"] is None and manifest["seeds"] == [2]
    assert manifest["horizon"] == {"first": 2020, "last": 2030}
    assert manifest["scenarios"]["published-2020"]["values"]["controls.severity"] == 0.25
    with pytest.raises(BadInput, match="holds another batch"):
        run_batch(question(), workers=1, out=out, build=forbidden)


def test_blocks_are_even_where_there_is_work_for_several():
    """800 runs, 2 workers, at most 96: five blocks each, 80 runs a block; what fits into one round is not cut up."""
    from sim.batch.run import even_size

    assert even_size(800, 2, 96) == 80
    assert even_size(100_000, 2, 96) == 96
    assert even_size(20, 2, 96) == 96
    assert even_size(193, 2, 96) == 49
    assert even_size(0, 2, 96) == 96
