"""Models run, and what is read off them."""

import csv
import shutil

import numpy as np
import tomli_w
from support.paths import ROOT

from sim.model import DecouplingModel

NOTHING_MOVES = {
    "mechanisms": dict.fromkeys(("luck", "state_programme", "learning", "research", "prices"), False),
    "demand": {"growth": 0.0, "target_drift": 0.0},
}


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


def seeds(folder, tables, **config):
    """A config over a copy of the world of crop seeds with further lines in some tables, in which nothing else moves.

    `tables` is by the table's name the lines to add; of a table that is not there, its header first.
    """
    world = folder / "seeds"
    shutil.copytree(ROOT / "configs/worlds/crop-seeds", world)
    for name, lines in tables.items():
        table = world / f"{name}.csv"
        before = table.read_text() if table.exists() else ""
        table.write_text(before + "".join(f"{line}\n" for line in lines))
    mechanisms = {**NOTHING_MOVES["mechanisms"], **config.pop("mechanisms", {})}
    path = folder / "seeds.toml"
    path.write_text(
        tomli_w.dumps({"purpose": "a test", "world": str(world), **NOTHING_MOVES, "mechanisms": mechanisms, **config})
    )
    return path


def exposed_world(folder):
    """The world of 2020 with 0.075 of leading chips above the threshold, as before accelerators were apart."""
    world = folder / "china-2020"
    shutil.copytree(ROOT / "configs/worlds/china-2020", world)
    with (world / "segments.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    (leading,) = [row for row in rows if row["id"] == "leading_logic"]
    leading["chip_exposure"] = leading["chip_exposure_high"] = "0.075"
    with (world / "segments.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return str(world)
