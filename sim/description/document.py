"""Where what is made from the code is written: the pages of a clone."""

from pathlib import Path

from sim.folders import CHECKOUT


def document(name: str) -> Path:
    """A file or folder of the clone; ends with a sentence where the program is installed without a clone."""
    if CHECKOUT is None:
        raise SystemExit(f"{name}: belongs to a clone of the project, and this program is installed without one")
    return CHECKOUT / name
