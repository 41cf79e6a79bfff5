"""The experiment file: its runs in order, and a sentence for every fault."""

import shutil
from dataclasses import replace

import pytest

from sim.errors import BadInput
from sim.experiment.designs import Grid
from sim.experiment.experiment import of_config
from sim.experiment.file import load_experiment
from sim.measures import HEADLINE
from sim.scenario.loading import load_config
from sim.world.world import load_world

HEAD = 'question = "Does it?"\nconfigs = ["published-2020"]\nreplications = 2\n'


@pytest.fixture
def load(tmp_path):
    def write_and_load(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return load_experiment(path)

    return write_and_load


def values(experiment):
    """The swept values of every point, in order."""
    return [list(run.values.values()) for run in experiment.runs() if run.seed == 1]


def test_policy_grid_has_800_runs_in_order():
    experiment = load_experiment("policy-grid")
    runs = list(experiment.runs())
    assert len(runs) == len(experiment) == 5 * 4 * 4 * 10
    assert [(run.point, run.seed) for run in runs] == [(point, seed) for point in range(1, 81) for seed in range(1, 11)]
    assert runs[0].values == {"controls.severity": 0.0, "subsidy.annual": 0, "investment.annual": 30}
    assert runs[10].values == {"controls.severity": 0.0, "subsidy.annual": 0, "investment.annual": 140}
    assert runs[-1].values == {"controls.severity": 1.0, "subsidy.annual": 400, "investment.annual": 600}
    assert runs[-1].run_id == "published-2020-80-0-10"
    assert len({run.run_id for run in runs}) == 800
    assert experiment.every == "year"


def test_configs_are_sorted_and_nothing_swept_is_one_point(load):
    experiment = load('question = "Does it?"\nconfigs = ["published-2020", "no-controls"]\nreplications = 2\n')
    assert [run.run_id for run in experiment.runs()] == [
        "no-controls-1-0-1",
        "no-controls-1-0-2",
        "published-2020-1-0-1",
        "published-2020-1-0-2",
    ]
    assert experiment.swept == ()
    assert experiment.every == "year"


def test_values_keep_their_toml_type(load):
    experiment = load(HEAD + '[factors]\n"subsidy.annual" = [0, 100.0]\n"controls.mode" = ["none", "fixed"]\n')
    assert repr(values(experiment)) == "[[0, 'none'], [0, 'fixed'], [100.0, 'none'], [100.0, 'fixed']]"


def test_ranges(load):
    experiment = load(
        HEAD + '[factors]\n"subsidy.annual" = { low = 0.0, high = 300.0, levels = 4 }\n'
        "controls.severity = { low = 0, high = 1, levels = 2 }\n"
    )
    assert repr(values(experiment)[::2]) == "[[0.0, 0], [100.0, 0], [200.0, 0], [300.0, 0]]"
    assert experiment.swept == ("subsidy.annual", "controls.severity")


def test_the_evidence_gives_a_range(load):
    name, parameter = next(
        (name, parameter)
        for name, parameter in load_world("china-2020").parameters.items()
        if parameter.role == "uncertainty" and parameter.low is not None
    )
    grid = load(HEAD + f'[factors]\n"{name}" = "range"\n')
    low, middle, high = (row[0] for row in values(grid))
    assert (low, high) == (parameter.low, parameter.high)
    assert middle == pytest.approx((parameter.low + parameter.high) / 2)
    alone = load(HEAD + f'design.kind = "one-at-a-time"\n[factors]\n"{name}" = "range"\n')
    base = load_config("published-2020").values[name]
    assert values(alone) == [[base], [parameter.low], [parameter.high]]


def test_one_at_a_time_moves_one_factor_from_each_configs_own_values(load):
    experiment = load(
        'question = "Does it?"\nconfigs = ["published-2020", "no-controls"]\nreplications = 1\n'
        '[design]\nkind = "one-at-a-time"\n[factors]\n'
        '"controls.mode" = ["events"]\n"controls.severity" = [0.5, 0.75]\n'
    )
    assert values(experiment) == [
        ["none", 0.0],
        ["events", 0.0],
        ["none", 0.5],
        ["none", 0.75],
        ["fixed", 0.0],
        ["events", 0.0],
        ["fixed", 0.5],
        ["fixed", 0.75],
    ]


def test_list_fills_what_a_point_leaves_out(load):
    experiment = load(
        HEAD + '[design]\nkind = "list"\npoints = [\n'
        '{ "controls.severity" = 0.5 }, { "subsidy.annual" = 100, controls.severity = 1 }, {} ]\n'
    )
    assert experiment.swept == ("controls.severity", "subsidy.annual")
    assert values(experiment) == [[0.5, 0.0], [1, 100], [0.0, 0.0]]


def test_grid_is_made_when_asked_for():
    grid = Grid({f"factor{number}": tuple(range(10)) for number in range(9)})
    assert len(grid) == 10**9
    assert list(grid[123_456_789].values()) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    with pytest.raises(IndexError):
        grid[10**9]


TWO_FACTORS = """
[factors]
"controls.severity" = { low = 0.0, high = 0.5 }
"subsidy.annual" = { low = 100, high = 300 }
"""


def test_latin_hypercube_has_one_point_in_every_part_of_every_range(load):
    text = HEAD + '[design]\nkind = "latin-hypercube"\nsamples = 8\n' + TWO_FACTORS
    experiment = load(text)
    assert len(experiment) == 8 * 2
    severity, subsidy = zip(*values(experiment), strict=True)
    assert sorted(int(value / 0.5 * 8) for value in severity) == list(range(8))
    assert sorted(int((value - 100) / 200 * 8) for value in subsidy) == list(range(8))
    assert values(load(text)) == values(experiment)
    assert values(load(text.replace("samples = 8", "samples = 8\nseed = 2"))) != values(experiment)


def test_sobol_changes_one_factor_at_a_time_between_two_samples(load):
    """Saltelli's scheme: for each base point A, every factor in turn from B, then B."""
    experiment = load(HEAD + '[design]\nkind = "sobol"\nsamples = 16\n' + TWO_FACTORS)
    assert len(experiment) == 16 * (2 + 2) * 2
    points = values(experiment)
    assert len({tuple(point) for point in points}) == 64
    for first in range(0, 64, 4):
        a, ab1, ab2, b = points[first : first + 4]
        assert ab1 == [b[0], a[1]] and ab2 == [a[0], b[1]]
    assert all(0.0 <= severity <= 0.5 and 100 <= subsidy <= 300 for severity, subsidy in points)
    # A Sobol sequence is balanced: of 16 base points one lies in each sixteenth of a factor's range.
    assert sorted(int(points[first][0] / 0.5 * 16) for first in range(0, 64, 4)) == list(range(16))


def test_morris_moves_one_factor_at_a_time(load):
    experiment = load(HEAD + '[design]\nkind = "morris"\ntrajectories = 5\n' + TWO_FACTORS)
    points = values(experiment)
    assert len(points) == 5 * (2 + 1)
    for first in range(0, 15, 3):
        moved = set()
        for before, after in zip(points[first : first + 2], points[first + 1 : first + 3], strict=True):
            (factor,) = [place for place in (0, 1) if before[place] != after[place]]
            # on 4 levels a step is 2/3 of the range
            assert abs(after[factor] - before[factor]) == pytest.approx([0.5, 200][factor] * 2 / 3)
            moved.add(factor)
        assert moved == {0, 1}


def test_words_truth_values_and_levels_are_sampled_in_equal_parts(load):
    experiment = load(
        HEAD + '[design]\nkind = "latin-hypercube"\nsamples = 12\n[factors]\n'
        '"subsidy.allocation" = ["uniform", "market", "leader"]\n"mechanisms.luck" = [true, false]\n'
        '"controls.severity" = { low = 0.0, high = 1.0, levels = 3 }\n'
    )
    words, truths, severities = zip(*values(experiment), strict=True)
    assert [words.count(word) for word in ("uniform", "market", "leader")] == [4, 4, 4]
    assert truths.count(True) == truths.count(False) == 6
    assert [severities.count(level) for level in (0.0, 0.5, 1.0)] == [4, 4, 4]


def test_the_evidence_gives_a_sampled_range(load):
    name, parameter = next(
        (name, parameter)
        for name, parameter in load_world("china-2020").parameters.items()
        if parameter.role == "uncertainty" and parameter.low is not None
    )
    experiment = load(HEAD + f'[design]\nkind = "latin-hypercube"\nsamples = 50\n[factors]\n"{name}" = "range"\n')
    drawn = [row[0] for row in values(experiment)]
    width = (parameter.high - parameter.low) / 50
    assert parameter.low <= min(drawn) <= parameter.low + width
    assert parameter.high - width <= max(drawn) <= parameter.high


def test_a_sample_of_a_hundred_thousand_points_is_counted_without_being_drawn(load):
    experiment = load(HEAD + SOBOL.replace("64", str(2**15)))
    assert len(experiment) == 2**15 * 3 * 2
    assert "units" not in vars(experiment.parts[0].points)


PARTS = """
[parts.controls]
factors = { "controls.severity" = [0.0, 0.5] }
[parts.money]
design = { kind = "list", points = [{ "subsidy.annual" = 100 }] }
"""


def test_parts_stand_one_after_another_and_share_their_seeds(load):
    experiment = load(HEAD + PARTS)
    assert experiment.key_columns == ("part", "controls.severity", "subsidy.annual")
    found = [(run.point, run.seed, run.part, list(run.values.values())) for run in experiment.runs()]
    assert found == [
        (1, 1, "controls", [0.0, 0.0]),
        (1, 2, "controls", [0.0, 0.0]),
        (2, 1, "controls", [0.5, 0.0]),
        (2, 2, "controls", [0.5, 0.0]),
        (3, 1, "money", [0.0, 100]),
        (3, 2, "money", [0.0, 100]),
    ]


def test_each_mechanism_is_left_out_in_turn_after_the_design_itself(load):
    text = 'leave_out = ["mechanisms.talent", "mechanisms.entry"]\n' + '[factors]\n"controls.severity" = [0.0, 0.5]\n'
    experiment = load(HEAD + text)
    assert experiment.swept == ("controls.severity", "mechanisms.talent", "mechanisms.entry")
    assert values(experiment) == [
        [0.0, True, True],
        [0.5, True, True],
        [0.0, False, True],
        [0.5, False, True],
        [0.0, True, False],
        [0.5, True, False],
    ]
    assert experiment.content["leave_out"] == ["mechanisms.talent", "mechanisms.entry"]


def test_a_sample_is_not_repeated_with_mechanisms_left_out(load):
    parts = PARTS.replace(
        'design = { kind = "list", points = [{ "subsidy.annual" = 100 }] }',
        """
design = { kind = "latin-hypercube", samples = 5 }
factors = { "subsidy.annual" = { low = 0.0, high = 1.0 } }""",
    )
    experiment = load(HEAD + 'leave_out = ["mechanisms.talent"]\n' + parts)
    assert [len(part.points) for part in experiment.parts] == [4, 5]
    assert all(run.values["mechanisms.talent"] for run in experiment.runs() if run.part == "money")


def test_runs_are_numbered_so_that_a_cut_off_batch_is_balanced(load):
    """All points with the lowest seed first; the finished file has the other order."""
    experiment = load(HEAD + '[factors]\n"controls.severity" = [0.0, 0.5, 1.0]\n')
    (scenario,) = experiment.scenarios
    numbered = [experiment.run(scenario, number) for number in range(6)]
    assert [(run.point, run.seed) for run in numbered] == [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]
    assert [experiment.run(scenario, number) for number in experiment.order()] == list(experiment.runs())
    more = replace(experiment, seeds=range(1, 4))
    assert [more.run(scenario, number) for number in range(6)] == numbered


def test_listed_seeds_are_those_of_every_point_and_config(load):
    experiment = load(
        HEAD.replace("replications = 2", "seeds = [11, 3]") + '[factors]\n"subsidy.annual" = [0, 100.0]\n'
    )
    assert len(experiment) == 4
    assert [run.run_id for run in experiment.runs()] == [
        "published-2020-1-0-11",
        "published-2020-1-0-3",
        "published-2020-2-0-11",
        "published-2020-2-0-3",
    ]
    assert experiment.as_dict()["seeds"] == [11, 3]


@pytest.fixture
def ensemble(tmp_path, load):
    """Load an experiment in a copy of the world that has an ensemble with this text."""

    def write_and_load(table, more=""):
        folder = tmp_path / "world"
        if not folder.exists():
            shutil.copytree(load_world("china-2020").folder, folder)
        (folder / "ensemble.csv").write_text(table)
        config = f'purpose = "A copy"\nextends = "published-2020"\nworld = "{folder}"\n'
        (tmp_path / "copy.toml").write_text(config)
        return load(HEAD.replace("published-2020", "copy.toml") + 'parameters = "ensemble"\n' + more)

    return write_and_load


def test_ensemble_runs_every_parameter_set_with_every_seed(ensemble):
    experiment = ensemble(
        "parameter_set,demand.growth,mechanisms.luck\n1,0.05,true\n2,0.06,false\n",
        '[factors]\n"controls.severity" = [0.0, 1.0]\n',
    )
    assert experiment.ensemble.sets == {
        1: {"demand.growth": 0.05, "mechanisms.luck": True},
        2: {"demand.growth": 0.06, "mechanisms.luck": False},
    }
    assert [run.run_id for run in experiment.runs()] == [
        f"copy-{point}-{parameter_set}-{seed}" for point in (1, 2) for parameter_set in (1, 2) for seed in (1, 2)
    ]
    assert experiment.swept == ("controls.severity",)


ENSEMBLE_FAULTS = [
    ("set,demand.growth\n1,0.05\n", "must have a column parameter_set"),
    ("parameter_set,demand.growth\n", "at least one set"),
    ("parameter_set,demand.grwth\n1,0.05\n", "column 'demand.grwth': is not a known key.*did you mean 'demand.growth'"),
    ("parameter_set,demand.growth\n2,0.05\n", "line 2: must have 2 cells and parameter_set 1"),
    ("parameter_set,demand.growth\n1,much\n", "line 2: demand.growth = 'much'"),
    ("parameter_set,demand.growth\n1,99\n", "line 2: demand.growth = 99"),
    ("parameter_set,demand.growth\n1,0.05\n2,nan\n3,0.06\n", "line 3: demand.growth = nan: must be finite"),
    ("parameter_set,demand.growth\n1,0.05\n2,inf\n", "line 3: demand.growth = inf: must be finite"),
    ("parameter_set,demand.growth\n1,0.05\n2,\n", "line 3: demand.growth = '': must be a number"),
    ("parameter_set,controls.start\n1,2024\n2,2024.5\n", "line 3: controls.start = 2024.5: must be a whole year"),
    ("parameter_set,demand.growth,demand.growth\n1,0.05,0.05\n", "appears twice; keep one"),
    ("parameter_set,controls.severity\n1,0.5\n", "factors.controls.severity: is set by the ensemble"),
]


@pytest.mark.parametrize(("table", "words"), ENSEMBLE_FAULTS, ids=[words for _, words in ENSEMBLE_FAULTS])
def test_every_fault_of_an_ensemble_is_a_sentence(ensemble, table, words):
    with pytest.raises(BadInput, match=words):
        ensemble(table, '[factors]\n"controls.severity" = [0.0, 1.0]\n')


def test_a_world_without_an_ensemble(load, monkeypatch):
    monkeypatch.setattr("sim.experiment.ensemble.ENSEMBLE", "nothing.csv")
    with pytest.raises(BadInput, match='parameters = "ensemble": needs .*nothing.csv, which is missing'):
        load(HEAD + 'parameters = "ensemble"\n')


def test_measures(load):
    assert load(HEAD).measures == load(HEAD + '[record]\nmeasures = "headline"\n').measures
    assert set(load(HEAD + '[record]\nmeasures = "all"\n').measures) > set(load(HEAD).measures)
    few = load(HEAD + '[record]\nevery = "end"\nmeasures = ["chip_market", "domestic_supply_share"]\n')
    assert few.measures == ("chip_market", "domestic_supply_share")
    assert few.every == "end"


SOBOL = '[design]\nkind = "sobol"\nsamples = 64\n[factors]\n"controls.severity" = { low = 0.0, high = 1.0 }\n'
FAULTS = [
    ("question = 3\n", ["question = 3", "a sentence"]),
    (HEAD + "replicatoins = 3\n", ["replicatoins", "did you mean 'replications'"]),
    (HEAD.replace("replications = 2\n", ""), ["replications is missing", "from 1 to 1000000"]),
    (HEAD.replace("= 2", "= 0"), ["replications = 0", "from 1 to 1000000"]),
    (HEAD.replace("= 2", "= 1000001"), ["replications = 1000001"]),
    (HEAD.replace("= 2", "= 2.5"), ["replications = 2.5", "whole number"]),
    (HEAD.replace("= 2", "= true"), ["replications = True", "whole number"]),
    (HEAD + "seeds = [3, 7]\n", ["replications = 2: seeds are listed too; keep one of the two keys"]),
    (HEAD.replace("replications = 2", "seeds = []"), ["seeds = []", "such as [3, 7, 11]"]),
    (HEAD.replace("replications = 2", "seeds = 3"), ["seeds = 3", "a list of distinct whole numbers from 0"]),
    (HEAD.replace("replications = 2", "seeds = [3, 7, 3]"), ["seeds: 3 appears twice", "distinct"]),
    (HEAD.replace("replications = 2", "seeds = [3, -7]"), ["seeds.1 = -7", "from 0"]),
    (HEAD.replace("replications = 2", "seeds = [3, 7.5]"), ["seeds.1 = 7.5", "whole numbers"]),
    (HEAD.replace("replications = 2", "seeds = [true]"), ["seeds.0 = True", "whole numbers"]),
    (HEAD.replace("replications = 2", "seeds = [9223372036854775808]"), ["seeds.0 = 9223372036854775808", "2**63"]),
    (HEAD.replace('["published-2020"]', "[]"), ["configs = []"]),
    (HEAD.replace('["published-2020"]', '"published-2020"'), ["configs = 'published-2020'", "a list of config names"]),
    (HEAD.replace("published-2020", "publishd-2020"), ["publishd-2020", "did you mean 'published-2020'"]),
    (
        HEAD.replace('["published-2020"]', '["no-controls", "no-controls"]'),
        ["'no-controls' appears twice; every config needs a name"],
    ),
    (HEAD + '[design]\nkind = "gird"\n', ["design.kind = 'gird'", "did you mean 'grid'"]),
    (HEAD + '[design]\nkind = "sobol"\nsamples = 64\n', ["factors is missing", "a sobol design"]),
    (HEAD + SOBOL.replace("64", "48"), ["design.samples = 48", "power of two, such as 32 or 64"]),
    (HEAD + SOBOL.replace("samples = 64\n", ""), ["design.samples is missing", "a power of two such as 256"]),
    (HEAD + SOBOL.replace("64", "0"), ["design.samples = 0", "from 1 to 1000000"]),
    (
        HEAD + SOBOL.replace("samples", "trajectories"),
        ['trajectories: belongs to kind = "morris"', "leave it out for 'sobol'"],
    ),
    (HEAD + SOBOL.replace("samples = 64", "samples = 64\nseed = -1"), ["design.seed = -1", "a whole number from 0"]),
    (HEAD + SOBOL.replace("sobol", "morris"), ["design.trajectories is missing", "10 to 50"]),
    (
        HEAD + SOBOL.replace("sobol", "morris").replace("samples = 64", "trajectories = 4\nlevels = 5"),
        ["design.levels = 5", "an even number"],
    ),
    (HEAD + SOBOL.replace("high = 1.0", "high = 2.0"), ["factors.controls.severity = 2.0", "from 0 to 1"]),
    (HEAD + '[design]\nkind = "latin-hypercube"\nsamples = 8\n', ["factors is missing"]),
    (HEAD + '[factors]\n"controls.severity" = [1]\n[parts.a]\n', ["factors: stands inside the parts"]),
    (HEAD + '[parts.a.design]\nkind = "grit"\n', ["parts.a.design.kind = 'grit'", "did you mean 'grid'"]),
    (HEAD + '[parts.a.factors]\n"controls.severity" = [2]\n', ["parts.a.factors.controls.severity = 2", "from 0 to 1"]),
    (HEAD + "[parts.a]\nfactor = 3\n", ["parts.a.factor", "did you mean 'factors'"]),
    (HEAD + "parts = {}\n", ["parts = {}"]),
    (HEAD + "[design]\nsample = 3\n", ["design.sample", "not a known key"]),
    (HEAD + '[design]\nkind = "list"\n', ["design.points is missing"]),
    (HEAD + '[design]\nkind = "list"\npoints = []\n', ["design.points = []"]),
    (
        HEAD + '[design]\nkind = "list"\npoints = [{"controls.severty" = 1}]\n',
        ["point 1: controls.severty", "did you mean 'controls.severity'"],
    ),
    (
        HEAD + '[design]\nkind = "list"\npoints = [{"controls.severity" = 1}, {"controls.severity" = 1.0}]\n',
        ["point 2", "same as point 1"],
    ),
    (
        HEAD + '[design]\nkind = "list"\npoints = [{}]\n[factors]\n"controls.severity" = [1]\n',
        ["has its values in design.points"],
    ),
    (HEAD + '[design]\npoints = [{"controls.severity" = 1}]\n', ["design.points", "belongs to kind"]),
    (HEAD + '[design]\nkind = "one-at-a-time"\n', ["factors is missing"]),
    (HEAD + '[factors]\n"controls.severty" = [1]\n', ["factors.controls.severty", "did you mean 'controls.severity'"]),
    (HEAD + '[factors]\n"controls.severity" = [0.5, 1.5]\n', ["factors.controls.severity = 1.5", "from 0 to 1"]),
    (HEAD + '[factors]\n"controls.severity" = [nan]\n', ["factors.controls.severity = nan", "finite"]),
    (HEAD + '[factors]\n"controls.severity" = ["much"]\n', ["factors.controls.severity = 'much'"]),
    (HEAD + '[factors]\n"controls.severity" = [0.5, 0.5]\n', ["factors.controls.severity = 0.5", "twice"]),
    (HEAD + '[factors]\n"controls.severity" = []\n', ["factors.controls.severity = []"]),
    (HEAD + '[factors]\n"controls.severity" = 0.5\n', ["factors.controls.severity = 0.5", "a list of levels"]),
    (HEAD + '[factors]\n"controls.severity" = "rang"\n', ["factors.controls.severity = 'rang'"]),
    (HEAD + '[factors]\n"controls.mode" = "range"\n', ["factors.controls.mode", "give a list of levels"]),
    (
        HEAD + '[factors]\n"controls.severity" = { low = 0, high = 1 }\n',
        ["factors.controls.severity.levels is missing"],
    ),
    (HEAD + '[factors]\n"controls.severity" = { low = 0, high = 1, levels = 1 }\n', ["levels = 1", "from 2 to 10000"]),
    (HEAD + '[factors]\n"controls.severity" = { low = 1, high = 0, levels = 3 }\n', ["low must be below high"]),
    (HEAD + '[factors]\n"controls.severity" = { low = 0, high = inf, levels = 3 }\n', ["high = inf", "finite"]),
    (HEAD + '[factors]\n"controls.mode" = ["fixd"]\n', ["factors.controls.mode = 'fixd'", "did you mean 'fixed'"]),
    *(
        (HEAD + SOBOL.replace("{ low = 0.0, high = 1.0 }", f"{{ {written} }}"), [f"factors.controls.severity{said}"])
        for written, said in (
            (
                'distribution = "normla", mean = 0, sd = 1',
                ".distribution = 'normla': must be one of uniform, triangular",
            ),
            (
                'distribution = "normal", mean = 0',
                ".sd is missing; a normal distribution needs a number above 0, the st",
            ),
            ('distribution = "normal", mean = 0, sd = 0', ".sd = 0: must be a number above 0"),
            ('distribution = "normal", mean = nan, sd = 1', ".mean = nan: must be a finite number"),
            (
                'distribution = "normal", mean = 0, sd = 1, mode = 1',
                ".mode: belongs to another distribution than normal",
            ),
            ('distribution = "normal", mean = 0, sd = 1, levels = 3', ".levels: is not a known key"),
            ('distribution = "normal", mean = 0, sd = 1, high = 2', " = 2.0: is out of range; it must be from 0 to 1"),
            (
                'distribution = "normal", mean = -99, sd = 1',
                " = {'distribution': 'normal', 'mean': -99, 'sd': 1}: nothing",
            ),
            ('distribution = "lognormal", median = 0, sigma = 1', ".median = 0: must be a number above 0"),
            ('distribution = "uniform", low = 0', ".high is missing; a uniform distribution needs a finite number"),
            ('distribution = "triangular", low = 0, high = 1', ".mode is missing; a triangular distribution needs"),
            (
                'distribution = "triangular", low = 0.5, high = 1, mode = 0.2',
                ".mode = 0.2: must be a finite number from",
            ),
            (
                'distribution = "triangular", low = 1, high = 0, mode = 0.2',
                " = {'distribution': 'triangular', 'low': 1, ",
            ),
        )
    ),
    (
        HEAD + '[factors]\n"controls.severity" = { distribution = "uniform", low = 0, high = 1 }\n',
        ["factors.controls.severity: a distribution is drawn from by latin-hypercube", "give a grid design levels"],
    ),
    (
        HEAD + SOBOL.replace('"controls.severity" = { low', '"controls.mode" = { distribution = "uniform", low'),
        ["factors.controls.mode: takes no numbers; give a list of levels"],
    ),
    (HEAD + '[record]\nevery = "month"\n', ["record.every = 'month'", "quarter, year, end"]),
    (HEAD + '[record]\nmeasures = "most"\n', ["record.measures = 'most'", '"headline", "all"']),
    (HEAD + '[record]\nmeasures = ["chip_markt"]\n', ["'chip_markt'", "did you mean 'chip_market'"]),
    (HEAD + '[record]\nmeasures = ["chip_market", "chip_market"]\n', ["appears twice; keep one"]),
    (HEAD + "[record]\nmeasures = []\n", ["record.measures = []"]),
    (HEAD + "[record]\nmeasures = 3\n", ["record.measures = 3"]),
    (
        HEAD + '[stop]\nwhen = "domestic_suply_share >= 0.7"\n',
        ["is not recorded", "did you mean 'domestic_supply_share'"],
    ),
    (HEAD + '[stop]\nwhen = "domestic_supply_share = 0.7"\n', ["stop.when", "must be a name, >= or <=, and a number"]),
    (HEAD + '[stop]\nwhen = "domestic_supply_share >= much"\n', ["stop.when", "must be a name, >= or <="]),
    (HEAD + "[stop]\nwhen = 3\n", ["stop.when = 3", "a measure, >= or <="]),
    (HEAD + 'parameters = "ensembel"\n', ["parameters = 'ensembel'", '"ensemble"']),
    (HEAD + "question = 1\n", ["not valid TOML"]),
]


@pytest.mark.parametrize(("text", "words"), FAULTS, ids=[words[0] for _, words in FAULTS])
def test_every_fault_is_a_sentence(load, tmp_path, text, words):
    with pytest.raises(BadInput) as fault:
        load(text)
    assert any(all(word in problem for word in words) for problem in fault.value.problems), fault.value
    assert all(problem.startswith(str(tmp_path / "mine.toml")) for problem in fault.value.problems)


def test_all_faults_at_once(load):
    with pytest.raises(BadInput) as fault:
        load(
            HEAD.replace("published", "publishd") + '[design]\nkind = "gird"\n'
            '[factors]\n"controls.severity" = [2, 3]\n"subsidy.anual" = [1]\n[stop]\nwhen = "never"\n'
        )
    assert len(fault.value.problems) == 5
    with pytest.raises(BadInput) as fault:
        load('question = 1\nconfigs = 2\nreplications = "x"\nfactor = 1\n')
    assert len(fault.value.problems) == 4


def test_a_name_that_is_not_there():
    with pytest.raises(BadInput, match="policy-gird.*did you mean 'policy-grid'"):
        load_experiment("policy-gird")
    with pytest.raises(BadInput, match=r"nothing\.toml: there is no such file"):
        load_experiment("nothing.toml")


def test_a_config_beside_the_experiment(load, tmp_path):
    (tmp_path / "strict.toml").write_text(
        'purpose = "Strict controls"\nextends = "published-2020"\n[controls]\nseverity = 0.9\n'
    )
    experiment = load(HEAD.replace("published-2020", "strict.toml"))
    assert [scenario.name for scenario in experiment.scenarios] == ["strict"]
    assert experiment.scenarios[0].values["controls.severity"] == 0.9


def test_a_config_as_it_is(load):
    written = load('question = "x"\nconfigs = ["no-controls"]\nreplications = 3\n')
    made = of_config(load_config("no-controls"), 3)
    assert list(made.runs()) == list(written.runs())
    assert (made.swept, made.every, made.measures) == (written.swept, written.every, written.measures)
    assert made.content == {**written.content, "question": load_config("no-controls").purpose}


def test_what_agents_record_is_recorded_besides(tmp_path):
    path = tmp_path / "agents.toml"
    text = 'question = "Q?"\nconfigs = ["published-2020"]\nreplications = 1\n[record]\nagents = AGENTS\n'
    path.write_text(text.replace("AGENTS", '["smic", "USA", "smic-chn-mature"]'))
    names = load_experiment(path).measures
    assert names[: len(HEADLINE)] == HEADLINE and len(set(names)) == len(names)
    of = {name.rpartition(".")[2] for name in names[len(HEADLINE) :]}
    assert of == {"smic", "USA", "smic-chn-mature"}
    assert {"firm_revenue.smic", "firm_capacity.smic-chn-mature", "sales_denied.USA"} <= {*names}
    assert "input_world_share.lithography.USA" in names and "firm_revenue.tsmc-twn-mature" not in names
    path.write_text(text.replace("AGENTS", '["smik", "XXX"]'))
    with pytest.raises(BadInput) as fault:
        load_experiment(path)
    assert fault.value.problems == [
        f"{path}: record.agents: 'smik' is no firm, company or state (did you mean 'smic'?)",
        f"{path}: record.agents: 'XXX' is no firm, company or state",
    ]


def test_a_lever_may_be_varied_from_a_year_on(load):
    experiment = load(
        HEAD
        + '[factors]\n"subsidy.annual" = { levels = [0, 200.0], from = 2027 }\n'
        + '"mandate.domestic" = { low = 0.0, high = 1.0, levels = 3, from = 2030 }\n"investment.annual" = [30, 140]\n'
    )
    assert experiment.since == {"subsidy.annual": 2027, "mandate.domestic": 2030}
    assert len(experiment.points) == 2 * 3 * 2
    assert experiment.points[11] == {"subsidy.annual": 200.0, "mandate.domestic": 1.0, "investment.annual": 140}
    assert experiment.as_dict()["since"] == experiment.since


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ('"subsidy.annual" = { levels = [0, 9], from = 2020 }', "from = 2020: must be a whole year from 2021 to 2035"),
        ('"subsidy.annual" = { levels = [0, 9], from = 2036 }', "from = 2036: must be a whole year from 2021 to 2035"),
        ('"subsidy.annual" = { levels = [0, 9], from = "2027" }', "from = '2027': must be a whole year"),
        ('"subsidy.annual" = { levels = [0, 9], from = 2027-01-01 }', "from = 2027-01-01: must be a whole year"),
        ('"subsidy.annual" = { levels = [0, 9], from = true }', "from = true: must be a whole year"),
        ('"demand.growth" = { levels = [0, 0.01], from = 2027 }', "demand.growth is not a lever, and only levers can"),
        ('"mechanisms.entry" = { levels = [true, false], from = 2027 }', "mechanisms.entry is not a lever"),
        ('"subsidy.annual" = { from = 2027 }', "factors.subsidy.annual.low is missing"),
        ('"subsidy.annual" = {}', "factors.subsidy.annual.low is missing"),
        ('"subsidy.annual" = { levels = [0, -9], from = 2027 }', "factors.subsidy.annual = -9: is out of range"),
    ],
)
def test_a_date_that_cannot_be_is_refused(load, factor, said):
    with pytest.raises(BadInput) as fault:
        load(f"{HEAD}[factors]\n{factor}\n")
    [sentence] = [text for text in fault.value.problems if said in text]
    assert "mine.toml: factors." in sentence


def test_a_lever_has_one_date_in_all_parts(load):
    part = '[parts.{}.factors]\n"subsidy.annual" = {}\n'
    dated = "{ levels = [0, 9], from = 2027 }"
    assert load(HEAD + part.format("a", dated) + part.format("b", dated)).since == {"subsidy.annual": 2027}
    for other, said in (("[0, 9]", "from 2027 and the start"), (dated.replace("7", "8"), "from 2027 and 2028")):
        with pytest.raises(BadInput, match=f"factors.subsidy.annual: holds {said} in different parts; give one date"):
            load(HEAD + part.format("a", dated) + part.format("b", other))


ONE_AT_A_TIME = HEAD.replace("published-2020", "historic") + 'design.kind = "one-at-a-time"\n[factors]\n'
CAP = '"controls.quality_cap" = {{ levels = [0.2, {}], from = {} }}\n'


def test_a_point_that_leaves_a_dated_lever_out_goes_on_as_its_config(load):
    """`historic` sets the cap to 0.15 on 2023-10-17 and to 0.4 on 2026-01-15; a row says what it is in 2024."""
    experiment = load(ONE_AT_A_TIME + '"subsidy.annual" = [0, 200]\n' + CAP.format(0.5, 2024))
    runs = [run for run in experiment.runs() if run.seed == 1]
    assert [run.values["controls.quality_cap"] for run in runs] == [0.15, 0.15, 0.15, 0.2, 0.5]
    cap, money = "controls.quality_cap", "subsidy.annual"
    assert [run.changes for run in runs] == [{}, {money: 0}, {money: 200}, {cap: 0.2}, {cap: 0.5}]


def test_rows_of_other_runs_do_not_look_the_same(load):
    """Held at what the config has then is another run than left to the config, where the config moves it later."""
    said = (
        r"factors.controls.quality_cap: a point gives it 0.15, which historic has in 2024, and another leaves it to "
        r"historic, which moves it on 2026-01-15; their rows would look the same"
    )
    with pytest.raises(BadInput, match=said):
        load(ONE_AT_A_TIME + CAP.format(0.15, 2024))
    assert load(ONE_AT_A_TIME + CAP.format(0.4, 2027)).since == {"controls.quality_cap": 2027}
