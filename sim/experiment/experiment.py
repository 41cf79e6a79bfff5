"""An experiment is an ordered list of runs.

It asks one question: which configs, which factors in which design, how many paired seeds, what is
recorded, when a run stops. Every run is one config at one point of the design with one parameter set and one seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.errors import BadInput
from sim.experiment.conditions import Condition, read_condition
from sim.experiment.designs import Grid, Joined, Part, Point, Sample
from sim.experiment.ensemble import Ensemble
from sim.experiment.factors import listed_part
from sim.experiment.kept import parts_of, seeds_of
from sim.experiment.listed import frame_points
from sim.experiment.tried import alike, refused_values
from sim.measures import HEADLINE
from sim.results.claims import Claim
from sim.scenario.held import value_from
from sim.scenario.scenario import Scenario
from sim.scenario.values import CAUSED

if TYPE_CHECKING:
    import pandas

    from sim.experiment.answer import Words
    from sim.results.manifest import Manifest


@dataclass(frozen=True)
class Run:
    """One run. `values` holds the swept keys, `point` counts from 1, parameter set 0 is the config's own.

    `changes` are the values that its point gives; the others are what the config has, and it may move them later.
    `part` names the part of the experiment; it is empty where there are none.
    """

    config: str
    point: int
    values: Point
    parameter_set: int
    seed: int
    part: str = ""
    changes: Point = field(default_factory=dict, repr=False)

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
        from sim.experiment.answer import Words  # pydantic's models of it take a while, and few need them

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
            Words.model_validate(manifest.answer) if manifest.answer else None,
        )

    def with_points(self, points: pandas.DataFrame | Iterable[Point]) -> Experiment:
        """The same experiment over other points: the rows of a data frame, or mappings, by full key.

        None and NaN leave a key to the config. Raises BadInput with every fault at once.
        """
        problems: list[str] = []
        listed = frame_points(points, self.scenarios[0].world.parameters, problems)
        dates = {key: year for key, year in self.since.items() if any(key in point for point in listed)}
        part, plan = listed_part("", listed, dates)
        if not problems:
            problems += [*refused_values(self.scenarios, part, "points: "), *alike(self.scenarios, part, "points: ")]
        leave_out = self.content.get("leave_out", ())
        drawn = {key for values in (self.ensemble.sets.values() if self.ensemble else ()) for key in values} - {CAUSED}
        for key in part.swept:
            if key in drawn or key in leave_out:
                by = "the ensemble" if key in drawn else "leave_out"
                problems.append(f"points: column {key!r}: is set by {by} of {self.name}; leave it out")
        if problems:
            raise BadInput(problems)
        dropped = (*plan, "parts", "order", "since")
        content = {key: held for key, held in self.content.items() if key not in dropped}
        plan |= {"since": dates} if dates else {}
        ensemble = self.ensemble.without(part.swept) if self.ensemble else None
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
        values = {
            key: changes[key] if key in changes else value_from(scenario, key, self.since.get(key))
            for key in self.swept
        }
        return Run(scenario.name, point + 1, values, sets[place], self.seeds[seed], points.part(point).name, changes)

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
