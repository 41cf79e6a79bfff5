"""The data dictionary docs/DATA.md, made from the code. `python -m sim.description.data` writes it again."""

from __future__ import annotations

from sim.batch.identity import column_notes
from sim.description import odd
from sim.description.document import document
from sim.description.odd import table
from sim.measures import HEADLINE, catalogue, firms
from sim.scenario.loading import BASELINE, load_config

TITLE = """# Data dictionary

Made from the code by `python -m sim.description.data`; a test compares the two. Money is bn yuan at 2020 prices unless
a unit says otherwise. Flows are bn yuan a year at every recording, shares 0 to 1, an empty cell is a missing value.
The manifest of a result repeats unit, formula and meaning for the columns that it has.
"""


def text() -> str:
    """The whole file."""
    return "\n".join((
        TITLE,
        "## Keys of `runs.csv` and `series.csv`\n",
        "The swept keys come between `seed` and the rest, under the names of their parameters in "
        "[ODD.md](ODD.md), and `part` where an experiment has several.\n",
        keys(),
        "## Outcomes of a measure in `runs.csv`\n",
        outcomes(),
        "## Measures\n",
        "`.SEGMENT`, `.INPUT` and `.STATE` are each of the world's, `.FIRM` is a line by its id in the table of firms "
        "or a company with several by its name, such as `smic`; those below the headline measures need "
        '`measures = "all"`.\n',
        measures(),
        "## Tables of a world\n",
        odd.tables(),
    ))  # fmt: skip


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


if __name__ == "__main__":
    document("DATA.md").write_text(text())
