"""The table of reaching: how many runs get there, and when. Runs that never do are censored, not dropped."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array, Flags
from sim.compare import intervals
from sim.compare.differences import Margin, Sample, Settings, sample
from sim.compare.intervals import Estimate
from sim.compare.pairing import Pairing
from sim.compare.results import Result
from sim.errors import BadInput, nearest
from sim.measures import share_fault

TABLE_VERSION = 1
Times = tuple[NDArray[np.intp], Flags]
SIGNS: dict[str, Callable[[Array, float], Flags]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Target:
    """A level of a measure that a run reaches or not, such as domestic_supply_share >= 0.7."""

    column: str
    sign: str
    level: float

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{self.level:g}"


def target_of(text: str) -> Target:
    """A Target as --reach has it. Raises BadInput."""
    form = re.fullmatch(r"\s*([^<>=\s]+)\s*(>=|<=|>|<)\s*(.+?)\s*", text)
    try:
        if form and math.isfinite(level := float(form[3])):
            return Target(form[1], form[2], level)
    except ValueError:
        pass
    raise BadInput(f"--reach = {text!r}: must be a measure, one of >=, <=, >, < and a number, such as 'price_index<=1'")


@dataclass(frozen=True)
class ReachRow:
    """How one target is reached by one candidate and by the base. None is what cannot be told.

    Where runs stop before the horizon without getting there, whether they would have is not known: the shares are
    then the survival curves', no interval holds (a stop rule looks at what it censors) and the verdict is open.
    `margin` is the difference of shares that does not matter. Shares are of runs, 0 to 1, and their difference comes
    with the interval of its numerical error and, for several parameter sets, its 5, 50 and 95 % points across them.
    A median is the year of the Kaplan-Meier curve's half, None where fewer than half get there. A restricted mean is
    the mean number of years until the target is reached or the horizon ends, counted from the first recorded date;
    `n_censored` are the runs that did not get there while they were watched.
    """

    schema_version: int
    baseline: str
    candidate: str
    target: str
    measure: str
    unit: str
    direction: str
    horizon: str
    n_base: int
    n_cand: int
    n_pairs: int
    n_sets: int
    pairing: str
    base_share: float | None
    cand_share: float | None
    diff_share: float | None
    diff_lo: float | None
    diff_hi: float | None
    ci_level: float
    diff_q05: float | None
    diff_q50: float | None
    diff_q95: float | None
    base_n_censored: int
    cand_n_censored: int
    base_median_year: float | None
    cand_median_year: float | None
    base_restricted_mean: float | None
    cand_restricted_mean: float | None
    diff_restricted_mean: float | None
    restricted_lo: float | None
    restricted_hi: float | None
    margin: float | None
    verdict: str
    flags: str

    @property
    def spread(self) -> tuple[float | None, float | None]:
        """What the verdict is from: the 5 and 95 % points across parameter sets, or the interval over seeds."""
        return (self.diff_q05, self.diff_q95) if self.n_sets > 1 else (self.diff_lo, self.diff_hi)


REACH_COLUMNS = tuple(column.name for column in fields(ReachRow))


def check_target(target: Target, results: Sequence[Result]) -> None:
    """Refuse what the results have no series of. Raises BadInput."""
    problems = []
    for result in results:
        measures = result.source.measures if result.source else ()
        if not measures:
            problems.append(f"--reach = '{target}': {result.path} has no series over time; give a result folder")
        elif target.column not in measures:
            close = nearest(target.column, measures)
            problems.append(f"--reach = '{target}': {result.path} has no {target.column} over time{close}")
        elif fault := share_fault(target.level, result.note(target.column, "unit")):
            problems.append(f"--reach = '{target}': {fault}")
    if problems:
        raise BadInput(list(dict.fromkeys(problems)))


def reach(pairing: Pairing, target: Target, settings: Settings) -> ReachRow:
    """The row of one target. Raises BadInput where the two have different dates."""
    base, candidate = pairing.base.result, pairing.cand.result
    dates = base.series.dates
    if dates != candidate.series.dates:
        spans = [f"{r.path} has {r.series.dates[0]} to {r.series.dates[-1]}" for r in (base, candidate)]
        counts = [len(result.series.dates) for result in (base, candidate)]
        raise BadInput(
            f"--reach = '{target}': dates differ: {spans[0]} ({counts[0]} dates), {spans[1]} ({counts[1]} dates)"
        )
    sides = [_times(result, target) for result in (base, candidate)]
    (base_steps, base_event), (cand_steps, cand_event) = sides
    shares = [np.where(steps >= 0, event.astype(float), np.nan) for steps, event in sides]
    years = _years(dates)
    restricted = [pseudo_means(steps, event, years) for steps, event in sides]
    pairs = sample(pairing, shares)
    late = sample(pairing, restricted)
    empty = dict.fromkeys(REACH_COLUMNS)
    flags = [*pairing.flags]
    told: dict[str, Any] = {}
    if min(len(pairs.base), len(pairs.cand)):
        told = _told(pairs, late, settings, pairing)
        if stopped := _stopped((base, candidate), sides, len(dates)):
            told |= _from_curves(sides, years)
            flags.append(stopped)
    flags += told.pop("flags", ["no pair has a value on both sides"])
    if pairs.dropped:
        flags.append(f"{pairs.dropped} pairs dropped: a value is missing")
    direction = _direction(target, base.note(target.column, "direction") or candidate.note(target.column, "direction"))
    spread = ("diff_q05", "diff_q95") if pairs.sets.max(initial=0) else ("diff_lo", "diff_hi")
    low, high = (told.get(name) for name in spread)
    margin = settings.margins.get(str(target), Margin(0.0)).of(told.get("base_share") or 0.0)
    given = {
        "schema_version": TABLE_VERSION,
        "baseline": base.name,
        "candidate": candidate.name,
        "target": str(target),
        "measure": target.column,
        "unit": base.note(target.column, "unit") or candidate.note(target.column, "unit"),
        "direction": direction,
        "horizon": dates[-1],
        "n_base": int((base_steps >= 0).sum()),
        "n_cand": int((cand_steps >= 0).sum()),
        "n_pairs": len(pairs.diff),
        "n_sets": int(pairs.sets.max(initial=-1)) + 1,
        "pairing": "paired" if pairing.paired else "unpaired",
        "ci_level": settings.level,
        "base_n_censored": int(((base_steps >= 0) & ~base_event).sum()),
        "cand_n_censored": int(((cand_steps >= 0) & ~cand_event).sum()),
        "base_median_year": median_year(base_steps, base_event, years),
        "cand_median_year": median_year(cand_steps, cand_event, years),
        "margin": margin,
        "verdict": intervals.verdict(low, high, direction, margin) if told else "incomparable",
        "flags": "; ".join(dict.fromkeys(flags)),
    }
    return ReachRow(**{**empty, **told, **given})


def _stopped(results: Sequence[Result], sides: Sequence[Times], dates: int) -> str:
    """A sentence on the runs that stop before the last date without having got there; empty where none does."""
    early = [int(((steps >= 0) & (steps < dates - 1) & ~event).sum()) for steps, event in sides]
    if not any(early):
        return ""
    told = " and ".join(f"{count} runs of {result.name}" for count, result in zip(early, results, strict=True) if count)
    return f"{told} stop before the horizon without getting there, which is not never: no interval"


def _from_curves(sides: Sequence[Times], years: Array) -> dict[str, Any]:
    """The shares by the survival curves, without intervals; None where no run is watched to the end."""
    base, cand = (share_there(*side, len(years) - 1) for side in sides)
    no_intervals = dict.fromkeys(["diff_lo", "diff_hi", "restricted_lo", "restricted_hi"])
    difference = None if base is None or cand is None else cand - base
    points = dict.fromkeys(["diff_q05", "diff_q50", "diff_q95"])
    return {"base_share": base, "cand_share": cand, "diff_share": difference, "flags": [], **no_intervals, **points}


def _direction(target: Target, better: str) -> str:
    """Whether it is better that more runs get there."""
    if better not in ("higher", "lower"):
        return better
    return "higher" if (better == "higher") == target.sign.startswith(">") else "lower"


def _told(pairs: Sample, late: Sample, settings: Settings, pairing: Pairing) -> dict[str, Any]:
    """What at least one pair tells, by the names of the row's fields."""
    if not pairing.paired:
        ours, theirs = ((int(side.sum()), len(side)) for side in (pairs.base, pairs.cand))
        swept = not all(np.isin(side, (0.0, 1.0)).all() for side in (pairs.base, pairs.cand))
        share = (
            intervals.welch(pairs.base, pairs.cand, settings.level)
            if swept
            else unpaired_shares(ours, theirs, settings.level)
        )
        years = intervals.welch(late.base, late.cand, settings.level)
        flags = ["unpaired: the luck of the two sides is taken as independent"]
    else:
        share = _share_difference(pairs, settings)
        years = intervals.over_seeds(late.diff, late.sets, late.seeds, settings.level)
        flags = ["few pairs"] if len(pairs.diff) < intervals.FEW else []
    said = {*flags, *share.flags}
    told = {
        "base_share": _mean(pairs.base, pairs.sets, pairing.paired),
        "cand_share": _mean(pairs.cand, pairs.sets, pairing.paired),
        "diff_share": share.mean,
        "diff_lo": share.low,
        "diff_hi": share.high,
        "base_restricted_mean": _mean(late.base, late.sets, pairing.paired),
        "cand_restricted_mean": _mean(late.cand, late.sets, pairing.paired),
        "diff_restricted_mean": years.mean,
        "restricted_lo": years.low,
        "restricted_hi": years.high,
        "flags": [*flags, *share.flags, *(f"mean years: {flag}" for flag in years.flags if flag not in said)],
    }
    if pairs.sets.max(initial=0):
        means = intervals.set_means(pairs.diff, pairs.sets)[0]
        told |= dict(zip(("diff_q05", "diff_q50", "diff_q95"), intervals.quantiles(means), strict=True))
    return told


def _mean(values: Array, sets: NDArray[np.intp], paired: bool) -> float:
    return float(intervals.set_means(values, sets)[0].mean() if paired else values.mean())


def _share_difference(pairs: Sample, settings: Settings) -> Estimate:
    """The difference of two paired shares."""
    outcomes = np.concatenate([pairs.base, pairs.cand])
    one_set = pairs.sets.max() == 0
    if not one_set or not np.isin(outcomes, (0.0, 1.0)).all():
        return intervals.over_seeds(pairs.diff, pairs.sets, pairs.seeds, settings.level)
    return paired_shares(int((pairs.diff > 0).sum()), int((pairs.diff < 0).sum()), len(pairs.diff), settings.level)


def paired_shares(gained: int, lost: int, count: int, level: float) -> Estimate:
    """The difference of two paired shares with an interval: the adjusted Wald interval of Bonett and Price (2012).

    `gained` pairs have only the candidate there, `lost` only the base, of `count` pairs.
    """
    from scipy.special import ndtri

    mean = (gained - lost) / count
    if count < 2:
        return Estimate(mean, None, None, None, ("one pair: no interval",))
    above, below = (gained + 1) / (count + 2), (lost + 1) / (count + 2)
    reach = float(ndtri((1 + level) / 2)) * math.sqrt((above + below - (above - below) ** 2) / (count + 2))
    centre = above - below
    return Estimate(mean, max(-1.0, centre - reach), min(1.0, centre + reach), None)


def unpaired_shares(ours: tuple[int, int], theirs: tuple[int, int], level: float) -> Estimate:
    """The difference of two unpaired shares, theirs less ours, with the interval of Agresti and Caffo (2000).

    A side is how many runs get there, of how many.
    """
    from scipy.special import ndtri

    mean = theirs[0] / theirs[1] - ours[0] / ours[1]
    if min(ours[1], theirs[1]) < 2:
        return Estimate(mean, None, None, None, ("one run: no interval",))
    below, above = ((there + 1) / (count + 2) for there, count in (ours, theirs))
    variance = below * (1 - below) / (ours[1] + 2) + above * (1 - above) / (theirs[1] + 2)
    reach, centre = float(ndtri((1 + level) / 2)) * math.sqrt(variance), above - below
    return Estimate(mean, max(-1.0, centre - reach), min(1.0, centre + reach), None)


# Times.


def _times(result: Result, target: Target) -> Times:
    """For each run the place of the date when it gets there or, without that, of its last date; and whether it does.

    The place is -1 for a run that has no value at all.
    """
    values = result.series.values[target.column]
    there = SIGNS[target.sign](values, target.level) & np.isfinite(values)
    event = there.any(axis=1)
    known = np.isfinite(values)
    last = np.where(known.any(axis=1), values.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), -1)
    return np.where(event, np.argmax(there, axis=1), last), event


def _years(dates: Sequence[str]) -> Array:
    """When each date's period begins, in years, and when the last one ends: shape (dates + 1,)."""
    ends = [int(date[:4]) + (int(date[5:7]) / 12 if len(date) > 4 else 1.0) for date in dates]
    length = min(np.diff(ends), default=1.0)
    return np.array([ends[0] - length, *ends])


def survival(steps: NDArray[np.intp], event: Flags, dates: int) -> Array:
    """The Kaplan-Meier curve: the part that has not got there after each of the dates, shape (dates,).

    Kaplan and Meier (1958). A run that gets there at a date counts as at risk there, and so does one censored there.
    """
    steps, event = steps[steps >= 0], event[steps >= 0]
    events = np.bincount(steps[event], minlength=dates)
    leaving = np.bincount(steps, minlength=dates)
    at_risk = len(steps) - np.concatenate([[0], np.cumsum(leaving)[:-1]])
    return np.cumprod(np.where(at_risk > 0, 1 - events / np.maximum(at_risk, 1), 1.0))


def share_there(steps: NDArray[np.intp], event: Flags, dates: int) -> float | None:
    """The share that has got there by the last date, by the Kaplan-Meier curve.

    None where the curve ends before: some had not got there, and none of them is watched to the last date.
    """
    left = float(survival(steps, event, dates)[-1])
    return 1 - left if left == 0 or steps.max() == dates - 1 else None


def median_year(steps: NDArray[np.intp], event: Flags, years: Array) -> float | None:
    """The year in which half have got there, by the Kaplan-Meier curve; None if they never have.

    A year recorded as a whole is a whole number; a quarter begins at a quarter of one.
    """
    curve = survival(steps, event, len(years) - 1)
    half = np.flatnonzero(curve <= 0.5 + 1e-12)
    return float(years[half[0]]) if len(half) else None


def restricted_mean(steps: NDArray[np.intp], event: Flags, years: Array) -> float:
    """Mean years from the first period's beginning until there, no more than to the horizon: the area under the curve.

    A run that gets there within a period is taken to do so as the period begins.
    """
    curve = survival(steps, event, len(years) - 1)
    return float((curve * np.diff(years)).sum())


def pseudo_means(steps: NDArray[np.intp], event: Flags, years: Array) -> Array:
    """Each run's part in the restricted mean, shape (runs,): a jackknife pseudo-value, NaN for a run without values.

    Andersen, Hansen and Klein (2004). Where no run is censored before the horizon it is the run's own time.
    """
    known = steps >= 0
    result = np.full(len(steps), np.nan)
    count = int(known.sum())
    if not count:
        return result
    if (event | ~known | (steps == len(years) - 2)).all():
        result[known] = (years[np.where(event, steps, steps + 1)] - years[0])[known]
        return result
    whole = restricted_mean(steps, event, years)
    kinds = steps[known] * 2 + event[known]
    values = np.empty(count)
    for kind in np.unique(kinds):  # runs that leave at the same date in the same way have the same pseudo-value
        alike = np.flatnonzero(kinds == kind)
        others = np.delete(np.flatnonzero(known), alike[0])
        without = restricted_mean(steps[others], event[others], years) if count > 1 else 0.0
        values[alike] = count * whole - (count - 1) * without
    result[known] = values
    return result
