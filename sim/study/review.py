"""The chain review of a moment: the map of empty spots, and what each would cost if it were cut off.

The score of `sim.policy.review` is set beside three rival formulas and beside the output at risk, which comes from
branching the model into a full cut-off of the item by everybody abroad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.calendar import FIRST_YEAR, QUARTERS_PER_YEAR, year_of
from sim.errors import BadInput
from sim.folders import result_path
from sim.model import DecouplingModel
from sim.policy.review import Review, review_inputs, review_segments
from sim.results.files import write_aside
from sim.results.manifest import MANIFEST
from sim.results.reading import open_result
from sim.results.records import line
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario
from sim.study.files import open_folder
from sim.study.outcomes import say_changes
from sim.study.plot.picture import Panel, Picture
from sim.world.tables import WORDS

HORIZON = 3 * QUARTERS_PER_YEAR  # how long a cut-off is followed: lines that are not built are missed after a year
COLUMNS = {
    "rank": "by score, 1 is the most exposed",
    "item": "an input or a segment of chips",
    "kind": "software, equipment, material or chips",
    "bought": "bn yuan a year bought in the target, at 2020 prices",
    "dependence": "part of it from abroad",
    "concentration": "Herfindahl index of the states that it comes from",
    "deniable_alone": "part of it that the lead controller could deny",
    "deniable_allied": "part of it that the lead and its allies could deny",
    "years_to_substitute": "until the target's own are near parity at today's pace, 50 at most",
    "score": "dependence x concentration x years / (years + horizon)",
    "at_risk_1_year": "bn yuan of output lost in four quarters of a full cut-off; of chips, purchases that fail",
    "at_risk_3_years": "bn yuan lost in twelve quarters",
    "rank_by_value": "by what is bought abroad",
    "rank_by_denial": "by what lead and allies could deny x concentration",
    "rank_by_time": "by dependence x years to substitute",
}


@dataclass(frozen=True)
class Spot:
    """One item of the review; the fields are `COLUMNS`."""

    rank: int
    item: str
    kind: str
    bought: float
    dependence: float
    concentration: float
    deniable_alone: float
    deniable_allied: float
    years_to_substitute: float
    score: float
    at_risk_1_year: float
    at_risk_3_years: float
    rank_by_value: int
    rank_by_denial: int
    rank_by_time: int


def reviewed(what: str, seed: int | None) -> tuple[Scenario, int]:
    """The scenario and seed that a config, or the result folder of one run, means."""
    folder = result_path(what)
    if not (folder / MANIFEST).exists():
        return load_config(what), 1 if seed is None else seed
    result = open_result(folder)
    manifest = result.manifest
    scenarios, seeds = list(manifest.scenarios.values()), manifest.seeds
    if len(scenarios) != 1 or len(seeds) != 1 or manifest.experiment:
        raise BadInput(f"{folder}: holds many runs; review a config, or the result folder of `decoupling run`")
    if seed is not None and seed != seeds[0]:
        raise BadInput(f"--seed = {seed}: the run in {folder} has seed {seeds[0]}; leave --seed out")
    scenario = Scenario.from_dict(scenarios[0].model_dump(), str(folder))
    say_changes(result, scenario.world)
    return scenario, seeds[0]


def model_at(scenario: Scenario, seed: int, year: int) -> DecouplingModel:
    """A run brought to the end of a year."""
    model = DecouplingModel(scenario, seed)
    while model.running and year_of(model.quarter) <= year:
        model.step()
    return model


def review(scenario: Scenario, seed: int = 1, year: int = FIRST_YEAR) -> list[Spot]:
    """The review at the end of `year`, most exposed first."""
    model = model_at(scenario, seed, year)
    return review_of(model)


def review_of(model: DecouplingModel) -> list[Spot]:
    """The review of a model of one run at this moment; the model itself does not move."""
    reviews = (review_inputs(model), review_segments(model))
    items = [*model.roster.inputs, *model.roster.segments]
    kinds = [*model.world.column("inputs", "kind"), *[model.world.goods] * len(model.roster.segments)]

    def both(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.concatenate([getattr(each, name)[0] for each in reviews])

    columns: dict[str, Any] = {field: both(field) for field in Review.__dataclass_fields__}
    losses = np.array([at_risk(model, place) for place in range(len(items))])
    abroad = columns["purchases"] * columns["dependence"]
    ranks = {
        "rank": _ranks(columns["score"]),
        "rank_by_value": _ranks(abroad),
        "rank_by_denial": _ranks(columns["deniable_allied"] * columns["concentration"]),
        "rank_by_time": _ranks(columns["dependence"] * columns["years"]),
    }
    spots = [
        Spot(
            rank=int(ranks["rank"][place]),
            item=item,
            kind=kinds[place],
            bought=float(columns["purchases"][place]) * QUARTERS_PER_YEAR,
            dependence=float(columns["dependence"][place]),
            concentration=float(columns["concentration"][place]),
            deniable_alone=float(columns["deniable_alone"][place]),
            deniable_allied=float(columns["deniable_allied"][place]),
            years_to_substitute=float(columns["years"][place]),
            score=float(columns["score"][place]),
            at_risk_1_year=float(losses[place, 0]),
            at_risk_3_years=float(losses[place, 1]),
            **{name: int(ranks[name][place]) for name in ("rank_by_value", "rank_by_denial", "rank_by_time")},
        )
        for place, item in enumerate(items)
    ]
    return sorted(spots, key=lambda spot: spot.rank)


def at_risk(model: DecouplingModel, item: int) -> tuple[float, float]:
    """What a full cut-off of an item (by its place in inputs, then segments) would cost, bn yuan at 2020 prices.

    Of an input: output at the target's sites that is not made; of chips: purchases that cannot be made. In the first
    four quarters and in all of the horizon, against the same future without it; 0 where nothing is lost, as where
    firms at home take over more than what is cut off.
    """
    is_input = item < len(model.roster.inputs)
    cut, free = model.branch(), model.branch()
    for future in (cut, free):  # the horizon of the run does not matter to the question
        future.horizon, future.running = model.quarter + HORIZON, True
    cut.controls.embargo = np.arange(len(cut.roster.items)) == item
    lost = np.zeros(HORIZON)
    for quarter in range(HORIZON):
        for future in (cut, free):
            future.step()
        lost[quarter] = _made(free) - _made(cut) if is_input else _bought(free, item) - _bought(cut, item)
    return max(0.0, float(lost[:QUARTERS_PER_YEAR].sum())), max(0.0, float(lost.sum()))


def _made(model: DecouplingModel) -> float:
    return float((model.chip_firms.output * model.roster.at_home).sum())


def _bought(model: DecouplingModel, item: int) -> float:
    sales = model.roster.by_segment.sum(model.chip_market.sales[:, model.roster.target])
    return float(sales[0, item - len(model.roster.inputs)])


def agreement(spots: Sequence[Spot]) -> list[tuple[str, str, float]]:
    """Rank correlations (Spearman) of each formula with the output at risk: (formula, horizon, correlation).

    Inputs alone: chips that cannot be bought are not lost output.
    """
    from scipy.stats import spearmanr

    of_inputs = [spot for spot in spots if spot.kind in WORDS["inputs", "kind"]]
    correlations = []
    for horizon in ("at_risk_1_year", "at_risk_3_years"):
        losses = [getattr(spot, horizon) for spot in of_inputs]
        for formula in ("rank", "rank_by_value", "rank_by_denial", "rank_by_time"):
            order = [-getattr(spot, formula) for spot in of_inputs]
            correlations.append((formula, horizon, float(spearmanr(order, losses).statistic)))
    return correlations


def notes(spots: Sequence[Spot]) -> list[str]:
    """What a reader of the table should know: how far the score agrees with what a cut-off would cost."""
    correlations = {(formula, horizon): value for formula, horizon, value in agreement(spots)}
    names = {"rank": "score", "rank_by_value": "value", "rank_by_denial": "denial", "rank_by_time": "time"}
    horizons = (("at_risk_1_year", "one year"), ("at_risk_3_years", "three years"))
    return [
        f"Rank correlation with the output at risk within {words}, inputs alone: "
        + ", ".join(f"{name} {correlations[formula, horizon]:.2f}" for formula, name in names.items())
        + "."
        for horizon, words in horizons
    ]


def write(spots: Sequence[Spot], drawn: Picture, out: Path) -> None:
    """review.csv and review.svg in a folder, each written aside and moved into place."""
    from sim.study.plot.figure import draw

    open_folder(out, "decoupling study review")
    rows = [line(COLUMNS), *(line(vars(spot).values()) for spot in spots)]
    write_aside(out / "review.csv", (row.encode() for row in rows))
    write_aside(out / "review.svg", [draw(drawn, "svg")])


def _ranks(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """1 for the largest; ties in the order of the tables."""
    ranks = np.zeros(len(values), dtype=np.int64)
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks


SHOWN = {
    "score": "score",
    "dependence": "from abroad",
    "concentration": "concentration",
    "deniable_alone": "lead alone could deny",
    "deniable_allied": "lead and allies could deny",
}


def picture(spots: Sequence[Spot], scenario: Scenario, year: int, seed: int) -> Picture:
    """The map of empty spots: the score and what it is made of, item by item, the most exposed at the top."""
    names = scenario.world.names
    labels = []
    for spot in reversed(spots):  # rows go up
        years = f"{spot.years_to_substitute:.0f}{'+' if spot.years_to_substitute >= 50 else ''}"
        labels.append(f"{names.get(spot.item, spot.item.replace('_', ' '))} ({years} years)")
    cells = np.array([[getattr(spot, name) for name in SHOWN] for spot in reversed(spots)])
    told = "; ".join(f"{name}: {COLUMNS[key]}" for key, name in SHOWN.items())
    return Picture(
        "heat",
        f"The map of empty spots at the end of {year}: {scenario.name.replace('-', ' ')}",
        "0 to 1, the most exposed at the top; in brackets the years until the target's own are near parity",
        (Panel("", cells=cells, x_levels=tuple(SHOWN.values()), y_levels=tuple(labels)),),
        "0 to 1",
        f"Source: decoupling study review {scenario.name}, seed {seed}; world {scenario.world.name}.",
        (),
        meanings=(f"{told[:1].upper()}{told[1:]}.",),
    )
