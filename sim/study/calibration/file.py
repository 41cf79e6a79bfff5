"""The file of a calibration: what is varied, within which ranges, and which figures it must meet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.arrays import Array, Flags
from sim.calendar import FIRST_YEAR
from sim.errors import BadInput, nearest, written
from sim.results import provenance
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.study.validation.observations import CONTEXT, Observation, world_observations
from sim.world.evidence import Value, read_toml
from sim.world.world import World

MOST_PARAMETERS = 12
DIGITS = 6  # of a parameter value


class _Waves(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    most: int = Field(ge=1, le=50)
    samples: int = Field(ge=16, le=1_000_000)
    seeds: int = Field(ge=2, le=1000)
    design_seed: int = Field(ge=0)
    cut: float = Field(gt=0, le=10)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1)
    config: str
    ensemble: int = Field(ge=1, le=100_000)
    waves: _Waves
    set: dict[str, Any] = {}
    parameters: dict[str, Any] = Field(min_length=1, max_length=MOST_PARAMETERS)
    discrepancy: dict[str, float] = Field(min_length=1)


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
    "discrepancy": 'a table [discrepancy] of rows such as "chip_market" = 0.03, parts of the observed value',
}


@dataclass(frozen=True)
class Calibration:
    """A checked calibration: what is varied between `low` and `high`, and the figures it must meet."""

    name: str
    question: str
    scenario: Scenario
    ensemble: int
    waves: _Waves
    keys: tuple[str, ...]
    low: Array  # (keys,)
    high: Array
    observations: tuple[Observation, ...]  # all that the model can be asked for after the base year
    discrepancy: Array  # (observations,) one standard deviation in the model's units; NaN where not matched
    content: Mapping[str, Any]

    @property
    def matched(self) -> Flags:
        return ~np.isnan(self.discrepancy)

    @property
    def identity(self) -> str:
        """A hash of all that the waves depend on."""
        content = {
            "file": self.content,
            "scenario": self.scenario.hash,
            "observations": [vars(o) for o in self.observations],
            "program": provenance.program_hash(),
            "dependencies": provenance.dependencies(),
            "arithmetic": provenance.arithmetic_fingerprint(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def values(self, units: Array) -> list[dict[str, Value]]:
        """Parameter sets from points of the unit cube, (sets, keys), rounded to six digits."""
        points = self.low + units * (self.high - self.low)
        return [
            {key: float(f"{value:.{DIGITS}g}") for key, value in zip(self.keys, row, strict=True)} for row in points
        ]


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
                right = RIGHT.get(key) or RIGHT[str(error["loc"][0])]
                what = "is missing; it" if error["type"] == "missing" else f"= {written(error['input'])}:"
                problems.append(f"{path}: {key} {what} must be {right}")
        raise BadInput(problems) from None
    scenario = load_config(file.config, file.set)
    low, high = _ranges(file.parameters, scenario.world, path, problems)
    observations, discrepancy = _matched(file.discrepancy, scenario, path, problems)
    if problems:
        raise BadInput(problems)
    return Calibration(
        path.stem,
        file.question,
        scenario,
        file.ensemble,
        file.waves,
        tuple(file.parameters),
        np.array(low),
        np.array(high),
        tuple(observations),
        np.array(discrepancy),
        content,
    )


def _ranges(given: Mapping[str, Any], world: World, path: Path, problems: list[str]) -> tuple[list[float], list[float]]:
    """The prior range of each parameter: the evidence's own low and high, or [low, high]."""
    lows, highs = [], []
    for key, ends in given.items():
        where = f"{path}: parameters.{key}"
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


def _matched(
    given: Mapping[str, float], scenario: Scenario, path: Path, problems: list[str]
) -> tuple[list[Observation], list[float]]:
    """The figures after the base year, and the discrepancy of those that are matched (use = fit)."""
    world = scenario.world
    later = [o for o in world_observations(world) if o.year > FIRST_YEAR and o.measure not in CONTEXT]
    for series in given:
        if not any(o.series == series and o.use == "fit" for o in later):
            known = {o.series for o in later if o.use == "fit"}
            problems.append(
                f"{path}: discrepancy.{series}: {world.name} has no observation of it after {FIRST_YEAR} "
                f"with use = fit{nearest(series, known)}"
            )
    return later, [given.get(o.series, np.nan) * abs(o.value) if o.use == "fit" else np.nan for o in later]
