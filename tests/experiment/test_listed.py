"""Points from a CSV beside the experiment, and from a data frame."""

import numpy as np
import pandas
import pytest
from support.batches import Counted, files, small

from sim.batch.run import run_batch
from sim.errors import BadInput
from sim.experiment.experiment import Experiment
from sim.experiment.file import load_experiment
from sim.experiment.kept import planned
from sim.results.manifest import KeptExperiment, read_manifest

HEAD = 'question = "Does it?"\nconfigs = ["published-2020", "no-controls"]\nreplications = 2\n'
RECORD = '[record]\nmeasures = ["domestic_supply_share", "chip_market", "price_index"]\n'
TABLE = '[design]\nkind = "table"\nfile = "points.csv"\n'
POINTS = """controls.severity,subsidy.annual,controls.mode,mechanisms.talent
0.5,,none,TRUE
,100,,false
,,,
0.25,2.5e1,fixed,
"""
LISTED = """[design]
kind = "list"
points = [
  { "controls.severity" = 0.5, "controls.mode" = "none", "mechanisms.talent" = true },
  { "subsidy.annual" = 100.0, "mechanisms.talent" = false },
  {},
  { "controls.severity" = 0.25, "subsidy.annual" = 25.0, "controls.mode" = "fixed" },
]
"""


@pytest.fixture
def asked(tmp_path):
    """Write an experiment over a table; the answer is its path."""

    def write(points=POINTS, design=TABLE, head=HEAD):
        path = tmp_path / "asked" / "mine.toml"
        path.parent.mkdir(exist_ok=True)
        (path.parent / "points.csv").write_bytes(points if isinstance(points, bytes) else points.encode())
        path.write_text(head + RECORD + design)
        return path

    return write


@pytest.mark.parametrize(
    "points",
    [POINTS, "\ufeff" + POINTS, POINTS.replace("\n", "\r\n"), POINTS.replace("0.5,,none", ' 0.5 ,,"none"')],
    ids=["plain", "with a mark", "of Windows", "quoted"],
)
def test_a_table_is_the_list_that_it_says(asked, points):
    table = load_experiment(asked(points))
    listed = load_experiment(asked(design=LISTED))
    assert [dict(point) for point in table.points] == [dict(point) for point in listed.points]
    assert list(table.runs()) != [] and sorted(table.swept) == sorted(listed.swept)
    assert table.points[0]["mechanisms.talent"] is True
    empty = [run.values for run in table.runs() if run.point == 3 and run.config == "published-2020"]
    own = table.scenarios[1].values
    assert empty == [{key: own[key] for key in table.swept}] * 2


def test_a_batch_over_a_table_needs_the_table_no_more(asked, tmp_path):
    path, again = asked(), Counted()
    assert run_batch(path, workers=1, out=tmp_path / "out", build=small) == 0
    (path.parent / "points.csv").unlink()
    manifest = read_manifest(tmp_path / "out")
    assert manifest.experiment.design.points[1] == {"subsidy.annual": 100.0, "mechanisms.talent": False}
    kept = Experiment.from_manifest(manifest, "out")
    assert run_batch(kept, workers=1, out=tmp_path / "kept", build=small) == 0
    assert files(tmp_path / "kept") == files(tmp_path / "out")
    assert run_batch(asked(design=LISTED), workers=1, out=tmp_path / "out", build=again) == 0 and again.runs == 0


DATED = '[factors]\n"subsidy.annual" = { from = 2027 }\n'


@pytest.mark.parametrize("design", [TABLE, LISTED])
def test_a_key_of_written_points_may_have_a_date(asked, design):
    experiment = load_experiment(asked(design=design + DATED))
    plain = load_experiment(asked(design=design))
    assert experiment.since == {"subsidy.annual": 2027} and [*experiment.points] == [*plain.points]
    kept = KeptExperiment.model_validate(experiment.as_dict())
    assert [part.since for part in planned(kept)] == [experiment.since]
    changed = experiment.with_points([{"subsidy.annual": 5.0}, {"controls.severity": 0.5}])
    assert changed.since == changed.as_dict()["since"] == experiment.since
    other = experiment.with_points([{"controls.severity": 0.5}])
    assert other.since == {} and "since" not in other.as_dict()


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ('"subsidy.annual" = { levels = [1], from = 2027 }', "a table design has its values in design.file; give"),
        ('"subsidy.annual" = {}', "factors.subsidy.annual = {}: a table design has its values in design.file"),
        ('"subsidy.annual" = "range"', "factors.subsidy.annual = 'range': a table design has its values in"),
        ('"subsidy.annual" = { from = 2020 }', "factors.subsidy.annual.from = 2020: must be a whole year from 2021"),
        ('"mechanisms.talent" = { from = 2027 }', "mechanisms.talent is not a lever, and only levers can change"),
        ('"mandate.domestic" = { from = 2027 }', "factors.mandate.domestic: no point has it; give it values there"),
        ('"subsidy.anual" = { from = 2027 }', "factors.subsidy.anual: is not a known key (did you mean 'subsidy."),
    ],
)
def test_what_a_date_of_written_points_may_not_be(asked, factor, said):
    with pytest.raises(BadInput) as fault:
        load_experiment(asked(design=f"{TABLE}[factors]\n{factor}\n"))
    [sentence] = fault.value.problems
    assert sentence.startswith(str(asked().parent / "mine.toml: factors.")) and said in sentence


def test_a_part_may_be_a_table(asked):
    parts = '[parts.a.factors]\n"subsidy.annual" = [0.0, 50.0]\n[parts.b.design]\nkind = "table"\nfile = "points.csv"\n'
    experiment = load_experiment(asked(design=parts))
    assert [len(part.points) for part in experiment.parts] == [2, 4]
    with pytest.raises(BadInput, match=r"mine.toml: parts.b.design.file is missing; give the name of a CSV"):
        load_experiment(asked(design=parts.replace('file = "points.csv"\n', "")))


FAULTS = [
    (
        "controls.severty,subsidy.annual\n1,2\n",
        "points.csv: line 1: column 'controls.severty': is not a known key (did",
    ),
    (
        "controls.severity\n0.5\n1.5\n",
        "points.csv: line 3: controls.severity = 1.5: is out of range; it must be from 0",
    ),
    ("controls.severity\nmuch\n", "points.csv: line 2: controls.severity = 'much': must be a number from 0 to 1"),
    ("controls.severity\nnan\n", "points.csv: line 2: controls.severity = nan: must be finite"),
    ("controls.mode\nfixd\n", "points.csv: line 2: controls.mode = 'fixd': must be one of none, fixed"),
    ("mechanisms.talent\n1\n", "points.csv: line 2: mechanisms.talent = '1': must be true or false"),
    ('controls.severity\n\n0.5\n\n"0.50"\n', "points.csv: line 5: is the same as line 3; points must differ"),
    ("controls.severity,controls.severity\n0,1\n", "points.csv: line 1: column 'controls.severity' appears twice"),
    ("controls.severity;subsidy.annual\n0;1\n", "points.csv: line 1: the cells are parted by semicolons"),
    ("controls.severity,subsidy.annual\n0\n", "points.csv: line 2 has 1 cells; the header has 2"),
    (",controls.severity\n0,0.5\n", "points.csv: line 1: a column has no name; give each a key (a data frame is saved"),
    ("controls.severity\n", "points.csv: holds no points; give a line for each"),
    ("", "points.csv: holds no points"),
    (b"\xff\xfec\0", "points.csv: is in UTF-16; save it as CSV in UTF-8"),
    ("base.chip_market\n" + "\n".join(map(str, range(-20, 0))) + "\n", "points.csv: and 8 more faults like these"),
    ("world\nchina-2020\n", "points.csv: line 1: column 'world': is not a known key"),
]


@pytest.mark.parametrize(("points", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_every_fault_of_a_table_has_file_line_and_column(asked, points, words):
    path = asked(points)
    with pytest.raises(BadInput) as fault:
        load_experiment(path)
    assert any(problem.startswith(f"{path.parent}/{words}") for problem in fault.value.problems), fault.value
    assert len(fault.value.problems) <= 13


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ('[design]\nkind = "table"\n', "design.file is missing; give the name of a CSV beside the experiment"),
        (
            TABLE + '[factors]\n"subsidy.annual" = [1]\n',
            "factors.subsidy.annual = [1]: a table design has its values in design.file; give the year from which on",
        ),
        ('[design]\nfile = "points.csv"\n', "design.file: belongs to kind = \"table\"; leave it out for 'grid'"),
        (TABLE.replace("points.csv", "pionts.csv"), "mine.toml: design.file = 'pionts.csv': there is no file"),
        (TABLE.replace("points.csv", "."), "design.file = '.': there is no file"),
        (TABLE.replace('"points.csv"', "3"), "design.file = 3: must be the name of a CSV"),
    ],
)
def test_what_is_wrong_with_the_design_itself(asked, design, words):
    with pytest.raises(BadInput) as fault:
        load_experiment(asked(design=design))
    assert words in str(fault.value)


def test_what_the_ensemble_sets_is_no_column(asked):
    path = asked("demand.growth\n0.05\n", head=HEAD + 'parameters = "ensemble"\n')
    with pytest.raises(BadInput, match=r"factors.demand.growth: is set by the ensemble"):
        load_experiment(path)


FRAME = {
    "controls.severity": [0.5, np.nan, 0.25],
    "subsidy.annual": [0, 100, 50],
    "controls.mode": ["none", None, "fixed"],
}


def test_a_data_frame_is_the_list_that_it_says(asked, tmp_path):
    """The bytes are those of the same points in the experiment's own file."""
    listed = """[design]
kind = "list"
points = [{ "controls.severity" = 0.5, "subsidy.annual" = 0, "controls.mode" = "none" }, { "subsidy.annual" = 100 },
  { "controls.severity" = 0.25, "subsidy.annual" = 50, "controls.mode" = "fixed" }]
"""
    run_batch(asked(design=listed), workers=1, out=tmp_path / "listed", build=small)
    plain = load_experiment(asked(design=""))
    for name, points in (("frame", pandas.DataFrame(FRAME)), ("rows", pandas.DataFrame(FRAME).to_dict("records"))):
        assert run_batch(plain.with_points(points), workers=1, out=tmp_path / name, build=small) == 0
        assert files(tmp_path / name) == files(tmp_path / "listed")
    again = Counted()
    assert run_batch(asked(design=listed), workers=1, out=tmp_path / "frame", build=again) == 0 and again.runs == 0


def test_switches_are_left_out_over_the_points_of_a_frame(asked):
    experiment = load_experiment(
        asked(design="", head=HEAD.replace('"no-controls"', '"allied"') + 'leave_out = ["mechanisms.talent"]\n')
    )
    left = experiment.with_points(pandas.DataFrame({"subsidy.annual": [1.0, 2.0]}))
    assert [run.values["mechanisms.talent"] for run in left.runs() if run.seed == 1 and run.config == "allied"] == [
        True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(BadInput, match="points: column 'mechanisms.talent': is set by leave_out of mine"):
        experiment.with_points([{"mechanisms.talent": True}])


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (
            pandas.DataFrame({"controls.severty": [1.0]}),
            "points: column 'controls.severty': is not a known key (did you",
        ),
        (
            pandas.DataFrame({"controls.severity": [1.0, 1.5]}),
            "points, row 1: controls.severity = 1.5: is out of range",
        ),
        (pandas.DataFrame({"controls.severity": [1, 1]}), "points, row 1: is the same as row 0; points must differ"),
        (pandas.DataFrame({"controls.severity": []}), "points: are none; give at least one row"),
        (pandas.DataFrame({0: [1]}), "points: column '0': is not a known key"),
        (pandas.DataFrame({"demand.growth": [0.05]}), "points: column 'demand.growth': is set by the ensemble of mine"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_fault_of_a_frame_is_a_sentence(asked, points, words):
    experiment = load_experiment(asked(design="", head=HEAD + 'parameters = "ensemble"\n'))
    with pytest.raises(BadInput) as fault:
        experiment.with_points(points)
    assert str(fault.value).startswith(words)


def test_a_key_with_a_push_of_its_own_is_taken_from_the_points(asked):
    """What controls cause of the push may be varied besides the ensemble, which then does not draw it."""
    experiment = load_experiment(asked(design="", head=HEAD + 'parameters = "ensemble"\n'))
    key = "security.caused_by_controls"
    apart = experiment.with_points([{key: 0.0}, {key: 1.0}])
    assert apart.swept == (key,) and all(key not in values for values in apart.ensemble.sets.values())
    listed = asked(design=f'[factors]\n"{key}" = [0.0, 1.0]\n', head=HEAD + 'parameters = "ensemble"\n')
    assert apart.ensemble.sets == load_experiment(listed).ensemble.sets
