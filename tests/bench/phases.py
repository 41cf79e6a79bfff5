"""Where a run's time goes: the processor time of each phase of a quarter, in a block and alone.

uv run python tests/bench/phases.py

Medians of repeats, of which a busy machine slows all alike. Beside them the caches of the processor, which decide how
many runs are best held together.
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from unittest.mock import patch

from machine import caches

import sim.model
from sim.accounts import Ledger
from sim.batch.blocks import BLOCK_SIZE
from sim.model import DecouplingModel
from sim.recorder import Recorder
from sim.scenario.loading import load_config
from sim.schedule import PHASES

REPEATS = 7


def spent(size: int) -> Counter[str]:
    """Milliseconds of processor time a run, by phase."""
    times: Counter[str] = Counter()

    def timed[**P, R](name: str, work: Callable[P, R]) -> Callable[P, R]:
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            start = time.process_time()
            answer = work(*args, **kwargs)
            times[name] += 1000 * (time.process_time() - start) / size
            return answer

        return measured

    scenario = load_config("historic")
    phases = tuple(timed(phase.__name__.replace("_", " "), phase) for phase in PHASES)
    with ExitStack() as patches:
        patches.enter_context(patch.object(sim.model, "PHASES", phases))
        for owner, function, name in ((Ledger, "close", "accounts"), (Recorder, "record", "record")):
            patches.enter_context(patch.object(owner, function, timed(name, getattr(owner, function))))
        timed("the whole run", lambda: run(scenario, size, timed))()
    return times


def run(scenario: sim.model.Scenario, size: int, timed: Callable[..., Callable[[], DecouplingModel]]) -> None:
    model = timed("start", lambda: DecouplingModel.block([scenario] * size, range(1, size + 1)))()
    while model.running:
        model.step()
    model.recorder.values("year")


def main() -> None:
    sizes = (BLOCK_SIZE, 1)
    spent(1)  # what only the first run pays
    repeats = [[spent(size) for size in sizes] for _ in range(REPEATS)]
    columns = [
        {name: median(repeat[place][name] for repeat in repeats) for name in repeats[0][place]}
        for place in range(len(sizes))
    ]
    print(f"{'processor time a run':20}{f'in blocks of {BLOCK_SIZE}, ms':>24}{'part':>6}{'alone, ms':>14}{'part':>6}")
    for name in columns[0]:
        cells = [
            f"{column[name]:{width}.2f}{column[name] / column['the whole run']:6.0%}"
            for column, width in zip(columns, (24, 14), strict=True)
        ]
        print(f"{name:20}{''.join(cells)}")
    print(caches())


if __name__ == "__main__":
    main()
