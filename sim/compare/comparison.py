"""What a comparison found, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.compare.differences import Opening, Row
from sim.compare.effects import Best, Carrier, Effect
from sim.compare.push import ANSWERS, HELD
from sim.compare.reaching import ReachRow
from sim.compare.results import Result


@dataclass(frozen=True)
class PointRow:
    """A row of the table of measures at one design point, such as "controls.severity=0.5"."""

    point: str
    row: Row


@dataclass
class Comparison:
    """The answer, in the order in which it is told; `lost` says which measures one result has and another has not.

    Where controls are compared with the push of the target held and with it answering, this is the comparison with
    the push answering, `held` the same with the push held, and `answers` what the one is more than the other;
    `of_controls` are the candidates whose controls differ from the base's.
    """

    results: list[Result]
    agreement: list[str] = field(default_factory=list)
    parameters: list[list[str]] = field(default_factory=list)
    coverage: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    points: list[PointRow] = field(default_factory=list)
    reach: list[ReachRow] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    carriers: list[Carrier] = field(default_factory=list)
    best: list[Best] = field(default_factory=list)
    over_time: list[Row] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    held: Comparison | None = None
    answers: list[Row] = field(default_factory=list)
    of_controls: list[str] = field(default_factory=list)

    @property
    def halves(self) -> dict[str, Comparison]:
        """This comparison, by what the push does in it: "answers" and "held", or "" where that is not told apart."""
        return {ANSWERS: self, HELD: self.held} if self.held else {"": self}

    def rows_of(self, candidate: Result) -> list[Row]:
        return [row for row in self.rows if row.candidate == candidate.name]
