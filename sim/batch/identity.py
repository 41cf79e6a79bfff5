"""What a batch is, and what its columns mean: two batches with equal identity give equal bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sim.calendar import FIRST_YEAR, LAST_YEAR, OUTCOME_YEARS
from sim.experiment.experiment import Experiment
from sim.measures import catalogue
from sim.results import provenance, records
from sim.results.manifest import SCHEMA_VERSION, KeptGoal, KeptWorld
from sim.scenario.scenario import Scenario
from sim.world.world import World

# What an experiment says, and asks of the results afterwards: no run depends on it.
WORDS = ("name", "question", "prediction", "baseline", "targets")
# What may grow, and the hash of what was drawn.
SIZES = ("replications", "seeds", "samples", "trajectories", "points", "generations", "drawn")


def identity_hash(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def batch_identity(experiment: Experiment, kinds: Mapping[str, str]) -> dict[str, Any]:
    """All that a run depends on, without the words that may change and the sizes that may grow."""
    facts = run_identity(experiment.scenarios, LAST_YEAR, experiment.every, list(kinds))
    return without_words({"experiment": experiment.as_dict(), **facts})


def without_words(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity, or as much of a manifest, without the words that may change and the sizes that may grow."""
    asked = _without_sizes({key: value for key, value in identity["experiment"].items() if key not in WORDS})
    if "parts" in asked:
        asked["parts"] = {name: _without_sizes(plan) for name, plan in asked["parts"].items()}
    scenarios = {
        name: {key: value for key, value in kept.items() if key != "purpose"}
        for name, kept in identity["scenarios"].items()
    }
    worlds = {id: {key: world[key] for key in ("hash", "tables")} for id, world in identity["worlds"].items()}
    return {**identity, "experiment": asked, "scenarios": scenarios, "worlds": worlds}


def _without_sizes(plan: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in plan.items() if key not in SIZES}
    for table in ("design", "search"):
        if table in kept:
            kept[table] = {key: value for key, value in kept[table].items() if key not in SIZES}
    return kept


def run_identity(scenarios: Iterable[Scenario], last_year: int, every: str, measures: Sequence[str]) -> dict[str, Any]:
    scenarios = list(scenarios)
    worlds = {each.world.id: each.world for each in scenarios}
    identity = {
        "schema_version": SCHEMA_VERSION,
        "scenarios": {scenario.name: {"hash": scenario.hash, **scenario.as_dict()} for scenario in scenarios},
        "worlds": {id: kept_world(worlds[id]).model_dump() for id in sorted(worlds)},
        "horizon": {"first": FIRST_YEAR, "last": last_year},
        "record": {"every": every, "measures": list(measures)},
        "program_hash": provenance.program_hash(),
        "program": provenance.program_files(),
        "dependencies": provenance.dependencies(),
        "arithmetic": provenance.arithmetic_fingerprint(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(identity))
    return plain


def kept_world(world: World) -> KeptWorld:
    """What a manifest keeps of a world; a short hash of each of its tables, so that a difference has a name."""
    return KeptWorld(
        name=world.name,
        hash=world.hash,
        assumed=world.is_assumed,
        goods=world.goods,
        goal=KeptGoal(**world.goal.model_dump()) if world.goal else None,
        states=world.states,
        roles=world.roles,
        segments=world.segments,
        inputs=world.inputs,
        names={id: world.names[id] for id in (*world.states, *world.segments, *world.inputs)},
        tables=world.table_hashes,
    )


def differences(old: Any, new: Any, key: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
    elif old != new:
        yield f"{key} was {_short(old)} and is now {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:56]} …"


def column_notes(
    swept: Iterable[str], measures: Iterable[str], world: World, since: Mapping[str, int] | None = None
) -> dict[str, dict[str, Any]]:
    """Unit, formula and meaning of every column of the two tables; `since` has the dates of swept levers."""
    notes: dict[str, dict[str, Any]] = {
        "run_id": {"unit": "word", "meaning": "config-point-parameter_set-seed"},
        "config": {"unit": "word", "meaning": "the config's name"},
        "parameter_set": {"unit": "number", "meaning": "0 for the config's own parameters, else a set of the ensemble"},
        "seed": {"unit": "number", "meaning": "runs with equal seeds have equal luck"},
        "status": {"unit": "word", "meaning": "done or failed"},
        "date": {"unit": "date", "meaning": "the last day of the period"},
        records.FIRST_70: {
            "unit": "date",
            "formula": f"first quarter with domestic_supply_share >= {records.TARGET}",
            "meaning": "last day of the first quarter with 70 % or more, whose year may be below; empty if never",
        },
    }
    for key in swept:
        if key == "part":
            notes[key] = {"unit": "word", "meaning": "the part of the experiment"}
            continue
        parameter, year = world.parameters[key], (since or {}).get(key)
        meaning = (
            f"{parameter.meaning}; it has this value from the beginning of {year} on" if year else parameter.meaning
        )
        notes[key] = {"unit": parameter.unit, "meaning": meaning}
    whens = {
        "end": "in the last year",
        **{str(year): f"in {year}" for year in OUTCOME_YEARS},
        "peak": "largest yearly value",
        "sum": "sum over the years",
    }
    known = catalogue(world)
    for name in measures:
        measure = known[name]
        notes[name] = {
            "unit": measure.unit,
            "formula": measure.formula,
            "meaning": measure.meaning,
            "kind": measure.kind,
            "direction": measure.direction,
        }
        for when, words in whens.items():
            if when != "sum" or measure.kind == "flow":
                unit = "bn yuan" if when == "sum" else measure.unit
                notes[f"{name}@{when}"] = {"unit": unit, "formula": f"{name}, {words}", "meaning": measure.meaning}
    return notes
