"""A comparison as text: a table to read, CSV, JSON, Markdown, or one HTML page with its figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby, product
from pathlib import Path
from typing import Any

from sim.compare.comparison import Comparison
from sim.compare.differences import COLUMNS, OPENING_COLUMNS, Row
from sim.compare.effects import BEST_COLUMNS, CARRIER_COLUMNS, EFFECT_COLUMNS, MEANINGS, Carrier, Effect
from sim.compare.identity import UNLIKE_COLUMNS, Unlike
from sim.compare.push import BETWEEN, MEANING, WITH, ending
from sim.compare.reaching import REACH_COLUMNS, ReachRow
from sim.compare.words import decimals, decimals_of, main_row, percent, rounded, two_digits
from sim.errors import BadInput
from sim.results.escape import spreadsheet
from sim.results.files import write_ours
from sim.results.page import Section, contents, html_section, html_text, markdown, plain, whole_page
from sim.results.records import line

FORMATS = ("table", "csv", "json", "md", "html")


def render(comparison: Comparison, format: str = "table") -> str:
    """The comparison as text; `csv` holds the table of measures, or per design point where that was asked for."""
    if format == "csv":
        return csv_text(*tables_of(comparison)["points" if comparison.points else "rows"])
    if format == "json":
        return json.dumps(content(comparison), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if format == "table":
        return "\n".join(plain(section) for section in sections(comparison))
    if format == "md":
        return "\n".join(markdown(section) for section in sections(comparison))
    if format == "html":
        return _page(comparison)
    raise BadInput(f"--format = {format!r}: must be one of {', '.join(FORMATS)}")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join([line(columns), *(line(spreadsheet(row[column]) for column in columns) for row in rows)])


def tables_of(comparison: Comparison) -> dict[str, tuple[Sequence[str], list[dict[str, Any]]]]:
    """Every table by its name: its columns, and a mapping for each line.

    `push` is "answers" or "held" where that is told apart, and "answers less held" for what the one is more than the
    other: there the base is the difference with the push held, the candidate that with the push answering.
    """
    columns = {
        "rows": COLUMNS,
        "reach": REACH_COLUMNS,
        "effects": EFFECT_COLUMNS,
        "openings": OPENING_COLUMNS,
        "carriers": CARRIER_COLUMNS,
        "best": BEST_COLUMNS,
        "over_time": COLUMNS,
    }
    halves = comparison.halves.items()
    lines = {
        name: [{**asdict(row), "push": push} for push, half in halves for row in getattr(half, name)]
        for name in columns
    }
    lines["rows"] += [{**asdict(row), "push": BETWEEN} for row in comparison.answers]
    tables = {name: ((*held, "push"), lines[name]) for name, held in columns.items()}
    points = [{"point": at.point, **asdict(at.row), "push": push} for push, half in halves for at in half.points]
    return {**tables, "points": (("point", *COLUMNS, "push"), points)}


def content(comparison: Comparison) -> dict[str, Any]:
    """Everything in full precision, with the same keys whatever there is."""
    results = [{"name": result.name, "path": result.path, "runs": len(result.done)} for result in comparison.results]
    return {
        "results": results,
        "agreement": comparison.agreement,
        "parameters": comparison.parameters,
        "coverage": comparison.coverage,
        **{name: lines for name, (_, lines) in tables_of(comparison).items()},
        "notes": comparison.notes,
        "sentences": comparison.sentences,
    }


def write_out(comparison: Comparison, folder: Path) -> list[str]:
    """Every table as CSV, and the answer as JSON, Markdown and HTML, into a folder; returns the files' names."""
    files = {"rows": "compare", "openings": "opening"}
    texts = {f"{files.get(name, name)}.csv": csv_text(*table) for name, table in tables_of(comparison).items()}
    texts |= {f"compare.{format}": render(comparison, format) for format in ("json", "md", "html")}
    texts |= {f"{name}.svg": drawn for name, drawn in figures(comparison).items()}
    write_ours(folder, texts)
    return list(texts)


# What is read by people.

MEANS = "Means over the parameter sets, so that parts add up; what is said in words is their middle."


def sections(comparison: Comparison) -> list[Section]:
    """The answer in its order: what is compared, parameters, coverage, tables, notes, one sentence a candidate."""
    names = [result.name for result in comparison.results]
    said = [f"{result.name}: {result.path}" for result in comparison.results]
    parts = [
        Section("What is compared", [*said, *comparison.agreement]),
        Section("Parameters that differ", header=["parameter", *names], rows=comparison.parameters),
        Section("Coverage", comparison.coverage),
    ]
    parts += [_apart(comparison, list(rows)) for _, rows in groupby(comparison.answers, key=lambda row: row.candidate)]
    for push, half in comparison.halves.items():
        parts += _half(half, names, push, comparison.of_controls)
    title = "In words" if comparison.held else "In one sentence"
    parts += [Section("Notes", comparison.notes), Section(title, comparison.sentences)]
    return [part for part in parts if part.lines or part.rows]


def _half(comparison: Comparison, names: Sequence[str], push: str, of_controls: Sequence[str]) -> list[Section]:
    """The tables of a comparison; their titles end in what the push does there, if that is told apart."""
    parts = []
    opens = {(o.candidate, o.measure, o.slice): o.opens or "never" for o in comparison.openings}
    for candidate, rows in groupby(comparison.rows, key=lambda row: row.candidate):
        how = ending(push, candidate in of_controls)
        parts.append(_measures(f"{candidate} less {names[0]}{how}", list(rows), opens))
    for (candidate, at), points in groupby(comparison.points, key=lambda point: (point.row.candidate, point.point)):
        how = f"{at or 'the only point'}{ending(push, candidate in of_controls)}"
        parts.append(_measures(f"{candidate} less {names[0]} at {how}", [p.row for p in points]))
    others = [_reaching(comparison.reach), _effects(comparison.effects), _carriers(comparison.carriers)]
    others.append(_best(comparison, names))
    return [*parts, *(replace(part, title=f"{part.title}{ending(push, False)}") for part in others)]


def _apart(comparison: Comparison, answers: Sequence[Row]) -> Section:
    """Bite, answer and total of one candidate, measure by measure."""
    first = answers[0]
    of = "5 to 95 %" if first.n_sets > 1 else f"{percent(first.ci_level)} interval"
    header = ["measure", "unit", *(cell for name in ("bite", "answer", "total") for cell in (name, of))]
    halves = [{(row.candidate, row.column, row.at): row for row in half.rows} for half in comparison.halves.values()]
    lines = []
    for answer in answers:
        total, bite = (half[answer.candidate, answer.column, answer.at] for half in halves)
        three = (bite, answer, total)
        digits = max(decimals(bite, 1), decimals(total, 1))
        cells = [f"{answer.column}@{answer.at}", answer.unit]
        for row in three:
            low, high = (rounded(value, digits) for value in row.spread)
            cells += [rounded(row.diff, digits), _between(low, high)]
        lines.append([*cells, bite.verdict, total.verdict])
    header += ["bite is", "total is"]
    title = f"{first.candidate} less {first.baseline}: bite, answer and total"
    notes = [MEANING, MEANS] if first.n_sets > 1 else [MEANING]
    return Section(title, notes, header, lines, frozenset({"measure", "unit", "bite is", "total is"}))


def _measures(title: str, rows: Sequence[Row], opens: Mapping[tuple[str, str, str], str] | None = None) -> Section:
    """Rows of one candidate, each rounded to the width of what its verdict is from."""
    first = rows[0]
    sets = any(row.n_sets > 1 for row in rows)
    header = ["measure", "unit", first.baseline, first.candidate, "difference"]
    header += ["5 to 95 % of sets", "same sign", "numerical error"] if sets else [f"{percent(first.ci_level)} interval"]
    header += ["relative", "sets" if sets else "pairs", *(["opens"] if opens else []), "verdict", "flags"]
    lines = []
    for row in rows:
        digits = decimals(row, 1)
        low, high = (rounded(value, digits) for value in row.spread)
        means = [rounded(value, digits) for value in (row.base_mean, row.cand_mean, row.diff)]
        cells = [f"{row.column}@{row.at}", row.unit, *means, f"{low} to {high}" if low else ""]
        if sets:
            half = None if row.diff_lo is None or row.diff_hi is None else (row.diff_hi - row.diff_lo) / 2
            same = "" if row.share_same_sign is None else f"{100 * row.share_same_sign:.0f} %"
            cells += [same, "" if half is None else f"±{two_digits(half)}"]
        cells += ["" if row.rel_diff is None else f"{100 * row.rel_diff:+.1f} %"]
        cells += [str(row.n_sets if sets else row.n_pairs)]
        if opens:
            cells.append(_year(opens.get((row.candidate, row.measure, row.slice), "")))
        lines.append([*cells, row.verdict, row.flags])
    return Section(title, [MEANS] if sets else (), header, lines, frozenset({"measure", "unit", "verdict", "flags"}))


def _year(date: str) -> str:
    """A whole year by its number."""
    return date.removesuffix("-12-31")


def _reaching(rows: Sequence[ReachRow]) -> Section:
    spread = "5 to 95 % of sets" if any(row.n_sets > 1 for row in rows) else "interval"
    header = ["target", "candidate", "base gets there", "candidate does", "difference", spread]
    header += ["median years", "mean years until", "difference", "interval", "verdict", "flags"]
    lines = []
    for row in rows:
        low, high = (row.diff_q05, row.diff_q95) if row.n_sets > 1 else (row.diff_lo, row.diff_hi)
        digits = decimals_of([row.diff_restricted_mean or 0.0], (row.restricted_hi or 0.0) - (row.restricted_lo or 0.0))
        digits = max(1, min(digits, 3))
        means = [rounded(v, digits) for v in (row.base_restricted_mean, row.cand_restricted_mean)]
        years = [_median(year) for year in (row.base_median_year, row.cand_median_year)]
        lines.append(
            [
                row.target,
                row.candidate,
                _share(row.base_share),
                _share(row.cand_share),
                _share(row.diff_share, " points"),
                _between(_share(low, ""), _share(high, "")),
                " and ".join(years),
                " and ".join(means),
                rounded(row.diff_restricted_mean, digits),
                _between(rounded(row.restricted_lo, digits), rounded(row.restricted_hi, digits)),
                row.verdict,
                row.flags,
            ]
        )
    said = []
    if rows:
        last = rows[0].horizon[:4]
        said = [
            f"Means are years from the first record until the target or {last}; runs that never get there are censored."
        ]
    return Section("Reaching", said, header, lines, frozenset({"target", "candidate", "verdict", "flags"}))


def _share(value: float | None, unit: str = " %") -> str:
    return "" if value is None else f"{100 * value:.1f}{unit}"


def _median(year: float | None) -> str:
    return "never" if year is None else f"{year:g}"


def _between(low: str, high: str) -> str:
    return f"{low} to {high}" if low else ""


def _effects(rows: Sequence[Effect]) -> Section:
    sets = ["5 to 95 % of sets"] if any(row.n_sets > 1 for row in rows) else []
    header = ["effect", "candidate", "unit", "value", "interval", *sets, "pairs", "flags"]
    lines = []
    for row in rows:
        digits = decimals_of([row.value or 0.0], (row.hi or 0.0) - (row.lo or 0.0))
        name = row.effect if row.slice == "all" else f"{row.effect}.{row.slice}"
        numbers = [rounded(value, digits) for value in (row.value, row.lo, row.hi, row.q05, row.q95)]
        between = [_between(numbers[1], numbers[2]), *([_between(numbers[3], numbers[4])] if sets else [])]
        lines.append([name, row.candidate, row.unit, numbers[0], *between, str(row.n_pairs), row.flags])
    told = dict.fromkeys(row.effect for row in rows)
    said = [f"{effect}: {MEANINGS[effect]}, over the whole run." for effect in told]
    return Section(
        "Effects that take two runs", said, header, lines, frozenset({"effect", "candidate", "unit", "flags"})
    )


def _carriers(rows: Sequence[Carrier]) -> Section:
    header = ["measure", "candidate", "by", "slice", "unit", "part", "interval", "of the difference", "flags"]
    lines = []
    finest: dict[tuple[str, str], int] = {}
    for row in rows:
        digits = decimals_of([row.part or 0.0], (row.hi or 0.0) - (row.lo or 0.0))
        # the largest part comes first, and one much smaller needs no more decimals than two beyond it
        digits = min(digits, finest.setdefault((row.candidate, row.measure), digits) + 2)
        numbers = [rounded(value, digits) for value in (row.part, row.lo, row.hi)]
        share = "" if row.share_of_diff is None else f"{round(100 * row.share_of_diff)} %"
        between = _between(numbers[1], numbers[2])
        cells = [f"{row.measure}@{row.at}", row.candidate, row.by, row.slice, row.unit, numbers[0], between, share]
        cells.append(row.flags)
        lines.append(cells)
    said = ["Segments' parts add up to the difference; inputs stand with the differences of their own measures."]
    words = frozenset({"measure", "candidate", "by", "slice", "unit", "flags"})
    return Section("What carries the difference", said if rows else (), header, lines, words)


def _best(comparison: Comparison, names: Sequence[str]) -> Section:
    lines = []
    for (measure, part, at), rows in groupby(comparison.best, key=lambda row: (row.measure, row.slice, row.at)):
        held = list(rows)
        name = measure if part == "all" else f"{measure}.{part}"
        lines.append([f"{name}@{at}", *(_share(row.share_best) for row in held), str(held[0].n_pairs)])
    return Section("How often each is best", (), ["measure", *names, "pairs"], lines, frozenset({"measure"}))


def _page(comparison: Comparison) -> str:
    """One self-contained page: the sentences first, then the figures, then everything."""
    names = [result.name for result in comparison.results]
    title = f"{', '.join(names[1:])} against {names[0]}"
    answer = "".join(f'<p class="answer">{html_text(text)}</p>\n' for text in comparison.sentences)
    drawn = "".join(f"<figure>{figure}</figure>\n" for figure in figures(comparison).values())
    parts = sections(comparison)[:-1]
    body = contents(parts) + "".join(map(html_section, parts))
    return whole_page(title, f"<h1>{html_text(title)}</h1>\n{answer}{drawn}{body}")


def figures(comparison: Comparison) -> dict[str, str]:
    """A figure of each candidate's main measure over time, as SVG by name; of controls one with the push held too."""
    from sim.compare.figures import fans

    drawn = {}
    for (number, candidate), (push, half) in product(
        enumerate(comparison.results[1:], start=1), comparison.halves.items()
    ):
        opens = {(o.candidate, o.measure, o.slice): o.opens for o in half.openings}
        rows = [row for row in half.over_time if row.candidate == candidate.name]
        if rows:
            main = main_row(rows)
            name = f"figure-{number}{f'-{push}' if push else ''}"
            told = [row for row in rows if row.column == main.column]
            drawn[name] = fans(told, opens.get((main.candidate, main.measure, main.slice)), WITH.get(push, ""))
    return drawn


# Identity.


def render_identity(differing: Sequence[Unlike], format: str = "table") -> str:
    """What is not the same, or that everything is."""
    if format == "csv":
        return csv_text(UNLIKE_COLUMNS, map(asdict, differing))
    if format == "json":
        return json.dumps([asdict(row) for row in differing], indent=1, ensure_ascii=False) + "\n"
    rows = [["" if cell is None else str(cell) for cell in asdict(row).values()] for row in differing]
    lines = [] if rows else ["every cell is the same"]
    section = Section(
        "Identity", lines, UNLIKE_COLUMNS, rows, frozenset({*UNLIKE_COLUMNS} - {"cells", "largest_difference"})
    )
    return html_section(section) if format == "html" else markdown(section) if format == "md" else plain(section)
