"""What takes two runs to tell: effects of a policy, the parts that carry a difference, and which result is best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from sim.arrays import Array
from sim.compare import intervals
from sim.compare.differences import Row, Sample, Settings, compare_column, sample
from sim.compare.intervals import Estimate
from sim.compare.outcomes import can_tell, value
from sim.compare.pairing import Pairing
from sim.compare.results import Result

TABLE_VERSION = 1
SALES = "sales_to_target"
# Shares that are sums over segments by chip_market: a segment's part is its own share times its part of the market.
OVER_THE_MARKET = ("domestic_supply_share", "production_share_located", "production_share_hq")
OF_INPUTS = ("equipment_self_supply", "controls_severity")
MOST_INPUTS = 5


@dataclass(frozen=True)
class Effect:
    """One effect of a candidate against the base, over the whole run. None is what cannot be told.

    `lo` to `hi` is the numerical error over seeds; the points are across parameter sets, None for one.
    """

    schema_version: int
    baseline: str
    candidate: str
    effect: str
    slice: str
    unit: str
    n_pairs: int
    n_sets: int
    value: float | None
    lo: float | None
    hi: float | None
    ci_level: float
    q05: float | None
    q50: float | None
    q95: float | None
    flags: str


EFFECT_COLUMNS = tuple(column.name for column in fields(Effect))
MEANINGS = {
    "controllers_lost_revenue": "what suppliers and makers of the controllers sell less to the target than in the base",
    "buyers_cost": "what the target's buyers pay more above the prices of 2020 than in the base",
    "cost_per_point": "subsidies above the base's for each point by which the final domestic supply share is higher",
}


def effects(pairing: Pairing, controllers: Sequence[str], settings: Settings) -> tuple[list[Effect], list[str]]:
    """The effects that the two results can tell, and sentences on those that they cannot."""
    both = (pairing.base.result, pairing.cand.result)
    rows, notes = [], []

    def there(column: str, at: str) -> bool:
        return all(can_tell(result, column, at) for result in both)

    def totals(column: str) -> list[Array]:
        return [value(result, column, "sum") for result in both]

    sellers = [state for state in controllers if there(f"{SALES}.{state}", "sum")]
    if sellers:
        sales = {state: totals(f"{SALES}.{state}") for state in sellers}
        everybody = [np.sum([sold[side] for sold in sales.values()], axis=0) for side in (0, 1)]
        for part, sides in {"all": everybody, **sales}.items():
            # Lost is what the base sells and the candidate does not.
            rows.append(
                _amount(pairing, "controllers_lost_revenue", part, sample(pairing, [-sold for sold in sides]), settings)
            )
    else:
        notes.append(f'the controllers\' lost revenue needs {SALES}, recorded with measures = "all"')
    if there("buyer_cost", "sum"):
        rows.append(_amount(pairing, "buyers_cost", "all", sample(pairing, totals("buyer_cost")), settings))
    if there("subsidy_spent", "sum") and there("domestic_supply_share", "final"):
        shares = [100 * value(result, "domestic_supply_share", "final") for result in both]
        spent = totals("subsidy_spent")
        known = [np.isfinite(money + points) for money, points in zip(spent, shares, strict=True)]
        spent, shares = (
            [np.where(there, values, np.nan) for there, values in zip(known, sides, strict=True)]
            for sides in (spent, shares)
        )
        rows.append(_cost_per_point(pairing, sample(pairing, spent), sample(pairing, shares), settings))
    return rows, notes


def _effect(pairing: Pairing, name: str, part: str, unit: str, pairs: Sample, **told: object) -> Effect:
    given = {
        "schema_version": TABLE_VERSION,
        "baseline": pairing.base.result.name,
        "candidate": pairing.cand.result.name,
        "effect": name,
        "slice": part,
        "unit": unit,
        "n_pairs": len(pairs.diff),
        "n_sets": int(pairs.sets.max(initial=-1)) + 1,
    }
    return Effect(**{**dict.fromkeys(EFFECT_COLUMNS), **given, **told})  # type: ignore[arg-type]


def _amount(pairing: Pairing, name: str, part: str, pairs: Sample, settings: Settings) -> Effect:
    told: dict[str, object] = {"ci_level": settings.level, "flags": "no pair has a value on both sides"}
    if len(pairs.diff):
        estimate = intervals.over_seeds(pairs.diff, pairs.sets, pairs.seeds, settings.level)
        told |= {"value": estimate.mean, "lo": estimate.low, "hi": estimate.high, "flags": "; ".join(estimate.flags)}
        if pairs.sets.max():
            means = intervals.set_means(pairs.diff, pairs.sets)[0]
            told |= dict(zip(("q05", "q50", "q95"), intervals.quantiles(means), strict=True))
    return _effect(pairing, name, part, "bn yuan", pairs, **told)


def _cost_per_point(pairing: Pairing, money: Sample, points: Sample, settings: Settings) -> Effect:
    told: dict[str, object] = {"ci_level": settings.level, "flags": ""}
    if not len(money.diff):
        told["flags"] = "no pair has a value on both sides"
    elif not money.diff.any():
        told["flags"] = "subsidies are the same in both"
    elif intervals.set_means(points.diff, points.sets)[0].mean() <= 0:
        told["flags"] = "no gain in share to divide by"
    else:
        sets = [intervals.set_means(side.diff, side.sets)[0] for side in (money, points)]
        estimate = _ratio_over_seeds(money, points, settings.level)
        told |= {"value": estimate.mean, "lo": estimate.low, "hi": estimate.high, "flags": "; ".join(estimate.flags)}
        if money.sets.max():
            gaining = sets[1] > 0
            told |= dict(
                zip(("q05", "q50", "q95"), intervals.quantiles(sets[0][gaining] / sets[1][gaining]), strict=True)
            )
            if not gaining.all():
                lost = f"{(~gaining).sum()} of {len(gaining)} parameter sets gain nothing and are not in the points"
                told["flags"] = "; ".join(filter(None, [str(told["flags"]), lost]))
    return _effect(pairing, "cost_per_point", "all", "bn yuan a point", money, **told)


def _ratio_over_seeds(money: Sample, points: Sample, level: float) -> Estimate:
    over, under = money.diff, points.diff
    set_count, seed_count = money.sets.max() + 1, money.seeds.max() + 1
    if set_count > 1:
        if len(over) != set_count * seed_count:
            means = [intervals.set_means(side.diff, side.sets)[0].mean() for side in (money, points)]
            return Estimate(float(means[0] / means[1]), None, None, None, ("seeds differ between parameter sets",))
        over, under = (np.bincount(side.seeds, side.diff) / set_count for side in (money, points))
    return fieller(over, under, level)


def fieller(over: Array, under: Array, level: float) -> Estimate:
    """The ratio of two paired means with Fieller's interval (1954).

    None where `under` is not told from 0, nor where the pairs hardly differ from the ratio: the interval is that of
    over - ratio x under, and holds where one of that mean does.
    """
    count = len(over)
    mean = float(over.mean() / under.mean())
    few = ("few pairs",) if count < intervals.FEW else ()
    if count < 2:
        return Estimate(mean, None, None, None, (*few, "one pair: no interval"))
    rest = intervals.without_noise(over - mean * under, abs(over) + abs(mean * under), 0.0)
    if reason := intervals.too_equal(rest):
        return Estimate(mean, None, None, None, (*few, reason))
    (over_square, product), (_, under_square) = (np.cov(over, under) / count).tolist()
    quantile = intervals.t_quantile(count - 1, level)
    below = float(under.mean())
    part = quantile**2 * under_square / below**2
    if part >= 1:
        return Estimate(mean, None, None, None, (*few, "the gain is not told from none: no interval"))
    slope = product / under_square if under_square else 0.0
    inside = over_square - 2 * mean * product + mean**2 * under_square - part * (over_square - slope * product)
    reach = quantile / abs(below) * math.sqrt(max(inside, 0.0))
    low, high = (mean - part * slope + sign * reach for sign in (-1, 1))
    skewed = any(map(intervals.is_skewed, (rest, under)))
    flags = (*few, intervals.SKEWED) if skewed else few
    return Estimate(mean, low / (1 - part), high / (1 - part), None, flags)


# What carries a difference.


@dataclass(frozen=True)
class Carrier:
    """What a segment adds to the difference of a measure, or the difference of an input's own measure.

    Segments' parts add up to the difference, of which `share_of_diff` is each one's part; inputs' do not.
    """

    schema_version: int
    baseline: str
    candidate: str
    measure: str
    at: str
    by: str
    slice: str
    unit: str
    n_pairs: int
    part: float | None
    lo: float | None
    hi: float | None
    ci_level: float
    share_of_diff: float | None
    flags: str


CARRIER_COLUMNS = tuple(column.name for column in fields(Carrier))


def carrying(column: str, columns: Sequence[str]) -> list[str]:
    """The columns that `carriers` needs for a measure, of those that there are."""
    heads = {column, "chip_market", *OF_INPUTS}
    return [name for name in columns if name.partition(".")[0] in heads]


def carriers(pairing: Pairing, row: Row, slices: Mapping[str, Sequence[str]], settings: Settings) -> list[Carrier]:
    """The segments that make up a row's difference, and the inputs that differ most, the largest first."""
    both = (pairing.base.result, pairing.cand.result)
    at = row.at
    segments = []
    for segment in slices.get("segment", []):
        columns = [f"{row.column}.{segment}"]
        if row.column in OVER_THE_MARKET:
            columns += [f"chip_market.{segment}", "chip_market"]
        elif both[0].note(row.column, "kind") != "flow":
            break
        if not all(can_tell(result, column, at) for result in both for column in columns):
            break
        there = sample(pairing, [_part(result, columns, at) for result in both])
        if len(there.diff):
            estimate = intervals.over_seeds(there.diff, there.sets, there.seeds, settings.level)
            part = estimate.mean / row.diff if row.diff and not _is_open(row) else None
            segments.append(
                _carrier(row, row.measure, "segment", segment, row.unit, len(there.diff), estimate, part, settings)
            )
    segments.sort(key=lambda carrier: -abs(carrier.part or 0.0))
    inputs = []
    for item in slices.get("input", []):
        for measure in OF_INPUTS:
            column = f"{measure}.{item}"
            if all(can_tell(result, column, at) for result in both):
                other = compare_column(pairing, column, at, settings)
                if other.diff:
                    estimate = Estimate(other.diff, other.diff_lo, other.diff_hi, None, (other.flags,))
                    inputs.append(
                        _carrier(row, measure, "input", item, other.unit, other.n_pairs, estimate, None, settings)
                    )
    inputs.sort(key=lambda carrier: -abs(carrier.part or 0.0))
    kept = [c for measure in OF_INPUTS for c in [i for i in inputs if i.measure == measure][:MOST_INPUTS]]
    return segments + kept


def _is_open(row: Row) -> bool:
    """Whether the sign of a row's difference is open, so that nothing is a part of it."""
    low, high = row.spread
    return low is not None and high is not None and low < 0 < high


def _part(result: Result, columns: Sequence[str], at: str) -> Array:
    first, *others = (value(result, column, at) for column in columns)
    return first * others[0] / others[1] if others else first


def _carrier(
    row: Row,
    measure: str,
    by: str,
    part: str,
    unit: str,
    count: int,
    estimate: Estimate,
    share: float | None,
    settings: Settings,
) -> Carrier:
    return Carrier(
        TABLE_VERSION,
        row.baseline,
        row.candidate,
        measure,
        row.at,
        by,
        part,
        unit,
        count,
        estimate.mean,
        estimate.low,
        estimate.high,
        settings.level,
        share,
        "; ".join(estimate.flags),
    )


# Which is best.


@dataclass(frozen=True)
class Best:
    """How often a result is the best of all, over the pairs that all of them have; equals share the place."""

    schema_version: int
    measure: str
    slice: str
    at: str
    direction: str
    result: str
    n_pairs: int
    share_best: float | None


BEST_COLUMNS = tuple(column.name for column in fields(Best))


def best(pairings: Sequence[Pairing], column: str, at: str, direction: str) -> list[Best]:
    """How often the base and each candidate are best in one measure; nothing where it has no direction."""
    if direction not in ("higher", "lower") or not all(pairing.paired for pairing in pairings):
        return []
    gains = []
    for pairing in pairings:
        both = sample(pairing, [value(side.result, column, at) for side in (pairing.base, pairing.cand)])
        gains.append({pairing.base.pairs[place]: gain for place, gain in zip(both.kept, both.diff, strict=True)})
    pairs = [pair for pair in gains[0] if all(pair in others for others in gains[1:])]
    table = np.array([[0.0, *(gain[pair] for gain in gains)] for pair in pairs]).reshape(len(pairs), 1 + len(gains))
    table = table if direction == "higher" else -table
    first = table == table.max(axis=1, initial=-math.inf, keepdims=True)
    shares = (first / first.sum(axis=1, keepdims=True)).mean(axis=0) if pairs else [None] * (1 + len(gains))
    names = [pairings[0].base.result.name, *(pairing.cand.result.name for pairing in pairings)]
    measure, _, part = column.partition(".")
    return [
        Best(TABLE_VERSION, measure, part or "all", at, direction, name, len(pairs), None if s is None else float(s))
        for name, s in zip(names, shares, strict=True)
    ]
