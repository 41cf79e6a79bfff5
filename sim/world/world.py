"""A world: its tables, the parameters that hold in it, and what it says about itself."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.calendar import FIRST_YEAR
from sim.errors import BadInput, nearest
from sim.folders import EVIDENCE, SHIPPED, WORLDS, find, known
from sim.world.evidence import Parameter, parameters_of, read_parameters, read_text, read_toml, toml_of
from sim.world.lumped import LUMPED, lumped_firms
from sim.world.synthetic import SYNTHETIC, synthetic_id, synthetic_options, synthetic_texts
from sim.world.tables import MAY_LACK, TABLES, WORDS, Tables

DEFAULT_WORLD = "china-2020"  # of a config that names none
BASELINE = "baseline.toml"
FILES = (*(f"{table}.csv" for table in TABLES), "columns.csv", BASELINE)
ABOUT, PUBLISHED = "about.toml", "observations.csv"  # beside the tables, where there are any; no result depends on them
EXPERTS = "experts"  # what a control can be on beside inputs and segments: nationals who may not help
STATED = {  # the parameters that every world states for itself, with their units
    "base.exchange_rate": "yuan per USD",
    "base.chip_market": "bn yuan a year",
    "base.domestic_supply_share": "0 to 1",
    "base.home_bias": "odds",
    "base.target_home_bias": "odds",
    "base.line_cost": "years of output",
    "base.target_capital": "scale",
}


EFFECT = "research.effect"  # of each input that has one in its table


class Goal(BaseModel):
    """The share of its use that the target wants to make by the end of a year, and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    share: float = Field(gt=0, le=1)
    year: int = Field(ge=FIRST_YEAR)
    source: str = Field(min_length=1)


class About(BaseModel):
    """What the race is over, in a word such as chips, and the target's goal, if it has named one.

    `words` are everyday words for an input, a segment, a kind of input or experts, for hints at what is meant; `trust`
    are sentences on how far results may be trusted. `spoken` is what pages say in passing for an input or a segment,
    where that is shorter than its name, and `stands_for` what a unit that nobody knows stands for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    goods: str = Field(default="goods", min_length=1)
    goal: Goal | None = None
    trust: list[str] = Field(default_factory=list)
    words: dict[str, list[str]] = Field(default_factory=dict)
    spoken: dict[str, str] = Field(default_factory=dict)
    stands_for: dict[str, str] = Field(default_factory=dict)


class World:
    """One world. `id` is how a config names it and what `load_world` takes; a pickled world is that.

    `rows[table]` is a list of dictionaries; quantities are floats or None. `texts` holds the text of each of `FILES`;
    `folder` is where they are, or the name of a world that is generated. `common` are the parameters of the evidence
    that hold in every world; `parameters` are these with the ones that this world states for itself.
    """

    def __init__(self, id: str, texts: Mapping[str, str], folder: Path, common: Mapping[str, Parameter]) -> None:
        problems: list[str] = []
        self.id = id
        self.texts = texts
        self.folder = folder
        self._tables = Tables(texts, folder, problems)
        self.rows, self.units = self._tables.rows, self._tables.units
        content = toml_of(texts[BASELINE], folder / BASELINE)
        common = {key: held for key, held in common.items() if held.table is None or self.rows[held.table]}
        about = self._about(problems)
        self.goods, self.goal, self._trust = about.goods, about.goal, about.trust
        self.words = {word: item for item, words in about.words.items() for word in words}
        self.stands_for = about.stands_for
        own = self._own_parameters(content, common, problems)
        if problems:
            raise BadInput(problems)
        said = {row["id"]: in_passing(row["name"]) for table in ("inputs", "segments") for row in self.rows[table]}
        self.spoken_words = said | about.spoken
        self._own = own
        self.parameters: Mapping[str, Parameter] = MappingProxyType({**common, **own, **self._effects()})

    def __reduce__(self) -> tuple[Any, ...]:
        return load_world, (self.id,)

    def __repr__(self) -> str:
        return f"<World {self.id}>"

    @property
    def name(self) -> str:
        """The name of its folder, or how it is made."""
        folder, _, ending = self.id.rpartition(":")
        return self.id if ending == LUMPED or folder == SYNTHETIC else Path(self.id).name

    # What it says about itself.

    def column(self, table: str, name: str) -> list[Any]:
        return self._tables.column(table, name)

    @cached_property
    def states(self) -> list[str]:
        return self.column("states", "id")

    @cached_property
    def segments(self) -> list[str]:
        return self.column("segments", "id")

    @cached_property
    def inputs(self) -> list[str]:
        return self.column("inputs", "id")

    @cached_property
    def kinds(self) -> dict[str, list[str]]:
        """The inputs of each kind: software, equipment, material."""
        kinds = self.column("inputs", "kind")
        return {
            kind: [row["id"] for row in self.rows["inputs"] if row["kind"] == kind] for kind in dict.fromkeys(kinds)
        }

    @cached_property
    def roles(self) -> dict[str, str]:
        """Each state's role: target, lead, ally or neutral."""
        return dict(zip(self.states, self.column("states", "role"), strict=True))

    @cached_property
    def target(self) -> str:
        """The state that the race is about."""
        return next(state for state, role in self.roles.items() if role == "target")

    @cached_property
    def lead(self) -> str:
        """The state that leads the controls."""
        return next(state for state, role in self.roles.items() if role == "lead")

    @cached_property
    def controllers(self) -> list[str]:
        """The lead controller and its allies."""
        return [state for state, role in self.roles.items() if role in ("lead", "ally")]

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of each state, segment, input, firm and supplier, by its id."""
        tables = ("suppliers", "entrants", "chip_firms", "inputs", "segments", "states")
        return {row["id"]: row["name"] for table in tables for row in self.rows[table]}

    def spoken(self, id: str) -> str:
        """What is said of an input, a segment, a firm or a supplier in passing, such as "mature logic"."""
        return self.spoken_words.get(id) or self.names.get(id) or id.replace("_", " ")

    @cached_property
    def designed(self) -> list[str]:
        """The segments whose makers are designers, with dies from the lines of another."""
        designers = self.column("designers", "id")
        own = {row["segment"] for row in self.rows["chip_firms"] if row["id"] in designers}
        return [segment for segment in self.segments if segment in own]

    @cached_property
    def published(self) -> list[dict[str, str]]:
        """The rows of its published figures; none where nothing was published."""
        path = self.folder / PUBLISHED
        return list(csv.DictReader(io.StringIO(read_text(path), newline=""))) if path.is_file() else []

    @cached_property
    def companies(self) -> dict[str, list[str]]:
        """The ids of the lines of each company that has several.

        A company goes by its name in small letters; a name under which makers of several states are summed up is none.
        """
        by_name: dict[str, list[dict[str, Any]]] = {}
        for line in (*self.rows["chip_firms"], *self.rows["entrants"]):
            by_name.setdefault(line["name"], []).append(line)
        return {
            re.sub(r"\W+", "-", name.lower()): [line["id"] for line in own]
            for name, own in by_name.items()
            if len(own) > 1 and len({line["headquarters"] for line in own}) == 1
        }

    @property
    def is_assumed(self) -> bool:
        """Whether no value of the tables was published or estimated: the world is an illustration."""
        return self._tables.grades() == {"assumed"}

    @property
    def trust(self) -> list[str]:
        """Sentences on how far to trust results, the first on what it rests on."""
        if self._trust or not self.is_assumed:
            return self._trust
        return ["Every value of this world is assumed: it shows how such a race works, and no result is a finding."]

    @cached_property
    def hash(self) -> str:
        """A hash of all that a run reads of the world, and no scenario says otherwise."""
        return hashlib.sha256(json.dumps(self.table_hashes).encode()).hexdigest()

    @cached_property
    def table_hashes(self) -> dict[str, str]:
        """A short hash of what runs read of each table, and of the neutral value that a switch gives a parameter.

        Names, sources, grades and ranges are not among it: a source that is worded anew changes no result.
        """
        read: dict[str, object] = {f"{table}.csv": self._tables.read_by_runs(table) for table in self._tables.names}
        read[BASELINE] = {key: held.value for key, held in self._own.items()}
        read["parameters"] = {key: (held.mechanism, held.neutral) for key, held in self.parameters.items()}
        return {name: hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16] for name, held in read.items()}

    # What it states for itself.

    def _about(self, problems: list[str]) -> About:
        path = self.folder / ABOUT
        try:
            made = toml_of(self.texts.get(ABOUT, ""), path)  # of a world that is generated
            about = About.model_validate(read_toml(path) if path.is_file() else made)
        except ValidationError as fault:
            for error in fault.errors():
                key = ".".join(map(str, error["loc"]))
                problems.append(
                    f'{path}: {key}: must be as in goods = "chips" and '
                    'goal = { share = 0.7, year = 2025, source = "who says so" }'
                )
            return About()
        known = [*self.column("inputs", "id"), *self.column("segments", "id"), *WORDS["inputs", "kind"], EXPERTS]
        named = [("words", item) for item in about.words] + [("spoken", item) for item in about.spoken]
        for table, item in named if not problems else ():  # else a row that is missing may be what is meant
            if item not in known:
                problems.append(
                    f"{path}: {table}.{item}: is not an input, a segment, a kind of input or {EXPERTS}"
                    f"{nearest(item, known)}"
                )
        return about

    def _own_parameters(
        self, content: Mapping[str, Any], common: Mapping[str, Parameter], problems: list[str]
    ) -> dict[str, Parameter]:
        """The base year, and what differs from the evidence."""
        path = self.folder / BASELINE
        own = parameters_of(content, path, problems)
        for name, parameter in own.items():
            if name in STATED:
                if parameter.unit != STATED[name]:
                    problems.append(f"{path}: {name}.unit = {parameter.unit!r}: must be {STATED[name]!r}")
            elif name not in common:
                problems.append(f"{path}: {name}: is not a known key{nearest(name, [*STATED, *common])}")
            else:
                for key in ("unit", "role", "mechanism", "choices", "table"):
                    if (given := getattr(parameter, key)) != (right := getattr(common[name], key)):
                        problems.append(
                            f"{path}: {name}.{key} = {given!r}: must be {right!r}, as in the common parameters"
                        )
        for name, unit in STATED.items():
            if name not in content:
                problems.append(f"{path}: {name} is missing; every world states it ({unit})")
        return own

    def _effects(self) -> dict[str, Parameter]:
        """A parameter for each input whose row says how easy or hard it is to catch up in."""
        unit = self.units.get(("inputs", "catch_up"), {})
        return {
            f"{EFFECT}.{row['id']}": Parameter(
                name=f"{EFFECT}.{row['id']}",
                meaning=f"Ease of catching up in {in_passing(row['name'])} beyond what is known of all inputs",
                value=row["catch_up"],
                unit=unit["unit"],
                minimum=unit["minimum"],
                maximum=unit["maximum"],
                low=float(row["catch_up_low"]),
                high=float(row["catch_up_high"]),
                role="uncertainty",
                grade=row["catch_up_grade"],
                source=row["catch_up_source"],
                mechanism="research",
                neutral=0.0,
            )
            for row in self.rows["inputs"]
            if row["catch_up"] is not None
        }


def in_passing(name: str) -> str:
    """A name as it stands within a sentence: with a small letter, unless it begins with an abbreviation."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def load_world(name: str) -> World:
    """A world by its name in `configs/worlds/`, by the path of its folder, or by how it is made.

    "synthetic:sectors=41,firms=1000,seed=1" is generated; "NAME:lumped" has the firms of NAME merged.
    """
    return _loaded(name, os.getcwd(), os.environ.get("DECOUPLING_HOME"))


@lru_cache(maxsize=16)
def _loaded(name: str, *_places: str | None) -> World:
    whole, _, ending = name.rpartition(":")
    if ending == LUMPED:
        world = _loaded(whole, *_places)
        merged = lumped_firms(world.texts["chip_firms.csv"], world.texts.get("designers.csv", ""))
        texts = {**world.texts, "chip_firms.csv": merged}
        return World(f"{world.id}:{LUMPED}", texts, world.folder, _common(_evidence()))
    if name.partition(":")[0] == SYNTHETIC:
        options = synthetic_options(name)
        return World(synthetic_id(**options), synthetic_texts(**options), Path(name), _common(_evidence()))
    folder = world_folder(name)
    lacking = [f"{table}.csv" for table in MAY_LACK if not (folder / f"{table}.csv").exists()]
    files = [file for file in FILES if file not in lacking]
    advice = f"; a world needs {', '.join(files)}"
    return World(name, {file: read_text(folder / file, advice) for file in files}, folder, _common(_evidence()))


def _evidence() -> Path:
    return find(EVIDENCE, "parameters.toml") or SHIPPED / EVIDENCE / "parameters.toml"


@lru_cache(maxsize=4)
def _common(evidence: Path) -> Mapping[str, Parameter]:
    """The parameters that hold in every world."""
    return MappingProxyType(read_parameters(evidence))


def world_folder(name: str) -> Path:
    path = Path(name)
    return path if path.is_dir() else find(WORLDS, name) or SHIPPED / WORLDS / name


def known_worlds() -> list[str]:
    return sorted({*known(WORLDS), SYNTHETIC})
