"""The live page in a real browser; it makes the pictures of the README."""

import json
import os
import re
import shutil
import time
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from support.browser import at_quarter, opened
from support.live_session import replayed
from support.paths import ROOT

from sim import DecouplingModel

LARGEST_PICTURE = 300_000  # bytes


def number(page, name):
    return float(page.get_by_test_id(name).inner_text())


def jump(page, year):
    page.select_option("[aria-label='jump to']", str(year))
    page.click(".jump button")
    at_quarter(page, f"{year - 1}-Q4")


def downloaded(page, button):
    with page.expect_download() as download:
        page.click(f"button:has-text('{button}')")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_play_step_in_save_and_replay(chromium, address, tmp_path):
    alone = DecouplingModel("published-2020", 7).run()["domestic_supply_share"]
    with opened(chromium, address, "?seed=7") as page:
        page.click("button:has-text('One quarter')")
        at_quarter(page, "2020-Q1")
        assert number(page, "domestic_supply_share") == pytest.approx(100 * alone.iloc[0], abs=0.051)
        page.select_option("[aria-label=speed]", "40")
        page.click("button:has-text('Play')")
        page.wait_for_selector(".state[data-state=ended]", timeout=15000)
        assert number(page, "domestic_supply_share") == pytest.approx(100 * alone.iloc[-1], abs=0.051)
        page.click("button:has-text('Restart')")
        at_quarter(page, "start of 2020")
        page.locator("[id='controls.severity']").fill("0.9")
        page.wait_for_selector(".log >> text=severity of controls 90 %")
        jump(page, 2022)
        page.fill("[aria-label='subsidy, exact']", "150")
        page.keyboard.press("Enter")
        page.select_option("[aria-label=by]", "NLD")
        page.click("button:has-text('Announce control')")
        page.click("button:has-text('Truce')")
        page.click("button:has-text('Lose this fab for a year')")
        page.wait_for_selector(".log >> text=outage")
        jump(page, 2036)
        assert number(page, "domestic_supply_share") > 0
        name, config = downloaded(page, "config.toml")
        series_name, series = downloaded(page, "series.csv")
    assert {event["kind"] for event in tomllib.loads(config.decode())["event"]} == {
        "lever",
        "control",
        "truce",
        "outage",
    }
    (tmp_path / name).write_bytes(config)
    assert replayed(tmp_path / name, 7, tmp_path / "out") == series
    assert series_name == name.removesuffix(".toml") + "-7-series.csv"


def test_two_futures_side_by_side(chromium, address):
    with opened(chromium, address, "?config=historic&seed=3") as page:
        jump(page, 2024)
        futures = [
            page.locator(f"h2:has-text('{title}')") for title in ("Future A", "Future B", "Difference, B less A")
        ]
        assert not any(title.is_visible() for title in futures)
        page.click("button:has-text('Branch')")
        page.wait_for_selector("text=Two futures from 2024-Q1")
        assert all(title.is_visible() for title in futures)
        page.click("button:has-text('Truce')")
        jump(page, 2028)
        page.select_option("[aria-label='measure of the difference']", "controller_sales_denied")
        # future B has none of the controls, so what they deny is less there
        difference = page.locator("figure:has(h2:has-text('Difference')) text.end").text_content()
        assert float(difference.replace("−", "-")) < 0
        page.click("button:has-text('future A')")
        page.wait_for_selector("button[aria-pressed=true]:has-text('future A')")
        page.click("button:has-text('Go on with A alone')")
        page.wait_for_selector("button:has-text('Branch')")


def test_a_reload_in_the_middle_shows_the_same(chromium, address):
    with opened(chromium, address, "?config=historic&seed=5") as page:
        jump(page, 2023)
        page.fill("[aria-label='subsidy, exact']", "90")
        page.keyboard.press("Enter")
        page.click("button:has-text('One quarter')")
        at_quarter(page, "2023-Q1")
        share = number(page, "domestic_supply_share")
        page.wait_for_function("location.search.includes('at=2023-Q1') && location.search.includes('event=')")
        page.reload()
        at_quarter(page, "2023-Q1")
        assert number(page, "domestic_supply_share") == share
        assert page.input_value("[aria-label='subsidy, exact']") == "90"
        query = parse_qs(urlsplit(page.url).query)
        assert query["config"] == ["historic"] and query["seed"] == ["5"]
        assert json.loads(query["event"][0])["set"] == {"subsidy.annual": 90.0}


def test_a_closed_tab_ends_its_thread(address, chromium):
    import psutil

    (server,) = [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] and "view" in process.info["cmdline"] and listens(process, urlsplit(address).port)
    ]
    for _ in range(2):
        with opened(chromium, address) as page:
            page.click("button:has-text('Play')")
            page.wait_for_selector(".state[data-state=running]")
            during = server.num_threads()
            page.close()
        end = time.monotonic() + 20
        while server.num_threads() >= during and time.monotonic() < end:
            time.sleep(0.1)
        assert server.num_threads() < during


def listens(process, port):
    return any(connection.laddr.port == port for connection in process.net_connections())


def test_keys_and_dark_colours(chromium, address):
    with opened(chromium, address, color_scheme="dark") as page:
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.keyboard.press("ArrowRight")
        at_quarter(page, "2020-Q1")
        page.keyboard.press("Space")
        page.wait_for_selector(".state[data-state=running]")
        page.keyboard.press("Space")
        page.wait_for_selector(".state[data-state=paused]")
        page.keyboard.press("r")
        at_quarter(page, "start of 2020")
        page.focus("[aria-label='filter agents']")
        page.keyboard.type("r r")  # in a field, keys are letters
        assert page.input_value("[aria-label='filter agents']") == "r r"


def test_two_browsers_run_apart(chromium, address):
    with opened(chromium, address) as one, opened(chromium, address) as other:
        one.click("button:has-text('Play')")
        one.wait_for_selector(".state[data-state=running]")
        one.click("button:has-text('Pause')")
        assert other.get_by_test_id("quarter").inner_text() == "start of 2020"
        other.locator("[id='subsidy.annual']").fill("200")
        other.wait_for_selector(".log >> text=subsidy 200 bn yuan a year")
        assert one.input_value("[aria-label='subsidy, exact']") == "0"


def test_bad_values_get_a_message_beside_their_field(chromium, address):
    query = "?config=../../etc/passwd&seed=%3Cscript%3Ealert(1)%3C/script%3E&subsidy.annual=-3&colour=red"
    with opened(chromium, address, query) as page:
        said = page.locator("[role=alert]").all_inner_texts()
        assert any(text.startswith("config = ../../etc/passwd: must be one of") for text in said)
        assert any(text.startswith("seed = <script>alert(1)</script>: must be a whole number") for text in said)
        assert any("colour: is not known" in text for text in said)
        beside = page.locator(".lever:has([id='subsidy.annual']) [role=alert]")
        assert "out of range" in beside.inner_text()
        for text in ("much", "-1", "1e9", "", "<b>"):
            page.fill("[aria-label='equity raised by firms, exact']", text)
            page.keyboard.press("Tab")
            page.wait_for_selector(".lever:has([id='investment.annual']) [role=alert]")
            page.fill("[aria-label='equity raised by firms, exact']", "140")
            page.keyboard.press("Tab")
            page.wait_for_selector(".lever:has([id='investment.annual']) [role=alert]", state="detached")
        page.fill("[aria-label='part denied']", "many")
        page.click("button:has-text('Announce control')")
        page.wait_for_selector(".event:has([aria-label='part denied']) [role=alert]")
        page.fill("[aria-label=seed]", "one")
        page.keyboard.press("Enter")
        page.wait_for_selector(".open [role=alert]:has-text('seed = one')")
        page.click("button:has-text('One quarter')")
        at_quarter(page, "2020-Q1")


def test_a_config_of_another_world_gets_a_page_of_its_own(chromium, address):
    with opened(chromium, address) as page:
        page.select_option("[aria-label=config]", "crop-seeds")
        page.click(".open button:has-text('Open')")
        page.wait_for_url("**config=crop-seeds*")
        page.wait_for_selector(".legend >> text=maize >> nth=0")
        jump(page, 2021)
        page.wait_for_selector(".heat >> text=germplasm")


def test_what_the_chain_and_the_gaps_draw_can_be_read(chromium, address):
    with opened(chromium, address) as page:
        jump(page, 2021)
        page.click(".chain summary")
        said = page.locator(".chain .listed li").first.inner_text()
        assert re.fullmatch(r"\w{3} → .+: [\d.]+ bn yuan a year.*", said)
        assert page.locator(".chain .listed li").count() == page.locator(".chain path.flow").count()
        page.click(".gaps summary")
        page.wait_for_selector(".gaps tbody tr")
        [cells] = [
            row.split("\t") for row in page.locator(".gaps tr").all_inner_texts() if row.startswith("lithography")
        ]
        assert len(cells) == 3 and float(cells[1]) > 1  # log points behind, in 2020


def test_an_agent_s_history(chromium, address):
    with opened(chromium, address) as page:
        jump(page, 2023)
        page.click(".agents th button:has-text('gap')")
        page.fill("[aria-label='filter agents']", "smic")
        assert page.locator(".agents tbody tr").count() == 2
        page.click(".agents tbody tr >> nth=0")
        page.wait_for_selector("[data-testid=history] >> text=capacity")
        page.click("[data-testid=history] >> text=Close")
        page.wait_for_selector("[data-testid=history]", state="detached")


BATCH = """question = "How far do subsidies go?"
configs = ["historic"]
replications = 4
[design]
kind = "grid"
[factors]
"subsidy.annual" = [0.0, 100.0, 200.0, 300.0, 400.0]
[record]
every = "year"
measures = "headline"
"""


@pytest.fixture
def batch(tmp_path):
    """A small batch of the real program, in results/ for as long as the test runs."""
    from sim.batch.run import run_batch
    from sim.folders import results_folder

    experiment, folder = tmp_path / "subsidies.toml", results_folder() / "subsidies-0-to-400"
    experiment.write_text(BATCH)
    run_batch(experiment, 1, folder, True)
    yield f"{folder.name}: historic"
    shutil.rmtree(folder)


def few_colours(path, kept):
    """The picture with a palette, a third of the size as a page has few colours; kept where pictures are asked for."""
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    assert path.stat().st_size < LARGEST_PICTURE
    if os.environ.get("MAKE_PICTURES"):
        shutil.copy(path, ROOT / "experiments" / kept)


def test_a_picture_of_accelerators(chromium, address, tmp_path):
    """The four charts of accelerators on Watch, without the rest of the page."""
    path = tmp_path / "accelerators.png"
    size = {"width": 1366, "height": 900}
    with opened(chromium, address, "?config=historic&seed=7", viewport=size) as page:
        jump(page, 2027)
        titles = ("Computing power that China buys", "Stock of high-bandwidth memory in China")
        charts = [page.locator(f"figure:has(h2:text-is('{title}'))") for title in titles]
        charts[1].locator("text.end").wait_for()
        first, last = (chart.bounding_box() for chart in charts)
        edge = 8
        clip = {
            "x": first["x"] - edge,
            "y": first["y"] - edge,
            "width": last["x"] + last["width"] - first["x"] + 2 * edge,
            "height": last["y"] + last["height"] - first["y"] + 2 * edge,
        }
        page.screenshot(path=path, full_page=True, clip=clip)
    few_colours(path, "live-accelerators.png")


def test_pictures(chromium, address, batch, tmp_path):
    """What a colleague would be shown; kept in experiments/ when they have been asked for by MAKE_PICTURES."""
    for name, width, query, scheme in (
        ("live", 1600, "?config=historic&seed=7", "light"),
        ("live-branch", 1366, "?config=historic&seed=7", "dark"),
        ("live-narrow", 390, "?config=historic&seed=7", "light"),
    ):
        size = {"width": width, "height": 844 if width < 500 else 1250}
        with opened(chromium, address, query, viewport=size, color_scheme=scheme) as page:
            page.select_option("[aria-label='earlier batch']", batch)
            jump(page, 2023)
            if name == "live-narrow":
                page.click(".handle button:has-text('Step in')")
            page.fill("[aria-label='subsidy, exact']", "100")
            page.keyboard.press("Enter")
            if name == "live-narrow":
                page.click(".handle button:has-text('Close')")
            if name == "live-branch":
                page.click("button:has-text('Branch')")
                page.click("button:has-text('Full cut-off')")
            jump(page, 2029)
            page.wait_for_selector("path.band" if name != "live-branch" else "text=Two futures")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            page.wait_for_timeout(300)
            path = tmp_path / f"{name}.png"
            page.screenshot(path=path)
            few_colours(path, path.name)
