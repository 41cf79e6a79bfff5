"""Which program, libraries, machine and command made a result."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sim.folders import CHECKOUT
from sim.results.escape import visible


@lru_cache(maxsize=1)
def program_files() -> Mapping[str, str]:
    """A short hash of each of the package's source files, so that a difference has a name."""
    package = Path(__file__).parent.parent
    files = {path.as_posix().removeprefix(f"{package.as_posix()}/"): path for path in package.rglob("*.py")}
    return {name: hashlib.sha256(files[name].read_bytes()).hexdigest()[:16] for name in sorted(files)}


def program_hash() -> str:
    """A hash over the package's source: every path and what it holds, in order of path."""
    return hashlib.sha256(
        "".join(f"{name} {digest}\n" for name, digest in program_files().items()).encode()
    ).hexdigest()


@lru_cache(maxsize=1)
def arithmetic_fingerprint() -> str:
    """A small hash of what this processor and these libraries answer where they may differ in the last bit."""
    from scipy.special import ndtri

    count = 4096
    parts = (np.arange(count, dtype=np.float64) + 0.5) / count
    spread = (parts - 0.5) * 40.0
    answers = [
        np.exp(spread),
        np.log(parts),
        np.log1p(parts),
        np.expm1(spread),
        np.tanh(spread),
        np.sqrt(parts),
        np.power(parts, 0.37),
        np.power(parts + 1.0, spread),
        ndtri(parts),
        np.cumsum(parts),
        np.add.reduce(np.exp(spread)),
        np.add.reduceat(spread, [0, 7, 1000]),
    ]
    digest = hashlib.blake2b(digest_size=8)
    for answer in answers:
        digest.update(np.ascontiguousarray(answer).tobytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def dependencies() -> Mapping[str, str]:
    """The versions of what computes and writes results."""
    versions = {name: importlib.metadata.version(name) for name in ("mesa", "numpy", "scipy")}
    return {"python": platform.python_version(), **versions}


def run_info(seconds: float, workers: int) -> dict[str, Any]:
    """What may differ from one identical run to the next."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "workers": workers,
        "machine": f"{platform.node()} {platform.system()} {platform.machine()}",
        "git_commit": _git_commit(),
        "command": [visible(argument) for argument in sys.argv[1:]],
    }


def _git_commit() -> str | None:
    """The commit of the program's own checkout; None where it is installed, whatever repository one stands in."""
    if CHECKOUT is None or not (CHECKOUT / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
