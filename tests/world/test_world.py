"""A world is passed and not looked up: what it answers, how it travels, and which parameters hold in it."""

import pickle
import shutil

import pytest
from support.batches import files, forbidden, small
from support.paths import ROOT

from sim import BadInput, load_config, load_experiment, load_world
from sim.batch.run import run_batch
from sim.world import world as world_module
from sim.world.world import World

RECORDED = '[record]\nevery = "year"\nmeasures = ["domestic_supply_share", "chip_market", "price_index"]\n'

SWEEP = """question = "How much does the share of 2020 matter?"
configs = ["{config}"]
replications = 1
[factors]
"base.domestic_supply_share" = {levels}
"""


def sweep(folder, config, levels):
    path = folder / "sweep.toml"
    path.write_text(SWEEP.format(config=config, levels=levels))
    return load_experiment(path)


def test_a_world_answers_for_itself():
    world = load_world("china-2020")
    assert (world.id, world.target, world.lead, world.goods) == ("china-2020", "CHN", "USA", "chips")
    assert world.controllers == ["USA", "NLD", "JPN", "TWN", "KOR", "EUR"]
    assert world.roles["ROW"] == "neutral" and world.names["KOR"] == "South Korea"
    assert (world.goal.share, world.goal.year) == (0.7, 2025)
    assert any(row["measure"] == "production_share_located" for row in world.published)


def test_a_world_that_states_less_says_less():
    seeds = load_world("crop-seeds")
    assert (seeds.goods, seeds.goal, seeds.published) == ("seeds", None, [])


def test_merging_firms_changes_nothing_that_a_world_says_of_itself():
    whole, lumped = load_world("china-2020"), load_world("china-2020:lumped")
    assert (lumped.goods, lumped.goal, lumped.published) == (whole.goods, whole.goal, whole.published)


@pytest.mark.parametrize(
    "name", ["china-2020", "crop-seeds", "china-2020:lumped", "synthetic:sectors=2,firms=16,seed=1"]
)
def test_a_world_is_pickled_by_its_id(name):
    world = load_world(name)
    text = pickle.dumps(world)
    assert len(text) < 200 and pickle.loads(text) is world


def test_a_scenario_travels_with_its_world():
    scenario = load_config("truce-2025")
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario and again.world is scenario.world and again.hash == scenario.hash


def test_a_range_is_that_of_the_experiments_own_world(tmp_path):
    experiment = sweep(tmp_path, "crop-seeds", '"range"')
    stated = load_world("crop-seeds").parameters["base.domestic_supply_share"]
    levels = [point["base.domestic_supply_share"] for point in experiment.points]
    assert (min(levels), max(levels)) == (stated.low, stated.high) != (0.1, 0.14)


def test_a_worlds_own_value_is_no_fault(tmp_path):
    assert len(sweep(tmp_path, "crop-seeds", "[0.87, 0.88]")) == 2
    with pytest.raises(BadInput, match="base.domestic_supply_share = 0.88: is out of range"):
        sweep(tmp_path, "published-2020", "[0.88]")


def test_tables_and_parameters_come_from_one_home(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    before = load_world("china-2020")
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    evidence = tmp_path / "configs/evidence/parameters.toml"
    text = evidence.read_text()
    start = text.index('["demand.growth"]')
    value = before.parameters["demand.growth"].value
    evidence.write_text(text[:start] + text[start:].replace(f"value = {value}", f"value = {value + 0.001}", 1))
    monkeypatch.setenv("DECOUPLING_HOME", str(tmp_path))
    elsewhere = load_world("china-2020")
    assert elsewhere.folder.is_relative_to(tmp_path)
    assert elsewhere.parameters["demand.growth"].value == value + 0.001
    monkeypatch.delenv("DECOUPLING_HOME")
    assert load_world("china-2020").parameters["demand.growth"].value == value


@pytest.mark.parametrize(
    ("text", "key"),
    [("goods = 3", "goods"), ('good = "x"', "good"), ("[goal]\nshare = 2.0\nyear = 2025", "goal.share")],
)
def test_what_a_world_is_about_is_checked(tmp_path, text, key):
    folder = tmp_path / "mine"
    shutil.copytree(ROOT / "configs/worlds/crop-seeds", folder)
    (folder / "about.toml").write_text(text)
    with pytest.raises(BadInput, match=rf"about.toml: {key}: must be as in goods"):
        load_world(str(folder))


@pytest.fixture
def copy(tmp_path):
    """A copy of the world of 2020, in which text can be replaced."""
    folder = tmp_path / "copy"
    shutil.copytree(load_world("china-2020").folder, folder)

    def with_other_words(file, old, new):
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))
        world_module._loaded.cache_clear()
        return load_world(str(folder))

    return with_other_words


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("inputs.csv", "CSET (Khan", "CSET (Khan, S."),
        ("states.csv", "Netherlands", "The Netherlands"),
        ("demand.csv", "22,17.6,26.4,assumed", "22,17,27,assumed"),
        ("suppliers.csv", "0.941,,,measured", "0.941,,,estimated"),
        ("inputs.csv", "6.8,,,measured", "6.80,,,measured"),
        ("columns.csv", "from the delivery of tools to output", "until there is output"),
        ("about.toml", "0.7", "0.75"),
    ],
)
def test_what_no_run_reads_leaves_a_world_the_same(copy, file, old, new):
    assert copy(file, old, new).table_hashes == load_world("china-2020").table_hashes


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("segments.csv", "yes,1.5,1.25", "yes,1.6,1.25", "segments.csv"),
        ("states.csv", "NLD,Netherlands,ally", "NLD,Netherlands,neutral", "states.csv"),
        ("inputs.csv", "software,yes,no,6.8", "software,no,no,6.8", "inputs.csv"),
        ("chip_firms.csv", "tsmc-twn-leading,", "tsmc-leading,", "chip_firms.csv"),
    ],
)
def test_what_a_run_reads_makes_another_world_and_names_the_table(copy, file, old, new, named):
    found, kept = copy(file, old, new), load_world("china-2020")
    assert [name for name, held in found.table_hashes.items() if held != kept.table_hashes[name]] == [named]
    assert found.hash != kept.hash


def test_a_base_year_and_a_neutral_value_make_another_world(copy):
    kept = load_world("china-2020")
    found = copy("baseline.toml", "value = 989.46", "value = 989.5")
    differing = [name for name, held in found.table_hashes.items() if held != kept.table_hashes[name]]
    assert differing == ["baseline.toml"]
    parameters = dict(kept.parameters)
    key = next(name for name, held in parameters.items() if isinstance(held.neutral, float))
    parameters[key] = parameters[key].model_copy(update={"neutral": 0.123})
    other = World(kept.id, kept.texts, kept.folder, parameters)
    assert [name for name, held in other.table_hashes.items() if held != kept.table_hashes[name]] == ["parameters"]


def test_a_batch_goes_on_in_a_world_whose_sources_are_worded_anew(copy, tmp_path):
    """Its names and its goal are those of today, as if it were run anew."""
    folder = tmp_path / "copy"
    (tmp_path / "mine.toml").write_text(f'purpose = "?"\nextends = "published-2020"\nworld = "{folder}"\n')
    path = tmp_path / "asked.toml"
    path.write_text('question = "?"\nconfigs = ["mine.toml"]\nreplications = 2\n' + RECORDED)
    assert run_batch(path, workers=1, out=tmp_path / "out", build=small) == 0
    copy("states.csv", "Netherlands", "The Netherlands")
    copy("inputs.csv", "CSET (Khan", "CSET (Khan, S.")
    assert run_batch(path, workers=1, out=tmp_path / "out", build=forbidden) == 0
    assert run_batch(path, workers=1, out=tmp_path / "anew", build=small) == 0
    assert files(tmp_path / "out") == files(tmp_path / "anew")
    assert '"NLD": "The Netherlands"' in (tmp_path / "out" / "manifest.json").read_text()
    copy("states.csv", "NLD,The Netherlands,ally", "NLD,The Netherlands,neutral")
    with pytest.raises(BadInput, match=r"worlds\..*\.tables\.states\.csv was .* and is now"):
        run_batch(path, workers=1, out=tmp_path / "out", build=forbidden)
