"""The tables of an answer."""

from __future__ import annotations

import itertools
import math

from sim.calendar import OUTCOME_YEARS
from sim.compare.push import MEANING
from sim.compare.words import decimals_of, rounded, two_digits
from sim.measures import SHARE
from sim.results.page import Section
from sim.study.discovery import Discovery
from sim.study.report.answer import Answer, RankVerdict
from sim.study.report.cases import text_of
from sim.study.report.phrases import difference, level, scaled, slice_name, switch_name, unit_of, where, with_interval
from sim.study.report.words import told_steps, turning
from sim.study.sensitivity import SEEDS

APART = ("bite", "answer", "total")
STEPS_APART = 4
STEPS = 3  # of the table by mechanism
LEAST_INDEX = 0.05


def verdicts(answer: Answer) -> Section:
    rows = []
    for verdict in answer.verdicts:
        if isinstance(verdict, RankVerdict):
            named, other = (f"{index.factor} {with_interval(index)}" for index in (verdict.named, verdict.other))
            rows.append([verdict.claim.says, f"largest total index, {verdict.claim.of}", named, other, verdict.word])
            continue
        unit = answer.manifest.columns[verdict.claim.measure].unit
        scale, unit = (100.0, "points") if unit == SHARE else (1.0, unit)
        low, middle, high = (scale * held for held in verdict.points)
        digits = decimals_of([middle], high - low)
        ends = (("from", scale * verdict.claim.low), ("to", scale * verdict.claim.high))
        asked = " ".join(f"{word} {end:g}" for word, end in ends if math.isfinite(end)) + f" {unit}"
        numbers = [rounded(number, digits) for number in (middle, low, high)]
        seen = f"{numbers[0]} ({numbers[1]} to {numbers[2]})"
        rows.append([verdict.claim.says, asked, seen, f"{100 * verdict.share:.0f} %", verdict.word])
    ranked = all(isinstance(verdict, RankVerdict) for verdict in answer.verdicts)
    return Section(
        "The prediction against the results",
        (),
        ["predicted", "that is", "found (5 to 95 %)", "largest other" if ranked else "sets that meet it", "verdict"],
        rows,
        frozenset({"verdict", "that is"}),
    )


def apart(answer: Answer) -> Section:
    """What the steps about controls do to the main measure: bite, answer and total by year."""
    years = [*map(str, OUTCOME_YEARS), "final"]
    rows = []
    for step, at in itertools.product(answer.of_controls[:STEPS_APART], years):
        cells = map(difference, answer.apart(step, answer.main, at))
        year = str(answer.manifest.horizon.last) if at == "final" else at
        rows.append([step.change, where(answer, step).strip(" ()"), year, *cells])
    title = f"Bite, answer and total of the controls: {answer.main.replace('_', ' ')} (5 to 95 %)"
    return Section(title, [MEANING], ["step", "where", "year", *APART], rows, frozenset({"step", "where"}))


def others_apart(answer: Answer) -> Section:
    """The same of the other measures in the last year, for the first such step."""
    step = answer.of_controls[0]
    rows = []
    for measure in answer.measures:
        if measure != answer.main:
            rows.append([measure, *map(difference, answer.apart(step, measure))])
    title = f"Bite, answer and total of other measures in the last year: {step.change}{where(answer, step)}"
    return Section(title, (), ["measure", *APART], rows, frozenset({"measure"}))


def over_years(answer: Answer) -> Section:
    reference = answer.cases[0]
    years = [*map(str, OUTCOME_YEARS), "final"]
    held = [[answer.against(reference, case, answer.main, at) for at in years] for case in answer.cases]
    last = answer.manifest.horizon.last
    header = ["case", *map(str, OUTCOME_YEARS), str(last), f"{last} less {reference.label}", "one seed's deviation"]
    reaching = [answer.reaching(case) for case in answer.cases]
    goal = answer.manifest.world.goal
    if goal and any(row and row.cand_share for row in reaching):
        header += [f"reach {100 * goal.share:.0f} %", "median year"]
    rows = []
    for case, row, reached in zip(answer.cases, held, reaching, strict=True):
        seeds = answer.seeds_add(case, answer.main)
        scale, _ = scaled(row[-1])
        cells = [case.label, *map(level, row), "" if case is reference else difference(row[-1])]
        cells.append("" if seeds is None else two_digits(scale * seeds) if seeds else "0")
        if len(header) > len(cells) and reached:
            year = reached.cand_median_year
            cells += [f"{100 * (reached.cand_share or 0.0):.0f} % of runs", "never" if year is None else f"{year:g}"]
        rows.append(cells)
    title = f"{answer.main.replace('_', ' ')}, {unit_of(held[0][0])}: median (5 to 95 %)"
    return Section(f"{title[:1].upper()}{title[1:]}", (), header, rows)


def steps(answer: Answer) -> Section:
    rows = []
    for step in answer.steps:
        row = step.row
        same = "" if row.share_same_sign is None else f"{100 * row.share_same_sign:.0f} %"
        seeds = answer.seeds_add_to(step)
        luck = "" if seeds is None else two_digits(scaled(row)[0] * seeds) if seeds else "0"
        rows.append([step.change, where(answer, step).strip(" ()"), difference(row), same, luck])
    header = ["step", "where", "difference in the last year (5 to 95 %)", "same sign", "one seed's deviation"]
    return Section(
        f"One thing changed at a time: {answer.main.replace('_', ' ')}", (), header, rows, frozenset({"where"})
    )


def slices(answer: Answer) -> Section:
    """When and how far each step moves the parts of the main measure."""
    years = [*map(str, OUTCOME_YEARS), "final"]
    rows = []
    for step, name in itertools.product(told_steps(answer), answer.slices):
        held = [answer.against(step.base, step.case, name, at) for at in years]
        since = answer.clear_since(step.base, step.case, name)
        rows.append(
            [slice_name(name), step.change, where(answer, step).strip(" ()"), *map(difference, held), since or "open"]
        )
    header = ["part", "step", "where", *map(str, OUTCOME_YEARS), str(answer.manifest.horizon.last)]
    title = f"By part, and when: {answer.main.replace('_', ' ')} (5 to 95 %)"
    return Section(title, (), [*header, "of that sign since"], rows, frozenset({"step", "where"}))


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
        rows.append([switch_name(switch) or "nothing", *cells, " ".join(claims)])
    return Section(
        "Which mechanisms it hangs on, each left out in turn",
        (),
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
                lines.append(f"Of the variance of {of}, {100 * index.value:.1f} % is due to seeds.")
    rows = [[factor, *(with_interval(by_factor[factor]) for by_factor in held.values())] for factor in shown]
    return Section(f"What decides {outcome}: total Sobol indices (95 %)", lines, ["factor", *held], rows)


def boxes(discovery: Discovery) -> Section:
    """Where a target is reached."""
    rows = []
    for number, box in enumerate(discovery.boxes, start=1):
        for limit in box.limits:
            rows.append(
                [str(number), limit.factor, str(limit), f"{box.coverage:.0%}", f"{box.density:.0%}", str(box.runs)]
            )
    header = ["box", "factor", "limit", "coverage", "density", "runs"]
    return Section(f"Where {discovery.target} is reached: boxes by PRIM", (), header, rows, frozenset({"limit"}))


def turns(answer: Answer) -> Section:
    rows = [
        [
            turn.step.change,
            f"{turn.key} = {text_of(turn.other.case.keys[turn.key])}",
            difference(turn.step.row),
            difference(turn.other.row),
            difference(turn.row),
        ]
        for turn in answer.turns
    ]
    return Section(
        "What depends on what", (), ["step", "with", "step before", "step then", "change"], rows, frozenset({"with"})
    )


def measures(answer: Answer) -> Section:
    """Every other measure that was asked for, by case."""
    reference = answer.cases[0]
    rows = []
    for measure in answer.measures:
        if measure != answer.main:
            held = [answer.against(reference, case, measure) for case in answer.cases]
            rows.append([f"{measure}, {unit_of(held[0])}", *map(level, held)])
    header = ["measure", *(case.label for case in answer.cases)]
    return Section("Other measures in the last year: median (5 to 95 %)", (), header, rows)
