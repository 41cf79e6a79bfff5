"""The two tables of a result with types: as a data frame, and as Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import BadInput
from sim.results.files import writing
from sim.results.manifest import Manifest
from sim.results.records import FIRST_70, KEYS, header_of

if TYPE_CHECKING:
    import pandas

    from sim.results.reading import ResultFolder

WORDS = ("run_id", "config", "part", "status")
DATES = ("date", FIRST_70)


def type_of(column: str, manifest: Manifest) -> type:
    """What a column holds: str, int, float or bool, or `bytes` for a date."""
    if column in WORDS:
        return str
    if column in KEYS:  # the parameter set and the seed
        return int
    if column in DATES:
        return bytes
    held = next((each.values[column] for each in manifest.scenarios.values() if column in each.values), 0.0)
    return bool if isinstance(held, bool) else str if isinstance(held, str) else float


def frame_of(folder: ResultFolder, table: Path) -> pandas.DataFrame:
    """A table of a result as pandas has it: numbers, words, truth values, and dates as datetimes."""
    import pandas

    types = {name: type_of(name, folder.manifest) for name in header_of(table)}
    words = [name for name, held in types.items() if held is str]
    frame = pandas.read_csv(
        table,
        dtype=dict.fromkeys(words, "str") | {name: "float64" for name, held in types.items() if held is float},
        parse_dates=[name for name, held in types.items() if held is bytes],
        keep_default_na=False,
        na_values={name: [""] for name in types if name not in words},
        true_values=["true"],
        false_values=["false"],
    )
    return frame


def write_parquet(folder: ResultFolder, out: Path) -> list[Path]:
    """Write a result's tables as RESULT-runs.parquet and RESULT-series.parquet into a folder; returns their paths.

    Every column has its unit and meaning in its metadata. Raises BadInput without the package pyarrow.
    """
    try:
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise BadInput(
            "export: needs the package pyarrow; "
            "install the extra: uv sync --extra parquet, or pip install 'decoupling-race[parquet]'"
        ) from None
    kinds: dict[type, Any] = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
        bytes: pyarrow.date32(),
    }
    written = []
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for table in filter(None, (folder.runs, folder.series)):
            fields = [
                pyarrow.field(name, kinds[type_of(name, folder.manifest)], metadata=_said(name, folder.manifest))
                for name in header_of(table)
            ]
            schema = pyarrow.schema(fields, {"program_hash": folder.manifest.program_hash})
            options = pyarrow.csv.ConvertOptions(
                column_types=schema, null_values=[""], true_values=["true"], false_values=["false"]
            )
            path = out / f"{folder.path.resolve().name}-{table.stem}.parquet"
            batches: Iterable[Any] = pyarrow.csv.open_csv(table, convert_options=options)
            aside = path.with_name(f"{path.name}.{os.getpid()}.aside")
            try:
                with pyarrow.parquet.ParquetWriter(aside, schema) as writer:
                    for batch in batches:
                        writer.write_batch(batch.cast(schema))
                os.replace(aside, path)
            finally:
                aside.unlink(missing_ok=True)
            written.append(path)
    return written


def _said(column: str, manifest: Manifest) -> dict[str, str]:
    note = manifest.columns.get(column)
    return {"unit": note.unit, "meaning": note.meaning, "formula": note.formula} if note else {}
