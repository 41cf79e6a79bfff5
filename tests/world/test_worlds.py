"""Worlds are data: generated ones, another chain, merged firms."""

import csv
import json
import subprocess
import sys
from collections import defaultdict
from io import StringIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import series_of
from support.paths import ROOT

from sim.errors import BadInput
from sim.experiment.file import load_experiment
from sim.measures import catalogue
from sim.model import DecouplingModel
from sim.scenario.loading import load_config
from sim.world.lumped import lumped_firms
from sim.world.synthetic import synthetic_id, synthetic_texts
from sim.world.tables import COMPANIONS, TABLES
from sim.world.world import load_world

MADE = ("synthetic", "crop-seeds", "lumped")


def rows(text):
    return list(csv.DictReader(StringIO(text)))


def world(sectors, firms, seed):
    return load_world(synthetic_id(sectors, firms, seed))


# -- synthetic worlds


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 12), st.integers(0, 60), st.integers(0, 2**63 - 1))
def test_a_synthetic_world_of_any_size_and_seed_is_a_world_and_runs(sectors, further, seed):
    scenario = load_config(
        "synthetic", {"synthetic": {"sectors": sectors, "firms": 8 * sectors + further, "seed": seed}}
    )
    made = scenario.world  # the checks of every world, on every value
    assert [len(made.rows[table]) for table in ("segments", "chip_firms")] == [sectors, 8 * sectors + further]
    model = DecouplingModel.block([scenario] * 2, [1, 2], until=2020)
    series_of(model)  # the accounts close in every quarter
    _, values = model.recorder.values("year")
    found = dict(zip(model.recorder.names, values[0, 0], strict=True))
    assert found["chip_market"] == pytest.approx(scenario.values["base.chip_market"], rel=0.05)
    assert found["domestic_supply_share"] == pytest.approx(scenario.values["base.domestic_supply_share"], rel=0.05)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 41), st.integers(0, 100), st.integers(0, 1000))
def test_one_firm_more_moves_no_other_value(sectors, further, seed):
    before = synthetic_texts(sectors, 8 * sectors + further, seed)
    after = synthetic_texts(sectors, 8 * sectors + further + 1, seed)
    assert rows(after["chip_firms.csv"])[:-1] == rows(before["chip_firms.csv"])
    for table in ("states", "segments", "suppliers"):
        assert after[f"{table}.csv"] == before[f"{table}.csv"]


def test_one_sector_more_moves_no_other_sectors_state_firms():
    before, after = (rows(synthetic_texts(n, 200, 1)["chip_firms.csv"]) for n in (3, 4))
    assert after[: 8 * 3] == before[: 8 * 3]


def test_the_same_seed_gives_the_same_world_and_another_another():
    assert synthetic_texts(5, 60, 1) == synthetic_texts(5, 60, 1)
    outputs = [[row["output"] for row in rows(synthetic_texts(5, 60, seed)["chip_firms.csv"])] for seed in (1, 2)]
    assert not set(outputs[0]) & set(outputs[1])


def test_draws_do_not_depend_on_the_process():
    command = "from sim.world.synthetic import synthetic_texts as made; print(made(2, 20, 3)['chip_firms.csv'], end='')"
    answer = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout == synthetic_texts(2, 20, 3)["chip_firms.csv"]


def test_every_value_is_assumed_and_says_that_it_is_an_illustration():
    made = load_config("synthetic").world
    assert made.is_assumed and not load_world("china-2020").is_assumed
    for table, (_, quantities, optional) in TABLES.items():
        for row in made.rows[table]:
            for quantity in (*quantities, *optional):
                if row[quantity] is not None:
                    low, high, grade, source = (row[f"{quantity}_{companion}"] for companion in COMPANIONS)
                    assert float(low) <= row[quantity] <= float(high) and grade == "assumed", (table, row["line"])
                    assert source.startswith("illustration, not observed: ")
    names = [row["name"] for table in ("segments", "inputs", "suppliers", "chip_firms") for row in made.rows[table]]
    assert all(name.endswith("(illustration)") for name in names)
    base = [load_config("synthetic").world.parameters[key] for key in ("base.chip_market", "base.home_bias")]
    assert all(entry.grade == "assumed" and "illustration" in entry.source for entry in base)


def test_the_sectors_are_the_industrial_divisions_of_the_standard():
    with (ROOT / "configs/evidence/industrial_divisions.csv").open(newline="") as file:
        divisions = list(csv.DictReader(file))
    assert [row["division"] for row in divisions] == [f"{number:02d}" for number in range(6, 47)]
    sections = {row["division"]: row["source"].split(", ")[1] for row in divisions}
    assert all(row["source"].startswith("GB/T 4754-2017") for row in divisions)
    assert [sections[code] for code in ("06", "12", "13", "43", "44", "46")] == [
        f"section {letter}" for letter in "BBCCDD"
    ]
    known = {"06": "coal", "16": "Tobacco", "27": "Medicines", "36": "Automobiles", "39": "electronic", "46": "water"}
    names = {row["division"]: row["name"] for row in divisions}
    assert all(word in names[code] for code, word in known.items())
    assert len(load_config("synthetic").world.rows["segments"]) == 41


def test_the_hash_covers_the_world():
    def hashed(**options):
        return load_config("synthetic", {f"synthetic.{key}": value for key, value in options.items()}).hash

    assert hashed() == hashed(sectors=41, firms=1000, seed=1)
    assert len({hashed(), hashed(firms=1001), hashed(sectors=40), hashed(seed=2)}) == 4
    base = load_config("published-2020")
    assert load_config("published-2020", {"lumped": True}).hash != base.hash
    assert load_config("published-2020", {"lumped": False}).hash == base.hash


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"synthetic.firms": 10}, ["synthetic.firms = 10", "at least 328", "8 states in each of 41 sectors"]),
        ({"synthetic.firms": 500.5}, ["synthetic.firms = 500.5", "a whole number from 1 to 100000"]),
        ({"synthetic.firms": True}, ["synthetic.firms = true", "a whole number"]),
        ({"synthetic.sectors": 0}, ["synthetic.sectors = 0", "from 1 to 200 (sectors)"]),
        ({"synthetic.seed": -1}, ["synthetic.seed = -1", "from 0"]),
        ({"synthetic.firm": 500}, ["synthetic.firm", "'synthetic.firms'"]),
        ({"synthetic": 5}, ["synthetic = 5", "a table [synthetic] with sectors, firms, seed"]),
        ({"lumped": "yes"}, ["lumped = 'yes'", "true or false"]),
        ({"world": 5}, ["world = 5", "name of a folder"]),
        ({"world": "syntetic"}, ["world = 'syntetic'", "'synthetic'"]),
        ({"base.chip_market": 1e9}, ["base.chip_market = 1000000000.0", "out of range"]),
    ],
    ids=str,
)
def test_a_wrong_choice_of_world_is_told(changes, parts):
    with pytest.raises(BadInput) as fault:
        load_config("synthetic", changes)
    assert len(fault.value.problems) == 1
    assert all(part in str(fault.value) for part in ["--set", *parts]), str(fault.value)


def test_sizes_are_for_synthetic_worlds_and_chosen_when_loading():
    with pytest.raises(BadInput, match=r'synthetic.firms: belongs to world = "synthetic"; the world is .china-2020'):
        load_config("historic", {"synthetic.firms": 500})
    with pytest.raises(BadInput, match=r"synthetic.firms: chooses the world"):
        load_config("synthetic").with_values({"synthetic.firms": 500})
    model = DecouplingModel("synthetic", set={"synthetic.sectors": 2, "synthetic.firms": 20, "subsidy.annual": 5})
    assert len(model.chip_firms.capacity[0]) == 20 and model.parameters.value("subsidy.annual") == 5


def test_faults_of_a_config_name_its_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('purpose = "mine"\nworld = "synthetic"\n[synthetic]\nfirms = "many"\nsectors = 3\nsed = 1\n')
    with pytest.raises(BadInput) as fault:
        load_config(path)
    assert [str(path) in problem for problem in fault.value.problems] == [True, True]
    path.write_text('purpose = "mine"\nextends = "synthetic"\n[synthetic]\nfirms = 400\n')
    assert load_config(path).world.id == synthetic_id(41, 400, 1)


# -- merged firms


def test_merged_firms_are_sums_and_means_weighted_by_output():
    def firm(name, site, output, lag, capital, grade="assumed"):
        quantities = {"output": output, "lag": lag, "capital": capital}
        row = {"id": name, "name": name, "headquarters": "CHN", "site": site, "segment": "memory"}
        for quantity, value in quantities.items():
            ends = (value / 2, value * 2) if grade == "assumed" else ("", "")
            row |= {quantity: value, f"{quantity}_low": ends[0], f"{quantity}_high": ends[1]}
            row |= {f"{quantity}_grade": grade, f"{quantity}_source": "by hand"}
        return row

    table = [firm("a", "CHN", 2, 1, 1), firm("b", "CHN", 6, 3, 5, "measured"), firm("c", "TWN", 4, 2, 3)]
    text = StringIO()
    writer = csv.DictWriter(text, table[0].keys())
    writer.writeheader()
    writer.writerows(table)
    merged, alone = rows(lumped_firms(text.getvalue()))
    assert alone == {key: str(value) for key, value in table[2].items()}
    numbers = {
        "output": (8, 7, 10),  # 2 + 6; 1 + 6, 4 + 6: a published value is its own low and high
        "lag": (2.5, 2.375, 2.75),  # (2·1 + 6·3) / 8; (2·0.5 + 6·3) / 8, (2·2 + 6·3) / 8
        "capital": (6, 5.5, 7),
    }
    for quantity, expected in numbers.items():
        found = [float(merged[quantity + end]) for end in ("", "_low", "_high")]
        assert found == pytest.approx(expected), quantity
        assert merged[f"{quantity}_grade"] == "assumed" and "a, b" in merged[f"{quantity}_source"]


def test_the_lumped_world_has_one_firm_for_each_headquarters_site_and_segment():
    full, lumped = load_world("china-2020"), load_config("lumped").world
    designers = {row["id"] for row in full.rows["designers"]}  # another table names them: they stay as they are

    def lines(world):
        return [row for row in world.rows["chip_firms"] if row["id"] not in designers]

    apart, as_they_are = (
        [{**row, "line": 0} for row in world.rows["chip_firms"] if row["id"] in designers] for world in (lumped, full)
    )
    assert apart == as_they_are
    sums = defaultdict(float)
    for row in lines(full):
        sums[row["headquarters"], row["site"], row["segment"]] += row["output"]
    found = {(row["headquarters"], row["site"], row["segment"]): row["output"] for row in lines(lumped)}
    assert found == pytest.approx(dict(sums)) and len(found) < len(full.rows["chip_firms"])
    assert len(lines(lumped)) == len(found)
    for table in set(TABLES) - {"chip_firms"}:
        assert lumped.rows[table] == full.rows[table]


def test_the_lumped_world_starts_from_the_same_year(paired):
    for name in ("chip_market", "production_share_hq", "production_share_located", "equipment_spending"):
        full, lumped = (paired(config=config)[name][:, 0].mean() for config in ("published-2020", "lumped"))
        assert lumped == pytest.approx(full, rel=0.01), name


def test_worlds_with_the_same_measures_may_stand_in_one_experiment(tmp_path):
    experiment = load_experiment("lumped")
    assert {scenario.world.id for scenario in experiment.scenarios} == {"china-2020", "china-2020:lumped"}
    assert experiment.as_dict()["prediction"].startswith("Little.")
    path = tmp_path / "both.toml"
    path.write_text(
        'question = "?"\nconfigs = ["published-2020", "lumped"]\nreplications = 1\n[record]\nmeasures = "all"\n'
    )
    measures = load_experiment(path).measures  # lumped has Taiwan's small makers in one
    assert "firm_revenue.tsmc-twn-leading" in measures and "firm_revenue.umc-twn-advanced" not in measures
    path = tmp_path / "mixed.toml"
    path.write_text('question = "?"\nconfigs = ["published-2020", "crop-seeds"]\nreplications = 1\n')
    with pytest.raises(BadInput, match="worlds with different measures"):
        load_experiment(path)
    path.write_text('question = "?"\nprediction = 5\nconfigs = ["published-2020"]\nreplications = 1\n')
    with pytest.raises(BadInput, match="prediction = 5: must be a sentence, written before running"):
        load_experiment(path)


# -- another chain


def test_crop_seeds_meet_their_own_tables():
    model = DecouplingModel("crop-seeds", until=2020, record="all")
    series_of(model)
    found = dict(zip(model.recorder.names, model.recorder.values("year")[1][0, 0], strict=True))
    assert found["chip_market"] == pytest.approx(9.3 * 6.9, rel=0.02)  # the target's rows of demand.csv, bn USD
    assert found["domestic_supply_share"] == pytest.approx(0.88, abs=0.01)
    assert found["equipment_spending"] == pytest.approx(0.75 * 6.9, rel=0.03)
    assert found["chip_market.rice"] == pytest.approx(2.2 * 6.9, rel=0.03)
    assert "unmet_demand.automotive" not in found


def test_every_value_of_crop_seeds_is_assumed():
    made = load_world("crop-seeds")
    assert made.is_assumed
    own = [entry for key, entry in made.parameters.items() if entry != load_world("china-2020").parameters.get(key)]
    assert len(own) > 6 and all(entry.grade == "assumed" or entry.role == "lever" for entry in own)


def test_a_control_on_crop_seeds_denies_and_a_subsidy_spends():
    strict = {"controls.severity": 0.9, "controls.start": 2021, "subsidy.annual": 5}
    free, denied = (DecouplingModel("crop-seeds", set=changes, until=2023).run() for changes in ({}, strict))
    assert free["controls_severity"].max() == 0 and denied["controls_severity"].iloc[-1] > 0.01
    assert denied["equipment_self_supply"].iloc[-1] > free["equipment_self_supply"].iloc[-1]
    assert denied["subsidy_spent"].iloc[0] == pytest.approx(5)


@pytest.mark.parametrize("config", MADE)
def test_one_run_and_a_block_give_the_same_bits(config):
    changes = {"controls.severity": 0.8, "controls.start": 2021, "subsidy.annual": 50}
    scenario = load_config(config, {**changes, **({"synthetic.firms": 400} if config == "synthetic" else {})})
    block = DecouplingModel.block([scenario] * 3, [1, 2, 3], record="all", until=2022)
    together = series_of(block)
    alone = series_of(DecouplingModel(scenario, 2, record="all", until=2022))
    assert alone[0].tobytes() == np.ascontiguousarray(together[1]).tobytes()


def test_the_rules_agent_by_agent_give_the_same_bits_in_another_chain():
    one, all_at_once = (
        series_of(DecouplingModel("crop-seeds", 4, until=2021, one_by_one=by_one)) for by_one in (True, False)
    )
    assert one.tobytes() == all_at_once.tobytes()


def test_supplies_are_weighed_as_a_loop_over_agents_would():
    model = DecouplingModel("crop-seeds")
    roster, base = model.roster, model.input_market.base
    sold = np.zeros((len(roster.states), len(roster.inputs) + len(roster.segments)))
    above = np.zeros_like(sold)
    for group in np.flatnonzero(roster.group_at_home):
        for cell, (state, item) in enumerate(zip(roster.supplier_state, roster.supplier_input, strict=True)):
            bought = base.input_need[0, group, item] * base.input_share[0, roster.buyer_of_group[group], cell]
            sold[state, item] += bought
            above[state, item] += bought * roster.line_exposure[group]
    for cell, (state, segment) in enumerate(zip(roster.firm_headquarters, roster.firm_segment, strict=True)):
        if not roster.at_home[cell]:
            bought = base.demand[0, roster.target, segment] * base.chip_share[0, roster.target, cell]
            sold[state, len(roster.inputs) + segment] += bought
            above[state, len(roster.inputs) + segment] += bought * roster.chip_exposure[segment]
    whole = sold.sum(axis=-1, keepdims=True)
    assert model.controls.supplies.of_item[0] == pytest.approx(sold / whole)
    assert model.controls.supplies.above_threshold[0] == pytest.approx(above / whole)


def test_messages_give_examples_from_the_world_at_hand():
    with pytest.raises(BadInput, match=r'scope = 5: must be .* such as \["breeding_software"\]'):
        load_config("crop-seeds").with_event(
            {"date": "2024-01-01", "by": "USA", "kind": "control", "severity": 0.5, "scope": 5}
        )


# -- from the command line


@pytest.mark.parametrize("config", MADE)
def test_run_check_and_list_work(answer, tmp_path, config):
    said = answer("run", config, "--until", 2020, "--format", "json", "--out", tmp_path / "out")
    assert json.loads(said.out)[0]["chip_market"] > 0
    assert ("every figure of this world is assumed" in said.err) == (config != "lumped")
    assert said.code == 0
    assert answer("check", config) == (0, f"{config}: a config without faults\n", "")
    listed = answer("list", "measures", "--config", config, "--format", "csv").out
    assert [row["measure"] for row in rows(listed)] == list(catalogue(load_config(config).world))
    market = next(row for row in rows(answer("list", "parameters", "--config", config, "--format", "csv").out)
                  if row["key"] == "base.chip_market")  # fmt: skip
    assert float(market["value"]) == load_config(config).values["base.chip_market"]


@pytest.mark.long
def test_41_sectors_and_5000_firms_fit_into_2_gb():
    command = (
        "import resource\nfrom sim.model import DecouplingModel\nfrom sim.scenario.loading import load_config\n"
        "scenario = load_config('synthetic', {'synthetic.firms': 5000})\n"
        "model = DecouplingModel.block([scenario] * 32, range(32), record='all')\n"
        "while model.running:\n    model.step()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    answer = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(answer.stdout) < 2_000_000  # kB
