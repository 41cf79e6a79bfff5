"""The market of inputs: lines without all tools, shortages, stocks, lost sales; by hand, and stylised facts."""

from datetime import date

import pytest
from support.models import advance, at, year

from sim.model import DecouplingModel
from sim.observed import Observed
from sim.scenario.loading import load_config


def test_without_the_best_lithography_an_advanced_line_yields_a_third():
    base = load_config("neutral").with_values(
        {
            "controls.mode": "events",
            "controls.backfill": 0.0,
            "controls.over_compliance": 0.0,
            "controls.alignment": 1.0,
            "controls.severity": 1.0,
            "mechanisms.alliance": False,
        }
    )
    base = base.with_event(
        {"date": "2020-01-01", "by": "USA", "kind": "control", "scope": ["lithography"], "severity": 1.0}
    )
    model = DecouplingModel(base)
    model.step()
    completeness = dict(zip(model.roster.chip_firms, model.chip_firms.line_completeness[0], strict=True))
    assert completeness["smic-chn-advanced"] == pytest.approx(0.33, abs=1e-9)
    assert completeness["tsmc-twn-advanced"] == pytest.approx(1.0)
    # Mature lines are reached by 0.08: the harmonic mean with weight 10.3 / 56.7 on what is left.
    weight = 10.3 / 56.7
    assert completeness["smic-chn-mature"] == pytest.approx(1 / (1 - weight + weight / 0.92), rel=1e-6)


def test_a_shortage_of_one_material_throttles_output():
    base = load_config("neutral").with_values(
        {
            "controls.mode": "events",
            "controls.backfill": 0.0,
            "controls.severity": 1.0,
            "controls.over_compliance": 0.0,
            "mechanisms.alliance": False,
        }
    )
    base = base.with_event({"date": "2020-01-01", "by": "USA", "kind": "control", "scope": "all", "severity": 1.0})
    model, free = DecouplingModel(base), DecouplingModel("neutral")
    falls = []
    for _ in range(6):
        model.step(), free.step()
        at = model.roster.chip_firms.index("smic-chn-mature")
        falls.append(float(model.chip_firms.output[0, at] / free.chip_firms.output[0, at]))
    assert falls[0] > 1.0  # home makers gain the orders that foreign ones may not fill, while stocks last
    # Masks in use serve half of output; of wafers and photoresist 0.28 come from home and from who does not control,
    # which is 0.28 to 0.28 / 0.88 of what lines at 0.88 of their capacity made, and a stock runs out slowly.
    assert falls[2] == pytest.approx(0.5, abs=0.01)
    assert 0.25 < falls[-1] < 0.4


def test_an_announced_control_is_stocked_up_for(paired):
    """Stylised fact: orders rise before a control bites (the announced controls of 2023).

    A year's need is wanted ahead of a sure cut-off of what is reached, and a quarter of the gap ordered each quarter:
    by hand between a twentieth and two fifths of a year's spending.
    """
    roster = DecouplingModel("published-2020").roster
    listed = [name for name, is_listed in zip(roster.inputs, roster.is_controlled, strict=True) if is_listed]
    scope = [*listed, *roster.segments]
    sudden = load_config("published-2020").with_values({"controls.mode": "events", "controls.severity": 1.0})
    sudden = sudden.with_event(
        {"date": date(2023, 1, 1), "by": "USA", "kind": "control", "scope": scope, "severity": 0.8}
    )
    model = advance(DecouplingModel.block([sudden] * 50, range(1, 51), record=["equipment_spending"]), 12)
    unannounced = model.recorder.values("year")[1][:, 2, 0]
    announced = year(paired({"controls.severity": 0.8}, seeds=50)["equipment_spending"], 2022)
    assert (announced > unannounced).mean() > 0.9
    assert 0.05 < (announced / unannounced - 1).mean() < 0.4


def test_the_store_empties_once_the_control_bites_and_never_holds_less_than_nothing():
    model = DecouplingModel("allied", rng=2)
    stored = []
    while model.running:
        model.step()
        assert (model.input_market.store >= -1e-12).all()
        stored.append(float(model.input_market.store.sum()))
    assert stored[7] == 0.0  # 2021-Q4: nothing is announced
    assert stored[11] > 10.0  # 2022-Q4: a year after the announcement
    assert stored[23] < 0.5 * max(stored)


def test_controllers_suppliers_lose_sales_and_research():
    """Stylised fact: lost sales lower the controllers' suppliers' research.

    By hand: China takes a quarter of the world's tools, a third of that lies above the thresholds, so a control of 0.8
    costs the American suppliers about 0.26 x 0.33 x 0.8 = 7 % of their sales; what foreign-owned plants are spared
    makes it less. Between 2 and 8 %, and research, a part of sales, likewise.
    """
    sales, research = [], []
    for severity in (0.0, 0.8):
        held = {"security.caused_by_controls": 0.0}  # the push is the same with and without
        scenario = load_config("published-2020").with_values({"controls.severity": severity, **held})
        model = advance(DecouplingModel.block([scenario] * 50, range(50)), 24)
        suppliers, by_state = model.suppliers, model.roster.by_supplier_state
        sales.append(by_state.sum(suppliers.revenue)[:, at(model, "USA")])
        research.append(by_state.sum(suppliers.revenue * suppliers.research_intensity)[:, at(model, "USA")])
    for before, after in (sales, research):
        lost = 1 - after / before
        assert (lost > 0).all()
        assert 0.02 < lost.mean() < 0.08


def test_what_a_cut_off_leaves_to_rounding_does_not_decide_the_output_at_risk():
    """Of lithography nothing comes any more. Whether that is none or a rounding, home supplies give none of it."""
    model = advance(DecouplingModel("full-cutoff"), 40)
    market, home = model.input_market, model.roster.home
    lithography = model.roster.inputs.index("lithography")
    assert market.need[0, home, lithography].max() > 0.1
    at_risk = []
    for left in (0.0, 1e-15, -1e-15):
        delivered = market.delivered.copy()
        delivered[:, home, lithography] = left
        market.delivered = delivered
        at_risk.append(float(Observed(model).output_at_risk[0, 0]))
    assert at_risk == pytest.approx([at_risk[0]] * 3, rel=1e-12)
