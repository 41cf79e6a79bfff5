"""One random stream per decision.

A draw is a function of (seed, decision, quarter, agent) alone. So the same seed draws the same luck under every
policy, in any order, with any number of workers, and an extra firm in the table moves nobody else's.

The generator is a counter hash: the four keys are mixed by two rounds of the splitmix64 finaliser (Steele, Lea
and Flood 2014, "Fast splittable pseudorandom number generators").
"""

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

# Every random decision and its law; nothing else is drawn.
DECISIONS = {
    "demand shock": "each quarter, normal: news of the chip cycle (an autoregression), for the world and each segment",
    "research success": "each quarter and agent, Bernoulli: research advances by 1 / probability, or not at all",
    "supplier entry": "each quarter, Bernoulli: the target enters an input of which it sold nothing in 2019",
    "build delay": "each quarter and maker, Bernoulli: lines that are due arrive, or slip by a quarter",
    "entry": "each quarter and possible entrant, Bernoulli: enters on the subsidies offered in its segment",
    "failure": "each quarter and unfinished new fab, Bernoulli: its lines are given up",
    "alliance timing": "once for each ally, uniform within a quarter: by how much its lag is rounded up",
    "retaliation timing": "each quarter, uniform within a quarter: by how much the target's lag is rounded up",
    "licence outcome": "each year and seller, uniform around the severity: what part of it licences deny",
}

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))


@cache
def _word_key(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def agent_keys(ids: Sequence[str]) -> NDArray[np.uint64]:
    """The stream keys of agents by their literal ids; shape (agents,)."""
    return np.array([_word_key(name) for name in ids], dtype=np.uint64)


def uniform(seeds: NDArray[np.uint64], decision: str, quarter: int, agents: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Draws strictly between 0 and 1.

    `seeds` has shape (runs,), `agents` shape (agents,) from `agent_keys`; the answer has shape (runs, agents).
    Top 52 bits and a half: with 53 the largest would round to 1, whose normal quantile is infinite.
    """
    decision_key = np.array([_word_key(decision)], dtype=np.uint64)
    with np.errstate(over="ignore"):
        step_key = _mix(decision_key + np.uint64(quarter + 1) * _GOLDEN)
        run_key = _mix(seeds * _GOLDEN + step_key)
        bits = _mix(_mix(run_key[:, None] + agents[None, :] * _GOLDEN) ^ agents[None, :])
    return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
