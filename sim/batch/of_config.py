"""The result that a name means; a config is run first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sim.batch.run import run_batch
from sim.errors import BadInput, nearest
from sim.experiment.experiment import of_config
from sim.folders import result_path, results_folder
from sim.measures import measure_names
from sim.results.provenance import program_hash
from sim.results.records import RUNS
from sim.scenario.loading import config_path, known_configs, load_config

SEEDS = 20  # of a config that is run to be compared


class RunsFailed(Exception):
    """Some runs of a config failed, or its workers could not be kept alive; the reason has been printed."""


def result_of(name: str) -> Path:
    """The result that a name means: an existing path, else a result folder, else a config, which is run first.

    Raises BadInput if it is none of them, and RunsFailed.
    """
    path = result_path(name)
    if path.exists() and path.suffix != ".toml" and (path == Path(name) or (path / RUNS).exists()):
        return path
    try:
        config_path(name)
    except BadInput:
        raise BadInput(f"{name}: there is no such result, runs.csv or config{nearest(name, known_configs())}") from None
    return run_config(name)


def run_config(name: str) -> Path:
    """The folder of 20 seeds of a config, with every measure by year: slices and effects need them.

    It is named by what it was made from, so that a changed config or program makes a new result and refuses no old one.
    """
    scenario = load_config(name)
    experiment = of_config(scenario, SEEDS)
    experiment = replace(
        experiment,
        content={**experiment.content, "record": {"every": "year", "measures": "all"}},
        measures=tuple(measure_names("all", scenario.world)),
    )
    made_from = f"{scenario.name}-{SEEDS}-seeds-{scenario.hash[:8]}-{program_hash()[:8]}"
    folder = results_folder() / made_from
    if run_batch(experiment, out=folder):
        raise RunsFailed
    return folder
