"""Parts: a material that the chips of one segment alone need, designers' too."""

import numpy as np
import pytest
from support.models import advance, seeds, series_of
from support.packs import packs

from sim import BadInput, load_config
from sim.model import DecouplingModel

A_QUARTER = 6.9 / 4
MARKET = 0.0385  # bn USD a year, a twentieth of what the packs are worth
SACHETS = f"sachets,Sachets,material,yes,no,{MARKET},0,1,assumed,a test,0.06,0,0.1,assumed,a test,0,0,0,assumed,a test"
SELLERS = [
    "usa-sachets,American sachets,USA,sachets,0.9,0.5,1,assumed,a test",
    "chn-sachets,Chinese sachets,CHN,sachets,0.1,0,0.5,assumed,a test",
]
STILL = {"designers.speed": 0.0, "stockpiling.record": 0.0, "controls.over_compliance": 0.0, "controls.backfill": 0.0}


def world(folder, parts=("input,segment", "sachets,packs"), **more):
    tables = {**packs(), "inputs": [SACHETS], "suppliers": SELLERS, "parts": list(parts)}
    return seeds(folder, tables, **more)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    return DecouplingModel(world(tmp_path_factory.mktemp("world")), set=STILL).scenarios[0]


def item(model):
    return model.roster.inputs.index("sachets")


def group(model, name):
    return model.roster.group_names.index(name)


def of(model, id, column):
    return getattr(model.chip_firms, column)[0, model.roster.chip_firms.index(id)]


def test_the_base_year_is_at_rest_with_parts_in_it(scenario):
    series = series_of(DecouplingModel(scenario, record="all", until=2022))
    assert np.nanmax(np.abs(series - series[:, :1])) < 1e-9


def test_only_its_segment_needs_a_part(scenario):
    model = advance(DecouplingModel(scenario), 1)
    used = dict(zip(model.roster.group_names, model.input_market.used[0, :, item(model)], strict=True))
    assert used["EUR"] == pytest.approx(0.35 / 20 * A_QUARTER)
    assert used["CHN owned packs"] == pytest.approx(0.02 / 20 * A_QUARTER)
    assert sum(used.values()) == pytest.approx(MARKET * A_QUARTER)
    assert used["CHN owned vegetables"] == used["JPN"] == 0


def test_without_its_part_a_segment_stands_still_and_no_other_does(scenario):
    model = advance(DecouplingModel(scenario), 1)
    before = model.chip_firms.made.copy()
    stock = model.input_market.stock.copy()
    stock[:, group(model, "EUR"), item(model)] = 0.0
    model.input_market.stock = stock
    advance(model, 1)
    assert of(model, "vilmorin", "output") == of(model, "abroad", "output") == 0
    others = model.roster.firm_segment != model.roster.segments.index("packs")
    assert model.chip_firms.made[0, others] == pytest.approx(before[0, others], rel=0.12)  # less seed for packs there
    assert of(model, "limagrain-eur-vegetables", "output") > 0


def notice(scenario, announced, **changes):
    event = {"date": "2021-01-01", "announced": announced, "by": "USA", "kind": "control", "scope": ["sachets"]}
    modes = {"controls.mode": "events", "controls.severity": 1.0, "controls.alignment": 0.0}
    return DecouplingModel(scenario.with_event({**event, "severity": 1.0}), set={**modes, **changes}, record="all")


def test_a_month_of_notice_shows_as_a_rise_of_the_stock(scenario):
    model = advance(notice(scenario, "2020-12-02", **{"stockpiling.parts_quarters": 6.0}), 3)
    use = model.input_market.used[0, group(model, "CHN owned packs"), item(model)]
    normal = model.input_market.stock[0, group(model, "CHN owned packs"), item(model)]
    assert normal == pytest.approx(2 * use)
    advance(model, 1)
    part = model.input_market.base.input_share[0, model.roster.buyer_of_group[group(model, "CHN owned packs")]]
    foreign = part[model.roster.suppliers.index("usa-sachets")]
    after = model.input_market.stock[0, group(model, "CHN owned packs"), item(model)]
    assert after == pytest.approx((2 + 6 * foreign) * use, rel=1e-4)
    assert model.series("quarter")["part_stock.sachets"].iloc[-1] == pytest.approx(after)
    sudden = advance(notice(scenario, "2021-01-01", **{"stockpiling.parts_quarters": 6.0}), 4)
    assert sudden.input_market.stock[0, group(model, "CHN owned packs"), item(model)] == pytest.approx(normal)


def test_a_stock_bridges_a_cut_off(scenario):
    with_stock = advance(notice(scenario, "2020-12-02", **{"stockpiling.parts_quarters": 6.0}), 13)
    without = advance(notice(scenario, "2021-01-01", **{"stockpiling.parts_quarters": 0.0}), 13)
    assert of(with_stock, "young", "output") > 1.5 * of(without, "young", "output")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("sackets,packs", "input = 'sackets': is not in inputs.csv .did you mean 'sachets'"),
        ("sequencing,packs", "input = 'sequencing': is equipment; a part must be a material"),
        ("sachets,packets", "segment = 'packets': is not in segments.csv"),
    ],
)
def test_a_part_of_nothing_is_refused(tmp_path, row, said):
    with pytest.raises(BadInput, match=said):
        load_config(world(tmp_path, ("input,segment", row)))
