"""The file of a calibration: what is varied, within which ranges, and which figures it must meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.calendar import FIRST_YEAR
from sim.errors import BadInput, nearest, written
from sim.measures import catalogue
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.study.validation.groups import Group, group_of
from sim.study.validation.observations import CONTEXT, Observation, world_observations
from sim.world.evidence import read_toml
from sim.world.world import World

MOST_PARAMETERS = 60


class _Waves(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    most: int = Field(ge=1, le=50)
    samples: int = Field(ge=16, le=1_000_000)
    seeds: int = Field(ge=2, le=1000)
    design_seed: int = Field(ge=0)
    cut: float = Field(gt=0, le=10)


class _Errors(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    series: list[str] = Field(min_length=1)
    on: Literal["log", "log-odds"]
    intercept: float = Field(gt=0, le=10)
    innovation: float = Field(gt=0, le=10)
    figure: float = Field(gt=0, le=1)
    freedom: float = Field(default=float("inf"), gt=2)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1)
    config: str
    ensemble: int = Field(ge=1, le=100_000)
    waves: _Waves
    set: dict[str, Any] = {}
    parameters: dict[str, Any] = Field(min_length=1, max_length=MOST_PARAMETERS)
    drawn: dict[str, Any] = Field(default={}, max_length=MOST_PARAMETERS)
    errors: dict[str, _Errors] = Field(min_length=1)


RIGHT = {
    "question": "a sentence",
    "config": "the name of a config",
    "ensemble": "a whole number from 1, how many parameter sets to keep",
    "waves": "a table [waves] with most, samples, seeds, design_seed and cut",
    "waves.most": "a whole number from 1 to 50",
    "waves.samples": "a whole number from 16",
    "waves.seeds": "a whole number from 2",
    "waves.design_seed": "a whole number from 0",
    "waves.cut": "a number above 0 and up to 10, usually 3.0",
    "set": "a table [set] of keys and values",
    "parameters": f'a table [parameters] of 1 to {MOST_PARAMETERS} rows such as "investment.response" = "range"',
    "drawn": 'a table [drawn] of rows such as "stockpiling.reach" = "range"',
    "errors": "a table [errors.GROUP] with series, on, intercept, innovation, figure and, if not normal, freedom",
    "errors.series": 'a list of names or patterns of series, such as ["equipment_spending", "equipment_spending.*"]',
    "errors.on": '"log" for flows or "log-odds" for shares',
    "errors.intercept": "a number above 0, the prior scale of an unseen series' standing error",
    "errors.innovation": "a number above 0, the prior scale of a year's change of the error",
    "errors.figure": "a number above 0 and up to 1, the standard deviation of a published figure",
    "errors.freedom": "a number above 2, the degrees of Student's t, or left out for a normal distribution",
}


@dataclass(frozen=True)
class Calibration:
    """A checked calibration: what is varied between `low` and `high`, and the figures it must meet."""

    name: str
    question: str
    scenario: Scenario
    ensemble: int
    waves: _Waves
    keys: tuple[str, ...]  # those to be learnt, then those that no figure is thought to tell
    drawn: frozenset[str]  # the latter
    low: tuple[float, ...]  # of each key
    high: tuple[float, ...]
    groups: tuple[Group, ...]  # of series, with the prior scales of their errors
    observations: tuple[Observation, ...]  # the yearly figures of these series from the base year on
    content: Mapping[str, Any]


def load_calibration(path: Path) -> Calibration:
    """Read and check a calibration's file. Raises BadInput with every fault at once."""
    content = read_toml(path)
    problems: list[str] = []
    try:
        file = _File(**content)
    except ValidationError as fault:
        for error in fault.errors():
            key = ".".join(map(str, error["loc"]))
            if error["type"] == "extra_forbidden":
                problems.append(f"{path}: {key}: is not a known key{nearest(key, RIGHT)}")
            else:
                place = [str(part) for part in error["loc"]]
                right = RIGHT.get(key) or RIGHT.get(".".join([place[0], *place[2:3]])) or RIGHT[place[0]]
                what = "is missing; it" if error["type"] == "missing" else f"= {written(error['input'])}:"
                problems.append(f"{path}: {key} {what} must be {right}")
        raise BadInput(problems) from None
    scenario = load_config(file.config, file.set)
    for key in file.drawn:
        if key in file.parameters:
            problems.append(f"{path}: drawn.{key}: is in [parameters] as well; keep one")
    low, high = _ranges("parameters", file.parameters, scenario.world, path, problems)
    drawn_low, drawn_high = _ranges("drawn", file.drawn, scenario.world, path, problems)
    groups = [Group(name, tuple(one.series), *list(one.model_dump().values())[1:]) for name, one in file.errors.items()]
    observations = _with_errors(groups, scenario.world, path, problems)
    if problems:
        raise BadInput(problems)
    return Calibration(
        path.stem,
        file.question,
        scenario,
        file.ensemble,
        file.waves,
        (*file.parameters, *file.drawn),
        frozenset(file.drawn),
        (*low, *drawn_low),
        (*high, *drawn_high),
        tuple(groups),
        tuple(observations),
        content,
    )


def _ranges(
    table: str, given: Mapping[str, Any], world: World, path: Path, problems: list[str]
) -> tuple[list[float], list[float]]:
    """The prior range of each parameter: the evidence's own low and high, or [low, high]."""
    lows, highs = [], []
    for key, ends in given.items():
        where = f"{path}: {table}.{key}"
        parameter = world.parameters.get(key)
        if parameter is None or not parameter.is_number or parameter.role == "lever":
            problems.append(f"{where}: is not an uncertain number of the evidence{nearest(key, world.parameters)}")
            continue
        if ends == "range":
            ends = [parameter.low, parameter.high]
        if not isinstance(ends, list) or len(ends) != 2 or not all(isinstance(end, float) for end in ends):
            problems.append(f'{where} = {written(ends)}: must be "range" or [low, high]')
            continue
        faults = [fault for end in ends if (fault := parameter.check(end))]
        if faults or ends[0] >= ends[1]:
            problems.append(f"{where} = {written(ends)}: {faults[0] if faults else 'low must be below high'}")
            continue
        lows.append(float(ends[0]))
        highs.append(float(ends[1]))
    return lows, highs


def _with_errors(groups: list[Group], world: World, path: Path, problems: list[str]) -> list[Observation]:
    """The yearly figures from the base year on whose series have a group; every pattern must name a measure."""
    known = catalogue(world)
    for group in groups:
        for pattern in group.series:
            measure = pattern.removesuffix(" (growth)")
            if not any(fnmatchcase(name, measure) for name in known):
                problems.append(
                    f"{path}: errors.{group.name}.series: {pattern!r}: names no measure{nearest(measure, known)}"
                )
    held = [
        o
        for o in world_observations(world)
        if o.year >= FIRST_YEAR and not o.is_quarter and o.measure not in CONTEXT and group_of(o.series, groups)
    ]
    if not any(o.use == "fit" for o in held):
        problems.append(f"{path}: errors: no group has a series that {world.name} observed with use = fit")
    return held
