"""The line between a page and its server: a lost one is said and locks the page, which comes back from its address."""

import re
import signal
import socket
import time

import pytest
from support.browser import WATCH, at_quarter
from support.live_server import get_missing_assets, view


def started(port):
    """A server at a port, once it answers."""
    server = view("historic", "--port", str(port))
    for line in server.stderr:
        if "Ctrl-C" in line:
            return server
    raise AssertionError("the server did not start")


@pytest.fixture
def port():
    get_missing_assets()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    yield page
    context.close()
    assert page.faults == []


def lost(page):
    """Seconds until the page says that it lost its server."""
    began = time.monotonic()
    page.wait_for_selector(".line-lost[role=alert]", timeout=10000)
    return time.monotonic() - began


def test_a_server_that_is_killed_and_restarted_while_playing(page, port):
    server = started(port)
    try:
        page.goto(f"http://127.0.0.1:{port}/{WATCH}?seed=4&subsidy.annual=70")
        page.fill("[aria-label='controllers\\' subsidies, exact']", "40")
        page.keyboard.press("Enter")
        page.wait_for_selector(".log >> text=40 bn yuan a year")
        page.select_option("[aria-label=speed]", "2")
        page.click("button:has-text('Play')")
        at_quarter(page, "2020-Q3")
        server.kill()
        assert lost(page) < 2
        assert page.evaluate("document.querySelector('#app').inert")
        quarter = page.get_by_test_id("quarter").inner_text()
        server.communicate(timeout=10)
        server = started(port)
        page.wait_for_selector(".line-lost", state="detached", timeout=30000)
        at_quarter(page, quarter)
        assert page.locator(".log li").count() == 1 and page.locator(".log >> text=40 bn yuan a year").count() == 1
        assert page.input_value("[aria-label='subsidy, exact']") == "70"
        assert not page.evaluate("document.querySelector('#app').inert")
        page.click("button:has-text('One quarter')")
        page.wait_for_function(f"document.querySelector('[data-testid=quarter]').textContent > '{quarter}'")
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)


def test_a_server_that_stands_still_is_said_and_a_line_that_holds_goes_on(page, port):
    """As when the line is cut: no answer comes, and nothing is closed. It goes on where it was, without a reload."""
    server = started(port)
    try:
        page.goto(f"http://127.0.0.1:{port}/{WATCH}")
        page.click("button:has-text('One quarter')")
        at_quarter(page, "2020-Q1")
        page.evaluate("window.untouched = true")
        server.send_signal(signal.SIGSTOP)
        assert lost(page) < 2.5
        server.send_signal(signal.SIGCONT)
        page.wait_for_selector(".line-lost", state="detached", timeout=10000)
        page.click("button:has-text('One quarter')")
        at_quarter(page, "2020-Q2")
        assert page.evaluate("window.untouched")
    finally:
        server.send_signal(signal.SIGINT)
        _, error = server.communicate(timeout=30)
    assert re.search("Traceback|Error", error) is None


def test_the_first_screen_says_it_too_and_comes_back(page, port):
    server = started(port)
    try:
        page.goto(f"http://127.0.0.1:{port}/?from=2027-Q1&subsidy.annual=250")
        page.wait_for_selector("main h1")
        server.kill()
        assert lost(page) < 2
        server.communicate(timeout=10)
        server = started(port)
        page.wait_for_selector(".line-lost", state="detached", timeout=30000)
        page.wait_for_selector("main h1")
        assert "subsidy.annual=250" in page.url
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)


def test_a_page_that_is_left_says_nothing(page, port):
    server = started(port)
    try:
        page.goto(f"http://127.0.0.1:{port}/{WATCH}")
        page.wait_for_selector("button:has-text('Play')")
        page.evaluate("addEventListener('pagehide', () => (localStorage.said = document.querySelector('.line-lost')))")
        page.reload()
        page.wait_for_selector("button:has-text('Play')")
        assert page.evaluate("localStorage.said") == "null"
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)
