"""Indices of known functions, the share of luck by hand, boxes around a known corner; what is refused."""

import json
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import stats
from support.formulas import Formula, corner, holes, line, product
from support.made_results import signed, vouch
from typer.testing import CliRunner

from sim.batch.run import run_batch
from sim.cli import app
from sim.errors import BadInput
from sim.experiment.designs import Sample
from sim.results.output import UNFINISHED
from sim.study import designed
from sim.study.discovery import Limit, discover, quasi_p
from sim.study.luck import seed_shares, shares_of_seeds
from sim.study.outcomes import IncompleteInput
from sim.study.report.answer import read_answer
from sim.study.sensitivity import HEADER, sensitivity

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
    [verdict] = notes
    assert "not settled with 512 samples: the widest 95 % interval is 0." in verdict
    assert "the first place is open between" in verdict and "from 256 to 512 an index moved by up to 0.0" in verdict


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
    for words in ("severity of controls", "buy-domestic mandate", "Domestic supply share in 2035", "absolute effect"):
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
    vouch(out)
    with pytest.raises(IncompleteInput, match="runs.csv has 79 of 80 runs"):
        sensitivity(out, ["chip_market"])
    (out / "runs.csv").write_text("".join([rows[0], rows[1].replace("done", "failed"), *rows[2:]]))
    vouch(out)
    with pytest.raises(IncompleteInput, match="run published-2020-1-0-1 has status failed"):
        sensitivity(out, ["chip_market"])
    unfinished = tmp_path / "unfinished"
    (unfinished / f"{UNFINISHED}1").mkdir(parents=True)
    with pytest.raises(IncompleteInput, match="is not finished; the same batch command goes on with it"):
        sensitivity(unfinished, ["chip_market"])


def test_other_designs_and_unknown_measures_are_refused(result, tmp_path):
    out = result(HYPERCUBE.replace("400", "5"), line)
    with pytest.raises(BadInput, match="5 points are too few for indices; they need 30, or all combinations of some"):
        sensitivity(out, ["domestic_supply_share"])
    with pytest.raises(BadInput, match="--measure = 'chip_markt': is no outcome .*did you mean 'chip_market@end'"):
        sensitivity(out, ["chip_markt"])
    with pytest.raises(BadInput, match="there is no such result folder"):
        sensitivity(tmp_path / "nothing", ["chip_market"])


def test_a_library_that_draws_other_points_is_refused(result):
    out = result(SOBOL.replace("512", "8"), line)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["experiment"]["drawn"][""] = "0123"
    (out / "manifest.json").write_text(signed(manifest))
    with pytest.raises(BadInput, match="draws other points than the batch had"):
        sensitivity(out, ["domestic_supply_share"])


def test_indices_are_corrected_for_the_luck_in_their_means(result):
    """A product of variance 7/144 with luck of deviation 0.4 in every run: of the means it would be 0.76."""

    def lucky(values, seed):
        chance = np.random.default_rng(
            [seed, *(int(1e9 * values[key]) for key in ("controls.severity", "mandate.domestic"))]
        )
        return [values["controls.severity"] * values["mandate.domestic"] + 0.4 * chance.normal(), 1.0]

    indices, _ = sensitivity(result(SOBOL, lucky, 4), ["domestic_supply_share"])
    found = by_index(indices)
    for factor in ("controls.severity", "mandate.domestic"):
        assert found[factor, "total"].value == pytest.approx(4 / 7, abs=0.15)
        assert found[factor, "first order"].value == pytest.approx(3 / 7, abs=0.15)
    assert "corrected for luck, 4" in found["controls.severity", "total"].flags


def test_what_moves_by_luck_alone_has_no_indices(result):
    def lucky(values, seed):
        chance = np.random.default_rng([seed, int(1e9 * values["controls.severity"])])
        return [chance.normal(), 1.0]

    folder = result(SOBOL.replace("512", "8"), lucky, 2)
    indices, notes = sensitivity(folder, ["domestic_supply_share"])
    factors = [index for index in indices if not index.factor.startswith("(")]
    assert any("by luck alone: no indices" in note for note in notes) == (not factors)


def test_few_samples_and_one_seed_are_said(result):
    indices, _ = sensitivity(result(SOBOL.replace("512", "8"), product, 1), ["domestic_supply_share"])
    found = by_index(indices)["controls.severity", "total"]
    assert "one seed: holds its luck" in found.flags and "few samples: the interval is unsure below 64" in found.flags


def test_an_index_beyond_its_range_is_flagged():
    sample = Sample("sobol", dict.fromkeys("ab"), 8, 1)
    beyond = [
        row for row in designed.sobol(sample, np.exp(9 * sample.units[:, 0]), 0.0, 2) if not -0.01 <= row[2] <= 1.01
    ]
    assert beyond and all("beyond 0 to 1, which no index is" in row[5] for row in beyond)


def test_effects_of_a_morris_design_are_those_of_salib():
    from SALib.analyze import morris

    sample = Sample("morris", dict.fromkeys("abc"), 12, 3)
    means = sample.units[:, 0] * sample.units[:, 1] + np.exp(sample.units[:, 2])
    known = morris.analyze(sample.problem, sample.units, means, num_levels=4, num_resamples=2)
    effects = designed.elementary_effects(sample, means)
    assert effects.mean(axis=0) == pytest.approx(known["mu"])
    assert abs(effects).mean(axis=0) == pytest.approx(known["mu_star"])
    rows = {row[:2]: row for row in designed.morris(sample, means, 0.0, 2)}
    interval = stats.ttest_1samp(effects[:, 2], 0).confidence_interval()
    assert rows["c", "mean effect"][3:5] == pytest.approx((interval.low, interval.high))


def test_the_share_of_seeds_has_an_interval_from_ten_seeds_on():
    """The jackknife by hand, on the logit: 9/10 of the squares over seeds, 19/20 over groups of points."""
    g = np.random.default_rng(6)
    values = g.normal(size=(40, 1)) + g.normal(size=10) + 0.5 * g.normal(size=(40, 10))
    [row, _] = shares_of_seeds(values)

    def logit(table):
        share = seed_shares(table)[0]
        return np.log(share / (1 - share))

    seeds = [logit(np.delete(values, seed, axis=1)) for seed in range(10)]
    groups = [logit(np.delete(values, [2 * group, 2 * group + 1], axis=0)) for group in range(20)]
    variance = 9 * np.var(seeds) + 19 * np.var(groups)
    for end, sign in ((row[2], -1), (row[3], 1)):
        assert np.log(end / (1 - end)) == pytest.approx(logit(values) + sign * stats.t.ppf(0.975, 9) * variance**0.5)
    assert [row[2:4] for row in shares_of_seeds(values[:, :9])] == [(None, None)] * 2


def test_quasi_p_values_by_hand():
    """Of ten points in a box eight get there, of twenty without its limit ten.

    That eight or more of the ten are among any ten of the twenty: (45 x 45 + 10 x 10 + 1) of 184,756 ways.
    """
    factors = {"x": np.repeat([0.0, 1.0], 10), "y": np.tile([0.0, 1.0], 10)}
    reached = np.array([True] * 8 + [False] * 2 + [True] * 2 + [False] * 8)
    limit = Limit("x", None, 0.5)
    everywhere = np.ones(20, bool)
    exact = 2126 / 184756
    assert quasi_p(limit, [limit], factors, reached, everywhere, {"x": np.arange(20)}) == pytest.approx(exact)
    # Two seeds of the same points say no more than one.
    twice = {name: np.repeat(values, 2) for name, values in factors.items()}
    points = {"x": np.repeat(np.arange(20), 2)}
    again = quasi_p(limit, [limit], twice, np.repeat(reached, 2), np.ones(40, bool), points)
    assert again == pytest.approx(exact)
    # Of what the sets vary two sets are two points, 0.8 and 0.2 of whose runs get there: one of two is the better one.
    sets = {"x": np.repeat([1, 2], 10)}
    assert quasi_p(limit, [limit], factors, reached, everywhere, sets) == pytest.approx(0.5, abs=0.02)


def test_a_factor_that_does_nothing_is_not_restricted(result):
    restricted = [
        limit.factor for limit in discover(result(HYPERCUBE, corner), "domestic_supply_share >= 0.5").boxes[0].limits
    ]
    assert sorted(restricted) == ["controls.severity", "mandate.domestic"]


def test_what_chance_alone_does_has_no_box(result):
    def chance(values, seed):
        return [np.random.default_rng([seed, int(1e9 * values["controls.severity"])]).random(), 1.0]

    found = discover(result(HYPERCUBE.replace("400", "150"), chance, 1), "domestic_supply_share >= 0.7")
    assert found.boxes == () and found.rows() == []
    assert "no box holds a larger part of them than all runs do" in found.sentence()


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
    for target, count in (("domestic_supply_share >= 1", 0), ("domestic_supply_share <= 1", 200)):
        said = CliRunner().invoke(app, ["study", "discover", str(out), "--target", target])
        assert said.exit_code == 0
        assert f"{count} of 200 runs reach" in said.stderr and "so there is no corner to find" in said.stderr
    said = CliRunner().invoke(app, ["study", "discover", str(out), "--target", "domestic_supply_share >= 30"])
    assert "a share is from 0 to 1; 30 % would be 0.3" in str(said.exception)
    said = CliRunner().invoke(app, ["study", "discover", str(out), "--target", "domestic_supply_share > 2"])
    assert isinstance(said.exception, BadInput)
    assert "--target" in str(said.exception) and "must be a name, >= or <=, and a number" in str(said.exception)


@pytest.mark.parametrize(
    ("design", "verb"), [(MORRIS, "study sensitivity {}$"), (HYPERCUBE, "study discover {} --target TARGET$")]
)
def test_a_report_of_a_sample_without_targets_names_the_verb_that_tells(result, design, verb):
    out = result(design.replace("400", "5"), line)
    with pytest.raises(BadInput, match=f"has only the design .* without targets .*; use decoupling {verb.format(out)}"):
        read_answer(out)


def test_several_targets_have_to_be_met_in_the_same_run(result):
    """One is met where x is above 0.6, the other where y is below 0.4: both in that corner, 0.16 of the space."""

    def apart(values, seed):
        return [values["controls.severity"], 1 - values["mandate.domestic"]]

    targets = ["domestic_supply_share >= 0.6", "chip_market >= 0.6"]
    found = discover(result(HYPERCUBE, apart), [*targets, targets[0]])
    assert [goal.met for goal in found.goals] == [320, 320]  # of 800 runs, as a Latin hypercube has it
    assert found.reached == pytest.approx(0.16 * 800, rel=0.15)
    (box,) = found.boxes
    limits = {limit.factor: (limit.low, limit.high) for limit in box.limits}
    assert set(limits) == {"controls.severity", "mandate.domestic"} and box.density > 0.8
    said = found.sentence()
    assert said.startswith(f"{found.reached} of 800 runs reach domestic_supply_share >= 0.6 and chip_market >= 0.6 (")
    assert "domestic_supply_share >= 0.6 alone 320, chip_market >= 0.6 alone 320)" in said


def test_targets_that_no_run_reaches_together(result):
    def against(values, seed):
        return [values["controls.severity"], 1 - values["controls.severity"]]

    found = discover(result(HYPERCUBE, against), ["domestic_supply_share >= 0.6", "chip_market >= 0.6"])
    assert (found.reached, found.boxes) == (0, ())
    assert "chip_market goes from 0.00" in found.sentence() and "no corner to find" in found.sentence()


def test_the_points_of_a_design_are_not_made_more_by_parameter_sets(result):
    """Eight points that differ by chance alone, each run with 256 sets: no box in what they vary."""
    points = np.random.default_rng(3).random(8).round(3).tolist()
    listed = ", ".join(f'{{ "controls.severity" = {x} }}' for x in points)
    design = f'parameters = "ensemble"\n[design]\nkind = "list"\npoints = [{listed}]'

    def chance(values, seed):
        return [float(values["controls.severity"] in sorted(points)[3:5]), 1.0]

    record = '[record]\nmeasures = ["domestic_supply_share", "chip_market"]\n'
    found = discover(result(design, chance, 1, record), "domestic_supply_share >= 0.5")
    assert found.reached == 2 * 256 and found.boxes == ()


def test_the_verb_discover_writes_a_table_and_a_figure(result):
    out = result(HYPERCUBE, corner)
    line = ["study", "discover", str(out), "--target", "domestic_supply_share>=0.5", "--target", "chip_market >= 1"]
    said = CliRunner().invoke(app, [*line, "--format", "csv"])
    assert said.exit_code == 0, said.stderr
    assert (out / "discovery.csv").read_text() == said.stdout
    text = (out / "discovery.svg").read_text()
    assert "severity of controls: at least 0." in text and "“Domestic supply share” in 2035 is at least" in text
