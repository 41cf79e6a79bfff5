"""Whose turn it is to compute: sessions share one interpreter with the server that carries their clicks."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

BUSY = 0.5  # the part of the time that all playing sessions together may compute


class Turn:
    """One session computes at a time; threads that compute together only make each other wait for the interpreter.

    Turns are taken in order of asking, an answer to a visitor before a run that goes on.
    """

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._players: set[int] = set()

    def take(self, act: Callable[[], None], *, first: bool = False) -> float:
        """Do something when it is this thread's turn, `first` of those who wait; returns the seconds that it took."""
        self._wait(first)
        try:
            began = time.monotonic()
            act()
            return time.monotonic() - began
        finally:
            self._pass_on()

    def _wait(self, first: bool) -> None:
        mine = threading.Lock()
        mine.acquire()
        with self._door:
            if not self._taken:
                self._taken = True
                return
            (self._waiting.appendleft if first else self._waiting.append)(mine)
        mine.acquire()  # released by whose turn ends

    def _pass_on(self) -> None:
        with self._door:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def plays(self, player: int, playing: bool) -> None:
        """Note whether a session plays."""
        (self._players.add if playing else self._players.discard)(player)

    def rest(self, seconds: float) -> float:
        """The least time between the starts of turns of so many seconds, so that time is left for clicks."""
        return seconds * len(self._players) / BUSY
