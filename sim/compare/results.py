"""Reading results: a folder, a bare `runs.csv` or `series.csv`, or a table from elsewhere whose keys are named."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sim.arrays import Array, Flags
from sim.calendar import OUTCOME_YEARS
from sim.compare.tables import NO_NUMBER, Key, not_a_number, read_keys, read_table
from sim.errors import BadInput
from sim.results.manifest import Held, Manifest
from sim.results.reading import Unfinished, open_result
from sim.results.records import KEYS, RUNS, header_of, read_rows

if TYPE_CHECKING:
    import pandas as pd

STATUSES = ("done", "failed")
OUTCOMES = ("end", *map(str, OUTCOME_YEARS), "peak", "sum")  # what runs.csv has after the @
ROLES = ("seed", "parameter_set", "config", "date", "point")  # what a column of a foreign table can be
RUN_ID = re.compile(r"(?s:.*)-[0-9]+-[0-9]+-[0-9]+")  # config-point-parameterset-seed
DATE = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2})?")


class Incomplete(Exception):
    """Results that lack runs; `problems` holds one sentence each. They are compared only with --allow-partial."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Series:
    """Measures over time: `dates` sorted, each array of `values` of shape (runs, dates), NaN where missing.

    `ends` has shape (runs,): the last date of each run as a number, such as 20351231; NaN of a run without any.
    """

    dates: tuple[str, ...]
    values: Mapping[str, Array]
    ends: Array | None = None


@dataclass(frozen=True)
class Source:
    """Where a series stands: the file, the columns that tell its runs apart, and each run's place by their text.

    `whole` is a file that a manifest vouches for.
    """

    table: Path
    columns: tuple[str, ...]
    date: str
    places: Mapping[str, int]
    measures: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True)
class Result:
    """The runs of one result in the order of the file; a bare table has no manifest.

    `keys` holds a list for each of config, parameter_set, seed and the swept keys. `done` has shape (runs,),
    and so has each column of `outcomes`: NaN where a value is missing or the run failed. `source` says where the
    measures over time can be read, if anywhere, and `series` holds those that have been. `lacking` says which runs
    are not there, a sentence each. `key_columns` are the columns of its file that tell one row from another.
    """

    path: str
    name: str
    configs: tuple[str, ...]
    swept: tuple[str, ...]
    keys: Mapping[str, list[Key]]
    done: Flags
    outcomes: Mapping[str, Array]
    manifest: Manifest | None
    source: Source | None = None
    series: Series = field(default_factory=lambda: Series((), {}))
    lacking: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    key_columns: tuple[str, ...] = (*KEYS, "date")

    def groups(self, names: Sequence[str]) -> list[tuple[Key, ...]]:
        """The values of some keys, run by run."""
        if not names:
            return [()] * len(self.done)
        return list(zip(*(self.keys[name] for name in names), strict=True))

    @property
    def since(self) -> Mapping[str, int]:
        """The year from which on a swept lever has its value, for those that have another one before."""
        return self.manifest.experiment.since if self.manifest and self.manifest.experiment else {}

    @property
    def dates_a_year(self) -> int:
        """How many dates of a year its series has: 4 of quarters, 1 of whole years or of the last one."""
        if self.manifest:
            return 4 if self.manifest.record.every == "quarter" else 1
        return max(Counter(date[:4] for date in self.series.dates).values(), default=1)

    def note(self, column: str, what: Literal["unit", "kind", "direction"]) -> str:
        """The unit, kind or direction of a column, empty where it is unknown."""
        known = self.manifest.columns.get(column) if self.manifest else None
        return str(getattr(known, what)) if known else ""

    @cached_property
    def columns(self) -> list[str]:
        """Every measure that it has a value of, at whatever date."""
        outcomes = dict.fromkeys(name.rpartition("@")[0] for name in self.outcomes)
        return list(outcomes | dict.fromkeys(self.source.measures if self.source else ()))


def read_results(paths: Sequence[str | Path], foreign: Sequence[str] = ()) -> list[Result]:
    """Read several results; `foreign` names the key columns of tables from elsewhere, as in --key.

    Each is named after its configs, else after the parameters in which they differ, else its folder, else its path,
    so that names tell them apart. Raises BadInput with the problems of all of them.
    """
    roles = key_roles(foreign)
    results, problems = [], []
    for path in paths:
        try:
            results.append(read_result(path, roles))
        except BadInput as fault:
            problems += fault.problems
    if problems:
        raise BadInput(problems)
    different = len({result.path for result in results})
    for names in (
        [result.name for result in results],
        _parameter_names(results),
        [Path(result.path).resolve().name for result in results],
    ):
        if len(set(names)) == different:
            break
    else:
        names = [result.path for result in results]
    return [replace(result, name=name) for result, name in zip(results, names, strict=True)]


def _parameter_names(results: Sequence[Result]) -> list[str]:
    """Names such as "subsidy.annual=200", or nothing where that takes more than three parameters."""
    values: list[dict[str, Held]] = []
    for result in results:
        scenarios = list(result.manifest.scenarios.values()) if result.manifest else []
        values.append(scenarios[0].values if len(scenarios) == 1 else {})
    keys = [
        key for key in dict.fromkeys(k for held in values for k in held) if len({str(v.get(key)) for v in values}) > 1
    ]
    if not 0 < len(keys) <= 3 or any(key not in held for key in keys for held in values):
        return []
    return [" ".join(f"{key}={held[key]}" for key in keys) for held in values]


def key_roles(named: Sequence[str]) -> dict[str, list[str]]:
    """--key COLUMN and --key ROLE=COLUMN as columns by role; a column without a role is part of the seed."""
    roles: dict[str, list[str]] = {}
    for text in named:
        role, sign, column = text.partition("=")
        if not sign:
            role, column = "seed", text
        if role not in ROLES or not column:
            raise BadInput(f"--key = {text!r}: must be COLUMN or ROLE=COLUMN, ROLE one of {', '.join(ROLES)}")
        roles.setdefault(role, []).append(column)
    for role in ("parameter_set", "config", "date"):
        if len(roles.get(role, [])) > 1:
            raise BadInput(f"--key: {role} is given twice; one column can be it")
    if roles and "seed" not in roles:
        raise BadInput("--key: names no column for the seed; add --key COLUMN")
    return roles


def read_result(path: str | Path, roles: Mapping[str, list[str]] | None = None) -> Result:
    """Read a result folder or a bare table, which has no units and directions. Raises BadInput."""
    path = Path(path)
    if not path.exists():
        raise BadInput(f"{path}: does not exist; give a result folder or a {RUNS}")
    if not path.is_dir():
        if not path.is_file():
            raise BadInput(f"{path}: is no regular file; give a result folder or a {RUNS}")
        return _read_bare(path, roles or {})
    try:
        folder = open_result(path)
    except Unfinished as fault:
        raise Incomplete(fault.problems) from None
    except BadInput as fault:
        if not (path / RUNS).is_file():
            raise
        raise BadInput(f"{fault}; to compare without units and directions give {path / RUNS}") from None
    lacking = [
        f"{blocks}: a batch is unfinished; the same batch command goes on with it" for blocks in folder.unfinished
    ]
    result = _read_runs(folder.runs, folder.manifest, str(path))
    if folder.series:
        result = replace(result, source=_source(folder.series, result))
    return replace(result, lacking=(*lacking, *result.lacking))


def _check_distinct(
    keys: Mapping[str, list[Key]], named: Sequence[str], table: Path, run_ids: Sequence[str] = ()
) -> None:
    first: dict[tuple[Key, ...], int] = {}
    for number, run in enumerate(zip(*keys.values(), strict=True), start=2):
        if first.setdefault(run, number) != number:
            if _tell_points(run_ids):
                return
            raise BadInput(f"{table}: line {number}: has the same {', '.join(named)} as line {first[run]}")


def _tell_points(run_ids: Sequence[str]) -> bool:
    """Whether runs are told apart by the number of their point: a design, such as Morris's, may come to one twice."""
    return len(set(run_ids)) == len(run_ids) > 0 and all(map(RUN_ID.fullmatch, run_ids))


def _read_runs(table: Path, manifest: Manifest | None, path: str) -> Result:
    header = header_of(table)
    if missing := [column for column in (*KEYS, "status") if column not in header]:
        needed = ", ".join((*KEYS, "status"))
        raise BadInput([f"{table}: column {column!r} is missing; needed are {needed}" for column in missing])
    swept = [column for column in header[: header.index("status")] if column and column not in KEYS]
    numbers = [column for column in header if "@" in column and column.rpartition("@")[2] in OUTCOMES]
    frame = read_table(table, [*KEYS, *swept, "status"], numbers, manifest is not None)
    if not len(frame):
        raise BadInput(f"{table}: holds no runs")
    statuses = frame["status"].fillna("").tolist()
    for number, status in enumerate(statuses, start=2):
        if status not in STATUSES:
            raise BadInput(f"{table}: line {number}: status = {status!r}: must be {' or '.join(STATUSES)}")
    done = np.array([status == "done" for status in statuses])
    if not done.any():
        raise BadInput(f"{table}: none of its {len(frame)} runs has status done; there is nothing to compare")
    named = ["config", "parameter_set", "seed", *swept]
    keys = read_keys(frame, {name: name for name in named}, table)
    _check_distinct(keys, named, table, frame["run_id"].fillna("").tolist())
    outcomes = {name: np.where(done, frame[name].to_numpy(), np.nan) for name in numbers}
    failed = int((~done).sum())
    lacking = (f"{table}: {failed} of its {len(done)} runs failed",) if failed else ()
    configs = tuple(sorted({str(config) for config in keys["config"]}))
    return Result(
        path,
        "+".join(configs),
        configs,
        tuple(swept),
        keys,
        done,
        outcomes,
        manifest,
        lacking=lacking,
        run_ids=tuple(frame["run_id"]),
        key_columns=(*KEYS, *swept, "date"),
    )


def _source(table: Path, runs: Result) -> Source:
    header = header_of(table)
    if missing := [column for column in (*KEYS, "date") if column not in header]:
        raise BadInput(
            [f"{table}: column {column!r} is missing; needed are {', '.join((*KEYS, 'date'))}" for column in missing]
        )
    places = {str(run): place for place, run in enumerate(runs.run_ids)}
    measures = tuple(filter(None, header[header.index("date") + 1 :]))
    return Source(table, ("run_id",), "date", places, measures, runs.manifest is not None)


def _read_bare(table: Path, roles: Mapping[str, list[str]]) -> Result:
    header = header_of(table)
    if not header:
        raise BadInput(f"{table}: holds no runs")
    if {*KEYS, "status"} <= {*header}:
        return _read_runs(table, None, str(table))
    if {*KEYS, "date"} <= {*header}:
        swept = [column for column in header[: header.index("date")] if column and column not in KEYS]
        columns = {name: name for name in ("config", "parameter_set", "seed", *swept)}
        measures = [*filter(None, header[header.index("date") + 1 :])]
        return _read_foreign(table, columns, tuple(swept), "date", measures)
    if not roles:
        missing = [column for column in (*KEYS, "status") if column not in header]
        needed = ", ".join((*KEYS, "status"))
        advice = "for a table from elsewhere name its key columns with --key"
        raise BadInput([f"{table}: column {column!r} is missing; needed are {needed}; {advice}" for column in missing])
    named = [column for columns in roles.values() for column in columns]
    if unknown := [column for column in named if column not in header]:
        raise BadInput(
            [f"{table}: line 1: there is no column {c!r} as --key says; it has {', '.join(header)}" for c in unknown]
        )
    columns = {role: roles[role][0] for role in ("config", "parameter_set") if role in roles}
    columns |= {f"seed {column}" if len(roles["seed"]) > 1 else "seed": column for column in roles["seed"]}
    columns |= {column: column for column in roles.get("point", [])}
    first = next(read_rows(table), {})
    others = [column for column in header if column and column not in (*named, *KEYS, "status")]
    measures = [column for column in others if not_a_number(first.get(column, "")) != NO_NUMBER]
    if first and not measures:
        raise BadInput(f"{table}: line 2: no column but the keys holds a number; there is nothing to compare")
    return _read_foreign(table, columns, tuple(roles.get("point", [])), roles.get("date", [""])[0], measures)


def _read_foreign(
    table: Path, columns: Mapping[str, str], swept: tuple[str, ...], date: str, measures: Sequence[str]
) -> Result:
    """A table of one row a run, or (with a date column) one row a run and date."""
    words = list(dict.fromkeys(columns.values()))
    frame = read_table(table, [*words, *([date] if date else [])], [] if date else measures)
    if not len(frame):
        raise BadInput(f"{table}: holds no runs")
    keys = read_keys(frame, columns, table)
    labels = _labels(frame, words)
    outcomes: dict[str, Array] = {}
    source = None
    if date:
        first = ~labels.duplicated().to_numpy()
        keys = {name: [v for v, kept in zip(values, first, strict=True) if kept] for name, values in keys.items()}
        source = Source(table, tuple(words), date, {t: n for n, t in enumerate(labels[first])}, tuple(measures))
    else:
        _check_distinct(keys, words, table)
        outcomes = {name if "@" in name else f"{name}@end": frame[name].to_numpy() for name in measures}
    count = len(next(iter(keys.values())))
    seeds = [name for name in keys if name.startswith("seed ")]
    if seeds:
        keys["seed"] = [" ".join(map(str, run)) for run in zip(*(keys.pop(name) for name in seeds), strict=True)]
    keys = {"config": [table.stem] * count, "parameter_set": [0] * count, **keys}
    configs = tuple(sorted({str(config) for config in keys["config"]}))
    done = np.ones(count, bool)
    key_columns = (*words, date)
    name = "+".join(configs)
    return Result(str(table), name, configs, swept, keys, done, outcomes, None, source, key_columns=key_columns)


def _labels(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """One text for each row that tells its run."""
    first, *others = columns
    return frame[first].str.cat([frame[name] for name in others], sep="\x1f") if others else frame[first]


def _is_date(text: str) -> bool:
    """Whether a text is a year, or a day of the calendar as YYYY-MM-DD."""
    if not DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text if "-" in text else f"{text}-01-01")
    except ValueError:  # such as 2021-02-30
        return False
    return True


def with_series(result: Result, measures: Sequence[str]) -> Result:
    """The result with some measures over time read from its file. Raises BadInput."""
    import pandas as pd

    source = result.source
    if source is None:
        return result
    wanted = [name for name in dict.fromkeys(measures) if name in source.measures]
    frame = read_table(source.table, [*source.columns, source.date], wanted, source.whole)
    texts = frame[source.date].fillna("")
    date_codes, dates = pd.factorize(texts, sort=True)
    for date in dates:
        if not _is_date(date):
            line = int(np.flatnonzero(texts == date)[0]) + 2
            raise BadInput(f"{source.table}: line {line}: {source.date} = {date!r}: must be a year or YYYY-MM-DD")
    codes, names = pd.factorize(_labels(frame, source.columns))
    if (codes < 0).any():
        line = int(np.flatnonzero(codes < 0)[0]) + 2
        raise BadInput(f"{source.table}: line {line}: {source.columns[0]} is empty; it says which run a line is of")
    if unknown := [name for name in names if name not in source.places]:
        line = int(np.flatnonzero(frame[source.columns[0]] == unknown[0])[0]) + 2
        raise BadInput(f"{source.table}: line {line}: run {unknown[0]!r} is not in {RUNS}")
    runs = np.array([source.places[name] for name in names], dtype=np.intp)[codes]
    cells = runs * len(dates) + date_codes
    if np.bincount(cells).max(initial=0) > 1:
        line = int(np.flatnonzero(pd.Series(cells).duplicated())[0]) + 2
        raise BadInput(f"{source.table}: line {line}: has the same run and {source.date} as a line before")
    values = {}
    for name in wanted:
        flat = np.full(len(result.done) * len(dates), np.nan)
        flat[cells] = frame[name].to_numpy()
        values[name] = flat.reshape(len(result.done), len(dates))
    last = np.full(len(result.done), -1, dtype=np.intp)
    np.maximum.at(last, runs, date_codes)
    ends = np.array([*(float(date.replace("-", "")) for date in dates), np.nan])[last]
    return replace(result, series=Series(tuple(map(str, dates)), values, ends))


def some_runs(result: Result, places: Sequence[int]) -> Result:
    """The result with some of its runs alone."""
    chosen = np.array(places, dtype=np.intp)
    series = result.series
    return replace(
        result,
        keys={key: [held[place] for place in places] for key, held in result.keys.items()},
        done=result.done[chosen],
        outcomes={column: held[chosen] for column, held in result.outcomes.items()},
        series=replace(
            series,
            values={column: held[chosen] for column, held in series.values.items()},
            ends=None if series.ends is None else series.ends[chosen],
        ),
        run_ids=tuple(result.run_ids[place] for place in places) if result.run_ids else (),
    )


def with_dates_of(result: Result, other: Result) -> Result:
    """The result with the later dates of another one of the same horizon, at which all its own runs had stopped."""
    ours, theirs = result.series.dates, other.series.dates
    horizons = [one.manifest.horizon if one.manifest else None for one in (result, other)]
    more = len(theirs) - len(ours)
    if not ours or more <= 0 or theirs[: len(ours)] != ours or horizons[0] is None or horizons[0] != horizons[1]:
        return result
    values = {
        name: np.pad(held, ((0, 0), (0, more)), constant_values=np.nan) for name, held in result.series.values.items()
    }
    return replace(result, series=Series(theirs, values, result.series.ends))
