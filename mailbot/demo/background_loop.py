"""An asyncio loop in a thread of its own, for servers that a synchronous program starts and stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")

STOP_WITHIN_SECONDS = 60.0


class BackgroundLoop:
    """Runs coroutines for other threads. ``stop`` cancels every task that is left and closes the loop."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop.set_task_factory(self._new_task)
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop itself, for libraries that want it at construction."""
        return self._loop

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result], *, timeout_seconds: float = 60.0) -> _Result:
        """Run ``work`` on the loop and wait for its result; raises what it raises, or ``TimeoutError``."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_seconds)

    def stop(self) -> None:
        """Cancel what still runs, stop the thread and close the loop. Safe to call once, after ``start``."""
        self.run(self._cancel_all(), timeout_seconds=STOP_WITHIN_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_WITHIN_SECONDS)
        self._loop.close()

    def _new_task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        # From 3.13 on a loop holds its tasks weakly enough that connections which nobody else holds are collected
        # while they are in use ("Task was destroyed but it is pending").
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _cancel_all(self) -> None:
        own = asyncio.current_task()
        left = [task for task in self._tasks if task is not own]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        # Closed transports report their end in the loop's next rounds.
        for _ in range(3):
            await asyncio.sleep(0)
