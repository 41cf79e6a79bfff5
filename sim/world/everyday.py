"""What parameters and mechanisms are called in everyday words, from `configs/evidence/plain.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sim.folders import EVIDENCE, SHIPPED, find
from sim.world.evidence import read_toml

PLAIN = "plain.toml"


@lru_cache(maxsize=16)
def everyday(target: str, goods: str) -> Mapping[str, str]:
    """Words by key, with the names of a world's target and of what the race is over."""
    held = read_toml(find(EVIDENCE, PLAIN) or SHIPPED / EVIDENCE / PLAIN)
    return {key: str(words).replace("TARGET", target).replace("GOODS", goods) for key, words in held.items()}
