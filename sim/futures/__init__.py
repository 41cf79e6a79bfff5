"""Every future at once: a policy from a date on, over many parameter sets and much luck, beside the same without it."""

from sim.futures.about import settings
from sim.futures.answers import answer

__all__ = ["answer", "settings"]
