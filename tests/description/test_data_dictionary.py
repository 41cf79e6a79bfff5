"""The data dictionary is what the code does."""

import re

from support.paths import ROOT

from sim.description import data as data_dictionary
from sim.measures import HEADLINE, catalogue, firms
from sim.world.world import DEFAULT_WORLD, load_world

FILE = ROOT / "docs/DATA.md"


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
