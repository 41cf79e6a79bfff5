"""A small experiment, a small model in the place of the real one, and models that fail in all ways.

The small model's numbers depend on the values and the seed alone. Builders are importable, so that workers find them.
"""

import json
import os
import signal
import sys
import time
from copy import copy

import numpy as np
from support.paths import TESTS
from support.processes import started

from sim.calendar import quarter_end, quarters_until

MEASURES = ["domestic_supply_share", "chip_market", "price_index"]
EXPERIMENT = """
question = "Does it?"
configs = ["published-2020", "no-controls"]
replications = REPLICATIONS
[factors]
"controls.severity" = [0, 0.25, 0.5]
"subsidy.annual" = [0.0, 100.0]
[record]
every = "year"
measures = ["domestic_supply_share", "chip_market", "price_index"]
"""


def asked(folder, replications):
    """The experiment with so many replications; the answer is its path."""
    path = folder / "question.toml"
    path.write_text(EXPERIMENT.replace("REPLICATIONS", str(replications)))
    return path


class SmallModel:
    """Three measures that grow with the quarters, one of them missing now and then."""

    def __init__(self, scenarios, seeds, measures, until):
        self.quarters = quarters_until(until)
        self.now = 0
        severity = np.array([scenario.values["controls.severity"] for scenario in scenarios])
        subsidy = np.array([scenario.values["subsidy.annual"] for scenario in scenarios])
        self.luck = np.sin(np.array(seeds, dtype=float)) + severity - subsidy / 700
        self.names = measures
        self.history = np.full((len(seeds), self.quarters, len(measures)), np.nan)
        self.recorder = self

    @property
    def running(self):
        return self.now < self.quarters

    def step(self):
        share = 0.5 + 0.4 * np.tanh(self.luck + self.now / 20)
        market = 1e3 * np.exp(self.luck)
        price = np.where(share > 0.8, np.nan, share / 3)
        self.history[:, self.now] = np.stack([share, market, price], axis=-1)
        self.now += 1

    def branch(self, scenarios, columns):
        """Of runs that are the same to the end."""
        twin = copy(self)
        twin.recorder, twin.luck, twin.history = twin, self.luck[list(columns)], self.history[list(columns)]
        return twin

    def values(self, every):
        step = {"quarter": 1, "year": 4, "end": self.quarters}[every]
        kept = range(step - 1, self.quarters, step)
        return [quarter_end(quarter) for quarter in kept], self.history[:, kept]

    def first_reaching(self, level):
        dates, values = self.values("quarter")
        return [
            next((date for date, share in zip(dates, run, strict=True) if share >= level), "")
            for run in values[:, :, 0]
        ]


def small(scenarios, seeds, measures, until):
    return SmallModel(scenarios, seeds, measures, until)


class Counted:
    """A builder that counts its runs, those too that are the same as others and made with them."""

    def __init__(self):
        self.runs = 0

    def __call__(self, scenarios, seeds, measures, until):
        self.runs += len(seeds)
        model = SmallModel(scenarios, seeds, measures, until)
        plain = model.branch

        def branch(scenarios, columns):
            self.runs += len(columns) - len(seeds)
            return plain(scenarios, columns)

        model.branch = branch
        return model


def slow(scenarios, seeds, measures, until):
    time.sleep(0.1)
    return SmallModel(scenarios, seeds, measures, until)


def unlucky(scenarios, seeds, measures, until):
    for scenario, seed in zip(scenarios, seeds, strict=True):
        if scenario.values["controls.severity"] == 0.25 and seed == 2:
            raise RuntimeError(f"the accounts do not close, seed {seed}")
    return SmallModel(scenarios, seeds, measures, until)


def deadly_once(mark, scenarios, seeds, measures, until):
    if 3 in seeds and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return SmallModel(scenarios, seeds, measures, until)


def deadly_now_and_then(calls, scenarios, seeds, measures, until):
    (calls / f"{time.monotonic_ns()}").touch()
    if len(list(calls.iterdir())) % 5 == 3:
        os._exit(1)
    return SmallModel(scenarios, seeds, measures, until)


def deadly(scenarios, seeds, measures, until):
    if 3 in seeds:
        os._exit(1)
    return SmallModel(scenarios, seeds, measures, until)


def forbidden(scenarios, seeds, measures, until):
    raise AssertionError("nothing was to be run")


def stopping(after):
    """A builder that is interrupted by Ctrl-C after some runs."""

    def build(scenarios, seeds, measures, until):
        nonlocal after
        after -= len(seeds)
        if after < 0:
            raise KeyboardInterrupt
        return SmallModel(scenarios, seeds, measures, until)

    return build


def files(out):
    """The bytes of a result; of the manifest all but run_info."""
    assert sorted(os.listdir(out)) == ["manifest.json", "runs.csv", "series.csv"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest.pop("run_info")) >= {"time", "machine", "git_commit", "seconds"}
    return (out / "runs.csv").read_bytes(), (out / "series.csv").read_bytes(), json.dumps(manifest)


def started_batch(path, out, build, workers):
    """A batch in a process of its own, as a user would start it; `build` is the name of a builder here."""
    code = (
        f"from support import batches\nfrom sim.batch.run import run_batch\n"
        f"raise SystemExit(run_batch({str(path)!r}, workers={workers}, out={str(out)!r}, "
        f"build=batches.{build}, block_size=4))"
    )
    return started([sys.executable, "-c", code], cwd=TESTS, start_new_session=True)
