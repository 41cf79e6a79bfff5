"""What a control leaves: from a severity to the part of each seller's base sales that is denied, and what is met still.

A control reaches what lies above a technical threshold: the severity on an input counts by the segment that the
line is for (`control_exposure`), on chips by `chip_exposure`. A control that names lines reaches all of its inputs for
lines of these segments, and nothing for others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import ClassVar

import numpy as np

from sim.arrays import Array, Indices
from sim.engine.groups import at
from sim.engine.parameters import Parameters
from sim.engine.runs import ByRun


@dataclass(frozen=True)
class Severity(ByRun):
    """Part denied by each state: (runs, states, columns).

    `above_threshold` and `of_everything` have a column for each input and segment, and for experts. `for_lines` has
    one for each of `lines`, the pairs of an input and a segment that some event names: none for most configs.
    """

    above_threshold: Array
    of_everything: Array
    for_lines: Array
    lines: tuple[tuple[int, int], ...] = ()

    @classmethod
    def nothing(cls, runs: int, states: int, items: int) -> Severity:
        """No state denies anything."""
        zeros = np.zeros((runs, states, items))
        return cls(zeros, zeros, zeros[..., :0])

    @property
    def parts(self) -> tuple[Array, Array, Array]:
        """What lies above thresholds, everything, and what is for some lines."""
        return self.above_threshold, self.of_everything, self.for_lines

    def unless_like(self, other: Severity) -> Severity:
        """The other one where they are equal, so that who depends on it sees that nothing is new."""
        return other if all(map(np.array_equal, self.parts, other.parts)) else self

    def of_first(self, states: int) -> Severity:
        """Of these states alone."""
        if self.above_threshold.shape[1] == states:
            return self
        return self.with_parts([part[:, :states] for part in self.parts])

    def with_parts(self, parts: Sequence[Array]) -> Severity:
        """The same lines with other `parts`."""
        above, everything, for_lines = parts
        return Severity(above, everything, for_lines, self.lines)

    @cached_property
    def harshest(self) -> Array:
        """Each state's harshest control of any item, (runs, states)."""
        listed = np.maximum(self.above_threshold.max(axis=-1), self.of_everything.max(axis=-1))
        return np.maximum(listed, self.for_lines.max(axis=-1, initial=0.0))

    @cached_property
    def on_experts(self) -> Array:
        """The part of its nationals' help that each state forbids, (runs, states)."""
        harsher: Array = np.maximum(self.above_threshold[..., -1], self.of_everything[..., -1])
        return harsher


def at_items(severities: Array, states: Indices, items: Indices) -> Array:
    """The severity that each seller's state puts on its item: (runs, states, items) to (runs, sellers)."""
    flat = severities.reshape(len(severities), -1)
    taken: Array = at(flat, states * severities.shape[-1] + items)
    return taken


@dataclass(frozen=True)
class Denial(ByRun):
    """The part of each seller's base sales that is denied, above a technical threshold and below it.

    `above` and `below` are the sellers', (runs, …, sellers). `reach` is what part of that hits a buyer, and `exposure`
    what part of its purchases lies above; both broadcast against buyers and sellers.
    """

    SAME: ClassVar[tuple[str, ...]] = ("exposure",)

    above: Array
    below: Array
    reach: Array
    exposure: Array

    @cached_property
    def of_sales(self) -> Array:
        return self.reach * (self.exposure * self.above + (1.0 - self.exposure) * self.below)


@dataclass(frozen=True)
class Alike:
    """Groups of buyers that choose alike and are denied alike: what is the same for several is reckoned once."""

    buyer: Indices  # (alike,) their kind
    row: Indices  # (alike,) which row of a denial is theirs
    place: Indices  # (groups,) where among these each group is

    @classmethod
    @cache
    def of(cls, buyers: tuple[int, ...], rows: tuple[int, ...]) -> Alike:
        """Of the kind and the row of each group."""
        pairs, place = np.unique([buyers, rows], axis=1, return_inverse=True)
        return cls(pairs[0], pairs[1], place.ravel())

    def by_group(self, values: Array) -> Array:
        """What each group has of what is by row, (runs, rows, …) to (runs, groups, …)."""
        return values.take(self.row[self.place], axis=1)


@dataclass(frozen=True)
class GroupDenial(Denial):
    """The same for groups of buyers, of which several share a row of `above` and `below`, (runs, rows, sellers)."""

    SAME: ClassVar[tuple[str, ...]] = ("exposure", "alike")

    alike: Alike

    @cached_property
    def of_sales(self) -> Array:
        """By group, (runs, groups, sellers)."""
        above, below = map(self.alike.by_group, (self.above, self.below))
        return Denial(above, below, self.reach, self.exposure).of_sales


def decided(
    parameters: Parameters,
    severity: Severity,
    states: Indices,
    items: Indices,
    licence: Array | None,
) -> tuple[Array, Array]:
    """What a severity denies of each seller's sales above thresholds and below them, (runs, sellers).

    `states` and `items` are the sellers'; `licence` (runs, sellers) is the year's draw, None for what it is expected
    to be.
    """
    everything = by_licence(parameters, at_items(severity.of_everything, states, items), licence)
    above = by_licence(parameters, at_items(severity.above_threshold, states, items), licence)
    return np.maximum(above, everything), everything


def by_licence(parameters: Parameters, expected: Array, licence: Array | None) -> Array:
    """What is denied in the end of what a severity makes expect: the year's licences, and over-compliance."""
    if not expected.any():
        return expected  # licensing and over-compliance add nothing to nothing
    spread = parameters["controls.licence_spread"]
    part = expected if licence is None else licensed(expected, licence, spread)
    return over_complied(part, parameters["controls.over_compliance"])


def by_lever(parameters: Parameters, denied: Array) -> Array:
    """What is denied by a lever of its own, (runs, 1).

    Nothing where there are no controls; where `controls.severity` scales what is dated it scales that too.
    """
    p = parameters
    dated = np.where(p.is_set("controls.mode", "events"), p["controls.severity"], 1.0)
    return denied * np.where(p.is_set("controls.mode", "none"), 0.0, dated)


def part_met(denial: Denial, exposure: Array, backfill: Array, lost: Callable[[Array], Array]) -> Array:
    """What part of buyers' needs is met, (runs, …, markets).

    `lost` tells, of a part denied of sellers' sales, what part of its needs each buyer would have bought of it. What
    lies above a threshold cannot be replaced by what lies below: each is back-filled by itself.
    """

    def met(denied: Array) -> Array | float:
        if not denied.any():
            return 1.0  # exactly what the formula gives, in blocks with denials too
        return supplied(1.0 - denial.reach * lost(denied), backfill)

    return exposure * met(denial.above) + (1.0 - exposure) * met(denial.below)


def over_complied(denied: Array, over_compliance: Array) -> Array:
    """Suppliers give up a part of the sales that remain permitted as well, the more the stricter the control.

    Without controls nothing is given up; with a full denial nothing remains to be.
    """
    return 1.0 - (1.0 - denied) * (1.0 - over_compliance * denied)


def licensed(expected: Array, draw: Array, spread: Array) -> Array:
    """The part denied by a year's licence decisions: uniform around what is expected, sure at 0 and at 1."""
    return expected + spread * expected * (1.0 - expected) * (2.0 * draw - 1.0)


def supplied(permitted: Array, backfill: Array | float) -> Array:
    """What part of a need is met when only `permitted` of its base supply still may come.

    Those who may still sell replace a part of the rest, the more the larger they are: with p permitted and d = 1 - p
    denied, p + d (1 - exp(-m p / d)). So a control by one state leaks and one by all bites.
    """
    denied = np.maximum(1.0 - permitted, 1e-12)
    met: Array = np.minimum(1.0, permitted + denied * -np.expm1(-backfill * permitted / denied))
    return met
