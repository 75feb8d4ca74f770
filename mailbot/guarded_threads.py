"""What loops run on: threads whose unforeseen end somebody hears of, and delivery's event loop on one of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

import structlog

_log = structlog.get_logger("mailbot.guarded_threads")
_Result = TypeVar("_Result")


def guarded_thread(name: str, target: Callable[[], object], died: Callable[[Exception], None]) -> threading.Thread:
    """A thread that has begun; ``died`` is told on it if it dies of an error nobody foresaw."""

    def guarded() -> None:
        try:
            target()
        except Exception as error:
            _log.exception("a loop died", action="daemon.loop_died", loop=name)
            died(error)

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


class DeliveryThread(Generic[_Result]):
    """The event loop of delivery on a thread of its own.

    ``work`` is given an event that says stop, and one that says that a letter was written; ``died`` is told of an
    error nobody foresaw, as where there is no descriptor left for the loop.
    """

    def __init__(
        self,
        work: Callable[[asyncio.Event, asyncio.Event], Coroutine[None, None, _Result]],
        died: Callable[[Exception], None],
    ) -> None:
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._bell: asyncio.Event | None = None
        self._started = threading.Event()
        self.result: _Result | None = None
        self._thread = guarded_thread("delivery", self._run, died)
        self._started.wait()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        finally:
            # Or whoever made it would wait for ever for a loop that could not be had.
            self._started.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._bell = asyncio.Event(), asyncio.Event()
        self._started.set()
        self.result = await self._work(self._stop, self._bell)

    def ring(self) -> None:
        """A letter was written."""
        self._call(self._bell)

    def stop(self) -> None:
        """Claim no more letters; what is in hand is brought to its end."""
        self._call(self._stop)

    def join(self, seconds: float | None = None) -> None:
        """Wait for the letters in hand."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            _log.warning("letters in hand left", action="daemon.letters_left")

    def _call(self, event: asyncio.Event | None) -> None:
        if self._loop is None or event is None or self._loop.is_closed():
            return
        try:
            self._loop.call_soon_threadsafe(event.set)
        except RuntimeError:
            # The loop closed between the look and the call: nothing is left to be told.
            return
