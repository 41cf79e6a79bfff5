"""Groups of observed series whose errors are alike, and the table of them that ships with a world."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sim.errors import BadInput
from sim.study.validation.observations import Observation
from sim.world.world import World

if TYPE_CHECKING:
    from sim.study.validation.error_model import Scales

ERRORS = "errors.csv"  # of a world: its groups with their scales, as estimated by a calibration
BETWEEN = "; "  # series in a cell of it
COLUMNS = ["group", "series", "on", "intercept", "innovation", "figure", "freedom"]
GROUP_COLUMNS = [*COLUMNS, "intercept_05", "intercept_95", "innovation_05", "innovation_95", "series_left_out"]


@dataclass(frozen=True)
class Group:
    """Series that share the scales of their errors; all are standard deviations on the group's scale.

    on: "log", "log-odds", or "level" for a figure of no group.
    intercept: of a series that has not been seen. innovation: of the random walk in a year.
    figure: of a published figure that is not yet seen: a part of the value, or for shares a part of one.
    freedom: degrees of Student's t that intercept, walk and published error have together; infinite for normal.
    """

    name: str
    series: tuple[str, ...]  # names, or patterns such as "equipment_spending.*"
    on: str
    intercept: float
    innovation: float
    figure: float
    freedom: float = float("inf")


def group_of(series: str, groups: Iterable[Group]) -> Group | None:
    """The first group that names a series."""
    for group in groups:
        if any(fnmatchcase(series, pattern) for pattern in group.series):
            return group
    return None


def without_group(observation: Observation) -> Group:
    """For a figure of no group: the published error alone, on the figure's own scale."""
    return Group("no group", (), "level", 0.0, 0.0, observation.error)


def group_rows(scales: Sequence[Scales]) -> list[list[object]]:
    """Rows of the table of groups: the estimates, their 5 and 95 %, and how many series they rest on."""
    rows: list[list[object]] = []
    for one in scales:
        group = one.group()
        rows.append(
            [
                *(group.name, BETWEEN.join(group.series), group.on, group.intercept, group.innovation, group.figure),
                *(group.freedom, *one.quantiles(one.intercepts), *one.quantiles(one.innovations), len(one.by_series)),
            ]
        )
    return rows


def world_groups(world: World) -> list[Group]:
    """The groups that ship with a world, with their estimated scales; none if it has no table."""
    path = world.folder / ERRORS
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                Group(
                    row["group"],
                    tuple(row["series"].split(BETWEEN)),
                    row["on"],
                    *(float(row[name]) for name in ("intercept", "innovation", "figure", "freedom")),
                )
                for row in csv.DictReader(file)
            ]
    except (KeyError, ValueError, csv.Error) as fault:
        raise BadInput(
            f"{path}: cannot be read ({fault}); it must be as study calibrate writes it, with {','.join(COLUMNS)}"
        ) from None
