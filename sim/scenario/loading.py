"""A config's file becomes a scenario: the complete, sourced baseline with a sparse override, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.errors import BadInput, none_such, written
from sim.folders import CONFIGS, WORLDS, find, known, places
from sim.results.escape import FORMULA
from sim.scenario.events import Event, read_events
from sim.scenario.scenario import Scenario
from sim.scenario.values import TOP_LEVEL, WORLD_KEYS, check_values, split_given
from sim.world.evidence import Value, flatten, read_toml
from sim.world.lumped import LUMPED
from sim.world.synthetic import SYNTHETIC, check_options, synthetic_id
from sim.world.world import DEFAULT_WORLD, known_worlds, load_world, world_folder

BASELINE = "published-2020"  # the complete, sourced config that others differ from


def config_path(name: str | Path) -> Path:
    """A config by path or by its name in a `configs/`, the nearest first; BadInput if there is none."""
    path = Path(name)
    if path.suffix == ".toml" or (path.exists() and not path.is_dir()):
        return path
    named = find(CONFIGS, f"{name}.toml")
    if named is None:
        raise BadInput(f"{name}: {none_such('config', name, known_configs(), places(CONFIGS))}")
    return named


def known_configs() -> list[str]:
    return known(CONFIGS)


def load_config(name: str | Path, set: Mapping[str, object] | None = None) -> Scenario:
    """Read a config with all that it extends.

    `set` holds further changes by key, nested or dotted. Raises BadInput with every fault at once.
    """
    if not str(name).strip():
        raise BadInput(f"config = {str(name)!r}: must be a name in configs/ or a path")
    path = config_path(name)
    if not path.stem.isprintable() or path.stem.startswith(FORMULA):  # it stands in tables and in messages
        raise BadInput(
            f"{path}: a config's name must be printable and not begin with {' '.join(FORMULA)}; rename the file"
        )
    chain = _chain(path)
    changes = flatten(set or {}, "--set")
    world = load_world(
        _chosen_world([*((str(file), flatten(content, str(file))) for file, content in chain), ("--set", changes)])
    )
    problems: list[str] = []
    values: dict[str, Value] = {key: parameter.value for key, parameter in world.parameters.items()}
    observed: dict[str, float] = {}
    for file, content in chain:
        keys = {key: value for key, value in content.items() if key not in TOP_LEVEL}
        given, others = split_given(flatten(keys, str(file)), str(file), problems)
        observed.update(given)
        values.update(check_values(others, str(file), world, problems))
    keys = {key: value for key, value in changes.items() if key.partition(".")[0] not in WORLD_KEYS}
    given, others = split_given(keys, "--set", problems)
    observed.update(given)
    values.update(check_values(others, "--set", world, problems))
    events: list[Event] = []
    for file, content in chain:
        entries = content.get("event", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            problems.append(f"{file}: event: must be tables written [[event]]")
            continue
        events += read_events(entries, f"{file}: event", world, problems)
    purpose = chain[-1][1].get("purpose")
    if not isinstance(purpose, str) or not purpose.strip():
        problems.append(f"{path}: purpose is missing; say in a sentence what the config is for")
    if problems:
        raise BadInput(problems)
    events.sort(key=lambda event: event.date)
    return Scenario(
        path.stem,
        str(purpose),
        world,
        values,
        tuple(events),
        str(path),
        dict(sorted(observed.items())),
    )


def _chosen_world(given: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """The world that the flat contents choose together, the later before the earlier, as `load_world` takes it."""
    chosen: dict[str, tuple[Any, str]] = {}
    for where, content in given:
        for key, value in content.items():
            if key.partition(".")[0] in WORLD_KEYS:
                chosen[key] = (value, where)
    name, where = chosen.pop("world", (DEFAULT_WORLD, ""))
    if not isinstance(name, str):
        raise BadInput(f"{where}: world = {written(name)}: must be the name of a folder in configs/worlds")
    is_named = Path(name).name not in ("", "..")  # a world is called as its folder is
    if name not in known_worlds() and not (is_named and world_folder(name).is_dir()):
        raise BadInput(f"{where}: world = {name!r}: {none_such('world', name, known_worlds(), places(WORLDS))}")
    merged, where = chosen.pop(LUMPED, (False, ""))
    problems: list[str] = []
    if not isinstance(merged, bool):
        problems.append(f"{where}: {LUMPED} = {written(merged)}: must be true or false")
    if name == SYNTHETIC:
        options = check_options(chosen, problems)
    else:
        problems += [
            f'{where}: {key}: belongs to world = "{SYNTHETIC}"; the world is {name!r}'
            for key, (_, where) in chosen.items()
        ]
    if problems:
        raise BadInput(problems)
    if name == SYNTHETIC:
        name = synthetic_id(**options)
    return f"{name}:{LUMPED}" if merged else name


def _chain(path: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The config and what it extends, the most basic first."""
    chain: list[tuple[Path, dict[str, Any]]] = []
    seen: list[Path] = []
    following: Path | None = path
    while following is not None:
        if following.resolve() in seen:
            raise BadInput(f"{chain[-1][0]}: extends = {following.stem!r}: the config extends itself; name another one")
        seen.append(following.resolve())
        content = read_toml(following)
        chain.append((following, content))
        base = content.get("extends")
        if base is None:
            break
        if not isinstance(base, str):
            raise BadInput(f"{following}: extends = {base!r}: must be the name of a config")
        sibling = following.parent / f"{base}.toml"
        named = sibling if sibling.exists() else Path(base) if Path(base).is_file() else find(CONFIGS, f"{base}.toml")
        if named is None:
            none = none_such("config", base, known_configs(), places(CONFIGS))
            raise BadInput(f"{following}: extends = {base!r}: {none}")
        following = named
    return chain[::-1]
