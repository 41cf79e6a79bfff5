"""The distributions that a factor may have, as experiments and manifests name them."""

from collections.abc import Mapping

SHAPES: Mapping[str, tuple[str, ...]] = {
    "uniform": (),
    "triangular": ("mode",),
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sigma"),
}
"""What each distribution of a factor needs besides its ends. `sigma` is the standard deviation of the logarithm."""
