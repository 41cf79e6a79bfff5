"""An answer in sentences: what was found, what would overturn it, what is uncertain, how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sim.compare import push
from sim.compare.differences import Row
from sim.compare.enough import of_difference
from sim.compare.words import counted, decimals_of, rounded
from sim.scenario.values import CAUSED
from sim.study.report.answer import DID_NOT, OPEN, Answer, Step, Verdict
from sim.study.report.cases import designs
from sim.study.report.ends import near_ends
from sim.study.report.overturning import factor, of_config, outcome_in_words, plain, with_words
from sim.study.report.phrases import (
    between,
    difference,
    level,
    scale_of,
    unit_of,
    where,
    with_interval,
)
from sim.study.report.short import reached
from sim.study.sensitivity import MEDIAN, WHOLE

WEAK = 0.3  # a rank correlation below it is not told
TOLD = 8  # steps in words
LEADING = 3  # factors in words
RULES = "The model's rules are the same in every set: what they leave out, no spread shows."


def opening(answer: Answer) -> str:
    """The answer as one paragraph: the first step, by part and by mechanism; samples; what was not as predicted."""
    said = [
        _first_step(answer),
        of_push(answer),
        _of_slices(answer),
        _of_left_out(answer),
        *_of_indices(answer),
        *_of_ends(answer),
    ]
    said += [reached(answer, discovery) for discovery in answer.discoveries]
    for word, start in ((DID_NOT, "Not as predicted"), (OPEN, "Open, as it depends on the parameter set")):
        if claims := [verdict.claim.says for verdict in answer.verdicts if verdict.word == word]:
            said.append(f"{start}: {' '.join(claims)}")
    if answer.verdicts and not any(verdict.word in (DID_NOT, OPEN) for verdict in answer.verdicts):
        said.append("What was predicted came out.")
    return " ".join(sentence for sentence in said if sentence)


def _first_step(answer: Answer) -> str:
    if not answer.steps:
        return ""
    step, row = answer.steps[0], answer.steps[0].row
    of = "in one run of each" if answer.is_single else f"with {answer.of_levels} in brackets"
    if answer.sets == 1 and not answer.is_single:
        of += f", and behind the difference its {answer.of_differences}"
    before = answer.own(step.base, answer.main)
    return (
        f"The {outcome_in_words(f'{answer.main}@end', answer)}, in {unit_of(row)}, is "
        f"{level(before)} with {step.base.label} and {level(row)} with {step.case.label}: a difference of "
        f"{difference(row)}, {of}."
    )


def of_push(answer: Answer) -> str:
    """What the first step about controls does with the push of the target held, and with it answering."""
    if not answer.of_controls:
        return ""
    step = answer.of_controls[0]
    if not answer.held:
        return f"{push.not_apart(answer.result)}."
    bite, change, total = map(difference, answer.apart(step, answer.main))
    start = "This is the total"
    if step is not answer.steps[0]:
        start = f"What {step.change}{where(answer, step)} does to it is {total} in total"
    return (
        f"{start}, with {answer.manifest.world.target_name}'s push answering what is denied; with the push held, the "
        f"bite is {bite}, and the answer, total less bite, is {change}."
    )


def findings(answer: Answer) -> list[str]:
    """One sentence a step, and how steps depend on each other."""
    said = [f"In brackets: {answer.of_differences}."] if answer.steps and not answer.is_single else []
    for step in told_steps(answer):
        what = f"{step.change}{where(answer, step)}: {outcome_in_words(f'{answer.main}@end', answer)}"
        text = f"{what} differs by {difference(step.row)}"
        if step.base is answer.cases[0] and (since := answer.clear_since(step.base, step.case, answer.main)):
            text += f", of that sign in every year from {since} on"
        if answer.held and answer.is_about_controls(step):
            text += f"; with the push held by {difference(answer.bite(step).row)}"
        said.append(f"{text}.")
    for turn in islice(answer.turns, 4):
        said.append(
            f"{turn.step.change}: with {turn.other.case.words_of(turn.key)}, and not "
            f"{turn.step.case.words_of(turn.key)}, this differs by {difference(turn.row)}."
        )
    return said


def _of_slices(answer: Answer) -> str:
    """In which slice of the main measure the first step is largest, and in which it shows first."""
    if not answer.slices or not answer.steps:
        return ""
    step = answer.steps[0]
    rows = {name: answer.against(step.base, step.case, name) for name in answer.slices}
    most = max(rows, key=lambda name: abs(rows[name].diff or 0.0))
    years = {name: answer.clear_since(step.base, step.case, name) for name in answer.slices}
    segments = answer.manifest.world.segments
    recorded = sum(f"{answer.main}.{segment}" in rows for segment in segments)
    parts = "the parts" if recorded == len(segments) else f"the {recorded} of {len(segments)} segments recorded"
    told = f"Of {parts}, {answer.words.of_slices(most)} changes most, by {difference(rows[most])}"
    if clear := {name: year for name, year in years.items() if year}:
        first = min(clear.values())
        names = " and ".join(answer.words.of_slices(name) for name, year in clear.items() if year == first)
        told += f"; the first to differ for good is {names}, from {first} on"
    return f"{told}."


def _of_left_out(answer: Answer) -> str:
    """Which mechanism the first step hangs on most."""
    if not answer.left_out or not answer.steps:
        return ""
    step = answer.steps[0]
    changes = {switch: answer.change(step, answer.without(step, switch)) for switch in answer.left_out}
    most = max(changes, key=lambda switch: abs(changes[switch].diff or 0.0))
    kept = [switch for switch in answer.left_out if _has_sign_of(step.row, answer.without(step, switch).row)]
    if len(changes) == 1:
        sign = "the sign stays" if kept else "the sign does not stay"
        return f"Without {plain(most, answer)} it changes by {difference(changes[most])}; {sign}."
    signs = "the sign stays in each" if len(kept) == len(changes) else f"the sign stays in {len(kept)} of them"
    return (
        f"Of {len(changes)} mechanisms left out in turn, {plain(most, answer)} matters most to it (it changes by "
        f"{difference(changes[most])}); {signs}."
    )


def _has_sign_of(row: Row, other: Row) -> bool:
    """Whether the bulk of two rows lies on one side of zero."""
    ends = [*row.spread, *other.spread]
    return all(end is not None and end > 0 for end in ends) or all(end is not None and end < 0 for end in ends)


def _of_indices(answer: Answer) -> list[str]:
    """What decides the main measure of the last year: by config, and by difference to the baseline."""
    said = []
    outcome = f"{answer.main}@end"
    for of in dict.fromkeys(index.config for index in answer.indices):
        first = answer.totals(of, outcome)[:LEADING]
        middle = [i for i in answer.indices if (i.config, i.outcome, i.index) == (of, outcome, MEDIAN)]
        if first and middle:
            scale, unit = scale_of(answer, outcome)
            unit = "%" if unit == "points" and of in answer.result.configs else unit
            told = ", ".join(f"{factor(index.factor, answer)} {with_interval(index)}" for index in first)
            said.append(
                f"Over the sampled points the {outcome_in_words(outcome, answer)} of {of_config(of, answer)} is "
                f"{between(middle[0], scale)} {unit}; the largest total Sobol indices are {told}."
            )
    return said


def _of_ends(answer: Answer) -> list[str]:
    """What controls do near both ends of the push, where that is a factor of a sample."""
    said = []
    outcome = f"{answer.main}@end"
    for of, *ends in near_ends(answer.batch, outcome) if answer.indices else ():
        scale, unit = scale_of(answer, outcome)
        numbers = [[scale * held for held in points] for points in ends]
        digits = decimals_of([numbers[0][1]], min(high - low for low, _, high in numbers))
        held, answering = (
            f"{rounded(middle, digits)} ({rounded(low, digits)} to {rounded(high, digits)})"
            for low, middle, high in numbers
        )
        said.append(
            f"Near the bite ({plain(CAUSED, answer)} in the lowest tenth of its range) {of_config(of, answer)} is "
            f"{held} {unit}, near the total (in the highest) {answering} {unit}."
        )
    return said


def told_steps(answer: Answer) -> Sequence[Step]:
    """The steps that are told in words: all where they are few, else those from the first case."""
    return [s for s in answer.steps if len(answer.steps) <= TOLD or s.base is answer.cases[0]]


def overturning(answer: Answer) -> list[str]:
    """Where the sign of a step turns, and which parameters it follows."""
    said = []
    for step in told_steps(answer)[:TOLD]:
        row = step.row
        if row.share_same_sign is None:
            continue
        name = f"{step.change}{where(answer, step)}"
        if row.share_same_sign == 1.0:
            text = f"{name}: the sign is the same in every one of {row.n_sets} parameter sets"
        else:
            others = round((1.0 - row.share_same_sign) * row.n_sets)
            text = f"{name}: the sign is another, or there is no difference, in {others} of {row.n_sets} sets"
        strong = [(key, rank) for key, rank in answer.drivers(step)[:3] if abs(rank) >= WEAK]
        if strong:
            told = ", ".join(f"{factor(key, answer)} ({rank:+.2f})" for key, rank in strong)
            said.append(f"{text}; the difference goes with {told} (rank correlation over the sets).")
        else:
            said.append(f"{text}; it follows no single calibrated parameter.")
    turns = [turn for turn in answer.turns if turn.row.diff is not None]
    if turns:
        most = max(turns, key=lambda turn: abs(turn.row.diff or 0.0))
        said.append(
            f"Of what else was varied, {most.other.case.words_of(most.key)} changes {most.step.change} most, "
            f"by {difference(most.row)}, of {difference(most.step.row)}."
        )
    for of in dict.fromkeys(index.config for index in answer.indices):
        ranked = answer.totals(of, f"{answer.main}@end")
        near = [index.factor for index in ranked[1:] if (index.high or 0.0) > (ranked[0].low or 0.0)]
        if near:
            names = "; ".join(factor(name, answer) for name in (ranked[0].factor, *near))
            said.append(f"{of_config(of, answer)}: which of these decides most is open: {names}.")
    for switch, turned in turning(answer).items():
        if turned:
            said.append(f"Without {plain(switch, answer)}: {' '.join(turned)}")
    return said


def turning(answer: Answer) -> dict[str, list[str]]:
    """The predictions that come out otherwise with a switch off, and how, by switch."""
    turned: dict[str, list[str]] = {}
    for switch in answer.left_out:
        turned[switch] = []
        for verdict in answer.verdicts:
            if isinstance(verdict, Verdict) and not answer.is_about_switches(verdict.claim):
                then = answer.verdict(verdict.claim, switch)
                if then.word != verdict.word:
                    turned[switch].append(f"{verdict.claim.says} ({then.word})")
    return turned


def uncertain(answer: Answer) -> list[str]:
    """What the numbers above leave open, in this result."""
    said = []
    if answer.indices and not answer.cases:
        said.append(
            "The points fill the ranges evenly and independently: combinations that the observed figures rule out "
            "are among them, and a wider range makes a larger index."
        )
    elif answer.sets > 1:
        said.append(
            f"The spread is over the {answer.sets} parameter sets of {answer.manifest.world.name}, which were fitted "
            "to observed figures with its tables as they were then. What they do not vary has its own value in all, "
            "so it is not the whole of what is unknown."
        )
    else:
        said.append(
            "One run of each case: no number has an interval, and a difference may be luck."
            if answer.is_single
            else "One parameter set: the intervals are over seeds alone and say nothing about the parameters."
        )
    if answer.held:
        said.append("Where the push is not said to be held, it answers.")
    seeds = len(answer.manifest.seeds)
    if answer.is_single:
        return [*said, RULES]
    if seeds == 1:
        said.append("One paired seed for each set: the spread over sets holds what a seed adds.")
    else:
        said.append(f"{seeds} paired seeds for each set; the tables say what a seed adds.")
        main = f"the {outcome_in_words(f'{answer.main}@end', answer)}"
        said += filter(None, [of_difference(step.row, measure=main) for step in answer.steps[:1]])
    whole = [index for index in answer.indices if index.factor == WHOLE]
    said += [with_words(f"{index.config}, {index.outcome}: {index.flags}.", answer) for index in whole]
    flags = dict.fromkeys(flag for step in answer.steps for flag in step.row.flags.split("; ") if flag)
    said += [f"{flag[:1].upper()}{flag[1:]}." for flag in flags]
    return [*said, RULES]


def _of_what(answer: Answer) -> str:
    if not answer.count:
        return f"points of a sample with {counted(len(answer.experiment.configs), 'config')}"
    each = ", each with the push held and answering" if answer.held else ""
    return f"{counted(answer.count * (1 + len(answer.left_out)), 'case')}{each}"


def design(answer: Answer) -> list[str]:
    """What was run, by hashes that change only if the question, a config, a table or the parameter sets do."""
    manifest, experiment = answer.manifest, answer.experiment
    told = [
        f"{counted(len(answer.result.done), 'run')}: {_of_what(answer)}, "
        f"{counted(answer.sets, 'parameter set')}, seeds {', '.join(map(str, manifest.seeds))}; design "
        f"{', '.join(f'{kind} ({name})' if name else kind for name, kind in designs(experiment).items())}.",
        *(f"Config {name}: {scenario.hash[:16]}." for name, scenario in manifest.scenarios.items()),
        *(f"World {world.name}: {world.hash[:16]}." for world in manifest.worlds.values()),
    ]
    varied = {step.key for step in answer.steps}
    if varied:
        first = ", ".join(answer.cases[0].words_of(key) for key in answer.cases[0].keys if key in varied)
        told.insert(1, f"What a case does not name is as in the first: {first}.")
    if given := experiment.parameters:
        told.append(f"Parameter sets: {given.hash[:16]}.")
    return told
