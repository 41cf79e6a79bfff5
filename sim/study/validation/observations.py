"""Observed figures: what the model is fitted to and tested on, in the model's units.

A table has the columns measure, date, value, unit, error, source, use; a world's own also says in `definition` how
what was counted differs from the measure that it is compared with. The date is a year or the last day of a year
or quarter; a unit that ends in "a quarter" makes it a quarter's figure. `error` is the standard deviation of the
observation. `use` is "fit" for what enters a fit or the estimate of a rule, "test" for what is only scored.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sim.calendar import FIRST_YEAR
from sim.errors import BadInput, nearest
from sim.measures import Measure, catalogue
from sim.scenario.values import MARKET
from sim.world.world import World

COLUMNS = ("measure", "date", "value", "unit", "error", "source", "use")
UNITS = (
    "percent",
    "0 to 1",
    "bn USD a year",
    "bn USD a quarter",
    "bn yuan a year",
    "bn yuan a quarter",
    "years",
    "bn yuan",
    "bn yuan a point",
    "2020 = 1",
)
CONTEXT = ("semiconductor_sales_world",)  # observed and given to the model or used by an estimate; no measure of it
USUAL_ERROR = 0.1  # of the value, where neither the row nor the world's table gives one


@dataclass(frozen=True)
class Observation:
    """One figure. `value` and `error` are in the model's unit: shares 0 to 1, flows bn yuan a year."""

    measure: str
    date: str
    value: float
    error: float
    unit: str
    source: str
    use: str
    scale: float  # model's unit per published unit

    @property
    def year(self) -> int:
        return int(self.date[:4])

    @property
    def is_quarter(self) -> bool:
        return self.unit.endswith("a quarter")

    @property
    def is_relative(self) -> bool:
        """Whether only growth since 2020 is compared."""
        return self.unit == "2020 = 1"

    @property
    def series(self) -> str:
        """Measure, and whether levels of years, of quarters, or growth: what a rival would extrapolate."""
        return self.measure + (" (quarters)" if self.is_quarter else " (growth)" if self.is_relative else "")

    def published(self, value: float) -> float:
        """A value of the model in the observation's own unit."""
        return value / self.scale


def scale_of(unit: str, world: World) -> float:
    """The model's unit per published unit: dollars at the exchange rate that the world states for its base year."""
    rate = float(world.parameters["base.exchange_rate"].value)
    scales = {"percent": 0.01, "bn USD a year": rate, "bn USD a quarter": 4 * rate, "bn yuan a quarter": 4.0}
    return scales.get(unit, 1.0)


def published_markets(observations: Iterable[Observation], world: World) -> dict[str, float]:
    """The target's market of each year after the base year, bn USD, as the keys of a config that give it."""
    rate = scale_of("bn USD a year", world)
    return {
        f"{MARKET}.{o.year}": o.value / rate for o in observations if o.series == "chip_market" and o.year > FIRST_YEAR
    }


def world_observations(world: World) -> list[Observation]:
    """The observations that ship with a world; none if it has no table."""
    path = world.folder / "observations.csv"
    return read_observations(path, world) if path.exists() else []


def read_observations(path: str | Path, world: World) -> list[Observation]:
    """A table of observations, checked. Raises BadInput with every fault at once."""
    path = Path(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            header = reader.fieldnames or []
            lines = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise BadInput(f"{path}: cannot be read as a CSV file ({fault})") from None
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadInput(f"{path}: the header lacks {', '.join(missing)}; it must be {','.join(COLUMNS)}")
    problems: list[str] = []
    measures = catalogue(world)
    shipped = world.folder / "observations.csv"
    usual = {} if path.resolve() == shipped.resolve() else _usual_errors(world_observations(world))
    observations = []
    for number, row in lines:
        where = f"{path}: line {number}"
        if None in row or None in row.values():
            problems.append(f"{where}: must have {len(header)} fields, as the header has")
            continue
        observation = _read_row(row, where, measures, usual, world, problems)
        if observation:
            observations.append(observation)
    if not lines:
        problems.append(f"{path}: has no rows")
    seen: set[tuple[str, str]] = set()
    for observation in observations:
        if (told := (observation.series, observation.date)) in seen:
            problems.append(f"{path}: {observation.series} on {observation.date} is given twice")
        seen.add(told)
    if problems:
        raise BadInput(problems)
    return observations


def _read_row(
    row: dict[str, str],
    where: str,
    measures: Mapping[str, Measure],
    usual: dict[str, float],
    world: World,
    problems: list[str],
) -> Observation | None:
    before = len(problems)
    measure, unit = row["measure"], row["unit"]
    if measure not in measures and measure not in CONTEXT:
        problems.append(f"{where}: measure = {measure!r}: is not a measure{nearest(measure, measures)}")
    units = (*UNITS, *({measures[measure].unit} - set(UNITS) if measure in measures else ()))
    if unit not in units:
        problems.append(f"{where}: unit = {unit!r}: must be one of {', '.join(units)}{nearest(unit, units)}")
    day = _last_day(row["date"])
    if day is None:
        problems.append(f"{where}: date = {row['date']!r}: must be a year, or the last day of a year or quarter")
    elif not unit.endswith("a quarter") and not day.endswith("-12-31"):
        problems.append(f"{where}: date = {row['date']!r}: a figure of a year is dated {day[:4]}-12-31")
    value = _number(row["value"])
    if value is None:
        problems.append(f"{where}: value = {row['value']!r}: must be a finite number")
    error = _number(row["error"])
    if row["error"].strip() and (error is None or error <= 0):
        problems.append(f"{where}: error = {row['error']!r}: must be above 0, one standard deviation, or empty")
    if row["use"] not in ("fit", "test"):
        problems.append(f"{where}: use = {row['use']!r}: must be fit or test")
    if len(problems) > before or value is None or day is None:
        return None
    scale = scale_of(unit, world)
    spread = usual.get(measure, USUAL_ERROR) * abs(value) if error is None else error
    return Observation(measure, day, value * scale, spread * scale, unit, row["source"], row["use"], scale)


def _usual_errors(observations: Iterable[Observation]) -> dict[str, float]:
    """The largest relative error of each measure's published figures; for rows that give none."""
    errors: dict[str, float] = {}
    for o in observations:
        if o.value:
            errors[o.measure] = max(errors.get(o.measure, 0.0), o.error / abs(o.value))
    return errors


def _last_day(text: str) -> str | None:
    if len(text) == 4 and text.isdigit():
        return f"{text}-12-31"
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return (
        text if text[5:] in ("03-31", "06-30", "09-30", "12-31") else (f"{day.year}-12-31" if day.month == 12 else None)
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
