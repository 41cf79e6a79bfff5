"""The first screen: what a visitor asks goes to the desk that all share, and its answers come back to the page."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import solara

from sim.errors import BadInput
from sim.futures import settings
from sim.futures.answers import refused
from sim.futures.desk import Desk
from sim.live.learn import tour
from sim.live.link import check_config
from sim.scenario.loading import load_config

DESK = Desk()  # one for all visitors; its processes start with the first request


@solara.component_vue("futures.vue")
def Screen(settings: str = "", answer: str = "", event_request: Callable[[Any], None] | None = None) -> None: ...


@solara.component_vue("learn.vue")
def Tour(settings: str = "") -> None: ...


class Visit:
    """One tab: a thread that hands the newest answer to the page, so that no other visitor waits for it."""

    def __init__(self, config: str, publish: Callable[[str], None]) -> None:
        self.config, self._publish = config, publish
        self._scenario = load_config(config)
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._visitor = DESK.visitor(self._answers.put)
        self._thread = threading.Thread(target=self._work, name="futures visit", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._visitor.leave()
        self._answers.put(None)

    def ask(self, request: object) -> None:
        """Ask for futures of the config that the page was opened with; another config is another page."""
        if not isinstance(request, Mapping):
            return
        if request.get("config") != self.config:
            fault = BadInput(f"This page is of {self.config}; open another one for another config.")
            self._answers.put(refused(request.get("number"), fault))
            return
        self._visitor.ask(request, self._scenario)

    def _work(self) -> None:
        while (answer := self._answers.get()) is not None:
            while not self._answers.empty():  # an answer that a better one has overtaken is not drawn
                if (newer := self._answers.get()) is None:
                    return
                answer = newer
            self._publish(json.dumps(answer, allow_nan=False))


def asked_config(search: str, default: str) -> str:
    """The config that an address names; the one that the server was started with if it names none that is known."""
    named = parse_qs(search.removeprefix("?"), errors="replace").get("config", [default])
    return check_config(named[-1], default, default, {})


@solara.component
def Futures(default: str) -> None:
    solara.Title("Futures · Decoupling Race")
    router = solara.use_router()
    holder: dict[str, Any] = solara.use_memo(dict, [])

    def publish(answer: str) -> None:
        if "widget" in holder:
            holder["widget"].answer = answer

    visit = solara.use_memo(lambda: Visit(asked_config(router.search or "", default), publish), [])
    described = solara.use_memo(lambda: json.dumps(settings(visit.config), allow_nan=False), [])
    screen = Screen(settings=described, answer="", event_request=visit.ask)

    def begin() -> Callable[[], None]:
        holder["widget"] = solara.get_widget(screen)
        visit.start()
        return visit.stop

    solara.use_effect(begin, [])


@solara.component
def Learn(default: str) -> None:
    solara.Title("Learn · Decoupling Race")
    search = solara.use_router().search or ""

    def described() -> str:
        known = settings(asked_config(search, default))
        return json.dumps({"settings": known, "tour": tour()}, allow_nan=False)

    Tour(settings=solara.use_memo(described, []))
