"""Who decides: states, chip firms and suppliers, each a Mesa agent whose rules are written once."""

from sim.agents.chip_firm import ChipFirm
from sim.agents.state import State
from sim.agents.supplier import Supplier

__all__ = ["ChipFirm", "State", "Supplier"]
