"""The benchmark's three ways of writing the same rules agree, so that their speeds may be compared."""

import sys

from support.paths import TESTS

sys.path.append(str(TESTS / "bench"))

import three_ways


def test_the_three_ways_agree():
    seeds = [3, 11]
    columns = three_ways.in_columns(seeds)()
    assert three_ways.largest_difference(columns, three_ways.idiomatic(seeds)()) < 1e-9
    assert three_ways.largest_difference(columns, three_ways.fused(seeds)()) < 1e-9
    prices, lags = columns
    assert abs(prices - 1.0).max() > 0.1 and (lags < three_ways.LAG).all()  # something happened
    assert (lags[0] != lags[1]).all()
