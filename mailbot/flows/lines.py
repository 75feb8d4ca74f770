"""How many letters are with a server at once: ``async with line.taken(on_waiting)``.

There are more letters in hand than connections, so that a server is given the next one while what became of the
last is written down; the line is where they wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_SHOW_SIGNS_SECONDS = 60.0


class Line:
    """One mailbox's way to its server, for ``letters_at_once``; who came first goes first, a long wait apart."""

    def __init__(self, letters_at_once: int) -> None:
        self._free = asyncio.Semaphore(letters_at_once)

    @asynccontextmanager
    async def taken(self, while_waiting: Callable[[], object]) -> AsyncIterator[bool]:
        """Wait for a place and keep it; whether there was anything to wait for.

        ``while_waiting`` is called every minute: those in front show by themselves that they go on.
        """
        waited = self._free.locked()
        while not await self._has_come():
            while_waiting()
        try:
            yield waited
        finally:
            self._free.release()

    async def _has_come(self) -> bool:
        try:
            async with asyncio.timeout(_SHOW_SIGNS_SECONDS):
                return await self._free.acquire()
        except TimeoutError:
            return False
