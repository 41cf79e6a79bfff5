"""The page without a server: which futures it holds, that they are the program's own, and where it may be written."""

import os

import pytest
from support.browsing import visited
from support.paths import ROOT

from sim import futures
from sim.cli import app
from sim.errors import BadInput
from sim.live import export, learn

LEVERS = [
    {"key": "words", "choices": ["one", "other"], "value": "one", "effect": True},
    {"key": "number", "choices": [], "low": 0.0, "high": 100.0, "value": 10.0, "effect": True},
    {"key": "idle", "choices": [], "low": 0.0, "high": 1.0, "value": 0.0, "effect": False},
]
PRESETS = [
    {"id": "as-it-is", "set": {}, "acts": []},
    {"id": "half", "set": {"number": 50.0}, "acts": []},
    {"id": "act", "set": {"words": "other"}, "acts": [{"kind": "truce"}]},
]


def test_levels_and_policies():
    settings = {"levers": LEVERS, "presets": PRESETS}
    levels = export.levels(settings)
    assert levels == {"words": ["one", "other"], "number": [0.0, 10.0, 25.0, 50.0, 75.0, 100.0]}
    settings["still"] = {"levels": levels}
    assert list(export.policies(settings)) == [
        ({}, []),
        ({"number": 50.0}, []),
        ({"words": "other"}, ["act"]),
        ({"words": "other"}, []),
        ({"number": 0.0}, []),
        ({"number": 25.0}, []),
        ({"number": 75.0}, []),
        ({"number": 100.0}, []),
    ]


def test_it_shows_the_numbers_of_the_program(chromium, tmp_path, monkeypatch):
    few = [({}, []), ({"subsidy.annual": 200.0}, [])]
    monkeypatch.setattr(export, "policies", lambda settings: few)
    said = export.export("historic", tmp_path / "page")
    assert said.startswith(f"{tmp_path}/page/index.html: 2 policies of historic with 32 futures each, ")
    assert sorted(path.name for path in (tmp_path / "page").iterdir()) == ["index.html", "learn.html"]
    found = futures.answer({"config": "historic", "set": {"subsidy.annual": 200}})
    sentence = "".join(part["text"] for part in found["sentence"])
    last = [f"{100 * found[world]['domestic_supply_share']['median'][-1]:.1f} %" for world in ("policy", "base")]
    place = f"file://{tmp_path}/page/"
    with visited(chromium, f"{place}index.html?subsidy.annual=200", place) as page:
        page.wait_for_selector(".main-chart text.end", state="attached")
        assert page.locator(".main-chart text.end").all_text_contents() == last
        assert page.inner_text(".sentence") == sentence
        page.click("text=Learn")
        page.wait_for_selector("h1:has-text('how to read it')")


def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadInput, match=r"^--export = '.*/file': is a file; give a folder$"):
        export.export("historic", tmp_path / "file")
    with pytest.raises(BadInput, match=r"/file/within: cannot be written: .*; give another --export$"):
        export.export("historic", tmp_path / "file" / "within")
    assert (tmp_path / "file").read_text() == "mine"
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "notes.txt").write_text("mine")
    export.prepare(kept)
    assert os.listdir(kept) == ["notes.txt"]


def test_the_option_is_told_of_a_bad_name(capsys):
    with pytest.raises(BadInput, match=r"--export = ''"):
        app(["view", "--export", ""], standalone_mode=False)


def test_the_tour_says_what_the_authors_of_the_answers_say():
    tour = learn.tour()
    [returns] = [each for each in tour if each["question"] == "What do subsidies bring?"]
    assert returns["query"] == "?from=2021-Q1&subsidy.annual=300"
    page = (ROOT / "experiments/returns.md").read_text().split("\n\n")
    assert returns["sentence"] == page[1].replace("\\", "")
    assert all("_" not in each["sentence"] and each["sentence"].endswith((".", ".)")) for each in tour)
