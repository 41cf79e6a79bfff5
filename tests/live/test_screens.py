"""The screens Futures and Learn in a real browser, without a server: settings and answers are made by hand."""

import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from support import made_futures as made
from support.browsing import visited

from sim.live import export

WIDTHS = (390, 800, 1440, 2560)


ASKING = """window.asked = [];
decoupling.made = (box, settings) => {
  window.screenOf = decoupling.futures(box, settings, (request) => asked.push(request));
};
"""
STILL = {"levels": {"subsidy.annual": [0, 200], "controls.mode": ["events", "none"]}, "words": "It holds little."}
HELD = [
    [{}, [], made.answer(changed=False)],
    [{"subsidy.annual": 200.0}, [], made.answer()],
    [{}, ["truce"], made.answer()],
]
TOUR = [{"question": "Did it <work>?", "sentence": "By 2 points (1 to 3).", "query": "?subsidy.annual=200"}]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A page that asks for answers as the live one does and keeps what it asked, one that holds them, and Learn."""
    folder = tmp_path_factory.mktemp("screens")
    begins = "<script>\ndecoupling.made("
    pages = {
        "asking.html": export._page("Made", "made", made.SETTINGS).replace(begins, begins.replace("\n", "\n" + ASKING)),
        "index.html": export._page("Made", "still", {**made.SETTINGS, "still": STILL}, made.BASE, HELD),
        "learn.html": export._page("Learn", "learn", made.SETTINGS, TOUR),
    }
    for name, text in pages.items():
        (folder / name).write_text(text)
    return folder


@contextmanager
def shown(chromium, files, name="asking.html", query="", answered=True, **settings):
    url = f"file://{files / name}"
    with visited(chromium, url + query, f"file://{files}", **settings) as page:
        if name == "asking.html" and answered:
            take(page)
        yield page


def take(page, **more):
    """Give the page the answer to its newest request."""
    number = page.evaluate("asked.at(-1).number")
    page.evaluate("answer => screenOf.take(answer)", made.answer(number, **more))


def asked(page):
    return page.evaluate("asked")


def policy(page):
    """The levers and acts of the newest request."""
    newest = asked(page)[-1]
    return newest["set"], newest["acts"]


def readout(page):
    return " ".join(page.locator(".main-chart .readout").inner_text().split())


def downloaded(page, button):
    with page.expect_download() as download:
        page.locator(".main-chart").get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_the_first_request_and_what_an_answer_shows(chromium, files):
    with shown(chromium, files, answered=False) as page:
        assert asked(page) == [
            {"number": 1, "config": "made", "from": "2022-Q1", "set": {}, "acts": [], "seed": 1},
        ]
        take(page)
        assert page.inner_text("h1") == "Can Ruritania make its own chips?"
        assert page.inner_text(".sentence") == "It makes 31 % of them."
        assert page.inner_text(".warnings") == "Much is wanted and not to be had."
        assert "invented" in page.inner_text(".invented")
        ends = page.locator(".main-chart text.end").all_text_contents()
        assert ends == ["31.0 %", "17.0 %"]
        assert page.locator(".main-chart .goal").text_content().strip() == "the goal of 70 % for 2023, above this chart"
        rows = page.locator(".differences tbody tr").all_inner_texts()
        assert rows[0].split("\t") == ["Chips made", "+4.9 points +4.0 to +6.1", "−2.0 points −3.0 to +1.0"]
        assert rows[1].split("\t") == ["Gap years", "±0.00", "–"]
        assert page.get_attribute(".watch", "href") == "watch?config=made&seed=1"


def test_one_run_first_then_bands(chromium, files):
    alone = {measure: {**dict.fromkeys(made.LINE), "line": made.POLICY[measure]["line"]} for measure in made.POLICY}
    with shown(chromium, files, answered=False) as page:
        take(page, runs=1, policy=alone, more=True)
        assert page.locator(".main-chart text.end").all_text_contents() == ["30.0 %", "16.0 %"]  # the line of both
        assert page.locator(".main-chart path.band").count() == 2  # of the base
        take(page)
        assert page.locator(".main-chart path.band").count() == 4


def test_every_drawn_number_by_keys_and_as_a_table(chromium, files):
    with shown(chromium, files) as page:
        page.focus(".main-chart .drawing")
        page.keyboard.press("End")
        assert readout(page) == (
            "2023 if nothing changes 17.0 % (90 %: 12.0 % to 22.0 %; 50 %: 15.0 % to 19.0 %) "
            "your world 31.0 % (90 %: 20.0 % to 40.0 %; 50 %: 25.0 % to 35.0 %)"
        )
        page.keyboard.press("ArrowLeft")
        assert readout(page).startswith("2022 if nothing changes 15.0 %")
        assert readout(page).endswith("2022-10-07, Elsewhere: 70 % of tools · from here on your changes act")
        page.keyboard.press("Home")
        assert "published for 2020: 10.5 %. An almanac" in readout(page)
        page.keyboard.press("Escape")
        assert readout(page).startswith("Point at the chart")
        label = page.get_attribute(".main-chart .drawing", "aria-label")
        assert "2023: if nothing changes 17.0 %; your world 31.0 %" in label
        page.locator(".main-chart [data-do=table]").click()
        cells = page.locator(".main-chart .numbers tr").last.inner_text().split("\t")
        assert cells == ["2023", *(f"{value}.0 %" for value in (17, 12, 22, 15, 19, 31, 20, 40, 25, 35))]
        assert "published for 2020: 10.5 %" in page.inner_text(".main-chart .numbers")


LOGARITHMIC = """() => {
  const box = document.createElement("figure");
  box.style.width = "800px";
  document.querySelector("main").append(box);
  decoupling.chart(box).show({
    title: "Power", unit: decoupling.logarithmic("chips"), logarithmic: true, first: 2020, last: 2023, period: "year",
    at: [2020.5, 2021.5, 2022.5, 2023.5], names: ["2020", "2021", "2022", "2023"],
    lines: [{ key: "power", label: "power", colour: "black", values: [0, 10, 1000, 100000] }],
  });
  return new Promise((done) => setTimeout(() => done({
    path: box.querySelector("[data-testid=line-power]").getAttribute("d"),
    ticks: [...box.querySelectorAll(".axes text[text-anchor=end]")].map((text) => text.textContent),
    said: box.querySelector(".drawing").getAttribute("aria-label"),
  }), 200));
}"""


def test_a_logarithmic_scale_draws_equal_ratios_alike_and_no_zero(chromium, files):
    with shown(chromium, files) as page:
        drawn = page.evaluate(LOGARITHMIC)
    heights = [float(point.split(" ")[1]) for point in drawn["path"][1:].split("L")]
    assert len(heights) == 3  # of four values the first is 0
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)
    assert drawn["ticks"] == ["10", "100", "1,000", "10,000", "100,000"]
    assert drawn["said"].startswith("Power, chips, logarithmic scale. 2023: power 100,000.")


@pytest.mark.parametrize(
    ("value", "more", "text"),
    [
        (0.0181, "false", "0.02"),
        (0.0181, "false, true", "0.018"),
        (12.34, "false", "12.3"),
        (1383, "false", "1,383"),
        (80046, "false", "80,000"),
        (-0.0001, "false", "0.00"),
        (0.123, "true", "12.3"),
    ],
)
def test_figures_have_digits_that_they_can_bear(chromium, files, value, more, text):
    with shown(chromium, files) as page:
        assert page.evaluate(f"decoupling.figure({value}, {more})") == text


def test_a_readout_by_mouse(chromium, files):
    with shown(chromium, files) as page:
        box = page.locator(".main-chart .drawing svg").bounding_box()
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
        assert readout(page).startswith("2022 ")
        page.mouse.move(0, 0)
        assert readout(page).startswith("Point at")


def test_what_a_chart_is_kept_as(chromium, files, tmp_path):
    with shown(chromium, files, color_scheme="dark") as page:
        page.locator(".main-chart summary").click()
        name, content = downloaded(page, "CSV")
        assert name == "made-share-k1.csv"
        assert content.decode().splitlines()[::4] == [
            'year,if nothing changes,"if nothing changes, 90 %: from","if nothing changes, 90 %: to",'
            '"if nothing changes, 50 %: from","if nothing changes, 50 %: to",your world,"your world, 90 %: from",'
            '"your world, 90 %: to","your world, 50 %: from","your world, 50 %: to"',
            "2023,0.17,0.12,0.22,0.15,0.19,0.31,0.2,0.4,0.25,0.35",
        ]
        name, content = downloaded(page, "SVG")
        assert name == "made-share-k1.svg" and b"var(" not in content
        texts = [each.text for each in ElementTree.fromstring(content).iter("{http://www.w3.org/2000/svg}text")]
        assert {"Chips made", "your world", "if nothing changes", "31.0 %"} <= set(texts)
        name, content = downloaded(page, "PNG")
        (tmp_path / name).write_bytes(content)
        with Image.open(tmp_path / name) as picture:
            assert picture.size == (1920, 1080)
        page.locator(".main-chart").get_by_role("button", name="Full screen").click()
        page.wait_for_function("document.fullscreenElement?.classList.contains('main-chart')")


def test_a_piece_of_html_without_a_clipboard_is_saved(chromium, files):
    with shown(chromium, files) as page:
        page.evaluate("decoupling.copy = async () => false")
        page.locator(".main-chart summary").click()
        name, content = downloaded(page, "Embed")
        assert name == "made-share-k1.html" and content.startswith(b"<figure><svg")
        assert "no clipboard" in page.inner_text(".main-chart .told")
        page.click("[data-do=link]")
        page.wait_for_selector(".keep .told:has-text('no clipboard')")
        assert "asking.html" in page.inner_text(".keep .told")


def test_sixty_presses_count_sixty_and_send_no_queue(chromium, files):
    with shown(chromium, files) as page:
        page.focus("[id='lever-subsidy.annual']")
        for _ in range(60):
            page.keyboard.press("ArrowRight")
        assert page.input_value("[id='lever-subsidy.annual']") == "300"
        assert page.input_value("[aria-label='subsidy <b>, exact']") == "300"
        before = len(asked(page))
        assert before == 2 and asked(page)[1]["set"] == {"subsidy.annual": 5}
        take(page)
        assert len(asked(page)) == before + 1 and policy(page) == ({"subsidy.annual": 300}, [])
        take(page)
        assert len(asked(page)) == before + 1
        page.click(".levers [data-do=undo]")  # the presses were one move
        assert policy(page) == ({}, [])


def test_an_old_answer_is_not_drawn(chromium, files):
    with shown(chromium, files) as page:
        page.click("[data-preset=fund]")
        page.evaluate("answer => screenOf.take(answer)", made.answer(1, sentence=[{"text": "Old.", "role": ""}]))
        assert page.inner_text(".sentence") == "It makes 31 % of them."


def test_buttons_levers_undo_and_redo(chromium, files):
    with shown(chromium, files) as page:
        pressed = lambda: page.locator("[data-preset][aria-pressed=true]").all_inner_texts()  # noqa: E731
        assert pressed() == ["As it is"] and page.is_disabled(".levers [data-do=undo]")
        page.click("[data-preset=fund]")
        assert pressed() == ["A fund"] and page.input_value("[aria-label='subsidy <b>, exact']") == "200"
        take(page)
        page.fill("[aria-label='mandate, exact']", "12.5")
        page.keyboard.press("Enter")
        assert pressed() == [] and policy(page) == ({"subsidy.annual": 200, "mandate.domestic": 0.125}, [])
        take(page)
        page.select_option("#from", "2021-Q1")
        page.focus("#from")  # in a field, the keys are the field's own
        take(page)
        page.keyboard.press("Control+z")
        take(page)
        page.keyboard.press("Control+z")
        assert pressed() == ["A fund"]
        take(page)
        page.keyboard.press("Control+y")
        assert policy(page) == ({"subsidy.annual": 200, "mandate.domestic": 0.125}, [])
        take(page)
        page.click(".levers [data-do=reset]")
        assert pressed() == ["As it is"]
        page.keyboard.press("Control+z")
        take(page)
        page.fill("[aria-label='mandate, exact']", "0")
        page.keyboard.press("Enter")
        take(page)
        assert pressed() == ["A fund"]  # the config's own value is no change


def test_every_future_is_in_the_address(chromium, files):
    query = "?config=made&from=2021-Q1&seed=7&subsidy.annual=150&controls.mode=none&act=truce"
    with shown(chromium, files, query=query) as page:
        newest = asked(page)[-1]
        assert newest == {
            "number": 1,
            "config": "made",
            "from": "2021-Q1",
            "seed": 7,
            "set": {"subsidy.annual": 150, "controls.mode": "none"},
            "acts": ["truce"],
        }
        page.click("[data-preset=fund]")
        page.wait_for_url("**from=2021-Q1&seed=7&subsidy.annual=200")
        take(page)
        page.evaluate("sessionStorage.clear()")  # a browser may be late to fill it
        page.reload()
        assert policy(page) == ({"subsidy.annual": 200}, [])
        take(page)
        page.click(".levers [data-do=undo]")  # nothing is lost by a reload
        assert policy(page) == ({"subsidy.annual": 150, "controls.mode": "none"}, ["truce"])
        take(page)
        page.select_option("#config", "other")
        page.wait_for_url("**?config=other&from=2021-Q1&**act=truce")


def test_acts_written_out_are_those_of_their_button(chromium, files):
    with shown(chromium, files, query='?act={"kind":"truce"}') as page:
        assert policy(page) == ({}, ["truce"])
        assert page.get_attribute("[data-preset=truce]", "aria-pressed") == "true"
    with shown(chromium, files, query='?act={"kind":"outage"}') as page:
        assert policy(page) == ({}, [{"kind": "outage"}])


def test_a_bad_address_is_told_beside_the_field(chromium, files):
    query = "?subsidy.annual=-3&controls.mode=%3Cb%3E&colour=red"
    with shown(chromium, files, query=query, answered=False) as page:
        message = lambda key: page.inner_text(f".lever[data-key='{key}'] [role=alert]")  # noqa: E731
        assert message("subsidy.annual") == "subsidy <b>: must be from 0 to 2000."
        assert message("controls.mode") == "mode: must be one of events, none."
        assert page.inner_text(".said [role=alert]").startswith("colour: is not known")
        assert policy(page) == ({}, [])
        take(page)
        page.fill("[aria-label='mandate, exact']", "much")
        page.keyboard.press("Enter")
        assert message("mandate.domestic") == "mandate: must be a number from 0 % to 100 %."
        assert len(asked(page)) == 1
        page.click("[data-preset=fund]")
        take(page, fault="subsidy.annual = 200: is too much", field="subsidy.annual")
        assert message("subsidy.annual") == "subsidy.annual = 200: is too much"


def test_a_button_that_does_nothing_says_so(chromium, files):
    with shown(chromium, files, answered=False) as page:
        assert page.get_attribute("[data-preset=truce]", "title") == "peace"
        take(page, presets={"truce": "This changes nothing."}, more=True)
        take(page, presets={})  # an answer that does not tell leaves it told
        assert page.get_attribute("[data-preset=truce]", "title") == "This changes nothing."
        page.select_option("#from", "2021-Q1")
        take(page, presets={}, **{"from": "2021-Q1"})
        assert page.get_attribute("[data-preset=truce]", "title") == "peace"


def test_a_lever_without_effect_says_why_and_each_says_what_it_is(chromium, files):
    with shown(chromium, files) as page:
        assert page.inner_text(".lever[data-key='controls.doctrine'] .why") == "It takes mode reactive."
        row = page.locator(".lever[data-key='subsidy.annual']")
        button = row.get_by_role("button")
        assert not row.locator(".about").is_visible()
        button.click()
        assert button.get_attribute("aria-expanded") == "true"
        assert row.locator(".about").inner_text() == (
            "What it is. Unit: bn yuan a year. Example: The first fund. Source: a table (assumed)."
        )


def test_files_of_a_future(chromium, files):
    with shown(chromium, files) as page:
        with page.expect_download() as download:
            page.click("[data-do=keep]")
        assert download.value.suggested_filename == "made.toml"
        assert Path(download.value.path()).read_text() == "purpose = 'kept'\n"


def test_a_page_without_a_server_holds_levers_alone_and_buttons(chromium, files):
    with shown(chromium, files, "index.html") as page:
        page.wait_for_selector(".main-chart text.end", state="attached")
        assert page.locator(".lever").count() == 2 and page.locator("#from, #config, .watch").count() == 0
        page.focus("[id='lever-subsidy.annual']")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.querySelector('.main-chart text.end').textContent == '31.0 %'")
        assert page.inner_text(".lever[data-key='subsidy.annual'] output") == "200"
        page.wait_for_url("**index.html?config=made&subsidy.annual=200")
        page.select_option("[id='lever-controls.mode']", "none")  # in place of the other lever
        page.wait_for_selector(".said [role=alert]:has-text('without that future')")
        page.click("[data-preset=truce]")
        page.wait_for_selector(".said [role=alert]", state="hidden")


def test_colours_are_the_system_s_until_they_are_turned(chromium, files):
    theme = "document.documentElement.dataset.theme"
    with shown(chromium, files, "index.html", color_scheme="dark") as page:
        assert page.evaluate(theme) == "dark"
        page.click("button.turn")
        assert page.evaluate(theme) == "light"
        page.click("text=Learn")
        page.wait_for_selector("main.learn")
        assert page.evaluate(theme) == "light"


def test_learn(chromium, files):
    with shown(chromium, files, "learn.html") as page:
        assert page.inner_text(".card h3") == "Did it <work>?"
        assert page.get_attribute(".card a", "href") == "./?subsidy.annual=200"
        assert "other" in page.inner_text("main") and "made (an invented world)" in page.inner_text("main")
        assert "It was wrong before." in page.inner_text("main")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["asking.html", "learn.html"])
def test_nothing_bars_anybody(chromium, files, name, scheme):
    for width in (390, 1440):
        size = {"width": width, "height": 844}
        with shown(chromium, files, name, viewport=size, color_scheme=scheme) as page:
            for selector in (".info", "summary", "[data-do=table]"):
                for each in page.locator(selector).all():
                    if each.is_visible():
                        each.click()
            found = Axe().run(page, options={"rules": {"target-size": {"enabled": True}}}).response
            told = {fault["id"]: [node["html"] for node in fault["nodes"]] for fault in found["violations"]}
            assert told == {} and len(found["passes"]) > 20


@pytest.mark.parametrize("name", ["asking.html", "learn.html"])
def test_every_width_is_fitted_and_levers_are_at_hand(chromium, files, name):
    for width in WIDTHS:
        size = {"width": width, "height": 844}
        with shown(chromium, files, name, viewport=size) as page:
            if name == "asking.html":
                for chart in page.locator(".drawing").all():
                    chart.press("End")  # a readout fits as well
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if name == "asking.html":
                assert page.locator(".levers").bounding_box()["y"] < 844
                page.evaluate("scrollTo(0, 900)")
                assert page.locator(".main-chart" if width < 760 else ".levers").bounding_box()["y"] >= 0
