"""What the lead denies and announces, and how its allies follow: by the text of the rules, and stylised facts."""

from datetime import date

import numpy as np
import pytest
from support.models import advance, at, year

from sim.model import DecouplingModel
from sim.scenario.loading import load_config


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
    assert ahead.of_everything[0, usa].tolist() == pytest.approx([0.2] * 25)  # inputs, segments, experts
    _, later = controlled({}, 12, config=base)
    assert later.above_threshold[0, usa, deposition] == pytest.approx(0.1)
    assert later.of_everything[0, usa, deposition] == pytest.approx(0.05)
    assert later.of_everything[0, usa, 0] == pytest.approx(0.2)


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
    held = {"security.caused_by_controls": 0.0}  # the push is the same with and without
    free = year(paired(held, seeds=50)["equipment_spending"], 2025)
    lost = {}
    for alignment in (0.0, 1.0):
        runs = paired({"controls.severity": 0.9, "controls.alignment": alignment, **held}, seeds=50)
        lost[alignment] = free - year(runs["equipment_spending"], 2025)
    assert lost[0.0].mean() > 0
    assert lost[0.0].mean() <= lost[1.0].mean() * 2 / 3


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
