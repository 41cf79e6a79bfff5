"""What is set without effect: the table is held against the model itself, and every verb says the same."""

import numpy as np
import pytest

from sim.experiment.file import load_experiment
from sim.experiment.idle import idle_in
from sim.model import DecouplingModel
from sim.scenario.idle import READ, SWITCHED, idle, idle_keys, possible
from sim.scenario.loading import known_configs, load_config

MONEY = {"subsidy.annual": 200, "controller_subsidy.annual": 50, "retaliation.severity": 0.5}
BASES = {
    "as published": ("published-2020", {}),
    "controls off, money": ("published-2020", {"controls.mode": "none", "controls.severity": 0.6, **MONEY}),
    "fixed": ("published-2020", {"controls.severity": 0.6, "subsidy.mode": "plan"}),
    "dated events in fixed mode": ("historic", {"controls.mode": "fixed", "controls.severity": 0.0}),
    "historic": ("historic", {**MONEY, "controls.alignment": 1.0, "subsidy.allocation": "bottleneck"}),
    "a cap and no dated control": (
        "published-2020",
        {"controls.mode": "events", "controls.severity": 1.0, "controls.quality_cap": 0.15},
    ),
    "a foundry rule and no dated control": (
        "published-2020",
        {"controls.mode": "events", "controls.severity": 1.0, "controls.foundry": 1.0},
    ),
    "by a doctrine": ("reactive", {"controls.doctrine": "preventive", "subsidy.mode": "fixed"}),
    "by the dates of a doctrine": ("reactive", {"controls.doctrine": "ratchet", **MONEY}),
}
# Read, but what comes of them is not seen here: rounds of answers, and equity at its neutral level.
UNSEEN = {"retaliation.shrinking", "alliance.lag", "alliance.reluctance", "investment.external_share"}


def changed(scenario):
    """The scenario with each parameter at the ends of its plausible range, or another word: (key, scenario)."""
    for key, parameter in scenario.world.parameters.items():
        if key.startswith(("base.", "demand.growth", "investment.depreciation", "investment.normal")):
            continue  # the base year may not exist there
        own = scenario.values[key]
        values = parameter.choices or [end for end in (parameter.low, parameter.high) if end is not None]
        if key != "controls.mode" and not isinstance(own, bool):
            yield from ((key, scenario.with_values({key: value})) for value in values if value != own)


@pytest.mark.parametrize("name", BASES)
def test_what_is_said_to_have_no_effect_has_none(name):
    """Every parameter is changed: where it is idle before and after, no measure of any quarter moves by a bit."""
    config, values = BASES[name]
    base = load_config(config, values)
    changes = list(changed(base))
    model = DecouplingModel.block([base, *(each for _, each in changes)], [1] * (len(changes) + 1), record="all")
    while model.running:
        model.step()
    measured = model.recorder.values("quarter")[1]
    said, moved = set(), set()
    for number, (key, scenario) in enumerate(changes, start=1):
        if all(idle_keys(each, [key], possible(each)) for each in (base, scenario)):
            said.add(key)
        if not np.array_equal(measured[number], measured[0], equal_nan=True):
            moved.add(key)
    assert said & moved == set(), "these have an effect"
    declared = {*READ, *(key for along in SWITCHED.values() for key in along)} & {key for key, _ in changes}
    assert declared - said - moved - UNSEEN == set(), "these have none, and nothing says so"
    assert said


@pytest.mark.parametrize(
    ("changes", "key", "needs"),
    [
        ({"controls.mode": "none", "controls.severity": 0.5}, "controls.severity", "controls.mode = 'fixed'"),
        ({"controls.mode": "reactive", "controls.start": 2025}, "controls.start", "controls.mode = 'fixed'"),
        ({"subsidy.allocation": "leader"}, "subsidy.allocation", "subsidy.annual above 0 or subsidy.mode = 'plan'"),
        ({"doctrine.prevention": 0.9}, "doctrine.prevention", "controls.doctrine = 'preventive'"),
        ({"retaliation.severity": 0.5}, "retaliation.severity", "controls.severity above 0"),
        ({"plan.years": 8}, "plan.years", "subsidy.mode = 'plan'"),
        ({"mechanisms.mandate": False, "mandate.domestic": 0.2}, "mandate.domestic", "mechanisms.mandate = true"),
        ({"mechanisms.research": False, "research.price_weight": 0.4}, "research.price_weight", "mechanisms.research"),
    ],
)
def test_a_key_without_effect_is_named_with_what_it_needs(changes, key, needs):
    said = [text for text in idle(load_config("published-2020", changes)) if f" {key} = " in text]
    assert len(said) == 1 and "has no effect; it needs" in said[0] and needs in said[0]


def test_an_outage_of_suppliers_is_filled_in_as_a_control_is():
    """By the key that says how far others do; an outage of chip firms alone reads it no more than before."""
    scenario = load_config("neutral", {"mechanisms.backfill": True, "controls.backfill": 1.0})
    out = {"date": "2020-01-01", "by": "JPN", "kind": "outage", "severity": 1.0}
    firms, resist = (scenario.with_event(out | {"scope": [id]}) for id in ("kioxia-jpn-memory", "jpn-photoresist"))
    (said,) = [text for text in idle(firms) if "controls.backfill" in text]
    assert "an event that is an outage of suppliers" in said
    assert not [text for text in idle(resist) if "controls.backfill" in text]
    differs = [resist, resist.with_values({"controls.backfill": 0.1})]
    model = DecouplingModel.block(differs, [1, 1], until=2020)
    while model.running:
        model.step()
    one, other = model.recorder.values("quarter")[1]
    assert not np.array_equal(one, other, equal_nan=True)


def test_what_is_read_is_not_named():
    assert idle(load_config("published-2020", {"controls.severity": 0.5, "retaliation.severity": 0.5})) == []
    assert idle(load_config("published-2020", {"subsidy.mode": "plan", "subsidy.allocation": "uniform"})) == []


@pytest.mark.parametrize("config", [name for name in known_configs() if name != "reactive"])
def test_no_config_of_the_project_sets_what_is_not_read(config):
    assert idle(load_config(config)) == []


LEVER = """
[[event]]
date = 2024-01-01
by = "USA"
kind = "lever"
set = { "controls.mode" = "fixed" }
"""


def test_a_lever_that_an_event_pulls_later_counts(tmp_path):
    path = tmp_path / "later.toml"
    path.write_text('purpose = "?"\nextends = "published-2020"\n[controls]\nmode = "none"\nseverity = 0.5\n')
    assert len(idle(load_config(path))) == 1
    path.write_text(path.read_text() + LEVER)
    assert idle(load_config(path)) == []


def experiment(folder, config, factors, kind="grid"):
    path = folder / "asked.toml"
    path.write_text(
        f'question = "?"\nconfigs = ["{config}"]\nreplications = 1\n[design]\nkind = "{kind}"\n'
        f'[factors]\n{factors}[record]\nevery = "end"\n'
    )
    return path


def test_a_factor_that_no_run_reads_is_named_by_check_and_batch(tmp_path, answer):
    path = experiment(tmp_path, "historic", '"controls.start" = [2024, 2026]\n"subsidy.annual" = [0, 100]\n')
    sentence = "asked: controls.start is varied without effect; it needs controls.mode = 'fixed'"
    assert answer("check", path).err.splitlines() == [sentence]
    said = answer("batch", path, "--workers", "1", "--out", tmp_path / "out")
    assert said.code == 0 and sentence in said.err.splitlines()


def test_a_factor_is_read_where_another_one_switches_to_it(tmp_path):
    both = '"controls.severity" = [0.2, 0.5]\n"controls.mode" = ["none", "fixed"]\n'
    assert idle_in(load_experiment(experiment(tmp_path, "published-2020", both))) == []
    none = both.replace('"none", "fixed"', '"none"')
    assert len(idle_in(load_experiment(experiment(tmp_path, "published-2020", none)))) == 1


def test_run_says_the_same_as_check(tmp_path, answer):
    path = tmp_path / "mine.toml"
    path.write_text('purpose = "?"\nextends = "historic"\n[controls]\nmode = "none"\n')
    said = answer("check", path).err.splitlines()
    levers = [line for line in said if "controls.foundry = " in line or "controls.quality_cap = " in line]
    assert (
        len(said) == 5
        and len(levers) == 2
        and "control (16) and retaliation (5)" in said[0]
        and "controls.severity = 1.0" in said[1]
    )
    assert answer("run", path, "--until", "2020", "--out", tmp_path / "out").err.splitlines()[:5] == said


def test_compare_says_of_finished_results_what_batch_says(tmp_path, answer):
    """A key of one of two configs, a factor, and an event; each result once, also in the tables for scripts."""
    (tmp_path / "mine.toml").write_text('purpose = "?"\nextends = "historic"\n[controls]\nmode = "none"\n')
    text = '"retaliation.severity" = [0.1, 0.2]\n"subsidy.annual" = [0, 100]\n'
    path = experiment(tmp_path, "historic", text)
    path.write_text(path.read_text().replace('["historic"]', '["mine.toml", "no-controls"]'))
    out = tmp_path / "out"
    said = answer("batch", path, "--workers", "1", "--out", out)
    assert said.code == 0, said.err
    reasons = [
        "dated events are not in force: control (16) and retaliation (5); controls.mode is none",
        "controls.severity = 1.0: has no effect; it needs controls.mode = ",
        "retaliation.severity is varied without effect; it needs ",
    ]
    assert all(reason in said.err for reason in reasons)
    for form in ("table", "csv", "json", "md"):
        found = answer("compare", out, out, "--format", form)
        assert found.code == 0
        assert all((found.out + found.err).count(reason) == 1 for reason in reasons), form
    assert f"{out}: mine: dated events" in found.out and f"{out}: retaliation.severity is varied" in found.out
