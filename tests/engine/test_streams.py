"""Paired luck: a draw depends on (seed, decision, quarter, agent) and on nothing else."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.streams import Luck, agent_keys, uniform

SEEDS = np.arange(1, 4, dtype=np.uint64)
names = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=12, unique=True)


@given(names, st.integers(0, 2**63 - 1), st.integers(0, 400), st.randoms())
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_company_moves_a_draw(ids, seed, quarter, shuffler):
    alone = {
        name: uniform(np.array([seed], dtype=np.uint64), "research success", quarter, agent_keys([name]))[0, 0]
        for name in ids
    }
    mixed = list(ids)
    shuffler.shuffle(mixed)
    together = uniform(np.array([7, seed], dtype=np.uint64), "research success", quarter, agent_keys(mixed))[1]
    assert dict(zip(mixed, together, strict=True)) == alone


def test_every_key_matters():
    keys = agent_keys(["smic", "ymtc"])
    first = uniform(SEEDS, "build delay", 5, keys)
    for other in (
        uniform(SEEDS + np.uint64(3), "build delay", 5, keys),
        uniform(SEEDS, "demand shock", 5, keys),
        uniform(SEEDS, "build delay", 6, keys),
        uniform(SEEDS, "build delay", 5, agent_keys(["a", "b"])),
    ):
        assert not np.isin(first, other).any()


def test_draws_are_uniform_and_uncorrelated():
    draws = uniform(np.arange(500, dtype=np.uint64), "build delay", 3, agent_keys([f"firm-{i}" for i in range(400)]))
    assert draws.min() > 0 and draws.max() < 1
    assert abs(draws.mean() - 0.5) < 5 * np.sqrt(1 / 12 / draws.size)
    assert abs(draws.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / draws.size)
    neighbours = np.corrcoef(draws[:-1].ravel(), draws[1:].ravel())[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(draws.size)
    counts = np.histogram(draws, bins=64, range=(0, 1))[0]
    expected = draws.size / 64
    assert ((counts - expected) ** 2 / expected).sum() < 63 + 5 * np.sqrt(2 * 63)


def test_a_known_draw_stays_what_it_is():
    # Worked out with Python integers from the definition: a change here changes every result ever made.
    def mix(x):
        m = 2**64 - 1
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & m
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & m
        return x ^ (x >> 31)

    import hashlib

    def word(text):
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")

    m, golden = 2**64 - 1, 0x9E3779B97F4A7C15
    step = mix((word("build delay") + 11 * golden) & m)
    run = mix((42 * golden + step) & m)
    agent = word("smic-chn-mature")
    bits = mix(mix((run + agent * golden) & m) ^ agent)
    expected = ((bits >> 12) + 0.5) * 2.0**-52
    found = uniform(np.array([42], dtype=np.uint64), "build delay", 10, agent_keys(["smic-chn-mature"]))
    assert found[0, 0] == expected


def test_luck_is_the_same_draws_whoever_shares_a_seed_and_however_many_are_made_at_once():
    keys = agent_keys([f"firm-{i}" for i in range(70)])
    for seeds in ([5], [3, 1, 2], [2, 9, 2, 2, 9], [*range(200), 7]):
        block = np.array(seeds, dtype=np.uint64)
        luck = Luck(block)
        for quarter in (0, 1, 30, 63):
            assert np.array_equal(luck.draw("build delay", quarter, keys), uniform(block, "build delay", quarter, keys))
    assert Luck(SEEDS).draw("build delay", 3, keys[:0]).shape == (len(SEEDS), 0)
