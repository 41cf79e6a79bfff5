"""A session of the live page without a page: orders, levers, events, branches, and frames that lose nothing."""

import numpy as np
import pytest
from support.live_session import Watcher

from sim import DecouplingModel
from sim.futures.levers import described
from sim.live import picture
from sim.live.race import Race, shown_measures
from sim.scenario.loading import load_config
from sim.world.world import load_world


def test_a_session_shows_what_a_run_gives():
    with Watcher("config=historic&seed=7", frames_a_second=8) as watcher:
        watcher.session.send({"do": "speed", "value": 40})
        watcher.session.send({"do": "play"})
        watcher.until(lambda head: head["state"] == "ended")
    alone = DecouplingModel("historic", 7, record="all").run()
    for name in shown_measures(load_config("historic").world):
        assert watcher.series["A"][name] == [None if value != value else round(value, 6) for value in alone[name]]
    assert watcher.head["quarter"] == "2035-Q4"
    assert len(watcher.frames) < 64  # a page is sent at most eight frames a second


def test_frames_that_were_never_drawn_lose_nothing(monkeypatch):
    monkeypatch.setattr("sim.live.session.PATIENCE", 0.02)
    with Watcher(draws=False) as watcher:
        for quarter in range(1, 9):
            watcher.session.send({"do": "quarter"})
            watcher.until(lambda head, quarter=quarter: head["done"] == quarter)
            if quarter == 4:
                watcher.session.send({"do": "drawn", "value": watcher.frames[-1]["number"]})
    last = watcher.frames[-1]["parts"]["series A"]
    assert last["from"] in (0, 4) and last["from"] + len(last["values"]["price_index"]) == 8
    assert len(watcher.series["A"]["price_index"]) == 8


def test_a_page_that_was_built_anew_is_told_everything():
    with Watcher() as watcher:
        watcher.do("jump", value=2022)
        watcher.do("drawn", value=0)
        assert watcher.frames[-1]["parts"]["series A"]["from"] == 0
        assert {"chain", "spots", "agents", "log A"} <= watcher.frames[-1]["parts"].keys()


def test_the_levers_are_those_of_the_evidence_that_leave_a_choice():
    shown = {lever["key"] for lever in described(load_config("historic").world)}
    for name, parameter in load_world("china-2020").parameters.items():
        choice = len(parameter.choices or ()) > 1 or (parameter.is_number and parameter.minimum < parameter.maximum)
        if parameter.role != "lever" or not choice:
            assert name not in shown
    assert {
        "controls.severity",
        "controls.alignment",
        "subsidy.annual",
        "subsidy.allocation",
        "investment.annual",
    } < shown
    assert all(
        lever["unit"] and lever["source"] and lever["meaning"] for lever in described(load_config("historic").world)
    )


def test_a_lever_acts_from_the_next_quarter_on():
    with Watcher("config=published-2020") as watcher:
        watcher.do("quarter")
        head = watcher.do("lever", key="controls.severity", value=0.5)
        assert head["levers"]["controls.severity"] == 0.5 and head["config_levers"]["controls.severity"] == 0
        watcher.do("quarter")
    assert watcher.series["A"]["controls_severity"][0] == 0
    assert watcher.series["A"]["controls_severity"][1] > 0.005
    assert watcher.parts["done"][0]["date"] == "2020-Q2"


def test_a_lever_that_the_config_moves_on_a_date_is_not_changed_by_hand():
    with Watcher("config=historic") as watcher:
        head = watcher.do("jump", value=2026)  # the mandate for tools of December 2025
        assert head["levers"]["mandate.tools"] == head["config_levers"]["mandate.tools"] > 0


def test_an_announced_control_bites_a_year_later():
    with Watcher("config=published-2020") as watcher:
        watcher.do("jump", value=2021)
        watcher.do("announce", by="USA", item="deposition", severity=0.8)
        watcher.do("jump", value=2023)
    severity = watcher.series["A"]["controls_severity"]
    assert severity[:8] == [0] * 8 and min(severity[8:]) > 0
    told = [(deed["quarter"], deed["what"]) for deed in watcher.parts["log A"] if deed["who"] == ["USA"]]
    assert told[0] == ("2021-Q1", "Announces to deny 80 % of deposition from 2022-Q1 on.")
    assert ("2022-Q1", "Denies 80 % of deposition.") in told


def test_a_cut_off_denies_and_a_truce_lifts():
    with Watcher("config=historic") as watcher:
        watcher.do("jump", value=2027)  # no dated control comes later
        watcher.do("cut off")
        watcher.do("quarter")
        denied = watcher.series["A"]["controls_severity"][-1]
        watcher.do("truce")
        watcher.do("quarter")
        assert watcher.series["A"]["controls_severity"][-1] == 0
        held = watcher.do("quarter")["levers"]
        assert (held["controls.quality_cap"], held["controls.foundry"]) == (1.0, 0.0)
    # what neutral states sell is all that is left of imports
    assert 0.5 < denied < 1
    assert watcher.parts["done"][0]["by"] == "USA NLD JPN TWN KOR EUR"


def test_a_fixed_control_stays_when_a_dated_one_is_added():
    with Watcher("config=published-2020&controls.severity=0.6&controls.start=2020") as watcher:
        watcher.do("quarter")
        head = watcher.do("announce", by="USA", item="wafers", severity=0.5)
        watcher.do("quarter")
    assert head["levers"]["controls.mode"] == "events"
    before, after = watcher.series["A"]["controls_severity"]
    assert after == pytest.approx(before, abs=1e-6)


def test_a_lost_fab_makes_nothing_for_a_year():
    with Watcher("config=published-2020") as watcher:
        watcher.do("jump", value=2021)
        watcher.do("lose fab", firm="smic-chn-mature")
        watcher.do("agent", value="smic-chn-mature")
        watcher.do("jump", value=2023)
    (output,) = [each["values"] for each in watcher.parts["agent"]["quantities"] if each["name"] == "output"]
    assert [value == 0 for value in output] == [False] * 4 + [True] * 4 + [False] * 4


def test_a_restart_keeps_what_was_done():
    """It acts again when its date comes, so that the same run comes out."""
    with Watcher("config=historic&subsidy.annual=50") as watcher:
        watcher.do("jump", value=2021)
        watcher.do("lever", key="subsidy.annual", value=300)
        watcher.do("jump", value=2025)
        market = watcher.series["A"]["chip_market"]
        head = watcher.do("restart")
        assert head["levers"]["subsidy.annual"] == 50 and head["state"] == "paused" and head["done"] == 0
        assert [act["text"] for act in watcher.parts["done"]] == ["subsidy 300 bn yuan a year"]
        head = watcher.do("jump", value=2025)
        assert watcher.series["A"]["chip_market"] == market and head["levers"]["subsidy.annual"] == 300


def test_a_jump_back_keeps_what_was_done_later_and_draws_the_same_luck():
    with Watcher() as watcher:
        watcher.do("jump", value=2024)
        watcher.do("lever", key="subsidy.annual", value=200)
        watcher.do("jump", value=2030)
        before = watcher.series["A"]["chip_market"]
        head = watcher.do("jump", value=2022)
        assert head["done"] == 8 and head["levers"]["subsidy.annual"] == 0 and len(watcher.parts["done"]) == 1
        assert watcher.series["A"]["chip_market"] == before[:8]
        head = watcher.do("jump", value=2030)
        assert head["levers"]["subsidy.annual"] == 200 and watcher.series["A"]["chip_market"] == before


def test_what_a_reactive_lead_and_a_planning_target_do_is_told_with_reasons():
    query = "config=published-2020&controls.mode=reactive&controls.doctrine=preventive&subsidy.mode=plan"
    with Watcher(query + "&controls.severity=1&retaliation.severity=1&controls.alignment=0.5") as watcher:
        watcher.do("jump", value=2030)
    told = watcher.parts["log A"]
    assert any(deed["who"] == ["USA"] and deed["why"].startswith("Preventive") for deed in told)
    assert any(deed["what"].startswith("Plans ") and "domestic share" in deed["why"] for deed in told)
    assert len(told) < 200


def test_two_futures_share_their_past_and_their_luck():
    with Watcher("config=historic&seed=3") as watcher:
        watcher.do("jump", value=2024)
        assert watcher.do("branch")["shown"] == "B"
        watcher.do("jump", value=2026)
        assert watcher.series["A"] == watcher.series["B"]
        watcher.do("lever", key="subsidy.annual", value=400)
        watcher.do("jump", value=2030)
        one, other = watcher.series["A"]["chip_market"], watcher.series["B"]["chip_market"]
        assert one[:24] == other[:24] and one[-1] != other[-1]
        assert watcher.do("show", value="A")["levers"]["subsidy.annual"] == 0
        assert "begin in 2024-Q1" in watcher.do("jump", value=2023)["faults"]["jump"]
        head = watcher.do("keep", value="A")
        assert head["branched"] is None and "B" not in watcher.series
    alone = DecouplingModel("historic", 3).run()["chip_market"].iloc[:40]
    assert watcher.series["A"]["chip_market"] == [round(value, 6) for value in alone]


def test_another_config_or_seed_starts_anew():
    with Watcher() as watcher:
        watcher.do("jump", value=2022)
        head = watcher.do("open", config="no-controls", seed="12")
        assert (head["config"], head["seed"], head["done"]) == ("no-controls", 12, 0)
        head = watcher.do("open", config="no-such", seed="12")
        assert head["config"] == "no-controls" and head["faults"]["config"].startswith(
            "config = no-such: must be one of"
        )


def test_messages_stand_until_their_field_is_put_right():
    with Watcher() as watcher:
        watcher.do("lever", key="subsidy.annual", value=-1)
        watcher.do("lever", key="mandate.domestic", value=7)
        head = watcher.do("lever", key="mandate.domestic", value=0.1)
    assert list(head["faults"]) == ["subsidy.annual"]
    assert head["faults"]["subsidy.annual"].startswith("subsidy.annual = -1: is out of range; it must be from 0 to")


def test_a_failure_of_the_model_is_said_and_a_restart_helps(monkeypatch, capsys):
    with Watcher() as watcher:
        with monkeypatch.context() as broken:
            broken.setattr(Race, "step", lambda race: 1 / 0)
            head = watcher.do("quarter")
            assert head["faults"][""] == "The run stopped: division by zero. Restart it."
        watcher.do("restart")
        assert watcher.do("quarter")["done"] == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_two_sessions_do_not_touch_each_other():
    with Watcher() as one, Watcher() as other:
        one.do("quarter")
        assert one.head["done"] == 1 and other.head["done"] == 0


# -- pictures


@pytest.fixture(scope="module")
def race():
    scenario = load_config("historic")
    race = Race(scenario, scenario, 1)
    for _ in range(24):
        race.step()
    return race


def test_the_chain_adds_up_over_a_year(race):
    """What suppliers sold is what lines used, and a year's equipment is what the measure of the year says."""
    chain = race.chain()
    sold, used = (sum(row[2] for row in chain[key]) for key in ("supplies", "uses"))
    assert sold == pytest.approx(used, rel=0.01)  # thin links are left out
    tools = {row["id"] for row in race.model.world.rows["inputs"] if row["kind"] == "equipment"}
    _, yearly = race.model.recorder.values("year")
    spending = yearly[0, -1, race.model.recorder.names.index("equipment_spending")]
    assert sum(row[2] for row in chain["uses"] if row[0] in tools) == pytest.approx(spending, rel=0.01)


def test_what_is_denied_is_marked(race):
    parts = {(state, item): part for state, item, _, part in race.chain()["supplies"]}
    assert parts["USA", "etch_clean"] > 0.1 and parts["USA", "planarization"] == 0 and parts["CHN", "etch_clean"] == 0


def test_empty_spots_are_shares(race):
    spots = picture.empty_spots(race.model)
    values = dict(zip(spots["rows"], spots["values"], strict=True))
    assert len(values) == len(race.model.roster.inputs) + len(race.model.roster.segments)
    assert all(cell is None or 0 <= cell <= 1 for row in values.values() for cell in row)
    # the Netherlands hold most of the world's lithography, so it is nearly all foreign and concentrated
    column = dict(zip(spots["columns"], values["lithography"], strict=True))
    assert column["all"] > 0.9 and column["lead alone"] < 0.1 < column["concentration"] < column["with allies"]


def test_agents_are_all_there_with_a_history(race):
    rows = picture.agents(race.model)
    assert len({row[0] for row in rows}) == len(rows) == sum(len(t.ids) for t in race.model.tables.values())
    by_id = {row[0]: row for row in rows}
    (smic,) = (firm for firm in race.model.agents if firm.id == "smic-chn-mature")
    assert by_id["smic-chn-mature"][5] == pytest.approx(4 * smic.output, abs=1e-3)
    history = race.history("smic-chn-mature")
    (lag,) = [each for each in history["quantities"] if each["name"] == "lag"]
    assert (
        lag["unit"] == "years" and len(lag["values"]) == 24 and lag["values"][-1] == pytest.approx(smic.lag, abs=1e-4)
    )
    assert race.history("no-such") is None


def test_a_segment_that_nobody_makes_has_no_shares():
    model = DecouplingModel("historic")
    accelerators = model.roster.firm_segment == model.roster.segments.index("ai_accelerators")
    model.chip_firms.output = np.where(accelerators, 0.0, model.chip_firms.output)
    shares = {row[0]: row[6] for row in picture.agents(model)}
    makers = [name for name, theirs in zip(model.roster.chip_firms, accelerators, strict=True) if theirs]
    assert makers and all(shares[name] is None for name in makers)
    assert 0 < shares["smic-chn-mature"] < 1
