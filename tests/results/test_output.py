"""The folder that a result is written to."""

import errno
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from support.made_results import EXPERIMENT, manifest

from sim.errors import BadInput
from sim.results.manifest import Manifest
from sim.results.output import LOCK, is_result, locked, prepare_out, replace_result


def test_output_folder_that_is_something_else_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("mine")
    (foreign / "manifest.json").write_text('{"name": "a web page", "icons": []}')
    for out, words in (
        (file, "is a file"),
        (foreign, "holds 'manifest.json' and is no result folder"),
        (file / "below", "cannot be written"),
    ):
        with pytest.raises(BadInput, match=words) as fault:
            prepare_out(out)
        assert str(out) in str(fault.value)
    assert file.read_text() == "mine"
    assert sorted(os.listdir(foreign)) == ["manifest.json", "thesis.tex"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder where nobody may write")
def test_output_folder_without_permission_is_refused():
    with pytest.raises(BadInput, match="/proc/results.*cannot be written"):
        prepare_out(Path("/proc/results/here"))


def test_output_folder_is_made_and_left_empty(tmp_path):
    prepare_out(tmp_path / "a" / "b")
    prepare_out(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == []


def result(text, experiment=None):
    kept = Manifest.model_validate(manifest(experiment=experiment))
    return {"runs.csv": [text], "series.csv": [text], "manifest.json": [kept.text()]}


def test_a_run_replaces_a_run_as_a_whole(tmp_path):
    out = tmp_path / "out"
    replace_result(out, result(b"first"))
    replace_result(out, result(b"second"))
    assert (out / "runs.csv").read_bytes() == (out / "series.csv").read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["out"]

    def broken():
        yield b"th"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BadInput, match="no space left"):
        replace_result(out, {**result(b"third"), "series.csv": broken()})
    assert (out / "runs.csv").read_bytes() == (out / "series.csv").read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["out"]


def test_the_old_run_comes_back_if_the_new_one_cannot_be_moved_into_place(tmp_path, monkeypatch):
    out = tmp_path / "out"
    replace_result(out, result(b"first"))
    rename = os.rename

    def refusing(source, target):
        if str(source).endswith(".aside"):
            raise PermissionError(errno.EACCES, "Permission denied", str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refusing)
    with pytest.raises(BadInput, match="cannot be written: Permission denied"):
        replace_result(out, result(b"second"))
    assert (out / "runs.csv").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["out"]


def test_a_run_replaces_neither_a_batch_nor_somebody_elses_file(tmp_path):
    batch, unfinished, noted = tmp_path / "batch", tmp_path / "unfinished", tmp_path / "noted"
    replace_result(batch, result(b"of a batch", experiment=EXPERIMENT))
    (unfinished / ".blocks-0123").mkdir(parents=True)
    replace_result(noted, result(b"of a run"))
    (noted / "notes.txt").write_text("mine")
    for out, words in ((batch, "holds a batch"), (unfinished, "holds a batch"), (noted, "holds 'notes.txt'")):
        before = sorted(out.rglob("*"))
        with pytest.raises(BadInput, match=words):
            replace_result(out, result(b"new"))
        assert sorted(out.rglob("*")) == before
    assert (batch / "runs.csv").read_bytes() == b"of a batch"


@pytest.mark.parametrize(("experiment", "words"), [(None, None), ({"name": "grid"}, "holds a batch")])
def test_a_result_of_another_version_is_known_as_one(tmp_path, experiment, words):
    """A run of it is replaced, as the same run makes it again; a batch of it is not."""
    out = tmp_path / "out"
    out.mkdir()
    old = {"schema_version": 1, "experiment": experiment, "seeds": [1], "files": {}}
    (out / "manifest.json").write_text(json.dumps(old))
    assert is_result(out)
    if words:
        with pytest.raises(BadInput, match=words):
            replace_result(out, result(b"new"))
    else:
        replace_result(out, result(b"new"))
        assert (out / "runs.csv").read_bytes() == b"new"


def test_a_folder_is_held_by_one(tmp_path):
    with locked(tmp_path):
        assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()} on ")
        sentence = rf"another batch is writing there .process {os.getpid()} on .*; wait for"
        with pytest.raises(BadInput, match=sentence), locked(tmp_path):
            pytest.fail("held twice")
        assert (tmp_path / LOCK).read_text().startswith(f"process {os.getpid()} on ")  # who is refused leaves it alone
    assert os.listdir(tmp_path) == []
    with locked(tmp_path):
        pass


HOLDING = "import sys, time\nfrom pathlib import Path\nfrom sim.results.output import locked\n"
HOLDING += "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"


def test_a_lock_dies_with_its_process(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDING, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BadInput, match=f"process {holder.pid} on"), locked(tmp_path):
            pytest.fail("held twice")
    finally:
        holder.kill()
        holder.communicate()
    assert (tmp_path / LOCK).exists()  # it was left behind
    with locked(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"process {os.getpid()} on {platform.node()}\n"


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("dear")
    (tmp_path / "out").mkdir()
    for target in (tmp_path / "mine", tmp_path / "nothing"):
        (tmp_path / "out" / LOCK).symlink_to(target)
        sentence = r"out/\.lock: is a symbolic link, which is not followed; remove it"
        with pytest.raises(BadInput, match=sentence), locked(tmp_path / "out"):
            pytest.fail("held")
        (tmp_path / "out" / LOCK).unlink()
    assert (tmp_path / "mine").read_text() == "dear" and not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_holds_a_folder_for_one_all_the_same(tmp_path, monkeypatch, number):
    def without(descriptor, what):
        raise OSError(number, "no locks here")

    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", without)
    with locked(tmp_path):
        sentence = rf"another batch is writing there \(process {os.getpid()} on .*\); .* remove .*\.writing"
        with pytest.raises(BadInput, match=sentence), locked(tmp_path):
            pytest.fail("held twice")
    assert os.listdir(tmp_path) == []
    with locked(tmp_path):  # it was let go
        pass


def test_a_marker_of_a_process_that_is_gone_means_nothing(tmp_path, monkeypatch):
    def without(descriptor, what):
        raise OSError(errno.ENOLCK, "no locks here")

    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", without)
    code = "import os, sys, filelock; lock = filelock.SoftFileLock(sys.argv[1]); lock.acquire(); os._exit(9)"
    subprocess.run([sys.executable, "-c", code, tmp_path / ".writing"], check=False)
    assert os.listdir(tmp_path) == [".writing"]
    with locked(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


def test_a_folder_where_nobody_may_write_is_a_sentence(tmp_path, monkeypatch):
    def refusing(path, flags, *mode, **rest):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(BadInput, match="cannot be written: Permission denied; give another --out"), locked(tmp_path):
        pytest.fail("held")
