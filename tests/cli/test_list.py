"""What `list` shows, and how it is narrowed down."""

import csv
from io import StringIO

import pytest
from support.paths import ROOT
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import BadInput

WORLD = ROOT / "configs/worlds/china-2020"


def table(name):
    """The rows of one of the world's tables, from its file."""
    return list(csv.DictReader(StringIO((WORLD / f"{name}.csv").read_text())))


def listed(*arguments):
    return CliRunner().invoke(app, ["list", *arguments])


def rows_of(*arguments):
    return list(csv.DictReader(StringIO(listed(*arguments, "--format", "csv").stdout)))


@pytest.mark.parametrize(
    ("what", "tables"),
    [
        ("states", ["states"]),
        ("segments", ["segments"]),
        ("inputs", ["inputs"]),
        ("suppliers", ["suppliers"]),
        ("firms", ["chip_firms", "entrants"]),
    ],
)
def test_everything_that_an_event_can_name_is_listed_by_its_id(what, tables):
    ids = [row["id"] for name in tables for row in table(name)]
    assert [row["id"] for row in rows_of(what)] == ids


def test_a_firm_has_its_lines_sales_and_the_name_that_stands_for_all_of_them():
    lines = rows_of("firms", "smic")
    assert {row["company"] for row in lines} == {"smic"} and len(lines) > 1
    [row] = [row for row in table("chip_firms") if row["id"] == lines[0]["id"]]
    assert float(lines[0]["sales, bn USD a year"]) == float(row["output"])


def test_a_supplier_sells_its_share_of_the_market():
    [row] = rows_of("suppliers", "nld-lithography")
    [market] = [row["market"] for row in table("inputs") if row["id"] == "lithography"]
    assert float(row["sales, bn USD a year"]) == pytest.approx(float(row["share"]) * float(market))


def test_events_are_those_of_a_config():
    assert "2022-10-07" in [row["date"] for row in rows_of("events")]
    found = listed("events", "--config", "no-controls")
    assert found.exit_code == 0 or "has no dated events" in str(found.exception)
    with pytest.raises(BadInput, match="published-2020: has no dated events"):
        raise listed("events", "--config", "published-2020").exception


@pytest.mark.parametrize("what", ["parameters", "measures", "inputs", "firms", "suppliers", "events"])
def test_a_table_fits_a_wide_terminal_and_says_what_it_leaves_out(what):
    found = listed(what)
    assert max(map(len, found.stdout.splitlines())) <= 240
    left = {"parameters": "meaning, source", "measures": "kind, headline, formula", "events": "reason"}.get(what)
    assert (f"{left}. decoupling list {what} WORD" in found.stderr) if left else not found.stderr


def test_a_word_narrows_it_down_and_few_rows_are_shown_whole():
    found = listed("parameters", "buyers.caution")
    assert "meaning" in found.stdout and "source" in found.stdout
    assert max(map(len, found.stdout.splitlines())) <= 100 + len("mechanism  ")
    assert [row["key"] for row in rows_of("parameters", "BUYERS.CAUTION")] == ["buyers.caution"]


def test_a_word_that_nothing_has_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match=r"list parameters buyers.cautoin: none of \d+ has that in it.*buyers.caution"):
        raise listed("parameters", "buyers.cautoin").exception
