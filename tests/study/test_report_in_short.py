"""What a report says where no author has: on a sweep with one parameter set, whose numbers are worked out by hand."""

import csv
import io
import re

import pytest
from support.made_study import NOTE, SHARE, answered, made_result, sampled
from typer.testing import CliRunner

from sim.cli.study import study
from sim.study.plot.numbers import numbers
from sim.study.report.answer import read_answer
from sim.study.report.brief import brief_of
from sim.study.report.figure import kept_pictures
from sim.study.report.head import head_of
from sim.study.report.pages import sections
from sim.study.report.short import numbers as three
from sim.study.report.short import paragraph

COST = "subsidy_per_point"
POINTS = [{"subsidy.annual": s, "controls.severity": c} for s in (0, 100, 300) for c in (0.0, 0.5)]
# By point the share with seed 1 and with seed 2. The subsidy adds 0.04 and 0.06, then 0.10 and 0.12; the controls take
# 0.05 and 0.07 without a subsidy. Without a subsidy nothing is spent, so that a point has no cost.
SHARES = [(0.20, 0.22), (0.15, 0.15), (0.24, 0.28), (0.18, 0.20), (0.30, 0.34), (0.22, 0.26)]
COSTS = [("", ""), ("", ""), (25.0, 25.0), (30.0, 30.0), (30.0, 30.0), (40.0, 40.0)]
T_95 = 12.706  # Student's t with one degree of freedom, from a table


def sweep(folder, seeds=(1, 2), **changes):
    outcomes = [f"{SHARE}@{at}" for at in ("end", "2025", "2030", "peak")] + [f"{COST}@end"]
    runs = [["run_id", "config", "parameter_set", "seed", *POINTS[0], "status", *outcomes]]
    series = [["run_id", "config", "parameter_set", "seed", "date", SHARE, COST]]
    for place, point in enumerate(POINTS):
        for seed in seeds:
            keys = [f"neutral-{place + 1}-0-{seed}", "neutral", 0, seed]
            share, cost = SHARES[place][seed - 1], COSTS[place][seed - 1]
            runs.append([*keys, *point.values(), "done", *4 * [share], cost])
            series.append([*keys, "2035-12-31", share, cost])
    cost = {"unit": "bn yuan a point", "meaning": "made up", "direction": "lower", "kind": "ratio"}
    units = {"subsidy.annual": {"unit": "bn yuan a year", "meaning": "state money"}}
    experiment = {
        "name": "sweep",
        "question": "What do subsidies bring?",
        "replications": len(seeds),
        "design": {"kind": "list", "points": POINTS},
        "swept": [*POINTS[0]],
    }
    columns = {SHARE: NOTE, COST: cost, **dict.fromkeys(outcomes[:4], NOTE), outcomes[4]: cost, **units}
    return made_result(folder, "neutral", runs, series, experiment, {"controls.mode": "events"}, columns, **changes)


@pytest.fixture
def found(tmp_path):
    return read_answer(sweep(tmp_path / "sweep"))


def table(found, start):
    (section,) = [section for section in sections(found) if section.title.startswith(start)]
    return section


def test_an_interval_over_seeds_is_not_called_a_spread(found):
    over = table(found, "Domestic supply share, %")
    assert over.title.endswith("median (5 to 95 % of 2 runs)")
    assert over.header[4] == "2035 less subsidy: 0 bn yuan a year (95 % interval over seeds)"
    half = 100 * T_95 * 0.01  # 0.10 and 0.12: a mean of 0.11 and a standard error of 0.01
    assert over.rows[4][0] == "subsidy: 300 bn yuan a year"
    number, low, high = map(float, re.findall(r"-?[0-9.]+", over.rows[4][4]))
    assert (number, low, high) == pytest.approx((11, 11 - half, 11 + half), abs=0.5)
    assert {row[-2] for row in found.rows()} == {"95 % interval over seeds"}


def test_what_the_reference_lacks_is_told_of_the_others(found):
    cases = [row for row in found.rows() if row[2] == COST]
    assert [row[4] for row in cases] == [None, None, 25.0, 30.0, 30.0, 40.0]
    assert [row[7] for row in cases] == 6 * [None]  # nothing to take it from
    (cost,) = table(found, "Other measures").rows
    assert cost[0] == "Subsidy per point, bn yuan a point" and cost[1] == ""
    assert cost[2:] == [
        "25.00",
        "subsidy: 100 bn yuan a year",
        "40.00",
        "subsidy: 300 bn yuan a year, severity of controls: 0.5",
    ]


def test_of_one_run_nothing_is_said_of_an_interval(tmp_path):
    found = read_answer(sweep(tmp_path / "one", seeds=(1,)))
    said = paragraph(found)
    assert "which is one run." in said and "so that luck may be in it" in said
    assert "Subsidy at 300 bn yuan a year instead of 0 raises it by 10.00 points." in said
    assert "Severity of controls at 0.5 instead of 0 lowers it by 5.00 points" in said
    assert table(found, "Domestic supply share, %").title.endswith("median (one run)")
    brief = brief_of(found, head_of(found)).markdown()
    told = [*brief.splitlines(), *(line for section in sections(found) for line in section.lines)]
    assert [line for line in told if "of either sign" in line or "rackets" in line or "over seeds" in line] == []


def test_the_paragraph_tells_what_moves_it_most_and_how_far_it_goes(found):
    said = paragraph(found)
    assert said.startswith("In 2035 the domestic supply share is 21.0 % (20.1 to 21.9) in the case “subsidy: 0 bn yuan")
    # with two seeds the intervals are too wide for a sign: 12.7 times the standard error on either side
    assert "Subsidy at 300 bn yuan a year instead of 0 changes it by 11 points, of either sign" in said
    assert "Severity of controls at 0.5 instead of 0 changes it by -6 points, of either sign" in said
    assert "Of all 6 cases it is lowest, 15.00 %, in “subsidy: 0 bn yuan a year, severity of controls: 0.5”" in said
    assert "highest, 32.0 % (30.2 to 33.8), in “subsidy: 300 bn yuan a year”" in said
    assert not re.search(r"[a-z]_[a-z]|[a-z]\.[a-z]", said)  # no key


def test_a_brief_has_three_numbers_and_says_what_it_is_not(found):
    assert [what for what, _ in three(found)] == [
        "Domestic supply share in 2035: subsidy: 0 bn yuan a year, severity of controls: 0",
        "Its change with subsidy at 300 bn yuan a year instead of 0",
        "Its change with severity of controls at 0.5 instead of 0",
    ]
    page = brief_of(found, head_of(found))
    assert "luck alone" in page.trust[0]
    for text in (page.markdown(), page.html()):
        assert "What do subsidies bring?" in text and page.lacking[0] in text and "21.0 % (20.1 to 21.9)" in text


def test_the_verb_writes_the_brief_and_nothing_else(tmp_path):
    folder = sweep(tmp_path / "sweep")
    out = tmp_path / "out"
    result = CliRunner().invoke(study, ["report", str(folder), "--brief", "--out", str(out), "--format", "csv"])
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in out.iterdir())
    assert names == [".written", "brief.html", "brief.md", "sweep.csv", "sweep.png", "sweep.svg"]


def test_the_numbers_of_a_figure_are_those_drawn(found):
    drawn = kept_pictures(found)["sweep-differences"]
    rows = list(csv.DictReader(io.StringIO(numbers(drawn))))
    assert [row["name"] for row in rows][:2] == ["severity of controls: 0.5", "subsidy: 100 bn yuan a year"]
    assert [float(row["middle"]) for row in rows] == pytest.approx([-6, 5, -2, 11, 3])
    heat = list(csv.DictReader(io.StringIO(numbers(kept_pictures(found)["sweep"]))))
    assert [float(row["middle"]) for row in heat if row["x"] == "300"] == pytest.approx([32, 24])


AUTHORED = """
question = "What does money bring?"
prediction = "More chips."
configs = ["no-controls"]
replications = 1
[factors]
"subsidy.annual" = [0, 400]
[record]
every = "year"
measures = ["domestic_supply_share"]
[[claims]]
says = "It adds."
measure = "domestic_supply_share@end"
low = 0.0
terms = [{ "subsidy.annual" = 400 }, { times = -1, "subsidy.annual" = 0 }]
[answer.headline]
measure = "domestic_supply_share"
year = 2035
of = "much money"
less = "none"
[answer.cases]
"much money" = { "subsidy.annual" = 400 }
"none" = { "subsidy.annual" = 0 }
[answer.values]
gain = { measure = "domestic_supply_share", year = 2035, of = "much money", less = "none" }
[[answer.sentences]]
says = "Money brings {gain} more."
holds = ["gain > 0"]
[answer.terms]
much = "400 billion yuan a year"
[answer.figure]
title = "What money brings"
axis = "% made at home"
measure = "domestic_supply_share"
lines = ["much money", "none"]
"""


def test_where_an_author_has_written_the_brief_says_that(tmp_path, monkeypatch):
    answered(tmp_path, "money", AUTHORED)
    monkeypatch.chdir(tmp_path)
    found = read_answer(tmp_path / "results/money")
    runs = list(csv.DictReader((tmp_path / "results/money/runs.csv").read_text().splitlines()))
    none, much = (100 * float(run["domestic_supply_share@end"]) for run in runs)
    head = head_of(found)
    assert re.fullmatch(r"Money brings [\d.]+ points more\.", head.paragraph)
    assert float(re.search(r"[\d.]+", head.paragraph)[0]) == pytest.approx(much - none, rel=0.1)
    assert [what for what, _ in head.numbers] == [
        "Domestic supply share in 2035: much money, against none",
        "Domestic supply share in 2035: much money",
        "Domestic supply share in 2035: none",
    ]
    assert float(head.numbers[2][1].split()[0]) == pytest.approx(none, rel=0.1)
    assert head.figure == "money-answer" and "What money brings" in head.svg and head.png.startswith(b"\x89PNG")
    [row] = csv.DictReader(io.StringIO(head.table))
    assert float(row["middle"]) == pytest.approx((much - none) / 100)
    brief = brief_of(found, head)
    assert "Money brings" in brief.markdown() and "much: 400 billion yuan a year." in brief.markdown()
    assert "What the words mean" in brief.html() and "<li>much: 400 billion yuan a year.</li>" in brief.html()


def test_a_sample_without_cases_is_told_by_its_indices(tmp_path):
    answered(tmp_path, "sampled", sampled('"investment.annual" = { low = 50, high = 300 }'))
    out = tmp_path / "out"
    result = CliRunner().invoke(
        study, ["report", str(tmp_path / "results/sampled"), "--out", str(out), "--format", "csv"]
    )
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["factor"] for row in rows} >= {"subsidy.annual", "investment.annual"}
    assert list(csv.DictReader((out / "report.csv").read_text().splitlines())) == rows
    said = paragraph(read_answer(tmp_path / "results/sampled"))
    assert said.startswith("Over the sampled points of no controls the domestic supply share in 2035 is")
    assert "What decides it most: " in said and "subsidy (" in said and "equity raised by firms (" in said
