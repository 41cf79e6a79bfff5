"""What is asked for: which measures at which time, which cases; and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sim.compare.outcomes import BY, ids
from sim.compare.results import Result
from sim.compare.words import MAIN_MEASURE
from sim.errors import BadInput, nearest
from sim.experiment.designs import SAMPLED
from sim.study.plot.cases import Case, kind_of, manifest_of, varying
from sim.study.plot.words import Words

ONE_RUN = (MAIN_MEASURE, "chip_market", "unmet_demand", "equipment_self_supply", "technology_gap", "controls_severity")
AT = re.compile("end|peak|sum|[0-9]{4}")


@dataclass(frozen=True)
class Asked:
    """What the options ask for; `columns` are measures with the time of each, empty for a series.

    `parts` says of a measure's slice which segment, input or state it is; nothing where there are no slices asked for.
    """

    columns: tuple[tuple[str, str], ...]
    parts: Mapping[str, str]
    x: str | None
    y: str | None
    by: str | None


def refuse_keys(cases: Sequence[Case], x: str | None, y: str | None, by: str | None) -> None:
    """BadInput for a key that is not varied."""
    varied = varying(cases)
    for option, key in (("--x", x), ("--y", y), ("--by", by)):
        if key is None or (option == "--by" and key in BY):
            continue
        if key not in varied:
            also = f"{', '.join(BY)}, " if option == "--by" else ""
            there = f"one of {also}{', '.join(varied)}" if varied else "left out: nothing is varied here"
            raise BadInput(f"{option} = {key!r}: is not varied in the result{nearest(key, varied)}; must be {there}")
    if y and not x:
        raise BadInput(f"--y = {y!r}: belongs to --x KEY, the other factor of a heat map")
    if len(given := [key for key in (x, y, by) if key]) > len(set(given)):
        raise BadInput(f"--x, --y and --by: {given[-1]!r} is given twice; each takes a key of its own")


def pool(cases: Sequence[Case], asked: Sequence[str]) -> tuple[list[Case], list[str]]:
    """The cases that one picture is of, and what is said of the others.

    Of samples and other designs in one experiment, those that vary what is asked for, the others first; and every
    mechanism on, where they are left out in turn.
    """
    notes: list[str] = []
    apart = {
        "other designs": [case for case in cases if kind_of(case) in SAMPLED],
        "sampled parts": [case for case in cases if kind_of(case) not in SAMPLED],
    }
    left_out = next(
        (what for what in reversed(apart) if apart[what] and set(asked) - set(BY) <= set(varying(apart[what]))), None
    )
    if left_out is None:
        raise BadInput(f"{' and '.join(asked)}: no one part of the experiment varies that; give a factor of one part")
    found = apart[left_out]
    if left := len(cases) - len(found):
        notes.append(f"not drawn: {left} cases of {left_out}; --x KEY of one of their factors draws them")
    for key in dict.fromkeys(key for case in found for key in _switches(case)):
        if key not in asked and (left := sum(case.keys.get(key) == "false" for case in found)):
            found = [case for case in found if case.keys.get(key) != "false"]
            notes.append(f"not drawn: {left} cases {Words(cases[:1]).value(key, 'false')}; --by {key} draws them")
    return found, notes


def _switches(case: Case) -> list[str]:
    return case.manifest.experiment.leave_out if case.manifest.experiment else []


def columns_of(results: Sequence[Result], measures: Sequence[str], one: bool, by: str | None) -> list[tuple[str, str]]:
    """The measures to draw and the time of each, which all results have. `one` is a single case."""
    common = [column for column in results[0].columns if all(column in each.columns for each in results)]
    main = MAIN_MEASURE if MAIN_MEASURE in common else common[0]
    if not measures:
        if by in BY:
            return _sliced(results, main, "", by)
        several = [name for name in ONE_RUN if name in common] if one else []
        return [(name, "") for name in several or [main]]
    if by in BY and len(measures) > 1:
        raise BadInput(f"--by = {by!r}: takes one --measure, whose slices are the panels")
    found: list[tuple[str, str]] = []
    for text in measures:
        column, sign, at = text.partition("@")
        bases = {column for name in common if _rest(name, column) is not None}
        if column not in common and not bases:
            headline = ", ".join(name for name in common if "." not in name)
            raise BadInput(f"--measure = {text!r}: is not recorded{nearest(column, common)}; measures are {headline}")
        if sign and not AT.fullmatch(at):
            raise BadInput(f"--measure = {text!r}: after @ must stand a year, end, peak or sum")
        if by in BY:
            return _sliced(results, column, at, by)
        if column not in common:
            raise BadInput(f"--measure = {text!r}: is recorded in parts alone; give --by {' or '.join(BY)}")
        if sign:
            _refuse_time(results, text, column, at)
        if column in dict(found):
            raise BadInput(f"--measure = {text!r}: {column} is given twice; draw it once")
        found.append((column, at))
    if len({bool(at) for _, at in found}) > 1:
        raise BadInput("--measure: some have a time after @ and some have none; give all of them one, or none")
    return found


def _refuse_time(results: Sequence[Result], text: str, column: str, at: str) -> None:
    for result in results:
        if f"{column}@{at}" in result.outcomes:
            continue
        horizon = manifest_of(result).horizon
        if at == "sum":
            raise BadInput(f"--measure = {text!r}: only flows have a sum")
        if at.isdigit() and not horizon.first <= int(at) <= horizon.last:
            raise BadInput(f"--measure = {text!r}: {result.path} goes from {horizon.first} to {horizon.last}")
        if result.source is None or manifest_of(result).record.every != "year":
            raise BadInput(
                f"--measure = {text!r}: {result.path} has that measure at the end, in 2025, in 2030 and at its peak; "
                'other years are drawn of a result with every = "year" in [record]'
            )


def _sliced(results: Sequence[Result], column: str, at: str, by: str) -> list[tuple[str, str]]:
    """The slices of a measure by segment, input or state, in the order of the world's tables."""
    common = [name for name in results[0].columns if all(name in each.columns for each in results)]
    found = [name for id in ids(results, by) for name in common if _rest(name, column) == id]
    if not found:
        raise BadInput(
            f"--by = {by!r}: {', '.join(result.path for result in results)} does not have {column} by {by}; slices are "
            'recorded with measures = "all" in [record], or by their names'
        )
    for name in found if at else ():
        _refuse_time(results, f"{name}@{at}", name, at)
    return [(name, at) for name in found]


def parts_of(columns: Sequence[tuple[str, str]], results: Sequence[Result], by: str | None) -> dict[str, str]:
    """Which segment, input or state every column is a slice of."""
    if by not in BY:
        return {}
    known = set(ids(results, by))
    named = {column: column.split(".")[1:] for column, _ in columns}
    shared = set.intersection(*map(set, named.values())) if len(named) > 1 else set()
    return {column: next(id for id in slices if id in known - shared) for column, slices in named.items()}


def _rest(name: str, column: str) -> str | None:
    """The one id by which a recorded column is a slice of another; None if it is not."""
    base, *given = column.split(".")
    own, *slices = name.split(".")
    if own != base or len(slices) != len(given) + 1:
        return None
    for id in given:
        if id not in slices:
            return None
        slices.remove(id)
    return slices[0]
