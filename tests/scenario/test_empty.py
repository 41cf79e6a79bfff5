"""Events that deny nothing are named, with what is lacking; each sentence is held against the tables by eye."""

import pytest

from sim.scenario.idle import idle
from sim.scenario.loading import load_config

CONTROL = {"date": "2027-01-01", "by": "USA", "kind": "control", "severity": 0.5}
ANSWER = {"date": "2027-01-01", "by": "CHN", "kind": "retaliation", "severity": 0.5}


def said(*events, **changes):
    scenario = load_config("published-2020", {"controls.mode": "events", "controls.severity": 1, **changes})
    for event in events:
        scenario = scenario.with_event(event)
    return [text for text in idle(scenario) if ": event " in text]


ALONE = {"controls.alignment": 0.0}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({**CONTROL, "scope": ["leading_logic"]}, "nothing of leading_logic: nobody of USA sells it to CHN; through"),
        ({**CONTROL, "scope": ["leading_logic"], "through": ["JPN"]}, "leading_logic: nobody of USA, JPN sells it"),
        ({**CONTROL, "by": "NLD", "scope": ["etch_clean", "lithography"]}, "of etch_clean: nobody of NLD sells it"),
        ({**CONTROL, "scope": ["memory"]}, "of memory: none of it lies above the technical threshold"),
        ({**CONTROL, "scope": ["deposition"], "severity": 0.0}, "has no effect: its severity is 0"),
        ({**CONTROL, "by": "KOR", "kind": "truce"}, "takes back nothing: no control by KOR"),
        ({**ANSWER, "scope": ["lithography"]}, "of lithography: it is no material of which CHN sells most"),
        ({**ANSWER, "scope": ["memory"], "target": "NLD"}, "of memory: nobody of NLD sells it to CHN"),
    ],
)
def test_an_event_that_denies_nothing_is_named(event, words):
    (sentence,) = said(event, **ALONE)
    assert words in sentence and f"event 2027-01-01, {event['kind']} by {event['by']}" in sentence


def test_lines_that_nobody_has_are_named_where_nobody_enters():
    lines = {**CONTROL, "scope": ["deposition"], "lines": ["leading_logic", "memory"]}
    assert said(lines, **ALONE) == []
    (sentence,) = said(lines, **ALONE, **{"mechanisms.entry": False})
    assert "denies nothing for lines of leading_logic: nobody in CHN makes it" in sentence


@pytest.mark.parametrize(
    "event",
    [
        {**CONTROL, "scope": ["ai_accelerators", "hbm"], "through": ["KOR"]},
        {**CONTROL, "scope": ["ai_accelerators", "experts", "ion_implantation"]},
        {**CONTROL, "scope": ["all"]},
        {**CONTROL, "scope": ["all"], "lines": ["mature_logic"]},
        {**ANSWER, "scope": ["critical_minerals"]},
        {**ANSWER, "scope": ["memory"], "target": "USA"},
        {**ANSWER, "scope": ["all"]},
    ],
)
def test_one_that_denies_something_is_not(event):
    assert said(event, **ALONE) == []


def test_whoever_follows_is_bound_as_well():
    """The Dutch and the Japanese may follow; who makes stacked memory is an ally too."""
    alone = said({**CONTROL, "scope": ["resist_processing"]}, **ALONE)
    assert alone and said({**CONTROL, "scope": ["hbm", "resist_processing"]}, **{"controls.alignment": 1.0}) == []


def test_a_control_under_another_is_named_and_one_that_reaches_further_is_not():
    strict = {**CONTROL, "date": "2026-01-01", "scope": ["deposition", "etch_clean"], "severity": 0.6}
    weak = {**CONTROL, "scope": ["deposition"]}
    (sentence,) = said(strict, weak, **ALONE)
    assert "event 2027-01-01, control by USA: adds nothing to the control of 2026-01-01" in sentence
    pact = {**CONTROL, "date": "2026-06-01", "kind": "truce", "scope": ["deposition"]}
    for further in (
        [strict, {**weak, "severity": 0.7}],
        [strict, {**weak, "scope": ["deposition", "lithography"]}],
        [strict, {**weak, "through": ["KOR"]}],
        [strict, {**weak, "lines": ["mature_logic"]}],
        [{**strict, "until": "2027-01-01"}, weak],
        [{**strict, "lines": ["mature_logic"]}, weak],
        [strict, {**weak, "announced": "2025-06-01"}],
        [strict, pact, weak],
    ):
        assert said(*further, **ALONE) == [], further


def test_every_verb_says_the_same(tmp_path, answer, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text(
        'purpose = "?"\nextends = "historic"\n[[event]]\ndate = 2027-01-01\nby = "NLD"\nkind = "control"\n'
        'scope = ["etch_clean"]\nseverity = 0.5\n'
    )
    sentence = (
        f"{path}: event 2027-01-01, control by NLD: denies nothing of etch_clean: nobody of NLD sells it to CHN; "
        "through = [...] binds sellers elsewhere"
    )
    assert answer("check", path).err.splitlines() == [sentence]
    assert sentence in answer("run", path, "--until", "2020", "--out", tmp_path / "run").err.splitlines()
    asked = tmp_path / "asked.toml"
    asked.write_text(f'question = "?"\nconfigs = ["{path}"]\nreplications = 1\n[record]\nevery = "end"\n')
    assert sentence in answer("batch", asked, "--workers", "1", "--out", tmp_path / "batch").err.splitlines()
    for _ in range(2):  # run first, and then found finished
        found = answer("compare", path, path)
        assert sentence.removeprefix(str(path)) in found.out + found.err


def test_an_answer_of_severity_0_ends_an_earlier_one_and_does_nothing_alone():
    earlier = {**ANSWER, "date": "2025-01-01", "scope": ["critical_minerals"]}
    ended = {**ANSWER, "scope": ["critical_minerals"], "severity": 0.0}
    assert said(earlier, ended, **ALONE) == []
    (sentence,) = said(ended, **ALONE)
    assert "has no effect: its severity is 0" in sentence
    (sentence,) = said({**earlier, "target": "USA"}, {**ended, "target": "NLD"}, **ALONE)
    assert "2027-01-01" in sentence and "its severity is 0" in sentence
