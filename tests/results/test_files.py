"""Whole files or none."""

import errno
import os
from contextlib import nullcontext

import pytest

from sim.errors import BadInput
from sim.results.files import keep_folder, write_aside, write_ours, writing


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


@pytest.mark.parametrize(("number", "is_fault"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch, number, is_fault):
    """As on some network file systems; what the disk itself refuses is one."""

    def refusing(handle):
        raise OSError(number, "refused")

    monkeypatch.setattr(os, "fsync", refusing)
    with pytest.raises(OSError, match="refused") if is_fault else nullcontext():
        keep_folder(tmp_path)


def test_files_of_somebody_else_are_not_replaced(tmp_path):
    """Ours are, again and again; a file or a link of that name that was there before is not, and nothing is written."""
    write_ours(tmp_path, {"report.md": "one"})
    write_ours(tmp_path, {"report.md": "two", "more.csv": "three"})
    assert (tmp_path / "report.md").read_text() == "two"
    (tmp_path / "mine.md").write_text("dear")
    (tmp_path / "link.md").symlink_to(tmp_path / "nowhere")
    for name in ("mine.md", "link.md"):
        with pytest.raises(BadInput, match=rf"{name}: is there already and was not written by this program; move it"):
            write_ours(tmp_path, {"report.md": "four", name: "four"})
    assert (tmp_path / "report.md").read_text() == "two" and (tmp_path / "mine.md").read_text() == "dear"
    assert (tmp_path / "link.md").is_symlink() and not (tmp_path / "nowhere").exists()


def test_what_is_written_aside_goes_through_no_link(tmp_path):
    (tmp_path / f"runs.csv.{os.getpid()}.aside").symlink_to(tmp_path / "mine")
    (tmp_path / "mine").write_text("dear")
    write_aside(tmp_path / "runs.csv", [b"ours"])
    assert (tmp_path / "mine").read_text() == "dear" and (tmp_path / "runs.csv").read_bytes() == b"ours"
