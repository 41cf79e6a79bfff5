"""Each rule does what its text says; expected values are worked out by hand (verification)."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.agents.learning import research_effort, successes, wright_cost
from sim.markets.denial import licensed, over_complied, supplied
from sim.model import DecouplingModel
from sim.policy.subsidy import _parts
from sim.scenario.scenario import load_config


def one(value):
    return np.array([[value]])


def test_back_fill_leaks_for_one_state_and_hardly_for_all():
    # p = 0.5: 0.5 + 0.5 (1 - exp(-0.5)) = 0.6967; p = 0.1: 0.1 + 0.9 (1 - exp(-0.05 / 0.9)) = 0.14863
    assert supplied(one(0.5), one(0.5))[0, 0] == pytest.approx(0.69673467, abs=1e-8)
    assert supplied(one(0.1), one(0.5))[0, 0] == pytest.approx(0.14863644, abs=1e-7)
    assert supplied(one(1.0), one(0.5))[0, 0] == pytest.approx(1.0, abs=1e-11)
    assert supplied(one(0.0), one(0.5))[0, 0] == 0.0
    assert supplied(one(0.3), one(0.0))[0, 0] == pytest.approx(0.3)


def test_over_compliance_and_licences_are_sure_at_the_ends():
    # 1 - (1 - 0.5) (1 - 0.2 x 0.5) = 0.55
    assert over_complied(one(0.5), one(0.2))[0, 0] == pytest.approx(0.55)
    assert over_complied(one(0.0), one(0.2))[0, 0] == 0.0
    assert over_complied(one(1.0), one(0.2))[0, 0] == 1.0
    # 0.6 + 1 x 0.24 x (2 x 0.75 - 1) = 0.72
    assert licensed(one(0.6), one(0.75), one(1.0))[0, 0] == pytest.approx(0.72)
    assert licensed(one(0.0), one(0.99), one(1.0))[0, 0] == 0.0
    assert licensed(one(1.0), one(0.01), one(1.0))[0, 0] == 1.0


def test_wright_and_research():
    assert wright_cost(one(2.0), one(0.2))[0, 0] == pytest.approx(0.8)
    assert wright_cost(one(4.0), one(0.2))[0, 0] == pytest.approx(0.64)
    assert wright_cost(one(7.0), one(0.0))[0, 0] == 1.0
    abound = (one(0.0), one(1.0))
    assert research_effort(one(32.0), one(1.0), one(0.2), *abound)[0, 0] == pytest.approx(2.0)
    assert research_effort(one(3.0), one(0.0), one(0.2), *abound)[0, 0] == 1.0
    # scarcity 1: twice the money is 2 x 2 / (1 + 2) = 4/3 of the work; with twice the engineers 2 x 2 / (1 + 1) = 2
    assert research_effort(one(2.0), one(1.0), one(1.0), one(1.0), one(1.0))[0, 0] == pytest.approx(4 / 3)
    assert research_effort(one(2.0), one(1.0), one(1.0), one(1.0), one(2.0))[0, 0] == pytest.approx(2.0)
    assert successes(one(0.09), one(0.1))[0, 0] == pytest.approx(10.0)
    assert successes(one(0.11), one(0.1))[0, 0] == 0.0


def controlled(changes, quarter, config="published-2020", ahead=False):
    model = DecouplingModel(config, set={**changes, "mechanisms.alliance": False})
    model.states.weigh_following()
    for each in range(quarter + 1):
        model.controls.impose(model.parameters, model.events, each, model.states)
    return model.roster, model.controls.announced if ahead else model.controls.in_force


def test_a_fixed_control_is_announced_a_year_before_its_start():
    changes = {"controls.severity": 0.6, "controls.start": 2023}
    roster, before = controlled(changes, 11)
    assert before.above_threshold.max() == 0.0
    _, announced = controlled(changes, 8, ahead=True)
    assert announced.above_threshold.max() == 0.6
    _, unannounced = controlled(changes, 7, ahead=True)
    assert unannounced.above_threshold.max() == 0.0
    _, after = controlled({**changes, "controls.alignment": 0.5}, 12)
    item = roster.inputs.index("lithography")
    by = dict(zip(roster.states, after.above_threshold[0, :, item], strict=True))
    assert by == {"CHN": 0.0, "USA": 0.6, "ROW": 0.0} | dict.fromkeys(["NLD", "JPN", "TWN", "KOR", "EUR"], 0.3)
    assert after.above_threshold[0, :, roster.inputs.index("wafers")].max() == 0.0
    assert after.of_everything.max() == 0.0


def test_mode_none_switches_off_whatever_else_is_set():
    _, found = controlled({"controls.mode": "none", "controls.severity": 1.0}, 40, config="historic")
    assert found.above_threshold.max() == found.of_everything.max() == 0.0


def test_events_accumulate_to_the_strictest_and_a_truce_takes_back():
    base = load_config("published-2020").with_values(
        {"controls.mode": "events", "controls.severity": 0.5, "controls.alignment": 0.0}
    )
    for event in (
        {"date": "2021-02-10", "by": "USA", "kind": "control", "scope": ["deposition"], "severity": 0.8},
        {
            "date": "2022-01-01",
            "announced": "2021-08-01",
            "by": "USA",
            "kind": "control",
            "scope": "all",
            "severity": 0.4,
        },
        {"date": "2023-01-01", "by": "USA", "kind": "truce", "scope": ["deposition"], "severity": 0.75},
    ):
        base = base.with_event(event)
    roster, found = controlled({}, 4, config=base)
    usa, deposition = roster.states.index("USA"), roster.inputs.index("deposition")
    assert found.above_threshold[0, usa, deposition] == pytest.approx(0.4)
    assert found.of_everything.max() == 0.0
    _, ahead = controlled({}, 6, config=base, ahead=True)
    assert ahead.of_everything[0, usa].tolist() == pytest.approx([0.2] * 23)  # inputs, segments, experts
    _, later = controlled({}, 12, config=base)
    assert later.above_threshold[0, usa, deposition] == pytest.approx(0.1)
    assert later.of_everything[0, usa, deposition] == pytest.approx(0.05)
    assert later.of_everything[0, usa, 0] == pytest.approx(0.2)


def quiet(changes=None, **more):
    """A world of 2020 without luck, learning and growth, in which one thing at a time can be watched."""
    return DecouplingModel("neutral", set=changes or {}, **more)


def test_lines_make_chips_after_their_build_time_and_not_before():
    model = quiet({"mechanisms.subsidy": True, "subsidy.annual": 100, "subsidy.research_share": 0.0})
    untouched = quiet()
    segments = np.array(model.roster.segments)[model.roster.firm_segment]
    owned = model.roster.target_owned & ~model.roster.is_entrant
    for quarter in range(8):
        model.step()
        untouched.step()
        grown = model.chip_firms.capacity[0] > untouched.chip_firms.capacity[0] * (1 + 1e-9)
        # Ordered and delivered in quarter 0: ready for quarter 4 where building takes a year, 6 where 1.5.
        assert grown[owned & (segments == "mature_logic")].all() == (quarter + 1 >= 4)
        assert grown[owned & (segments == "advanced_logic")].all() == (quarter + 1 >= 6)
        assert not grown[~owned & ~model.roster.is_entrant].any()


def test_extra_money_is_absorbed_with_falling_returns():
    def first_orders(subsidy):
        model = quiet(
            {
                "subsidy.annual": subsidy,
                "subsidy.research_share": 0.0,
                "subsidy.leakage": 0.2,
                "subsidy.allocation": "market",
            }
        )
        model.step()
        at = model.roster.chip_firms.index("smic-chn-mature")
        return (
            float(model.chip_firms.investment[0, at] - model.chip_firms.private_investment[0, at]),
            float(model.chip_firms.capacity_grant[0, at]),
            float(model.chip_firms.base_capacity[0, at] * model.chip_firms.capital_per_capacity[0, at]),
        )

    for subsidy in (40.0, 400.0):
        bought, grant, capital = first_orders(subsidy)
        assert bought == pytest.approx(grant / (1 + grant / (1.2 * capital / 4)), rel=1e-9)
    # SMIC's mature lines sell 3.45 of 8.3 bn USD: their part of 400 x 0.8 / 4 bn yuan a quarter.
    assert grant == pytest.approx(80 * 3.45 / 8.3, rel=1e-6)
    scale = float(load_config("neutral").values["base.target_capital"])
    assert capital == pytest.approx(8.6 * 6.9 * scale, rel=1e-9)


def test_less_equity_cuts_the_part_that_outsiders_paid():
    model = quiet({"investment.annual": 70})
    model.step()
    owned = model.roster.target_owned & ~model.roster.is_entrant
    spent, before = model.chip_firms.investment[0], model.chip_firms.base_investment[0]
    assert spent[owned] == pytest.approx(before[owned] * (1 - 0.5 * 0.68), rel=1e-9)
    assert spent[~owned] == pytest.approx(before[~owned], rel=1e-12)


def test_a_mandate_fills_idle_home_capacity_at_once():
    model, before = quiet({"mandate.domestic": 0.5}), quiet()
    model.step(), before.step()
    owned = model.roster.target_owned & ~model.roster.is_entrant
    segment = model.roster.firm_segment
    mature = owned & (segment == model.roster.segments.index("mature_logic"))
    assert model.chip_firms.output[0, mature] == pytest.approx(model.chip_firms.capacity[0, mature], rel=1e-9)
    assert before.chip_firms.output[0, mature] == pytest.approx(0.88 * before.chip_firms.capacity[0, mature], rel=1e-9)
    leading = model.roster.segments.index("leading_logic")
    assert model.chip_firms.output[0, segment == leading] == pytest.approx(
        before.chip_firms.output[0, segment == leading]
    )


def test_an_outage_is_re_routed_and_what_is_left_is_unmet():
    base = load_config("neutral").with_event(
        {"date": "2020-01-01", "by": "TWN", "kind": "outage", "scope": ["tsmc-twn-leading"], "severity": 0.5}
    )
    model = DecouplingModel(base)
    model.step()
    leading = model.roster.segments.index("leading_logic")
    is_leading = model.roster.firm_segment == leading
    whole = 45 * 6.9 / 4
    # TSMC makes half of its capacity (41.4 / 0.88 / 2), Samsung all of it (3.6 / 0.88).
    made = (41.4 / 0.88 / 2 + 3.6 / 0.88) * 6.9 / 4
    assert model.chip_firms.output[0, is_leading].sum() == pytest.approx(made, rel=1e-9)
    assert model.chip_market.unmet[0, :, leading].sum() == pytest.approx(whole - made, rel=1e-9)
    for _ in range(4):
        model.step()
    assert model.chip_firms.outage.max() == 0.0


def test_prices_move_by_the_stated_speed():
    model = quiet({"chip_market.price_speed": 0.2})
    model.step()
    pressure = model.chip_market.tightness.copy()
    model.chip_firms.capacity = model.chip_firms.capacity * 0.9
    model.step()
    # Orders are as before, capacity a tenth less: tightness 1 / 0.9; the price starts at 1.
    assert model.chip_market.tightness == pytest.approx(pressure / 0.9, rel=1e-9)
    assert np.log(model.chip_market.price) == pytest.approx(np.full((1, 5), 0.2 * np.log(1 / 0.9)), rel=1e-9)


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
    # Mature lines are reached by 0.15: the harmonic mean with weight 10.3 / 56.7 on what is left.
    weight = 10.3 / 56.7
    assert completeness["smic-chn-mature"] == pytest.approx(1 / (1 - weight + weight / 0.85), rel=1e-6)


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


def weights_of(rule):
    return SimpleNamespace(is_set=lambda name, choice: np.array([[choice == rule]]))


def test_the_four_rules_of_allocation():
    from sim.engine.groups import Groups

    markets = Groups(np.array([0, 0, 1, 1, 2]), 3)
    sales = np.array([[3.0, 1.0, 2.0, 2.0, 0.0]])
    eligible = np.array([True, True, True, True, True])
    exposure = np.array([[1.0, 3.0, 100.0]])

    def parts(rule):
        return _parts(weights_of(rule), sales, eligible, markets, exposure)[0].tolist()

    assert parts("uniform") == [0.2] * 5
    assert parts("market") == [0.375, 0.125, 0.25, 0.25, 0.0]
    assert parts("leader") == [0.5, 0.0, 0.25, 0.25, 0.0]
    assert parts("bottleneck") == pytest.approx([0.25 * 0.75, 0.25 * 0.25, 0.375, 0.375, 0.0])


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
