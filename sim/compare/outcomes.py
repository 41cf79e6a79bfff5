"""What is compared: which measures and slices, and a measure's value at the date that was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sim.arrays import Array
from sim.calendar import OUTCOME_YEARS
from sim.compare.results import DATE, Result
from sim.errors import BadInput, nearest
from sim.measures import HEADLINE

AT = ("final", "peak", "mean", "sum")  # besides a year and a recorded date
BY = ("segment", "input", "state")
WHOLE_YEARS = ("final", *map(str, OUTCOME_YEARS), "peak", "sum")
WORDS = {1: "whole years", 4: "quarters"}
WHOLE_RUN = re.compile("|".join(AT))


def dates_asked(words: Sequence[str]) -> list[str]:
    """The words of --at; "end", as runs.csv calls it, is "final"."""
    dates = ["final" if word == "end" else word for word in words]
    if wrong := [word for word in dates if word not in AT and not DATE.fullmatch(word)]:
        raise BadInput([f"--at = {word!r}: must be {', '.join(AT)}, a year or a recorded date" for word in wrong])
    return list(dict.fromkeys(dates))


def _outcome(column: str, at: str) -> str:
    return f"{column}@{'end' if at == 'final' else at}"


def can_tell(result: Result, column: str, at: str) -> bool:
    """Whether a result has a measure at a date, in its outcomes or its series."""
    if _outcome(column, at) in result.outcomes:
        return True
    if result.source is None or column not in result.source.measures:
        return False
    return at != "sum" or result.note(column, "kind") in ("", "flow")


def value(result: Result, column: str, at: str) -> Array:
    """A measure at a date, shape (runs,). Raises BadInput where the series does not have the date."""
    if (outcome := _outcome(column, at)) in result.outcomes:
        return result.outcomes[outcome]
    dates, values = result.series.dates, result.series.values[column]
    if at == "final":
        return values[:, -1]
    if at == "peak":
        peak: Array = np.fmax.reduce(values, axis=1)
        return peak
    if at == "mean":
        return values.mean(axis=1)
    if at == "sum":
        return values.sum(axis=1)
    places = [place for place, date in enumerate(dates) if date == at or date.startswith(f"{at}-")]
    if not places:
        raise BadInput(f"--at = {at!r}: {result.path} has the dates {dates[0]} to {dates[-1]}")
    if len(places) == 1:
        return values[:, places[0]]
    kind = result.note(column, "kind")
    if kind == "stock":
        return values[:, places[-1]]
    if kind in ("flow", "mean"):
        return values[:, places].mean(axis=1)
    raise BadInput(
        f"--at = {at!r}: {result.path} records {column} {len(places)} times in that year, and a ratio of a year is "
        f"no mean of those; give a recorded date such as {dates[places[-1]]}, or record every year"
    )


def unit(result: Result, column: str, at: str) -> str:
    return result.note(_outcome(column, at), "unit") or result.note(column, "unit")


def check_dates(base: Result, candidate: Result, at: str) -> None:
    """Refuse a date that means another time in each of the two, or that one does not reach. Raises BadInput."""
    both = (base, candidate)
    horizons = [result.manifest.horizon if result.manifest else None for result in both]
    if not WHOLE_RUN.fullmatch(at):
        for result, horizon in zip(both, horizons, strict=True):
            if horizon and not horizon.first <= int(at[:4]) <= horizon.last:
                raise BadInput(f"--at = {at!r}: {result.path} goes from {horizon.first} to {horizon.last}")
        return
    spans = [(result.series.dates[0], result.series.dates[-1]) for result in both if result.series.dates]
    if None not in horizons and horizons[0] != horizons[1]:
        spans = [(str(horizon.first), str(horizon.last)) for horizon in horizons if horizon]
    if len({(first[:4], last) for first, last in spans}) > 1:  # a first year may be recorded by quarter in one of them
        told = [f"{r.path} goes from {first} to {last}" for r, (first, last) in zip(both, spans, strict=True)]
        raise BadInput(f"--at = {at!r}: dates differ: {', '.join(told)}; give --at YEAR that both have")


def check_periods(base: Result, candidate: Result, columns: Sequence[str], at: str) -> None:
    """Refuse values of which one is that of a year and the other that of a part of it. Raises BadInput.

    A year and its last quarter end on one date. One rule for all kinds of measures: the outcomes in runs.csv are of
    whole years, however often a run is recorded; all else is of the periods that its series has.
    """
    for column in columns:
        parts = [1 if _outcome(column, at) in r.outcomes else r.dates_a_year for r in (base, candidate)]
        if parts[0] != parts[1]:
            said = [
                f"{r.path} tells {WORDS.get(n, f'{n} parts of a year')}"
                for r, n in zip((base, candidate), parts, strict=True)
            ]
            raise BadInput(
                f"--at = {at!r}: of {column} {' and '.join(said)}, which are not the same though they end on one date; "
                f"runs.csv of a result folder has whole years, with --at {', '.join(WHOLE_YEARS)}; "
                'or record both alike, with every = "year" in [record]'
            )


def check_units(base: Result, candidate: Result, columns: Sequence[str], at: str) -> None:
    """Refuse units that differ. Raises BadInput."""
    units = {column: [unit(result, column, at) for result in (base, candidate)] for column in columns}
    if differing := [column for column, (ours, theirs) in units.items() if ours and theirs and ours != theirs]:
        raise BadInput(
            [
                f"{_outcome(column, at)}: its unit is {units[column][0]!r} in {base.path} and {units[column][1]!r} "
                f"in {candidate.path}; choose others with --measure"
                for column in differing
            ]
        )


def chosen(
    results: Sequence[Result], dates: Sequence[str], measures: Sequence[str] | None = None, by: str | None = None
) -> dict[str, list[str]]:
    """For each date the columns to compare, which all results have.

    By default the headline measures, else (there is none of it) all; with `by` each as a whole, and then its slices.
    Raises BadInput that says what is not there.
    """
    common = [column for column in results[0].columns if all(column in result.columns for result in results[1:])]
    columns = _sliced(results, common, measures, by) if by else _named(results, common, measures)
    paths = " and ".join(dict.fromkeys(result.path for result in results))
    at_dates = {}
    for at in dates:
        at_dates[at] = [column for column in columns if all(can_tell(result, column, at) for result in results)]
        lacking = [column for column in columns if column not in at_dates[at]]
        if measures and lacking:
            raise BadInput(
                [f"--measure = {c!r}: there is no {_outcome(c, at)} in {paths}{_why_not(results, at)}" for c in lacking]
            )
        if not at_dates[at]:
            raise BadInput(f"--at = {at!r}: {paths} have no measure at that date{_why_not(results, at)}")
    return at_dates


def lost(
    results: Sequence[Result], dates: Sequence[str], measures: Sequence[str] | None = None, by: str | None = None
) -> list[str]:
    """A sentence for each column that `chosen` would compare at a date if all results had it, not only some."""
    recorded = list(dict.fromkeys(column for result in results for column in result.columns))
    if by:
        known = set(ids(results, by))
        columns = [c for c in recorded if known & set(c.split(".")[1:]) and (measures or c.count(".") == 1)]
        columns = [c for c in columns if not measures or c.partition(".")[0] in measures]
    else:
        columns = list(measures or [name for name in HEADLINE if name in recorded] or recorded)
    told = []
    for at in dates:
        for column in columns:
            without = [result.name for result in results if not can_tell(result, column, at)]
            if 0 < len(without) < len(results):
                told.append(f"{_outcome(column, at)} is not recorded in {' and '.join(without)}: not compared")
    return told


def _why_not(results: Sequence[Result], at: str) -> str:
    if at == "sum":
        return "; only flows have a sum"
    bare = [result.path for result in results if result.source is None]
    return f"; {bare[0]} has no series.csv, which tells other dates than runs.csv" if bare else ""


def _named(results: Sequence[Result], common: Sequence[str], measures: Sequence[str] | None) -> list[str]:
    if not measures:
        return [name for name in HEADLINE if name in common] or list(common)
    problems = []
    for name in measures:
        measure, _, date = name.partition("@")
        if date and measure in common:
            problems.append(f"--measure = {name!r}: is a measure and a date; give --measure {measure} --at {date}")
        elif lacking := [result.path for result in results if name not in result.columns]:
            problems.append(
                f"--measure = {name!r}: there is no {name} in {' and '.join(dict.fromkeys(lacking))}"
                f"{_only_headline(results) if '.' in name else nearest(name, common)}; "
                f"in common are {', '.join(column for column in common if '.' not in column) or 'none'}"
            )
    if problems:
        raise BadInput(problems)
    return list(dict.fromkeys(measures))


def _sliced(results: Sequence[Result], common: Sequence[str], measures: Sequence[str] | None, by: str) -> list[str]:
    if by not in BY:
        raise BadInput(f"--by = {by!r}: must be one of {', '.join(BY)}{nearest(by, BY)}")
    known = set(ids(results, by))
    parts = {column: column.split(".")[1:] for column in common}
    columns = [column for column, slices in parts.items() if known & set(slices)]
    if measures:
        columns = [column for column in columns if column.split(".")[0] in measures]
    else:  # a measure by input and state has hundreds of slices: only when it is asked for
        columns = [column for column in columns if len(parts[column]) == 1]
    names = list(measures or dict.fromkeys(column.partition(".")[0] for column in columns))
    slices = {name: [column for column in columns if column.partition(".")[0] == name] for name in names}
    lacking = [name for name in names if not slices[name] and name not in common] if columns else names
    if lacking or not columns:
        paths = " and ".join(dict.fromkeys(result.path for result in results))
        raise BadInput(
            [
                f"--by = {by!r}: {paths} do not have {name} by {by}{_only_headline(results)}"
                for name in lacking or ["any measure"]
            ]
        )
    return [column for name in names for column in ([name] if name in common else []) + slices[name]]


def whole_alone(columns: Sequence[str], by: str | None) -> list[str]:
    """A sentence for each of the columns chosen `by` slices of which only the whole is there."""
    return [
        f"{name} is not recorded by {by}: told as a whole"
        for name in columns
        if by and "." not in name and not any(column.startswith(f"{name}.") for column in columns)
    ]


def _only_headline(results: Sequence[Result]) -> str:
    """Why slices are missing, where the reason is known."""
    held = [result for result in results if not any("." in column for column in result.columns)]
    if not held:
        return ""
    return f'; slices are recorded with measures = "all" in [record], and {held[0].path} has the headline alone'


def ids(results: Sequence[Result], by: str) -> list[str]:
    """The segments, inputs or states of the results' world."""
    worlds = [result.manifest.world for result in results if result.manifest]
    if not worlds:
        raise BadInput(f"--by = {by!r}: {results[0].path} does not say which slices are a {by}; give a result folder")
    return {"segment": worlds[0].segments, "input": worlds[0].inputs, "state": worlds[0].states}[by]
