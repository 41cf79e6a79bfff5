"""An answer about controls, with the push held and with it answering, on results whose numbers are worked out."""

import csv
import io
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from support.made_study import NOTE, SHARE, made_result
from support.paths import ROOT
from typer.testing import CliRunner

from sim.batch.run import run_batch
from sim.cli.study import study
from sim.compare.push import controls_of, is_of_controls
from sim.experiment.ensemble import ENSEMBLE, read_ensemble
from sim.experiment.file import load_experiment
from sim.results.claims import Claim
from sim.scenario.values import CAUSED
from sim.study.outcomes import read_batch
from sim.study.report.answer import read_answer
from sim.study.report.ends import near_ends
from sim.study.report.figure import figure
from sim.study.report.pages import answer_page, sections
from sim.study.report.words import opening
from sim.world.world import load_world

BACKFILL = "mechanisms.backfill"
# By set: the share without and with controls, with the push held and with it answering, with backfill and without.
SHARES = {
    (True, 0.0): {1: (0.30, 0.25), 2: (0.40, 0.33)},  # bite -0.05 and -0.07
    (True, 1.0): {1: (0.20, 0.25), 2: (0.30, 0.33)},  # total 0.05 and 0.03: answer 0.10 in both
    (False, 0.0): {1: (0.30, 0.10), 2: (0.40, 0.20)},  # bite -0.20 in both
    (False, 1.0): {1: (0.20, 0.10), 2: (0.30, 0.20)},  # total -0.10 in both
}
ON = {"controls.mode": "fixed", "mechanisms.state_programme": True, "mechanisms.security": True, "security.goal": 0.5}
POINTS = [{"controls.severity": severity, CAUSED: level} for severity in (0.0, 0.8) for level in (0.0, 1.0)]


def made(folder, values=ON, points=POINTS, sets=None):
    """A result of one config, two parameter sets and two seeds that make no difference."""
    outcomes = [f"{SHARE}@{at}" for at in ("end", "2025", "2030")]
    head = ["run_id", "config", "parameter_set", "seed", *points[0], BACKFILL, "status", *outcomes]
    runs, series = [head], [["run_id", "config", "parameter_set", "seed", "date", SHARE]]
    number = 0
    for backfill in (True, False):
        for point in points:
            number += 1
            for parameter_set in (1, 2):
                shares = SHARES[backfill, point.get(CAUSED, 1.0)][parameter_set]
                share = shares[point["controls.severity"] > 0]
                for seed in (1, 2):
                    keys = [f"made-{number}-{parameter_set}-{seed}", "made", parameter_set, seed]
                    runs.append([*keys, *point.values(), str(backfill).lower(), "done", *3 * [share]])
                    series.append([*keys, "2035-12-31", share])
    experiment = {
        "name": "made-up",
        "question": "What do they do?",
        "replications": 2,
        "design": {"kind": "list", "points": points},
        "swept": list(points[0]),
        "leave_out": [BACKFILL],
    }
    columns, sets = dict.fromkeys([SHARE, *outcomes], NOTE), sets or {"1": {}, "2": {}}
    return made_result(folder, "made", runs, series, experiment, values, columns, parameter_sets=sets)


@pytest.fixture
def found(tmp_path):
    return read_answer(made(tmp_path / "made-up"))


def test_cases_are_those_in_which_the_push_answers(found):
    assert [case.label for case in found.cases] == ["severity of controls: 0", "severity of controls: 0.8"]
    assert [case.label for case in found.held.cases] == [case.label for case in found.cases]
    (step,) = found.of_controls
    bite, change, total = found.apart(step, SHARE)
    assert (bite.diff, change.diff, total.diff) == (pytest.approx(-0.06), pytest.approx(0.10), pytest.approx(0.04))
    assert (bite.diff_q05, total.diff_q95) == (pytest.approx(-0.069), pytest.approx(0.049))
    assert change.diff_q05 == pytest.approx(0.10) and change.base_mean == pytest.approx(-0.06)
    held = found.held.without(found.bite(step), BACKFILL)
    assert held.row.diff == pytest.approx(-0.20)


def test_the_page_begins_with_the_three(found):
    first, *others = sections(found)
    assert first.title.startswith(
        "Bite, answer and total of the controls: domestic supply share (5 to 95 % of the param"
    )
    assert [row[2] for row in first.rows] == ["2025", "2030", "2035"]
    assert first.rows[-1][3:] == [
        "-6.0 points (-6.9 to -5.1)",
        "10.00 points (10.00 to 10.00)",
        "4.0 points (3.1 to 4.9)",
    ]
    assert "with the push held, the bite is -6.0 points" in opening(found)
    (left_out,) = [section for section in others if section.title.startswith("Which mechanisms")]
    assert left_out.header[1:3] == ["severity of controls 0 → 0.8", "severity of controls 0 → 0.8, bite"]
    assert left_out.rows[1][1].startswith("-10") and left_out.rows[1][2].startswith("-20")
    assert "Where the push is not said to be held, it answers." in answer_page(found, "x.svg")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", figure(found))
    assert "push answering" in texts and "push held" in texts and "severity of controls: 0.8" in texts


def test_a_claim_is_of_the_total_unless_it_says_that_the_push_is_held(found):
    def claim(**held):
        terms = [{"controls.severity": 0.8, **held}, {"times": -1, "controls.severity": 0.0, **held}]
        return Claim.model_validate({"says": "It falls.", "measure": f"{SHARE}@end", "high": 0.0, "terms": terms})

    assert found.verdict(claim()).share == found.verdict(claim(**{CAUSED: 1.0})).share == 0.0
    assert found.verdict(claim(**{CAUSED: 0.0})).share == 1.0
    assert found.verdict(claim(), BACKFILL).share == found.verdict(claim(**{CAUSED: 0.0}), BACKFILL).share == 1.0
    page = answer_page(replace(found, claims=[claim(), claim(**{CAUSED: 0.0})]), "x.svg")
    assert page.count("| It falls. |") == 2


def test_the_table_of_cases_has_both(found, tmp_path):
    said = CliRunner().invoke(study, ["report", str(tmp_path / "made-up"), "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    assert [(row["push"], round(float(row["median"]), 3)) for row in rows] == [
        ("answers", 0.25),
        ("answers", 0.29),
        ("held", 0.35),
        ("held", 0.29),
    ]


POINTS_AT_ONE = [{"controls.severity": severity} for severity in (0.0, 0.8)]


@pytest.mark.parametrize(
    ("own", "sets", "said"),
    [
        ({CAUSED: 0.5}, None, f"made with {CAUSED} = 0.5, so what controls do here is neither bite nor total"),
        (
            {CAUSED: 0.5},
            {"1": {CAUSED: 0.1}, "2": {CAUSED: 0.8}},
            f"made with {CAUSED} drawn with the parameter sets, so what controls do here is neither bite nor total",
        ),
        ({CAUSED: 1.0}, None, f"made with {CAUSED} = 1, so what controls do here is the total alone"),
    ],
)
def test_an_answer_that_is_not_told_apart_says_so(tmp_path, own, sets, said):
    found = read_answer(made(tmp_path / "made-up", {**ON, **own}, POINTS_AT_ONE, sets))
    assert found.held is None and said in opening(found)
    assert not any(section.title.startswith("Bite") for section in sections(found))


def test_without_a_push_nothing_is_said_of_it(tmp_path):
    found = read_answer(made(tmp_path / "made-up", {**ON, "mechanisms.security": False}, POINTS_AT_ONE))
    assert found.of_controls == [] and "bite" not in answer_page(found, "x.svg")


def test_a_sample_is_told_near_both_ends(tmp_path):
    path = tmp_path / "ends.toml"
    path.write_text(
        'question = "?"\nconfigs = ["no-controls", "us-alone", "buy-domestic"]\nbaseline = "no-controls"\n'
        'replications = 1\n[design]\nkind = "sobol"\nsamples = 8\n'
        f'[factors]\n"{CAUSED}" = "range"\n"learning.rate" = "range"\n[record]\nevery = "end"\nmeasures = ["{SHARE}"]\n'
    )
    assert run_batch(path, workers=1, out=tmp_path / "ends") == 0
    told = {of: (held, answering) for of, held, answering in near_ends(read_batch(tmp_path / "ends"), f"{SHARE}@end")}
    with (tmp_path / "ends/runs.csv").open() as file:
        runs = [(run["config"], float(run[CAUSED]), float(run[f"{SHARE}@end"])) for run in csv.DictReader(file)]
    shares = {config: [(place, share) for name, place, share in runs if name == config] for config, _, _ in runs}
    differences = [(place, ours - shares["no-controls"][n][1]) for n, (place, ours) in enumerate(shares["us-alone"])]
    held, answering = told["us-alone less no-controls"]
    assert min(gap for place, gap in differences if place <= 0.1) <= held[1] < answering[1]
    assert answering[1] <= max(gap for place, gap in differences if place >= 0.9)


def test_a_factor_takes_the_place_of_what_the_sets_draw(tmp_path):
    (tmp_path / ENSEMBLE).write_text(f"parameter_set,demand.growth,{CAUSED}\n1,0.05,0.3\n2,0.06,0.7\n")
    world = SimpleNamespace(folder=tmp_path, parameters=load_world("china-2020").parameters)
    problems = []
    assert read_ensemble(world, {CAUSED}, tmp_path, problems).sets == {
        1: {"demand.growth": 0.05},
        2: {"demand.growth": 0.06},
    }
    assert read_ensemble(world, set(), tmp_path, problems).sets[2] == {"demand.growth": 0.06, CAUSED: 0.7}
    assert problems == []
    read_ensemble(world, {"demand.growth"}, tmp_path, problems)
    assert "factors.demand.growth: is set by the ensemble" in problems[0]


OF_OTHER_THINGS = ("lumped", "compute")  # the difference between firms, and what rules do to computing power
ASKED = [path.stem for path in sorted((ROOT / "experiments").glob("*.toml")) if "[[claims]]" in path.read_text()]


@pytest.mark.parametrize("name", [*(name for name in ASKED if name not in OF_OTHER_THINGS), "dated-controls"])
def test_every_answer_about_controls_has_both_ends_of_the_push(name):
    experiment = load_experiment(name)
    configs = [controls_of(scenario.values, scenario.as_dict()["events"]) for scenario in experiment.scenarios]
    varied = set(experiment.swept) - set(experiment.content.get("leave_out", ()))
    if any(config != configs[0] for config in configs) or any(map(is_of_controls, varied)):
        assert CAUSED in varied
    else:
        assert name in ("bottleneck", "returns", "seventy-percent")
