"""A search finds what is known by hand, is judged by most of the sets, and leaves no trace of having been stopped."""

import json
import os
import signal
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.batches import small
from support.paths import TESTS
from support.processes import started, wait_until

from sim.batch.rerun import row_of
from sim.checking import checked
from sim.errors import BadInput
from sim.experiment.conditions import Condition
from sim.experiment.designs import Factor, latin_hypercube
from sim.results.manifest import Manifest, read_manifest
from sim.results.reading import open_result
from sim.study.plot.choice import picture_of
from sim.study.search.aims import Aims, Constraint, Objective
from sim.study.search.file import load_search
from sim.study.search.front import FINAL, front_of
from sim.study.search.judging import beaten_by_none, costs_of, reached_in, robust_values, violations
from sim.study.search.run import search

# The core, with formulas in the place of runs.

LEVERS = {
    "cheap": Factor(low=0.0, high=100.0),  # 2 of benefit for each of money
    "dear": Factor(low=0.0, high=50.0),  # 3 for each 4 of money
    "way": Factor(levels=("idle", "apt", "vain")),  # "apt" brings 10 for nothing, "vain" costs 10
}


def linear(policies):
    """Money and lost benefit, both to be lowered."""
    money = [p["cheap"] + 4 * p["dear"] + 10 * (p["way"] == "vain") for p in policies]
    benefit = [2 * p["cheap"] + 3 * p["dear"] + 10 * (p["way"] == "apt") for p in policies]
    return np.column_stack([money, -np.array(benefit)]), np.zeros(len(policies))


def most(money):
    """The most benefit that money buys: the cheap lever first, then the dear one."""
    return 10 + np.where(money <= 100, 2 * money, 200 + 0.75 * (money - 100))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_known_front_of_two_levers_is_found(seed):
    from sim.study.search.evolution import evolve

    policies, left = evolve(LEVERS, latin_hypercube(3, 24, seed), linear, 30, seed)
    assert len(policies) == 24 * 30 == len({tuple(policy.values()) for policy in policies})
    costs, _ = linear(policies)
    front = beaten_by_none(costs, np.ones(len(policies), bool))
    money, benefit = costs[front, 0], -costs[front, 1]
    assert (benefit <= most(money) + 1e-9).all()
    assert np.median(most(money) - benefit) < 4 and (most(money) - benefit).max() < 20  # of 360
    assert money.min() < 5 and money.max() > 250 and np.diff(money).max() < 40
    assert np.mean([policies[place]["way"] == "apt" for place in front]) > 0.9
    assert len(left) == 24 and len(set(left) & set(front)) > 8
    first, _ = linear(policies[:24])
    assert np.median(most(first[:, 0]) + first[:, 1]) > 40  # it was not there to begin with


def test_a_constraint_is_kept_to():
    from sim.study.search.evolution import evolve

    def judge(policies):
        costs, _ = linear(policies)
        return costs, np.maximum(0, 150 + costs[:, 1])  # a benefit of 150 or more, which costs 70

    policies, _ = evolve(LEVERS, latin_hypercube(3, 24, 5), judge, 40, 5)
    costs, missed = judge(policies)
    front = beaten_by_none(costs, missed == 0)
    assert 70 <= costs[front, 0].min() < 74 and -costs[front, 1].max() >= 150


def test_where_all_policies_have_been_tried_it_ends():
    from sim.study.search.evolution import evolve

    factors = {"a": Factor(levels=(1.0, 2.0, 3.0)), "b": Factor(levels=(True, False))}

    def judge(policies):
        return np.array([[p["a"], -p["a"] * p["b"]] for p in policies]), np.zeros(len(policies))

    policies, _ = evolve(factors, latin_hypercube(2, 4, 1), judge, 50, 1)
    assert sorted((p["a"], p["b"]) for p in policies) == [(a, b) for a in (1.0, 2.0, 3.0) for b in (False, True)]


# What is judged: by hand.

TEN = np.array([[3.0, 1.0, 10.0, 7.0, 5.0, 9.0, 2.0, 8.0, 4.0, 6.0]])


@pytest.mark.parametrize(
    ("part", "higher", "reached"),
    [(0.9, True, 2.0), (0.9, False, 9.0), (1.0, True, 1.0), (1.0, False, 10.0), (0.85, True, 2.0), (0.1, True, 10.0)],
)
def test_what_is_reached_in_a_part_of_the_sets(part, higher, reached):
    assert reached_in(part, TEN, higher).tolist() == [reached]


def test_a_run_without_a_value_counts_as_worst():
    values = np.array([[1.0, np.nan, 3.0, 4.0]])
    assert reached_in(0.75, values, True).tolist() == [1.0] and reached_in(1.0, values, True).tolist() == [-np.inf]
    assert reached_in(0.75, values, False).tolist() == [4.0] and reached_in(1.0, values, False).tolist() == [np.inf]


def aims(robust, *constraints):
    return Aims((Objective("money@sum", False), Objective("share@2030", True)), constraints, robust)


VALUES = {
    "money@sum": np.array([[10.0, 20.0, 30.0], [12.0, 14.0, 40.0]]),
    "share@2030": np.array([[0.1, 0.2, 0.3], [0.2, 0.3, 0.1]]),
}


@pytest.mark.parametrize(
    ("robust", "expected"),
    [
        ("mean", [[20.0, 0.2], [22.0, 0.2]]),
        ("worst", [[30.0, 0.1], [40.0, 0.1]]),
        (0.6, [[20.0, 0.2], [14.0, 0.2]]),  # two of three sets
        ("regret", [[6.0, 0.1], [10.0, 0.2]]),  # 20 where 14 would do; 40 where 30; a share of 0.1 less; 0.2 less
    ],
)
def test_robust_values(robust, expected):
    found = robust_values(aims(robust), VALUES)
    assert np.allclose(found, expected)
    signs = [1, 1] if robust == "regret" else [1, -1]
    assert np.allclose(costs_of(aims(robust), found), np.array(expected) * signs)


def test_by_how_much_constraints_are_missed():
    share = Constraint(Condition("share@2030", ">=", 0.25), 0.6)  # two of three sets reach 0.2: a fifth is lacking
    money = Constraint(Condition("money@sum", "<=", 20.0), 1.0)  # 30 and 40: a half and the whole too much
    assert np.allclose(violations(aims("mean", share, money), VALUES), [0.2 + 0.5, 0.2 + 1.0])
    met = Constraint(Condition("share@2030", ">=", 0.2), 0.6)
    assert violations(aims("mean", met), VALUES).tolist() == [0.0, 0.0]


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3, st.booleans()), max_size=30))
def test_nothing_beats_the_front_and_something_beats_the_others(rows):
    costs, met = np.array([row[:3] for row in rows], float).reshape(-1, 3), np.array([row[3] for row in rows], bool)
    front = beaten_by_none(costs, met)
    able = np.flatnonzero(met).tolist()

    def beats(one, other):
        return (costs[one] <= costs[other]).all() and (costs[one] < costs[other]).any()

    expected = {tuple(costs[a]) for a in able if not any(beats(b, a) for b in able)}
    assert [tuple(costs[place]) for place in front] == sorted(expected)  # each of equal ones once
    assert all(met[place] for place in front)


# The file.

FILE = """
question = "Which?"
configs = ["published-2020"]
replications = 2
[factors]
"controls.severity" = { low = 0.0, high = 1.0 }
"subsidy.annual" = { low = 0, high = 200 }
[record]
every = "RECORD"
measures = ["domestic_supply_share", "chip_market", "price_index"]
[search]
objectives = ["raise domestic_supply_share@2030", "lower chip_market@end"]
generations = 3
population = 6
"""


@pytest.fixture
def asked(tmp_path):
    """Write a search, some of its text replaced; the answer is its path."""

    def write(*changes, every="end"):
        text = FILE.replace("RECORD", every)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "asked.toml"
        path.write_text(text)
        return path

    return write


AIM = '"lower chip_market@end"'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (AIM, '"less chip_market"', """search.objectives = 'less chip_market': must be "raise" or "lower" and"""),
        (AIM, '"lower chip_markt"', "search.objectives = 'lower chip_markt': 'chip_markt' is not recorded (did you me"),
        (AIM, '"lower chip_market@2028"', '2028 is not recorded; give [record] every = "year", or one of end, 2025 an'),
        (AIM, '"lower price_index@sum"', "price_index is no flow, and only flows have a sum"),
        (AIM, '"lower chip_market@later"', "after @ must stand end, peak, sum (of flows) or a year from 2020 to 2035"),
        (AIM, '"lower domestic_supply_share@2030"', "'domestic_supply_share@2030' is named twice; each outcome is on"),
        (f", {AIM}", "", "must be a list of 2 to 4, each"),
        ("population", "populaton", "search.populaton: is not a known key (did you mean 'population'?)"),
        ("population = 6", "population = 3", "search.population = 3: must be a whole number from 4 to 10000"),
        ("population = 6", 'robust = "often"', "search.robust = 'often': must be a part of the parameter sets above"),
        ("population = 6", "robust = 1.2", "search.robust = 1.2: must be a part of the parameter sets above"),
        ("population = 6", "robust = true", "search.robust = True: must be a part of the parameter sets above"),
        ("population = 6", 'constraints = ["chip_market > 3"]', "must be a name, >= or <=, and a number, such as"),
        ("population = 6", 'constraints = ["chip_market >= 3 in 9 of the sets"]', "9 must be a part of the sets, such"),
        ("population = 6", 'constraints = ["chip >= 3"]', "search.constraints = 'chip >= 3': 'chip' is not recorded"),
        ("[record]", '[design]\nkind = "sobol"\n[record]', "design: a search chooses its points itself; leave"),
        ('["published-2020"]', '["published-2020", "no-controls"]', "configs: a search takes one, and these are no"),
        ('every = "end"', 'every = "quarter"', 'record.every = "quarter": a search takes "year" or "end"'),
        ("high = 200", "high = 20000", "factors.subsidy.annual = 20000.0: is out of range; it must be from 0 to 2"),
        ("high = 1.0", "high = 0.0", "low must be below high"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_search_is_said(asked, old, new, said):
    with pytest.raises(BadInput) as fault:
        checked(str(asked((old, new))))
    assert len(fault.value.problems) == 1 and said in str(fault.value) and str(fault.value).startswith(str(asked()))


def test_all_faults_of_a_search_are_said_at_once(asked):
    path = asked((AIM, '"lower chip"'), ("subsidy.annual", "subsidy.anual"), ("generations = 3", "generations = 0"))
    with pytest.raises(BadInput) as fault:
        load_search(path)
    assert [text.split(": ")[1].split(" = ")[0] for text in fault.value.problems] == [
        "search.generations",
        "factors.subsidy.anual",
    ]


def test_check_says_what_a_search_takes(asked):
    said = checked(str(asked()))
    assert said == "a search without faults, 18 policies at most in 36 runs, about 0 s on one processor"


def test_a_search_is_no_batch_and_a_batch_is_no_search(asked):
    from sim.experiment import load_experiment

    with pytest.raises(BadInput, match="is a search and no batch; run it with decoupling study search asked"):
        load_experiment(asked())
    with pytest.raises(BadInput, match=r"has no table \[search\]; give one with objectives, or run it as a batch"):
        load_search("policy-grid")


def test_without_the_library_one_sentence_says_how_to_get_it(asked, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymoo", None)
    for name in [name for name in sys.modules if name.startswith(("pymoo.", "sim.study.search.evolution"))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(BadInput, match=r"^study search: needs the package pymoo; install the extra: uv sync --extra"):
        search(asked())


# Whole searches, over the small model of `support.batches`.


def everything(out):
    """The bytes of a search's folder, of manifests all but run_info."""
    found = {}
    for path in sorted(out.rglob("*")):
        if path.name == "manifest.json":
            content = json.loads(path.read_text())
            del content["run_info"]
            found[path.relative_to(out)] = content
        elif path.is_file():
            found[path.relative_to(out)] = path.read_bytes()
    return found


def started_search(path, out, build, workers):
    code = (
        f"from support import batches\nfrom sim.study.search.run import search\n"
        f"search({str(path)!r}, workers={workers}, out={str(out)!r}, build=batches.{build})"
    )
    return started([sys.executable, "-c", code], cwd=TESTS, start_new_session=True)


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_killed_in_any_generation_it_ends_with_the_same_bytes(asked, tmp_path, generation):
    path = asked(("replications = 2", "replications = 40"))
    whole = search(path, workers=1, out=tmp_path / "whole", build=small)
    out = tmp_path / "out"
    process = started_search(path, out, "slow", 2)
    said = ""
    while f"generation {generation} of 3" not in said:
        said = process.stderr.readline()
        assert said, "ended too soon"
    wait_until(lambda: list(out.glob(".blocks-*/*.block")))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(out.glob(".blocks-*")) and not (out / "front.csv").exists()
    found = search(path, workers=1, out=out, build=small)
    assert everything(out) == everything(tmp_path / "whole")
    assert found.table() == whole.table()


def test_more_generations_go_on_and_fewer_are_refused(asked, tmp_path, capsys):
    search(asked(), workers=1, out=tmp_path / "out", build=small)
    search(asked(("generations = 3", "generations = 5")), workers=1, out=tmp_path / "out", build=small)
    said = capsys.readouterr().err
    assert said.count("generation") == 3 + 2 and "asked: generation 4 of 5, 6 policies, 12 runs" in said
    search(asked(("generations = 3", "generations = 5")), workers=1, out=tmp_path / "whole", build=small)
    assert everything(tmp_path / "out") == everything(tmp_path / "whole")
    with pytest.raises(BadInput, match="search.generations = 3: the search there has 5; give as many or more, or --f"):
        search(asked(), workers=1, out=tmp_path / "out", build=small)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lower chip_market", "raise chip_market", "experiment.search.objectives was"),
        ("population = 6", "population = 7", "experiment.search.population was 6 and is now 7"),
        ("high = 200", "high = 300", "experiment.search.factors.subsidy.annual.high was 200.0 and is now 300.0"),
        ("replications = 2", "replications = 3", "the search there was made with other seeds"),
    ],
)
def test_another_search_is_not_gone_on_from(asked, tmp_path, old, new, said):
    search(asked(), workers=1, out=tmp_path / "out", build=small)
    before = everything(tmp_path / "out")
    with pytest.raises(BadInput, match=said):
        search(asked((old, new)), workers=1, out=tmp_path / "out", build=small)
    assert everything(tmp_path / "out") == before
    search(asked((old, new)), workers=1, out=tmp_path / "out", build=small, fresh=True)
    assert everything(tmp_path / "out.1") == before


def test_the_front_is_run_in_all_parameter_sets(asked, tmp_path):
    """The small model knows no parameter sets, so all that is seen is which runs were made."""
    path = asked(("replications = 2", 'replications = 1\nparameters = "ensemble"\nsets = 3'))
    found = search(path, workers=1, out=tmp_path / "out", build=small)
    assert found.of_sets == "256 parameter sets" and found.whole.of_sets == "3 parameter sets"
    assert len(found.whole.policies) == 18
    best = [found.whole.policies[place] for place in found.whole.best]
    assert 0 < len(found.policies) <= 6 and all(policy in best for policy in found.policies)
    rows = (tmp_path / "out" / FINAL / "runs.csv").read_text().splitlines()
    assert len(rows) == 1 + 256 * len(found.policies)
    before = everything(tmp_path / "out")
    assert search(path, workers=1, out=tmp_path / "out", build=small).table() == found.table()
    assert everything(tmp_path / "out") == before


def test_a_year_that_is_recorded_is_an_objective_and_every_run_can_be_made_again(asked, tmp_path):
    path = asked((AIM, '"lower chip_market@2028"'), every="year")
    found = search(path, workers=1, out=tmp_path / "out", build=small)
    header, rows = found.table()
    assert header[:4] == ["policy", "run", "controls.severity", "subsidy.annual"] and "chip_market@2028" in header
    luck = np.sin([1.0, 2.0])
    for row in rows:  # the model by hand: of two seeds and 0.9 the worse one
        level = luck + row[2] - row[3] / 700
        share = 0.5 + 0.4 * np.tanh(level + 43 / 20)  # the last quarter of 2030
        assert row[header.index("chip_market@2028")] == pytest.approx(1e3 * np.exp(level).max())
        assert row[header.index("domestic_supply_share@2030")] == pytest.approx(share.min())
    row = row_of(open_result(tmp_path / "out"), rows[0][1])
    assert row.scenario.values["controls.severity"] == rows[0][2]


def test_a_search_is_drawn_as_its_front(asked, tmp_path):
    found = search(asked(), workers=1, out=tmp_path / "out", build=small)
    picture = picture_of([str(tmp_path / "out")], [], None, None, None)
    assert picture.kind == "front" and picture.title == "Which?" and len(picture.panels) == 1
    across, up = picture.panels[0].front
    assert across.middle.tolist() == (100 * found.robust[[*found.best], 0]).tolist()  # a share in per cent
    assert up.middle.tolist() == found.robust[[*found.best], 1].tolist()
    assert len(found.best) + len(picture.panels[0].dots[""][0]) >= len(found.policies) == 18
    assert "that nothing beats" in (tmp_path / "out/front.svg").read_text()
    assert picture_of([str(tmp_path / "out")], ["price_index@2030"], None, None, None).kind != "front"


def test_where_no_policy_meets_the_constraints_the_nearest_is_told(asked, tmp_path):
    path = asked(("population = 6", 'population = 6\nconstraints = ["domestic_supply_share@2030 >= 0.95"]'))
    found = search(path, workers=1, out=tmp_path / "out", build=small)
    assert found.best == () and found.table()[1] == []
    [said] = found.sentences()
    assert said.startswith("18 policies tried in 2 seeds: none with domestic supply share in 2030 of at least 95 % in")
    share = found.values["domestic_supply_share@2030"].min(axis=1).max()  # of both seeds the worse, of all the best
    assert said.endswith(f"which comes to domestic supply share in 2030, {100 * share:.1f} %.")
    assert front_of(tmp_path / "out").best == ()


def test_what_costs_and_does_nothing_is_not_on_the_front(tmp_path):
    """Severity denies the target something, and a subsidy is spent: the best policy is neither, and the only one."""
    path = tmp_path / "least.toml"
    path.write_text(
        FILE.replace("RECORD", "end")
        .replace("{ low = 0.0, high = 1.0 }", "[0.0, 0.3, 0.6]")
        .replace("{ low = 0, high = 200 }", "[0, 100, 200]")
        .replace('["domestic_supply_share", "chip_market", "price_index"]', '["controls_severity", "subsidy_spent"]')
        .replace("raise domestic_supply_share@2030", "lower controls_severity@2030")
        .replace("lower chip_market@end", "lower subsidy_spent@sum")
        .replace("generations = 3", "generations = 4")
        .replace("replications = 2", "replications = 1")
    )
    found = search(path, workers=1, out=tmp_path / "out")
    assert len(found.policies) == 9  # all there are
    [place] = found.best
    assert found.policies[place] == {"controls.severity": 0.0, "subsidy.annual": 0}
    assert found.robust[place, 0] == 0.0


def test_a_result_that_is_not_whole_is_not_judged(asked, tmp_path):
    out = tmp_path / "out"
    search(asked(), workers=1, out=out, build=small)
    content = read_manifest(out).as_dict()
    content["experiment"]["design"]["points"].pop()
    (out / "manifest.json").write_bytes(Manifest.model_validate(content).text())
    with pytest.raises(BadInput, match="does not hold 34 runs of policies that set every factor; run the search again"):
        front_of(out)


def test_regret_is_told_as_regret(asked, tmp_path):
    path = asked(("population = 6", 'population = 6\nrobust = "regret"'))
    found = search(path, workers=1, out=tmp_path / "out", build=small)
    header, rows = found.table(whole=False)
    assert header[-2:] == ["domestic_supply_share@2030 regret", "chip_market@end regret"]
    share = found.values["domestic_supply_share@2030"]
    regrets = (share.max(axis=0) - share).max(axis=1)  # by hand: the most in any seed that the best of all does better
    assert [row[-2] for row in rows] == [regrets[place] for place in found.best]
    assert "has the least regret of domestic supply share in 2030, 0.00 %; of chip market" in found.sentences()[1]
    assert picture_of([str(tmp_path / "out")], [], None, None, None).panels[0].x_label.startswith("Regret of domestic")
