"""The page's front-end files: got through npm, or from Solara's own package of them, and it is said which way."""

import json
import shutil
import stat

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import BadInput
from sim.live import assets

APP = "solara-vuetify-app8.min.js"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A machine without npm, with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(assets, "SHARED", tmp_path / "share")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    return tmp_path


@pytest.fixture
def package(empty):
    """Solara's package of the files, whose front end is of an earlier version than the page asks for."""
    for name, version in (("@widgetti/solara-vuetify3-app", "5.1.1"), ("requirejs", "2.3.6")):
        folder = assets.SHARED / f"{name}@{version}"
        (folder / "dist").mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"version": version}))
        for file in (
            "require.js",
            "dist/main8.css",
            "dist/fonts.css",
            "dist/solara-vuetify-app8.min.js",
            "dist/a.woff2",
        ):
            (folder / file).write_text(f"{name} {file}")
        (folder / "dist/other.js").write_text("not used")


def get_assets():
    return CliRunner().invoke(app, ["view", "--get-assets"])


def test_without_npm_they_are_copied_from_solara_s_package(package):
    assert assets.missing_assets() != []
    answer = get_assets()
    assert answer.exit_code == 0, answer.output
    assert answer.output.endswith(
        "copied from Solara's package of them (@widgetti/solara-vuetify3-app 5.1.1, requirejs 2.3.6)\n"
    )
    assert assets.missing_assets() == []
    held = assets.assets_folder() / "@widgetti/solara-vuetify3-app@5.2.0/dist"
    assert (held / "main8.css").read_text().endswith("main8.css") and not (held / "other.js").exists()
    assert get_assets().exit_code == 0  # a second time puts them in their own place


def test_npm_that_fails_leaves_solara_s_package(package, empty, monkeypatch):
    npm = empty / "npm"
    npm.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    npm.chmod(npm.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    assert "copied from Solara's package" in get_assets().output
    shutil.rmtree(assets.SHARED)
    with pytest.raises(BadInput, match="npm pack @widgetti/solara-vuetify3-app@5.2.0: no network"):
        assets.get_assets()
    assert assets.missing_assets() == []  # what was there stays


def test_without_either_the_ways_are_said(empty):
    with pytest.raises(
        BadInput, match=r"npm was not found; install Node.js, or .*\(239 MB\) .*decoupling-race\[page\]"
    ):
        assets.get_assets()
    assert assets.missing_assets() != []
