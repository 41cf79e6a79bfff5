"""What a batch goes on with and what it leaves alone: other words, disks that cannot be written, links, damage."""

import json
import os
import shutil

import pytest
from support.batches import EXPERIMENT, asked, files, forbidden, small, stopping

from sim.batch.run import run_batch
from sim.errors import BadInput
from sim.results import output
from sim.results.output import UNFINISHED


@pytest.fixture
def path(tmp_path):
    return asked(tmp_path, 2)


@pytest.fixture
def out(path, tmp_path):
    """A finished result."""
    run_batch(path, workers=1, out=tmp_path / "out", build=small)
    return tmp_path / "out"


def cut_off(path, out):
    with pytest.raises(KeyboardInterrupt):
        run_batch(path, workers=1, out=out, build=stopping(12), block_size=4)
    [folder] = out.glob(f"{UNFINISHED}*")
    return folder


def reworded(path):
    """The same runs under another file name, question, prediction, target and baseline."""
    other = path.with_name("other.toml")
    words = (
        'question = "What does it do?"\nprediction = "Much."\nbaseline = "no-controls"\ntargets = ["chip_market >= 1"]'
    )
    other.write_text(path.read_text().replace('question = "Does it?"', words))
    return other


def test_a_finished_result_takes_over_other_words_and_runs_nothing(path, out, tmp_path):
    before = [(out / name).read_bytes() for name in ("runs.csv", "series.csv")]
    assert run_batch(reworded(path), workers=1, out=out, build=forbidden) == 0
    run_batch(reworded(path), workers=1, out=tmp_path / "anew", build=small)
    held, anew = (json.loads((folder / "manifest.json").read_text()) for folder in (out, tmp_path / "anew"))
    assert held.pop("foretold") != anew.pop("foretold")  # "Much." was not predicted before the first runs
    assert [held.pop("digest"), anew.pop("digest"), held.pop("run_info"), anew.pop("run_info")] and held == anew
    assert before == [(out / name).read_bytes() for name in ("runs.csv", "series.csv")]
    assert json.loads((out / "manifest.json").read_text())["experiment"]["name"] == "other"


def test_an_unfinished_batch_goes_on_under_other_words(path, tmp_path):
    cut_off(path, tmp_path / "cut")
    run_batch(reworded(path), workers=1, out=tmp_path / "cut", build=small, block_size=5)
    run_batch(reworded(path), workers=1, out=tmp_path / "anew", build=small)
    assert files(tmp_path / "cut") == files(tmp_path / "anew")


def test_another_purpose_of_a_config_is_no_other_batch(tmp_path):
    results = []
    for purpose in ("one", "two"):
        (tmp_path / "mine.toml").write_text(f'purpose = "{purpose}"\nextends = "published-2020"\n')
        text = EXPERIMENT.replace("REPLICATIONS", "2").replace('"published-2020"', '"mine.toml"')
        (tmp_path / "question.toml").write_text(text)
        build = small if purpose == "one" else forbidden
        assert run_batch(tmp_path / "question.toml", workers=1, out=tmp_path / "out", build=build) == 0
        results.append(json.loads((tmp_path / "out" / "manifest.json").read_text())["scenarios"]["mine"]["purpose"])
    assert results == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[0, 0.25, 0.5]", "[0, 0.25, 0.75]", "factors"),
        ('every = "year"', 'every = "quarter"', "record.every"),
        ('"no-controls"]', '"historic"]', "configs"),
    ],
)
def test_what_changes_runs_is_refused(path, out, old, new, said):
    before = files(out)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadInput, match=rf"holds another batch.*(?s:.*){said}"):
        run_batch(path, workers=1, out=out, build=forbidden)
    assert files(out) == before


def test_a_finished_result_where_nothing_can_be_written_is_finished(path, out, monkeypatch, capsys):
    def refused(*_):
        raise AssertionError("nothing was to be written")

    for name in ("prepare_out", "locked"):
        monkeypatch.setattr(f"sim.batch.run.{name}", refused)
    assert run_batch(path, workers=1, out=out, build=forbidden) == 0
    assert "is finished: 24 runs; nothing to do." in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="another user is needed")
def test_a_finished_result_of_somebody_else(path, out):
    """As a user without any right to write there."""
    shutil.copytree(out, other := out.with_name("other"))
    for folder, _, names in os.walk(out.parent):
        os.chmod(folder, 0o555)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o444)
    for above in [*out.parents][:4]:
        if above.owner() == "root" and str(above) not in ("/", "/tmp"):
            os.chmod(above, 0o755)
    os.chmod(out.parent, 0o555)
    os.chmod(other, 0o555)
    process = os.fork()
    if process == 0:
        try:
            os.setuid(65534)
            os._exit(run_batch(path, workers=1, out=out, build=forbidden))
        except BaseException:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def foreign(tmp_path):
    folder = tmp_path / "foreign"
    folder.mkdir()
    for name in ("1-0000001-0000004.block", "x.aside", "identity.json", "notes.txt"):
        (folder / name).write_text("mine")
    return folder


def test_a_folder_of_blocks_that_is_a_link_is_neither_read_nor_written(path, tmp_path):
    mine = foreign(tmp_path)
    run_batch(path, workers=1, out=tmp_path / "out", build=small)
    path.write_text(path.read_text().replace("replications = 2", "replications = 5"))
    held = cut_off(path, tmp_path / "out")
    shutil.rmtree(held)
    held.symlink_to(mine)
    with pytest.raises(BadInput, match=rf"{held.name}: is a symbolic link, which is not followed; remove it"):
        run_batch(path, workers=1, out=tmp_path / "out", build=forbidden)
    assert sorted(os.listdir(mine)) == sorted(["1-0000001-0000004.block", "x.aside", "identity.json", "notes.txt"])
    assert all((mine / name).read_text() == "mine" for name in os.listdir(mine))


def test_links_among_the_blocks_are_left_alone(path, tmp_path, capsys):
    run_batch(path, workers=1, out=tmp_path / "whole", build=small)
    mine = foreign(tmp_path)
    held = cut_off(path, tmp_path / "out")
    [block, *_] = sorted(held.glob("*.block"))
    shutil.move(block, tmp_path / "elsewhere.block")
    block.symlink_to(tmp_path / "elsewhere.block")
    (held / "y.aside").symlink_to(mine / "x.aside")
    run_batch(path, workers=1, out=tmp_path / "out", build=small, block_size=5)
    assert "is not a block of this batch; it is neither read nor removed" in capsys.readouterr().err
    assert (tmp_path / "elsewhere.block").exists() and (mine / "x.aside").read_text() == "mine"
    assert (held / "y.aside").is_symlink()
    shutil.rmtree(held)
    assert files(tmp_path / "out") == files(tmp_path / "whole")


@pytest.mark.parametrize("name", ["runs.csv", "series.csv", "manifest.json"])
def test_a_linked_table_is_replaced_and_what_it_points_at_is_kept(path, out, tmp_path, name):
    before = files(out)
    shutil.move(out / name, tmp_path / "mine")
    (out / name).symlink_to(tmp_path / "mine")
    held = (tmp_path / "mine").read_bytes()
    if name == "manifest.json":  # then the folder is no result of this program's
        with pytest.raises(BadInput, match="is no result folder"):
            run_batch(path, workers=1, out=out, build=forbidden)
    else:
        run_batch(path, workers=1, out=out, build=small)
        assert files(out) == before and not (out / name).is_symlink()
    assert (tmp_path / "mine").read_bytes() == held


@pytest.mark.parametrize("name", ["runs.csv", "series.csv", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "link"])
def test_a_join_that_was_damaged_is_made_again_from_the_blocks(path, tmp_path, monkeypatch, name, damage):
    run_batch(path, workers=1, out=tmp_path / "whole", build=small)

    def cut(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sim.batch.store.Store._publish", cut)
        with pytest.raises(KeyboardInterrupt):
            run_batch(path, workers=1, out=tmp_path / "out", build=small, block_size=5)
    [held] = (tmp_path / "out").glob(f"{UNFINISHED}*")
    content = (held / name).read_bytes()
    if damage == "cut":
        (held / name).write_bytes(content[:-20])
    else:
        (tmp_path / "mine").write_bytes(content)
        (held / name).unlink()
        (held / name).symlink_to(tmp_path / "mine")
    run_batch(path, workers=1, out=tmp_path / "out", build=forbidden)
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert damage == "cut" or (tmp_path / "mine").read_bytes() == content


def test_the_probe_writes_through_no_link(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f".probe-{os.getpid()}").symlink_to(tmp_path / "made")
    with pytest.raises(BadInput, match="is no result folder"):
        output.prepare_out(tmp_path / "out")
    assert not (tmp_path / "made").exists()
