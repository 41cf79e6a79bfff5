"""Pictures of studies: which rows, marks and words they are made of, by hand; nothing is cut."""

import math
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from support.made_study import SHARE, made_study

from sim import load_config
from sim.experiment.conditions import Condition
from sim.results.figure import stacked
from sim.study.calibration.report import Learnt, Met
from sim.study.calibration.report import figure as calibration_figure
from sim.study.discovery import Box, Discovery, Goal, Limit
from sim.study.outcomes import read_batch
from sim.study.plot.boxes import picture_of_boxes
from sim.study.plot.figure import draw
from sim.study.plot.picture import Panel, Picture, Style, row
from sim.study.plot.rankings import MOST_FACTORS, picture_of_ranking
from sim.study.plot.seen import against_seen, series_in_words
from sim.study.report.answer import read_answer
from sim.study.report.figure import figure, pictures
from sim.study.review import Spot, picture
from sim.study.sensitivity import Index
from sim.study.validation.observations import Observation
from sim.study.validation.scores import Forecast

OUTCOME = f"{SHARE}@end"


@pytest.fixture
def batch(tmp_path):
    return read_batch(made_study(tmp_path / "made-up"))


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def index(factor, name, value, low=None, high=None):
    return Index("neutral", "", OUTCOME, factor, name, value, low, high)


def test_a_ranking_has_the_largest_first_with_the_level_of_noise(batch):
    shares = [index("controls.severity", "share of variance", 0.2, 0.1, 0.3)]
    shares += [index("subsidy.annual", "share of variance", 0.7, 0.6, 0.8)]
    pawn = [index("controls.severity", "PAWN", 0.15), index("subsidy.annual", "PAWN", 0.4)]
    noise = [index("(dummy)", "share of variance", 0.05), index("(dummy)", "PAWN", 0.12)]
    drawn = picture_of_ranking([*shares, *pawn, *noise, index("(seeds)", "share of variance", 0.01)], batch)
    ranked, companion = drawn.panels
    assert [line.label for line in ranked.lines] == ["subsidy", "severity of controls"]
    assert [float(line.band.middle[0]) for line in companion.lines] == [0.4, 0.15]
    assert (ranked.mark, companion.mark) == (0.05, 0.12)
    assert [float(end[0]) for end in (ranked.lines[0].band.low, ranked.lines[0].band.high)] == [0.6, 0.8]
    assert drawn.title == "Domestic supply share in 2035: what moves it"
    assert "subsidy" in texts(draw(drawn, "svg").decode())
    assert picture_of_ranking(noise, batch) is None


def test_many_factors_and_rankings_are_said(batch):
    both = ("total", "first order")
    many = [index(f"research.effect.kind_{n}", name, n / 100, 0, 1) for n in range(20) for name in both]
    drawn = picture_of_ranking(many, batch)
    assert len(drawn.panels[0].lines) == MOST_FACTORS and "the first 12 of 20 factors" in drawn.subtitle
    assert drawn.panels[0].lines[0].label == "research effect, kind 19"
    configs = [Index(f"c{n}", "", OUTCOME, "a", name, 0.5) for n in range(10) for name in both]
    drawn = picture_of_ranking(configs, batch)
    assert len(drawn.panels) == 16 and drawn.notes == ("not drawn: 2 rankings of 10; sensitivity.csv has all",)


def test_a_box_is_drawn_as_parts_of_each_range(batch):
    limits = (Limit("controls.severity", 0.25, None), Limit("subsidy.allocation", None, None, ("leader", "market")))
    goals = (Goal(Condition(OUTCOME, ">=", 0.5), 40, 0.1, 0.9),)
    spans = {"controls.severity": (0.0, 1.0), "subsidy.allocation": ("leader", "market", "uniform")}
    found = Discovery(goals, 40, 200, (Box(0.8, 0.9, 36, limits),), spans)
    drawn = picture_of_boxes(found, batch)
    assert drawn.title == "Where “Domestic supply share” in 2035 is at least 50 %"
    (panel,) = drawn.panels
    assert panel.title == "box 1: 90 % of its 36 runs, 80 % of all that do" and panel.whole == (0.0, 1.0)
    number, words = panel.lines
    assert (float(number.band.low[0]), float(number.band.high[0])) == (0.25, 1.0)
    assert number.label == "severity of controls: at least 0.25 (of 0 to 1)"
    assert words.label == "allocation of the subsidy: leader or market" and math.isnan(words.band.low[0])
    assert "allocation of the subsidy: leader or market" in texts(draw(drawn, "svg").decode())
    assert picture_of_boxes(Discovery(goals, 0, 200, (), {}), batch) is None


def test_an_answer_has_its_cases_over_time_and_their_differences_in_words(tmp_path):
    found = read_answer(made_study(tmp_path / "made-up"))
    over, last = pictures(found)
    assert over.kind == "series" and [line.label for line in over.panels[0].lines] == ["0", "0.8"]
    # Set 1 loses 0.10 and 0.12, set 2 0.30 and 0.28: between -0.29 and -0.11.
    (line,) = last.panels[0].lines
    assert line.label == "severity of controls: 0.8"
    assert float(line.band.middle[0]) == pytest.approx(-20)
    assert float(line.band.low[0]) == pytest.approx(-29 + 0.05 * 18)
    assert last.panels[0].mark == 0.0 and "against neutral, severity of controls: 0" in last.subtitle
    said = texts(figure(found))
    assert "Not drawn: 2 cases without buyers' fear of being cut off." in " ".join(said).replace("&#x27;", "'")
    assert not any("program" in text for text in said)  # it changes where the answer does not


def test_figures_under_each_other_keep_their_sizes():
    def one(title):
        panel = Panel("", (row("a", 1.0, 2.0, 3.0),), x_label="points", mark=0.0)
        return draw(Picture("cases", title, "", (panel,), "", "", ()), "svg").decode()

    parts = [one("First"), one("Second")]
    both = ElementTree.fromstring(stacked(parts))
    heights = [float(ElementTree.fromstring(part).get("viewBox").split()[3]) for part in parts]
    assert float(both.get("viewBox").split()[3]) == pytest.approx(sum(heights))
    assert [group.get("transform") for group in both] == ["translate(0 0)", f"translate(0 {heights[0]:g})"]
    assert stacked(parts[:1]) == parts[0]


def test_rows_of_two_groups_share_a_place_and_are_told_in_the_legend():
    lines = (row("a", 1.0, 2.0, 3.0, "held"), row("a", 0.0, 1.0, 2.0, "answering"), row("b", 1.0, 1.0, 1.0, "held"))
    styles = {"held": Style(2, 2, False, 1), "answering": Style(1, 2, False, 0)}
    said = texts(draw(Picture("cases", "T", "", (Panel("", lines),), "", "", (), styles=styles), "svg").decode())
    assert said.count("a") == 1 and {"held", "answering", "b"} <= set(said)


def seen(series, value, date="2022-12-31"):
    return Observation(series, date, value, 0.1, "bn yuan a year", "made up", "fit", 1.0)


def test_figures_are_drawn_as_parts_of_what_was_seen_and_nothing_is_cut():
    line = against_seen("Chip market, 2022", 4.0, (1.0, 2.0, 4.0, 8.0, 40.0))
    assert [float(end[0]) for end in (line.band.low, line.band.middle, line.band.high)] == [0.25, 1.0, 10.0]
    assert line.inner == (0.5, 2.0)
    assert series_in_words("equipment_spending.KOR (growth)", {"KOR": "South Korea"}) == (
        "Equipment spending: South Korea (growth)"
    )
    calibration = SimpleNamespace(name="calibration", content={"config": "historic"}, scenario=load_config("historic"))
    learnt = [
        Learnt("buyers.localisation", 0.0, 2.0, [0.5, 1.0, 1.5], 0.5, "x", 0.0, False, 0.3),
        Learnt("research.effect.etch", -1.0, 1.0, [-0.9, 0.0, 0.9], 1.0, "x", 0.0, True, 0.1),
    ]
    met = [Met(seen("chip_market", 4.0), "g", True, Forecast.of([1.0, 2.0, 4.0, 8.0, 40.0]), 0.0)]
    said = texts(calibration_figure(calibration, learnt, met))
    for words in ("buyers, localisation", "research effect, etch", "Chip market, 2022", "told by the figures"):
        assert words in said


def test_the_review_names_every_item_and_says_the_years():
    def spot(rank, item, years):
        return Spot(rank, item, "equipment", 1.0, 0.9, 0.8, 0.0, 1.0, years, 0.5, 1.0, 2.0, 1, 1, 1)

    world = SimpleNamespace(names={"lithography": "Lithography"}, name="china-2020")
    scenario = SimpleNamespace(world=world, name="published-2020")
    spots = [spot(1, "lithography", 50.0), *(spot(n, f"item_{n}", 3.2) for n in range(2, 24))]
    drawn = picture(spots, scenario, 2020, 1)
    assert drawn.panels[0].y_levels[-1] == "Lithography (50+ years)" and drawn.panels[0].cells[-1, 0] == 0.5
    said = texts(draw(drawn, "svg").decode())
    assert all(f"item {n} (3 years)" in said for n in range(2, 24))
    assert "lead and allies" in said and "could deny" in said  # in lines that have room
