"""Shares of variance and PAWN of known functions, by hand, by their formulas and by SALib; what is refused."""

from functools import partial

import numpy as np
import pytest
from SALib.analyze import pawn
from support.formulas import Formula, line

from sim.batch.run import run_batch
from sim.errors import BadInput
from sim.study.given_data import DUMMY, PAWN, SHARE, Sliced, of_sample
from sim.study.grids import grid_of, of_grid
from sim.study.sensitivity import WHOLE, sensitivity

HEAD = 'question = "Which?"\nconfigs = ["published-2020"]\n'
RECORD = '[record]\nmeasures = ["domestic_supply_share", "chip_market"]\n'


@pytest.fixture
def result(tmp_path):
    """Run an experiment of a formula; the answer is its folder."""

    def run(text, formula, replications=2):
        path = tmp_path / "question.toml"
        path.write_text(f"{HEAD}replications = {replications}\n{text}\n{RECORD}")
        run_batch(path, workers=1, out=tmp_path / "result", build=partial(Formula, formula))
        return tmp_path / "result"

    return run


def ishigami(units):
    """Variance 13.845; the parts that go with one factor alone are 0.3139, 0.4424 and 0 (Ishigami and Homma 1990)."""
    x = np.pi * (2 * units - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ranked(units, values, luck=0.0):
    factors = {f"x{place}": column.tolist() for place, column in enumerate(units.T)}
    return {row[:2]: row for row in of_sample(factors, values, luck)}


def test_a_share_by_hand():
    """Means 2 and 6 of two each: 16 between, 4 within on two degrees of freedom, so (16 - 2) of 20."""
    sliced = Sliced.of([["a", "a", "b", "b"]], SHARE)
    values = np.array([1.0, 3.0, 5.0, 7.0])
    assert sliced.shares(values) == pytest.approx([0.7])
    # Luck of variance 0.5 in each is 1.5 of the 20, and of no factor.
    assert sliced.shares(values, 0.5) == pytest.approx([14 / 18.5])


def test_pawn_by_hand():
    """Of 1, 2 | 3, 4 the distributions of the halves are 1 and 0 where that of all is a half."""
    assert Sliced.of([["a", "a", "b", "b"]], PAWN).pawn(np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx([0.5])
    # Equal outcomes are one step: nothing differs.
    assert Sliced.of([["a", "b", "a", "b"]], PAWN).pawn(np.array([1.0, 1.0, 3.0, 3.0])) == pytest.approx([0.0])


def test_ishigami_from_a_plain_random_sample():
    units = np.random.default_rng(4).random((1500, 4))
    found = ranked(units, ishigami(units))
    for factor, exact in {"x0": 0.3139, "x1": 0.4424, "x2": 0.0, "x3": 0.0}.items():
        _, _, value, low, high, _ = found[factor, SHARE]
        assert low < exact < high and high - low < 0.12 and value == pytest.approx(exact, abs=0.05)
    known = pawn.analyze({"num_vars": 4, "names": list("abcd"), "bounds": [[0, 1]] * 4}, units, ishigami(units))
    # SALib leaves the largest value of each factor out of its last slice of 150.
    assert [found[f"x{place}", PAWN][2] for place in range(4)] == pytest.approx(known["median"], abs=1 / 150)
    # The third acts through the first alone: its share is a dummy's, its PAWN is not. The fourth is a dummy.
    floors = {index: found[DUMMY, index][2] for index in (SHARE, PAWN)}
    assert found["x2", SHARE][2] < floors[SHARE] and found["x2", PAWN][2] > floors[PAWN]
    assert all("no more than a dummy's" in found["x3", index][5] for index in (SHARE, PAWN))


def test_a_line_with_luck_in_it():
    """2 x + 5 y is 4 to 25 of 29; luck as large as that again, where it is known, changes no share."""
    random = np.random.default_rng(2)
    units = random.random((2000, 2))
    values = units @ [2.0, 5.0]
    found = ranked(units, values + random.normal(0, values.std(), 2000), float(values.var()))
    assert found["x0", SHARE][2] == pytest.approx(4 / 29, abs=0.05)
    assert found["x1", SHARE][2] == pytest.approx(25 / 29, abs=0.08)


def test_luck_is_taken_off_shares_alone():
    units = np.random.default_rng(1).random((80, 2))
    factors = {f"x{place}": column.tolist() for place, column in enumerate(units.T)}
    rows = {row[:2]: row for row in of_sample(factors, units[:, 0], 0.01, ["corrected for luck, 12%"])}
    assert "corrected for luck, 12%" in rows["x0", SHARE][5]
    assert rows["x0", PAWN][5] == "holds the luck that is left in the means"


def test_what_does_nothing_seldom_passes_for_something():
    random = np.random.default_rng(8)
    passed = {SHARE: 0, PAWN: 0}
    for _ in range(60):
        found = ranked(random.random((64, 5)), random.random(64))
        for index in passed:
            largest = max(row[2] for (factor, name), row in found.items() if name == index and factor != DUMMY)
            passed[index] += largest > found[DUMMY, index][2]
    assert all(count <= 8 for count in passed.values())  # 3 of 60 are to be expected, and 9 have a chance of 0.3 %


def test_few_points_are_flagged():
    units = np.random.default_rng(1).random((40, 2))
    assert "few points: the interval is unsure below 64" in ranked(units, units[:, 0])["x0", SHARE][5]


def test_a_grid_is_decomposed_exactly():
    """a + 2 b + 3 a b over -1 and 1 has variances 1, 4 and 9."""
    a, b = [-1, -1, 1, 1], ["low", "high", "low", "high"]
    codes = grid_of([a, b])
    second = np.array([-1, 1, -1, 1])
    first, total = of_grid(codes, np.array(a) + 2 * second + 3 * np.array(a) * second, 0.0)
    assert first == pytest.approx([1 / 14, 4 / 14]) and total == pytest.approx([10 / 14, 13 / 14])
    # Luck of variance 1 in each of four points: 56 of squares less 3; 4, 16 and 36 less 1 each.
    first, total = of_grid(codes, np.array(a) + 2 * second + 3 * np.array(a) * second, 1.0)
    assert first == pytest.approx([3 / 53, 15 / 53]) and total == pytest.approx([38 / 53, 50 / 53])
    assert grid_of([[0, 0, 1], [0, 1, 0]]) is None and grid_of([[0, 0, 1, 1], [0, 0, 1, 1]]) is None


def test_a_grid_of_a_batch_with_ten_seeds(result):
    """x + luck by seed and point: the grid's first factor has all but the luck, with an interval from ten seeds on."""

    def lucky(values, seed):
        x, y = values["controls.severity"], values["mandate.domestic"]
        chance = np.random.default_rng([seed, int(10 * x), int(10 * y)])
        return [x + 0.2 * chance.normal(), y]

    grid = '[factors]\n"controls.severity" = [0.0, 0.5, 1.0]\n"mandate.domestic" = [0.0, 1.0]\n'
    indices, notes = sensitivity(result(grid, lucky, 10), ["domestic_supply_share", "chip_market"])
    found = {(index.outcome, index.factor, index.index): index for index in indices}
    first = found["domestic_supply_share@end", "controls.severity", "first order"]
    assert first.low < 1.0 < first.high and first.value == pytest.approx(1.0, abs=0.05)
    other = found["domestic_supply_share@end", "mandate.domestic", "total"]
    assert other.low < 0.0 < other.high
    exact = found["chip_market@end", "mandate.domestic", "total"]
    assert (exact.value, exact.low, exact.flags) == (1.0, None, "exact: luck moves nothing")
    assert any("with 10 seeds: the widest 95 % interval is" in note for note in notes)


def test_words_of_a_latin_hypercube(result):
    """The words make 0, 1 and 2, of variance 2/3; what is added to them is even over 2, of variance 1/3."""
    design = '[design]\nkind = "latin-hypercube"\nsamples = 400\n[factors]\n'
    factors = '"subsidy.allocation" = ["uniform", "market", "leader"]\n"mandate.domestic" = { low = 0.0, high = 1.0 }\n'

    def formula(values, seed):
        step = {"uniform": 0, "market": 1, "leader": 2}[values["subsidy.allocation"]]
        return [step + 2 * values["mandate.domestic"], 1.0]

    indices, notes = sensitivity(result(design + factors, formula), ["domestic_supply_share"])
    shares = {index.factor: index.value for index in indices if index.index == SHARE}
    assert shares["subsidy.allocation"] == pytest.approx(2 / 3, abs=0.06)
    assert shares["mandate.domestic"] == pytest.approx(1 / 3, abs=0.06)
    assert not any("corrected for luck" in index.flags for index in indices if index.index == PAWN)
    [whole] = [index for index in indices if index.factor == WHOLE]
    assert "from 200 to 400 an index moved by up to 0.0" in whole.flags
    assert "first beyond doubt" in whole.flags or "the order is beyond doubt" in whole.flags
    assert any(whole.flags in note for note in notes)


def test_a_table_is_a_sample_too(result, tmp_path):
    random = np.random.default_rng(5)
    rows = [f"{x:.6f},{y:.6f}" for x, y in random.random((300, 2))]
    (tmp_path / "points.csv").write_text("\n".join(["controls.severity,mandate.domestic", *rows]) + "\n")
    table = '[design]\nkind = "table"\nfile = "points.csv"\n'
    indices, notes = sensitivity(result(table, line), ["domestic_supply_share"])
    shares = {index.factor: index.value for index in indices if index.index == SHARE}
    assert shares["controls.severity"] == pytest.approx(4 / 29, abs=0.06)
    assert any("factors of points may go together" in note for note in notes)


def test_what_the_parameter_sets_vary_is_ranked_at_each_of_few_points(result):
    """With no control the outcome is what the sets have of one key, with it that of another."""

    def formula(values, seed):
        key = "security.goal" if values["controls.severity"] else "buyers.localisation"
        return [values[key], 1.0]

    text = 'parameters = "ensemble"\n[factors]\n"controls.severity" = [0.0, 0.8]\n'
    indices, notes = sensitivity(result(text, formula), ["domestic_supply_share"])
    for at, key in (("0.0", "buyers.localisation"), ("0.8", "security.goal")):
        of = f"published-2020 at controls.severity = {at}"
        shares = {i.factor: i.value for i in indices if (i.config, i.index) == (of, SHARE) and i.factor[0] != "("}
        assert max(shares, key=shares.get) == key and shares[key] > 0.95
        assert {i.part for i in indices if i.config == of} == {"parameter sets"}
    assert any("factors of parameter sets may go together" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[design]\nkind = "one-at-a-time"\n[factors]\n"controls.severity" = [0.0, 1.0]\n',
            "a one-at-a-time design changes nothing together; decoupling study report tells its steps",
        ),
        (
            '[design]\nkind = "list"\npoints = [{ "controls.severity" = 0.1, "mandate.domestic" = 0.0 }, '
            '{ "controls.severity" = 0.4, "mandate.domestic" = 0.5 }]\n',
            "2 points are too few for indices; they need 30, or all combinations of some levels",
        ),
        ('[factors]\n"controls.severity" = [0.0, 1.0]\n', "only one thing is varied there"),
        ("", "nothing is varied between its runs"),
    ],
)
def test_what_cannot_be_ranked_is_refused(result, text, sentence):
    with pytest.raises(BadInput, match=sentence):
        sensitivity(result(text, line), ["domestic_supply_share"])


def test_a_jump_within_a_slice_is_flagged():
    """One up to a twentieth of the range: of 16 slices the first holds all that is left."""
    units = np.random.default_rng(3).random((128, 2))
    found = ranked(units, np.where(units[:, 0] < 0.05, 1.0, 0.0) + 0.1 * units[:, 1])
    assert "a jump within one slice" in found["x0", SHARE][5] and "a jump" not in found["x1", SHARE][5]
