"""Blocks on a Dask cluster: the same bytes, whoever comes and goes."""

import os
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from functools import partial

import pytest
from support.batches import asked, deadly_once, files, forbidden, slow, small
from support.paths import TESTS
from typer.testing import CliRunner

from sim.batch import cluster as dask_cluster
from sim.batch import jobs
from sim.batch.run import run_batch
from sim.cli.study import study
from sim.errors import BadInput
from sim.scenario.loading import load_config
from sim.study.validation.hindcast import Runner, values_at
from sim.study.validation.observations import world_observations

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """Two workers in processes of their own, each with a nanny that replaces it when it dies."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL"
    ) as found:
        yield found


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster) as found:
        yield found


@pytest.fixture
def question(tmp_path):
    return asked(tmp_path, 6)


@pytest.fixture
def expected(question, tmp_path):
    run_batch(question, workers=1, out=tmp_path / "here", build=small)
    return files(tmp_path / "here")


def test_a_cluster_writes_the_same_bytes(cluster, question, expected, tmp_path, capsys):
    out = tmp_path / "out"
    assert run_batch(question, out=out, build=small, block_size=5, cluster=cluster.scheduler_address) == 0
    assert files(out) == expected
    assert f"cluster {cluster.scheduler_address}" in capsys.readouterr().err
    assert run_batch(question, out=out, build=forbidden, cluster=cluster.scheduler_address) == 0


def test_a_worker_that_is_killed_is_survived(cluster, question, expected, tmp_path):
    out = tmp_path / "out"
    build = partial(deadly_once, tmp_path / "mark")
    assert run_batch(question, out=out, build=build, block_size=4, cluster=cluster.scheduler_address) == 0
    assert (tmp_path / "mark").exists()
    assert files(out) == expected


def test_workers_come_and_go(question, expected, tmp_path, capsys, monkeypatch):
    """It starts without a worker and says so; one comes, another one comes, the first one goes."""
    monkeypatch.setattr(jobs, "PATIENCE", 0.5)
    out = tmp_path / "out"
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address=":0", silence_logs="CRITICAL", processes=False
    ) as cluster:

        def move():
            time.sleep(1.5)
            cluster.scale(1)
            while not list(out.glob(".blocks-*/*.block")):
                time.sleep(0.05)
            cluster.scale(2)
            time.sleep(0.5)
            cluster.scale(1)

        mover = threading.Thread(target=move)
        mover.start()
        assert run_batch(question, out=out, build=slow, block_size=2, cluster=cluster.scheduler_address) == 0
        mover.join()
    assert files(out) == expected
    assert "The cluster has no workers now; work goes on when some join." in capsys.readouterr().err


@contextmanager
def cluster_of_its_own(folder, first=""):
    """A scheduler and a worker in a process of their own, which begins with some words: the process, its address."""
    script = folder / "scheduler.py"
    script.write_text(
        f"{first}\n"
        "from distributed import LocalCluster\n"
        "import time\n"
        "if __name__ == '__main__':\n"
        "    cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=':0')\n"
        "    print(cluster.scheduler_address, flush=True)\n"
        "    time.sleep(300)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        text=True,
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_scheduler_that_is_lost_ends_the_batch_and_loses_nothing(question, expected, tmp_path, capsys):
    out = tmp_path / "out"
    with cluster_of_its_own(tmp_path) as (process, address):

        def kill():
            while not list(out.glob(".blocks-*/*.block")):
                time.sleep(0.05)
            process.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        assert run_batch(question, out=out, build=slow, block_size=4, cluster=address) == 1
        killer.join()
    said = capsys.readouterr().err
    assert f"The Dask scheduler {address} no longer answers; what is finished is kept" in said
    assert run_batch(question, workers=1, out=out, build=small) == 0
    assert files(out) == expected


def test_machines_without_the_program_are_a_sentence(question, tmp_path):
    with (
        cluster_of_its_own(tmp_path, "import sys; sys.modules['sim'] = None") as (_, address),
        pytest.raises(BadInput, match="--cluster: a machine of it cannot read a job .*; install the same version"),
    ):
        run_batch(question, out=tmp_path / "out", cluster=address)


def test_a_machine_with_another_arithmetic_is_refused(cluster, client, question, expected, tmp_path):
    out = tmp_path / "out"
    [first, _] = client.scheduler_info()["workers"]
    client.run(set_arithmetic, "another", workers=[first])
    with pytest.raises(BadInput, match=" is refused: arithmetic is another there and .* here; .*NPY_DISABLE"):
        run_batch(question, out=out, build=small, block_size=4, cluster=cluster.scheduler_address)
    client.run(set_arithmetic, None, workers=[first])
    assert run_batch(question, out=out, build=small, block_size=4, cluster=cluster.scheduler_address) == 0
    assert files(out) == expected


def set_arithmetic(value):
    """Make a worker answer another fingerprint, or its own again."""
    from sim.results import provenance

    own = provenance.__dict__.setdefault("own_fingerprint", provenance.arithmetic_fingerprint)
    provenance.arithmetic_fingerprint = (lambda: value) if value else own


@pytest.mark.parametrize("key", ["program_hash", "world", "dependencies", "arithmetic"])
def test_whatever_decides_about_bytes_is_compared(key):
    needed = dict.fromkeys(["program_hash", "world", "dependencies", "arithmetic"], "ours")
    dask_cluster.refuse_another_machine(needed, needed, "node7")
    with pytest.raises(BadInput, match=f"node7 is refused: {key} is theirs there and ours here; "):
        dask_cluster.refuse_another_machine({**needed, key: "theirs"}, needed, "node7")


FAULTS = [
    ("tcp://127.0.0.1:9", "no Dask scheduler answers there"),
    ("nowhere", "no Dask scheduler answers there"),
    ("local:", "must be local:N"),
    ("local:0", "must be local:N"),
    ("local:two", "must be local:N"),
]


@pytest.mark.parametrize(("address", "words"), FAULTS, ids=[address for address, _ in FAULTS])
def test_an_address_that_cannot_be_used_is_a_sentence(question, tmp_path, monkeypatch, address, words):
    monkeypatch.setattr(dask_cluster, "CONNECT", "1s")
    with pytest.raises(BadInput, match=f"--cluster = '{address}': .*{words}"):
        run_batch(question, out=tmp_path / "out", build=forbidden, cluster=address)
    assert not (tmp_path / "out").exists()


def test_workers_belong_to_this_machine(question, tmp_path):
    with pytest.raises(BadInput, match="--workers = 2: .* leave it out with --cluster"):
        run_batch(question, workers=2, out=tmp_path / "out", build=forbidden, cluster="local:2")


def test_without_the_extra_it_says_how_to_get_it(question, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match="needs the package distributed; .*--extra cluster"):
        run_batch(question, out=tmp_path / "out", build=forbidden, cluster="local:2")


def test_a_study_goes_to_the_cluster_as_well(cluster):
    """Nine sets of 16 seeds: three jobs, and the values that this process finds."""
    scenario = load_config("historic")
    sets = [{"demand.surge": number / 100} for number in range(9)]
    figures = [one for one in world_observations(scenario.world) if one.series == "chip_market" and one.year == 2021]
    with closing(dask_cluster.DaskCluster(cluster.scheduler_address)) as engine:
        values = Runner(engine).values_at("here", scenario, sets, range(1, 17), figures)
    assert (values == values_at(scenario, sets, range(1, 17), figures)).all()


@pytest.mark.parametrize("verb", ["calibrate calibration", "validate historic"])
def test_studies_take_the_address_of_a_cluster(tmp_path, verb):
    arguments = [*verb.split(), "--cluster", "local:0", "--out", str(tmp_path / "out")]
    with pytest.raises(BadInput, match="--cluster = 'local:0': must be local:N"):
        CliRunner().invoke(study, arguments, catch_exceptions=False)
