"""The table of measures: one row for each candidate, measure, slice and date, candidate minus base."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array
from sim.compare import intervals
from sim.compare.outcomes import AT, unit, value
from sim.compare.pairing import ENDS_DIFFER, Pairing, Side
from sim.errors import BadInput

TABLE_VERSION = 1


@dataclass(frozen=True)
class Margin:
    """A difference that does not matter: absolute, or a part of the base's mean."""

    size: float
    relative: bool = False

    def of(self, base_mean: float) -> float:
        return self.size * abs(base_mean) if self.relative else self.size


@dataclass(frozen=True)
class Settings:
    """How to compare.

    `margins` holds one for each measure, slice or target named, and under "" that of all other measures. A target is
    named as it is asked for, such as "domestic_supply_share>=0.7", and its margin is a difference of shares of runs.
    """

    level: float = intervals.LEVEL
    margins: Mapping[str, Margin] = field(default_factory=dict)
    resample: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise BadInput(f"--level = {self.level}: must lie between 0 and 1, such as 0.95")

    def margin(self, column: str) -> Margin:
        names = (column, column.partition(".")[0], "")
        return next((self.margins[name] for name in names if name in self.margins), Margin(0.0))


def margins_of(texts: Sequence[str]) -> dict[str, Margin]:
    """--margin VALUE, VALUE%, MEASURE=VALUE or TARGET=VALUE as margins by measure or target."""
    margins = {}
    for text in texts:
        name, _, size = text.rpartition("=")
        number = size.strip().removesuffix("%")
        try:
            amount = float(number)
        except ValueError:
            amount = -1.0
        if not 0 <= amount < math.inf:
            raise BadInput(f"--margin = {text!r}: must be a number from 0 such as 0.01, or 5%, or MEASURE=0.01")
        relative = size.strip().endswith("%")
        margins["".join(name.split())] = Margin(amount / 100 if relative else amount, relative)
    return margins


@dataclass(frozen=True)
class Row:
    """One measure of one candidate against the base. None is what cannot be told.

    `n_base` and `n_cand` count the runs that have a value. The means and the difference, in `unit`, are over the
    `n_pairs` pairs with a value on both sides; with several parameter sets they are means of the sets' means.
    `diff_lo` to `diff_hi` is the numerical error: the interval that more seeds shrink. `diff_q05`, `diff_q50`,
    `diff_q95`, `share_same_sign` (sets whose difference has the sign of `diff`) and `regret` (the most that any set
    loses by the candidate) are across parameter sets and empty for one. The points of base and candidate are across
    parameter sets where there are several, else across seeds. `rel_diff` is the difference as a part of the base's
    mean, where no value lies below 0; `corr_pairs` the correlation over seeds; `seeds_for_margin` the number of seeds
    that would bring the interval's half within the margin, or within the difference where the margin is 0.
    """

    schema_version: int
    baseline: str
    candidate: str
    measure: str
    unit: str
    direction: str
    slice: str
    at: str
    n_base: int
    n_cand: int
    n_pairs: int
    n_sets: int
    pairing: str
    base_mean: float | None
    base_q05: float | None
    base_q50: float | None
    base_q95: float | None
    cand_mean: float | None
    cand_q05: float | None
    cand_q50: float | None
    cand_q95: float | None
    diff: float | None
    diff_lo: float | None
    diff_hi: float | None
    ci_level: float
    diff_q05: float | None
    diff_q50: float | None
    diff_q95: float | None
    share_same_sign: float | None
    regret: float | None
    rel_diff: float | None
    p_cand_gt_base: float | None
    corr_pairs: float | None
    seeds_for_margin: int | None
    margin: float | None
    verdict: str
    flags: str

    @property
    def column(self) -> str:
        return self.measure if self.slice == "all" else f"{self.measure}.{self.slice}"

    @property
    def spread(self) -> tuple[float | None, float | None]:
        """What the verdict is from: the 5 and 95 % points across parameter sets, or the interval over seeds."""
        return (self.diff_q05, self.diff_q95) if self.n_sets > 1 else (self.diff_lo, self.diff_hi)


COLUMNS = tuple(column.name for column in fields(Row))


@dataclass(frozen=True)
class Sample:
    """The complete pairs of one measure: the two sides and their difference, each of shape (pairs,).

    Unpaired, the sides have their own lengths, and there is no difference. `sets` and `seeds` number each pair's
    parameter set and seed from 0, `kept` are their places among the pairing's pairs, and `dropped` counts the pairs
    that lack a value.
    """

    base: Array
    cand: Array
    diff: Array
    sets: NDArray[np.intp]
    seeds: NDArray[np.intp]
    kept: NDArray[np.intp]
    dropped: int


def sample(pairing: Pairing, columns: Sequence[Array], point: int | None = None) -> Sample:
    """The pairs of base's and candidate's column of shape (runs,): their mean over design points, or at one of them."""
    base, cand = pairing.base.values(columns[0]), pairing.cand.values(columns[1])
    if point is not None:
        base, cand = base[:, [point]], cand[:, [point]]
    # A pair counts only with a value at every design point: else pairs would be means over different points.
    if not pairing.paired:
        whole = [np.isfinite(values).all(axis=1) for values in (base, cand)]
        ours, theirs = base[whole[0]].mean(axis=1), cand[whole[1]].mean(axis=1)
        dropped = sum(int((~complete).sum()) for complete in whole)
        none = np.zeros(len(ours), dtype=np.intp)
        return Sample(ours, theirs, np.empty(0), none, none, none, dropped)
    complete = np.isfinite(cand - base).all(axis=1)
    kept = np.flatnonzero(complete)
    sets, seeds = pairing.set_codes, pairing.seed_codes
    if len(kept) < len(sets):  # else they are numbers from 0 without gaps as they are
        sets, seeds = (np.unique(codes[kept], return_inverse=True)[1] for codes in (sets, seeds))
    base, cand = base[kept], cand[kept]
    ours, theirs = base.mean(axis=1), cand.mean(axis=1)
    floor = intervals.NOISE if pairing.base.result.manifest else 0.0  # a foreign table may have any unit
    differences = intervals.without_noise((cand - base).mean(axis=1), np.maximum(abs(ours), abs(theirs)), floor)
    return Sample(ours, theirs, differences, sets, seeds, kept, int((~complete).sum()))


def compare_column(pairing: Pairing, column: str, at: str, settings: Settings, point: int | None = None) -> Row:
    """The row of one column at one date; at one design point if `point` says which."""
    ours, theirs = (value(side.result, column, at) for side in (pairing.base, pairing.cand))
    row = _row(pairing, column, at, ours, theirs, settings, point)
    return without_verdict(row) if at in AT and pairing.ends_differ else row


def without_verdict(row: Row) -> Row:
    """A row of whole runs that end on different dates: what differs may be the time alone."""
    if row.verdict == "incomparable":
        return row
    told = ("diff_lo", "diff_hi", "diff_q05", "diff_q95", "share_same_sign", "regret", "p_cand_gt_base")
    flags = "; ".join(filter(None, [row.flags, f"no interval: {ENDS_DIFFER}, as by a stop rule"]))
    untold: dict[str, Any] = dict.fromkeys((*told, "seeds_for_margin"))
    return replace(row, **untold, verdict="inconclusive", flags=flags)


def over_time(pairing: Pairing, column: str, settings: Settings) -> list[Row]:
    """A row for each date that both series have; none where one of them has no series of the column."""
    ours, theirs = pairing.base.result.series, pairing.cand.result.series
    if column not in ours.values or column not in theirs.values:
        return []
    rows = []
    for place, date in enumerate(ours.dates):
        if date in theirs.dates:
            there = theirs.values[column][:, theirs.dates.index(date)]
            rows.append(_row(pairing, column, date, ours.values[column][:, place], there, settings))
    return rows


def _row(
    pairing: Pairing,
    column: str,
    at: str,
    ours: Array,
    theirs: Array,
    settings: Settings,
    point: int | None = None,
) -> Row:
    base, candidate = pairing.base.result, pairing.cand.result
    pairs = sample(pairing, (ours, theirs), point)
    direction = base.note(column, "direction") or candidate.note(column, "direction")
    measure, _, part = column.partition(".")
    paired = "paired" if pairing.paired else "unpaired"
    told: dict[str, Any] = (
        _told(pairs, direction, settings.margin(column), settings, pairing.paired)
        if min(len(pairs.base), len(pairs.cand))
        else {"verdict": "incomparable", "flags": ["no pair has a value on both sides"]}
    )
    noted = [*pairing.flags]
    if pairs.dropped:
        total = pairs.dropped + (len(pairs.base) if pairing.paired else len(pairs.base) + len(pairs.cand))
        noted.append(f"{pairs.dropped} of {total} {'pairs' if pairing.paired else 'runs'} dropped: a value is missing")
    noted += told.pop("flags")
    empty = dict.fromkeys(COLUMNS)
    given = {
        "schema_version": TABLE_VERSION,
        "baseline": base.name,
        "candidate": candidate.name,
        "measure": measure,
        "unit": unit(base, column, at) or unit(candidate, column, at),
        "direction": direction,
        "slice": part or "all",
        "at": at,
        "n_base": _count(pairing.base, ours, point),
        "n_cand": _count(pairing.cand, theirs, point),
        "n_pairs": len(pairs.diff),
        "n_sets": int(pairs.sets.max(initial=-1)) + 1,
        "pairing": paired,
        "ci_level": settings.level,
        "flags": "; ".join(noted),
    }
    return Row(**{**empty, **told, **given})


def _count(side: Side, column: Array, point: int | None) -> int:
    """How many runs have a value, of all or of those at a design point."""
    there = np.isfinite(column)
    if point is not None:
        there = there & (side.cells >= 0) & (side.cells % side.points == point)
    return int(there.sum())


def _told(pairs: Sample, direction: str, margin: Margin, settings: Settings, paired: bool) -> dict[str, Any]:
    """What at least one pair tells, by the names of the row's fields."""
    if paired:
        estimate = intervals.over_seeds(pairs.diff, pairs.sets, pairs.seeds, settings.level, settings.resample)
        flags = [*estimate.flags]
    else:
        estimate = intervals.welch(pairs.base, pairs.cand, settings.level)
        flags = ["unpaired: the luck of the two sides is taken as independent", *estimate.flags]
    spreads, means = _across_sets(pairs, direction, estimate.mean, flags) if paired else ({}, None)
    sides: dict[str, Any] = {}
    for name, values in (("base", pairs.base), ("cand", pairs.cand)):
        across = values if means is None else intervals.set_means(values, pairs.sets)[0]
        sides[f"{name}_mean"] = float(across.mean())
        for point, number in zip(("q05", "q50", "q95"), intervals.quantiles(across), strict=True):
            sides[f"{name}_{point}"] = number
    size = margin.of(sides["base_mean"])
    low, high = (spreads["diff_q05"], spreads["diff_q95"]) if spreads else (estimate.low, estimate.high)
    same_everywhere = paired and not np.ptp(pairs.diff)
    has_parts = sides["base_mean"] > 0 and min(pairs.base.min(), pairs.cand.min()) >= 0  # of -43 nothing is a part
    return {
        **sides,
        **spreads,
        "diff": estimate.mean,
        "diff_lo": estimate.low,
        "diff_hi": estimate.high,
        "rel_diff": estimate.mean / sides["base_mean"] if has_parts else None,
        "p_cand_gt_base": intervals.share_above(pairs.base, pairs.cand, paired),
        "corr_pairs": intervals.correlation(pairs.base, pairs.cand, pairs.sets) if paired else None,
        "seeds_for_margin": intervals.seeds_needed(estimate.spread, size or abs(estimate.mean), settings.level),
        "margin": size,
        "verdict": intervals.verdict_of_same(estimate.mean, len(pairs.diff), direction, size)
        if same_everywhere
        else intervals.verdict(low, high, direction, size),
        "flags": flags,
    }


def _across_sets(
    pairs: Sample, direction: str, mean: float, flags: list[str]
) -> tuple[dict[str, float | None], Array | None]:
    """The spread of the differences across parameter sets, if there are several; and the sets' means."""
    if pairs.sets.max() == 0:
        return {}, None
    means, counts = intervals.set_means(pairs.diff, pairs.sets)
    if len(means) < intervals.FEW:
        flags.append(f"few parameter sets: {len(means)}")
    if counts.min() > 1:
        luck = np.bincount(pairs.sets, np.square(pairs.diff - means[pairs.sets])) / (counts - 1) / counts
        if luck.mean() > 0.5 * means.var(ddof=1) > 0:
            flags.append("half of the spread across parameter sets or more is luck; run more seeds")
    low, middle, high = intervals.quantiles(means)
    gain = {"higher": means, "lower": -means}.get(direction)
    return {
        "diff_q05": low,
        "diff_q50": middle,
        "diff_q95": high,
        "share_same_sign": float((np.sign(means) == np.sign(mean)).mean()),
        "regret": None if gain is None else max(0.0, float(-gain.min())),
    }, means


def without_values(row: Row) -> bool:
    """Whether neither result has a value of it in any run, as of a cost where nothing was spent."""
    return row.n_base == row.n_cand == 0


@dataclass(frozen=True)
class Opening:
    """The first date at which a difference leaves its margin; an empty `opens` where it never does."""

    schema_version: int
    baseline: str
    candidate: str
    measure: str
    slice: str
    opens: str
    verdict: str


OPENING_COLUMNS = tuple(column.name for column in fields(Opening))


def opening(rows: Sequence[Row]) -> Opening:
    """Where one measure's rows over time open, in the order of their dates."""
    last = rows[-1]
    first = next((row for row in rows if row.verdict in ("better", "worse", "changed")), None)
    opens, word = (first.at, first.verdict) if first else ("", last.verdict)
    return Opening(TABLE_VERSION, last.baseline, last.candidate, last.measure, last.slice, opens, word)
