"""Draw experiments/policy-grid.svg from results/policy-grid and results/dated-controls.

uv run decoupling batch policy-grid
uv run decoupling batch dated-controls
uv run python experiments/picture.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
import pandas as pd

ROOT = Path(__file__).parent.parent
PUBLISHED = {  # percent of China's IC market, IC Insights; 2023 TechInsights
    "production_share_located": {2018: 15.3, 2019: 15.7, 2020: 15.9, 2021: 16.7, 2023: 23.0},
    "production_share_hq": {2019: 6.1, 2020: 5.9, 2021: 6.6},
}
SHARES = {
    "domestic_supply_share": ("made in China and sold there", "#0072B2", "-"),
    "production_share_located": ("made in China by anybody", "#009E73", "--"),
    "production_share_hq": ("made by Chinese firms", "#D55E00", "-."),
}

plt.rcParams.update(
    {
        "svg.hashsalt": "decoupling",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), width_ratios=(1.25, 1))

runs = pd.read_csv(ROOT / "results/dated-controls/series.csv")
runs = runs[runs["config"] == "historic"]
runs["year"] = runs["date"].str[:4].astype(int)
for measure, (label, colour, dash) in SHARES.items():
    by_year = 100 * runs.groupby("year")[measure].quantile([0.05, 0.5, 0.95]).unstack()
    left.fill_between(by_year.index, by_year[0.05], by_year[0.95], color=colour, alpha=0.2, linewidth=0)
    left.plot(by_year.index, by_year[0.5], dash, color=colour, label=label)
    end = by_year[0.5].iloc[-1]
    left.annotate(
        f"{end:.0f}",
        (2035, end),
        (4, -4 if label.endswith("firms") else 2),
        textcoords="offset points",
        color=colour,
        va="center",
        fontsize=9,
    )
    if measure in PUBLISHED:
        left.plot(PUBLISHED[measure].keys(), PUBLISHED[measure].values(), "o", color=colour, markersize=4, mfc="white")
left.plot([2025], [70], marker="*", color="black", markersize=10)
left.annotate("target of 2015: 70 % by 2025", (2025, 70), (8, -3), textcoords="offset points", fontsize=9)
left.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.82), fontsize=9)
left.set(
    ylim=(0, 76),
    xlim=(2018, 2035),
    ylabel="per cent of chips used in China",
    title="historic: the dated controls, 20 seeds (5 to 95 %)\ncircles: published",
)
left.title.set_fontsize(10)

grid = pd.read_csv(ROOT / "results/policy-grid/runs.csv")
grid = grid[grid["investment.annual"] == 140]
for (subsidy, group), dash, colour in zip(
    grid.groupby("subsidy.annual"), ("-", "--", "-.", ":"), ("#000000", "#0072B2", "#009E73", "#D55E00"), strict=True
):
    share = 100 * group.groupby("controls.severity")["domestic_supply_share@2030"].mean()
    right.plot(share.index, share, dash, color=colour)
    end = share.iloc[-1]
    right.annotate(
        f"{subsidy:.0f}", (1, end), (4, 0), textcoords="offset points", color=colour, va="center", fontsize=9
    )
right.annotate("subsidy,\nbn yuan a year", (1, end), (-4, 12), textcoords="offset points", ha="left", fontsize=9)
right.set(
    ylim=(0, 40),
    xlabel="severity of allied controls from 2023 on (0 to 1)",
    ylabel="domestic supply share in 2030, per cent",
    title="policy-grid: controls and subsidies\nmean of 10 seeds",
)
right.title.set_fontsize(10)
figure.tight_layout(w_pad=4, rect=(0, 0, 0.96, 1))
figure.savefig(ROOT / "experiments/policy-grid.svg", metadata={"Date": None})
