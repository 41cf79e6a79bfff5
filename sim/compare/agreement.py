"""What two results are: whether their manifests agree, and the parameters that differ."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sim.compare.results import Result
from sim.results.manifest import KeptScenario, Manifest


def fingerprints(manifest: Manifest) -> dict[str, str]:
    """What should agree between two results, in words, by what it is."""
    horizon = manifest.horizon
    return {
        "program": manifest.program_hash,
        "world": ", ".join(f"{world.name} ({world.hash})" for world in manifest.worlds.values()),
        "horizon": f"{horizon.first} to {horizon.last}",
        "arithmetic": manifest.arithmetic,
        "versions": ", ".join(f"{name} {version}" for name, version in manifest.dependencies.items()),
    }


def agreement(base: Result, candidate: Result) -> list[str]:
    """Sentences on whether program, world, horizon and units are the same."""
    bare = dict.fromkeys(result.path for result in (base, candidate) if not result.manifest)
    notes = [f"{path}: a bare table; its program, world, scenario and units are unknown" for path in bare]
    if base.manifest and candidate.manifest:
        ours, theirs = fingerprints(base.manifest), fingerprints(candidate.manifest)
        differing = [key for key, value in ours.items() if theirs[key] != value]
        notes += [
            f"the {key} differs: {ours[key]} in {base.name}, {theirs[key]} in {candidate.name}" for key in differing
        ]
        shared = set(base.columns) & set(candidate.columns)
        units = sorted(c for c in shared if base.note(c, "unit") != candidate.note(c, "unit"))
        notes += [
            f"unit of {c} differs: {base.note(c, 'unit')!r} in {base.name}, {candidate.note(c, 'unit')!r} "
            f"in {candidate.name}"
            for c in units
        ]
        agreeing = [key for key in ours if key not in differing] + ([] if units else ["units"])
        if agreeing:
            notes.append(f"the same in {base.name} and {candidate.name}: {', '.join(agreeing)}")
    return notes


def parameters_that_differ(results: Sequence[Result]) -> list[list[str]]:
    """A row for each parameter that is not the same in all results: its name, and its value in each of them.

    A swept one is called swept; where a result holds several configs, each config has rows of its own.
    """
    held = [(result, result.manifest.scenarios if result.manifest else {}) for result in results]
    several = any(len(scenarios) > 1 for _, scenarios in held)
    rows = []
    configs: Sequence[str | None] = sorted({name for _, s in held for name in s}) if several else [None]
    for config in configs:
        picked = [s.get(config) if config else next(iter(s.values()), None) for _, s in held]
        start = f"{config}: " if config else ""
        for key in sorted({key for scenario in picked if scenario for key in scenario.values}):
            cells = [_shown(result, scenario, key) for (result, _), scenario in zip(held, picked, strict=True)]
            if len(set(cells)) > 1:
                rows.append([f"{start}{key}", *cells])
        events = [scenario.events if scenario else [] for scenario in picked]
        if any(event != events[0] for event in events[1:]):
            counts = [str(len(event)) for event in events]
            rows.append([f"{start}events", *(counts if len(set(counts)) > 1 else [f"{n}, others" for n in counts])])
    return rows


def _shown(result: Result, scenario: KeptScenario | None, key: str) -> str:
    if not result.manifest:
        return "unknown"
    if key in result.swept:
        return f"swept from {result.since[key]}" if key in result.since else "swept"
    return json.dumps(scenario.values[key]) if scenario and key in scenario.values else "not there"
