"""Where agents meet: the chip market, the input markets and the allocation of subsidies."""

from sim.markets.chips import ChipMarket
from sim.markets.inputs import InputMarket
from sim.markets.subsidy import allocate_subsidies

__all__ = ["ChipMarket", "InputMarket", "allocate_subsidies"]
