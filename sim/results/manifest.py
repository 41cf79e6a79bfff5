"""The manifest of a result: what it was made of, and by what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.results.files import write_aside

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"


def manifest_text(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    write_aside(path, [manifest_text(manifest)])


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a result folder, or None where there is none of ours."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or not {"schema_version", "experiment", "seeds", "files"} <= manifest.keys():
        return None
    return manifest
