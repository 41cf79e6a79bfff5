"""Whole files or none."""

import errno
import os

import pytest

from sim.errors import BadInput
from sim.results.files import write_aside, writing


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"old")

    def half():
        yield b"new"
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_aside(path, half())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["runs.csv"]
    with path.open("rb") as reader:
        write_aside(path, [b"new", b"er"])
        assert reader.read() == b"old"  # whoever reads the old file keeps it whole
    assert path.read_bytes() == b"newer"
    assert os.listdir(tmp_path) == ["runs.csv"]


def test_a_full_disk_is_a_sentence_and_overwrites_nothing(tmp_path, monkeypatch):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="no space left; give another --out"), writing(path):
        write_aside(path, [b"new"])
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["runs.csv"]
