"""The front of a search as a picture: two objectives as axes, each further one as the colours of a panel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sim.arrays import Array
from sim.compare.words import counted
from sim.results.escape import visible
from sim.study.plot.cases import Band
from sim.study.plot.picture import Panel, Picture

if TYPE_CHECKING:
    from sim.study.search.front import Front

JUDGED = {
    "mean": "mean over {sets}",
    "worst": "the worst of {sets}",
    "regret": "most by which another policy does better in one of {sets}",
}


def picture_of(found: Front) -> Picture:
    """The picture of a front; the policies that were tried and do not meet the constraints are grey with the others."""
    count, best = len(found.aims.objectives), list(found.best)
    labels = [_label(found, column) for column in range(count)]
    tried = [_scaled(found.whole, column) for column in range(count)]
    drawn = np.isfinite(tried).all(axis=0)
    others = drawn & ~np.isin(np.arange(len(drawn)), found.whole.best)
    base = Panel(
        "",
        dots={"": (tried[0][others], tried[1][others])},
        front=(_band(found, 0), _band(found, 1)),
        x_label=labels[0],
        y_label=labels[1],
    )
    coloured = [
        replace(base, colours=_scaled(found, column)[best], colour_label=labels[column]) for column in range(2, count)
    ]
    asked = found.manifest.experiment
    notes = [] if best else [f"{found.whole.path}: no policy that was tried meets the constraints; all are grey"]
    if lost := int((~drawn).sum()):
        notes.append(f"not drawn: {counted(lost, 'policy', 'policies')} without a value")
    return Picture(
        "front",
        visible(asked.question if asked else ""),
        _told(found),
        tuple(coloured or [base]),
        "",
        _source(found),
        tuple(notes),
        tuple(_meanings(found)),
        shared=False,
    )


def _label(found: Front, column: int) -> str:
    objective = found.aims.objectives[column]
    name, _, at = objective.outcome.partition("@")
    unit, said = found.words.unit(name, at), found.outcome(objective.outcome)
    if found.aims.robust == "regret":
        return f"Regret of {said} ({unit}); lower is better"
    return f"{said[:1].upper()}{said[1:]} ({unit}); {'higher' if objective.higher else 'lower'} is better"


def _scaled(found: Front, column: int) -> Array:
    """What each policy comes to by an objective, as it is drawn."""
    name, _, at = found.aims.objectives[column].outcome.partition("@")
    scaled: Array = found.words.scale(name, at) * found.robust[:, column]
    return scaled


def _band(found: Front, column: int) -> Band:
    """What the policies of the front come to, and 5 to 95 % of the sets; of a regret none, which is one of all sets."""
    outcome, best = found.aims.objectives[column].outcome, list(found.best)
    middle = _scaled(found, column)[best]
    if found.aims.robust == "regret":
        return Band(middle, middle, middle, "")
    name, _, at = outcome.partition("@")
    ends = np.array([found.spread(place, outcome)[1:] for place in best]).reshape(-1, 2) * found.words.scale(name, at)
    return Band(np.minimum(ends[:, 0], middle), middle, np.maximum(ends[:, 1], middle), "")


def _told(found: Front) -> str:
    if isinstance(found.aims.robust, str):
        judged = JUDGED[found.aims.robust].format(sets=found.of_sets)
    else:
        judged = f"what it comes to, or better, in {100 * found.aims.robust:g} % of {found.of_sets}"
    lines = "" if found.aims.robust == "regret" else " (lines: 5 to 95 % of these)"
    needed = f" with {' and '.join(map(found.constraint, found.aims.constraints))}" if found.aims.constraints else ""
    best = counted(len(found.best), "policy", "policies")
    others = len(found.whole.policies) - len(found.whole.best)
    fewer = f", in {found.whole.of_sets}" if found.searched else ""
    tried = f"; grey: the other {others} that were tried{fewer}" if others else ""
    return f"{best} that nothing beats{needed}. A dot: {judged}{lines}{tried}."


def _meanings(found: Front) -> list[str]:
    names = dict.fromkeys(objective.outcome.partition("@")[0] for objective in found.aims.objectives)
    return [f"{found.words.measure(name)}: {text}." for name in names if (text := found.words.meaning(name))]


def _source(found: Front) -> str:
    manifest, world = found.manifest, found.manifest.world
    name = manifest.experiment.name if manifest.experiment else ""
    configs = ", ".join(manifest.scenarios)
    assumed = "; every figure of this world is assumed" if world.assumed else ""
    return visible(
        f"Source: search {name}, config {configs}; world {world.name}{assumed}; program {manifest.program_hash[:8]}."
    )
