"""The same seed draws the same luck under every policy, with another firm in the table, in another order."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
from support.paths import ROOT

from sim.engine.streams import DECISIONS, Luck, uniform
from sim.model import DecouplingModel
from sim.scenario.loading import load_config
from sim.world.world import load_world

WORLD = ROOT / "configs" / "worlds" / "china-2020"
REACTIVE = {"controls.mode": "reactive", "controls.severity": 1.0, "retaliation.severity": 0.8}
# Answers on a date are in force where controls go by dates.
ANSWER = {"date": "2021-07-01", "by": "CHN", "kind": "retaliation", "scope": ["critical_minerals"], "severity": 1.0}
POLICIES = {
    "a control": ("published-2020", {"controls.severity": 0.9, "controls.start": 2021}),
    "a control alone": ("published-2020", {"controls.severity": 0.9, "controls.start": 2021, "controls.alignment": 0}),
    "dated controls": ("historic", {}),
    "subsidies, on which firms enter": ("published-2020", {"subsidy.annual": 400, "subsidy.allocation": "bottleneck"}),
    "a plan": ("published-2020", {"subsidy.mode": "plan", "investment.annual": 300}),
    "a mandate": ("published-2020", {"mandate.domestic": 0.4}),
    "subsidies of the controllers": ("published-2020", {"controller_subsidy.annual": 100}),
    "cost and benefit": (
        "published-2020",
        {**REACTIVE, "controls.doctrine": "cost-benefit", "doctrine.harm_weight": 3.0},
    ),
    "prevention": ("published-2020", {**REACTIVE, "controls.doctrine": "preventive"}),
    "a ratchet": ("historic", {**REACTIVE, "controls.doctrine": "ratchet"}),
    "a dated answer": ("published-2020", {"controls.mode": "events"}),
    "a push that the controls cause": ("historic", {"security.caused_by_controls": 1.0}),
    "a push that goes by the record": ("historic", {"security.caused_by_controls": 0.0}),
}


def without_sales(scenario):
    """The same without the world's sales as observed: where these are given, the cycle is what makes them so."""
    return replace(scenario, given={key: value for key, value in scenario.given.items() if "world_sales" not in key})


def listen(monkeypatch):
    """Every draw from now on, {(decision, quarter, key of the agent): value in the first run}."""
    heard, draw = {}, Luck.draw

    def listening(luck, decision, quarter, agents):
        values = draw(luck, decision, quarter, agents)
        assert np.array_equal(values, uniform(luck.seeds, decision, quarter, agents))
        draws = {(decision, quarter, int(key)): value for key, value in zip(agents, values[0], strict=True)}
        assert not draws.keys() & heard.keys(), f"{decision} is drawn twice for the same agent in quarter {quarter}"
        heard.update(draws)
        return values

    monkeypatch.setattr(Luck, "draw", listening)
    return heard


def draws(scenario, seed=4, until=2023):
    """Every draw of a run, and its model."""
    with pytest.MonkeyPatch.context() as patch:
        heard = listen(patch)
        model = DecouplingModel(scenario, rng=seed, until=until)
        while model.running:
            model.step()
    return heard, model


@pytest.fixture(scope="module")
def plain():
    return draws(without_sales(load_config("published-2020")))


def test_every_decision_is_heard(plain):
    assert {decision for decision, _, _ in plain[0]} == set(DECISIONS)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_moves_no_draw(plain, policy):
    config, changes = POLICIES[policy]
    quiet, busy = plain, draws(without_sales(load_config(config, changes)).with_event(ANSWER))
    assert quiet[0] == busy[0]
    for part in ("lasting", "passing", "of_target"):
        assert getattr(quiet[1].chip_market, part).tobytes() == getattr(busy[1].chip_market, part).tobytes()
    left, right = (model.recorder.values("quarter")[1] for _, model in (quiet, busy))
    moved = left.tobytes() != right.tobytes()
    assert moved


def edited_world(folder, edit):
    shutil.copytree(WORLD, folder)
    path = folder / "chip_firms.csv"
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([rows[0], *edit(rows[1:])])
    return str(folder)


def with_world(folder):
    return replace(without_sales(load_config("published-2020")), world=load_world(folder))


def test_another_firm_moves_nobody_elses_draws(plain, tmp_path):
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

    grown, model = draws(with_world(edited_world(tmp_path / "grown", split)))
    assert "newcomer-chn-mature" in model.roster.chip_firms
    assert plain[0].items() < grown.items()
    assert len({key for _, _, key in grown.keys() - plain[0].keys()}) == 1


def test_reordering_the_table_moves_no_draw_and_no_result(plain, tmp_path):
    first = plain[1]
    turned, second = draws(with_world(edited_world(tmp_path / "turned", lambda rows: rows[::-1])))
    assert plain[0] == turned
    left, right = first.recorder.values("quarter")[1], second.recorder.values("quarter")[1]
    assert np.nanmax(np.abs(left - right) / np.maximum(np.abs(left), 1.0)) < 1e-9  # sums are added in another order


def test_luck_begins_after_the_observed_year():
    base = load_config("published-2020", {"demand.drawn_from": 2021})
    model = DecouplingModel.block([base] * 8, range(8), until=2021)
    for _ in range(4):
        model.step()
    assert (np.ptp(model.chip_firms.output, axis=0) == 0).all()
    model.step()
    assert (np.ptp(model.chip_firms.output, axis=0) > 0).any()


def test_the_chip_cycle_is_drawn_from_its_first_unknown_year():
    base = load_config(
        "published-2020",
        {"build.slip_probability": 0.0, "research.success_probability": 1.0, "demand.drawn_from": 2022},
    )
    base = without_sales(base)
    model = DecouplingModel.block([base] * 8, range(8), until=2022)
    for _ in range(8):
        model.step()
    assert (np.ptp(model.chip_market.demand, axis=0) == 0).all()
    model.step()
    moves = np.ptp(model.chip_market.demand, axis=0) > 0
    assert (moves != model.chip_market.paths.given).all()  # what has a path of its own is moved by no cycle
