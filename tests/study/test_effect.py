"""What events deny, bn yuan a year of what was bought in 2020: by hand, and of every config that is shipped."""

import json

import numpy as np
import pytest
from support.models import advance, at, exposed_world

from sim.model import DecouplingModel
from sim.scenario.loading import known_configs, load_config
from sim.study.effect import HEADER, effects

EXACT = {"controls.mode": "events", "controls.severity": 1.0, "controls.over_compliance": 0.0}
RULE = {"date": "2021-01-01", "by": "USA", "kind": "control", "scope": ["leading_logic"], "through": ["TWN", "KOR"]}


def found(*events, **changes):
    scenario = load_config("published-2020", {**EXACT, **changes})
    for event in events:
        scenario = scenario.with_event(event)
    return [dict(zip(HEADER, row, strict=True)) for row in effects(scenario)]


OF_LEADING = 18.965 * 6.9 * 0.075  # bn yuan: China bought leading chips for 18.965 bn USD in 2020, all from abroad


@pytest.fixture(scope="module")
def exposed(tmp_path_factory):
    return exposed_world(tmp_path_factory.mktemp("exposed"))


def test_a_rule_on_leading_chips_by_hand(exposed):
    """0.075 of them lie above the threshold here."""
    (row,) = found({**RULE, "severity": 0.6}, world=exposed)
    assert row["denies"] == row["adds"] == pytest.approx(0.6 * OF_LEADING)
    assert (row["scope"], row["through"], row["lines"]) == ("leading_logic", "TWN KOR", "")


def test_what_an_event_adds_is_what_was_not_denied_before(exposed):
    first, second, pact = found(
        {**RULE, "severity": 0.6},
        {**RULE, "severity": 0.8, "date": "2022-01-01"},
        {"date": "2023-01-01", "by": "USA", "kind": "truce", "severity": 0.5},
        world=exposed,
    )
    assert (second["denies"], second["adds"]) == (pytest.approx(0.8 * OF_LEADING), pytest.approx(0.2 * OF_LEADING))
    assert (pact["denies"], pact["adds"]) == (0.0, pytest.approx(-0.4 * OF_LEADING))
    assert first["date"] == "2021-01-01"


def test_the_scale_of_the_day_counts(exposed):
    lever = {"date": "2020-06-01", "by": "USA", "kind": "lever", "set": {"controls.severity": 0.5}}
    (row,) = found({**RULE, "severity": 0.6}, lever, world=exposed)
    assert row["denies"] == pytest.approx(0.3 * OF_LEADING)


def test_an_answer_in_chips_by_hand():
    """Nobody may buy a third of American memory made abroad: `retaliation.bite` of it bites."""
    answer = {"date": "2023-01-01", "by": "CHN", "kind": "retaliation", "target": "USA", "scope": ["memory"]}
    (row,) = found({**answer, "severity": 0.3}, **{"retaliation.bite": 0.5})
    model = DecouplingModel("published-2020")
    roster, base = model.roster, model.input_market.base
    makers = (roster.firm_headquarters == at(model, "USA")) & ~roster.at_home
    makers &= roster.firm_segment == roster.segments.index("memory")
    yearly = 50 * 6.9 * base.chip_share[0, roster.target, makers].sum()
    assert row["denies"] == pytest.approx(yearly * 0.3 * 0.5)


def test_what_an_outage_and_a_closure_stop_by_hand():
    """SMIC made mature logic for 3.45 bn USD in 2020 and TSMC advanced logic for 1 in China; of resist for 3.3 bn USD
    in 2019, Japan sold nine tenths."""
    outage = {"date": "2027-01-01", "by": "CHN", "kind": "outage", "scope": ["smic-chn-mature"], "severity": 0.5}
    resist = outage | {"by": "JPN", "scope": ["jpn-photoresist"], "severity": 1.0, "until": "2029-01-01"}
    move = {"date": "2028-01-01", "by": "TWN", "kind": "move", "scope": ["tsmc-chn-advanced"], "to": "TWN"}
    leaves = {"date": "2030-01-01", "by": "KOR", "kind": "withdrawal"}
    half, japanese, moved, korean = found(outage, resist, move, leaves)
    assert half["stops"] == pytest.approx(0.5 * 3.45 * 6.9, rel=1e-6)
    assert japanese["stops"] == pytest.approx(0.9 * 3.3 * 6.9, rel=1e-6)
    assert (moved["stops"], moved["to"]) == (pytest.approx(6.9, rel=1e-6), "TWN")
    assert korean["stops"] == pytest.approx(9.5 * 6.9, rel=1e-6)
    assert japanese["until"] == "2029-01-01" and half["denies"] is None is half["adds"]


OF_MEMORY = 0.01 * 6.9 * 0.16 * 0.9  # what stacked memory for accelerators made there in 2020 was worth, less a tenth
WHY_NOT = {  # from which date on events of a config deny nothing
    "reactive": "2020-01-01",  # the lead decides by a doctrine, and dated events are not in force
    "truce-2025": "2025-01-01",  # controls.severity is 0
    "from-2027-truce": "2027-01-01",  # the target's own answers are lifted, by events of severity 0
}


@pytest.mark.parametrize("name", known_configs())
def test_every_event_of_a_config_denies_something_or_is_known_not_to(name):
    for row in effects(load_config(name)):
        row = dict(zip(HEADER, row, strict=True))
        if row["date"] >= WHY_NOT.get(name, "2036") and (name != "truce-2025" or row["kind"] == "control"):
            assert row["denies"] == 0, row
        elif row["kind"] == "truce":
            assert row["adds"] < 0, row
        elif row["scope"] == "hbm":
            assert row["denies"] == pytest.approx(OF_MEMORY, rel=0.02), row
        else:
            assert row["denies"] > 0.01, row


def test_every_event_of_historic_adds_to_those_before():
    for row in effects(load_config("historic")):
        row = dict(zip(HEADER, row, strict=True))
        assert row["adds"] > (0.9 * OF_MEMORY if row["scope"] == "hbm" else 0.05), row


QUESTION = """
purpose = "The Dutch stop following, the United States control tools for mature lines, and the answer is in gallium"
extends = "historic"

[[event]]
date = 2027-01-01
by = "NLD"
kind = "truce"
severity = 1.0

[[event]]
date = 2028-01-01
by = "USA"
kind = "control"
scope = ["deposition", "etch_clean", "process_control", "ion_implantation"]
lines = ["mature_logic"]
severity = 0.6

[[event]]
date = 2028-01-01
by = "CHN"
kind = "retaliation"
target = "USA"
scope = ["critical_minerals"]
severity = 0.9
"""


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "asked.toml"
    path.write_text(QUESTION)
    return path


def test_an_analysts_question_is_a_config(asked):
    model = advance(DecouplingModel(asked, record="all"), 28)
    roster, before = model.roster, model.input_market.denied.copy()
    dutch = roster.supplier_state == at(model, "NLD")
    assert before[..., dutch].any()
    advance(model, 1)
    assert not model.input_market.denied[..., dutch].any()
    advance(model, 4)
    mature = roster.group_names.index("CHN owned mature_logic")
    is_memory = roster.group_segment == roster.segments.index("memory")
    memory = int(np.argmax(roster.group_target_owned & is_memory))
    american = roster.suppliers.index("usa-deposition")
    after = model.input_market.denied
    assert after[0, mature, american] > 0.6  # with what is above the threshold, and over-compliance
    assert after[0, mature, american] > before[0, mature, american] + 0.3
    assert after[0, memory, american] == pytest.approx(before[0, memory, american], rel=0.2)
    minerals = roster.suppliers.index("chn-critical_minerals")
    bite = float(model.parameters["retaliation.bite"][0, 0])
    left = model.input_market.left[0, :, minerals]
    assert left[roster.group_names.index("USA")] == pytest.approx(1.0 - 0.9 * bite)


def test_it_is_seen_where_it_was_asked(asked):
    """Of the target's own output mature logic loses most, and where Dutch lithography is back advanced logic gains."""
    names = [
        f"chip_production_hq.{segment}" for segment in ("advanced_logic", "mature_logic", "memory", "analog_power")
    ]
    question, historic = (DecouplingModel(each, record=names).run() for each in (asked, "historic"))
    change = (question / historic - 1).loc["2035-12-31"]
    assert change.idxmin() == "chip_production_hq.mature_logic" and change.min() < -0.01
    assert change.idxmax() == "chip_production_hq.advanced_logic" and change.max() > 0.1
    assert (question == historic).loc[:"2026-12-31"].all(axis=None)


def test_check_says_what_each_event_denies(asked, answer):
    said = answer("check", asked, "--effect", "--format", "json")
    rows = json.loads(said.out)
    assert said.code == 0 and "a config without faults" in said.err and "bn yuan a year" in said.err
    dutch, mature, gallium = rows[-3:]
    assert dutch["kind"] == "truce" and dutch["adds"] < -3
    assert mature["lines"] == "mature_logic" and mature["adds"] > 5
    assert gallium["scope"] == "critical_minerals" and 0 < gallium["adds"] < 1
    table = answer("check", asked, "--effect")
    assert table.out.splitlines()[0].split() == HEADER and len(table.out.splitlines()) == len(rows) + 1


def test_effects_are_of_configs(answer):
    said = answer("check", "two-by-two", "--effect")
    assert said.code == 2 and "two-by-two: is of kind experiment; --effect takes configs" in said.err
