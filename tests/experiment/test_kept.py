"""The design of a result, from its manifest: the points that were run."""

import pytest
from support.made_results import EXPERIMENT

from sim.errors import BadInput
from sim.experiment.file import load_experiment
from sim.experiment.kept import parts_of
from sim.results.manifest import KeptExperiment

DESIGNS = {
    "grid": '[factors]\n"subsidy.annual" = [0, 100]\n"controls.severity" = { low = 0.0, high = 1.0, levels = 3 }\n',
    "list": '[design]\nkind = "list"\npoints = [{ "subsidy.annual" = 5 }, { "controls.mode" = "none" }]\n',
    "one-at-a-time": '[design]\nkind = "one-at-a-time"\n[factors]\n"controls.severity" = [0.1, 0.2]\n',
    "latin-hypercube": '[design]\nkind = "latin-hypercube"\nsamples = 5\nseed = 3\n'
    '[factors]\n"subsidy.annual" = { low = 0, high = 9 }\n"controls.mode" = ["none", "fixed"]\n',
    "distributions": '[design]\nkind = "sobol"\nsamples = 4\n[factors]\n'
    '"subsidy.annual" = { distribution = "triangular", low = 0, mode = 50, high = 400 }\n'
    '"controls.severity" = { distribution = "normal", mean = 0.5, sd = 0.2, low = 0.1 }\n'
    '"investment.annual" = { distribution = "lognormal", median = 140, sigma = 0.4 }\n'
    '"demand.growth" = { distribution = "uniform", low = 0.02, high = 0.05 }\n',
    "morris": '[design]\nkind = "morris"\ntrajectories = 2\nlevels = 6\n'
    '[factors]\n"subsidy.annual" = { low = 0, high = 9 }\n"controls.severity" = "range"\n',
    "parts": 'leave_out = ["mechanisms.caution"]\n[parts.z.factors]\n"subsidy.annual" = [3, 1, 2]\n'
    '[parts.a]\ndesign = { kind = "sobol", samples = 2 }\nfactors = { "subsidy.annual" = { low = 0, high = 9 } }\n',
}


@pytest.mark.parametrize("design", DESIGNS)
def test_the_points_of_a_result_are_those_that_were_run(tmp_path, design):
    path = tmp_path / "asked.toml"
    path.write_text(f'question = "?"\nconfigs = ["no-controls"]\nreplications = 1\n{DESIGNS[design]}')
    asked = load_experiment(path)
    text = KeptExperiment.model_validate(asked.as_dict()).model_dump_json()
    parts = parts_of(KeptExperiment.model_validate_json(text), "here")
    assert [(part.name, part.kind, part.swept) for part in parts] == [
        (part.name, part.kind, part.swept) for part in asked.parts
    ]
    for ours, theirs in zip(parts, asked.parts, strict=True):
        assert list(map(dict, ours.points)) == list(map(dict, theirs.points))


def test_other_points_than_were_drawn_are_refused():
    sampled = {
        **EXPERIMENT,
        "design": {"kind": "latin-hypercube", "samples": 2, "seed": 1},
        "factors": {"a.b": {"low": 0.0, "high": 1.0}},
        "swept": ["a.b"],
        "drawn": {"": "0123"},
    }
    with pytest.raises(BadInput, match="here: this version of SALib or scipy draws other points"):
        parts_of(KeptExperiment.model_validate(sampled), "here")
