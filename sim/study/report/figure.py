"""The figure of an answer: what `plot` draws of its result, and each case less the reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.compare.tables import key_of
from sim.compare.words import counted, told_in
from sim.results.figure import stacked
from sim.study.plot.choice import picture_of
from sim.study.plot.figure import draw
from sim.study.plot.picture import Line, Panel, Picture, Style, row
from sim.study.plot.rankings import picture_of_ranking
from sim.study.plot.words import PUSH, Words, origin, sentence
from sim.study.report.answer import Answer
from sim.study.report.cases import Case, text_of

MOST_ROWS = 40


def figure(answer: Answer) -> str:
    """The pictures of an answer under each other, as an SVG's text."""
    return stacked([draw(picture, "svg").decode() for picture in kept_pictures(answer).values()])


def kept_pictures(answer: Answer) -> dict[str, Picture]:
    """The pictures as a page keeps them, by the names of their files."""
    names = (answer.name, f"{answer.name}-differences")
    return dict(zip(names, (_kept(answer, picture) for picture in pictures(answer)), strict=False))


def pictures(answer: Answer) -> Iterator[Picture]:
    """What `plot` draws of the main measure, and the differences to the reference where there are several cases.

    Of an answer without cases: the factors by rank for the last year.
    """
    if not answer.cases:
        if ranking := picture_of_ranking(
            [i for i in answer.indices if i.outcome == f"{answer.main}@end"], answer.batch
        ):
            yield ranking
        return
    yield picture_of([str(answer.batch.folder)], [answer.main], None, None, None)
    if len(answer.cases) > 1:
        yield _differences(answer)


def _kept(answer: Answer, picture: Picture) -> Picture:
    """The picture as a page keeps it: what it does not draw is said below it, and no hash of the program."""
    notes = (f"{sentence(note.partition(';')[0])}." for note in picture.notes)  # what follows are options of `plot`
    told = f"Source: {origin(answer.name, answer.manifest, answer.experiment.configs, len(answer.result.done))}."
    return replace(picture, meanings=(*picture.meanings, *notes), source=told, notes=())


def _differences(answer: Answer) -> Picture:
    """Each case less the reference in the last year, with the push held beside where it is told apart."""
    words = Words([answer.batch])
    reference, *others = answer.cases
    halves = {PUSH[1]: answer, **({PUSH[0]: answer.held} if answer.held else {})}
    lines: list[Line] = []
    unit = ""
    for place, case in enumerate(others[:MOST_ROWS], start=1):
        name = _label(case, reference, words)
        for group, half in halves.items():
            told = half.against(half.cases[0], half.cases[place], answer.main)
            scale, unit = told_in(told.unit)
            middle = told.diff_q50 if told.diff_q50 is not None else told.diff
            low, high = told.spread
            if middle is not None:
                ends = (middle if end is None else end for end in (low, high))
                low, high = ends
                lines.append(row(name, scale * low, scale * middle, scale * high, group))
    left = len(others) - MOST_ROWS
    name = _label(reference, None, words)
    of = f"90 % of {counted(answer.sets, 'parameter set')}" if answer.sets > 1 else answer.of_differences
    return Picture(
        "cases",
        f"{words.measure(answer.main)} {words.when('end')}: what each case changes",
        f"{unit}, against {name}; {of if answer.is_single else f'median and {of}'}",
        (Panel("", tuple(lines), x_label=unit, mark=0.0),),
        unit,
        "",
        (f"not drawn: {left} of {len(others)} cases; the tables have them",) if left > 0 else (),
        styles={PUSH[1]: Style(1, 2, False, 0), PUSH[0]: Style(2, 2, False, 1)} if answer.held else {},
    )


def _label(case: Case, reference: Case | None, words: Words) -> str:
    """What a case is, or how it differs from the reference, in words."""
    kept = reference.keys if reference else {}
    told = [(key, text_of(held)) for key, held in case.keys.items() if key not in kept or held != kept[key]]
    return ", ".join(words.pair(key, key_of(held), unit=True) for key, held in told)
