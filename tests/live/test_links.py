"""Links from before there was a screen Futures open what they meant."""

import pytest
from support.live_client import Page


@pytest.mark.parametrize(
    "query",
    [
        "?config=historic&seed=3&at=2021-Q2",
        '?config=historic&event={"date":"2021-01-01","by":"CHN","kind":"lever","set":{"subsidy.annual":50}}&at=2021-Q2',
    ],
)
def test_a_moment_or_an_event_of_a_run_is_watched(address, query):
    page = Page(address, query, path="/")  # waits for a frame of Watch
    assert (page.head["config"], page.head["quarter"]) == ("historic", "2021-Q2")
    page.close()
