"""The manifest of a result: what it was made of and by what, enough to compare and report it wherever it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import from_json

from sim.errors import BadInput
from sim.results.claims import Claim, Kept
from sim.results.shapes import SHAPES

SCHEMA_VERSION = 3
MANIFEST = "manifest.json"
FILE_NAME = r"^[^/\\\x00]+$"  # an experiment's name becomes those of its answer's files

Held = bool | int | float | str  # a parameter's value


class OtherVersion(BadInput):
    """A manifest that another version of the program wrote; `of_batch` says whether it is that of a batch."""

    def __init__(self, problem: str, of_batch: bool) -> None:
        super().__init__(problem)
        self.of_batch = of_batch


class KeptRange(Kept):
    """A factor's ends; between them all is equally likely, unless a distribution is named."""

    low: float
    high: float
    distribution: Literal["triangular", "normal", "lognormal"] | None = None
    mode: float | None = None
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    sigma: float | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> KeptRange:
        needs = SHAPES[self.distribution] if self.distribution else ()
        if lacking := [key for key in needs if getattr(self, key) is None]:
            raise ValueError(f"a {self.distribution} distribution needs {', '.join(lacking)}")
        return self


DESIGN_NEEDS = {
    "grid": (),
    "one-at-a-time": (),
    "list": ("points",),
    "latin-hypercube": ("samples", "seed"),
    "sobol": ("samples", "seed"),
    "morris": ("trajectories", "levels", "seed"),
}


class KeptDesign(Kept):
    kind: str
    points: list[dict[str, Held]] | None = None
    samples: int | None = None
    trajectories: int | None = None
    levels: int | None = None
    seed: int | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> KeptDesign:
        if self.kind not in DESIGN_NEEDS:
            raise ValueError(f"kind must be one of {', '.join(DESIGN_NEEDS)}")
        if lacking := [key for key in DESIGN_NEEDS[self.kind] if getattr(self, key) is None]:
            raise ValueError(f"a {self.kind} design needs {', '.join(lacking)}")
        return self


class KeptPlan(Kept):
    """The design of one part: `swept` are the keys in the order in which they move, the last one fastest."""

    design: KeptDesign
    factors: dict[str, list[Held] | KeptRange]
    swept: list[str]

    @model_validator(mode="after")
    def _is_whole(self) -> KeptPlan:
        if self.design.kind != "list" and (lacking := [key for key in self.swept if key not in self.factors]):
            raise ValueError(f"swept names {', '.join(lacking)}, which is not among the factors")
        return self


class KeptRecord(Kept):
    """What is asked to be recorded: at the end of each quarter or year or of the run, and which measures."""

    every: Literal["quarter", "year", "end"]
    measures: str | list[str]
    agents: list[str] = Field(default_factory=list)


class Recorded(KeptRecord):
    """What was recorded; the measures by their names."""

    measures: list[str]


class KeptStop(Kept):
    when: str


class KeptSets(Kept):
    """How many parameter sets there are, and the hash of their table."""

    ensemble: int
    hash: str


class KeptSearch(Kept):
    """What a search looked for: sentences as its file has them, and the space that its points were chosen from."""

    objectives: list[str] = Field(min_length=2)
    constraints: list[str] = Field(default_factory=list)
    robust: float | str
    factors: dict[str, list[Held] | KeptRange]
    population: int
    generations: int
    seed: int


class KeptExperiment(Kept):
    """What was asked. An experiment without parts has the three keys of a plan itself.

    The swept levers in `since` take their values at the beginning of that year, all other keys at the start.
    """

    name: str = Field(pattern=FILE_NAME)
    question: str
    prediction: str | None = None
    configs: list[str] = Field(min_length=1)
    baseline: str | None = None
    replications: int
    seeds: list[int] | None = None
    design: KeptDesign | None = None
    factors: dict[str, list[Held] | KeptRange] | None = None
    swept: list[str] | None = None
    parts: dict[str, KeptPlan] | None = None
    order: list[str] = Field(default_factory=list)
    since: dict[str, int] = Field(default_factory=dict)
    record: KeptRecord
    leave_out: list[str] = Field(default_factory=list)
    targets: list[str] = Field(default_factory=list)
    stop: KeptStop | None = None
    parameters: KeptSets | None = None
    search: KeptSearch | None = None
    drawn: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_plan(self) -> KeptExperiment:
        if self.parts is None and (self.design is None or self.factors is None or self.swept is None):
            raise ValueError("it needs design, factors and swept, or parts")
        if self.parts is not None and sorted(self.order) != sorted(self.parts):
            raise ValueError("order must name every part once")
        return self

    @property
    def plans(self) -> dict[str, KeptPlan]:
        """Every part's plan by its name, in order; the name is empty where there are no parts."""
        if self.parts is not None:
            return {name: self.parts[name] for name in self.order}
        assert self.design is not None and self.factors is not None and self.swept is not None
        return {"": KeptPlan(design=self.design, factors=self.factors, swept=self.swept)}


class KeptScenario(Kept):
    """A config as it was run; `world` is a key of the manifest's worlds."""

    name: str
    purpose: str
    world: str
    values: dict[str, Held]
    events: list[dict[str, Any]]
    given: dict[str, float]
    hash: str


class KeptGoal(Kept):
    """The share of its use that the target wants to make by the end of a year, and who says so."""

    share: float
    year: int
    source: str


class KeptWorld(Kept):
    """What a world says about itself: ids in the order of its tables, and a hash of what runs read of each."""

    name: str
    hash: str
    assumed: bool
    goods: str
    goal: KeptGoal | None
    states: list[str]
    roles: dict[str, str]
    segments: list[str]
    inputs: list[str]
    names: dict[str, str]
    tables: dict[str, str]

    @property
    def target_name(self) -> str:
        """The name of the state that wants to make its own."""
        return next((self.names[state] for state, role in self.roles.items() if role == "target"), "the target")

    @property
    def controllers(self) -> list[str]:
        """The lead controller and its allies."""
        return [state for state in self.states if self.roles.get(state) in ("lead", "ally")]


class Horizon(Kept):
    """The first and the last year."""

    first: int
    last: int


class Column(Kept):
    """A column of the two tables. Measures have a kind and a direction; an empty word is unknown."""

    unit: str
    meaning: str
    formula: str = ""
    kind: str = ""
    direction: str = ""


class FileFacts(Kept):
    bytes: int
    sha256: str


class Manifest(Kept):
    """A manifest. `experiment` is None for one run; no result depends on claims, labels and the words of an answer.

    `foretold` is a hash of what was predicted when the runs began.
    """

    schema_version: Literal[3]
    experiment: KeptExperiment | None
    claims: list[Claim] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    answer: dict[str, Any] = Field(default_factory=dict)
    foretold: str = ""
    scenarios: dict[str, KeptScenario] = Field(min_length=1)
    worlds: dict[str, KeptWorld] = Field(min_length=1)
    horizon: Horizon
    record: Recorded
    seeds: list[int] = Field(min_length=1)
    parameter_sets: dict[str, dict[str, Held]] = Field(default_factory=dict)
    columns: dict[str, Column]
    failures: dict[str, str]
    files: dict[Literal["runs.csv", "series.csv"], FileFacts]
    program_hash: str
    program: dict[str, str]
    dependencies: dict[str, str]
    arithmetic: str
    run_info: dict[str, Any]

    @model_validator(mode="after")
    def _knows_its_worlds(self) -> Manifest:
        if unknown := {scenario.world for scenario in self.scenarios.values()} - self.worlds.keys():
            raise ValueError(f"the worlds {', '.join(sorted(unknown))} of its scenarios are not there")
        if self.experiment and self.experiment.configs != sorted(self.scenarios):
            raise ValueError("the configs of its experiment are not its scenarios")
        return self

    @property
    def world(self) -> KeptWorld:
        """The world of the first config; those of one result have the same states, segments and inputs."""
        return self.worlds[self.scenarios[min(self.scenarios)].world]

    @property
    def is_foretold(self) -> bool:
        """Whether its prediction and claims are those of when the runs began."""
        said = self.experiment.prediction if self.experiment else None
        return self.foretold in ("", prediction_hash(said, self.claims))

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)

    def text(self) -> bytes:
        """As it is written: its content with a digest of it."""
        content = self.as_dict()
        content["digest"] = digest_of(content)
        return f"{json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()


def prediction_hash(prediction: str | None, claims: Sequence[Claim]) -> str:
    """A hash of what is predicted."""
    said = [prediction or "", [claim.model_dump(exclude_defaults=True) for claim in claims]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def digest_of(content: Mapping[str, Any]) -> str:
    """A hash of what a manifest says, but for `run_info`, which differs from one equal run to the next."""
    said = {key: held for key, held in content.items() if key not in ("digest", "run_info")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: str | Path) -> Manifest:
    """The manifest of a result folder. Raises BadInput; OtherVersion where another version wrote it."""
    path = Path(folder) / MANIFEST
    if path.is_symlink():
        raise BadInput(f"{path}: is a symbolic link, which is not followed; copy the file itself there")
    if path.exists() and not path.is_file():
        raise BadInput(f"{path}: cannot be read (it is no file); give the folder of a finished result")
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file; give the folder of a finished result") from None
    except OSError as fault:
        raise BadInput(f"{path}: cannot be read ({fault.strerror})") from None
    advice = "it is damaged, or no manifest; run the experiment again"
    try:
        content = from_json(text)
    except ValueError as fault:
        raise BadInput(f"{path}: Invalid JSON: {fault}: {advice}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: must be an object: {advice}")
    digest = content.pop("digest", None)
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as fault:
        _refuse_other_version(path, content)
        raise BadInput(f"{path}: {_first_fault(fault)}: {advice}") from None
    if digest != digest_of(content):
        raise BadInput(f"{path}: was altered: its digest is not that of what it says; run the experiment again")
    return manifest


def manifest_in(folder: Path) -> Manifest | None:
    """The manifest of a folder, or None where there is none that can be used."""
    try:
        return read_manifest(folder)
    except BadInput:
        return None


def _refuse_other_version(path: Path, content: Any) -> None:
    class Versioned(BaseModel):
        schema_version: int
        experiment: Mapping[str, Any] | None

    try:
        header = Versioned.model_validate(content)
    except ValidationError:
        return
    if header.schema_version != SCHEMA_VERSION:
        which = "an older" if header.schema_version < SCHEMA_VERSION else "a newer"
        raise OtherVersion(
            f"{path}: schema_version = {header.schema_version}: {which} version of the program wrote it, and this one "
            f"reads {SCHEMA_VERSION}; run the experiment again with this one",
            header.experiment is not None,
        )


def _first_fault(fault: ValidationError) -> str:
    """The first fault, such as "seeds.0 = 'one': must be a valid integer"."""
    error = fault.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, error["loc"]))
    reason = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if error["type"] == "missing":
        return f"{place} is missing"
    if not place or error["type"] == "value_error":
        return f"{place}: {reason}" if place else reason
    value = repr(error["input"])
    return f"{place} = {value if len(value) <= 60 else value[:56] + ' …'}: {reason[:1].lower()}{reason[1:]}"
