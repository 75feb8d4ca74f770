"""A question on a thread of its own: who asks goes on after a while, whether it is answered or not.

For the database: a server that is stopped in the midst of a question keeps the connection open and never answers,
and no time limit of the statement helps, for it is the server that would keep it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

_Answer = TypeVar("_Answer")


class OwnThread(Generic[_Answer]):
    """Asks ``question``, never twice at a time: while one hangs, that one is what everybody waits for."""

    def __init__(self, question: Callable[[], _Answer], *, name: str) -> None:
        self._question = question
        self._name = name
        self._lock = threading.Lock()
        self._asked: Future[_Answer] | None = None

    def ask(self, limit_seconds: float) -> _Answer | None:
        """The answer, ``None`` if there is none within the limit. Raises what the question raises."""
        asked = self._begun()
        wait([asked], timeout=limit_seconds)
        return asked.result() if asked.done() else None

    def _begun(self) -> Future[_Answer]:
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                # A daemon: the end of the process does not wait for it either.
                thread = threading.Thread(target=self._answer, args=(self._asked,), name=self._name, daemon=True)
                thread.start()
            return self._asked

    def _answer(self, asked: Future[_Answer]) -> None:
        try:
            asked.set_result(self._question())
        except BaseException as error:
            asked.set_exception(error)
