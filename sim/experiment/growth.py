"""A batch grows: which points of its design a smaller one has too, so that their runs are not made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from sim.experiment.designs import LeftOut, Part, Point, Sample, total
from sim.experiment.kept import seeds_of
from sim.results.manifest import KeptExperiment

Drawn = tuple[int, str]  # how many points a part has, and of a sample or a list the hash of them


def drawn(parts: Sequence[Part]) -> tuple[Drawn, ...]:
    """What tells the points of each part from those of a smaller design."""
    return tuple((total(part.points), _digest(part)) for part in parts)


def shared(earlier: Sequence[Drawn], parts: Sequence[Part]) -> int:
    """How many points, from the first on, are the same in an earlier design.

    Where a sample or a list has grown, the points of the parts behind it have other numbers, and are not among them.
    """
    count = 0
    for (points, digest), part in zip(earlier, parts, strict=True):
        if not 0 < points <= total(part.points) or digest != _digest(part, points):
            return count
        count += points
        if points < total(part.points):
            return count
    return count


def _digest(part: Part, count: int | None = None) -> str:
    """A short hash of the first `count` points of a sample or a list, or of all; other designs do not grow."""
    if isinstance(part.points, Sample):
        return part.points.digest(count)
    if isinstance(part.points, tuple):
        return hashlib.sha256(_as_text(part.points[:count]).encode()).hexdigest()[:16]
    return ""


def _as_text(points: Sequence[Point]) -> str:
    return json.dumps([dict(point) for point in points], sort_keys=True)  # as a manifest has them


def not_grown_from(held: KeptExperiment, seeds: Sequence[int], parts: Sequence[Part]) -> list[str]:
    """Why a batch does not go on from one of the same design but for its size; nothing if it does."""
    faults = []
    first = list(seeds_of(held))
    if first != list(seeds[: len(first)]):
        if isinstance(seeds, range) and not held.seeds:
            faults.append(f"replications = {len(seeds)}: the batch there has {len(first)}; give as many or more")
        else:
            has = f"the batch there has {_shortened(first)}; give these first, and more behind them"
            faults.append(f"seeds = {_shortened(seeds)}: {has}")
    for part in parts:
        design = held.plans[part.name].design
        if part.kind == "list":
            faults += _not_continued(design.points or [], part)
        if not isinstance(sample := part.points, Sample):
            continue
        size = design.trajectories if sample.kind == "morris" else design.samples
        assert size is not None
        key = "trajectories" if sample.kind == "morris" else "samples"
        asked = f"{_where(part)}design.{key} = {sample.size}"
        if size > sample.size:
            faults.append(f"{asked}: the batch there has {size}; give as many or more")
        elif sample.kind == "latin-hypercube" and not _is_doubled(size, sample.size):
            faults.append(
                f"{asked}: the batch there has {size}, and a Latin hypercube keeps its points only where it is "
                f"doubled; give {2 * size}, {4 * size} and so on"
            )
        elif held.drawn.get(part.name) != sample.digest(size * len(sample) // sample.size):
            faults.append(f"{asked}: this version of SALib or numpy draws other points than the batch there has")
    return faults


def _not_continued(held: Sequence[Point], part: Part) -> list[str]:
    """Why a list of points does not go on from another one; nothing if it does."""
    if isinstance(part.points, LeftOut):  # every switch that is left out gives new points other numbers
        begun, advice = part.points.points, "with leave_out they stay as they are"
    else:
        begun, advice = part.points[: len(held)], "give these first, and more behind them"
    if _as_text(begun) == _as_text(held):
        return []
    return [f"{_where(part)}design.points: are others than the {len(held)} of the batch there; {advice}"]


def _where(part: Part) -> str:
    return f"parts.{part.name}." if part.name else ""


def _shortened(seeds: Sequence[int]) -> str:
    shown = ", ".join(map(str, seeds[:8]))
    return f"[{shown}, … {seeds[-1]}]" if len(seeds) > 8 else f"[{shown}]"


def _is_doubled(size: int, larger: int) -> bool:
    times = larger // size
    return times * size == larger and not times & (times - 1)
