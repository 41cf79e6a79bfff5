"""Parameter sets that stand for what is not known: the table `ensemble.csv` of a world."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sim.errors import BadInput, nearest
from sim.scenario.values import CAUSED
from sim.world.evidence import Parameter, Value, value_of
from sim.world.world import World

ENSEMBLE = "ensemble.csv"


@dataclass(frozen=True)
class Ensemble:
    """Parameter sets that stand for what is not known: values by key for each set, sets counting from 1."""

    sets: Mapping[int, Mapping[str, Value]] = field(repr=False)
    hash: str

    def without(self, swept: Collection[str]) -> Ensemble:
        """The same sets without the keys that are varied besides."""
        kept = {number: {k: v for k, v in values.items() if k not in swept} for number, values in self.sets.items()}
        return Ensemble(kept, self.hash)

    def some(self, count: int) -> Ensemble:
        """So many of the sets, spread evenly over the table."""
        chosen = set(evenly(list(self.sets))[:count])
        return Ensemble({number: values for number, values in self.sets.items() if number in chosen}, self.hash)


def evenly(numbers: Sequence[int]) -> list[int]:
    """The numbers of sets in an order of which every beginning is spread evenly over the table (van der Corput 1935).

    The table is in the order of the waves of the fit, of which the first ones reach further: its first sets alone are
    not like all of them.
    """
    bits = (len(numbers) - 1).bit_length()
    order = sorted(range(len(numbers)), key=lambda place: int(f"{place:0{bits}b}"[::-1], 2))
    return [numbers[place] for place in order]


def read_ensemble(world: World, swept: set[str], path: Path, problems: list[str]) -> Ensemble | None:
    """The parameter sets of a world for the experiment at `path`; None, with sentences, where there are none.

    The table has a column `parameter_set` counting from 1, then one column for each parameter, by its key. What is
    varied besides must not be among them, but for the part of the push that controls cause: the sets were matched with
    the dated controls in force, under which it changes next to nothing, as the record is what they deny.
    """
    table = world.folder / ENSEMBLE
    try:
        content = table.read_bytes()
        rows = list(csv.reader(content.decode("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError):
        problems.append(
            f'{path}: parameters = "ensemble": needs {table}, which is missing or no text; '
            "without `parameters` every config runs with its own"
        )
        return None
    faults: list[str] = []
    header, declared = (rows[0] if rows else []), world.parameters
    keys = header[1:]
    if header[:1] != ["parameter_set"] or not keys or len(rows) < 2:
        faults.append(f"{table}: must have a column parameter_set, a column for each parameter, and at least one set")
        keys = []
    for key in keys:
        if key not in declared:
            faults.append(f"{table}: column {key!r}: is not a known key{nearest(key, declared)}")
        elif key in swept and key != CAUSED:
            problems.append(f"{path}: factors.{key}: is set by the ensemble; leave it out of the factors")
        if keys.count(key) > 1:
            faults.append(f"{table}: column {key!r}: appears twice; keep one")
    for number, row in enumerate(rows[1:] if not faults else [], start=1):
        if len(row) != len(header) or row[0] != str(number):
            faults.append(f"{table}: line {number + 1}: must have {len(header)} cells and parameter_set {number}")
    lines = rows[1:] if not faults else []
    columns = {
        key: _column(declared[key], [line[place] for line in lines], table, faults)
        for place, key in enumerate(keys, start=1)
        if lines and key not in swept
    }
    problems += dict.fromkeys(faults)
    sets = {number: {key: held[number - 1] for key, held in columns.items()} for number in range(1, len(lines) + 1)}
    return Ensemble(sets, hashlib.sha256(content).hexdigest())


def _column(parameter: Parameter, cells: Sequence[str], table: Path, faults: list[str]) -> Sequence[Value]:
    """The values of a parameter's column, and a sentence for each that it does not take."""
    try:
        numbers = [*map(float, cells)] if parameter.is_number else []
    except ValueError:
        numbers = []
    if numbers and _takes_all(parameter, numbers):
        return numbers
    values = [value_of(cell, parameter.value) for cell in cells]
    for number, value in enumerate(values, start=2):
        if fault := parameter.check(value):
            faults.append(f"{table}: line {number}: {parameter.name} = {value!r}: {fault}")
    return values


def _takes_all(parameter: Parameter, numbers: Sequence[float]) -> bool:
    """Whether the least and the most are in its range, and so all; of years each has to be whole besides."""
    ends = (min(numbers), max(numbers))
    return parameter.unit != "year" and math.isfinite(sum(numbers)) and not any(map(parameter.check, ends))


def parameter_sets(world: World, given: Collection[str] = ()) -> Mapping[int, Mapping[str, Value]]:
    """The parameter sets of a world by number from 1, without what is `given` besides; none where there are none.

    Raises BadInput for a table that cannot be used.
    """
    table = world.folder / ENSEMBLE
    if not table.is_file():
        return {}
    problems: list[str] = []
    ensemble = read_ensemble(world, set(given), table, problems)
    if ensemble is None or problems:
        raise BadInput(problems)
    return ensemble.sets


def parameter_set(world: World, number: int, given: Collection[str]) -> Mapping[str, Value]:
    """The values of one set of a world's ensemble; of number 0, a config's own parameters, none.

    `given` are the keys that are set besides, which must not be among them, as in an experiment. Raises BadInput.
    """
    asked = f"--parameter-set = {number}"
    if not number:
        return {}
    sets = parameter_sets(world, {CAUSED} & set(given))
    if not sets:
        raise BadInput(f"{asked}: the world {world.id} has no parameter sets; leave it out for the config's own")
    if number not in sets:
        raise BadInput(f"{asked}: must be from 1 to {len(sets)}, or 0 for the config's own parameters")
    drawn = sets[number]
    if twice := [key for key in given if key in drawn]:
        raise BadInput([f"--set {key}: is set by {asked}; leave out one of the two" for key in twice])
    return drawn
