"""The strategic game: what its rules do by their text, and stylised facts with their source; no hypotheses."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import series_of, year

from sim.engine.groups import Groups
from sim.markets.denial import Denial, part_met
from sim.model import DecouplingModel
from sim.policy.review import review_inputs
from sim.scenario.scenario import load_config


def at(model, state):
    return model.roster.states.index(state)


def advance(model, quarters):
    for _ in range(quarters):
        model.step()
    return model


@pytest.mark.parametrize("mechanism", ["alliance", "stockpiling", "retaliation", "automotive"])
def test_a_mechanism_without_a_cause_moves_nothing(mechanism):
    """Verification: without controls nobody follows, hoards or retaliates, to the last bit."""
    on = series_of(DecouplingModel("published-2020", rng=4))
    off = series_of(DecouplingModel("published-2020", rng=4, set={f"mechanisms.{mechanism}": False}))
    assert on.tobytes() == off.tobytes()


# Alliance


def test_allies_follow_nine_to_twelve_months_later_and_the_less_the_more_it_costs_them():
    """Stylised fact: the Netherlands and Japan acted 9 to 11 months after October 2022; in quarters, 3 or 4."""
    scenario = load_config("published-2020").with_values({"controls.severity": 0.8, "controls.start": 2022})
    model = DecouplingModel.block([scenario] * 40, range(40))
    item = model.roster.inputs.index("lithography")
    began = {}
    for quarter in range(16):
        model.step()
        in_force = model.controls.in_force.above_threshold[..., item]
        for state in ("USA", "NLD", "JPN"):
            for run in np.flatnonzero(in_force[:, at(model, state)] > 0):
                began.setdefault((state, run), quarter)
    lags = np.array([began[state, run] - began["USA", run] for state in ("NLD", "JPN") for run in range(40)])
    assert set(lags) == {3, 4}
    assert lags.mean() * 3 == pytest.approx(10, abs=0.6)  # months; 80 draws, standard error 0.16
    exposed = model.states.exposed_revenue[:, at(model, "JPN")]
    strength = model.states.follow_strength[:, at(model, "JPN")]
    assert strength == pytest.approx(np.exp(-2.0 * exposed), rel=1e-12)
    assert (exposed > 0.02).all() and (exposed < 0.3).all()


def test_alone_the_lead_denies_two_thirds_at_most_of_what_the_allies_deny_together(paired):
    """Stylised fact: what one state denies others sell (Khan, Mann and Peterson 2021)."""
    free = year(paired({}, seeds=50)["equipment_spending"], 2025)
    lost = {}
    for alignment in (0.0, 1.0):
        runs = paired({"controls.severity": 0.9, "controls.alignment": alignment}, seeds=50)
        lost[alignment] = free - year(runs["equipment_spending"], 2025)
    assert lost[0.0].mean() > 0
    assert lost[0.0].mean() <= lost[1.0].mean() * 2 / 3


def test_what_lies_above_a_threshold_is_back_filled_by_itself():
    """Half of the need lies above, and one of two equal sellers denies its half of that: worked by hand.

    Above: 0.5 permitted, 0.5 x (1 - exp(-0.5 x 0.5 / 0.5)) back-filled = 0.69673; below: all of it.
    """
    one_market = Groups(np.array([0, 0]), 1)
    denial = Denial(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]), np.ones(1), np.array([0.5, 0.5]))
    met = part_met(np.array([[0.5, 0.5]]), denial, np.array([0.5]), one_market, np.array([[0.5]]))
    assert met[0, 0] == pytest.approx(0.5 * 0.69673 + 0.5, abs=1e-5)
    assert denial.of_sales.tolist() == [[0.5, 0.0]]


# Stockpiling


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


# Lost sales


def test_controllers_suppliers_lose_sales_and_research():
    """Stylised fact: lost sales lower the controllers' suppliers' research.

    By hand: China takes a quarter of the world's tools, a third of that lies above the thresholds, so a control of 0.8
    costs the American suppliers about 0.26 x 0.33 x 0.8 = 7 % of their sales; what foreign-owned plants are spared
    makes it less. Between 2 and 8 %, and research, a part of sales, likewise.
    """
    sales, research = [], []
    for severity in (0.0, 0.8):
        scenario = load_config("published-2020").with_values({"controls.severity": severity})
        model = advance(DecouplingModel.block([scenario] * 50, range(50)), 24)
        suppliers, by_state = model.suppliers, model.roster.by_supplier_state
        sales.append(by_state.sum(suppliers.revenue)[:, at(model, "USA")])
        research.append(by_state.sum(suppliers.revenue * suppliers.research_intensity)[:, at(model, "USA")])
    for before, after in (sales, research):
        lost = 1 - after / before
        assert (lost > 0).all()
        assert 0.02 < lost.mean() < 0.08


# Retaliation


def answer(model, quarter, severity):
    """The target's retaliation in a quarter in which the lead's harshest control is `severity`."""
    for table in model.tables.values():
        table.quarter = quarter
    model.states.faced_control = severity * model.states.is_target * np.ones((1, 1))
    model.states.retaliate()
    return float(model.states.retaliation[0, at(model, "CHN")])


def test_the_target_answers_after_a_lag_that_shrinks():
    """The first round waits 3.33 quarters, rounded by the draw to 3 or 4; the next 0.67 and 0.13, so 0 or 1."""
    model = DecouplingModel("published-2020", set={"retaliation.severity": 0.5})
    answers = [answer(model, q, 0.4 if q < 8 else 0.8 if q < 12 else 1.0) for q in range(20)]
    first = next(q for q, each in enumerate(answers) if each > 0)
    assert first in (3, 4) and answers[first] == pytest.approx(0.2)
    second = next(q for q, each in enumerate(answers) if each == pytest.approx(0.4))
    assert second - 8 in (0, 1)
    third = next(q for q, each in enumerate(answers) if each == pytest.approx(0.5))
    assert third - 12 in (0, 1)
    assert answer(model, 20, 0.0) == 0.0  # when the control goes, so does the answer


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=30))
def test_the_answer_never_exceeds_the_control(severities):
    model = DecouplingModel("published-2020", set={"retaliation.severity": 1.0})
    for quarter, severity in enumerate(severities):
        assert -1e-12 <= answer(model, quarter, severity) <= severity + 1e-12


def test_retaliation_is_felt_in_stocks_and_output_of_those_who_control():
    """Nine tenths of output do without the minerals, so a full ban that nobody evades can stop a tenth at most."""
    ban = load_config("published-2020").with_values(
        {"controls.mode": "events", "retaliation.bite": 1.0, "controls.backfill": 0.0}
    )
    ban = ban.with_event(
        {"date": date(2022, 1, 1), "by": "CHN", "kind": "retaliation", "scope": ["critical_minerals"], "severity": 1.0}
    )
    model = advance(DecouplingModel(ban), 16)
    free = advance(DecouplingModel("published-2020", set={"controls.mode": "events"}), 16)
    item, usa = model.roster.inputs.index("critical_minerals"), model.roster.group_names.index("USA")
    assert model.input_market.stock[0, usa, item] < 0.5 * free.input_market.stock[0, usa, item]
    cover = model.chip_firms.material_cover[0]
    american = model.roster.firm_site == at(model, "USA")
    assert cover[american].min() >= 0.9 and cover[american].max() < 1.0
    assert (cover[model.roster.firm_site == at(model, "ROW")] == 1.0).all()


def test_a_barred_maker_loses_its_sales_to_the_target_and_no_other():
    ban = load_config("published-2020").with_values({"controls.mode": "events", "retaliation.bite": 1.0})
    ban = ban.with_event(
        {"date": date(2022, 1, 1), "by": "CHN", "target": "USA", "kind": "retaliation", "scope": ["memory"]}
        | {"severity": 1.0}
    )
    model = advance(DecouplingModel(ban), 9)
    roster = model.roster
    memory = roster.firm_segment == roster.segments.index("memory")
    american = roster.firm_headquarters == at(model, "USA")
    sales = model.chip_market.sales[0, roster.target]
    assert sales[memory & american & ~roster.at_home].max() == 0.0
    assert sales[memory & ~american].sum() > 0.0
    assert sales[~memory & american].sum() > 0.0


# The plan, talent, entry


def test_the_plan_by_hand():
    """2022: path 0.12 + 2 / 5 x 0.58 = 0.352, 15.2 points above a share of 0.2; trend 40.8 x (exp(0.077 x 2) - 1).

    No exposure: 2.4 x 15.2 + 6.793 = 43.27 bn yuan a year.
    """
    model = DecouplingModel("published-2020", set={"subsidy.mode": "plan"})
    for table in model.tables.values():
        table.quarter = 8
    model.states.domestic_share = np.full_like(model.states.domestic_share, 0.2)
    model.states.revise_plan()
    assert model.states.plan_budget[0, at(model, "CHN")] == pytest.approx(43.27, abs=0.01)
    assert model.states.plan_budget.sum() == pytest.approx(43.27, abs=0.01)
    model.states.exposure = np.full_like(model.states.exposure, 0.9)
    model.states.revise_plan()
    assert model.states.plan_budget[0, at(model, "CHN")] == 300.0  # the cap


def test_foreign_experts_called_home_leave_fewer_to_do_research():
    """Verification: a tenth of research rests on them, all are forbidden: engineers fall by a tenth."""
    base = load_config("published-2020").with_values(
        {"controls.mode": "events", "controls.severity": 1.0, "talent.foreign_part": 0.1, "talent.growth": 0.0}
    )
    base = base.with_event(
        {"date": date(2021, 1, 1), "by": "USA", "kind": "control", "scope": ["experts"], "severity": 1.0}
    )
    model = advance(DecouplingModel(base), 5)
    assert model.states.engineers[0, at(model, "CHN")] == pytest.approx(0.9)
    assert model.states.engineers[0, at(model, "USA")] == 1.0


def test_nobody_enters_without_subsidy_and_a_failed_fab_leaves_no_lines():
    model = advance(DecouplingModel("published-2020", rng=3), 64)
    entrants = model.roster.is_entrant
    assert model.chip_firms.entered[0, entrants].max() == model.chip_firms.output[0, entrants].max() == 0.0

    scenario = load_config("published-2020").with_values({"subsidy.annual": 400, "entry.failure": 0.9})
    model = DecouplingModel.block([scenario] * 20, range(20))
    abandoned = 0.0
    while model.running:
        model.step()
        gone = model.chip_firms.abandoned > 0
        abandoned += float(model.chip_firms.abandoned.sum())
        assert not gone[:, ~entrants].any()
        assert (model.chip_firms.entered[gone] == 0).all()
    assert abandoned > 0 and model.chip_firms.output[:, entrants].sum() > 0


def test_controllers_subsidies_go_to_their_own_and_all_arrive():
    model = DecouplingModel("published-2020", set={"controller_subsidy.annual": 100, "subsidy.leakage": 0.2})
    model.step()
    roster = model.roster
    home = roster.is_controller[roster.firm_site]
    assert model.chip_firms.capacity_grant[0, ~home].sum() == 0.0
    assert model.chip_firms.capacity_grant[0, home].sum() == pytest.approx(100 / 4 * 0.8 * 0.7)
    own = roster.is_controller[roster.supplier_state]
    assert model.suppliers.research_grant[0, own].sum() == pytest.approx(100 / 4 * 0.8 * 0.3 * 0.5)


# Doctrines

COSTS = {"harm_expected": 100.0, "loss_expected": 30.0, "retaliation_expected": 20.0, "gap_closed": 0.1}


def decided(doctrine, quarters=1, **seen):
    """What the lead wants and has in force after some quarters in which it sees COSTS, but for `seen`."""
    reactive = {"controls.mode": "reactive", "controls.severity": 1.0, "controls.doctrine": doctrine}
    model = DecouplingModel("published-2020", set={**reactive, "doctrine.speed": 0.5})
    for name, value in {**COSTS, **seen}.items():
        setattr(model.states, name, np.full_like(model.states.harm_expected, value))
    for _ in range(quarters):
        model.states.decide_controls()
    lead = at(model, "USA")
    assert np.delete(model.states.enacted_severity[0], lead).max() == 0.0
    return float(model.states.wanted_severity[0, lead]), float(model.states.enacted_severity[0, lead])


def test_doctrines_by_hand():
    """Cost-benefit: (100 - 30 - 20) / 100 = 0.5, half of the way in a quarter; preventive: 5 x 0.1 = 0.5."""
    assert decided("cost-benefit") == pytest.approx((0.5, 0.25))
    assert decided("cost-benefit", 2) == pytest.approx((0.5, 0.375))
    assert decided("cost-benefit", retaliation_expected=90.0) == (0.0, 0.0)
    assert decided("cost-benefit", harm_expected=0.0) == (0.0, 0.0)
    assert decided("preventive") == pytest.approx((0.5, 0.25))
    assert decided("preventive", gap_closed=0.9)[0] == 1.0


def test_capability_can_deter_and_provoke_by_the_text_of_cost_benefit():
    """Less harm to do, or more retaliation to expect, lowers the severity; fewer own sales at stake raise it."""
    wanted = decided("cost-benefit")[0]
    assert decided("cost-benefit", harm_expected=70.0)[0] < wanted
    assert decided("cost-benefit", retaliation_expected=40.0)[0] < wanted
    assert decided("cost-benefit", loss_expected=10.0)[0] > wanted


def test_the_ratchet_never_goes_back_where_a_truce_takes_back():
    events = load_config("published-2020").with_values(
        {"controls.mode": "reactive", "controls.severity": 1.0, "controls.doctrine": "ratchet"}
    )
    for event in (
        {"date": date(2021, 1, 1), "by": "USA", "kind": "control", "scope": ["deposition"], "severity": 0.6},
        {"date": date(2022, 1, 1), "by": "USA", "kind": "truce", "scope": ["all"], "severity": 1.0},
    ):
        events = events.with_event(event)
    kept = advance(DecouplingModel(events), 10)
    taken_back = advance(DecouplingModel(events.with_values({"controls.mode": "events"})), 10)
    item, usa = kept.roster.inputs.index("deposition"), at(kept, "USA")
    assert kept.controls.in_force.above_threshold[0, usa, item] == 0.6
    assert taken_back.controls.in_force.above_threshold[0, usa, item] == 0.0


def test_a_truce_lets_a_reactive_lead_start_again():
    reactive = load_config("published-2020").with_values(
        {"controls.mode": "reactive", "controls.severity": 1.0, "controls.doctrine": "preventive"}
    )
    pact = reactive.with_event({"date": date(2026, 1, 1), "by": "USA", "kind": "truce", "severity": 1.0})
    with_it, without = advance(DecouplingModel(pact), 25), advance(DecouplingModel(reactive), 25)
    usa = at(with_it, "USA")
    assert without.states.enacted_severity[0, usa] > 0.3
    # one step of 15 % from nothing
    wanted = with_it.states.wanted_severity[0, usa]
    assert with_it.states.enacted_severity[0, usa] == pytest.approx(0.15 * wanted)


# The chain review


def test_the_score_by_hand():
    """From the model's own purchases of one input: reliance x Herfindahl index of foreign states x y / (y + 5)."""
    model = DecouplingModel("published-2020")
    found = review_inputs(model)
    roster, item = model.roster, model.roster.inputs.index("design_software")
    bought = dict.fromkeys(roster.states, 0.0)
    for group in np.flatnonzero(roster.group_at_home):
        for supplier in np.flatnonzero(roster.supplier_input == item):
            value = model.input_market.need[0, group, item] * model.input_market.choice[0, group, supplier]
            bought[roster.states[roster.supplier_state[supplier]]] += value
    whole, abroad = sum(bought.values()), sum(bought.values()) - bought["CHN"]
    concentration = sum((value / abroad) ** 2 for state, value in bought.items() if state != "CHN")
    years = found.years[0, item]
    assert found.dependence[0, item] == pytest.approx(abroad / whole)
    assert found.deniable_alone[0, item] == pytest.approx(bought["USA"] / whole)
    assert found.score[0, item] == pytest.approx(abroad / whole * concentration * years / (years + 5.0))


def test_the_review_finds_the_published_choke_points():
    """Stylised fact: China depends most in lithography, design software, process control and resist processing (Khan,
    Mann and Peterson 2021): three of the four at least are among the six most exposed."""
    from sim.study.review import review

    spots = review(load_config("published-2020"))
    first = {spot.item for spot in spots[:6]}
    assert len(first & {"lithography", "design_software", "process_control", "resist_processing"}) >= 3
    assert [spot.rank for spot in spots] == list(range(1, 23))
    by_item = {spot.item: spot for spot in spots}
    assert by_item["critical_minerals"].rank == 22  # the target sells them to the world
    # stocks of materials last for months, lines for years
    assert by_item["photoresist"].at_risk_1_year > by_item["lithography"].at_risk_1_year
    assert all(spot.at_risk_3_years >= -1e-9 for spot in spots)
