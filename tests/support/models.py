"""Models run, and what is read off them."""

import numpy as np

from sim.model import DecouplingModel


def year(values, which):
    """The runs' values of one year, (runs,)."""
    return values[:, which - 2020]


def series_of(model):
    """All recorded quarters as one array, (runs, quarters, measures)."""
    while model.running:
        model.step()
    return np.asarray(model.recorder.values("quarter")[1])


def quiet(changes=None, **more):
    """A world of 2020 without luck, learning and growth, in which one thing at a time can be watched."""
    return DecouplingModel("neutral", set=changes or {}, **more)


def advance(model, quarters):
    for _ in range(quarters):
        model.step()
    return model


def at(model, state):
    return model.roster.states.index(state)
