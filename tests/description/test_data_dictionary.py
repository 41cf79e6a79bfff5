"""The data dictionary is what the code does."""

import re

import numpy as np
from support.paths import ROOT

from sim.description import data as data_dictionary
from sim.measures import HEADLINE, Measure, catalogue, firms
from sim.recorder import Recorder
from sim.study.review import COLUMNS
from sim.world.world import DEFAULT_WORLD, load_world

FILE = ROOT / "docs/reference/data.md"


def test_it_is_what_the_code_would_write():
    written = FILE.read_text()
    assert written == data_dictionary.text(), "run `uv run python -m sim.description.data`"


def test_every_measure_is_in_it():
    text = FILE.read_text()
    world = load_world(DEFAULT_WORLD)
    names = set(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE))
    slices = {word: world.column(table, "id") for word, table in
              (("SEGMENT", "segments"), ("INPUT", "inputs"), ("STATE", "states"))}  # fmt: skip
    slices["FIRM"] = list(firms(world))
    expanded = set()
    for name in names:
        forms = [name]
        for word, held in slices.items():
            forms = [form.replace(word, part) for form in forms for part in (held if word in form else [""])]
        expanded.update(forms)
    assert set(HEADLINE) <= names and set(catalogue(world)) <= expanded


def test_units_and_keys_stand_there():
    text = FILE.read_text()
    assert "| `chip_market` | bn yuan a year | flow |" in text
    assert "| `parameter_set` | number |" in text and "| `@2030` | in 2030 | all |" in text


def test_every_column_of_a_comparison_and_of_a_review_is_in_it():
    """By the header of each file that `compare --out` writes."""
    held = {name for columns in data_dictionary.COMPARED.values() for name in columns}
    assert held | {"push"} == set(data_dictionary.MEANINGS)
    text = FILE.read_text()
    for file, columns in data_dictionary.COMPARED.items():
        for name in columns:
            rows = re.findall(rf"^\| `{name}` \| (.*?) \|", text, re.MULTILINE)
            assert any(row == "all" or f"`{file}`" in row for row in rows), name
    assert all(f"| `{name}` | {meaning} |" in text for name, meaning in COLUMNS.items())


def test_a_year_is_made_of_quarters_as_it_says():
    """A small record by hand: two measures over four quarters."""
    taken = {("passes", None): [1.0, 2.0, 3.0, 4.0], ("held", None): [10.0, 20.0, 30.0, 40.0]}
    recorder = object.__new__(Recorder)
    recorder._taken = {key: [np.array([each]) for each in column] for key, column in taken.items()}
    recorder._first = 0
    kinds = {"flow": 10.0, "ratio": 10 / 100, "mean": 2.5, "stock": 4.0}
    recorder.measures = [
        Measure(kind, "", kind, "", "", "none", ("passes", None), ("held", None) if kind == "ratio" else None)
        for kind in kinds
    ]
    dates, values = recorder.values("year")
    assert dates == ["2020-12-31"] and values[0, 0].tolist() == [*kinds.values()]
    dates, values = recorder.values("quarter")
    assert dates[0] == "2020-03-31" and values[0, 0].tolist() == [4.0, 0.1, 1.0, 1.0]
