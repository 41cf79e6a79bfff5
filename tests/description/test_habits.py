"""One command checks everything, and what a public forge reads agrees with the project."""

import subprocess

import check
import pytest
import yaml
from support.paths import ROOT

from sim import __version__
from sim.world.evidence import GRADES

FORGE = ROOT / ".github"
FORMS = sorted(path for path in (FORGE / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


@pytest.fixture
def steps(monkeypatch):
    """What check.py runs, with a tool that fails: [words of each step]."""

    def run(failing, *arguments):
        ran = []

        def tool(command, cwd):
            ran.append(command[2:])
            return subprocess.CompletedProcess(command, 3 if command[2:] == failing else 0)

        monkeypatch.setattr(check.subprocess, "run", tool)
        return check.main(list(arguments)), ran

    return run


def test_all_is_checked_and_arguments_go_to_pytest(steps):
    code, ran = steps(None, "tests/engine", "-x")
    assert code == 0
    *style, (name, *words) = ran
    assert style == [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]]
    assert (name, words[-2:]) == ("pytest", ["tests/engine", "-x"])


def test_the_first_that_fails_ends_it_with_its_code(steps):
    assert steps(["ruff", "format", "--check"]) == (3, [["ruff", "check"], ["ruff", "format", "--check"]])


def test_the_readme_contributing_and_the_machine_call_the_one_command():
    for name in ("README.md", "CONTRIBUTING.md", ".ci/run"):
        assert "uv run python tests/check.py" in (ROOT / name).read_text(), name


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_fields_with_names_of_their_own(path):
    form = yaml.safe_load(path.read_text())
    names = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert form["name"] and form["description"] and names and len(set(names)) == len(names)


def test_the_version_is_cited_as_it_is():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__


def test_new_evidence_says_all_that_loading_demands():
    form = yaml.safe_load((FORGE / "ISSUE_TEMPLATE/evidence.yml").read_text())
    fields = {field["id"]: field["attributes"] for field in form["body"] if "id" in field}
    assert {"key", "value", "unit", "low", "high", "grade", "source", "date"} == set(fields)
    assert fields["grade"]["options"] == list(GRADES)
