"""Three readings of one headline: the model's own parameters, the sets that fit the record, all unknowns at once.

An experiment over the calibrated sets tells the second. The other two are small batches of the two cases that the
headline compares, run when its answer is written and kept beside its result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sim.batch.run import run_batch
from sim.compare import push
from sim.errors import BadInput
from sim.experiment.answer import EFFECTS, Value, Words
from sim.experiment.ensemble import Ensemble
from sim.experiment.experiment import Experiment
from sim.results.provenance import program_hash
from sim.scenario.values import CAUSED
from sim.study.report.answer import Answer, read_answer
from sim.study.report.cases import Case
from sim.study.report.values import Number, number
from sim.terminal import note
from sim.world.world import World

OWN, FITTED, DRAWN = "own", "fitted", "drawn"
SEEDS = 20  # of the own parameters
DRAWS = 256  # of all unknowns, with one seed each


@dataclass(frozen=True)
class Reading:
    """One way of asking: the headline by effect, total alone where no controls are compared, over so many `of`."""

    name: str
    of: int
    numbers: Mapping[str, Number]
    answer: Answer


def readings(answer: Answer, words: Words, experiment: Experiment) -> list[Reading]:
    """The readings that there are of an answer's headline, the narrowest first. Runs what has not been run."""
    if not answer.cases:
        return []
    own, drawn = _own(experiment), _drawn(experiment)
    found = {OWN: own, FITTED: None, DRAWN: drawn} if answer.sets > 1 else {OWN: None, DRAWN: drawn}
    told = []
    for name, asked in found.items():
        read = answer if asked is None else _run(_of_headline(asked, answer, words), answer, name)
        if read is not None:
            of = len(read.manifest.seeds) if read.sets == 1 else read.sets
            told.append(Reading(name, of, effects(read, words.headline, words), read))
    return told


def effects(answer: Answer, value: Value, words: Words) -> dict[str, Number]:
    """Bite, answer and total of a value, where it is about controls and they are told apart; else its total."""
    names = EFFECTS if is_apart(answer, value, words) else ("total",)
    return {name: number(answer, value.model_copy(update={"effect": name}), words.cases) for name in names}


def is_apart(answer: Answer, value: Value, words: Words) -> bool:
    """Whether a value compares controls, and the result has both ends of the push."""
    if not (answer.held and value.of and value.less):
        return False
    cases = [answer.named_by(words.cases[name])[0] for name in (value.of, value.less)]
    return answer.has_other_controls(*cases)


def _own(experiment: Experiment) -> Experiment:
    """The experiment with the configs' own parameters."""
    content = {key: held for key, held in experiment.content.items() if key not in ("parameters", "seeds")}
    seeds = range(1, SEEDS + 1)
    return replace(experiment, ensemble=None, seeds=seeds, content={**content, "replications": SEEDS})


def _drawn(experiment: Experiment) -> Experiment:
    """The experiment over a Latin hypercube of all unknowns of its world, each evenly between its low and high."""
    sets = _draws(experiment.scenarios[0].world)
    content = {key: held for key, held in experiment.content.items() if key != "seeds"}
    digest = hashlib.sha256(json.dumps(sets).encode()).hexdigest()
    content |= {"replications": 1, "parameters": {"ensemble": DRAWS, "hash": digest}}
    return replace(experiment, ensemble=Ensemble(sets, digest), seeds=range(1, 2), content=content)


def unknowns(world: World) -> dict[str, tuple[float, float]]:
    """Every uncertain parameter of a world with its low and high."""
    return {
        key: (float(parameter.low), float(parameter.high))
        for key, parameter in world.parameters.items()
        if parameter.role == "uncertainty" and parameter.low is not None and parameter.high is not None
        if parameter.low < parameter.high
    }


def _draws(world: World) -> dict[int, dict[str, float]]:
    from scipy.stats import qmc

    ranges = unknowns(world)
    sample = qmc.LatinHypercube(len(ranges), rng=np.random.default_rng(1)).random(DRAWS)
    return {
        place: {key: low + float(at) * (high - low) for (key, (low, high)), at in zip(ranges.items(), row, strict=True)}
        for place, row in enumerate(sample, start=1)
    }


def _of_headline(asked: Experiment, answer: Answer, words: Words) -> Experiment:
    """The experiment with the cases of its headline alone, and its measure."""
    headline = words.headline
    cases = [answer.named_by(words.cases[name])[0] for name in (headline.of, headline.less) if name]
    configs = {str(case.keys["config"]) for case in cases}
    kept = tuple(scenario for scenario in asked.scenarios if scenario.name in configs)
    content = {key: held for key, held in asked.content.items() if key not in ("leave_out", "targets", "baseline")}
    content |= {"configs": sorted(configs), "record": {"every": asked.every, "measures": [headline.measure]}}
    ensemble, asked = asked.ensemble, replace(asked, scenarios=kept, content=content, claims=(), ensemble=None)
    asked = replace(asked, measures=(headline.measure,), answer=None)
    points = list({str(point): point for case in cases for point in _points(case, answer)}.values())
    if any(points):
        asked = asked.with_points(points)
    return replace(asked, ensemble=ensemble.without(asked.swept) if ensemble else None)


def _points(case: Case, answer: Answer) -> list[dict[str, Any]]:
    own = {key: held for key, held in case.keys.items() if key not in ("config", "part")}
    return [{**own, CAUSED: level} for level in sorted(push.LEVELS.values())] if answer.held else [own]


def _run(asked: Experiment, answer: Answer, name: str) -> Answer | None:
    """Its answer, from the folder beside the result, which is run where it is not there; None where runs failed.

    The folder is named by what it was made from, so that a changed config or program refuses no old one.
    """
    of = "".join(scenario.hash for scenario in asked.scenarios)
    made_from = hashlib.sha256(f"{of}{program_hash()}{asked.content}".encode()).hexdigest()[:8]
    folder = Path(answer.batch.folder).parent / f"{answer.name}-{name}-{made_from}"
    if not folder.exists():
        note(f"{folder}: {asked.run_count} runs for the reading of {answer.name} with {READ[name]}")
    try:
        if run_batch(asked, out=folder, quietly=True):
            return None
    except BadInput as fault:
        note(f"{folder}: left out: {fault.problems[0]}")
        return None
    return read_answer(folder)


READ = {OWN: "its own parameters", DRAWN: "all unknowns drawn"}
