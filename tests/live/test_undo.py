"""Nothing that was done on the page is lost: undo and redo, other seeds and configs, files and addresses."""

import json
from urllib.parse import parse_qs

import pytest
from support.live_session import Watcher, kept, replayed

from sim.live import link, session
from sim.live.race import Race
from sim.scenario.loading import load_config


def acts(watcher):
    return [(act["date"], act["kind"], act["text"]) for act in watcher.parts["done"]]


def test_moves_of_a_lever_in_one_quarter_are_one_event_and_one_step():
    with Watcher("config=historic") as watcher:
        watcher.do("jump", value=2023)
        for value in range(150):
            head = watcher.do("lever", key="subsidy.annual", value=float(value))
        assert acts(watcher) == [("2023-Q1", "lever", "subsidy 149 bn yuan a year")]
        assert len(head["link"]) < 300 and len(parse_qs(head["link"][1:])["event"]) == 1
        head = watcher.do("undo")
        assert acts(watcher) == [] and head["levers"]["subsidy.annual"] == 0 and not head["undo"]
        assert watcher.do("redo")["levers"]["subsidy.annual"] == 149


def test_levers_moved_in_one_quarter_share_an_event_and_are_undone_one_by_one():
    with Watcher("config=historic") as watcher:
        watcher.do("lever", key="subsidy.annual", value=100)
        watcher.do("lever", key="mandate.domestic", value=0.2)
        watcher.do("lever", key="subsidy.annual", value=50)
        assert len(parse_qs(watcher.head["link"][1:])["event"]) == 1
        levers = watcher.do("undo")["levers"]
        assert (levers["subsidy.annual"], levers["mandate.domestic"]) == (100, 0.2)
        levers = watcher.do("undo")["levers"]
        assert (levers["subsidy.annual"], levers["mandate.domestic"]) == (100, 0)


@pytest.mark.parametrize("do", ["cut off", "truce", "lose fab", "announce"])
def test_what_is_done_twice_on_a_date_is_done_once(do):
    order = {"lose fab": {"firm": "smic-chn-mature"}, "announce": {"by": "NLD", "item": "lithography"}}.get(do, {})
    with Watcher("config=historic") as watcher:
        watcher.do("jump", value=2024)
        watcher.do(do, severity=0.4, **order)
        once = acts(watcher)
        watcher.do(do, severity=0.6 if do == "announce" else 0.4, **order)
        # a truce lifts the cap on accelerators too, which is a lever
        assert len(acts(watcher)) == len(once) == (2 if do == "truce" else 1)
        assert acts(watcher) == ([(*once[0][:2], "60 % of lithography")] if do == "announce" else once)


def test_undo_takes_back_what_was_done_and_keeps_what_was_run():
    with Watcher("config=historic&seed=3") as watcher:
        watcher.do("jump", value=2030)
        untouched = watcher.series["A"]["chip_market"]
        watcher.do("jump", value=2024)
        watcher.do("lever", key="subsidy.annual", value=300)
        watcher.do("jump", value=2030)
        touched = watcher.series["A"]["chip_market"]
        assert touched[:16] == untouched[:16] and touched != untouched
        head = watcher.do("undo")
        assert head["done"] == 40 and watcher.series["A"]["chip_market"] == untouched
        head = watcher.do("redo")
        assert head["done"] == 40 and watcher.series["A"]["chip_market"] == touched


LOSING = [
    {"do": "restart"},
    {"do": "jump", "value": 2021},
    {"do": "open", "seed": "9"},
    {"do": "open", "config": "no-controls"},
    {"do": "clear"},
    {"do": "branch"},
    {"do": "take back", "value": [0]},
    {"do": "open", "name": "mine.toml", "text": 'purpose = "mine"\nextends = "no-controls"\n'},
]


@pytest.mark.parametrize("order", LOSING, ids=lambda order: " ".join([*order][:2]))
def test_whatever_would_lose_a_run_is_undone(order):
    with Watcher("config=historic&seed=3") as watcher:
        watcher.do("jump", value=2024)
        watcher.do("lever", key="subsidy.annual", value=300)
        watcher.do("jump", value=2026)
        before, series = {**watcher.head}, watcher.series["A"]
        after = watcher.do(**order)
        assert after["link"] != before["link"] and after["undo"]
        head = watcher.do("undo")
        assert head["link"] == before["link"] and watcher.series == {"A": series}
        assert watcher.do("redo")["link"].split("&at=")[0] == after["link"].split("&at=")[0]


def test_one_of_several_acts_is_taken_back():
    with Watcher("config=historic") as watcher:
        watcher.do("jump", value=2027)
        watcher.do("cut off")
        watcher.do("quarter")
        watcher.do("lever", key="subsidy.annual", value=300)
        (cut, lever) = watcher.parts["done"]
        assert len(cut["places"]) == 6 and lever["places"] == [6]  # the lead and its five allies
        watcher.do("take back", value=cut["places"])
        assert acts(watcher) == [("2027-Q2", "lever", "subsidy 300 bn yuan a year")]


def test_another_seed_or_config_keeps_the_policy_and_says_what_it_cannot_take():
    with Watcher("config=historic&seed=3&mandate.domestic=0.1") as watcher:
        watcher.do("jump", value=2024)
        watcher.do("lever", key="subsidy.annual", value=300)
        watcher.do("announce", by="NLD", item="lithography", severity=0.5)
        done = acts(watcher)
        head = watcher.do("open", seed="4")
        assert (head["seed"], head["done"], acts(watcher)) == (4, 0, done)
        head = watcher.do("open", config="no-controls", seed="4")
        assert head["config"] == "no-controls" and acts(watcher) == done and head["faults"] == {}
        assert head["levers"]["mandate.domestic"] == 0.1
        head = watcher.do("open", config="crop-seeds", seed="4")
        assert [act["text"] for act in watcher.parts["done"]] == ["subsidy 300 bn yuan a year"]
    (told,) = head["faults"][""].splitlines()
    assert told.startswith("Not taken over to crop-seeds: scope = 'lithography': is not an input or a segment")


def test_both_futures_are_in_the_address():
    with Watcher("config=historic&seed=3") as watcher:
        watcher.do("jump", value=2023)
        watcher.do("lever", key="investment.annual", value=250)
        watcher.do("jump", value=2024)
        watcher.do("branch")
        watcher.do("lever", key="subsidy.annual", value=400)
        watcher.do("show", value="A")
        watcher.do("truce")
        watcher.do("jump", value=2027)
        link, series = watcher.head["link"], watcher.series
    with Watcher(link) as again:
        assert again.head["link"] == link and again.series == series and again.head["faults"] == {}
        assert (again.head["branched"], again.head["shown"]) == ("2024-Q1", "A")
        assert "parted" in again.do("take back", value=[0])["faults"]["take back"]


def test_the_way_to_every_future_takes_the_policy_along():
    with Watcher("config=historic&seed=3&mandate.domestic=0.1") as watcher:
        watcher.do("jump", value=2027)
        watcher.do("lever", key="subsidy.annual", value=300)
        watcher.do("quarter")
        head = watcher.do("lose fab", firm="smic-chn-mature")
    query = parse_qs(head["futures"][1:])
    assert (query["config"], query["seed"], query["from"]) == (["historic"], ["3"], ["2027-Q1"])
    assert (query["subsidy.annual"], query["mandate.domestic"]) == (["300.0"], ["0.1"])
    assert json.loads(query["act"][0]) == {
        "by": "CHN", "kind": "outage", "scope": ["smic-chn-mature"], "severity": 1.0
    }  # fmt: skip


@pytest.mark.parametrize(("year", "start"), [(2020, "2021-Q1"), (2024, "2024-Q1"), (2035, "2034-Q1")])
def test_the_way_to_every_future_begins_where_that_screen_can(year, start):
    with Watcher("config=historic") as watcher:
        watcher.do("jump", value=year)
        watcher.do("quarter")
        head = watcher.do("lever", key="subsidy.annual", value=300)
    assert parse_qs(head["futures"][1:])["from"] == [start]


def test_a_link_that_would_be_too_long_is_not_written(monkeypatch):
    monkeypatch.setattr(link, "LONGEST_QUERY", 400)
    with Watcher("config=historic") as watcher:
        for year in range(2021, 2026):
            head = watcher.do("lever", key="subsidy.annual", value=year - 2000)
            assert head["link"] is None or len(head["link"]) <= 400
            watcher.do("jump", value=year)
        assert head["link"] is None and "keep config.toml" in head["faults"]["link"]
        assert watcher.do("undo")["link"] is not None or watcher.do("clear")["link"] is not None


def test_every_fault_of_a_link_is_told():
    query = "seed=x&colour=red&size=3&event=x&at=never&subsidy.annual=-1&mandate.domestic=7"
    _, faults = link.opened(query, "historic")
    assert faults.keys() == {"", "seed", "subsidy.annual", "mandate.domestic"}
    told = faults[""].splitlines()
    assert len(told) == 4
    assert all(any(text.startswith(word) for text in told) for word in ("colour", "size", "event", "at"))


# -- files that were kept


def test_a_kept_config_is_opened_with_what_was_done(tmp_path):
    with Watcher("config=historic&seed=7&mandate.domestic=0.1") as watcher:
        watcher.do("jump", value=2024)
        watcher.do("lever", key="subsidy.annual", value=300)
        watcher.do("cut off")
        watcher.do("jump", value=2036)
        _, series = kept(watcher, "series")
        name, config = kept(watcher, "config")
        done, address = acts(watcher), watcher.head["link"]
    with Watcher("config=no-controls&seed=1") as watcher:
        head = watcher.do("open", name=name, text=config)
        assert (head["config"], head["seed"], acts(watcher), head["faults"]) == ("historic", 7, done, {})
        watcher.do("jump", value=2036)
        assert watcher.head["link"] == address and kept(watcher, "series")[1] == series


def test_a_config_of_one_s_own_is_opened_and_the_address_carries_it(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'purpose = "mine"\nextends = "historic"\n[demand]\nelasticity_slow = -0.5\n[subsidy]\nannual = 80.0\n'
    )
    race = Race(load_config(path), load_config(path), 4)
    race.intervene([{"date": "2022-01-01", "by": "CHN", "kind": "lever", "set": {"mandate.domestic": 0.3}}])
    text, name = race.config_toml(), f"{race.name}.toml"
    with Watcher("config=no-controls") as watcher:
        head = watcher.do("open", name=name, text=text)
        assert (head["config"], head["seed"], head["faults"]) == (race.name, 4, {})
        watcher.do("lever", key="subsidy.annual", value=10)
        head = watcher.do("jump", value=2024)
        assert len(head["link"]) < 6000
        series = watcher.series["A"]
        saved_name, saved = kept(watcher, "config")
    with Watcher(head["link"]) as again:
        assert again.series["A"] == series and again.head["faults"] == {}
        again.do("jump", value=2036)
        _, whole = kept(again, "series")
    (tmp_path / saved_name).write_text(saved)
    assert replayed(tmp_path / saved_name, 4, tmp_path / "out") == whole.encode()


# -- after the end, and on the way


def test_after_the_end_a_lever_goes_back_and_the_run_is_done_again():
    with Watcher("config=historic&seed=3") as watcher:
        watcher.do("jump", value=2036)
        before = watcher.series["A"]["chip_market"]
        head = watcher.do("lever", key="subsidy.annual", value=300, since=2028)
        assert (head["state"], head["done"]) == ("ended", 64)
        assert acts(watcher) == [("2028-Q1", "lever", "subsidy 300 bn yuan a year")]
        after = watcher.series["A"]["chip_market"]
        assert after[:32] == before[:32] and after != before
        assert watcher.do("lever", key="subsidy.annual", value=9, since=1999)["faults"].keys() == {"subsidy.annual"}
        watcher.do("undo")
        assert watcher.series["A"]["chip_market"] == before


def test_a_long_way_is_told_and_can_be_ended_and_orders_wait_for_its_end(monkeypatch):
    monkeypatch.setattr(session, "ON_THE_WAY_SECONDS", 0.0)
    monkeypatch.setattr(session, "SLICE", 0.0)
    step = Race.step
    monkeypatch.setattr(Race, "step", lambda race: (session.time.sleep(0.01), step(race)))
    with Watcher("config=historic") as watcher:
        watcher.session.send({"do": "jump", "value": 2036})
        watcher.until(lambda head: head["state"] == "going")
        watcher.session.send({"do": "pause"})
        stopped = watcher.until(lambda head: head["state"] == "paused" and head["done"])["done"]
        assert 0 < stopped < 64
        watcher.session.send({"do": "jump", "value": 2030})
        watcher.session.send({"do": "lever", "key": "subsidy.annual", "value": 77})
        head = watcher.until(lambda head: head["levers"]["subsidy.annual"] == 77)
        assert head["done"] == 40 and json.loads(parse_qs(head["link"])["event"][0])["date"] == "2030-01-01"
