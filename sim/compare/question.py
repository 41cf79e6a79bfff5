"""Comparing results run by run: one honest sentence about the difference. Reads files, never the model.

Runs with the same parameter set and the same seed have the same luck, so a difference is taken within each such
pair, candidate minus base, and only the pairs' differences are averaged. This module puts the question together;
`sim.compare` holds the parts: reading, pairing, intervals, tables, figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sim.compare import push
from sim.compare.agreement import agreement, parameters_that_differ
from sim.compare.comparison import Comparison, PointRow
from sim.compare.differences import Row, Settings, compare_column, opening, over_time, without_values
from sim.compare.effects import best, carriers, carrying, effects
from sim.compare.enough import of_difference
from sim.compare.identity import Unlike, unlike
from sim.compare.outcomes import (
    AT,
    check_dates,
    check_periods,
    check_units,
    chosen,
    dates_asked,
    ids,
    lost,
    whole_alone,
)
from sim.compare.pairing import ENDS_DIFFER, Pairing, pair_runs
from sim.compare.reaching import ReachRow, Target, check_target, reach, target_of
from sim.compare.results import OUTCOMES, Incomplete, Result, read_results, with_dates_of, with_series
from sim.compare.words import MAIN_MEASURE, difference_in_words, less_at_risk, main_row, sentence
from sim.errors import BadInput, nearest

__all__ = ["Comparison", "Incomplete", "Question", "Settings", "compare", "identical", "trips", "unjudged"]
GATES = ("worse", "any", "inconclusive")


@dataclass(frozen=True)
class Question:
    """What is asked of the results: dates, slices, measures, targets, and how runs belong together."""

    at: Sequence[str] = ("final",)
    by: str | None = None
    measures: Sequence[str] | None = None
    reach: Sequence[str] = ()
    settings: Settings = field(default_factory=Settings)
    paired: bool = True
    points: bool = False
    partial: bool = False
    keys: Sequence[str] = ()


def compare(paths: Sequence[str | Path], question: Question) -> Comparison:
    """Compare the first result with each of the others. Raises BadInput, and Incomplete where runs are not there."""
    first, *others = paths
    results = read_results([first, *dict.fromkeys(others)], question.keys)
    lacking = [sentence for result in results for sentence in result.lacking]
    if lacking and not question.partial:
        raise Incomplete([f"{text}; --allow-partial compares what is there" for text in dict.fromkeys(lacking)])
    dates = dates_asked(question.at)
    targets = [target_of(text) for text in question.reach]
    for target in targets:
        check_target(target, results)
    _check_margins(question.settings, results, targets)
    base, *candidates = results
    columns = {other.name: chosen([base, other], dates, question.measures, question.by) for other in candidates}
    wanted = [column for held in columns.values() for some in held.values() for column in some]
    wanted += [target.column for target in targets]
    if not set(dates) <= {*OUTCOMES, *AT}:  # then what carries a difference is read from the series too
        wanted += carrying(MAIN_MEASURE if MAIN_MEASURE in wanted else wanted[0], base.columns)
    base, *candidates = [with_series(result, wanted) for result in results]
    for candidate in candidates:
        base = with_dates_of(base, candidate)
    candidates = [with_dates_of(candidate, base) for candidate in candidates]
    if push.is_split([base, *candidates]):
        comparison = _compared_apart([base, *candidates], columns, targets, question)
    else:
        comparison, _ = _compared([base, *candidates], columns, targets, question)
        comparison.notes[:0] = filter(None, (push.unsplit(base, candidate) for candidate in candidates))
    asked = (dates, question.measures, question.by)
    comparison.lost = list(dict.fromkeys(text for other in candidates for text in lost([base, other], *asked)))
    comparison.parameters = parameters_that_differ(results)
    whole = [text for held in columns.values() for some in held.values() for text in whole_alone(some, question.by)]
    comparison.notes = list(dict.fromkeys([*lacking, *comparison.lost, *whole, *comparison.notes]))
    return comparison


def _compared(
    results: Sequence[Result],
    columns: Mapping[str, dict[str, list[str]]],
    targets: Sequence[Target],
    question: Question,
    apart: str = "",
) -> tuple[Comparison, list[Pairing]]:
    """The first result against the others, and how their runs were paired.

    `columns` are by candidate and date; `apart` says what the push does in these runs, where that is told apart.
    """
    base, *candidates = results
    comparison = Comparison(list(results))
    pairings = [pair_runs(base, candidate, question.paired) for candidate in candidates]
    for candidate, pairing in zip(candidates, pairings, strict=True):
        comparison.agreement += agreement(base, candidate)
        comparison.coverage += pairing.coverage
        _compare_measures(comparison, pairing, columns[candidate.name], question)
        comparison.reach += [reach(pairing, target, question.settings) for target in targets]
        _follow_over_time(comparison, pairing, columns[candidate.name], question)
        _say_effects(comparison, pairing, question)
        if rows := comparison.rows_of(candidate):
            how = push.ending(apart, push.about_controls(base, candidate))
            comparison.sentences.append(sentence(rows, how, luck_alone=base.manifest is not None))
            comparison.notes += filter(None, [of_difference(main_row(rows), how)] if pairing.paired else [])
            comparison.notes += filter(None, [less_at_risk(rows)])
    if len(pairings) > 1:
        _find_best(comparison, pairings)
    comparison.agreement = list(dict.fromkeys(comparison.agreement))
    comparison.coverage = list(dict.fromkeys(comparison.coverage))
    comparison.notes += _general_notes(comparison)
    return comparison, pairings


def _compared_apart(
    results: Sequence[Result],
    columns: Mapping[str, dict[str, list[str]]],
    targets: Sequence[Target],
    question: Question,
) -> Comparison:
    """The comparison with the push answering, which holds that with the push held and what it is more than that."""
    (comparison, answering), (held, holding) = (
        _compared([push.with_push(result, name) for result in results], columns, targets, question, name)
        for name in (push.ANSWERS, push.HELD)
    )
    comparison.held, comparison.results = held, list(results)
    comparison.coverage = list(dict.fromkeys([*comparison.coverage, *held.coverage]))
    comparison.notes += held.notes
    comparison.sentences[:0] = held.sentences
    for bite, total in zip(holding, answering, strict=True):
        if not push.about_controls(total.base.result, total.cand.result):
            continue
        comparison.of_controls.append(total.cand.result.name)
        if not question.paired:
            comparison.notes.append("unpaired: the answer is total less bite of each measure, without an interval")
            continue
        answers = [push.answer(bite, total, row, question.settings) for row in comparison.rows_of(total.cand.result)]
        comparison.answers += answers
        main = main_row(answers)
        said = difference_in_words(main)
        comparison.sentences.append(f"{main.candidate} against {main.baseline}, answer (total less bite): {said}.")
    return comparison


def _check_margins(settings: Settings, results: Sequence[Result], targets: Sequence[Target]) -> None:
    """Refuse a margin of what there is not, which would be ignored. Raises BadInput."""
    columns = {column for result in results for column in result.columns}
    known = [*map(str, targets), *sorted(columns | {column.partition(".")[0] for column in columns})]
    if unknown := [name for name in settings.margins if name and name not in known]:
        paths = " and ".join(dict.fromkeys(result.path for result in results))
        raise BadInput(
            [
                f"--margin = {name!r}: is no measure of {paths} and no --reach{nearest(name, known)}; "
                "must be a measure, one of its slices or a target of --reach"
                for name in unknown
            ]
        )


def _compare_measures(
    comparison: Comparison, pairing: Pairing, columns: dict[str, list[str]], question: Question
) -> None:
    base, candidate = pairing.base.result, pairing.cand.result
    sets = {side.result.name: len({pair[0] for pair in side.pairs}) for side in (pairing.base, pairing.cand)}
    if not pairing.paired and max(sets.values()) > 1:
        held = ", ".join(f"{name} holds {count}" for name, count in sets.items())
        raise BadInput(f"--unpaired: compares single parameter sets, and {held}; leave it out to pair them")
    for at, some in columns.items():
        check_dates(base, candidate, at)
        check_periods(base, candidate, some, at)
        check_units(base, candidate, some, at)
        for column in some:
            row = compare_column(pairing, column, at, question.settings)
            if without_values(row) and not question.measures:
                comparison.notes.append(
                    f"{column} has no value in any run of {base.name} or {candidate.name}: left out"
                )
                continue
            comparison.rows.append(row)
            if question.points:
                for place, values in enumerate(pairing.points):
                    words = " ".join(f"{key}={value}" for key, value in zip(pairing.point_keys, values, strict=True))
                    at_point = compare_column(pairing, column, at, question.settings, place)
                    comparison.points.append(PointRow(words, at_point))


def _follow_over_time(
    comparison: Comparison, pairing: Pairing, columns: dict[str, list[str]], question: Question
) -> None:
    """The rows over time and where each difference opens, for what both have recorded on the same dates."""
    base, candidate = pairing.base.result, pairing.cand.result
    if base.series.dates != candidate.series.dates:
        both = [result.name for result in (base, candidate) if result.series.dates]
        why = "are recorded on different dates" if len(both) == 2 else "do not both have a series over time"
        comparison.notes.append(f"{base.name} and {candidate.name} {why}: where a difference opens is not told")
        return
    told = {row.column for row in comparison.rows_of(candidate)}
    settings = replace(question.settings, resample=False)
    for column in dict.fromkeys(column for some in columns.values() for column in some if column in told):
        if rows := over_time(pairing, column, settings):
            comparison.over_time += rows
            if any(row.spread[0] is not None for row in rows):  # one pair does not tell it
                comparison.openings.append(opening(rows))


def _say_effects(comparison: Comparison, pairing: Pairing, question: Question) -> None:
    """The effects that take two runs, and what carries the difference of the main measure."""
    base, candidate = pairing.base.result, pairing.cand.result
    if not pairing.paired or not (base.manifest and candidate.manifest):
        return
    if pairing.ends_differ:
        comparison.notes.append(f"{ENDS_DIFFER}: effects over whole runs, and what carries a difference, are not told")
        return
    slices = {by: ids([base, candidate], by) for by in ("segment", "input")}
    rows, notes = effects(pairing, base.manifest.world.controllers, question.settings)
    comparison.effects += rows
    comparison.notes += notes
    whole = [row for row in comparison.rows_of(candidate) if row.slice == "all"]
    if whole and main_row(whole).at not in ("peak", "mean", "sum"):
        parts = carriers(pairing, main_row(whole), slices, question.settings)
        comparison.carriers += parts
        if not parts:
            comparison.notes.append('the segments and inputs that carry a difference need measures = "all" in [record]')


def _find_best(comparison: Comparison, pairings: Sequence[Pairing]) -> None:
    names = {pairing.cand.result.name for pairing in pairings}
    ends_differ = any(pairing.ends_differ for pairing in pairings)
    for row in comparison.rows:
        if row.at in AT and ends_differ:
            continue
        everywhere = {r.candidate for r in comparison.rows if (r.column, r.at) == (row.column, row.at)} == names
        if everywhere and row.candidate == pairings[0].cand.result.name:
            comparison.best += best(pairings, row.column, row.at, row.direction)


def _general_notes(comparison: Comparison) -> list[str]:
    notes = []
    rows = comparison.rows
    if any(row.n_sets > 1 for row in rows):
        notes.append(
            "Verdicts are from the 5 to 95 % of the parameter sets, which is what is not known; the interval of a mean "
            "over seeds is numerical error, which more seeds shrink."
        )
        # between the interpolated points lie 0.9 (n - 1) / (n + 1) of whatever the sets are drawn from
        fewest = min(row.n_sets for row in rows if row.n_sets > 1)
        inside = f"{0.9 * (fewest - 1) / (fewest + 1):.0%}"
        notes.append(f"Those points are of the sets at hand: of other sets {inside} may be expected between them.")
    if any(row.n_sets == 1 and row.diff_lo is not None for row in rows):
        chance = f"{1 / (1 - rows[0].ci_level):.0f}"
        notes.append(
            "Each interval is the numerical error of its own measure, over seeds with these parameters: where nothing "
            f"differs, about one in {chance} excludes 0 by chance."
        )
    return notes


def trips(comparison: Comparison, gates: Sequence[str]) -> list[str]:
    """Which rows trip a gate: "worse", "any" (a difference, or none that can be told) or "inconclusive".

    Of controls, bite and total are both judged, since no figure tells which of them is nearer: one of them is enough.
    Returns a sentence for each of the gates that is tripped. Raises BadInput for an unknown gate.
    """
    words = {
        "worse": ("worse",),
        "any": ("better", "worse", "changed", "incomparable"),
        "inconclusive": ("inconclusive", "incomparable"),
    }
    if unknown := [gate for gate in gates if gate not in words]:
        raise BadInput([f"--fail-on = {gate!r}: must be one of {', '.join(GATES)}" for gate in unknown])
    tripped = []
    for gate in dict.fromkeys(gates):
        names = [_name(row, end) for row, end in _judged(comparison) if row.verdict in words[gate]]
        if names:
            tripped.append(f"--fail-on {gate}: {', '.join(names)}")
    return tripped


def unjudged(comparison: Comparison, gates: Sequence[str]) -> list[str]:
    """What the gates "worse" and "any" ask and the comparison cannot tell, a sentence each.

    A gate that did not trip has passed only where there is none: a measure without an interval, one that a result
    lost, or for "worse" one of which nobody said which way is better.
    """
    told = []
    for gate in dict.fromkeys(gates):
        if gate == "inconclusive":
            names = [] if comparison.rows or comparison.reach else ["nothing was compared"]
        else:
            rows = _judged(comparison)
            names = [*comparison.lost]
            names += [f"{_name(row, end)} {why}" for row, end in rows if (why := _not_judged(row, gate))]
            if not rows:
                names.append("nothing was compared")
            elif gate == "worse" and all(row.direction == "none" for row, _ in rows):
                names.append("no measure that was compared can be worse")
        if names:
            told.append(f"--fail-on {gate}: cannot be judged: {'; '.join(names)}")
    return told


def _judged(comparison: Comparison) -> list[tuple[Row | ReachRow, str]]:
    """What gates judge, each with how its name ends."""
    judged: list[tuple[Row | ReachRow, str]] = []
    for name, half in comparison.halves.items():
        rows: list[Row | ReachRow] = [*half.rows, *half.reach]
        judged += [(row, push.ending(name, row.candidate in comparison.of_controls)) for row in rows]
    return judged


def _name(row: Row | ReachRow, end: str) -> str:
    return f"{f'{row.column}@{row.at}' if isinstance(row, Row) else row.target} of {row.candidate}{end}"


def _not_judged(row: Row | ReachRow, gate: str) -> str:
    if row.verdict == "incomparable":
        return "has no value to compare"
    if row.verdict == "inconclusive" and row.spread[0] is None:
        return "has no interval"
    if gate == "worse" and not row.direction and row.verdict not in ("same", "equivalent"):
        return "has no direction that is better; give result folders, whose manifests say it"
    return ""


def identical(
    paths: Sequence[str | Path], rtol: float = 0.0, atol: float = 0.0, keys: Sequence[str] = ()
) -> list[Unlike]:
    """The columns in which any result differs from the first by more than atol + rtol x |its value|."""
    base, *candidates = read_results(paths, keys)
    return [column for candidate in candidates for column in unlike(base, candidate, rtol, atol)]
