"""Directions on 20 paired seeds. Each says which kind of claim it is; what users ask of the model is not asserted."""

import numpy as np
from support.models import year

HELD = {"security.caused_by_controls": 0.0}  # what controls do by themselves: the push is the same with and without


def test_more_subsidy_raises_the_share_with_falling_returns(paired):
    """Verification: money is absorbed with falling returns by the text of the rule."""
    levels = (0, 100, 200, 400, 800)
    shares = np.array([year(paired({"subsidy.annual": level})["domestic_supply_share"], 2030) for level in levels])
    gains = np.diff(shares, axis=0)
    assert (gains > 0).all()
    per_yuan = gains.mean(axis=1) / np.diff(levels)
    assert (np.diff(per_yuan) < 0).all()


def test_a_strict_allied_control_lowers_leading_and_advanced_output_within_three_years(paired):
    """Stylised fact: the leading edge falls under controls on tools for it (controls of October 2022)."""

    def leading_edge(runs, when):
        return sum(
            year(runs[f"chip_production_located.{segment}"], when) for segment in ("leading_logic", "advanced_logic")
        )

    strict, free = paired({"controls.severity": 0.9, "controls.alignment": 1.0, **HELD}), paired(HELD)
    for when in (2025, 2026, 2028):
        assert (leading_edge(strict, when) < leading_edge(free, when)).all()
    three_years = [sum(leading_edge(runs, when) for when in (2023, 2024, 2025)) for runs in (strict, free)]
    assert three_years[0].mean() < three_years[1].mean()


def test_an_allied_control_bites_harder_than_a_unilateral_one(paired):
    """Stylised fact: one supplier's denial is back-filled, a common one is not (Khan, Mann and Peterson 2021)."""
    allied = paired({"controls.severity": 0.9, "controls.alignment": 1.0, **HELD})
    alone = paired({"controls.severity": 0.9, "controls.alignment": 0.0, **HELD})
    free = paired(HELD)
    lost = [year(free["equipment_spending"], 2024) - year(runs["equipment_spending"], 2024) for runs in (alone, allied)]
    assert (lost[0] > 0).all() and (lost[1] > lost[0]).all()


def test_more_equity_raises_the_share_only_after_the_build_time(paired):
    """Verification: lines take four quarters to build."""
    more, base = paired({"investment.annual": 600}), paired()
    output = [runs["chip_production_hq"] for runs in (more, base)]
    assert np.array_equal(year(output[0], 2020), year(output[1], 2020))
    assert (year(output[0], 2021) > year(output[1], 2021)).all()
    shares = [year(runs["domestic_supply_share"], 2030) for runs in (more, base)]
    assert (shares[0] > shares[1]).all()
    less = paired({"investment.annual": 30})
    assert (year(less["domestic_supply_share"], 2030) < shares[1]).all()


def test_a_mandate_raises_home_sales_at_once(paired):
    """Verification: orders are placed with home makers that have idle capacity, in the first year."""
    mandated, base = paired({"mandate.domestic": 0.3}), paired()
    assert (year(mandated["home_sales"], 2020) > year(base["home_sales"], 2020)).all()


def test_catching_up_is_fast_in_deposition_and_etching_and_absent_in_lithography(paired):
    """Stylised fact: China's world shares of tools, 2019 to 2024 (1.0 to 7.4, 1.6 to 8.5 and 0 to 0.2 per cent)."""
    runs = paired(config="historic")
    for item, before in (("deposition", 0.010), ("etch_clean", 0.016)):
        assert year(runs[f"input_world_share.{item}.CHN"], 2024).mean() > 3 * before
    assert (year(runs["input_world_share.lithography.CHN"], 2024) < 0.005).all()


def test_lost_sales_lower_the_leaders_quality(paired):
    """Stylised fact: research follows sales, so lost sales lower it (research intensity of tool makers, 13 to 16 %)."""
    from sim.model import DecouplingModel

    strict = DecouplingModel("published-2020", set={"controls.severity": 0.9, "controls.alignment": 0.0})
    free = DecouplingModel("published-2020")
    strict.run(), free.run()
    at = strict.roster.suppliers.index("usa-deposition")
    assert strict.suppliers.quality[0, at] < free.suppliers.quality[0, at]
