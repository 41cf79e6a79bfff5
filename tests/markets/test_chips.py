"""The market of chips: mandates, outages and prices, by hand."""

import numpy as np
import pytest
from support.models import quiet

from sim.model import DecouplingModel
from sim.scenario.loading import load_config


def test_a_mandate_fills_idle_home_capacity_at_once():
    model, before = quiet({"mandate.domestic": 0.5}), quiet()
    model.step(), before.step()
    owned = model.roster.target_owned & ~model.roster.is_entrant
    segment = model.roster.firm_segment
    mature = owned & (segment == model.roster.segments.index("mature_logic"))
    assert model.chip_firms.output[0, mature] == pytest.approx(model.chip_firms.capacity[0, mature], rel=1e-9)
    assert before.chip_firms.output[0, mature] == pytest.approx(0.88 * before.chip_firms.capacity[0, mature], rel=1e-9)
    leading = model.roster.segments.index("leading_logic")
    assert model.chip_firms.output[0, segment == leading] == pytest.approx(
        before.chip_firms.output[0, segment == leading]
    )


def test_an_outage_is_re_routed_and_what_is_left_is_unmet():
    base = load_config("neutral").with_event(
        {"date": "2020-01-01", "by": "TWN", "kind": "outage", "scope": ["tsmc-twn-leading"], "severity": 0.5}
    )
    model = DecouplingModel(base)
    model.step()
    leading = model.roster.segments.index("leading_logic")
    is_leading = model.roster.firm_segment == leading
    # Accelerators of 5.54 bn USD, half out of leading logic, take 6 % of it in dies, which no other maker there has.
    chips, dies = 45 - 5.55 / 2, 0.06 * 5.54
    # TSMC makes half of its capacity, Samsung all of its own; a quarter can have what it could at first not.
    made = ((41.4 - 5.55 / 2 + dies) / 0.88 / 2 + 3.6 / 0.88) * 6.9 / 4
    assert model.chip_firms.made[0, is_leading].sum() == pytest.approx(made, rel=1e-9)
    unmet = model.chip_market.unmet[0, :, leading].sum()
    for_designers = (model.chip_firms.made - model.chip_firms.output)[0, is_leading].sum()
    assert unmet == pytest.approx(chips * 6.9 / 4 - (made - for_designers), rel=1e-9)
    for _ in range(4):
        model.step()
    assert model.chip_firms.outage.max() == 0.0


def test_prices_move_by_the_stated_speed():
    model = quiet({"chip_market.price_speed": 0.2})
    model.step()
    pressure = model.chip_market.tightness.copy()
    model.chip_firms.capacity = model.chip_firms.capacity * 0.9
    model.step()
    # Orders are as before, capacity a tenth less: tightness 1 / 0.9; the price starts at 1.
    # Accelerators are made by designers, who have no capacity of their own to lose.
    lines = np.array([each != "ai_accelerators" for each in model.roster.segments])
    assert model.chip_market.tightness[:, lines] == pytest.approx(pressure[:, lines] / 0.9, rel=1e-9)
    assert np.log(model.chip_market.price[:, lines]) == pytest.approx(np.full((1, 5), 0.2 * np.log(1 / 0.9)), rel=1e-9)
