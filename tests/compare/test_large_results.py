"""Folders of 10,000 runs and 16 years: time against pandas, memory, and time of the statistics."""

import subprocess
import sys

import numpy as np
import pytest
from support.made_results import file_facts, manifest, signed

from sim.measures import HEADLINE, catalogue
from sim.results import records
from sim.world.world import load_world

pytestmark = pytest.mark.long

RUNS = 10_000
DATES = [f"{year}-12-31" for year in range(2020, 2036)]
READING = """
import sys, time, statistics
import pandas as pd
from sim.compare.pairing import pair_runs
from sim.compare.results import read_results, with_series
from sim.measures import HEADLINE
folders = sys.argv[1:]
def plain():
    return [pd.read_csv(f"{folder}/{name}") for folder in folders for name in ("runs.csv", "series.csv")]
def ours():
    return pair_runs(*(with_series(result, HEADLINE) for result in read_results(folders)))
ratios = []
for _ in range(7):
    times = []
    for read in (plain, ours):
        start = time.perf_counter()
        kept = read()
        times.append(time.perf_counter() - start)
        del kept
    ratios.append(times[1] / times[0])
print(statistics.median(ratios))
"""
COMPARING = """
import resource, sys, time
from sim.compare.question import Question, compare
from sim.compare.rendering import render
start = time.perf_counter()
found = compare(sys.argv[1:], Question(reach=["domestic_supply_share>=1.1"]))
assert len(found.rows) == 20 and found.rows[0].n_pairs == 10_000 and len(found.over_time) == 320
render(found, "html")
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Two results of made-up numbers, with the columns and the size of a real batch."""
    known = catalogue(load_world("china-2020"))
    kinds = {name: known[name].kind for name in HEADLINE}
    folders = []
    for number in (1, 2):
        folder = tmp_path_factory.mktemp("large") / f"config-{number}"
        folder.mkdir()
        luck, own = np.random.default_rng(99), np.random.default_rng(number)
        with (folder / "runs.csv").open("w") as runs, (folder / "series.csv").open("w") as series:
            runs.write(records.line(records.runs_columns([], kinds)))
            series.write(records.line(records.series_columns([], list(kinds))))
            for seed in range(1, RUNS + 1):
                shape = (1, len(DATES), len(kinds))
                values = 1 + 0.01 * number + 0.1 * luck.normal(size=shape) + 0.02 * own.normal(size=shape)
                keys = [f"config-{number}-1-0-{seed}", f"config-{number}", 0, seed]
                [outcomes] = records.outcomes(kinds, DATES, values, [""], np.array([len(DATES)]))
                runs.write(records.runs_row(keys, "done", outcomes))
                series.write(records.series_rows(keys, DATES, values[0]))
        files = {name: file_facts((folder / name).read_text()) for name in ("runs.csv", "series.csv")}
        (folder / "manifest.json").write_text(signed(manifest(files=files, columns={})))
        folders.append(folder)
    return folders


def answer(code, folders):
    said = subprocess.run([sys.executable, "-c", code, *map(str, folders)], capture_output=True, text=True, check=True)
    return [float(number) for number in said.stdout.split()]


def test_reading_and_pairing_take_less_than_twice_what_pandas_takes(large):
    [ratio] = answer(READING, large)
    assert ratio < 2


def test_all_statistics_within_a_minute_and_a_gigabyte(large):
    seconds, gigabytes = answer(COMPARING, large)
    assert seconds < 60 and gigabytes < 1
