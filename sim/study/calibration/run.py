"""The whole of a calibration: waves, tests, ensemble, forecasts, report; what was finished is not run again."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path

from sim.batch.engines import open_engine, worker_count
from sim.experiment.ensemble import ENSEMBLE
from sim.experiment.file import experiment_path
from sim.folders import results_folder
from sim.results import provenance
from sim.results.files import write_aside, writing
from sim.scenario.loading import load_config
from sim.study.calibration.file import Calibration, load_calibration
from sim.study.calibration.left_out import origin_runs, run_tests, scored_tests, without_mechanisms
from sim.study.calibration.matching import choose_ensemble, credibility, ensemble_text, fit_of, match, values_at_points
from sim.study.calibration.report import (
    LEARNT_COLUMNS,
    MECHANISM_COLUMNS,
    MET_COLUMNS,
    Learnt,
    figure,
    how_figures_are_met,
    learnt_rows,
    mechanism_rows,
    met_rows,
    page,
    what_was_learnt,
)
from sim.study.files import csv_text, open_folder
from sim.study.validation import forecasts
from sim.study.validation.groups import ERRORS, GROUP_COLUMNS, group_rows
from sim.study.validation.hindcast import Runner
from sim.study.validation.scoring import LEFT_OUT, SCORE_COLUMNS, cells_of, scores_of
from sim.terminal import note


def calibration_identity(calibration: Calibration) -> str:
    """A hash of all that the waves depend on."""
    content = {
        "file": calibration.content,
        "scenario": calibration.scenario.hash,
        "observations": [vars(o) for o in calibration.observations],
        "program": provenance.program_hash(),
        "dependencies": provenance.dependencies(),
        "arithmetic": provenance.arithmetic_fingerprint(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def calibrate(
    experiment: str | Path, workers: int | None = None, out: Path | None = None, cluster: str | None = None
) -> tuple[list[Learnt], Path]:
    """Match, choose the ensemble, test and forecast; writes a folder and returns what was learnt and where.

    cluster: the address of a Dask scheduler, or "local:N"; then `workers` is left out.
    Raises BadInput, WorkersDied, and KeyboardInterrupt on Ctrl-C; the same call goes on from what was finished.
    """
    workers = worker_count(workers, cluster)
    calibration = load_calibration(experiment_path(experiment))
    out = out or results_folder() / calibration.name
    open_folder(out, "decoupling study calibrate")
    identity = calibration_identity(calibration)
    kept = _stages_folder(out, identity)
    with closing(open_engine(workers, cluster)) as engine:
        runner = Runner(engine, kept, identity)
        waves = match(calibration, runner)
        origins = origin_runs(calibration, waves, runner)
        tests = run_tests(calibration, waves, origins)
        credible = waves.weights * credibility(
            calibration, fit_of(calibration, waves.values, tests.groups), tests.temper
        )
        chosen = choose_ensemble(calibration, credible)
        sets = values_at_points(calibration, waves.units[chosen])
        mechanisms = without_mechanisms(calibration, waves, tests, runner)
        known, coming = forecasts.known_and_coming(calibration.scenario.world, tests.groups)
        seeds = range(1, forecasts.SEEDS + 1)
        config = load_config(calibration.content["config"])
        ahead = runner.values_at("forecasts", config, sets, seeds, [*known, *coming])
    scores = scores_of(scored_tests(calibration, tests, origins))
    learnt = what_was_learnt(calibration, waves, credible)
    met = how_figures_are_met(calibration, waves, credible, tests.groups)
    record = forecasts.record_text(known, coming, ahead, tests.groups).encode()
    files = {
        ENSEMBLE: ensemble_text(calibration, waves, chosen).encode(),
        ERRORS: csv_text(GROUP_COLUMNS, group_rows(list(tests.scales.values()))).encode(),
        LEFT_OUT: csv_text(SCORE_COLUMNS, cells_of(scores)).encode(),
        "learnt.csv": csv_text(LEARNT_COLUMNS, learnt_rows(learnt)).encode(),
        "figures.csv": csv_text(MET_COLUMNS, met_rows(met)).encode(),
        "mechanisms.csv": csv_text(MECHANISM_COLUMNS, mechanism_rows(mechanisms)).encode(),
        forecasts.RECORD: record,
        forecasts.HASH: f"{forecasts.digest(record)}  {forecasts.RECORD}\n".encode(),
        "calibration.md": page(calibration, waves, tests, credible, learnt, met, scores, mechanisms).encode(),
        "calibration.svg": figure(calibration, learnt, met).encode(),
    }
    with writing(out):
        for name, content in files.items():
            write_aside(out / name, [content])
    shipped = calibration.scenario.world.folder / ENSEMBLE
    same = shipped.exists() and shipped.read_bytes() == files[ENSEMBLE]
    note(f"{out}: {len(sets)} parameter sets; {'equal to' if same else 'not'} the ensemble that ships with the world.")
    return learnt, out


def _stages_folder(out: Path, identity: str) -> Path:
    """Where finished stages are kept; those of another file, program or world go."""
    folder = out / "stages"
    with writing(out):
        folder.mkdir(exist_ok=True)
        for stale in folder.iterdir():
            if not stale.name.startswith(identity):
                stale.unlink()
    return folder
