"""The pages of docs/reference/ that repeat the code. `python -m sim.description.reference` writes them again."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from typer.core import TyperGroup
from typer.main import get_group
from typer.models import ArgumentInfo

from sim.cli import app
from sim.description.document import document
from sim.description.odd import table
from sim.experiment import answer, factors
from sim.experiment import file as experiment
from sim.folders import EVIDENCE, SHIPPED, find
from sim.results.claims import Claim
from sim.results.manifest import Manifest
from sim.results.shapes import SHAPES
from sim.scenario import events, values
from sim.scenario.loading import BASELINE, load_config
from sim.study.calibration import file as calibration
from sim.study.search import file as search
from sim.world.evidence import Parameter, range_of, read_parameters
from sim.world.synthetic import OPTIONS

ASKED = {  # what a key of an experiment is for, beside what it must be
    "question": "what the runs are to tell",
    "prediction": "what is expected of them",
    "configs": "the policies and worlds that are run",
    "baseline": "what a report compares the others with; the first config if left out",
    "replications": "so many seeds, 1, 2, 3 and on, the same at every point",
    "seeds": "these seeds instead",
    "parameters": "over every calibrated parameter set",
    "sets": "over some of them",
    "design": "which points of the factors' space are visited; a grid if left out",
    "factors": "what is varied",
    "parts": "several designs that share configs and seeds",
    "record": "what is recorded, and how often",
    "stop": "when a run ends before 2035",
    "leave_out": "the whole design is run again with each of these off",
    "targets": "the report says where in a sampled part they are met",
    "claims": "what the prediction means in numbers",
    "labels": "words for pictures and reports",
    "answer": "what its author says of the results",
    "kind": "how the points are chosen",
    "points": "of `list`",
    "file": "of `table`: a column for each key, a line for each point",
    "samples": "of `latin-hypercube` and `sobol`",
    "trajectories": "of `morris`",
    "levels": "of `morris`",
    "seed": "of a sampled design",
    "every": "a row of series.csv for each",
    "measures": "which",
    "agents": "beside them, all that these record",
    "when": "a run ends with the first year that meets it",
    "low": "one end of the range",
    "high": "the other end",
    "says": "the claim in a sentence",
    "measure": "the outcome",
    "terms": "cases, by config and keys, and what each is multiplied by",
    "largest": "the factor that is to have the largest index",
    "of": "the config that it is of",
}
ANSWERED = {  # what the words of an answer must be, beside what `check` says of the table
    "values.of": "the name of a case",
    "values.less": "the name of the case that it is taken from",
    "values.measure": "a recorded measure",
    "values.year": 'a year, or "sum" or "peak"',
    "values.effect": "one of bite, answer and total, where the push is held and answers",
    "values.reaches": "a level: the part of the runs that come to it or more",
    "values.most": "true: the largest of all runs",
    "values.where": 'of these runs those with a factor so, such as ["subsidy.annual >= 600"]',
    "values.variance_in": "a case: the part that its variance over seeds has in that of another",
    "values.index": "a factor: its total Sobol index in the config `of`, or largest",
    "sentences.says": "a sentence with numbers such as {NAME}, or {NAME range}",
    "sentences.holds": 'conditions such as "NAME high < 0", on every value that it names',
    "figure.title": "words",
    "figure.axis": "words with the unit",
    "figure.measure": "a recorded measure, of lines",
    "figure.lines": "names of cases, over time",
    "figure.rows": "names of values, instead of lines",
    "figure.mark": "where a dashed line is drawn",
}
MADE = "Made from the code by `python -m sim.description.reference`; a test compares the two."
DEFAULT = re.compile(r" ?\[default: (?P<value>[^\]]+)\]")
CLAIMED = {
    "says": "a sentence",
    "measure": "an outcome, such as domestic_supply_share@end",
    "terms": 'a list of tables, such as [{ config = "historic", times = -1.0 }]',
    "low": "a number",
    "high": "a number",
    "largest": "the key of a factor",
    "of": "a config, or CONFIG less BASELINE",
}
CODES = (
    ("0", "done"),
    ("1", "a gate of `compare` tripped, an outcome of `rerun` is another one, or some runs failed"),
    ("2", "wrong use or bad input; the message names file, key and value, and what would be right"),
    ("3", "a result lacks runs or values, or what a gate asks cannot be judged"),
    ("70", "a fault of the program, which says where its trace is"),
    ("130", "interrupted"),
    ("143", "terminated"),
)
ROOMS = {  # the first word of a key, as a heading; the others are the word itself
    "controls": "Export controls",
    "subsidy": "Subsidies of the target",
    "investment": "Investment and equity",
    "controller_subsidy": "Subsidies of the controllers",
    "mandate": "Purchase rules",
    "retaliation": "Retaliation",
    "mechanisms": "Switches of mechanisms",
    "demand": "Demand",
    "chip_market": "The market of chips",
    "buyers": "Buyers",
    "production": "Production",
    "materials": "Materials",
    "designers": "Designers without lines",
    "build": "Building lines",
    "base": "The base year",
    "state_programme": "The state programme of 2020",
    "security": "The push for security",
    "learning": "Learning",
    "research": "Research and catching up",
    "alliance": "Allies",
    "leakage": "What becomes of money",
    "doctrine": "Doctrines of a reactive lead",
    "stockpiling": "Stockpiling",
    "plan": "The target's plan",
    "entry": "New firms",
    "talent": "Engineers",
    "automotive": "Car makers",
    "review": "The chain review",
}
HAPPENS = {
    "control": "Sellers headquartered in the state it is `by` deny a part of the items in `scope`, as far as they lie "
    "above a technical threshold.",
    "truce": "That state lifts a part of its controls on what is in `scope`.",
    "retaliation": "The target denies a part of the materials in `scope` to a controller.",
    "outage": "Makers lose a part of their capacity or sales for a year, or up to a date; what suppliers lose fails "
    "for every buyer, and who still sells fills in as under a control.",
    "closure": "Chip firms close for good.",
    "move": "Chip firms close, and their lines are built up again elsewhere.",
    "withdrawal": "All chip firms headquartered in the state it is `by` leave the `target`, which is the world's "
    "target if left out; with `to` their lines move, without it they close.",
    "mandate": "Buyers in the target place at least a part of their purchases with makers headquartered there.",
    "subsidy": "The target spends so much a year from then on, above the programme of 2020.",
    "lever": "Any keys are set from then on.",
}
MEANS = {
    "date": "the day from whose quarter on it is in force",
    "announced": "an earlier day, from which firms prepare",
    "until": "a later day, in whose quarter it is in force no more",
    "by": "the state whose act it is",
    "target": "the state that it is against",
    "kind": "what happens, as above",
    "scope": "inputs and segments; of an outage, a closure or a move, makers: a line or supplier by its id, a company "
    "with all its lines by its name in small letters, or a state for every maker headquartered there",
    "through": "sellers in these states obey too, on all of the scope but experts: foreign chips and tools that are "
    "made with the state's tools and software (foreign direct product rule)",
    "lines": "inputs for lines of these segments only, whatever the threshold",
    "to": "where lines go on: a state, whose lines of the same segment and owner state take over by their capacity, "
    "or one chip firm by its id",
    "severity": "the part that is denied, lost or asked for",
    "low": "the lowest that the severity may have been",
    "high": "the highest that it may have been",
    "amount": "bn yuan a year",
    "set": "keys and their values",
    "reason": "why the severity is what it is, and where it is published",
}
TOP = {
    "purpose": ("a sentence", "what the config is for; every config has one"),
    "extends": ("the name or path of a config", "what it begins from; it then says only what differs"),
    "event": ("tables `[[event]]`", "what happens on dates, beside the events of what it extends; see [events]"),
    "world": ("a folder in `configs/worlds/`, or a path", "whose tables are used; china-2020 if left out"),
    "lumped": ("true or false", "whether firms that share headquarters, site and segment are merged"),
    **{
        f"synthetic.{name}": (f"a whole number from {low} to {high}", f'of `world = "synthetic"`: {unit}; {default}')
        for name, (default, low, high, unit) in OPTIONS.items()
    },
    f"{values.MARKET}.YEAR": ("bn USD a year", "the target's chip market at current prices, taken as given"),
    f"{values.WORLD_SALES}.YEAR": ("bn USD a year", "the world's chip sales, taken as given; growth from 2020 counts"),
    f"{values.RECORDED}.DATE": ("0 to 1", "the part of the target's foreign tools that was denied from then on"),
}


def verbs() -> str:
    """Every verb with its arguments and options."""
    text = [
        f"# Commands\n\n{MADE} `decoupling VERB --help` says the same.\n",
        "A config or an experiment is a name in `configs/` or `experiments/` of the working folder, of "
        "`$DECOUPLING_HOME` or of the program, or the path of a file. A result is a folder, or its name in `results/`. "
        "The answer goes to standard output; progress and notes go to standard error.\n",
        table(("exit code", "means"), CODES),
    ]
    return "\n".join([*text, *(verb(name, callback) for name, callback in callbacks(get_group(app), "decoupling"))])


def callbacks(group: TyperGroup, prefix: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every verb as it is typed, and the function that it calls."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from callbacks(command, f"{prefix} {name}")
        elif command.callback:
            yield f"{prefix} {name}", command.callback


def verb(name: str, callback: Callable[..., Any]) -> str:
    """One verb: its usage, what it does, and a table of what it takes."""
    hints = get_type_hints(callback, include_extras=True)
    usage, rows = [name], []
    for key, parameter in inspect.signature(callback).parameters.items():
        kind, info = get_args(hints[key])[:2]
        help_text, _, _ = (info.help or "").partition(" [default:")
        given = DEFAULT.search(info.help or "")
        default = given["value"] if given else shown(parameter.default)
        if isinstance(info, ArgumentInfo):
            word = info.metavar or key.upper()
            usage.append(word if default == "" or word.startswith("[") else f"[{word}]")
            rows.append((f"`{word}`", help_text, default))
            continue
        option = next(iter(info.param_decls or ()), f"--{key.replace('_', '-')}")
        rows.append((f"`{f'{option} {taken(kind, info.metavar)}'.strip()}`", help_text, default))
    about = " ".join((inspect.getdoc(callback) or "").split())
    head = f"## `{name}`\n\n{about}\n\n```text\n{' '.join(usage)} [OPTIONS]\n```\n"
    return f"{head}\n{table(('argument or option', 'means', 'default'), rows)}"


def shown(default: Any) -> str:
    return "" if default in (None, False, inspect.Parameter.empty) else str(getattr(default, "value", default))


def taken(kind: Any, metavar: str | None) -> str:
    """What an option takes, in the words of its help."""
    kinds = [each for each in (get_args(kind) or (kind,)) if each is not NoneType]
    [kind] = [each for each in kinds if get_origin(each) is list] or kinds
    kind = next(iter(get_args(kind)), kind)
    if kind is bool:
        return ""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "/".join(kind)
    return metavar or {int: "N", float: "NUMBER", Path: "PATH"}.get(kind, "TEXT")


def parameters() -> str:
    """Every parameter with its ranges, its grade and its source, by the first word of its key."""
    found = find(EVIDENCE, "parameters.toml") or SHIPPED / EVIDENCE / "parameters.toml"
    declared = {**read_parameters(found), **load_config(BASELINE).world.parameters}
    text = [
        f"# Parameters\n\n{MADE} `decoupling list parameters` prints the same as a table.\n",
        "Any of them can stand in a config, in `--set KEY=VALUE`, and among the factors of an experiment. The value is "
        f"that of `{BASELINE}`. *May be* is what is accepted, *plausible* what the "
        "sources leave open. The grade says how sure a value is: measured, estimated, calibrated or assumed. Where a "
        "switch is named, the parameter has its neutral value with the switch off.\n",
    ]
    rooms: dict[str, list[Parameter]] = {}
    for parameter in declared.values():
        rooms.setdefault(parameter.name.partition(".")[0], []).append(parameter)
    for room, held in rooms.items():
        text.append(f"## {ROOMS.get(room, room.replace('_', ' ').capitalize())}\n")
        text += map(entry, held)
    return "\n".join(text)


def entry(p: Parameter) -> str:
    """One parameter."""
    value = str(p.value).lower() if isinstance(p.value, bool) else f"{p.value:g}" if p.is_number else str(p.value)
    facts = [f"value {value} ({p.unit})" if p.is_number else f"value {value}"]
    if p.choices:
        facts.append(f"may be {', '.join(p.choices)}")
    elif p.is_number:
        facts.append(f"may be {range_of(p.minimum, p.maximum, p.unit).removesuffix(f' ({p.unit})')}")
    if p.low is not None and p.high is not None:
        facts.append(f"plausible from {p.low:g} to {p.high:g}")
    if p.mechanism:
        facts.append(f"switch `mechanisms.{p.mechanism}`, with which off it is {p.neutral}")
    if p.table:
        facts.append(f"in worlds with the table `{p.table}`")
    told = f"{p.role.capitalize()}, {p.grade}: {'; '.join(facts)}."
    return f"### `{p.name}`\n\n{p.meaning.rstrip('.')}.\n\n{told}\n\n*Source:* {p.source}.\n"


def kinds_of_events() -> str:
    """Every kind of event and every key of one."""
    wanted = {key: f"`{key}`" for key in events.Event.model_fields}
    kinds = ((f"`{kind}`", HAPPENS[kind], ", ".join(wanted[key] for key in wanted if key in events.TAKES[kind]))
             for kind in events.KINDS)  # fmt: skip
    example = {"lead": "USA", "target": "CHN", "other": "TWN", "input": "lithography", "segment": "leading_logic"}
    keys = ((name, MEANS[key], events.RIGHT[key].format(**example)) for key, name in wanted.items())
    return "\n".join((
        f"# Events\n\n{MADE}\n",
        "What happens on a date is a table `[[event]]` of a config. The live page keeps what was done to a run in the "
        "same words, and `DecouplingModel.intervene` takes them. `decoupling check FILE --effect` says what each "
        "denies, in bn yuan a year of what was bought in 2020, alone and beyond what is in force by then; of makers "
        "that are out or leave, what they sold in 2020.\n",
        "```toml\n[[event]]\ndate = 2028-01-01\nby = \"USA\"\nkind = \"control\"\n"
        "scope = [\"deposition\", \"etch_clean\"]\nlines = [\"mature_logic\"]\nseverity = 0.6\n```\n",
        "## Kinds\n",
        table(("kind", "what happens", "keys that it takes"), kinds),
        "## Keys\n",
        table(("key", "means", "must be"), keys),
        '`scope = ["all"]`, which stands alone, is everything. `experts` in a control\'s scope are foreign engineers '
        "who work in the target.\n",
    ))  # fmt: skip


def files() -> str:
    """The keys of every file that people write, and the files of a result."""
    asked: list[tuple[str, type[BaseModel]]] = [
        ("", experiment._File),
        ("design", factors.Design),
        ("record", experiment._Record),
        ("stop", experiment._Stop),
    ]
    range_right = {key: factors.RIGHT[key] for key in ("low", "high", "levels")}
    needs = {name: " and ".join(f"`{key}`" for key in keys) for name, keys in SHAPES.items()}
    return "\n".join((
        f"# Files\n\n{MADE} Configs and experiments are TOML. `decoupling check FILE` names every mistake at once.\n",
        "## A config\n",
        "One policy in one world, in `configs/`. It says what differs from the config that it extends.\n",
        table(("key", "is", "means"), ((f"`{key}`", kind, means.replace("[events]", "[events](events.md)"))
                                       for key, (kind, means) in TOP.items())),
        "Every other key is a [parameter](parameters.md), such as `[subsidy]` with `annual = 150`.\n",
        "## An experiment\n",
        "One question over many runs, in `experiments/`.\n",
        *(keys_of(model, name, experiment.RIGHT, means=ASKED) for name, model in asked),
        "A row of `[factors]` has a key and a list of levels, `\"range\"` for the parameter's own low to high, or a "
        "table. A table may have `from`, " + factors.RIGHT["from"] + ". "
        "Where `[design]` lists the points or names their file, a row has `from` alone. "
        "With `[parts.NAME]` each part has a `design` and `factors` of its own.\n",
        keys_of(factors.Span, "factors.KEY", range_right, means={**ASKED, "levels": "so many in a grid, even"}),
        "Or a distribution, with what it needs besides `low` and `high`:\n",
        table(("distribution", "needs"), ((f"`{name}`", needs[name]) for name in SHAPES)),
        "A claim says in numbers what the prediction means. It does not change the runs.\n",
        " ".join((inspect.getdoc(Claim) or "").split("\n\n")[1].split()) + "\n",
        keys_of(Claim, "claims", CLAIMED, means=ASKED),
        "The words of an answer are sentences into which the program puts numbers ([how](../how-to/answer.md)). They "
        "do not change the runs.\n",
        keys_of(answer.Words, "answer", {f"answer.{key}": held for key, held in answer.RIGHT.items()}),
        keys_of(answer.Value, "answer.values.NAME", ANSWERED, "values."),
        keys_of(answer.Sentence, "answer.sentences", ANSWERED, "sentences."),
        keys_of(answer.Figure, "answer.figure", ANSWERED, "figure."),
        "## A search\n",
        "An experiment with a table `[search]`, whose points are chosen along the way. It has no design, no parts and "
        "no `leave_out`.\n",
        keys_of(search._Search, "search", search.RIGHT),
        "## A calibration\n",
        "What is varied, within which ranges, and which figures it must meet.\n",
        keys_of(calibration._File, "", calibration.RIGHT),
        keys_of(calibration._Waves, "waves", calibration.RIGHT, "waves."),
        keys_of(calibration._Errors, "errors.GROUP", calibration.RIGHT, "errors."),
        "## A world\n",
        "A folder of CSV tables in `configs/worlds/`, with `about.toml` and `baseline.toml`. "
        "[The data dictionary](data.md#tables-of-a-world) has every column of every table.\n",
        "## A result\n",
        "A folder with `runs.csv`, `series.csv` and `manifest.json`. [The data dictionary](data.md) has every column. "
        "The manifest says what the tables were made from. `digest` is a hash of all of it but `run_info`, which may "
        "differ from one equal run to the next.\n",
        table(("in `manifest.json`", "is"), ((f"`{key}`", MANIFEST[key]) for key in Manifest.model_fields)),
    ))  # fmt: skip


MANIFEST = {
    "schema_version": "of the manifest and the tables; another number means other columns",
    "experiment": "the experiment as it was read, null for one run",
    "claims": "what its prediction claims",
    "labels": "the words of its pictures",
    "answer": "the words of its author",
    "foretold": "a hash of the prediction and the claims as they were when the runs began",
    "scenarios": "every config with all values and events, and a hash",
    "worlds": "what each world says of itself, and a hash of each table that runs read",
    "horizon": "the first and the last year",
    "record": "what was recorded, and how often",
    "seeds": "the seeds",
    "parameter_sets": "the values of each parameter set of the ensemble",
    "columns": "unit, meaning and formula of every column",
    "failures": "why each failed run failed",
    "files": "size and hash of the tables",
    "program_hash": "a hash of the program's source",
    "program": "a hash of each of its files",
    "dependencies": "versions of the libraries that results depend on",
    "arithmetic": "a fingerprint of the machine's arithmetic",
    "run_info": "time, machine, git commit",
}


def keys_of(
    model: type[BaseModel],
    table_name: str,
    right: Mapping[str, str],
    inside: str = "",
    means: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The keys of a table of a file: what each must be, what it is for where that is said, and its default."""
    rows = []
    for key, field in model.model_fields.items():
        dotted = f"{table_name}.{key}"
        must = right.get(dotted) or right.get(f"{inside}{key}") or right.get(key, "")
        default = "needed" if field.is_required() else plain(field.get_default(call_default_factory=True))
        rows.append((f"`{key}`", *([means.get(key, "")] if means else []), must, default))
    head = f"`[{table_name}]`" if table_name else "key"
    return table((head, *(["means"] if means else []), "must be", "if left out"), rows)


def plain(default: object) -> str:
    if default is None or default in ([], {}) or isinstance(default, BaseModel):
        return ""
    return str(default)


PAGES: Mapping[str, Callable[[], str]] = {
    "commands": verbs,
    "parameters": parameters,
    "events": kinds_of_events,
    "files": files,
}


def write() -> None:
    for name, text in PAGES.items():
        document(f"docs/reference/{name}.md").write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write()
