"""Results that are recorded differently: a year and its fourth quarter end on one date and are not the same."""

import pytest
from support.made_results import COLUMNS, Maker, series_table

from sim.compare.question import Question, compare
from sim.errors import BadInput

YEARS = ["2026-12-31", "2027-12-31"]
QUARTERS = [f"{year}-{day}" for year in (2026, 2027) for day in ("03-31", "06-30", "09-30", "12-31")]
MEASURES = {"flow": "chip_market", "ratio": "domestic_supply_share", "stock": "capacity", "mean": "price_index"}
OTHERS = {name: {"unit": "1", "meaning": "made up", "kind": kind} for kind, name in list(MEASURES.items())[2:]}


@pytest.fixture
def pair(tmp_path):
    """The same two seeds, growing by 1 a year, by year and by quarter; made for one measure."""

    def make(measure, every=("year", "quarter")):
        made, paths = Maker(tmp_path), []
        for place, one in enumerate(every):
            dates = {"year": YEARS, "quarter": QUARTERS, "end": YEARS[-1:]}[one]
            values = {seed: [seed + number / len(dates) for number in range(len(dates))] for seed in (1, 2, 3)}
            record = {"every": one, "measures": [measure]}
            columns = {**COLUMNS, **OTHERS}
            paths.append(made.over_time(f"{one}-{place}", values, dates, measure, record=record, columns=columns))
        return paths

    return make


@pytest.mark.parametrize("measure", MEASURES.values())
@pytest.mark.parametrize("at", ["2027-12-31", "2027", "mean", "peak"])
def test_periods_that_differ_are_refused_for_all_kinds(pair, measure, at):
    with pytest.raises(BadInput, match=r"tells whole years .* tells quarters, .* --at final, 2025, 2030, peak, sum"):
        compare(pair(measure), Question(at=[at]))


@pytest.mark.parametrize("measure", MEASURES.values())
def test_outcomes_are_of_whole_years_however_often_is_recorded(pair, measure):
    paths = pair(measure)
    [row] = compare(paths, Question(at=["final"])).rows
    assert row.base_mean == 2.5 and row.cand_mean == 2.875  # the outcomes as they stand in runs.csv


@pytest.mark.parametrize("every", [("year", "year"), ("quarter", "quarter"), ("year", "end"), ("end", "end")])
def test_periods_that_agree_are_compared(pair, every):
    [row] = compare(pair("chip_market", every), Question(at=["2027-12-31"])).rows
    assert row.n_pairs == 3


def test_bare_series_are_told_by_their_dates(tmp_path):
    for name, dates in (("years", YEARS), ("quarters", QUARTERS), ("halves", QUARTERS[1::2])):
        runs = [(seed, {"chip_market": [float(seed)] * len(dates)}) for seed in (1, 2)]
        (tmp_path / f"{name}.csv").write_text(series_table(runs, dates))
    years, quarters, halves = (tmp_path / f"{name}.csv" for name in ("years", "quarters", "halves"))
    for at in ("final", "2027-12-31", "sum"):
        assert len(compare([quarters, quarters], Question(at=[at])).rows) == 1
        with pytest.raises(BadInput, match=r"tells whole years and .* tells quarters"):
            compare([years, quarters], Question(at=[at]))
        with pytest.raises(BadInput, match=r"tells 2 parts of a year and .* tells quarters"):
            compare([halves, quarters], Question(at=[at]))
