"""What README and docs/ quote of answers, figures and the program. `python -m sim.description.quotes` writes it again.

Nothing that a run or a fit says is typed into them. A whole part stands between <!-- generated: NAME --> and
<!-- end -->, a few words between <!--= NAME --> and <!--/-->; what follows the name tells which part or figure.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from sim.description.document import document
from sim.folders import EXPERIMENTS, WORLDS

PART = re.compile(r"(<!-- generated: ([\w -]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
WORDS = re.compile(r"(<!--= ([\w .-]+?) -->)[^<]*(<!--/-->)")
AHEAD = {"one": "one year ahead", "two": "two years ahead"}
HERE = "{up}"  # in a link: the way from a page to the project
LEVELS = ("50", "80", "90")
REVIEWED, LOST = 9, 12  # lines of a table that a page shows


def rewritten(text: str, place: str, root: Path) -> str:
    """A page with everything that it quotes as it is now: its text, where in the project it is, and the project."""
    up = "../" * place.count("/")

    def part(found: re.Match[str]) -> str:
        return f"{found[1]}\n{made(PARTS, found[2], root).replace(HERE, up).strip()}\n\n{found[3]}"

    def words(found: re.Match[str]) -> str:
        return f"{found[1]}{made(FIGURES, found[2], root)}{found[3]}"

    return WORDS.sub(words, PART.sub(part, text))


def made(makers: Mapping[str, Callable[..., str]], named: str, root: Path) -> str:
    name, *words = named.split()
    return makers[name](root, *words)


def quoting(root: Path) -> dict[str, str]:
    """The pages that quote something: where they are, and their texts."""
    found = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in found}
    return {place: text for place, text in texts.items() if quoted(text)}


def quoted(text: str) -> list[str]:
    """What a page quotes, each as its mark names it."""
    named = [found[2] for found in (*PART.finditer(text), *WORDS.finditer(text))]
    return [each for each in named if each.split()[0] in (*PARTS, *FIGURES)]


def answer(root: Path, name: str) -> str:
    """The question of an answer's page and its first paragraph that is no prediction and no figure."""
    title, *paragraphs = page(root, name).split("\n\n")
    told = next(each for each in paragraphs if not each.startswith(("*", "!", "#", "<")))
    text = f"*[{title.removeprefix('# ').strip()}]({name}.md)* {told}"
    return re.sub(r"\]\((?![a-z]+:|#|/)", f"]({HERE}{EXPERIMENTS}/", text)


def rivals(root: Path) -> str:
    """The rows of the test that are of all figures together."""
    lines = page(root, "calibration").splitlines()
    header = next(n for n, line in enumerate(lines) if line.startswith("| ahead | figures | rival |"))
    held = [line for line in lines[header + 2 :] if ", all groups |" in line]
    return "\n".join([*lines[header : header + 2], *(line.replace(", all groups |", " |") for line in held)])


def inside(root: Path, ahead: str, level: str) -> str:
    """How many figures lay inside an interval, of a forecast of so many years ahead."""
    for cells in rows(page(root, "calibration")):
        if cells[:3] == [AHEAD[ahead], "model", "all groups"]:
            return cells[3 + LEVELS.index(level)].partition(":")[0]
    raise LookupError(f"inside {ahead} {level}: is not in calibration.md")


def outside(root: Path) -> str:
    """How many of the figures lie outside their 90 % interval."""
    told = [
        cells[5] for cells in rows(page(root, "calibration")) if len(cells) == 7 and re.fullmatch(r"\d{4}", cells[1])
    ]
    judged = [each for each in told if each in ("yes", "no")]
    return f"{judged.count('no')} of {len(judged)}"


def met(root: Path, series: str, year: str) -> str:
    """A figure, and the middle of what the fitted model says of it."""
    for cells in rows(page(root, "calibration")):
        if cells[:2] == [series, year]:
            return f"{float(cells[4].split(' / ')[1]):.3g} against {float(cells[3]):.3g} seen"
    raise LookupError(f"met {series} {year}: is not in calibration.md")


def left(root: Path, parameter: str) -> str:
    """What the fit left of a parameter: the middle, and 5 to 95 %."""
    for cells in rows(page(root, "calibration")):
        if cells[0] == f"`{parameter}`":
            low, middle, high = (f"{float(each):.2g}" for each in cells[3].split(" / "))
            return f"{middle} ({low} to {high})"
    raise LookupError(f"left {parameter}: is not in calibration.md")


def said_then(root: Path, *which: str) -> str:
    """How many figures of 2023 and 2024 the fit of 2022 had inside its interval; or one, as said and as seen."""
    with (root / WORLDS / "china-2020/said-2022.csv").open(newline="") as file:
        held = list(csv.DictReader(file))
    if not which:
        return f"{sum(row['inside'] == 'yes' for row in held)} of {len(held)}"
    measure, year = which
    [row] = [row for row in held if (row["measure"], row["date"][:4]) == (measure, year)]
    return f"{row['q50']} against {row['seen']} seen"


def effect(root: Path, name: str, end: str) -> str:
    """One end of what an answer says that controls do, over the parameter sets that fit: "bite" or "total"."""
    table = list(rows(page(root, name)))
    header = next(n for n, cells in enumerate(table) if cells[0] == "what is varied")
    column = table[header].index(end)
    return next(cells[column] for cells in table[header:] if cells[0].startswith("parameters that fit"))


def page(root: Path, name: str) -> str:
    return (root / EXPERIMENTS / f"{name}.md").read_text(encoding="utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every line of a table."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def compared(root: Path) -> str:
    """What `compare` ends with."""
    out, _ = ran("compare", "no-controls", "historic")
    told = out.partition("\nIn words\n")[2].strip("\n")
    return "\n".join(f"> {line.strip()}\n>" for line in told.splitlines()).removesuffix("\n>")


def reviewed(root: Path) -> str:
    return shown("study", "review", "published-2020", lines=REVIEWED)


def critical(root: Path) -> str:
    return shown("study", "critical", "historic", lines=LOST)


def shown(*words: str, lines: int) -> str:
    """The first lines of a table that a command prints, and what it says after it."""
    out, err = ran(*words)
    told = [line for line in err.splitlines() if line.endswith(".") and "/" not in line.split()[0]]
    return "\n".join(["```text", *out.splitlines()[:lines], "...", *told, "```"])


@cache
def ran(*words: str) -> tuple[str, str]:
    """What a command says on standard output and standard error, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "sim", *words], cwd=folder, capture_output=True, text=True, check=True
        )
    return done.stdout, done.stderr


PARTS: Mapping[str, Callable[..., str]] = {
    "answer": answer,
    "rivals": rivals,
    "compared": compared,
    "reviewed": reviewed,
    "critical": critical,
}
FIGURES: Mapping[str, Callable[..., str]] = {
    "inside": inside,
    "outside": outside,
    "met": met,
    "left": left,
    "then": said_then,
    "effect": effect,
}


def write() -> None:
    clone = document(".")
    for place, text in quoting(clone).items():
        (clone / place).write_text(rewritten(text, place, clone), encoding="utf-8")


if __name__ == "__main__":
    write()
