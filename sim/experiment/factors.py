"""The tables [design] and [factors] of an experiment become parts with points, or sentences about their faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.errors import nearest
from sim.errors import written as as_written
from sim.experiment.designs import KINDS, SAMPLED, Factor, Grid, Part, Point, Sample, one_at_a_time
from sim.experiment.distributions import ENDLESS, part_inside
from sim.experiment.listed import listed_points, table_points
from sim.results.shapes import SHAPES
from sim.world.evidence import Parameter, flatten

Declared = Mapping[str, Parameter]  # the parameters of a world


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class Design(Table):
    kind: str = "grid"
    points: list[dict[str, Any]] | None = Field(default=None, min_length=1)
    file: str | None = Field(default=None, min_length=1)
    samples: int | None = Field(default=None, ge=1, le=1_000_000)
    trajectories: int | None = Field(default=None, ge=2, le=1_000_000)
    levels: int | None = Field(default=None, ge=2, le=1000)
    seed: int | None = Field(default=None, ge=0, lt=2**32)


class PartTable(Table):
    design: Design = Design()
    factors: dict[str, Any] = {}


class Span(Table):
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    levels: int | None = Field(default=None, ge=2, le=10_000)


class Drawn(Table):
    """A distribution: what it is between its ends, and what it needs besides (`SHAPES`)."""

    distribution: Literal["uniform", "triangular", "normal", "lognormal"]
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    mode: float | None = Field(default=None, allow_inf_nan=False)
    mean: float | None = Field(default=None, allow_inf_nan=False)
    sd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    median: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    sigma: float | None = Field(default=None, gt=0, allow_inf_nan=False)


RIGHT = {
    "design.kind": f"one of {', '.join(KINDS)}",
    "design.points": 'a list of tables, such as [{ "controls.severity" = 0.5 }]',
    "design.file": 'the name of a CSV beside the experiment, such as "points.csv"',
    "design.samples": "a whole number from 1 to 1000000",
    "design.trajectories": "a whole number from 2 to 1000000",
    "design.levels": "an even number, such as 4",
    "design.seed": "a whole number from 0",
    "factors": 'a table [factors], such as "controls.severity" = [0.0, 0.5]',
    "low": "a finite number",
    "high": "a finite number",
    "levels": "a whole number from 2 to 10000",
    "from": f"a whole year from {FIRST_YEAR + 1} to {LAST_YEAR}, at whose beginning the lever takes its value",
    "distribution": f"one of {', '.join(SHAPES)}",
    "mode": "a finite number from low to high, the likeliest value",
    "mean": "a finite number",
    "sd": "a number above 0, the standard deviation",
    "median": "a number above 0",
    "sigma": "a number above 0, the standard deviation of the logarithm",
}
LISTED = {"list": "points", "table": "file"}  # the kinds whose points are written down, and where
# Which keys of [design] belong to which kinds.
DESIGN_KEYS = {
    "points": ("list",),
    "file": ("table",),
    "samples": ("latin-hypercube", "sobol"),
    "trajectories": ("morris",),
    "levels": ("morris",),
    "seed": SAMPLED,
}


def validated[Model: BaseModel](
    model: type[Model],
    content: Mapping[str, Any],
    where: str,
    prefix: str,
    right: Mapping[str, str],
    problems: list[str],
) -> Model | None:
    """The content as a `model`, or None with a sentence for every fault added to `problems`.

    `where` is the file, `prefix` the dotted key that the content stands under, `right` says by key what would be right.
    """
    try:
        return model.model_validate(content)
    except ValidationError as fault:
        for error in fault.errors():
            place = [str(part) for part in error["loc"]]
            if shape := {"str", "float", "list[str]"}.intersection(place):  # each shape of a value gives its own fault
                place = place[: min(place.index(each) for each in shape)]
            shown = ".".join([*prefix.split(), *place])
            must = right.get(".".join(place[:2])) or right.get(place[0], "")
            if error["type"] == "extra_forbidden":
                siblings = list((_table_at(model, place[0]) if len(place) > 1 else model).model_fields)
                sentence = (
                    f"{where}: {shown}: is not a known key{nearest(place[-1], siblings)}; "
                    f"known keys here are {', '.join(siblings)}"
                )
            elif error["type"] == "missing":
                sentence = f"{where}: {shown} is missing; give {must}"
            else:
                value: Any = content
                for part in place:
                    value = value[int(part) if isinstance(value, list) else part]
                sentence = f"{where}: {shown} = {value!r}: must be {must}"
            if sentence not in problems:
                problems.append(sentence)
        return None


def _table_at(model: type[BaseModel], key: str) -> type[BaseModel]:
    """The table that stands under a key of a model."""
    kind = model.model_fields[key].annotation
    return next(each for each in (kind, *get_args(kind)) if isinstance(each, type) and issubclass(each, BaseModel))


def read_part(
    name: str, table: PartTable, declared: Declared, folder: Path, where: str, problems: list[str]
) -> tuple[Part, dict[str, Any]]:
    """One part, and its design and factors as the manifest keeps them, where the points of a table are a list.

    `declared` are the parameters of the experiment's world, `folder` is that of its file. `where` begins every message.
    """
    design, kind = table.design, table.design.kind
    if kind not in KINDS:
        problems.append(f"{where}design.kind = {kind!r}: must be {RIGHT['design.kind']}{nearest(kind, KINDS)}")
    for key, kinds in DESIGN_KEYS.items():
        if getattr(design, key) is not None and kind not in kinds and kind in KINDS:
            belongs = " and ".join(f'"{each}"' for each in kinds)
            problems.append(f"{where}design.{key}: belongs to kind = {belongs}; leave it out for {kind!r}")
    given, since = _dated(table.factors, declared, where, problems)
    if kind in LISTED:
        part, kept = listed_part(name, _written_down(design, declared, folder, where, problems), since)
        problems += _faults_of_dates(table.factors, kind, part, declared, where)
        return part, kept
    factors = _factors(given, kind, declared, where, problems)
    plan: dict[str, Any] = {"kind": kind}
    if not table.factors and kind in KINDS and kind != "grid":
        article = "an" if kind[0] in "aeiou" else "a"
        problems.append(f"{where}factors is missing; {article} {kind} design needs {RIGHT['factors']}")
    if kind in SAMPLED:
        size, levels = _sample_size(design, where, problems)
        seed = 1 if design.seed is None else design.seed
        points: Sequence[Point] = Sample(kind, factors, size, seed, levels)
        plan |= {"trajectories": size, "levels": levels} if kind == "morris" else {"samples": size}
        plan["seed"] = seed
    else:
        listed = {key: factor.levels for key, factor in factors.items()}
        points = one_at_a_time(listed) if kind == "one-at-a-time" else Grid(listed)
    kept = {key: factor.as_written() for key, factor in factors.items()}
    part = Part(name, kind, tuple(factors), points, since)
    return part, {"design": plan, "factors": kept, "swept": list(factors)}


def _written_down(design: Design, declared: Declared, folder: Path, where: str, problems: list[str]) -> Sequence[Point]:
    """The points of a list or a table."""
    key = LISTED[design.kind]
    if getattr(design, key) is None:
        problems.append(f"{where}design.{key} is missing; give {RIGHT[f'design.{key}']}")
    if design.points is not None:
        return listed_points(design.points, declared, f"{where}design.points", problems)
    if design.file is None:
        return ()
    if not (file := folder / design.file).is_file():
        problems.append(f"{where}design.file = {design.file!r}: there is no file {file}; give {RIGHT['design.file']}")
        return ()
    return table_points(file, declared, problems)


def _faults_of_dates(given: Mapping[str, Any], kind: str, part: Part, declared: Declared, where: str) -> Iterator[str]:
    """A sentence for every factor of points that are written down but a date of a key that they have."""
    for key, held in flatten(given, f"{where}factors", _is_span).items():
        place = f"{where}factors.{key}"
        if key not in declared:
            yield f"{place}: is not a known key{nearest(key, declared)}; `decoupling list parameters` shows all"
        elif not isinstance(held, dict) or held.keys() != {"from"}:
            yield (
                f"{place} = {as_written(held)}: a {kind} design has its values in design.{LISTED[kind]}; give the year "
                "from which on they hold, { from = 2027 }, or leave it out"
            )
        elif key not in part.swept:
            yield f"{place}: no point has it{nearest(key, part.swept)}; give it values there, or leave it out"


def listed_part(
    name: str, points: Sequence[Point], since: Mapping[str, int] | None = None
) -> tuple[Part, dict[str, Any]]:
    """A part of points that somebody wrote down, and its design as the manifest keeps it; `since` has its dates."""
    swept = tuple(dict.fromkeys(key for point in points for key in point))
    design = {"kind": "list", "points": [dict(point) for point in points]}
    return Part(name, "list", swept, points, since or {}), {"design": design, "factors": {}, "swept": list(swept)}


def _sample_size(design: Design, where: str, problems: list[str]) -> tuple[int, int]:
    """How many samples or trajectories, and on how many levels trajectories go."""
    key = "trajectories" if design.kind == "morris" else "samples"
    size = getattr(design, key)
    if size is None:
        example = "10 to 50" if design.kind == "morris" else "a power of two such as 256"
        problems.append(f"{where}design.{key} is missing; give {RIGHT[f'design.{key}']}, such as {example}")
        return 2, 4
    if design.kind == "sobol" and size & (size - 1):
        power = 1 << (size.bit_length() - 1)
        problems.append(
            f"{where}design.samples = {size}: must be a power of two, such as {power} or {2 * power}; "
            "a Sobol sequence is balanced only there"
        )
    levels = 4 if design.levels is None else design.levels
    if levels % 2:
        problems.append(f"{where}design.levels = {levels}: must be {RIGHT['design.levels']}")
    return size, levels


def _dated(
    given: Mapping[str, Any], declared: Declared, where: str, problems: list[str]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Factors as they are written without a date, and the year from which those with one hold."""
    factors, since = flatten(given, f"{where}factors", _is_span), {}
    for key, held in factors.items():
        if not isinstance(held, dict):
            continue
        rest = {name: part for name, part in held.items() if name != "from"}
        factors[key] = rest["levels"] if rest.keys() == {"levels"} else rest
        if "from" not in held:
            continue
        year = held["from"]
        place = f"{where}factors.{key}.from = {as_written(year)}"
        if isinstance(year, bool) or not isinstance(year, int) or not FIRST_YEAR < year <= LAST_YEAR:
            problems.append(f"{place}: must be {RIGHT['from']}; leave it out where it holds from the start")
        elif key in declared and declared[key].role != "lever":
            problems.append(f"{place}: {key} is not a lever, and only levers can change during a run; leave from out")
        else:
            since[key] = year
    return factors, since


def _factors(
    given: Mapping[str, Any], kind: str, declared: Declared, where: str, problems: list[str]
) -> dict[str, Factor]:
    """The factors, whichever way they are written."""
    found: dict[str, Factor] = {}
    for key, written in given.items():
        if key not in declared:
            problems.append(
                f"{where}factors.{key}: is not a known key{nearest(key, declared)}; "
                "`decoupling list parameters` shows all"
            )
        elif factor := _factor(declared[key], written, kind, where, problems):
            found[key] = factor
            for level in factor.ends:
                if fault := declared[key].check(level):
                    problems.append(f"{where}factors.{key} = {level!r}: {fault}")
    return found


def _factor(parameter: Parameter, written: Any, kind: str, where: str, problems: list[str]) -> Factor | None:
    """A list of levels, a range, a distribution, or "range", which is the evidence's own; None after a fault.

    A sampled design draws from a range unless it says levels; other designs need levels.
    """
    key = parameter.name
    place = f"{where}factors.{key}"
    if isinstance(written, list):
        if not written:
            problems.append(f"{place} = []: needs at least one level")
        for number, level in enumerate(written):
            if level in written[:number]:
                problems.append(f"{place} = {level!r}: appears twice; levels must differ")
        return Factor(tuple(written)) if written else None
    if written == "range":
        low, high = parameter.low, parameter.high
        if low is None or high is None:
            problems.append(f'{place} = "range": the evidence gives no low and high for it; give a list of levels')
            return None
        count = None if kind in SAMPLED else 2 if kind == "one-at-a-time" else 3
    elif isinstance(written, dict) and "distribution" in written:
        return _drawn(parameter, written, kind, where, problems)
    elif isinstance(written, dict):
        file, _, prefix = where.rpartition(": ")
        span = validated(Span, written, file, f"{prefix}factors.{key}", RIGHT, problems)
        if span is None:
            return None
        if not span.low < span.high:
            problems.append(f"{place} = {written!r}: low must be below high")
            return None
        if span.levels is None and kind not in SAMPLED:
            problems.append(f"{place}.levels is missing; a {kind} design needs {RIGHT['levels']}")
            return None
        low, high, count = written["low"], written["high"], span.levels
    else:
        problems.append(
            f"{place} = {written!r}: must be a list of levels, {{ low, high, levels }}, {{ distribution, … }}, "
            '{ levels = [ … ], from = 2027 }, or "range"'
        )
        return None
    if count is None:
        return Factor(low=float(low), high=float(high))
    return Factor(tuple(_spread(low, high, count)))


def _drawn(
    parameter: Parameter, written: Mapping[str, Any], kind: str, where: str, problems: list[str]
) -> Factor | None:
    """A factor with a distribution; None after a fault. Without an end of its own it ends where the key does."""
    place = f"{where}factors.{parameter.name}"
    if kind not in SAMPLED:
        problems.append(
            f"{place}: a distribution is drawn from by {' and '.join(SAMPLED)}; give a {kind} design levels"
        )
        return None
    if not parameter.is_number:
        problems.append(f"{place}: takes no numbers; give a list of levels")
        return None
    file, _, prefix = where.rpartition(": ")
    drawn = validated(Drawn, written, file, f"{prefix}factors.{parameter.name}", RIGHT, problems)
    if drawn is None:
        return None
    name, endless = drawn.distribution, drawn.distribution in ENDLESS
    needed = (*SHAPES[name], *(() if endless else ("low", "high")))
    lacking = [key for key in needed if getattr(drawn, key) is None]
    problems += [f"{place}.{key} is missing; a {name} distribution needs {RIGHT[key]}" for key in lacking]
    foreign = [key for key in drawn.model_fields_set if key not in (*needed, "distribution", "low", "high")]
    problems += [f"{place}.{key}: belongs to another distribution than {name}; leave it out" for key in foreign]
    if lacking or foreign:
        return None
    low = parameter.minimum if drawn.low is None else drawn.low
    high = parameter.maximum if drawn.high is None else drawn.high
    shape = {key: getattr(drawn, key) for key in SHAPES[name]}
    assert low is not None and high is not None
    if not low < high:
        problems.append(f"{place} = {dict(written)!r}: low must be below high; they are {low:g} and {high:g}")
    elif "mode" in shape and not low <= shape["mode"] <= high:
        problems.append(f"{place}.mode = {shape['mode']!r}: must be {RIGHT['mode']}")
    elif endless and not part_inside(name, shape, low, high) > 0:
        problems.append(f"{place} = {dict(written)!r}: nothing of it lies between {low:g} and {high:g}")
    else:
        return Factor(low=float(low), high=float(high), distribution=name, shape=tuple(shape.items()))
    return None


def _is_span(given: dict[str, Any]) -> bool:
    return not given or bool((Span.model_fields.keys() | {"distribution", "from"}) & given.keys())


def _spread(low: float, high: float, count: int) -> list[float]:
    """Evenly spaced from low to high, both included; whole numbers where all of them are."""
    steps = count - 1
    if isinstance(low, int) and isinstance(high, int) and (high - low) % steps == 0:
        return list(range(low, high + 1, (high - low) // steps))
    return [low + (high - low) * step / steps for step in range(steps)] + [high]
