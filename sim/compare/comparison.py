"""What a comparison found, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.compare.differences import Opening, Row
from sim.compare.effects import Best, Carrier, Effect
from sim.compare.push import ANSWERS, HELD
from sim.compare.reaching import ReachRow
from sim.compare.results import Result
from sim.errors import BadInput, nearest
from sim.results.figure import Drawing

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class PointRow:
    """A row of the table of measures at one design point, such as "controls.severity=0.5"."""

    point: str
    row: Row


@dataclass(repr=False)
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

    def __repr__(self) -> str:
        base, *others = (result.name for result in self.results)
        return f"<{', '.join(others)} against {base}: {len(self.rows)} rows, {len(self.sentences)} sentences>"

    def to_frame(self, table: str = "rows") -> pandas.DataFrame:
        """One of the tables, as `compare --out` writes them.

        They are "rows", "points", "reach", "effects", "openings", "carriers", "best" and "over_time".
        """
        import pandas

        from sim.compare.rendering import tables_of

        tables = tables_of(self)
        if table not in tables:
            raise BadInput(f"to_frame({table!r}): must be one of {', '.join(tables)}{nearest(table, tables)}")
        columns, rows = tables[table]
        return pandas.DataFrame(rows, columns=list(columns))

    def plot(self, measure: str = "") -> Drawing:
        """A measure of the first candidate over time, and its difference to the base, as a notebook shows it.

        It takes the first measure that is there over time, unless one is named. Raises BadInput where there is none.
        """
        from sim.compare.figures import fans

        named = {row.column: None for row in self.over_time}
        wanted = measure or next(iter(named), "")
        rows = [row for row in self.over_time if row.column == wanted and row.candidate == self.results[1].name]
        if not rows:
            there = f"measures over time are {', '.join(named)}" if named else "nothing is there over time"
            raise BadInput(f"plot({measure!r}): {there}{nearest(measure, named)}")
        return Drawing(fans(rows))

    @property
    def halves(self) -> dict[str, Comparison]:
        """This comparison, by what the push does in it: "answers" and "held", or "" where that is not told apart."""
        return {ANSWERS: self, HELD: self.held} if self.held else {"": self}

    def rows_of(self, candidate: Result) -> list[Row]:
        return [row for row in self.rows if row.candidate == candidate.name]
