"""What Futures shows of accelerators: measures, dates, buttons and warnings, in words that people say."""

import numpy as np
import pytest

from sim.futures.about import settings
from sim.futures.presets import presets
from sim.futures.sentence import warnings
from sim.scenario.loading import load_config
from sim.world.world import load_world

Y2027 = 28  # quarters from 2020 on


@pytest.fixture(scope="module")
def told():
    return settings("historic")


def test_their_measures_stand_behind_the_others_with_units(told):
    shown = [(each["label"], each["unit"], each["logarithmic"]) for each in told["measures"] if each["of"]]
    assert shown == [
        ("Computing power added", "thousand H100e a year", True),
        ("Price of computing power", "2020 = 1", True),
        ("Computing power smuggled in", "thousand H100e a year", True),
        ("AI accelerators of China's designers", "0 to 1", False),
        ("AI accelerators made in China", "0 to 1", False),
        ("AI accelerators not to be had", "bn yuan a year", False),
        ("Stock of high-bandwidth memory", "bn yuan", False),
    ]
    assert [each["of"] for each in told["measures"]] == [""] * 8 + ["AI accelerators"] * 7


def test_meanings_name_states_and_things_and_say_what_a_unit_is(told):
    meanings = {each["name"]: each["meaning"] for each in told["measures"]}
    assert meanings["compute_added.CHN"].startswith("compute that China buys, leaks included; H100e: ")
    assert meanings["compute_leaked"].startswith(
        "compute that comes to China in spite of controls, a part of compute added"
    )
    assert meanings["part_stock.hbm"] == "high-bandwidth memory that lies in China, bought and not yet built in"
    assert not [text for text in meanings.values() if "_" in text or "the target" in text or "CHN" in text]
    assert "seeds" in {each["name"]: each["meaning"] for each in settings("crop-seeds")["measures"]}["unmet_demand"]


def test_their_dates_are_told_and_stand_on_their_charts(told):
    marks = {(mark["date"], mark["label"]): mark["of"] for mark in told["marks"]}
    for date, label in (
        ("2022-10-07", "United States sets foundries closed to designers to 75 %"),
        ("2023-10-17", "United States sets quality cap to 15 %, foundries closed to designers to 90 %"),
        ("2025-01-01", "United States denies 90 % of high-bandwidth memory"),
        ("2025-04-09", "United States denies 100 % of AI accelerators"),
        ("2025-11-01", "China sets refusal to buy abroad to 60 %"),
    ):
        assert marks[date, label] == "AI accelerators"
    assert marks["2022-08-12", "United States denies 25 % of design software"] == ""
    assert marks["2025-12-30", "China sets tool mandate to 50 %"] == ""


def test_published_figures_in_a_measure_s_own_unit_are_shown(told):
    stock, shares = (told["published"][name] for name in ("part_stock.hbm", "design_share.ai_accelerators"))
    assert [(row["date"], row["value"]) for row in stock] == [("2024-12-31", 36.0)]
    assert [row["value"] for row in shares] == [0.18, 0.31]
    assert "chip_market.ai_accelerators" not in told["published"]  # is in dollars, which nothing drawn is


def test_buttons_deny_and_allow_accelerators_alone():
    found = {preset.id: preset for preset in presets(load_config("historic"), Y2027)}
    stopped, allowed, truce = (found[id] for id in ("stopped", "allowed", "truce"))
    assert (stopped.label, allowed.label) == ("AI accelerators stopped", "AI accelerators allowed")
    (stop,) = stopped.acts
    assert (stop["by"], stop["scope"], stop["severity"]) == ("USA", ["ai_accelerators"], 1.0)
    assert allowed.set == {"controls.quality_cap": 1.0, "controls.foundry": 0.0}
    assert [(act["kind"], act["scope"]) for act in allowed.acts] == [("truce", ["ai_accelerators", "hbm"])]
    # what is in force as a lever ends with a truce as well
    assert {"by": "USA", "kind": "lever", "set": dict(allowed.set)} in truce.acts
    early = next(preset for preset in presets(load_config("historic"), 4) if preset.id == "truce")  # 2021: no cap yet
    (lever,) = (act for act in early.acts if act["kind"] == "lever")
    assert lever["set"] == {"controls.foundry": 0.0}


@pytest.mark.parametrize(
    ("part", "words"), [(0.6, "100 bn yuan a year, most of it AI accelerators. A share"), (0.4, " a year. A share")]
)
def test_a_warning_says_where_most_of_it_is_one_segment(part, words):
    names = ("domestic_supply_share", "unmet_demand", "chip_market", "unmet_demand.ai_accelerators")
    years = np.tile([0.2, 0.0, 1000.0, 0.0], (16, 1))
    years[-1] = [0.2, 100.0, 900.0, 100.0 * part]
    (warning,) = warnings(load_world("china-2020"), names, years[None], None)
    assert "10 % of the chips they want in 2035, when that part is largest: 100 bn yuan a year" in warning
    assert words in warning
