"""A future has the bytes that a batch gives, whatever is held, let go, run together or alone."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from sim.batch.run import run_batch
from sim.futures import answer, keep, past
from sim.futures.answers import read_request
from sim.futures.past import Moments, run
from sim.futures.sets import pairs, parameter_sets
from sim.scenario.loading import load_config

COUNT = 3
CUT = {"by": "USA", "target": "CHN", "kind": "control", "scope": ["lithography"], "lines": ["memory"], "severity": 0.9}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Three futures in place of 32."""
    for module in ("keep", "answers"):
        monkeypatch.setattr(f"sim.futures.{module}.FIRST", COUNT)


def cells(values):
    return [["" if np.isnan(value) else repr(value) for value in row] for row in values.tolist()]


@pytest.mark.parametrize(
    "request_",
    [
        {
            "config": "historic",
            "from": "2027-Q1",
            "set": {"subsidy.annual": 200, "mandate.domestic": 0.3},
            "acts": ["truce"],
        },
        {"config": "historic", "from": "2024-Q1", "set": {"mandate.tools": 0.2}, "acts": [CUT], "seed": 5},
        {"config": "us-alone", "from": "2022-Q1", "set": {"controls.severity": 0.5}},
        {
            "config": "no-controls",
            "from": "2026-Q1",
            "acts": ["full-cutoff"],
            "set": {"controls.mode": "events", "controls.severity": 1},
        },
        {"config": "reactive", "from": "2028-Q1", "acts": ["truce"], "set": {"controls.doctrine": "preventive"}},
        {"config": "crop-seeds", "from": "2029-Q1", "set": {"subsidy.annual": 1, "subsidy.mode": "plan"}},
    ],
    ids=lambda request_: request_["config"] + request_["from"],
)
def test_what_is_kept_replays_every_future_byte_for_byte(request_, tmp_path):
    asked = read_request(request_)
    moments = Moments()
    shown = {False: run(asked.base, moments), True: run(asked.band, moments)}
    files = keep.files(asked.config, asked.policy, asked.seed, asked.names)
    for file in files:
        (tmp_path / file["name"]).write_text(file["text"])
    assert run_batch(tmp_path / files[-1]["name"], workers=1, out=tmp_path / "out") == 0
    rows = {}
    with (tmp_path / "out" / "series.csv").open() as lines:
        for row in csv.DictReader(lines):
            key = row["config"] != asked.config, int(row["parameter_set"]), int(row["seed"])
            rows.setdefault(key, []).append([row[name] for name in asked.names])
    for changed, values in shown.items():
        for pair, future in zip(asked.band.pairs, values, strict=True):
            assert rows[changed, *pair] == cells(future)
    assert not np.array_equal(shown[False], shown[True], equal_nan=True)
    before = int(request_["from"][:4]) - 2020
    assert np.array_equal(shown[False][:, :before], shown[True][:, :before], equal_nan=True)


def test_a_config_of_one_s_own_is_kept_whole(tmp_path):
    (tmp_path / "mine.toml").write_text('purpose = "Mine"\nextends = "historic"\n[mandate]\ndomestic = 0.1\n')
    path = str(tmp_path / "mine.toml")
    told = answer({"config": path, "from": "2030-Q1", "set": {"subsidy.annual": 100}}, COUNT)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for file in told["files"]:
        (elsewhere / file["name"]).write_text(file["text"])
    (tmp_path / "mine.toml").unlink()
    assert run_batch(elsewhere / told["files"][-1]["name"], workers=1, out=tmp_path / "out") == 0
    with (tmp_path / "out" / "series.csv").open() as lines:
        shown = set(pairs(load_config("historic").world, COUNT))
        rows = [row for row in csv.DictReader(lines) if (int(row["parameter_set"]), int(row["seed"])) in shown]
    for world, config in (("base", "mine-base"), ("policy", told["files"][0]["name"].removesuffix(".toml"))):
        share = [
            float(row["domestic_supply_share"])
            for row in rows
            if row["config"] == config and row["date"].startswith("2035")
        ]
        assert float(np.median(share)) == told[world]["domestic_supply_share"]["median"][-1]


def test_both_ends_are_those_of_a_batch_with_the_factor(tmp_path):
    asked = read_request({"config": "historic", "from": "2030-Q1", "set": {"controls.severity": 0.2}})
    files = keep.files(asked.config, asked.policy, asked.seed, asked.names, ends=True)
    for file in files:
        (tmp_path / file["name"]).write_text(file["text"])
    assert "bite-and-total" in files[-1]["name"]
    assert run_batch(tmp_path / files[-1]["name"], workers=1, out=tmp_path / "out") == 0
    with (tmp_path / "out" / "series.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    for end, caused in (("held", "0.0"), ("answers", "1.0")):
        for job, changed in zip(asked.ends[end], (False, True), strict=True):
            for (number, seed), future in zip(job.pairs, run(job, Moments()), strict=True):
                same = [
                    [row[name] for name in asked.names]
                    for row in rows
                    if (row["security.caused_by_controls"], row["config"] != asked.config) == (caused, changed)
                    and (row["parameter_set"], row["seed"]) == (str(number), str(seed))
                ]
                assert same == cells(future)


def test_moments_that_were_let_go_change_nothing():
    holding, forgetting = Moments(), Moments(0)
    for year in (2027, 2024, 2030, 2027):
        asked = read_request({"config": "historic", "from": f"{year}-Q1", "set": {"subsidy.annual": 100}})
        assert np.array_equal(run(asked.band, holding), run(asked.band, forgetting), equal_nan=True)
    assert len(holding._held) == 3 and len(forgetting._held) == 1
    assert 0 < forgetting.bytes < holding.bytes < 50e6


def test_a_line_is_one_of_the_band():
    asked = read_request({"config": "historic", "from": "2027-Q1", "set": {"subsidy.annual": 100}})
    band = run(asked.band, Moments())
    for place in range(COUNT):
        assert np.array_equal(run(asked.line(place), Moments())[0], band[place], equal_nan=True)


def test_a_future_that_fails_is_left_out_and_told(monkeypatch):
    together = past._together

    def failing(job, moments):
        if (129, 2) in job.pairs and job.events:
            raise RuntimeError("a leak")
        return together(job, moments)

    monkeypatch.setattr(past, "_together", failing)
    asked = read_request({"config": "historic", "from": "2027-Q1", "set": {"subsidy.annual": 100}})
    values = run(asked.band, Moments())
    assert np.isnan(values[1]).all() and np.isfinite(values[[0, 2]][:, :, 0]).all()
    with pytest.raises(RuntimeError, match="a leak"):
        run(replace(asked.band, pairs=((129, 2),)), Moments())
    told = answer({"config": "historic", "from": "2027-Q1", "set": {"subsidy.annual": 100}}, COUNT)
    assert told["warnings"][-1] == "1 of 3 futures could not be run under this policy and is left out."
    assert told["differences"]["domestic_supply_share"]["2035"]["pairs"] == 2
    assert None not in told["policy"]["domestic_supply_share"]["median"]


def test_pairs_are_a_fixed_choice():
    chips, seeds = load_config("historic").world, load_config("crop-seeds").world
    assert pairs(chips, 4) == [(1, 1), (129, 2), (65, 3), (193, 4)]  # spread over the 256
    assert pairs(chips, 3, seed=10) == [(1, 10), (129, 11), (65, 12)]
    assert pairs(seeds, 2) == [(0, 1), (0, 2)]
    assert len(parameter_sets(chips)) == 256 and pairs(chips, 258)[-1] == (129, 258)


def test_the_answer_has_what_a_screen_needs():
    told = answer({"config": "historic", "from": "2027-Q1", "acts": ["truce"], "number": 4}, COUNT)
    assert told["number"] == 4 and told["runs"] == COUNT and told["dates"][-1] == "2035-12-31"
    base, policy = told["base"]["technology_gap"], told["policy"]["technology_gap"]
    assert base["median"][:7] == policy["median"][:7] and base["median"] != policy["median"]
    assert all(low <= high for low, high in zip(policy["q05"], policy["q95"], strict=True))
    parts = told["parts"]["domestic_supply_share"]["2035"]
    assert set(parts) == {"bite", "answer", "total"} and parts["bite"]["pairs"] == COUNT
    assert [file["name"].rpartition("-")[2] for file in told["files"]][1:] == ["experiment.toml", "total.toml"]
    assert told["watch"].startswith("?config=historic&seed=") and told["watch"].endswith("&at=2026-Q4")
    nothing = answer({"config": "historic"}, COUNT)
    assert nothing["policy"] is None and nothing["differences"] is None and nothing["files"] == []
