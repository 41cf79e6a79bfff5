"""What the source itself must keep to: import direction, idioms that keep bytes equal, parameters declared and read."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.paths import ROOT

import sim
from sim.world.evidence import read_parameters
from sim.world.world import EFFECT, load_world

SIM = ROOT / "sim"
FILES = sorted(SIM.rglob("*.py"))
LAYERS = [
    {"arrays", "errors", "calendar", "folders"},
    {"world", "results"},
    {"scenario", "measures", "terminal"},
    {"engine", "compare"},
    {"agents", "accounts", "observed"},
    {"recorder"},
    {"start"},
    {"markets", "experiment"},
    {"policy"},
    {"schedule"},
    {"model"},
    {"batch"},
    {"futures"},
    {"study", "live"},
    {"checking"},
    {"cli"},
    {"description"},
    {"__main__", "__init__"},
]
# In rules, markets and everything that results pass through.
MODEL_FILES = [
    path
    for path in FILES
    if path.parent.name in ("agents", "engine", "markets", "policy", "start")
    or path.stem in ("accounts", "model", "observed", "recorder", "schedule")
]


def unit(path: Path) -> str:
    """What of sim/ a file belongs to: a room, or a module that is directly in it."""
    inside = path.relative_to(SIM)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def height(name: str) -> int:
    return next(level for level, names in enumerate(LAYERS) if name in names)


def run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING`: an import there is no dependency."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from (each for other in node.orelse for each in (other, *run_time(other)))
        else:
            yield from run_time(node)


def test_imports_for_the_type_checker_alone_are_looked_past():
    tree = ast.parse("if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    import c\n")
    assert [name.name for node in run_time(tree) if isinstance(node, ast.Import) for name in node.names] == ["b", "c"]


def imported(path: Path) -> set[str]:
    """What of sim/ a file needs to run. What it takes from `sim` itself counts for the room that it comes from."""
    needed = set()
    for node in run_time(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: write out where it comes from"
            room, _, module = str(node.module).partition(".")
            if room == "sim":
                needed |= {module.partition(".")[0]} if module else {home(alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            needed |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("sim.")}
    return needed - {"", unit(path)}


def home(name: str) -> str:
    """The room of a name that `sim` gives; a room is its own, and the version belongs to none."""
    if (SIM / name).is_dir() or (SIM / f"{name}.py").exists():
        return name
    return "" if name == "__version__" else getattr(sim, name).__module__.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SIM)))
def test_imports_point_one_way(path):
    above = {name for name in imported(path) if height(name) >= height(unit(path))}
    assert above == set(), f"{unit(path)} is below or beside them"


def test_a_newcomer_sees_the_rooms_first():
    assert len(list(SIM.glob("*.py"))) <= 14
    rooms = {path.name for path in SIM.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert rooms | {path.stem for path in SIM.glob("*.py")} == set().union(*LAYERS)


def calls(path: Path, name: str) -> bool:
    found = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return any(name in (getattr(called, "id", ""), getattr(called, "attr", "")) for called in found)


def test_a_name_of_a_world_is_resolved_at_the_door():
    """By who reads a config, checks a world's folder or validates a result; everybody else is handed a World."""
    callers = {path.relative_to(SIM).as_posix() for path in FILES if calls(path, "load_world")} - {"world/world.py"}
    assert 0 < len(callers) <= 3, callers


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is run when a module is imported: all but the insides of functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from at_import(child)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SIM)))
def test_what_one_system_alone_has_is_not_imported_with_a_module(path):
    for node in at_import(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.split(".")[0] for alias in node.names} | {getattr(node, "module", None)}
            assert names & {"fcntl", "grp", "pwd", "resource", "termios"} == set(), node.lineno


def test_what_arrays_hold_is_declared_once():
    declared = [
        f"{path.relative_to(SIM)}: {ast.unparse(node.targets[0])}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and (ast.unparse(node.targets[0]) == "Array" or ast.unparse(node.value) == "NDArray[np.float64]")
    ]
    assert declared == ["arrays.py: Array"]


def untyped(path: Path) -> set[str]:
    """The functions of a file with a parameter or answer that is just anything."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            types = [ast.unparse(each) for each in [*(arg.annotation for arg in given if arg), node.returns] if each]
            if any("Any" in re.split(r"\s*\|\s*", each) for each in types):
                names.add(node.name)
    return names


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: str(path.relative_to(SIM)))
def test_no_function_of_the_model_takes_or_gives_just_anything(path):
    assert untyped(path) == set(), "say what it is"


UNSAFE = {
    "dot": "np.einsum or an explicit sum",
    "matmul": "np.einsum or an explicit sum",
    "power": "power of sim.engine.groups",
    "empty": "np.zeros or np.full(…, np.nan)",
    "empty_like": "np.zeros_like",
}


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: str(path.relative_to(SIM)))
def test_no_idiom_whose_bytes_depend_on_the_block(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        where = f"{path.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            pytest.fail(f"{where}: @ adds in an order that depends on the block; use np.einsum or an explicit sum")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and path.stem != "streams":
            pytest.fail(f"{where}: ** differs between floats and arrays in the last bit; use np.square or power")
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "np"
            and node.attr in UNSAFE
            and not (node.attr == "power" and path.stem == "groups")
        ):
            pytest.fail(f"{where}: np.{node.attr} gives other bytes for other blocks; use {UNSAFE[node.attr]}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "argsort":
            kinds = [keyword.value.value for keyword in node.keywords if keyword.arg == "kind"]
            assert kinds == ["stable"], f"{where}: argsort must be stable"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            assert "random" not in names, f"{where}: draws come from sim.engine.streams alone"
            if path.parent.name in ("agents", "markets"):
                assert "math" not in names, f"{where}: math works on floats only; use numpy"
        if (
            isinstance(node, ast.Attribute)
            and node.attr in ("shuffle_do", "random")
            and path.parent.name in ("agents", "markets")
        ):
            pytest.fail(f"{where}: draws come from sim.engine.streams alone")


def rules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(d, ast.Name) and d.id == "rule" for d in node.decorator_list
        ):
            yield node


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name == "agents"], ids=lambda path: path.name)
def test_rules_are_plain_arithmetic(path):
    for function in rules(path):
        assert ast.get_docstring(function), f"{function.name} needs a docstring that says what it states"
        for node in ast.walk(function):
            where = f"{path.name}:{getattr(node, 'lineno', 0)} {function.name}"
            assert not isinstance(node, ast.If | ast.IfExp | ast.While | ast.For), (
                f"{where}: no branches or loops on values; use np.where"
            )
            assert not isinstance(node, ast.AugAssign), f"{where}: columns are values; write self.x = self.x + …"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("max", "min", "abs", "float", "round"), f"{where}: use the numpy function"


def test_every_declared_parameter_is_read_and_every_read_one_declared():
    text = "\n".join(path.read_text() for path in FILES)
    read = set(re.findall(r'(?:\bp|parameters|given)\[\s*"([a-z_0-9]+\.[a-z_0-9]+)"\s*\]', text))
    read |= set(re.findall(r'is_set\(\s*"([a-z_.]+)"', text))
    evidence = read_parameters(ROOT / "configs/evidence/parameters.toml")  # those that need a table too
    declared = {*evidence, *load_world("china-2020").parameters}
    assert read <= declared, read - declared
    unused = declared - read - {name for name in declared if name.startswith(("mechanisms.", f"{EFFECT}."))}
    assert not unused, unused


def test_every_switch_belongs_to_a_parameter_and_back():
    switches = {
        name.removeprefix("mechanisms.")
        for name in load_world("china-2020").parameters
        if name.startswith("mechanisms.")
    }
    used = {parameter.mechanism for parameter in load_world("china-2020").parameters.values() if parameter.mechanism}
    assert switches == used


def test_the_top_level_is_as_designed():
    allowed = {
        "sim",
        "configs",
        "docs",
        "experiments",
        "results",
        "tests",
        "README.md",
        "pyproject.toml",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "CITATION.cff",
        "SECURITY.md",
        "mkdocs.yml",
    }
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    top = {line.split("/")[0] for line in tracked}
    assert {name for name in top if not name.startswith(".")} <= allowed


def test_every_test_file_has_a_name_of_its_own():
    """pytest imports test files by their bare name."""
    names = [path.name for path in (SIM.parent / "tests").rglob("test_*.py")]
    assert len(names) > 50 and len(set(names)) == len(names)
