"""No code knows what the tables are about: no text of the program names what is in a world that ships."""

import ast
import re
from collections import defaultdict
from functools import cache

import pytest
from support.paths import ROOT

from sim.world.world import known_worlds, load_world

SIM = ROOT / "sim"
TABLES = ("states", "segments", "inputs", "suppliers", "chip_firms")
# Words of everyday language that are ids as well: only where a text is nothing but the word does it mean the id.
EVERYDAY = {"memory": "computers and people have one too"}
# On the page, words for what one chain makes; elsewhere chips are the model's own word for it.
OF_ONE_CHAIN = {"chips"}
EXCEPTIONS = {
    "world/synthetic.py": "makes worlds, so it brings its own states and inputs",
    "description/reference.py": "documents the world that ships first, with examples of its events",
}
# What names something today. The list may only become shorter: what is mended is taken out of it.
OFFENDERS = {
    "markets/inputs.py": {"lithography"},
}


@cache
def names():
    """The ids and names of what all worlds hold."""
    rows = (row for world in known_worlds() for table in TABLES for row in load_world(world).rows[table])
    found = {word for row in rows for word in (row["id"], row["name"])}
    assert len(found) > 2000 and {"CHN", "China", "lithography", "rice", "smic-chn-mature"} <= found
    return found - EVERYDAY.keys()


def stands_in(word, text):
    """Whether a word is in a text as a whole word."""
    return word in text and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)


def texts(path):
    """Every text of a file with its line: constants of Python, docstrings too but not the page's; lines of the rest."""
    if path.suffix != ".py":
        return list(enumerate(path.read_text().splitlines(), start=1))
    return [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def docstrings(path):
    """The lines on which a docstring begins."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = ast.walk(ast.parse(path.read_text())) if path.suffix == ".py" else []
    return {node.body[0].lineno for node in nodes if isinstance(node, kinds) and ast.get_docstring(node) is not None}


def named(path):
    """What a file names: {word: lines}."""
    found, explained, read = defaultdict(list), docstrings(path), texts(path)
    whole = "\n".join(text for _, text in read)
    near = [word for word in names() | OF_ONE_CHAIN if stands_in(word, whole)]
    for line, text in read:
        on_page = path.parent.name == "live" and line not in explained
        words = {word for word in near if stands_in(word, text) and (on_page or word not in OF_ONE_CHAIN)}
        for word in words | ({text} & EVERYDAY.keys()):
            found[word].append(line)
    return found


FILES = sorted(path for kind in ("py", "vue", "js") for path in SIM.rglob(f"*.{kind}"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SIM).as_posix())
def test_no_text_names_what_is_in_a_table(path):
    name, found = path.relative_to(SIM).as_posix(), named(path)
    if name in EXCEPTIONS:
        assert found, f"sim/{name} names nothing any more: take it out of EXCEPTIONS"
        return
    known = OFFENDERS.get(name, set())
    new = [f"sim/{name}:{line}: {word!r}" for word in found.keys() - known for line in found[word]]
    assert new == [], "ask the world for what its tables hold"
    assert known - found.keys() == set(), f"sim/{name} names these no more: take them out of OFFENDERS"


def test_every_offender_and_exception_is_a_file():
    assert {*OFFENDERS, *EXCEPTIONS} <= {path.relative_to(SIM).as_posix() for path in FILES}
