"""Which program, libraries and machine made a result."""

import json

import numpy as np

from sim.results import provenance


def test_program_hash_sees_every_byte_and_every_name(tmp_path, monkeypatch):
    package = tmp_path / "sim"
    (package / "agents").mkdir(parents=True)
    (package / "results").mkdir()
    (package / "results" / "records.py").write_text("a = 1\n")
    (package / "agents" / "state.py").write_text("b = 2\n")
    monkeypatch.setattr(provenance, "__file__", str(package / "results" / "provenance.py"))
    seen = set()

    def note():
        provenance.program_files.cache_clear()
        seen.add(provenance.program_hash())

    try:
        note()
        (package / "ODD.md").write_text("no source")
        note()
        assert len(seen) == 1
        (package / "agents" / "state.py").write_text("b = 3\n")
        note()
        (package / "agents" / "state.py").rename(package / "agents" / "firm.py")
        note()
        assert len(seen) == 3
        assert all(len(value) == 64 for value in seen)
    finally:
        provenance.program_files.cache_clear()


def test_arithmetic_fingerprint_sees_the_last_bit(monkeypatch):
    provenance.arithmetic_fingerprint.cache_clear()
    here = provenance.arithmetic_fingerprint()
    exact = np.exp
    with monkeypatch.context() as patch:
        patch.setattr(np, "exp", lambda values: np.nextafter(exact(values), np.inf))
        provenance.arithmetic_fingerprint.cache_clear()
        assert provenance.arithmetic_fingerprint() != here
    provenance.arithmetic_fingerprint.cache_clear()
    assert provenance.arithmetic_fingerprint() == here


def test_versions_and_run_info_fit_into_json():
    assert {"python", "mesa", "numpy", "scipy"} <= provenance.dependencies().keys()
    info = json.loads(json.dumps(provenance.run_info(1.23456, 2), allow_nan=False))
    assert info["seconds"] == 1.235 and info["workers"] == 2
