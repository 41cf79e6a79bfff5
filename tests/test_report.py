"""The report of an experiment, on results whose numbers are worked out by hand, and on one tiny batch."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from made_results import write
from typer.testing import CliRunner

from sim import records
from sim.batch import run_batch
from sim.experiment import load_experiment
from sim.study import report, report_files
from sim.study.commands import study
from sim.study.outcomes import IncompleteInput
from sim.study.report import read_study
from sim.study.report_text import answer_page, figure, sections
from sim.vocabulary import BadInput

ROOT = Path(__file__).parent.parent
SHARE = "domestic_supply_share"
DESIGN = {
    "kind": "list",
    "points": [
        {"controls.severity": 0.0, "mechanisms.caution": True},
        {"controls.severity": 0.8, "mechanisms.caution": True},
        {"controls.severity": 0.0, "mechanisms.caution": False},
        {"controls.severity": 0.8, "mechanisms.caution": False},
    ],
}
# By set and seed: the share at each point. Caution on: -0.10 and -0.12 in set 1, -0.30 and -0.28 in set 2.
# Caution off: -0.05 in set 1, +0.01 in set 2.
VALUES = {
    (1, 1): (0.40, 0.30, 0.45, 0.40),
    (1, 2): (0.42, 0.30, 0.47, 0.42),
    (2, 1): (0.50, 0.20, 0.45, 0.46),
    (2, 2): (0.48, 0.20, 0.43, 0.44),
}


def made(folder, failed=False):
    """A result of four points, two parameter sets and two seeds."""
    outcomes = [f"{SHARE}@{at}" for at in ("end", "2025", "2030", "peak")]
    head = ["run_id", "config", "parameter_set", "seed", *DESIGN["points"][0], "status", *outcomes]
    runs, series = [head], [[*head[:4], "date", SHARE]]
    for point, changes in enumerate(DESIGN["points"]):
        for (parameter_set, seed), shares in VALUES.items():
            keys = [f"neutral-{point + 1}-{parameter_set}-{seed}", "neutral", parameter_set, seed]
            swept = [str(held).lower() for held in changes.values()]
            gone = failed and not runs[1:]
            runs.append([*keys, *swept, "failed" if gone else "done", *(4 * [""] if gone else 4 * [shares[point]])])
            series += [[*keys, f"{year}-12-31", share] for year, share in ((2034, 0.4), (2035, shares[point]))]
    texts = ["".join(",".join(map(str, row)) + "\n" for row in table) for table in (runs, series)]
    note = {"unit": "0 to 1", "direction": "higher", "kind": "ratio"}
    experiment = {
        "name": "made-up",
        "question": "Does <caution> matter?",
        "prediction": "No.",
        "configs": ["neutral"],
        "design": DESIGN,
        "factors": {},
        "swept": list(DESIGN["points"][0]),
        "record": {"every": "year", "measures": [SHARE]},
    }
    return write(
        folder,
        texts[0],
        "neutral",
        texts[1],
        experiment=experiment,
        seeds=[1, 2],
        files={},
        record={"every": "year", "measures": [SHARE]},
        scenarios={"neutral": {"hash": "ab" * 16, "values": {"controls.mode": "events"}}},
        columns={SHARE: note, **dict.fromkeys(outcomes, note)},
    )


@pytest.fixture
def found(tmp_path):
    return read_study(made(tmp_path / "made-up"))


def test_a_case_is_called_by_what_differs_from_the_reference(found):
    assert [case.label for case in found.cases] == [
        "controls.severity = 0",
        "controls.severity = 0.8",
        "controls.severity = 0, mechanisms.caution = false",
        "controls.severity = 0.8, mechanisms.caution = false",
    ]


def test_steps_change_one_key_and_are_paired(found):
    steps = [(step.change, dict(step.context).get("mechanisms.caution")) for step in found.steps]
    assert steps[:2] == [("controls.severity 0 → 0.8", True), ("controls.severity 0 → 0.8", False)]
    assert len(steps) == 4
    whole = found.steps[0].row
    # set 1: the mean of -0.10 and -0.12, set 2: of -0.30 and -0.28; the median of two numbers is their mean
    assert whole.diff == pytest.approx(-0.20) and whole.diff_q50 == pytest.approx(-0.20)
    assert whole.diff_q05 == pytest.approx(-0.29 + 0.05 * 0.18) and whole.share_same_sign == 1.0


def test_what_is_left_without_a_mechanism(found):
    (turn,) = found.turns
    assert turn.key == "mechanisms.caution"
    # set 1: -0.05 + 0.11 = 0.06; set 2: 0.01 + 0.29 = 0.30
    assert turn.row.diff == pytest.approx(0.18)
    assert turn.row.diff_q95 == pytest.approx(0.06 + 0.95 * 0.24)
    titles = [section.title for section in sections(found)]
    assert "Which mechanisms it hangs on, each left out in turn" in titles


def test_what_a_seed_adds(found):
    # at the reference the two seeds differ by 0.02 in each set: variance 0.0002
    assert found.seeds_add(found.cases[0], SHARE) == pytest.approx(0.0002**0.5)
    # the first step: -0.10 against -0.12 and -0.30 against -0.28
    assert found.seeds_add_to(found.steps[0]) == pytest.approx(0.0002**0.5)


def test_a_sign_is_told_only_as_long_as_it_lasts(found):
    assert found.clear_since(found.cases[1]) == "2035"  # in 2034 all are equal
    assert found.clear_since(found.cases[2]) == ""  # the two sets do not agree


def test_a_page_says_all_of_it(found, tmp_path):
    report_files.write([found], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text()
    assert "Does &lt;caution&gt; matter?" in page and "<caution>" not in page and "<svg" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)  # nothing from elsewhere
    text = (tmp_path / "out/report.md").read_text()
    assert "*Predicted before running:* No." in text and "-20.0 points" in text.replace("-20 points", "-20.0 points")
    assert "Program bb" in text and "numpy 2.5.5" in text
    assert "bb" not in re.findall(r"Program (\w+)", answer_page(found, "made-up.svg"))


def test_equal_results_give_equal_bytes(found, tmp_path):
    again = read_study(made(tmp_path / "again"))
    assert figure(found) == figure(again)
    assert answer_page(found, "x.svg") == answer_page(again, "x.svg")
    assert "<dc:date>" not in figure(found)


def test_a_failed_run_is_incomplete_input(tmp_path):
    with pytest.raises(IncompleteInput, match="1 of its 16 runs failed"):
        read_study(made(tmp_path / "made-up", failed=True))


TINY = """
question = "Does a subsidy help?"
prediction = "Yes."
configs = ["published-2020", "no-controls"]
baseline = "published-2020"
replications = 2
[factors]
"subsidy.annual" = [0, 400]
[record]
every = "year"
measures = ["domestic_supply_share", "subsidy_spent"]
[[claims]]
says = "It helps."
measure = "domestic_supply_share@end"
low = 0
terms = [
    { config = "no-controls", "subsidy.annual" = 400 },
    { times = -1, config = "no-controls", "subsidy.annual" = 0 },
]
[[claims]]
says = "It is as dear as a thousand."
measure = "subsidy_spent@2025"
low = 1000
terms = [{ config = "no-controls", "subsidy.annual" = 400 }]
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of a project with one experiment, and its result."""
    root = tmp_path_factory.mktemp("project")
    (root / "experiments").mkdir()
    (root / "experiments/tiny.toml").write_text(TINY)
    assert run_batch(root / "experiments/tiny.toml", workers=1, out=root / "results/tiny") == 0
    return root


@pytest.fixture
def project(tiny, monkeypatch):
    monkeypatch.setattr(report, "project_root", lambda: tiny)
    return tiny


def test_an_answer_is_written_beside_its_experiment(project):
    result = CliRunner().invoke(study, ["report", str(project / "results/tiny"), "--format", "csv"])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["case"] for row in rows][::2] == [
        "published-2020",
        "published-2020, subsidy.annual = 400",
        "no-controls",
        "no-controls, subsidy.annual = 400",
    ]
    with (project / "results/tiny/runs.csv").open() as file:
        runs = [r for r in csv.DictReader(file) if (r["config"], r["subsidy.annual"]) == ("published-2020", "400")]
    both = sorted(float(run["domestic_supply_share@end"]) for run in runs)
    assert float(rows[2]["median"]) == pytest.approx(sum(both) / 2)
    answer = (project / "experiments/tiny.md").read_text()
    assert "| It helps. |" in answer and "| It is as dear as a thousand. |" in answer and "did not come out" in answer
    assert (project / "experiments/tiny.svg").read_text().startswith("<svg")
    first = answer, (project / "experiments/tiny.svg").read_bytes()
    assert CliRunner().invoke(study, ["report", str(project / "results/tiny")]).exit_code == 0
    assert ((project / "experiments/tiny.md").read_text(), (project / "experiments/tiny.svg").read_bytes()) == first


def test_another_experiment_of_that_name_gets_no_answer(project, tmp_path):
    shutil.copytree(project / "results/tiny", tmp_path / "tiny")
    manifest = json.loads((tmp_path / "tiny" / records.MANIFEST).read_text())
    manifest["experiment"]["question"] = "Another?"
    (tmp_path / "tiny" / records.MANIFEST).write_text(json.dumps(manifest))
    assert report_files.write_answer(read_study(tmp_path / "tiny")) is None


def test_a_claim_must_name_one_case(project):
    path = project / "experiments/tiny.toml"
    try:
        path.write_text(TINY.replace('terms = [{ config = "no-controls", ', "terms = [{ "))
        with pytest.raises(BadInput, match="is 2 cases and must be one"):
            read_study(project / "results/tiny")
        path.write_text(TINY.replace("subsidy_spent@2025", "subsidy_spent@2026"))
        with pytest.raises(BadInput, match="subsidy_spent@2026 is no outcome"):
            read_study(project / "results/tiny")
    finally:
        path.write_text(TINY)


def test_a_baseline_is_one_of_the_configs(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(TINY.replace('baseline = "published-2020"', 'baseline = "historic"'))
    with pytest.raises(BadInput, match="baseline = 'historic': must be one of the configs"):
        load_experiment(path)


def test_no_such_result(tmp_path):
    with pytest.raises(BadInput, match="there is no such result folder"):
        read_study(tmp_path / "nothing")


ANSWERS = [path.stem for path in sorted((ROOT / "experiments").glob("*.toml")) if "[[claims]]" in path.read_text()]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_committed_answer_is_of_its_experiment_and_inputs(name):
    experiment = load_experiment(name)
    text = (ROOT / f"experiments/{name}.md").read_text()
    assert text.startswith(f"# {experiment.question}\n") and experiment.content["prediction"] in text
    assert (ROOT / f"experiments/{name}.svg").exists() and f"]({name}.svg)" in text
    assert experiment.ensemble and experiment.ensemble.hash[:16] in text
    assert all(scenario.hash[:16] in text for scenario in experiment.scenarios), "run it and its report again"
    assert experiment.replications > 1 and len(experiment.parameter_sets) > 1
    assert all(claim.says in text for claim in experiment.claims)


@pytest.mark.long
def test_an_answer_comes_out_again_byte_for_byte(tmp_path):
    assert run_batch("two-by-two", out=tmp_path / "two-by-two") == 0
    found = read_study(tmp_path / "two-by-two")
    assert answer_page(found, "two-by-two.svg") == (ROOT / "experiments/two-by-two.md").read_text()
    assert figure(found) == (ROOT / "experiments/two-by-two.svg").read_text()
