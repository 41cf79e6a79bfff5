"""Observed series on the scales on which their errors are alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.arrays import Array, Flags, Indices
from sim.calendar import FIRST_YEAR
from sim.study.validation.groups import Group, group_of
from sim.study.validation.observations import Observation

FLOOR = 0.005  # added to a share before its odds are taken: half a percent more or less is not seen
PRINTED_ZERO = 0.005  # a share printed as 0, or of a state that is not listed, lies between 0 and this
SMALLEST = 1e-9  # of a flow, before its log is taken


def to_scale(values: Array | float, on: str) -> Array:
    """Values in the model's units on the scale of a group."""
    values = np.asarray(values, dtype=np.float64)
    if on == "log":
        return np.log(np.maximum(values, SMALLEST))
    if on == "log-odds":
        part = (np.clip(values, 0.0, 1.0) + FLOOR) / (1.0 + 2.0 * FLOOR)
        return np.log(part / (1.0 - part))
    return values


def from_scale(scaled: Array, on: str) -> Array:
    """Values in the model's units from the scale of a group."""
    if on == "log":
        return np.exp(scaled)
    if on == "log-odds":
        part = 1.0 / (1.0 + np.exp(-scaled))
        return np.clip(part * (1.0 + 2.0 * FLOOR) - FLOOR, 0.0, 1.0)
    return scaled


def error_on_scale(value: float, error: float, on: str) -> float:
    """A published error in units of the scale, by the scale's slope at the value."""
    if on == "log":
        return error / max(abs(value), SMALLEST)
    if on == "log-odds":
        part = (min(max(value, 0.0), 1.0) + FLOOR) / (1.0 + 2.0 * FLOOR)
        return error / ((1.0 + 2.0 * FLOOR) * part * (1.0 - part))
    return error


@dataclass(frozen=True)
class Series:
    """The yearly figures of one series from the base year on, in order of date, and where they stand in a list."""

    name: str
    group: Group
    figures: tuple[Observation, ...]
    places: Indices
    years: Array
    seen: Array  # on the scale
    errors: Array

    @classmethod
    def of(cls, group: Group, figures: Sequence[tuple[int, Observation]]) -> Series:
        """From figures with their places."""
        ordered = sorted(figures, key=lambda pair: pair[1].date)
        held = tuple(o for _, o in ordered)
        return cls(
            held[0].series,
            group,
            held,
            np.array([place for place, _ in ordered], dtype=np.int64),
            np.array([o.year for o in held], dtype=np.float64),
            to_scale(np.array([o.value for o in held]), group.on),
            np.array([error_on_scale(o.value, o.error, group.on) for o in held]),
        )

    def residuals(self, scaled: Array) -> Array:
        """Figure less model, from the model's values on the scale, (..., figures).

        A share that is printed as 0 is met by every value up to half a percent.
        """
        residuals = self.seen - scaled
        for place, o in enumerate(self.figures):
            if is_printed_zero(o, self.group):
                top = to_scale(PRINTED_ZERO, self.group.on)
                residuals[..., place] = np.minimum(top - scaled[..., place], 0.0)
        return residuals

    def some(self, chosen: Flags) -> Series:
        """The series with some of its figures, (figures,)."""
        held = tuple(o for o, kept in zip(self.figures, chosen, strict=True) if kept)
        return replace(
            self,
            figures=held,
            places=self.places[chosen],
            years=self.years[chosen],
            seen=self.seen[chosen],
            errors=self.errors[chosen],
        )


def is_printed_zero(observation: Observation, group: Group) -> bool:
    """Whether a share is known to lie between 0 and half a percent alone: given as 0, or as 0.25 ± 0.25 %."""
    middle = PRINTED_ZERO / 2
    whole = observation.value <= middle and observation.error >= middle
    return group.on == "log-odds" and (observation.value <= 0.0 or whole)


def series_of(observations: Sequence[Observation], groups: Iterable[Group]) -> list[Series]:
    """The series that have a group, each with its yearly figures from the base year on."""
    groups = list(groups)
    held: dict[str, list[tuple[int, Observation]]] = {}
    for place, o in enumerate(observations):
        if not o.is_quarter and o.year >= FIRST_YEAR and group_of(o.series, groups):
            held.setdefault(o.series, []).append((place, o))
    found = []
    for name, figures in held.items():
        group = group_of(name, groups)
        assert group is not None
        found.append(Series.of(group, figures))
    return found
