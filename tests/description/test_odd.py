"""The description of the model is what the code does."""

import ast
import re

import pytest
from support.paths import ROOT

from sim.agents import ChipFirm, State, Supplier
from sim.description import odd
from sim.engine.streams import DECISIONS
from sim.schedule import PHASES
from sim.world.world import load_world

FILE = ROOT / "docs/model/odd.md"


def test_the_description_is_what_the_code_would_write():
    text = FILE.read_text()
    assert odd.rewritten(text) == text, "run `uv run python -m sim.description.odd`"
    assert len(odd.PARTS) >= 5 and set(re.findall(r"<!-- generated: (\w+) -->", text)) == set(odd.PARTS)


def test_a_changed_description_is_seen():
    text = FILE.read_text().replace("per doubling", "per tripling")
    assert odd.rewritten(text) == FILE.read_text()


@pytest.mark.parametrize("kind", [State, ChipFirm, Supplier])
def test_every_column_and_rule_of_an_agent_is_described(kind):
    text = FILE.read_text()
    assert len(kind.columns()) >= 15 and all(f"| `{name}` |" in text for name in kind.columns())
    rules = [name for name, value in vars(kind).items() if getattr(value, "is_rule", False)]
    assert len(rules) >= 3 and all(f"**`{kind.__name__}.{name}`**" in text for name in rules)


def test_every_parameter_and_phase_is_described():
    text = FILE.read_text()
    declared = load_world("china-2020").parameters
    assert len(declared) >= 100 and all(f"| `{name}` |" in text for name in declared)
    assert len(PHASES) >= 9 and all(f"**{phase.__name__.replace('_', ' ')}**" in text for phase in PHASES)


def decisions(tree):
    """The decision that each draw names, None where it is no literal; but `ColumnAgent.draw` hands on what it is given.

    Draws are calls of `uniform`, of an agent's own `draw` and of the `draw` of a model's luck.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            owner = getattr(node.func, "value", None)
            is_draw = getattr(owner, "attr", getattr(owner, "id", "")) in ("self", "luck", "_luck")
            place = {"uniform": 1, "draw": 0 if is_draw else None}.get(name)
            if place is not None and getattr(node.args[place], "id", "") != "decision":
                yield getattr(node.args[place], "value", None)


def test_the_random_decisions_are_those_that_are_drawn():
    named = [decision for path in (ROOT / "sim").rglob("*.py") for decision in decisions(ast.parse(path.read_text()))]
    assert len(named) >= 12 and None not in named
    assert len(DECISIONS) >= 9 and set(named) == set(DECISIONS)
    assert all(f"| {decision} |" in FILE.read_text() for decision in DECISIONS)
