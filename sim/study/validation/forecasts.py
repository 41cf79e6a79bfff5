"""Dated forecasts: the model's own on the record, with a hash, and those that others published at the time."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.arrays import Array
from sim.errors import BadInput
from sim.study.validation.observations import Observation, scale_of
from sim.study.validation.scores import Forecast
from sim.world.world import World

YEARS = range(2026, 2031)
SEEDS = 16
ORIGIN = "what was known at the end of 2022, three tool shares of 2024 and the dates of the controls"
RECORD, HASH = "forecasts.csv", "forecasts.sha256"
PUBLISHED = "published_forecasts.csv"
_SHARES = ("domestic_supply_share", "production_share_located", "production_share_hq", "equipment_self_supply")
_AMOUNTS = ("chip_market", "chip_production_located", "chip_production_hq", "equipment_spending")
COLUMNS = ["measure", "date", "unit", "q05", "q25", "q50", "q75", "q95", "made_with"]


def forecast_figures(world: World) -> list[Observation]:
    """What is forecast, as figures without a value: shares and amounts of the target, its shares in every input."""
    world_shares = [f"input_world_share.{item}.{world.target}" for item in world.inputs]
    figures = []
    for measure in (*_SHARES, *_AMOUNTS, *world_shares):
        unit = "bn USD a year" if measure in _AMOUNTS else "percent"
        figures += [asked(measure, f"{year}-12-31", unit, world) for year in YEARS]
    return figures


def asked(measure: str, date: str, unit: str, world: World) -> Observation:
    """A figure that nobody has observed yet, to read the model's own value off."""
    return Observation(measure, date, np.nan, np.nan, unit, "", "test", scale_of(unit, world))


def record_text(figures: Sequence[Observation], values: Array) -> str:
    """The table of forecasts from values (sets, seeds, figures); four digits."""
    lines = [",".join(COLUMNS)]
    for place, figure in enumerate(figures):
        forecast = Forecast.of(values[:, :, place].ravel())
        quantiles = [f"{figure.published(value):.4g}" for value in vars(forecast).values()]
        lines.append(",".join([figure.measure, figure.date, figure.unit, *quantiles, f'"{ORIGIN}"']))
    return "\n".join(lines) + "\n"


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True)
class Recorded:
    """A forecast that was made before; quantiles in the unit given, for a published one only the middle."""

    measure: str
    date: str
    unit: str
    quantiles: tuple[float, ...]
    by: str


def recorded_forecasts(world: World) -> list[Recorded]:
    """The model's forecasts that ship with a world. BadInput if the file is not the one that the hash was taken of."""
    path = world.folder / RECORD
    if not path.exists():
        return []
    text = path.read_bytes()
    stated = (world.folder / HASH).read_text().split()[0]
    if digest(text) != stated:
        raise BadInput(
            f"{path}: sha256 is {digest(text)} and {HASH} says {stated}; forecasts on the record must not be changed"
        )
    rows = csv.DictReader(text.decode().splitlines())
    names = ("q05", "q25", "q50", "q75", "q95")
    return [
        Recorded(row["measure"], row["date"], row["unit"], tuple(float(row[name]) for name in names), "this model")
        for row in rows
    ]


def published_forecasts(world: World) -> list[Recorded]:
    """What others forecast at the time."""
    path: Path = world.folder / PUBLISHED
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Recorded(row["measure"], row["date"], row["unit"], (float(row["value"]),), f"{row['by']}, {row['made']}")
            for row in csv.DictReader(file)
        ]
