"""The file of a search: an experiment with a table [search], whose points are chosen along the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from sim.errors import BadInput
from sim.experiment.cost import SECONDS_A_RUN, duration
from sim.experiment.designs import Factor, Part, Point, Sample
from sim.experiment.ensemble import Ensemble, read_ensemble
from sim.experiment.experiment import Experiment
from sim.experiment.factors import Table, listed_part, validated
from sim.experiment.file import experiment_of, experiment_path, is_search
from sim.measures import catalogue, kinds_of, share_fault
from sim.study.search.aims import RIGHT_OBJECTIVE, RIGHT_ROBUST, Aims, read_aims
from sim.world.evidence import read_toml

MOST_OBJECTIVES = 4  # with more, hardly a policy is beaten by another
GENERATIONS, POPULATION, ROBUST = 12, 20, 0.9


class _Search(Table):
    objectives: list[str] = Field(min_length=2, max_length=MOST_OBJECTIVES)
    constraints: list[str] = Field(default_factory=list)
    robust: float | str = ROBUST
    generations: int = Field(default=GENERATIONS, ge=1, le=10_000)
    population: int = Field(default=POPULATION, ge=4, le=10_000)
    seed: int = Field(default=1, ge=0, lt=2**32)


RIGHT = {
    "objectives": f"a list of 2 to {MOST_OBJECTIVES}, each {RIGHT_OBJECTIVE}",
    "constraints": 'a list such as ["domestic_supply_share@2030 >= 0.3 in 0.9 of the sets"]',
    "robust": RIGHT_ROBUST,
    "generations": "a whole number from 1 to 10000",
    "population": "a whole number from 4 to 10000, the policies of a generation",
    "seed": "a whole number from 0, which decides what is tried",
}
CHOSEN = {
    "design": "a search chooses its points itself; leave [design] out",
    "parts": "a search has no parts; give its [factors] alone",
    "leave_out": "a search leaves no mechanism out; a batch of the policies that it finds can",
}


@dataclass(frozen=True)
class Search:
    """A checked search. `experiment` has the points of its first generation, a sample of the space of policies."""

    experiment: Experiment
    aims: Aims
    population: int
    generations: int
    seed: int
    ensemble: Ensemble | None = None  # all parameter sets, where the search has some of them

    @property
    def first(self) -> Sample:
        sample = self.experiment.parts[0].points
        assert isinstance(sample, Sample)
        return sample

    @property
    def factors(self) -> Mapping[str, Factor]:
        return self.first.factors

    @property
    def runs_of_policy(self) -> int:
        return len(self.experiment.parameter_sets) * len(self.experiment.seeds)

    @property
    def runs(self) -> int:
        """How many runs there are at most, without those of the front in all parameter sets."""
        return self.population * self.generations * self.runs_of_policy

    @property
    def cost(self) -> str:
        """What it takes, in words."""
        policies = f"{self.population * self.generations} policies at most in {self.runs} runs"
        if not self.ensemble:
            return f"{policies}, about {duration(self.runs * SECONDS_A_RUN)} on one processor"
        each = len(self.ensemble.sets) * len(self.experiment.seeds)
        time = duration((self.runs + self.population * each) * SECONDS_A_RUN)
        return f"{policies}, then {each} of each of the best {self.population}; about {time} on one processor"

    def over(self, points: Sequence[Point]) -> Experiment:
        """The same experiment over a list of policies."""
        part, plan = listed_part("", tuple(points))
        part = Part(part.name, part.kind, tuple(self.factors), part.points, self.experiment.since)
        kept = {
            "objectives": list(map(str, self.aims.objectives)),
            "constraints": list(map(str, self.aims.constraints)),
            "robust": self.aims.robust,
            "factors": {key: factor.as_written() for key, factor in self.factors.items()},
            "population": self.population,
            "generations": self.generations,
            "seed": self.seed,
        }
        content = {**self.experiment.content, **plan, "swept": list(self.factors), "search": kept}
        return replace(self.experiment, parts=(part,), content=content)

    def in_all_sets(self, points: Sequence[Point]) -> Experiment:
        """The experiment over some policies with all parameter sets."""
        assert self.ensemble is not None
        return _with(self.over(points), self.ensemble)


def load_search(name: str | Path) -> Search:
    """Read and check a search, by name or path. Raises BadInput with every fault at once."""
    path = experiment_path(name)
    content = read_toml(path)
    if not is_search(content):
        raise BadInput(f"{path}: has no table [search]; give one with objectives, or run it as a batch")
    problems = [f"{path}: {key}: {why}" for key, why in CHOSEN.items() if key in content]
    given = content["search"]
    asked = validated(_Search, given, str(path), "search", RIGHT, problems) if isinstance(given, dict) else None
    if not isinstance(given, dict):
        problems.append(f"{path}: search: must be a table [search] with objectives, {RIGHT['objectives']}")
    design = {"kind": "latin-hypercube", "samples": asked.population, "seed": asked.seed} if asked else {}
    rest = {key: held for key, held in content.items() if key not in ("search", *CHOSEN)}
    experiment = _experiment(rest, design, path, problems)
    aims = None
    if asked and experiment:
        kinds = kinds_of(experiment.measures, experiment.scenarios[0].world)
        aims = read_aims(
            asked.objectives, asked.constraints, asked.robust, kinds, experiment.every, f"{path}: search", problems
        )
    if experiment and aims:
        known = catalogue(experiment.scenarios[0].world)
        for each in aims.constraints:
            if fault := share_fault(each.condition.level, known[each.condition.name.partition("@")[0]].unit):
                problems.append(f"{path}: search.constraints: {each.condition}: {fault}")
    if problems or not (asked and experiment and aims):
        raise BadInput(problems)
    whole = _whole_ensemble(experiment, path) if "sets" in content else None
    return Search(experiment, aims, asked.population, asked.generations, asked.seed, whole)


def _experiment(
    content: Mapping[str, Any], design: Mapping[str, Any], path: Path, problems: list[str]
) -> Experiment | None:
    """The experiment of everything but [search]; None, with its faults, where there is none."""
    try:
        experiment = experiment_of({**content, "design": design or {"kind": "latin-hypercube", "samples": 4}}, path)
    except BadInput as fault:
        problems += [text.replace("a latin-hypercube design needs", "a search needs") for text in fault.problems]
        return None
    if len(experiment.scenarios) > 1:
        names = ", ".join(scenario.name for scenario in experiment.scenarios)
        problems.append(
            f"{path}: configs: a search takes one, and these are {names}; what they differ in may be a factor"
        )
    if experiment.every == "quarter":
        problems.append(f'{path}: record.every = "quarter": a search takes "year" or "end"; rerun has the quarters')
    return experiment


def _whole_ensemble(experiment: Experiment, path: Path) -> Ensemble | None:
    """All parameter sets of an experiment that has some of them; None where these are all."""
    problems: list[str] = []
    whole = read_ensemble(experiment.scenarios[0].world, set(experiment.swept), path, problems)
    return whole if whole and len(whole.sets) > len(experiment.parameter_sets) else None


def _with(experiment: Experiment, ensemble: Ensemble) -> Experiment:
    content = {**experiment.content, "parameters": {"ensemble": len(ensemble.sets), "hash": ensemble.hash}}
    return replace(experiment, ensemble=ensemble, content=content)
