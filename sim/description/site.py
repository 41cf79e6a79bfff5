"""How the project's pages come into its site: the hook of mkdocs.yml, which only mkdocs calls.

Pages are written once, where they belong in the project. Those outside of docs/ get a place in the site here, and links
between files of the project, which work on a forge, are turned into links between pages of the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import File, Files
    from mkdocs.structure.pages import Page

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "configs/worlds/china-2020/README.md": "evidence/china-2020.md",
    "configs/worlds/crop-seeds/README.md": "evidence/crop-seeds.md",
}
FOLDERS = {"docs/": "", "experiments/": "answers/"}
INDEX = "README.md"
NOTEBOOK = ".ipynb"
LONG = "-tables.md"  # the tables of an answer, to which its page leads
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)(?P<target>[^)#\s]+)")


def place(path: str) -> str:
    """Where in the site a file of the project is; of a notebook, the page that is made of it."""
    if path in PAGES:
        return PAGES[path]
    for folder, inside in FOLDERS.items():
        if path.startswith(folder):
            name = re.sub(f"^{INDEX}$", "index.md", path.removeprefix(folder))
            return inside + re.sub(f"{NOTEBOOK}$", ".md", name)
    return f"source/{path}"


def linked(target: str, page: str, root: Path) -> str | None:
    """The file of the project that a link of a page means, a folder's README for a folder; None if there is none."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
    if (root / path).is_dir():
        path = f"{path}/{INDEX}"
    return path if (root / path).is_file() else None


def on_config(config: MkDocsConfig) -> None:
    """Folders in the navigation become their pages, the index first, without those that are named elsewhere.

    The long tables of answers are left out.
    """
    named = set(_named(config.nav))
    root = Path(config.config_file_path).parent
    found = [p for folder in FOLDERS for kind in (".md", NOTEBOOK) for p in sorted((root / folder).rglob(f"*{kind}"))]
    pages = [place(path.relative_to(root).as_posix()) for path in found]
    held = [page for page in pages if page not in named and not page.endswith(LONG)]
    filled = [_filled(entry, held) for entry in config.nav or []]
    config.nav = [entry for entry in filled if all(entry.values())]


def _named(nav: Any) -> list[str]:
    """Every page that a navigation names."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [name for part in parts for name in _named(part)]


def _filled(entry: Any, pages: list[str]) -> Any:
    [(title, inside)] = entry.items()
    if not (isinstance(inside, str) and inside.endswith("/*")):
        return entry
    folder = inside.removesuffix("*")
    return {title: sorted((p for p in pages if p.startswith(folder)), key=lambda page: page != f"{folder}index.md")}


def on_files(files: Files, config: MkDocsConfig) -> None:
    """The pages that lie outside of docs/, and the notebooks as pages."""
    root = Path(config.config_file_path).parent
    for path in [*PAGES, *(p.relative_to(root).as_posix() for p in sorted((root / "experiments").glob("*.md")))]:
        files.append(_file(path, config))
    for notebook in [file for file in files if file.src_uri.endswith(NOTEBOOK)]:
        for page in _pages_of(notebook, config):
            files.append(page)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to files of the project become links of the site; what is no page comes along as it is."""
    root = Path(config.config_file_path).parent
    source = page.file.abs_src_path  # None of a notebook's page, which has its place from docs/
    here = Path(source).relative_to(root).as_posix() if source else f"docs/{page.file.src_uri}"

    def turned(link: re.Match[str]) -> str:
        path = linked(link["target"], here, root)
        if path is None:
            return link[0]  # mkdocs says that it leads nowhere
        if place(path) not in files.src_uris:
            files.append(_file(path, config))
        return posixpath.relpath(place(path), posixpath.dirname(page.file.src_uri))

    return LINK.sub(turned, markdown)


def _pages_of(notebook: File, config: MkDocsConfig) -> Iterator[File]:
    """A notebook as a page, with the pictures that it holds; it stays beside them to be opened."""
    from mkdocs.structure.files import File
    from nbconvert import MarkdownExporter

    name = notebook.src_uri.removesuffix(NOTEBOOK)
    folder = posixpath.dirname(name)
    text, parts = MarkdownExporter().from_filename(
        str(notebook.abs_src_path), resources={"unique_key": posixpath.basename(name)}
    )
    yield File.generated(config, f"{name}.md", content=text)
    for picture, content in parts["outputs"].items():
        yield File.generated(config, f"{folder}/{picture}", content=content)


def _file(path: str, config: MkDocsConfig) -> File:
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    return File.generated(config, place(path), abs_src_path=str(root / path))
