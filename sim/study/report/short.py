"""What a result says in short where no author has said it: a paragraph and three numbers, made by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.compare.differences import Row
from sim.compare.pairing import ENDS_DIFFER
from sim.compare.tables import key_of
from sim.compare.words import behind, rounded, told_in
from sim.scenario.values import CAUSED
from sim.study.discovery import Discovery
from sim.study.plot.boxes import target_in_words
from sim.study.plot.words import Words, sentence
from sim.study.report.answer import Answer, Step
from sim.study.report.cases import Case, text_of
from sim.study.report.overturning import factor, of_config, outcome_in_words
from sim.study.report.phrases import between, difference, digits_of, level, scale_of, unit_of
from sim.study.sensitivity import MEDIAN, WHOLE, Index
from sim.study.settled import NOT_SETTLED

Number = tuple[str, str]
LEADING = 3  # factors of a sample
MOST_EFFECTS = 3


def paragraph(answer: Answer) -> str:
    """The answer in a few sentences: where it stands, what moves it most, where it ends up at most and at least."""
    said = [*_of_cases(answer), *_of_samples(answer), *(reached(answer, found) for found in answer.discoveries)]
    return " ".join(said)


def numbers(answer: Answer) -> list[Number]:
    """Three numbers with what is not known of each, as what it is and how much."""
    found = [*_of_levels(answer), *(each for of in _samples(answer) for each in _of_points(answer, of))]
    return found[:3]


def _of_cases(answer: Answer) -> Iterator[str]:
    if not answer.cases:
        return
    first = answer.cases[0]
    yield (
        f"{sentence(answer.words.when('end'))} the {_main(answer)} is {_level(answer, first)} in the case "
        f"“{_whole_name(answer, first)}”, "
        + ("which is one run." if answer.is_single else f"with {answer.of_levels} in brackets.")
    )
    effects = _largest(answer)
    for step in effects[:MOST_EFFECTS]:
        yield from _of_step(answer, step)
    if effects and answer.is_single:
        yield "One run stands behind each number, so that luck may be in it."
    elif answer.sets == 1 and any(step.row.spread != (None, None) and step.row.diff for step in effects):
        yield f"Behind such a change stands its {answer.of_differences}: luck alone."
    if len(answer.cases) > 2:
        low, high = _ends(answer)
        yield (
            f"Of {_count(answer)} it is lowest, {_level(answer, low)}, in “{low.label}”, and highest, "
            f"{_level(answer, high)}, in “{high.label}”."
        )


def _count(answer: Answer) -> str:
    count = len(answer.cases)
    return f"all {count} cases" if count == answer.count else f"the {count} cases that are told"


def _whole_name(answer: Answer, case: Case) -> str:
    """A case with all that is varied, its own name where that is the config alone."""
    varied = [key for key, held in case.keys.items() if any(other.keys[key] != held for other in answer.cases)]
    return ", ".join(map(case.words_of, varied)) or case.label


def _of_step(answer: Answer, step: Step) -> Iterator[str]:
    """What one thing does; of controls both ends, or what they are taken to have caused."""
    if not answer.is_about_controls(step):
        yield f"{sentence(moved(step))} {_does(step.row)}."
    elif answer.held:
        yield (
            f"{sentence(moved(step))} {_does(answer.bite(step).row)} if the controls caused none of "
            f"{_own_push(answer)}, and {_does(step.row)} if they caused all of it; no figure tells which."
        )
    else:
        yield f"{sentence(moved(step))} {_does(step.row)}{_caused(answer, step)}."


def _caused(answer: Answer, step: Step) -> str:
    """How much of the push the controls are taken to have caused, where it is one number."""
    held = step.case.keys.get(CAUSED, answer.manifest.scenarios[_config(step.case)].values.get(CAUSED))
    if CAUSED in answer.result.swept or answer.sets > 1 or not isinstance(held, int | float):
        return f", with as much of {_own_push(answer)} caused by them as each run takes"
    return f", if they caused {100 * held:.0f} % of {_own_push(answer)}, which no figure tells"


def _own_push(answer: Answer) -> str:
    return f"{answer.manifest.world.target_name}'s own push for capacity"


def _config(case: Case) -> str:
    return str(case.keys["config"])


def moved(step: Step) -> str:
    """What is another in a step, such as "subsidy at 200 bn yuan a year instead of 0" or "historic instead of plan"."""
    words = Words([step.case.result])
    before, after = (key_of(text_of(case.keys[step.key])) for case in (step.base, step.case))
    told, instead = words.value(step.key, after), f" instead of {words.value(step.key, before)}"
    if words.pair(step.key, after) == told:
        return told + instead
    return f"{words.key(step.key)} at {told}{words.unit_behind(step.key)}{instead}"


def _does(row: Row) -> str:
    """What a difference does, such as "lowers it by 2.2 points (1.4 to 3.0)"."""
    low, high = row.spread
    if row.diff is None:
        return "does what cannot be told"
    if not row.diff and not low and not high:
        return "changes nothing"
    if (low is None or high is None) and row.n_pairs < 2:
        return f"{'raises' if row.diff > 0 else 'lowers'} it by {difference(row).lstrip('-')}"
    if low is None or high is None:
        why = f"{ENDS_DIFFER}, so that it may be the time alone" if ENDS_DIFFER in row.flags else "no interval is known"
        return f"{'raises' if row.diff > 0 else 'lowers'} it by {difference(row).lstrip('-')} ({why})"
    if low <= 0 <= high:
        number, _, bracket = difference(row).partition(" (")
        return f"changes it by {number}, of either sign" + (f" ({bracket}" if bracket else "")
    scale, unit = told_in(row.unit)
    if (told := difference(row)).startswith("less than"):
        return f"{'raises' if low > 0 else 'lowers'} it by {told}"
    digits = digits_of(row)
    middle = row.diff_q50 if row.diff_q50 is not None else row.diff
    size, *ends = (rounded(abs(scale * held), digits) for held in (middle, *sorted((low, high), key=abs)))
    return f"{'raises' if low > 0 else 'lowers'} it by {size} {unit} ({' to '.join(ends)})"


def _largest(answer: Answer) -> list[Step]:
    """Of every key the step from the first case that changes most, the largest first."""
    found: dict[str, Step] = {}
    for step in answer.steps:
        if step.base is answer.cases[0] and _size(step) >= (_size(found[step.key]) if step.key in found else 0):
            found[step.key] = step
    return sorted(found.values(), key=_size, reverse=True)


def _size(step: Step) -> float:
    return abs(step.row.diff or 0.0)


def _ends(answer: Answer) -> tuple[Case, Case]:
    """The cases in which the main measure is lowest and highest in the last year."""
    held = [(answer.own(case, answer.main).cand_q50, case) for case in answer.cases]
    known = [(middle, case) for middle, case in held if middle is not None] or [(0.0, answer.cases[0])]
    return min(known, key=lambda pair: pair[0])[1], max(known, key=lambda pair: pair[0])[1]


def _of_levels(answer: Answer) -> Iterator[Number]:
    """Where the first case stands, and what moves it most: first controls, of which both ends are told."""
    if not answer.cases:
        return
    first = answer.cases[0]
    yield f"{sentence(_main(answer))} {answer.words.when('end')}: {_whole_name(answer, first)}", _level(answer, first)
    for step in sorted(_largest(answer)[:MOST_EFFECTS], key=lambda step: not answer.is_about_controls(step)):
        what, own = f"Its change with {moved(step)}", f"{answer.manifest.world.target_name}'s push"
        if answer.held and answer.is_about_controls(step):
            yield f"{what}, if the controls caused none of {own}", difference(answer.bite(step).row)
            what += ", if they caused all of it"
        yield what, difference(step.row)
    for word, case in zip(("lowest", "highest"), _ends(answer), strict=True):
        if case is not first:
            yield f"The {word}: {case.label}", _level(answer, case)


def _level(answer: Answer, case: Case) -> str:
    """A case's own value with its unit, such as "27.4 % (26.4 to 28.1)"."""
    row = answer.own(case, answer.main)
    return _with_unit(level(row) or "unknown", unit_of(row))


def _with_unit(numbers: str, unit: str) -> str:
    """A unit behind the number and before its brackets."""
    number, bracket, rest = numbers.partition(" (")
    return f"{number} {behind(unit)}{bracket}{rest}"


def _main(answer: Answer) -> str:
    return answer.words.in_passing(answer.main)


# Samples.


def _samples(answer: Answer) -> Sequence[str]:
    """Of what indices are told of: the first config, and the first difference between two."""
    found = list(dict.fromkeys(index.config for index in answer.indices))
    return [*found[:1], *[of for of in found[1:] if of not in answer.result.configs][:1]]


def _of_samples(answer: Answer) -> Iterator[str]:
    """Where the points lie and what decides, of a config and of a difference."""
    for of in _samples(answer):
        yield from _of_sample(answer, of)
    if left := len({index.config for index in answer.indices}) - len(_samples(answer)):
        yield f"The tables have {left} more of this kind."


def _of_sample(answer: Answer, of: str) -> Iterator[str]:
    """Where the sampled points lie, and which factors decide."""
    outcome = f"{answer.main}@end"
    first = answer.totals(of, outcome)[:LEADING]
    middle = [each for each in answer.indices if (each.config, each.outcome, each.index) == (of, outcome, MEDIAN)]
    if not first or not middle:
        return
    scale, unit = scale_of(answer, outcome)
    unit = "%" if unit == "points" and of in answer.result.configs else unit
    told = ", ".join(
        f"{factor(index.factor, answer)} ({_part(index)}{' of the variance, alone and with others' * (place == 0)})"
        for place, index in enumerate(first)
    )
    yield (
        f"Over the sampled points of {of_config(of, answer)} the {outcome_in_words(outcome, answer)} is "
        f"{_with_unit(between(middle[0], scale), unit)}, with 5 to 95 % of the points in brackets. "
        f"What decides it most: {told}."
    )
    held = (each for each in answer.indices if (each.config, each.outcome, each.factor) == (of, outcome, WHOLE))
    if any(each.flags.startswith(NOT_SETTLED) for each in held):
        yield "The sample is too small to tell these parts well; the tables say how large it had to be."


def _part(index: Index) -> str:
    """An index in per cent, rounded to what its interval leaves."""
    return f"{between(index, 100.0).partition(' (')[0]} %"


def _of_points(answer: Answer, of: str) -> Iterator[Number]:
    """Where the points of a sample lie, and the part of their variance that goes with the first factor."""
    outcome = f"{answer.main}@end"
    scale, unit = scale_of(answer, outcome)
    unit = "%" if unit == "points" and of in answer.result.configs else unit
    what = f"{sentence(outcome_in_words(outcome, answer))}: sampled points of {of_config(of, answer)}"
    for each in answer.indices:
        if (each.config, each.outcome, each.index) == (of, outcome, MEDIAN):
            yield what, _with_unit(between(each, scale), unit)
    for first in answer.totals(of, outcome)[:1]:
        what = f"Part of the variance of {of_config(of, answer)} that goes with: {factor(first.factor, answer)}"
        yield what, _with_unit(between(first, 100.0), "%")


def reached(answer: Answer, found: Discovery) -> str:
    """In how many runs of a sample a target is reached, and which factor the first box holds to most."""
    target = " and ".join(target_in_words(goal.condition, answer.words) for goal in found.goals)
    said = f"{target} in {found.reached} of {found.runs} sampled runs"
    if not found.boxes:
        return f"{said}."
    box = found.boxes[0]
    limits = " and ".join(f"{factor(limit.factor, answer)} is {limit}" for limit in box.limits)
    return f"{said}; where {limits}, in {100 * box.density:.0f} of 100."
