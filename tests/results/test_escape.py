"""Text is never markup: one escape a medium, and a nasty name through every verb that writes it."""

import csv
import html
import json
import re
import sys
from xml.etree import ElementTree

import pytest

from sim.batch.progress import Progress
from sim.results import escape
from sim.results.page import Section, html_section, markdown, plain

# Each medium has a part that would act in it: mathtext, rich, str.format, Markdown, HTML, tables, links.
NASTY = "$x^$ [red]{0}{left} <b>&amp; a|b [l](u) _i_ `c` *s*"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\t\tc", "a b c"),
        ("a\u202eb", "a\\u202eb"),
        ("caf\udce9", "caf\\udce9"),
        ("70\u00a0% of é, 芯片", "70\u00a0% of é, 芯片"),
        ("\x9b2J\x07", "\\x9b2J\\x07"),
    ],
)
def test_nothing_commands_a_terminal(text, shown):
    assert escape.visible(text) == shown


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("# no title", "\\# no title"),
        ("1. no list", "1\\. no list"),
        ("<script>", "\\<script>"),
        ("a|b", "a\\|b"),
        ("[a](b)", "\\[a](b)"),
        ("domestic_supply_share and _this_", "domestic_supply_share and \\_this\\_"),
        ("&lt; & co", "\\&lt; & co"),
        ("0.1 >= 0.05", "0.1 >= 0.05"),
    ],
)
def test_markdown_shows_what_was_written(text, written):
    assert escape.markdown(text) == written


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("+a", "'+a"), (" -a", "' -a"), ("-0.5", "-0.5"), (-0.5, -0.5), ("a=b", "a=b")],
)
def test_a_spreadsheet_reads_no_formula(cell, written):
    assert escape.spreadsheet(cell) == written


def test_a_section_is_text_in_every_medium():
    section = Section(NASTY, [NASTY], ["name"], [[NASTY + "\x1b"]])
    assert plain(section).splitlines() == [NASTY, f"  {NASTY}", "  name", f"  {NASTY}\\x1b"]
    row = markdown(section).splitlines()[-1]
    assert len(re.findall(r"(?<!\\)\|", row)) == 2 and "\\<b>" in row
    page = html_section(section)
    assert page.count(html.escape(NASTY)) == 3 and "<b>" not in page and "\x1b" not in page


def test_a_bar_takes_no_name_for_markup(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress(NASTY, 4) as progress:
        progress.add(2)
    assert "{0}{left}" in capsys.readouterr().err


@pytest.fixture
def nasty(tmp_path, monkeypatch):
    """Two configs and an experiment whose names, purposes, question and prediction are nasty, in the working folder."""
    monkeypatch.chdir(tmp_path)
    names = [NASTY.replace("/", ""), f"{NASTY} 2"]
    for name, severity in zip(names, (0.0, 0.6), strict=True):
        purpose = f"=1+1 {NASTY}"
        (tmp_path / "configs").mkdir(exist_ok=True)
        (tmp_path / "configs" / f"{name}.toml").write_text(
            f'purpose = {json.dumps(purpose)}\nextends = "published-2020"\n[controls]\nseverity = {severity}\n'
        )
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / f"{NASTY}.toml").write_text(
        f"question = {json.dumps(NASTY)}\nprediction = {json.dumps(NASTY)}\nconfigs = {json.dumps(names)}\n"
        "replications = 3\n"
    )
    return names


def test_a_nasty_name_goes_through_every_verb(nasty, answer, tmp_path):
    one, two = nasty
    run = answer("run", one, "--until", "2020", "--out", "run")
    assert run.code == 0 and answer("check", one, NASTY).code == 0
    assert answer("batch", NASTY, "--workers", "1", "--out", "many").code == 0
    for name in nasty:
        assert answer("run", name, "--until", "2021", "--out", f"out {name}").code == 0
    for form in ("table", "csv", "json", "md", "html"):
        said = answer("compare", f"out {one}", f"out {two}", "--format", form, "--out", f"compared-{form}")
        assert said.code == 0, said.err
        assert "<b>" not in (said.out if form == "html" else "")
    figures = list((tmp_path / "compared-html").glob("*.svg"))
    assert figures and all(NASTY in "".join(ElementTree.parse(path).getroot().itertext()) for path in figures)
    report = answer("study", "report", "many", "--out", "report")
    assert report.code == 0, report.err
    text = (tmp_path / "report/report.html").read_text()
    assert "<b>" not in text and html.escape(NASTY) in text
    assert "\\<b>" in (tmp_path / "report/report.md").read_text()
    assert answer("study", "review", one, "--out", "review").code == 0
    figure = "".join(ElementTree.fromstring((tmp_path / "review/review.svg").read_text()).itertext())
    assert NASTY in figure
    table = list(csv.reader(answer("list", "configs", "--format", "csv").out.splitlines()))
    assert {row[2] for row in table if row[0] in nasty} == {f"'=1+1 {NASTY}"}


def test_a_name_that_is_a_formula_or_commands_a_terminal_is_refused(tmp_path, answer):
    for name in ("=1+1", "@sum", "new\nline", "\x1b[2J"):
        path = tmp_path / f"{name}.toml"
        path.write_text('purpose = "?"\nextends = "published-2020"\n')
        said = answer("run", path, "--out", tmp_path / "out")
        assert said.code == 2 and "rename the file" in said.err and len(said.err.splitlines()) == 1
        assert "\x1b" not in said.err and not (tmp_path / "out").exists()


def test_a_path_that_is_not_utf_8_holds_a_result(tmp_path, answer):
    out = tmp_path / "caf\udce9"
    said = answer("run", "published-2020", "--until", "2020", "--out", out)
    assert said.code == 0 and "caf\\udce9" in said.err
    assert "caf\\udce9" in json.loads((out / "manifest.json").read_text())["run_info"]["command"][-1]
