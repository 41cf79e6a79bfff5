"""An experiment file becomes an ordered list of runs.

An experiment asks one question: which configs, which factors at which levels, how many paired seeds, what is
recorded. Every run is one config at one point of the design with one seed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.evidence import Value, flatten, load_world, parameters, read_toml
from sim.measures import HEADLINE, measure_names
from sim.scenario import Scenario, load_config
from sim.vocabulary import BadInput, nearest, project_root

DESIGNS = ("grid", "list", "one-at-a-time")
LATER_DESIGNS = ("latin-hypercube", "sobol", "morris")
EVERY = ("quarter", "year", "end")
Point = Mapping[str, Value]


@dataclass(frozen=True)
class Run:
    """One run. `values` holds the swept keys, `point` counts from 1, parameter set 0 is the config's own."""

    config: str
    point: int
    values: Point
    parameter_set: int
    seed: int

    @property
    def run_id(self) -> str:
        return f"{self.config}-{self.point}-{self.parameter_set}-{self.seed}"


class Grid(Sequence[Point]):
    """Every combination of the factors' levels, the last factor moving fastest; made when asked for."""

    def __init__(self, levels: Mapping[str, Sequence[Value]]) -> None:
        self.levels = levels

    def __len__(self) -> int:
        return math.prod(len(values) for values in self.levels.values())

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        point: dict[str, Value] = {}
        for key, values in reversed(list(self.levels.items())):
            number, place = divmod(number, len(values))
            point[key] = values[place]
        return {key: point[key] for key in self.levels}


@dataclass(frozen=True)
class Experiment:
    """A checked experiment. `scenarios` are its configs by name; `points` hold only what they change."""

    name: str
    question: str
    scenarios: tuple[Scenario, ...]
    replications: int
    design: str
    swept: tuple[str, ...]
    points: Sequence[Point] = field(repr=False)
    every: str
    measures: tuple[str, ...]
    content: Mapping[str, Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.scenarios) * len(self.points) * self.replications

    def run(self, scenario: Scenario, point: int, seed: int) -> Run:
        """One run by its config, point (from 1) and seed. What the point leaves out is the config's own value."""
        changes = self.points[point - 1]
        values = {key: changes.get(key, scenario.values[key]) for key in self.swept}
        return Run(scenario.name, point, values, 0, seed)

    def runs(self) -> Iterator[Run]:
        """All runs by config, point, parameter set and seed: the order of `runs.csv`."""
        for scenario in self.scenarios:
            for point in range(1, len(self.points) + 1):
                for seed in range(1, self.replications + 1):
                    yield self.run(scenario, point, seed)

    def as_dict(self) -> dict[str, Any]:
        """The experiment as the manifest keeps it."""
        return {"name": self.name, **self.content}


class _Design(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str = "grid"
    points: list[dict[str, Any]] | None = Field(default=None, min_length=1)


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    every: Literal["quarter", "year", "end"] = "year"
    measures: str | list[str] = "headline"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(min_length=1)
    prediction: str | None = Field(default=None, min_length=1)
    configs: list[str] = Field(min_length=1)
    replications: int = Field(ge=1, le=1_000_000)
    design: _Design = _Design()
    factors: dict[str, Any] = {}
    record: _Record = _Record()


class _Levels(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    levels: int = Field(ge=2, le=10_000)


RIGHT = {
    "question": 'a sentence, such as "How do controls move the domestic share?"',
    "prediction": "a sentence, written before running",
    "configs": 'a list of config names, such as ["published-2020"]',
    "replications": "a whole number from 1 to 1000000",
    "design": 'a table [design] with kind = "grid"',
    "design.kind": f"one of {', '.join(DESIGNS)}",
    "design.points": 'a list of tables, such as [{ "controls.severity" = 0.5 }]',
    "factors": 'a table [factors], such as "controls.severity" = [0.0, 0.5]',
    "record": 'a table [record] with every = "year"',
    "record.every": f"one of {', '.join(EVERY)}",
    "record.measures": '"headline", "all", or a list of measure names',
    "low": "a finite number",
    "high": "a finite number",
    "levels": "a whole number from 2 to 10000",
}


def known_experiments() -> list[str]:
    return sorted(path.stem for path in (project_root() / "experiments").glob("*.toml"))


def experiment_path(name: str | Path) -> Path:
    """An experiment's file by path or by its name in `experiments/`; BadInput if there is none."""
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return path
    path = project_root() / "experiments" / f"{name}.toml"
    if not path.exists():
        raise BadInput(
            f"{name}: there is no such experiment{nearest(name, known_experiments())}; "
            f"known experiments are {', '.join(known_experiments())}"
        )
    return path


def load_experiment(name: str | Path) -> Experiment:
    """Read and check an experiment, by name or path. Raises BadInput with every fault at once."""
    path = experiment_path(name)
    content = read_toml(path)
    problems: list[str] = []

    if "stop" in content:
        problems.append(f"{path}: stop: this version has no stop rules; leave [stop] out")
    if "parameters" in content:
        problems.append(
            f"{path}: parameters = {content['parameters']!r}: this version has no parameter sets; "
            "leave it out, and every config runs with its own parameters"
        )
    design = content.get("design")
    kind = design.get("kind", "grid") if isinstance(design, dict) else "grid"
    if kind in LATER_DESIGNS:
        problems.append(f"{path}: design.kind = {kind!r}: this version has {_listed(DESIGNS)}")
        content = {**content, "design": {"kind": "grid"}}
    known = {key: value for key, value in content.items() if key not in ("stop", "parameters")}
    file = _validated(_File, known, str(path), "", problems)
    if file is None:
        raise BadInput(problems)
    kind = file.design.kind
    if kind not in DESIGNS:
        problems.append(
            f"{path}: design.kind = {kind!r}: must be {RIGHT['design.kind']}{nearest(kind, [*DESIGNS, *LATER_DESIGNS])}"
        )

    scenarios = _load_configs(file.configs, path, problems)
    levels = _factor_levels(file.factors, kind, path, problems)
    points = _points(file.design.points, kind, levels, path, problems)
    names = _measure_names(file.record.measures, scenarios, path, problems)
    if not problems:
        _try_values(scenarios, levels, file.design.points, path, problems)
    if problems:
        raise BadInput(problems)

    swept = tuple(levels) if kind != "list" else tuple(dict.fromkeys(key for point in points for key in point))
    plan: dict[str, Any] = {"kind": kind}
    if kind == "list":
        plan["points"] = [dict(point) for point in points]
    kept = {
        "question": file.question,
        **({"prediction": file.prediction} if file.prediction else {}),
        "configs": [scenario.name for scenario in scenarios],
        "replications": file.replications,
        "design": plan,
        "factors": {key: list(values) for key, values in levels.items()},
        "record": file.record.model_dump(),
    }
    return Experiment(
        path.stem,
        file.question,
        tuple(scenarios),
        file.replications,
        kind,
        swept,
        points,
        file.record.every,
        tuple(names),
        kept,
    )


def of_config(scenario: Scenario, replications: int) -> Experiment:
    """A config run as it is, once for each seed, with yearly headline measures."""
    kept = {
        "question": scenario.purpose,
        "configs": [scenario.name],
        "replications": replications,
        "design": {"kind": "grid"},
        "factors": {},
        "record": {"every": "year", "measures": "headline"},
    }
    return Experiment(
        scenario.name, scenario.purpose, (scenario,), replications, "grid", (), Grid({}), "year", HEADLINE, kept
    )


def _validated[Model: BaseModel](
    model: type[Model], content: Mapping[str, Any], where: str, prefix: str, problems: list[str]
) -> Model | None:
    """The content as a `model`, or None with a sentence for every fault added to `problems`."""
    try:
        return model.model_validate(content)
    except ValidationError as fault:
        for error in fault.errors():
            place = [str(part) for part in error["loc"]]
            shown = ".".join([*prefix.split(), *(part for part in place if part not in ("str", "list[str]"))])
            right = RIGHT.get(".".join(place[:2])) or RIGHT.get(place[0], "")
            if error["type"] == "extra_forbidden":
                tables: dict[str, type[BaseModel]] = {"design": _Design, "record": _Record}
                siblings = list((tables[place[0]] if len(place) > 1 else model).model_fields)
                sentence = (
                    f"{where}: {shown}: is not a known key{nearest(place[-1], siblings)}; "
                    f"known keys here are {', '.join(siblings)}"
                )
            elif error["type"] == "missing":
                sentence = f"{where}: {shown} is missing; give {right}"
            else:
                sentence = f"{where}: {shown} = {error['input']!r}: must be {right}"
            if sentence not in problems:
                problems.append(sentence)
        return None


def _load_configs(names: Sequence[str], path: Path, problems: list[str]) -> list[Scenario]:
    scenarios: dict[str, Scenario] = {}
    for name in names:
        beside = path.parent / name
        try:
            scenario = load_config(beside if beside.is_file() else name)
        except BadInput as fault:
            problems += [f"{path}: configs: {problem}" for problem in fault.problems]
            continue
        if scenario.name in scenarios:
            problems.append(f"{path}: configs: {scenario.name!r} stands there twice; every config needs its own name")
        if not scenario.name.isprintable():
            problems.append(f"{path}: configs = {name!r}: a config's name must be printable")
        scenarios[scenario.name] = scenario
    worlds = sorted({scenario.world for scenario in scenarios.values()})
    if len({tuple(measure_names("all", load_world(world))) for world in worlds}) > 1:
        problems.append(
            f"{path}: configs: belong to worlds with different measures ({', '.join(worlds)}); the worlds of one "
            "experiment need the same segments, inputs and states"
        )
    return [scenarios[name] for name in sorted(scenarios)]


def _factor_levels(
    factors: Mapping[str, Any], kind: str, path: Path, problems: list[str]
) -> dict[str, tuple[Value, ...]]:
    """The levels of every factor, whichever way they are written."""
    declared = parameters()
    found: dict[str, tuple[Value, ...]] = {}
    for key, given in _flat_factors(factors).items():
        where = f"{path}: factors.{key}"
        if key not in declared:
            problems.append(
                f"{where}: is not a known key{nearest(key, declared)}; `decoupling list parameters` shows all"
            )
            continue
        levels: list[Any] = []
        if isinstance(given, list):
            levels = given
        elif isinstance(given, dict):
            span = _validated(_Levels, given, str(path), f"factors.{key}", problems)
            if span is None:
                continue
            if not span.low < span.high:
                problems.append(f"{where} = {given!r}: low must be below high")
                continue
            levels = _spread(given["low"], given["high"], span.levels)
        elif given == "range":
            low, high = declared[key].low, declared[key].high
            if low is None or high is None:
                problems.append(f'{where} = "range": the evidence gives no low and high for it; give a list of levels')
                continue
            levels = [low, high] if kind == "one-at-a-time" else _spread(low, high, 3)
        else:
            problems.append(f'{where} = {given!r}: must be a list of levels, {{ low, high, levels }}, or "range"')
            continue
        if not levels:
            problems.append(f"{where} = []: needs at least one level")
        for level in levels:
            if fault := declared[key].check(level):
                problems.append(f"{where} = {level!r}: {fault}")
        for position, level in enumerate(levels):
            if level in levels[:position]:
                problems.append(f"{where} = {level!r}: stands there twice; levels must differ")
        found[key] = tuple(levels)
    if kind == "list" and factors:
        problems.append(f"{path}: factors: a list design says its values in design.points; leave [factors] out")
    if kind == "one-at-a-time" and not factors:
        problems.append(f"{path}: factors is missing; a one-at-a-time design needs {RIGHT['factors']}")
    return found


def _flat_factors(factors: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Factors by dotted key, also where they are written as nested tables."""
    flat: dict[str, Any] = {}
    for key, given in factors.items():
        if isinstance(given, dict) and not _Levels.model_fields.keys() & given.keys():
            flat.update(_flat_factors(given, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = given
    return flat


def _spread(low: float, high: float, count: int) -> list[float]:
    """Evenly spaced from low to high, both included; whole numbers where all of them are."""
    steps = count - 1
    if isinstance(low, int) and isinstance(high, int) and (high - low) % steps == 0:
        return list(range(low, high + 1, (high - low) // steps))
    return [low + (high - low) * step / steps for step in range(steps)] + [high]


def _points(
    given: Sequence[Mapping[str, Any]] | None,
    kind: str,
    levels: Mapping[str, tuple[Value, ...]],
    path: Path,
    problems: list[str],
) -> Sequence[Point]:
    """The points of the design, in order, each with only what it changes."""
    if kind == "list":
        if given is None:
            problems.append(f"{path}: design.points is missing; give {RIGHT['design.points']}")
        return _listed_points(given or [], path, problems)
    if given is not None:
        problems.append(f'{path}: design.points: belongs to kind = "list"; leave it out for {kind!r}')
    if kind == "one-at-a-time":
        alone = ({key: level} for key, values in levels.items() for level in values)
        return tuple(itertools.chain([{}], alone))
    return Grid(levels)


def _listed_points(given: Sequence[Mapping[str, Any]], path: Path, problems: list[str]) -> tuple[Point, ...]:
    declared = parameters()
    points: list[Point] = []
    for number, entry in enumerate(given, start=1):
        point = flatten(entry)
        where = f"{path}: design.points, point {number}"
        for key, value in point.items():
            if key not in declared:
                problems.append(
                    f"{where}: {key}: is not a known key{nearest(key, declared)}; "
                    "`decoupling list parameters` shows all"
                )
            elif fault := declared[key].check(value):
                problems.append(f"{where}: {key} = {value!r}: {fault}")
        if point in points:
            problems.append(f"{where}: is the same as point {points.index(point) + 1}; points must differ")
        points.append(point)
    return tuple(points)


def _measure_names(
    selection: str | list[str], scenarios: Sequence[Scenario], path: Path, problems: list[str]
) -> list[str]:
    if not scenarios:
        return []
    world = load_world(scenarios[0].world)
    if selection in ("headline", "all"):
        return measure_names(selection, world)
    where = f"{path}: record.measures = {selection!r}"
    if isinstance(selection, str) or not selection:
        problems.append(f"{where}: must be {RIGHT['record.measures']}")
        return []
    known = measure_names("all", world)
    for name in selection:
        if name not in known:
            problems.append(
                f"{path}: record.measures: {name!r} is not a known measure{nearest(name, known)}; "
                "`decoupling list measures` shows all"
            )
    if len(set(selection)) < len(selection):
        problems.append(f"{where}: a measure stands there twice")
    return selection


def _try_values(
    scenarios: Sequence[Scenario],
    levels: Mapping[str, Sequence[Value]],
    points: Sequence[Mapping[str, Any]] | None,
    path: Path,
    problems: list[str],
) -> None:
    """Whether every config takes every level, so that a run does not find out."""
    changes: Iterator[Point] = itertools.chain(
        ({key: level} for key, values in levels.items() for level in values), (flatten(point) for point in points or [])
    )
    for change, scenario in itertools.product(list(changes), scenarios):
        try:
            scenario.with_values(change)
        except BadInput as fault:
            problems += [f"{path}: config {scenario.name!r}: {problem}" for problem in fault.problems]


def _listed(words: Sequence[str]) -> str:
    """'grid, list and one-at-a-time'."""
    return f"{', '.join(words[:-1])} and {words[-1]}"
