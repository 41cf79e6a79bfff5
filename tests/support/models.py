"""Models run, and what is read off them."""

import numpy as np


def year(values, which):
    """The runs' values of one year, (runs,)."""
    return values[:, which - 2020]


def series_of(model):
    """All recorded quarters as one array, (runs, quarters, measures)."""
    while model.running:
        model.step()
    return np.asarray(model.recorder.values("quarter")[1])
