"""Cells, lines and outcomes of the two tables: exact text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import BadInput
from sim.results import records

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (7.0, "7.0"),
        (7, "7"),
        (-0.0, "-0.0"),
        (1e-05, "1e-05"),
        (1e16, "1e+16"),
        (0.1 + 0.2, "0.30000000000000004"),
        (np.float64(0.5), "0.5"),
        (NAN, ""),
        (None, ""),
        (True, "true"),
        ("none", "none"),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        ("two\nlines", '"two\nlines"'),
    ],
)
def test_cell(value, text):
    assert records.cell(value) == text


@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_floats_come_back_as_they_were(values):
    texts = records.float_cells(np.array(values)).split(",")
    for value, text in zip(values, texts, strict=True):
        if math.isnan(value):
            assert text == ""
        else:
            assert text == repr(value) and float(text) == value


def test_series_lines():
    rows = records.series_rows(
        ["no-controls-2-0-7", "no-controls", 0, 7, 0.5, "market"],
        ["2020-12-31", "2021-12-31"],
        np.array([[0.25, 3.0], [NAN, 1e-7]]),
    )
    assert rows == (
        "no-controls-2-0-7,no-controls,0,7,0.5,market,2020-12-31,0.25,3.0\n"
        "no-controls-2-0-7,no-controls,0,7,0.5,market,2021-12-31,,1e-07\n"
    )
    assert records.series_columns(["controls.severity"], ["chip_market"]) == [
        "run_id",
        "config",
        "parameter_set",
        "seed",
        "controls.severity",
        "date",
        "chip_market",
    ]


def test_outcomes_by_hand():
    kinds = {"chip_market": "flow", "domestic_supply_share": "ratio"}
    years = ["2024-12-31", "2025-12-31", "2026-12-31"]
    yearly = np.array([[[10.0, 0.1], [30.0, 0.75], [20.0, 0.7]], [[1.0, 0.2], [NAN, 0.3], [3.0, NAN]]])
    assert records.outcome_columns(kinds) == [
        "chip_market@end",
        "chip_market@2025",
        "chip_market@2030",
        "chip_market@peak",
        "chip_market@sum",
        "domestic_supply_share@end",
        "domestic_supply_share@2025",
        "domestic_supply_share@2030",
        "domestic_supply_share@peak",
        "domestic_supply_share@first_70",
    ]
    first, second = records.outcomes(kinds, years, yearly, ["2025-03-31", ""], np.array([3, 3]))
    assert records.runs_row(["a"], "done", first) == "a,done,20.0,30.0,,30.0,60.0,0.7,0.75,,0.75,2025-03-31\n"
    assert records.runs_row(["b"], "done", second) == "b,done,3.0,,,3.0,,,0.3,,0.3,\n"


def test_outcomes_of_a_run_that_stops_by_hand():
    """The first run has two of three years, the second all, the third one; what comes later does not count."""
    kinds = {"chip_market": "flow"}
    years = ["2024-12-31", "2025-12-31", "2026-12-31"]
    yearly = np.array([[[10.0], [30.0], [90.0]]] * 3)
    reached = ["2026-03-31", "2026-03-31", "2024-06-30"]
    first, second, third = records.outcomes(kinds, years, yearly, reached, np.array([2, 3, 1]))
    assert records.runs_row(["a"], "done", first) == "a,done,30.0,30.0,,30.0,40.0,\n"
    assert records.runs_row(["b"], "done", second) == "b,done,90.0,30.0,,90.0,130.0,2026-03-31\n"
    assert records.runs_row(["c"], "done", third) == "c,done,10.0,,,10.0,10.0,2024-06-30\n"


def test_sums_do_not_depend_on_how_many_runs_are_held():
    kinds = {f"measure{number}": "flow" for number in range(5)}
    yearly = np.random.default_rng(3).lognormal(size=(33, 16, 5), sigma=9)
    years = [f"{2020 + number}-12-31" for number in range(16)]
    reached = years + years + [""]
    lengths = np.arange(33) % 16 + 1
    together = records.outcomes(kinds, years, yearly, reached, lengths)
    alone = [records.outcomes(kinds, years, yearly[[run]], [reached[run]], lengths[[run]])[0] for run in range(33)]
    assert repr(together) == repr(alone)


def test_rows_are_read_as_written(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text('run_id,note,x\na,"one, two",\nb,,0.5\n')
    assert list(records.read_rows(path)) == [
        {"run_id": "a", "note": "one, two", "x": ""},
        {"run_id": "b", "note": "", "x": "0.5"},
    ]
    path.write_text("run_id,x\na,1\nb\n")
    with pytest.raises(BadInput, match="line 3 has 1 cells; the header has 2"):
        list(records.read_rows(path))
    with pytest.raises(BadInput, match=r"nothing\.csv"):
        list(records.read_rows(tmp_path / "nothing.csv"))
