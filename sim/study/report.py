"""The answer of an experiment, from its result folder alone: question, prediction, what was found, how sure it is.

A case is one config at one point of the design. Cases are compared by `sim.comparison`, paired by parameter set and
seed; nothing here knows the model.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sim.comparison.differences import Row, Settings, compare_column, over_time
from sim.comparison.intervals import set_means
from sim.comparison.outcomes import can_tell, value
from sim.comparison.pairing import Pairing, pair_runs
from sim.comparison.reaching import ReachRow, Target, reach
from sim.comparison.results import Result, read_result, with_series
from sim.comparison.tables import Floats
from sim.comparison.words import MAIN_MEASURE
from sim.ensemble import Ensemble, read_ensemble
from sim.evidence import load_world
from sim.experiment import Claim, load_experiment
from sim.measures import HEADLINE
from sim.records import TARGET
from sim.study.outcomes import IncompleteInput, read_manifest
from sim.vocabulary import BadInput, project_root

MOST_CASES = 48
FEWEST_SETS = 20  # for a rank correlation over parameter sets
SETTINGS = Settings()
HEADER = ["experiment", "case", "measure", "unit", "median", "low_90", "high_90", "diff", "diff_low_90", "diff_high_90"]


@dataclass(frozen=True)
class Case:
    """One config at one point: `keys` are its config and swept values, `label` tells it from the others."""

    label: str
    keys: Mapping[str, Any]
    result: Result


@dataclass(frozen=True)
class Step:
    """Two cases that differ in one key alone, and the difference of the main measure."""

    base: Case
    case: Case
    key: str
    row: Row

    @property
    def change(self) -> str:
        return f"{self.key} {text_of(self.base.keys[self.key])} → {text_of(self.case.keys[self.key])}"

    @property
    def context(self) -> dict[str, Any]:
        return {key: held for key, held in self.case.keys.items() if key != self.key}


@dataclass(frozen=True)
class Turn:
    """How a step changes where one other key has another value: the difference of two differences."""

    step: Step
    other: Step
    key: str
    row: Row


@dataclass(frozen=True)
class Verdict:
    """A claim of the prediction against the results.

    `points` are its sum's 5, 50 and 95 % points over parameter sets, `share` is the part of them that meet it.
    """

    claim: Claim
    points: tuple[float, ...]
    share: float

    @property
    def word(self) -> str:
        return "came out" if self.share >= 0.95 else "did not come out" if self.share <= 0.05 else "open"


@dataclass(frozen=True)
class Study:
    """One result and what is asked of it; the first case is the reference."""

    folder: Path
    manifest: Mapping[str, Any]
    result: Result
    cases: Sequence[Case]
    main: str
    measures: Sequence[str]
    ensemble: Ensemble | None
    claims: Sequence[Claim]

    @property
    def name(self) -> str:
        return str(self.manifest["experiment"]["name"])

    @property
    def sets(self) -> int:
        return len(set(self.result.keys["parameter_set"]))

    def against(self, base: Case, case: Case, measure: str, at: str = "final") -> Row:
        """The row of one measure, case less base."""
        return compare_column(pair_runs(base.result, case.result), measure, at, SETTINGS)

    @cached_property
    def steps(self) -> list[Step]:
        """Every case against the first one that differs from it in one key alone, key by key."""
        found = []
        for key in self.cases[0].keys:
            groups: dict[tuple[str, ...], list[Case]] = {}
            for case in self.cases:
                groups.setdefault(tuple(text_of(v) for k, v in case.keys.items() if k != key), []).append(case)
            for base, *others in groups.values():
                found += [Step(base, case, key, self.against(base, case, self.main)) for case in others]
        return found

    @cached_property
    def turns(self) -> list[Turn]:
        """Every step beside the first of its kind, where the two differ in one other key alone."""
        first: dict[tuple[str, str], Step] = {}
        seen = set[frozenset[str]]()  # of two steps the first also depends on the second as the second on the first
        found = []
        for step in self.steps:
            whole = first.setdefault((step.key, step.change), step)
            differing = [key for key, held in step.context.items() if held != whole.context[key]]
            corners = frozenset(case.label for each in (whole, step) for case in (each.base, each.case))
            if len(differing) == 1 and corners not in seen:
                seen.add(corners)
                before, then = _step_result(whole), _step_result(step)
                row = compare_column(pair_runs(before, then), self.main, "final", SETTINGS)
                found.append(Turn(whole, step, differing[0], row))
        return found

    @cached_property
    def verdicts(self) -> list[Verdict]:
        return [self._verdict(claim) for claim in self.claims]

    def _verdict(self, claim: Claim) -> Verdict:
        total: Floats | None = None
        for term in claim.terms:
            keys = {key: held for key, held in term.items() if key not in ("times", "measure")}
            case = next(c for c in self.cases if all(c.keys.get(key) == held for key, held in keys.items()))
            column, _, at = str(term.get("measure", claim.measure)).partition("@")
            part = float(term.get("times", 1)) * self._by_set(case, column, "final" if at == "end" else at)
            total = part if total is None else total + part
        assert total is not None
        known = total[np.isfinite(total)]
        inside = (known >= claim.low) & (known <= claim.high)
        return Verdict(claim, tuple(float(q) for q in np.quantile(known, (0.05, 0.5, 0.95))), float(inside.mean()))

    def _by_set(self, case: Case, column: str, at: str) -> Floats:
        """An outcome's mean over seeds for each parameter set; for each seed where there is one set."""
        pairing = pair_runs(case.result, case.result)
        values = pairing.base.values(value(case.result, column, at))[:, 0]
        return set_means(values, pairing.set_codes)[0] if self.sets > 1 else values

    def seeds_add(self, case: Case, measure: str) -> float | None:
        """The standard deviation over seeds within a parameter set, in the mean over sets; None for one seed a set."""
        return self._deviation(case.result, measure)

    def seeds_add_to(self, step: Step) -> float | None:
        """The same of a step's difference."""
        return self._deviation(_step_result(step), self.main)

    @staticmethod
    def _deviation(result: Result, measure: str) -> float | None:
        pairing = pair_runs(result, result)
        values = pairing.base.values(value(result, measure, "final"))[:, 0]
        means, counts = set_means(values, pairing.set_codes)
        if counts.min() < 2:
            return None
        return math.sqrt(float((np.square(values - means[pairing.set_codes]).sum()) / (counts - 1).sum()))

    def drivers(self, step: Step) -> list[tuple[str, float]]:
        """The ensemble's parameters by their rank correlation with the step's size over sets, strongest first."""
        if self.ensemble is None or self.sets < FEWEST_SETS:
            return []
        from scipy.stats import spearmanr

        pairing = pair_runs(step.base.result, step.case.result)
        sizes = self._by_set(step.case, self.main, "final") - self._by_set(step.base, self.main, "final")
        order = list(dict.fromkeys(int(str(pair[0])) for pair in pairing.base.pairs))
        if np.ptp(sizes) == 0:
            return []
        found = []
        for key in self.ensemble.sets[1]:
            held = [float(self.ensemble.sets[number][key]) for number in order]
            found.append((key, float(spearmanr(held, sizes).statistic)))
        return sorted(found, key=lambda pair: -abs(pair[1]))

    def rows(self) -> list[list[Any]]:
        """The table of `HEADER`: every case's measures in the last year, and the difference to the reference."""
        found = []
        for case, measure in itertools.product(self.cases, self.measures):
            row = self.against(self.cases[0], case, measure)
            middle = row.diff_q50 if row.diff_q50 is not None else row.diff
            own = [row.cand_q50, row.cand_q05, row.cand_q95]
            found.append([self.name, case.label, measure, row.unit, *own, middle, *row.spread])
        return found

    def clear_since(self, case: Case) -> str:
        """The year since which a case differs from the reference with the last year's sign; empty if that is open."""
        since = ""
        rows = self.over_time(case)
        for row in reversed(rows):
            low, high = row.spread
            if low is None or high is None or low * high <= 0 or (low > 0) != ((rows[-1].spread[0] or 0.0) > 0):
                break
            since = row.at[:4]
        return since

    def reaching(self, case: Case) -> ReachRow | None:
        """How many runs of a case reach the target of 70 %, and when; None where another measure is the main one."""
        if self.main != MAIN_MEASURE:
            return None
        return reach(self._pairing(case), Target(self.main, ">=", TARGET), SETTINGS)

    def over_time(self, case: Case) -> list[Row]:
        """The main measure's rows at every recorded date, case less reference."""
        return over_time(self._pairing(case), self.main, SETTINGS)

    def _pairing(self, case: Case) -> Pairing:
        return pair_runs(self.cases[0].result, case.result)


def read_study(folder: Path) -> Study:
    """Read a finished batch. Raises BadInput, and IncompleteInput where runs are missing or failed."""
    manifest = read_manifest(folder)
    result = read_result(folder)
    if result.lacking:
        raise IncompleteInput(list(result.lacking))
    experiment = manifest["experiment"]
    recorded = manifest["record"]["measures"]
    asked = experiment["record"]["measures"]
    if isinstance(asked, list):
        main, measures = asked[0], [name for name in asked if can_tell(result, name, "final")]
    else:
        main = MAIN_MEASURE if MAIN_MEASURE in recorded else recorded[0]
        measures = [main, *(name for name in HEADLINE if name in recorded and name != main)]
    cases = _cases(folder, with_series(result, [main]), experiment)
    claims = _claims(folder, manifest, cases)
    return Study(folder, manifest, result, cases, main, measures, _ensemble(manifest), claims)


def project_experiment(manifest: Mapping[str, Any]) -> Path | None:
    """The experiment of `experiments/` that a result is of, unchanged; None where it is another."""
    path = project_root() / "experiments" / f"{manifest['experiment']['name']}.toml"
    if not path.is_file():
        return None
    return path if load_experiment(path).as_dict() == manifest["experiment"] else None


def text_of(held: Any) -> str:
    """A key's value as a config has it."""
    return {True: "true", False: "false"}[held] if isinstance(held, bool) else str(held)


def _cases(folder: Path, result: Result, experiment: Mapping[str, Any]) -> list[Case]:
    """The cases in the order of the design, those of the baseline config first."""
    names = ["config", *result.swept]
    keys = result.groups(names)
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    if len(places) > MOST_CASES:
        raise BadInput(
            f"{folder}: has {len(places)} configs and design points, and a report tells {MOST_CASES} at most; "
            "use decoupling study sensitivity or discover"
        )
    baseline = experiment.get("baseline", result.configs[0])
    ordered = sorted(places, key=lambda key: key[0] != baseline)  # stable: the order of the design is kept
    varied = [p for p in range(len(names)) if len({key[p] for key in ordered}) > 1]
    reference = ordered[0]
    found = []
    for key in ordered:
        told = [p for n, p in enumerate(varied) if n == 0 or key[p] != reference[p]]
        label = ", ".join(text_of(key[p]) if names[p] == "config" else f"{names[p]} = {text_of(key[p])}" for p in told)
        part = _part(result, places[key], label or str(key[0]))
        found.append(Case(part.name, dict(zip(names, map(_plain, key), strict=True)), part))
    return found


def _plain(held: Any) -> Any:
    """A truth value from its text in a table."""
    return {"true": True, "false": False}.get(held, held) if isinstance(held, str) else held


def _part(result: Result, places: Sequence[int], name: str) -> Result:
    """Some runs of a result, as a result of its own in which nothing is swept."""
    chosen = np.array(places)
    series = result.series
    return replace(
        result,
        name=name,
        configs=(name,),
        swept=(),
        keys={key: [held[place] for place in places] for key, held in result.keys.items()},
        done=result.done[chosen],
        outcomes={column: held[chosen] for column, held in result.outcomes.items()},
        series=replace(series, values={column: held[chosen] for column, held in series.values.items()}),
    )


def _step_result(step: Step) -> Result:
    """The differences of a step's runs, as a result that can be compared again."""
    base, case = step.base.result, step.case.result
    order = {pair: place for place, pair in enumerate(base.groups(["parameter_set", "seed"]))}
    places = np.array([order[pair] for pair in case.groups(["parameter_set", "seed"])])
    outcomes = {column: held - base.outcomes[column][places] for column, held in case.outcomes.items()}
    return replace(case, name=step.change, outcomes=outcomes)


def _ensemble(manifest: Mapping[str, Any]) -> Ensemble | None:
    """The parameter sets that the result was made with; None where there are none or the world's are others now."""
    given = manifest["experiment"].get("parameters")
    if not given:
        return None
    found = read_ensemble(load_world(manifest["world"]["name"]).folder, set(), Path(), [])
    return found if found and found.hash == given["hash"] else None


def _claims(folder: Path, manifest: Mapping[str, Any], cases: Sequence[Case]) -> Sequence[Claim]:
    """The claims of the project's experiment file, each term checked to name one case."""
    path = project_experiment(manifest)
    claims = load_experiment(path).claims if path else ()
    problems = []
    for claim, term in [(each, term) for each in claims for term in each.terms]:
        keys = {key: held for key, held in term.items() if key not in ("times", "measure")}
        found = [case for case in cases if all(case.keys.get(key) == held for key, held in keys.items())]
        if len(found) != 1:
            problems.append(f"{path}: claims: {claim.says!r}: term {keys} is {len(found)} cases and must be one")
        column, _, at = str(term.get("measure", claim.measure)).partition("@")
        if not at or f"{column}@{at}" not in manifest["columns"]:
            problems.append(f"{path}: claims: {claim.says!r}: {column}@{at} is no outcome of {folder}")
    if problems:
        raise BadInput(problems)
    return claims
