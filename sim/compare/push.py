"""What controls do with the target's push held, and with it answering them: bite, answer and total.

A state that is denied tools has its firms build what it lacks. How much of that push the controls of a run cause, and
how much goes on by the record whatever is denied, no figure tells; `security.caused_by_controls` splits it. So an
effect of controls has two ends. *Bite* is their effect with the push held (0: it goes by the record on both sides),
*total* with the push answering (1: it goes by what each run denies), and *answer* is total less bite, pair by pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sim.compare.differences import Margin, Row, Settings, compare_column, sample, without_verdict
from sim.compare.outcomes import AT, value
from sim.compare.pairing import Pairing, pair_runs
from sim.compare.results import Result, Series, some_runs
from sim.compare.tables import Key
from sim.results.manifest import KeptScenario
from sim.scenario.values import CAUSED

LEVELS = {"answers": 1.0, "held": 0.0}  # by the name that tables give them
ANSWERS, HELD = LEVELS
BETWEEN = f"{ANSWERS} less {HELD}"
WITH = {HELD: " with the push held", ANSWERS: " with the push answering"}
NAMES = {HELD: "bite", ANSWERS: "total"}
OF_CONTROLS = ("controls.", "alliance.", "doctrine.")  # how keys begin that say what is denied, by whom and when
SWITCHES = ("mechanisms.alliance", "mechanisms.backfill", "mechanisms.over_compliance")
EVENTS = ("control", "truce")
MEANING = (
    f"Bite is what the controls do with the push held: it goes by the record on both sides ({CAUSED} = 0), and firms "
    f"order what they lack of it. Total is what they do with the push answering what each run denies ({CAUSED} = 1). "
    "Answer is total less bite, pair by pair. No figure tells how much of the push the controls caused: what they do "
    "may lie at either end or between."
)


def controls_of(values: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[Any]]:
    """What a config says of controls: its keys that set them, and its dated events that set or lift them.

    Controls differ between two configs where this does.
    """
    keys = {key: held for key, held in values.items() if is_of_controls(key)}
    dated = [
        event for event in events if event.get("kind") in EVENTS or any(map(is_of_controls, event.get("set") or {}))
    ]
    return keys, dated


def ending(push: str, of_controls: bool) -> str:
    """What ends the name of a difference: what the push does and, where it is about controls, what that is called."""
    return f"{WITH[push]}{f' ({NAMES[push]})' if of_controls else ''}" if push else ""


def is_of_controls(key: str) -> bool:
    return key.startswith(OF_CONTROLS) or key in SWITCHES


def can_answer(values: Mapping[str, Any]) -> bool:
    """Whether firms or buyers of a config answer to what is denied, and a part of that can go by the record."""
    firms = values.get("mechanisms.security") and values.get("security.goal", 0.0) > 0
    buyers = values.get("mechanisms.localisation") and values.get("buyers.localisation", 0.0) > 0
    return bool(values.get("mechanisms.state_programme") and (firms or buyers))


def about_controls(base: Result, candidate: Result) -> bool:
    """Whether the controls of two results differ, and the push is on in one of them."""
    return any(
        can_answer(ours.values) or can_answer(theirs.values)
        for ours, theirs in _configs(base, candidate)
        if _controls(base, candidate, ours) != _controls(candidate, base, theirs)
    )


def _configs(base: Result, candidate: Result) -> list[tuple[KeptScenario, KeptScenario]]:
    """The configs that are compared with each other: the one of each result, or those of the same name."""
    ours, theirs = (result.manifest.scenarios if result.manifest else {} for result in (base, candidate))
    if len(ours) == len(theirs) == 1:
        return list(zip(ours.values(), theirs.values(), strict=True))
    return [(scenario, theirs[name]) for name, scenario in ours.items() if name in theirs]


def _controls(result: Result, other: Result, scenario: KeptScenario) -> Any:
    """The controls of one side; a key that both sweep is the same in a pair, one that this side sweeps is none."""
    values = {key: "swept" if key in result.swept else held for key, held in scenario.values.items()}
    both = {key for key in result.swept if key in other.swept}
    return controls_of({key: held for key, held in values.items() if key not in both}, scenario.events)


def is_split(results: Sequence[Result]) -> bool:
    """Whether results are about controls, and all of them hold runs with the push held and with it answering."""
    base, *candidates = results
    both = all(CAUSED in result.swept and set(LEVELS.values()) <= set(result.keys[CAUSED]) for result in results)
    return both and any(about_controls(base, candidate) for candidate in candidates)


def with_push(result: Result, push: str) -> Result:
    """Those runs of a result in which the push is held, or answers."""
    places = [place for place, held in enumerate(result.keys[CAUSED]) if held == LEVELS[push]]
    return replace(some_runs(result, places), swept=tuple(key for key in result.swept if key != CAUSED))


def change(before: Pairing, then: Pairing, column: str, at: str, settings: Settings) -> Row:
    """How a difference between two results changes: the difference of the two differences, pair by pair.

    The base of the row is the difference before, its candidate the one then; so of bite and total it is the answer.
    """
    ours, theirs = (_differences(pairing, column, at, name) for pairing, name in ((before, "before"), (then, "then")))
    row = compare_column(pair_runs(ours, theirs), column, at, settings)
    return without_verdict(row) if at in AT and (before.ends_differ or then.ends_differ) else row


def _differences(pairing: Pairing, column: str, at: str, name: str) -> Result:
    """The differences of a pairing as a result, a run for each pair."""
    pairs = sample(pairing, [value(side.result, column, at) for side in (pairing.base, pairing.cand)])
    luck = pairing.base.pairs
    differences = np.full(len(luck), np.nan)
    differences[pairs.kept] = pairs.diff
    keys: dict[str, list[Key]] = {"config": [name] * len(luck)}
    keys |= {key: [pair[place] for pair in luck] for place, key in enumerate(("parameter_set", "seed"))}
    return replace(
        pairing.cand.result,
        name=name,
        configs=(name,),
        swept=(),
        keys=keys,
        done=np.ones(len(luck), bool),
        outcomes={f"{column}@{'end' if at == 'final' else at}": differences},
        source=None,
        series=Series((), {}),
        run_ids=(),
    )


def answer(held: Pairing, answering: Pairing, total: Row, settings: Settings) -> Row:
    """The row of the answer beside that of the total: its base is the bite, its candidate the total."""
    margins = {"": Margin(total.margin or 0.0)}  # a part of the base's mean is not one of the bite
    row = change(held, answering, total.column, total.at, replace(settings, margins=margins))
    return replace(row, baseline=total.baseline, candidate=total.candidate)


def unsplit(base: Result, candidate: Result) -> str:
    """Sentences on a comparison about controls in which bite and total are not told apart; nothing on another one."""
    if not about_controls(base, candidate):
        return ""
    names = " ".join(scenario.name for pair in _configs(base, candidate)[:1] for scenario in pair)
    told = f"The controls of {base.name} and {candidate.name} differ. {not_apart(base, candidate)}"
    return f"{told}, and so does decoupling compare {names}"


def not_apart(*results: Result) -> str:
    """What a figure about controls is where bite and total are not told apart, and how to have both."""
    made = {result.name: _how_made(result) for result in results}
    first, *others = dict.fromkeys(made.values())
    how = " and ".join(f"{held} in {name}" for name, held in made.items()) if others else first
    alone = {} if others else {"= 0": "the bite alone", "= 1": "the total alone"}
    return (
        f"The target's push was made with {CAUSED} {how}, so what controls do here is "
        f'{alone.get(first, "neither bite nor total")}: an experiment with "{CAUSED}" = [0.0, 1.0] among its factors '
        "gives bite (the push held) and total (the push answers)"
    )


def _how_made(result: Result) -> str:
    """With which values of it the runs were made, such as "= 0.5"."""
    if CAUSED in result.swept:
        return "swept"
    manifest = result.manifest
    if manifest and any(CAUSED in values for values in manifest.parameter_sets.values()):
        return "drawn with the parameter sets"
    scenarios = manifest.scenarios.values() if manifest else ()
    return f"= {' and '.join(sorted({f'{scenario.values.get(CAUSED, 0):g}' for scenario in scenarios}))}"
