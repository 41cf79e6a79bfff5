"""How often each interval holds the truth, by simulation: writes the table of docs/reference/intervals.md.

uv run python tests/bench/intervals.py

Every case draws made-up results whose truth is known and asks the program's own function for its interval.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from sim.compare import intervals
from sim.compare.effects import fieller
from sim.compare.reaching import paired_shares, pseudo_means, unpaired_shares
from sim.experiment.designs import Sample
from sim.study import designed, given_data
from sim.study.luck import luck_of_means, shares_of_seeds

FILE = Path(__file__).parents[2] / "docs/reference/intervals.md"
START, END = "<!-- measured -->\n", "<!-- end -->\n"
HEADER = ("interval", "data", "n", "given", "flagged", "covers", "covers or is flagged")
SIZES = (2, 3, 5, 10, 20, 50)
LEVEL = 0.95
TRIALS = 2000
SETS, POINTS, YEARS = 8, 64, 16

Array = np.ndarray[Any, Any]
Generator = np.random.Generator
Drawn = tuple[float | None, float | None, bool]  # an interval and whether it is flagged
Case = Callable[[Generator, int], tuple[Drawn, float]]  # with the truth


@dataclass(frozen=True)
class Coverage:
    """One line of the table; `covers` and `safe` are parts of the intervals that were given, None for none."""

    interval: str
    data: str
    n: int
    given: float
    flagged: float | None
    covers: float | None
    safe: float | None

    def cells(self) -> list[str]:
        parts = (self.given, self.flagged, self.covers, self.safe)
        return [self.interval, self.data, str(self.n), *("" if part is None else f"{part:.3f}" for part in parts)]


# What the pairs differ by: (generator, count) to values, and their mean.

SPREAD = math.sqrt((math.e - 1) * math.e)
KINDS: dict[str, tuple[Callable[[Generator, int], Array], float]] = {
    "normal": (lambda g, n: g.normal(1, 1, n), 1.0),
    "lognormal": (lambda g, n: g.lognormal(0, 1, n), math.exp(0.5)),
    "bimodal": (lambda g, n: np.where(g.random(n) < 0.3, g.normal(-2, 0.5, n), g.normal(2, 0.5, n)), 0.8),
    "heavy-tailed": (lambda g, n: 1 + g.standard_t(3, n), 1.0),
    "rare, 1 in 20": (lambda g, n: np.where(g.random(n) < 0.05, g.normal(1, 0.3, n), 0.0), 0.05),
    "rare, 1 in 4": (lambda g, n: np.where(g.random(n) < 0.25, g.normal(1, 0.3, n), 0.0), 0.25),
}


def of(estimate: intervals.Estimate) -> Drawn:
    return estimate.low, estimate.high, bool(set(estimate.flags) - {"bootstrap interval"})


def one_set(kind: str, resample: bool, g: Generator, n: int) -> tuple[Drawn, float]:
    draw, truth = KINDS[kind]
    sets = np.zeros(n, dtype=np.intp)
    return of(intervals.over_seeds(draw(g, n), sets, np.arange(n), LEVEL, resample)), truth


def crossed(resample: bool, g: Generator, n: int) -> tuple[Drawn, float]:
    """Eight parameter sets with effects of their own, and seeds whose luck all sets share in part."""
    effects = np.arange(SETS, dtype=float)
    values = effects[:, None] + g.normal(0, 1, n) + 0.5 * g.normal(0, 1, (SETS, n))
    sets, seeds = np.divmod(np.arange(SETS * n), n)
    return of(intervals.over_seeds(values.ravel(), sets, seeds, LEVEL, resample)), float(effects.mean())


def apart(g: Generator, n: int) -> tuple[Drawn, float]:
    """Eight parameter sets, each with seeds of its own."""
    effects = np.arange(SETS, dtype=float)
    sets = np.repeat(np.arange(SETS), n)
    values = effects[sets] + g.normal(0, 1, SETS * n)
    values, sets = values[1:], sets[1:]  # so that the sets have not the same seeds
    seeds = np.arange(len(values))
    return of(intervals.over_seeds(values, sets, seeds, LEVEL)), float(effects.mean())


def unpaired(kind: str, g: Generator, n: int) -> tuple[Drawn, float]:
    """The candidate has twice the base's values and as many runs and a half."""
    draw, mean = KINDS[kind]
    return of(intervals.welch(draw(g, n), 2 * draw(g, n + n // 2), LEVEL)), mean


def ratio(kind: str, g: Generator, n: int) -> tuple[Drawn, float]:
    draw, mean = KINDS[kind]
    points = g.normal(4, 1, n)
    return of(fieller(3 * points + draw(g, n) - mean, points, LEVEL)), 3.0


def rare_ratio(g: Generator, n: int) -> tuple[Drawn, float]:
    """Money and points both differ in few pairs."""
    points = np.where(g.random(n) < 0.25, g.normal(4, 1, n), 0.0)
    if points.mean() <= 0:
        return (None, None, True), 3.0
    return of(fieller(3 * points * (1 + 0.2 * g.normal(0, 1, n)), points, LEVEL)), 3.0


SHARES = {"rare": (0.02, 0.05), "middle": (0.4, 0.6), "common": (0.9, 0.95)}


def shares(kind: str, paired: bool, g: Generator, n: int) -> tuple[Drawn, float]:
    """Runs get there where their luck is below the share; a third of it is the pair's own."""
    low, high = SHARES[kind]
    luck = g.random(n)
    other = np.where(g.random(n) < 1 / 3, g.random(n), luck) if paired else g.random(n)
    ours, theirs = luck < low, other < high
    if paired:
        estimate = paired_shares(int((theirs & ~ours).sum()), int((ours & ~theirs).sum()), n, LEVEL)
    else:
        estimate = unpaired_shares((int(ours.sum()), n), (int(theirs.sum()), n), LEVEL)
    return (estimate.low, estimate.high, bool(estimate.flags) or n < intervals.FEW), high - low


TIMES: dict[str, Callable[[Generator, int], Array]] = {
    "normal": lambda g, n: g.normal(8, 2.5, n),
    "lognormal": lambda g, n: g.lognormal(1.7, 0.6, n),
    "rare": lambda g, n: np.where(g.random(n) < 0.05, g.uniform(0, YEARS, n), 99.0),
}


def mean_years(kind: str, g: Generator, n: int) -> tuple[Drawn, float]:
    """The candidate gets there a tenth sooner or so, with other luck."""
    whole, truth = (n, np.nan) if n < 10_000 else (n, 0.0)
    times = TIMES[kind](g, whole)
    sooner = 0.9 * times + g.normal(0, 1, whole) * (times < 99)
    years = np.arange(YEARS + 1, dtype=float)
    sides = []
    for values in (times, sooner):
        steps = np.clip(values, 0, YEARS).astype(np.intp)
        event = steps < YEARS
        sides.append(pseudo_means(np.minimum(steps, YEARS - 1), event, years))
    difference = sides[1] - sides[0]
    if truth == 0.0:
        return (None, None, False), float(difference.mean())
    estimate = intervals.over_seeds(difference, np.zeros(n, dtype=np.intp), np.arange(n), LEVEL)
    return of(estimate), true_years(kind)


@cache
def true_years(kind: str) -> float:
    return mean_years(kind, np.random.default_rng(7), 2_000_000)[1]


def seed_share(kind: str, place: int, g: Generator, n: int) -> tuple[Drawn, float]:
    """Points even over a range of variance 1, seeds of variance 1, and a rest of variance 1/2."""
    draw, mean = KINDS[kind]
    deviation = {"normal": 1.0, "lognormal": SPREAD, "bimodal": math.sqrt(0.25 + 4 * 0.84), "heavy-tailed": 3**0.5}[
        kind
    ]
    points = g.uniform(-0.5, 0.5, (POINTS, 1)) * 12**0.5
    luck = (draw(g, n) - mean) / deviation
    rest = (draw(g, POINTS * n).reshape(POINTS, n) - mean) / deviation * 0.5**0.5
    row = shares_of_seeds(points + luck + rest)[place]
    return (row[2], row[3], bool(row[4])), (1.5 if place == 0 else 0.5) / 2.5


# Functions of three factors from 0 to 1, by the values of a point.
FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "product": lambda u: u[:, 0] * u[:, 1] + 0.2 * u[:, 2],
    "steep": lambda u: np.exp(4 * u[:, 0]) * (1 + u[:, 1]) + 5 * u[:, 2],
    "rare": lambda u: np.where(u[:, 0] < 0.05, 1.0, 0.0) + 0.2 * u[:, 1] + 0.05 * u[:, 2],
}
SEEDS = 4


def indices(design: str, size: int, seed: int, values: Callable[[Array], Array]) -> list[tuple[Any, ...]]:
    """The rows of a design's indices; `values` gives (points, seeds) for (points, factors)."""
    sample = Sample(design, dict.fromkeys("abc"), size, seed)  # type: ignore[arg-type]  # only their names matter
    runs = values(sample.units)
    of_design = designed.sobol if design == "sobol" else designed.morris
    return list(of_design(sample, runs.mean(axis=1), luck_of_means(runs), runs.shape[1]))


def index(design: str, function: str, name: str, g: Generator, n: int) -> tuple[Drawn, float]:
    """An index of the first factor, with luck of a third of the variance in each run."""
    rows = drawn_indices(design, function, n, int(g.integers(1_000_000)))
    low, high, flags = next((row[3:] for row in rows if row[:2] == ("a", name)), (None, None, ""))
    unsure = [flag for flag in flags.split("; ") if flag and not flag.startswith("corrected for luck")]
    truth = next(row[2] for row in true_indices(design, function) if row[:2] == ("a", name))
    return (low, high, bool(unsure)), float(truth)


@cache
def drawn_indices(design: str, function: str, size: int, seed: int) -> list[tuple[Any, ...]]:
    g = np.random.default_rng(seed)
    exact, noise = FUNCTIONS[function], luck_size(function)

    def runs(units: Array) -> Array:
        return exact(units)[:, None] + g.normal(0, 1, SEEDS) + noise * g.normal(0, 1, (len(units), SEEDS))

    return indices(design, size, seed, runs)


@cache
def luck_size(function: str) -> float:
    return float(FUNCTIONS[function](np.random.default_rng(3).random((100_000, 3))).std()) / math.sqrt(3)


@cache
def true_indices(design: str, function: str) -> list[tuple[Any, ...]]:
    size = 2**13 if design == "sobol" else 20_000
    return indices(design, size, 5, lambda units: FUNCTIONS[function](units)[:, None])


def given_share(function: str, g: Generator, n: int) -> tuple[Drawn, float]:
    """The share of the first factor in a random sample, with luck of a third of the variance in each of four seeds."""
    units = g.random((n, 3))
    exact = FUNCTIONS[function](units)
    runs = exact[:, None] + g.normal(0, 1, SEEDS) + luck_size(function) * g.normal(0, 1, (n, SEEDS))
    factors = {name: column.tolist() for name, column in zip("abc", units.T, strict=True)}
    luck = luck_of_means(runs)
    row = next(given_data.of_sample(factors, runs.mean(axis=1), luck))
    return (row[3], row[4], "few points" in row[5] or given_data.UNEVEN in row[5]), true_share(function)


@cache
def true_share(function: str) -> float:
    """The part of the variance that goes with the first factor, by two thousand slices of four million points."""
    units = np.random.default_rng(9).random((4_000_000, 3))
    values = FUNCTIONS[function](units)
    place = (2000 * units[:, 0]).astype(np.intp)
    means = np.bincount(place, values) / np.bincount(place)
    return float(means[place].var() / values.var())


def cases() -> Iterator[tuple[str, str, tuple[int, ...], int, Case]]:
    """Interval, data, sizes, how many times fewer trials than others, and the case."""
    many = tuple(size for size in SIZES if size >= 5)
    for resample, name in ((False, "mean of paired differences"), (True, "the same, --bootstrap")):
        for kind in KINDS:
            yield name, kind, SIZES, 10 if resample else 1, partial(one_set, kind, resample)
        yield name, "crossed", SIZES, 10 if resample else 1, partial(crossed, resample)
    yield "mean over sets with other seeds", "normal", SIZES, 1, apart
    for kind in KINDS:
        yield "difference of unpaired means", kind, SIZES, 1, partial(unpaired, kind)
    for kind in KINDS:
        if not kind.startswith("rare"):
            yield "cost per point (Fieller)", kind, SIZES, 1, partial(ratio, kind)
    yield "cost per point (Fieller)", "rare, 1 in 4", SIZES, 1, rare_ratio
    for kind in SHARES:
        yield "difference of shares, paired", kind, SIZES, 1, partial(shares, kind, True)
        yield "difference of shares, unpaired", kind, SIZES, 1, partial(shares, kind, False)
    for kind in TIMES:
        yield "difference of mean years", kind, SIZES, 1, partial(mean_years, kind)
    for place, name in enumerate(("share of variance due to seeds", "the same, differing between points")):
        for kind in ("normal", "lognormal", "bimodal", "heavy-tailed"):
            yield name, kind, many, 5, partial(seed_share, kind, place)
    for function in FUNCTIONS:
        for name in ("first order", "total"):
            yield f"Sobol, {name}", function, (16, 32, 64, 128), 20, partial(index, "sobol", function, name)
        for name in ("mean absolute effect", "mean effect"):
            yield f"Morris, {name}", function, SIZES, 10, partial(index, "morris", function, name)
    for function in FUNCTIONS:
        yield "share of variance, any sample", function, (32, 64, 128, 256), 5, partial(given_share, function)


def measured(trials: int, wanted: Callable[[str, str, int], bool] = lambda *_: True) -> Iterator[Coverage]:
    """The coverage of every case that is wanted by its interval, data and size; equal data have equal draws."""
    for interval, data, sizes, fewer, case in cases():
        for n in sizes:
            if wanted(interval, data, n):
                g = np.random.default_rng([n, *data.encode()])
                yield summary(interval, data, n, [case(g, n) for _ in range(trials // fewer)])


def summary(interval: str, data: str, n: int, drawn: list[tuple[Drawn, float]]) -> Coverage:
    given = [(low, high, flag, truth) for (low, high, flag), truth in drawn if low is not None and high is not None]
    if not given:
        return Coverage(interval, data, n, 0.0, None, None, None)
    holds = np.array([low <= truth <= high for low, high, _, truth in given])
    flags = np.array([flag for *_, flag, _ in given])
    parts = (float(values.mean()) for values in (flags, holds, holds | flags))
    return Coverage(interval, data, n, len(given) / len(drawn), *parts)


def table(rows: list[Coverage]) -> str:
    lines = [HEADER, ["---"] * len(HEADER), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def read(text: str) -> list[Coverage]:
    """The lines of the table as it is written in the document."""
    rows = []
    for line in text.partition(START)[2].partition(END)[0].splitlines()[2:]:
        interval, data, n, given, *parts = (cell.strip() for cell in line.strip("|").split("|"))
        rows.append(Coverage(interval, data, int(n), float(given), *(float(p) if p else None for p in parts)))
    return rows


def main() -> int:
    """Measure everything and write the table into the document."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = []
        for row in measured(TRIALS):
            print(*row.cells(), sep="\t", flush=True)
            rows.append(row)
    text = FILE.read_text(encoding="utf-8")
    before, after = text.partition(START)[0], text.partition(END)[2]
    FILE.write_text(f"{before}{START}{table(rows)}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
