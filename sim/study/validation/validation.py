"""The model against observed figures, and against simple rivals with the same information.

There are two kinds of hindcast. "free": the model makes its own chip market. "given market": the config, or the
observations themselves, give the target's market by year, so that the answer is conditional on demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.arrays import Array
from sim.batch.engines import open_engine, worker_count
from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.compare.tables import read_table
from sim.errors import BadInput
from sim.experiment.ensemble import ENSEMBLE, read_ensemble
from sim.experiment.experiment import experiment_path, is_calibration, known_experiments
from sim.folders import result_path
from sim.results.figure import drawing, open_frame, svg_text
from sim.results.files import write_aside, writing
from sim.results.output import is_result
from sim.results.reading import open_result
from sim.results.records import header_of
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.scenario.values import MARKET
from sim.study.files import csv_text
from sim.study.outcomes import say_changes
from sim.study.validation.forecasts import Recorded, asked, published_forecasts, recorded_forecasts
from sim.study.validation.hindcast import Runner
from sim.study.validation.observations import (
    CONTEXT,
    Observation,
    published_markets,
    read_observations,
    scale_of,
    world_observations,
)
from sim.study.validation.scores import Forecast, interval_score
from sim.study.validation.scoring import (
    REACTIONS_OFF,
    Duel,
    Scored,
    duels,
    histories,
    is_scored,
    not_scored_and_outside,
    predicted,
    rival_forecasts,
    with_reactions_off,
)
from sim.terminal import note
from sim.world.evidence import Value, read_toml
from sim.world.world import World

if TYPE_CHECKING:
    import pandas as pd

FREE, GIVEN = "free", "given market"
SEEDS = 16


@dataclass(frozen=True)
class Validation:
    """Scored figures by kind of hindcast, and forecasts on the record beside what was observed."""

    name: str
    world: World
    calibration: str | None  # the one that states the model's discrepancies
    scored: Mapping[str, Sequence[Scored]]
    recorded: Sequence[tuple[Recorded, Observation | None]]
    published: Sequence[tuple[Recorded, Observation | None, Forecast | None]]
    sets: int
    seeds: int


def validate(
    what: str | Path,
    observations: str | Path | None = None,
    workers: int | None = 1,
    sets: int | None = None,
    cluster: str | None = None,
) -> Validation:
    """Score a config, run over the world's ensemble, or a result folder that was run before.

    `observations` is a file of new figures; without one the world's own are scored. `sets` limits the ensemble.
    Runs go to so many worker processes (None: one for each processor) or to a Dask cluster.
    """
    workers = worker_count(workers, cluster)
    if is_result(folder := result_path(str(what))):
        return _validate_result(folder, observations)
    scenario = load_config(what)
    world = scenario.world
    figures = _figures(world, observations)
    parameter_sets = ensemble_sets(world)[:sets]
    seeds = range(1, SEEDS + 1)
    scenarios = {GIVEN if _market_is_given(scenario) else FREE: scenario}
    if not _market_is_given(scenario):
        scenarios[GIVEN] = scenario.with_values(published_markets([*world_observations(world), *figures], world))
    wanted = [*figures, *_asked_by_others(world, figures)]
    with closing(open_engine(workers, cluster)) as engine:
        runner = Runner(engine)
        values = {kind: runner.values_at(kind, one, parameter_sets, seeds, wanted) for kind, one in scenarios.items()}
        still = with_reactions_off(scenario, figures, runner)
    scored = {kind: _scored(kind, world, figures, values[kind], still) for kind in scenarios}
    first = values[next(iter(scenarios))]
    own = {(o.measure, o.date): Forecast.of(first[:, :, place].ravel()) for place, o in enumerate(wanted)}
    return _with_forecasts(str(scenario.name), world, figures, scored, own, len(parameter_sets), SEEDS)


def ensemble_sets(world: World) -> list[Mapping[str, Value]]:
    """The parameter sets that ship with a world, or the config's own where there are none."""
    table = world.folder / ENSEMBLE
    if not table.exists():
        note(f"{table}: there is no ensemble; the config's own parameters are used")
        return [{}]
    problems: list[str] = []
    ensemble = read_ensemble(world, set(), table, problems)
    if ensemble is None or problems:
        raise BadInput(problems)
    return list(ensemble.sets.values())


def _figures(world: World, path: str | Path | None) -> list[Observation]:
    """The figures to score: after the base year, and measures of the model."""
    given = world_observations(world) if path is None else read_observations(path, world)
    late = [o for o in given if o.year > LAST_YEAR]
    if late:
        raise BadInput(f"{path}: {late[0].measure} of {late[0].date}: runs end in {LAST_YEAR}")
    figures = [o for o in given if o.year > FIRST_YEAR and o.measure not in CONTEXT]
    if not figures:
        raise BadInput(f"{path or world.folder / 'observations.csv'}: has no figure after {FIRST_YEAR} to score")
    return figures


def _asked_by_others(world: World, figures: Sequence[Observation]) -> list[Observation]:
    """What others forecast and the figures lack, so that the model's own forecast can be set beside it."""
    held = {(o.measure, o.date) for o in figures}
    return [
        asked(one.measure, one.date, one.unit, world)
        for one in published_forecasts(world)
        if (one.measure, one.date) not in held
    ]


def _scored(
    kind: str, world: World, figures: Sequence[Observation], values: Array, still: Array | None
) -> list[Scored]:
    """Each figure with the model's forecast and its rivals'. A given market is not a forecast of the market."""
    shipped = [o for o in world_observations(world) if o.measure not in CONTEXT]
    past = histories(shipped)
    fitted = {(o.series, o.date) for o in shipped}
    discrepancies, _ = discrepancies_of(world)
    scored = []
    for place, o in enumerate(figures):
        if kind == GIVEN and o.series == "chip_market":
            continue
        known = [other.year for other in shipped if other.series == o.series and other.year < o.year]
        origin = FIRST_YEAR if (o.series, o.date) in fitted else max([FIRST_YEAR, *known])
        share = discrepancies.get(o.series, discrepancies.get(o.series.split(".")[0], 0.0))
        model = predicted(values[:, :, place], o, share * abs(o.value), np.ones(len(values)))
        rivals = rival_forecasts(o, past, origin)
        if still is not None:
            rivals[REACTIONS_OFF] = predicted(still[:, :, place], o, 0.0, np.ones(len(still)))
        scored.append(
            Scored(
                "fitted" if (o.series, o.date) in fitted and o.use == "fit" else "not fitted", origin, o, model, rivals
            )
        )
    return scored


def discrepancies_of(world: World) -> tuple[dict[str, float], str | None]:
    """The model's discrepancies as parts of the value, and the name of the calibration of this world that states them.

    An input without its own has the median of the others. A world without a calibration has none.
    """
    for name in known_experiments():
        content = read_toml(experiment_path(name))
        if is_calibration(content) and load_config(content.get("config", "")).world.hash == world.hash:
            stated = {series: float(part) for series, part in content.get("discrepancy", {}).items()}
            shares = [part for series, part in stated.items() if series.startswith("input_world_share.")]
            return stated | ({"input_world_share": float(np.median(shares))} if shares else {}), name
    return {}, None


def _with_forecasts(
    name: str,
    world: World,
    figures: Sequence[Observation],
    scored: Mapping[str, Sequence[Scored]],
    own: Mapping[tuple[str, str], Forecast],
    sets: int,
    seeds: int,
) -> Validation:
    seen = {(o.measure, o.date): o for o in figures if not o.is_relative and not o.is_quarter}
    recorded = [(one, seen.get((one.measure, one.date))) for one in recorded_forecasts(world)]
    published = [
        (one, seen.get((one.measure, one.date)), own.get((one.measure, one.date))) for one in published_forecasts(world)
    ]
    _, calibration = discrepancies_of(world)
    return Validation(name, world, calibration, scored, recorded, published, sets, seeds)


def _validate_result(folder: Path, observations: str | Path | None) -> Validation:
    """Score a result folder: its runs of the first config are the forecast."""
    result = open_result(folder)
    manifest = result.manifest
    config, scenario = next(iter(manifest.scenarios.items()))
    if len(manifest.scenarios) > 1:
        note(f"{folder}: holds several configs; {config} is scored")
    world = Scenario.from_dict(scenario.model_dump(), str(folder)).world
    figures = _figures(world, observations)
    if result.series is None:
        raise BadInput(f"{folder}: has no measures over time; run it again")
    say_changes(result, world)
    held = header_of(result.series)
    measures = [name for name in dict.fromkeys(o.measure for o in figures) if name in held]
    table = read_table(result.series, ["config", "date"], measures, whole=True)
    by_date = {str(day): rows for day, rows in table[table["config"] == config].groupby("date")}
    quarterly = any(not day.endswith("-12-31") for day in by_date)
    kept, columns = [], []
    for o in figures:
        column = _column(by_date, o, quarterly)
        if column is not None:
            kept.append(o)
            columns.append(column)
    if not kept:
        raise BadInput(f"{folder}: records none of the figures; record their measures every year")
    if len(kept) < len(figures):
        note(f"{folder}: {len(figures) - len(kept)} of {len(figures)} figures are not recorded there and not scored")
    values = np.stack(columns, axis=-1)[:, None, :]
    kind = GIVEN if _market_is_given(scenario) else FREE
    scored = {kind: _scored(kind, world, kept, values, None)}
    own = {(o.measure, o.date): Forecast.of(values[:, 0, place]) for place, o in enumerate(kept)}
    return _with_forecasts(f"{folder.name}: {config}", world, kept, scored, own, len(values), 1)


def _column(by_date: Mapping[str, pd.DataFrame], o: Observation, quarterly: bool) -> Array | None:
    """A figure's values in the runs of a result, or None if they are not recorded in its rhythm, or not in all runs."""
    runs = max(map(len, by_date.values()), default=0)

    def read(day: str) -> Array | None:
        rows = by_date.get(day)
        if rows is None or o.measure not in rows or len(rows) < runs or rows[o.measure].isna().any():
            return None
        values: Array = rows[o.measure].to_numpy(np.float64)
        return values

    if o.is_quarter != quarterly:
        return None
    column, base = read(o.date), read(f"{FIRST_YEAR}-12-31")
    if o.is_relative:
        return column / base if column is not None and base is not None else None
    return column


# What is written.

FIGURE_COLUMNS = ["hindcast", "use", "origin", "series", "date", "unit", "observed", "error", "forecaster"]
FIGURE_COLUMNS += ["q05", "q25", "q50", "q75", "q95", "miss", "inside_50", "inside_90", "interval_score"]
SCORE_COLUMNS = ["hindcast", "use", "rival", "figures", "error_model", "error_rival", "score_model", "score_rival"]
SCORE_COLUMNS += ["inside_50", "inside_90"]
RECORD_COLUMNS = ["by", "measure", "date", "unit", "forecast", "q05", "q95", "model_now", "observed", "interval_score"]


def figure_rows(validation: Validation, forecasters: str = "all") -> list[list[Any]]:
    """One row per hindcast, figure and forecaster, in the observation's unit."""
    rows: list[list[Any]] = []
    for kind, scored in validation.scored.items():
        for row in scored:
            o = row.observation
            for name, forecast in {"model": row.model, **row.rivals}.items():
                if forecast is None or (forecasters == "model" and name != "model"):
                    continue
                quantiles = [o.published(value) for value in vars(forecast).values()]
                rows.append(
                    [
                        *(kind, row.test, row.origin, o.series, o.date, o.unit),
                        *(o.published(o.value), o.published(o.error), name, *quantiles),
                        o.published(forecast.median - o.value),
                        forecast.lower <= o.value <= forecast.upper,
                        forecast.low <= o.value <= forecast.high,
                        o.published(interval_score(forecast.low, forecast.high, o.value)),
                    ]
                )
    return rows


def pools(validation: Validation) -> list[tuple[str, str, Duel]]:
    """The model against each rival by hindcast and by whether figures were fitted to. Regions are left out."""
    fought = []
    for kind, scored in validation.scored.items():
        rows = [row for row in scored if is_scored(row.observation)]
        for use in ("fitted", "not fitted"):
            fought += [(kind, use, duel) for duel in duels([row for row in rows if row.test == use])]
    return fought


def score_rows(validation: Validation) -> list[list[Any]]:
    return [
        [
            *(kind, use, duel.rival, duel.model.count, duel.model.error, duel.other.error),
            *(duel.model.score, duel.other.score, duel.model.inside_50, duel.model.inside_90),
        ]
        for kind, use, duel in pools(validation)
    ]


def record_rows(validation: Validation) -> list[list[Any]]:
    """Forecasts made before: the model's on the record and others', beside the model now and what was observed."""
    rows: list[list[Any]] = []
    for one, seen in validation.recorded:
        score = interval_score(one.quantiles[0], one.quantiles[4], seen.published(seen.value)) if seen else None
        rows.append([one.by, one.measure, one.date, one.unit, one.quantiles[2], one.quantiles[0], one.quantiles[4]])
        rows[-1] += [None, seen.published(seen.value) if seen else None, score]
    for one, seen, now in validation.published:
        rows.append([one.by, one.measure, one.date, one.unit, one.quantiles[0], None, None])
        scale = scale_of(one.unit, validation.world)
        rows[-1] += [now.median / scale if now else None, seen.published(seen.value) if seen else None, None]
    return rows


def page(validation: Validation) -> str:
    """The answer in Markdown; where the model loses comes first."""
    lines = [f"# {validation.name} against what was observed", ""]
    lines += [f"{validation.sets} parameter sets, {validation.seeds} seeds each.", ""]
    if validation.calibration is None:
        lines += [
            f"There is no calibration of the world {validation.world.name}: the model's own discrepancy is not known, "
            "and the intervals hold the errors of observation and luck alone.",
            "",
        ]
    lines += ["![Each figure: the model's median, 50 and 90 % intervals by what was seen.](validation.svg)", ""]
    lines += ["## Where the model fails", ""]
    failures = []
    for kind, scored in validation.scored.items():
        for row in scored:
            o, f = row.observation, row.model
            if is_scored(o) and not f.low <= o.value <= f.high:
                failures.append(
                    f"- {kind}: {o.series} {o.date[:4]}, seen {o.published(o.value):.4g}, outside "
                    f"{o.published(f.low):.4g} to {o.published(f.high):.4g} ({o.unit}; {row.test})."
                )
        outside = [r.observation for r in scored if not r.model.low <= r.observation.value <= r.model.high]
        failures += [f"- {kind}: {text}" for text in not_scored_and_outside(outside)]
    for kind, use, duel in pools(validation):
        if duel.losses:
            failures.append(
                f"- {kind}, {use} ({duel.model.count} figures): worse than {duel.rival} in {' and '.join(duel.losses)}."
            )
    lines += failures or ["- Nowhere below."]
    lines += ["", "## Against rivals", "", "In units of the observation errors; intervals of 90 %.", ""]
    lines += [
        "| hindcast | figures | rival | error: model | rival | interval score: model | rival | model inside 50 / 90 % |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for kind, use, duel in pools(validation):
        model, other = duel.model, duel.other
        lines.append(
            f"| {kind} | {model.count} {use} | {duel.rival} | {model.error:.2f} | {other.error:.2f} | "
            f"{model.score:.2f} | {other.score:.2f} | {model.inside_50} / {model.inside_90} |"
        )
    lines += ["", "## Figures", "", "| hindcast | series | date | unit | seen | 5 / 25 / 50 / 75 / 95 % | use |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for kind, scored in validation.scored.items():
        for row in scored:
            o = row.observation
            quantiles = " / ".join(f"{o.published(value):.4g}" for value in vars(row.model).values())
            lines.append(
                f"| {kind} | {o.series} | {o.date} | {o.unit} | {o.published(o.value):.4g} | {quantiles} | {row.test} |"
            )
    lines += [
        "",
        "## Forecasts made before",
        "",
        f"| {' | '.join(RECORD_COLUMNS)} |",
        "|" + "---|" * len(RECORD_COLUMNS),
    ]
    for cells in record_rows(validation):
        lines.append(
            "| " + " | ".join("" if c is None else f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells) + " |"
        )
    return "\n".join(lines) + "\n"


def figure(validation: Validation) -> str:
    """Each scored figure: what was seen (1) and the model's median, 50 and 90 % intervals by it."""
    from matplotlib.figure import Figure

    kinds = list(validation.scored)
    most = max(sum(is_scored(row.observation) for row in validation.scored[kind]) for kind in kinds)
    with drawing("decoupling"):
        drawn = Figure(figsize=(5.8 * len(kinds), 1 + 0.24 * most))
        axes = drawn.subplots(1, len(kinds), squeeze=False)
        for panel, kind in zip(axes[0], kinds, strict=True):
            shown = [row for row in validation.scored[kind] if is_scored(row.observation)][::-1]
            for place, row in enumerate(shown):
                parts = [value / row.observation.value for value in vars(row.model).values()]
                colour = "#0072B2" if row.test == "fitted" else "#D55E00"
                panel.plot([parts[0], parts[4]], [place, place], color=colour, linewidth=1.5)
                panel.plot([parts[1], parts[3]], [place, place], color=colour, linewidth=5, solid_capstyle="butt")
                panel.plot(parts[2], place, "o", color="white", markersize=3)
            panel.axvline(1, color="black", linewidth=0.8)
            panel.set_yticks(range(len(shown)), [f"{r.observation.series} {r.observation.date[:4]}" for r in shown])
            panel.set(xlim=(0, 2.5), xlabel="model by seen (blue: fitted, orange: not)", title=kind)
        open_frame(*axes[0])
        drawn.tight_layout()
        return svg_text(drawn)


def write(validation: Validation, out: Path) -> None:
    """The tables, the page and the figure, into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "figures.csv": csv_text(FIGURE_COLUMNS, figure_rows(validation)).encode(),
        "scores.csv": csv_text(SCORE_COLUMNS, score_rows(validation)).encode(),
        "forecasts.csv": csv_text(RECORD_COLUMNS, record_rows(validation)).encode(),
        "validation.md": page(validation).encode(),
        "validation.svg": figure(validation).encode(),
    }
    with writing(out):
        for name, content in files.items():
            write_aside(out / name, [content])


def _market_is_given(scenario: Any) -> bool:
    return any(key.startswith(MARKET) for key in scenario.given)
