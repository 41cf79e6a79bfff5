"""The tutorials, run cell by cell: they print what they held when they were written, and what they say of it is so."""

import nbformat
import pytest

from sim.description.tutorials import NOTEBOOKS, executed, words

# What the words of a tutorial say of its numbers, as Python after its last cell.
CLAIMS = {
    "1-first-experiment": """
by_severity = added.groupby("controls.severity").median()
assert by_severity.min() > 0 and by_severity.idxmin() == 0.8
""",
    "2-what-controls-do": """
bite = [row.diff for row in comparison.held.rows]
assert bite[0] > bite[1] > bite[2] and bite[2] < 0
total = comparison.rows[-1]
assert total.diff > bite[2] and total.verdict == "inconclusive" and total.diff_q05 < 0 < total.diff_q95
bites, totals = ({row.slice: row.diff for row in rows} for rows in (apart.held.rows, apart.rows))
del bites["all"]
assert set(sorted(bites, key=bites.get)[:3]) == {"ai_accelerators", "advanced_logic", "memory"}
assert all(totals[name] - bites[name] > 0 < totals[name] for name in ("mature_logic", "analog_power"))
""",
    "3-from-python": """
after = both.loc["2028":]
assert (after["truce"] < after["cut off"]).all() and (both.loc[:"2027-12-31"].nunique(axis="columns") == 1).all()
after = unmet.loc["2028":]
assert (after["truce"] < after["cut off"]).all()
assert (gained.loc["2027-12-31"] == 0).all(axis=None) and len(gained.columns) == 12
assert gained.loc["2028-12-31"].mean() < 0 < gained.loc["2035-12-31"].mean()
""",
}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_tutorial_prints_what_it_held(notebook):
    assert words(executed(notebook, CLAIMS[notebook.stem])) == words(nbformat.read(notebook, as_version=4))


def test_there_are_three():
    assert [notebook.stem for notebook in NOTEBOOKS] == list(CLAIMS)
