"""Which factors move an outcome: Sobol and Morris indices, those of grids and of any other sample, the share of luck.

Indices are of the mean over parameter sets and seeds at each point, or over points and seeds of each parameter set,
less the luck that is left in that mean. Those of Sobol and Morris designs are SALib's, others are in `given_data`; the
share that is due to seeds comes from the crossed analysis of variance of points by seeds, each the mean over parameter
sets. How far the intervals hold is in docs/reference/intervals.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array
from sim.compare.intervals import FEW, NOISE, student, t_quantile, without_noise
from sim.compare.words import counted
from sim.errors import BadInput
from sim.experiment.designs import LeftOut, Part, Point, Sample
from sim.results import records
from sim.results.files import write_ours
from sim.study import given_data
from sim.study.given_data import DUMMY, SHARE
from sim.study.outcomes import Outcomes, read_batch, read_outcomes
from sim.study.settled import Bounds, verdict

LEVEL = 0.95
RESAMPLES = 1000
SEEDS, POINTS, WHOLE = "(seeds)", "(points)", "(all)"  # stand where a factor's name would
MEDIAN, MEDIAN_OF_SETS = "median, 5 to 95 % of points", "median, 5 to 95 % of parameter sets"
# The index that ranks the factors of each kind of sample, and what has to settle with it.
SETTLING = {"total": "first order", "mean absolute effect": "mean effect", SHARE: SHARE}
TOGETHER = "factors of {} may go together: an index counts what goes with its factor, and they need not add up to 1"
SHOWN_FACTORS = 12  # of each ranking in the terminal
NONE = "nothing is varied between its runs; a ranking needs [factors] or an ensemble"
TOLD = 6  # verdicts in full, the others by their number
FEW_CASES = 8  # points of a design that have rankings of their own
FEW_SEEDS = 10
FEW_SAMPLES = 64  # base points of a Sobol design
GROUPS = 20  # of points, for the jackknife
HEADER = ["config", "part", "outcome", "factor", "index", "value", "low", "high", "flags"]
NORMAL_SEEDS = "the interval takes the seeds' effects as near normal"


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
        return [*found, *(Index(*self.start, SEEDS, *rest) for rest in _of_seeds(self.runs))], fault

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
    of_design = _sobol if sample.kind == "sobol" else _morris
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
        if (codes := given_data.grid_of(list(factors.values()))) is not None:
            rows = partial(_grid, list(factors), codes, table)
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
        return given_data.of_sample(held, means, luck, _luck_flags(luck / float(means.var()), seeds))

    half = len(table) // 2
    smaller = None
    if has_grown and len(table) % 2 == 0 and half >= given_data.FEWEST:
        smaller = Ranking(start, table[:half], rows, half, units, middle)
    return Ranking(start, table, rows, len(table), units, middle, smaller)


def _grid(
    factors: Sequence[str], codes: NDArray[np.intp], table: Array, means: Array, luck: float, seeds: int
) -> Iterator[tuple[Any, ...]]:
    """(factor, index, value, low, high, flags) of a grid, with intervals of the jackknife over seeds."""
    shares = np.array(given_data.of_grid(codes, means, luck))
    reach = None
    flags = _luck_flags(luck / float(means.var()), seeds)
    if seeds >= FEW_SEEDS:
        without = [np.delete(table, seed, axis=1) for seed in range(seeds)]
        each = np.array([given_data.of_grid(codes, part.mean(axis=1), luck_of_means(part)) for part in without])
        reach = t_quantile(seeds - 1, LEVEL) * np.sqrt((seeds - 1) * each.var(axis=0))
    elif seeds > 1:
        flags.append(f"{seeds} seeds: no interval below {FEW_SEEDS}")
    for place, factor in enumerate(factors):
        for row, index in enumerate(("first order", "total")):
            value, still = float(shares[row, place]), reach is not None and reach[row, place] < NOISE
            if reach is None or still:
                exact = ["exact: luck moves nothing"] if still else []
                yield factor, index, value, None, None, "; ".join([*flags, *exact])
            else:
                ends = (value - float(reach[row, place]), value + float(reach[row, place]))
                yield factor, index, value, *ends, "; ".join(flags)


def _middle(means: Array) -> tuple[float, float, float]:
    """The median over the points, and their 5 and 95 % points."""
    low, middle, high = (float(q) for q in np.quantile(means, (0.05, 0.5, 0.95)))
    return middle, low, high


def luck_of_means(values: Array) -> float:
    """The variance between points that luck alone makes in their means over seeds; `values` are (points, seeds).

    Seeds that act alike at all points move no index: it is the mean square of the rest, over the number of seeds.
    """
    points, seeds = values.shape
    luck = 0.0 if min(points, seeds) < 2 else mean_squares(values)[2] / seeds
    return luck if luck > NOISE**2 * np.square(values).max() else 0.0


def _sobol(sample: Sample, means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
    """SALib's indices of the means, corrected for their luck.

    With independent luck of variance e in every point, the variance V that both indices are parts of holds e, and so
    does the total index's numerator: first x V / (V - e), and (total x V - e) / (V - e).
    """
    from SALib.analyze import sobol

    keep: dict[str, Any] = {"num_resamples": RESAMPLES, "conf_level": LEVEL, "seed": 1}
    indices = sobol.analyze(sample.problem, means, calc_second_order=False, **keep)
    blocks = means.reshape(sample.size, -1)
    whole = float(blocks[:, [0, -1]].var())  # of the two base samples, as SALib takes it
    part = luck / whole
    flags = _luck_flags(part, seeds)
    if sample.size < FEW_SAMPLES:
        flags.append(f"few samples: the interval is unsure below {FEW_SAMPLES}")
    for place, factor in enumerate(sample.factors):
        for index, key in (("first order", "S1"), ("total", "ST")):
            if part >= 1:
                continue
            value = (float(indices[key][place]) - (part if key == "ST" else 0.0)) / (1 - part)
            width = float(indices[f"{key}_conf"][place]) / (1 - part)
            still = abs(width) < NOISE  # at no sampled point, which a rare effect can be as well
            between = (None, None) if still else (value - width, value + width)
            more = ["no interval: moves nothing at the sampled points"] if still else []
            if not -0.01 <= value <= 1.01:
                more.append("beyond 0 to 1, which no index is: run more samples")
            yield factor, index, value, *between, "; ".join([*flags, *more])


def _luck_flags(part: float, seeds: int) -> list[str]:
    if seeds == 1:
        return ["one seed: holds its luck"]
    if part > 0.5:
        return [f"corrected for luck, which is {part:.0%} of the variance between points: run more seeds"]
    return [f"corrected for luck, {part:.1%} of the variance between points"] if part >= 0.001 else []


def _morris(sample: Sample, means: Array, luck: float, seeds: int) -> Iterator[tuple[Any, ...]]:
    """SALib's effects of the means, with Student's intervals over trajectories."""
    from SALib.analyze import morris

    keep: dict[str, Any] = {"num_resamples": 2, "conf_level": LEVEL, "seed": 1}
    indices = morris.analyze(sample.problem, sample.units, means, num_levels=sample.levels, **keep)
    steps = elementary_effects(sample, means)
    noise = math.sqrt(2 * luck) / _step(sample.levels)  # of one effect, the difference of two points
    for place, factor in enumerate(sample.factors):
        flags = ["one seed: holds its luck"] if seeds == 1 else []
        for index, key, effects in (
            ("mean absolute effect", "mu_star", abs(steps[:, place])),
            ("mean effect", "mu", steps[:, place]),
        ):
            over = student(without_noise(effects, np.full(len(effects), abs(means).max()), 0.0), LEVEL)
            value = float(indices[key][place])
            # the mean absolute value of normal luck alone is sqrt(2 / pi) of its deviation
            lucky = key == "mu_star" and 0 < value < 2 * math.sqrt(2 / math.pi) * noise
            more = ["luck alone makes half of this or more: run more seeds"] if lucky else []
            few = [] if sample.size >= FEW else ["few trajectories"]
            yield factor, index, value, over.low, over.high, "; ".join([*flags, *more, *few, *_words(over.flags)])
        spread = math.sqrt(max(0.0, float(indices["sigma"][place]) ** 2 - noise**2))
        yield factor, "spread of effects", spread, None, None, "; ".join([*flags, *_luck_of_spread(noise)])


def _luck_of_spread(noise: float) -> list[str]:
    return ["corrected for luck"] if noise else []


def _words(flags: Sequence[str]) -> list[str]:
    return [flag.replace("pairs", "trajectories").replace("differences", "effects") for flag in flags]


def _step(levels: int) -> float:
    """How far a factor moves in a trajectory, as a part of its range (Morris 1991)."""
    return levels / (2 * (levels - 1))


def elementary_effects(sample: Sample, means: Array) -> Array:
    """The effect of each factor in each trajectory of a Morris design, shape (trajectories, factors)."""
    count = len(sample.factors)
    units = sample.units.reshape(sample.size, count + 1, count)
    moves = np.diff(units, axis=1)
    changes = np.diff(means.reshape(sample.size, count + 1), axis=1)
    moved = np.argmax(abs(moves), axis=2)
    effects = np.empty((sample.size, count))
    sizes = np.take_along_axis(moves, moved[:, :, None], axis=2)[:, :, 0]
    np.put_along_axis(effects, moved, changes / sizes, axis=1)
    return effects


def _of_seeds(values: Array) -> list[tuple[Any, ...]]:
    """(index, value, low, high, flags) for the shares of variance due to seeds; `values` has shape (points, seeds).

    Intervals are of the jackknife on the logit, over seeds and over groups of points (Shao and Tu 1995), with
    Student's t on the seeds; below ten seeds there is none. That of the first share covers less where the effects that
    all points have in common are far from normal, which so few seeds do not show: it is always flagged.
    """
    points, seeds = values.shape
    if seeds < 2 or points < 2 or np.ptp(values) == 0:
        return []
    shares = seed_shares(values)
    names = ("share of variance", "share of variance, differing between points")
    if seeds < FEW_SEEDS:
        return [
            (name, share, None, None, f"{seeds} seeds: no interval below {FEW_SEEDS}")
            for name, share in zip(names, shares, strict=True)
        ]
    groups = np.array_split(np.arange(points), min(points, GROUPS))
    without_seed = np.array([seed_shares(np.delete(values, seed, axis=1)) for seed in range(seeds)])
    without_group = np.array([seed_shares(np.delete(values, group, axis=0)) for group in groups if points > 2])
    rows: list[tuple[Any, ...]] = []
    for place, (name, share) in enumerate(zip(names, shares, strict=True)):
        kept = [drawn[:, place] for drawn in (without_seed, without_group) if len(drawn)]
        everything = np.concatenate([[share], *kept])
        if ((everything > 0) & (everything < 1)).all():
            variance = sum((len(drawn) - 1) * np.log(drawn / (1 - drawn)).var() for drawn in kept)
            reach = t_quantile(seeds - 1, LEVEL) * math.sqrt(variance)
            rows.append((name, share, _moved(share, -reach), _moved(share, reach), NORMAL_SEEDS if place == 0 else ""))
        else:
            rows.append((name, share, None, None, "no interval: at the end of its range"))
    return rows


def _moved(share: float, by: float) -> float:
    """A share moved on the logit scale."""
    return 1 / (1 + (1 - share) / share * math.exp(-by))


def seed_shares(values: Array) -> tuple[float, float]:
    """The parts of the variance of (points, seeds) that are due to seeds at all, and to seeds differently by point.

    Variance components of the crossed design without repeats (Searle, Casella and McCulloch 1992, ch. 4): points a,
    seeds b, rest e, from the mean squares; negative estimates count as zero.
    """
    of_points, of_seeds, of_rest = mean_squares(values)
    points, seeds = values.shape
    between_points = max(0.0, (of_points - of_rest) / seeds)
    between_seeds = max(0.0, (of_seeds - of_rest) / points)
    whole = between_points + between_seeds + of_rest
    return ((between_seeds + of_rest) / whole, of_rest / whole) if whole > 0 else (0.0, 0.0)


def mean_squares(values: Array) -> tuple[float, float, float]:
    """The mean squares of points, of seeds and of the rest; `values` has shape (points, seeds), two of each or more."""
    points, seeds = values.shape
    by_point, by_seed, mean = values.mean(axis=1), values.mean(axis=0), values.mean()
    rest = values - by_point[:, None] - by_seed + mean
    of_rest = float(np.square(rest).sum() / ((points - 1) * (seeds - 1)))
    of_points = float(seeds * np.square(by_point - mean).sum() / (points - 1))
    of_seeds = float(points * np.square(by_seed - mean).sum() / (seeds - 1))
    return of_points, of_seeds, of_rest


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
