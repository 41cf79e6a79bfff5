"""The answer of an experiment, from its result folder alone: question, prediction, what was found, how sure it is.

A case is one config at one point of the design. Cases are compared by `sim.compare`, paired by parameter set and
seed; nothing here knows the model.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.calendar import OUTCOME_YEARS
from sim.compare import push
from sim.compare.differences import Row, Settings, compare_column, over_time
from sim.compare.intervals import set_means
from sim.compare.outcomes import can_tell, value
from sim.compare.pairing import Pairing, pair_runs
from sim.compare.reaching import ReachRow, Target, reach
from sim.compare.results import Result, read_result, with_series
from sim.compare.words import MAIN_MEASURE, counted
from sim.errors import BadInput
from sim.measures import HEADLINE
from sim.results.claims import Claim
from sim.results.manifest import MANIFEST, KeptExperiment, Manifest
from sim.scenario.values import CAUSED
from sim.study.discovery import Discovery, discover
from sim.study.outcomes import Batch, IncompleteInput, read_batch
from sim.study.plot.words import Words
from sim.study.report.cases import Case, cases_of, designs, text_of
from sim.study.sensitivity import Index, sensitivity

FEWEST_SETS = 20  # for a rank correlation over parameter sets
SETTINGS = Settings()
HEADER = ["experiment", "case", "measure", "unit", "median", "q05", "q95", "diff", "diff_low", "diff_high"]
HEADER += ["diff_interval", "push"]


@dataclass(frozen=True)
class Step:
    """Two cases that differ in one key alone, and the difference of the main measure."""

    base: Case
    case: Case
    key: str
    row: Row

    @property
    def change(self) -> str:
        return self.case.change_from(self.base, self.key)

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


CAME, DID_NOT, OPEN = "came out", "did not come out", "open"


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
        return CAME if self.share >= 0.95 else DID_NOT if self.share <= 0.05 else OPEN


@dataclass(frozen=True)
class RankVerdict:
    """A claim about the largest total index: that of the factor it names, and the largest of the others."""

    claim: Claim
    named: Index
    other: Index

    @property
    def word(self) -> str:
        """Open as long as the two intervals overlap, or one of them is lacking."""
        if self.named.low is None or self.named.high is None or self.other.low is None or self.other.high is None:
            return OPEN
        return CAME if self.named.low > self.other.high else DID_NOT if self.other.low > self.named.high else OPEN


@dataclass(frozen=True)
class Answer:
    """One result and what is asked of it; the first case is the reference.

    `left_out` holds the same cases with one switch off, by switch; `count` is how many cases there are, of which not
    all may be told. `indices` and `discoveries` are of those parts of the design that are samples: they have no cases.
    """

    batch: Batch
    result: Result
    cases: Sequence[Case]
    left_out: Mapping[str, Sequence[Case]]
    count: int
    main: str
    measures: Sequence[str]
    claims: Sequence[Claim]
    indices: Sequence[Index]
    discoveries: Sequence[Discovery]
    held: Answer | None = None

    @property
    def manifest(self) -> Manifest:
        return self.batch.manifest

    @property
    def experiment(self) -> KeptExperiment:
        return self.batch.experiment

    @property
    def name(self) -> str:
        return self.experiment.name

    @property
    def words(self) -> Words:
        return Words([self.batch])

    @property
    def sets(self) -> int:
        return len(set(self.result.keys["parameter_set"]))

    @property
    def is_single(self) -> bool:
        """Whether every case is one run, behind which stands no interval."""
        return self.sets == 1 and len(self.manifest.seeds) == 1

    @property
    def last(self) -> str:
        """The last year, or that it is another in each run."""
        when = self.words.when("end")
        return when.removeprefix("in ") if when[-1].isdigit() else "last year"

    @property
    def of_levels(self) -> str:
        """What the brackets behind a case's own median hold."""
        if self.is_single:
            return "one run"
        runs = len(self.cases[0].result.done) if self.cases else 0
        return f"5 to 95 % of {counted(self.sets, 'parameter set') if self.sets > 1 else counted(runs, 'run')}"

    @property
    def of_differences(self) -> str:
        """What the brackets behind a difference hold: the bulk of the parameter sets, or the error of luck alone."""
        if self.is_single:
            return "one pair of runs"
        return "5 to 95 % of the parameter sets" if self.sets > 1 else "95 % interval over seeds"

    def own(self, case: Case, measure: str, at: str = "final") -> Row:
        """The row of a case beside itself, for its own values: they are there whatever the reference lacks."""
        return self.against(case, case, measure, at)

    def against(self, base: Case, case: Case, measure: str, at: str = "final") -> Row:
        """The row of one measure, case less base."""
        return compare_column(pair_runs(base.result, case.result), measure, at, SETTINGS)

    @cached_property
    def steps(self) -> list[Step]:
        """Every case against the first one that differs from it in one key alone, key by key."""
        steps = []
        for key in self.cases[0].keys if self.cases else ():
            groups: dict[tuple[str, ...], list[Case]] = {}
            for case in self.cases:
                groups.setdefault(tuple(text_of(v) for k, v in case.keys.items() if k != key), []).append(case)
            for base, *others in groups.values():
                steps += [Step(base, case, key, self.against(base, case, self.main)) for case in others]
        return steps

    @cached_property
    def turns(self) -> list[Turn]:
        """Every step beside the first of its kind, where the two differ in one other key alone."""
        first: dict[tuple[str, str], Step] = {}
        seen = set[frozenset[str]]()  # of two steps the first also depends on the second as the second on the first
        turns = []
        for step in self.steps:
            whole = first.setdefault((step.key, step.change), step)
            differing = [key for key, held in step.context.items() if held != whole.context[key]]
            corners = frozenset(case.label for each in (whole, step) for case in (each.base, each.case))
            if len(differing) == 1 and corners not in seen:
                seen.add(corners)
                turns.append(Turn(whole, step, differing[0], self.change(whole, step)))
        return turns

    def without(self, step: Step, switch: str) -> Step:
        """The step between the same two cases with a switch off."""
        base, case = (self.left_out[switch][self.cases.index(each)] for each in (step.base, step.case))
        return Step(base, case, step.key, self.against(base, case, self.main))

    def change(self, before: Step, then: Step, measure: str = "", at: str = "final") -> Row:
        """How a step differs from another: the difference of two differences."""
        first, second = (pair_runs(step.base.result, step.case.result) for step in (before, then))
        return push.change(first, second, measure or self.main, at, SETTINGS)

    def is_about_controls(self, step: Step) -> bool:
        """Whether the controls of a step's two cases differ, and the target's push is on."""
        return self.has_other_controls(step.base, step.case)

    def has_other_controls(self, base: Case, case: Case) -> bool:
        """Whether the controls of two cases differ, and the target's push is on."""
        configs = [self.manifest.scenarios[str(each.keys["config"])] for each in (base, case)]
        if not any(push.can_answer(config.values) for config in configs):
            return False
        if any(base.keys[key] != held and push.is_of_controls(key) for key, held in case.keys.items()):
            return True
        ours, theirs = (push.controls_of(config.values, config.events) for config in configs)
        return ours != theirs

    @property
    def of_controls(self) -> list[Step]:
        return [step for step in self.steps if self.is_about_controls(step)]

    def bite(self, step: Step) -> Step:
        """The step between the same two cases with the push held."""
        assert self.held
        return self.held.steps[self.steps.index(step)]

    def apart(self, step: Step, measure: str, at: str = "final") -> tuple[Row, Row, Row]:
        """Bite, answer and total of a step: with the push held, the difference of the two, and with it answering."""
        held = self.bite(step)
        bite, total = (self.against(each.base, each.case, measure, at) for each in (held, step))
        return bite, self.change(held, step, measure, at), total

    @cached_property
    def verdicts(self) -> list[Verdict | RankVerdict]:
        return [self._rank_verdict(claim) if claim.largest else self.verdict(claim) for claim in self.claims]

    def verdict(self, claim: Claim, without: str | None = None) -> Verdict:
        """A claim about a sum against the results; or against those with a switch off."""
        total: Array | None = None
        for term in claim.terms:
            (case,) = self.named_by(term, without)
            column, _, at = str(term.get("measure", claim.measure)).partition("@")
            part = float(term.get("times", 1)) * self.by_set(case, column, "final" if at == "end" else at)
            total = part if total is None else total + part
        assert total is not None
        known = total[np.isfinite(total)]
        inside = (known >= claim.low) & (known <= claim.high)
        return Verdict(claim, tuple(float(q) for q in np.quantile(known, (0.05, 0.5, 0.95))), float(inside.mean()))

    def named_by(self, term: Mapping[str, Any], without: str | None = None) -> list[Case]:
        """The cases that a term of a claim names; nothing is left out but the switch that it says is false."""
        off = without or next((switch for switch in self.left_out if term.get(switch) is False), None)
        if self.held and term.get(CAUSED) == push.LEVELS[push.HELD]:
            return self.held.named_by({key: held for key, held in term.items() if key != CAUSED}, without)
        own = ("times", "measure", *([CAUSED] if self.held else []))
        keys = {key: held for key, held in term.items() if key not in (*own, *self.left_out)}
        cases = self.left_out[off] if off else self.cases
        return [case for case in cases if all(case.keys.get(key) == held for key, held in keys.items())]

    def is_about_switches(self, claim: Claim) -> bool:
        return any(switch in term for term in claim.terms for switch in self.left_out)

    def totals(self, of: str, outcome: str) -> list[Index]:
        """The total indices of a config or a difference, largest first."""
        wanted = (of, outcome, "total")
        totals = [index for index in self.indices if (index.config, index.outcome, index.index) == wanted]
        return sorted(totals, key=lambda index: -index.value)

    def _rank_verdict(self, claim: Claim) -> RankVerdict:
        totals = self.totals(str(claim.of), claim.measure)
        named = next(index for index in totals if index.factor == claim.largest)
        return RankVerdict(claim, named, next(index for index in totals if index is not named))

    def by_set(self, case: Case, column: str, at: str) -> Array:
        """An outcome's mean over seeds for each parameter set; for each seed where there is one set."""
        pairing = pair_runs(case.result, case.result)
        values = pairing.base.values(self._at(case, column, at))[:, 0]
        return set_means(values, pairing.set_codes)[0] if self.sets > 1 else values

    def _at(self, case: Case, column: str, at: str) -> Array:
        """A measure of a case's runs at a date, shape (runs,), from the outcomes or else from the series."""
        if f"{column}@{'end' if at == 'final' else at}" in case.result.outcomes:
            return value(case.result, column, at)
        if column not in self._whole:
            self._whole[column] = with_series(self.result, [column])
        whole = self._whole[column]
        places = {run_id: place for place, run_id in enumerate(whole.run_ids)}
        return value(whole, column, at)[[places[run_id] for run_id in case.result.run_ids]]

    @cached_property
    def _whole(self) -> dict[str, Result]:
        """The whole result with the series of a measure that were read, by measure."""
        return {}

    def unit_of(self, outcome: str) -> str:
        """The unit of an outcome; of a year that runs.csv has not, the measure's own."""
        columns = self.manifest.columns
        return columns[outcome if outcome in columns else outcome.partition("@")[0]].unit

    def can_tell(self, outcome: str) -> bool:
        """Whether the result has an outcome, or its measure for every year."""
        measure, _, at = outcome.partition("@")
        horizon, record = self.manifest.horizon, self.manifest.record
        recorded = measure in record.measures and record.every != "end"
        in_series = recorded and at.isdigit() and horizon.first <= int(at) <= horizon.last
        return bool(at) and (outcome in self.manifest.columns or in_series)

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
        """The parameters of the sets by their rank correlation with the step's size over sets, strongest first."""
        given = self.manifest.parameter_sets
        if not given or self.sets < FEWEST_SETS:
            return []
        from scipy.stats import spearmanr

        pairing = pair_runs(step.base.result, step.case.result)
        sizes = self.by_set(step.case, self.main, "final") - self.by_set(step.base, self.main, "final")
        order = list(dict.fromkeys(str(pair[0]) for pair in pairing.base.pairs))
        if np.ptp(sizes) == 0:
            return []
        ranks = []
        for key in given[order[0]]:
            held = [float(given[number][key]) for number in order]
            ranks.append((key, float(spearmanr(held, sizes).statistic)))
        return sorted(ranks, key=lambda pair: -abs(pair[1]))

    def rows(self) -> list[list[Any]]:
        """The table of `HEADER`: every case's measures in the last year, and the difference to the reference."""
        if self.held:
            halves = ((push.ANSWERS, replace(self, held=None)), (push.HELD, self.held))
            return [[*row[:-1], name] for name, half in halves for row in half.rows()]
        rows = []
        for case, measure in itertools.product(self.cases, self.measures):
            row, own = self.against(self.cases[0], case, measure), self.own(case, measure)
            middle = row.diff_q50 if row.diff_q50 is not None else row.diff
            points = [own.cand_q50, own.cand_q05, own.cand_q95]
            rows.append(
                [self.name, case.label, measure, own.unit, *points, middle, *row.spread, self.of_differences, ""]
            )
        return rows

    @property
    def slices(self) -> list[str]:
        """The main measure's slices that were asked for, such as domestic_supply_share.memory."""
        return [name for name in self.measures if name.startswith(f"{self.main}.")]

    def clear_since(self, base: Case, case: Case, measure: str) -> str:
        """The year since which a case differs from another with the last year's sign; empty if that is open."""
        since = ""
        rows = over_time(pair_runs(base.result, case.result), measure, SETTINGS)
        for row in reversed(rows):
            low, high = row.spread
            if low is None or high is None or low * high <= 0 or (low > 0) != ((rows[-1].spread[0] or 0.0) > 0):
                break
            since = row.at[:4]
        return since

    def reaching(self, case: Case) -> ReachRow | None:
        """How many runs of a case reach the world's goal, and when; None without one, or of another main measure."""
        goal = self.manifest.world.goal
        if self.main != MAIN_MEASURE or goal is None:
            return None
        return reach(self._pairing(case), Target(self.main, ">=", goal.share), SETTINGS)

    def over_time(self, case: Case) -> list[Row]:
        """The main measure's rows at every recorded date, case less reference."""
        return over_time(self._pairing(case), self.main, SETTINGS)

    def _pairing(self, case: Case) -> Pairing:
        return pair_runs(self.cases[0].result, case.result)


def read_answer(folder: str | Path) -> Answer:
    """Read a finished batch. Raises BadInput, and IncompleteInput where runs are missing or failed."""
    batch = read_batch(folder)
    folder = batch.folder
    result = read_result(folder)
    if result.lacking:
        raise IncompleteInput(list(result.lacking))
    recorded = batch.manifest.record.measures
    over_time = result.source.measures if result.source else ()
    if lacking := [name for name in recorded if f"{name}@end" not in result.outcomes or name not in over_time]:
        raise BadInput(f"{folder}: {lacking[0]} was recorded, and a table lacks its column; run the batch again")
    asked = batch.experiment.record.measures
    if isinstance(asked, list):
        main, measures = asked[0], [name for name in asked if can_tell(result, name, "final")]
    else:
        main = MAIN_MEASURE if MAIN_MEASURE in recorded else recorded[0]
        measures = [main, *(name for name in HEADLINE if name in recorded and name != main)]
    slices = [name for name in measures if name.startswith(f"{main}.")]
    told = with_series(result, [main, *slices])
    is_apart = set(told.keys.get(CAUSED, ())) == set(push.LEVELS.values())
    (cases, left_out, count), *held = [
        cases_of(batch.folder, each, batch.experiment)
        for each in ([push.with_push(told, name) for name in push.LEVELS] if is_apart else [told])
    ]
    pools = [pool for some in ((cases, left_out, count), *held) for pool in (some[0], *some[1].values())]
    _check_luck(batch.folder, [case for pool in pools for case in pool])
    indices, discoveries = _of_samples(batch, main)
    if not cases and not indices and not discoveries:
        kind = next(iter(designs(batch.experiment).values()))
        verb = "sensitivity" if kind == "morris" else "discover"
        raise BadInput(
            f"{folder}: has only the design {kind}, of which a report tells nothing without targets in the experiment; "
            f"use decoupling study {verb} {folder}{'' if kind == 'morris' else ' --target TARGET'}"
        )
    claims = batch.manifest.claims
    answer = Answer(batch, result, cases, left_out, count, main, measures, claims, indices, discoveries)
    if held:
        half = replace(answer, cases=held[0][0], left_out=held[0][1], claims=(), indices=(), discoveries=())
        answer = replace(answer, held=half)
    _check_claims(answer)
    return answer


def _check_luck(folder: Path, cases: Sequence[Case]) -> None:
    """Whether every case has the same parameter sets and seeds, once each. Raises IncompleteInput."""
    luck = [Counter(case.result.groups(["parameter_set", "seed"])) for case in cases]
    for case, own in zip(cases, luck, strict=True):
        if own != luck[0] or own.total() != len(own):
            raise IncompleteInput(f"{folder}: {case.label} has not the seeds of the other cases; run the batch again")


def _of_samples(batch: Batch, main: str) -> tuple[list[Index], list[Discovery]]:
    """What sampled parts tell: indices of the main measure, and where each target is reached."""
    outcomes = [name for at in (OUTCOME_YEARS[-1], "end") if (name := f"{main}@{at}") in batch.manifest.columns]
    sobol = {name for name, kind in designs(batch.experiment).items() if kind == "sobol"}
    found = sensitivity(batch.folder, outcomes)[0] if sobol else []
    indices = [index for index in found if index.part in sobol]
    return indices, [discover(batch.folder, target) for target in batch.experiment.targets]


def _step_result(step: Step) -> Result:
    """The differences of a step's runs, as a result that can be compared again."""
    base, case = step.base.result, step.case.result
    order = {pair: place for place, pair in enumerate(base.groups(["parameter_set", "seed"]))}
    places = np.array([order[pair] for pair in case.groups(["parameter_set", "seed"])])
    outcomes = {column: held - base.outcomes[column][places] for column, held in case.outcomes.items()}
    return replace(case, name=step.change, outcomes=outcomes)


def _check_claims(answer: Answer) -> None:
    """Whether each claim names one case a term, or a factor. Raises BadInput."""
    problems = []
    for claim in answer.claims:
        where = f"{answer.batch.folder / MANIFEST}: claims: {claim.says!r}"
        if claim.largest:
            totals = answer.totals(str(claim.of), claim.measure)
            if claim.largest not in [index.factor for index in totals]:
                problems.append(f"{where}: {claim.largest} has no total index of {claim.measure} of {claim.of}")
        for term in claim.terms:
            if len(named := answer.named_by(term)) != 1:
                problems.append(f"{where}: term {dict(term)} is {len(named)} cases and must be one")
            outcome = str(term.get("measure", claim.measure))
            if not answer.can_tell(outcome):
                problems.append(f"{where}: {outcome} is no outcome of the result")
    if problems:
        raise BadInput([*problems, "correct the experiment's claims; the same batch command takes them over"])
