"""Measure how much of the outcomes' variance each random decision makes, and write experiments/luck.csv.

uv run python experiments/luck.py

Every decision is switched on alone, and off alone, with the same seeds; the variance over seeds is compared with the
variance when all are on. Where decisions do not act on each other the two agree. Intervals: bootstrap over seeds.
"""

import csv
from pathlib import Path

import numpy as np

from sim import DecouplingModel
from sim.scenario.loading import load_config

# A world in which every decision acts: allies follow, the target answers, and firms enter on a subsidy.
CONFIG, SEEDS, BLOCK = "allied", range(1, 401), 100
SET = {"subsidy.annual": 200, "retaliation.severity": 0.5}
OFF: dict[str, dict[str, object]] = {  # what leaves nothing of a decision to chance
    "demand shock": {"demand.shock_sd": 0.0},
    "research success": {"research.success_probability": 1.0},
    "supplier entry": {"research.entry_rate": 0.0},
    "build delay": {"build.slip_probability": 0.0},
    "licence outcome": {"controls.licence_spread": 0.0},
    "entry": {"entry.rate": 0.0},
    "failure": {"entry.failure": 0.0},
    "alliance timing": {"alliance.lag": 3.0},  # a whole number of quarters, so that nothing is rounded
    "retaliation timing": {"retaliation.lag": 3.0, "retaliation.shrinking": 0.0},
}
OUTCOMES = ("domestic_supply_share", "chip_market", "equipment_spending", "technology_gap", "unmet_demand")
YEARS = ("2025", "2035")


def outcomes(switched_off: list[str]) -> np.ndarray:
    """(seeds, years x outcomes) with some decisions switched off."""
    changes = {key: value for name in switched_off for key, value in OFF[name].items()}
    scenario = load_config(CONFIG).with_values({**SET, **changes})
    found = []
    for start in range(0, len(SEEDS), BLOCK):
        seeds = SEEDS[start : start + BLOCK]
        model = DecouplingModel.block([scenario] * len(seeds), seeds, record=OUTCOMES)
        while model.running:
            model.step()
        dates, values = model.recorder.values("year")
        kept = [place for place, date in enumerate(dates) if date[:4] in YEARS]
        found.append(values[:, kept].reshape(len(seeds), -1))
    return np.concatenate(found)


def main() -> None:
    everything = outcomes([])
    draws = np.random.default_rng(1).integers(0, len(SEEDS), (1000, len(SEEDS)))
    rows = []
    for name in OFF:
        alone = outcomes([other for other in OFF if other != name])
        without = outcomes([name])
        labels = [(outcome, year) for year in YEARS for outcome in OUTCOMES]
        for place, (outcome, year) in enumerate(labels):
            whole, own, rest = (part[:, place] for part in (everything, alone, without))
            share, lost = own.var() / whole.var(), 1 - rest.var() / whole.var()
            spread = np.quantile(own[draws].var(axis=1) / whole[draws].var(axis=1), [0.025, 0.975])
            rows.append([name, outcome, year, *(f"{number:.3f}" for number in (share, *spread, lost))])
    path = Path(__file__).parent / "luck.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["decision", "outcome", "year", "alone", "alone_low", "alone_high", "lost_without"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
