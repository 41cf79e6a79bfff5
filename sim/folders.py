"""Where configs, worlds, experiments and results lie."""

import os
from pathlib import Path


def project_root() -> Path:
    """The folder that holds `configs/` and `experiments/`: $DECOUPLING_HOME, else the checkout."""
    home = os.environ.get("DECOUPLING_HOME")
    return Path(home) if home else Path(__file__).resolve().parent.parent
