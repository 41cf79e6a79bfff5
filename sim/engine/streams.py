"""One random stream per decision.

A draw is a function of (seed, decision, quarter, agent) alone. So the same seed draws the same luck under every
policy, in any order, with any number of workers, and an extra firm in the table moves nobody else's.

The generator is a counter hash: the four keys are mixed by two rounds of the splitmix64 finaliser (Steele, Lea
and Flood 2014, "Fast splittable pseudorandom number generators").
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Array
from sim.calendar import LAST_YEAR, quarters_until
from sim.engine.runs import Pick

# Every random decision and its law; nothing else is drawn.
DECISIONS = {
    "demand shock": "each quarter, normal: news of the chip cycle (an autoregression), for the world and each segment",
    "target demand": "each quarter, normal: news of the target's demand beside the world's (a random walk)",
    "research success": "each quarter and agent, Bernoulli: research advances by 1 / probability, or not at all",
    "supplier entry": "each quarter, Bernoulli: the target enters an input of which it sold nothing in 2019",
    "build delay": "each quarter and chip firm, Bernoulli: lines that are due arrive, or slip by a quarter",
    "entry": "each quarter and possible entrant, Bernoulli: enters on the subsidies offered in its segment",
    "failure": "each quarter and unfinished new fab, Bernoulli: its lines are given up",
    "alliance timing": "once for each ally, uniform within a quarter: by how much its lag is rounded up",
    "retaliation timing": "each quarter, uniform within a quarter: by how much the target's lag is rounded up",
    "licence outcome": "each year and seller, uniform around the severity: what part of it licences deny",
}

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_64_BITS = (1 << 64) - 1
_ONE = np.float64(1.0).view(np.uint64)
_HALF_A_STEP_BELOW_ONE = 1.0 - 2.0**-53


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix in place; all arithmetic is modulo 2**64."""
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(_FIRST)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(_SECOND)
    bits ^= bits >> np.uint64(31)
    return bits


@cache
def _word_key(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def agent_keys(ids: Sequence[str]) -> NDArray[np.uint64]:
    """The stream keys of agents by their literal ids; shape (agents,)."""
    return np.array([_word_key(name) for name in ids], dtype=np.uint64)


def uniform(seeds: NDArray[np.uint64], decision: str, quarter: int, agents: NDArray[np.uint64]) -> Array:
    """Draws strictly between 0 and 1.

    `seeds` has shape (runs,), `agents` shape (agents,) from `agent_keys`; the answer has shape (runs, agents).
    Top 52 bits and a half: with 53 the largest would round to 1, whose normal quantile is infinite.
    """
    draws: Array = _uniform(seeds, decision, range(quarter, quarter + 1), agents)[0]
    return draws


def _uniform(seeds: NDArray[np.uint64], decision: str, quarters: range, agents: NDArray[np.uint64]) -> Array:
    """The same for several quarters, (quarters, runs, agents)."""
    steps = np.array([_step_key(decision, quarter) for quarter in quarters])
    run_keys = _mix(seeds * np.uint64(_GOLDEN) + steps[:, None])
    bits = _mix(run_keys[..., None] + agents * np.uint64(_GOLDEN))
    bits ^= agents
    _mix(bits)
    # The top 52 bits as the fraction of a number from 1 to 2, less what makes it half a step above k / 2**52: exact.
    bits >>= np.uint64(12)
    bits |= _ONE
    return bits.view(np.float64) - _HALF_A_STEP_BELOW_ONE


@cache
def _step_key(decision: str, quarter: int) -> np.uint64:
    key = np.array([(_word_key(decision) + (quarter + 1) * _GOLDEN) & _64_BITS], dtype=np.uint64)
    return np.uint64(_mix(key)[0])


_AT_ONCE = 8192  # draws that are made together: more would leave the cache
_TABLES = 64  # tables that are kept: those of a run alone, or of the few seeds that the policies of a sweep share


class Luck:
    """The draws of the runs of a model by their seeds: `uniform`, made for some quarters ahead where few are needed."""

    def __init__(self, seeds: NDArray[np.uint64]) -> None:
        self.seeds = seeds
        distinct, place = np.unique(seeds, return_inverse=True)
        self._place = None if len(distinct) == len(seeds) else place  # policies of a sweep share their seeds
        self._distinct = seeds if self._place is None else distinct
        self._key = self._distinct.tobytes()

    def picked(self, pick: Pick) -> Luck:
        """The luck of the runs that are picked."""
        return Luck(pick.rows(self.seeds))

    def draw(self, decision: str, quarter: int, agents: NDArray[np.uint64]) -> Array:
        """Draws strictly between 0 and 1, (runs, agents); `agents` from `agent_keys`."""
        few = _AT_ONCE // max(1, len(self._distinct) * len(agents))
        span = min(max(1, few), quarters_until(LAST_YEAR))
        first = quarter - quarter % span
        draws: Array = _table(self._key, decision, range(first, first + span), agents.tobytes())[quarter - first]
        return draws if self._place is None else draws.take(self._place, axis=0)


@lru_cache(maxsize=_TABLES)
def _table(seeds: bytes, decision: str, quarters: range, agents: bytes) -> Array:
    table = _uniform(np.frombuffer(seeds, np.uint64), decision, quarters, np.frombuffer(agents, np.uint64))
    table.setflags(write=False)
    return table
