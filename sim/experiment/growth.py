"""A batch grows: which points of its design a smaller one has too, so that their runs are not made again."""

from __future__ import annotations

from collections.abc import Sequence

from sim.experiment.designs import Part, Sample, total
from sim.experiment.kept import seeds_of
from sim.results.manifest import KeptExperiment

Drawn = tuple[int, str]  # how many points a part has, and of a sample the hash of them


def drawn(parts: Sequence[Part]) -> tuple[Drawn, ...]:
    """What tells the points of each part from those of a smaller design."""
    return tuple((total(part.points), _digest(part)) for part in parts)


def shared(earlier: Sequence[Drawn], parts: Sequence[Part]) -> int:
    """How many points, from the first on, are the same in an earlier design.

    Where a sample has grown, the points of the parts behind it have other numbers, and are not among them.
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
    return part.points.digest(count) if isinstance(part.points, Sample) else ""


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
        if not isinstance(sample := part.points, Sample):
            continue
        design = held.plans[part.name].design
        size = design.trajectories if sample.kind == "morris" else design.samples
        assert size is not None
        key = "trajectories" if sample.kind == "morris" else "samples"
        asked = f"{f'parts.{part.name}.' if part.name else ''}design.{key} = {sample.size}"
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


def _shortened(seeds: Sequence[int]) -> str:
    shown = ", ".join(map(str, seeds[:8]))
    return f"[{shown}, … {seeds[-1]}]" if len(seeds) > 8 else f"[{shown}]"


def _is_doubled(size: int, larger: int) -> bool:
    times = larger // size
    return times * size == larger and not times & (times - 1)
