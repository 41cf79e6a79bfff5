"""The calendar: quarters are counted from 2020-Q1 = 0."""

from datetime import date, timedelta

FIRST_YEAR = 2020
LAST_YEAR = 2035
QUARTERS_PER_YEAR = 4
OUTCOME_YEARS = (2025, 2030)  # besides the last year, in runs.csv


def quarters_until(year: int) -> int:
    """How many quarters a run has that includes all of `year`."""
    return (year - FIRST_YEAR + 1) * QUARTERS_PER_YEAR


def year_of(quarter: int) -> int:
    return FIRST_YEAR + quarter // QUARTERS_PER_YEAR


def is_first_of_year(quarter: int) -> bool:
    return quarter % QUARTERS_PER_YEAR == 0


def quarter_name(quarter: int) -> str:
    """For example '2023-Q4'."""
    return f"{year_of(quarter)}-Q{quarter % QUARTERS_PER_YEAR + 1}"


def quarter_start(quarter: int) -> date:
    return date(year_of(quarter), 3 * (quarter % QUARTERS_PER_YEAR) + 1, 1)


def quarter_end(quarter: int) -> str:
    """The last day of a quarter, ISO, for example '2023-12-31'."""
    return (quarter_start(quarter + 1) - timedelta(days=1)).isoformat()


def quarter_of(day: date) -> int:
    """The quarter a day lies in; negative before 2020."""
    return (day.year - FIRST_YEAR) * QUARTERS_PER_YEAR + (day.month - 1) // 3
