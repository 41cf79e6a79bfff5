"""Every combination that an experiment visits has a base year, or check and batch say which has none."""

import pytest
from support.batches import forbidden

from sim.batch.run import run_batch
from sim.errors import BadInput
from sim.experiment import base_years
from sim.experiment.base_years import refuse_without_base_year
from sim.experiment.designs import Grid
from sim.experiment.file import load_experiment
from sim.scenario.loading import load_config
from sim.start.base_year import try_base_year

HEAD = 'question = "?"\nconfigs = ["published-2020"]\nreplications = 1\n'
RANGE = '"base.chip_market" = { low = 900.0, high = 1100.0 }\n"subsidy.annual" = { low = 0.0, high = 9.0 }\n'


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """What is said of an experiment in a world where a market within 5 of 1000 has no base year, though its ends do."""
    tried = []

    def try_it(scenarios):
        tried.extend(scenario.values["base.chip_market"] for scenario in scenarios)
        if bad := [market for market in tried[-len(scenarios) :] if abs(market - 1000) < 5]:
            raise BadInput(f"base.chip_market = {bad[0]:g}: has none")

    monkeypatch.setattr("sim.start.base_year.try_base_year", try_it)

    def write_and_try(text):
        tried.clear()
        path = tmp_path / "asked.toml"
        path.write_text(HEAD + text)
        try:
            refuse_without_base_year(load_experiment(path), "here")
        except BadInput as fault:
            return fault.problems, tried
        return [], tried

    return write_and_try


def test_a_level_between_the_ends_is_found(refused):
    levels = '[factors]\n"base.chip_market" = [900.0, 1000.0, 1100.0]\n"subsidy.annual" = [0, 9]\n'
    problems, _ = refused(levels)
    said = "here: config 'published-2020' with base.chip_market = 1000: base.chip_market = 1000: has none"
    assert problems == [said]
    problems, tried = refused(levels.replace("1000.0", "1010.0"))
    assert (problems, sorted(tried)) == ([], [900.0, 900.0, 1010.0, 1100.0, 1100.0])  # subsidies are no part of it


@pytest.mark.parametrize(
    "design",
    [
        "kind = 'sobol'\nsamples = 128",
        "kind = 'latin-hypercube'\nsamples = 300",
        "kind = 'latin-hypercube'\nsamples = 3000",
    ],
)
def test_a_point_of_a_sample_is_found(refused, design):
    problems, tried = refused(f"[design]\n{design}\n[factors]\n{RANGE}")
    assert len(problems) == 1 and "with base.chip_market = " in problems[0]
    assert tried[:2] == [900.0, 1100.0]


def test_a_point_of_a_list_and_of_a_part_that_is_left_out_in_turn_is_found(refused):
    listed = '[design]\nkind = "list"\npoints = [{}, { "base.chip_market" = 1001.0, "mandate.domestic" = 0.1 }]\n'
    problems, _ = refused(listed)
    assert len(problems) == 1 and "with base.chip_market = 1001:" in problems[0]
    parts = 'leave_out = ["mechanisms.caution"]\n[parts.a.factors]\n"base.chip_market" = [900.0, 1000.0, 1100.0]\n'
    [problem], _ = refused(parts)
    assert problem.startswith("here: parts.a.config 'published-2020' with base.chip_market = 1000: ")


def test_of_many_some_are_tried_that_lie_among_all(refused):
    """Four factors of 100 levels: sixteen corners, and no more than the bound of all others, each once."""
    factors = "".join(
        f'"{key}" = {{ low = {low}, high = {high}, levels = 100 }}\n'
        for key, low, high in (
            ("base.chip_market", 900.0, 990.0),
            ("demand.growth", 0.01, 0.05),
            ("investment.depreciation", 0.1, 0.2),
            ("base.target_capital", 0.9, 1.1),
        )
    )
    problems, tried = refused(f"[factors]\n{factors}")
    assert problems == [] and len(tried) == 16 + base_years.MOST
    assert len({round(market, 6) for market in tried[16:]}) == 100


def test_pairs_are_spread_over_points_and_sets():
    points = Grid({"a": tuple(range(64)), "b": tuple(range(16))})
    pairs = [(point["a"], point["b"], own) for point, own in base_years._spread(points, range(256))]
    assert len(pairs) == len(set(pairs)) == base_years.MOST
    assert {own for _, _, own in pairs} == set(range(256))
    assert len({(a, b) for a, b, _ in pairs}) > 0.8 * 64 * 16
    assert {a for a, _, _ in pairs} == set(range(64)) and {b for _, b, _ in pairs} == set(range(16))
    few = list(base_years._spread(Grid({"a": (1, 2)}), (7, 8)))
    assert few == [({"a": 1}, 7), ({"a": 1}, 8), ({"a": 2}, 7), ({"a": 2}, 8)]


def test_a_large_sample_is_begun_and_not_drawn_whole(refused):
    """A million base points of 6 rows would take 100 MB; of Morris it would be as many trajectories."""
    factors = f"[factors]\n{RANGE}".replace("900.0", "1010.0")
    for design in ("kind = 'sobol'\nsamples = 524288", "kind = 'morris'\ntrajectories = 999999"):
        problems, tried = refused(f"[design]\n{design}\n{factors}")
        assert problems == [] and len(tried) == 2 + base_years.MOST


def test_batch_says_it_before_anything_is_made(tmp_path):
    path = tmp_path / "asked.toml"
    path.write_text(f'{HEAD}[factors]\n"base.chip_market" = [989.0, 1700.0]\n')
    for asked in (path, load_experiment(path)):
        with pytest.raises(BadInput, match="config 'published-2020' with base.chip_market = 1700: "):
            run_batch(asked, workers=1, out=tmp_path / "out", build=forbidden)
    assert not (tmp_path / "out").exists()


def test_every_parameter_set_that_ships_has_a_base_year(tmp_path):
    """So they need not be tried: `has_known_base_year` does not look at them."""
    path = tmp_path / "asked.toml"
    path.write_text(f'{HEAD}parameters = "ensemble"\n')
    sets = load_experiment(path).ensemble.sets
    assert sets
    try_base_year([load_config("published-2020").with_values(values) for values in sets.values()])


def test_a_parameter_set_without_a_base_year_is_named(tmp_path):
    """Of the config itself a depreciation of 0.36 leaves one; sets with more capital need more upkeep than is spent."""
    path = tmp_path / "asked.toml"
    path.write_text(f'{HEAD}[factors]\n"investment.depreciation" = [0.17, 0.36]\n')
    refuse_without_base_year(load_experiment(path), "here")
    path.write_text(path.read_text().replace("[factors]", 'parameters = "ensemble"\n[factors]'))
    with pytest.raises(
        BadInput, match=r"investment.depreciation = 0.36, parameter set \d+: base.target_capital = 1\.\d+"
    ):
        refuse_without_base_year(load_experiment(path), "here")
