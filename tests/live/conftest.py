import pytest
from support.browsing import CHROMIUM, browsing
from support.live_server import get_missing_assets, served


@pytest.fixture(scope="session")
def address():
    """A server of the live page with its front-end files, and its address."""
    get_missing_assets()
    with served("published-2020") as (address, _):
        yield address


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with browsing() as browser:
        yield browser
