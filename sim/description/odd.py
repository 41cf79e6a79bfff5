"""The parts of docs/model/odd.md that repeat the code; `python -m sim.description.odd` writes them again.

In the file they are between <!-- generated: NAME --> and <!-- end -->; the rest is written by hand.
"""

from __future__ import annotations

import ast
import csv
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType, ModuleType
from typing import Any

from sim import schedule
from sim.agents import ChipFirm, State, Supplier, chip_firm, learning, state, supplier
from sim.description.document import document
from sim.engine.streams import DECISIONS
from sim.folders import EVIDENCE, EXPERIMENTS, SHIPPED, find
from sim.markets import chips, denial, inputs, outages, paths, quality, spillovers
from sim.measures import HEADLINE, describe
from sim.policy import controls, retaliation, review, stakes, subsidy
from sim.scenario.loading import BASELINE, load_config
from sim.start import foundries
from sim.world.evidence import read_parameters

SUBMODELS: tuple[ModuleType, ...] = (
    state,
    controls,
    retaliation,
    stakes,
    denial,
    outages,
    paths,
    foundries,
    quality,
    chips,
    spillovers,
    chip_firm,
    inputs,
    supplier,
    learning,
    subsidy,
    review,
)
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """The description with every generated part as the code has it now."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]().strip()}\n\n{part[3]}", text)


def entities() -> str:
    """The agents' state variables, from their declarations."""
    text = []
    for kind in (State, ChipFirm, Supplier):
        text.append(f"**{kind.__name__}**. {inspect.getdoc(kind)}\n")
        rows = [(f"`{name}`", column.unit, column.meaning) for name, column in kind.columns().items()]
        text.append(table(("state variable", "unit", "meaning"), rows))
    return "\n".join(text)


def process() -> str:
    """The phases of a quarter, and what each calls."""
    lines = []
    for number, phase in enumerate(schedule.PHASES, start=1):
        steps = ", ".join(f"`{name}`" for name in called(phase))
        lines.append(f"{number}. **{phase.__name__.replace('_', ' ')}** ({steps}): {first_letter_down(doc(phase))}")
    return "\n".join(lines)


def called(phase: Callable[..., None]) -> list[str]:
    """What a phase calls, in its order: rules of agents, methods of what the model holds, and functions."""
    acts = [node for node in ast.walk(ast.parse(inspect.getsource(phase))) if isinstance(node, ast.Expr | ast.Assign)]
    calls = [act.value for act in sorted(acts, key=lambda act: act.lineno) if isinstance(act.value, ast.Call)]
    names = [ast.unparse(call.func).removeprefix("model.") for call in calls]
    return [ast.unparse(call.args[1]) if name == "everybody" else name for name, call in zip(names, calls, strict=True)]


def luck() -> str:
    """The random decisions, their laws, and the measured part of the variance."""
    measured: dict[str, list[str]] = {}
    with (find(EXPERIMENTS, "luck.csv") or SHIPPED / EXPERIMENTS / "luck.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    outcomes = list(dict.fromkeys(row["outcome"] for row in rows))
    last = max(row["year"] for row in rows)
    for row in rows:
        if row["year"] == last:
            measured.setdefault(row["decision"], []).append(f"{100 * float(row['alone']):.0f}")
    laws = table(("decision", "law"), DECISIONS.items())
    shares = table((f"per cent of the variance in {last}", *(f"`{name}`" for name in outcomes)), (
        (decision, *cells) for decision, cells in measured.items()
    ))  # fmt: skip
    return f"{laws}\n{shares}"


def measures() -> str:
    """The headline measures."""
    world = load_config(BASELINE).world
    headline = [describe(name, world) for name in HEADLINE]
    return table(
        ("measure", "unit", "formula", "meaning"), ((f"`{m.name}`", m.unit, m.formula, m.meaning) for m in headline)
    )


def tables() -> str:
    """The quantities of the world's tables."""
    units = load_config(BASELINE).world.units
    rows = (
        (
            f"`{name}.{column}`",
            entry["unit"],
            f"{entry['minimum']:g} to {entry['maximum']:g}",
            entry["role"],
            entry["meaning"],
        )
        for (name, column), entry in units.items()
    )
    return table(("table and column", "unit", "range", "role", "meaning"), rows)


def parameter_table() -> str:
    """Every parameter with its value, ranges, grade and source."""
    rows = []
    evidence = read_parameters(find(EVIDENCE, "parameters.toml") or SHIPPED / EVIDENCE / "parameters.toml")
    for p in {**evidence, **load_config(BASELINE).world.parameters}.values():
        value = {True: "true", False: "false"}.get(p.value, p.value) if isinstance(p.value, bool) else p.value
        span = " ".join(p.choices) if p.choices else "" if p.low is None else f"{p.low:g} to {p.high:g}"
        rows.append((f"`{p.name}`", str(value), p.unit, span, p.role, p.grade, p.meaning, p.source))
    return table(("key", "value", "unit", "plausible range or choices", "role", "grade", "meaning", "source"), rows)


def submodels() -> str:
    """Every rule and market, with its text."""
    text = []
    for module in SUBMODELS:
        heading, _, more = (inspect.getdoc(module) or "").partition("\n\n")
        text.append(f"#### {' '.join(heading.split()).rstrip('.')}\n")
        text += [f"{' '.join(paragraph.split())}\n" for paragraph in more.split("\n\n") if paragraph]
        for name, function in functions_of(module):
            text.append(f"**`{name}`**. {doc(function)}\n\n{source(function)}\n")
    return "\n".join(text)


PARTS: dict[str, Callable[[], str]] = {
    "entities": entities,
    "schedule": process,
    "luck": luck,
    "measures": measures,
    "tables": tables,
    "parameters": parameter_table,
    "submodels": submodels,
}


def functions_of(module: ModuleType) -> list[tuple[str, FunctionType]]:
    """The functions and methods that a module defines and explains, in the order of its text."""
    functions: list[tuple[str, Any]] = []
    for name, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            functions += [
                (f"{name}.{method}", inspect.unwrap(each))
                for method, each in vars(value).items()
                if inspect.isfunction(each)
            ]
        elif inspect.isfunction(value) and value.__module__ == module.__name__:
            functions.append((name, value))
    explained = [(name, function) for name, function in functions if function.__doc__]
    return sorted(explained, key=lambda pair: pair[1].__code__.co_firstlineno)


def source(function: FunctionType) -> str:
    """The text of a function without its docstring, folded away."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    (node,) = ast.parse("\n".join(lines)).body
    assert isinstance(node, ast.FunctionDef)
    body = textwrap.dedent("\n".join(lines[(node.body[0].end_lineno or 0) :])).strip("\n")
    return f'<details markdown="1"><summary>text</summary>\n\n```python\n{body}\n```\n\n</details>'


def doc(thing: object) -> str:
    """A docstring's sentences on one line."""
    return " ".join((inspect.getdoc(thing) or "").split())


def first_letter_down(text: str) -> str:
    return text[:1].lower() + text[1:]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def write() -> None:
    file = document("docs/model/odd.md")
    file.write_text(rewritten(file.read_text()))


if __name__ == "__main__":
    write()
