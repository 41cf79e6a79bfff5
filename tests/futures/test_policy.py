"""What a policy changes, as dated events; expected events are written out by hand."""

from datetime import date

import pytest

from sim.calendar import quarter_of
from sim.errors import BadInput
from sim.futures.answers import read_request
from sim.futures.policy import Policy, read_start
from sim.scenario.held import values_at
from sim.scenario.loading import load_config

Y2027, Y2024 = quarter_of(date(2027, 1, 1)), quarter_of(date(2024, 1, 1))


@pytest.fixture(scope="module")
def historic():
    return load_config("historic")


def test_levers_are_one_event_on_the_date_and_acts_follow(historic):
    truce = {"by": "USA", "target": "CHN", "kind": "truce", "severity": 1.0}
    policy = Policy(historic, Y2027, {"subsidy.annual": 200.0, "mandate.domestic": 0.3}, [truce])
    day = date(2027, 1, 1)
    assert policy.events == (
        {"date": day, "by": "CHN", "kind": "lever", "set": {"mandate.domestic": 0.3, "subsidy.annual": 200.0}},
        {"date": day, **truce},
    )


def test_a_lever_at_its_own_value_is_no_change(historic):
    assert historic.values["mandate.tools"] == 0.0 and values_at(historic, Y2027)["mandate.tools"] == 0.5
    assert Policy(historic, Y2027, {"mandate.tools": 0.5}).events == ()
    assert Policy(historic, Y2027, {"mandate.tools": 0.5}).key == Policy(historic, Y2027).key
    assert Policy(historic, Y2027, {"mandate.tools": 0.4}).key != Policy(historic, Y2027).key


def test_a_lever_stays_where_it_is_put_when_a_later_date_of_the_config_moves_it(historic):
    policy = Policy(historic, Y2024, {"mandate.tools": 0.2})
    assert [(str(event["date"]), event["set"]) for event in policy.events] == [
        ("2024-01-01", {"mandate.tools": 0.2}),
        ("2025-12-30", {"mandate.tools": 0.2}),
    ]
    assert values_at(policy.changed, Y2027)["mandate.tools"] == 0.2
    # one that is put where it already is has to be kept there all the same
    kept = Policy(historic, Y2024, {"mandate.tools": 0.0})
    assert [str(event["date"]) for event in kept.events] == ["2025-12-30"]


def test_a_fixed_control_is_in_force_at_once():
    later = load_config("us-alone", {"controls.start": 2030})
    (event,) = Policy(later, Y2027, {"controls.severity": 0.5}).events
    assert event["set"] == {"controls.severity": 0.5, "controls.start": 2020.0}
    (event,) = Policy(load_config("us-alone"), Y2027, {"controls.severity": 0.5}).events
    assert event["set"] == {"controls.severity": 0.5}


@pytest.mark.parametrize("text", ["2027-Q2", "2020-Q1", "2035-Q1", "2027", "", None, 2027, "２027-Q1"])
def test_other_dates_are_refused(text):
    with pytest.raises(BadInput, match="must be the first quarter of a year, from 2021-Q1 to 2034-Q1"):
        read_start(text)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"set": {"subsidy.anual": 3}}, "subsidy.anual: is not a lever .did you mean 'subsidy.annual'"),
        ({"set": {"demand.growth": 0.1}}, "demand.growth: is not a lever"),
        ({"set": {"controls.start": 2025}}, "controls.start: is not a lever"),
        ({"set": {"subsidy.annual": 2001}}, "subsidy.annual = 2001: .*from 0 to 2000"),
        ({"set": {"subsidy.annual": True}}, "subsidy.annual = true: must be a number"),
        ({"set": {"subsidy.annual": float("nan")}}, "subsidy.annual = nan: must be finite"),
        ({"set": {"controls.mode": "off"}}, "controls.mode = 'off': must be one of none"),
        ({"set": [1]}, "set: must be a table"),
        ({"acts": ["peace"]}, "act = 'peace': is no preset; they are controls-lifted"),
        ({"acts": "truce"}, "acts: must be a list"),
        ({"acts": [{}] * 51}, "acts: must be a list of at most 50"),
        ({"acts": [{"date": "2028-01-01", "by": "USA", "kind": "truce", "severity": 1}]}, "an event without a date"),
        ({"acts": [{"by": "XXX", "kind": "truce", "severity": 1}]}, "by = 'XXX': is not a state"),
        ({"acts": [{"by": "USA", "kind": "war"}]}, "kind"),
        ({"seed": -1}, "seed = -1: must be a whole number"),
        ({"seed": 1.5}, "seed = 1.5: must be a whole number"),
        ({"config": "nowhere"}, "nowhere: there is no such config"),
        ({"config": 7}, "config = '7': must be the name of a config"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(request_, words):
    with pytest.raises(BadInput, match=words):
        read_request({"config": "historic", "from": "2027-Q1", **request_})


@pytest.mark.parametrize(
    ("request_", "has_ends"),
    [
        ({"set": {"controls.severity": 0.5}}, True),
        ({"acts": ["truce"]}, True),
        ({"set": {"subsidy.annual": 100}}, False),
        ({"set": {"retaliation.severity": 1.0}}, False),
        ({}, False),
    ],
)
def test_bite_and_total_are_of_policies_that_change_controls(request_, has_ends):
    asked = read_request({"config": "historic", "from": "2027-Q1", **request_})
    assert asked.has_ends == has_ends and bool(asked.ends) == has_ends


def test_where_nobody_pushes_there_is_one_end():
    asked = read_request({"config": "crop-seeds", "from": "2027-Q1", "acts": ["full-cutoff"]})
    pushed = asked.scenario.values["mechanisms.security"] and asked.scenario.values["security.goal"] > 0
    assert asked.has_ends == bool(pushed and asked.scenario.values["mechanisms.state_programme"])
