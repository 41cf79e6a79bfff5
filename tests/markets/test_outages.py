"""Outages, closures, moves and withdrawals: by hand in a quiet world, and balanced whatever is asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import advance, at, seeds, series_of
from support.packs import packs

from sim.errors import BadInput
from sim.markets.outages import close_and_move
from sim.model import DecouplingModel
from sim.scenario.loading import load_config

START = {"date": "2020-01-01", "by": "KOR"}
KOREAN = ["samsung-chn-memory", "sk-hynix-chn-memory"]  # all that South Korean makers have in China


def with_events(*events, config="neutral", record="headline", until=2035, **changes):
    scenario = load_config(config, changes)
    for event in events:
        scenario = scenario.with_event({**START, **event})
    return DecouplingModel(scenario, record=record, until=until)


def line(model, id):
    return model.roster.chip_firms.index(id)


def lines_of(firms, place):
    """What a firm's lines make, in place and being built."""
    return firms.capacity[0, place] + sum(stage[0, place] for stage in firms.pipeline)


# Outages.


@pytest.mark.parametrize(("until", "quarters"), [({}, 4), ({"until": "2022-01-01"}, 8), ({"until": "2020-05-01"}, 1)])
def test_an_outage_lasts_a_year_or_as_long_as_it_says(until, quarters):
    model = with_events({"kind": "outage", "scope": ["smic-chn-mature"], "severity": 0.6, **until})
    hit = []
    for _ in range(10):
        model.step()
        hit.append(float(model.chip_firms.outage[0, line(model, "smic-chn-mature")]))
    assert hit == [0.6] * quarters + [0.0] * (10 - quarters)


def test_a_company_is_all_of_its_lines_and_a_state_all_that_is_headquartered_there():
    of_company = advance(with_events({"kind": "outage", "scope": ["tsmc"], "severity": 1.0}), 1)
    names = [row["name"] for row in of_company.roster.firm_rows]
    assert of_company.chip_firms.outage[0].tolist() == [float(name == "TSMC") for name in names]
    assert not of_company.suppliers.outage.any()
    of_state = advance(with_events({"kind": "outage", "scope": ["TWN"], "severity": 0.5}), 1)
    roster, taiwan = of_state.roster, at(of_state, "TWN")
    assert of_state.chip_firms.outage[0].tolist() == [0.5 * (seat == taiwan) for seat in roster.firm_headquarters]
    assert of_state.suppliers.outage[0].tolist() == [0.5 * (seat == taiwan) for seat in roster.supplier_state]


def test_an_outage_of_suppliers_by_hand():
    """What is left of the need, and what those who still sell fill in: p + d (1 - exp(-m p / d)); the same everywhere,
    on lines that foreigners own and above and below thresholds."""
    model = with_events(
        {"kind": "outage", "scope": ["jpn-photoresist"], "severity": 0.8},
        **{"mechanisms.backfill": True, "controls.backfill": 0.5},
    )
    advance(model, 1)
    resist = model.roster.inputs.index("photoresist")
    japanese = model.roster.suppliers.index("jpn-photoresist")
    lost = 0.8 * model.input_market.base.input_share[0, model.roster.buyer_of_group, japanese]
    left = 1.0 - lost
    met = left + lost * (1.0 - np.exp(-0.5 * left / lost))
    assert model.input_market.availability[0, :, resist] == pytest.approx(met, rel=1e-12)
    others = np.arange(len(model.roster.inputs)) != resist
    assert (model.input_market.availability[0][:, others] == 1.0).all()
    assert not model.input_market.denied.any()  # nobody controls anything
    advance(model, 4)
    assert (model.input_market.availability == 1.0).all()


def test_an_outage_adds_to_a_control():
    """Half denied and half of the rest out leaves a quarter, without licences, over-compliance and filling in."""
    control = {"by": "JPN", "kind": "control", "scope": ["all"], "severity": 0.5}
    plain = {"controls.mode": "events", "controls.severity": 1.0, "controls.foreign_owned_part": 0.4}
    plain |= {"controls.over_compliance": 0.0, "controls.licence_spread": 0.0}
    out = {"kind": "outage", "scope": ["jpn-photoresist"], "severity": 0.5}
    model = advance(with_events(control, out, **plain), 1)
    japanese, market = model.roster.suppliers.index("jpn-photoresist"), model.input_market
    reach = np.where(model.roster.group_target_owned, 1.0, 0.4) * model.roster.group_at_home
    assert market.left[0, :, japanese] == pytest.approx(0.5 * (1.0 - 0.5 * reach), rel=1e-12)
    assert market.denied[0, :, japanese] == pytest.approx(0.5 * reach[model.roster.home], rel=1e-12)


@pytest.mark.parametrize("config", ["neutral", "historic"])
def test_who_sells_nothing_can_be_out_without_moving_a_bit(config):
    """Nobody in China sold lithography or ion implantation in 2020, and in this run nobody has begun by 2021."""
    idle = {"kind": "outage", "scope": ["chn-lithography", "chn-ion_implantation"], "severity": 1.0}
    without = with_events(config=config, record="all", until=2021)
    model = with_events(idle, config=config, record="all", until=2021)
    assert np.array_equal(series_of(model), series_of(without), equal_nan=True)
    places = [model.roster.suppliers.index(id) for id in idle["scope"]]
    assert not model.suppliers.revenue[0, places].any()


# Closures, moves and withdrawals.


def test_who_closes_is_gone_for_good():
    model = with_events({"date": "2020-04-01", "kind": "closure", "scope": ["smic"]}, config="historic")
    advance(model, 1)
    firms = model.chip_firms
    gone = [place for place, row in enumerate(model.roster.firm_rows) if row["name"] == "SMIC"]
    capacity, building = firms.capacity[0, gone], sum(stage[0, gone] for stage in firms.pipeline)
    assert capacity.all() and building.all()
    advance(model, 1)
    assert np.array_equal(firms.closing[0, gone], capacity) and np.array_equal(firms.called_off[0, gone], building)
    assert not firms.moved_out.any() and not firms.moved_in.any()
    while model.running:
        model.step()
        for quantity in (firms.capacity, firms.output, firms.investment, firms.new_lines, firms.push, *firms.pipeline):
            assert not quantity[0, gone].any()
    assert firms.closed[0].sum() == len(gone)


@pytest.mark.parametrize("allocation", ["uniform", "market", "leader", "bottleneck"])
def test_no_subsidy_goes_to_who_has_closed(allocation):
    closed = {"kind": "closure", "scope": ["smic", "cxmt-chn-memory"]}
    model = with_events(closed, **{"subsidy.annual": 100.0, "subsidy.allocation": allocation, "investment.annual": 300})
    advance(model, 3)
    grants = model.chip_firms.capacity_grant + model.chip_firms.research_grant
    assert grants.any() and not grants[model.chip_firms.closed == 1].any()


def test_all_of_the_targets_firms_may_close():
    own = [row["id"] for row in load_config("neutral").world.rows["chip_firms"] if row["headquarters"] == "CHN"]
    model = with_events({"kind": "closure", "scope": own}, **{"subsidy.annual": 50.0, "subsidy.allocation": "uniform"})
    firms = advance(model, 8).chip_firms
    closed = firms.closed == 1
    assert closed.sum() == len(own) and not firms.absorbed[closed].any()
    has_lines = firms.has_lines == 1
    assert firms.lost_to_haste[closed & has_lines].all()  # what is granted and buys nothing is booked
    assert not firms.capacity_grant[~np.broadcast_to(has_lines, closed.shape)].any()  # for tools, which designers lack


def test_a_segment_that_nobody_makes_any_more_is_all_unmet():
    model = with_events({"kind": "closure", "scope": ["tsmc-twn-leading", "samsung-kor-leading"]})
    advance(model, 6)
    leading = model.roster.segments.index("leading_logic")
    assert model.chip_market.unmet[0, :, leading].sum() == pytest.approx((45 - 5.55 / 2) * 6.9 / 4)
    assert model.chip_market.price[0, leading] == 1.0
    assert np.isfinite(model.chip_market.price).all()


def moved(to):
    """A model of 2020-Q1, and the same after Korean lines in China have moved."""
    before = with_events()
    after = with_events({"kind": "withdrawal", "to": to})
    close_and_move(after.chip_firms, after.events, 0, after.roster)
    return before.chip_firms, after.chip_firms, after


def test_lines_that_move_are_built_up_again_by_capacity():
    """South Korean makers of memory there: Samsung 38, SK Hynix 20.5, others 1 bn USD of output in 2020."""
    before, after, model = moved("KOR")
    leaves = [line(model, id) for id in KOREAN]
    takes = [line(model, f"{id}-kor-memory") for id in ("samsung", "sk-hynix", "other")]
    lines = sum(lines_of(before, place) for place in leaves)
    assert lines > 0 and not after.capacity[0, leaves].any()
    parts = np.array([38.0, 20.5, 1.0]) / 59.5
    weights = before.capacity[0, takes] / before.capacity[0, takes].sum()
    assert weights == pytest.approx(parts, rel=0.02)  # the base year fits flows; firms that grow start below its mean
    assert after.moved_in[0, takes] == pytest.approx(lines * weights, rel=1e-12)
    build = int(after.build_quarters[takes[0]])
    arriving = [(new - old)[0, takes].sum() for new, old in zip(after.pipeline, before.pipeline, strict=True)]
    assert arriving == pytest.approx([lines if ahead == build else 0.0 for ahead in range(1, 9)], abs=1e-9)


def test_lines_may_be_taken_over_by_one_firm_that_is_named():
    before, after, model = moved("samsung-kor-memory")
    taker = line(model, "samsung-kor-memory")
    assert np.flatnonzero(after.moved_in[0]).tolist() == [taker]
    assert after.moved_in[0, taker] == pytest.approx(sum(lines_of(before, line(model, id)) for id in KOREAN))


def test_lines_that_moved_make_chips_after_the_build_time():
    stays, moves = with_events(), with_events({"kind": "withdrawal", "to": "KOR"})
    korean = [line(moves, f"{id}-kor-memory") for id in ("samsung", "sk-hynix", "other")]
    build = int(moves.chip_firms.build_quarters[korean[0]])
    advance(stays, build - 1), advance(moves, build - 1)
    assert moves.chip_firms.capacity[0, korean] == pytest.approx(stays.chip_firms.capacity[0, korean], rel=1e-12)
    advance(stays, 1), advance(moves, 1)
    gained = (moves.chip_firms.capacity - stays.chip_firms.capacity)[0, korean].sum()
    assert gained > 0.9 * 9.5 * 6.9 / 4  # Samsung 5 and SK Hynix 4.5 bn USD there, less what makers order less at home


def test_a_withdrawal_is_the_closure_of_what_its_makers_have_there():
    leaves = with_events({"kind": "withdrawal"}, config="historic", record="all", until=2023)
    close = with_events({"kind": "closure", "scope": KOREAN}, config="historic", record="all", until=2023)
    assert np.array_equal(series_of(leaves), series_of(close), equal_nan=True)
    assert leaves.chip_firms.closed.sum() == 2


def test_what_comes_after_the_run_moves_no_bit():
    later = [
        {"date": "2030-01-01", "kind": "withdrawal"},
        {"date": "2030-01-01", "kind": "outage", "scope": ["TWN"], "severity": 1.0, "until": "2032-01-01"},
        {"date": "2031-01-01", "kind": "move", "scope": ["tsmc-chn-mature"], "to": "TWN"},
    ]
    with_them = with_events(*later, config="historic", record="all", until=2021)
    without = with_events(config="historic", record="all", until=2021)
    assert np.array_equal(series_of(with_them), series_of(without), equal_nan=True)


EVENTS = [
    {"kind": "withdrawal", "to": "KOR", "date": "2021-01-01"},
    {"kind": "outage", "scope": ["TWN", "nld-lithography"], "severity": 0.7, "date": "2020-07-01"},
    {"kind": "closure", "scope": ["smic"], "date": "2021-04-01"},
]


def test_the_same_bits_in_a_block_one_by_one_and_in_a_branch():
    scenario = load_config("historic")
    for event in EVENTS:
        scenario = scenario.with_event({**START, **event})
    alone = series_of(DecouplingModel(scenario, 5, until=2021))
    block = DecouplingModel.block([scenario, scenario, scenario], [4, 5, 6], until=2021)
    assert np.array_equal(series_of(block)[[1]], alone, equal_nan=True)
    assert np.array_equal(series_of(DecouplingModel(scenario, 5, until=2021, one_by_one=True)), alone, equal_nan=True)
    trunk = advance(DecouplingModel("historic", 5, until=2021), 2)
    for event in EVENTS:
        trunk.intervene({**START, **event})
    branch = trunk.branch()
    advance(trunk, 6)
    assert np.array_equal(series_of(branch), alone, equal_nan=True)


ROWS = load_config("historic").world.rows
FIRMS, SUPPLIERS = ([row["id"] for row in ROWS[table]] for table in ("chip_firms", "suppliers"))
DAYS = st.sampled_from(["2020-01-01", "2020-07-01", "2021-04-01"])
SEVERITY = st.floats(0, 1)
ANY_EVENT = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("outage"),
            "date": DAYS,
            "severity": SEVERITY,
            "scope": st.lists(st.sampled_from([*FIRMS, *SUPPLIERS, "JPN", "tsmc"]), min_size=1, max_size=30),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just("closure"), "date": DAYS, "scope": st.lists(st.sampled_from(FIRMS), min_size=1, max_size=40)}
    ),
    st.fixed_dictionaries({"kind": st.just("withdrawal"), "date": DAYS, "by": st.sampled_from(["KOR", "USA", "TWN"])}),
    st.just({"kind": "move", "date": "2020-07-01", "scope": ["umc-chn-mature"], "to": "TWN"}),
)


@settings(max_examples=8, deadline=None)
@given(st.lists(ANY_EVENT, min_size=1, max_size=4))
def test_accounts_balance_whatever_is_out_or_leaves(events):
    """A leak stops the run with its name."""
    model = with_events(*events, config="historic", until=2022)
    values = series_of(model)
    assert not np.isinf(values).any()


# Designers, who have no lines.


def designers(folder, *events):
    return DecouplingModel(seeds(folder, packs(), event=[{"date": "2020-04-01", "by": "CHN", **e} for e in events]))


def test_a_designer_that_closes_sells_nothing_and_its_makers_sell_to_others(tmp_path):
    model = designers(tmp_path, {"kind": "closure", "scope": ["burpee"]})
    burpee = line(model, "burpee")
    advance(model, 1)
    assert model.chip_firms.output[0, burpee] > 0
    for _ in range(8):  # the accounts are checked every quarter
        model.step()
        assert model.chip_firms.output[0, burpee] == 0.0
    assert model.chip_firms.closed[0, burpee] == 1.0 and not model.chip_firms.closing.any()


def test_a_designer_whose_makers_have_all_closed_sells_nothing(tmp_path):
    rows = load_config("crop-seeds").world.rows["chip_firms"]
    makers = [row["id"] for row in rows if (row["site"], row["segment"]) == ("USA", "vegetables")]
    model = advance(designers(tmp_path, {"kind": "closure", "scope": makers}), 3)
    assert model.chip_firms.output[0, line(model, "burpee")] == 0.0
    assert model.chip_firms.output[0, line(model, "vilmorin")] > 0.0


def test_a_designer_sells_again_once_its_makers_are_back(tmp_path):
    """They are away from the second quarter of 2020 to the end of 2021, so that it gets nothing for seven quarters."""
    rows = load_config("crop-seeds").world.rows["chip_firms"]
    makers = [row["id"] for row in rows if (row["site"], row["segment"]) == ("USA", "vegetables")]
    away = {"kind": "outage", "scope": makers, "severity": 1.0, "until": "2022-01-01"}
    model = advance(designers(tmp_path, away), 1)
    burpee = line(model, "burpee")
    before = model.chip_firms.output[0, burpee]
    for _ in range(7):
        model.step()
        assert model.chip_firms.output[0, burpee] == 0.0
    model.step()
    assert model.chip_firms.output[0, burpee] > 0.3 * before


def test_a_designer_has_no_lines_that_could_move(tmp_path):
    with pytest.raises(BadInput, match="burpee has its chips made by others; it has no lines that could move"):
        designers(tmp_path, {"kind": "move", "scope": ["burpee"], "to": "EUR"})
