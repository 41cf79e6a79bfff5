"""Draw experiments/policy-grid.svg from results/policy-grid and results/dated-controls.

uv run decoupling batch policy-grid
uv run decoupling batch dated-controls
uv run python experiments/picture.py
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from sim.compare.results import with_series
from sim.results.figure import stacked
from sim.scenario.values import CAUSED
from sim.study.plot.cases import Case, band, cases_of, grouped, outcome, over_time, read
from sim.study.plot.dates import dates_of, middle_of
from sim.study.plot.figure import draw
from sim.study.plot.picture import Line, Panel, Picture, Style
from sim.study.plot.words import Words, origin

ROOT = Path(__file__).parent.parent
SHARE, SEVERITY, SUBSIDY, EQUITY = "domestic_supply_share", "controls.severity", "subsidy.annual", "investment.annual"
SHARES = {
    SHARE: "made in China and sold there",
    "production_share_located": "made in China by anybody",
    "production_share_hq": "made by Chinese firms",
}
PUBLISHED = {  # per cent of China's IC market, IC Insights; 2023 TechInsights
    "production_share_located": {2018: 15.3, 2019: 15.7, 2020: 15.9, 2021: 16.7, 2023: 23.0},
    "production_share_hq": {2019: 6.1, 2020: 5.9, 2021: 6.6},
}
TARGET = "target of 2015: 70 % by 2025"


def made(case: Case, configs: list[str], runs: int) -> str:
    """Where the figures come from, without the hash of the program, which changes where they need not."""
    return f"Source: {origin(Path(case.result.path).name, case.manifest, configs, runs)}."


def shares() -> Picture:
    """The three shares of the chips used in China under the dated controls, beside what was published."""
    results = [with_series(result, list(SHARES)) for result in read([str(ROOT / "results/dated-controls")])]
    cases = [case for case in cases_of(results) if case.keys["config"] == "historic"]
    [case] = [case for case in cases if case.keys.get(CAUSED) in (None, 1.0)]  # with the push answering
    years = np.array([middle_of(date, case.result.dates_a_year) for date in case.result.series.dates])
    lines = []
    for measure, label in SHARES.items():
        found = band([case], [100 * over_time(case, measure)])
        lines.append(Line(label, years, found))
    dots = {SHARES[measure]: (np.array([*seen]), np.array([*seen.values()])) for measure, seen in PUBLISHED.items()}
    dots[TARGET] = (np.array([2025.0]), np.array([70.0]))
    words = Words(results)
    return Picture(
        "series",
        "Three shares of the chips China uses, controls on their dates",
        f"%; median and 5 to 95 % of {len(case.runs)} seeds; circles: published",
        (Panel("", tuple(lines), dots=dots, y_label="%"),),
        "%",
        made(case, ["historic"], len(case.runs)),
        (),
        styles={label: Style(place, 4, False, place) for place, label in enumerate([*SHARES.values(), TARGET])},
        dates=tuple(dates_of([case], words, case.result.series.dates[-1])),
    )


def policies() -> Picture:
    """The domestic share of 2030 by severity of allied controls, a line for each subsidy, with equity as in 2020."""
    results = read([str(ROOT / "results/policy-grid")])
    words = Words(results)
    cases = [case for case in cases_of(results) if case.keys[EQUITY] == 140]
    lines, styles = [], {}
    by_subsidy = grouped(cases, [SUBSIDY])
    for place, ((subsidy,), own) in enumerate(by_subsidy.items()):
        bands = [band([case], [100 * outcome(case, SHARE, "2030")]) for case in own]
        severities = np.array([float(case.keys[SEVERITY]) for case in own])
        ends = [np.array([getattr(each, end) for each in bands]) for end in ("low", "middle", "high")]
        label = words.value(SUBSIDY, subsidy)
        lines.append(Line(label, severities, replace(bands[0], low=ends[0], middle=ends[1], high=ends[2])))
        styles[label] = Style(place, len(by_subsidy), True, place)
    panel = Panel("", tuple(lines), x_label="severity of allied controls from 2023 on (0 to 1)", y_label="%")
    return Picture(
        "lines",
        "What controls and subsidies make of the share in 2030",
        f"%; median and 5 to 95 % of {len(cases[0].runs)} seeds; equity of 140 bn yuan a year",
        (panel,),
        "%",
        made(cases[0], ["published-2020"], len(cases) * len(cases[0].runs)),
        (),
        legend="subsidy (bn yuan a year)",
        styles=styles,
    )


if __name__ == "__main__":
    drawn = stacked([draw(picture, "svg").decode() for picture in (shares(), policies())])
    (ROOT / "experiments/policy-grid.svg").write_text(drawn)
