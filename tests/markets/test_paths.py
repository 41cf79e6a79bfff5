"""Demand that follows a path of its own, in a world of seeds."""

import numpy as np
import pytest
from support.models import at, seeds

from sim import BadInput, load_config
from sim.model import DecouplingModel

INDEX = "paths,index,2020 = 1,0.01,1000,uncertainty,demand by that of 2020"
HEADER = "state,segment,year,index,index_low,index_high,index_grade,index_source"
ROWS = (
    "CHN,rice,2021,2,1,4,assumed,a test",
    "CHN,rice,2022,4,2,8,assumed,a test",
    "others,rice,2021,0.5,0.5,0.5,assumed,a test",
)


def path(tmp_path, *rows):
    return seeds(tmp_path, {"columns": [INDEX], "paths": [HEADER, *rows]})


def yearly(model, years):
    """Demand of each year, (years, states, segments)."""
    quarters = []
    for _ in range(4 * years):
        model.step()
        quarters.append(model.chip_market.demand[0])
    return np.array(quarters).reshape(years, 4, *quarters[0].shape).sum(axis=1)


def test_a_path_is_followed_and_nothing_else_moves(tmp_path):
    model = DecouplingModel(path(tmp_path, *ROWS))
    rice, china = model.roster.segments.index("rice"), at(model, "CHN")
    growth = yearly(model, 4) / model.chip_market.base_demand[0] / 4
    assert growth[:, china, rice] == pytest.approx([1, 2, 4, 4])  # no growth: it stays after its last year
    elsewhere = np.delete(growth, china, axis=1)
    assert elsewhere[..., rice] == pytest.approx(np.tile([[1], [0.5], [0.5], [0.5]], 6))
    assert np.delete(growth, rice, axis=2) == pytest.approx(1.0)


def test_a_flat_path_is_none(tmp_path):
    flat = DecouplingModel(path(tmp_path, "CHN,rice,2021,1,,,measured,a test"), record="all", until=2022).run()
    (tmp_path / "none").mkdir()
    without = DecouplingModel(seeds(tmp_path / "none", {}), record="all", until=2022).run()
    assert flat.equals(without)


@pytest.mark.parametrize(("position", "in_2022"), [(-1.0, 2.0), (-0.5, 4 / 2**0.5), (1.0, 8.0)])
def test_paths_run_between_their_low_and_high(tmp_path, position, in_2022):
    model = DecouplingModel(path(tmp_path, *ROWS), set={"demand.path_position": position})
    rice, china = model.roster.segments.index("rice"), at(model, "CHN")
    demand = yearly(model, 3)[2] / model.chip_market.base_demand[0] / 4
    assert demand[china, rice] == pytest.approx(in_2022, rel=0.01)  # quarters are scaled by the middle one


def test_a_path_grows_on_the_trend_after_its_last_year(tmp_path):
    model = DecouplingModel(path(tmp_path, *ROWS), set={"demand.growth": 0.04})
    rice, china = model.roster.segments.index("rice"), at(model, "CHN")
    demand = yearly(model, 4)[:, china, rice] / model.chip_market.base_demand[0, china, rice] / 4
    assert demand[2] == pytest.approx(4.0)
    assert demand[3] == pytest.approx(4.0 * np.exp(0.04), rel=1e-4)


@pytest.mark.parametrize("last", [2022, 2035])
def test_it_grows_on_beyond_the_last_year_too_where_a_review_looks(tmp_path, last):
    rows = [f"CHN,rice,{year},4,2,8,assumed,a test" for year in range(2021, last + 1)]
    model = DecouplingModel(path(tmp_path, *rows), set={"demand.growth": 0.08})
    rice, china = model.roster.segments.index("rice"), at(model, "CHN")
    end, two_years_on = (model.chip_market.paths.level(model.parameters, quarter) for quarter in (63, 71))
    assert two_years_on[0, china, rice] / end[0, china, rice] == pytest.approx(np.exp(2 * 0.08))


def test_what_the_world_sells_is_given_so_the_others_have_the_rest(tmp_path):
    rows = (*ROWS, "others,rice,2022,0.5,0.5,0.5,assumed,a test")
    config = path(tmp_path, *rows)
    given = {f"demand.world_sales.{year}": value for year, value in ((2020, 100.0), (2021, 110.0), (2022, 120.0))}
    model = DecouplingModel(config, set=given)
    demand, rice = yearly(model, 3), model.roster.segments.index("rice")
    base = 4 * model.chip_market.base_demand[0]
    assert demand.sum(axis=(1, 2)) == pytest.approx(base.sum() * np.array([1, 1.1, 1.2]))
    of_rice = base[at(model, "CHN"), rice] * 4 + np.delete(base[:, rice], at(model, "CHN")).sum() * 0.5
    assert demand[2].sum() - demand[2, :, rice].sum() == pytest.approx(base.sum() * 1.2 - of_rice, rel=1e-3)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("CHM,rice,2021,2,1,4,assumed,a test", "state = 'CHM': must be a state of states.csv or others"),
        ("CHN,rise,2021,2,1,4,assumed,a test", "segment = 'rise': is not in segments.csv"),
        ("CHN,rice,2020,2,1,4,assumed,a test", "year = '2020': must be a year from 2021 to 2035"),
        ("CHN,rice,2022,2,1,4,assumed,a test", "CHN, rice: has no row for 2021"),
    ],
)
def test_a_path_that_cannot_be_followed_is_refused(tmp_path, row, said):
    with pytest.raises(BadInput, match=said):
        load_config(path(tmp_path, row))


def test_only_a_world_with_paths_has_a_position():
    with pytest.raises(BadInput, match="demand.path_position"):
        load_config("crop-seeds", {"demand.path_position": 1.0})
