"""Damaged results, by a seeded generator: every verb that reads one answers, or says in a sentence why not."""

import json
import random
import shutil
from contextlib import suppress

import pytest
from support.batches import small, stopping
from support.made_results import signed, vouch

from sim.batch.rerun import row_of
from sim.batch.run import run_batch
from sim.compare.question import Incomplete, Question, compare, identical
from sim.errors import BadInput
from sim.experiment.idle import idle_in_results
from sim.live import background
from sim.results.output import UNFINISHED
from sim.results.reading import open_result
from sim.study.discovery import discover
from sim.study.plot.choice import picture_of
from sim.study.report.answer import read_answer
from sim.study.report.files import write as write_report
from sim.study.review import reviewed
from sim.study.sensitivity import sensitivity
from sim.study.validation.validation import validate

SHARE = "domestic_supply_share"
EXPERIMENT = """
question = "Does it?"
configs = ["no-controls", "published-2020"]
replications = 3
targets = ["domestic_supply_share@end >= 0.5"]
[parts.levels.factors]
"subsidy.annual" = [0.0, 100.0]
[parts.sample.design]
kind = "morris"
trajectories = 3
levels = 4
[parts.sample.factors]
"controls.severity" = { low = 0.0, high = 1.0 }
"subsidy.annual" = { low = 0.0, high = 100.0 }
[record]
every = "year"
measures = ["domestic_supply_share", "chip_market", "price_index"]
"""
OTHERS = [
    None,
    True,
    0,
    -1,
    2**70,
    0.5,
    float("nan"),
    "",
    "x",
    "../..",
    "/etc/passwd",
    "\u202e",
    [],
    {},
    [[]],
    {"a": 1},
]
CELLS = [
    "",
    "x",
    "inf",
    "-inf",
    "nan",
    "1e999",
    "9" * 400,
    "-0",
    "1,5",
    '"',
    "\r",
    "\n",
    ";",
    "\t",
    "\0",
    "١",
    "2020",
    "é",
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The experiment, and its finished result with an unfinished extension beside it."""
    root = tmp_path_factory.mktemp("mutations")
    path = root / "question.toml"
    path.write_text(EXPERIMENT)
    assert run_batch(path, workers=1, out=root / "results" / "r", build=small) == 0
    shutil.copytree(root / "results" / "r", root / "longer")
    longer = root / "longer.toml"
    longer.write_text(EXPERIMENT.replace("replications = 3", "replications = 9"))
    with pytest.raises(KeyboardInterrupt):
        run_batch(longer, workers=1, out=root / "longer", build=stopping(40), block_size=7)
    return root


def places(content, path=()):
    """The paths of all that a manifest holds."""
    yield path
    held = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in held:
        yield from places(value, (*path, key))


def mutated_manifest(text, chance):
    """Something taken away, replaced, named otherwise, nested deeply or cut."""
    content = json.loads(text)
    kind = chance.choice(["lose", "replace", "replace", "rename", "nest", "cut", "bytes"])
    if kind == "cut":
        return text[: chance.randrange(len(text))]
    if kind == "bytes":
        place = chance.randrange(len(text))
        return text[:place] + chr(chance.randrange(1, 256)) + text[place + 1 :]
    outer = ["experiment", "scenarios", "worlds", "record", "horizon", "seeds", "files", "columns", "claims"]
    paths = [path for path in places(content) if path and chance.random() < (1.0 if path[0] in outer else 0.05)]
    *above, last = chance.choice(paths)
    held = content
    for key in above:
        held = held[key]
    if kind == "lose":
        del held[last]
    elif kind == "replace":
        held[last] = chance.choice(OTHERS)
    elif kind == "rename" and isinstance(held, dict):
        held[f"{last}x"] = held.pop(last)
    else:
        mark = json.dumps("here" * 9)
        held[last] = json.loads(mark)
        return json.dumps(content).replace(mark, "[" * 100_000 + "]" * 100_000)
    return json.dumps(content)


def mutated_table(text, chance):
    """A cell, a line, a column or the separator is another one."""
    lines = [line.split(",") for line in text.splitlines()]
    row, column = chance.randrange(len(lines)), chance.randrange(len(lines[0]))
    kind = chance.choice(["cell", "cell", "cell", "head", "lose", "twice", "column", "cut", "separator", "encoding"])
    if kind == "cell":
        lines[row][column] = chance.choice(CELLS)
    elif kind == "head":
        lines[0][column] = chance.choice([*CELLS, *lines[0]])
    elif kind == "lose":
        del lines[row]
    elif kind == "twice":
        lines.append(lines[row])
    elif kind == "column":
        for line in lines:
            del line[column]
    new = "\n".join((";" if kind == "separator" else ",").join(line) for line in lines) + "\n"
    new = new[: chance.randrange(len(new))] if kind == "cut" else new
    return new.encode("utf-16" if kind == "encoding" else "utf-8")


def read_by_all(root, folder, path):
    """What each verb that reads a result says of it: nothing, or its sentences."""
    base = root / "results" / "r"
    asked = Question(at=["final", "2030", "mean"], reach=[f"{SHARE}>=0.5"], points=True)
    verbs = {
        "compare": lambda: compare([base, folder], asked),
        "partial": lambda: compare([folder, base], Question(partial=True)),
        "bare": lambda: compare([base / "runs.csv", folder / "runs.csv"], Question()),
        "idle": lambda: idle_in_results([folder]),
        "exact": lambda: identical([base, folder]),
        "series": lambda: picture_of([str(folder)], [], None, None, None),
        "heat map": lambda: picture_of([str(folder)], [f"{SHARE}@2030"], "subsidy.annual", "config", None),
        "dots": lambda: picture_of([str(folder)], [], "controls.severity", None, None),
        "sensitivity": lambda: sensitivity(folder, [SHARE]),
        "discover": lambda: discover(folder, f"{SHARE} >= 0.5"),
        "report": lambda: write_report([read_answer(folder)], root / "told"),
        "validate": lambda: validate(folder),
        "rerun": lambda: row_of(open_result(folder), "no-controls-3-0-2"),
        "review": lambda: reviewed(str(folder), None),
        "band": lambda: [background.band(name, [SHARE]) for name in background.batches()],
        "batch": lambda: run_batch(path, workers=1, out=folder, build=small),
    }
    for verb, read in verbs.items():
        try:
            read()
        except (BadInput, Incomplete) as fault:
            for problem in fault.problems:
                assert problem.strip() and "Traceback" not in problem and len(problem) < 3000, (verb, problem)


@pytest.mark.parametrize("number", range(100))
def test_a_damaged_result_is_read_or_refused_with_a_sentence(whole, tmp_path, monkeypatch, number):
    chance = random.Random(number)
    folder = tmp_path / "results" / "damaged"
    what = ("manifest.json", "runs.csv", "series.csv", "blocks")[number % 4]
    shutil.copytree(whole / "longer" if what == "blocks" else whole / "results" / "r", folder)
    if what == "blocks":
        [held] = folder.glob(f"{UNFINISHED}*")
        file = chance.choice(sorted(held.iterdir()))
        content = file.read_bytes()
        if file.suffix == ".block" or chance.random() < 0.3:
            place = chance.randrange(len(content))
            file.write_bytes(content[:place] + chance.choice([b"", b"x", b"\n", content]) + content[place + 1 :])
        else:
            file.write_text(mutated_manifest(content.decode(), chance))
    elif what == "manifest.json":
        file = folder / what
        text = mutated_manifest(file.read_text(), chance)
        with suppress(ValueError, RecursionError, AttributeError, TypeError):  # else the digest tells
            text = signed(json.loads(text)) if chance.random() < 0.8 else text
        file.write_text(text)
    else:
        file = folder / what
        file.write_bytes(mutated_table(file.read_text(), chance))
        if chance.random() < 0.8:  # else the hash tells
            vouch(folder)
    monkeypatch.chdir(tmp_path)
    read_by_all(whole, folder, whole / ("longer.toml" if what == "blocks" else "question.toml"))
