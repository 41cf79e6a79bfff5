"""Tables of observed figures: units, defaults, and one fault at a time."""

import csv

import pytest

from sim.errors import BadInput
from sim.study.validation.observations import read_observations, world_observations
from sim.world.world import load_world

WORLD = load_world("china-2020")
HEADER = "measure,date,value,unit,error,source,use\n"


def read(folder, *lines):
    path = folder / "mine.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return read_observations(path, WORLD)


def test_units_become_those_of_the_model(tmp_path):
    market, share, quarter, growth = read(
        tmp_path,
        "chip_market,2021,186.5,bn USD a year,5,IC Insights,fit",
        "production_share_hq,2021-12-31,6.6,percent,0.5,IC Insights,fit",
        "equipment_spending,2021-03-31,5.96,bn USD a quarter,0.3,SEMI,fit",
        "chip_imports,2022-12-31,1.187,2020 = 1,0.08,customs,test",
    )
    assert (market.value, market.error, market.date) == (
        pytest.approx(186.5 * 6.9),
        pytest.approx(5 * 6.9),
        "2021-12-31",
    )
    assert (share.value, share.error) == (pytest.approx(0.066), pytest.approx(0.005))
    assert (quarter.value, quarter.is_quarter) == (pytest.approx(5.96 * 4 * 6.9), True)
    assert (growth.value, growth.is_relative) == (1.187, True)
    assert market.published(market.value) == pytest.approx(186.5)


def test_a_missing_error_is_the_usual_one_of_the_measure(tmp_path):
    [share] = read(tmp_path, "input_world_share.deposition.CHN,2023,5.0,percent,,mine,test")
    assert share.error == pytest.approx(0.5 * 0.05)  # 0.5 of 1.0 % in 2019 is the largest relative error given


def test_the_shipped_table_holds_nothing_later_than_2024_and_says_what_is_compared():
    rows = world_observations(WORLD)
    assert max(row.date for row in rows) == "2024-12-31"
    with (WORLD.folder / "observations.csv").open(encoding="utf-8", newline="") as file:
        assert all(row["definition"].strip() for row in csv.DictReader(file))


def billings(date, unit):
    """Published tools by region, bn USD."""
    rows = [row for row in world_observations(WORLD) if row.measure.startswith("equipment_spending")]
    return {row.measure[19:] or "CHN": row.published(row.value) for row in rows if (row.date, row.unit) == (date, unit)}


@pytest.mark.parametrize("year", range(2016, 2025))
def test_the_regions_tools_sum_to_the_worlds(year):
    bought = billings(f"{year}-12-31", "bn USD a year")
    assert sorted(bought) == ["CHN", "EUR", "JPN", "KOR", "ROW", "TWN", "USA", "world"]
    assert sum(bought.values()) - bought["world"] == pytest.approx(bought["world"], abs=0.25)  # of printed digits


@pytest.mark.parametrize("year", [2022, 2023])
def test_four_quarters_of_tools_are_the_year(year):
    quarters = [billings(f"{year}-{day}", "bn USD a quarter") for day in ("03-31", "06-30", "09-30", "12-31")]
    for region, whole in billings(f"{year}-12-31", "bn USD a year").items():
        if region != "ROW":  # the year's remainder was revised, so that no fourth quarter of 2023 can be derived
            assert sum(quarter[region] for quarter in quarters) == pytest.approx(whole, abs=0.1), region


def test_a_share_printed_as_0_stands_for_half_a_percent_or_less():
    rows = [row for row in world_observations(WORLD) if row.measure.startswith("input_world_share.")]
    assert min(row.value for row in rows) > 0
    small = {row.measure.split(".")[1] for row in rows if row.value == row.error == 0.0025}
    assert small == {"lithography", "ion_implantation", "wafer_handling", "photomasks"}


def test_growth_is_counted_from_the_base_year():
    """Of 2020: imports 350 bn USD and 543.5 bn units, world sales 440.4 bn USD, NAURA 6.056 bn yuan."""
    grown = {row.measure: row.value for row in world_observations(WORLD) if row.is_relative and row.year == 2024}
    assert grown["chip_imports"] == pytest.approx(385 / 350, rel=0.001)
    assert grown["chip_imports_real"] == pytest.approx(549.2 / 543.5, rel=0.005)  # published growth, chained
    assert grown["world_chip_sales"] == pytest.approx(630.5 / 440.4, rel=0.001)
    assert grown["supplier_sales.deposition.CHN"] == pytest.approx(30.075 / 6.056, rel=0.001)
    assert grown["chip_production_located_real"] == pytest.approx(1.333 * 0.884 * 1.069 * 1.231, rel=0.001)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("chip_markt,2023,1,bn USD a year,1,x,test", "did you mean 'chip_market'?"),
        ("chip_market,2023,1,bn dollars,1,x,test", "unit = 'bn dollars': must be one of"),
        ("chip_market,2023-05-31,1,bn USD a year,1,x,test", "date = '2023-05-31': must be a year"),
        ("chip_market,2023-06-30,1,bn USD a year,1,x,test", "a figure of a year is dated 2023-12-31"),
        ("chip_market,2023,much,bn USD a year,1,x,test", "value = 'much': must be a finite number"),
        ("chip_market,2023,1,bn USD a year,-1,x,test", "error = '-1': must be above 0"),
        ("chip_market,2023,1,bn USD a year,1,x,both", "use = 'both': must be fit or test"),
        ("chip_market,2023,1,bn USD a year", "must have 7 fields"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, line, says):
    with pytest.raises(BadInput) as fault:
        read(tmp_path, line)
    assert "mine.csv: line 2" in str(fault.value) and says in str(fault.value)


def test_a_figure_given_twice_and_a_missing_column(tmp_path):
    with pytest.raises(BadInput, match="is given twice"):
        read(tmp_path, *["chip_market,2023,1,bn USD a year,1,x,test"] * 2)
    path = tmp_path / "short.csv"
    path.write_text("measure,date,value\nchip_market,2023,1\n")
    with pytest.raises(BadInput, match="the header lacks unit, error, source, use"):
        read_observations(path, WORLD)
