"""What reports call things: the names of a world whatever its ids are, indices, unknowns, runs that end early."""

import re

import pytest
from support.made_results import scenario, write
from support.made_study import answered, sampled

from sim import load_config
from sim.compare.words import behind, told_in
from sim.results.manifest import KeptWorld
from sim.study.plot.words import Words
from sim.study.report.answer import read_answer
from sim.study.report.brief import brief_of
from sim.study.report.head import head_of
from sim.study.report.one_effect import one_effect
from sim.study.report.pages import sections
from sim.study.report.short import paragraph
from sim.world.everyday import everyday
from sim.world.world import in_passing

KEY = re.compile(r"[a-z]_[a-z]|[a-z]\.[a-z]+_")
WORLD = {
    "name": "elsewhere",
    "hash": "0" * 64,
    "assumed": True,
    "goods": "pumps",
    "goal": None,
    "states": ["x1", "x2"],
    "roles": {"x1": "target", "x2": "lead"},
    "segments": ["s_1", "s_2"],
    "inputs": ["i_1"],
    "names": {"x1": "Ruritania", "x2": "Zenda", "s_1": "AI pumps", "s_2": "Heavy pumps", "i_1": "Core IP"},
    "tables": {},
}
SHARE, PRICE = "domestic_supply_share", "price_index"
MEASURES = [PRICE, f"{PRICE}.s_1", f"{PRICE}.s_2", f"{SHARE}.s_1"]
POINTS = [{"research.supplier_catch_up": 0.0}, {"research.supplier_catch_up": 0.5}]
# By point and seed: the price index 1.0 and 1.02, then 1.2 and 1.24; a segment alike, the other half of it.
VALUES = [(1.0, 1.02), (1.2, 1.24)]


def elsewhere(folder, labels=None, ends=("2035", "2035")):
    """A result in another world, with an index as its main measure; `ends` are the last years by point."""
    outcomes = [f"{name}@{at}" for name in MEASURES for at in ("end", "2025", "2030", "peak")]
    runs = [["run_id", "config", "parameter_set", "seed", *POINTS[0], "status", *outcomes]]
    series = [["run_id", "config", "parameter_set", "seed", "date", *MEASURES]]
    for place, point in enumerate(POINTS):
        for seed in (1, 2):
            keys = [f"neutral-{place + 1}-0-{seed}", "neutral", 0, seed]
            value = VALUES[place][seed - 1]
            held = [value, value, value / 2, 0.1]
            runs.append([*keys, *point.values(), "done", *(each for each in held for _ in range(4))])
            series.append([*keys, f"{ends[place]}-12-31", *held])
    texts = ["".join(",".join(map(str, row)) + "\n" for row in table) for table in (runs, series)]
    index = {"unit": "2020 = 1", "meaning": "made up", "direction": "lower", "kind": "mean"}
    share = {"unit": "0 to 1", "meaning": "made up", "direction": "higher", "kind": "ratio"}
    note = {name: share if name.startswith(SHARE) else index for name in MEASURES}
    experiment = {
        "name": "elsewhere",
        "question": "What do prices do?",
        "configs": ["neutral"],
        "replications": 2,
        "design": {"kind": "list", "points": POINTS},
        "factors": {},
        "swept": [*POINTS[0]],
        "record": {"every": "year", "measures": MEASURES},
    }
    if ends[0] != ends[1]:
        experiment["stop"] = {"when": f"{PRICE} >= 1.1"}
    kept = scenario("neutral", values={"controls.mode": "events"})
    return write(
        folder,
        texts[0],
        "neutral",
        texts[1],
        experiment=experiment,
        seeds=[1, 2],
        record={"every": "year", "measures": MEASURES},
        scenarios={name: {**held, "world": "elsewhere"} for name, held in kept.items()},
        worlds={"elsewhere": WORLD},
        labels=labels or {},
        columns={**note, **{name: note[name.partition("@")[0]] for name in outcomes}},
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Memory", "memory"),
        ("AI accelerators", "AI accelerators"),
        ("Core IP", "core IP"),
        ("06 Mining", "06 Mining"),
        ("", ""),
    ],
)
def test_a_name_in_passing_keeps_what_is_an_abbreviation(name, said):
    assert in_passing(name) == said


@pytest.mark.parametrize("config", ["historic", "crop-seeds", "synthetic"])
def test_nothing_that_a_world_says_in_passing_is_an_id(config):
    world = load_config(config).world
    said = {id: world.spoken(id) for id in (*world.segments, *world.inputs)}
    assert not [words for words in said.values() if "_" in words or not words]
    assert (
        world.spoken("maize" if config == "crop-seeds" else world.segments[0])
        == {
            "historic": "leading logic",
            "crop-seeds": "maize seed",  # its name; the id is the plant
            "synthetic": "coal mining",
        }[config]
    )


def test_all_of_a_report_has_the_names_of_its_world(tmp_path):
    found = read_answer(elsewhere(tmp_path / "elsewhere"))
    text = "\n".join([paragraph(found), brief_of(found, head_of(found)).markdown()])
    (parts,) = (section for section in sections(found) if section.title.startswith("By part"))
    assert [row[0] for row in parts.rows] == ["AI pumps", "Heavy pumps"]
    others = next(section for section in sections(found) if section.title.startswith("Other measures"))
    assert [row[0] for row in others.rows][-1] == "Domestic supply share: AI pumps, %"
    text += "\n".join(f"{section.title} {section.lines} {section.rows}" for section in sections(found))
    assert not KEY.search(text) and "s_1" not in text and "chip" not in text
    assert "stocks and re-exports of pumps" in text and "Ruritania's own alone" in text


def test_an_unknown_is_called_as_in_everyday_life_with_the_names_of_its_world(tmp_path):
    said = paragraph(read_answer(elsewhere(tmp_path / "elsewhere")))
    assert "How fast home toolmakers catch up at 0.5 instead of 0 raises it by" in said
    assert everyday("Ruritania", "pumps")["security.goal"] == "how much more Ruritania wants to make when cut off"
    words = Words([], {"i_1": "Core IP"})
    assert words.key("research.effect.i_1") == "research effect, core IP"


def test_an_index_is_told_by_its_level_in_2020(tmp_path):
    found = read_answer(elsewhere(tmp_path / "elsewhere"))
    said = paragraph(found)
    # 1.00 and 1.02: the median is 1.01, and 5 to 95 % of two runs lie at 1.001 and 1.019
    assert "the price index is 1.010 times its level in 2020 (1.001 to 1.019)" in said
    # 0.20 and 0.22: a mean of 0.21 with a standard error of 0.01, and 12.7 times that on either side
    assert "raises it by 0.21 of its level in 2020 (0.08 to 0.34)" in said
    rows = [cell for section in sections(found) for row in section.rows for cell in row]
    assert not [cell for cell in (*rows, said) if re.search(r"\d 2020 = 1", cell)]
    assert told_in("2020 = 1") == (1.0, "of its level in 2020") and behind("2020 = 1") == "times its level in 2020"


def test_runs_that_end_early_are_not_of_the_last_year(tmp_path):
    found = read_answer(elsewhere(tmp_path / "elsewhere", ends=("2035", "2030")))
    said = paragraph(found)
    assert said.startswith("In the last year of each run the price index")
    assert "raises it by" in said and "(runs end on different dates, so that it may be the time alone)" in said
    headers = [cell for section in sections(found) for cell in section.header]
    assert "last year" in headers and "2035" not in headers


def test_labels_that_two_values_share_tell_nothing_apart(tmp_path):
    key = "research.supplier_catch_up"
    alike = {f"{key} = 0": "the same", f"{key} = 0.5": "the same"}
    found = read_answer(elsewhere(tmp_path / "elsewhere", labels=alike))
    assert len({case.label for case in found.cases}) == 2 and "the same" not in paragraph(found)
    told = {f"{key} = 0": " slow ", f"{key} = 0.5": "fast"}
    assert [case.label for case in read_answer(elsewhere(tmp_path / "told", labels=told)).cases] == ["slow", "fast"]


def test_a_small_sample_says_that_it_is_small_and_names_no_key(tmp_path):
    answered(tmp_path, "small", sampled('"research.supplier_catch_up" = { low = 0.2, high = 1.0 }'))
    found = read_answer(tmp_path / "results/small")
    brief = brief_of(found, head_of(found))
    assert "The sample is too small to tell these parts well" in brief.paragraph
    assert [what for what, _ in head_of(found).numbers] == [
        "Domestic supply share in 2035: sampled points of no controls",
        "Part of the variance of no controls that goes with: subsidy",
    ]
    assert brief.numbers.title == "In two numbers"
    part = dict(head_of(found).numbers)["Part of the variance of no controls that goes with: subsidy"]
    assert f"subsidy ({part.partition(' %')[0]} % of the variance" in brief.paragraph  # one number, rounded once
    told = [f"{section.title} {section.header} {section.rows}" for section in sections(found)]
    assert not KEY.search(" ".join(told)) and "how fast home toolmakers catch up (" in brief.paragraph
    assert "points of a sample with 1 config" in str([section.lines for section in sections(found)])


def test_numbers_of_one_effect_fit_a_telephone(tmp_path):
    """Four narrow columns, and no unit in a cell: a table for each question."""
    head = "value,measure,unit,year,of,less,effect,reading,over,low,middle,high\n"
    rows = [
        f"headline,{SHARE},0 to 1,2035,strict,none,{effect},{reading},{over},{low},{middle},{high}\n"
        for reading, over in (("own", 20), ("fitted", 256))
        for effect, low, middle, high in (
            ("bite", -0.11, -0.08, -0.05),
            ("answer", 0.02, 0.05, 0.08),
            ("total", -0.06, -0.03, 0.0),
        )
    ]
    for name in ("first", "second"):
        (tmp_path / f"{name}-numbers.csv").write_text(head + "".join(rows))
    page = one_effect(tmp_path, {"first": "First?", "second": "Second?"}, KeptWorld.model_validate(WORLD))
    assert "### [First?](first.md)\n\nStrict, against none.\n" in page and "### [Second?](second.md)" in page
    lines = [line for line in page.splitlines() if line.startswith("| the model’s own")]
    assert lines[0].endswith("luck alone (20 runs) | −8 (−11 to −5) | 5 (2 to 8) | −3 (−6 to 0) |")
    assert len(lines) == 2
    assert "Ruritania pushes for pumps of its own" in page
