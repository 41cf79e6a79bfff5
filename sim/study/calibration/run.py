"""The whole of a calibration: waves, ensemble, tests, forecasts, report; what was finished is not run again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sim.batch.engines import open_engine, worker_count
from sim.experiment.ensemble import ENSEMBLE
from sim.experiment.experiment import experiment_path
from sim.folders import results_folder
from sim.results.files import write_aside, writing
from sim.scenario.loading import load_config
from sim.study.calibration.file import load_calibration
from sim.study.calibration.left_out import run_tests, without_mechanisms
from sim.study.calibration.matching import choose_ensemble, ensemble_text, match
from sim.study.calibration.report import (
    LEARNT_COLUMNS,
    SCORED_COLUMNS,
    Learnt,
    figure,
    how_figures_are_met,
    learnt_rows,
    page,
    scored_rows,
    what_was_learnt,
)
from sim.study.files import csv_text, open_folder
from sim.study.validation import forecasts
from sim.study.validation.hindcast import Runner
from sim.terminal import note

MECHANISM_COLUMNS = ["left_out", "figures", "error", "interval_score", "inside_50", "inside_90", "best_distance"]


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
    kept = _stages_folder(out, calibration.identity)
    with closing(open_engine(workers, cluster)) as engine:
        runner = Runner(engine, kept, calibration.identity)
        waves = match(calibration, runner)
        chosen = choose_ensemble(calibration, waves)
        sets = calibration.values(waves.units[chosen])
        scored = run_tests(calibration, waves, runner)
        mechanisms = without_mechanisms(calibration, waves, runner)
        figures = forecasts.forecast_figures(calibration.scenario.world)
        seeds = range(1, forecasts.SEEDS + 1)
        ahead = runner.values_at("forecasts", load_config(calibration.content["config"]), sets, seeds, figures)
    learnt, met = what_was_learnt(calibration, waves), how_figures_are_met(calibration, waves)
    record = forecasts.record_text(figures, ahead).encode()
    mechanism_rows = [
        [m.mechanism, m.scores.count, m.scores.error, m.scores.score, m.scores.inside_50, m.scores.inside_90, m.fit]
        for m in mechanisms
    ]
    files = {
        ENSEMBLE: ensemble_text(calibration, waves, chosen).encode(),
        "learnt.csv": csv_text(LEARNT_COLUMNS, learnt_rows(learnt)).encode(),
        "left-out.csv": csv_text(SCORED_COLUMNS, scored_rows(scored)).encode(),
        "mechanisms.csv": csv_text(MECHANISM_COLUMNS, mechanism_rows).encode(),
        forecasts.RECORD: record,
        forecasts.HASH: f"{forecasts.digest(record)}  {forecasts.RECORD}\n".encode(),
        "calibration.md": page(calibration, waves, learnt, met, scored, mechanisms).encode(),
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
