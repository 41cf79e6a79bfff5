"""Which factors move an outcome: Sobol and Morris indices, those of grids and of any other sample, the share of luck.

Indices are of the mean over parameter sets and seeds at each point, or over points and seeds of each parameter set,
less the luck that is left in that mean: of Sobol and Morris designs as `designed` has them, of `grids` and of any other
sample as in `given_data`. The share that is due to seeds is of means over the parameter sets, and in `luck`. How far
the intervals hold is in docs/reference/intervals.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.compare.words import counted
from sim.errors import BadInput
from sim.experiment.designs import LeftOut, Part, Point, Sample
from sim.results import records
from sim.results.files import write_ours
from sim.study import designed, given_data, grids
from sim.study.given_data import DUMMY, SHARE
from sim.study.luck import luck_flags, luck_of_means, shares_of_seeds
from sim.study.outcomes import Outcomes, read_batch, read_outcomes
from sim.study.settled import Bounds, verdict

SEEDS, POINTS, WHOLE = "(seeds)", "(points)", "(all)"  # stand where a factor's name would
MEDIAN, MEDIAN_OF_SETS = "median, 5 to 95 % of points", "median, 5 to 95 % of parameter sets"
# The index that ranks the factors of each kind of sample, and what has to settle with it.
SETTLING = {"total": "first order", "mean absolute effect": "mean effect", SHARE: SHARE}
TOGETHER = "factors of {} may go together: an index counts what goes with its factor, and they need not add up to 1"
SHOWN_FACTORS = 12  # of each ranking in the terminal
NONE = "nothing is varied between its runs; a ranking needs [factors] or an ensemble"
TOLD = 6  # verdicts in full, the others by their number
FEW_CASES = 8  # points of a design that have rankings of their own
HEADER = ["config", "part", "outcome", "factor", "index", "value", "low", "high", "flags"]


@dataclass(frozen=True)
class Index:
    """One index of one factor with its 95 % interval, None where none holds; `flags` say why, and what is unsure.

    Under `POINTS` stands the outcome itself: its median over the points, between their 5 and 95 % points.
    """

    config: str
    part: str
    outcome: str
    factor: str
    index: str
    value: float
    low: float | None = None
    high: float | None = None
    flags: str = ""

    def row(self) -> list[Any]:
        return [getattr(self, name) for name in HEADER]


def sensitivity(folder: str | Path, measures: Sequence[str]) -> tuple[list[Index], list[str]]:
    """The indices of every config, part and measure, and sentences on what cannot be told and on what has settled.

    Of a Sobol or a Morris design its own; of a grid of all combinations the exact shares of variance; of any other
    sample, list or table of 30 points or more shares of variance and PAWN. Where there are 30 parameter sets or more,
    these of what the sets vary too: of each point by itself where there are few, else of the mean over the points.
    Where the experiment names a baseline, also those of every other config's difference to it, point by point and
    seed by seed, as "CONFIG less BASELINE".
    A measure stands for its end, or names an outcome such as `chip_market@2030`. Raises BadInput for a result of which
    nothing can be ranked, IncompleteInput for one that lacks runs or values.
    """
    batch = read_batch(folder)
    outcomes = [batch.outcome_name(measure, "--measure") for measure in dict.fromkeys(measures)]
    runs = read_outcomes(batch, outcomes)
    indices: list[Index] = []
    notes: list[str] = []
    rankings = [each for outcome in outcomes for part in runs.parts for each in _rankings(runs, outcome, part, notes)]
    notes = list(dict.fromkeys(notes))
    if not rankings:
        raise BadInput([f"{folder}: {sentence}" for sentence in notes])
    for ranking in rankings:
        found, fault = ranking.indices()
        indices += found
        notes += [fault] if fault else []
    if len(runs.sets) * len(runs.seeds) == 1:
        notes.append("One seed: what is due to luck cannot be told; give replications = 2 or more")
    told = [f"{' '.join([i.outcome, 'of', i.config, i.part]).strip()}: {i.flags}" for i in indices if i.factor == WHOLE]
    if len(told) > TOLD:
        told = [*told[:TOLD], f"and {len(told) - TOLD} more such sentences in sensitivity.csv"]
    return indices, [*notes, *told]


@dataclass(frozen=True)
class Ranking:
    """What one ranking is of: units that differ by their factors, the points of a design or parameter sets.

    `runs` are an outcome of every unit and seed, shape (units, seeds). `rows` gives (factor, index, value, low, high,
    flags) from the units' means, the luck that is left in them and the number of seeds. `half` is the same of half as
    many samples, where the sample has grown from them.
    """

    start: tuple[str, str, str]
    runs: Array
    rows: Callable[[Array, float, int], Iterable[tuple[Any, ...]]]
    count: int
    units: str
    middle: str
    half: Ranking | None = None

    def indices(self) -> tuple[list[Index], str]:
        """The indices, or why there are none."""
        means, luck, fault = self.runs.mean(axis=1), luck_of_means(self.runs), ""
        config, part, outcome = self.start
        of = f"{outcome} of {' '.join([config, part]).strip()}"
        found: list[Index] = []
        if np.ptp(means) == 0:
            fault = f"{of} is the same at every point: no indices"
        elif luck >= means.var():
            fault = f"{of} differs between points by luck alone: no indices; run more seeds"
        else:
            found = [Index(*self.start, *row) for row in self.rows(means, luck, self.runs.shape[1])]
            found.append(Index(*self.start, POINTS, self.middle, *_middle(means)))
            found += self._verdict(found)
        return [*found, *(Index(*self.start, SEEDS, *rest) for rest in shares_of_seeds(self.runs))], fault

    def _verdict(self, found: Sequence[Index]) -> list[Index]:
        """Whether the indices have settled, as a row of its own."""
        ranked = next((name for name in SETTLING if any(index.index == name for index in found)), None)
        if ranked is None:
            return []
        bounds = _bounds(found)
        moved = None
        if self.half and (before := _bounds(self.half.indices()[0])):
            both = [abs(bounds[key].value - before[key].value) for key in bounds if key in before]
            moved = (self.half.count, max(both))
        first = [each for (_, index), each in bounds.items() if index == ranked]
        rest = [each for (_, index), each in bounds.items() if index != ranked]
        width, sentence = verdict(first, rest, self.count, self.units, moved)
        return [] if math.isnan(width) else [Index(*self.start, WHOLE, "widest interval", width, flags=sentence)]


def _bounds(found: Sequence[Index]) -> dict[tuple[str, str], Bounds]:
    """The indices that have to settle by factor and name, effects in parts of the largest mean absolute one."""
    held = [index for index in found if index.index in (*SETTLING, *SETTLING.values()) and not _apart(index)]
    unit = max((index.value for index in held if index.index == "mean absolute effect"), default=1.0)
    return {
        (i.factor, i.index): Bounds(i.factor, i.value / unit, i.low and i.low / unit, i.high and i.high / unit)
        for i in held
    }


def _apart(index: Index) -> bool:
    """Whether a row is of no factor."""
    return index.factor in (SEEDS, POINTS, DUMMY, WHOLE)


def _rankings(runs: Outcomes, outcome: str, part: Part, notes: list[str]) -> Iterator[Ranking]:
    """The rankings of a part of the experiment, and sentences on those that there cannot be."""
    points = part.points.points if isinstance(part.points, LeftOut) else part.points
    answers = [(name, values[: len(points)]) for name, values in _answers(runs, outcome, part)]
    if part.kind in ("sobol", "morris"):
        assert isinstance(points, Sample)
        for config, values in answers:
            yield _designed((config, part.name, outcome), points, values.mean(axis=1))
    elif part.kind == "one-at-a-time":
        notes.append("a one-at-a-time design changes nothing together; decoupling study report tells its steps")
    elif len(points) > 1:
        yield from _given(runs, outcome, part, points, answers, notes)
    if len(runs.sets) > 1:
        yield from _of_sets(runs, outcome, part, points, answers, notes)
    elif len(points) == 1:
        notes.append(NONE)


def _answers(runs: Outcomes, outcome: str, part: Part) -> Iterator[tuple[str, Array]]:
    """The outcome of every config and of every difference to the baseline, shape (points, sets, seeds)."""
    shape = (len(part.points), len(runs.sets), len(runs.seeds))
    held = {config: runs.of_part(outcome, number, part).reshape(shape) for number, config in enumerate(runs.configs)}
    yield from held.items()
    if baseline := runs.batch.experiment.baseline:
        others = {config: values for config, values in held.items() if config != baseline}
        yield from ((f"{config} less {baseline}", values - held[baseline]) for config, values in others.items())


def _designed(start: tuple[str, str, str], sample: Sample, table: Array) -> Ranking:
    """The ranking of a Sobol or a Morris design."""
    of_design = designed.sobol if sample.kind == "sobol" else designed.morris
    smaller = None
    if sample.size % 2 == 0 and sample.size > 2:
        half = Sample(sample.kind, sample.factors, sample.size // 2, sample.seed, sample.levels)
        smaller = Ranking(start, table[: len(half)], partial(of_design, half), half.size, "", MEDIAN)
    units = "samples" if sample.kind == "sobol" else "trajectories"
    return Ranking(start, table, partial(of_design, sample), sample.size, units, MEDIAN, smaller)


def _given(
    runs: Outcomes,
    outcome: str,
    part: Part,
    points: Sequence[Point],
    answers: Sequence[tuple[str, Array]],
    notes: list[str],
) -> Iterator[Ranking]:
    """The rankings of a grid, or of points that are a sample of any other kind."""
    for config, values in answers:
        own = config.partition(" less ")[0]
        factors = _varied([runs.point_values(part, number, own) for number in range(len(points))], notes)
        if len(factors) < 2:
            notes.append("a ranking needs two factors or more, and only one thing is varied there" if factors else NONE)
            continue
        start, table = (config, part.name, outcome), values.mean(axis=1)
        if (codes := grids.grid_of(list(factors.values()))) is not None:
            rows = partial(grids.indices, list(factors), codes, table)
            yield Ranking(start, table, rows, table.shape[1], "seeds", MEDIAN)
        elif len(points) < given_data.FEWEST:
            notes.append(
                f"{counted(len(points), 'point')} are too few for indices; they need {given_data.FEWEST}, or all "
                "combinations of some levels"
            )
        else:
            if not isinstance(points, Sample):
                notes.append(TOGETHER.format("points"))
            yield _sampled(start, factors, table, "points", MEDIAN, isinstance(points, Sample))


def _of_sets(
    runs: Outcomes,
    outcome: str,
    part: Part,
    points: Sequence[Point],
    answers: Sequence[tuple[str, Array]],
    notes: list[str],
) -> Iterator[Ranking]:
    """The rankings of what the parameter sets vary."""
    if len(runs.sets) < given_data.FEWEST:
        notes.append(f"{len(runs.sets)} parameter sets are too few for indices; they need {given_data.FEWEST}")
        return
    sets = runs.batch.manifest.parameter_sets
    factors = _varied([sets[str(number)] for number in runs.sets], notes)
    if not factors:
        return
    notes.append(TOGETHER.format("parameter sets"))
    name = " ".join(filter(None, [part.name, "parameter sets"]))
    for config, values in answers:
        cases = {config: values.mean(axis=0)}
        if 1 < len(points) <= FEW_CASES:
            cases = {_at(config, points, place): values[place] for place in range(len(points))}
        for case, table in cases.items():
            yield _sampled((case, name, outcome), factors, table, "parameter sets", MEDIAN_OF_SETS, False)


def _at(config: str, points: Sequence[Point], place: int) -> str:
    """A config at one of few points, by what it changes."""
    return f"{config} at {', '.join(f'{key} = {held}' for key, held in points[place].items()) or 'its own values'}"


def _varied(units: Sequence[Mapping[str, Any]], notes: list[str]) -> dict[str, list[Any]]:
    """The values of what is varied, by key; words that nearly all stand alone cannot be ranked."""
    factors = {key: [unit[key] for unit in units] for key in units[0]}
    factors = {key: values for key, values in factors.items() if len(set(values)) > 1}
    for key in [key for key, values in factors.items() if given_data.too_many_words(values)]:
        notes.append(f"{key} has {len(set(factors.pop(key)))} different words, most of them once: it has no index")
    return factors


def _sampled(
    start: tuple[str, str, str],
    factors: Mapping[str, Sequence[Any]],
    table: Array,
    units: str,
    middle: str,
    has_grown: bool,
) -> Ranking:
    """The ranking of any sample; one that doubles has the points of its half first."""

    def rows(means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
        held = {key: values[: len(means)] for key, values in factors.items()}
        return given_data.of_sample(held, means, luck, luck_flags(luck / float(means.var()), seeds))

    half = len(table) // 2
    smaller = None
    if has_grown and len(table) % 2 == 0 and half >= given_data.FEWEST:
        smaller = Ranking(start, table[:half], rows, half, units, middle)
    return Ranking(start, table, rows, len(table), units, middle, smaller)


def _middle(means: Array) -> tuple[float, float, float]:
    """The median over the points, and their 5 and 95 % points."""
    low, middle, high = (float(q) for q in np.quantile(means, (0.05, 0.5, 0.95)))
    return middle, low, high


def told(indices: Sequence[Index], is_for_people: bool) -> list[Index]:
    """The rows that are printed: for people, of each ranking those of its first factors, the largest first."""
    if not is_for_people:
        return list(indices)
    rankings: dict[tuple[str, str, str], list[Index]] = {}
    for index in indices:
        rankings.setdefault((index.outcome, index.config, index.part), []).append(index)
    shown: list[Index] = []
    for found in rankings.values():
        ranked = next((name for name in SETTLING if any(i.index == name and not _apart(i) for i in found)), "")
        sizes = {index.factor: index.value for index in found if index.index == ranked and not _apart(index)}
        order = sorted(sizes, key=lambda factor: -sizes[factor])
        shown += [index for factor in order[:SHOWN_FACTORS] for index in found if index.factor == factor]
        shown += [index for index in found if _apart(index) and index.factor != WHOLE]
    return shown


def write(indices: Sequence[Index], folder: str | Path, out: Path) -> list[str]:
    """`sensitivity.csv` and, where something could be ranked, `sensitivity.svg`; sentences on what is not drawn."""
    from sim.study.plot.figure import draw
    from sim.study.plot.rankings import picture_of_ranking

    texts = {"sensitivity.csv": "".join(records.line(row) for row in [HEADER, *(index.row() for index in indices)])}
    if picture := picture_of_ranking(indices, read_batch(folder)):
        texts["sensitivity.svg"] = draw(picture, "svg").decode()
    write_ours(out, texts)
    return list(picture.notes) if picture else []
