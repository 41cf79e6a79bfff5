"""How fast runs are, how cost and memory grow, and how soon the command line answers.

uv run python tests/bench/speed.py

Every figure is a median of repeats made in turns, or a ratio of two such figures from the same minutes, so
that a busy machine misleads less. Exit 1 when a mark is missed.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from machine import caches

from sim import DecouplingModel
from sim.batch.blocks import BLOCK_SIZE
from sim.scenario.loading import load_config
from sim.scenario.scenario import Scenario

BLOCK = BLOCK_SIZE
ROOT = Path(__file__).parent.parent.parent
AGENTS = ("states", "chip_firms", "suppliers")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def block(scenario: Scenario, size: int, quarters: int = 64, record: str = "headline") -> None:
    model = DecouplingModel.block([scenario] * size, range(1, size + 1), record=record)
    while model.quarter < quarters:
        model.step()
    model.recorder.values("quarter" if quarters < 64 else "year")


def single(scenario: Scenario) -> None:
    model = DecouplingModel(scenario, 1)
    while model.running:
        model.step()
    model.recorder.values("year")


def power_of_cost(sectors: int) -> tuple[float, dict[int, float]]:
    """The slope of log cost a quarter on log agents in synthetic worlds, from 500 to 5,000 firms."""
    worlds = [synthetic(sectors, firms) for firms in (500, 1000, 2000, 5000)]
    models = [DecouplingModel.block([world] * BLOCK, range(1, BLOCK + 1)) for world in worlds]
    sizes = [sum(len(world.world.rows[table]) for table in AGENTS) for world in worlds]
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(8):
        for size, model in zip(sizes, models, strict=True):
            times[size].append(1000 * seconds(model.step) / BLOCK)
    cost = {size: median(found) for size, found in times.items()}
    slope = np.polyfit(np.log(list(cost)), np.log(list(cost.values())), 1)[0]
    return float(slope), cost


def synthetic(sectors: int, firms: int) -> Scenario:
    return load_config("synthetic", {"synthetic.sectors": sectors, "synthetic.firms": firms})


def block_memory() -> float:
    """The largest resident size of a process that runs a block of the largest synthetic world, MB."""
    work = (
        "import sys; sys.path.append('tests/bench'); import speed; speed.block(speed.synthetic(41, 5000), speed.BLOCK)"
    )
    # Of the process itself: what getrusage tells begins with the peak of the process that started it.
    measure = f"{work}; print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
    answer = subprocess.run([sys.executable, "-c", measure], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(answer.stdout) / 1e3


def worker_memory(runs: int) -> float:
    """The largest resident size of any process of a batch of two workers, MB."""
    with tempfile.TemporaryDirectory() as name:
        experiment = Path(name) / "memory.toml"
        experiment.write_text(f'question = "How much memory?"\nconfigs = ["historic"]\nreplications = {runs}\n')
        command = [sys.executable, "-m", "sim", "batch", str(experiment), "--out", f"{name}/out", "--workers", "2"]
        batch = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        largest = 0
        while batch.poll() is None:
            with suppress(psutil.NoSuchProcess):
                whole = psutil.Process(batch.pid)  # few runs need no workers
                largest = max(largest, *(each.memory_info().rss for each in (whole, *whole.children(recursive=True))))
            time.sleep(0.05)
    return largest / 1e6


def answer_time(*arguments: str) -> float:
    command = [sys.executable, "-m", "sim", *arguments]
    return median(seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(7))


def main() -> int:
    historic = load_config("historic")
    block(historic, BLOCK)  # what only the first run pays
    pairs = [(seconds(lambda: block(historic, BLOCK)) / BLOCK, seconds(lambda: single(historic))) for _ in range(5)]
    in_block = 1000 * median(pair[0] for pair in pairs)
    gain = median(alone / together for together, alone in pairs)
    powers = {sectors: power_of_cost(sectors) for sectors in (5, 41)}
    small, large = worker_memory(100), worker_memory(10_000)
    rows = [
        (f"a run of 64 quarters in blocks of {BLOCK}, ms", in_block, "below 8", in_block < 8),
        ("throughput of blocks by single runs", gain, "at least 5", gain >= 5),
        *(
            (
                f"power of cost in agents, {min(cost)} to {max(cost)}, {sectors} sectors",
                power,
                "at most 1.1",
                power <= 1.1,
            )
            for sectors, (power, cost) in powers.items()
        ),
        ("a block of 41 sectors and 5,000 firms, MB", large_world := block_memory(), "below 2000", large_world < 2000),
        ("memory of a worker after 100 runs, MB", small, "below 500", small < 500),
        ("the same after 10,000 runs, MB", large, "as much, within 10 %", large < 1.1 * small),
        ("decoupling --help, s", found := answer_time("--help"), "below 0.5", found < 0.5),
        ("decoupling check historic, s", found := answer_time("check", "historic"), "below 0.5", found < 0.5),
    ]
    for what, measured, mark, met in rows:
        print(f"{what:48} {measured:8.2f}   {mark:22} {'met' if met else 'MISSED'}")
    for sectors, (_, cost) in powers.items():
        shown = ", ".join(f"{size}: {value:.3f}" for size, value in cost.items())
        print(f"ms a run and quarter by agents, {sectors} sectors: {shown}")
    print(caches())
    return 0 if all(met for *_, met in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
