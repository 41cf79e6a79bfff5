"""Where agents meet: the chip market and the input markets."""

from sim.markets.chips import ChipMarket
from sim.markets.inputs import InputMarket

__all__ = ["ChipMarket", "InputMarket"]
