"""The report of an experiment, on results whose numbers are worked out by hand, and on one tiny batch."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.made_results import manifest, signed, vouch
from support.made_study import CAUTION, HELPS, SHARE, answered, made_study
from support.paths import ROOT
from typer.testing import CliRunner

from sim.batch.run import run_batch
from sim.cli.study import study
from sim.compare.question import Question, compare
from sim.errors import BadInput
from sim.experiment.designs import Sample
from sim.experiment.ensemble import read_ensemble
from sim.experiment.experiment import Experiment
from sim.experiment.file import load_experiment
from sim.results import escape
from sim.results.claims import Claim
from sim.results.manifest import MANIFEST, Manifest, read_manifest
from sim.study.outcomes import IncompleteInput
from sim.study.report import files as report_files
from sim.study.report.answer import read_answer
from sim.study.report.figure import figure
from sim.study.report.head import head_of
from sim.study.report.pages import answer_page, sections
from sim.study.report.plain import page_of
from sim.study.report.words import opening
from sim.world.world import load_world


@pytest.fixture
def found(tmp_path):
    return read_answer(made_study(tmp_path / "made-up"))


def test_a_case_is_called_by_what_differs_from_the_reference(found):
    assert [case.label for case in found.cases] == ["severity of controls: 0", "severity of controls: 0.8"]
    assert [case.label for case in found.left_out[CAUTION]] == ["severity of controls: 0", "severity of controls: 0.8"]


def test_steps_change_one_key_and_are_paired(found):
    (step,) = found.steps
    assert step.change == "severity of controls 0 → 0.8"
    # set 1: the mean of -0.10 and -0.12, set 2: of -0.30 and -0.28; the median of two numbers is their mean
    assert step.row.diff == pytest.approx(-0.20) and step.row.diff_q50 == pytest.approx(-0.20)
    assert step.row.diff_q05 == pytest.approx(-0.29 + 0.05 * 0.18) and step.row.share_same_sign == 1.0


def test_what_is_left_without_a_mechanism(found):
    (step,) = found.steps
    without = found.without(step, CAUTION)
    assert without.row.diff == pytest.approx(-0.02)  # set 1: -0.05, set 2: 0.01
    row = found.change(step, without)
    # set 1: -0.05 + 0.11 = 0.06; set 2: 0.01 + 0.29 = 0.30
    assert row.diff == pytest.approx(0.18)
    assert row.diff_q95 == pytest.approx(0.06 + 0.95 * 0.24)
    (table,) = [section for section in sections(found) if section.title.startswith("Which mechanisms it hangs on")]
    assert [row[0] for row in table.rows] == ["nothing", "buyers' fear of being cut off"]
    assert table.rows[1][1].startswith("-2")
    # caution turns the sign in one of the two sets
    said = opening(found)
    assert "Without buyers' fear of being cut off it changes by 18 points" in said and "the sign does not stay" in said


def claim(**keys):
    return Claim.model_validate({"says": "It is so.", "measure": f"{SHARE}@end", **keys})


def test_a_claim_is_held_against_the_results_with_a_mechanism_and_without(found):
    falls = claim(high=-0.03, terms=[{"controls.severity": 0.8}, {"times": -1, "controls.severity": 0.0}])
    assert (found.verdict(falls).share, found.verdict(falls, CAUTION).share) == (1.0, 0.5)
    assert found.verdict(falls).word == "came out" and found.verdict(falls, CAUTION).word == "open"
    (low, middle, high) = found.verdict(falls, CAUTION).points
    assert middle == pytest.approx(-0.02) and low == pytest.approx(-0.05 + 0.05 * 0.06) and high < 0.01
    page = answer_page(replace(found, claims=[falls]), "x.svg")
    assert "It is so. (open)" in page


def test_a_term_names_the_switch_that_is_off(found):
    (case,) = found.named_by({"controls.severity": 0.8, CAUTION: False})
    assert case is found.left_out[CAUTION][1]
    (case,) = found.named_by({"controls.severity": 0.8, CAUTION: True})
    assert case is found.cases[1]


def test_what_a_seed_adds(found):
    # at the reference the two seeds differ by 0.02 in each set: variance 0.0002
    assert found.seeds_add(found.cases[0], SHARE) == pytest.approx(0.0002**0.5)
    # the first step: -0.10 against -0.12 and -0.30 against -0.28
    assert found.seeds_add_to(found.steps[0]) == pytest.approx(0.0002**0.5)


def test_a_sign_is_told_only_as_long_as_it_lasts(found):
    assert found.clear_since(*found.cases, SHARE) == "2035"  # in 2034 all are equal
    assert found.clear_since(*found.left_out[CAUTION], SHARE) == ""  # the two sets do not agree


def test_a_page_says_all_of_it(found, tmp_path):
    report_files.write([found], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text()
    assert "Does &lt;caution&gt; matter?" in page and "<caution>" not in page and "<svg" in page
    assert not re.search(r"src=\"", page)  # it is whole by itself; what it links to is beside it
    links = re.findall(r" href=\"([^\"]+)\"", page)
    assert all(f'id="{link[1:]}"' in page if link[0] == "#" else (tmp_path / "out" / link).exists() for link in links)
    assert [link for link in links if link[0] != "#"] == [
        f"{name}.{kind}" for name in ("made-up", "made-up-differences") for kind in ("svg", "png", "csv")
    ]
    assert (tmp_path / "out/made-up.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "out/report.md").read_text()
    assert "## What was predicted before running\n\n- No." in text and "-20.0 points" in text.replace(
        "-20 points", "-20.0 points"
    )
    assert "Program bb" in text and "numpy 2.5.5" in text
    assert "bb" not in re.findall(r"Program (\w+)", answer_page(found, "made-up.svg"))


def test_equal_results_give_equal_bytes(found, tmp_path):
    again = read_answer(made_study(tmp_path / "again"))
    assert figure(found) == figure(again)
    assert answer_page(found, "x.svg") == answer_page(again, "x.svg")
    assert "<dc:date>" not in figure(found)


def test_a_failed_run_is_incomplete_input(tmp_path):
    with pytest.raises(IncompleteInput, match="1 of its 16 runs failed"):
        read_answer(made_study(tmp_path / "made-up", failed=True))


TINY = (
    HELPS
    + """
[[claims]]
says = "It is as dear as a thousand."
measure = "subsidy_spent@2025"
low = 1000
terms = [{ config = "no-controls", "subsidy.annual" = 400 }]
"""
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of a project with one experiment, and its result."""
    return answered(tmp_path_factory.mktemp("project"), "tiny", TINY)


@pytest.fixture
def project(tiny, monkeypatch):
    monkeypatch.chdir(tiny)
    return tiny


def test_an_answer_is_written_beside_its_experiment(project):
    result = CliRunner().invoke(study, ["report", str(project / "results/tiny"), "--format", "csv"])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["case"] for row in rows][::2] == [
        "published 2020",
        "published 2020, subsidy: 400 bn yuan a year",
        "no controls",
        "no controls, subsidy: 400 bn yuan a year",
    ]
    with (project / "results/tiny/runs.csv").open() as file:
        runs = [r for r in csv.DictReader(file) if (r["config"], r["subsidy.annual"]) == ("published-2020", "400")]
    both = sorted(float(run["domestic_supply_share@end"]) for run in runs)
    assert float(rows[2]["median"]) == pytest.approx(sum(both) / 2)
    answer = (project / "experiments/tiny.md").read_text()
    assert "| It helps. |" in answer and "| It is as dear as a thousand. |" in answer and "did not come out" in answer
    assert (project / "experiments/tiny.svg").read_text().startswith("<svg")
    gallery = (project / "experiments/README.md").read_text()
    assert "## [Does a subsidy help?](tiny.md)" in gallery and "![Does a subsidy help?](tiny.svg)" in gallery
    assert answer.splitlines()[4] in gallery and answer.splitlines()[4].startswith("The domestic supply share in 2035")
    first = answer, (project / "experiments/tiny.svg").read_bytes()
    assert CliRunner().invoke(study, ["report", str(project / "results/tiny")]).exit_code == 0
    assert ((project / "experiments/tiny.md").read_text(), (project / "experiments/tiny.svg").read_bytes()) == first


MINE = "# My notes\n\nNot to be lost.\n"


@pytest.mark.parametrize(
    ("there", "kept", "written"),
    [
        (["tiny.md"], ["tiny.md"], []),
        (["tiny.svg"], ["tiny.svg"], []),
        (["tiny.md", "tiny.svg"], ["tiny.md", "tiny.svg"], []),
        (["README.md"], ["README.md"], ["tiny.md", "tiny.svg"]),
        (["other.md"], ["other.md"], ["tiny.md", "tiny.svg", "README.md"]),
    ],
)
def test_what_somebody_else_wrote_beside_an_experiment_is_left_alone(
    project, tmp_path, monkeypatch, capsys, there, kept, written
):
    (tmp_path / "experiments").mkdir()
    shutil.copy(project / "experiments/tiny.toml", tmp_path / "experiments")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "experiments"
    for name in there:
        (folder / name).write_text(MINE)
    path = report_files.write_answer(read_answer(project / "results/tiny"))
    assert [(folder / name).read_text() for name in kept] == [MINE] * len(kept)
    assert sorted(each.name for each in folder.iterdir()) == sorted(["tiny.toml", *there, *written])
    said = capsys.readouterr().err
    assert (path is not None) == ("tiny.md" in written) and ("is left alone" in said) == (there != ["other.md"])


@pytest.mark.parametrize("name", ["tiny.md", "tiny.svg", "README.md"])
def test_no_answer_is_written_through_a_link(project, tmp_path, monkeypatch, name):
    """An answer of ours that is a link to a file elsewhere is replaced by the answer; the file there stays."""
    (tmp_path / "experiments").mkdir()
    shutil.copy(project / "experiments/tiny.toml", tmp_path / "experiments")
    monkeypatch.chdir(tmp_path)
    found = read_answer(project / "results/tiny")
    assert report_files.write_answer(found)
    page = tmp_path / "experiments" / name
    shutil.move(page, tmp_path / "elsewhere")
    content = (tmp_path / "elsewhere").read_bytes() + b"more"
    (tmp_path / "elsewhere").write_bytes(content)
    page.symlink_to(tmp_path / "elsewhere")
    report_files.write_answer(found)
    assert (tmp_path / "elsewhere").read_bytes() == content
    assert not page.is_symlink() and page.read_bytes() + b"more" == content


def test_of_many_cases_those_are_told_that_differ_in_one_thing(tmp_path, monkeypatch):
    """A grid of 7 x 7: the first case, six others of the first factor, six of the second."""
    path = tmp_path / "experiments" / "grid.toml"
    path.parent.mkdir()
    path.write_text(
        'question = "Where?"\nconfigs = ["no-controls"]\nreplications = 1\n[record]\nevery = "end"\n'
        f'[factors]\n"subsidy.annual" = {list(range(0, 700, 100))}\n"investment.annual" = {list(range(30, 37))}\n'
    )
    run_batch(path, workers=1, out=tmp_path / "grid")
    monkeypatch.chdir(tmp_path)
    found = read_answer(tmp_path / "grid")
    assert (found.count, len(found.cases)) == (49, 13)
    assert "equity raised by firms 30 → 31 bn yuan a year" in [step.change for step in found.steps]
    assert "Of 49 cases the 13 are told" in answer_page(found, "grid.svg")
    assert report_files.write_answer(found) is None  # nothing was predicted
    assert sorted(each.name for each in path.parent.iterdir()) == ["grid.toml"]

    for module in ("cases", "tables"):
        monkeypatch.setattr(f"sim.study.report.{module}.MOST_CASES", 5)
    found = read_answer(tmp_path / "grid")
    assert (found.count, [case.keys["investment.annual"] for case in found.cases]) == (49, [30, 31, 32, 33, 34])
    assert "Of 49 cases the first 5 are told" in answer_page(found, "grid.svg")


def test_another_experiment_of_that_name_gets_no_answer(project, tmp_path):
    shutil.copytree(project / "results/tiny", tmp_path / "tiny")
    manifest = json.loads((tmp_path / "tiny" / MANIFEST).read_text())
    manifest["experiment"]["question"] = "Another?"
    (tmp_path / "tiny" / MANIFEST).write_text(signed(manifest))
    assert report_files.write_answer(read_answer(tmp_path / "tiny")) is None


def test_a_claim_must_name_one_case(project, tmp_path):
    """It is refused before anything is run, and what is predicted is not worded anew unseen after the runs."""
    shutil.copytree(project, tmp_path / "project")
    path, out = tmp_path / "project/experiments/tiny.toml", tmp_path / "project/results/tiny"
    runs = (out / "runs.csv").stat().st_mtime_ns
    for old, new, sentence in (
        ('terms = [{ config = "no-controls", ', "terms = [{ ", "is 2 cases of the design and must be one"),
        ("subsidy_spent@2025", "subsidy_spent@2040", "after @ must stand end, peak, sum or a year that is recorded"),
        ("subsidy_spent@2025", "subsidy_spnt@2025", "'subsidy_spnt' is not recorded"),
    ):
        path.write_text(TINY.replace(old, new))
        with pytest.raises(BadInput, match=sentence):
            run_batch(path, workers=1, out=out)
    path.write_text(TINY.replace("low = 1000", "low = 10"))
    assert run_batch(path, workers=1, out=out) == 0
    assert not read_answer(out).manifest.is_foretold
    path.write_text(TINY)
    assert run_batch(path, workers=1, out=out) == 0
    assert read_answer(out).manifest.is_foretold
    assert [verdict.word for verdict in read_answer(out).verdicts] == ["came out", "did not come out"]
    assert (out / "runs.csv").stat().st_mtime_ns == runs


def test_claims_are_those_of_the_result(project, tmp_path, monkeypatch, capsys):
    """What the experiment's file says today does not change the answer of a result, nor whether it can be read."""
    shutil.copytree(project, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    path, out = tmp_path / "project/experiments/tiny.toml", tmp_path / "project/results/tiny"
    before = answer_page(read_answer(out), "tiny.svg")
    path.write_text(TINY.replace('says = "It helps."', 'says = "It does not help."'))
    assert answer_page(read_answer(out), "tiny.svg") == before and "It helps." in before
    head_of(read_answer(out))
    assert report_files.write_answer(read_answer(out)) is None
    assert capsys.readouterr().err.count("has other claims than the result; decoupling batch tiny takes them over") == 1
    path.write_text(TINY.replace("no-controls", "a-config-that-is-gone"))
    head_of(read_answer(out))
    assert report_files.write_answer(read_answer(out)) is None
    told = capsys.readouterr().err
    assert told.count("a-config-that-is-gone") == told.count("so the report is without its author's words") == 1
    path.unlink()
    assert answer_page(read_answer(out), "tiny.svg") == before and report_files.write_answer(read_answer(out)) is None


SAMPLES = """
question = "What decides?"
prediction = "The subsidy."
configs = ["published-2020", "no-controls"]
baseline = "published-2020"
replications = 2
leave_out = ["mechanisms.subsidy"]
targets = ["domestic_supply_share@end >= 0.2"]
[parts.corners.factors]
"subsidy.annual" = [0, 400]
[parts.between]
design = { kind = "sobol", samples = 4 }
factors = { "subsidy.annual" = { low = 0.0, high = 400.0 }, "learning.rate" = "range" }
[record]
every = "year"
measures = ["domestic_supply_share", "domestic_supply_share.memory"]
[[claims]]
says = "The subsidy decides."
measure = "domestic_supply_share@end"
of = "no-controls"
largest = "subsidy.annual"
[[claims]]
says = "Without the subsidy it does not help."
measure = "domestic_supply_share@end"
low = 0
high = 0
terms = [
    { config = "no-controls", "subsidy.annual" = 400, "mechanisms.subsidy" = false },
    { times = -1, config = "no-controls", "subsidy.annual" = 0, "mechanisms.subsidy" = false },
]
"""


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """The folder of a project with an experiment of two parts, one of them a sample."""
    return answered(tmp_path_factory.mktemp("project"), "both", SAMPLES)


def test_samples_are_told_beside_the_cases(sampled):
    found = read_answer(sampled / "results/both")
    assert [case.label for case in found.cases] == [
        "published 2020",
        "published 2020, subsidy: 400 bn yuan a year",
        "no controls",
        "no controls, subsidy: 400 bn yuan a year",
    ]
    assert list(found.left_out) == ["mechanisms.subsidy"]
    two, differ = {"published-2020", "no-controls"}, "no-controls less published-2020"  # by the rules of 2025
    assert {index.config for index in found.indices if index.factor != "(seeds)"} == {*two, differ}
    assert found.totals("no-controls", "domestic_supply_share@end")[0].factor == "subsidy.annual"
    (discovery,) = found.discoveries
    assert discovery.runs == 2 * 16 * 2  # configs, points of the sample alone, seeds
    assert found.verdicts[1].word == "came out"
    page = answer_page(found, "both.svg")
    assert "in 64 of 64 sampled runs" in page and "What decides the domestic supply share in 2035" in page
    assert "## By part, and when" in page and "| Memory | published 2020 → no controls |" in page


def test_a_claim_on_an_index_names_a_factor(sampled, tmp_path):
    shutil.copytree(sampled / "results/both", tmp_path / "both")
    text = (tmp_path / "both" / MANIFEST).read_text()
    (tmp_path / "both" / MANIFEST).write_text(text.replace('"largest": "subsidy.annual"', '"largest": "subsidy.anual"'))
    vouch(tmp_path / "both")
    with pytest.raises(BadInput, match=r"subsidy.anual has no total index of domestic_supply_share@end of no-con"):
        read_answer(tmp_path / "both")


def test_a_result_is_run_again_from_its_folder_alone(sampled, tmp_path):
    """Its experiment, with parts, samples and claims, comes from the manifest; the bytes are the same."""
    before = read_manifest(sampled / "results/both")
    again = Experiment.from_manifest(before, "here")
    assert again.as_dict() == load_experiment(sampled / "experiments/both.toml").as_dict()
    assert run_batch(again, workers=1, out=tmp_path / "again") == 0
    after = read_manifest(tmp_path / "again")
    assert {**after.as_dict(), "run_info": {}} == {**before.as_dict(), "run_info": {}}
    with pytest.raises(BadInput, match="here: holds one run; give the folder of a batch"):
        Experiment.from_manifest(Manifest.model_validate(manifest()), "here")


def test_a_result_is_told_the_same_when_its_world_is_gone(tmp_path, monkeypatch):
    """Compared, reported, and its indices and boxes found, from the result folder alone."""
    shutil.copytree(ROOT / "configs/worlds/crop-seeds", tmp_path / "given/world")
    for name, severity in (("free", 0.0), ("cut", 0.8)):
        (tmp_path / f"given/{name}.toml").write_text(
            f'purpose = "Mine"\nextends = "crop-seeds"\nworld = "{tmp_path}/given/world"\n'
            f'[controls]\nmode = "fixed"\nseverity = {severity}\n'
        )
    asked = SAMPLES.partition("[[claims]]")[0].replace('["published-2020", "no-controls"]', '["free.toml", "cut.toml"]')
    asked = asked.replace('"published-2020"', '"free"').replace(', "domestic_supply_share.memory"', "")
    (tmp_path / "given/both.toml").write_text(asked)
    assert run_batch(tmp_path / "given/both.toml", workers=1, out=tmp_path / "out") == 0

    def told():
        found = read_answer(tmp_path / "out")
        again = compare([tmp_path / "out", tmp_path / "out"], Question())
        return answer_page(found, "x.svg"), figure(found), found.indices, found.discoveries, again.effects

    before = told()
    shutil.rmtree(tmp_path / "given")
    monkeypatch.chdir(tmp_path)  # a world that was loaded elsewhere is not kept
    with pytest.raises(BadInput):
        load_world(f"{tmp_path}/given/world")
    assert told() == before


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('["mechanisms.subsidy"]', '["mechanisms.subsidi"]', "is not a switch (did you mean 'mechanisms.subsidy'?)"),
        ("mechanisms.subsidy", "mechanisms.alliance", "mechanisms.alliance: is off in config 'full-cutoff' already"),
        ('["mechanisms.subsidy"]', '["mechanisms.subsidy", "mechanisms.subsidy"]', "is varied twice"),
        ('["mechanisms.subsidy"]', '"mechanisms.subsidy"', "leave_out = 'mechanisms.subsidy': must be a list of swi"),
        ("@end >= 0.2", "@ende >= 0.2", "targets = 'domestic_supply_share@ende >= 0.2': "),
        ('largest = "subsidy.annual"', "", "terms with low or high, or largest and of"),
    ],
)
def test_what_a_report_needs_is_checked_with_the_experiment(tmp_path, old, new, sentence):
    path = tmp_path / "both.toml"
    path.write_text(
        SAMPLES.replace(old, new).replace('configs = ["published-2020",', 'configs = ["full-cutoff", "published-2020",')
    )
    with pytest.raises(BadInput, match=re.escape(sentence)):
        load_experiment(path)


def test_a_baseline_is_one_of_the_configs(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(TINY.replace('baseline = "published-2020"', 'baseline = "historic"'))
    with pytest.raises(BadInput, match="baseline = 'historic': must be one of the configs"):
        load_experiment(path)


def test_no_such_result(tmp_path):
    with pytest.raises(BadInput, match="there is no such result folder"):
        read_answer(tmp_path / "nothing")


def assert_covers_the_ensemble(experiment):
    """Every parameter of the calibrated sets is sampled between their ends, and the others over their own range."""
    (part,) = experiment.parts
    problems = []
    sets = read_ensemble(load_world("china-2020"), set(), Path(), problems).sets.values()
    for key in next(iter(sets)):
        assert part.points.factors[key].ends == (min(each[key] for each in sets), max(each[key] for each in sets))
    for key, factor in part.points.factors.items():
        if key not in next(iter(sets)):
            assert factor.ends == (
                load_world("china-2020").parameters[key].low,
                load_world("china-2020").parameters[key].high,
            )
    assert problems == [] and len(part.points.factors) > 60


ANSWERS = [path.stem for path in sorted((ROOT / "experiments").glob("*.toml")) if "[[claims]]" in path.read_text()]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_committed_answer_is_of_its_experiment_and_inputs(name):
    experiment = load_experiment(name)
    text = (ROOT / f"experiments/{name}.md").read_text()
    assert text.startswith(f"# {experiment.question}\n") and escape.markdown(experiment.content["prediction"]) in text
    assert (ROOT / f"experiments/{name}.svg").exists() and f"]({name}.svg)" in text
    assert all(escape.markdown(claim.says) in text for claim in experiment.claims)
    if experiment.answer:
        text = (ROOT / f"experiments/{name}-tables.md").read_text()
    if experiment.ensemble:
        assert experiment.ensemble.hash[:16] in text and len(experiment.parameter_sets) > 1
    elif any(isinstance(part.points, Sample) for part in experiment.parts):
        assert_covers_the_ensemble(experiment)
    assert all(scenario.hash[:16] in text for scenario in experiment.scenarios), "run it and its report again"
    assert len(experiment.seeds) > 1


@pytest.mark.long
def test_an_answer_comes_out_again_byte_for_byte(tmp_path):
    assert run_batch("two-by-two", out=tmp_path / "two-by-two") == 0
    page = page_of(read_answer(tmp_path / "two-by-two"), load_experiment("two-by-two"))
    for name, text in page.files().items():
        assert text == (ROOT / "experiments" / name).read_text()
