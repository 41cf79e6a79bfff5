"""What can be kept of a live run: its series, what was done as a config that replays, its address; and backgrounds."""

import csv
import io
import random
import shutil
import tomllib
from urllib.parse import parse_qs

import pytest
from support.live_session import Watcher, kept, replayed
from support.made_results import EXPERIMENT, manifest, signed, vouch
from support.paths import ROOT

from sim.errors import BadInput
from sim.futures.about import published
from sim.futures.levers import described
from sim.live import background, link
from sim.live.race import Race
from sim.scenario.loading import load_config


def test_a_run_watched_and_a_run_have_the_same_bytes(tmp_path):
    with Watcher("config=historic&seed=7") as watcher:
        for _ in range(5):
            watcher.session.send({"do": "quarter"})
        watcher.session.send({"do": "speed", "value": 40})
        watcher.session.send({"do": "play"})
        watcher.until(lambda head: head["state"] == "ended")
        name, text = kept(watcher, "series")
    assert name == "historic-7-series.csv"
    assert text.encode() == replayed("historic", 7, tmp_path / "out")


def test_interventions_replay_bit_for_bit(tmp_path):
    with Watcher("config=published-2020&seed=11&subsidy.annual=33.3&mechanisms.caution=false") as watcher:
        watcher.do("jump", value=2021)
        watcher.do("lever", key="controls.severity", value=0.35)
        watcher.do("quarter")
        watcher.do("announce", by="JPN", item="photoresist", severity=0.55)
        watcher.do("jump", value=2023)
        watcher.do("lever", key="subsidy.annual", value=123.456)
        watcher.do("lever", key="subsidy.allocation", value="bottleneck")
        watcher.do("cut off")
        watcher.do("quarter")
        watcher.do("truce")
        watcher.do("lose fab", firm="smic-chn-mature")
        watcher.do("jump", value=2036)
        name, text = kept(watcher, "series")
        config_name, config = kept(watcher, "config")
    path = tmp_path / config_name
    path.write_text(config)
    assert name == config_name.removesuffix(".toml") + "-11-series.csv"
    assert config.startswith(f"# decoupling run {config_name} --seed 11\n")
    events = tomllib.loads(config)["event"]
    assert {event["kind"] for event in events} == {"lever", "control", "truce", "outage"}
    assert replayed(path, 11, tmp_path / "out") == text.encode()


def test_a_truce_before_a_dated_control_replays(tmp_path):
    """An event set today comes before those of the config that come later, in the file as in the run."""
    with Watcher("config=historic&seed=2") as watcher:
        watcher.do("jump", value=2022)
        watcher.do("truce")
        watcher.do("jump", value=2036)
        _, text = kept(watcher, "series")
        name, config = kept(watcher, "config")
    (tmp_path / name).write_text(config)
    assert replayed(tmp_path / name, 2, tmp_path / "out") == text.encode()
    rows = {row["date"]: float(row["controls_severity"]) for row in csv.DictReader(io.StringIO(text))}
    assert rows["2021-12-31"] > 0 and rows["2022-03-31"] == 0 and rows["2022-12-31"] > 0


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 12))])
def test_whatever_is_done_replays(tmp_path, seed):
    chance = random.Random(seed)
    scenario = load_config(chance.choice(["historic", "published-2020", "no-controls"]))
    levers = described(scenario.world)
    numbers = [lever for lever in levers if not lever["choices"]]
    words = [lever for lever in levers if lever["choices"]]
    watcher = Watcher(f"config={scenario.name}&seed={seed}")
    with watcher:
        for year in range(2020, 2036):
            for _ in range(chance.randrange(3)):
                act = chance.choice(["number", "number", "word", "announce", "cut off", "truce", "fab"])
                if act == "number":
                    lever = chance.choice(numbers)
                    value = chance.uniform(lever["low"], lever["high"])
                    watcher.do("lever", key=lever["key"], value=value)
                elif act == "word":
                    lever = chance.choice(words)
                    watcher.do("lever", key=lever["key"], value=chance.choice(lever["choices"]))
                elif act == "announce":
                    watcher.do("announce", by="NLD", item="lithography", severity=chance.random())
                elif act == "fab":
                    watcher.do("lose fab", firm=chance.choice(["tsmc-twn-leading", "ymtc-chn-memory"]))
                else:
                    watcher.do(act)
            watcher.do("jump", value=year + 1)
        _, series = kept(watcher, "series")
        name, config = kept(watcher, "config")
        query = watcher.head["link"][1:]
    (tmp_path / name).write_text(config)
    assert replayed(tmp_path / name, seed, tmp_path / "out") == series.encode()
    # the page's address gives the same again
    moment, faults = link.opened(query, "historic")
    race = moment.races()["A"]
    run_to(race, moment.quarter)
    assert faults == {} and race.series_csv() == series


def run_to(race, quarter):
    while race.model.quarter < quarter:
        race.step()


def test_each_future_is_kept_by_itself(tmp_path):
    with Watcher("config=historic&seed=5") as watcher:
        watcher.do("jump", value=2026)
        watcher.do("branch")
        watcher.do("lever", key="subsidy.annual", value=300)
        watcher.do("jump", value=2036)
        _, other = kept(watcher, "series")
        name, config = kept(watcher, "config")
        watcher.do("show", value="A")
        _, first = kept(watcher, "series")
        assert "Nothing was changed" in watcher.do("write", value="config")["faults"]["write"]
    (tmp_path / name).write_text(config)
    assert replayed(tmp_path / name, 5, tmp_path / "b") == other.encode()
    assert replayed("historic", 5, tmp_path / "a") == first.encode()


def test_a_config_of_one_s_own_replays_in_any_folder(tmp_path, monkeypatch):
    """A config at a path, one in the configs/ of the working folder, and one of a world of one's own."""
    configs = tmp_path / "here" / "configs"
    shutil.copytree(ROOT / "configs/worlds/crop-seeds", configs / "worlds/rice")
    (configs / "mine.toml").write_text('purpose = "mine"\nextends = "historic"\n[subsidy]\nannual = 80.0\n')
    (configs / "paddies.toml").write_text('purpose = "rice"\nworld = "rice"\n')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for config in ("mine", "configs/mine.toml", "paddies"):
        monkeypatch.chdir(tmp_path / "here")
        moment, faults = link.opened("seed=4", config)
        race = moment.races()["A"]
        by = moment.opened.world.target
        race.intervene([{"date": "2020-01-01", "by": by, "kind": "lever", "set": {"mandate.domestic": 0.3}}])
        run_to(race, race.model.horizon)
        monkeypatch.chdir(elsewhere)
        saved = elsewhere / f"{race.name}.toml"
        saved.write_text(race.config_toml())
        assert faults == {} and replayed(saved, 4, tmp_path / "out" / config) == race.series_csv().encode()


def test_an_address_opens_the_same_quarter_with_the_same_levers():
    with Watcher("config=historic&seed=9&subsidy.annual=70") as watcher:
        watcher.do("jump", value=2023)
        watcher.do("lever", key="investment.annual", value=250)
        head = watcher.do("quarter")
        series = watcher.series["A"]
    query = parse_qs(head["link"][1:])
    assert query["config"] == ["historic"] and query["seed"] == ["9"] and query["at"] == ["2023-Q1"]
    with Watcher(head["link"][1:]) as again:
        assert again.series["A"] == series
        assert (
            again.head["levers"] == head["levers"] and again.head["quarter"] == "2023-Q1" and again.head["faults"] == {}
        )


# -- what is drawn behind a run


def test_published_shares_end_in_2024():
    found = published(load_config("historic").world)
    located = {row["date"][:4]: row["value"] for row in found["production_share_located"]}
    # IC Insights: 15.9 % in 2020, 16.7 % in 2021; TechInsights: 23 % in 2023
    assert located["2020"] == pytest.approx(0.159) and located["2021"] == pytest.approx(0.167)
    assert located["2023"] == pytest.approx(0.23)
    assert all(row["date"] <= "2024-12-31" and row["source"] for rows in found.values() for row in rows)


def test_a_lumped_and_a_copied_world_have_goods_target_and_published_figures(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "configs/worlds/china-2020", tmp_path / "configs/worlds/mine")
    (tmp_path / "configs/copied.toml").write_text('purpose = "a copy"\nworld = "mine"\n')
    monkeypatch.chdir(tmp_path)
    whole = load_config("historic").world
    for name in ("lumped", "copied"):
        world = load_config(name).world
        assert (world.goods, world.goal, published(world)) == ("chips", whole.goal, published(whole))


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A results folder with a batch of five runs in which a measure is 1, 2, 3, 4 and 5."""
    folder = tmp_path / "results" / "earlier"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (folder / "manifest.json").write_text(signed(manifest(experiment=EXPERIMENT, seeds=[1, 2, 3, 4, 5])))
    rows = [f"historic-1-0-{seed},historic,0,{seed},2020-12-31,{float(seed)},\n" for seed in range(1, 6)]
    (folder / "series.csv").write_text(
        "run_id,config,parameter_set,seed,date,price_index,unmet_demand\n" + "".join(rows)
    )
    (folder / "runs.csv").write_text("run_id,config,parameter_set,seed,status\n")
    return vouch(folder)


def test_the_band_of_a_batch(results):
    assert list(background.batches()) == ["earlier: historic"]
    band = background.band("earlier: historic", ["price_index", "unmet_demand", "home_sales"])
    assert band["runs"] == 5 and band["dates"] == ["2020-12-31"]
    assert band["measures"]["price_index"] == [[pytest.approx(value) for value in (1.2, 2, 3, 4, 4.8)]]
    assert band["measures"]["unmet_demand"] == [[None] * 5]


@pytest.mark.parametrize("config", ["NA", "null", "nan", "None", "1e3", "TRUE", "-inf"])
def test_the_band_of_a_config_whose_name_a_table_may_take_for_no_text(results, config):
    path = results / "manifest.json"
    path.write_text(path.read_text().replace("historic", config))
    series = results / "series.csv"
    series.write_text(series.read_text().replace("historic", config))
    vouch(results)
    with Watcher("config=historic") as watcher:
        head = watcher.do("background", value=f"earlier: {config}")
    assert head["faults"] == {}
    assert watcher.parts["band"]["measures"]["price_index"] == [[pytest.approx(value) for value in (1.2, 2, 3, 4, 4.8)]]


@pytest.mark.parametrize("name", ["", "earlier", "../earlier: historic", "/etc: passwd", "earlier: other"])
def test_only_batches_that_are_there_are_read(results, name):
    with pytest.raises(BadInput, match="there is no finished batch"):
        background.band(name, ["price_index"])


def test_a_batch_that_is_altered_or_broken_is_said(results):
    (results / "series.csv").write_text("")
    with pytest.raises(BadInput, match=r"series.csv: has 0 bytes, and \d+ were written"):
        background.band("earlier: historic", ["price_index"])
    vouch(results)
    with pytest.raises(BadInput, match="series.csv: column 'config' is missing; the file is empty"):
        background.band("earlier: historic", ["price_index"])


@pytest.mark.parametrize("damage", ["altered", "link", "link to the same"])
def test_no_band_is_drawn_of_a_series_that_was_altered_or_is_a_link(results, tmp_path, damage):
    """Altered at equal length, or a file from elsewhere in its place."""
    series = results / "series.csv"
    written = series.read_text()
    if damage == "altered":
        series.write_text(written.replace("3.0", "9.0"))
        said = "series.csv: was altered: its sha256 is not the one in manifest.json"
    else:
        other = tmp_path / "mine.csv"
        other.write_text(written if damage == "link to the same" else written.replace("3.0", "9.0"))
        series.unlink()
        series.symlink_to(other)
        said = "series.csv: is a symbolic link, which is not followed"
    with pytest.raises(BadInput, match=said):
        background.band("earlier: historic", ["price_index"])


def test_no_band_is_drawn_of_a_batch_whose_manifest_was_altered(results):
    path = results / "manifest.json"
    path.write_text(path.read_text().replace('"last": 2035', '"last": 2034'))
    with pytest.raises(BadInput, match="there is no finished batch 'earlier: historic' in results/ any more"):
        background.band("earlier: historic", ["price_index"])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"experiment": {}}', "null", "[" * 100_000])
def test_a_folder_that_is_no_result_is_left_out(results, text):
    (results / "manifest.json").write_text(text)
    assert background.batches() == {}


def test_a_single_run_is_no_batch(results):
    (results / "manifest.json").write_text(signed(manifest()))
    assert background.batches() == {}


def test_a_race_keeps_what_it_was_opened_with():
    scenario = load_config("historic")
    assert Race(scenario, scenario, 1).name == "historic"
    assert Race(scenario, scenario.with_values({"subsidy.annual": 5}), 1).name.startswith("historic-live-")


def test_a_control_is_told_with_what_it_reaches_and_when_it_ends():
    race = Race("config=historic", load_config("historic"), 1)
    while race.model.quarter < 26:
        race.step()
    told = {(deed["quarter"], deed["what"]) for deed in race.deeds}
    assert ("2025-Q2", "Denies 100 % of AI accelerators.") in told
    lines = "leading logic, advanced logic, mature logic, memory, analog power"
    assert ("2025-Q2", f"Denies 40 % of design software for lines of {lines}.") in told
    assert ("2025-Q3", f"Ends its control of 2025-05-23 on design software for lines of {lines}.") in told


def test_the_rules_on_accelerators_are_told_as_people_say_them():
    race = Race("config=historic", load_config("historic"), 1)
    while race.model.quarter < 25:
        race.step()
    told = {(deed["quarter"], deed["what"]): deed for deed in race.deeds}
    assert told["2022-Q4", "Sets foundries closed to designers to 75 %."]["who"] == ["USA"]
    cap = told["2023-Q4", "Sets quality cap to 15 %."]
    assert cap["why"].startswith("Performance-density rule: ") and cap["why"].endswith(".")
    assert told["2025-Q3", "Sets refusal to buy abroad to 40 %."]["who"] == ["CHN"]
    announced = ("2024-Q4", "Announces to deny 90 % of high-bandwidth memory, through KOR too from 2025-Q1 on.")
    # by which the charts of accelerators find the dates that concern them
    assert told[announced]["on"] == ["hbm"] and "controls.quality_cap" in cap["on"]
    assert told["2022-Q3", "Denies 25 % of design software."]["on"] == ["design_software"]


def test_makers_that_are_out_close_or_leave_are_told():
    scenario = load_config("historic")
    for more in (
        {"kind": "outage", "scope": ["smic"], "severity": 1.0, "until": "2022-01-01"},
        {"kind": "closure", "scope": ["tsmc-chn-mature"]},
        {"kind": "withdrawal", "by": "KOR", "to": "KOR"},
    ):
        scenario = scenario.with_event({"date": "2020-04-01", "by": "CHN", **more})
    race = Race("config=historic", scenario, 1)
    race.step(), race.step()
    told = {(*deed["who"], deed["what"]) for deed in race.deeds}
    assert ("CHN", "Loses 100 % of smic until 2022-Q1.") in told
    assert ("CHN", "Closes tsmc-chn-mature for good.") in told
    assert ("KOR", "Moves samsung-chn-memory, sk-hynix-chn-memory to KOR.") in told
