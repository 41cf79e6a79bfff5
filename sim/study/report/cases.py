"""The cases of an answer: one config at one point of the design, and the same with a switch off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sim.compare.results import Result, some_runs
from sim.compare.tables import key_of
from sim.experiment.designs import SAMPLED
from sim.results.manifest import KeptExperiment
from sim.study.plot.words import Words

MOST_CASES = 48


@dataclass(frozen=True)
class Case:
    """One config at one point: `keys` are its config and swept values, `label` tells it from the others in words."""

    label: str
    keys: Mapping[str, Any]
    result: Result

    def words_of(self, key: str) -> str:
        """A key with its value, such as "severity of controls: 0.4", or the value where it says so itself."""
        return Words([self.result]).pair(key, key_of(text_of(self.keys[key])), unit=True)

    def change_from(self, base: Case, key: str) -> str:
        """How a key differs from `base`, such as "severity of controls 0 → 0.4" or "no controls → historic"."""
        words = Words([self.result])
        before, after = (key_of(text_of(case.keys[key])) for case in (base, self))
        told = f"{words.value(key, before)} → {words.value(key, after)}"
        if words.pair(key, after) == words.value(key, after):
            return told
        return f"{words.key(key)} {told}" + words.unit_behind(key)


def cases_of(
    folder: Path, result: Result, experiment: KeptExperiment
) -> tuple[list[Case], dict[str, Sequence[Case]], int]:
    """The cases in the order of the design, those of the baseline config first; the same with a switch off; and how
    many there are of the former, as of more than `MOST_CASES` only the first of those are told that differ from the
    first in one thing.
    """
    parts = [name for name, kind in designs(experiment).items() if kind not in SAMPLED]
    if not parts:
        return [], {}, 0
    switches = experiment.leave_out
    names = ["config", *(key for key in result.swept if key != "part" or len(parts) > 1)]
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(result.groups(names)):
        if "part" not in result.keys or result.keys["part"][place] in parts:
            places.setdefault(tuple(map(_plain, key)), []).append(place)
    baseline = experiment.baseline or result.configs[0]
    ordered = sorted(places, key=lambda key: key[0] != baseline)  # stable: the order of the design is kept
    pools: dict[str, list[tuple[Any, ...]]] = {"": [], **{switch: [] for switch in switches}}
    for key in ordered:
        off = [switch for switch in switches if key[names.index(switch)] is False]
        pools[off[0] if off else ""].append(key)
    count, first = len(pools[""]), pools[""][0]
    own = [place for place, name in enumerate(names) if name not in switches]
    if count > MOST_CASES:
        pools = {
            switch: [key for key in pool if sum(key[place] != first[place] for place in own) <= 1]
            for switch, pool in pools.items()
        }
    pools = {switch: pool[:MOST_CASES] for switch, pool in pools.items()}
    told = pools.pop("")
    varied = [place for place in own if len({key[place] for key in told}) > 1]
    words = Words([result])

    def case(key: tuple[Any, ...]) -> Case:
        shown = [place for n, place in enumerate(varied) if n == 0 or key[place] != first[place]]
        label = ", ".join(words.pair(names[p], key_of(text_of(key[p])), unit=True) for p in shown)
        part = _part(result, places[key], label or words.value("config", str(key[0])))
        return Case(part.name, {names[place]: key[place] for place in own}, part)

    return [case(key) for key in told], {s: [case(key) for key in pool] for s, pool in pools.items()}, count


def designs(experiment: KeptExperiment) -> dict[str, str]:
    """The kind of design of every part by its name."""
    return {name: plan.design.kind for name, plan in experiment.plans.items()}


def text_of(held: Any) -> str:
    """A key's value as a config has it."""
    return {True: "true", False: "false"}[held] if isinstance(held, bool) else str(held)


def _plain(held: Any) -> Any:
    """A truth value from its text in a table."""
    return {"true": True, "false": False}.get(held, held) if isinstance(held, str) else held


def _part(result: Result, places: Sequence[int], name: str) -> Result:
    """Some runs of a result, as a result of its own in which nothing is swept."""
    return replace(some_runs(result, places), name=name, configs=(name,), swept=())
