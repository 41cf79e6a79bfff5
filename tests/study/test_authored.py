"""An author's sentences with the numbers of a result: what is said, what has fallen, and what `check` refuses."""

import csv
import io
import re
import shutil
import tomllib
from datetime import date
from xml.etree import ElementTree

import pytest
from support.made_study import CAUTION, HELPS, SHARE, answered, made_study
from support.paths import ROOT
from typer.testing import CliRunner

from sim.cli.study import study
from sim.errors import BadInput
from sim.experiment.answer import MOST_WORDS, Words, condition
from sim.experiment.file import load_experiment
from sim.study.report import readings
from sim.study.report.answer import read_answer
from sim.study.report.drawn import Marks, figure
from sim.study.report.pages import gallery
from sim.study.report.plain import made_by
from sim.study.report.told import Told
from sim.study.report.values import PERCENT, Number, holds
from sim.world.world import load_world

FREE, STRICT = "no control", "a strict control"
LOSS = {"measure": SHARE, "year": 2035, "of": STRICT, "less": FREE}


def words(*sentences, **more):
    """The words of an answer about the made-up study."""
    return Words.model_validate(
        {
            "headline": LOSS,
            "cases": {FREE: {"controls.severity": 0.0}, STRICT: {"controls.severity": 0.8}},
            "values": {"loss": LOSS, "level": {"measure": SHARE, "year": 2035, "of": FREE}},
            "sentences": [{"says": says, "holds": list(conditions)} for says, *conditions in sentences],
            "figure": {"title": "It falls", "axis": "%", "measure": SHARE, "lines": [FREE, STRICT]},
            **more,
        }
    )


@pytest.fixture
def found(tmp_path):
    return read_answer(made_study(tmp_path / "made-up"))


def points(low, middle, high, is_difference=True):
    """A share, as points or per cent."""
    return Number(low, middle, high, 0.5, 100.0, "points" if is_difference else "%", is_difference)


@pytest.mark.parametrize(
    ("number", "form", "said"),
    [
        (points(-0.089, -0.0567, -0.0283), "", "6 points"),  # of a width of 6 points nobody wants a decimal
        (points(-0.089, -0.0567, -0.0283), "range", "3 to 9"),
        (points(-0.089, -0.0567, -0.0283), "change", "6 points lower"),
        (points(-0.028, 0.0214, 0.0633), "range", "3 lower to 6 higher"),
        (points(-0.028, 0.0141, 0.0633), "change", "1 point higher"),
        (points(0.0144, 0.0187, 0.0241), "range", "1.4 to 2.4"),
        (points(0.2, 0.26, 0.32, False), "", "26 %"),
        (points(0.2, 0.26, 0.32, False), "number", "26"),
        (points(0.2, 0.26, 0.32, False), "odds", "5 in 10"),
        (Number(810, 900, 1010, 1, 1, "billion yuan a year", False), "range", "810 to 1,010"),
        (Number(0.0, 0.0, 0.0, 0, 100, "%", False), "", "0 %"),
        (Number(0.1234, 0.1234, 0.1234, 1, 100, "%", False), "", "12 %"),
        (points(0.0, 0.068, 0.42, False), "", "7 %"),  # of a width of 42 it is not told as 10
        (points(0.0, 0.0001, 0.003, False), "range", "0 to 0.30"),
    ],
)
def test_numbers_are_rounded_to_what_their_width_leaves_and_said_with_their_unit(number, form, said):
    assert number.form(form) == said


def test_a_sentence_gets_its_numbers(found):
    # Means of sets at 0.8 less those at 0: -0.11 and -0.29, so the middle is -0.20; at 0 they are 0.41 and 0.49.
    told = Told(words(("It costs {loss}, of {level}.", "loss high < 0", "level > 0.4")), found)
    assert told.paragraph == "It costs 20 points, of 45 %." and told.fallen == [] and told.fallen_in_short == ""


def test_a_value_may_be_of_any_recorded_year(found):
    earlier = {"earlier": {"measure": SHARE, "year": 2034, "of": STRICT}}
    told = Told(words(("It has {earlier}.", "earlier > 0.3"), values=earlier), found)
    assert told.paragraph == "It has 40 %."  # in 2034 all runs have 0.4, which only the series tells


def test_a_sentence_whose_claim_does_not_hold_is_said_to_have_fallen(found):
    told = Told(words(("It helps by {loss}.", "loss > 0"), ("It has {level}.", "level > 0.4")), found)
    assert told.paragraph == "It has 45 %."
    (fallen,) = told.fallen
    assert (
        "that begins “It helps by …” rests on “loss > 0” and has fallen" in fallen
        and "is now 20 points lower (12 to 28)" in fallen
    )
    assert told.fallen_in_short == "(1 sentence of this answer has fallen.)"


@pytest.mark.parametrize(
    ("text", "so"),
    [("loss high < 0", True), ("loss low > -0.2", False), ("level > loss", True), ("-1 <= loss", True)],
)
def test_conditions_compare_values_and_their_ends(found, text, so):
    told = Told(words(("It is.",)), found)
    stated = condition(text, told.words.values)
    assert holds(stated, told.numbers) is so


@pytest.mark.parametrize("text", ["loss", "loss < much", "1 < 2", "loss == 0", "loss middle < 0", ""])
def test_what_states_nothing_is_no_condition(text):
    assert condition(text, {"loss": None}) is None


def test_an_answer_is_at_most_so_many_words(found):
    long = "word " * (MOST_WORDS - 2)
    assert len(Told(words((f"{long}{{loss}}", "loss < 0")), found).paragraph.split()) == MOST_WORDS
    with pytest.raises(BadInput, match="have 121 words with their numbers; an answer has at most 120"):
        _ = Told(words((f"{long}more {{loss}}", "loss < 0")), found).paragraph


def test_a_switch_may_be_off_in_a_case(found):
    off = {
        "cases": {FREE: {"controls.severity": 0.0, CAUTION: False}, STRICT: {"controls.severity": 0.8, CAUTION: False}}
    }
    told = Told(words(("It costs {loss}.", "loss < 0"), **off), found)
    assert told.numbers["loss"].middle == pytest.approx(-0.02)  # set 1: -0.05, set 2: 0.01


def texts_of(svg):
    """The words that a figure shows."""
    return ["".join(each.itertext()) for each in ElementTree.fromstring(svg).iter() if each.tag.endswith("text")]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([date(2023, 1, 1)], "controls from January 2023 on"),
        ([date(2020, 9, 15), date(2022, 10, 7), date(2026, 1, 15)], "controls on 3 dates, 2020 to 2026"),
    ],
)
def test_marks_say_when(days, said):
    assert Marks("controls", tuple(days)).words == said


def test_a_figure_names_its_lines_at_their_ends_and_nothing_is_a_key(found):
    shown = " ".join(texts_of(figure(Told(words(("It is.",)), found))))
    assert FREE in shown and "a strict" in shown and "It falls" in shown
    assert not KEYS.search(shown)


# What `check` refuses.

ANSWERED = (
    HELPS
    + """
[answer.headline]
measure = "domestic_supply_share"
year = 2035
of = "with a subsidy"
less = "without"
[answer.cases]
without = { config = "no-controls", "subsidy.annual" = 0 }
"with a subsidy" = { config = "no-controls", "subsidy.annual" = 400 }
[answer.values]
gain = { measure = "domestic_supply_share", year = 2035, of = "with a subsidy", less = "without" }
cost = { measure = "subsidy_spent", year = "sum", of = "with a subsidy" }
[[answer.sentences]]
says = "It helps by {gain}, for {cost number} billion yuan."
holds = ["gain > 0", "cost > 1000"]
[answer.figure]
title = "What a subsidy brings"
axis = "% of the chips used there"
measure = "domestic_supply_share"
lines = ["without", "with a subsidy"]
"""
)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            '{ measure = "domestic_supply_share", year = 2035,',
            '{ measure = "domestic_suply_share", year = 2035,',
            "answer.values.gain.measure = 'domestic_suply_share': is not recorded (did you mean "
            "'domestic_supply_share'?); recorded are domestic_supply_share, subsidy_spent",
        ),
        (
            "year = 2035, of",
            "year = 2036, of",
            "answer.values.gain.year = 2036: must be from 2020 to 2035, or sum or peak",
        ),
        (
            'of = "with a subsidy", less',
            'of = "with", less',
            "answer.values.gain.of = 'with': must be one of answer.cases",
        ),
        (
            "{gain}",
            "{gian}",
            "answer.sentences 1: {gian}: must be one of answer.values, gain, cost, alone or with range",
        ),
        (
            '"gain > 0", ',
            "",
            "answer.sentences 1: {gain}: no condition in holds is about gain; give the one that it rests",
        ),
        (
            '"gain > 0"',
            '"gain is large"',
            "holds = 'gain is large': must be two of answer.values or numbers with <, <=",
        ),
        ("{gain}", "{gain", "has a brace without its other"),
        (
            '{ config = "no-controls", "subsidy.annual" = 0 }',
            '{ "subsidy.annual" = 0 }',
            "is 2 cases of the design and must",
        ),
        (
            'without = { config = "no-controls"',
            'without = { config = "historic"',
            "config = 'historic': must be one of the",
        ),
        (
            'without = { config = "no-controls", "subsidy',
            'without = { "subsidi',
            "subsidi.annual: is neither config nor a factor",
        ),
        ('"subsidy.annual" = 0 }\n"with', '"subsidy.annual" = 10 }\n"with', "is 0 cases of the design and must be one"),
        (
            'less = "without" }',
            'less = "without", effect = "bite" }',
            "answer.values.gain.effect = 'bite': is of two cases",
        ),
        (
            'lines = ["without",',
            'lines = ["wihout",',
            "answer.figure.lines: 'wihout': must be one of answer.cases, without",
        ),
        ('lines = ["without", "with a subsidy"]', "", "answer.figure: must have lines, names of cases, or rows"),
        ('axis = "% of the chips used there"\n', "", "answer.figure.axis is missing; give a table with title, axis"),
        (
            'says = "It helps by',
            'sais = "It helps by',
            "answer.sentences.0.sais: is not a known key (did you mean 'says'?)",
        ),
        ("It helps by {gain}", "word " * 120 + "{gain}", "answer.sentences: have 125 words; an answer has at most 120"),
    ],
)
def test_check_says_what_is_wrong_with_the_words_of_an_answer(tmp_path, old, new, sentence):
    path = tmp_path / "mine.toml"
    assert old in ANSWERED
    path.write_text(ANSWERED.replace(old, new, 1))
    with pytest.raises(BadInput) as fault:
        load_experiment(path)
    assert any(text.startswith(f"{path}: ") and sentence in text for text in fault.value.problems), fault.value.problems


# A whole answer.


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return answered(tmp_path_factory.mktemp("project"), "mine", ANSWERED)


@pytest.fixture
def reported(project, monkeypatch):
    """The files that a report leaves beside the experiment, by name, with small readings."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(readings, "SEEDS", 3)
    monkeypatch.setattr(readings, "DRAWS", 4)

    def files():
        result = CliRunner().invoke(study, ["report", "mine"])
        assert result.exit_code == 0, result.output
        return {path.name: path.read_bytes() for path in (project / "experiments").iterdir()}

    return files


def test_a_page_is_the_same_when_it_is_made_twice(reported, project):
    first = reported()
    assert set(first) == {
        "mine.toml",
        "mine.md",
        "mine.svg",
        "mine-tables.md",
        "mine-numbers.csv",
        "README.md",
    }
    for folder in (project / "results").glob("mine-*"):
        shutil.rmtree(folder)  # the readings are run again
    (project / "experiments/mine-overturned.svg").write_text("what turned over an answer of before")
    assert reported() == first
    page = first["mine.md"].decode()
    assert page.startswith("# Does a subsidy help?\n\nIt helps by ") and made_by("mine") in page
    rows = {row["value"]: row for row in csv.DictReader(io.StringIO(first["mine-numbers.csv"].decode()))}
    with (project / "results/mine/runs.csv").open() as file:
        runs = [run for run in csv.DictReader(file) if run["config"] == "no-controls"]
    spent = [float(run["subsidy_spent@sum"]) for run in runs if run["subsidy.annual"] == "400"]
    assert float(rows["cost"]["middle"]) == pytest.approx(sum(spent) / 2)  # the median of two seeds
    assert {row["reading"] for row in csv.DictReader(io.StringIO(first["mine-numbers.csv"].decode()))} == {
        "own",
        "drawn",
    }
    assert "(4 draws)" in page and "It helps. | came out" in page
    cases = first["mine-tables.md"].decode()  # by the names of their author, where he gave some
    assert "\n| without | " in cases and "\n| with a subsidy | " in cases and "\n| published 2020 | " in cases


# The answers of this project.

ENDS = ("low", "middle", "high")

AUTHORED = [
    path.stem for path in sorted((ROOT / "experiments").glob("*.toml")) if "[answer.headline]" in path.read_text()
]
KEYS = re.compile(r"\w_\w|\b[a-z]+\.[a-z]+\b|\b\w+-\w+-\w+-\w+\b")


def paragraph_of(name):
    return (ROOT / f"experiments/{name}.md").read_text().split("\n\n")[1]


@pytest.mark.parametrize("name", AUTHORED)
def test_an_answer_opens_in_everyday_words(name):
    said = paragraph_of(name)
    assert len(said.split()) <= MOST_WORDS and not KEYS.search(said), said
    shown = " ".join(texts_of((ROOT / f"experiments/{name}.svg").read_text()))
    assert not KEYS.search(shown), shown
    overturned = ROOT / f"experiments/{name}-overturned.svg"
    assert overturned.exists() == (f"({overturned.name})" in (ROOT / f"experiments/{name}.md").read_text())
    if overturned.exists():
        assert not KEYS.search(" ".join(texts_of(overturned.read_text())))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("two-by-two", "controls on 16 dates, 2020 to 2026"),  # over time: those of configs/historic.toml
        ("compute", "controls on 16 dates, 2020 to 2026"),  # and in rows
        ("bottleneck", "controls from January 2023 on"),
        ("outlook", "what-if from January 2027 on"),  # stricter ones, which no other line has
        ("outlook", "China’s answers on 4 dates, 2023 to 2025"),  # a truce that lifts them is none of these
        ("chain-holds", "controls on 16 dates, 2020 to 2026"),  # which the cut-off has not
        ("chain-holds", "what-if from January 2023 on"),
        ("returns", ""),  # without any
    ],
)
def test_a_figure_says_when_controls_come(name, said):
    shown = " ".join(texts_of((ROOT / f"experiments/{name}.svg").read_text()))
    assert said in shown if said else "controls" not in shown


@pytest.mark.parametrize("name", AUTHORED)
def test_all_answers_are_one_kind_of_page(name):
    text = (ROOT / f"experiments/{name}.md").read_text()
    heads = re.findall("^## (.*)$", text, re.MULTILINE)
    heads = [head for head in heads if head != "If they caused the push, and if not"]
    assert heads == [
        "What the words mean",
        "How sure is this?",
        "What would overturn it",
        "What was predicted, and what came",
        "More",
    ]
    predicted = "prediction" in tomllib.loads((ROOT / f"experiments/{name}.toml").read_text())
    assert ("Written before anything was run: " in text) is predicted
    assert ("No prediction was written down before these runs." in text) is not predicted


@pytest.mark.parametrize("name", AUTHORED)
def test_every_number_of_an_answer_is_in_its_table(name):
    """What the sentences say comes from the numbers beside the page, rounded as they are told."""
    with (ROOT / f"experiments/{name}-numbers.csv").open() as file:
        rows = list(csv.DictReader(file))
    known = set()
    for row in rows:
        ends = [float(row[end]) for end in ("low", "middle", "high")]
        scale = 100.0 if row["unit"] == "0 to 1" else 1.0
        for scaled in (scale, 100.0):  # a part of runs is told in per cent whatever the measure's unit
            unit = PERCENT if scaled == 100.0 else ""
            number = Number(*ends, 0.5, scaled, unit, bool(row["less"]))
            known |= {number.said(end) for end in ("low", "middle", "high")}
    asked = (ROOT / f"experiments/{name}.toml").read_text().partition("[answer.headline]")[2]
    written = set(
        re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", " ".join(re.findall(r'^says = "(.*)"$', asked, re.MULTILINE)))
    )
    said = re.findall(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?", paragraph_of(name))
    assert [number for number in said if number not in known | written] == []


@pytest.mark.parametrize("name", AUTHORED)
def test_what_a_sentence_rests_on_holds_in_the_numbers_beside_it_or_it_is_said_to_have_fallen(name):
    with (ROOT / f"experiments/{name}-numbers.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["value"] != "headline"]
    found = {row["value"]: Number(*(float(row[end]) for end in ENDS), 0, 1, "", False) for row in rows}
    text = (ROOT / f"experiments/{name}.md").read_text()
    for sentence in load_experiment(name).answer.sentences:
        broken = [each for each in sentence.holds if not holds(condition(each, found), found)]
        begins = sentence.says.partition("{")[0]
        assert (begins in text) is not broken, broken
        assert all(f"“{each}”" in text for each in broken) and (not broken or "has fallen" in text)


def test_the_gallery_is_made_of_the_answers_as_they_are():
    folder = ROOT / "experiments"
    asked = [
        path for path in sorted(folder.glob("*.toml")) if {"claims", "answer"} & tomllib.loads(path.read_text()).keys()
    ]
    texts = {path.stem: path.with_suffix(".md").read_text() for path in asked}
    assert (folder / "README.md").read_text() == gallery(texts)


def test_every_unknown_has_plain_words():
    plain = tomllib.loads((ROOT / "configs/evidence/plain.toml").read_text())
    parameters = load_world("china-2020").parameters
    wanted = [name for name, each in parameters.items() if each.role in ("uncertainty", "switch")]
    assert [name for name in wanted if name not in plain] == [] and not any(map(KEYS.search, plain.values()))
