"""Which letters this process works on, for the thread that keeps them ours meanwhile."""

from __future__ import annotations

import threading


class LettersInHand:
    """Ids of letters; may be asked and told by any thread.

    A letter may be claimed in our name and in nobody's hand: its claim was committed, and the answer was lost with
    the connection. Its lease must run out, or it would stay so for as long as this process lives.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: set[int] = set()

    def take(self, letter_id: int) -> None:
        """Somebody here knows of the letter's claim and works on it."""
        with self._lock:
            self._ids.add(letter_id)

    def let_go(self, letter_id: int) -> None:
        """Nobody here works on the letter any more."""
        with self._lock:
            self._ids.discard(letter_id)

    def ids(self) -> frozenset[int]:
        """All that are worked on now."""
        with self._lock:
            return frozenset(self._ids)
