"""An answer: what a policy makes of the futures of a config, beside the same futures without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sim.arrays import Array
from sim.calendar import FIRST_YEAR, LAST_YEAR, OUTCOME_YEARS, QUARTERS_PER_YEAR, quarter_end, quarter_name
from sim.compare import push
from sim.errors import BadInput
from sim.futures import sentence as words
from sim.futures import summary
from sim.futures.about import first_start, states
from sim.futures.keep import files, watch_query
from sim.futures.levers import described
from sim.futures.past import Job, run_here
from sim.futures.policy import MOST_ACTS, Policy, read_levers, read_start
from sim.futures.presets import act_of
from sim.futures.sets import FIRST, MORE, Pair, pairs, parameter_sets
from sim.futures.shown import MAIN, recorded
from sim.results.escape import visible
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.world.world import World

SEEDS_BELOW = 10**18
YEARS = {str(year): year - FIRST_YEAR for year in (*OUTCOME_YEARS, LAST_YEAR) if year != OUTCOME_YEARS[0]}
DATES = [quarter_end(QUARTERS_PER_YEAR * (year - FIRST_YEAR + 1) - 1) for year in range(FIRST_YEAR, LAST_YEAR + 1)]


@dataclass(frozen=True)
class Asked:
    """A request that can be answered: a policy, and the seed of the first future."""

    number: int
    config: str
    policy: Policy
    seed: int
    acts: tuple[Any, ...]  # as they were asked for: ids of presets, and events

    @property
    def scenario(self) -> Scenario:
        return self.policy.scenario

    @property
    def names(self) -> tuple[str, ...]:
        return recorded(self.scenario.world)

    @cached_property
    def has_ends(self) -> bool:
        """Whether the policy changes controls, and the target's push can answer that."""
        before, after = (
            push.controls_of(each.values, each.as_dict()["events"]) for each in (self.scenario, self.policy.changed)
        )
        sets = parameter_sets(self.scenario.world)
        drawn = [sets.get(number, {}) for number, _ in self._pairs(FIRST)]
        return before != after and any(push.can_answer({**self.scenario.values, **values}) for values in drawn)

    # The work that it takes.

    @cached_property
    def base(self) -> Job:
        """The first futures as they are."""
        return self._job(self._pairs(FIRST), changed=False)

    @cached_property
    def band(self) -> Job:
        """The first futures under the policy."""
        return self._job(self._pairs(FIRST), changed=True)

    def line(self, middle: int) -> Job:
        """One of them."""
        return self._lines.setdefault(middle, self._job((self._pairs(FIRST)[middle],), changed=True))

    def tried(self, middle: int, policy: Policy) -> Job:
        """One of them under another policy of the same config and date."""
        job = self.line(middle)
        return replace(job, events=policy.events)

    @cached_property
    def ends(self) -> Mapping[str, tuple[Job, Job]]:
        """The first futures without the policy and with it, by what the push does; none where that is all one."""
        if not self.has_ends:
            return {}
        first = self._pairs(FIRST)
        return {
            end: (self._job(first, False, caused), self._job(first, True, caused))
            for end, caused in push.LEVELS.items()
        }

    @cached_property
    def finer(self) -> Sequence[tuple[Job, ...]]:
        """The futures beyond the first, as many at a time: without the policy, and with it if there is one."""
        chunks = [self._pairs(skip + FIRST)[skip:] for skip in range(FIRST, MORE, FIRST)]
        kinds = (False, True) if self.policy.events else (False,)
        return [tuple(self._job(chunk, changed) for changed in kinds) for chunk in chunks]

    @cached_property
    def _lines(self) -> dict[int, Job]:
        return {}

    @cached_property
    def _hash(self) -> str:
        return self.scenario.hash

    def _pairs(self, count: int) -> tuple[Pair, ...]:
        return tuple(pairs(self.scenario.world, count, self.seed))

    def _job(self, chosen: tuple[Pair, ...], changed: bool, caused: float | None = None) -> Job:
        events = self.policy.events if changed else ()
        return Job(self.scenario, self._hash, chosen, self.names, events, caused)


@dataclass(frozen=True)
class Ends:
    """The futures with the push held and with it answering, without the policy and with it."""

    held: tuple[Array, Array]
    answers: tuple[Array, Array]

    @property
    def differences(self) -> dict[str, Array]:
        """Policy less base, (futures, years, measures), by what the push does."""
        return {push.HELD: self.held[1] - self.held[0], push.ANSWERS: self.answers[1] - self.answers[0]}


def read_request(request: Mapping[str, Any], scenario: Scenario | None = None) -> Asked:
    """A request, checked; `scenario` is what its config means where that is not to be looked up.

    Raises BadInput with a sentence for each fault.
    """
    name = request.get("config")
    if not isinstance(name, str):
        raise BadInput(f"config = {str(name)[:40]!r}: must be the name of a config")
    scenario = scenario or load_config(name)
    given, acts, seed = request.get("set") or {}, request.get("acts") or (), request.get("seed", 1)
    start = read_start(request["from"]) if request.get("from") else first_start(scenario)
    if not isinstance(given, Mapping):
        raise BadInput("set: must be a table of levers and their values")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEEDS_BELOW:
        raise BadInput(f"seed = {str(seed)[:40]}: must be a whole number from 0 and below 10**18")
    if not isinstance(acts, list | tuple) or len(acts) > MOST_ACTS:
        raise BadInput(f"acts: must be a list of at most {MOST_ACTS} presets and events")
    tables = [event for act in acts for event in ([act] if isinstance(act, Mapping) else act_of(scenario, start, act))]
    policy = Policy(scenario, start, read_levers(scenario, given), tuple(tables))
    number = request.get("number", 0)
    return Asked(number if isinstance(number, int) else 0, name, policy, seed, tuple(acts))


def answer(request: Mapping[str, Any], runs: int = FIRST) -> dict[str, Any]:
    """What a request asks for, from so many futures: 1, 32 or 128. Runs here and now, about a second for 32.

    request: {"config": "historic", "from": "2027-Q1", "set": {"subsidy.annual": 200}, "acts": ["truce"], "seed": 1}.
    All but `config` may be left out. Raises BadInput.
    """
    if runs not in (1, FIRST, MORE):
        raise BadInput(f"runs = {runs!r}: must be 1, {FIRST} or {MORE}")
    asked = read_request(request)
    base = run_here(asked.base)
    middle = nearest_the_middle(asked, base)
    if runs == 1 and asked.policy.events:
        return made(asked, middle, base, run_here(asked.line(middle)))
    policy = run_here(asked.band) if asked.policy.events else None
    held, answers = ([run_here(job) for job in asked.ends.get(end, ())] for end in (push.HELD, push.ANSWERS))
    ends = Ends((held[0], held[1]), (answers[0], answers[1])) if held else None
    if runs == MORE:
        finer = [[run_here(job) for job in jobs] for jobs in asked.finer]
        base, policy = with_finer(base, policy, finer)
    return made(asked, middle, base, policy, ends)


def with_finer(base: Array, policy: Array | None, finer: Sequence[Sequence[Array]]) -> tuple[Array, Array | None]:
    """The first futures and those beyond them."""
    base = np.concatenate([base, *(values[0] for values in finer)])
    return base, None if policy is None else np.concatenate([policy, *(values[1] for values in finer)])


def nearest_the_middle(asked: Asked, base: Array) -> int:
    """Which of the first futures is drawn as a line: the one that stays nearest their middle without the policy."""
    return summary.middle(base[:FIRST, :, asked.names.index(MAIN)])


def made(
    asked: Asked,
    middle: int,
    base: Array,
    policy: Array | None = None,
    ends: Ends | None = None,
    idle: Mapping[str, str] | None = None,
    more: bool = False,
) -> dict[str, Any]:
    """The answer as a screen takes it: see `settings` for what its measures are.

    base and policy are (futures, years, measures) of the same futures, or `policy` of the one in the `middle` alone.
    `idle` says of levers and presets that have been tried why they do nothing alone.
    """
    world, names = asked.scenario.world, asked.names
    alone = policy is not None and len(policy) == 1
    compared = base[middle : middle + 1] if alone else base if policy is None else base[: len(policy)]
    changed = None
    if policy is not None:
        changed = summary.line_alone(policy[0], names) if alone else summary.bands(policy, names, policy[middle])
    ran = np.isfinite(compared[:, :, names.index(MAIN)]).all(axis=1)
    if policy is not None:
        ran &= np.isfinite(policy[:, :, names.index(MAIN)]).all(axis=1)
    told = compared[ran], None if policy is None else policy[ran]
    return {
        "number": asked.number,
        "key": f"{asked.policy.key}-{asked.seed}",
        "config": asked.config,
        "from": quarter_name(asked.policy.start),
        "seed": asked.seed,
        "set": dict(asked.policy.set),
        "acts": list(asked.acts),
        "runs": len(base) if policy is None else len(policy),
        "dates": DATES,
        "base": summary.bands(base, names, base[middle]),
        "policy": changed,
        "differences": None if policy is None else summary.differences(compared, policy, names, YEARS),
        "sentence": words.sentence(world, names, *told, ends.differences if ends else None),
        "warnings": [*words.warnings(world, names, *told), *words.left_out(ran)],
        "parts": _parts(ends, names) if ends else None,
        "parts_words": parts_in_words(world) if ends else "",
        "levers": _levers(asked, idle or {}),
        "presets": {preset: why for preset, why in (idle or {}).items() if "." not in preset},
        "events": [{**event, "date": str(event["date"])} for event in asked.policy.events],
        "watch": watch_query(asked.config, asked.policy, asked.seed),
        "files": files(asked.config, asked.policy, asked.seed, names, asked.has_ends),
        "more": more,
        "fault": "",
        "field": "",
    }


def refused(number: object, fault: BadInput) -> dict[str, Any]:
    """The answer to a request that cannot be used: a sentence, and the lever that it is about."""
    text = visible(fault.problems[0].removeprefix("event 1: "))
    field = text.partition(" = ")[0] if " = " in text else ""
    return {"number": number, "fault": text[:400], "field": field if "." in field and " " not in field else ""}


def _levers(asked: Asked, idle: Mapping[str, str]) -> dict[str, Any]:
    """Each lever's own value at the date, and whether it does something; what was tried alone counts alone."""
    scenario, policy = asked.scenario, asked.policy
    held = zip(described(scenario.world), states(scenario, policy.start, policy.changed), strict=True)
    found = {lever["key"]: state for lever, state in held}
    for key in found.keys() & idle.keys() if not policy.events else ():
        found[key] |= {"effect": False, "why_not": found[key]["why_not"] or idle[key]}
    return found


def _parts(ends: Ends, names: tuple[str, ...]) -> dict[str, Any]:
    """Bite, total and answer of each measure, as `decoupling compare` has them: pair by pair."""
    bite, total = (ends.differences[end] for end in (push.HELD, push.ANSWERS))
    apart = {push.NAMES[push.HELD]: bite, "answer": total - bite, push.NAMES[push.ANSWERS]: total}
    return {
        name: {
            year: {part: summary.spread(values[:, place, column]) for part, values in apart.items()}
            for year, place in YEARS.items()
        }
        for column, name in enumerate(names)
    }


def parts_in_words(world: World) -> str:
    name = world.names[world.target]
    return (
        f"{name} builds what it is denied, and no figure tells how much of that push the controls caused. The bite is "
        "what your change of the controls does if they caused none of it: the push goes by the record, whatever is "
        "denied from your date on. The total is what it does if they caused all of it, from 2020 on: the push then "
        "answers your change too. The answer is total less bite, future by future. The chart has both worlds with a "
        "guess in between, another one in each future; what your change does may lie at either end or between."
    )
