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
