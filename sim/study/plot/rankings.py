"""The picture of a ranking: the factors by what they move, with intervals and the level of noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.compare.tables import key_of
from sim.compare.words import counted
from sim.study.given_data import DUMMY, PAWN, SHARE
from sim.study.plot.picture import Panel, Picture, row
from sim.study.plot.words import Words, source

if TYPE_CHECKING:
    from sim.study.outcomes import Batch
    from sim.study.sensitivity import Index

MOST_FACTORS = 12
MOST_RANKINGS = 8
NOISE = "Broken lines: what the largest index of factors that do nothing stays below 95 times in 100."
# Of each kind of ranking the index that orders the factors and its companion, and what they are in words.
SHOWN = {
    "total": ("first order", "total: alone and with others", "first order: alone"),
    "mean absolute effect": ("spread of effects", "mean absolute effect", "spread of effects: curved, or with others"),
    SHARE: (PAWN, "share of the variance", "PAWN: how far the distribution moves"),
}

Start = tuple[str, str, str]
Ranking = Mapping[tuple[str, str], "Index"]


def picture_of_ranking(indices: Sequence[Index], batch: Batch) -> Picture | None:
    """The first factors of each config, part and outcome by rank; None where nothing could be ranked."""
    words = Words([batch])
    rankings: dict[Start, dict[tuple[str, str], Index]] = {}
    for index in indices:
        rankings.setdefault((index.outcome, index.config, index.part), {})[index.factor, index.index] = index
    ranked = {start: (kind, found) for start, found in rankings.items() if (kind := _kind(found))}
    drawn = list(ranked)[:MOST_RANKINGS]
    if not drawn:
        return None
    panels: list[Panel] = []
    for start in drawn:
        kind, found = ranked[start]
        panels += _panels(kind, found, _title(start, drawn, words), words)
    left = len(ranked) - len(drawn)
    most = max(len(_factors(*ranked[start])) for start in drawn)
    first = f"; the first {MOST_FACTORS} of {most} factors" if most > MOST_FACTORS else ""
    configs = batch.experiment.configs
    return Picture(
        "cases",
        f"{' and '.join(dict.fromkeys(_outcome(outcome, words) for outcome, _, _ in drawn))}: what moves it",
        f"index with its 95 % interval{first}",
        tuple(panels),
        "",
        f"Source: {source(batch.folder.resolve().name, batch.manifest, configs)}.",
        (f"not drawn: {counted(left, 'ranking')} of {len(ranked)}; sensitivity.csv has all",) if left else (),
        meanings=(NOISE,) if any(ranked[start][0] == SHARE for start in drawn) else (),
        shared=False,
    )


def _kind(found: Ranking) -> str:
    """The index by which factors are ranked; nothing where there is none."""
    return next((kind for kind in SHOWN if _factors(kind, found)), "")


def _factors(kind: str, found: Ranking) -> list[str]:
    """The factors, the largest first."""
    own = [index for (factor, name), index in found.items() if name == kind and not factor.startswith("(")]
    return [index.factor for index in sorted(own, key=lambda index: -index.value)]


def _panels(kind: str, found: Ranking, title: str, words: Words) -> list[Panel]:
    """Two panels beside each other: the index that ranks, and its companion."""
    companion, *told = SHOWN[kind]
    panels = []
    for name, what in zip((kind, companion), told, strict=True):
        lines = []
        for factor in _factors(kind, found)[:MOST_FACTORS]:
            index = found[factor, name]
            low, high = (index.value if end is None else end for end in (index.low, index.high))
            lines.append(row(words.key(factor), low, index.value, high))
        dummy = found.get((DUMMY, name))
        mark = dummy.value if dummy else 0.0
        panels.append(Panel(title if name == kind else "", tuple(lines), x_label=what, mark=mark))
    return panels


def _title(start: Start, drawn: Sequence[Start], words: Words) -> str:
    """What tells a ranking from the others."""
    outcome, config, part = start
    several = [len({each[place] for each in drawn}) > 1 for place in range(3)]
    name, _, at = config.partition(" at ")
    pairs = [each.split(" = ") for each in at.split(", ") if " = " in each]
    told = [" less ".join(words.value("config", each) for each in name.split(" less "))]
    told += [words.pair(key, key_of(held), unit=True) for key, held in pairs] or ([at] if at else [])
    told += [words.value("part", part)] if part and several[2] else []
    return ", ".join(filter(None, [*told, _outcome(outcome, words) if several[0] else ""]))


def _outcome(outcome: str, words: Words) -> str:
    column, _, at = outcome.partition("@")
    return f"{words.measure(column)} {words.when(at)}"
