"""Pictures of results whose numbers are worked out by hand: which cases, labels, dates and cells are drawn."""

import datetime
import json
import re
import sys

import numpy as np
import pytest
from support.made_results import Maker, scenario, series_table, signed, table, vouch, write
from support.made_study import CAUTION, SHARE, made_study

from sim import cli
from sim.compare.results import Incomplete
from sim.errors import BadInput
from sim.study.plot.choice import picture_of
from sim.study.plot.dates import middle_of, place_of
from sim.study.plot.figure import draw

SEVERITY, SUBSIDY, MODE = "controls.severity", "subsidy.annual", "controls.mode"
EVENTS = [
    {"date": "2022-10-07", "by": "USA", "kind": "control", "scope": ["lithography"], "severity": 0.5},
    {"date": "2023-07-02", "by": "NLD", "kind": "control", "scope": ["lithography"], "until": "2024-01-01"},
    {"date": "2023-08-01", "by": "CHN", "kind": "retaliation", "scope": ["photoresist"]},
]
NOTES = {
    SHARE: {"unit": "0 to 1", "meaning": "made at home", "kind": "ratio"},
    f"{SHARE}@end": {"unit": "0 to 1", "meaning": "made at home"},
    f"{SHARE}.memory": {"unit": "0 to 1", "meaning": "made at home", "kind": "ratio"},
    SEVERITY: {"unit": "0 to 1", "meaning": "part denied"},
    SUBSIDY: {"unit": "bn yuan a year", "meaning": "state money"},
}


def drawn(*paths, measures=(), x=None, y=None, by=None):
    return picture_of([str(path) for path in paths], list(measures), x, y, by)


def texts_of(picture):
    """Every text of its SVG, in order."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", draw(picture, "svg").decode())


def labelled(folder, **labels):
    """The result with labels in its manifest."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content.pop("digest")
    path.write_text(signed({**content, "labels": labels}))
    return folder


def plan(kind, levels, **more):
    """The experiment of a design with the levels of each factor."""
    return {
        "name": "made-up",
        "question": "What helps?",
        "configs": ["historic"],
        "replications": 2,
        "design": {"kind": kind, **more},
        "factors": levels,
        "swept": list(levels),
        "record": {"every": "year", "measures": [SHARE]},
    }


def grid(folder, values):
    """A grid of severities and subsidies with two seeds; `values` is {(severity, subsidy): (share, share)}."""
    runs = [
        (seed, keys, {f"{SHARE}@end": share})
        for keys, shares in values.items()
        for seed, share in enumerate(shares, start=1)
    ]
    levels = {SEVERITY: sorted({key[0] for key in values}), SUBSIDY: sorted({key[1] for key in values})}
    return write(folder, table(runs, (SEVERITY, SUBSIDY)), columns=NOTES, experiment=plan("grid", levels), seeds=[1, 2])


@pytest.fixture
def nine(tmp_path):
    """Shares of 0.1 x severity level + 0.01 x subsidy level, the second seed two points more."""
    values = {
        (severity, subsidy): (0.1 * i + 0.01 * j, 0.1 * i + 0.01 * j + 0.02)
        for i, severity in enumerate((0.0, 0.5, 1.0))
        for j, subsidy in enumerate((0, 100, 200))
    }
    return grid(tmp_path / "nine", values)


# Series.


def test_a_series_has_a_line_for_each_case_and_a_band_over_parameter_sets(tmp_path):
    picture = drawn(made_study(tmp_path / "made-up"))
    assert picture.kind == "series" and picture.title == "Domestic supply share"
    assert picture.subtitle == "%; median and 5 to 95 % of 2 parameter sets"
    (panel,) = picture.panels
    none, strict = panel.lines
    assert [line.label for line in panel.lines] == ["0", "0.8"] and picture.legend == "severity of controls"
    # Seeds are meant first: 0.41 and 0.49 without controls, 0.30 and 0.20 with them; then their quantiles.
    assert none.x.tolist() == [2034, 2035]
    assert none.band.middle.tolist() == pytest.approx([40, 45])
    assert none.band.low.tolist() == pytest.approx([40, 41 + 0.05 * 8])
    assert none.band.high.tolist() == pytest.approx([40, 49 - 0.05 * 8])
    assert strict.band.middle.tolist() == pytest.approx([40, 25])


def test_steps_from_configs_that_begin_elsewhere_have_styles_in_every_panel(tmp_path):
    """What one config begins with is a step of the other, and the other way round."""
    steps = {
        "historic": [("events", 0), ("events", 100), ("none", 0)],
        "quiet": [("none", 0), ("none", 100), ("events", 0)],
    }
    runs, series = [], []
    for config, own in steps.items():
        runs.append(table([(1, keys, {f"{SHARE}@end": 0.2}) for keys in own], (MODE, SUBSIDY), config))
        series.append(series_table([(1, {SHARE: [0.1, 0.2]})] * len(own), ["2034-12-31", "2035-12-31"], config))
    texts = [first + second.partition("\n")[2].replace("run", "quiet") for first, second in (runs, series)]
    experiment = {
        **plan("one-at-a-time", {MODE: ["events", "none"], SUBSIDY: [0, 100]}),
        "configs": list(steps),
        "replications": 1,
    }
    scenarios = scenario("historic") | scenario("quiet", values={MODE: "none", SUBSIDY: 0.0})
    held = {"columns": NOTES, "experiment": experiment, "scenarios": scenarios}
    picture = drawn(write(tmp_path / "steps", texts[0], series=texts[1], **held), measures=[SHARE], by="config")
    assert [panel.title for panel in picture.panels] == ["historic", "quiet"]
    assert [sorted(line.label for line in panel.lines) for panel in picture.panels] == [
        ["as in the config", "mode of controls: none", "subsidy: 100"],
        ["as in the config", "mode of controls: events", "subsidy: 100"],
    ]
    assert {"as in the config", "mode of controls: none", "mode of controls: events"} < set(texts_of(picture))


def test_what_is_left_out_in_turn_is_not_drawn_and_that_is_said(tmp_path):
    folder = made_study(tmp_path / "made-up")
    assert drawn(folder).notes == (
        f"not drawn: 2 cases without buyers' fear of being cut off; --by {CAUTION} draws them",
    )
    with_and_without = drawn(folder, by=CAUTION)
    assert with_and_without.notes == ()
    fear = "buyers' fear of being cut off"
    assert [panel.title for panel in with_and_without.panels] == [f"with {fear}", f"without {fear}"]
    ends = {panel.title: [line.band.middle[-1] for line in panel.lines] for panel in with_and_without.panels}
    # Without caution: means of seeds 0.46 and 0.44 without controls, 0.41 and 0.45 with them.
    assert ends[f"without {fear}"] == pytest.approx([45, 43]) and ends[f"with {fear}"] == pytest.approx([45, 25])


def test_a_failed_run_is_told(tmp_path):
    picture = drawn(made_study(tmp_path / "made-up", failed=True))
    assert any("1 of its 16 runs failed" in note for note in picture.notes)
    # Set 1 has seed 2 alone: 0.42 and 0.49.
    assert picture.panels[0].lines[0].band.middle[-1] == pytest.approx(45.5)


def test_one_run_is_a_line_with_its_dates(tmp_path):
    folder = Maker(tmp_path).over_time(
        "one", {1: [0.1, 0.2]}, ["2022-12-31", "2023-12-31"], scenarios=scenario(events=EVENTS)
    )
    picture = drawn(folder)
    assert [line.band.middle.tolist() for line in picture.panels[0].lines] == [pytest.approx([10, 20])]
    day = datetime.date
    assert [(row.label, row.begins, row.ends) for row in picture.dates] == [
        ("controls, USA", (day(2022, 10, 7),), ()),
        ("controls, NLD", (day(2023, 7, 2),), ()),  # its end lies after the last year
        ("answers, China", (day(2023, 8, 1),), ()),
    ]
    said = texts_of(picture)
    assert {"controls, USA", "controls, NLD", "answers, China", "comes into force"} <= set(said)
    assert picture.subtitle == "%; one run"


def test_an_answer_that_is_lifted_ends(tmp_path):
    lifted = {"date": "2023-11-01", "by": "CHN", "kind": "retaliation", "scope": ["photoresist"], "severity": 0.0}
    folder = Maker(tmp_path).over_time(
        "one", {1: [0.1, 0.2]}, ["2022-12-31", "2023-12-31"], scenarios=scenario(events=[*EVENTS, lifted])
    )
    row = drawn(folder).dates[-1]
    assert row.sentence() == "answers, China: Aug 2023, Nov 2023 (end)"


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ({MODE: "none"}, ["answers, China"]),  # which switches all controls off
        ({MODE: "fixed", SEVERITY: 0.0, "controls.start": 2022}, ["answers, China"]),
        ({MODE: "fixed", SEVERITY: 0.5, "controls.start": 2022}, ["controls, USA first", "answers, China"]),
        ({MODE: "fixed", SEVERITY: 0.5, "controls.start": 2030}, ["answers, China"]),
    ],
)
def test_controls_are_marked_where_the_mode_has_them(tmp_path, values, labels):
    folder = Maker(tmp_path).over_time(
        "one", {1: [0.1, 0.2]}, ["2022-12-31", "2023-12-31"], scenarios=scenario(events=EVENTS, values=values)
    )
    assert [row.label for row in drawn(folder).dates] == labels


def test_an_event_that_cannot_be_read_is_a_sentence(tmp_path):
    folder = Maker(tmp_path).over_time(
        "one", {1: [0.1, 0.2]}, ["2022-12-31", "2023-12-31"], scenarios=scenario(events=[{"date": "2022-10-07"}])
    )
    with pytest.raises(BadInput, match="scenarios.historic: its events and controls cannot be read; it is damaged"):
        drawn(folder)


def test_dates_lie_on_the_axis_of_the_years():
    assert middle_of("2022-12-31", 1) == 2022  # a year's value stands at the year
    assert middle_of("2022-03-31", 4) == pytest.approx(2022 + 1.5 / 12 - 0.5)
    assert place_of(datetime.date(2022, 7, 2)) == pytest.approx(2022, abs=0.002)
    assert place_of(datetime.date(2023, 1, 1)) == 2022.5


def test_small_multiples_have_the_names_of_the_world(tmp_path):
    dates = ["2022-12-31", "2023-12-31"]
    series = series_table([(1, {SHARE: [0.1, 0.2], f"{SHARE}.memory": [0.3, 0.4]})], dates)
    folder = write(tmp_path / "parts", table([(1, (), {f"{SHARE}@end": 0.2})]), series=series, columns=NOTES)
    picture = drawn(folder, by="segment")
    assert [(panel.title, panel.lines[0].band.middle.tolist()) for panel in picture.panels] == [
        ("memory", pytest.approx([30, 40]))
    ]


# Heat maps, lines, dots.


def test_a_grid_is_a_heat_map_of_its_two_factors(nine):
    picture = drawn(nine)
    assert picture.kind == "heat" and picture.title == "Domestic supply share in 2035"
    (panel,) = picture.panels
    assert (panel.x_label, panel.y_label) == ("severity of controls (0 to 1)", "subsidy (bn yuan a year)")
    assert (panel.x_levels, panel.y_levels) == (("0", "0.5", "1"), ("0", "100", "200"))
    # The median of two seeds is one point above the first: rows are subsidies, columns severities.
    assert panel.cells.tolist() == [pytest.approx(row) for row in ([1, 11, 21], [2, 12, 22], [3, 13, 23])]
    said = texts_of(picture)
    assert [number for number in said if number in ("1", "11", "21", "3", "13", "23")] != []
    assert "%; median of 2 runs in each cell" in said
    turned = drawn(nine, x=SUBSIDY, y=SEVERITY).panels[0]
    assert turned.cells.tolist() == panel.cells.T.tolist()


def test_a_cell_without_a_value_says_so(tmp_path):
    values = {(s, m): (0.1, 0.1) for s in (0.0, 0.5, 1.0) for m in (0, 100, 200)}
    del values[0.5, 100]
    picture = drawn(grid(tmp_path / "hole", values), x=SEVERITY, y=SUBSIDY)
    assert np.isnan(picture.panels[0].cells[1, 1]) and np.isnan(picture.panels[0].cells).sum() == 1
    assert texts_of(picture).count("none") == 1


def test_one_factor_along_the_axis_leaves_the_other_as_lines(nine):
    picture = drawn(nine, x=SEVERITY)
    assert picture.kind == "lines" and picture.legend == "subsidy (bn yuan a year)"
    assert [line.label for line in picture.panels[0].lines] == ["0", "100", "200"]
    last = picture.panels[0].lines[-1]
    assert last.x.tolist() == [0, 0.5, 1] and last.band.middle.tolist() == pytest.approx([3, 13, 23])
    assert [style.ordered for style in picture.styles.values()] == [True] * 3
    panels = drawn(nine, x=SEVERITY, by=SUBSIDY).panels
    assert [panel.title for panel in panels] == [f"subsidy: {m} bn yuan a year" for m in (0, 100, 200)]


def test_a_sample_is_dots_by_the_factors_that_move_it_most(tmp_path):
    points = [(0.1 * n, 50 * (n % 2)) for n in range(10)]
    runs = [(1, point, {f"{SHARE}@end": 0.05 * n}) for n, point in enumerate(points)]
    levels = {SEVERITY: {"low": 0.0, "high": 1.0}, SUBSIDY: [0, 50]}
    experiment = plan("latin-hypercube", levels, samples=10, seed=1)
    folder = write(tmp_path / "sample", table(runs, (SEVERITY, SUBSIDY)), columns=NOTES, experiment=experiment)
    picture = drawn(folder)
    assert picture.kind == "dots"
    assert [panel.x_label for panel in picture.panels] == [
        "severity of controls (0 to 1)",
        "subsidy (bn yuan a year)",
    ]
    ((x, y),) = picture.panels[0].dots.values()
    assert x.tolist() == pytest.approx([0.1 * n for n in range(10)]) and y.tolist() == pytest.approx(
        [5.0 * n for n in range(10)]
    )
    # Even points have 0, 10, 20, 30, 40 %, odd ones 5, 15, 25, 35, 45 %: medians of 20 and 25.
    assert picture.panels[1].trends["historic"][1].tolist() == pytest.approx([20, 25])
    coloured = drawn(folder, x=SEVERITY, y=SUBSIDY)
    assert coloured.panels[0].colours.tolist() == pytest.approx([5.0 * n for n in range(10)])


@pytest.mark.parametrize(("points", "kind"), [(40, "cases"), (41, "dots")])
def test_many_listed_points_are_dots(tmp_path, points, kind):
    listed = [{SEVERITY: n / 100, SUBSIDY: n * n} for n in range(points)]
    runs = [(1, tuple(point.values()), {f"{SHARE}@end": 0.01 * n}) for n, point in enumerate(listed)]
    experiment = {**plan("list", {}, points=listed), "swept": [SEVERITY, SUBSIDY]}
    folder = write(tmp_path / "listed", table(runs, (SEVERITY, SUBSIDY)), columns=NOTES, experiment=experiment)
    picture = drawn(folder)
    assert picture.kind == kind and picture.notes == ()
    drawn_points = [y.size for _, y in picture.panels[0].dots.values()] or [len(picture.panels[0].lines)]
    assert drawn_points == [points]


def test_cases_without_dates_stand_side_by_side(tmp_path):
    folder = Maker(tmp_path).sweep("levels", {(s, v): 0.1 * s + v for s in (1, 2, 3) for v in (0.2, 0.5)})
    picture = drawn(folder)
    assert picture.kind == "cases"
    lines = picture.panels[0].lines
    assert [line.label for line in lines] == ["severity of controls: 0.2", "severity of controls: 0.5"]
    assert [float(line.band.middle[0]) for line in lines] == pytest.approx([40, 70])


def test_results_together_are_told_apart_by_what_differs(tmp_path):
    make = Maker(tmp_path)
    dates = ["2022-12-31", "2023-12-31"]
    folders = [
        make.over_time(name, {1: [0.1, share]}, dates, scenarios=scenario(values={SUBSIDY: money}))
        for name, share, money in (("one", 0.2, 0.0), ("two", 0.3, 200.0))
    ]
    lines = drawn(*folders, measures=[SHARE]).panels[0].lines
    assert [(line.label, float(line.band.middle[-1])) for line in lines] == [
        ("0", pytest.approx(20)),
        ("200", pytest.approx(30)),
    ]


# Words and colours.


def test_a_picture_speaks_in_words(tmp_path, nine):
    for picture in (drawn(made_study(tmp_path / "made-up")), drawn(nine), drawn(nine, x=SUBSIDY)):
        for text in texts_of(picture):
            assert "_" not in text and not re.search(r"[a-z]\.[a-z]", text), text
        assert any(text.startswith("Source: ") for text in texts_of(picture))


def test_labels_of_the_experiment_come_first(nine):
    labels = {SEVERITY: "how strict", f"{SEVERITY} = 0.0": "not at all", SHARE: "Home share"}
    picture = drawn(labelled(nine, **labels))
    assert picture.title == "Home share in 2035"
    assert picture.panels[0].x_label == "how strict (0 to 1)"
    assert picture.panels[0].x_levels == ("not at all", "0.5", "1")
    assert picture.meanings == ("Subsidy: state money.",)  # a label needs no meaning beside it


def test_equal_pictures_are_equal_bytes_whatever_matplotlib_is_set_to(nine):
    import matplotlib

    picture = drawn(nine, x=SEVERITY)
    first = draw(picture, "svg")
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        assert draw(drawn(nine, x=SEVERITY), "svg") == first
    assert draw(picture, "png") == draw(picture, "png") and draw(picture, "png").startswith(b"\x89PNG")


def test_no_text_lies_on_another_or_beyond_the_edge(tmp_path, nine, monkeypatch):
    """By the boxes that matplotlib itself gives to the texts that it draws."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    boxes = []
    draw_figure, draw_text = Figure.draw, Text.draw

    def begin(figure, renderer):
        boxes.clear()  # what counts is the last time that it is drawn
        draw_figure(figure, renderer)

    def keep(text, renderer):
        if text.get_visible() and text.get_text().strip():
            boxes.append((text.get_text(), text.get_window_extent(renderer).frozen(), text.figure.bbox.frozen()))
        draw_text(text, renderer)

    monkeypatch.setattr(Figure, "draw", begin)
    monkeypatch.setattr(Text, "draw", keep)
    dated = Maker(tmp_path).over_time(
        "one", {1: [0.1, 0.2]}, ["2022-12-31", "2024-12-31"], scenarios=scenario(events=EVENTS)
    )
    long = {f"{SEVERITY} = 0.2": "x" * 90, f"{SEVERITY} = 0.5": "a label of many words " * 9, SHARE: "Home share " * 12}
    levels = labelled(Maker(tmp_path).sweep("levels", {(s, v): 0.1 for s in (1, 2) for v in (0.2, 0.5)}), **long)
    study = made_study(tmp_path / "made-up")
    worded = labelled(made_study(tmp_path / "worded"), **{f"{SEVERITY} = 0.8": "a label of many words " * 9})
    up = labelled(nine, **{SUBSIDY: "a subsidy on top of the programme of 2020"})
    for picture in map(drawn, (study, worded, dated, up, levels)):
        draw(picture, "png")
        assert len(boxes) > 8
        for number, (text, box, edge) in enumerate(boxes):
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= edge.x1 and box.y1 <= edge.y1, text
            for other, against, _ in boxes[:number]:
                assert text == other or not box.padded(-2).overlaps(against.padded(-2)), (text, other)


# Wrong uses.


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"x": "controls.severty"}, "--x = 'controls.severty': is not varied in the result (did you mean"),
        ({"y": SEVERITY}, f"--y = '{SEVERITY}': belongs to --x KEY"),
        ({"x": SEVERITY, "y": SEVERITY}, f"--x, --y and --by: '{SEVERITY}' is given twice"),
        ({"by": "firm"}, "--by = 'firm': is not varied in the result; must be one of segment, input, state, controls"),
        ({"by": "segment"}, "does not have domestic_supply_share by segment"),
        ({"measures": ["domestic_share"]}, "--measure = 'domestic_share': is not recorded (did you mean"),
        ({"measures": [f"{SHARE}@soon"]}, "after @ must stand a year, end, peak or sum"),
        ({"measures": [f"{SHARE}@2050"]}, "goes from 2020 to 2035"),
        ({"measures": [f"{SHARE}@sum"]}, "only flows have a sum"),
        ({"measures": [f"{SHARE}@2027"]}, "has that measure at the end, in 2025, in 2030 and at its peak"),
        ({"measures": [SHARE, f"{SHARE}@end"]}, f"{SHARE} is given twice"),
    ],
)
def test_a_wrong_use_is_a_sentence(nine, asked, sentence):
    with pytest.raises(BadInput) as fault:
        drawn(nine, **asked)
    assert len(fault.value.problems) == 1 and sentence in fault.value.problems[0]


def test_a_result_is_read_as_by_other_verbs(tmp_path, nine):
    (nine / "runs.csv").write_text("run_id\n")
    with pytest.raises(BadInput, match=r"runs\.csv: has 7 bytes, and \d+ were written; run it again"):
        drawn(nine)
    with pytest.raises(BadInput, match="there is no such result folder; run it first"):
        drawn(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="is a file; give the folder of a result"):
        drawn(vouch(nine) / "runs.csv")
    (tmp_path / "half" / ".blocks-1").mkdir(parents=True)
    with pytest.raises(Incomplete, match="is not finished; the same batch command goes on with it"):
        drawn(tmp_path / "half")


@pytest.fixture
def said(monkeypatch, capsys, tmp_path):
    """Run a line in a folder of its own: code, out, err."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["decoupling", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capsys.readouterr()

    return run


def test_the_verb_writes_beside_the_result_or_where_it_is_told(said, nine, tmp_path):
    assert said("plot", nine) == (0, "", f"{tmp_path / 'nine.svg'}: Domestic supply share in 2035\n")
    assert (tmp_path / "nine.svg").read_bytes() == draw(drawn(nine), "svg")
    assert sorted(path.name for path in nine.iterdir()) == ["manifest.json", "runs.csv"]
    assert said("plot", nine, "--out", "pictures/map.png")[0] == 0
    assert (tmp_path / "pictures/map.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = said("plot", nine, "--out", "map.pdf")
    assert (code, err) == (2, "--out = 'map.pdf': must end in .svg or .png\n")
    (tmp_path / "half" / ".blocks-1").mkdir(parents=True)
    assert said("plot", "half")[0] == 3


BATCH = """
question = "Does it?"
configs = ["neutral"]
replications = 2
[labels]
neutral = "nobody acts"
"""


def test_a_batch_names_the_line_that_plots_it_and_keeps_todays_labels(said, tmp_path):
    (tmp_path / "small.toml").write_text(BATCH)
    code, _, err = said("batch", "small.toml", "--workers", "1")
    assert code == 0 and err.splitlines()[-1] == "To see it: decoupling plot small"
    kept = json.loads((tmp_path / "results/small/manifest.json").read_text())
    assert kept["labels"] == {"neutral": "nobody acts"}
    runs = (tmp_path / "results/small/runs.csv").read_bytes()
    for labels in ('[labels]\nneutral = "peace"\n', ""):
        (tmp_path / "small.toml").write_text(BATCH[: BATCH.index("[labels]")] + labels)
        code, _, err = said("batch", "small.toml", "--workers", "1")
        assert code == 0 and "nothing to do but to keep today's words" in err
        kept = json.loads((tmp_path / "results/small/manifest.json").read_text())
        assert kept.get("labels") == ({"neutral": "peace"} if labels else None)
        assert (tmp_path / "results/small/runs.csv").read_bytes() == runs
    assert said("plot", "small")[0] == 0 and (tmp_path / "results/small.svg").is_file()


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ('"controls.severty" = "a"', "labels: 'controls.severty': is no config, measure, part or factor of this"),
        ('neutral = " "', "labels: 'neutral' = ' ': must be printable words"),
        ("neutral = 3", "labels.neutral = 3: must be a table of words"),
    ],
)
def test_a_wrong_label_is_a_sentence(said, tmp_path, label, sentence):
    (tmp_path / "small.toml").write_text(BATCH.replace('neutral = "nobody acts"', label))
    code, _, err = said("check", "small.toml")
    assert code == 2 and sentence in err and len(err.splitlines()) == 1
