"""The design of an experiment that was run, from what the manifest of its result keeps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sim.errors import BadInput
from sim.experiment.designs import SAMPLED, Factor, Grid, Part, Point, Sample, one_at_a_time
from sim.results.shapes import SHAPES

if TYPE_CHECKING:
    from sim.results.manifest import Held, KeptExperiment, KeptPlan, KeptRange


def parts_of(experiment: KeptExperiment, where: str) -> list[Part]:
    """The parts with their points, as they were when the batch was run; `where` begins a message.

    Raises BadInput where this version of a library draws another sample.
    """
    parts = planned(experiment)
    for part in parts:
        drawn = experiment.drawn.get(part.name)
        if drawn and isinstance(part.points, Sample) and drawn != part.points.digest():
            raise BadInput(
                f"{where}: this version of SALib or scipy draws other points than the batch had; run the batch again"
            )
    return parts


def planned(experiment: KeptExperiment) -> list[Part]:
    """The parts as this version of the libraries draws them."""
    parts = (part_of(name, plan, experiment.since) for name, plan in experiment.plans.items())
    return [part.leaving_out(experiment.leave_out) for part in parts]


def seeds_of(experiment: KeptExperiment) -> Sequence[int]:
    """The seeds of every point and parameter set."""
    return experiment.seeds or range(1, experiment.replications + 1)


def part_of(name: str, plan: KeptPlan, since: Mapping[str, int]) -> Part:
    """One part with its points; the inverse of `read_part`. `since` has the dates of all parts."""
    dates = {key: year for key, year in since.items() if key in plan.swept}
    return Part(name, plan.design.kind, tuple(plan.swept), _points(plan), dates)


def _points(plan: KeptPlan) -> Sequence[Point]:
    design = plan.design
    if design.kind == "list":
        return tuple(design.points or ())
    factors = {key: _factor(plan.factors[key]) for key in plan.swept}
    if design.kind in SAMPLED:
        size = design.trajectories if design.kind == "morris" else design.samples
        assert size is not None and design.seed is not None
        return Sample(design.kind, factors, size, design.seed, design.levels or 4)
    levels = {key: factor.levels for key, factor in factors.items()}
    return one_at_a_time(levels) if design.kind == "one-at-a-time" else Grid(levels)


def _factor(written: list[Held] | KeptRange) -> Factor:
    if isinstance(written, list):
        return Factor(tuple(written))
    names = SHAPES[written.distribution] if written.distribution else ()
    shape = tuple((name, getattr(written, name)) for name in names)
    return Factor(low=written.low, high=written.high, distribution=written.distribution or "uniform", shape=shape)
