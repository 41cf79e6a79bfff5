"""The same seed draws the same luck under every policy, with another firm in the table, in another order."""

import csv
import shutil
from pathlib import Path

import numpy as np

from sim.engine.streams import uniform
from sim.model import DecouplingModel
from sim.scenario.scenario import load_config

WORLD = Path(__file__).parent.parent.parent / "configs" / "worlds" / "china-2020"


def draws(monkeypatch, scenario, seed=4, until=2023):
    """Every draw of a run: {(decision, quarter, key of the agent): value}."""
    found = {}

    def listening(seeds, decision, quarter, agents):
        values = uniform(seeds, decision, quarter, agents)
        found.update({(decision, quarter, int(key)): value for key, value in zip(agents, values[0], strict=True)})
        return values

    for place in ("sim.engine.columns", "sim.markets.chips", "sim.markets.inputs"):
        monkeypatch.setattr(f"{place}.uniform", listening)
    model = DecouplingModel(scenario, rng=seed, until=until)
    while model.running:
        model.step()
    return found, model


def test_a_policy_moves_no_draw(monkeypatch):
    base = load_config("published-2020")
    plain, quiet = draws(monkeypatch, base)
    strict, busy = draws(
        monkeypatch,
        base.with_values(
            {"controls.severity": 0.9, "controls.start": 2021, "subsidy.annual": 400, "mandate.domestic": 0.4}
        ),
    )
    assert plain == strict
    assert quiet.chips.log_shock.tobytes() == busy.chips.log_shock.tobytes()
    assert not np.array_equal(quiet.makers.output, busy.makers.output)


def edited_world(folder, edit):
    shutil.copytree(WORLD, folder)
    path = folder / "chip_firms.csv"
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([rows[0], *edit(rows[1:])])
    return str(folder)


def with_world(folder):
    from dataclasses import replace

    return replace(load_config("published-2020"), world=folder)


def test_another_firm_moves_nobody_elses_draws(monkeypatch, tmp_path):
    def split(rows):
        """Half of Hua Hong becomes a firm of its own, so that totals still close."""
        new = []
        for row in rows:
            if row[0] == "hua-hong-chn-mature":
                halves = [
                    str(float(cell) / 2) if column in (5, 6, 7, 15, 16, 17) else cell for column, cell in enumerate(row)
                ]
                new += [["newcomer-chn-mature", *halves[1:]], halves]
            else:
                new.append(row)
        return new

    plain, _ = draws(monkeypatch, load_config("published-2020"))
    grown, model = draws(monkeypatch, with_world(edited_world(tmp_path / "grown", split)))
    assert "newcomer-chn-mature" in model.layout.firms
    assert plain.items() < grown.items()
    assert len({key for _, _, key in grown.keys() - plain.keys()}) == 1


def test_reordering_the_table_moves_no_draw_and_no_result(monkeypatch, tmp_path):
    plain, first = draws(monkeypatch, load_config("published-2020"))
    turned, second = draws(monkeypatch, with_world(edited_world(tmp_path / "turned", lambda rows: rows[::-1])))
    assert plain == turned
    left, right = first.recorder.values("quarter")[1], second.recorder.values("quarter")[1]
    assert np.nanmax(np.abs(left - right) / np.maximum(np.abs(left), 1.0)) < 1e-9  # sums are added in another order


def test_luck_begins_after_the_observed_year():
    base = load_config("published-2020", {"demand.drawn_from": 2021})
    model = DecouplingModel.block([base] * 8, range(8), until=2021)
    for _ in range(4):
        model.step()
    assert (np.ptp(model.makers.output, axis=0) == 0).all()
    model.step()
    assert (np.ptp(model.makers.output, axis=0) > 0).any()


def test_the_chip_cycle_is_drawn_from_its_first_unknown_year():
    base = load_config("published-2020", {"build.slip_probability": 0.0, "research.success_probability": 1.0})
    model = DecouplingModel.block([base] * 8, range(8), until=2022)
    for _ in range(8):
        model.step()
    assert (np.ptp(model.chips.demand, axis=0) == 0).all()
    model.step()
    assert (np.ptp(model.chips.demand, axis=0) > 0).all()
