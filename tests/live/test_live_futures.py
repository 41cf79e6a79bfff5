"""The screen Futures as it is served: its numbers are the program's, and Watch and Learn are a step away."""

import os
import re
import shutil
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from support.browsing import visited
from support.paths import ROOT

from sim import futures
from sim.futures.answers import read_request
from sim.live.learn import OPENED

LARGEST_PICTURE = 300_000  # bytes


def shown(chromium, address, path="", **settings):
    return visited(chromium, address + path, address, **settings)


def drawn(page, change=True):
    """Wait until bands are drawn, of a policy or of none; how many futures they hold."""
    page.wait_for_function(
        "count => document.querySelectorAll('.main-chart path.band').length == count", arg=4 if change else 2
    )
    return int(re.search(r"(\d+) futures", page.inner_text(".main-chart .source"))[1])


def test_its_numbers_are_the_program_s(chromium, address):
    with shown(chromium, address, "?from=2028-Q1") as page:
        drawn(page, change=False)
        page.click("[data-preset=big-fund]")
        runs = drawn(page)
        ends, sentence = page.locator(".main-chart text.end").all_text_contents(), page.inner_text(".sentence")
        query = parse_qs(urlsplit(page.url).query)
        page.click(".watch")
        page.wait_for_selector("button:has-text('Play')")
        page.wait_for_function("document.querySelector('[data-testid=quarter]').textContent == '2027-Q4'")
    assert query == {"config": ["published-2020"], "from": ["2028-Q1"], "subsidy.annual": ["200"]}
    request = {"config": "published-2020", "from": "2028-Q1", "set": {"subsidy.annual": 200}}
    found = futures.answer(request, runs)
    worlds = (found[world]["domestic_supply_share"]["median"][-1] for world in ("policy", "base"))
    assert ends == [f"{100 * value:.1f} %" for value in worlds]
    assert sentence == "".join(part["text"] for part in found["sentence"])


def test_learn_leads_to_futures(chromium, address):
    with shown(chromium, address, "learn") as page:
        page.click(".card:has-text('What do subsidies bring') a")
        page.wait_for_url("**?from=2021-Q1&subsidy.annual=300")
        drawn(page)
        assert page.locator("[role=alert]:visible").count() == 0


@pytest.mark.parametrize("name", OPENED)
def test_every_future_of_the_tour_can_be_asked_for(name):
    asked = dict(OPENED[name])
    config, start = asked.pop("config", "historic"), asked.pop("from", None)
    settings = futures.settings(config)
    assert start is None or start in settings["dates"]["from"]
    levers = {lever["key"]: lever for lever in settings["levers"]}
    read_request({"config": config, "from": start, "set": asked})
    assert all(value != levers[key]["value"] for key, value in asked.items())


def test_a_picture_of_the_first_screen(chromium, address, tmp_path):
    """What a colleague would be shown; kept in experiments/ when it has been asked for by MAKE_PICTURES."""
    size = {"width": 1366, "height": 1090}
    with shown(chromium, address, "?config=historic&subsidy.annual=200", viewport=size) as page:
        drawn(page)
        path = tmp_path / "futures.png"
        page.screenshot(path=path)
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    assert path.stat().st_size < LARGEST_PICTURE
    if os.environ.get("MAKE_PICTURES"):
        shutil.copy(path, ROOT / "experiments" / path.name)
