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
from sim.compare.words import counted
from sim.errors import BadInput
from sim.experiment.ensemble import ENSEMBLE, parameter_sets
from sim.folders import result_path
from sim.results.files import write_aside, writing
from sim.results.output import is_result
from sim.results.reading import open_result
from sim.results.records import header_of
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.scenario.values import MARKET
from sim.study.files import csv_text
from sim.study.outcomes import say_changes
from sim.study.plot.picture import Panel, Picture, Style
from sim.study.plot.seen import BELOW, BY_SEEN, X_BY_SEEN, against_seen, series_in_words
from sim.study.validation.error_model import predicted
from sim.study.validation.forecasts import Recorded, asked, published_forecasts, recorded_forecasts, said_in_2022
from sim.study.validation.groups import Group, group_of, without_group, world_groups
from sim.study.validation.hindcast import Runner
from sim.study.validation.observations import (
    CONTEXT,
    Observation,
    published_markets,
    read_observations,
    scale_of,
    world_observations,
)
from sim.study.validation.pages import rolling_origins
from sim.study.validation.rivals import Rivals
from sim.study.validation.scores import Forecast, interval_score
from sim.study.validation.scoring import (
    LEFT_OUT,
    REACTIONS_OFF,
    SCORE_COLUMNS,
    Score,
    Scored,
    Summary,
    cells_of,
    duels,
    of_model,
    read_scores,
    scores_of,
    with_reactions_off,
)
from sim.study.validation.series import Series, to_scale
from sim.terminal import note
from sim.world.evidence import Value
from sim.world.world import World

if TYPE_CHECKING:
    import pandas as pd

FREE, GIVEN = "free", "given market"
SEEDS = 16


@dataclass(frozen=True)
class Validation:
    """Scored figures by kind of hindcast, what was left out of the fit, and forecasts on the record."""

    name: str
    world: World
    groups: Sequence[Group]  # the model's errors; none if the world has no calibration
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
    chosen = ensemble_sets(world)[:sets]
    seeds = range(1, SEEDS + 1)
    scenarios = {GIVEN if _market_is_given(scenario) else FREE: scenario}
    if not _market_is_given(scenario):
        scenarios[GIVEN] = scenario.with_values(published_markets([*world_observations(world), *figures], world))
    observed = [*figures, *_known(world, figures)]
    wanted = [*observed, *_asked_by_others(world, observed)]
    with closing(open_engine(workers, cluster)) as engine:
        runner = Runner(engine)
        values = {kind: runner.values_at(kind, one, chosen, seeds, wanted) for kind, one in scenarios.items()}
        still = with_reactions_off(FREE, scenario, wanted, runner) if observations else None
    scored = {kind: _scored(kind, world, figures, wanted, values[kind], still) for kind in scenarios}
    first = values[next(iter(scenarios))]
    own = {(o.measure, o.date): Forecast.of(first[:, :, place].ravel()) for place, o in enumerate(wanted)}
    return _with_forecasts(str(scenario.name), world, figures, scored, own, len(chosen), SEEDS)


def ensemble_sets(world: World) -> list[Mapping[str, Value]]:
    """The parameter sets that ship with a world, or the config's own where there are none."""
    sets = list(parameter_sets(world).values())
    if not sets:
        note(f"{world.folder / ENSEMBLE}: there is no ensemble; the config's own parameters are used")
    return sets or [{}]


def _figures(world: World, path: str | Path | None) -> list[Observation]:
    """The figures to score: from the base year on, and measures of the model; the world's own are those of years."""
    given = world_observations(world) if path is None else read_observations(path, world)
    late = [o for o in given if o.year > LAST_YEAR]
    if late:
        raise BadInput(f"{path}: {late[0].measure} of {late[0].date}: runs end in {LAST_YEAR}")
    figures = [
        o for o in given if o.year >= FIRST_YEAR and o.measure not in CONTEXT and not (path is None and o.is_quarter)
    ]
    if not any(o.year > FIRST_YEAR for o in figures):
        raise BadInput(f"{path or world.folder / 'observations.csv'}: has no figure after {FIRST_YEAR} to score")
    return figures


def _known(world: World, figures: Sequence[Observation]) -> list[Observation]:
    """The world's own figures of the same series: what the error of a new figure is told by."""
    held = {(o.series, o.date) for o in figures}
    series = {o.series for o in figures}
    return [
        o
        for o in world_observations(world)
        if o.year >= FIRST_YEAR and o.series in series and (o.series, o.date) not in held
    ]


def _asked_by_others(world: World, observed: Sequence[Observation]) -> list[Observation]:
    """What others forecast and nobody observed, so that the model's own forecast can be set beside it."""
    held = {(o.measure, o.date) for o in observed}
    return [
        asked(one.measure, one.date, one.unit, world)
        for one in published_forecasts(world)
        if (one.measure, one.date) not in held
    ]


def _scored(
    kind: str,
    world: World,
    figures: Sequence[Observation],
    wanted: Sequence[Observation],
    values: Array,
    still: Array | None,
) -> list[Scored]:
    """Each figure with the model's forecast; a new one given what was known of its series, and with its rivals'.

    `values` (sets, seeds, wanted) hold the figures' first. A given market is not a forecast of the market.
    """
    groups = world_groups(world)
    shipped = {(o.series, o.date) for o in world_observations(world)}
    rivals = Rivals(world_observations(world), groups)
    scored = []
    for place, o in enumerate(figures):
        if kind == GIVEN and o.measure == "chip_market":
            continue
        group = group_of(o.series, groups) or without_group(o)
        fitted = (o.series, o.date) in shipped
        before = [
            (at, known)
            for at, known in enumerate(wanted)
            if not fitted and known.series == o.series and (o.series, known.date) in shipped and known.date < o.date
        ]
        series = Series.of(group, before) if before and group.on != "level" else None
        origin = max([known.year for _, known in before], default=FIRST_YEAR)
        said: dict[str, Forecast] = {}
        if not fitted and group.on != "level":
            said = rivals.forecasts(o, group, origin)
            if still is not None:
                said[REACTIONS_OFF] = _forecast(group, series, o, place, still)
        use = "fitted" if fitted and o.use == "fit" else "not fitted"
        scored.append(Scored(use, origin, group, o, _forecast(group, series, o, place, values), said))
    return scored


def _forecast(group: Group, series: Series | None, o: Observation, place: int, values: Array) -> Forecast:
    """Of one figure from values (sets, seeds, wanted), given the figures of its series that are known."""
    draws = values.reshape(-1, values.shape[2])
    before = to_scale(draws[:, series.places], group.on) if series else np.zeros(0)
    model = to_scale(draws[:, place], group.on)
    return predicted(group, series, before, float(o.year), model, np.ones(len(draws)))


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
    return Validation(name, world, world_groups(world), scored, recorded, published, sets, seeds)


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
    scored = {kind: _scored(kind, world, kept, kept, values, None)}
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

FIGURE_COLUMNS = ["hindcast", *SCORE_COLUMNS]
DUEL_COLUMNS = ["hindcast", "use", "rival", "figures", "error_model", "error_rival", "crps_model", "crps_rival"]
DUEL_COLUMNS += ["score_model", "score_rival", "inside_50", "inside_80", "inside_90"]
RECORD_COLUMNS = ["by", "measure", "date", "unit", "forecast", "q05", "q95", "model_now", "observed", "interval_score"]


def figure_rows(validation: Validation) -> list[list[Any]]:
    """One row per hindcast, figure and forecaster, quantiles in the observation's unit."""
    return [[kind, *row] for kind, scored in validation.scored.items() for row in cells_of(scores_of(scored))]


def by_use(validation: Validation) -> dict[tuple[str, str], list[Score]]:
    """Scores by hindcast and by whether figures were fitted to."""
    parts = {}
    for kind, scored in validation.scored.items():
        for use in ("fitted", "not fitted"):
            if rows := [row for row in scored if row.test == use]:
                parts[kind, use] = scores_of(rows)
    return parts


def score_rows(validation: Validation) -> list[list[Any]]:
    """The model by itself, and against each rival on the figures that both forecast."""
    rows: list[list[Any]] = []
    for (kind, use), scores in by_use(validation).items():
        mine = Summary.of(of_model(scores))
        own = [mine.error, None, mine.crps, None, mine.interval_score, None]
        rows.append([kind, use, "", mine.figures, *own, *mine.inside])
        for duel in duels(scores):
            mine, theirs = duel.model, duel.other
            both = [mine.error, theirs.error, mine.crps, theirs.crps, mine.interval_score, theirs.interval_score]
            rows.append([kind, use, duel.rival, mine.figures, *both, *mine.inside])
    return rows


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
    """The answer in Markdown; what had been said before and where the model loses come first."""
    lines = [f"# {validation.name} against what was observed", ""]
    lines += _had_said(validation.world)
    lines += rolling_origins(read_scores(validation.world.folder / LEFT_OUT))
    lines += ["## Figures of the model as it is now", ""]
    lines += [f"{validation.sets} parameter sets, {validation.seeds} seeds each.", ""]
    if not validation.groups:
        lines += [
            f"There is no calibration of the world {validation.world.name}: the model's own error is not known, and "
            "the intervals hold the errors of observation and luck alone.",
            "",
        ]
    lines += ["![Each figure: the model's median, 50 and 90 % intervals by what was seen.](validation.svg)", ""]
    lines += _failures(validation)
    lines += [
        "| hindcast | figures | rival | mean error: model | rival | CRPS: model | rival | inside 50 / 80 / 90 % |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for kind, use, rival, count, error, other, crps, its, _, _, *inside in score_rows(validation):
        cells = ["" if value is None else f"{value:.3f}" for value in (error, other, crps, its)]
        lines.append(
            f"| {kind} | {count} {use} | {rival} | {' | '.join(cells)} | {' / '.join(map(str, inside))} of {count} |"
        )
    lines += ["", "A figure that was fitted is no test; its interval is what the error model says of an unseen series."]
    lines += ["", "| hindcast | series | date | unit | seen | 5 / 25 / 50 / 75 / 95 % | use |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for kind, scored in validation.scored.items():
        for row in scored:
            o = row.observation
            quantiles = " / ".join(f"{o.published(value):.4g}" for value in row.model.shown)
            lines.append(
                f"| {kind} | {o.series} | {o.date} | {o.unit} | {o.published(o.value):.4g} | {quantiles} | {row.test} |"
            )
    lines += ["", "## Forecasts made before", ""]
    lines += [f"| {' | '.join(RECORD_COLUMNS)} |", "|" + "---|" * len(RECORD_COLUMNS)]
    for cells in record_rows(validation):
        lines.append(
            "| " + " | ".join("" if c is None else f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells) + " |"
        )
    return "\n".join(lines) + "\n"


def _had_said(world: World) -> list[str]:
    """What the model fitted to 2022 had said of later years."""
    said = said_in_2022(world)
    if not said:
        return []
    inside = sum(one.inside for one in said)
    lines = ["## What it had said", ""]
    lines += [
        f"Fitted to figures up to 2022 and asked about 2023 and 2024, the model had {inside} of {len(said)} figures "
        "inside its 90 % interval, as it was judged then, with the figure's own error. That stays on the record.",
        "",
        "| figure | year | unit | seen | said: median (5 to 95 %) | inside |",
        "|---|---|---|---|---|---|",
    ]
    for one in said:
        lines.append(
            f"| {one.measure} | {one.date[:4]} | {one.unit} | {one.seen:g} | {one.median:g} ({one.low:g} to "
            f"{one.high:g}) | {'yes' if one.inside else 'no'} |"
        )
    return [*lines, ""]


def _failures(validation: Validation) -> list[str]:
    failures = []
    for kind, scored in validation.scored.items():
        for row in scored:
            o, f = row.observation, row.model
            if not f.holds(o.value, 0.9):
                failures.append(
                    f"- {kind}: {o.series} {o.date[:4]}, seen {o.published(o.value):.4g}, outside "
                    f"{o.published(f.low):.4g} to {o.published(f.high):.4g} ({o.unit}; {row.test})."
                )
    for (kind, use), scores in by_use(validation).items():
        for duel in duels(scores):
            if duel.losses:
                failures.append(
                    f"- {kind}, {use} ({duel.model.figures} figures): worse than {duel.rival} in "
                    f"{', '.join(duel.losses)}."
                )
    return [*(failures or ["- No figure lies outside its 90 % interval."]), ""]


def figure(validation: Validation) -> str:
    """Each scored figure: what was seen (1) and the model's median, 50 and 90 % intervals by it. An SVG's text."""
    from sim.study.plot.figure import draw

    return draw(_picture(validation), "svg").decode()


MARKETS = {FREE: "the model makes its own market", GIVEN: "the market is given"}


def _picture(validation: Validation) -> Picture:
    """A row for each figure, with both kinds of hindcast; those that were fitted first."""
    panels, left = [], 0
    for use in ("fitted", "not fitted"):
        own = [(kind, one) for kind, scored in validation.scored.items() for one in scored if one.test == use]
        lines = [
            against_seen(
                _label(one.observation, validation.world), one.observation.value, one.model.shown, MARKETS[kind]
            )
            for kind, one in own
            if one.observation.value > 0
        ]
        left += len(own) - len(lines)
        if lines:
            panels.append(Panel(use, tuple(lines), x_label=X_BY_SEEN, mark=1.0, ratios=True))
    not_drawn = (f"Not drawn: {counted(left, 'forecast')} of a figure of zero or below.",) if left else ()
    return Picture(
        "cases",
        f"{validation.name} against what was observed",
        BY_SEEN,
        tuple(panels),
        "",
        f"Source: decoupling study validate; {counted(validation.sets, 'parameter set')}, "
        f"{counted(validation.seeds, 'seed')} each.",
        (),
        meanings=(BELOW, *not_drawn),
        styles={name: Style(place + 1, 2, False, place) for place, name in enumerate(MARKETS.values())},
    )


def _label(o: Observation, world: World) -> str:
    return f"{series_in_words(o.series, world.names)}, {o.date[: 7 if o.is_quarter else 4]}"


def write(validation: Validation, out: Path) -> None:
    """The tables, the page and the figure, into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "figures.csv": csv_text(FIGURE_COLUMNS, figure_rows(validation)).encode(),
        "scores.csv": csv_text(DUEL_COLUMNS, score_rows(validation)).encode(),
        "forecasts.csv": csv_text(RECORD_COLUMNS, record_rows(validation)).encode(),
        "validation.md": page(validation).encode(),
        "validation.svg": figure(validation).encode(),
    }
    with writing(out):
        for name, content in files.items():
            write_aside(out / name, [content])


def _market_is_given(scenario: Any) -> bool:
    return any(key.startswith(MARKET) for key in scenario.given)
