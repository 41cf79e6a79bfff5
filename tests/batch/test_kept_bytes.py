"""Every config and experiment, made small, gives the bytes it gave before the program was laid out anew."""

import json
from pathlib import Path

import pytest
from support.kept_bytes import digests, small_home
from support.paths import ROOT

from sim.results.provenance import arithmetic_fingerprint

KEPT = json.loads((Path(__file__).parent / "kept_bytes.json").read_text())
SAME_ARITHMETIC = arithmetic_fingerprint() == KEPT["arithmetic"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = small_home(ROOT, tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def test_every_config_and_experiment_is_kept(home):
    assert {path.stem for path in (home / "experiments").glob("*.toml")} == set(KEPT["results"])


@pytest.mark.parametrize("name", KEPT["results"])
def test_results_keep_their_bytes(home, tmp_path, name):
    found, kept = digests(home, tmp_path, name), KEPT["results"][name]
    if SAME_ARITHMETIC:
        assert found == kept
    else:  # another processor may answer differently in the last digits, but not in the ninth
        shares = [[float(share or "nan") for share in each["shares"]] for each in (found, kept)]
        assert shares[0] == pytest.approx(shares[1], rel=1e-9, nan_ok=True)
