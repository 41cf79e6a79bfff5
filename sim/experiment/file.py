"""The file of an experiment is read and checked: an Experiment, or a sentence for every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from sim.calendar import OUTCOME_YEARS
from sim.errors import BadInput, nearest, none_such
from sim.experiment.conditions import Condition, read_condition
from sim.experiment.designs import Part, Sample
from sim.experiment.ensemble import Ensemble, read_ensemble
from sim.experiment.experiment import Experiment
from sim.experiment.factors import RIGHT as RIGHT_IN_PARTS
from sim.experiment.factors import Declared, PartTable, Table, read_part, validated
from sim.experiment.tried import alike, refused_values
from sim.folders import EXPERIMENTS, find, known, places
from sim.measures import BY_FIRM, HEADLINE, catalogue, of_agents, share_fault
from sim.results.claims import Claim
from sim.results.escape import FORMULA
from sim.scenario.loading import BASELINE, load_config
from sim.scenario.scenario import Scenario
from sim.world.evidence import read_toml
from sim.world.world import World

if TYPE_CHECKING:
    from sim.experiment.answer import Words

EVERY = ("quarter", "year", "end")
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
    "sets": "how many of the ensemble's sets are run, spread evenly over its table; without it all of them",
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
    names = _measure_names(file.record, scenarios, path, problems)
    problems += _faults_of_baseline(file, scenarios, path)
    stop = _stop(file, scenarios, names, path, problems)
    ensemble = _ensemble(file, scenarios, parts, path, problems)
    problems += _faults_of_targets(file, scenarios, names, path)
    if not problems:  # what is wrong already would be found missing once more
        problems += _faults_of_labels(file, scenarios, names, parts, path)
    words = _words(file, scenarios, names, parts, path, problems)
    if problems:
        raise BadInput(problems)
    return Experiment(
        path.stem,
        file.question,
        tuple(scenarios),
        seeds,
        tuple(parts),
        file.record.every,
        tuple(names),
        _kept(file, scenarios, seeds, plans, since, stop, ensemble),
        stop,
        ensemble,
        tuple(file.claims),
        file.labels,
        words,
    )


def _kept(
    file: _File,
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    plans: Mapping[str, Mapping[str, Any]],
    since: Mapping[str, int],
    stop: Condition | None,
    ensemble: Ensemble | None,
) -> dict[str, Any]:
    """What was asked, as the manifest keeps it."""
    if_asked = {
        "prediction": file.prediction,
        "baseline": file.baseline,
        "seeds": file.seeds,
        "since": since,
        "leave_out": file.leave_out,
        "targets": file.targets,
        "stop": {"when": str(stop)} if stop else None,
        "parameters": {"ensemble": len(ensemble.sets), "hash": ensemble.hash} if ensemble else None,
    }
    return {
        "question": file.question,
        "configs": [scenario.name for scenario in scenarios],
        "replications": len(seeds),
        **plans.get("", {"parts": plans, "order": list(plans)}),
        "record": {key: held for key, held in file.record.model_dump().items() if held != []},
        **{key: held for key, held in if_asked.items() if held},
    }


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


def _parts(
    file: _File, scenarios: Sequence[Scenario], declared: Declared, path: Path, problems: list[str]
) -> tuple[list[Part], dict[str, dict[str, Any]]]:
    """The parts of the experiment in order of the file, and each one's design and factors as the manifest keeps them.

    An experiment without [parts] is one part without a name.
    """
    parts, plans = [], {}
    for name, table in _tables(file, path, problems).items():
        where = f"{path}: parts.{name}." if name else f"{path}: "
        part, plans[name] = read_part(name, table, declared, path.parent, where, problems)
        parts.append(part)
        if not problems:
            problems += [*refused_values(scenarios, part, where), *alike(scenarios, part, where)]
    return parts, plans


def _tables(file: _File, path: Path, problems: list[str]) -> dict[str, PartTable]:
    """The design and the factors of each part by its name."""
    if file.parts is None:
        return {"": file}
    tables: dict[str, PartTable] = {}
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
    return tables


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


def _faults_of_baseline(file: _File, scenarios: Sequence[Scenario], path: Path) -> Iterator[str]:
    known = [scenario.name for scenario in scenarios]
    if file.baseline and known and file.baseline not in known:
        yield f"{path}: baseline = {file.baseline!r}: must be one of the configs, {', '.join(known)}"


def _stop(
    file: _File, scenarios: Sequence[Scenario], names: Sequence[str], path: Path, problems: list[str]
) -> Condition | None:
    if not (file.stop and names):
        return None
    world = scenarios[0].world
    try:
        return _condition(file.stop.when, f"{path}: stop.when", names, world)
    except BadInput as fault:
        problems += fault.problems
        return None


def _condition(text: str, where: str, names: Sequence[str], world: World) -> Condition:
    """A condition on a measure or an outcome; BadInput too for a share in per cent."""
    condition = read_condition(text, where, names)
    if fault := share_fault(condition.level, catalogue(world)[condition.name.partition("@")[0]].unit):
        raise BadInput(f"{where} = {text!r}: {fault}")
    return condition


def _faults_of_targets(file: _File, scenarios: Sequence[Scenario], names: Sequence[str], path: Path) -> Iterator[str]:
    outcomes = [*names, *(f"{name}@{at}" for name in names for at in ("end", *OUTCOME_YEARS, "peak", "sum"))]
    for target in file.targets if names else ():
        try:
            _condition(target, f"{path}: targets", outcomes, scenarios[0].world)
        except BadInput as fault:
            yield from fault.problems


def _ensemble(
    file: _File, scenarios: Sequence[Scenario], parts: Sequence[Part], path: Path, problems: list[str]
) -> Ensemble | None:
    """The parameter sets that are run, where the experiment asks for those of its world."""
    if not file.parameters:
        if file.sets:
            problems.append(
                f'{path}: sets = {file.sets}: is of the ensemble; give parameters = "ensemble", or leave it out'
            )
        return None
    if len({scenario.world.id for scenario in scenarios}) > 1:
        problems.append(f'{path}: parameters = "ensemble": belongs to one world; give configs of one world')
        return None
    swept = {key for part in parts for key in part.swept}
    ensemble = read_ensemble(scenarios[0].world, swept, path, problems) if scenarios else None
    if not (file.sets and ensemble):
        return ensemble
    if file.sets > len(ensemble.sets):
        problems.append(f"{path}: sets = {file.sets}: the ensemble has {len(ensemble.sets)}; give as many or fewer")
        return None
    return ensemble.some(file.sets)


def _faults_of_labels(
    file: _File, scenarios: Sequence[Scenario], names: Sequence[str], parts: Sequence[Part], path: Path
) -> Iterator[str]:
    """A sentence for every label of nothing, and for every empty one. A value's label stands under "KEY = VALUE"."""
    known = [
        *(scenario.name for scenario in scenarios),
        *names,
        *(file.parts or ()),
        *(key for part in parts for key in part.swept),
    ]
    for name, label in file.labels.items():
        if name.partition(" = ")[0] not in known:
            yield (
                f"{path}: labels: {name!r}: is no config, measure, part or factor of this experiment, nor "
                f'"FACTOR = VALUE"{nearest(name, known)}'
            )
        if not label.strip() or not label.isprintable():
            yield f"{path}: labels: {name!r} = {label!r}: must be printable words"


def _words(
    file: _File,
    scenarios: Sequence[Scenario],
    names: Sequence[str],
    parts: Sequence[Part],
    path: Path,
    problems: list[str],
) -> Words | None:
    """The words of the answer, where the experiment has some, once what it claims is checked as well."""
    if file.answer is None and not file.claims:
        return None
    from sim.experiment import answer  # which most experiments do not wait for

    configs = [scenario.name for scenario in scenarios]
    asked = answer.Asked(configs, file.baseline, names, parts, file.leave_out, file.record.every)
    if not problems:
        problems += answer.faults_of_claims(file.claims, asked, str(path))
    if file.answer is None:
        return None
    words = validated(answer.Words, file.answer, str(path), "answer", answer.RIGHT, problems)
    if words and not problems:
        problems += answer.faults_of(words, asked, str(path))
    return words
