"""The site: built without a warning, every link of it leads somewhere, and it reads from a disk without a network."""

import os
import posixpath
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from support.browsing import visited
from support.paths import ROOT

from sim.description.site import linked, place

LOADS = {"script": "src", "img": "src", "source": "srcset", "iframe": "src", "link": "href", "video": "src"}

BROKEN = "[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"


class Read(HTMLParser):
    """What a page loads, where it leads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.anchors: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        held = dict(attributes)
        self.anchors |= {held[name] for name in ("id", "name") if held.get(name)}
        if tag == "a" and held.get("href"):
            self.leads.append(held["href"])
        if held.get(LOADS.get(tag, "")):
            self.loads.append(held[LOADS[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        build, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Each page by its path in the site."""
    return {path.relative_to(site).as_posix(): Read(path.read_text()) for path in site.rglob("*.html")}


def test_every_part_of_the_site_is_there(pages):
    for name in ("index", "model/odd", "reference/data", "answers/index", "answers/two-by-two", "project/contributing"):
        assert f"{name}.html" in pages
    written = {path.stem for path in (ROOT / "experiments").glob("*.md")} - {"README"}
    assert {f"answers/{name}.html" for name in written} <= set(pages)


def test_nothing_is_loaded_from_elsewhere(pages, site):
    for name, page in pages.items():
        for target in page.loads:
            assert not urlsplit(target).netloc, (name, target)
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text() and "@import" not in style.read_text(), style


def test_every_link_leads_to_a_page_and_a_place_in_it(pages, site):
    leads = [(name, target) for name, page in pages.items() if name != "404.html" for target in page.leads + page.loads]
    assert len(leads) > 500
    for name, target in leads:
        parts = urlsplit(target)
        if parts.scheme:
            assert parts.scheme in ("https", "mailto"), (name, target)
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
        assert (site / path).is_file(), (name, target)
        if parts.fragment and path in pages:
            assert unquote(parts.fragment) in pages[path].anchors, (name, target)


def test_a_file_of_the_project_has_one_place():
    assert place("README.md") == "index.md"
    assert place("experiments/README.md") == "answers/index.md"
    assert place("experiments/two-by-two.svg") == "answers/two-by-two.svg"
    assert place("docs/model/odd.md") == "model/odd.md"
    assert place("docs/tutorials/a.ipynb") == "tutorials/a.md"
    assert place("configs/historic.toml") == "source/configs/historic.toml"


def test_links_are_those_of_a_forge(tmp_path):
    (tmp_path / "docs/how-to").mkdir(parents=True)
    (tmp_path / "world").mkdir()
    for name in ("docs/how-to/a.md", "docs/b.md", "world/README.md"):
        (tmp_path / name).touch()
    assert linked("../b.md", "docs/how-to/a.md", tmp_path) == "docs/b.md"
    assert linked("../../world", "docs/how-to/a.md", tmp_path) == "world/README.md"
    assert linked("../c.md", "docs/how-to/a.md", tmp_path) is None


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1440])
def test_pages_open_from_a_disk_and_fit(chromium, site, width, colours):
    """On a telephone, a tablet and a desk, without network: nothing is asked of anybody, and nothing is wider."""
    ours = site.as_uri()
    settings = {"viewport": {"width": width, "height": 900}, "color_scheme": colours, "offline": True}
    for name in ("index", "model/odd", "answers/two-by-two", "reference/data"):
        with visited(chromium, f"{ours}/{name}.html", ours, **settings) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.long
@pytest.mark.parametrize(("width", "colours"), [(390, "dark"), (1440, "light")])
def test_every_page_opens_from_a_disk_and_fits(chromium, site, pages, width, colours):
    ours = site.as_uri()
    settings = {"viewport": {"width": width, "height": 900}, "color_scheme": colours, "offline": True}
    for name in sorted(pages.keys() - {"404.html"}):  # which a server shows at any address
        with visited(chromium, f"{ours}/{name}", ours, **settings) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert page.evaluate(BROKEN) == [], name


def test_the_search_finds_from_a_disk(chromium, site):
    ours = site.as_uri()
    with visited(chromium, f"{ours}/index.html", ours, offline=True) as page:
        page.get_by_role("textbox", name="Search").click()
        page.get_by_text("Type to start searching").wait_for(timeout=20_000)  # the index is read
        page.get_by_role("textbox", name="Search").fill("lithograph")  # at once: of one letter lunr may complain
        page.keyboard.type("y")  # the first key that it hears
        found = page.locator(".md-search-result__link").first
        found.wait_for(timeout=20_000)
        assert ".html" in found.get_attribute("href")
