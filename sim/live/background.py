"""What is drawn behind a run: the band of an earlier batch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from sim.compare.tables import read_table
from sim.errors import BadInput
from sim.folders import results_folder
from sim.results.manifest import MANIFEST, manifest_in
from sim.results.reading import open_result
from sim.results.records import SERIES, header_of

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LARGEST = 200_000_000  # bytes of a series.csv that is read while people wait


def batches() -> dict[str, tuple[Path, str]]:
    """The finished batches in results/ that hold a series, by name; of several configs each has a name of its own."""
    by_name = {}
    for manifest in sorted(results_folder().glob(f"*/{MANIFEST}")):
        folder = manifest.parent
        for config in _configs(folder, manifest.lstat().st_mtime_ns):
            by_name[f"{folder.name}: {config}"] = (folder, config)
    return by_name


@lru_cache(maxsize=512)
def _configs(folder: Path, changed: int) -> list[str]:
    manifest = manifest_in(folder)
    is_batch = manifest is not None and manifest.experiment is not None and SERIES in manifest.files
    return sorted(manifest.scenarios) if manifest and is_batch else []


def band(name: str, measures: Iterable[str]) -> dict[str, Any]:
    """The spread of a batch's runs: quantiles of these measures by date. BadInput for a batch that cannot be drawn."""
    known = batches()
    if name not in known:
        raise BadInput(f"there is no finished batch {name[:80]!r} in results/ any more")
    folder, config = known[name]
    if (folder / SERIES).exists() and (folder / SERIES).stat().st_size > LARGEST:
        raise BadInput(f"{name}: its {SERIES} is larger than {LARGEST // 10**6} MB, too much to draw behind a run")
    series = open_result(folder).series
    assert series is not None  # or it were none of the batches
    return {"name": name, **_quantiles(series, config, tuple(measures), series.stat().st_mtime_ns)}


@lru_cache(maxsize=8)
def _quantiles(series: Path, config: str, measures: tuple[str, ...], changed: int) -> dict[str, Any]:
    held = header_of(series)
    table = read_table(series, ["config", "date"], [name for name in measures if name in held], whole=True)
    table = table[table["config"] == config]
    if not len(table):
        raise BadInput(f"{series}: holds no run of {config} that was done")
    runs = int((table["date"] == table["date"].iloc[0]).sum())
    by_date = table.drop(columns="config").groupby("date").quantile(list(LEVELS)).unstack()
    bands = {
        name: by_date[name].round(6).astype(object).where(by_date[name].notna(), None).to_numpy().tolist()
        for name in table.columns
        if name not in ("config", "date")
    }
    return {"runs": runs, "dates": by_date.index.tolist(), "measures": bands}
