"""The live page: a session's thread without a page, the server's guards, and the page in a real browser."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from sim import DecouplingModel
from sim.live.assets import missing_assets
from sim.live.server import _is_local
from sim.live.session import SHOWN, Session
from sim.scenario import load_config

# -- a session


class Watcher:
    """Takes a session's frames as a page does, and says that it has drawn them."""

    def __init__(self, config="historic", seed=1):
        self.frames = []
        self.arrived = threading.Condition()
        self.session = Session(load_config(config), seed, self.take)

    def take(self, text):
        with self.arrived:
            self.frames.append(json.loads(text))
            self.arrived.notify_all()
        self.session.send({"do": "drawn", "value": self.frames[-1]["number"]})

    def until(self, wanted, seconds=20):
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.frames and wanted(self.frames[-1]), seconds), self.frames[-1:]
            return self.frames[-1]

    def __enter__(self):
        self.session.start()
        return self

    def __exit__(self, *_):
        self.session.stop()
        self.session._thread.join(5)
        assert not self.session.alive


def test_a_session_shows_what_a_run_gives():
    with Watcher() as watcher:
        watcher.session.send({"do": "speed", "value": 20})
        watcher.session.send({"do": "play"})
        last = watcher.until(lambda frame: frame["state"] == "ended")
    alone = DecouplingModel("historic", 1, record=SHOWN).run()
    assert last["done"] == 64 and last["quarter"] == "2035-Q4"
    for name in SHOWN:
        assert last["series"][name] == [round(value, 6) for value in alone[name]]
    assert len(watcher.frames) < 64  # a page is sent at most eight frames a second


def test_a_lever_acts_from_the_next_quarter_on():
    with Watcher("published-2020") as watcher:
        watcher.session.send({"do": "quarter"})
        watcher.session.send({"do": "lever", "key": "controls.severity", "value": 0.5})
        watcher.session.send({"do": "quarter"})
        frame = watcher.until(lambda frame: frame["done"] == 2)
    assert frame["series"]["controls_severity"][0] == 0
    assert frame["series"]["controls_severity"][1] > 0.01
    assert frame["levers"]["controls.severity"] == 0.5 and frame["levers"]["controls.mode"] == "fixed"
    assert frame["log"] == [{"quarter": "2020-Q2", "text": "controls.severity = 0.5"}]


def test_dated_controls_give_way_to_the_slider():
    with Watcher("historic") as watcher:
        assert watcher.until(lambda frame: True)["levers"]["controls.mode"] == "events"
        watcher.session.send({"do": "lever", "key": "controls.severity", "value": 0})
        for _ in range(16):
            watcher.session.send({"do": "quarter"})
        frame = watcher.until(lambda frame: frame["done"] == 16)
    assert frame["series"]["controls_severity"] == [0.0] * 16


def test_restart_begins_anew_and_keeps_nothing():
    with Watcher() as watcher:
        watcher.session.send({"do": "lever", "key": "subsidy.annual", "value": 300})
        watcher.session.send({"do": "quarter"})
        watcher.until(lambda frame: frame["done"] == 1)
        watcher.session.send({"do": "restart"})
        frame = watcher.until(lambda frame: frame["done"] == 0)
    assert frame["levers"]["subsidy.annual"] == 0 and frame["log"] == [] and frame["state"] == "paused"


@pytest.mark.parametrize(
    "command",
    [
        {},
        {"do": None},
        {"do": "fly"},
        {"do": "speed", "value": 1e9},
        {"do": "speed", "value": [5]},
        {"do": "lever"},
        {"do": "lever", "key": "subsidy.annual", "value": "much"},
        {"do": "lever", "key": "subsidy.annual", "value": None},
        {"do": "lever", "key": "subsidy.annual", "value": float("nan")},
        {"do": "lever", "key": "subsidy.annual", "value": -1},
        {"do": "lever", "key": "controls.severity", "value": 1.5},
        {"do": "lever", "key": "controls.severity", "value": {"a": 1}},
        {"do": "lever", "key": "demand.shock_sd", "value": 0.1},
        {"do": "lever", "key": "../../etc/passwd", "value": 1},
    ],
)
def test_a_bad_command_gets_a_sentence_and_changes_nothing(command):
    with Watcher() as watcher:
        before = watcher.until(lambda frame: True)["levers"]
        watcher.session.send(command)
        frame = watcher.until(lambda frame: frame["message"])
        watcher.session.send({"do": "quarter"})
        watcher.until(lambda frame: frame["done"] == 1)  # it still runs
    assert frame["levers"] == before and frame["log"] == []


def test_two_sessions_do_not_touch_each_other():
    with Watcher() as one, Watcher() as other:
        one.session.send({"do": "quarter"})
        one.until(lambda frame: frame["done"] == 1)
        assert other.until(lambda frame: True)["done"] == 0


# -- the server's guards


def request(path="/", host="127.0.0.1:8765", origin=None, query=b""):
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    return {"type": "http", "path": path, "query_string": query, "headers": headers}


@pytest.mark.parametrize(
    "scope",
    [
        request(),
        request(host="localhost:8765"),
        request(host="[::1]:8765"),
        request(origin="http://127.0.0.1:8765"),
        request("/_solara/api/close/x", query=b"session_id=y"),
    ],
)
def test_its_own_page_is_answered(scope):
    assert _is_local(scope)


@pytest.mark.parametrize(
    "scope",
    [
        request(host="example.org"),
        request(host="example.org:8765"),
        request(host="127.0.0.1.example.org:8765"),
        request(host=""),
        request(origin="http://example.org"),
        request(origin="http://127.0.0.1:9999"),
        request(origin="null"),
        request("/_solara/api/close/x"),  # Solara answers this one with a traceback
    ],
)
def test_others_are_refused(scope):
    assert not _is_local(scope)


def view(*arguments, env=None):
    command = [sys.executable, "-m", "sim", "view", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def test_a_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        server = view("--port", port)
        out, error = server.communicate(timeout=30)
    assert server.returncode == 2 and out == ""
    assert f"--port = {port}" in error and "Traceback" not in error and len(error.splitlines()) == 1


@contextmanager
def served(*arguments, env=None):
    """A server and its address; ended as a user does, by an interrupt."""
    server = view("--port", "0", *arguments, env=env)
    lines = []
    for line in server.stderr:
        lines.append(line)
        if "http://" in line:
            break
    address = re.search(r"http://127\.0\.0\.1:\d+/", lines[-1]) if lines else None
    assert address, "".join(lines)
    try:
        yield address.group(), "".join(lines)
    finally:
        server.send_signal(signal.SIGINT)
        _, error = server.communicate(timeout=30)
    assert server.returncode == 130, error
    assert "Traceback" not in error and "Error" not in error and "Warning" not in error, error


def test_without_front_end_files_terminal_and_page_say_so(tmp_path):
    import urllib.error
    import urllib.request

    with served(env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)}) as (address, said):
        assert "decoupling view --get-assets" in said
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(address)
        text = answer.value.read().decode()
        answer.value.close()
        assert "decoupling view --get-assets" in text


# -- the page


CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def address():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    if missing_assets():
        if shutil.which("npm") is None:
            pytest.skip("the page's front-end files are missing, and so is npm to get them")
        subprocess.run([sys.executable, "-m", "sim", "view", "--get-assets"], check=True, capture_output=True)
    with served("published-2020") as (address, _):
        yield address


@pytest.fixture(scope="module")
def browser(address):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser, address, query="", **settings):
    """A page in a context of its own; complains of whatever a browser's console would."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    page = context.new_page()
    complaints = []
    page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.on("response", lambda answer: answer.status >= 400 and complaints.append(f"{answer.status} {answer.url}"))
    page.on("request", lambda asked: asked.url.startswith((address, "data:", "blob:")) or complaints.append(asked.url))
    page.goto(address + query)
    page.wait_for_selector("text=Play")
    yield page
    context.close()
    assert complaints == []


def number(page, name):
    return float(page.get_by_test_id(name).inner_text())


def wait_for(true, seconds=15):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_play_step_in_and_restart(browser, address):
    alone = DecouplingModel("published-2020", 7).run()["domestic_supply_share"]
    with opened(browser, address, "?seed=7") as page:
        page.click("text=One quarter")
        page.wait_for_selector("text=2020-Q1")
        assert number(page, "domestic_supply_share") == pytest.approx(100 * alone.iloc[0], abs=0.051)
        page.select_option("select", "20")
        page.click("text=Play")
        page.wait_for_selector("text=ended", timeout=15000)
        assert number(page, "domestic_supply_share") == pytest.approx(100 * alone.iloc[-1], abs=0.051)
        page.click("text=Restart")
        page.wait_for_selector("text=start of 2020")
        page.locator("[id='controls.severity']").fill("0.9")
        page.click("text=One quarter")
        page.wait_for_selector("text=2020-Q1 controls.severity = 0.9")
        wait_for(lambda: number(page, "controls_severity") > 0)


def test_keys_and_dark_colours(browser, address):
    with opened(browser, address, color_scheme="dark") as page:
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("text=2020-Q1")
        page.keyboard.press("Space")
        page.wait_for_selector("text=running")
        page.keyboard.press("Space")
        page.wait_for_selector("text=paused")
        page.keyboard.press("r")
        page.wait_for_selector("text=start of 2020")


def test_two_browsers_run_apart(browser, address):
    with opened(browser, address) as one, opened(browser, address) as other:
        one.click("text=One quarter")
        one.wait_for_selector("text=2020-Q1")
        assert other.get_by_test_id("quarter").inner_text() == "start of 2020"


def test_a_narrow_page_does_not_scroll_sideways(browser, address):
    with opened(browser, address, viewport={"width": 390, "height": 844}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_bad_link_gets_a_sentence(browser, address):
    with opened(browser, address, "?config=../../etc/passwd&seed=%3Cscript%3Ealert(1)%3C/script%3E") as page:
        said = page.locator("[role=alert]").all_inner_texts()
        assert said[0].startswith("config = ../../etc/passwd: must be one of")
        assert said[1] == "seed = <script>alert(1)</script>: must be a whole number from 0"
        page.click("text=One quarter")
        page.wait_for_selector("text=2020-Q1")


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ({"seed": ["-1"]}, "seed = -1"),
        ({"seed": ["nan"]}, "seed = nan"),
        ({"seed": ["1e3"]}, "seed = 1e3"),
        ({"seed": ["\u0661"]}, "seed = \u0661"),
        ({"seed": ["9" * 400]}, "seed = 999"),
        ({"config": [""]}, "config = "),
        ({"config": ["\0"]}, "config = \0"),
        ({"config": ["/etc/passwd"]}, "config = /etc/passwd"),
        ({"colour": ["red"]}, "colour"),
    ],
)
def test_what_a_link_cannot_hold(query, part):
    from sim.live.page import scenario_of

    scenario, seed, problems = scenario_of(query)
    assert (scenario.name, seed) == ("historic", 1)
    assert len(problems) == 1 and problems[0].startswith(part) and len(problems[0]) < 300
