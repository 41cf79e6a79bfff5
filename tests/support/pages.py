"""The pages that people read, and what they ask a reader to type or to save."""

import re

from support.paths import ROOT

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"), key=lambda page: ("start" not in page.parts, page))]
TYPED = re.compile(r"^uv run (?:--extra \w+ )?decoupling ")


def name(page):
    """A page by its place in the project."""
    return page.relative_to(ROOT).as_posix()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def lines(page):
    """What a page asks a reader to type, line by line."""
    return [line for block in blocks(page.read_text(), "sh") for line in block.splitlines() if line]


def saved(page):
    """The files that a page asks a reader to save, by name."""
    return dict(
        re.findall(r"Save this as `([\w./-]+)`[^\n]*\n+```\w+\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    )


# Those of docs/how-to/ are followed by a test of their own.
FOLLOWED = [page for page in PAGES if page.parent.name != "how-to"]
LINES = list(dict.fromkeys(line for page in FOLLOWED for line in lines(page)))
OBSERVATIONS = "configs/worlds/china-2020/observations.csv"

# Lines that are not run unchanged, what is run instead, and why.
INSTEAD = {
    "pip install uv && uv run python tests/check.py": (
        "pip install uv && uv run python tests/check.py tests/engine/test_streams.py",
        "this test is run by a line like it",
    ),
    "uv run --with jupyterlab jupyter lab": (
        "uv run --with nbformat python -c 'import nbformat, sim'",
        "it would open a browser and stay",
    ),
    "uv run decoupling study calibrate calibration": (
        "uv run decoupling check calibration",
        "a test of its own in tests/study/test_calibration.py runs it in full",
    ),
    "uv run python tests/bench/batches.py": ("uv run python tests/bench/batches.py short", "in full it takes an hour"),
}
# A mark that is missed on a busy machine, and a gate that is tripped, end with 1.
MAY_END_WITH_1 = ("bench/speed.py", "bench/three_ways.py", "bench/batches.py", "--fail-on")
SERVERS = ("decoupling view historic",)
