"""How fast the live page is: quarters a second, clicks, memory over restarts, and many sessions at once.

    uv run python tests/bench/live.py [sessions]

It starts a server of its own and speaks to it as pages do, over websockets. A click is a lever moved; it has acted when
a frame shows its new value. Run it on a machine that does nothing else.
"""

import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
from machine import caches

sys.path.insert(0, str(Path(__file__).parent.parent))
from support.live_client import Page

RESTARTS, SECONDS = 30, 20
FULL_SPEED = 40


def click(page, value):
    """Seconds until a moved lever is seen."""
    page.command(do="lever", key="subsidy.annual", value=value)
    return page.until(lambda head: head["levers"]["subsidy.annual"] == value or head["state"] == "ended")


def play(page, until, clicks):
    """Run at full speed, over and over, and click twice a second; appends the seconds that each click took."""
    page.command(do="speed", value=FULL_SPEED)
    number = quarters = 0
    while time.monotonic() < until:
        page.command(do="clear")
        page.command(do="restart")
        page.until(lambda head: head["done"] == 0)
        page.command(do="play")
        page.until(lambda head: head["state"] == "running")
        while page.head["state"] == "running" and time.monotonic() < until:
            number += 1
            clicks.append(click(page, float(number % 100)))
            pause = time.monotonic() + 0.5
            while page.head["state"] == "running" and time.monotonic() < pause:
                page.hear(20)
        quarters += page.head["done"]
    return quarters


def said(name, seconds):
    ordered = sorted(seconds)
    part = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    figures = f"{1000 * statistics.median(ordered):.0f} ms median, {1000 * part:.0f} ms at the 95th percentile"
    print(f"{name}: {len(ordered)} clicks, {figures}, {1000 * ordered[-1]:.0f} ms at most")


def one_tab(address, process):
    page = Page(address)
    page.command(do="quarter")
    page.until(lambda head: head["done"] == 1)
    print(f"agents: {len(page.parts['agents'])}")
    page.command(do="restart")
    page.until(lambda head: head["done"] == 0)
    page.command(do="speed", value=FULL_SPEED)
    page.command(do="play")
    began = time.monotonic()
    page.until(lambda head: head["state"] == "ended", 60)
    print(f"one tab at full speed: {64 / (time.monotonic() - began):.0f} quarters a second")
    clicks = []
    play(page, time.monotonic() + SECONDS, clicks)
    said("one tab at full speed", clicks)
    for restarts in range(RESTARTS + 1):
        page.command(do="restart")
        page.until(lambda head: head["done"] == 0)
        page.command(do="jump", value=2036)
        page.until(lambda head: head["done"] == 64, 60)
        if restarts % 10 == 0:
            print(f"after {restarts} restarts: {process.memory_info().rss / 2**20:.0f} MB")
    page.close()


def many_tabs(address, process, count):
    pages = [Page(address, f"?seed={number}") for number in range(1, count + 1)]
    clicks, quarters = [[] for _ in pages], [0] * count
    end = time.monotonic() + SECONDS

    def work(place):
        quarters[place] = play(pages[place], end, clicks[place])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(quarters) / count / SECONDS
    print(f"{count} tabs at full speed: {rate:.1f} quarters a second each, the slowest {min(quarters) / SECONDS:.1f}")
    said(f"{count} tabs at full speed", [seconds for each in clicks for seconds in each])
    print(f"with {count} tabs: {process.memory_info().rss / 2**20:.0f} MB")
    jump_together(pages)
    for page in pages:
        page.close()


def jump_together(pages):
    """All go to the end at once, as a class does that is told to; one of them moves a lever meanwhile."""
    for page in pages:
        page.command(do="clear")
        page.command(do="restart")
        page.until(lambda head: head["done"] == 0 and head["state"] == "paused")
    took = []

    def go(page):
        page.command(do="jump", value=2036)
        took.append(page.until(lambda head: head["done"] == 64, 120))

    threads = [threading.Thread(target=go, args=(page,)) for page in pages[1:]]
    for thread in threads:
        thread.start()
    clicks = []
    while any(thread.is_alive() for thread in threads):
        clicks.append(click(pages[0], float(len(clicks) % 100 + 1)))
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    figures = f"{statistics.median(took):.1f} s median, {max(took):.1f} s at most"
    print(f"{len(took)} tabs that jump to the end together: {figures}")
    said("a tab beside them", clicks)


def main():
    command = [sys.executable, "-m", "sim", "view", "historic", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        address = None
        while address is None:
            line = server.stderr.readline()
            address = re.search(r"http://[^/]+/", line) if line else sys.exit("the server did not start")
        process = psutil.Process(server.pid)
        print(caches())
        one_tab(address.group(), process)
        many_tabs(address.group(), process, int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)


if __name__ == "__main__":
    main()
