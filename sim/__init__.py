"""Decoupling Race: an agent-based laboratory of the technology-decoupling race in chips."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.model import DecouplingModel

__version__ = "0.1.0"
__all__ = ["DecouplingModel"]


def __getattr__(name: str) -> Any:
    # Mesa takes seconds to import, so it waits until the model is asked for.
    if name == "DecouplingModel":
        from sim.model import DecouplingModel

        return DecouplingModel
    raise AttributeError(f"module 'sim' has no attribute {name!r}")
