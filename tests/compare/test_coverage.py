"""The intervals hold the truth as often as docs/reference/intervals.md says, and often enough."""

import math
import warnings

import pytest
from bench.intervals import END, FILE, START, Coverage, cases, measured, read, summary, table

TEXT = FILE.read_text(encoding="utf-8")
ROWS = read(TEXT)
ENOUGH = 10  # pairs, seeds, base points: below it every row is flagged
SELDOM = 0.15  # an interval that is given so seldom is measured by few trials
FEWER = {(interval, data): fewer for interval, data, _, fewer, _ in cases()}


def error(row, trials):
    """Three standard errors of a share near 0.95 from the trials in which an interval was given."""
    return 3 * math.sqrt(0.95 * 0.05 / max(1.0, row.given * trials / FEWER[row.interval, row.data]))


def holds(row, trials):
    """Whether a line keeps the bounds, within the error of its measurement.

    0.93 to 0.97 for normal data, at least 0.90 for others; or the rows are flagged; or no interval is given.
    """
    if row.covers is None or row.given < SELDOM:
        return True
    if row.n < ENOUGH:
        return row.flagged == 1
    slack = max(0.0, error(row, trials) - 0.02)
    if row.data == "normal" and row.flagged < 0.5:
        return 0.93 - slack <= row.covers <= 0.97 + slack
    return row.safe >= 0.90 - slack


def test_the_table_has_every_case():
    expected = [(interval, data, n) for interval, data, sizes, _, _ in cases() for n in sizes]
    assert [(row.interval, row.data, row.n) for row in ROWS] == expected and len(expected) > 200
    assert table(ROWS) == TEXT.partition(START)[2].partition(END)[0]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.interval}, {row.data}, {row.n}")
def test_every_line_keeps_the_bounds(row):
    assert holds(row, 2000)


@pytest.mark.parametrize(
    "row",
    [
        Coverage("mean of paired differences", "normal", 20, 1.0, 0.05, 0.90, 0.92),
        Coverage("mean of paired differences", "normal", 20, 1.0, 0.05, 0.99, 0.99),
        Coverage("mean of paired differences", "lognormal", 20, 1.0, 0.2, 0.80, 0.86),
        Coverage("mean of paired differences", "rare, 1 in 4", 10, 1.0, 0.0, 0.41, 0.41),
        Coverage("mean of paired differences", "normal", 5, 1.0, 0.5, 0.95, 0.97),
    ],
)
def test_a_line_out_of_bounds_is_seen(row):
    assert not holds(row, 2000)


def test_a_summary_by_hand():
    drawn = [((0.0, 1.0, False), 0.5), ((0.0, 1.0, True), 2.0), ((0.0, 1.0, False), 2.0), ((None, None, True), 2.0)]
    row = summary("mean", "made up", 7, drawn)
    assert (row.given, row.flagged, row.covers, row.safe) == pytest.approx((3 / 4, 1 / 3, 1 / 3, 2 / 3))


@pytest.mark.long
def test_measured_again_the_table_is_the_same():
    """With other trials: each share is where the document has it, within its error and that of the document."""
    written = {(row.interval, row.data, row.n): row for row in ROWS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in measured(600):
            there = written[row.interval, row.data, row.n]
            assert holds(row, 600), row
            if row.covers is not None and there.covers is not None and row.given >= SELDOM:
                assert abs(row.covers - there.covers) <= 2 * error(row, 600), (row, there)
