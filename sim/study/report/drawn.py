"""The two figures of an answer: what it says, and what would overturn it. Each is read in colour, in grey, and small.

They are as wide as a telephone shows without shrinking them, and what is drawn has its name beside it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.arrays import Array
from sim.calendar import FIRST_YEAR, LAST_YEAR
from sim.compare.results import Result, with_series
from sim.experiment.answer import Figure, Words
from sim.measures import SHARE
from sim.results.figure import drawing, open_frame, png_bytes, svg_text
from sim.results.manifest import KeptScenario
from sim.study.plot.dates import middle_of, place_of
from sim.study.plot.looks import COLOURS, DASHES
from sim.study.report.answer import Answer
from sim.study.report.overturning import Overturning
from sim.study.report.told import Told
from sim.study.report.values import Number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH = 5.4  # inches, 389 points: a pixel for a point on a telephone
FONT = 10
SMALL = 9
LETTERS = 17  # of a line's name
ROW_LETTERS = 26  # of a row's
TITLE_LETTERS = 52
AXIS_LETTERS = 68
LINE = 0.17  # inches of a line of text
BAND = "band: 90 of 100"
MIDDLE = "a year stands at its middle"  # so that dates lie to the left of their year
CONTROLS = "controls"
WHAT_IF = "what-if"
GREY = "#555555"


@dataclass(frozen=True)
class Marks:
    """Dates of one kind: what comes into force on them."""

    what: str
    dates: tuple[date, ...]

    @property
    def words(self) -> str:
        """What and when, such as "controls from January 2023 on" or "controls on 15 dates, 2020 to 2026"."""
        first, last = self.dates[0], self.dates[-1]
        if first == last:
            return f"{self.what} from {first:%B %Y} on"
        return f"{self.what} on {len(self.dates)} dates, {first.year} to {last.year}"


def figure(told: Told) -> str:
    """The figure of an answer, as an SVG's text."""
    return _written(told, svg_text)


def figure_png(told: Told) -> bytes:
    """The same as a PNG."""
    return _written(told, png_bytes)


def _written[T](told: Told, write: Callable[[Canvas], T]) -> T:
    asked = told.words.figure
    return _lines(told, asked, write) if asked.lines else _rows(told, asked, write)


def _lines[T](told: Told, asked: Figure, write: Callable[[Canvas], T]) -> T:
    from matplotlib.figure import Figure as Canvas

    answer = told.answer
    cases = {name: answer.named_by(told.words.cases[name])[0] for name in asked.lines}
    whole = with_series(answer.result, [str(asked.measure)])
    marks = list(_marks(answer, [_of_case(answer, told.words, name) for name in asked.lines]))
    title = textwrap.wrap(asked.title, TITLE_LETTERS)
    axis = textwrap.wrap("; ".join([asked.axis, BAND, *([MIDDLE] if marks else [])]), AXIS_LETTERS)
    strip = 0.2 * len(marks)
    height = 3.6 + strip + LINE * (len(title) + len(axis))
    with drawing(asked.title, FONT):
        canvas = Canvas(figsize=(WIDTH, height))
        head = 0.12 + LINE * (len(title) + len(axis)) + 0.12 + strip
        axes = canvas.add_axes((0.105, 0.35 / height, 0.575, (height - 0.4 - head) / height))
        canvas.text(0.015, 1 - 0.08 / height, "\n".join(title), fontsize=FONT + 1, fontweight="bold", va="top")
        under = 1 - (0.12 + LINE * len(title)) / height
        canvas.text(0.015, under, "\n".join(axis), fontsize=SMALL, va="top", color=GREY)
        ends: list[tuple[float, str, str]] = []
        lowest, highest = [], []
        for place, (name, case) in enumerate(cases.items()):
            years, band = _series(whole, case.result.run_ids, str(asked.measure))
            colour, dash = COLOURS[place], DASHES[place]
            axes.fill_between(years, band[0], band[2], color=colour, alpha=0.14, linewidth=0)
            axes.plot(years, band[1], color=colour, linestyle=dash, linewidth=1.8)
            ends.append((float(band[1][-1]), name, colour))
            lowest.append(float(band[0].min()))
            highest.append(float(band[1].max()))
        axes.set_xlim(float(years[0]), float(years[-1]))
        if asked.mark is not None:
            axes.axhline(asked.mark, color=GREY, linewidth=0.9, linestyle=(0, (4, 2)))
        if min(lowest) >= 0:
            _from_zero(axes, min(highest))
        _name(axes, ends)
        _mark(axes, marks)
        open_frame(axes)
        axes.tick_params(labelsize=SMALL)
        axes.set_xticks(list(range(FIRST_YEAR, LAST_YEAR + 1, 5)))
        return write(canvas)


def _from_zero(axes: Axes, least: float) -> None:
    """A frame from zero on; a little lower where a line never leaves zero, which its lower edge would cover."""
    top = axes.get_ylim()[1]
    axes.set_ylim(bottom=-0.03 * top if least < 0.01 * top else 0)
    if top >= 1000:
        axes.yaxis.set_major_formatter("{x:,g}")


def _series(whole: Result, run_ids: Sequence[str], measure: str) -> tuple[Array, Array]:
    """Years, and the 5, 50 and 95 % points over the sets of their means over seeds, or over the seeds of one set."""
    ids = {run_id: place for place, run_id in enumerate(whole.run_ids)}
    places = [ids[run_id] for run_id in run_ids]
    values = whole.series.values[measure][places]
    sets = np.array(whole.keys["parameter_set"], dtype=int)[places]
    if len(numbers := np.unique(sets)) > 1:
        values = np.array([values[sets == number].mean(axis=0) for number in numbers])
    scale = 100.0 if whole.note(measure, "unit") == SHARE else 1.0
    years = np.array([middle_of(day, whole.dates_a_year) for day in whole.series.dates])
    return years, scale * np.nanquantile(values, (0.05, 0.5, 0.95), axis=0)


def _name(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """The names of lines at their ends, pushed apart where they would meet."""
    low, high = axes.get_ylim()
    line = (high - low) * LINE * 0.95 / _inches(axes)
    texts = [(spot, textwrap.wrap(name, LETTERS), colour) for spot, name, colour in sorted(ends)]
    middles: list[float] = []
    edge = low
    for spot, text, _ in texts:  # from below: each above the one before
        middles.append(max(spot, edge + line * len(text) / 2))
        edge = middles[-1] + line * (len(text) / 2 + 0.25)
    edge = high
    for place in reversed(range(len(texts))):  # and none beyond the top
        tall = line * len(texts[place][1])
        middles[place] = min(middles[place], edge - tall / 2)
        edge = middles[place] - tall / 2 - 0.25 * line
    for middle, (spot, text, colour) in zip(middles, texts, strict=True):
        axes.annotate(
            "\n".join(text),
            xy=(1.0, spot),
            xytext=(1.075, middle),
            xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(),
            color=colour,
            fontsize=SMALL,
            va="center",
            linespacing=1.05,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.7, "shrinkB": 0, "relpos": (0, 0.5)},
        )


def _inches(axes: Axes) -> float:
    """The height of a frame."""
    return float(axes.get_window_extent().height) / axes.figure.dpi


Setting = tuple[KeptScenario, Mapping[str, Any]]  # a config, and its values in a case


def _of_case(answer: Answer, words: Words, name: str) -> Setting:
    (case,) = answer.named_by(words.cases[name])
    return _of_config(answer, str(case.keys["config"]), case.keys)


def _of_config(answer: Answer, name: str, keys: Mapping[str, Any] = MappingProxyType({})) -> Setting:
    scenario = answer.manifest.scenarios[name]
    return scenario, {**scenario.values, **keys}


def _marks(answer: Answer, drawn: Sequence[Setting]) -> Iterator[Marks]:
    """The dates on which controls come into force, and those of the target's answers, in what is drawn.

    Where cases have dates of their own, those that several of them have come first, and the others are a what-if; where
    they share none, those of the case with the most.
    """
    last = date(answer.manifest.horizon.last, 12, 31)
    by_case = [_dated_controls(*each, last) for each in drawn]
    answers = {day for scenario, _ in drawn for day in _days(scenario, "retaliation", last)}
    shared = {day for days in by_case for day in days if sum(day in others for others in by_case) > 1}
    shared = shared or max(by_case, key=len, default=set())
    if not shared:
        return
    yield Marks(CONTROLS, tuple(sorted(shared)))
    if own := set().union(*by_case) - shared:
        yield Marks(WHAT_IF, tuple(sorted(own)))
    if answers:
        yield Marks(f"{answer.manifest.world.target_name}’s answers", tuple(sorted(answers)))


def _dated_controls(scenario: KeptScenario, held: Mapping[str, Any], last: date) -> set[date]:
    """The dates on which controls come into force in a case."""
    if held["controls.mode"] == "fixed" and float(held["controls.severity"]):
        return {date(int(held["controls.start"]), 1, 1)}
    return _days(scenario, "control", last) if held["controls.mode"] == "events" else set()


def _days(scenario: KeptScenario, kind: str, last: date) -> set[date]:
    """The dates of a kind of event up to a day, but for those that lift what was there."""
    events = [event for event in scenario.events if event["kind"] == kind and event.get("severity") != 0]
    days = {date.fromisoformat(event["date"]) for event in events}
    return {day for day in days if day <= last}


def _mark(axes: Axes, marks: Sequence[Marks]) -> None:
    """A row of marks above the frame for each kind of date, with its name behind the last."""
    inches = _inches(axes)
    for row, mark in enumerate(marks):
        height = 1 + (0.1 + 0.2 * row) / inches
        places = [place_of(day) for day in mark.dates]
        of_controls = mark.what in (CONTROLS, WHAT_IF)
        for place in places if of_controls else ():
            axes.axvline(place, color="#cccccc", linewidth=0.6, zorder=0)
        axes.plot(
            places,
            [height] * len(places),
            "v" if of_controls else "^",
            color=GREY,
            markerfacecolor=GREY if mark.what == CONTROLS else "white",
            markersize=5,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )
        axes.annotate(
            mark.words,
            (max(places), height),
            (7, 0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=SMALL,
            color=GREY,
            va="center",
            annotation_clip=False,
        )


def _rows[T](told: Told, asked: Figure, write: Callable[[Canvas], T]) -> T:
    rows = [(name, told.numbers[name]) for name in asked.rows]
    said = [asked.axis]
    if any(each.low < each.high for _, each in rows):
        said.append(f"line: {95 if told.words.values[asked.rows[0]].index else 90} of 100")
    said += [mark.words for mark in _marks(told.answer, list(_behind(told, asked.rows))) if mark.what == CONTROLS]
    return _bars(asked.title, "; ".join(said), rows, asked.mark, write)


def _behind(told: Told, names: Sequence[str]) -> Iterator[Setting]:
    """The cases that values are of, or the configs that an index is of."""
    for value in (told.words.values[name] for name in names):
        if value.index:
            yield from (_of_config(told.answer, name) for name in str(value.of).split(" less "))
        else:
            yield from (_of_case(told.answer, told.words, name) for name in (value.of, value.less) if name)


def _bars[T](
    title: str,
    axis: str,
    rows: Sequence[tuple[str, Number]],
    mark: float | None,
    write: Callable[[Canvas], T],
) -> T:
    """A row for each number: its middle, its ends, and the middle in figures."""
    from matplotlib.figure import Figure as Canvas

    names = [textwrap.wrap(name, ROW_LETTERS) for name, _ in rows]
    head = _Head(title, axis)
    body, height = _sizes(head, names)
    with drawing(title, FONT):
        canvas = Canvas(figsize=(WIDTH, height))
        axes = canvas.add_axes((0.40, 0.32 / height, 0.46, body / height))
        head.write(canvas, height)
        spots = _spots(names)
        for spot, (_, each) in zip(spots, rows, strict=True):
            low, middle, high = (each.scale * getattr(each, end) for end in ("low", "middle", "high"))
            axes.plot([low, high], [spot, spot], color=COLOURS[1], linewidth=2.2, alpha=0.6)
            axes.plot([middle], [spot], "o", color=COLOURS[1], markersize=6, clip_on=False, zorder=3)
            axes.annotate(
                _signed(each),
                (1.02, spot),
                xycoords=axes.get_yaxis_transform(),
                fontsize=SMALL,
                va="center",
                annotation_clip=False,
            )
        _frame(axes, spots, names, body)
        if mark is not None:
            axes.axvline(mark, color=GREY, linewidth=0.9, linestyle=(0, (4, 2)), zorder=0.8)
        if all(each.low >= 0 for _, each in rows):
            axes.set_xlim(left=0)
        return write(canvas)


def _sizes(head: _Head, names: Sequence[list[str]]) -> tuple[float, float]:
    """The height of the rows of a figure, each with a name of some lines, and of the whole figure."""
    body = sum(0.12 + LINE * max(1, len(name)) for name in names) + 0.2
    return body, head.inches + body + 0.35


def tornado(found: Overturning, title: str, of: str) -> str:
    """The headline with each unknown low (hollow) and high (filled), and with each mechanism left out (a diamond).

    `of` says what the headline is.
    """
    from matplotlib.figure import Figure as Canvas

    swings, headline = found.swings, found.headline
    names = [textwrap.wrap(swing.words, ROW_LETTERS + 2) for swing in swings]
    marks = ["hollow: low or none", "filled: high or all"]
    marks += ["diamond: left out"] if any(swing.is_left_out for swing in swings) else []
    head = _Head(title, f"{of}, in {headline.unit}\n{', '.join(marks)}, grey line: as found")
    body, height = _sizes(head, names)
    with drawing(title, FONT):
        canvas = Canvas(figsize=(WIDTH, height))
        axes = canvas.add_axes((0.42, 0.32 / height, 0.54, body / height))
        head.write(canvas, height)
        spots = _spots(names)
        for spot, swing in zip(spots, swings, strict=True):
            low, high = headline.scale * swing.low, headline.scale * swing.high
            if swing.is_left_out:
                axes.plot([low], [spot], "D", color=COLOURS[2], markersize=6)
                continue
            axes.plot([low, high], [spot, spot], color=COLOURS[1], linewidth=5, alpha=0.35, solid_capstyle="butt")
            axes.plot([low], [spot], "o", color=COLOURS[1], markerfacecolor="white", markersize=6)
            axes.plot([high], [spot], "o", color=COLOURS[1], markersize=6)
        axes.axvline(headline.scale * headline.middle, color=GREY, linewidth=0.9, zorder=0.8)
        if headline.is_difference:
            axes.axvline(0, color="#000000", linewidth=1.1, linestyle=(0, (4, 2)), zorder=0.8)
        _frame(axes, spots, names, body)
        return svg_text(canvas)


@dataclass(frozen=True)
class _Head:
    """Title and what is on the axis, above a frame; each line of what is on the axis is wrapped by itself."""

    title: str
    axis: str

    @property
    def lines(self) -> tuple[list[str], list[str]]:
        axis = [line for said in self.axis.splitlines() for line in textwrap.wrap(said, AXIS_LETTERS)]
        return textwrap.wrap(self.title, TITLE_LETTERS), axis

    @property
    def inches(self) -> float:
        return 0.2 + LINE * sum(map(len, self.lines))

    def write(self, canvas: object, height: float) -> None:
        from matplotlib.figure import Figure as Canvas

        assert isinstance(canvas, Canvas)
        title, axis = self.lines
        canvas.text(0.015, 1 - 0.08 / height, "\n".join(title), fontsize=FONT + 1, fontweight="bold", va="top")
        under = 1 - (0.12 + LINE * len(title)) / height
        canvas.text(0.015, under, "\n".join(axis), fontsize=SMALL, va="top", color=GREY)


def _spots(names: Sequence[Sequence[str]]) -> list[float]:
    """The heights of rows, in inches below the top of the frame, by the lines of their names."""
    spots, edge = [], 0.1
    for name in names:
        tall = 0.12 + LINE * max(1, len(name))
        spots.append(-(edge + tall / 2))
        edge += tall
    return spots


def _frame(axes: Axes, spots: Sequence[float], names: Sequence[Sequence[str]], body: float) -> None:
    axes.set_yticks(list(spots), ["\n".join(name) for name in names], fontsize=SMALL, linespacing=1.05, va="center")
    axes.set_ylim(-body, 0)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, pad=7)  # a dot on the frame does not touch a name
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.locator_params(axis="x", nbins=5, steps=[1, 2, 5, 10])
    open_frame(axes)


def _signed(each: Number) -> str:
    sign = "−" if round(each.scale * each.middle, each.digits) < 0 else ""
    return f"{sign}{each.said('middle')}"
