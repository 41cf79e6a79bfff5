"""Configs: a complete baseline, sparse overrides, events, hashes."""

import pytest

from sim.errors import BadInput
from sim.model import DecouplingModel
from sim.scenario.loading import known_configs, load_config
from sim.scenario.scenario import Scenario

SHIPPED = ["article-2021", "historic", "no-controls", "published-2020"]


def write(folder, text, name="mine.toml"):
    path = folder / name
    path.write_text(text)
    return path


def test_shipped_configs_load_and_say_what_they_are_for():
    assert set(SHIPPED) <= set(known_configs())
    for name in known_configs():
        scenario = load_config(name)
        assert scenario.purpose and set(scenario.values) == set(scenario.world.parameters)


def test_a_sparse_override_changes_what_it_names_and_nothing_else(tmp_path):
    path = write(tmp_path, 'purpose = "mine"\nextends = "published-2020"\n[controls]\nseverity = 0.6\n')
    mine, base = load_config(path), load_config("published-2020")
    assert {key for key in base.values if mine.values[key] != base.values[key]} == {"controls.severity"}
    assert mine.values["controls.severity"] == 0.6
    assert load_config(path, {"controls.severity": 0}).values["controls.severity"] == 0.0


def test_the_hash_follows_what_results_depend_on(tmp_path):
    base = load_config("published-2020")
    renamed = write(tmp_path, 'purpose = "another purpose"\nextends = "published-2020"\n')
    assert load_config(renamed).hash == base.hash
    assert base.with_values({"subsidy.annual": 1}).hash != base.hash
    assert base.with_event({"date": "2024-01-01", "by": "CHN", "kind": "subsidy", "amount": 50}).hash != base.hash


def test_all_faults_are_told_at_once(tmp_path):
    path = write(
        tmp_path,
        'purpose = "mine"\nextends = "published-2020"\n[controls]\nsevrity = 0.6\nalignment = 2\n'
        '[[event]]\ndate = 2022-10-07\nby = "USSR"\nkind = "control"\nscope = ["litography"]\nseverity = 0.7\n',
    )
    with pytest.raises(BadInput) as fault:
        load_config(path)
    text = "\n".join(fault.value.problems)
    assert len(fault.value.problems) == 4
    for words in (
        "mine.toml",
        "controls.sevrity",
        "controls.severity",
        "controls.alignment = 2",
        "0 to 1",
        "'USSR'",
        "lithography",
    ):
        assert words in text


def test_a_switched_off_mechanism_is_neutral():
    scenario = load_config("published-2020", {"mechanisms.learning": False, "mechanisms.luck": False})
    assert scenario.values["learning.rate"] == 0.2
    effective = scenario.effective()
    assert effective["learning.rate"] == 0.0 and effective["demand.shock_sd"] == 0.0
    assert effective["research.success_probability"] == 1.0


def test_lever_events_act_from_their_quarter_on():
    base = load_config("published-2020")
    dated = base.with_event({"date": "2022-04-01", "by": "CHN", "kind": "lever", "set": {"subsidy.annual": 100}})
    model, plain = DecouplingModel(dated, until=2023), DecouplingModel(base, until=2023)
    for quarter in range(16):
        model.step(), plain.step()
        assert float(model.states.subsidy_spent.sum()) == (25.0 if quarter >= 9 else 0.0)
        same = model.chip_firms.investment.tobytes() == plain.chip_firms.investment.tobytes()
        assert same == (quarter < 9)


def test_interventions_of_a_live_run_are_events_of_a_config():
    event = {"date": "2023-01-01", "by": "CHN", "kind": "lever", "set": {"subsidy.annual": 150.0}}
    live = DecouplingModel("historic", rng=9)
    while live.quarter < 12:
        live.step()
    live.intervene(event)
    planned = DecouplingModel(load_config("historic").with_event(event), rng=9)
    assert live.run().to_numpy().tobytes() == planned.run().to_numpy().tobytes()
    with pytest.raises(BadInput, match="is before"):
        live.intervene({**event, "date": "2020-01-01"})


def test_the_historic_events_state_how_sure_they_are():
    for event in load_config("historic").events:
        assert event.reason and (event.kind == "lever" or event.low <= event.severity <= event.high)
    dates = [event.date.isoformat() for event in load_config("historic").events]
    assert {"2022-10-07", "2023-07-23", "2023-09-01", "2023-10-17", "2024-12-02"} <= set(dates)


@pytest.mark.parametrize("date", ["x", 7, None, [], "2024-13-01"])
def test_a_kept_event_without_a_date_is_one_sentence(date):
    kept = load_config("historic").as_dict()
    assert Scenario.from_dict(kept, "here").hash == load_config("historic").hash
    kept["events"][0]["date"] = date
    with pytest.raises(BadInput, match="here: event 1: date = .*: must be a date such as 2022-10-07"):
        Scenario.from_dict(kept, "here")
