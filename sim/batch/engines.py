"""Which engine runs the jobs, and with how many processes if nobody says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sim.batch.jobs import Engine
from sim.batch.workers import ThisProcess, WorkerProcesses
from sim.errors import BadInput

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: processor time, and in how much time; microseconds
MOST_WORKERS = 1000  # each is a process


def worker_count(asked: int | None, cluster: str | None = None) -> int:
    """How many processes: as asked for, or one for each processor that this process may use. BadInput below one."""
    if cluster is not None and asked is not None:
        raise BadInput(f"--workers = {asked}: are processes of this machine; leave it out with --cluster")
    count = processors() if asked is None else asked
    if not 1 <= count <= MOST_WORKERS:
        raise BadInput(f"--workers = {count}: must be a whole number from 1 to {MOST_WORKERS}")
    return count


def processors() -> int:
    """The processors that this process may use, which may be fewer than the machine has."""
    if sys.version_info >= (3, 13):
        allowed = os.process_cpu_count()
    elif hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count()
    return max(1, min(allowed or 1, _quota(QUOTA)))


def _quota(file: Path) -> int:
    """The whole processors that a container may use; more than there are where nothing limits it."""
    try:
        time, period = file.read_text().split()
        return int(time) // int(period)
    except (OSError, ValueError):  # no container, or "max"
        return sys.maxsize


def open_engine(workers: int, cluster: str | None = None) -> Engine:
    """What runs jobs: a Dask cluster, so many processes, or for one worker this process. To be closed."""
    if cluster is not None:
        from sim.batch.cluster import DaskCluster

        return DaskCluster(cluster)
    return ThisProcess() if workers == 1 else WorkerProcesses(workers)
