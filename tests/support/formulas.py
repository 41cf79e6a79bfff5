"""Models whose measures are a formula of the scenario's values and the seed, so that indices and boxes are known."""

import numpy as np

from sim.calendar import quarter_end


class Formula:
    """A model whose two measures are a formula of the scenario's values and the seed, the same in every quarter."""

    def __init__(self, formula, scenarios, seeds, measures, until):
        self.names = measures
        self.running = False
        self.recorder = self
        self.kept = np.array([formula(scenario.values, seed) for scenario, seed in zip(scenarios, seeds, strict=True)])

    def values(self, every):
        periods = {"quarter": range(64), "year": range(3, 64, 4), "end": [63]}[every]
        return [quarter_end(quarter) for quarter in periods], np.repeat(self.kept[:, None, :], len(periods), axis=1)

    def first_reaching(self, level):
        return [""] * len(self.kept)


def product(values, seed):
    """The first measure is x y, which has first-order indices of 3/7 and total indices of 4/7; the second is seed."""
    return [values["controls.severity"] * values["mandate.domestic"], float(seed)]


def line(values, seed):
    """2 x + 5 y - 0.01 z and what moves with the seed alone."""
    return [2 * values["controls.severity"] + 5 * values["mandate.domestic"], 0.01 * values["subsidy.annual"] + seed]


def corner(values, seed):
    """Reached where x is above 0.6 and y below 0.4, whatever the seed."""
    inside = values["controls.severity"] > 0.6 and values["mandate.domestic"] < 0.4
    return [0.9 if inside else 0.1 + seed / 100, values["subsidy.annual"]]


def holes(values, seed):
    return [0.5 if values["controls.severity"] < 0.9 else np.nan, 1.0]
