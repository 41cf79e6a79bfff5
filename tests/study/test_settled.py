"""When indices and means are known well enough, by hand."""

import pytest
from scipy import stats

from sim.compare.enough import samples_for, seeds_for
from sim.study.settled import Bounds, order, verdict


def test_seeds_for_half_the_width_by_hand():
    """Ten seeds of deviation 1 know the mean to 2.262 / sqrt(10) = 0.715; 33 seeds to 2.037 / sqrt(33) = 0.355."""
    half = stats.t.ppf(0.975, 9) / 10**0.5
    assert half == pytest.approx(0.7154, abs=1e-4)
    assert seeds_for(half, 10, half / 2, 0.95) == 33
    assert seeds_for(half, 10, half, 0.95) == 10
    assert [stats.t.ppf(0.975, n - 1) / n**0.5 <= half / 2 for n in (32, 33)] == [False, True]


def test_samples_grow_with_the_square_of_the_width():
    assert samples_for(0.1, 64) == 260 and samples_for(0.5, 1024) == 110_000 and samples_for(0.05, 64) == 64


def test_a_verdict_on_indices():
    first = [Bounds("a", 0.6, 0.55, 0.65), Bounds("b", 0.3, 0.28, 0.32), Bounds("c", 0.29, 0.27, 0.31)]
    width, said = verdict(first, [], 100, "samples", (50, 0.02))
    assert width == pytest.approx(0.1)
    assert said == (
        "not settled with 100 samples: the widest 95 % interval is 0.10, and 0.05 is the rule; some 400 would do; "
        "a comes first beyond doubt, the next place is open between b and c; "
        "from 50 to 100 an index moved by up to 0.02"
    )
    assert verdict(first[1:], [], 100, "samples", None)[1].startswith(
        "settled with 100 samples: the widest 95 % interval is 0.04, and 0.05 is the rule; the first place is open"
    )
    assert "no index has an interval" in verdict([Bounds("a", 1.0, None, None)], [], 2, "seeds", None)[1]


def test_the_order_of_factors():
    apart = [Bounds("a", 3.0, 2.5, 3.5), Bounds("b", 2.0, 1.8, 2.2), Bounds("c", 1.0, 0.8, 1.2)]
    assert order(apart) == "the order is beyond doubt, a, b, c"
    assert order([Bounds(name, 1.0, 0.5, 1.5) for name in "abcde"]) == (
        "the first place is open between a, b, c and 2 more"
    )
