"""A study in sentences: what was found, what would overturn it, what is uncertain, how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sim.compare.differences import Row
from sim.study.report.cases import designs, text_of
from sim.study.report.phrases import (
    between,
    difference,
    level,
    scale_of,
    slice_name,
    switch_name,
    unit_of,
    where,
    with_interval,
)
from sim.study.report.study import DID_NOT, OPEN, Step, Study, Verdict
from sim.study.sensitivity import MEDIAN

WEAK = 0.3  # a rank correlation below it is not told
TOLD = 8  # steps in words
LEADING = 3  # factors in words


def opening(study: Study) -> str:
    """The answer as one paragraph: the first step, by part and by mechanism; samples; what was not as predicted."""
    said = [_first_step(study), _of_slices(study), _of_left_out(study), *_of_indices(study)]
    said += [discovery.sentence() for discovery in study.discoveries]
    for word, start in ((DID_NOT, "Not as predicted"), (OPEN, "Open, as it depends on the parameter set")):
        if claims := [verdict.claim.says for verdict in study.verdicts if verdict.word == word]:
            said.append(f"{start}: {' '.join(claims)}")
    if study.verdicts and not any(verdict.word in (DID_NOT, OPEN) for verdict in study.verdicts):
        said.append("What was predicted came out.")
    return " ".join(sentence for sentence in said if sentence)


def _first_step(study: Study) -> str:
    if not study.steps:
        return ""
    step, row = study.steps[0], study.steps[0].row
    of = f"90 % of {study.sets} parameter sets" if study.sets > 1 else "95 % interval over seeds"
    before = study.against(step.base, step.base, study.main)
    return (
        f"The {study.main.replace('_', ' ')} of {study.manifest['horizon']['last']}, in {unit_of(row)}, is "
        f"{level(before)} with {step.base.label} and {level(row)} with {step.case.label}: a difference of "
        f"{difference(row)}, with {of} in brackets."
    )


def findings(study: Study) -> list[str]:
    """One sentence a step, and how steps depend on each other."""
    said = []
    last = study.manifest["horizon"]["last"]
    of = f"90 % of {study.sets} parameter sets" if study.sets > 1 else "95 % interval over seeds"
    for step in told_steps(study):
        what = f"{step.change}{where(study, step)}: {study.main.replace('_', ' ')} of {last}"
        text = f"{what} differs by {difference(step.row)}, {of}"
        if step.base is study.cases[0] and (since := study.clear_since(step.base, step.case, study.main)):
            text += f", of that sign in every year from {since} on"
        said.append(f"{text}.")
    for turn in islice(study.turns, 4):
        said.append(
            f"{turn.step.change}: where {turn.key} is {text_of(turn.other.case.keys[turn.key])} and not "
            f"{text_of(turn.step.case.keys[turn.key])}, this differs by {difference(turn.row)}."
        )
    return said


def _of_slices(study: Study) -> str:
    """In which slice of the main measure the first step is largest, and in which it shows first."""
    if not study.slices or not study.steps:
        return ""
    step = study.steps[0]
    rows = {name: study.against(step.base, step.case, name) for name in study.slices}
    most = max(rows, key=lambda name: abs(rows[name].diff or 0.0))
    years = {name: study.clear_since(step.base, step.case, name) for name in study.slices}
    told = f"Of the parts, {slice_name(most)} changes most, by {difference(rows[most])}"
    if clear := {name: year for name, year in years.items() if year}:
        first = min(clear.values())
        names = " and ".join(slice_name(name) for name, year in clear.items() if year == first)
        told += f"; the first to differ for good is {names}, from {first} on"
    return f"{told}."


def _of_left_out(study: Study) -> str:
    """Which mechanism the first step hangs on most."""
    if not study.left_out or not study.steps:
        return ""
    step = study.steps[0]
    changes = {switch: study.change(step, study.without(step, switch)) for switch in study.left_out}
    most = max(changes, key=lambda switch: abs(changes[switch].diff or 0.0))
    kept = [switch for switch in study.left_out if _has_sign_of(step.row, study.without(step, switch).row)]
    signs = "the sign stays in each" if len(kept) == len(changes) else f"the sign stays in {len(kept)} of them"
    return (
        f"Of {len(changes)} mechanisms left out in turn, {switch_name(most)} matters most to it (it changes by "
        f"{difference(changes[most])}); {signs}."
    )


def _has_sign_of(row: Row, other: Row) -> bool:
    """Whether the bulk of two rows lies on one side of zero."""
    ends = [*row.spread, *other.spread]
    return all(end is not None and end > 0 for end in ends) or all(end is not None and end < 0 for end in ends)


def _of_indices(study: Study) -> list[str]:
    """What decides the main measure of the last year: by config, and by difference to the baseline."""
    said = []
    outcome = f"{study.main}@end"
    for of in dict.fromkeys(index.config for index in study.indices):
        first = study.totals(of, outcome)[:LEADING]
        middle = [i for i in study.indices if (i.config, i.outcome, i.index) == (of, outcome, MEDIAN)]
        if first and middle:
            scale, unit = scale_of(study, outcome)
            unit = "%" if unit == "points" and of in study.result.configs else unit
            told = ", ".join(f"{index.factor} {with_interval(index)}" for index in first)
            said.append(
                f"Over the sampled points the {study.main.replace('_', ' ')} of {study.manifest['horizon']['last']} of "
                f"{of} is {between(middle[0], scale)} {unit}; the largest total Sobol indices are {told}."
            )
    return said


def told_steps(study: Study) -> Sequence[Step]:
    """The steps that are told in words: all where they are few, else those of the first key that is varied."""
    return [s for s in study.steps if len(study.steps) <= TOLD or s.key == study.steps[0].key]


def overturning(study: Study) -> list[str]:
    """Where the sign of a step turns, and which parameters it follows."""
    said = []
    for step in told_steps(study)[:TOLD]:
        row = step.row
        if row.share_same_sign is None:
            continue
        name = f"{step.change}{where(study, step)}"
        if row.share_same_sign == 1.0:
            text = f"{name}: the sign is the same in every one of {row.n_sets} parameter sets"
        else:
            others = round((1.0 - row.share_same_sign) * row.n_sets)
            text = f"{name}: the sign is another, or there is no difference, in {others} of {row.n_sets} sets"
        strong = [(key, rank) for key, rank in study.drivers(step)[:3] if abs(rank) >= WEAK]
        if strong:
            told = ", ".join(f"{key} ({rank:+.2f})" for key, rank in strong)
            said.append(f"{text}; the difference goes with {told} (rank correlation over the sets).")
        else:
            said.append(f"{text}; it follows no single calibrated parameter.")
    turns = [turn for turn in study.turns if turn.row.diff is not None]
    if turns:
        most = max(turns, key=lambda turn: abs(turn.row.diff or 0.0))
        other = f"{most.key} = {text_of(most.other.case.keys[most.key])}"
        said.append(
            f"Of what else was varied, {other} changes {most.step.change} most, "
            f"by {difference(most.row)}, of {difference(most.step.row)}."
        )
    for of in dict.fromkeys(index.config for index in study.indices):
        ranked = study.totals(of, f"{study.main}@end")
        near = [index.factor for index in ranked[1:] if (index.high or 0.0) > (ranked[0].low or 0.0)]
        if near:
            said.append(f"{of}: whether {ranked[0].factor} decides most is open against {', '.join(near)}.")
    for switch, turned in turning(study).items():
        if turned:
            said.append(f"Without {switch_name(switch)}: {' '.join(turned)}")
    return said


def turning(study: Study) -> dict[str, list[str]]:
    """The predictions that come out otherwise with a switch off, and how, by switch."""
    found: dict[str, list[str]] = {}
    for switch in study.left_out:
        found[switch] = []
        for verdict in study.verdicts:
            if isinstance(verdict, Verdict) and not study.is_about_switches(verdict.claim):
                then = study.verdict(verdict.claim, switch)
                if then.word != verdict.word:
                    found[switch].append(f"{verdict.claim.says} ({then.word})")
    return found


def uncertain(study: Study) -> list[str]:
    """What the numbers above leave open, in this result."""
    said = []
    if study.indices and not study.cases:
        said.append(
            "The points fill the ranges evenly and independently: combinations that the figures up to 2022 rule out "
            "are among them, and a wider range makes a larger index."
        )
    elif study.sets > 1:
        said.append(
            f"The spread is over {study.sets} parameter sets that meet the figures up to 2022; what is not fitted "
            "is at its own value in all of them, so it is not the whole of what is unknown."
        )
    else:
        said.append("One parameter set: the intervals are over seeds alone and say nothing about the parameters.")
    if len(study.cases) < study.count:
        said.append(
            f"Of {study.count} cases the {len(study.cases)} are told that differ from the first in one thing; runs.csv "
            "and decoupling study sensitivity have the others."
        )
    seeds = len(study.manifest["seeds"])
    said.append(f"{seeds} paired {'seed' if seeds == 1 else 'seeds'} for each set; the tables say what a seed adds.")
    flags = dict.fromkeys(flag for step in study.steps for flag in step.row.flags.split("; ") if flag)
    said += [f"{flag[:1].upper()}{flag[1:]}." for flag in flags]
    said.append("The model's rules are the same in every set: what they leave out, no spread shows.")
    return said


def design(study: Study) -> list[str]:
    """What was run, by hashes that change only if the question, a config, a table or the parameter sets do."""
    manifest, experiment = study.manifest, study.manifest["experiment"]
    told = [
        f"{len(study.result.done)} runs: {study.count * (1 + len(study.left_out))} cases, {study.sets} parameter "
        f"{'set' if study.sets == 1 else 'sets'}, seeds {', '.join(map(str, manifest['seeds']))}; design "
        f"{', '.join(f'{kind} ({name})' if name else kind for name, kind in designs(experiment).items())}.",
        *(f"Config {name}: {scenario['hash'][:16]}." for name, scenario in manifest["scenarios"].items()),
        f"World {manifest['world']['name']}: {manifest['world']['hash'][:16]}.",
    ]
    varied = {step.key for step in study.steps}
    if varied:
        first = ", ".join(f"{key} = {text_of(held)}" for key, held in study.cases[0].keys.items() if key in varied)
        told.insert(1, f"What a case does not name is as in the first: {first}.")
    if given := experiment.get("parameters"):
        told.append(f"Parameter sets: {given['hash'][:16]}.")
    return told
