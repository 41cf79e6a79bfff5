"""What a name, a file or a folder is, and whether it is sound."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import BadInput, nearest
from sim.folders import CONFIGS, EXPERIMENTS, WORLDS, find, known
from sim.terminal import note
from sim.world.evidence import read_toml
from sim.world.world import known_worlds, load_world

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario


class Kind(StrEnum):
    config = "config"
    experiment = "experiment"
    calibration = "calibration"
    search = "search"
    world = "world"
    result = "result"


def what_is(name: str) -> tuple[Kind, Path]:
    """What a name stands for: an existing path, else a config, an experiment or a world; BadInput for anything else."""
    path = Path(name)
    if path.is_dir():
        return _kind_of_folder(path), path
    if path.suffix or path.exists():
        return _kind_of_file(path), path
    for kind, file in ((CONFIGS, f"{name}.toml"), (EXPERIMENTS, f"{name}.toml"), (WORLDS, name)):
        if named := find(kind, file):
            return Kind.world if kind == WORLDS else _kind_of_file(named), named
    raise BadInput(
        f"{name}: there is no such file, config, experiment or world"
        f"{nearest(name, [*known(CONFIGS), *known(EXPERIMENTS), *known_worlds()])}"
    )


def _kind_of_folder(path: Path) -> Kind:
    from sim.results.output import is_result

    return Kind.result if is_result(path) else Kind.world


def _kind_of_file(path: Path) -> Kind:
    content = read_toml(path)
    if not {"question", "configs", "waves", "search"} & content.keys():
        return Kind.config
    from sim.experiment.file import is_calibration, is_search

    return Kind.calibration if is_calibration(content) else Kind.search if is_search(content) else Kind.experiment


def checked(name: str) -> str:
    """Check one file or folder by what it is, and say what it was found to be. BadInput with every fault at once."""
    if not name:
        raise BadInput("check = '': must be a config, an experiment or a world's folder")
    kind, path = what_is(name)
    if kind is Kind.result:
        raise BadInput(f"{name}: is a result folder; check takes a config, an experiment or a world's folder")
    return {
        Kind.config: _checked_config,
        Kind.experiment: _checked_experiment,
        Kind.calibration: _checked_calibration,
        Kind.search: _checked_search,
        Kind.world: _checked_world,
    }[kind](path)


def _checked_world(folder: Path) -> str:
    from sim.scenario.loading import load_config

    load_world(str(folder))
    _try_base_year(load_config("published-2020", {"world": str(folder.resolve())}), folder)
    return "a world without faults"


def _checked_config(path: Path) -> str:
    from sim.scenario.idle import idle
    from sim.scenario.loading import load_config

    scenario = load_config(path)
    _try_base_year(scenario, path)
    for text in idle(scenario):
        note(text)
    return "a config without faults"


def _try_base_year(scenario: Scenario, where: Path) -> None:
    from sim.start.keys import has_known_base_year

    if has_known_base_year(scenario):
        return
    from sim.start.base_year import try_base_year  # takes seconds to import

    try:
        try_base_year([scenario])
    except BadInput as fault:
        raise BadInput([f"{where}: {text}" for text in fault.problems]) from None


def _checked_calibration(path: Path) -> str:
    from sim.study.calibration.file import load_calibration

    return f"a calibration without faults, {len(load_calibration(path).keys)} parameters"


def _checked_search(path: Path) -> str:
    from sim.experiment.base_years import refuse_without_base_year
    from sim.experiment.idle import idle_in
    from sim.study.search.file import load_search

    search = load_search(path)
    refuse_without_base_year(search.experiment, str(path))
    for text in idle_in(search.experiment):
        note(text)
    return f"a search without faults, {search.cost}"


def _checked_experiment(path: Path) -> str:
    from sim.experiment.base_years import refuse_without_base_year
    from sim.experiment.cost import long_or_large
    from sim.experiment.file import load_experiment
    from sim.experiment.idle import idle_in

    experiment = load_experiment(path)
    refuse_without_base_year(experiment, str(path))
    for text in idle_in(experiment):
        note(text)
    takes = long_or_large(experiment)
    return f"an experiment without faults, {experiment.run_count} runs{f', {takes}' if takes else ''}"


def denied(names: Sequence[str]) -> tuple[list[str], list[list[object]], str]:
    """What each dated event of some configs denies: header, rows, and what the figures are."""
    found = {name: what_is(name) for name in names}
    others = {name: kind for name, (kind, _) in found.items() if kind is not Kind.config}
    if others:
        raise BadInput([f"{name}: is of kind {kind}; --effect takes configs" for name, kind in others.items()])
    from sim.scenario.loading import load_config
    from sim.study.effect import HEADER, WORDS, effects

    return HEADER, [row for _, path in found.values() for row in effects(load_config(path))], WORDS


def shown(name: str, whole: bool) -> bytes:
    """The file of a config or experiment as it is; with `whole`, a config with all that it extends."""
    kind, path = what_is(name)
    if kind is Kind.world:
        raise BadInput(f"{name}: is a world, a folder of tables, which --out FOLDER, without --resolved, copies")
    if kind is Kind.result:
        raise BadInput(f"{name}: is a result folder; show takes a config, an experiment or a world")
    if not whole:
        return path.read_bytes()
    if kind is not Kind.config:
        raise BadInput(
            f"{name}: --resolved: belongs to a config; a file of kind {kind} extends nothing, so leave it out"
        )
    from sim.scenario.loading import load_config
    from sim.scenario.resolved import resolved

    return resolved(load_config(path)).encode()


def copied(name: str, whole: bool, out: Path) -> None:
    """Put what `shown` gives into a file, or the tables of a world into a folder; it appears whole or not at all.

    Raises BadInput where `out` is there already.
    """
    from sim.results.files import write_aside, writing

    kind, path = what_is(name)
    text = None if kind is Kind.world and not whole else shown(name, whole)
    if os.path.lexists(out):
        raise BadInput(f"--out = {str(out)!r}: is there already and might hold your changes; give another name")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            _copy_folder(path, out)
        else:
            write_aside(out, [text])


def _copy_folder(path: Path, out: Path) -> None:
    aside = out.with_name(f"{out.name}.{os.getpid()}.aside")
    try:
        shutil.copytree(path, aside, copy_function=shutil.copyfile)  # an installed program's files may be read only
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
