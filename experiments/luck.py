"""Which part of the outcomes' variance each random decision makes: luck.csv, from results/luck.

uv run decoupling batch luck
uv run python experiments/luck.py

Every decision is at play alone, and missing alone, with the same seeds; the variance over seeds is compared with the
variance when all are at play. Where decisions do not act on each other the two agree. Intervals: bootstrap over seeds.
"""

import csv
from pathlib import Path

import numpy as np

from sim.study.report.answer import read_answer

ROOT = Path(__file__).parent.parent
DECISIONS = (  # in the order of the points of luck.toml: all, then each alone, then all but each
    "demand shock",
    "research success",
    "supplier entry",
    "build delay",
    "licence outcome",
    "entry",
    "failure",
    "alliance timing",
    "retaliation timing",
)
OUTCOMES = ("domestic_supply_share", "chip_market", "equipment_spending", "technology_gap", "unmet_demand")
YEARS = {"2025": "2025", "2035": "final"}


def main() -> None:
    answer = read_answer(ROOT / "results/luck")
    whole, *others = answer.cases
    alone, without = others[: len(DECISIONS)], others[len(DECISIONS) :]
    draws = np.random.default_rng(1).integers(0, len(answer.manifest.seeds), (1000, len(answer.manifest.seeds)))
    rows = []
    for decision, own_case, rest_case in zip(DECISIONS, alone, without, strict=True):
        for (year, at), outcome in ((year, outcome) for year in YEARS.items() for outcome in OUTCOMES):
            everything, own, rest = (answer.by_set(case, outcome, at) for case in (whole, own_case, rest_case))
            share, lost = own.var() / everything.var(), 1 - rest.var() / everything.var()
            spread = np.quantile(own[draws].var(axis=1) / everything[draws].var(axis=1), [0.025, 0.975])
            rows.append([decision, outcome, year, *(f"{number:.3f}" for number in (share, *spread, lost))])
    with (ROOT / "experiments/luck.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["decision", "outcome", "year", "alone", "alone_low", "alone_high", "lost_without"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
