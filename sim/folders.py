"""Where configs, worlds, experiments and results are.

What has a name is looked up in the working folder, then in $DECOUPLING_HOME where that is set, then in what ships with
the program. Results go to the working folder.
"""

import os
from pathlib import Path

CODE = Path(__file__).resolve().parent
CHECKOUT = CODE.parent if (CODE.parent / "pyproject.toml").is_file() else None  # None where the program is installed
SHIPPED = CHECKOUT or CODE / "data"

CONFIGS, EXPERIMENTS, WORLDS, EVIDENCE = "configs", "experiments", "configs/worlds", "configs/evidence"


def places(kind: str) -> list[Path]:
    """The folders that may hold things of a kind, such as WORLDS, nearest first."""
    named = os.environ.get("DECOUPLING_HOME")
    homes = [Path.cwd(), *([Path(named).absolute()] if named else []), SHIPPED]
    return list(dict.fromkeys(home / kind for home in homes))


def find(kind: str, name: str) -> Path | None:
    """The nearest file or folder of a kind by its name, or None."""
    return next((place / name for place in places(kind) if (place / name).exists()), None)


def known(kind: str) -> list[str]:
    """The names of everything of a kind: of folders for WORLDS, else of TOML files; sorted, each once."""
    if kind == WORLDS:
        return sorted({path.name for place in places(kind) for path in place.glob("*") if path.is_dir()})
    return sorted({path.stem for place in places(kind) for path in place.glob("*.toml")})


def results_folder() -> Path:
    """Where results go by default."""
    return Path.cwd() / "results"


def result_path(name: str) -> Path:
    """The path that a result's name means: an existing one, else a folder in results/, which may not be there."""
    return Path(name) if Path(name).exists() else results_folder() / name
