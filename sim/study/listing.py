"""What there is: configs, experiments, parameters, measures, and what a world's tables hold."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sim.errors import BadInput, nearest
from sim.terminal import note
from sim.world.world import World

FEW = 8  # rows that are shown whole, one below the other
WIDTH = 100  # letters of a line of these
DATED = "historic"  # the config whose events are shown where none is named


@dataclass(frozen=True)
class Listing:
    """A table. `long` are the columns that a terminal shows of a few rows alone."""

    header: list[str]
    rows: list[list[Any]]
    long: tuple[str, ...] = ()

    def with_word(self, word: str, what: str) -> Listing:
        """The rows that have a word in one of their cells, in small letters or large. BadInput where none has."""
        found = [row for row in self.rows if any(word.lower() in _text(cell).lower() for cell in row)]
        if not found:
            names = [_text(row[0]) for row in self.rows]
            raise BadInput(
                f"list {what} {word}: none of {len(names)} has that in it{nearest(word, names)}; "
                f"decoupling list {what} shows all"
            )
        return Listing(self.header, found, self.long)

    def narrow(self) -> Listing:
        """Without its long columns."""
        kept = [place for place, name in enumerate(self.header) if name not in self.long]
        return Listing([self.header[place] for place in kept], [[row[place] for place in kept] for row in self.rows])

    def whole(self) -> str:
        """Every cell of every row, as lines that fit a terminal."""
        wide = max(map(len, self.header)) + 2
        blocks = []
        for row in self.rows:
            lines = []
            for name, cell in zip(self.header, row, strict=True):
                if text := _text(cell):
                    lines += textwrap.wrap(
                        text,
                        WIDTH,
                        initial_indent=f"{name:{wide}}",
                        subsequent_indent=" " * wide,
                        break_on_hyphens=False,
                    )
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks)


def listing(what: str, config: str | None) -> Listing:
    """What there is of a kind, in the world of a config. Raises BadInput for a kind that is not known."""
    kinds: dict[str, Callable[[], Listing]] = {
        "configs": _configs,
        "experiments": _experiments,
        "parameters": lambda: _parameters(_world_of(config)),
        "measures": lambda: _measures(_world_of(config)),
        "states": lambda: _states(_world_of(config)),
        "segments": lambda: _of_table(_world_of(config), "segments"),
        "inputs": lambda: _inputs(_world_of(config)),
        "firms": lambda: _firms(_world_of(config)),
        "suppliers": lambda: _suppliers(_world_of(config)),
        "events": lambda: _events(config or DATED),
    }
    if what not in kinds:
        raise BadInput(
            f"list {what}: there is nothing of that name{nearest(what, kinds)}; must be one of {', '.join(kinds)}"
        )
    return kinds[what]()


def _text(cell: Any) -> str:
    return "" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell)


def _world_of(config: str | None) -> World:
    """The world of a config, or of a config that names none."""
    from sim.scenario.loading import BASELINE, load_config

    return load_config(BASELINE if config is None else config).world


def _configs() -> Listing:
    from sim.scenario.loading import config_path, known_configs
    from sim.world.evidence import read_toml

    contents = [(name, read_toml(config_path(name))) for name in known_configs()]
    rows = [[name, held.get("extends", ""), held.get("purpose", "")] for name, held in contents]
    return Listing(["config", "extends", "purpose"], rows)


def _experiments() -> Listing:
    from sim.experiment.file import known_experiments

    rows: list[list[Any]] = []
    for name in known_experiments():
        try:
            rows.append([name, *_asked(name)])
        except BadInput as fault:  # a working folder may hold others
            for problem in fault.problems:
                note(problem)
    return Listing(["experiment", "runs", "question"], rows)


def _asked(name: str) -> tuple[int, str]:
    """How many runs an experiment, a calibration or a search has, and its question."""
    from sim.experiment.file import experiment_path, is_calibration, is_search, load_experiment
    from sim.study.calibration.file import load_calibration
    from sim.study.search.file import load_search
    from sim.world.evidence import read_toml

    path = experiment_path(name)
    content = read_toml(path)
    if is_calibration(content):
        calibration = load_calibration(path)
        return calibration.waves.samples * calibration.waves.seeds, calibration.question
    if is_search(content):
        search = load_search(path)
        return search.runs, search.experiment.question
    experiment = load_experiment(name)
    return experiment.run_count, experiment.question


def _parameters(world: World) -> Listing:
    header = ["key", "value", "unit", "minimum", "maximum", "low", "high", "choices", "role", "grade", "mechanism"]
    rows = [
        [
            p.name,
            p.value,
            p.unit,
            p.minimum,
            p.maximum,
            p.low,
            p.high,
            " ".join(p.choices or ()),
            p.role,
            p.grade,
            p.mechanism,
            p.meaning,
            p.source,
        ]
        for p in world.parameters.values()
    ]
    return Listing([*header, "meaning", "source"], rows, ("minimum", "maximum", "choices", "meaning", "source"))


def _measures(world: World) -> Listing:
    from sim.measures import HEADLINE, catalogue

    rows: list[list[Any]] = [
        [m.name, m.unit, m.kind, m.direction, "yes" if m.name in HEADLINE else "no", m.formula, m.meaning]
        for m in catalogue(world).values()
    ]
    header = ["measure", "unit", "kind", "better", "headline", "formula", "meaning"]
    return Listing(header, rows, ("kind", "headline", "formula"))


def _of_table(world: World, table: str, *columns: str) -> Listing:
    """Ids and names of a world's table, and some of its columns."""
    header = ["id", "name", *columns]
    return Listing(header, [[row[column] for column in header] for row in world.rows[table]])


def _states(world: World) -> Listing:
    return _of_table(world, "states", "role")


def _inputs(world: World) -> Listing:
    found = _of_table(world, "inputs", "kind", "controlled", "market")
    return Listing([*found.header[:-1], f"market, {world.units['inputs', 'market']['unit']}"], found.rows)


def _firms(world: World) -> Listing:
    """The lines of makers and designers by id, with the company whose name an event takes for all of its lines."""
    companies = {id: name for name, ids in world.companies.items() for id in ids}
    rows = [
        [
            *(row[name] for name in ("id", "name", "headquarters", "site", "segment", "output")),
            since,
            companies.get(row["id"]),
        ]
        for table, since in (("chip_firms", "2020"), ("entrants", "if it enters"))
        for row in world.rows[table]
    ]
    sales = f"sales, {world.units['chip_firms', 'output']['unit']}"
    return Listing(["id", "name", "headquarters", "site", "segment", sales, "there", "company"], rows)


def _suppliers(world: World) -> Listing:
    markets = {row["id"]: row["market"] for row in world.rows["inputs"]}
    rows = [
        [row["id"], row["name"], row["headquarters"], row["input"], row["share"], row["share"] * markets[row["input"]]]
        for row in world.rows["suppliers"]
    ]
    sales = f"sales, {world.units['inputs', 'market']['unit']}"
    return Listing(["id", "name", "headquarters", "input", "share", sales], rows)


def _events(config: str) -> Listing:
    """The dated events of a config."""
    from sim.scenario.loading import load_config

    scenario = load_config(config)
    if not scenario.events:
        raise BadInput(f"list events --config {config}: has no dated events; {DATED} has those up to 2026")
    header = ["date", "until", "kind", "by", "target", "scope", "severity", "low", "high", "reason"]
    tables = [event.as_table("json") for event in scenario.events]
    rows = [[_listed(table.get(name)) for name in header] for table in tables]
    return Listing(header, rows, ("reason",))


def _listed(held: Any) -> Any:
    return ", ".join(held) if isinstance(held, Sequence) and not isinstance(held, str) else held


def hints(shown: Listing, what: str) -> Iterator[str]:
    """What a table in the terminal leaves out, and how to see it."""
    if shown.long and len(shown.rows) > FEW:
        yield (
            f"Not shown: {', '.join(shown.long)}. decoupling list {what} WORD shows what has the word in it, few rows "
            "with all that is known; --format csv has everything."
        )
