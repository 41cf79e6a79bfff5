"""README and the pages of docs/: what they quote is what the program and the answers say, and what they show works."""

import re
import shlex

import pytest
from support.pages import PAGES, README, TYPED, blocks, lines, name
from support.paths import ROOT
from typer.main import get_group

from sim.cli import app
from sim.description import quotes, reference
from sim.experiment.file import load_experiment
from sim.scenario.events import KINDS, Event
from sim.scenario.loading import load_config
from sim.study.search.file import load_search
from sim.world.evidence import read_parameters

SLOW = ("compared", "reviewed", "critical")  # what takes a run of the program
QUOTING = quotes.quoting(ROOT)
TOLD = [page for page in PAGES if page.parent.name in (ROOT.name, "start", "how-to", "evidence")]  # what people wrote
COMMANDS = [(page, line) for page in PAGES for line in lines(page) if TYPED.match(line)]
TOML = [(page, block) for page in PAGES if page.parent.name != "how-to" for block in blocks(page.read_text(), "toml")]


def test_the_front_page_is_short():
    assert len(README.read_text().splitlines()) <= 150


def test_it_gives_the_line_that_ci_runs():
    (line,) = [line for line in lines(README) if line.endswith("uv run python tests/check.py")]
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == line


@pytest.mark.parametrize("page", reference.PAGES)
def test_the_reference_is_what_the_code_would_write(page):
    written = (ROOT / f"docs/reference/{page}.md").read_text()
    assert written == reference.PAGES[page](), "run `uv run python -m sim.description.reference`"


def test_every_verb_parameter_and_kind_of_event_is_in_the_reference():
    texts = {page: (ROOT / f"docs/reference/{page}.md").read_text() for page in reference.PAGES}
    verbs = list(reference.callbacks(get_group(app), "decoupling"))
    assert len(verbs) >= 18 and texts["commands"].count("\n## ") == len(verbs)
    parameters = read_parameters(ROOT / "configs/evidence/parameters.toml")
    assert all(f"### `{key}`\n" in texts["parameters"] for key in parameters) and len(parameters) > 120
    assert all(f"| `{kind}` |" in texts["events"] for kind in (*KINDS, *Event.model_fields))


def without_slow(text):
    """A page without what takes a run of the program to make."""
    named = re.compile(rf"<!-- generated: ({'|'.join(SLOW)}) -->.*?<!-- end -->", re.DOTALL)
    return named.sub("", text)


@pytest.mark.parametrize("place", QUOTING)
def test_what_is_quoted_is_what_the_answers_say(place):
    text = without_slow(QUOTING[place])
    assert quotes.rewritten(text, place, ROOT) == text, "run `uv run python -m sim.description`"


@pytest.mark.parametrize("part", ["compared", "reviewed", pytest.param("critical", marks=pytest.mark.long)])
def test_what_is_shown_is_what_the_program_says(part):
    shown = {found[0] for text in QUOTING.values() for found in quotes.PART.finditer(text) if found[2] == part}
    assert shown
    for text in shown:
        assert quotes.rewritten(text, "README.md", ROOT) == text, "run `uv run python -m sim.description`"


def test_a_changed_figure_is_seen():
    text = QUOTING["README.md"].replace(quotes.inside(ROOT, "one", "90"), "103 of 103")
    assert text != QUOTING["README.md"]
    assert quotes.rewritten(text, "README.md", ROOT) == QUOTING["README.md"]


def test_figures_come_from_the_committed_pages(tmp_path):
    """By a page made by hand: how many lie inside, and what the fit left."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/calibration.md").write_text(
        "| ahead | forecaster | group | inside 50 % | inside 80 % | inside 90 % |\n|---|---|---|---|---|---|\n"
        "| one year ahead | last value | all groups | 1 of 9: 11% (1 to 2) | 2 of 9: 2% | 3 of 9: 3% (1 to 2) |\n"
        "| one year ahead | model | all groups | 4 of 9: 44% (1 to 2) | 5 of 9: 5% (1 to 2) | 6 of 9: 6% (1 to 2) |\n"
        "| `base.line_cost` | years | 2.7 to 9 | 5.75 / 7.87 / 8.89 | 0.54 | 0.48 |  |\n"
        "| tools | 2022 | bn USD a year | 28.27 | 26.02 / 34.62 / 42.85 | no | +1.46 |\n"
        "| tools | 2023 | bn USD a year | 36.6 | 28.73 / 41.4 / 54.07 | yes | +0.68 |\n"
    )
    (tmp_path / "experiments/two.md").write_text(
        "# Is it?\n\n*Predicted before running:* No.\n\nIt is, [see](three.md).\n\n![it](two.svg)\n\n"
        "| what is varied | bite | total |\n| :-- | --: | --: |\n| luck alone | −8 | 1 |\n"
        "| parameters that fit the record | −7 points (−13 to −3) | 3 points (−2 to 9) |\n"
    )
    page = (
        "<!--= inside one 50 -->9<!--/--> <!--= inside one 90 --><!--/--> <!--= left base.line_cost --><!--/--> "
        "<!--= met tools 2022 --><!--/--> <!--= outside --><!--/--> "
        "<!--= effect two total --><!--/-->\n<!-- generated: answer two -->\n<!-- end -->\n"
    )
    written = quotes.rewritten(page, "docs/start/a.md", tmp_path)
    assert re.sub(r"<!--.*?-->", "", written).split("\n") == [
        "4 of 9 6 of 9 7.9 (5.8 to 8.9) 34.6 against 28.3 seen 1 of 2 3 points (−2 to 9)",
        "",
        "",
        "*[Is it?](../../experiments/two.md)* It is, [see](../../experiments/three.md).",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize("page", TOLD, ids=name)
def test_no_answer_is_typed(page):
    """A difference in points, or a figure with its interval, stands where a program puts it."""
    text = re.sub(
        r"<!-- generated: .*?<!-- end -->|<!--= .*?<!--/-->|^```.*?^```", "", page.read_text(), flags=re.S | re.M
    )
    assert re.findall(r"\d\.\d+ points\b|\d \(-?\d+(?:\.\d+)? to -?\d+(?:\.\d+)?\)", text) == []


@pytest.mark.parametrize(
    ("page", "block"), TOML, ids=[f"{name(page)}-{number}" for number, (page, _) in enumerate(TOML)]
)
def test_examples_of_files_are_some(page, block, tmp_path):
    """Configs, experiments and searches are read; events alone stand on top of `historic`."""
    path = tmp_path / "example.toml"
    if "[search]" in block:
        path.write_text(block)
        assert load_search(path).runs > 0
    elif re.search(r"^question = ", block, re.MULTILINE):
        path.write_text(block)
        assert load_experiment(path).run_count > 0
    elif "[[event]]" in block or re.search(r"^purpose = ", block, re.MULTILINE):
        head = "" if re.search(r"^purpose = ", block, re.MULTILINE) else 'purpose = "x"\nextends = "historic"\n'
        path.write_text(head + block)
        assert load_config(path).purpose


def test_examples_say_what_they_are_said_to():
    (many,) = blocks((ROOT / "docs/start/many-runs.md").read_text(), "toml")
    assert '"ensemble"' in many and "samples = 200" in many and "replications = 10" in many
    (least,) = blocks((ROOT / "docs/start/least-cost.md").read_text(), "toml")
    assert len(least.splitlines()) == 10


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[f"{name(page)}: {line}" for page, line in COMMANDS])
def test_commands_have_options_that_there_are(page, command):
    words = shlex.split(command.partition("decoupling ")[2])
    verb = " ".join(words[: 2 if words[0] == "study" else 1])
    callback = dict(reference.callbacks(get_group(app), "decoupling"))[f"decoupling {verb}"]
    options = set(re.findall(r"`(--[\w-]+)", reference.verb(verb, callback)))
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options
