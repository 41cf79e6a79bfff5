"""The pictures of the first page that commands draw. `python -m sim.description.pictures` draws them again."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sim.description.document import document

# What is typed, the picture that it leaves, and where the picture is kept.
DRAWN = (
    (
        ("batch policy-grid", "plot policy-grid --measure domestic_supply_share@2030"),
        "results/policy-grid.svg",
        "experiments/policy-grid-map.svg",
    ),
    (("compare no-controls historic --out pairs",), "pairs/figure-1-held.svg", "docs/start/compare.svg"),
)


def write() -> None:
    for lines, picture, kept in DRAWN:
        with tempfile.TemporaryDirectory() as folder:
            for line in lines:
                subprocess.run(
                    [sys.executable, "-m", "sim", *line.split()], cwd=folder, check=True, capture_output=True
                )
            shutil.copyfile(Path(folder) / picture, document(kept))


if __name__ == "__main__":
    write()
