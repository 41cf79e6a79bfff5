"""Accelerators in the world of 2020: what they leave as it was, and what the rules on them do in paired runs."""

import csv
import shutil

import pytest
import tomli_w
from support.paths import ROOT

from sim.model import DecouplingModel

# The same runs with the same parameters in the world of five segments, before accelerators were taken out of leading
# and advanced logic (`no-controls`, seed 1, 2020 to 2022).
WITHOUT_THE_SEGMENT = {
    "domestic_supply_share": (0.1203, 0.12873, 0.13909),
    "domestic_supply_share_real": (0.12029, 0.12874, 0.13947),
    "production_share_located": (0.15871, 0.17022, 0.18684),
    "production_share_hq": (0.058315, 0.070301, 0.086534),
    "equipment_self_supply": (0.058267, 0.06518, 0.070011),
    "chip_market": (989.64, 1233.3, 1249.4),
    "chip_production_located": (157.06, 209.94, 233.44),
    "equipment_spending": (128.41, 192.76, 222.13),
    "technology_gap": (2.7115, 2.639, 2.6158),
}
SHARES = [name for name in WITHOUT_THE_SEGMENT if "share" in name or "self_supply" in name]
A_TENTH_OF_A_POINT = 0.001


def test_with_a_flat_path_and_controls_off_the_headline_stays(tmp_path):
    world = tmp_path / "china-2020"
    shutil.copytree(ROOT / "configs/worlds/china-2020", world)
    with (world / "paths.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (world / "paths.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows([{**row, "index": 1, "index_low": 1, "index_high": 1} for row in rows])
    config = tmp_path / "flat.toml"
    config.write_text(tomli_w.dumps({"purpose": "a test", "extends": "no-controls", "world": str(world)}))
    found = DecouplingModel(config, until=2022)
    found.run()
    yearly = found.series("year")
    for name, before in WITHOUT_THE_SEGMENT.items():
        if name in SHARES:
            assert list(yearly[name]) == pytest.approx(before, abs=A_TENTH_OF_A_POINT), name
        else:
            assert list(yearly[name]) == pytest.approx(before, rel=0.005), name


@pytest.fixture(scope="module")
def quarters():
    """The quarterly record of the dated controls, and of the same without one rule."""
    configs = ("historic", "no-quality-cap", "no-memory-rule", "no-foundry-rule")
    return {config: DecouplingModel(config, record="all", until=2024).run() for config in configs}


def test_the_base_year_of_the_segment_is_what_its_sources_say(quarters):
    year = quarters["historic"].iloc[:4]
    assert year["chip_market.ai_accelerators"].mean() == pytest.approx(14.286, rel=0.01)  # Frost & Sullivan, bn yuan
    assert 0.04 <= year["design_share.ai_accelerators"].mean() <= 0.07
    assert (year["production_share_located.ai_accelerators"] == 0).all()


def test_the_rule_of_2023_doubles_the_price_of_compute_and_leaves_value(quarters):
    capped, free = quarters["historic"], quarters["no-quality-cap"]
    dearer = [each["compute_price.CHN"].loc["2023-12-31"] for each in (capped, free)]
    assert dearer[0] > 2 * dearer[1]
    value = [each["chip_market.ai_accelerators"].loc["2024-03-31":].mean() for each in (capped, free)]
    assert value[0] == pytest.approx(value[1], rel=0.1)
    compute = [each["compute_added.CHN"].loc["2024-03-31":].mean() for each in (capped, free)]
    assert compute[0] < 0.75 * compute[1]


def test_the_month_of_notice_of_2024_shows_as_a_rise_of_the_stock(quarters):
    stock = quarters["historic"]["part_stock.hbm"]
    assert stock.loc["2024-12-31"] > 3 * stock.loc["2024-09-30"]


def test_who_lost_its_foundry_sells_less(quarters):
    share = [
        quarters[name]["design_share.ai_accelerators"].loc["2021-12-31"] for name in ("historic", "no-foundry-rule")
    ]
    assert share[0] < share[1]


def test_open_and_leaked_sales_are_what_is_bought(quarters):
    record = quarters["historic"]
    states = [name.rpartition(".")[2] for name in record.columns if name.startswith("compute_sales.")]
    paid = sum(record[f"compute_sales.{state}"] for state in states) + record["leaked_sales"]
    assert list(paid) == pytest.approx(list(record["chip_market.ai_accelerators"]))
    sold = sum(record[f"compute_sold.{state}"] for state in states) + record["compute_leaked"]
    assert list(sold) == pytest.approx(list(record["compute_added.CHN"]))
