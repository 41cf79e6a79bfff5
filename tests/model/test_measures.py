"""Periods are formed from quarters by hand-worked cases."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim import recorder as recorder_module
from sim.errors import BadInput
from sim.measures import HEADLINE, catalogue, measure_names
from sim.recorder import Recorder
from sim.world.world import load_world

WORLD = load_world("china-2020")
DESIGNED = [
    "domestic_supply_share",
    "domestic_supply_share_real",
    "production_share_located",
    "production_share_hq",
    "chip_market",
    "chip_production_located",
    "chip_production_hq",
    "chip_imports",
    "home_sales",
    "unmet_demand",
    "price_index",
    "buyer_cost",
    "output_at_risk",
    "equipment_spending",
    "equipment_self_supply",
    "technology_gap",
    "controls_severity",
    "controller_sales_denied",
    "subsidy_spent",
    "subsidy_per_point",
]


def recorded(monkeypatch, quarters, names):
    """A recorder that was handed these quarters' parts, for one run."""
    recorder = Recorder(WORLD, names)
    for parts in quarters:
        monkeypatch.setattr(
            recorder_module, "observe", lambda model, parts=parts: {k: np.array([v]) for k, v in parts.items()}
        )
        recorder.record(SimpleNamespace())
    return recorder


def quarters(home, market, subsidy=(0,) * 8, price=(1,) * 8, gap=(0,) * 8):
    return [
        {"home_sales": [h, 0.0], "market": [m / 2, m / 2], "subsidy": [s], "price_index": [p], "output_at_risk": [g]}
        for h, m, s, p, g in zip(home, market, subsidy, price, gap, strict=False)
    ]


def test_flows_ratios_means_and_stocks(monkeypatch):
    names = ["domestic_supply_share", "chip_market", "price_index", "output_at_risk"]
    made = quarters(
        home=(1, 2, 3, 4, 5, 5, 5, 5),
        market=(10, 10, 20, 40, 50, 50, 50, 50),
        price=(1, 2, 3, 6, 1, 1, 1, 1),
        gap=(7, 8, 9, 11, 1, 2, 3, 4),
    )
    recorder = recorded(monkeypatch, made, names)
    dates, quarter = recorder.values("quarter")
    assert dates[:2] == ["2020-03-31", "2020-06-30"] and len(dates) == 8
    assert quarter[0, 1] == pytest.approx([0.2, 40.0, 2.0, 8.0])  # a quarter's flow times four
    dates, yearly = recorder.values("year")
    assert dates == ["2020-12-31", "2021-12-31"]
    assert yearly[0, 0] == pytest.approx([10 / 80, 80.0, 3.0, 11.0])  # ratio of sums, sum, mean, end
    dates, end = recorder.values("end")
    assert dates == ["2021-12-31"] and end[0, 0] == pytest.approx([0.1, 200.0, 1.0, 4.0])


def test_subsidy_per_point_counts_from_2020_and_is_missing_without_a_gain(monkeypatch):
    made = quarters(home=(10, 10, 10, 10, 12, 12, 12, 12), market=(100,) * 8, subsidy=(5,) * 8)
    _, yearly = recorded(monkeypatch, made, ["subsidy_per_point"]).values("year")
    assert np.isnan(yearly[0, 0, 0])
    assert yearly[0, 1, 0] == pytest.approx(40 / 2)  # 40 bn yuan in all, 2 points gained
    fallen = quarters(home=(10, 10, 10, 10, 9, 9, 9, 9), market=(100,) * 8, subsidy=(5,) * 8)
    assert np.isnan(recorded(monkeypatch, fallen, ["subsidy_per_point"]).values("year")[1]).all()


def test_first_reaching_names_the_quarter(monkeypatch):
    made = quarters(home=(1, 1, 7, 7), market=(10, 10, 10, 10))
    recorder = recorded(monkeypatch, made, ["chip_market"])
    assert recorder.first_reaching(0.7) == ["2020-09-30"]
    assert recorder.first_reaching(0.8) == [""]


def test_the_designed_measures_exist_for_every_slice():
    assert list(HEADLINE) == DESIGNED
    known = catalogue(WORLD)
    inputs, states = WORLD.column("inputs", "id"), WORLD.column("states", "id")
    assert len(inputs) == 17
    for item in inputs:
        assert f"equipment_self_supply.{item}" in known and f"controls_severity.{item}" in known
        assert all(f"input_world_share.{item}.{state}" in known for state in states)
    assert all(f"sales_denied.{state}" in known for state in states)
    for segment in WORLD.column("segments", "id"):
        assert {
            f"{name}.{segment}" for name in ("domestic_supply_share", "chip_market", "price_index", "unmet_demand")
        } <= set(known)
    assert all(measure.unit and measure.formula and measure.meaning for measure in known.values())
    assert measure_names("all", WORLD) == list(known)


def test_an_unknown_measure_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'chip_market'"):
        measure_names(["chip_markt"], WORLD)


def test_parts_of_a_run_add_up():
    from sim import DecouplingModel

    series = DecouplingModel("historic", record="all", until=2024).run()

    def added(name, slices):
        return sum(series[f"{name}.{each}"] for each in slices).to_numpy()

    segments, states = WORLD.column("segments", "id"), WORLD.column("states", "id")
    for name in ("chip_market", "unmet_demand", "chip_production_hq"):
        assert added(name, segments) == pytest.approx(series[name].to_numpy())
    assert series.chip_imports.to_numpy() == pytest.approx((series.chip_market - series.home_sales).to_numpy())
    assert added("sales_denied", states) == pytest.approx(series.controller_sales_denied.to_numpy())
    for item in WORLD.column("inputs", "id"):
        assert added(f"input_world_share.{item}", states) == pytest.approx(np.ones(20))
