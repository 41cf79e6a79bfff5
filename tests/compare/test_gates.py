"""A gate passes only where what it asks was answered: else it trips, or ends with exit code 3."""

import json

import numpy as np
import pytest
from support.made_results import IMPORTS, MARKET, NAN, SHARE, Maker, table, write
from typer.testing import CliRunner

from sim.cli import app
from sim.compare.question import Question, compare, trips, unjudged
from sim.errors import BadInput

LUCK = np.random.default_rng(11).normal(size=12)


@pytest.fixture
def made(tmp_path):
    return Maker(tmp_path)


def gate(paths, *options):
    """The exit code of compare, and what it says."""
    said = CliRunner().invoke(app, ["compare", *map(str, paths), "--format", "csv", *options])
    return said.exit_code, said.stderr


def result(folder, name, columns, **changes):
    count = len(next(iter(columns.values())))
    runs = [(n + 1, (), {column: values[n] for column, values in columns.items()}) for n in range(count)]
    return write(folder / name, table(runs), **changes)


def test_a_candidate_that_lost_every_value(made):
    paths = made.pair(LUCK, [NAN] * 12)
    code, said = gate(paths, "--fail-on", "worse")
    assert code == 3
    assert (
        "--fail-on worse: cannot be judged: domestic_supply_share@final of candidate1 has no value to compare" in said
    )
    assert gate(paths, "--fail-on", "any")[0] == gate(paths, "--fail-on", "inconclusive")[0] == 1
    assert gate(paths)[0] == 0  # without a gate it is an answer


def test_a_candidate_that_never_recorded_a_measure(tmp_path):
    base = result(tmp_path, "base", {SHARE: LUCK, IMPORTS: 2 * LUCK})
    candidate = result(tmp_path, "candidate", {SHARE: LUCK + 1 + LUCK[::-1] / 9})
    for paths in ((base, candidate), (candidate, base)):
        said = gate(paths, "--fail-on", "any" if paths[0] == base else "inconclusive")[1]
        assert "chip_imports@end is not recorded in candidate: not compared" in said
    assert gate((base, candidate), "--fail-on", "worse")[0] == 3
    assert gate((base, candidate), "--fail-on", "worse", "--measure", "domestic_supply_share")[0] == 0


def test_a_measure_that_is_lost_at_one_date_only(tmp_path):
    base = result(tmp_path, "base", {SHARE: LUCK, "domestic_supply_share@2030": LUCK})
    candidate = result(tmp_path, "candidate", {SHARE: LUCK + LUCK[::-1], MARKET: LUCK})
    found = compare([base, candidate], Question())
    assert found.lost == ["chip_market@end is not recorded in base: not compared"]


def test_bare_tables_have_no_direction(made):
    paths = [folder / "runs.csv" for folder in made.pair(LUCK, LUCK - 1 + LUCK[::-1] / 9)]
    code, said = gate(paths, "--fail-on", "worse")
    assert code == 3 and "has no direction that is better; give result folders, whose manifests say it" in said
    assert gate(paths, "--fail-on", "any")[0] == 1
    assert gate([paths[0], paths[0]], "--fail-on", "worse")[0] == 0  # what is the same is not worse either way


def test_nothing_that_could_be_worse(made):
    code, said = gate(made.pair(LUCK, LUCK - 1 + LUCK[::-1] / 9, MARKET), "--fail-on", "worse")
    assert code == 3 and "no measure that was compared can be worse" in said


def test_nothing_that_was_compared(made):
    paths = made.pair([NAN] * 12, [NAN] * 12)
    for name in ("worse", "any", "inconclusive"):
        code, said = gate(paths, "--fail-on", name)
        assert code == 3 and f"--fail-on {name}: cannot be judged: nothing was compared" in said


@pytest.mark.parametrize(
    ("base", "candidate"),
    [([0.5], [0.5]), ([0.5], [0.2]), ([0.5] * 4, [0.5] * 4), (LUCK, [*LUCK[:-1], 9.0])],
    ids=["one equal pair", "one pair", "few equal pairs", "one pair of twelve differs"],
)
def test_pairs_that_give_no_interval(made, base, candidate):
    found = compare(made.pair(base, candidate), Question())
    assert [row.verdict for row in found.rows] == ["inconclusive"] and found.rows[0].diff_lo is None
    assert trips(found, ["worse", "any"]) == []
    assert [text[:30] for text in unjudged(found, ["worse", "any"])] == [
        "--fail-on worse: cannot be jud",
        "--fail-on any: cannot be judge",
    ]
    assert trips(found, ["inconclusive"])


def test_a_gate_that_is_tripped_goes_before_one_that_is_open(tmp_path):
    base = result(tmp_path, "base", {SHARE: LUCK, IMPORTS: LUCK})
    worse = result(tmp_path, "worse", {SHARE: LUCK - 1 + LUCK[::-1] / 9, IMPORTS: [NAN] * 12})
    code, said = gate((base, worse), "--fail-on", "worse")
    assert code == 1 and "--fail-on worse: domestic_supply_share@final of " in said and "cannot be judged" in said


@pytest.mark.parametrize("name", ["domestic_supply_shar", "chip_imports.memory", "domestic_supply_share@2030"])
def test_a_margin_of_what_is_not_there_is_a_sentence(made, name):
    code, _ = gate(made.pair(LUCK, LUCK), "--margin", f"{name}=0.5")
    said = CliRunner().invoke(app, ["compare", *map(str, made.pair(LUCK, LUCK)), "--margin", f"{name}=0.5"])
    assert code != 0 and isinstance(said.exception, BadInput)
    assert f"--margin = '{name}': is no measure of" in str(said.exception)
    assert "must be a measure, one of its slices or a target of --reach" in str(said.exception)


def test_a_margin_of_a_target(made):
    dates = [f"{year}-12-31" for year in range(2020, 2025)]
    values = {seed: [0.1, 0.2, 0.3, 0.4, 0.5] for seed in range(1, 41)}
    base = made.over_time("base", values, dates)
    options = ["--reach", "domestic_supply_share>=0.45", "--format", "json"]
    for margin, verdict in (("0.10", "equivalent"), ("0.05", "inconclusive")):
        said = CliRunner().invoke(
            app, ["compare", str(base), str(base), *options, "--margin", f"domestic_supply_share >= 0.45={margin}"]
        )
        [row] = json.loads(said.stdout)["reach"]
        # 1 and 1 of 42: 1.96 x sqrt(2/42 / 42) = 0.066
        assert (row["verdict"], row["diff_hi"]) == (verdict, pytest.approx(0.066, abs=1e-3))
