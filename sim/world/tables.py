"""The tables of a world: read from their text and checked, every fault with its file and line."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.errors import BadInput, nearest
from sim.world.evidence import GRADES, ROLES, range_of

# The tables of a world. A numeric quantity Q comes with Q_low, Q_high, Q_grade and Q_source.

TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # table: (key and text columns, quantities, quantities that may be empty or left out)
    "states": (("id", "name", "role"), (), ("equipment",)),
    "segments": (
        ("id", "name", "quality_bound"),
        ("build_time", "control_exposure", "chip_exposure"),
        ("automotive_share",),
    ),
    "inputs": (
        ("id", "name", "kind", "controlled", "quality_critical"),
        ("market", "research_intensity", "dispensable"),
        ("tool_price", "catch_up"),
    ),
    "suppliers": (("id", "name", "headquarters", "input"), ("share",), ()),
    "chip_firms": (
        ("id", "name", "headquarters", "site", "segment"),
        ("output", "lag"),
        ("capital", "programme", "control_exposure"),
    ),
    "entrants": (("id", "name", "headquarters", "site", "segment"), ("output", "lag", "capital"), ()),
    "demand": (("state", "segment"), ("demand",), ()),
    "paths": (("state", "segment", "year"), ("index",), ()),
    "designers": (("id", "made_from"), ("claim", "yield"), ("potential",)),
    "quality": (("segment",), ("amount", "growth"), ()),
    "parts": (("input", "segment"), (), ()),
    "totals": (("id", "name"), ("value",), ()),
}
MAY_LACK = ("entrants", "paths", "designers", "quality", "parts")  # tables that a world may do without
OTHERS = "others"  # in paths.csv: all states without a path of their own
WORDS = {
    ("states", "role"): ("target", "lead", "ally", "neutral"),
    ("segments", "quality_bound"): ("yes", "no"),
    ("inputs", "kind"): ("software", "equipment", "material"),
    ("inputs", "controlled"): ("yes", "no"),
    ("inputs", "quality_critical"): ("yes", "no"),
}
REFERENCES = {
    ("suppliers", "headquarters"): "states",
    ("suppliers", "input"): "inputs",
    ("chip_firms", "headquarters"): "states",
    ("chip_firms", "site"): "states",
    ("chip_firms", "segment"): "segments",
    ("entrants", "headquarters"): "states",
    ("entrants", "site"): "states",
    ("entrants", "segment"): "segments",
    ("demand", "state"): "states",
    ("demand", "segment"): "segments",
    ("paths", "segment"): "segments",
    ("designers", "id"): "chip_firms",
    ("designers", "made_from"): "segments",
    ("quality", "segment"): "segments",
    ("parts", "input"): "inputs",
    ("parts", "segment"): "segments",
}
COMPANIONS = ("low", "high", "grade", "source")
TOTALS = ("equipment_spending_target", "equipment_spending_world")
SHOWN_TOTALS = ("chip_market_target", "production_located", "production_headquartered")  # published, not used


class Tables:
    """The tables of one world. `rows[table]` is a list of dictionaries; quantities are floats or None.

    `texts` holds the text of each file by its name, `folder` is where they are, for messages. What is wrong is added
    to `problems`.
    """

    def __init__(self, texts: Mapping[str, str], folder: Path, problems: list[str]) -> None:
        self.texts = texts
        self.folder = folder
        self.names = [table for table in TABLES if f"{table}.csv" in texts]
        self.units = self._read_units()
        before = len(problems)
        self.rows = {name: self._read_table(name, problems) if name in self.names else [] for name in TABLES}
        if len(problems) == before:
            self._check_references(problems)
        if len(problems) == before:
            self._check_sums(problems)
            self._check_paths(problems)
            self._check_designers(problems)
            self._check_parts(problems)

    def column(self, table: str, name: str) -> list[Any]:
        return [row[name] for row in self.rows[table]]

    def read_by_runs(self, table: str) -> list[list[Any]]:
        """The rows of a table without what only tells about them: names, sources, grades, ranges."""
        words, quantities, optional = TABLES[table]
        columns = [name for name in (*words, *quantities, *optional) if name != "name"]
        return [[row[name] for name in columns] for row in self.rows[table]]

    def grades(self) -> set[str]:
        """The grades of all values."""
        return {
            row[f"{quantity}_grade"]
            for table, (_, quantities, _) in TABLES.items()
            for row in self.rows[table]
            for quantity in quantities
        }

    def _lines(self, table: str) -> tuple[Path, list[str], list[tuple[int, dict[str, str]]]]:
        path = self.folder / f"{table}.csv"
        reader = csv.reader(io.StringIO(self.texts[f"{table}.csv"], newline=""))
        lines = []
        try:
            header = next(reader, [])
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise BadInput(
                        f"{path}: line {reader.line_num}: has {len(cells)} fields; the header has {len(header)}"
                    )
                lines.append((reader.line_num, dict(zip(header, cells, strict=True))))
        except csv.Error as fault:
            raise BadInput(f"{path}: cannot be read ({fault})") from None
        if not header:
            raise BadInput(f"{path}: is empty; it needs a header and rows")
        twice = [name for name in header if header.count(name) > 1]
        if twice:
            raise BadInput(f"{path}: the header has {twice[0]!r} twice; columns must differ")
        return path, header, lines

    def _read_units(self) -> dict[tuple[str, str], dict[str, Any]]:
        path, header, lines = self._lines("columns")
        needed = ("table", "column", "unit", "minimum", "maximum", "role", "meaning")
        missing = [name for name in needed if name not in header]
        if missing:
            raise BadInput(f"{path}: the header lacks {', '.join(missing)}; it needs {', '.join(needed)}")
        units: dict[tuple[str, str], dict[str, Any]] = {}
        problems = []
        for number, row in lines:
            where = f"{path}: line {number}: {row['table']}.{row['column']}"
            entry: dict[str, Any] = dict(row)
            for end in ("minimum", "maximum"):
                entry[end] = _number(row[end])
                if entry[end] is None:
                    problems.append(f"{where}: {end} = {row[end]!r}: must be a finite number")
            if (row["table"], row["column"]) in units:
                problems.append(f"{where}: appears twice; keep one")
            if row["role"] not in ROLES:
                problems.append(f"{where}: role = {row['role']!r}: must be one of {', '.join(ROLES)}")
            for name in ("unit", "meaning"):
                if not row[name].strip():
                    problems.append(f"{where}: {name} is empty")
            units[row["table"], row["column"]] = entry
        for table in self.names:
            for quantity in TABLES[table][1]:
                if (table, quantity) not in units:
                    problems.append(f"{path}: {table}.{quantity} is missing; give its unit, minimum, maximum, role")
        if problems:
            raise BadInput(problems)
        return units

    def _read_table(self, table: str, problems: list[str]) -> list[dict[str, Any]]:
        words, quantities, optional = TABLES[table]
        path, header, lines = self._lines(table)
        left_out = [q for q in optional if (table, q) not in self.units]
        optional = tuple(q for q in optional if q not in left_out)
        needed = [*words, *(name for q in (*quantities, *optional) for name in (q, *(f"{q}_{c}" for c in COMPANIONS)))]
        missing = [name for name in needed if name not in header]
        if missing:
            problems.append(f"{path}: the header lacks {', '.join(missing)}{nearest(missing[0], header)}")
            return []
        for quantity in set(left_out).intersection(header):
            problems.append(
                f"{self.folder / 'columns.csv'}: {table}.{quantity} is missing; give its unit, minimum, maximum, role"
            )
            return []
        unknown = [name for name in header if name not in needed]
        if unknown:
            problems.append(f"{path}: the header has an unknown column {unknown[0]!r}{nearest(unknown[0], needed)}")
            return []
        if not lines:
            problems.append(f"{path}: has no rows")
        rows = []
        seen: dict[tuple[str, ...], int] = {}
        for number, cells in lines:
            where = f"{path}: line {number}"
            row: dict[str, Any] = {"line": number, **{name: cells[name] for name in words}}
            for name in words:
                allowed = WORDS.get((table, name))
                if not cells[name].strip():
                    problems.append(f"{where}: {name} is empty")
                elif allowed and cells[name] not in allowed:
                    problems.append(
                        f"{where}: {name} = {cells[name]!r}: must be one of {', '.join(allowed)}"
                        f"{nearest(cells[name], allowed)}"
                    )
            key = (cells["id"],) if "id" in words else tuple(cells[name] for name in words)
            if key in seen:
                problems.append(f"{where}: {', '.join(key)} is in line {seen[key]} already; ids must differ")
            seen[key] = number
            for quantity in (*quantities, *optional):
                row[quantity] = self._quantity(table, quantity, cells, where, quantity in optional, problems)
                for companion in COMPANIONS:
                    row[f"{quantity}_{companion}"] = cells[f"{quantity}_{companion}"]
            row.update(dict.fromkeys(left_out))
            rows.append(row)
        return rows

    def _quantity(
        self, table: str, name: str, cells: Mapping[str, str], where: str, may_be_empty: bool, problems: list[str]
    ) -> float | None:
        text = cells[name]
        if may_be_empty and not text.strip():
            return None
        unit = self.units[table, name]
        value = _number(text)
        if value is None:
            problems.append(f"{where}: {name} = {text!r}: must be a finite number ({unit['unit']})")
            return None
        if not unit["minimum"] <= value <= unit["maximum"]:
            problems.append(
                f"{where}: {name} = {text}: is out of range; it must be "
                f"{range_of(unit['minimum'], unit['maximum'], unit['unit'])}"
            )
        grade = cells[f"{name}_grade"]
        if grade not in GRADES:
            problems.append(
                f"{where}: {name}_grade = {grade!r}: must be one of {', '.join(GRADES)}{nearest(grade, GRADES)}"
            )
        if not cells[f"{name}_source"].strip():
            problems.append(f"{where}: {name}_source is empty; give the source, or the reason of an assumed value")
        ends = [_number(cells[f"{name}_{end}"]) for end in ("low", "high")]
        if grade == "assumed" or any(cells[f"{name}_{end}"].strip() for end in ("low", "high")):
            if ends[0] is None or ends[1] is None:
                problems.append(f"{where}: {name}_low, {name}_high: both must be finite numbers for an assumed value")
            elif not ends[0] <= value <= ends[1]:
                problems.append(
                    f"{where}: {name} = {text}: is not between {name}_low {ends[0]:g} and {name}_high {ends[1]:g}"
                )
        return value

    def _check_references(self, problems: list[str]) -> None:
        ids = {
            table: [row["id"] for row in self.rows[table]] for table in ("states", "segments", "inputs", "chip_firms")
        }
        for (table, column), target in REFERENCES.items():
            for row in self.rows[table]:
                if row[column] not in ids[target]:
                    problems.append(
                        f"{self.folder / table}.csv: line {row['line']}: {column} = {row[column]!r}: is not in "
                        f"{target}.csv{nearest(row[column], ids[target])}"
                    )
        for role, count in (("target", 1), ("lead", 1)):
            if (holders := sum(row["role"] == role for row in self.rows["states"])) != count:
                problems.append(
                    f"{self.folder / 'states.csv'}: role: exactly one state must be {role}; there are {holders}"
                )
        totals = [row["id"] for row in self.rows["totals"]]
        for name in TOTALS:
            if name not in totals:
                problems.append(f"{self.folder / 'totals.csv'}: id {name} is missing")
            elif not next(row["value"] for row in self.rows["totals"] if row["id"] == name) > 0:
                problems.append(f"{self.folder / 'totals.csv'}: {name}: must be above 0")
        for name in totals:
            if name not in (known := (*TOTALS, *SHOWN_TOTALS)):
                problems.append(
                    f"{self.folder / 'totals.csv'}: id {name!r}: is not a known total{nearest(name, known)}; "
                    f"known totals are {', '.join(known)}"
                )
        for kind in WORDS["inputs", "kind"]:
            if kind not in self.column("inputs", "kind"):
                problems.append(f"{self.folder / 'inputs.csv'}: kind: at least one input must be {kind}")
        targets = [row["id"] for row in self.rows["states"] if row["role"] == "target"]
        for table, column in (("chip_firms", "headquarters"), ("chip_firms", "site")):
            if len(targets) == 1 and targets[0] not in self.column(table, column):
                problems.append(f"{self.folder / table}.csv: {column}: at least one firm must have {targets[0]}")

    def _check_paths(self, problems: list[str]) -> None:
        """Of states there are, in whole years after the base year, and without gaps."""
        path = self.folder / "paths.csv"
        known = [*self.column("states", "id"), OTHERS]
        years = {str(year): year for year in range(FIRST_YEAR + 1, LAST_YEAR + 1)}
        followed: dict[tuple[str, str], set[int]] = {}
        for row in self.rows["paths"]:
            if row["state"] not in known:
                problems.append(
                    f"{path}: line {row['line']}: state = {row['state']!r}: must be a state of states.csv or "
                    f"{OTHERS}{nearest(row['state'], known)}"
                )
            elif row["year"] not in years:
                problems.append(
                    f"{path}: line {row['line']}: year = {row['year']!r}: must be a year from {FIRST_YEAR + 1} to "
                    f"{LAST_YEAR}; the index of {FIRST_YEAR} is 1"
                )
            else:
                followed.setdefault((row["state"], row["segment"]), set()).add(years[row["year"]])
        for (state, segment), given in followed.items():
            if gap := {*range(FIRST_YEAR + 1, max(given))} - given:
                problems.append(
                    f"{path}: {state}, {segment}: has no row for {min(gap)}; a path has one for every year to its last"
                )

    def _check_designers(self, problems: list[str]) -> None:
        """Makers of a segment are designers all or none, and have a maker of the other segment at their site."""
        path = self.folder / "designers.csv"
        rows = {row["id"]: row for row in self.rows["designers"]}
        firms = {row["id"]: row for row in self.rows["chip_firms"]}
        designed = {firms[id]["segment"] for id in rows}
        for firm in [*firms.values(), *self.rows["entrants"]]:
            if firm["segment"] in designed and firm["id"] not in rows:
                problems.append(
                    f"{path}: has no row for {firm['id']}; the makers of {firm['segment']} are designers, all or none"
                )
        for id, row in rows.items():
            where = f"{path}: line {row['line']}: {id}"
            site, used = firms[id]["site"], row["made_from"]
            if used in designed:
                problems.append(f"{where}: made_from = {used!r}: is made by designers itself; it must have lines")
            elif not any(firm["site"] == site and firm["segment"] == used for firm in firms.values()):
                problems.append(f"{where}: made_from = {used!r}: nobody in {site} makes it (chip_firms.csv, site)")
            if row["yield"] == 0:
                problems.append(f"{where}: yield = 0: must be above 0")
            if row["potential"] is not None and row["potential"] < firms[id]["output"]:
                problems.append(
                    f"{where}: potential = {row['potential']:g}: must be at least its output of {firms[id]['output']:g}"
                )

    def _check_parts(self, problems: list[str]) -> None:
        """A part is a material of one segment."""
        path = self.folder / "parts.csv"
        kinds = {row["id"]: row["kind"] for row in self.rows["inputs"]}
        for row in self.rows["parts"]:
            if kinds[row["input"]] != "material":
                problems.append(
                    f"{path}: line {row['line']}: input = {row['input']!r}: is {kinds[row['input']]}; a part must be a "
                    "material (inputs.csv, kind)"
                )
        listed = self.column("parts", "input")
        for item in dict.fromkeys(each for each in listed if listed.count(each) > 1):
            problems.append(f"{path}: {item}: is a part of {listed.count(item)} segments; it must be of one")

    def _check_sums(self, problems: list[str]) -> None:
        for row in self.rows["inputs"]:
            shares = sum(s["share"] for s in self.rows["suppliers"] if s["input"] == row["id"])
            if abs(shares - 1) > 1e-3:
                problems.append(
                    f"{self.folder / 'suppliers.csv'}: share: the shares of {row['id']} sum to {shares:.6g}; "
                    "they must sum to 1"
                )
        pairs = {(row["state"], row["segment"]) for row in self.rows["demand"]}
        for segment in self.rows["segments"]:
            made = sum(f["output"] for f in self.rows["chip_firms"] if f["segment"] == segment["id"])
            used = sum(d["demand"] for d in self.rows["demand"] if d["segment"] == segment["id"])
            if abs(made - used) > 1e-3 * max(made, used):
                problems.append(
                    f"{self.folder / 'demand.csv'}: demand: {segment['id']} is used for {used:.6g} but made for "
                    f"{made:.6g} (chip_firms.csv, output); the world is closed, so they must be equal"
                )
            for state in self.rows["states"]:
                if (state["id"], segment["id"]) not in pairs:
                    problems.append(f"{self.folder / 'demand.csv'}: has no row for {state['id']}, {segment['id']}")
        target = next(row["id"] for row in self.rows["states"] if row["role"] == "target")
        for row in self.rows["entrants"]:
            if row["headquarters"] != target:
                problems.append(
                    f"{self.folder / 'entrants.csv'}: line {row['line']}: headquarters = {row['headquarters']!r}: "
                    f"must be {target}; only the target's firms enter"
                )
        designers = self.column("designers", "id")
        for row in self.rows["chip_firms"]:
            has_capital = row["headquarters"] == target and row["id"] not in designers
            if has_capital != (row["capital"] is not None):
                problems.append(
                    f"{self.folder / 'chip_firms.csv'}: line {row['line']}: capital: must be given for firms "
                    f"headquartered in {target} that have lines, and for no others"
                )


_PLAIN = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)


def _number(text: str) -> float | None:
    if not _PLAIN.fullmatch(text):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
