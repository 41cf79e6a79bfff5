"""Who is critical: an order that arithmetic gives, pairs that `compare` finds too, and what is said of the table."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from support.small_world import small_world
from typer.testing import CliRunner

from sim.batch.run import run_batch
from sim.cli import app
from sim.compare import Question, compare
from sim.errors import BadInput
from sim.scenario.loading import load_config
from sim.study import critical as criticality
from sim.study.critical import COLUMNS, FULL, MEASURED, Critical, Study, critical, outage, picture, planned, run


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def found(small):
    return critical(load_config(small), 2021, 2)


def by_scope(study):
    return {row.scope: row for row in study.rows}


def test_the_order_is_that_of_arithmetic(found):
    """Fabs run at 0.88. Nine tenths of resin gone stop nine tenths of them, the big fab is three quarters, half of the
    salt stops a half, and the home fab is 6 of 40; a quarter of the salt is just more than what is idle, and the small
    fab, a tenth, and a tenth of the resin are less. Tools are missed later, by nobody within two years here."""
    rows = by_scope(found)
    order = ["USA", "usa-resin", "big-fab", "usa-salt", "home-fab", "row-salt"]
    lost = [rows[scope].buyers_lose for scope in order]
    assert lost == sorted(lost, reverse=True) and lost[-1] > 0
    assert [rows[scope].rank for scope in order[:5]] == [1, 2, 3, 4, 5]
    assert rows["row-salt"].buyers_lose == pytest.approx(rows["chn-salt"].buyers_lose, rel=1e-12)
    for nothing in ("small-fab", "row-resin", "usa-press", "usa-design"):
        assert rows[nothing].buyers_lose == 0.0
    assert rows["usa-press"].output_lost > rows["row-press"].output_lost > rows["chn-press"].output_lost > 0
    assert all(row.more_paid == 0.0 for row in found.rows)  # prices stand still in this world


def test_who_sells_nothing_costs_nothing_to_the_last_bit(found):
    row = by_scope(found)["chn-resin"]
    assert [getattr(row, name) for name in MEASURED] == [0.0] * len(MEASURED) and row.power == 0.0


def test_power_by_hand(found):
    """The target makes 6 of 40: of resin, 1 bn USD, its lines buy 1.035 bn yuan, nine tenths of it from the lead. Half
    of its chips, 69 bn yuan, come from the home fab."""
    rows = by_scope(found)
    resin = 0.15 * 6.9
    assert rows["usa-resin"].power == pytest.approx(resin * np.log(10.0), rel=1e-3)
    assert rows["row-resin"].power == pytest.approx(resin * np.log(1 / 0.9), rel=1e-3)
    assert rows["home-fab"].power == pytest.approx(69.0 * np.log(2.0), rel=1e-6)
    lead = [rows[scope].power for scope in ("big-fab", "usa-resin", "usa-salt", "usa-press", "usa-design")]
    assert rows["USA"].power == pytest.approx(sum(lead), rel=1e-9)


def test_power_has_no_end_but_is_cut_off():
    whole = criticality._power(np.array([[5.0]]), np.array([True]), lambda sales: sales)
    assert whole == pytest.approx([4 * 5.0 * np.log(1000.0)])


def test_a_state_stands_beside_the_sum_of_its_makers(found):
    rows = by_scope(found)
    parts = [rows[scope].buyers_lose for scope in ("big-fab", "usa-resin", "usa-salt", "usa-press", "usa-design")]
    assert rows["USA"].sum_of_parts == pytest.approx(sum(parts), rel=1e-12)
    assert rows["USA"].buyers_lose < rows["USA"].sum_of_parts  # who has no resin misses no fab
    assert rows["big-fab"].sum_of_parts is None
    joint = f"Lead, all makers {rows['USA'].buyers_lose:.3g} and {sum(parts):.3g}"
    assert any(joint in text for text in found.notes())


def test_the_score_is_that_of_the_chain_review(found):
    from sim.study.review import review

    scores = {spot.item: spot.score for spot in review(found.scenario, year=2020)}
    rows = by_scope(found)
    assert rows["usa-salt"].score == rows["chn-salt"].score == pytest.approx(scores["salt"])
    assert rows["home-fab"].score == pytest.approx(scores["chips"])
    assert rows["USA"].score is None


def test_a_row_is_what_compare_says_of_two_configs(tmp_path):
    """TSMC is away in 2027: the same pairs by hand, a config with the outage against one without."""
    plan = planned(load_config("historic"), 2027, 1, 0, 4)
    tsmc = next(each for each in plan.removals if each.scope == ("tsmc",))
    (row,) = run(replace(plan, removals=[tsmc])).rows
    event = outage(tsmc, 2027, 1)
    assert (str(event["date"]), str(event["until"]), event["by"]) == ("2027-01-01", "2028-01-01", "TWN")
    lines = [f"{key} = {held if key in ('date', 'until') else json.dumps(held)}" for key, held in event.items()]
    text = "\n".join(['purpose = "TSMC is away"', 'extends = "historic"', "[[event]]", *lines, ""])
    (tmp_path / "away.toml").write_text(text)
    measures = ["domestic_supply_share", "unmet_demand", "buyer_cost", "chip_production_located_real"]
    for name, config in (("base", "historic"), ("cand", str(tmp_path / "away.toml"))):
        recorded = f'[record]\nevery = "year"\nmeasures = {measures}\n'
        (tmp_path / f"{name}.toml").write_text(f'question = "?"\nconfigs = ["{config}"]\nreplications = 4\n{recorded}')
        assert run_batch(tmp_path / f"{name}.toml", workers=1, out=tmp_path / name) == 0
    rows = compare([tmp_path / "base", tmp_path / "cand"], Question(at=["2027"], measures=measures)).rows
    of = {each.measure: each for each in rows}
    for name, measure, sign in (
        ("more_unmet", "unmet_demand", 1),
        ("more_paid", "buyer_cost", 1),
        ("output_lost", "chip_production_located_real", -1),
        ("share_lost", "domestic_supply_share", -1),
    ):
        assert getattr(row, name) == pytest.approx(sign * of[measure].diff, rel=1e-10)
        ends = sorted(sign * end for end in (of[measure].diff_lo, of[measure].diff_hi))
        assert row.ends[name] == pytest.approx(ends, rel=1e-8)
    assert row.buyers_lose == pytest.approx(row.more_unmet + row.more_paid)


def test_over_parameter_sets_the_ends_are_those_of_their_means_over_seeds():
    assert criticality._ends(np.array([[1.0, 3.0], [5.0, 7.0]])) == pytest.approx((2.2, 5.8))


def test_blocks_of_any_size_give_the_same_rows(small, monkeypatch):
    plan = planned(load_config("historic"), 2021, 1, 3, 2)
    plan = replace(plan, removals=plan.removals[:3])
    whole = run(plan)
    monkeypatch.setattr(criticality, "BLOCK_SIZE", 4)
    counted = []
    assert run(plan, counted.append).rows == whole.rows
    assert sum(counted) == plan.runs == 3 * 6
    assert whole.sets == 3 and "5 to 95 % of 3 parameter sets" in whole.notes()[0]


def test_everybody_is_taken_away_once():
    world = load_config("historic").world
    who = criticality.removals(world)
    ids = [id for each in who if each.kind != "state" for id in criticality.out_of(each, world)]
    assert sorted(ids) == sorted([*world.column("chip_firms", "id"), *world.column("suppliers", "id")])
    assert [each.scope[0] for each in who if each.kind == "state"] == [s for s in world.states if s != world.target]
    assert len({each.who for each in who}) == len(who)
    tsmc = next(each for each in who if each.who == "TSMC")
    assert tsmc.scope == ("tsmc",) and tsmc.seat == "TWN"


def made(rank, kind, lost, score, power):
    return Critical(
        rank, kind, f"{kind} {rank}", lost, lost, 0.0, 0.0, 0.0, score, power, None, "", dict.fromkeys(MEASURED, (0, 0))
    )


def test_rank_correlations_are_told_kind_by_kind(found):
    """Of three suppliers in order of loss: the score in the reverse, of power the last two swapped: -1 and 0.5."""
    rows = [made(1, "supplier", 9.0, 0.1, 3.0), made(2, "supplier", 5.0, 0.2, 1.0), made(3, "supplier", 1.0, 0.3, 2.0)]
    (said,) = criticality.agreements(Study(found.scenario, 2021, 1, 1, 1, rows))
    assert said.endswith("3 suppliers: score -1.00, power 0.50.")


def test_what_is_given_of_the_world_is_told():
    study = Study(load_config("historic"), 2023, 3, 1, 1, [made(1, "firm", 1.0, 0.1, 1.0)])
    assert "The world's sales of 2023, 2024 are given" in study.notes()[-1]
    later = replace(study, year=2025)
    assert not any("are given" in text for text in later.notes())


def test_the_picture_shows_those_that_cost_most(found):
    drawn = picture(found)
    (panel,) = drawn.panels
    assert [line.label for line in panel.lines] == [row.who for row in found.rows if row.buyers_lose > 0]
    assert "the 8 of 16 that cost most" in drawn.subtitle
    assert drawn.title == "What buyers in Home lose while makers are away"


def ask(*words):
    return CliRunner().invoke(app, ["study", "critical", *map(str, words)])


def test_the_verb_prints_and_writes_the_same_table(small, tmp_path):
    said = ask(small, "--year", 2021, "--years", 2, "--format", "csv", "--out", tmp_path / "out")
    assert said.exit_code == 0, said.output
    rows = list(csv.DictReader(said.stdout.splitlines()))
    assert list(rows[0]) == FULL and rows[0]["who"] == "Lead, all makers" and len(rows) == 16
    with (tmp_path / "out/critical.csv").open() as file:
        assert [row["scope"] for row in csv.DictReader(file)] == [row["scope"] for row in rows]
    first = (tmp_path / "out/critical.svg").read_bytes()
    assert b">Resin, Lead</text>" in first
    assert "16 taken away in turn in 2 runs each, about 0 s on one processor" in said.stderr
    assert "Rank correlation" in said.stderr and "Rank correlation" not in said.stdout
    again = ask(small, "--year", 2021, "--years", 2, "--out", tmp_path / "out")
    assert again.exit_code == 0 and again.stdout.splitlines()[0].split() == list(COLUMNS)
    assert (tmp_path / "out/critical.svg").read_bytes() == first


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--year", 2019], "--year = 2019: must be a year from 2020 to 2035"),
        (["--years", 0], "--years = 0: must be from 1 to 9, as runs end with 2035"),
        (["--year", 2034, "--years", 3], "--years = 3: must be from 1 to 2, as runs end with 2035"),
        (["--seeds", 0], "--seeds = 0: must be 1 or more"),
        (["--sets", -1], "--sets = -1: must be 0, for the config's own parameters, or more"),
        (["--sets", 1000], "--sets = 1000: must be from 0 to 256"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(words, sentence):
    with pytest.raises(BadInput) as fault:
        CliRunner().invoke(app, ["study", "critical", "historic", *map(str, words)], catch_exceptions=False)
    assert sentence in fault.value.problems[0]


def test_a_world_without_parameter_sets_has_its_own(small):
    scenario = load_config(small)
    assert planned(scenario).sets == [{}]
    with pytest.raises(BadInput, match="has no parameter sets; leave it out"):
        planned(scenario, sets=4)


def test_the_verb_has_the_defaults_of_the_function():
    from inspect import signature

    from sim.cli.study import critical as verb

    told = {name: parameter.default for name, parameter in signature(verb).parameters.items()}
    own = {name: parameter.default for name, parameter in signature(planned).parameters.items()}
    assert {name: told[name] for name in own if name != "scenario"} == {
        name: default for name, default in own.items() if name != "scenario"
    }
