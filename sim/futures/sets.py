"""Which futures are run: pairs of a parameter set and a seed, so that what is not known and luck both differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sim.experiment import ensemble
from sim.scenario.scenario import Scenario
from sim.scenario.values import CAUSED
from sim.world.evidence import Value
from sim.world.world import World

FIRST, MORE = 32, 128  # futures that are run while somebody waits, and when nobody does
Pair = tuple[int, int]  # the number of a parameter set, 0 for the config's own parameters, and a seed


@lru_cache(maxsize=16)
def parameter_sets(world: World) -> Mapping[int, Mapping[str, Value]]:
    """The parameter sets of a world's ensemble by number from 1, read once; none where it has no ensemble."""
    return ensemble.parameter_sets(world)


def pairs(world: World, count: int, seed: int = 1) -> list[Pair]:
    """The first `count` futures: future n has the n-th of the spread sets and the seed `seed` + n - 1.

    So no two share their luck, and the first 32 of 128 are the 32. A world without an ensemble has seeds alone.
    """
    sets = ensemble.evenly(list(parameter_sets(world))) or [0]
    return [(sets[number % len(sets)], seed + number) for number in range(count)]


def scenarios(scenario: Scenario, chosen: Sequence[Pair], caused: float | None = None) -> list[Scenario]:
    """The config with the parameters of each pair's set and, unless None, this part of the push caused by controls."""
    given = {} if caused is None else {CAUSED: caused}
    sets = parameter_sets(scenario.world)
    made: dict[int, Scenario] = {}
    for number, _ in chosen:
        if number not in made:
            made[number] = scenario.with_values({**sets.get(number, {}), **given})
    return [made[number] for number, _ in chosen]


def how_chosen(world: World) -> str:
    """A sentence for people."""
    if parameter_sets(world):
        return (
            "Each future has its own luck and its own set of guesses for what is not known, of the "
            f"{len(parameter_sets(world))} sets that were matched with history. Both worlds have the same futures, so "
            "what differs between them is your change."
        )
    return (
        "The futures differ by luck alone: nothing is known of this world with which its parameters could be "
        "matched, so each keeps the config's own. Both worlds have the same luck, so what differs is your change."
    )
