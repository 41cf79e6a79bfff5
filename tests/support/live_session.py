"""A session of the live page without a page, and what can be kept of it."""

import json
import threading

from typer.testing import CliRunner

from sim.cli import app
from sim.live.session import Session


def draw_on(held, part):
    """Put a frame's part of a series behind what a page holds of it, {measure: values}."""
    for measure, values in part["values"].items():
        held[measure] = held.get(measure, [])[: part["from"]] + values


class Watcher:
    """Takes a session's frames as a page does, and says that it has drawn them."""

    def __init__(self, query="config=historic", draws=True, frames_a_second=1000):
        self.frames, self.head, self.parts, self.series = [], {}, {}, {}
        self.draws = draws
        self.arrived = threading.Condition()
        self.session = Session(query, "historic", self.take)
        self.session.frames_a_second = frames_a_second

    def take(self, text):
        frame = json.loads(text)
        with self.arrived:
            self.frames.append(frame)
            self.head = frame["head"]
            for name, part in frame["parts"].items():
                if name.startswith("series ") and part is not None:
                    draw_on(self.series.setdefault(name[7:], {}), part)
                elif part is None:
                    self.parts.pop(name, None)
                    self.series.pop(name.removeprefix("series "), None)
                else:
                    self.parts[name] = part
            self.arrived.notify_all()
        if self.draws:
            self.session.send({"do": "drawn", "value": frame["number"]})

    def until(self, wanted, seconds=20):
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.head and wanted(self.head), seconds), self.head
            return self.head

    def do(self, do, **rest):
        """Send an order and wait for a frame that was made after it."""
        with self.arrived:
            number = self.frames[-1]["number"] if self.frames else 0
        self.session.send({"do": do, **rest})
        with self.arrived:
            assert self.arrived.wait_for(lambda: self._answered(number), 20)
            return self.head

    def _answered(self, number):
        """Whether a later frame has come, of a run that is where it was sent to."""
        return self.frames and self.frames[-1]["number"] > number and self.head["state"] != "going"

    def __enter__(self):
        self.session.start()
        self.until(lambda head: head["state"] != "going")
        return self

    def __exit__(self, *_):
        self.session.stop()
        self.session._thread.join(5)
        assert not self.session._thread.is_alive()


def kept(watcher, what):
    """The name and text of the file that the page is handed."""
    watcher.do("write", value=what)
    files = [frame["parts"]["file"] for frame in watcher.frames if frame["parts"].get("file")]
    return files[-1]["name"], files[-1]["text"]


def replayed(config, seed, folder):
    """The bytes of series.csv that `decoupling run` writes."""
    answer = CliRunner().invoke(app, ["run", str(config), "--seed", str(seed), "--out", str(folder)])
    assert answer.exit_code == 0, answer.output
    return (folder / "series.csv").read_bytes()
