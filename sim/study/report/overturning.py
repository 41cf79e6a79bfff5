"""What would overturn an answer: its headline where each unknown is low or high, and without mechanisms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.experiment.answer import Value, Words
from sim.scenario.labels import LABELS
from sim.scenario.values import CAUSED
from sim.study.report.answer import FEWEST_SETS, Answer
from sim.study.report.readings import Reading, is_apart
from sim.study.report.values import Number, by_set, number
from sim.world.everyday import everyday
from sim.world.world import in_passing

WEAK = 0.25  # a rank correlation below it is not told: over 256 sets chance brings one in twenty thousand
MOST = 8  # unknowns that are told


@dataclass(frozen=True)
class Swing:
    """The middle of the headline with something low and with it high; of what is left out the two are the same."""

    words: str
    low: float
    high: float
    is_left_out: bool = False

    def turns(self, middle: float) -> bool:
        """Whether the sign of a headline's middle changes somewhere along it."""
        return min(self.low, self.high) * middle < 0 or max(self.low, self.high) * middle < 0


@dataclass(frozen=True)
class Overturning:
    """What moves a headline, and the headline itself in the result that tells it, which is the middle of all of it."""

    swings: Sequence[Swing]
    headline: Number
    others: int = 0  # sets in which it has another sign than in the middle, or none


def overturning(answer: Answer, words: Words, read: Sequence[Reading]) -> Overturning:
    """The push first, then the unknowns by how far they move the headline, then what is left out.

    Over the parameter sets of the answer; where it has none, over those of its widest reading.
    """
    of = next((each for each in [answer, *(one.answer for one in reversed(read))] if each.sets >= FEWEST_SETS), None)
    if of is None:
        return Overturning((), number(answer, words.headline, words.cases))
    headline = words.headline
    swings = [
        *_of_push(of, headline, words),
        *_of_unknowns(of, headline, words),
        *_of_left_out(of, headline, words),
    ]
    found = number(of, headline, words.cases)
    others = int((by_set(of, headline, words.cases) * found.middle <= 0).sum())
    return Overturning(swings, found, others)


def _of_push(answer: Answer, headline: Value, words: Words) -> Iterator[Swing]:
    if is_apart(answer, headline, words):
        ends = [np.median(by_set(answer, _with(headline, effect), words.cases)) for effect in ("bite", "total")]
        yield Swing("how much of the push the controls caused", float(ends[0]), float(ends[1]))


def _of_unknowns(answer: Answer, headline: Value, words: Words) -> list[Swing]:
    """The medians over the sets in which an unknown is in its lowest and in its highest third."""
    from scipy.stats import spearmanr

    values = by_set(answer, headline, words.cases)
    given = answer.manifest.parameter_sets
    order = sorted(given, key=int)
    third = len(order) // 3
    found = []
    for key in given[order[0]]:
        drawn = np.array([float(given[number][key]) for number in order])
        if np.ptp(drawn) == 0 or np.ptp(values) == 0 or abs(spearmanr(drawn, values).statistic) < WEAK:
            continue
        ranked = values[np.argsort(drawn, kind="stable")]
        low, high = float(np.median(ranked[:third])), float(np.median(ranked[-third:]))
        found.append(Swing(plain(key, answer), low, high))
    return sorted(found, key=lambda swing: -abs(swing.high - swing.low))[:MOST]


def _of_left_out(answer: Answer, headline: Value, words: Words) -> Iterator[Swing]:
    for switch in answer.left_out:
        cases = {name: {**case, switch: False} for name, case in words.cases.items()}
        middle = float(np.median(by_set(answer, headline, cases)))
        yield Swing(f"without {plain(switch, answer)}", middle, middle, True)


def _with(value: Value, effect: str) -> Value:
    return value.model_copy(update={"effect": effect})


def plain(key: str, answer: Answer) -> str:
    """What a parameter is called in everyday words: by the experiment's labels, else as the evidence has it."""
    world = answer.manifest.world
    if known := answer.manifest.labels.get(key) or everyday(world.target_name, world.goods).get(key):
        return known
    column = answer.manifest.columns.get(key)
    return in_passing(column.meaning) if column and column.meaning else answer.words.key(key)


def factor(key: str, answer: Answer) -> str:
    """What is varied in a sample: a lever by its name, an unknown in everyday words."""
    return answer.words.key(key) if key in LABELS and key != CAUSED else plain(key, answer)


def with_words(text: str, answer: Answer) -> str:
    """A text with factors and outcomes in words for their keys."""
    names = {index.factor for index in answer.indices if index.factor in answer.result.swept}
    said = {name: factor(name, answer) for name in names}
    said |= {name: outcome_in_words(name, answer) for name in {index.outcome for index in answer.indices}}
    said |= {of: of_config(of, answer) for of in {index.config for index in answer.indices}}
    keys = sorted(map(re.escape, said), key=len, reverse=True)
    return re.sub(rf"(?<![\w.-])({'|'.join(keys)})(?![\w-]|\.\w)", lambda found: said[found[0]], text) if keys else text


def outcome_in_words(outcome: str, answer: Answer) -> str:
    """For example "domestic supply share in 2030"."""
    column, _, at = outcome.partition("@")
    return f"{answer.words.in_passing(column)} {answer.words.when(at)}"


def of_config(of: str, answer: Answer) -> str:
    """A config, or one less another, in words."""
    return " less ".join(answer.words.value("config", name) for name in of.split(" less "))
