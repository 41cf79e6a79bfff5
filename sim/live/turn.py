"""Whose turn it is to compute: sessions share one interpreter with the server that carries their clicks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

BUSY = 0.5  # the part of the time that all playing sessions together may compute


class Turn:
    """One session computes at a time; threads that compute together only make each other wait for the interpreter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._players: set[int] = set()

    def take(self, act: Callable[[], None]) -> float:
        """Do something when it is this thread's turn; returns the seconds that it took."""
        with self._lock:
            began = time.monotonic()
            act()
            return time.monotonic() - began

    def plays(self, player: int, playing: bool) -> None:
        """Note whether a session plays."""
        (self._players.add if playing else self._players.discard)(player)

    def rest(self, seconds: float) -> float:
        """The least time between the starts of turns of so many seconds, so that time is left for clicks."""
        return seconds * len(self._players) / BUSY
