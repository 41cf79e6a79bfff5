"""A page of the live view without a browser: it speaks over the websocket as the page's own script does."""

import json
import time
import urllib.request
import uuid
from urllib.parse import urlsplit

from support.live_session import draw_on
from websockets.sync.client import connect


class Page:
    """One tab. `frames` counts what has come; `head`, `parts` and `series` are what a page would show now."""

    def __init__(self, address, query="", path="/watch", **headers):
        with urllib.request.urlopen(address) as answer:
            cookie = answer.headers["set-cookie"].split(";")[0]
        place = urlsplit(address)
        self.kernel, self.session, self.cookie = str(uuid.uuid4()), str(uuid.uuid4()), cookie
        self.closing = f"{address}_solara/api/close/{self.kernel}?session_id={self.session}"
        self._connection = connect(
            f"ws://{place.netloc}/jupyter/api/kernels/{self.kernel}/channels?session_id={self.session}",
            additional_headers={"Cookie": cookie, "Origin": address.rstrip("/"), **headers},
            max_size=None,
            compression=None,
            close_timeout=0.1,
        )
        self.socket = self._connection.__enter__()
        self.frames, self.head, self.parts, self.series = 0, {}, {}, {}
        self._listening = {}
        control = str(uuid.uuid4())
        self.say("comm_open", {"comm_id": control, "target_name": "solara.control", "data": {}})
        self.say("comm_msg", {"comm_id": control, "data": {"method": "run", "args": {"path": path + query}}})
        while "feed" not in self._listening or "bar" not in self._listening:
            self.hear(30)
        self.event("feed", "drawn", 0)
        self.until(lambda head: True)

    def say(self, kind, content):
        header = {"msg_id": str(uuid.uuid4()), "msg_type": kind, "session": self.session, "date": ""}
        self.socket.send(json.dumps({"channel": "shell", "header": header, "content": content}))

    def event(self, part, name, value):
        content = {"method": "custom", "content": {"event": name, "data": value}}
        self.say("comm_msg", {"comm_id": self._listening[part], "data": content})

    def command(self, **command):
        self.event("bar", "command", command)

    def hear(self, seconds):
        """Take one message; draws a frame at once, and says so."""
        message = json.loads(self.socket.recv(timeout=seconds))
        content = message["content"]
        state = content.get("data", {}).get("state", {}) if isinstance(content.get("data"), dict) else {}
        if message["msg_type"] == "comm_open" and "drawn" in state.get("events", []):
            self._listening["feed"] = content["comm_id"]
        elif message["msg_type"] == "comm_open" and "command" in state.get("events", []):
            self._listening.setdefault("bar", content["comm_id"])
        elif message["msg_type"] == "comm_msg" and state.get("frame"):
            self._draw(json.loads(state["frame"]))

    def _draw(self, frame):
        self.frames, self.head = self.frames + 1, frame["head"]
        for name, part in frame["parts"].items():
            if name.startswith("series ") and part is not None:
                draw_on(self.series.setdefault(name[7:], {}), part)
            elif part is None:
                self.parts.pop(name, None)
            else:
                self.parts[name] = part
        self.event("feed", "drawn", frame["number"])

    def until(self, wanted, seconds=20):
        """Listen until the head of a frame is as wanted; returns the seconds that took."""
        began = time.monotonic()
        while not (self.head and wanted(self.head)):
            left = began + seconds - time.monotonic()
            assert left > 0, self.head
            self.hear(left)
        return time.monotonic() - began

    def close(self):
        """As a closed tab does."""
        request = urllib.request.Request(self.closing, method="POST", headers={"Cookie": self.cookie})
        urllib.request.urlopen(request).close()
        self._connection.__exit__(None, None, None)
