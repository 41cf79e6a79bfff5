"""The results of every config and experiment, each made small: what a change of structure must not move by a byte."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from sim import load_experiment, run_batch
from sim.results.provenance import arithmetic_fingerprint

SETS = 2  # of the ensemble
SMALL = {"samples": 2, "trajectories": 2}  # of a design


def small_home(root: Path, folder: Path) -> Path:
    """A copy of the configs of `root` with the first sets of each ensemble, and its experiments made small."""
    shutil.copytree(root / "configs", folder / "configs")
    for table in (folder / "configs").rglob("ensemble.csv"):
        lines = table.read_text().splitlines(keepends=True)
        table.write_text("".join(lines[: SETS + 1]))
    (folder / "experiments").mkdir()
    for path in sorted((root / "configs").glob("*.toml")):
        asked = {
            "question": "What does it give?",
            "configs": [path.stem],
            "replications": 2,
            "record": {"every": "quarter", "measures": "all"},
        }
        (folder / "experiments" / f"config-{path.stem}.toml").write_text(tomli_w.dumps(asked))
    for path in sorted((root / "experiments").glob("*.toml")):
        content = tomllib.loads(path.read_text())
        if not {"waves", "search"} & content.keys():  # a calibration or a search is no batch
            (folder / "experiments" / path.name).write_text(tomli_w.dumps(_small(content)))
    return folder


def _small(content: dict[str, Any]) -> dict[str, Any]:
    content["replications"] = 1
    for part in [content, *content.get("parts", {}).values()]:
        for key, count in SMALL.items():
            if key in part.get("design", {}):
                part["design"][key] = count
    return content


def digests(home: Path, folder: Path, name: str) -> dict[str, Any]:
    """The hashes of an experiment's two tables, and each run's share at the end for who computes otherwise."""
    out = folder / name
    assert run_batch(load_experiment(home / "experiments" / f"{name}.toml"), workers=1, out=out) == 0
    with (out / "runs.csv").open(newline="") as file:
        shares = [row["domestic_supply_share@end"] for row in csv.DictReader(file)]
    hashes = {table: hashlib.sha256((out / f"{table}.csv").read_bytes()).hexdigest() for table in ("runs", "series")}
    return {**hashes, "shares": shares[:8]}


def write(root: Path) -> None:
    """Keep the bytes of today, where results are meant to change: `python tests/support/kept_bytes.py`."""
    with tempfile.TemporaryDirectory() as folder:
        home = small_home(root, Path(folder) / "home")
        os.chdir(home)
        names = sorted(path.stem for path in (home / "experiments").glob("*.toml"))
        results = {name: digests(home, Path(folder), name) for name in names}
    kept = {"arithmetic": arithmetic_fingerprint(), "results": results}
    (root / "tests" / "batch" / "kept_bytes.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[2])
