"""Bite, answer and total: with the push held, and with it answering; by hand, and on runs of the model."""

import csv
import io
import json
import re

import numpy as np
import pytest
from support.made_results import IMPORTS, SHARE, scenario, table, write
from typer.testing import CliRunner

from sim import DecouplingModel, load_config
from sim.batch import of_config
from sim.cli import app
from sim.compare import push
from sim.compare.push import controls_of
from sim.compare.question import Question, compare, trips, unjudged
from sim.compare.rendering import content, render, sections
from sim.errors import BadInput
from sim.results.manifest import read_manifest
from sim.scenario.values import CAUSED

ON = {"mechanisms.state_programme": True, "mechanisms.security": True, "security.goal": 0.5, CAUSED: 0.5}
FREE = {"controls.mode": "none", "controls.severity": 0.0, **ON}
STRICT = {**FREE, "controls.mode": "fixed", "controls.severity": 0.8}
# By seed: the share with the push held, and with it answering.
BASE = {1: (0.30, 0.20), 2: (0.32, 0.21), 3: (0.31, 0.20)}
CONTROLLED = {1: (0.25, 0.23), 2: (0.26, 0.25), 3: (0.24, 0.19)}
# Bite: -0.05, -0.06, -0.07. Total: 0.03, 0.04, -0.01. Answer: 0.08, 0.10, 0.06.


def made(folder, name, values, own, column=SHARE, levels=(0.0, 1.0), **changes):
    """A result of the push at both levels, in the order of a design."""
    runs = [(seed, (level,), {column: of[place]}) for place, level in enumerate(levels) for seed, of in values.items()]
    text = table(runs, (CAUSED,), name)
    return write(folder / name, text, name, scenarios=scenario(name, values=own), **changes)


@pytest.fixture
def pair(tmp_path):
    return made(tmp_path, "free", BASE, FREE), made(tmp_path, "strict", CONTROLLED, STRICT)


def test_bite_answer_and_total_are_three_numbers(pair):
    found = compare(pair, Question())
    [total], [bite], [answer] = found.rows, found.held.rows, found.answers
    assert bite.diff == pytest.approx(-0.06) and bite.verdict == "worse"
    assert total.diff == pytest.approx(0.02) and total.base_mean == pytest.approx(0.61 / 3)
    assert answer.diff == pytest.approx(0.08) and answer.n_pairs == 3
    assert (answer.base_mean, answer.cand_mean) == (pytest.approx(bite.diff), pytest.approx(total.diff))
    # Student's t with two degrees of freedom, 4.302653; the deviation of 0.08, 0.10, 0.06 is 0.02
    assert answer.diff_hi - answer.diff == pytest.approx(4.302653 * 0.02 / 3**0.5)
    assert [text.partition(":")[0] for text in found.sentences] == [
        "strict against free with the push held (bite)",
        "strict against free with the push answering (total)",
        "strict against free, answer (total less bite)",
    ]


def test_the_luck_of_the_answer_is_paired(tmp_path):
    """Total and bite swing by as much as the seeds do, and their difference does not: its interval is narrow."""
    luck = (0.1, -0.2, 0.3, -0.1, 0.2)
    base = made(tmp_path, "free", dict.fromkeys(range(5), (0.5, 0.4)), FREE)
    swings = {seed: (0.5 + held, 0.4 + held + 0.05) for seed, held in enumerate(luck)}
    found = compare([base, made(tmp_path, "strict", swings, STRICT)], Question())
    [answer] = found.answers
    assert answer.diff == pytest.approx(0.05) and found.rows[0].diff_hi - found.rows[0].diff_lo > 0.3
    assert answer.diff_lo is None and "the same in all 5 pairs" in answer.flags


def test_parameter_sets_have_a_spread_of_their_answer(tmp_path):
    sides = [{(1, 1): (0.3, 0.2), (2, 1): (0.3, 0.2)}, {(1, 1): (0.2, 0.2), (2, 1): (0.1, 0.4)}]
    pair = [made(tmp_path, *of) for of in (("free", sides[0], FREE), ("strict", sides[1], STRICT))]
    [answer] = compare(pair, Question()).answers
    # set 1: 0.0 less -0.1, set 2: 0.2 less -0.2
    assert (answer.diff_q05, answer.diff_q95) == (pytest.approx(0.1 + 0.05 * 0.3), pytest.approx(0.1 + 0.95 * 0.3))


def test_tables_say_what_the_push_does(pair):
    found = compare(pair, Question(reach=[], points=True))
    rows = list(csv.DictReader(io.StringIO(render(compare(pair, Question()), "csv"))))
    assert [row["push"] for row in rows] == ["answers", "held", "answers less held"]
    assert [float(row["diff"]) for row in rows] == [found.rows[0].diff, found.held.rows[0].diff, found.answers[0].diff]
    told = content(found)
    assert [row["push"] for row in told["rows"]] == ["answers", "held", "answers less held"]
    assert [row["push"] for row in told["points"]] == ["answers", "held"]
    json.dumps(told)
    titles = [section.title for section in sections(found)]
    assert titles[3] == "strict less free: bite, answer and total" and titles[-1] == "In words"
    assert "strict less free with the push held (bite)" in titles
    [apart] = [section for section in sections(found) if section.title.endswith("bite, answer and total")]
    assert [apart.rows[0][place] for place in (2, 4, 6)] == ["-0.060", "0.080", "0.020"]
    assert "No figure tells how much of the push the controls caused" in apart.lines[0]
    for format in ("md", "html"):
        assert "bite, answer and total" in render(found, format)


def test_a_gate_judges_both_and_says_which(pair):
    found = compare(pair, Question())
    assert trips(found, ["worse"]) == [
        "--fail-on worse: domestic_supply_share@final of strict with the push held (bite)"
    ]
    assert "with the push answering (total)" in trips(found, ["inconclusive"])[0]
    assert unjudged(found, ["worse"]) == []
    code = CliRunner().invoke(app, ["compare", *map(str, pair), "--fail-on", "worse"]).exit_code
    assert code == 1


def test_a_result_without_pairs_has_no_answer(pair):
    found = compare(pair, Question(paired=False))
    assert found.answers == [] and found.held.rows[0].diff == pytest.approx(-0.06)
    assert any("without an interval" in note for note in found.notes)


def test_what_is_no_control_is_not_split(tmp_path):
    """A subsidy, a switch or an answer of the target differs: one number, over both halves as over any sweep."""
    base = made(tmp_path, "free", BASE, FREE)
    rich = made(tmp_path, "rich", CONTROLLED, {**FREE, "subsidy.annual": 200.0})
    found = compare([base, rich], Question())
    assert found.held is None and found.answers == [] and len(found.sentences) == 1
    assert found.rows[0].diff == pytest.approx(-0.02) and "bite" not in render(found)
    assert render(found, "csv").splitlines()[1].endswith(",")


def test_ends_on_different_dates_give_no_answer(tmp_path):
    """With the push answering, seed 1 stops a year earlier under controls: what differs at the end may be the time."""
    paths = []
    for name, values, own in (("free", BASE, FREE), ("strict", CONTROLLED, STRICT)):
        series = ["run_id,config,parameter_set,seed,date,domestic_supply_share"]
        for place in (0, 1):
            for number, (seed, shares) in enumerate(values.items()):
                last = 2034 if (name, place, seed) == ("strict", 1, 1) else 2035
                run = f"run{place * len(values) + number},{name},0,{seed}"
                series += [f"{run},{year}-12-31,{shares[place]}" for year in range(2033, last + 1)]
        paths.append(made(tmp_path, name, values, own, series="\n".join(series) + "\n"))
    found = compare(paths, Question())
    [total], [bite], [answer] = found.rows, found.held.rows, found.answers
    assert (total.verdict, answer.verdict, answer.diff_lo) == ("inconclusive", "inconclusive", None)
    assert bite.verdict == "worse" and "different dates" in answer.flags
    [answer] = compare(paths, Question(at=["2034"])).answers
    assert answer.diff_lo is not None and answer.diff == pytest.approx(0.08)


def test_bite_and_total_are_of_controls_alone(tmp_path):
    """Beside a candidate whose controls differ stands one whose do not: it is told both ways, but it has no bite."""
    pair = [made(tmp_path, "free", BASE, FREE), made(tmp_path, "strict", CONTROLLED, STRICT)]
    found = compare([*pair, made(tmp_path, "rich", CONTROLLED, {**FREE, "subsidy.annual": 200.0})], Question())
    assert found.of_controls == ["strict"] and [row.candidate for row in found.answers] == ["strict"]
    titles = [section.title for section in sections(found)]
    assert "strict less free with the push held (bite)" in titles and "rich less free with the push held" in titles
    assert [text.partition(":")[0] for text in found.sentences if text.startswith("rich")] == [
        "rich against free with the push held",
        "rich against free with the push answering",
    ]
    assert "of rich with the push held" in trips(found, ["worse"])[0]


def test_without_a_push_there_is_one_number(tmp_path):
    base = made(tmp_path, "free", BASE, {**FREE, "mechanisms.security": False})
    other = made(tmp_path, "strict", CONTROLLED, {**STRICT, "mechanisms.security": False})
    found = compare([base, other], Question())
    assert found.held is None and not any("bite" in note for note in found.notes)


def single(folder, name, values, own, **changes):
    runs = [(seed, (), {SHARE: value, IMPORTS: 2 * value}) for seed, value in values.items()]
    return write(folder / name, table(runs, (), name), name, scenarios=scenario(name, values=own), **changes)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (0.5, "caused_by_controls = 0.5, so what controls do here is neither bite nor total"),
        (0.0, "caused_by_controls = 0, so what controls do here is the bite alone"),
        (1.0, "caused_by_controls = 1, so what controls do here is the total alone"),
    ],
)
def test_a_comparison_at_one_value_says_which(tmp_path, at, said):
    luck = {1: 0.3, 2: 0.4}
    paths = [single(tmp_path, name, luck, {**own, CAUSED: at}) for name, own in (("free", FREE), ("strict", STRICT))]
    notes = compare(paths, Question()).notes
    assert said in notes[0] and "decoupling compare free strict" in notes[0]
    assert f'"{CAUSED}" = [0.0, 1.0]' in notes[0]
    assert not any("bite" in note for note in compare([paths[0], paths[0]], Question()).notes)


def test_a_comparison_at_two_values_or_at_drawn_ones_says_so(tmp_path):
    luck = {(1, 1): 0.3, (2, 1): 0.4}
    sets = {"1": {CAUSED: 0.2}, "2": {CAUSED: 0.9}}
    drawn = [
        single(tmp_path, name, luck, own, parameter_sets=sets) for name, own in (("free", FREE), ("strict", STRICT))
    ]
    assert (
        f"{CAUSED} drawn with the parameter sets, so what controls do here is neither"
        in compare(drawn, Question()).notes[0]
    )
    other = single(tmp_path, "other", {1: 0.3, 2: 0.1}, {**STRICT, CAUSED: 1.0})
    free = single(tmp_path, "half", {1: 0.3, 2: 0.1}, FREE)
    assert f"{CAUSED} = 0.5 in half and = 1 in other" in compare([free, other], Question()).notes[0]


def test_what_controls_are():
    historic = load_config("historic")
    events = historic.as_dict()["events"]

    def differ(change=None, more=()):
        changed = historic.with_values(change or {})
        return controls_of(changed.values, [*events, *more]) != controls_of(historic.values, events)

    for change in ({"controls.severity": 0.5}, {"alliance.lag": 1.0}, {"mechanisms.backfill": False}):
        assert differ(change)
    for change in ({"subsidy.annual": 200}, {"retaliation.severity": 1.0}, {"mechanisms.security": False}):
        assert not differ(change)
    measure = {"date": "2026-01-01", "by": "USA", "scope": ["all"], "severity": 0.5}
    assert differ(more=[{**measure, "kind": "control"}]) and differ(more=[{**measure, "kind": "truce"}])
    assert not differ(more=[{**measure, "kind": "retaliation"}]) and not differ(more=[{**measure, "kind": "outage"}])
    lever = {"date": "2026-01-01", "by": "USA", "kind": "lever"}
    assert differ(more=[{**lever, "set": {"controls.severity": 0.2}}])
    assert not differ(more=[{**lever, "set": {"subsidy.annual": 200}}])


def test_a_key_that_one_side_sweeps_is_no_key_that_both_sweep(tmp_path):
    """Where both sweep severity, it is the same in a pair; where one does, controls differ."""
    runs = [(seed, (level,), {SHARE: seed * level}) for seed in (1, 2) for level in (0.0, 0.8)]
    sweeps = [
        write(tmp_path / name, table(runs, ("controls.severity",), name), name, scenarios=scenario(name, values=own))
        for name, own in (("free", FREE), ("strict", {**FREE, "controls.severity": 0.3}))
    ]
    assert not any("neither bite nor total" in note for note in compare(sweeps, Question()).notes)
    fixed = single(tmp_path, "fixed", {1: 0.3, 2: 0.4}, FREE)
    assert any("neither bite nor total" in note for note in compare([sweeps[0], fixed], Question()).notes)


# On runs of the model.


@pytest.fixture
def few(monkeypatch):
    """Configs that are run to be compared have three seeds."""
    monkeypatch.setattr(of_config, "SEEDS", 3)


def alarms(config, caused, seed=2, until=2026):
    """What the target's plans answer to and the goal of its push, quarter by quarter."""
    model = DecouplingModel(load_config(config).with_values({CAUSED: caused}), rng=seed, until=until)
    alarm = []
    while model.running:
        model.step()
        alarm.append(np.array(model.states.alarm))
    return np.array(alarm)


def test_the_push_that_is_held_wants_the_same_on_both_sides():
    """Held is what is wanted, to the last bit; what firms lack of it, and so order, controls do change."""
    free, controlled = (alarms(config, 0.0) for config in ("no-controls", "historic"))
    assert (free == controlled).all() and free.max() > 0.3
    free, controlled = (alarms(config, 1.0) for config in ("no-controls", "historic"))
    assert free.max() == 0.0 and controlled.max() > 0.3


def test_configs_are_run_both_ways_and_the_answer_is_total_less_bite_in_every_pair(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = of_config.results_of(["no-controls", "us-alone"])
    values = read_manifest(paths[0]).scenarios["no-controls"].values
    assert values[CAUSED] == 0.5  # the config is as it is; both ends are swept
    shares = {}
    for path in paths:
        for row in csv.DictReader((path / "runs.csv").read_text().splitlines()):
            shares[path, row["seed"], float(row[CAUSED])] = float(row[SHARE])
    free, controlled = paths
    bites, totals = (
        np.array([shares[controlled, seed, level] - shares[free, seed, level] for seed in "123"]) for level in (0, 1)
    )
    found = compare(paths, Question(measures=["domestic_supply_share"]))
    [total], [bite], [answer] = found.rows, found.held.rows, found.answers
    assert total.n_pairs == bite.n_pairs == answer.n_pairs == 3
    for row, by_hand in ((bite, bites), (answer, totals - bites), (total, totals)):
        assert row.diff == pytest.approx(by_hand.mean(), rel=1e-12)
    assert bite.diff < 0 < answer.diff


def test_configs_whose_controls_are_the_same_are_run_once(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = of_config.results_of(["published-2020", "buy-domestic"])
    assert [len((path / "runs.csv").read_text().splitlines()) for path in paths] == [4, 4]
    assert not any("apart" in path.name for path in of_config.results_of(["no-controls", "us-alone"], apart=False))


def test_configs_are_run_over_the_parameter_sets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = of_config._ensemble
    monkeypatch.setattr(of_config, "_ensemble", lambda *given: whole(*given).some(2))
    paths = of_config.results_of(["published-2020", "buy-domestic"], sets=True)
    sets = read_manifest(paths[0]).parameter_sets
    assert sorted(sets) == ["1", "129"] and sets["1"]["demand.growth"] != sets["129"]["demand.growth"]
    rows = [*csv.DictReader((paths[1] / "runs.csv").read_text().splitlines())]
    assert [(row["parameter_set"], row["seed"]) for row in rows] == [("1", "1"), ("1", "2"), ("129", "1"), ("129", "2")]
    [row] = compare(paths, Question(measures=["domestic_supply_share"])).rows
    assert (row.n_sets, row.n_pairs) == (2, 4)
    with pytest.raises(BadInput, match=r"^--parameters: .* is a result, which has the parameter sets that it was made"):
        of_config.results_of([str(paths[0]), "buy-domestic"], sets=True)


def test_configs_without_a_push_are_run_once(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, extends in (("quiet", "no-controls"), ("quiet-alone", "us-alone")):
        text = f'purpose = "?"\nextends = "{extends}"\n[mechanisms]\nsecurity = false\nlocalisation = false\n'
        (tmp_path / f"{name}.toml").write_text(text)
    said = CliRunner().invoke(app, ["compare", "quiet.toml", "quiet-alone.toml"])
    assert said.exit_code == 0 and "bite" not in said.stdout
    assert re.search(r"of \d+ measures .* over 3 pairs", said.stdout)


def test_buyers_answer_as_well_as_firms():
    assert push.can_answer({**ON, "mechanisms.localisation": True, "buyers.localisation": 0.5})
    buyers = {**ON, "mechanisms.security": False, "mechanisms.localisation": True, "buyers.localisation": 0.5}
    assert push.can_answer(buyers) and not push.can_answer({**buyers, "mechanisms.localisation": False})
    assert not push.can_answer({**buyers, "mechanisms.state_programme": False})
    assert not push.can_answer({**ON, "security.goal": 0.0})


def test_no_push_a_push_held_and_one_that_answers_are_three_numbers(paired):
    """With `mechanisms.security` off the effect of controls is one number as far as firms go; on, it has two ends."""

    def effect(changes):
        strict = paired({**changes, "controls.severity": 0.8}, seeds=3)["domestic_supply_share"]
        return (strict - paired(changes, seeds=3)["domestic_supply_share"])[:, -1]

    off = {"mechanisms.security": False, "mechanisms.localisation": False}
    none, again = (effect({**off, CAUSED: level}) for level in (0.0, 1.0))
    assert (none == again).all()
    bite, total = (effect({CAUSED: level}) for level in (0.0, 1.0))
    assert len({*none, *bite, *total}) == 9 and (total - bite > 0).all()


def test_the_dated_controls_are_one_world_at_both_ends(paired):
    """The record is what they deny: so a parameter set that meets the figures with them meets these at either end."""
    held, answering = (paired({CAUSED: level}, "historic", seeds=3)["domestic_supply_share"] for level in (0.0, 1.0))
    assert abs(held - answering).max() < 1e-4
