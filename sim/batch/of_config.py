"""The results that names mean; a config is run first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sim.batch.run import run_batch
from sim.compare import push
from sim.errors import BadInput, nearest
from sim.experiment.designs import Grid, Part
from sim.experiment.ensemble import Ensemble, read_ensemble
from sim.experiment.experiment import of_config
from sim.folders import result_path, results_folder
from sim.measures import measure_names
from sim.results.provenance import program_hash
from sim.results.records import RUNS
from sim.scenario.loading import config_path, known_configs, load_config
from sim.scenario.scenario import Scenario
from sim.scenario.values import CAUSED

SEEDS = 20  # of a config that is run to be compared
SEEDS_OF_SETS = 2  # of each parameter set, where it is run over these


class RunsFailed(Exception):
    """Some runs of a config failed, or its workers could not be kept alive; the reason has been printed."""


def results_of(names: Sequence[str], apart: bool = True, sets: bool = False) -> list[Path]:
    """The results that names mean: each an existing path, else a result folder, else a config, which is run first.

    Of configs whose controls differ, every one is run with the push held and with it answering, unless not `apart`;
    with `sets` they are run over the parameter sets of their world. Raises BadInput for a name that is none of them,
    and where `sets` are asked of a result, which has those that it was made with; and RunsFailed.
    """
    there = [_existing(name) for name in names]
    if sets and (made := [name for name, path in zip(names, there, strict=True) if path]):
        raise BadInput(f"--parameters: {made[0]} is a result, which has the parameter sets that it was made with")
    scenarios = [load_config(name) for name, path in zip(names, there, strict=True) if path is None]
    apart = apart and not any(there) and _about_controls(scenarios)
    return [path or run_config(name, apart, sets) for name, path in zip(names, there, strict=True)]


def _existing(name: str) -> Path | None:
    """The result that a name means; None where it is a config. Raises BadInput where it is neither."""
    path = result_path(name)
    if path.exists() and path.suffix != ".toml" and (path == Path(name) or (path / RUNS).exists()):
        return path
    try:
        config_path(name)
    except BadInput:
        raise BadInput(f"{name}: there is no such result, runs.csv or config{nearest(name, known_configs())}") from None
    return None


def _about_controls(scenarios: Sequence[Scenario]) -> bool:
    """Whether the controls of a config differ from those of the first, and the push is on in one of them."""
    controls = [push.controls_of(scenario.values, scenario.as_dict()["events"]) for scenario in scenarios]
    differ = any(each != controls[0] for each in controls)
    return differ and any(push.can_answer(scenario.values) for scenario in scenarios)


def run_config(name: str, apart: bool = False, sets: bool = False) -> Path:
    """The folder of 20 seeds of a config, with every measure by year: slices and effects need them.

    `apart` runs it with the push held and with it answering, `sets` with two seeds of each parameter set instead. The
    folder is named by what it was made from, so that a changed config or program makes a new result and refuses no old
    one.
    """
    scenario = load_config(name)
    seeds = SEEDS_OF_SETS if sets else SEEDS
    experiment = of_config(scenario, seeds)
    content = {**experiment.content, "record": {"every": "year", "measures": "all"}}
    parts = experiment.parts
    if apart:
        levels = {CAUSED: (push.LEVELS[push.HELD], push.LEVELS[push.ANSWERS])}
        content |= {"factors": {key: list(held) for key, held in levels.items()}, "swept": list(levels)}
        parts = (Part("", "grid", tuple(levels), Grid(levels)),)
    ensemble = _ensemble(scenario, parts[0].swept, name) if sets else None
    if ensemble:
        content |= {"parameters": {"ensemble": len(ensemble.sets), "hash": ensemble.hash}}
    measures = tuple(measure_names("all", scenario.world))
    experiment = replace(experiment, content=content, parts=parts, measures=measures, ensemble=ensemble)
    of_sets = f"-{len(ensemble.sets)}-sets" if ensemble else ""
    made_from = (
        f"{scenario.name}-{seeds}-seeds{of_sets}{'-apart' if apart else ''}-{scenario.hash[:8]}-{program_hash()[:8]}"
    )
    folder = results_folder() / made_from
    if run_batch(experiment, out=folder):
        raise RunsFailed
    return folder


def _ensemble(scenario: Scenario, swept: Sequence[str], name: str) -> Ensemble | None:
    problems: list[str] = []
    ensemble = read_ensemble(scenario.world, set(swept), config_path(name), problems)
    if problems:
        raise BadInput(problems)
    return ensemble
