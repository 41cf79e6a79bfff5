"""The tables of an answer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from sim.calendar import OUTCOME_YEARS
from sim.compare.differences import Row
from sim.compare.push import MEANING
from sim.compare.words import decimals_of, rounded, told_in
from sim.results.page import Section
from sim.study.discovery import Discovery
from sim.study.plot.boxes import target_in_words
from sim.study.plot.words import sentence
from sim.study.report.answer import Answer, RankVerdict, Step
from sim.study.report.cases import MOST_CASES, Case
from sim.study.report.overturning import factor, of_config, outcome_in_words, plain
from sim.study.report.phrases import (
    deviation,
    difference,
    level,
    unit_of,
    where,
    with_interval,
)
from sim.study.report.words import told_steps, turning
from sim.study.sensitivity import SEEDS

APART = ("bite", "answer", "total")
STEPS_APART = 4
STEPS = 3  # of the table by mechanism
LEAST_INDEX = 0.05
MOST_COLUMNS = 5  # of cases beside each other
LUCK = "one seed's deviation"
MOST_LETTERS = 60  # of a case's name in a header


def verdicts(answer: Answer) -> Section:
    rows = []
    for verdict in answer.verdicts:
        if isinstance(verdict, RankVerdict):
            held = (verdict.named, verdict.other)
            named, other = (f"{factor(index.factor, answer)} {with_interval(index)}" for index in held)
            of = of_config(str(verdict.claim.of), answer)
            rows.append([verdict.claim.says, f"largest total index, {of}", named, other, verdict.word])
            continue
        scale, unit = told_in(answer.unit_of(verdict.claim.measure))
        low, middle, high = (scale * held for held in verdict.points)
        digits = decimals_of([middle], high - low)
        ends = (("from", scale * verdict.claim.low), ("to", scale * verdict.claim.high))
        asked = " ".join(f"{word} {end:g}" for word, end in ends if math.isfinite(end)) + f" {unit}"
        if len(verdict.claim.terms) > 1 and verdict.claim.low <= 0 <= verdict.claim.high:
            asked += ", so no difference meets it too"
        numbers = [rounded(number, digits) for number in (middle, low, high)]
        seen = f"{numbers[0]} ({numbers[1]} to {numbers[2]})"
        rows.append([verdict.claim.says, asked, seen, f"{100 * verdict.share:.0f} %", verdict.word])
    ranked = all(isinstance(verdict, RankVerdict) for verdict in answer.verdicts)
    met = "sets that meet it" if answer.sets > 1 else "seeds that meet it"
    return Section(
        "The prediction against the results",
        (),
        ["predicted", "that is", "found (5 to 95 %)", "largest other" if ranked else met, "verdict"],
        rows,
        frozenset({"verdict", "that is"}),
    )


def apart(answer: Answer) -> Section:
    """What the steps about controls do to the main measure: bite, answer and total by year."""
    years = [*map(str, OUTCOME_YEARS), "final"]
    rows = []
    for step, at in itertools.product(answer.of_controls[:STEPS_APART], years):
        cells = map(difference, answer.apart(step, answer.main, at))
        year = answer.last if at == "final" else at
        rows.append([step.change, where(answer, step).strip(" ()"), year, *cells])
    title = f"Bite, answer and total of the controls: {answer.words.in_passing(answer.main)} ({answer.of_differences})"
    lines = [MEANING, *_told(STEPS_APART, answer.of_controls)]
    return Section(title, lines, ["step", "where", "year", *APART], rows, frozenset({"step", "where"}))


def _told(told: int, steps: Sequence[Step]) -> list[str]:
    """A sentence where not all steps are told."""
    return [f"Told are {told} of {len(steps)} steps."] if len(steps) > told else []


def others_apart(answer: Answer) -> Section:
    """The same of the other measures in the last year, for the first such step."""
    step = answer.of_controls[0]
    rows = []
    for measure in answer.measures:
        if measure != answer.main:
            rows.append([answer.words.measure(measure), *map(difference, answer.apart(step, measure))])
    title = f"Bite, answer and total of other measures in the last year: {step.change}{where(answer, step)}"
    lines = [f"In brackets: {answer.of_differences}.", *_told(1, answer.of_controls)]
    return Section(title, lines, ["measure", *APART], rows, frozenset({"measure"}))


def over_years(answer: Answer) -> Section:
    reference = answer.cases[0]
    years = [*map(str, OUTCOME_YEARS), "final"]
    held = [[answer.against(reference, case, answer.main, at) for at in years] for case in answer.cases]
    first = reference.label if len(reference.label) <= MOST_LETTERS else "the first"
    less = f"{answer.last} less {first} ({answer.of_differences})"
    header = ["case", *map(str, OUTCOME_YEARS), answer.last, less, LUCK]
    reaching = [answer.reaching(case) for case in answer.cases]
    goal = answer.manifest.world.goal
    if goal and any(row and row.cand_share for row in reaching):
        header += [f"reach {100 * goal.share:.0f} %", "median year"]
    rows = []
    for case, row, reached in zip(answer.cases, held, reaching, strict=True):
        seeds = answer.seeds_add(case, answer.main)
        own = [answer.own(case, answer.main, at) for at in years]
        cells = [case.label, *map(level, own), "" if case is reference else difference(row[-1])]
        cells.append(deviation(seeds, row[-1]))
        if len(header) > len(cells) and reached:
            year = reached.cand_median_year
            cells += [f"{100 * (reached.cand_share or 0.0):.0f} % of runs", "never" if year is None else f"{year:g}"]
        rows.append(cells)
    title = f"{sentence(answer.words.measure(answer.main))}, {unit_of(held[0][0])}: median ({answer.of_levels})"
    return Section(title, not_told(answer), header, rows)


def not_told(answer: Answer) -> list[str]:
    """A sentence where a result has more cases than are told."""
    if len(answer.cases) == answer.count:
        return []
    first = "first " if len(answer.cases) == MOST_CASES else ""
    return [
        f"Of {answer.count} cases the {first}{len(answer.cases)} are told that differ from the first, "
        f"{answer.cases[0].label}, in one thing; runs.csv has the runs of all."
    ]


def steps(answer: Answer) -> Section:
    rows = []
    for step in answer.steps:
        row = step.row
        same = "" if row.share_same_sign is None else f"{100 * row.share_same_sign:.0f} %"
        seeds = answer.seeds_add_to(step)
        rows.append([step.change, where(answer, step).strip(" ()"), difference(row), same, deviation(seeds, row)])
    header = ["step", "where", f"difference in the last year ({answer.of_differences})", "same sign", LUCK]
    return Section(
        f"One thing changed at a time: {answer.words.in_passing(answer.main)}", (), header, rows, frozenset({"where"})
    )


def slices(answer: Answer) -> Section:
    """When and how far each step moves the parts of the main measure."""
    years = [*map(str, OUTCOME_YEARS), "final"]
    rows = []
    for step, name in itertools.product(told_steps(answer), answer.slices):
        held = [answer.against(step.base, step.case, name, at) for at in years]
        since = answer.clear_since(step.base, step.case, name)
        rows.append(
            [
                answer.words.slices(name.split(".")[1:]),
                step.change,
                where(answer, step).strip(" ()"),
                *map(difference, held),
                since or "open",
            ]
        )
    header = ["part", "step", "where", *map(str, OUTCOME_YEARS), answer.last]
    title = f"By part, and when: {answer.words.in_passing(answer.main)} ({answer.of_differences})"
    lines = _told(len(told_steps(answer)), answer.steps) if rows else []
    return Section(title, lines, [*header, "of that sign since"], rows, frozenset({"step", "where"}))


def left_out(answer: Answer) -> Section:
    """What every mechanism is worth to the first steps and to the predictions."""
    steps = told_steps(answer)[:STEPS]
    turned = {"": list[str](), **turning(answer)}
    rows = []
    columns = [(answer, step, "") for step in steps]
    if answer.held:
        columns += [(answer.held, answer.bite(step), ", bite") for step in steps if answer.is_about_controls(step)]
    for switch, claims in turned.items():
        cells = [difference((half.without(step, switch) if switch else step).row) for half, step, _ in columns]
        rows.append([plain(switch, answer) if switch else "nothing", *cells, " ".join(claims)])
    return Section(
        "Which mechanisms it hangs on, each left out in turn",
        [f"In brackets: {answer.of_differences}.", *_told(len(steps), answer.steps)] if answer.left_out else (),
        [
            "left out",
            *(f"{step.change}{where(half, step)}{end}" for half, step, end in columns),
            "predictions that turn",
        ],
        rows if answer.left_out else [],
        frozenset({"predictions that turn"}),
    )


def totals(answer: Answer, outcome: str) -> Section:
    """The total indices of an outcome, by config and difference; factors that are small everywhere are counted."""
    columns = {of: answer.totals(of, outcome) for of in dict.fromkeys(index.config for index in answer.indices)}
    columns = {of: totals for of, totals in columns.items() if totals}
    held = {of: {index.factor: index for index in totals} for of, totals in columns.items()}
    factors = [index.factor for index in next(iter(columns.values()), [])]
    largest = {factor: max(by_factor[factor].value for by_factor in held.values()) for factor in factors}
    shown = [factor for factor in sorted(factors, key=lambda name: -largest[name]) if largest[factor] >= LEAST_INDEX]
    lines = (
        [f"{len(factors) - len(shown)} other factors are below {LEAST_INDEX} everywhere."] if shown != factors else []
    )
    for of in held:
        for index in answer.indices:
            if (index.config, index.outcome, index.factor, index.index) == (of, outcome, SEEDS, "share of variance"):
                told = of_config(of, answer)
                lines.append(f"Of the variance of {told}, {100 * index.value:.1f} % is due to seeds.")
    if any(by_factor[name].value < 0 for by_factor in held.values() for name in shown):
        lines.append("An index below zero stands for none; the sample is too small to tell.")
    rows = [[factor(name, answer), *(with_interval(by_factor[name]) for by_factor in held.values())] for name in shown]
    header = ["factor", *(of_config(of, answer) for of in held)]
    title = f"What decides the {outcome_in_words(outcome, answer)}: total Sobol indices (95 %)"
    return Section(title, lines, header, rows)


def boxes(discovery: Discovery, answer: Answer) -> Section:
    """Where a target is reached."""
    rows = []
    for number, box in enumerate(discovery.boxes, start=1):
        for limit in box.limits:
            rows.append(
                [
                    str(number),
                    factor(limit.factor, answer),
                    str(limit),
                    *(f"{100 * part:.0f} %" for part in (box.coverage, box.density)),
                    str(box.runs),
                ]
            )
    header = ["box", "factor", "limit", "coverage", "density", "runs"]
    target = " and ".join(target_in_words(goal.condition, answer.words) for goal in discovery.goals)
    return Section(f"Where {target}: boxes by PRIM", (), header, rows, frozenset({"limit"}))


def turns(answer: Answer) -> Section:
    rows = [
        [
            turn.step.change,
            turn.other.case.words_of(turn.key),
            difference(turn.step.row),
            difference(turn.other.row),
            difference(turn.row),
        ]
        for turn in answer.turns
    ]
    lines = [f"In brackets: {answer.of_differences}."] if rows and not answer.is_single else ()
    header = ["step", "with", "step before", "step then", "change"]
    return Section("What depends on what", lines, header, rows, frozenset({"with"}))


def measures(answer: Answer) -> Section:
    """Every other measure that was asked for: by case, or of many cases the lowest and the highest."""
    few = len(answer.cases) <= MOST_COLUMNS
    rows = []
    for measure in answer.measures:
        if measure != answer.main:
            held = [answer.own(case, measure) for case in answer.cases]
            name = f"{answer.words.measure(measure)}, {unit_of(held[0])}"
            rows.append([name, *(map(level, held) if few else _lowest_and_highest(answer.cases, held))])
    title = f"Other measures in the last year: median ({answer.of_levels})"
    if few:
        return Section(title, (), ["measure", *(case.label for case in answer.cases)], rows)
    header = ["measure", answer.cases[0].label, "lowest", "with", "highest", "with"]
    return Section(
        title, ["report.csv has every case that is told."] if rows else (), header, rows, frozenset({"with"})
    )


def _lowest_and_highest(cases: Sequence[Case], held: Sequence[Row]) -> list[str]:
    """The reference, and of the cases that have a value the lowest and the highest, each with what it is."""
    known = [(row.cand_q50, place) for place, row in enumerate(held) if row.cand_q50 is not None]
    if not known:
        return [level(held[0]), "", "", "", ""]
    (low, lowest), (high, highest) = min(known), max(known, key=lambda pair: pair[0])
    if low == high:
        return [level(held[0]), level(held[lowest]), "all alike", level(held[highest]), "all alike"]
    return [level(held[0]), level(held[lowest]), cases[lowest].label, level(held[highest]), cases[highest].label]
