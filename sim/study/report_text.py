"""A study as text: the parts of an answer, as Markdown, as one HTML page, and its figure."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from itertools import islice

from sim.comparison.differences import Row
from sim.comparison.figures import svg_text, values_of, year_of_date
from sim.comparison.rendering import Section, html_section, markdown, whole_page
from sim.comparison.words import decimals, decimals_of, rounded, two_digits
from sim.measures import SHARE
from sim.records import OUTCOME_YEARS, TARGET
from sim.study.report import Case, Step, Study, text_of

WEAK = 0.3  # a rank correlation below it is not told
TOLD = 8  # steps in words
LINES = 12  # of the figure with a label each


def answer_page(study: Study, figure: str) -> str:
    """The answer that stands beside an experiment: what does not depend on the program's own hash or on the day."""
    experiment = study.manifest["experiment"]
    head = f"# {experiment['question']}\n\n"
    if prediction := experiment.get("prediction"):
        head += f"*Predicted before running:* {prediction}\n\n"
    made = f"`decoupling batch {study.name}`, then `decoupling study report {study.name}`."
    return head + f"{made}\n\n![{study.main.replace('_', ' ')}]({figure})\n\n" + _sections_text(sections(study))


def markdown_report(studies: Sequence[Study]) -> str:
    """Every study one after another, with the whole provenance; the figures stand beside."""
    return "\n".join(
        answer_page(study, f"{study.name}.svg") + "\n" + markdown(whole_provenance(study)) for study in studies
    )


def html_report(studies: Sequence[Study], figures: Sequence[str]) -> str:
    """One page that needs no other file."""
    body = ""
    for study, figure in zip(studies, figures, strict=True):
        experiment = study.manifest["experiment"]
        body += f"<h1>{html.escape(experiment['question'])}</h1>\n"
        if prediction := experiment.get("prediction"):
            body += f"<p><em>Predicted before running:</em> {html.escape(prediction)}</p>\n"
        body += f"<figure>{figure}</figure>\n"
        body += "".join(html_section(section) for section in [*sections(study), whole_provenance(study)])
    return whole_page(" / ".join(study.manifest["experiment"]["question"] for study in studies), body)


def _sections_text(parts: Sequence[Section]) -> str:
    return "\n".join(markdown(part) for part in parts)


def sections(study: Study) -> list[Section]:
    """The parts of an answer in their order."""
    parts = [
        Section("Answer", findings(study)),
        Section("What would overturn it", overturning(study)),
        _verdicts(study),
        _over_years(study),
        _steps(study),
        _turns(study),
        _measures(study),
        Section("What is uncertain", uncertain(study)),
        Section("Design and provenance", design(study)),
    ]
    return [part for part in parts if part.lines or part.rows]


def findings(study: Study) -> list[str]:
    """One sentence a step, how steps depend on each other, and how far the prediction came out."""
    said = []
    last = study.manifest["horizon"]["last"]
    of = f"90 % of {study.sets} parameter sets" if study.sets > 1 else "95 % interval over seeds"
    for step in told_steps(study):
        what = f"{step.change}{where(study, step)}: {study.main.replace('_', ' ')} of {last}"
        text = f"{what} differs by {difference(step.row)}, {of}"
        if step.base is study.cases[0] and (since := study.clear_since(step.case)):
            text += f", of that sign in every year from {since} on"
        said.append(f"{text}.")
    for turn in islice(study.turns, 4):
        said.append(
            f"{turn.step.change}: where {turn.key} is {text_of(turn.other.case.keys[turn.key])} and not "
            f"{text_of(turn.step.case.keys[turn.key])}, this differs by {difference(turn.row)}."
        )
    if study.verdicts:
        counts = [sum(v.word == word for v in study.verdicts) for word in ("came out", "did not come out", "open")]
        said.append(
            f"Of {len(study.verdicts)} things predicted, {counts[0]} came out (in 95 % of parameter sets or more), "
            f"{counts[1]} did not (in 5 % or fewer), and for {counts[2]} it depends on the parameter set."
        )
    return said


def told_steps(study: Study) -> Sequence[Step]:
    """The steps that are told in words: all where they are few, else those of the first key that is varied."""
    return [s for s in study.steps if len(study.steps) <= TOLD or s.key == study.steps[0].key]


def overturning(study: Study) -> list[str]:
    """Where the sign of a step turns, and which parameters it follows."""
    said = []
    for step in told_steps(study)[:TOLD]:
        row = step.row
        if row.share_same_sign is None:
            continue
        name = f"{step.change}{where(study, step)}"
        if row.share_same_sign == 1.0:
            text = f"{name}: the sign is the same in every one of {row.n_sets} parameter sets"
        else:
            others = round((1.0 - row.share_same_sign) * row.n_sets)
            text = f"{name}: the sign is another, or there is no difference, in {others} of {row.n_sets} sets"
        strong = [(key, rank) for key, rank in study.drivers(step)[:3] if abs(rank) >= WEAK]
        if strong:
            told = ", ".join(f"{key} ({rank:+.2f})" for key, rank in strong)
            said.append(f"{text}; the difference goes with {told} (rank correlation over the sets).")
        else:
            said.append(f"{text}; it follows no single calibrated parameter.")
    turns = [turn for turn in study.turns if turn.row.diff is not None]
    if turns:
        most = max(turns, key=lambda turn: abs(turn.row.diff or 0.0))
        other = f"{most.key} = {text_of(most.other.case.keys[most.key])}"
        said.append(
            f"Of what else was varied, {other} changes {most.step.change} most, "
            f"by {difference(most.row)}, of {difference(most.step.row)}."
        )
    return said


def where(study: Study, step: Step) -> str:
    """The other keys of a step where they are not the reference's."""
    reference = study.cases[0].keys
    told = [f"{key} = {text_of(held)}" for key, held in step.context.items() if held != reference[key]]
    return f" (at {', '.join(told)})" if told else ""


def scaled(row: Row) -> tuple[float, str]:
    """What a row's numbers are told in: shares in points."""
    return (100.0, "points") if row.unit == SHARE else (1.0, row.unit)


def difference(row: Row) -> str:
    """A difference with what the verdict is from, such as "-1.2 points (-1.6 to -0.8)"."""
    if row.diff is None:
        return "what cannot be told"
    scale, unit = scaled(row)
    if row.diff == 0 and row.spread == (0.0, 0.0):
        return "0"
    digits = decimals(row, scale)
    middle = row.diff_q50 if row.diff_q50 is not None else row.diff
    number, low, high = (rounded(None if v is None else scale * v, digits) for v in (middle, *row.spread))
    return f"{number} {unit}" + (f" ({low} to {high})" if low else "")


def level(row: Row) -> str:
    """A case's own value: the median and the 5 to 95 % points over parameter sets, shares in per cent."""
    if row.cand_q50 is None or row.cand_q05 is None or row.cand_q95 is None:
        return ""
    scale = 100.0 if row.unit == SHARE else 1.0
    numbers = [scale * held for held in (row.cand_q50, row.cand_q05, row.cand_q95)]
    digits = decimals_of(numbers, numbers[2] - numbers[1])
    middle, low, high = (rounded(number, digits) for number in numbers)
    return middle if low == high else f"{middle} ({low} to {high})"


def unit_of(row: Row) -> str:
    return "%" if row.unit == SHARE else row.unit


def _verdicts(study: Study) -> Section:
    rows = []
    for verdict in study.verdicts:
        unit = study.manifest["columns"][verdict.claim.measure]["unit"]
        scale, unit = (100.0, "points") if unit == SHARE else (1.0, unit)
        low, middle, high = (scale * held for held in verdict.points)
        digits = decimals_of([middle], high - low)
        ends = (("from", scale * verdict.claim.low), ("to", scale * verdict.claim.high))
        asked = " ".join(f"{word} {end:g}" for word, end in ends if math.isfinite(end)) + f" {unit}"
        numbers = [rounded(number, digits) for number in (middle, low, high)]
        found = f"{numbers[0]} ({numbers[1]} to {numbers[2]})"
        rows.append([verdict.claim.says, asked, found, f"{100 * verdict.share:.0f} %", verdict.word])
    return Section(
        "The prediction against the results",
        (),
        ["predicted", "that is", "found (5 to 95 %)", "sets that meet it", "verdict"],
        rows,
        frozenset({"verdict", "that is"}),
    )


def _over_years(study: Study) -> Section:
    reference = study.cases[0]
    years = [*map(str, OUTCOME_YEARS), "final"]
    held = [[study.against(reference, case, study.main, at) for at in years] for case in study.cases]
    last = study.manifest["horizon"]["last"]
    header = ["case", *map(str, OUTCOME_YEARS), str(last), f"{last} less {reference.label}", "one seed's deviation"]
    reaching = [study.reaching(case) for case in study.cases]
    if any(row and row.cand_share for row in reaching):
        header += [f"reach {100 * TARGET:.0f} %", "median year"]
    rows = []
    for case, row, reached in zip(study.cases, held, reaching, strict=True):
        seeds = study.seeds_add(case, study.main)
        scale, _ = scaled(row[-1])
        cells = [case.label, *map(level, row), "" if case is reference else difference(row[-1])]
        cells.append("" if seeds is None else two_digits(scale * seeds) if seeds else "0")
        if len(header) > len(cells) and reached:
            year = reached.cand_median_year
            cells += [f"{100 * (reached.cand_share or 0.0):.0f} % of runs", "never" if year is None else f"{year:g}"]
        rows.append(cells)
    title = f"{study.main.replace('_', ' ')}, {unit_of(held[0][0])}: median (5 to 95 %)"
    return Section(f"{title[:1].upper()}{title[1:]}", (), header, rows)


def _steps(study: Study) -> Section:
    rows = []
    for step in study.steps:
        row = step.row
        same = "" if row.share_same_sign is None else f"{100 * row.share_same_sign:.0f} %"
        seeds = study.seeds_add_to(step)
        luck = "" if seeds is None else two_digits(scaled(row)[0] * seeds) if seeds else "0"
        rows.append([step.change, where(study, step).strip(" ()"), difference(row), same, luck])
    header = ["step", "where", "difference in the last year (5 to 95 %)", "same sign", "one seed's deviation"]
    return Section(
        f"One thing changed at a time: {study.main.replace('_', ' ')}", (), header, rows, frozenset({"where"})
    )


def _turns(study: Study) -> Section:
    rows = [
        [
            turn.step.change,
            f"{turn.key} = {text_of(turn.other.case.keys[turn.key])}",
            difference(turn.step.row),
            difference(turn.other.row),
            difference(turn.row),
        ]
        for turn in study.turns
    ]
    left_out = any(turn.key.startswith("mechanisms.") for turn in study.turns)
    title = "Which mechanisms it hangs on, each left out in turn" if left_out else "What depends on what"
    return Section(title, (), ["step", "with", "step before", "step then", "change"], rows, frozenset({"with"}))


def _measures(study: Study) -> Section:
    reference = study.cases[0]
    held = {m: [study.against(reference, case, m) for case in study.cases] for m in study.measures if m != study.main}
    header = ["case", *(f"{measure}, {unit_of(rows[0])}" for measure, rows in held.items())]
    rows = [[case.label, *(level(r[place]) for r in held.values())] for place, case in enumerate(study.cases)]
    return Section("Other measures in the last year: median (5 to 95 %)", (), header, rows if held else [])


def uncertain(study: Study) -> list[str]:
    """What the numbers above leave open, in this result."""
    said = []
    if study.sets > 1:
        said.append(
            f"The spread is over {study.sets} parameter sets that meet the figures up to 2022; what is not fitted "
            "is at its own value in all of them, so it is not the whole of what is unknown."
        )
    else:
        said.append("One parameter set: the intervals are over seeds alone and say nothing about the parameters.")
    seeds = len(study.manifest["seeds"])
    said.append(f"{seeds} paired {'seed' if seeds == 1 else 'seeds'} for each set; the tables say what a seed adds.")
    flags = dict.fromkeys(flag for step in study.steps for flag in step.row.flags.split("; ") if flag)
    said += [f"{flag[:1].upper()}{flag[1:]}." for flag in flags]
    said.append("The model's rules are the same in every set: what they leave out, no spread shows.")
    return said


def design(study: Study) -> list[str]:
    """What was run, by hashes that change only if the question, a config, a table or the parameter sets do."""
    manifest, experiment = study.manifest, study.manifest["experiment"]
    told = [
        f"{len(study.result.done)} runs: {len(study.cases)} cases, {study.sets} parameter "
        f"{'set' if study.sets == 1 else 'sets'}, seeds {', '.join(map(str, manifest['seeds']))}; design "
        f"{experiment.get('design', {}).get('kind', 'of several parts')}.",
        *(f"Config {name}: {scenario['hash'][:16]}." for name, scenario in manifest["scenarios"].items()),
        f"World {manifest['world']['name']}: {manifest['world']['hash'][:16]}.",
    ]
    if given := experiment.get("parameters"):
        told.append(f"Parameter sets: {given['hash'][:16]}.")
    return told


def whole_provenance(study: Study) -> Section:
    """The program and what it ran on."""
    manifest = study.manifest
    versions = ", ".join(f"{name} {version}" for name, version in manifest["dependencies"].items())
    lines = [
        f"Program {manifest['program_hash']}, arithmetic {manifest['arithmetic']}.",
        f"Versions: {versions}.",
    ]
    return Section("Made with", lines)


def figure(study: Study) -> str:
    """The main measure over time by case, and each case less the reference in the last year, as an SVG's text."""
    from matplotlib import colormaps, rc_context
    from matplotlib.figure import Figure

    cases = study.cases[:LINES]
    reference = cases[0]
    colours = [colormaps["turbo"](0.05 + 0.9 * place / max(1, len(cases) - 1)) for place in range(len(cases))]
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": study.name, "font.size": 9}):
        drawn = Figure(figsize=(9.0, 3.4 + 0.14 * len(cases)), layout="constrained")
        over, last = drawn.subplots(1, 2, width_ratios=(3, 2))
        scale = 1.0
        for case, colour in zip(cases, colours, strict=True):
            rows = study.over_time(case)
            scale = scaled(rows[0])[0]
            dates = [year_of_date(row.at) for row in rows]
            low, middle, high = (scale * values_of(rows, f"cand_{point}") for point in ("q05", "q50", "q95"))
            if len(cases) <= 4 or case is reference:
                over.fill_between(dates, low, high, color=colour, alpha=0.15, linewidth=0)
            over.plot(dates, middle, color=colour, label=case.label)
        title = study.main.replace("_", " ")
        unit = unit_of(rows[0])
        over.set_title(f"{title}, {unit}: median and 90 %", loc="left", fontsize=10)
        _dots(study, last, reference, cases, colours)
        drawn.legend(*over.get_legend_handles_labels(), loc="outside lower left", frameon=False, fontsize=8, ncols=2)
        for axes in (over, last):
            axes.spines[["top", "right"]].set_visible(False)
        return svg_text(drawn)


def _dots(study: Study, axes, reference: Case, cases: Sequence[Case], colours) -> None:  # type: ignore[no-untyped-def]
    """Each case less the reference in the last year: the median and the 5 to 95 % points."""
    unit = ""
    for place, (case, colour) in enumerate(zip(cases[1:], colours[1:], strict=True)):
        row = study.against(reference, case, study.main)
        scale, unit = scaled(row)
        low, high = row.spread
        middle = row.diff_q50 if row.diff_q50 is not None else row.diff
        if middle is None:
            continue
        if low is not None and high is not None:
            axes.plot([scale * low, scale * high], [-place, -place], color=colour, linewidth=2)
        axes.plot([scale * middle], [-place], "o", color=colour)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks([])
    axes.set_title(f"in the last year less {reference.label}, {unit}", loc="left", fontsize=9)
