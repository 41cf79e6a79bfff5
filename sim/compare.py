"""Comparing results run by run: reads files, never the model.

Runs with the same parameter set and the same seed have the same luck, so a difference is taken within each
such pair, candidate minus base, and only the pairs' differences are averaged. In a sweep it is taken at each
design point and averaged over the points within the pair: more points do not make more pairs.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.measures import HEADLINE
from sim.measures import SHARE as UNIT_OF_SHARES
from sim.records import KEYS, MANIFEST, OUTCOME_YEARS, RUNS, SCHEMA_VERSION, line, read_rows, unfinished
from sim.vocabulary import BadInput, nearest

MAIN_MEASURE = "domestic_supply_share"  # the one that the sentence tells, where it is compared
AT = ("end", *map(str, OUTCOME_YEARS), "peak", "sum")
FORMATS = ("table", "csv", "json")
FEW_PAIRS = 10
STATUSES = ("done", "failed")
FINGERPRINTS = ("world", "program_hash", "horizon", "arithmetic", "dependencies")  # should agree

Floats = NDArray[np.float64]
Key = float | str


@dataclass(frozen=True)
class Result:
    """The runs of one result in the order of the file; a bare table has no manifest.

    `keys` holds a list for each of config, parameter_set, seed and the swept keys. `done` has shape (runs,),
    and so has each column of `outcomes`: NaN where a value is missing or the run failed.
    """

    path: str
    name: str
    configs: tuple[str, ...]
    swept: tuple[str, ...]
    keys: Mapping[str, list[Key]]
    done: NDArray[np.bool_]
    outcomes: Mapping[str, Floats]
    manifest: Mapping[str, Any] | None

    def groups(self, names: Sequence[str]) -> list[tuple[Key, ...]]:
        """The values of some keys, run by run."""
        if not names:
            return [()] * len(self.done)
        return list(zip(*(self.keys[name] for name in names), strict=True))

    def note(self, column: str, what: str) -> str:
        """The unit or direction of a column, empty where it is unknown."""
        return (self.manifest or {}).get("columns", {}).get(column, {}).get(what, "")


@dataclass(frozen=True)
class Row:
    """One measure of one candidate against the base. None is what cannot be told.

    `n_base` and `n_cand` count the runs that have a value. The means, the difference (candidate minus base)
    and its interval, in `unit`, are over the `n_pairs` pairs with a value on both sides. `rel_diff` is the
    difference as a part of the base's absolute mean, `corr_pairs` the correlation of the two sides over at
    least three pairs.
    """

    baseline: str
    candidate: str
    measure: str
    unit: str
    direction: str
    at: str
    n_base: int
    n_cand: int
    n_pairs: int
    base_mean: float | None
    cand_mean: float | None
    diff: float | None
    diff_lo: float | None
    diff_hi: float | None
    ci_level: float
    rel_diff: float | None
    corr_pairs: float | None
    verdict: str
    flags: str


COLUMNS = tuple(field.name for field in fields(Row))


# Reading.


def read_results(paths: Sequence[str | Path]) -> list[Result]:
    """Read several results and name each after its configs, else its folder, else its path: names differ.

    Raises BadInput with the problems of all of them.
    """
    results, problems = [], []
    for path in paths:
        try:
            results.append(read_result(path))
        except BadInput as fault:
            problems += fault.problems
    if problems:
        raise BadInput(problems)
    different = len({result.path for result in results})
    for names in ([result.name for result in results], [Path(result.path).resolve().name for result in results]):
        if len(set(names)) == different:
            break
    else:
        names = [result.path for result in results]
    return [replace(result, name=name) for result, name in zip(results, names, strict=True)]


def read_result(path: str | Path) -> Result:
    """Read a result folder, or a bare `runs.csv`, which has no units and directions. Raises BadInput."""
    path = Path(path)
    if not path.exists():
        raise BadInput(f"{path}: does not exist; give a result folder or a {RUNS}")
    table, manifest = path, None
    if path.is_dir():
        table = path / RUNS
        if not table.exists():
            advice = "finish the batch first" if unfinished(path) else "give a result folder"
            raise BadInput(f"{path}: holds no {RUNS}; {advice}")
        manifest = _read_manifest(path)
    rows = list(read_rows(table))
    if not rows:
        raise BadInput(f"{table}: holds no runs")
    header = list(rows[0])
    if missing := [column for column in (*KEYS, "status") if column not in header]:
        needed = ", ".join((*KEYS, "status"))
        raise BadInput([f"{table}: column {column!r} is missing; needed are {needed}" for column in missing])
    swept = tuple(column for column in header[: header.index("status")] if column not in KEYS)
    statuses = [row["status"] for row in rows]
    for number, status in enumerate(statuses, start=2):
        if status not in STATUSES:
            raise BadInput(f"{table}: line {number}: status = {status!r}: must be {' or '.join(STATUSES)}")
    done = np.array([status == "done" for status in statuses])
    if not done.any():
        raise BadInput(f"{table}: none of its {len(rows)} runs has status done; there is nothing to compare")
    keys = {
        column: [_key(row[column], table, number, column) for number, row in enumerate(rows, start=2)]
        for column in ("config", "parameter_set", "seed", *swept)
    }
    first: dict[tuple[Key, ...], int] = {}
    for number, run in enumerate(zip(*keys.values(), strict=True), start=2):
        if first.setdefault(run, number) != number:
            raise BadInput(f"{table}: line {number}: has the same {', '.join(keys)} as line {first[run]}")
    outcomes = {
        column: np.where(done, _numbers(rows, table, column), np.nan)
        for column in header
        if "@" in column and column.rpartition("@")[2] in AT
    }
    configs = tuple(sorted({str(config) for config in keys["config"]}))
    return Result(str(path), "+".join(configs), configs, swept, keys, done, outcomes, manifest)


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        version = manifest["schema_version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(
            f"{path}: is missing or no manifest of ours; to compare without units and directions give {folder / RUNS}"
        ) from None
    if version != SCHEMA_VERSION:
        raise BadInput(
            f"{path}: schema_version = {version!r}: must be {SCHEMA_VERSION}; run it again with this version"
        )
    written = (manifest.get("files", {}).get(RUNS) or {}).get("bytes")
    found = (folder / RUNS).stat().st_size
    if written not in (None, found):
        raise BadInput(f"{folder / RUNS}: has {found} bytes, and {written} were written; run it again")
    return manifest


def _key(text: str, table: Path, number: int, column: str) -> Key:
    """A key's value; equal numbers are equal however they are written."""
    if not text:
        raise BadInput(f"{table}: line {number}: {column} is empty; without it a run has no pair")
    try:
        return float(text)
    except ValueError:
        return text


def _numbers(rows: Sequence[Mapping[str, str]], table: Path, column: str) -> Floats:
    """A column, shape (runs,), NaN where it is empty or not finite."""
    values = np.empty(len(rows))
    for place, row in enumerate(rows):
        text = row[column]
        try:
            values[place] = float(text or "nan")
        except ValueError:
            where = f"{table}: line {place + 2}"
            raise BadInput(f"{where}: {column} = {text!r}: must be a number or empty") from None
    return np.where(np.isfinite(values), values, np.nan)


# Pairing.


@dataclass(frozen=True)
class Pairing:
    """Which runs belong together.

    `pairs` are the (parameter_set, seed) and `points` the design points that both results have. Each result
    has an array of cells, shape (runs,): pair x points + point, or -1 for a run whose pair or point the other
    does not have.
    """

    pairs: list[tuple[Key, ...]]
    points: list[tuple[Key, ...]]
    base_cells: NDArray[np.intp]
    cand_cells: NDArray[np.intp]
    coverage: str
    flags: list[str]

    def values(self, outcome: Floats, cells: NDArray[np.intp]) -> Floats:
        """A column's values, shape (pairs, points); NaN where the value of any run of a cell is missing.

        A cell has several runs where only one of the results sweeps a key: their mean counts.
        """
        shape = (len(self.pairs), len(self.points))
        size, inside = shape[0] * shape[1], cells >= 0
        counts = np.bincount(cells[inside], minlength=size).reshape(shape)
        sums = np.bincount(cells[inside], outcome[inside], minlength=size).reshape(shape)
        full = (counts > 0) & (counts == counts.max(axis=0, initial=0))
        return np.where(full, sums / np.maximum(counts, 1), np.nan)


def _pairing(base: Result, candidate: Result) -> Pairing:
    shared = [key for key in base.swept if key in candidate.swept]
    if len(base.configs) > 1 or len(candidate.configs) > 1:
        if base.configs != candidate.configs:
            held = [f"{result.path} holds {', '.join(result.configs)}" for result in (base, candidate)]
            raise BadInput(f"{'; '.join(held)}: give results of one config each, or of the same configs")
        shared.insert(0, "config")
    flags = [
        f"mean over {key}, which only {result.name} sweeps"
        for result in (base, candidate)
        for key in result.swept
        if key not in shared
    ]
    base_pairs, cand_pairs = (result.groups(["parameter_set", "seed"]) for result in (base, candidate))
    base_points, cand_points = (result.groups(shared) for result in (base, candidate))
    pairs = _in_common(base_pairs, cand_pairs)
    points = _in_common(base_points, cand_points)
    if not points:
        flags.append("no design point in common")
    sets = {pair[0] for pair in pairs}
    if len(sets) > 1:
        flags.append(f"the interval mixes seeds with {len(sets)} parameter sets")
    coverage = "; ".join(
        [
            *(
                f"runs of {result.name}: {result.done.sum()} done, {(~result.done).sum()} failed"
                for result in (base, candidate)
            ),
            _shared_count("pairs", set(base_pairs), set(cand_pairs), base.name, candidate.name),
            _shared_count("design points", set(base_points), set(cand_points), base.name, candidate.name),
        ]
    )
    return Pairing(
        pairs,
        points,
        _cells(base_pairs, base_points, pairs, points),
        _cells(cand_pairs, cand_points, pairs, points),
        coverage,
        flags,
    )


def _in_common(ours: Sequence[tuple[Key, ...]], theirs: Sequence[tuple[Key, ...]]) -> list[tuple[Key, ...]]:
    # In an order that depends on neither file, so that swapping them changes no last digit.
    def order(values: tuple[Key, ...]) -> list[tuple[bool, Key]]:
        return [(isinstance(value, str), value) for value in values]

    return sorted(set(ours) & set(theirs), key=order)


def _shared_count(what: str, ours: set[Any], theirs: set[Any], base: str, candidate: str) -> str:
    return (
        f"{what} in common: {len(ours & theirs)}, only in {base}: {len(ours - theirs)}, "
        f"only in {candidate}: {len(theirs - ours)}"
    )


def _cells(
    run_pairs: Sequence[Any], run_points: Sequence[Any], pairs: Sequence[Any], points: Sequence[Any]
) -> NDArray[np.intp]:
    pair_places = {pair: place for place, pair in enumerate(pairs)}
    point_places = {point: place for place, point in enumerate(points)}
    return np.array(
        [
            pair_places[pair] * len(points) + point_places[point]
            if pair in pair_places and point in point_places
            else -1
            for pair, point in zip(run_pairs, run_points, strict=True)
        ],
        dtype=np.intp,
    )


# Comparing.


def compare(
    base: Result, candidate: Result, measures: Sequence[str] | None = None, at: str = "end", level: float = 0.95
) -> list[Row]:
    """One row for each measure; by default the headline measures that both results have.

    The interval is Student's t of the paired differences, at confidence `level`. Raises BadInput for what the
    results do not have, and for units that differ.
    """
    if not 0 < level < 1:
        raise BadInput(f"--level = {level}: must lie between 0 and 1, such as 0.95")
    names = _chosen(base, candidate, measures, at)
    units = {name: [result.note(f"{name}@{at}", "unit") for result in (base, candidate)] for name in names}
    if differing := [name for name, (ours, theirs) in units.items() if ours and theirs and ours != theirs]:
        raise BadInput(
            [
                f"{name}@{at}: its unit is {units[name][0]!r} in {base.path} and {units[name][1]!r} "
                f"in {candidate.path}; choose others with --measure"
                for name in differing
            ]
        )
    pairing = _pairing(base, candidate)
    flags = list(pairing.flags)
    if (
        base.manifest
        and candidate.manifest
        and at not in map(str, OUTCOME_YEARS)
        and base.manifest.get("horizon") != candidate.manifest.get("horizon")
    ):
        flags.append("horizons differ")
    return [_compare_measure(base, candidate, pairing, name, at, level, flags) for name in names]


def _chosen(base: Result, candidate: Result, measures: Sequence[str] | None, at: str) -> list[str]:
    """The measures to compare: those asked for, else the headline, else (there is none of it) all."""
    columns = [column for column in base.outcomes if column in candidate.outcomes]
    dates = {column.rpartition("@")[2] for column in columns}
    if at not in dates:
        there = ", ".join(date for date in AT if date in dates) or "nothing"
        raise BadInput(f"--at = {at!r}: {base.path} and {candidate.path} have {there} in common")
    there_are = [column.rpartition("@")[0] for column in columns if column.endswith(f"@{at}")]
    if not measures:
        return [name for name in HEADLINE if name in there_are] or there_are
    problems = []
    for name in measures:
        if lacking := [result.path for result in (base, candidate) if f"{name}@{at}" not in result.outcomes]:
            problems.append(
                f"--measure = {name!r}: there is no {name}@{at} in {' and '.join(lacking)}"
                f"{nearest(name, there_are)}; in common are {', '.join(there_are)}"
            )
    if problems:
        raise BadInput(problems)
    return list(dict.fromkeys(measures))


def _compare_measure(
    base: Result, candidate: Result, pairing: Pairing, measure: str, at: str, level: float, flags: Sequence[str]
) -> Row:
    column = f"{measure}@{at}"
    ours, theirs = base.outcomes[column], candidate.outcomes[column]
    base_values = pairing.values(ours, pairing.base_cells)
    cand_values = pairing.values(theirs, pairing.cand_cells)
    # A pair counts only with a value at every design point: else pairs would be means over different points.
    complete = np.isfinite(cand_values - base_values).all(axis=1) & bool(pairing.points)
    base_values, cand_values = base_values[complete], cand_values[complete]
    differences = (cand_values - base_values).mean(axis=1) if complete.any() else np.empty(0)
    count, dropped = len(differences), len(complete) - len(differences)
    flags = list(flags)
    if not len(complete):
        flags.append("no pair in common")
    if dropped:
        flags.append(f"{dropped} of {len(complete)} pairs dropped: a value is missing")
    if count == 1:
        flags.append("one pair: no interval")
    if count < FEW_PAIRS:
        flags.append("few pairs")
    if is_skewed(differences):
        flags.append("skewed differences: the interval is unsure")
    direction = base.note(measure, "direction") or candidate.note(measure, "direction")
    base_mean = cand_mean = difference = low = high = relative = correlation = None
    if count:
        base_mean, cand_mean = float(base_values.mean()), float(cand_values.mean())
        difference, low, high = mean_and_interval(differences, level)
        relative = difference / abs(base_mean) if base_mean else None
        if relative is not None and not math.isfinite(relative):
            relative = None
        correlation = _correlation(base_values.mean(axis=1), cand_values.mean(axis=1))
    return Row(
        baseline=base.name,
        candidate=candidate.name,
        measure=measure,
        unit=base.note(column, "unit") or candidate.note(column, "unit"),
        direction=direction,
        at=at,
        n_base=int(np.isfinite(ours).sum()),
        n_cand=int(np.isfinite(theirs).sum()),
        n_pairs=count,
        base_mean=base_mean,
        cand_mean=cand_mean,
        diff=difference,
        diff_lo=low,
        diff_hi=high,
        ci_level=level,
        rel_diff=relative,
        corr_pairs=correlation,
        verdict=verdict(difference, low, high, direction),
        flags="; ".join(flags),
    )


def mean_and_interval(differences: Floats, level: float) -> tuple[float, float | None, float | None]:
    """The mean of at least one difference, and Student's t interval; with one pair there is none."""
    from scipy.special import stdtrit

    if np.ptp(differences) == 0:  # exactly, which a sum over equal numbers need not give
        mean = float(differences[0])
        return (mean, mean, mean) if len(differences) > 1 else (mean, None, None)
    mean = float(differences.mean())
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    reach = float(stdtrit(len(differences) - 1, (1 + level) / 2)) * error
    return mean, mean - reach, mean + reach


def is_skewed(differences: Floats) -> bool:
    """Whether the differences are too skewed for their number: pairs < 25 x skewness squared.

    That is Cochran's rule of thumb; the skewness is the sample's, g1. Below ten pairs it says too little, and
    few pairs are flagged anyway.
    """
    if len(differences) < FEW_PAIRS or np.ptp(differences) == 0:
        return False
    deviations = differences - differences.mean()
    skewness = (deviations**3).mean() / (deviations**2).mean() ** 1.5
    return bool(len(differences) < 25 * skewness**2)


def verdict(difference: float | None, low: float | None, high: float | None, direction: str) -> str:
    """What the interval says with margin 0; better and worse need a direction, higher or lower."""
    if difference is None:
        return "incomparable"
    if low is None or high is None:
        return "inconclusive"
    if low == high == 0:
        return "equivalent"
    if low <= 0 <= high:
        return "inconclusive"
    if direction not in ("higher", "lower"):
        return "changed"
    return "better" if (difference > 0) == (direction == "higher") else "worse"


def _correlation(ours: Floats, theirs: Floats) -> float | None:
    if len(ours) < 3 or np.ptp(ours) == 0 or np.ptp(theirs) == 0:
        return None
    correlation = float(np.corrcoef(ours, theirs)[0, 1])
    return correlation if math.isfinite(correlation) else None


# What the two results are.


def agreement(base: Result, candidate: Result) -> list[str]:
    """Sentences on what differs between the two results besides their outcomes, and on what they cover."""
    bare = dict.fromkeys(result.path for result in (base, candidate) if not result.manifest)
    notes = [f"{path}: a bare table; its program, world, scenario and units are unknown" for path in bare]
    if base.manifest and candidate.manifest:
        ours, theirs = base.manifest, candidate.manifest
        differing = [key for key in FINGERPRINTS if ours.get(key) != theirs.get(key)]
        notes += [
            f"{key} differs: {json.dumps(ours.get(key))} in {base.name}, {json.dumps(theirs.get(key))} "
            f"in {candidate.name}"
            for key in differing
        ]
        agreeing = [key for key in FINGERPRINTS if key not in differing]
        if agreeing:
            notes.append(f"the same in both: {', '.join(agreeing)}")
        notes += _scenario_differences(base, candidate)
    return [*notes, _pairing(base, candidate).coverage]


def _scenario_differences(base: Result, candidate: Result) -> list[str]:
    notes = []
    assert base.manifest and candidate.manifest
    ours, theirs = base.manifest.get("scenarios", {}), candidate.manifest.get("scenarios", {})
    for old_name, new_name in zip(base.configs, candidate.configs, strict=False):
        old, new = ours.get(old_name, {}), theirs.get(new_name, {})
        start = f"{old_name}: " if len(base.configs) > 1 else ""
        for key in sorted(old.get("values", {}).keys() | new.get("values", {}).keys()):
            old_value, new_value = _shown(base, old, key), _shown(candidate, new, key)
            if old_value != new_value:
                notes.append(f"{start}{key}: {old_value} in {base.name}, {new_value} in {candidate.name}")
        old_events, new_events = old.get("events", []), new.get("events", [])
        if old_events != new_events:
            notes.append(
                f"{start}events differ: {len(old_events)} in {base.name}, {len(new_events)} in {candidate.name}"
            )
    return notes


def _shown(result: Result, scenario: Mapping[str, Any], key: str) -> str:
    if key in result.swept:
        return "swept"
    return json.dumps(scenario["values"][key]) if key in scenario.get("values", {}) else "not there"


# Writing.


def render(rows: Sequence[Row], notes: Sequence[str], format: str = "table") -> str:
    """The comparison as text: a table to read, or in full precision `csv` (the rows alone) or `json`."""
    if format == "csv":
        return "".join([line(COLUMNS), *(line(asdict(row).values()) for row in rows)])
    if format == "json":
        content = {"notes": list(notes), "rows": [asdict(row) for row in rows]}
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if format != "table":
        raise BadInput(f"--format = {format!r}: must be one of {', '.join(FORMATS)}")
    blocks = ["".join(f"{note}\n" for note in notes)] if notes else []
    sentences = []
    for _, same in groupby(rows, key=lambda row: (row.baseline, row.candidate)):
        group = list(same)
        blocks.append(_table(group))
        sentences.append(f"{sentence(group)}\n")
    if any(row.diff_lo is not None for row in rows):
        chance = f"{1 / (1 - rows[0].ci_level):.0f}"
        blocks.append(
            "Each interval stands for its measure alone: where nothing differs, about one in "
            f"{chance} excludes 0 by chance.\n"
        )
    return "\n".join([*blocks, "".join(sentences)])


def _table(rows: Sequence[Row]) -> str:
    """One candidate's rows, aligned, each rounded to the width of its interval."""
    first = rows[0]
    lines = [
        [
            "measure",
            "unit",
            first.baseline,
            first.candidate,
            "difference",
            f"{_percent(first.ci_level)} interval",
            "relative",
            "pairs",
            "verdict",
            "flags",
        ]
    ]
    for row in rows:
        digits = _decimals(row, 1)
        low, high = _rounded(row.diff_lo, digits), _rounded(row.diff_hi, digits)
        interval = f"{low} to {high}" if low else ""
        relative = "" if row.rel_diff is None else f"{100 * row.rel_diff:+.1f} %"
        means = [_rounded(value, digits) for value in (row.base_mean, row.cand_mean, row.diff)]
        lines.append(
            [f"{row.measure}@{row.at}", row.unit, *means, interval, relative, str(row.n_pairs), row.verdict, row.flags]
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numbers = range(2, 8)

    def aligned(texts: Sequence[str]) -> str:
        return "  ".join(
            text.rjust(width) if place in numbers else text.ljust(width)
            for place, (text, width) in enumerate(zip(texts, widths, strict=True))
        ).rstrip()

    return "".join(f"{aligned(texts)}\n" for texts in lines)


def sentence(rows: Sequence[Row]) -> str:
    """What is to be said of one candidate."""
    first = rows[0]
    counts = Counter(row.verdict for row in rows)
    differing = {word: counts[word] for word in ("better", "worse", "changed") if counts[word]}
    total = sum(differing.values())
    found = "none is shown to differ"
    if differing:
        words = ", ".join(f"{number} {word}" for word, number in differing.items())
        found = f"{total} {'differs' if total == 1 else 'differ'} ({words})"
    parts = [f"of {_counted(len(rows), 'measure')} {found}"]
    parts += [f"{counts[word]} {word}" for word in ("equivalent", "inconclusive", "incomparable") if counts[word]]
    pairs = [row.n_pairs for row in rows if row.n_pairs] or [0]
    fewest, most = min(pairs), max(pairs)
    over = _counted(most, "pair") if fewest == most else f"{fewest} to {_counted(most, 'pair')}"
    main = next((row for row in rows if row.measure == MAIN_MEASURE), first)
    return f"{first.candidate} against {first.baseline}: {', '.join(parts)}, over {over}; {_difference_in_words(main)}."


def _difference_in_words(row: Row) -> str:
    times = {"end": "at the end", "peak": "at its peak", "sum": "summed over the years"}
    when = times.get(row.at, f"in {row.at}")
    name = f"the {row.measure.replace('_', ' ')} {when}"
    if row.diff is None:
        return f"{name} cannot be compared"
    scale, unit = (100, "points") if row.unit == UNIT_OF_SHARES else (1, row.unit)
    digits = _decimals(row, scale)
    difference, low, high = (
        _rounded(None if value is None else scale * value, digits) for value in (row.diff, row.diff_lo, row.diff_hi)
    )
    if row.verdict == "equivalent":
        return f"{name} is exactly the same"
    interval = f"{_percent(row.ci_level)} interval"
    if low and row.verdict == "inconclusive":
        size = " ".join(word for word in (difference, unit) if word)
        return f"{name} differs by {size}, but the sign is open ({interval} {low} to {high})"
    direction = "higher"
    if row.diff < 0:
        direction = "lower"
        difference, low, high = (text.removeprefix("-") for text in (difference, high, low))
    size = " ".join(word for word in (difference, unit, direction) if word)
    if not low:
        return f"{name} is {size if row.diff else 'the same'} in the one pair, which gives no interval"
    if row.diff_lo == row.diff_hi:
        return f"{name} is {size} in every pair"
    return f"{name} is {size} ({interval} {low} to {high})"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _percent(level: float) -> str:
    return f"{100 * level:g} %"


def _decimals(row: Row, scale: float) -> int:
    """How many decimals tell a row's numbers, times `scale`.

    Two digits of the interval's width, else four of the difference; never more than a float holds.
    """
    values = [abs(scale * value) for value in (row.diff, row.base_mean, row.cand_mean) if value]
    width = abs(scale) * ((row.diff_hi or 0.0) - (row.diff_lo or 0.0))
    if not values:
        return 0 if width == 0 else 1 - math.floor(math.log10(width))
    digits = 1 - math.floor(math.log10(width)) if width else 3 - math.floor(math.log10(values[0]))
    return min(digits, 14 - math.floor(math.log10(max(values))))


def _rounded(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"
