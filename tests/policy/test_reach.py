"""Whom a control reaches through another state, and which lines: by hand, and by the text of the rules."""

from dataclasses import replace

import numpy as np
import pytest
from support.models import advance, at, exposed_world

from sim.markets.denial import Alike, GroupDenial
from sim.model import DecouplingModel
from sim.scenario.loading import load_config

PLAIN = {
    "controls.mode": "events",
    "controls.severity": 1.0,
    "controls.alignment": 0.0,
    "controls.over_compliance": 0.0,
    "controls.licence_spread": 0.0,
}
CHIPS = {"date": "2021-01-01", "by": "USA", "kind": "control", "scope": ["leading_logic"], "severity": 0.6}
TOOLS = {**CHIPS, "scope": ["deposition"], "severity": 0.5, "lines": ["mature_logic"]}


@pytest.fixture(scope="module")
def exposed(tmp_path_factory):
    return exposed_world(tmp_path_factory.mktemp("exposed"))


def dated(*events, **changes):
    scenario = load_config("published-2020", {**PLAIN, **changes})
    for event in events:
        scenario = scenario.with_event(event)
    return scenario


def on(model, severity, state, item):
    """What a state's sellers must deny of an item, above thresholds."""
    return severity.above_threshold[0, at(model, state), model.roster.items.index(item)]


def test_makers_elsewhere_obey_on_what_is_in_scope_and_nobody_else():
    scope = ["leading_logic", "deposition", "experts"]
    model = advance(DecouplingModel(dated({**CHIPS, "scope": scope, "through": ["TWN", "KOR"]})), 5)
    for state, severity in (("USA", 0.6), ("TWN", 0.6), ("KOR", 0.6), ("JPN", 0.0), ("CHN", 0.0)):
        for item in ("leading_logic", "deposition"):
            assert on(model, model.controls.in_force, state, item) == severity
        assert on(model, model.controls.in_force, state, "memory") == 0.0
    assert on(model, model.controls.in_force, "USA", "experts") == 0.6
    assert on(model, model.controls.in_force, "KOR", "experts") == 0.0


def test_a_rule_on_chips_that_only_others_make_denies_them(exposed):
    """0.075 of leading chips lies above the threshold: 0.075 x 0.6 of what TSMC and Samsung sell there."""
    alone = advance(DecouplingModel(dated(CHIPS, world=exposed)), 5)
    assert not alone.chip_market.denied.any()
    model = advance(DecouplingModel(dated({**CHIPS, "through": ["TWN", "KOR"]}, world=exposed)), 5)
    leading = model.roster.firm_segment == model.roster.segments.index("leading_logic")
    assert model.chip_market.denied[0, leading & ~model.roster.at_home] == pytest.approx([0.045, 0.045])
    assert not model.chip_market.denied[0, ~leading].any()


def test_what_is_denied_is_booked_at_the_seller_and_what_is_decided_at_the_state(exposed):
    model = DecouplingModel(dated({**CHIPS, "through": ["TWN"]}, world=exposed), until=2021, record="all")
    series = model.run()
    last = series.iloc[-1]
    assert last["sales_denied.TWN"] > 5 and last["sales_denied.USA"] == last["sales_denied.KOR"] == 0.0
    assert last["controller_sales_denied"] == pytest.approx(last["sales_denied.TWN"])
    assert last["controls_severity"] > 0
    harshest = dict(zip(model.roster.states, model.states.harshest_now[0], strict=True))
    assert harshest == {**dict.fromkeys(model.roster.states, 0.0), "USA": 0.6}
    announced = model.states.announced_severity[0]
    assert announced[at(model, "TWN")] > 0 and announced[at(model, "USA")] == 0


def test_a_truce_takes_back_what_reaches_others_and_leaves_what_is_their_own():
    own = {**CHIPS, "by": "TWN", "severity": 0.2}
    pact = {"date": "2022-01-01", "by": "USA", "kind": "truce", "severity": 1.0}
    model = DecouplingModel(dated({**CHIPS, "through": ["TWN", "KOR"]}, own, pact))
    advance(model, 8)
    assert on(model, model.controls.in_force, "TWN", "leading_logic") == 0.6
    advance(model, 1)
    assert on(model, model.controls.in_force, "TWN", "leading_logic") == 0.2
    assert on(model, model.controls.in_force, "KOR", "leading_logic") == 0.0


def test_the_ratchet_keeps_what_reaches_others():
    pact = {"date": "2022-01-01", "by": "USA", "kind": "truce", "severity": 1.0}
    ratchet = {"controls.mode": "reactive", "controls.doctrine": "ratchet"}
    model = advance(DecouplingModel(dated({**CHIPS, "through": ["TWN"]}, pact, **ratchet)), 12)
    assert on(model, model.controls.in_force, "TWN", "leading_logic") == 0.6


def test_a_control_without_through_on_the_same_chips_reaches_no_further():
    wide, strict = {**CHIPS, "severity": 0.3, "through": ["TWN"]}, {**CHIPS, "date": "2021-04-01", "severity": 0.9}
    model = advance(DecouplingModel(dated(wide, strict)), 6)
    assert on(model, model.controls.in_force, "USA", "leading_logic") == 0.9
    assert on(model, model.controls.in_force, "TWN", "leading_logic") == 0.3


def test_a_control_that_ends_is_over_in_the_quarter_of_until():
    model = advance(DecouplingModel(dated({**CHIPS, "until": "2021-09-30"}, {**CHIPS, "severity": 0.2})), 3)
    found = [on(advance(model, 1), model.controls.in_force, "USA", "leading_logic") for _ in range(5)]
    assert found == [0.0, 0.6, 0.6, 0.2, 0.2]


def test_lines_are_reached_whatever_the_threshold_and_no_others():
    """The Dutch sell 8.4 % of deposition; half of what mature lines buy of them is denied, and a part abroad-owned."""
    model = advance(DecouplingModel(dated({**TOOLS, "by": "NLD"}, **{"controls.foreign_owned_part": 0.4})), 5)
    roster, denied = model.roster, model.input_market.denied[0]
    dutch = roster.suppliers.index("nld-deposition")
    by_group = dict(zip(roster.group_names[roster.home], denied[:, dutch], strict=True))
    assert by_group["CHN owned mature_logic"] == pytest.approx(0.5)
    assert by_group["CHN foreign-owned mature_logic"] == pytest.approx(0.2)
    assert np.count_nonzero(denied) == 2


def test_lines_add_to_what_lies_above_the_threshold():
    """0.08 of tools for mature lines lies above: denied by 0.8 there and by 0.5 elsewhere, 0.08 x 0.8 + 0.92 x 0.5."""
    node = {**TOOLS, "severity": 0.8}
    del node["lines"]
    model = advance(DecouplingModel(dated(TOOLS, node)), 5)
    roster = model.roster
    group, supplier = roster.group_names.index("CHN owned mature_logic"), roster.suppliers.index("usa-deposition")
    assert model.input_market.denied[0, group, supplier] == pytest.approx(0.524)
    logic = roster.group_names.index("CHN owned advanced_logic")
    assert model.input_market.denied[0, logic, supplier] == pytest.approx(0.8)


def test_groups_that_are_denied_alike_get_what_each_would_by_itself():
    """Four kinds of rows, own and foreign-owned, mature and other, stand for the groups at home; the harm is the same
    to the last bit when each group has a row."""
    model = advance(DecouplingModel(dated(TOOLS, {**CHIPS, "scope": ["lithography"]})), 8)
    market, parameters = model.input_market, model.parameters
    by_row = market.by_controls
    assert len(by_row.alike.buyer) == 4 and by_row.above.shape[1] == 2
    each = Alike.of(tuple(by_row.alike.buyer[by_row.alike.place]), tuple(range(len(by_row.alike.place))))
    above, below = by_row.alike.by_group(by_row.above), by_row.alike.by_group(by_row.below)
    by_group = GroupDenial(above, below, by_row.reach, by_row.exposure, each)
    met = market.part_met(parameters, market.choice, by_row)
    assert met.min() < 0.9
    assert np.array_equal(met, market.part_met(parameters, market.choice, by_group))
    assert np.array_equal(by_row.of_sales, by_group.of_sales)


def test_announced_lines_count_by_what_is_sold_for_them():
    """Of deposition for mature lines 0.08 is expected to be lost to 0.8 already: 0.5 - 0.064 is new."""
    node = {**TOOLS, "severity": 0.8}
    del node["lines"]
    supplies = {}
    for name, events in {"lines": [TOOLS], "both": [TOOLS, node], "node": [node]}.items():
        model = advance(DecouplingModel(dated(*events)), 5)
        supplies[name] = model.states.announced_severity[0, at(model, "USA")]
    assert supplies["both"] - supplies["node"] == pytest.approx(supplies["lines"] * (0.5 - 0.08 * 0.8) / 0.5)
    assert supplies["lines"] > 0


def tools_denied(*events):
    return float(advance(DecouplingModel(dated(*events)), 5).states.tools_denied[0, 0])


EVERY_LINE = ["leading_logic", "advanced_logic", "mature_logic", "memory", "analog_power"]


def test_planners_count_tools_denied_for_lines_as_far_as_these_lie_above_thresholds():
    """For every line it is what denying all that lies above is; no line of 2020 in China made leading logic."""
    above = {**TOOLS}
    del above["lines"]
    whole = tools_denied(above)
    assert whole > 0
    assert tools_denied({**TOOLS, "lines": EVERY_LINE}) == pytest.approx(whole)
    apart = [tools_denied({**TOOLS, "lines": [segment]}) for segment in EVERY_LINE]
    assert sum(apart) == pytest.approx(whole)
    assert apart[0] == 0.0 and min(apart[1:]) > 0


def test_planners_count_a_tool_once_that_is_denied_for_lines_and_above_thresholds():
    above = {**TOOLS, "severity": 0.8}
    del above["lines"]
    lines = {**TOOLS, "lines": EVERY_LINE}
    assert tools_denied(lines, above) == tools_denied(above)
    assert tools_denied({**lines, "severity": 0.9}, above) == pytest.approx(tools_denied(above) * 0.9 / 0.8)


def test_allies_follow_on_lines_too():
    changes = {"controls.alignment": 1.0, "alliance.reluctance": 0.0, "alliance.lag": 2.0}
    model = advance(DecouplingModel(dated({**TOOLS, "through": ["KOR"]}, **changes)), 9)
    roster, denied = model.roster, model.input_market.denied[0]
    group = roster.group_names.index("CHN owned mature_logic")
    for state in ("usa", "nld", "jpn", "kor"):
        assert denied[group, roster.suppliers.index(f"{state}-deposition")] == pytest.approx(0.5), state


def test_events_that_come_in_a_live_run_replay_bit_for_bit():
    """They add rows and columns to what is remembered, with allies following and a lead that never eases."""
    base = load_config(
        "historic", {"controls.alignment": 1.0, "controls.mode": "reactive", "controls.doctrine": "ratchet"}
    )
    base = replace(base, events=tuple(each for each in base.events if not (each.through or each.lines)))
    events = [
        {**TOOLS, "date": "2024-01-01", "through": ["KOR"]},
        {**CHIPS, "date": "2023-01-01", "through": ["TWN"]},
        {"date": "2025-01-01", "by": "USA", "kind": "truce", "severity": 0.5},
    ]
    live, planned = DecouplingModel(base, rng=3, until=2027), base
    for event in sorted(events, key=lambda each: each["date"]):
        advance(live, 4 if live.quarter else 12)
        live.intervene(event)
        planned = planned.with_event(event)
    told = DecouplingModel(planned, rng=3, until=2027).run()
    assert live.run().to_numpy().tobytes() == told.to_numpy().tobytes()
    assert not told.equals(DecouplingModel(base, rng=3, until=2027).run())


def test_the_rule_on_memory_for_accelerators_is_seen_there_first():
    """Who makes nearly all of it obeys: before that, those who need it buy ahead."""
    historic = load_config("historic")
    home = tuple(
        each.model_copy(update={"through": None}) if "hbm" in (each.scope or []) else each for each in historic.events
    )
    names = ["part_stock.hbm", *(f"unmet_demand.{segment}" for segment in historic.world.segments)]
    with_rule, without = (
        DecouplingModel(each, until=2026, record=names).run() for each in (historic, replace(historic, events=home))
    )
    differs = np.abs(with_rule - without).to_numpy() > 1e-9
    first = int(np.argmax(differs.any(axis=1)))
    assert with_rule.index[first] == "2024-12-31"
    assert [name for name, new in zip(names, differs[first], strict=True) if new] == ["part_stock.hbm"]
