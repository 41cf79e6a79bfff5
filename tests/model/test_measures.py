"""Periods are formed from quarters by hand-worked cases."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim import DecouplingModel
from sim import recorder as recorder_module
from sim.errors import BadInput
from sim.measures import HEADLINE, MOST_FIRMS, catalogue, firms, measure_names
from sim.recorder import Recorder
from sim.scenario.loading import load_config
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
            recorder_module, "Observed", lambda model, parts=parts: {k: np.array([v]) for k, v in parts.items()}
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
    assert len(inputs) == 18
    for item in inputs:
        assert f"equipment_self_supply.{item}" in known and f"controls_severity.{item}" in known
        assert all(f"input_world_share.{item}.{state}" in known for state in states)
    assert all(f"sales_denied.{state}" in known for state in states)
    for segment in WORLD.column("segments", "id"):
        assert {
            f"{name}.{segment}" for name in ("domestic_supply_share", "chip_market", "price_index", "unmet_demand")
        } <= set(known)
    for name in ("supplier_sales", "supplier_sales_to_target"):
        assert all(f"{name}.{item}.{state}" in known for item in inputs for state in states)
    for name in ("revenue", "equipment", "utilisation", "capacity", "home_share"):
        assert all(f"firm_{name}.{line['id']}" in known for line in WORLD.rows["chip_firms"])
    assert all(measure.unit and measure.formula and measure.meaning for measure in known.values())
    assert measure_names("all", WORLD) == list(known)


def test_an_unknown_measure_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'chip_market'"):
        measure_names(["chip_markt"], WORLD)


@pytest.fixture(scope="module")
def historic():
    """All measures of a run by quarter."""
    return DecouplingModel("historic", record="all", until=2024).run()


def test_parts_of_a_run_add_up(historic):
    series = historic

    def added(name, slices):
        return sum(series[f"{name}.{each}"] for each in slices).to_numpy()

    segments, states = WORLD.column("segments", "id"), WORLD.column("states", "id")
    for name in ("chip_market", "unmet_demand", "chip_production_hq"):
        assert added(name, segments) == pytest.approx(series[name].to_numpy())
    assert series.chip_imports.to_numpy() == pytest.approx((series.chip_market - series.home_sales).to_numpy())
    assert added("sales_denied", states) == pytest.approx(series.controller_sales_denied.to_numpy())
    for item in WORLD.column("inputs", "id"):
        assert added(f"input_world_share.{item}", states) == pytest.approx(np.ones(20))


def test_what_suppliers_sell_adds_up_to_what_is_bought(historic):
    states = WORLD.column("states", "id")
    tools = [row["id"] for row in WORLD.rows["inputs"] if row["kind"] == "equipment"]
    for item in WORLD.column("inputs", "id"):
        world = sum(historic[f"supplier_sales.{item}.{state}"] for state in states)
        for state in states:
            sold, to_target = (historic[f"supplier_sales{end}.{item}.{state}"] for end in ("", "_to_target"))
            assert (to_target <= sold + 1e-9).all()
            assert (sold / world).to_numpy() == pytest.approx(historic[f"input_world_share.{item}.{state}"].to_numpy())

    def of_tools(name, sellers):
        return sum(historic[f"{name}.{item}.{state}"] for item in tools for state in sellers).to_numpy()

    bought = historic.equipment_spending.to_numpy()
    assert of_tools("supplier_sales", states) == pytest.approx(historic["equipment_spending.world"].to_numpy())
    assert of_tools("supplier_sales_to_target", states) == pytest.approx(bought)
    at_home = of_tools("supplier_sales_to_target", ["CHN"])
    assert at_home == pytest.approx(historic.equipment_self_supply.to_numpy() * bought)


def test_what_firms_sell_adds_up_to_what_is_made(historic):
    def sold(lines):
        return sum(historic[f"firm_revenue.{line['id']}"] for line in lines).to_numpy()

    designers = {row["id"] for row in WORLD.rows["designers"]}
    lines = [row for row in WORLD.rows["chip_firms"] if row["id"] not in designers]
    model = DecouplingModel("historic", record="all", until=2020)
    while model.running:
        model.step()
        dies = (model.chip_firms.made - model.chip_firms.output)[0]
        paid = 4 * (dies * model.chip_market.paid[0, model.roster.firm_segment]).sum()  # by the year
        quarter = historic.iloc[model.quarter - 1]
        revenue = sum(quarter[f"firm_revenue.{row['id']}"] for row in WORLD.rows["chip_firms"])
        assert revenue == pytest.approx(quarter.world_chip_sales + paid)
    assert sold(line for line in lines if line["site"] == "CHN") == pytest.approx(
        historic.chip_production_located.to_numpy()
    )
    assert sold(line for line in lines if line["headquarters"] == "CHN") == pytest.approx(
        historic.chip_production_hq.to_numpy()
    )
    assert historic.world_chip_sales.iloc[:4].mean() == pytest.approx(361 * 6.9, rel=0.001)  # WSTS, bn USD in 2020


def test_constant_prices_are_current_ones_by_the_price_index(historic):
    market = historic.chip_market / historic.price_index
    imports = market * (1.0 - historic.domestic_supply_share_real)
    assert historic.chip_imports_real.to_numpy() == pytest.approx(imports.to_numpy())
    made = sum(
        historic[f"chip_production_located.{segment}"] / historic[f"price_index.{segment}"]
        for segment in WORLD.column("segments", "id")
    )
    assert historic.chip_production_located_real.to_numpy() == pytest.approx(made.to_numpy())
    first = historic.iloc[0]  # nothing has moved prices yet
    assert first.chip_production_located_real == pytest.approx(first.chip_production_located)
    assert first.chip_imports_real == pytest.approx(first.chip_imports)


def test_a_firm_is_its_lines(historic):
    """SMIC has lines in two segments: amounts are summed, shares are ratios of sums."""
    lines = ["smic-chn-advanced", "smic-chn-mature"]
    assert firms(WORLD)["smic"] == lines and firms(WORLD)["cxmt-chn-memory"] == ["cxmt-chn-memory"]
    assert "other-makers" not in firms(WORLD)  # a remainder of each state, not a company
    for name in ("revenue", "equipment", "capacity"):
        parts = sum(historic[f"firm_{name}.{line}"] for line in lines)
        assert historic[f"firm_{name}.smic"].to_numpy() == pytest.approx(parts.to_numpy())
    used = sum(historic[f"firm_utilisation.{line}"] * historic[f"firm_capacity.{line}"] for line in lines)
    whole = historic["firm_utilisation.smic"] * historic["firm_capacity.smic"]
    assert whole.to_numpy() == pytest.approx(used.to_numpy())
    at_home = sum(historic[f"firm_home_share.{line}"] * historic[f"firm_revenue.{line}"] for line in lines)
    whole = historic["firm_home_share.smic"] * historic["firm_revenue.smic"]
    assert whole.to_numpy() == pytest.approx(at_home.to_numpy())
    for share in ("utilisation", "home_share"):
        values = historic[[f"firm_{share}.{line['id']}" for line in WORLD.rows["chip_firms"]]].to_numpy()
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()


@pytest.mark.parametrize(("firm", "headquarters"), [("samsung-chn-memory", "KOR"), ("smic-chn-advanced", "CHN")])
def test_what_a_firm_can_make_and_sells_at_home_is_what_the_model_holds(firm, headquarters):
    model = DecouplingModel("historic", record="all", until=2024)
    line, home = model.roster.chip_firms.index(firm), model.roster.states.index(headquarters)
    capacity, made, sold, sold_home, tools = [], [], [], [], []
    while model.running:
        capacity.append(float(model.chip_firms.capacity[0, line]))
        model.step()
        made.append(float(model.chip_firms.made[0, line]))
        sold.append(float(model.chip_firms.output[0, line]))
        sold_home.append(float(model.chip_market.sales[0, home, line]))
        tools.append(float(model.chip_firms.tools_received[0, line]))
    for year, row in enumerate(model.series("year").to_dict("records")):
        four = slice(4 * year, 4 * year + 4)
        assert row[f"firm_capacity.{firm}"] == pytest.approx(sum(capacity[four]))
        assert row[f"firm_utilisation.{firm}"] == pytest.approx(sum(made[four]) / sum(capacity[four]))
        assert row[f"firm_equipment.{firm}"] == pytest.approx(sum(tools[four]))
    last = model.series("quarter").iloc[-1]
    assert last[f"firm_home_share.{firm}"] == pytest.approx(sold_home[-1] / made[-1])


def test_who_cannot_enter_sells_nothing(historic):
    entrants = [row["id"] for row in WORLD.rows["entrants"]]
    assert (historic[[f"firm_revenue.{line}" for line in entrants]].to_numpy() == 0).all()
    assert np.isnan(historic["firm_utilisation.new-makers"].to_numpy()).all()
    model = DecouplingModel("historic", set={"mechanisms.entry": True, "subsidy.annual": 800}, record="all")
    last = model.run().iloc[-1]
    assert last["firm_revenue.new-makers"] > 0
    lines = [row["id"] for table in ("chip_firms", "entrants") for row in WORLD.rows[table]]
    dies = (model.chip_firms.made - model.chip_firms.output)[0] * model.chip_market.paid[0, model.roster.firm_segment]
    of_dies = 4 * dies.sum()  # in the last quarter, by the year
    assert sum(last[f"firm_revenue.{line}"] for line in lines) == pytest.approx(last.world_chip_sales + of_dies)


def test_tools_received_are_tools_delivered_where_nobody_hoards():
    series = DecouplingModel("neutral", record="all", until=2022).run()
    received = sum(series[f"firm_equipment.{line['id']}"] for line in WORLD.rows["chip_firms"])
    assert received.to_numpy() == pytest.approx(series["equipment_spending.world"].to_numpy())


def test_a_world_of_thousands_has_no_measures_by_firm():
    world = load_config("synthetic").world
    assert len(world.rows["chip_firms"]) > MOST_FIRMS and firms(world) == {}
    series = DecouplingModel("synthetic", record="all", until=2020).run()
    assert "world_chip_sales" in series and not any(name.startswith("firm_") for name in series)
