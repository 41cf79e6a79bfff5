"""The chain review as users meet it: a config or a run, a table, a figure, and how far its score is to be trusted."""

import csv
from dataclasses import fields, replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import BadInput
from sim.scenario.loading import load_config
from sim.study.review import Spot, agreement, notes, picture, review, reviewed, write


def spot(rank, kind="material", **given):
    """A spot that is named after its rank; what is not given is zero."""
    zeros = {field.name: 0 for field in fields(Spot)} | {"item": f"item-{rank}", "kind": kind, "rank": rank}
    return replace(Spot(**zeros), **given)


SPOTS = [  # by the score the first loses most within a year, by value the last
    spot(1, at_risk_1_year=30.0, at_risk_3_years=1.0, rank_by_value=3, rank_by_denial=1, rank_by_time=2),
    spot(2, at_risk_1_year=20.0, at_risk_3_years=2.0, rank_by_value=2, rank_by_denial=2, rank_by_time=1),
    spot(3, at_risk_1_year=10.0, at_risk_3_years=3.0, rank_by_value=1, rank_by_denial=3, rank_by_time=3),
    spot(4, kind="chips", at_risk_1_year=1000.0, rank_by_value=1),
]


def test_the_score_is_held_against_what_a_cut_off_would_cost():
    """Of three inputs, chips left out: one order correlates by 1, the reverse by -1, the first two swapped by 0.5."""
    found = {(formula, horizon): value for formula, horizon, value in agreement(SPOTS)}
    assert found["rank", "at_risk_1_year"] == pytest.approx(1.0)
    assert found["rank_by_value", "at_risk_1_year"] == pytest.approx(-1.0)
    assert found["rank_by_time", "at_risk_1_year"] == pytest.approx(0.5)
    assert found["rank", "at_risk_3_years"] == pytest.approx(-1.0)
    assert notes(SPOTS)[0] == (
        "Rank correlation with the output at risk within one year, inputs alone: "
        "score 1.00, value -1.00, denial 1.00, time 0.50."
    )


def test_a_review_is_written_as_a_table_and_a_figure(tmp_path):
    world = SimpleNamespace(names={"item-1": "The first"}, name="made up")
    drawn = picture(SPOTS, SimpleNamespace(name="neutral", world=world), 2020, 1)
    write(SPOTS, drawn, tmp_path / "out")
    with (tmp_path / "out/review.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["item"] for row in rows] == ["item-1", "item-2", "item-3", "item-4"]
    assert rows[3]["at_risk_1_year"] == "1000.0"
    first = (tmp_path / "out/review.svg").read_text()
    assert "The map of empty spots at the end of 2020: neutral" in first and ">The first (" in first
    write(SPOTS, drawn, tmp_path / "out")
    assert (tmp_path / "out/review.svg").read_text() == first


def test_the_verb_reviews_a_run_with_its_own_seed(tmp_path):
    run = CliRunner().invoke(
        app, ["run", "no-controls", "--seed", "3", "--until", "2021", "--out", str(tmp_path / "run")]
    )
    assert run.exit_code == 0, run.output
    scenario, seed = reviewed(str(tmp_path / "run"), None)
    assert (scenario.name, seed) == ("no-controls", 3)
    with pytest.raises(BadInput, match="--seed = 4: the run in .* has seed 3; leave --seed out"):
        reviewed(str(tmp_path / "run"), 4)
    said = CliRunner().invoke(
        app, ["study", "review", str(tmp_path / "run"), "--out", str(tmp_path / "review"), "--format", "csv"]
    )
    assert said.exit_code == 0, said.output
    rows = list(csv.DictReader(said.stdout.splitlines()))
    assert [int(row["rank"]) for row in rows] == list(range(1, 25))  # eighteen inputs and six segments
    with (tmp_path / "review/review.csv").open() as file:
        assert [row["item"] for row in csv.DictReader(file)] == [row["item"] for row in rows]
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True) and 0 < scores[0] <= 1


def test_a_batch_is_not_reviewed(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text('question = "?"\nconfigs = ["no-controls"]\nreplications = 2\n[record]\nevery = "end"\n')
    assert (
        CliRunner().invoke(app, ["batch", str(path), "--workers", "1", "--out", str(tmp_path / "two")]).exit_code == 0
    )
    with pytest.raises(BadInput, match="holds many runs; review a config, or the result folder"):
        reviewed(str(tmp_path / "two"), None)


def test_the_review_finds_the_published_choke_points():
    """Stylised fact: China depends most in lithography, design software, process control and resist processing (Khan,
    Mann and Peterson 2021): three of the four at least are among the six most exposed."""
    spots = review(load_config("published-2020"))
    first = {spot.item for spot in spots[:6]}
    assert len(first & {"lithography", "design_software", "process_control", "resist_processing"}) >= 3
    assert [spot.rank for spot in spots] == list(range(1, 25))
    by_item = {spot.item: spot for spot in spots}
    assert by_item["critical_minerals"].rank == 24  # the target sells them to the world
    # stocks of materials last for months, lines for years
    assert by_item["photoresist"].at_risk_1_year > by_item["lithography"].at_risk_1_year
    assert all(spot.at_risk_3_years >= -1e-9 for spot in spots)
