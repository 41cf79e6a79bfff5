"""Every future at once: a policy from a date on, over many parameter sets and much luck, beside the same without it."""

from sim.futures.answer import answer
from sim.futures.settings import settings

__all__ = ["answer", "settings"]
