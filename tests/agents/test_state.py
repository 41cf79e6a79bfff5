"""What states expect, decide, answer and plan, by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import advance, at

from sim.model import DecouplingModel
from sim.policy.stakes import weigh_stakes
from sim.scenario.loading import load_config


def test_expectations_move_a_quarter_of_the_way():
    base = load_config("neutral").with_values(
        {"controls.mode": "fixed", "controls.severity": 0.8, "controls.start": 2020, "buyers.expectation_speed": 0.25}
    )
    model = DecouplingModel(base)
    model.step()
    usa = model.roster.states.index("USA")
    first = float(model.states.expected_cutoff[0, usa])
    announced = float(model.states.announced_severity[0, usa])
    assert 0 < announced < 0.8
    assert first == pytest.approx(0.25 * announced)
    model.step()
    assert float(model.states.expected_cutoff[0, usa]) == pytest.approx(announced * (1 - 0.75**2))


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


def test_harm_counts_as_replaced_only_what_others_can_make():
    """Where nobody can make chips all are missing; each that a home maker can make counts four times a year."""
    model = DecouplingModel("historic", until=2021)
    model.run()
    roster, market = model.roster, model.chip_market
    market.able = np.zeros_like(market.able)
    weigh_stakes(model)
    nothing = model.states.harm_expected[0, 0]
    smic = roster.chip_firms.index("smic-chn-mature")
    market.able[0, smic] = 0.5
    weigh_stakes(model)
    price = market.price[0, roster.firm_segment[smic]]
    assert nothing - model.states.harm_expected[0, 0] == pytest.approx(0.5 * 4 * price, rel=1e-9)


def test_capability_can_deter_and_provoke_by_the_text_of_cost_benefit():
    """Less harm to do, or more retaliation to expect, lowers the severity; fewer own sales at stake raise it."""
    wanted = decided("cost-benefit")[0]
    assert decided("cost-benefit", harm_expected=70.0)[0] < wanted
    assert decided("cost-benefit", retaliation_expected=40.0)[0] < wanted
    assert decided("cost-benefit", loss_expected=10.0)[0] > wanted


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
