"""Watch under somebody's hands: keys, sliders, lists, links, a telephone, and what a screen reader and axe find."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from support.browser import WATCH, at_quarter, opened
from support.browsing import visited

SIZES = {"telephone": (390, 844), "tablet": (800, 1100), "desk": (1440, 1000)}


def jump(page, year):
    page.select_option("[aria-label='jump to']", str(year))
    page.click(".jump button")
    at_quarter(page, f"{year - 1}-Q4")


def test_sixty_presses_on_a_slider_count_sixty(chromium, address):
    with opened(chromium, address, "?config=historic") as page:
        slider = page.locator("[id='subsidy.annual']")
        slider.focus()
        for _ in range(60):
            page.keyboard.press("ArrowRight")  # steps of 5
        page.wait_for_selector(".log >> text=subsidy 300 bn yuan a year")
        assert slider.input_value() == "300" and page.input_value("[aria-label='subsidy, exact']") == "300"
        for _ in range(60):
            page.keyboard.press("ArrowLeft", delay=15)
        page.wait_for_selector(".log >> text=subsidy 0 bn yuan a year")
        assert page.locator(".log li").count() == 1 and "event=" in page.evaluate("decoupling.race.head.link")


def test_arrow_keys_on_a_list_lose_no_run(chromium, address):
    with opened(chromium, address, "?config=historic") as page:
        jump(page, 2023)
        for name in ("jump to", "config"):
            page.focus(f"[aria-label='{name}']")
            for _ in range(3):
                page.keyboard.press("ArrowDown")
        page.wait_for_timeout(500)
        assert page.evaluate("[decoupling.race.head.done, decoupling.race.head.config]") == [12, "historic"]
        page.focus("[aria-label=seed]")
        page.fill("[aria-label=seed]", "12")
        page.keyboard.press("Enter")
        page.wait_for_function("decoupling.race.head.seed == 12")
        assert page.evaluate("decoupling.race.head.config") != "historic"


def test_keys_work_after_a_button_was_clicked(chromium, address):
    with opened(chromium, address) as page:
        page.click("button:has-text('One quarter')")
        at_quarter(page, "2020-Q1")
        page.keyboard.press("ArrowRight")
        at_quarter(page, "2020-Q2")
        page.keyboard.press("Space")
        page.wait_for_selector(".state[data-state=running]")
        page.keyboard.press("Space")
        page.wait_for_selector(".state[data-state=paused]")
        page.click(".buttons button:has-text('Play')")
        page.wait_for_selector(".state[data-state=running]")
        page.keyboard.press("Space")
        page.wait_for_selector(".state[data-state=paused]")
        page.keyboard.press("r")
        at_quarter(page, "start of 2020")
        page.keyboard.press("Control+z")
        page.wait_for_function("decoupling.race.head.done > 1")


def test_a_link_is_copied_or_shown(chromium, address):
    allowed = {"permissions": ["clipboard-read", "clipboard-write"]}
    with opened(chromium, address, "?config=historic", **allowed) as page:
        page.click(".levers button:has-text('link')")
        page.wait_for_selector("button:has-text('copied')")
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(Error('no')))")
        page.wait_for_selector(".levers button:has-text('link')")
        page.click(".levers button:has-text('link')")
        page.wait_for_selector("[aria-label='address of this page']")
        assert page.input_value("[aria-label='address of this page']") == page.url
        assert page.locator("button:has-text('copied')").count() == 0


def test_after_the_end_a_lever_goes_back(chromium, address):
    with opened(chromium, address, "?config=historic") as page:
        page.select_option("[aria-label='jump to']", "2036")
        page.click(".jump button")
        page.wait_for_selector(".state[data-state=ended]")
        page.select_option("[aria-label='a change acts from']", "2027")
        page.locator("[id='subsidy.annual']").fill("300")
        page.wait_for_selector(".log >> text=2027-Q1")
        page.wait_for_selector(".state[data-state=ended]")
        page.click(".log button")
        page.wait_for_selector("text=Nothing yet.")


def test_a_kept_file_is_opened(chromium, address, tmp_path):
    with opened(chromium, address, "?config=historic&seed=6") as page:
        jump(page, 2024)
        page.click("button:has-text('Full cut-off')")
        page.wait_for_selector(".log li")
        with page.expect_download() as download:
            page.click("button:has-text('config.toml')")
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        page.click(".log button")
        page.wait_for_selector("text=Nothing yet.")
        page.set_input_files("[aria-label='open a config that was kept']", file)
        page.wait_for_selector(".log li >> text=everything")
        at_quarter(page, "start of 2020")


def test_a_full_cut_off_is_no_success(chromium, address):
    with opened(chromium, address, "?config=historic") as page:
        jump(page, 2026)
        assert page.locator(".misleads").count() == 0
        page.click("button:has-text('Full cut-off')")
        jump(page, 2028)
        assert "mislead" in page.locator(".misleads [role=alert]").inner_text()


def test_purposes_and_invented_worlds_are_said(chromium, address):
    with opened(chromium, address, "?config=historic") as page:
        assert "dated export controls" in page.locator(".purpose").inner_text()
        assert page.locator(".invented").count() == 0
    with opened(chromium, address, "?config=crop-seeds") as page:
        assert "every value of it is assumed" in page.locator(".invented").inner_text()


def test_an_old_link_gets_the_page_s_own_address_and_leads_to_every_future(chromium, address):
    with visited(chromium, f"{address}?config=historic&at=2022-Q4", address) as page:
        at_quarter(page, "2022-Q4")
        page.locator("[id='subsidy.annual']").fill("150")
        page.wait_for_url(f"**/{WATCH}?*event=*")
        page.click("text=Every future of it")
        page.wait_for_url("**/?config=historic&seed=1&from=2023-Q1&subsidy.annual=150*")
        page.wait_for_selector("[aria-current=page]:has-text('Futures')")


def test_what_does_nothing_is_marked_until_it_does(chromium, address):
    with opened(chromium, address, "?config=no-controls") as page:
        mark = page.locator("[data-testid='idle-subsidy.allocation']")
        assert "it takes subsidy above 0" in mark.inner_text()
        page.locator("[id='subsidy.annual']").fill("100")
        mark.wait_for(state="detached")


def test_a_screen_reader_is_told_state_and_quarter(chromium, address):
    with opened(chromium, address) as page:
        status = page.locator(".bar [role=status]")
        assert status.inner_text() == "paused, start of 2020"
        page.click("button:has-text('One quarter')")
        at_quarter(page, "2020-Q1")
        assert status.inner_text() == "paused, 2020-Q1"
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(chromium, address, size, scheme):
    width, height = SIZES[size]
    look = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    with visited(chromium, f"{address}{WATCH}?config=historic&at=2025-Q4", address, **look) as page:
        at_quarter(page, "2025-Q4")
        page.wait_for_selector(".heat td")
        if size == "telephone":
            page.click(".handle button:has-text('Step in')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert [(fault["id"], fault["nodes"][0]["target"]) for fault in found] == []
        targets = page.evaluate(
            """[...document.querySelectorAll(".race button, .race select, .race summary, .race input")]
            .map((each) => [each.className, each.textContent.slice(0, 20), each.getBoundingClientRect()])
            .filter(([kind, , box]) => kind != "sr" && box.width && (box.width < 24 || box.height < 24))
            .map(([kind, text]) => kind + text)"""
        )
        assert targets == []


def test_levers_are_at_hand_on_a_telephone(chromium, address):
    with opened(chromium, address, "?config=historic", viewport={"width": 390, "height": 844}, has_touch=True) as page:
        handle = page.locator(".handle button:has-text('Step in')")
        assert handle.bounding_box()["y"] < 844
        handle.click()
        lever = page.locator("[id='controls.severity']")
        assert lever.bounding_box()["y"] < 844
        page.locator(".handle button:has-text('Play')").click()
        page.wait_for_selector(".state[data-state=running]")
