import pytest
from support.live_server import get_missing_assets, served


@pytest.fixture(scope="session")
def address():
    """A server of the live page with its front-end files, and its address."""
    get_missing_assets()
    with served("published-2020") as (address, _):
        yield address
