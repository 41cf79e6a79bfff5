"""What futures say, worked out by hand: quantiles, paired differences, and the sentence."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.futures.sentence import as_text, left_out, sentence, warnings
from sim.futures.summary import bands, differences, line_alone, middle, spread
from sim.world.world import load_world

NAMES = ("domestic_supply_share", "unmet_demand", "chip_market")
YEARS = 16


@pytest.fixture(scope="module")
def chips():
    return load_world("china-2020")


def futures(*shares, unmet=0.0, market=1000.0):
    """Futures whose share is the same in every year."""
    rows = [np.tile([share, unmet, market], (YEARS, 1)) for share in shares]
    return np.array(rows)


def test_a_spread_is_the_median_and_nine_of_ten():
    # 21 values 0 to 20: the 5 % quantile is the second, the 95 % one the last but one
    assert spread(np.arange(21.0)) == {"median": 10.0, "low": 1.0, "high": 19.0, "pairs": 21}
    assert spread(np.array([3.0])) == {"median": 3.0, "low": None, "high": None, "pairs": 1}
    assert spread(np.array([np.nan, 3.0, 5.0]))["pairs"] == 2
    assert spread(np.array([np.nan]))["median"] is None


def test_differences_are_taken_pair_by_pair():
    base, policy = futures(0.10, 0.30), futures(0.15, 0.31)
    told = differences(base, policy, NAMES, {"2035": 15})["domestic_supply_share"]["2035"]
    # +5 points and +1 point, whose middle is 3; of the medians' difference nothing is said
    assert told["median"] == pytest.approx(0.03) and told["low"] == pytest.approx(0.012)
    assert told["high"] == pytest.approx(0.048) and told["pairs"] == 2


def test_bands_pass_over_what_is_missing():
    values = futures(0.1, 0.2, 0.3)
    values[0, 3, 0] = np.nan
    values[:, 4, 0] = np.nan
    told = bands(values, NAMES, values[1])["domestic_supply_share"]
    assert told["median"][:5] == [0.2, 0.2, 0.2, pytest.approx(0.25), None]
    assert told["line"][4] is None and told["line"][5] == 0.2
    alone = line_alone(values[0], NAMES)["domestic_supply_share"]
    assert alone["median"] is None and alone["line"][3] is None


def test_the_line_is_the_future_nearest_the_middle_of_all():
    paths = np.array([[1.0, 9.0], [2.0, 2.0], [3.0, 3.0], [9.0, 1.0]])  # medians 2.5 and 2.5
    assert middle(paths) == 1  # 0.5 + 0.5, as far as the third, and before it
    paths[1] = np.nan
    assert middle(paths) == 2


def test_as_things_stand(chips):
    told = as_text(sentence(chips, NAMES, futures(*np.linspace(0.10, 0.30, 21)), None))
    assert told == (
        "As things stand, China makes 20 % of the chips it uses in 2035 (11 to 29 in nine of ten futures). "
        "In no future does it reach the 70 % that it wanted by 2025, not by 2035 either."
    )


def test_a_change_is_told_with_its_spread(chips):
    base = futures(*np.linspace(0.10, 0.30, 21))
    policy = base + np.array([1.0, 0.0, 0.0]) * np.linspace(0.04, 0.06, 21)[:, None, None]
    words = sentence(chips, NAMES, base, policy)
    assert as_text(words).startswith(
        "In your world China makes 25 % of the chips it uses in 2035 (15 to 35 in nine of ten futures); "
        "without the change 20 %. That is 5.0 points more (4.1 to 5.9)."
    )
    assert [(word["role"], word["text"]) for word in words if word["role"]] == [
        ("policy", "25 %"),
        ("base", "20 %"),
        ("difference", "5.0 points more"),
    ]
    assert "That is 5.0 points less (4.1 to 5.9)." in as_text(sentence(chips, NAMES, policy, base))


def test_one_future_has_no_spread_and_reaches_no_goal(chips):
    told = as_text(sentence(chips, NAMES, futures(0.2), futures(0.25)))
    assert told == (
        "In your world China makes 25 % of the chips it uses in 2035 in one future; without the change 20 %. "
        "That is 5.0 points more."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ([0.0, 0.0, 0.0], " That is the same in every future."),
        ([0.0, 0.0, 0.001], " That is the same to a tenth of a point."),
        ([-0.01, 0.02, 0.03], " Which way the change works is open: 2.0 points more in the middle, from "),
    ],
)
def test_small_and_open_changes(chips, change, words):
    base = futures(0.2, 0.2, 0.2)
    policy = base.copy()
    policy[:, :, 0] += np.array(change)[:, None]
    assert words in as_text(sentence(chips, NAMES, base, policy))


def test_both_ends_of_a_change_of_controls(chips):
    base, policy = futures(0.2, 0.2, 0.2), futures(0.21, 0.21, 0.21)
    ends = {"held": futures(0.04, 0.04, 0.04), "answers": futures(-0.012, -0.012, -0.012)}
    told = as_text(sentence(chips, NAMES, base, policy, ends))
    assert (
        "without the change 20.0 %. What the change does hangs on China's push to build what it is denied: "
        "4.0 points more if that goes on as before (the bite), 1.2 points less if it answers the change (the total)."
    ) in told
    alike = {"held": futures(0.01), "answers": futures(0.01)}
    assert "(the bite)" not in as_text(sentence(chips, NAMES, base, policy, alike))


def test_unmet_demand_warns_where_a_share_would_mislead(chips):
    base, cut = futures(0.2, 0.2), futures(0.97, 0.97, unmet=1500.0, market=500.0)
    told = as_text(sentence(chips, NAMES, base, cut))
    assert told.endswith(
        " But its buyers then go without 1,500 bn yuan of chips a year, 75 % of what they want, "
        "so the share says little."
    )
    assert "70 %" not in told, "a goal that is reached because nothing is left is none"
    (warning,) = warnings(chips, NAMES, base, cut)
    assert warning.startswith(
        "In your world buyers in China go without 75 % of the chips they want in 2020, when that part is largest: "
        "1,500 bn yuan a year"
    )
    assert warnings(chips, NAMES, base, base) == [] and len(warnings(chips, NAMES, cut, cut)) == 2
    whys = [text.endswith("it can rise because there is less to be had.") for text in warnings(chips, NAMES, cut, cut)]
    assert warning.endswith("less to be had.") and whys == [False, True]


def test_how_many_reach_the_goal(chips):
    told = [as_text(sentence(chips, NAMES, futures(*shares), None)) for shares in ((0.5, 0.8), (0.8, 0.8))]
    assert " In 1 of 2 futures it reaches the 70 % that it wanted by 2025, by 2035." in told[0]
    assert " In every future it reaches the 70 %" in told[1]
    aimless = SimpleNamespace(names=chips.names, target="CHN", goods="seeds", goal=None)
    assert as_text(sentence(aimless, NAMES, futures(0.05, 0.05), None)) == (
        "As things stand, China makes 5.0 % of the seeds it uses in 2035 (5.0 in nine of ten futures)."
    )


def test_what_could_not_be_run_is_counted():
    assert left_out(np.array([True, True])) == []
    assert left_out(np.array([True, False, False]))[0].startswith("2 of 3 futures could not be run")
