"""The wheel, in an environment without the checkout and in an empty folder: every verb finds what it needs."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import venv
import zipfile
from io import StringIO
from pathlib import Path

import nbformat
import pytest
from support.pages import INSTEAD, LINES, MAY_END_WITH_1, OBSERVATIONS, SERVERS, TYPED, lines
from support.paths import ROOT
from support.processes import started

from sim import __version__
from sim.description.how_to import PAGES as HOW_TO
from sim.description.how_to import follow
from sim.description.tutorials import NOTEBOOKS
from sim.scenario.loading import known_configs


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment that holds the wheel, and sees the packages of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "environment")
    places = {"base": str(folder / "environment"), "platbase": str(folder / "environment")}
    packages = Path(sysconfig.get_path("purelib", scheme="venv", vars=places))
    zipfile.ZipFile(next(folder.glob("*.whl"))).extractall(packages)  # all that installing a pure wheel does
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    programs = Path(sysconfig.get_path("scripts", scheme="venv", vars=places))
    (programs / "decoupling").write_text(f'#!/bin/sh\nexec "{programs / "python"}" -m sim "$@"\n')
    (programs / "decoupling").chmod(0o755)
    return programs / "python"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return tmp_path_factory.mktemp("empty")


@pytest.fixture
def answer(python, empty):
    def run(*words):
        done = subprocess.run(
            [python, "-m", "sim", *words], cwd=empty, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def environment(**more):
    """Nothing that would lead to the checkout."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "DECOUPLING_HOME")}
    return {**kept, **more}


def test_it_is_the_wheel_and_not_the_checkout(python, empty):
    ask = "import sim; from importlib.metadata import version; print(sim.__file__, version('decoupling-race'))"
    said = subprocess.run([python, "-c", ask], cwd=empty, env=environment(), capture_output=True, text=True, check=True)
    file, version = said.stdout.split()
    assert Path(file).is_relative_to(python.parent.parent) and version == __version__
    assert (Path(file).parent / "py.typed").exists()


def test_all_that_ships_is_there(answer):
    rows = list(csv.DictReader(StringIO(answer("list", "configs", "--format", "csv"))))
    assert [row["config"] for row in rows] == known_configs()
    experiments = list(csv.DictReader(StringIO(answer("list", "experiments", "--format", "csv"))))
    assert [row["experiment"] for row in experiments] == sorted(p.stem for p in (ROOT / "experiments").glob("*.toml"))


def test_what_ships_is_sound(answer):
    assert answer("check", "historic", "two-by-two", "calibration", "crop-seeds").count("without faults") == 4


def test_one_s_own_config_from_one_that_ships(answer, empty):
    (empty / "configs").mkdir()
    (empty / "configs/mine.toml").write_text(answer("show", "historic"))
    assert answer("check", "mine") == "mine: a config without faults\n"


def test_runs_and_batches_go_to_the_working_folder(answer, empty):
    answer("run", "crop-seeds", "--until", "2020")
    (run,) = (empty / "results").glob("crop-seeds-1-*")
    assert json.loads((run / "manifest.json").read_text())["run_info"]["git_commit"] is None
    for name in ("no-controls", "allied"):
        (empty / f"of-{name}.toml").write_text(f'question = "Does it?"\nconfigs = ["{name}"]\nreplications = 2\n')
        answer("batch", f"of-{name}.toml", "--workers", "1")
    assert "domestic supply share" in answer("compare", "of-no-controls", "of-allied")


def test_the_first_ten_minutes(python, tmp_path):
    """What the front page and the first page of the site have a reader type, with a smaller experiment of that name."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/policy-grid.toml").write_text(
        'question = "Is it so?"\nconfigs = ["published-2020"]\nreplications = 2\n'
        'factors = { "controls.severity" = [0.0, 1.0], "subsidy.annual" = [0, 400] }\n'
    )
    typed = dict.fromkeys((*lines(ROOT / "README.md"), *lines(ROOT / "docs/start/index.md")))
    short = [
        line.replace("pip install uv && ", "") for line in typed if " view " not in line
    ]  # a test of its own below
    program = [TYPED.sub(f"{python} -m sim ", line) for line in short if TYPED.match(line)]
    assert len(program) >= 6
    script = "set -e\n" + "\n".join(program)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert {path.name for path in tmp_path.glob("*.toml")} == {"mine.toml"}
    assert (tmp_path / "results/policy-grid/runs.csv").exists() and (tmp_path / "results/policy-grid.svg").exists()
    assert "In words" in done.stdout and "without faults" in done.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The folder of somebody who has the program and no clone."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copyfile(ROOT / OBSERVATIONS, folder / "FILE")
    return folder


@pytest.mark.long
@pytest.mark.parametrize("line", [line for line in LINES if "decoupling " in line])
def test_every_command_works_without_a_clone(python, reader, line):
    line, _ = INSTEAD.get(line, (line, ""))
    if any(server in line for server in SERVERS):
        pytest.skip("a test of its own has a server")
    typed = TYPED.sub(f"{python} -m sim ", line.replace("pip install uv && ", ""))
    done = subprocess.run(["bash", "-c", typed], cwd=reader, env=environment(), capture_output=True, text=True)
    assert done.returncode in ((0, 1) if any(word in line for word in MAY_END_WITH_1) else (0,)), done.stderr[-3000:]
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_how_to_page_is_followed_without_a_clone(python, tmp_path, monkeypatch, page):
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    followed = follow(page.read_text(), tmp_path, programs=python.parent)
    assert [line for _, quote in followed for line in quote.wrong] == []


@pytest.mark.long
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_tutorial_runs_without_a_clone(python, tmp_path, notebook):
    cells = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    subprocess.run([python, "-c", "\n".join(cells)], cwd=tmp_path, env=environment(), check=True)


def test_the_page_answers(python, empty, tmp_path):
    words = [python, "-m", "sim", "view", "--port", "0"]
    with started(words, cwd=empty, env=environment(XDG_CACHE_HOME=str(tmp_path))) as page:
        address = next(found[0] for line in page.stderr if (found := re.search(r"http://\S+", line)))
        with pytest.raises(urllib.error.HTTPError, match="503") as said:
            urllib.request.urlopen(address, timeout=30)
        said.value.close()
        page.terminate()
        page.communicate(timeout=30)
