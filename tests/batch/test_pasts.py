"""Runs that are the same up to a date share their past, and have the bytes of each run by itself."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.batches import files

from sim.batch.blocks import build_model
from sim.batch.pasts import Future, run_all
from sim.batch.rerun import row_of
from sim.batch.run import even_size, run_batch
from sim.experiment.file import load_experiment
from sim.model import DecouplingModel
from sim.recorder import Recorder
from sim.results.reading import open_result
from sim.results.records import read_rows
from sim.scenario.loading import load_config

BASE = load_config("published-2020").with_values({"controls.mode": "events"})
LEVERS = {
    "subsidy.annual": st.floats(0, 2000),
    "subsidy.allocation": st.sampled_from(["uniform", "market", "leader", "bottleneck"]),
    "controls.severity": st.floats(0, 1),
    "mandate.domestic": st.floats(0, 1),
}
days = st.dates(datetime.date(2020, 1, 1), datetime.date(2022, 12, 31))


@st.composite
def events(draw):
    """What may happen on a date, announced before or not."""
    date = draw(days)
    ahead = {"announced": date - datetime.timedelta(days=draw(st.integers(0, 700)))}
    kind = draw(st.sampled_from(["lever", "subsidy", "control", "truce", "retaliation", "outage"]))
    severity = {"severity": draw(st.floats(0, 1))}
    scope = draw(st.sampled_from([["all"], ["lithography"], ["leading_logic"], ["design_software", "memory"]]))
    if kind == "lever":
        key = draw(st.sampled_from(sorted(LEVERS)))
        return {"date": date, "by": "CHN", "kind": kind, "set": {key: draw(LEVERS[key])}}
    if kind == "subsidy":
        return {"date": date, "by": "CHN", "kind": kind, "amount": draw(st.floats(0, 2000)), **ahead}
    if kind == "control" and scope == ["lithography"] and draw(st.booleans()):
        through = {"through": draw(st.sampled_from([["NLD"], ["JPN", "KOR"]]))}
        reached = draw(st.sampled_from([through, {"lines": ["leading_logic"]}, {"lines": ["memory", "mature_logic"]}]))
        scope = draw(st.sampled_from([["lithography"], ["etch_clean", "lithography", "deposition", "design_software"]]))
        return {"date": date, "by": "USA", "kind": kind, "scope": scope, **severity, **ahead, **reached}
    if kind == "retaliation":
        return {"date": date, "by": "CHN", "kind": kind, **severity}
    if kind == "outage":
        return {"date": date, "by": "USA", "kind": kind, "scope": ["JPN"], **severity}
    return {"date": date, "by": "USA", "kind": kind, "scope": scope, **severity, **ahead}


def futures_of(policies, seeds):
    scenarios = []
    for policy in policies:
        scenario = BASE
        for event in policy:
            scenario = scenario.with_event(event)
        scenarios.append(scenario)
    return [Future(scenario, seed) for seed in seeds for scenario in scenarios]


def begun(futures, until=2022):
    return DecouplingModel.block([each.scenario for each in futures], [each.seed for each in futures], until=until)


def finished(model):
    while model.running:
        model.step()
    return model


def quarters_of(model):
    return model.recorder.values("quarter")[1], model.recorder.first_reaching(0.15)


@given(
    st.lists(events(), max_size=2),
    st.lists(st.lists(events(), max_size=2), min_size=1, max_size=3),
    st.integers(1, 2),
    st.integers(1, 7),
)
@settings(max_examples=12, deadline=None)
def test_whatever_happens_when_each_future_is_that_of_its_run_alone(common, policies, seeds, most):
    futures = futures_of([[], *([*common, *policy] for policy in policies)], range(seeds))
    done = set()
    for numbers, model in run_all(futures, begun, most):
        values, reached = quarters_of(model)
        for place, number in enumerate(numbers):
            alone, first = quarters_of(finished(begun([futures[number]])))
            assert values[place].tobytes() == alone[0].tobytes()
            assert reached[place] == first[0]
            done.add(number)
    assert done == set(range(len(futures)))


@pytest.fixture
def steps(monkeypatch):
    """How many runs have gone through a quarter, one after another."""
    found = []
    record = Recorder.record

    def counting(recorder, model):
        found.append(len(model.seeds))
        record(recorder, model)

    monkeypatch.setattr(Recorder, "record", counting)
    return found


def money(date, value):
    return {"date": date, "by": "CHN", "kind": "lever", "set": {"subsidy.annual": value}}


def test_a_past_is_run_once(steps):
    """Two seeds and three policies, of which two from the second year on and one of these from the third on besides."""
    second, third = datetime.date(2021, 2, 3), datetime.date(2022, 1, 1)
    policies = [[], [money(second, 100.0)], [money(second, 100.0), money(third, 300.0)]]
    found = [numbers for numbers, _ in run_all(futures_of(policies, [1, 2]), begun, 96)]
    assert sorted(number for numbers in found for number in numbers) == [0, 1, 2, 3, 4, 5]
    assert steps == [2] * 4 + [4] * 4 + [6] * 4


def test_no_more_are_held_at_once_than_asked(steps):
    policies = [[money(datetime.date(2022, 1, 1), 10.0 * value)] for value in range(7)]
    assert len([*run_all(futures_of(policies, [1]), begun, 3)]) == 3
    assert (steps[:8], sorted(steps[8:])) == ([1] * 8, [1] * 4 + [3] * 8)


def test_an_announcement_parts_runs_before_its_date(steps):
    control = {"date": datetime.date(2022, 4, 1), "by": "USA", "kind": "control", "severity": 0.5}
    [*run_all(futures_of([[], [control]], [1]), begun, 9)]
    [*run_all(futures_of([[], [{**control, "announced": datetime.date(2021, 4, 1)}]], [1]), begun, 9)]
    assert steps == [1] * 9 + [1] * 6 + [1] * 5 + [1] * 14


EXPERIMENT = """
question = "What does money from 2027 on do?"
configs = ["historic", "published-2020"]
replications = 2
parameters = "ensemble"
sets = 2
[parts.dated.factors]
"subsidy.annual" = { levels = [0, 200.0, 400.0], from = 2027 }
"controls.severity" = { low = 0.0, high = 1.0, levels = 2, from = 2031 }
[parts.other.factors]
"mechanisms.entry" = [true, false]
[record]
every = "quarter"
measures = ["domestic_supply_share", "subsidy_spent", "output_at_risk", "subsidy_per_point"]
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("dated") / "dated.toml"
    path.write_text(EXPERIMENT)
    return path


@pytest.fixture(scope="module")
def made(path):
    """The result without shared pasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.batch.pasts._begun_with", lambda scenario: object())
        assert run_batch(path, workers=1, out=path.parent / "apart", quietly=True) == 0
    return path.parent / "apart"


@pytest.mark.parametrize(("size", "workers"), [(96, 1), (1, 1), (2, 2)])
def test_a_batch_has_the_same_bytes_with_shared_pasts_and_without(path, made, tmp_path, size, workers):
    assert run_batch(path, workers=workers, out=tmp_path / "out", block_size=size, quietly=True) == 0
    assert files(tmp_path / "out") == files(made)


def test_a_batch_that_was_cut_off_goes_on_with_the_same_bytes(path, made, tmp_path):
    calls = 0

    def stopping(*asked):
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return build_model(*asked)

    with pytest.raises(KeyboardInterrupt):
        run_batch(path, workers=1, out=tmp_path / "out", build=stopping, block_size=2, quietly=True)
    assert run_batch(path, workers=1, out=tmp_path / "out", quietly=True) == 0
    assert files(tmp_path / "out") == files(made)


def test_a_level_from_a_year_on_is_what_an_event_of_that_date_is(made):
    meaning = open_result(made).manifest.columns["subsidy.annual"].meaning
    assert meaning.endswith("2020 already contains; it has this value from the beginning of 2027 on")
    row = next(row for row in read_rows(made / "runs.csv") if row["run_id"] == "historic-3-129-1")
    assert (row["part"], row["subsidy.annual"], row["controls.severity"]) == ("dated", "200.0", "0.0")
    experiment = load_experiment(made.parent / "dated.toml")
    scenario = load_config("historic", experiment.ensemble.sets[129])
    scenario = scenario.with_event({"date": datetime.date(2027, 1, 1), "by": "CHN", "kind": "subsidy", "amount": 200})
    none = {"date": datetime.date(2031, 1, 1), "by": "CHN", "kind": "lever", "set": {"controls.severity": 0.0}}
    model = DecouplingModel(scenario.with_event(none), 1)
    model.run()
    share = model.series("end")["domestic_supply_share"].iloc[0]
    assert row["domestic_supply_share@end"] == repr(float(share))


def test_a_row_with_a_date_is_made_again_to_the_last_bit(made):
    row = row_of(open_result(made), "published-2020-4-1-2")
    model = DecouplingModel(row.scenario, row.run.seed, record=row.measures(["headline"]))
    row.run_to_end(model)
    again = float(model.series("end")["domestic_supply_share"].iloc[0])
    assert row.cells["domestic_supply_share@end"] == repr(again)


def test_a_config_that_moves_the_lever_later_moves_it_where_a_point_leaves_it_alone(tmp_path):
    """Money of 900 from 2030-04-01 on in the config: three quarters of it in 2030, unless a point has held it."""
    (tmp_path / "later.toml").write_text(
        'purpose = "Money moves in 2030."\nextends = "published-2020"\nmechanisms.security = false\n'
        '[[event]]\ndate = 2030-04-01\nby = "CHN"\nkind = "subsidy"\namount = 900\n'
    )
    (tmp_path / "asked.toml").write_text(
        'question = "?"\nconfigs = ["later.toml"]\nreplications = 1\n[record]\nmeasures = ["subsidy_spent"]\n'
        '[design]\nkind = "list"\npoints = [{ "subsidy.annual" = 50.0 }, { "mandate.domestic" = 0.3 }]\n'
        '[factors]\n"subsidy.annual" = { from = 2029 }\n'
    )
    assert run_batch(tmp_path / "asked.toml", workers=1, out=tmp_path / "out", quietly=True) == 0
    rows = read_rows(tmp_path / "out" / "series.csv")
    spent = {(row["run_id"][6], row["date"][:4]): float(row["subsidy_spent"]) for row in rows}
    assert {spent["1", str(year)] for year in range(2029, 2036)} == {50.0}  # bn yuan a year
    assert [spent["2", str(year)] for year in range(2028, 2033)] == [0.0, 0.0, 675.0, 900.0, 900.0]
    assert spent["1", "2028"] == 0
    for run_id in ("later-1-0-1", "later-2-0-1"):
        row = row_of(open_result(tmp_path / "out"), run_id)
        model = DecouplingModel(row.scenario, row.run.seed)
        row.run_to_end(model)
        assert row.cells["subsidy_spent@2030"] == repr(float(model.series("year")["subsidy_spent"].iloc[10]))


def test_blocks_hold_whole_families_and_are_even():
    assert even_size(800, 1, 96) == 89 and even_size(40, 1, 96) == 96  # nine of 89 or less; one
    assert even_size(800, 2, 96, 80) == 400  # two of five families
    assert even_size(10_000, 2, 96, 10) == 720  # seven each, of up to 768
    assert even_size(10_000, 2, 96, 2000) == 768  # of a family that is larger than a block
    assert even_size(4096, 2, 96, 1, 4) == 86  # of each of four configs: six jobs each, of up to 384
    assert even_size(4096, 2, 96, 4, 4) == 172  # in whole families of four


LATER = """purpose = "Money from 2030 on."
extends = "published-2020"
[[event]]
date = 2030-01-01
by = "CHN"
kind = "subsidy"
amount = 300
"""


def test_configs_with_one_past_are_run_together_and_alike_in_any_company(tmp_path, steps):
    """Two configs part in 2030 by money, a third in 2032 by a closure; a fourth has another past."""
    (tmp_path / "money.toml").write_text(LATER)
    closure = LATER + '[[event]]\ndate = 2032-01-01\nby = "TWN"\nkind = "closure"\nscope = ["tsmc"]\n'
    (tmp_path / "closure.toml").write_text(closure)
    names = ["published-2020", "money.toml", "closure.toml", "historic"]

    def made(configs):
        asked = tmp_path / "asked.toml"
        configs = ", ".join(f'"{name}"' for name in configs)
        asked.write_text(f'question = "?"\nconfigs = [{configs}]\nreplications = 1\n')
        assert run_batch(asked, workers=1, out=tmp_path / "out", quietly=True, fresh=True) == 0
        return {row["config"]: row for row in read_rows(tmp_path / "out" / "runs.csv")}

    alone = {config: row for name in names for config, row in made([name]).items()}
    steps.clear()
    assert made(names) == alone and len(alone) == 4
    assert sum(steps) == 64 + 24 + 16 + 64
