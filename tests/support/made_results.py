"""Results made up for the tests of compare: folders and tables whose numbers can be worked out by hand."""

import hashlib
import json
import math

from sim.compare.differences import Settings
from sim.compare.question import Question, compare
from sim.results.manifest import digest_of

SHARE, MARKET, IMPORTS = "domestic_supply_share@end", "chip_market@end", "chip_imports@end"
HEAD = "run_id,config,parameter_set,seed,status,chip_market@end\n"
NAN = float("nan")
COLUMNS = {
    SHARE: {"unit": "0 to 1", "meaning": "made up"},
    "domestic_supply_share": {"unit": "0 to 1", "meaning": "made up", "direction": "higher", "kind": "ratio"},
    MARKET: {"unit": "bn yuan a year", "meaning": "made up"},
    "chip_market": {"unit": "bn yuan a year", "meaning": "made up", "direction": "none", "kind": "flow"},
    IMPORTS: {"unit": "bn yuan a year", "meaning": "made up"},
    "chip_imports": {"unit": "bn yuan a year", "meaning": "made up", "direction": "lower", "kind": "flow"},
    "chip_market@sum": {"unit": "bn yuan", "meaning": "made up"},
}
WORLD = {
    "name": "chips",
    "hash": "aa",
    "assumed": False,
    "goods": "chips",
    "goal": {"share": 0.7, "year": 2025, "source": "made up"},
    "states": ["CHN", "USA", "NLD", "TWN", "ROW"],
    "roles": {"CHN": "target", "USA": "lead", "NLD": "ally", "TWN": "ally", "ROW": "neutral"},
    "segments": ["advanced_logic", "memory"],
    "inputs": ["lithography", "photoresist"],
    "names": {"CHN": "China", "lithography": "lithography"},
    "tables": {},
}
SCENARIO = {
    "name": "historic",
    "purpose": "made up",
    "world": "chips",
    "values": {"controls.mode": "events", "subsidy.annual": 0.0},
    "events": [],
    "given": {},
    "hash": "ab" * 16,
}
EXPERIMENT = {
    "name": "made-up",
    "question": "?",
    "configs": ["historic"],
    "replications": 1,
    "design": {"kind": "grid"},
    "factors": {},
    "swept": [],
    "record": {"every": "year", "measures": "headline"},
}


def scenario(config="historic", **changes):
    """A config as a manifest keeps it."""
    return {config: {**SCENARIO, "name": config, **changes}}


def file_facts(text):
    """What a manifest says of a table with this text, or these bytes."""
    content = text if isinstance(text, bytes) else text.encode()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def manifest(config="historic", **changes):
    """The manifest of a made-up result in a world that is in no folder."""
    return {
        "schema_version": 3,
        "experiment": None,
        "scenarios": scenario(config),
        "worlds": {"chips": WORLD},
        "horizon": {"first": 2020, "last": 2035},
        "record": {"every": "year", "measures": ["domestic_supply_share"]},
        "seeds": [1],
        "columns": COLUMNS,
        "failures": {},
        "files": {},
        "program_hash": "bb",
        "program": {},
        "arithmetic": "cc",
        "dependencies": {"numpy": "2.5.5"},
        "run_info": {},
        **changes,
    }


def signed(content):
    """The text of a manifest, or of what was made of one, with the digest of what it says now."""
    return json.dumps({**content, "digest": digest_of(content)})


def csv_text(rows):
    return "".join(",".join(map(str, cells)) + "\n" for cells in rows)


def table(runs, swept=(), config="historic"):
    """The text of a runs.csv; a run is (seed, swept values, {column: value}), no values if it failed.

    Instead of a seed there may be (parameter set, seed).
    """
    columns = list(next(values for _, _, values in runs if values))
    lines = [["run_id", "config", "parameter_set", "seed", *swept, "status", *columns]]
    for number, (seed, keys, values) in enumerate(runs):
        drawn = seed if isinstance(seed, tuple) else (0, seed)
        cells = [values[column] if values and not math.isnan(values[column]) else "" for column in columns]
        lines.append([f"run{number}", config, *drawn, *keys, "done" if values else "failed", *cells])
    return csv_text(lines)


def series_table(runs, dates, config="historic"):
    """The text of a series.csv; a run is (seed, {measure: values at the dates})."""
    measures = list(runs[0][1])
    lines = [["run_id", "config", "parameter_set", "seed", "date", *measures]]
    for number, (seed, values) in enumerate(runs):
        drawn = seed if isinstance(seed, tuple) else (0, seed)
        for place, date in enumerate(dates):
            cells = [values[measure][place] for measure in measures]
            if not all(math.isnan(cell) for cell in cells):
                lines.append(
                    [f"run{number}", config, *drawn, date, *("" if math.isnan(cell) else cell for cell in cells)]
                )
    return csv_text(lines)


def write(folder, text, config="historic", series=None, **changes):
    """A result folder."""
    folder.mkdir()
    tables = {"runs.csv": text, **({"series.csv": series} if series else {})}
    for name, content in tables.items():
        (folder / name).write_text(content)
    files = {name: file_facts(content) for name, content in tables.items()}
    (folder / "manifest.json").write_text(signed(manifest(config, **{"files": files, **changes})))
    return folder


def vouch(folder):
    """Let the manifest say that it and the tables were written as they are now."""
    path = folder / "manifest.json"
    files = {table.name: file_facts(table.read_bytes()) for table in folder.glob("*.csv")}
    path.write_text(signed({**json.loads(path.read_text()), "files": files}))
    return folder


class Maker:
    """Makes results in a folder, each under its own name."""

    def __init__(self, folder):
        self.folder = folder

    def pair(self, base, candidate, column=SHARE):
        """Base and candidate of one column, each given as {seed: value} or as a list for seeds 1, 2, 3."""
        return [self.one(name, values, column) for name, values in (("base", base), ("candidate", candidate))]

    def one(self, name, values, column=SHARE):
        values = values if isinstance(values, dict) else dict(enumerate(values, start=1))
        runs = [(seed, (), {column: float(value)}) for seed, value in values.items()]
        return write(self.folder / f"{name}{len(list(self.folder.iterdir()))}", table(runs))

    def sweep(self, name, values, key="controls.severity"):
        """A result of one swept key; `values` is {(seed, level): value}, None for a run that failed."""
        runs = [(seed, (level,), None if value is None else {SHARE: value}) for (seed, level), value in values.items()]
        return write(self.folder / name, table(runs, (key,)), seeds=sorted({seed for seed, _ in values}))

    def over_time(self, name, values, dates, measure="domestic_supply_share", **changes):
        """A result with a series; `values` is {seed: values at the dates}, the last known of which is the outcome."""
        ends = {seed: [held for held in path if not math.isnan(held)][-1:] or [NAN] for seed, path in values.items()}
        runs = [(seed, (), {f"{measure}@end": end}) for seed, [end] in ends.items()]
        series = series_table([(seed, {measure: path}) for seed, path in values.items()], dates)
        return write(self.folder / name, table(runs), series=series, **changes)


def rows(*paths, measures=None, at=("final",), level=0.95, margins=None, resample=False, **asked):
    """The rows of a comparison of files."""
    settings = Settings(level, margins or {}, resample)
    return compare(paths, Question(at=at, measures=measures, settings=settings, **asked)).rows
