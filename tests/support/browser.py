"""The page Watch in a browser."""

from contextlib import contextmanager

from support.browsing import visited

WATCH = "watch"  # the path of the page, below an address


@contextmanager
def opened(browser, address, query="", **settings):
    """A page of Watch in a context of its own, ready to be played."""
    with visited(browser, f"{address}{WATCH}{query}", address, **settings) as page:
        page.wait_for_selector("button:has-text('Play')")
        yield page


def at_quarter(page, name):
    page.wait_for_function(f"document.querySelector('[data-testid=quarter]')?.textContent == '{name}'", timeout=15000)
