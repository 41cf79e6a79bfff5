"""How fast the first screen is: from a request to one future and to all 32, many requests, many visitors, memory.

    uv run python tests/bench/futures.py [visitors [seconds between the moves of each]]

It asks the desk as the page does, with processes as many as processors may be used. What is asked for once is held, so
every request is of another policy. Ratios are to one run of the same config on the same machine, taken in between. Run
it on a machine that does nothing else.
"""

import statistics
import sys
import threading
import time

import psutil
from machine import caches

from sim import DecouplingModel
from sim.futures.desk import Desk
from sim.futures.sets import FIRST
from sim.scenario.loading import load_config

REQUESTS, PRESSES, VISITORS = 30, 30, 20
EVERY, MOVES = 5.0, 6  # seconds between the moves of a visitor's levers, and how many moves each makes
WANTED = {"line": 0.3, "band": 0.8, "busy": 5.0}  # seconds


class Visit:
    def __init__(self, desk, scenario):
        self.asked, self.told, self._news = {}, {}, threading.Condition()
        self.visitor, self.scenario = desk.visitor(self._take), scenario

    def _take(self, answer):
        with self._news:
            self.told.setdefault((answer["number"], answer.get("runs")), time.perf_counter())
            assert not answer["fault"], answer["fault"]
            self._news.notify_all()

    def ask(self, number, **levers):
        self.asked[number] = time.perf_counter()
        request = {"number": number, "config": self.scenario.name, "from": "2027-Q1", "set": levers}
        self.visitor.ask(request, self.scenario)

    def wait(self, number, runs=FIRST):
        with self._news:
            assert self._news.wait_for(lambda: (number, runs) in self.told, 120), (number, runs)
        return self.told[number, runs] - self.asked[number]

    def seconds(self, runs):
        """From each request to its answer of so many runs; one that came with more at once counts as well."""
        return [
            min(self.told[key] for key in ((number, runs), (number, FIRST)) if key in self.told) - asked
            for number, asked in self.asked.items()
            if (number, runs) in self.told or (number, FIRST) in self.told
        ]


def one_run(scenario):
    began = time.perf_counter()
    DecouplingModel(scenario, rng=1, record=["domestic_supply_share"]).run()
    return time.perf_counter() - began


def said(name, seconds, wanted, run):
    ordered = sorted(seconds)
    part = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    median = statistics.median(ordered)
    print(
        f"{name}: {len(ordered)} times, {1000 * median:.0f} ms median ({median / run:.1f} runs), {1000 * part:.0f} ms "
        f"at the 95th percentile ({part / run:.1f} runs); wanted {1000 * wanted:.0f} ms"
    )


def warm(visit):
    visit.ask(-1)
    visit.wait(-1)
    for number in (-2, -3, -4):
        visit.ask(number, **{"subsidy.annual": -number})
        visit.wait(number)


def alone(visit, scenario):
    runs = []
    for number in range(REQUESTS):
        visit.ask(number, **{"subsidy.annual": 100.0 + number})
        visit.wait(number)
        runs.append(one_run(scenario))
    run = statistics.median(runs)
    print(f"one run: {1000 * run:.0f} ms")
    visit.asked = {number: asked for number, asked in visit.asked.items() if number >= 0}
    said("line", visit.seconds(1), WANTED["line"], run)
    said(f"band of {FIRST}", visit.seconds(FIRST), WANTED["band"], run)
    return run


def presses(visit, run):
    """A key held down on a lever: the last value is what is shown, soon after the last press."""
    for number in range(1000, 1000 + PRESSES):
        visit.ask(number, **{"subsidy.annual": 200.0 + number - 1000})
        time.sleep(0.03)
    last = visit.wait(1000 + PRESSES - 1)
    answered = len({number for number, _ in visit.told if number >= 1000})
    print(
        f"{PRESSES} presses: all futures of the last {1000 * last:.0f} ms after it ({last / run:.1f} runs), and "
        f"{answered} of them answered at all"
    )


def many(desk, scenario, count, every, run):
    """Visitors who each move a lever every few seconds, not all in step."""
    visits = [Visit(desk, scenario) for _ in range(count)]
    before = sum(processors(desk))

    def go(place):
        time.sleep(every * place / count)
        for move in range(MOVES):
            began = time.perf_counter()
            visits[place].ask(move, **{"subsidy.annual": 10.0 * place + move, "mandate.domestic": 0.01 * (move + 1)})
            time.sleep(max(0.0, every - (time.perf_counter() - began)))

    threads = [threading.Thread(target=go, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = sum(processors(desk)) - before
    for visit in visits:
        visit.visitor.leave()
    seconds = [each for visit in visits for each in visit.seconds(FIRST)]
    late = count * MOVES - len(seconds)
    if seconds:
        said(f"{count} visitors, band of {FIRST}", seconds, WANTED["busy"], run)
    each = f"{used / count / MOVES:.2f} s of a processor each"
    print(f"{late} of {count * MOVES} moves were overtaken by the next one; {each}")


def workers(desk):
    return [psutil.Process(pid) for worker in desk._workers for pid in worker.process._pool._processes]


def processors(desk):
    """Seconds of a processor that each process has used."""
    return [process.cpu_times().user + process.cpu_times().system for process in workers(desk)]


def memory(desk):
    me = psutil.Process()
    sizes = [process.memory_info().rss / 1e6 for process in workers(desk)]
    each = ", ".join(f"{size:.0f}" for size in sizes)
    print(f"memory: {me.memory_info().rss / 1e6:.0f} MB here, {each} MB in the processes")


def main(count, every):
    scenario = load_config("historic")
    desk = Desk()
    print(caches())
    try:
        visit = Visit(desk, scenario)
        warm(visit)
        memory(desk)
        run = alone(visit, scenario)
        presses(visit, run)
        visit.visitor.leave()
        many(desk, scenario, count, every, run)
        for year in (2023, 2030):  # other dates, other pasts
            visit = Visit(desk, scenario)
            visit.visitor.ask({"number": 0, "config": "historic", "from": f"{year}-Q1", "acts": ["truce"]}, scenario)
            visit.asked[0] = 0.0
            visit.wait(0)
            visit.visitor.leave()
        memory(desk)
    finally:
        desk.close()


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else VISITORS, float(given[1]) if len(given) > 1 else EVERY)
