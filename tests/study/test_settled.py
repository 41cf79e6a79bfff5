"""When indices and means are known well enough, by hand."""

import pytest
from scipy import stats
from support.made_results import Maker

from sim.compare.enough import of_mean, samples_for
from sim.compare.question import Question, compare
from sim.study.settled import Bounds, order, verdict
from sim.study.sure import how_sure


def test_seeds_for_half_the_width_by_hand():
    """Ten seeds of deviation 1 know the mean to 2.262 / sqrt(10) = 0.715; 33 seeds to 2.037 / sqrt(33) = 0.355."""
    half = stats.t.ppf(0.975, 9) / 10**0.5
    assert half == pytest.approx(0.7154, abs=1e-4)
    said = of_mean("the share", half / 100, 10, 0.95, "0 to 1")
    assert said == "With 10 seeds the share is known to 0.72 points; 33 would halve that"
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


def test_how_sure_a_difference_is_in_one_sentence(tmp_path):
    """Differences 2, 4 and 6 have a deviation of 2: t of 2 freedoms, 4.303, times 2 / sqrt(3) is 4.97."""
    made = Maker(tmp_path)
    paths = made.pair([1.0, 1.0, 1.0], [3.0, 5.0, 7.0], column="chip_market@end")
    half = stats.t.ppf(0.975, 2) * 2 / 3**0.5
    needed = next(n for n in range(2, 99) if stats.t.ppf(0.975, n - 1) * 2 / n**0.5 <= half / 2)
    tells = next(n for n in range(2, 99) if stats.t.ppf(0.975, n - 1) * 2 / n**0.5 <= 4)
    assert (needed, tells) == (5, 4)
    notes = compare(paths, Question()).notes
    base, candidate = (path.name for path in paths)
    assert (
        f"With 3 seeds the difference of the chip market at the end between {candidate} and {base} is known to "
        "5.0 bn yuan a year; 5 would halve that, as far as so few seeds can tell; 4 would tell its sign if it stays as "
        "large."
    ) in notes


def test_how_sure_the_means_of_a_batch_are(tmp_path):
    """At one point the seeds give 10, 20 and 30 points, at the other the same thrice: the first is told."""
    values = {(seed, level): 0.1 * seed if level else 0.2 for level in (0.0, 1.0) for seed in (1, 2, 3)}
    folder = Maker(tmp_path).sweep("sweep", values)
    half = stats.t.ppf(0.975, 2) * 10 / 3**0.5
    assert how_sure(folder) == (
        "With 3 seeds the domestic supply share at the end, in the case where it is known least, is known to "
        f"{half:.0f} points; 5 would halve that, as far as so few seeds can tell."
    )
    one = {key: value for key, value in values.items() if key[0] == 1}
    assert how_sure(Maker(tmp_path).sweep("one", one)) == ""
