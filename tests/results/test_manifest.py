"""The manifest: read as it was written, and one sentence for whatever is wrong with it."""

import json

import pytest
from support.made_results import EXPERIMENT, WORLD, manifest, scenario, signed

from sim.errors import BadInput
from sim.results.manifest import MANIFEST, Manifest, OtherVersion, digest_of, manifest_in, read_manifest

DEEP = '{"a":' * 1000 + "1" + "}" * 1000


def written(folder, content):
    (folder / MANIFEST).write_text(content if isinstance(content, str) else signed(content))
    return folder


def test_what_is_read_is_what_was_written(tmp_path):
    values = {"a.word": "events", "a.switch": True, "a.whole": 7, "a.number": 0.1 + 0.2, "a.whole_float": 100.0}
    experiment = {**EXPERIMENT, "factors": {"a.number": {"low": 0.0, "high": 1e-5}}, "swept": ["a.number"]}
    content = manifest(experiment=experiment, scenarios=scenario(values=values), parameter_sets={"1": {"a.number": 2}})
    kept = Manifest.model_validate(content)
    (tmp_path / MANIFEST).write_bytes(kept.text())
    assert read_manifest(tmp_path) == kept
    assert json.loads((tmp_path / MANIFEST).read_text()) == {**content, "digest": digest_of(content)}
    assert read_manifest(tmp_path).text() == kept.text()
    held = read_manifest(tmp_path).scenarios["historic"].values
    assert held == values and all(type(held[key]) is type(value) for key, value in values.items())


def test_manifest_is_plain_json():
    """Sorted keys, a space to a level, letters as they are, no NaN."""
    text = Manifest.model_validate(manifest(run_info={"b": "Ünits", "a": 0.5})).text().decode()
    assert text.startswith('{\n "arithmetic": "cc",\n "columns": {\n') and text.endswith("}\n")
    assert ' "run_info": {\n  "a": 0.5,\n  "b": "Ünits"\n },\n' in text
    with pytest.raises(ValueError, match="not JSON compliant"):
        Manifest.model_validate(manifest(run_info={"a": float("nan")})).text()


def test_its_world_answers_for_itself():
    world = Manifest.model_validate(manifest()).world
    assert world.controllers == ["USA", "NLD", "TWN"]  # the lead and its allies in the order of the table
    assert world.inputs == ["lithography", "photoresist"]


def without(key):
    return {name: value for name, value in manifest().items() if name != key}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "Invalid JSON: EOF"),
        ('{"schema_version": 3, "exp', "Invalid JSON: EOF"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ("[" * 100_000, "recursion limit exceeded"),
        (
            json.dumps(manifest()).replace('"run_info": {}', f'"run_info": {DEEP}'),
            "recursion limit exceeded",
        ),
        ("\udc80", "Invalid JSON"),
        (without("seeds"), "seeds is missing"),
        (manifest(seeds="one"), "seeds = 'one': must be a valid"),
        (manifest(seeds=[1, "two"]), r"seeds\.1 = 'two': must be a valid integer"),
        (manifest(seeds=[]), "seeds"),
        (manifest(scenarios={}), "scenarios"),
        (manifest(scenarios={"historic": {}}), r"scenarios\.historic\.name is missing"),
        (manifest(worlds={"seeds": WORLD}), "the worlds chips of its scenarios are not there"),
        (manifest(experiment={**EXPERIMENT, "design": {"kind": "sobol"}}), "a sobol design needs samples, seed"),
        (manifest(experiment={**EXPERIMENT, "swept": ["a.b"]}, factors={}), "factors"),
        (manifest(experiment={**EXPERIMENT, "parts": {}, "order": ["a"]}), "order must name every part once"),
        (manifest(experiment={**EXPERIMENT, "configs": ["other"]}), "configs of its experiment are not its scenarios"),
        (manifest(experiment={**EXPERIMENT, "name": "../mine"}), r"experiment\.name = '\.\./mine': "),
        (manifest(more=1), "more = 1: "),
    ],
)
def test_a_damaged_manifest_is_one_sentence(tmp_path, content, words):
    if content == "\udc80":
        (tmp_path / MANIFEST).write_bytes(b"\xff\xfe")
    else:
        written(tmp_path, content)
    with pytest.raises(BadInput, match=words) as fault:
        read_manifest(tmp_path)
    (problem,) = fault.value.problems
    assert problem.startswith(f"{tmp_path / MANIFEST}: ") and problem.endswith("run the experiment again")
    assert len(problem.splitlines()) == 1 and len(problem) < 400 + len(str(tmp_path))
    assert manifest_in(tmp_path) is None


def test_a_missing_manifest_is_one_sentence(tmp_path):
    with pytest.raises(BadInput, match="there is no such file; give the folder of a finished result"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(BadInput, match="cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(("version", "word"), [(2, "an older"), (4, "a newer")])
def test_another_version_is_said(tmp_path, version, word):
    written(tmp_path, {"schema_version": version, "experiment": None, "seeds": [1], "whatever": {}})
    with pytest.raises(OtherVersion, match=f"schema_version = {version}: {word} version .* this one reads 3; run"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"direction": "higher"', '"direction": "lower"'),
        ('"unit": "bn yuan"', '"unit": "bn dollars"'),
        ('"last": 2035', '"last": 2030'),
        ('"every": "year"', '"every": "quarter"'),
        ('"share": 0.7', '"share": 0.6'),
        ('"CHN": "target"', '"CHN": "lead"'),
        ('"bytes": 10', '"bytes": 11'),
        ('"subsidy.annual": 0.0', '"subsidy.annual": 1.0'),
    ],
)
def test_an_altered_manifest_is_not_believed(tmp_path, old, new):
    """Each of these is well formed, and nothing else would tell."""
    kept = Manifest.model_validate(manifest(files={"runs.csv": {"bytes": 10, "sha256": "aa"}}))
    text = kept.text().decode()
    (tmp_path / MANIFEST).write_text(text)
    assert read_manifest(tmp_path) == kept
    assert text.count(old) >= 1
    (tmp_path / MANIFEST).write_text(text.replace(old, new, 1))
    with pytest.raises(BadInput, match=r"manifest\.json: was altered: its digest is not that of what it says; run"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("digest", [None, "", "aa", 7, []])
def test_a_manifest_without_its_digest_is_not_believed(tmp_path, digest):
    written(tmp_path, json.dumps({**manifest(), **({} if digest is None else {"digest": digest})}))
    with pytest.raises(BadInput, match="was altered: its digest"):
        read_manifest(tmp_path)


def test_the_digest_does_not_depend_on_when_and_where_it_was_run(tmp_path):
    texts = [Manifest.model_validate(manifest(run_info={"seconds": seconds})).text() for seconds in (1, 2)]
    assert texts[0] != texts[1] and json.loads(texts[0])["digest"] == json.loads(texts[1])["digest"]
    (tmp_path / MANIFEST).write_bytes(texts[0].replace(b'"seconds": 1', b'"seconds": 5'))
    assert read_manifest(tmp_path).run_info == {"seconds": 5}
