"""Dated answers of the target: whom they reach and whom not."""

from datetime import date

from support.models import advance, at

from sim.model import DecouplingModel
from sim.scenario.loading import load_config


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
