"""What is stored of a batch: blocks in the folder of the unfinished batch, and the files of a finished one.

The parent alone stores: each block as one file that appears whole or not at all, in a folder named by the
experiment's hash inside the result folder. To continue, it lists what is stored and fills the gaps, so neither the
size of blocks nor the number of workers nor the moments of interruption leave a trace: at the end it joins the runs
in their order.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import BaseModel

from sim.batch.blocks import Block, read_header
from sim.batch.identity import column_notes, differences, identity_hash, run_identity, without_words
from sim.calendar import LAST_YEAR
from sim.errors import BadInput
from sim.experiment.experiment import Experiment
from sim.experiment.growth import Drawn, drawn, not_grown_from, shared
from sim.experiment.kept import parts_of
from sim.results import records
from sim.results.files import keep_folder, write_aside
from sim.results.manifest import (
    MANIFEST,
    KeptExperiment,
    Manifest,
    OtherVersion,
    manifest_in,
    prediction_hash,
    read_manifest,
)
from sim.results.output import RESULT_FILES, UNFINISHED, unfinished
from sim.results.reading import altered

IDENTITY = "identity.json"
ADVICE = "--fresh starts over and keeps the old one under another name"
FILES_OPEN = 64

PLACE = np.dtype(
    [
        ("row_file", "i4"),
        ("row", "i8"),
        ("row_size", "i4"),
        ("series_file", "i4"),
        ("series", "i8"),
        ("series_size", "i4"),
    ]
)


class Store:
    """The finished runs of a batch on disk, and where each of them is.

    Within a config, run `number` (`Experiment.run`) has its place at `places[config][number]`; file 0 means that it
    has not been run.
    """

    def __init__(
        self, experiment: Experiment, out: Path, identity: Mapping[str, Any], kinds: Mapping[str, str]
    ) -> None:
        self.experiment = experiment
        self.out = out
        self.kinds = kinds
        self.identity = identity
        self.hash = identity_hash(identity)
        self.folder = out / f"{UNFINISHED}{self.hash}"
        self.files: list[Path] = [out]  # number 0 means none
        self.failures: dict[str, str] = {}
        self.places = {scenario.name: np.zeros(experiment.runs_of_config, PLACE) for scenario in experiment.scenarios}
        self.numbers = {scenario.name: place for place, scenario in enumerate(experiment.scenarios, start=1)}
        self.points = drawn(experiment.parts)
        self.same = {self.points: experiment.points.total}  # how many points, from the first on, a design shares

    def open(self) -> list[str]:
        """Find what is there already; returns a sentence about each file that cannot be used."""
        notes: list[str] = []
        if self.folder.is_symlink():
            raise BadInput(
                f"{self.folder}: is a symbolic link, which is not followed; remove it, or give another --out"
            )
        self._end_interrupted_join()
        self._find_finished(notes)
        self._find_blocks(notes)
        return notes

    @property
    def is_open(self) -> bool:
        """Whether blocks wait to be joined."""
        return (self.folder / IDENTITY).exists()

    @property
    def done(self) -> int:
        return sum(int(np.count_nonzero(places["row_file"])) for places in self.places.values())

    def missing(self, size: int) -> list[tuple[str, int, int]]:
        """What is yet to be run: (config, first, end) of up to `size` runs, the lowest seeds of all configs first."""

        def pieces(config: str) -> Iterator[tuple[int, int, int]]:
            gaps = np.flatnonzero(self.places[config]["row_file"] == 0)
            for gap in np.split(gaps, np.flatnonzero(np.diff(gaps) != 1) + 1):
                for start in range(0, len(gap), size):
                    piece = gap[start : start + size]
                    yield int(piece[0]), self.numbers[config], int(piece[-1]) + 1

        names = {number: config for config, number in self.numbers.items()}
        return [(names[number], first, end) for first, number, end in heapq.merge(*map(pieces, self.numbers))]

    def block(self, config: str, first: int, end: int) -> Block:
        """The block of a config's runs from number `first` to before `end`."""
        scenario = self.experiment.scenarios[self.numbers[config] - 1]
        experiment = self.experiment
        runs = tuple(experiment.run(scenario, number) for number in range(first, end))
        sets = experiment.ensemble.sets if experiment.ensemble else {}
        return Block(
            scenario,
            runs,
            first + 1,
            end,
            experiment.every,
            self.kinds,
            LAST_YEAR,
            self.hash,
            self.points,
            experiment.stop,
            {run.parameter_set: sets[run.parameter_set] for run in runs if run.parameter_set},
            experiment.since,
        )

    def keep(self, block: Block, content: bytes) -> None:
        """Store a finished block and note its runs' places."""
        points = self.experiment.points.total  # numbers of a design that has grown since may be the same
        path = self.folder / f"{self.numbers[block.scenario.name]}-{points}-{block.first:07d}-{block.last:07d}.block"
        write_aside(path, [content])
        self._note_block(path, content)

    def start(self) -> None:
        """Make the folder for the blocks, with the identity of their batch."""
        self.folder.mkdir(exist_ok=True)
        mark = {"identity": {**self.identity, "experiment": self.experiment.as_dict()}}
        write_aside(self.folder / IDENTITY, [json.dumps(mark, sort_keys=True, indent=1).encode()])

    def _note_block(self, path: Path, content: bytes) -> bool:
        """Note the places of a block's runs; False if it is damaged or not a block of this batch."""
        if (read := read_header(content)) is None:
            return False
        header, offset = read
        places = self.places.get(header.config)
        if header.identity != self.hash or places is None or len(header.points) != len(self.points):
            return False
        experiment, points = self.experiment, sum(count for count, _ in header.points)
        same = self._shared(tuple(header.points))
        if not same or experiment.renumbered(header.last - 1, points) >= len(places):
            return False
        pairs = points * len(experiment.parameter_sets)
        if header.seeds != list(experiment.seeds[(header.first - 1) // pairs : (header.last - 1) // pairs + 1]):
            return False
        file, scenario = self._file(path), experiment.scenarios[self.numbers[header.config] - 1]
        for number, (row, series) in enumerate(header.sizes, start=header.first - 1):
            if number % points < same:
                now = experiment.renumbered(number, points)
                places[now] = (file, offset, row, file, offset + row, series)
                if header.failures:
                    self._note_failure(experiment.run(scenario, now).run_id, header.failures)
            offset += row + series
        return True

    def _shared(self, earlier: tuple[Drawn, ...]) -> int:
        if earlier not in self.same:
            self.same[earlier] = shared(earlier, self.experiment.parts)
        return self.same[earlier]

    def _note_failure(self, run_id: str, failures: Mapping[str, str]) -> None:
        if run_id in failures:
            self.failures[run_id] = failures[run_id]

    def _file(self, path: Path) -> int:
        self.files.append(path)
        return len(self.files) - 1

    def _find_blocks(self, notes: list[str]) -> None:
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.iterdir()):
            if path.name in (IDENTITY, *RESULT_FILES):
                continue
            if path.is_symlink() or not path.is_file() or path.suffix not in (".aside", ".block"):
                notes.append(f"{path}: is not a block of this batch; it is neither read nor removed")
            elif path.suffix == ".aside":
                path.unlink()
            elif not self._note_block(path, path.read_bytes()):
                notes.append(f"{path}: is damaged or of another batch; its runs are done again")
                path.unlink()

    def _end_interrupted_join(self) -> None:
        """If the result was complete when the end came, only moving it into place is left."""
        manifest = manifest_in(self.folder)
        if manifest is None:
            return
        places = {name: self.folder if _is_there(self.folder / name) else self.out for name in manifest.files}
        if any(altered(places[name] / name, facts) for name, facts in manifest.files.items()):
            (self.folder / MANIFEST).unlink()  # the blocks are still there, and are joined again
        else:
            self._publish()

    def _publish(self) -> None:
        for name in RESULT_FILES:  # the manifest last: with it the result is finished
            if _is_there(self.folder / name):
                os.replace(self.folder / name, self.out / name)
        keep_folder(self.out)
        for path in self.folder.iterdir():
            if path.suffix == ".block" and path.is_file() and not path.is_symlink():
                path.unlink()
        (self.folder / IDENTITY).unlink(missing_ok=True)  # without it the folder is not an unfinished batch
        with contextlib.suppress(OSError):  # foreign files stay
            self.folder.rmdir()

    def _find_finished(self, notes: list[str]) -> None:
        """Note the places of a finished result's runs, for a batch that is extended or run again."""
        manifest = manifest_in(self.out)
        if manifest is None or manifest.experiment is None:
            return
        for name in (records.RUNS, records.SERIES):
            known = manifest.files.get(name)
            if reason := altered(self.out / name, known) if known else f"is not named in {MANIFEST}":
                notes.append(f"{self.out / name}: {reason}; its runs are done again")
                return
        parts = tuple(parts_of(manifest.experiment, str(self.out)))
        earlier = replace(self.experiment, seeds=manifest.seeds, parts=parts)
        points, same = earlier.points.total, self._shared(drawn(parts))
        row_file, series_file = (self._file(self.out / name) for name in (records.RUNS, records.SERIES))
        with (self.out / records.RUNS).open("rb") as rows, (self.out / records.SERIES).open("rb") as series:
            row_offset, series_offset = len(rows.readline()), len(series.readline())
            following = series.readline()
            for scenario, number in itertools.product(earlier.scenarios, earlier.order()):
                run = earlier.run(scenario, number)
                row = rows.readline()
                start = (records.cell(run.run_id) + ",").encode()
                size = 0
                while following.startswith(start):
                    size += len(following)
                    following = series.readline()
                if number % points < same:
                    now = self.experiment.renumbered(number, points)
                    self.places[run.config][now] = (row_file, row_offset, len(row), series_file, series_offset, size)
                    self._note_failure(run.run_id, manifest.failures)
                row_offset += len(row)
                series_offset += size

    def join(self, info: Mapping[str, Any]) -> None:
        """Write the result from what is stored, put it into place, and remove the blocks."""
        kinds, experiment = self.kinds, self.experiment
        for name, columns in (
            (records.SERIES, records.series_columns(experiment.key_columns, list(kinds))),
            (records.RUNS, records.runs_columns(experiment.key_columns, kinds)),
        ):
            write_aside(self.folder / name, self._texts(name, columns))
        sets = experiment.ensemble.sets if experiment.ensemble else {}
        manifest = Manifest.model_validate(
            {
                **run_identity(experiment.scenarios, LAST_YEAR, experiment.every, list(kinds)),
                **words_of(experiment, manifest_in(self.out)),
                "seeds": list(experiment.seeds),
                "parameter_sets": {str(number): dict(values) for number, values in sets.items()},
                "columns": column_notes(experiment.key_columns, kinds, experiment.scenarios[0].world, experiment.since),
                "failures": self.failures,
                "files": {name: _file_facts(self.folder / name) for name in (records.RUNS, records.SERIES)},
                "run_info": info,
            }
        )
        write_aside(self.folder / MANIFEST, [manifest.text()])
        self._publish()

    def _texts(self, name: str, columns: Sequence[str]) -> Iterator[bytes]:
        """The lines of one of the two tables, in order."""
        yield records.line(columns).encode()
        part = "row" if name == records.RUNS else "series"

        opened: dict[int, BinaryIO] = {}
        try:
            for scenario in self.experiment.scenarios:
                places = self.places[scenario.name]
                for place in (places[number] for number in self.experiment.order()):
                    number = int(place[f"{part}_file"])
                    if number not in opened:
                        if len(opened) == FILES_OPEN:
                            opened.pop(next(iter(opened))).close()
                        opened[number] = self.files[number].open("rb")
                    opened[number].seek(int(place[part]))
                    yield opened[number].read(int(place[f"{part}_size"]))
        finally:
            for file in opened.values():
                file.close()


def _is_there(path: Path) -> bool:
    """Whether there is a file, no link to one."""
    return path.is_file() and not path.is_symlink()


def _file_facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def words_of(experiment: Experiment, earlier: Manifest | None) -> dict[str, Any]:
    """What was asked and predicted, as the manifest keeps it; the runs do not depend on all of it.

    What was predicted before the runs is known from the `earlier` manifest of the same batch, if there is one.
    """
    content = experiment.as_dict()
    foretold = earlier.foretold if earlier else prediction_hash(content.get("prediction"), experiment.claims)
    words = {
        "labels": dict(experiment.labels),
        "answer": experiment.answer.model_dump(mode="json", exclude_defaults=True) if experiment.answer else {},
        "foretold": foretold,
    }
    return {
        "experiment": content,
        "claims": [claim.model_dump(exclude_defaults=True) for claim in experiment.claims],
        **{key: held for key, held in words.items() if held},
    }


class _Mark(BaseModel):
    """What the folder of an unfinished batch says of itself."""

    identity: dict[str, Any]


def _mark_of(folder: Path) -> tuple[Mapping[str, Any], KeptExperiment] | None:
    """The identity and the experiment of an unfinished batch; None where they cannot be read."""
    if not _is_there(folder / IDENTITY):
        return None
    try:
        mark = _Mark.model_validate_json((folder / IDENTITY).read_bytes())
        return without_words(mark.identity), KeptExperiment.model_validate(mark.identity["experiment"])
    except (OSError, ValueError, KeyError, AttributeError):
        return None


def _manifest_in(out: Path, advice: str) -> Manifest | None:
    """The manifest of a folder, if there is one; BadInput where another version wrote it."""
    try:
        return read_manifest(out)
    except OtherVersion as fault:
        raise BadInput(f"{fault}; {advice}") from None
    except BadInput:
        return None


def refuse_changes(out: Path, identity: Mapping[str, Any], experiment: Experiment) -> None:
    """BadInput if the folder holds another batch than this one, or one that this one does not go on from."""
    for earlier in refuse_another(out, identity):
        if faults := not_grown_from(earlier, experiment.seeds, experiment.parts):
            raise BadInput([f"{out}: {fault}, or {ADVICE}" for fault in faults])


def refuse_another(out: Path, identity: Mapping[str, Any]) -> list[KeptExperiment]:
    """What the folder holds of this batch, finished or not, of whatever size; BadInput if it holds another one."""
    held: list[tuple[Mapping[str, Any], KeptExperiment | None]] = []
    if manifest := _manifest_in(out, ADVICE):
        kept = manifest.as_dict()
        asked = {**{key: kept.get(key) for key in identity}, "experiment": kept["experiment"] or {}}
        held.append((without_words(asked), manifest.experiment))
    for folder in unfinished(out):
        if mark := _mark_of(folder):
            held.append(mark)
        elif folder.name != f"{UNFINISHED}{identity_hash(identity)}":
            held.append(({}, None))
    for other, _ in held:
        changes = list(itertools.islice(differences(other, identity), 12)) if other else ["it cannot be read"]
        if changes:
            raise BadInput(
                [
                    f"{out}: holds another batch, and a changed one is not continued; {ADVICE}",
                    *(f"{out}: {change}" for change in changes),
                ]
            )
    return [earlier for _, earlier in held if earlier]
