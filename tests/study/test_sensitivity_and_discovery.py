"""Indices of known functions, the share of luck by hand, boxes around a known corner; what is refused."""

import json
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from support.formulas import Formula, corner, holes, line, product
from typer.testing import CliRunner

from sim.batch.run import run_batch
from sim.cli import app
from sim.errors import BadInput
from sim.results.output import UNFINISHED
from sim.study.discovery import discover
from sim.study.outcomes import IncompleteInput
from sim.study.sensitivity import HEADER, seed_shares, sensitivity

FACTORS = """
[factors]
"subsidy.annual" = { low = 0.0, high = 200.0 }
"mandate.domestic" = { low = 0.0, high = 1.0 }
"controls.severity" = { low = 0.0, high = 1.0 }
[record]
measures = ["domestic_supply_share", "chip_market"]
"""


@pytest.fixture
def result(tmp_path):
    """Run an experiment of a formula; the answer is its folder."""

    def run(design, formula, replications=2, factors=FACTORS):
        path = tmp_path / "question.toml"
        path.write_text(
            f'question = "Which?"\nconfigs = ["published-2020"]\nreplications = {replications}\n{design}\n{factors}'
        )
        out = tmp_path / "result"
        run_batch(path, workers=1, out=out, build=partial(Formula, formula))
        return out

    return run


SOBOL = '[design]\nkind = "sobol"\nsamples = 512'
MORRIS = '[design]\nkind = "morris"\ntrajectories = 8'
HYPERCUBE = '[design]\nkind = "latin-hypercube"\nsamples = 400'


def by_index(indices, outcome="domestic_supply_share@end"):
    return {(index.factor, index.index): index for index in indices if index.outcome == outcome}


def test_sobol_indices_of_a_product(result):
    indices, notes = sensitivity(result(SOBOL, product), ["domestic_supply_share"])
    found = by_index(indices)
    for factor in ("controls.severity", "mandate.domestic"):
        assert found[factor, "first order"].value == pytest.approx(3 / 7, abs=0.03)
        assert found[factor, "total"].value == pytest.approx(4 / 7, abs=0.03)
        for index, exact in (("first order", 3 / 7), ("total", 4 / 7)):
            assert found[factor, index].low < exact < found[factor, index].high
            assert found[factor, index].high - found[factor, index].low < 0.4
    assert found["subsidy.annual", "total"].value == pytest.approx(0.0, abs=1e-12)
    assert found["subsidy.annual", "total"].low is None
    assert found["(seeds)", "share of variance"].value == pytest.approx(0.0, abs=1e-12)
    assert notes == []


def test_morris_effects_of_a_line(result):
    indices, _ = sensitivity(result(MORRIS, line), ["domestic_supply_share", "chip_market@2030"])
    found = by_index(indices)
    expected = {"controls.severity": 2.0, "mandate.domestic": 5.0, "subsidy.annual": 0.0}
    for factor, effect in expected.items():
        assert found[factor, "mean absolute effect"].value == pytest.approx(effect)
        assert found[factor, "mean effect"].value == pytest.approx(effect)
        assert found[factor, "spread of effects"].value == pytest.approx(0.0, abs=1e-12)
        assert found[factor, "mean absolute effect"].low is None  # the same in all trajectories is not certain
        assert "the same in all 8 trajectories" in found[factor, "mean effect"].flags
    market = by_index(indices, "chip_market@2030")
    assert market["subsidy.annual", "mean absolute effect"].value == pytest.approx(2.0)


def test_the_share_of_seeds_by_hand():
    """Points 1, 5 and seeds 0, 2 added: mean squares 16 and 4, none left; so variances 8 and 2, and 2 of 10."""
    assert seed_shares(np.array([[1.0, 3.0], [5.0, 7.0]])) == (pytest.approx(0.2), 0.0)
    # Seeds that act oppositely at two points are all interaction: mean squares 0, 0 and 4.
    assert seed_shares(np.array([[1.0, 3.0], [3.0, 1.0]])) == (pytest.approx(1.0), pytest.approx(1.0))
    assert seed_shares(np.array([[2.0, 2.0], [2.0, 2.0]])) == (0.0, 0.0)


def test_the_share_of_seeds_is_stated_apart(result):
    """The line's second measure is 0.01 z, uniform over 2 with variance 1/3, and seeds 1, 2, 3 with variance 1."""
    indices, _ = sensitivity(result(SOBOL, line, 3), ["chip_market"])
    found = by_index(indices, "chip_market@end")
    share = found["(seeds)", "share of variance"]
    assert share.value == pytest.approx(1 / (1 + 1 / 3), abs=0.01)
    assert (share.low, share.high, share.flags) == (None, None, "3 seeds: no interval below 10")
    assert found["(seeds)", "share of variance, differing between points"].value == pytest.approx(0.0, abs=1e-9)
    assert found["subsidy.annual", "first order"].value == pytest.approx(1.0, abs=0.05)


def test_one_seed_says_nothing_of_luck_and_what_stands_still_has_no_indices(result):
    indices, notes = sensitivity(result(SOBOL.replace("512", "8"), product, 1), ["chip_market"])
    assert indices == []
    assert notes == [
        "chip_market@end of published-2020 is the same at every point: no indices",
        "One seed: what is due to luck cannot be told; give replications = 2 or more",
    ]


def test_each_part_of_an_experiment_has_its_own_indices(result):
    parts = (
        '[parts.screening]\ndesign = { kind = "morris", trajectories = 6 }\n'
        'factors = { "controls.severity" = "range", "mandate.domestic" = { low = 0.0, high = 1.0 } }\n'
        '[parts.steps.factors]\n"controls.severity" = [0.0, 1.0]\n'
        '[parts.shares]\ndesign = { kind = "sobol", samples = 128 }\n'
        'factors = { "controls.severity" = "range", "mandate.domestic" = { low = 0.5, high = 1.0 } }\n'
        '[record]\nmeasures = ["domestic_supply_share", "chip_market"]\n'
    )
    indices, _ = sensitivity(result("", line, factors=parts), ["domestic_supply_share"])
    found = {(index.part, index.factor, index.index): index.value for index in indices}
    assert {part for part, *_ in found} == {"screening", "shares"}
    assert found["screening", "mandate.domestic", "mean effect"] == pytest.approx(5.0)
    # 2 x over 1 and 5 y over one half: variances as 4 to 6.25
    assert found["shares", "controls.severity", "first order"] == pytest.approx(4 / 10.25, abs=0.05)


def test_differences_to_a_baseline_have_indices_of_their_own(tmp_path):
    """Without controls 2 x + 5 y, with them 7 x + 5 y: the difference is 5 x, all of it the first factor's."""

    def formula(values, seed):
        return [
            2 * values["controls.severity"] * (3.5 if values["mechanisms.retaliation"] else 1.0)
            + 5 * values["mandate.domestic"],
            1.0,
        ]

    path = tmp_path / "question.toml"
    (tmp_path / "other.toml").write_text(
        'purpose = "Other"\nextends = "published-2020"\n[mechanisms]\nretaliation = false\n'
    )
    head = 'question = "Which?"\nconfigs = ["published-2020", "other.toml"]\nbaseline = "other"\nreplications = 2\n'
    path.write_text(f"{head}{SOBOL}\n{FACTORS}")
    run_batch(path, workers=1, out=tmp_path / "result", build=partial(Formula, formula))
    indices, _ = sensitivity(tmp_path / "result", ["domestic_supply_share"])
    found = {(index.config, index.factor, index.index): index for index in indices}
    of = "published-2020 less other"
    assert found[of, "controls.severity", "total"].value == pytest.approx(1.0, abs=0.02)
    assert found[of, "mandate.domestic", "total"].value == pytest.approx(0.0, abs=1e-9)
    middle = found[of, "(points)", "median, 5 to 95 % of points"]  # of 5 x, x even over 0 to 1
    assert (middle.value, middle.low, middle.high) == pytest.approx((2.5, 0.25, 4.75), abs=0.02)


def test_the_verb_writes_a_table_and_a_figure(result, tmp_path):
    out = result(MORRIS, line)
    said = CliRunner().invoke(app, ["study", "sensitivity", str(out), "--format", "csv"])
    assert said.exit_code == 0, said.stderr
    assert said.stdout.splitlines()[0] == ",".join(HEADER)
    assert (out / "sensitivity.csv").read_text() == said.stdout
    text = (out / "sensitivity.svg").read_text()
    assert ElementTree.fromstring(text).tag.endswith("svg")
    for words in ("controls.severity", "mandate.domestic", "domestic_supply_share@end", "mean absolute effect"):
        assert words in text
    elsewhere = tmp_path / "elsewhere"
    said = CliRunner().invoke(app, ["study", "sensitivity", str(out), "--out", str(elsewhere), "--format", "json"])
    assert len(json.loads(said.stdout)) == 3 * 3 + 1 + 2  # the median and the shares of seeds besides
    assert (elsewhere / "sensitivity.svg").read_text() == text


def test_a_result_that_is_not_finished_or_failed_or_has_holes_is_refused(result, tmp_path):
    out = result(SOBOL.replace("512", "8"), holes)
    with pytest.raises(IncompleteInput, match=r"run published-2020-\d+-0-1 has no value of domestic_supply_share@end"):
        sensitivity(out, ["domestic_supply_share"])
    sensitivity(out, ["chip_market"])
    said = CliRunner().invoke(app, ["study", "sensitivity", str(out)])
    assert said.exit_code == 3 and said.stdout == ""
    assert "this study needs a finite value of every run" in said.stderr
    said = CliRunner().invoke(app, ["study", "discover", str(out), "--target", "domestic_supply_share>=0.5"])
    assert said.exit_code == 3

    rows = (out / "runs.csv").read_text().splitlines(keepends=True)
    (out / "runs.csv").write_text("".join(rows[:-1]))
    with pytest.raises(IncompleteInput, match="runs.csv has 79 of 80 runs"):
        sensitivity(out, ["chip_market"])
    (out / "runs.csv").write_text("".join([rows[0], rows[1].replace("done", "failed"), *rows[2:]]))
    with pytest.raises(IncompleteInput, match="run published-2020-1-0-1 has status failed"):
        sensitivity(out, ["chip_market"])
    unfinished = tmp_path / "unfinished"
    (unfinished / f"{UNFINISHED}1").mkdir(parents=True)
    with pytest.raises(IncompleteInput, match="is not finished; the same batch command goes on with it"):
        sensitivity(unfinished, ["chip_market"])


def test_other_designs_and_unknown_measures_are_refused(result, tmp_path):
    out = result(HYPERCUBE.replace("400", "5"), line)
    with pytest.raises(BadInput, match='has the design latin-hypercube; indices need kind = "sobol" or "morris"'):
        sensitivity(out, ["domestic_supply_share"])
    with pytest.raises(BadInput, match="--measure = 'chip_markt': is no outcome .*did you mean 'chip_market@end'"):
        sensitivity(out, ["chip_markt"])
    with pytest.raises(BadInput, match="there is no such result folder"):
        sensitivity(tmp_path / "nothing", ["chip_market"])


def test_a_library_that_draws_other_points_is_refused(result):
    out = result(SOBOL.replace("512", "8"), line)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["experiment"]["drawn"][""] = "0123"
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInput, match="draws other points than the batch had"):
        sensitivity(out, ["domestic_supply_share"])


def test_a_known_corner_is_found(result):
    found = discover(result(HYPERCUBE, corner), "domestic_supply_share >= 0.5")
    assert found.runs == 800
    # 0.4 x 0.4 of the space
    assert found.reached == pytest.approx(0.16 * 800, rel=0.15)
    box = found.boxes[0]
    assert box.coverage > 0.8 and box.density >= 0.8
    limits = {limit.factor: limit for limit in box.limits}
    assert limits["controls.severity"].low == pytest.approx(0.6, abs=0.06)
    assert limits["controls.severity"].high is None
    assert limits["mandate.domestic"].high == pytest.approx(0.4, abs=0.06)


def test_only_the_sampled_parts_count_where_there_are_some(result):
    parts = FACTORS.replace(
        "[factors]", '[parts.between]\ndesign = { kind = "latin-hypercube", samples = 400 }\n[parts.between.factors]'
    )
    parts = parts.replace("[record]", '[parts.ends.factors]\n"controls.severity" = [0.0, 1.0]\n[record]')
    assert discover(result("", corner, factors=parts), "domestic_supply_share >= 0.5").runs == 800


def test_words_and_an_outcome_by_name(result):
    factors = FACTORS.replace("[factors]", '[factors]\n"subsidy.allocation" = ["uniform", "market", "leader"]')

    def formula(values, seed):
        return [0.9 if values["subsidy.allocation"] == "leader" else 0.1, 1.0]

    found = discover(result(HYPERCUBE, formula, 1, factors), "domestic_supply_share@2030>=0.5")
    (box,) = found.boxes
    assert (box.coverage, box.density) == (1.0, 1.0)
    assert {limit.factor: limit.values for limit in box.limits if limit.values} == {"subsidy.allocation": ("leader",)}
    assert "box 1 (subsidy.allocation leader) holds 100%" in found.sentence()


def test_the_verb_discover(result):
    out = result(HYPERCUBE.replace("400", "100"), corner)
    said = CliRunner().invoke(
        app, ["study", "discover", str(out), "--target", "domestic_supply_share>=0.5", "--format", "csv"]
    )
    assert said.exit_code == 0, said.stderr
    assert said.stdout.splitlines()[0] == "box,coverage,density,runs,factor,low,high,values,quasi_p"
    assert "of 200 runs reach domestic_supply_share >= 0.5; box 1 (" in said.stderr
    for target, count in (("domestic_supply_share >= 2", 0), ("domestic_supply_share <= 2", 200)):
        said = CliRunner().invoke(app, ["study", "discover", str(out), "--target", target])
        assert said.exit_code == 0
        assert f"{count} of 200 runs reach" in said.stderr and "so there is no corner to find" in said.stderr
    said = CliRunner().invoke(app, ["study", "discover", str(out), "--target", "domestic_supply_share > 2"])
    assert isinstance(said.exception, BadInput)
    assert "--target" in str(said.exception) and "must be a name, >= or <=, and a number" in str(said.exception)
