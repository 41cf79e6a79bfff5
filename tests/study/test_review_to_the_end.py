"""The chain review at every moment of the horizon, and what studies take for a folder."""

import numpy as np
import pytest

from sim.engine.parameters import Parameters
from sim.errors import BadInput
from sim.results.manifest import read_manifest
from sim.scenario.loading import load_config
from sim.scenario.values import MARKET, RECORDED
from sim.study.discovery import discover
from sim.study.report.answer import read_answer
from sim.study.review import review
from sim.study.sensitivity import sensitivity


@pytest.mark.parametrize("year", [2023, 2033, 2035])
def test_a_review_follows_a_cut_off_beyond_the_horizon(year):
    """Three years ahead of 2035 is 2038; and a cut-off that costs nothing is at no risk, not at a negative one."""
    spots = review(load_config("historic"), 1, year)
    risks = np.array([(spot.at_risk_1_year, spot.at_risk_3_years) for spot in spots])
    assert np.isfinite(risks).all() and (risks >= 0).all() and risks.max() > 0


def test_no_config_gives_a_market_after_the_last_year():
    parameters = Parameters([load_config("historic", {f"{MARKET}.2035": 300.0})])
    assert np.isfinite(parameters.observed(MARKET, 63)).all() and np.isnan(parameters.observed(MARKET, 64)).all()
    assert parameters.observed(RECORDED, 64) == parameters.observed(RECORDED, 63) > 0


@pytest.mark.parametrize(
    "read", [read_manifest, read_answer, lambda path: discover(path, "x >= 1"), lambda path: sensitivity(path, ["x"])]
)
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_folder_is_named_by_text_or_path(tmp_path, read, kind):
    with pytest.raises(BadInput, match="there is no such"):
        read(kind(tmp_path / "none"))
