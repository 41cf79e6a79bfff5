"""Dated forecasts: the model's own on the record, with a hash, and those that others published at the time."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sim.arrays import Array
from sim.calendar import FIRST_YEAR
from sim.errors import BadInput
from sim.measures import catalogue
from sim.study.validation.error_model import predicted
from sim.study.validation.groups import Group, group_of
from sim.study.validation.observations import Observation, scale_of, world_observations
from sim.study.validation.series import series_of, to_scale
from sim.world.world import World

YEARS = range(2025, 2031)
SEEDS = 16
RECORD, HASH = "forecasts.csv", "forecasts.sha256"
EARLIER = "forecasts-*.csv"  # those of the model as it was before; they stay as they were, with their hashes
SAID_2022 = "said-2022.csv"  # what the model fitted to 2022 had said of 2023 and 2024, beside what was seen then
PUBLISHED = "published_forecasts.csv"
# Of what nobody has observed on these definitions, but is asked most.
_ASKED_MOST = ("domestic_supply_share", "equipment_self_supply")
COLUMNS = ["measure", "date", "unit", "q05", "q25", "q50", "q75", "q95", "made_with"]


def known_and_coming(world: World, groups: Sequence[Group]) -> tuple[list[Observation], list[Observation]]:
    """The yearly figures that are known of every series with a group, and those to be forecast, without a value."""
    known = [
        o for o in world_observations(world) if o.year >= FIRST_YEAR and not o.is_quarter and group_of(o.series, groups)
    ]
    coming = [
        replace(o, date=f"{year}-12-31", value=np.nan, error=np.nan)
        for o in {o.series: o for o in known}.values()
        for year in YEARS
    ]
    for measure in _ASKED_MOST:
        if measure in catalogue(world) and group_of(measure, groups):
            coming += [asked(measure, f"{year}-12-31", "percent", world) for year in YEARS]
    return known, coming


def asked(measure: str, date: str, unit: str, world: World) -> Observation:
    """A figure that nobody has observed yet, to read the model's own value off."""
    return Observation(measure, date, np.nan, np.nan, unit, "", "test", scale_of(unit, world))


def record_text(
    known: Sequence[Observation], coming: Sequence[Observation], values: Array, groups: Sequence[Group]
) -> str:
    """The table of forecasts from values (sets, seeds, known and coming figures); four digits.

    The error of a series goes on from what it was in the years that are known, and its random walk grows.
    """
    series = {one.name: one for one in series_of(known, groups)}
    draws = values.reshape(-1, values.shape[2])
    made_with = (
        f'"figures to the end of {max((o.year for o in known), default=FIRST_YEAR)} and the dates of the controls"'
    )
    lines = [",".join(COLUMNS)]
    for place, figure in enumerate(coming, start=len(known)):
        group, own = group_of(figure.series, groups), series.get(figure.series)
        assert group is not None
        before = to_scale(draws[:, own.places], group.on) if own else np.zeros(0)
        model = to_scale(draws[:, place], group.on)
        forecast = predicted(group, own, before, float(figure.year), model, np.ones(len(draws)))
        quantiles = [f"{figure.published(value):.4g}" for value in forecast.shown]
        lines.append(",".join([figure.measure, figure.date, figure.unit, *quantiles, made_with]))
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
    """The model's forecasts that ship with a world. BadInput if a file is not the one that its hash was taken of."""
    found = []
    for path in (*sorted(world.folder.glob(EARLIER)), world.folder / RECORD):
        if path.exists():
            found += _unchanged(path, path.with_suffix(".sha256"))
    return found


def _unchanged(path: Path, stated: Path) -> list[Recorded]:
    text = path.read_bytes()
    hashed = stated.read_text().split()[0]
    if digest(text) != hashed:
        raise BadInput(
            f"{path}: sha256 is {digest(text)} and {stated.name} says {hashed}; forecasts on the record must not be "
            "changed"
        )
    by = "this model" if path.name == RECORD else f"this model before, {path.stem}"
    return [
        Recorded(row["measure"], row["date"], row["unit"], _quantiles(row), f"{by}, {row['made_with']}")
        for row in csv.DictReader(text.decode().splitlines())
    ]


def _quantiles(row: Mapping[str, str]) -> tuple[float, ...]:
    return tuple(float(row[name]) for name in ("q05", "q25", "q50", "q75", "q95"))


@dataclass(frozen=True)
class Said:
    """A figure, and what had been said of it before it was known; in the unit given."""

    measure: str
    date: str
    unit: str
    low: float
    median: float
    high: float
    seen: float
    inside: bool  # as it was judged then, with the figure's own error


def said_in_2022(world: World) -> list[Said]:
    """What the model fitted to 2022 had said of later years; none for other worlds."""
    path = world.folder / SAID_2022
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Said(
            row["measure"],
            row["date"],
            row["unit"],
            float(row["q05"]),
            float(row["q50"]),
            float(row["q95"]),
            float(row["seen"]),
            row["inside"] == "yes",
        )
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
