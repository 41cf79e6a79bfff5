"""The description of the model is what the code does."""

import ast
import re
from pathlib import Path

import pytest

from sim.agents import ChipFirm, State, Supplier
from sim.description import odd
from sim.engine.streams import DECISIONS
from sim.schedule import PHASES
from sim.world.world import load_world

SIM = Path(odd.__file__).parent.parent


def test_the_description_is_what_the_code_would_write():
    text = odd.FILE.read_text()
    assert odd.written_anew(text) == text, "run `uv run python -m sim.description.odd`"
    assert set(re.findall(r"<!-- generated: (\w+) -->", text)) == set(odd.PARTS)


def test_a_changed_description_is_seen():
    text = odd.FILE.read_text().replace("per doubling", "per tripling")
    assert odd.written_anew(text) == odd.FILE.read_text()


@pytest.mark.parametrize("kind", [State, ChipFirm, Supplier])
def test_every_column_and_rule_of_an_agent_is_described(kind):
    text = odd.FILE.read_text()
    assert all(f"| `{name}` |" in text for name in kind.columns())
    rules = [name for name, value in vars(kind).items() if getattr(value, "is_rule", False)]
    assert rules and all(f"**`{kind.__name__}.{name}`**" in text for name in rules)


def test_every_parameter_and_phase_is_described():
    text = odd.FILE.read_text()
    assert all(f"| `{name}` |" in text for name in load_world("china-2020").parameters)
    assert all(f"**{phase.__name__.replace('_', ' ')}**" in text for phase in PHASES)


def test_the_random_decisions_are_those_that_are_drawn():
    drawn = set()
    for path in SIM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                place = {"draw": 0, "uniform": 1}.get(name)
                if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                    drawn.add(node.args[place].value)
    assert drawn == set(DECISIONS)
