"""An experiment file becomes an ordered list of runs.

An experiment asks one question: which configs, which factors in which design, how many paired seeds, what is
recorded, when a run stops. Every run is one config at one point of the design with one parameter set and one seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from sim.calendar import OUTCOME_YEARS, quarters_until
from sim.errors import BadInput, nearest, none_such
from sim.experiment.conditions import Condition, read_condition
from sim.experiment.designs import Grid, Joined, Part, Point, Sample
from sim.experiment.ensemble import Ensemble, read_ensemble
from sim.experiment.factors import RIGHT as RIGHT_IN_PARTS
from sim.experiment.factors import Declared, PartTable, Table, listed_part, read_part, validated
from sim.experiment.kept import parts_of, seeds_of
from sim.experiment.listed import frame_points
from sim.folders import EXPERIMENTS, find, known, places
from sim.measures import BY_FIRM, HEADLINE, catalogue, of_agents
from sim.results.claims import Claim
from sim.results.escape import FORMULA
from sim.scenario.held import values_at
from sim.scenario.loading import BASELINE, load_config
from sim.scenario.scenario import Scenario
from sim.scenario.values import CAUSED
from sim.world.evidence import Value, read_toml

if TYPE_CHECKING:
    import pandas

    from sim.experiment.answer import Words
    from sim.results.manifest import Manifest

EVERY = ("quarter", "year", "end")


@dataclass(frozen=True)
class Run:
    """One run. `values` holds the swept keys, `point` counts from 1, parameter set 0 is the config's own.

    `part` names the part of the experiment; it is empty where there are none.
    """

    config: str
    point: int
    values: Point
    parameter_set: int
    seed: int
    part: str = ""

    @property
    def run_id(self) -> str:
        return f"{self.config}-{self.point}-{self.parameter_set}-{self.seed}"


@dataclass(frozen=True, repr=False)
class Experiment:
    """A checked experiment. `scenarios` are its configs by name; points hold only what they change."""

    name: str
    question: str
    scenarios: tuple[Scenario, ...]
    seeds: Sequence[int]
    parts: tuple[Part, ...]
    every: str
    measures: tuple[str, ...]
    content: Mapping[str, Any] = field(repr=False)
    stop: Condition | None = None
    ensemble: Ensemble | None = None
    claims: tuple[Claim, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    answer: Words | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<experiment {self.name}, {self.run_count} runs: {self.question}>"

    @classmethod
    def from_manifest(cls, manifest: Manifest, where: str) -> Experiment:
        """The experiment of a finished batch, to run it again without its files; its worlds must be here.

        `where` begins a message. Raises BadInput for the manifest of one run, and for what does not fit this version.
        """
        kept = manifest.experiment
        if kept is None:
            raise BadInput(f"{where}: holds one run; give the folder of a batch")
        configs = [manifest.scenarios[name].model_dump() for name in kept.configs]
        sets = {number: manifest.parameter_sets[str(number)] for number in sorted(map(int, manifest.parameter_sets))}
        return cls(
            kept.name,
            kept.question,
            tuple(Scenario.from_dict(config, where) for config in configs),
            seeds_of(kept),
            tuple(parts_of(kept, where)),
            kept.record.every,
            tuple(manifest.record.measures),
            kept.model_dump(exclude_unset=True, exclude={"name", "drawn"}),
            read_condition(kept.stop.when, f"{where}: stop.when", manifest.record.measures) if kept.stop else None,
            Ensemble(sets, kept.parameters.hash) if kept.parameters else None,
            tuple(manifest.claims),
            manifest.labels,
        )

    def with_points(self, points: pandas.DataFrame | Iterable[Point]) -> Experiment:
        """The same experiment over other points: the rows of a data frame, or mappings, by full key.

        None and NaN leave a key to the config. Raises BadInput with every fault at once.
        """
        problems: list[str] = []
        part, plan = listed_part("", frame_points(points, self.scenarios[0].world.parameters, problems))
        if not problems:
            _try_values(self.scenarios, part, "points: ", problems)
        leave_out = self.content.get("leave_out", ())
        drawn = {key for values in (self.ensemble.sets.values() if self.ensemble else ()) for key in values} - {CAUSED}
        for key in part.swept:
            if key in drawn or key in leave_out:
                by = "the ensemble" if key in drawn else "leave_out"
                problems.append(f"points: column {key!r}: is set by {by} of {self.name}; leave it out")
        if problems:
            raise BadInput(problems)
        content = {key: held for key, held in self.content.items() if key not in (*plan, "parts", "order")}
        ensemble = self.ensemble.without(part.swept) if self.ensemble else None
        part = replace(part, since={key: year for key, year in self.since.items() if key in part.swept})
        parts = (part.leaving_out(leave_out),)
        return replace(self, parts=parts, content={**content, **plan}, ensemble=ensemble)

    def __len__(self) -> int:
        return self.run_count

    @property
    def run_count(self) -> int:
        """How many runs there are: also more than `len` can tell."""
        return len(self.scenarios) * self.runs_of_config

    @cached_property
    def runs_of_config(self) -> int:
        return self.points.total * len(self.parameter_sets) * len(self.seeds)

    @cached_property
    def points(self) -> Joined:
        return Joined(self.parts)

    @cached_property
    def parameter_sets(self) -> tuple[int, ...]:
        return tuple(self.ensemble.sets) if self.ensemble else (0,)

    @cached_property
    def swept(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for part in self.parts for key in part.swept))

    @cached_property
    def since(self) -> Mapping[str, int]:
        """The year from whose beginning on a swept lever has its value, for those that have another one before."""
        return {key: year for part in self.parts for key, year in part.since.items()}

    @cached_property
    def key_columns(self) -> tuple[str, ...]:
        """The columns between the seed and the outcomes: the part where there are several, and the swept keys."""
        return ("part", *self.swept) if self.parts[0].name else self.swept

    def run(self, scenario: Scenario, number: int) -> Run:
        """A config's run by its number from 0: the seed moves slowest, then the parameter set, then the point.

        So what is cut off is balanced over points, and more seeds only add numbers at the end.
        What a point leaves out is the config's own value.
        """
        points, sets = self.points, self.parameter_sets
        number, point = divmod(number, points.total)
        seed, place = divmod(number, len(sets))
        changes = points[point]
        values = {key: changes[key] if key in changes else self._own_value(scenario, key) for key in self.swept}
        return Run(scenario.name, point + 1, values, sets[place], self.seeds[seed], points.part(point).name)

    def _own_value(self, scenario: Scenario, key: str) -> Value:
        """What a config has of a swept key, at the date from which it is varied."""
        if key in self.since:
            return values_at(scenario, quarters_until(self.since[key] - 1))[key]
        return scenario.values[key]

    def renumbered(self, number: int, points: int) -> int:
        """The number of a run that has `number` where the design has only the first `points` points."""
        pair, point = divmod(number, points)
        return pair * self.points.total + point

    def order(self) -> Iterator[int]:
        """A config's run numbers by point, parameter set and seed: the order of `runs.csv`."""
        points, sets = self.points.total, len(self.parameter_sets)
        for point, place in itertools.product(range(points), range(sets)):
            first = place * points + point
            yield from range(first, self.runs_of_config, points * sets)

    def runs(self) -> Iterator[Run]:
        """All runs by config, point, parameter set and seed."""
        for scenario in self.scenarios:
            for number in self.order():
                yield self.run(scenario, number)

    def as_dict(self) -> dict[str, Any]:
        """The experiment as the manifest keeps it, with a hash of every sample that was drawn."""
        content = {"name": self.name, **self.content}
        drawn = {part.name: part.points.digest() for part in self.parts if isinstance(part.points, Sample)}
        if drawn:
            content["drawn"] = drawn
        return content


Seed = Annotated[int, Field(ge=0, lt=1 << 63)]


class _Record(Table):
    every: Literal["quarter", "year", "end"] = "year"
    measures: str | list[str] = "headline"
    agents: list[str] = Field(default_factory=list)


class _Stop(Table):
    when: str


class _File(PartTable):
    question: str = Field(min_length=1)
    prediction: str | None = Field(default=None, min_length=1)
    configs: list[str] = Field(min_length=1)
    baseline: str | None = None
    replications: int | None = Field(default=None, ge=1, le=1_000_000)
    seeds: list[Seed] | None = Field(default=None, min_length=1)
    parameters: Literal["ensemble"] | None = None
    sets: int | None = Field(default=None, ge=1)
    parts: dict[str, dict[str, Any]] | None = Field(default=None, min_length=1)
    record: _Record = _Record()
    stop: _Stop | None = None
    leave_out: list[str] = Field(default_factory=list)
    targets: list[str] = Field(default_factory=list)
    claims: list[Claim] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    answer: dict[str, Any] | None = None


RIGHT = {
    "question": 'a sentence, such as "How do controls move the domestic share?"',
    "prediction": "a sentence, written before running",
    "configs": 'a list of config names, such as ["published-2020"]',
    "baseline": "the name of the config that a report compares the others with",
    "replications": "a whole number from 1 to 1000000",
    "seeds": "a list of distinct whole numbers from 0 and below 2**63, such as [3, 7, 11]",
    "parameters": '"ensemble"; without it every config runs with its own parameters',
    "sets": "how many of the ensemble's sets are run, from the first on; without it all of them",
    "parts": "tables such as [parts.controls.factors]",
    "design": 'a table [design] with kind = "grid"',
    "record": 'a table [record] with every = "year"',
    "record.every": f"one of {', '.join(EVERY)}",
    "record.measures": '"headline", "all", or a list of measure names',
    "record.agents": "a list of firms, companies and states by their ids, which end the names of their measures",
    "leave_out": 'a list of switches, such as ["mechanisms.stockpiling"]',
    "targets": 'a list of conditions, such as ["domestic_supply_share@end >= 0.7"]',
    "claims": "tables [[claims]] with says, measure, and terms with low or high, or largest and of",
    "labels": 'a table of words such as "controls.severity" = "severity of the controls"',
    "answer": "a table with [answer.headline], [answer.figure] and [[answer.sentences]]",
    "stop": 'a table [stop] with when = "domestic_supply_share >= 0.7"',
    "stop.when": 'a measure, >= or <=, and a number, such as "domestic_supply_share >= 0.7"',
    **RIGHT_IN_PARTS,
}


def known_experiments() -> list[str]:
    return known(EXPERIMENTS)


def experiment_path(name: str | Path) -> Path:
    """An experiment by path or by its name in an `experiments/`, the nearest first; BadInput if there is none."""
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return path
    named = find(EXPERIMENTS, f"{name}.toml")
    if named is None:
        raise BadInput(f"{name}: {none_such('experiment', name, known_experiments(), places(EXPERIMENTS))}")
    return named


def is_calibration(content: Mapping[str, Any]) -> bool:
    """Whether a file of experiments/ is a calibration and no batch of runs."""
    return "waves" in content


def is_search(content: Mapping[str, Any]) -> bool:
    """Whether a file of experiments/ is a search, whose points are chosen along the way."""
    return "search" in content


def load_experiment(name: str | Path) -> Experiment:
    """Read and check an experiment, by name or path. Raises BadInput with every fault at once.

    Whether every combination has a base year is not tried (`sim.experiment.base_years`), which can take seconds.
    """
    path = experiment_path(name)
    content = read_toml(path)
    if is_calibration(content):
        raise BadInput(f"{path}: is a calibration and no batch; run it with decoupling study calibrate {path.stem}")
    if is_search(content):
        raise BadInput(f"{path}: is a search and no batch; run it with decoupling study search {path.stem}")
    return experiment_of(content, path)


def experiment_of(content: Mapping[str, Any], path: Path) -> Experiment:
    """The experiment that a file at `path` has as its content. Raises BadInput with every fault at once."""
    problems: list[str] = []
    file = validated(_File, content, str(path), "", RIGHT, problems)
    if file is None:
        raise BadInput(problems)

    scenarios = _load_configs(file.configs, path, problems)
    declared = (scenarios[0] if scenarios else load_config(BASELINE)).world.parameters
    seeds = _seeds(file, path, problems)
    parts, plans = _parts(file, scenarios, declared, path, problems)
    parts = _leaving_out(file.leave_out, parts, scenarios, declared, path, problems)
    since = _since(parts, path, problems)
    _moved_where_left_out(scenarios, parts, since, path, problems)
    names = _measure_names(file.record, scenarios, path, problems)
    if file.baseline and scenarios and file.baseline not in (known := [scenario.name for scenario in scenarios]):
        problems.append(f"{path}: baseline = {file.baseline!r}: must be one of the configs, {', '.join(known)}")
    stop = None
    if file.stop and names:
        try:
            stop = read_condition(file.stop.when, f"{path}: stop.when", names)
        except BadInput as fault:
            problems += fault.problems
    ensemble = None
    if file.parameters and len({scenario.world.id for scenario in scenarios}) > 1:
        problems.append(f'{path}: parameters = "ensemble": belongs to one world; give configs of one world')
    elif file.parameters and scenarios:
        swept = {key for part in parts for key in part.swept}
        ensemble = read_ensemble(scenarios[0].world, swept, path, problems)
    if file.sets and not file.parameters:
        problems.append(
            f'{path}: sets = {file.sets}: is of the ensemble; give parameters = "ensemble", or leave it out'
        )
    elif file.sets and ensemble and file.sets > len(ensemble.sets):
        problems.append(f"{path}: sets = {file.sets}: the ensemble has {len(ensemble.sets)}; give as many or fewer")
    elif file.sets and ensemble:
        ensemble = ensemble.first(file.sets)
    for target in file.targets if names else ():
        known_outcomes = [*names, *(f"{name}@{at}" for name in names for at in ("end", *OUTCOME_YEARS, "peak", "sum"))]
        try:
            read_condition(target, f"{path}: targets", known_outcomes)
        except BadInput as fault:
            problems += fault.problems
    labelled = [*file.configs, *names, *(file.parts or ()), *(key for part in parts for key in part.swept)]
    problems += _faults_of(file.labels, labelled, path)
    words = _words(file, scenarios, names, parts, path, problems)
    if problems:
        raise BadInput(problems)

    kept = {
        "question": file.question,
        **({"prediction": file.prediction} if file.prediction else {}),
        "configs": [scenario.name for scenario in scenarios],
        **({"baseline": file.baseline} if file.baseline else {}),
        "replications": len(seeds),
        **({"seeds": file.seeds} if file.seeds else {}),
        **plans.get("", {"parts": plans, "order": list(plans)}),
        **({"since": since} if since else {}),
        "record": {key: held for key, held in file.record.model_dump().items() if held != []},
        **({"leave_out": file.leave_out} if file.leave_out else {}),
        **({"targets": file.targets} if file.targets else {}),
    }
    if stop:
        kept["stop"] = {"when": str(stop)}
    if ensemble:
        kept["parameters"] = {"ensemble": len(ensemble.sets), "hash": ensemble.hash}
    return Experiment(
        path.stem,
        file.question,
        tuple(scenarios),
        seeds,
        tuple(parts),
        file.record.every,
        tuple(names),
        kept,
        stop,
        ensemble,
        tuple(file.claims),
        file.labels,
        words,
    )


def _words(
    file: _File,
    scenarios: Sequence[Scenario],
    names: Sequence[str],
    parts: Sequence[Part],
    path: Path,
    problems: list[str],
) -> Words | None:
    """The words of the answer, where the experiment has some."""
    if file.answer is None:
        return None
    from sim.experiment import answer  # which most experiments do not wait for

    words = validated(answer.Words, file.answer, str(path), "answer", answer.RIGHT, problems)
    configs = [scenario.name for scenario in scenarios]
    if words and not problems:
        asked = answer.Asked(configs, file.baseline, names, parts, file.leave_out, file.record.every)
        problems += answer.faults_of(words, asked, str(path))
    return words


def _faults_of(labels: Mapping[str, str], known: Sequence[str], path: Path) -> Iterator[str]:
    """A sentence for every label of nothing, and for every empty one. A value's label stands under "KEY = VALUE"."""
    for name, label in labels.items():
        if name.partition(" = ")[0] not in known:
            yield (
                f"{path}: labels: {name!r}: is no config, measure, part or factor of this experiment, nor "
                f'"FACTOR = VALUE"{nearest(name, known)}'
            )
        if not label.strip() or not label.isprintable():
            yield f"{path}: labels: {name!r} = {label!r}: must be printable words"


def of_config(scenario: Scenario, replications: int) -> Experiment:
    """A config run as it is, once for each seed, with yearly headline measures."""
    kept = {
        "question": scenario.purpose,
        "configs": [scenario.name],
        "replications": replications,
        "design": {"kind": "grid"},
        "factors": {},
        "swept": [],
        "record": {"every": "year", "measures": "headline"},
    }
    whole = Part("", "grid", (), Grid({}))
    seeds = range(1, replications + 1)
    return Experiment(scenario.name, scenario.purpose, (scenario,), seeds, (whole,), "year", HEADLINE, kept)


def _seeds(file: _File, path: Path, problems: list[str]) -> Sequence[int]:
    """The seeds of an experiment: the first ones, so many as `replications` says, or those that `seeds` lists."""
    if file.seeds is None:
        if file.replications is None:
            problems.append(
                f"{path}: replications is missing; give {RIGHT['replications']}, or seeds, {RIGHT['seeds']}"
            )
        return range(1, (file.replications or 1) + 1)
    if file.replications is not None:
        problems.append(f"{path}: replications = {file.replications}: seeds are listed too; keep one of the two keys")
    if len(set(file.seeds)) < len(file.seeds):
        twice = next(seed for place, seed in enumerate(file.seeds) if seed in file.seeds[:place])
        problems.append(f"{path}: seeds: {twice} appears twice; give {RIGHT['seeds']}")
    return tuple(file.seeds)


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
            problems.append(f"{path}: configs: {scenario.name!r} appears twice; every config needs a name of its own")
        scenarios[scenario.name] = scenario
    worlds = {scenario.world.id: scenario.world for scenario in scenarios.values()}
    of_all = {tuple(name for name in catalogue(world) if not name.startswith(BY_FIRM)) for world in worlds.values()}
    if len(of_all) > 1:
        problems.append(
            f"{path}: configs: belong to worlds with different measures ({', '.join(sorted(worlds))}); the worlds of "
            "one experiment need the same segments, inputs and states"
        )
    return [scenarios[name] for name in sorted(scenarios)]


def _parts(
    file: _File, scenarios: Sequence[Scenario], declared: Declared, path: Path, problems: list[str]
) -> tuple[list[Part], dict[str, dict[str, Any]]]:
    """The parts of the experiment in order of the file, and each one's design and factors as the manifest keeps them.

    An experiment without [parts] is one part without a name.
    """
    tables: dict[str, PartTable] = {}
    if file.parts is None:
        tables[""] = file
    else:
        for key in ("design", "factors"):
            if key in file.model_fields_set:
                problems.append(f"{path}: {key}: stands inside the parts where there are parts; move it into one")
        for name, content in file.parts.items():
            if not name or not name.isprintable() or name.startswith(FORMULA):
                problems.append(
                    f"{path}: parts: {name!r}: a part's name must be printable and not begin with {' '.join(FORMULA)}"
                )
            if table := validated(PartTable, content, str(path), f"parts.{name}", RIGHT, problems):
                tables[name] = table
    parts, plans = [], {}
    for name, table in tables.items():
        where = f"{path}: parts.{name}." if name else f"{path}: "
        part, plans[name] = read_part(name, table, declared, path.parent, where, problems)
        parts.append(part)
        if not problems:
            _try_values(scenarios, part, where, problems)
    return parts, plans


def _moved_where_left_out(
    scenarios: Sequence[Scenario], parts: Sequence[Part], since: Mapping[str, int], path: Path, problems: list[str]
) -> None:
    """Refuse a date on a lever that some points leave to a config which moves it later: they would hold it still."""
    for key, year in since.items():
        if all(key in part.swept and part.kind != "one-at-a-time" for part in parts):
            continue
        moves = (
            f"{path}: factors.{key}: holds from {year}, and points that leave it out would keep what "
            f"{scenario.name} has then, though {scenario.name} moves it on {event.date}; give a later date, or a value "
            "in every point"
            for scenario in scenarios
            for event in scenario.events
            if event.date.year >= year and key in event.levers()
        )
        problems += itertools.islice(moves, 1)


def _since(parts: Sequence[Part], path: Path, problems: list[str]) -> dict[str, int]:
    """From which year on the swept levers hold that have a date; one in all parts, as a column has one meaning."""
    since: dict[str, int] = {}
    for part in parts:
        for key in part.swept:
            dates = {other.since.get(key) for other in parts if key in other.swept}
            if len(dates) > 1:
                shown = " and ".join("the start" if year is None else str(year) for year in sorted(dates, key=str))
                fault = f"{path}: factors.{key}: holds from {shown} in different parts; give one date in all of them"
                problems += [fault] if fault not in problems else []
        since |= part.since
    return since


def _leaving_out(
    switches: Sequence[str],
    parts: Sequence[Part],
    scenarios: Sequence[Scenario],
    declared: Declared,
    path: Path,
    problems: list[str],
) -> list[Part]:
    """The parts with every switch of `leave_out` off in turn besides."""
    known = {key: parameter for key, parameter in declared.items() if parameter.role == "switch"}
    swept = {key for part in parts for key in part.swept}
    for number, switch in enumerate(switches):
        where = f"{path}: leave_out: {switch}"
        if switch not in known:
            problems.append(f"{where}: is not a switch{nearest(switch, known)}; switches are {', '.join(known)}")
        elif switch in switches[:number] or switch in swept:
            problems.append(f"{where}: is varied twice; name it once, in leave_out or among the factors")
        elif off := [each.name for each in scenarios if not each.values[switch]]:
            problems.append(f"{where}: is off in config {off[0]!r} already; leave it out of the list")
    if switches and all(isinstance(part.points, Sample) for part in parts):
        problems.append(f"{path}: leave_out: a sampled design is not repeated; give a grid or a list")
    return [part.leaving_out(switches) for part in parts]


def _measure_names(record: _Record, scenarios: Sequence[Scenario], path: Path, problems: list[str]) -> list[str]:
    if not scenarios:
        return []
    selection = record.measures
    worlds = {scenario.world.id: scenario.world for scenario in scenarios}
    first, *others = map(catalogue, worlds.values())
    known = [name for name in first if all(name in other for other in others)]  # worlds may have other firms
    try:
        of = [name for world in worlds.values() for name in of_agents(record.agents, known, world)]
    except BadInput as fault:
        problems += [f"{path}: record.agents: {text}" for text in fault.problems]
        of = []
    if selection == "all":
        return known
    if selection == "headline":
        return list(dict.fromkeys((*HEADLINE, *of)))
    where = f"{path}: record.measures = {selection!r}"
    if isinstance(selection, str) or not selection:
        problems.append(f"{where}: must be {RIGHT['record.measures']}")
        return []
    for name in selection:
        if name not in known:
            problems.append(
                f"{path}: record.measures: {name!r} is not a known measure{nearest(name, known)}; "
                "`decoupling list measures` shows all"
            )
    if len(set(selection)) < len(selection):
        problems.append(f"{where}: a measure appears twice; keep one")
    return list(dict.fromkeys((*selection, *of)))


def _try_values(scenarios: Sequence[Scenario], part: Part, where: str, problems: list[str]) -> None:
    """Whether every config takes every value, so that a run does not find out."""
    changes: Sequence[Point]
    if isinstance(part.points, Grid):
        changes = [{key: level} for key, levels in part.points.levels.items() for level in levels]
    elif isinstance(part.points, Sample):
        changes = [{key: value} for key, factor in part.points.factors.items() for value in factor.ends]
    else:
        changes = part.points
    for change, scenario in itertools.product(changes, scenarios):
        try:
            scenario.with_values(change)
        except BadInput as fault:
            problems += [f"{where}config {scenario.name!r}: {problem}" for problem in fault.problems]
