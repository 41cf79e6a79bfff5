"""The whole of a calibration: waves, ensemble, tests, forecasts, report; what was finished is not run again."""

from __future__ import annotations

import os
from pathlib import Path

from sim.errors import BadInput
from sim.experiment.ensemble import ENSEMBLE
from sim.folders import project_root
from sim.results.files import write_aside, writing
from sim.scenario.scenario import load_config
from sim.study.calibration.discipline import run_tests, without_mechanisms
from sim.study.calibration.file import calibration_path, load_calibration
from sim.study.calibration.matching import choose_ensemble, ensemble_text, match
from sim.study.calibration.report import (
    LEARNT_COLUMNS,
    SCORED_COLUMNS,
    Learnt,
    csv_text,
    figure,
    how_figures_are_met,
    learnt_rows,
    page,
    scored_rows,
    what_was_learnt,
)
from sim.study.validation import forecasts
from sim.study.validation.hindcast import Progress, values_at, worker_pool
from sim.terminal import note

MARK = "study.txt"
MECHANISM_COLUMNS = ["left_out", "figures", "error", "interval_score", "inside_50", "inside_90", "best_distance"]


def open_folder(out: Path, made_by: str) -> None:
    """Make the folder of a study, or see that it holds one of the same kind. BadInput otherwise."""
    with writing(out):
        if out.exists() and not out.is_dir():
            raise BadInput(f"--out = {str(out)!r}: is a file; give a folder")
        held = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
        mark = out / MARK
        if held and not (mark.exists() and mark.read_text() == made_by):
            raise BadInput(f"--out = {str(out)!r}: holds {held[0]!r} and no {made_by}; give a new or an empty folder")
        out.mkdir(parents=True, exist_ok=True)
        mark.write_text(made_by)


def calibrate(experiment: str | Path, workers: int | None = None, out: Path | None = None) -> tuple[list[Learnt], Path]:
    """Match, choose the ensemble, test and forecast; writes a folder and returns what was learnt and where.

    Raises BadInput, and KeyboardInterrupt on Ctrl-C; the same call goes on from the waves that were finished.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if workers < 1:
        raise BadInput(f"--workers = {workers}: must be a whole number from 1")
    calibration = load_calibration(calibration_path(experiment))
    out = out or project_root() / "results" / calibration.name
    open_folder(out, "decoupling study calibrate")
    waves_folder = out / "waves"
    waves_folder.mkdir(exist_ok=True)
    for stale in waves_folder.iterdir():
        if not stale.name.startswith(calibration.identity):
            stale.unlink()
    with worker_pool(workers) as pool:
        waves = match(calibration, pool, waves_folder)
        chosen = choose_ensemble(calibration, waves)
        sets = calibration.values(waves.units[chosen])
        scored = run_tests(calibration, waves, pool)
        mechanisms = without_mechanisms(calibration, waves, pool)
        figures = forecasts.forecast_figures(calibration.scenario.world)
        seeds = range(1, forecasts.SEEDS + 1)
        progress = Progress("forecasts", len(sets) * len(seeds))
        ahead = values_at(load_config(calibration.content["config"]), sets, seeds, figures, pool, progress)
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
        "calibration.svg": figure(calibration, learnt, met),
    }
    with writing(out):
        for name, content in files.items():
            write_aside(out / name, [content])
    shipped = calibration.scenario.world.folder / ENSEMBLE
    same = shipped.exists() and shipped.read_bytes() == files[ENSEMBLE]
    note(f"{out}: {len(sets)} parameter sets; {'equal to' if same else 'not'} the ensemble that ships with the world.")
    return learnt, out
