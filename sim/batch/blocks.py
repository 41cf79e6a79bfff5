"""A block: runs of one config that are simulated together and written as text."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from sim.experiment.conditions import Condition
from sim.experiment.designs import Point
from sim.experiment.experiment import Run
from sim.experiment.growth import Drawn
from sim.results import records
from sim.scenario.scenario import Scenario


class Recorder(Protocol):
    names: Sequence[str]

    def values(self, every: str) -> tuple[Sequence[str], Any]: ...

    def first_reaching(self, level: float) -> Sequence[str]: ...


class Model(Protocol):
    """What a batch needs of a model that holds one run or many."""

    recorder: Any
    running: bool

    def step(self) -> Any: ...


Build = Callable[[Sequence[Scenario], Sequence[int], Sequence[str], int], Model]


def build_model(scenarios: Sequence[Scenario], seeds: Sequence[int], measures: Sequence[str], until: int) -> Model:
    from sim.model import DecouplingModel

    return DecouplingModel.block(scenarios, seeds, record=list(measures), until=until)


@dataclass(frozen=True)
class Block:
    """Runs of one config, to be simulated together; `first` and `last` are their numbers within that config.

    `sets` holds the values of the parameter sets that its runs use, `points` says of which design the numbers are.
    """

    scenario: Scenario
    runs: tuple[Run, ...]
    first: int
    last: int
    every: str
    kinds: Mapping[str, str]
    until: int
    identity: str
    points: tuple[Drawn, ...] = ()
    stop: Condition | None = None
    sets: Mapping[int, Point] = field(default_factory=dict)


def run_block(block: Block, build: Build = build_model) -> bytes:
    """Simulate a block and write it as text, as it will be stored.

    If runs that are held together fail, they are repeated one by one, so that the one that fails is recorded as failed
    and its neighbours keep their bytes.
    """
    failures: dict[str, str] = {}
    written: dict[str, tuple[bytes, bytes]] = {}
    for group in _groups(block):
        try:
            written |= _run_together(block, group, build)
        except Exception:
            for run, scenario in group:
                try:
                    written |= _run_together(block, [(run, scenario)], build)
                except Exception as fault:
                    failures[run.run_id] = f"{type(fault).__name__}: {fault}"
                    nothing = [None] * len(records.outcome_columns(block.kinds))
                    written[run.run_id] = records.runs_row(keys_of(run), "failed", nothing).encode(), b""
    texts = [written[run.run_id] for run in block.runs]
    header = {
        "identity": block.identity,
        "config": block.scenario.name,
        "first": block.first,
        "last": block.last,
        "points": block.points,
        "seeds": list(dict.fromkeys(run.seed for run in block.runs)),
        "sizes": [[len(row), len(series)] for row, series in texts],
        "failures": failures,
    }
    body = b"".join(itertools.chain([json.dumps(header).encode(), b"\n"], *texts))
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


class Header(BaseModel):
    """The first line of a block: whose it is, its runs from number `first` (from 1) to `last`, their seeds and sizes.

    `points` are those of the design that the numbers belong to; it may have grown since.
    """

    identity: str
    config: str
    first: int = Field(ge=1)
    last: int
    points: list[Drawn] = Field(min_length=1)
    seeds: list[int]
    sizes: list[tuple[int, int]]
    failures: dict[str, str]


def read_header(content: bytes) -> tuple[Header, int] | None:
    """A block's header and where its runs begin; None if the text was changed since it was written."""
    digest, _, body = content.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    text, _, runs = body.partition(b"\n")
    try:
        header = Header.model_validate_json(text)
    except ValidationError:
        return None
    whole = header.last - header.first + 1 == len(header.sizes) and sum(map(sum, header.sizes)) == len(runs)
    return (header, len(digest) + len(text) + 2) if whole else None


def _groups(block: Block) -> list[list[tuple[Run, Scenario]]]:
    """The runs that can be held together, each with its scenario."""
    scenarios: dict[tuple[int, int], Scenario] = {}
    groups: dict[object, list[tuple[Run, Scenario]]] = {}
    for run in block.runs:
        key = (run.point, run.parameter_set)
        if key not in scenarios:
            scenarios[key] = block.scenario.with_values({**block.sets.get(run.parameter_set, {}), **run.values})
        groups.setdefault(scenarios[key].frame, []).append((run, scenarios[key]))
    return list(groups.values())


def _run_together(block: Block, group: Sequence[tuple[Run, Scenario]], build: Build) -> dict[str, tuple[bytes, bytes]]:
    runs, scenarios = zip(*group, strict=True)
    model = build(scenarios, [run.seed for run in runs], list(block.kinds), block.until)
    while model.running:
        model.step()
    texts = result_texts(model.recorder, [keys_of(run) for run in runs], block.every, block.kinds, block.stop)
    return dict(zip((run.run_id for run in runs), texts, strict=True))


def result_texts(
    recorder: Recorder,
    keys: Sequence[Sequence[object]],
    every: str,
    kinds: Mapping[str, str],
    stop: Condition | None = None,
) -> list[tuple[bytes, bytes]]:
    """Each run's row of `runs.csv` and lines of `series.csv`.

    A run that stops ends with the first year whose value meets the condition, however often it is recorded.
    """
    if list(recorder.names) != list(kinds):
        raise RuntimeError(f"the model records {', '.join(recorder.names)}; the batch asked for {', '.join(kinds)}")
    years, yearly = recorder.values("year")
    lengths = np.full(len(keys), len(years))
    if stop:
        met = stop.met(yearly[:, :, list(kinds).index(stop.name)])
        lengths = np.where(met.any(axis=1), met.argmax(axis=1) + 1, lengths)
    first_target = recorder.first_reaching(records.TARGET)
    outcomes = records.outcomes(kinds, years, yearly, first_target, lengths)
    dates, values = (years, yearly) if every == "end" else recorder.values(every)
    texts = []
    for key, outcome, series, length in zip(keys, outcomes, values, lengths.tolist(), strict=True):
        end = length * len(dates) // len(years)
        kept = slice(end - 1 if every == "end" else 0, end)
        rows = records.series_rows(key, dates[kept], series[kept])
        texts.append((records.runs_row(key, "done", outcome).encode(), rows.encode()))
    return texts


def keys_of(run: Run) -> list[object]:
    """The cells that begin a run's lines."""
    part = [run.part] if run.part else []
    return [run.run_id, run.config, run.parameter_set, run.seed, *part, *run.values.values()]
