"""The data dictionary docs/reference/data.md, made from the code. `python -m sim.description.data` writes it again."""

from __future__ import annotations

from sim.batch.identity import column_notes
from sim.compare.differences import COLUMNS, OPENING_COLUMNS
from sim.compare.effects import BEST_COLUMNS, CARRIER_COLUMNS, EFFECT_COLUMNS
from sim.compare.reaching import REACH_COLUMNS
from sim.description import odd
from sim.description.document import document
from sim.description.odd import table
from sim.measures import HEADLINE, catalogue, firms
from sim.scenario.loading import BASELINE, load_config
from sim.study import critical, review

TITLE = """# Data dictionary

Made from the code by `python -m sim.description.data`; a test compares the two. Money is bn yuan at 2020 prices unless
a unit says otherwise. Flows are bn yuan a year at every recording, shares 0 to 1, an empty cell is a missing value.
The manifest of a result repeats unit, formula and meaning for the columns that it has.

## Dates, and how a year is made of quarters

The model goes by quarters. A date is the last day of its period: `2023-12-31` is the year 2023, or its last quarter
where `series.csv` is by quarter. Outcomes in `runs.csv` are made of years, however often `series.csv` records. The one
that is not is `domestic_supply_share@first_70`: the last day of the first *quarter* with 70 % or more, in a year that
as a whole may still be below.
"""

KINDS = (
    (
        "flow",
        "four times what passes in the quarter, so that it is a yearly rate",
        "what passes in the four quarters, summed: the mean of their yearly rates",
    ),
    (
        "ratio",
        "ratio of what passes in the quarter",
        "ratio of two sums over the four quarters, and not the mean of four ratios",
    ),
    ("mean", "the quarter's value, such as a price index", "mean of the four quarters"),
    ("stock", "the value at the quarter's end", "the value at the end of the last quarter"),
)
# What `compare --out DIR` writes: the columns of each file, and what every column means.
COMPARED = {
    "compare": COLUMNS,
    "reach": REACH_COLUMNS,
    "effects": EFFECT_COLUMNS,
    "opening": OPENING_COLUMNS,
    "carriers": CARRIER_COLUMNS,
    "best": BEST_COLUMNS,
}
MEANINGS = {
    "schema_version": "of the tables; another number means other columns",
    "baseline": "the name of the result that the others are compared with",
    "candidate": "the name of the result that is compared with it",
    "result": "the name of a result, baseline or candidate",
    "measure": "a measure, as above",
    "effect": "controllers_lost_revenue, buyers_cost or cost_per_point, which take two runs",
    "target": "the condition of --reach",
    "unit": "of the values in the row",
    "direction": "which way is better for the target state: higher, lower or none",
    "by": "segment or input",
    "slice": "the segment, input or state; all for the whole",
    "at": "a year, a date, final, peak, mean or sum",
    "horizon": "the last date of the runs",
    "n_base": "runs of the baseline that have a value",
    "n_cand": "runs of the candidate that have a value",
    "n_pairs": "pairs of runs with a value on both sides",
    "n_sets": "parameter sets that these belong to",
    "pairing": "by what runs are paired; unpaired where they are not",
    "base_mean": "mean of the baseline, over pairs; of several parameter sets the mean of their means",
    "base_q05": "5 % point of the baseline, across parameter sets where there are several, else across seeds",
    "base_q50": "its median",
    "base_q95": "its 95 % point",
    "cand_mean": "mean of the candidate",
    "cand_q05": "5 % point of the candidate",
    "cand_q50": "its median",
    "cand_q95": "its 95 % point",
    "diff": "candidate less baseline, mean over pairs",
    "diff_lo": "lower end of the interval of its numerical error, which more seeds shrink",
    "diff_hi": "upper end of it",
    "lo": "lower end of the interval of the numerical error",
    "hi": "upper end of it",
    "ci_level": "the level of the intervals, such as 0.95",
    "diff_q05": "5 % point of the difference across parameter sets; empty for one set",
    "diff_q50": "its median across parameter sets",
    "diff_q95": "its 95 % point across parameter sets",
    "q05": "5 % point across parameter sets; empty for one set",
    "q50": "median across parameter sets",
    "q95": "95 % point across parameter sets",
    "value": "the effect, mean over pairs",
    "share_same_sign": "part of the parameter sets whose difference has the sign of diff",
    "regret": "the most that any parameter set loses by the candidate",
    "rel_diff": "diff as a part of the baseline's mean; empty where a value lies below 0",
    "p_cand_gt_base": "part of the pairs in which the candidate is above the baseline",
    "corr_pairs": "correlation of baseline and candidate over seeds: what pairing is worth",
    "seeds_for_margin": "seeds that would bring half the interval within the margin, or within diff where it is 0",
    "margin": "the difference that does not matter, of --margin",
    "verdict": "better, worse, changed, equivalent, same, inconclusive or incomparable",
    "flags": "what makes the row unsure, parted by semicolons",
    "opens": "first date at which the difference leaves its margin; empty if never",
    "part": "the part of the difference that the slice carries",
    "share_of_diff": "part as a share of the difference; of segments these add up to 1; empty where its sign is open",
    "share_best": "part of the pairs in which the result is the best of all; equals share it",
    "base_share": "part of the baseline's runs that reach the target",
    "cand_share": "part of the candidate's runs that reach it",
    "diff_share": "candidate less baseline",
    "base_n_censored": "runs of the baseline that did not get there while they were watched",
    "cand_n_censored": "the same of the candidate",
    "base_median_year": "year by which half of the baseline's runs get there (Kaplan and Meier); empty if fewer do",
    "cand_median_year": "the same of the candidate",
    "base_restricted_mean": "mean years from the first date until the target is reached or the runs end, baseline",
    "cand_restricted_mean": "the same of the candidate",
    "diff_restricted_mean": "candidate less baseline",
    "restricted_lo": "lower end of its interval",
    "restricted_hi": "upper end of it",
    "push": "held, answers, or answers less held, where both ends of the push are told; else empty",
}


def text() -> str:
    """The whole file."""
    return "\n".join((
        TITLE,
        table(("kind", "of a quarter", "of a year"), KINDS),
        "## Keys of `runs.csv` and `series.csv`\n",
        "The swept keys come between `seed` and the rest, under the names of their parameters in "
        "[the description](../model/odd.md), and `part` where an experiment has several.\n",
        keys(),
        "## Outcomes of a measure in `runs.csv`\n",
        outcomes(),
        "## Measures\n",
        "`.SEGMENT`, `.INPUT` and `.STATE` are each of the world's, `.FIRM` is a line by its id in the table of firms "
        "or a company with several by its name, such as `smic`; those below the headline measures need "
        '`measures = "all"`.\n',
        measures(),
        "## Tables of a comparison\n",
        "`compare --out DIR` writes a CSV for each; `points.csv` and `over_time.csv` have the columns of "
        "`compare.csv`, the former with `point` before them.\n",
        compared(),
        "## The chain review\n",
        "`study review` prints these columns, and writes them as `review.csv`.\n",
        table(("column", "meaning"), ((f"`{name}`", meaning) for name, meaning in review.COLUMNS.items())),
        "## Who is critical\n",
        "`study critical` prints these columns. As CSV, JSON and `critical.csv` it has the low and high of every loss, "
        f"such as `{critical.MEASURED[1]}_low`.\n",
        table(("column", "meaning"), ((f"`{name}`", meaning) for name, meaning in critical.COLUMNS.items())),
        "## Tables of a world\n",
        odd.tables(),
    ))  # fmt: skip


def compared() -> str:
    """Every column of the tables of a comparison, and which of them have it."""
    held = {name: [f"`{file}`" for file, names in COMPARED.items() if name in names] for name in MEANINGS}
    whole = len(COMPARED)
    rows = ((f"`{name}`", ", ".join(held[name]) if 0 < len(held[name]) < whole else "all", meaning)
            for name, meaning in MEANINGS.items())  # fmt: skip
    return table(("column", "in", "meaning"), rows)


def keys() -> str:
    notes = column_notes(["part"], [], load_config(BASELINE).world)
    return table(("column", "unit", "meaning"), ((f"`{name}`", n["unit"], n["meaning"]) for name, n in notes.items()))


def outcomes() -> str:
    """What can follow the @, for a flow, which has all of them."""
    notes = column_notes([], ["chip_market"], load_config(BASELINE).world)
    endings = [(name, note) for name, note in notes.items() if name.startswith("chip_market@")]
    rows = (
        (f"`@{name.partition('@')[2]}`", note["formula"].partition(", ")[2], "flows" if "@sum" in name else "all")
        for name, note in endings
    )
    return table(("outcome", "meaning", "of"), rows)


def measures() -> str:
    """Every measure once, slices under the name of what they are slices of; headline measures first."""
    world = load_config(BASELINE).world
    kinds = {
        name: word
        for table_name, word in (("segments", "SEGMENT"), ("inputs", "INPUT"), ("states", "STATE"))
        for name in world.column(table_name, "id")
    } | dict.fromkeys(firms(world), "FIRM")
    rows: dict[str, tuple[str, ...]] = {}
    for name, measure in sorted(catalogue(world).items(), key=lambda pair: pair[0] not in HEADLINE):
        parts = name.split(".")
        general = ".".join(kinds.get(part, part) for part in parts)
        meaning = measure.meaning
        for part in parts[1:]:
            meaning = meaning.replace(part, kinds.get(part, part))
        row = (f"`{general}`", measure.unit, measure.kind, measure.direction, measure.formula, meaning)
        rows.setdefault(general, row)
    return table(("measure", "unit", "kind", "better", "formula", "meaning"), rows.values())


def write() -> None:
    document("docs/reference/data.md").write_text(text())


if __name__ == "__main__":
    write()
