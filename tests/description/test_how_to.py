"""The how-to pages, followed as they are written: files saved, commands typed, quotations held against what comes."""

import re
import shutil
import subprocess

import pytest

from sim.description.how_to import NOT_HERE, PAGES, Quote, blocks, changed, follow

# Lines that are left to the long run, as each takes more than some seconds, and what needs their results.
SLOW = re.compile("--parameters ensemble|study (critical|search)|policy-grid|cheapest|--cluster|cmp ")


def wrong(page, folder, left_out):
    return [line for _, quote in follow(page.read_text(), folder, left_out) for line in quote.wrong]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page, tmp_path):
    assert wrong(page, tmp_path, SLOW) == []


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_all_of_a_page_does_what_it_says(page, tmp_path):
    assert wrong(page, tmp_path, NOT_HERE) == []


@pytest.mark.long
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="no R on this machine")
def test_the_page_on_r_runs_in_r(tmp_path):
    page = next(path for path in PAGES if path.stem == "r").read_text()
    list(follow(page, tmp_path))
    told = "stopifnot(nrow(means) == 80, nrow(pairs) == 160, nrow(by_money) == 16, class(series$date) == 'Date')"
    script = [*(block.text for block in blocks(page) if block.language == "r"), told]
    subprocess.run(["Rscript", "-e", "\n".join(script)], cwd=tmp_path, check=True)


def test_a_quotation_is_of_whole_lines_in_their_order():
    assert Quote(["b", "d"], ["a", "b", "c", "d"]).wrong == []
    assert Quote(["d", "b"], ["a", "b", "c", "d"]).wrong == ["b"]
    assert Quote(["share 1.0"], ["share 1.1"]).wrong == ["share 1.0"]
    assert Quote(["share 1.0", "cost 3"], ["cost 4", "nothing", "share 1.1"]).again() == "share 1.1\ncost 4\n"


def test_a_page_is_a_list_of_blocks():
    page = "Save this as `a.toml`:\n\n```toml\nx = 1\n```\n\nThen\n\n```sh\nls\n```\n"
    saved, typed = blocks(page)
    assert (saved.language, saved.file, saved.text) == ("toml", "a.toml", "x = 1\n")
    assert (typed.language, typed.file, typed.text) == ("sh", None, "ls\n")


def test_a_diff_replaces_what_is_there_once():
    assert changed("one\ntwo\n", "-two\n+three\n+four\n") == "one\nthree\nfour\n"
    with pytest.raises(ValueError, match="not there once"):
        changed("two\ntwo\n", "-two\n+three\n")


def test_a_line_that_fails_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="no such thing"):
        list(follow("```sh\necho no such thing; exit 3\n```\n", tmp_path))
