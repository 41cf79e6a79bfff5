"""A page in the system's Chromium that complains of whatever a browser's console would, and of requests elsewhere."""

import shutil
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium")
NAME = "race.example.org"  # a name that the browser finds on this machine


@contextmanager
def browsing():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        )
        yield browser
        browser.close()


@contextmanager
def visited(browser, url, ours, **settings):
    """The page of a url in a context of its own. `ours`: what the addresses of allowed requests begin with."""
    context = browser.new_context(**{"viewport": {"width": 1366, "height": 900}, **settings})
    page = context.new_page()
    complaints = []
    page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.on("response", lambda answer: answer.status >= 400 and complaints.append(f"{answer.status} {answer.url}"))
    page.on("request", lambda asked: asked.url.startswith((ours, "data:", "blob:")) or complaints.append(asked.url))
    page.goto(url)
    yield page
    context.close()
    assert complaints == [], complaints
