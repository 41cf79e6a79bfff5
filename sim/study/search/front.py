"""The front of a search: the policies that nothing beats, as tables and sentences, from the folder of its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.arrays import Array
from sim.compare.outcomes import value
from sim.compare.results import Result, read_result, with_series
from sim.compare.tables import Key
from sim.compare.words import behind, counted
from sim.errors import BadInput
from sim.experiment.conditions import Condition, read_condition
from sim.experiment.designs import Point
from sim.results.manifest import KeptSearch, Manifest
from sim.results.output import is_result
from sim.study.plot.words import NO_UNIT, Words
from sim.study.search.aims import Aims, Constraint, outcomes_of, read_aims
from sim.study.search.judging import beaten_by_none, costs_of, reached_in, robust_values, violations

if TYPE_CHECKING:
    import pandas

SPREAD = (0.05, 0.95)  # of the sets
FINAL = "front"  # the result, inside that of the search, of its front over all parameter sets


@dataclass(frozen=True, repr=False)
class Front:
    """What a search found. `best` are the places of the front among `policies`, by the first objective.

    values: by outcome, shape (policies, sets). robust: what each comes to, shape (policies, objectives), in the unit of
    the outcome. searched: the policies of the whole search, in fewer sets, where those here are its front alone.
    """

    path: Path
    manifest: Manifest
    words: Words
    aims: Aims
    targets: tuple[Condition, ...]
    policies: Sequence[Point]
    values: Mapping[str, Array]
    robust: Array
    best: tuple[int, ...]
    searched: Front | None = None

    def __repr__(self) -> str:
        return f"<{self.sentences()[0]}>"

    def to_frame(self) -> pandas.DataFrame:
        """The table with the spread over the sets and the policies in words, a row for each policy of the front."""
        import pandas

        header, rows = self.table()
        return pandas.DataFrame(rows, columns=header)

    @property
    def whole(self) -> Front:
        """All policies that were tried."""
        return self.searched or self

    @property
    def keys(self) -> list[str]:
        asked = self.manifest.experiment
        return list(asked.swept or ()) if asked else []

    @property
    def of_sets(self) -> str:
        """Such as "256 parameter sets"; seeds, where there is one set."""
        return counted(int(next(iter(self.values.values())).shape[1]), self._set)

    @property
    def _set(self) -> str:
        return "parameter set" if len(self.manifest.parameter_sets) > 1 else "seed"

    def spread(self, place: int, outcome: str) -> tuple[float, float, float]:
        """The mean and the 5 and 95 % points of the sets, of those that have a value."""
        held = self.values[outcome][place]
        held = held[~np.isnan(held)]
        low, high = np.quantile(held, SPREAD) if len(held) else (np.nan, np.nan)
        return float(held.mean()) if len(held) else np.nan, float(low), float(high)

    def reaching(self, place: int, target: Condition) -> int:
        """In how many of the sets a policy meets a target."""
        return int(target.met(self.values[target.name][place]).sum())

    def table(self, whole: bool = True) -> tuple[list[str], list[list[Any]]]:
        """A row for each policy of the front; `whole` with the spread over the sets and the policy in words."""
        header = ["policy", "run", *self.keys]
        for objective in self.aims.objectives:
            name = f"{objective.outcome}{' regret' if self.aims.robust == 'regret' else ''}"
            header += [name, *(f"{objective.outcome} {what}" for what in ("mean", "5 %", "95 %") if whole)]
        header += [f"sets with {target}" for target in self.targets]
        rows = [self._row(number, place, whole) for number, place in enumerate(self.best, start=1)]
        return [*header, "in words"] if whole else header, rows

    def _row(self, number: int, place: int, whole: bool) -> list[Any]:
        row: list[Any] = [number, self._run_id(place), *(_as_read(self.policies[place][key]) for key in self.keys)]
        for column, objective in enumerate(self.aims.objectives):
            row += [float(self.robust[place, column]), *(self.spread(place, objective.outcome) if whole else ())]
        row += [self.reaching(place, target) for target in self.targets]
        return [*row, self.in_words(place)] if whole else row

    def _run_id(self, place: int) -> str:
        """The first of the policy's runs, by which its others are found."""
        first = min(map(int, self.manifest.parameter_sets), default=0)
        return f"{min(self.manifest.scenarios)}-{place + 1}-{first}-{self.manifest.seeds[0]}"

    # In words.

    def sentences(self) -> list[str]:
        """How many policies there are, and of each objective the best of them."""
        met = np.count_nonzero(violations(self.whole.aims, self.whole.values) == 0)
        said = f"{counted(len(self.whole.policies), 'policy', 'policies')} tried in {self.whole.of_sets}"
        needed = " and ".join(map(self.constraint, self.aims.constraints))
        if needed:
            said += f": {met} with {needed}" if met else f": none with {needed}; nearest is {self.whole._nearest()}."
        if not met:
            return [said]
        said += f"{', ' if needed else ': '}{len(self.whole.best)} that nothing beats."
        if self.searched:
            still = f" and {'has' if len(self.best) == 1 else 'have'} {needed}" if needed else ""
            said += (
                f" Of {len(self.policies)} of these, far apart and run in {self.of_sets}, "
                f"{len(self.best)} are beaten by no other{still}."
            )
        costs = costs_of(self.aims, self.robust)
        return [said, *(self._first_by(column, costs) for column in range(len(self.aims.objectives)) if self.best)]

    def _first_by(self, column: int, costs: Array) -> str:
        number = int(np.argmin(costs[list(self.best), column]))
        place, objective = self.best[number], self.aims.objectives[column]
        regret = self.aims.robust == "regret"
        how, of = ("least regret", "of ") if regret else ("highest" if objective.higher else "lowest", "")
        pairs = [*zip(self.aims.objectives, self.robust[place], strict=True)]
        pairs.insert(0, pairs.pop(column))
        comes_to = (f"{of}{self.outcome(each.outcome)}, {self.amount(each.outcome, held)}" for each, held in pairs)
        reached = (f"{self.target(each)} in {self.reaching(place, each)} of {self.of_sets}" for each in self.targets)
        return f"Policy {number + 1} ({self.in_words(place)}) has the {how} {'; '.join([*comes_to, *reached])}."

    def _nearest(self) -> str:
        """The policy that misses the constraints least, and what it comes to by each of them."""
        place = int(np.argmin(violations(self.aims, self.values)))
        reached = []
        for each in self.aims.constraints:
            name, higher = each.condition.name, each.condition.sense == ">="
            [held] = reached_in(each.part, self.values[name][place : place + 1], higher)
            reached.append(f"{self.outcome(name)}, {self.amount(name, float(held))}")
        return f"{self.in_words(place)}, which comes to {'; '.join(reached)}"

    def in_words(self, place: int) -> str:
        """A policy as it would be said."""
        values = ((key, _as_read(self.policies[place][key])) for key in self.keys)
        return "; ".join(self.words.pair(key, held, unit=True) for key, held in values)

    def outcome(self, outcome: str) -> str:
        """Such as "domestic supply share in 2030"."""
        column, _, at = outcome.partition("@")
        return f"{self.words.in_passing(column)} {self.words.when(at)}"

    def amount(self, outcome: str, held: float) -> str:
        """Such as "31.2 %" or "3,200 bn yuan"."""
        column, _, at = outcome.partition("@")
        scaled, unit = held * self.words.scale(column, at), self.words.unit(column, at)
        digits = 0 if abs(scaled) >= 1000 else 1 if abs(scaled) >= 10 else 2
        return f"{scaled:,.{digits}f} {'' if unit in NO_UNIT else behind(unit)}".strip()

    def target(self, target: Condition) -> str:
        """Such as "domestic supply share in 2030 of at least 30 %"."""
        least = "at least" if target.sense == ">=" else "at most"
        column, _, at = target.name.partition("@")
        level, unit = target.level * self.words.scale(column, at), self.words.unit(column, at)
        return f"{self.outcome(target.name)} of {least} {level:,.6g} {'' if unit in NO_UNIT else behind(unit)}".strip()

    def constraint(self, constraint: Constraint) -> str:
        return f"{self.target(constraint.condition)} in {100 * constraint.part:g} % of the {self._set}s"


def _as_read(held: Any) -> Key:
    """A value as it is read from a table."""
    return {True: "true", False: "false"}[held] if isinstance(held, bool) else held


def as_text(policy: Point) -> str:
    """A policy as it is written, so that 1, 1.0 and true differ; a manifest has the keys in another order."""
    return repr(sorted(policy.items()))


def search_of(manifest: Manifest) -> KeptSearch | None:
    """What a result was the search for; None where it was none."""
    return manifest.experiment.search if manifest.experiment else None


def front_of(folder: Path) -> Front:
    """The front of a search from its result. Raises BadInput where it is not the result of one.

    Where the search had some of the parameter sets, its front is judged by its runs in all of them, if they are there.
    """
    whole = _front_in(folder)
    if not is_result(folder / FINAL):
        return whole
    final = _front_in(folder / FINAL)
    best = {as_text(whole.policies[place]) for place in whole.best}
    return replace(final, searched=whole) if best >= set(map(as_text, final.policies)) else whole


def _front_in(folder: Path) -> Front:
    result = read_result(folder)
    manifest = result.manifest
    search = search_of(manifest) if manifest else None
    if manifest is None or search is None or manifest.experiment is None or manifest.experiment.design is None:
        raise BadInput(f"{folder}: is not the result of a search")
    aims = aims_of(search, manifest, folder)
    targets = tuple(dict.fromkeys((*(each.condition for each in aims.constraints), *_targets(manifest, folder))))
    policies = manifest.experiment.design.points or []
    runs = len(policies) * max(1, len(manifest.parameter_sets)) * len(manifest.seeds)
    if len(result.done) != runs or any(set(policy) != set(search.factors) for policy in policies):
        raise BadInput(f"{folder}: does not hold {runs} runs of policies that set every factor; run the search again")
    values = values_of(result, [*dict.fromkeys((*aims.outcomes, *(target.name for target in targets)))])
    robust = robust_values(aims, values)
    best = beaten_by_none(costs_of(aims, robust), violations(aims, values) == 0)
    return Front(folder, manifest, Words([result]), aims, targets, policies, values, robust, tuple(best))


def aims_of(search: KeptSearch, manifest: Manifest, folder: Path) -> Aims:
    kinds = {name: manifest.columns[name].kind for name in manifest.record.measures}
    problems: list[str] = []
    every, where = manifest.record.every, f"{folder}: search"
    aims = read_aims(search.objectives, search.constraints, search.robust, kinds, every, where, problems)
    if aims is None:
        raise BadInput(problems)
    return aims


def _targets(manifest: Manifest, folder: Path) -> list[Condition]:
    """The targets that the experiment names besides, each of an outcome with its time."""
    assert manifest.experiment is not None
    kinds = {name: manifest.columns[name].kind for name in manifest.record.measures}
    known = [*kinds, *outcomes_of(kinds, manifest.record.every)]
    found = [read_condition(text, f"{folder}: targets", known) for text in manifest.experiment.targets]
    whole = ((each.name if "@" in each.name else f"{each.name}@end", each) for each in found)
    return [Condition(name, each.sense, each.level) for name, each in whole]


def values_of(result: Result, outcomes: Sequence[str]) -> dict[str, Array]:
    """Outcomes of every policy, shape (policies, sets): means over the seeds, or the seeds where there is one set.

    NaN where a run of the set failed or has no value.
    """
    manifest = result.manifest
    assert manifest is not None
    sets, seeds = max(1, len(manifest.parameter_sets)), len(manifest.seeds)
    late = [name.partition("@")[0] for name in outcomes if name not in result.outcomes]
    result = with_series(result, late) if late else result
    found: dict[str, Array] = {}
    for name in outcomes:
        column, _, at = name.partition("@")
        values = value(result, column, at).reshape(-1, sets, seeds)  # in the order of the file
        found[name] = values.mean(axis=2) if sets > 1 else values[:, 0]
    return found
