"""Quality in a segment that has one: a cap, what leaks, what moves offshore, what the buyers' own state refuses."""

import numpy as np
import pytest
from support.models import advance, at, seeds
from support.packs import packs

from sim.model import DecouplingModel

GROWTH = 0.2  # of the frontier, log points a year
DISCOUNT = 0.42
HEADER = "segment," + ",".join(
    f"{quantity}{end}" for quantity in ("amount", "growth") for end in ("", "_low", "_high", "_grade", "_source")
)
ROW = f"packs,2,1,3,assumed,a test,{GROWTH},0,1,assumed,a test"
COLUMNS = [
    "quality,amount,thousand germs per bn yuan,0.001,1000,constant,what a yuan bought at the frontier in 2020",
    "quality,growth,log points a year,0,2,uncertainty,growth of the frontier",
]
PACES = ("chip_catch_up", "supplier_catch_up", "frontier_drift", "leaders_pace", "frontier_pace", "entry_rate")
STILL = {"mechanisms.research": True, **{f"research.{pace}": 0.0 for pace in PACES}}  # but for the frontier's quality


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    tables = packs()
    tables["columns"] = [*tables["columns"], *COLUMNS]
    tables["quality"] = [HEADER, ROW]
    return DecouplingModel(seeds(tmp_path_factory.mktemp("world"), tables), set=STILL).scenarios[0]


def run(scenario, quarters=4, **changes):
    model = DecouplingModel(
        scenario, set={key.replace("__", "."): value for key, value in changes.items()}, record="all"
    )
    return advance(model, quarters)


def last(model, name):
    return model.series("quarter")[name].iloc[-1]


def sold(model, id, to="CHN"):
    return model.chip_market.sales[0, at(model, to), model.roster.chip_firms.index(id)]


def test_a_yuan_buys_what_the_frontier_had_when_the_maker_was_as_far(scenario):
    model = run(scenario, 8)
    since = GROWTH * (7 - 1.5) / 4
    abroad = 2 * np.exp(since - (1 - DISCOUNT) * GROWTH * 1.0)  # a year behind
    young = 2 * np.exp(since - (1 - DISCOUNT) * GROWTH * 3.0)
    leaders = 2 * np.exp(since)
    expected = sold(model, "abroad") * abroad + sold(model, "young") * young
    expected += (sold(model, "burpee") + sold(model, "vilmorin")) * leaders
    assert last(model, "compute_added.CHN") == pytest.approx(4 * expected)
    assert last(model, "compute_price.USA") < 1 and last(model, "compute_price.CHN") < 1
    assert last(model, "compute_price.JPN") == pytest.approx(np.exp(-since), rel=0.02)  # hardly a Chinese pack


def test_the_price_of_2020_is_one(scenario):
    series = DecouplingModel(scenario, record="all", until=2020).run()
    assert series["compute_price.CHN"].mean() == pytest.approx(1.0, abs=0.01)


def test_nothing_leaks_or_is_capped_by_itself(scenario):
    model = run(scenario, 12, leakage__smuggled=0.9)
    assert not model.chip_market.leaking.any() and last(model, "compute_leaked") == last(model, "leaked_sales") == 0
    assert np.array_equal(model.chip_market.sold_behind, model.chip_market.behind)


def test_a_cap_lowers_what_the_target_gets_and_nobody_else(scenario):
    free = run(scenario, leakage__smuggled=0.0, buyers__quality_weight=0.0)
    capped = run(scenario, leakage__smuggled=0.0, buyers__quality_weight=0.0, controls__quality_cap=0.25)
    assert sold(capped, "burpee") == sold(free, "burpee")  # buyers do not mind, so value stays
    lost = (sold(free, "burpee") + sold(free, "vilmorin")) * 2 * np.exp(GROWTH * 1.5 / 4)
    allowed = np.log(0.25) - GROWTH * 3 / 4  # of the first quarter's frontier; that of the fourth has moved on
    gap = 4 * lost * (1 - np.exp((1 - DISCOUNT) * allowed))
    assert last(free, "compute_added.CHN") - last(capped, "compute_added.CHN") == pytest.approx(gap)
    assert last(capped, "compute_added.USA") == last(free, "compute_added.USA")


def test_who_minds_quality_turns_to_the_targets_own(scenario):
    open_sales = {"leakage__smuggled": 0.0, "buyers__quality_weight": 0.5}
    free = run(scenario, **open_sales)
    capped = run(scenario, **open_sales, controls__quality_cap=0.25)
    assert last(capped, "design_share.packs") > last(free, "design_share.packs")
    odds = [sold(model, "burpee") / sold(model, "abroad") for model in (free, capped)]
    assert odds[1] / odds[0] == pytest.approx(np.exp(0.5 * (np.log(0.25) - GROWTH * 3 / 4)))


def test_a_cap_above_what_a_maker_has_binds_nobody(scenario):
    model = run(scenario, 1, controls__quality_cap=0.999)
    free = run(scenario, 1)
    firms = model.roster.chip_firms
    assert model.chip_market.sold_behind[0, firms.index("abroad")] == free.chip_market.behind[0, firms.index("abroad")]


def test_a_cap_is_off_with_all_controls_and_scaled_with_dated_ones(scenario):
    off = run(scenario, controls__quality_cap=0.25, controls__mode="none")
    assert np.array_equal(off.chip_market.sold_behind, off.chip_market.behind)
    half = {"controls__mode": "events", "controls__severity": 0.5}
    model = run(scenario, 1, controls__quality_cap=0.25, **half)
    assert model.chip_market.sold_behind[0, model.roster.chip_firms.index("burpee")] == pytest.approx(np.log(0.5))


def test_what_leaks_is_built_up_paid_and_counted(scenario):
    model = run(scenario, 4, controls__quality_cap=0.25, leakage__smuggled=0.4)
    reached = 0.4 * (1 - 0.75**4)  # a quarter of the way each quarter
    assert model.chip_market.leaking[0, 0] == pytest.approx(reached)
    lost = 1 - np.exp((1 - DISCOUNT) * (np.log(0.25) - GROWTH * 3 / 4))  # of what a yuan buys
    smuggled = reached * lost * (sold(model, "burpee") + sold(model, "vilmorin"))
    assert last(model, "leaked_sales") == pytest.approx(4 * smuggled)
    assert last(model, "compute_leaked") == pytest.approx(4 * smuggled * 2 * np.exp(GROWTH * 1.5 / 4))
    parts = sum(last(model, f"compute_sold.{state}") for state in model.roster.states)
    assert parts + last(model, "compute_leaked") == pytest.approx(last(model, "compute_added.CHN"))
    paid = sum(last(model, f"compute_sales.{state}") for state in model.roster.states)
    assert paid + last(model, "leaked_sales") == pytest.approx(last(model, "chip_market.packs"))


def test_channels_wither_when_there_is_nothing_to_get_around(scenario):
    model = run(scenario, 8, controls__quality_cap=0.25, leakage__smuggled=0.4)
    before = model.chip_market.leaking[0, 0]
    model.intervene({"date": "2022-01-01", "by": "USA", "kind": "lever", "set": {"controls.quality_cap": 1.0}})
    advance(model, 2)
    assert model.chip_market.leaking[0, 0] == pytest.approx(before * 0.75**2)
    assert last(model, "leaked_sales") == 0


DENIED = {"date": "2021-01-01", "by": "USA", "kind": "control", "scope": ["packs"], "severity": 1.0}


def denied(scenario, quarters, **changes):
    alone = {"controls__mode": "events", "controls__severity": 1.0, "controls__alignment": 0.0}
    return run(scenario.with_event(DENIED), quarters, **alone, **changes)


def test_a_denial_leaks_by_the_same_part(scenario):
    strict = denied(scenario, 8, leakage__smuggled=0.0, controls__over_compliance=0.0)
    assert sold(strict, "burpee") == 0 < sold(strict, "vilmorin")
    leaky = denied(scenario, 8, leakage__smuggled=0.4, controls__over_compliance=0.0)
    assert sold(leaky, "burpee") > 0
    assert last(leaky, "leaked_sales") == pytest.approx(4 * sold(leaky, "burpee"))  # all that it still sells
    assert last(leaky, "compute_added.CHN") > last(strict, "compute_added.CHN")


def test_what_is_placed_abroad_is_counted_there(scenario):
    free = run(scenario, controls__quality_cap=0.25, leakage__smuggled=0.0)
    moved = run(scenario, controls__quality_cap=0.25, leakage__smuggled=0.0, leakage__offshore=0.2)
    wanted = [model.chip_market.demand[0, :, model.roster.segments.index("packs")] for model in (free, moved)]
    china = at(free, "CHN")
    assert wanted[1][china] == pytest.approx(0.8 * wanted[0][china])
    assert wanted[1].sum() == pytest.approx(wanted[0].sum())
    assert last(moved, "compute_offshore") == pytest.approx(
        4 * 0.2 * wanted[0][china] * 2 * np.exp(GROWTH * 1.5 / 4), rel=0.03
    )
    assert last(moved, "compute_added.CHN") < last(free, "compute_added.CHN")
    without = run(scenario, leakage__offshore=0.2)
    assert not without.chip_market.offshore.any()


def test_a_refusal_turns_buyers_to_their_own(scenario):
    free, refused = run(scenario, 1), run(scenario, 1, mandate__refusal=0.5)
    assert last(refused, "design_share.packs") > last(free, "design_share.packs")
    assert sold(refused, "burpee") < sold(free, "burpee")
    assert sold(refused, "abroad") >= sold(free, "abroad")
    assert last(refused, "controls_severity") == 0  # it is no control
    assert not refused.chip_market.leaking.any()
    others = [firm for firm in free.roster.chip_firms if not firm.startswith(("burpee", "vilmorin", "abroad", "young"))]
    assert [sold(refused, firm) for firm in others] == pytest.approx([sold(free, firm) for firm in others], rel=0.01)


def test_a_lever_is_an_event_too(scenario):
    event = {"date": "2020-07-01", "by": "USA", "kind": "lever", "set": {"controls.quality_cap": 0.25}}
    model = run(scenario.with_event(event), 2)
    assert np.array_equal(model.chip_market.sold_behind, model.chip_market.behind)
    advance(model, 1)
    assert model.chip_market.sold_behind[0, model.roster.chip_firms.index("burpee")] == pytest.approx(np.log(0.25))
    advance(model, 4)  # a year later the frontier has moved on, and the cap has not
    assert model.chip_market.sold_behind[0, model.roster.chip_firms.index("burpee")] == pytest.approx(
        np.log(0.25) - GROWTH
    )


def test_two_futures_keep_their_own_caps(scenario):
    model = run(scenario, 4)
    twin = model.branch()
    twin.intervene({"date": "2021-01-01", "by": "USA", "kind": "lever", "set": {"controls.quality_cap": 0.25}})
    advance(twin, 2), advance(model, 2)
    assert twin.chip_market.leaking.any() and not model.chip_market.leaking.any()
