"""What compare prints and writes: five formats, one schema, exit codes."""

import csv
import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from support.made_results import HEAD, MARKET, NAN, SHARE, Maker, rows, scenario, table, vouch, write

from sim.compare.comparison import Comparison
from sim.compare.differences import COLUMNS
from sim.compare.question import Question, compare
from sim.compare.reaching import REACH_COLUMNS
from sim.compare.rendering import render, sections, write_out
from sim.compare.words import less_at_risk, sentence
from sim.errors import BadInput

DATES = [f"{year}-12-31" for year in range(2020, 2025)]
ASKED = [
    "schema_version",
    "baseline",
    "candidate",
    "measure",
    "unit",
    "direction",
    "slice",
    "at",
    "n_base",
    "n_cand",
    "n_pairs",
    "n_sets",
    "pairing",
    "base_mean",
    "base_q05",
    "base_q50",
    "base_q95",
    "cand_mean",
    "cand_q05",
    "cand_q50",
    "cand_q95",
    "diff",
    "diff_lo",
    "diff_hi",
    "ci_level",
    "diff_q05",
    "diff_q50",
    "diff_q95",
    "share_same_sign",
    "regret",
    "rel_diff",
    "p_cand_gt_base",
    "corr_pairs",
    "seeds_for_margin",
    "margin",
    "verdict",
    "flags",
    "push",
]


@pytest.fixture
def made(tmp_path):
    return Maker(tmp_path)


@pytest.fixture
def pair(made):
    generator = np.random.default_rng(1)
    luck = {seed: generator.normal(0.2, 0.01, 5) for seed in range(1, 21)}
    moved = {seed: path + np.array([0, 0, 0.004, 0.008, 0.012 + 0.0001 * seed]) for seed, path in luck.items()}
    changed = {"scenarios": scenario("no-controls", values={"controls.mode": "none"})}
    base = made.over_time("base", luck, DATES)
    candidate = made.over_time("candidate", moved, DATES, **changed)
    for name in ("runs.csv", "series.csv"):
        (candidate / name).write_text((candidate / name).read_text().replace("historic", "no-controls"))
    vouch(candidate)
    return base, candidate


# Formats.


def test_one_schema_even_when_empty(pair):
    assert [*COLUMNS, "push"] == ASKED
    found, nothing = compare(pair, Question()), Comparison([])
    texts = [render(one, "csv") for one in (found, nothing)]
    assert {text.splitlines()[0] for text in texts} == {",".join(ASKED)}
    assert len(texts[1].splitlines()) == 1
    full, empty = (json.loads(render(one, "json")) for one in (found, nothing))
    assert full.keys() == empty.keys()
    assert empty["rows"] == [] and list(full["rows"][0]) == ASKED


def test_csv_and_json_keep_every_digit(pair):
    found = compare(pair, Question(reach=["domestic_supply_share>=0.21"]))
    [row] = found.rows
    [read] = csv.DictReader(io.StringIO(render(found, "csv")))
    assert float(read["diff_lo"]) == row.diff_lo and float(read["base_q05"]) == row.base_q05
    assert read["diff_q05"] == "" and read["verdict"] == "better"
    content = json.loads(render(found, "json"))
    assert content["rows"][0]["diff_hi"] == row.diff_hi and content["rows"][0]["regret"] is None
    assert content["sentences"] == found.sentences and content["reach"][0]["base_share"] == found.reach[0].base_share
    with pytest.raises(BadInput, match="--format = 'xml': must be one of table, csv, json, md, html"):
        render(found, "xml")


def test_the_order_of_the_output(pair):
    found = compare([*pair, pair[0]], Question(reach=["domestic_supply_share>=0.21"], points=True))
    assert [section.title for section in sections(found)] == [
        "What is compared",
        "Parameters that differ",
        "Coverage",
        "no-controls less historic",
        "historic less historic",
        "no-controls less historic at the only point",
        "historic less historic at the only point",
        "Reaching",
        "How often each is best",
        "Notes",
        "In one sentence",
    ]


def test_the_table_is_rounded_to_the_interval_and_never_cut(pair):
    found = compare(pair, Question())
    [row] = found.rows
    found.rows = [
        replace(
            row,
            base_mean=0.2012345,
            cand_mean=0.2134567,
            diff=0.0122222,
            diff_lo=0.0091111,
            diff_hi=0.0153333,
            rel_diff=0.0607361,
            flags="long flag " * 40,
        )
    ]
    text = render(found)
    [header] = [line for line in text.splitlines() if "95 % interval  " in line]
    [line] = [line for line in text.splitlines() if "domestic_supply_share@final" in line]
    # The interval is 0.0062 wide: two digits of that are four decimals.
    assert " ".join(line.split()).startswith(
        "domestic_supply_share@final 0 to 1 0.2012 0.2135 0.0122 0.0091 to 0.0153 +6.1 % 20 2022 better long flag"
    )
    assert line.endswith("long flag") and "…" not in text
    assert header.index("no-controls") + len("no-controls") == line.index("0.2135") + len("0.2135")


def test_markdown_tables_are_whole(pair):
    found = compare(pair, Question())
    found.rows = [replace(found.rows[0], flags="a | b")]
    tables = [line for line in render(found, "md").splitlines() if line.startswith("|")]
    rows = [line for line in tables if "domestic_supply_share@final" in line]
    [header] = [line for line in tables if line.startswith("| measure")]
    assert rows[0].count("|") - rows[0].count("\\|") == header.count("|")
    assert r"a \| b" in rows[0] and "| :-- |" in tables[1]


def test_the_page_stands_alone(pair):
    found = compare(pair, Question(reach=["domestic_supply_share>=0.21"]))
    found.notes.append("<script>alert(1)</script>")
    page = render(found, "html")
    assert page.count("<svg") == 1 and "<script>" not in page
    outside = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?(?!#)([^"\'\s>)]+)', page)
    assert outside == []
    assert found.sentences[0] in page and page.index(found.sentences[0]) < page.index("<svg")
    for word in ("What is compared", "Coverage", "no-controls less historic", "Reaching", "opens 2022"):
        assert word in page
    svg = page[page.index("<svg") : page.index("</svg>") + 6]
    ElementTree.fromstring(svg)
    assert render(found, "html") == page


def test_out_holds_every_table_with_its_schema(pair, tmp_path):
    found = compare(pair, Question())
    names = write_out(found, tmp_path / "deep" / "out")
    assert sorted([*names, ".written"]) == sorted(path.name for path in (tmp_path / "deep" / "out").iterdir())
    assert {"compare.csv", "reach.csv", "compare.json", "compare.md", "compare.html", "figure-1.svg"} < set(names)
    reach = (tmp_path / "deep" / "out" / "reach.csv").read_text()
    assert reach == ",".join((*REACH_COLUMNS, "push")) + "\n"
    over_time = csv.DictReader(io.StringIO((tmp_path / "deep" / "out" / "over_time.csv").read_text()))
    assert [row["at"] for row in over_time] == DATES
    (tmp_path / "file").write_text("kept")
    with pytest.raises(BadInput, match="file: cannot be written"):
        write_out(found, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"


# Sentences.


def test_sentence_for_lower_and_for_open_signs(pair):
    [row] = compare(pair, Question()).rows
    lower = replace(row, diff=-0.012, diff_lo=-0.015, diff_hi=-0.009, verdict="worse", at="2025")
    assert "over 18 to 20 pairs;" in sentence([lower, replace(row, n_pairs=18)])
    assert sentence([lower]).endswith(
        "over 20 pairs; the domestic supply share in 2025 is 1.20 points lower (95 % interval 0.90 to 1.50)."
    )
    unsure = replace(row, diff=-0.002, diff_lo=-0.015, diff_hi=0.011, verdict="inconclusive", ci_level=0.9)
    assert sentence([unsure]) == (
        "no-controls against historic: of 1 measure none is shown to differ, 1 inconclusive, over 20 pairs; "
        "the domestic supply share at the end differs by -0.2 points, but the sign is open "
        "(90 % interval -1.5 to 1.1)."
    )
    wide = replace(unsure, margin=0.005)
    assert "whether that is beyond the margin of 0.5 is open" in sentence([wide])
    small = replace(unsure, margin=0.02, verdict="equivalent")
    assert "differs by -0.2 points, which is within the margin of 2.0" in sentence([small])
    part = replace(lower, measure="chip_market", slice="memory", unit="bn yuan a year")
    assert "the chip market of memory in 2025 is 0.0120 bn yuan a year lower" in sentence([part])


def test_sentence_of_an_ensemble(pair):
    [row] = compare(pair, Question()).rows
    across = replace(
        row,
        n_sets=50,
        n_pairs=500,
        diff=-0.012,
        diff_lo=-0.0123,
        diff_hi=-0.0117,
        diff_q05=-0.02,
        diff_q50=-0.011,
        diff_q95=-0.002,
        share_same_sign=0.96,
        verdict="worse",
    )
    assert sentence([across]).endswith(
        "over 500 pairs of 50 parameter sets; the domestic supply share at the end is 1.1 points lower (90 % of "
        "50 parameter sets 0.2 to 2.0; 96 % with the sign of the mean; error from seeds 0.030)."
    )


def test_numbers_of_any_size_are_written(made):
    for base, candidate in (
        ([1e9, 2e9], [1.5e9, 1e9]),
        ([0, 0], [1e-12, 3e-12]),
        ([5, 6], [5, 6]),
        ([0, 0], [0, 0]),
        ([1e6, 1e6 + 1], [1e6, 1e6 + 1 + 1e-9]),
        ([-1, 1], [2, 3]),
        ([1, NAN], [NAN, NAN]),
    ):
        text = render(compare(made.pair(base, candidate, MARKET), Question()))
        assert "e+" not in text and "nan" not in text and " -0 " not in text


# The command.


def test_the_answer_alone_is_on_standard_output(answer, pair):
    code, out, err = answer("compare", *pair)
    assert code == 0 and err == ""
    assert out.splitlines()[-1].strip().startswith("no-controls against historic: of 1 measure 1 differs (1 better)")
    code, out, err = answer("compare", *pair, "--format", "csv")
    assert code == 0 and out.splitlines()[0] == ",".join(ASKED) and len(out.splitlines()) == 2
    assert "pairs in common: 20" in err and "no-controls against historic" in err
    code, out, _ = answer("compare", *pair, "--format", "json", "--at", "2022", "--at", "mean", "--level", "0.9")
    assert [(row["at"], row["ci_level"]) for row in json.loads(out)["rows"]] == [("2022", 0.9), ("mean", 0.9)]


def test_points_are_a_table_of_their_own(answer, made):
    base = made.sweep("base", {(seed, level): seed + level for seed in (1, 2, 3) for level in (0, 1)})
    candidate = made.sweep("candidate", {(seed, level): 2 * seed + level for seed in (1, 2, 3) for level in (0, 1)})
    code, out, _ = answer("compare", base, candidate, "--points", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and [row["point"] for row in rows] == ["controls.severity=0", "controls.severity=1"]
    assert list(rows[0]) == ["point", *ASKED]
    assert "candidate less base at controls.severity=1" in answer("compare", base, candidate, "--points")[1]


def test_exit_codes(answer, pair, made, tmp_path):
    base, candidate = pair
    assert answer("compare", base, candidate, "--fail-on", "worse")[0] == 0
    code, out, err = answer("compare", candidate, base, "--fail-on", "worse")
    assert code == 1 and "In one sentence" in out
    assert err == "--fail-on worse: domestic_supply_share@final of historic\n"
    assert answer("compare", base, candidate, "--fail-on", "any")[0] == 1
    assert answer("compare", base, base, "--fail-on", "any", "--fail-on", "inconclusive")[0] == 0
    failed = write(tmp_path / "failed", table([(1, (), None), (2, (), {SHARE: 0.5})]))
    code, out, err = answer("compare", base, failed)
    assert code == 3 and out == "" and "1 of its 2 runs failed; --allow-partial compares what is there" in err
    code, out, _ = answer("compare", base, failed, "--allow-partial")
    assert code == 0 and "1 of 2 pairs dropped" in out
    for arguments, words in (
        ((base, tmp_path / "nowhere"), "there is no such result, runs.csv or config"),
        ((base, candidate, "--at", "later"), "--at = 'later': must be final, peak, mean, sum, a year"),
        ((base, candidate, "--margin", "some"), "--margin = 'some': must be a number from 0"),
        ((base, candidate, "--level", "95"), "--level = 95.0: must lie between 0 and 1"),
        ((base, candidate, "--reach", "x"), "--reach = 'x': must be a measure"),
        ((base, candidate, "--rtol", "0.1"), "--rtol and --atol belong to --exact"),
        ((base, candidate, "--measure", "chip_markt"), "--measure = 'chip_markt': there is no chip_markt"),
    ):
        code, out, err = answer("compare", *arguments)
        assert code == 2 and out == "" and words in err and "Traceback" not in err


def test_exact(answer, pair):
    base, candidate = pair
    code, out, err = answer("compare", base, base, "--exact")
    assert (code, out, err) == (0, "Identity\n  every cell is the same\n", "")
    code, out, _ = answer("compare", base, candidate, "--exact", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 1 and [row["column"] for row in rows] == ["domestic_supply_share@end", "domestic_supply_share"]
    assert answer("compare", base, candidate, "--exact", "--atol", "0.1")[0] == 0


def test_out_is_told_and_written(answer, pair, tmp_path):
    code, _, err = answer("compare", *pair, "--out", tmp_path / "out", "--reach", "domestic_supply_share>=0.21")
    assert code == 0 and err.startswith(f"{tmp_path / 'out'}: compare.csv, reach.csv")
    assert len((tmp_path / "out" / "reach.csv").read_text().splitlines()) == 2


def test_less_at_risk_is_no_gain_where_less_is_made(tmp_path):
    result = write(tmp_path / "r", HEAD + "".join(f"r-{seed},historic,0,{seed},done,{seed}\n" for seed in (1, 2)))
    [row] = rows(result, result)
    risk = replace(row, measure="output_at_risk", diff=-9.0, verdict="better")
    made = replace(row, measure="chip_production_located", diff=-3.0, verdict="worse")
    assert less_at_risk([risk, made]).startswith("Less output is at risk at the end where less is made")
    assert less_at_risk([risk, replace(made, diff=3.0)]) == less_at_risk([risk]) == ""
    assert less_at_risk([replace(risk, verdict="worse"), made]) == ""


def test_configs_are_run_first_with_all_measures(answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = answer(
        "compare", "neutral", "published-2020", "--by", "segment", "--format", "csv", "--measure", "chip_market"
    )
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and len(rows) == 7 and rows[0]["n_pairs"] == "20"
    assert "20 runs" in err and len(list((tmp_path / "results").iterdir())) == 2
    code, again, err = answer(
        "compare", "neutral", "published-2020", "--by", "segment", "--format", "csv", "--measure", "chip_market"
    )
    assert again == out and "nothing to do" in err
