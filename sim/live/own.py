"""Configs of one's own that somebody opens on the page, or that an address carries: read without touching other files.

A file that the page wrote extends a config that everybody has, or nothing. One that a visitor hands in may not lead
the server to files of its machine, so it may extend and choose what has a name alone.
"""

from __future__ import annotations

import base64
import re
import tempfile
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import tomli

from sim.errors import BadInput
from sim.scenario.loading import config_path, known_configs, load_config
from sim.scenario.scenario import Scenario
from sim.world.evidence import read_toml
from sim.world.world import known_worlds

LONGEST = 200_000  # characters of a config that is read
SEED = re.compile(r"^# decoupling run .* --seed (\d{1,18})$", re.MULTILINE | re.ASCII)


def purposes() -> dict[str, str]:
    """What each config that can be named is for; nothing for one that cannot be read."""
    return {name: _purpose(path, path.stat().st_mtime_ns) for name in known_configs() if (path := config_path(name))}


@lru_cache(maxsize=256)
def _purpose(path: Path, changed: int) -> str:
    try:
        return str(read_toml(path).get("purpose", "")).rstrip(".")
    except BadInput:
        return ""


def load(name: str, text: str) -> Scenario:
    """The scenario of a config's text. BadInput where it cannot be read, or names what has no name here."""
    if len(text) > LONGEST:
        raise BadInput(f"{name[:40]}: has {len(text)} characters; a config that is opened here has {LONGEST} at most")
    check_references(name, content_of(name, text))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{Path(name).stem[:80] or 'own'}.toml"
        try:
            path.write_text(text, encoding="utf-8")
            scenario = load_config(path)
        except BadInput as fault:
            raise BadInput([problem.replace(f"{folder}/", "") for problem in fault.problems]) from None
        except (OSError, ValueError):
            raise BadInput(f"{name[:40]!r}: is no name of a file") from None
    return replace(scenario, file=path.name)


def content_of(name: str, text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as fault:
        raise BadInput(f"{name[:40]}: is no TOML ({str(fault)[:100]})") from None


def check_references(name: str, content: dict[str, Any]) -> None:
    """BadInput where a config leads elsewhere than to a config and a world that have a name."""
    for key, known in (("extends", known_configs()), ("world", known_worlds())):
        if key in content and content[key] not in known:
            raise BadInput(
                f"{name[:40]}: {key} = {str(content[key])[:40]!r}: a config that is opened here must name one of "
                f"{', '.join(known)}"
            )


def seed_of(text: str) -> int | None:
    """The seed that the page wrote into the first line of a config that it kept."""
    found = SEED.search(text)
    return int(found[1]) if found else None


def as_address(text: str) -> str:
    """A config's text as an address carries it."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def text_of(carried: str) -> str:
    """The config's text out of an address. BadInput for anything else."""
    try:
        packed = base64.b64decode(carried + "=" * (-len(carried) % 4), b"-_", validate=True)
        unpacked = zlib.decompressobj()
        text = unpacked.decompress(packed, 4 * LONGEST)
        if unpacked.unconsumed_tail or not unpacked.eof:
            raise ValueError("too long, or cut off")
        return text.decode()
    except (ValueError, zlib.error):
        raise BadInput("is no config as an address carries it; open its file instead") from None
