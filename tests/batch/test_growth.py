"""A batch of more samples, trajectories or seeds than before runs what is new, and ends as if it had been so."""

import json
from contextlib import suppress

import numpy as np
import pytest
from support.batches import Counted, files, forbidden, small, stopping, unlucky

from sim.batch.run import run_batch
from sim.errors import BadInput
from sim.experiment.designs import Factor, Sample, latin_hypercube
from sim.experiment.growth import shared
from sim.results.output import UNFINISHED

FACTORS = """factors]
"controls.severity" = { low = 0.0, high = 0.5 }
"subsidy.annual" = { low = 0.0, high = 100.0 }
"""
HEAD = 'question = "Does it?"\nconfigs = ["published-2020", "no-controls"]\n'
RECORD = '[record]\nevery = "year"\nmeasures = ["domestic_supply_share", "chip_market", "price_index"]\n'
DESIGNS = {
    "sobol": "[design]\nkind = 'sobol'\nsamples = SIZE\n[" + FACTORS,
    "latin-hypercube": "[design]\nkind = 'latin-hypercube'\nsamples = SIZE\nseed = 7\n[" + FACTORS,
    "morris": "[design]\nkind = 'morris'\ntrajectories = SIZE\n[" + FACTORS,
    "last": "[parts.levels.factors]\n'subsidy.annual' = [0.0, 50.0]\n"
    "[parts.drawn]\ndesign = { kind = 'sobol', samples = SIZE }\n[parts.drawn." + FACTORS,
    "first": "[parts.drawn]\ndesign = { kind = 'sobol', samples = SIZE }\n[parts.drawn."
    + FACTORS
    + "[parts.levels.factors]\n'subsidy.annual' = [0.0, 50.0]\n",
}
POINTS = {"sobol": 4, "latin-hypercube": 1, "morris": 3, "last": 4, "first": 4}  # a sample, of two factors


@pytest.fixture
def asked(tmp_path):
    """Write the experiment of a design with so many samples; the answer is its path."""

    def write(design, size, replications=2):
        path = tmp_path / "asked.toml"
        path.write_text(f"{HEAD}replications = {replications}\n{RECORD}{DESIGNS[design].replace('SIZE', str(size))}")
        return path

    return write


@pytest.mark.parametrize("design", ["sobol", "latin-hypercube", "morris", "last"])
def test_more_samples_run_only_what_is_new(asked, tmp_path, design):
    run_batch(asked(design, 4), workers=1, out=tmp_path / "out", build=small, block_size=5)
    counted = Counted()
    run_batch(asked(design, 8), workers=1, out=tmp_path / "out", build=counted, block_size=7)
    run_batch(asked(design, 8), workers=1, out=tmp_path / "anew", build=small)
    assert counted.runs == 4 * POINTS[design] * 2 * 2  # two seeds of two configs
    assert files(tmp_path / "out") == files(tmp_path / "anew")


LISTED = [{"subsidy.annual": 100.0 * severity, "controls.severity": severity} for severity in (0.5, 0.1, 0.25, 0.4)]


def listed(path, points, more=""):
    """The experiment of a list of points."""
    rows = ", ".join(
        f'{{ "subsidy.annual" = {p["subsidy.annual"]}, "controls.severity" = {p["controls.severity"]} }}'
        for p in points
    )
    path.write_text(f"{HEAD}{more}replications = 2\n{RECORD}[design]\nkind = 'list'\npoints = [{rows}]\n")
    return path


@pytest.mark.parametrize("stop", [None, 5])
def test_more_listed_points_run_only_what_is_new(tmp_path, stop):
    path, out, counted = tmp_path / "asked.toml", tmp_path / "out", Counted()
    with suppress(KeyboardInterrupt):
        run_batch(listed(path, LISTED[:2]), workers=1, out=out, build=stopping(stop or 8), block_size=3)
    run_batch(listed(path, LISTED), workers=1, out=out, build=counted, block_size=5)
    run_batch(listed(path, LISTED), workers=1, out=tmp_path / "anew", build=small)
    assert counted.runs == 4 * 2 * 2 - (8 if stop is None else 3)
    assert files(out) == files(tmp_path / "anew")


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("new", "more", "said"),
    [
        (LISTED[:1], "", "design.points: are others than the 2 of the batch there; give these first, and more behind"),
        (LISTED[1::-1] + LISTED[2:], "", "design.points: are others than the 2 of the batch there"),
        (LISTED, "leave_out = ['mechanisms.entry']\n", "with leave_out they stay as they are, or --fresh starts over"),
    ],
)
def test_other_listed_points_are_refused(tmp_path, new, more, said, finished):
    path, out = tmp_path / "asked.toml", tmp_path / "out"
    with suppress(KeyboardInterrupt):
        run_batch(
            listed(path, LISTED[:2], more), workers=1, out=out, build=stopping(99 if finished else 5), block_size=3
        )
    with pytest.raises(BadInput, match=said):
        run_batch(listed(path, new, more), workers=1, out=out, build=forbidden)


def test_more_samples_and_replications_at_once(asked, tmp_path):
    run_batch(asked("sobol", 4), workers=1, out=tmp_path / "out", build=small)
    counted = Counted()
    run_batch(asked("sobol", 16, replications=3), workers=1, out=tmp_path / "out", build=counted)
    run_batch(asked("sobol", 16, replications=3), workers=1, out=tmp_path / "anew", build=small)
    assert counted.runs == 2 * (16 * 4 * 3 - 4 * 4 * 2)
    assert files(tmp_path / "out") == files(tmp_path / "anew")


def test_parts_behind_a_sample_that_grows_are_run_again(asked, tmp_path):
    """Their points have other numbers, which the rows carry."""
    run_batch(asked("first", 4), workers=1, out=tmp_path / "out", build=small)
    counted = Counted()
    run_batch(asked("first", 8), workers=1, out=tmp_path / "out", build=counted)
    run_batch(asked("first", 8), workers=1, out=tmp_path / "anew", build=small)
    assert counted.runs == (4 * 4 + 2) * 2 * 2
    assert files(tmp_path / "out") == files(tmp_path / "anew")


@pytest.mark.parametrize("design", ["sobol", "latin-hypercube", "morris", "last", "first"])
@pytest.mark.parametrize("stops", [(5,), (9, 30), (25, 1, 40)])
def test_cut_off_at_any_size_and_grown_there_is_no_trace(asked, tmp_path, design, stops):
    """Cut off with 2, 4 and 8 samples, so that blocks of several sizes of the design lie side by side."""
    run_batch(asked(design, 8, 3), workers=1, out=tmp_path / "anew", build=small)
    for size, after in zip((2, 4, 8), stops, strict=False):
        with suppress(KeyboardInterrupt):  # the smallest end before
            run_batch(asked(design, size, 3), workers=1, out=tmp_path / "out", build=stopping(after), block_size=4)
    left = Counted()
    run_batch(asked(design, 8, 3), workers=1, out=tmp_path / "out", build=left, block_size=4)
    assert left.runs < 8 * POINTS[design] * 3 * 2 + (12 if design in ("first", "last") else 0)
    assert files(tmp_path / "out") == files(tmp_path / "anew")


def test_cut_off_while_the_grown_result_is_put_into_place(asked, tmp_path, monkeypatch):
    run_batch(asked("sobol", 4), workers=1, out=tmp_path / "out", build=small)
    run_batch(asked("sobol", 8), workers=1, out=tmp_path / "anew", build=small)
    from sim.batch import store

    replaced = store.os.replace

    def once(source, target):
        replaced(source, target)
        if str(target).endswith("out/runs.csv"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sim.batch.store.os.replace", once)
        with pytest.raises(KeyboardInterrupt):
            run_batch(asked("sobol", 8), workers=1, out=tmp_path / "out", build=small)
    run_batch(asked("sobol", 8), workers=1, out=tmp_path / "out", build=forbidden)
    assert files(tmp_path / "out") == files(tmp_path / "anew")


def test_failures_are_kept_with_the_runs_that_are_kept(asked, tmp_path):
    """Of the part behind, `first` keeps none: its numbers are other points' now."""
    text = "[parts.drawn]\ndesign = { kind = 'sobol', samples = SIZE }\n[parts.drawn." + FACTORS
    text += "[parts.levels.factors]\n'controls.severity' = [0.25, 0.5]\n"
    results = []
    for name, sizes in (("out", (4, 8)), ("anew", (8,))):
        for size in sizes:
            path = asked("first", size)
            path.write_text(f"{HEAD}replications = 2\n{RECORD}{text.replace('SIZE', str(size))}")
            assert run_batch(path, workers=1, out=tmp_path / name, build=unlucky, block_size=5) == 1
        results.append(files(tmp_path / name))
    failures = json.loads((tmp_path / "out" / "manifest.json").read_text())["failures"]
    assert sorted(failures) == ["no-controls-33-0-2", "published-2020-33-0-2"]
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("design", "old", "new", "said"),
    [
        ("sobol", 8, 4, r"design.samples = 4: the batch there has 8; give as many or more, or --fresh starts over"),
        ("morris", 8, 7, r"design.trajectories = 7: the batch there has 8; give as many or more"),
        ("first", 8, 4, r"parts.drawn.design.samples = 4: the batch there has 8; give as many or more"),
        ("latin-hypercube", 6, 18, r"design.samples = 18: the batch there has 6, .* doubled; give 12, 24 and so on"),
        ("latin-hypercube", 6, 8, r"design.samples = 8: the batch there has 6, .* doubled; give 12, 24 and so on"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_what_does_not_go_on_is_refused(asked, tmp_path, design, old, new, said, finished):
    out = tmp_path / "out"
    if finished:
        run_batch(asked(design, old), workers=1, out=out, build=small)
    else:
        with pytest.raises(KeyboardInterrupt):
            run_batch(asked(design, old), workers=1, out=out, build=stopping(8), block_size=3)
    held = sorted(path for path in out.rglob("*") if path.is_file())
    before = [path.read_bytes() for path in held]
    with pytest.raises(BadInput, match=said):
        run_batch(asked(design, new), workers=1, out=out, build=forbidden)
    assert [path.read_bytes() for path in held] == before


def test_another_seed_or_another_range_is_another_design(asked, tmp_path):
    run_batch(asked("latin-hypercube", 4), workers=1, out=tmp_path / "out", build=small)
    for old, new in (("seed = 7", "seed = 8"), ("high = 100.0", "high = 90.0")):
        path = asked("latin-hypercube", 8)
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(BadInput, match="holds another batch"):
            run_batch(path, workers=1, out=tmp_path / "out", build=forbidden)


def test_what_another_version_of_a_library_drew_is_not_gone_on_from(asked, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run_batch(asked("sobol", 4), workers=1, out=out, build=small)
    with pytest.raises(KeyboardInterrupt):
        run_batch(asked("sobol", 8), workers=1, out=out, build=stopping(8), block_size=3)
    [block, *_] = (blocks := sorted(next(out.glob(f"{UNFINISHED}*")).glob("*.block")))
    drawn = Sample.units.func
    monkeypatch.setattr(Sample, "units", property(lambda self: drawn(self)[:, ::-1].copy()))
    with pytest.raises(BadInput, match="this version of SALib or numpy draws other points than the batch there has"):
        run_batch(asked("sobol", 16), workers=1, out=out, build=forbidden)
    assert len(blocks) > 0 and block.exists()


def seeded(path, seeds):
    """The experiment of a Sobol design with these seeds, or so many."""
    asked = f"seeds = {seeds}" if isinstance(seeds, list) else f"replications = {seeds}"
    path.write_text(f"{HEAD}{asked}\n{RECORD}{DESIGNS['sobol'].replace('SIZE', '4')}")
    return path


def rows(out, seeds):
    """The lines of runs.csv with some seeds."""
    return [line for line in (out / "runs.csv").read_text().splitlines() if line.split(",")[3] in map(str, seeds)]


def test_listed_seeds_have_the_luck_of_these_seeds(tmp_path):
    path = tmp_path / "asked.toml"
    run_batch(seeded(path, [7, 3]), workers=1, out=tmp_path / "listed", build=small)
    run_batch(seeded(path, 7), workers=1, out=tmp_path / "counted", build=small)
    listed, counted = (rows(tmp_path / name, (3, 7)) for name in ("listed", "counted"))
    assert len(listed) == 2 * 16 * 2 and sorted(listed) == sorted(counted) and listed != counted
    manifest = json.loads((tmp_path / "listed/manifest.json").read_text())
    assert manifest["seeds"] == manifest["experiment"]["seeds"] == [7, 3]


@pytest.mark.parametrize(("first", "more", "new"), [([7, 3], [7, 3, 11], 1), (2, [1, 2, 9], 1), ([1], 3, 2)])
@pytest.mark.parametrize("stop", [None, 11])
def test_more_seeds_run_only_what_is_new(tmp_path, first, more, new, stop):
    path, counted = tmp_path / "asked.toml", Counted()
    if stop:
        with pytest.raises(KeyboardInterrupt):
            run_batch(seeded(path, first), workers=1, out=tmp_path / "out", build=stopping(stop), block_size=5)
    else:
        run_batch(seeded(path, first), workers=1, out=tmp_path / "out", build=small)
    run_batch(seeded(path, more), workers=1, out=tmp_path / "out", build=counted, block_size=7)
    run_batch(seeded(path, more), workers=1, out=tmp_path / "anew", build=small)
    assert files(tmp_path / "out") == files(tmp_path / "anew")
    seeds = 3 if stop else new
    assert counted.runs == 2 * 16 * seeds - (10 if stop else 0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([3, 7], [7, 3], r"seeds = \[7, 3\]: the batch there has \[3, 7\]; give these first, and more behind them, or"),
        ([3, 7], [3], r"seeds = \[3\]: the batch there has \[3, 7\]"),
        ([3, 7], 2, r"seeds = \[1, 2\]: the batch there has \[3, 7\]"),
        (10, [2], r"seeds = \[2\]: the batch there has \[1, 2, 3, 4, 5, 6, 7, 8, … 10\]"),
        (3, 2, r"replications = 2: the batch there has 3; give as many or more"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_other_seeds_are_refused(tmp_path, old, new, said, finished):
    path, out = tmp_path / "asked.toml", tmp_path / "out"
    if finished:
        run_batch(seeded(path, old), workers=1, out=out, build=small)
    else:
        with pytest.raises(KeyboardInterrupt):
            run_batch(seeded(path, old), workers=1, out=out, build=stopping(8), block_size=3)
    with pytest.raises(BadInput, match=said):
        run_batch(seeded(path, new), workers=1, out=out, build=forbidden)


def test_blocks_of_other_seeds_are_not_joined_where_nothing_says_whose_they_are(tmp_path):
    path, out = tmp_path / "asked.toml", tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_batch(seeded(path, [3, 7]), workers=1, out=out, build=stopping(56), block_size=8)
    next(out.glob(f"{UNFINISHED}*/identity.json")).unlink()
    for name in ("out", "anew"):
        run_batch(seeded(path, [3, 8]), workers=1, out=tmp_path / name, build=small)
    assert files(out) == files(tmp_path / "anew")


def test_shared_points_end_where_a_part_has_grown():
    sample = Sample("sobol", {"a": Factor(low=0.0, high=1.0)}, 4, 1)  # of 3 points each

    class Part:
        def __init__(self, points):
            self.points = points

    parts = [Part([{}] * 5), Part(sample), Part([{}] * 2)]
    assert shared([(5, ""), (12, sample.digest()), (2, "")], parts) == 5 + 12 + 2
    assert shared([(5, ""), (6, sample.digest(6)), (2, "")], parts) == 5 + 6
    assert shared([(5, ""), (6, sample.digest(3)), (2, "")], parts) == 5
    assert shared([(5, ""), (15, sample.digest()), (2, "")], parts) == 5
    assert shared([(7, ""), (12, sample.digest()), (2, "")], parts) == 0


@pytest.mark.parametrize(
    ("kind", "sizes"), [("sobol", (1, 4, 64)), ("morris", (2, 3, 50)), ("latin-hypercube", (3, 6))]
)
def test_a_larger_sample_begins_with_the_smaller_one(kind, sizes):
    factors = {f"f{number}": Factor(low=0.0, high=1.0) for number in range(4)}
    whole = Sample(kind, factors, {"sobol": 128, "morris": 51, "latin-hypercube": 24}[kind], 9).units
    for size in sizes:
        units = Sample(kind, factors, size, 9).units
        assert len(units) == size * {"sobol": 6, "morris": 5, "latin-hypercube": 1}[kind]
        assert np.array_equal(units, whole[: len(units)])


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 40, 64, 1000, 4096])
def test_a_latin_hypercube_has_one_point_in_each_part(size):
    units = latin_hypercube(3, size, 5)
    assert np.array_equal(np.sort(np.floor(units * size), axis=0), np.tile(np.arange(size)[:, None], (1, 3)))
    assert np.array_equal(units, latin_hypercube(3, size, 5))
    if size >= 40:  # the factors are drawn apart: a correlation has a deviation of 1 / sqrt(size)
        assert np.abs(np.corrcoef(units.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(size)
        assert not np.array_equal(units, latin_hypercube(3, size, 6))
