"""A world with its chip firms merged: one for each headquarters, site and segment."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from sim.world.evidence import GRADES

LUMPED = "lumped"
Row = dict[str, str]


def csv_text(rows: Sequence[Row]) -> str:
    """Rows with the same keys as the text of a table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def lumped_firms(chip_firms: str, designers: str = "") -> str:
    """The text of chip_firms.csv with firms merged that share headquarters, site and segment; others stay as they are.

    So do designers, which another table names (`designers` is its text). Output and capital are summed, with their
    lows and highs; the lag is the mean weighted by output.
    """
    alike: dict[tuple[str, ...], list[Row]] = {}
    apart = {row["id"] for row in csv.DictReader(io.StringIO(designers, newline=""))}
    for row in csv.DictReader(io.StringIO(chip_firms, newline="")):
        key = (row["headquarters"], row["site"], row["segment"])
        alike.setdefault((row["id"],) if row["id"] in apart else key, []).append(row)
    return csv_text([rows[0] if len(rows) == 1 else _merged(rows) for rows in alike.values()])


def _merged(rows: Sequence[Row]) -> Row:
    first = rows[0]
    headquarters, site, segment = first["headquarters"], first["site"], first["segment"]
    outputs = [float(row["output"]) for row in rows]
    weights = [output / sum(outputs) for output in outputs]
    one = [1.0] * len(rows)
    where = "" if site == headquarters else f" at {site}"
    return {
        "id": f"{headquarters}-{site}-{segment}",
        "name": f"{headquarters} makers{where} of {segment}",
        "headquarters": headquarters,
        "site": site,
        "segment": segment,
        **_quantity("output", rows, one, "the sum of"),
        **_quantity("lag", rows, weights, "the mean, weighted by output, of"),
        **_where_given("capital", rows, one, "the sum of"),
        **_where_given("programme", rows, weights, "the mean, weighted by output, of"),
        **_where_given("control_exposure", rows, weights, "the mean, weighted by output, of"),
    }


def _where_given(name: str, rows: Sequence[Row], weights: Sequence[float], law: str) -> Row:
    """A merged quantity that every one of the rows has; empty in a table that has it, else left out."""
    if all(row.get(name) for row in rows):
        return _quantity(name, rows, weights, law)
    return dict.fromkeys(_columns(name), "") if name in rows[0] else {}


def _columns(name: str) -> tuple[str, ...]:
    return (name, f"{name}_low", f"{name}_high", f"{name}_grade", f"{name}_source")


def _quantity(name: str, rows: Sequence[Row], weights: Sequence[float], law: str) -> Row:
    """A merged quantity with its evidence: it is as sure as the least sure of its parts."""

    def weighted(end: str) -> str:
        parts = [float(row[f"{name}{end}"] or row[name]) for row in rows]  # a published value is its own low and high
        return repr(sum(weight * part for weight, part in zip(weights, parts, strict=True)))

    grade = max((row[f"{name}_grade"] for row in rows), key=GRADES.index)
    source = f"{law} {', '.join(row['id'] for row in rows)}"
    return dict(zip(_columns(name), (weighted(""), weighted("_low"), weighted("_high"), grade, source), strict=True))
