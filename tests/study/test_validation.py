"""Validation: a given market is met, new figures are scored without touching the project, results are read."""

import shutil

import numpy as np
import pytest
from support.paths import ROOT
from typer.testing import CliRunner

from sim import DecouplingModel
from sim.batch.run import run_batch
from sim.cli import app
from sim.errors import BadInput
from sim.scenario.loading import load_config
from sim.study.calibration.file import load_calibration
from sim.study.validation import forecasts
from sim.study.validation.groups import world_groups
from sim.study.validation.hindcast import values_at
from sim.study.validation.observations import CONTEXT, Observation, published_markets, world_observations
from sim.study.validation.validation import (
    FREE,
    GIVEN,
    ensemble_sets,
    figure_rows,
    page,
    validate,
)
from sim.world.world import load_world

WORLD = load_world("china-2020")
HEADER = "measure,date,value,unit,error,source,use\n"


def table(folder, *lines):
    path = folder / "new.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


# A given market.


@pytest.mark.parametrize("market", [100.0, 150.0, 186.5, 260.0])  # a slump, the trend, 2021, far above capacity
def test_the_given_market_is_met(market):
    given = load_config("historic", {"demand.market_bn_usd.2021": market, "demand.market_bn_usd.2022": market})
    model = DecouplingModel.block([given] * 2, [1, 2], record=["chip_market"], until=2023)
    while model.running:
        model.step()
    _, values = model.recorder.values("year")
    assert values.shape == (2, 4, 1)
    np.testing.assert_allclose(values[:, 1:3, 0], market * 6.9, rtol=1e-9)
    assert (np.abs(values[:, 3, 0] / (market * 6.9) - 1) > 1e-6).all()  # the next year is the model's own


def test_a_year_is_spread_along_the_line_between_the_years():
    from sim.engine.parameters import Parameters

    given = load_config("historic", {"demand.market_bn_usd.2021": 186.5})
    quarters = Parameters([given])._observed["demand.market_bn_usd"][0]
    assert np.isnan(quarters[:4]).all() and np.isnan(quarters[8:]).all()
    assert quarters[4:8].sum() == pytest.approx(186.5 * 6.9)
    growth = np.log(186.5 * 6.9 / 989.46)
    assert np.log(quarters[5] / quarters[4]) == pytest.approx(growth / 4)  # a quarter's part of the way
    assert quarters[7] == quarters[6]  # beyond the last middle it stays


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("demand.market_bn_usd.2020", 143.4, "must be a year from 2021 to 2035"),
        ("demand.market_bn_usd.next", 143.4, "must be a year from 2021 to 2035"),
        ("demand.market_bn_usd.2023", "much", "must be a number from 1 to 10000"),
        ("demand.market_bn_usd.2023", -1, "must be a number from 1 to 10000"),
    ],
)
def test_a_market_that_cannot_be_is_refused(key, value, says):
    with pytest.raises(BadInput, match=says):
        load_config("historic", {key: value})


def test_a_config_gives_the_market_in_a_table_and_its_heirs_have_it(tmp_path):
    base = tmp_path / "base.toml"
    base.write_text('purpose = "given"\nextends = "historic"\n[demand.market_bn_usd]\n2021 = 186.5\n2022 = 180\n')
    heir = tmp_path / "heir.toml"
    heir.write_text('purpose = "heir"\nextends = "base"\n[demand.market_bn_usd]\n2022 = 170.0\n')
    assert load_config(heir).observed("demand.market_bn_usd") == {"2021": 186.5, "2022": 170.0}
    assert load_config(heir).hash != load_config(base).hash != load_config("historic").hash


# New figures.


def test_new_figures_are_scored_by_their_own_table(tmp_path):
    path = table(
        tmp_path,
        "chip_market,2027-12-31,280,bn USD a year,6,invented,test",
        "production_share_located,2026,19,percent,1,invented,test",
        "input_world_share.planarization.CHN,2026-12-31,9,percent,,invented,test",
        "domestic_supply_share_real,2026-12-31,0.14,0 to 1,0.02,invented,test",
    )
    found = validate("historic", path, sets=3)
    assert {kind: len(rows) for kind, rows in found.scored.items()} == {FREE: 4, GIVEN: 3}
    share = next(row for row in found.scored[FREE] if row.observation.measure == "production_share_located")
    known = {o.year: o.value for o in world_observations(WORLD) if o.series == "production_share_located"}
    assert share.test == "not fitted" and share.origin == max(known)
    assert share.rivals["last value"].median == pytest.approx(known[max(known)], rel=0.01)
    bare = next(row for row in found.scored[FREE] if row.observation.measure == "domestic_supply_share_real")
    assert bare.group.name == "no group" and bare.rivals == {}
    rows = figure_rows(found)
    assert {row[9] for row in rows} >= {"model", "last value", "reactions off", "pool of all"}
    model = next(row for row in rows if row[5] == "production_share_located" and row[9] == "model")
    assert 10 < model[12] < 30 and model[7] == "percent"


def test_a_new_figure_is_forecast_from_the_residuals_of_its_series(tmp_path):
    """The error of the series goes on: the forecast is the model's change from the last figure, nearly."""
    path = table(tmp_path, "equipment_spending,2026,40,bn USD a year,1,invented,test")
    [row] = validate("historic", path, sets=4).scored[FREE]
    figures = [o for o in world_observations(WORLD) if o.series == "equipment_spending" and o.year >= 2020]
    last = figures[-1]
    assert row.origin == last.year
    asked = [last, forecasts.asked("equipment_spending", "2026-12-31", "bn USD a year", WORLD)]
    values = values_at(load_config("historic"), ensemble_sets(WORLD)[:4], range(1, 17), asked)
    change = np.median(values[:, :, 1] / values[:, :, 0])
    assert row.model.median == pytest.approx(last.value * change, rel=0.15)


def test_every_share_in_every_input_exists_for_every_year():
    figures = [
        Observation(f"input_world_share.{item}.{state}", f"{year}-12-31", 1.0, 1.0, "percent", "", "test", 0.01)
        for item in WORLD.column("inputs", "id")
        for state in WORLD.column("states", "id")
        for year in (2025, 2026, 2035)
    ]
    assert len(figures) == 18 * 8 * 3
    values = values_at(load_config("historic"), [{}], [1], figures)
    assert len(WORLD.column("inputs", "id")) == 18
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values.reshape(18, 8, 3).sum(axis=1), 1.0)


def test_a_result_folder_is_read(tmp_path):
    experiment = tmp_path / "mine.toml"
    experiment.write_text('question = "What?"\nconfigs = ["historic"]\nreplications = 3\n')
    run_batch(experiment, workers=1, out=tmp_path / "result")
    found = validate(tmp_path / "result")
    [(kind, rows)] = found.scored.items()
    assert kind == FREE and {row.observation.series for row in rows} >= {"chip_market", "equipment_spending"}
    direct = values_at(load_config("historic"), [{}], [1, 2, 3], [rows[0].observation])
    assert rows[0].model.low <= np.median(direct) <= rows[0].model.high
    assert not any(row.observation.is_quarter for row in rows) and {row.observation.year for row in rows} >= {2020}


def test_the_verb_writes_its_folder_and_refuses_bad_figures(tmp_path):
    runner = CliRunner()
    path = table(tmp_path, "chip_markt,2023,1,bn USD a year,1,x,test")
    refused = runner.invoke(app, ["study", "validate", "--observations", str(path), "--out", str(tmp_path / "out")])
    assert isinstance(refused.exception, BadInput) and not (tmp_path / "out").exists()
    path = table(tmp_path, "production_share_hq,2026,8,percent,1,invented,test")
    arguments = ["study", "validate", "--observations", str(path), "--out", str(tmp_path / "out"), "--sets", "2"]
    done = runner.invoke(app, [*arguments, "--workers", "1", "--format", "csv"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("hindcast,use,rival,figures,")
    held = {item.name for item in (tmp_path / "out").iterdir()}
    assert held == {"figures.csv", "scores.csv", "forecasts.csv", "validation.md", "validation.svg", "study.txt"}


# Another world.


@pytest.fixture
def dearer_dollar(tmp_path):
    """A world of its own: China's tables with 7 yuan to the dollar, and a config of it."""
    folder = tmp_path / "dearer"
    shutil.copytree(WORLD.folder, folder)
    baseline = folder / "baseline.toml"
    assert baseline.read_text().count("value = 6.9\n") == 1
    baseline.write_text(baseline.read_text().replace("value = 6.9\n", "value = 7.0\n"))
    config = tmp_path / "dearer.toml"
    config.write_text(f'purpose = "A dearer dollar"\nextends = "historic"\nworld = "{folder}"\n')
    return config


def test_dollars_are_converted_at_the_worlds_own_rate(dearer_dollar):
    world = load_config(dearer_dollar).world
    seen = {(o.series, o.date): o for o in world_observations(world)}
    market = seen["chip_market", "2021-12-31"]
    assert (market.value, market.scale) == (pytest.approx(186.5 * 7.0), 7.0)
    quarter = next(o for o in seen.values() if o.unit == "bn USD a quarter")
    assert quarter.scale == 28.0
    assert seen["production_share_located", "2021-12-31"].value == pytest.approx(0.167)  # no money
    assert published_markets([market], world) == {"demand.market_bn_usd.2021": pytest.approx(186.5)}
    _, coming = forecasts.known_and_coming(world, world_groups(world))
    assert {o.scale for o in coming if o.unit == "bn USD a year"} == {7.0}


def test_the_page_of_a_world_without_a_calibration_says_so(dearer_dollar, tmp_path):
    (tmp_path / "dearer" / "errors.csv").unlink()
    (tmp_path / "dearer" / "said-2022.csv").unlink()
    without = page(validate(dearer_dollar, sets=2))
    assert "There is no calibration of the world dearer" in without and "What it had said" not in without
    assert world_groups(load_world("crop-seeds")) == []


def test_the_page_begins_with_what_it_had_said():
    text = page(validate("historic", sets=1))
    assert "There is no calibration" not in text
    assert next(line for line in text.splitlines() if line.startswith("## ")) == "## What it had said"
    assert "3 of 11 figures inside its 90 % interval" in text
    assert "| equipment_spending | 2024 | bn USD a year | 49.6 | 21.8 (17.5 to 26.6) | no |" in text


# What ships.


def test_the_shipped_ensemble_is_of_the_shipped_calibration():
    calibration = load_calibration(ROOT / "experiments/calibration.toml")
    sets = ensemble_sets(WORLD)
    assert len(sets) == calibration.ensemble >= 200
    assert tuple(sets[0]) == calibration.keys
    held = np.array([[row[key] for key in calibration.keys] for row in sets])
    assert (held >= np.array(calibration.low) - 1e-9).all() and (held <= np.array(calibration.high) + 1e-9).all()
    assert len(np.unique(held, axis=0)) == len(held)


def test_the_groups_of_errors_are_those_of_the_shipped_calibration():
    calibration = load_calibration(ROOT / "experiments/calibration.toml")
    stated = [(group.name, group.series, group.on, group.figure) for group in calibration.groups]
    assert [(group.name, group.series, group.on, group.figure) for group in world_groups(WORLD)] == stated


def test_forecasts_of_every_series_go_on_from_what_is_known():
    groups = world_groups(WORLD)
    known, coming = forecasts.known_and_coming(WORLD, groups)
    yearly = [o for o in world_observations(WORLD) if o.year >= 2020 and not o.is_quarter]
    assert {o.series for o in known} == {o.series for o in yearly if o.measure not in CONTEXT}
    assert {o.series for o in coming} >= {o.series for o in known}
    assert {o.year for o in coming} == set(range(2025, 2031)) and all(np.isnan(o.value) for o in coming)
    # A model that never moves and was right to the last figure: medians stand still, intervals grow.
    held = [o for o in known if o.series == "equipment_spending"]
    ahead = [o for o in coming if o.series == "equipment_spending"]
    seen = np.array([*(o.value for o in held), *[held[-1].value] * len(ahead)])
    rows = forecasts.record_text(held, ahead, np.broadcast_to(seen, (1, 4000, len(seen))), groups).splitlines()[1:]
    quantiles = np.array([[float(cell) for cell in row.split(",")[3:8]] for row in rows])
    np.testing.assert_allclose(quantiles[:, 2], held[-1].value / held[-1].scale, rtol=0.03)
    assert (np.diff(quantiles[:, 4] / quantiles[:, 0]) > 0).all() and (np.diff(quantiles, axis=1) > 0).all()


def test_forecasts_on_the_record_carry_their_hash(tmp_path, monkeypatch):
    shipped = [one for one in forecasts.recorded_forecasts(WORLD) if "end of 2022" in one.by]
    assert len(shipped) == 125 and {len(one.quantiles) for one in shipped} == {5}
    assert {one.date[:4] for one in shipped} == {"2026", "2027", "2028", "2029", "2030"}
    assert all(list(one.quantiles) == sorted(one.quantiles) for one in shipped)
    record = (WORLD.folder / "forecasts-2022.csv").read_bytes()
    assert forecasts.digest(record) == "55172a5649f88d62e95f96d70f408faefd670eb61bf08de87ca6fee3d03cbb58"
    (tmp_path / "forecasts-2022.sha256").write_bytes((WORLD.folder / "forecasts-2022.sha256").read_bytes())
    (tmp_path / "forecasts-2022.csv").write_bytes(record.replace(b",15", b",16", 1))
    monkeypatch.setattr(WORLD, "folder", tmp_path)
    with pytest.raises(BadInput, match="must not be changed"):
        forecasts.recorded_forecasts(WORLD)


def test_the_fitted_model_is_sane():
    """The target of 70 % by 2025 is out of reach, and without controls the share rises about as it did to 2023.

    It rose from 15.9 to 23 % in three years, by two publishers, and by 0.6 points a year in the ten years before.
    """
    sets = ensemble_sets(WORLD)[::8]
    assert len(sets) == 32
    seeds = [1, 2]

    def runs(config, *figures):
        values = values_at(load_config(config), sets, seeds, figures)
        assert values.shape == (len(sets), len(seeds), len(figures)) and np.isfinite(values).all()
        return values

    def share(measure, year):
        return Observation(measure, f"{year}-12-31", 1.0, 1.0, "0 to 1", "", "test", 1.0)

    located = runs("no-controls", share("production_share_located", 2030))
    assert 0.6 <= np.median(located - 0.1583) * 10 <= 2.4  # points a year
    for config in ("published-2020", "historic"):
        assert (runs(config, share("domestic_supply_share", 2025)) < 0.7).all()


def test_the_fit_meets_the_figures():
    """Medians of the sets against what was seen.

    Known to miss: the tools of 2022 come out high, and the world's of 2024 an eighth low (docs/evidence/limits.md), as
    accelerators are in the given sales and need few lines of their own; the share of 2023, which another publisher
    counts than those before, two points low.
    """
    limits = {"production_share_located": 0.01, "production_share_hq": 0.01, "equipment_spending": 0.15}
    limits |= {"chip_production_located": 0.08, "chip_production_hq": 0.08, "equipment_spending.world": 0.1}
    figures = [
        o
        for o in world_observations(WORLD)
        if o.measure in limits and o.year >= 2020 and not o.is_quarter and not o.is_relative
    ]
    assert len(figures) == 19  # ten of tools, three and two of each share, two of each amount
    medians = np.median(values_at(load_config("historic"), ensemble_sets(WORLD)[::4], [1], figures), axis=(0, 1))
    missed = {("equipment_spending", 2022): 0.25, ("equipment_spending.world", 2024): 0.15}
    missed[("production_share_located", 2023)] = 0.025
    for o, median in zip(figures, medians, strict=True):
        limit = 0.02 if o.year == 2020 else missed.get((o.measure, o.year), limits[o.measure])
        assert abs(median - o.value) / (1.0 if "share" in o.measure else o.value) <= limit, (o.series, o.date, median)
