"""Designers without lines: what they sell is made by the lines of another segment at their site."""

from datetime import date

import numpy as np
import pytest
from support.models import advance, at, seeds, series_of
from support.packs import DESIGNERS, FIRMS, designer, firm, packs

from sim import BadInput, load_config
from sim.model import DecouplingModel

A_QUARTER = 6.9 / 4  # bn USD a year in bn yuan a quarter


def model_of(tmp_path, changes=None, event=None, **more):
    config = seeds(tmp_path, packs(), **({"event": [event]} if event else {}))
    return DecouplingModel(config, set=changes or {}, **more)


def of(model, id, column):
    return getattr(model.chip_firms, column)[0, model.roster.chip_firms.index(id)]


def test_the_base_year_is_at_rest_with_wafers_in_it(tmp_path):
    series = series_of(model_of(tmp_path, {"designers.speed": 0.0}, record="all", until=2022))
    assert np.nanmax(np.abs(series - series[:, :1])) < 1e-9


def test_who_makes_for_whom_by_hand(tmp_path):
    model = advance(model_of(tmp_path, {"designers.speed": 0.0}), 1)
    wafers = model.chip_firms.made - model.chip_firms.output
    by_firm = dict(zip(model.roster.chip_firms, wafers[0], strict=True))
    assert by_firm["other-usa-vegetables"] + by_firm["bayer-usa-vegetables"] == pytest.approx(0.4 / 4 * A_QUARTER)
    assert by_firm["bayer-usa-vegetables"] == pytest.approx(0.6 * 0.4 / 4 * A_QUARTER, rel=1e-3)  # by what they make
    assert by_firm["limagrain-eur-vegetables"] == pytest.approx(0.35 / 4 * A_QUARTER)
    assert by_firm["other-chn-vegetables"] == pytest.approx(0.02 / 4 / 0.5 * A_QUARTER)  # half of it can be sold
    assert by_firm["bayer-chn-vegetables"] == 0  # at home by the target's own alone
    assert sum(by_firm.values()) == pytest.approx((0.4 + 0.35 + 0.04) / 4 * A_QUARTER)


def test_what_is_sold_to_states_is_counted_once(tmp_path):
    model = advance(model_of(tmp_path, {"designers.speed": 0.0}), 1)
    assert model.chip_firms.output.sum() == pytest.approx(model.chip_market.demand.sum())
    vegetables = model.roster.firm_segment == model.roster.segments.index("vegetables")
    demand = model.chip_market.demand[0, :, model.roster.segments.index("vegetables")].sum()
    assert model.chip_firms.output[0, vegetables].sum() == pytest.approx(demand)
    assert model.chip_firms.made[0, vegetables].sum() == pytest.approx(demand + (0.4 + 0.35 + 0.04) / 4 * A_QUARTER)


def test_most_of_what_the_targets_designers_make_abroad_goes_home(tmp_path):
    model = model_of(tmp_path)
    sold = model.chip_market.sales[0, :, model.roster.chip_firms.index("abroad")]
    assert sold[at(model, "CHN")] / sold.sum() > 0.6


def test_a_foundry_control_stops_the_targets_designers_abroad_and_nobody_else(tmp_path):
    model = advance(model_of(tmp_path, {"designers.speed": 0.0, "controls.foundry": 1.0}), 1)
    assert of(model, "abroad", "output") == 0
    assert of(model, "young", "output") > 0 and of(model, "vilmorin", "output") >= 0.3 * A_QUARTER * (1 - 1e-9)
    half = advance(DecouplingModel(model.scenarios[0], set={"controls.foundry": 0.5}), 1)
    assert of(half, "abroad", "output") == pytest.approx(0.05 / 2 * A_QUARTER, rel=1e-3)


def test_a_foundry_control_is_off_with_all_controls(tmp_path):
    changes = {"designers.speed": 0.0, "controls.foundry": 1.0}
    model = advance(model_of(tmp_path, {**changes, "controls.mode": "none"}), 1)
    assert of(model, "abroad", "output") == pytest.approx(0.05 * A_QUARTER)
    dated = DecouplingModel(model.scenarios[0], set={"controls.mode": "events", "controls.severity": 0.5})
    assert of(advance(dated, 1), "abroad", "output") == pytest.approx(0.05 / 2 * A_QUARTER, rel=1e-3)


def test_dies_got_through_fronts_are_paid_kept_and_used_once(tmp_path):
    cut = {"designers.speed": 0.0, "controls.foundry": 1.0}
    model = advance(model_of(tmp_path, {**cut, "leakage.dies": 0.1}, record="all"), 1)
    maker, home = "limagrain-eur-vegetables", "other-chn-vegetables"
    in_packs = of(model, "vilmorin", "output") / 4  # who takes over what "abroad" may not have made
    assert of(model, maker, "made") - of(model, maker, "output") == pytest.approx(in_packs + 0.1 / 4)
    assert model.chip_market.designers.stock[0, 0] == pytest.approx(0.1 / 4 / 0.25)  # in packs
    stock = model.chip_market.designers.stock[0, 0]
    model.intervene({"date": "2020-04-01", "by": "CHN", "kind": "lever", "set": {"leakage.dies": 0.0}})
    advance(model, 1)
    sold = of(model, "young", "output")
    assert model.chip_market.designers.stock[0, 0] == pytest.approx(stock - sold)
    assert of(model, home, "made") == of(model, home, "output")  # nothing is grown for it while there is a stock
    packs_at_home = model.series("quarter")["domestic_supply_share.packs"]
    assert packs_at_home.iloc[0] > 0 == packs_at_home.iloc[1]  # and what is sold from it is not made at home
    advance(model, 6)
    assert model.chip_market.designers.stock[0, 0] == 0
    assert of(model, home, "made") - of(model, home, "output") == pytest.approx(of(model, "young", "output") / 4 / 0.5)


def test_a_shortage_of_lines_is_shared_by_all_who_order_there(tmp_path):
    outage = {"date": date(2020, 1, 1), "by": "CHN", "kind": "outage", "scope": ["limagrain-eur-vegetables"]}
    model = advance(model_of(tmp_path, {"designers.speed": 0.0}, {**outage, "severity": 0.5}), 1)
    able = 0.5 / 0.88  # of what it made in 2020
    assert of(model, "limagrain-eur-vegetables", "made") == pytest.approx(
        able * (1.3 * 1.0 + 0.35 / 4) * A_QUARTER, rel=1e-2
    )
    assert of(model, "abroad", "output") == pytest.approx(able * 0.05 * A_QUARTER, rel=1e-3)
    assert of(model, "vilmorin", "output") == pytest.approx(able * 0.3 * A_QUARTER, rel=1e-3)


def test_buyers_of_who_is_short_of_wafers_turn_to_others(tmp_path):
    outage = {"date": date(2020, 4, 1), "by": "CHN", "kind": "outage", "scope": ["other-chn-vegetables"]}
    model = advance(model_of(tmp_path, {"designers.speed": 0.0}, {**outage, "severity": 1.0}), 1)
    before = of(model, "burpee", "output"), of(model, "young", "output")
    packs = model.roster.segments.index("packs")
    unmet = []
    for _ in range(3):
        model.step()
        unmet.append(model.chip_market.unmet[0, at(model, "CHN"), packs])
        assert of(model, "young", "output") == 0
    assert unmet[0] == pytest.approx(before[1] * 0.88, rel=0.2)  # that which goes home is missed in the first quarter
    assert unmet[2] < 0.01 * unmet[0]
    assert of(model, "burpee", "output") > before[0]


def test_a_young_designer_grows_by_a_logistic_law_to_its_potential(tmp_path):
    model = model_of(tmp_path, {"mechanisms.learning": True, "learning.rate": 0.0, "designers.speed": 2.0})
    ceiling, known = 0.2 / 0.02, []
    for _ in range(60):
        model.step()
        known.append(of(model, "young", "adoption"))
    years = np.arange(1, 61) / 4
    logistic = ceiling / (1 + (ceiling - 1) * np.exp(-2.0 * years))
    assert known == pytest.approx(logistic, rel=0.12)  # in quarters, not at every moment
    assert known[-1] == pytest.approx(ceiling)
    assert of(model, "abroad", "adoption") == 1
    seen = of(model, "young", "output") / (0.02 * A_QUARTER)
    assert 3 < seen < ceiling  # of a market that does not grow the others keep their part


def test_what_designers_of_the_target_sell_at_home_is_a_share_of_its_own(tmp_path):
    model = model_of(tmp_path, {"designers.speed": 0.0}, record="all", until=2020)
    series = model.run()
    firms, china = model.roster.chip_firms, at(model, "CHN")
    sold = {id: model.chip_market.sales[0, china, firms.index(id)] for id in ("burpee", "vilmorin", "abroad", "young")}
    own = (sold["abroad"] + sold["young"]) / sum(sold.values())
    assert series["design_share.packs"].iloc[-1] == pytest.approx(own)
    assert series["domestic_supply_share.packs"].iloc[-1] == pytest.approx(sold["young"] / sum(sold.values()))
    assert series["production_share_hq.packs"].iloc[-1] == 0  # what lines make counts, where they are
    lines = 1.1 + 0.02 / 4 / 0.5  # of vegetables, what others than foreign owners make, and seed for packs
    assert series["chip_production_hq.vegetables"].iloc[-1] == pytest.approx(6.9 * lines, rel=1e-3)


def test_designers_buy_no_tools_and_get_no_grants(tmp_path):
    grants = {"subsidy.annual": 1.0, "controller_subsidy.annual": 1.0, "subsidy.allocation": "uniform"}
    model = advance(model_of(tmp_path, grants), 12)
    own = model.roster.foundries.designers
    for column in ("investment", "capacity_grant", "tools_received", "new_lines"):
        assert not getattr(model.chip_firms, column)[:, own].any(), column


def test_agents_one_by_one_give_the_same_bits(tmp_path):
    config = seeds(tmp_path, packs(), mechanisms={"luck": True})
    together = DecouplingModel(config, record="all", until=2022).run()
    one_by_one = DecouplingModel(config, record="all", until=2022, one_by_one=True).run()
    assert together.equals(one_by_one)
    scenario = load_config(config)
    block = DecouplingModel.block([scenario] * 3, [5, 1, 7], record="all", until=2022)
    assert block.run().loc[1].equals(together)


def test_a_world_with_merged_firms_keeps_its_designers(tmp_path):
    merged = load_config(seeds(tmp_path, packs(), lumped=True)).world
    assert {"burpee", "abroad", "young"} <= set(merged.column("chip_firms", "id"))


@pytest.mark.parametrize(
    ("designers", "said"),
    [
        (DESIGNERS[:-1], "has no row for young; the makers of packs are designers, all or none"),
        ([*DESIGNERS[:-1], designer("jung")], "id = 'jung': is not in chip_firms.csv .did you mean 'young'"),
        ([*DESIGNERS[:-1], designer("young", "soy")], "made_from = 'soy': is not in segments.csv"),
        ([*DESIGNERS[:-1], designer("young", "packs")], "made_from = 'packs': is made by designers itself"),
        ([*DESIGNERS[:-1], designer("young", part=0)], "young: yield = 0: must be above 0"),
        ([*DESIGNERS[:-1], designer("young", potential=0.01)], "potential = 0.01: must be at least its output of 0.02"),
    ],
)
def test_tables_of_designers_that_fit_nothing_are_refused(tmp_path, designers, said):
    with pytest.raises(BadInput, match=said):
        load_config(seeds(tmp_path, packs(designers)))


def test_a_designer_needs_a_maker_at_its_site(tmp_path):
    alone = [*FIRMS[:-2], firm("abroad", "CHN", "JPN", 0.05), FIRMS[-1]]
    designers = [*DESIGNERS[:2], designer("abroad", "maize"), DESIGNERS[3]]
    with pytest.raises(BadInput, match="abroad: made_from = 'maize': nobody in JPN makes it"):
        load_config(seeds(tmp_path, packs(designers, alone)))


def test_a_denial_holds_when_home_designers_are_short():
    """No leak and no refusal: what American makers sell openly falls with the denial, without a cliff at the end."""
    sold = []
    for severity in (0.0, 0.8, 0.99, 1.0):
        denial = {"date": date(2027, 1, 1), "by": "USA", "target": "CHN", "kind": "control", "severity": severity}
        base = load_config("no-refusal").with_values({"leakage.smuggled": 0.0})
        config = base.with_event({**denial, "scope": ["ai_accelerators"]})
        model = DecouplingModel(config, until=2028)
        model.run()
        roster, market = model.roster, model.chip_market
        american = (roster.firm_headquarters == at(model, "USA")) & (
            roster.firm_segment == roster.segments.index("ai_accelerators")
        )
        sold.append(market.sales[0, roster.target, american].sum())
    assert sold[0] > sold[1] > sold[2] > sold[3] == 0.0
    assert sold[1] < 0.5 * sold[0] and sold[2] < 0.05 * sold[0]


def test_chips_of_dies_in_stock_are_not_made_at_home_in_the_quarter_in_which_these_run_out():
    model = DecouplingModel(load_config("historic"), until=2027)
    designers, ran_out = model.chip_market.designers, 0
    while model.running:
        held = designers.stock[0, 0]
        model.step()
        own = designers.own[designers.at_home > 0]
        sold = model.chip_firms.output[0, own]
        of_stock = designers.from_stock[0, designers.at_home > 0]
        made_at_home = (model.chip_market.made_at_home[0, own] * sold).sum()
        assert made_at_home == pytest.approx(sold.sum() - of_stock.sum(), abs=1e-9)
        ran_out += held > 0 and designers.stock[0, 0] == 0 and sold.sum() > of_stock.sum() > 0
    assert ran_out == 1
