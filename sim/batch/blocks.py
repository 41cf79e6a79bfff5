"""A block: runs of one config that are simulated together and written as text."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from sim.batch.jobs import import_model
from sim.batch.pasts import Future, run_all
from sim.experiment.conditions import Condition
from sim.experiment.designs import Point
from sim.experiment.experiment import Run
from sim.experiment.growth import Drawn
from sim.results import records
from sim.scenario.held import holding
from sim.scenario.scenario import Scenario
from sim.world.evidence import Value

BLOCK_SIZE = 192  # runs that are held at once, at most: a run costs an eighth less than with 96, with 288 little less


class Recorder(Protocol):
    names: Sequence[str]

    def values(self, every: str) -> tuple[Sequence[str], Any]: ...

    def first_reaching(self, level: float) -> Sequence[str]: ...


class Model(Protocol):
    """What a batch needs of a model that holds one run or many."""

    recorder: Any
    running: bool

    def step(self) -> Any: ...

    def branch(self, scenarios: Sequence[Scenario], columns: Sequence[int]) -> Model: ...


Build = Callable[[Sequence[Scenario], Sequence[int], Sequence[str], int], Model]


def build_model(scenarios: Sequence[Scenario], seeds: Sequence[int], measures: Sequence[str], until: int) -> Model:
    import_model()
    from sim.model import DecouplingModel

    return DecouplingModel.block(scenarios, seeds, record=list(measures), until=until)


@dataclass(frozen=True)
class Block:
    """Runs of one config, to be simulated together; `first` and `last` are their numbers within that config.

    `sets` holds the values of the parameter sets that its runs use, `points` says of which design the numbers are, and
    `since` from which year on some of the values hold.
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
    since: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Blocks of one batch, of configs that have a past in common: what a worker is given."""

    blocks: tuple[Block, ...]

    @property
    def scenario(self) -> Scenario:
        return self.blocks[0].scenario


def run_family(family: Family, build: Build = build_model) -> list[bytes]:
    """Simulate blocks together and write each as text, as it will be stored.

    If runs that are held together fail, they are repeated by halves, so that the one that fails is recorded as failed
    and its neighbours keep their bytes.
    """
    failures: dict[str, str] = {}
    runs = [pair for block in family.blocks for pair in zip(block.runs, _scenarios(block), strict=True)]
    written = _written(family.blocks[0], runs, build, failures)
    return [_text(block, written, failures) for block in family.blocks]


def _text(block: Block, written: Mapping[str, tuple[bytes, bytes]], failures: Mapping[str, str]) -> bytes:
    texts = [written[run.run_id] for run in block.runs]
    header = {
        "identity": block.identity,
        "config": block.scenario.name,
        "first": block.first,
        "last": block.last,
        "points": block.points,
        "seeds": list(dict.fromkeys(run.seed for run in block.runs)),
        "sizes": [[len(row), len(series)] for row, series in texts],
        "failures": {run.run_id: failures[run.run_id] for run in block.runs if run.run_id in failures},
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


def _scenarios(block: Block) -> Iterator[Scenario]:
    """The scenario of each run; those with the same policy share its events, those of the same point and set all."""
    policies: dict[tuple[tuple[str, Value], ...], Scenario] = {}
    scenarios: dict[tuple[int, int], Scenario] = {}
    for run in block.runs:
        key = (run.point, run.parameter_set)
        if key not in scenarios:
            dated = {name: value for name, value in run.changes.items() if name in block.since}
            policy = tuple(dated.items())
            if policy not in policies:
                policies[policy] = holding(block.scenario, dated, block.since)
            own = {name: value for name, value in run.changes.items() if name not in dated}
            scenarios[key] = policies[policy].with_values({**block.sets.get(run.parameter_set, {}), **own})
        yield scenarios[key]


def _written(
    block: Block, runs: Sequence[tuple[Run, Scenario]], build: Build, failures: dict[str, str]
) -> dict[str, tuple[bytes, bytes]]:
    """The two texts of each run by its id, recorded as `block` says; what stopped a run is noted among the failures."""
    try:
        return _run_together(block, runs, build)
    except Exception as fault:
        if len(runs) == 1:
            run = runs[0][0]
            failures[run.run_id] = f"{type(fault).__name__}: {fault}"
            nothing = [None] * len(records.outcome_columns(block.kinds))
            return {run.run_id: (records.runs_row(keys_of(run), "failed", nothing).encode(), b"")}
    half = len(runs) // 2
    return _written(block, runs[:half], build, failures) | _written(block, runs[half:], build, failures)


def _run_together(block: Block, runs: Sequence[tuple[Run, Scenario]], build: Build) -> dict[str, tuple[bytes, bytes]]:
    def begin(futures: Sequence[Future]) -> Model:
        scenarios, seeds = [each.scenario for each in futures], [each.seed for each in futures]
        return build(scenarios, seeds, list(block.kinds), block.until)

    futures = [Future(scenario, run.seed) for run, scenario in runs]
    written: dict[str, tuple[bytes, bytes]] = {}
    for places, model in run_all(futures, begin, BLOCK_SIZE):
        held = [runs[place][0] for place in places]
        texts = result_texts(model.recorder, [keys_of(run) for run in held], block.every, block.kinds, block.stop)
        written |= zip((run.run_id for run in held), texts, strict=True)
    return written


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
