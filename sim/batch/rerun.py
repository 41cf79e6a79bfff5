"""One row of a result again, with what was not recorded: the same bits where both record the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.batch.blocks import Model
from sim.errors import BadInput, nearest
from sim.experiment.conditions import Condition, read_condition
from sim.experiment.designs import Joined, Point
from sim.experiment.experiment import Run
from sim.experiment.kept import planned
from sim.measures import catalogue, measure_names
from sim.results.manifest import KeptExperiment
from sim.results.reading import ResultFolder
from sim.results.records import KEYS, read_rows
from sim.scenario.held import holding
from sim.scenario.scenario import Scenario
from sim.world.evidence import value_of


@dataclass(frozen=True)
class Row:
    """A row of a result: the run and all that it was made of, and its cells as they stand in `runs.csv`.

    The scenario has the values of the parameter set (`drawn`) and of the swept keys; `until` is the last year, unless
    the run stops before.
    """

    result: ResultFolder
    run: Run
    scenario: Scenario
    drawn: Point
    until: int
    stop: Condition | None
    cells: Mapping[str, str]

    @property
    def changes(self) -> list[str]:
        """Sentences on what may give other bits than the result has: another program or world, and a failed run."""
        failed = self.result.manifest.failures.get(self.run.run_id)
        world = self.scenario.world
        said = (
            self.result.other_program,
            self.result.other_world(world.id, world.hash),
            f"{self.result.path}: run {self.run.run_id} failed there: {failed}" if failed else "",
        )
        return list(filter(None, said))

    def measures(self, asked: Sequence[str]) -> list[str]:
        """The measures that "all", "headline" or names mean, and the one that stops the run. Raises BadInput."""
        known = catalogue(self.scenario.world)
        names: dict[str, None] = {}
        for word in asked:
            if word not in (*known, "all", "headline"):
                raise BadInput(
                    f"--record = {word!r}: is no measure{nearest(word, known)}; give all, headline or a name, "
                    "which `decoupling list measures` shows"
                )
            names |= dict.fromkeys([word] if word in known else measure_names(word, self.scenario.world))
        return list(names | ({self.stop.name: None} if self.stop else {}))

    def run_to_end(self, model: Model) -> None:
        """Step a model of this run to its last year, which is the first that meets the stop rule."""
        quarters = 0
        while model.running:
            model.step()
            quarters += 1
            if self.stop and quarters % 4 == 0:
                _, yearly = model.recorder.values("year")
                if self.stop.met(yearly[:, -1, model.recorder.names.index(self.stop.name)])[0]:
                    return

    def agreement(self, again: Mapping[str, str]) -> tuple[bool, str]:
        """Whether the outcomes that both have are the same in the row that was made again, and a sentence on it."""
        there = f"{self.result.path} has"
        if self.cells["status"] != again["status"]:
            return True, f"{there} no outcomes of run {self.run.run_id}, which failed"
        both = [name for name in again if "@" in name and name in self.cells]
        other = [name for name in both if again[name] != self.cells[name]]
        if not other:
            return True, f"All {len(both)} outcomes that {there} too are the same to the last bit"
        name = other[0]
        shown = f"{name} is {again[name] or 'empty'} and was {self.cells[name] or 'empty'}"
        return False, f"{len(other)} of {len(both)} outcomes that {there} too are others: {shown}"


def row_of(result: ResultFolder, run_id: str) -> Row:
    """A row of a result by its run's id. Raises BadInput, also where its config does not fit this version."""
    manifest = result.manifest
    cells = _cells(result.runs, run_id)
    where = f"{result.runs}: run {run_id}"
    try:
        kept = manifest.scenarios[cells["config"]]
        point = int(run_id.rsplit("-", 3)[1])
        parameter_set, seed = int(cells["parameter_set"]), int(cells["seed"])
        drawn = manifest.parameter_sets[str(parameter_set)] if parameter_set else {}
        cells["status"]
    except (KeyError, ValueError, IndexError):
        raise BadInput(f"{where}: has keys that the manifest does not know; run it again") from None
    scenario = Scenario.from_dict(kept.model_dump(), str(result.path))
    columns = list(cells)
    swept = [name for name in columns[: columns.index("status")] if name not in (*KEYS, "part")]
    declared = scenario.world.parameters
    try:
        values = {key: value_of(cells[key], declared[key].value if key in declared else "") for key in swept}
        changes, since = _changed(values, point, manifest.experiment)
        scenario = holding(scenario.with_values(drawn), changes, since)
    except IndexError:
        raise BadInput(f"{where}: is of a point that the manifest does not know; run it again") from None
    except BadInput as fault:
        raise BadInput([f"{where}: {problem.removeprefix('--set: ')}" for problem in fault.problems]) from None
    stop = manifest.experiment.stop if manifest.experiment else None
    return Row(
        result,
        Run(scenario.name, point, {}, parameter_set, seed),
        scenario,
        drawn,
        manifest.horizon.last,
        read_condition(stop.when, f"{result.path}: stop.when", manifest.record.measures) if stop else None,
        cells,
    )


def _changed(values: Point, point: int, asked: KeptExperiment | None) -> tuple[Point, Mapping[str, int]]:
    """What of a row's values its point gave, and the dates of these; a dated lever that it left out is the config's."""
    if asked is None or not asked.since:
        return values, {}
    given = Joined(planned(asked))[point - 1]
    return {key: value for key, value in values.items() if key in given or key not in asked.since}, asked.since


def _cells(table: Path, run_id: str) -> dict[str, str]:
    known = []
    for row in read_rows(table):
        if row.get("run_id") == run_id:
            return row
        known.append(row.get("run_id", ""))
    shown = f"run ids are such as {known[0]}" if known else "it has none"
    raise BadInput(f"{table}: has no run {run_id!r}{nearest(run_id, known)}; {shown}")
